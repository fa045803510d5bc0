"""Conflict check of one candidate against a person with 10,000 busy occurrences, beside dateutil expansion.

The person's calendar: 6,000 singles over five years and 16 weekly series that give the other 4,000 occurrences. The
peer expands every series with dateutil for the candidate's reach and compares all, as a CRM without an index would; its
singles lie ready in a sorted list.
"""

from __future__ import annotations

import sys
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dateutil.rrule import WEEKLY, rrule
from harness import Row, Size, median_ms, run, timed

from syncline.connectors.embedded_crm import EmbeddedCrm
from syncline.core.appointment import Address, Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.core.scheduling import ConflictPolicy, persons
from syncline.ports import Booking, Candidate

BENCH = "conflict_check"
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


def measure(size: Size) -> Iterator[Row]:
    """Fill a calendar through `book`, then check two candidates against it; nobody is unavailable."""
    items = calendar()[size.of(0, 5_000) :]
    policy = ConflictPolicy()
    with tempfile.TemporaryDirectory() as folder:
        crm = EmbeddedCrm(Path(folder) / "crm.db", clock=Clock())
        crm.add_user("ada", full_name="Ada Admin", emails=[ADA.address])
        with timed() as booking:
            _book(crm, items, policy)
        by_dateutil = peer(items)
        for name, asked, target_ms, rounds in _candidates():
            found = len(crm.validate([candidate(asked)], policy)[0].clashing)
            ours = median_ms(lambda asked=asked: crm.validate([candidate(asked)], policy), size.of(rounds, 3))
            theirs = median_ms(lambda asked=asked: by_dateutil(asked), size.of(5, 1))
            yield Row(
                bench=BENCH, what=f"conflict check, {name}", value=ours, unit="ms", target=target_ms, peer=theirs,
                ratio=theirs / ours, note=f"peer: dateutil expansion; {found} clashing",
            )  # fmt: skip
        crm.close()
    yield Row(
        bench=BENCH, what="booked with the check", value=len(items) / booking.wall_s, unit="rows/s",
        note=f"processor alone: {len(items) / booking.cpu_s:,.0f} rows/s",
    )  # fmt: skip


def _candidates() -> tuple[tuple[str, Appointment, float, int], ...]:
    single = appointment("asked", START + 700 * DAY + timedelta(hours=8, minutes=10))
    series = appointment("asked", START + timedelta(hours=13, minutes=15), YEARS_WEEKS)
    return (("single", single, TARGET_SINGLE_MS, 300), ("five-year weekly series", series, TARGET_SERIES_MS, 50))


def _book(crm: EmbeddedCrm, items: list[Appointment], policy: ConflictPolicy) -> None:
    for place in range(0, len(items), CHUNK):
        chunk = items[place : place + CHUNK]
        crm.book([Booking(id=one.identity.global_object_id, candidate=candidate(one)) for one in chunk], policy)


if __name__ == "__main__":
    sys.exit(run(measure))
