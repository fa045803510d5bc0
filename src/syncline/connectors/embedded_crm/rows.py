"""Appointments to and from the columns of the embedded CRM.

Pure: values in, dictionaries of columns out, and back. What never leaves Exchange (categories, reminder, the owner's
response, the attendees' answers: AT-05, D-04) has no column. It must not know the database or who is available.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from syncline.connectors.embedded_crm.codes import (
    IMPORTANCE,
    PARTY_ORGANIZER,
    PARTY_TYPE,
    PRIORITY,
    ROLE_OF_PARTY,
    STATE,
    STATUS,
    Columns,
    deleted_of,
    length_class,
    recurrence_columns,
    recurrence_of,
    status_code,
    status_of,
    stored_show_as,
)
from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Kind,
    Recurrence,
    Response,
    Sensitivity,
    ShowAs,
    Span,
    Status,
)
from syncline.core.recurrence import last_date, occurrence_day, occurrence_span
from syncline.core.times import epoch_s, from_epoch_s
from syncline.ports import CrmRow

ZONE_SLACK_S = 86_400
"""An all-day span is a range of dates, and a zone moves it by less than a day (CD-08)."""


class Stamp(Struct, frozen=True, kw_only=True):
    """What a row carries besides its content. `scheduling` False: the feature is off and rows stay Open (CD-15)."""

    id: str
    version: int
    status: Status | None = None
    owner: str | None = None
    modified_by: str
    modified_at: datetime
    scheduling: bool = True
    draft: bool = False


class Party(Struct, frozen=True, kw_only=True):
    """One person of a row as stored; `busy`: the row makes him busy; `implied`: he is not named in the content."""

    type: int
    address: str
    name: str = ""
    user_id: int | None = None
    contact_id: int | None = None
    busy: bool = True
    implied: bool = False


def appointment_columns(appointment: Appointment, stamp: Stamp, *, series_id: str | None = None) -> dict[str, Any]:
    """Return the columns of one row of `appointments`."""
    show_as = stored_show_as(appointment.show_as)
    status = row_status(appointment, stamp)
    original_start = appointment.identity.original_start
    starts_at, ends_at = epoch_s(appointment.span.start), epoch_s(appointment.span.end)
    return {
        "id": stamp.id,
        "series_id": series_id,
        "kind": kind_of(appointment, series_id),
        "global_object_id": appointment.identity.global_object_id,
        "original_start": None if original_start is None else epoch_s(original_start),
        "subject": appointment.subject,
        "description": appointment.description,
        "location": appointment.location,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "length_class": length_class(ends_at - starts_at),
        "all_day": appointment.span.all_day,
        "zone": appointment.zone,
        "show_as": show_as.value,
        "sensitivity": appointment.sensitivity.value,
        "ismapiprivate": appointment.private,
        "prioritycode": PRIORITY[appointment.importance],
        "statecode": STATE[status],
        "statuscode": int(status_code(status, show_as, scheduling=stamp.scheduling)),
        "created": None if appointment.created is None else epoch_s(appointment.created),
        "version": stamp.version,
        "owner": stamp.owner,
        "modified_by": stamp.modified_by,
        "modified_at": epoch_s(stamp.modified_at),
        "isdraft": stamp.draft,
    }


def row_status(appointment: Appointment, stamp: Stamp) -> Status:
    """Return the state a row gets: the one asked for, else the one of its show-as (A-21, A-34)."""
    if stamp.status is not None:
        return stamp.status
    return status_of(appointment.show_as, canceled=appointment.canceled, scheduling=stamp.scheduling)


def kind_of(appointment: Appointment, series_id: str | None = None) -> Kind:
    """Return the shape of a row."""
    if series_id is not None:
        return Kind.EXCEPTION
    return Kind.SINGLE if appointment.recurrence is None else Kind.SERIES


def series_columns(appointment: Appointment, row_id: str) -> dict[str, Any]:
    """Return the columns of one row of `recurrences`, with the range of instants that the pattern can reach."""
    assert appointment.recurrence is not None
    first, last = effective_range(appointment)
    return {
        "id": row_id,
        **recurrence_columns(appointment.recurrence, appointment.deleted),
        "effectivestart": first,
        "effectiveend": last,
    }


def effective_range(appointment: Appointment) -> tuple[int, int | None]:
    """Return the first and last instant (seconds; None: endless) of a series by pattern, with a day of slack."""
    assert isinstance(appointment.recurrence, Recurrence)
    first = epoch_s(appointment.span.start) - ZONE_SLACK_S
    final = last_date(appointment.recurrence)
    if final is None:
        endless = appointment.recurrence.count is None and appointment.recurrence.until is None
        return first, None if endless else first
    return first, epoch_s(occurrence_span(appointment, final).end) + ZONE_SLACK_S


def indexed_span(span: Span) -> tuple[int, int]:
    """Return the range of instants (seconds) that a span can cover for anybody: all-day spans reach a day further."""
    slack = ZONE_SLACK_S if span.all_day else 0
    return epoch_s(span.start) - slack, epoch_s(span.end) + slack


def people_of(appointment: Appointment) -> list[Party]:
    """Return the organizer and the attendees as parties; who declined is not busy (CD-05a)."""
    named = [
        Party(
            type=PARTY_TYPE[attendee.role],
            address=attendee.address.lower(),
            name=attendee.name,
            busy=attendee.response is not Response.DECLINED,
        )
        for attendee in appointment.attendees
    ]
    organizer = appointment.organizer
    if organizer is None:
        return named
    return [Party(type=PARTY_ORGANIZER, address=organizer.address.lower(), name=organizer.name), *named]


def appointment_of(row: Columns, parties: Iterable[Columns], series: Columns | None = None) -> Appointment:
    """Read one row back, without its exceptions. `parties` come in the order of their position."""
    named = [party for party in parties if not party["implied"]]
    organizer = next((party for party in named if party["participationtypemask"] == PARTY_ORGANIZER), None)
    return Appointment(
        identity=identity_of(row),
        subject=row["subject"],
        description=row["description"],
        location=row["location"],
        span=span_of(row),
        zone=row["zone"],
        show_as=ShowAs(row["show_as"]),
        sensitivity=Sensitivity(row["sensitivity"]),
        importance=IMPORTANCE[row["prioritycode"]],
        organizer=Address(organizer["address"], organizer["name"]) if organizer else None,
        attendees=tuple(
            Attendee(party["address"], party["name"], ROLE_OF_PARTY[party["participationtypemask"]])
            for party in named
            if party["participationtypemask"] in ROLE_OF_PARTY
        ),
        canceled=STATUS[row["statecode"]] is Status.CANCELED,
        created=_instant(row["created"]),
        recurrence=recurrence_of(series) if series is not None else None,
        deleted=deleted_of(series) if series is not None else (),
    )


def holds_occurrence(series: Appointment, original_start: datetime) -> bool:
    """Return whether an occurrence with that original start belongs to the series; a deleted one does not."""
    if series.recurrence is None or original_start in series.deleted:
        return False
    if any(exception.identity.original_start == original_start for exception in series.exceptions):
        return True
    return occurrence_day(series, original_start) is not None


def stored(appointment: Appointment) -> Appointment:
    """Return what a later reading would give: without what never leaves Exchange, exceptions and deletions in order."""
    return replace(
        appointment,
        show_as=stored_show_as(appointment.show_as),
        attendees=tuple(
            Attendee(attendee.address.lower(), attendee.name, attendee.role) for attendee in appointment.attendees
        ),
        categories=(),
        reminder_minutes=None,
        response=Response.NONE,
        created=None,
        exceptions=tuple(
            replace(stored(exception), canceled=exception.canceled or appointment.canceled)
            for exception in sorted(appointment.exceptions, key=lambda exception: exception.identity)
        ),
        deleted=tuple(sorted(set(appointment.deleted))),
    )


def crm_row_of(
    row: Columns, appointment: Appointment, exceptions: Mapping[str, Appointment], parties: Iterable[Columns]
) -> CrmRow:
    """Put a row, its exceptions (by row id) and the parties of both together as the aggregate that crosses the port."""
    ordered = sorted(exceptions.values(), key=lambda exception: exception.identity)
    ids = {exception.identity.original_start: row_id for row_id, exception in exceptions.items()}
    return CrmRow(
        id=row["id"],
        version=row["version"],
        appointment=replace(appointment, exceptions=tuple(ordered)) if ordered else appointment,
        status=STATUS[row["statecode"]],
        busy=tuple(dict.fromkeys(party["address"] for party in parties if party["busy"])),
        owner=row["owner"],
        modified_by=row["modified_by"],
        exception_ids={start: row_id for start, row_id in ids.items() if start is not None},
        draft=bool(row["isdraft"]),
    )


def identity_of(row: Columns) -> Identity:
    """Return the identity of a row or of an entry of the change log."""
    return Identity(row["global_object_id"], _instant(row["original_start"]))


def span_of(row: Columns) -> Span:
    """Return the span of a row."""
    return Span(from_epoch_s(row["starts_at"]), from_epoch_s(row["ends_at"]), bool(row["all_day"]))


def _instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else from_epoch_s(seconds)
