"""The state of Syncline in a database: what was agreed, what waits for an answer, who may sign in.

It implements the Store port and serves the people's side; it must not know the engine or a connector.
"""

from syncline.store.accounts import Account, Session, Token
from syncline.store.database import Database
from syncline.store.listings import FAILURE_STATES, Counts, Listing, shown_state
from syncline.store.preferences import Mails, Preferences
from syncline.store.rules import Asked
from syncline.store.schema import AccountRole
from syncline.store.statistics import CycleRecord, Totals
from syncline.store.tables import Slice, Sliced

__all__ = [
    "FAILURE_STATES",
    "Account",
    "AccountRole",
    "Asked",
    "Counts",
    "CycleRecord",
    "Database",
    "Listing",
    "Mails",
    "Preferences",
    "Session",
    "Slice",
    "Sliced",
    "Token",
    "Totals",
    "shown_state",
]
