"""CRM to Exchange: restored sides, lost cursors, other mailboxes, copies with our key, and what the trash keeps."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.appointment import (
    SUBJECT_MAX,
    Address,
    Appointment,
    Attendee,
    Importance,
    Pattern,
    PatternKind,
    Recurrence,
    ShowAs,
)
from syncline.ports import Link, LinkState, Mailbox, Origin, Page, Replica
from tests.engine.test_pushing import ADA, TWO_WAY, enter, links, outlook
from tests.engine.test_pushing_guards import EVE, assert_quiet, codes, mails, ready, subjects, trashed
from tests.engine.world import TRACKED, World, at, meeting

BOB = "bob@example.org"


def settled(world: World, *names: str) -> None:
    """Run cycles until both mailboxes have seen what the others wrote."""
    for _ in range(2):
        for name in names or ("ada", "bob"):
            world.sync(name)
        world.clock.advance(minutes=6)


def only(world: World, name: str = "ada") -> str:
    """Return the ref of the only item of a calendar."""
    (item,) = world.exchange.items(f"{name}@example.org")
    return item.ref


def switch(world: World, name: str, *, enabled: bool) -> None:
    """Switch a mailbox on or off."""
    number = world.mailboxes[name]
    world.store.change_mailbox(number, lambda known: replace(known, enabled=enabled))


# --- restored sides -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_restored_crm_overwrites_nothing_unasked(answer: str) -> None:
    """Rows are back as they were a day ago: what that would change or delete in Outlook is one question."""
    world = ready()
    row = enter(world, meeting("Visit", at(10), EVE))
    settled(world)
    backup = world.crm.back_up()
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    enter(world, meeting("Later", at(14), EVE))
    settled(world)
    mails(world)
    world.crm.restore(backup)
    world.sync()
    assert subjects(world) == ["Later", "Visit"]
    assert [item.location for item in outlook(world) if item.subject == "Visit"] == ["Bern"]
    assert (codes(world), mails(world)) == (["RestoredCrmHeld"], [])
    world.answer(answer)
    settled(world)

    assert subjects(world) == (["Visit"] if answer == "yes" else ["Later", "Visit"])
    place = [item.location for item in outlook(world) if item.subject == "Visit"]
    assert place == ([""] if answer == "yes" else ["Bern"])
    told = [("cancellation", EVE), ("update", EVE)] if answer == "yes" else []
    assert mails(world) == told
    assert world.questions() == ()
    assert_quiet(world)


@pytest.mark.rule("A-02")
@pytest.mark.rule("A-25")
@pytest.mark.parametrize("guest", [ADA, EVE])
def test_an_invited_copy_lost_with_a_restored_mailbox_waits_for_its_invitation(guest: str) -> None:
    """Nobody deleted it, only its organizer can bring it back, and what he sends is linked though nobody tracked it."""
    world = ready()
    kept = world.exchange.back_up(ADA)
    row = enter(world, meeting("Visit", at(10), "ada", organizer="bob"), owner="bob")
    settled(world, "bob", "ada")
    world.exchange.restore(kept)
    if guest == EVE:
        world.crm.edit(row, lambda found: replace(found, attendees=(Attendee(EVE),)), by="bob")
    world.sync()

    told = [(link.state, link.sync_error) for link in links(world)]
    assert told == ([(LinkState.SKIPPED, "AwaitsInvitation")] if guest == ADA else [])
    assert (outlook(world), world.subjects(), codes(world)) == ([], ["Visit"], [])
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="bob")
    settled(world, "bob", "ada")
    assert [item.location for item in outlook(world)] == (["Bern"] if guest == ADA else [])
    assert [link.state for link in links(world)] == ([LinkState.SETTLED] if guest == ADA else [])


@pytest.mark.rule("A-25")
def test_an_invited_copy_that_its_owner_deleted_is_not_waited_for() -> None:
    """Whoever deletes his copy need not be told why it is not there."""
    world = ready()
    enter(world, meeting("Visit", at(10), "ada", organizer="bob"), owner="bob")
    settled(world, "bob", "ada")
    world.exchange.delete(ADA, only(world))
    world.sync()

    assert (links(world), outlook(world), world.subjects()) == ([], [], ["Visit"])


@pytest.mark.rule("A-35")
def test_an_invited_copy_that_is_in_doubt_and_untracked_is_not_waited_for() -> None:
    """What its owner untracks stays untracked, also while it is asked whether the mailbox was restored."""
    world = ready()
    world.track(meeting("Visit", at(10), "ada", organizer="bob"), "bob")
    world.exchange.set_categories(ADA, only(world), (TRACKED,))
    settled(world, "bob", "ada")
    switch(world, "bob", enabled=False)
    world.change(only(world), location="Lobby")
    settled(world, "ada")
    world.change(only(world), location="Bern")
    world.exchange.expire_cursors(ADA)
    world.sync()
    assert codes(world) == ["RestoredSideHeld"]
    world.change(only(world), categories=())
    settled(world, "ada")

    assert (links(world), outlook(world)[0].categories) == ([], ())


@pytest.mark.rule("A-25")
def test_a_meeting_of_ones_own_that_is_lost_while_it_takes_place_is_not_made_anew() -> None:
    """It has begun: its row stays, and the mailbox is left as it was restored."""
    world = ready()
    kept = world.exchange.back_up(ADA)
    enter(world, meeting("Visit", at(10, length=4)))
    settled(world)
    world.clock.advance(days=1, hours=4)
    world.exchange.restore(kept)
    settled(world)

    assert (links(world), outlook(world), world.subjects()) == ([], [], ["Visit"])


@pytest.mark.rule("1.11")
def test_a_lost_copy_is_not_waited_for_where_nothing_goes_to_outlook() -> None:
    """Nothing comes from the CRM there, and no link would ever be dealt with."""
    world = World()
    kept = world.exchange.back_up(ADA)
    world.track(meeting("Visit", at(10), "ada", organizer="bob"), "bob")
    world.exchange.set_categories(ADA, only(world), (TRACKED,))
    settled(world, "bob", "ada")
    assert len(links(world)) == 1
    world.exchange.restore(kept)
    settled(world, "bob", "ada")

    assert (links(world), world.subjects()) == ([], ["Visit"])


@pytest.mark.rule("A-33a")
def test_lost_dates_of_a_series_wait_for_one_invitation() -> None:
    """Both dates that Ada was invited to belong to one row: one link waits for what its organizer sends."""
    world = ready()
    kept = world.exchange.back_up(ADA)
    daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(10).start.date(), count=3)
    series = meeting("Series", at(10), "ada", organizer="bob", recurrence=daily)
    enter(world, series, owner="bob")
    world.sync("bob")
    (whole,) = world.exchange.items(ADA)
    world.exchange.delete(ADA, whole.ref)
    for day in (1, 2):
        identity = replace(series.identity, original_start=at(10, days=day).start)
        date = replace(series, identity=identity, span=at(10, days=day), recurrence=None, categories=(TRACKED,))
        world.exchange.add(ADA, date, send=False)
    world.sync()
    world.sync()
    assert [link.crm_id for link in links(world)] == [world.rows()[0].id] * 2
    world.exchange.restore(kept)
    world.sync()
    world.sync()

    (link,) = links(world)
    assert (link.identity, link.sync_error, world.subjects()) == (series.identity, "AwaitsInvitation", ["Series"])


def test_a_crm_restored_as_it_was_asks_nothing() -> None:
    """Its cursor is unknown, everything is as agreed: every row is looked at, nothing is written or asked."""
    world = ready()
    for hour in (9, 11):
        enter(world, meeting(f"at {hour}", at(hour), EVE))
    settled(world)
    mails(world)
    items, rows = world.exchange.items(ADA), world.rows()
    world.crm.restore(world.crm.back_up())
    settled(world)
    assert (world.exchange.items(ADA), world.rows(), mails(world), world.questions()) == (items, rows, [], ())


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_restored_mailbox_overwrites_nothing_unasked(answer: str) -> None:
    """The calendar is back as it was, its cursor is unknown: a row is neither deleted nor overwritten without a Yes."""
    world = ready()
    row = enter(world, meeting("Visit", at(10)))
    enter(world, meeting("Later", at(14)))
    settled(world)
    visit, later = world.exchange.items(ADA)
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    settled(world)
    world.exchange.edit(ADA, visit.ref, lambda _: visit.appointment)
    world.exchange.delete(ADA, later.ref)
    world.exchange.expire_cursors(ADA)
    world.sync()
    assert codes(world) == ["RestoredSideHeld"]
    both = [("Later", ""), ("Visit", "Bern")]
    assert sorted((r.appointment.subject, r.appointment.location) for r in world.rows()) == both
    world.answer(answer)
    settled(world)
    held = sorted((r.appointment.subject, r.appointment.location) for r in world.rows())
    assert held == ([("Visit", "")] if answer == "yes" else both)
    assert world.questions() == ()
    assert_quiet(world)


# --- a server that keeps to itself what nobody has seen -------------------------------------------------------------


class Discreet(MemoryReplica):
    """A mailbox that tells of a deletion only to who has been told of the item."""

    told: ClassVar[dict[str, set[str]]] = {}

    def changes(self, folder: str, cursor: str | None, limit: int) -> Page:
        """Return the changes without the deletions of what no page has named before."""
        page = super().changes(folder, cursor, limit)
        known = Discreet.told.setdefault(self._address, set())
        shown = tuple(light for light in page.items if not light.gone or light.ref in known)
        known.update(light.ref for light in shown)
        return replace(page, items=shown)


class DiscreetWorld(World):
    """A world of such mailboxes."""

    def connect(self, mailbox: Mailbox) -> Replica:
        """Open a mailbox."""
        return Discreet(self.exchange, mailbox.address)


@pytest.mark.rule("A-25")
def test_what_was_just_made_and_is_deleted_at_once_is_noticed() -> None:
    """Its owner deletes it before the next sync: the row goes too, though the item stood between two syncs only."""
    Discreet.told.clear()
    world = DiscreetWorld(rules=TWO_WAY)
    world.exchange.add(ADA, meeting("Not tracked", at(1, days=40)))
    world.sync()
    enter(world, meeting("Visit", at(10), EVE))
    world.sync()
    ref = next(item.ref for item in world.exchange.items(ADA) if item.appointment.subject == "Visit")
    world.exchange.delete(ADA, ref)
    world.sync()
    assert world.rows() == ()
    assert links(world) == []


# --- several mailboxes --------------------------------------------------------------------------------------------


@pytest.mark.rule("A-33a")
def test_the_row_changes_hands_and_is_still_written_once() -> None:
    """Ada's mailbox is switched off: Bob's copy keeps the row alive, and back again Ada's writes as before."""
    world = ready()
    row = enter(world, meeting("Visit", at(10), "bob"))
    settled(world)
    mails(world)
    switch(world, "ada", enabled=False)
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="bob")
    settled(world, "bob")
    assert (outlook(world, "bob")[0].location, mails(world)) == ("", [])
    assert len(world.rows()) == 1
    switch(world, "ada", enabled=True)
    settled(world)
    assert [outlook(world, name)[0].location for name in ("ada", "bob")] == ["Bern", "Bern"]
    assert mails(world) == [("update", BOB)]
    assert [world.rows()[0].id, len(outlook(world)), len(outlook(world, "bob"))] == [row, 1, 1]
    assert_quiet(world)


