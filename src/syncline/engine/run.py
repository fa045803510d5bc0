"""What one cycle works with: the ports, the rules, the claimed mailbox and what has been counted so far.

It knows no step of the cycle; the steps take a `Run` and hand it on.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from syncline.core import pushing
from syncline.core.answering_by_category import CategoryNames
from syncline.core.appointment import Appointment
from syncline.core.attachments import Limits as AttachmentLimits
from syncline.core.filters import SyncFilter
from syncline.core.guards import Invitations, Limits
from syncline.core.merging import PrivatePolicy, Winner, project
from syncline.core.outgoing import Mail
from syncline.core.planning import Policy
from syncline.core.scheduling import ConflictPolicy, Person, persons, scheduling_digest
from syncline.errors import ENDLESS, SyncError
from syncline.ports import (
    Alert,
    Answer,
    Changes,
    Clock,
    Crm,
    Entry,
    Intent,
    Lease,
    Link,
    LinkState,
    Mailbox,
    OnSchedulingConflict,
    Replica,
    Store,
    Track,
)

Connect = Callable[[Mailbox], Replica]
# A pause beyond the store's LONGEST_WAIT would be taken for one of a clock that has been set back.
_PAUSE_MAX_S = 6 * 3600.0
_DOUBLINGS_MAX = 20


class Rules(Struct, frozen=True, gc=False, kw_only=True):
    """The settings of the engine as frozen values; times in seconds, sizes in items."""

    crm_name: str = "Syncline CRM"
    conflict: ConflictPolicy = field(default_factory=ConflictPolicy)
    on_scheduling_conflict: OnSchedulingConflict = OnSchedulingConflict.ASK
    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    chunk_max: int = 200
    page_size_max: int = 512
    read_max: int = 100
    lease_s: float = 300.0
    hierarchy_interval_s: float = 900.0
    attempts_max: int = 5
    retry_s: float = 300.0
    interval_min_s: float = 300.0
    interval_step_s: float = 60.0
    interval_max_s: float = 720.0
    floor_s: float = 0.0
    keep_crm_organizer: bool = False
    outgoing: bool = False
    pushing: pushing.Policy = field(default_factory=pushing.Policy)
    invitations: Invitations = field(default_factory=Invitations)
    winners: Mapping[str, Winner] = field(default_factory=dict)
    winner: Winner = Winner.EXCHANGE
    flips_max: int = 8
    outlook: CategoryNames | None = None
    attachments: AttachmentLimits | None = None

    def winner_of(self, name: str) -> Winner:
        """Return whose value stands where both sides changed a field (3.1)."""
        return self.winners.get(name, self.winner)

    @property
    def writes(self) -> bool:
        """Return whether anything is ever written to Exchange: the CRM's changes, or categories of waiting items."""
        return self.outgoing or self.outlook is not None

    @property
    def private(self) -> PrivatePolicy:
        """Return what happens to private items."""
        return self.policy.private


class Parts(Struct, frozen=True, gc=False, kw_only=True):
    """The ports and rules that all cycles share; `new_id` makes random row ids, `installation` names this Syncline."""

    store: Store
    crm: Crm
    clock: Clock
    rules: Rules
    new_id: Callable[[], str]
    installation: str = ""


class PlanLine(Struct, frozen=True, gc=False, kw_only=True):
    """One line of a plan: what would happen to which item, by which rule, and whom Exchange would mail.

    `outward`: it would be carried over to Exchange, else to the CRM. `code` is of the question that is or would be
    asked, of the guard that holds it, or of the skip or failure. `fields` are those that change, from `before` to
    `after`, as the side that is written has them; of a question about both sides `before` is the CRM's and `after` is
    Outlook's.
    `mails` leave if it is carried out; `mail_rule` says who decides about that, also if nobody is mailed.
    """

    link_id: int
    subject: str
    start: datetime | None
    action: str
    rule: str
    detail: str = ""
    private: bool = False
    outward: bool = False
    code: str = ""
    fields: tuple[str, ...] = ()
    before: Appointment | None = None
    after: Appointment | None = None
    mails: tuple[Mail, ...] = ()
    mail_rule: str = ""

    @property
    def waits(self) -> bool:
        """Return whether somebody has to answer first."""
        return self.action in ("ask", "hold")

    @property
    def leaving(self) -> tuple[Mail, ...]:
        """Return the mails that the next sync sends: none while somebody has to answer first."""
        return () if self.waits else self.mails


