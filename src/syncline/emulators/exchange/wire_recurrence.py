"""Recurrence, first, last, modified and deleted occurrences: XML both ways.

Knows the six patterns and three ranges of types.xsd; the arithmetic is in `series`.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from lxml import etree

from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import occurrence_id
from syncline.emulators.exchange.model import Item
from syncline.emulators.exchange.series import first_and_last
from syncline.emulators.exchange.view import View
from syncline.emulators.exchange.wire import T, instant, local
from syncline.emulators.exchange.zones import WEEKDAYS

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
INDEXES = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
_INDEX_NAMES = {number: name for name, number in INDEXES.items()}
GROUPS: dict[str, tuple[int, ...]] = {
    "Day": (0, 1, 2, 3, 4, 5, 6),
    "Weekday": (0, 1, 2, 3, 4),
    "WeekendDay": (5, 6),
}
_GROUP_NAMES = {days: name for name, days in GROUPS.items()}
COUNT_MAX = 999
INTERVAL_MAX = {PatternKind.DAILY: 999}
INTERVAL_OTHER_MAX = 99


def read_recurrence(element: etree._Element) -> Recurrence:
    """Return the recurrence of an element; raises ErrorCalendarInvalidRecurrence for what Exchange refuses."""
    try:
        pattern, first, count, until = _read(element)
    except (ValueError, KeyError):
        raise EwsError("ErrorCalendarInvalidRecurrence") from None
    if count is not None and not 1 <= count <= COUNT_MAX:
        raise EwsError("ErrorCalendarInvalidRecurrence")
    if not 1 <= pattern.interval <= INTERVAL_MAX.get(pattern.kind, INTERVAL_OTHER_MAX):
        raise EwsError("ErrorCalendarInvalidRecurrence")
    if until is not None and until < first:
        raise EwsError("ErrorCalendarInvalidRecurrence")
    return Recurrence(pattern=pattern, first=first, count=count, until=until)


def _read(element: etree._Element) -> tuple[Pattern, date, int | None, date | None]:
    if len(element) != 2:
        raise ValueError("pattern and range")
    pattern, span = element
    first = read_date(span.findtext(f"{T}StartDate") or "")
    count = span.findtext(f"{T}NumberOfOccurrences")
    until = span.findtext(f"{T}EndDate")
    return _READERS[local(pattern)](pattern), first, int(count) if count else None, read_date(until) if until else None


def read_date(text: str) -> date:
    """Return an xs:date; a possible offset is dropped, because the date is the one of the item's zone."""
    return date.fromisoformat(text.strip()[:10])


def _interval(element: etree._Element) -> int:
    return int(element.findtext(f"{T}Interval") or 0)


def _days(text: str) -> tuple[int, ...]:
    days: set[int] = set()
    for name in text.split():
        days.update(GROUPS[name] if name in GROUPS else (WEEKDAYS.index(name),))
    if not days:
        raise ValueError("no day")
    return tuple(sorted(days))


def _daily(e: etree._Element) -> Pattern:
    return Pattern(kind=PatternKind.DAILY, interval=_interval(e))


def _weekly(e: etree._Element) -> Pattern:
    first = e.findtext(f"{T}FirstDayOfWeek")
    return Pattern(
        kind=PatternKind.WEEKLY,
        interval=_interval(e),
        weekdays=_days(e.findtext(f"{T}DaysOfWeek") or ""),
        first_weekday=WEEKDAYS.index(first) if first else 6,
    )


def _day(e: etree._Element) -> int:
    day = int(e.findtext(f"{T}DayOfMonth") or 0)
    if not 1 <= day <= 31:
        raise ValueError("day of month")
    return day


def _absolute_monthly(e: etree._Element) -> Pattern:
    return Pattern(kind=PatternKind.MONTHLY_DAY, interval=_interval(e), day=_day(e))


def _nth(e: etree._Element) -> tuple[tuple[int, ...], int]:
    days = _days(e.findtext(f"{T}DaysOfWeek") or "")
    if len(days) > 1 and days not in _GROUP_NAMES:
        raise ValueError("days of a relative pattern")
    return days, INDEXES[e.findtext(f"{T}DayOfWeekIndex") or ""]


def _relative_monthly(e: etree._Element) -> Pattern:
    days, nth = _nth(e)
    return Pattern(kind=PatternKind.MONTHLY_NTH, interval=_interval(e), weekdays=days, nth=nth)


def _month(e: etree._Element) -> int:
    return MONTHS.index(e.findtext(f"{T}Month") or "") + 1


def _absolute_yearly(e: etree._Element) -> Pattern:
    return Pattern(kind=PatternKind.YEARLY_DAY, day=_day(e), month=_month(e))


