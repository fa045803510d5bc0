"""What Syncline has set on items in Exchange: which marks are due, and the rows behind them.

A mark is due when its item has another revision, or its question stands otherwise, than when it was dealt with, or
when a failed try is to be repeated. How a question stands is one text, put together by the database, so that no writer
of links or alerts can forget a mark. It must not know what a mark should become.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from syncline.core.answering_by_category import Mark
from syncline.ports import Alert, AlertState, LinkState
from syncline.store.columns import listed
from syncline.store.connection import Connected
from syncline.store.links import chunks
from syncline.store.rows import ALERT, columns, to_alert
from syncline.store.schema import alert, link, mark

QUESTION = "ExchangeSyncSchedulingConflictsError"
_FIELDS = Mark.__struct_fields__
_MARK = columns(mark, _FIELDS)
_MAILBOX = bindparam("mailbox_id", type_=Integer)
_AFTER = bindparam("after", type_=Integer)
_LIMIT = bindparam("limit", type_=Integer)
_ABOUT = (alert.c.link_id == link.c.id, alert.c.code == QUESTION)
_NEWEST = select(func.max(alert.c.id)).where(*_ABOUT).correlate(link).scalar_subquery()


def _stands() -> ColumnElement[str]:
    """Return the text that says how the question of a link stands now."""
    parts = (link.c.state, link.c.seen, link.c.decision, alert.c.id, alert.c.version, alert.c.state)
    text: ColumnElement[str] = bindparam("waiting", type_=Text)
    for part in parts:
        text = text + "|" + func.coalesce(cast(part, Text), "")
    return text


_STANDS = _stands()
_DUE = (
    select(*_MARK, _STANDS.label("stands"))
    .select_from(mark.outerjoin(link, mark.c.link_id == link.c.id).outerjoin(alert, alert.c.id == _NEWEST))
    .where(mark.c.mailbox_id == _MAILBOX, mark.c.id > _AFTER)
    .where(
        or_(
            mark.c.dealt != _STANDS,
            mark.c.revision != func.coalesce(link.c.revision, ""),
            mark.c.next_try <= bindparam("now", type_=mark.c.next_try.type),
        )
    )
    .order_by(mark.c.id)
    .limit(_LIMIT)
)
_ASKING = (LinkState.ASKED, LinkState.KEPT_OUT, LinkState.PARKED)
_TAKES = (AlertState.OPEN, AlertState.ANSWERED, AlertState.LAPSED)
_UNMARKED = (
    select(link.c.id)
    .where(link.c.mailbox_id == _MAILBOX, link.c.state.in_(_ASKING), link.c.id > _AFTER)
    .where(~select(mark.c.id).where(mark.c.link_id == link.c.id).exists())
    .where(select(alert.c.id).where(*_ABOUT, alert.c.state.in_(_TAKES)).exists())
    .order_by(link.c.id)
    .limit(_LIMIT)
)
_IDS = listed("ids")
_OF_LINKS = select(*_MARK).where(mark.c.link_id.in_(_IDS))
_NEWEST_OF_LINKS = (
    select(func.max(alert.c.id)).where(alert.c.link_id.in_(_IDS), alert.c.code == QUESTION).group_by(alert.c.link_id)
)
_QUESTIONS = select(*ALERT).where(alert.c.id.in_(_NEWEST_OF_LINKS))
_REMOVE = delete(mark).where(mark.c.id.in_(_IDS))
# A mark whose link goes away keeps the address at which its item was last seen.
_KEEP_PLACE = (
    update(mark)
    .where(and_(mark.c.link_id == link.c.id, mark.c.link_id.in_(_IDS)))
    .values(ref=link.c.ref, folder=link.c.folder)
)


class Marks(Connected):
    """What a cycle asks about marks."""

    def marks_due(
        self, mailbox_id: int, waiting: str, now: datetime, after: int, limit: int
    ) -> tuple[tuple[Mark, str], ...]:
        """Return the marks that are due, by id from `after`, each with how its question stands now."""
        given = {"mailbox_id": mailbox_id, "waiting": waiting, "now": now, "after": after, "limit": limit}
        with self.reading() as connection:
            rows = connection.execute(_DUE, given).mappings().all()
        return tuple((Mark(**{name: row[name] for name in _FIELDS}), row["stands"]) for row in rows)

    def unmarked(self, mailbox_id: int, after: int, limit: int) -> tuple[int, ...]:
        """Return the links, by id from `after`, with a question that still takes an answer and without a mark."""
        with self.reading() as connection:
            return tuple(connection.scalars(_UNMARKED, {"mailbox_id": mailbox_id, "after": after, "limit": limit}))

    def marks_of(self, link_ids: Sequence[int]) -> Mapping[int, Mark]:
        """Return the marks of these links, by link."""
        with self.reading() as connection:
            parts = (connection.execute(_OF_LINKS, {"ids": part}).mappings() for part in chunks(link_ids))
            return {row["link_id"]: Mark(**row) for part in parts for row in part}

    def questions_about(self, link_ids: Sequence[int]) -> Mapping[int, Alert]:
        """Return the newest scheduling question about each of these links, in whatever state it is."""
        with self.reading() as connection:
            parts = (connection.execute(_QUESTIONS, {"ids": part}).mappings() for part in chunks(link_ids))
            found = [to_alert(row) for part in parts for row in part]  # type: ignore[arg-type]
        return {each.link_id: each for each in found if each.link_id is not None}


def keep_places(connection: Connection, link_ids: Sequence[int]) -> None:
    """Write into the marks of these links, which are about to go, where their items are."""
    for part in chunks(link_ids):
        connection.execute(_KEEP_PLACE, {"ids": part})


def write_marks(connection: Connection, marks: Sequence[Mark], removed: Sequence[int]) -> None:
    """Insert the marks with id 0, replace the others, and remove those named."""
    for part in chunks(removed):
        connection.execute(_REMOVE, {"ids": part})
    values = [{name: getattr(each, name) for name in _FIELDS} for each in marks]
    new = [{name: value for name, value in each.items() if name != "id"} for each in values if not each["id"]]
    if new:
        connection.execute(insert(mark), new)
    for each in (one for one in values if one["id"]):
        connection.execute(update(mark).where(mark.c.id == each["id"]).values(each))
