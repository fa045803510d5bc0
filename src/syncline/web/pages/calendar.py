"""Calendar: what the CRM holds, by day, week or list, with what waits drawn into it; entries made, changed and removed.

A scheduling conflict is told before anything is saved; the same form then offers to save anyway. Without script every
view is a list; with script `calendar.js` draws the same days as a grid in which entries can be moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from syncline.core.times import instant, midnight, wall
from syncline.desk import appointments as desk
from syncline.desk import files
from syncline.desk.appointments import Written
from syncline.desk.drafts import Draft
from syncline.desk.waiting import waiting
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.web.pages.entry_form import REPEATS, Given, blank, draft_of, filled, read
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.pages.times import day_text
from syncline.web.pages.weeks import days_of
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Calendar"
ENTRIES_MAX = 400
"""So many entries stand on one page; choosing a person or a day shows the others."""
_DAY = timedelta(days=1)
_FRIDAY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How many days a view shows, on which it begins, and whether it can be drawn as a grid."""

    name: str
    days: int
    from_monday: bool
    grid: bool


VIEWS: Mapping[str, View] = {
    "day": View(name=noted("Day"), days=1, from_monday=False, grid=True),
    "week": View(name=noted("Week"), days=7, from_monday=True, grid=True),
    "list": View(name=noted("List"), days=14, from_monday=False, grid=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a form page shows besides its fields: the entry it is about (None: a new one), and what is wrong."""

    appointment_id: str | None = None
    written: Written | None = None
    error: SyncError | None = None


async def _fields(request: Request) -> FormData:
    return await request.form()


Fields = Annotated[FormData, Depends(_fields)]


@router.get("/calendar")
def calendar(
    visit: Here,
    view: Annotated[str, Query()] = "week",
    week: Annotated[str, Query()] = "",
    user: Annotated[str, Query()] = "",
) -> Response:
    """Show some days around the date `week`; a User sees his own entries unless he names somebody."""
    chosen = VIEWS.get(view, VIEWS["week"])
    day = _date(week, _from_here(visit))
    first = day - timedelta(days=day.weekday()) if chosen.from_monday else day
    days = [first + number * _DAY for number in range(chosen.days)]
    zone = visit.times.zone
    window = (midnight(days[0], zone), midnight(days[-1] + _DAY, zone))
    own = user or (None if visit.viewer.administrator else visit.viewer.name)
    # What waits is read first: what is saved meanwhile then stands here twice for a moment, and never not at all.
    waits = waiting(visit.app, visit.viewer, window, user=own)
    found = desk.page(visit.app, visit.viewer, window=window, user=user or None, limit=ENTRIES_MAX)
    return visit.render(
        "calendar.html",
        section=SECTION,
        view=view if view in VIEWS else "week",
        views=VIEWS,
        days=days_of(visit, found.items, waits, days, own),
        heading=day_text(days[0]) if chosen.days == 1 else f"{day_text(days[0])} – {day_text(days[-1])}",
        cut=found.next is not None,
        most=ENTRIES_MAX,
        before=days[0] - chosen.days * _DAY,
        after=days[0] + chosen.days * _DAY,
        user=user,
        users=visit.people.few(),
    )


@router.get("/calendar/new")
def new(
    visit: Here,
    day: Annotated[str, Query()] = "",
    start: Annotated[str, Query()] = "",
    end: Annotated[str, Query()] = "",
) -> Response:
    """Show the form of a new entry, on a day or from `start` to `end` (wall times of the viewer's zone)."""
    given = blank(visit, _date(day or start, visit.times.today))
    span = _span(start, end)
    if span is not None:
        given = replace(given, start=f"{span[0]:%Y-%m-%dT%H:%M}", end=f"{span[1]:%Y-%m-%dT%H:%M}")
    return _form(visit, given, Shown())


@router.post("/calendar/new")
def add(visit: Here, fields: Fields) -> Response:
    """Enter an appointment, or say what is in the way."""
    given = read(fields)
    try:
        written = desk.add(visit.app, visit.viewer, draft_of(given), ignore_conflicts=given.ignore_conflicts)
    except SyncError as error:
        return _form(visit, given, Shown(error=error))
    return _done(visit, written, given, None, "entered")


@router.get("/calendar/{appointment_id}")
def entry(visit: Here, appointment_id: str) -> Response:
    """Show the form of one entry."""
    return _form(visit, filled(visit, appointment_id), Shown(appointment_id=appointment_id))


@router.post("/calendar/{appointment_id}")
def edit(visit: Here, appointment_id: str, fields: Fields) -> Response:
    """Change what was changed in the form, or say what is in the way."""
    given, before = read(fields), filled(visit, appointment_id)
    draft = draft_of(given, before)
    try:
        written = desk.edit(visit.app, visit.viewer, appointment_id, draft, ignore_conflicts=given.ignore_conflicts)
    except SyncError as error:
        return _form(visit, given, Shown(appointment_id=appointment_id, error=error))
    return _done(visit, written, given, appointment_id, "edited")


@router.post("/calendar/{appointment_id}/move")
def move(visit: Here, appointment_id: str, start: Annotated[str, Form()], end: Annotated[str, Form()]) -> Response:
    """Put an entry to another time (wall times of the viewer's zone, or dates), or say what is in the way there."""
    span = _span(start, end)
    if span is None:
        raise SyncError("InvalidRequest", detail=_("An entry is moved to a start and an end after it."))
    before = filled(visit, appointment_id)
    if before.all_day:
        draft = Draft(start=f"{span[0].date()}", end=f"{span[1].date()}")
        shown = span[0], span[1] - _DAY
    else:
        first, last = (instant(at, visit.times.zone) for at in span)
        draft = Draft(start=first.isoformat(), end=last.isoformat())
        shown = wall(first, before.time_zone), wall(last, before.time_zone)
    written = desk.edit(visit.app, visit.viewer, appointment_id, draft)
    given = replace(before, start=f"{shown[0]:%Y-%m-%dT%H:%M}", end=f"{shown[1]:%Y-%m-%dT%H:%M}")
    return _done(visit, written, given, appointment_id, "moved")


@router.post("/calendar/{appointment_id}/delete")
def delete(visit: Here, appointment_id: str, sure: Annotated[str, Form()] = "") -> Response:
    """Delete an entry, if the box that says so is ticked."""
    shown = desk.show(visit.app, visit.viewer, appointment_id)
    if not sure:
        error = SyncError("InvalidRequest", detail=_("Tick the box to delete the appointment."))
        return _form(visit, filled(visit, appointment_id), Shown(appointment_id=appointment_id, error=error))
    desk.delete(visit.app, visit.viewer, appointment_id)
    return go(f"/calendar?week={visit.times.date(shown.start)}&said=deleted")


@router.post("/calendar/{appointment_id}/end")
def end(visit: Here, appointment_id: str, sure: Annotated[str, Form()] = "") -> Response:
    """End a series early, if the box that says so is ticked."""
    if not sure:
        error = SyncError("InvalidRequest", detail=_("Tick the box to end the series."))
        return _form(visit, filled(visit, appointment_id), Shown(appointment_id=appointment_id, error=error))
    desk.end(visit.app, visit.viewer, appointment_id)
    return go(f"/calendar?week={visit.times.today}&said=ended")


def _done(visit: Visit, written: Written, given: Given, appointment_id: str | None, said: str) -> Response:
    if written.refused is not None or written.appointment is None:
        return _form(visit, given, Shown(appointment_id=appointment_id, written=written))
    shown = written.appointment
    day = shown.start.date() if shown.all_day else visit.times.date(shown.start)
    return go(f"/calendar?week={day}&said={said}#a-{shown.id}")


def _form(visit: Visit, given: Given, shown: Shown) -> Response:
    error = shown.error or (shown.written.refused if shown.written is not None else None)
    entry, attached = None, None
    if shown.appointment_id is not None:
        attached = files.of(visit.app, visit.viewer, shown.appointment_id)
        entry = desk.show(visit.app, visit.viewer, shown.appointment_id)
    return visit.render(
        "entry.html",
        section=SECTION,
        status=status_of(error) if error is not None else 200,
        given=given,
        entry=entry,
        reaches_outlook=desk.reaches_outlook(visit.app, entry),
        can_end=entry is not None and desk.can_end(visit.app, entry.id),
        files=attached,
        repeats=REPEATS,
        written=shown.written,
        error=shown.error,
        users=visit.people.few(),
    )


def _from_here(visit: Visit) -> date:
    """Return the day that the Calendar opens on: today, or Monday when the working week is over."""
    today = visit.times.today
    return today if today.weekday() <= _FRIDAY else today + (7 - today.weekday()) * _DAY


def _span(start: str, end: str) -> tuple[datetime, datetime] | None:
    try:
        span = datetime.fromisoformat(start), datetime.fromisoformat(end)
    except ValueError:
        return None
    if any(at.tzinfo is not None or not 1900 <= at.year <= 9000 for at in span):
        return None
    return span if span[0] < span[1] else None


def _date(text: str, otherwise: date) -> date:
    try:
        found = datetime.fromisoformat(text).date() if text else otherwise
    except ValueError:
        return otherwise
    # The first and last years of the calendar have no week before or after them.
    return found if 1900 <= found.year <= 9000 else otherwise
