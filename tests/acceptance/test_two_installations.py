"""Two installations and one mailbox: one of them keeps it in step, the other says who does, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncline import wiring
from syncline.config import CrmSettings, Settings
from syncline.desk import alerts, mailboxes
from syncline.desk.archiving import backup, restore
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from tests.acceptance.installation import Installation, address, installed
from tests.acceptance.site import Outlook, at, event
from tests.acceptance.test_read_only import requests

pytestmark = pytest.mark.emulator

FOREIGN = "ExchangeSyncIncorrectCrmOrgError"
MAYA = address("maya")
LATER = timedelta(minutes=15)


@dataclass(frozen=True)
class Both:
    """Two installations, each with its own state and its own CRM, at one Exchange server and by one clock."""

    first: Installation
    second: Installation

    def subjects(self) -> tuple[list[str], list[str]]:
        """Return what stands in either CRM."""
        first, second = (sorted({row.subject for row in each.calendar()}) for each in (self.first, self.second))
        return first, second


def writing(settings: Settings) -> Settings:
    """Let the CRM's changes go to Exchange: who writes nothing leaves no mark."""
    return replace(settings, exchange=replace(settings.exchange, write=True))


@contextmanager
def opened(data: Path, beside: Installation, crm_name: str) -> Iterator[Installation]:
    """Open another installation at the same server."""
    wiring.make_folder(data)
    app = wiring.open_app(data, writing(replace(Settings(data=data), crm=CrmSettings(name=crm_name))))
    try:
        yield Installation(app, beside.exchange, beside.clock)
    finally:
        app.close()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    """Open two installations; the first keeps Maya's mailbox in step, the second only knows of her."""

    def named(settings: Settings) -> Settings:
        return writing(replace(settings, crm=CrmSettings(name="Contoso CRM")))

    with installed(tmp_path / "first", change=named) as first, opened(tmp_path / "second", first, "Fabrikam") as second:
        Outlook(first).load(event("one", at(9), at(10)))
        for each in (first, second):
            each.hire("maya")
            each.add_profile()
        first.enable("maya")
        assert [result.error for result in first.sync()] == [None]
        yield Both(first, second)


def in_vain(world: Installation) -> SyncError:
    """Add Maya's mailbox, and return why its test fails."""
    with pytest.raises(SyncError) as failed:
        world.enable("maya")
    return failed.value


@pytest.mark.rule("M-06")
@pytest.mark.rule("T-05")
def test_the_second_installation_is_told_who_keeps_the_mailbox_in_step(both: Both) -> None:
    """Its test fails with name and date, nothing is enabled, and the first one goes on."""
    error = in_vain(both.second)
    assert (error.code, error.params["other"], error.params["since"]) == (FOREIGN, "Contoso CRM", "2026-11-23")
    said = "Another installation of Syncline (Contoso CRM) keeps maya@example.org in step, since 2026-11-23."
    assert error.text == said

    trouble = mailboxes.trouble(both.second.app, OPERATOR, MAYA)
    assert trouble is not None
    assert trouble.text == said
    assert [alert.code for alert in alerts.listing(both.second.app, OPERATOR)] == [FOREIGN]
    assert mailboxes.show(both.second.app, OPERATOR, MAYA).enabled is False
    assert both.second.sync() == []
    both.first.advance(minutes=20)
    assert [result.error for result in both.first.sync()] == [None]


