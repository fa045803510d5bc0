"""Time zones of the emulated server: Windows ids, IANA names and zones that a client defines by its own rules.

A `ZoneRef` becomes a tzinfo here, and the definition (periods, transitions) of a known zone is made from the zone
database's rules of the current year. Knows XML only as the text of a definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.relativedelta import FR, MO, SA, SU, TH, TU, WE, relativedelta
from dateutil.tz import tzoffset, tzrange
from lxml import etree
from tzlocal.windows_tz import win_tz

from syncline.core.times import iana_to_windows
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import ZoneRef

T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS = dict(zip(WEEKDAYS, (MO, TU, WE, TH, FR, SA, SU), strict=True))
RULES_YEAR = 2026


@dataclass(frozen=True, slots=True)
class Change:
    """The day of the year when a zone's clock changes: nth weekday of a month (5 is the last) at `at` wall time."""

    month: int
    nth: int
    weekday: str
    at: timedelta


@dataclass(frozen=True, slots=True)
class Rules:
    """A zone's offsets east of UTC; without daylight saving both changes are None."""

    standard: timedelta
    daylight: timedelta
    to_standard: Change | None = None
    to_daylight: Change | None = None


def known_ids() -> list[str]:
    """Return every Windows zone id, sorted."""
    return sorted(win_tz)


def zone_ref(name: str) -> ZoneRef:
    """Return the zone of a Windows id or an IANA name; raises ErrorTimeZone."""
    if name in win_tz:
        return ZoneRef(name, display_name(name))
    windows = iana_to_windows(name)
    if windows is not None:
        return ZoneRef(windows, display_name(windows))
    try:
        clock = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EwsError("ErrorTimeZone") from None
    return zone_like(clock, name, ZoneRef())


@lru_cache(maxsize=512)
def zone_info(zone: ZoneRef) -> tzinfo:
    """Return the clock of a zone; raises ErrorTimeZone for an unknown id without a definition."""
    if zone.definition:
        return _custom(zone.definition)
    try:
        return ZoneInfo(win_tz.get(zone.id, zone.id))
    except (ZoneInfoNotFoundError, ValueError):
        raise EwsError("ErrorTimeZone") from None


def iana_name(zone: ZoneRef) -> str:
    """Return the IANA name of a zone, or its id when it is a custom one."""
    return win_tz.get(zone.id, zone.id) if not zone.definition else zone.id


def to_utc(wall: datetime, zone: ZoneRef) -> datetime:
    """Return the instant of a wall time; a time in the spring gap moves forward by the gap."""
    return wall.replace(tzinfo=zone_info(zone)).astimezone(UTC)


def to_wall(instant: datetime, zone: ZoneRef) -> datetime:
    """Return the wall time (naive) of an instant."""
    return instant.astimezone(zone_info(zone)).replace(tzinfo=None)


@lru_cache(maxsize=512)
def display_name(windows_id: str) -> str:
    """Return a display name such as (UTC+01:00) W. Europe Standard Time."""
    offset = rules(windows_id).standard
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"(UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}) {windows_id}"


@lru_cache(maxsize=512)
def rules(windows_id: str) -> Rules:
    """Return offsets and clock changes of a Windows zone, as the zone database has them for `RULES_YEAR`."""
    return rules_of(ZoneInfo(win_tz.get(windows_id, windows_id)))


def rules_of(clock: tzinfo) -> Rules:
    """Return offsets and clock changes of any clock in `RULES_YEAR`."""
    changes = _transitions(clock)
    offsets = {_offset(clock, datetime(RULES_YEAR, month, 1, tzinfo=UTC)) for month in (1, 7)}
    standard, daylight = min(offsets), max(offsets)
    if len(changes) != 2 or standard == daylight:
        return Rules(standard, standard)
    to_daylight = next(c for c, after in changes if after == daylight)
    to_standard = next(c for c, after in changes if after == standard)
    return Rules(standard, daylight, to_standard, to_daylight)


def zone_like(clock: tzinfo, name: str, preferred: ZoneRef) -> ZoneRef:
    """Return the known zone with the same rules, the preferred one first, or a custom zone of that name."""
    wanted = rules_of(clock)
    names = [preferred.id, *known_ids()] if not preferred.definition else known_ids()
    found = next((known for known in names if rules(known) == wanted), None)
    return ZoneRef(name, name, _definition(wanted)) if found is None else zone_ref(found)


def _offset(clock: tzinfo, instant: datetime) -> timedelta:
    return instant.astimezone(clock).utcoffset() or timedelta()


def _transitions(clock: tzinfo) -> list[tuple[Change, timedelta]]:
    """Return the changes of a year and the offset after each: days are compared first, then quarters of an hour."""
    found = []
    day, step = datetime(RULES_YEAR, 1, 1, tzinfo=UTC), timedelta(minutes=15)
    before = _offset(clock, day)
    while day.year == RULES_YEAR:
        tomorrow = day + timedelta(days=1)
        if _offset(clock, tomorrow) != before:
            at = next(day + n * step for n in range(1, 97) if _offset(clock, day + n * step) != before)
            after = _offset(clock, at)
            found.append((_change(at.replace(tzinfo=None) + before), after))
            before = after
        day = tomorrow
    return found


