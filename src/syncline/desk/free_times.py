"""The next times at which everybody whom a waiting appointment concerns is free.

What occupies people comes from one question to the CRM, and from what else waits in their mailboxes. Only times go
out: the free ones say nothing about what fills the others. It must not know how a card shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from syncline.core.appointment import Appointment, ShowAs, Span
from syncline.core.free_times import HORIZON, Interval, Slot
from syncline.core.free_times import free_times as next_free
from syncline.core.recurrence import occurrences
from syncline.core.scheduling import Clash, busy_of, clashes
from syncline.core.times import blocking, midnight, wall
from syncline.desk.alerts import visible_alert
from syncline.desk.clashing import candidates_of
from syncline.desk.reading import Viewer
from syncline.engine.questions import CONFLICT
from syncline.ports import Alert, AlertState, Candidate, Mailbox, User
from syncline.store.wall import Wanted

if TYPE_CHECKING:
    from syncline.wiring import App

SLOTS = 3
_SECOND = timedelta(seconds=1)


def free_times(app: App, viewer: Viewer, alert_id: int) -> tuple[Slot, ...]:
    """Return the next times within working hours at which all people of a waiting appointment are free.

    They are looked for from the day on which it stands now, in the zone of the mailbox's owner, for two weeks. Of a
    series the first clashing date is meant. Nothing for what waits no more, for all-day items and for guards.
    SyncError("NotFoundHere") if the viewer may not see the alert, "CrmUnavailable" while the CRM cannot be asked.
    """
    alert, mailbox = visible_alert(app, viewer, alert_id)
    if alert.code != CONFLICT or alert.link_id is None or alert.state not in (AlertState.OPEN, AlertState.LAPSED):
        return ()
    link = next(iter(app.store.links_by_id([alert.link_id])), None)
    if link is None or link.observed is None:
        return ()
    (asked,) = candidates_of(app, [link], {mailbox.id: mailbox})
    date = _date(asked.appointment, alert)
    if date is None or date.all_day:
        return ()
    people = {person.address.lower() for person in asked.persons}
    users = {user.id: user for user in app.crm.users(names=[mailbox.user], emails=people)}
    zone = next((user.time_zone for user in users.values() if user.name == mailbox.user), mailbox.time_zone)
    after = max(app.clock.now(), midnight(wall(date.start, zone).date(), zone))
    window = _window(asked, after)
    busy = {
        "booked": list(_booked(app, window, users)),
        "waiting": list(_waiting(app, window, alert, users)),
        "own": list(_other_dates(asked.appointment, window.appointment.span, date, zone)),
    }
    hours = app.settings.calendar.hours()
    return next_free(busy, date.end - date.start, after, hours=hours, zone=zone, count=SLOTS)


def _date(waiting: Appointment, alert: Alert) -> Span | None:
    """Return the span of a single, or of the first clashing date of a series."""
    if waiting.recurrence is None:
        return waiting.span
    start = alert.verdict.clashing[0] if alert.verdict is not None and alert.verdict.clashing else None
    if start is None:
        return None
    around = occurrences(waiting, start, start + _SECOND)
    return next((each.span for each in around if each.span.start == start), None)


def _window(asked: Candidate, after: datetime) -> Candidate:
    """Return a candidate of the same people over the whole time that is looked at: what is in its way is busy."""
    whole = replace(
        asked.appointment,
        span=Span(after, after + HORIZON),
        recurrence=None,
        exceptions=(),
        deleted=(),
        show_as=ShowAs.BUSY,
        canceled=False,
    )
    return replace(asked, appointment=whole, since=after)


def _booked(app: App, window: Candidate, users: Mapping[str, User]) -> Iterator[Interval]:
    (verdict,) = app.crm.validate([window], app.settings.conflict.policy())
    for person in verdict.unavailable:
        zone = users[person.user_id].time_zone if person.user_id in users else "UTC"
        yield from (_interval(clash, zone) for clash in person.clashes)


def _other_dates(series: Appointment, window: Span, date: Span, zone: str) -> Iterator[Interval]:
    """Yield when the other dates of a series are: the one that is to be moved cannot stand beside them."""
    if series.recurrence is None:
        return
    for each in occurrences(series, window.start, window.end):
        if each.span != date:
            yield blocking(each.span, zone)


def _waiting(app: App, window: Candidate, alert: Alert, users: Mapping[str, User]) -> Iterator[Interval]:
    """Yield the times of what else waits in the mailboxes of the same people."""
    people = {person.address for person in window.persons}
    mailboxes = _mailboxes(app, people, users)
    if not mailboxes:
        return
    policy = app.settings.conflict.policy()
    near = app.store.links_by_id(_near(app, window, alert, list(mailboxes)))
    links = [link for link in near if link.observed is not None]
    owners = {mailbox.id: mailbox for mailbox, _ in mailboxes.values()}
    for link, other in zip(links, candidates_of(app, links, owners), strict=True):
        _, zone = mailboxes[link.mailbox_id]
        blockers = busy_of(other.appointment, str(link.id))
        found = clashes(window.appointment, blockers, zone, window.since, policy)
        yield from (_interval(clash, zone) for clash in found)


def _near(app: App, window: Candidate, alert: Alert, mailbox_ids: Sequence[int]) -> list[int]:
    """Return the links of what else waits, without single items after the window: a mailbox may have thousands."""
    wanted = Wanted(mailbox_ids=mailbox_ids, question=True, codes=(CONFLICT,))
    end = window.appointment.span.end
    near = [
        each.id
        for each in app.store.outlines(wanted)
        if each.id != alert.id and (each.dates > 1 or each.matters is None or each.matters < end)
    ]
    return [each.link_id for each in app.store.alerts_by_id(near).values() if each.link_id is not None]


def _mailboxes(app: App, people: set[str], users: Mapping[str, User]) -> Mapping[int, tuple[Mailbox, str]]:
    """Return the mailboxes of these people with the zones of their owners."""
    owners = {user.name: user for user in users.values()}
    found = {}
    ids = app.store.mailbox_ids_of(frozenset(people | {name.lower() for name in owners}), addresses=True)
    for mailbox in app.store.mailboxes_by_id(ids).values():
        user = owners.get(mailbox.user)
        addresses = {mailbox.address, *(user.emails if user is not None else ())}
        if not people.isdisjoint(addresses):
            found[mailbox.id] = (mailbox, user.time_zone if user is not None else mailbox.time_zone)
    return found


def _interval(clash: Clash, zone: str) -> Interval:
    return blocking(Span(clash.start, clash.end, clash.all_day), zone)
