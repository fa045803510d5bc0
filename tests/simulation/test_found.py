"""What the simulation found, each as the smallest story that once went wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from random import Random

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from syncline.connectors.memory import CALENDAR
from syncline.core.answering import AnswerRule, Conditions
from syncline.core.answering_by_category import CategoryNames
from syncline.core.appointment import Address, Appointment, Attendee, Identity, Response, ShowAs, Span, Status
from syncline.core.filters import Condition, Field, Part, SyncFilter
from syncline.core.merging import Winner
from syncline.core.planning import Policy
from syncline.core.recurrence import occurrences
from syncline.engine import mailboxes
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import Answer, CrmRow, LinkState, Origin
from syncline.simulation import oracle, outward, replay, ruled
from syncline.simulation.conduct import CATEGORY
from syncline.simulation.faults import Call, Gate, Strike, nothing
from syncline.simulation.playing import calm, refill
from syncline.simulation.world import Setting, World, address_of
from syncline.store import schema
from tests.simulation.samples import at, daily, item

ADA, BOB, CYD = address_of("ada"), address_of("bob"), address_of("cyd")


@pytest.fixture
def world() -> World:
    """Make a world of three people."""
    return World(Random(0), Setting(people=3))


def add(world: World, address: str, appointment: Appointment) -> str:
    """Save an appointment and remember that it was tracked."""
    world.tracked_once.add(appointment.identity.global_object_id)
    return world.exchange.add(address, appointment)


def track_copy(world: World, address: str) -> str:
    """Track the only item of a mailbox and return its reference."""
    (copy,) = world.exchange.items(address)
    world.exchange.set_categories(address, copy.ref, (CATEGORY,))
    return copy.ref


def settle(world: World) -> None:
    """Let all go quiet, and expect that nothing is wrong."""
    calm(world, {})
    assert [*oracle.judge(world), *replay.replayed(world)] == []


def row(world: World, uid: str) -> CrmRow:
    """Return the row of an identity without original start."""
    return next(one for one in world.crm.rows() if one.appointment.identity == Identity(uid))


def kill_at(world: World, method: str, number: int = 1) -> None:
    """Let the process die before the given call of one method."""
    seen: list[Call] = []

    def choose(call: Call) -> Strike | None:
        if f"{call.port}.{call.method}" == method:
            seen.append(call)
        return Strike.KILLED if f"{call.port}.{call.method}" == method and len(seen) == number else None

    world.gate.choose = choose


@pytest.mark.rule("A-33a")
def test_one_occurrence_never_overwrites_its_series(world: World) -> None:
    """Somebody invited to one occurrence only holds a link to the series' row, whatever happens to his copy."""
    series = daily("series", at(9))
    add(world, ADA, series)
    world.cycle(ADA)
    invited = item("series", at(9, day=2), organizer=Address(ADA), response=Response.ACCEPTED)
    ref = add(world, BOB, replace(invited, identity=Identity("series", at(9, day=2).start)))
    settle(world)

    world.exchange.edit(BOB, ref, lambda one: replace(one, subject="Bob's own words"))
    settle(world)

    assert [one.appointment.recurrence for one in world.crm.rows()] == [series.recurrence]
    assert row(world, "series").appointment.subject == "Subject series"


@pytest.mark.rule("A-25")
def test_a_deletion_is_noticed_although_the_cursor_expired(world: World) -> None:
    """A whole reading tells deletions by what is not listed any more; nothing is deleted for it before a Yes."""
    ref = add(world, ADA, item("one", at(9)))
    world.cycle(ADA)
    world.exchange.delete(ADA, ref)
    world.exchange.expire_cursors(ADA)
    settle(world)
    (question,) = world.questions()
    assert question.code == "RestoredSideHeld"

    world.answer(question, "yes")
    settle(world)

    assert world.crm.rows() == ()


@pytest.mark.rule("L-02")
def test_a_deletion_is_noticed_when_its_folder_is_gone(world: World) -> None:
    """The items of a deleted subfolder are gone with it."""
    folder = next(ref for ref in world.exchange.store(ADA).folders if ref != CALENDAR)
    ref = add(world, ADA, item("one", at(9)))
    world.exchange.move(ADA, ref, folder)
    world.cycle(ADA)
    world.exchange.remove_folder(ADA, folder)

    settle(world)

    assert world.crm.rows() == ()


@pytest.mark.rule("Q-08")
def test_the_clash_of_somebody_newly_invited_is_asked_about(world: World) -> None:
    """Clashes count as known only if the people of the agreed meeting had them."""
    add(world, BOB, item("bobs", at(9), organizer=Address(BOB)))
    ref = add(world, ADA, item("adas", at(9)))
    settle(world)
    world.exchange.edit(ADA, ref, lambda one: replace(one, attendees=(Attendee(BOB),)))

    settle(world)

    assert [alert.subject for alert in world.questions()] == ["Subject adas"]


@pytest.mark.rule("Q-05")
def test_a_clash_that_goes_while_the_process_dies_is_not_forgotten(world: World) -> None:
    """What moved in the CRM is looked at again by the next process."""
    blocker = world.crm.create(Appointment(identity=Identity("crm-1"), span=at(9)), owner="ada")
    add(world, ADA, item("one", at(9)))
    world.cycle(ADA)
    world.crm.remove(blocker)
    kill_at(world, "crm.validate")
    world.cycle(ADA)

    settle(world)

    assert world.questions() == ()
    assert row(world, "one").appointment.subject == "Subject one"


def test_an_edit_in_the_crm_right_after_a_crash_stays_visible(world: World) -> None:
    """A row that was edited before its creator woke up again is unsettled, not agreed."""
    add(world, ADA, item("one", at(9)))
    world.gate.choose = lambda call: Strike.KILLED_AFTER if call.method == "book" else None
    world.cycle(ADA)
    world.gate.choose = nothing
    world.crm.edit(row(world, "one").id, lambda one: replace(one, subject="Edited"), by="ada")

    settle(world)

    assert [link.state for link in oracle.all_links(world)] == [LinkState.UNSETTLED]
    assert row(world, "one").appointment.subject == "Edited"


@pytest.mark.rule("A-36")
def test_a_copy_does_not_join_a_row_that_is_gone(world: World) -> None:
    """A copy of a meeting whose row was just deleted in the CRM is skipped, as the first one is."""
    add(world, ADA, item("met", at(9), attendees=(Attendee(BOB),)))
    world.cycle(ADA)
    world.crm.remove(row(world, "met").id)
    track_copy(world, BOB)
    world.cycle(BOB)

    settle(world)

    assert {link.sync_error for link in oracle.all_links(world)} == {"ClosedInCrm"}


@pytest.mark.rule("A-33a")
def test_the_organizer_takes_over_again(world: World) -> None:
    """While the organizer's mailbox is off another copy decides; back again, the organizer's content stands."""
    add(world, ADA, item("met", at(9), attendees=(Attendee(BOB),)))
    settle(world)
    mailboxes.disable(world.store, world.mailboxes[ADA])
    copy = track_copy(world, BOB)
    world.exchange.edit(BOB, copy, lambda one: replace(one, subject="Bob's words"))
    world.cycle(BOB)

    settle(world)

    assert row(world, "met").appointment.subject == "Subject met"


@pytest.mark.rule("A-33a")
def test_two_copies_without_their_organizer_agree_on_one(world: World) -> None:
    """When the organizer's item is gone, equal copies do not overwrite each other for ever."""
    ref = add(world, ADA, item("met", at(9), attendees=(Attendee(BOB), Attendee(CYD))))
    world.exchange.delete(ADA, ref)
    track_copy(world, BOB)
    world.exchange.respond(CYD, track_copy(world, CYD), Response.ACCEPTED)
    kill_at(world, "crm.book")
    world.cycle(CYD)
    world.gate.choose = nothing

    settle(world)

    assert len(world.crm.rows()) == 1


@pytest.mark.rule("L-11a")
def test_an_item_that_takes_the_place_of_its_copy_leaves_a_line(world: World) -> None:
    """The link of the copy ends in the journal when the moved item takes its address."""
    ref = add(world, ADA, item("one", at(9)))
    world.exchange.copy(ADA, ref)
    settle(world)
    world.exchange.delete(ADA, ref)

    settle(world)

    assert len(oracle.all_links(world)) == 1


@pytest.mark.rule("A-34")
def test_a_cancellation_that_a_crash_interrupted_settles(world: World) -> None:
    """A row that was canceled just before the crash is not taken for closed by somebody else."""
    ref = add(world, ADA, item("one", at(9)))
    settle(world)
    world.exchange.edit(ADA, ref, lambda one: replace(one, canceled=True))
    world.gate.choose = lambda call: Strike.KILLED_AFTER if call.method == "reschedule" else None
    world.cycle(ADA)
    world.gate.choose = nothing

    settle(world)

    assert [link.state for link in oracle.all_links(world)] == [LinkState.SETTLED]


@pytest.mark.rule("A-25")
def test_a_held_deletion_stays_held_when_something_new_is_saved(world: World) -> None:
    """A new item makes the share of the vanished ones smaller; the question about them stays all the same."""
    for number in range(4):
        add(world, ADA, item(f"item-{number}", at(9 + number)))
    settle(world)
    for one in world.exchange.items(ADA):
        world.exchange.delete(ADA, one.ref)
    add(world, ADA, item("new", at(15)))

    settle(world)

    assert [(alert.code, len(alert.held)) for alert in world.questions()] == [("EmptiedSideHeld", 4)]
    assert len(world.crm.rows()) == 5


@pytest.mark.rule("A-36")
def test_all_dates_of_a_series_in_one_calendar_hear_of_its_end(world: World) -> None:
    """Whoever was invited to two dates of a series holds two links to its row, and both end with it."""
    series = add(world, ADA, daily("series", at(9)))
    world.cycle(ADA)
    for day in (1, 2):
        date = item("series", at(9, day=day), organizer=Address(ADA), response=Response.ACCEPTED)
        add(world, BOB, replace(date, identity=Identity("series", at(9, day=day).start)))
    settle(world)
    world.exchange.delete(ADA, series)

    settle(world)

    assert [link.sync_error for link in oracle.all_links(world)] == ["ClosedInCrm", "ClosedInCrm"]


@pytest.mark.rule("Q-01")
def test_an_owner_that_is_overtaken_while_it_asks_who_answers_does_no_harm() -> None:
    """Another owner takes the answer from Outlook while this one asks the CRM for a name; it counts once."""
    world = World(Random(0), Setting(people=1, rules=Rules(outlook=CategoryNames())))
    world.crm.create(Appointment(identity=Identity("crm-1"), span=at(9)), owner="ada")
    ref = add(world, ADA, item("one", at(9)))
    world.cycle(ADA)
    world.exchange.set_categories(ADA, ref, (CATEGORY, CategoryNames().save_anyway))
    world.said.add(("one", "yes"))
    world.ledger.confirmed.add("one")
    users: list[Call] = []

    def overtaken(_: Call) -> None:
        world.clock.advance(Rules().lease_s + 1)
        world.cycle(ADA, owner="second", gate=Gate())

    def choose(call: Call) -> Strike | None:
        users.extend([call] if call.method == "users" else [])
        return Strike.OVERTAKEN if call.method == "users" and len(users) == 1 else None

    world.gate.overtaken, world.gate.choose = overtaken, choose
    world.cycle(ADA)

    settle(world)

    assert row(world, "one").appointment.subject == "Subject one"
    assert world.questions() == ()


@pytest.mark.rule("B-05")
def test_an_item_that_could_not_be_read_and_is_held_then_was_told(world: World) -> None:
    """It fails to be read, and is then among those whose deletion is held: the journal says how it stands."""
    refs = [add(world, ADA, item(f"item-{number}", at(9 + number))) for number in range(4)]
    settle(world)
    torn = SyncError("ItemUnreadable", subject="Subject item-0", detail="it is damaged")
    world.exchange.spoil(ADA, refs[0], torn)
    world.exchange.touch(ADA, refs[0])
    world.cycle(ADA)
    for ref in refs:
        world.exchange.delete(ADA, ref)

    settle(world)

    assert [(alert.code, len(alert.held)) for alert in world.questions()] == [("EmptiedSideHeld", 4)]


