"""Failures: every item that is not synchronized, by state, with what a person can do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from syncline.desk import explaining
from syncline.desk import failures as desk
from syncline.web.pages import failing
from syncline.web.pages.rendering import Here, go, inside, saying

router = APIRouter()
SECTION = "Failures"


@router.get("/failures")
def listing(visit: Here) -> Response:
    """List failures; without a state those that need somebody (waiting, failed), with one those in it."""
    found = failing.of_all(visit, visit.request)
    mailbox = visit.request.query_params.get("mailbox") or None
    counts = desk.counts(visit.app, visit.viewer, mailbox)
    return visit.render("failures.html", section=SECTION, found=found, counts=counts, mailbox=mailbox)


@router.post("/failures/{failure_id}/retry")
def retry(visit: Here, failure_id: int, following: Annotated[str, Form(alias="next")] = "/failures") -> Response:
    """Try a failed item again now."""
    still = desk.retry(visit.app, visit.viewer, failure_id)
    return go(saying(inside(following, "/failures"), "retried" if still is None else "failed-again"))


@router.post("/failures/{failure_id}/ignore")
def ignore(visit: Here, failure_id: int, following: Annotated[str, Form(alias="next")] = "/failures") -> Response:
    """Leave an item out until it changes in Exchange."""
    desk.ignore(visit.app, visit.viewer, failure_id)
    return go(saying(inside(following, "/failures"), "ignored"))


@router.get("/explain")
def explain(visit: Here, q: Annotated[str, Query()] = "") -> Response:
    """Say why an item did or did not sync."""
    asked = bool(q.strip())
    stories = explaining.explain(visit.app, visit.viewer, q) if asked else []
    unknown = explaining.unknown(visit.app, visit.viewer, q) if asked and not stories else ""
    return visit.render("explain.html", section=SECTION, q=q, stories=stories, unknown=unknown)
