"""Trash: what was deleted on one side because the other side deleted it, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from syncline.desk import trash as desk
from syncline.language import noted
from syncline.web.pages.rendering import Here, go, inside, saying
from syncline.web.pages.tables import Column, Table
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Failures"
PATH = "/trash"
STATES = {
    "kept": noted("Can be restored"),
    "restored": noted("Restored"),
    "all": noted("All"),
}
COLUMNS = (
    Column(title=noted("Subject"), sort="subject"),
    Column(title=noted("When it was")),
    Column(title=noted("What happened")),
    Column(title=noted("Deleted"), sort="deleted_on", falls=True),
    Column(title=noted("Mailbox"), sort="mailbox"),
    Column(title=noted("Kept until")),
)
TABLE = Table(path=PATH, columns=COLUMNS, sort="", descending=True, states=tuple(STATES), state="kept")


@router.get(PATH)
def listing(visit: Here) -> Response:
    """List what can be restored, or what was."""
    mailbox = visit.request.query_params.get("mailbox", "")
    asked = (replace(TABLE, kept={"mailbox": mailbox}) if mailbox else TABLE).asked(visit.request)
    rows, pages = asked.read(lambda wanted: desk.table(visit.app, visit.viewer, wanted, mailbox or None))
    return visit.render(
        "trash.html",
        section=SECTION,
        rows=rows,
        pages=pages,
        states=STATES,
        mailbox=mailbox,
        days=visit.app.settings.trash.keep_days,
    )


@router.post(f"{PATH}/{{trash_id}}/restore")
def restore(
    visit: Here,
    trash_id: int,
    ignore_conflicts: Annotated[str, Form()] = "",
    following: Annotated[str, Form(alias="next")] = PATH,
) -> Response:
    """Restore an entry; if somebody is unavailable, show what is in the way and ask."""
    written = desk.restore(visit.app, visit.viewer, trash_id, ignore_conflicts=ignore_conflicts == "yes")
    if written.refused is None:
        return go(saying(inside(following, PATH), "restored"))
    return visit.render(
        "trash_in_the_way.html",
        section=SECTION,
        status=status_of(written.refused),
        item=desk.entry(visit.app, visit.viewer, trash_id),
        written=written,
        following=inside(following, PATH),
    )
