"""Settings, Mail and webhook: how they stand, and a mail for a trial. For System Administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from syncline.desk import ways_out
from syncline.errors import SyncError
from syncline.web.pages.rendering import Here, Visit
from syncline.web.pages.troubles import trouble
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Settings"


@router.get("/settings/mail")
def overview(visit: Here) -> Response:
    """Show how mail and webhook stand."""
    return _page(visit, address=next(iter(sorted(visit.viewer.emails)), ""))


@router.post("/settings/mail/test")
def try_mail(visit: Here, address: Annotated[str, Form()] = "") -> Response:
    """Send a mail for a trial and say what became of it."""
    from syncline.web.mails import trial  # mails show cards, which are pages: they come after these

    try:
        to = ways_out.checked_address(address)
        reached = ways_out.try_mail(visit.app, visit.viewer, to, trial(visit.app, to))
    except SyncError as error:
        if error.code == "NotAllowed":
            raise
        return _page(visit, address=address, error=error)
    return _page(visit, address=address, reached=reached)


def _page(visit: Visit, *, address: str, error: SyncError | None = None, reached: str = "") -> Response:
    return visit.render(
        "settings_mail.html",
        section=SECTION,
        status=status_of(error) if error is not None else 200,
        ways=ways_out.show(visit.app, visit.viewer),
        address=address,
        trouble=trouble(error),
        reached=reached,
    )
