"""One answer for many questions: which they are, whether they still are what somebody saw, and what became of each.

What was counted before the click is counted again when the answer comes: nothing is answered that nobody saw. It
renders nothing, so that thousands cost little more than the one transaction that answers them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncline.desk import answering
from syncline.desk.finding import within
from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.ports import Alert, AlertState
from syncline.store.wall import Wanted

if TYPE_CHECKING:
    from syncline.wiring import App

FIRST_VERSION = 1
DIGITS_MAX = 19
"""Numbers have fewer digits than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What somebody saw before he answered: how many, the newest of them, and which had changed since they were asked.

    `changed` holds number and version of those; all others were as they had been asked.
    """

    count: int
    newest: int
    changed: frozenset[tuple[int, int]] = frozenset()

    @property
    def versions(self) -> str:
        """Return `changed` as a form carries it."""
        return " ".join(f"{number}.{version}" for number, version in sorted(self.changed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The questions that an answer would reach now, with their versions by number."""

    versions: Mapping[int, int]
    seen: Seen

    @property
    def ids(self) -> tuple[int, ...]:
        """Return their numbers."""
        return tuple(self.versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What became of an answer to many: how many took it, the instants that they carry, and which refused it."""

    answered: int
    at: tuple[datetime, ...]
    refused: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """Why questions did not take an answer: who had answered how many, how many need none any more, how many wait."""

    by: Mapping[str, int]
    needless: int
    waiting: int


def choose(app: App, wanted: Wanted) -> Chosen:
    """Return which questions are wanted now."""
    found = app.store.chosen(wanted)
    return Chosen(versions=dict(found), seen=seen_of(found))


def seen_of(questions: Iterable[tuple[int, int]]) -> Seen:
    """Return what somebody sees of questions, given their numbers and versions."""
    found = dict(questions)
    changed = frozenset(pair for pair in found.items() if pair[1] != FIRST_VERSION)
    return Seen(count=len(found), newest=max(found, default=0), changed=changed)


def read_versions(text: str) -> frozenset[tuple[int, int]]:
    """Return what `Seen.versions` wrote; whatever else stands there was not seen."""
    pairs = (word.partition(".") for word in text.split())
    return frozenset((int(number), int(version)) for number, _, version in pairs if _digits(number, version))


def changed(before: Seen, now: Seen) -> bool:
    """Return whether something stands there that was not seen: a new question, or a seen one that moved.

    Fewer are no change: somebody answered them, and the rest are what was seen.
    """
    return now.newest > before.newest or now.count > before.count or not now.changed <= before.changed


def answer(app: App, viewer: Viewer, versions: Mapping[int, int], decision: str) -> Together:
    """Give many questions one answer; what the viewer may not see is not there for him.

    `versions` are those that were chosen: one that moved since takes no answer.
    `without_overlaps` saves series without the dates that clash; everything else, also series of which every date
    does, is saved beside what is in the way.
    """
    mine = _mine(app, viewer, tuple(versions))
    results: list[Alert | SyncError] = []
    for word, part in _parts(app, mine, decision):
        results += answering.give(app, viewer, part, word, versions=versions)
    return _together(mine, results)


def take_back(app: App, viewer: Viewer, instants: Sequence[datetime]) -> Together:
    """Take back what the viewer answered at these instants, as far as nobody has begun to carry it out."""
    ids = [number for at in instants for number in app.store.answered_at(viewer.called, at)]
    mine = _mine(app, viewer, ids)
    return _together(mine, answering.take_back(app, viewer, mine))


def over(app: App, viewer: Viewer, ids: Sequence[int]) -> Over:
    """Return why these questions did not take an answer, of those that the viewer may see."""
    seen = app.store.alerts_by_id(_seen(app, viewer, ids)).values()
    answered = Counter(each.decided_by or "" for each in seen if each.state is AlertState.ANSWERED)
    waiting = sum(each.state is AlertState.OPEN for each in seen)
    return Over(by=answered, needless=len(seen) - answered.total() - waiting, waiting=waiting)


def _digits(*words: str) -> bool:
    return all(word.isascii() and word.isdigit() and len(word) < DIGITS_MAX for word in words)


def _parts(app: App, ids: Sequence[int], decision: str) -> list[tuple[str, Sequence[int]]]:
    """Return which of these questions get which answer."""
    if decision != answering.WITHOUT_OVERLAPS:
        return [(decision, ids)]
    outlines = app.store.outlines(Wanted(state=None, ids=ids))
    series = [outline.id for outline in outlines if outline.partly]
    others = [outline.id for outline in outlines if not outline.partly]
    return [(word, part) for word, part in ((decision, series), ("yes", others)) if part]


def _mine(app: App, viewer: Viewer, ids: Sequence[int]) -> list[int]:
    found = _seen(app, viewer, ids)
    if len(found) < len(set(ids)):
        raise SyncError("NotFoundHere", detail="one of the alerts")
    return found


def _seen(app: App, viewer: Viewer, ids: Sequence[int]) -> list[int]:
    wanted = Wanted(mailbox_ids=within(app, viewer), state=None, question=True, ids=tuple(ids))
    return [number for number, _version in app.store.chosen(wanted)]


def _together(ids: Sequence[int], results: Sequence[Alert | SyncError]) -> Together:
    taken = [each for each in results if isinstance(each, Alert)]
    at = {each.decided_on for each in taken if each.decided_on is not None}
    return Together(
        answered=len(taken),
        at=tuple(sorted(at)),
        refused=tuple(sorted(set(ids) - {each.id for each in taken})),
    )
