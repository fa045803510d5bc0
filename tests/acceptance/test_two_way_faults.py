"""Both directions while things go wrong: lost answers, a broken item, no right to write, another installation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncline.desk import mailboxes
from syncline.desk.reading import OPERATOR
from tests.acceptance.installation import address
from tests.acceptance.site import at, event
from tests.acceptance.test_read_only import READING, requests
from tests.acceptance.test_two_installations import opened as beside
from tests.acceptance.two_way import GUEST, JONAS, MAYA, Firm, opened

pytestmark = pytest.mark.emulator


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    """Open a firm after its first sync."""
    with opened(tmp_path / "data") as found:
        found.sync(MAYA, JONAS)
        yield found


def again(firm: Firm) -> None:
    """Let the mailbox come back after the fault, and settle."""
    firm.disarm()
    for _ in range(2):
        assert firm.site.try_again(MAYA)["error"] is None


@pytest.mark.rule("A-06")
def test_a_creation_whose_answer_is_lost(firm: Firm) -> None:
    """The meeting stands in Outlook once, and Eve has one mail."""
    firm.site.in_crm("Visit", at(10), at(11), required=[GUEST])
    firm.arm("CreateItem", "lost_answer", 9)
    firm.site.sync(MAYA)
    again(firm)
    assert [each["subject"] for each in firm.calendar()] == ["Visit"]
    assert firm.mails() == [("request", GUEST)]
    assert firm.links() == [(firm.row("Visit")["id"], "settled", None)]
    firm.assert_quiet()


@pytest.mark.rule("A-06")
def test_a_series_whose_answers_are_lost_half_way(firm: Firm) -> None:
    """The series is there, one of its dates was being moved: afterwards all of it stands, one mail for each."""
    firm.site.in_crm("Jour fixe", at(9), at(10), recurrence="FREQ=WEEKLY;COUNT=4", required=[GUEST])
    dates = firm.dates("Jour fixe", at(0), at(0, days=60))
    firm.patch(dates[1]["id"], location="Bern")
    firm.delete_row(dates[2]["id"])
    firm.arm("UpdateItem", "lost_answer", 9)
    firm.site.sync(MAYA)
    again(firm)
    series = firm.item("Jour fixe")
    assert series["deleted"] == [f"{at(9, days=15):%Y-%m-%dT%H:%M:%SZ}"]
    assert [each["location"] for each in firm.calendar() if each["series_id"]] == ["Bern"]
    sent = firm.mails()
    assert sent.count(("request", GUEST)) == 1
    assert sent.count(("cancellation", GUEST)) == 1
    assert sent.count(("update", GUEST)) == 1
    firm.assert_quiet()


@pytest.mark.rule("A-07")
def test_an_update_whose_answer_is_lost(firm: Firm) -> None:
    """It is found done and not sent again: Eve has one update."""
    row = firm.site.in_crm("Visit", at(10), at(11), required=[GUEST])
    firm.sync()
    firm.mails()
    firm.patch(row["id"], location="Bern")
    firm.arm("UpdateItem", "lost_answer", 9)
    firm.site.sync(MAYA)
    again(firm)
    assert firm.item("Visit")["location"] == "Bern"
    assert firm.mails() == [("update", GUEST)]
    firm.assert_quiet()


@pytest.mark.rule("A-12")
def test_a_deletion_whose_answer_is_lost(firm: Firm) -> None:
    """It is found done: one cancellation, and what was deleted is kept."""
    row = firm.site.in_crm("Visit", at(10), at(11), required=[GUEST])
    firm.sync()
    firm.mails()
    firm.delete_row(row["id"])
    firm.arm("DeleteItem", "lost_answer", 9)
    firm.site.sync(MAYA)
    again(firm)
    assert firm.calendar() == []
    assert firm.mails() == [("cancellation", GUEST)]
    assert firm.links() == []
    assert [each["subject"] for each in firm.site.items("/trash")] == ["Visit"]
    firm.assert_quiet()


@pytest.mark.rule("B-05")
def test_a_refused_item_fails_alone(firm: Firm) -> None:
    """Exchange refuses one of three new items: it is listed with its code, two are made, and later it is too."""
    for hour in (9, 11, 13):
        firm.site.in_crm(f"at {hour}", at(hour), at(hour + 1))
    firm.arm("CreateItem", "broken")
    report = firm.site.sync(MAYA)
    assert (report["error"], report["failed"], report["saved"]) == (None, 1, 2)
    (failure,) = firm.site.items("/failures")
    assert (failure["state"], failure["mailbox"]) == ("failed", address(MAYA))
    firm.disarm()
    firm.site.try_again(MAYA)
    assert sorted(each["subject"] for each in firm.calendar()) == ["at 11", "at 13", "at 9"]
    assert firm.site.items("/failures") == []
    assert firm.open_codes() == []
    firm.assert_quiet()


def test_an_account_that_may_only_read_says_so(firm: Firm) -> None:
    """Every write is denied: each item says why, Exchange's own changes still come in, and later all goes over."""
    firm.site.in_crm("Visit", at(10), at(11))
    firm.arm("CreateItem", "denied", 9)
    firm.outlook().load(event("from Outlook", at(14), at(15)))
    assert firm.site.sync(MAYA)["error"] is None
    assert firm.open_codes() == ["ItemNotWritable"]
    assert firm.site.rows("from Outlook") != []
    firm.disarm()
    firm.site.try_again(MAYA)
    assert sorted(each["subject"] for each in firm.calendar()) == ["Visit", "from Outlook"]
    assert firm.open_codes() == []