@pytest.mark.rule("A-33a")
def test_the_copy_that_decides_goes_and_the_next_takes_over() -> None:
    """Of a meeting of somebody outside Ada's copy made the row; she deletes it, Bob's goes on with the same row."""
    world = ready()
    theirs = replace(meeting("Theirs", at(10), "ada", "bob"), organizer=Address(EVE, "Eve"))
    for name in ("ada", "bob"):
        world.track(theirs, name)
    settled(world)
    (row,) = world.rows()
    world.exchange.delete(ADA, only(world))
    settled(world)
    world.change(only(world, "bob"), "bob", location="Bern")
    settled(world)
    assert [(r.id, r.appointment.location) for r in world.rows()] == [(row.id, "Bern")]
    assert mails(world) == []
    assert_quiet(world)


@pytest.mark.rule("A-14")
def test_a_meeting_given_to_bob_is_not_made_twice() -> None:
    """Until Ada's copy is called off Bob's mailbox makes none; afterwards there is one meeting, and one row."""
    world = ready()
    row = enter(world, meeting("Visit", at(10), EVE))
    settled(world)
    mails(world)
    world.crm.edit(row, lambda found: replace(found, organizer=Address(BOB, "Bob")), by="ada")
    settled(world, "bob", "ada")
    assert (subjects(world), subjects(world, "bob"), mails(world)) == (["Visit"], [], [])
    world.answer("yes")
    settled(world)
    settled(world)
    assert (subjects(world), subjects(world, "bob")) == ([], ["Visit"])
    assert mails(world) == [("cancellation", EVE), ("request", EVE)]
    assert len(world.rows()) == 1
    assert_quiet(world)


