"""What is in the way of a question, as the card lists it: clashes, dates, what else waits, and hints.

What a viewer may read of each was decided by the desk. It must not know how the card looks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncline.core.scheduling import Verdict
from syncline.desk import alerts as desk
from syncline.desk.free_times import free_times
from syncline.desk.objects import AlertObject, Clash
from syncline.errors import SyncError
from syncline.language import _, ngettext
from syncline.ports import Alert, Mailbox
from syncline.web.pages import telling, words
from syncline.web.pages.drawing import Beside
from syncline.web.pages.rendering import Visit
from syncline.web.scene import lasting

ALSO_WAITING_MAX = 3
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheWay:
    """One appointment in the way; `where` leads to it in the Calendar, `role` is what the person is in it."""

    subject: str
    heading: str
    when: str
    show_as: str
    overlap: str
    user: str
    role: str
    where: str | None


def listed(visit: Visit, shown: AlertObject, *, all_day: bool) -> tuple[InTheWay, ...]:
    """Return everything in the way of a question, in the order in which the desk gave it."""
    return tuple(_one(visit, shown, clash, all_day=all_day) for clash in shown.clashes)


def in_calendar(visit: Visit, appointment_id: str | None, start: datetime | None) -> str | None:
    """Return the path to an appointment's place in the Calendar."""
    if appointment_id is None or start is None:
        return None
    return f"/calendar?week={visit.times.date(start)}#a-{appointment_id}"


def beside(visit: Visit, alert: Alert, mailbox: Mailbox, asked: Sequence[Alert]) -> list[Beside]:
    """Return what else waits at the same time, of the open questions of the same mailbox."""
    if alert.span is None:
        return []
    start, end = alert.span.start, alert.span.end
    met = []
    for other in asked:
        if other.id == alert.id or other.span is None or other.span.start >= end or start >= other.span.end:
            continue
        subject = desk.look_at(visit.viewer, mailbox, private=other.private).subject(other.subject)
        met.append(Beside(subject=subject, heading=telling.short(subject), url=f"/alerts/{other.id}", span=other.span))
    return met[:ALSO_WAITING_MAX]


def hints(alert: Alert, shown: AlertObject, own: Collection[str]) -> tuple[str, ...]:
    """Return what helps to decide: what came since, both from one calendar, a whole day as the cause.

    `own` are the rows of the CRM that came from the same mailbox.
    """
    return tuple(_hints(alert, shown, own))


def free(visit: Visit, alert: Alert) -> tuple[str, ...]:
    """Return the next free times of everybody concerned; none while the CRM cannot be asked."""
    try:
        return tuple(telling.free_time(visit, slot.start) for slot in free_times(visit.app, visit.viewer, alert.id))
    except SyncError:
        return ()


def _one(visit: Visit, shown: AlertObject, clash: Clash, *, all_day: bool) -> InTheWay:
    several = all_day or shown.series is not None
    if clash.all_day:
        when = visit.times.span(clash.start, clash.end, all_day=True)
    elif several or shown.start is None:
        when = visit.times.span(clash.start, clash.end)
    else:
        when = visit.times.hours(clash.start, clash.end, day=visit.times.date(shown.start))
    subject = _(clash.subject) if clash.masked else clash.subject
    return InTheWay(
        subject=subject,
        heading=telling.short(subject),
        when=when,
        show_as=_(words.SHOW_AS[clash.show_as]),
        overlap="" if clash.all_day or all_day else _overlap(shown, clash),
        user=clash.user,
        role=_(telling.ROLES[clash.role]) if clash.role in telling.ROLES else "",
        where=in_calendar(visit, clash.appointment_id, clash.start),
    )


def _overlap(shown: AlertObject, clash: Clash) -> str:
    """Return for how long the clash overlaps the waiting item, or the date of the series that it meets."""
    if shown.start is None or shown.end is None:
        return ""
    length = shown.end - shown.start
    starts = shown.series.clashing if shown.series is not None else (shown.start,)
    meets = [min(clash.end, at + length) - max(clash.start, at) for at in starts]
    minutes = max((int(meet / timedelta(minutes=1)) for meet in meets), default=0)
    return _("overlaps %(time)s", time=lasting(minutes)) if minutes > 0 else ""


def _hints(alert: Alert, shown: AlertObject, own: Collection[str]) -> Iterator[str]:
    before, now = _size(alert.verdict), len(shown.clashes)
    if before and now > before:
        yield ngettext("%(num)d more since this was asked.", "%(num)d more since this was asked.", now - before)
    ids = [clash.appointment_id for clash in shown.clashes if clash.appointment_id is not None]
    if ids and all(row in own for row in ids):
        yield _("Both come from the same Outlook calendar: they overlap there too.")
    if shown.start is not None and shown.end is not None and shown.end - shown.start >= _DAY:
        yield _("This is an all-day or longer appointment. If it does not really occupy anybody, show the trip as "
                "Free in Outlook; an administrator can also change which all-day items count "
                "(conflict.all_day_blocks).")  # fmt: skip
    elif shown.clashes and all(clash.end - clash.start >= _DAY for clash in shown.clashes):
        yield _("Only an all-day or longer appointment is in the way. If it does not really occupy anybody, show the "
                "trip as Free in Outlook; an administrator can also change which all-day items count "
                "(conflict.all_day_blocks).")  # fmt: skip


def _size(verdict: Verdict | None) -> int:
    return sum(len(person.clashes) for person in verdict.unavailable) if verdict is not None else 0
