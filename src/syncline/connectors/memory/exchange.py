"""A whole Exchange in memory: mailboxes, folders, items, revisions, tombstones, cursors, and copies of meetings.

An honest fake (ews-facts.md): every change makes a new revision, an item that moves to another folder gets a new
reference, deltas come newest first and per folder, cursors expire, and the copies of a meeting follow the organizer's.
`outbox` holds what the server has sent.
Methods with people's words are what people do in Outlook; `replica` opens the port. It must not know the engine or
the store, and it takes the time from nobody: its own counter orders everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from syncline.connectors.memory import meetings
from syncline.connectors.memory.files import Shelf
from syncline.core.appointment import Address, Appointment, Identity, Response, Span
from syncline.core.outgoing import MailKind
from syncline.errors import SyncError
from syncline.ports import Category, Folder, NewAttachment, OrganizationMark

CALENDAR = "calendar"
RESPONSE = "response"


class Posted(NamedTuple):
    """One mail that the server sent: a `MailKind`, or a response to the organizer."""

    sender: str
    to: str
    kind: str


class Item(Struct, frozen=True, kw_only=True):
    """One calendar item at one revision; `seq` is the moment of its last change."""

    ref: str
    folder: str
    revision: str
    seq: int
    appointment: Appointment
    key: str | None = None


@dataclass(slots=True, kw_only=True)
class MailboxStore:
    """One mailbox: folders and items, what left a folder and when, what it was, category list, unreadable items.

    `mark` says which installation keeps it in step. `write_denied`: the account that synchronizes may only read here.
    """

    address: str
    name: str
    folders: dict[str, Folder] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    removed: dict[tuple[str, str], int] = field(default_factory=dict)
    deleted: dict[str, Item] = field(default_factory=dict)
    categories: list[Category] = field(default_factory=list)
    spoiled: dict[str, SyncError] = field(default_factory=dict)
    mark: OrganizationMark | None = None
    write_denied: bool = False
    epoch: int = 0
    shelf: Shelf = field(default_factory=Shelf)


class Kept(Struct, frozen=True, kw_only=True):
    """A backup of one mailbox: its folders and items as they stood once."""

    address: str
    folders: Mapping[str, Folder]
    items: Mapping[str, Item]


class MemoryExchange:
    """One server with any number of mailboxes; addresses are lower case."""

    def __init__(self) -> None:
        self._mailboxes: dict[str, MailboxStore] = {}
        self._seq = 0
        self.outbox: list[Posted] = []
        self.requests: Counter[str] = Counter()

    # --- the installation ----------------------------------------------------------------------------------------

    def add_mailbox(self, address: str, name: str = "") -> None:
        """Create a mailbox with its main calendar folder."""
        store = MailboxStore(address=address, name=name or address)
        store.folders[CALENDAR] = Folder(ref=CALENDAR, name="Calendar", main=True)
        self._mailboxes[address] = store

    def add_folder(self, address: str, name: str) -> str:
        """Create a calendar subfolder and return its reference."""
        ref = f"folder-{self._tick()}"
        self.store(address).folders[ref] = Folder(ref=ref, name=name)
        return ref

    def remove_folder(self, address: str, ref: str) -> None:
        """Delete a calendar subfolder with everything in it; nobody is told what was inside."""
        store = self.store(address)
        for item in [item for item in store.items.values() if item.folder == ref]:
            self._remove(store, item)
        del store.folders[ref]

    def add_category(self, address: str, name: str) -> Category:
        """Add an entry to the mailbox's category list."""
        category = Category(id=f"category-{self._tick()}", name=name)
        self.store(address).categories.append(category)
        return category

    def store(self, address: str) -> MailboxStore:
        """Return a mailbox; SyncError("ErrorNonExistentMailbox") if there is none."""
        store = self._mailboxes.get(address)
        if store is None:
            raise SyncError("ErrorNonExistentMailbox", mailbox=address)
        return store

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses of all mailboxes."""
        return tuple(self._mailboxes)

    @property
    def mails(self) -> int:
        """Return how many mails the server has sent."""
        return len(self.outbox)

    @property
    def moment(self) -> int:
        """Return the moment of the newest change anywhere on the server."""
        return self._seq

    # --- looking -------------------------------------------------------------------------------------------------

    def item(self, address: str, ref: str) -> Item:
        """Return one item; KeyError if it is gone."""
        return self.store(address).items[ref]

    def items(self, address: str) -> tuple[Item, ...]:
        """Return all items of a mailbox, oldest reference first."""
        return tuple(self.store(address).items.values())

    # --- what people do ------------------------------------------------------------------------------------------

    def add(self, address: str, appointment: Appointment, *, folder: str = CALENDAR, send: bool = True) -> str:
        """Save a new appointment and return its reference; a meeting of this organizer is sent if `send`."""
        store = self.store(address)
        if appointment.organizer is None and appointment.attendees:
            appointment = replace(appointment, organizer=Address(address, store.name))
        organizes = appointment.organizer is not None and appointment.organizer.address == address
        if organizes and appointment.response is Response.NONE:
            appointment = replace(appointment, response=Response.ORGANIZER)
        ref = self._put(store, folder, appointment)
        if send and organizes:
            self._deliver(appointment, None)
        return ref

    def edit(self, address: str, ref: str, change: Callable[[Appointment], Appointment], *, send: bool = True) -> None:
        """Save an item changed by `change`; what the organizer changes reaches the attendees' copies if `send`."""
        store = self.store(address)
        item = store.items[ref]
        after = change(item.appointment)
        self._replace(store, item, after)
        if send and after.response is Response.ORGANIZER:
            self._deliver(after, item.appointment)

    def edit_occurrence(self, address: str, ref: str, at: Span, change: Callable[[Appointment], Appointment]) -> None:
        """Change one occurrence; `at` is its span by the pattern, so `at.start` is its original start."""
        self.edit(address, ref, lambda series: meetings.with_occurrence(series, change(_occurrence(series, at))))

    def delete_occurrence(self, address: str, ref: str, at: Span) -> None:
        """Delete one occurrence; `at` is its span by the pattern."""
        identity = Identity(self.item(address, ref).appointment.identity.global_object_id, at.start)
        self.edit(address, ref, lambda series: meetings.without_occurrence(series, identity))

    def delete(self, address: str, ref: str) -> None:
        """Delete an item from one calendar without telling anybody."""
        store = self.store(address)
        self._remove(store, store.items[ref])

    def cancel(self, address: str, ref: str) -> None:
        """Call a meeting off: the organizer's copy goes, the attendees' copies stay, cancelled (A-34)."""
        meeting = self.item(address, ref).appointment
        self.delete(address, ref)
        self.send(meeting, meeting, meetings.addresses(meeting), MailKind.CANCELLATION)

    def respond(self, address: str, ref: str, response: Response, *, new_ref: bool = False) -> str | None:
        """Answer an invitation and return the item's reference: None after a decline, another one with `new_ref`.

        The organizer's copy learns the answer, which moves its revision and nothing else.
        """
        store = self.store(address)
        item = store.items[ref]
        self._tell_organizer(item.appointment, address, response)
        if response is Response.DECLINED:
            self._remove(store, item)
            return None
        answered = meetings.answered_copy(item.appointment, response)
        if new_ref:
            self._remove(store, item)
            return self._put_again(store, item, item.folder, answered)
        self._replace(store, item, answered)
        return ref

    def set_categories(self, address: str, ref: str, names: Iterable[str]) -> None:
        """Set the categories of one item in one calendar (L-01); copies of others keep theirs."""
        self.edit(address, ref, lambda found: replace(found, categories=tuple(names)), send=False)

    def move(self, address: str, ref: str, folder: str) -> str:
        """Move an item to another folder: it goes there and comes here, with a new reference."""
        store = self.store(address)
        item = store.items[ref]
        self._remove(store, item)
        return self._put_again(store, item, folder, item.appointment)

    def copy(self, address: str, ref: str, folder: str | None = None) -> str:
        """Copy an item: same identity, same key, another reference (L-11)."""
        store = self.store(address)
        item = store.items[ref]
        return self._put_again(store, item, folder or item.folder, item.appointment)

    def attach(self, address: str, ref: str, name: str, content: bytes, content_type: str = "") -> str:
        """Attach a file to an item of one calendar and return its reference; nobody is told."""
        new = NewAttachment(id="", name=name, content_type=content_type, content=content)
        attachment = self.store(address).shelf.put(ref, new, digest=False)
        self.touch(address, ref)
        return attachment

    def detach(self, address: str, ref: str, name: str) -> None:
        """Take the files of that name off an item; nobody is told."""
        shelf = self.store(address).shelf
        for attachment in [each for each in shelf.of(ref) if each.name == name]:
            shelf.take_off(ref, attachment.ref)
        self.touch(address, ref)

    def touch(self, address: str, ref: str) -> None:
        """Let the server process an item: a new revision of the same content."""
        self.edit(address, ref, lambda found: found, send=False)

    # --- what a program writes ---------------------------------------------------------------------------------

    def create(self, address: str, appointment: Appointment, *, folder: str, key: str) -> str:
        """Save a new item of its owner with a key, telling nobody, and return its reference."""
        return self._put(self.store(address), folder, appointment, key)

    def save(self, address: str, ref: str, appointment: Appointment, key: str | None = None) -> None:
        """Save an item as it shall be, telling nobody; `key` replaces its own."""
        store = self.store(address)
        item = store.items[ref]
        self._replace(store, replace(item, key=key or item.key), appointment)

    def send(
        self,
        meeting: Appointment,
        about: Appointment,
        to: Iterable[str],
        kind: MailKind,
        before: Appointment | None = None,
    ) -> None:
        """Mail people about a meeting or one date of it (`about`); their copies follow. `before`: what it was."""
        for address in to:
            assert meeting.organizer is not None
            self.outbox.append(Posted(meeting.organizer.address, address, kind.value))
            store = self._mailboxes.get(address)
            if store is not None:
                self._follow(store, meeting, about, kind, before)

    # --- what can go wrong ---------------------------------------------------------------------------------------

    def expire_cursors(self, address: str) -> None:
        """Forget every cursor given out for this mailbox."""
        self.store(address).epoch += 1

    def back_up(self, address: str) -> Kept:
        """Return what a mailbox holds now."""
        store = self.store(address)
        return Kept(address=address, folders=dict(store.folders), items=dict(store.items))

    def restore(self, kept: Kept) -> None:
        """Put a backup back: references and revisions are those of then, what came after it is lost, cursors too."""
        store = self.store(kept.address)
        store.folders, store.items = dict(kept.folders), dict(kept.items)
        store.removed.clear()
        store.deleted = {ref: item for ref, item in store.deleted.items() if ref not in store.items}
        store.spoiled = {ref: error for ref, error in store.spoiled.items() if ref in store.items}
        self.expire_cursors(kept.address)

    def empty(self, address: str) -> tuple[Item, ...]:
        """Lose every item of a mailbox, as a wrong restore does; return them, for `refill`."""
        store = self.store(address)
        lost = tuple(store.items.values())
        for item in lost:
            self._remove(store, item)
        return lost

    def refill(self, address: str, lost: Iterable[Item]) -> None:
        """Bring items back under new references, as a restore from a backup does."""
        store = self.store(address)
        for item in lost:
            folder = item.folder if item.folder in store.folders else CALENDAR
            self._put_again(store, item, folder, item.appointment)

    def spoil(self, address: str, ref: str, error: SyncError | None) -> None:
        """Make one item unreadable with `error`, or readable again with None."""
        spoiled = self.store(address).spoiled
        spoiled.pop(ref, None)
        if error is not None:
            spoiled[ref] = error

    # --- inside --------------------------------------------------------------------------------------------------

    def _tick(self) -> int:
        self._seq += 1
        return self._seq

    def _put(self, store: MailboxStore, folder: str, appointment: Appointment, key: str | None = None) -> str:
        if folder not in store.folders:
            raise KeyError(folder)
        seq = self._tick()
        ref = f"item-{seq}"
        store.items[ref] = Item(
            ref=ref, folder=folder, revision=f"rev-{seq}", seq=seq, appointment=appointment, key=key
        )
        return ref

    def _put_again(self, store: MailboxStore, item: Item, folder: str, appointment: Appointment) -> str:
        """Save an item anew, with its key and files; what it was may be gone already."""
        ref = self._put(store, folder, appointment, item.key)
        store.shelf.hand_on(item.ref, ref)
        return ref

    def _replace(self, store: MailboxStore, item: Item, appointment: Appointment) -> None:
        seq = self._tick()
        store.items[item.ref] = replace(item, revision=f"rev-{seq}", seq=seq, appointment=appointment)

    def _remove(self, store: MailboxStore, item: Item) -> None:
        del store.items[item.ref]
        store.removed[item.folder, item.ref] = self._tick()
        store.deleted[item.ref] = item
        store.spoiled.pop(item.ref, None)

    def _deliver(self, meeting: Appointment, before: Appointment | None) -> None:
        """Tell everybody what a person saved, as Outlook does."""
        old = set(meetings.addresses(before)) if before is not None else set()
        people = meetings.addresses(meeting)
        self.send(meeting, meeting, sorted(set(people) - old), MailKind.REQUEST, before)
        self.send(meeting, meeting, [each for each in people if each in old], MailKind.UPDATE, before)
        self.send(meeting, meeting, sorted(old - set(people)), MailKind.CANCELLATION)

    def _follow(
        self, store: MailboxStore, meeting: Appointment, about: Appointment, kind: MailKind, before: Appointment | None
    ) -> None:
        """Let one attendee's copies follow a mail that came."""
        name = meeting.identity.global_object_id
        copies = [item for item in tuple(store.items.values()) if item.appointment.identity.global_object_id == name]
        for item in copies:
            copy = meetings.told_copy(item.appointment, meeting, about, kind, before)
            if copy != item.appointment:
                self._replace(store, item, copy)
        left = any(item.appointment.identity.global_object_id == name for item in store.deleted.values())
        if not copies and (kind is MailKind.REQUEST or (kind is MailKind.UPDATE and not left)):
            whole = store.address in meetings.addresses(meeting)
            self._put(store, CALENDAR, meetings.invitation(meeting if whole else about))

    def _tell_organizer(self, copy: Appointment, address: str, response: Response) -> None:
        if copy.organizer is not None:
            self.outbox.append(Posted(address, copy.organizer.address, RESPONSE))
        store = self._mailboxes.get(copy.organizer.address) if copy.organizer is not None else None
        for item in tuple(store.items.values()) if store is not None else ():
            if store is not None and item.appointment.identity == copy.identity:
                self._replace(store, item, meetings.with_answer(item.appointment, address, response))


def _occurrence(series: Appointment, at: Span) -> Appointment:
    return meetings.occurrence(series, Identity(series.identity.global_object_id, at.start), at)
