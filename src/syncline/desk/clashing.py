"""What is in the way of waiting appointments, computed when it is shown and masked for who looks.

For all alerts of a page one reading of the rows that they would change, and one set-based question to the CRM. Closed
questions show what stood there when they were asked.
It must not know how alerts are listed or answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncline.core.scheduling import Clash as Overlap
from syncline.core.scheduling import Unavailable, Verdict
from syncline.desk.objects import Clash
from syncline.desk.reading import BUSY_SUBJECT, Viewer, sight_of
from syncline.engine.candidates import candidate_of
from syncline.engine.deciding import if_saved
from syncline.engine.questions import CONFLICT
from syncline.engine.rows import read_rows
from syncline.errors import SyncError
from syncline.language import _
from syncline.ports import Alert, AlertOutcome, AlertState, Candidate, CrmRow, Link, Mailbox

if TYPE_CHECKING:
    from syncline.wiring import App

CLASHES_MAX = 200
"""So many clashes of one question are listed; `series.clashing` names all dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupying:
    """The CRM rows that occupy people, by id, and the addresses of the users by their ids."""

    rows: Mapping[str, CrmRow] = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def verdicts(app: App, alerts: Sequence[Alert], mailboxes: Mapping[int, Mailbox]) -> Mapping[int, Verdict]:
    """Return for each alert (by id) what is in the way: now if it can still be answered, else as it was asked."""
    found = {alert.id: alert.verdict for alert in alerts if alert.verdict is not None}
    waiting = [alert for alert in alerts if alert.code == CONFLICT and alert.link_id is not None and answerable(alert)]
    links = {link.id: link for link in app.store.links_by_id([alert.link_id or 0 for alert in waiting])}
    asked = [(alert, links[alert.link_id]) for alert in waiting if alert.link_id in links]
    asked = [(alert, link) for alert, link in asked if link.observed is not None]
    candidates = candidates_of(app, [link for _, link in asked], mailboxes)
    try:
        fresh = app.crm.validate(candidates, app.settings.conflict.policy()) if candidates else []
    except SyncError:
        # The buttons stay while the CRM cannot be asked (pages.md): what was found before is better than nothing.
        return found
    return found | {alert.id: verdict for (alert, _), verdict in zip(asked, fresh, strict=True)}


def answerable(alert: Alert) -> bool:
    """Return whether Yes can still be said: the question is open, lapsed, or was answered No (Q-04)."""
    kept_out = alert.state is AlertState.ANSWERED and alert.outcome is AlertOutcome.KEPT_OUT
    return alert.state in (AlertState.OPEN, AlertState.LAPSED) or kept_out


def candidates_of(app: App, links: Sequence[Link], mailboxes: Mapping[int, Mailbox]) -> list[Candidate]:
    """Return waiting items as the engine would check them: with what the CRM has changed in their rows.

    While the CRM cannot be asked they are what Exchange says.
    """
    rules, rows = app.parts.rules, _standing(app, links)
    profiles = {mailboxes[link.mailbox_id].profile_id for link in links} if rules.outgoing else set()
    writable = {number for number in profiles if not app.store.profile(number).read_only}
    found = []
    for link in links:
        mailbox = mailboxes[link.mailbox_id]
        decided = if_saved(rules, link, rows.get(link.crm_id or ""), outgoing=mailbox.profile_id in writable)
        found.append(candidate_of(rules, mailbox, decided))
    return found


def _standing(app: App, links: Sequence[Link]) -> Mapping[str, CrmRow]:
    ids = sorted({link.crm_id for link in links if link.crm_id is not None})
    try:
        return read_rows(app.parts, ids).found if ids else {}
    except SyncError:
        return {}


def rows_of(app: App, found: Sequence[Verdict]) -> Occupying:
    """Return the CRM rows that occupy people in these verdicts; nothing while the CRM cannot be asked."""
    ids = {clash.row_id for verdict in found for person in verdict.unavailable for clash in person.clashes}
    if not ids:
        return Occupying()
    try:
        rows = read_rows(app.parts, sorted(ids)).found
        people = app.crm.users(emails={address for row in rows.values() for address in _addresses(row)})
        return Occupying(rows=rows, addresses={user.id: user.emails for user in people})
    except SyncError:
        return Occupying()


def clashes(viewer: Viewer, found: Verdict, occupying: Occupying) -> tuple[Clash, ...]:
    """Return the clashes of one verdict as the viewer may read them, person by person in order of time."""
    shown = [_clash(viewer, person, clash, occupying) for person in found.unavailable for clash in person.clashes]
    return tuple(shown[:CLASHES_MAX])


def _clash(viewer: Viewer, person: Unavailable, clash: Overlap, occupying: Occupying) -> Clash:
    """Mask one clash. A row that is gone meanwhile is nobody's: only its times are told."""
    row = occupying.rows.get(clash.row_id)
    look = sight_of(viewer, row.appointment, row.owner) if row is not None else None
    hidden = look is None or look.masked
    return Clash(
        appointment_id=None if hidden and not viewer.administrator else clash.row_id,
        subject=look.subject(clash.subject) if look is not None else _(BUSY_SUBJECT),
        start=clash.start,
        end=clash.end,
        show_as="busy" if hidden else clash.show_as.value,
        user=person.full_name,
        masked=hidden,
        all_day=clash.all_day,
        role=None if hidden or row is None else _role(row, occupying.addresses.get(person.user_id, ())),
    )


def _addresses(row: CrmRow) -> Iterator[str]:
    if row.appointment.organizer is not None:
        yield row.appointment.organizer.address.lower()
    yield from (each.address.lower() for each in row.appointment.attendees)


def _role(row: CrmRow, addresses: Sequence[str]) -> str | None:
    """Return somebody's part in an appointment; None if it does not name him."""
    organizer = row.appointment.organizer
    if organizer is not None and organizer.address.lower() in addresses:
        return "organizer"
    roles = (each.role.value for each in row.appointment.attendees if each.address.lower() in addresses)
    return next(roles, None)
