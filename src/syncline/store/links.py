"""Links, intents and standing alerts as a cycle reads them: every look-up is one indexed, set-based query.

It must not write: `writing` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select

from syncline.core.appointment import Identity
from syncline.ports import Alert, Intent, Link, LinkState, Seen
from syncline.store.connection import IN_LIST_MAX, Connected
from syncline.store.rows import ALERT, INTENT, LIGHT_LINK, LINK, to_alert, to_link
from syncline.store.schema import alert, intent, link

Item = TypeVar("Item")

# Words of the partial indexes, repeated literally: a bound parameter would hide them from the query planner.
ATTENTION = literal_column("link.attention") == literal_column("1")
ANSWERED = literal_column("link.answered") == literal_column("1")
STANDING = or_(
    literal_column("alert.state") == literal_column("'open'"),
    literal_column("alert.state") == literal_column("'lapsed'"),
    literal_column("alert.pending") == literal_column("1"),
)
_HELD = and_(
    link.c.crm_id.is_not(None),
    literal_column("link.crm_gone") == literal_column("0"),
    literal_column("link.seen_settled") == literal_column("'present'"),
)


class Links(Connected):
    """What a cycle asks about links."""

    def links_by_ref(self, mailbox_id: int, refs: Sequence[str]) -> Mapping[str, Link]:
        """Return the links of these Exchange items."""
        return {found.ref: found for found in self._links(refs, link.c.ref, link.c.mailbox_id == mailbox_id)}

    def refs_in(self, mailbox_id: int, folder: str) -> tuple[str, ...]:
        """Return the refs of a folder's links that were not seen to be gone."""
        where = (link.c.mailbox_id == mailbox_id, link.c.folder == folder, link.c.seen != Seen.GONE)
        with self.reading() as connection:
            return tuple(connection.scalars(select(link.c.ref).where(*where)))

    def links_by_identity(self, identities: Sequence[Identity]) -> tuple[Link, ...]:
        """Return the links of all mailboxes that carry one of these identities, by id, without their contents."""
        wanted = set(identities)
        names = sorted({identity.global_object_id for identity in wanted})
        with self.reading() as connection:
            parts = (select(*LIGHT_LINK).where(link.c.global_object_id.in_(part)) for part in chunks(names))
            rows = [row for part in parts for row in connection.execute(part).mappings()]
        found = (to_link(row) for row in rows)  # type: ignore[arg-type]
        return tuple(sorted((each for each in found if each.identity in wanted), key=lambda each: each.id))

    def links_by_crm_id(self, mailbox_id: int, crm_ids: Sequence[str]) -> Mapping[str, Link]:
        """Return this mailbox's links to these rows; of several links to one row the one that writes."""
        found = self._links(crm_ids, link.c.crm_id, link.c.mailbox_id == mailbox_id)
        found.sort(key=lambda each: (each.writes, -each.id))
        return {each.crm_id: each for each in found if each.crm_id is not None}

    def links_by_id(self, ids: Sequence[int]) -> tuple[Link, ...]:
        """Return links by id, ascending; unknown ids are left out."""
        return tuple(sorted(self._links(ids, link.c.id), key=lambda each: each.id))

    def due_links(self, mailbox_id: int, now: datetime, after: int, limit: int) -> tuple[Link, ...]:
        """Return links that need planning, by id from `after`: unsettled, asked, answered, or failed and due again."""
        with self.reading() as connection:
            rows = connection.execute(due_links_query(mailbox_id, now, after, limit)).mappings()
            return tuple(to_link(row) for row in rows)  # type: ignore[arg-type]

    def answered_links(self, mailbox_id: int, limit: int) -> tuple[Link, ...]:
        """Return links whose answer (Yes or No) was given and is not carried out yet; one indexed query."""
        query = select(*LINK).where(link.c.mailbox_id == mailbox_id, ANSWERED).order_by(link.c.id).limit(limit)
        with self.reading() as connection:
            return tuple(to_link(row) for row in connection.execute(query).mappings())  # type: ignore[arg-type]

    def link_count(self, mailbox_id: int) -> int:
        """Return how many links hold a CRM row and were present when last settled (the base of the guards)."""
        query = select(func.count()).select_from(link).where(link.c.mailbox_id == mailbox_id, _HELD)
        with self.reading() as connection:
            return int(connection.scalar(query) or 0)

    def intents(self, mailbox_id: int) -> tuple[Intent, ...]:
        """Return the intents that an earlier crash left, oldest first."""
        query = select(*INTENT).where(intent.c.mailbox_id == mailbox_id).order_by(intent.c.created, intent.c.id)
        with self.reading() as connection:
            return tuple(Intent(**row) for row in connection.execute(query).mappings())

    def open_alerts(self, mailbox_id: int, link_ids: Sequence[int] | None = None) -> tuple[Alert, ...]:
        """Return alerts that are open, lapsed, or answered and not carried out; for these links, or all."""
        query = select(*ALERT).where(alert.c.mailbox_id == mailbox_id, STANDING).order_by(alert.c.id)
        with self.reading() as connection:
            if link_ids is None:
                return tuple(to_alert(row) for row in connection.execute(query).mappings())  # type: ignore[arg-type]
            parts = (query.where(alert.c.link_id.in_(part)) for part in chunks(link_ids))
            return tuple(to_alert(row) for part in parts for row in connection.execute(part).mappings())  # type: ignore[arg-type]

    def _links(self, values: Iterable[Any], column: ColumnElement[Any], *where: ColumnElement[bool]) -> list[Link]:
        with self.reading() as connection:
            parts = (select(*LINK).where(column.in_(part), *where) for part in chunks(values))
            return [to_link(row) for part in parts for row in connection.execute(part).mappings()]  # type: ignore[arg-type]


def due_links_query(mailbox_id: int, now: datetime, after: int, limit: int) -> Select[Any]:
    """Return the statement of `due_links`; it reads the partial index `ix_link_attention` only."""
    settled = and_(
        link.c.revision_settled.is_not(None),
        link.c.revision_settled == link.c.revision,
        link.c.seen_settled.is_not(None),
        link.c.seen_settled == link.c.seen,
    )
    resting = and_(
        link.c.state == LinkState.FAILED,
        link.c.answered == 0,
        settled,
        or_(link.c.next_try.is_(None), link.c.next_try > now),
    )
    where = (link.c.mailbox_id == mailbox_id, ATTENTION, link.c.id > after, ~resting)
    return select(*LINK).where(*where).order_by(link.c.id).limit(limit)


def chunks(values: Iterable[Item], size: int = IN_LIST_MAX) -> Iterator[list[Item]]:
    """Yield the values in lists of at most `size`."""
    rest = list(values)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]
