"""Files that must not be lost, and edits that must not be hidden by our own writes of files."""

from __future__ import annotations

from typing import Literal

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.appointment import Sensitivity
from syncline.core.merging import PrivatePolicy
from syncline.core.planning import Policy
from syncline.engine import alerts, mailboxes
from syncline.engine.cycle import run_cycle
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import AttachmentWritten, NewAttachment, Result
from tests.engine.test_attachments import ADA, BOTH, ON, in_crm, in_exchange, notices, row_id, tracked
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


def one_way_with_a_file(world: World) -> str:
    """Keep an appointment with a file in step one way; then its row loses the file and gets another."""
    ref = tracked(world)
    world.crm.remove_file(row_id(world), "plan.txt", by="ada")
    world.crm.add_file(row_id(world), "crm.txt", b"crm", by="ada")
    return ref


def test_where_writing_begins_no_file_goes_over_before_the_answer() -> None:
    """While the row waits for the first question its files wait too, and what it lacks is not taken from Outlook."""
    world = World(rules=ON)
    ref = one_way_with_a_file(world)
    world.crm.edit(row_id(world), lambda found: replace(found, location="Lobby"), by="ada")
    world.rules = BOTH
    for _ in range(3):
        world.sync()
    assert [each.code for each in world.questions()] == ["FirstPushHeld"]
    assert in_exchange(world, ref) == {"plan.txt": b"plan"}
    assert in_crm(world) == {"plan.txt": b"plan", "crm.txt": b"crm"}
    world.answer("yes")
    world.sync()
    world.sync()
    assert in_exchange(world, ref) == in_crm(world) == {"plan.txt": b"plan", "crm.txt": b"crm"}


def test_where_writing_begins_what_the_crm_lacked_before_is_not_removed_in_outlook() -> None:
    """A file that was taken off the row while Outlook was only read comes back to the row."""
    world = World(rules=ON)
    ref = tracked(world)
    world.crm.remove_file(row_id(world), "plan.txt", by="ada")
    world.sync()
    world.rules = BOTH
    world.sync()
    world.change(ref, location="Lobby")
    world.sync()
    assert in_exchange(world, ref) == in_crm(world) == {"plan.txt": b"plan"}


@pytest.mark.rule("D-06")
def test_a_file_is_not_removed_for_one_that_is_refused() -> None:
    """The only copy that both could hold stays in the CRM while Outlook has a version that is too large."""
    world = World(rules=BOTH)
    ref = tracked(world)
    world.exchange.detach(ADA, ref, "plan.txt")
    world.exchange.attach(ADA, ref, "plan.txt", b"n" * 2_000)
    world.sync()
    world.sync()
    assert in_crm(world) == {"plan.txt": b"plan"}
    world.exchange.detach(ADA, ref, "plan.txt")
    world.exchange.attach(ADA, ref, "plan.txt", b"small")
    world.sync()
    world.sync()
    assert in_exchange(world, ref) == in_crm(world) == {"plan.txt": b"small"}


@pytest.mark.rule("D-06")
def test_a_file_is_not_removed_for_one_of_a_blocked_kind() -> None:
    """A file replaced in the CRM by one of the same stem that may not go over stays in Outlook."""
    world = World(rules=BOTH)
    ref = tracked(world)
    world.crm.remove_file(row_id(world), "plan.txt", by="ada")
    world.crm.add_file(row_id(world), "Plan.exe", b"n", by="ada")
    world.sync()
    world.sync()
    assert in_exchange(world, ref) == {"plan.txt": b"plan"}