def _change(wall: datetime) -> Change:
    last = (wall + timedelta(days=7)).month != wall.month
    at = timedelta(hours=wall.hour, minutes=wall.minute)
    return Change(wall.month, 5 if last else (wall.day - 1) // 7 + 1, WEEKDAYS[wall.weekday()], at)


def duration(offset: timedelta) -> str:
    """Return an offset east of UTC as the Bias of a period (west is positive), an xs:duration."""
    minutes = -int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else ''}PT{abs(minutes) // 60}H{abs(minutes) % 60}M"


@lru_cache(maxsize=512)
def definition(windows_id: str) -> str:
    """Return periods, transition groups and transitions of a zone as XML with the prefix t."""
    return _definition(rules(windows_id))


def _definition(rule: Rules) -> str:
    periods = f'<t:Period Bias="{duration(rule.standard)}" Name="Standard" Id="trule:Standard"/>'
    group = '<t:Transition><t:To Kind="Period">trule:Standard</t:To></t:Transition>'
    if rule.to_daylight and rule.to_standard:
        periods += f'<t:Period Bias="{duration(rule.daylight)}" Name="Daylight" Id="trule:Daylight"/>'
        group = _day_transition(rule.to_daylight, "trule:Daylight") + _day_transition(
            rule.to_standard, "trule:Standard"
        )
    return (
        f"<t:Periods>{periods}</t:Periods>"
        f'<t:TransitionsGroups><t:TransitionsGroup Id="0">{group}</t:TransitionsGroup></t:TransitionsGroups>'
        '<t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions>'
    )


def _day_transition(change: Change, period: str) -> str:
    hours, minutes = divmod(int(change.at.total_seconds()) // 60, 60)
    return (
        f'<t:RecurringDayTransition><t:To Kind="Period">{period}</t:To>'
        f"<t:TimeOffset>PT{hours}H{minutes}M</t:TimeOffset><t:Month>{change.month}</t:Month>"
        f"<t:DayOfWeek>{change.weekday}</t:DayOfWeek>"
        f"<t:Occurrence>{-1 if change.nth == 5 else change.nth}</t:Occurrence></t:RecurringDayTransition>"
    )


@lru_cache(maxsize=256)
def _custom(text: str) -> tzinfo:
    """Return the clock of a definition: its last group of transitions, read as yearly rules."""
    root = etree.fromstring(f'<z xmlns:t="{T[1:-1]}">{text}</z>')
    biases = {p.get("Id"): -parse_duration(p.get("Bias") or "PT0S") for p in root.iter(f"{T}Period")}
    groups = root.findall(f"{T}TransitionsGroups/{T}TransitionsGroup")
    if not biases:
        raise EwsError("ErrorTimeZone")
    changes = [e for e in groups[-1] if e.find(f"{T}TimeOffset") is not None] if groups else []
    if len(changes) != 2:
        return tzoffset("custom", next(iter(biases.values())))
    ends = [(biases.get(e.findtext(f"{T}To") or "", timedelta()), e) for e in changes]
    (standard, to_standard), (daylight, to_daylight) = sorted(ends, key=lambda end: end[0])
    end = _rule(to_standard, daylight - standard)
    return tzrange("ST", standard, "DT", daylight, start=_rule(to_daylight), end=end)


def _rule(element: etree._Element, shift: timedelta = timedelta()) -> relativedelta:
    """Return a clock change as dateutil wants it: `end` rules are told in standard time (hence the shift)."""
    number = {name: int(element.findtext(f"{T}{name}") or 1) for name in ("Month", "Occurrence", "Day")}
    at = parse_duration(element.findtext(f"{T}TimeOffset") or "PT0S") - shift
    seconds = int(at.total_seconds())
    weekday = element.findtext(f"{T}DayOfWeek")
    if weekday is None:
        return relativedelta(hours=0, month=number["Month"], day=number["Day"], seconds=seconds)
    nth = number["Occurrence"]
    day = 31 if nth < 0 else 1
    return relativedelta(month=number["Month"], day=day, weekday=_DAYS[weekday](nth if nth else 1), seconds=seconds)


def parse_duration(text: str) -> timedelta:
    """Return an xs:duration of hours, minutes and seconds, as zones use it; days are allowed."""
    sign = -1 if text.startswith("-") else 1
    total, number, in_time = 0.0, "", False
    for letter in text.lstrip("-").removeprefix("P"):
        if letter == "T":
            in_time = True
        elif letter.isdigit() or letter == ".":
            number += letter
        else:
            units = {"D": 86_400, "H": 3_600, "M": 60 if in_time else 0, "S": 1}
            if letter not in units or not number:
                raise EwsError("ErrorTimeZone")
            total, number = total + float(number) * units[letter], ""
    return sign * timedelta(seconds=total)