# --- tracking -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("L-03")
@pytest.mark.rule("A-35")
def test_what_its_owner_untracked_is_not_pushed_again() -> None:
    """Ada takes the category off: row and item stay and part ways; tracked again they meet."""
    world = ready()
    row = enter(world, meeting("Visit", at(10)))
    settled(world)
    ref = only(world)
    world.exchange.set_categories(ADA, ref, ())
    settled(world)
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    settled(world)
    settled(world)
    assert [(item.location, item.categories) for item in outlook(world)] == [("", ())]
    assert [r.id for r in world.rows()] == [row]
    assert_quiet(world)

    world.exchange.set_categories(ADA, ref, (TRACKED,))
    settled(world)
    assert (len(outlook(world)), [r.id for r in world.rows()]) == (1, [row])
    assert [link.state for link in links(world) if link.ref == ref] == [LinkState.SETTLED]


@pytest.mark.rule("3.3")
def test_a_row_that_comes_back_into_the_filters_meets_its_item() -> None:
    """It left and was unlinked; back again it is linked to the item that is still there, not made anew.

    What either side changed meanwhile flows then, and nobody is invited a second time.
    """
    world = ready()
    row = enter(world, meeting("Visit", at(10), EVE))
    settled(world)
    mails(world)
    ref = only(world)
    filtering(world, on=False)
    assert (outlook(world)[0].categories, [link.sync_error for link in links(world)]) == ((), ["OutOfFilters"])
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    world.change(ref, importance=Importance.HIGH)
    settled(world)
    assert outlook(world)[0].location == ""
    mails(world)

    filtering(world, on=True)
    settled(world)
    assert (only(world), outlook(world)[0].categories) == (ref, (TRACKED,))
    assert [link.state for link in links(world)] == [LinkState.SETTLED]
    (found,) = world.rows()
    assert (outlook(world)[0].location, found.appointment.importance) == ("Bern", Importance.HIGH)
    assert mails(world) == [("update", EVE)]
    assert_quiet(world)


