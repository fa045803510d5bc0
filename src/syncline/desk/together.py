"""One answer for many questions: which they are, whether they still are what somebody saw, and what became of each.

What was counted before the click is counted again when the answer comes: nothing is answered that nobody saw. It
renders nothing, so that thousands cost little more than the one transaction that answers them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncline.desk import answering
from syncline.desk.finding import within
from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.ports import Alert
from syncline.store.wall import Wanted

if TYPE_CHECKING:
    from syncline.wiring import App


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What somebody saw before he answered: how many, the newest of them, and their versions in one sum."""

    count: int
    newest: int
    versions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The questions that an answer would reach now."""

    ids: tuple[int, ...]
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What became of an answer to many: how many took it, the instant that they carry, and which refused it."""

    answered: int
    at: datetime | None
    refused: tuple[int, ...]


def choose(app: App, wanted: Wanted) -> Chosen:
    """Return which questions are wanted now."""
    found = app.store.chosen(wanted)
    seen = Seen(count=len(found), newest=max((i for i, _ in found), default=0), versions=sum(v for _, v in found))
    return Chosen(ids=tuple(number for number, _ in found), seen=seen)


def changed(before: Seen, now: Seen) -> bool:
    """Return whether something stands there that was not seen: a new question, or a seen one that moved.

    Fewer are no change: somebody answered them, and the rest are what was seen.
    """
    if now.newest > before.newest or now.count > before.count:
        return True
    return now.versions != before.versions if now.count == before.count else now.versions > before.versions


def answer(app: App, viewer: Viewer, ids: Sequence[int], decision: str) -> Together:
    """Give many questions one answer in one transaction; what the viewer may not see is not there for him."""
    mine = app.store.chosen(Wanted(mailbox_ids=within(app, viewer), state=None, question=True, ids=tuple(ids)))
    if len(mine) < len(set(ids)):
        raise SyncError("NotFoundHere", detail="one of the alerts")
    wanted = [number for number, _ in mine]
    results = answering.give(app, viewer, wanted, decision)
    taken = [each for each in results if isinstance(each, Alert)]
    refused = tuple(number for number, each in zip(wanted, results, strict=True) if isinstance(each, SyncError))
    at = taken[0].decided_on if taken else None
    return Together(answered=len(taken), at=at, refused=refused)


def who_answered(app: App, ids: Sequence[int]) -> Mapping[str, int]:
    """Return by whom these alerts were answered, and how many; an empty name for those that need no answer."""
    return Counter(each.decided_by or "" for each in app.store.alerts_by_id(ids).values())
