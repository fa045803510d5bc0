"""Both sides are partners, over HTTP: what is entered, edited and deleted on one side stands on the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from msgspec.structs import replace

from syncline.config import PrivatePolicy, PrivateSettings, Settings
from syncline.core.appointment import Importance
from tests.acceptance.installation import address
from tests.acceptance.site import at
from tests.acceptance.two_way import GUEST, JONAS, MAYA, TRACKED, Change, Firm, opened

pytestmark = pytest.mark.emulator


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    """Open a firm after its first sync."""
    with opened(tmp_path / "data") as found:
        found.sync(MAYA, JONAS)
        yield found


def stamp(when: datetime) -> str:
    """Return an instant as Exchange and the API write it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def private(policy: str) -> Change:
    """Set what becomes of private items."""

    def change(given: Settings) -> Settings:
        return dataclasses.replace(given, private=PrivateSettings(policy=PrivatePolicy(policy)))

    return change


@pytest.mark.rule("A-01")
@pytest.mark.rule("A-02")
@pytest.mark.rule("A-33")
def test_a_row_appears_in_outlook_and_in_the_guests_calendar(firm: Firm) -> None:
    """Maya's calendar gets it from the CRM, Jonas's by Exchange's own invitation; both hold the one row."""
    firm.site.in_crm("Visit", at(10), at(11), required=[address(JONAS), GUEST], location="Lobby")
    firm.sync(MAYA)
    firm.sync(JONAS)

    assert firm.item("Visit")["categories"] == [TRACKED]
    assert firm.item("Visit")["location"] == "Lobby"
    assert firm.item("Visit", JONAS)["response"] == "none"
    assert firm.mails() == [("request", GUEST), ("request", address(JONAS))]
    row = firm.row("Visit")
    assert firm.links() == [(row["id"], "settled", None)] * 2
    assert [each["subject"] for each in firm.site.items("/appointments")] == ["Visit"]
    firm.assert_quiet()


@pytest.mark.rule("3.1")
def test_edits_flow_both_ways(firm: Firm) -> None:
    """Time and place from the CRM, subject from Outlook: each side has all of them, and nothing is written twice."""
    row = firm.site.in_crm("Visit", at(10), at(11))
    firm.sync()
    firm.patch(row["id"], start=stamp(at(12)), end=stamp(at(13)), location="Bern")
    firm.outlook().change(firm.item("Visit")["id"], Subject="Visit of Eve")
    firm.sync()

    item, row = firm.item("Visit of Eve"), firm.row("Visit of Eve")
    assert (item["start"], item["end"], item["location"]) == (stamp(at(12)), stamp(at(13)), "Bern")
    assert (row["start"], row["end"]) == (stamp(at(12)), stamp(at(13)))
    assert firm.content("Visit of Eve").location == "Bern"
    firm.assert_quiet()


@pytest.mark.rule("R-10")
def test_dates_of_a_series_flow_to_outlook(firm: Firm) -> None:
    """One date moved, one deleted and one worded otherwise in the CRM are so in Outlook; the rest stays by pattern."""
    zone = {"time_zone": "Europe/Oslo"}
    firm.site.in_crm("Jour fixe", at(9), at(10), recurrence="FREQ=WEEKLY;COUNT=5", **zone)
    firm.sync()
    dates = firm.dates("Jour fixe", at(0), at(0, days=60))
    firm.patch(dates[1]["id"], start=stamp(at(14, days=8)), end=stamp(at(15, days=8)))
    firm.patch(dates[3]["id"], location="Oslo")
    firm.delete_row(dates[2]["id"])
    firm.sync()

    series = firm.item("Jour fixe")
    moved, worded = (each for each in firm.calendar() if each["series_id"])
    assert series["deleted"] == [stamp(at(9, days=15))]
    assert (moved["original_start"], moved["start"]) == (stamp(at(9, days=8)), stamp(at(14, days=8)))
    assert (worded["original_start"], worded["location"]) == (stamp(at(9, days=22)), "Oslo")
    assert firm.content("Jour fixe").zone == "Europe/Oslo"
    firm.assert_quiet()


