"""A series that one side moves while the other changes its dates: each date goes to the same day (decision 0030)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.core.merging import Merge, advance, differences, merge
from syncline.core.recurrence import occurrence_day, original_start
from syncline.core.validity import misplaced

BEGIN = datetime.fromisoformat("2026-11-23T09:00:00+00:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=BEGIN.date(), count=6)
AGREED = Appointment(identity=Identity("uid"), subject="Talk", span=Span(BEGIN, BEGIN + HOUR), recurrence=DAILY)
WITH_DATES = frozenset({"exceptions", "exception_texts", "deleted"})
CRM_MOVES, EXCHANGE_MOVES = True, False
SIDES = pytest.mark.parametrize("mover", [CRM_MOVES, EXCHANGE_MOVES])


def merged(agreed: Appointment, moved: Appointment, other: Appointment, mover: bool) -> Merge:
    """Merge with either side as the one that moved."""
    return merge(agreed, other, moved) if mover is CRM_MOVES else merge(agreed, moved, other)


def starting(hours: int, days: int = 0) -> Span:
    """Return an hour of a day of the series, so many hours from its time."""
    begin = BEGIN + days * DAY + hours * HOUR
    return Span(begin, begin + HOUR)


def moved_by(hours: int) -> Appointment:
    """Return the series at another time, without dates of their own."""
    return replace(AGREED, span=starting(hours))


def part_on(day: int, series: Appointment = AGREED, **fields: object) -> Appointment:
    """Return the date of a day of a series as an exception."""
    span = Span(series.span.start + day * DAY, series.span.end + day * DAY)
    plain = replace(series, identity=Identity("uid", span.start), span=span, recurrence=None, exceptions=(), deleted=())
    return replace(plain, **fields)


@pytest.mark.rule("3.1")
@SIDES
def test_a_deleted_date_stays_deleted_at_its_new_start(mover: bool) -> None:
    """The day counts: what was deleted at nine is deleted at seven."""
    other = replace(AGREED, deleted=(BEGIN + DAY,))

    found = merged(AGREED, moved_by(-2), other, mover)

    assert (found.content.span, found.content.deleted) == (starting(-2), (starting(-2, 1).start,))
    assert found.lost == ()


@pytest.mark.rule("3.1")
@SIDES
def test_a_changed_text_stands_at_the_new_time(mover: bool) -> None:
    """A date without a time of its own is where its series is now; what it had from the series follows that."""
    other = replace(AGREED, exceptions=(part_on(1, location="Here"),))
    moved = replace(moved_by(-2), subject="Long talk")

    found = merged(AGREED, moved, other, mover)

    assert found.content.exceptions == (part_on(1, moved, location="Here"),)


@pytest.mark.rule("R-10")
@SIDES
def test_a_time_of_its_own_stays(mover: bool) -> None:
    """Only its original start is another."""
    other = replace(AGREED, exceptions=(part_on(1, span=starting(3, 1)),))

    found = merged(AGREED, moved_by(-2), other, mover)

    assert found.content.exceptions == (part_on(1, moved_by(-2), span=starting(3, 1)),)


@pytest.mark.rule("3.1")
@SIDES
def test_what_was_agreed_before_is_dropped_as_in_exchange(mover: bool) -> None:
    """Exchange forgets the dates of a series that is moved; only what was done since goes along."""
    agreed = replace(AGREED, exceptions=(part_on(1, location="Old"),), deleted=(BEGIN + 2 * DAY,))
    other = replace(agreed, deleted=(*agreed.deleted, BEGIN + 3 * DAY))

    found = merged(agreed, moved_by(-2), other, mover)

    assert (found.content.exceptions, found.content.deleted) == ((), (starting(-2, 3).start,))


@pytest.mark.rule("3.1")
@SIDES
def test_dates_of_the_new_pattern_stand_beside_those_carried_over(mover: bool) -> None:
    """Who moved the series and changed a date of it afterwards keeps that."""
    moved = replace(moved_by(-2), deleted=(starting(-2, 2).start,))
    other = replace(AGREED, deleted=(BEGIN + DAY,))

    found = merged(AGREED, moved, other, mover)

    assert found.content.deleted == (starting(-2, 1).start, starting(-2, 2).start)


@pytest.mark.rule("3.1")
@pytest.mark.parametrize(("crm_wins", "left"), [(frozenset(), "Outlook"), (WITH_DATES, "CRM")])
@SIDES
def test_of_one_day_that_both_changed_the_winner_stands(crm_wins: frozenset[str], left: str, mover: bool) -> None:
    """The setting decides, whoever moved the series."""
    bases = {CRM_MOVES: (AGREED, moved_by(-2)), EXCHANGE_MOVES: (moved_by(-2), AGREED)}
    exchange, crm = bases[mover]
    exchange = replace(exchange, exceptions=(part_on(1, exchange, location="Outlook"),))
    crm = replace(crm, exceptions=(part_on(1, crm, location="CRM"),))

    found = merge(AGREED, exchange, crm, crm_wins)

    assert found.content.exceptions == (part_on(1, moved_by(-2), location=left),)
    assert len(found.lost) == (0 if (left == "CRM") != mover else 1)


@pytest.mark.rule("3.1")
@SIDES
@pytest.mark.parametrize(
    "moved",
    [
        replace(AGREED, recurrence=replace(DAILY, count=1)),
        replace(AGREED, recurrence=replace(DAILY, pattern=Pattern(kind=PatternKind.DAILY, interval=2))),
        replace(AGREED, recurrence=None),
    ],
)
def test_a_change_of_a_day_that_the_series_has_no_more_is_dropped_and_told(moved: Appointment, mover: bool) -> None:
    """The series ends earlier, skips the day or is a single now."""
    other = replace(AGREED, exceptions=(part_on(3, location="Here"),), deleted=(BEGIN + DAY,))

    found = merged(AGREED, moved, other, mover)

    assert (found.content.exceptions, found.content.deleted) == ((), ())
    assert found.lost == (BEGIN + DAY, BEGIN + 3 * DAY)


@pytest.mark.rule("3.1")
@SIDES
def test_a_date_that_would_cross_its_neighbour_is_dropped(mover: bool) -> None:
    """It was moved to the morning of a day on which the series had nothing."""
    weekly = replace(AGREED, recurrence=replace(DAILY, pattern=Pattern(kind=PatternKind.DAILY, interval=2)))
    other = replace(weekly, exceptions=(part_on(2, span=starting(0, 3)),))

    found = merged(weekly, AGREED, other, mover)

    assert (found.content.exceptions, found.lost) == ((), (BEGIN + 2 * DAY,))


@pytest.mark.rule("D-07")
@SIDES
def test_the_day_is_that_of_the_zone_of_the_series(mover: bool) -> None:
    """At ten in the evening in New York it is the next day in UTC already."""
    late = datetime.fromisoformat("2026-11-24T03:00:00+00:00")
    agreed = replace(AGREED, zone="America/New_York", span=Span(late, late + HOUR))
    moved = replace(agreed, span=Span(late - 12 * HOUR, late - 11 * HOUR))
    other = replace(agreed, deleted=(late + DAY,))

    found = merged(agreed, moved, other, mover)

    assert found.content.deleted == (original_start(moved, date(2026, 11, 24)),)


@pytest.mark.rule("3.1")
def test_a_series_that_both_moved_keeps_only_dates_that_it_has() -> None:
    """Nothing is written with an original start that the series does not have."""
    exchange = replace(moved_by(-2), deleted=(starting(-2, 1).start,))
    crm = replace(moved_by(2), deleted=(starting(2, 2).start,))

    assert merge(AGREED, exchange, crm).content.deleted == exchange.deleted
    assert merge(AGREED, exchange, crm, WITH_DATES | {"span"}).content.deleted == crm.deleted
    assert merge(AGREED, moved_by(-2), crm).content.deleted == ()


def dated(series: Appointment, deleted: set[int], changed: dict[int, int]) -> Appointment:
    """Return a series with deleted days, and days moved by hours."""
    parts = [part_on(day, series) for day in sorted(changed.keys() - deleted)]
    moved = [
        replace(part, span=Span(part.span.start + changed[day] * HOUR, part.span.end + changed[day] * HOUR))
        for day, part in zip(sorted(changed.keys() - deleted), parts, strict=True)
    ]
    gone = tuple(series.span.start + day * DAY for day in sorted(deleted))
    return replace(series, exceptions=tuple(moved), deleted=gone)


DAYS = st.sets(st.integers(0, 5), max_size=3)
MOVES = st.dictionaries(st.integers(0, 5), st.integers(-6, 6), max_size=3)
PATTERNS = st.builds(
    lambda hours, count, interval: replace(
        moved_by(hours), recurrence=replace(DAILY, count=count, pattern=replace(DAILY.pattern, interval=interval))
    ),
    st.integers(-8, 8),
    st.integers(1, 6),
    st.integers(1, 2),
)


@pytest.mark.rule("3.1")
@given(st.builds(dated, st.just(AGREED), DAYS, MOVES), st.builds(dated, st.just(AGREED), DAYS, MOVES), PATTERNS)
def test_a_merged_series_has_every_date_that_it_names(
    agreed: Appointment, other: Appointment, moved: Appointment
) -> None:
    """Whoever moved it: no date off the pattern, none crossing, and Exchange has nothing new to say afterwards."""
    for mover in (CRM_MOVES, EXCHANGE_MOVES):
        found = merged(agreed, moved, other, mover).content
        exchange = other if mover is CRM_MOVES else moved
        starts = [*(part.identity.original_start for part in found.exceptions), *found.deleted]

        if not differences(replace(agreed, exceptions=(), deleted=()), moved) & {"span", "recurrence"}:
            continue
        assert all(start is not None and occurrence_day(found, start) is not None for start in starts)
        assert len(starts) == len(set(starts))
        assert misplaced(found) == {}
        after = advance(agreed, exchange, merged(agreed, moved, other, mover).fields)
        assert differences(after, exchange) == frozenset()
