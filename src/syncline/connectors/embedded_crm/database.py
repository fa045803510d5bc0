"""The embedded CRM's database file: connections, units of work, creation, and its failures in our words.

Every unit of work that writes opens with BEGIN IMMEDIATE, so that a check and the write that follows are one
transaction (CD-14) between threads and processes. Commits are durable (synchronous=FULL). It must not know what the
tables mean.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, delete, event, insert, inspect, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool, StaticPool
from sqlalchemy.schema import CreateColumn

from syncline.connectors.embedded_crm.schema import (
    LATER,
    LATER_COLUMNS,
    SCHEMA_VERSION,
    epoch,
    metadata,
    schema_version,
)
from syncline.errors import SyncError

MEMORY = ":memory:"
BUSY_TIMEOUT_MS = 30_000
CONNECTIONS_MAX = 32
STATEMENTS_CACHED_MAX = 500
EPOCH_BYTES = 8
_PRIMARY = 0xFF  # the lower byte of an extended result code
_OUR_FAULT = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
)
"""Result codes that only a bug can cause here; they stay what they are."""


class Database:
    """One SQLite database, usable from several threads and several processes at once.

    A database in memory lives in one connection: its units of work take turns. A file's readers run beside its one
    writer (WAL); writers of this process take turns before they ask SQLite for its lock, so that they do not poll.
    """

    def __init__(self, url_or_path: str | Path, *, crm_name: str) -> None:
        self._crm_name = crm_name
        self._path = _path_of(url_or_path)
        self._in_memory = self._path == MEMORY
        self._engine = self._open()
        self._writer = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        self._turn = threading.RLock()
        self._prepare()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a unit of work that sees one snapshot and writes nothing."""
        with self._turn if self._in_memory else nullcontext(), self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a unit of work that holds the write lock from its first instant; commits at the end."""
        with self._turn, self._translated(), self._writer.begin() as connection:
            yield connection

    def renew_epoch(self) -> None:
        """Make every cursor that was given out unknown, as after a backup was put back."""
        with self.writing() as connection:
            connection.execute(delete(epoch))
            _begin_epoch(connection)

    def close(self) -> None:
        """Give back every connection; the write-ahead log is folded into the file by SQLite."""
        self._engine.dispose()

    def _open(self) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=self._path),
            connect_args={"check_same_thread": False, "cached_statements": STATEMENTS_CACHED_MAX},
            **(
                {"poolclass": StaticPool}
                if self._in_memory
                else {"poolclass": QueuePool, "max_overflow": CONNECTIONS_MAX}
            ),
        )
        event.listen(engine, "connect", _set_up_connection)
        event.listen(engine, "begin", _begin)
        return engine

    def _prepare(self) -> None:
        """Create the tables unless they are there; a second process at the same time waits for the first."""
        with self.writing() as connection:
            if not inspect(connection).has_table(schema_version.name):
                metadata.create_all(connection, checkfirst=False)
                connection.execute(insert(schema_version), {"version": SCHEMA_VERSION})
            for table in LATER:
                table.create(connection, checkfirst=True)
            _add_columns(connection)
            if connection.scalar(select(epoch.c.id)) is None:
                _begin_epoch(connection)
            found = connection.scalar(select(schema_version.c.version))
        if found != SCHEMA_VERSION:
            self.close()
            raise SyncError(
                "DataFolderInvalid",
                detail=f"{self._path} has the tables of version {found} of {self._crm_name}; this program knows "
                f"version {SCHEMA_VERSION}.",
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as last:
            error = _first(last)
            code = error.orig.sqlite_errorcode & _PRIMARY if isinstance(error.orig, sqlite3.Error) else 0
            if code in _OUR_FAULT:
                raise
            raise self.failure(error, code) from last
        except PoolTimeout as error:
            raise SyncError("CrmUnavailable", crm=self._crm_name, detail=str(error)) from error

    def failure(self, error: DatabaseError, code: int) -> SyncError:
        """Say in the catalogue's words why SQLite refused: a full disk, or a database that cannot be used now."""
        if code == sqlite3.SQLITE_FULL:
            return SyncError("DiskFull", detail=self._path)
        return SyncError("CrmUnavailable", crm=self._crm_name, detail=str(error.orig))


def _first(error: DatabaseError) -> DatabaseError:
    """Return the failure that led to this one: a full disk ends the transaction, so that rolling back fails too."""
    first, context = error, error.__context__
    while context is not None:
        if isinstance(context, DatabaseError):
            first = context
        context = context.__context__
    return first


def _path_of(url_or_path: str | Path) -> str:
    named = str(url_or_path).removeprefix("sqlite:///")
    return MEMORY if named in ("", "sqlite://", MEMORY) else named


def _add_columns(connection: Connection) -> None:
    for column in LATER_COLUMNS:
        if all(known["name"] != column.name for known in inspect(connection).get_columns(column.table.name)):
            words = CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {words}")


def _begin_epoch(connection: Connection) -> None:
    connection.execute(insert(epoch), {"id": secrets.token_hex(EPOCH_BYTES)})


def _set_up_connection(driver: sqlite3.Connection, _record: object) -> None:
    driver.isolation_level = None  # the driver must not begin transactions by itself
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
    ):
        driver.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
