"""What deletions have removed, kept for a while: listed, found, brought back once, and forgotten.

Who asks says since when content counts: what is older is never shown, whether it is forgotten yet or not. It must not
decide who may read what, nor write to the CRM.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, false, func, insert, or_, select, update

from syncline.core.appointment import Identity
from syncline.errors import SyncError
from syncline.ports import Entry, Origin, Trashed
from syncline.store.listings import LIMIT, Listing, Listings
from syncline.store.rows import TRASH, trash_values
from syncline.store.schema import journal, mailbox, trash
from syncline.store.tables import Slice, Sliced
from syncline.store.writing import entry_values

TRASH_STATES: Mapping[str, tuple[ColumnElement[bool], ...]] = {
    "kept": (trash.c.restored_on.is_(None),),
    "restored": (trash.c.restored_on.is_not(None),),
    "all": (),
}
"""Which entries a view of the trash shows: those that can be restored, those that were, or both."""
_DIGITS_MAX = 19
"""So many digits no 64-bit number is longer than."""


class Trash(Listings):
    """Pages of the trash, one entry of it, and its end. `since` is the oldest deletion that counts."""

    def trash_page(
        self,
        mailbox_ids: Collection[int] | None = None,
        *,
        since: datetime,
        words: str = "",
        readable: Collection[int] = (),
        after: int | None = None,
        limit: int = LIMIT,
    ) -> Listing[Trashed]:
        """Return a page of entries, newest first; `words` are looked for in subjects, private ones if `readable`."""
        where = [*_kept(mailbox_ids, since), *_says(words, readable)]
        return self._page(select(*TRASH).where(*where), trash, after, limit, lambda row: Trashed(**row))

    def trash_slice(self, wanted: Slice, since: datetime) -> Sliced[Trashed]:
        """Return entries in one state, sorted by a column of theirs; else newest first."""
        state = TRASH_STATES.get(wanted.state, ())
        where = [*_kept(wanted.mailbox_ids, since), *_says(wanted.words, wanted.readable), *state]
        order = _ORDERS.get(wanted.sort, trash.c.id)
        ordered = [each.desc() if wanted.descending else each for each in (order, trash.c.id)]
        source = trash.join(mailbox, mailbox.c.id == trash.c.mailbox_id)
        query = select(*TRASH).select_from(source).where(*where).order_by(*ordered)
        with self.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(trash).where(*where)) or 0
            rows = connection.execute(query.offset(wanted.first).limit(wanted.limit)).mappings()
            return Sliced(tuple(Trashed(**row) for row in rows), total)

    def trashed(self, number: int, since: datetime) -> Trashed:
        """Return an entry; SyncError("NotFoundHere") if there is none, or none any more."""
        query = select(*TRASH).where(trash.c.id == number, *_kept(None, since))
        with self.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise SyncError("NotFoundHere", detail=f"trash entry {number}")
        return Trashed(**row)

    def find_trashed(
        self, words: str, limit: int = LIMIT, *, since: datetime, mailbox_ids: Collection[int] | None = None
    ) -> tuple[Trashed, ...]:
        """Return entries whose global object id, number or restored row is `words`, else whose subject holds it."""
        exact = [trash.c.global_object_id == words, trash.c.restored_as == words]
        if words.isascii() and words.isdecimal() and len(words) < _DIGITS_MAX:
            exact.append(trash.c.id == int(words))
        subject = trash.c.subject.icontains(words, autoescape=True)
        with self.reading() as connection:
            for where in (or_(*exact), subject):
                query = select(*TRASH).where(where, *_kept(mailbox_ids, since)).order_by(trash.c.id.desc()).limit(limit)
                found = tuple(Trashed(**row) for row in connection.execute(query).mappings())
                if found:
                    return found
        return ()

    def keep_overtaken(self, trashed: Sequence[Trashed], since: datetime) -> None:
        """Keep what an owner deleted that has lost its mailbox meanwhile, but not what another owner kept `since`."""
        names = sorted({each.appointment.identity.global_object_id for each in trashed})
        query = select(*TRASH).where(trash.c.global_object_id.in_(names), trash.c.deleted_on >= since)
        with self.writing() as connection:
            known = {_place(Trashed(**row)) for row in connection.execute(query).mappings()}
            for each in trashed:
                if _place(each) not in known:
                    connection.execute(insert(trash).values(trash_values(each)))

    def promise_row(self, number: int, row_id: str) -> str:
        """Fix the id of the row that restoring an entry enters, once for all; return the one that stands."""
        mine = trash.c.id == number
        with self.writing() as connection:
            connection.execute(update(trash).where(mine, trash.c.restored_as.is_(None)).values(restored_as=row_id))
            found = connection.scalar(select(trash.c.restored_as).where(mine))
        if found is None:
            raise SyncError("NotFoundHere", detail=f"trash entry {number}")
        return str(found)

    def mark_restored(self, number: int, by: str, now: datetime) -> bool:
        """Note who restored an entry, with a line in the journal; False if somebody has already, or it is gone."""
        values = {"restored_on": now, "restored_by": by}
        with self.writing() as connection:
            mine = update(trash).where(trash.c.id == number, trash.c.restored_on.is_(None))
            place = connection.scalar(mine.values(values).returning(trash.c.mailbox_id))
            if place is None:
                return False
            line = Entry(time=now, mailbox_id=place, link_id=None, action="restored", detail=f"by {by}")
            connection.execute(insert(journal).values(entry_values(line)))
            return True

    def purge_trash(self, since: datetime) -> None:
        """Forget what was deleted before `since`, restored or not."""
        with self.writing() as connection:
            connection.execute(delete(trash).where(trash.c.deleted_on < since))


_ORDERS: Mapping[str, ColumnElement[Any]] = {
    "subject": func.lower(case((trash.c.private, ""), else_=trash.c.subject)),
    "mailbox": mailbox.c.address,
    "deleted_on": trash.c.deleted_on,
}


def _place(trashed: Trashed) -> tuple[int, Origin, Identity]:
    return trashed.mailbox_id, trashed.side, trashed.appointment.identity


def _kept(mailbox_ids: Collection[int] | None, since: datetime) -> list[ColumnElement[bool]]:
    mine = [] if mailbox_ids is None else [trash.c.mailbox_id.in_(sorted(mailbox_ids))]
    return [trash.c.deleted_on >= since, *mine]


def _says(words: str, readable: Collection[int]) -> list[ColumnElement[bool]]:
    """Return that an entry's subject holds the words, as far as it may be read."""
    if not words:
        return []
    may_read = or_(~trash.c.private, trash.c.mailbox_id.in_(sorted(readable)) if readable else false())
    return [and_(may_read, trash.c.subject.icontains(words, autoescape=True))]
