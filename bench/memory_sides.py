"""Two sides in memory for the benchmarks of the engine: a calendar and a CRM that are a table and a change log each.

As thin as the in-memory storage of the peer, so that the engine is what is measured: every write makes a new revision
or version, is guarded by the one before, and is told by the log; nobody is mailed, and nobody is ever double-booked
(the check has its own benchmark). It must not know what is measured.
"""

# ruff: noqa: ARG002 (the ports say which arguments there are)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from msgspec.structs import replace

from syncline.core.answering_by_category import Categorizing
from syncline.core.appointment import Appointment, Identity, Response, Status
from syncline.core.outgoing import ItemCreation, ItemDeletion, ItemWrite
from syncline.core.scheduling import ConflictPolicy, Person, Verdict, persons
from syncline.errors import SyncError
from syncline.ports import (
    Booking,
    Candidate,
    Categorized,
    Category,
    CrmChange,
    CrmPage,
    CrmRow,
    Deletion,
    Folder,
    Light,
    Observed,
    OrganizationMark,
    Outcome,
    Page,
    Reschedule,
    Result,
    User,
    Written,
)

FOLDER = "calendar"


class Calendar:
    """One calendar (`syncline.ports.Replica`); its cursor is a place in the log."""

    def __init__(self, category: str) -> None:
        self.items: dict[str, Observed] = {}
        self._log: list[str] = []
        self._category = category
        self._mark: OrganizationMark | None = None

    def put(self, appointment: Appointment, ref: str = "", key: str | None = None) -> Observed:
        """Save an item under a new revision."""
        revision = len(self._log) + 1
        ref = ref or f"item-{revision}"
        item = Observed(ref=ref, folder=FOLDER, revision=f"rev-{revision}", appointment=appointment, key=key)
        self.items[ref] = item
        self._log.append(ref)
        return item

    def folders(self) -> tuple[Folder, ...]:
        return (Folder(ref=FOLDER, name="Calendar", main=True),)

    def categories(self) -> tuple[Category, ...]:
        return (Category(id="category", name=self._category),)

    def changes(self, folder: str, cursor: str | None, limit: int) -> Page:
        begin = int(cursor or 0)
        end = min(begin + limit, len(self._log))
        refs = dict.fromkeys(self._log[begin:end])
        return Page(items=tuple(map(self._light, refs)), cursor=str(end), more=end < len(self._log))

    def read(self, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
        return [self.items.get(ref) for _, ref in refs]

    def find(self, global_object_ids: Sequence[str]) -> Mapping[str, tuple[Observed, ...]]:
        wanted: dict[str, list[Observed]] = {each: [] for each in global_object_ids}
        for item in self.items.values():
            if item.appointment.identity.global_object_id in wanted:
                wanted[item.appointment.identity.global_object_id].append(item)
        return {each: tuple(items) for each, items in wanted.items() if items}

    def find_keys(self, keys: Sequence[str]) -> Mapping[str, Observed]:
        return {item.key: item for item in self.items.values() if item.key in keys}

    def categorize(self, changes: Sequence[Categorizing]) -> list[Categorized]:
        return [self._categorized(change) for change in changes]

    def write(self, writes: Sequence[ItemWrite]) -> list[Written]:
        return [self._written(write) for write in writes]

    def mark(self) -> OrganizationMark | None:
        return self._mark

    def set_mark(self, mark: OrganizationMark, over: OrganizationMark | None) -> OrganizationMark:
        self._mark = mark
        return mark

    def probe(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        """Nothing is held."""

    def _light(self, ref: str) -> Light:
        item = self.items.get(ref)
        if item is None:
            return Light(ref=ref, folder=FOLDER, gone=True)
        return Light(ref=ref, folder=FOLDER, revision=item.revision, categories=item.appointment.categories)

    def _written(self, write: ItemWrite) -> Written:
        if isinstance(write, ItemCreation):
            return Written(result=Result.SAVED, item=self.put(_own(write.content), key=write.key))
        item = self.items.get(write.ref)
        if item is None or item.revision != write.revision:
            return Written(result=Result.STALE, item=item)
        if isinstance(write, ItemDeletion):
            del self.items[write.ref]
            self._log.append(write.ref)
            return Written(result=Result.SAVED)
        return Written(result=Result.SAVED, item=self.put(write.after, write.ref, write.key or item.key))

    def _categorized(self, change: Categorizing) -> Categorized:
        item = self.items.get(change.ref)
        if item is None or item.revision != change.revision:
            return Categorized(result=Result.STALE)
        after = self.put(replace(item.appointment, categories=tuple(change.after)), change.ref, item.key)
        return Categorized(result=Result.SAVED, revision=after.revision)


def _own(content: Appointment) -> Appointment:
    return replace(content, response=Response.ORGANIZER)


class Rows:
    """One CRM (`syncline.ports.Crm`) of one user; its cursor is a place in the log."""

    def __init__(self, user: User) -> None:
        self.rows: dict[str, CrmRow] = {}
        self._ids: dict[Identity, str] = {}
        self._log: list[CrmChange] = []
        self._user = user
        self._numbers = count(1)

    def put(
        self,
        appointment: Appointment,
        row_id: str = "",
        *,
        by: str = "syncline",
        closed: bool = False,
        people: Sequence[Person] | None = None,
    ) -> CrmRow:
        """Save a row under a new version; `people` are those whom it keeps busy, if the writer says so."""
        kept_busy = persons(appointment, self._user.emails[0]) if people is None else people
        row = CrmRow(
            id=row_id or f"row-{next(self._numbers)}",
            version=len(self._log) + 1,
            appointment=appointment,
            status=Status.CANCELED if closed else Status.SCHEDULED,
            busy=tuple([person.address for person in kept_busy]),
            owner=self._user.name,
            modified_by=by,
        )
        self.rows[row.id] = row
        self._ids[appointment.identity] = row.id
        self._log.append(CrmChange(id=row.id, version=row.version, identity=appointment.identity))
        return row

    def users(self) -> tuple[User, ...]:
        return (self._user,)

    def changes(self, cursor: str | None, limit: int) -> CrmPage:
        begin = int(cursor or 0)
        end = min(begin + limit, len(self._log))
        return CrmPage(changes=tuple(self._log[begin:end]), cursor=str(end), more=end < len(self._log))

    def read(self, ids: Sequence[str]) -> Mapping[str, CrmRow]:
        return {row_id: self.rows[row_id] for row_id in ids if row_id in self.rows}

    def ids(self, after: str, limit: int) -> tuple[str, ...]:
        return tuple(sorted(row_id for row_id in self.rows if row_id > after)[:limit])

    def find(self, identities: Iterable[Identity]) -> Mapping[Identity, CrmRow]:
        return {each: self.rows[self._ids[each]] for each in identities if each in self._ids}

    def validate(self, candidates: Sequence[Candidate], policy: ConflictPolicy) -> list[Verdict]:
        return [Verdict() for _ in candidates]

    def book(self, bookings: Sequence[Booking], policy: ConflictPolicy) -> list[Outcome]:
        return [self._book(booking) for booking in bookings]

    def reschedule(self, changes: Sequence[Reschedule], policy: ConflictPolicy) -> list[Outcome]:
        return [self._reschedule(change) for change in changes]

    def last_keys(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {}

    def delete(self, deletions: Sequence[Deletion]) -> list[Outcome]:
        return [self._delete(deletion) for deletion in deletions]

    def _book(self, booking: Booking) -> Outcome:
        appointment = booking.candidate.appointment
        known = self.rows.get(booking.id) or self.rows.get(self._ids.get(appointment.identity, ""))
        if known is not None:
            return Outcome(result=Result.EXISTS, id=known.id, version=known.version)
        closed, people = booking.status is Status.CANCELED, booking.candidate.persons
        row = self.put(appointment, booking.id, closed=closed, people=people)
        return Outcome(result=Result.SAVED, id=row.id, version=row.version)

    def _reschedule(self, change: Reschedule) -> Outcome:
        known = self.rows.get(change.id)
        if known is None or known.version != change.version:
            return Outcome(result=Result.STALE, id=change.id)
        closed, people = change.status is Status.CANCELED, change.candidate.persons
        row = self.put(change.candidate.appointment, change.id, closed=closed, people=people)
        return Outcome(result=Result.SAVED, id=row.id, version=row.version)

    def _delete(self, deletion: Deletion) -> Outcome:
        known = self.rows.get(deletion.id)
        if known is not None:
            if known.version != deletion.version:
                return Outcome(result=Result.STALE, id=deletion.id, version=known.version)
            del self.rows[deletion.id], self._ids[known.appointment.identity]
            self._log.append(CrmChange(id=deletion.id, version=len(self._log) + 1, gone=True))
        return Outcome(result=Result.SAVED, id=deletion.id, version=deletion.version)