# --- both sides are partners -------------------------------------------------------------------------------------


def partners(people: int = 1, **rules: object) -> World:
    """Make a world in which both sides are partners and the first sync is over."""
    made = World(Random(0), Setting(people=people, rules=replace(Rules(outgoing=True), **rules)))  # type: ignore[arg-type]
    for address in made.mailboxes:
        made.cycle(address)
    return made


def settle_both(world: World) -> None:
    """Let all go quiet, and expect that nothing is wrong on either side."""
    calm(world, {})
    assert [*oracle.judge(world), *outward.judge(world), *replay.replayed(world)] == []


def strike_at(world: World, method: str, strike: Strike) -> None:
    """Let something strike the first call of one method."""
    seen: list[Call] = []

    def choose(call: Call) -> Strike | None:
        if f"{call.port}.{call.method}" != method or seen:
            return None
        seen.append(call)
        return strike

    world.gate.choose = choose


@pytest.mark.rule("A-33")
def test_an_owner_that_is_overtaken_while_it_makes_an_item_takes_it_back() -> None:
    """The new owner has made the item already: of the two only one stays, and nobody is called off."""
    world = partners()
    world.crm.enter(
        item("crm-1", at(9), organizer=Address(ADA), attendees=(Attendee("eve@elsewhere.example"),)), owner="ada"
    )

    def overtaken(_: Call) -> None:
        world.clock.advance(world.setting.rules.lease_s + 1)
        world.cycle(ADA, owner="second", gate=Gate())

    world.gate.overtaken = overtaken
    strike_at(world, "calendar.write", Strike.OVERTAKEN)
    world.cycle(ADA)
    settle_both(world)

    assert len(world.exchange.items(ADA)) == 1
    assert "cancellation" not in [mail.kind for mail in world.exchange.outbox]


@pytest.mark.rule("A-35")
def test_an_owner_that_is_overtaken_while_it_makes_the_row_of_an_untracked_item_takes_it_back(world: World) -> None:
    """The new owner saw the item untracked before there was a row: none is left, and the item stays as it is."""
    ref = add(world, ADA, item("one", at(9)))

    def overtaken(_: Call) -> None:
        world.exchange.set_categories(ADA, ref, ())
        world.clock.advance(world.setting.rules.lease_s + 1)
        world.cycle(ADA, owner="second", gate=Gate())

    world.gate.overtaken = overtaken
    strike_at(world, "crm.book", Strike.OVERTAKEN)
    world.cycle(ADA)
    settle(world)

    assert world.crm.rows() == ()
    assert [each.ref for each in world.exchange.items(ADA)] == [ref]


@pytest.mark.rule("Q-08")
def test_a_time_that_the_crm_keeps_is_not_asked_about() -> None:
    """Both sides moved it and the CRM wins: what its time overlaps was the CRM's own doing, and nobody is asked."""
    world = partners(winner=Winner.CRM)
    world.crm.enter(item("crm-busy", at(13), organizer=Address(ADA)), owner="ada")
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    world.crm.edit(row(world, "one").id, lambda found: replace(found, span=at(13)), by="ada")
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(15)))
    settle_both(world)

    assert world.questions() == ()
    assert world.exchange.item(ADA, ref).appointment.span == at(13)


def made_item(world: World, uid: str) -> str:
    """Return the reference of the item that was made from a row in the calendar of Ada."""
    return next(one.ref for one in world.exchange.items(ADA) if one.appointment.identity == Identity(uid))


