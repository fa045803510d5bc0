"""The seams: Protocols of everything the engine talks to, and the values that cross them.

Calendar side: `Replica`. CRM side: `Crm`. State: `Store`. Time: `Clock`. All calls are batch-shaped and
synchronous; the only exception that crosses is `SyncError`. This module must not know any implementation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from msgspec import Struct, field

from syncline.core.answering import AnswerRule, Facts
from syncline.core.answering_by_category import Mark
from syncline.core.appointment import Appointment, Identity, Span
from syncline.core.attachments import Attached
from syncline.core.filters import SyncFilter
from syncline.core.scheduling import Verdict
from syncline.errors import SyncError
from syncline.sides import (
    Attachment as Attachment,
)
from syncline.sides import (
    Attachments as Attachments,
)
from syncline.sides import (
    AttachmentSide as AttachmentSide,
)
from syncline.sides import (
    AttachmentWritten as AttachmentWritten,
)
from syncline.sides import (
    Booking as Booking,
)
from syncline.sides import (
    Candidate as Candidate,
)
from syncline.sides import (
    Categorized as Categorized,
)
from syncline.sides import (
    Category as Category,
)
from syncline.sides import (
    Crm as Crm,
)
from syncline.sides import (
    CrmChange as CrmChange,
)
from syncline.sides import (
    CrmPage as CrmPage,
)
from syncline.sides import (
    CrmRow as CrmRow,
)
from syncline.sides import (
    Deletion as Deletion,
)
from syncline.sides import (
    Folder as Folder,
)
from syncline.sides import (
    Light as Light,
)
from syncline.sides import (
    NewAttachment as NewAttachment,
)
from syncline.sides import (
    Observed as Observed,
)
from syncline.sides import (
    OrganizationMark as OrganizationMark,
)
from syncline.sides import (
    Outcome as Outcome,
)
from syncline.sides import (
    Page as Page,
)
from syncline.sides import (
    Replica as Replica,
)
from syncline.sides import (
    Reschedule as Reschedule,
)
from syncline.sides import (
    Result as Result,
)
from syncline.sides import (
    User as User,
)
from syncline.sides import (
    Written as Written,
)

# ---------------------------------------------------------------------------------------------------------------
# state
# ---------------------------------------------------------------------------------------------------------------


class Seen(StrEnum):
    """What the calendar side last told of an item; out of scope is never the same as gone. ABSENT: not made yet."""

    PRESENT = "present"
    GONE = "gone"
    UNTRACKED = "untracked"
    ABSENT = "absent"


class Origin(StrEnum):
    """Which side an appointment came from (3.2)."""

    EXCHANGE = "exchange"
    CRM = "crm"


class LinkState(StrEnum):
    """State of a link (interface.md)."""

    SETTLED = "settled"
    UNSETTLED = "unsettled"
    ASKED = "asked"
    KEPT_OUT = "kept_out"
    PARKED = "parked"
    FAILED = "failed"
    SKIPPED = "skipped"


class Approval(StrEnum):
    """Approval of a mailbox address (2.3)."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class TestState(StrEnum):
    """Result of test-and-enable (1.4 actstatus)."""

    NOT_RUN = "not_run"
    SUCCESS = "success"
    FAILURE = "failure"


class Track(StrEnum):
    """Which items of a calendar are tracked."""

    CATEGORY = "category"
    ALL = "all"


class OnSchedulingConflict(StrEnum):
    """Q-10."""

    ASK = "ask"
    SAVE_ANYWAY = "save_anyway"
    KEEP_OUT = "keep_out"


class AlertState(StrEnum):
    """Life of a question (Q-01)."""

    OPEN = "open"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class AlertOutcome(StrEnum):
    """What became of an answer."""

    SAVING = "saving"
    SAVED = "saved"
    NOT_SAVED_YET = "not_saved_yet"
    KEPT_OUT = "kept_out"


Answer = Literal["yes", "no"]


class Profile(Struct, frozen=True, gc=False, kw_only=True):
    """An email server profile. The password is a separate, encrypted column (Store.password)."""

    id: int = 0
    name: str
    type: str = "exchange"
    url: str
    username: str
    auth: str = "negotiate"
    ca_file: str | None = None
    access: str = "impersonation"
    read_only: bool = False
    allow_http: bool = False


