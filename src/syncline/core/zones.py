"""Time zones by name and by rule: Windows names, IANA names, and zones that only their transition rules describe.

A zone is a key: an IANA name, or `custom:` and the canonical text of its rules, so that it can be stored and compared
like any other string. This module must not know appointments or dates of items; `core.times` does the clock
arithmetic. A name that nobody knows is never taken for UTC: its rules are matched or kept, or it is refused.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from msgspec import Struct
from tzlocal.windows_tz import tz_win, win_tz

CUSTOM_PREFIX = "custom:"
OFFSET_MAX_S = 18 * 3600
# Servers send today's rules for all years, so a zone may differ in the past; one that does not is the better answer.
MATCH_YEARS = ((2000, 2037), (2010, 2037))
_SAMPLE_STEP = timedelta(days=9)

_WINDOWS_EXTRA = {"tzone://Microsoft/Utc": "UTC", "UTC": "UTC", "Kamchatka Standard Time": "Asia/Kamchatka"}
# Names the table has from an older tz database; the places are called so today.
_RENAMED = {
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Godthab": "America/Nuuk",
    "America/Indianapolis": "America/Indiana/Indianapolis",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Europe/Kiev": "Europe/Kyiv",
}
_IANA_EXTRA = {
    # Places whose clocks have changed since the table was made.
    "America/Scoresbysund": "Greenland Standard Time",
    "Antarctica/Casey": "W. Australia Standard Time",
    "Antarctica/Vostok": "West Asia Standard Time",
    "CST6CDT": "Central Standard Time",
    "EST5EDT": "Eastern Standard Time",
    "MST7MDT": "Mountain Standard Time",
    "PST8PDT": "Pacific Standard Time",
    "GMT": "UTC",
    "US/East-Indiana": "US Eastern Standard Time",
    "Europe/Uzhgorod": "FLE Standard Time",
    "Europe/Zaporozhye": "FLE Standard Time",
}
# What these mean depends on the machine, so no appointment can be in them.
_NO_PLACE = frozenset({"localtime", "Factory", "posixrules"})


class UnknownZone(KeyError):  # noqa: N818 - the name says what it is
    """A zone key that is neither an IANA name nor the text of rules."""


class ZoneTransition(Struct, frozen=True, gc=False, kw_only=True):
    """A change of offset that happens each year between two dates.

    It falls in `month` on weekday `weekday` (Monday 0) for the `nth` time (1 to 5, or -1 to -5 from the month's end),
    or, with `weekday` None, on `day`. `time_s` is the wall clock before the change, in seconds after midnight;
    `offset_s` is the time east of UTC after it. A change on one certain date has `since` == `until`.
    """

    offset_s: int
    month: int
    weekday: int | None = None
    nth: int = 0
    day: int = 0
    time_s: int = 0
    since: date | None = None
    until: date | None = None

    def date_in(self, year: int) -> date | None:
        """Return the date of the change in that year, or None if there is none."""
        if self.weekday is None:
            if self.day > monthrange(year, self.month)[1]:
                return None
            found: date | None = date(year, self.month, self.day)
        else:
            found = _nth_weekday(year, self.month, self.weekday, self.nth)
        if found is None or (self.since and found < self.since) or (self.until and found > self.until):
            return None
        return found


class ZoneRules(Struct, frozen=True, gc=False):
    """A zone by its rules: seconds east of UTC before any transition, and the yearly transitions."""

    offset_s: int
    transitions: tuple[ZoneTransition, ...] = ()


class ZoneEra(Struct, frozen=True, gc=False):
    """What holds from a date on (an EWS TransitionsGroup): the offset without transitions, and the transitions.

    `transitions` need no `since` and `until`; those are the era's own bounds. The first era has `since` None.
    """

    since: date | None
    offset_s: int
    transitions: tuple[ZoneTransition, ...] = ()


def rules_of_eras(eras: Iterable[ZoneEra]) -> ZoneRules:
    """Join eras, in order of their dates, to the rules of one zone."""
    listed = list(eras)
    changes: list[ZoneTransition] = []
    for era, following in zip(listed, [*listed[1:], None], strict=True):
        until = following.since - timedelta(days=1) if following and following.since else None
        if era.since is not None:
            changes.append(_on_date(era.since, _offset_at_start(era)))
        changes.extend(_bounded(change, era.since, until) for change in era.transitions)
    return ZoneRules(_offset_at_start(listed[0]) if listed else 0, tuple(changes))


def custom_zone(rules: ZoneRules) -> str:
    """Return the key of a zone given by its rules; equal rules have equal keys."""
    parts = [str(rules.offset_s), *sorted(_text(change) for change in rules.transitions)]
    return CUSTOM_PREFIX + ";".join(parts)


@lru_cache(maxsize=1024)
def match_zone(rules: ZoneRules) -> str:
    """Return the IANA zone with equal offsets in the first of `MATCH_YEARS` that any zone fits, else the custom key.

    Zones that Windows knows are tried first, in a fixed order, so that the answer never varies.
    """
    key = custom_zone(rules)
    zone = zone_info(key)
    for first, last in MATCH_YEARS:
        samples = [(at, zone.utcoffset(at.replace(tzinfo=zone))) for at in _samples(rules, first, last)]
        for name in _candidates():
            other = zone_info(name)
            if all(other.utcoffset(at.replace(tzinfo=other)) == offset for at, offset in samples):
                return name
    return key


def windows_to_iana(name: str) -> str | None:
    """Return the IANA zone of a Windows zone id, without regard to case; None if the name says nothing."""
    return _windows_names().get(name.casefold())


def iana_to_windows(name: str) -> str | None:
    """Return the Windows zone id of an IANA zone; None for custom keys and zones without a Windows counterpart."""
    return _IANA_EXTRA.get(name) or tz_win.get(name)


def clock_of(zone: str) -> str:
    """Return what tells zones apart: all zones that Exchange calls by one Windows id have one clock from now on."""
    return iana_to_windows(zone) or zone


def resolve_zone(name: str, rules: ZoneRules | None = None) -> str:
    """Return the key of the zone a server names: Windows id, IANA name, or else by the rules it sent along.

    Raise UnknownZone when the name is unknown and no rules came with it.
    """
    known = windows_to_iana(name)
    if known is not None:
        return known
    if _is_iana(name):
        return name
    if rules is None:
        raise UnknownZone(name)
    return match_zone(rules)


@lru_cache(maxsize=2048)
def zone_info(zone: str) -> tzinfo:
    """Return the zone of a key. Raise UnknownZone."""
    if zone.startswith(CUSTOM_PREFIX):
        return CustomZone(zone, _parse(zone))
    if zone in _NO_PLACE:
        raise UnknownZone(zone)
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(zone) from error


class _Change(Struct, frozen=True, gc=False):
    """One change on the time line: naive UTC instant, offsets before and after."""

    at: datetime
    before: timedelta
    after: timedelta


class CustomZone(tzinfo):
    """A zone computed from rules; gaps and folds as PEP 495 wants them."""

    def __init__(self, key: str, rules: ZoneRules) -> None:
        self.key = key
        self._rules = rules
        self._changes: dict[int, tuple[_Change, ...]] = {}
        self._initials: dict[int, timedelta] = {}

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Return the offset of a wall time; in a gap fold 0 keeps the offset before it."""
        if dt is None:
            return None
        naive = dt.replace(tzinfo=None)
        offset = self._initial(naive.year - 1)
        for change in self._around(naive.year):
            pick = min if dt.fold else max
            if naive - pick(change.before, change.after) < change.at:
                break
            offset = change.after
        return offset

    def fromutc(self, dt: datetime) -> datetime:
        """Return the wall time of an instant; `fold` is 1 in the second pass of an ambiguous hour."""
        naive = dt.replace(tzinfo=None)
        offset, fold = self._initial(naive.year - 1), 0
        for change in self._around(naive.year):
            if naive < change.at:
                break
            offset, fold = change.after, int(naive < change.at + change.before - change.after)
        return (dt + offset).replace(fold=fold)

    def dst(self, dt: datetime | None) -> timedelta | None:  # noqa: ARG002 - the interface of tzinfo
        """Return None: rules say offsets, not which of them is daylight saving."""
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        """Return the offset as a name."""
        offset = self.utcoffset(dt)
        return None if offset is None else "UTC" + _clock(offset)

    def _around(self, year: int) -> Iterator[_Change]:
        for near in (year - 1, year, year + 1):
            yield from self._year(near)

    def _year(self, year: int) -> tuple[_Change, ...]:
        if not 1 <= year <= 9998:
            return ()
        if year not in self._changes:
            self._changes[year] = tuple(self._compute(year))
        return self._changes[year]

    def _compute(self, year: int) -> Iterator[_Change]:
        before = self._initial(year)
        for wall, after in _wall_changes(self._rules, year):
            yield _Change(wall - before, before, after)
            before = after

    def _initial(self, year: int) -> timedelta:
        """Return the offset in force just before that year's first change."""
        if year not in self._initials:
            self._initials[year] = self._compute_initial(year)
        return self._initials[year]

    def _compute_initial(self, year: int) -> timedelta:
        lasts = [_last_before(rule, year) for rule in self._rules.transitions]
        past = [(at, rule.offset_s) for at, rule in zip(lasts, self._rules.transitions, strict=True) if at]
        return timedelta(seconds=max(past)[1] if past else self._rules.offset_s)


def _wall_changes(rules: ZoneRules, year: int) -> list[tuple[datetime, timedelta]]:
    found = []
    for rule in rules.transitions:
        day = rule.date_in(year)
        if day is not None:
            wall = datetime(day.year, day.month, day.day) + timedelta(seconds=rule.time_s)  # noqa: DTZ001
            found.append((wall, timedelta(seconds=rule.offset_s)))
    return sorted(found)


def _last_before(rule: ZoneTransition, year: int) -> date | None:
    latest = min(year - 1, rule.until.year if rule.until else year)
    # A fifth weekday or 29 February may be missing for some years.
    for candidate in range(latest, max(latest - 12, 0), -1):
        found = rule.date_in(candidate)
        if found is not None:
            return found
    return None


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date | None:
    first, length = monthrange(year, month)
    days = range(1 + (weekday - first) % 7, length + 1, 7)
    index = nth - 1 if nth > 0 else nth
    if not -len(days) <= index < len(days):
        return None
    return date(year, month, days[index])


def _offset_at_start(era: ZoneEra) -> int:
    """Return the offset an era begins with: that of its year's last change, wherever in the year it begins."""
    if not era.transitions:
        return era.offset_s
    year = era.since.year if era.since else 2001
    dated = sorted((change.date_in(year) or date(year, 12, 31), change.offset_s) for change in era.transitions)
    starts = [at for at, _ in dated]
    return dated[bisect_right(starts, era.since) - 1 if era.since else -1][1]


def _on_date(day: date, offset_s: int) -> ZoneTransition:
    return ZoneTransition(offset_s=offset_s, month=day.month, day=day.day, since=day, until=day)


def _bounded(change: ZoneTransition, since: date | None, until: date | None) -> ZoneTransition:
    return ZoneTransition(
        offset_s=change.offset_s,
        month=change.month,
        weekday=change.weekday,
        nth=change.nth,
        day=change.day,
        time_s=change.time_s,
        since=max(filter(None, (change.since, since)), default=None),
        until=min(filter(None, (change.until, until)), default=None),
    )


_TRANSITION = re.compile(
    r"(?P<offset>-?\d{1,6})@(?P<month>1[0-2]|[1-9])-(?:(?P<weekday>[0-6])#(?P<nth>-?[1-5])|(?P<day>[1-9]|[12]\d|3[01]))"
    r"T(?P<time>-?\d{1,6})(?:>(?P<since>\d{4}-\d\d-\d\d))?(?:<(?P<until>\d{4}-\d\d-\d\d))?"
)


def _text(change: ZoneTransition) -> str:
    when = str(change.day) if change.weekday is None else f"{change.weekday}#{change.nth}"
    since = f">{change.since.isoformat()}" if change.since else ""
    until = f"<{change.until.isoformat()}" if change.until else ""
    return f"{change.offset_s}@{change.month}-{when}T{change.time_s}{since}{until}"


def _parse(key: str) -> ZoneRules:
    base, *changes = key.removeprefix(CUSTOM_PREFIX).split(";")
    try:
        offset_s = int(base)
        transitions = tuple(_parse_transition(change) for change in changes)
    except ValueError as error:
        raise UnknownZone(key) from error
    if any(abs(offset) > OFFSET_MAX_S for offset in (offset_s, *(change.offset_s for change in transitions))):
        raise UnknownZone(key)
    return ZoneRules(offset_s, transitions)


def _parse_transition(text: str) -> ZoneTransition:
    match = _TRANSITION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return ZoneTransition(
        offset_s=int(match["offset"]),
        month=int(match["month"]),
        weekday=int(match["weekday"]) if match["weekday"] else None,
        nth=int(match["nth"] or 0),
        day=int(match["day"] or 0),
        time_s=int(match["time"]),
        since=date.fromisoformat(match["since"]) if match["since"] else None,
        until=date.fromisoformat(match["until"]) if match["until"] else None,
    )


def _samples(rules: ZoneRules, first: int, last: int) -> Iterator[datetime]:
    """Naive wall times that tell zones apart: around every change of the rules, and some days of every month."""
    for year in (last, first):
        for wall, _ in _wall_changes(rules, year):
            for hours in (-30, -3, 3, 30):
                yield wall + timedelta(hours=hours)
    at = datetime(first, 1, 1)  # noqa: DTZ001 - wall time on purpose
    while at.year <= last:
        yield at
        at += _SAMPLE_STEP


@lru_cache(maxsize=1)
def _windows_names() -> dict[str, str]:
    return {name.casefold(): _RENAMED.get(zone, zone) for name, zone in {**win_tz, **_WINDOWS_EXTRA}.items()}


@lru_cache(maxsize=1)
def _candidates() -> tuple[str, ...]:
    first = ["UTC", *sorted(set(_windows_names().values()))]
    return tuple(dict.fromkeys([*first, *sorted(available_timezones() - _NO_PLACE)]))


def _is_iana(name: str) -> bool:
    try:
        zone_info(name)
    except UnknownZone:
        return False
    return True


def rules_in(zone: str, year: int) -> ZoneRules:
    """Return the rules by which a zone's clock goes in one year, as if it did so every year. Raise UnknownZone.

    A year that ends on another offset than it began with has one that stays: the offset at its end.
    """
    clock = zone_info(zone)
    day, last = (datetime(at, 1, 1, tzinfo=UTC) for at in (year, year + 1))
    before = first = _offset_at(clock, day)
    changes = []
    while day < last:
        day += timedelta(days=1)
        if _offset_at(clock, day) != before:
            at = _changed_at(clock, day - timedelta(days=1), day)
            changes.append(_yearly(at.replace(tzinfo=None) + before, _offset_at(clock, at)))
            before = _offset_at(clock, day)
    if before != first:
        return ZoneRules(int(before.total_seconds()))
    return ZoneRules(int(first.total_seconds()), tuple(changes))


def _offset_at(clock: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(clock).utcoffset() or timedelta()


def _changed_at(clock: tzinfo, low: datetime, high: datetime) -> datetime:
    """Return the minute between two instants of different offsets at which the clock changes."""
    before, minutes = _offset_at(clock, low), range(int((high - low) / timedelta(minutes=1)) + 1)
    found = bisect_left(minutes, True, key=lambda n: _offset_at(clock, low + timedelta(minutes=n)) != before)
    return low + timedelta(minutes=found)


def _yearly(wall: datetime, offset: timedelta) -> ZoneTransition:
    final = (wall + timedelta(days=7)).month != wall.month
    return ZoneTransition(
        offset_s=int(offset.total_seconds()),
        month=wall.month,
        weekday=wall.weekday(),
        nth=-1 if final else (wall.day - 1) // 7 + 1,
        time_s=wall.hour * 3600 + wall.minute * 60,
    )


def _clock(offset: timedelta) -> str:
    sign, minutes = ("-" if offset < timedelta(0) else "+"), abs(offset) // timedelta(minutes=1)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
