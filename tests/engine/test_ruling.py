"""Answer rules in a cycle: they answer where a question would be opened, as if a person had, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from syncline.core.answering import AnswerRule, Conditions, Facts
from syncline.core.appointment import Sensitivity
from syncline.engine import alerts
from syncline.engine.questions import CONFLICT
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import Alert, AlertOutcome, AlertState, LinkState, OnSchedulingConflict
from syncline.store.schema import decision
from tests.engine.world import NOW, TRACKED, World, at, meeting


def rule(world: World, answer: str, name: str = "Trips", **conditions: Any) -> AnswerRule:
    """Store a rule for everybody."""
    wanted = Conditions(**conditions)
    value = AnswerRule(name=name, answer=answer, conditions=wanted, created=NOW)  # type: ignore[arg-type]
    return world.store.add_rule(value)


def clash(world: World, **fields: Any) -> str:
    """Save a review at 10 in the calendar, then a demo at 10:30; return the demo's address."""
    world.track(meeting("Review", at(10)))
    world.sync()
    return world.track(meeting("Demo", at(10.5), **fields))


def only(world: World) -> Alert:
    """Return the only question, whatever its state."""
    (alert,) = (each for each in world.store.alerts() if each.code == CONFLICT)
    return alert


def decisions(world: World) -> list[tuple[str, str]]:
    """Return every decision: what was answered, and by whom."""
    with world.store.reading() as connection:
        rows = connection.execute(select(decision.c.answer, decision.c.decided_by).order_by(decision.c.id))
        return [(row[0], row[1]) for row in rows]


def journal(world: World, ref: str) -> list[tuple[str, str]]:
    """Return what happened to an item, oldest first."""
    lines = world.store.journal(world.link(ref).id).items
    return [(line.action, line.detail) for line in reversed(lines)]


@pytest.mark.rule("Q-02")
def test_a_rule_saves_like_a_yes() -> None:
    """The item is saved in the same cycle; alert, decision and journal name the rule as who answered."""
    world = World()
    rule(world, "yes")
    ref = clash(world)
    counts = world.sync().counts

    assert world.subjects() == ["Demo", "Review"]
    alert = only(world)
    assert (alert.state, alert.outcome) == (AlertState.ANSWERED, AlertOutcome.SAVED)
    assert (alert.answer, alert.decided_by, alert.decided_on) == ("yes", "Rule: Trips", NOW)
    assert decisions(world) == [("yes", "Rule: Trips")]
    assert journal(world, ref) == [("asked", "Ada Admin"), ("answered", "yes by Rule: Trips"), ("saved", "")]
    assert world.link(ref).state is LinkState.SETTLED
    assert (counts.saved, counts.waiting) == (1, 0)


@pytest.mark.rule("Q-04")
def test_a_rule_keeps_out_like_a_no_and_a_person_may_change_it() -> None:
    """The item is kept out under the rule's name, and Yes saves it as after a person's No."""
    world = World()
    rule(world, "no")
    ref = clash(world)
    world.sync()

    link, alert = world.link(ref), only(world)
    assert (link.state, link.decision, link.decision_by) == (LinkState.KEPT_OUT, "no", "Rule: Trips")
    assert (alert.state, alert.outcome, alert.answer) == (AlertState.ANSWERED, AlertOutcome.KEPT_OUT, "no")
    assert world.subjects() == ["Review"]

    alerts.answer(world.store, world.clock, alert.id, "yes", "Ada")
    world.sync()
    assert world.subjects() == ["Demo", "Review"]
    assert decisions(world) == [("no", "Rule: Trips"), ("yes", "Ada")]
    with pytest.raises(SyncError, match="Ada answered Yes"):
        alerts.answer(world.store, world.clock, alert.id, "no", "Bob")


