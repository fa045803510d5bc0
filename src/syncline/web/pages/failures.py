"""Failures: every item that is not synchronized, by state, with what a person can do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from syncline.desk import explaining
from syncline.desk import failures as desk
from syncline.desk.finding import visible
from syncline.web.pages.failing import rows
from syncline.web.pages.rendering import NOTHING, Here, Visit, go

router = APIRouter()
SECTION = "Failures"
FILTERS = ("all", "waiting", "failed", "kept_out", "skipped")


@router.get("/failures")
def listing(
    visit: Here,
    state: Annotated[str, Query()] = "open",
    mailbox: Annotated[str | None, Query()] = None,
    after: Annotated[int | None, Query()] = None,
) -> Response:
    """List failures; without a state those that need somebody (waiting, failed), with one those in it."""
    only = state if state in FILTERS[1:] else None
    every = state in ("all", "kept_out", "skipped")
    shown, following = rows(visit, mailbox or None, every=every, after=after, only=only)
    return visit.render(
        "failures.html",
        section=SECTION,
        rows=shown,
        following=following,
        state=state if only or state == "all" else "open",
        mailbox=mailbox,
        counts=_counts(visit),
    )


@router.post("/failures/{failure_id}/retry")
def retry(visit: Here, failure_id: int) -> Response:
    """Try a failed item again now."""
    still = desk.retry(visit.app, visit.viewer, failure_id)
    return go(f"/failures?said={'retried' if still is None else 'failed-again'}")


@router.post("/failures/{failure_id}/ignore")
def ignore(visit: Here, failure_id: int) -> Response:
    """Leave an item out until it changes in Exchange."""
    desk.ignore(visit.app, visit.viewer, failure_id)
    return go("/failures?said=ignored")


@router.get("/explain")
def explain(visit: Here, q: Annotated[str, Query()] = "") -> Response:
    """Say why an item did or did not sync."""
    asked = bool(q.strip())
    stories = explaining.explain(visit.app, visit.viewer, q) if asked else []
    unknown = explaining.unknown(visit.app, visit.viewer, q) if asked and not stories else ""
    return visit.render("explain.html", section=SECTION, q=q, stories=stories, unknown=unknown)


def _counts(visit: Visit) -> dict[str, int]:
    counts = visit.app.store.counts_by_mailbox()
    mine = [counts.get(number, NOTHING) for number in visible(visit.app, visit.viewer)]
    return {name: sum(getattr(each, name) for each in mine) for name in FILTERS[1:]}
