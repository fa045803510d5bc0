"""The check never walks through a calendar: it uses the index, and it says what comparing everything would say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.conformance.samples import ADA, BOB, MONDAY, at, single
from syncline.connectors.embedded_crm import EmbeddedCrm, blockers
from syncline.connectors.embedded_crm.codes import CLASS_LENGTH_S, length_class
from syncline.connectors.memory.crm import MemoryCrm
from syncline.core.appointment import Appointment, Attendee, Identity, Pattern, PatternKind, Recurrence, ShowAs, Span
from syncline.core.scheduling import ConflictPolicy
from syncline.ports import Booking, User
from tests.embedded_crm.world import NAMES, StandingClock, book, candidate, open_crm, saved

ZONES = ("UTC", "Europe/Copenhagen", "Pacific/Auckland", "Pacific/Honolulu")


def plan(crm: EmbeddedCrm, sql: str) -> list[str]:
    """Return how SQLite would find the rows of a query."""
    with crm._database.reading() as connection:
        rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, ("[[0, 1, 0, 3600]]",)).all()
    return [row[3] for row in rows]


@pytest.mark.rule("CD-09")
def test_the_check_finds_busy_times_by_index(crm: EmbeddedCrm) -> None:
    """Spans are found by (person, length class, start range), series by person, rows by key; no table is scanned."""
    spans, series = plan(crm, blockers.SPANS), plan(crm, blockers.SERIES)
    assert any(
        "b USING PRIMARY KEY (user_id=? AND length_class=? AND starts_at>? AND starts_at<?)" in step for step in spans
    )
    assert any("b USING PRIMARY KEY (user_id=?)" in step for step in series)
    tables = ("busy_spans", "busy_series", "appointments", "recurrences", " a", " b", " r")
    assert [step for step in (*spans, *series) if step.startswith("SCAN") and step.endswith(tables)] == []


def test_what_a_check_reads_does_not_grow_with_the_calendar(crm: EmbeddedCrm) -> None:
    """With 2,000 rows around it, a candidate meets only the one that overlaps, however long the longest row is."""
    items = [single(f"row-{n}", at(9, day=n)) for n in range(2_000)]
    items.append(single("sabbatical", at(0, 24 * 300, day=2_500)))
    crm.book([Booking(id=item.subject, candidate=candidate(item, check=False)) for item in items], ConflictPolicy())
    asked = [blockers.Asked(0, 1, *(int(t.timestamp()) for t in (at(9, day=1_000).start, at(9, day=1_000).end)))]
    with crm._database.reading() as connection:
        found = blockers.load_spans(connection, asked)
    assert [blocker.busy.row_id for blocker in found[0, 1]] == ["Subject of row-1000"]
    assert book(crm, "asked", single("asked", at(9, day=2_600))).verdict is not None


@given(st.integers(min_value=0, max_value=400_000_000_000))
def test_every_length_has_the_smallest_class_that_holds_it(length_s: int) -> None:
    """A span is never longer than its class, and would not fit into the class below."""
    number = length_class(length_s)
    assert length_s <= CLASS_LENGTH_S[number]
    assert number == 0 or length_s > CLASS_LENGTH_S[number - 1]


# --- against comparing everything with everything --------------------------------------------------------------------

hours = st.integers(min_value=0, max_value=7 * 24 * 2).map(lambda half: half / 2)
spans = st.one_of(
    st.builds(at, hours, st.sampled_from((0, 0.5, 1, 3, 26, 100))),
    st.builds(
        lambda day, length: Span(MONDAY + timedelta(days=day), MONDAY + timedelta(days=day + length), all_day=True),
        st.integers(0, 6),
        st.integers(1, 3),
    ),
)
attendees = st.lists(st.sampled_from([BOB.address, "cyd@example.org", "x@elsewhere.example"]), unique=True, max_size=2)
patterns = st.sampled_from(
    (Pattern(kind=PatternKind.DAILY), Pattern(kind=PatternKind.DAILY, interval=2), Pattern(kind=PatternKind.WEEKLY))
)
endings: st.SearchStrategy[dict[str, Any]] = st.sampled_from(({"count": 4}, {"until": date(2031, 3, 20)}))


@st.composite
def items(draw: st.DrawFn, name: str) -> Appointment:
    """Draw a single or a series with some exceptions and deletions."""
    span = draw(spans)
    show_as = draw(st.sampled_from((ShowAs.BUSY, ShowAs.BUSY, ShowAs.OUT_OF_OFFICE, ShowAs.TENTATIVE, ShowAs.FREE)))
    people = tuple(Attendee(address) for address in draw(attendees))
    plain = single(name, span, show_as=show_as, attendees=people, organizer=draw(st.sampled_from((ADA, BOB))))
    if draw(st.booleans()):
        return plain
    pattern = draw(patterns)
    if pattern.kind is PatternKind.WEEKLY:
        pattern = replace(pattern, weekdays=tuple(sorted({span.start.weekday(), draw(st.integers(0, 6))})))
    recurrence = Recurrence(pattern=pattern, first=span.start.date(), **draw(endings))
    series = replace(plain, recurrence=recurrence)
    if pattern.kind is PatternKind.WEEKLY:
        return series
    second, third = (span.start + timedelta(days=n * pattern.interval) for n in (1, 2))
    moved = replace(plain, identity=Identity(name, second), span=draw(spans))
    exceptions = (moved,) if draw(st.booleans()) else ()
    return replace(series, exceptions=exceptions, deleted=(third,) if draw(st.booleans()) else ())


@pytest.mark.rule("CD-09")
@given(
    calendar=st.integers(1, 5).flatmap(lambda n: st.tuples(*(items(f"row-{i}") for i in range(n)))),
    asked=items("asked"),
    zone=st.sampled_from(ZONES),
    since=st.integers(0, 96).map(lambda hour: MONDAY + timedelta(hours=hour)),
    policy=st.builds(ConflictPolicy, tentative_blocks=st.booleans(), check_optional=st.booleans()),
)
@settings(max_examples=100, deadline=None)
def test_the_verdict_is_that_of_comparing_everything(
    calendar: tuple[Appointment, ...],
    asked: Appointment,
    zone: str,
    since: datetime,
    policy: ConflictPolicy,
) -> None:
    """For any calendar the embedded CRM finds the people and clashes that the naive CRM in memory finds."""
    ours, naive = open_crm(clock=StandingClock(since)), MemoryCrm()
    for user in ours.users():
        naive.add_user(User(**{**{name: getattr(user, name) for name in User.__slots__}, "time_zone": zone}))
        ours.set_user(user.name, time_zone=zone)
    for item in calendar:
        booking = Booking(id=item.subject, candidate=candidate(item, check=False))
        assert [outcome.result for outcome in ours.book([booking], policy)] == [
            outcome.result for outcome in naive.book([booking], policy)
        ]
    found, expected = (crm.validate([candidate(asked, since=since)], policy)[0] for crm in (ours, naive))
    ours.close()
    assert _facts(found) == _facts(expected)


def _facts(verdict: Any) -> dict[str, list[tuple[datetime, datetime, datetime, str]]]:
    return {
        person.full_name: sorted((c.candidate_start, c.start, c.end, c.subject) for c in person.clashes)
        for person in verdict.unavailable
    }


def test_the_world_has_the_people_of_the_samples() -> None:
    """The naive CRM and ours know the same people."""
    crm = open_crm()
    assert {user.name: user.full_name for user in crm.users()} == NAMES
    assert saved(crm, "one", single("one", Span(datetime(1, 1, 2, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)))) == 1
    crm.close()
