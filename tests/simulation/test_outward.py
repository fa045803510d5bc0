"""The oracle of both sides sees what is wrong: each kind of damage, done on purpose, is told in words."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, text

from syncline.connectors.memory import Item
from syncline.core.appointment import Address, Appointment, Attendee, Pattern, PatternKind, Recurrence
from syncline.core.outgoing import ItemCreation, ItemDeletion, ItemUpdate, Mailing
from syncline.engine.run import Rules
from syncline.simulation import outward
from syncline.simulation.playing import calm
from syncline.simulation.watching import Watched
from syncline.simulation.world import Setting, World, address_of
from syncline.store import schema
from tests.simulation.samples import at, item

ADA, BOB = address_of("ada"), address_of("bob")
EVE = "eve@elsewhere.example"


@pytest.fixture
def world() -> World:
    """Make a world of partners in which a row stands in Exchange, and all is quiet."""
    made = World(Random(0), Setting(people=2, rules=Rules(outgoing=True)))
    calm(made, {})
    made.crm.enter(replace(item("crm-1", at(9)), organizer=Address(ADA), categories=()), owner="ada")
    calm(made, {})
    assert found(made) == []
    return made


def found(world: World) -> list[str]:
    """Return everything that is wrong."""
    return [*world.ledger.violations, *outward.judge(world)]


def standing(world: World) -> Item:
    """Return Ada's item."""
    (only,) = world.exchange.items(ADA)
    return only


def execute(world: World, statement: object) -> None:
    """Do damage to the state behind the engine's back."""
    with world.store.writing() as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def _edit_the_row(world: World) -> None:
    (row,) = world.crm.rows()
    world.crm.edit(row.id, lambda one: replace(one, location="Elsewhere"), by="ada")


def _lose_the_edit(world: World) -> None:
    (row,) = world.crm.rows()
    with world.diary.of_an_act():
        world.crm.edit(row.id, lambda one: replace(one, subject="Said"), by="ada")
    world.crm.edit(row.id, lambda one: replace(one, subject="Subject crm-1"), by="ada")


def _lose_the_item(world: World) -> None:
    ref = standing(world).ref
    world.exchange.delete(ADA, ref)
    world.conduct.taken.add((ADA, ref))
    execute(world, delete(schema.link))


def _make_it_twice(world: World) -> None:
    world.exchange.create(ADA, standing(world).appointment, folder="calendar", key="another")


def _forget_the_edit(world: World) -> None:
    execute(world, text("UPDATE link SET crm_settled = -1"))


def _forget_the_trash(world: World) -> None:
    world.conduct.deleted.append((ADA, standing(world).appointment))


def _forget_a_date(world: World) -> None:
    """Delete a date as a cycle does, and keep nothing of it."""
    known = standing(world)
    plain, start = known.appointment, known.appointment.span.start
    part = replace(plain, identity=replace(plain.identity, original_start=start), location="Elsewhere")
    recurrence = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=start.date(), count=3)
    world.exchange.edit(ADA, known.ref, lambda _: replace(plain, recurrence=recurrence, exceptions=(part,)))
    write(world, update(world, exceptions=(), deleted=(start,)))


DAMAGE = {
    _edit_the_row: "location differ between both sides",
    _lose_the_edit: "subject is Subject crm-1, and people said Said",
    _lose_the_item: "its row belongs here and nothing stands here (no link)",
    _make_it_twice: "made 2 times and nobody copied it",
    _forget_the_edit: "what the CRM changed was never dealt with",
    _forget_the_trash: "the trash does not hold it",
    _forget_a_date: "deleted in exchange, and the trash does not hold it",
}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__.strip("_"))
def test_damage_is_seen(world: World, damage: Callable[[World], None]) -> None:
    """Whatever the engine might get wrong on the way out is told by the oracle."""
    damage(world)

    assert any(DAMAGE[damage] in problem for problem in found(world)), found(world)


def write(world: World, *writes: ItemCreation | ItemUpdate | ItemDeletion) -> list[str]:
    """Let Syncline's hand write in Ada's mailbox, and return what is wrong with that."""
    with world.conduct.cycle_of(ADA):
        Watched(world.conduct, ADA).write(writes)
    return world.ledger.violations


def update(world: World, **values: object) -> ItemUpdate:
    """Return a write of Ada's item."""
    known = standing(world)
    after: Appointment = replace(known.appointment, **values)  # type: ignore[arg-type]
    return ItemUpdate(
        ref=known.ref, folder=known.folder, revision=known.revision, before=known.appointment, after=after
    )


def test_an_item_whose_row_stands_is_not_deleted(world: World) -> None:
    """Nothing is deleted in Exchange while its row stands in scope."""
    known = standing(world)
    gone = ItemDeletion(ref=known.ref, folder=known.folder, revision=known.revision, content=known.appointment)

    assert write(world, gone) == [f"{ADA} crm-1: deleted, but its row stands in scope"]


def test_the_categories_of_a_person_are_not_written(world: World) -> None:
    """Of categories only the tracking one may be taken off."""
    assert write(world, update(world, categories=("Tracked to Syncline CRM", "Red"))) == [
        f"{ADA} crm-1: categories of the person were written"
    ]


