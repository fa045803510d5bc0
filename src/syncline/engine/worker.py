"""Jobs <-> cycles: asks the state every half second who is due, and runs the cycles on the job engine.

The job boundary: whatever a bug raises stops that one mailbox with an alert and a trace in the log, never the worker.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from syncline.core.appointment import Identity
from syncline.engine.boundary import contain, mailbox_error
from syncline.engine.cycle import CycleResult, plan_cycle, record_failure, run_cycle
from syncline.engine.run import Connect, Parts
from syncline.engine.tracking import track_now, untrack_now
from syncline.errors import SyncError
from syncline.ports import Link, Queue

log = logging.getLogger("syncline.worker")

TICK_S = 0.5
DUE_MAX = 1000

HOUSEKEEPING_S = 24 * 3600.0
Housekeeping = Callable[[datetime], None]
Finished = Callable[[CycleResult, datetime, datetime], None]


class Worker:
    """Run cycles: in the background (`start`), or here and now (`run_now`, `step`)."""

    def __init__(
        self,
        parts: Parts,
        connect: Connect,
        queue: Queue,
        *,
        owner: str,
        finished: Finished | None = None,
        housekeeping: Housekeeping | None = None,
    ) -> None:
        self._parts = parts
        self._connect = connect
        self._queue = queue
        self._owner = owner
        self._finished = finished
        self._housekeeping = housekeeping
        self._kept: datetime | None = None
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    def start(self) -> None:
        """Start taking due mailboxes."""
        self._stop.clear()
        self._queue.start(self._job)
        self._ticker = threading.Thread(target=self._tick, name="syncline-due", daemon=True)
        self._ticker.start()

    def stop(self) -> None:
        """Stop after the running cycles."""
        self._stop.set()
        if self._ticker is not None:
            self._ticker.join()
            self._ticker = None
            self._queue.stop()

    def wake(self, mailbox_ids: Sequence[int]) -> None:
        """Run these mailboxes before all others; the state must say already that they are due."""
        if self._ticker is not None:
            self._queue.enqueue(mailbox_ids, urgent=True)

    def step(self) -> int:
        """Run every mailbox that is due, one after the other, and return how many ran (tests, simulation)."""
        due = self._parts.store.due(self._parts.clock.now(), DUE_MAX)
        for mailbox_id in due:
            self._job(mailbox_id)
        return len(due)

    def run_now(self, mailbox_ids: Sequence[int]) -> list[CycleResult]:
        """Run these mailboxes to the end of every cursor, twice each, since copies of a meeting follow each other."""
        results = {mailbox_id: self._cycle(mailbox_id) for mailbox_id in mailbox_ids}
        for mailbox_id, result in list(results.items()):
            if result.claimed and result.error is None:
                again = self._cycle(mailbox_id)
                results[mailbox_id] = _added(result, again)
        return list(results.values())

    def dry_run(self, mailbox_id: int) -> CycleResult:
        """Return what a cycle would do, without writing to the CRM."""
        return plan_cycle(self._parts, self._connect, mailbox_id, self._owner)

    def track(self, mailbox_id: int, identity: Identity, by: str) -> Link:
        """Track one item now with the check suppressed (A-24); SyncError as in `tracking.track_now`."""
        return track_now(self._parts, self._connect, mailbox_id, self._owner, identity, by)

    def untrack(self, mailbox_id: int, identity: Identity, by: str) -> None:
        """Cut the link of an item that was tracked by `track` (L-12); SyncError as in `tracking.untrack_now`."""
        untrack_now(self._parts, mailbox_id, self._owner, identity, by)

    def _tick(self) -> None:
        while not self._stop.wait(TICK_S):
            now = self._parts.clock.now()
            try:
                self._keep_house(now)
                self._queue.enqueue(self._parts.store.due(now, DUE_MAX))
            except SyncError as error:
                log.warning("due mailboxes cannot be read: %s", error.text)

    def _keep_house(self, now: datetime) -> None:
        """Forget what is over, once a day."""
        if self._housekeeping is None or (self._kept and (now - self._kept).total_seconds() < HOUSEKEEPING_S):
            return
        self._kept = now
        self._housekeeping(now)

    def _job(self, mailbox_id: int) -> None:
        self._cycle(mailbox_id, rest_s=self._parts.rules.floor_s)

    def _cycle(self, mailbox_id: int, *, rest_s: float = 0.0) -> CycleResult:
        started = self._parts.clock.now()
        try:
            result = contain(
                lambda: run_cycle(self._parts, self._connect, mailbox_id, self._owner, rest_s=rest_s),
                lambda bug: self._stopped(mailbox_id, mailbox_error(bug, self._address(mailbox_id))),
                f"the cycle of mailbox {mailbox_id}",
            )
        except SyncError as error:
            result = self._stopped(mailbox_id, error)
        if self._finished is not None and result.claimed:
            self._note(result, started)
        return result

    def _note(self, result: CycleResult, started: datetime) -> None:
        assert self._finished is not None
        try:
            self._finished(result, started, self._parts.clock.now())
        except SyncError as error:
            log.warning("the figures of a cycle cannot be kept: %s", error.text)

    def _stopped(self, mailbox_id: int, error: SyncError) -> CycleResult:
        try:
            record_failure(self._parts, mailbox_id, self._owner, error)
        except SyncError as again:
            # The state itself cannot be written, as on a full disk: the mailbox stays due and is tried again.
            log.warning("a failure of mailbox %s cannot be recorded: %s", mailbox_id, again.text)
        return CycleResult(mailbox_id=mailbox_id, error=error)

    def _address(self, mailbox_id: int) -> str:
        return self._parts.store.mailbox(mailbox_id).address


def _added(first: CycleResult, second: CycleResult) -> CycleResult:
    counts = first.counts
    for name in ("saved", "updated", "deleted", "waiting", "skipped", "failed"):
        setattr(counts, name, getattr(counts, name) + getattr(second.counts, name))
    return CycleResult(mailbox_id=first.mailbox_id, counts=counts, error=second.error)
