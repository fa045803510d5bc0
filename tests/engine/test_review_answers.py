"""Answers at bad moments: nothing is saved that is not there any more, no question stays half answered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Attendee, Response
from syncline.engine import alerts
from syncline.errors import SyncError
from syncline.ports import AlertOutcome, AlertState, LinkState
from tests.engine.world import World, at, meeting


@pytest.fixture
def world() -> World:
    """Return a fresh world."""
    return World()


def _asked(world: World, organizer: str = "ada") -> str:
    world.crm.create(meeting("Review", at(10)), owner="ada")
    ref = world.track(meeting("Demo", at(10.5), organizer=organizer))
    world.sync()
    return ref


@pytest.mark.rule("Q-01")
def test_yes_for_an_item_deleted_before_saves_nothing(world: World) -> None:
    """The item of an external organizer is gone when its Yes is carried out: no row is left behind."""
    ref = _asked(world, organizer="customer")
    world.exchange.delete("ada@example.org", ref)
    answered = world.answer("yes")
    world.sync()
    world.sync()

    assert world.subjects() == ["Review"]
    assert world.questions() == ()
    closed = world.store.alert(answered.id)
    assert (closed.state, closed.outcome) != (AlertState.ANSWERED, AlertOutcome.SAVED)


@pytest.mark.rule("Q-01")
def test_yes_for_an_item_untracked_before_saves_nothing(world: World) -> None:
    """An item that lost its category before the answer is not saved by it, and nobody is told that it was."""
    ref = _asked(world)
    world.exchange.set_categories("ada@example.org", ref, ())
    answered = world.answer("yes")
    world.sync()
    world.sync()

    assert world.subjects() == ["Review"]
    closed = world.store.alert(answered.id)
    assert closed.outcome is not AlertOutcome.SAVED
    assert closed.state is AlertState.WITHDRAWN


@pytest.mark.rule("Q-08")
def test_yes_for_a_row_that_was_completed_is_not_called_saved(world: World) -> None:
    """The row is closed when the Yes is carried out: it stays as it is, and the question does not say saved."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, span=at(10.5))
    world.sync()
    answered = world.answer("yes")
    world.crm.complete(world.link(ref).crm_id or "", by="ada")
    world.sync()

    closed = world.store.alert(answered.id)
    assert closed.outcome is not AlertOutcome.SAVED
    assert world.link(ref).state is LinkState.SKIPPED


def _meanwhile(world: World, name: str, deed: Callable[[], object]) -> None:
    """Do something once, right before the store's next call of that name."""
    real = getattr(world.store, name)

    def once(*args: object, **kwargs: object) -> object:
        setattr(world.store, name, real)
        deed()
        return real(*args, **kwargs)

    setattr(world.store, name, once)


def test_an_answer_while_the_item_is_being_dropped_does_not_hang(world: World) -> None:
    """The link goes away in the transaction after the answer: the question is withdrawn, not pending for ever."""
    ref = _asked(world)
    world.exchange.delete("ada@example.org", ref)
    (alert,) = world.questions()
    real = world.store.write

    def write(lease: object, changes: object) -> object:
        if changes.removed_links:  # type: ignore[attr-defined]
            world.store.write = real  # type: ignore[method-assign]
            alerts.answer(world.store, world.clock, alert.id, "yes", "ada")
        return real(lease, changes)  # type: ignore[arg-type]

    world.store.write = write  # type: ignore[method-assign,assignment]
    world.sync()
    world.sync()

    assert world.questions() == ()
    assert world.store.alert(alert.id).state is AlertState.WITHDRAWN


