"""One question: its card alone, its answers as forms and as fragments, and what is said when an answer does not count.

The same addresses serve people with and without script: a request that htmx sends gets the card alone, any other a
page or a redirect. Whether an answer counts is the desk's decision.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from syncline.desk import alerts as desk
from syncline.engine.questions import CONFLICT
from syncline.errors import SyncError
from syncline.language import _
from syncline.web.pages import cards, telling
from syncline.web.pages.rendering import Here, Visit, go, render_outside, visit_of
from syncline.web.problems import status_of
from syncline.web.sessions import signed_in

router = APIRouter()
SECTION = "Alerts"
PLACES = {"alone": 2, "wall": 2, "mailbox": 3}
"""Where a card stands, and the level of its heading there."""

Place = Annotated[str, Query()]


@router.get("/alerts/{alert_id:int}")
def alone(visit: Here, alert_id: int) -> Response:
    """Show one card; while its answer is carried out the page asks again by itself."""
    return _alone(visit, alert_id)


@router.get("/alerts/{alert_id:int}/card")
def fragment(request: Request, alert_id: int, place: Place = "alone", unless: Annotated[str, Query()] = "") -> Response:
    """Show one card without a page around it, or nothing while it is in the state `unless`; the badges come along."""
    if signed_in(request) is None:
        return _signed_out(request, alert_id)
    return _fragment(visit_of(request), alert_id, place, unless=unless)


@router.post("/alerts/{alert_id:int}")
def answer_one(
    request: Request,
    alert_id: int,
    answer: Annotated[str, Form()],
    version: Annotated[int | None, Form()] = None,
    place: Annotated[str, Form()] = "alone",
) -> Response:
    """Take an answer and lead back to the card; one that does not count shows the card as it stands now, and why."""
    if signed_in(request) is None:
        return _signed_out(request, alert_id)
    visit = visit_of(request)
    try:
        given = desk.answer(visit.app, visit.viewer, alert_id, answer, version=version)
    except SyncError as error:
        return _not_yours(visit, alert_id, error)
    return _answered(visit, alert_id, place, given.refused)


@router.post("/alerts/{alert_id:int}/undo")
def undo(request: Request, alert_id: int, place: Annotated[str, Form()] = "alone") -> Response:
    """Take an answer back that nobody has begun to carry out, and lead back to the card."""
    if signed_in(request) is None:
        return _signed_out(request, alert_id)
    visit = visit_of(request)
    try:
        (given,) = desk.undo(visit.app, visit.viewer, [alert_id])
    except SyncError as error:
        return _not_yours(visit, alert_id, error)
    return _answered(visit, alert_id, place, given.refused)


def _answered(visit: Visit, alert_id: int, place: str, refused: SyncError | None) -> Response:
    if _by_script(visit.request):
        return _fragment(visit, alert_id, place, refused)
    return go(f"/alerts/{alert_id}") if refused is None else _alone(visit, alert_id, refused)


def _alone(visit: Visit, alert_id: int, refused: SyncError | None = None) -> Response:
    try:
        card = cards.card(visit, alert_id)
    except SyncError as error:
        return _not_yours(visit, alert_id, error)
    return visit.render(
        "alert.html",
        section=SECTION,
        status=status_of(refused) if refused is not None else 200,
        card=card,
        refused=_refusal(visit, alert_id, refused),
        waiting=_waiting(visit, card),
        plain_refresh_s=1 if card.state == "saving" and refused is None else None,
    )


def _fragment(visit: Visit, alert_id: int, place: str, refused: SyncError | None = None, unless: str = "") -> Response:
    try:
        card = cards.card(visit, alert_id)
    except SyncError as error:
        return _not_yours(visit, alert_id, error)
    if card.state == unless:
        # Nothing to replace: a card that stays as it is keeps the focus and says nothing twice.
        return Response(status_code=204)
    where = place if place in PLACES else "alone"
    return visit.render(
        "card_alone.html",
        status=status_of(refused) if refused is not None else 200,
        card=card,
        place=where,
        level=PLACES[where],
        waiting=_waiting(visit, card),
        refused=_refusal(visit, alert_id, refused),
    )


def _waiting(visit: Visit, card: cards.Card) -> int:
    return len(visit.app.store.question_ids(card.mailbox_id, CONFLICT))


def _refusal(visit: Visit, alert_id: int, refused: SyncError | None) -> str:
    """Return why an answer did not count, in the words of the card."""
    if refused is None:
        return ""
    alert = visit.app.store.alert(alert_id)
    if refused.code == "AnswerOutdated":
        at = visit.times.clock(alert.last_seen)
        return _("Changed in Outlook at %(time)s. Please look again; nothing was done.", time=at)
    if refused.code == "AlreadyBegun":
        return _("It is too late to take the answer back: it is being carried out, or has been.")
    if alert.decided_on is not None and refused.code == "AlreadyAnswered":
        return _("%(what)s. Your answer changed nothing.", what=telling.answered_by(visit, alert))
    return _("%(what)s Nothing was changed.", what=refused.text)


def _not_yours(visit: Visit, alert_id: int, error: SyncError) -> Response:
    """Say who can answer a question that the viewer may not see; any other error is a page of its own."""
    if error.code != "NotFoundHere":
        raise error
    # An alert that does not exist raises the same error here once more.
    mailbox = visit.app.store.mailbox(visit.app.store.alert(alert_id).mailbox_id)
    template = "card_not_yours.html" if _by_script(visit.request) else "alert_not_yours.html"
    values = {"alert_id": alert_id, "error": error, "person": visit.called(mailbox.user)}
    return visit.render(template, section=SECTION, status=status_of(error), **values)


def _signed_out(request: Request, alert_id: int) -> Response:
    """Lead to sign-in and back to the card: the session ended while it was open."""
    here = f"/sign-in?{urlencode({'said': 'session-over', 'next': f'/alerts/{alert_id}'})}"
    if not _by_script(request):
        return go(here)
    return render_outside(request, "card_signed_out.html", status=401, alert_id=alert_id, sign_in=here)


def _by_script(request: Request) -> bool:
    return request.headers.get("HX-Request") == "true"
