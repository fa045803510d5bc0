"""The table about files: what is agreed of them for each link, and what was seen when they were last dealt with.

It knows names, types and constraints; it must not know who reads or writes them. Contents are never kept here.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table

from syncline.core.attachments import File, Known, Step
from syncline.store.columns import Coded, Instant
from syncline.store.table_parts import counter as _count
from syncline.store.table_parts import flag as _flag
from syncline.store.table_parts import mailbox_number as _mailbox_id
from syncline.store.table_parts import metadata
from syncline.store.table_parts import number as _id
from syncline.store.table_parts import words as _text

attached = Table(
    "attached",
    metadata,
    _id(),
    _mailbox_id(),
    Column("link_id", Integer, ForeignKey("link.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("agreed", Coded(tuple[File, ...]), nullable=False),
    Column("known", Coded(tuple[Known, ...]), nullable=False),
    Column("pending", Coded(tuple[Step, ...]), nullable=False),
    _flag("refused"),
    _text("revision"),
    Column("crm_version", BigInteger, nullable=False),
    _count("tries"),
    Column("next_try", Instant),
    sqlite_autoincrement=True,
)
Index(None, attached.c.mailbox_id)
