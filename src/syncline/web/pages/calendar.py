"""Calendar: what the CRM holds, week by week, and its entries made, changed and removed.

A scheduling conflict is told before anything is saved; the same form then offers to save anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from syncline.core.times import midnight
from syncline.desk import appointments as desk
from syncline.desk.appointments import Written
from syncline.errors import SyncError
from syncline.web.pages.entry_form import REPEATS, Given, blank, draft_of, filled, read
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.pages.weeks import days_of
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Calendar"
_WEEK = timedelta(days=7)


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
def week(visit: Here, week: Annotated[str, Query()] = "", user: Annotated[str, Query()] = "") -> Response:
    """Show one week as a list by day; a User sees his own entries unless he names somebody."""
    day = _date(week, visit.times.today)
    monday = day - timedelta(days=day.weekday())
    zone = visit.times.zone
    window = (midnight(monday, zone), midnight(monday + _WEEK, zone))
    person = user or None
    entries = desk.listing(visit.app, visit.viewer, window=window, user=person)
    own = person if person is not None or visit.viewer.administrator else visit.viewer.name
    return visit.render(
        "calendar.html",
        section=SECTION,
        days=days_of(visit, entries, monday, own),
        monday=monday,
        sunday=monday + _WEEK - timedelta(days=1),
        before=monday - _WEEK,
        after=monday + _WEEK,
        user=user,
        users=sorted(visit.people.values(), key=lambda each: each.full_name),
    )


@router.get("/calendar/new")
def new(visit: Here, day: Annotated[str, Query()] = "") -> Response:
    """Show the form of a new entry."""
    return _form(visit, blank(visit, _date(day, visit.times.today)), Shown())


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


@router.post("/calendar/{appointment_id}/delete")
def delete(visit: Here, appointment_id: str, sure: Annotated[str, Form()] = "") -> Response:
    """Delete an entry, if the box that says so is ticked."""
    shown = desk.show(visit.app, visit.viewer, appointment_id)
    if not sure:
        error = SyncError("InvalidRequest", detail="Tick the box to delete the appointment.")
        return _form(visit, filled(visit, appointment_id), Shown(appointment_id=appointment_id, error=error))
    desk.delete(visit.app, visit.viewer, appointment_id)
    return go(f"/calendar?week={visit.times.date(shown.start)}&said=deleted")


def _done(visit: Visit, written: Written, given: Given, appointment_id: str | None, said: str) -> Response:
    if written.refused is not None or written.appointment is None:
        return _form(visit, given, Shown(appointment_id=appointment_id, written=written))
    shown = written.appointment
    day = shown.start.date() if shown.all_day else visit.times.date(shown.start)
    return go(f"/calendar?week={day}&said={said}#a-{shown.id}")


def _form(visit: Visit, given: Given, shown: Shown) -> Response:
    error = shown.error or (shown.written.refused if shown.written is not None else None)
    entry = None
    if shown.appointment_id is not None:
        entry = desk.show(visit.app, visit.viewer, shown.appointment_id)
    return visit.render(
        "entry.html",
        section=SECTION,
        status=status_of(error) if error is not None else 200,
        given=given,
        entry=entry,
        repeats=REPEATS,
        written=shown.written,
        error=shown.error,
        users=sorted(visit.people.values(), key=lambda each: each.full_name),
    )


def _date(text: str, otherwise: date) -> date:
    try:
        found = datetime.fromisoformat(text).date() if text else otherwise
    except ValueError:
        return otherwise
    # The first and last years of the calendar have no week before or after them.
    return found if 1900 <= found.year <= 9000 else otherwise
