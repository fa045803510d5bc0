"""The form of an appointment: what somebody typed as an item, and an item as what the form shows.

Times are wall times of the mailbox's zone; the end date of an all-day item is its last day, as in Outlook. Knows no
store: whether the item may be written is asked there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.emulators.exchange.model import Attendee, Item, ZoneRef
from syncline.emulators.exchange.zones import to_utc, to_wall

COUNT_MAX = 999
SUBJECT_CHARACTERS_MAX = 10_000
GUESTS_MAX = 500
CATEGORIES_MAX = 50
SHOW_AS: Mapping[str, str] = {
    "Busy": "Busy",
    "Free": "Free",
    "Tentative": "Tentative",
    "OOF": "Out of office",
    "WorkingElsewhere": "Working elsewhere",
}
NEVER, AS_IT_IS = "none", "other"
REPEATS: Mapping[str, str] = {
    NEVER: "Does not repeat",
    "daily": "Every day",
    "weekly": "Every week on this day",
    "weekdays": "Every working day",
}
TEXTS = ("subject", "location", "start_date", "start_time", "end_date", "end_time", "show_as", "repeats", "count",
         "guests", "categories")  # fmt: skip
TICKS = ("all_day", "private", "track")
_WORKING_DAYS = (0, 1, 2, 3, 4)
_DAY = timedelta(days=1)
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")


class FormError(Exception):
    """Something in the form that a person can put right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The form's fields as texts, as somebody sent them or as they are shown."""

    subject: str = ""
    location: str = ""
    start_date: str = ""
    start_time: str = ""
    end_date: str = ""
    end_time: str = ""
    all_day: bool = False
    show_as: str = "Busy"
    private: bool = False
    track: bool = False
    repeats: str = NEVER
    count: str = "5"
    guests: str = ""
    categories: str = ""


def given(fields: Mapping[str, str]) -> Given:
    """Return the form that somebody sent."""
    texts = {name: fields[name].strip() for name in TEXTS if name in fields}
    ticks = {name: name in fields for name in TICKS}
    return replace(replace(Given(), **texts), **ticks)  # type: ignore[arg-type]


def shown(item: Item, zone: ZoneRef, category: str) -> Given:
    """Return an item as the form shows it."""
    start, end = to_wall(item.start, zone), to_wall(item.end, zone)
    last = end - _DAY if item.all_day and end > start else end
    return Given(
        subject=item.subject,
        location=item.location,
        start_date=f"{start:%Y-%m-%d}",
        start_time=f"{start:%H:%M}",
        end_date=f"{last:%Y-%m-%d}",
        end_time=f"{end:%H:%M}",
        all_day=item.all_day,
        show_as=item.show_as if item.show_as in SHOW_AS else "Busy",
        private=item.sensitivity in ("Private", "Confidential"),
        track=category in item.categories,
        repeats=_repeats(item.recurrence),
        count=str(item.recurrence.count or "") if item.recurrence else "5",
        guests=", ".join(a.address for a in item.attendees),
        categories=", ".join(name for name in item.categories if name != category),
    )


def read(fields: Given, item: Item, zone: ZoneRef, category: str) -> Item:
    """Return the item with what the form says; FormError tells what is wrong."""
    start, end = _times(fields)
    if not fields.subject:
        raise FormError("The appointment needs a subject.")
    if len(fields.subject) > SUBJECT_CHARACTERS_MAX:
        raise FormError(f"A subject has at most {SUBJECT_CHARACTERS_MAX} characters.")
    if fields.show_as not in SHOW_AS:
        raise FormError("Choose how the time is shown.")
    private = item.sensitivity if item.sensitivity == "Confidential" and fields.private else "Private"
    if _when(fields) != _when(shown(item, zone, category)):
        # What was not touched keeps its own zone and seconds, and a series its exceptions.
        item = replace(item, start=to_utc(start, zone), end=to_utc(end, zone), start_zone=zone, end_zone=zone)
    return replace(
        item,
        subject=fields.subject,
        location=fields.location,
        all_day=fields.all_day,
        show_as=fields.show_as,
        sensitivity=private if fields.private else "Normal",
        categories=_categories(fields, item, category),
        recurrence=_recurrence(fields, item.recurrence, start.date()),
        attendees=_attendees(fields.guests, item),
    )