@pytest.mark.rule("Q-09")
@pytest.mark.parametrize(("answer", "stands"), [("yes", Span(at(12).start, at(11.5).end)), ("no", at(10))])
def test_a_clash_that_the_crm_moved_out_of_is_asked_about_when_outlook_brings_it_back(
    answer: Answer, stands: Span
) -> None:
    """It overlapped another as it was agreed and does so no more: that it is to do so again is asked about."""
    world = partners()
    world.crm.enter(item("crm-busy", at(12), organizer=Address(ADA)), owner="ada")
    world.crm.enter(item("crm-1", at(12), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    world.crm.edit(row(world, "crm-1").id, lambda found: replace(found, span=at(10)), by="ada")
    shorter = Span(at(12).start, at(11.5).end)
    world.exchange.edit(ADA, made_item(world, "crm-1"), lambda found: replace(found, span=shorter))
    settle_both(world)
    assert row(world, "crm-1").appointment.span == at(10)

    world.answer(world.questions()[0], answer)
    settle_both(world)

    assert row(world, "crm-1").appointment.span == stands


@pytest.mark.rule("Q-08")
def test_a_date_that_outlook_keeps_where_the_crm_moved_its_series_away_is_asked_about() -> None:
    """The date overlapped another in the series as it was agreed, and the row as it stands has nothing there."""
    world = partners()
    world.crm.enter(item("crm-busy", at(12, day=2), organizer=Address(ADA)), owner="ada")
    world.crm.enter(replace(daily("crm-1", at(12)), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    world.crm.edit(row(world, "crm-1").id, lambda found: replace(found, span=at(10)), by="ada")
    ref, date = made_item(world, "crm-1"), at(12, day=2)
    shorter = replace(date, end=at(12.5, day=2).start)
    world.exchange.edit_occurrence(ADA, ref, date, lambda found: replace(found, span=shorter))
    settle_both(world)

    assert [alert.subject for alert in world.questions()] == ["Subject crm-1"]


@pytest.mark.rule("Q-08")
def test_a_clash_that_the_crm_moved_into_is_not_asked_about_when_outlook_changes_something_else() -> None:
    """The row stands over another already, as somebody wanted it in the CRM: the change adds no new clash."""
    world = partners()
    world.crm.enter(item("crm-busy", at(12), organizer=Address(ADA)), owner="ada")
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    world.crm.edit(row(world, "crm-1").id, lambda found: replace(found, span=at(12)), by="ada")
    ref = made_item(world, "crm-1")
    world.exchange.edit(ADA, ref, lambda found: replace(found, show_as=ShowAs.OUT_OF_OFFICE))
    settle_both(world)

    assert world.questions() == ()
    assert row(world, "crm-1").appointment.show_as is ShowAs.OUT_OF_OFFICE


@pytest.mark.rule("CD-05")
def test_whom_the_crm_uninvites_is_not_double_booked_when_outlook_makes_the_meeting_shorter() -> None:
    """He was invited over something else of his, takes part no more, and is not kept busy by what Outlook says."""
    world = partners(2)
    world.crm.enter(item("crm-busy", at(9), organizer=Address(BOB)), owner="bob")
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA), attendees=(Attendee(BOB),)), owner="ada")
    settle_both(world)
    world.crm.edit(row(world, "crm-1").id, lambda found: replace(found, attendees=()), by="ada")
    shorter = Span(at(9).start, at(8.5).end)
    world.exchange.edit(ADA, made_item(world, "crm-1"), lambda found: replace(found, span=shorter))
    settle_both(world)

    assert world.questions() == ()
    assert row(world, "crm-1").appointment.span == shorter
    assert [one.address for one in world.crm.persons_of(row(world, "crm-1").id)] == [ADA]


@pytest.mark.rule("Q-09")
def test_whom_the_crm_invites_is_asked_about_at_the_time_that_outlook_sets() -> None:
    """Each side's change overlaps nothing by itself, both together would double-book him."""
    world = partners(2)
    world.crm.enter(item("crm-busy", at(12), organizer=Address(BOB)), owner="bob")
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    world.crm.edit(row(world, "crm-1").id, lambda found: replace(found, attendees=(Attendee(BOB),)), by="ada")
    world.exchange.edit(ADA, made_item(world, "crm-1"), lambda found: replace(found, span=at(12)))
    settle_both(world)

    assert [alert.subject for alert in world.questions()] == ["Subject crm-1"]


@pytest.mark.rule("L-11a")
def test_a_deletion_whose_answer_was_lost_is_told_in_the_journal() -> None:
    """What was found gone after a crash is told like any deletion."""
    world = partners()
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    world.exchange.delete(ADA, ref)
    strike_at(world, "crm.delete", Strike.LOST)
    world.cycle(ADA)
    world.gate.choose = nothing

    settle_both(world)

    assert world.crm.rows() == ()


@pytest.mark.rule("A-04")
def test_a_completed_row_whose_write_to_exchange_was_not_recorded_is_in_step() -> None:
    """The item shows free before the process dies: that is what the row asked for, not an edit of a closed row."""
    world = partners()
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    world.crm.complete(row(world, "crm-1").id, by="ada")
    strike_at(world, "calendar.write", Strike.KILLED_AFTER)
    world.cycle(ADA)
    world.gate.choose = nothing

    settle_both(world)

    (link,) = oracle.all_links(world)
    assert link.state is LinkState.SETTLED


@pytest.mark.rule("5.6")
def test_what_failed_and_is_left_out_now_is_told_no_more() -> None:
    """The row gets an organizer from outside before its item could be made: the alert about that is withdrawn."""
    world = World(Random(0), Setting(people=1, rules=Rules(outgoing=True), unwritable=frozenset({"ada"})))
    world.cycle(ADA)
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    assert "ItemNotWritable" in [alert.code for alert in world.store.open_alerts(world.mailboxes[ADA])]

    guests = (Attendee(ADA),)
    outside = Address("guest@elsewhere.example")
    row_id = row(world, "crm-1").id
    world.crm.edit(row_id, lambda found: replace(found, organizer=outside, attendees=guests), by="ada")
    settle_both(world)

    assert "ItemNotWritable" not in [alert.code for alert in world.store.open_alerts(world.mailboxes[ADA])]


@pytest.mark.rule("L-11a")
def test_a_released_write_that_was_not_recorded_is_not_asked_about_again() -> None:
    """The process dies after a Yes to a restored CRM was carried out: both are equal, nothing is overwritten."""
    world = partners()
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    backup = world.crm.back_up()
    world.crm.edit(row(world, "crm-1").id, lambda found: replace(found, subject="Edited"), by="ada")
    settle_both(world)
    world.crm.restore(backup)
    settle_both(world)
    world.answer(world.questions()[0], "yes")
    strike_at(world, "calendar.write", Strike.KILLED_AFTER)
    world.cycle(ADA)
    world.gate.choose = nothing
    settle_both(world)

    assert world.questions() == ()
    (only,) = world.exchange.items(ADA)
    assert only.appointment.subject == "Subject crm-1"


@pytest.mark.rule("R-05")
def test_a_series_whose_last_date_is_deleted_goes_from_exchange() -> None:
    """The server drops a series without dates; the link goes with it, and the content is in the trash."""
    world = partners()
    world.crm.enter(replace(daily("crm-1", at(9)), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    series = row(world, "crm-1")
    gone = tuple(one.original_start for one in occurrences(series.appointment, at(0).start, at(0, day=60).start))
    world.crm.edit(series.id, lambda found: replace(found, deleted=gone), by="ada")
    settle_both(world)

    assert world.exchange.items(ADA) == ()
    assert len(world.crm.rows()) == 1


@pytest.mark.rule("L-11a")
def test_edits_on_both_sides_of_an_item_whose_making_was_not_heard_of_stand() -> None:
    """The item that a dead process made is found by its key, and what either side was given meanwhile is kept."""
    world = World(Random(0), Setting(people=1, rules=Rules(outgoing=True)))
    settle(world)
    world.crm.enter(replace(item("crm-1", at(9)), organizer=Address(ADA), categories=()), owner="ada")
    world.gate.choose = lambda call: Strike.KILLED_AFTER if call.method == "write" and call.port == "calendar" else None
    world.cycle(ADA)
    world.gate.choose = nothing
    (made,) = world.exchange.items(ADA)
    world.exchange.edit(ADA, made.ref, lambda one: replace(one, subject="Outlook"))
    world.crm.edit(row(world, "crm-1").id, lambda one: replace(one, location="CRM"), by="ada")

    settle(world)

    (found,) = world.exchange.items(ADA)
    both = [found.appointment, row(world, "crm-1").appointment]
    assert [(one.subject, one.location) for one in both] == [("Outlook", "CRM")] * 2


def test_a_clock_that_is_set_back_by_a_day_stops_nothing(world: World) -> None:
    """The mailbox is due at once, and so is the item that could not be read and waits for its next try."""
    ref = add(world, ADA, item("one", at(9)))
    world.exchange.spoil(ADA, ref, SyncError("ItemUnreadable", subject="one", detail="it is damaged"))
    world.cycle(ADA)
    world.exchange.spoil(ADA, ref, None)
    world.clock.advance(-86_400)

    assert ADA in world.due()
    world.cycle(ADA)

    assert row(world, "one").appointment.subject == "Subject one"


def test_a_folder_made_after_the_clock_was_set_back_is_read(world: World) -> None:
    """The list of folders is not trusted for a day."""
    world.cycle(ADA)
    world.clock.advance(-86_400)
    folder = world.exchange.add_folder(ADA, "New")
    world.exchange.move(ADA, add(world, ADA, item("one", at(9))), folder)

    world.cycle(ADA)

    assert row(world, "one").appointment.subject == "Subject one"


def restore(world: World) -> None:
    """Restore a mailbox to a time at which one of its two items was another and one was not there."""
    ref = add(world, ADA, item("one", at(9)))
    settle(world)
    kept = world.exchange.back_up(ADA)
    world.exchange.edit(ADA, ref, lambda one: replace(one, subject="Newer"))
    add(world, ADA, item("two", at(11)))
    settle(world)
    world.exchange.restore(kept)
    settle(world)


@pytest.mark.rule("A-25")
@pytest.mark.parametrize(("answer", "left"), [("yes", ["Subject one"]), ("no", ["Newer", "Subject two"])])
def test_a_mailbox_restored_from_a_backup_deletes_and_overwrites_nothing_unasked(
    world: World, answer: Answer, left: list[str]
) -> None:
    """What the mailbox lost and what became older in it is asked about; the rows stay as they are until then."""
    restore(world)
    assert sorted(one.appointment.subject for one in world.crm.rows()) == ["Newer", "Subject two"]
    (question,) = world.questions()
    assert (question.code, len(question.held)) == ("RestoredSideHeld", 2)

    world.answer(question, answer)
    world.cycle(ADA)

    assert sorted(one.appointment.subject for one in world.crm.rows()) == left
    assert world.ledger.violations == []


def test_a_row_that_goes_after_a_restore_without_a_question_is_seen(world: World) -> None:
    """The ledger tells when what a mailbox lost by a restore is deleted and nobody was asked."""
    ref = add(world, ADA, item("one", at(9)))
    settle(world)
    world.exchange.delete(ADA, ref)
    world.ledger.lost.add((ADA, Identity("one")))

    world.cycle(ADA)

    assert world.ledger.violations == ["row of one deleted after a restore, nobody was asked"]


def test_a_mark_that_was_put_off_does_not_wait_for_a_clock_that_was_set_back() -> None:
    """After the clock was set back by a day the next cycle tries the mark again, not the one of the day after."""
    world = World(Random(0), Setting(people=1, rules=Rules(outlook=CategoryNames())))
    world.cycle(ADA)
    world.crm.create(Appointment(identity=Identity("crm-1"), span=at(9)), owner="ada")
    ref = add(world, ADA, item("one", at(9)))
    world.gate.choose = lambda call: Strike.REFUSED if call.method == "categorize" else None
    world.cycle(ADA)
    world.gate.choose = nothing
    world.clock.advance(600 - 86_400)

    world.cycle(ADA)

    assert CategoryNames().waiting in world.exchange.item(ADA, ref).appointment.categories


@pytest.mark.rule("3.1")
@pytest.mark.parametrize(("winner", "left"), [(Winner.CRM, "CRM"), (Winner.EXCHANGE, "Outlook again")])
def test_an_edit_stands_against_one_that_the_diary_has_forgotten(winner: Winner, left: str) -> None:
    """Both sides edit, the server finds another calendar again, one side edits once more: either edit may stand."""
    world = partners(people=2, winner=winner)
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    with world.diary.of_an_act():
        world.crm.edit(row(world, "one").id, lambda found: replace(found, subject="CRM"), by="ada")
        world.exchange.edit(ADA, ref, lambda found: replace(found, subject="Outlook"))
    refill(world, {BOB: world.exchange.empty(BOB)})
    with world.diary.of_an_act():
        world.exchange.edit(ADA, ref, lambda found: replace(found, subject="Outlook again"))

    settle_both(world)

    both = [world.exchange.item(ADA, ref).appointment, row(world, "one").appointment]
    assert [one.subject for one in both] == [left] * 2


@pytest.mark.rule("A-36")
def test_a_row_deleted_before_its_making_was_heard_of_is_not_made_anew() -> None:
    """The process dies once the row is saved, and somebody deletes it: it stays deleted, and goes from Outlook, too."""
    world = partners()
    add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    strike_at(world, "crm.book", Strike.KILLED_AFTER)
    world.cycle(ADA)
    world.gate.choose = nothing
    world.crm.remove(row(world, "one").id)

    settle_both(world)

    assert world.crm.rows() == ()
    assert world.exchange.items(ADA) == ()


@pytest.mark.rule("A-33a")
def test_an_edit_goes_with_the_row_that_somebody_deletes() -> None:
    """A guest's copy made the row, somebody deletes it, and the organizer's calendar makes another of its own."""
    world = partners(people=2)
    ref = add(world, ADA, item("met", at(9), organizer=Address(ADA), attendees=(Attendee(BOB),)))
    track_copy(world, BOB)
    world.cycle(BOB)
    made = row(world, "met").id
    with world.diary.of_an_act():
        world.crm.edit(made, lambda found: replace(found, subject="CRM", location="CRM"), by="ada")
        world.exchange.edit(ADA, ref, lambda found: replace(found, subject="Outlook"))
    with world.diary.of_an_act():
        world.crm.remove(made)

    assert world.diary.edits == {("met", "subject"): {Origin.EXCHANGE: "Outlook"}}
    settle_both(world)
    assert (row(world, "met").appointment.subject, row(world, "met").appointment.location) == ("Outlook", "")


def write_unheard(world: World, strike: Strike) -> str:
    """Let Outlook change the location of an item, and something strike when that is written into the CRM."""
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    with world.diary.of_an_act():
        world.exchange.edit(ADA, ref, lambda found: replace(found, location="Outlook"))
    strike_at(world, "crm.reschedule", strike)
    world.cycle(ADA)
    world.gate.choose = nothing
    return ref


def locations(world: World, ref: str) -> list[str]:
    """Return where the item and its row say that it takes place."""
    return [one.location for one in (world.exchange.item(ADA, ref).appointment, row(world, "one").appointment)]


@pytest.mark.rule("3.1")
@pytest.mark.parametrize(
    ("strike", "stands"),
    [(Strike.LOST, "CRM"), (Strike.KILLED_AFTER, "CRM"), (Strike.REFUSED, "Outlook"), (Strike.KILLED, "Outlook")],
)
def test_an_edit_in_the_crm_of_what_was_just_written_there_stands(strike: Strike, stands: str) -> None:
    """Once Outlook's change is in the row it is no rival of what people make of it; before, Exchange wins."""
    world = partners()
    ref = write_unheard(world, strike)
    with world.diary.of_an_act():
        world.crm.edit(row(world, "one").id, lambda found: replace(found, location="CRM"), by="ada")

    settle_both(world)

    assert locations(world, ref) == [stands] * 2


@pytest.mark.rule("3.1")
@pytest.mark.parametrize("winner", [Winner.CRM, Winner.ASK])
def test_a_write_that_was_not_heard_of_does_not_stand_against_the_next_edit(winner: Winner) -> None:
    """What Syncline itself has written into the CRM is no change of the CRM's, and Outlook may go on from it."""
    world = partners(winner=winner)
    ref = write_unheard(world, Strike.LOST)
    with world.diary.of_an_act():
        world.exchange.edit(ADA, ref, lambda found: replace(found, location="Outlook again"))

    settle_both(world)

    assert world.questions() == ()
    assert locations(world, ref) == ["Outlook again"] * 2


@pytest.mark.rule("3.1")
@pytest.mark.parametrize(
    ("winner", "left"),
    [(Winner.CRM, ["CRM"] * 2), (Winner.EXCHANGE, ["Outlook"] * 2), (Winner.ASK, ["Outlook", "CRM"])],
)
@pytest.mark.parametrize("strike", [Strike.LOST, Strike.KILLED_AFTER])
def test_both_edit_an_item_before_its_making_was_heard_of(strike: Strike, winner: Winner, left: list[str]) -> None:
    """What the CRM wins of an item that is found by its key goes to Outlook, too: both sides agree in the end."""
    world = partners(winner=winner)
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    strike_at(world, "calendar.write", strike)
    world.cycle(ADA)
    world.gate.choose = nothing
    ref = made_item(world, "crm-1")
    with world.diary.of_an_act():
        world.crm.edit(row(world, "crm-1").id, lambda found: replace(found, location="CRM"), by="ada")
        world.exchange.edit(ADA, ref, lambda found: replace(found, location="Outlook"))

    settle_both(world)

    both = [world.exchange.item(ADA, ref).appointment, row(world, "crm-1").appointment]
    assert [one.location for one in both] == left
    assert len(world.questions()) == (winner is Winner.ASK)


def change_unheard(world: World, strike: Strike) -> str:
    """Let the CRM change the location of an item, and something strike when that is written into Outlook."""
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    with world.diary.of_an_act():
        world.crm.edit(row(world, "one").id, lambda found: replace(found, location="CRM"), by="ada")
    strike_at(world, "calendar.write", strike)
    world.cycle(ADA)
    world.gate.choose = nothing
    return ref


@pytest.mark.rule("3.1")
@pytest.mark.parametrize(
    ("strike", "stands"),
    [(Strike.LOST, "Outlook"), (Strike.KILLED_AFTER, "Outlook"), (Strike.REFUSED, "CRM"), (Strike.KILLED, "CRM")],
)
def test_an_edit_in_outlook_of_what_was_just_written_there_stands(strike: Strike, stands: str) -> None:
    """Once the CRM's change is in the item it is no rival of what people make of it; before, the CRM wins."""
    world = partners(winner=Winner.CRM)
    ref = change_unheard(world, strike)
    with world.diary.of_an_act():
        world.exchange.edit(ADA, ref, lambda found: replace(found, location="Outlook"))

    settle_both(world)

    assert locations(world, ref) == [stands] * 2


@pytest.mark.rule("3.1")
def test_nobody_is_asked_about_an_edit_in_outlook_of_what_was_just_written_there() -> None:
    """What Syncline itself has written into Outlook is known when people are to be asked about rivals."""
    world = partners(winner=Winner.ASK)
    ref = change_unheard(world, Strike.LOST)
    with world.diary.of_an_act():
        world.exchange.edit(ADA, ref, lambda found: replace(found, location="Outlook"))

    settle_both(world)

    assert world.questions() == ()
    assert locations(world, ref) == ["Outlook"] * 2


def dates_of(world: World) -> list[tuple[list[tuple[Span, str]], tuple[datetime, ...]]]:
    """Return what both sides hold of the dates of the only series: the changed ones and the deleted ones."""
    both = (world.exchange.item(ADA, made_item(world, "crm-1")).appointment, row(world, "crm-1").appointment)
    return [([(part.span, part.location) for part in one.exceptions], one.deleted) for one in both]


def moved_series(world: World, mover: Winner, dates: str) -> None:
    """Let one side move a daily series from 12 to 10 while the other changes or deletes its second date."""
    world.crm.enter(replace(daily("crm-1", at(12)), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    ref, series, date = made_item(world, "crm-1"), row(world, "crm-1"), at(12, day=2)
    part = replace(
        series.appointment, identity=Identity("crm-1", date.start), span=date, location="Here", recurrence=None
    )
    if mover is Winner.CRM:
        world.crm.edit(series.id, lambda found: replace(found, span=at(10)), by="ada")
        if dates == "changed":
            world.exchange.edit_occurrence(ADA, ref, date, lambda found: replace(found, location="Here"))
        else:
            world.exchange.delete_occurrence(ADA, ref, date)
    else:
        world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(10)))
        changed = {"exceptions": (part,)} if dates == "changed" else {"deleted": (date.start,)}
        world.crm.edit(series.id, lambda found: replace(found, **changed), by="ada")
    settle_both(world)


@pytest.mark.rule("3.1")
@pytest.mark.parametrize("mover", [Winner.CRM, Winner.EXCHANGE])
@pytest.mark.parametrize("dates", ["changed", "deleted"])
@pytest.mark.parametrize("winner", [Winner.CRM, Winner.EXCHANGE])
def test_a_date_goes_along_when_the_other_side_moves_its_series(mover: Winner, dates: str, winner: Winner) -> None:
    """What one side did to a date stands at the new time of its day on both sides, and nothing ever fails."""
    world = partners(winner=winner)

    moved_series(world, mover, dates)

    new = at(10, day=2)
    assert dates_of(world) == [([(new, "Here")], ()) if dates == "changed" else ([], (new.start,))] * 2
    assert row(world, "crm-1").appointment.span == at(10)
    (link,) = oracle.all_links(world)
    assert "failed" not in [entry.action for entry in world.store.journal(link.id).items]


@pytest.mark.rule("A-33a")
def test_an_edit_in_the_crm_outlives_a_hand_over_that_the_organizers_copy_has_not_taken_yet() -> None:
    """The organizer's item was read but not joined to the row when a guest's copy, which made the row, steps back."""
    world = partners(people=2)
    ref = add(world, ADA, item("met", at(9), organizer=Address(ADA), attendees=(Attendee(BOB),)))
    track_copy(world, BOB)
    world.cycle(BOB)
    kill_at(world, "crm.book")
    world.cycle(ADA)
    world.gate.choose = nothing
    with world.diary.of_an_act():
        world.crm.edit(row(world, "met").id, lambda found: replace(found, subject="CRM"), by="ada")
        world.exchange.edit(ADA, ref, lambda found: replace(found, description="Outlook"))
    world.cycle(BOB)
    settle_both(world)

    told = [world.exchange.item(ADA, ref).appointment, row(world, "met").appointment]
    assert [(one.subject, one.description) for one in told] == [("CRM", "Outlook")] * 2


@pytest.mark.rule("A-04")
def test_a_row_that_is_completed_while_its_item_cannot_be_read_is_shown_when_it_can() -> None:
    """The item fails, the row is completed meanwhile, and what Outlook shows follows once the item is read again."""
    world = partners()
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, reminder_minutes=5))
    world.exchange.spoil(ADA, ref, SyncError("ItemUnreadable", subject="one", detail="it is damaged"))
    world.cycle(ADA)
    world.crm.complete(row(world, "one").id, by="ada")
    world.cycle(ADA)
    world.exchange.spoil(ADA, ref, None)

    settle_both(world)


@pytest.mark.rule("A-35")
@pytest.mark.parametrize("answered_first", [False, True])
def test_an_edit_in_the_crm_waits_while_a_no_leaves_its_item_untracked(answered_first: bool) -> None:
    """What the CRM changes before or after the No goes to Outlook once the item is tracked again."""
    world = partners()
    refs = [add(world, ADA, item(str(number), at(number), organizer=Address(ADA))) for number in range(12)]
    settle_both(world)
    for ref in refs:
        world.exchange.set_categories(ADA, ref, ())
    world.cycle(ADA)
    (question,) = world.questions()
    assert question.code == "MassUntrackingHeld"
    if answered_first:
        world.answer(question, "no")
        settle_both(world)
    world.crm.edit(row(world, "0").id, lambda found: replace(found, location="CRM"), by="ada")
    if not answered_first:
        world.cycle(ADA)
        world.answer(question, "no")
    settle_both(world)
    assert world.exchange.item(ADA, refs[0]).appointment.location == ""

    world.exchange.set_categories(ADA, refs[0], (CATEGORY,))
    settle_both(world)

    told = [world.exchange.item(ADA, refs[0]).appointment, row(world, "0").appointment]
    assert [one.location for one in told] == ["CRM"] * 2


def closed_beside_a_renamed_date(in_crm: Callable[[Appointment], Appointment]) -> tuple[World, str]:
    """Let the CRM change and complete a series while Outlook renames its third date."""
    world = partners()
    ref = add(world, ADA, replace(daily("one", at(12)), organizer=Address(ADA)))
    settle_both(world)
    world.crm.edit(row(world, "one").id, in_crm, by="ada")
    world.crm.complete(row(world, "one").id, by="ada")
    world.exchange.edit_occurrence(ADA, ref, at(12, day=3), lambda found: replace(found, subject="Renamed"))
    settle_both(world)
    return world, ref


@pytest.mark.rule("A-22")
def test_a_date_that_outlook_renames_stands_when_its_row_loses_another_and_is_completed() -> None:
    """What Outlook changed of a closed row is not brought in, and it is not undone in Outlook either."""
    deleted = at(12, day=2).start

    world, ref = closed_beside_a_renamed_date(lambda found: replace(found, deleted=(deleted,)))

    series = world.exchange.item(ADA, ref).appointment
    assert ([part.subject for part in series.exceptions], series.deleted) == (["Renamed"], (deleted,))
    assert series.show_as is ShowAs.FREE
    (link,) = oracle.all_links(world)
    assert (link.state, link.sync_error) == (LinkState.SKIPPED, "ClosedInCrm")


@pytest.mark.rule("A-22")
def test_an_item_that_the_way_out_brings_in_step_with_its_closed_row_is_left_out_no_more() -> None:
    """The row moves its series before it is completed, and the date that was renamed goes with the old layout."""
    world, _ = closed_beside_a_renamed_date(lambda found: replace(found, span=at(10)))

    (link,) = oracle.all_links(world)
    assert (link.state, link.sync_error) == (LinkState.SETTLED, None)


@pytest.mark.rule("3.1")
@pytest.mark.parametrize("strike", [Strike.LOST, Strike.KILLED_AFTER])
def test_a_date_left_out_that_the_crm_has_again_stays_when_the_answer_of_outlook_is_lost(strike: Strike) -> None:
    """It was written into Outlook with another change, nobody heard of it, and the date is not taken away again."""
    world = partners()
    world.crm.create(Appointment(identity=Identity("crm-fair"), span=at(9, day=2)), owner="ada")
    ref = add(world, ADA, replace(daily("one", at(9)), organizer=Address(ADA)))
    world.cycle(ADA)
    assert world.save_without(world.questions()[0])
    settle_both(world)
    assert row(world, "one").appointment.deleted == (at(9, day=2).start,)
    with world.diary.of_an_act():
        world.crm.edit(row(world, "one").id, lambda found: replace(found, deleted=(), location="CRM"), by="ada")
    strike_at(world, "calendar.write", strike)
    world.cycle(ADA)
    world.gate.choose = nothing

    settle_both(world)

    both = [world.exchange.item(ADA, ref).appointment, row(world, "one").appointment]
    assert [(one.deleted, one.location) for one in both] == [((), "CRM")] * 2


@pytest.mark.rule("A-14")
def test_what_the_crm_changes_of_a_row_with_another_organizer_stays_there_after_a_no() -> None:
    """The item is to stay as it is: so it does in everything, until the row is the mailbox's own again."""
    world = partners(people=2)
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    found = row(world, "one")
    with world.diary.of_an_act():
        world.crm.edit(found.id, lambda one: replace(one, organizer=Address(BOB), subject="CRM"), by="ada")
    world.cycle(ADA)
    (asked,) = (each for each in world.questions() if each.code == "OrganizerChangedHeld")
    world.answer(asked, "no")
    settle_both(world)
    assert world.exchange.item(ADA, ref).appointment.subject == "Subject one"
    with world.diary.of_an_act():
        world.crm.edit(found.id, lambda one: replace(one, organizer=Address(ADA)), by="ada")

    settle_both(world)
    assert world.exchange.item(ADA, ref).appointment.subject == "CRM"


@pytest.mark.rule("A-04")
def test_a_row_that_is_completed_before_its_making_was_heard_of_is_shown_as_free() -> None:
    """The row was made, the answer was lost, and somebody completed it before the next cycle found it there."""
    world = partners()
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    strike_at(world, "crm.book", Strike.LOST)
    world.cycle(ADA)
    world.gate.choose = nothing
    world.crm.complete(row(world, "one").id, by="ada")

    settle_both(world)
    assert world.exchange.item(ADA, ref).appointment.show_as is ShowAs.FREE


@pytest.mark.rule("3.1")
@pytest.mark.parametrize("own", [{"span": at(11, day=2)}, {"subject": "Renamed"}], ids=["moved", "renamed"])
@pytest.mark.parametrize("strike", [Strike.REFUSED, Strike.KILLED, Strike.LOST, Strike.KILLED_AFTER])
def test_a_changed_date_left_out_that_the_crm_has_again_is_no_edit_of_outlook(
    own: dict[str, object], strike: Strike
) -> None:
    """The CRM has the date as the series gives it, and that reaches Outlook also if the first try is broken off."""
    world = partners()
    busy = own.get("span", at(9, day=2))
    world.crm.create(Appointment(identity=Identity("crm-fair"), span=busy), owner="ada")  # type: ignore[arg-type]
    ref = add(world, ADA, replace(daily("one", at(9)), organizer=Address(ADA)))
    world.exchange.edit_occurrence(ADA, ref, at(9, day=2), lambda found: replace(found, **own))  # type: ignore[arg-type]
    world.cycle(ADA)
    assert world.save_without(world.questions()[0])
    settle_both(world)
    with world.diary.of_an_act():
        world.crm.edit(row(world, "one").id, lambda found: replace(found, deleted=()), by="ada")
    strike_at(world, "calendar.write", strike)
    world.cycle(ADA)
    world.gate.choose = nothing

    settle_both(world)

    both = [world.exchange.item(ADA, ref).appointment, row(world, "one").appointment]
    assert [(one.deleted, one.exceptions) for one in both] == [((), ())] * 2


@pytest.mark.rule("Q-06")
@pytest.mark.parametrize("edit", [{"location": "CRM"}, {"show_as": ShowAs.TENTATIVE}])
def test_a_date_left_out_of_the_organizers_copy_is_so_in_the_guests_though_its_row_was_edited_since(
    world: World, edit: dict[str, object]
) -> None:
    """When the organizer's copy is gone and the guest moves the date, it stands in the CRM, and the edit does too."""
    world.crm.create(Appointment(identity=Identity("crm-fair"), span=at(9, day=2)), owner="ada")
    series = replace(daily("one", at(9)), organizer=Address(ADA), attendees=(Attendee(BOB),))
    copy = add(world, BOB, replace(series, show_as=ShowAs.TENTATIVE))
    world.cycle(BOB)
    ref = add(world, ADA, series)
    world.cycle(ADA)
    assert world.save_without(world.questions()[0])
    world.cycle(ADA)
    world.crm.edit(row(world, "one").id, lambda found: replace(found, **edit), by="ada")  # type: ignore[arg-type]
    settle(world)
    assert row(world, "one").appointment.deleted == (at(9, day=2).start,)
    world.exchange.set_categories(ADA, ref, ())
    settle(world)

    world.exchange.edit_occurrence(BOB, copy, at(9, day=2), lambda found: replace(found, span=at(15, day=2)))
    settle(world)

    told = row(world, "one").appointment
    assert (told.deleted, [part.span for part in told.exceptions]) == ((), [at(15, day=2)])
    assert {name: getattr(told, name) for name in edit} == edit


@pytest.mark.rule("A-33")
def test_an_overtaken_owner_takes_back_a_series_that_both_could_not_make_whole() -> None:
    """Exchange refuses a date of it, so that the new owner's own one stands there and no link knows of it yet."""
    world = partners()
    whole = replace(daily("crm-1", at(9)), organizer=Address(ADA), attendees=(Attendee("eve@elsewhere.example"),))
    beyond = replace(whole, identity=Identity("crm-1", at(9, day=2).start), span=at(9, day=4), recurrence=None)
    world.crm.enter(replace(whole, exceptions=(beyond,)), owner="ada")

    def overtaken(_: Call) -> None:
        world.clock.advance(world.setting.rules.lease_s + 1)
        world.cycle(ADA, owner="second", gate=Gate())

    world.gate.overtaken = overtaken
    strike_at(world, "calendar.write", Strike.OVERTAKEN)
    world.cycle(ADA)
    world.gate.choose = nothing

    assert len(world.exchange.items(ADA)) == 1
    assert "cancellation" not in [mail.kind for mail in world.exchange.outbox]
    settle_both(world)


@pytest.mark.rule("A-01")
def test_a_date_that_exchange_refuses_in_a_new_series_stays_in_the_crm() -> None:
    """The item stands without it: that is no edit of the calendar, and people are told what could not be made."""
    world = partners(people=2)
    whole = replace(daily("crm-1", at(9)), organizer=Address(ADA))
    beyond = replace(whole, identity=Identity("crm-1", at(9, day=2).start), span=at(9, day=4), recurrence=None)
    world.crm.enter(replace(whole, exceptions=(beyond,)), owner="ada")

    settle_both(world)

    assert [part.span for part in row(world, "crm-1").appointment.exceptions] == [at(9, day=4)]
    (link,) = (each for each in oracle.all_links(world) if each.crm_id)
    assert (link.state, link.sync_error) == (LinkState.FAILED, "ErrorOccurrenceCrossingBoundary")
    (made,) = world.exchange.items(ADA)
    assert made.ref == link.ref


@pytest.mark.rule("Q-08")
@pytest.mark.parametrize("texts", [{}, {"location": "Bern"}], ids=["alone", "with a text"])
def test_who_had_declined_stays_free_when_a_no_keeps_his_new_invitation_out(
    world: World, texts: dict[str, object]
) -> None:
    """He has something else by then: neither the question, nor what is written beside it, nor the No keeps him busy."""
    declined = Attendee(BOB, response=Response.DECLINED)
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA), attendees=(declined,)))
    world.cycle(ADA)
    world.crm.create(Appointment(identity=Identity("crm-fair"), span=at(9)), owner="bob")
    world.exchange.edit(ADA, ref, lambda found: replace(found, attendees=(Attendee(BOB),), **texts))
    world.cycle(ADA)
    world.answer(world.questions()[0], "no")

    settle(world)

    assert [person.address for person in world.crm.persons_of(row(world, "one").id)] == [ADA]
    assert row(world, "one").appointment.location == texts.get("location", "")


