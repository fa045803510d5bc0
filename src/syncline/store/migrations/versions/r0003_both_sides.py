"""Both sides are partners: what the CRM side has to tell Exchange, intents of writes there, and a trash.

Revision 0003 after 0002. It adds tables, columns and indexes, and widens two closed lists. It says what they were then,
so it must not import what they are today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
_WIDER = (
    ("link", "seen IN ('present', 'gone', 'untracked')", "seen IN ('present', 'gone', 'untracked', 'absent')"),
    (
        "link",
        "seen_settled IN ('present', 'gone', 'untracked')",
        "seen_settled IN ('present', 'gone', 'untracked', 'absent')",
    ),
    (
        "intent",
        "verb IN ('book', 'reschedule', 'delete')",
        "verb IN ('book', 'reschedule', 'delete', 'create_item', 'update_item', 'delete_item')",
    ),
)


def upgrade() -> None:
    """Widen the lists, then add what is new. An edit of the CRM that was never carried over is carried over now."""
    _widen()
    op.add_column("link", sa.Column("origin", sa.String(), server_default=sa.text("'exchange'"), nullable=False))
    op.add_column("link", sa.Column("in_scope", sa.Boolean(), server_default=sa.text("0"), nullable=False))
    op.add_column("link", sa.Column("crm_settled", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("link", sa.Column("doubted", sa.Boolean(), server_default=sa.text("0"), nullable=False))
    op.add_column("link", sa.Column("flips", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("link", sa.Column("flips_since", sa.BigInteger()))
    op.execute(
        "UPDATE link SET crm_settled = CASE WHEN crm_version = crm_version_seen THEN crm_version_seen ELSE -1 END"
    )
    outgoing = sa.text("crm_id IS NOT NULL AND crm_settled <> crm_version_seen")
    op.create_index("ix_link_outgoing", "link", ["mailbox_id", "id"], sqlite_where=outgoing, postgresql_where=outgoing)
    op.add_column("mailbox", sa.Column("filters", sa.Text(), server_default=sa.text("''"), nullable=False))
    _trash()


def _trash() -> None:
    op.create_table(
        "trash",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("global_object_id", sa.Text(), nullable=False),
        sa.Column("appointment", sa.Text(), nullable=False),
        sa.Column("private", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("deleted_on", sa.BigInteger(), nullable=False),
        sa.Column("restored_on", sa.BigInteger()),
        sa.Column("restored_by", sa.Text()),
        sa.Column("restored_as", sa.Text()),
        sa.CheckConstraint("reason IN ('deleted', 'edited')", name=op.f("ck_trash_reason")),
        sa.CheckConstraint("side IN ('exchange', 'crm')", name=op.f("ck_trash_side")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_trash_mailbox_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_trash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trash_mailbox_id_id", "trash", ["mailbox_id", "id"])
    op.create_index("ix_trash_deleted_on", "trash", ["deleted_on"])
    op.create_index("ix_trash_global_object_id", "trash", ["global_object_id"])
    op.create_index("ix_trash_restored_as", "trash", ["restored_as"])


def _widen() -> None:
    """Put wider checks in place of narrower ones, as SQLite's page on ALTER TABLE (section 7) describes it.

    Making the tables anew would drop the old ones, and with them by their foreign keys what names their rows.
    """
    bind = op.get_bind()
    number = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    for table, narrow, wide in _WIDER:
        bind.exec_driver_sql(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?",
            (f"CHECK ({narrow})", f"CHECK ({wide})", table),
        )
    bind.exec_driver_sql(f"PRAGMA schema_version = {number + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")
