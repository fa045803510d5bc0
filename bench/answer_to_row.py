"""From Yes to the row in the CRM: answered in the process that runs the jobs, in another one, and during a first sync.

The clock starts before the answer is stored and stops when its question says that the appointment is saved, which is
when the row stands. Answers are given one at a time, at times that have nothing to do with the worker's half-second.
During a first sync means: while 10,000 items that are new to the same mailbox are read, planned and booked.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from harness import ADDRESS, START, Meeting, Row, Server, Size, calendar, installation, meetings, run, server, worker

from syncline.core.appointment import Address, Appointment, Identity, Span
from syncline.core.scheduling import ConflictPolicy, persons
from syncline.desk import alerts as desk
from syncline.desk.reading import OPERATOR
from syncline.engine.cycle import run_cycle
from syncline.ports import AlertOutcome, AlertState, Booking, Candidate
from syncline.wiring import App

BENCH = "answer_to_row"
P95_S_MAX = 2.0
POLL_S = 0.01
PATIENCE_S = 120.0
PAUSE_S = 0.7
WALL = START - timedelta(days=200)
HOUR = timedelta(hours=1)
ADA = Address(ADDRESS, "Ada Admin")


def measure(size: Size) -> Iterator[Row]:
    """Measure answers in three situations."""
    count, crowd = size.of(40, 2), size.of(10_000, 300)
    asked = [Meeting(name=f"asked-{n}", start=WALL + n * 2 * HOUR) for n in range(3 * count)]
    with server(calendar(asked)) as exchange, installation(exchange.ews) as app:
        book_over(app, asked)
        run_cycle(app.parts, app.connect, app.store.mailboxes()[0].id, "bench")
        questions = [alert.id for alert in app.store.alerts(states=(AlertState.OPEN,))]
        if len(questions) != len(asked):
            raise SystemExit(f"{len(questions)} of {len(asked)} items were asked about")
        app.worker.start()
        times = [_answer(app, each) for each in questions[:count]]
        app.worker.stop()
        yield from _rows("in the same process", times)
        with worker(app.data):
            yield from _rows("in another process", [_answer(app, each) for each in questions[count : 2 * count]])
            yield from _rows(*_during_first_sync(app, exchange, questions[2 * count :], crowd))


def book_over(app: App, asked: Sequence[Meeting]) -> None:
    """Make Ada busy in the CRM whenever she is asked about."""
    appointments = [
        Appointment(
            identity=Identity(f"in-the-way-{each.name}"), span=Span(each.start, each.start + HOUR), organizer=ADA
        )
        for each in asked
    ]
    bookings = [
        Booking(
            id=found.identity.global_object_id, candidate=Candidate(appointment=found, persons=persons(found, ADDRESS))
        )
        for found in appointments
    ]
    app.crm.book(bookings, ConflictPolicy(check_past=True))


def _during_first_sync(app: App, exchange: Server, questions: Sequence[int], crowd: int) -> tuple[str, list[float]]:
    """Fill the calendar, wake the mailbox and answer while it is read; what was answered too late does not count."""
    mailbox = app.store.mailboxes()[0].id
    exchange.fill(calendar(meetings(crowd, "crowd")))
    before = sum(app.store.link_states(mailbox).values())
    app.store.wake(mailbox, app.clock.now())
    while sum(app.store.link_states(mailbox).values()) == before:
        time.sleep(POLL_S)
    times = []
    for each in questions:
        busy = app.store.holder(mailbox, app.clock.now()) is not None
        took = _answer(app, each)
        if busy:
            times.append(took)
    return f"in another process, while {crowd:,} new items are read", times


def _answer(app: App, alert_id: int) -> float:
    """Say Yes, wait for the row, and return the seconds."""
    time.sleep(random.uniform(0, PAUSE_S))
    began = time.perf_counter()
    given = desk.answer(app, OPERATOR, alert_id, "yes")
    if given.refused is not None:
        raise SystemExit(f"the answer was refused: {given.refused.text}")
    while app.store.alert(alert_id).outcome is not AlertOutcome.SAVED:
        if time.perf_counter() - began > PATIENCE_S:
            raise SystemExit(f"question {alert_id} was answered and nothing was saved")
        time.sleep(POLL_S)
    return time.perf_counter() - began


def _rows(what: str, times: Sequence[float]) -> Iterator[Row]:
    if not times:
        yield Row(bench=BENCH, what=f"answered {what}", value=0.0, unit="answers", note="the sync was over before")
        return
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    note = f"p50 {statistics.median(times):.2f} s, longest {ordered[-1]:.2f} s, {len(times)} answers"
    yield Row(bench=BENCH, what=f"answered {what}: p95", value=p95, unit="s", target=P95_S_MAX, note=note)


if __name__ == "__main__":
    sys.exit(run(measure))
