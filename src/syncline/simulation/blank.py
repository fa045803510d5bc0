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
    blank = sqlite3.connect(":memory:")
    _driver(database).backup(blank)
    return database, blank


def blank_state() -> Database:
    """Return the state as it is after its creation; whoever used it before must be done with it."""
    database, blank = _made()
    blank.backup(_driver(database))
    database.locks.drop_all()
    return database


def _driver(database: Database) -> sqlite3.Connection:
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