@pytest.mark.rule("L-11a")
@pytest.mark.parametrize("together", [False, True])
def test_what_the_crm_changed_stands_when_the_item_goes_and_its_copy_takes_its_place(together: bool) -> None:
    """The copy was left out and heard nothing: only what somebody changed in it is Outlook's."""
    world = partners()
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    if not together:
        settle_both(world)
    copy = world.exchange.copy(ADA, ref)
    settle_both(world)
    world.crm.edit(row(world, "one").id, lambda found: replace(found, subject="CRM"), by="ada")
    settle_both(world)
    world.exchange.edit(ADA, copy, lambda found: replace(found, location="Outlook"))
    settle_both(world)
    world.exchange.delete(ADA, ref)

    settle_both(world)

    told = [world.exchange.item(ADA, copy).appointment, row(world, "one").appointment]
    assert [(one.subject, one.location) for one in told] == [("CRM", "Outlook")] * 2


@pytest.mark.rule("L-11a")
def test_a_copy_that_was_given_another_time_before_it_was_found_keeps_it() -> None:
    """It differs from the item of which it is a copy, and the row follows when that one is deleted."""
    world = partners()
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    copy = world.exchange.copy(ADA, ref)
    world.exchange.edit(ADA, copy, lambda found: replace(found, span=at(14)))
    settle_both(world)
    world.exchange.delete(ADA, ref)

    settle_both(world)

    told = [world.exchange.item(ADA, copy).appointment, row(world, "one").appointment]
    assert [one.span for one in told] == [at(14)] * 2


