"""What a No kept from Outlook, or what waited since before writing began, does not go over by the next touch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Appointment
from syncline.core.guards import Invitations, Limits
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import LinkState, Outcome, Result
from tests.engine.test_beginning_to_write import GUEST, asked, one_way, places, row_of, switch
from tests.engine.test_pushing import ADA, TWO_WAY, enter, links, outlook, two_way
from tests.engine.world import TRACKED, World, at, meeting

IN_OUTLOOK = {"In step": "", "Edited": ""}


def edit(world: World, subject: str, **fields: object) -> None:
    """Save new values of a row in the CRM."""
    world.crm.edit(row_of(world, subject), lambda found: replace(found, **fields), by="ada")  # type: ignore[arg-type]


def refused() -> World:
    """Return a world in which what was there before writing began was refused."""
    world = one_way()
    switch(world, TWO_WAY)
    world.sync()
    world.answer("no")
    for _ in range(2):
        world.sync()
    return world


def mailed(world: World) -> list[str]:
    """Return who was mailed."""
    return [mail.to for mail in world.exchange.outbox]


def labelled(world: World, subject: str) -> None:
    """Give a row a category."""
    edit(world, subject, categories=("x",))


def filed(world: World, subject: str) -> None:
    """Attach a file to a row."""
    world.crm.add_file(row_of(world, subject), "crm.txt", b"x", by="ada")


@pytest.mark.parametrize("touch", [labelled, filed])
@pytest.mark.parametrize("subject", ["Edited", "Entered"])
def test_a_touch_carries_nothing_over_that_was_refused(touch: Callable[[World, str], None], subject: str) -> None:
    """A category or a file of the row is no reason to send the change, or to make the meeting, after all."""
    world = refused()
    touch(world, subject)
    for _ in range(2):
        world.sync()
    assert (places(world), mailed(world), world.questions()) == (IN_OUTLOOK, [], ())
    assert {each.sync_error for each in links(world)} == {None, "KeptFromOutlook"}


def test_a_later_change_goes_over_without_what_was_refused() -> None:
    """The description that is written later reaches Outlook and the guests; the place that was refused does not."""
    world = refused()
    edit(world, "Edited", description="Bring the plans")
    world.sync()
    (item,) = (item for item in outlook(world) if item.subject == "Edited")
    assert (item.location, item.description.strip(), mailed(world)) == ("", "Bring the plans", [GUEST])
    edit(world, "Edited", location="Yard")
    world.sync()
    assert places(world)["Edited"] == "Yard"


def test_what_outlook_changes_meanwhile_leaves_the_refused_change_alone() -> None:
    """A change of another field in Outlook comes in; the place stays as either side has it."""
    world = refused()
    (ref,) = (each.ref for each in links(world) if each.subject == "Edited")
    world.change(ref, description="From Outlook")
    world.exchange.outbox.clear()
    for _ in range(2):
        world.sync()
    (row,) = (row.appointment for row in world.rows() if row.appointment.subject == "Edited")
    assert (row.location, row.description.strip(), places(world)["Edited"]) == ("Lobby", "From Outlook", "")
    labelled(world, "Edited")
    world.sync()
    assert (places(world)["Edited"], mailed(world)) == ("", [])


def test_a_refused_change_made_again_later_goes_over() -> None:
    """Taken back in the CRM, and made again after that, it is a new change."""
    world = refused()
    for place in ("", "Lobby"):
        edit(world, "Edited", location=place)
        world.sync()
    assert (places(world)["Edited"], mailed(world)) == ("Lobby", [GUEST])


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_refused_meeting_that_is_edited_is_asked_about_again(answer: str) -> None:
    """It is not made, and invites nobody, before a second question is answered."""
    world = refused()
    edit(world, "Entered", location="Garden")
    world.sync()
    assert (asked(world), places(world), mailed(world)) == ([("MassCreationHeld", "1")], IN_OUTLOOK, [])
    world.answer(answer)
    for _ in range(2):
        world.sync()
    made = {**IN_OUTLOOK, "Entered": "Garden"}
    assert (places(world), mailed(world)) == ((made, [GUEST]) if answer == "yes" else (IN_OUTLOOK, []))
    labelled(world, "Entered")
    world.sync()
    assert (places(world), world.questions()) == (made if answer == "yes" else IN_OUTLOOK, ())


def later(found: Appointment) -> Appointment:
    """Return it an hour later."""
    return replace(found, span=at(11))


def test_a_no_to_mails_keeps_the_change_back_for_good() -> None:
    """A No to mails is no matter of the next touch either."""
    rules = replace(TWO_WAY, invitations=Invitations(domains=("example.org",)))
    world = two_way(rules)
    world.sync()
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    world.crm.edit(row, lambda found: replace(meeting("Visit", at(10), GUEST), location="Lobby"), by="ada")
    world.sync()
    assert [alert.code for alert in world.questions()] == ["InvitationsHeld"]
    world.answer("no")
    for _ in range(2):
        world.sync()
    world.crm.edit(row, lambda found: replace(found, description="Bring the plans"), by="ada")
    world.sync()
    (item,) = outlook(world)
    assert (item.location, item.attendees, item.description.strip()) == ("", (), "Bring the plans")
    assert (mailed(world), world.questions()) == ([], ())
    world.crm.edit(row, later, by="ada")
    world.sync()
    assert [found.span for found in outlook(world)] == [at(11)]


def test_a_no_to_many_new_appointments_keeps_each_out_until_it_is_edited() -> None:
    """Edited, one of them is asked about again, although one is not many."""
    world = two_way(replace(TWO_WAY, limits=Limits(creations_max=1)))
    world.sync()
    for number in range(3):
        enter(world, meeting(f"Visit {number}", at(9 + number), GUEST))
    world.sync()
    world.answer("no")
    world.sync()
    filed(world, "Visit 1")
    world.sync()
    assert (outlook(world), world.questions()) == ([], ())
    edit(world, "Visit 1", location="Garden")
    world.sync()
    assert (outlook(world), asked(world), mailed(world)) == ([], [("MassCreationHeld", "1")], [])


@pytest.mark.parametrize("bob", ["begun", "not yet"])
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_edit_of_before_that_another_copy_takes_over_is_asked_about(answer: str, bob: str) -> None:
    """Bob only takes part, so his row's old edit is no matter of his calendar; Ada, who organizes, is asked later."""
    world = World()
    item = meeting("Demo", at(10.5), "bob", GUEST)
    mine = world.exchange.add(ADA, item, send=False)
    world.track(item, "bob")
    world.sync()
    world.sync("bob")
    world.crm.edit(row_of(world, "Demo"), lambda found: replace(found, location="Lobby"), by="bob")
    world.sync()
    world.sync("bob")
    switch(world, TWO_WAY)
    world.sync()
    if bob == "begun":
        world.sync("bob")
    world.exchange.outbox.clear()
    world.exchange.set_categories(ADA, mine, (TRACKED,))
    for name in ("ada", "bob", "ada"):
        world.sync(name)
    assert (asked(world), mailed(world)) == ([("FirstPushHeld", "1")], [])
    world.answer(answer)
    for name in ("ada", "bob", "ada"):
        world.sync(name)
    assert places(world) == {"Demo": "Lobby" if answer == "yes" else ""}
    assert mailed(world) == []


