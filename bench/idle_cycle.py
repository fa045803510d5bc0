"""Idle cycles at 1,000, 10,000 and 50,000 tracked items: processor time, requests, and the memory of the first sync.

A cycle is idle when nothing has changed on either side. The processor time is that of the cycle's own process; the
emulator runs in another and counts the requests.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator

from harness import Child, Row, Server, Size, calendar, installation, meetings, run, server, syncline, timed

from syncline.engine.cycle import run_cycle
from syncline.wiring import App

BENCH = "idle_cycle"
CPU_MS_MAX = 50.0
MEMORY_MB_MAX = 200.0
REQUESTS_MAX = 2.0
ROUNDS = 9
SIZES = (1_000, 10_000, 50_000)
QUICK_SIZES = (20, 60)


def measure(size: Size) -> Iterator[Row]:
    """Measure every size from a fresh folder and a fresh server."""
    for count in QUICK_SIZES if size.quick else SIZES:
        with server(calendar(meetings(count))) as exchange, installation(exchange.ews) as app:
            done = syncline("sync", "--json", data=app.data)
            if done.code or json.loads(done.output)["saved"] != count:
                raise SystemExit(f"the first sync of {count} items failed: {done.output}")
            yield from _first(done, count)
            yield from _idle(app, exchange, count)


def _first(done: Child, count: int) -> Iterator[Row]:
    yield Row(
        bench=BENCH, what=f"peak memory of syncline sync, {count:,} items", value=done.memory_mb, unit="MB",
        target=MEMORY_MB_MAX, note=f"{count / done.wall_s:,.0f} items/s, {count / done.cpu_s:,.0f} by processor time",
    )  # fmt: skip


def _idle(app: App, exchange: Server, count: int) -> Iterator[Row]:
    mailbox = app.store.mailboxes()[0].id
    _cycle(app, mailbox)
    before = exchange.requests()
    times = [_cycle(app, mailbox) for _ in range(ROUNDS)]
    after = exchange.requests()
    asked = {name: (many - before.get(name, 0)) / ROUNDS for name, many in after.items() if many != before.get(name, 0)}
    cpu, wall = (statistics.median(column) for column in zip(*times, strict=True))
    yield Row(
        bench=BENCH, what=f"idle cycle, {count:,} items: processor time", value=cpu, unit="ms", target=CPU_MS_MAX,
        note=f"median of {ROUNDS}; wall clock {wall:.1f} ms",
    )  # fmt: skip
    yield Row(
        bench=BENCH, what=f"idle cycle, {count:,} items: requests", value=sum(asked.values()), unit="requests",
        target=REQUESTS_MAX, note=", ".join(f"{name} {many:g}" for name, many in sorted(asked.items())),
    )  # fmt: skip


def _cycle(app: App, mailbox: int) -> tuple[float, float]:
    with timed() as took:
        result = run_cycle(app.parts, app.connect, mailbox, "bench")
    if result.error is not None or result.counts.worked:
        raise SystemExit(f"the cycle was not idle: {result}")
    return took.cpu_s * 1_000, took.wall_s * 1_000


if __name__ == "__main__":
    sys.exit(run(measure))
