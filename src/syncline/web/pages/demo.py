"""The demo's own pieces: *Continue as …* without a password, and the strip that leads through the first minute.

Only a web application that was told `DemoFacts` has them; the buttons work only on this machine. It must not know how
the demo's firm came about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from syncline.desk import alerts, signing
from syncline.engine.questions import CONFLICT
from syncline.errors import SyncError
from syncline.ports import AlertState
from syncline.web.asking import app_of
from syncline.web.pages.rendering import Visit, go, inside, visit_of
from syncline.web.safety import LOOPBACK_NAMES, host_name
from syncline.web.sessions import arrival_of, start_session

router = APIRouter()
CLOSED_COOKIE = "syncline_demo_strip"
LOOKED_AT = 200
"""So many of the newest alerts are looked at for what happened since the start."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody whom a visitor of the demo may be: sign-in name, and how he is called."""

    name: str
    called: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """What the strip shows: which steps have happened, and where each leads."""

    answered: bool
    double_booked: bool
    explained: bool
    outlook: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFacts:
    """What the pages know of the demo: who may continue, where Outlook is, and from when on things count.

    `asked_about` is the subject that *Why?* is asked of (empty: any); `mailbox_ids` are those that were synchronized at
    the start.
    """

    guests: tuple[Guest, ...]
    outlook: str
    asked_about: str
    since: datetime
    mailbox_ids: tuple[int, ...]
    _explained: set[str] = field(default_factory=set)

    def guests_of(self, request: Request) -> tuple[Guest, ...]:
        """Return who may continue without a password: nobody who comes from another machine."""
        came = arrival_of(request)
        local = came.private_way and host_name(came.host) in LOOPBACK_NAMES and came.peer in ("127.0.0.1", "::1")
        return self.guests if local else ()

    def strip(self, visit: Visit) -> Strip | None:
        """Return the strip of a page, or None when it was closed."""
        if visit.request.cookies.get(CLOSED_COOKIE):
            return None
        if visit.request.url.path == "/explain" and visit.request.query_params.get("q"):
            self._explained.add(visit.viewer.name)
        store = visit.app.store
        ids = [mailbox.id for mailbox in store.mailboxes()]
        newest = store.alert_page(self.mailbox_ids, list(AlertState), code=CONFLICT, limit=1).items
        others = [state for state in AlertState if state is not AlertState.OPEN]
        decided = store.alert_page(ids, others, code=CONFLICT, limit=LOOKED_AT).items
        return Strip(
            answered=any(each.decided_on is not None and each.decided_on > self.since for each in decided),
            double_booked=any(each.created > self.since for each in newest),
            explained=visit.viewer.name in self._explained,
            outlook=self.outlook,
            why=f"/explain?q={quote(self.asked_about)}" if self.asked_about else "/explain",
        )


@router.post("/demo/continue")
def continue_as(
    request: Request, name: Annotated[str, Form()] = "", following: Annotated[str, Form(alias="next")] = "/"
) -> Response:
    """Sign a visitor of the demo in without a password, and lead to what waits for that person."""
    facts: DemoFacts | None = request.app.state.demo
    if facts is None or name not in {guest.name for guest in facts.guests_of(request)}:
        raise SyncError("NotFoundHere", detail="page /demo/continue")
    app = app_of(request)
    secret, session = signing.open_session(app, name)
    target = inside(following)
    if target == "/" and not session.viewer.administrator:
        waiting = alerts.page(app, session.viewer, only_open=True, limit=LOOKED_AT).items
        questions = [alert for alert in waiting if alert.code == CONFLICT and alert.start is not None]
        first = min(questions, key=lambda alert: alert.start or alert.created, default=None)
        target = first.url if first is not None else target
    answer = go(target)
    start_session(request, answer, secret, session)
    return answer


@router.post("/demo/close", dependencies=[Depends(visit_of)])
def close(following: Annotated[str, Form(alias="next")] = "/") -> Response:
    """Take the strip away in this browser."""
    answer = go(inside(following))
    answer.set_cookie(CLOSED_COOKIE, "closed", path="/", httponly=True, samesite="lax")
    return answer
