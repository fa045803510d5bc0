"""What is remembered of the files of links, and which links are due to be looked at.

A link is due when its item has another revision, or its row another version, than when its files were dealt with, or
when a failed try is to be repeated. It must not know what is done then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, insert, literal_column, or_, select, update

from syncline.core.attachments import Attached
from syncline.ports import Link, LinkState
from syncline.store.columns import listed
from syncline.store.connection import Connected
from syncline.store.links import HELD, LONGEST_WAIT, chunks
from syncline.store.rows import LINK, columns, to_link
from syncline.store.schema import attached, link

_FIELDS = Attached.__struct_fields__
_ATTACHED = columns(attached, _FIELDS)
_QUIET = (LinkState.SETTLED, LinkState.UNSETTLED)
_DUE = (
    select(*LINK)
    .select_from(link.outerjoin(attached, attached.c.link_id == link.c.id))
    .where(link.c.mailbox_id == bindparam("mailbox_id", type_=Integer), HELD)
    .where(link.c.id > bindparam("after", type_=Integer))
    .where(link.c.state.in_(_QUIET), link.c.writes, link.c.revision_settled == link.c.revision)
    .where(literal_column("link.seen") == literal_column("'present'"))
    .where(
        or_(
            attached.c.id.is_(None),
            attached.c.revision != link.c.revision,
            attached.c.crm_version != link.c.crm_version_seen,
            attached.c.next_try <= bindparam("now", type_=attached.c.next_try.type),
            # Further ahead than any wait: the clock has been set back since it was planned.
            attached.c.next_try > bindparam("furthest", type_=attached.c.next_try.type),
        )
    )
    .order_by(link.c.id)
    .limit(bindparam("limit", type_=Integer))
)
_OF_LINKS = select(*_ATTACHED).where(attached.c.link_id.in_(listed("ids")))


class AttachedKept(Connected):
    """What a cycle asks about files."""

    def attachments_due(self, mailbox_id: int, now: datetime, after: int, limit: int) -> tuple[Link, ...]:
        """Return settled links, by id from `after`, whose files are to be looked at since item or row has moved."""
        given = {"mailbox_id": mailbox_id, "now": now, "furthest": now + LONGEST_WAIT, "after": after, "limit": limit}
        with self.reading() as connection:
            rows = connection.execute(_DUE, given).mappings().all()
        return tuple(to_link(row) for row in rows)  # type: ignore[arg-type]

    def attached(self, link_ids: Sequence[int]) -> Mapping[int, Attached]:
        """Return what is remembered of the files of these links, by link."""
        with self.reading() as connection:
            parts = (connection.execute(_OF_LINKS, {"ids": part}).mappings() for part in chunks(link_ids))
            return {row["link_id"]: Attached(**row) for part in parts for row in part}


def forget_agreed(connection: Connection, mailbox_id: int, links: Sequence[int] | None) -> None:
    """Forget what was agreed about the files of links, None: all of the mailbox; each is looked at anew."""
    anew = update(attached).values(agreed=(), pending=(), revision="")
    if links is None:
        connection.execute(anew.where(attached.c.mailbox_id == mailbox_id))
    for part in chunks(links or ()):
        connection.execute(anew.where(attached.c.link_id.in_(part)))


def write_attached(connection: Connection, found: Sequence[Attached]) -> None:
    """Insert what has id 0 unless its link has some meanwhile, and replace the others, by link."""
    for each in found:
        values: dict[str, Any] = {name: getattr(each, name) for name in _FIELDS if name != "id"}
        changed = connection.execute(update(attached).where(attached.c.link_id == each.link_id).values(values))
        if not changed.rowcount:
            connection.execute(insert(attached).values(values))
