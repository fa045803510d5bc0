"""Conflict check of one candidate against a person with 10,000 busy occurrences, beside dateutil expansion.

The person's calendar: 6,000 singles over five years and 16 weekly series that give the other 4,000 occurrences. The
peer expands every series with dateutil for the candidate's reach and compares all, as a CRM without an index would; its
singles lie ready in a sorted list. One line per row: ours, peer, ratio.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dateutil.rrule import WEEKLY, rrule

from syncline.connectors.embedded_crm import EmbeddedCrm
from syncline.core.appointment import Address, Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.core.scheduling import ConflictPolicy, persons
from syncline.ports import Booking, Candidate

START = datetime(2031, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
SINGLES = 6_000
SERIES = 16
SERIES_COUNT = 250
YEARS_WEEKS = 260
ADA = Address("ada@example.org", "Ada Admin")
CHUNK = 500
TARGET_SINGLE_MS = 1.0
TARGET_SERIES_MS = 10.0


@dataclass(frozen=True)
class Clock:
    """A clock that stands."""

    def now(self) -> datetime:
        return START


def appointment(name: str, start: datetime, count: int | None = None) -> Appointment:
    """Return half an hour of Ada's, or a weekly series of them."""
    pattern = Pattern(kind=PatternKind.WEEKLY, weekdays=(start.weekday(),))
    recurrence = Recurrence(pattern=pattern, first=start.date(), count=count) if count else None
    span = Span(start, start + HALF_HOUR)
    return Appointment(
        identity=Identity(name), span=span, organizer=ADA, recurrence=recurrence, zone="Europe/Copenhagen"
    )


def candidate(found: Appointment) -> Candidate:
    """Return the candidate of Ada's mailbox."""
    return Candidate(appointment=found, persons=persons(found, ADA.address), user="ada", since=START)


def calendar() -> list[Appointment]:
    """Return Ada's busy calendar: mornings full of singles, afternoons with series; lunch and evenings are free."""
    singles = [
        appointment(f"single-{n}", START + (n // 4) * DAY + (7 * 60 + n % 4 * 45) * timedelta(minutes=1))
        for n in range(SINGLES)
    ]
    series = [
        appointment(f"series-{n}", START + (n % 5) * DAY + (13 * 60 + n // 5 * 60) * timedelta(minutes=1), SERIES_COUNT)
        for n in range(SERIES)
    ]
    return singles + series


def peer(items: list[Appointment]) -> Callable[[Appointment], int]:
    """Return a check that expands with dateutil."""
    singles = sorted((item.span.start, item.span.end) for item in items if item.recurrence is None)
    series = [item for item in items if item.recurrence is not None]

    def expanded(item: Appointment, low: datetime, high: datetime) -> list[tuple[datetime, datetime]]:
        if item.recurrence is None:
            return [(item.span.start, item.span.end)]
        rule = rrule(WEEKLY, dtstart=item.span.start, count=item.recurrence.count)
        return [(start, start + HALF_HOUR) for start in rule.between(low, high, inc=True)]

    def check(asked: Appointment) -> int:
        high = asked.span.end + (YEARS_WEEKS * 7 * DAY if asked.recurrence else DAY)
        ours = expanded(asked, asked.span.start, high)
        theirs = singles + [pair for item in series for pair in expanded(item, asked.span.start - DAY, high)]
        theirs.sort()
        return sum(
            1
            for start, end in ours
            for other in theirs[bisect_left(theirs, (start - DAY, start)) : bisect_left(theirs, (end, end))]
            if other[1] > start
        )

    return check


def median_ms(run: Callable[[], object], rounds: int) -> float:
    """Return the median of wall-clock times in milliseconds."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run()
        times.append((time.perf_counter() - begin) * 1_000)
    return statistics.median(times)


def main() -> None:
    """Print one line per row, with the ratio to the peer and the target."""
    items = calendar()
    policy = ConflictPolicy()
    with tempfile.TemporaryDirectory() as folder:
        crm = EmbeddedCrm(Path(folder) / "crm.db", clock=Clock())
        crm.add_user("ada", full_name="Ada Admin", emails=[ADA.address])
        begin = time.perf_counter()
        for place in range(0, len(items), CHUNK):
            crm.book(
                [
                    Booking(id=item.identity.global_object_id, candidate=candidate(item))
                    for item in items[place : place + CHUNK]
                ],
                policy,
            )
        rate = len(items) / (time.perf_counter() - begin)
        by_dateutil = peer(items)
        rows = (
            ("single", appointment("asked", START + 700 * DAY + timedelta(hours=8, minutes=10)), TARGET_SINGLE_MS, 300),
            (
                "five-year weekly series",
                appointment("asked", START + timedelta(hours=13, minutes=15), YEARS_WEEKS),
                TARGET_SERIES_MS,
                50,
            ),
        )
        for name, asked, target_ms, rounds in rows:
            found = len(crm.validate([candidate(asked)], policy)[0].clashing)
            ours = median_ms(lambda asked=asked: crm.validate([candidate(asked)], policy), rounds)
            theirs = median_ms(lambda asked=asked: by_dateutil(asked), 5)
            print(
                f"conflict check, {name}: {ours:.2f} ms (target {target_ms:g} ms), dateutil {theirs:.1f} ms, "
                f"{theirs / ours:.0f} x, {found} clashing"
            )
        print(f"booked with check: {rate:.0f} rows/s")
        crm.close()


if __name__ == "__main__":
    main()
