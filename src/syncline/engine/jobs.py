"""PgQueuer's in-memory mode behind our Queue port: one asyncio loop on a thread of its own, jobs on worker threads.

The schedule is `mailbox.next_due`, so a lost queue loses nothing and the memory of this one may be forgotten at exit.
It knows mailbox ids only.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from pgqueuer import PgQueuer
from pgqueuer.adapters.inmemory import InMemoryQueries
from pgqueuer.models import Job

ENTRYPOINT = "cycle"
URGENT_PRIORITY = 1000
PRUNE_AFTER_JOBS = 1000
CALL_TIMEOUT_S = 30.0
_POLL = timedelta(seconds=1)
_HEARTBEAT = timedelta(minutes=5)


class MemoryQueue:
    """Run cycles on at most `threads_max` threads (two or more) of this process."""

    def __init__(self, threads_max: int = 8) -> None:
        self._threads_max = threads_max
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._queuer: PgQueuer | None = None
        self._stopping = False
        self._enqueued = 0

    def start(self, work: Callable[[int], None]) -> None:
        """Start the loop and wait until it takes jobs."""
        self._thread = threading.Thread(target=self._run, args=(work,), name="syncline-jobs", daemon=True)
        self._thread.start()
        self._ready.wait()

    def enqueue(self, mailbox_ids: Sequence[int], *, urgent: bool = False) -> None:
        """Ask for jobs from any thread; a mailbox that has one queued or running gets no second."""
        if mailbox_ids and not self._stopping:
            self._call(self._put(list(mailbox_ids), URGENT_PRIORITY if urgent else 0))

    def stop(self) -> None:
        """Take no more jobs and wait for the running ones."""
        if self._thread is None or self._queuer is None:
            return
        self._stopping = True
        self._loop.call_soon_threadsafe(self._queuer.shutdown.set)
        self._thread.join()
        self._thread = None

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(CALL_TIMEOUT_S)

    def _run(self, work: Callable[[int], None]) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(work))
        finally:
            # Whatever ended the loop: nobody may wait for it any more.
            self._stopping = True
            self._ready.set()
            self._loop.close()

    async def _serve(self, work: Callable[[int], None]) -> None:
        queuer = self._queuer = PgQueuer.in_memory()

        @queuer.entrypoint(ENTRYPOINT)
        async def cycle(job: Job) -> None:
            await asyncio.to_thread(work, int(job.payload or b"0"))

        self._ready.set()
        await queuer.qm.run(
            dequeue_timeout=_POLL,
            max_concurrent_tasks=self._threads_max,
            batch_size=max(1, self._threads_max // 2),
            heartbeat_timeout=_HEARTBEAT,
            log_aggregation_interval=timedelta(0),
        )

    async def _put(self, ids: list[int], priority: int) -> None:
        assert self._queuer is not None
        queries = self._queuer.qm.queries
        await queries.enqueue(
            [ENTRYPOINT] * len(ids),
            [str(mailbox_id).encode() for mailbox_id in ids],
            [priority] * len(ids),
            dedupe_key=[f"mailbox:{mailbox_id}" for mailbox_id in ids],
            on_conflict="skip",
        )
        self._enqueued += len(ids)
        if self._enqueued >= PRUNE_AFTER_JOBS and isinstance(queries, InMemoryQueries):
            # The engine keeps three log rows for every job; nothing here reads them.
            self._enqueued = 0
            await queries.clear_queue_log()