def test_a_read_only_profile_is_never_written(tmp_path: Path) -> None:
    """The CRM may do what it likes: nothing but reading reaches the server, and no alert stands open."""
    with opened(tmp_path / "data", read_only=True) as firm:
        before = requests(firm.world.exchange.control_url)
        firm.outlook().load(event("from Outlook", at(14), at(15)))
        firm.sync(MAYA, JONAS)
        firm.site.in_crm("Visit", at(10), at(11), required=[GUEST])
        row = firm.row("from Outlook")
        firm.patch(row["id"], location="Bern")
        firm.sync(MAYA, JONAS)
        firm.delete_row(row["id"])
        firm.sync(MAYA, JONAS)
        after = requests(firm.world.exchange.control_url)
        sent = {name for name, count in after.items() if count > before.get(name, 0)}
        assert sent - READING == set()
        assert [each["subject"] for each in firm.calendar()] == ["from Outlook"]
        assert (firm.mails(), firm.open_codes()) == ([], [])


@pytest.mark.rule("M-06")
def test_a_mailbox_that_another_installation_took_over_is_not_written(firm: Firm, tmp_path: Path) -> None:
    """The first one stops with an alert before it writes anything; its rows stay, and nobody is mailed."""
    firm.site.in_crm("before", at(9), at(10))
    firm.sync()
    with beside(tmp_path / "second", firm.world, "Fabrikam") as second:
        second.hire(MAYA)
        second.add_profile()
        mailboxes.add(second.app, OPERATOR, mailboxes.NewMailbox(address=address(MAYA), profile="exchange", user=MAYA))
        mailboxes.approve(second.app, OPERATOR, address(MAYA))
        taken = mailboxes.test(second.app, OPERATOR, address(MAYA), take_over=True)
        assert taken.error is None
        firm.site.in_crm("after", at(11), at(12), required=[GUEST])
        firm.world.advance(minutes=16)
        before = firm.writes()
        assert firm.site.sync(MAYA)["error"] == "ExchangeSyncIncorrectCrmOrgError"
        assert firm.writes() == before
        assert [each["subject"] for each in firm.calendar()] == ["before"]
        assert (firm.mails(), len(firm.site.rows("after"))) == ([], 1)


def test_a_throttled_server_makes_nothing_twice(firm: Firm) -> None:
    """It asks to wait in the middle of the writes: afterwards every row stands once, with one mail each."""
    for hour in (9, 11, 13):
        firm.site.in_crm(f"at {hour}", at(hour), at(hour + 1), required=[GUEST])
    firm.arm("CreateItem", "busy")
    firm.site.sync(MAYA)
    again(firm)
    assert sorted(each["subject"] for each in firm.calendar()) == ["at 11", "at 13", "at 9"]
    assert firm.mails() == [("request", GUEST)] * 3
    firm.assert_quiet()