@pytest.mark.parametrize("deleted", [False, True])
def test_what_comes_back_into_the_filters_is_still_from_before(deleted: bool) -> None:
    """An edit of before, of a row that left its filters and is selected again, is asked about and mails nobody.

    The same if its item was deleted in Outlook meanwhile, and would be made anew.
    """
    world = two_way()
    row = enter(world, meeting("Visit", at(10), GUEST))
    world.sync()
    switch(world, Rules())
    world.sync()
    world.crm.edit(row, lambda found: replace(found, location="Lobby"), by="ada")
    (kept,) = world.store.sync_filters("ada")
    world.store.change_filter(kept.id, lambda known: replace(known, enabled=False), world.clock.now())
    switch(world, TWO_WAY)
    world.sync()
    world.answer("yes")
    world.sync()
    (link,) = links(world)
    assert link.sync_error == "OutOfFilters"
    if deleted:
        world.exchange.delete(ADA, link.ref)
    world.exchange.outbox.clear()
    world.store.change_filter(kept.id, lambda known: replace(known, enabled=True), world.clock.now())
    for _ in range(2):
        world.sync()
    assert (asked(world), mailed(world)) == ([("FirstPushHeld", "1")], [])
    assert places(world) == ({} if deleted else {"Visit": ""})
    world.answer("yes")
    for _ in range(2):
        world.sync()
    assert (places(world), mailed(world)) == ({"Visit": "Lobby"}, [])
    assert {each.state for each in links(world)} == {LinkState.SETTLED}


def test_what_had_been_given_up_before_writing_began_is_from_before_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its edit in the CRM is asked about once the item can be saved again, and mails nobody."""
    world = one_way()
    (ref,) = (each.ref for each in links(world) if each.subject == "Edited")
    world.change(ref, description="From Outlook")
    error = SyncError("CrmRefused", subject="Edited", crm="Syncline CRM", detail="no")
    with monkeypatch.context() as patched:
        no = Outcome(result=Result.FAILED, error=error)
        patched.setattr(world.crm, "reschedule", lambda some, _: [no] * len(some))
        for _ in range(5):
            world.sync()
            world.clock.advance(hours=1)
    assert (world.link(ref).state, world.link(ref).next_try) == (LinkState.FAILED, None)
    switch(world, TWO_WAY)
    world.sync()
    world.change(ref, description="From Outlook again")
    world.exchange.outbox.clear()
    world.sync()
    assert (asked(world), mailed(world), places(world)["Edited"]) == ([("FirstPushHeld", "2")], [], "")