@dataclasses.dataclass(slots=True)
class Counts:
    """What a cycle did, in items."""

    saved: int = 0
    updated: int = 0
    deleted: int = 0
    waiting: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def worked(self) -> bool:
        """Return whether anything was written."""
        return bool(self.saved or self.updated or self.deleted)


class People(Struct, frozen=True, gc=False):
    """Who is who: CRM users by address, addresses of each enabled mailbox, and the mailbox's own addresses."""

    user_by_address: Mapping[str, str]
    mailbox_by_address: Mapping[str, int]
    address_by_mailbox: Mapping[int, str]
    own: frozenset[str]

    def known(self, persons: Iterable[Person]) -> list[Person]:
        """Return those persons who are CRM users; nobody else is ever unavailable (CD-05a)."""
        return [each for each in persons if each.address in self.user_by_address or each.address in self.own]

    def organizes(self, appointment: Appointment) -> bool:
        """Return whether the mailbox owns the meeting; an item without organizer is its own (CD-05a)."""
        return appointment.organizer is None or appointment.organizer.address in self.own

    def colleague(self, appointment: Appointment) -> bool:
        """Return whether another CRM user organizes it (A-28)."""
        return not self.organizes(appointment) and self.organizer_user(appointment) is not None

    def organizer_user(self, appointment: Appointment) -> str | None:
        """Return the CRM user name of the organizer, if the organizer is one (A-29)."""
        return self.user_by_address.get(appointment.organizer.address) if appointment.organizer else None

    def organizer_mailbox(self, appointment: Appointment) -> int | None:
        """Return the enabled mailbox of the organizer (A-33a)."""
        return self.mailbox_by_address.get(appointment.organizer.address) if appointment.organizer else None


@dataclasses.dataclass
class Said:
    """What people have answered about single items, and which items were asked about, by code.

    An answer is for a link and the version of its row: nobody was asked about what is edited since.
    """

    overrule: dict[tuple[int, int], bool] = dataclasses.field(default_factory=dict)
    diverged: dict[tuple[int, int], Answer] = dataclasses.field(default_factory=dict)
    asked: dict[str, set[int]] = dataclasses.field(default_factory=lambda: defaultdict(set))


@dataclasses.dataclass
class Run:
    """One cycle of one claimed mailbox."""

    parts: Parts
    lease: Lease
    mailbox: Mailbox
    replica: Replica
    counts: Counts = dataclasses.field(default_factory=Counts)
    crm_moved: bool = False
    crm_cursor: str | None = None
    dry: bool = False
    kept: datetime | None = None
    marked: bool = False
    given_up: tuple[Intent, ...] = ()
    said: Said = dataclasses.field(default_factory=Said)

    @property
    def store(self) -> Store:
        """Return the state."""
        return self.parts.store

    @property
    def rules(self) -> Rules:
        """Return the rules."""
        return self.parts.rules

    def now(self) -> datetime:
        """Return the present instant."""
        return self.parts.clock.now()

    @cached_property
    def writable(self) -> bool:
        """Return whether anything may be written to this mailbox."""
        return not self.store.profile(self.mailbox.profile_id).read_only

    @cached_property
    def outgoing(self) -> bool:
        """Return whether the CRM's changes go to this mailbox at all."""
        return self.rules.outgoing and self.writable

    @property
    def begins(self) -> bool:
        """Return whether a mailbox that was kept in step one way is written to for the first time, or again."""
        return self.outgoing and self.mailbox.first_sync_done and not self.mailbox.filters

    @cached_property
    def filters(self) -> tuple[SyncFilter, ...]:
        """Return the sync filters of the user, read once a cycle (1.11)."""
        return self.store.sync_filters(self.mailbox.user)

    @cached_property
    def people(self) -> People:
        """Return who is who; read once a cycle, and only if something is to be planned."""
        return _people(self.parts, self.mailbox)

    @property
    def hierarchy_due(self) -> bool:
        """Return whether the folders are to be read again; a time beyond any interval tells of a clock set back."""
        due, now = self.mailbox.hierarchy_due, self.now()
        return due is None or not now < due <= now + timedelta(seconds=self.rules.hierarchy_interval_s)

    def write(self, changes: Changes) -> tuple[int, ...]:
        """Write one state transaction under the lease and remember the mailbox row it carried."""
        if changes.mailbox is not None:
            self.mailbox = changes.mailbox
        return self.store.write(self.lease, changes)

    def keep(self) -> None:
        """Extend the lease if a tenth of it has passed since it was last extended; each time is a commit of its own."""
        now = self.now()
        if self.kept is None or (now - self.kept).total_seconds() >= self.rules.lease_s / 10:
            self.store.renew(self.lease, now, self.rules.lease_s)
            self.kept = now

    def tracked(self, categories: tuple[str, ...]) -> bool:
        """Return whether an item with these categories is tracked (L-04: by name, without case)."""
        if self.mailbox.track is Track.ALL:
            return True
        names = _folded(self.mailbox.tracking)
        return any(category.casefold() in names for category in categories)

    def projected(self, appointment: Appointment) -> Appointment:
        """Return what the CRM would hold of an Exchange item."""
        return project(appointment, self.rules.private)

    def busy(self, appointment: Appointment) -> tuple[Person, ...]:
        """Return whom an Exchange item makes busy (CD-05, CD-05a)."""
        return persons(appointment, self.mailbox.address)

    def digest(self, appointment: Appointment, busy: tuple[Person, ...]) -> str:
        """Return the digest that binds an answer: of the projected content and the persons who are CRM users (Q-02)."""
        return scheduling_digest(appointment, self.people.known(busy))

    def entry(
        self, link: Link | None, action: str, rule: str = "", *, fields: frozenset[str] = frozenset(), detail: str = ""
    ) -> Entry:
        """Return a journal line about a link."""
        return Entry(
            time=self.now(),
            mailbox_id=self.mailbox.id,
            link_id=link.id if link else None,
            action=action,
            rule=rule,
            fields=tuple(sorted(fields)),
            detail=detail,
        )


