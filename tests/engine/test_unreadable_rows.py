"""A row that the CRM cannot hand out stops nobody but itself: an error with an alert, retried, and nothing is lost."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.engine.run import Rules
from syncline.ports import LinkState
from tests.engine.test_pushing import ADA, TWO_WAY, enter, links, outlook
from tests.engine.test_pushing_guards import assert_quiet, ready, subjects
from tests.engine.world import World, at, meeting

UNREADABLE = "CrmRowUnreadable"


def failing(world: World, name: str = "ada") -> list[tuple[str, str]]:
    """Return code and subject of everything that stands."""
    return [(alert.code, alert.subject) for alert in world.questions(name)]


def later(world: World, cycles: int = 1) -> None:
    """Let time pass until the next try, and run a cycle; so often."""
    for _ in range(cycles):
        world.clock.advance(hours=1)
        world.sync()


@pytest.mark.rule("B-05")
def test_a_new_row_that_cannot_be_read_stops_itself_alone() -> None:
    """The others are made in Outlook; once it can be read it is made too, once, and its alert goes."""
    world = ready()
    bad = enter(world, meeting("Bad", at(10)))
    for hour in (9, 11, 12, 13, 14):
        enter(world, meeting(f"Good {hour}", at(hour)))
    world.crm.spoil(bad)
    result = world.sync()
    good = [f"Good {hour}" for hour in (11, 12, 13, 14, 9)]
    assert (subjects(world), result.counts.failed) == (good, 1)
    (alert,) = world.questions()
    assert (alert.code, alert.params["row"], alert.params["crm"]) == (UNREADABLE, bad, "Syncline CRM")
    later(world)
    assert [each.count for each in world.questions()] == [2]

    world.crm.mend(bad)
    later(world)
    assert subjects(world) == ["Bad", *good]
    assert world.questions() == ()
    assert {link.state for link in links(world)} == {LinkState.SETTLED}
    assert_quiet(world)


def test_a_row_that_cannot_be_read_tells_no_subject_to_who_may_not_know_it() -> None:
    """Whether it belongs into a calendar is not known yet: its error names the row and not what it is called."""
    world = ready()
    bad = enter(world, meeting("Secret", at(10)))
    world.crm.spoil(bad)
    world.sync("bob")
    (alert,) = world.questions("bob")
    assert (alert.code, alert.subject) == (UNREADABLE, "")
    assert "Secret" not in repr(alert.params)
    world.crm.mend(bad)
    world.clock.advance(hours=1)
    world.sync("bob")
    assert (world.questions("bob"), links(world, "bob"), outlook(world, "bob")) == ((), [], [])


@pytest.mark.parametrize("tries", [1, 8])
def test_an_edit_of_a_row_that_cannot_be_read_is_carried_over_once_it_can(tries: int) -> None:
    """Its item stays as it is meanwhile; after the last try the next edit in the CRM begins anew."""
    world = ready()
    bad, good = enter(world, meeting("Bad", at(10))), enter(world, meeting("Good", at(12)))
    world.sync()
    for row in (bad, good):
        world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    world.crm.spoil(bad)
    later(world, tries)
    assert sorted((item.subject, item.location) for item in outlook(world)) == [("Bad", ""), ("Good", "Bern")]
    assert failing(world) == [(UNREADABLE, "Bad")]
    world.crm.mend(bad)
    if tries > 1:
        world.crm.edit(bad, lambda found: replace(found, subject="Mended"), by="ada")
    later(world)
    name = "Mended" if tries > 1 else "Bad"
    assert sorted((item.subject, item.location) for item in outlook(world)) == sorted(
        [(name, "Bern"), ("Good", "Bern")]
    )
    assert failing(world) == []
    assert_quiet(world)


@pytest.mark.parametrize("rules", [TWO_WAY, Rules()], ids=["two-way", "to the CRM only"])
def test_an_edit_in_outlook_waits_for_a_row_that_cannot_be_read(rules: Rules) -> None:
    """The row is not taken for gone: the edit is carried over once it can be read, together with the CRM's own."""
    world = World(rules=rules)
    bad, good = world.track(meeting("Bad", at(10))), world.track(meeting("Good", at(12)))
    world.sync()
    row = str(world.link(bad).crm_id)
    world.crm.spoil(row)
    for ref in (bad, good):
        world.change(ref, location="Bern")
    world.crm.edit(row, lambda found: replace(found, description="by the CRM"), by="ada")
    later(world)
    held = sorted((each.appointment.subject, each.appointment.location) for each in world.rows())
    assert held == [("Bad", ""), ("Good", "Bern")]
    assert (failing(world), world.link(bad).state) == ([(UNREADABLE, "Bad")], LinkState.FAILED)
    world.crm.mend(row)
    later(world, 2)
    mended = next(each.appointment for each in world.rows() if each.id == row)
    assert (mended.location, mended.description) == ("Bern", "by the CRM")
    (item,) = [each for each in outlook(world) if each.subject == "Bad"]
    assert item.description == ("by the CRM" if rules.outgoing else "")
    assert failing(world) == []


def test_a_deletion_in_outlook_waits_for_a_row_that_cannot_be_read() -> None:
    """The row is deleted once it can be read, and its content is in the trash."""
    world = ready()
    ref = world.track(meeting("Bad", at(10)))
    world.sync()
    row = str(world.link(ref).crm_id)
    world.crm.spoil(row)
    world.exchange.delete(ADA, ref)
    later(world)
    assert (failing(world), len(world.rows())) == ([(UNREADABLE, "Bad")], 1)
    world.crm.mend(row)
    later(world)
    assert (failing(world), world.rows()) == ([], ())
    assert_quiet(world)


def test_a_lost_cursor_of_the_crm_and_a_row_that_cannot_be_read() -> None:
    """Every row is looked at anew; the one that cannot be read fails alone and is caught up with later."""
    world = ready()
    bad, good = enter(world, meeting("Bad", at(10))), enter(world, meeting("Good", at(12)))
    world.sync()
    world.crm.restore(world.crm.back_up())
    for row in (bad, good):
        world.crm.edit(row, lambda found: replace(found, description="as ever"), by="ada")
        world.crm.edit(row, lambda found: replace(found, description=""), by="ada")
    world.crm.spoil(bad)
    later(world)
    assert failing(world) == [(UNREADABLE, "Bad")]
    world.crm.mend(bad)
    later(world)
    assert (failing(world), subjects(world)) == ([], ["Bad", "Good"])
    assert_quiet(world)


@pytest.mark.parametrize("in_outlook", [True, False])
def test_a_row_that_is_mended_by_hand_after_a_long_time_goes_over(in_outlook: bool) -> None:
    """Nobody tells of it: it has no new version, so it is tried for ever, and its alert ends with that."""
    world = ready()
    row = enter(world, meeting("Visit", at(10, days=9)))
    if in_outlook:
        world.sync()
        world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    world.crm.spoil(row)
    later(world, 60)
    (alert,) = world.questions()
    assert (alert.code, alert.count < 20) == (UNREADABLE, True)
    world.crm.mend(row)
    later(world, 7)
    assert [(item.subject, item.location) for item in outlook(world)] == [("Visit", "Bern" if in_outlook else "")]
    assert (world.questions(), {link.state for link in links(world)}) == ((), {LinkState.SETTLED})
    assert_quiet(world)
