"""What people do in the embedded CRM: enter, change, close and remove appointments, with the same check as everybody.

One occurrence of a series is changed by rewriting the series. It must not know who is allowed to do it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from syncline.connectors.embedded_crm import booking
from syncline.connectors.embedded_crm.calendar import span_of_date, split_id
from syncline.connectors.embedded_crm.chunk import Pen
from syncline.connectors.embedded_crm.codes import CLOSED
from syncline.connectors.embedded_crm.directory import known_users
from syncline.connectors.embedded_crm.reading import load_parties, read_rows
from syncline.core.appointment import Appointment, Identity, Status
from syncline.core.leaving_out import without
from syncline.core.merging import canonical, differences, reschedules
from syncline.core.scheduling import ConflictPolicy, Person, persons
from syncline.errors import SyncError
from syncline.ports import Booking, Candidate, CrmRow, Deletion, Outcome, Reschedule, Result, User

Edit = Appointment | Mapping[str, Any]
"""What somebody wants of a row: its whole new content, or the fields of Appointment that change."""


class Terms(Struct, frozen=True, kw_only=True):
    """On what terms a person writes: the rules of the check, and whether it is suppressed for this item.

    `draft`: a new row is entered as a draft. `release`: the row is none any more; no other way leads into or out of it.
    """

    policy: ConflictPolicy
    ignore_conflicts: bool = False
    draft: bool = False
    release: bool = False


def create(
    connection: Connection, appointment: Appointment, by: User | None, terms: Terms, pen: Pen, row_id: str = ""
) -> Outcome:
    """Enter an appointment; without an organizer it belongs to who enters it. An empty `row_id` is made up."""
    identity = appointment.identity
    if not identity.global_object_id:
        appointment = replace(appointment, identity=replace(identity, global_object_id=pen.new_id()))
    mailbox = by.emails[0] if by and by.emails and appointment.organizer is None else None
    candidate = Candidate(
        appointment=replace(canonical(appointment), created=appointment.created or pen.now),
        persons=persons(appointment, mailbox),
        user=by.name if by and mailbox else None,
        check=not terms.ignore_conflicts,
        since=pen.now,
    )
    owner = _owner(connection, appointment, by)
    asked = Booking(id=row_id or pen.new_id(), candidate=candidate, owner=owner, draft=terms.draft)
    (outcome,) = booking.book(connection, [asked], terms.policy, pen)
    return outcome


def edit(
    connection: Connection,
    listed_id: str,
    version: int | None,
    changes: Edit,
    status: Status | None,
    terms: Terms,
    pen: Pen,
) -> Outcome:
    """Change a row, one exception or one occurrence; `status` closes the row (Completed, Canceled).

    One date of a series can be canceled by itself, but not completed: SyncError("InvalidRequest").
    """
    row_id, start, row = _target(connection, listed_id)
    if row is None:
        return Outcome(result=Result.STALE, id=row_id)
    content = _changed(row, start, changes)
    if start is not None and status is not None:
        if status is not Status.CANCELED:
            raise SyncError("InvalidRequest", detail=f"One date of a series cannot become {status} by itself.")
        content, status = _changed(row, start, {"canceled": True}), None
    return _rewrite(connection, row, version, content, status, terms, pen)


def remove(connection: Connection, listed_id: str, version: int | None, terms: Terms, pen: Pen) -> Outcome:
    """Delete a row, or one date of a series; what is gone already is SAVED."""
    row_id, start, row = _target(connection, listed_id)
    if row is None:
        return Outcome(result=Result.SAVED, id=row_id)
    if start is None:
        (outcome,) = booking.remove(connection, [Deletion(id=row.id, version=version or row.version)], pen)
        return outcome
    try:
        _part(row.appointment, start)
    except SyncError:
        return Outcome(result=Result.SAVED, id=row.id, version=row.version)
    content = without(row.appointment, [start])
    return _rewrite(connection, row, version, content, None, replace(terms, ignore_conflicts=True), pen)


def _target(connection: Connection, listed_id: str) -> tuple[str, datetime | None, CrmRow | None]:
    """Return the row that is meant, and the original start if one date of a series is meant."""
    row_id, start = split_id(listed_id)
    row = read_rows(connection, [row_id]).get(row_id)
    if row is None or row.id == row_id:
        return row_id, start, row
    starts = {exception_id: at for at, exception_id in row.exception_ids.items()}
    return row.id, starts[row_id], row


def _changed(row: CrmRow, start: datetime | None, changes: Edit) -> Appointment:
    series = row.appointment
    if start is None:
        return _applied(series, changes)
    part = _applied(_part(series, start), changes)
    part = replace(
        part, identity=Identity(series.identity.global_object_id, start), recurrence=None, exceptions=(), deleted=()
    )
    others = [other for other in series.exceptions if other.identity.original_start != start]
    return replace(series, exceptions=tuple(sorted([*others, part], key=lambda each: each.identity)))


def _applied(current: Appointment, changes: Edit) -> Appointment:
    if not isinstance(changes, Appointment):
        return replace(current, **changes)
    return replace(changes, identity=current.identity)


def _part(series: Appointment, start: datetime) -> Appointment:
    """Return the exception of that original start, or what the pattern gives there."""
    for part in series.exceptions:
        if part.identity.original_start == start:
            return part
    return replace(series, span=span_of_date(series, start), recurrence=None, exceptions=(), deleted=())


def _rewrite(
    connection: Connection,
    row: CrmRow,
    version: int | None,
    content: Appointment,
    status: Status | None,
    terms: Terms,
    pen: Pen,
) -> Outcome:
    """Reschedule a row, checked only if the scheduling group changes (CD-10); texts alone never ask."""
    before, after = canonical(row.appointment), canonical(content)
    if row.status in CLOSED:
        return Outcome(result=Result.CLOSED, id=row.id, version=row.version)
    moved = reschedules(differences(before, after), before, after)
    people, mailbox = _people(connection, row, content)
    candidate = Candidate(
        appointment=after,
        persons=people,
        user=mailbox,
        check=moved and not terms.ignore_conflicts,
        since=pen.now,
        row_id=row.id,
    )
    draft = row.draft and not terms.release
    change = Reschedule(id=row.id, version=version or row.version, candidate=candidate, status=status, draft=draft)
    (outcome,) = booking.reschedule(connection, [change], terms.policy, pen)
    return outcome


def _people(connection: Connection, row: CrmRow, content: Appointment) -> tuple[tuple[Person, ...], str | None]:
    """Return whom the new content makes busy: who was known not to be busy stays so, an unnamed user stays in."""
    listed = load_parties(connection, [row.id, *row.exception_ids.values()])
    parties = [party for found in listed.values() for party in found]
    implied = next((party["address"] for party in parties if party["implied"]), None)
    free = {party["address"] for party in parties if not party["busy"]} - {
        party["address"] for party in parties if party["busy"]
    }
    people = tuple(person for person in persons(content, implied) if person.address not in free)
    known = known_users(connection, [implied]) if implied else {}
    return people, known[implied].name if implied in known else None


def _owner(connection: Connection, appointment: Appointment, by: User | None) -> str | None:
    """Return whose row it is: the organizer's if he is a user, else of who entered it (A-29)."""
    organizer = appointment.organizer.address.lower() if appointment.organizer else ""
    known = known_users(connection, [organizer]) if organizer else {}
    if organizer in known:
        return known[organizer].name
    return by.name if by else None
