"""What is tracked, by whom and how: the rules L-01 to L-13 as far as this direction (Exchange to CRM) has them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Identity, Pattern, PatternKind, Recurrence, ShowAs
from syncline.core.merging import project
from syncline.core.planning import Policy
from syncline.engine.cycle import run_cycle
from syncline.engine.jobs import MemoryQueue
from syncline.engine.run import Rules
from syncline.engine.tracking import track_now, untrack_now
from syncline.engine.worker import Worker
from syncline.errors import CATALOGUE, Level, SyncError
from syncline.ports import AlertState, LinkState, Track
from tests.engine.world import NOW, TRACKED, World, at, meeting

ADA = "ada@example.org"
DAILY = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(9).start.date(), count=4)


@pytest.fixture
def world() -> World:
    """Return a fresh world."""
    return World()


def tracked_now(world: World, subject: str) -> None:
    """Track an item as the add-in does."""
    track_now(world.parts, world.connect, world.mailboxes["ada"], "test", Identity(f"uid-{subject}"), "Ada Admin")


def copied(world: World) -> str:
    """Return the address of a copy of a linked item, renamed after it was seen."""
    first = world.track(meeting("Demo", at(10)))
    world.sync()
    copy = world.exchange.copy(ADA, first)
    world.sync()
    world.change(copy, subject="Copy, renamed")
    world.sync()
    return copy


@pytest.mark.rule("L-01")
def test_the_category_tracks_appointments_and_nothing_else_is_asked_for(world: World) -> None:
    """A tracked appointment is saved; of a mailbox only calendar folders are ever read, so no contact can follow."""
    world.track(meeting("Demo", at(10)))

    world.sync()

    assert world.subjects() == ["Demo"]
    assert [folder.ref for folder in world.store.mailbox(world.mailboxes["ada"]).folders] == ["calendar"]


@pytest.mark.rule("L-03")
def test_removing_the_category_cuts_the_link_and_keeps_the_row(world: World) -> None:
    """Changes made afterwards do not reach the row."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    world.exchange.set_categories(ADA, ref, ())
    world.sync()
    world.change(ref, subject="Renamed")
    world.sync()

    assert world.subjects() == ["Demo"]
    assert world.store.links_by_ref(world.mailboxes["ada"], [ref]) == {}


@pytest.mark.rule("L-05")
def test_switching_to_categories_neither_tags_nor_untracks_what_was_tracked_before(world: World) -> None:
    """An item that was tracked without a category stays as it is on both sides."""
    mailbox = world.mailboxes["ada"]
    world.store.change_mailbox(mailbox, lambda old: replace(old, track=Track.ALL))
    ref = world.exchange.add(ADA, meeting("Demo", at(10)))
    world.sync()
    world.store.change_mailbox(mailbox, lambda old: replace(old, track=Track.CATEGORY))
    world.sync()

    assert world.exchange.item(ADA, ref).appointment.categories == ()
    assert world.link(ref).state is LinkState.SETTLED


@pytest.mark.rule("L-06")
def test_the_category_of_a_series_counts_for_all_its_occurrences(world: World) -> None:
    """An exception without the category is part of the row like every other occurrence."""
    ref = world.track(meeting("Stand-up", at(9), recurrence=DAILY))
    moved = lambda found: replace(found, span=at(15, days=2), categories=())  # noqa: E731
    world.exchange.edit_occurrence(ADA, ref, at(9, days=2), moved)

    world.sync()

    (row,) = world.rows()
    assert row.appointment.recurrence == DAILY
    assert [part.span for part in row.appointment.exceptions] == [at(15, days=2)]


@pytest.mark.rule("L-07")
def test_a_delegate_who_sets_the_category_tracks_for_the_owner(world: World) -> None:
    """Whose hand set the category does not matter: the row belongs to the user whose calendar holds the item."""
    ref = world.exchange.add(ADA, meeting("Demo", at(10)))
    world.sync()
    world.exchange.set_categories(ADA, ref, [TRACKED])
    world.sync()

    (row,) = world.rows()
    assert (row.appointment.subject, row.owner) == ("Demo", "ada")


