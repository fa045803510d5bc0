"""The page behind the Yes and No of a mail: shows the question and what the answer does, and acts on a click only.

Programs open what stands in mails, so loading the page changes nothing. It needs no session and makes none; what cannot
be taken tells nothing of any question. It must not know how a Yes or No is bound to its question.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from syncline.desk import answer_links, preferences
from syncline.desk.objects import AlertObject
from syncline.errors import SyncError
from syncline.language import current, speaking
from syncline.web.asking import app_of
from syncline.web.pages import cards
from syncline.web.pages.reading_as import visit_as
from syncline.web.pages.rendering import render_outside
from syncline.web.pages.troubles import trouble
from syncline.web.problems import status_of
from syncline.web.sessions import arrival_of, signed_in

router = APIRouter()
WRONG_MAX = 20
WINDOW_S = 60.0
CLIENTS_MAX = 10_000
_OVER = ("AlreadyAnswered", "AnswerOutdated")


@router.get("/answer/{token}")
def offered(request: Request, token: str) -> Response:
    """Show the question with one button; nothing is done."""
    try:
        offer = _counted(request, lambda: answer_links.look(app_of(request), token))
    except SyncError as error:
        return _refused(request, error)
    return _shown(request, offer, token=token)


@router.post("/answer/{token}")
def confirmed(request: Request, token: str) -> Response:
    """Answer as the person to whom the mail was sent, and show what becomes of it."""
    app = app_of(request)
    if not arrival_of(request).may_sign_in:
        return _refused(request, SyncError("SignInUnsafe", detail=arrival_of(request).origin))
    try:
        offer = _counted(request, lambda: answer_links.look(app, token))
        given = answer_links.use(app, token)
    except SyncError as error:
        return _refused(request, error)
    return _shown(request, offer, given=given)


class Guesses:
    """How often somebody came with a Yes or No that is not known, lately."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._wrong: dict[str, deque[float]] = {}
        self._turn = threading.Lock()

    def check(self, client: str) -> None:
        """Refuse who came too often: SyncError("AnswerLinkSlowed")."""
        with self._turn:
            times = self._lately(client)
            if len(times) >= WRONG_MAX:
                wait_s = WINDOW_S - (self._clock_s() - times[0])
                raise SyncError("AnswerLinkSlowed", detail=f"{int(wait_s) + 1} s", retry_after_s=wait_s)

    def note(self, client: str) -> None:
        """Count a wrong one."""
        with self._turn:
            if len(self._wrong) >= CLIENTS_MAX:
                self._wrong = {name: times for name, times in self._wrong.items() if self._lately(name)}
            self._lately(client).append(self._clock_s())

    def _lately(self, client: str) -> deque[float]:
        times = self._wrong.setdefault(client, deque(maxlen=WRONG_MAX))
        while times and self._clock_s() - times[0] >= WINDOW_S:
            times.popleft()
        return times


def _counted(request: Request, look: Callable[[], answer_links.Offer]) -> answer_links.Offer:
    guesses, client = _guesses(request), arrival_of(request).client
    guesses.check(client)
    try:
        return look()
    except SyncError as error:
        if error.code == "AnswerLinkUnknown":
            guesses.note(client)
        raise


def _guesses(request: Request) -> Guesses:
    state = request.app.state
    if not hasattr(state, "guesses"):
        state.guesses = Guesses()
    found: Guesses = state.guesses
    return found


def _shown(
    request: Request, offer: answer_links.Offer, *, token: str = "", given: AlertObject | None = None
) -> Response:
    """Return the question as its person may read it in a mail, in his language and zone."""
    app = app_of(request)
    with speaking(preferences.of(app, offer.person.name).language or current()):
        visit = visit_as(app, offer.person, request)
        card = cards.card(visit, offer.alert_id)
        choice = next((each for each in card.choices if each.answer == offer.answer), None)
        values: dict[str, Any] = {
            "card": card,
            "choice": choice,
            "offer": offer,
            "token": token,
            "given": given,
            "times": visit.times,
        }
        return _outside(request, "answering.html", **values)


def _refused(request: Request, error: SyncError) -> Response:
    values = {"trouble": trouble(error), "over": error.code in _OVER}
    answer = _outside(request, "answering_refused.html", status=status_of(error), **values)
    if error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return answer


def _outside(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401
    """Return a page that names its own address to nobody: the address is the key."""
    session = signed_in(request)
    answer = render_outside(request, template, status=status, csrf=session.csrf if session else "", **values)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