@pytest.mark.rule("L-11a")
@pytest.mark.parametrize("moved", [False, True])
def test_a_date_left_out_of_the_crm_stays_in_the_copy_that_takes_the_place(moved: bool) -> None:
    """The answer left it out of the row alone, whether the row has its old time or a new one."""
    world = partners()
    hour = 11 if moved else 9
    world.crm.create(Appointment(identity=Identity("crm-fair"), span=at(hour, day=2)), owner="ada")
    ref = add(world, ADA, replace(daily("one", at(9)), organizer=Address(ADA)))
    if moved:
        settle_both(world)
    copy = world.exchange.copy(ADA, ref)
    if moved:
        settle_both(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(hour)))
    world.cycle(ADA)
    assert world.save_without(world.questions()[0])
    settle_both(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, location="Outlook"))
    settle_both(world)
    assert row(world, "one").appointment.deleted == (at(hour, day=2).start,)
    world.exchange.delete(ADA, ref)

    settle_both(world)

    told = [world.exchange.item(ADA, copy).appointment, row(world, "one").appointment]
    assert [(one.span, one.location) for one in told] == [(at(hour), "Outlook")] * 2
    assert [one.deleted for one in told] == [(), (at(hour, day=2).start,)]


@pytest.mark.rule("A-11")
def test_an_item_that_goes_with_its_row_takes_along_what_was_said_of_it_though_a_copy_stays() -> None:
    """Somebody describes an item while its row is deleted, and it goes; the copy that stays never said that."""
    world = partners()
    left = add(world, ADA, item("one", at(9), organizer=Address(ADA), categories=()))
    linked = world.exchange.copy(ADA, left)
    world.exchange.set_categories(ADA, linked, (CATEGORY,))
    settle_both(world)
    world.exchange.set_categories(ADA, left, (CATEGORY,))
    settle_both(world)
    with world.diary.of_an_act():
        world.exchange.edit(ADA, linked, lambda found: replace(found, description="Outlook"))
    with world.diary.of_an_act():
        world.crm.remove(row(world, "one").id)
    settle_both(world)
    with world.diary.of_an_act():
        world.exchange.edit(ADA, left, lambda found: replace(found, location="Copy"))

    settle_both(world)

    assert [one.ref for one in world.exchange.items(ADA)] == [left]
    told = row(world, "one").appointment
    assert (told.description, told.location) == ("", "Copy")
    assert world.diary.edits == {("one", "location"): {Origin.EXCHANGE: "Copy"}}


@pytest.mark.rule("A-11")
def test_what_was_said_of_a_copy_counts_when_the_item_beside_it_goes_with_its_row() -> None:
    """Somebody describes the copy, the row of the other item is deleted, and what was said still must stand."""
    world = partners()
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    copy = world.exchange.copy(ADA, ref)
    settle_both(world)
    with world.diary.of_an_act():
        world.exchange.edit(ADA, copy, lambda found: replace(found, description="Outlook"))
    with world.diary.of_an_act():
        world.crm.remove(row(world, "one").id)

    settle_both(world)

    assert [one.ref for one in world.exchange.items(ADA)] == [copy]
    assert world.diary.edits == {("one", "description"): {Origin.EXCHANGE: "Outlook"}}


@pytest.mark.rule("A-25")
@pytest.mark.parametrize("deleting", ["crm.delete", "calendar.write"])
@pytest.mark.parametrize("noting", ["", "store.write"], ids=["before", "after"])
def test_the_trash_holds_once_what_an_overtaken_owner_deletes(deleting: str, noting: str) -> None:
    """The new owner finds it standing, and its cycle fails before it deletes it; or it finds it gone, and keeps it."""
    world = partners()
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    if deleting == "crm.delete":
        world.exchange.delete(ADA, ref)
    else:
        with world.diary.of_an_act():
            world.crm.remove(row(world, "one").id)
    begun, calls = world.clock.now(), list[str]()

    def choose(call: Call) -> Strike | None:
        calls.append(f"{call.port}.{call.method}")
        return Strike.OVERTAKEN if calls[-1] == (noting or deleting) and deleting in calls else None

    def overtaken(_: Call) -> None:
        world.clock.advance(world.setting.rules.lease_s + 1)
        failing = Gate(choose=lambda call: Strike.REFUSED if (call.port, call.method) == ("crm", "changes") else None)
        world.cycle(ADA, owner="second", gate=failing)

    world.gate.overtaken, world.gate.choose = overtaken, choose
    world.cycle(ADA)
    world.gate.choose = nothing

    settle_both(world)
    assert (world.crm.rows(), world.exchange.items(ADA)) == ((), ())
    assert len(world.store.find_trashed("one", since=begun)) == 1


@pytest.mark.rule("A-25")
@pytest.mark.rule("3.1")
@pytest.mark.parametrize("deleted", [True, False])
def test_a_yes_about_an_edited_row_is_not_for_what_is_edited_just_then(*, deleted: bool) -> None:
    """It was for the version that was shown: with the new one the question comes again."""
    world = partners(policy=Policy(ask_before_overruling=True), winners={"location": Winner.ASK})
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    if deleted:
        world.exchange.delete(ADA, ref)
    else:
        world.exchange.edit(ADA, ref, lambda found: replace(found, location="Outlook"))

    def edit(location: str) -> None:
        world.crm.edit(row(world, "one").id, lambda found: replace(found, location=location), by="ada")

    edit("Asked about")
    world.cycle(ADA)
    (question,) = world.questions()
    world.answer(question, "yes")
    world.gate.staled = lambda _: edit("Edited since")
    strike_at(world, "crm.delete" if deleted else "crm.reschedule", Strike.STALE)
    world.cycle(ADA)
    world.gate.choose = nothing

    settle_both(world)
    assert row(world, "one").appointment.location == "Edited since"
    (asked,) = world.questions()
    assert asked.code == ("DeletedAndEditedHeld" if deleted else "BothSidesChanged")


@pytest.mark.rule("Q-02")
def test_what_was_saved_by_an_answer_waits_for_that_no_more_when_its_item_is_held() -> None:
    """The row was made as the process died, somebody moved it, and all items of the calendar went."""
    world = partners()
    world.crm.create(Appointment(identity=Identity("crm-other"), span=at(9)), owner="ada")
    refs = [add(world, ADA, item(f"free-{hour}", at(hour))) for hour in (11, 13)]
    refs.append(add(world, ADA, item("one", at(9))))
    world.cycle(ADA)
    (asked,) = world.questions()
    world.answer(asked, "yes")
    strike_at(world, "crm.book", Strike.KILLED_AFTER)
    world.cycle(ADA)
    world.gate.choose = nothing
    world.crm.edit(row(world, "one").id, lambda found: replace(found, span=at(15)), by="ada")
    for ref in refs:
        world.exchange.delete(ADA, ref)

    world.cycle(ADA)

    (held,) = (each for each in world.questions() if each.code == "EmptiedSideHeld")
    (link,) = (each for each in oracle.all_links(world) if each.identity == Identity("one"))
    assert link.id in held.held
    assert link.state is LinkState.UNSETTLED
    assert [*replay.replayed(world)] == []


@pytest.mark.rule("A-02")
def test_the_journal_says_once_that_an_invitation_is_awaited() -> None:
    """The organizer's calendar has not had its turn: it is looked for again and again, and told of once."""
    world = partners(people=2)
    world.crm.enter(item("crm-1", at(9), organizer=Address(BOB), attendees=(Attendee(ADA),)), owner="bob")

    for _ in range(3):
        world.cycle(ADA)
        world.clock.advance(3_600)

    (link,) = oracle.all_links(world)
    assert (link.state, link.sync_error) == (LinkState.SKIPPED, "AwaitsInvitation")
    assert [entry.action for entry in world.store.journal(link.id).items].count("skipped") == 1


@pytest.mark.rule("Q-09")
def test_what_an_overtaken_owner_takes_back_was_not_saved_unasked() -> None:
    """A rule had said Yes; the new owner dropped the item that was untracked, and with it that answer."""
    world = World(Random(0), Setting(people=1))
    world.store.add_rule(AnswerRule(name="rule 0", answer="yes", conditions=Conditions(), created=world.clock.now()))
    world.ledger.ruled = partial(ruled.said, world.store)
    world.crm.create(Appointment(identity=Identity("crm-other"), span=at(9)), owner="ada")
    ref = add(world, ADA, item("one", at(9)))

    def overtaken(_: Call) -> None:
        world.gate.overtaken = lambda _: None
        world.exchange.set_categories(ADA, ref, ())
        world.clock.advance(world.setting.rules.lease_s + 1)
        world.cycle(ADA, owner="second", gate=Gate())

    world.gate.overtaken = overtaken
    seen: list[Call] = []

    def choose(call: Call) -> Strike | None:
        if f"{call.port}.{call.method}" != "crm.book":
            return None
        seen.append(call)
        return Strike.OVERTAKEN if len(seen) == 2 else None

    world.gate.choose = choose
    world.cycle(ADA)
    world.cycle(ADA)
    world.gate.choose = nothing

    assert len(seen) == 2
    settle(world)
    assert [each.appointment.identity for each in world.crm.rows()] == [Identity("crm-other")]


