"""The API of the trash: listing by pages, restoring, and who may."""

from __future__ import annotations

from starlette.testclient import TestClient

from syncline.core.appointment import Sensitivity
from syncline.desk import tokens
from syncline.desk.reading import OPERATOR
from syncline.web.app import create_app
from tests.desk.office import DOMAIN, Office, at
from tests.desk.test_trash import CONFLICT, content, thrown
from tests.web.test_api import Caller


def caller(office: Office, name: str) -> Caller:
    """Return a program of this user."""
    token = tokens.create(office.app, OPERATOR, name, "test").token
    assert token is not None
    client = TestClient(create_app(office.app), base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50000))
    return Caller(client, token)


def test_entries_come_in_pages_newest_first(office: Office) -> None:
    """A listing like the others: items, next, a mailbox, words."""
    numbers = [thrown(office, content(subject)) for subject in ("Bike fair", "Bike tour", "Lunch")]
    his = thrown(office, content("Jonas's lunch"), owner="jonas")
    ines = caller(office, "ines")
    first = ines("GET", "/trash?limit=3")
    second = ines("GET", f"/trash?limit=3&cursor={first['next']}")

    assert [each["id"] for each in first["items"]] == [his, *numbers[:0:-1]]
    assert ([each["subject"] for each in second["items"]], second["next"]) == (["Bike fair"], None)
    assert len(ines("GET", "/trash?search=bike")["items"]) == 2
    assert [each["id"] for each in ines("GET", f"/trash?mailbox=jonas@{DOMAIN}")["items"]] == [his]
    assert [each["id"] for each in caller(office, "jonas")("GET", "/trash")["items"]] == [his]


def test_an_entry_is_restored(office: Office) -> None:
    """201 with the new appointment; the entry then leads to it, and a second time is refused with 409."""
    number = thrown(office, content("Demo"))
    maya = caller(office, "maya")
    made = maya("POST", f"/trash/{number}/restore", 201)
    after = maya("GET", f"/trash/{number}")
    again = maya("POST", f"/trash/{number}/restore", 409)

    assert (made["subject"], made["organizer"]) == ("Demo", f"maya@{DOMAIN}")
    assert (after["appointment_id"], after["restored_by"]) == (made["id"], "Maya Lind")
    assert again["code"] == "AlreadyRestored" and "Maya Lind restored it on" in again["detail"]


def test_a_scheduling_conflict_is_told_with_its_clashes(office: Office) -> None:
    """409 and nothing is written, unless conflicts are ignored."""
    office.in_crm("Review", at(10))
    number = thrown(office, content("Demo", 10.5))
    maya = caller(office, "maya")
    refused = maya("POST", f"/trash/{number}/restore", 409)

    assert (refused["code"], [clash["subject"] for clash in refused["clashes"]]) == (CONFLICT, ["Review"])
    assert len(maya("GET", "/appointments")["items"]) == 1
    maya("POST", f"/trash/{number}/restore?ignore_conflicts=true", 201)
    assert len(maya("GET", "/appointments")["items"]) == 2


def test_other_peoples_trash_is_not_there(office: Office) -> None:
    """A User gets 404; an administrator reads no private subject."""
    number = thrown(office, content("Doctor", sensitivity=Sensitivity.PRIVATE))
    jonas = caller(office, "jonas")

    jonas("GET", f"/trash/{number}", 404)
    jonas("POST", f"/trash/{number}/restore", 404)
    assert caller(office, "ines")("GET", f"/trash/{number}")["subject"] == "Private appointment"


def test_explain_tells_of_it(office: Office) -> None:
    """The API's explain finds what was deleted."""
    thrown(office, content("Demo"))

    (story,) = caller(office, "maya")("GET", "/explain?q=demo")["items"]
    assert story["state"] == "trashed" and "is in the trash" in story["text"]