@pytest.mark.rule("D-06")
def test_a_file_is_not_removed_when_its_replacement_is_refused_on_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the other side refuses, it keeps what it has, whatever the two are called."""
    world = World(rules=BOTH)
    ref = tracked(world)

    def refusing(replica: MemoryReplica, item: str, revision: str, new: NewAttachment) -> AttachmentWritten:
        error = SyncError("AttachmentBlocked", subject="", detail="ErrorAttachmentSizeLimitExceeded")
        return AttachmentWritten(result=Result.FAILED, error=error)

    monkeypatch.setattr(MemoryReplica, "attach", refusing)
    world.crm.remove_file(row_id(world), "plan.txt", by="ada")
    world.crm.add_file(row_id(world), "other.txt", b"new plan", by="ada")
    world.sync()
    world.sync()
    assert in_exchange(world, ref) == {"plan.txt": b"plan"}
    monkeypatch.undo()
    world.crm.edit(row_id(world), lambda found: replace(found, location="Lobby"), by="ada")
    world.sync()
    world.sync()
    assert in_exchange(world, ref) == {"other.txt": b"new plan"}


@pytest.mark.rule("D-05")
def test_an_appointment_that_becomes_masked_leaves_no_file_in_the_crm() -> None:
    """What came from Outlook goes off the row with its texts, and comes back when it is not private any more."""
    world = World(rules=replace(BOTH, policy=Policy(private=PrivatePolicy.MASK)))
    ref = tracked(world)
    world.change(ref, sensitivity=Sensitivity.PRIVATE)
    world.sync()
    assert (in_crm(world), in_exchange(world, ref)) == ({}, {"plan.txt": b"plan"})
    world.sync()
    world.change(ref, sensitivity=Sensitivity.NORMAL)
    world.sync()
    world.sync()
    assert in_exchange(world, ref) == in_crm(world) == {"plan.txt": b"plan"}


def test_a_copy_that_decides_again_takes_nothing_off() -> None:
    """What came and went on the deciding copy meanwhile is no removal on the one that decides after it."""
    world = World(rules=ON)
    bob = "bob@example.org"
    item = meeting("Visit", at(10), "bob")
    organizers = world.exchange.add(ADA, item, send=False)
    guests = world.track(item, "bob")
    world.exchange.attach(bob, guests, "plan.txt", b"plan")
    world.exchange.attach(ADA, organizers, "plan.txt", b"plan")
    world.sync()
    world.sync("bob")
    world.exchange.set_categories(ADA, organizers, ("Tracked to Syncline CRM",))
    world.change(organizers, location="Lobby")
    world.change(guests, "bob", location="Lobby")
    for _ in range(2):
        world.sync()
        world.sync("bob")
    assert not world.link(guests, "bob").writes
    world.exchange.detach(bob, guests, "plan.txt")
    for _ in range(2):
        world.sync()
        world.sync("bob")
    assert in_crm(world) == {"plan.txt": b"plan"}
    mailboxes.disable(world.store, world.mailboxes["ada"])
    world.change(guests, "bob", location="Hall")
    for _ in range(3):
        world.sync("bob")
    assert world.link(guests, "bob").writes
    assert in_crm(world) == {"plan.txt": b"plan"}


def test_a_clock_set_back_does_not_put_off_a_file() -> None:
    """A try that was planned under a clock that ran ahead is made at once."""
    world = World(rules=BOTH)
    ref = tracked(world)
    world.exchange.store(ADA).write_denied = True
    world.clock.advance(days=1)
    world.crm.add_file(row_id(world), "crm.txt", b"crm", by="ada")
    world.sync()
    world.exchange.store(ADA).write_denied = False
    world.clock.advance(days=-1)
    world.sync()
    assert in_exchange(world, ref) == {"plan.txt": b"plan", "crm.txt": b"crm"}


def test_a_mailbox_that_is_switched_off_is_left_before_its_next_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease is kept and the switch is looked at before each appointment, not each hundred."""
    world = World(rules=BOTH)
    for hour in (10, 12):
        ref = world.track(meeting(f"Visit {hour}", at(hour)))
        world.exchange.attach(ADA, ref, "plan.txt", b"plan")
    read = MemoryReplica.attachment_content

    def content(replica: MemoryReplica, name: str, size_max: int) -> bytes | None:
        mailboxes.disable(world.store, world.mailboxes["ada"])
        return read(replica, name, size_max)

    monkeypatch.setattr(MemoryReplica, "attachment_content", content)
    world.sync()
    assert sorted(len(world.crm.shelf.of(row.id)) for row in world.rows()) == [0, 1]


def many(world: World) -> list[str]:
    """Track a dozen appointments with a file each, and take all the files off in Outlook."""
    refs = [world.track(meeting(f"Visit {number}", at(number))) for number in range(12)]
    for ref in refs:
        world.exchange.attach(ADA, ref, "plan.txt", b"plan")
    world.sync()
    for ref in refs:
        world.exchange.detach(ADA, ref, "plan.txt")
    world.sync()
    return refs


def files_left(world: World) -> int:
    """Return how many files all rows have."""
    return sum(len(world.crm.shelf.of(row.id)) for row in world.rows())


@pytest.mark.parametrize(("answer", "left", "given_back"), [("yes", 0, 0), ("no", 2, 2)])
def test_many_removals_wait_for_an_answer(answer: Literal["yes", "no"], left: int, given_back: int) -> None:
    """Beyond the limit one question holds them; Yes removes them, No keeps them and gives them back."""
    world = World(rules=BOTH)
    refs = many(world)
    world.sync()
    (question,) = world.questions()
    assert (question.code, question.params["count"], files_left(world)) == ("MassFileRemovalHeld", "2", 2)
    world.answer(answer)
    world.sync()
    world.sync()
    assert files_left(world) == left
    assert sum(len(in_exchange(world, ref)) for ref in refs) == given_back
    assert world.questions() == ()


def test_removals_that_were_taken_back_need_no_answer() -> None:
    """When the files are there again the question is withdrawn."""
    world = World(rules=BOTH)
    refs = many(world)
    for ref in refs:
        world.exchange.attach(ADA, ref, "plan.txt", b"plan")
    world.sync()
    world.sync()
    assert (world.questions(), files_left(world)) == ((), 12)


@pytest.mark.parametrize("rules", [ON, BOTH])
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_row_with_files_of_its_own_is_not_deleted_unasked(rules: Rules, answer: Literal["yes", "no"]) -> None:
    """What Outlook never had would be lost with the row: somebody is asked, and No keeps row and file."""
    world = World(rules=rules)
    ref = world.track(meeting("Visit", at(10)))
    world.sync()
    item = world.exchange.store(ADA)
    item.write_denied = True
    world.crm.add_file(row_id(world), "crm.txt", b"crm", by="ada")
    world.sync()
    item.write_denied = False
    world.exchange.delete(ADA, ref)
    world.sync()
    (question,) = (each for each in notices(world) if each.code == "DeletedAndEditedHeld")
    assert in_crm(world) == {"crm.txt": b"crm"}
    alerts.answer(world.store, world.clock, question.id, answer, "ada")
    world.sync()
    assert len(world.rows()) == (answer == "no")


def test_a_row_with_files_of_outlook_alone_is_deleted() -> None:
    """Exchange keeps them with the deleted item: nobody is asked."""
    world = World(rules=BOTH)
    ref = tracked(world)
    world.exchange.delete(ADA, ref)
    world.sync()
    assert (world.rows(), notices(world)) == ((), [])
