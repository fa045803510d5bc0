"""From questions that opened or ended to messages that are to leave: reads the state, decides, stores.

It must not know how anything is sent or worded.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from syncline.notifying.choosing import Patience, Reader, next_mail
from syncline.ports import AlertState, User
from syncline.store import Mails, Preferences
from syncline.store.messages import Channel, Kind, Message, Told

if TYPE_CHECKING:
    from syncline.wiring import App

NEWS = timedelta(hours=1)
"""A program is not told of what opened longer ago: not of everything when a webhook is set for the first time."""
TOGETHER_MIN = 10
"""From so many questions of one mailbox on that open or end at once, programs get one message about all of them."""
BATCH = 5000


def gather_mails(app: App) -> None:
    """Note who is to be told of each new question, and begin the mails whose time has come."""
    now = app.clock.now()
    _note_people(app)
    waiting = app.store.waiting_questions(Channel.MAIL)
    if not waiting:
        return
    people = users(app, {each.recipient for each in waiting})
    chosen = app.store.all_preferences(tuple(people))
    last = app.store.last_mails()
    mail = app.settings.mail
    patience = Patience(gather_s=mail.gather_s, pause_min_s=mail.pause_min_s)
    for name, questions in _by_recipient(waiting).items():
        preferences = chosen.get(name, Preferences())
        if preferences.mails is Mails.OFF or name not in people:
            app.store.drop_questions(Channel.MAIL, [each.alert_id for each in questions])
            continue
        reader = Reader(
            preferences=preferences,
            zone=people[name].time_zone,
            last=last.get(name),
            under_way=name in last and last[name] is None,
        )
        begun = next_mail(questions, reader, now, patience)
        if begun:
            _begin(app, Channel.MAIL, Kind.QUESTION if len(begun) == 1 else Kind.DIGEST, name, begun, now)


def gather_events(app: App) -> None:
    """Begin messages to the program about questions that opened or ended since the last look."""
    now = app.clock.now()
    fresh = app.store.untold_questions(Channel.WEBHOOK, BATCH)
    mailboxes = app.store.mailboxes_by_id({mailbox_id for _, mailbox_id, _ in fresh})
    named = {
        alert_id: mailboxes[mailbox_id].address if now - created <= NEWS and mailbox_id in mailboxes else None
        for alert_id, mailbox_id, created in fresh
    }
    app.store.note_questions(Channel.WEBHOOK, named, {alert_id: created for alert_id, _, created in fresh})
    for address, opened in _by_recipient(app.store.waiting_questions(Channel.WEBHOOK)).items():
        _begin_events(app, Kind.OPENED, address, opened, now)
    for address, ended in _by_recipient(app.store.ended_questions(Channel.WEBHOOK, BATCH)).items():
        answered = [each for each in ended if each.state is AlertState.ANSWERED]
        _begin_events(app, Kind.ANSWERED, address, answered, now)
        _begin_events(app, Kind.WITHDRAWN, address, [each for each in ended if each not in answered], now)


def users(app: App, names: set[str]) -> Mapping[str, User]:
    """Return the people with these sign-in names whom a mail can reach: enabled, with an address and an account."""
    found = app.crm.users(names=sorted(names)) if names else ()
    reachable = {user.name: user for user in found if user.enabled and user.emails}
    with_account = app.store.names_of_accounts(reachable)
    return {name: user for name, user in reachable.items() if name in with_account}


def _note_people(app: App) -> None:
    fresh = app.store.untold_questions(Channel.MAIL, BATCH)
    if not fresh:
        return
    mailboxes = app.store.mailboxes_by_id({mailbox_id for _, mailbox_id, _ in fresh})
    owners = {mailbox_id: mailbox.user for mailbox_id, mailbox in mailboxes.items()}
    known = users(app, {name for name in owners.values() if name})
    chosen = app.store.all_preferences(tuple(known))
    willing = {name for name in known if chosen.get(name, Preferences()).mails is not Mails.OFF}
    named = {alert_id: owners.get(mailbox_id, "") for alert_id, mailbox_id, _ in fresh}
    told = {alert_id: name if name in willing else None for alert_id, name in named.items()}
    app.store.note_questions(Channel.MAIL, told, {alert_id: created for alert_id, _, created in fresh})


def _begin_events(app: App, kind: Kind, address: str, questions: Sequence[Told], now: datetime) -> None:
    if len(questions) >= TOGETHER_MIN:
        _begin(app, Channel.WEBHOOK, kind, address, questions, now)
        return
    for each in questions:
        _begin(app, Channel.WEBHOOK, kind, address, [each], now)


def _begin(app: App, channel: Channel, kind: Kind, recipient: str, questions: Sequence[Told], now: datetime) -> None:
    value = Message(
        channel=channel,
        kind=kind,
        recipient=recipient,
        alert_id=questions[0].alert_id if len(questions) == 1 else None,
        key=secrets.token_hex(16),
        created=now,
        next_try=now,
    )
    over = kind in (Kind.ANSWERED, Kind.WITHDRAWN)
    app.store.tell(value, [each.alert_id for each in questions], over=over)


def _by_recipient(questions: Sequence[Told]) -> Mapping[str, list[Told]]:
    ordered = sorted(questions, key=lambda each: (each.recipient, each.alert_id))
    return {name: list(group) for name, group in groupby(ordered, key=lambda each: each.recipient)}
