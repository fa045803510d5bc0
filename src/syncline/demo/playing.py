"""What happened at Fjord Bikes before anybody looks: real syncs, real answers, a move in Outlook, two real faults.

Every state that the demo shows comes from here; nothing is written past the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from syncline.demo import firm
from syncline.demo.founding import Ground, at_once
from syncline.desk import alerts, signing
from syncline.desk.reading import Viewer
from syncline.emulators.exchange.disturbances import Armed
from syncline.emulators.exchange.stand_in import writing
from syncline.errors import SyncError
from syncline.wiring import App

FOR_GOOD = 1_000_000


def play(ground: Ground) -> None:
    """Bring every state about that the demo shows."""
    synced = [owner for owner in firm.OWNERS if owner.mailbox is not firm.Mailbox.NEW]
    sync(ground.app, synced)
    for answered in firm.ANSWERS:
        _answer(ground.app, answered)
    _change(ground, firm.MOVED)
    _change(ground, firm.BROKEN)
    ground.exchange.site.disturbances.arm(Armed("GetItem", "broken", FOR_GOOD, subject=firm.BROKEN.subject))
    for owner in synced:
        if owner.mailbox is firm.Mailbox.REFUSED:
            # As when somebody changed the password and told nobody.
            ground.exchange.store.add_mailbox(owner.address, _another(ground.words.mailboxes[owner.address]))
    sync(ground.app, synced)


def sync(app: App, owners: Sequence[firm.Person]) -> None:
    """Run the mailboxes of these people to their end, all at the same time."""
    ids = [app.store.mailbox_by_address(owner.address).id for owner in owners]
    at_once(lambda mailbox_id: app.worker.run_now([mailbox_id]), ids)


def _answer(app: App, answered: firm.Answered) -> None:
    """Answer a question as the person whose it is."""
    viewer = _viewer(app, answered.person)
    question = next(alert for alert in alerts.listing(app, viewer, only_open=True) if alert.subject == answered.subject)
    given = alerts.answer(app, viewer, question.id, answered.answer)
    if given.refused is not None:
        raise given.refused


def _viewer(app: App, name: str) -> Viewer:
    return signing.viewer_of(app, app.store.account(name))


def _change(ground: Ground, changed: firm.Changed) -> None:
    """Change an appointment in its owner's Outlook."""
    address = next(person.address for person in firm.PEOPLE if person.name == changed.person)
    mailbox = ground.exchange.store.mailbox(address)
    assert mailbox is not None
    call = writing.call_of(ground.exchange.site, mailbox)
    calendar = call.store.distinguished(mailbox.row, "calendar")
    assert calendar is not None
    stored = next((each for each in call.store.items(calendar.row) if each.item.subject == changed.subject), None)
    if stored is None:
        raise SyncError("NotFoundHere", detail=f"appointment {changed.subject}")
    item, by = stored.item, timedelta(hours=changed.hours)
    location = item.location if changed.location is None else changed.location
    writing.change(
        call, stored, None, replace(item, start=item.start + by, end=item.end + by, location=location), stored.change
    )


def _another(password: str) -> str:
    """Return the password as its owner changed it: the same words, the next number."""
    words, _, number = password.rpartition("-")
    return f"{words}-{int(number) + 1}"
