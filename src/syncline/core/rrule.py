"""Patterns as RRULE text (RFC 5545, 3.3.10) and back, for the six kinds that Exchange and the CRM share.

A rule outside them is refused with its reason, never bent into something similar; one meaning is Exchange's: a plain
BYMONTHDAY of 29 to 31 falls on the last day of shorter months instead of being skipped. It must not know items, and
needs of them only the wall time and the zone in which UNTIL is to be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.core.patterns import ALL_DAYS, WEEKEND, WORKDAYS
from syncline.core.times import instant, wall

COUNT_MAX = 999
INTERVAL_MAX = 99
INTERVAL_DAILY_MAX = 999

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NTH_SETS = (WORKDAYS, WEEKEND, ALL_DAYS)
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
# What each frequency may carry beside FREQ, INTERVAL, COUNT, UNTIL and WKST.
_MEMBERS = {
    "DAILY": {"BYDAY"},
    "WEEKLY": {"BYDAY"},
    "MONTHLY": {"BYDAY", "BYMONTHDAY", "BYSETPOS"},
    "YEARLY": {"BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH"},
}
_COMMON = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}


class UnsupportedPattern(ValueError):  # noqa: N818 - the name says what it is
    """A rule that is broken or outside the six patterns; its text is the reason."""


def interval_max(kind: PatternKind) -> int:
    """Return Exchange's limit of the interval of a kind."""
    return INTERVAL_DAILY_MAX if kind is PatternKind.DAILY else INTERVAL_MAX


def from_rrule(text: str, first: date, *, start: time = time(), zone: str = "UTC") -> Recurrence:
    """Return the recurrence that an RRULE value means for an item whose DTSTART is on `first`.

    `start` is the wall time of DTSTART and `zone` its zone: an UNTIL with a time ends the series on its own date, or a
    day earlier if it lies before that day's start. For all-day items leave both. `first` should be moved to the first
    fitting date by the caller. Raise UnsupportedPattern.
    """
    parts = _parts(text)
    pattern = _pattern(parts, first)
    count = _number(parts, "COUNT", COUNT_MAX) if "COUNT" in parts else None
    until = _until(parts["UNTIL"], start, zone) if "UNTIL" in parts else None
    if count is not None and until is not None:
        raise UnsupportedPattern("COUNT and UNTIL together")
    if until is not None and until < first:
        raise UnsupportedPattern("UNTIL lies before the first occurrence")
    return Recurrence(pattern=pattern, first=first, count=count, until=until)


def to_rrule(recurrence: Recurrence, *, start: time | None = None, zone: str = "UTC") -> str:
    """Return the RRULE value of a recurrence, exact also for clamped days.

    UNTIL is the UTC instant of the last possible start when `start` (wall time in `zone`) is given, else a date.
    """
    pattern = recurrence.pattern
    parts = [_FREQUENCY[pattern.kind], *([f"INTERVAL={pattern.interval}"] if pattern.interval > 1 else [])]
    parts += _TEXT[pattern.kind](pattern)
    if recurrence.count is not None:
        parts.append(f"COUNT={recurrence.count}")
    elif recurrence.until is not None:
        parts.append("UNTIL=" + _until_text(recurrence.until, start, zone))
    return ";".join(parts)


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in filter(None, text.strip().upper().removeprefix("RRULE:").split(";")):
        name, equals, value = piece.partition("=")
        if not equals or not value or name in parts:
            raise UnsupportedPattern(f"not a recurrence rule: {piece[:40]}")
        parts[name] = value
    frequency = parts.get("FREQ", "")
    if frequency not in _MEMBERS:
        raise UnsupportedPattern(f"FREQ {frequency[:20] or 'is missing'}")
    strange = sorted(parts.keys() - _MEMBERS[frequency] - _COMMON)
    if strange:
        raise UnsupportedPattern(f"{strange[0][:20]} with FREQ={frequency}")
    return parts


def _number(parts: dict[str, str], name: str, highest: int) -> int:
    value = parts.get(name, "1")
    if not value.isdecimal() or not 1 <= int(value[:9]) <= highest:
        raise UnsupportedPattern(f"{name}={value[:20]} is not between 1 and {highest}")
    return int(value)