def _when(fields: Given) -> tuple[str | bool, ...]:
    times = () if fields.all_day else (fields.start_time[:5], fields.end_time[:5])
    return fields.all_day, fields.start_date, fields.end_date or fields.start_date, *times


def _times(fields: Given) -> tuple[datetime, datetime]:
    first, last = _date(fields.start_date, "first"), _date(fields.end_date or fields.start_date, "last")
    if fields.all_day:
        start, end = datetime.combine(first, time()), datetime.combine(last + _DAY, time())
    else:
        start = datetime.combine(first, _time(fields.start_time, "start"))
        end = datetime.combine(last, _time(fields.end_time, "end"))
    if end < start:
        raise FormError("The end lies before the start.")
    return start, end


def _date(text: str, what: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise FormError(f"The {what} day is not a date such as 2026-11-24.") from None
    if not 1900 < found.year < 4500:
        raise FormError(f"The {what} day lies outside every calendar.")
    return found


def _time(text: str, what: str) -> time:
    try:
        return datetime.strptime(text[:5], "%H:%M").time()  # noqa: DTZ007 - a wall time is meant
    except ValueError:
        raise FormError(f"The {what} time is not a time such as 10:30.") from None


def _categories(fields: Given, item: Item, category: str) -> tuple[str, ...]:
    """Return the categories in the order that they had, new ones behind; Outlook allows no comma in a name."""
    typed = [name.strip() for name in fields.categories.replace(";", ",").split(",")]
    wanted = [name for name in dict.fromkeys(typed) if name and name != category]
    if len(wanted) > CATEGORIES_MAX:
        raise FormError(f"An appointment has at most {CATEGORIES_MAX} categories here.")
    if fields.track:
        wanted.append(category)
    return tuple(
        sorted(wanted, key=lambda name: item.categories.index(name) if name in item.categories else len(wanted))
    )


def _repeats(recurrence: Recurrence | None) -> str:
    if recurrence is None:
        return NEVER
    pattern = recurrence.pattern
    if pattern.interval == 1 and recurrence.until is None:
        if pattern.kind is PatternKind.DAILY:
            return "daily"
        if pattern.kind is PatternKind.WEEKLY and pattern.weekdays == _WORKING_DAYS:
            return "weekdays"
        if pattern.kind is PatternKind.WEEKLY and len(pattern.weekdays) == 1:
            return "weekly"
    return AS_IT_IS


def _recurrence(fields: Given, before: Recurrence | None, first: date) -> Recurrence | None:
    if fields.repeats == NEVER:
        return None
    if fields.repeats == AS_IT_IS and before is not None:
        return before
    patterns = {
        "daily": Pattern(kind=PatternKind.DAILY),
        "weekly": Pattern(kind=PatternKind.WEEKLY, weekdays=(first.weekday(),)),
        "weekdays": Pattern(kind=PatternKind.WEEKLY, weekdays=_WORKING_DAYS),
    }
    if fields.repeats not in patterns:
        raise FormError("Choose how the appointment repeats.")
    if fields.count and not (fields.count.isascii() and fields.count.isdigit()):
        raise FormError("The number of dates is not a number.")
    count = int(fields.count[:6]) if fields.count else None
    if count is not None and not 1 <= count <= COUNT_MAX:
        raise FormError(f"A series has 1 to {COUNT_MAX} dates; leave the number empty for one without end.")
    pattern = patterns[fields.repeats]
    if before is not None and (before.pattern, before.count, before.until) == (pattern, count, None):
        # The same rule keeps its own first date, so that exceptions and deletions stay.
        return before
    return Recurrence(pattern=pattern, first=first, count=count)


def _attendees(text: str, item: Item) -> tuple[Attendee, ...]:
    known = {a.address: a for a in item.attendees}
    own = item.organizer.address if item.organizer else ""
    words = [word for word in re.split(r"[\s,;]+", text.lower()) if word]
    wrong = next((word for word in words if not _ADDRESS.fullmatch(word)), None)
    if wrong is not None:
        raise FormError(f'"{wrong[:200]}" is not a mail address.')
    if len(words) > GUESTS_MAX:
        raise FormError(f"A meeting takes at most {GUESTS_MAX} guests here.")
    return tuple(known.get(word) or Attendee(address=word) for word in dict.fromkeys(words) if word != own)
