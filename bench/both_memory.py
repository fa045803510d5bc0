"""Peak memory of `syncline sync` and of its dry run with both directions on, at 50,000 items and 5,000 rows to push.

First the plan of a first sync, then that sync, which brings in the items and makes the rows in Exchange, then the plan
and the sync of 1 % changed in the CRM. The emulator runs in a process of its own, the command in another.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta

from harness import ADDRESS, TEXT, Child, Row, Size, calendar, installation, meetings, run, server, syncline

from syncline.core.appointment import Address, Appointment, Identity, Span
from syncline.core.scheduling import persons
from syncline.ports import Booking, Candidate, Result
from syncline.wiring import App

BENCH = "both_memory"
MEMORY_MB_MAX = 200.0
SHARE = 100
BATCH = 500
SETTINGS = """
[exchange]
write = true
creations_max = 1000000
mails_max = 1000000
"""


def measure(size: Size) -> Iterator[Row]:
    """Measure plans and syncs from a fresh folder and a fresh server."""
    items, rows = size.of(50_000, 60), size.of(5_000, 20)
    with server(calendar(meetings(items))) as exchange, installation(exchange.ews) as app:
        (app.data / "config.toml").write_text(SETTINGS, encoding="utf-8")
        _enter(app, rows)
        whole = f"{items:,} items, {rows:,} rows"
        yield _row(f"first sync, {whole}: plan", _ran(app, 0, "--dry-run"), items + rows)
        yield _row(f"first sync, {whole}", _ran(app, items + rows), items + rows)
        changed = max(items // SHARE, 1)
        _change(app, changed)
        yield _row(f"{changed:,} rows changed of {items + rows:,}: plan", _ran(app, 0, "--dry-run"), changed)
        yield _row(f"{changed:,} rows changed of {items + rows:,}", _ran(app, 0, updated=changed), changed)


def _enter(app: App, rows: int) -> None:
    """Enter rows of the CRM that Exchange has not: appointments of the mailbox's user, without guests."""
    found = [
        Appointment(
            identity=Identity(f"{each.name}@example.org"),
            subject=f"Meeting {each.name}",
            description=TEXT,
            # Between the meetings of the calendar, so that nobody is double-booked.
            span=Span(each.start + timedelta(minutes=65), each.start + timedelta(minutes=85)),
            organizer=Address(ADDRESS, "Ada"),
        )
        for each in meetings(rows, "row")
    ]
    for at in range(0, rows, BATCH):
        bookings = [_booking(each) for each in found[at : at + BATCH]]
        outcomes = app.crm.book(bookings, app.settings.conflict.policy())
        if any(each.result is not Result.SAVED for each in outcomes):
            raise SystemExit(f"rows could not be entered: {outcomes[0]}")


def _booking(appointment: Appointment) -> Booking:
    candidate = Candidate(appointment=appointment, persons=persons(appointment, ADDRESS), user="ada", check=False)
    return Booking(id=f"row-{appointment.identity.global_object_id}", candidate=candidate, owner="ada")


def _change(app: App, count: int) -> None:
    """Change rows as a person: their place."""
    for row_id in app.crm.ids("", count):
        app.crm.edit(row_id, None, {"location": "Room 3"}, by_user="ada")


def _ran(app: App, saved: int, *words: str, updated: int = 0) -> Child:
    done = syncline("sync", "--json", *words, data=app.data)
    told = json.loads(done.output)
    counts = told["saved"], told["updated"], told["failed"]
    if done.code or counts != (saved, updated, 0):
        raise SystemExit(f"exit code {done.code}, saved, updated and failed {counts}: {done.output[:2000]}")
    return done


def _row(what: str, done: Child, items: int) -> Row:
    return Row(
        bench=BENCH, what=f"peak memory, {what}", value=done.memory_mb, unit="MB", target=MEMORY_MB_MAX,
        note=f"{done.wall_s:.1f} s, {done.cpu_s:.1f} s of the processor, {items / done.cpu_s:,.0f} items/s by it",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run(measure))
