"""Answers that a person gives in Outlook by a category, and what an item should carry so that he can give them.

A waiting item carries the category *Waiting: double booking*; the owner replaces it by *Save anyway* or *Keep out*, or
sets one of them beside it. Pure: item and question in, answer and wanted categories out; and the values that carry a
change of categories and note it. It must not know who writes categories, nor when an item was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class CategoryNames(Struct, frozen=True, gc=False, kw_only=True):
    """What the three categories are called; Outlook compares the names without case."""

    waiting: str = "Waiting: double booking"
    save_anyway: str = "Save anyway"
    keep_out: str = "Keep out"


class Standing(StrEnum):
    """How the question about an item stands: OPEN takes both answers, OFFERED (kept out, lapsed) only Save anyway."""

    OPEN = "open"
    OFFERED = "offered"
    OVER = "over"


class Item(Struct, frozen=True, gc=False, kw_only=True):
    """What an item carries: its categories, and which of them Syncline has set itself (`ours`).

    `stale` are the answers that stood there before the question did, or that were taken already: they count no more.
    `asked` says whether there ever was a question about the item.
    """

    categories: tuple[str, ...]
    ours: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    asked: bool = True


class Ruling(Struct, frozen=True, gc=False, kw_only=True):
    """The answer that was given (None: none), whether both were given at once, and what the item should carry."""

    wanted: tuple[str, ...]
    answer: Literal["yes", "no"] | None = None
    unclear: bool = False


class Categorizing(Struct, frozen=True, gc=False, kw_only=True):
    """Categories to set on and to take off one item of the mailbox, if it still has `revision`.

    `before` are all its categories at that revision: every other one stays. Nobody is mailed.
    """

    ref: str
    folder: str
    revision: str
    before: tuple[str, ...]
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    @property
    def after(self) -> tuple[str, ...]:
        """Return all categories that the item carries then."""
        kept = tuple(name for name in self.before if name not in self.remove)
        return (*kept, *(name for name in self.add if name not in kept))


class Mark(Struct, frozen=True, gc=False, kw_only=True):
    """What Syncline has set, or is about to set, on one item in Exchange: the note before such a write and after it.

    `names` are the categories that stand or may stand there by us. `question` and `digest` are the question it is
    about; `stale` the answer categories that do not count for it. `dealt` and `revision` say how question and item
    stood when they were last dealt with: the mark is due when either differs, or at `next_try`. Without a link `ref`
    still names the item.
    """

    id: int = 0
    mailbox_id: int
    link_id: int | None = None
    ref: str
    folder: str = ""
    names: tuple[str, ...] = ()
    question: int | None = None
    digest: str = ""
    stale: tuple[str, ...] = ()
    dealt: str = ""
    revision: str = ""
    tries: int = 0
    next_try: datetime | None = None


def rule(standing: Standing, item: Item, names: CategoryNames | None) -> Ruling:
    """Return what an item says and what it should carry; without `names` only what Syncline has set is taken off."""
    if names is None:
        return Ruling(wanted=_without(item.categories, item.ours))
    given = answers_on(item, names)
    fresh = [name for name in given if not _held(name, item.stale)]
    if standing is Standing.OVER:
        off = (*item.ours, names.waiting, *(given if item.asked else ()))
        return Ruling(wanted=_without(item.categories, off))
    if len(fresh) > 1:
        off = () if standing is Standing.OPEN else (*item.ours, names.waiting)
        return Ruling(wanted=_without(item.categories, off), unclear=True)
    if fresh and _same(fresh[0], names.save_anyway):
        return Ruling(wanted=item.categories, answer="yes")
    if fresh and standing is Standing.OPEN:
        return Ruling(wanted=item.categories, answer="no")
    return Ruling(wanted=_marked(standing, item, names, given))


def answers_on(item: Item, names: CategoryNames) -> tuple[str, ...]:
    """Return the answer categories that an item carries, as they are written there."""
    return tuple(each for each in item.categories if _held(each, (names.save_anyway, names.keep_out)))


def late_answers(item: Item, names: CategoryNames, accepted: str | None) -> tuple[str, ...]:
    """Return the answers on an item that came too late: not taken before, and not what was decided ("yes", "no")."""
    said = {"yes": names.save_anyway, "no": names.keep_out}.get(accepted or "", "")
    return tuple(each for each in answers_on(item, names) if not _held(each, item.stale) and not _same(each, said))


def carries(categories: Iterable[str], name: str) -> bool:
    """Return whether a category is among these, compared as Outlook does."""
    return _held(name, categories)


def _marked(standing: Standing, item: Item, names: CategoryNames, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the categories with the mark if an answer is awaited, and without answers that do not count."""
    if standing is not Standing.OPEN:
        return _without(item.categories, (*item.ours, names.waiting, *given))
    former = [name for name in item.ours if not _same(name, names.waiting)]
    kept = _without(item.categories, (*former, *given))
    return kept if _held(names.waiting, kept) else (*kept, names.waiting)


def _without(categories: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    off = tuple(names)
    return tuple(each for each in categories if not _held(each, off))


def _held(name: str, names: Iterable[str]) -> bool:
    return any(_same(name, each) for each in names)


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
