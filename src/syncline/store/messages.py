"""What goes out about questions: who was told which one, the messages with their outcomes, and the links in mails.

A message is stored before it leaves and its outcome after, so that a crash in between is known. Links are kept as
digests only. Times come from the caller. It must not know what a message says, or how it travels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, func, insert, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_keep

from syncline.ports import AlertState, Answer
from syncline.store.connection import Connected
from syncline.store.links import chunks
from syncline.store.schema import account, alert, answer_link, message, told

UNCLEAR_MAX = 1
"""So often a message whose arrival is not known is sent once more."""


class Channel(StrEnum):
    """A way out."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Kind(StrEnum):
    """What a message is about: one question or many by mail, and what became of it for programs."""

    QUESTION = "question"
    DIGEST = "digest"
    OPENED = "opened"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class MessageState(StrEnum):
    """How far a message has come."""

    WAITING = "waiting"
    LEAVING = "leaving"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class Message(Struct, frozen=True, kw_only=True):
    """One message. `recipient` is a user's sign-in name, or of a webhook's message the mailbox that it is about.

    `alert_id` None: it is about many questions (or its question is gone). `unclear` counts how often it was left
    unknown whether it arrived.
    """

    id: int = 0
    channel: Channel
    kind: Kind
    recipient: str
    alert_id: int | None = None
    key: str
    created: datetime
    next_try: datetime | None = None
    attempts: int = 0
    unclear: int = 0
    state: MessageState = MessageState.WAITING
    ended: datetime | None = None
    error: str | None = None


class Told(Struct, frozen=True, kw_only=True):
    """One question on its way to somebody: open since when it is known, in the mailbox where it stands."""

    alert_id: int
    mailbox_id: int
    recipient: str
    since: datetime
    state: AlertState


class AnswerLink(Struct, frozen=True, kw_only=True):
    """A link that answers one question in one way, for one person, once; `version` is what the mail showed."""

    digest: str
    alert_id: int
    version: int
    answer: Answer
    recipient: str
    expires: datetime
    used: datetime | None = None


class ChannelFigures(Struct, frozen=True, kw_only=True):
    """How one way out stands: messages by state, and when the last one was sent."""

    waiting: int = 0
    sent: int = 0
    failed: int = 0
    last_sent: datetime | None = None
    error: str | None = None


_MESSAGE = [message.c[name] for name in Message.__struct_fields__]
_LINK = [answer_link.c[name] for name in AnswerLink.__struct_fields__]
_OPEN = literal_column("alert.state") == literal_column("'open'")
_WAITS = literal_column("told.state") == literal_column("'waiting'")
_WAS_TOLD = literal_column("told.state") == literal_column("'told'")
_OUTSTANDING: ColumnElement[bool] = literal_column("(message.state = 'waiting' OR message.state = 'leaving')")


