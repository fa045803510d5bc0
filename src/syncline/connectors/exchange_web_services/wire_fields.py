"""An appointment of the core as fields of a calendar item: each with its path, its XML and its place in the schema.

What is empty has no XML: a new item leaves it out, a changed one clears it. Every text that comes from outside is
escaped here. Pure; it must not know requests or the network. Sources: types.xsd for names and order, FieldURI of the
public EWS reference for paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from xml.sax.saxutils import escape

from syncline.connectors.exchange_web_services.wire_requests import KEY_FIELD
from syncline.connectors.exchange_web_services.wire_zones import zone_element
from syncline.core.appointment import (
    Appointment,
    Attendee,
    Pattern,
    PatternKind,
    Recurrence,
    Role,
    ShowAs,
)
from syncline.core.bodies import fit, html_of
from syncline.core.outgoing import PLAIN_FIELDS
from syncline.core.times import days, iana_to_windows, midnight

_SHOW_AS: Final[Mapping[ShowAs, str]] = {
    ShowAs.FREE: "Free",
    ShowAs.TENTATIVE: "Tentative",
    ShowAs.BUSY: "Busy",
    ShowAs.OUT_OF_OFFICE: "OOF",
    ShowAs.WORKING_ELSEWHERE: "WorkingElsewhere",
}
_ROLES: Final = (
    (Role.REQUIRED, "RequiredAttendees"),
    (Role.OPTIONAL, "OptionalAttendees"),
    (Role.RESOURCE, "Resources"),
)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NTH_DAYS: Final = {(0, 1, 2, 3, 4): "Weekday", (5, 6): "WeekendDay", (0, 1, 2, 3, 4, 5, 6): "Day"}
_NTH: Final = {1: "First", 2: "Second", 3: "Third", 4: "Fourth", -1: "Last"}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_KEY: Final = "ExtendedProperty"
# The order of the schema, which a new item must keep.
_ORDER: Final = (
    "Subject", "Sensitivity", "Body", "Categories", "Importance", "ReminderIsSet", "ReminderMinutesBeforeStart", _KEY,
    "UID", "Start", "End", "IsAllDayEvent", "LegacyFreeBusyStatus", "Location", "RequiredAttendees",
    "OptionalAttendees", "Resources", "Recurrence", "StartTimeZone", "EndTimeZone",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One field: the element that names it, and the element with its value, empty to clear it."""

    name: str
    path: str
    xml: str


def new_item(content: Appointment, key: str) -> str:
    """Return the XML of everything of a new item but its dates; raises UnknownZone."""
    found = {part.name: part.xml for part in _parts(content, PLAIN_FIELDS)}
    found |= {"UID": _element("UID", content.identity.global_object_id), _KEY: key_part(key).xml}
    if not content.description:
        found["Body"] = ""
    return "".join(found.get(name, "") for name in _ORDER)


def changes(before: Appointment, after: Appointment, fields: Iterable[str], *, dated: bool) -> tuple[Part, ...]:
    """Return the fields of an item, or (`dated`) of one date of a series, that change; raises UnknownZone.

    A new time of an item goes with its zone, in which the server counts; a date has its series' zone.
    """
    wanted = set(fields)
    if wanted & {"span", "zone"}:
        wanted |= {"span"} if dated else {"span", "zone"}
    if "zone" in wanted and after.zone == before.zone and iana_to_windows(after.zone) is None:
        wanted.discard("zone")
    if dated:
        wanted -= {"zone", "recurrence"}
    lists = {name for role, name in _ROLES if _of(before, role) == _of(after, role)}
    return tuple(part for part in _parts(after, wanted) if part.name not in lists)


def key_part(key: str) -> Part:
    """Return Syncline's own key as a field."""
    value = f"<t:ExtendedProperty>{KEY_FIELD}<t:Value>{_text(key)}</t:Value></t:ExtendedProperty>"
    return Part(_KEY, KEY_FIELD, value)


def _parts(content: Appointment, fields: Iterable[str]) -> list[Part]:
    return [part for name in fields for part in _WRITERS[name](content)]


def _part(uri: str, xml: str) -> Part:
    return Part(uri.partition(":")[2], f'<t:FieldURI FieldURI="{uri}"/>', xml)


def _text(text: str) -> str:
    return escape(fit(text))


def _element(name: str, text: str) -> str:
    return f"<t:{name}>{_text(text)}</t:{name}>" if text else ""


def _flag(name: str, *, value: bool) -> str:
    return f"<t:{name}>{'true' if value else 'false'}</t:{name}>"


def _of(content: Appointment, role: Role) -> tuple[str, ...]:
    return tuple(sorted(each.address for each in content.attendees if each.role is role))


def _body(content: Appointment) -> list[Part]:
    return [_part("item:Body", f'<t:Body BodyType="HTML">{_text(html_of(content.description))}</t:Body>')]


