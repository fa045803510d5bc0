"""The embedded CRM (`syncline.ports.Crm`): a real second system with a database, ids and versions of its own.

This is the front: users, the port, and what people do on the Calendar page; each call is one unit of work. It must not
know Exchange, links, cycles or questions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection

from syncline.connectors.embedded_crm import attaching, booking, directory, editing, reading
from syncline.connectors.embedded_crm.calendar import (
    LISTED_MAX,
    Listed,
    ListedPage,
    list_rows,
    list_window,
    show,
    split_id,
)
from syncline.connectors.embedded_crm.checking import load_check
from syncline.connectors.embedded_crm.chunk import SYNCLINE, Pen
from syncline.connectors.embedded_crm.database import Database
from syncline.connectors.embedded_crm.editing import Edit, Terms
from syncline.connectors.embedded_crm.settling import settle_addresses
from syncline.core.appointment import Appointment, Identity, Status
from syncline.core.scheduling import ConflictPolicy, Verdict
from syncline.errors import SyncError
from syncline.ports import (
    Attachments,
    AttachmentWritten,
    Booking,
    Candidate,
    Clock,
    CrmPage,
    CrmRow,
    Deletion,
    NewAttachment,
    Outcome,
    Reschedule,
    User,
)

CRM_NAME = "Syncline CRM"
DEFAULT_POLICY = ConflictPolicy()


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

    def forget_cursors(self) -> None:
        """Make every cursor of the change log unknown: what was put back from a backup has other changes to tell."""
        self._database.renew_epoch()

    def users(self, *, names: Collection[str] | None = None, emails: Collection[str] | None = None) -> tuple[User, ...]:
        """Return all users by name, the disabled ones too; with `names` or `emails` those who have one of them."""
        with self._database.reading() as connection:
            if names is None and emails is None:
                return directory.all_users(connection)
            return directory.some_users(connection, names or (), emails or ())

    def user_count(self) -> int:
        """Return how many users there are, the disabled ones too."""
        with self._database.reading() as connection:
            return directory.user_count(connection)

    def named(self, words: str, limit: int) -> tuple[str, ...]:
        """Return the names of users whose full name or mail address holds these words, `limit` at most."""
        with self._database.reading() as connection:
            return directory.named(connection, words, limit)

    def add_user(self, name: str, *, full_name: str = "", emails: Sequence[str] = (), time_zone: str = "UTC") -> User:
        """Add an enabled user; SyncError("AlreadyExists") if the name or one of the addresses is taken."""
        with self._database.writing() as connection:
            directory.insert_user(connection, name, full_name or name, emails, time_zone)
            settle_addresses(connection, directory.lower(emails))
            return _user(connection, name)

    def set_user(
        self,
        name: str,
        *,
        full_name: str | None = None,
        emails: Sequence[str] | None = None,
        time_zone: str | None = None,
        enabled: bool | None = None,
    ) -> User:
        """Change what is given of a user; rows that name an old or new address follow. SyncError("NotFoundHere")."""
        given = {"full_name": full_name, "time_zone": time_zone, "enabled": enabled}
        columns = {column: value for column, value in given.items() if value is not None}
        with self._database.writing() as connection:
            before = _user(connection, name)
            directory.update_user(connection, name, columns, emails)
            after = _user(connection, name)
            if after.emails != before.emails or (after.enabled and not before.enabled):
                settle_addresses(connection, {*before.emails, *after.emails})
            return after

    def add_contact(self, full_name: str, *, emails: Sequence[str], enabled: bool = True) -> str:
        """Add a contact and return its id; rows that name one of its addresses are resolved anew (AT-02)."""
        with self._database.writing() as connection:
            number = directory.insert_contact(connection, full_name, emails, enabled=enabled)
            settle_addresses(connection, directory.lower(emails))
            return str(number)

    # --- the port ------------------------------------------------------------------------------------------------

    def changes(self, cursor: str | None, limit: int) -> CrmPage:
        """Return the next page of the change log; cursors survive restarts."""
        with self._database.reading() as connection:
            return reading.read_changes(connection, cursor, limit)

    def read(self, ids: Sequence[str]) -> Mapping[str, CrmRow]:
        """Return the rows that exist, by id (an id of an exception returns its series under that id)."""
        with self._database.reading() as connection:
            return reading.read_rows(connection, ids)

    def ids(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the ids of singles and series by id from `after` on ("" for the first), at most `limit`."""
        with self._database.reading() as connection:
            return reading.read_ids(connection, after, limit)

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

    def last_keys(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the key of the last reschedule that had one, by row."""
        with self._database.reading() as connection:
            return reading.read_last_keys(connection, ids)

    def delete(self, deletions: Sequence[Deletion]) -> list[Outcome]:
        """Delete rows that still have their version; a row already gone is SAVED."""
        with self._database.writing() as connection:
            return booking.remove(connection, deletions, self._pen())

    def attachments(self, refs: Sequence[str]) -> Mapping[str, Attachments | SyncError]:
        """Return what is attached to rows, by row; rows that are gone are left out."""
        with self._database.reading() as connection:
            return dict(attaching.listed(connection, refs))

    def attachment_content(self, ref: str, size_max: int) -> bytes | None:
        """Return the content of one file, None if it is gone; SyncError("AttachmentBlocked") for a larger one."""
        with self._database.reading() as connection:
            return attaching.content(connection, ref, size_max)

    def attach(self, ref: str, revision: str, new: NewAttachment) -> AttachmentWritten:
        """Attach one file to a single that still has this version; the same file again changes nothing."""
        with self._database.writing() as connection:
            return attaching.attach(connection, ref, revision, new, self._pen())

    def detach(self, ref: str, revision: str, attachment: str) -> AttachmentWritten:
        """Take one file off a row that still has this version."""
        with self._database.writing() as connection:
            return attaching.detach(connection, ref, revision, attachment, self._pen())

    def flag_attachments(self, row_id: str, *, incomplete: bool) -> None:
        """Note of a row whether files of its item could not be taken (attachmenterrors)."""
        with self._database.writing() as connection:
            attaching.flag(connection, row_id, incomplete=incomplete)

    # --- people --------------------------------------------------------------------------------------------------

    def listing(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        user: str | None = None,
        cursor: str | None = None,
        limit: int = LISTED_MAX,
    ) -> ListedPage:
        """Return a page of the calendar by start and id, at most `limit` entries; `user` is a sign-in name.

        Without a window every single, series (as its master) and exception once; with one, singles, exceptions and all
        occurrences that overlap [start, end).
        """
        with self._database.reading() as connection:
            if start is None or end is None:
                return list_rows(connection, user, cursor, limit)
            return list_window(connection, (start, end), user, cursor, limit)

    def row(self, row_id: str) -> CrmRow:
        """Return one row (the series for an exception or occurrence); SyncError("NotFoundHere") if there is none."""
        root_id, _ = split_id(row_id)
        found = self.read([root_id]).get(root_id)
        if found is None:
            raise SyncError("NotFoundHere", detail=f"appointment {row_id}")
        return found

    def listed(self, row_id: str) -> Listed:
        """Return one entry of the calendar by its id there; SyncError("NotFoundHere") if there is none."""
        with self._database.reading() as connection:
            return show(connection, row_id)

    def create(
        self,
        appointment: Appointment,
        *,
        by_user: str,
        row_id: str = "",
        draft: bool = False,
        ignore_conflicts: bool = False,
        policy: ConflictPolicy = DEFAULT_POLICY,
    ) -> Outcome:
        """Enter an appointment as a person, checked from now on (CD-07); an empty global object id is made up.

        `row_id` is the id of the new row if it must be known before (random, and new); repeated with it, EXISTS.
        `draft`: it stays out of Exchange until an edit releases it (A-09).
        """
        with self._database.writing() as connection:
            by = next((user for user in directory.all_users(connection) if user.name == by_user), None)
            terms = Terms(policy=policy, ignore_conflicts=ignore_conflicts, draft=draft)
            return editing.create(connection, appointment, by, terms, self._pen(by_user), row_id)

    def edit(
        self,
        row_id: str,
        version: int | None,
        changes: Edit,
        *,
        by_user: str,
        status: Status | None = None,
        release: bool = False,
        ignore_conflicts: bool = False,
        policy: ConflictPolicy = DEFAULT_POLICY,
    ) -> Outcome:
        """Change a row, exception or occurrence as a person: new content, or fields of Appointment by name.

        `version` None takes the row as it stands, else STALE if it moved. `status` Completed or Canceled closes the
        row (one date of a series can only be Canceled). Checked only if times, show-as or people
        change (CD-10). STALE also if the row is gone, CLOSED if it is closed. `release`: it is no draft any more.
        """
        with self._database.writing() as connection:
            terms = Terms(policy=policy, ignore_conflicts=ignore_conflicts, release=release)
            return editing.edit(connection, row_id, version, changes, status, terms, self._pen(by_user))

    def remove(
        self, row_id: str, version: int | None = None, *, by_user: str, policy: ConflictPolicy = DEFAULT_POLICY
    ) -> Outcome:
        """Delete a row, or one date of a series, as a person; what is gone already is SAVED."""
        with self._database.writing() as connection:
            return editing.remove(connection, row_id, version, Terms(policy=policy), self._pen(by_user))

    def add_file(self, row_id: str, name: str, content_type: str, content: bytes, *, by_user: str) -> AttachmentWritten:
        """Attach a file to a single as a person, as it stands; STALE if it is gone, CLOSED if it is closed."""
        new = NewAttachment(id=self._new_id(), name=name, content_type=content_type, content=content)
        with self._database.writing() as connection:
            return attaching.attach(connection, row_id, None, new, self._pen(by_user))

    def remove_file(self, row_id: str, attachment: str, *, by_user: str) -> AttachmentWritten:
        """Take a file off a row as a person; one that is off already is SAVED."""
        with self._database.writing() as connection:
            return attaching.detach(connection, row_id, None, attachment, self._pen(by_user))

    def _pen(self, writer: str = SYNCLINE) -> Pen:
        return Pen(crm_name=self.name, now=self._clock.now(), new_id=self._new_id, writer=writer)


def _user(connection: Connection, name: str) -> User:
    found = next((user for user in directory.all_users(connection) if user.name == name), None)
    if found is None:
        raise SyncError("NotFoundHere", detail=f"user {name}")
    return found
