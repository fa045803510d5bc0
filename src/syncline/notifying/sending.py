"""Messages that are due leave: composed at the last moment, noted before and after, tried again or given up.

A mail whose arrival is not known is sent once more under the same name, never a third time. A question that is over
by now is left out. It must not know protocols.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncline.channels import is_mail_address
from syncline.core.times import wall
from syncline.engine.boundary import contain, mailbox_error
from syncline.errors import OF_MAILS, OF_WEBHOOKS, ErrorClass, SyncError
from syncline.notifying.composing import Composer
from syncline.notifying.gathering import users
from syncline.ports import Alert, AlertState, Notifier, Parcel
from syncline.store import Mails
from syncline.store.messages import UNCLEAR_MAX, Channel, Kind, Message, MessageState, Told

if TYPE_CHECKING:
    from syncline.wiring import App

log = logging.getLogger("syncline.notifying")

AT_ONCE_MAX = 50
FAILED_IN_A_ROW_MAX = 2
RETRIES_S = (60.0, 120.0, 300.0, 900.0, 1800.0, 3600.0)
GIVEN_UP = {Channel.MAIL: timedelta(days=3), Channel.WEBHOOK: timedelta(days=1)}
TOLD_AFTER_ATTEMPTS = 3
"""After so many failures people read of it."""
CODES = {Channel.MAIL: OF_MAILS, Channel.WEBHOOK: OF_WEBHOOKS}
QUIET_LOOK = timedelta(minutes=5)
_UNCLEAR = "MailUnclear"
# Refused for a reason that lies in the settings: it goes on by itself once somebody has mended them.
_MENDABLE = frozenset({"MailServerRefused", "WebhookRefused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way out: its channel, who carries, and who puts into words."""

    app: App
    channel: Channel
    notifier: Notifier
    composer: Composer


def settle_unknown(way: Way) -> None:
    """Decide about messages that were leaving when an earlier process ended."""
    for message in way.app.store.leaving_messages(way.channel):
        _settled(way, message, _unknown(way, message))


def send_due(way: Way) -> int:
    """Send what is due, and return how many left; two failures in a row end the round: the server has trouble."""
    sent = failed = 0
    for message in way.app.store.due_messages(way.channel, way.app.clock.now(), AT_ONCE_MAX):
        outcome = _sent(way, message)
        sent += outcome is True
        failed = failed + 1 if isinstance(outcome, SyncError) and _troubled(outcome) else 0
        if failed >= FAILED_IN_A_ROW_MAX:
            _rest(way)
            break
    return sent


def _sent(way: Way, message: Message) -> bool | SyncError:
    """Send one message and note what became of it; return whether it was sent, False if there was no need any more."""
    store = way.app.store
    told = store.questions_of(message.id)
    questions = _still_to_tell(message, told)
    if not questions:
        store.message_ended(message.id, MessageState.DROPPED, way.app.clock.now())
        _over(way, told, "There is nothing to send any more.")
        return False
    try:
        parcel = contain(lambda: _parcel(way, message, questions), _composing(message), f"message {message.id}")
        if parcel is None or not store.message_leaves(message.id):
            return False
        contain(lambda: way.notifier.send(parcel), _sending(way, message), f"the sending of message {message.id}")
    except SyncError as error:
        _settled(way, message, error)
        return error
    store.message_ended(message.id, MessageState.SENT, way.app.clock.now())
    _over(way, questions, "It was sent.")
    return True


def _over(way: Way, questions: Sequence[Told], reason: str) -> None:
    """Withdraw the notices about what could not be sent: for these mailboxes nothing is in the way any more."""
    way.app.store.withdraw_code({each.mailbox_id for each in questions}, CODES[way.channel], reason)


