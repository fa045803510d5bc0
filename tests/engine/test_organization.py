"""A mailbox that another installation has taken over: its cycle stops before it writes, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.core.answering_by_category import CategoryNames
from syncline.engine.cycle import run_cycle
from syncline.engine.run import Rules
from syncline.ports import AlertState, OrganizationMark
from tests.engine.world import NOW, World, at, meeting

FOREIGN = "ExchangeSyncIncorrectCrmOrgError"
ADA = "ada@example.org"
THEIRS = OrganizationMark(installation="theirs", crm_name="Fabrikam CRM", since=NOW)
DUE = timedelta(minutes=15)


@pytest.fixture
def world() -> World:
    """Give a world whose first cycle has run."""
    world = World(rules=Rules(outgoing=True))
    world.track(meeting("one", at(9)))
    world.sync()
    return world


def code_of(world: World) -> str | None:
    """Run a cycle and return what failed."""
    error = run_cycle(world.parts, world.connect, world.mailboxes["ada"], "test").error
    return None if error is None else error.code


@pytest.mark.rule("M-06")
def test_a_cycle_marks_a_mailbox_that_had_passed_its_test_before_there_were_marks(world: World) -> None:
    """The first cycle leaves the mark, so that no other installation comes in unseen."""
    mark = world.exchange.store(ADA).mark
    assert mark == OrganizationMark(installation=world.store.installation(), crm_name="Syncline CRM", since=NOW)


@pytest.mark.rule("M-06")
def test_an_idle_cycle_asks_for_no_mark(world: World) -> None:
    """The mark is looked at when the folders are due to be read again, and then once."""
    for _ in range(3):
        world.sync()
    assert world.exchange.requests["mark"] == 1
    world.clock.advance(minutes=15)
    world.sync()
    world.sync()
    assert (world.exchange.requests["mark"], world.exchange.requests["set_mark"]) == (2, 1)


@pytest.mark.rule("M-06")
def test_a_mailbox_that_was_taken_over_stops_and_loses_nothing(world: World) -> None:
    """It is switched off with one alert before anything is read or written; taken back, it goes on where it stood."""
    ours = world.exchange.store(ADA).mark
    world.exchange.store(ADA).mark = THEIRS
    world.track(meeting("two", at(11)))
    before, requests = world.store.mailbox(1), world.exchange.requests["changes"]
    world.clock.advance(minutes=15)

    assert code_of(world) == FOREIGN
    stopped = world.store.mailbox(1)
    assert (stopped.enabled, stopped.last_error, stopped.next_due) == (False, FOREIGN, None)
    assert (stopped.cursors, stopped.crm_cursor) == (before.cursors, before.crm_cursor)
    assert world.subjects() == ["one"]
    assert world.exchange.requests["changes"] == requests
    assert world.exchange.store(ADA).mark == THEIRS
    ((alert),) = world.store.alerts()
    assert (alert.code, alert.state, alert.params["other"]) == (FOREIGN, AlertState.OPEN, "Fabrikam CRM")

    world.exchange.store(ADA).mark = ours
    world.store.change_mailbox(1, lambda old: replace(old, enabled=True))
    assert code_of(world) is None
    assert world.subjects() == ["one", "two"]


@pytest.mark.rule("M-06")
def test_switching_it_on_again_does_not_outwit_the_mark(world: World) -> None:
    """Every cycle looks again until the mark is ours: what was due when it stopped is due still."""
    world.exchange.store(ADA).mark = THEIRS
    world.clock.advance(minutes=15)
    assert code_of(world) == FOREIGN
    world.store.change_mailbox(1, lambda old: replace(old, enabled=True))
    assert code_of(world) == FOREIGN


def test_a_read_only_mailbox_is_not_stopped(world: World) -> None:
    """It writes nothing into the mailbox, so whose mark stands there is no matter for its cycles."""
    reading = world.store.add_profile(replace(world.profile, id=0, name="reading", read_only=True))
    world.store.change_mailbox(1, lambda old: replace(old, profile_id=reading.id))
    world.exchange.store(ADA).mark = THEIRS
    world.clock.advance(minutes=15)
    assert code_of(world) is None
    assert world.exchange.requests["mark"] == 1


@pytest.mark.rule("M-06")
@pytest.mark.parametrize(("rules", "marked"), [(Rules(), False), (Rules(outlook=CategoryNames()), True)])
def test_where_nothing_is_written_no_mark_is_left(rules: Rules, marked: bool) -> None:
    """As delivered nothing goes to Exchange, no mark either; categories of waiting items are a writing too."""
    world = World(rules=rules)
    world.track(meeting("one", at(9)))
    world.sync()
    assert (world.exchange.store(ADA).mark is not None) is marked
    assert world.exchange.requests["set_mark"] == int(marked)


@pytest.mark.rule("M-06")
def test_the_first_cycle_that_writes_looks_for_the_mark() -> None:
    """Who lets the CRM's changes out finds out before the first of them whose mailbox it is, also the second time."""
    world = World()
    world.sync()
    for _ in range(2):
        world.rules = Rules(outgoing=True)
        world.exchange.store(ADA).mark = THEIRS
        assert code_of(world) == FOREIGN
        assert world.exchange.requests["write"] == 0
        world.store.change_mailbox(1, lambda old: replace(old, enabled=True))
        world.exchange.store(ADA).mark = None
        world.sync()
        world.rules = Rules()
        world.sync()


@pytest.mark.rule("1.11")
def test_what_was_entered_while_nothing_went_out_goes_out_when_it_begins_again(world: World) -> None:
    """Rows that came while writing was off are looked at with the others once it is on again, and asked about."""
    world.rules = Rules()
    world.sync()
    world.crm.create(meeting("meanwhile", at(12)), owner="ada")
    world.sync()
    assert [item.appointment.subject for item in world.exchange.items(ADA)] == ["one"]
    world.rules = Rules(outgoing=True)
    world.sync()
    assert [alert.code for alert in world.questions()] == ["FirstPushHeld"]
    world.answer("yes")
    world.sync()
    assert sorted(item.appointment.subject for item in world.exchange.items(ADA)) == ["meanwhile", "one"]


def test_a_dry_run_sets_no_mark() -> None:
    """Looking at the plan writes nothing, not even the mark."""
    world = World(rules=Rules(outgoing=True))
    world.track(meeting("one", at(9)))
    world.preview()
    assert world.exchange.store(ADA).mark is None


def test_a_refused_mark_stops_no_cycle() -> None:
    """A mailbox that had passed its test before there were marks goes on; its next test says what is missing."""
    world = World(rules=Rules(outgoing=True))
    world.exchange.store(ADA).write_denied = True
    world.track(meeting("one", at(9)))
    world.sync()
    assert world.subjects() == ["one"]