@pytest.mark.rule("L-08")
def test_what_is_made_in_the_crm_stays_there(world: World) -> None:
    """Nothing is written to Exchange in this release, so no item made from the CRM can lack the category."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.sync()

    assert [item.ref for item in world.exchange.items(ADA)] == [ref]
    assert world.exchange.item(ADA, ref).appointment.categories == (TRACKED,)


@pytest.mark.rule("L-09")
def test_a_series_is_tracked_at_once_as_well(world: World) -> None:
    """Nothing stays pending: the row of a recurring appointment stands when tracking returns."""
    world.exchange.add(ADA, meeting("Stand-up", at(9), recurrence=DAILY))

    tracked_now(world, "Stand-up")

    (row,) = world.rows()
    assert row.appointment.recurrence == DAILY


@pytest.mark.rule("L-10")
def test_tracking_by_hand_copies_the_same_fields_as_a_cycle(world: World) -> None:
    """The field map decides, whoever tracks: what a person tracks now is what a cycle would have written."""
    item = meeting("Demo", at(10), "bob", location="Showroom", description="Bring the batteries.")
    ref = world.exchange.add(ADA, item)

    tracked_now(world, "Demo")

    (row,) = world.rows()
    assert row.appointment == project(world.exchange.item(ADA, ref).appointment)


@pytest.mark.rule("L-11")
def test_a_copy_of_a_linked_item_is_ignored(world: World) -> None:
    """The copy is skipped with CopiedItemIgnored, asks nothing, and the row follows the first item only."""
    copy = copied(world)

    assert world.subjects() == ["Demo"]
    assert (world.link(copy).state, world.link(copy).sync_error) == (LinkState.SKIPPED, "CopiedItemIgnored")
    assert [each.code for each in world.questions()] == ["CopiedItemIgnored"]


@pytest.mark.rule("AL-10")
def test_a_copy_is_told_of_until_it_goes(world: World) -> None:
    """Somebody who edits a copy and wonders why the CRM does not follow finds out: one notice, however often."""
    copy = copied(world)

    (told,) = (each for each in world.store.alerts() if each.code == "CopiedItemIgnored")
    assert (told.state, told.count, told.params["subject"]) == (AlertState.OPEN, 2, "Copy, renamed")
    assert CATALOGUE[told.code].level is Level.INFORMATION

    world.exchange.delete(ADA, copy)
    world.sync()
    assert [each.state for each in world.store.alerts() if each.code == told.code] == [AlertState.WITHDRAWN]


@pytest.mark.rule("L-11")
def test_a_copy_that_is_not_ignored_is_reported(world: World) -> None:
    """With the setting off the copy fails with DoubtfulMatch until one of the two is gone."""
    world.rules = Rules(policy=Policy(ignore_copies=False))
    first = world.track(meeting("Demo", at(10)))
    world.sync()
    copy = world.exchange.copy(ADA, first)
    world.sync()

    assert (world.link(copy).state, world.link(copy).sync_error) == (LinkState.FAILED, "DoubtfulMatch")
    assert [(alert.code, alert.link_id) for alert in world.questions()] == [("DoubtfulMatch", world.link(copy).id)]

    world.exchange.delete(ADA, copy)
    world.sync()

    assert world.subjects() == ["Demo"]
    assert world.questions() == ()


@pytest.mark.rule("L-12")
def test_an_item_tracked_by_hand_is_untracked_by_hand(world: World) -> None:
    """The link is cut, the row stays, and the item is not taken again by later cycles."""
    ref = world.exchange.add(ADA, meeting("Demo", at(10)))
    tracked_now(world, "Demo")
    untrack_now(world.parts, world.mailboxes["ada"], "test", Identity("uid-Demo"), "Ada Admin")
    world.change(ref, subject="Renamed")
    world.sync()

    assert world.subjects() == ["Demo"]
    assert world.store.links_by_ref(world.mailboxes["ada"], [ref]) == {}


@pytest.mark.rule("L-12")
def test_an_item_with_the_category_is_untracked_in_outlook(world: World) -> None:
    """Syncline writes no category, so it refuses and says what to do; an unknown item is said so."""
    world.track(meeting("Demo", at(10)))
    world.sync()

    with pytest.raises(SyncError) as caught:
        untrack_now(world.parts, world.mailboxes["ada"], "test", Identity("uid-Demo"), "Ada Admin")
    with pytest.raises(SyncError) as unknown:
        untrack_now(world.parts, world.mailboxes["ada"], "test", Identity("nothing"), "Ada Admin")

    assert caught.value.code == "InvalidRequest"
    assert "Outlook" in caught.value.text
    assert unknown.value.code == "NotFoundHere"


@pytest.mark.rule("L-13")
def test_one_row_has_one_link_in_each_mailbox_that_tracks_it(world: World) -> None:
    """Ada's and Bob's copies are two links to one row."""
    shared = meeting("Demo", at(10), "bob")
    mine = world.track(shared)
    (copy,) = [item.ref for item in world.exchange.items("bob@example.org")]
    world.exchange.set_categories("bob@example.org", copy, [TRACKED])
    world.sync()
    world.sync("bob")

    (row,) = world.rows()
    assert {world.link(mine).crm_id, world.link(copy, "bob").crm_id} == {row.id}
    assert world.link(mine).mailbox_id != world.link(copy, "bob").mailbox_id


@pytest.mark.rule("A-26")
def test_a_series_deleted_in_exchange_is_deleted_although_it_began_in_the_past(world: World) -> None:
    """The past saves a single appointment, not a series."""
    ref = world.track(meeting("Stand-up", at(9), recurrence=DAILY))
    world.sync()
    world.clock.advance(days=2)
    world.exchange.delete(ADA, ref)
    world.sync()

    assert world.rows() == ()


@pytest.mark.rule("A-26")
def test_a_series_stays_when_it_is_completed_or_not_the_users_own(world: World) -> None:
    """A completed series and one that somebody else organizes lose their link only."""
    mine = world.track(meeting("Mine", at(9), recurrence=DAILY))
    foreign = world.track(meeting("Foreign", at(14), recurrence=DAILY, organizer="customer"))
    world.sync()
    (row,) = [row for row in world.rows() if row.appointment.subject == "Mine"]
    world.crm.complete(row.id, by="ada")
    for ref in (mine, foreign):
        world.exchange.delete(ADA, ref)
    world.sync()

    assert world.subjects() == ["Foreign", "Mine"]


@pytest.mark.rule("A-27")
@pytest.mark.parametrize(("kept", "organizer"), [(True, ADA), (False, None)])
def test_an_organizer_that_exchange_no_longer_names(world: World, kept: bool, organizer: str | None) -> None:
    """With the setting the row keeps its organizer when Exchange names none; without it the organizer goes."""
    world.rules = Rules(keep_crm_organizer=kept)
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    world.change(ref, organizer=None, location="Showroom")
    world.sync()

    (row,) = world.rows()
    assert row.appointment.location == "Showroom"
    assert (row.appointment.organizer.address if row.appointment.organizer else None) == organizer


@pytest.mark.rule("A-27")
def test_exceptions_keep_their_organizer_too(world: World) -> None:
    """A moved occurrence without an organizer keeps the series' one."""
    world.rules = Rules(keep_crm_organizer=True)
    ref = world.track(meeting("Stand-up", at(9), recurrence=DAILY))
    world.sync()
    moved = lambda found: replace(found, span=at(15, days=2), organizer=None)  # noqa: E731
    world.exchange.edit_occurrence(ADA, ref, at(9, days=2), moved)
    world.sync()

    (row,) = world.rows()
    (exception,) = row.appointment.exceptions
    assert exception.organizer is not None
    assert exception.organizer.address == ADA


