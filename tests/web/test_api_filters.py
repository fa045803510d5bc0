"""The API of sync filters: previewed, made, changed, reset, removed; and who may (1.11, SEC-06)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from syncline.web.app import create_app
from tests.desk.office import Office, at
from tests.web.test_api import Caller, as_user, code

BUSY = {"field": "show_as", "words": ["Busy", "out of office"]}
KEPT = {"field": "show_as", "words": ["busy", "out_of_office"], "negated": False}


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


@pytest.mark.rule("1.11")
def test_a_filter_from_preview_to_removal(office: Office, maya: Caller) -> None:
    """Count, make, rename, switch off, give other conditions, remove, reset."""
    office.in_crm("Visit", at(9))
    assert maya("POST", "/filters/preview", json={"conditions": [BUSY]}) == {
        "selected": 1,
        "new": 0,
        "looked_at": 1,
        "complete": True,
    }
    made = maya("POST", "/filters", 201, json={"conditions": [BUSY]})
    assert (made["name"], made["kind"], made["user"]) == ("Shown as Busy or Out of Office", "user", "maya")
    assert made["conditions"] == [KEPT]

    path = f"/filters/{made['id']}"
    assert maya("PATCH", path, json={"name": "Mine", "enabled": False})["conditions"] == [KEPT]
    changed = maya("PATCH", path, json={"conditions": []})
    assert (changed["name"], changed["enabled"], changed["conditions"]) == ("Mine", False, [])
    assert [each["name"] for each in maya("GET", "/filters")["items"]] == ["My appointments", "Mine"]
    maya("DELETE", path, 204)
    maya("DELETE", path, 404)
    (fresh,) = maya("POST", "/filters/reset", json={})["items"]
    assert (fresh["name"], fresh["user"]) == ("My appointments", "maya")


@pytest.mark.rule("SEC-06")
def test_a_user_keeps_to_his_own(ines: Caller, maya: Caller) -> None:
    """Everybody's and other people's filters are a System Administrator's."""
    everybody = ines("POST", "/filters", 201, json={"everybody": True, "name": "All hands"})
    his = ines("POST", "/filters", 201, json={"user": "jonas"})
    template = ines("GET", "/filters")["items"][0]

    assert [each["kind"] for each in maya("GET", "/filters")["items"]] == ["system", "user"]
    assert [each["kind"] for each in ines("GET", "/filters?user=jonas")["items"]] == ["system", "user", "user"]
    for method, path, body, status in (
        ("POST", "/filters", {"everybody": True}, 403),
        ("POST", "/filters", {"user": "jonas"}, 403),
        ("POST", "/filters/preview", {"user": "jonas"}, 403),
        ("POST", "/filters/reset", {"user": "jonas"}, 403),
        ("GET", "/filters?user=jonas", None, 403),
        ("PATCH", f"/filters/{everybody['id']}", {"enabled": False}, 403),
        ("DELETE", f"/filters/{everybody['id']}", None, 403),
        ("PATCH", f"/filters/{his['id']}", {"enabled": False}, 404),
        ("DELETE", f"/filters/{template['id']}", None, 404),
    ):
        maya(method, path, status, json=body)
    assert code(ines("DELETE", f"/filters/{template['id']}", 422)) == "InvalidRequest"


@pytest.mark.parametrize(
    "body",
    [
        {"conditions": [{"field": "colour", "words": ["red"]}]},
        {"conditions": [{"field": "part", "words": ["boss"]}]},
        {"conditions": [{"field": "part", "words": []}]},
        {"conditions": [{"field": "part"}]},
        {"conditions": [BUSY] * 21},
        {"then": 1},
        {"name": "n" * 81},
    ],
)
def test_what_is_sent_is_checked(maya: Caller, body: dict[str, object]) -> None:
    """A filter that nobody could mean is refused."""
    assert code(maya("POST", "/filters", 422, json=body)) == "InvalidRequest"