class Mailbox(Struct, frozen=True, gc=False, kw_only=True):
    """One mailbox record (1.4): who, where, whether it runs, and when it is due next.

    `revision` moves with every change. `hierarchy_due` is when folders and categories are read again. `tracking` are
    the category names that count (L-04a), `category_id` the entry's id. `cursors` are per folder; `crm_cursor` of the
    change log. `filters` is the digest of the sync filters that have been applied to all rows, "" before the first
    and while nothing goes to Exchange.
    """

    id: int = 0
    address: str
    user: str
    profile_id: int
    approval: Approval = Approval.PENDING
    test: TestState = TestState.NOT_RUN
    enabled: bool = False
    track: Track = Track.CATEGORY
    on_scheduling_conflict: OnSchedulingConflict | None = None
    time_zone: str = "UTC"
    next_due: datetime | None = None
    last_sync: datetime | None = None
    last_error: str | None = None
    last_error_text: str = ""
    last_error_time: datetime | None = None
    transient_failures: int = 0
    idle_cycles: int = 0
    folders: tuple[Folder, ...] = ()
    hierarchy_due: datetime | None = None
    category_id: str | None = None
    tracking: tuple[str, ...] = ()
    cursors: Mapping[str, str] = field(default_factory=dict)
    crm_cursor: str | None = None
    filters: str = ""
    first_sync_done: bool = False
    approved_by: str | None = None
    approved_on: datetime | None = None
    tested_on: datetime | None = None


class Lease(Struct, frozen=True, gc=False, kw_only=True):
    """Time-limited claim on a mailbox; `fence` grows with every claim and is checked inside every state transaction."""

    mailbox_id: int
    owner: str
    fence: int


class Link(Struct, frozen=True, gc=False):
    """Our record that one Exchange item and one CRM row are one appointment, with what was last observed and agreed.

    `ref`, `folder`: address in Exchange; `seen`, `revision`, `observed`, `digest`: the last observation (`digest` is
    the digest of the canonical content; `observed` None while unread). `revision_settled`: the revision that the
    current state has dealt with; the link is due when it differs from `revision` or `seen` moved. `agreed`: the content
    both sides last had in common (projected, canonical), of a copy that is left out what was agreed of the other item
    when it was found (L-11a). `crm_id`, `crm_version`: the row and its version when agreed;
    `crm_version_seen` the newest version observed (a difference is an unsettled CRM-side edit). `writes` False marks a
    copy that only holds a link (A-33a). `by_request`: tracked by a request of its own, so that no category is needed
    (A-24). `scheduling_digest` and `decision` bind an answer (Q-02); `decided_left_out` are the dates that it leaves
    out, `left_out` those that the row does without: original starts. `first_seen` decides CD-07. `answers` is the
    number of the newest answer that stands and is the store's: carry it on unchanged, and an answer that came
    meanwhile is not overwritten.

    `origin`: the side that had it first; `in_scope`: whether a sync filter of the user has selected its row (1.11).
    `crm_settled` is the version of the row that has been dealt with towards Exchange, -1 when what was seen last (an
    edit, a row that went or left the filters) is still to be dealt with, -2 when that is from before anything was
    written to this calendar, -3 of a row that waited so and went since. `doubted`: seen by a reading that started anew
    because cursor or revisions were unknown, so that nothing is deleted or overwritten without a question. `flips`
    counts the writes since `flips_since` that changed direction. `withheld`: the row as it was when what it says was
    kept from Exchange, by a No or as being from before anything was written there; None if nothing is.

    By name, please; the store alone gives the values by their place, since so many names cost more than the row.
    """

    mailbox_id: int
    ref: str
    identity: Identity
    first_seen: datetime
    id: int = 0
    folder: str = ""
    subject: str = ""
    private: bool = False
    seen: Seen = Seen.PRESENT
    seen_settled: Seen | None = None
    revision: str = ""
    revision_settled: str | None = None
    observed: Appointment | None = None
    digest: str = ""
    agreed: Appointment | None = None
    crm_id: str | None = None
    crm_version: int = 0
    crm_version_seen: int = 0
    crm_gone: bool = False
    writes: bool = True
    by_request: bool = False
    state: LinkState = LinkState.UNSETTLED
    sync_error: str | None = None
    error_params: Mapping[str, str] = field(default_factory=dict)
    error_time: datetime | None = None
    retries: int = 0
    next_try: datetime | None = None
    decision: Answer | None = None
    decision_by: str | None = None
    scheduling_digest: str = ""
    decided_digest: str = ""
    created_order: datetime | None = None
    answers: int = 0
    left_out: tuple[datetime, ...] = ()
    decided_left_out: tuple[datetime, ...] = ()
    origin: Origin = Origin.EXCHANGE
    in_scope: bool = False
    crm_settled: int = 0
    doubted: bool = False
    flips: int = 0
    flips_since: datetime | None = None
    withheld: Appointment | None = None


