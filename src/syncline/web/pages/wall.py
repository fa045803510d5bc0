"""The wall of alerts: everything that waits, filtered, folded, in order and page by page; what is over as rows.

Each state of it has an address (`asked`). What an alert says is the card's; how many are answered is `together`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import structs
from starlette.responses import Response

from syncline.desk import mailboxes
from syncline.desk import wall as desk
from syncline.desk.finding import owned, within
from syncline.engine.alerts import LAPSED_OFFER_DAYS
from syncline.engine.questions import CONFLICT
from syncline.errors import SyncError
from syncline.ports import Mailbox
from syncline.store.wall import WallEntry, WallPage, Wanted
from syncline.web.pages import cards
from syncline.web.pages.asked import Asked, read
from syncline.web.pages.groups import Group, groups
from syncline.web.pages.outcome import outcome_of
from syncline.web.pages.rendering import Here, Visit
from syncline.web.pages.rows import Row, rows
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Alerts"
CARDS_MAX = 10
ROWS_MAX = 50
DRAWN_GROUPS = 1
"""The pictures of the first ten stand in a group only while there are so few groups on a page."""
ASIDE_MAX = 5
RECENT_MAX = 10
SUGGESTED_MAX = 30
NOTHING = WallPage(entries=(), total=0, questions=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One entry of the wall: a card, or a group; `together` counts the questions of the card's mailbox, at its first.

    `heads_notices` says that the notices begin here.
    """

    card: cards.Card | None = None
    group: Group | None = None
    together: int = 0
    heads_notices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where in a listing a page lies: the first and last entry on it, of how many, and its neighbours' addresses."""

    first: int
    last: int
    total: int
    before: str | None
    after: str | None


@router.get("/alerts")
def wall(visit: Here) -> Response:
    """Show what the address asks for."""
    return show(visit, read(visit.request.url.query))


@router.get("/alerts/each")
def each(visit: Here, mailbox: Annotated[str, Query()]) -> Response:
    """Show every open question of a mailbox by itself."""
    asked = read(visit.request.url.query)
    return show(visit, replace(asked, filters=replace(asked.filters, mailbox=mailbox), each=True))


def show(visit: Visit, asked: Asked) -> Response:
    """Return the wall as it was asked for; one of a mailbox that is not there for the viewer is empty."""
    try:
        wanted, trouble = desk.wanted(visit.app, visit.viewer, asked.filters), None
    except SyncError as error:
        wanted, trouble = Wanted(mailbox_ids=()), error
    size = ROWS_MAX if asked.listed else CARDS_MAX
    fold = desk.FOLD if asked.filters.folds and not asked.each and not asked.listed else None
    found = NOTHING
    if trouble is None:
        offset = (asked.page - 1) * size
        found = visit.app.store.wall_page(wanted, fold=fold, sort=asked.sort, offset=offset, limit=size)
    return visit.render(
        "alerts.html",
        section=SECTION,
        status=status_of(trouble) if trouble is not None else 200,
        asked=asked,
        trouble=trouble,
        shown=() if asked.listed else entries(visit, found.entries, wanted),
        rows=_listed(visit, found.entries) if asked.listed else (),
        found=found,
        pages=_pages(asked, found, size),
        outcome=outcome_of(visit),
        **_choices(visit),
        **_aside(visit, asked),
    )


def of_mailbox(visit: Visit, mailbox: Mailbox) -> tuple[Sequence[Shown], WallPage]:
    """Return what stands open on one mailbox, as on the wall."""
    wanted = desk.wanted(visit.app, visit.viewer, desk.Filters(mailbox=str(mailbox.id)))
    found = visit.app.store.wall_page(wanted, fold=desk.FOLD, limit=CARDS_MAX)
    return entries(visit, found.entries, wanted), found