def _span(content: Appointment) -> list[Part]:
    span = content.span
    start, end = span.start, span.end
    if span.all_day:
        first, last = days(span)
        start, end = midnight(first, content.zone), midnight(last, content.zone)
    return [
        _part("calendar:Start", _element("Start", _instant(start))),
        _part("calendar:End", _element("End", _instant(end))),
        _part("calendar:IsAllDayEvent", _flag("IsAllDayEvent", value=span.all_day)),
    ]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _zone(content: Appointment) -> list[Part]:
    ends = ("StartTimeZone", "EndTimeZone")
    return [_part(f"calendar:{end}", zone_element(end, content.zone, content.span.start.year)) for end in ends]


def _attendees(content: Appointment) -> list[Part]:
    return [
        _part(f"calendar:{name}", _people(name, [each for each in content.attendees if each.role is role]))
        for role, name in _ROLES
    ]


def _people(name: str, people: Iterable[Attendee]) -> str:
    inner = "".join(
        f"<t:Attendee><t:Mailbox>{_element('Name', each.name)}{_element('EmailAddress', each.address)}</t:Mailbox>"
        "</t:Attendee>"
        for each in people
    )
    return f"<t:{name}>{inner}</t:{name}>" if inner else ""


def _categories(content: Appointment) -> list[Part]:
    inner = "".join(_element("String", name) for name in content.categories)
    return [_part("item:Categories", f"<t:Categories>{inner}</t:Categories>" if inner else "")]


def _reminder(content: Appointment) -> list[Part]:
    minutes = content.reminder_minutes
    parts = [_part("item:ReminderIsSet", _flag("ReminderIsSet", value=minutes is not None))]
    if minutes is not None:
        parts.append(_part("item:ReminderMinutesBeforeStart", _element("ReminderMinutesBeforeStart", str(minutes))))
    return parts


def _recurrence(content: Appointment) -> list[Part]:
    repeats = content.recurrence
    xml = "" if repeats is None else f"<t:Recurrence>{_pattern(repeats.pattern)}{_range(repeats)}</t:Recurrence>"
    return [_part("calendar:Recurrence", xml)]


def _pattern(pattern: Pattern) -> str:
    name, inner = _PATTERNS[pattern.kind]
    return f"<t:{name}>{inner(pattern)}</t:{name}>"


def _interval(pattern: Pattern) -> str:
    return _element("Interval", str(pattern.interval))


def _weekly(pattern: Pattern) -> str:
    names = " ".join(_DAYS[day] for day in pattern.weekdays)
    first = _element("FirstDayOfWeek", _DAYS[pattern.first_weekday])
    return f"{_interval(pattern)}{_element('DaysOfWeek', names)}{first}"


def _nth(pattern: Pattern) -> str:
    name = _NTH_DAYS.get(pattern.weekdays) or _DAYS[pattern.weekdays[0]]
    return f"{_element('DaysOfWeek', name)}{_element('DayOfWeekIndex', _NTH[pattern.nth])}"


def _day(pattern: Pattern) -> str:
    return _element("DayOfMonth", str(pattern.day))


def _month(pattern: Pattern) -> str:
    return _element("Month", _MONTHS[pattern.month - 1])


_PATTERNS: Final[Mapping[PatternKind, tuple[str, Callable[[Pattern], str]]]] = {
    PatternKind.DAILY: ("DailyRecurrence", _interval),
    PatternKind.WEEKLY: ("WeeklyRecurrence", _weekly),
    PatternKind.MONTHLY_DAY: ("AbsoluteMonthlyRecurrence", lambda each: _interval(each) + _day(each)),
    PatternKind.MONTHLY_NTH: ("RelativeMonthlyRecurrence", lambda each: _interval(each) + _nth(each)),
    PatternKind.YEARLY_DAY: ("AbsoluteYearlyRecurrence", lambda each: _day(each) + _month(each)),
    PatternKind.YEARLY_NTH: ("RelativeYearlyRecurrence", lambda each: _nth(each) + _month(each)),
}


def _range(repeats: Recurrence) -> str:
    first = _date("StartDate", repeats.first)
    if repeats.count is not None:
        count = _element("NumberOfOccurrences", str(repeats.count))
        return f"<t:NumberedRecurrence>{first}{count}</t:NumberedRecurrence>"
    if repeats.until is not None:
        return f"<t:EndDateRecurrence>{first}{_date('EndDate', repeats.until)}</t:EndDateRecurrence>"
    return f"<t:NoEndRecurrence>{first}</t:NoEndRecurrence>"


def _date(name: str, day: date) -> str:
    return _element(name, day.isoformat())


_WRITERS: Final[Mapping[str, Callable[[Appointment], list[Part]]]] = {
    "subject": lambda one: [_part("item:Subject", _element("Subject", one.subject))],
    "description": _body,
    "location": lambda one: [_part("calendar:Location", _element("Location", one.location))],
    "span": _span,
    "zone": _zone,
    "show_as": lambda one: [
        _part("calendar:LegacyFreeBusyStatus", _element("LegacyFreeBusyStatus", _SHOW_AS[one.show_as]))
    ],
    "sensitivity": lambda one: [_part("item:Sensitivity", _element("Sensitivity", one.sensitivity.value.capitalize()))],
    "importance": lambda one: [_part("item:Importance", _element("Importance", one.importance.value.capitalize()))],
    "attendees": _attendees,
    "categories": _categories,
    "reminder_minutes": _reminder,
    "recurrence": _recurrence,
}
