"""Worlds with answer rules: the check of their answers sees each kind of damage, and a good world has none."""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import update

from syncline.core.answering import AnswerRule
from syncline.core.appointment import Appointment, Identity
from syncline.simulation import oracle, replay, ruled
from syncline.simulation.clock import MONDAY
from syncline.simulation.playing import calm
from syncline.simulation.world import Setting, World, address_of
from syncline.store import schema
from tests.simulation.samples import at, item

ADA = address_of("ada")


def world_with(answer: str) -> World:
    """Make a quiet world in which a rule has answered about one meeting of Ada's."""
    made = World(Random(0), Setting(people=2))
    made.ledger.ruled = lambda name, given: ruled.said(made.store, name, given)
    made.store.add_rule(AnswerRule(name="one", answer=answer, created=MONDAY))  # type: ignore[arg-type]
    made.crm.create(Appointment(identity=Identity("crm-1"), subject="Busy", span=at(9)), owner="ada")
    made.exchange.add(ADA, item("two", at(9)))
    made.tracked_once.add("two")
    calm(made, {})
    return made


def found(world: World) -> list[str]:
    """Return everything that is wrong."""
    return [*oracle.judge(world), *ruled.misruled(world), *replay.replayed(world)]


@pytest.mark.rule("Q-02")
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_rule_answers_and_nothing_is_wrong(answer: str) -> None:
    """What a rule saved or kept out needs no person, because the record of decisions names the rule."""
    world = world_with(answer)

    assert found(world) == []
    assert ruled.said(world.store, "two", answer)
    assert len(world.crm.rows()) == (2 if answer == "yes" else 1)


def test_an_answer_that_no_rule_gives_is_seen() -> None:
    """A decision under a rule's name that the rule would not give is told."""
    world = world_with("no")
    with world.store.writing() as connection:
        connection.execute(update(schema.answer_rule).values(answer="yes"))

    assert ["which does not say so" in problem for problem in found(world)] == [True]


def test_a_person_asked_in_spite_of_a_rule_is_seen() -> None:
    """An open question that a rule answers is told; what was kept out without a decision is, too."""
    world = World(Random(0), Setting(people=2))
    world.crm.create(Appointment(identity=Identity("crm-1"), subject="Busy", span=at(9)), owner="ada")
    world.exchange.add(ADA, item("two", at(9)))
    world.tracked_once.add("two")
    calm(world, {})
    world.store.add_rule(AnswerRule(name="late", answer="yes", created=MONDAY))
    assert [problem for problem in found(world) if "was asked although late answers it" in problem]

    kept = world_with("no")
    kept.ledger.ruled = lambda _, __: False
    assert [problem for problem in found(kept) if "No was never answered" in problem]


def test_some_worlds_have_rules_and_the_same_seed_the_same_ones() -> None:
    """A share of the seeds lays rules down; the rest are played as before."""
    worlds = []
    for seed in (*range(20), *range(20)):
        world = World(Random(0), Setting(people=2))
        ruled.lay_down(world, Random(f"{seed} rules"))
        worlds.append([(rule.name, rule.answer, rule.owner, rule.conditions) for rule in world.store.rules()])

    assert worlds[:20] == worlds[20:]
    assert 0 < sum(map(bool, worlds[:20])) < 20
