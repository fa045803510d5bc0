"""The calendar port onto one mailbox of the memory Exchange: deltas with cursors, contents, and search by identity.

A cursor names the mailbox's epoch, the folder, and how far was read: everything up to `base`; between two pages also
everything from `below` to `top`, because pages come newest first. It must not know people's methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from syncline.connectors.memory.exchange import CALENDAR, Item, MemoryExchange
from syncline.connectors.memory.writing import carry_out
from syncline.core.answering_by_category import Categorizing
from syncline.core.outgoing import ItemWrite
from syncline.errors import SyncError
from syncline.ports import (
    Attachments,
    AttachmentWritten,
    Categorized,
    Category,
    Folder,
    Light,
    NewAttachment,
    Observed,
    OrganizationMark,
    Page,
    Result,
    Written,
)

PAGE_MAX = 512


class _Cursor(Struct, frozen=True, kw_only=True):
    epoch: int
    folder: str
    base: int
    top: int = 0
    below: int = 0

    def __str__(self) -> str:
        return f"{self.epoch}|{self.folder}|{self.base}|{self.top}|{self.below}"


class MemoryReplica:
    """One person's calendar on the memory Exchange (`syncline.ports.Replica`)."""

    def __init__(self, exchange: MemoryExchange, address: str) -> None:
        self._exchange = exchange
        self._address = address

    def folders(self) -> tuple[Folder, ...]:
        """Return the calendar folders, the main one first (L-02)."""
        self._count("folders")
        found = self._exchange.store(self._address).folders.values()
        return tuple(sorted(found, key=lambda folder: not folder.main))

    def categories(self) -> tuple[Category, ...]:
        """Return the category list."""
        self._count("categories")
        return tuple(self._exchange.store(self._address).categories)

    def changes(self, folder: str, cursor: str | None, limit: int) -> Page:
        """Return the next page of changes, newest first; raises CursorExpired for an unknown cursor."""
        self._count("changes")
        if not 1 <= limit <= PAGE_MAX:
            raise ValueError(f"limit {limit} is not in 1..{PAGE_MAX}")
        if folder not in self._exchange.store(self._address).folders:
            return self._without(folder, cursor)
        found = self._open(folder, cursor)
        rows = self._rows(folder, with_gone=found.base > 0)
        top = found.top or max((seq for seq, _ in rows), default=self._exchange.moment)
        below = found.below or top + 1
        waiting = sorted((pair for pair in rows if found.base < pair[0] < below), key=lambda pair: -pair[0])
        shown = waiting[:limit]
        more = len(waiting) > limit
        following = replace(found, top=top, below=shown[-1][0]) if more else replace(found, base=top, top=0, below=0)
        return Page(items=tuple(row for _, row in shown), cursor=str(following), more=more)

    def read(self, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
        """Return the contents in order; a gone item is None, an unreadable one its error."""
        self._count("read")
        store = self._exchange.store(self._address)
        return [
            store.spoiled.get(ref) or (_observed(store.items[ref]) if ref in store.items else None) for _, ref in refs
        ]

    def find(self, global_object_ids: Sequence[str]) -> Mapping[str, tuple[Observed, ...]]:
        """Return every item of all folders that carries one of the ids."""
        self._count("find")
        items = self._exchange.items(self._address)
        found = {
            wanted: tuple(_observed(item) for item in items if item.appointment.identity.global_object_id == wanted)
            for wanted in global_object_ids
        }
        return {wanted: seen for wanted, seen in found.items() if seen}

    def categorize(self, changes: Sequence[Categorizing]) -> list[Categorized]:
        """Change categories of items, each guarded by its revision; copies of others keep theirs."""
        self._count("categorize")
        return [self._categorized(change) for change in changes]

    def write(self, writes: Sequence[ItemWrite]) -> list[Written]:
        """Create, change and delete items, in order, each by itself."""
        self._count("write")
        return [self._written(write) for write in writes]

    def find_keys(self, keys: Sequence[str]) -> Mapping[str, Observed]:
        """Return the oldest item of all folders that carries each key."""
        self._count("find_keys")
        wanted = set(keys)
        found: dict[str, Observed] = {}
        for item in self._exchange.items(self._address):
            if item.key is not None and item.key in wanted:
                found.setdefault(item.key, _observed(item))
        return found

    def attachments(self, refs: Sequence[str]) -> Mapping[str, Attachments | SyncError]:
        """Return what is attached to items."""
        self._count("attachments")
        return {ref: found for ref in refs if (found := self._attached(ref)) is not None}

    def attachment_content(self, ref: str, size_max: int) -> bytes | None:
        """Return the content of one file."""
        self._count("attachment_content")
        return self._exchange.store(self._address).shelf.content(ref, size_max)

    def attach(self, ref: str, revision: str, new: NewAttachment) -> AttachmentWritten:
        """Attach one file."""
        self._count("attach")
        refused = self._unattachable(ref, revision)
        if refused is not None:
            return refused
        made = self._exchange.attach(self._address, ref, new.name, new.content, new.content_type)
        return AttachmentWritten(result=Result.SAVED, after=self._attached(ref), ref=made)

    def detach(self, ref: str, revision: str, attachment: str) -> AttachmentWritten:
        """Take one file off."""
        self._count("detach")
        refused = self._unattachable(ref, revision)
        if refused is not None:
            return refused
        if self._exchange.store(self._address).shelf.take_off(ref, attachment):
            self._exchange.touch(self._address, ref)
        return AttachmentWritten(result=Result.SAVED, after=self._attached(ref))

    def mark(self) -> OrganizationMark | None:
        """Return the mark of the mailbox."""
        self._count("mark")
        return self._exchange.store(self._address).mark

    def set_mark(self, mark: OrganizationMark, over: OrganizationMark | None) -> OrganizationMark:
        """Put a mark over the one that was seen; return the one that stands."""
        self._count("set_mark")
        store = self._exchange.store(self._address)
        if store.mark is not None and store.mark != over:
            return store.mark
        if store.write_denied:
            detail = "the account may only read"
            raise SyncError("OrganizationMarkNotWritable", mailbox=self._address, detail=detail)
        store.mark = mark
        return mark

    def probe(self) -> tuple[str, ...]:
        """Run the steps of test-and-enable."""
        self._count("probe")
        self._exchange.store(self._address)
        return ("address resolves", "sign-in", "calendar readable", "category list readable")

    def close(self) -> None:
        """Nothing is held."""

    def _written(self, write: ItemWrite) -> Written:
        done = carry_out(self._exchange, self._address, write)
        item = self._exchange.store(self._address).items.get(done.ref) if done.ref is not None else None
        return Written(result=done.result, item=_observed(item) if item else None, error=done.error)

    def _categorized(self, change: Categorizing) -> Categorized:
        store = self._exchange.store(self._address)
        item = store.items.get(change.ref)
        if item is None:
            return Categorized(result=Result.STALE)
        if store.write_denied:
            error = SyncError("CategoriesNotWritable", mailbox=self._address, detail="the account may only read")
            return Categorized(result=Result.FAILED, error=error)
        if item.revision != change.revision:
            return Categorized(result=Result.STALE)
        self._exchange.set_categories(self._address, change.ref, change.after)
        return Categorized(result=Result.SAVED, revision=self._exchange.item(self._address, change.ref).revision)

    def _attached(self, ref: str) -> Attachments | None:
        store = self._exchange.store(self._address)
        item = store.items.get(ref)
        return Attachments(revision=item.revision, files=store.shelf.of(ref)) if item is not None else None

    def _unattachable(self, ref: str, revision: str) -> AttachmentWritten | None:
        """Return why no file of an item can be written, None if one can."""
        store = self._exchange.store(self._address)
        item = store.items.get(ref)
        if item is None or item.revision != revision:
            return AttachmentWritten(result=Result.STALE, after=self._attached(ref))
        if not store.write_denied:
            return None
        detail = "the account may only read"
        error = SyncError("ItemNotWritable", mailbox=self._address, subject=item.appointment.subject, detail=detail)
        return AttachmentWritten(result=Result.FAILED, error=error)

    def _count(self, operation: str) -> None:
        self._exchange.requests[operation] += 1

    def _without(self, folder: str, cursor: str | None) -> Page:
        """Return that nothing is told of a subfolder that is gone; the folder list says so itself."""
        if folder == CALENDAR:
            raise SyncError("CalendarUnreadable", mailbox=self._address, detail="the calendar folder is missing")
        return Page(items=(), cursor=cursor or "", more=False)

    def _rows(self, folder: str, *, with_gone: bool) -> list[tuple[int, Light]]:
        store = self._exchange.store(self._address)
        rows = [(item.seq, _light(item)) for item in store.items.values() if item.folder == folder]
        if with_gone:
            gone = ((seq, of, ref) for (of, ref), seq in store.removed.items() if of == folder)
            rows += [(seq, Light(ref=ref, folder=of, gone=True)) for seq, of, ref in gone]
        return rows

    def _open(self, folder: str, cursor: str | None) -> _Cursor:
        store = self._exchange.store(self._address)
        if cursor is None:
            return _Cursor(epoch=store.epoch, folder=folder, base=0)
        try:
            epoch, of, base, top, below = cursor.split("|")
            found = _Cursor(epoch=int(epoch), folder=of, base=int(base), top=int(top), below=int(below))
        except ValueError as error:
            raise SyncError("CursorExpired", mailbox=self._address) from error
        if (found.epoch, found.folder) != (store.epoch, folder):
            raise SyncError("CursorExpired", mailbox=self._address)
        return found


def _light(item: Item) -> Light:
    return Light(ref=item.ref, folder=item.folder, revision=item.revision, categories=item.appointment.categories)


def _observed(item: Item) -> Observed:
    return Observed(
        ref=item.ref, folder=item.folder, revision=item.revision, appointment=item.appointment, key=item.key
    )
