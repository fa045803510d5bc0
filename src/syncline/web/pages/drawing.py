"""From a question to the values of its picture: lanes by person, the first date of a series, the viewer's zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from syncline.desk.objects import AlertObject, Clash
from syncline.ports import Alert
from syncline.web.pages.rendering import Visit
from syncline.web.pages.times import whole_days
from syncline.web.picture import Block, Lane, Scene, draw

BLOCKS_MAX = 10


def picture_of(
    visit: Visit, shown: AlertObject, others: Sequence[tuple[str, Alert]], *, all_day: bool
) -> Markup | None:
    """Draw what is in the way of a question; None if it has no time."""
    if shown.start is None or shown.end is None:
        return None
    length = shown.end - shown.start
    start = shown.series.clashing[0] if shown.series and shown.series.clashing else shown.start
    end = start + length
    lanes: dict[str, list[Block]] = {}
    for clash in shown.clashes:
        if clash.start < end and start < clash.end:
            lanes.setdefault(clash.user, []).append(_block(visit, clash))
    waiting = [block(visit, shown.subject, start, end, all_day=all_day)]
    waiting += [
        block(visit, title, other.span.start, other.span.end, all_day=other.span.all_day)
        for title, other in others
        if other.span is not None and other.span.start < end and start < other.span.end
    ]
    return draw(
        Scene(
            key=str(shown.id),
            crm=visit.crm,
            zone=visit.times.zone,
            lanes=tuple(Lane(title=user, blocks=tuple(blocks[:BLOCKS_MAX])) for user, blocks in lanes.items()),
            waiting=tuple(waiting),
        )
    )


def block(visit: Visit, label: str, start: datetime, end: datetime, *, all_day: bool) -> Block:
    """Return a span in the viewer's zone; whole days are dates in every zone."""
    if all_day:
        return Block(label=label, start=start.replace(tzinfo=None), end=end.replace(tzinfo=None), all_day=True)
    return Block(label=label, start=visit.times.wall(start), end=visit.times.wall(end))


def _block(visit: Visit, clash: Clash) -> Block:
    return block(visit, clash.subject, clash.start, clash.end, all_day=whole_days(clash.start, clash.end))
