"""A question answered in Outlook, over the wire: from the appointment that waits to the row, and nobody is mailed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncline.config import OutlookSettings, Settings
from tests.acceptance.installation import installed
from tests.acceptance.site import Outlook, Site, at, served

pytestmark = pytest.mark.emulator

WAITING, YES, NO = "Waiting: double booking", "Save anyway", "Keep out"


def by_category(settings: Settings) -> Settings:
    """Switch answering by category on."""
    return replace(settings, outlook=OutlookSettings(answer_by_category=True))


def stored(outlook: Outlook, subject: str) -> Any:
    """Return an appointment as the server keeps it."""
    store = outlook.world.exchange.store
    mailbox = store.mailbox(f"{outlook.name}@example.org")
    assert mailbox is not None
    folder = store.distinguished(mailbox.row, "calendar")
    assert folder is not None
    return next(each for each in store.items(folder.row) if each.item.subject == subject)


def put(outlook: Outlook, item_id: str, *names: str) -> None:
    """Set the categories of an appointment, as its owner does."""
    outlook.change(item_id, Categories="".join(f"<t:String>{name}</t:String>" for name in names))


def mails(outlook: Outlook) -> int:
    """Return how many mails the server sent or would have sent."""
    return len(outlook.client.control("GET", "outbox"))


def writes(outlook: Outlook) -> int:
    """Return how many requests changed items, those of the owner included."""
    counted = outlook.client.control("GET", "requests")
    return int(counted.get("UpdateItem", 0))


def ask(site: Site, outlook: Outlook, subject: str = "Demo", more: str = "") -> str:
    """Let an appointment wait for an answer and return its id."""
    site.in_crm(f"In the way of {subject}", at(9), at(10))
    item = outlook.create(subject, at(9), at(10), more)
    site.sync()
    return item


@pytest.mark.parametrize(("answer", "outcome"), [(YES, "saved"), (NO, "kept_out")])
def test_a_meeting_is_marked_and_answered_and_nobody_is_mailed(tmp_path: Path, answer: str, outcome: str) -> None:
    """The organizer's own copy carries the mark, guests hear nothing, and both categories go with the answer."""
    guests = (
        "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>jonas@example.org</t:EmailAddress></t:Mailbox>"
        "</t:Attendee></t:RequiredAttendees>"
    )
    with installed(tmp_path / "data", people=("maya", "jonas"), change=by_category) as world:
        maya = Outlook(world)
        with served(world, "maya", jobs=False) as site:
            item = ask(site, maya, more=guests)
            assert stored(maya, "Demo").item.categories == (WAITING,)
            put(maya, item, "Red", answer)
            site.sync()

            (alert,) = [each for each in site.items("/alerts") if each["outcome"]]
            assert (alert["outcome"], alert["decided_by"]) == (outcome, "Maya in Outlook")
            assert stored(maya, "Demo").item.categories == ("Red",)
            assert len(site.rows("Demo")) == (1 if answer == YES else 0)
            assert mails(maya) == 0
            quiet = writes(maya)
            for _ in range(3):
                site.sync()
            assert writes(maya) == quiet


def test_an_answer_on_a_page_takes_the_mark_off(tmp_path: Path) -> None:
    """Wherever the question is answered, the appointment does not wait any more."""
    with installed(tmp_path / "data", change=by_category) as world:
        maya = Outlook(world)
        with served(world, "maya", jobs=False) as site:
            ask(site, maya)
            question = site.question()
            site.post(f"/alerts/{question['id']}/answer", 202, answer="yes")
            site.sync()

            assert stored(maya, "Demo").item.categories == ()
            assert len(site.rows("Demo")) == 1


def test_without_the_right_to_write_people_answer_in_syncline(tmp_path: Path) -> None:
    """One alert says so, the mailbox stays enabled, and it is not tried again with every sync."""
    with installed(tmp_path / "data", change=by_category) as world:
        maya = Outlook(world)
        maya.client.control("POST", "faults", {"operation": "UpdateItem", "fault": "denied", "count": 50})
        with served(world, "maya", jobs=False) as site:
            ask(site, maya)
            for _ in range(5):
                site.sync()

            told = [each for each in site.items("/alerts", open="true") if each["code"] == "CategoriesNotWritable"]
            assert (len(told), site.mailbox()["enabled"], writes(maya)) == (1, True, 1)
            (question,) = [each for each in site.items("/alerts", open="true") if each not in told]
            site.post(f"/alerts/{question['id']}/answer", 202, answer="yes")
            site.sync()
            assert len(site.rows("Demo")) == 1


@pytest.mark.parametrize("fault", ["lost_answer", "busy", "unavailable", "broken", "forbidden"])
def test_a_write_that_fails_is_made_good_and_doubles_nothing(tmp_path: Path, fault: str) -> None:
    """Whatever becomes of the request, in the end the appointment carries one mark and the mailbox is well."""
    with installed(tmp_path / "data", change=by_category) as world:
        maya = Outlook(world)
        maya.client.control("POST", "faults", {"operation": "UpdateItem", "fault": fault})
        with served(world, "maya", jobs=False) as site:
            ask(site, maya)
            world.advance(days=1)
            site.sync()

            assert stored(maya, "Demo").item.categories == (WAITING,)
            assert (site.mailbox()["enabled"], site.mailbox()["last_sync"] is not None) == (True, True)
