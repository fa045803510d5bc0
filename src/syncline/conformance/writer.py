"""What the suite for writing connectors works with: appointments as the CRM has them, and a calendar to write to.

Every write is compared with the mails that it names (`core.outgoing.mails`). It must not know any connector.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from syncline.conformance import samples
from syncline.conformance.worlds import ReplicaWorld
from syncline.core.appointment import Appointment, Attendee, Role, Span
from syncline.core.outgoing import ItemCreation, ItemDeletion, ItemUpdate, ItemWrite, Mailing, mails
from syncline.ports import Observed, Replica, Result, Written

GUEST = "guest@elsewhere.example"
ROOM = "room@elsewhere.example"
UID = "made-here"
NINE = samples.at(9)
PLAIN = (
    "subject", "description", "location", "span", "zone", "show_as", "sensitivity", "importance", "categories",
    "reminder_minutes", "recurrence", "deleted",
)  # fmt: skip


def invited(*people: tuple[str, Role]) -> tuple[Attendee, ...]:
    """Return attendees by address and part."""
    return tuple(Attendee(address, address.partition("@")[0], role) for address, role in people)


BOB_ALONE = invited((samples.BOB.address, Role.REQUIRED))
BOTH = invited((samples.BOB.address, Role.REQUIRED), (GUEST, Role.OPTIONAL))


def new(span: Span = NINE, **fields: object) -> Appointment:
    """Return a single that comes from the CRM."""
    return samples.single(UID, span, **fields)


def series(span: Span = NINE, zone: str = "UTC", **fields: object) -> Appointment:
    """Return a daily series that comes from the CRM."""
    return replace(samples.daily(UID, span, zone=zone), **fields)


def moved(whole: Appointment, day: int, to: Span | None = None, **fields: object) -> Appointment:
    """Return the date of a series `day` days after the first, moved or changed."""
    start = whole.span.start + timedelta(days=day)
    length = whole.span.end - whole.span.start
    plain = replace(
        whole,
        identity=replace(whole.identity, original_start=start),
        span=to or replace(whole.span, start=start, end=start + length),
        recurrence=None,
        exceptions=(),
        deleted=(),
    )
    return replace(plain, **fields)


class Writer:
    """A person's calendar under test, that checks the mails of everything it writes against the plan."""

    def __init__(self, world: ReplicaWorld, address: str) -> None:
        self.world = world
        self.replica: Replica = world.replica(address)
        self.folder = self.replica.folders()[0].ref

    def seen(self, uid: str = UID) -> Observed:
        """Return the item as it stands."""
        (found,) = self.replica.find([uid])[uid]
        return found

    def write(self, *writes: ItemWrite) -> list[Written]:
        """Write, and compare the mails with those that the writes name."""
        before = len(self.world.outbox())
        outcomes = self.replica.write(writes)
        sent = sorted((to, kind) for _, to, kind in self.world.outbox()[before:])
        done = [write for write, each in zip(writes, outcomes, strict=True) if each.result is Result.SAVED]
        assert sent == sorted((mail.to, mail.kind.value) for write in done for mail in mails(write))
        return outcomes

    def create(self, content: Appointment, key: str = "key-1", mailing: Mailing = Mailing.NOBODY) -> Observed:
        """Create an item that must be saved."""
        write = ItemCreation(key=key, folder=self.folder, content=content, mailing=mailing)
        return self.saved(write)

    def saved(self, write: ItemWrite) -> Observed:
        """Write what must be saved, and return the item as it stands then."""
        (outcome,) = self.write(write)
        assert (outcome.result, outcome.error) == (Result.SAVED, None)
        assert outcome.item is not None
        return outcome.item

    def update(self, item: Observed, mailing: Mailing = Mailing.NOBODY, /, **fields: object) -> Observed:
        """Change fields of an item that was seen."""
        return self.saved(change_of(item, mailing, **fields))

    def sent(self) -> list[tuple[str, str]]:
        """Return recipient and kind of every mail so far, in a fixed order."""
        return sorted((to, kind) for _, to, kind in self.world.outbox())


def change_of(item: Observed, mailing: Mailing = Mailing.NOBODY, /, **fields: object) -> ItemUpdate:
    """Return the write that changes fields of an item that was seen."""
    after = replace(item.appointment, **fields)
    return ItemUpdate(
        ref=item.ref, folder=item.folder, revision=item.revision, before=item.appointment, after=after, mailing=mailing
    )


def deletion_of(item: Observed, mailing: Mailing = Mailing.NOBODY) -> ItemDeletion:
    """Return the write that deletes an item that was seen."""
    return ItemDeletion(
        ref=item.ref, folder=item.folder, revision=item.revision, content=item.appointment, mailing=mailing
    )


def values(appointment: Appointment, names: Sequence[str] = PLAIN) -> dict[str, object]:
    """Return fields for a comparison; the order of categories does not count."""
    found = {name: getattr(appointment, name) for name in names}
    if "categories" in found:
        found["categories"] = tuple(sorted(appointment.categories))
    return found


def people(appointment: Appointment) -> set[tuple[str, Role]]:
    """Return who is invited, and in which part."""
    return {(each.address, each.role) for each in appointment.attendees}
