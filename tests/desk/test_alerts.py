"""Questions at the desk: what they say, to whom, and how they are answered."""

from __future__ import annotations

import pytest

from syncline.desk import alerts, appointments, reports
from syncline.desk.both_versions import masked
from syncline.desk.objects import AlertObject
from syncline.desk.reading import OPERATOR, Sight
from syncline.desk.versions import in_utc
from syncline.errors import SyncError, render
from syncline.language import speaking
from tests.desk.office import DOMAIN, Office, at

CONFLICT = "ExchangeSyncSchedulingConflictsError"
SENTENCE = (
    'A scheduling conflict was found when saving appointment "Product demo for Alpen Sport" from Exchange to '
    "Syncline CRM because Maya Lind is unavailable at this time. Do you want to ignore the conflict and save anyway?"
)


def subjects(office: Office) -> list[str]:
    """Return what the CRM holds."""
    return [entry.subject for entry in appointments.listing(office.app, office.viewer("maya"))]


def test_a_question_says_the_published_sentence_and_its_code(office: Office) -> None:
    """The text is word for word the published one, followed by the error code."""
    question = office.the_scene()

    assert question.text == f"{SENTENCE} Email Server Error Code: ExchangeSyncSchedulingConflictsError"
    assert (question.mailbox, question.level, question.state) == (f"maya@{DOMAIN}", "error", "open")
    assert question.unavailable == ("Maya Lind",)
    assert question.url == f"/alerts/{question.id}"
    assert question.series is None


def test_clashes_are_computed_when_shown(office: Office) -> None:
    """What came into the way after the question was asked is listed too."""
    question = office.the_scene()
    office.in_crm("Call with the bank", at(11))
    now = alerts.show(office.app, OPERATOR, question.id)

    assert [clash.subject for clash in question.clashes] == ["Quarterly review with Harbour Cycles"]
    assert [clash.subject for clash in now.clashes] == ["Quarterly review with Harbour Cycles", "Call with the bank"]
    assert now.clashes[0].user == "Maya Lind"
    assert (now.clashes[0].start, now.clashes[0].end) == (at(10).start, at(10).end)


@pytest.mark.rule("CD-05")
def test_clashes_of_whom_only_the_crm_invited_are_listed(office: Office) -> None:
    """The question names him, so what he has at that time is listed below it."""
    office.in_crm("Jonas is away", at(14), organizer="jonas")
    ref = office.in_outlook("Visit", at(10))
    office.sync("maya")
    office.invite_in_crm(ref, "jonas")
    office.change(ref, span=at(14))
    office.sync("maya")
    question = office.question()

    assert question.unavailable == ("Jonas Weber",)
    assert [(clash.subject, clash.user) for clash in question.clashes] == [("Jonas is away", "Jonas Weber")]


@pytest.mark.rule("CD-05")
def test_clashes_of_whom_the_crm_uninvited_are_listed_no_more(office: Office) -> None:
    """Outlook still names him, but what would be saved does not."""
    for name in ("maya", "jonas"):
        office.in_crm(f"{name} is away", at(14), organizer=name)
    ref = office.in_outlook("Visit", at(10), "jonas")
    office.sync("maya")
    office.change(ref, span=at(14))
    office.sync("maya")
    before = office.question()
    office.invite_in_crm(ref)
    now = office.question()

    assert {clash.user for clash in before.clashes} == {"Jonas Weber", "Maya Lind"}
    assert {clash.user for clash in now.clashes} == {"Maya Lind"}


def test_yes_saves_and_a_second_answer_is_refused(office: Office) -> None:
    """Yes is carried out; whoever comes second hears who was first."""
    question = office.the_scene()
    given = alerts.answer(office.app, office.viewer("maya"), question.id, "yes", version=question.version)
    alerts.carry_out(office.app, [given])
    second = alerts.answer(office.app, office.viewer("ines"), question.id, "no")

    assert given.refused is None
    assert (given.alert.state, given.alert.outcome, given.alert.decided_by) == ("answered", "saving", "Maya Lind")
    assert second.refused is not None
    assert second.refused.code == "AlreadyAnswered"
    assert "Maya Lind answered Yes" in second.refused.text
    assert second.alert.outcome == "saved"
    assert "Product demo for Alpen Sport" in subjects(office)


