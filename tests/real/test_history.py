"""The real edit history, replayed in Exchange and synchronized on the way, ends like its last snapshot.

The end state is exactly that of a new installation that reads the last snapshot, but for what the rules keep: a single
deleted after it had begun stays in the CRM (A-25), and so does an occurrence deleted after it had begun. Both are
foretold here from the history alone. Edits that Exchange itself refuses are not made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from syncline.core.appointment import Identity
from syncline.core.merging import canonical, differences
from syncline.ports import AlertState, CrmRow, LinkState
from tests.acceptance.installation import Installation, address, checking_past, installed
from tests.real import history, ics
from tests.real.test_calendars import answer_all

pytestmark = pytest.mark.emulator

OWNER = "maya"


@dataclass
class Memory:
    """What the rules keep in the CRM although it is gone from Exchange, told by the icalendar library."""

    kept: set[str] = field(default_factory=set)
    excluded: dict[str, set[datetime]] = field(default_factory=dict)
    _seen: dict[str, ics.Meeting] = field(default_factory=dict)

    def synced(self, bodies: dict[str, str], now: datetime) -> None:
        """Note what a cycle at `now` finds."""
        for uid in self._seen.keys() - bodies.keys():
            head = self._seen.pop(uid).head
            if head is not None and not head.rule and head.start < now:
                self.kept.add(uid)
            self.excluded.pop(uid, None)
        for uid, body in bodies.items():
            self._seen[uid] = read(uid, body)
            head = self._seen[uid].head
            moved = {entry.original for entry in self._seen[uid].others}
            excluded = set(head.excluded) - moved if head is not None else set()
            known = self.excluded.get(uid)
            # a deletion after the start is not carried, one before it or known from the beginning is.
            self.excluded[uid] = {at for at in excluded if known is None or at in known or at >= now}


@pytest.mark.rule("A-25")
@pytest.mark.parametrize(
    ("every", "check_past"),
    [(1, False), (10, True), (1000, False)],
    ids=["each sitting", "each tenth, past too", "at the end"],
)
def test_the_history_ends_like_its_last_snapshot(data_dir: Path, tmp_path: Path, every: int, check_past: bool) -> None:
    """540 edits, synchronized after each sitting, each tenth or once: the CRM holds what the last snapshot says."""
    sittings = list(history.sittings(data_dir))
    conflict = checking_past() if check_past else None
    memory = Memory()
    with installed(tmp_path / "data", now=sittings[0][0], conflict=conflict) as world:
        editor = history.Editor(world.exchange, address(OWNER))
        ready(world)
        for number, (at, edits) in enumerate(sittings, 1):
            world.move_clock(at)
            for edit in edits:
                editor.carry_out(edit)
            if number % every == 0 or number == len(sittings):
                sync(world)
                memory.synced(editor.bodies, at)
        replayed = contents(world)
        states = {link.state for link in world.links().values()}
        end = world.clock.at
    with installed(tmp_path / "snapshot", now=end, conflict=conflict) as world:
        report = world.exchange.load_calendar(address(OWNER), history.calendar(list(editor.bodies.values())))
        assert report.refused == ()
        ready(world)
        sync(world)
        snapshot = contents(world)

    assert states == {LinkState.SETTLED}
    gone = {identity for identity in replayed if identity.global_object_id in memory.kept}
    assert set(replayed) - gone == set(snapshot)
    assert {identity.global_object_id for identity in gone} == memory.kept
    different = {}
    for identity, row in snapshot.items():
        found = differences(canonical(row.appointment), canonical(replayed[identity].appointment))
        if found - {"deleted"} or row.status is not replayed[identity].status:
            different[identity] = found
    assert different == {}
    for identity in snapshot:
        deleted = set(replayed[identity].appointment.deleted)
        assert deleted == memory.excluded[identity.global_object_id], identity


def test_most_of_the_history_can_be_made_in_exchange(data_dir: Path, tmp_path: Path) -> None:
    """Exchange refuses few of the edits, each with a code; the others are all made."""
    made = refused = 0
    with installed(tmp_path / "data") as world:
        editor = history.Editor(world.exchange, address(OWNER))
        for change in history.changes(data_dir):
            editor.carry_out(change)
            refused += change.uid in editor.refused
            made += change.uid not in editor.refused

    assert made + refused == 540
    assert refused <= 10


@cache
def read(uid: str, body: str) -> ics.Meeting:
    """Read the events of one UID."""
    return ics.meetings(ics.entries(history.calendar([body])))[uid]


def ready(world: Installation) -> None:
    """Enable the owner's mailbox."""
    world.hire(OWNER)
    world.add_profile(read_only=True)
    world.enable(OWNER)


def sync(world: Installation) -> None:
    """Sync, and answer Yes to whatever is asked."""
    for result in world.sync():
        assert result.error is None
        assert result.counts.failed == 0
    if world.app.store.alerts(states=[AlertState.OPEN]):
        answer_all(world, "yes")


def contents(world: Installation) -> dict[Identity, CrmRow]:
    """Return every row of the CRM by identity."""
    ids = {entry.series_id or entry.id for entry in world.calendar()}
    return {row.appointment.identity: row for row in world.app.crm.read(sorted(ids)).values()}
