"""What waits for an answer, as times of the calendar that it would stand in, masked for who looks.

It must not know how questions are asked or answered; the Calendar draws what it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncline.core.recurrence import occurrences
from syncline.desk.alerts import look_at
from syncline.desk.finding import within
from syncline.desk.reading import Viewer
from syncline.engine.questions import CONFLICT
from syncline.ports import AlertState

if TYPE_CHECKING:
    from syncline.wiring import App

QUESTIONS_MAX = 200
"""So many of the newest questions are looked at; the Alerts page pages through all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One time of a waiting item: `alert_id` asks about it, `user` is the sign-in name of whose mailbox it is in.

    `saving`: the answer was Yes and is being carried out.
    """

    alert_id: int
    subject: str
    start: datetime
    end: datetime
    all_day: bool
    user: str
    saving: bool = False


def waiting(
    app: App, viewer: Viewer, window: tuple[datetime, datetime], *, user: str | None = None
) -> tuple[Waiting, ...]:
    """Return every time in the window [from, to) of what waits in mailboxes that the viewer may see, by start.

    `user` (a sign-in name) limits it to that person's mailboxes.
    """
    seen = within(app, viewer)
    if user is not None:
        theirs = app.store.mailbox_ids_of({user.lower()})
        seen = theirs if seen is None else seen & theirs
    numbers = None if seen is None else sorted(seen)
    asked = app.store.alert_page(numbers, [AlertState.OPEN], code=CONFLICT, limit=QUESTIONS_MAX).items
    alerts = [*asked, *app.store.being_saved(numbers, CONFLICT, QUESTIONS_MAX)]
    mailboxes = app.store.mailboxes_by_id({alert.mailbox_id for alert in alerts})
    links = {link.id: link for link in app.store.links_by_id([alert.link_id or 0 for alert in alerts])}
    found = []
    for alert in alerts:
        link = links.get(alert.link_id or 0)
        if link is None or link.observed is None:
            continue
        mailbox = mailboxes[alert.mailbox_id]
        subject = look_at(viewer, mailbox, private=alert.private).subject(alert.subject)
        found += [
            Waiting(
                alert_id=alert.id,
                subject=subject,
                start=each.span.start,
                end=each.span.end,
                all_day=each.span.all_day,
                user=mailbox.user,
                saving=alert.state is AlertState.ANSWERED,
            )
            for each in occurrences(link.observed, *window)
        ]
    return tuple(sorted(found, key=lambda each: (each.start, each.alert_id)))