class Verb(StrEnum):
    """What a plan wants done for one link: to the CRM side, or (the last three) to the Exchange side."""

    BOOK = "book"
    RESCHEDULE = "reschedule"
    DELETE = "delete"
    CREATE_ITEM = "create_item"
    UPDATE_ITEM = "update_item"
    DELETE_ITEM = "delete_item"


class Intent(Struct, frozen=True, gc=False, kw_only=True):
    """Note that a write is about to leave; `crm_id` is the random id of a new row (BOOK) or the row's id.

    The id of a CREATE_ITEM is part of the key that the new item carries, that of a RESCHEDULE the key that the row
    keeps. `agreed`: what both sides hold once a RESCHEDULE or an UPDATE_ITEM is done, or the BOOK of a series about
    which an answer may come meanwhile.

    `instead` is set of a CREATE_ITEM that was given up, because what it was to make was not found: "" first, then the
    reference of what was made instead. Should its item come late after all, it is known by this (decision 0035).
    `agreed` is what it was to hold.
    """

    id: str
    mailbox_id: int
    link_id: int
    verb: Verb
    crm_id: str
    created: datetime
    agreed: Appointment | None = None
    instead: str | None = None


class Before(Struct, frozen=True, gc=False, kw_only=True):
    """What a question and its item said before an answer that can still be taken back."""

    state: AlertState
    outcome: AlertOutcome | None = None
    reason: str = ""
    answer: Answer | None = None
    decided_by: str | None = None
    decided_on: datetime | None = None
    left_out: tuple[datetime, ...] = ()
    pending: int = 0
    answers: int = 0
    decision: Answer | None = None
    decision_by: str | None = None
    decided_digest: str = ""
    decided_left_out: tuple[datetime, ...] = ()
    answered: int = 0
    link_answers: int = 0


class Alert(Struct, frozen=True, gc=False, kw_only=True):
    """One alert of a mailbox (1.6). A question has a link (or, for a guard, a set of links in `held`).

    `version` moves whenever what the person should see moves; an answer carries the version seen (Q-07).
    `verdict` is the last one; `params` fill the catalogue text. `answers` is the store's, as in `Link`. `facts` are
    what answer rules may ask about it. An alert that is inserted with an answer is recorded as a decision too.
    `left_out` are the dates that a Yes leaves out (original starts); `before` is what stood there before an answer that
    nobody has begun to carry out, None if there is nothing to take back. The store alone writes `before`.
    """

    id: int = 0
    mailbox_id: int
    link_id: int | None = None
    code: str
    subject: str = ""
    span: Span | None = None
    private: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    state: AlertState = AlertState.OPEN
    outcome: AlertOutcome | None = None
    reason: str = ""
    version: int = 1
    created: datetime
    last_seen: datetime
    count: int = 1
    verdict: Verdict | None = None
    held: tuple[int, ...] = ()
    digest: str = ""
    answer: Answer | None = None
    decided_by: str | None = None
    decided_on: datetime | None = None
    answers: int = 0
    facts: Facts | None = None
    left_out: tuple[datetime, ...] = ()
    before: Before | None = None


class Entry(Struct, frozen=True, gc=False, kw_only=True):
    """One line of the journal (append-only): what happened to which link, and by which rule."""

    time: datetime
    mailbox_id: int
    link_id: int | None
    action: str
    rule: str = ""
    fields: tuple[str, ...] = ()
    detail: str = ""
    id: int = 0


