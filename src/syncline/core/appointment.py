"""The appointment as both sides understand it: frozen values and their enums.

A value here says what an appointment *is*, never where it is stored. It must not know references, revisions,
cursors or any wire format. Everything that synchronises is one `Appointment`; a series carries its exceptions
and deleted occurrences inside itself, so that it is compared, stored and written as one thing.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct, field

SUBJECT_MAX = 200
LOCATION_MAX = 200
DESCRIPTION_MAX = 1_048_576


class ShowAs(StrEnum):
    """What the time looks like to others (A-04, A-21)."""

    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OUT_OF_OFFICE = "out_of_office"
    WORKING_ELSEWHERE = "working_elsewhere"


class Status(StrEnum):
    """State of a CRM row (server-side-sync.md 1.9)."""

    OPEN = "open"
    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    CANCELED = "canceled"


class Sensitivity(StrEnum):
    """How private an item is (D-03)."""

    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class Importance(StrEnum):
    """CRM prioritycode 0, 1, 2."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Role(StrEnum):
    """Part that an attendee plays (1.10: 5 required, 6 optional, 10 resource)."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    RESOURCE = "resource"


class Response(StrEnum):
    """What an attendee answered; ORGANIZER marks the organizer's own copy."""

    NONE = "none"
    ORGANIZER = "organizer"
    TENTATIVE = "tentative"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Kind(StrEnum):
    """Shape of an appointment in listings (interface.md)."""

    SINGLE = "single"
    SERIES = "series"
    OCCURRENCE = "occurrence"
    EXCEPTION = "exception"


class PatternKind(StrEnum):
    """The six patterns that Exchange and the CRM share (R-09); *weekdays* is WEEKLY on Monday to Friday."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY_DAY = "monthly_day"
    MONTHLY_NTH = "monthly_nth"
    YEARLY_DAY = "yearly_day"
    YEARLY_NTH = "yearly_nth"


class Pattern(Struct, frozen=True, gc=False, kw_only=True):
    """How a series repeats; unused members keep their default.

    `interval` counts days, weeks, months or years. `weekdays` are Monday 0 to Sunday 6, ascending: the days of
    WEEKLY, and the candidate days of the NTH kinds (one day, the five weekdays, the two weekend days or all
    seven). `nth` is 1 to 4, or -1 for the last. `day` is the day of the month 1 to 31 and is clamped to the
    month's last day (ews-facts.md). `first_weekday` starts the week of WEEKLY.
    """

    kind: PatternKind
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    day: int = 0
    nth: int = 0
    month: int = 0
    first_weekday: int = 0


class Recurrence(Struct, frozen=True, gc=False, kw_only=True):
    """A pattern and its range: `first` is the date of the first occurrence in the item's zone.

    At most one of `count` (1 to 999) and `until` (last possible date, inclusive) is set; none means endless.
    Deleted occurrences count towards `count`.
    """

    pattern: Pattern
    first: date
    count: int | None = None
    until: date | None = None


class Span(Struct, frozen=True, gc=False):
    """[start, end) as aware UTC instants, to the second.

    An all-day span is a range of *dates*: both ends are 00:00 UTC of the dates meant (end exclusive), whatever
    the zone; `core.times` turns them into instants for one person (CD-08). A single-item span may be empty
    (start == end) but never ends before it starts.
    """

    start: datetime
    end: datetime
    all_day: bool = False


class Address(Struct, frozen=True, gc=False):
    """A mail address in lower case, and the name shown for it."""

    address: str
    name: str = ""


class Attendee(Struct, frozen=True, gc=False):
    """One invited address (lower case)."""

    address: str
    name: str = ""
    role: Role = Role.REQUIRED
    response: Response = Response.NONE


class Identity(Struct, frozen=True, gc=False, order=True):
    """Same meeting everywhere (A-33a): the iCalendar UID, and the original start of one occurrence or None.

    `original_start` is an aware UTC instant (all-day series: 00:00 UTC of the date).
    """

    global_object_id: str
    original_start: datetime | None = None


class Appointment(Struct, frozen=True, gc=False, kw_only=True):
    """One appointment: a single, a series with everything that belongs to it, or one exception of a series.

    `span` of a series is its first occurrence by pattern; its wall-clock time in `zone` is the time of every
    occurrence. `zone` is an IANA name or a custom-zone key of `core.times`. `description` is plain text.
    `exceptions` are whole appointments whose identity carries the original start, ordered by it; `deleted` are
    the original starts of deleted occurrences, ascending. `response` is the mailbox owner's own, and with
    `categories`, `reminder_minutes` and the attendees' responses it never leaves Exchange (AT-05, D-04).
    """

    identity: Identity
    subject: str = ""
    description: str = ""
    location: str = ""
    span: Span
    zone: str = "UTC"
    show_as: ShowAs = ShowAs.BUSY
    sensitivity: Sensitivity = Sensitivity.NORMAL
    importance: Importance = Importance.NORMAL
    organizer: Address | None = None
    attendees: tuple[Attendee, ...] = ()
    categories: tuple[str, ...] = ()
    reminder_minutes: int | None = None
    canceled: bool = False
    response: Response = Response.NONE
    created: datetime | None = None
    recurrence: Recurrence | None = None
    exceptions: tuple[Appointment, ...] = ()
    deleted: tuple[datetime, ...] = field(default=())

    @property
    def private(self) -> bool:
        """Return whether only the owner may read it (D-03): private or confidential."""
        return self.sensitivity in (Sensitivity.PRIVATE, Sensitivity.CONFIDENTIAL)
