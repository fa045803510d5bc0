"""The third answer, and taking answers back, at the desk."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest

from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.desk import alerts, appointments, explaining, together
from syncline.desk.objects import AlertObject
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from tests.desk.office import Office, at


def series(office: Office, subject: str = "Pipeline call", hour: float = 9, days: int = 1, many: int = 5) -> str:
    """Save a daily series in Maya's calendar and return its address there."""
    ref = office.in_outlook(subject, at(hour, days=days))
    first = at(hour, days=days).start.date()
    office.change(ref, recurrence=Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=first, count=many))
    return ref


def dates(office: Office, subject: str = "Pipeline call") -> list[datetime]:
    """Return on which dates the CRM holds a series."""
    found = appointments.listing(office.app, OPERATOR, window=(at(0).start, at(0, days=30).start))
    return [entry.start for entry in found if entry.subject == subject]


def the_fair(office: Office) -> AlertObject:
    """Let the third of five dates overlap a fair, and return the question."""
    office.in_crm("Bike fair, day 1", at(8, days=3, length=8))
    series(office)
    office.sync("maya")
    return office.question()


def test_a_series_is_saved_without_the_dates_that_overlap(office: Office) -> None:
    """Four of five dates are in the CRM; the question says which one is not."""
    question = the_fair(office)
    given = alerts.answer(office.app, office.viewer("maya"), question.id, "without_overlaps", version=question.version)
    alerts.carry_out(office.app, [given])
    done = alerts.show(office.app, OPERATOR, question.id)

    assert given.refused is None
    assert (given.alert.outcome, given.alert.left_out) == ("saving", (at(9, days=3).start,))
    assert (done.outcome, done.left_out, done.can_undo) == ("saved", (at(9, days=3).start,), False)
    assert dates(office) == [at(9, days=day).start for day in (1, 2, 4, 5)]


def test_what_came_into_the_way_since_the_question_is_left_out_too(office: Office) -> None:
    """The dates are those that overlap when the answer is given, as the card shows them."""
    question = the_fair(office)
    office.in_crm("Call with the bank", at(9, days=5))
    given = alerts.answer(office.app, OPERATOR, question.id, "without_overlaps")
    alerts.carry_out(office.app, [given])

    assert given.alert.left_out == (at(9, days=3).start, at(9, days=5).start)
    assert dates(office) == [at(9, days=day).start for day in (1, 2, 4)]


def invited_by_the_crm(office: Office) -> AlertObject:
    """Let the CRM invite Jonas to a series that Outlook then moves to where he has a date; return the question."""
    office.in_crm("Jonas is away", at(14, days=3), organizer="jonas")
    ref = series(office)
    office.sync("maya")
    office.invite_in_crm(ref, "jonas")
    office.change(ref, span=at(14))
    office.sync("maya")
    return office.question()


@pytest.mark.rule("CD-05")
def test_a_series_is_saved_without_the_dates_of_whom_the_crm_invited(office: Office) -> None:
    """Outlook does not name him, the row does: his dates are those that overlap."""
    question = invited_by_the_crm(office)
    given = alerts.answer(office.app, OPERATOR, question.id, "without_overlaps", version=question.version)
    alerts.carry_out(office.app, [given])

    assert (given.refused, given.alert.left_out) == (None, (at(14, days=3).start,))
    assert dates(office) == [at(14, days=day).start for day in (1, 2, 4, 5)]


