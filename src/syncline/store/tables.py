"""Mailboxes and failures as tables: sorted, filtered, one numbered page of them, and how many there are.

Every page is a query or two with a limit, whatever stands in the database. It must not decide who may read what: who
asks says which mailboxes count, and in which of them what is private may be read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Generic, TypeVar

from msgspec import Struct
from sqlalchemy import ColumnElement, FromClause, Select, and_, case, false, func, literal_column, or_, select, text

from syncline.ports import Approval, Link, LinkState, Mailbox, TestState, Track
from syncline.store.accounts import Account
from syncline.store.connection import Connected
from syncline.store.listings import FAILURE_STATES, Counts
from syncline.store.rows import LIGHT_LINK, MAILBOX, to_link
from syncline.store.schema import account, alert, link, mailbox

Item = TypeVar("Item")

# Written out, so that the partial indexes serve.
_STUCK = text("link.state NOT IN ('settled', 'unsettled')")
_OPEN = text("alert.state = 'open'")

_APPROVED = mailbox.c.approval == Approval.APPROVED
_ON = and_(_APPROVED, mailbox.c.enabled)
MAILBOX_STATES: Mapping[str, ColumnElement[bool]] = {
    "needs_approval": mailbox.c.approval == Approval.PENDING,
    "rejected": mailbox.c.approval == Approval.REJECTED,
    "needs_test": and_(_APPROVED, ~mailbox.c.enabled, mailbox.c.test == TestState.NOT_RUN),
    "disabled": and_(_APPROVED, ~mailbox.c.enabled, mailbox.c.test != TestState.NOT_RUN),
    "backoff": and_(_ON, mailbox.c.transient_failures > 0),
    "ready": and_(_ON, mailbox.c.transient_failures == 0),
}
"""The run states that people tell apart (2.5), those first that want somebody."""
_STATE_RANK = case(*((where, rank) for rank, where in enumerate(MAILBOX_STATES.values())), else_=len(MAILBOX_STATES))

FAILURES_SHOWN: Mapping[str, tuple[LinkState, ...]] = {
    "open": (LinkState.ASKED, LinkState.FAILED),
    "all": tuple(FAILURE_STATES),
    **{
        word: tuple(state for state, each in FAILURE_STATES.items() if each == word)
        for word in dict.fromkeys(FAILURE_STATES.values())
    },
}
"""Which items a view of the failures shows: those that need somebody, all, or those in one state."""


class Slice(Struct, frozen=True, kw_only=True):
    """Which part of a table is wanted; `mailbox_ids` None means all, `readable` those whose private items count."""

    mailbox_ids: Collection[int] | None = None
    readable: Collection[int] = ()
    state: str = ""
    words: str = ""
    sort: str = ""
    descending: bool = False
    first: int = 0
    limit: int = 50


class Sliced(Struct, Generic[Item], frozen=True):
    """The items of a slice, and how many there are in all."""

    items: tuple[Item, ...]
    total: int


class Tables(Connected):
    """Slices of long tables, and the numbers beside them."""

    def mailbox_slice(self, wanted: Slice) -> Sliced[Mailbox]:
        """Return mailboxes by address, user, state, last sync, or by how much stands in them."""
        where: list[Any] = [*_within(mailbox.c.id, wanted.mailbox_ids), *_state_of(wanted.state)]
        if wanted.words:
            columns = (mailbox.c.address, mailbox.c.user)
            where.append(or_(*(column.icontains(wanted.words, autoescape=True) for column in columns)))
        source: FromClause = mailbox
        order: ColumnElement[Any] = mailbox.c.address
        if wanted.sort in _BY_COUNT:
            counted = _BY_COUNT[wanted.sort].subquery()
            source = mailbox.outerjoin(counted, counted.c.mailbox_id == mailbox.c.id)
            order = func.coalesce(counted.c.many, 0)
        elif wanted.sort in _BY_COLUMN:
            order = _BY_COLUMN[wanted.sort]
        query = _ordered(select(*MAILBOX).select_from(source).where(*where), order, mailbox.c.address, wanted)
        with self.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(mailbox).where(*where)) or 0
            return Sliced(tuple(Mailbox(**row) for row in connection.execute(query).mappings()), total)

    def failure_slice(self, wanted: Slice) -> Sliced[Link]:
        """Return items with a sync error (without contents), sorted by a column of theirs; else newest first."""
        states = FAILURES_SHOWN.get(wanted.state, FAILURES_SHOWN["open"])
        where: list[Any] = [
            _STUCK,
            link.c.state.in_(states),
            *_within(link.c.mailbox_id, wanted.mailbox_ids),
            *_says(wanted),
        ]
        source: FromClause = link
        # Not the bare id: following it through the whole table is what the partial index saves.
        order: ColumnElement[Any] = link.c.id + 0
        if wanted.sort == "mailbox":
            source, order = link.join(mailbox, mailbox.c.id == link.c.mailbox_id), mailbox.c.address
        elif wanted.sort in _LINK_COLUMNS:
            order = _LINK_COLUMNS[wanted.sort]
        numbers = _ordered(select(link.c.id).select_from(source).where(*where), order, link.c.id, wanted)
        with self.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(link).where(*where)) or 0
            ids = connection.scalars(numbers).all()
            rows = connection.execute(select(*LIGHT_LINK).where(link.c.id.in_(ids))).mappings()
            found = {row["id"]: to_link(row) for row in rows}  # type: ignore[arg-type]
        return Sliced(tuple(found[number] for number in ids), total)

    def mailbox_states(self, mailbox_ids: Collection[int] | None = None) -> Mapping[str, int]:
        """Return how many mailboxes are in each run state."""
        columns = [func.sum(case((where, 1), else_=0)).label(name) for name, where in MAILBOX_STATES.items()]
        with self.reading() as connection:
            row = connection.execute(select(*columns).where(*_within(mailbox.c.id, mailbox_ids))).mappings().one()
        return {name: int(many or 0) for name, many in row.items()}

    def counts(self, mailbox_ids: Collection[int] | None = None) -> Counts:
        """Return what stands in these mailboxes together."""
        asks = select(func.count(), func.sum(alert.c.question)).where(_OPEN, *_within(alert.c.mailbox_id, mailbox_ids))
        items = select(link.c.state, func.count()).where(_STUCK, *_within(link.c.mailbox_id, mailbox_ids))
        with self.reading() as connection:
            opened, questions = connection.execute(asks).one()
            stuck = connection.execute(items.group_by(link.c.state)).all()
        words: dict[str, int] = {}
        for state, many in stuck:
            words[FAILURE_STATES[state]] = words.get(FAILURE_STATES[state], 0) + many
        return Counts(open_alerts=opened, questions=int(questions or 0), **words)

    def account_slice(self, wanted: Slice, named: Collection[str] = ()) -> Sliced[Account]:
        """Return accounts by name or role: those whose name holds the words, and those that are `named`."""
        where: list[Any] = []
        if wanted.words:
            where.append(or_(account.c.name.icontains(wanted.words, autoescape=True), account.c.name.in_(named)))
        order = account.c.role if wanted.sort == "role" else account.c.name
        query = _ordered(
            select(account.c.id, account.c.name, account.c.role, account.c.created).where(*where),
            order,
            account.c.name,
            wanted,
        )
        with self.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(account).where(*where)) or 0
            return Sliced(tuple(Account(**row) for row in connection.execute(query).mappings()), total)

    def newest_mailbox(self) -> Mailbox | None:
        """Return the mailbox that was added last, before others one that has never been synchronized."""
        query = select(*MAILBOX).order_by(mailbox.c.first_sync_done, mailbox.c.id.desc()).limit(1)
        with self.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Mailbox(**row)

    def addresses_by_category(self, mailbox_ids: Collection[int] | None, limit: int) -> tuple[str, ...]:
        """Return some of these mailboxes (None: of all) that track by category only, by address."""
        mine = [] if mailbox_ids is None else [mailbox.c.id.in_(sorted(mailbox_ids))]
        query = select(mailbox.c.address).where(mailbox.c.track == Track.CATEGORY, *mine).order_by(mailbox.c.address)
        with self.reading() as connection:
            return tuple(connection.scalars(query.limit(limit)))


_QUESTIONS = (
    select(alert.c.mailbox_id, func.sum(alert.c.question).label("many")).where(_OPEN).group_by(alert.c.mailbox_id)
)
_FAILURES = (
    select(link.c.mailbox_id, func.count().label("many"))
    .where(_STUCK, link.c.state == LinkState.FAILED)
    .group_by(link.c.mailbox_id)
)
_BY_COUNT: Mapping[str, Select[Any]] = {"questions": _QUESTIONS, "failures": _FAILURES}
_BY_COLUMN: Mapping[str, ColumnElement[Any]] = {
    "user": func.lower(mailbox.c.user),
    "state": _STATE_RANK,
    "approval": mailbox.c.approval,
    "last_sync": mailbox.c.last_sync,
}
_LINK_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "subject": func.lower(case((link.c.private, ""), else_=link.c.subject)),
    "sync_error": func.coalesce(link.c.sync_error, ""),
    "last_sync_error_time": link.c.error_time,
    "retries": link.c.retries,
    "state": literal_column("link.state"),
    "next_try": link.c.next_try,
}


def _ordered(query: Select[Any], order: ColumnElement[Any], tie: ColumnElement[Any], wanted: Slice) -> Select[Any]:
    """Return a slice of a query; what is equal keeps one order, so that no row is on two pages."""
    ties = [tie] if tie is not order else []
    ordered = [each.desc() if wanted.descending else each for each in (order, *ties)]
    return query.order_by(*ordered).offset(wanted.first).limit(wanted.limit)


def _within(column: ColumnElement[int], mailbox_ids: Collection[int] | None) -> list[ColumnElement[bool]]:
    return [] if mailbox_ids is None else [column.in_(mailbox_ids)]


def _state_of(state: str) -> list[ColumnElement[bool]]:
    return [MAILBOX_STATES[state]] if state in MAILBOX_STATES else []


def _says(wanted: Slice) -> list[ColumnElement[bool]]:
    """Return that an item holds the words: in its code, or in a subject that may be read."""
    if not wanted.words:
        return []
    may_read = or_(~link.c.private, link.c.mailbox_id.in_(wanted.readable) if wanted.readable else false())
    subject = and_(may_read, link.c.subject.icontains(wanted.words, autoescape=True))
    return [or_(subject, link.c.sync_error.icontains(wanted.words, autoescape=True))]
