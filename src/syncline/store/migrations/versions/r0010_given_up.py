"""Items that were given up and made anew: should one come late after all, it is known (decision 0035).

Revision 0010 after 0009. It adds one column to the intents.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column."""
    op.add_column("intent", sa.Column("instead", sa.Text()))