@pytest.mark.rule("A-28")
@pytest.mark.parametrize(
    ("organizer", "allowed", "state"),
    [
        ("bob", True, LinkState.SETTLED),
        ("bob", False, LinkState.SKIPPED),
        ("customer", False, LinkState.SETTLED),
    ],
)
def test_who_may_track_a_meeting_of_somebody_else(
    world: World, organizer: str, allowed: bool, state: LinkState
) -> None:
    """An attendee tracks a colleague's meeting only if the setting allows it, an outsider's always."""
    world.rules = Rules(policy=Policy(track_from_non_organizer=allowed))
    ref = world.track(meeting("Demo", at(10), "ada", organizer=organizer))
    world.sync()

    link = world.link(ref)
    assert link.state is state
    assert link.sync_error == (None if state is LinkState.SETTLED else "NotOrganizerSkipped")


@pytest.mark.rule("A-30")
@pytest.mark.parametrize("organizer", ["ada", "bob", "customer"])
def test_a_row_that_syncline_writes_says_so_whoever_tracked_it(world: World, organizer: str) -> None:
    """There is one writer and no impersonation in the CRM: it is named the same for organizer and attendee."""
    world.track(meeting("Demo", at(10), "ada", organizer=organizer))
    world.sync()

    assert [row.modified_by for row in world.rows()] == ["syncline"]


