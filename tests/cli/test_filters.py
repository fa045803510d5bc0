"""`syncline filters` over the real parts: counted, made, changed, reset, removed (1.11)."""

from __future__ import annotations

import pytest

from syncline.emulators.exchange import ExchangeEmulator
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.emulator


@pytest.mark.rule("1.11")
def test_filters_from_the_first_to_the_reset(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """The user of the mailbox has the default; another is counted, made, changed, switched and removed."""
    terminal.set_up(exchange)
    user = terminal.json("mailboxes", "list")[0]["user"]
    listed = terminal.json("filters", "list")
    assert [(each["kind"], each["user"], each["name"]) for each in listed] == [
        ("template", None, "My appointments"),
        ("user", user, "My appointments"),
    ]
    assert "the user is organizer or required attendee" in terminal("filters", "list")

    terminal("appointments", "add", "--subject", "Offer", "--start", "2031-03-03T09:00", "--organizer", user)
    asked = ("--user", user, "--organizer", "--where", "subject=offer", "--where", "private!=yes")
    assert "selects 1 of the 1 entries looked at, 0 of them new." in terminal("filters", "preview", *asked)
    made = terminal.json("filters", "add", *asked, "--name", "Offers")
    number = str(made["id"])
    assert [each["words"] for each in made["conditions"]] == [["organizer"], ["offer"], ["yes"]]
    assert "is off" in terminal("filters", "disable", number)
    assert "is on" in terminal("filters", "enable", number)
    assert "status is open" in terminal("filters", "edit", number, "--where", "status=open")
    assert "everything in which the user takes part" in terminal("filters", "edit", number, "--all")
    terminal("filters", "edit", number, "--all", "--optional", code=2)
    assert "Filter 4 made: Everything" in terminal("filters", "add", "--system")
    assert [each["kind"] for each in terminal.json("filters", "list", "--user", user)] == ["system", "user", "user"]
    assert "My appointments" in terminal("filters", "reset", "--user", user)
    terminal("filters", "remove", "4")
    terminal("filters", "remove", "4", code=1)
    terminal("filters", "remove", "1", code=2)
    terminal("filters", "add", "--where", "part=boss", "--user", user, code=2)
    terminal("filters", "add", code=2)
    assert [each["kind"] for each in terminal.json("filters", "list")] == ["template", "user"]


@pytest.mark.rule("A-03")
def test_an_appointment_may_have_no_organizer(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """An empty organizer is nobody."""
    terminal.set_up(exchange)
    terminal("appointments", "add", "--subject", "Nobody's", "--start", "2031-03-03T09:00", "--organizer", "")
    assert [each["organizer"] for each in terminal.json("appointments", "list")] == [None]
