"""A time zone definition of Exchange as a zone key of the core: by its Windows id, else by its own rules.

Pure. Exchange counts Bias west of UTC, the core counts east. A definition lists periods (offsets), groups (the changes
of a year) and transitions between groups (from a date on); the reference page is TimeZoneDefinition of the public EWS
documentation. A zone without a known name and without rules raises UnknownZone: it is never taken for UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from syncline.connectors.exchange_web_services.wire import InvalidAnswer, T, text_of
from syncline.core.times import (
    UnknownZone,
    ZoneEra,
    ZoneRules,
    ZoneTransition,
    iana_to_windows,
    resolve_zone,
    rules_in,
    rules_of_eras,
)
from syncline.core.zones import CUSTOM_PREFIX

_DURATION: Final = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>\d{1,3})D)?(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,7})(?:\.\d*)?S)?)?"
)
_CUSTOM: Final = "tzone://Microsoft/Custom"
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def zone_of(element: etree._Element) -> str:
    """Return the zone key of a StartTimeZone or TimeZoneDefinition; raises UnknownZone or InvalidAnswer."""
    name = element.get("Id") or element.get("Name") or ""
    return _resolved(name, etree.tostring(element, with_tail=False) if len(element) else b"")


@lru_cache(maxsize=1024)
def _resolved(name: str, definition: bytes) -> str:
    """Resolve a zone once: a mailbox has few zones and thousands of items."""
    try:
        return resolve_zone(name)
    except UnknownZone:
        if not definition:
            raise
    return resolve_zone(name, rules_of_eras(_eras(etree.fromstring(definition))))


def zone_element(name: str, zone: str, year: int) -> str:
    """Return a StartTimeZone or EndTimeZone: by its Windows id, else by the rules of that year (D-07).

    Raises UnknownZone for what is no zone at all.
    """
    known = iana_to_windows(zone)
    if known is not None:
        return f"<t:{name} Id={quoteattr(known)}/>"
    called = _CUSTOM if zone.startswith(CUSTOM_PREFIX) else zone
    return f"<t:{name} Id={quoteattr(called)} Name={quoteattr(called)}>{_definition(rules_in(zone, year))}</t:{name}>"


def _definition(rules: ZoneRules) -> str:
    offsets = sorted({rules.offset_s, *(change.offset_s for change in rules.transitions)})
    periods = "".join(
        f'<t:Period Bias="{_duration(-offset)}" Name="P{number}" Id="P{number}"/>'
        for number, offset in enumerate(offsets)
    )
    always = f'<t:Transition><t:To Kind="Period">P{offsets.index(rules.offset_s)}</t:To></t:Transition>'
    group = "".join(_recurring(change, offsets.index(change.offset_s)) for change in rules.transitions) or always
    return (
        f"<t:Periods>{periods}</t:Periods>"
        f'<t:TransitionsGroups><t:TransitionsGroup Id="0">{group}</t:TransitionsGroup></t:TransitionsGroups>'
        '<t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions>'
    )


def _recurring(change: ZoneTransition, period: int) -> str:
    assert change.weekday is not None
    return (
        f'<t:RecurringDayTransition><t:To Kind="Period">P{period}</t:To>'
        f"<t:TimeOffset>{_duration(change.time_s)}</t:TimeOffset><t:Month>{change.month}</t:Month>"
        f"<t:DayOfWeek>{_WEEKDAYS[change.weekday]}</t:DayOfWeek><t:Occurrence>{change.nth}</t:Occurrence>"
        "</t:RecurringDayTransition>"
    )


def _duration(seconds: int) -> str:
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds < 0 else ''}PT{hours}H{rest // 60}M{rest % 60}S"


def _eras(element: etree._Element) -> list[ZoneEra]:
    offsets = {period.get("Id") or "": -_seconds(period.get("Bias")) for period in element.iter(f"{T}Period")}
    if not offsets:
        raise UnknownZone(element.get("Id") or "a zone without periods")
    groups = {group.get("Id") or "": group for group in element.iter(f"{T}TransitionsGroup")}
    steps = element.find(f"{T}Transitions")
    if steps is None or not len(steps):
        group = next(iter(groups.values()), None)
        return [_era(None, group, offsets)]
    return [_step(step, groups, offsets) for step in steps]


def _step(step: etree._Element, groups: Mapping[str, etree._Element], offsets: Mapping[str, int]) -> ZoneEra:
    """Return what holds from one transition on: a group, or (seldom) a period for good."""
    when = text_of(step, f"{T}DateTime")
    since = _day(when) if when else None
    target = step.find(f"{T}To")
    name = "" if target is None else (target.text or "").strip()
    if target is not None and target.get("Kind") == "Period":
        return ZoneEra(since, _offset(name, offsets))
    if name not in groups:
        raise InvalidAnswer("a time zone names a group that it does not define")
    return _era(since, groups[name], offsets)


def _era(since: date | None, group: etree._Element | None, offsets: Mapping[str, int]) -> ZoneEra:
    constant = next(iter(offsets.values()))
    changes: list[ZoneTransition] = []
    for entry in () if group is None else group:
        offset_s = _offset((text_of(entry, f"{T}To") or "").strip(), offsets)
        if text_of(entry, f"{T}Month") is None:
            constant = offset_s
        else:
            changes.append(_change(entry, offset_s))
    return ZoneEra(since, constant, tuple(changes))


def _change(entry: etree._Element, offset_s: int) -> ZoneTransition:
    month = _number(entry, "Month", 1, 12)
    time_s = _seconds(text_of(entry, f"{T}TimeOffset"))
    weekday = (text_of(entry, f"{T}DayOfWeek") or "").strip()
    if not weekday:
        return ZoneTransition(offset_s=offset_s, month=month, day=_number(entry, "Day", 1, 31), time_s=time_s)
    if weekday not in _WEEKDAYS:
        raise InvalidAnswer("a time zone changes on an unknown weekday")
    nth = _number(entry, "Occurrence", -5, 5)
    return ZoneTransition(
        offset_s=offset_s,
        month=month,
        weekday=_WEEKDAYS.index(weekday),
        # The fifth weekday means the last one, as in Windows' own rules.
        nth=-1 if nth == 5 else nth or 1,
        time_s=time_s,
    )


def _offset(period: str, offsets: Mapping[str, int]) -> int:
    if period not in offsets:
        raise InvalidAnswer("a time zone names a period that it does not define")
    return offsets[period]


def _seconds(text: str | None) -> int:
    """Return an xs:duration of days, hours, minutes and seconds in seconds."""
    match = _DURATION.fullmatch((text or "").strip())
    if match is None:
        raise InvalidAnswer("a time zone has a broken duration")
    days, hours, minutes, seconds = (int(match[part] or 0) for part in ("days", "hours", "minutes", "seconds"))
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return -total if match["sign"] else total


def _number(entry: etree._Element, name: str, low: int, high: int) -> int:
    text = (text_of(entry, f"{T}{name}") or "").strip()
    if not re.fullmatch(r"-?\d{1,2}", text) or not low <= int(text) <= high:
        raise InvalidAnswer(f"a time zone has a broken {name}")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError as error:
        raise InvalidAnswer("a time zone has a broken date") from error