@pytest.mark.rule("A-32")
def test_likeness_is_no_duplicate_and_identity_never_makes_one(world: World) -> None:
    """Two items alike in all but identity are two rows without a question; one identity is one row, never a prompt."""
    world.track(meeting("Demo", at(10), show_as=ShowAs.FREE))
    twin = replace(meeting("Demo", at(10), show_as=ShowAs.FREE), identity=Identity("uid-twin"))
    world.track(twin)
    world.crm.create(replace(twin, identity=Identity("uid-Third"), subject="Third"), owner="ada")
    world.track(meeting("Third", at(10), show_as=ShowAs.FREE))
    world.sync()

    assert world.subjects() == ["Demo", "Demo", "Third"]
    assert world.questions() == ()


@pytest.mark.rule("Q-03")
def test_an_open_question_never_expires_by_age(world: World) -> None:
    """After months of cycles and housekeeping the question about a far appointment stands, and Yes still saves it."""
    world.crm.create(meeting("Fair", at(10, days=300)), owner="ada")
    world.track(meeting("Demo", at(10.5, days=300)))
    world.sync()
    for _ in range(4):
        world.clock.advance(days=60)
        world.store.purge(world.clock.now())
        world.sync()
    (alert,) = world.questions()
    world.answer("yes")
    world.sync()

    assert (alert.state, alert.created) == (AlertState.OPEN, NOW)
    assert world.subjects() == ["Demo", "Fair"]


def test_a_mailbox_whose_user_is_gone_stands_still_and_says_so(world: World) -> None:
    """Without an enabled CRM user nothing is planned: UserDisabled."""
    (user,) = [user for user in world.crm.users() if user.name == "ada"]
    world.crm.add_user(replace(user, enabled=False))
    world.track(meeting("Demo", at(10)))

    with pytest.raises(SyncError) as caught:
        world.sync()

    assert caught.value.code == "UserDisabled"
    assert not world.store.mailbox(world.mailboxes["ada"]).enabled
    assert [alert.code for alert in world.questions()] == ["UserDisabled"]


def test_between_two_full_cycles_a_mailbox_rests_but_answers_are_carried_out(world: World) -> None:
    """Sooner than the floor only the answer is done; what is new waits until the floor is over."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.track(meeting("Demo", at(10.5)))
    world.sync()
    world.track(meeting("Later", at(14)))
    world.answer("yes")
    world.clock.advance(seconds=30)
    run_cycle(world.parts, world.connect, world.mailboxes["ada"], "test", rest_s=60)
    soon = world.subjects()
    due = world.store.mailbox(world.mailboxes["ada"]).next_due
    world.clock.advance(seconds=30)
    run_cycle(world.parts, world.connect, world.mailboxes["ada"], "test", rest_s=60)

    assert soon == ["Demo", "Review"]
    assert due == NOW + timedelta(seconds=60)
    assert world.subjects() == ["Demo", "Later", "Review"]


def test_scheduled_jobs_keep_the_floor_and_people_do_not(world: World) -> None:
    """A job that comes too soon rests; somebody who says *synchronize now* is not kept waiting."""
    world.rules = Rules(floor_s=600)
    worker = Worker(world.parts, world.connect, MemoryQueue(), owner="test")
    worker.step()
    world.track(meeting("Demo", at(10)))
    world.store.wake(world.mailboxes["ada"], world.clock.now())
    worker.step()
    rested = world.subjects()
    worker.run_now([world.mailboxes["ada"]])

    assert rested == []
    assert world.subjects() == ["Demo"]
