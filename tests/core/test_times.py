"""Wall time, zone and instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncline.core.appointment import Span
from syncline.core.times import all_day, blocking, days, epoch_s, from_epoch_s, instant, midnight, wall
from tests.core.series import dates, zones

walls = st.datetimes(datetime(1980, 1, 1), datetime(2045, 12, 31))
instants = walls.map(lambda at: at.replace(microsecond=0, tzinfo=UTC))


def test_the_spring_gap_keeps_the_offset_before_it() -> None:
    """02:30 in the night the clock goes forward is 03:30, also if somebody set fold."""
    at = datetime(2026, 3, 29, 2, 30)
    assert instant(at, "Europe/Berlin") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert instant(at.replace(fold=1), "Europe/Berlin") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert wall(instant(at, "Europe/Berlin"), "Europe/Berlin") == datetime(2026, 3, 29, 3, 30)


def test_the_ambiguous_hour_is_chosen_by_fold() -> None:
    """02:30 in the night the clock goes back means the first pass unless fold says the second."""
    at = datetime(2026, 10, 25, 2, 30)
    assert instant(at, "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert instant(at.replace(fold=1), "Europe/Berlin") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert wall(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Berlin").fold == 0
    assert wall(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/Berlin").fold == 1


@settings(deadline=None)
@given(instants, zones)
def test_an_instant_survives_its_wall_time(at: datetime, zone: str) -> None:
    """The wall time of any instant, in any zone, leads back to it."""
    assert instant(wall(at, zone), zone) == at


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize(
    ("zone", "edge"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1)),
        ("Europe/Berlin", datetime(2026, 10, 25, 1)),
        ("America/New_York", datetime(2026, 3, 8, 7)),
        ("America/New_York", datetime(2026, 11, 1, 6)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15)),
        ("America/St_Johns", datetime(2010, 11, 7, 2, 31)),
        ("Pacific/Apia", datetime(2011, 12, 30, 10)),
    ],
)
def test_every_minute_around_a_clock_change_agrees_with_the_standard_library(
    zone: str, edge: datetime, fold: int
) -> None:
    """Three hours either side of a change, wall and instant are what zoneinfo says, minute by minute."""
    for minutes in range(-180, 181):
        at = (edge + timedelta(minutes=minutes)).replace(tzinfo=UTC)
        local = at.astimezone(ZoneInfo(zone))
        assert wall(at, zone) == local.replace(tzinfo=None)
        assert wall(at, zone).fold == local.fold
        naive = local.replace(tzinfo=None, fold=fold)
        earlier, later = (naive.replace(fold=each, tzinfo=ZoneInfo(zone)).astimezone(UTC) for each in (0, 1))
        assert instant(naive, zone) == (later if fold and later > earlier else earlier)


@pytest.mark.rule("CD-08")
def test_a_day_begins_at_midnight_of_the_persons_zone() -> None:
    """The same all-day span covers other instants for people of other zones."""
    span = all_day(date(2026, 5, 4), date(2026, 5, 5))
    berlin = (datetime(2026, 5, 3, 22, tzinfo=UTC), datetime(2026, 5, 4, 22, tzinfo=UTC))
    assert blocking(span, "Europe/Berlin") == berlin
    assert blocking(span, "UTC") == (span.start, span.end)
    assert days(span) == (date(2026, 5, 4), date(2026, 5, 5))


@pytest.mark.rule("CD-08")
def test_a_day_without_midnight_begins_where_the_gap_ends() -> None:
    """In São Paulo, Beirut and Toronto of 1919 some days had no 00:00; they begin at the change itself."""
    assert midnight(date(2018, 11, 4), "America/Sao_Paulo") == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert midnight(date(2026, 3, 29), "Asia/Beirut") == datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert midnight(date(1919, 3, 31), "America/Toronto") == datetime(1919, 3, 31, 4, 30, tzinfo=UTC)


@pytest.mark.rule("CD-08")
@settings(deadline=None)
@given(dates, zones)
def test_a_day_begins_at_its_first_instant(day: date, zone: str) -> None:
    """At the beginning of a day its date holds, and a second earlier the day before it does."""
    begins = midnight(day, zone)
    if (zone, day) != ("Pacific/Apia", date(2011, 12, 30)):  # Samoa had no such day
        assert wall(begins, zone).date() == day
    assert wall(begins - timedelta(seconds=1), zone).date() < day


@settings(deadline=None)
@given(dates, zones, st.integers(1, 9))
def test_following_days_touch(day: date, zone: str, length: int) -> None:
    """An all-day span ends for everybody at the instant the next one begins."""
    end = day + timedelta(days=length)
    assert blocking(all_day(day, end), zone)[1] == blocking(all_day(end, end + timedelta(days=1)), zone)[0]


def test_a_span_with_a_time_covers_itself() -> None:
    """The zone of the person does not move what has a time of day."""
    span = Span(datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 1, 10, tzinfo=UTC))
    assert blocking(span, "Asia/Kolkata") == (span.start, span.end)


@settings(deadline=None)
@given(instants)
def test_seconds_since_1970_name_an_instant(at: datetime) -> None:
    """An instant is the same after a way through whole seconds."""
    assert from_epoch_s(epoch_s(at)) == at
