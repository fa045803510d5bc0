"""Writing to Exchange is switched on where both sides were kept in step one way: asked about once, and silent."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.core.appointment import ShowAs
from syncline.core.guards import Limits
from syncline.engine import alerts
from syncline.engine.run import Rules
from syncline.ports import LinkState
from tests.engine.test_pushing import ADA, TWO_WAY, enter, links, outlook
from tests.engine.world import World, at, meeting

GUEST = "eve@elsewhere.example"


def switch(world: World, rules: Rules) -> None:
    """Start Syncline again with other settings."""
    world.rules = rules


def one_way() -> World:
    """Return a world that was kept in step one way: an item in step, one edited in the CRM, a row of the CRM alone."""
    world = World()
    world.track(meeting("In step", at(9), GUEST))
    world.track(meeting("Edited", at(11), GUEST))
    world.sync()
    (row,) = (row for row in world.rows() if row.appointment.subject == "Edited")
    world.crm.edit(row.id, lambda found: replace(found, location="Lobby"), by="ada")
    enter(world, meeting("Entered", at(14), GUEST))
    world.sync()
    assert world.exchange.requests["write"] == 0
    world.exchange.outbox.clear()
    return world


def places(world: World) -> dict[str, str]:
    """Return the place of everything that stands in Outlook, by subject."""
    return {item.subject: item.location for item in outlook(world)}


def asked(world: World) -> list[tuple[str, str]]:
    """Return what Ada is asked, and about how many."""
    return [(alert.code, alert.params["count"]) for alert in world.questions()]


def row_of(world: World, subject: str) -> str:
    """Return the id of the row called so."""
    return next(row.id for row in world.rows() if row.appointment.subject == subject)


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_what_was_there_before_is_asked_about_once_and_mails_nobody(answer: str) -> None:
    """Rows and edits of before wait for one question; a Yes carries them over in silence, a No leaves Outlook alone."""
    world = one_way()
    switch(world, TWO_WAY)
    world.sync()
    assert (asked(world), world.exchange.requests["write"]) == ([("FirstPushHeld", "2")], 0)
    world.answer(answer)
    world.sync()
    world.sync()

    carried = {"In step": "", "Edited": "Lobby", "Entered": ""}
    assert places(world) == (carried if answer == "yes" else {"In step": "", "Edited": ""})
    assert (world.exchange.outbox, world.questions()) == ([], ())
    assert world.exchange.requests["write"] == (2 if answer == "yes" else 0)
    assert len(world.rows()) == 3


def test_what_is_in_step_stays_untouched() -> None:
    """Where both sides agree nothing is asked and nothing is written when writing begins."""
    world = World()
    world.track(meeting("In step", at(9), GUEST))
    world.sync()
    switch(world, TWO_WAY)
    before = world.exchange.items(ADA)
    for _ in range(2):
        world.sync()
    assert (world.exchange.items(ADA), world.questions(), world.exchange.requests["write"]) == (before, (), 0)


def test_what_is_entered_from_then_on_goes_over_and_invites() -> None:
    """The question holds back what was there before; a meeting entered afterwards is made at once with its mails."""
    world = one_way()
    switch(world, TWO_WAY)
    world.sync()
    enter(world, meeting("New", at(16), GUEST))
    world.sync()

    assert "New" in places(world) and "Entered" not in places(world)
    assert [mail.to for mail in world.exchange.outbox] == [GUEST]
    assert asked(world) == [("FirstPushHeld", "2")]


def test_what_is_edited_while_the_question_stands_is_no_way_around_it() -> None:
    """A row of before that is edited meanwhile waits with its edit, and is made without a mail after the Yes."""
    world = one_way()
    switch(world, TWO_WAY)
    world.sync()
    (row,) = (row for row in world.rows() if row.appointment.subject == "Entered")
    world.crm.edit(row.id, lambda found: replace(found, location="Garden"), by="ada")
    world.sync()
    assert (asked(world), world.exchange.requests["write"]) == ([("FirstPushHeld", "2")], 0)
    world.answer("yes")
    world.sync()
    assert (places(world)["Entered"], world.exchange.outbox) == ("Garden", [])


def test_what_failed_before_writing_began_stays_silent_when_it_is_tried_again() -> None:
    """A Yes that could not be carried out at once invites nobody at the next try either."""
    world = one_way()
    switch(world, TWO_WAY)
    world.sync()
    world.answer("yes")
    world.exchange.store(ADA).write_denied = True
    world.sync()
    assert [link.state for link in links(world)].count(LinkState.FAILED) >= 1
    world.exchange.store(ADA).write_denied = False
    world.clock.advance(hours=1)
    world.sync()
    assert (places(world)["Edited"], world.exchange.outbox, world.questions()) == ("Lobby", [], ())


def test_one_question_asks_about_a_flood() -> None:
    """Many rows of before are one question, not a second one about many new appointments."""
    world = one_way()
    for number in range(4):
        enter(world, meeting(f"Visit {number}", at(9, days=number + 2)))
    switch(world, replace(TWO_WAY, limits=Limits(creations_max=1)))
    world.sync()
    assert asked(world) == [("FirstPushHeld", "6")]
    world.answer("yes")
    world.sync()
    assert (len(outlook(world)), world.questions()) == (7, ())


def test_switching_off_and_on_again_begins_anew() -> None:
    """What was entered and changed while writing was off is asked about and mails nobody, as at the first time."""
    world = World(rules=TWO_WAY)
    row = enter(world, meeting("Visit", at(10), GUEST))
    world.sync()
    switch(world, Rules())
    world.sync()
    world.crm.edit(row, lambda found: replace(found, location="Lobby"), by="ada")
    enter(world, meeting("Entered", at(14), GUEST))
    world.sync()
    switch(world, TWO_WAY)
    world.sync()
    assert (asked(world), places(world)) == ([("FirstPushHeld", "2")], {"Visit": ""})
    world.answer("yes")
    world.sync()
    assert (places(world), world.exchange.outbox) == ({"Visit": "Lobby", "Entered": ""}, [])


@pytest.mark.parametrize("synced", [True, False])
def test_a_deletion_of_before_deletes_nothing(synced: bool) -> None:
    """A row that was deleted while nothing was written, edited before or not, leaves its item in Outlook, unasked."""
    world = one_way()
    for row in world.rows():
        world.crm.remove(row.id)
    if synced:
        world.sync()
    switch(world, TWO_WAY)
    for _ in range(2):
        world.sync()
        assert (asked(world), places(world)) == ([], {"In step": "", "Edited": ""})
    assert (world.exchange.outbox, world.exchange.requests["write"]) == ([], 0)
    assert {link.sync_error for link in links(world)} == {"ClosedInCrm"}


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_deletion_while_the_question_stands_is_an_ordinary_one(answer: str) -> None:
    """It is no matter of that question: the item goes at once and its guests are told, whatever is answered then."""
    world = one_way()
    switch(world, TWO_WAY)
    world.sync()
    world.crm.remove(row_of(world, "Edited"))
    world.sync()
    assert (asked(world), places(world)) == ([("FirstPushHeld", "1")], {"In step": ""})
    assert [mail.to for mail in world.exchange.outbox] == [GUEST]
    world.answer(answer)
    world.sync()
    assert places(world) == ({"In step": "", "Entered": ""} if answer == "yes" else {"In step": ""})
    assert len(world.exchange.outbox) == 1


def test_many_deletions_while_the_question_stands_are_held_by_their_guard() -> None:
    """A Yes to what is from before does not release them."""
    world = one_way()
    switch(world, replace(TWO_WAY, limits=Limits(items_max=0, share_max=0.0)))
    world.sync()
    world.crm.remove(row_of(world, "Edited"))
    world.sync()
    assert [alert.code for alert in world.questions()] == ["FirstPushHeld", "MassItemDeletionHeld"]
    first = world.questions()[0]
    alerts.answer(world.store, world.clock, first.id, "yes", "ada")
    world.sync()
    assert [alert.code for alert in world.questions()] == ["MassItemDeletionHeld"]
    assert places(world) == {"In step": "", "Edited": "", "Entered": ""}


def test_a_cancellation_of_before_deletes_nothing() -> None:
    """A meeting cancelled in the CRM before writing began is free in Outlook after a Yes, and is not called off."""
    world = one_way()
    world.crm.cancel(row_of(world, "Edited"), by="ada")
    policy = replace(TWO_WAY.pushing, propagate_cancellations=True)
    switch(world, replace(TWO_WAY, pushing=policy))
    world.sync()
    assert asked(world) == [("FirstPushHeld", "2")]
    world.answer("yes")
    for _ in range(2):
        world.sync()
    assert [item.show_as for item in outlook(world) if item.subject == "Edited"] == [ShowAs.FREE]
    assert world.exchange.outbox == []


def test_what_left_the_filters_before_is_not_deleted() -> None:
    """Where such items are deleted by setting, what left while nothing was written is only untracked, after a Yes."""
    rules = replace(TWO_WAY, pushing=replace(TWO_WAY.pushing, distinct_deletes=False))
    world = World(rules=rules)
    enter(world, meeting("Visit", at(10), GUEST))
    world.sync()
    switch(world, Rules())
    world.sync()
    (kept,) = world.store.sync_filters("ada")
    world.store.change_filter(kept.id, lambda known: replace(known, enabled=False), world.clock.now())
    switch(world, rules)
    world.sync()
    assert asked(world) == [("FirstPushHeld", "1")]
    world.answer("yes")
    world.sync()
    assert [item.categories for item in outlook(world)] == [()]


def test_the_plan_says_so_and_marks_nothing_as_begun() -> None:
    """A dry run foretells the question, however often it is made, and no mail."""
    world = one_way()
    switch(world, TWO_WAY)
    for _ in range(2):
        plan = [line for line in world.preview().plan if line.outward]
        assert [(line.action, line.code, line.mails) for line in plan] == [("hold", "FirstPushHeld", ())] * 2
    assert world.questions() == ()
