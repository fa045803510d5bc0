"""What an unfinished write to an Exchange item says: told from a person's edit after a crash.

Revision 0007 after 0006. It adds one column to the intents.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column."""
    op.add_column("intent", sa.Column("agreed", sa.Text()))
