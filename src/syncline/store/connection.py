"""One database: opening, units of work, creation and migration, failures in the words of the catalogue.

Every unit of work that writes opens with BEGIN IMMEDIATE; the driver's own implicit begin is switched off, because a
check and an insert would not be one transaction with it. It knows SQLite's pragmas; it must not know what is stored.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, inspect
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool
from sqlalchemy.schema import CreateIndex, CreateTable

from syncline.errors import SyncError
from syncline.store.cipher import Cipher
from syncline.store.locks import FileLocks, Locks, MemoryLocks
from syncline.store.migrations import HEAD, upgrade
from syncline.store.schema import first_rows, metadata, triggers

BUSY_TIMEOUT_S = 30
IN_LIST_MAX = 500
PAGE_BYTES = 16_384  # of a new file: a link with both its contents takes 3 kB, and a page of its own costs the most
CHECKPOINT_PAGES = 1000
_SCHEME = "sqlite:///"
_MARKED = "alembic_version"
_MARK = "SELECT version_num FROM alembic_version"

_FAILURES = {
    sqlite3.SQLITE_FULL: "DiskFull",
    sqlite3.SQLITE_IOERR: "DiskFull",
    sqlite3.SQLITE_CANTOPEN: "DataFolderInvalid",
    sqlite3.SQLITE_READONLY: "DataFolderInvalid",
    sqlite3.SQLITE_NOTADB: "DataFolderInvalid",
    sqlite3.SQLITE_CORRUPT: "DataFolderInvalid",
    sqlite3.SQLITE_BUSY: "DataFolderBusy",
}
_PRIMARY = 0xFF


class Connected:
    """The engine, the key and the locks of one database; the parts of `Database` build on it."""

    def __init__(self, url_or_path: str | Path, *, key: bytes) -> None:
        """Open the database at a path, a `sqlite:///` address or ":memory:" (which is created at once).

        `key` has 32 bytes and seals the passwords. A file is created or brought up to date by `migrate`.
        """
        name = str(url_or_path).removeprefix(_SCHEME)
        self.path = None if name in ("", ":memory:") else Path(name).absolute()
        self._cipher = Cipher(key)
        self._turn = threading.RLock() if self.path is None else None
        self.locks: Locks = MemoryLocks() if self.path is None else FileLocks(self.path.parent / "locks")
        self.engine = _engine(self.path)
        if self.path is None:
            self.migrate()

    def close(self) -> None:
        """Give back all connections and locks."""
        self.locks.drop_all()
        self.engine.dispose()

    def migrate(self) -> None:
        """Create the tables, or bring those of an earlier version up to date; nothing happens when they are."""
        with self.reading() as connection:
            names = inspect(connection).get_table_names()
            marks = connection.exec_driver_sql(_MARK).scalars().all() if _MARKED in names else []
        if marks == [HEAD]:
            return  # without loading alembic, which takes a tenth of a second
        if not names:
            with self.writing() as connection:
                if not inspect(connection).get_table_names():
                    for statement in _creation():
                        connection.exec_driver_sql(statement)
            return
        with self.writing() as connection:
            upgrade(connection)

    def backup(self, target: Path) -> None:
        """Copy the database, consistent while others write, to the new file `target`."""
        with self._own_turn(), self.engine.connect() as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            copy = sqlite3.connect(target)
            try:
                source.backup(copy)
            finally:
                copy.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One unit of work that only reads: a single view of the data."""
        with self._unit("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One unit of work that writes: alone from its first statement, undone by an exception."""
        with self._unit("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _unit(self, begin: str) -> Iterator[Connection]:
        try:
            with self._own_turn(), self.engine.connect() as connection:
                connection.execution_options(syncline_begin=begin)
                with connection.begin():
                    yield connection
        except (DBAPIError, sqlite3.Error) as error:
            raise _in_our_words(error) from error

    def _own_turn(self) -> AbstractContextManager[Any]:
        return self._turn if self._turn is not None else nullcontext()


def _in_our_words(error: DBAPIError | sqlite3.Error) -> Exception:
    cause = error.orig if isinstance(error, DBAPIError) else error
    number = getattr(cause, "sqlite_errorcode", None)
    code = None if number is None else _FAILURES.get(number & _PRIMARY)
    return error if code is None else SyncError(code, detail=str(cause))


def _engine(path: Path | None) -> Engine:
    engine = create_engine(
        f"{_SCHEME}{':memory:' if path is None else path}",
        poolclass=StaticPool if path is None else QueuePool,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        f"page_size = {PAGE_BYTES}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    driver = connection.connection.driver_connection  # SQLAlchemy takes ten times as long as SQLite for this
    assert isinstance(driver, sqlite3.Connection)
    driver.execute(connection.get_execution_options().get("syncline_begin", "BEGIN"))


@cache
def _creation() -> tuple[str, ...]:
    """Return the statements that make an empty database the newest one, version mark included."""
    dialect = create_engine(_SCHEME).dialect
    tables = metadata.sorted_tables
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda index: str(index.name))]
    return (
        *(str(CreateTable(table).compile(dialect=dialect)) for table in tables),
        *(str(CreateIndex(index).compile(dialect=dialect)) for index in indexes),
        *triggers("sqlite"),
        *first_rows(),
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))",
        f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}')",  # noqa: S608 (a constant)
    )
