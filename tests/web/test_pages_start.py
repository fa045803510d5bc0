"""The set-up: which step comes next follows from what there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncline.desk import mailboxes
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from tests.desk.office import DOMAIN, Office, at
from tests.web.visitor import Visitor, shown, visiting


@pytest.fixture
def ines(office: Office) -> Iterator[Visitor]:
    """Sign Ines in where no mailbox is connected yet."""
    for name in ("maya", "jonas"):
        mailboxes.remove(office.app, OPERATOR, f"{name}@{DOMAIN}")
    with visiting(office) as visitor:
        yield visitor.sign_in("ines")


def test_the_steps_follow_each_other(office: Office, ines: Visitor) -> None:
    """Mailbox, test, preview, first sync, done: each is shown because the one before is done."""
    office.in_crm("Quarterly review", at(10))
    office.in_outlook("Product demo", at(10.5))
    office.in_outlook("Lunch", at(12))
    assert "Whose calendar comes first?" in ines.text("/start")
    added = ines.post("/start/mailbox", address=f"maya@{DOMAIN}", user="maya", profile="exchange", track="all")
    key = str(office.mailbox("maya").id)
    assert added.headers["location"] == f"/start?mailbox={key}"
    assert "Does it work?" in ines.text("/start")

    tested = shown(ines.post("/start/test", mailbox=key).text)
    assert "The test succeeded." in tested and not office.mailbox("maya").enabled
    preview = shown(ines.post("/start/preview", mailbox=key).text)
    assert "would be saved in the CRM 1" in preview and "would wait for an answer 1" in preview
    assert "Product demo" in preview and "Quarterly review Tue 24 Nov 2026, 10:00" in preview

    assert ines.post("/start/enable", mailbox=key).status_code == 303
    assert "First sync of" in ines.text("/start")
    office.sync("maya")
    assert "It runs" in ines.text("/start")
    assert "The first sync is done" in ines.text(f"/mailboxes/{key}/progress")


def test_what_is_wrong_is_said_at_its_step(office: Office, ines: Visitor) -> None:
    """A wrong address stays in its field; a test that fails says which step failed and what to do."""
    refused = ines.post("/start/mailbox", address="maya", user="maya", profile="exchange")
    assert refused.status_code == 422 and 'value="maya"' in refused.text
    ines.post("/start/mailbox", address=f"maya@{DOMAIN}", user="maya", profile="exchange")
    office.refusal = SyncError("Unauthorized", mailbox=f"maya@{DOMAIN}")
    failed = shown(ines.post("/start/test", mailbox=str(office.mailbox("maya").id), password="other").text)

    assert "Sign-in refused" in failed and "The server was reached" in failed and "Not done: Signed in" in failed
    assert office.app.store.password(office.mailbox("maya").id) == "other"
    assert "Does it work?" in ines.text("/start")


def test_the_set_up_is_the_administrators(office: Office) -> None:
    """A User cannot open it, nor send its forms."""
    with visiting(office) as visitor:
        maya = visitor.sign_in("maya")
        assert maya.get("/start").status_code == 403
        sent = maya.post("/start/mailbox", address=f"x@{DOMAIN}", user="maya", profile="exchange")
        assert sent.status_code == 403
