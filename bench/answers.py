"""Thousands of questions answered at once: until the answers are accepted, and until the worker has carried them out.

The questions stand in one mailbox, each about an item that overlaps another row of the CRM. Accepted means: answered,
and every question shown as it stands then, as the API returns it. Carried out means: read again from Exchange, booked,
and noted on its question. The same again with No, and with answers that are taken back before the worker begins.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence

from answer_to_row import HOUR, WALL, book_over
from harness import Meeting, Row, Size, calendar, installation, run, server

from syncline.desk import alerts as desk
from syncline.desk.objects import encode
from syncline.desk.reading import OPERATOR
from syncline.engine.cycle import run_cycle
from syncline.engine.questions import CONFLICT
from syncline.wiring import App

BENCH = "answers"
ACCEPTED_S_MAX = 5.0
CARRIED_OUT_S_MAX = 60.0
POLL_S = 0.5
PATIENCE_S = 600.0


def measure(size: Size) -> Iterator[Row]:
    """Measure one answer for many questions."""
    count = size.of(5_000, 60)
    asked = [Meeting(name=f"asked-{n}", start=WALL + n * 2 * HOUR) for n in range(2 * count)]
    with server(calendar(asked)) as exchange, installation(exchange.ews) as app:
        book_over(app, asked)
        mailbox = app.store.mailboxes()[0]
        run_cycle(app.parts, app.connect, mailbox.id, "bench")
        questions = app.store.question_ids(mailbox.id, CONFLICT)
        if len(questions) != len(asked):
            raise SystemExit(f"{len(questions)} of {len(asked)} items were asked about")
        first, second = questions[:count], questions[count:]
        yield _accepted(f"{count:,} questions answered Yes and taken back", lambda: _taken_back(app, first))
        yield _accepted(f"{count:,} questions answered Yes by their ids", lambda: _answered(app, first, "yes"))
        app.worker.start()
        yield _carried_out(app, first, "Yes")
        yield _accepted(f"{count:,} questions answered No by their code", lambda: _answered_code(app, mailbox.address))
        yield _carried_out(app, second, "No")
        app.worker.stop()


def _answered(app: App, ids: Sequence[int], answer: str) -> int:
    given = desk.answer_ids(app, OPERATOR, ids, answer)
    return len(encode([each.alert for each in given if each.refused is None]))


def _answered_code(app: App, mailbox: str) -> int:
    given = desk.answer_code(app, OPERATOR, mailbox, CONFLICT, "no")
    return len(encode([each.alert for each in given if each.refused is None]))


def _taken_back(app: App, ids: Sequence[int]) -> int:
    shown = _answered(app, ids, "yes")
    taken = desk.undo(app, OPERATOR, ids)
    if any(each.refused is not None for each in taken):
        raise SystemExit("an answer was not taken back")
    return shown + len(encode([each.alert for each in taken]))


def _accepted(what: str, act: Callable[[], int]) -> Row:
    began, worked = time.perf_counter(), time.process_time()
    bytes_shown = act()
    took, worked = time.perf_counter() - began, time.process_time() - worked
    note = f"{worked:.1f} s of processor time, {bytes_shown / 1e6:.1f} MB of answers"
    return Row(bench=BENCH, what=f"{what}: until accepted", value=took, unit="s", target=ACCEPTED_S_MAX, note=note)


def _carried_out(app: App, ids: Sequence[int], answer: str) -> Row:
    """Wait until the mailbox has dealt with every answer."""
    began, worked = time.perf_counter(), time.process_time()
    while rest := _left(app, ids):
        if time.perf_counter() - began > PATIENCE_S:
            raise SystemExit(f"{rest} answers were not carried out")
        time.sleep(POLL_S)
    took, worked = time.perf_counter() - began, time.process_time() - worked
    note = f"{worked:.1f} s of processor time"
    what = f"{len(ids):,} answers {answer}: until carried out"
    return Row(bench=BENCH, what=what, value=took, unit="s", target=CARRIED_OUT_S_MAX, note=note)


def _left(app: App, ids: Sequence[int]) -> int:
    """Return how many answers the mailbox has not dealt with."""
    standing = {alert.id for alert in app.store.open_alerts(app.store.mailboxes()[0].id)}
    return len(standing.intersection(ids))


if __name__ == "__main__":
    sys.exit(run(measure))