@pytest.mark.rule("A-06")
def test_nobody_is_mailed_in_the_first_sync() -> None:
    """A mail before the first sync is over is told at once."""
    world = World(Random(0), Setting(people=1, rules=Rules(outgoing=True)))
    met = replace(item("crm-1", at(9)), organizer=Address(ADA), attendees=(Attendee(EVE),))
    creation = ItemCreation(key="k", folder="calendar", content=met, mailing=Mailing.EVERYBODY)

    assert write(world, creation) == [f"{ADA} crm-1: somebody was mailed in the first sync"]


def test_a_mail_that_the_plan_does_not_name_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan's list of mails and what the server sends are compared for each write."""
    monkeypatch.setattr("syncline.simulation.conduct.mails", lambda _: ())
    changed = replace(update(world, attendees=(Attendee(EVE),)), mailing=Mailing.EVERYBODY)

    assert write(world, changed) == [f"{ADA} crm-1: mails that the plan did not name: ['{EVE}']"]


def _twice(world: World) -> str:
    """Make Ada's item a second time, as an owner that was overtaken does, and return the second one."""
    known = standing(world)
    write(world, ItemCreation(key="late", folder=known.folder, content=known.appointment, mailing=Mailing.NOBODY))
    return world.exchange.items(ADA)[1].ref


def test_what_is_made_twice_must_go_again(world: World) -> None:
    """It stands as it was made beside the other: that is told; where the other is gone, it is the meeting."""
    first = standing(world).ref
    late = _twice(world)
    assert f"{ADA} crm-1: made although it stood there" in found(world)
    world.exchange.delete(ADA, first)
    assert not [one for one in found(world) if "made although" in one or "nobody copied" in one]
    assert late == standing(world).ref


def test_what_is_made_twice_and_edited_must_stay(world: World) -> None:
    """Who has changed the second one keeps it; deleting it is told, deleting it as it was made is not."""
    late = _twice(world)
    made = world.exchange.item(ADA, late)
    world.exchange.edit(ADA, late, lambda one: replace(one, location="Elsewhere"))
    assert not [one for one in found(world) if "made although" in one or "nobody copied" in one]
    assert world.conduct.helpless == {"crm-1"}
    edited = world.exchange.item(ADA, late)
    deletion = ItemDeletion(
        ref=late, folder=made.folder, revision=edited.revision, content=edited.appointment, mailing=Mailing.NOBODY
    )
    assert write(world, deletion) == [f"{ADA} crm-1: deleted, but its row stands in scope"]


def test_what_is_made_twice_may_be_deleted(world: World) -> None:
    """As it was made, it may be taken out again."""
    made = world.exchange.item(ADA, _twice(world))
    deletion = ItemDeletion(
        ref=made.ref, folder=made.folder, revision=made.revision, content=made.appointment, mailing=Mailing.NOBODY
    )
    assert write(world, deletion) == []


def _found_again(world: World) -> tuple[Item, Item]:
    """Make Ada's item while the server has lost it, and let it find it again: return the linked one and the other."""
    kept, known = world.exchange.back_up(ADA), standing(world)
    world.exchange.empty(ADA)
    write(world, ItemCreation(key="late", folder=known.folder, content=known.appointment, mailing=Mailing.NOBODY))
    late = world.exchange.empty(ADA)
    world.exchange.restore(kept)
    world.exchange.refill(ADA, late)
    linked, other = world.exchange.items(ADA)
    assert (linked.ref, other.key) == (known.ref, "late")
    return linked, other


def _delete(world: World, ref: str, mailing: Mailing = Mailing.NOBODY) -> list[str]:
    """Let Syncline's hand delete one item of Ada, and return what is wrong with that."""
    found = world.exchange.item(ADA, ref)
    return write(
        world,
        ItemDeletion(ref=ref, folder=found.folder, revision=found.revision, content=found.appointment, mailing=mailing),
    )


@pytest.mark.rule("L-11a")
def test_what_was_made_instead_of_a_lost_item_may_be_one_of_two(world: World) -> None:
    """The one that no row is linked to may go as it was made; that it did not get into the trash is told."""
    _, other = _found_again(world)
    assert _delete(world, other.ref) == []
    assert any("the trash does not hold it" in one for one in found(world))


@pytest.mark.rule("L-11a")
@pytest.mark.parametrize("wrong", ["the linked one", "edited", "mailed", "a person's", "alone"])
def test_of_two_nothing_else_may_be_deleted(world: World, wrong: str) -> None:
    """What the row is linked to, what a person has touched or copied, and what stands alone; and nobody is mailed."""
    linked, other = _found_again(world)
    ref = linked.ref if wrong == "the linked one" else other.ref
    if wrong == "edited":
        world.exchange.edit(ADA, ref, lambda one: replace(one, location="Elsewhere"))
    elif wrong == "a person's":
        ref = world.exchange.copy(ADA, linked.ref)
    elif wrong == "alone":
        world.exchange.delete(ADA, linked.ref)
    mailing = Mailing.EVERYBODY if wrong == "mailed" else Mailing.NOBODY

    assert _delete(world, ref, mailing) == [f"{ADA} crm-1: deleted, but its row stands in scope"]