class Messages(Connected):
    """Messages about questions, and the links in mails."""

    # --- who is told what ---

    def untold_questions(self, channel: Channel, limit: int) -> tuple[tuple[int, int, datetime], ...]:
        """Return open questions of which nothing was noted for a channel yet: alert, mailbox and since when."""
        known = select(told.c.id).where(told.c.channel == channel.value, told.c.alert_id == alert.c.id)
        query = select(alert.c.id, alert.c.mailbox_id, alert.c.created)
        query = query.where(_OPEN, alert.c.question == 1, ~known.exists()).order_by(alert.c.id).limit(limit)
        with self.reading() as connection:
            return tuple((row[0], row[1], row[2]) for row in connection.execute(query))

    def note_questions(
        self, channel: Channel, recipients: Mapping[int, str | None], since: Mapping[int, datetime]
    ) -> None:
        """Note for each alert (by id) who is to be told of it, and since when it is open; None: nobody, ever."""
        rows = [
            {
                "channel": channel.value,
                "alert_id": number,
                "recipient": name or "",
                "state": "dropped" if name is None else "waiting",
                "since": since[number],
            }
            for number, name in recipients.items()
        ]
        if rows:
            with self.writing() as connection:
                connection.execute(insert_or_keep(told).on_conflict_do_nothing(), rows)

    def waiting_questions(self, channel: Channel) -> tuple[Told, ...]:
        """Return the questions that somebody is still to be told of, by alert; those that are over are dropped."""
        with self.reading() as connection:
            found = _told(connection, told.c.channel == channel.value, _WAITS)
        over = [each.alert_id for each in found if each.state is not AlertState.OPEN]
        if over:
            self.drop_questions(channel, over)
        return tuple(each for each in found if each.state is AlertState.OPEN)

    def names_of_accounts(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of these names that have an account."""
        with self.reading() as connection:
            parts = (
                connection.scalars(select(account.c.name).where(account.c.name.in_(part))) for part in chunks(names)
            )
            return frozenset(name for part in parts for name in part)

    def drop_questions(self, channel: Channel, alert_ids: Sequence[int]) -> None:
        """Note that nobody is to be told of these questions any more."""
        with self.writing() as connection:
            for part in chunks(alert_ids):
                mine = (told.c.channel == channel.value, told.c.alert_id.in_(part), _WAITS)
                connection.execute(update(told).where(*mine).values(state="dropped"))

    def ended_questions(self, channel: Channel, limit: int) -> tuple[Told, ...]:
        """Return the questions that a channel was told of and that are not open any more."""
        with self.reading() as connection:
            where = (told.c.channel == channel.value, _WAS_TOLD, alert.c.state != AlertState.OPEN)
            return _told(connection, *where)[:limit]

    def tell(self, value: Message, alert_ids: Sequence[int], *, over: bool = False) -> Message:
        """Store a new message about these questions and note that they are told (`over`: for the last time)."""
        with self.writing() as connection:
            row = {column.name: getattr(value, column.name) for column in _MESSAGE if column.name != "id"}
            number = int(connection.execute(insert(message).values(row).returning(message.c.id)).scalar_one())
            for part in chunks(alert_ids):
                mine = update(told).where(told.c.channel == value.channel.value, told.c.alert_id.in_(part))
                connection.execute(mine.values(state="over" if over else "told", message_id=number))
            return _message(connection, number)

    def questions_of(self, message_id: int) -> tuple[Told, ...]:
        """Return the questions that a message is about, by alert."""
        with self.reading() as connection:
            return _told(connection, told.c.message_id == message_id)

    def last_mails(self) -> Mapping[str, datetime | None]:
        """Return for each person when the last mail left for him; None while one is on its way."""
        last = select(message.c.recipient, func.max(message.c.ended)).where(
            message.c.channel == Channel.MAIL.value, message.c.state.in_((MessageState.SENT, MessageState.FAILED))
        )
        under_way = select(message.c.recipient).where(message.c.channel == Channel.MAIL.value, _OUTSTANDING)
        with self.reading() as connection:
            found: dict[str, datetime | None] = {
                row[0]: row[1] for row in connection.execute(last.group_by(message.c.recipient))
            }
            return found | dict.fromkeys(connection.scalars(under_way))

    # --- messages on their way ---

    def due_messages(self, channel: Channel, now: datetime, limit: int) -> tuple[Message, ...]:
        """Return the messages of a channel that can be tried now, those waiting longest first."""
        where = (message.c.channel == channel.value, _OUTSTANDING, message.c.state == MessageState.WAITING)
        query = select(*_MESSAGE).where(*where, message.c.next_try <= now)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(message.c.next_try, message.c.id).limit(limit)).mappings()
            return tuple(_to_message(row) for row in rows)

    def message_leaves(self, message_id: int) -> bool:
        """Note that a message is about to leave; False if it does not wait any more."""
        where = (message.c.id == message_id, message.c.state == MessageState.WAITING)
        with self.writing() as connection:
            values = {"state": MessageState.LEAVING, "attempts": message.c.attempts + 1}
            return connection.execute(update(message).where(*where).values(values)).rowcount == 1

    def message_ended(self, message_id: int, state: MessageState, now: datetime, error: str | None = None) -> None:
        """Note what became of a message for good."""
        with self.writing() as connection:
            values = {"state": state.value, "ended": now, "next_try": None, "error": error}
            connection.execute(update(message).where(message.c.id == message_id).values(values))

    def message_waits(
        self, message_id: int, next_try: datetime, error: str | None = None, *, unclear: bool = False
    ) -> None:
        """Note that a message is to be tried again; `unclear`: it may have arrived already."""
        values: dict[str, Any] = {"state": MessageState.WAITING, "next_try": next_try, "error": error}
        if unclear:
            values["unclear"] = message.c.unclear + 1
        with self.writing() as connection:
            connection.execute(update(message).where(message.c.id == message_id).values(values))

    def leaving_messages(self, channel: Channel) -> tuple[Message, ...]:
        """Return the messages that were leaving when the process ended: whether they arrived is not known."""
        where = (message.c.channel == channel.value, _OUTSTANDING, message.c.state == MessageState.LEAVING)
        with self.reading() as connection:
            rows = connection.execute(select(*_MESSAGE).where(*where).order_by(message.c.id)).mappings()
            return tuple(_to_message(row) for row in rows)

    def messages(self, channel: Channel, limit: int = 50) -> tuple[Message, ...]:
        """Return the last messages of a channel, newest first."""
        query = select(*_MESSAGE).where(message.c.channel == channel.value).order_by(message.c.id.desc()).limit(limit)
        with self.reading() as connection:
            return tuple(_to_message(row) for row in connection.execute(query).mappings())

    def channel_figures(self) -> Mapping[Channel, ChannelFigures]:
        """Return how each way out stands."""
        counted = select(message.c.channel, message.c.state, func.count(), func.max(message.c.ended))
        last = select(message.c.channel, message.c.error).where(_OUTSTANDING, message.c.error.is_not(None))
        with self.reading() as connection:
            rows = connection.execute(counted.group_by(message.c.channel, message.c.state)).all()
            errors = {row[0]: row[1] for row in connection.execute(last.order_by(message.c.id))}
        found = {channel: {row[1]: row[2:] for row in rows if row[0] == channel.value} for channel in Channel}
        return {
            channel: ChannelFigures(
                waiting=sum(states.get(state, (0,))[0] for state in (MessageState.WAITING, MessageState.LEAVING)),
                sent=states.get(MessageState.SENT, (0,))[0],
                failed=states.get(MessageState.FAILED, (0,))[0],
                last_sent=states.get(MessageState.SENT, (0, None))[1],
                error=errors.get(channel.value),
            )
            for channel, states in found.items()
        }

    def withdraw_code(self, mailbox_ids: Collection[int], codes: Collection[str], reason: str) -> None:
        """Withdraw the open notices with one of these codes about these mailboxes."""
        mine = (alert.c.mailbox_id.in_(list(mailbox_ids)), alert.c.code.in_(list(codes)), alert.c.question == 0)
        with self.writing() as connection:
            statement = update(alert).where(*mine, alert.c.state == AlertState.OPEN)
            connection.execute(statement.values(state=AlertState.WITHDRAWN, reason=reason))

    # --- links in mails ---

    def add_answer_links(self, links: Sequence[AnswerLink]) -> None:
        """Store links."""
        rows = [{column.name: getattr(each, column.name) for column in _LINK} for each in links]
        with self.writing() as connection:
            connection.execute(insert(answer_link), rows)

    def answer_link(self, digest: str) -> AnswerLink | None:
        """Return the link with this digest."""
        with self.reading() as connection:
            row = connection.execute(select(*_LINK).where(answer_link.c.digest == digest)).mappings().first()
        return None if row is None else AnswerLink(**row)

    def use_answer_link(self, digest: str, now: datetime) -> bool:
        """Use up a link, and with it all others to the same question for the same person; False if it was used."""
        with self.writing() as connection:
            found = select(answer_link.c.alert_id, answer_link.c.recipient)
            row = connection.execute(found.where(answer_link.c.digest == digest, answer_link.c.used.is_(None))).first()
            if row is None:
                return False
            mine = (answer_link.c.alert_id == row[0], answer_link.c.recipient == row[1])
            connection.execute(update(answer_link).where(*mine, answer_link.c.used.is_(None)).values(used=now))
            return True

    def purge_messages(self, now: datetime, kept_days: int = 30) -> None:
        """Forget messages that ended long ago, and links that can be used no more."""
        old = now - timedelta(days=kept_days)
        with self.writing() as connection:
            connection.execute(delete(message).where(message.c.ended < old))
            connection.execute(delete(answer_link).where(answer_link.c.expires < old))


def _told(connection: Connection, *where: ColumnElement[bool]) -> tuple[Told, ...]:
    columns = (told.c.alert_id, alert.c.mailbox_id, told.c.recipient, told.c.since, alert.c.state)
    query = select(*columns).join(alert, alert.c.id == told.c.alert_id).where(*where).order_by(told.c.alert_id)
    return tuple(Told(**row) for row in connection.execute(query).mappings())


def _message(connection: Connection, number: int) -> Message:
    return _to_message(connection.execute(select(*_MESSAGE).where(message.c.id == number)).mappings().one())


def _to_message(row: Mapping[Any, Any]) -> Message:
    values = dict(row)
    words = {
        "channel": Channel(values["channel"]),
        "kind": Kind(values["kind"]),
        "state": MessageState(values["state"]),
    }
    return Message(**{**values, **words})
