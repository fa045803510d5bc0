"""What people see and decide: answers without the overlapping dates, rules, mails, and preferences.

Revision 0002 after 0001. It only adds tables, columns and indexes. It says what they were then, so it must not import
what they are today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what is new, one function per subject."""
    _preferences()


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