@pytest.mark.rule("1.11")
@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_row_that_comes_back_and_whose_item_is_gone_is_made_anew(meanwhile: bool) -> None:
    """Its item was deleted while no filter selected it: that deletes no row, and it is made once when it is back."""
    world = ready()
    row = enter(world, meeting("Visit", at(10)))
    settled(world)
    filtering(world, on=False)
    world.exchange.delete(ADA, only(world))
    if meanwhile:
        settled(world)
    filtering(world, on=True)
    settled(world)
    assert (subjects(world), [each.id for each in world.rows()]) == (["Visit"], [row])
    assert [link.state for link in links(world)] == [LinkState.SETTLED]
    assert trashed(world) == []
    assert_quiet(world)


@pytest.mark.rule("A-35")
@pytest.mark.parametrize("after", ["taken back", "tracked by hand"])
def test_what_a_person_untracked_stays_untracked_when_its_row_comes_back(after: str) -> None:
    """The last to take the category off was a person: no filter takes the item up again."""
    world = ready()
    row = enter(world, meeting("Visit", at(10)))
    settled(world)
    ref = only(world)
    filtering(world, on=False)
    if after == "taken back":
        filtering(world, on=True)
    else:
        world.exchange.set_categories(ADA, ref, (TRACKED,))
    settled(world)
    assert [link.state for link in links(world)] == [LinkState.SETTLED]
    world.exchange.set_categories(ADA, ref, ())
    settled(world)
    filtering(world, on=False)
    filtering(world, on=True)
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    settled(world)
    assert (only(world), outlook(world)[0].categories, outlook(world)[0].location) == (ref, (), "")
    assert len(world.rows()) == 1
    assert_quiet(world)


@pytest.mark.rule("1.11")
def test_a_row_that_is_deleted_out_of_the_filters_leaves_its_item_alone() -> None:
    """Nothing remembers the item any more, and it stays in Outlook."""
    world = ready()
    row = enter(world, meeting("Visit", at(10)))
    settled(world)
    filtering(world, on=False)
    world.crm.remove(row)
    settled(world)
    assert (subjects(world), links(world)) == (["Visit"], [])
    assert_quiet(world)


def filtering(world: World, *, on: bool) -> None:
    """Let Ada's filter select everything or nothing, and run cycles until that is done."""
    (kept,) = [each for each in world.store.filters() if each.user == "ada"]
    world.store.change_filter(kept.id, lambda known: replace(known, enabled=on), world.clock.now())
    settled(world)