def _until(text: str, start: time, zone: str) -> date:
    match = _UNTIL.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        if match[2] is None:
            return datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC).date()
        at = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")  # noqa: DTZ007 - wall time unless Z
    except ValueError as error:
        raise UnsupportedPattern(f"UNTIL={text[:20]} is not a date") from error
    if match[3]:
        at = wall(at.replace(tzinfo=UTC), zone)
    return at.date() if at.time() >= start else at.date() - timedelta(days=1)


def _until_text(until: date, start: time | None, zone: str) -> str:
    if start is None:
        return until.strftime("%Y%m%d")
    return instant(datetime.combine(until, start), zone).strftime("%Y%m%dT%H%M%SZ")


def _pattern(parts: dict[str, str], first: date) -> Pattern:
    frequency = parts["FREQ"]
    interval = _number(parts, "INTERVAL", INTERVAL_DAILY_MAX if frequency == "DAILY" else INTERVAL_MAX)
    return _READ[frequency](parts, interval, first)


def _daily(parts: dict[str, str], interval: int, _first: date) -> Pattern:
    if "BYDAY" not in parts:
        return Pattern(kind=PatternKind.DAILY, interval=interval)
    if interval > 1:
        raise UnsupportedPattern("FREQ=DAILY with INTERVAL and BYDAY")
    return Pattern(kind=PatternKind.WEEKLY, weekdays=_plain_days(parts), first_weekday=_week_start(parts))


def _weekly(parts: dict[str, str], interval: int, first: date) -> Pattern:
    weekdays = _plain_days(parts) if "BYDAY" in parts else (first.weekday(),)
    return Pattern(kind=PatternKind.WEEKLY, interval=interval, weekdays=weekdays, first_weekday=_week_start(parts))


def _monthly(parts: dict[str, str], interval: int, first: date) -> Pattern:
    if "BYDAY" in parts:
        nth, weekdays = _nth_day(parts)
        return Pattern(kind=PatternKind.MONTHLY_NTH, interval=interval, nth=nth, weekdays=weekdays)
    return Pattern(kind=PatternKind.MONTHLY_DAY, interval=interval, day=_month_day(parts, first))


def _yearly(parts: dict[str, str], interval: int, first: date) -> Pattern:
    if "BYMONTH" not in parts and ("BYDAY" in parts or "BYMONTHDAY" in parts):
        raise UnsupportedPattern("FREQ=YEARLY with a day but without BYMONTH")
    month = _number(parts, "BYMONTH", 12) if "BYMONTH" in parts else first.month
    if "BYDAY" in parts:
        nth, weekdays = _nth_day(parts)
        return Pattern(kind=PatternKind.YEARLY_NTH, interval=interval, nth=nth, weekdays=weekdays, month=month)
    return Pattern(kind=PatternKind.YEARLY_DAY, interval=interval, day=_month_day(parts, first), month=month)


def _week_start(parts: dict[str, str]) -> int:
    name = parts.get("WKST", "MO")
    if name not in _DAYS:
        raise UnsupportedPattern(f"WKST={name[:20]}")
    return _DAYS.index(name)


def _plain_days(parts: dict[str, str]) -> tuple[int, ...]:
    days = _by_day(parts)
    if any(nth for nth, _ in days):
        raise UnsupportedPattern(f"BYDAY={parts['BYDAY'][:40]} with FREQ={parts['FREQ']}")
    return tuple(sorted({weekday for _, weekday in days}))


def _by_day(parts: dict[str, str]) -> list[tuple[int, int]]:
    """Return (ordinal or 0, weekday) of each part of BYDAY."""
    found = []
    for piece in parts["BYDAY"].split(","):
        match = _BYDAY.fullmatch(piece)
        if match is None:
            raise UnsupportedPattern(f"BYDAY={piece[:20]}")
        found.append((int(match[1] or 0), _DAYS.index(match[2])))
    return found