@pytest.mark.rule("A-25")
def test_what_an_emptied_mailbox_lost_is_kept_in_the_crm_alone_after_a_no() -> None:
    """It was restored to a time before all that was in it; what nobody said No about is still missed there."""
    world = partners()
    kept = world.exchange.back_up(ADA)
    lost = {f"item-{hour}" for hour in (9, 11, 13)}
    for hour in (9, 11, 13):
        add(world, ADA, item(f"item-{hour}", at(hour), organizer=Address(ADA)))
    settle_both(world)
    world.exchange.restore(kept)
    world.ledger.lost |= {(ADA, Identity(uid)) for uid in lost}
    world.cycle(ADA)
    (question,) = world.questions()
    assert question.code == "EmptiedSideHeld"

    world.answer(question, "no")

    settle_both(world)
    assert {one.appointment.identity.global_object_id for one in world.crm.rows()} == lost
    assert world.exchange.items(ADA) == ()
    world.refused.remove("item-9")
    assert outward.judge(world) == [f"{ADA} item-9: its row belongs here and nothing stands here (no link)"]


@pytest.mark.rule("Q-01")
@pytest.mark.rule("A-25")
@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("answered", [True, False])
def test_an_item_that_is_gone_is_asked_about_once(*, answered: bool, back: bool) -> None:
    """It was moved onto another, and is deleted while its row is edited: whether to save it is asked if it is back."""
    world = partners(policy=Policy(ask_before_overruling=True))
    other = world.crm.create(Appointment(identity=Identity("crm-other"), span=at(13)), owner="ada")
    ref = add(world, ADA, item("one", at(9)))
    settle_both(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(13)))
    settle_both(world)
    (question,) = world.questions()
    if answered:
        world.answer(question, "yes")
    gone = world.exchange.items(ADA)[0].appointment
    world.exchange.delete(ADA, ref)
    world.crm.edit(row(world, "one").id, lambda found: replace(found, description="Edited"), by="ada")

    settle_both(world)

    standing = world.store.open_alerts(world.mailboxes[ADA])
    assert [each.code for each in standing] == ["DeletedAndEditedHeld"]
    if back:
        add(world, ADA, gone)
        settle_both(world)
        assert [each.code for each in world.questions()] == ["ExchangeSyncSchedulingConflictsError"]
    world.crm.edit(other, lambda found: replace(found, span=at(16)), by="ada")
    settle_both(world)
    assert (row(world, "one").appointment.span == at(13)) is back


@pytest.mark.rule("A-07")
def test_whom_the_crm_takes_out_of_a_series_is_invited_to_every_date_that_keeps_him() -> None:
    """Exchange tells him that the whole series is off for him: without an invitation he would miss the dates."""
    world = partners(people=2)
    series = replace(daily("series", at(9)), organizer=Address(ADA), attendees=(Attendee(BOB),))
    dates = tuple(
        replace(series, identity=Identity("series", at(9, day).start), span=at(11, day), recurrence=None)
        for day in (2, 3)
    )
    add(world, ADA, replace(series, exceptions=dates))
    settle_both(world)
    world.crm.edit(row(world, "series").id, lambda found: replace(found, attendees=()), by="ada")
    sent = len(world.exchange.outbox)

    settle_both(world)

    told = [mail.kind for mail in world.exchange.outbox[sent:] if mail.to == BOB]
    assert told == ["cancellation", "request", "request"]
    (kept,) = (each.appointment for each in world.exchange.items(ADA))
    assert (kept.attendees, [len(date.attendees) for date in kept.exceptions]) == ((), [1, 1])


@pytest.mark.rule("Q-08")
@pytest.mark.parametrize(("then", "texts"), [("saved anyway", {"location": "Bern"}), ("moved back", {})])
def test_a_time_that_the_crm_changed_beside_a_no_goes_to_outlook_once_the_no_is_over(
    then: str, texts: dict[str, object]
) -> None:
    """The No kept both sides apart, and what the CRM did to the row meanwhile was taken for dealt with."""
    world = partners(winner=Winner.CRM, outlook=CategoryNames())
    world.crm.enter(item("crm-busy", at(12), organizer=Address(ADA)), owner="ada")
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(12)))
    settle_both(world)
    world.answer(world.questions()[0], "no")
    settle_both(world)
    world.crm.edit(row(world, "one").id, lambda found: replace(found, span=at(9, day=2), **texts), by="ada")
    settle_both(world)
    assert world.exchange.item(ADA, ref).appointment.span == at(12)

    if then == "saved anyway":
        world.said.add(("one", "yes"))
        world.ledger.confirmed.add("one")
        world.exchange.set_categories(ADA, ref, (CATEGORY, CategoryNames().save_anyway))
    else:
        world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(9)))
    settle_both(world)

    assert {row(world, "one").appointment.span, world.exchange.item(ADA, ref).appointment.span} == {at(9, day=2)}


@pytest.mark.rule("Q-01")
@pytest.mark.rule("A-02")
def test_an_invitation_that_is_linked_loses_a_mark_that_nobody_knows_of() -> None:
    """It was marked and untracked, lost by the server and found again: nothing is asked about it any more."""
    names = CategoryNames()
    world = partners(people=2, outlook=names)
    add(world, ADA, item("one", at(9), organizer=Address(ADA), attendees=(Attendee(BOB),)))
    (copy,) = world.exchange.items(BOB)
    world.exchange.set_categories(BOB, copy.ref, ("Red", names.waiting))

    settle_both(world)

    (linked,) = world.exchange.items(BOB)
    assert linked.appointment.categories == ("Red",)


@pytest.mark.rule("Q-02")
@pytest.mark.parametrize("edited", [{}, {"location": "CRM"}], ids=["as written", "edited"])
def test_an_answer_without_dates_counts_though_the_series_was_saved_whole_before(edited: dict[str, object]) -> None:
    """Nobody was double-booked any more, so that it was saved as it is; the answer was lost, and the question stood."""
    world = partners()
    other = world.crm.create(Appointment(identity=Identity("crm-fair"), span=at(9, day=2)), owner="ada")
    ref = add(world, ADA, replace(daily("one", at(9)), organizer=Address(ADA)))
    settle_both(world)
    world.crm.edit(other, lambda found: replace(found, span=at(15, day=2)), by="ada")
    strike_at(world, "crm.book", Strike.LOST)
    world.cycle(ADA)
    world.gate.choose = nothing
    assert row(world, "one").appointment.deleted == ()
    if edited:
        world.crm.edit(row(world, "one").id, lambda found: replace(found, **edited), by="ada")  # type: ignore[arg-type]
    assert world.save_without(world.questions()[0])

    settle_both(world)

    told = row(world, "one").appointment
    assert (told.deleted, told.location) == ((at(9, day=2).start,), edited.get("location", ""))
    shown = world.exchange.item(ADA, ref).appointment
    assert (shown.deleted, shown.location) == ((), told.location)
    assert world.questions() == ()


@pytest.mark.rule("A-14")
def test_a_meeting_handed_over_with_a_yes_says_why_it_is_not_here_where_its_row_is_still_owned() -> None:
    """The owner of the row wants all rows of his own, and said himself that another holds the meeting from now on."""
    world = partners(people=2)
    own = Condition(field=Field.PART, words=(Part.OWNER,))
    world.store.add_filter(SyncFilter(name="own", user="ada", conditions=(own,)), world.clock.now())
    held = world.crm.create(item("crm-one", at(9), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    world.crm.edit(held, lambda found: replace(found, organizer=Address(BOB)), by="ada")
    world.cycle(ADA)

    world.answer(world.questions()[0], "yes")

    settle_both(world)
    assert (len(world.exchange.items(ADA)), len(world.exchange.items(BOB))) == (0, 1)
    world.conduct.answered("OrganizerChangedHeld", "yes").clear()
    assert outward.judge(world) == []
    told = {link.sync_error for link in oracle.all_links(world) if link.mailbox_id == world.mailboxes[ADA]}
    assert told == {"AwaitsInvitation"}


@pytest.mark.rule("A-33a")
def test_a_date_that_another_calendar_holds_is_not_missed_once_its_series_is_deleted() -> None:
    """Its row stood before that copy was linked, so that the series was taken for it; no second meeting is made."""
    world = partners(people=2)
    series = replace(daily("series", at(9)), organizer=Address(ADA))
    add(world, ADA, series)
    settle_both(world)
    identity = Identity("series", at(9, day=2).start)
    date = replace(series, identity=identity, span=at(9, day=2), recurrence=None, attendees=(Attendee(BOB),))
    world.crm.create(date, owner="bob")
    world.cycle(ADA)
    copy = world.exchange.add(BOB, replace(date, response=Response.ACCEPTED), send=False)
    settle_both(world)

    world.crm.remove(row(world, "series").id)

    settle_both(world)
    assert (len(world.exchange.items(ADA)), len(world.exchange.items(BOB))) == (0, 1)
    assert [one.appointment.identity for one in world.crm.rows()] == [identity]
    world.exchange.delete(BOB, copy)
    assert f"{ADA} series: its row belongs here and nothing stands here (no link)" in outward.judge(world)


@pytest.mark.rule("L-11a")
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_crm_restored_while_a_first_sync_was_cut_short_is_asked_about(answer: Answer) -> None:
    """There is no cursor yet that could be lost, and the log from its begin tells of no row that is older again."""
    world = World(Random(0), Setting(people=1, rules=Rules(outgoing=True)))
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    backup = world.crm.back_up()
    world.crm.edit(row(world, "crm-1").id, lambda found: replace(found, subject="Edited"), by="ada")
    world.gate.choose = lambda call: Strike.KILLED if call.method == "changes" and world.exchange.items(ADA) else None
    world.cycle(ADA)
    world.gate.choose = nothing
    (made,) = world.exchange.items(ADA)
    world.crm.restore(backup)
    settle_both(world)
    (question,) = world.questions()
    assert question.code == "RestoredCrmHeld"

    world.answer(question, answer)

    settle_both(world)
    subject = world.exchange.item(ADA, made.ref).appointment.subject
    assert subject == ("Subject crm-1" if answer == "yes" else "Edited")


@pytest.mark.rule("3.1")
def test_a_date_that_outlook_moves_is_moved_though_the_row_names_another_organizer_of_its_dates() -> None:
    """Outlook names one organizer of a whole series, so the row's other one was taken for an edit that always wins."""
    world = partners(winner=Winner.CRM)
    series = replace(daily("crm-series", at(9)), organizer=Address(ADA))
    first, second = (
        replace(series, identity=Identity("crm-series", at(9, day).start), recurrence=None) for day in (1, 2)
    )
    former = replace(first, span=at(11, 1), organizer=Address(BOB))
    number = world.crm.enter(replace(series, exceptions=(former,)), owner="ada")
    world.cycle(ADA)
    moved = replace(second, span=at(11, 2))
    world.crm.edit(number, lambda found: replace(found, exceptions=(former, moved)), by="ada")
    settle_both(world)

    (shown,) = world.exchange.items(ADA)
    dates = tuple(replace(part, span=at(14, day)) for day, part in enumerate(shown.appointment.exceptions, 1))
    world.exchange.edit(ADA, shown.ref, lambda found: replace(found, exceptions=dates))
    settle_both(world)

    told = row(world, "crm-series").appointment
    assert [date.span for date in told.exceptions] == [at(14, 1), at(14, 2)]


@pytest.mark.rule("A-13")
@pytest.mark.parametrize("winner", [Winner.EXCHANGE, Winner.CRM])
def test_a_date_that_the_crm_called_off_stays_called_off_when_outlook_moves_another(winner: Winner) -> None:
    """Outlook shows it as free and never as called off, and that was taken over with the dates that were moved."""
    world = partners(winner=winner)
    series = replace(daily("crm-series", at(9)), organizer=Address(ADA))
    dates = tuple(
        replace(series, identity=Identity("crm-series", at(9, day).start), span=at(11, day), recurrence=None)
        for day in (1, 2)
    )
    number = world.crm.enter(replace(series, exceptions=dates), owner="ada")
    settle_both(world)
    off = (replace(dates[0], canceled=True), dates[1])
    world.crm.edit(number, lambda found: replace(found, exceptions=off), by="ada")
    settle_both(world)

    (shown,) = world.exchange.items(ADA)
    first, second = shown.appointment.exceptions
    moved = (first, replace(second, span=at(14, 2)))
    world.exchange.edit(ADA, shown.ref, lambda found: replace(found, exceptions=moved))
    settle_both(world)

    told = row(world, "crm-series").appointment.exceptions
    assert [(date.canceled, date.span) for date in told] == [(True, at(11, 1)), (False, at(14, 2))]


@pytest.mark.rule("Q-02")
@pytest.mark.parametrize(
    ("edit", "left_out"), [({"show_as": ShowAs.FREE}, ()), ({"subject": "Other"}, (at(9, day=2).start,))]
)
def test_a_date_left_out_comes_back_if_it_changed_while_its_series_could_not_be_read(
    world: World, edit: dict[str, object], left_out: tuple[datetime, ...]
) -> None:
    """How the date stood is known from what was agreed; it stays out if only a text changed."""
    world.crm.create(Appointment(identity=Identity("crm-fair"), span=at(9, day=2)), owner="ada")
    ref = add(world, ADA, replace(daily("one", at(9)), organizer=Address(ADA)))
    world.cycle(ADA)
    assert world.save_without(world.questions()[0])
    settle(world)
    world.exchange.spoil(ADA, ref, SyncError("ItemUnreadable", subject="one", detail="it is damaged"))
    world.exchange.edit(ADA, ref, lambda found: replace(found, **edit))  # type: ignore[arg-type]
    world.cycle(ADA)
    world.exchange.spoil(ADA, ref, None)

    settle(world)

    told = row(world, "one").appointment
    assert told.deleted == left_out
    assert {name: getattr(told, name) for name in edit} == edit


@pytest.mark.rule("Q-08")
def test_what_was_kept_out_is_not_written_again_with_each_try_to_bring_the_row_to_outlook() -> None:
    """Nothing of the row changed, but it looked newly edited to everybody with each failed try."""
    world = World(Random(0), Setting(people=1, rules=Rules(outgoing=True), unwritable=frozenset({"ada"})))
    world.cycle(ADA)
    world.crm.enter(item("crm-busy", at(12), organizer=Address(ADA)), owner="ada")
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(12)))
    settle_both(world)
    world.answer(world.questions()[0], "no")
    settle_both(world)
    world.crm.edit(row(world, "one").id, lambda found: replace(found, subject="CRM"), by="ada")
    edited = row(world, "one").version

    settle_both(world)

    assert row(world, "one").version == edited
    assert "ItemNotWritable" in [alert.code for alert in world.store.open_alerts(world.mailboxes[ADA])]