def test_no_keeps_out_and_yes_changes_it(office: Office) -> None:
    """What is kept out can still be let in."""
    question = office.the_scene()
    kept = alerts.answer(office.app, office.viewer("maya"), question.id, "no")
    alerts.carry_out(office.app, [kept])
    office.sync()
    assert "Product demo for Alpen Sport" not in subjects(office)

    changed = alerts.answer(office.app, office.viewer("maya"), question.id, "yes")
    alerts.carry_out(office.app, [changed])

    assert kept.alert.outcome == "kept_out"
    assert changed.refused is None
    assert "Product demo for Alpen Sport" in subjects(office)


@pytest.mark.rule("Q-07")
def test_an_answer_to_an_old_version_does_nothing(office: Office) -> None:
    """Whoever saw an older question is shown the new one."""
    question = office.the_scene()
    given = alerts.answer(office.app, office.viewer("maya"), question.id, "yes", version=question.version - 1)

    assert given.refused is not None
    assert given.refused.code == "AnswerOutdated"
    assert given.alert.state == "open"


def test_the_questions_of_others_do_not_exist_for_a_user(office: Office) -> None:
    """A User neither lists, sees nor answers what waits on another mailbox."""
    question = office.the_scene()
    jonas = office.viewer("jonas")

    assert alerts.listing(office.app, jonas) == []
    for ask in (
        lambda: alerts.show(office.app, jonas, question.id),
        lambda: alerts.answer(office.app, jonas, question.id, "yes"),
        lambda: alerts.answer_ids(office.app, jonas, [question.id], "yes"),
        lambda: alerts.answer_like(office.app, jonas, question.id, "yes"),
        lambda: alerts.listing(office.app, jonas, mailbox=f"maya@{DOMAIN}"),
    ):
        with pytest.raises(SyncError, match="NotFoundHere"):
            ask()


def test_a_private_item_is_told_to_its_owner_only(office: Office) -> None:
    """Text and subject say "Private appointment" to everybody but the owner."""
    question = office.the_scene(private=True)
    own = alerts.show(office.app, office.viewer("maya"), question.id)
    other = alerts.show(office.app, office.viewer("ines"), question.id)

    assert own.subject == "Product demo for Alpen Sport"
    assert "Alpen" in own.text
    assert other.subject == "Private appointment"
    assert "Alpen" not in other.text
    assert 'appointment "Private appointment" from Exchange' in other.text


def test_another_persons_appointment_in_the_way_is_busy(office: Office) -> None:
    """A User sees only the times of what occupies a colleague; an administrator its subject, never its body."""
    office.in_crm("Dentist of Jonas", at(10), organizer="jonas", description="secret body")
    office.in_outlook("Price round", at(10), "jonas")
    office.sync("maya")
    question = office.question()
    (seen,) = alerts.show(office.app, office.viewer("maya"), question.id).clashes
    (known,) = alerts.show(office.app, office.viewer("ines"), question.id).clashes

    assert (seen.subject, seen.masked, seen.user) == ("Busy", True, "Jonas Weber")
    assert (known.subject, known.masked) == ("Dentist of Jonas", False)
    assert (seen.start, seen.end) == (known.start, known.end)


