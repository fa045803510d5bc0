"""What an owner that stood still makes after all, when another has made it already, is taken out again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.appointment import Response
from syncline.core.outgoing import ItemCreation, ItemWrite
from syncline.engine.cycle import run_cycle
from syncline.errors import SyncError
from syncline.ports import Link, Origin, Page, Written
from tests.engine.test_dates_in_the_trash import START, changed, standing
from tests.engine.test_pushing import ADA, enter
from tests.engine.test_pushing_guards import EVE, assert_quiet, mails, ready, trashed
from tests.engine.world import World, at, meeting

pytestmark = [pytest.mark.rule("L-11a")]


class _Killed(BaseException):
    """The process is gone."""


def overtaken(world: World) -> None:
    """Run a cycle that stands still before it makes what it makes, while another owner makes it; then it dies."""
    patch = pytest.MonkeyPatch()
    real = MemoryReplica.write

    def write(self: MemoryReplica, writes: Sequence[ItemWrite]) -> list[Written]:
        if not any(isinstance(each, ItemCreation) for each in writes):
            return real(self, writes)
        patch.undo()
        world.clock.advance(seconds=world.rules.lease_s + 1)
        other = run_cycle(world.parts, world.connect, world.mailboxes["ada"], "other")
        assert other.error is None
        real(self, writes)
        raise _Killed

    patch.setattr(MemoryReplica, "write", write)
    # Its lease is not its own any more either, which is all that it notices.
    with pytest.raises((_Killed, SyncError)):
        world.sync()
    world.store.locks.drop_all()
    world.clock.advance(minutes=6)


def doubled(**rules: Any) -> tuple[World, str, str]:
    """Return a world in which a meeting stands twice, the item that is linked, and the one that came late."""
    world = ready(**rules)
    enter(world, meeting("Visit", at(10), EVE))
    overtaken(world)
    first, late = (item.ref for item in world.exchange.items(ADA))
    assert mails(world) == [("request", EVE), ("request", EVE)]
    return world, first, late


def refs(world: World) -> list[str]:
    """Return what stands in Ada's calendar."""
    return [item.ref for item in world.exchange.items(ADA)]


def codes(world: World) -> dict[str, str | None]:
    """Return the codes of what is known of Ada's calendar, by item."""
    known = world.store.links_by_ref(world.mailboxes["ada"], refs(world))
    return {ref: link.sync_error for ref, link in known.items()}


def family(world: World, ref: str) -> Sequence[Link]:
    """Return all links of the identity of an item."""
    identity = world.exchange.item(ADA, ref).appointment.identity
    return world.store.links_by_identity([identity])


def journal(world: World, ref: str) -> list[tuple[str, str]]:
    """Return what the journal of an item says of deletions in Outlook, and by which rule."""
    entries = world.store.journal(world.link(ref).id).items
    return [(each.rule, each.action) for each in entries if "deleted in Outlook" in each.action]


def test_what_came_late_is_taken_out_again_and_nobody_is_told() -> None:
    """The meeting stands once, its guests hear nothing, the content is in the trash and the journal says why."""
    world, first, late = doubled()
    (line,) = [each for each in world.preview().plan if each.outward]
    assert (line.action, line.subject, line.rule, line.mails) == ("delete", "Visit", "L-11a", ())
    assert refs(world) == [first, late]
    result = world.sync()

    assert refs(world) == [first]
    assert result.counts.deleted == 1
    assert mails(world) == []
    assert [(each.side, each.appointment.subject, each.reason) for each in trashed(world)] == [
        (Origin.EXCHANGE, "Visit", "deleted")
    ]
    assert journal(world, first) == [("L-11a", "second item deleted in Outlook")]
    assert [link.ref for link in family(world, first)] == [first]
    assert world.store.intents(world.mailboxes["ada"]) == ()
    assert_quiet(world)
    assert len(world.rows()) == 1


def test_a_series_that_came_late_with_its_dates_is_taken_out_again() -> None:
    """Its dates are no edit, also where not all of them had been written."""
    source, row, _ = standing()
    changed(source, row, location="Bern")
    world = ready()
    enter(world, source.crm.rows()[0].appointment)
    overtaken(world)
    first, late = refs(world)
    part = world.exchange.item(ADA, late).appointment.exceptions
    assert [each.identity.original_start for each in part] == [START]
    world.sync()

    assert refs(world) == [first]
    assert mails(world) != [] and all(kind == "request" for kind, _ in mails(world))


def _renamed(world: World, ref: str) -> None:
    world.change(ref, subject="Visit at ours")


def _sorted(world: World, ref: str) -> None:
    world.exchange.set_categories(ADA, ref, (*world.exchange.item(ADA, ref).appointment.categories, "Red"))


def _reminded(world: World, ref: str) -> None:
    world.change(ref, reminder_minutes=60)


def _answered(world: World, ref: str) -> None:
    guests = world.exchange.item(ADA, ref).appointment.attendees
    world.change(ref, attendees=tuple(replace(each, response=Response.ACCEPTED) for each in guests))


def _copied(world: World, ref: str) -> None:
    world.exchange.copy(ADA, ref)


def _filed(world: World, ref: str) -> None:
    world.exchange.attach(ADA, ref, "plan.txt", b"plan")


def _moved(world: World, ref: str) -> None:
    world.clock.advance(hours=30)  # by then the folders are read again
    world.exchange.move(ADA, ref, world.exchange.add_folder(ADA, "Projects"))


