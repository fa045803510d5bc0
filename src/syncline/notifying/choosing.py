"""When somebody gets a mail, and about which of his questions: pure, on what waits for him and what he chose.

New questions are gathered first; one mail at a time, with a pause before the next; none in quiet hours. Who wants a
mail for each gets one for each, but many at once come together. It must not know a store or a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncline.core.times import wall
from syncline.store import Mails, Preferences
from syncline.store.messages import Told

EACH_MAX = 3
"""So many questions come one by one to somebody who wants each by itself; more come together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long new questions are gathered, and the pause between two mails to one person, in seconds."""

    gather_s: float
    pause_min_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who gets mails: what he chose, where he lives, and when the last mail left for him (None: never)."""

    preferences: Preferences
    zone: str
    last: datetime | None = None
    under_way: bool = False


def next_mail(waiting: Sequence[Told], reader: Reader, now: datetime, patience: Patience) -> tuple[Told, ...]:
    """Return the questions of the mail that is to leave now; none if it is not the time."""
    if not waiting or reader.under_way or not _time_for_mail(waiting, reader, now, patience):
        return ()
    if reader.preferences.mails is Mails.EACH and len(waiting) <= EACH_MAX:
        return (min(waiting, key=lambda each: (each.since, each.alert_id)),)
    return tuple(waiting)


def _time_for_mail(waiting: Sequence[Told], reader: Reader, now: datetime, patience: Patience) -> bool:
    gathered = now >= min(each.since for each in waiting) + timedelta(seconds=patience.gather_s)
    rested = reader.last is None or now >= reader.last + timedelta(seconds=patience.pause_min_s)
    # Quiet hours go by the clock on his wall, so they end when it shows their end, whatever the clocks did at night.
    return gathered and rested and not reader.preferences.quiet(wall(now, reader.zone).time())