# --- copies with our key ------------------------------------------------------------------------------------------


def keyed(world: World) -> Link:
    """Make an appointment that carries our key; return its link."""
    enter(world, meeting("Visit", at(10), EVE))
    settled(world)
    mails(world)
    (link,) = links(world)
    return link


@pytest.mark.rule("L-11a")
def test_a_copy_with_our_key_is_ignored() -> None:
    """The link's item still stands: the copy is skipped, whatever is done to it, and the row follows the first."""
    world = ready()
    link = keyed(world)
    copy = world.exchange.copy(ADA, link.ref)
    settled(world)
    world.exchange.edit(ADA, copy, lambda found: replace(found, subject="Copy"), send=False)
    settled(world)
    assert [r.appointment.subject for r in world.rows()] == ["Visit"]
    assert world.link(copy).sync_error == "CopiedItemIgnored"
    world.exchange.delete(ADA, copy)
    settled(world)
    assert (subjects(world), len(world.rows()), mails(world)) == (["Visit"], 1, [])


@pytest.mark.rule("L-11a")
def test_an_item_with_our_key_that_moved_is_linked_again() -> None:
    """It lies in another folder under another id: the same row, and edits reach it there."""
    world = ready()
    link = keyed(world)
    folder = world.exchange.add_folder(ADA, "Projects")
    world.clock.advance(minutes=20)
    settled(world)
    moved = world.exchange.move(ADA, link.ref, folder)
    settled(world)
    assert world.link(moved).crm_id == link.crm_id
    world.crm.edit(link.crm_id or "", lambda found: replace(found, location="Bern"), by="ada")
    settled(world)
    assert world.exchange.item(ADA, moved).appointment.location == "Bern"
    assert (len(world.rows()), mails(world)) == (1, [("update", EVE)])
    assert_quiet(world)


@pytest.mark.rule("L-11a")
def test_an_item_with_our_key_and_another_identity_is_new() -> None:
    """The link's item is gone and the key stands on something else: that becomes a row of its own."""
    world = ready()
    link = keyed(world)
    item = world.exchange.item(ADA, link.ref)
    world.exchange.delete(ADA, link.ref)
    other = replace(meeting("Other", at(15)), categories=(TRACKED,))
    world.exchange.create(ADA, other, folder=item.folder, key=item.key or "")
    settled(world)
    assert world.subjects() == ["Other"]
    assert subjects(world) == ["Other"]
    assert mails(world) == []
    assert_quiet(world)


# --- what the trash keeps -----------------------------------------------------------------------------------------


def whole() -> Appointment:
    """Return a meeting with everything that a restore must bring back."""
    return meeting("Visit", at(10), EVE, location="Bern", description="Plan")


@pytest.mark.rule("A-11")
def test_the_trash_keeps_the_whole_item() -> None:
    """Deleted in Outlook because its row went: people, place, text and categories are kept."""
    world = ready()
    row = enter(world, whole())
    settled(world)
    world.crm.remove(row)
    settled(world)
    (kept,) = trashed(world)
    found = kept.appointment
    assert (kept.side, kept.reason) == (Origin.EXCHANGE, "deleted")
    assert (found.subject, found.location, found.description, found.span) == ("Visit", "Bern", "Plan", at(10))
    assert [person.address for person in found.attendees] == [EVE]


@pytest.mark.rule("A-25")
def test_the_trash_keeps_the_whole_row() -> None:
    """Deleted in the CRM because its item went: the row's content is kept, once."""
    world = ready()
    enter(world, whole())
    settled(world)
    world.exchange.delete(ADA, only(world))
    settled(world)
    settled(world)
    (kept,) = trashed(world)
    assert (kept.side, kept.reason, kept.appointment.location) == (Origin.CRM, "deleted", "Bern")
    assert world.rows() == ()


@pytest.mark.rule("A-11")
def test_what_is_only_unlinked_is_not_in_the_trash() -> None:
    """Nothing was deleted, so nothing is kept."""
    world = ready()
    row = enter(world, whole())
    settled(world)
    world.clock.advance(days=3)
    world.crm.remove(row)
    settled(world)
    assert (len(outlook(world)), trashed(world)) == (1, [])


