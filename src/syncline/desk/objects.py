"""The objects of interface.md, exactly with the fields named there, and their JSON.

The same values go out of the command line (`--json`), the API and the pages. Times are aware UTC and become RFC 3339.
They are already masked for the viewer who asked: nothing here decides who may read what.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """One attendee: role required, optional or resource; response none, tentative, accepted or declined."""

    address: str
    name: str
    role: str
    response: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMark:
    """The mailbox through which an appointment is synchronized, and how that stands."""

    mailbox: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentObject:
    """One appointment of the CRM: single, series (as its master), occurrence or exception.

    `organizer` is an address; `recurrence` an RRULE. `series_id` and `original_start` are set on occurrences and
    exceptions only. An all-day appointment runs from 00:00 UTC of its first date to 00:00 UTC after its last. `draft`:
    it stays in the CRM for now; dates are drafts as long as their series is.
    """

    id: str
    global_object_id: str
    kind: str
    series_id: str | None
    original_start: datetime | None
    subject: str
    start: datetime
    end: datetime
    time_zone: str
    all_day: bool
    show_as: str
    status: str
    organizer: str | None
    attendees: tuple[Invited, ...]
    recurrence: str | None
    private: bool
    draft: bool
    link: LinkMark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """One appointment that is in the way, as the viewer may read it; `user` is the person whom it occupies.

    `role` is that person's part in it: organizer, required, optional, resource, or None if that may not be told.
    """

    appointment_id: str | None
    subject: str
    start: datetime
    end: datetime
    show_as: str
    user: str
    masked: bool
    all_day: bool = False
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClashingSeries:
    """How many dates the waiting series has, and the starts of those that clash."""

    occurrences: int
    clashing: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertObject:
    """One alert; a question has Yes and No while `state` is open (and Yes while it is kept out or lapsed).

    `left_out` are the dates that a Yes leaves out; `can_undo`: the answer can still be taken back by who asks.
    """

    id: int
    mailbox: str
    code: str
    level: str
    text: str
    subject: str
    start: datetime | None
    end: datetime | None
    state: str
    outcome: str | None
    decided_by: str | None
    decided_on: datetime | None
    created: datetime
    last_seen: datetime
    count: int
    version: int
    url: str
    unavailable: tuple[str, ...]
    series: ClashingSeries | None
    clashes: tuple[Clash, ...]
    left_out: tuple[datetime, ...] = ()
    can_undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureObject:
    """One item that is not synchronized; `state` is waiting, failed, kept_out or skipped.

    `direction` is exchange_to_crm, or crm_to_exchange for what could not be carried over to Exchange.
    """

    id: int
    mailbox: str
    subject: str
    sync_error: str
    last_sync_error_time: datetime | None
    retries: int
    direction: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashObject:
    """One appointment that was deleted and is kept until `kept_until`; a series is one entry with all its dates.

    A single date that went from a series which stands, or a date of somebody else's series, has the kind exception.
    `side` is where it stood, exchange or crm; `reason` is deleted (there, because the other side deleted it) or edited
    (there, while the other side deleted it); `text` says so in a sentence. Once it is restored, `appointment_id` is the
    new appointment.
    """

    id: int
    mailbox: str
    subject: str
    kind: str
    start: datetime
    end: datetime
    all_day: bool
    private: bool
    side: str
    reason: str
    text: str
    deleted_on: datetime
    kept_until: datetime
    restored_on: datetime | None
    restored_by: str | None
    appointment_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxObject:
    """One mailbox; `state` is needs_approval, rejected, needs_test, ready, backoff or disabled."""

    id: int
    address: str
    user: str
    profile: str
    approval: str
    test: str
    state: str
    enabled: bool
    track: str
    next_due: datetime | None
    last_sync: datetime | None
    open_alerts: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkObject:
    """How one item of a mailbox and one appointment of the CRM belong together."""

    mailbox: str
    appointment_id: str | None
    global_object_id: str
    original_start: datetime | None
    state: str
    sync_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserObject:
    """One person who signs in; `name` is the sign-in name."""

    id: str
    name: str
    full_name: str
    email: str
    role: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileObject:
    """One email server profile; its password is never handed out."""

    id: int
    name: str
    type: str
    url: str
    username: str
    auth: str
    ca_file: str | None
    access: str
    read_only: bool
    allow_http: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenObject:
    """One API token without its secret; `token` is set once, in the answer that creates it."""

    id: int
    user: str
    name: str
    created: datetime
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeObject:
    """One entry of the embedded CRM's change log; `gone` marks a tombstone."""

    appointment_id: str
    version: int
    gone: bool
    global_object_id: str | None
    original_start: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedMailbox:
    """What one cycle did to one mailbox; `error` is a catalogue code.

    A dry run has a `plan`, and in `mailed` every mail that Exchange would send because of it, by recipient.
    """

    mailbox: str
    saved: int
    updated: int
    deleted: int
    waiting: int
    skipped: int
    failed: int
    error: str | None
    text: str | None
    plan: tuple[PlannedItem, ...] = ()
    mailed: tuple[PlannedMail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that would change: its name for programs and for people, and what it says before and after.

    Of a question about both sides `before` is what the CRM has, and `after` what Outlook has.
    """

    field: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMail:
    """One mail that Exchange would send: to whom, request, update or cancellation, about what, and by which rule."""

    to: str
    kind: str
    subject: str
    start: datetime | None
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """One line of a dry run: what would be done to which item, and by which rule or code.

    `direction` is exchange_to_crm or crm_to_exchange. `code` is that of the question that is or would be asked (action
    ask or hold), of the skip or of the failure. `mails` leave if it is carried out; `mail_rule` decides about them: a
    rule id, "first sync" or "invitations off".
    """

    action: str
    subject: str
    start: datetime | None
    detail: str
    direction: str = "exchange_to_crm"
    rule: str = ""
    code: str = ""
    fields: tuple[FieldChange, ...] = ()
    mails: tuple[PlannedMail, ...] = ()
    mail_rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What `sync` did, summed up and for each mailbox."""

    saved: int
    updated: int
    deleted: int
    waiting: int
    skipped: int
    failed: int
    mailboxes: tuple[SyncedMailbox, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a listing: `next` is the cursor of the following page, or None."""

    items: tuple[object, ...]
    next: str | None = None


def encode(value: object) -> bytes:
    """Return the JSON of objects, listings and plain mappings, as UTF-8."""
    return msgspec.json.encode(value)