class Trashed(Struct, frozen=True, gc=False, kw_only=True):
    """Content that a deletion or an overruled edit has removed, kept for people to bring back.

    `side` is where it stood; `reason` says in a word why it went: *deleted* there because the other side deleted it, or
    *edited* there while the other side deleted it. `restored_as` is the id of the row that a restore enters in the CRM:
    random, and stored before the row is there, so that a repeated restore finds it.
    """

    mailbox_id: int
    side: Origin
    appointment: Appointment
    private: bool = False
    reason: str = "deleted"
    deleted_on: datetime
    restored_on: datetime | None = None
    restored_by: str | None = None
    restored_as: str | None = None
    id: int = 0


class Changes(Struct, frozen=True, gc=False, kw_only=True):
    """Everything one state transaction writes; applied whole or not at all.

    `links`, `alerts` with id 0 are inserted, others replaced by id; `mailbox` replaces the mailbox row except the
    columns that people write (approval, enabled, track, on_scheduling_conflict, time_zone) and `next_due`, which
    `release` and `wake` own. New alerts for links that are inserted in the same transaction name them by `alert_links`
    (index into `alerts` -> index into `links`); `entry_links` does the same for `entries`, `mark_links` for `marks`.
    `disable` switches the mailbox off (B-02, B-03). An answer that was given since a link or alert was read survives:
    its decision columns are not overwritten. `decided`: links and alerts are what was decided about them, and are left
    out where that rests on an answer that was taken back since. `files_anew` forgets what was agreed about the files of
    these links, True of the whole mailbox: after a side was restored nothing that is missing counts as removed.
    """

    links: Sequence[Link] = ()
    removed_links: Sequence[int] = ()
    alerts: Sequence[Alert] = ()
    intents: Sequence[Intent] = ()
    dropped_intents: Sequence[str] = ()
    entries: Sequence[Entry] = ()
    mailbox: Mailbox | None = None
    alert_links: Mapping[int, int] = field(default_factory=dict)
    entry_links: Mapping[int, int] = field(default_factory=dict)
    disable: bool = False
    marks: Sequence[Mark] = ()
    removed_marks: Sequence[int] = ()
    mark_links: Mapping[int, int] = field(default_factory=dict)
    trash: Sequence[Trashed] = ()
    attached: Sequence[Attached] = ()
    files_anew: bool | Sequence[int] = False
    decided: bool = False


class NewLink(Struct, frozen=True, gc=False, kw_only=True):
    """What tells when the turn of a new link comes (Q-09), without its contents."""

    id: int
    created_order: datetime | None
    start: datetime
    global_object_id: str


Judge = Callable[[Alert, Link | None], Alert | SyncError]
"""Says what an answer makes of a question and its link, or why there is none."""