def _parcel(way: Way, message: Message, questions: Sequence[Told]) -> Parcel | None:
    """Return a message as it leaves, None if it is not to leave now."""
    if way.channel is Channel.WEBHOOK:
        return Parcel(key=message.key, content=way.composer.event(way.app, message, questions))
    person = users(way.app, {message.recipient}).get(message.recipient)
    chosen = way.app.store.preferences(message.recipient)
    now = way.app.clock.now()
    if person is None or chosen.mails is Mails.OFF:
        way.app.store.message_ended(message.id, MessageState.DROPPED, now)
        _over(way, questions, "There is nothing to send any more.")
        return None
    if chosen.quiet(wall(now, person.time_zone).time()):
        way.app.store.message_waits(message.id, now + QUIET_LOOK, message.error)
        return None
    to = _written(person.emails[0])
    return Parcel(key=message.key, to=to, content=way.composer.mail(way.app, to, message, questions))


def _written(address: str) -> str:
    """Return an address as mail servers write it, names of domains in ASCII; SyncError("MailRefused") if it is none."""
    local, _, domain = address.rpartition("@")
    try:
        written = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        written = ""
    if not is_mail_address(written):
        raise SyncError("MailRefused", address=address, detail="this is not an address that mail can be sent to")
    return written


def _still_to_tell(message: Message, questions: Sequence[Told]) -> list[Told]:
    """Leave out what is over by now, unless that is what is to be told."""
    if message.kind in (Kind.ANSWERED, Kind.WITHDRAWN):
        return list(questions)
    return [each for each in questions if each.state is AlertState.OPEN]


def _settled(way: Way, message: Message, error: SyncError) -> None:
    """Note a failure: to be tried again, or given up; people read of what lasts."""
    store, now = way.app.store, way.app.clock.now()
    attempts = message.attempts + 1
    again = _again(way, message, error, now)
    log.warning("message %d by %s was not sent: %s", message.id, way.channel.value, error.code)
    if again is None:
        store.message_ended(message.id, MessageState.FAILED, now, error.code)
    else:
        store.message_waits(message.id, again, error.code, unclear=error.code == _UNCLEAR)
    if again is None or attempts >= TOLD_AFTER_ATTEMPTS or error.code in _MENDABLE:
        for mailbox_id in sorted({each.mailbox_id for each in store.questions_of(message.id)}):
            notice = Alert(mailbox_id=mailbox_id, code=error.code, params=error.params, created=now, last_seen=now)
            store.report(notice)


def _again(way: Way, message: Message, error: SyncError, now: datetime) -> datetime | None:
    """Return when a message is tried again; None: never."""
    if error.code == _UNCLEAR and way.channel is Channel.MAIL:
        return None if message.unclear >= UNCLEAR_MAX else now + timedelta(seconds=RETRIES_S[0])
    if error.row.error_class is ErrorClass.PERMANENT and error.code not in _MENDABLE:
        return None
    pause_s = RETRIES_S[-1] if error.code in _MENDABLE else RETRIES_S[min(message.attempts, len(RETRIES_S) - 1)]
    again = now + timedelta(seconds=error.retry_after_s or pause_s)
    return again if again <= message.created + GIVEN_UP[way.channel] else None


def _troubled(error: SyncError) -> bool:
    """Return whether a failure is the server's, so that the next message would fail as well."""
    return error.code not in ("MailRefused", _UNCLEAR)


def _rest(way: Way) -> None:
    """Put off what is due: each would wait for the same server that does not answer."""
    now = way.app.clock.now()
    for message in way.app.store.due_messages(way.channel, now, AT_ONCE_MAX):
        way.app.store.message_waits(message.id, now + timedelta(seconds=RETRIES_S[0]), message.error)


def _unknown(way: Way, message: Message) -> SyncError:
    """Return an arrival as not known; a program knows a repeated message by its name, so that it may come again."""
    if way.channel is Channel.MAIL:
        return SyncError(_UNCLEAR, address=message.recipient)
    return SyncError("WebhookFailed", detail="Syncline ended while it was being sent")


def _composing(message: Message) -> Callable[[Exception], None]:
    def stopped(bug: Exception) -> None:
        raise mailbox_error(bug, message.recipient) from bug

    return stopped


def _sending(way: Way, message: Message) -> Callable[[Exception], None]:
    def stopped(bug: Exception) -> None:
        raise _unknown(way, message) from bug

    return stopped
