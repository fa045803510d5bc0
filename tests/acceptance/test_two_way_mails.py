"""Deleting both ways, and who is mailed: the server's outbox is asserted mail by mail, number and recipients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import address
from tests.acceptance.site import at, event
from tests.acceptance.test_two_way import stamp
from tests.acceptance.two_way import GUEST, JONAS, MAYA, Firm, Mails, exchange, opened

pytestmark = pytest.mark.emulator
BOTH = [address(JONAS), GUEST]
UPDATE: Mails = [("update", GUEST), ("update", address(JONAS))]


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    """Open a firm after its first sync."""
    with opened(tmp_path / "data") as found:
        found.sync(MAYA, JONAS)
        yield found


def invited(firm: Firm, **fields: object) -> str:
    """Enter a meeting with Jonas and Eve that stands in Outlook; return its row."""
    row = firm.site.in_crm("Visit", at(10), at(11), required=BOTH, **fields)
    firm.sync(MAYA, JONAS)
    assert firm.mails() == [("request", GUEST), ("request", address(JONAS))]
    return str(row["id"])


@pytest.mark.rule("A-06")
def test_the_first_sync_mails_nobody(tmp_path: Path) -> None:
    """What stood in the CRM before stands in Outlook afterwards, with its people, and the outbox is empty."""
    with opened(tmp_path / "data") as firm:
        firm.site.in_crm("Visit", at(10), at(11), required=BOTH)
        firm.site.in_crm("Jour fixe", at(14), at(15), required=BOTH, recurrence="FREQ=WEEKLY;COUNT=4")
        firm.sync(MAYA, JONAS)
        assert sorted(each["subject"] for each in firm.calendar()) == ["Jour fixe", "Visit"]
        assert [each["address"] for each in firm.item("Visit")["attendees"]] == sorted(BOTH)
        assert firm.calendar(JONAS) == []
        assert firm.mails() == []
        firm.assert_quiet()


@pytest.mark.rule("A-06")
def test_what_nobody_is_invited_to_mails_nobody(firm: Firm) -> None:
    """An appointment without guests, and one that has begun, are made in silence."""
    firm.site.in_crm("Alone", at(10), at(11))
    firm.site.in_crm("Begun", at(7.5, days=0), at(9, days=0), required=BOTH)
    firm.sync()
    assert sorted(each["subject"] for each in firm.calendar()) == ["Alone", "Begun"]
    assert firm.mails() == []
    firm.assert_quiet()


@pytest.mark.rule("A-07")
@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"subject": "Visit of Eve"}, UPDATE),
        ({"description": "Bring the plans"}, UPDATE),
        ({"location": "Bern"}, UPDATE),
        ({"start": stamp(at(12)), "end": stamp(at(13))}, UPDATE),
        ({"start": "2026-11-24", "end": "2026-11-25", "all_day": True}, UPDATE),
        ({"show_as": "out_of_office"}, UPDATE),
        ({"private": True}, []),
        ({"required": [GUEST]}, [("cancellation", address(JONAS))]),
        ({"required": [*BOTH, "gus@elsewhere.example"]}, [("request", "gus@elsewhere.example")]),
        ({"required": [GUEST], "optional": [address(JONAS)]}, []),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_an_edit_mails_those_whom_it_concerns(firm: Firm, fields: dict[str, object], wanted: Mails) -> None:
    """Every field that A-07 names tells everybody; of people only those who come or go; a mark of privacy nobody."""
    row = invited(firm)
    firm.patch(row, **fields)
    firm.sync(MAYA)
    assert firm.mails() == wanted
    firm.sync(JONAS)
    firm.assert_quiet()


@pytest.mark.rule("A-07")
def test_three_edits_between_two_syncs_are_one_mail(firm: Firm) -> None:
    """What somebody typed in three steps reaches each guest once."""
    row = invited(firm)
    for fields in ({"subject": "A"}, {"location": "Bern"}, {"subject": "B"}):
        firm.patch(row, **fields)
    firm.sync()
    assert firm.mails() == UPDATE
    firm.assert_quiet()


@pytest.mark.rule("A-07")
def test_an_edit_that_was_taken_back_mails_nobody(firm: Firm) -> None:
    """The row is again as it was agreed: nothing is written."""
    row = invited(firm)
    firm.patch(row, location="Bern")
    firm.patch(row, location="")
    before = firm.writes()
    firm.sync()
    assert (firm.mails(), firm.writes()) == ([], before)


@pytest.mark.rule("A-07")
@pytest.mark.rule("A-08")
@pytest.mark.parametrize("told", [False, True])
def test_changes_of_what_has_begun(tmp_path: Path, told: bool) -> None:
    """They reach Outlook and nobody else; by setting the guests hear of them."""
    with opened(tmp_path / "data", exchange(mail_about_past=told)) as firm:
        firm.sync(MAYA, JONAS)
        row = invited(firm)
        firm.world.advance(days=2)
        firm.patch(row, location="Bern")
        firm.sync()
        assert firm.item("Visit")["location"] == "Bern"
        assert firm.mails() == (UPDATE if told else [])
        firm.assert_quiet()


@pytest.mark.rule("A-07")
def test_one_date_of_a_series_mails_its_people_once(firm: Firm) -> None:
    """A date is moved, another one deleted: each guest gets one update and one cancellation, not one for each date."""
    firm.site.in_crm(
        "Jour fixe", at(9), at(10), required=BOTH, recurrence="FREQ=WEEKLY;COUNT=5", time_zone="Europe/Oslo"
    )
    firm.sync(MAYA, JONAS)
    assert firm.mails() == [("request", GUEST), ("request", address(JONAS))]
    dates = firm.dates("Jour fixe", at(0), at(0, days=60))
    firm.patch(dates[1]["id"], location="Bern")
    firm.sync()
    assert firm.mails() == UPDATE
    firm.patch(dates[2]["id"], start=stamp(at(14, days=15)), end=stamp(at(15, days=15)))
    firm.delete_row(dates[3]["id"])
    firm.sync()

    cancellations = [("cancellation", GUEST), ("cancellation", address(JONAS))]
    assert firm.mails() == cancellations + UPDATE
    firm.sync(JONAS)
    firm.assert_quiet()


@pytest.mark.rule("A-11")
@pytest.mark.rule("A-12")
def test_a_deleted_row_calls_the_meeting_off(firm: Firm) -> None:
    """Before it begins it goes from Outlook, each guest gets one cancellation, and it can be brought back."""
    row = invited(firm)
    firm.delete_row(row)
    firm.sync(MAYA, JONAS)
    assert firm.calendar() == []
    assert firm.mails() == [("cancellation", GUEST), ("cancellation", address(JONAS))]
    kept = [(each["subject"], each["side"], each["reason"]) for each in firm.site.items("/trash")]
    assert kept == [("Visit", "exchange", "deleted")]
    firm.assert_quiet()


@pytest.mark.rule("A-11")
@pytest.mark.rule("A-12")
def test_a_deleted_row_of_the_past_stays_in_outlook(firm: Firm) -> None:
    """Once it has begun it stays, unlinked, and nobody is told."""
    row = invited(firm)
    firm.world.advance(days=2)
    firm.delete_row(row)
    firm.sync(MAYA, JONAS)
    assert firm.item("Visit")["status"] == "open"
    assert firm.mails() == []
    assert firm.site.rows("Visit") == []
    firm.assert_quiet()


@pytest.mark.rule("A-11")
@pytest.mark.rule("A-12")
def test_a_row_of_somebody_elses_meeting_is_only_unlinked(firm: Firm) -> None:
    """Maya attends what Eve organizes: without its row it stays in Maya's calendar, and Eve hears nothing."""
    eve = "ORGANIZER;CN=Eve:mailto:eve@elsewhere.example"
    firm.outlook().load(event("theirs", at(10), at(11), eve, f"ATTENDEE;CN=Maya:mailto:{address(MAYA)}"))
    firm.sync()
    firm.delete_row(firm.row("theirs")["id"])
    firm.sync()
    assert firm.item("theirs")["status"] == "open"
    assert firm.mails() == []
    firm.assert_quiet()


