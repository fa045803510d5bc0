"""What people see and decide: answers without the overlapping dates, rules, mails, and preferences.

Revision 0002 after 0001. It only adds tables, columns and indexes. It says what they were then, so it must not import
what they are today.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    """Add what is new, one function per subject."""
    _preferences()
    _answer_rules()
    _messages()
    _wall()
    _marks()
    _answers()
    _tables()


# --- preferences --------------------------------------------------------------------------------------------------


def _preferences() -> None:
    op.create_table(
        "preference",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("mails", sa.Text(), nullable=False),
        sa.Column("quiet_from", sa.Text()),
        sa.Column("quiet_to", sa.Text()),
        sa.CheckConstraint("mails IN ('each', 'digest', 'off')", name=op.f("ck_preference_mails")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_preference_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name="pk_preference"),
    )


# --- answer rules -------------------------------------------------------------------------------------------------


def _answer_rules() -> None:
    op.create_table(
        "answer_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("owner", sa.Text()),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("answer IN ('yes', 'no')", name=op.f("ck_answer_rule_answer")),
        sa.PrimaryKeyConstraint("id", name="pk_answer_rule"),
        sa.UniqueConstraint("name", name="uq_answer_rule_name"),
        sqlite_autoincrement=True,
    )
    op.add_column("alert", sa.Column("facts", sa.Text()))
    asked = sa.text("question = 1")
    op.create_index("ix_alert_asked", "alert", ["created"], sqlite_where=asked, postgresql_where=asked)


# --- mails and messages about questions -----------------------------------------------------------------------------


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Integer()),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("next_try", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unclear", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint("channel IN ('mail', 'webhook')", name=op.f("ck_message_channel")),
        sa.CheckConstraint(
            "kind IN ('question', 'digest', 'opened', 'answered', 'withdrawn')", name=op.f("ck_message_kind")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'leaving', 'sent', 'failed', 'dropped')", name=op.f("ck_message_state")
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_message_alert_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("key", name="uq_message_key"),
        sqlite_autoincrement=True,
    )
    outstanding = sa.text("state = 'waiting' OR state = 'leaving'")
    op.create_index("ix_message_outstanding", "message", ["channel", "next_try"], sqlite_where=outstanding)
    op.create_index("ix_message_recipient_id", "message", ["recipient", "id"])
    op.create_index("ix_message_alert_id", "message", ["alert_id"])
    _told()
    _answer_links()


def _told() -> None:
    op.create_table(
        "told",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Integer()),
        sa.CheckConstraint("channel IN ('mail', 'webhook')", name=op.f("ck_told_channel")),
        sa.CheckConstraint("state IN ('waiting', 'told', 'over', 'dropped')", name=op.f("ck_told_state")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_told_alert_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_told_message_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_told"),
        sa.UniqueConstraint("channel", "alert_id", name="uq_told_channel_alert_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_told_waiting", "told", ["recipient"], sqlite_where=sa.text("state = 'waiting'"))
    op.create_index("ix_told_told", "told", ["channel", "alert_id"], sqlite_where=sa.text("state = 'told'"))
    op.create_index("ix_told_alert_id", "told", ["alert_id"])
    op.create_index("ix_told_message_id", "told", ["message_id"])


def _answer_links() -> None:
    op.create_table(
        "answer_link",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger()),
        sa.CheckConstraint("answer IN ('yes', 'no')", name=op.f("ck_answer_link_answer")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_answer_link_alert_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name="pk_answer_link"),
    )
    op.create_index("ix_answer_link_alert_id", "answer_link", ["alert_id"])
    op.create_index("ix_answer_link_expires", "answer_link", ["expires"])


# --- the wall of alerts -------------------------------------------------------------------------------------------


def _wall() -> None:
    op.add_column("alert", sa.Column("matters", sa.BigInteger()))
    op.add_column("alert", sa.Column("dates", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("alert", sa.Column("clashing", sa.Integer(), server_default=sa.text("0"), nullable=False))
    _fill_wall()
    still = sa.text("state = 'open'")
    columns = ["mailbox_id", "code", "matters"]
    op.create_index("ix_alert_wall", "alert", columns, sqlite_where=still, postgresql_where=still)
    op.create_index("ix_alert_decided_on", "alert", ["decided_on"])


def _fill_wall() -> None:
    """Give what stands there already when it matters and how many dates it is about: it may wait unchanged for long."""
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE alert SET matters = created"))
    found = connection.execute(sa.text("SELECT id, created, verdict, span FROM alert WHERE span IS NOT NULL"))
    values = [_on_the_wall(*row) for row in found]
    if values:
        update = "UPDATE alert SET matters = :matters, dates = :dates, clashing = :clashing WHERE id = :id"
        connection.execute(sa.text(update), values)


def _on_the_wall(number: int, created: int, verdict: str | None, span: str) -> dict[str, int]:
    asked = json.loads(verdict or "null") or {}
    dates, clashing = asked.get("occurrences", 0), asked.get("clashing", [])
    start = clashing[0] if dates > 1 and clashing else (json.loads(span) or {}).get("start")
    matters = _microseconds(start) if start else created
    return {"id": number, "matters": matters, "dates": dates, "clashing": len(clashing)}


def _microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


# --- marks in Exchange --------------------------------------------------------------------------------------------


def _marks() -> None:
    op.create_table(
        "mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.Integer()),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("question", sa.Integer()),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("stale", sa.Text(), nullable=False),
        sa.Column("dealt", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try", sa.BigInteger()),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_mark_mailbox_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="fk_mark_link_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_mark"),
        sa.UniqueConstraint("link_id", name="uq_mark_link_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mark_mailbox_id_id", "mark", ["mailbox_id", "id"])


# --- dates left out, and answers taken back -----------------------------------------------------------------------


def _answers() -> None:
    op.add_column("link", sa.Column("left_out", sa.Text()))
    op.add_column("link", sa.Column("decided_left_out", sa.Text()))
    op.add_column("alert", sa.Column("left_out", sa.Text()))
    op.add_column("alert", sa.Column("before", sa.Text()))
    op.add_column("decision", sa.Column("left_out", sa.Text()))
    op.add_column("decision", sa.Column("undone", sa.Boolean(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_decision_link_id", "decision", ["link_id"])


# --- failures as a table ------------------------------------------------------------------------------------------


def _tables() -> None:
    stuck = sa.text("state NOT IN ('settled', 'unsettled')")
    op.create_index("ix_link_subject", "link", ["mailbox_id", "subject"])
    op.create_index("ix_link_stuck_state", "link", ["state", "id"], sqlite_where=stuck, postgresql_where=stuck)
    still = sa.text("state = 'open'")
    op.create_index("ix_alert_open", "alert", ["question"], sqlite_where=still, postgresql_where=still)
