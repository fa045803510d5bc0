"""The API of the third answer, of taking answers back, and of free times."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.desk import tokens
from syncline.desk.reading import OPERATOR
from syncline.web.app import create_app
from tests.desk.office import Office, at, hash_cheaply
from tests.web.test_api import Caller


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Give a firm."""
    hash_cheaply(monkeypatch)
    return Office(tmp_path)


@pytest.fixture
def maya(office: Office) -> Caller:
    """Give a program of Maya's."""
    token = tokens.create(office.app, OPERATOR, "maya", "tests").token
    return Caller(TestClient(create_app(office.app), base_url="http://localhost"), str(token))


def series(office: Office) -> int:
    """Let one of five dates overlap a fair, and return the question's number."""
    office.in_crm("Bike fair", at(8, days=3, length=8))
    ref = office.in_outlook("Pipeline call", at(9))
    daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(9).start.date(), count=5)
    office.change(ref, recurrence=daily)
    office.sync("maya")
    return office.question().id


def test_a_series_is_saved_without_its_overlapping_dates(office: Office, maya: Caller) -> None:
    """202 with the alert, which names the dates left out; the CRM holds the others."""
    given = maya("POST", f"/alerts/{series(office)}/answer", 202, json={"answer": "without_overlaps"})
    office.sync("maya")
    held = maya("GET", "/appointments?from=2026-11-24&to=2026-12-01")["items"]

    assert (given["outcome"], given["left_out"]) == ("saving", ["2026-11-26T09:00:00Z"])
    assert sum(each["subject"] == "Pipeline call" for each in held) == 4


def test_a_single_is_refused_for_itself(office: Office, maya: Caller) -> None:
    """422 alone; among many its code stands in `refused`."""
    number = series(office)
    office.in_crm("Review", at(14))
    office.in_outlook("Single", at(14))
    office.sync("maya")
    single = next(each["id"] for each in maya("GET", "/alerts?open=true")["items"] if each["subject"] == "Single")
    problem = maya("POST", f"/alerts/{single}/answer", 422, json={"answer": "without_overlaps"})
    many = maya("POST", "/alerts/answer", 202, json={"answer": "without_overlaps", "ids": [number, single]})

    assert problem["code"] == "InvalidRequest"
    assert [each["id"] for each in many["items"]] == [number]
    assert many["refused"] == [{"id": single, "code": "InvalidRequest"}]


def test_nothing_would_remain(office: Office, maya: Caller) -> None:
    """A series that overlaps in every date cannot be saved without them: 409 with the alert."""
    office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=9")
    ref = office.in_outlook("Pipeline call", at(9))
    daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(9).start.date(), count=5)
    office.change(ref, recurrence=daily)
    office.sync("maya")
    problem = maya("POST", f"/alerts/{office.question().id}/answer", 409, json={"answer": "without_overlaps"})

    assert (problem["code"], problem["alert"]["state"]) == ("NothingWouldRemain", "open")


def test_an_answer_is_taken_back_once(office: Office, maya: Caller) -> None:
    """202 with the open alert; again is a conflict, and so is what is carried out."""
    question = office.the_scene()
    given = maya("POST", f"/alerts/{question.id}/answer", 202, json={"answer": "yes"})
    taken = maya("POST", f"/alerts/{question.id}/undo", 202)
    again = maya("POST", f"/alerts/{question.id}/undo", 409)
    maya("POST", f"/alerts/{question.id}/answer", 202, json={"answer": "yes"})
    office.sync()
    late = maya("POST", f"/alerts/{question.id}/undo", 409)

    assert (given["can_undo"], taken["state"], taken["can_undo"]) == (True, "open", False)
    assert (again["code"], again["alert"]["state"]) == ("NotAnswered", "open")
    assert (late["code"], late["alert"]["outcome"]) == ("AlreadyBegun", "saved")


def test_free_times_are_a_listing_of_times_only(office: Office, maya: Caller) -> None:
    """Start and end of the next slots, and nothing about what fills the others."""
    question = office.the_scene()
    found = maya("GET", f"/alerts/{question.id}/free-times")

    assert found["next"] is None
    assert [each["start"][11:16] for each in found["items"]] == ["08:00", "09:00", "11:00"]
    assert {key for each in found["items"] for key in each} == {"start", "end"}