def test_a_guards_yes_releases_only_what_was_seen(world: World) -> None:
    """More items vanish while somebody says Yes to the first ones: the later ones are asked about anew."""
    refs = [world.track(meeting(f"M{n}", at(8 + n % 10, days=1 + n // 10, length=0.5))) for n in range(40)]
    world.sync()
    for ref in refs[:12]:
        world.exchange.delete("ada@example.org", ref)
    world.sync()
    (alert,) = world.questions()
    for ref in refs[12:24]:
        world.exchange.delete("ada@example.org", ref)
    yes = lambda: alerts.answer(world.store, world.clock, alert.id, "yes", "ada", alert.version)  # noqa: E731
    _meanwhile(world, "link_count", yes)
    world.sync()
    world.sync()
    world.sync()

    assert len(world.rows()) == 28
    (again,) = world.questions()
    assert len(again.held) == 12


def test_a_second_guards_question_does_not_take_the_first_yes_back(world: World) -> None:
    """What was released stays released while another question of the same guard stands."""
    refs = [world.track(meeting(f"M{n}", at(8 + n % 10, days=1 + n // 10, length=0.5))) for n in range(60)]
    world.sync()
    for ref in refs[:12]:
        world.exchange.delete("ada@example.org", ref)
    world.sync()
    world.answer("yes")
    real = world.crm.delete

    def failing(deletions: object) -> object:
        world.crm.delete = real  # type: ignore[method-assign]
        raise SyncError("CrmUnavailable", crm="Syncline CRM")

    world.crm.delete = failing  # type: ignore[method-assign,assignment]
    for ref in refs[12:24]:
        world.exchange.delete("ada@example.org", ref)
    with suppress(SyncError):
        world.sync()
    world.sync()
    world.sync()

    assert len(world.rows()) == 48
    assert len(world.questions()) == 1


@pytest.mark.rule("Q-07")
def test_an_old_no_cannot_be_changed_once_the_item_was_asked_anew(world: World) -> None:
    """The parked change moved on and was asked anew: Yes to the old question is refused as outdated."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.crm.create(meeting("Board", at(16)), owner="ada")
    world.change(ref, span=at(10.5))
    world.sync()
    old = world.answer("no")
    world.sync()
    world.change(ref, span=at(16.5))
    world.sync()

    with pytest.raises(SyncError) as refused:
        alerts.answer(world.store, world.clock, old.id, "yes", "ada")
    assert refused.value.code == "AnswerOutdated"
    world.sync()
    (new,) = world.questions()
    assert new.state is AlertState.OPEN


@pytest.mark.rule("Q-04")
def test_a_parked_no_can_still_be_changed_to_yes(world: World) -> None:
    """While nothing has moved, Yes after No moves the row."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, span=at(10.5))
    world.sync()
    old = world.answer("no")
    world.sync()
    alerts.answer(world.store, world.clock, old.id, "yes", "ada")
    world.sync()

    row = next(row for row in world.rows() if row.appointment.subject == "Demo")
    assert row.appointment.span == at(10.5)
    assert world.questions() == ()
    assert world.store.alert(old.id).outcome is AlertOutcome.SAVED


@pytest.mark.rule("CD-05a")
def test_who_comes_back_after_declining_is_checked(world: World) -> None:
    """Bob had declined and was booked elsewhere; that he accepts after all overlaps, so it is asked."""
    declined = Attendee("bob@example.org", response=Response.DECLINED)
    ref = world.track(replace(meeting("Demo", at(10)), attendees=(declined,)))
    world.sync()
    world.crm.create(meeting("Elsewhere", at(10), organizer="bob"), owner="bob")
    world.change(ref, attendees=(replace(declined, response=Response.ACCEPTED),))
    world.sync()

    (alert,) = world.questions()
    assert alert.verdict is not None
    assert [person.full_name for person in alert.verdict.unavailable] == ["Bob Berg"]


@pytest.mark.rule("Q-08")
def test_a_double_booked_meeting_may_grow_shorter_without_a_question(world: World) -> None:
    """The overlap was accepted; a change that adds no new one does not ask again."""
    ref = _asked(world)
    world.answer("yes")
    world.sync()
    world.change(ref, span=at(10.5, length=0.75))
    world.sync()

    assert world.questions() == ()


@pytest.mark.rule("Q-08")
def test_who_is_kept_out_of_a_change_is_not_kept_busy_by_the_rest_of_it(world: World) -> None:
    """A new guest waits for an answer while the new subject is written: the guest stays free for others."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    world.crm.create(meeting("Elsewhere", at(10), organizer="bob"), owner="bob")
    world.change(ref, subject="Demo of bikes", attendees=(Attendee("bob@example.org"),))
    world.sync()

    (alert,) = world.questions()
    (row,) = (row for row in world.crm.rows() if row.appointment.subject == "Demo of bikes")
    assert alert.verdict is not None
    assert [person.address for person in world.crm.persons_of(row.id)] == ["ada@example.org"]
    world.change(ref, subject="Demo of bikes and bags")
    world.answer("no")
    world.sync()
    assert "Demo of bikes and bags" in world.subjects()
    assert [person.address for person in world.crm.persons_of(row.id)] == ["ada@example.org"]
