"""Every write to a simulated Exchange, judged at the moment it happens: own items, our categories only, and no mail.

It compares the whole server before and after. It must not know the engine or the world.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from syncline.connectors.memory import MemoryExchange, MemoryReplica
from syncline.core.answering_by_category import Categorizing, CategoryNames
from syncline.core.appointment import Appointment
from syncline.ports import Categorized, Result

NAMES = CategoryNames()
_OURS = frozenset({NAMES.waiting, NAMES.save_anyway, NAMES.keep_out})


class Watched(MemoryReplica):
    """A mailbox whose every write is judged: own items only, categories of ours only, and no mail."""

    def __init__(
        self, exchange: MemoryExchange, address: str, wrong: Callable[[str], None], marked: set[tuple[str, str]]
    ) -> None:
        super().__init__(exchange, address)
        self._judged, self._own, self._wrong, self._marked = exchange, address, wrong, marked

    def categorize(self, changes: Sequence[Categorizing]) -> list[Categorized]:
        """Write, and compare the whole server with what it was."""
        before, mails = _everything(self._judged), self._judged.mails
        outcomes = super().categorize(changes)
        saved = {change.ref for change, each in zip(changes, outcomes, strict=True) if each.result is Result.SAVED}
        for key, now in _everything(self._judged).items():
            if now != before.get(key):
                self._judge(key, before.get(key), now, saved)
        if self._judged.mails != mails:
            self._wrong(f"{self._own}: a category was set and somebody was mailed")
        return outcomes

    def _judge(self, key: tuple[str, str], before: Appointment | None, now: Appointment, saved: set[str]) -> None:
        address, ref = key
        if before is None or address != self._own or ref not in saved:
            self._wrong(f"{self._own} wrote to {ref} of {address}")
        elif replace(before, categories=()) != replace(now, categories=()):
            self._wrong(f"{ref} of {address}: more than its categories was written")
        elif foreign := (set(before.categories) ^ set(now.categories)) - _OURS:
            self._wrong(f"{ref} of {address}: categories of the person were written: {sorted(foreign)}")
        elif NAMES.waiting in now.categories:
            self._marked.add(key)


def _everything(exchange: MemoryExchange) -> dict[tuple[str, str], Appointment]:
    return {(of, item.ref): item.appointment for of in exchange.addresses() for item in exchange.items(of)}
