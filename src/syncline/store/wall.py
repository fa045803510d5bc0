"""Which alerts are wanted, page by page and as a whole: one query each, however many there are.

Where a mailbox has many questions they come as one entry, so that a page stays a page. It must not decide who may read
what: whoever asks says which mailboxes and whose private subjects count.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import aliased

from syncline.ports import Alert, AlertOutcome, AlertState, LinkState, Mailbox
from syncline.store.codec import encode
from syncline.store.connection import Connected
from syncline.store.links import chunks
from syncline.store.rows import ALERT, MAILBOX, to_alert
from syncline.store.schema import alert, link, mailbox

_newer = aliased(alert)
_KEPT_OUT = and_(alert.c.state == AlertState.ANSWERED, alert.c.outcome == AlertOutcome.KEPT_OUT)
_STILL_OUT = (
    select(link.c.id)
    .where(link.c.id == alert.c.link_id, link.c.decision == "no", link.c.decided_digest == alert.c.digest)
    .exists()
)
_ASKED_SINCE = select(_newer.c.id).where(_newer.c.link_id == alert.c.link_id, _newer.c.id > alert.c.id).exists()

STATES: Mapping[str, Any] = {
    "open": text("alert.state = 'open'"),  # written out, so that the partial indexes serve
    "answered": and_(alert.c.state == AlertState.ANSWERED, alert.c.outcome.is_distinct_from(AlertOutcome.KEPT_OUT)),
    "kept_out": and_(_KEPT_OUT, _STILL_OUT, ~_ASKED_SINCE),
    "withdrawn": alert.c.state == AlertState.WITHDRAWN,
    "lapsed": alert.c.state == AlertState.LAPSED,
    "decided": alert.c.state == AlertState.ANSWERED,
    "closed": alert.c.state != AlertState.OPEN,
}
"""The states that people tell apart, and two wider ones; what is kept out is so only while its answer holds."""
SORTS = ("matters", "newest", "oldest", "mailbox")


class Wanted(Struct, frozen=True, kw_only=True):
    """Which alerts are wanted; None means any.

    `words` are looked for in subjects that the asker may read: of private items only those in the mailboxes
    `readable`; `masked` lets all other private items match, because the words stand in what is shown instead.
    """

    mailbox_ids: Collection[int] | None = None
    state: str | None = "open"
    question: bool | None = None
    codes: Collection[str] | None = None
    hidden: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    seen_since: datetime | None = None
    words: str = ""
    readable: Collection[int] = ()
    masked: bool = False
    ids: Sequence[int] | None = None
    decided_since: datetime | None = None
    global_object_id: str | None = None
    unavailable: str | None = None


class Fold(Struct, frozen=True, kw_only=True):
    """From how many open questions with this code on the questions of a mailbox are one entry."""

    code: str
    least: int


class WallEntry(Struct, frozen=True):
    """One entry: an alert, or (without `alert_id`) all the questions of a mailbox that fold."""

    alert_id: int | None
    mailbox_id: int
    questions: int


class WallPage(Struct, frozen=True, kw_only=True):
    """A page of entries, how many entries there are, and how many questions stand in all of them."""

    entries: tuple[WallEntry, ...]
    total: int
    questions: int


class Outline(Struct, frozen=True):
    """What a fold tells of one alert: of a series its `dates` and how many of them clash."""

    id: int
    version: int
    mailbox_id: int
    code: str
    subject: str
    private: bool
    matters: datetime | None
    dates: int
    clashing: int

    @property
    def partly(self) -> bool:
        """Return whether it is a series of which some dates do not clash."""
        return self.dates > 1 and self.clashing < self.dates


class Health(Struct, frozen=True, kw_only=True):
    """How mailboxes stand: how many are enabled, how many in trouble (enabled or not), and the last sync of any."""

    enabled: int
    troubled: int
    last_sync: datetime | None


class FirstSync(Struct, frozen=True):
    """How far the first sync of a mailbox is: `done` of the `items` seen until now."""

    mailbox_id: int
    user: str
    items: int
    done: int


class Standing(Struct, frozen=True):
    """How far answers are: how many there are, how many wait to be carried out, how many can still be taken back."""

    answered: int
    waits: int
    free: int


class Wall(Connected):
    """The alerts of many mailboxes at once."""

    def wall_page(
        self, wanted: Wanted, *, fold: Fold | None = None, sort: str = "matters", offset: int = 0, limit: int = 20
    ) -> WallPage:
        """Return a page of what is wanted, questions before notices."""
        inner = _entries(wanted, fold).subquery()
        questions = func.sum(case((inner.c.question == 1, inner.c.questions), else_=0))
        shown = select(inner.c.id, inner.c.mailbox_id, inner.c.questions, func.count().over(), questions.over())
        if sort == "mailbox":
            shown = shown.join(mailbox, mailbox.c.id == inner.c.mailbox_id)
        shown = shown.order_by(inner.c.question.desc(), *_order(inner.c, sort), inner.c.id.desc())
        with self.reading() as connection:
            rows = connection.execute(shown.limit(limit).offset(offset)).all()
            if offset and not rows:  # a page beyond the last still says how many there are
                total, many = connection.execute(select(func.count(), questions).select_from(inner)).one()
            else:
                total, many = rows[0][3:] if rows else (0, 0)
        entries = tuple(WallEntry(*row[:3]) for row in rows)
        return WallPage(entries=entries, total=total, questions=int(many or 0))

    def chosen(self, wanted: Wanted) -> tuple[tuple[int, int], ...]:
        """Return id and version of every alert that is wanted, by id."""
        found: dict[int, int] = {}
        with self.reading() as connection:
            for part in _parts(wanted):
                rows = connection.execute(select(alert.c.id, alert.c.version).where(*_where(part)))
                found.update((number, version) for number, version in rows)
        return tuple(sorted(found.items()))

    def outlines(self, wanted: Wanted, limit: int | None = None) -> tuple[Outline, ...]:
        """Return the light values of what is wanted, by when it matters."""
        columns = [alert.c[name] for name in Outline.__struct_fields__]
        found: list[Outline] = []
        with self.reading() as connection:
            for part in _parts(wanted):
                query = select(*columns).where(*_where(part)).order_by(alert.c.matters, alert.c.id).limit(limit)
                found += [Outline(*row) for row in connection.execute(query)]
        return tuple(found[:limit])

    def alerts_by_id(self, ids: Iterable[int]) -> Mapping[int, Alert]:
        """Return alerts by id; those that are gone are left out."""
        with self.reading() as connection:
            parts = (select(*ALERT).where(alert.c.id.in_(part)) for part in chunks(ids))
            rows = (row for part in parts for row in connection.execute(part).mappings())
            return {row["id"]: to_alert(row) for row in rows}  # type: ignore[arg-type]

    def mailboxes_by_id(self, ids: Iterable[int]) -> Mapping[int, Mailbox]:
        """Return those of these mailboxes that there are, by id."""
        with self.reading() as connection:
            parts = (select(*MAILBOX).where(mailbox.c.id.in_(part)) for part in chunks(ids))
            return {row["id"]: Mailbox(**row) for part in parts for row in connection.execute(part).mappings()}

    def mailbox_ids_of(self, names: Collection[str], *, addresses: bool = False) -> frozenset[int]:
        """Return the mailboxes whose user (or with `addresses`: or own address) is one of these lower-case names."""
        of = func.lower(mailbox.c.user).in_(sorted(names))
        where = or_(of, mailbox.c.address.in_(sorted(names))) if addresses else of
        with self.reading() as connection:
            return frozenset(connection.scalars(select(mailbox.c.id).where(where)))

    def waiting_addresses(self, mailbox_ids: Collection[int] | None, limit: int) -> tuple[str, ...]:
        """Return the addresses of some mailboxes on which something stands open."""
        standing = select(alert.c.mailbox_id).where(*_where(Wanted(mailbox_ids=mailbox_ids)))
        query = select(mailbox.c.address).where(mailbox.c.id.in_(standing)).order_by(mailbox.c.address).limit(limit)
        with self.reading() as connection:
            return tuple(connection.scalars(query))

    def question_counts(self, mailbox_ids: Collection[int], code: str) -> dict[int, int]:
        """Return how many open questions with this code each of these mailboxes has."""
        wanted = Wanted(mailbox_ids=mailbox_ids, codes=(code,), question=True)
        query = select(alert.c.mailbox_id, func.count()).where(*_where(wanted)).group_by(alert.c.mailbox_id)
        with self.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def newest(self, wanted: Wanted, limit: int, after: int | None = None) -> tuple[Alert, ...]:
        """Return what is wanted, the newest first, from below the number `after` on."""
        query = select(*ALERT).where(*_where(wanted)).order_by(alert.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(alert.c.id < after)
        with self.reading() as connection:
            return tuple(to_alert(row) for row in connection.execute(query).mappings())  # type: ignore[arg-type]

    def item_counts(self, mailbox_ids: Collection[int]) -> Mapping[int, int]:
        """Return how many items each of these mailboxes has, without those that a rule leaves out."""
        where = (link.c.mailbox_id.in_(sorted(mailbox_ids)), link.c.state != LinkState.SKIPPED)
        query = select(link.c.mailbox_id, func.count()).where(*where).group_by(link.c.mailbox_id)
        with self.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def health(self, mailbox_ids: Collection[int] | None) -> Health:
        """Return how mailboxes stand, in one query."""
        enabled = func.sum(case((mailbox.c.enabled, 1), else_=0))
        troubled = func.sum(case((mailbox.c.last_error.is_not(None), 1), else_=0))
        query = select(enabled, troubled, func.max(mailbox.c.last_sync))
        if mailbox_ids is not None:
            query = query.where(mailbox.c.id.in_(sorted(mailbox_ids)))
        with self.reading() as connection:
            on, bad, last = connection.execute(query).one()
        return Health(enabled=int(on or 0), troubled=int(bad or 0), last_sync=last)

    def lately(self, mailbox_ids: Collection[int] | None, hidden: Collection[str], limit: int) -> tuple[Alert, ...]:
        """Return what was answered or withdrawn last, the latest first."""
        base = Wanted(mailbox_ids=mailbox_ids, hidden=hidden, state=None)
        of = select(*ALERT).where(*_where(base))
        queries = (
            of.where(alert.c.decided_on.is_not(None)).order_by(alert.c.decided_on.desc()),
            of.where(alert.c.state == AlertState.WITHDRAWN).order_by(alert.c.id.desc()),
        )
        found: dict[int, Alert] = {}
        with self.reading() as connection:
            for query in queries:
                for row in connection.execute(query.limit(limit)).mappings():
                    found[row["id"]] = to_alert(row)  # type: ignore[arg-type]
        return tuple(sorted(found.values(), key=_moment, reverse=True)[:limit])

    def answered_at(self, by: str, at: datetime) -> tuple[int, ...]:
        """Return the numbers of what one person answered at one instant."""
        with self.reading() as connection:
            return tuple(connection.scalars(select(alert.c.id).where(*_given(by, at)).order_by(alert.c.id)))

    def standing_at(self, by: str, at: datetime) -> Standing:
        """Return how far the answers are that one person gave at one instant."""
        waits = func.sum(case((alert.c.pending == 1, 1), else_=0))
        free = func.sum(case((and_(alert.c.pending == 1, alert.c.before.is_not(None)), 1), else_=0))
        with self.reading() as connection:
            row = connection.execute(select(func.count(), waits, free).where(*_given(by, at))).one()
        return Standing(*(int(number or 0) for number in row))

    def first_syncs(self, mailbox_ids: Collection[int] | None, limit: int) -> tuple[FirstSync, ...]:
        """Return the mailboxes whose first sync is under way, and how far it is."""
        done = func.sum(case((link.c.state != LinkState.UNSETTLED, 1), else_=0))
        columns = (mailbox.c.id, mailbox.c.user, func.count(link.c.id), done)
        query = select(*columns).outerjoin_from(mailbox, link, link.c.mailbox_id == mailbox.c.id)
        query = query.where(mailbox.c.enabled, mailbox.c.first_sync_done.is_(False), mailbox.c.last_error.is_(None))
        if mailbox_ids is not None:
            query = query.where(mailbox.c.id.in_(sorted(mailbox_ids)))
        with self.reading() as connection:
            rows = connection.execute(query.group_by(mailbox.c.id).order_by(mailbox.c.id).limit(limit)).all()
        return tuple(FirstSync(number, user, items, int(settled or 0)) for number, user, items, settled in rows)


def _where(wanted: Wanted) -> list[ColumnElement[bool]]:
    said = ((getattr(wanted, name), condition) for name, condition in _CONDITIONS.items())
    found: list[ColumnElement[bool]] = [condition(value) for value, condition in said if value is not None]
    if wanted.hidden:
        found.append(alert.c.code.not_in(sorted(wanted.hidden)))
    if wanted.words:
        found.append(_readable(wanted))
    return found


def _given(by: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return alert.c.decided_on == at, alert.c.decided_by == by, alert.c.state == AlertState.ANSWERED


def _readable(wanted: Wanted) -> ColumnElement[bool]:
    """Words count where the asker can read them: a search may not tell what a page hides."""
    open_to_all = or_(alert.c.private.is_(False), alert.c.mailbox_id.in_(sorted(wanted.readable)))
    found = and_(open_to_all, alert.c.subject.icontains(wanted.words, autoescape=True))
    return or_(found, ~open_to_all) if wanted.masked else found


def _of_series(global_object_id: str) -> ColumnElement[bool]:
    return alert.c.link_id.in_(select(link.c.id).where(link.c.global_object_id == global_object_id))


def _occupies(full_name: str) -> ColumnElement[bool]:
    # The verdict is canonical JSON: a quote inside a subject is escaped, so this member is found nowhere else.
    named = encode({"full_name": full_name}).strip("{}")
    return literal_column("alert.verdict", Text).contains(named, autoescape=True)


_CONDITIONS: Mapping[str, Callable[[Any], Any]] = {
    "mailbox_ids": lambda ids: alert.c.mailbox_id.in_(sorted(ids)),
    "state": lambda state: STATES[state],
    "question": lambda question: alert.c.question == int(question),
    "codes": lambda codes: alert.c.code.in_(sorted(codes)),
    "since": lambda since: alert.c.created >= since,
    "until": lambda until: alert.c.created < until,
    "seen_since": lambda since: alert.c.last_seen >= since,
    "decided_since": lambda since: alert.c.decided_on >= since,
    "ids": lambda ids: alert.c.id.in_(list(ids)),
    "global_object_id": _of_series,
    "unavailable": _occupies,
}
"""What narrows by itself, by the field of `Wanted`."""


def _parts(wanted: Wanted) -> Iterable[Wanted]:
    """Yield what is wanted with lists of ids short enough for one statement."""
    if wanted.ids is None:
        return [wanted]
    return [replace(wanted, ids=part) for part in chunks(dict.fromkeys(wanted.ids))]


def _entries(wanted: Wanted, fold: Fold | None) -> Any:  # noqa: ANN401 - a select, or a union of two
    where = _where(wanted)
    moment = case((STATES["open"], alert.c.created), else_=func.coalesce(alert.c.decided_on, alert.c.last_seen))
    each: Select[Any] = select(
        alert.c.id,
        alert.c.mailbox_id,
        literal(1).label("questions"),
        alert.c.question,
        alert.c.matters,
        moment.label("moment"),
    )
    if fold is None:
        return each.where(*where)
    group = (
        select(
            null().label("id"),
            alert.c.mailbox_id,
            func.count().label("questions"),
            literal(1).label("question"),
            func.min(alert.c.matters).label("matters"),
            func.max(alert.c.created).label("moment"),
        )
        .where(*where, alert.c.code == fold.code)
        .group_by(alert.c.mailbox_id)
        .having(func.count() >= fold.least)
    )
    many = select(group.subquery("many").c.mailbox_id)
    alone = each.where(*where, or_(alert.c.code != fold.code, alert.c.mailbox_id.not_in(many)))
    return union_all(group, alone)


def _order(columns: Any, sort: str) -> list[ColumnElement[Any]]:  # noqa: ANN401 - the columns of a subquery
    if sort == "mailbox":
        return [mailbox.c.address.asc(), columns.matters.asc()]
    if sort in ("newest", "oldest"):
        return [columns.moment.desc() if sort == "newest" else columns.moment.asc()]
    # What asks comes by when it matters; a notice has no such time, the newest comes first.
    return [case((columns.question == 1, columns.matters)).asc(), columns.moment.desc()]


def _moment(each: Alert) -> datetime:
    return each.decided_on or each.last_seen
