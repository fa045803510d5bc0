"""Some days of the Calendar with their entries and what waits, double-booked ones marked. Pure over what the desk gave.

It must not know which days are shown or how they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from syncline.core.appointment import ShowAs, Span, Status
from syncline.core.scheduling import blocks
from syncline.core.times import blocking
from syncline.desk.objects import AppointmentObject
from syncline.desk.waiting import Waiting
from syncline.language import _
from syncline.web.pages import words
from syncline.web.pages.rendering import Visit
from syncline.web.pages.times import day_text

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When something is: in words, and as wall times of the viewer's zone (dates, the end exclusive, if all-day)."""

    text: str
    start: str
    end: str
    all_day: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a day, or one time of what waits for an answer.

    `beside` are the subjects of what the same people have at the same time; `movable` is the id of an entry that can
    be put to another time here.
    """

    key: str
    url: str
    subject: str
    when: When
    details: tuple[str, ...]
    beside: tuple[str, ...] = ()
    waits: bool = False
    saving: bool = False
    canceled: bool = False
    draft: bool = False
    movable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day."""

    date: date
    name: str
    today: bool
    items: tuple[Item, ...]


def days_of(
    visit: Visit,
    entries: Sequence[AppointmentObject],
    waiting: Sequence[Waiting],
    days: Sequence[date],
    person: str | None,
) -> list[Day]:
    """Return the days; what is longer stands on the first of its days shown. `person`: whose calendar it is."""
    beside, known = double_booked(visit, entries, person), _called(visit, entries)
    visit.people.meet({each.user for each in waiting})
    standing: dict[date, list[tuple[tuple[bool, datetime, str], Item]]] = {day: [] for day in days}
    shown: list[tuple[AppointmentObject | Waiting, Item]] = [
        (entry, _entry(visit, entry, beside.get(entry.id, ()), known)) for entry in entries
    ]
    shown += [(each, _waiting(visit, each)) for each in waiting]
    for what, item in shown:
        first, last = _dates(visit, what)
        day = max(first, days[0])
        if day in standing and last >= day:
            standing[day].append(((not what.all_day, what.start, item.key), item))
    today = visit.times.today
    return [
        Day(date=day, name=day_text(day), today=day == today, items=tuple(item for _order, item in sorted(items)))
        for day, items in standing.items()
    ]


def double_booked(
    visit: Visit, entries: Sequence[AppointmentObject], person: str | None
) -> Mapping[str, tuple[str, ...]]:
    """Return for each entry what else occupies one of its people at the same time, by the rules of the check."""
    policy = visit.app.settings.conflict.policy()
    busy = []
    for entry in entries:
        if blocks(ShowAs(entry.show_as), Status(entry.status), entry.all_day, policy):
            start, end = blocking(Span(entry.start, entry.end, all_day=entry.all_day), visit.times.zone)
            busy.append((start, end, entry.id, entry))
    busy.sort(key=lambda each: each[:3])
    running: dict[str, list[int]] = {}
    pairs: set[tuple[int, int]] = set()
    for number, (start, _end, _id, entry) in enumerate(busy):
        for name in _people(entry, person):
            still = [earlier for earlier in running.get(name, ()) if busy[earlier][1] > start]
            pairs.update((earlier, number) for earlier in still)
            running[name] = [*still, number]
    found: dict[str, list[str]] = {}
    for first, second in sorted(pairs):
        one, other = busy[first][3], busy[second][3]
        found.setdefault(one.id, []).append(other.subject)
        found.setdefault(other.id, []).append(one.subject)
    return {key: tuple(subjects) for key, subjects in found.items()}


def _people(entry: AppointmentObject, person: str | None) -> set[str]:
    here = {each.address for each in entry.attendees if each.response != "declined"}
    return here | {name for name in (entry.organizer, person) if name}


def _dates(visit: Visit, what: AppointmentObject | Waiting) -> tuple[date, date]:
    if what.all_day:
        return what.start.date(), max(what.start, what.end - _DAY).date()
    last = max(what.start, what.end - timedelta(seconds=1))
    return visit.times.date(what.start), visit.times.date(last)


def _entry(visit: Visit, entry: AppointmentObject, beside: tuple[str, ...], known: Mapping[str, str]) -> Item:
    details = [_("Draft")] if entry.draft else []
    details += [_(words.SHOW_AS[entry.show_as]), _(words.STATUS[entry.status])]
    if entry.kind in ("occurrence", "exception"):
        details.append(_("one date of a series"))
    details += filter(None, [_names(known, entry)])
    if entry.link and not entry.draft:
        details.append(_("from Outlook"))
    hidden = not entry.global_object_id
    fixed = hidden or (entry.link is not None and not entry.draft) or entry.status not in ("open", "scheduled")
    return Item(
        key=f"a-{entry.id}",
        url=f"/calendar/{entry.id}",
        subject=entry.subject,
        when=_when(visit, entry),
        details=tuple(details),
        beside=beside,
        canceled=entry.status == "canceled",
        draft=entry.draft,
        movable=None if fixed else entry.id,
    )


def _waiting(visit: Visit, each: Waiting) -> Item:
    state = _("Saving…") if each.saving else _("Waiting for an answer")
    return Item(
        key=f"w-{each.alert_id}-{each.start:%Y%m%d%H%M}",
        url=f"/alerts/{each.alert_id}",
        subject=each.subject,
        when=_when(visit, each),
        details=(state, visit.called(each.user), _("from Outlook")),
        waits=True,
        saving=each.saving,
    )


def _when(visit: Visit, what: AppointmentObject | Waiting) -> When:
    if not what.all_day:
        first_wall, last_wall = visit.times.wall(what.start), visit.times.wall(what.end)
        return When(
            text=visit.times.hours(what.start, what.end),
            start=f"{first_wall:%Y-%m-%dT%H:%M}",
            end=f"{last_wall:%Y-%m-%dT%H:%M}",
            all_day=False,
        )
    first, last = _dates(visit, what)
    text = _("All day") if first == last else _("All day, to %(day)s", day=day_text(last))
    return When(text=text, start=f"{first}", end=f"{last + _DAY}", all_day=True)


def _names(known: Mapping[str, str], entry: AppointmentObject) -> str:
    names = [known.get(entry.organizer, entry.organizer)] if entry.organizer else []
    names += [known.get(a.address) or a.name or a.address for a in entry.attendees if a.address != entry.organizer]
    return _first(names, 4)


def _called(visit: Visit, entries: Iterable[AppointmentObject]) -> Mapping[str, str]:
    """Return the full names of the users among the people of entries, by address, asked for all of them at once."""
    addresses = {a.address for entry in entries for a in entry.attendees}
    addresses |= {entry.organizer for entry in entries if entry.organizer}
    return {address: user.full_name for address, user in visit.people.by_address(addresses).items()}


def _first(names: Iterable[str], most: int) -> str:
    listed = list(names)
    if len(listed) <= most:
        return ", ".join(listed)
    return _("%(names)s and %(number)s more", names=", ".join(listed[:most]), number=len(listed) - most)