@pytest.mark.rule("3.1")
@pytest.mark.rule("Q-05")
def test_a_double_booking_that_is_over_is_withdrawn_once_another_question_is_answered() -> None:
    """Its place was changed on both sides, which holds it: until that is answered it cannot be saved."""
    world = partners(winners={"location": Winner.ASK})
    other = world.crm.create(Appointment(identity=Identity("crm-other"), span=at(13)), owner="ada")
    ref = add(world, ADA, item("one", at(9)))
    settle_both(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(13)))
    settle_both(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, location="Outlook"))
    world.crm.edit(row(world, "one").id, lambda found: replace(found, location="CRM"), by="ada")
    settle_both(world)

    world.crm.edit(other, lambda found: replace(found, span=at(16)), by="ada")
    settle_both(world)
    question = next(each for each in world.questions() if each.code == "BothSidesChanged")
    world.answer(question, "yes")

    settle_both(world)
    assert (world.questions(), row(world, "one").appointment.span) == ((), at(13))


@pytest.mark.rule("A-25")
@pytest.mark.rule("Q-08")
def test_a_date_deleted_once_it_had_begun_is_double_booked_like_any_other(world: World) -> None:
    """The row keeps such a date, so it overlaps when the series is shown as busy, though Outlook has it no more."""
    world.crm.create(Appointment(identity=Identity("crm-other"), span=at(15)), owner="ada")
    series = daily("series", Span(at(9).start, at(16).start))
    ref = add(world, ADA, replace(series, show_as=ShowAs.FREE))
    settle(world)
    world.clock.advance((at(9.5).start - world.clock.now()).total_seconds())

    gone = (at(9).start,)
    world.exchange.edit(ADA, ref, lambda found: replace(found, show_as=ShowAs.BUSY, deleted=gone))
    world.cycle(ADA)

    settle(world)
    (question,) = world.questions()
    assert question.verdict is not None
    assert question.verdict.clashing == gone


@pytest.mark.rule("A-33a")
def test_what_the_crm_changed_stays_when_a_guest_s_copy_takes_over_from_an_unreadable_item() -> None:
    """The organizer's item fails before it got the edit, which the other copy does not show and so seemed to undo."""
    world = partners(people=2)
    meeting = replace(item("one", at(9)), organizer=Address(BOB), attendees=(Attendee(ADA),))
    held = add(world, BOB, meeting)
    copy = world.exchange.add(ADA, meeting, send=False)
    world.tracked_once.add("one")
    settle_both(world)
    world.crm.edit(row(world, "one").id, lambda found: replace(found, location="CRM"), by="bob")
    world.exchange.edit(ADA, copy, lambda found: replace(found, description="Outlook"))
    world.exchange.touch(BOB, held)
    world.exchange.spoil(BOB, held, SyncError("ItemUnreadable", subject="one", detail="it is damaged"))
    world.cycle(ADA)
    world.cycle(BOB)

    world.cycle(ADA)

    told = row(world, "one").appointment
    assert (told.location, told.description) == ("CRM", "Outlook")
    world.exchange.spoil(BOB, held, None)
    settle_both(world)
    assert world.exchange.item(BOB, held).appointment.location == "CRM"


@pytest.mark.rule("A-33")
def test_an_edit_of_a_row_whose_item_was_let_go_and_is_found_again_may_be_overwritten() -> None:
    """Nothing is agreed of the two any more until they are linked anew, which takes Outlook's; later edits count."""
    world = partners()
    number = world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    settle_both(world)
    world.clock.advance(2 * 86_400)
    lost = {ADA: world.exchange.empty(ADA)}
    settle_both(world)
    refill(world, lost)
    with world.diary.of_an_act():
        world.crm.edit(number, lambda found: replace(found, location="CRM"), by="ada")

    settle_both(world)
    assert row(world, "crm-1").appointment.location == ""
    with world.diary.of_an_act():
        world.crm.edit(number, lambda found: replace(found, description="CRM"), by="ada")

    settle_both(world)
    assert world.exchange.items(ADA)[0].appointment.description == "CRM"
    assert world.diary.edits["crm-1", "description"] == {Origin.CRM: "CRM"}


def found_again(span: Span) -> World:
    """Make a world in which an item was asked about, moved, lost and found at another address after a lost cursor."""
    world = World(Random(0), Setting(people=1, rules=Rules(outlook=CategoryNames())))
    world.crm.create(Appointment(identity=Identity("crm-other"), span=at(12)), owner="ada")
    former = add(world, ADA, item("one", at(9)))
    settle(world)
    world.exchange.edit(ADA, former, lambda found: replace(found, span=at(12)))
    settle(world)
    world.exchange.edit(ADA, former, lambda found: replace(found, span=span, subject="Found again"))
    refill(world, {ADA: world.exchange.empty(ADA)})
    world.exchange.expire_cursors(ADA)
    settle(world)
    (again,) = world.exchange.items(ADA)
    assert (again.ref != former, CategoryNames().waiting in again.appointment.categories) == (True, True)
    return world


def answer(world: World, code: str, said: Answer) -> None:
    """Answer the open question with a code."""
    world.answer(next(each for each in world.questions() if each.code == code), said)


@pytest.mark.rule("A-25")
@pytest.mark.rule("Q-01")
def test_the_mark_of_an_item_that_is_found_again_waits_for_the_question_about_the_loss() -> None:
    """Asked about, moved, lost and found at another address: until the loss is dealt with its mark names the former."""
    world = found_again(at(15))

    answer(world, "RestoredSideHeld", "yes")

    settle(world)
    (saved,) = world.exchange.items(ADA)
    assert (row(world, "one").appointment.span, world.questions()) == (at(15), ())
    assert CategoryNames().waiting not in saved.appointment.categories


@pytest.mark.rule("Q-02")
@pytest.mark.rule("Q-06")
@pytest.mark.parametrize(("first", "second"), [(ADA, BOB), (BOB, ADA)])
def test_a_yes_about_one_copy_stands_when_that_about_another_is_taken_back(
    world: World, first: str, second: str
) -> None:
    """The guest's copy is asked about before the organizer's is seen, so there are two questions, both answered Yes."""
    world.crm.create(Appointment(identity=Identity("crm-busy"), span=at(9)), owner="ada")
    add(world, BOB, item("met", at(9), organizer=Address(BOB), attendees=(Attendee(ADA),)))
    copy = track_copy(world, ADA)
    world.exchange.edit(ADA, copy, lambda found: replace(found, show_as=ShowAs.BUSY))
    world.cycle(ADA)
    world.cycle(BOB)
    asked = {world.address(question.mailbox_id): question.id for question in world.questions()}

    def take_back(address: str) -> None:
        world.take_back(next(each for each in world.answered() if each.id == asked[address]))

    for address in (first, second):
        world.answer(next(each for each in world.questions() if each.id == asked[address]), "yes")
    take_back(first)
    take_back(second)
    assert world.ledger.confirmed == set()

    for address in (first, second):
        world.answer(next(each for each in world.questions() if each.id == asked[address]), "yes")
    take_back(first)
    settle(world)
    assert row(world, "met").appointment.span == at(9)


@pytest.mark.rule("A-25")
@pytest.mark.rule("Q-01")
@pytest.mark.parametrize("span", [at(15), at(12)])
def test_a_no_after_a_loss_ends_the_question_about_a_double_booking_too(span: Span) -> None:
    """The CRM stays as it is, so nothing is left to ask; it stays so when nothing clashes any more."""
    world = found_again(span)

    answer(world, "RestoredSideHeld", "no")

    settle(world)
    assert world.questions() == ()
    assert CategoryNames().waiting not in world.exchange.items(ADA)[0].appointment.categories
    world.crm.remove(next(one.id for one in world.crm.rows() if one.appointment.identity == Identity("crm-other")))
    settle(world)
    assert (row(world, "one").appointment.span, row(world, "one").appointment.subject) == (at(9), "Subject one")


@pytest.mark.rule("A-25")
@pytest.mark.rule("Q-02")
def test_an_answer_about_a_double_booking_writes_nothing_while_a_loss_is_asked_about() -> None:
    """The Yes was to the former time, and what the item says now is still in doubt: it waits for the other answer."""
    world = found_again(at(15))
    answer(world, "ExchangeSyncSchedulingConflictsError", "yes")
    world.cycle(ADA)
    assert row(world, "one").appointment.span == at(9)

    answer(world, "RestoredSideHeld", "no")

    settle(world)
    assert (row(world, "one").appointment.span, world.questions()) == (at(9), ())


@pytest.mark.rule("A-25")
@pytest.mark.rule("Q-04")
@pytest.mark.parametrize("span", [at(15), at(12)])
def test_a_no_after_a_loss_keeps_an_earlier_no_only_to_what_the_item_still_says(span: Span) -> None:
    """An item that was kept out at one time is still, at that time only; at another nothing is left of that answer."""
    world = World(Random(0), Setting(people=1))
    world.crm.create(Appointment(identity=Identity("crm-other"), span=at(12)), owner="ada")
    ref = add(world, ADA, item("one", at(9)))
    settle(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(12)))
    world.cycle(ADA)
    answer(world, "ExchangeSyncSchedulingConflictsError", "no")
    settle(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=span, subject="Restored"))
    world.exchange.expire_cursors(ADA)
    settle(world)

    answer(world, "RestoredSideHeld", "no")

    settle(world)
    (link,) = oracle.all_links(world)
    kept = (LinkState.PARKED, "no") if span == at(12) else (LinkState.SETTLED, None)
    assert (link.state, link.decision) == kept
    assert (row(world, "one").appointment.span, row(world, "one").appointment.subject) == (at(9), "Subject one")


