"""Explaining both directions: why a row is (not) in Outlook, how far each side is dealt with, and when it is tried."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace

from syncline.config import AlertSettings
from syncline.core.appointment import Address
from syncline.core.attachments import Limits
from syncline.core.guards import Invitations
from syncline.desk import alerts, appointments, explaining, failures, mailboxes
from syncline.desk.drafts import Draft
from syncline.desk.explaining import Story
from syncline.desk.reading import OPERATOR
from syncline.engine.run import Rules
from syncline.ports import LinkState
from tests.desk.office import DOMAIN, Office, at

TWO_WAY = Rules(outgoing=True)
EVE = "eve@elsewhere.example"


def firm(folder: Path, rules: Rules = TWO_WAY) -> Office:
    """Return a firm in which both sides are partners and the first syncs are over."""
    made = Office(folder, rules=rules)
    made.sync()
    return made


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Return a firm in which both sides are partners."""
    return firm(tmp_path)


def story(office: Office, words: str, mailbox: str = "") -> Story:
    """Return the only story about these words, or that of one person's mailbox."""
    found = explaining.explain(office.app, OPERATOR, words)
    (one,) = [each for each in found if not mailbox or each.mailbox == f"{mailbox}@{DOMAIN}"]
    return one


@pytest.mark.rule("A-01")
def test_what_was_made_tells_both_revisions(office: Office) -> None:
    """The journal names the rule and who was mailed; both sides are dealt with."""
    row = office.in_crm("Review", at(10), required=(EVE,))
    office.sync("maya")
    told = story(office, row)

    assert (told.state, told.appointment_id) == ("settled", row)
    assert told.sides is not None
    assert not told.sides.crm_waits
    assert told.sides.crm_seen == told.sides.crm_settled
    assert any("Exchange revision" in line for line in told.revisions)
    assert any(line.endswith(": dealt with") for line in told.revisions)
    assert ("made in Outlook", "A-01", f"invitation to {EVE}") in [(e.action, e.rule, e.detail) for e in told.lines]


def test_a_change_that_waits_says_so(office: Office) -> None:
    """Seen and not carried over yet: version, what was dealt with, and the next sync."""
    row = office.in_crm("Review", at(10))
    office.sync("maya")
    office.rewrite(row, subject="Review, moved")
    office.app.worker.dry_run(office.mailbox("maya").id)
    told = story(office, row)

    assert told.sides is not None
    assert told.sides.crm_waits
    assert "is still to be carried over to Outlook" in told.text
    assert told.next_try == office.mailbox("maya").next_due


@pytest.mark.rule("1.11")
def test_a_row_that_no_filter_selects(office: Office) -> None:
    """Each of its people's mailboxes is named with what keeps it out."""
    for kept in office.app.store.sync_filters("maya"):
        office.app.store.change_filter(kept.id, lambda known: replace(known, enabled=False), office.clock.now())
    row = office.in_crm("Review", at(10))
    office.sync("maya")
    told = story(office, row)

    assert f"No sync filter of maya@{DOMAIN} selects it (rule 1.11)." in told.text
    mailboxes.disable(office.app, OPERATOR, f"maya@{DOMAIN}")
    assert f"The mailbox maya@{DOMAIN} is not enabled." in story(office, row).text


@pytest.mark.rule("1.11")
def test_a_row_of_nobody_with_a_mailbox(office: Office) -> None:
    """A row whose people have no mailbox here says so; a selected one says that it is next."""
    alone = office.in_crm("Board", at(10), organizer="ines")
    assert "None of its people has a mailbox here" in story(office, alone).text
    next_one = office.in_crm("Review", at(12))
    assert f"A sync filter of maya@{DOMAIN} selects it; the next sync looks at it" in story(office, next_one).text


def test_one_way_says_which_setting_keeps_it_in_the_crm(tmp_path: Path) -> None:
    """While nothing is written to Exchange the story names the setting."""
    office = firm(tmp_path, Rules())
    row = office.in_crm("Review", at(10))

    assert "exchange.write is off" in story(office, row).text


def test_a_profile_that_only_reads_keeps_a_change_in_the_crm(office: Office) -> None:
    """An edit of the CRM is not called one that is still to be carried over where nothing may be written."""
    office.in_outlook("Review", at(10))
    office.sync("maya")
    (row,) = (entry.id for entry in office.app.crm.listing().items if entry.subject == "Review")
    office.only_read()
    appointments.edit(office.app, OPERATOR, row, Draft(location="Lobby"))
    office.sync("maya")
    text = story(office, row).text

    assert f"The profile of maya@{DOMAIN} only reads; nothing is written there." in text
    assert "still to be carried over" not in text


