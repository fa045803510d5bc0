"""Alerts, mailboxes and failures as somebody without script gets them: the question, its answers and its states."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncline.core.appointment import Address, Appointment, Identity, Pattern, PatternKind, Recurrence
from syncline.desk import alerts, failures
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from syncline.ports import OrganizationMark
from tests.desk.office import NOW, Office, at
from tests.web.visitor import Visitor, hidden_fields, shown, visiting

SENTENCE = (
    'A scheduling conflict was found when saving appointment "Product demo for Alpen Sport" from Exchange to '
    "Syncline CRM because Maya Lind is unavailable at this time. Do you want to ignore the conflict and save anyway?"
)
ADDRESS = "maya@fjordbikes.example"
CODE = "Email Server Error Code: ExchangeSyncSchedulingConflictsError"


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Give Maya at her browser."""
    with visiting(office) as visitor:
        yield visitor.sign_in("maya")


def test_the_scene_on_every_page(office: Office, maya: Visitor) -> None:
    """The question stands on Alerts, on the mailbox and alone, with its failure row, until Yes is carried out."""
    question = office.the_scene()
    for path in ("/alerts", f"/alerts/{question.id}", f"/mailboxes/{office.mailbox('maya').id}?tab=alerts"):
        text = maya.text(path)
        assert SENTENCE in text and CODE in text
        assert "Quarterly review with Harbour Cycles" in text
        assert "overlaps 30 min" in text
        assert 'role="group"' in text and text.index(">Yes<") < text.index(">No<")
    assert "Waiting for an answer" in maya.text("/failures")

    answer = maya.post(f"/alerts/{question.id}", answer="yes", version=str(question.version))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alerts/{question.id}")
    saving = maya.text(f"/alerts/{question.id}")
    assert 'http-equiv="refresh"' in saving and 'aria-busy="true"' in saving
    office.sync("maya")

    assert "Saved 08:00 by Maya Lind" in maya.text(f"/alerts/{question.id}")
    assert "Product demo" not in maya.text("/failures")
    assert "Product demo" in maya.text(f"/calendar?week={at(9).start:%Y-%m-%d}")


def test_no_keeps_it_out_and_offers_to_change_to_yes(office: Office, maya: Visitor) -> None:
    """After No the card says who and when, and under Kept out stands Change to Yes."""
    question = office.the_scene()
    maya.post(f"/alerts/{question.id}", answer="no", version=str(question.version))
    office.sync("maya")

    card = maya.text(question.url)
    assert "Kept out 08:00 by Maya Lind" in card
    assert ">Change to Yes<" in card and ">No<" not in card
    assert "Change to Yes" in maya.text("/failures?state=kept_out")
    assert "Product demo" not in maya.text("/failures")
    assert maya.post(question.url, answer="yes").status_code == 303
    office.sync("maya")
    assert "Saved" in shown(maya.text(question.url))


def test_an_answer_to_what_has_changed_shows_the_new_card(office: Office, maya: Visitor) -> None:
    """The version seen is part of the form; an older one changes nothing and says so."""
    question = office.the_scene()
    answer = maya.post(question.url, answer="yes", version=str(question.version - 1))

    assert answer.status_code == 409
    assert "Changed in Outlook at 08:00. Please look again; nothing was done." in answer.text
    assert office.question().state == "open"


def test_the_first_answer_wins(office: Office, maya: Visitor) -> None:
    """Who answers second learns who answered first."""
    question = office.the_scene()
    alerts.answer(office.app, office.viewer("ines"), question.id, "yes")
    answer = maya.post(question.url, answer="no", version=str(question.version))

    assert answer.status_code == 409
    assert "Ines Brandt answered Yes" in shown(answer.text)


def test_what_was_moved_is_withdrawn_with_the_reason(office: Office, maya: Visitor) -> None:
    """A question that nobody needs to answer any more has no buttons."""
    office.in_crm("Quarterly review with Harbour Cycles", at(10))
    ref = office.in_outlook("Product demo for Alpen Sport", at(10.5))
    office.sync()
    question = office.question()
    office.change(ref, span=at(15))
    office.sync()
    card = maya.text(question.url)

    assert "No answer needed any more" in card
    assert ">Yes<" not in card and ">No<" not in card
    assert "No question waits" in maya.text("/alerts")


def test_a_question_whose_time_has_passed_can_still_be_saved(office: Office, maya: Visitor) -> None:
    """After the last clash has ended the card offers Save it now and Leave it out."""
    question = office.the_scene()
    office.clock.at = NOW + timedelta(days=2)
    office.sync()
    card = maya.sign_in("maya").text(question.url)

    assert "It ended yesterday; not in the CRM" in card
    assert ">Save it now<" in card and ">Leave it out<" in card


