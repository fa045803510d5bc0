"""The preview of a mailbox: what the next sync would do to both sides, and whom Exchange would mail."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from syncline.desk import mailboxes
from syncline.desk.finding import one
from syncline.desk.reading import require_administrator
from syncline.errors import SyncError
from syncline.language import noted
from syncline.web.pages.planning import Plan, asks_about, nobody_because, plan_of
from syncline.web.pages.rendering import Here, Visit
from syncline.web.pages.troubles import trouble as trouble_text
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Mailboxes"


@router.get("/mailboxes/{key}/preview")
def preview(visit: Here, key: str) -> Response:
    """Show the page at once; it asks for the plan by itself, since a large calendar takes a while to read."""
    return _page(visit, key)


@router.post("/mailboxes/{key}/preview")
def computed(visit: Here, key: str) -> Response:
    """Read both sides and show the plan; nothing is written."""
    try:
        return _page(visit, key, plan=plan_of(visit, key))
    except SyncError as error:
        return _page(visit, key, error=error)


def _page(visit: Visit, key: str, plan: Plan | None = None, error: SyncError | None = None) -> Response:
    require_administrator(visit.viewer, noted("look at a plan"))
    mailbox = one(visit.app, visit.viewer, key)
    part = visit.request.headers.get("HX-Request") == "true"
    return visit.render(
        "preview_plan.html" if part else "preview.html",
        section=SECTION,
        # A part of a page takes the place of the notice, whatever it says.
        status=status_of(error) if error is not None and not part else 200,
        mailbox=mailboxes.show(visit.app, visit.viewer, str(mailbox.id)),
        person=visit.called(mailbox.user),
        plan=plan,
        trouble=trouble_text(error),
        asks_about=asks_about,
        nobody_because=nobody_because,
    )
