"""Owners of a mailbox that overtake each other, and crashes: nothing is lost, doubled or blamed on the mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.appointment import Pattern, PatternKind, Recurrence, ShowAs, Span
from syncline.core.merging import PrivatePolicy
from syncline.core.planning import Policy
from syncline.core.scheduling import ConflictPolicy
from syncline.engine.cycle import CycleResult, run_cycle
from syncline.engine.run import Rules
from syncline.engine.worker import Worker
from syncline.errors import SyncError
from syncline.ports import Booking, LinkState, OnSchedulingConflict, Outcome, Page, Result
from tests.engine.world import World, at, meeting


@pytest.fixture
def world() -> World:
    """Return a fresh world."""
    return World()


class _Idle:
    """A queue that runs nothing."""

    def start(self, work: object) -> None:
        """Take nothing."""

    def enqueue(self, mailbox_ids: Sequence[int], *, urgent: bool = False) -> None:
        """Take nothing."""

    def stop(self) -> None:
        """Stop nothing."""


def test_an_owner_that_was_overtaken_leaves_the_mailbox_alone(world: World) -> None:
    """Its lease ran out and another owner finished meanwhile: no failure is recorded, the mailbox stays due as set."""
    world.track(meeting("Demo", at(10)))
    mailbox_id = world.mailboxes["ada"]
    real = world.crm.book
    inner: list[CycleResult] = []

    def book(bookings: Sequence[Booking], policy: ConflictPolicy) -> list[Outcome]:
        world.crm.book = real  # type: ignore[method-assign]
        world.clock.advance(seconds=world.rules.lease_s + 1)
        inner.append(run_cycle(world.parts, world.connect, mailbox_id, "other"))
        return real(bookings, policy)

    world.crm.book = book  # type: ignore[method-assign]
    worker = Worker(world.parts, world.connect, _Idle(), owner="first")
    worker.step()

    assert inner[0].claimed and inner[0].error is None
    assert world.subjects() == ["Demo"]
    mailbox = world.store.mailbox(mailbox_id)
    assert (mailbox.last_error, mailbox.enabled) == (None, True)
    assert mailbox.next_due is not None and mailbox.next_due > world.clock.now()
    world.sync()
    assert world.subjects() == ["Demo"]


def test_a_long_first_reading_keeps_its_lease(world: World) -> None:
    """Pages that take longer than the lease all together do not let another owner in."""
    world.rules = Rules(page_size_max=2)
    for number in range(10):
        world.track(meeting(f"M{number}", at(number + 8)))
    real = MemoryReplica.changes
    others: list[bool] = []

    def changes(self: MemoryReplica, of: str, cursor: str | None, limit: int) -> Page:
        world.clock.advance(seconds=100)
        page = real(self, of, cursor, limit)
        others.append(world.store.holder(world.mailboxes["ada"], world.clock.now()) == "test")
        return page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryReplica, "changes", changes)
        world.sync()

    assert all(others)
    assert len(world.rows()) == 10


def test_a_row_that_is_stale_again_and_again_is_written_in_the_end(world: World) -> None:
    """Somebody edits the row between reading and writing, more often than one cycle tries."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    (row,) = world.rows()
    real = world.crm.reschedule
    left = [5]

    def reschedule(changes: object, policy: object) -> list[Outcome]:
        if left[0]:
            left[0] -= 1
            world.crm.edit(row.id, lambda old: replace(old, description=f"note {left[0]}"), by="ada")
        return real(changes, policy)  # type: ignore[arg-type]

    world.crm.reschedule = reschedule  # type: ignore[method-assign,assignment]
    world.change(ref, span=at(12))
    world.sync()
    world.sync()
    world.sync()

    (row,) = world.rows()
    assert row.appointment.span == at(12)
    assert row.appointment.description == "note 0"


