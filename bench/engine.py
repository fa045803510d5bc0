"""The engine between two sides in memory: a first sync of 50,000 items, and a cycle in which 1 % of them has changed.

What is measured is a whole cycle with both directions on: observing, planning, applying, and the state, which is
SQLite: first in memory as well, which is what the targets are for, then in a file with every commit on disk, as in
production. The two sides are tables in memory. Half of the 1 % changes in Exchange and half in the CRM. The peer is
vdirsyncer's engine with its own in-memory storages and its own status in SQLite at the same place, on the same items as
iCalendar texts; it runs between two runs of ours.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

from harness import ADDRESS, CATEGORY, TEXT, Meeting, Row, Size, Took, calendar, meetings, run, timed
from memory_sides import Calendar, Rows
from msgspec.structs import replace
from vdirsyncer.storage.memory import MemoryStorage
from vdirsyncer.sync import sync
from vdirsyncer.sync.status import SqliteStatus
from vdirsyncer.vobject import Item

from syncline.core.appointment import Address, Appointment, Attendee, Identity, Response, Span
from syncline.core.guards import Invitations
from syncline.engine.cycle import CycleResult, run_cycle
from syncline.engine.run import Parts, Rules
from syncline.ports import Approval, Mailbox, Profile, TestState, User
from syncline.store import Database
from syncline.wiring import SystemClock

BENCH = "engine"
RATE_MIN = 5_000.0
CHANGED_S_MAX = 1.0
SHARE = 100


@dataclass(frozen=True, slots=True)
class Timings:
    """What one engine took for a first sync, for 1 % changed, and for new rows of the CRM."""

    first: Took
    changed: Took
    pushed: Took


def measure(size: Size) -> Iterator[Row]:
    """Measure both engines, ours twice, with the state of each at both places."""
    for in_file in (False, True):
        yield from _measured_at(size, in_file=in_file)


def _measured_at(size: Size, *, in_file: bool) -> Iterator[Row]:
    total, pushed = size.of(50_000, 200), size.of(5_000, 40)
    with _place(in_file=in_file) as place:
        before = ours(total, pushed, place)
    with _place(in_file=in_file) as place:
        peer = theirs(total, pushed, place)
    with _place(in_file=in_file) as place:
        after = ours(total, pushed, place)
    state = "state in a file" if in_file else "state in memory"
    rows = (
        (f"first sync of {total:,} items", "first", partial(_rate, total), RATE_MIN if not in_file else None),
        (f"1 % of {total:,} items changed", "changed", _seconds, CHANGED_S_MAX),
        (f"{pushed:,} new rows to Exchange", "pushed", partial(_rate, pushed), None),
    )
    for how, words in (("wall_s", state), ("cpu_s", f"{state}, processor time")):
        for what, name, figure, target in rows:
            ours_s = statistics.mean(getattr(getattr(each, name), how) for each in (before, after))
            row = figure(ours_s, getattr(getattr(peer, name), how))
            yield dataclasses.replace(row, what=f"{what}, {words}", target=target)


@contextmanager
def _place(*, in_file: bool) -> Iterator[Path | None]:
    """Give a folder for the state, None for one in memory."""
    if not in_file:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _rate(items: int, took_s: float, peer_s: float) -> Row:
    return Row(
        bench=BENCH, what="", value=items / took_s, unit="items/s", at_least=True, peer=items / peer_s,
        ratio=peer_s / took_s, note="peer: vdirsyncer",
    )  # fmt: skip


def _seconds(took_s: float, peer_s: float) -> Row:
    return Row(
        bench=BENCH, what="", value=took_s, unit="s", peer=peer_s, ratio=peer_s / took_s, note="peer: vdirsyncer"
    )


# --- ours --------------------------------------------------------------------------------------------------------


def ours(total: int, pushed: int, place: Path | None) -> Timings:
    """Run our engine and check what it did."""
    calendar_side, rows = Calendar(CATEGORY), Rows(User(id="1", name="ada", full_name="Ada", emails=(ADDRESS,)))
    for meeting in meetings(total):
        calendar_side.put(_appointment(meeting))
    with _installed(rows, place) as (parts, mailbox):

        def cycle() -> CycleResult:
            return run_cycle(parts, lambda _: calendar_side, mailbox, BENCH)

        first = _timed(cycle, saved=total)
        _require(len(rows.rows) == total, "the CRM has not every item")
        _timed(cycle)
        changed = max(total // SHARE // 2, 1)
        for item in list(calendar_side.items.values())[:changed]:
            calendar_side.put(replace(item.appointment, location="Room 2"), item.ref, item.key)
        for row in list(rows.rows.values())[-changed:]:
            rows.put(replace(row.appointment, location="Room 3"), row.id, by="ada")
        second = _timed(cycle, updated=2 * changed)
        places = [item.appointment.location for item in calendar_side.items.values()]
        _require(places[-changed:] == ["Room 3"] * changed, "Exchange has not every change")
        for meeting in meetings(pushed, "new"):
            rows.put(replace(_appointment(meeting), attendees=(), categories=()), by="ada")
        third = _timed(cycle, saved=pushed)
        _require(len(calendar_side.items) == total + pushed, "Exchange has not every row")
    return Timings(first, second, third)


@contextmanager
def _installed(rows: Rows, place: Path | None) -> Iterator[tuple[Parts, int]]:
    numbers = count(1)
    rules = Rules(outgoing=True, invitations=Invitations(mails_max=1_000_000))
    rules = replace(rules, limits=replace(rules.limits, creations_max=1_000_000))
    store = Database(place / "state.db" if place is not None else ":memory:", key=bytes(32))
    store.migrate()
    parts = Parts(
        store=store, crm=rows, clock=SystemClock(), rules=rules, new_id=lambda: f"new-{next(numbers):09}",
        installation=store.installation(),
    )  # fmt: skip
    profile = store.add_profile(Profile(name="bench", url="https://exchange.example.org", username="sync"))
    mailbox = Mailbox(
        address=ADDRESS, user="ada", profile_id=profile.id, approval=Approval.APPROVED, test=TestState.SUCCESS,
        enabled=True,
    )  # fmt: skip
    try:
        yield parts, store.add_mailbox(mailbox).id
    finally:
        store.close()


def _appointment(meeting: Meeting) -> Appointment:
    return Appointment(
        identity=Identity(f"{meeting.name}@example.org"),
        subject=f"Meeting {meeting.name}",
        description=TEXT,
        location="Room 1",
        span=Span(meeting.start, meeting.start + timedelta(hours=meeting.hours)),
        organizer=Address(ADDRESS, "Ada"),
        attendees=tuple(
            Attendee(f"person{n}@example.net", f"Person {n}", response=Response.ACCEPTED) for n in range(3)
        ),
        categories=(CATEGORY,),
        response=Response.ORGANIZER,
        created=meeting.created,
    )


@contextmanager
def _measured() -> Iterator[Took]:
    """Measure the block without what the sides in memory cost the garbage collector, whichever engine runs."""
    gc.collect()
    gc.freeze()
    try:
        with timed() as took:
            yield took
    finally:
        gc.unfreeze()


def _timed(cycle: Callable[[], CycleResult], **expected: int) -> Took:
    with _measured() as took:
        result = cycle()
    counts = {name: getattr(result.counts, name) for name in ("saved", "updated", "deleted", "waiting", "failed")}
    wanted = dict.fromkeys(counts, 0) | expected
    _require(result.error is None and counts == wanted, f"{counts} and {result.error}, not {wanted}")
    return took


def _require(kept: bool, words: str) -> None:
    if not kept:
        raise SystemExit(words)


# --- theirs ------------------------------------------------------------------------------------------------------


def theirs(total: int, pushed: int, place: Path | None) -> Timings:
    """Run vdirsyncer's engine on the same items, the same changes, and check what it did."""
    one, other = MemoryStorage(), MemoryStorage()
    asyncio.run(_upload(one, _texts(meetings(total))))
    status = SqliteStatus(str(place / "status.db") if place is not None else ":memory:")
    first = _synced(one, other, status)
    _require(len(other.items) == total, "the peer has not every item")
    changed = max(total // SHARE // 2, 1)
    asyncio.run(_edit(one, list(one.items)[:changed], "Room 2"))
    edited = list(one.items)[-changed:]
    asyncio.run(_edit(other, edited, "Room 3"))
    second = _synced(one, other, status)
    _require(all("Room 3" in one.items[name][1].raw for name in edited), "the peer has not every change")
    asyncio.run(_upload(other, _texts(meetings(pushed, "new"))))
    third = _synced(one, other, status)
    _require(len(one.items) == total + pushed, "the peer has not every new item")
    status.close()
    return Timings(first, second, third)


def _texts(found: Iterator[Meeting]) -> Iterator[Item]:
    return (Item(calendar([each])) for each in found)


async def _upload(storage: MemoryStorage, items: Iterator[Item]) -> None:
    for item in items:
        await storage.upload(item)


async def _edit(storage: MemoryStorage, names: Sequence[str], place: str) -> None:
    for name in names:
        etag, item = storage.items[name]
        await storage.update(name, Item(item.raw.replace("Room 1", place)), etag)


def _synced(one: MemoryStorage, other: MemoryStorage, status: SqliteStatus) -> Took:
    with _measured() as took:
        asyncio.run(sync(one, other, status))
    return took


if __name__ == "__main__":
    sys.exit(run(measure))