@pytest.mark.rule("A-02")
def test_what_waits_for_its_invitation_is_tried_again(office: Office) -> None:
    """Jonas's copy comes by Maya's invitation: the code, the sentence and the next look are told."""
    row = office.in_crm("Review", at(10), required=("jonas",))
    office.sync("jonas")
    told = story(office, row, "jonas")

    assert (told.state, told.sync_error) == ("skipped", "AwaitsInvitation")
    assert told.next_try is not None
    assert "is not in Outlook" in told.text
    assert failures.listing(office.app, OPERATOR, every=True)[0].direction == "crm_to_exchange"


@pytest.mark.rule("R-05")
def test_what_was_over_says_so(office: Office) -> None:
    """What was over before it could be made names its code and no next try."""
    row = office.in_crm("Review", at(10, days=-3))
    office.sync("maya")
    told = story(office, row)

    assert (told.sync_error, told.next_try) == ("PastNotMade", None)
    assert told.lines[0].rule == "R-05"


@pytest.mark.rule("A-09")
def test_a_draft_says_so(office: Office) -> None:
    """Why it is not in Outlook, what to do, and that it is nobody's failure; released, the story goes on."""
    row = office.in_crm("Review", at(10), required=(EVE,), draft=True)
    office.sync("maya")
    told = story(office, row)

    assert (told.state, told.sync_error, told.next_try) == ("skipped", "DraftNotMade", None)
    assert told.lines[0].rule == "A-09"
    assert "is a draft in the CRM, so it is not made in Outlook and nobody is invited" in told.text
    assert failures.listing(office.app, OPERATOR) == []
    assert alerts.listing(office.app, OPERATOR) == []

    appointments.edit(office.app, OPERATOR, row, Draft(draft=False))
    office.sync("maya")
    assert (story(office, row).state, story(office, row).sync_error) == ("settled", None)


@pytest.mark.rule("A-02")
def test_an_organizer_elsewhere_says_so(office: Office) -> None:
    """Somebody outside organizes it: nobody can invite, and the story names the code."""
    row = office.in_crm("Review", at(10), required=("maya",))
    office.rewrite(row, organizer=Address("out@elsewhere.example", "Out"))
    office.sync("maya")

    assert story(office, row).sync_error == "OrganizedElsewhere"


def test_what_is_held_names_its_question(tmp_path: Path) -> None:
    """Mails beyond the budget: the story says what it waits for; after No, what was answered."""
    office = firm(tmp_path, replace(TWO_WAY, invitations=Invitations(mails_max=0)))
    row = office.in_crm("Review", at(10), required=(EVE,))
    office.sync("maya")
    assert "It waits for an answer: Mails held (InvitationsHeld)." in story(office, row).text
    alerts.answer(office.app, OPERATOR, office.question().id, "no")
    office.sync("maya")
    told = story(office, row)

    assert told.sync_error == "KeptFromOutlook"
    assert "InvitationsHeld" in [line.rule for line in told.lines]


@pytest.mark.rule("A-11")
def test_what_went_to_the_trash_is_found(office: Office) -> None:
    """A row deleted in the CRM takes the item with it; its story leads to the trash."""
    row = office.in_crm("Review", at(10))
    office.sync("maya")
    appointments.delete(office.app, OPERATOR, row)
    office.sync("maya")
    (told,) = explaining.explain(office.app, OPERATOR, "Review")

    assert told.state == "trashed"
    assert "is in the trash" in told.text


def flipping(office: Office) -> str:
    """Let both sides overwrite each other by turns until it is stopped; return the row."""
    row = office.in_crm("Review", at(10))
    office.sync("maya")
    (item,) = office.exchange.items(f"maya@{DOMAIN}")
    for turn in range(5):
        office.rewrite(row, subject=f"CRM {turn}")
        office.sync("maya")
        office.change(item.ref, subject=f"Outlook {turn}")
        office.sync("maya")
    office.rewrite(row, subject="CRM at last")
    office.sync("maya")
    return row


def test_what_flips_can_be_tried_again(office: Office) -> None:
    """The failure went the other way, the story names the code, and Retry carries it over at once."""
    row = flipping(office)
    (failure,) = failures.listing(office.app, OPERATOR)
    assert (failure.sync_error, failure.direction) == ("ChangesBackAndForth", "crm_to_exchange")
    assert story(office, row).sync_error == "ChangesBackAndForth"
    assert failures.retry(office.app, OPERATOR, failure.id) is None

    (item,) = office.exchange.items(f"maya@{DOMAIN}")
    assert item.appointment.subject == "CRM at last"


