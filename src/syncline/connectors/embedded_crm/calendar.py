"""The calendar as people look at it: rows by time, and the occurrences of series within a window.

Occurrences are worked out when somebody looks and are never stored (CD-09). It must not know who is available, and
writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, literal, or_, select, tuple_, union_all

from syncline.connectors.embedded_crm.codes import CLASS_LENGTH_S, CLOSED, status_of
from syncline.connectors.embedded_crm.reading import read_rows
from syncline.connectors.embedded_crm.schema import appointments, parties, recurrences, users
from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Importance,
    Kind,
    Sensitivity,
    ShowAs,
    Span,
    Status,
)
from syncline.core.recurrence import Occurrence, occurrence_day, occurrence_span, occurrences, to_rrule
from syncline.core.times import epoch_s, from_epoch_s, wall
from syncline.errors import SyncError
from syncline.ports import CrmRow

LISTED_MAX = 1_000
_STAMP = "%Y%m%dT%H%M%SZ"
_SEPARATOR = "@"


class Listed(Struct, frozen=True, kw_only=True):
    """One appointment as people see it: single, series (as its master), occurrence or exception.

    `id` of an occurrence is its series' id and its original start; `series_id` and `original_start` are set on
    occurrences and exceptions only. `version` and `draft` are those of the whole row. `recurrence` is an RRULE, on a
    series only.
    """

    id: str
    kind: Kind
    series_id: str | None = None
    original_start: datetime | None = None
    global_object_id: str
    version: int
    subject: str
    description: str
    location: str
    start: datetime
    end: datetime
    all_day: bool
    time_zone: str
    show_as: ShowAs
    status: Status
    sensitivity: Sensitivity
    importance: Importance
    private: bool
    draft: bool
    organizer: Address | None
    attendees: tuple[Attendee, ...]
    recurrence: str | None = None
    owner: str | None = None
    modified_by: str = ""


class ListedPage(Struct, frozen=True):
    """One page of a listing, by start and id; `cursor` None: it was the last."""

    items: tuple[Listed, ...]
    cursor: str | None


class _Place(Struct, frozen=True):
    """Where an entry stands in a listing, and what it is: a row, or an occurrence of one."""

    start: int
    id: str
    root_id: str
    occurrence: Occurrence | None = None

    @property
    def key(self) -> tuple[int, str]:
        return self.start, self.id


def occurrence_id(series_id: str, original_start: datetime) -> str:
    """Return the id under which people name an occurrence that has no row."""
    return f"{series_id}{_SEPARATOR}{original_start.astimezone(UTC):{_STAMP}}"


def split_id(listed_id: str) -> tuple[str, datetime | None]:
    """Return the row id, and the original start if the id names an occurrence."""
    row_id, separator, stamp = listed_id.rpartition(_SEPARATOR)
    if not separator:
        return listed_id, None
    try:
        return row_id, datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return listed_id, None


def list_rows(connection: Connection, user: str | None, cursor: str | None, limit: int) -> ListedPage:
    """Return every single, series master and exception once each, past and closed ones too."""
    query = _rows(user, cursor).limit(limit + 1)
    places = [_Place(row.starts_at, row.id, row.series_id or row.id) for row in connection.execute(query)]
    return _page(connection, places, limit)


def list_window(
    connection: Connection, window: tuple[datetime, datetime], user: str | None, cursor: str | None, limit: int
) -> ListedPage:
    """Return singles, exceptions and all occurrences of series that overlap [start, end)."""
    start, _ = window
    after = _position(cursor)
    low = max(start, from_epoch_s(after[0])) if after else start
    found = merge(
        _singles_within(connection, window, user, cursor, limit + 1),
        *(_occurrences_within(row, low, window) for row in _series_within(connection, window, user)),
        key=lambda place: place.key,
    )
    places = list(islice((place for place in found if after is None or place.key > after), limit + 1))
    return _page(connection, places, limit)


def show(connection: Connection, listed_id: str) -> Listed:
    """Return one entry by the id a listing gave it; SyncError("NotFoundHere") if there is none."""
    row_id, original_start = split_id(listed_id)
    row = read_rows(connection, [row_id]).get(row_id)
    if row is None:
        raise SyncError("NotFoundHere", detail=f"appointment {listed_id}")
    if original_start is None:
        return listed_row(row, row_id)
    exception_id = row.exception_ids.get(original_start)
    if exception_id is not None:
        return listed_row(row, exception_id)
    span = span_of_date(row.appointment, original_start)
    return _listed_occurrence(row, Occurrence(original_start, span))


def span_of_date(series: Appointment, start: datetime) -> Span:
    """Return where the pattern puts a date; SyncError("NotFoundHere") if it is deleted or never was one (R-08)."""
    try:
        day = occurrence_day(series, start) if series.recurrence is not None and start not in series.deleted else None
        if day is not None:
            return occurrence_span(series, day)
    except OverflowError:
        pass  # at the ends of the calendar there is no wall time
    raise SyncError("NotFoundHere", detail=f"date {start:%Y-%m-%d %H:%M} UTC")


def listed_row(row: CrmRow, row_id: str) -> Listed:
    """Return one row of an aggregate as people see it: the root, or one of its exceptions."""
    if row_id == row.id:
        kind = Kind.SINGLE if row.appointment.recurrence is None else Kind.SERIES
        return _listed(row, row.appointment, row.appointment.span, id=row.id, kind=kind, status=row.status)
    starts = {exception_id: start for start, exception_id in row.exception_ids.items()}
    part = next(part for part in row.appointment.exceptions if part.identity.original_start == starts[row_id])
    return _listed(
        row,
        part,
        part.span,
        id=row_id,
        kind=Kind.EXCEPTION,
        series_id=row.id,
        original_start=starts[row_id],
        status=_part_status(row, part),
    )


_classes = union_all(
    *(
        select(literal(number).label("number"), literal(most).label("most"))
        for number, most in enumerate(CLASS_LENGTH_S)
    )
).cte("classes")
_by_time = (appointments.c.starts_at, appointments.c.id)


def _rows(user: str | None, cursor: str | None) -> Select[Any]:
    query = select(appointments.c.id, appointments.c.series_id, appointments.c.starts_at).order_by(*_by_time)
    after = _position(cursor)
    if after is not None:
        query = query.where(tuple_(*_by_time) > tuple_(*after))
    return query if user is None else query.where(_takes_part(user))


def _singles_within(
    connection: Connection, window: tuple[datetime, datetime], user: str | None, cursor: str | None, limit: int
) -> Iterator[_Place]:
    """Yield the rows with a time of their own, found by length class and start like busy times."""
    low, high = (epoch_s(at) for at in window)
    starts_at, ends_at = appointments.c.starts_at, appointments.c.ends_at
    query = (
        _rows(user, cursor)
        .join(_classes, _classes.c.number == appointments.c.length_class)
        .where(
            appointments.c.kind != Kind.SERIES,
            starts_at > low - _classes.c.most - 1,
            starts_at < high,
            or_(ends_at > low, starts_at >= low),
        )
    )
    for row in connection.execute(query.limit(limit)):
        yield _Place(row.starts_at, row.id, row.series_id or row.id)


def _series_within(connection: Connection, window: tuple[datetime, datetime], user: str | None) -> list[CrmRow]:
    low, high = (epoch_s(at) for at in window)
    ends = recurrences.c.effectiveend
    query = select(recurrences.c.id).where(recurrences.c.effectivestart < high, or_(ends.is_(None), ends > low))
    if user is not None:
        query = query.join(appointments, appointments.c.id == recurrences.c.id).where(_takes_part(user))
    return list(read_rows(connection, list(connection.scalars(query))).values())


def _occurrences_within(row: CrmRow, low: datetime, window: tuple[datetime, datetime]) -> Iterator[_Place]:
    """Yield the regular occurrences that reach into [low, end of the window) and do not end before the window."""
    start, end = window
    for occurrence in occurrences(row.appointment, low, end):
        span = occurrence.span
        inside = span.start < end and (span.end > start or span.start >= start)
        if occurrence.exception is None and inside:
            yield _Place(epoch_s(span.start), occurrence_id(row.id, occurrence.original_start), row.id, occurrence)


def _takes_part(user: str) -> Any:  # noqa: ANN401 - an SQL expression
    """Return the condition that a CRM user (by sign-in name) is organizer or attendee of a row."""
    return (
        select(parties.c.appointment_id)
        .join(users, users.c.id == parties.c.user_id)
        .where(users.c.name == user, parties.c.appointment_id == appointments.c.id)
        .exists()
    )


def _page(connection: Connection, places: Sequence[_Place], limit: int) -> ListedPage:
    shown = places[:limit]
    rows = read_rows(connection, [place.root_id for place in shown])
    items = tuple(
        listed_row(rows[place.root_id], place.id)
        if place.occurrence is None
        else _listed_occurrence(rows[place.root_id], place.occurrence)
        for place in shown
    )
    last = f"{shown[-1].start} {shown[-1].id}" if len(places) > limit else None
    return ListedPage(items, last)


def _position(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    start, _, row_id = cursor.partition(" ")
    try:
        return int(start), row_id
    except ValueError as error:
        raise SyncError("InvalidRequest", detail=f'"{cursor}" is not the cursor of a listing.') from error


def _listed_occurrence(row: CrmRow, occurrence: Occurrence) -> Listed:
    return _listed(
        row,
        row.appointment,
        occurrence.span,
        id=occurrence_id(row.id, occurrence.original_start),
        kind=Kind.OCCURRENCE,
        series_id=row.id,
        original_start=occurrence.original_start,
        status=row.status,
    )


def _listed(row: CrmRow, part: Appointment, span: Span, **place: Any) -> Listed:  # noqa: ANN401 - fields of Listed
    return Listed(
        global_object_id=part.identity.global_object_id,
        version=row.version,
        subject=part.subject,
        description=part.description,
        location=part.location,
        start=span.start,
        end=span.end,
        all_day=span.all_day,
        time_zone=part.zone,
        show_as=part.show_as,
        sensitivity=part.sensitivity,
        importance=part.importance,
        private=part.private,
        draft=row.draft,
        organizer=part.organizer,
        attendees=part.attendees,
        recurrence=_rule(part) if place["kind"] is Kind.SERIES else None,
        owner=row.owner,
        modified_by=row.modified_by,
        **place,
    )


def _rule(series: Appointment) -> str | None:
    if series.recurrence is None:
        return None
    start = None if series.span.all_day else wall(series.span.start, series.zone).time()
    return to_rrule(series.recurrence, start=start, zone=series.zone)


def _part_status(row: CrmRow, part: Appointment) -> Status:
    """Return the state of an exception, which follows its own show-as as long as the series lives (1.9, A-34)."""
    if part.canceled:
        return Status.CANCELED
    if row.status in CLOSED:
        return row.status
    scheduling = row.status is Status.SCHEDULED or row.appointment.show_as not in (ShowAs.BUSY, ShowAs.OUT_OF_OFFICE)
    return status_of(part.show_as, canceled=False, scheduling=scheduling)