class Store(Protocol):
    """The state of Syncline as the engine needs it. All times come from the caller; ids are the store's.

    Methods that take a `Lease` check its fence inside the transaction and raise SyncError("LeaseLost") if another
    owner has claimed the mailbox since.
    """

    def claim(self, mailbox_id: int, owner: str, now: datetime, lease_s: float) -> Lease | None:
        """Claim a mailbox, or return None while a living owner holds it."""

    def renew(self, lease: Lease, now: datetime, lease_s: float) -> None:
        """Extend the lease."""

    def release(self, lease: Lease, next_due: datetime | None, seen_due: datetime | None) -> None:
        """Give the mailbox back and set its next due time; a `wake` that came after `seen_due` was read is kept."""

    def due(self, now: datetime, limit: int) -> tuple[int, ...]:
        """Return enabled mailboxes whose next_due has come, longest waiting first (two indexed queries).

        Those are due too that were claimed last in the future: the clock has been set back since.
        """

    def wake(self, mailbox_id: int, now: datetime) -> None:
        """Make a mailbox due now."""

    def mailbox(self, mailbox_id: int) -> Mailbox:
        """Return a mailbox; SyncError("NotFoundHere") if there is none."""

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """Return all mailboxes by address."""

    def profile(self, profile_id: int) -> Profile:
        """Return a profile."""

    def installation(self) -> str:
        """Return the random id of this installation; it is made when it is first asked for and never changes."""

    def links_by_ref(self, mailbox_id: int, refs: Sequence[str]) -> Mapping[str, Link]:
        """Return the links of these Exchange items."""

    def refs_in(self, mailbox_id: int, folder: str) -> tuple[str, ...]:
        """Return the refs of a folder's links that were not seen to be gone."""

    def links_by_identity(self, identities: Sequence[Identity], but: Sequence[int] = ()) -> tuple[Link, ...]:
        """Return the links of all mailboxes that carry one of these identities, without their contents."""

    def links_by_crm_id(self, mailbox_id: int, crm_ids: Sequence[str]) -> tuple[Link, ...]:
        """Return this mailbox's links to these rows, by id; several links may hold one row."""

    def rows_held(self, mailbox_id: int) -> tuple[str, ...]:
        """Return the ids of the rows that links of the mailbox hold, ascending, each once."""

    def rows_seen(self, mailbox_id: int, crm_ids: Sequence[str]) -> Mapping[str, tuple[int, bool]]:
        """Return of the same links the version of the row last seen, of several the least, and whether it was gone."""

    def links_by_id(self, ids: Sequence[int]) -> tuple[Link, ...]:
        """Return links by id."""

    def due_links(
        self, mailbox_id: int, now: datetime, after: int, limit: int, *, but_new: bool = False
    ) -> tuple[Link, ...]:
        """Return links to plan, by id from `after`: unsettled, asked, answered, or failed and not to be tried later.

        `but_new`: without those of `new_links`. A next_try beyond any wait was set under a clock that has been set back
        since: it does not count.
        """

    def new_links(self, mailbox_id: int, after: int, limit: int) -> tuple[NewLink, ...]:
        """Return those of `due_links` that were read and never tried: an item that is there, and no row yet."""

    def outgoing_links(self, mailbox_id: int, now: datetime, after: int, limit: int) -> tuple[Link, ...]:
        """Return links, by id from `after`, whose CRM side has moved and is not dealt with, but those that rest."""

    def waiting_links(self, mailbox_id: int, after: int, limit: int) -> tuple[Link, ...]:
        """Return links as `outgoing_links` does, with those that rest or are given up."""

    def unread_links(self, mailbox_id: int, now: datetime, after: int, limit: int) -> tuple[Link, ...]:
        """Return those of `due_links` whose item is there and whose content could not be read yet."""

    def answered_links(self, mailbox_id: int, limit: int, after: int = 0) -> tuple[Link, ...]:
        """Return links, by id from `after`, whose answer was given and is not carried out yet; one indexed query."""

    def link_count(self, mailbox_id: int) -> int:
        """Return how many links hold a CRM row and were present when last settled (the base of the guards)."""

    def intents(self, mailbox_id: int) -> tuple[Intent, ...]:
        """Return the intents that an earlier crash left, and those that were given up (`Intent.instead`)."""

    def open_alerts(self, mailbox_id: int, link_ids: Sequence[int] | None = None) -> tuple[Alert, ...]:
        """Return alerts that are open, lapsed, or answered and not carried out; for these links, or all."""

    def answer_rules(self, user: str) -> tuple[AnswerRule, ...]:
        """Return the enabled answer rules for the mailboxes of a user, in the order in which they are asked."""

    def sync_filters(self, user: str) -> tuple[SyncFilter, ...]:
        """Return the enabled sync filters for the mailboxes of a user: everybody's, then his own (1.11)."""

    def marks_due(
        self, mailbox_id: int, waiting: str, now: datetime, after: int, limit: int
    ) -> tuple[tuple[Mark, str], ...]:
        """Return the marks whose question or item has moved since they were dealt with, by id from `after`.

        Each comes with how its question stands now, for `Mark.dealt`; `waiting` is what marks are called now.
        """

    def unmarked(self, mailbox_id: int, after: int, limit: int) -> tuple[int, ...]:
        """Return the links, by id from `after`, with a question that still takes an answer and without a mark."""

    def marks_of(self, link_ids: Sequence[int]) -> Mapping[int, Mark]:
        """Return the marks of these links, by link."""

    def attachments_due(self, mailbox_id: int, now: datetime, after: int, limit: int) -> tuple[Link, ...]:
        """Return settled links, by id from `after`, whose files are to be looked at since item or row has moved."""

    def attached(self, link_ids: Sequence[int]) -> Mapping[int, Attached]:
        """Return what is remembered of the files of these links, by link."""

    def questions_about(self, link_ids: Sequence[int]) -> Mapping[int, Alert]:
        """Return the newest scheduling question about each of these links, in whatever state it is."""

    def decide(self, alert_ids: Sequence[int], judge: Judge) -> list[Alert | SyncError]:
        """Answer questions, see `Questions.decide`."""

    def begin(
        self, lease: Lease, intents: Sequence[Intent], rests_on: Mapping[str, Sequence[tuple[int, int]]]
    ) -> frozenset[str]:
        """Store the intents of a chunk and fix the answers that they carry out: from now on none is taken back.

        `rests_on` names those answers by intent, as the link that carries the answer and its number. Returns the
        intents stored; the others rest on an answer that does not stand any more, and nothing may be done for them.
        """

    def take_up(self, lease: Lease, answers: Mapping[int, int]) -> None:
        """Fix these answers by alert and number: from now on none is taken back."""

    def write(self, lease: Lease, changes: Changes) -> tuple[int, ...]:
        """Apply one transaction and return the ids of the inserted links, in order."""

    def keep_overtaken(self, trashed: Sequence[Trashed], since: datetime) -> None:
        """Keep what an owner without its lease has deleted; no lease, and not what another has kept `since`."""


