"""Recurrence rules as text."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.core.recurrence import UnsupportedPattern, from_rrule, starts, to_rrule
from tests.core.series import recurrences, zones

FIRST = date(2026, 11, 23)  # a Monday
WORKDAYS = (0, 1, 2, 3, 4)


def pattern(kind: PatternKind, **more: object) -> Pattern:
    """Give a pattern."""
    return Pattern(kind=kind, **more)  # type: ignore[arg-type]


@pytest.mark.rule("R-09")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FREQ=DAILY", pattern(PatternKind.DAILY)),
        ("RRULE:freq=daily;interval=3", pattern(PatternKind.DAILY, interval=3)),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", pattern(PatternKind.WEEKLY, weekdays=WORKDAYS)),
        ("FREQ=WEEKLY", pattern(PatternKind.WEEKLY, weekdays=(0,))),
        (
            "FREQ=WEEKLY;BYDAY=TU,SU;INTERVAL=2;WKST=SU",
            pattern(PatternKind.WEEKLY, interval=2, weekdays=(1, 6), first_weekday=6),
        ),
        ("FREQ=MONTHLY", pattern(PatternKind.MONTHLY_DAY, day=23)),
        ("FREQ=MONTHLY;BYMONTHDAY=15", pattern(PatternKind.MONTHLY_DAY, day=15)),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", pattern(PatternKind.MONTHLY_DAY, day=31)),
        ("FREQ=MONTHLY;BYMONTHDAY=31", pattern(PatternKind.MONTHLY_DAY, day=31)),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", pattern(PatternKind.MONTHLY_DAY, day=30)),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", pattern(PatternKind.MONTHLY_DAY, day=31)),
        ("FREQ=MONTHLY;BYMONTHDAY=7;BYSETPOS=1", pattern(PatternKind.MONTHLY_DAY, day=7)),
        ("FREQ=MONTHLY;BYDAY=2MO", pattern(PatternKind.MONTHLY_NTH, nth=2, weekdays=(0,))),
        ("FREQ=MONTHLY;BYDAY=-1FR", pattern(PatternKind.MONTHLY_NTH, nth=-1, weekdays=(4,))),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=+3", pattern(PatternKind.MONTHLY_NTH, nth=3, weekdays=(0,))),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            pattern(PatternKind.MONTHLY_NTH, nth=-1, weekdays=WORKDAYS),
        ),
        ("FREQ=MONTHLY;BYDAY=SU,SA;BYSETPOS=1", pattern(PatternKind.MONTHLY_NTH, nth=1, weekdays=(5, 6))),
        ("FREQ=YEARLY", pattern(PatternKind.YEARLY_DAY, day=23, month=11)),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", pattern(PatternKind.YEARLY_DAY, day=29, month=2)),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", pattern(PatternKind.YEARLY_NTH, nth=4, weekdays=(3,), month=11)),
    ],
)
def test_a_rule_is_one_of_six_patterns(text: str, expected: Pattern) -> None:
    """What calendars write for the six patterns is read as that pattern."""
    assert from_rrule(text, FIRST) == Recurrence(pattern=expected, first=FIRST)


@pytest.mark.rule("R-09")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "FREQ",
        "FREQ=",
        "FREQ=HOURLY",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=1000",
        "FREQ=DAILY;COUNT=-3",
        "FREQ=DAILY;COUNT=99999999999999999999",
        "FREQ=DAILY;INTERVAL=1000",
        "FREQ=WEEKLY;INTERVAL=100",
        "FREQ=DAILY;COUNT=3;UNTIL=20270101",
        "FREQ=DAILY;UNTIL=20261122",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;UNTIL=20261345",
        "FREQ=DAILY;INTERVAL=2;BYDAY=MO",
        "FREQ=DAILY;BYMONTH=3",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;WKST=XX",
        "FREQ=MONTHLY;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=5MO",
        "FREQ=MONTHLY;BYDAY=-2MO",
        "FREQ=MONTHLY;BYDAY=1MO,3MO",
        "FREQ=MONTHLY;BYDAY=MO,WE;BYSETPOS=1",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1,2",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=15;BYSETPOS=2",
        "FREQ=YEARLY;BYDAY=1MO",
        "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=1",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=YEARLY;BYYEARDAY=100",
    ],
)
def test_what_exchange_cannot_hold_is_refused(text: str) -> None:
    """A rule that is broken or outside the six patterns is refused with a reason."""
    with pytest.raises(UnsupportedPattern, match=r"\w"):
        from_rrule(text, FIRST)


@settings(deadline=None, max_examples=400)
@given(recurrences(), zones, st.times().map(lambda at: at.replace(microsecond=0)))
def test_text_and_recurrence_lead_to_each_other(recurrence: Recurrence, zone: str, start: time) -> None:
    """Whatever the pattern, the zone and the time of day, the written rule is read as the same recurrence."""
    assert from_rrule(to_rrule(recurrence), recurrence.first) == recurrence
    written = to_rrule(recurrence, start=start, zone=zone)
    assert from_rrule(written, recurrence.first, start=start, zone=zone) == recurrence


@settings(deadline=None, max_examples=200)
@given(recurrences())
def test_another_program_reads_the_same_dates(recurrence: Recurrence) -> None:
    """Another library expands the written rule to the dates the recurrence has."""
    end = recurrence.first + timedelta(days=1200)
    rule = rrulestr(to_rrule(recurrence), dtstart=datetime.combine(recurrence.first, time()))
    found = rule.between(datetime.combine(recurrence.first, time()), datetime.combine(end, time()), inc=True)
    assert [at.date() for at in found] == list(starts(recurrence, recurrence.first, end))


@pytest.mark.parametrize(
    ("until", "start", "zone", "expected"),
    [
        ("20261225", time(9), "Europe/Berlin", date(2026, 12, 25)),
        ("20261225T080000Z", time(9), "Europe/Berlin", date(2026, 12, 25)),
        ("20261225T075959Z", time(9), "Europe/Berlin", date(2026, 12, 24)),
        ("20261225T230000Z", time(9), "Europe/Berlin", date(2026, 12, 25)),
        ("20261225T020000Z", time(20), "America/New_York", date(2026, 12, 24)),
        ("20261225T090000", time(9), "Asia/Kolkata", date(2026, 12, 25)),
        ("20261225T000000Z", time(), "UTC", date(2026, 12, 25)),
    ],
)
def test_until_is_read_in_the_zone_of_the_series(until: str, start: time, zone: str, expected: date) -> None:
    """UNTIL ends the series with the last start that is not after it."""
    assert from_rrule(f"FREQ=DAILY;UNTIL={until}", FIRST, start=start, zone=zone).until == expected


def test_until_is_written_as_the_last_start() -> None:
    """With a time of day UNTIL is the last possible start in UTC, without one a date."""
    recurrence = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=FIRST, until=date(2026, 12, 25))
    assert to_rrule(recurrence) == "FREQ=DAILY;UNTIL=20261225"
    assert to_rrule(recurrence, start=time(9), zone="Europe/Berlin") == "FREQ=DAILY;UNTIL=20261225T080000Z"
    assert datetime(2026, 12, 25, 8, tzinfo=UTC).strftime("%Y%m%dT%H%M%SZ") in to_rrule(
        recurrence, start=time(8), zone="UTC"
    )