@pytest.mark.rule("R-10")
def test_a_series_with_dates_of_its_own_is_made_whole(firm: Firm) -> None:
    """What was moved and deleted before it first went over is so in Outlook."""
    firm.site.in_crm("Jour fixe", at(9), at(10), recurrence="FREQ=WEEKLY;COUNT=4")
    dates = firm.dates("Jour fixe", at(0), at(0, days=60))
    firm.patch(dates[1]["id"], start=stamp(at(14, days=8)), end=stamp(at(15, days=8)))
    firm.delete_row(dates[2]["id"])
    firm.sync()

    assert firm.item("Jour fixe")["deleted"] == [stamp(at(9, days=15))]
    assert [each["start"] for each in firm.calendar() if each["series_id"]] == [stamp(at(14, days=8))]
    firm.assert_quiet()


@pytest.mark.rule("R-10")
@pytest.mark.rule("A-20")
def test_dates_of_a_series_flow_to_the_crm(firm: Firm) -> None:
    """One date moved and one deleted in Outlook are so in the CRM, of a series that the CRM made."""
    firm.site.in_crm("Jour fixe", at(9), at(10), recurrence="FREQ=WEEKLY;COUNT=4")
    firm.sync()
    series = firm.item("Jour fixe")["id"]
    second, third = (f'<t:OccurrenceItemId RecurringMasterId="{series}" InstanceIndex="{n}"/>' for n in (2, 3))
    sets = "".join(
        f'<t:SetItemField><t:FieldURI FieldURI="calendar:{name}"/><t:CalendarItem><t:{name}>{stamp(when)}</t:{name}>'
        "</t:CalendarItem></t:SetItemField>"
        for name, when in (("Start", at(14, days=8)), ("End", at(15, days=8)))
    )
    moved = firm.client.post(
        '<m:UpdateItem ConflictResolution="AlwaysOverwrite" SendMeetingInvitationsOrCancellations="SendToNone">'
        f"<m:ItemChanges><t:ItemChange>{second}<t:Updates>{sets}</t:Updates></t:ItemChange></m:ItemChanges>"
        "</m:UpdateItem>"
    )
    deleted = firm.client.post(
        '<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="SendToNone">'
        f"<m:ItemIds>{third}</m:ItemIds></m:DeleteItem>"
    )
    assert moved.codes() + deleted.codes() == ["NoError"] * 2
    firm.sync()

    row = firm.content("Jour fixe")
    assert row.deleted == (at(9, days=15),)
    assert [(e.identity.original_start, e.span.start) for e in row.exceptions] == [(at(9, days=8), at(14, days=8))]
    firm.assert_quiet()


@pytest.mark.rule("R-05")
def test_past_dates_deleted_in_outlook_do_not_come_back(firm: Firm) -> None:
    """A series is edited in the CRM after its owner cleared away the past: it stays cleared, and nobody is invited."""
    row = firm.site.in_crm("Jour fixe", at(9), at(10), recurrence="FREQ=DAILY;COUNT=9", required=[GUEST])
    firm.sync()
    firm.world.advance(days=3)
    series = firm.item("Jour fixe")["id"]
    gone = firm.client.post(
        '<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="SendToNone"><m:ItemIds>'
        f'<t:OccurrenceItemId RecurringMasterId="{series}" InstanceIndex="1"/></m:ItemIds></m:DeleteItem>'
    )
    assert gone.codes() == ["NoError"]
    firm.sync()
    firm.mails()
    firm.patch(row["id"], location="Bern")
    firm.sync()

    assert (firm.item("Jour fixe")["location"], firm.item("Jour fixe")["deleted"]) == ("Bern", [stamp(at(9))])
    assert firm.mails() == [("update", GUEST)]
    firm.assert_quiet()