def test_an_answer_that_got_lost_on_its_way_back_writes_once(world: World) -> None:
    """The held change was saved by Yes, the CRM's reply was lost: it is not asked again and not written again."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, span=at(10.5), subject="Renamed")
    world.sync()
    world.answer("yes")
    real = world.crm.reschedule

    def reschedule(changes: object, policy: object) -> list[Outcome]:
        world.crm.reschedule = real  # type: ignore[method-assign]
        real(changes, policy)  # type: ignore[arg-type]
        raise SyncError("CrmUnavailable", crm="Syncline CRM")

    world.crm.reschedule = reschedule  # type: ignore[method-assign,assignment]
    with pytest.raises(SyncError):
        world.sync()
    world.clock.advance(hours=1)
    world.sync()
    world.sync()

    assert world.questions() == ()
    row = next(row for row in world.rows() if row.appointment.subject == "Renamed")
    assert row.appointment.span == at(10.5)
    assert world.link(ref).state is LinkState.SETTLED


def test_the_text_of_an_exception_flows_while_the_times_are_held(world: World) -> None:
    """The series' move waits for an answer; a new subject of one changed date is written at once."""
    span = at(14)
    pattern = Pattern(kind=PatternKind.WEEKLY, weekdays=(span.start.weekday(),))
    ref = world.track(meeting("Weekly", span, recurrence=Recurrence(pattern=pattern, first=span.start.date(), count=5)))
    second = at(14, days=8)
    world.exchange.edit_occurrence("ada@example.org", ref, second, lambda old: replace(old, span=at(15, days=8)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    moved = Recurrence(pattern=pattern, first=span.start.date(), count=5)

    def earlier(old: object) -> object:
        exceptions = tuple(replace(e, subject="Special") for e in old.exceptions)  # type: ignore[attr-defined]
        return replace(old, span=at(10), recurrence=moved, exceptions=exceptions)  # type: ignore[type-var]

    world.exchange.edit("ada@example.org", ref, earlier)  # type: ignore[arg-type]
    world.sync()

    row = next(row for row in world.rows() if row.appointment.recurrence is not None)
    assert row.appointment.span == span
    assert [e.subject for e in row.appointment.exceptions] == ["Special"]
    assert len(world.questions()) == 1
    world.answer("no")
    world.sync()
    world.exchange.cancel("ada@example.org", ref)
    world.sync()
    assert not [row for row in world.rows() if row.appointment.recurrence is not None and row.status == "scheduled"]
    assert world.questions() == ()


@pytest.mark.rule("D-03")
def test_an_item_that_becomes_private_is_masked_in_its_row() -> None:
    """Where private items are masked, a saved item that becomes private loses its texts in the CRM."""
    world = World(rules=Rules(policy=Policy(private=PrivatePolicy.MASK)))
    ref = world.track(meeting("Secret plan", at(10), description="text"))
    world.sync()
    world.change(ref, sensitivity="private")
    world.sync()
    (row,) = world.rows()
    assert (row.appointment.subject, row.appointment.description) == ("Private appointment", "")


@pytest.mark.rule("A-33a")
def test_two_items_of_one_meeting_in_one_chunk_are_one_row(world: World) -> None:
    """The older is saved, the other left out; when the older goes, the other takes its place and row."""
    older = world.track(meeting("Demo", at(10)))
    world.exchange.copy("ada@example.org", older)
    world.sync()
    (row,) = world.rows()
    world.exchange.delete("ada@example.org", older)
    world.sync()
    world.sync()
    assert [each.id for each in world.rows()] == [row.id]


@pytest.mark.rule("Q-05")
def test_a_row_that_a_person_moves_away_frees_the_item(world: World) -> None:
    """The clashing row is moved in the CRM while the question is open: the item is saved."""
    review = world.crm.create(meeting("Review", at(10)), owner="ada")
    world.track(meeting("Demo", at(10.5)))
    world.sync()
    world.crm.edit(review, lambda old: replace(old, span=at(18)), by="ada")
    world.sync()
    assert world.subjects() == ["Demo", "Review"]
    assert world.questions() == ()


@pytest.mark.rule("A-35")
def test_tracked_again_after_the_row_was_completed_changes_nothing(world: World) -> None:
    """Untracked, completed in the CRM, tracked again at another time: the closed row stays as it is."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    world.exchange.set_categories("ada@example.org", ref, ())
    world.sync()
    (row,) = world.rows()
    world.crm.complete(row.id, by="ada")
    world.change(ref, span=at(12), categories=("Tracked to Syncline CRM",))
    world.sync()
    world.sync()
    (after,) = world.rows()
    assert after.appointment.span == at(10)
    assert world.link(ref).state is LinkState.SKIPPED


@pytest.mark.rule("CD-08")
def test_an_all_day_item_that_becomes_timed_is_checked(world: World) -> None:
    """A free all-day item becomes a busy hour: the overlap is asked about, and the row stays until then."""
    day = at(0, length=24)
    ref = world.track(meeting("Fair", Span(day.start, day.end, all_day=True), show_as=ShowAs.FREE))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, span=at(10.5), show_as=ShowAs.BUSY)
    world.sync()
    row = next(row for row in world.rows() if row.appointment.subject == "Fair")
    assert row.appointment.span.all_day
    assert len(world.questions()) == 1


def test_saved_outcomes_of_a_repeated_booking_are_one_row(world: World) -> None:
    """The reply to a booking is lost: the next cycle finds the row by its intent."""
    ref = world.track(meeting("Demo", at(10)))
    real = world.crm.book

    def book(bookings: Sequence[Booking], policy: ConflictPolicy) -> list[Outcome]:
        world.crm.book = real  # type: ignore[method-assign]
        assert [each.result for each in real(bookings, policy)] == [Result.SAVED]
        raise SyncError("CrmUnavailable", crm="Syncline CRM")

    world.crm.book = book  # type: ignore[method-assign]
    with pytest.raises(SyncError):
        world.sync()
    world.exchange.delete("ada@example.org", ref)
    world.clock.advance(hours=1)
    world.sync()
    world.sync()
    assert world.rows() == ()


def test_an_overtaken_owner_takes_back_a_row_that_nobody_knows(world: World) -> None:
    """While its booking was on the way the lease ran out and the next owner saw the item deleted: no row is left."""
    ref = world.track(meeting("Demo", at(10)))
    mailbox_id = world.mailboxes["ada"]
    real = world.crm.book

    def book(bookings: Sequence[Booking], policy: ConflictPolicy) -> list[Outcome]:
        world.crm.book = real  # type: ignore[method-assign]
        world.clock.advance(seconds=world.rules.lease_s + 1)
        world.exchange.delete("ada@example.org", ref)
        run_cycle(world.parts, world.connect, mailbox_id, "other")
        return real(bookings, policy)

    world.crm.book = book  # type: ignore[method-assign]
    with suppress(SyncError):
        run_cycle(world.parts, world.connect, mailbox_id, "first")
    world.sync()
    assert world.rows() == ()


def _many(world: World, count: int) -> list[str]:
    return [world.track(meeting(f"M{n}", at(8 + n % 10, days=1 + n // 10, length=0.5))) for n in range(count)]


@pytest.mark.rule("L-04a")
def test_no_to_a_mass_untracking_holds_while_the_items_change(world: World) -> None:
    """The links stay, and a later change of the untracked items neither cuts them nor asks again."""
    refs = _many(world, 12)
    world.sync()
    for ref in refs:
        world.exchange.set_categories("ada@example.org", ref, ())
    world.sync()
    world.answer("no")
    world.sync()
    for ref in refs:
        world.exchange.touch("ada@example.org", ref)
    world.sync()
    assert world.questions() == ()
    assert all(world.link(ref).crm_id for ref in refs)
    world.exchange.set_categories("ada@example.org", refs[0], ("Tracked to Syncline CRM",))
    world.change(refs[0], subject="Back")
    world.sync()
    assert "Back" in world.subjects()
    assert len(world.rows()) == 12


def test_items_deleted_after_a_no_are_asked_about_by_themselves(world: World) -> None:
    """No drops the first deletion only; the next one is a question of its own."""
    refs = _many(world, 40)
    world.sync()
    for ref in refs[:12]:
        world.exchange.delete("ada@example.org", ref)
    world.sync()
    world.answer("no")
    world.sync()
    assert len(world.rows()) == 40
    for ref in refs[12:24]:
        world.exchange.delete("ada@example.org", ref)
    world.sync()
    world.answer("yes")
    world.sync()
    assert len(world.rows()) == 28
    assert world.questions() == ()


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_emptied_calendar_that_comes_back_before_its_answer_is_carried_out(world: World, answer: str) -> None:
    """Whatever was answered: what is there again is neither deleted nor unlinked."""
    _many(world, 40)
    world.sync()
    lost = world.exchange.empty("ada@example.org")
    world.sync()
    world.answer(answer)
    world.exchange.refill("ada@example.org", lost)
    world.sync()
    world.sync()
    assert len(world.rows()) == 40
    assert world.questions() == ()


@pytest.mark.rule("Q-10")
def test_the_setting_goes_on_deciding_about_what_it_has_kept_out() -> None:
    """Kept out by the setting and moved onto another overlap: kept out again, and nobody is asked."""
    world = World(rules=Rules(on_scheduling_conflict=OnSchedulingConflict.KEEP_OUT))
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.crm.create(meeting("Board", at(14)), owner="ada")
    ref = world.track(meeting("Demo", at(10.5)))
    world.sync()
    world.change(ref, span=at(14.5))
    world.sync()
    assert world.questions() == ()
    assert world.link(ref).state is LinkState.KEPT_OUT


def test_an_edit_in_the_crm_survives_the_yes_to_a_held_move(world: World) -> None:
    """The location set in the CRM while the question waited stays; only the time moves."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, span=at(10.5))
    world.sync()
    world.crm.edit(world.link(ref).crm_id or "", lambda old: replace(old, location="Room 7"), by="ada")
    world.sync()
    world.answer("yes")
    world.sync()
    row = next(row for row in world.rows() if row.appointment.subject == "Demo")
    assert (row.appointment.span, row.appointment.location) == (at(10.5), "Room 7")
    assert world.link(ref).state is LinkState.UNSETTLED


@pytest.mark.rule("A-36")
def test_yes_for_a_row_that_a_person_deleted_makes_no_new_one(world: World) -> None:
    """The row is gone when the Yes to its move is carried out: it stays gone, and the question is over."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, span=at(10.5))
    world.sync()
    world.crm.remove(world.link(ref).crm_id or "")
    world.answer("yes")
    world.sync()
    world.sync()
    assert world.subjects() == ["Review"]
    assert world.questions() == ()
