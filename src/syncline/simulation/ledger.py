"""Every write that reaches the CRM, judged at the moment it happens.

The ledger stands between the engine and the memory CRM, behind the gate: what is refused before effect never reaches
it, what was lost after effect did. It keeps what must hold for each write by itself (order of Q-09, no unasked overlap,
no deletion of what still stands in Exchange) and remembers violations in words. It must not know plans or links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from syncline.connectors.memory import MemoryCrm, MemoryExchange
from syncline.core.appointment import Appointment, Identity, Status
from syncline.core.guards import EMPTIED_MIN, Limits
from syncline.core.scheduling import ConflictPolicy, Verdict
from syncline.errors import SyncError
from syncline.ports import (
    Attachments,
    AttachmentWritten,
    Booking,
    Candidate,
    CrmPage,
    CrmRow,
    Deletion,
    NewAttachment,
    Outcome,
    Reschedule,
    Result,
    User,
)
from syncline.store import Database

_LATEST = datetime.max.replace(tzinfo=UTC)

Clashes = frozenset[tuple[str, str]]


@dataclass
class Ledger:
    """The CRM port with a memory of what was written through it (`syncline.ports.Crm`).

    `released` and `retained` are the mailboxes about which a question of many was answered Yes, or No. `lost` is what
    mailboxes lost when they were restored, by address; `said_yes` tells whether people let a meeting go.
    """

    crm: MemoryCrm
    exchange: MemoryExchange
    store: Database
    mailboxes: Mapping[str, int]
    violations: list[str] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)
    save_anyway: frozenset[str] = frozenset()
    released: set[str] = field(default_factory=set)
    retained: set[str] = field(default_factory=set)
    ruled: Callable[[str, str], bool] = lambda _, __: False
    limits: Limits = field(default_factory=Limits)
    deleted: list[tuple[str, Appointment]] = field(default_factory=list)
    lost: set[tuple[str, Identity]] = field(default_factory=set)
    said_yes: Callable[[str], bool] = lambda _: False
    _writers: list[str] = field(default_factory=list)
    _deletions: list[int] = field(default_factory=list)
    _made: list[set[Deletion]] = field(default_factory=list)

    @contextmanager
    def cycle_of(self, address: str) -> Iterator[None]:
        """Note whose cycle runs; cycles of two owners nest. A cycle that deleted too much at once is a violation."""
        total = self.store.link_count(self.mailboxes[address])
        self.lost -= {(address, item.appointment.identity) for item in self.exchange.items(address)}
        self._writers.append(address)
        self._deletions.append(0)
        self._made.append(set())
        try:
            yield
        finally:
            self._writers.pop()
            self._made.pop()
            count = self._deletions.pop()
            if self._too_many(count, total) and address not in self.released:
                self.violations.append(f"{address}: {count} of {total} rows deleted at once and nobody was asked")

    @property
    def writer(self) -> str:
        """Return the address of the mailbox whose cycle runs."""
        return self._writers[-1]

    # --- the port ------------------------------------------------------------------------------------------------

    def users(self) -> tuple[User, ...]:
        """Return all users."""
        return self.crm.users()

    def changes(self, cursor: str | None, limit: int) -> CrmPage:
        """Return the next page of the change log."""
        return self.crm.changes(cursor, limit)

    def read(self, ids: Sequence[str]) -> Mapping[str, CrmRow]:
        """Return the rows that exist."""
        return self.crm.read(ids)

    def ids(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the ids of singles and series."""
        return self.crm.ids(after, limit)

    def find(self, identities: Iterable[Identity]) -> Mapping[Identity, CrmRow]:
        """Return the rows that hold one of the identities."""
        return self.crm.find(identities)

    def validate(self, candidates: Sequence[Candidate], policy: ConflictPolicy) -> list[Verdict]:
        """Check candidates against what is committed."""
        return self.crm.validate(candidates, policy)

    def book(self, bookings: Sequence[Booking], policy: ConflictPolicy) -> list[Outcome]:
        """Create rows one by one, each judged."""
        self._in_order(bookings)
        return [self._booked(booking, policy) for booking in bookings]

    def reschedule(self, changes: Sequence[Reschedule], policy: ConflictPolicy) -> list[Outcome]:
        """Update rows one by one, each judged."""
        return [self._rescheduled(change, policy) for change in changes]

    def last_keys(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return under which keys rows were last written."""
        return self.crm.last_keys(ids)

    def delete(self, deletions: Sequence[Deletion]) -> list[Outcome]:
        """Delete rows one by one, each judged."""
        return [self._deleted(deletion) for deletion in deletions]

    def attachments(self, refs: Sequence[str]) -> Mapping[str, Attachments | SyncError]:
        """Return what is attached to rows."""
        return self.crm.attachments(refs)

    def attachment_content(self, ref: str, size_max: int) -> bytes | None:
        """Return the content of one file."""
        return self.crm.attachment_content(ref, size_max)

    def attach(self, ref: str, revision: str, new: NewAttachment) -> AttachmentWritten:
        """Attach one file."""
        return self.crm.attach(ref, revision, new)

    def detach(self, ref: str, revision: str, attachment: str) -> AttachmentWritten:
        """Take one file off."""
        return self.crm.detach(ref, revision, attachment)

    def flag_attachments(self, row_id: str, *, incomplete: bool) -> None:
        """Note whether files of a row's item could not be taken."""
        self.crm.flag_attachments(row_id, incomplete=incomplete)

    # --- judging -------------------------------------------------------------------------------------------------

    def _booked(self, booking: Booking, policy: ConflictPolicy) -> Outcome:
        clashes = _clashes(self.crm.check(replace(booking.candidate, check=True), policy))
        (outcome,) = self.crm.book([booking], policy)
        if outcome.result is Result.SAVED and booking.status is not Status.CANCELED:
            self._unasked(booking.candidate, clashes)
        self._unavailable(booking.candidate, outcome)
        if outcome.result is Result.SAVED:
            self._made[-1].add(Deletion(id=outcome.id, version=outcome.version))
        return outcome

    def _rescheduled(self, change: Reschedule, policy: ConflictPolicy) -> Outcome:
        row = self.crm.read([change.id]).get(change.id)
        asked = replace(change.candidate, check=True, row_id=change.id)
        before: Clashes = frozenset()
        if row is not None:
            people = self.crm.persons_of(change.id)
            before = _clashes(self.crm.check(replace(asked, appointment=row.appointment, persons=people), policy))
        after = _clashes(self.crm.check(asked, policy))
        (outcome,) = self.crm.reschedule([change], policy)
        if outcome.result is Result.SAVED and change.status is not Status.CANCELED:
            self._unasked(change.candidate, after - before)
        self._unavailable(change.candidate, outcome)
        return outcome

    def _deleted(self, deletion: Deletion) -> Outcome:
        row = self.crm.read([deletion.id]).get(deletion.id)
        (outcome,) = self.crm.delete([deletion])
        # An overtaken owner takes back what it has just made: nobody has seen that row, and its item may be untracked.
        taken_back = deletion in self._made[-1]
        if taken_back and row is not None:
            # The answer on which it was made may be gone with the link that the new owner has dropped.
            over = _saved_over(row.appointment.identity.global_object_id)
            self.violations[:] = [each for each in self.violations if not each.startswith(over)]
        if row is not None and outcome.result is Result.SAVED and not taken_back:
            identity = row.appointment.identity
            self._deletions[-1] += 1
            self.deleted.append((self.writer, row.appointment))
            if self._stands(self.writer, identity):
                self.violations.append(f"row of {identity.global_object_id} deleted, but its item stands in Exchange")
            asked = self.said_yes(identity.global_object_id) or self.writer in self.released
            if (self.writer, identity) in self.lost and not asked:
                self.violations.append(f"row of {identity.global_object_id} deleted after a restore, nobody was asked")
            if row.status in (Status.COMPLETED, Status.CANCELED):
                self.violations.append(f"closed row of {identity.global_object_id} deleted (A-25)")
        return outcome

    def _unasked(self, candidate: Candidate, clashes: Clashes) -> None:
        """A saved row that newly overlaps something needs a Yes, of whomever, or the mailbox's setting (Q-09, Q-10)."""
        name = candidate.appointment.identity.global_object_id
        if not clashes or self.writer in self.save_anyway or name in self.confirmed or self.ruled(name, "yes"):
            return
        self.violations.append(f"{_saved_over(name)} {sorted(clashes)} and nobody was asked")

    def _unavailable(self, candidate: Candidate, outcome: Outcome) -> None:
        name = candidate.appointment.identity.global_object_id
        if outcome.result is Result.UNAVAILABLE and not candidate.check:
            self.violations.append(f"{name} was held although its check was suppressed")

    def _too_many(self, count: int, total: int) -> bool:
        """Return whether that many deletions of one cycle must be held (hard-problems 4, item 9)."""
        emptied = total >= EMPTIED_MIN and count >= total
        return emptied or (count > self.limits.items_max and count > self.limits.share_max * total)

    def _in_order(self, bookings: Sequence[Booking]) -> None:
        """Checked creations of one call go by creation, start and id (Q-09)."""
        keys = [self._key(booking.candidate.appointment) for booking in bookings if booking.candidate.check]
        if keys != sorted(keys):
            self.violations.append(f"booked out of order: {[key[2] for key in keys]}")

    def _key(self, appointment: Appointment) -> tuple[datetime, datetime, str]:
        store = self.exchange.store(self.writer)
        items = (*store.items.values(), *store.deleted.values())
        created = [item.appointment.created for item in items if item.appointment.identity == appointment.identity]
        known = min((at for at in created if at is not None), default=_LATEST)
        return known, appointment.span.start, appointment.identity.global_object_id

    def _stands(self, address: str, identity: Identity) -> bool:
        return any(item.appointment.identity == identity for item in self.exchange.items(address))


def _saved_over(name: str) -> str:
    return f"{name} was saved over"


def _clashes(verdict: Verdict) -> Clashes:
    """Return who clashes with which rows."""
    return frozenset((person.user_id, clash.row_id) for person in verdict.unavailable for clash in person.clashes)
