"""The Recurrence element of Exchange as the core's recurrence: six patterns, three ranges.

Pure. Dates may carry an offset, which means nothing and is dropped (ews-facts.md). Patterns that the core does not
have (regenerating ones of tasks, or whatever a later schema brings) raise `UnsupportedPattern`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, TypeVar

from lxml import etree

from syncline.connectors.exchange_web_services.wire import InvalidAnswer, T, text_of
from syncline.core.appointment import Pattern, PatternKind, Recurrence

_V = TypeVar("_V")
_DAYS: Final[Mapping[str, tuple[int, ...]]] = {
    "Monday": (0,),
    "Tuesday": (1,),
    "Wednesday": (2,),
    "Thursday": (3,),
    "Friday": (4,),
    "Saturday": (5,),
    "Sunday": (6,),
    "Day": (0, 1, 2, 3, 4, 5, 6),
    "Weekday": (0, 1, 2, 3, 4),
    "WeekendDay": (5, 6),
}
_INDEX: Final[Mapping[str, int]] = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
_MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, name in enumerate(
        (
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
        start=1,
    )
}
_WEEK_STARTS_BY_DEFAULT: Final = "Sunday"


class UnsupportedPattern(ValueError):  # noqa: N818 - the name says what it is
    """A repetition that the core has no words for; the message names the element."""


def recurrence(element: etree._Element) -> Recurrence:
    """Return pattern and range; raises UnsupportedPattern or InvalidAnswer."""
    pattern: Pattern | None = None
    ranged: etree._Element | None = None
    for child in element:
        name = etree.QName(child).localname
        if name in _PATTERNS:
            pattern = _PATTERNS[name](child)
        elif name in _RANGES:
            ranged = child
        else:
            raise UnsupportedPattern(name)
    if pattern is None or ranged is None:
        raise UnsupportedPattern("a repetition without pattern or range")
    count = text_of(ranged, f"{T}NumberOfOccurrences")
    until = text_of(ranged, f"{T}EndDate")
    return Recurrence(
        pattern=pattern,
        first=_date(text_of(ranged, f"{T}StartDate")),
        count=None if count is None else _number(count),
        until=None if until is None else _date(until),
    )


def _daily(element: etree._Element) -> Pattern:
    return Pattern(kind=PatternKind.DAILY, interval=_interval(element))


def _weekly(element: etree._Element) -> Pattern:
    first = text_of(element, f"{T}FirstDayOfWeek") or _WEEK_STARTS_BY_DEFAULT
    return Pattern(
        kind=PatternKind.WEEKLY,
        interval=_interval(element),
        weekdays=_weekdays(element),
        first_weekday=_named(_DAYS, first)[0],
    )


def _monthly_day(element: etree._Element) -> Pattern:
    return Pattern(kind=PatternKind.MONTHLY_DAY, interval=_interval(element), day=_day(element))


def _monthly_nth(element: etree._Element) -> Pattern:
    return Pattern(
        kind=PatternKind.MONTHLY_NTH, interval=_interval(element), weekdays=_weekdays(element), nth=_nth(element)
    )


def _yearly_day(element: etree._Element) -> Pattern:
    return Pattern(kind=PatternKind.YEARLY_DAY, interval=_interval(element), day=_day(element), month=_month(element))


def _yearly_nth(element: etree._Element) -> Pattern:
    return Pattern(
        kind=PatternKind.YEARLY_NTH,
        interval=_interval(element),
        weekdays=_weekdays(element),
        nth=_nth(element),
        month=_month(element),
    )


_PATTERNS: Final[Mapping[str, Callable[[etree._Element], Pattern]]] = {
    "DailyRecurrence": _daily,
    "WeeklyRecurrence": _weekly,
    "AbsoluteMonthlyRecurrence": _monthly_day,
    "RelativeMonthlyRecurrence": _monthly_nth,
    "AbsoluteYearlyRecurrence": _yearly_day,
    "RelativeYearlyRecurrence": _yearly_nth,
}
_RANGES: Final = frozenset({"NoEndRecurrence", "EndDateRecurrence", "NumberedRecurrence"})


def _interval(element: etree._Element) -> int:
    text = text_of(element, f"{T}Interval")
    return 1 if text is None else max(1, _number(text))


def _weekdays(element: etree._Element) -> tuple[int, ...]:
    names = (text_of(element, f"{T}DaysOfWeek") or "").split()
    days = sorted({day for name in names for day in _named(_DAYS, name)})
    if not days:
        raise UnsupportedPattern("a repetition without weekdays")
    return tuple(days)


def _day(element: etree._Element) -> int:
    day = _number(text_of(element, f"{T}DayOfMonth"))
    if not 1 <= day <= 31:
        raise UnsupportedPattern(f"day {day} of the month")
    return day


def _nth(element: etree._Element) -> int:
    return _named(_INDEX, text_of(element, f"{T}DayOfWeekIndex") or "")


def _month(element: etree._Element) -> int:
    return _named(_MONTHS, text_of(element, f"{T}Month") or "")


def _named(table: Mapping[str, _V], name: str) -> _V:
    found = table.get(name.strip())
    if found is None:
        raise UnsupportedPattern(name[:40] or "an empty name")
    return found


def _number(text: str | None) -> int:
    stripped = (text or "").strip()
    if not stripped.isdecimal() or len(stripped) > 6:
        raise InvalidAnswer("a number of a repetition is not valid")
    return int(stripped)


def _date(text: str | None) -> date:
    try:
        return date.fromisoformat((text or "").strip()[:10])
    except ValueError as error:
        raise InvalidAnswer("a date of a repetition is not valid") from error
