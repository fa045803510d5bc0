"""An item that becomes unreadable while its cycle has it in hand."""

from __future__ import annotations

import pytest

from syncline.engine import alerts
from syncline.errors import SyncError
from syncline.ports import Link
from tests.engine.world import World, at, meeting


@pytest.mark.rule("Q-02")
def test_an_answered_item_that_becomes_unreadable_between_plan_and_chunk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer comes after the plan, its item cannot be read just then: nothing breaks, and it is saved later."""
    world = World()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    ref = world.track(meeting("Demo", at(10.5)))
    world.sync()
    (question,) = world.questions()
    world.change(ref, location="Showroom", span=at(10.25))
    ask = world.store.answered_links
    calls: list[int] = []

    def answered_meanwhile(mailbox_id: int, limit: int, after: int = 0) -> tuple[Link, ...]:
        calls.append(mailbox_id)
        if len(calls) == 2:
            error = SyncError("ItemUnreadable", subject="Demo", detail="told to")
            world.exchange.spoil("ada@example.org", ref, error)
            alerts.answer(world.store, world.clock, question.id, "yes", "ada")
        return ask(mailbox_id, limit, after)

    monkeypatch.setattr(world.store, "answered_links", answered_meanwhile)
    world.sync()
    monkeypatch.undo()
    assert len(calls) >= 2
    assert world.subjects() == ["Review"]
    world.exchange.spoil("ada@example.org", ref, None)
    world.clock.advance(minutes=6)
    world.sync()

    assert len(world.questions()) == 1 or world.subjects() == ["Demo", "Review"]
