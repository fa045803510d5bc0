"""The form of one calendar entry: its fields as people fill them in, and the draft that they make.

Only what was changed goes into the draft of an existing entry: touching a series' times would put every date of it back
on its pattern.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta

from starlette.datastructures import FormData

from syncline.core.times import wall
from syncline.desk import appointments as desk
from syncline.desk.drafts import Draft
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.web.pages.rendering import Visit

REPEATS = {
    "": noted("Does not repeat"),
    "FREQ=DAILY": noted("Every day"),
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": noted("Every weekday"),
    "FREQ=WEEKLY": noted("Every week"),
    "FREQ=MONTHLY": noted("Every month"),
    "FREQ=YEARLY": noted("Every year"),
}
KEEP = "keep"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The fields of the form as text.

    `start` and `end` are wall times of `time_zone`; the end of whole days is the last of them.
    `repeats` is a key of REPEATS, or "keep" for what an existing entry has; `times` how often, empty for ever.
    """

    subject: str = ""
    start: str = ""
    end: str = ""
    time_zone: str = ""
    all_day: bool = False
    show_as: str = "busy"
    location: str = ""
    description: str = ""
    organizer: str = ""
    required: str = ""
    optional: str = ""
    repeats: str = ""
    times: str = ""
    private: bool = False
    draft: bool = False
    ignore_conflicts: bool = False


_WHEN = ("start", "end", "time_zone", "all_day")
_TICKED = ("all_day", "private", "draft", "ignore_conflicts")


def blank(visit: Visit, day: date) -> Given:
    """Return the form of a new entry: an hour of the day that is shown, for the viewer himself."""
    at = visit.times.wall(visit.times.now).replace(minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(hours=1)
    hour = at.hour if 6 <= at.hour <= 20 else 9
    start = datetime.combine(day, time(hour))
    own = visit.people.get(visit.viewer.name)
    return Given(
        start=_text(start),
        end=_text(start + timedelta(hours=1)),
        time_zone=visit.times.zone,
        organizer=own.name if own is not None and own.emails else "",
    )


def filled(visit: Visit, appointment_id: str) -> Given:
    """Return the form of an entry as it stands, as far as the viewer may read it."""
    shown = desk.show(visit.app, visit.viewer, appointment_id)
    texts = desk.texts(visit.app, visit.viewer, appointment_id)
    if shown.all_day:
        start, end = shown.start.replace(tzinfo=None), (shown.end - _DAY).replace(tzinfo=None)
    else:
        start, end = (wall(at, shown.time_zone) for at in (shown.start, shown.end))
    return Given(
        subject=shown.subject,
        start=_text(start),
        end=_text(end),
        time_zone=shown.time_zone,
        all_day=shown.all_day,
        show_as=shown.show_as,
        location=texts.location if texts is not None else "",
        description=texts.description if texts is not None else "",
        organizer=_name_of(visit, shown.organizer or ""),
        required=", ".join(each.address for each in shown.attendees if each.role == "required"),
        optional=", ".join(each.address for each in shown.attendees if each.role == "optional"),
        repeats=KEEP if shown.kind == "series" else "",
        private=shown.private,
        # The form of one date does not ask: its series decides.
        draft=shown.draft and shown.series_id is None,
    )


def read(form: FormData) -> Given:
    """Return the form as it was sent."""
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    known = {field.name for field in fields(Given)}
    given: dict[str, str] = {name: value.replace("\r\n", "\n") for name, value in texts.items() if name in known}
    ticked = {name: bool(given.pop(name, "")) for name in _TICKED}
    return Given(**given, **ticked)  # type: ignore[arg-type]


def draft_of(given: Given, before: Given | None = None) -> Draft:
    """Return what the form asks for: everything for a new entry, else what differs from `before`."""
    names = {field.name for field in fields(Given)}
    said = names if before is None else {name for name in names if getattr(given, name) != getattr(before, name)}
    moved = not said.isdisjoint(_WHEN)
    return Draft(
        subject=_if(given.subject, "subject" in said),
        start=_if(given.start, moved),
        end=_if(_end(given), moved),
        time_zone=_if(given.time_zone, "time_zone" in said),
        all_day=given.all_day if "all_day" in said else None,
        show_as=_if(given.show_as, "show_as" in said),
        location=_if(given.location, "location" in said),
        description=_if(given.description, "description" in said),
        organizer=_if(given.organizer, "organizer" in said and given.organizer != ""),
        required=_people(given.required) if "required" in said else None,
        optional=_people(given.optional) if "optional" in said else None,
        recurrence=_rule(given, before or Given()),
        private=given.private if "private" in said else None,
        draft=given.draft if "draft" in said else None,
    )


def _if(text: str, wanted: bool) -> str | None:
    return text if wanted else None


def _rule(given: Given, old: Given) -> str | None:
    if given.repeats == old.repeats and not (given.repeats and given.repeats != KEEP):
        return None
    if given.repeats == KEEP:
        return None
    if given.repeats not in REPEATS:
        raise SyncError("InvalidRequest", detail=_("That repetition is not one of the list."))
    if not given.repeats or not given.times.strip():
        return given.repeats
    if not (given.times.strip().isascii() and given.times.strip().isdigit()):
        raise SyncError("InvalidRequest", detail=_("How often it repeats is a whole number."))
    return f"{given.repeats};COUNT={int(given.times)}"


def _end(given: Given) -> str:
    """Return the end for the desk, where whole days end on the day after the last."""
    if not given.all_day or not given.end:
        return given.end
    try:
        return _text(datetime.fromisoformat(given.end) + _DAY)
    except (ValueError, OverflowError):
        return given.end


def _people(text: str) -> list[str]:
    return [part.strip() for part in text.replace(";", ",").replace("\n", ",").split(",") if part.strip()]


def _name_of(visit: Visit, address: str) -> str:
    return next((user.name for user in visit.people.values() if address in user.emails), address)


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M}"