class Questions(Protocol):
    """The questions as the people who answer them need them; no lease, because an answer never waits for a cycle."""

    def decide(self, alert_ids: Sequence[int], judge: Judge) -> list[Alert | SyncError]:
        """Re-read the questions in one transaction, let `judge` answer each, and store what it answered.

        `judge` gets the alert and its link (without contents; None if it is gone) and returns the answered alert or why
        not. An answered alert is recorded as a decision, its links carry the answer, and its mailbox is due at once.
        """

    def take_back(
        self, alert_ids: Sequence[int], judge: Callable[[Alert], SyncError | None], by: str, now: datetime
    ) -> list[Alert | SyncError]:
        """Take back the answers of these questions in one transaction, if `judge` has nothing against it.

        Question and item stand as before the answer; that it was taken back is recorded as a decision too.
        """


class Mailboxes(Protocol):
    """Mailbox records as the people who look after them need them."""

    def mailbox(self, mailbox_id: int) -> Mailbox:
        """Return a mailbox; SyncError("NotFoundHere") if there is none."""

    def profile(self, profile_id: int) -> Profile:
        """Return a profile."""

    def installation(self) -> str:
        """Return the random id of this installation, see `Store.installation`."""

    def change_mailbox(self, mailbox_id: int, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        """Replace a mailbox by what `change` makes of it, in one transaction; only what differs is written."""

    def report(self, alert: Alert) -> int:
        """Open an alert, or count it on the open one of the same mailbox, link and code (AL-10); return its id."""

    def withdraw_notices(self, mailbox_id: int, reason: str) -> None:
        """Withdraw the open alerts of the mailbox itself; questions stay."""


class Queue(Protocol):
    """The job engine: runs a function for mailbox ids on its threads, at most one job of a mailbox at a time."""

    def start(self, work: Callable[[int], None]) -> None:
        """Start running jobs with `work`."""

    def enqueue(self, mailbox_ids: Sequence[int], *, urgent: bool = False) -> None:
        """Ask for a job for each mailbox that has none yet; urgent ones overtake the others."""

    def stop(self) -> None:
        """Stop after the running jobs."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message as it leaves: `key` names it for ever (a Message-ID, an event id), so that a repetition is known.

    `to` is a mail address, empty for a target that has only one. `content` is complete: the whole mail, the whole body.
    """

    key: str
    to: str = ""
    content: bytes = dataclasses.field(repr=False)


class Notifier(Protocol):
    """One way out to people or programs: mail, or a webhook."""

    def send(self, parcel: Parcel) -> None:
        """Hand one message over; returns once the other side has taken it.

        Raises SyncError: a transient row to try again later, a permanent one to give up, and "MailUnclear" if the way
        broke when the message may have been taken already.
        """

    def probe(self) -> str:
        """Try everything but sending, and say in words what was reached; SyncError if something is wrong."""


class Clock(Protocol):
    """Time as the system sees it."""

    def now(self) -> datetime:
        """Return the current instant, aware UTC."""
