"""Items that fail: one alert each while they fail (5.6), and a bug stops its item or its mailbox, never the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from syncline.connectors.memory import MemoryCrm, MemoryReplica
from syncline.core import merging
from syncline.core.appointment import Sensitivity
from syncline.core.merging import PrivatePolicy
from syncline.core.planning import Policy
from syncline.core.scheduling import ConflictPolicy, Verdict
from syncline.engine.jobs import MemoryQueue
from syncline.engine.run import Rules
from syncline.engine.worker import Worker
from syncline.errors import CATALOGUE, Level, SyncError
from syncline.ports import (
    AlertState,
    Booking,
    Candidate,
    Deletion,
    LinkState,
    Mailbox,
    Observed,
    Outcome,
    Replica,
    Reschedule,
    Result,
)
from tests.engine.world import World, at, meeting

ADA = "ada@example.org"
REFUSED = SyncError("CrmRefused", detail="the plug-in said no")


class StumblingCrm(MemoryCrm):
    """A CRM with a bug: what carries the word "bug" in its subject breaks the call; "no" is refused."""

    def book(self, bookings: Sequence[Booking], policy: ConflictPolicy) -> list[Outcome]:
        """Break on the first buggy booking, before anything is written."""
        for booking in bookings:
            self._stumble(booking.candidate.appointment.subject)
        refused = [booking for booking in bookings if "no" in booking.candidate.appointment.subject]
        done = {
            id(booking): outcome
            for booking, outcome in zip(
                [booking for booking in bookings if booking not in refused],
                super().book([booking for booking in bookings if booking not in refused], policy),
                strict=True,
            )
        }
        return [done.get(id(booking), Outcome(result=Result.FAILED, error=REFUSED)) for booking in bookings]

    def validate(self, candidates: Sequence[Candidate], policy: ConflictPolicy) -> list[Verdict]:
        """Break on the first buggy candidate."""
        for candidate in candidates:
            self._stumble(candidate.appointment.location)
        return super().validate(candidates, policy)

    def reschedule(self, changes: Sequence[Reschedule], policy: ConflictPolicy) -> list[Outcome]:
        """Break in the middle: what came before the buggy change is written."""
        outcomes = []
        for change in changes:
            self._stumble(change.candidate.appointment.subject)
            outcomes.extend(super().reschedule([change], policy))
        return outcomes

    def delete(self, deletions: Sequence[Deletion]) -> list[Outcome]:
        """Break on the first buggy row."""
        for deletion in deletions:
            row = self.read([deletion.id]).get(deletion.id)
            self._stumble(row.appointment.location if row else "")
        return super().delete(deletions)

    def _stumble(self, text: str) -> None:
        if "bug" in text:
            raise ZeroDivisionError("secret body")


class StumblingReplica(MemoryReplica):
    """A connector with a bug: it breaks on whatever batch holds a certain item."""

    broken = ""

    def read(self, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
        """Break if the item is among them."""
        if self.broken in [ref for _, ref in refs]:
            raise KeyError("secret body")
        return super().read(refs)


@pytest.fixture
def world() -> World:
    """Return a world whose CRM has a bug."""
    return World(crm=StumblingCrm())


def told(world: World) -> list[tuple[str, str, int]]:
    """Return the open alerts: code, subject, how often."""
    return [(alert.code, alert.subject, alert.count) for alert in world.questions()]


def test_an_item_that_fails_has_one_alert_until_it_is_saved(world: World) -> None:
    """The warning is counted, not repeated, and withdrawn when the item is saved; others are untouched."""
    ref = world.track(meeting("no", at(10)))
    world.track(meeting("Fine", at(14)))
    world.sync()
    world.clock.advance(minutes=10)
    world.sync()
    (alert,) = world.questions()

    assert CATALOGUE[alert.code].level is Level.WARNING
    assert told(world) == [("CrmRefused", "no", 2)]
    assert alert.link_id == world.link(ref).id
    assert alert.params["detail"] == "the plug-in said no"
    assert world.subjects() == ["Fine"]

    world.change(ref, subject="Yes")
    world.sync()

    assert told(world) == []
    assert world.store.alert(alert.id).state is AlertState.WITHDRAWN
    assert world.subjects() == ["Fine", "Yes"]


def test_an_item_that_fails_for_another_reason_has_the_alert_of_that_reason(world: World) -> None:
    """One item has one open alert at a time."""
    ref = world.track(meeting("no", at(10)))
    world.sync()
    world.change(ref, subject="bug")
    world.sync()

    assert told(world) == [("InternalItemError", "bug", 1)]


@pytest.mark.parametrize("end", ["deleted", "asked", "private"])
def test_the_alert_goes_when_the_item_stops_failing(world: World, end: str) -> None:
    """Deleted, asked about or left out by a rule: nothing stays of the warning."""
    ref = world.track(meeting("no", at(10)))
    world.sync()
    if end == "deleted":
        world.exchange.delete(ADA, ref)
    elif end == "asked":
        world.crm.create(meeting("Review", at(10)), owner="ada")
        world.change(ref, subject="Demo")
    else:
        world.rules = Rules(policy=Policy(private=PrivatePolicy.SKIP))
        world.change(ref, sensitivity=Sensitivity.PRIVATE)
    world.sync()

    codes = {"deleted": [], "asked": ["ExchangeSyncSchedulingConflictsError"], "private": []}
    assert [code for code, _, _ in told(world)] == codes[end]


def test_a_private_item_left_out_says_so(world: World) -> None:
    """With the setting a private item is skipped with PrivateSkipped and never alerted about."""
    world.rules = Rules(policy=Policy(private=PrivatePolicy.SKIP))
    ref = world.track(meeting("Doctor", at(10), sensitivity=Sensitivity.PRIVATE))
    world.sync()

    assert (world.link(ref).state, world.link(ref).sync_error) == (LinkState.SKIPPED, "PrivateSkipped")
    assert told(world) == []


def test_an_unreadable_item_has_an_alert_while_it_cannot_be_read(world: World) -> None:
    """A new item that Exchange cannot hand out is alerted about although nothing of it is known."""
    ref = world.track(meeting("Demo", at(10)))
    world.exchange.spoil(ADA, ref, SyncError("ItemUnreadable", detail="broken"))
    world.sync()
    failing = told(world)
    world.exchange.spoil(ADA, ref, None)
    world.clock.advance(minutes=10)
    world.sync()

    assert [code for code, _, _ in failing] == ["ItemUnreadable"]
    assert told(world) == []
    assert world.subjects() == ["Demo"]


def test_a_known_item_that_turns_unreadable_keeps_its_name_in_the_alert(world: World) -> None:
    """Exchange hands out no subject with the error; the alert names the item by the one it had."""
    ref = world.track(meeting("Scorecards", at(10)))
    world.sync()
    world.change(ref, location="Workshop")
    world.exchange.spoil(ADA, ref, SyncError("ItemUnreadable", subject="", detail="broken"))
    world.sync()

    (alert,) = world.questions()
    assert (alert.code, alert.params["subject"]) == ("ItemUnreadable", "Scorecards")
    assert world.link(ref).error_params["subject"] == "Scorecards"


def test_a_bug_in_the_crm_stops_one_item_of_a_chunk(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The others of the chunk are saved; the log has the trace, the alert names kind and line and no value."""
    ref = world.track(meeting("bug", at(9)))
    world.track(meeting("Demo", at(10)))
    world.track(meeting("Fair", at(12)))
    with caplog.at_level(logging.ERROR):
        world.sync()
    (alert,) = world.questions()

    assert world.subjects() == ["Demo", "Fair"]
    assert (world.link(ref).state, world.link(ref).sync_error) == (LinkState.FAILED, "InternalItemError")
    assert alert.params["detail"].startswith("ZeroDivisionError at test_failing_items.py:")
    assert "secret" not in alert.params["detail"]
    assert "Traceback" in caplog.text


