"""Dates that an answer leaves out of a series: what is written, what later syncs keep, and when a date comes back."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Pattern, PatternKind, Recurrence, ShowAs
from syncline.core.leaving_out import dates_at, without
from syncline.core.merging import Winner
from syncline.engine import alerts
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import Alert, AlertOutcome, AlertState, LinkState
from tests.engine.world import World, at, meeting

THIRD = at(9, days=3).start
ADA = "ada@example.org"


def daily(subject: str = "Standup", hour: float = 9, many: int = 5, **fields: object) -> Appointment:
    """Return a series of an hour on the next days."""
    recurrence = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(hour).start.date(), count=many)
    return meeting(subject, at(hour), recurrence=recurrence, **fields)


def leave_out(world: World, name: str = "ada", answer_by: str = "ada") -> Alert:
    """Answer the only open question with Yes, without the dates that it names."""
    (alert,) = [each for each in world.questions(name) if each.state is AlertState.OPEN]
    (link,) = world.store.links_by_id([alert.link_id or 0])
    assert alert.verdict is not None
    assert link.observed is not None
    dates = dates_at(without(link.observed, link.left_out), alert.verdict.clashing)
    leaving = alerts.Leaving(dates, alert.version)
    (result,) = alerts.save_without(world.store, world.clock, {alert.id: leaving}, answer_by)
    assert isinstance(result, Alert), result
    return result


def row(world: World, subject: str = "Standup") -> Appointment:
    """Return the row of a series."""
    return next(each.appointment for each in world.rows() if each.appointment.subject == subject)


def scene(**fields: object) -> tuple[World, str]:
    """Return a world in which the third date of a series was left out, and the address of the series."""
    world = World()
    world.crm.create(meeting("Fair", at(8, days=3, length=8)), owner="ada")
    ref = world.track(daily(**fields))
    world.sync()
    leave_out(world)
    world.sync()
    return world, ref


@pytest.mark.rule("Q-02")
def test_the_dates_become_deleted_occurrences_in_the_crm_only() -> None:
    """The row lacks the date, Exchange has it, the answer is carried out, and decision and journal name the date."""
    world, ref = scene()
    link = world.link(ref)
    (item,) = world.exchange.items("ada@example.org")

    assert row(world).deleted == (THIRD,)
    assert item.appointment.deleted == ()
    assert (link.state, link.left_out, link.decided_left_out, link.decision) == (LinkState.SETTLED, (THIRD,), (), None)
    assert world.store.left_out_by(link.id) == ("ada", world.clock.now())
    assert any("without 2026-11-26 09:00 UTC" in line.detail for line in world.store.journal(link.id).items)


@pytest.mark.rule("Q-02")
def test_later_syncs_keep_them_without_a_write_or_a_question() -> None:
    """Nothing is divergent, nothing is echoed, nothing is asked again; also after a text of the series changed."""
    world, ref = scene()
    version = world.rows()[-1].version
    world.sync()
    world.exchange.touch("ada@example.org", ref)
    world.sync()
    assert world.rows()[-1].version == version
    world.change(ref, subject="Stand-up")
    world.sync()

    assert row(world, "Stand-up").deleted == (THIRD,)
    assert world.questions() == ()


def test_an_edit_of_a_left_out_date_changes_nothing() -> None:
    """Another text on that date makes an exception in Exchange; the CRM does not have the date."""
    world, ref = scene()
    version = world.rows()[-1].version
    edit = lambda found: replace(found, subject="Only this one")  # noqa: E731
    world.exchange.edit_occurrence("ada@example.org", ref, at(9, days=3), edit)
    world.sync()

    assert world.rows()[-1].version == version
    assert world.link(ref).left_out == (THIRD,)


@pytest.mark.rule("Q-04")
def test_a_left_out_date_that_moves_to_a_free_time_comes_back() -> None:
    """The organizer solved it: the date is saved at its new time, and no longer left out."""
    world, ref = scene()
    to = at(18, days=3)
    world.exchange.edit_occurrence("ada@example.org", ref, at(9, days=3), lambda found: replace(found, span=to))
    world.sync()

    assert row(world).deleted == ()
    assert [part.span for part in row(world).exceptions] == [to]
    assert world.link(ref).left_out == ()
    assert world.questions() == ()


def test_a_left_out_date_that_moves_to_another_overlap_is_asked_about() -> None:
    """It is a new matter: the question names the one date."""
    world, ref = scene()
    to = at(13, days=3)
    world.exchange.edit_occurrence("ada@example.org", ref, at(9, days=3), lambda found: replace(found, span=to))
    world.sync()
    (question,) = world.questions()

    assert question.verdict is not None
    assert question.verdict.clashing == (to.start,)
    assert row(world).deleted == (THIRD,)


def test_a_left_out_date_that_is_deleted_in_exchange_stays_deleted() -> None:
    """Both sides agree now; nothing is asked."""
    world, ref = scene()
    world.exchange.delete_occurrence("ada@example.org", ref, at(9, days=3))
    world.sync()

    assert (row(world).deleted, world.link(ref).left_out) == ((THIRD,), ())
    assert world.questions() == ()


def test_dates_fall_away_with_the_time_of_the_series() -> None:
    """At another hour every date is a new one: those that overlap are asked about, the others were never left out."""
    world, ref = scene()
    world.change(ref, span=at(10))
    world.sync()
    (question,) = world.questions()
    assert question.verdict is not None
    assert question.verdict.clashing == (at(10, days=3).start,)
    world.change(ref, span=at(18))
    world.sync()

    assert (row(world).deleted, row(world).span, world.link(ref).left_out) == ((), at(18), ())
    assert world.questions() == ()


def test_a_shorter_series_forgets_its_dates() -> None:
    """A date that the pattern no longer has is not left out any more, also when the series grows again."""
    world, ref = scene()
    short = daily(many=2).recurrence
    world.change(ref, recurrence=short)
    world.sync()
    assert world.link(ref).left_out == ()
    world.crm.remove(next(each.id for each in world.rows() if each.appointment.subject == "Fair"))
    world.change(ref, recurrence=daily().recurrence)
    world.sync()

    assert row(world).deleted == ()


def test_a_series_shown_as_free_overlaps_nothing_and_is_whole_again() -> None:
    """Free time double-books nobody, so no date is left out."""
    world, ref = scene()
    world.change(ref, show_as=ShowAs.FREE)
    world.sync()

    assert (row(world).deleted, world.questions()) == ((), ())


def test_a_moved_date_among_those_left_out_is_left_out() -> None:
    """An exception that overlaps where it was moved to is named by its original start."""
    world = World()
    world.crm.create(meeting("Fair", at(13, days=3)), owner="ada")
    ref = world.track(daily())
    to = at(13, days=3)
    world.exchange.edit_occurrence("ada@example.org", ref, at(9, days=3), lambda found: replace(found, span=to))
    world.sync()
    leave_out(world)
    world.sync()

    assert (row(world).deleted, row(world).exceptions) == ((THIRD,), ())
    world.exchange.touch("ada@example.org", ref)
    world.sync()
    assert world.link(ref).left_out == (THIRD,)


def test_other_dates_that_overlap_later_are_asked_about_and_added() -> None:
    """A change that adds an overlap asks as for any series; the dates of both answers are left out then."""
    world, ref = scene()
    world.crm.create(meeting("Dinner", at(19, days=5)), owner="ada")
    to = at(19, days=5)
    world.exchange.edit_occurrence("ada@example.org", ref, at(9, days=5), lambda found: replace(found, span=to))
    world.sync()
    leave_out(world)
    world.sync()

    assert row(world).deleted == (THIRD, at(9, days=5).start)
    assert world.link(ref).left_out == (THIRD, at(9, days=5).start)
    assert [each.outcome for each in world.store.alerts()] == [AlertOutcome.SAVED, AlertOutcome.SAVED]


@pytest.mark.rule("Q-02")
def test_what_overlaps_beyond_the_answer_when_it_is_carried_out_is_asked_anew() -> None:
    """Nothing is double-booked and nothing left out that was not in the answer; the new question names all dates."""
    world = World()
    world.crm.create(meeting("Fair", at(8, days=3, length=8)), owner="ada")
    world.track(daily())
    world.sync()
    first = leave_out(world)
    world.crm.create(meeting("Bank", at(9, days=4)), owner="ada")
    world.sync()
    (again,) = world.questions()

    assert again.id != first.id
    assert again.state is AlertState.OPEN
    assert again.verdict is not None
    assert again.verdict.clashing == (THIRD, at(9, days=4).start)
    assert world.store.alert(first.id).state is AlertState.WITHDRAWN
    assert world.subjects() == ["Bank", "Fair"]


def test_what_was_kept_out_can_still_be_saved_without_the_overlaps() -> None:
    """Change to Yes takes either form; a second answer after it is refused."""
    world = World()
    world.crm.create(meeting("Fair", at(8, days=3, length=8)), owner="ada")
    world.track(daily())
    world.sync()
    world.answer("no")
    world.sync()
    (kept,) = world.store.alerts()
    leaving = {kept.id: alerts.Leaving((THIRD,), kept.version)}
    (changed,) = alerts.save_without(world.store, world.clock, leaving, "ada")
    world.sync()
    (again,) = alerts.answer_all(world.store, world.clock, [kept.id], "yes", "ada")

    assert isinstance(changed, Alert)
    assert row(world).deleted == (THIRD,)
    assert isinstance(again, SyncError)
    assert again.code == "AlreadyAnswered"


def test_dates_found_on_another_version_are_refused() -> None:
    """The dates belong to the question as it was read."""
    world = World()
    world.crm.create(meeting("Fair", at(8, days=3, length=8)), owner="ada")
    world.track(daily())
    world.sync()
    (alert,) = world.questions()
    leaving = {alert.id: alerts.Leaving((THIRD,), alert.version - 1)}
    (result,) = alerts.save_without(world.store, world.clock, leaving, "ada")

    assert isinstance(result, SyncError)
    assert result.code == "AnswerOutdated"


@pytest.mark.rule("A-35")
def test_tracked_again_it_is_asked_again() -> None:
    """Untracking forgets the answer with the link; the row stays as it was until somebody says more."""
    world, ref = scene()
    world.exchange.set_categories("ada@example.org", ref, ())
    world.sync()
    assert row(world).deleted == (THIRD,)
    world.exchange.set_categories("ada@example.org", ref, ("Tracked to Syncline CRM",))
    world.sync()
    (question,) = world.questions()

    assert question.verdict is not None
    assert question.verdict.clashing == (THIRD,)
    assert row(world).deleted == (THIRD,)


@pytest.mark.rule("Q-06")
def test_another_mailbox_that_takes_over_keeps_the_dates_out() -> None:
    """The answer holds for every copy of the meeting, also when the first one goes."""
    world = World()
    world.crm.create(meeting("Fair", at(8, days=3, length=8)), owner="ada")
    series = daily()
    guests = meeting("x", at(9), "bob").attendees
    ref = world.track(replace(series, attendees=guests))
    copy = next(item.ref for item in world.exchange.items("bob@example.org"))
    world.exchange.set_categories("bob@example.org", copy, ("Tracked to Syncline CRM",))
    world.sync()
    world.sync("bob")
    leave_out(world)
    world.sync()
    for _ in range(2):
        world.sync("bob")
    assert world.link(copy, "bob").left_out == (THIRD,)
    world.exchange.set_categories("ada@example.org", ref, ())
    world.sync()
    world.exchange.touch("bob@example.org", copy)
    world.sync("bob")

    assert row(world).deleted == (THIRD,)
    assert [*world.questions(), *world.questions("bob")] == []


@pytest.mark.rule("R-05")
def test_a_date_that_the_crm_brings_back_is_left_out_no_more() -> None:
    """What the CRM deletes of the series next is deleted in Outlook, too."""
    world = World(rules=Rules(outgoing=True, winner=Winner.ASK))
    world.sync()
    world.crm.create(meeting("Fair", at(8, days=3, length=8)), owner="ada")
    ref = world.track(daily())
    world.sync()
    leave_out(world)
    world.sync()
    (found,) = (one for one in world.crm.rows() if one.appointment.subject == "Standup")
    assert found.appointment.deleted == (at(9, days=3).start,)
    shorter = replace(found.appointment.recurrence, count=4)
    world.crm.edit(found.id, lambda one: replace(one, deleted=(), recurrence=shorter), by="ada")
    world.sync()
    world.crm.edit(found.id, lambda one: replace(one, deleted=(at(9, days=4).start,)), by="ada")
    world.sync()

    assert world.exchange.item("ada@example.org", ref).appointment.deleted == (at(9, days=4).start,)


@pytest.mark.rule("R-05")
def test_what_outlook_makes_of_a_date_that_the_crm_brought_back_reaches_the_crm() -> None:
    """Outlook has had the date all along, so that nothing is written to it when the CRM has it again."""
    world = World(rules=Rules(outgoing=True))
    world.sync()
    world.crm.create(meeting("Fair", at(8, days=3, length=8)), owner="ada")
    ref = world.track(daily())
    world.sync()
    leave_out(world)
    world.sync()
    fair, found = sorted(world.crm.rows(), key=lambda one: one.appointment.subject)
    world.crm.remove(fair.id)
    world.crm.edit(found.id, lambda one: replace(one, deleted=()), by="ada")
    world.sync()
    series = world.exchange.item("ada@example.org", ref).appointment
    elsewhere = replace(
        series,
        identity=replace(series.identity, original_start=THIRD),
        span=at(9, days=3),
        location="Room 7",
        recurrence=None,
    )
    world.exchange.edit("ada@example.org", ref, lambda one: replace(one, exceptions=(elsewhere,)))
    world.sync()

    assert row(world).deleted == ()
    assert [part.location for part in row(world).exceptions] == ["Room 7"]


def edit_row(world: World, **values: object) -> None:
    """Change the row of the series in the CRM, and let it flow."""
    (found,) = (one for one in world.crm.rows() if one.appointment.subject == "Standup")
    world.crm.edit(found.id, lambda one: replace(one, **values), by="ada")
    world.sync()


def outgoing_scene(hour: float, *days: int) -> tuple[World, str]:
    """Return a world that writes both ways, and a series whose dates stand at another hour on some days, left out."""
    world = World(rules=Rules(outgoing=True, winner=Winner.ASK))
    world.sync()
    ref = world.track(daily())
    for day in days:
        there = at(hour, days=day)
        world.crm.create(meeting(f"Fair {day}", there), owner="ada")
        if hour != 9:
            world.exchange.edit_occurrence(ADA, ref, at(9, days=day), lambda one, to=there: replace(one, span=to))
    world.sync()
    leave_out(world)
    world.sync()
    assert row(world).deleted == tuple(at(9, days=day).start for day in days)
    return world, ref


@pytest.mark.rule("3.1")
def test_a_moved_date_that_the_crm_brings_back_stands_in_outlook_as_in_the_crm() -> None:
    """Somebody has the date at its usual time again, so it goes back there from where Outlook had moved it."""
    world, ref = outgoing_scene(13, 3, 4)
    still = at(9, days=4).start

    edit_row(world, deleted=(still,))

    (part,) = world.exchange.item(ADA, ref).appointment.exceptions
    assert (part.identity.original_start, part.span) == (still, at(13, days=4))
    assert (row(world).exceptions, row(world).deleted) == ((), (still,))
    assert world.link(ref).left_out == (still,)
    assert world.questions() == ()


@pytest.mark.rule("3.1")
@pytest.mark.parametrize("side", ["CRM", "Outlook"])
def test_a_date_that_the_crm_has_again_can_be_deleted_on_either_side(side: str) -> None:
    """Once both sides have it, it is a date like the others, and its deletion reaches the other side."""
    world, ref = outgoing_scene(9, 3)
    edit_row(world, deleted=())
    assert world.link(ref).left_out == ()

    if side == "CRM":
        edit_row(world, deleted=(THIRD,))
    else:
        world.exchange.delete_occurrence(ADA, ref, at(9, days=3))
        world.sync()

    assert world.exchange.item(ADA, ref).appointment.deleted == (THIRD,)
    assert row(world).deleted == (THIRD,)


@pytest.mark.rule("3.1")
def test_a_date_that_the_crm_has_again_leaves_the_others_out_and_writes_nothing() -> None:
    """Of two dates the other stays out; a later edit of a text writes that alone and asks nothing."""
    world, ref = outgoing_scene(9, 3, 4)
    still = at(9, days=4).start
    edit_row(world, deleted=(still,))
    link = world.link(ref)
    assert (link.left_out, link.state) == ((still,), LinkState.SETTLED)

    world.exchange.edit(ADA, ref, lambda one: replace(one, location="Hall"))
    world.sync()

    assert (row(world).location, row(world).deleted) == ("Hall", (still,))
    assert world.store.journal(link.id).items[0].fields == ("location",)
    assert world.questions() == ()