@lru_cache(maxsize=1)
def _folded(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)


def untroubled(link: Link) -> Link:
    """Return the link without the code, tries and next try of what failed or was passed over."""
    return replace(link, sync_error=None, error_params={}, error_time=None, retries=0, next_try=None)


def failed(run: Run, link: Link, error: SyncError) -> Link:
    """Return the link with one failed try more: tried again at growing distance, then only when it changes (5.6).

    What is mended without anybody telling is tried for ever, in the end each `_PAUSE_MAX_S`.
    """
    retries = link.retries + 1
    endless = error.row.attempts == ENDLESS
    again = endless or retries < (error.row.attempts or run.rules.attempts_max)
    pause_s = run.rules.retry_s * retries
    if endless:
        pause_s = min(run.rules.retry_s * 2 ** min(retries - 1, _DOUBLINGS_MAX), _PAUSE_MAX_S)
    wait = timedelta(seconds=error.retry_after_s or pause_s)
    return replace(
        link,
        state=LinkState.FAILED,
        sync_error=error.code,
        error_params=_told(link, error),
        error_time=run.now(),
        retries=retries,
        next_try=run.now() + wait if again else None,
    )


def _told(link: Link, error: SyncError) -> dict[str, str]:
    """Return what the error says, with the item's subject where the connector could not read one."""
    return {**error.params, "subject": error.params.get("subject") or link.subject}


def notice(run: Run, link: Link, error: SyncError) -> Alert:
    """Return the alert about an item that failed (5.6); counted on the open one of its code (AL-10)."""
    now = run.now()
    return Alert(
        mailbox_id=link.mailbox_id,
        link_id=link.id or None,
        code=error.code,
        subject=link.subject,
        span=link.observed.span if link.observed else None,
        private=link.private,
        params={"crm": run.rules.crm_name, "mailbox": run.mailbox.address, **_told(link, error)},
        created=now,
        last_seen=now,
    )


def _people(parts: Parts, mailbox: Mailbox) -> People:
    users = {user.name: user for user in parts.crm.users() if user.enabled}
    addresses: dict[str, int] = {}
    for other in parts.store.mailboxes():
        if other.enabled:
            user = users.get(other.user)
            addresses |= dict.fromkeys((other.address, *(user.emails if user else ())), other.id)
    owner = users.get(mailbox.user)
    if owner is None:
        raise SyncError("UserDisabled", mailbox=mailbox.address, crm=parts.rules.crm_name, detail=mailbox.user)
    return People(
        user_by_address={email: user.name for user in users.values() for email in user.emails},
        mailbox_by_address=addresses,
        address_by_mailbox={other.id: other.address for other in parts.store.mailboxes() if other.enabled},
        own=frozenset((mailbox.address, *owner.emails)),
    )
