"""API: what was deleted and is kept for a while."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from syncline.desk import trash
from syncline.desk.objects import AppointmentObject, Listing, TrashObject
from syncline.desk.wall import WORDS_MAX
from syncline.web.api_appointments import IgnoreConflicts
from syncline.web.asking import Asker, Paged, Parts, answered, paged
from syncline.web.problems import problem

router = APIRouter(tags=["trash"])


@router.get("/trash", response_model=Listing, summary="List deleted appointments")
def list_trash(
    app: Parts,
    viewer: Asker,
    window: Paged,
    mailbox: Annotated[str | None, Query(description="Only this mailbox (id or address).")] = None,
    search: Annotated[
        str, Query(max_length=WORDS_MAX, description="Words of the subject, as the asker may read it.")
    ] = "",
) -> Response:
    """Return what was deleted and is kept, the newest first, restored ones too."""
    after = window.after_number
    found = trash.page(app, viewer, mailbox=mailbox, words=search, after=after, limit=window.limit)
    return answered(paged(found.items, found.next))


@router.get("/trash/{trash_id}", response_model=TrashObject, summary="Show a deleted appointment")
def show_trash(app: Parts, viewer: Asker, trash_id: int) -> Response:
    """Return one entry."""
    return answered(trash.entry(app, viewer, trash_id))


@router.post(
    "/trash/{trash_id}/restore",
    response_model=AppointmentObject,
    status_code=201,
    summary="Restore a deleted appointment",
)
def restore(app: Parts, viewer: Asker, trash_id: int, ignore_conflicts: IgnoreConflicts = False) -> Response:
    """Enter it in the CRM again as a new appointment; 409 with the clashes if somebody is unavailable.

    409 too (AlreadyRestored) if it was restored before. Nobody is mailed by this.
    """
    written = trash.restore(app, viewer, trash_id, ignore_conflicts=ignore_conflicts)
    if written.appointment is not None:
        return answered(written.appointment, 201)
    assert written.refused is not None
    return problem(written.refused, clashes=written.clashes, unavailable=written.unavailable)
