"""Links, intents and standing alerts as a cycle reads them: every look-up is one indexed, set-based query.

It must not write: `writing` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from syncline.core.appointment import Identity
from syncline.ports import Alert, Intent, Link, LinkState, NewLink, Seen
from syncline.store.columns import listed
from syncline.store.connection import IN_LIST_MAX, Connected
from syncline.store.prepared import Query
from syncline.store.rows import ALERT, INTENT, LIGHT_LINK, LINK, links_of, to_alert
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
HELD = and_(
    link.c.crm_id.is_not(None),
    literal_column("link.crm_gone") == literal_column("0"),
    literal_column("link.seen_settled") == literal_column("'present'"),
)


_MAILBOX = bindparam("mailbox_id", type_=Integer)
_LIMIT = bindparam("limit", type_=Integer)
_VALUES = "values"
LONGEST_WAIT = timedelta(hours=6)
"""Tries follow each other by minutes: one further ahead was planned under a clock that has been set back since."""
_LATER = and_(
    link.c.next_try > bindparam("now", type_=link.c.next_try.type),
    link.c.next_try <= bindparam("furthest", type_=link.c.next_try.type),
)
_AFTER = link.c.id > bindparam("after", type_=Integer)


def _by(column: ColumnElement[Any], read: Sequence[Column[Any]], *where: ColumnElement[bool]) -> Select[Any]:
    return select(*read).where(column.in_(listed(_VALUES)), *where)


def _outgoing() -> Select[Any]:
    """Return the statement of `outgoing_links`; it reads the partial index `ix_link_outgoing` only."""
    given_up = and_(link.c.state == LinkState.FAILED, link.c.next_try.is_(None))
    due = or_(link.c.next_try.is_(None), ~_LATER)
    return _waiting(due, ~given_up)


def _waiting(*more: ColumnElement[bool]) -> Select[Any]:
    waits = literal_column("link.crm_settled") != literal_column("link.crm_version_seen")
    where = (link.c.mailbox_id == _MAILBOX, link.c.crm_id.is_not(None), waits, _AFTER)
    return select(*LINK).where(*where, *more).order_by(link.c.id).limit(_LIMIT)


def _due(*more: ColumnElement[bool]) -> Select[Any]:
    """Return the statement of `due_links`; it reads the partial index `ix_link_attention` only."""
    settled = and_(
        link.c.revision_settled.is_not(None),
        link.c.revision_settled == link.c.revision,
        link.c.seen_settled.is_not(None),
        link.c.seen_settled == link.c.seen,
    )
    rests = (link.c.state == LinkState.FAILED, link.c.answered == 0, settled, or_(link.c.next_try.is_(None), _LATER))
    where = (link.c.mailbox_id == _MAILBOX, ATTENTION, _AFTER, link.c.seen != Seen.ABSENT, ~and_(*rests))
    return select(*LINK).where(*where, *more).order_by(link.c.id).limit(_LIMIT)


# Seen for the first time: no guard weighs it. The start is read from the text, since the contents cost the most.
_NEW = and_(
    link.c.crm_id.is_(None),
    link.c.seen == Seen.PRESENT,
    link.c.state == LinkState.UNSETTLED,
    link.c.observed.is_not(None),
)
_START = func.json_extract(type_coerce(link.c.observed, Text), "$.span.start")
_NEW_LINKS = (
    select(link.c.id, link.c.created_order, _START, link.c.global_object_id)
    .where(link.c.mailbox_id == _MAILBOX, ATTENTION, _AFTER, _NEW)
    .order_by(link.c.id)
    .limit(_LIMIT)
)
OUTGOING_LINKS = _outgoing()
_WAITING_LINKS = _waiting()
# Statements are built once: an idle cycle spends more time on building than on running them.
DUE_LINKS = _due()
_DUE_BUT_NEW = _due(~_NEW)
_UNREAD_LINKS = _due(link.c.seen == Seen.PRESENT, link.c.observed.is_(None))
_LINKS_BY_REF = _by(link.c.ref, LINK, link.c.mailbox_id == _MAILBOX)
_LINKS_BY_CRM_ID = _by(link.c.crm_id, LINK, link.c.mailbox_id == _MAILBOX)
_ROWS_SEEN = _by(
    link.c.crm_id, (link.c.crm_id, link.c.crm_version_seen, link.c.crm_gone), link.c.mailbox_id == _MAILBOX
)
_ROWSHELD = (
    select(link.c.crm_id).where(link.c.mailbox_id == _MAILBOX, link.c.crm_id.is_not(None)).order_by(link.c.crm_id)
).distinct()
_LINKS_BY_ID = _by(link.c.id, LINK)
_LINKS_BY_NAME = _by(link.c.global_object_id, LIGHT_LINK, link.c.id.not_in(listed("but")))
_REFS_IN = select(link.c.ref).where(
    link.c.mailbox_id == _MAILBOX, link.c.folder == bindparam("folder"), link.c.seen != Seen.GONE
)
_ANSWERED_LINKS = select(*LINK).where(link.c.mailbox_id == _MAILBOX, ANSWERED, _AFTER).order_by(link.c.id).limit(_LIMIT)
_LINK_COUNT = select(func.count()).select_from(link).where(link.c.mailbox_id == _MAILBOX, HELD)
_INTENTS = select(*INTENT).where(intent.c.mailbox_id == _MAILBOX).order_by(intent.c.created, intent.c.id)
_STANDING_ALERTS = select(*ALERT).where(alert.c.mailbox_id == _MAILBOX, STANDING).order_by(alert.c.id)
_STANDING_OF_LINKS = _by(alert.c.link_id, ALERT, alert.c.mailbox_id == _MAILBOX, STANDING).order_by(alert.c.id)


class Links(Connected):
    """What a cycle asks about links."""

    def links_by_ref(self, mailbox_id: int, refs: Sequence[str]) -> Mapping[str, Link]:
        """Return the links of these Exchange items."""
        return {found.ref: found for found in self._links(_LINKS_BY_REF, refs, mailbox_id=mailbox_id)}

    def refs_in(self, mailbox_id: int, folder: str) -> tuple[str, ...]:
        """Return the refs of a folder's links that were not seen to be gone."""
        with self.reading() as connection:
            return tuple(connection.scalars(_REFS_IN, {"mailbox_id": mailbox_id, "folder": folder}))

    def links_by_identity(self, identities: Sequence[Identity], but: Sequence[int] = ()) -> tuple[Link, ...]:
        """Return the links of all mailboxes with one of these identities, by id, without their contents.

        Those whose id is among `but` are left out.
        """
        wanted = set(identities)
        found = self._links(_LINKS_BY_NAME, sorted({each.global_object_id for each in wanted}), but=list(but))
        return tuple(sorted((each for each in found if each.identity in wanted), key=lambda each: each.id))

    def links_by_crm_id(self, mailbox_id: int, crm_ids: Sequence[str]) -> tuple[Link, ...]:
        """Return this mailbox's links to these rows, by id; single occurrences of a series share one row (A-33a)."""
        return tuple(sorted(self._links(_LINKS_BY_CRM_ID, crm_ids, mailbox_id=mailbox_id), key=lambda each: each.id))

    def rows_seen(self, mailbox_id: int, crm_ids: Sequence[str]) -> Mapping[str, tuple[int, bool]]:
        """Return what the links of `links_by_crm_id` last saw of their rows: the version, and whether it was gone.

        Of several links to one row it is the one that saw the least.
        """
        given = {"mailbox_id": mailbox_id}
        seen: dict[str, tuple[int, bool]] = {}
        with self.reading() as connection:
            for part in chunks(crm_ids):
                for crm_id, version, gone in connection.execute(_ROWS_SEEN, given | {_VALUES: part}):
                    known = seen.get(crm_id, (version, gone))
                    seen[crm_id] = min(version, known[0]), gone and known[1]
        return seen

    def rows_held(self, mailbox_id: int) -> tuple[str, ...]:
        """Return the ids of the rows that links of the mailbox hold, ascending, each once."""
        with self.reading() as connection:
            return tuple(connection.scalars(_ROWSHELD, {"mailbox_id": mailbox_id}))

    def links_by_id(self, ids: Sequence[int]) -> tuple[Link, ...]:
        """Return links by id, ascending; unknown ids are left out."""
        return tuple(sorted(self._links(_LINKS_BY_ID, ids), key=lambda each: each.id))

    def due_links(
        self, mailbox_id: int, now: datetime, after: int, limit: int, *, but_new: bool = False
    ) -> tuple[Link, ...]:
        """Return links that need planning, by id from `after`: unsettled, asked, answered, or failed and due again."""
        given = _given(mailbox_id, now, after, limit)
        return tuple(self._read_links(_DUE_BUT_NEW if but_new else DUE_LINKS, given))

    def new_links(self, mailbox_id: int, after: int, limit: int) -> tuple[NewLink, ...]:
        """Return those of `due_links` that were read and never tried: an item that is there, and no row yet."""
        with self.reading() as connection:
            rows = connection.execute(_NEW_LINKS, {"mailbox_id": mailbox_id, "after": after, "limit": limit}).all()
        return tuple(
            NewLink(id=number, created_order=created, start=datetime.fromisoformat(start), global_object_id=name)
            for number, created, start, name in rows
        )

    def outgoing_links(self, mailbox_id: int, now: datetime, after: int, limit: int) -> tuple[Link, ...]:
        """Return links, by id from `after`, whose CRM side has moved and is not dealt with, but those that rest."""
        given = _given(mailbox_id, now, after, limit)
        return tuple(self._read_links(OUTGOING_LINKS, given))

    def waiting_links(self, mailbox_id: int, after: int, limit: int) -> tuple[Link, ...]:
        """Return links as `outgoing_links` does, with those that rest or are given up."""
        given = {"mailbox_id": mailbox_id, "after": after, "limit": limit}
        return tuple(self._read_links(_WAITING_LINKS, given))

    def unread_links(self, mailbox_id: int, now: datetime, after: int, limit: int) -> tuple[Link, ...]:
        """Return those of `due_links` whose item is there and whose content could not be read yet."""
        given = _given(mailbox_id, now, after, limit)
        return tuple(self._read_links(_UNREAD_LINKS, given))

    def answered_links(self, mailbox_id: int, limit: int, after: int = 0) -> tuple[Link, ...]:
        """Return links, by id from `after`, whose answer was given and is not carried out yet; one indexed query."""
        given = {"mailbox_id": mailbox_id, "limit": limit, "after": after}
        return tuple(self._read_links(_ANSWERED_LINKS, given))

    def link_count(self, mailbox_id: int) -> int:
        """Return how many links hold a CRM row and were present when last settled (the base of the guards)."""
        with self.reading() as connection:
            return int(connection.scalar(_LINK_COUNT, {"mailbox_id": mailbox_id}) or 0)

    def intents(self, mailbox_id: int) -> tuple[Intent, ...]:
        """Return the intents that an earlier crash left and those that were given up, oldest first."""
        with self.reading() as connection:
            rows = connection.execute(_INTENTS, {"mailbox_id": mailbox_id}).mappings()
            return tuple(Intent(**row) for row in rows)

    def open_alerts(self, mailbox_id: int, link_ids: Sequence[int] | None = None) -> tuple[Alert, ...]:
        """Return alerts that are open, lapsed, or answered and not carried out; for these links, or all."""
        given = {"mailbox_id": mailbox_id}
        asked: list[tuple[Select[Any], dict[str, Any]]] = [(_STANDING_ALERTS, given)]
        if link_ids is not None:
            asked = [(_STANDING_OF_LINKS, given | {_VALUES: part}) for part in chunks(link_ids)]
        with self.reading() as connection:
            rows = [row for query, values in asked for row in connection.execute(query, values).mappings()]
        return tuple(to_alert(row) for row in rows)  # type: ignore[arg-type]

    def _links(self, query: Select[Any], values: Iterable[Any], **given: object) -> list[Link]:
        with self.reading() as connection:
            parts = [_query(query).columns(connection, given | {_VALUES: part}) for part in chunks(values)]
        return [found for columns in parts if columns for found in links_of(columns)]

    def _read_links(self, query: Select[Any], given: Mapping[str, object]) -> list[Link]:
        with self.reading() as connection:
            columns = _query(query).columns(connection, given)
        return links_of(columns) if columns else []


_query = cache(Query)


def _given(mailbox_id: int, now: datetime, after: int, limit: int) -> dict[str, object]:
    return {"mailbox_id": mailbox_id, "now": now, "furthest": now + LONGEST_WAIT, "after": after, "limit": limit}


def chunks(values: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the values in lists short enough for one statement."""
    rest = list(values)
    for start in range(0, len(rest), IN_LIST_MAX):
        yield rest[start : start + IN_LIST_MAX]
