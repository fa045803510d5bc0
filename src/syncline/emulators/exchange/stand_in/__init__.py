"""The Outlook stand-in: small pages of the emulated server, on which people keep appointments as they do in Outlook.

They are made on the server and need no script. What they write goes the way of an EWS write, invitations included.
What Syncline makes of an item is read from its public API, if one is named; no code of Syncline's is used.
"""

from syncline.emulators.exchange.stand_in.pages import StandIn
from syncline.emulators.exchange.stand_in.states import Syncline

__all__ = ["StandIn", "Syncline"]
