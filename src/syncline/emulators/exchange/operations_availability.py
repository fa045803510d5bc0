"""GetUserAvailability: free/busy of several mailboxes, as merged digits and as events. No suggestions.

Times are told without an offset in the zone of the request, as Exchange does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Item, Mailbox, ZoneRef
from syncline.emulators.exchange.series import expand
from syncline.emulators.exchange.view import EXCEPTION, occurrence_view
from syncline.emulators.exchange.wire import (
    MESSAGES,
    TYPES,
    M,
    T,
    children,
    error_content,
    escape,
    read_instant,
)
from syncline.emulators.exchange.zones import rules, to_utc, to_wall, zone_ref

MAILBOXES_MAX = 100
WINDOW_DAYS_MAX = 62
WEIGHT = {"Free": 0, "Tentative": 1, "Busy": 2, "OOF": 3, "WorkingElsewhere": 0, "NoData": 4}
_DIGIT = {"Free": "0", "Tentative": "1", "Busy": "2", "OOF": "3", "NoData": "4"}
VIEWS = frozenset({"MergedOnly", "FreeBusy", "FreeBusyMerged", "Detailed", "DetailedMerged"})
_DAY_MINUTES = {"start": 480, "end": 1_020}


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked: [start, end), the width of the merged intervals, and the zone in which times are told."""

    start: datetime
    end: datetime
    step_minutes: int
    zone: ZoneRef


def get_user_availability(call: Call, request: etree._Element) -> str:
    """Return the free/busy view of each mailbox in the asked window."""
    options = request.find(f"{T}FreeBusyViewOptions")
    if options is None:
        raise call.refuse("GetUserAvailability without FreeBusyViewOptions.")
    zone = _request_zone(call, request)
    window = options.find(f"{T}TimeWindow")
    start, end = (_instant(window, name, zone) for name in ("StartTime", "EndTime"))
    step = int(options.findtext(f"{T}MergedFreeBusyIntervalInMinutes") or 30)
    wanted = options.findtext(f"{T}RequestedView") or "FreeBusy"
    if wanted not in VIEWS:
        raise EwsError("ErrorSchemaValidation", "RequestedView is unknown.", fault=True)
    if end <= start or end - start > timedelta(days=WINDOW_DAYS_MAX):
        raise EwsError("ErrorTimeIntervalTooBig", fault=True)
    if not 5 <= step <= 1_440:
        raise EwsError("ErrorInvalidMergedFreeBusyInterval", fault=True)
    addresses = [e.findtext(f"{T}Email/{T}Address") or "" for e in children(request, f"{M}MailboxDataArray")]
    if not 1 <= len(addresses) <= MAILBOXES_MAX:
        raise EwsError("ErrorIndividualMailboxLimitReached", fault=True)
    window_asked = Window(start, end, step, zone)
    found = "".join(_answer(call, address, window_asked, wanted) for address in addresses)
    return (
        f'<m:GetUserAvailabilityResponse xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"><m:FreeBusyResponseArray>{found}'
        "</m:FreeBusyResponseArray></m:GetUserAvailabilityResponse>"
    )


def _request_zone(call: Call, request: etree._Element) -> ZoneRef:
    """Return the zone that a serializable time zone of the request means: the Windows zone with its rules."""
    element = request.find(f"{T}TimeZone")
    if element is None:
        return call.zone
    bias = int(element.findtext(f"{T}Bias") or 0)
    standard = int(element.findtext(f"{T}StandardTime/{T}Bias") or 0)
    daylight = int(element.findtext(f"{T}DaylightTime/{T}Bias") or 0)
    return ZoneRef("Request", "Request", _definition(element, -(bias + standard), -(bias + daylight)))


def _definition(element: etree._Element, standard: int, daylight: int) -> str:
    changes = []
    for name, period in (("StandardTime", "s"), ("DaylightTime", "d")):
        part = element.find(f"{T}{name}")
        month = part.findtext(f"{T}Month") if part is not None else "0"
        if part is None or month == "0":
            continue
        hours, minutes, _ = (int(n) for n in (part.findtext(f"{T}Time") or "0:0:0").split(":"))
        nth = int(part.findtext(f"{T}DayOrder") or 1)
        changes.append(
            f'<t:RecurringDayTransition><t:To Kind="Period">{period}</t:To><t:TimeOffset>PT{hours}H{minutes}M'
            f"</t:TimeOffset><t:Month>{month}</t:Month><t:DayOfWeek>{part.findtext(f'{T}DayOfWeek')}</t:DayOfWeek>"
            f"<t:Occurrence>{-1 if nth == 5 else nth}</t:Occurrence></t:RecurringDayTransition>"
        )
    group = "".join(changes)
    return (
        f'<t:Periods><t:Period Bias="{_bias(standard)}" Name="Standard" Id="s"/><t:Period Bias="{_bias(daylight)}"'
        f' Name="Daylight" Id="d"/></t:Periods><t:TransitionsGroups><t:TransitionsGroup Id="0">{group}'
        "</t:TransitionsGroup></t:TransitionsGroups>"
    )


def _bias(minutes_east: int) -> str:
    return f"{'-' if minutes_east > 0 else ''}PT{abs(minutes_east)}M"


def _instant(window: etree._Element | None, name: str, zone: ZoneRef) -> datetime:
    text = window.findtext(f"{T}{name}") if window is not None else None
    if not text:
        raise EwsError("ErrorSchemaValidation", "TimeWindow is missing.", fault=True)
    value = read_instant(text)
    return value if value.tzinfo else to_utc(value, zone)


