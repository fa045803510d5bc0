"""The simulation sees what is wrong with categories: each kind of damage, done on purpose, is told in words."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from syncline.connectors.memory import MemoryReplica
from syncline.core.answering_by_category import Categorizing
from syncline.core.appointment import Appointment, Attendee, Identity
from syncline.engine.run import Rules
from syncline.ports import Categorized, Result
from syncline.simulation import oracle
from syncline.simulation.conduct import CATEGORY
from syncline.simulation.playing import calm
from syncline.simulation.watching import NAMES, Watched
from syncline.simulation.world import Setting, World, address_of
from syncline.store import schema
from tests.simulation.samples import at, item

ADA, BOB = address_of("ada"), address_of("bob")


@pytest.fixture
def world() -> World:
    """Make a world in which one meeting is saved, another waits and is marked, and all is quiet."""
    made = World(Random(0), Setting(people=2, rules=Rules(outlook=NAMES)))
    made.crm.create(Appointment(identity=Identity("crm-1"), subject="Busy", span=at(9)), owner="ada")
    for uid, span in (("one", at(11)), ("two", at(9))):
        made.exchange.add(ADA, item(uid, span))
        made.tracked_once.add(uid)
    calm(made, {})
    assert oracle.judge(made) == []
    return made


def ref(world: World, uid: str) -> str:
    """Return the address of one of Ada's items."""
    items = world.exchange.items(ADA)
    return next(each.ref for each in items if each.appointment.identity.global_object_id == uid)


def put(world: World, uid: str, *names: str) -> None:
    """Set categories behind everybody's back."""
    world.exchange.set_categories(ADA, ref(world, uid), (CATEGORY, *names))


@pytest.mark.parametrize(
    ("uid", "names", "expected"),
    [
        ("two", (), "it waits and carries no mark"),
        ("two", (NAMES.save_anyway,), "stands on it and was not taken"),
        ("one", (NAMES.waiting,), "nothing is asked, but it carries the mark"),
    ],
)
def test_wrong_categories_are_seen(world: World, uid: str, names: tuple[str, ...], expected: str) -> None:
    """A mark that is missing, one too many, and an answer that nobody took."""
    put(world, uid, *names)

    assert any(expected in problem for problem in oracle.judge(world))


def test_a_mark_that_nobody_deals_with_is_seen(world: World) -> None:
    """Neither it nor its item is held by another question, so that nothing excuses it."""
    with world.store.writing() as connection:
        connection.execute(update(schema.mark).values(dealt=""))

    assert oracle.judge(world) == [f"{ADA}: the mark of {ref(world, 'two')} is due for ever"]


def test_an_answer_that_nobody_gave_is_seen(world: World) -> None:
    """What is decided in Outlook must have been said there."""
    put(world, "two", NAMES.save_anyway)
    world.ledger.confirmed.add("two")
    calm(world, {})

    assert oracle.judge(world) == ["two was answered yes in Outlook and nobody had said so"]


def test_every_write_is_judged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a category, another's calendar, a mail: each is told at the moment it happens."""
    world.exchange.add(ADA, item("met", at(13), attendees=(Attendee(BOB),)))
    (copy,) = world.exchange.items(BOB)

    def careless(_: MemoryReplica, changes: Sequence[Categorizing]) -> list[Categorized]:
        world.exchange.edit(ADA, changes[0].ref, lambda found: replace(found, subject="Other", categories=()))
        world.exchange.set_categories(BOB, copy.ref, ("Waiting",))
        return [Categorized(result=Result.SAVED)]

    monkeypatch.setattr(MemoryReplica, "categorize", careless)
    told = world.conduct.violations
    change = Categorizing(ref=ref(world, "met"), folder="calendar", revision="", before=())
    Watched(world.conduct, ADA).categorize([change])

    assert f"{ADA} wrote to {copy.ref} of {BOB}" in told
    assert f"{change.ref} of {ADA}: more than its categories was written" in told
    assert f"{ADA}: a category was set and somebody was mailed" in told
