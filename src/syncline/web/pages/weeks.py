"""One week of the Calendar as days with entries, double-booked ones marked. Pure over what the desk gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from syncline.core.appointment import ShowAs, Span, Status
from syncline.core.scheduling import blocks
from syncline.core.times import blocking
from syncline.desk.objects import AppointmentObject
from syncline.web.pages.rendering import Visit
from syncline.web.pages.times import day_text

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a day; `beside` are the subjects of what the same people have at the same time."""

    entry: AppointmentObject
    when: str
    people: str
    beside: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of the week."""

    date: date
    name: str
    today: bool
    items: tuple[Item, ...]


def days_of(visit: Visit, entries: Sequence[AppointmentObject], monday: date, person: str | None) -> list[Day]:
    """Return the seven days; an entry stands on the first of its days in the week. `person`: whose calendar it is."""
    beside = double_booked(visit, entries, person)
    days: dict[date, list[Item]] = {monday + n * _DAY: [] for n in range(7)}
    for entry in entries:
        first, last = _dates(visit, entry)
        day = max(first, monday)
        if day in days and last >= monday:
            days[day].append(_item(visit, entry, beside.get(entry.id, ())))
    today = visit.times.today
    return [
        Day(date=day, name=day_text(day), today=day == today, items=tuple(sorted(items, key=_order)))
        for day, items in days.items()
    ]


def double_booked(visit: Visit, entries: Sequence[AppointmentObject], person: str | None) -> dict[str, tuple[str, ...]]:
    """Return for each entry what else occupies one of its people at the same time, by the rules of the check."""
    policy = visit.app.settings.conflict.policy()
    busy = []
    for entry in entries:
        if blocks(ShowAs(entry.show_as), Status(entry.status), entry.all_day, policy):
            start, end = blocking(Span(entry.start, entry.end, all_day=entry.all_day), visit.times.zone)
            busy.append((start, end, _people(entry, person), entry))
    busy.sort(key=lambda each: (each[0], each[1], each[3].id))
    found: dict[str, list[str]] = {}
    for number, (_, end, people, entry) in enumerate(busy):
        for start, _, others, other in busy[number + 1 :]:
            if start >= end:
                break
            if people & others:
                found.setdefault(entry.id, []).append(other.subject)
                found.setdefault(other.id, []).append(entry.subject)
    return {key: tuple(subjects) for key, subjects in found.items()}


def _people(entry: AppointmentObject, person: str | None) -> set[str]:
    here = {each.address for each in entry.attendees if each.response != "declined"}
    return here | {name for name in (entry.organizer, person) if name}


def _dates(visit: Visit, entry: AppointmentObject) -> tuple[date, date]:
    if entry.all_day:
        return entry.start.date(), max(entry.start, entry.end - _DAY).date()
    last = max(entry.start, entry.end - timedelta(seconds=1))
    return visit.times.date(entry.start), visit.times.date(last)


def _item(visit: Visit, entry: AppointmentObject, beside: tuple[str, ...]) -> Item:
    known = {email: user.full_name for user in visit.people.values() for email in user.emails}
    names = [known.get(entry.organizer, entry.organizer)] if entry.organizer else []
    names += [known.get(a.address) or a.name or a.address for a in entry.attendees if a.address != entry.organizer]
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    when = visit.times.hours(entry.start, entry.end, all_day=entry.all_day)
    first, last = _dates(visit, entry)
    if entry.all_day:
        when = "All day" if first == last else f"All day, to {day_text(last)}"
    return Item(entry=entry, when=when, people=shown, beside=beside)


def _order(item: Item) -> tuple[bool, datetime, str]:
    return not item.entry.all_day, item.entry.start, item.entry.id
