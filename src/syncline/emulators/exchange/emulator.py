"""The emulated Exchange server as one object: parts put together, started and stopped.

This is what tests and the command line use; everything below it is reachable over HTTP only, but for `store`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from syncline.emulators.exchange.auth import Accounts
from syncline.emulators.exchange.calendar_files import CalendarReport, load_calendar
from syncline.emulators.exchange.call import Clock
from syncline.emulators.exchange.control import ControlPlane
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.ntlm import channel_binding
from syncline.emulators.exchange.server import Listener
from syncline.emulators.exchange.site import Site
from syncline.emulators.exchange.stand_in import StandIn, Syncline
from syncline.emulators.exchange.store import Store
from syncline.emulators.exchange.tls import make_certificate, server_context
from syncline.emulators.exchange.zones import zone_ref


class ExchangeEmulator:
    """A mailbox server that is spoken to over EWS, with pages for people at its address (`stand_in`).

    `data` is a folder or `:memory:`; `mailboxes` are addresses with their passwords; `service` is the account (name,
    password) that may impersonate every mailbox. `time_zone` is that of new mailboxes (IANA or Windows). With
    `tls` the server makes its own certificate, whose text is `ca_pem`. A `frozen_clock` stands still (True:
    at the moment of opening) until the control plane advances it. `observer` sees the bytes of every EWS
    request and answer.
    """

    def __init__(
        self,
        data: str | Path = ":memory:",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        mailboxes: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        service: tuple[str, str] | None = None,
        time_zone: str = "UTC",
        tls: bool = False,
        extended_protection: bool = False,
        frozen_clock: datetime | bool | None = None,
        control_token: str | None = None,
        observer: Callable[[bytes, bytes], None] | None = None,
    ) -> None:
        """Open the store and create the mailboxes; nothing listens yet. Raises ValueError for an unknown zone."""
        _check_zone(time_zone)
        if extended_protection and not tls:
            raise ValueError("extended protection binds NTLM to a TLS channel: it needs tls")
        self.store = Store(data)
        self.site = Site(store=self.store, clock=Clock(_frozen(frozen_clock)), zone=time_zone, observer=observer)
        for address, password in dict(mailboxes).items():
            self.store.add_mailbox(address, password, zone=time_zone)
        certificate = make_certificate(host) if tls else None
        self.ca_pem = certificate.certificate_pem if certificate else None
        self._scheme = "https" if tls else "http"
        self._host, self._port = host, port
        binding = channel_binding(certificate.der) if certificate and extended_protection else None
        self._accounts = Accounts(self.store, service, binding)
        self._control = ControlPlane(self.site, self.load_calendar, control_token)
        self.stand_in = StandIn(site=self.site, token=control_token)
        self._tls = server_context(certificate) if certificate else None
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Listen, and remember the contents as those that a reset returns to."""
        self.store.remember()
        self._listener = Listener(
            (self._host, self._port), self.site, self._accounts, self._control, self.stand_in, self._tls
        )
        self._port = self._listener.server_port
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, name="exchange-emulator", daemon=True
        )
        self._thread.start()
        return self

    def load_calendar(self, address: str, text: str) -> CalendarReport:
        """Load the text of an .ics file into the calendar of a mailbox and return what was changed or refused.

        Loaded before the first request, it belongs to the state that a reset returns to. Raises LookupError for an
        unknown address.
        """
        mailbox = self.store.mailbox(address)
        if mailbox is None:
            raise LookupError(f"no mailbox {address}")
        report = load_calendar(self.store, mailbox, text, self.site.clock.now())
        if self._listener is not None and not self.site.requests.counts():
            self.store.remember()
        return report

    def show_syncline(self, url: str, token: str, category: str | None = None) -> None:
        """Let the stand-in's pages say what the Syncline at `url` made of each item; `category` is its tracking one."""
        self.stand_in.syncline = Syncline(url=url, token=token)
        self.stand_in.category = category or self.stand_in.category

    def stop(self) -> None:
        """Stop listening, end open connections and close the store."""
        self.site.stopping.set()
        if self._listener is not None and self._thread is not None:
            self._listener.close_all()
            self._thread.join()
            self._listener = None
        self.store.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def port(self) -> int:
        """Return the port; 0 before `start` when none was given."""
        return self._port

    @property
    def url(self) -> str:
        """Return the server's address without a path."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{self._scheme}://{host}:{self._port}"

    @property
    def ews_url(self) -> str:
        """Return the address of the EWS endpoint."""
        return f"{self.url}/EWS/Exchange.asmx"

    @property
    def control_url(self) -> str:
        """Return the address of the control plane."""
        return f"{self.url}/emulator"


def _frozen(given: datetime | bool | None) -> datetime | None:
    if isinstance(given, datetime):
        return given
    return datetime.now(UTC) if given else None


def _check_zone(name: str) -> None:
    try:
        zone_ref(name)
    except EwsError:
        raise ValueError(f"unknown time zone {name!r}") from None
