"""Alerts: the wall of everything that waits, one card alone, and the answers as plain form posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from syncline.desk import alerts as desk
from syncline.desk import mailboxes
from syncline.desk.finding import one, visible
from syncline.engine.questions import CONFLICT
from syncline.errors import SyncError
from syncline.ports import AlertState, LinkState, Mailbox
from syncline.web.pages import cards
from syncline.web.pages.rendering import NOTHING, Here, Visit, go
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Alerts"
TOGETHER_MIN = 6
"""From so many open questions of one mailbox on they are one card (pages.md)."""
DRAWN_MAX = 10
PAGE = 20
RECENT_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Many questions of one mailbox as one: how many of how many items, and the first of them."""

    mailbox: Mailbox
    person: str
    questions: int
    items: int
    first: tuple[cards.Card, ...]


@router.get("/alerts")
def wall(visit: Here) -> Response:
    """Show what waits: a card for each question, one for all of a mailbox that has many, and the notices."""
    open_cards, groups = waiting(visit, visible(visit.app, visit.viewer))
    recent, _ = cards.page(visit, None, only_open=False, limit=RECENT_MAX)
    return visit.render(
        "alerts.html",
        section=SECTION,
        questions=[card for card in open_cards if card.question],
        notices=[card for card in open_cards if not card.question],
        groups=groups,
        recent=recent,
        mailboxes=mailboxes.listing(visit.app, visit.viewer),
        refresh_s=None,
    )


@router.get("/alerts/each")
def each(visit: Here, mailbox: Annotated[str, Query()], after: Annotated[int | None, Query()] = None) -> Response:
    """Show every open question of a mailbox by itself, page by page."""
    found = one(visit.app, visit.viewer, mailbox)
    shown, following = cards.page(visit, str(found.id), only_open=True, without=desk.NOTICES, after=after, limit=PAGE)
    return visit.render("alerts_each.html", section=SECTION, mailbox=found, cards_shown=shown, following=following)


@router.get("/alerts/together")
def together(visit: Here, mailbox: Annotated[str, Query()]) -> Response:
    """Show all open questions of a mailbox as one, with the number and the consequence of an answer."""
    found = one(visit.app, visit.viewer, mailbox)
    return visit.render("alerts_together.html", section=SECTION, group=_group(visit, found))


@router.post("/alerts/together")
def answer_together(visit: Here, mailbox: Annotated[str, Form()], answer: Annotated[str, Form()]) -> Response:
    """Give every open question of a mailbox the same answer."""
    desk.answer_code(visit.app, visit.viewer, mailbox, CONFLICT, answer)
    return go("/alerts?said=answered")


@router.get("/alerts/{alert_id}")
def alone(visit: Here, alert_id: int) -> Response:
    """Show one card; while its answer is carried out the page asks again by itself."""
    return _alone(visit, alert_id)


@router.post("/alerts/{alert_id}")
def answer_one(
    visit: Here,
    alert_id: int,
    answer: Annotated[str, Form()],
    version: Annotated[int | None, Form()] = None,
) -> Response:
    """Take an answer and lead back to the card; one that does not count shows the card as it stands now, and why."""
    given = desk.answer(visit.app, visit.viewer, alert_id, answer, version=version)
    if given.refused is not None:
        return _alone(visit, alert_id, refused=given.refused)
    return go(f"/alerts/{alert_id}")


def waiting(visit: Visit, wanted: Mapping[int, Mailbox]) -> tuple[list[cards.Card], list[Group]]:
    """Return the open alerts of these mailboxes: cards, and groups where a mailbox has many questions."""
    counts = visit.app.store.counts_by_mailbox(desk.hidden_codes(visit.app))
    shown: list[cards.Card] = []
    groups: list[Group] = []
    for mailbox in wanted.values():
        standing = counts.get(mailbox.id, NOTHING)
        if standing.questions >= TOGETHER_MIN:
            groups.append(_group(visit, mailbox))
        if not standing.open_alerts or standing.questions >= TOGETHER_MIN:
            continue
        for without in (desk.NOTICES, desk.QUESTIONS):
            found, _ = cards.page(visit, str(mailbox.id), only_open=True, without=without, limit=PAGE)
            shown += found
    return sorted(shown, key=_order), groups


def _group(visit: Visit, mailbox: Mailbox) -> Group:
    app = visit.app
    states = app.store.link_states(mailbox.id)
    first = app.store.alert_page([mailbox.id], [AlertState.OPEN], code=CONFLICT, limit=DRAWN_MAX)
    shown, _ = cards.page(visit, str(mailbox.id), only_open=True, without=desk.NOTICES, limit=DRAWN_MAX)
    return Group(
        mailbox=mailbox,
        person=visit.called(mailbox.user),
        questions=len(app.store.question_ids(mailbox.id, CONFLICT)),
        items=sum(states.values()) - states.get(LinkState.SKIPPED, 0),
        first=tuple(card for card in shown if card.id in {alert.id for alert in first.items}),
    )


def _order(card: cards.Card) -> tuple[bool, bool, float]:
    """Questions first, by when they matter; then what has no time, newest first."""
    at = card.start.timestamp() if card.start is not None else -card.created.timestamp()
    return not card.question, card.start is None, at


def _alone(visit: Visit, alert_id: int, refused: SyncError | None = None) -> Response:
    card = cards.card(visit, alert_id)
    return visit.render(
        "alert.html",
        section=SECTION,
        status=status_of(refused) if refused is not None else 200,
        card=card,
        refused=refused,
        refresh_s=1 if card.state == "saving" and refused is None else None,
    )
