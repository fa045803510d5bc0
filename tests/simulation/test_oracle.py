"""The oracle and the ledger see what is wrong: each kind of damage, done on purpose, is told in words."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, insert, text, update

from syncline.core.appointment import Appointment, Attendee, Identity
from syncline.core.scheduling import ConflictPolicy, persons
from syncline.ports import Booking, Candidate, Deletion, Reschedule
from syncline.simulation import oracle, replay
from syncline.simulation.clock import MONDAY
from syncline.simulation.conduct import CATEGORY
from syncline.simulation.playing import calm
from syncline.simulation.world import Setting, World, address_of
from syncline.store import schema
from tests.simulation.samples import at, item

ADA, BOB = address_of("ada"), address_of("bob")
POLICY = ConflictPolicy()


@pytest.fixture
def world() -> World:
    """Make a world in which one meeting is saved, another is asked about, and all is quiet."""
    made = World(Random(0), Setting(people=2))
    made.crm.create(Appointment(identity=Identity("crm-1"), subject="Busy", span=at(9)), owner="ada")
    for uid, span in (("one", at(11)), ("two", at(9))):
        made.exchange.add(ADA, item(uid, span))
        made.tracked_once.add(uid)
    calm(made, {})
    assert found(made) == []
    return made


def found(world: World) -> list[str]:
    """Return everything that is wrong."""
    return [*oracle.judge(world), *replay.replayed(world)]


def execute(world: World, statement: object) -> None:
    """Do damage to the state behind the engine's back."""
    with world.store.writing() as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def candidate(world: World, uid: str, hour: float) -> Candidate:
    """Return Ada's candidate."""
    appointment = item(uid, at(hour))
    return Candidate(appointment=appointment, persons=persons(appointment, ADA), user="ada", check=False)


def _lose_link(world: World) -> None:
    execute(world, delete(schema.link))


def _settle_the_question(world: World) -> None:
    execute(world, update(schema.link).where(schema.link.c.state == "asked").values(state="settled"))


def _close_the_question(world: World) -> None:
    execute(world, update(schema.alert).values(state="withdrawn"))


def _forget_a_deletion(world: World) -> None:
    ref = next(one.ref for one in world.exchange.items(ADA) if one.appointment.identity.global_object_id == "one")
    world.exchange.delete(ADA, ref)


def _change_the_row(world: World) -> None:
    row = next(row for row in world.crm.rows() if row.appointment.identity.global_object_id == "one")
    world.crm.edit(row.id, lambda one: replace(one, location="Elsewhere"), by="ada")


def _free_the_time(world: World) -> None:
    world.crm.remove(next(row.id for row in world.crm.rows() if row.appointment.subject == "Busy"))


def _fail_without_code(world: World) -> None:
    execute(world, text("UPDATE link SET state = 'skipped', sync_error = NULL WHERE state = 'settled'"))


def _leave_an_intent(world: World) -> None:
    number = world.mailboxes[ADA]
    values = {"id": "x", "mailbox_id": number, "link_id": 1, "verb": "book", "crm_id": "y", "created": MONDAY}
    execute(world, insert(schema.intent).values(values))


def _save_what_nobody_tracked(world: World) -> None:
    world.crm.create(item("secret", at(15)), owner="ada")


def _tell_a_lie(world: World) -> None:
    values = {"time": MONDAY, "mailbox_id": 1, "link_id": 1, "action": "deleted", "fields": ()}
    execute(world, insert(schema.journal).values(values | {"rule": "", "detail": ""}))


DAMAGE = {
    _lose_link: "tracked and lost",
    _settle_the_question: "settled, but there is no row",
    _close_the_question: "asked, but there is no question",
    _forget_a_deletion: "the item is gone, the link is not",
    _change_the_row: "settled, but location differ",
    _free_the_time: "nobody is double-booked any more",
    _fail_without_code: "skipped without a code",
    _leave_an_intent: "intents are left",
    _save_what_nobody_tracked: "was never tracked, but has a row",
    _tell_a_lie: "the journal ends with 'deleted'",
}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__.strip("_"))
def test_damage_is_seen(world: World, damage: Callable[[World], None]) -> None:
    """Whatever the engine might get wrong is told by the oracle."""
    damage(world)

    assert any(DAMAGE[damage] in problem for problem in found(world)), found(world)


@pytest.mark.rule("Q-09")
def test_an_unasked_double_booking_is_a_violation(world: World) -> None:
    """A row saved over another without a Yes is told at once."""
    with world.ledger.cycle_of(ADA):
        world.ledger.book([Booking(id="x", candidate=candidate(world, "three", 11))], POLICY)

    assert any("three was saved over" in problem for problem in world.ledger.violations)


