"""An independent reading of .ics files, by the icalendar library and dateutil only: what Exchange should hold.

It knows the rules of the loader in words ("From .ics to Exchange") and none of the product's code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from dateutil import rrule
from icalendar import Calendar, Event

DAY = timedelta(days=1)
Key = tuple[str, datetime | None]
Times = tuple[datetime, datetime]
BUSY_STATUS = {"FREE": "free", "TENTATIVE": "tentative", "BUSY": "busy", "OOF": "out_of_office"}


@dataclass(frozen=True)
class Entry:
    """One VEVENT: a single, a series or one exception; times in UTC, all-day ones as dates at 00:00 UTC."""

    uid: str
    original: datetime | None
    subject: str
    start: datetime
    end: datetime
    all_day: bool
    show_as: str
    canceled: bool
    created: datetime | None
    rule: str
    excluded: tuple[datetime, ...]
    event: Event

    @property
    def key(self) -> Key:
        """Return the identity: UID and original start."""
        return self.uid, self.original

    @property
    def busy(self) -> bool:
        """Return whether it occupies its time (CD-02): Busy or Out of Office, and not cancelled."""
        return self.show_as in ("busy", "out_of_office") and not self.canceled


@dataclass(frozen=True)
class Meeting:
    """All entries of one UID: a single or series with its exceptions, or lone exceptions (`head` None)."""

    head: Entry | None
    others: tuple[Entry, ...]


def entries(text: str) -> list[Entry]:
    """Read every VEVENT of a file, in its order."""
    return [read(event) for calendar in Calendar.from_ical(text, multiple=True) for event in calendar.walk("VEVENT")]


def read(event: Event) -> Entry:
    """Read one VEVENT."""
    start = event["DTSTART"].dt
    all_day = not isinstance(start, datetime)
    original = event["RECURRENCE-ID"].dt if "RECURRENCE-ID" in event else None
    canceled = word(event, "STATUS") == "CANCELLED"
    begin = instant(start)
    return Entry(
        uid=str(event["UID"]),
        original=None if original is None else instant(original),
        subject=str(event.get("SUMMARY", ""))[:200],
        start=begin,
        end=_end(event, begin, all_day),
        all_day=all_day,
        show_as="free" if canceled else _show_as(event, all_day),
        canceled=canceled,
        created=_created(event),
        rule=event["RRULE"].to_ical().decode() if "RRULE" in event else "",
        excluded=tuple(instant(each.dt) for group in listed(event.get("EXDATE")) for each in group.dts),
        event=event,
    )


def meetings(found: Iterable[Entry]) -> dict[str, Meeting]:
    """Put the entries of a UID together; of several singles or masters the oldest counts."""
    heads: dict[str, Entry] = {}
    others: dict[str, dict[Key, Entry]] = {}
    for entry in found:
        known = others.setdefault(entry.uid, {})
        if entry.original is not None:
            known.setdefault(entry.key, entry)
        elif entry.uid not in heads or _age(entry) < _age(heads[entry.uid]):
            heads[entry.uid] = entry
    return {uid: Meeting(heads.get(uid), tuple(known.values())) for uid, known in others.items()}


def occurrences(meeting: Meeting, start: datetime, end: datetime) -> Iterator[tuple[Key, Entry, Times]]:
    """Yield every occurrence of a meeting that starts in [start, end), expanded by dateutil."""
    moved = {entry.original: entry for entry in meeting.others}
    if meeting.head is not None:
        for original, times in _expanded(meeting.head, start, end):
            if original not in moved and original not in meeting.head.excluded and start <= times[0] < end:
                yield (meeting.head.uid, original if meeting.head.rule else None), meeting.head, times
    for entry in meeting.others:
        if start <= entry.start < end:
            yield entry.key, entry, (entry.start, entry.end)


def instant(value: date) -> datetime:
    """Return a date, a floating or a zoned time as an instant; dates and floating times are of UTC."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def listed(value: Any) -> Sequence[Any]:
    """Return the values of a property that may be missing, single or a list."""
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def word(event: Event, name: str) -> str:
    """Return a property as a word in capitals."""
    return str(event.get(name, "")).strip().upper()


def _expanded(head: Entry, start: datetime, end: datetime) -> Iterator[tuple[datetime, Times]]:
    if not head.rule:
        yield head.start, (head.start, head.end)
        return
    first = head.event["DTSTART"].dt
    zone = getattr(first, "tzinfo", None) or UTC
    begin, finish = (moment.astimezone(zone).replace(tzinfo=None) for moment in (head.start, head.end))
    if head.all_day:
        begin, finish, zone = (head.start.replace(tzinfo=None), head.end.replace(tzinfo=None), UTC)
    rule = re.sub(r"UNTIL=([0-9TZ]+)", lambda found: f"UNTIL={_until(found[1], begin, zone)}", head.rule)
    window = (start.astimezone(zone).replace(tzinfo=None) - 40 * DAY, end.astimezone(zone).replace(tzinfo=None) + DAY)
    for at in rrule.rrulestr(rule, dtstart=begin).between(*window, inc=True):
        # Wall times of start and end stay as they are, as in Exchange.
        ended = at + (finish - begin)
        yield _utc(at, zone), (_utc(at, zone), _utc(ended, zone))


def _until(text: str, begin: datetime, zone: Any) -> str:
    """Return UNTIL as a wall time of the zone; a date alone is the whole day."""
    if len(text) == len("20260101"):
        return f"{text}T235959"
    moment = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")
    if text.endswith("Z"):
        moment = moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    return f"{moment:%Y%m%dT%H%M%S}"


def _utc(wall: datetime, zone: Any) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _end(event: Event, start: datetime, all_day: bool) -> datetime:
    if "DTEND" in event:
        end = instant(event["DTEND"].dt)
        return start + DAY if all_day and end <= start else end
    if "DURATION" in event:
        return start + event["DURATION"].dt
    return start + DAY if all_day else start


def _show_as(event: Event, all_day: bool) -> str:
    told = BUSY_STATUS.get(word(event, "X-MICROSOFT-CDO-BUSYSTATUS"))
    if told:
        return told
    if word(event, "TRANSP") == "TRANSPARENT":
        return "free"
    if word(event, "STATUS") == "TENTATIVE":
        return "tentative"
    return "free" if all_day and word(event, "TRANSP") != "OPAQUE" else "busy"


def _created(event: Event) -> datetime | None:
    for name in ("CREATED", "DTSTAMP"):
        value = getattr(event.get(name), "dt", None)
        if isinstance(value, datetime):
            return instant(value)
    return None


def _age(entry: Entry) -> str:
    return entry.created.isoformat() if entry.created else ""
