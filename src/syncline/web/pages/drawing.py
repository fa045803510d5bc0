"""From a question to the values of its picture: lanes by person, the first clashing date of a series.

It needs no request, so that mails draw the same picture: `scene_of` with `picture.standalone`. What may be read was
decided by whom the alert object was made for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from syncline.core.appointment import Span
from syncline.core.free_times import WorkingHours
from syncline.desk.objects import AlertObject
from syncline.web.picture import Block, Lane, Scene

BLOCKS_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What else waits at the same time, as the viewer may read it."""

    subject: str
    heading: str
    url: str
    span: Span


def scene_of(
    shown: AlertObject,
    others: Sequence[Beside] = (),
    *,
    crm: str,
    zone: str,
    hours: WorkingHours,
    all_day: bool = False,
) -> Scene | None:
    """Return what the picture of a question shows; None if it has no time or nothing is known to be in the way."""
    if shown.start is None or shown.end is None or not shown.clashes:
        return None
    start, end = first_date(shown, shown.start, shown.end)
    lanes: dict[str, list[Block]] = {}
    for clash in shown.clashes:
        if clash.start < end and start < clash.end:
            found = Block(label=clash.subject, start=clash.start, end=clash.end, all_day=clash.all_day)
            lanes.setdefault(clash.user, []).append(found)
    waiting = [Block(label=shown.subject, start=start, end=end, all_day=all_day)]
    waiting += [
        Block(label=other.subject, start=other.span.start, end=other.span.end, all_day=other.span.all_day)
        for other in others
        if other.span.start < end and start < other.span.end
    ]
    return Scene(
        key=str(shown.id),
        crm=crm,
        zone=zone,
        lanes=tuple(Lane(title=user, blocks=tuple(blocks[:BLOCKS_MAX])) for user, blocks in lanes.items()),
        waiting=tuple(waiting),
        hours=hours,
    )


def first_date(shown: AlertObject, start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the times that are drawn: of a series the first date that clashes."""
    if shown.series is None or not shown.series.clashing:
        return start, end
    first = shown.series.clashing[0]
    return first, first + (end - start)