@pytest.mark.rule("A-25")
def test_a_no_after_a_loss_ends_the_tries_of_an_item_that_fails(world: World) -> None:
    """Its row could not be read when it was found anew: after the No no later try writes it, and no failure stands."""
    ref = add(world, ADA, item("one", at(9)))
    settle(world)
    world.crm.spoil(number := row(world, "one").id)
    world.exchange.edit(ADA, ref, lambda found: replace(found, subject="Restored"))
    world.exchange.expire_cursors(ADA)
    world.cycle(ADA)
    assert [link.state for link in oracle.all_links(world)] == [LinkState.FAILED]
    world.crm.mend(number)
    settle(world)

    answer(world, "RestoredSideHeld", "no")

    settle(world)
    assert row(world, "one").appointment.subject == "Subject one"
    assert [link.state for link in oracle.all_links(world)] == [LinkState.SETTLED]
    assert world.store.open_alerts(world.mailboxes[ADA]) == ()


@pytest.mark.rule("A-25")
def test_a_no_after_a_loss_carries_nothing_over_that_would_bring_the_item_back() -> None:
    """What the CRM changed meanwhile stays there: written to Outlook, it would return with all that was refused."""
    world = partners()
    ref = add(world, ADA, item("one", at(9)))
    settle_both(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, subject="Restored"))
    world.exchange.expire_cursors(ADA)
    world.cycle(ADA)
    world.crm.edit(row(world, "one").id, lambda found: replace(found, location="CRM"), by="ada")
    settle_both(world)

    answer(world, "RestoredSideHeld", "no")

    settle_both(world)
    assert (row(world, "one").appointment.subject, row(world, "one").appointment.location) == ("Subject one", "CRM")
    (left,) = world.exchange.items(ADA)
    assert (left.appointment.subject, left.appointment.location) == ("Restored", "")


@pytest.mark.rule("A-25")
@pytest.mark.rule("Q-02")
def test_a_yes_after_a_loss_and_a_yes_to_the_double_booking_are_enough() -> None:
    """What the item says was released by the first answer, and is not in doubt again when the second one is given."""
    world = found_again(at(12))
    answer(world, "RestoredSideHeld", "yes")
    settle(world)

    answer(world, "ExchangeSyncSchedulingConflictsError", "yes")

    settle(world)
    assert (row(world, "one").appointment.span, world.questions()) == (at(12), ())


@pytest.mark.rule("L-11a")
def test_an_item_that_was_lost_before_its_making_was_heard_of_goes_when_it_is_found_again() -> None:
    """It was given up and made anew meanwhile: what the server finds is taken out again, and no meeting was deleted."""
    world = partners()
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    strike_at(world, "calendar.write", Strike.LOST)
    world.cycle(ADA)
    world.gate.choose = nothing
    lost = {ADA: world.exchange.empty(ADA)}
    world.clock.advance(600)
    world.cycle(ADA)
    made = made_item(world, "crm-1")
    refill(world, lost)
    assert len(world.exchange.items(ADA)) == 2

    settle_both(world)

    assert [one.ref for one in world.exchange.items(ADA)] == [made]
    assert len(world.store.find_trashed("crm-1", since=world.clock.now() - timedelta(days=1))) == 1


def made_twice(*, heard: bool) -> World:
    """Make a world in which an owner that was overtaken has made an item a second time and died before it took it back.

    `heard`: the other owner has heard of the item that it made, and not died itself.
    """
    world = partners()
    world.crm.enter(item("crm-1", at(9), organizer=Address(ADA)), owner="ada")
    second, seen = Gate(), list[Call]()
    if not heard:
        second.choose = lambda call: Strike.KILLED_AFTER if call.method == "write" and call.port == "calendar" else None

    def overtaken(_: Call) -> None:
        world.clock.advance(world.setting.rules.lease_s + 1)
        world.cycle(ADA, owner="second", gate=second)

    def choose(call: Call) -> Strike | None:
        seen.extend([call] if seen or (call.port, call.method) == ("calendar", "write") else [])
        return {0: None, 1: Strike.OVERTAKEN}.get(len(seen), Strike.KILLED)

    world.gate.overtaken, world.gate.choose = overtaken, choose
    world.cycle(ADA)
    world.gate.choose = nothing
    assert len(world.exchange.items(ADA)) == 2
    return world


@pytest.mark.rule("L-11a")
@pytest.mark.parametrize("meanwhile", ["", "let go"])
def test_both_items_of_a_meeting_that_was_made_twice_stay_if_both_are_lost_and_found(meanwhile: str) -> None:
    """Neither stands as it was noted any more, so the engine knows neither: one stays with a code (seed 175689)."""
    world = made_twice(heard=True)
    lost = {ADA: world.exchange.empty(ADA)}
    if meanwhile:
        calm(world, {})
    refill(world, lost)

    settle_both(world)

    links = oracle.all_links(world)
    assert len(world.exchange.items(ADA)) == 2
    assert sorted((link.sync_error or "", link.crm_id is not None) for link in links) == [
        ("", True),
        ("CopiedItemIgnored", False),
    ]
    assert world.conduct.helpless == {"crm-1"}


@pytest.mark.rule("L-11a")
def test_one_of_both_goes_if_the_making_of_the_other_is_heard_of_when_they_are_found() -> None:
    """It is noted when it is found by its key, so that the simulation demands that the late one is taken out."""
    world = made_twice(heard=False)
    refill(world, {ADA: world.exchange.empty(ADA)})

    settle_both(world)

    assert len(world.exchange.items(ADA)) == 1
    assert world.conduct.helpless == set()


CLASH = "ExchangeSyncSchedulingConflictsError"


def lost_with_a_past(past: str, lose: Callable[[World, str], None], *, others: int = 12) -> World:
    """Make a world in which an item with something open about it is lost together with others, and the guard asks.

    `past`: what was open; "yes" is a question that is answered only while the guard's stands.
    """
    world = World(Random(0), Setting(people=1, rules=Rules(outlook=CategoryNames())))
    world.crm.create(Appointment(identity=Identity("crm-other"), span=at(13)), owner="ada")
    refs = [add(world, ADA, item(f"item-{number}", at(9, day=10 + number))) for number in range(12)]
    ref = add(world, ADA, item("one", at(9)))
    settle(world)
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(13)))
    if past == "failing":
        world.crm.spoil(row(world, "one").id)
    world.cycle(ADA)
    if past == "no":
        answer(world, CLASH, "no")
    if past == "lapsed":
        world.clock.advance((at(13).end - world.clock.now()).total_seconds() + 60)
    world.cycle(ADA)
    for each in (ref, *refs[:others]):
        lose(world, each)
    world.cycle(ADA)
    if past == "yes":
        answer(world, CLASH, "yes")
        world.cycle(ADA)
    if past == "failing":
        world.crm.mend(row(world, "one").id)
    return world


def untrack(world: World, ref: str) -> None:
    """Take the category of an item away, and leave the others."""
    kept = (each for each in world.exchange.item(ADA, ref).appointment.categories if each != CATEGORY)
    world.exchange.set_categories(ADA, ref, tuple(kept))


def delete(world: World, ref: str) -> None:
    """Delete an item."""
    world.exchange.delete(ADA, ref)


@pytest.mark.rule("L-04a")
@pytest.mark.rule("Q-01")
@pytest.mark.parametrize("past", ["asked", "yes", "no", "lapsed", "failing"])
@pytest.mark.parametrize(
    ("code", "lose", "others"),
    [("MassUntrackingHeld", untrack, 12), ("MassDeletionHeld", delete, 11), ("EmptiedSideHeld", delete, 12)],
)
def test_a_no_to_a_guard_ends_what_was_open_about_its_items(
    code: str, lose: Callable[[World, str], None], others: int, past: str
) -> None:
    """Their rows stay as they are, nothing is asked or tried any more, and who reads an ended question learns why."""
    world = lost_with_a_past(past, lose, others=others)
    before = row(world, "one")
    told = [each for each in world.store.open_alerts(world.mailboxes[ADA]) if each.code != code]
    assert len(told) == (past != "no")

    answer(world, code, "no")

    settle(world)
    world.clock.advance(86_400)
    world.crm.remove(next(each.id for each in world.crm.rows() if each.appointment.identity == Identity("crm-other")))
    settle(world)
    assert row(world, "one") == before
    assert world.store.open_alerts(world.mailboxes[ADA]) == ()
    with world.store.reading() as connection:
        reasons = connection.scalars(select(schema.alert.c.reason).where(schema.alert.c.id.in_([a.id for a in told])))
        assert set(reasons) <= {"deleted or untracked in Outlook"}
    kept = [link for link in oracle.all_links(world) if link.identity == Identity("one")]
    assert [(one.state, one.sync_error, one.next_try, one.decision, one.retries) for one in kept] == (
        [(LinkState.SETTLED, None, None, None, 0)] if lose is untrack else []
    )


@pytest.mark.rule("L-04a")
@pytest.mark.rule("Q-01")
def test_an_item_that_a_no_left_untracked_is_asked_about_anew_once_it_is_tracked_again() -> None:
    """Nothing that was asked or answered before stands on, and its time still clashes."""
    world = lost_with_a_past("asked", untrack)
    answer(world, "MassUntrackingHeld", "no")
    settle(world)
    ref = next(one.ref for one in world.exchange.items(ADA) if one.appointment.identity == Identity("one"))

    world.exchange.set_categories(ADA, ref, (CATEGORY,))

    settle(world)
    assert [question.code for question in world.questions()] == [CLASH]
    answer(world, CLASH, "yes")
    settle(world)
    assert row(world, "one").appointment.span == at(13)


@pytest.mark.rule("A-02")
def test_a_copy_lost_with_a_restored_mailbox_says_that_it_waits_for_its_invitation() -> None:
    """A guest's copy was newer than her mailbox's backup: nobody deleted it, and only its organizer sends it again."""
    world = partners(people=2)
    kept = world.exchange.back_up(ADA)
    add(world, BOB, replace(daily("series", at(9)), organizer=Address(BOB), attendees=(Attendee(ADA),)))
    track_copy(world, ADA)
    settle_both(world)
    world.exchange.restore(kept)
    world.ledger.lost.add((ADA, Identity("series")))

    settle_both(world)

    assert (len(world.exchange.items(ADA)), len(world.crm.rows()), world.questions()) == (0, 1, ())
    told = {link.sync_error for link in oracle.all_links(world) if link.mailbox_id == world.mailboxes[ADA]}
    assert told == {"AwaitsInvitation"}


@pytest.mark.rule("A-34")
def test_a_meeting_called_off_on_both_sides_waits_for_nothing_though_each_moved_it() -> None:
    """The row was moved before it was canceled, and its item is moved before it can be told of that."""
    world = partners()
    ref = add(world, ADA, item("one", at(9), organizer=Address(ADA)))
    settle_both(world)
    with world.diary.of_an_act():
        world.crm.edit(row(world, "one").id, lambda found: replace(found, span=at(14), location="CRM"), by="ada")
    world.exchange.edit(ADA, ref, lambda found: replace(found, canceled=True))
    strike_at(world, "calendar.write", Strike.KILLED)
    world.cycle(ADA)
    world.gate.choose = nothing
    world.exchange.edit(ADA, ref, lambda found: replace(found, span=at(12)))

    settle_both(world)

    (link,) = oracle.all_links(world)
    there, told = world.exchange.item(ADA, ref).appointment, row(world, "one")
    assert (link.state, told.status) == (LinkState.SETTLED, Status.CANCELED)
    assert [(one.span, one.location) for one in (there, told.appointment)] == [(at(12), "CRM"), (at(14), "CRM")]