def test_while_the_crm_cannot_be_asked_the_dates_are_those_that_were_asked_about(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can look at the row: the dates are looked up in the item of Outlook."""
    question = invited_by_the_crm(office)
    with monkeypatch.context() as down:
        for name in ("read", "validate"):
            down.setattr(office.app.crm, name, unavailable)
        given = alerts.answer(office.app, OPERATOR, question.id, "without_overlaps")

    assert (given.refused, given.alert.left_out) == (None, (at(14, days=3).start,))


def unavailable(*_: object) -> None:
    """Be a CRM that cannot be asked."""
    raise SyncError("CrmUnavailable", crm="CRM", detail="down")


def test_a_single_cannot_be_saved_without_itself(office: Office) -> None:
    """The third answer is for series; nothing is done."""
    question = office.the_scene()
    with pytest.raises(SyncError, match="InvalidRequest"):
        alerts.answer(office.app, OPERATOR, question.id, "without_overlaps")

    assert office.question() == question


def test_a_series_that_overlaps_in_every_date_is_refused(office: Office) -> None:
    """Nothing would remain, and the question stays."""
    office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=9")
    series(office)
    office.sync("maya")
    question = office.question()
    given = alerts.answer(office.app, OPERATOR, question.id, "without_overlaps")

    assert given.refused is not None
    assert given.refused.code == "NothingWouldRemain"
    assert given.alert.state == "open"


def test_of_many_each_series_takes_it_and_each_single_refuses(office: Office) -> None:
    """One transaction for all; what is no series is refused for itself."""
    question = the_fair(office)
    office.in_crm("Review", at(14))
    office.in_outlook("Single", at(14))
    office.sync("maya")
    ids = [each.id for each in alerts.listing(office.app, OPERATOR, only_open=True)]
    given = alerts.answer_ids(office.app, OPERATOR, ids, "without_overlaps")

    assert {each.alert.id: each.refused and each.refused.code for each in given} == {
        question.id: None,
        next(number for number in ids if number != question.id): "InvalidRequest",
    }
    assert together.answer(office.app, OPERATOR, dict.fromkeys(ids, 1), "yes").answered == 1


def test_explain_tells_which_dates_were_left_out_and_by_whom(office: Office) -> None:
    """The story of the series names the dates, the person and the day of the answer."""
    question = the_fair(office)
    given = alerts.answer(office.app, office.viewer("maya"), question.id, "without_overlaps")
    alerts.carry_out(office.app, [given])
    (story,) = explaining.explain(office.app, OPERATOR, "Pipeline call")

    assert "2026-11-26 09:00 UTC is left out of Syncline CRM: Maya Lind answered so on 2026-11-23." in story.text
    assert any("yes without 2026-11-26 09:00 UTC by Maya Lind" in line.detail for line in story.lines)


# --- taking back --------------------------------------------------------------------------------------------------


def test_an_answer_is_taken_back_before_it_is_begun(office: Office) -> None:
    """The question is open again as it was, and takes another answer."""
    question = office.the_scene()
    maya = office.viewer("maya")
    given = alerts.answer(office.app, maya, question.id, "yes")
    (taken,) = alerts.undo(office.app, maya, [question.id])

    assert given.alert.can_undo
    assert taken.refused is None
    assert taken.alert == question
    office.sync()
    assert "Product demo for Alpen Sport" not in [each.subject for each in appointments.listing(office.app, maya)]
    assert alerts.answer(office.app, maya, question.id, "no", version=question.version).refused is None


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_answer_that_is_carried_out_is_not_taken_back(office: Office, answer: str) -> None:
    """Too late: the question is shown as it stands."""
    question = office.the_scene()
    alerts.answer(office.app, OPERATOR, question.id, answer)
    office.sync()
    (taken,) = alerts.undo(office.app, OPERATOR, [question.id])

    assert taken.refused is not None
    assert taken.refused.code == "AlreadyBegun"
    assert taken.alert.outcome == {"yes": "saved", "no": "kept_out"}[answer]
    assert not taken.alert.can_undo


def test_a_question_that_nobody_answered_has_nothing_to_take_back(office: Office) -> None:
    """Also after the answer was taken back once."""
    question = office.the_scene()
    (taken,) = alerts.undo(office.app, OPERATOR, [question.id])

    assert taken.refused is not None
    assert taken.refused.code == "NotAnswered"


def test_another_persons_answer_is_taken_back_by_an_administrator_only(office: Office) -> None:
    """A User takes back what he answered himself."""
    question = office.the_scene()
    alerts.answer(office.app, office.viewer("ines"), question.id, "yes")
    seen = alerts.show(office.app, office.viewer("maya"), question.id)
    (refused,) = alerts.undo(office.app, office.viewer("maya"), [question.id])
    with pytest.raises(SyncError, match="NotFoundHere"):
        alerts.undo(office.app, office.viewer("jonas"), [question.id])
    (taken,) = alerts.undo(office.app, OPERATOR, [question.id])

    assert not seen.can_undo
    assert refused.refused is not None
    assert (refused.refused.code, refused.alert.state) == ("NotAllowed", "answered")
    assert taken.alert.state == "open"


def test_yes_to_what_was_kept_out_goes_back_to_kept_out(office: Office) -> None:
    """Taking back restores what the question said before, with who said it."""
    question = office.the_scene()
    alerts.answer(office.app, office.viewer("ines"), question.id, "no")
    office.sync()
    kept = alerts.show(office.app, OPERATOR, question.id)
    alerts.answer(office.app, office.viewer("maya"), question.id, "yes")
    (taken,) = alerts.undo(office.app, office.viewer("maya"), [question.id])
    office.sync()

    assert (kept.outcome, kept.decided_by) == ("kept_out", "Ines Brandt")
    assert dataclasses.replace(taken.alert, clashes=(), unavailable=()) == dataclasses.replace(
        kept, clashes=(), unavailable=()
    )
    assert alerts.show(office.app, OPERATOR, question.id).outcome == "kept_out"
    assert alerts.answer(office.app, OPERATOR, question.id, "yes").refused is None


def test_a_lapsed_question_lapses_again(office: Office) -> None:
    """What had ended before the answer has ended after it."""
    question = office.the_scene()
    office.clock.at += timedelta(days=2)
    office.sync()
    assert alerts.show(office.app, OPERATOR, question.id).state == "lapsed"
    alerts.answer(office.app, OPERATOR, question.id, "yes")
    (taken,) = alerts.undo(office.app, OPERATOR, [question.id])

    assert taken.alert.state == "lapsed"


def test_nobody_waits_for_an_answer_that_was_taken_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hands an answer over to the server waits for its outcome, and no more once there will be none."""
    question = office.the_scene()
    given = alerts.answer(office.app, OPERATOR, question.id, "yes")
    alerts.undo(office.app, OPERATOR, [question.id])
    slept: list[float] = []
    monkeypatch.setattr("syncline.desk.alerts.jobs_run", lambda _data: True)
    monkeypatch.setattr("time.sleep", slept.append)
    alerts.carry_out(office.app, [given], wait_s=60)

    assert len(slept) == 1


@pytest.mark.rule("Q-02")
def test_an_answer_that_became_void_has_no_outcome(office: Office) -> None:
    """What moved before its Yes was carried out is asked anew; the old question says nothing of being saved."""
    office.in_crm("Fair", at(8, length=12))
    question = office.the_scene()
    alerts.answer(office.app, office.viewer("maya"), question.id, "yes")
    (link,) = office.app.store.links_by_id([office.app.store.alert(question.id).link_id or 0])
    office.change(link.ref, span=at(15))
    office.sync()

    again, old = alerts.listing(office.app, OPERATOR)
    assert (old.id, old.state, old.outcome) == (question.id, "withdrawn", None)
    assert (again.state, again.outcome) == ("open", None)
