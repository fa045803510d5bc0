"""API: alerts and their answers, failures, and why an item did or did not sync."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from syncline.desk import alerts, explaining, failures, free_times, wall
from syncline.desk.objects import AlertObject, FailureObject, Listing
from syncline.errors import SyncError
from syncline.web.asking import Asker, Paged, Parts, answered, paged
from syncline.web.problems import problem

router = APIRouter(tags=["alerts"])
Word = Literal["yes", "no", "without_overlaps"]
Level = Literal["error", "warning", "information"]
State = Literal["open", "answered", "kept_out", "withdrawn", "lapsed"]


class Answer(BaseModel):
    """An answer to one question; `version` is that of the alert that the person saw."""

    model_config = ConfigDict(extra="forbid")

    answer: Word
    version: int | None = None


class Answers(BaseModel):
    """One answer to many questions: to these `ids`, or to every open one of `mailbox` with `code`."""

    model_config = ConfigDict(extra="forbid")

    answer: Word
    ids: list[int] | None = None
    mailbox: str | None = None
    code: str | None = None


class Narrowed:
    """Which alerts are listed: by mailbox, code, level, state, and words of the subject as far as it may be read."""

    def __init__(
        self,
        mailbox: Annotated[str | None, Query(description="Only this mailbox (id or address).")] = None,
        only_open: Annotated[bool | None, Query(alias="open", description="Only open, or only closed alerts.")] = None,
        code: Annotated[str | None, Query(description="Only alerts with this catalogue code.")] = None,
        level: Annotated[Level | None, Query(description="Only alerts of this level.")] = None,
        state: Annotated[
            State | None, Query(description="Only alerts in this state; not together with `open`.")
        ] = None,
        search: Annotated[
            str | None, Query(max_length=wall.WORDS_MAX, description="Words of the subject, as the asker may read it.")
        ] = None,
    ) -> None:
        if only_open is not None and state is not None:
            raise SyncError("InvalidRequest", detail="Name either open or state.")
        word = wall.ANY if only_open is None else "open" if only_open else "closed"
        self.filters = wall.Filters(
            mailbox=mailbox or "",
            kind=code or "",
            level=level or "",
            state=word if state is None else "decided" if state == "answered" else state,
            words=search or "",
        )


@router.get("/alerts", response_model=Listing, summary="List alerts")
def list_alerts(app: Parts, viewer: Asker, window: Paged, narrowed: Annotated[Narrowed, Depends()]) -> Response:
    """Return alerts, each question by itself, the newest first."""
    found = wall.page(app, viewer, narrowed.filters, after=window.after_number, limit=window.limit)
    return answered(paged(found.items, found.next))


@router.post("/alerts/answer", status_code=202, response_model=Listing, summary="Answer many questions")
def answer_many(app: Parts, viewer: Asker, body: Answers) -> Response:
    """Give the same answer to many questions; those that could not be answered are in `refused` with their codes."""
    if (body.ids is None) == (body.mailbox is None or body.code is None):
        raise SyncError("InvalidRequest", detail="Name either ids, or mailbox and code.")
    if body.ids is not None:
        given = alerts.answer_ids(app, viewer, body.ids, body.answer)
    else:
        given = alerts.answer_code(app, viewer, str(body.mailbox), str(body.code), body.answer)
    taken = [each.alert for each in given if each.refused is None]
    refused = [{"id": each.alert.id, "code": each.refused.code} for each in given if each.refused is not None]
    return answered({"items": taken, "next": None, "refused": refused}, 202)


@router.get("/alerts/{alert_id}", response_model=AlertObject, summary="Show an alert")
def show_alert(app: Parts, viewer: Asker, alert_id: int) -> Response:
    """Return one alert with what is in the way now."""
    return answered(alerts.show(app, viewer, alert_id))


@router.get("/alerts/{alert_id}/free-times", response_model=Listing, summary="List the next free times of everybody")
def list_free_times(app: Parts, viewer: Asker, alert_id: int) -> Response:
    """Return the next times within working hours at which all people of a waiting appointment are free."""
    return answered({"items": free_times.free_times(app, viewer, alert_id), "next": None})


@router.post("/alerts/{alert_id}/answer", response_model=AlertObject, status_code=202, summary="Answer a question")
def answer(app: Parts, viewer: Asker, alert_id: int, body: Answer) -> Response:
    """Answer Yes, No, or Yes without the dates of a series that overlap (`without_overlaps`).

    409 with the alert as it stands in `alert` if it cannot be answered so any more.
    """
    given = alerts.answer(app, viewer, alert_id, body.answer, version=body.version)
    return answered(given.alert, 202) if given.refused is None else problem(given.refused, alert=given.alert)


@router.post("/alerts/{alert_id}/undo", response_model=AlertObject, status_code=202, summary="Take an answer back")
def undo(app: Parts, viewer: Asker, alert_id: int) -> Response:
    """Take back an answer that nobody has begun to carry out; 409 with the alert in `alert` if that is too late."""
    (taken,) = alerts.undo(app, viewer, [alert_id])
    return answered(taken.alert, 202) if taken.refused is None else problem(taken.refused, alert=taken.alert)


@router.get("/failures", response_model=Listing, tags=["failures"], summary="List failures")
def list_failures(
    app: Parts,
    viewer: Asker,
    window: Paged,
    mailbox: Annotated[str | None, Query(description="Only this mailbox (id or address).")] = None,
    every: Annotated[bool, Query(alias="all", description="Also what was kept out or skipped by a rule.")] = False,
) -> Response:
    """Return the items that are not synchronized, questions included."""
    after = window.after_number
    found = failures.page(app, viewer, mailbox=mailbox, every=every, after=after, limit=window.limit)
    return answered(paged(found.items, found.next))


@router.post("/failures/{failure_id}/retry", response_model=FailureObject, status_code=202, tags=["failures"])
def retry(app: Parts, viewer: Asker, failure_id: int) -> Response:
    """Try an item again at once; 204 when it is synchronized by then."""
    found = failures.retry(app, viewer, failure_id)
    return Response(status_code=204) if found is None else answered(found, 202)


@router.post("/failures/{failure_id}/ignore", status_code=204, tags=["failures"])
def ignore(app: Parts, viewer: Asker, failure_id: int) -> Response:
    """Leave an item out until it changes in Exchange."""
    failures.ignore(app, viewer, failure_id)
    return Response(status_code=204)


@router.get("/explain", tags=["failures"], summary="Why an item did or did not sync")
def explain(
    app: Parts, viewer: Asker, q: Annotated[str, Query(min_length=1, description="Subject, appointment or item id.")]
) -> Response:
    """Return the story of each item that the words fit: rules, state and next try."""
    return answered({"items": explaining.explain(app, viewer, q), "next": None})