@pytest.mark.rule("R-03")
@pytest.mark.rule("A-04")
@pytest.mark.rule("A-07")
def test_a_series_that_is_ended_in_the_crm_ends_in_outlook(firm: Firm) -> None:
    """Dates to come go from the organizer's and a guest's calendar; each guest gets one update for all of them."""
    people = [address(JONAS), GUEST]
    row = firm.site.in_crm("Jour fixe", at(9), at(10), recurrence="FREQ=DAILY;COUNT=9", required=people)
    dates = firm.dates("Jour fixe", at(0), at(0, days=60))
    firm.patch(dates[1]["id"], location="Bern")
    firm.patch(dates[6]["id"], location="Oslo")
    firm.sync(MAYA, JONAS)
    firm.world.advance(days=3, hours=2)
    firm.mails()
    firm.site.post(f"/appointments/{row['id']}/end", 200)
    firm.sync(MAYA, JONAS)

    left = [stamp(at(9, days=day)) for day in (1, 2, 3)]
    assert [each["start"] for each in firm.dates("Jour fixe", at(0), at(0, days=60))] == left
    view = (
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>'
        f'<m:CalendarView StartDate="{stamp(at(0))}" EndDate="{stamp(at(0, days=60))}"/><m:ParentFolderIds>'
        '<t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>'
    )
    for name in (MAYA, JONAS):
        assert [start.text for start in firm.outlook(name).client.post(view).all("t:Start")] == left
    assert firm.item("Jour fixe")["show_as"] == "free"
    assert [(each["location"], each["show_as"]) for each in firm.calendar() if each["series_id"]] == [("Bern", "free")]
    assert firm.mails() == [("update", GUEST), ("update", address(JONAS))]
    firm.assert_quiet()


@pytest.mark.rule("D-01")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland"])
def test_whole_days_stay_dates(firm: Firm, zone: str) -> None:
    """A fair of two days is the same two dates on both sides, whatever the zone; moved in the CRM it still is."""
    row = firm.site.post(
        "/appointments", 201, subject="Fair", organizer=MAYA, start="2026-12-01", end="2026-12-03", all_day=True,
        time_zone=zone, show_as="out_of_office",
    )  # fmt: skip
    firm.sync()
    item = firm.item("Fair")
    assert (item["all_day"], item["show_as"]) == (True, "out_of_office")
    firm.patch(row["id"], start="2026-12-02", end="2026-12-04")
    firm.sync()

    span = firm.content("Fair").span
    assert (span.all_day, span.start, span.end) == (True, at(0, days=9), at(0, days=11))
    (link,) = firm.world.links().values()
    assert link.observed is not None
    assert link.observed.span == span
    firm.assert_quiet()


@pytest.mark.rule("D-03")
@pytest.mark.parametrize("policy", ["import", "mask", "skip"])
def test_private_rows(tmp_path: Path, policy: str) -> None:
    """A private row becomes a private item, unless private items are skipped; a mask never overwrites the original."""
    with opened(tmp_path / "data", private(policy)) as firm:
        firm.sync(MAYA, JONAS)
        firm.site.in_crm("Doctor", at(10), at(11), private=True, location="Clinic")
        firm.outlook().create(
            "Lawyer", at(14), at(15), "<t:Sensitivity>Private</t:Sensitivity><t:Location>Court</t:Location>"
        )
        firm.sync()

        subjects = {(each["subject"], each["private"]) for each in firm.calendar()}
        wanted = {("Lawyer", True)} | ({("Doctor", True)} if policy != "skip" else set())
        assert subjects == wanted
        brought = {"import": "Lawyer", "mask": "Private appointment", "skip": None}[policy]
        rows = {row.appointment.subject for row in firm.world.app.crm.read(firm.world.app.crm.ids("", 9)).values()}
        assert rows == {"Doctor"} | ({brought} if brought else set())
        if brought:
            (row,) = (r for r in firm.world.app.crm.read(firm.world.app.crm.ids("", 9)).values()
                      if r.appointment.subject == brought)  # fmt: skip
            firm.world.app.crm.edit(row.id, None, {"span": replace(row.appointment.span, end=at(16))}, by_user=MAYA)
            firm.sync()
            assert (firm.item("Lawyer")["location"], firm.item("Lawyer")["end"]) == ("Court", stamp(at(16)))
        firm.assert_quiet()


@pytest.mark.rule("3.9")
def test_importance_flows_both_ways(firm: Firm) -> None:
    """High in the CRM is high in Outlook, and low in Outlook is low in the CRM."""
    row = firm.site.in_crm("Visit", at(10), at(11))
    firm.sync()
    firm.world.app.crm.edit(row["id"], None, {"importance": Importance.HIGH}, by_user=MAYA)
    firm.sync()
    assert firm.client.get(firm.item("Visit")["id"]).text("t:Importance") == "High"

    firm.outlook().change(firm.item("Visit")["id"], Importance="Low")
    firm.sync()
    assert firm.content("Visit").importance is Importance.LOW
    firm.assert_quiet()