def test_a_bug_in_an_update_stops_one_row(world: World) -> None:
    """What the broken call had written before it broke is found as it stands; nothing is written twice or lost."""
    refs = [world.track(meeting(name, at(hour))) for name, hour in (("A", 9), ("B", 11), ("C", 13))]
    world.sync()
    world.change(refs[0], location="Here")
    world.change(refs[1], subject="bug")
    world.change(refs[2], location="There")
    world.sync()

    assert {row.appointment.subject: row.appointment.location for row in world.rows()} == {
        "A": "Here",
        "B": "",
        "C": "There",
    }
    assert [world.link(ref).sync_error for ref in refs] == [None, "InternalItemError", None]


def test_a_bug_in_a_check_leaves_one_question_waiting(world: World) -> None:
    """When the clashes go away, the items whose check works are saved; the other one waits on."""
    rows = [world.crm.create(meeting(f"Review {hour}", at(hour)), owner="ada") for hour in (9, 14)]
    world.track(meeting("Demo", at(9)))
    world.track(meeting("Fair", at(14), location="bug"))
    world.sync()
    for row in rows:
        world.crm.remove(row)
    world.sync()

    assert world.subjects() == ["Demo"]
    assert [alert.subject for alert in world.questions()] == ["Fair"]


def test_a_bug_in_a_deletion_stops_one_row(world: World) -> None:
    """The other deletions are carried out."""
    refs = [
        world.track(meeting(name, at(hour), location=where)) for name, hour, where in (("A", 9, "bug"), ("B", 11, ""))
    ]
    kept = [world.track(meeting(f"Kept {hour}", at(hour))) for hour in (13, 15, 17)]
    world.sync()
    for ref in refs:
        world.exchange.delete(ADA, ref)
    world.sync()

    assert world.subjects() == ["A", *(f"Kept {hour}" for hour in (13, 15, 17))]
    assert world.link(refs[0]).sync_error == "InternalItemError"
    assert all(world.link(ref).state is LinkState.SETTLED for ref in kept)