def _relative_yearly(e: etree._Element) -> Pattern:
    days, nth = _nth(e)
    return Pattern(kind=PatternKind.YEARLY_NTH, weekdays=days, nth=nth, month=_month(e))


_READERS = {
    "DailyRecurrence": _daily,
    "WeeklyRecurrence": _weekly,
    "AbsoluteMonthlyRecurrence": _absolute_monthly,
    "RelativeMonthlyRecurrence": _relative_monthly,
    "AbsoluteYearlyRecurrence": _absolute_yearly,
    "RelativeYearlyRecurrence": _relative_yearly,
}


def recurrence_xml(view: View) -> str:
    """Return the Recurrence element of a master."""
    return _recurrence_xml(view.item.recurrence) if view.item.recurrence else ""


@lru_cache(maxsize=4_096)
def _recurrence_xml(recurrence: Recurrence) -> str:
    return f"<t:Recurrence>{_pattern_xml(recurrence.pattern)}{_range_xml(recurrence)}</t:Recurrence>"


def _pattern_xml(p: Pattern) -> str:
    interval = f"<t:Interval>{p.interval}</t:Interval>"
    month = f"<t:Month>{MONTHS[p.month - 1]}</t:Month>"
    day = f"<t:DayOfMonth>{p.day}</t:DayOfMonth>"
    index = f"<t:DayOfWeekIndex>{_INDEX_NAMES.get(p.nth, 'First')}</t:DayOfWeekIndex>"
    days = f"<t:DaysOfWeek>{_days_text(p)}</t:DaysOfWeek>"
    first = f"<t:FirstDayOfWeek>{WEEKDAYS[p.first_weekday]}</t:FirstDayOfWeek>"
    name, inner = {
        PatternKind.DAILY: ("DailyRecurrence", interval),
        PatternKind.WEEKLY: ("WeeklyRecurrence", interval + days + first),
        PatternKind.MONTHLY_DAY: ("AbsoluteMonthlyRecurrence", interval + day),
        PatternKind.MONTHLY_NTH: ("RelativeMonthlyRecurrence", interval + days + index),
        PatternKind.YEARLY_DAY: ("AbsoluteYearlyRecurrence", day + month),
        PatternKind.YEARLY_NTH: ("RelativeYearlyRecurrence", days + index + month),
    }[p.kind]
    return f"<t:{name}>{inner}</t:{name}>"


def _days_text(p: Pattern) -> str:
    if p.kind is not PatternKind.WEEKLY and p.weekdays in _GROUP_NAMES:
        return _GROUP_NAMES[p.weekdays]
    return " ".join(WEEKDAYS[day] for day in p.weekdays)


def _range_xml(r: Recurrence) -> str:
    start = f"<t:StartDate>{r.first.isoformat()}</t:StartDate>"
    if r.count is not None:
        inner = f"{start}<t:NumberOfOccurrences>{r.count}</t:NumberOfOccurrences>"
        return f"<t:NumberedRecurrence>{inner}</t:NumberedRecurrence>"
    if r.until is not None:
        return f"<t:EndDateRecurrence>{start}<t:EndDate>{r.until.isoformat()}</t:EndDate></t:EndDateRecurrence>"
    return f"<t:NoEndRecurrence>{start}</t:NoEndRecurrence>"


def occurrence_lists(view: View) -> dict[str, str]:
    """Return First-, Last-, Modified- and DeletedOccurrences of a master, each as its element or nothing."""
    item = view.item
    first, last = first_and_last(item)
    modified = "".join(_occurrence_xml(view, e, "Occurrence") for e in item.exceptions)
    deleted = "".join(
        f"<t:DeletedOccurrence><t:Start>{instant(start)}</t:Start></t:DeletedOccurrence>" for start in item.deleted
    )
    return {
        "FirstOccurrence": _occurrence_xml(view, first, "FirstOccurrence") if first else "",
        "LastOccurrence": _occurrence_xml(view, last, "LastOccurrence") if last else "",
        "ModifiedOccurrences": f"<t:ModifiedOccurrences>{modified}</t:ModifiedOccurrences>" if modified else "",
        "DeletedOccurrences": f"<t:DeletedOccurrences>{deleted}</t:DeletedOccurrences>" if deleted else "",
    }


def _occurrence_xml(view: View, occurrence: Item, name: str) -> str:
    assert occurrence.original_start is not None
    ident = occurrence_id(view.stored.mailbox, view.stored.row, occurrence.original_start)
    return (
        f'<t:{name}><t:ItemId Id="{ident}" ChangeKey="{view.change_key}"/>'
        f"<t:Start>{instant(occurrence.start)}</t:Start><t:End>{instant(occurrence.end)}</t:End>"
        f"<t:OriginalStart>{instant(occurrence.original_start)}</t:OriginalStart></t:{name}>"
    )