@pytest.mark.rule("A-04")
def test_show_as_goes_out(firm: Firm) -> None:
    """Every status of the CRM has its show-as in Outlook; closed rows are free and do not remind."""
    wanted = {"free": "free", "tentative": "tentative", "busy": "busy", "out_of_office": "out_of_office"}
    for number, show_as in enumerate(wanted):
        firm.site.in_crm(show_as, at(8 + number), at(9 + number), show_as=show_as)
    closed = [firm.site.in_crm(status, at(14), at(15), show_as="free") for status in ("completed", "canceled")]
    for row in closed:
        firm.patch(row["id"], show_as="tentative")
    firm.sync()
    for row in closed:
        firm.patch(row["id"], status=row["subject"])
    firm.sync()

    shown = {each["subject"]: each["show_as"] for each in firm.calendar()}
    assert shown == {**wanted, "completed": "free", "canceled": "free"}
    for subject, reminds in (("busy", "true"), ("free", "false"), ("completed", "false"), ("canceled", "false")):
        assert firm.client.get(firm.item(subject)["id"]).text("t:ReminderIsSet") == reminds, subject
    firm.assert_quiet()


@pytest.mark.rule("A-21")
@pytest.mark.parametrize(
    ("word", "status", "show_as"),
    [
        ("Free", "open", "free"),
        ("WorkingElsewhere", "open", "free"),
        ("Tentative", "open", "tentative"),
        ("OOF", "scheduled", "out_of_office"),
        ("Busy", "scheduled", "busy"),
    ],
)
def test_show_as_comes_in(firm: Firm, word: str, status: str, show_as: str) -> None:
    """What its owner makes of an appointment in Outlook is so in the CRM, and Outlook keeps its own word."""
    row = firm.site.in_crm("Visit", at(10), at(11), show_as="out_of_office" if word == "Busy" else "busy")
    firm.sync()
    firm.outlook().change(firm.item("Visit")["id"], LegacyFreeBusyStatus=word)
    firm.sync()

    found = firm.row("Visit")
    assert (found["status"], found["show_as"]) == (status, show_as)
    firm.patch(row["id"], location="Bern")
    firm.sync()
    item = firm.client.get(firm.item("Visit")["id"])
    assert (item.text("t:LegacyFreeBusyStatus"), firm.item("Visit")["location"]) == (word, "Bern")
    firm.assert_quiet()


@pytest.mark.rule("D-04")
@pytest.mark.rule("AT-05")
def test_what_is_the_owners_stays(firm: Firm) -> None:
    """Categories, reminder and answers are never touched by an edit in the CRM."""
    row = firm.site.in_crm("Visit", at(10), at(11), required=[address(JONAS)])
    firm.sync(MAYA, JONAS)
    item = firm.item("Visit")["id"]
    names = f"<t:String>{TRACKED}</t:String><t:String>Red</t:String>"
    firm.outlook().change(item, Categories=names)
    firm.outlook().change(item, ReminderMinutesBeforeStart="45")
    copy = firm.item("Visit", JONAS)
    named = f'<t:ReferenceItemId Id="{copy["id"]}" ChangeKey="{copy["change_key"]}"/>'
    reply = firm.outlook(JONAS).client.post(
        f'<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:AcceptItem>{named}</t:AcceptItem></m:Items>'
        "</m:CreateItem>"
    )
    assert reply.codes() == ["NoError"]
    firm.patch(row["id"], location="Bern")
    firm.sync(MAYA, JONAS)

    found = firm.item("Visit")
    assert found["location"] == "Bern"
    assert set(found["categories"]) == {TRACKED, "Red"}
    assert [each["response"] for each in found["attendees"]] == ["accepted"]
    assert firm.client.get(item).text("t:ReminderMinutesBeforeStart") == "45"
    firm.assert_quiet()


