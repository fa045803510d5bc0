"""Answer rules: which one answers, condition by condition."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from syncline.core.answering import AnswerRule, Conditions, Facts, first, holds, in_order

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FACTS = Facts(categories=("Travel", "Blue"), organizer="kim@alpen.example", all_day=True)


def rule(name: str = "r", **members: Any) -> AnswerRule:
    """Make a rule for everybody that says Yes, with conditions by their names."""
    conditions = {key: members.pop(key) for key in list(members) if key in Conditions.__struct_fields__}
    return AnswerRule(
        **{"name": name, "answer": "yes", "created": NOW, "conditions": Conditions(**conditions)} | members
    )


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, True),
        ({"mailboxes": (1, 2)}, True),
        ({"mailboxes": (2,)}, False),
        ({"category": "travel"}, True),
        ({"category": "Red"}, False),
        ({"organizer": "kim@alpen.example"}, True),
        ({"organizer": "lea@alpen.example"}, False),
        ({"organizer": "@alpen.example"}, True),
        ({"organizer": "@pen.example"}, False),
        ({"organizer": "own"}, False),
        ({"organizer": "other"}, True),
        ({"all_day": True}, True),
        ({"all_day": False}, False),
        ({"private": False}, True),
        ({"private": True}, False),
        ({"same_calendar": False}, True),
        ({"same_calendar": True}, False),
        ({"category": "Travel", "organizer": "other", "all_day": True}, True),
        ({"category": "Travel", "organizer": "own", "all_day": True}, False),
        ({"enabled": False}, False),
        ({"owner": "maya"}, True),
        ({"owner": "jonas"}, False),
    ],
)
def test_all_given_conditions_must_hold(conditions: dict[str, Any], expected: bool) -> None:
    """A condition that is not given asks nothing; one that does not hold is enough for no answer."""
    assert holds(rule(**conditions), 1, "maya", FACTS) is expected


def test_own_meetings_are_told_from_others() -> None:
    """Own is what the mailbox's user organizes, an item without organizer too."""
    mine = Facts(own=True)
    assert holds(rule(organizer="own"), 1, "maya", mine)
    assert not holds(rule(organizer="other"), 1, "maya", mine)
    assert not holds(rule(organizer="kim@alpen.example"), 1, "maya", mine)


def test_the_first_that_holds_answers() -> None:
    """Everybody's rules come before a user's own, each group in its own order; without one a person is asked."""
    rules = (
        rule("own", owner="maya", position=1, all_day=True),
        rule("later", position=2, category="Travel"),
        rule("other", position=1, category="Red"),
    )
    assert [each.name for each in in_order(rules)] == ["other", "later", "own"]
    found = first(rules, 1, "maya", FACTS)
    assert found is not None
    assert found.signature == "Rule: later"
    alone = first(rules, 1, "maya", Facts(all_day=True))
    assert alone is not None
    assert alone.name == "own"
    assert first(rules, 1, "jonas", Facts(all_day=True)) is None