@pytest.mark.rule("A-25")
def test_a_meeting_deleted_in_outlook_goes_from_the_crm(firm: Firm) -> None:
    """The organizer deletes it in silence: the row goes and is kept; we mail nobody on top."""
    invited(firm)
    firm.outlook().delete(firm.item("Visit")["id"])
    firm.sync()
    assert firm.site.rows("Visit") == []
    assert firm.mails() == []
    assert [(each["subject"], each["side"]) for each in firm.site.items("/trash")] == [("Visit", "crm")]


@pytest.mark.rule("A-25")
def test_a_copy_deleted_by_a_guest_touches_neither_row_nor_meeting(firm: Firm) -> None:
    """Jonas throws his copy away: the row and Maya's meeting stay, and nobody is told."""
    invited(firm)
    firm.outlook(JONAS).delete(firm.item("Visit", JONAS)["id"])
    firm.sync(JONAS, MAYA)
    assert firm.item("Visit")["status"] == "open"
    assert len(firm.site.rows("Visit")) == 1
    assert firm.mails() == []


@pytest.mark.rule("A-33a")
def test_what_a_guest_makes_of_his_copy_is_his(firm: Firm) -> None:
    """Jonas words his copy otherwise and shows it as free: neither row nor Maya's meeting follow."""
    row = invited(firm)
    firm.outlook(JONAS).change(firm.item("Visit", JONAS)["id"], Subject="My words", LegacyFreeBusyStatus="Free")
    firm.sync(JONAS, MAYA)
    assert (firm.row("Visit")["id"], firm.row("Visit")["show_as"]) == (row, "busy")
    assert firm.item("Visit")["show_as"] == "busy"
    assert firm.item("My words", JONAS)["show_as"] == "free"
    assert firm.mails() == []
    firm.assert_quiet()


@pytest.mark.rule("A-13")
@pytest.mark.parametrize("propagate", [False, True])
def test_a_row_that_is_canceled(tmp_path: Path, propagate: bool) -> None:
    """It shows as free in Outlook; by setting the meeting is called off there and each guest told once."""
    with opened(tmp_path / "data", exchange(propagate_cancellations=propagate)) as firm:
        firm.sync(MAYA, JONAS)
        row = invited(firm)
        firm.patch(row, status="canceled")
        firm.sync()
        told = firm.mails()
        if propagate:
            assert firm.calendar() == []
            assert told == [("cancellation", GUEST), ("cancellation", address(JONAS))]
        else:
            assert firm.item("Visit")["show_as"] == "free"
            assert told == UPDATE
        firm.sync(JONAS)
        firm.assert_quiet()
