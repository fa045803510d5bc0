"""Sync filters: everybody's, each user's own, and the template that new users get a copy of.

Revision 0004 after 0003. It adds a table with the template, and gives every user who has a mailbox his copy. It says
what the default was then, so it must not import what it is today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
_NAME = "My appointments"
_CONDITIONS = '[{"field":"part","words":["organizer","required"],"negated":false}]'


def upgrade() -> None:
    """Make the table, the template, and a copy for every user."""
    op.create_table(
        "sync_filter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user", sa.Text()),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("template", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("template = 0 OR user IS NULL", name=op.f("ck_sync_filter_template")),
        sa.PrimaryKeyConstraint("id", name="pk_sync_filter"),
        sqlite_autoincrement=True,
    )
    template = sa.text("template = 1")
    op.create_index(
        "ix_sync_filter_template",
        "sync_filter",
        ["template"],
        unique=True,
        sqlite_where=template,
        postgresql_where=template,
    )
    op.create_index("ix_sync_filter_user", "sync_filter", ["user"])
    values = {"name": _NAME, "conditions": _CONDITIONS}
    op.get_bind().execute(
        sa.text("INSERT INTO sync_filter (name, conditions, template) VALUES (:name, :conditions, 1)"), values
    )
    op.get_bind().execute(
        sa.text(
            "INSERT INTO sync_filter (name, user, conditions)"
            " SELECT :name, min(user), :conditions FROM mailbox GROUP BY lower(user) ORDER BY lower(user)"
        ),
        values,
    )