@pytest.mark.rule("Q-04")
def test_what_a_rule_kept_out_is_asked_again_when_it_moves_and_answered_again() -> None:
    """Another guest changes nothing; another time is a new question, which the rule answers; without it a person is."""
    world = World()
    kept = rule(world, "no")
    ref = clash(world)
    world.sync()
    world.change(ref, subject="Demo, new name")
    world.sync()
    assert len(decisions(world)) == 1

    world.change(ref, span=at(10.25))
    world.sync()
    assert decisions(world) == [("no", "Rule: Trips")] * 2
    assert world.link(ref).state is LinkState.KEPT_OUT

    world.store.change_rule(kept.id, enabled=False)
    world.change(ref, span=at(10.75))
    world.sync()
    assert world.link(ref).state is LinkState.ASKED
    assert [each.state for each in world.questions()] == [AlertState.OPEN]


@pytest.mark.rule("Q-10")
def test_a_question_that_stands_is_left_to_people() -> None:
    """A rule made later answers no open question, not even when the item moves to another clash."""
    world = World()
    ref = clash(world)
    world.sync()
    rule(world, "yes")
    world.change(ref, span=at(10.25))
    world.sync()

    assert only(world).state is AlertState.OPEN
    assert decisions(world) == []
    assert world.subjects() == ["Review"]


@pytest.mark.rule("Q-10")
@pytest.mark.parametrize("setting", [OnSchedulingConflict.SAVE_ANYWAY, OnSchedulingConflict.KEEP_OUT])
def test_rules_come_before_the_setting(setting: OnSchedulingConflict) -> None:
    """What a rule answers is not left to the setting; what no rule answers is."""
    world = World(rules=Rules(on_scheduling_conflict=setting))
    saves = setting is OnSchedulingConflict.SAVE_ANYWAY
    rule(world, "no" if saves else "yes", category="Travel")
    ruled = clash(world)
    world.change(ruled, categories=(TRACKED, "Travel"))
    free = world.track(meeting("Call", at(10.5)))
    world.sync()

    assert world.link(ruled).state is (LinkState.KEPT_OUT if saves else LinkState.SETTLED)
    assert world.link(free).state is (LinkState.SETTLED if saves else LinkState.KEPT_OUT)
    assert decisions(world) == [("no" if saves else "yes", "Rule: Trips")]


@pytest.mark.rule("Q-08")
@pytest.mark.parametrize(("answer", "start"), [("yes", at(10.5)), ("no", at(14))])
def test_a_rule_answers_a_move_too(answer: str, start: Any) -> None:
    """A saved item that moves onto another is moved by Yes, and stays where it was by No."""
    world = World()
    rule(world, answer)
    world.track(meeting("Review", at(10)))
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.change(ref, span=at(10.5), location="Showroom")
    world.sync()

    (row,) = [row for row in world.rows() if row.appointment.subject == "Demo"]
    assert row.appointment.span == start
    assert row.appointment.location == "Showroom"
    assert world.link(ref).state is (LinkState.SETTLED if answer == "yes" else LinkState.PARKED)
    assert decisions(world) == [(answer, "Rule: Trips")]


@pytest.mark.rule("Q-06")
def test_a_rule_answers_for_all_copies() -> None:
    """A meeting in two calendars is asked about once, so its organizer's rule answers for both."""
    world = World()
    world.store.add_rule(AnswerRule(name="Mine", answer="yes", owner="ada", created=NOW))
    world.track(meeting("Review", at(10), organizer="bob"), "bob")
    world.sync("bob")
    shared = meeting("Demo", at(10.5), "bob")
    world.track(shared)
    world.track(shared, "bob")
    for name in ("ada", "bob", "ada", "bob"):
        world.sync(name)

    assert world.subjects() == ["Demo", "Review"]
    assert decisions(world) == [("yes", "Rule: Mine")]


def test_a_users_own_rule_answers_in_his_mailbox_alone() -> None:
    """Bob's rule leaves Ada's questions to people."""
    world = World()
    world.store.add_rule(AnswerRule(name="Mine", answer="yes", owner="bob", created=NOW))
    clash(world)
    world.sync()

    assert only(world).state is AlertState.OPEN


