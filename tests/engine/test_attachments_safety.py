"""Files that must not be lost, and edits that must not be hidden by our own writes of files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncline.connectors.memory import MemoryReplica
from syncline.engine.cycle import run_cycle
from syncline.errors import SyncError
from tests.engine.test_attachments import ADA, BOTH, in_crm, in_exchange, row_id, tracked
from tests.engine.world import World, at, meeting


def test_an_edit_during_the_removal_of_a_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """DeleteAttachment guards nothing: what somebody changed just before it still comes to the CRM."""
    world = World(rules=BOTH)
    ref = tracked(world)
    world.crm.remove_file(row_id(world), "plan.txt", by="ada")
    real = MemoryReplica.detach

    def detach(replica: MemoryReplica, item: str, revision: str, attachment: str) -> object:
        world.change(item, location="Edited in Outlook")
        found = replica.attachments([item])[item]
        assert not isinstance(found, SyncError)
        return real(replica, item, found.revision, attachment)

    monkeypatch.setattr(MemoryReplica, "detach", detach)
    world.sync()
    monkeypatch.undo()
    world.sync()
    assert [row.appointment.location for row in world.rows()] == ["Edited in Outlook"]
    assert in_exchange(world, ref) == in_crm(world) == {}


def test_a_throttled_file_does_not_keep_the_cycle_from_being_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but the files is done: the first sync counts, and the pause that Exchange asks for is kept."""
    world = World(rules=BOTH)
    ref = world.track(meeting("Visit", at(10)))
    world.exchange.attach(ADA, ref, "plan.txt", b"plan")

    def busy(replica: MemoryReplica, name: str, size_max: int) -> bytes | None:
        raise SyncError("ThrottledByExchange", mailbox=ADA, detail="busy", retry_after_s=10)

    monkeypatch.setattr(MemoryReplica, "attachment_content", busy)
    result = run_cycle(world.parts, world.connect, world.mailboxes["ada"], "test")
    assert result.error is not None and result.error.code == "ThrottledByExchange"
    mailbox = world.store.mailbox(world.mailboxes["ada"])
    assert (mailbox.first_sync_done, mailbox.last_sync) == (True, world.clock.now())
    assert mailbox.next_due is not None
    assert (mailbox.next_due - world.clock.now()).total_seconds() == 10
    monkeypatch.undo()
    world.sync()
    assert in_crm(world) == {"plan.txt": b"plan"}