def entries(visit: Visit, found: Sequence[WallEntry], wanted: Wanted) -> list[Shown]:
    """Return entries as cards and groups, in their order."""
    store = visit.app.store
    alerts = store.alerts_by_id(entry.alert_id for entry in found if entry.alert_id is not None)
    made = {card.id: card for card in cards.with_free_times(visit, list(alerts.values()))}
    folded = {entry.mailbox_id: entry.questions for entry in found if entry.alert_id is None}
    asked = structs.replace(wanted, mailbox_ids=tuple(folded), codes=(CONFLICT,))
    grouped = groups(visit, folded, asked, drawn=len(folded) <= DRAWN_GROUPS) if folded else {}
    many = store.question_counts({entry.mailbox_id for entry in found} - set(folded), CONFLICT)
    shown: list[Shown] = []
    noticed = False
    for entry in found:
        if entry.alert_id is None:
            shown.append(Shown(group=grouped[entry.mailbox_id]))
        elif entry.alert_id in made:
            card = made[entry.alert_id]
            begins = not card.question and not noticed
            noticed = noticed or begins
            together = many.pop(entry.mailbox_id, 0) if card.scheduling else 0
            shown.append(Shown(card=card, together=together if together > 1 else 0, heads_notices=begins))
    return shown


def _listed(visit: Visit, found: Sequence[WallEntry]) -> list[Row]:
    ids = [entry.alert_id for entry in found if entry.alert_id is not None]
    alerts = visit.app.store.alerts_by_id(ids)
    return rows(visit, [alerts[number] for number in ids if number in alerts])


def _pages(asked: Asked, found: WallPage, size: int) -> Pages:
    first = (asked.page - 1) * size
    return Pages(
        first=min(first + 1, found.total),
        last=min(first + size, found.total),
        total=found.total,
        before=asked.at(page=asked.page - 1) if asked.page > 1 else None,
        after=asked.at(page=asked.page + 1) if first + size < found.total else None,
    )


def _choices(visit: Visit) -> dict[str, object]:
    """Return what the filters offer: mailboxes where something waits, and whether there are several at all."""
    mailbox_ids = within(visit.app, visit.viewer)
    several = mailbox_ids is None or len(mailbox_ids) > 1
    waiting = visit.app.store.waiting_addresses(mailbox_ids, SUGGESTED_MAX) if several else ()
    return {"suggested": waiting, "several": several, "owns": bool(several and owned(visit.app, visit.viewer))}


def _aside(visit: Visit, asked: Asked) -> dict[str, object]:
    """Return what stands beside the questions on the wall as it opens: past, kept out, lately, and how syncing goes."""
    if not asked.plain:
        return {"past": (), "kept_out": (), "recent": (), "health": None, "first_syncs": (), "syncing": None}
    app, viewer = visit.app, visit.viewer
    mailbox_ids = within(app, viewer)
    offered = visit.times.now - timedelta(days=LAPSED_OFFER_DAYS)
    past = Wanted(mailbox_ids=mailbox_ids, state="lapsed", question=True, seen_since=offered)
    out = Wanted(mailbox_ids=mailbox_ids, state="kept_out", question=True)
    lately = app.store.lately(mailbox_ids, desk.hidden(app, viewer), RECENT_MAX)
    begun = app.store.first_syncs(mailbox_ids, ASIDE_MAX)
    return {
        "past": [row for row in rows(visit, app.store.newest(past, ASIDE_MAX)) if row.asks],
        "kept_out": rows(visit, app.store.newest(out, ASIDE_MAX)),
        "recent": rows(visit, lately),
        "health": desk.health(app, viewer),
        "first_syncs": begun[1:],
        "syncing": _syncing(visit, begun[0].mailbox_id) if begun else None,
    }


def _syncing(visit: Visit, mailbox_id: int) -> dict[str, object]:
    """Return what the bar of a first sync shows; it asks again by itself."""
    progress = mailboxes.progress(visit.app, visit.viewer, str(mailbox_id))
    return {"record": visit.app.store.mailbox(mailbox_id), "progress": progress}