@pytest.mark.rule("A-15")
def test_a_rich_body_is_kept_until_the_text_changes(firm: Firm) -> None:
    """A place from the CRM leaves picture and link in Outlook as they are; a new text replaces them."""
    rich = '<html><body><p>See <img src="cid:plan"> <a href="https://example.org/plan">here</a></p></body></html>'
    item = firm.client.created(
        f'<t:Subject>Visit</t:Subject><t:Body BodyType="HTML">{escape(rich)}</t:Body>'
        f"<t:Start>{stamp(at(10))}</t:Start><t:End>{stamp(at(11))}</t:End>"
    )
    firm.sync()
    row = firm.row("Visit")
    firm.patch(row["id"], location="Bern", subject="Visit of Eve")
    firm.sync()
    assert firm.item("Visit of Eve")["location"] == "Bern"
    assert 'src="cid:plan"' in firm.client.get(item).text("t:Body")

    firm.patch(row["id"], description="See there")
    firm.sync()
    body = firm.client.get(item).text("t:Body")
    assert "cid:plan" not in body
    assert "See there" in body
    firm.assert_quiet()


@pytest.mark.rule("3.9")
def test_a_subject_of_two_thousand_characters(firm: Firm) -> None:
    """The CRM holds its first 200; an edit of something else does not shorten it in Outlook."""
    subject = "".join(chr(ord("a") + n % 26) for n in range(2000))
    item = firm.outlook().create(subject, at(10), at(11))
    firm.sync()
    row = firm.row(subject[:200])
    firm.patch(row["id"], location="Bern")
    firm.sync()

    found = firm.item(subject)
    assert (found["id"], found["location"]) == (item, "Bern")
    firm.assert_quiet()


@pytest.mark.rule("A-03")
def test_a_row_without_organizer_is_told_and_mended(firm: Firm) -> None:
    """Nobody can invite for it: an alert says so; with an organizer it goes over and the alert is gone."""
    row = firm.site.in_crm("Visit", at(10), at(11), organizer="", required=[address(MAYA)])
    firm.sync()
    assert firm.calendar() == []
    assert firm.open_codes() == ["OrganizerMissing"]
    assert firm.writes()["CreateItem"] == 0

    firm.patch(row["id"], organizer=MAYA, required=[])
    firm.sync()
    assert [each["subject"] for each in firm.calendar()] == ["Visit"]
    assert firm.open_codes() == []
    firm.assert_quiet()


def test_many_rows_go_over_in_a_few_requests(firm: Firm) -> None:
    """Sixty rows take two requests that create, not sixty."""
    for number in range(60):
        start = at(8) + timedelta(hours=number)
        firm.site.in_crm(f"Visit {number}", start, start + timedelta(minutes=30))
    firm.sync()

    assert len(firm.calendar()) == 60
    assert firm.writes()["CreateItem"] == 2
    firm.assert_quiet()


@pytest.mark.rule("A-11")
@pytest.mark.parametrize("guests", [[], [GUEST]])
@pytest.mark.parametrize("deleted_in", ["CRM", "Outlook"])
def test_what_was_deleted_comes_back_from_the_trash_into_outlook(
    firm: Firm, deleted_in: str, guests: list[str]
) -> None:
    """A restore wakes the mailbox: the next look for work makes it in Outlook anew, and mails only by the plan."""
    row = firm.site.in_crm("Visit", at(10), at(11), required=guests, location="Lobby")
    firm.sync()
    if deleted_in == "CRM":
        firm.delete_row(row["id"])
    else:
        firm.outlook().delete(firm.item("Visit")["id"])
    firm.sync()
    assert (firm.calendar(), firm.site.rows("Visit")) == ([], [])
    firm.mails()
    assert firm.world.app.worker.step() == 0

    (kept,) = firm.site.items("/trash")
    firm.site.post(f"/trash/{kept['id']}/restore", 201)
    assert firm.world.app.worker.step() == 1
    assert (firm.item("Visit")["start"], firm.item("Visit")["location"]) == (stamp(at(10)), "Lobby")
    assert firm.row("Visit")["id"] != row["id"]
    assert firm.mails() == [("request", guest) for guest in guests]
    assert firm.site.items("/trash")[0]["restored_on"] is not None
    firm.assert_quiet()
