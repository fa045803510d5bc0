"""Every write to a simulated Exchange, judged at the moment it happens: by its kind, against the whole server.

Categories are judged here: own items, our categories only, and no mail. What else is written is judged by `conduct`.
It must not know the engine or the world.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.answering_by_category import Categorizing, CategoryNames
from syncline.core.appointment import Appointment
from syncline.core.outgoing import ItemUpdate, ItemWrite
from syncline.ports import Categorized, Result, Written
from syncline.simulation.conduct import Conduct, everything

NAMES = CategoryNames()
_OURS = frozenset({NAMES.waiting, NAMES.save_anyway, NAMES.keep_out})


class Watched(MemoryReplica):
    """A mailbox whose every write is judged: own items only, and nobody mailed but whom the plan names."""

    def __init__(self, conduct: Conduct, address: str) -> None:
        super().__init__(conduct.exchange, address)
        self._judged, self._own, self._conduct = conduct.exchange, address, conduct

    def categorize(self, changes: Sequence[Categorizing]) -> list[Categorized]:
        """Write, and compare the whole server with what it was."""
        before, mails = everything(self._judged), self._judged.mails
        outcomes = super().categorize(changes)
        saved = {change.ref for change, each in zip(changes, outcomes, strict=True) if each.result is Result.SAVED}
        for key, now in everything(self._judged).items():
            if now != before.get(key):
                self._judge(key, before.get(key), now, saved)
        if self._judged.mails != mails:
            self._wrong(f"{self._own}: a category was set and somebody was mailed")
        return outcomes

    def write(self, writes: Sequence[ItemWrite]) -> list[Written]:
        """Write one by one, and compare the whole server with what it was."""
        return [self._watched(write) for write in writes]

    def _watched(self, write: ItemWrite) -> Written:
        before, sent = everything(self._judged), self._judged.mails
        self._note_key(write)
        (written,) = super().write([write])
        self._conduct.judge(self._own, write, before, written, sent)
        return written

    def _note_key(self, write: ItemWrite) -> None:
        """Remember what an item was made with that is to get another key: copies of it keep the first."""
        item = self._judged.store(self._own).items.get(write.ref) if isinstance(write, ItemUpdate) else None
        if item is not None and isinstance(write, ItemUpdate) and write.key is not None:
            self._conduct.first_keys[write.key] = self._conduct.made_with(item.key)

    def _judge(self, key: tuple[str, str], before: Appointment | None, now: Appointment, saved: set[str]) -> None:
        address, ref = key
        if before is None or address != self._own or ref not in saved:
            self._wrong(f"{self._own} wrote to {ref} of {address}")
        elif replace(before, categories=()) != replace(now, categories=()):
            self._wrong(f"{ref} of {address}: more than its categories was written")
        elif foreign := (set(before.categories) ^ set(now.categories)) - _OURS:
            self._wrong(f"{ref} of {address}: categories of the person were written: {sorted(foreign)}")
        elif NAMES.waiting in now.categories:
            self._conduct.marked.add(key)

    def _wrong(self, what: str) -> None:
        self._conduct.violations.append(what)
