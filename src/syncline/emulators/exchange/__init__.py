"""An Exchange server for tests and demonstrations: mailboxes in SQLite behind real HTTP(S), spoken to over EWS.

It behaves as the public documentation and observed facts say, down to its refusals. It shares no code with the
connectors that are tested against it, only the values and the arithmetic of `syncline.core`.
"""

from syncline.emulators.exchange.emulator import ExchangeEmulator

__all__ = ["ExchangeEmulator"]
