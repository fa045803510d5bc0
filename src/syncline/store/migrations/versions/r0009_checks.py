"""Checks of words as a chain of comparisons: SQLite makes a table of every list of words again for each row it writes.

Revision 0009 after 0008. A check is no part of what is stored, so only the text of each table changes, by the way that
SQLite's own documentation gives for it (sqlite.org/lang_altertable.html, section 7).
"""

from __future__ import annotations

import re

from alembic import op

revision = "0009"
down_revision = "0008"

_WORDS = re.compile(r"CHECK \((\w+) IN \(([^()]*)\)\)")


def upgrade() -> None:
    """Write the text of every table that has such a check."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    tables = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for name, before in tables:
        after = _WORDS.sub(_compared, before or "")
        if after != before:
            statement = "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?"
            connection.exec_driver_sql(statement, (after, name))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _compared(check: re.Match[str]) -> str:
    column, words = check.groups()
    return f"CHECK ({' OR '.join(f'{column} = {word}' for word in words.split(', '))})"