def test_one_answer_for_all_of_a_kind(office: Office) -> None:
    """Every open question of the same mailbox and code takes the answer."""
    office.in_crm("Fair", at(9, length=8))
    for hour in (9, 11, 13):
        office.in_outlook(f"Talk at {hour}", at(hour))
    office.sync("maya")
    questions = alerts.listing(office.app, OPERATOR, only_open=True)
    given = alerts.answer_like(office.app, OPERATOR, questions[0].id, "yes")
    alerts.carry_out(office.app, given)

    assert len(given) == 3
    assert alerts.listing(office.app, OPERATOR, only_open=True) == []
    assert {f"Talk at {hour}" for hour in (9, 11, 13)} <= set(subjects(office))


def test_a_series_names_its_clashing_dates(office: Office) -> None:
    """The question of a series counts its dates and lists those that clash."""
    office.in_crm("Bike fair, day 1", at(9, days=3, length=8))
    office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=5")
    answer = appointments.add(
        office.app,
        OPERATOR,
        appointments.Draft(
            subject="Class", start=at(9).start.isoformat(), organizer="maya", recurrence="FREQ=DAILY;COUNT=3"
        ),
    )

    assert answer.code == "ExchangeSyncSchedulingConflictsError"
    assert len(answer.clashes) == 4


def test_an_answer_is_yes_or_no(office: Office) -> None:
    """Anything else is refused before anything is done."""
    question = office.the_scene()
    with pytest.raises(SyncError, match="InvalidRequest"):
        alerts.answer(office.app, OPERATOR, question.id, "maybe")

    assert office.question() == question


def shown(question: AlertObject) -> tuple[str, ...]:
    """Return the subjects in the way."""
    return tuple(clash.subject for clash in question.clashes)


def test_a_closed_question_shows_what_stood_there(office: Office) -> None:
    """After the answer the list is the one it was about."""
    question = office.the_scene()
    given = alerts.answer(office.app, OPERATOR, question.id, "yes")
    alerts.carry_out(office.app, [given])
    office.in_crm("Later", at(10))

    assert shown(alerts.show(office.app, OPERATOR, question.id)) == shown(question)


def test_many_notices_bury_no_question(office: Office) -> None:
    """Pages and figures ask the state for what reaches people: sixty newer warnings change neither."""
    question = office.the_scene()
    for number in range(60):
        ref = office.in_outlook(f"Broken {number}", at(8, days=3))
        office.exchange.spoil(f"maya@{DOMAIN}", ref, SyncError("ItemUnreadable", detail="broken"))
    office.sync("maya")
    maya = office.viewer("maya")

    first = alerts.page(office.app, maya, only_open=True, limit=5)
    (figures,) = reports.statistics(office.app, maya).mailboxes
    everything = alerts.listing(office.app, OPERATOR, only_open=True)

    assert [(alert.id, alert.code) for alert in first.items] == [(question.id, CONFLICT)]
    assert first.next is None
    assert (figures.open_alerts, figures.questions, figures.failures) == (1, 1, 61)
    assert len(everything) == 61


def test_levels_that_are_off_do_not_reach_users(office: Office) -> None:
    """By default a User sees no warnings; an administrator sees all levels, and questions are for everybody."""
    office.the_scene()
    office.refusal = SyncError("ServerUnreachable", detail="no route")
    office.app.worker.run_now([office.mailbox("maya").id])
    codes = {name: {each.code for each in alerts.listing(office.app, office.viewer(name))} for name in ("maya", "ines")}

    assert codes == {"maya": {CONFLICT}, "ines": {CONFLICT, "ServerUnreachable"}}


@pytest.mark.parametrize(("language", "fields"), [("en", "Location, Subject"), ("de", "Ort, Betreff")])
def test_shortened_texts_are_called_as_their_reader_calls_them(language: str, fields: str) -> None:
    """The alert about texts that Outlook has no room for names the fields in words, in the reader's language."""
    params = {"subject": "Visit", "crm": "Syncline CRM", "fields": "location, subject"}
    with speaking(language):
        text = render("FieldTooLong", masked(params, Sight.OUTLINE, in_utc))
    assert f"beginning of: {fields}. Syncline CRM keeps" in text