# --- rows that hold what Exchange does not ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "x" * 2000},
        {"location": "y" * 2000},
        {"description": "Plan  \r\n\r\nfor\xa0all \n\n"},
        {"show_as": ShowAs.WORKING_ELSEWHERE},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_goes_over_shortened_is_not_shortened_in_the_crm(fields: dict[str, Any]) -> None:
    """The row keeps what it holds, also when another field is edited on either side; nothing is written twice."""
    world = ready()
    row = enter(world, replace(meeting("Visit", at(10)), **fields))
    settled(world)
    world.crm.edit(row, lambda found: replace(found, importance=Importance.HIGH), by="ada")
    settled(world)
    span = at(10)
    if "subject" not in fields and "location" not in fields:
        span = at(12)
        world.change(only(world), span=span)
        settled(world)
    (held,), (item,) = world.rows(), outlook(world)
    assert {name: getattr(held.appointment, name) for name in fields} == fields
    assert (held.appointment.span, item.span, item.importance) == (span, span, Importance.HIGH)
    assert len(item.subject) <= SUBJECT_MAX
    assert codes(world) == (["FieldTooLong"] if {"subject", "location"} & fields.keys() else [])
    assert_quiet(world)


@pytest.mark.rule("B-05")
def test_a_change_that_the_crm_cannot_take_beside_a_long_subject_is_told() -> None:
    """The CRM refuses the whole row: an alert says so, and neither side loses anything."""
    world = ready()
    enter(world, replace(meeting("Visit", at(10)), subject="x" * 2000))
    settled(world)
    world.change(only(world), span=at(12))
    settled(world)
    assert codes(world) == ["CrmRefused", "FieldTooLong"]
    assert (outlook(world)[0].span, world.rows()[0].appointment.subject) == (at(12), "x" * 2000)


@pytest.mark.rule("D-07")
@pytest.mark.parametrize("series", [False, True])
def test_a_row_in_a_zone_that_is_none_is_told(series: bool) -> None:
    """It has a code and an alert, the next row goes over, and mended it does too."""
    world = ready()
    odd = meeting("Odd", at(10), zone="Mars/Olympus_Mons")
    if series:
        pattern = Pattern(kind=PatternKind.DAILY)
        odd = replace(odd, recurrence=Recurrence(pattern=pattern, first=odd.span.start.date(), count=3))
    row = enter(world, odd)
    enter(world, meeting("Plain", at(14)))
    settled(world, "ada")
    assert "Plain" in subjects(world)
    assert codes(world) == ["UnknownTimeZone"]
    world.crm.edit(row, lambda found: replace(found, zone="Europe/Zurich"), by="ada")
    settled(world)
    assert (subjects(world), world.questions()) == (["Odd", "Plain"], ())


@pytest.mark.rule("A-33a")
def test_what_the_crm_changed_outlives_the_organizers_copy_taking_over() -> None:
    """Bob's copy was tracked first and the row edited since: Ada's, tracked later, takes the edit over."""
    world = ready()
    organized = replace(meeting("Visit", at(10), "bob"), organizer=Address(ADA, "Ada"))
    ref = world.exchange.add(ADA, organized)
    (copy,) = world.exchange.items(BOB)
    world.exchange.set_categories(BOB, copy.ref, (TRACKED,))
    settled(world)
    (row,) = world.rows()
    world.crm.edit(row.id, lambda found: replace(found, subject="Visit and lunch"), by="ada")
    settled(world)
    assert [one.subject for one in outlook(world)] == ["Visit"]
    world.exchange.set_categories(ADA, ref, (TRACKED,))
    settled(world)

    assert [one.appointment.subject for one in world.rows()] == ["Visit and lunch"]
    assert [one.subject for one in outlook(world)] == ["Visit and lunch"]
    assert_quiet(world)


@pytest.mark.rule("A-33a")
def test_one_calendar_that_two_people_imported_asks_nobody() -> None:
    """Each copy names its owner as organizer: the row changes hands once, and both calendars stay as they are."""
    world = ready()
    for name, address in (("ada", ADA), ("bob", BOB)):
        world.track(replace(meeting("Match", at(10)), organizer=Address(address, name)), name)
    settled(world)

    assert len(world.rows()) == 1
    assert [codes(world), codes(world, "bob"), mails(world)] == [[], [], []]
    assert {link.state for name in ("ada", "bob") for link in links(world, name)} == {LinkState.SETTLED}
    assert_quiet(world)
