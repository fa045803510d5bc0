"""Is all of it together sane? Rules over a whole plan that may hold a part of it back.

A guard weighs numbers, never single items; what it holds becomes one question, and everything else goes on
(design.md section 4, step 5). It must not know links or alerts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from syncline.core.outgoing import Mail

EMPTIED_MIN = 3


class Limits(Struct, frozen=True, gc=False, kw_only=True):
    """What counts as *many*: more than `items_max` and more than `share_max` of the linked items, both.

    `creations_max`: more new items than that in one cycle, after the first sync, are many too.
    """

    items_max: int = 10
    share_max: float = 0.05
    creations_max: int = 100


class Invitations(Struct, frozen=True, gc=False, kw_only=True):
    """How many mails one cycle of one mailbox may cause, and to which domains; no domain named: to all."""

    mails_max: int = 100
    domains: tuple[str, ...] = ()


class Weight(Struct, frozen=True, gc=False, kw_only=True):
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
    elif many(weight.deletions, weight.total, limits):
        held.append("MassDeletionHeld")
    if many(weight.untrackings, weight.total, limits):
        held.append("MassUntrackingHeld")
    return tuple(held)


def many(count: int, total: int, limits: Limits) -> bool:
    """Return whether that many of the linked items are too many for one cycle."""
    return count > limits.items_max and count > limits.share_max * total


def floods(creations: int, limits: Limits) -> bool:
    """Return whether one cycle would make more new items than anybody enters by hand."""
    return creations > limits.creations_max


def unmailed(mails: Mapping[int, Sequence[Mail]], allowed: Invitations) -> frozenset[int]:
    """Return the writes (by link) whose mails are held: those to other domains, then those beyond the budget.

    Writes are taken in the order given, whole: no write is carried out with a part of its mails.
    """
    domains = {domain.casefold().lstrip("@") for domain in allowed.domains}
    held: set[int] = set()
    sent: Counter[str] = Counter()
    for number, each in mails.items():
        outside = bool(domains) and any(mail.to.rpartition("@")[2].casefold() not in domains for mail in each)
        if outside or sent.total() + len(each) > allowed.mails_max:
            held.update({number} if each else ())
        else:
            sent.update(mail.to for mail in each)
    return frozenset(held)
