"""What Syncline may do to a simulated Exchange, and what it has done: mails, deletions, creations, judged one by one.

It knows the rules from the outside (who may be mailed, what may be deleted); it must not use the engine's own reasoning
but for the list of mails that a plan shows to people, which is what is checked. The engine is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from syncline.connectors.memory import Item, MemoryCrm, MemoryExchange
from syncline.connectors.memory.exchange import Posted
from syncline.core import filters
from syncline.core.appointment import Appointment, Status
from syncline.core.guards import Invitations
from syncline.core.outgoing import ItemCreation, ItemDeletion, ItemUpdate, ItemWrite, Mailing, mails
from syncline.core.pushing import Policy
from syncline.ports import Clock, CrmRow, Result, Written
from syncline.simulation.mailing import misdirected
from syncline.store import Database

CATEGORY = "Tracked to Syncline CRM"
INVITATIONS = "InvitationsHeld"
ORGANIZER = "OrganizerChangedHeld"
_ROLES = {"required": filters.Part.REQUIRED, "optional": filters.Part.OPTIONAL, "resource": filters.Part.RESOURCE}


@dataclass
class Conduct:
    """Everything that was written to Exchange, and what of it was wrong (`violations`, which the world gives).

    `said`: the meetings about which people answered, by code and answer. `deleted` is what Syncline deleted, address
    and content; `taken` are the references, by address. `doubled` was made although it stood there already, as by an
    owner that was overtaken, and how: it must be gone in the end unless people have changed it. `as_made`: by key, what
    each item held when it was made.
    `untracked` is what Syncline itself tracks no longer and may track again. `first_keys`: for each key that an update
    gave an item the one that it was made with, if it was.
    `gone_with_its_row` is told what each item held that was deleted because its row had been.
    """

    exchange: MemoryExchange
    crm: MemoryCrm
    store: Database
    mailboxes: Mapping[str, int]
    violations: list[str]
    clock: Clock
    policy: Policy = field(default_factory=Policy)
    allowed: Invitations = field(default_factory=Invitations)
    said: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    marked: set[tuple[str, str]] = field(default_factory=set)
    doubled: dict[tuple[str, str], Appointment] = field(default_factory=dict)
    as_made: dict[str, Appointment] = field(default_factory=dict)
    deleted: list[tuple[str, Appointment]] = field(default_factory=list)
    taken: set[tuple[str, str]] = field(default_factory=set)
    helpless: set[str] = field(default_factory=set)
    untracked: set[tuple[str, str]] = field(default_factory=set)
    first_keys: dict[str, str | None] = field(default_factory=dict)
    gone_with_its_row: Callable[[Appointment], None] = lambda _: None
    _sent: list[int] = field(default_factory=list)

    @contextmanager
    def cycle_of(self, address: str) -> Iterator[None]:
        """Count the mails of one cycle; more than the budget must have been asked about."""
        self._sent.append(0)
        try:
            yield
        finally:
            sent = self._sent.pop()
            if sent > self.allowed.mails_max:
                self.violations.append(f"{address}: {sent} mails in one cycle and nobody was asked")

    def answered(self, code: str, answer: str) -> set[str]:
        """Return the meetings about which people gave this answer to this question."""
        return self.said.setdefault((code, answer), set())

    def made_with(self, key: str | None) -> str | None:
        """Return the key that the item with this key was made with; None if Syncline did not make it."""
        return self.first_keys.get(key, key) if key is not None else None

    def times_made(self, items: Iterable[Item]) -> Counter[str]:
        """Return by meeting how many of these items Syncline made: each key counts once, copies carry the same."""
        made = {(item.appointment.identity.global_object_id, self.made_with(item.key)) for item in items}
        return Counter(name for name, key in made if key is not None)

    def judge(
        self, address: str, write: ItemWrite, before: Mapping[tuple[str, str], Appointment], written: Written, sent: int
    ) -> None:
        """Judge one write that has just been carried out; `sent` is how many mails there were before it."""
        posted = self.exchange.outbox[sent:]
        name = _content(write).identity.global_object_id
        told = {mail.to for mail in posted}
        for key, now in everything(self.exchange).items():
            if now != before.get(key) and key[0] != address and key[0] not in told:
                self._wrong(address, name, f"the calendar of {key[0]} was written")
            if now != before.get(key) and key[0] == address and not _means(write, key[1], before, written):
                self._wrong(address, name, f"{key[1]} was written, which nobody meant")
        gone = {key for key in before if key not in everything(self.exchange)}
        if gone - {(address, getattr(write, "ref", ""))}:
            self._wrong(address, name, f"{sorted(gone)} went")
        self._mailed(address, name, write, posted)
        ref = written.item.ref if written.item is not None else getattr(write, "ref", "")
        sides = before.get((address, ref)), everything(self.exchange).get((address, ref))
        for wrong in misdirected(address, *sides, posted, self.clock.now(), self.policy):
            self._wrong(address, name, wrong)
        if isinstance(write, ItemCreation):
            self._created(address, write, before, written)
        elif isinstance(write, ItemDeletion):
            self._deleted(address, write, before, gone)
        else:
            self._updated(address, write)
            self._dates(address, before.get((address, write.ref)), everything(self.exchange).get((address, write.ref)))

    # --- each kind -----------------------------------------------------------------------------------------------

    def _mailed(self, address: str, name: str, write: ItemWrite, posted: Sequence[Posted]) -> None:
        unplanned = Counter(mail.to for mail in posted) - Counter(mail.to for mail in mails(write))
        if unplanned:
            self._wrong(address, name, f"mails that the plan did not name: {sorted(unplanned.elements())}")
        if not posted:
            return
        if not self.store.mailbox(self.mailboxes[address]).first_sync_done:
            self._wrong(address, name, "somebody was mailed in the first sync")
        if not self.policy.send:
            self._wrong(address, name, "somebody was mailed although mails are off")
        if name in self.answered(INVITATIONS, "yes"):
            return
        self._sent[-1] += len(posted)
        outside = [
            mail.to for mail in posted if self.allowed.domains and mail.to.split("@")[1] not in self.allowed.domains
        ]
        if outside:
            self._wrong(
                address, name, f"{sorted(outside)} were mailed outside the allowed domains and nobody was asked"
            )

    def _created(
        self, address: str, write: ItemCreation, before: Mapping[tuple[str, str], Appointment], written: Written
    ) -> None:
        if written.item is None:
            return
        self.as_made[write.key] = written.item.appointment
        identity = write.content.identity
        if any(of == address and item.identity == identity for (of, _), item in before.items()):
            self.doubled[address, written.item.ref] = written.item.appointment

    def _deleted(
        self,
        address: str,
        write: ItemDeletion,
        before: Mapping[tuple[str, str], Appointment],
        gone: set[tuple[str, str]],
    ) -> None:
        self.taken |= gone
        if all(self.doubled.get(key) == before[key] for key in gone):
            return  # what was made twice is taken back, as long as it stands as it was made
        name = write.content.identity.global_object_id
        self.deleted.append((address, write.content))
        row = self.crm.find([write.content.identity]).get(write.content.identity)
        if row is None:
            self.gone_with_its_row(write.content)
        elif not self._may_go(address, row) and not self._made_instead(address, write, before, row):
            self._wrong(address, name, "deleted, but its row stands in scope")

    def _made_instead(
        self, address: str, write: ItemDeletion, before: Mapping[tuple[str, str], Appointment], row: CrmRow
    ) -> bool:
        """Return whether what went stood as it was made, and what Syncline made instead holds the row (decision 0035).

        When the second one was made, the first had been lost: so it is not among `doubled`.
        """
        key = self.exchange.store(address).deleted[write.ref].key
        instead = [
            item.ref
            for item in self.exchange.items(address)
            if item.appointment.identity == write.content.identity and self.made_with(item.key) not in (None, key)
        ]
        links = self.store.links_by_ref(self.mailboxes[address], instead)
        untouched = key is not None and self.as_made.get(key) == before[address, write.ref]
        return untouched and write.mailing is Mailing.NOBODY and any(link.crm_id == row.id for link in links.values())

    def _updated(self, address: str, write: ItemUpdate) -> None:
        before, after = set(write.before.categories), set(write.after.categories)
        taken_back = (address, write.ref) in self.untracked
        if CATEGORY in before - after:
            self.untracked.add((address, write.ref))
        if (before ^ after) - {CATEGORY} or (CATEGORY in after - before and not taken_back):
            self._wrong(address, write.before.identity.global_object_id, "categories of the person were written")
        if write.after.response != write.before.response:
            self._wrong(address, write.before.identity.global_object_id, "the owner's own answer was written")

    def _dates(self, address: str, before: Appointment | None, now: Appointment | None) -> None:
        """Note the dates with texts or a time of their own that an update has deleted."""
        if before is None or now is None:
            return
        for part in before.exceptions:
            start = part.identity.original_start
            said = any(getattr(part, name) != getattr(before, name) for name in ("subject", "location", "description"))
            if (said or part.span.start != start) and start in now.deleted:
                self.deleted.append((address, part))

    def _may_go(self, address: str, row: CrmRow) -> bool:
        if row.status is Status.CANCELED and self.policy.propagate_cancellations:
            return True
        if row.appointment.identity.global_object_id in self.answered(ORGANIZER, "yes"):
            return True
        return not self.policy.distinct_deletes and not self.in_scope(address, row)

    def in_scope(self, address: str, row: CrmRow) -> bool:
        """Return whether a filter of the mailbox's owner selects the row."""
        user = address.partition("@")[0]
        parts = _parts(address, user, row)
        chosen = self.store.sync_filters(user)
        return bool(parts) and any(all(_holds(each, parts, row) for each in one.conditions) for one in chosen)

    def _wrong(self, address: str, name: str, what: str) -> None:
        self.violations.append(f"{address} {name}: {what}")


