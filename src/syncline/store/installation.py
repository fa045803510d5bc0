"""The id of this installation: random, made once, kept with the state and so part of every backup of it.

It must not know what anybody uses it for.
"""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from syncline.store.connection import Connected
from syncline.store.schema import installation

ID_BYTES = 16
_ID = select(installation.c.id)


class Installation(Connected):
    """Which installation this state belongs to."""

    def installation(self) -> str:
        """Return the id (32 hexadecimal digits); whoever asks first makes it, for all processes."""
        with self.reading() as connection:
            known = connection.execute(_ID).scalar()
        if known is not None:
            return str(known)
        made = insert(installation).values(one=1, id=secrets.token_hex(ID_BYTES)).on_conflict_do_nothing()
        with self.writing() as connection:
            connection.execute(made)
            return str(connection.execute(_ID).scalar_one())
