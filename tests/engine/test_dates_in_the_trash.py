"""Single dates of a series that go on one side because the other deleted them: what they said is in the trash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.appointment import Appointment, Attendee, Identity, Pattern, PatternKind, Recurrence, Sensitivity
from syncline.core.merging import Winner
from syncline.core.outgoing import ItemWrite
from syncline.core.planning import Policy as Planning
from syncline.core.pushing import Policy
from syncline.engine import alerts
from syncline.engine.cycle import run_cycle
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import Origin, Result, Trashed, Written
from tests.engine.test_pushing import ADA, enter
from tests.engine.test_pushing_guards import EVE, assert_quiet, ready, trashed
from tests.engine.test_pushing_sides import only, settled
from tests.engine.world import World, at, meeting

START = at(10, days=8).start
"""The original start of the second date."""


def standing(world: World | None = None, **fields: Any) -> tuple[World, str, str]:
    """Return a world with a weekly meeting on both sides, its row and its item."""
    world = world or ready()
    pattern = Pattern(kind=PatternKind.WEEKLY, weekdays=(at(10).start.weekday(),))
    recurrence = Recurrence(pattern=pattern, first=at(10).start.date(), count=5)
    row = enter(world, meeting("Weekly", at(10), EVE, recurrence=recurrence, location="Lobby", **fields))
    settled(world)
    return world, row, only(world)


def changed(world: World, row: str, **fields: Any) -> None:
    """Give the second date a content of its own in the CRM."""

    def change(series: Appointment) -> Appointment:
        whole = replace(series, identity=Identity(series.identity.global_object_id, START), recurrence=None)
        part = next(iter(series.exceptions), replace(whole, span=at(10, days=8), exceptions=(), deleted=()))
        return replace(series, exceptions=(replace(part, **fields),))

    world.crm.edit(row, change, by="ada")


def deleted(world: World, row: str) -> None:
    """Delete the second date in the CRM."""
    world.crm.edit(row, lambda series: replace(series, exceptions=(), deleted=(START,)), by="ada")


def kept(world: World) -> list[tuple[Origin, str, str, Identity]]:
    """Return what the trash holds: side, reason, place and identity of each entry."""

    def told(each: Trashed) -> tuple[Origin, str, str, Identity]:
        return each.side, each.reason, each.appointment.location, each.appointment.identity

    return [told(each) for each in trashed(world)]


def gone_everywhere(world: World) -> bool:
    """Return whether neither side has the second date."""
    (row,), (item,) = world.rows(), world.exchange.items(ADA)
    sides = (row.appointment, item.appointment)
    return all((side.exceptions, side.deleted) == ((), (START,)) for side in sides)


@pytest.mark.rule("A-25")
@pytest.mark.parametrize("before", [False, True], ids=["plain", "changed before"])
def test_a_date_deleted_in_outlook_and_edited_in_the_crm_is_kept(before: bool) -> None:
    """The deletion wins, and what the CRM says about that date by now is in the trash, once."""
    world, row, ref = standing()
    if before:
        changed(world, row, location="Zurich")
        settled(world)
    changed(world, row, location="Bern")
    world.exchange.delete_occurrence(ADA, ref, at(10, days=8))
    settled(world)

    identity = replace(world.rows()[0].appointment.identity, original_start=START)
    assert kept(world) == [(Origin.CRM, "edited", "Bern", identity)]
    assert gone_everywhere(world)
    assert_quiet(world)


@pytest.mark.rule("A-11")
@pytest.mark.parametrize("before", [False, True], ids=["plain", "changed before"])
def test_a_date_deleted_in_the_crm_and_edited_in_outlook_is_kept(before: bool) -> None:
    """The other way round: the date goes in Outlook, and what Outlook said about it by then is in the trash, once."""
    world, row, ref = standing()
    if before:
        changed(world, row, location="Zurich")
        settled(world)
    world.exchange.edit_occurrence(ADA, ref, at(10, days=8), lambda part: replace(part, location="Bern"))
    deleted(world, row)
    settled(world)

    ((side, _, location, identity),) = kept(world)
    assert (side, location, identity.original_start) == (Origin.EXCHANGE, "Bern", START)
    assert gone_everywhere(world)
    assert_quiet(world)


@pytest.mark.rule("A-25")
@pytest.mark.rule("A-11")
@pytest.mark.parametrize("where", ["outlook", "crm"])
def test_a_single_date_is_not_asked_about_and_its_overruled_edit_is_kept(where: str) -> None:
    """Whatever the settings ask of whole appointments: a question would hold the whole series (decision 0034)."""
    asking = {"policy": Planning(ask_before_overruling=True), "pushing": Policy(ask_before_overruling=True)}
    world, row, ref = standing(ready(**asking, winner=Winner.ASK))
    if where == "outlook":
        changed(world, row, location="Bern")
        world.exchange.delete_occurrence(ADA, ref, at(10, days=8))
    else:
        world.exchange.edit_occurrence(ADA, ref, at(10, days=8), lambda part: replace(part, location="Bern"))
        deleted(world, row)
    settled(world)

    side = Origin.CRM if where == "outlook" else Origin.EXCHANGE
    assert [(of, place) for of, _, place, _ in kept(world)] == [(side, "Bern")]
    assert (gone_everywhere(world), world.questions()) == (True, ())


@pytest.mark.rule("A-25")
def test_an_overruled_edit_of_a_date_is_kept_where_nothing_goes_to_outlook() -> None:
    """One way only: Outlook deletes the date that the CRM has edited."""
    world, row, ref = standing()
    world.rules = Rules()
    changed(world, row, location="Bern")
    world.exchange.delete_occurrence(ADA, ref, at(10, days=8))
    settled(world)

    assert [(of, reason, place) for of, reason, place, _ in kept(world)] == [(Origin.CRM, "edited", "Bern")]
    assert gone_everywhere(world)


@pytest.mark.rule("A-25")
@pytest.mark.parametrize(("side", "where"), [(Origin.CRM, "outlook"), (Origin.EXCHANGE, "crm")])
@pytest.mark.parametrize("fields", [{"location": "Bern"}, {"span": at(15, days=8)}, {"attendees": (Attendee(ADA),)}])
def test_a_changed_date_that_one_side_deletes_is_kept(side: Origin, where: str, fields: dict[str, Any]) -> None:
    """Place, time or people of its own: it is kept as it stood on the side that lost it, with its organizer."""
    world, row, ref = standing()
    changed(world, row, **fields)
    settled(world)
    if where == "crm":
        deleted(world, row)
    else:
        world.exchange.delete_occurrence(ADA, ref, at(10, days=8))
    settled(world)

    (entry,) = trashed(world)
    content = entry.appointment
    assert (entry.side, entry.reason, content.identity.original_start) == (side, "deleted", START)
    held = {name: getattr(content, name) for name in fields}
    assert held | {"attendees": ()} == fields | {"attendees": ()}
    assert [each.address for each in content.attendees] == ([ADA] if "attendees" in fields else [EVE])
    assert content.organizer is not None and content.organizer.address == ADA
    assert gone_everywhere(world)
    assert_quiet(world)


@pytest.mark.rule("A-25")
@pytest.mark.parametrize("where", ["outlook", "crm"])
def test_a_date_without_a_content_of_its_own_is_not_kept(where: str) -> None:
    """A plain date, or one that only was changed back, says nothing that the series does not say."""
    world, row, ref = standing()
    changed(world, row, location="Bern")
    settled(world)
    changed(world, row, location="Lobby")
    settled(world)
    if where == "crm":
        deleted(world, row)
    else:
        world.exchange.delete_occurrence(ADA, ref, at(10, days=8))
        world.exchange.delete_occurrence(ADA, ref, at(10, days=15))
    settled(world)

    assert trashed(world) == []


@pytest.mark.rule("D-03")
@pytest.mark.parametrize("whole", [False, True])
def test_a_date_is_private_in_the_trash_as_it_or_its_series_is(whole: bool) -> None:
    """Others see neither: what a private series said on one day, nor a private day of an open one."""
    world, row, ref = standing(**({"sensitivity": Sensitivity.PRIVATE} if whole else {}))
    mine = Sensitivity.NORMAL if whole else Sensitivity.PRIVATE
    changed(world, row, location="Bern", sensitivity=mine)
    settled(world)
    world.exchange.delete_occurrence(ADA, ref, at(10, days=8))
    settled(world)

    assert [each.private for each in trashed(world)] == [True]


@pytest.mark.rule("A-25")
def test_an_edited_day_is_kept_when_outlook_moves_the_series_and_deletes_that_day() -> None:
    """The day has another original start by then, and is found all the same (decision 0030)."""
    world, row, ref = standing()
    changed(world, row, location="Bern")
    world.exchange.edit(ADA, ref, lambda series: replace(series, span=at(14)))
    world.exchange.delete_occurrence(ADA, ref, at(14, days=8))
    settled(world)

    assert [(side, where) for side, _, where, _ in kept(world)] == [(Origin.CRM, "Bern")]
    assert_quiet(world)


def lost_once(calls: Any, name: str) -> None:
    """Let the next call happen and its answer be lost."""
    real: Callable[..., Any] = getattr(calls, name)

    def call(*given: Any) -> Any:
        setattr(calls, name, real)
        real(*given)
        raise SyncError("CrmUnavailable", crm="Syncline CRM")

    setattr(calls, name, call)


@pytest.mark.rule("A-25")
@pytest.mark.parametrize("where", ["outlook", "crm"])
def test_a_date_whose_deletion_is_found_done_later_is_kept(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to the write is lost: what the date said is kept when the intent is settled, once."""
    world, row, ref = standing()
    changed(world, row, location="Bern")
    settled(world)
    if where == "outlook":
        world.exchange.delete_occurrence(ADA, ref, at(10, days=8))
        lost_once(world.crm, "reschedule")
    else:
        deleted(world, row)
        real = MemoryReplica.write

        def write(self: MemoryReplica, writes: Sequence[ItemWrite]) -> list[Written]:
            monkeypatch.setattr(MemoryReplica, "write", real)
            real(self, writes)
            raise SyncError("CrmUnavailable", crm="Syncline CRM")

        monkeypatch.setattr(MemoryReplica, "write", write)
    with pytest.raises(SyncError):
        world.sync()
    world.clock.advance(hours=1)
    settled(world)

    side = Origin.CRM if where == "outlook" else Origin.EXCHANGE
    assert [(of, place) for of, _, place, _ in kept(world)] == [(side, "Bern")]
    assert gone_everywhere(world)
    assert_quiet(world)


