"""Files of appointments: what both sides agree on, by link.

Revision 0006 after 0005. It adds one table, which stays empty until files are kept in step.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "attached",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("agreed", sa.Text(), nullable=False),
        sa.Column("known", sa.Text(), nullable=False),
        sa.Column("pending", sa.Text(), nullable=False),
        sa.Column("refused", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("crm_version", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try", sa.BigInteger()),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="fk_attached_link_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_attached_mailbox_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_attached"),
        sa.UniqueConstraint("link_id", name="uq_attached_link_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attached_mailbox_id", "attached", ["mailbox_id"])
