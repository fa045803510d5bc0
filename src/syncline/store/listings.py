"""What people look at: alerts, failures, links and the journal, page by page, newest first.

Every listing is one query with a keyset cursor (the id to go on below). It must not decide who may read what.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, Table, and_, case, func, literal_column, select, union

from syncline.errors import SyncError
from syncline.ports import Alert, AlertOutcome, AlertState, Entry, Link, LinkState
from syncline.store.connection import Connected
from syncline.store.links import chunks
from syncline.store.rows import ALERT, ENTRY, LIGHT_LINK, to_alert, to_link
from syncline.store.schema import alert, journal, link, mailbox

LIMIT = 200
LIMIT_MAX = 1000

Item = TypeVar("Item")

_STUCK = literal_column("link.state").not_in([literal_column("'settled'"), literal_column("'unsettled'")])
_CRM_EDIT = link.c.crm_version_seen != link.c.crm_version

FAILURE_STATES: Mapping[LinkState, str] = {
    LinkState.ASKED: "waiting",
    LinkState.FAILED: "failed",
    LinkState.KEPT_OUT: "kept_out",
    LinkState.PARKED: "kept_out",
    LinkState.SKIPPED: "skipped",
}
_narrow = link.alias("narrow")
_REF_MIN = 20
"""Addresses of items are long; what is shorter is not looked for among them."""
_DIGITS_MAX = 19
"""So many digits no 64-bit number is longer than."""
_NEEDS_PEOPLE = (LinkState.ASKED, LinkState.FAILED)


class Listing(Struct, Generic[Item], frozen=True):
    """One page; `next` is the cursor of the following one, None at the end."""

    items: tuple[Item, ...]
    next: int | None


class Counts(Struct, frozen=True, kw_only=True):
    """Counts of what stands in one mailbox: open alerts (questions among them), and items by failure state."""

    open_alerts: int = 0
    questions: int = 0
    waiting: int = 0
    failed: int = 0
    kept_out: int = 0
    skipped: int = 0

    @property
    def failures(self) -> int:
        """Return the rows that the failures page shows without --all."""
        return self.waiting + self.failed


def shown_state(item: Link) -> LinkState:
    """Return the state people see: an unsettled CRM-side edit makes a settled link unsettled."""
    if item.state is LinkState.SETTLED and item.crm_version_seen != item.crm_version:
        return LinkState.UNSETTLED
    return item.state


class Listings(Connected):
    """Pages of alerts, links and journal lines. `mailbox_ids` None means all mailboxes."""

    def alert(self, alert_id: int) -> Alert:
        """Return an alert; SyncError("NotFoundHere") if there is none."""
        with self.reading() as connection:
            row = connection.execute(select(*ALERT).where(alert.c.id == alert_id)).mappings().first()
        if row is None:
            raise SyncError("NotFoundHere", detail=f"alert {alert_id}")
        return to_alert(row)  # type: ignore[arg-type]

    def alerts(
        self, mailbox_ids: Sequence[int] | None = None, states: Iterable[AlertState] = tuple(AlertState)
    ) -> tuple[Alert, ...]:
        """Return all alerts in these states, by mailbox and id."""
        query = select(*ALERT).where(*_mine(alert, mailbox_ids), alert.c.state.in_(tuple(states)))
        with self.reading() as connection:
            rows = connection.execute(query.order_by(alert.c.mailbox_id, alert.c.id)).mappings()
            return tuple(to_alert(row) for row in rows)  # type: ignore[arg-type]

    def alert_page(
        self,
        mailbox_ids: Sequence[int] | None = None,
        states: Iterable[AlertState] = tuple(AlertState),
        *,
        code: str | None = None,
        hidden: Collection[str] = (),
        after: int | None = None,
        limit: int = LIMIT,
    ) -> Listing[Alert]:
        """Return a page of alerts in these states, of one code or all but the `hidden` ones."""
        where = [*_mine(alert, mailbox_ids), alert.c.state.in_(tuple(states)), *_without(hidden)]
        if code is not None:
            where.append(alert.c.code == code)
        return self._page(select(*ALERT).where(*where), alert, after, limit, to_alert)

    def being_saved(self, mailbox_ids: Sequence[int] | None, code: str, limit: int = LIMIT) -> tuple[Alert, ...]:
        """Return the questions of one code whose Yes is being carried out, newest first."""
        where = [*_mine(alert, mailbox_ids), alert.c.code == code, alert.c.pending == 1]
        saving = alert.c.outcome == AlertOutcome.SAVING
        query = select(*ALERT).where(*where, saving).order_by(alert.c.id.desc()).limit(limit)
        with self.reading() as connection:
            return tuple(to_alert(row) for row in connection.execute(query).mappings())  # type: ignore[arg-type]

    def question_ids(self, mailbox_id: int, code: str) -> tuple[int, ...]:
        """Return all open questions of one mailbox and code, oldest first (answer --all-like-this)."""
        where = (alert.c.mailbox_id == mailbox_id, alert.c.code == code, alert.c.question == 1)
        query = select(alert.c.id).where(*where, alert.c.state == AlertState.OPEN).order_by(alert.c.id)
        with self.reading() as connection:
            return tuple(connection.scalars(query))

    def alerts_of_links(self, link_ids: Sequence[int]) -> Mapping[int, Alert]:
        """Return the newest question of each link, whatever its state."""
        newest = select(func.max(alert.c.id)).where(alert.c.question == 1).group_by(alert.c.link_id)
        with self.reading() as connection:
            parts = (newest.where(alert.c.link_id.in_(part)) for part in chunks(link_ids))
            queries = (select(*ALERT).where(alert.c.id.in_(part)) for part in parts)
            rows = (row for query in queries for row in connection.execute(query).mappings())
            found = [to_alert(row) for row in rows]  # type: ignore[arg-type]
        return {each.link_id: each for each in found if each.link_id is not None}

    def counts_by_mailbox(
        self, hidden: Collection[str] = (), mailbox_ids: Sequence[int] | None = None
    ) -> Mapping[int, Counts]:
        """Return what stands in each mailbox, in two grouped queries; alerts with a `hidden` code are not counted."""
        opened = select(alert.c.mailbox_id, func.count(), func.sum(alert.c.question)).where(
            literal_column("alert.state") == literal_column("'open'"), *_without(hidden), *_mine(alert, mailbox_ids)
        )
        stuck = select(link.c.mailbox_id, link.c.state, func.count()).where(_STUCK, *_mine(link, mailbox_ids))
        known = select(mailbox.c.id)
        if mailbox_ids is not None:
            known = known.where(mailbox.c.id.in_(mailbox_ids))
        with self.reading() as connection:
            alerts = {row[0]: row[1:] for row in connection.execute(opened.group_by(alert.c.mailbox_id))}
            items = list(connection.execute(stuck.group_by(link.c.mailbox_id, link.c.state)))
            counts: dict[int, dict[str, int]] = {number: {} for number in connection.scalars(known)}
        for number, state, many in items:
            word = FAILURE_STATES[state]
            counts[number][word] = counts[number].get(word, 0) + many
        return {
            number: Counts(
                open_alerts=alerts.get(number, (0, 0))[0], questions=int(alerts.get(number, (0, 0))[1] or 0), **words
            )
            for number, words in counts.items()
        }

    def failures(
        self,
        mailbox_ids: Sequence[int] | None = None,
        *,
        everything: bool = False,
        after: int | None = None,
        limit: int = LIMIT,
    ) -> Listing[Link]:
        """Return a page of items with a sync error (without contents); `FAILURE_STATES` names their state.

        `everything` adds what was kept out and what a rule skipped (F-07).
        """
        states = tuple(FAILURE_STATES) if everything else _NEEDS_PEOPLE
        where = [*_mine(link, mailbox_ids), _STUCK, link.c.state.in_(states)]
        return self._page(select(*LIGHT_LINK).where(*where), link, after, limit, to_link)

    def links(
        self,
        mailbox_ids: Sequence[int] | None = None,
        *,
        after: int | None = None,
        limit: int = LIMIT,
    ) -> Listing[Link]:
        """Return a page of links (without contents)."""
        return self._page(select(*LIGHT_LINK).where(*_mine(link, mailbox_ids)), link, after, limit, to_link)

    def links_of_rows(self, crm_ids: Iterable[str]) -> Mapping[str, tuple[Link, ...]]:
        """Return the links of all mailboxes to these CRM rows (without contents), the writing one first."""
        found: dict[str, list[Link]] = {}
        with self.reading() as connection:
            for part in chunks(crm_ids):
                query = select(*LIGHT_LINK).where(link.c.crm_id.in_(part)).order_by(link.c.writes.desc(), link.c.id)
                for row in connection.execute(query).mappings():
                    found.setdefault(row["crm_id"], []).append(to_link(row))  # type: ignore[arg-type]
        return {crm_id: tuple(links) for crm_id, links in found.items()}

    def find_links(
        self, words: str, limit: int = LIMIT, *, mailbox_ids: Collection[int] | None = None
    ) -> tuple[Link, ...]:
        """Return links whose global object id, CRM id, reference or own id is `words`, else whose subject holds it.

        Only those of `mailbox_ids` (None: of all). What is not found by an index of its own is looked for in a narrow
        one, not in the contents.
        """
        exact = [_narrow.c.global_object_id == words, _narrow.c.crm_id == words]
        if len(words) >= _REF_MIN:
            exact.append(_narrow.c.ref == words)
        if words.isdecimal() and len(words) < _DIGITS_MAX:
            exact.append(_narrow.c.id == int(words))
        subject = _narrow.c.subject.icontains(words, autoescape=True)
        mine = [] if mailbox_ids is None else [link.c.mailbox_id.in_(sorted(mailbox_ids))]
        with self.reading() as connection:
            for conditions in (exact, [subject]):
                # One look-up each: of one with OR the contents may be read from the newest on.
                numbers = union(*(select(_narrow.c.id).where(condition) for condition in conditions))
                query = select(*LIGHT_LINK).where(link.c.id.in_(numbers), *mine)
                rows = connection.execute(query.order_by(link.c.id.desc()).limit(limit)).mappings()
                found = tuple(to_link(row) for row in rows)  # type: ignore[arg-type]
                if found:
                    return found
        return ()

    def journal(self, link_id: int, *, limit: int = LIMIT) -> Listing[Entry]:
        """Return what happened to one link lately, at most `limit` lines."""
        query = select(*ENTRY).where(journal.c.link_id == link_id)
        return self._page(query, journal, None, limit, lambda row: Entry(**row))

    def link_states(self, mailbox_id: int) -> Mapping[LinkState, int]:
        """Return how many links of a mailbox show which state."""
        shown = case(
            (and_(link.c.state == LinkState.SETTLED, _CRM_EDIT), literal_column("'unsettled'")),
            else_=literal_column("link.state"),
        ).label("shown")
        query = select(shown, func.count()).where(link.c.mailbox_id == mailbox_id).group_by(shown)
        with self.reading() as connection:
            return {LinkState(word): many for word, many in connection.execute(query)}

    def _page(
        self, query: Select[Any], table: Table, after: int | None, limit: int, make: Callable[[Any], Item]
    ) -> Listing[Item]:
        size = max(1, min(limit, LIMIT_MAX))
        query = query.order_by(table.c.id.desc()).limit(size + 1)
        if after is not None:
            query = query.where(table.c.id < after)
        with self.reading() as connection:
            rows = connection.execute(query).mappings().all()
        following = rows[size - 1]["id"] if len(rows) > size else None
        return Listing(tuple(make(row) for row in rows[:size]), following)


def _without(codes: Collection[str]) -> list[ColumnElement[bool]]:
    return [alert.c.code.not_in(sorted(codes))] if codes else []


def _mine(table: Table, mailbox_ids: Sequence[int] | None) -> list[ColumnElement[bool]]:
    return [] if mailbox_ids is None else [table.c.mailbox_id.in_(mailbox_ids)]