def test_an_unasked_move_onto_another_is_a_violation(world: World) -> None:
    """A row moved over another without a Yes is told at once; one that overlapped before is not."""
    row = next(row for row in world.crm.rows() if row.appointment.identity.global_object_id == "one")
    moved = Reschedule(id=row.id, version=row.version, candidate=candidate(world, "one", 9))

    with world.ledger.cycle_of(ADA):
        (outcome,) = world.ledger.reschedule([moved], POLICY)
        again = replace(moved, version=outcome.version)
        world.ledger.reschedule([again], POLICY)

    assert len(world.ledger.violations) == 1


def test_creations_out_of_order_are_a_violation(world: World) -> None:
    """Creations of one call go by creation, start and id (Q-09)."""
    world.exchange.add(ADA, item("later", at(14)))
    world.exchange.add(ADA, item("sooner", at(13)))
    candidates = [replace(candidate(world, uid, hour), check=True) for uid, hour in (("later", 14), ("sooner", 13))]
    bookings = [Booking(id=one.appointment.subject, candidate=one) for one in candidates]

    with world.ledger.cycle_of(ADA):
        world.ledger.book(bookings, POLICY)

    assert any("out of order" in problem for problem in world.ledger.violations)


def test_deleting_what_still_stands_is_a_violation(world: World) -> None:
    """A row whose item is in the calendar must not be deleted."""
    row = next(row for row in world.crm.rows() if row.appointment.identity.global_object_id == "one")

    with world.ledger.cycle_of(ADA):
        world.ledger.delete([Deletion(id=row.id, version=row.version)])

    assert any("its item stands in Exchange" in problem for problem in world.ledger.violations)


def test_a_row_that_its_maker_takes_back_is_no_violation(world: World) -> None:
    """A cycle may delete the row that it has just made, though the item stands; any later one must not."""
    world.exchange.add(ADA, item("three", at(14)))
    booking = Booking(id="x", candidate=candidate(world, "three", 14))

    with world.ledger.cycle_of(ADA):
        (made,) = world.ledger.book([booking], POLICY)
        world.ledger.delete([Deletion(id="x", version=made.version)])
    assert world.ledger.violations == []

    with world.ledger.cycle_of(ADA):
        (made,) = world.ledger.book([booking], POLICY)
    with world.ledger.cycle_of(ADA):
        world.ledger.delete([Deletion(id="x", version=made.version)])
    assert any("its item stands in Exchange" in problem for problem in world.ledger.violations)


def test_many_deletions_at_once_are_a_violation() -> None:
    """A cycle that deletes more than the limits without being asked is told."""
    world = World(Random(0), Setting(people=1))
    for number in range(4):
        world.exchange.add(ADA, item(f"item-{number}", at(9 + number)))
    calm(world, {})
    rows = world.crm.rows()
    world.exchange.empty(ADA)

    with world.ledger.cycle_of(ADA):
        world.ledger.delete([Deletion(id=row.id, version=row.version) for row in rows])

    assert any("4 of 4 rows deleted at once" in problem for problem in world.ledger.violations)


def test_only_the_writing_copy_is_compared() -> None:
    """A joined copy may differ from the row: its own show-as stays in its calendar (A-33a)."""
    world = World(Random(0), Setting(people=2))
    world.tracked_once.add("met")
    world.exchange.add(ADA, item("met", at(11), attendees=(Attendee(BOB),)))
    copy = world.exchange.items(BOB)[0]
    world.exchange.set_categories(BOB, copy.ref, (CATEGORY,))

    calm(world, {})

    assert found(world) == []
    assert len(world.crm.rows()) == 1


def test_what_the_row_says_as_well_counts_as_written(world: World) -> None:
    """A copy in another mailbox wrote it: the link waits for an edit of the CRM alone; what the row lacks is told."""
    (link,) = [link for link in oracle.all_links(world) if link.identity.global_object_id == "one"]
    assert link.agreed is not None
    assert link.crm_id is not None
    execute(world, update(schema.link).where(schema.link.c.id == link.id).values(
        state="unsettled", agreed=replace(link.agreed, location="Bern")
    ))  # fmt: skip
    world.crm.edit(link.crm_id, lambda found: replace(found, subject="CRM"), by="ada")

    assert oracle.judge(world) == []

    world.crm.edit(link.crm_id, lambda found: replace(found, location="Bern"), by="ada")

    assert oracle.judge(world) == [f"{ADA} one ({link.ref}): unsettled, but location of Exchange were not written"]