def everything(exchange: MemoryExchange) -> dict[tuple[str, str], Appointment]:
    """Return all items of all mailboxes by address and reference."""
    return {(of, item.ref): item.appointment for of in exchange.addresses() for item in exchange.items(of)}


def _content(write: ItemWrite) -> Appointment:
    return write.after if isinstance(write, ItemUpdate) else write.content


def _means(write: ItemWrite, ref: str, before: Mapping[tuple[str, str], Appointment], written: Written) -> bool:
    """Return whether a write may have changed an item of its own mailbox."""
    if isinstance(write, ItemCreation):
        return written.item is not None and written.item.ref == ref and all(key[1] != ref for key in before)
    return write.ref == ref and written.result is not Result.STALE


def _parts(address: str, user: str, row: CrmRow) -> set[str]:
    found = {filters.Part.OWNER} if row.owner == user else set()
    for part in (row.appointment, *row.appointment.exceptions):
        if part.organizer is not None and part.organizer.address == address:
            found.add(filters.Part.ORGANIZER)
        found |= {_ROLES[each.role.value] for each in part.attendees if each.address == address}
    return {str(each) for each in found}


def _holds(condition: filters.Condition, parts: set[str], row: CrmRow) -> bool:
    """Return whether a condition of the kinds that people make here holds."""
    if condition.field is filters.Field.PART:
        return bool(parts & set(condition.words)) is not condition.negated
    assert condition.field is filters.Field.SUBJECT, "nobody filters by anything else here"
    subject = row.appointment.subject.lower()
    return any(word.lower() in subject for word in condition.words) is not condition.negated
