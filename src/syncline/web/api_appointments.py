"""API: the calendar of the embedded CRM, and its change log."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from syncline.desk import appointments, reports
from syncline.desk.drafts import Draft
from syncline.desk.objects import AppointmentObject, Listing
from syncline.web.asking import LIMIT, LIMIT_MAX, Asker, Paged, Parts, answered, packed
from syncline.web.problems import problem

router = APIRouter(tags=["appointments"])


class Fields(BaseModel):
    """The fields of an appointment; what is not given stays as it is, null empties."""

    model_config = ConfigDict(extra="forbid")

    subject: str | None = None
    start: str | None = None
    end: str | None = None
    time_zone: str | None = None
    all_day: bool | None = None
    show_as: Literal["free", "tentative", "busy", "out_of_office", "working_elsewhere"] | None = None
    location: str | None = None
    description: str | None = None
    organizer: str | None = None
    required: list[str] | None = None
    optional: list[str] | None = None
    recurrence: str | None = None
    status: Literal["completed", "canceled"] | None = None
    private: bool | None = None
    draft: bool | None = Field(
        default=None,
        description="True, of a new appointment only: it stays in the CRM for now. False: it goes to Outlook.",
    )

    def wanted(self) -> Draft:
        """Return the draft of what was given; an explicit null empties a text or a list."""
        given: dict[str, Any] = self.model_dump(exclude_unset=True)
        emptied: dict[str, Any] = {
            "location": "",
            "description": "",
            "organizer": "",
            "recurrence": "",
            "required": [],
            "optional": [],
        }
        return Draft(**{name: emptied.get(name) if value is None else value for name, value in given.items()})


IgnoreConflicts = Annotated[bool, Query(description="Save even if somebody is unavailable.")]


@router.get("/appointments", response_model=Listing, summary="List appointments")
def list_appointments(
    app: Parts,
    viewer: Asker,
    window: Paged,
    start: Annotated[str | None, Query(alias="from", description="First day, with `to`: every occurrence.")] = None,
    end: Annotated[str | None, Query(alias="to", description="Day after the last (UTC).")] = None,
    user: Annotated[str | None, Query(description="Only those in which this CRM user takes part.")] = None,
) -> Response:
    """Return each single, series and exception once; with a window every occurrence in it."""
    days = appointments.window(start, end)
    found = appointments.page(app, viewer, window=days, user=user, cursor=window.after, limit=window.limit)
    return answered(Listing(items=found.items, next=packed(found.next) if found.next is not None else None))


@router.post("/appointments", response_model=AppointmentObject, status_code=201, summary="Add an appointment")
def add_appointment(app: Parts, viewer: Asker, body: Fields, ignore_conflicts: IgnoreConflicts = False) -> Response:
    """Add an appointment; 409 with the clashes if somebody is unavailable, and nothing is written."""
    return _written(appointments.add(app, viewer, body.wanted(), ignore_conflicts=ignore_conflicts), 201)


@router.get("/appointments/{appointment_id}", response_model=AppointmentObject, summary="Show an appointment")
def show_appointment(app: Parts, viewer: Asker, appointment_id: str) -> Response:
    """Return one appointment."""
    return answered(appointments.show(app, viewer, appointment_id))


@router.patch("/appointments/{appointment_id}", response_model=AppointmentObject, summary="Change an appointment")
def edit_appointment(
    app: Parts, viewer: Asker, appointment_id: str, body: Fields, ignore_conflicts: IgnoreConflicts = False
) -> Response:
    """Change what is given; 409 with the clashes if somebody is unavailable, and nothing is written."""
    return _written(
        appointments.edit(app, viewer, appointment_id, body.wanted(), ignore_conflicts=ignore_conflicts), 200
    )


@router.delete("/appointments/{appointment_id}", status_code=204, summary="Delete an appointment")
def delete_appointment(app: Parts, viewer: Asker, appointment_id: str) -> Response:
    """Delete an appointment, or one date of a series."""
    appointments.delete(app, viewer, appointment_id)
    return Response(status_code=204)


@router.post("/appointments/{appointment_id}/end", response_model=AppointmentObject, summary="End a series early")
def end_series(app: Parts, viewer: Asker, appointment_id: str) -> Response:
    """Delete the dates of a series that have not begun, and set it to canceled; those that have begun stay."""
    return _written(appointments.end(app, viewer, appointment_id), 200)


@router.get("/changes", response_model=Listing, tags=["changes"], summary="Read the CRM's change log")
def changes(
    app: Parts,
    viewer: Asker,
    cursor: Annotated[str | None, Query(description="`next` of the page before; none: from the beginning.")] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many entries at most.")] = LIMIT,
) -> Response:
    """Return what changed in the CRM since the cursor, tombstones included; `next` is never null: ask again with it."""
    return answered(reports.changes(app, viewer, cursor, limit))


def _written(written: appointments.Written, status: int) -> Response:
    if written.appointment is not None:
        return answered(written.appointment, status)
    assert written.refused is not None
    return problem(written.refused, clashes=written.clashes, unavailable=written.unavailable)
