"""The first tables.

Revision 0001 after nothing. It says what the tables were then, so it must not import what they are today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TRIGGERS = (
    "CREATE TRIGGER decision_refuses_update BEFORE UPDATE ON decision "
    "BEGIN SELECT RAISE(ABORT, 'decision is append-only'); END",
    "CREATE TRIGGER decision_refuses_delete BEFORE DELETE ON decision "
    "BEGIN SELECT RAISE(ABORT, 'decision is append-only'); END",
    "CREATE TRIGGER journal_refuses_update BEFORE UPDATE ON journal "
    "BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
    "CREATE TRIGGER journal_refuses_delete BEFORE DELETE ON journal "
    "BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END",
)

TABLES = sa.MetaData()

sa.Table(
    "account",
    TABLES,
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("role", sa.String(), nullable=False),
    sa.Column("password_hash", sa.Text(), nullable=False),
    sa.Column("wrong", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("locked_until", sa.BigInteger()),
    sa.Column("created", sa.BigInteger(), nullable=False),
    sa.CheckConstraint("role IN ('System Administrator', 'User')", name="ck_account_role"),
    sa.PrimaryKeyConstraint("id", name="pk_account"),
    sa.UniqueConstraint("name", name="uq_account_name"),
    sqlite_autoincrement=True,
)
sa.Table(
    "decision",
    TABLES,
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("time", sa.BigInteger(), nullable=False),
    sa.Column("mailbox_id", sa.Integer(), nullable=False),
    sa.Column("alert_id", sa.Integer(), nullable=False),
    sa.Column("link_id", sa.Integer()),
    sa.Column("code", sa.Text(), nullable=False),
    sa.Column("answer", sa.Text(), nullable=False),
    sa.Column("decided_by", sa.Text(), nullable=False),
    sa.Column("version", sa.Integer(), nullable=False),
    sa.Column("digest", sa.Text(), nullable=False),
    sa.CheckConstraint("answer IN ('yes', 'no')", name="ck_decision_answer"),
    sa.PrimaryKeyConstraint("id", name="pk_decision"),
    sqlite_autoincrement=True,
)
sa.Index("ix_decision_alert_id", TABLES.tables["decision"].c.alert_id)
sa.Table(
    "journal",
    TABLES,
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("time", sa.BigInteger(), nullable=False),
    sa.Column("mailbox_id", sa.Integer(), nullable=False),
    sa.Column("link_id", sa.Integer()),
    sa.Column("action", sa.Text(), nullable=False),
    sa.Column("rule", sa.Text(), nullable=False),
    sa.Column("fields", sa.Text(), nullable=False),
    sa.Column("detail", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_journal"),
    sqlite_autoincrement=True,
)
sa.Index("ix_journal_link_id_id", TABLES.tables["journal"].c.link_id, TABLES.tables["journal"].c.id)
sa.Table(
    "profile",
    TABLES,
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("type", sa.Text(), nullable=False),
    sa.Column("url", sa.Text(), nullable=False),
    sa.Column("username", sa.Text(), nullable=False),
    sa.Column("auth", sa.Text(), nullable=False),
    sa.Column("ca_file", sa.Text()),
    sa.Column("access", sa.Text(), nullable=False),
    sa.Column("read_only", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    sa.Column("allow_http", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    sa.Column("secret", sa.LargeBinary()),
    sa.CheckConstraint("access IN ('impersonation', 'delegate', 'own')", name="ck_profile_access"),
    sa.CheckConstraint("auth IN ('negotiate', 'ntlm', 'basic')", name="ck_profile_auth"),
    sa.CheckConstraint("type IN ('exchange')", name="ck_profile_type"),
    sa.PrimaryKeyConstraint("id", name="pk_profile"),
    sa.UniqueConstraint("name", name="uq_profile_name"),
    sqlite_autoincrement=True,
)
sa.Table(
    "mailbox",
    TABLES,
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("address", sa.Text(), nullable=False),
    sa.Column("user", sa.Text(), nullable=False),
    sa.Column("profile_id", sa.Integer(), nullable=False),
    sa.Column("approval", sa.String(), nullable=False),
    sa.Column("test", sa.String(), nullable=False),
    sa.Column("enabled", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    sa.Column("track", sa.String(), nullable=False),
    sa.Column("on_scheduling_conflict", sa.String()),
    sa.Column("time_zone", sa.Text(), nullable=False),
    sa.Column("next_due", sa.BigInteger()),
    sa.Column("last_sync", sa.BigInteger()),
    sa.Column("last_error", sa.Text()),
    sa.Column("last_error_text", sa.Text(), nullable=False),
    sa.Column("last_error_time", sa.BigInteger()),
    sa.Column("transient_failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("idle_cycles", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("folders", sa.Text(), nullable=False),
    sa.Column("hierarchy_due", sa.BigInteger()),
    sa.Column("category_id", sa.Text()),
    sa.Column("tracking", sa.Text(), nullable=False),
    sa.Column("cursors", sa.Text(), nullable=False),
    sa.Column("crm_cursor", sa.Text()),
    sa.Column("first_sync_done", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    sa.Column("approved_by", sa.Text()),
    sa.Column("approved_on", sa.BigInteger()),
    sa.Column("tested_on", sa.BigInteger()),
    sa.Column("secret", sa.LargeBinary()),
    sa.Column("lease_owner", sa.Text()),
    sa.Column("lease_until", sa.BigInteger()),
    sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("woken", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    sa.CheckConstraint("approval IN ('pending', 'approved', 'rejected')", name="ck_mailbox_approval"),
    sa.CheckConstraint(
        "on_scheduling_conflict IN ('ask', 'save_anyway', 'keep_out')", name="ck_mailbox_on_scheduling_conflict"
    ),
    sa.CheckConstraint("test IN ('not_run', 'success', 'failure')", name="ck_mailbox_test"),
    sa.CheckConstraint("track IN ('category', 'all')", name="ck_mailbox_track"),
    sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name="fk_mailbox_profile_id", ondelete="RESTRICT"),
    sa.PrimaryKeyConstraint("id", name="pk_mailbox"),
    sa.UniqueConstraint("address", name="uq_mailbox_address"),
    sqlite_autoincrement=True,
)
sa.Index(
    "ix_mailbox_due",
    TABLES.tables["mailbox"].c.next_due,
    sqlite_where=sa.text("enabled = 1"),
    postgresql_where=sa.text("enabled"),
)
sa.Table(
    "session",
    TABLES,
    sa.Column("digest", sa.Text(), nullable=False),
    sa.Column("account_id", sa.Integer(), nullable=False),
    sa.Column("csrf", sa.Text(), nullable=False),
    sa.Column("created", sa.BigInteger(), nullable=False),
    sa.Column("expires", sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_session_account_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("digest", name="pk_session"),
)
sa.Index("ix_session_account_id", TABLES.tables["session"].c.account_id)
sa.Index("ix_session_expires", TABLES.tables["session"].c.expires)
sa.Table(
    "token",
    TABLES,
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("account_id", sa.Integer(), nullable=False),
    sa.Column("label", sa.Text(), nullable=False),
    sa.Column("digest", sa.Text(), nullable=False),
    sa.Column("created", sa.BigInteger(), nullable=False),
    sa.Column("revoked", sa.BigInteger()),
    sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_token_account_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("id", name="pk_token"),
    sa.UniqueConstraint("digest", name="uq_token_digest"),
    sqlite_autoincrement=True,
)
sa.Index("ix_token_account_id", TABLES.tables["token"].c.account_id)
sa.Table(
    "cycle",
    TABLES,
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("mailbox_id", sa.Integer(), nullable=False),
    sa.Column("started", sa.BigInteger(), nullable=False),
    sa.Column("finished", sa.BigInteger(), nullable=False),
    sa.Column("saved", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("updated", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("deleted", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("waiting", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("skipped", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_cycle_mailbox_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("id", name="pk_cycle"),
    sqlite_autoincrement=True,
)
sa.Index("ix_cycle_mailbox_id_id", TABLES.tables["cycle"].c.mailbox_id, TABLES.tables["cycle"].c.id)
sa.Table(
    "link",
    TABLES,
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("mailbox_id", sa.Integer(), nullable=False),
    sa.Column("ref", sa.Text(), nullable=False),
    sa.Column("folder", sa.Text(), nullable=False),
    sa.Column("global_object_id", sa.Text(), nullable=False),
    sa.Column("original_start", sa.BigInteger()),
    sa.Column("subject", sa.Text(), nullable=False),
    sa.Column("private", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    sa.Column("seen", sa.String(), nullable=False),
    sa.Column("seen_settled", sa.String()),
    sa.Column("revision", sa.Text(), nullable=False),
    sa.Column("revision_settled", sa.Text()),
    sa.Column("observed", sa.Text()),
    sa.Column("digest", sa.Text(), nullable=False),
    sa.Column("agreed", sa.Text()),
    sa.Column("crm_id", sa.Text()),
    sa.Column("crm_version", sa.BigInteger(), nullable=False),
    sa.Column("crm_version_seen", sa.BigInteger(), nullable=False),
    sa.Column("crm_gone", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    sa.Column("writes", sa.Boolean(), server_default=sa.text("1"), nullable=False),
    sa.Column("by_request", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    sa.Column("state", sa.String(), nullable=False),
    sa.Column("sync_error", sa.Text()),
    sa.Column("error_params", sa.Text(), nullable=False),
    sa.Column("error_time", sa.BigInteger()),
    sa.Column("retries", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("next_try", sa.BigInteger()),
    sa.Column("decision", sa.Text()),
    sa.Column("decision_by", sa.Text()),
    sa.Column("scheduling_digest", sa.Text(), nullable=False),
    sa.Column("decided_digest", sa.Text(), nullable=False),
    sa.Column("first_seen", sa.BigInteger(), nullable=False),
    sa.Column("created_order", sa.BigInteger()),
    sa.Column("answers", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("answered", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column(
        "attention",
        sa.Integer(),
        sa.Computed(
            "CASE WHEN revision_settled = revision AND seen_settled = seen AND "
            "state NOT IN ('asked', 'failed') AND answered = 0 THEN 0 ELSE 1 END",
            persisted=True,
        ),
    ),
    sa.CheckConstraint("decision IN ('yes', 'no')", name="ck_link_decision"),
    sa.CheckConstraint("seen IN ('present', 'gone', 'untracked')", name="ck_link_seen"),
    sa.CheckConstraint("seen_settled IN ('present', 'gone', 'untracked')", name="ck_link_seen_settled"),
    sa.CheckConstraint(
        "state IN ('settled', 'unsettled', 'asked', 'kept_out', 'parked', 'failed', 'skipped')", name="ck_link_state"
    ),
    sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_link_mailbox_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("id", name="pk_link"),
    sa.UniqueConstraint("mailbox_id", "ref", name="uq_link_mailbox_id_ref"),
    sqlite_autoincrement=True,
)
sa.Index(
    "ix_link_answered",
    TABLES.tables["link"].c.mailbox_id,
    TABLES.tables["link"].c.id,
    sqlite_where=sa.text("answered = 1"),
    postgresql_where=sa.text("answered = 1"),
)
sa.Index(
    "ix_link_attention",
    TABLES.tables["link"].c.mailbox_id,
    TABLES.tables["link"].c.id,
    sqlite_where=sa.text("attention = 1"),
    postgresql_where=sa.text("attention = 1"),
)
sa.Index(
    "ix_link_base",
    TABLES.tables["link"].c.mailbox_id,
    sqlite_where=sa.text("crm_id IS NOT NULL AND crm_gone = 0 AND seen_settled = 'present'"),
    postgresql_where=sa.text("crm_id IS NOT NULL AND crm_gone = 0 AND seen_settled = 'present'"),
)
sa.Index("ix_link_crm_id_mailbox_id", TABLES.tables["link"].c.crm_id, TABLES.tables["link"].c.mailbox_id)
sa.Index(
    "ix_link_global_object_id_original_start",
    TABLES.tables["link"].c.global_object_id,
    TABLES.tables["link"].c.original_start,
)
sa.Index(
    "ix_link_stuck",
    TABLES.tables["link"].c.mailbox_id,
    TABLES.tables["link"].c.id,
    sqlite_where=sa.text("state NOT IN ('settled', 'unsettled')"),
    postgresql_where=sa.text("state NOT IN ('settled', 'unsettled')"),
)
sa.Table(
    "alert",
    TABLES,
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("mailbox_id", sa.Integer(), nullable=False),
    sa.Column("link_id", sa.Integer()),
    sa.Column("code", sa.Text(), nullable=False),
    sa.Column("subject", sa.Text(), nullable=False),
    sa.Column("span", sa.Text()),
    sa.Column("private", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    sa.Column("params", sa.Text(), nullable=False),
    sa.Column("state", sa.String(), nullable=False),
    sa.Column("outcome", sa.String()),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
    sa.Column("created", sa.BigInteger(), nullable=False),
    sa.Column("last_seen", sa.BigInteger(), nullable=False),
    sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
    sa.Column("verdict", sa.Text()),
    sa.Column("held", sa.Text(), nullable=False),
    sa.Column("digest", sa.Text(), nullable=False),
    sa.Column("answer", sa.Text()),
    sa.Column("decided_by", sa.Text()),
    sa.Column("decided_on", sa.BigInteger()),
    sa.Column("answers", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("question", sa.Integer(), nullable=False),
    sa.Column("pending", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.CheckConstraint("answer IN ('yes', 'no')", name="ck_alert_answer"),
    sa.CheckConstraint("outcome IN ('saving', 'saved', 'not_saved_yet', 'kept_out')", name="ck_alert_outcome"),
    sa.CheckConstraint("state <> 'answered' OR answer IS NOT NULL", name="ck_alert_answered_by"),
    sa.CheckConstraint("state IN ('open', 'answered', 'withdrawn', 'lapsed')", name="ck_alert_state"),
    sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="fk_alert_link_id", ondelete="SET NULL"),
    sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_alert_mailbox_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("id", name="pk_alert"),
    sqlite_autoincrement=True,
)
sa.Index("ix_alert_link_id", TABLES.tables["alert"].c.link_id)
sa.Index("ix_alert_mailbox_id_id", TABLES.tables["alert"].c.mailbox_id, TABLES.tables["alert"].c.id)
sa.Index(
    "ix_alert_standing",
    TABLES.tables["alert"].c.mailbox_id,
    TABLES.tables["alert"].c.id,
    sqlite_where=sa.text("state = 'open' OR state = 'lapsed' OR pending = 1"),
    postgresql_where=sa.text("state = 'open' OR state = 'lapsed' OR pending = 1"),
)
sa.Index(
    "uq_alert_open_question",
    TABLES.tables["alert"].c.link_id,
    unique=True,
    sqlite_where=sa.text("state = 'open' AND question = 1 AND link_id IS NOT NULL"),
    postgresql_where=sa.text("state = 'open' AND question = 1 AND link_id IS NOT NULL"),
)
sa.Table(
    "intent",
    TABLES,
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("mailbox_id", sa.Integer(), nullable=False),
    sa.Column("link_id", sa.Integer(), nullable=False),
    sa.Column("verb", sa.String(), nullable=False),
    sa.Column("crm_id", sa.Text(), nullable=False),
    sa.Column("created", sa.BigInteger(), nullable=False),
    sa.CheckConstraint("verb IN ('book', 'reschedule', 'delete')", name="ck_intent_verb"),
    sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="fk_intent_link_id", ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_intent_mailbox_id", ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("id", name="pk_intent"),
)
sa.Index("ix_intent_link_id", TABLES.tables["intent"].c.link_id)
sa.Index("ix_intent_mailbox_id", TABLES.tables["intent"].c.mailbox_id)


def upgrade() -> None:
    """Create the tables, their indexes, and the triggers of the append-only ones."""
    TABLES.create_all(op.get_bind(), checkfirst=False)
    for statement in TRIGGERS:
        op.execute(statement)