def test_what_failed_on_the_way_out_can_be_left_out(office: Office) -> None:
    """Ignored, it is left alone until the row changes."""
    row = flipping(office)
    (failure,) = failures.listing(office.app, OPERATOR)
    failures.ignore(office.app, OPERATOR, failure.id)
    office.sync("maya")
    (item,) = office.exchange.items(f"maya@{DOMAIN}")
    assert item.appointment.subject == "Outlook 4"
    (link,) = office.app.store.links_by_id([failure.id])
    assert link.state is LinkState.SKIPPED

    office.clock.at = office.clock.at.replace(hour=12)
    office.rewrite(row, subject="CRM again")
    office.sync("maya")
    (item,) = office.exchange.items(f"maya@{DOMAIN}")
    assert item.appointment.subject == "CRM again"


@pytest.mark.rule("A-03")
def test_a_row_without_organizer_is_retried_when_asked(office: Office) -> None:
    """It failed on the way out; once the row is mended, Retry makes it."""
    row = office.in_crm("Review", at(10), required=("maya",))
    office.rewrite(row, organizer=None)
    office.sync("maya")
    (failure,) = failures.listing(office.app, OPERATOR)
    assert (failure.sync_error, failure.direction) == ("OrganizerMissing", "crm_to_exchange")
    again = failures.retry(office.app, OPERATOR, failure.id)
    assert again is not None
    assert again.retries == 1
    office.rewrite(row, organizer=Address(f"maya@{DOMAIN}", "Maya"))
    assert failures.retry(office.app, OPERATOR, failure.id) is None
    assert [item.appointment.subject for item in office.exchange.items(f"maya@{DOMAIN}")] == ["Review"]


def test_only_who_may_read_is_told_whom_it_mailed(office: Office) -> None:
    """Of a private meeting others hear how many mails left, not to whom."""
    row = office.in_crm("Surgery", at(10), required=(EVE,), private=True)
    office.sync("maya")
    told = explaining.explain(office.app, OPERATOR, row)[0]
    own = explaining.explain(office.app, office.viewer("maya"), row)[0]

    assert "1 mail" in [line.detail for line in told.lines]
    assert all(EVE not in line.detail for line in told.lines)
    assert f"invitation to {EVE}" in [line.detail for line in own.lines]


@pytest.mark.rule("D-05")
def test_only_who_may_read_the_text_is_told_the_names_of_files(tmp_path: Path) -> None:
    """An administrator reads the outline of a meeting: that a file went over, not what it is called."""
    office = firm(tmp_path, Rules(outgoing=True, attachments=Limits(size_max=1_000)))
    row = office.in_crm("Review", at(10))
    office.sync("maya")
    office.app.crm.add_file(row, "notice.txt", "", b"x", by_user="maya")
    office.sync("maya")
    told = explaining.explain(office.app, OPERATOR, row)[0]
    own = explaining.explain(office.app, office.viewer("maya"), row)[0]
    assert ("D-05", "") in [(line.rule, line.detail) for line in told.lines]
    assert all("notice" not in line.detail for line in told.lines)
    assert ("D-05", "notice.txt") in [(line.rule, line.detail) for line in own.lines]


@pytest.mark.rule("D-06")
def test_only_who_may_read_the_text_is_told_which_file_was_not_taken(tmp_path: Path) -> None:
    """The notice about a file that is blocked names it to the appointment's own people alone."""
    office = firm(tmp_path, Rules(outgoing=True, attachments=Limits(size_max=1_000, blocked=frozenset({"exe"}))))
    told_to_all = dataclasses.replace(office.app.settings, alerts=AlertSettings(warning=True))
    office.app = dataclasses.replace(office.app, settings=told_to_all)
    row = office.in_crm("Review", at(10))
    office.app.crm.add_file(row, "notice.exe", "", b"x", by_user="maya")
    office.sync("maya")
    office.sync("maya")
    told, own = (
        [each.text for each in alerts.listing(office.app, viewer) if each.code == "AttachmentBlocked"]
        for viewer in (OPERATOR, office.viewer("maya"))
    )
    assert (len(told), len(own)) == (1, 1)
    assert "notice" not in told[0]
    assert "notice.exe" in own[0]
