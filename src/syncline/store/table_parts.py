"""What all tables are made of: the one metadata with its names, and columns that come again and again.

It must not know any table.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Integer, MetaData, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ANSWERS = ("yes", "no")


def number() -> Column[int]:
    """Return the key of a table."""
    return Column("id", Integer, primary_key=True, autoincrement=True)


def mailbox_number() -> Column[int]:
    """Return the column that names a mailbox, with which the row goes."""
    return Column("mailbox_id", Integer, ForeignKey("mailbox.id", ondelete="CASCADE"), nullable=False)


def flag(name: str, *, value: bool = False) -> Column[bool]:
    """Return a column that is true or false."""
    return Column(name, Boolean, nullable=False, server_default=text("1" if value else "0"))


def counter(name: str, value: int = 0) -> Column[int]:
    """Return a column that counts."""
    return Column(name, Integer, nullable=False, server_default=text(str(value)))


def words(name: str, *, null: bool = False) -> Column[str]:
    """Return a column of text."""
    return Column(name, Text, nullable=null)


def one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    """Return the check that a column holds one of these words.

    It compares word by word: SQLite makes a table of a list of words again for each row that it writes.
    """
    return CheckConstraint(" OR ".join(f"{column} = {str(word)!r}" for word in words), name=column)