@pytest.mark.parametrize("touch", [_renamed, _sorted, _reminded, _answered, _copied, _filed, _moved])
def test_what_somebody_has_touched_stays_and_is_told(touch: Callable[[World, str], None]) -> None:
    """Nothing that a person did is lost: it is left out as a copy, also when it looks as it was made again."""
    world, first, late = doubled()
    before = world.exchange.item(ADA, late).appointment
    touch(world, late)
    left = refs(world)
    mails(world)
    for _ in range(2):
        world.clock.advance(hours=2)
        world.sync()
    assert refs(world) == left and trashed(world) == []
    assert {code for ref, code in codes(world).items() if ref != first} == {"CopiedItemIgnored"}
    if touch in (_renamed, _sorted, _reminded, _answered):
        world.exchange.edit(ADA, late, lambda _: before, send=False)
        world.sync()
    assert refs(world) == left
    assert mails(world) == []


def test_it_is_the_meeting_if_the_first_one_is_gone() -> None:
    """What was made instead was deleted meanwhile: the row goes on with the one that came late."""
    world, first, late = doubled()
    world.exchange.delete(ADA, first)
    for _ in range(2):
        world.sync()
        world.clock.advance(minutes=6)

    assert refs(world) == [late]
    assert world.link(late).crm_id == world.rows()[0].id
    known = world.exchange.item(ADA, late)
    world.crm.edit(world.rows()[0].id, lambda found: replace(found, location="Lobby"), by="ada")
    world.sync()
    assert world.exchange.item(ADA, late).key != known.key
    world.exchange.create(ADA, known.appointment, folder=known.folder, key=known.key or "")
    world.sync()
    assert len(refs(world)) == 2 and trashed(world) == []


def test_a_person_s_copy_is_never_touched() -> None:
    """It carries the key of the item that is known, before and after the one that came late was taken out."""
    world, first, _ = doubled()
    early = world.exchange.copy(ADA, first)
    world.sync()
    assert sorted(refs(world)) == sorted([first, early])
    again = world.exchange.copy(ADA, first)
    world.sync()
    assert sorted(refs(world)) == sorted([first, early, again])
    assert len(trashed(world)) == 1


def test_an_item_that_only_joined_is_no_reason_to_delete_its_copy() -> None:
    """What came late before anything was made instead is the meeting, and a copy of it is a person's."""
    world = ready()
    enter(world, meeting("Visit", at(10), EVE))
    patch = pytest.MonkeyPatch()
    real = MemoryReplica.write
    held: list[ItemWrite] = []

    def write(self: MemoryReplica, writes: Sequence[ItemWrite]) -> list[Written]:
        held.extend(writes)
        raise SyncError("ServiceUnavailable", mailbox=ADA, detail="lost")

    patch.setattr(MemoryReplica, "write", write)
    with pytest.raises(SyncError):
        world.sync()
    patch.undo()
    world.store.locks.drop_all()
    world.clock.advance(minutes=6)
    changes = MemoryReplica.changes

    def late(self: MemoryReplica, folder: str, cursor: str | None, limit: int) -> Page:
        while held:
            real(self, [held.pop()])
        return changes(self, folder, cursor, limit)

    with pytest.MonkeyPatch.context() as arriving:
        arriving.setattr(MemoryReplica, "changes", late)
        world.sync()
    (only,) = refs(world)
    copy = world.exchange.copy(ADA, only)
    for _ in range(2):
        world.clock.advance(minutes=6)
        world.sync()
    assert refs(world) == [only, copy] and trashed(world) == []


def test_nothing_is_deleted_where_nothing_may_be_written() -> None:
    """Where Exchange is only read by now, the one that came late is left out."""
    world, first, late = doubled()
    world.rules = replace(world.rules, outgoing=False)
    world.sync()

    assert refs(world) == [first, late]
    assert codes(world)[late] == "CopiedItemIgnored"


def test_it_is_forgotten_after_a_month() -> None:
    """Who has not come by then is not on its way: what has its key is left alone."""
    world, first, late = doubled()
    item = world.exchange.item(ADA, late)
    world.exchange.delete(ADA, late)
    world.sync()
    assert [each.instead for each in world.store.intents(world.mailboxes["ada"])] == [first]
    world.clock.at += timedelta(days=31)
    world.sync()
    assert world.store.intents(world.mailboxes["ada"]) == ()
    again = world.exchange.create(ADA, item.appointment, folder=item.folder, key=item.key or "")
    world.sync()
    assert again in refs(world)


def test_a_crash_between_the_deletion_and_its_outcome_keeps_the_content() -> None:
    """The next cycle finds it gone: it is in the trash, and no row goes with it."""
    world, first, _ = doubled()
    patch = pytest.MonkeyPatch()
    real = MemoryReplica.write

    def write(self: MemoryReplica, writes: Sequence[ItemWrite]) -> list[Written]:
        real(self, writes)
        raise _Killed

    patch.setattr(MemoryReplica, "write", write)
    with pytest.raises(_Killed):
        world.sync()
    patch.undo()
    world.store.locks.drop_all()
    world.clock.advance(minutes=6)
    world.sync()

    assert refs(world) == [first]
    assert len(trashed(world)) == 1 and len(world.rows()) == 1
    assert mails(world) == []
