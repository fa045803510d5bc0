"""One in-memory state for all worlds of a process, made blank again for each.

A database costs more to create, and its statements more to compile, than a whole world to play. So there is one, and
SQLite copies the blank one over it. It must not know what is stored.
"""

from __future__ import annotations

import sqlite3
from functools import cache

from syncline.store import Database

_KEY = bytes(32)


@cache
def _made() -> tuple[Database, sqlite3.Connection]:
    database = Database(":memory:", key=_KEY)
    return database, keep(database)


def blank_state() -> Database:
    """Return the state as it is after its creation; whoever used it before must be done with it."""
    database, blank = _made()
    bring_back(database, blank)
    return database


def keep(database: Database) -> sqlite3.Connection:
    """Return a copy of the state as it is now, for `bring_back`."""
    copy = sqlite3.connect(":memory:")
    _driver(database).backup(copy)
    return copy


def bring_back(database: Database, copy: sqlite3.Connection) -> None:
    """Make the state what it was when it was kept; no lock is held."""
    copy.backup(_driver(database))
    database.locks.drop_all()


def changes_of(database: Database) -> int:
    """Return how many rows have ever been written to the state, also in vain."""
    return _driver(database).total_changes


def _driver(database: Database) -> sqlite3.Connection:
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
