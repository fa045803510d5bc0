"""The CRM's change log as it may come: twice, out of order, from its begin after a sync that was cut short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.engine.run import Rules
from syncline.engine.scoping import newest
from syncline.errors import SyncError
from syncline.ports import CrmChange, LinkState
from tests.engine.world import World, at, meeting


def test_of_entries_told_twice_and_out_of_order_the_newest_counts() -> None:
    """Also a deletion that is told before the edit that it followed."""
    first, second, gone = (
        CrmChange(id="a", version=3),
        CrmChange(id="a", version=7),
        CrmChange(id="b", version=9, gone=True),
    )

    told = newest([second, gone, first, replace(gone, version=4, gone=False), second])

    assert told == {"a": second, "b": gone}


@pytest.mark.rule("3.1")
def test_an_edit_told_before_an_older_one_goes_to_outlook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of the log in reverse order hides no edit."""
    world = World(rules=Rules(outgoing=True))
    ref = world.track(meeting("Visit", at(10)))
    world.sync()
    (row,) = world.crm.rows()
    world.change(ref, subject="Visit and lunch")
    world.sync()
    world.crm.edit(row.id, lambda found: replace(found, location="Bern"), by="ada")
    plain = world.crm.changes

    def reversed_page(cursor: str | None, limit: int) -> Any:
        page = plain(cursor, limit)
        older = [replace(each, version=1) for each in page.changes]
        return replace(page, changes=(*page.changes, *older))

    monkeypatch.setattr(world.crm, "changes", reversed_page)
    world.sync()

    assert world.exchange.item("ada@example.org", ref).appointment.location == "Bern"


@pytest.mark.rule("A-36")
def test_a_row_that_went_while_the_first_sync_was_cut_short_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row was made, the cycle stopped before its cursor was kept, and the CRM was restored from before the row."""
    world = World(rules=Rules(outgoing=True))
    world.track(meeting("Visit", at(10)))

    def stopped(_: Sequence[str]) -> Any:
        raise SyncError("ServerUnreachable", mailbox="ada@example.org", detail="the connection dropped")

    world.crm.create(meeting("Entered", at(14)), owner="ada")
    backup = world.crm.back_up()
    with monkeypatch.context() as broken:
        broken.setattr("tests.engine.world.MemoryReplica.find", lambda *_: stopped([]))
        with pytest.raises(SyncError):
            world.sync()
    (row,) = (one for one in world.crm.rows() if one.appointment.subject == "Visit")
    world.crm.restore(backup)
    world.sync()

    (link,) = world.store.links_by_crm_id(world.mailboxes["ada"], [row.id]) or (None,)
    assert link is None or link.state is not LinkState.SETTLED
