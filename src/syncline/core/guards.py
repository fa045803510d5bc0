"""Is all of it together sane? Rules over a whole plan that may hold a part of it back.

A guard weighs numbers, never single items; what it holds becomes one question, and everything else goes on
(design.md section 4, step 5). It must not know links or alerts.
"""

from __future__ import annotations

from dataclasses import dataclass

EMPTIED_MIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What counts as *many*: more than `items_max` and more than `share_max` of the linked items, both."""

    items_max: int = 10
    share_max: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """The dangerous part of one mailbox's plan.

    `deletions`: rows that would be deleted; `gone`: linked items that vanished, deleted or not; `untrackings`: links
    that would be cut because the category is gone; `total`: linked items before this cycle.
    """

    deletions: int = 0
    gone: int = 0
    untrackings: int = 0
    total: int = 0


def holds(weight: Weight, limits: Limits) -> tuple[str, ...]:
    """Return the catalogue codes of the guards that hold (L-04a; hard-problems.md 4, item 9)."""
    held = []
    if weight.deletions and weight.total >= EMPTIED_MIN and weight.gone >= weight.total:
        held.append("EmptiedSideHeld")
    elif _many(weight.deletions, weight.total, limits):
        held.append("MassDeletionHeld")
    if _many(weight.untrackings, weight.total, limits):
        held.append("MassUntrackingHeld")
    return tuple(held)


def _many(count: int, total: int, limits: Limits) -> bool:
    return count > limits.items_max and count > limits.share_max * total