def _nth_day(parts: dict[str, str]) -> tuple[int, tuple[int, ...]]:
    """Return (nth, candidate weekdays) of `2MO`, of `MO` with BYSETPOS, and of sets of days with BYSETPOS."""
    days = _by_day(parts)
    weekdays = tuple(sorted({weekday for _, weekday in days}))
    if "BYMONTHDAY" in parts:
        raise UnsupportedPattern("BYDAY and BYMONTHDAY together")
    if len(days) == 1 and days[0][0] and parts.get("BYSETPOS", "1") in ("1", "-1"):
        nth = days[0][0]
    elif any(ordinal for ordinal, _ in days):
        raise UnsupportedPattern(f"BYDAY={parts['BYDAY'][:40]}")
    elif len(weekdays) > 1 and weekdays not in _NTH_SETS:
        raise UnsupportedPattern(f"BYDAY={parts['BYDAY'][:40]}: neither one day nor weekdays, weekend or all")
    else:
        nth = _position(parts)
    if nth not in (1, 2, 3, 4, -1):
        raise UnsupportedPattern(f"the day number {nth} of a month (first to fourth and last exist)")
    return nth, weekdays


def _position(parts: dict[str, str]) -> int:
    text = parts.get("BYSETPOS", "")
    if not re.fullmatch(r"[+-]?\d{1,3}", text):
        raise UnsupportedPattern(f"BYDAY={parts['BYDAY'][:40]} with BYSETPOS={text[:20] or 'none'}")
    return int(text)


def _month_day(parts: dict[str, str], first: date) -> int:
    text = parts.get("BYMONTHDAY", str(first.day))
    position = parts.get("BYSETPOS", "1")
    if text == "-1" and position in ("1", "-1"):
        return 31
    days = text.split(",")
    # 28,...,d with the last of the set is how RFC 5545 says "day d, or the month's last".
    if len(days) > 1 and position == "-1" and days == [str(28 + place) for place in range(len(days))] and len(days) < 5:
        return int(days[-1])
    if len(days) > 1 or not text.isdecimal() or not 1 <= int(text[:3]) <= 31 or position not in ("1", "-1"):
        raise UnsupportedPattern(f"BYMONTHDAY={text[:40]}")
    return int(text)


def _weekly_text(pattern: Pattern) -> list[str]:
    week_start = [f"WKST={_DAYS[pattern.first_weekday]}"] if pattern.first_weekday else []
    return ["BYDAY=" + ",".join(_DAYS[weekday] for weekday in pattern.weekdays), *week_start]


def _day_text(pattern: Pattern) -> list[str]:
    if pattern.day == 31:
        return ["BYMONTHDAY=-1"]
    if pattern.day > 28:
        return ["BYMONTHDAY=" + ",".join(str(day) for day in range(28, pattern.day + 1)), "BYSETPOS=-1"]
    return [f"BYMONTHDAY={pattern.day}"]


def _nth_text(pattern: Pattern) -> list[str]:
    if len(pattern.weekdays) == 1:
        return [f"BYDAY={pattern.nth}{_DAYS[pattern.weekdays[0]]}"]
    return ["BYDAY=" + ",".join(_DAYS[weekday] for weekday in pattern.weekdays), f"BYSETPOS={pattern.nth}"]


_FREQUENCY = {
    PatternKind.DAILY: "FREQ=DAILY",
    PatternKind.WEEKLY: "FREQ=WEEKLY",
    PatternKind.MONTHLY_DAY: "FREQ=MONTHLY",
    PatternKind.MONTHLY_NTH: "FREQ=MONTHLY",
    PatternKind.YEARLY_DAY: "FREQ=YEARLY",
    PatternKind.YEARLY_NTH: "FREQ=YEARLY",
}

_READ: dict[str, Callable[[dict[str, str], int, date], Pattern]] = {
    "DAILY": _daily,
    "WEEKLY": _weekly,
    "MONTHLY": _monthly,
    "YEARLY": _yearly,
}

_TEXT: dict[PatternKind, Callable[[Pattern], list[str]]] = {
    PatternKind.DAILY: lambda _pattern: [],
    PatternKind.WEEKLY: _weekly_text,
    PatternKind.MONTHLY_DAY: _day_text,
    PatternKind.MONTHLY_NTH: _nth_text,
    PatternKind.YEARLY_DAY: lambda pattern: [f"BYMONTH={pattern.month}", *_day_text(pattern)],
    PatternKind.YEARLY_NTH: lambda pattern: [f"BYMONTH={pattern.month}", *_nth_text(pattern)],
}
