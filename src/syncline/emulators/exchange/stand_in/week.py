"""One week of a calendar as a person sees it: occurrences, days, and lanes for what overlaps.

Values in, values out; places are row and lane numbers that the style sheet knows. Knows no markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from syncline.emulators.exchange import series
from syncline.emulators.exchange.model import Item, Stored, ZoneRef
from syncline.emulators.exchange.zones import to_utc, to_wall

DAYS = 7
ROW_MINUTES = 30
LANES_MAX = 6
_WORKING_DAYS = 5
_DAY = timedelta(days=1)
_FIRST_HOUR, _LAST_HOUR = 8, 18
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One single or occurrence: where it lies in the store, what it says, and its wall times."""

    stored: Stored
    item: Item
    start: datetime
    end: datetime

    @property
    def in_series(self) -> bool:
        """Return whether it is one date of a series."""
        return self.stored.item.recurrence is not None

    @property
    def at(self) -> str:
        """Return when it begins, the day left out."""
        return "all day" if self.item.all_day else f"{self.start:%H:%M}"

    @property
    def until(self) -> str:
        """Return when it ends, as what follows `at`."""
        if self.item.all_day:
            return ""
        if self.start.date() == self.end.date():
            return f" – {self.end:%H:%M}"
        return f" – {day_text(self.end.date())}, {self.end:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Something at a place of a day: rows from and to (half hours), lane, and whether it has the day's width."""

    shown: Shown
    first_row: int
    last_row: int
    lane: int
    whole_width: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day: what lasts all of it, and what has a place in it; `lanes` is the most that overlaps."""

    date: date
    all_day: tuple[Shown, ...]
    placed: tuple[Placed, ...]
    lanes: int

    @property
    def items(self) -> tuple[Shown, ...]:
        """Return everything of the day by start."""
        return (*self.all_day, *(each.shown for each in self.placed))

    @property
    def title(self) -> str:
        """Return the day as a heading."""
        return day_text(self.date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Seven days from a Monday; hours from `first_hour` to before `last_hour` are shown."""

    monday: date
    days: tuple[Day, ...]
    first_hour: int
    last_hour: int

    @property
    def rows(self) -> int:
        """Return how many rows the grid has."""
        return (self.last_hour - self.first_hour) * 60 // ROW_MINUTES

    @property
    def title(self) -> str:
        """Return from which day to which."""
        last = self.monday + (DAYS - 1) * _DAY
        return f"{self.monday.day} {MONTHS[self.monday.month - 1]} to {last.day} {MONTHS[last.month - 1]} {last.year}"


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def working_day_after(day: date) -> date:
    """Return the next day from Monday to Friday."""
    following = day + _DAY
    return following if following.weekday() < _WORKING_DAYS else monday_of(following) + DAYS * _DAY


def day_text(day: date) -> str:
    """Return a date such as "Tue 24 Nov"."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]}"


def bounds(monday: date, zone: ZoneRef) -> tuple[datetime, datetime]:
    """Return the instants at which a week begins and ends."""
    first = datetime.combine(monday, time())
    return to_utc(first, zone), to_utc(first + DAYS * _DAY, zone)


def week(stored: Iterable[Stored], monday: date, zone: ZoneRef) -> Week:
    """Lay out a week; items are those of which some occurrence may lie in it."""
    begin, end = bounds(monday, zone)
    found = [
        Shown(stored=each, item=item, start=to_wall(item.start, zone), end=to_wall(item.end, zone))
        for each in stored
        for item in series.expand(each.item, begin, end)
    ]
    found.sort(key=lambda shown: (shown.start, shown.end, shown.stored.row))
    timed = [shown for shown in found if not shown.item.all_day]
    hours = [shown.start.hour for shown in timed] + [_FIRST_HOUR]
    ends = [shown.end.hour + (shown.end.minute > 0) for shown in timed] + [_LAST_HOUR]
    overnight = any(shown.end.date() > shown.start.date() for shown in timed)
    first_hour, last_hour = (0, 24) if overnight else (min(hours), max(ends))
    days = [monday + number * _DAY for number in range(DAYS)]
    return Week(
        monday=monday,
        days=tuple(_day(day, found, first_hour, last_hour) for day in days),
        first_hour=first_hour,
        last_hour=last_hour,
    )


def _day(day: date, found: Sequence[Shown], first_hour: int, last_hour: int) -> Day:
    begin = datetime.combine(day, time())
    here = [
        shown
        for shown in found
        if shown.start < begin + _DAY and (shown.end > begin or (shown.end == shown.start >= begin))
    ]
    timed = [shown for shown in here if not shown.item.all_day]
    placed, lanes = _placed(timed, begin + timedelta(hours=first_hour), begin + timedelta(hours=last_hour))
    return Day(date=day, all_day=tuple(shown for shown in here if shown.item.all_day), placed=placed, lanes=lanes)


def _placed(timed: Sequence[Shown], begin: datetime, end: datetime) -> tuple[tuple[Placed, ...], int]:
    """Give each item the first lane that is free; what overlaps nothing has the whole width."""
    free: list[int] = []
    found: list[Placed] = []
    for shown in timed:
        first, last = _row(max(shown.start, begin), begin), _row(min(shown.end, end), begin, up=True)
        last = max(last, first + 1)
        lane = next((number for number, row in enumerate(free) if row <= first), min(len(free), LANES_MAX - 1))
        free[lane : lane + 1] = [max(last, free[lane] if lane < len(free) else 0)]
        found.append(Placed(shown=shown, first_row=first, last_row=last, lane=lane + 1, whole_width=False))
    alone = [not any(_meet(one, other) for other in found if other is not one) for one in found]
    placed = tuple(
        Placed(shown=p.shown, first_row=p.first_row, last_row=p.last_row, lane=1 if whole else p.lane,
               whole_width=whole)
        for p, whole in zip(found, alone, strict=True)
    )  # fmt: skip
    return placed, max(len(free), 1)


def _meet(one: Placed, other: Placed) -> bool:
    return one.first_row < other.last_row and other.first_row < one.last_row


def _row(at: datetime, begin: datetime, *, up: bool = False) -> int:
    minutes = int((at - begin).total_seconds()) // 60
    return (minutes + (ROW_MINUTES - 1 if up else 0)) // ROW_MINUTES + 1
