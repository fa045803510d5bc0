"""The embedded CRM (`syncline.ports.Crm`): a real second system with a database, ids and versions of its own.

What programs need is here; what people do on the Calendar page is in `calendar`. It must not know Exchange, links,
cycles or questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from syncline.connectors.embedded_crm import booking, directory, reading
from syncline.connectors.embedded_crm.checking import load_check
from syncline.connectors.embedded_crm.chunk import Pen
from syncline.connectors.embedded_crm.database import Database
from syncline.core.appointment import Identity
from syncline.core.scheduling import ConflictPolicy, Verdict
from syncline.ports import (
    Booking,
    Candidate,
    Clock,
    CrmPage,
    CrmRow,
    Deletion,
    Outcome,
    Reschedule,
    User,
)

CRM_NAME = "Syncline CRM"


def random_id() -> str:
    """Return a new row id; ids are never derived from anything and never used again."""
    return str(uuid4())


class EmbeddedCrm:
    """The CRM in one SQLite file (or ":memory:"), usable from several threads and processes at once.

    Every method may raise SyncError("CrmUnavailable") or SyncError("DiskFull").
    """

    def __init__(
        self,
        url_or_path: str | Path,
        *,
        clock: Clock,
        name: str = CRM_NAME,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        self.name = name
        self._clock = clock
        self._new_id = new_id
        self._database = Database(url_or_path, crm_name=name)

    def close(self) -> None:
        """Give back the database."""
        self._database.close()

    def users(self) -> tuple[User, ...]:
        """Return all users by name, the disabled ones too."""
        with self._database.reading() as connection:
            return directory.all_users(connection)

    def add_user(self, name: str, *, full_name: str = "", emails: Sequence[str] = (), time_zone: str = "UTC") -> User:
        """Add an enabled user; SyncError("AlreadyExists") if the name or one of the addresses is taken."""
        with self._database.writing() as connection:
            directory.insert_user(connection, name, full_name or name, emails, time_zone)
            return next(user for user in directory.all_users(connection) if user.name == name)

    def changes(self, cursor: str | None, limit: int) -> CrmPage:
        """Return the next page of the change log; cursors survive restarts."""
        with self._database.reading() as connection:
            return reading.read_changes(connection, cursor, limit)

    def read(self, ids: Sequence[str]) -> Mapping[str, CrmRow]:
        """Return the rows that exist, by id (an id of an exception returns its series under that id)."""
        with self._database.reading() as connection:
            return reading.read_rows(connection, ids)

    def find(self, identities: Iterable[Identity]) -> Mapping[Identity, CrmRow]:
        """Return the rows that hold one of the identities (the series row for an identity inside a series)."""
        with self._database.reading() as connection:
            ids = reading.find_ids(connection, identities)
            rows = reading.read_rows(connection, list(ids.values()))
            return {identity: rows[row_id] for identity, row_id in ids.items()}

    def validate(self, candidates: Sequence[Candidate], policy: ConflictPolicy) -> list[Verdict]:
        """Check all candidates against what is committed, in one snapshot; nothing is written."""
        with self._database.reading() as connection:
            check = load_check(connection, candidates, policy, self._clock.now())
            return [check.verdict(place) for place in range(len(candidates))]

    def book(self, bookings: Sequence[Booking], policy: ConflictPolicy) -> list[Outcome]:
        """Create rows in the order given, each checked against what is there just before (CD-14, Q-09)."""
        with self._database.writing() as connection:
            return booking.book(connection, bookings, policy, self._pen())

    def reschedule(self, changes: Sequence[Reschedule], policy: ConflictPolicy) -> list[Outcome]:
        """Replace the content of rows in the order given, if they still have their version."""
        with self._database.writing() as connection:
            return booking.reschedule(connection, changes, policy, self._pen())

    def delete(self, deletions: Sequence[Deletion]) -> list[Outcome]:
        """Delete rows that still have their version; a row already gone is SAVED."""
        with self._database.writing() as connection:
            return booking.remove(connection, deletions, self._pen())

    def _pen(self) -> Pen:
        return Pen(crm_name=self.name, now=self._clock.now(), new_id=self._new_id)
