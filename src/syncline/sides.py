"""The seams to the two sides: a calendar server and a CRM, as Protocols, and the values that cross them.

Part of `ports`, which is where everybody takes them from. All calls are batch-shaped and synchronous; the only
exception that crosses is `SyncError`. This module must not know any implementation, nor the state.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field

from syncline.core.answering_by_category import Categorizing
from syncline.core.appointment import Appointment, Identity, Status
from syncline.core.outgoing import ItemWrite
from syncline.core.scheduling import ConflictPolicy, Person, Verdict
from syncline.errors import SyncError

# ---------------------------------------------------------------------------------------------------------------
# files of appointments, on either side
# ---------------------------------------------------------------------------------------------------------------


class Attachment(Struct, frozen=True, gc=False, kw_only=True):
    """One thing attached to an appointment, without its content.

    `size` in bytes as the side tells it, which may count more than the content; `stamp` changes when the content does.
    `digest` is the SHA-256 of the content in hexadecimal, "" where the side knows none. `file` False: it is no file
    (an attached item, a link), so that it stays where it is.
    """

    ref: str
    name: str
    size: int
    stamp: str = ""
    digest: str = ""
    content_type: str = ""
    file: bool = True


class Attachments(Struct, frozen=True, gc=False, kw_only=True):
    """What is attached to one appointment at one revision; `incomplete` as `Crm.flag_attachments` was told last."""

    revision: str
    files: tuple[Attachment, ...] = ()
    incomplete: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewAttachment:
    """A file to be attached; `id` is random and known before the call, for a side that lets its client choose ids."""

    id: str
    name: str
    content_type: str = ""
    content: bytes = dataclasses.field(repr=False)


class AttachmentWritten(Struct, frozen=True, gc=False, kw_only=True):
    """What became of one file: SAVED with what is attached afterwards, STALE, CLOSED, or FAILED with the error.

    `ref` is the reference of a file that was added.
    """

    result: Result
    after: Attachments | None = None
    ref: str = ""
    error: SyncError | None = None


class AttachmentSide(Protocol):
    """A side that keeps files of single appointments; each is named by the side's own reference to it.

    Nothing here mails anybody, and pictures that are part of a text are no files.
    """

    def attachments(self, refs: Sequence[str]) -> Mapping[str, Attachments | SyncError]:
        """Return what is attached to these appointments, by reference; those that are gone are left out."""

    def attachment_content(self, ref: str, size_max: int) -> bytes | None:
        """Return the content of one file, None if it is gone.

        Raises SyncError("AttachmentBlocked") if it has more than `size_max` bytes.
        """

    def attach(self, ref: str, revision: str, new: NewAttachment) -> AttachmentWritten:
        """Attach one file if the appointment still has that revision; its revision moves."""

    def detach(self, ref: str, revision: str, attachment: str) -> AttachmentWritten:
        """Take one file off if the appointment still has that revision; one that is off already is SAVED."""


# ---------------------------------------------------------------------------------------------------------------
# calendar side
# ---------------------------------------------------------------------------------------------------------------


class Folder(Struct, frozen=True, gc=False, kw_only=True):
    """One calendar folder: the main one first (L-02)."""

    ref: str
    name: str
    main: bool = False


class Light(Struct, frozen=True, gc=False, kw_only=True):
    """One row of a delta: what changed, without content. `gone` rows carry only `ref` and `folder`."""

    ref: str
    folder: str
    revision: str = ""
    categories: tuple[str, ...] = ()
    gone: bool = False


class Page(Struct, frozen=True, gc=False, kw_only=True):
    """One page of a delta: `cursor` may be stored once the page is staged; `more` says that another page waits."""

    items: tuple[Light, ...]
    cursor: str
    more: bool


class Observed(Struct, frozen=True, gc=False, kw_only=True):
    """Content of one item at one revision. `key` is Syncline's own mark on the item, if it carries one (L-11)."""

    ref: str
    folder: str
    revision: str
    appointment: Appointment
    key: str | None = None


class Category(Struct, frozen=True, gc=False, kw_only=True):
    """The tracking category as the mailbox knows it (L-04): its id, and the names it has had, newest first."""

    id: str
    name: str


class OrganizationMark(Struct, frozen=True, gc=False, kw_only=True):
    """Which installation keeps a mailbox in step (M-06): its id, how it calls its CRM, and since when.

    A mark that cannot be read is somebody else's: its `installation` is "", and `since` is not known.
    """

    installation: str
    crm_name: str
    since: datetime | None