@pytest.mark.rule("T-05")
@pytest.mark.rule("M-06")
def test_a_mailbox_that_is_taken_over_stops_in_the_first_installation_and_loses_nothing(both: Both) -> None:
    """The first one finds the mark within a quarter of an hour, is switched off with an alert, and may come back."""
    in_vain(both.second)
    taken = mailboxes.test(both.second.app, OPERATOR, MAYA, take_over=True)
    assert (taken.error, taken.mailbox.enabled) == (None, True)
    Outlook(both.first).create("two", at(11), at(12))
    assert [result.error for result in both.second.sync()] == [None]
    assert both.subjects() == (["one"], ["one", "two"])

    both.first.advance(seconds=LATER.total_seconds())
    (stopped,) = both.first.sync()
    assert stopped.error is not None
    assert (stopped.error.code, stopped.error.params["other"]) == (FOREIGN, "Fabrikam")
    assert mailboxes.show(both.first.app, OPERATOR, MAYA).state == "disabled"
    assert [alert.code for alert in alerts.listing(both.first.app, OPERATOR, only_open=True)] == [FOREIGN]
    assert both.subjects() == (["one"], ["one", "two"])

    back = mailboxes.test(both.first.app, OPERATOR, MAYA, take_over=True)
    assert back.error is None
    assert [result.error for result in both.first.sync()] == [None]
    assert both.subjects() == (["one", "two"], ["one", "two"])
    assert alerts.listing(both.first.app, OPERATOR, only_open=True) == []
    both.first.advance(seconds=LATER.total_seconds())
    (stopped,) = both.second.sync()
    assert stopped.error is not None
    assert stopped.error.code == FOREIGN
    assert [stored["subject"] for stored in stored_appointments(both)] == ["one", "two"]


@pytest.mark.rule("M-06")
def test_a_state_restored_from_a_backup_is_the_same_installation(both: Both, tmp_path: Path) -> None:
    """The id is part of the state: after a restore, on another machine too, the mailbox is still ours."""
    archive = tmp_path / "backup.tar"
    backup(both.first.app.data, archive)
    installation = both.first.app.store.installation()
    restored = tmp_path / "restored"
    restore(archive, restored)
    app = wiring.open_app(restored)
    try:
        again = mailboxes.test(app, OPERATOR, MAYA)
        assert (again.error, again.mailbox.enabled) == (None, True)
        assert app.store.installation() == installation
    finally:
        app.close()


@pytest.mark.rule("M-06")
def test_a_quiet_cycle_asks_the_server_for_nothing_more(both: Both) -> None:
    """The mark is read with the list of folders, every quarter of an hour, and written once."""
    control = both.first.exchange.control_url
    before = requests(control)
    both.first.sync()
    both.first.sync()
    quiet = requests(control)
    both.first.advance(seconds=LATER.total_seconds())
    both.first.sync()
    after = requests(control)

    def more(name: str, then: dict[str, int], now: dict[str, int]) -> int:
        return now.get(name, 0) - then.get(name, 0)

    assert more("GetUserConfiguration", before, quiet) == 0
    # A mailbox that tracks everything reads no category list: this is the mark.
    assert more("GetUserConfiguration", quiet, after) == 1
    assert (after["CreateUserConfiguration"], after.get("UpdateUserConfiguration", 0)) == (1, 0)


def test_an_account_that_may_not_write_is_told_so(both: Both, tmp_path: Path) -> None:
    """A writable profile fails its test with what to do; a read-only one passes and sets nothing."""
    client = Outlook(both.first).client
    client.control("POST", "faults", {"operation": "CreateUserConfiguration", "fault": "denied"})
    with opened(tmp_path / "third", both.first, "Third") as third:
        mailbox = third.exchange.store.mailboxes()[0]
        folder = third.exchange.store.distinguished(mailbox.row, "calendar")
        assert folder is not None
        for row, _ in third.exchange.store.notes(f"configuration:{folder.row}:Syncline"):
            third.exchange.store.remove_note(row)
        third.hire("maya")
        third.add_profile()
        assert in_vain(third).code == "OrganizationMarkNotWritable"
        third.add_profile("reading", read_only=True)
        mailboxes.remove(third.app, OPERATOR, MAYA)
        third.enable("maya", profile="reading")


def stored_appointments(both: Both) -> list[dict[str, object]]:
    """Return what stands in Maya's calendar on the server, by subject."""
    listed = Outlook(both.first).client.control("GET", f"mailboxes/{MAYA}/appointments")
    return sorted(listed, key=lambda stored: str(stored["subject"]))
