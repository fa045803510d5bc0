"""The API of answer rules: made, foretold, ordered, answered with, removed; and who may."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from syncline.web.app import create_app
from tests.desk.office import DOMAIN, Office
from tests.web.test_api import Caller, as_user, code

ADDRESS = f"maya@{DOMAIN}"


@pytest.fixture
def client(office: Office) -> Iterator[TestClient]:
    """Give a client on loopback."""
    with TestClient(create_app(office.app), base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50000)) as client:
        yield client


@pytest.fixture
def ines(office: Office, client: TestClient) -> Caller:
    """Call as the administrator."""
    return as_user(office, client, "ines")


@pytest.fixture
def maya(office: Office, client: TestClient) -> Caller:
    """Call as a user."""
    return as_user(office, client, "maya")


def test_a_rule_from_preview_to_removal(office: Office, ines: Caller) -> None:
    """Foretell, make, count what matches, answer it, move, switch off, remove."""
    question = office.the_scene()
    wanted = {"answer": "yes", "mailboxes": [ADDRESS], "organizer": "own", "all_day": False}
    told = ines("POST", "/rules/preview", json=wanted)
    assert (told["matched"], told["asked"], told["open"], told["days"]) == (1, 1, 1, 30)
    assert [(each["alert_id"], each["subject"], each["outcome"]) for each in told["items"]] == [
        (question.id, "Product demo for Alpen Sport", "open")
    ]

    rule = ines("POST", "/rules", 201, json=wanted)
    assert (rule["position"], rule["enabled"], rule["owner"], rule["mailboxes"]) == (1, True, None, [ADDRESS])
    assert ines("GET", f"/rules/{rule['id']}/matching") == {"rule": rule["id"], "count": 1}
    assert code(ines("POST", f"/rules/{rule['id']}/answer", 422, json={"count": 0})) == "InvalidRequest"
    assert ines("POST", f"/rules/{rule['id']}/answer", 202, json={"count": 1}) == {"answered": 1}

    other = ines("POST", "/rules", 201, json={"answer": "no", "name": "Never"})
    assert ines("PATCH", f"/rules/{other['id']}", json={"position": 1, "enabled": False})["enabled"] is False
    assert [each["id"] for each in ines("GET", "/rules")["items"]] == [other["id"], rule["id"]]
    assert code(ines("POST", "/rules", 409, json={"answer": "no", "name": "Never"})) == "AlreadyExists"
    ines("DELETE", f"/rules/{rule['id']}", 204)
    ines("DELETE", f"/rules/{rule['id']}", 404)


def test_a_user_keeps_to_his_own(office: Office, ines: Caller, maya: Caller) -> None:
    """Maya's rule is bound to her mailbox; everybody's are read-only for her, and Jonas' mailbox is not there."""
    everybody = ines("POST", "/rules", 201, json={"answer": "yes", "category": "Travel"})
    mine = maya("POST", "/rules", 201, json={"answer": "no", "private": True})
    assert mine["owner"] == "maya"
    assert [each["changeable"] for each in maya("GET", "/rules")["items"]] == [False, True]
    assert code(maya("PATCH", f"/rules/{everybody['id']}", 403, json={"enabled": False})) == "NotAllowed"
    assert code(maya("DELETE", f"/rules/{everybody['id']}", 403)) == "NotAllowed"
    assert code(maya("POST", "/rules", 404, json={"answer": "no", "mailboxes": [f"jonas@{DOMAIN}"]})) == "NotFoundHere"
    as_user(office, maya.client, "jonas")("GET", f"/rules/{mine['id']}/matching", 404)


@pytest.mark.parametrize(
    "body",
    [{}, {"answer": "maybe"}, {"answer": "yes", "then": 1}, {"answer": "yes", "organizer": "x"}, {"answer": None}],
)
def test_a_rule_that_cannot_be_is_refused(ines: Caller, body: dict[str, object]) -> None:
    """What is not a rule is refused with a problem document."""
    assert code(ines("POST", "/rules", 422, json=body)) == "InvalidRequest"
    assert code(ines("POST", "/rules/preview", 422, json=body)) == "InvalidRequest"
