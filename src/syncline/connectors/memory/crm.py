"""A CRM in memory (`syncline.ports.Crm`): rows with versions, unique identities, a change log, book and reschedule.

An honest fake: it keeps the guarantees of the embedded CRM (design.md section 6) and finds scheduling conflicts by
comparing everything with everything (`naive`). Methods with people's words are what people do on the Calendar page.
It must not know Exchange, links or cycles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from syncline.connectors.memory import naive
from syncline.connectors.memory.files import Shelf
from syncline.core.appointment import LOCATION_MAX, SUBJECT_MAX, Appointment, Identity, ShowAs, Status
from syncline.core.recurrence import occurrence_day
from syncline.core.scheduling import Clash, ConflictPolicy, Person, Unavailable, Verdict, checked, persons
from syncline.core.zones import UnknownZone, zone_info
from syncline.errors import SyncError
from syncline.ports import (
    Attachments,
    AttachmentWritten,
    Booking,
    Candidate,
    CrmChange,
    CrmPage,
    CrmRow,
    Deletion,
    NewAttachment,
    Outcome,
    Reschedule,
    Result,
    User,
)

CLOSED = frozenset({Status.COMPLETED, Status.CANCELED})
SYNCLINE = "syncline"
_SCHEDULED = frozenset({ShowAs.BUSY, ShowAs.OUT_OF_OFFICE})


class _Stored(Struct, frozen=True, kw_only=True):
    """A row, and whom it makes busy: the persons it was written with, and the address of the mailbox that wrote it.

    `key` is that of the last reschedule that had one.
    """

    row: CrmRow
    persons: tuple[Person, ...]
    mailbox: str | None
    key: str = ""


class Backup(Struct, frozen=True, kw_only=True):
    """Rows, identities and change log as they stood once."""

    rows: Mapping[str, _Stored]
    ids: Mapping[Identity, str]
    log: tuple[CrmChange, ...]
    shelf: Shelf


class MemoryCrm:
    """The CRM of one organization; everything it makes up comes from counters, so that every run is the same."""

    def __init__(self) -> None:
        self._rows: dict[str, _Stored] = {}
        self._ids: dict[Identity, str] = {}
        self._log: list[CrmChange] = []
        self._users: dict[str, User] = {}
        self._numbers = count(1)
        self._epoch = 0
        self._spoiled: dict[str, SyncError] = {}
        self.shelf = Shelf()
        self.requests: Counter[str] = Counter()

    # --- people --------------------------------------------------------------------------------------------------

    def add_user(self, user: User) -> None:
        """Add or replace a user."""
        self._users[user.name] = user

    def rows(self) -> tuple[CrmRow, ...]:
        """Return all rows."""
        return tuple(stored.row for stored in self._rows.values())

    def persons_of(self, row_id: str) -> tuple[Person, ...]:
        """Return the persons whom a row was written with."""
        return self._rows[row_id].persons

    def create(self, appointment: Appointment, *, owner: str, status: Status | None = None, draft: bool = False) -> str:
        """Save a new row as its owner, without a check, and return its id."""
        row_id = f"row-{next(self._numbers)}"
        candidate = self._own(appointment, self._users[owner].emails[0])
        booking = Booking(id=row_id, candidate=candidate, owner=owner, status=status, draft=draft)
        self._save(booking, None, owner, ConflictPolicy())
        return row_id

    def enter(self, appointment: Appointment, *, owner: str, draft: bool = False) -> str:
        """Save a new row as a person who fills in a form: what no CRM of ours can hold is refused with a SyncError.

        `create` takes everything, because rows of other CRMs may hold what ours refuses.
        """
        error = _refusal(appointment)
        if error is not None:
            raise error
        return self.create(appointment, owner=owner, draft=draft)

    def edit(
        self, row_id: str, change: Callable[[Appointment], Appointment], *, by: str, owner: str | None = None
    ) -> None:
        """Save a row changed by `change`, or given to another `owner`, without a check; closed rows are read-only.

        KeyError if it is gone.
        """
        stored = self._rows[row_id]
        if stored.row.status in CLOSED:
            raise SyncError("ClosedInCrm", subject=stored.row.appointment.subject)
        candidate = replace(self._own(change(stored.row.appointment), stored.mailbox), row_id=row_id)
        booking = Booking(id=row_id, candidate=candidate, owner=owner or stored.row.owner, draft=stored.row.draft)
        self._save(booking, stored, by, ConflictPolicy())

    def release(self, row_id: str, *, by: str) -> None:
        """Take the mark of a draft off a row."""
        stored = self._rows[row_id]
        self._rows[row_id] = replace(stored, row=replace(stored.row, draft=False))
        self._touch(row_id, by)

    def complete(self, row_id: str, *, by: str) -> None:
        """Mark a row as completed."""
        self._close(row_id, Status.COMPLETED, by)

    def cancel(self, row_id: str, *, by: str) -> None:
        """Mark a row as canceled."""
        self._close(row_id, Status.CANCELED, by)

    def remove(self, row_id: str) -> None:
        """Delete a row."""
        stored = self._rows.pop(row_id)
        identity = stored.row.appointment.identity
        del self._ids[identity]
        self.shelf.drop(row_id)
        self._log.append(CrmChange(id=row_id, version=self._version(), gone=True, identity=identity))

    def back_up(self) -> Backup:
        """Return what the CRM holds now, users aside."""
        return Backup(rows=dict(self._rows), ids=dict(self._ids), log=tuple(self._log), shelf=self.shelf.copy())

    def restore(self, backup: Backup) -> None:
        """Put a backup back: what came after it is lost, and cursors given out before are unknown."""
        self._rows, self._ids, self._log = dict(backup.rows), dict(backup.ids), list(backup.log)
        self.shelf = backup.shelf.copy()
        self._epoch += 1

    def spoil(self, row_id: str) -> None:
        """Make a row unreadable until it is mended."""
        subject = self._rows[row_id].row.appointment.subject
        self._spoiled[row_id] = SyncError("CrmRowUnreadable", subject=subject, row=row_id, detail="it is damaged")

    def mend(self, row_id: str) -> None:
        """Make a row readable again; its content is what it was."""
        del self._spoiled[row_id]

    def add_file(self, row_id: str, name: str, content: bytes, *, by: str) -> str:
        """Attach a file to a row as a person, and return its id."""
        return self._shelve(row_id, NewAttachment(id="", name=name, content=content), by)

    def remove_file(self, row_id: str, name: str, *, by: str) -> None:
        """Take the files of that name off a row as a person."""
        for attachment in [each for each in self.shelf.of(row_id) if each.name == name]:
            self.shelf.take_off(row_id, attachment.ref)
        self._touch(row_id, by)

    # --- the port ------------------------------------------------------------------------------------------------

    def users(self) -> tuple[User, ...]:
        """Return all users."""
        self.requests["users"] += 1
        return tuple(self._users.values())

    def changes(self, cursor: str | None, limit: int) -> CrmPage:
        """Return the next page of the change log."""
        self.requests["changes"] += 1
        begin = self._position(cursor)
        found = tuple(self._log[begin : begin + limit])
        end = begin + len(found)
        return CrmPage(changes=found, cursor=f"{self._epoch}.{end}", more=end < len(self._log))

    def read(self, ids: Sequence[str]) -> Mapping[str, CrmRow]:
        """Return the rows that exist; an exception's id gives its series. SyncError if one of them is spoiled."""
        self.requests["read"] += 1
        series = {
            exception_id: stored.row
            for stored in self._rows.values()
            for exception_id in stored.row.exception_ids.values()
        }
        found = {row_id: self._rows[row_id].row if row_id in self._rows else series.get(row_id) for row_id in ids}
        there = {row_id: row for row_id, row in found.items() if row is not None}
        for row in there.values():
            if row.id in self._spoiled:
                raise self._spoiled[row.id]
        return there

    def ids(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the ids of singles and series by id from `after` on."""
        self.requests["ids"] += 1
        return tuple(sorted(row_id for row_id in self._rows if row_id > after)[:limit])

    def find(self, identities: Iterable[Identity]) -> Mapping[Identity, CrmRow]:
        """Return the rows that hold one of the identities."""
        self.requests["find"] += 1
        found = {identity: self._holder(identity) for identity in identities}
        return {identity: stored.row for identity, stored in found.items() if stored is not None}

    def validate(self, candidates: Sequence[Candidate], policy: ConflictPolicy) -> list[Verdict]:
        """Check all candidates against what is committed."""
        self.requests["validate"] += 1
        return [self.check(candidate, policy) for candidate in candidates]

    def book(self, bookings: Sequence[Booking], policy: ConflictPolicy) -> list[Outcome]:
        """Create rows in the order given."""
        self.requests["book"] += 1
        return [self._book(booking, policy) for booking in bookings]

    def reschedule(self, changes: Sequence[Reschedule], policy: ConflictPolicy) -> list[Outcome]:
        """Update rows in the order given."""
        self.requests["reschedule"] += 1
        return [self._reschedule(change, policy) for change in changes]

    def last_keys(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the key of the last reschedule that had one, by row."""
        self.requests["last_keys"] += 1
        there = {row_id: self._rows[row_id].key for row_id in ids if row_id in self._rows}
        return {row_id: key for row_id, key in there.items() if key}

    def delete(self, deletions: Sequence[Deletion]) -> list[Outcome]:
        """Delete rows."""
        self.requests["delete"] += 1
        return [self._delete(deletion) for deletion in deletions]

    def attachments(self, refs: Sequence[str]) -> Mapping[str, Attachments | SyncError]:
        """Return what is attached to rows."""
        self.requests["attachments"] += 1
        return {ref: self._attached(ref) for ref in refs if ref in self._rows}

    def attachment_content(self, ref: str, size_max: int) -> bytes | None:
        """Return the content of one file."""
        self.requests["attachment_content"] += 1
        return self.shelf.content(ref, size_max)

    def attach(self, ref: str, revision: str, new: NewAttachment) -> AttachmentWritten:
        """Attach one file; one that is there under its id already is SAVED, unless the row has changed since."""
        self.requests["attach"] += 1
        refused = self._unattachable(ref, revision)
        if refused is not None:
            return refused
        if any(each.ref == new.id for each in self.shelf.of(ref)):
            return AttachmentWritten(result=Result.SAVED, after=self._attached(ref), ref=new.id)
        made = self._shelve(ref, new, SYNCLINE)
        return AttachmentWritten(result=Result.SAVED, after=self._attached(ref), ref=made)

    def detach(self, ref: str, revision: str, attachment: str) -> AttachmentWritten:
        """Take one file off."""
        self.requests["detach"] += 1
        refused = self._unattachable(ref, revision)
        if refused is not None:
            return refused
        if self.shelf.take_off(ref, attachment):
            self._touch(ref, SYNCLINE)
        return AttachmentWritten(result=Result.SAVED, after=self._attached(ref))

    def flag_attachments(self, row_id: str, *, incomplete: bool) -> None:
        """Note whether files of a row's item could not be taken."""
        self.requests["flag_attachments"] += 1
        if incomplete and row_id in self._rows:
            self.shelf.incomplete.add(row_id)
        else:
            self.shelf.incomplete.discard(row_id)

    def check(self, candidate: Candidate, policy: ConflictPolicy) -> Verdict:
        """Return who of the candidate's people is unavailable, and why; nobody if the check is suppressed or off."""
        sight = naive.Sight(zone="UTC", policy=policy, since=candidate.since)
        if not candidate.check or not policy.enabled:
            return Verdict()
        asked = {person.address for person in candidate.persons if checked(person, policy)}
        people = [user for user in self._users.values() if user.enabled and not asked.isdisjoint(user.emails)]
        found = [
            Unavailable(user_id=user.id, full_name=user.full_name, clashes=tuple(self._clashes(user, candidate, sight)))
            for user in people
        ]
        unavailable = tuple(person for person in found if person.clashes)
        clashing = {clash.candidate_start for person in unavailable for clash in person.clashes}
        return Verdict(
            unavailable=unavailable,
            occurrences=naive.compared(candidate.appointment, sight),
            clashing=tuple(sorted(clashing)),
        )

    # --- inside --------------------------------------------------------------------------------------------------

    def _position(self, cursor: str | None) -> int:
        """Return how much of the log a cursor has seen; SyncError("CursorExpired") for one of another log."""
        if cursor is None:
            return 0
        epoch, _, place = cursor.rpartition(".")
        known = place.isascii() and place.isdecimal() and int(place) <= len(self._log)
        if not known or epoch not in ("", str(self._epoch)):
            raise SyncError("CursorExpired", mailbox="the change log")
        return int(place)

    def _version(self) -> int:
        return len(self._log) + 1

    def _own(self, appointment: Appointment, mailbox: str | None) -> Candidate:
        user = next((name for name, user in self._users.items() if mailbox in user.emails), None)
        return Candidate(appointment=appointment, persons=persons(appointment, mailbox), user=user, check=False)

    def _mailbox(self, candidate: Candidate) -> str | None:
        """Return the address under which the user of the writing mailbox is one of the persons (CD-05a)."""
        own = self._users[candidate.user].emails if candidate.user in self._users else ()
        return next((person.address for person in candidate.persons if person.address in own), None)

    def _clashes(self, user: User, candidate: Candidate, sight: naive.Sight) -> list[Clash]:
        others = [
            naive.Busy(
                row_id=row_id,
                appointment=stored.row.appointment,
                takes=_takes(user, stored.row.appointment, stored.persons, stored.mailbox),
                status=_common_status(stored.row),
                ids=_exception_ids(stored.row),
            )
            for row_id, stored in self._rows.items()
            if row_id != candidate.row_id
        ]
        takes = _takes(user, candidate.appointment, candidate.persons, self._mailbox(candidate))
        return naive.compare(candidate.appointment, takes, others, replace(sight, zone=user.time_zone))

    def _holder(self, identity: Identity) -> _Stored | None:
        if identity in self._ids:
            return self._rows[self._ids[identity]]
        series = self._ids.get(Identity(identity.global_object_id))
        stored = self._rows[series] if series is not None else None
        if stored is None or identity.original_start is None:
            return None
        return stored if _within(stored.row.appointment, identity.original_start) else None

    def _book(self, booking: Booking, policy: ConflictPolicy) -> Outcome:
        known = self._rows.get(booking.id) or self._holder(booking.candidate.appointment.identity)
        if known is not None:
            return Outcome(result=Result.EXISTS, id=known.row.id, version=known.row.version)
        return self._write(booking, None, policy)

    def _reschedule(self, change: Reschedule, policy: ConflictPolicy) -> Outcome:
        stored = self._rows.get(change.id)
        if stored is None:
            return Outcome(result=Result.STALE, id=change.id)
        if stored.row.status in CLOSED:
            return Outcome(result=Result.CLOSED, id=change.id, version=stored.row.version)
        if stored.row.version != change.version:
            return Outcome(result=Result.STALE, id=change.id, version=stored.row.version)
        candidate = replace(change.candidate, row_id=change.id)
        owner = stored.row.owner
        booking = Booking(id=change.id, candidate=candidate, owner=owner, status=change.status, draft=change.draft)
        outcome = self._write(booking, stored, policy)
        if outcome.result is Result.SAVED and change.key:
            self._rows[change.id] = replace(self._rows[change.id], key=change.key)
        return outcome

    def _write(self, booking: Booking, stored: _Stored | None, policy: ConflictPolicy) -> Outcome:
        error = _refusal(booking.candidate.appointment)
        if error is not None:
            return Outcome(result=Result.FAILED, id=booking.id, error=error)
        found = Verdict() if booking.status in CLOSED else self.check(booking.candidate, policy)
        if found.unavailable:
            return Outcome(result=Result.UNAVAILABLE, id=booking.id, verdict=found)
        row = self._save(booking, stored, SYNCLINE, policy)
        return Outcome(result=Result.SAVED, id=row.id, version=row.version)

    def _delete(self, deletion: Deletion) -> Outcome:
        stored = self._rows.get(deletion.id)
        if stored is not None:
            if stored.row.version != deletion.version:
                return Outcome(result=Result.STALE, id=deletion.id, version=stored.row.version)
            self.remove(deletion.id)
        return Outcome(result=Result.SAVED, id=deletion.id, version=deletion.version)

    def _save(self, booking: Booking, stored: _Stored | None, by: str, policy: ConflictPolicy) -> CrmRow:
        appointment = booking.candidate.appointment
        known: Mapping[datetime, str] = stored.row.exception_ids if stored is not None else {}
        starts = [part.identity.original_start for part in appointment.exceptions]
        row = CrmRow(
            id=booking.id,
            version=self._version(),
            appointment=appointment,
            status=booking.status or _status(appointment, policy),
            busy=tuple(person.address for person in booking.candidate.persons),
            owner=booking.owner,
            modified_by=by,
            exception_ids={at: known.get(at) or f"row-{next(self._numbers)}" for at in starts if at is not None},
            draft=booking.draft,
        )
        if stored is not None:
            self._ids.pop(stored.row.appointment.identity, None)
        candidate = booking.candidate
        key = stored.key if stored is not None else ""
        self._rows[row.id] = _Stored(row=row, persons=candidate.persons, mailbox=self._mailbox(candidate), key=key)
        self._ids[appointment.identity] = row.id
        self._log.append(CrmChange(id=row.id, version=row.version, identity=appointment.identity))
        return row

    def _attached(self, row_id: str) -> Attachments:
        row = self._rows[row_id].row
        incomplete = row_id in self.shelf.incomplete
        return Attachments(revision=str(row.version), files=self.shelf.of(row_id), incomplete=incomplete)

    def _unattachable(self, row_id: str, revision: str) -> AttachmentWritten | None:
        stored = self._rows.get(row_id)
        if stored is None:
            return AttachmentWritten(result=Result.STALE)
        if stored.row.status in CLOSED:
            return AttachmentWritten(result=Result.CLOSED, after=self._attached(row_id))
        if str(stored.row.version) != revision:
            return AttachmentWritten(result=Result.STALE, after=self._attached(row_id))
        return None

    def _shelve(self, row_id: str, new: NewAttachment, by: str) -> str:
        made = self.shelf.put(row_id, new, digest=True, as_id=new.id)
        self._touch(row_id, by)
        return made

    def _touch(self, row_id: str, by: str) -> None:
        """Give a row another version of the same content."""
        stored = self._rows[row_id]
        row = replace(stored.row, version=self._version(), modified_by=by)
        self._rows[row_id] = replace(stored, row=row)
        self._log.append(CrmChange(id=row.id, version=row.version, identity=row.appointment.identity))

    def _close(self, row_id: str, status: Status, by: str) -> None:
        stored = self._rows[row_id]
        row = replace(stored.row, status=status, version=self._version(), modified_by=by)
        self._rows[row_id] = replace(stored, row=row)
        self._log.append(CrmChange(id=row.id, version=row.version, identity=row.appointment.identity))


def _refusal(appointment: Appointment) -> SyncError | None:
    """Return why an appointment cannot be stored, None if it can."""
    for part in (appointment, *appointment.exceptions):
        if part.span.end < part.span.start:
            return SyncError("CrmRefused", subject=appointment.subject, detail="it ends before it starts")
        if len(part.subject) > SUBJECT_MAX or len(part.location) > LOCATION_MAX:
            return SyncError("CrmRefused", subject=appointment.subject, detail="a text is too long")
        try:
            zone_info(part.zone)
        except UnknownZone:
            return SyncError("UnknownTimeZone", subject=appointment.subject, detail=part.zone)
    return None


def _status(appointment: Appointment, policy: ConflictPolicy) -> Status:
    """Return the status a row is stored with (1.9, A-21, CD-15: open where nothing is checked)."""
    if appointment.canceled:
        return Status.CANCELED
    return Status.SCHEDULED if policy.enabled and appointment.show_as in _SCHEDULED else Status.OPEN


def _takes(user: User, whole: Appointment, people: tuple[Person, ...], mailbox: str | None) -> naive.Takes:
    """Return which parts of an appointment make the user busy (CD-05a).

    A part takes its own people, as far as they are persons of the whole: who declined is none. Persons whom no part
    names take every part.
    """
    listed = {person.address for person in people}
    everywhere = listed.difference(*(_named(part, mailbox) for part in (whole, *whole.exceptions)))

    def takes(part: Appointment) -> bool:
        own = {person.address for person in persons(replace(part, exceptions=()), mailbox)}
        return not (own & listed | everywhere).isdisjoint(user.emails)

    return takes


def _named(part: Appointment, mailbox: str | None) -> set[str]:
    organizer = part.organizer.address if part.organizer is not None else ""
    return {organizer, mailbox or "", *(attendee.address for attendee in part.attendees)}


def _common_status(row: CrmRow) -> Status | None:
    """Return the status that all parts of a row share; None where each part of a living series has its own."""
    return None if row.appointment.exceptions and row.status not in CLOSED else row.status


def _exception_ids(row: CrmRow) -> Callable[[Appointment], str]:
    ids = row.exception_ids
    return lambda part: ids.get(part.identity.original_start, row.id) if part.identity.original_start else row.id


def _within(series: Appointment, original_start: datetime) -> bool:
    """Return whether the series has an occurrence of that original start."""
    if series.recurrence is None or original_start in series.deleted:
        return False
    if any(part.identity.original_start == original_start for part in series.exceptions):
        return True
    return occurrence_day(series, original_start) is not None
