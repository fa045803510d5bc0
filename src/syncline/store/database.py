"""`Database`: the whole state of Syncline behind one object, for the engine (ports.Store) and for people.

It joins the parts and adds nothing; it must not hold a statement.
"""

from __future__ import annotations

from syncline.store.accounts import Accounts
from syncline.store.answers import Answers
from syncline.store.attachments import AttachedKept
from syncline.store.filters import SyncFilters
from syncline.store.installation import Installation
from syncline.store.links import Links
from syncline.store.listings import Listings
from syncline.store.marks import Marks
from syncline.store.messages import Messages
from syncline.store.preferences import PreferencesKept
from syncline.store.records import Records
from syncline.store.rules import AnswerRules
from syncline.store.statistics import Statistics
from syncline.store.tables import Tables
from syncline.store.trash import Trash
from syncline.store.wall import Wall
from syncline.store.writing import Writing


class Database(
    Links,
    Writing,
    Answers,
    Records,
    Trash,
    Listings,
    Statistics,
    Accounts,
    PreferencesKept,
    AnswerRules,
    SyncFilters,
    Messages,
    Wall,
    Marks,
    AttachedKept,
    Installation,
    Tables,
):
    """State in one SQLite database; usable from several threads, and beside other processes.

    `Database(path, key=...)` opens it, `migrate()` creates or updates the tables (":memory:" has them at once).
    """
