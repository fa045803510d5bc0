"""What a row says that is withheld from Exchange: refused by an answer, or from before anything was written there.

Revision 0008 after 0007. It adds one column to the links. Rows that could not be read are tried for ever from now on:
those that were given up are due again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column, and let what was given up be tried again."""
    op.add_column("link", sa.Column("withheld", sa.Text()))
    op.execute(
        "UPDATE link SET next_try = error_time"
        " WHERE state = 'failed' AND sync_error = 'CrmRowUnreadable' AND next_try IS NULL"
    )
