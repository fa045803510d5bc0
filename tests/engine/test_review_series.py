"""Series whose parts change on both sides, and questions over which time passes: nothing is lost, no answer is void."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence
from syncline.engine import alerts
from syncline.errors import SyncError
from syncline.ports import AlertOutcome, LinkState
from tests.engine.world import World, at, meeting

ADA = "ada@example.org"


@pytest.fixture
def world() -> World:
    """Return a fresh world."""
    return World()


def _weekly(subject: str, hour: float) -> Appointment:
    span = at(hour)
    pattern = Pattern(kind=PatternKind.WEEKLY, weekdays=(span.start.weekday(),))
    return meeting(subject, span, recurrence=Recurrence(pattern=pattern, first=span.start.date(), count=10))


@pytest.mark.rule("Q-02")
def test_an_answer_about_a_deleted_date_holds_after_that_date(world: World) -> None:
    """A future date was deleted and the series moved; the Yes comes when that date is over: it holds, the date goes."""
    ref = world.track(_weekly("Weekly", 14))
    world.sync()
    world.crm.create(meeting("Review", at(10, days=15)), owner="ada")
    world.exchange.delete_occurrence(ADA, ref, at(14, days=8))
    world.change(ref, span=at(10))
    world.sync()
    world.clock.advance(days=10)
    world.sync()
    world.answer("yes")
    world.sync()
    row = next(row for row in world.rows() if row.appointment.recurrence is not None)
    assert row.appointment.span == at(10)
    assert len(row.appointment.deleted) == 1
    assert world.questions() == ()


@pytest.mark.rule("A-25")
def test_a_date_deleted_after_it_began_stays(world: World) -> None:
    """It is not carried, and a later change of the text does not carry it either."""
    ref = world.track(_weekly("Weekly", 14))
    world.sync()
    world.clock.advance(days=10)
    world.exchange.delete_occurrence(ADA, ref, at(14, days=8))
    world.sync()
    world.change(ref, subject="Renamed")
    world.sync()
    (row,) = world.rows()
    assert (row.appointment.subject, row.appointment.deleted) == ("Renamed", ())
    assert world.link(ref).state is LinkState.SETTLED


def test_a_new_exception_leaves_the_texts_of_the_others_alone(world: World) -> None:
    """The CRM renamed one changed date; Exchange changes another one: the name stays."""
    ref = world.track(_weekly("Weekly", 14))
    world.exchange.edit_occurrence(ADA, ref, at(14, days=8), lambda old: replace(old, span=at(15, days=8)))
    world.sync()
    (row,) = world.rows()
    renamed = lambda old: replace(old, exceptions=tuple(replace(e, subject="CRM") for e in old.exceptions))  # noqa: E731
    world.crm.edit(row.id, renamed, by="ada")
    world.sync()
    world.exchange.edit_occurrence(ADA, ref, at(14, days=15), lambda old: replace(old, span=at(15, days=15)))
    world.sync()
    (row,) = world.rows()
    assert [e.subject for e in row.appointment.exceptions] == ["CRM", "Weekly"]
    assert world.link(ref).state is LinkState.UNSETTLED


def test_a_yes_waits_until_its_item_can_be_read_again(world: World) -> None:
    """The item cannot be read when its Yes comes: it is saved as soon as it can."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    ref = world.track(meeting("Demo", at(10.5)))
    world.sync()
    (question,) = world.questions()
    world.exchange.touch(ADA, ref)
    world.exchange.spoil(ADA, ref, SyncError("ItemUnreadable", ref=ref, mailbox=ADA, subject="Demo", detail="torn"))
    world.sync()
    alerts.answer(world.store, world.clock, question.id, "yes", "ada")
    world.sync()
    assert world.subjects() == ["Review"]
    world.exchange.spoil(ADA, ref, None)
    world.clock.advance(hours=2)
    world.sync()
    assert world.subjects() == ["Demo", "Review"]
    assert world.store.alert(question.id).outcome is AlertOutcome.SAVED
    assert world.questions() == ()


@pytest.mark.rule("Q-04")
def test_no_and_then_yes_before_any_cycle_saves(world: World) -> None:
    """The second answer comes before the first was carried out: the Yes counts."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.track(meeting("Demo", at(10.5)))
    world.sync()
    question = world.answer("no")
    alerts.answer(world.store, world.clock, question.id, "yes", "ada")
    world.sync()
    assert world.subjects() == ["Demo", "Review"]
    assert world.questions() == ()


@pytest.mark.rule("A-33a")
@pytest.mark.rule("A-36")
def test_all_dates_of_a_series_in_one_calendar_follow_their_row(world: World) -> None:
    """Bob got two dates of Ada's series, which share its row: when the row is gone, none of them is in step."""
    series = world.track(_weekly("Weekly", 14))
    world.sync()
    dates = [at(14), at(14, days=8)]
    refs = [
        world.track(replace(meeting("Weekly", date), identity=Identity("uid-Weekly", date.start)), "bob")
        for date in dates
    ]
    for _ in range(2):
        world.sync("bob")
    assert {world.link(ref, "bob").crm_id for ref in refs} == {row.id for row in world.rows()}

    world.exchange.delete(ADA, series)
    world.sync()
    world.sync("bob")

    assert world.rows() == ()
    assert [world.link(ref, "bob").sync_error for ref in refs] == ["ClosedInCrm", "ClosedInCrm"]
