"""The card in all its states, after every answer and every error: with script (a fragment) and without (a page)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx2
import pytest

from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.desk import alerts, appointments, mailboxes
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from syncline.store import writing
from syncline.web.pages import telling
from tests.desk.office import DOMAIN, NOW, Office, at
from tests.web.visitor import HTML, Visitor, shown, visiting

SCRIPT = {**HTML, "HX-Request": "true"}
DEMO = "Product demo for Alpen Sport"


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Give Maya at her browser."""
    with visiting(office) as visitor:
        yield visitor.sign_in("maya")


def send(visitor: Visitor, path: str, **fields: str) -> httpx2.Response:
    """Send a form as htmx does."""
    values = {"csrf_token": visitor.csrf, **fields}
    return visitor.client.post(path, data=values, headers=SCRIPT, follow_redirects=False)


def part(visitor: Visitor, path: str) -> str:
    """Load a fragment as htmx does."""
    answer = visitor.client.get(path, headers=SCRIPT, follow_redirects=False)
    assert answer.status_code == 200, answer.text
    return answer.text


def without_crm(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the CRM be unreachable."""

    def unavailable(*_: object, **__: object) -> None:
        raise SyncError("CrmUnavailable", crm="Syncline CRM", detail="connection refused")

    for name in ("validate", "read", "users", "book", "reschedule", "find", "changes"):
        monkeypatch.setattr(type(office.app.crm), name, unavailable)


def test_an_answer_by_script_gets_the_card_and_nothing_around_it(office: Office, maya: Visitor) -> None:
    """The fragment is busy, its buttons are disabled, it asks again after a second, and the badges come along."""
    question = office.the_scene()
    answer = send(maya, question.url, answer="yes", version=str(question.version), place="wall")
    text = answer.text

    assert answer.status_code == 200 and "<html" not in text
    assert "Saving in Syncline CRM…" in shown(text) and 'aria-busy="true"' in text
    again = re.search(r'hx-get="([^"]+)" hx-trigger="every 1s"', text)
    assert again is not None and again[1] == f"/alerts/{question.id}/card?place=wall&amp;unless=saving"
    assert maya.client.get(unescape(again[1]), headers=SCRIPT).status_code == 204
    assert re.findall(r"<button[^>]*disabled>(\w+)<", text) == ["Yes", "No"]
    assert 'hx-swap-oob="innerHTML:.counted-alerts"' in text and "question waits" not in text
    office.sync("maya")

    saved = part(maya, unescape(again[1]))
    assert "folded" in saved and "hx-trigger" not in saved
    assert "Saved 08:00 by Maya Lind · Open in Calendar" in shown(saved)
    assert "Failures" not in shown(saved)


def test_alone_the_card_stays_whole(office: Office, maya: Visitor) -> None:
    """Where one card is alone on its page it does not fold; its sentence stays."""
    question = office.the_scene()
    send(maya, question.url, answer="yes")
    office.sync("maya")
    text = part(maya, f"{question.url}/card?place=alone")

    assert "folded" not in text and "A scheduling conflict was found" in text and "<h2" in text
    assert "<h3" in part(maya, f"{question.url}/card?place=mailbox")
    assert "<h2" in part(maya, f"{question.url}/card?place=nowhere")


def test_after_half_a_minute_it_asks_no_more(office: Office, maya: Visitor) -> None:
    """An answer that is carried out for long says that one may leave."""
    question = office.the_scene()
    send(maya, question.url, answer="yes")
    office.clock.at = NOW + timedelta(seconds=31)
    text = part(maya, f"{question.url}/card")

    assert "Still working, you can leave this page" in shown(text) and "hx-trigger" not in text


def test_without_script_the_page_loads_itself_again(office: Office, maya: Visitor) -> None:
    """The refresh is for browsers without script only: with script the card asks by itself."""
    question = office.the_scene()
    assert maya.post(question.url, answer="yes").headers["location"] == question.url
    text = maya.text(question.url)

    assert '<noscript><meta http-equiv="refresh" content="1"></noscript>' in text
    assert text.count('http-equiv="refresh"') == 1


def test_kept_out_on_the_wall_is_one_line_with_a_way_back(office: Office, maya: Visitor) -> None:
    """After No the line says who and when, and Change to Yes saves it after all."""
    question = office.the_scene()
    text = send(maya, question.url, answer="no", version=str(question.version), place="wall").text

    assert "Kept out 08:00 by Maya Lind" in shown(text) and "Change to Yes" in text and "folded" in text
    office.sync("maya")
    version = alerts.show(office.app, OPERATOR, question.id).version
    again = send(maya, question.url, answer="yes", version=str(version), place="wall")
    assert again.status_code == 200
    office.sync("maya")
    assert "Saved 08:00 by Maya Lind" in shown(part(maya, f"{question.url}/card?place=wall"))


def test_an_answer_that_cannot_be_carried_out_says_when_it_is_tried_again(
    office: Office, maya: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the CRM is away a Yes is kept, with the next try and the reason under Details."""
    question = office.the_scene()
    maya.post(question.url, answer="yes")
    with monkeypatch.context() as broken:
        without_crm(office, broken)
        office.app.worker.run_now([office.mailbox("maya").id])
    card = maya.text(question.url)

    assert "Answered Yes. The CRM cannot be reached; next try 08:" in shown(card)
    assert "connection refused" in card and ">Yes<" not in card


def test_a_question_stays_answerable_while_the_crm_is_away(
    office: Office, maya: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buttons stay; what is in the way cannot be shown."""
    question = office.the_scene()
    without_crm(office, monkeypatch)
    card = maya.text(question.url)

    assert ">Yes<" in card and ">No<" in card
    assert "What is in the way cannot be shown right now." in card
    assert "Quarterly review" not in card and "In the way" not in card
    assert send(maya, question.url, answer="no", version=str(question.version)).status_code == 200


def test_a_moved_appointment_says_where_it_stands_now(office: Office, maya: Visitor) -> None:
    """A withdrawn question tells its reason: the time to which the appointment was moved."""
    office.in_crm("Review", at(10))
    ref = office.in_outlook(DEMO, at(10.5))
    office.sync()
    question = office.question()
    office.change(ref, span=at(14))
    office.sync()
    card = maya.text(question.url)

    assert "No answer needed any more: the appointment was moved to 14:00 and saved · Open in Calendar" in shown(card)
    assert ">Yes<" not in card and ">No<" not in card


def test_a_deleted_appointment_says_so(office: Office, maya: Visitor) -> None:
    """What is gone from Outlook needs no answer."""
    office.in_crm("Review", at(10))
    ref = office.in_outlook(DEMO, at(10.5))
    office.sync()
    question = office.question()
    office.exchange.delete(f"maya@{DOMAIN}", ref)
    office.sync()

    assert "No answer needed any more: it was deleted in Outlook, or is tracked no longer" in shown(
        maya.text(question.url)
    )


def test_what_has_passed_can_be_saved_or_left_out(office: Office, maya: Visitor) -> None:
    """A question that nobody answered in time says when it ended, with both ways out."""
    question = office.the_scene()
    office.clock.at = NOW + timedelta(days=2)
    office.sync()
    card = shown(maya.sign_in("maya").text(question.url))

    assert "It ended yesterday; not in the CRM" in card
    assert "Save it now" in card and "Leave it out It stays in Outlook, and you are not asked again." in card


@pytest.mark.parametrize("by_script", [True, False])
def test_what_changed_meanwhile_is_shown_anew(office: Office, maya: Visitor, by_script: bool) -> None:
    """An answer to an older version changes nothing, says when it changed, and shows the new card."""
    office.in_crm("Review", at(10))
    ref = office.in_outlook(DEMO, at(10.5))
    office.sync()
    question = office.question()
    office.clock.at = NOW + timedelta(minutes=101)
    office.change(ref, span=at(10.25))
    office.sync()
    post = send if by_script else Visitor.post
    answer = post(maya, question.url, answer="yes", version=str(question.version))

    assert answer.status_code == 409
    assert "Changed in Outlook at 09:41. Please look again; nothing was done." in shown(answer.text)
    assert "10:15 – 11:15" in answer.text and ">Yes<" in answer.text
    assert office.question().state == "open"


@pytest.mark.parametrize("by_script", [True, False])
def test_the_second_learns_who_was_first(office: Office, maya: Visitor, by_script: bool) -> None:
    """Two people answer at once: one counts, the other is told whose answer stands."""
    question = office.the_scene()
    alerts.answer(office.app, office.viewer("ines"), question.id, "yes")
    post = send if by_script else Visitor.post
    answer = post(maya, question.url, answer="no", version=str(question.version))

    assert answer.status_code == 409
    assert "Ines Brandt answered Yes at 08:00. Your answer changed nothing." in shown(answer.text)


def test_who_may_not_answer_is_told_who_may(office: Office) -> None:
    """A colleague sees no question and no subject, only whom to ask; an alert that does not exist says nothing."""
    question = office.the_scene()
    with visiting(office) as jonas:
        jonas.sign_in("jonas")
        page = jonas.get(question.url)
        fragment = jonas.client.get(f"{question.url}/card", headers=SCRIPT)
        answer = send(jonas, question.url, answer="yes", version=str(question.version))
        missing = jonas.get("/alerts/4711")

    for found in (page, fragment, answer):
        assert found.status_code == 404
        assert "Maya Lind or a System Administrator can answer" in shown(found.text)
        assert "Product demo" not in found.text and ">Yes<" not in found.text
    assert "<html" not in fragment.text and "<html" not in answer.text
    assert missing.status_code == 404 and "can answer" not in missing.text
    assert office.question().state == "open"


def test_a_session_that_ends_in_the_middle_loses_nothing(office: Office, maya: Visitor) -> None:
    """The answer is not taken; sign-in leads back to the card, with script and without."""
    question = office.the_scene()
    maya.get(question.url)
    maya.client.cookies.clear()
    by_script = send(maya, question.url, answer="yes", version=str(question.version))
    polled = maya.client.get(f"{question.url}/card", headers=SCRIPT, follow_redirects=False)
    plain = maya.post(question.url, answer="yes", version=str(question.version))

    for found in (by_script, polled):
        assert found.status_code == 401 and "<html" not in found.text
        assert "Sign in to answer" in found.text and f"next=%2Falerts%2F{question.id}" in found.text
    assert plain.status_code == 303
    assert "nothing was sent. Sign in to answer." in shown(maya.text(plain.headers["location"]))
    assert office.question().state == "open"
    signed_in = maya.post("/sign-in", name="maya", password="moss-otter-41", next=question.url)
    assert signed_in.headers["location"] == question.url
    assert ">Yes<" in maya.text(question.url)


def test_a_form_of_an_older_session_is_refused_in_its_place(office: Office, maya: Visitor) -> None:
    """Somebody who has signed in anew meanwhile gets a sentence where the card stood, not a page inside a page."""
    question = office.the_scene()
    maya.get(question.url)
    older = maya.csrf
    maya.client.cookies.clear()
    maya.sign_in("maya")
    maya.csrf = older
    answer = send(maya, question.url, answer="yes")

    assert answer.status_code == 403 and "<html" not in answer.text
    assert 'role="alert"' in answer.text and "Open the page again" in answer.text


def test_an_answer_can_be_taken_back_until_it_is_begun(office: Office, maya: Visitor) -> None:
    """Undo stands beside what is being saved; after it the question waits again; later it is too late."""
    question = office.the_scene()
    saving = send(maya, question.url, answer="yes", version=str(question.version)).text
    assert f'action="{question.url}/undo"' in saving and "Undo" in shown(saving)

    back = send(maya, f"{question.url}/undo", place="wall")
    assert back.status_code == 200 and "Waiting for an answer" in back.text and ">Yes<" in back.text
    assert maya.post(f"{question.url}/undo").status_code == 409
    maya.post(question.url, answer="yes")
    office.sync("maya")
    late = send(maya, f"{question.url}/undo")
    assert late.status_code == 409
    assert "It is too late to take the answer back: it is being carried out, or has been." in shown(late.text)
    assert "Undo" not in maya.text(question.url)


def test_a_colleague_takes_back_nothing_and_a_session_that_is_over_neither(office: Office, maya: Visitor) -> None:
    """Undo has the same guards as the answer."""
    question = office.the_scene()
    maya.post(question.url, answer="yes")
    with visiting(office) as jonas:
        assert send(jonas.sign_in("jonas"), f"{question.url}/undo").status_code == 404
    maya.client.cookies.clear()
    assert "Sign in to answer" in send(maya, f"{question.url}/undo").text


def test_every_state_of_the_card_is_a_form_without_script(office: Office, maya: Visitor) -> None:
    """Each form that htmx sends has the same address as the form itself, and carries token, version and place."""
    question = office.the_scene()
    text = maya.text(question.url)
    form = re.search(r'<form class="answering" method="post" action="([^"]+)" hx-post="([^"]+)"', text)

    assert form and form[1] == form[2] == question.url
    for field in ("csrf_token", "version", "place"):
        assert f'type="hidden" name="{field}"' in text


def test_a_mailbox_that_is_switched_off_keeps_the_answer(office: Office, maya: Visitor) -> None:
    """An answer that waits for its mailbox says so, at once, and tells no next try."""
    question = office.the_scene()
    mailboxes.disable(office.app, OPERATOR, f"maya@{DOMAIN}")
    sent = send(maya, question.url, answer="yes")
    office.clock.at = NOW + timedelta(minutes=2)
    card = maya.text(question.url)

    assert "hx-trigger" not in sent.text and "Still working" not in card and "next try" not in card
    for found in (sent.text, card):
        assert "Answered Yes. The mailbox is switched off; it is saved once it is enabled again" in shown(found)


@pytest.mark.rule("Q-05")
def test_what_is_in_the_way_no_more_is_not_said_to_be_unknown(office: Office, maya: Visitor) -> None:
    """Between the moment at which the clash goes and the next sync the card says what will happen."""
    row = office.in_crm("Review", at(10))
    office.in_outlook(DEMO, at(10.5))
    office.sync()
    question = office.question()
    appointments.delete(office.app, OPERATOR, row)
    card = shown(maya.text(question.url))

    assert "Nothing is in the way any more: the next sync saves it and takes the question back." in card
    assert "cannot be shown" not in card and "In the way" not in card
    assert "Save it in Syncline CRM. Nothing is moved" in card


@pytest.mark.rule("Q-04")
def test_what_is_kept_out_says_that_nothing_is_in_the_way_any_more(office: Office, maya: Visitor) -> None:
    """A No stays when the clash goes; the card says so beside the way back."""
    row = office.in_crm("Review", at(10))
    office.in_outlook(DEMO, at(10.5))
    office.sync()
    question = office.question()
    maya.post(question.url, answer="no")
    appointments.delete(office.app, OPERATOR, row)
    office.sync()
    card = shown(maya.text(question.url))

    assert "Nothing is in the way any more. It stays out until you change it to Yes." in card
    assert "Change to Yes" in card and "cannot be shown" not in card


@pytest.mark.rule("Q-04")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("moved", "it changed in Outlook since and was saved"),
        ("asked anew", "it changed in Outlook since"),
        ("deleted", "it was deleted in Outlook since, or is tracked no longer"),
    ],
)
def test_a_no_that_holds_no_more_offers_no_way_back(office: Office, maya: Visitor, change: str, said: str) -> None:
    """What changed after a No is a new matter: its old card does not go on saying that it is kept out."""
    office.in_crm("Review", at(10))
    ref = office.in_outlook(DEMO, at(10.5))
    office.sync()
    question = office.question()
    maya.post(question.url, answer="no")
    office.sync()
    if change == "deleted":
        office.exchange.delete(f"maya@{DOMAIN}", ref)
    else:
        office.change(ref, span=at(14) if change == "moved" else at(10.25))
    office.sync()
    card = maya.text(question.url)

    assert f"Kept out 08:00 by Maya Lind; {said}" in shown(card)
    assert "Change to Yes" not in card and ">Yes<" not in card
    assert "Change to Yes" not in part(maya, f"{question.url}/card?place=wall")


@pytest.mark.rule("CD-07")
def test_a_series_that_goes_on_has_not_ended(office: Office, maya: Visitor) -> None:
    """Of a series nobody answered in time the last date that overlaps is told, not when its first date ended."""
    office.in_crm("Fair", at(10, days=3))
    ref = office.in_outlook("Standup", at(10))
    daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(10).start.date(), count=30)
    office.change(ref, recurrence=daily)
    office.sync()
    question = office.question()
    office.clock.at = NOW + timedelta(days=4)
    office.sync()
    card = shown(maya.sign_in("maya").text(question.url))

    assert "Its last date that overlaps was yesterday; not in the CRM" in card
    assert "It ended" not in card and "Save it now" in card


@pytest.mark.rule("CD-07")
def test_a_change_that_nobody_answered_is_told_as_a_change(office: Office, maya: Visitor) -> None:
    """What stands in the CRM at its old time is not said to be missing there."""
    office.in_crm("Review", at(10))
    ref = office.in_outlook(DEMO, at(14))
    office.sync()
    office.change(ref, span=at(10.5))
    office.sync()
    question = office.question()
    office.clock.at = NOW + timedelta(days=2)
    office.sync()
    card = shown(maya.sign_in("maya").text(question.url))

    assert "It ended yesterday; the change is not in the CRM" in card
    assert "Syncline CRM keeps it as it was before the change, and you are not asked again." in card


def test_an_answer_that_came_too_late_says_so(office: Office, maya: Visitor) -> None:
    """A No that found the item saved already is not passed over with a bare sentence."""
    question = office.the_scene()
    alert = office.app.store.alert(question.id)
    reason = "It was saved before the answer came."
    found = telling.REASONS[reason]
    assert found == "nobody was double-booked any more, and it was saved before the answer came"
    for path in (Path(writing.__file__),):
        said = re.findall(r'(?:reason"?[:=] ?|again = )"([^"]+)"', path.read_text())
        assert reason in said and set(said) <= set(telling.REASONS)
    assert alert.reason == ""


def test_while_the_crm_is_away_people_keep_name_and_zone(
    office: Office, maya: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answering and taking back go on under the name that everybody knows, with times as they are read always."""
    office.app.crm.set_user("maya", time_zone="Europe/Copenhagen")
    question = office.the_scene()
    before = maya.text(question.url)
    without_crm(office, monkeypatch)
    card = maya.text(question.url)

    assert "11:30 – 12:30" in before and "11:30 – 12:30" in card and "Maya Lind’s mailbox" in card
    maya.post(question.url, answer="yes")
    assert office.app.store.alert(question.id).decided_by == "Maya Lind"
    assert send(maya, f"{question.url}/undo").status_code == 200
    assert office.app.store.alert(question.id).state.value == "open"


def test_an_answer_from_before_can_be_taken_back_while_the_crm_is_away(
    office: Office, maya: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose answer it is does not depend on the CRM; then is when it has not begun to be carried out."""
    question = office.the_scene()
    maya.post(question.url, answer="yes")
    without_crm(office, monkeypatch)
    office.app.worker.run_now([office.mailbox("maya").id])

    assert send(maya, f"{question.url}/undo").status_code == 200
