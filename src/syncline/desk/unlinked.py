"""Why a row of the CRM is in no mailbox: whose it could be in, and what keeps it out of each of them (1.11).

It decides nothing: it asks the same filters that a cycle asks. It must not know how a story is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from syncline.core import filters
from syncline.core.appointment import Appointment
from syncline.desk.finding import visible
from syncline.desk.reading import Viewer
from syncline.language import _, noted
from syncline.ports import CrmRow, Mailbox, User

if TYPE_CHECKING:
    from syncline.wiring import App

MAILBOXES_MAX = 5
NOT_SENT = noted("What is entered there is not sent to Exchange: exchange.write is off.")
NOBODY = noted("None of its people has a mailbox here, so no calendar gets it (rule 1.11).")


def reasons(app: App, viewer: Viewer, row: CrmRow) -> list[str]:
    """Return sentences that say why a row without a link is in no mailbox that the viewer may see."""
    if not app.parts.rules.outgoing:
        return [_(NOT_SENT)]
    people = {user.name: user for user in app.crm.users()}
    boxes = [box for box in visible(app, viewer).values() if _concerns(row, people.get(box.user), box)]
    if not boxes:
        return [_(NOBODY)]
    return [_why_not(app, row, people.get(box.user), box) for box in boxes[:MAILBOXES_MAX]]


def _concerns(row: CrmRow, user: User | None, box: Mailbox) -> bool:
    """Return whether a mailbox belongs to somebody who takes part in a row, or owns it."""
    own = {box.address, *(user.emails if user is not None else ())}
    return row.owner == box.user or not own.isdisjoint(_addresses(row.appointment))


def _addresses(appointment: Appointment) -> Iterator[str]:
    if appointment.organizer is not None:
        yield appointment.organizer.address
    yield from (person.address for person in appointment.attendees)


def _why_not(app: App, row: CrmRow, user: User | None, box: Mailbox) -> str:
    if not box.enabled:
        return _("The mailbox %(mailbox)s is not enabled.", mailbox=box.address)
    if app.store.profile(box.profile_id).read_only:
        return _("The profile of %(mailbox)s only reads; nothing is written there.", mailbox=box.address)
    own = frozenset((box.address, *(user.emails if user is not None else ())))
    seen = filters.Seen(appointment=row.appointment, status=row.status, owner=row.owner, user=box.user, addresses=own)
    if not filters.selects(app.store.sync_filters(box.user), seen):
        return _("No sync filter of %(mailbox)s selects it (rule 1.11).", mailbox=box.address)
    return _("A sync filter of %(mailbox)s selects it; the next sync looks at it (rule 1.11).", mailbox=box.address)
