"""What a mailbox of the emulated server holds: items, people and zones as frozen values.

Words are those of EWS (Busy, Accept, SingleInstance), because a server keeps what it was told. A series carries
its exceptions and deleted occurrences inside itself. Knows nothing of XML, SQL or HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from syncline.core.appointment import Recurrence

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """A mail address in lower case and a display name."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """One invited person; `role` is Required, Optional or Resource, `response` an EWS ResponseType."""

    address: str
    name: str = ""
    role: str = "Required"
    response: str = "Unknown"
    responded: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedKey:
    """Name of an extended property: a distinguished set, a GUID set or a tag, with an id or a name."""

    kind: str
    set: str = ""
    guid: str = ""
    tag: str = ""
    name: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class ExtendedValue:
    """One extended property and its value; arrays hold several values."""

    key: ExtendedKey
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ZoneRef:
    """A time zone as a client gave it: Windows id, name, and for a custom zone its definition (XML of children)."""

    id: str = "UTC"
    name: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One attached file; `blob` names its content in the store, `size` is what it occupies, in bytes."""

    blob: int
    name: str
    content_type: str = ""
    content_id: str = ""
    inline: bool = False
    size: int = 0
    modified: datetime = EPOCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a mailbox: a calendar item, a mail or one of the meeting messages (`kind`).

    Instants are aware UTC. `start` and `end` of a series are its first occurrence's. An exception stands in
    `exceptions` of its master with `original_start`; `deleted` are original starts. `associated` is the row of
    the calendar item that a meeting message belongs to.
    """

    kind: str = "CalendarItem"
    item_class: str = "IPM.Appointment"
    subject: str = ""
    body: str = ""
    body_type: str = "Text"
    sensitivity: str = "Normal"
    importance: str = "Normal"
    categories: tuple[str, ...] = ()
    created: datetime = EPOCH
    modified: datetime = EPOCH
    reminder_set: bool = True
    reminder_minutes: int = 15
    extended: tuple[ExtendedValue, ...] = ()
    uid: str = ""
    recurrence_id: datetime | None = None
    start: datetime = EPOCH
    end: datetime = EPOCH
    all_day: bool = False
    show_as: str = "Busy"
    location: str = ""
    start_zone: ZoneRef = ZoneRef()
    end_zone: ZoneRef = ZoneRef()
    cancelled: bool = False
    request_sent: bool = False
    response_requested: bool = True
    my_response: str = "Unknown"
    reply_time: datetime | None = None
    organizer: Person | None = None
    attendees: tuple[Attendee, ...] = ()
    sequence: int = 0
    recurrence: Recurrence | None = None
    exceptions: tuple[Item, ...] = ()
    deleted: tuple[datetime, ...] = ()
    original_start: datetime | None = None
    sender: Person | None = None
    recipients: tuple[Person, ...] = ()
    is_read: bool = False
    is_draft: bool = False
    associated: int = 0
    response_type: str = "Unknown"
    request_type: str = "NewMeetingRequest"
    attachments: tuple[Attachment, ...] = ()

    @property
    def is_meeting(self) -> bool:
        """Return whether others are invited, or this copy came from somebody."""
        return bool(self.attendees) or self.my_response not in ("Unknown", "Organizer")

    @property
    def has_files(self) -> bool:
        """Return whether a file is attached that is no part of the body."""
        return any(not attachment.inline for attachment in self.attachments)

    @property
    def is_calendar(self) -> bool:
        """Return whether this is a calendar item and no mail."""
        return self.kind == "CalendarItem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """One mailbox: row, address (lower case), display name, password, and Windows or IANA zone."""

    row: int
    address: str
    name: str
    password: str
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder; `distinguished` is its well-known name or empty, `folder_class` such as IPF.Appointment."""

    row: int
    mailbox: int
    parent: int
    distinguished: str
    folder_class: str
    name: str
    change: int
    created_change: int
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An item where it lies: `row` never returns after a move, `change` grows with every write."""

    row: int
    mailbox: int
    folder: int
    change: int
    created_change: int
    item: Item


@dataclass(frozen=True, slots=True)
class Removed:
    """A tombstone: the item left the folder at `change`."""

    row: int
    mailbox: int
    folder: int
    change: int
    created_change: int