class Replica(AttachmentSide, Protocol):
    """One person's calendar on one server. Opened for one mailbox by a `Connect` function; close it after use."""

    def folders(self) -> tuple[Folder, ...]:
        """Return the main calendar folder and its calendar subfolders (L-02)."""

    def categories(self) -> tuple[Category, ...]:
        """Return the mailbox's category list (id and name); empty if the server keeps none."""

    def changes(self, folder: str, cursor: str | None, limit: int) -> Page:
        """Return the next page of changes since `cursor` (None: from the beginning); at most `limit` (1..512) items.

        Raises SyncError("CursorExpired") when the server no longer knows the cursor.
        """

    def read(self, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
        """Return the content of each (folder, ref) in order: None if it is gone, a SyncError if it alone failed."""

    def find(self, global_object_ids: Sequence[str]) -> Mapping[str, tuple[Observed, ...]]:
        """Return every item of all calendar folders that carries one of the ids (PidLidCleanGlobalObjectId)."""

    def categorize(self, changes: Sequence[Categorizing]) -> list[Categorized]:
        """Set and take off categories of items of this mailbox, in order, each by itself; mails nobody.

        SAVED carries the item's new revision. STALE: the item changed since, or is gone. FAILED carries the error of
        this item: CategoriesNotWritable if the account may not write here. A repeated call after a lost answer is
        harmless: it finds the revision moved.
        """

    def write(self, writes: Sequence[ItemWrite]) -> list[Written]:
        """Create, change and delete items of this mailbox, in order, each by itself, with the mailing that each names.

        SAVED carries the item as it stands afterwards (None for a deletion; a deletion of what is gone is SAVED too).
        STALE: the item changed since, or is gone; nothing was written. FAILED carries the error of this item. What
        takes several requests may stop half-way: then FAILED or STALE carry the item as it stands, if it is known, and
        what was not done shows as a difference at the next reading. A series of writes whose answer is lost raises a
        transient SyncError; `find_keys` and the revisions tell afterwards what has happened.
        """

    def find_keys(self, keys: Sequence[str]) -> Mapping[str, Observed]:
        """Return the item of all calendar folders that carries each of Syncline's own keys; of several, the oldest."""

    def mark(self) -> OrganizationMark | None:
        """Return the mark that this mailbox carries, None if it carries none; it only reads."""

    def set_mark(self, mark: OrganizationMark, over: OrganizationMark | None) -> OrganizationMark:
        """Put a mark into the mailbox and return the mark that stands there afterwards.

        `over` is the mark that was seen there, None if none was. Where another one stands meanwhile nothing is
        written, and that one is returned. Raises SyncError("OrganizationMarkNotWritable") if the account may not.
        A repeated call after a lost answer is harmless.
        """

    def probe(self) -> tuple[str, ...]:
        """Run test-and-enable's steps (address resolves, sign-in, calendar readable, category list readable).

        Return the names of the steps done, in order; the first failing step raises its SyncError.
        """

    def close(self) -> None:
        """Give back the connection."""


# ---------------------------------------------------------------------------------------------------------------
# CRM side
# ---------------------------------------------------------------------------------------------------------------


class User(Struct, frozen=True, gc=False, kw_only=True):
    """A system user of the CRM; `emails` are lower case, the first is the primary one. `name` is the sign-in name."""

    id: str
    name: str
    full_name: str
    emails: tuple[str, ...]
    time_zone: str = "UTC"
    enabled: bool = True


class CrmRow(Struct, frozen=True, gc=False, kw_only=True):
    """One appointment or series of the CRM with everything that belongs to it.

    A series is one row with one version; `appointment` carries its exceptions and deletions. `exception_ids` names
    the row ids of the exceptions by original start. `modified_by` is "syncline" or the name of a CRM user. `busy` are
    the addresses of those whom a row that keeps people busy was written with: who declined is none (CD-05a). `draft`:
    people entered it as one and have not taken that mark away yet (A-09); it keeps people busy like any other.
    """

    id: str
    version: int
    appointment: Appointment
    status: Status
    busy: tuple[str, ...]
    owner: str | None = None
    modified_by: str = ""
    exception_ids: Mapping[datetime, str] = field(default_factory=dict)
    draft: bool = False


class CrmChange(Struct, frozen=True, gc=False, kw_only=True):
    """One entry of the CRM's change log: row `id` (a series as a whole) has reached `version`, or is gone."""

    id: str
    version: int
    gone: bool = False
    identity: Identity | None = None


class CrmPage(Struct, frozen=True, gc=False, kw_only=True):
    """One page of the change log, oldest first."""

    changes: tuple[CrmChange, ...]
    cursor: str
    more: bool


class Candidate(Struct, frozen=True, gc=False, kw_only=True):
    """An appointment to be checked or written.

    `persons` are the people whom it makes busy (core.scheduling.persons); `user` is the CRM user name of the mailbox
    that writes, always one of its persons (CD-05a). `check` False suppresses the check (an answer Yes, CD-15, A-34).
    `since`: occurrences that ended before it are not compared (CD-07); None compares all. `row_id` is the row itself
    when it exists (reschedule), excluded from the blockers.
    """

    appointment: Appointment
    persons: tuple[Person, ...] = ()
    user: str | None = None
    check: bool = True
    since: datetime | None = None
    row_id: str | None = None


class Booking(Struct, frozen=True, gc=False, kw_only=True):
    """Create one row under `id` (the intent's random id: a repeated create answers EXISTS with the same id).

    `status` None derives it from show-as (1.9); CANCELED is for items first seen cancelled (A-34). `owner` is a user
    name. `draft` is for what people enter (A-09).
    """

    id: str
    candidate: Candidate
    owner: str | None = None
    status: Status | None = None
    draft: bool = False


class Reschedule(Struct, frozen=True, gc=False, kw_only=True):
    """Replace the content of row `id` if it still has `version`. The check runs if `candidate.check`.

    `key`: what the row is to remember of this write (the intent's random id), see `Crm.last_keys`; "" for nothing.
    `draft`: whether it is a draft afterwards; what Exchange's content is written to is none (A-09).
    """

    id: str
    version: int
    candidate: Candidate
    status: Status | None = None
    key: str = ""
    draft: bool = False


class Deletion(Struct, frozen=True, gc=False, kw_only=True):
    """Delete row `id` if it still has `version`; a row already gone is SAVED."""

    id: str
    version: int


class Result(StrEnum):
    """What became of one write."""

    SAVED = "saved"
    EXISTS = "exists"
    UNAVAILABLE = "unavailable"
    STALE = "stale"
    CLOSED = "closed"
    FAILED = "failed"


class Outcome(Struct, frozen=True, gc=False, kw_only=True):
    """Result of one write: SAVED and EXISTS carry id and version (EXISTS: of the row that holds the identity).

    UNAVAILABLE carries the verdict and nothing was written; STALE: the version moved or the row is gone, nothing was
    written; CLOSED: the row is completed or canceled (A-22); FAILED carries the error of this item alone.
    """

    result: Result
    id: str = ""
    version: int = 0
    verdict: Verdict | None = None
    error: SyncError | None = None


class Categorized(Struct, frozen=True, gc=False, kw_only=True):
    """What became of one `Categorizing`: SAVED with the new revision, STALE, or FAILED with the error."""

    result: Result
    revision: str = ""
    error: SyncError | None = None


class Written(Struct, frozen=True, gc=False, kw_only=True):
    """What became of one `ItemWrite` (see `Replica.write`): SAVED, STALE or FAILED."""

    result: Result
    item: Observed | None = None
    error: SyncError | None = None


class Crm(AttachmentSide, Protocol):
    """The CRM side. Every write is all or nothing per item and guarded by id or version."""

    def users(self) -> tuple[User, ...]:
        """Return all users."""

    def changes(self, cursor: str | None, limit: int) -> CrmPage:
        """Return the next page of the change log; cursors survive restarts.

        Raises SyncError("CursorExpired") for a cursor that the CRM does not know, as after a restore.
        """

    def read(self, ids: Sequence[str]) -> Mapping[str, CrmRow]:
        """Return the rows that exist, by id (an id of an exception returns its series under that id).

        Raises SyncError("CrmRowUnreadable"), or another error of an item, if one of them is there but cannot be read;
        the others are then read without it.
        """

    def ids(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the ids of singles and series by id from `after` on ("" for the first), at most `limit`."""

    def find(self, identities: Iterable[Identity]) -> Mapping[Identity, CrmRow]:
        """Return the rows that hold one of the identities (the series row for an identity inside a series)."""

    def validate(self, candidates: Sequence[Candidate], policy: ConflictPolicy) -> list[Verdict]:
        """Check all candidates against what is committed, in one set-based call; nothing is written."""

    def book(self, bookings: Sequence[Booking], policy: ConflictPolicy) -> list[Outcome]:
        """Create rows in the order given, each checked against what is committed just before (Q-09)."""

    def reschedule(self, changes: Sequence[Reschedule], policy: ConflictPolicy) -> list[Outcome]:
        """Update rows in the order given."""

    def last_keys(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the key of the last reschedule that had one, by row; what people edit since does not change it.

        So a write whose answer was lost is known to have happened. Rows without one are left out.
        """

    def delete(self, deletions: Sequence[Deletion]) -> list[Outcome]:
        """Delete rows."""

    def flag_attachments(self, row_id: str, *, incomplete: bool) -> None:
        """Note of a row whether files of its item could not be taken (attachmenterrors); its version stays."""
