"""`syncline trash`: listing, bringing back, and its exit codes."""

from __future__ import annotations

import pytest

from syncline.core.appointment import Address, Appointment, Identity, Span
from syncline.ports import Changes, Mailbox, Origin, Profile, Trashed
from syncline.wiring import App, open_app
from tests.cli.terminal import ADDRESS, Terminal
from tests.desk.office import at


@pytest.fixture
def app(terminal: Terminal) -> App:
    """Give a data folder with Maya's mailbox and a deleted appointment in its trash."""
    terminal("init", "--admin", "ines")
    terminal("users", "add", "maya", "--email", ADDRESS, "--full-name", "Maya Lind")
    app = open_app(terminal.folder / "data")
    profile = app.store.add_profile(Profile(name="office", url="https://mail.example/EWS", username="svc"))
    box = app.store.add_mailbox(Mailbox(address=ADDRESS, user="maya", profile_id=profile.id))
    span = Span(at(10, days=30_000).start, at(11, days=30_000).start)
    gone = Appointment(identity=Identity("uid-1"), subject="Bike fair", span=span, organizer=Address(ADDRESS, "Maya"))
    now = app.clock.now()
    lease = app.store.claim(box.id, "test", now, 60)
    assert lease is not None
    entry = Trashed(mailbox_id=box.id, side=Origin.CRM, appointment=gone, deleted_on=now)
    app.store.write(lease, Changes(trash=[entry]))
    app.store.release(lease, None, None)
    return app


def test_a_deleted_appointment_comes_back(terminal: Terminal, app: App) -> None:
    """Listed for people and machines, restored once, and explained."""
    app.close()
    (entry,) = terminal.json("trash", "list", "--mailbox", ADDRESS)
    assert (entry["subject"], entry["side"], entry["restored_on"]) == ("Bike fair", "crm", None)
    assert "Deleted in Outlook" in " ".join(terminal("trash", "list").split())
    assert terminal.json("trash", "list", "--search", "tour") == []
    assert "is in the trash as number 1" in terminal("explain", "bike")

    assert "Bike fair restored as" in terminal("trash", "restore", "1")
    (made,) = terminal.json("appointments", "list")
    assert terminal.json("trash", "list")[0]["appointment_id"] == made["id"]
    terminal("trash", "restore", "1", code=1)
    assert "AlreadyRestored" in terminal.errors and "Command line restored it" in terminal.errors


def test_a_scheduling_conflict_is_exit_1(terminal: Terminal, app: App) -> None:
    """Nothing is written, and what is in the way is told; --ignore-conflicts restores all the same."""
    app.close()
    span = at(10, days=30_000)
    times = ("--start", f"{span.start:%Y-%m-%dT%H:%MZ}", "--end", f"{span.end:%Y-%m-%dT%H:%MZ}")
    terminal("appointments", "add", "--subject", "Review", "--organizer", "maya", *times)
    refused = terminal.json("trash", "restore", "1", code=1)

    assert (refused["code"], refused["unavailable"]) == ("ExchangeSyncSchedulingConflictsError", ["Maya Lind"])
    assert "Review" in terminal.errors
    assert len(terminal.json("appointments", "list")) == 1
    assert terminal.json("trash", "restore", "1", "--ignore-conflicts")["subject"] == "Bike fair"


def test_an_empty_trash_and_what_is_not_there(terminal: Terminal) -> None:
    """A sentence, and exit 1."""
    terminal("init", "--admin", "ines")

    assert terminal("trash", "list").strip() == "The trash is empty."
    terminal("trash", "restore", "7", code=1)
    assert "There is no trash entry 7." in terminal.errors
