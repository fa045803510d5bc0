"""What a row says that is withheld from Exchange: refused by an answer, or from before anything was written there.

Revision 0008 after 0007. It adds one column to the links.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column."""
    op.add_column("link", sa.Column("withheld", sa.Text()))
