"""`syncline sync --dry-run`: what it prints before anything is written, and that nothing is."""

from __future__ import annotations

from collections import Counter

import pytest

from syncline.commands.frame import opened
from syncline.emulators.exchange import ExchangeEmulator
from tests.acceptance.test_read_only import READING, requests
from tests.cli.terminal import ADDRESS, Terminal
from tests.emulator.client import Client

pytestmark = pytest.mark.emulator

EVE, GUS = "eve@elsewhere.example", "gus@partner.example"
CONFLICT = "ExchangeSyncSchedulingConflictsError"
TIMES = "<t:Start>2099-11-24T10:30:00Z</t:Start><t:End>2099-11-24T11:30:00Z</t:End>"


def add(terminal: Terminal, subject: str, day: int, *guests: str) -> str:
    """Enter an appointment of an hour from ten o'clock, and return its id."""
    times = ("--start", f"2099-11-{day}T10:00Z", "--end", f"2099-11-{day}T11:00Z")
    people = [word for guest in guests for word in ("--required", guest)]
    added = terminal.json("appointments", "add", "--subject", subject, "--organizer", "maya", *times, *people)
    return str(added["id"])


@pytest.fixture
def waiting(terminal: Terminal, exchange: ExchangeEmulator, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Give an installation in which a sync would write everything there is to write.

    An appointment to be made, one to be changed, one to be called off, one to be asked about and marked, and a file.
    """
    monkeypatch.setenv("SYNCLINE_ATTACHMENTS_ENABLED", "true")
    monkeypatch.setenv("SYNCLINE_OUTLOOK_ANSWER_BY_CATEGORY", "true")
    terminal.set_up(exchange)
    terminal("sync")
    visit, over = add(terminal, "Visit", 26, EVE, GUS), add(terminal, "Over", 27, EVE)
    terminal("sync")
    terminal("appointments", "edit", visit, "--subject", "Visit to Bern", "--location", "Bern")
    terminal("appointments", "delete", over)
    add(terminal, "Kick-off", 28, GUS)
    with opened(terminal.folder / "data") as app:
        app.crm.add_file(visit, "plan.txt", "text/plain", b"plan", by_user="maya")
    Client(exchange, ADDRESS, "pw-maya").created(f"<t:Subject>In the way</t:Subject>{TIMES}")
    return terminal


def rows(terminal: Terminal) -> list[dict[str, object]]:
    """Return what the CRM holds, without what Syncline says of it."""
    return [entry | {"link": None} for entry in terminal.json("appointments", "list")]


def outbox(exchange: ExchangeEmulator) -> list[tuple[str, str]]:
    """Return kind and recipient of every mail that the server has sent."""
    return [(mail["kind"], mail["to"]) for mail in Client(exchange, ADDRESS, "pw-maya").control("GET", "outbox")]


def test_it_prints_what_changes_who_is_mailed_and_what_is_asked(waiting: Terminal) -> None:
    """Fields with both values, each recipient with the mail that would leave, and the question with its code."""
    lines = [" ".join(line.split()) for line in waiting("sync", "--dry-run").splitlines()]
    change = "Location: nothing → Bern; Subject: Visit → Visit to Bern"
    assert f"Outlook update Visit to Bern 2099-11-26 10:00 {change} 2 (A-07) A-07" in lines
    assert "Outlook delete Over 2099-11-27 10:00 1 (A-12) A-11" in lines
    assert "Outlook make Kick-off 2099-11-28 10:00 1 (A-06) A-01" in lines
    at = lines.index("4 mails that Exchange would send")
    assert lines[at + 2 : at + 6] == [
        f"{EVE} cancellation Over 2099-11-27 10:00 A-12",
        f"{EVE} update Visit to Bern 2099-11-26 10:00 A-07",
        f"{GUS} request Kick-off 2099-11-28 10:00 A-06",
        f"{GUS} update Visit to Bern 2099-11-26 10:00 A-07",
    ]
    asked = next(at for at, line in enumerate(lines) if line.startswith("CRM ask In the way 2099-11-24 10:30"))
    assert "Maya Lind: Product demo for Alpen Sport" in lines[asked]
    assert CONFLICT in f"{lines[asked]} {lines[asked + 1]}"


def test_a_plan_writes_to_neither_side_and_the_sync_after_it_does(
    waiting: Terminal, exchange: ExchangeEmulator
) -> None:
    """No operation that writes reaches the server, no mail leaves, no row moves and nobody is asked.

    That there was something of every kind to write shows the sync that follows.
    """
    before, held, told = Counter(requests(exchange.control_url)), rows(waiting), outbox(exchange)
    waiting("sync", "--dry-run")
    (mailbox,) = waiting.json("sync", ADDRESS, "--dry-run")["mailboxes"]
    made = Counter(requests(exchange.control_url)) - before
    assert made
    assert set(made) <= READING
    assert (rows(waiting), outbox(exchange)) == (held, told)
    assert waiting.json("alerts", "list", "--open") == []

    foretold = [(mail["kind"], mail["to"]) for mail in mailbox["mailed"]]
    waiting("sync")
    written = {name for name in Counter(requests(exchange.control_url)) - before if name not in READING}
    assert written == {"CreateItem", "UpdateItem", "DeleteItem", "CreateAttachment"}
    assert sorted(outbox(exchange)) == sorted(told + foretold)
    assert [alert["code"] for alert in waiting.json("alerts", "list", "--open")] == [CONFLICT]