@pytest.mark.rule("A-25")
@pytest.mark.parametrize("late", ["before the write", "it finds it gone", "it fails"])
def test_a_date_that_an_overtaken_owner_deletes_is_kept_once(late: str) -> None:
    """Another process takes the mailbox over before the write, or between the write and its outcome, and may fail."""
    world, row, ref = standing()
    changed(world, row, location="Bern")
    settled(world)
    world.exchange.delete_occurrence(ADA, ref, at(10, days=8))
    real = world.crm.reschedule

    def reschedule(*given: Any) -> Any:
        world.crm.reschedule = real  # type: ignore[method-assign]
        done = real(*given) if late != "before the write" else None
        world.clock.advance(seconds=world.rules.lease_s + 1)
        if late == "it fails":
            lost_once(world.crm, "changes")
        run_cycle(world.parts, world.connect, world.mailboxes["ada"], "other")
        return done if done is not None else real(*given)

    world.crm.reschedule = reschedule  # type: ignore[method-assign,assignment]
    with pytest.raises(SyncError, match="LeaseLost"):
        world.sync()
    world.clock.advance(hours=1)
    settled(world)

    assert [where for _, _, where, _ in kept(world)] == ["Bern"]
    assert gone_everywhere(world)


@pytest.mark.rule("A-11")
@pytest.mark.parametrize("result", [Result.FAILED, Result.STALE])
def test_a_date_that_goes_before_the_update_is_stopped_is_kept(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dates are deleted one by one, and what comes after is refused or finds the item changed."""
    world, row, _ = standing()
    changed(world, row, location="Bern")
    settled(world)
    deleted(world, row)
    real = MemoryReplica.write
    error = SyncError("ItemRefused", ref="x", mailbox=ADA, subject="Weekly", detail="busy")

    def write(self: MemoryReplica, writes: Sequence[ItemWrite]) -> list[Written]:
        monkeypatch.setattr(MemoryReplica, "write", real)
        stopped = error if result is Result.FAILED else None
        return [replace(done, result=result, error=stopped) for done in real(self, writes)]

    monkeypatch.setattr(MemoryReplica, "write", write)
    settled(world)
    world.clock.advance(hours=1)
    settled(world)

    assert [(side, where) for side, _, where, _ in kept(world)] == [(Origin.EXCHANGE, "Bern")]
    assert gone_everywhere(world)
    assert_quiet(world)


@pytest.mark.rule("Q-02")
def test_a_changed_date_that_an_answer_leaves_out_is_not_kept() -> None:
    """The CRM does without it by an answer, and it stands in Outlook with all that it says."""
    world, row, ref = standing()
    changed(world, row, location="Bern")
    settled(world)
    world.crm.create(meeting("Fair", at(13, days=8, length=3)), owner="ada")
    settled(world)
    world.exchange.edit_occurrence(ADA, ref, at(10, days=8), lambda part: replace(part, span=at(14, days=8)))
    world.sync()
    (question,) = world.questions()
    leaving = alerts.Leaving((START,), question.version)
    alerts.save_without(world.store, world.clock, {question.id: leaving}, "ada")
    settled(world)

    assert next(each for each in world.rows() if each.id == row).appointment.deleted == (START,)
    assert trashed(world) == []
