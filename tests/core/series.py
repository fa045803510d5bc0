"""Series made up by Hypothesis, and the slow but obvious way to expand them: what the arithmetic is compared with.

The dates come from dateutil, whose rules are written here by hand from RFC 5545 and not by `to_rrule`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil import rrule
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, ShowAs, Span
from syncline.core.recurrence import first_fitting, occurrence_date, occurrence_span, original_start

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "custom:-12600;-9000@3-6#2T7200;-12600@11-6#1T7200",
)
DAY_SETS = (*((day,) for day in range(7)), (0, 1, 2, 3, 4), (5, 6), (0, 1, 2, 3, 4, 5, 6))
FREQUENCIES = {
    PatternKind.DAILY: rrule.DAILY,
    PatternKind.WEEKLY: rrule.WEEKLY,
    PatternKind.MONTHLY_DAY: rrule.MONTHLY,
    PatternKind.MONTHLY_NTH: rrule.MONTHLY,
    PatternKind.YEARLY_DAY: rrule.YEARLY,
    PatternKind.YEARLY_NTH: rrule.YEARLY,
}

dates = st.dates(date(1995, 1, 1), date(2045, 12, 31))
zones = st.sampled_from(ZONES)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """Any complete pattern of the six kinds."""
    kind = draw(st.sampled_from(PatternKind))
    interval = draw(st.sampled_from((1, 1, 1, 2, 3, 4, 7, 12)))
    month = draw(st.integers(1, 12)) if "yearly" in kind else 0
    if kind is PatternKind.DAILY:
        return Pattern(kind=kind, interval=interval)
    if kind is PatternKind.WEEKLY:
        days = draw(st.sets(st.integers(0, 6), min_size=1))
        first_weekday = draw(st.integers(0, 6))
        return Pattern(kind=kind, interval=interval, weekdays=tuple(sorted(days)), first_weekday=first_weekday)
    if kind in (PatternKind.MONTHLY_DAY, PatternKind.YEARLY_DAY):
        day = draw(st.integers(1, 31) | st.integers(28, 31))
        return Pattern(kind=kind, interval=interval, day=day, month=month)
    nth, days = draw(st.sampled_from((1, 2, 3, 4, -1))), draw(st.sampled_from(DAY_SETS))
    return Pattern(kind=kind, interval=interval, nth=nth, weekdays=days, month=month)


_dense = st.builds(
    Pattern,
    kind=st.sampled_from((PatternKind.DAILY, PatternKind.WEEKLY)),
    interval=st.integers(1, 3),
    weekdays=st.sampled_from(((0, 1, 2, 3, 4), (0, 2), (5,), (1, 3, 6))),
    first_weekday=st.sampled_from((0, 6)),
)


@st.composite
def recurrences(draw: st.DrawFn, *, finite: bool = False) -> Recurrence:
    """Any recurrence that begins on a date that fits."""
    pattern = draw(patterns())
    first = first_fitting(pattern, draw(dates))
    end = draw(st.sampled_from(("count", "until") if finite else ("none", "count", "until")))
    count = draw(st.integers(1, 60)) if end == "count" else None
    until = first + timedelta(days=draw(st.integers(0, 2500))) if end == "until" else None
    return Recurrence(pattern=pattern, first=first, count=count, until=until)


@st.composite
def appointments(draw: st.DrawFn, name: str = "candidate", *, near: date | None = None) -> Appointment:
    """Any single or series of any zone, with moved and deleted occurrences and now and then other show-as."""
    zone, all_day = draw(zones), draw(st.integers(0, 4)) == 4
    recurrence = draw(recurrences())
    if near is not None:
        # Series that meet often: dense patterns around one date.
        recurrence = replace(recurrence, pattern=draw(st.one_of(_dense, _dense, patterns())))
        first = first_fitting(recurrence.pattern, near + timedelta(days=draw(st.integers(-400, 60))))
        until = first + timedelta(days=draw(st.integers(0, 900))) if recurrence.until else None
        recurrence = replace(recurrence, first=first, until=until)
    appointment = Appointment(
        identity=Identity(name),
        span=draw(_spans(recurrence.first, zone, all_day)),
        zone=zone,
        show_as=draw(st.sampled_from((*[ShowAs.BUSY] * 5, ShowAs.OUT_OF_OFFICE, ShowAs.TENTATIVE))),
    )
    if draw(st.integers(0, 3)) == 3:
        return appointment
    return _with_exceptions(draw, replace(appointment, recurrence=recurrence))


@st.composite
def _spans(draw: st.DrawFn, day: date, zone: str, all_day: bool) -> Span:
    if all_day:
        begin = datetime.combine(day, time(), UTC)
        return Span(begin, begin + timedelta(days=draw(st.integers(1, 3))), all_day=True)
    from syncline.core.times import instant, wall

    begin = instant(datetime.combine(day, time(draw(st.integers(0, 23)), draw(st.sampled_from((0, 30, 59))))), zone)
    if wall(begin, zone).date() != day:  # a gap at the end of the day
        begin = instant(datetime.combine(day, time(12)), zone)
    return Span(begin, begin + timedelta(minutes=draw(st.sampled_from((600, 60, 15, 900, 3000, 0)))))


def _with_exceptions(draw: st.DrawFn, series: Appointment) -> Appointment:
    assert series.recurrence is not None
    gone, moved = [], []
    for index in sorted(draw(st.sets(st.integers(1, 30), max_size=4))):
        day = occurrence_date(series.recurrence, index)
        if day is None:
            continue
        original = original_start(series, day)
        if draw(st.booleans()):
            gone.append(original)
            continue
        span = occurrence_span(series, day)
        shift = timedelta(days=draw(st.integers(-3, 3)), hours=0 if span.all_day else draw(st.integers(-5, 5)))
        moved.append(
            Appointment(
                identity=Identity(series.identity.global_object_id, original),
                span=Span(span.start + shift, span.end + shift, span.all_day),
                zone=series.zone,
                show_as=draw(st.sampled_from((ShowAs.BUSY, ShowAs.FREE))),
                canceled=draw(st.integers(0, 5)) == 5,
            )
        )
    return replace(series, exceptions=tuple(moved), deleted=tuple(gone))


def oracle(recurrence: Recurrence, first: date | None = None) -> rrule.rrule:
    """Return dateutil's rule for a recurrence: RFC 5545 with the month's last day for days it does not have."""
    pattern, kind = recurrence.pattern, recurrence.pattern.kind
    arguments: dict[str, object] = {}
    if kind is PatternKind.WEEKLY:
        arguments = {"byweekday": pattern.weekdays, "wkst": pattern.first_weekday}
    elif kind in (PatternKind.MONTHLY_DAY, PatternKind.YEARLY_DAY):
        arguments = {"bymonthday": pattern.day}
        if pattern.day > 28:
            arguments = {"bymonthday": tuple(range(28, pattern.day + 1)), "bysetpos": -1}
    elif kind is not PatternKind.DAILY:
        arguments = {"byweekday": pattern.weekdays, "bysetpos": pattern.nth}
    if pattern.month:
        arguments["bymonth"] = pattern.month
    if recurrence.until is not None:
        arguments["until"] = datetime.combine(recurrence.until, time())
    start = datetime.combine(first or recurrence.first, time())
    return rrule.rrule(FREQUENCIES[kind], dtstart=start, interval=pattern.interval, count=recurrence.count, **arguments)


def oracle_dates(recurrence: Recurrence, low: date, high: date) -> Iterator[date]:
    """Yield dateutil's dates within [low, high]."""
    found = oracle(recurrence).between(datetime.combine(low, time()), datetime.combine(high, time()), inc=True)
    return (at.date() for at in found)


def zoneinfo_instant(naive: datetime, zone: str) -> datetime:
    """Return the instant by the standard library alone."""
    return naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
