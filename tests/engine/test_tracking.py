"""Tracking one item now, with the check suppressed."""

from __future__ import annotations

import pytest

from syncline.core.appointment import Identity
from syncline.engine.tracking import track_now
from syncline.errors import SyncError
from syncline.ports import LinkState
from tests.engine.world import World, at, meeting


@pytest.mark.rule("A-24")
@pytest.mark.rule("K-04")
def test_an_item_tracked_now_is_saved_whatever_it_overlaps() -> None:
    """Acceptance example 5: no check, no question; and without the category it stays tracked."""
    world = World()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    ref = world.exchange.add("ada@example.org", meeting("Demo", at(10.5)))
    link = track_now(world.parts, world.connect, world.mailboxes["ada"], "test", Identity("uid-Demo"), "Ada Admin")
    world.change(ref, location="Showroom")
    world.sync()

    assert link.state is LinkState.SETTLED
    assert [entry.action for entry in world.store.journal(link.id, limit=9).items][-2:] == ["saved", "tracked now"]
    assert world.subjects() == ["Demo", "Review"]
    assert "Showroom" in {row.appointment.location for row in world.rows()}
    assert world.questions() == ()


def test_an_unknown_item_is_said_so() -> None:
    """Nothing is written."""
    world = World()
    with pytest.raises(SyncError) as caught:
        track_now(world.parts, world.connect, world.mailboxes["ada"], "test", Identity("nothing"), "Ada Admin")

    assert caught.value.code == "NotFoundHere"