def test_saving_for_long_says_that_one_may_leave(office: Office, maya: Visitor) -> None:
    """After half a minute the page stops asking again by itself."""
    question = office.the_scene()
    maya.post(question.url, answer="yes")
    office.clock.at = NOW + timedelta(seconds=31)
    card = maya.text(question.url)

    assert "Still working, you can leave this page" in card
    assert 'http-equiv="refresh"' not in card


def test_the_buttons_stay_while_the_crm_cannot_be_asked(
    office: Office, maya: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the CRM the question can be answered, and it says that what is in the way cannot be shown."""
    question = office.the_scene()

    def unavailable(*_: object, **__: object) -> None:
        raise SyncError("CrmUnavailable", crm="Syncline CRM", detail="down")

    for name in ("validate", "read"):
        monkeypatch.setattr(type(office.app.crm), name, unavailable)
    card = maya.text(question.url)

    assert ">Yes<" in card and ">No<" in card
    assert "Quarterly review" not in card and "What is in the way cannot be shown right now." in card


def test_many_questions_of_one_mailbox_are_one_card(office: Office, maya: Visitor) -> None:
    """More than five open questions are counted, the first ten named, and answered together."""
    for number in range(7):
        office.in_crm(f"Row {number}", at(8 + number * 1.5))
        office.in_outlook(f"Item {number}", at(8.5 + number * 1.5))
    office.in_outlook("Quiet one", at(6))
    office.sync("maya")
    wall = shown(maya.text("/alerts"))

    assert "7 of 8 appointments overlap others" in wall
    assert "Save all anyway" in wall and "Keep all out" in wall and "Look at each" in wall
    assert "Save 7 appointments in Syncline CRM" in wall
    each = maya.text(f"/alerts/each?mailbox={office.mailbox('maya').id}")
    assert each.count(">Yes<") == 7
    seen = maya.text(f"/alerts/together?mailbox={office.mailbox('maya').id}")
    assert maya.post("/alerts/together", **hidden_fields(seen), answer="yes").status_code == 303
    office.sync("maya")
    assert alerts.listing(office.app, OPERATOR, only_open=True) == []


def test_a_series_lists_its_clashing_dates(office: Office, maya: Visitor) -> None:
    """The card says how many of the dates overlap, which, and that an answer is for all of them."""
    span = at(10)
    weekly = Recurrence(
        pattern=Pattern(kind=PatternKind.WEEKLY, weekdays=(span.start.weekday(),)), first=span.start.date(), count=12
    )
    organizer = Address("maya@fjordbikes.example", "Maya Lind")
    series = Appointment(
        identity=Identity("weekly"), subject="Pipeline call", span=span, organizer=organizer, recurrence=weekly
    )
    office.exchange.add("maya@fjordbikes.example", series)
    office.in_crm("Bike fair, day 1", at(8, days=15, length=9))
    office.sync()
    card = shown(maya.text(office.question().url))

    assert "1 of 12 dates overlaps: Tue 8 Dec 2026, 10:00" in card
    assert "Save all 12 dates" in card and "Keep all 12 dates out" in card
    assert "In Syncline CRM, Maya Lind: Bike fair, day 1, 08:00 to 17:00" in card


def test_a_mailbox_is_approved_tested_and_disabled_on_its_form(office: Office) -> None:
    """The General tab carries a mailbox from its state to the next one."""
    key = office.mailbox("maya").id
    with visiting(office) as ines:
        ines.sign_in("ines")
        assert ines.post(f"/mailboxes/{key}/disable").headers["location"] == f"/mailboxes/{key}?said=disabled"
        assert "The mailbox is disabled. Nothing was deleted." in ines.text(f"/mailboxes/{key}?said=disabled")
        assert ines.post(f"/mailboxes/{key}/sync").status_code == 422
        assert ines.post(f"/mailboxes/{key}/test").headers["location"] == f"/mailboxes/{key}?said=enabled"
        assert ines.post(f"/mailboxes/{key}/sync").headers["location"] == f"/mailboxes/{key}?said=syncing"
        changed = ines.post(
            f"/mailboxes/{key}/change", track="all", on_scheduling_conflict="keep_out", time_zone="Europe/Oslo"
        )
        assert changed.status_code == 303
        assert office.mailbox("maya").time_zone == "Europe/Oslo"
        assert (
            "known"
            in ines.post(
                f"/mailboxes/{key}/change", track="all", on_scheduling_conflict="", time_zone="Middle-earth"
            ).text
        )
        assert ines.post(f"/mailboxes/{key}/reject").status_code == 303
        assert "Rejected" in ines.text(f"/mailboxes/{key}")
        assert ines.post(f"/mailboxes/{key}/approve").status_code == 303
        assert ines.post(f"/mailboxes/{key}/remove").status_code == 422
        assert ines.post(f"/mailboxes/{key}/remove", sure="yes").headers["location"] == "/mailboxes?said=removed"
        assert ines.get(f"/mailboxes/{key}").status_code == 404
        assert ines.post(f"/mailboxes/{office.mailbox('jonas').id}/dance").status_code == 404


def test_a_failed_test_says_what_to_do(office: Office) -> None:
    """The error of a test stands on the form, in the catalogue's words and with its code."""
    office.refusal = SyncError("Unauthorized", mailbox="maya@fjordbikes.example")
    with visiting(office) as ines:
        answer = ines.sign_in("ines").post(f"/mailboxes/{office.mailbox('maya').id}/test")

    assert answer.status_code == 200
    text = shown(answer.text)
    assert "Sign-in refused" in text and "Enter the password again" in text and "Error code: Unauthorized" in text


def test_a_mailbox_of_another_installation_is_taken_over_by_a_ticked_box(office: Office) -> None:
    """The form says who keeps it in step since when; only a System Administrator gets the box, and only then."""
    key = office.mailbox("maya").id
    box = 'name="take_over"'
    with visiting(office) as ines:
        assert box not in ines.sign_in("ines").text(f"/mailboxes/{key}")
        mark = OrganizationMark(installation="theirs", crm_name="Fabrikam <CRM>", since=NOW)
        office.exchange.store(ADDRESS).mark = mark
        failed = ines.post(f"/mailboxes/{key}/test").text
        assert "Another installation of Syncline (Fabrikam <CRM>) keeps" in shown(failed)
        assert "since 2026-11-23" in shown(failed)
        assert "Not done: No other installation keeps it in step" in shown(failed)
        assert box in failed
        later = ines.get(f"/mailboxes/{key}").text
        assert "(Fabrikam <CRM>) keeps" in shown(later) and box in later
        assert "Fabrikam" in ines.text(f"/mailboxes/{key}?tab=alerts")
    with visiting(office) as maya:
        assert box not in maya.sign_in("maya").text(f"/mailboxes/{key}")
        assert maya.post(f"/mailboxes/{key}/test", take_over="yes").status_code == 403
    with visiting(office) as ines:
        taken = ines.sign_in("ines").post(f"/mailboxes/{key}/test", take_over="yes")
        assert taken.headers["location"] == f"/mailboxes/{key}?said=enabled"
        assert box not in ines.text(f"/mailboxes/{key}")


def test_the_failures_page_names_what_the_contract_names(office: Office, maya: Visitor) -> None:
    """Title, section and the four columns are those people know; a row has a state and a way on."""
    question = office.the_scene()
    text = maya.text("/failures")

    assert "<h1>Server-Side Synchronization Failures</h1>" in text
    assert "<h2>Appointments, Contacts, and Tasks Failed To Sync</h2>" in text
    for column in ("Item Subject", "Sync Error", "Last Sync Error Time", "Retries", "Mailbox", "State", "Next try"):
        assert f">{column}<" in text
    assert f'href="{question.url}">Answer<' in text
    assert "ExchangeSyncSchedulingConflictsError" in shown(text)


def test_a_failed_item_says_what_to_do_and_is_tried_again(office: Office, maya: Visitor) -> None:
    """A failure that needs no answer says what to do, can be tried again now, or left out."""
    ref = office.in_outlook("Broken one", at(12))
    office.exchange.spoil(ADDRESS, ref, SyncError("ItemUnreadable", subject="Broken one", detail="damaged"))
    office.sync("maya")
    (row,) = failures.listing(office.app, OPERATOR)
    text = shown(maya.text("/failures?state=failed"))

    assert (
        "ItemUnreadable" in text
        and "(subject not known)" in text
        and "What to do" in text
        and "repair or delete it" in text
    )
    assert maya.post(f"/failures/{row.id}/retry").headers["location"] == "/failures?said=failed-again"
    office.exchange.spoil(ADDRESS, ref, None)
    assert maya.post(f"/failures/{row.id}/retry").headers["location"] == "/failures?said=retried"
    assert "ItemUnreadable" not in maya.text("/failures?state=failed")


def test_a_failed_item_can_be_left_out(office: Office, maya: Visitor) -> None:
    """What was left out stands under its own state."""
    ref = office.in_outlook("Broken one", at(12))
    office.exchange.spoil(ADDRESS, ref, SyncError("ItemUnreadable", subject="Broken one", detail="damaged"))
    office.sync("maya")
    (row,) = failures.listing(office.app, OPERATOR)
    maya.get("/failures")

    assert maya.post(f"/failures/{row.id}/ignore").headers["location"] == "/failures?said=ignored"
    assert "ItemUnreadable" in maya.text("/failures?state=skipped")


def test_why_an_item_did_not_sync_is_explained(office: Office, maya: Visitor) -> None:
    """Explain finds an item by its subject and tells its story."""
    office.the_scene()

    assert "waits for an answer" in maya.text("/explain?q=Product+demo")
    assert 'Syncline follows no item called "unheard of".' in shown(maya.text("/explain?q=unheard+of"))