def test_a_bug_in_the_connector_stops_one_item_of_a_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch is read item by item; the one that breaks the connector fails alone."""
    monkeypatch.setattr(world, "connect", lambda box: StumblingReplica(world.exchange, box.address))
    bad = world.track(meeting("Bad", at(9)))
    world.track(meeting("Demo", at(10)))
    monkeypatch.setattr(StumblingReplica, "broken", bad)
    world.sync()

    assert world.subjects() == ["Demo"]
    assert world.link(bad).sync_error == "InternalItemError"
    assert [code for code, _, _ in told(world)] == ["InternalItemError"]


@pytest.mark.parametrize("first_cycle", [True, False])
def test_a_bug_in_the_core_stops_one_item(world: World, monkeypatch: pytest.MonkeyPatch, first_cycle: bool) -> None:
    """An item that breaks projection, digest or decision fails alone, when it is new and when it is known."""
    real = merging.project

    def project(appointment: object, private: object) -> object:
        if getattr(appointment, "subject", "") == "Bad":
            raise RecursionError
        return real(appointment, private)  # type: ignore[arg-type]

    bad = world.track(meeting("Good", at(9)))
    demo = world.track(meeting("Demo", at(10)))
    if not first_cycle:
        world.sync()
    monkeypatch.setattr("syncline.engine.deciding.project", project)
    world.change(bad, subject="Bad")
    world.change(demo, subject="Fair")
    world.sync()

    assert world.subjects() == (["Fair"] if first_cycle else ["Fair", "Good"])
    assert world.link(bad).sync_error == "InternalItemError"


def test_a_dry_run_shows_the_failure_of_an_item(world: World) -> None:
    """An item that cannot be told from another one is announced as failing, with its code."""
    world.rules = Rules(policy=Policy(ignore_copies=False))
    first = world.track(meeting("Demo", at(10)))
    world.sync()
    world.exchange.copy(ADA, first)

    assert [(line.action, line.detail) for line in world.preview().plan] == [("fail", "DoubtfulMatch")]


def test_a_bug_in_a_cycle_stops_that_mailbox_with_an_alert(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Ada's mailbox fails with InternalMailboxError and is tried again; Bob's goes on."""

    def connect(mailbox: Mailbox) -> Replica:
        if mailbox.address == ADA:
            raise ZeroDivisionError("secret")
        return world.connect(mailbox)

    world.track(meeting("Demo", at(10), organizer="bob"), "bob")
    worker = Worker(world.parts, connect, MemoryQueue(), owner="test")
    with caplog.at_level(logging.ERROR):
        ada, bob = worker.run_now([world.mailboxes["ada"], world.mailboxes["bob"]])
    (alert,) = world.questions()

    assert ada.error is not None
    assert ada.error.code == "InternalMailboxError"
    assert bob.error is None
    assert world.subjects() == ["Demo"]
    assert alert.code == "InternalMailboxError"
    assert alert.params["mailbox"] == ADA
    assert "Traceback" in caplog.text
    assert world.store.mailbox(world.mailboxes["ada"]).next_due is not None


def test_a_known_failure_of_the_whole_cycle_keeps_its_code(world: World) -> None:
    """A SyncError that no cycle could record is recorded by the worker under its own code."""
    refusal = SyncError("Unauthorized", mailbox=ADA)

    def connect(mailbox: Mailbox) -> Replica:
        raise refusal

    worker = Worker(world.parts, connect, MemoryQueue(), owner="test")
    (result,) = worker.run_now([world.mailboxes["ada"]])

    assert result.error is refusal
    assert told(world) == [("Unauthorized", "", 1)]
    assert world.store.mailbox(world.mailboxes["ada"]).last_error == "Unauthorized"


def lines(world: World, ref: str) -> list[str]:
    """Return what the journal says of an item, oldest first."""
    return [entry.action for entry in world.store.journal(world.link(ref).id, limit=100).items][::-1]


@pytest.mark.rule("B-05")
def test_the_journal_says_that_an_item_could_not_be_read() -> None:
    """Also of an item that nobody has ever read, and of every try; what comes after is told as always."""
    world = World()
    torn = SyncError("ItemUnreadable", mailbox=ADA, subject="Demo", detail="torn")
    ref = world.track(meeting("Demo", at(10)))
    world.exchange.spoil(ADA, ref, torn)
    world.sync()
    assert lines(world, ref) == ["failed"]

    world.exchange.spoil(ADA, ref, None)
    world.exchange.touch(ADA, ref)
    world.sync()
    world.exchange.spoil(ADA, ref, torn)
    world.exchange.touch(ADA, ref)
    world.sync()
    assert lines(world, ref) == ["failed", "saved", "failed"]

    world.exchange.spoil(ADA, ref, None)
    world.exchange.touch(ADA, ref)
    world.sync()
    assert lines(world, ref) == ["failed", "saved", "failed", "settled"]
