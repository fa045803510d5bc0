"""Answer rules as they are kept: order, groups, names; and what was asked lately."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from syncline.core.answering import AnswerRule, Conditions, Facts
from syncline.engine.alerts import answered
from syncline.errors import SyncError
from syncline.ports import Changes, LinkState, Mailbox
from syncline.store import Database
from syncline.store.schema import decision
from tests.store.things import CONFLICT, NOW, asked, claimed, link, question


def rule(name: str, **members: Any) -> AnswerRule:
    """Make a rule for everybody that says Yes."""
    return AnswerRule(**{"name": name, "answer": "yes", "created": NOW} | members)


def test_rules_keep_their_order_group_by_group(store: Database) -> None:
    """A new rule is the last of its group; moving and removing leave no gaps; the engine gets what may answer."""
    for name, owner in (("a", None), ("b", None), ("own", "maya"), ("c", None), ("other", "jonas")):
        store.add_rule(rule(name, owner=owner))
    by_name = {each.name: each.id for each in store.rules()}
    store.change_rule(by_name["c"], position=1)
    store.change_rule(by_name["own"], position=7)
    store.change_rule(by_name["b"], enabled=False)

    assert [(each.name, each.position) for each in store.rules()] == [
        ("c", 1),
        ("a", 2),
        ("b", 3),
        ("other", 1),
        ("own", 1),
    ]
    assert [each.name for each in store.answer_rules("maya")] == ["c", "a", "own"]

    store.remove_rule(by_name["c"])
    assert [(each.name, each.position) for each in store.rules()[:2]] == [("a", 1), ("b", 2)]


def test_a_rule_comes_back_as_it_was_stored(store: Database) -> None:
    """Conditions survive the database, and a name belongs to one rule."""
    wanted = Conditions(mailboxes=(3, 4), category="Travel", organizer="@alpen.example", all_day=True, private=False)
    kept = store.add_rule(rule("Trips", conditions=wanted, created_by="Ines Brandt"))

    assert store.rules() == (kept,)
    with pytest.raises(SyncError, match="A rule Trips"):
        store.add_rule(rule("Trips", owner="maya"))
    for call in (lambda: store.remove_rule(99), lambda: store.change_rule(99, enabled=False)):
        with pytest.raises(SyncError, match="rule 99"):
            call()


@pytest.mark.rule("Q-02")
def test_an_alert_that_comes_with_its_answer_is_a_decision(store: Database, mailbox: Mailbox) -> None:
    """What a rule answers is recorded like a person's answer, in the transaction that opens the question."""
    lease = claimed(store, mailbox.id)
    (number,) = store.write(lease, Changes(links=[link(mailbox.id, state=LinkState.ASKED)]))
    alert = answered(replace(question(mailbox.id, number), facts=Facts(own=True)), "yes", "Rule: Trips", NOW)
    store.write(lease, Changes(alerts=[alert]))

    (kept,) = store.open_alerts(mailbox.id)
    assert (kept.answer, kept.decided_by, kept.facts) == ("yes", "Rule: Trips", Facts(own=True))
    with store.reading() as connection:
        columns = (decision.c.alert_id, decision.c.link_id, decision.c.answer, decision.c.decided_by)
        assert connection.execute(select(*columns)).all() == [(kept.id, number, "yes", "Rule: Trips")]
    assert store.answered_by_rules(NOW) == {"Trips": 1}


def test_what_was_asked_lately(store: Database, mailbox: Mailbox) -> None:
    """Questions are found by when they were opened, and open ones whenever that was, for some mailboxes or all."""
    lease = claimed(store, mailbox.id)
    _, alert = asked(store, lease)
    later = NOW + timedelta(days=1)

    assert [each.id for each in store.asked_since(NOW, CONFLICT)] == [alert.id]
    assert store.asked_since(NOW, CONFLICT, [mailbox.id + 1]) == ()
    assert store.asked_since(later, CONFLICT) == ()
    assert [each.facts for each in store.open_questions(CONFLICT, [mailbox.id])] == [None]