def test_what_rules_ask_is_noted_with_the_question() -> None:
    """Categories, organizer, all-day, private and where the other came from stand on the alert, rule or no rule."""
    world = World()
    clash(world, sensitivity=Sensitivity.PRIVATE)
    world.sync()

    assert only(world).facts == Facts(
        categories=(TRACKED,), organizer="ada@example.org", own=True, private=True, same_calendar=True
    )


def test_both_sides_of_one_first_sync_come_from_the_same_calendar() -> None:
    """What is saved in the same chunk counts, too; a row that somebody entered in the CRM does not."""
    world = World()
    world.track(meeting("Review", at(10)))
    world.track(meeting("Demo", at(10.5)))
    world.sync()
    assert only(world).facts == Facts(categories=(TRACKED,), organizer="ada@example.org", own=True, same_calendar=True)

    world.crm.create(meeting("Call", at(16)), owner="ada")
    ref = world.track(meeting("Visit", at(16.5)))
    world.sync()
    (asked,) = [each for each in world.questions() if each.link_id == world.link(ref).id]
    assert asked.facts is not None
    assert asked.facts.same_calendar is False


def test_a_dry_run_says_which_rule_would_answer() -> None:
    """What a rule would save takes its time in the plan; what it would keep out does not."""
    world = World()
    rule(world, "no", name="Travel", category="Travel")
    rule(world, "yes", name="Rest")
    world.track(meeting("Review", at(10)))
    world.sync()
    world.track(meeting("Demo", at(10.5)))
    trip = world.track(meeting("Trip", at(10.25)))
    world.change(trip, categories=(TRACKED, "Travel"))
    plan = {line.subject: line for line in world.preview().plan}

    assert (plan["Demo"].action, plan["Trip"].action) == ("save", "keep out")
    assert plan["Demo"].detail.startswith("Rule: Rest; Ada Admin: Review")
    assert decisions(world) == []


@pytest.mark.rule("Q-02")
def test_an_answer_of_a_rule_survives_a_crash_before_it_is_carried_out() -> None:
    """The answer is stored before anything is written for it; the next cycle saves the item under it."""
    world = World()
    rule(world, "yes")
    ref = clash(world)
    book = world.crm.book

    def dies_on_the_answer(bookings: Any, policy: Any) -> Any:
        if not all(each.candidate.check for each in bookings):
            raise SyncError("CrmUnavailable", crm="CRM", detail="gone")
        return book(bookings, policy)

    world.crm.book = dies_on_the_answer  # type: ignore[method-assign]
    with pytest.raises(SyncError):
        world.sync()
    assert decisions(world) == [("yes", "Rule: Trips")]
    assert world.link(ref).decision == "yes"

    world.crm.book = book  # type: ignore[method-assign]
    world.sync()
    assert world.subjects() == ["Demo", "Review"]
    assert decisions(world) == [("yes", "Rule: Trips")]
    assert only(world).outcome is AlertOutcome.SAVED


def test_a_rule_disabled_between_two_chunks_no_longer_answers() -> None:
    """Rules are read again for each chunk, so that switching one off holds at once."""
    world = World(rules=Rules(chunk_max=1))
    kept = rule(world, "no")
    world.track(meeting("Review", at(10)))
    world.sync()
    for number in range(2):
        world.track(meeting(f"Demo {number}", at(10.5)))
    real = world.store.answer_rules
    asked: list[str] = []

    def read(user: str) -> tuple[AnswerRule, ...]:
        asked.append(user)
        found = real(user)
        world.store.change_rule(kept.id, enabled=False)
        return found

    world.store.answer_rules = read  # type: ignore[method-assign]
    world.sync()

    assert len(decisions(world)) == 1
    assert asked == ["ada", "ada"]
    assert [each.state for each in world.questions()] == [AlertState.OPEN]
