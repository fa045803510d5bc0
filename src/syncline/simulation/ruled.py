"""Worlds in which answer rules stand from the beginning, and what must be true of their answers.

The check knows the rules from the outside: it compares what was asked and decided with the conditions by itself, and
must not use the core's own reasoning.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from sqlalchemy import select

from syncline.core.answering import NAMED, AnswerRule, Conditions, Facts
from syncline.ports import Alert, AlertState
from syncline.simulation.conduct import CATEGORY
from syncline.simulation.world import World
from syncline.store import Database, schema

SHARE = 0.2
RULES_MAX = 3
_CONFLICT = "ExchangeSyncSchedulingConflictsError"
_CONDITIONS = (
    Conditions(),
    Conditions(category=CATEGORY.upper()),
    Conditions(organizer="own"),
    Conditions(organizer="other"),
    Conditions(organizer="@example.org", all_day=False),
    Conditions(all_day=True),
    Conditions(private=True),
    Conditions(same_calendar=True),
    Conditions(same_calendar=False, private=False),
)


def lay_down(world: World, rng: Random) -> None:
    """Make a few rules in a share of the worlds, some of them for one person alone."""
    if rng.random() >= SHARE:
        return
    people = [address.partition("@")[0] for address in world.mailboxes]
    for number in range(rng.randint(1, RULES_MAX)):
        rule = AnswerRule(
            name=f"rule {number}",
            answer=rng.choice(("yes", "no")),
            conditions=rng.choice(_CONDITIONS),
            owner=rng.choice((None, None, *people)),
            created=world.clock.now(),
        )
        world.store.add_rule(rule)
        world.tell(f"{rule.name} says {rule.answer} for {rule.owner or 'everybody'}: {rule.conditions}")


def said(store: Database, name: str, answer: str) -> bool:
    """Return whether a rule has given this answer about a meeting, by the record of decisions."""
    decision, link = schema.decision, schema.link
    query = select(decision.c.id).join(link, link.c.id == decision.c.link_id)
    query = query.where(
        link.c.global_object_id == name, decision.c.answer == answer, decision.c.decided_by.startswith(NAMED)
    )
    with store.reading() as connection:
        return connection.scalar(query.limit(1)) is not None


def misruled(world: World) -> Iterator[str]:
    """Yield what is wrong: an answer that no rule gives, or a person asked where a rule answers."""
    for alert in world.store.alerts():
        if alert.code != _CONFLICT or alert.facts is None:
            continue
        by_rule = (alert.decided_by or "").startswith(NAMED)
        if not by_rule and (alert.state is not AlertState.OPEN or alert.count > 1):
            continue
        expected = _expected(world, alert, alert.facts)
        if by_rule and (expected is None or (expected.signature, expected.answer) != (alert.decided_by, alert.answer)):
            yield f"{alert.subject!r} was answered {alert.answer} by {alert.decided_by}, which does not say so"
        if not by_rule and expected is not None:
            yield f"{alert.subject!r} was asked although {expected.name} answers it"


def _expected(world: World, alert: Alert, facts: Facts) -> AnswerRule | None:
    address = next(address for address, number in world.mailboxes.items() if number == alert.mailbox_id)
    user = address.partition("@")[0]
    stored = world.store.rules()
    mine = [rule for rule in stored if rule.owner is None] + [rule for rule in stored if rule.owner == user]
    return next((rule for rule in mine if _fits(rule.conditions, facts)), None)


def _fits(wanted: Conditions, facts: Facts) -> bool:
    organizer = {
        "": True,
        "own": facts.own,
        "other": not facts.own,
        "@example.org": facts.organizer.partition("@")[2] == "example.org",
    }
    flags = ("all_day", "private", "same_calendar")
    held = [getattr(wanted, name) in (None, getattr(facts, name)) for name in flags]
    tracked = not wanted.category or CATEGORY in facts.categories
    return tracked and organizer[wanted.organizer] and all(held)
