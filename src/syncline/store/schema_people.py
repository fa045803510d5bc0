"""The tables about people: who signs in, what each chose, which rules answer for them, and what they are told.

It knows names, types and constraints; it must not know who reads or writes them.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, insert, text
from sqlalchemy.dialects import sqlite

from syncline.core.answering import Conditions
from syncline.core.filters import DEFAULT_CONDITIONS, DEFAULT_NAME, Condition
from syncline.store.columns import Coded, Instant, Word
from syncline.store.table_parts import ANSWERS, metadata
from syncline.store.table_parts import counter as _count
from syncline.store.table_parts import flag as _flag
from syncline.store.table_parts import number as _id
from syncline.store.table_parts import one_of as _one_of
from syncline.store.table_parts import words as _text


class AccountRole(StrEnum):
    """Role of somebody who signs in (interface.md)."""

    ADMINISTRATOR = "System Administrator"
    USER = "User"


account = Table(
    "account",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Word(AccountRole), nullable=False),
    _text("password_hash"),
    _count("wrong"),
    Column("locked_until", Instant),
    Column("created", Instant, nullable=False),
    _one_of("role", AccountRole),
    sqlite_autoincrement=True,
)


def _account_id() -> Column[int]:
    return Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False)


session = Table(
    "session",
    metadata,
    Column("digest", Text, primary_key=True),
    _account_id(),
    _text("csrf"),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
)
Index(None, session.c.account_id)
Index(None, session.c.expires)

token = Table(
    "token",
    metadata,
    _id(),
    _account_id(),
    _text("label"),
    Column("digest", Text, nullable=False, unique=True),
    Column("created", Instant, nullable=False),
    Column("revoked", Instant),
    sqlite_autoincrement=True,
)
Index(None, token.c.account_id)

answer_rule = Table(
    "answer_rule",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("answer"),
    Column("conditions", Coded(Conditions), nullable=False),
    _flag("enabled", value=True),
    _text("owner", null=True),
    Column("position", Integer, nullable=False),
    _text("created_by"),
    Column("created", Instant, nullable=False),
    _one_of("answer", ANSWERS),
    sqlite_autoincrement=True,
)

# Conditions are looked at one row of the CRM at a time, so nothing here is indexed but whose a filter is.
sync_filter = Table(
    "sync_filter",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    _text("user", null=True),
    Column("conditions", Coded(tuple[Condition, ...]), nullable=False),
    _flag("enabled", value=True),
    _flag("template"),
    CheckConstraint("template = 0 OR user IS NULL", name="template"),
    sqlite_autoincrement=True,
)
Index(
    "ix_sync_filter_template",
    sync_filter.c.template,
    unique=True,
    sqlite_where=text("template = 1"),
    postgresql_where=text("template = 1"),
)
Index(None, sync_filter.c.user)

preference = Table(
    "preference",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    _text("language"),
    _text("mails"),
    _text("quiet_from", null=True),
    _text("quiet_to", null=True),
    _one_of("mails", ("each", "digest", "off")),
)

# --- mails and messages about questions ---
# What goes out, one row per message; an intent before it leaves, its outcome after.
message = Table(
    "message",
    metadata,
    _id(),
    _text("channel"),
    _text("kind"),
    _text("recipient"),
    Column("alert_id", Integer, ForeignKey("alert.id", ondelete="SET NULL")),
    Column("key", Text, nullable=False, unique=True),
    Column("created", Instant, nullable=False),
    Column("next_try", Instant),
    _count("attempts"),
    _count("unclear"),
    _text("state"),
    Column("ended", Instant),
    _text("error", null=True),
    _one_of("channel", ("mail", "webhook")),
    _one_of("kind", ("question", "digest", "opened", "answered", "withdrawn")),
    _one_of("state", ("waiting", "leaving", "sent", "failed", "dropped")),
    sqlite_autoincrement=True,
)
_OUTSTANDING = text("state = 'waiting' OR state = 'leaving'")
Index(
    "ix_message_outstanding",
    message.c.channel,
    message.c.next_try,
    sqlite_where=_OUTSTANDING,
    postgresql_where=_OUTSTANDING,
)
Index(None, message.c.recipient, message.c.id)
Index(None, message.c.alert_id)

# Which question was told to whom: one row per question and channel.
told = Table(
    "told",
    metadata,
    _id(),
    _text("channel"),
    Column("alert_id", Integer, ForeignKey("alert.id", ondelete="CASCADE"), nullable=False),
    _text("recipient"),
    _text("state"),
    Column("since", Instant, nullable=False),
    Column("message_id", Integer, ForeignKey("message.id", ondelete="SET NULL")),
    UniqueConstraint("channel", "alert_id"),
    _one_of("channel", ("mail", "webhook")),
    _one_of("state", ("waiting", "told", "over", "dropped")),
    sqlite_autoincrement=True,
)
_UNTOLD = text("state = 'waiting'")
Index("ix_told_waiting", told.c.recipient, sqlite_where=_UNTOLD, postgresql_where=_UNTOLD)
_TOLD = text("state = 'told'")
Index("ix_told_told", told.c.channel, told.c.alert_id, sqlite_where=_TOLD, postgresql_where=_TOLD)
Index(None, told.c.alert_id)
Index(None, told.c.message_id)

answer_link = Table(
    "answer_link",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("alert_id", Integer, ForeignKey("alert.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    _text("answer"),
    _text("recipient"),
    Column("expires", Instant, nullable=False),
    Column("used", Instant),
    _one_of("answer", ANSWERS),
)
Index(None, answer_link.c.alert_id)
Index(None, answer_link.c.expires)


def first_rows() -> tuple[str, ...]:
    """Return the statements that put into empty tables what is never missing: the template of sync filters."""
    row = insert(sync_filter).values(name=DEFAULT_NAME, conditions=DEFAULT_CONDITIONS, template=True)
    return (str(row.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})),)
