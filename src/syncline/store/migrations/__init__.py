"""The steps from one version of the tables to the next, carried out by alembic.

It must not know today's tables: a step says by itself what it does, for ever.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

HEAD = "0010"


def upgrade(connection: Connection, to: str = HEAD) -> None:
    """Bring the database behind `connection` to a revision, inside the transaction that is open."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