def _answer(call: Call, address: str, window: Window, wanted: str) -> str:
    mailbox = call.store.mailbox(address)
    if mailbox is None:
        error = EwsError("ErrorMailRecipientNotFound", "The mailbox is not on this server.")
        return (
            f'<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Error">{error_content(error)}</m:ResponseMessage>'
            "<m:FreeBusyView><t:FreeBusyViewType>None</t:FreeBusyViewType></m:FreeBusyView></m:FreeBusyResponse>"
        )
    events = _events(call, mailbox, window.start, window.end)
    detailed = wanted.startswith("Detailed") and call.may_open(mailbox.row)
    merged = f"<t:MergedFreeBusy>{merge(events, window)}</t:MergedFreeBusy>" if "Merged" in wanted else ""
    listed = "".join(_event(item, exception, window.zone, detailed=detailed) for item, exception in events)
    array = "" if wanted == "MergedOnly" else f"<t:CalendarEventArray>{listed}</t:CalendarEventArray>"
    if not detailed and wanted.startswith("Detailed"):
        wanted = wanted.replace("Detailed", "FreeBusy")
    view = f"<t:FreeBusyViewType>{wanted}</t:FreeBusyViewType>{merged}{array}{_working_hours(mailbox)}"
    return (
        '<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
        f"</m:ResponseMessage><m:FreeBusyView>{view}</m:FreeBusyView></m:FreeBusyResponse>"
    )


def _events(call: Call, mailbox: Mailbox, start: datetime, end: datetime) -> list[tuple[Item, bool]]:
    """Return what stands in the default calendar, free time included, with whether it is an exception."""
    folder = call.store.distinguished(mailbox.row, "calendar")
    assert folder is not None
    found = []
    for stored in call.store.items_between(folder.row, start, end):
        for item in expand(stored.item, start, end):
            view = occurrence_view(stored, mailbox, item)
            found.append((item, stored.item.recurrence is not None and view.type == EXCEPTION))
    return sorted(found, key=lambda entry: entry[0].start)


def merge(events: list[tuple[Item, bool]], window: Window) -> str:
    """Return one digit per interval: the strongest show-as in it; working elsewhere counts as free."""
    start, end, width = window.start, window.end, timedelta(minutes=window.step_minutes)
    count = -(-(end - start) // width)
    slots = ["Free"] * count
    for item, _ in events:
        first = max(0, (item.start - start) // width)
        last = min(count, -(-(item.end - start) // width))
        for slot in range(first, last):
            if WEIGHT[item.show_as] > WEIGHT[slots[slot]]:
                slots[slot] = item.show_as
    return "".join(_DIGIT[slot] for slot in slots)


def _event(item: Item, exception: bool, zone: ZoneRef, *, detailed: bool) -> str:
    private = item.sensitivity in ("Private", "Confidential")
    details = ""
    if detailed:
        texts = "" if private else (
            f"<t:ID>{item.uid[-32:]}</t:ID><t:Subject>{escape(item.subject)}</t:Subject>"
            f"<t:Location>{escape(item.location)}</t:Location>"
        )  # fmt: skip
        flags = {
            "IsMeeting": item.is_meeting,
            "IsRecurring": item.original_start is not None and not exception,
            "IsException": exception,
            "IsReminderSet": item.reminder_set,
            "IsPrivate": private,
        }
        told = "".join(f"<t:{name}>{'true' if value else 'false'}</t:{name}>" for name, value in flags.items())
        details = f"<t:CalendarEventDetails>{texts}{told}</t:CalendarEventDetails>"
    return (
        f"<t:CalendarEvent><t:StartTime>{to_wall(item.start, zone).isoformat()}</t:StartTime>"
        f"<t:EndTime>{to_wall(item.end, zone).isoformat()}</t:EndTime>"
        f"<t:BusyType>{item.show_as}</t:BusyType>{details}</t:CalendarEvent>"
    )


def _working_hours(mailbox: Mailbox) -> str:
    rule = rules(zone_ref(mailbox.zone).id)
    minutes = -int(rule.standard.total_seconds()) // 60
    saving = -int((rule.daylight - rule.standard).total_seconds()) // 60
    parts = []
    for name, change, bias in (("StandardTime", rule.to_standard, 0), ("DaylightTime", rule.to_daylight, saving)):
        at = int(change.at.total_seconds()) if change else 0
        parts.append(
            f"<t:{name}><t:Bias>{bias}</t:Bias><t:Time>{at // 3600:02}:{at // 60 % 60:02}:00</t:Time>"
            f"<t:DayOrder>{change.nth if change else 0}</t:DayOrder><t:Month>{change.month if change else 0}</t:Month>"
            f"<t:DayOfWeek>{change.weekday if change else 'Sunday'}</t:DayOfWeek></t:{name}>"
        )
    days = "Monday Tuesday Wednesday Thursday Friday"
    return (
        f"<t:WorkingHours><t:TimeZone><t:Bias>{minutes}</t:Bias>{''.join(parts)}</t:TimeZone>"
        f"<t:WorkingPeriodArray><t:WorkingPeriod><t:DayOfWeek>{days}</t:DayOfWeek>"
        f"<t:StartTimeInMinutes>{_DAY_MINUTES['start']}</t:StartTimeInMinutes>"
        f"<t:EndTimeInMinutes>{_DAY_MINUTES['end']}</t:EndTimeInMinutes></t:WorkingPeriod></t:WorkingPeriodArray>"
        "</t:WorkingHours>"
    )
