"""Book, reschedule and delete: check and write in one transaction (CD-14), each item all or nothing.

A chunk is judged item by item, in the order given, and written together under one savepoint; when the database
refuses it, every item gets a savepoint of its own, so that the bad one fails alone. It must not know how the index of
busy times works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import DataError, IntegrityError

from syncline.connectors.embedded_crm.chunk import Chunk, Pen, load_chunk
from syncline.connectors.embedded_crm.codes import CLOSED
from syncline.connectors.embedded_crm.reading import each_row, find_ids, read_rows
from syncline.connectors.embedded_crm.refusals import refusal, refused
from syncline.connectors.embedded_crm.rows import Stamp, holds_occurrence, row_status, stored
from syncline.connectors.embedded_crm.schema import appointments
from syncline.connectors.embedded_crm.writing import delete_row, insert_rows, remember_keys, replace_rows
from syncline.core.appointment import Appointment, Identity
from syncline.core.scheduling import ConflictPolicy
from syncline.errors import Scope, SyncError
from syncline.ports import Booking, Candidate, CrmRow, Deletion, Outcome, Reschedule, Result

CHUNK_MAX = 200
_REFUSED = (IntegrityError, DataError, UnicodeEncodeError, OverflowError)
_FIRST_VERSION = 1
_Item = TypeVar("_Item", Booking, Reschedule)

_versions = select(appointments.c.id, appointments.c.version).where(
    appointments.c.id.in_(bindparam("ids", expanding=True)), appointments.c.series_id.is_(None)
)


def book(connection: Connection, bookings: Sequence[Booking], policy: ConflictPolicy, pen: Pen) -> list[Outcome]:
    """Create rows in the order given (see `syncline.ports.Crm.book`)."""
    outcomes: list[Outcome] = []
    for chunk in _chunks(bookings):
        outcomes += _together(connection, chunk, policy, pen, _book)
    return outcomes


def reschedule(
    connection: Connection, changes: Sequence[Reschedule], policy: ConflictPolicy, pen: Pen
) -> list[Outcome]:
    """Replace the content of rows in the order given (see `syncline.ports.Crm.reschedule`)."""
    outcomes: list[Outcome] = []
    for chunk in _chunks(changes):
        outcomes += _together(connection, chunk, policy, pen, _reschedule)
    return outcomes


def remove(connection: Connection, deletions: Sequence[Deletion], pen: Pen) -> list[Outcome]:
    """Delete rows that still have their version; a row already gone is SAVED."""
    found = each_row(connection, [deletion.id for deletion in deletions])
    gone: set[str] = set()
    outcomes = []
    for deletion in deletions:
        row = None if deletion.id in gone else found.get(deletion.id)
        if row is None:
            outcomes.append(Outcome(result=Result.SAVED, id=deletion.id, version=deletion.version))
        elif isinstance(row, SyncError):
            outcomes.append(Outcome(result=Result.FAILED, id=deletion.id, error=row))
        elif row.id != deletion.id:
            error = refused(pen.crm_name, row.appointment, "one occurrence is deleted by rewriting its series")
            outcomes.append(Outcome(result=Result.FAILED, id=deletion.id, error=error))
        elif row.version != deletion.version:
            outcomes.append(Outcome(result=Result.STALE, id=row.id, version=row.version))
        else:
            delete_row(connection, row.id, row.version + 1, row.appointment.identity, pen.now)
            gone.add(row.id)
            outcomes.append(Outcome(result=Result.SAVED, id=row.id, version=row.version))
    return outcomes


def _together(
    connection: Connection,
    items: Sequence[_Item],
    policy: ConflictPolicy,
    pen: Pen,
    write: Callable[[Connection, Sequence[_Item], ConflictPolicy, Pen], list[Outcome]],
) -> list[Outcome]:
    """Write a chunk under one savepoint, or, if the database refuses that, each item under its own."""
    try:
        with connection.begin_nested():
            return write(connection, items, policy, pen)
    except _REFUSED as error:
        if len(items) == 1:
            reason = str(error.orig) if isinstance(error, (IntegrityError, DataError)) else str(error)
            failure = refused(pen.crm_name, items[0].candidate.appointment, reason)
            return [Outcome(result=Result.FAILED, id=items[0].id, error=failure)]
    except SyncError as error:
        # A row that cannot be read; whatever else stops the CRM stops the chunk.
        if error.row.scope is not Scope.ITEM:
            raise
        if len(items) == 1:
            return [Outcome(result=Result.FAILED, id=items[0].id, error=error)]
    return [outcome for item in items for outcome in _together(connection, [item], policy, pen, write)]


def _book(connection: Connection, bookings: Sequence[Booking], policy: ConflictPolicy, pen: Pen) -> list[Outcome]:
    chunk = load_chunk(connection, [booking.candidate for booking in bookings], policy, pen)
    taken = _Taken.load(connection, bookings)
    outcomes = []
    for place, booking in enumerate(bookings):
        outcome = taken.outcome(booking) or _blocked(chunk, place, booking)
        if outcome is None:
            chunk.write(place, _first_stamp(booking, policy, pen), {})
            outcome = Outcome(result=Result.SAVED, id=booking.id, version=_FIRST_VERSION)
            taken.add(booking)
        outcomes.append(outcome)
    insert_rows(connection, chunk.written)
    return outcomes


def _reschedule(
    connection: Connection, changes: Sequence[Reschedule], policy: ConflictPolicy, pen: Pen
) -> list[Outcome]:
    found = read_rows(connection, [change.id for change in changes])
    chunk = load_chunk(connection, [_kept(change, found.get(change.id)) for change in changes], policy, pen)
    outcomes = []
    keys: dict[str, str] = {}
    for place, change in enumerate(changes):
        row = found.get(change.id)
        outcome = _unwritable(change, row, policy, pen) or _blocked(chunk, place, change)
        if outcome is None:
            assert row is not None
            stamp = _next_stamp(change, row, policy, pen)
            chunk.write(place, stamp, row.exception_ids)
            keys |= {row.id: change.key} if change.key else {}
            outcome = Outcome(result=Result.SAVED, id=row.id, version=stamp.version)
        outcomes.append(outcome)
    replace_rows(connection, chunk.written)
    remember_keys(connection, keys)
    return outcomes


def _kept(change: Reschedule, row: CrmRow | None) -> Candidate:
    """Return the candidate as an update of its row, which keeps the time of its creation if none is given."""
    appointment = change.candidate.appointment
    if row is not None and appointment.created is None:
        appointment = replace(appointment, created=row.appointment.created)
    return replace(change.candidate, appointment=appointment, row_id=change.id)


class _Taken:
    """Ids and identities that are taken, by rows in the tables and by those written earlier in the chunk."""

    def __init__(self, ids: dict[str, int], identities: dict[Identity, str]) -> None:
        self._ids = ids
        self._identities = identities
        self._series: dict[str, tuple[str, Appointment]] = {}

    @classmethod
    def load(cls, connection: Connection, bookings: Sequence[Booking]) -> _Taken:
        """Read who holds what the bookings want."""
        identities = find_ids(connection, [booking.candidate.appointment.identity for booking in bookings])
        ids = [booking.id for booking in bookings] + sorted(set(identities.values()))
        return cls({row.id: row.version for row in connection.execute(_versions, {"ids": ids})}, identities)

    def add(self, booking: Booking) -> None:
        """Remember a booking that is being written."""
        self._ids[booking.id] = _FIRST_VERSION
        appointment = booking.candidate.appointment
        self._identities[appointment.identity] = booking.id
        if appointment.recurrence is not None:
            self._series[appointment.identity.global_object_id] = booking.id, appointment

    def outcome(self, booking: Booking) -> Outcome | None:
        """Return EXISTS for a repeated id, a taken identity, or an occurrence of a series that is here."""
        identity = booking.candidate.appointment.identity
        holder = booking.id if booking.id in self._ids else self._identities.get(identity) or self._around(identity)
        if holder is None:
            return None
        return Outcome(result=Result.EXISTS, id=holder, version=self._ids[holder])

    def _around(self, identity: Identity) -> str | None:
        holder, series = self._series.get(identity.global_object_id, (None, None))
        if series is None or identity.original_start is None:
            return None
        return holder if holds_occurrence(series, identity.original_start) else None


def _blocked(chunk: Chunk, place: int, item: Booking | Reschedule) -> Outcome | None:
    """Return why an item cannot be written as it is: refused by a rule of the tables, or somebody is unavailable."""
    appointment = item.candidate.appointment
    reason = refusal(appointment, chunk.pen.crm_name)
    if reason is not None:
        return Outcome(result=Result.FAILED, id=item.id, error=reason)
    if item.status in CLOSED:
        return None  # CD-06: what is stored closed is not checked
    verdict = chunk.check.verdict(place)
    return Outcome(result=Result.UNAVAILABLE, id=item.id, verdict=verdict) if verdict.unavailable else None


def _unwritable(change: Reschedule, row: CrmRow | None, policy: ConflictPolicy, pen: Pen) -> Outcome | None:
    """Return STALE or CLOSED (A-22); a change that only repeats what a closed row holds is SAVED as it stands."""
    if row is None or row.id != change.id:
        return Outcome(result=Result.STALE, id=change.id)
    if row.status in CLOSED:
        appointment = change.candidate.appointment
        status = row_status(appointment, _next_stamp(change, row, policy, pen))
        repeats = status is row.status and stored(appointment) == stored(row.appointment)
        return Outcome(result=Result.SAVED if repeats else Result.CLOSED, id=row.id, version=row.version)
    if row.version != change.version:
        return Outcome(result=Result.STALE, id=row.id, version=row.version)
    return None


def _first_stamp(booking: Booking, policy: ConflictPolicy, pen: Pen) -> Stamp:
    return Stamp(
        id=booking.id,
        version=_FIRST_VERSION,
        status=booking.status,
        owner=booking.owner,
        modified_by=pen.writer,
        modified_at=pen.now,
        scheduling=policy.enabled,
        draft=booking.draft,
    )


def _next_stamp(change: Reschedule, row: CrmRow, policy: ConflictPolicy, pen: Pen) -> Stamp:
    return Stamp(
        id=row.id,
        version=row.version + 1,
        status=change.status,
        owner=row.owner,
        modified_by=pen.writer,
        modified_at=pen.now,
        scheduling=policy.enabled,
        draft=change.draft,
    )


def _chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Cut into chunks in which no row is named twice, so that a second write of a row sees the first."""
    chunk: list[_Item] = []
    ids: set[str] = set()
    for item in items:
        if item.id in ids or len(chunk) == CHUNK_MAX:
            yield chunk
            chunk, ids = [], set()
        chunk.append(item)
        ids.add(item.id)
    if chunk:
        yield chunk
