"""Exchange to the CRM and back changes nothing: in every zone, over both edges of daylight saving time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.connectors.embedded_crm.rows import stored
from syncline.core.appointment import (
    Appointment,
    Attendee,
    Identity,
    Importance,
    Pattern,
    PatternKind,
    Recurrence,
    Role,
    Sensitivity,
    ShowAs,
    Span,
    Status,
)
from syncline.core.laying import Dates, laid_onto
from syncline.core.merging import (
    EXCEPTION_TEXTS,
    EXCEPTIONS,
    SCHEDULING_FIELDS,
    TEXT_FIELDS,
    PrivatePolicy,
    canonical,
    differences,
    project,
)
from syncline.core.outgoing import ItemUpdate, steps
from syncline.core.pushing import outward
from syncline.core.recurrence import occurrences
from syncline.core.times import (
    ZoneRules,
    all_day,
    clock_of,
    iana_to_windows,
    instant,
    match_zone,
    rules_in,
    wall,
    windows_to_iana,
)
from tests.core.zones import YEAR, ZONES, around

NOW = datetime.fromisoformat("2026-11-23T08:00:00+00:00")
FIELDS = frozenset((*SCHEDULING_FIELDS, *TEXT_FIELDS, EXCEPTIONS, EXCEPTION_TEXTS))
TIMES = (time(0), time(2, 30), time(9))
D_07 = (
    "Eastern Standard Time (Mexico)", "Montevideo Standard Time", "Morocco Standard Time", "Egypt Standard Time",
    "Kaliningrad Standard Time", "Namibia Standard Time", "Sudan Standard Time", "Arabic Standard Time",
    "Turkey Standard Time", "Belarus Standard Time", "Astrakhan Standard Time", "Azerbaijan Standard Time",
    "Russia Time Zone 3", "Russian Standard Time", "Caucasus Standard Time", "Ekaterinburg Standard Time",
    "Altai Standard Time", "W. Mongolia Standard Time", "North Asia Standard Time", "N. Central Asia Standard Time",
    "Omsk Standard Time", "Tomsk Standard Time", "North Asia East Standard Time", "Transbaikal Standard Time",
    "Yakutsk Standard Time", "Vladivostok Standard Time", "Bougainville Standard Time", "Russia Time Zone 10",
    "Magadan Standard Time", "Norfolk Standard Time", "Sakhalin Standard Time", "Russia Time Zone 11",
)  # fmt: skip


def daily(zone: str, first: date, at: time, count: int = 5) -> Appointment:
    """Return a daily series of an hour by the wall clock of a zone."""
    start = instant(datetime.combine(first, at), zone)
    repeats = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=first, count=count)
    return Appointment(
        identity=Identity("round"), subject="Round", span=Span(start, start + timedelta(hours=1)), zone=zone,
        recurrence=repeats,
    )  # fmt: skip


@cache
def _rules(zone: str, year: int) -> ZoneRules:
    return rules_in(zone, year)


def back(item: Appointment) -> Appointment:
    """Return what Exchange should show of the row that was made from an item."""
    return outward(canonical(stored(project(item))), Status.SCHEDULED, canonical(project(item)))


def assert_nothing_changes(item: Appointment) -> None:
    """The row asks for no change, and laid onto the item with every field it leaves nothing to write."""
    agreed, row = project(item), back(item)
    assert differences(agreed, row) == frozenset()
    laid = laid_onto(item, agreed, row, FIELDS, Dates(frozenset(), NOW))
    assert steps(ItemUpdate(ref="r", folder="f", revision="1", before=item, after=laid)) == ()


@pytest.mark.rule("D-07")
def test_the_name_that_exchange_has_for_a_zone_keeps_its_clock() -> None:
    """In this and the coming years the zone of the Windows id goes like the zone it stands for, without exception."""
    named = [(zone, windows_to_iana(iana_to_windows(zone) or "")) for zone in ZONES if iana_to_windows(zone)]
    astray = [
        (zone, other) for zone, other in named for year in (2026, 2030)
        if other is None or _rules(zone, year) != _rules(other, year)
    ]  # fmt: skip
    assert astray == []
    assert len(named) > 590


@pytest.mark.rule("D-07")
def test_a_zone_without_a_name_is_told_by_its_rules() -> None:
    """Its rules of a year lead back to a zone with the same clock."""
    unnamed = [zone for zone in ZONES if iana_to_windows(zone) is None]
    assert unnamed == ["Antarctica/Troll"]
    for zone in unnamed:
        assert match_zone(rules_in(zone, YEAR)) == zone
        assert clock_of(zone) == zone


@pytest.mark.rule("D-07")
def test_the_zones_that_the_product_stumbles_over_are_known_both_ways() -> None:
    """All 32 have an IANA zone, which Exchange calls by a name that has the same clock."""
    assert len(set(D_07)) == 32
    for name in D_07:
        zone = windows_to_iana(name)
        assert zone is not None, name
        again = windows_to_iana(iana_to_windows(zone) or "")
        assert again is not None
        assert rules_in(again, YEAR) == rules_in(zone, YEAR), name


@pytest.mark.rule("D-07")
def test_rows_of_every_zone_come_back_as_they_were() -> None:
    """Series over each edge and whole days: nothing to write, and every date at its hour by the wall clock."""
    for zone in ZONES:
        for first in around(zone):
            for at in TIMES:
                series = daily(zone, first, at)
                assert_nothing_changes(series)
                starts = [wall(each.span.start, zone) for each in occurrences(back(series), *_year())]
                dates = [first + timedelta(days=n) for n in range(5)]
                assert starts == [_shown(datetime.combine(day, at), zone) for day in dates], (zone, at)
            whole = replace(daily(zone, first, time(0)), span=all_day(first, first + timedelta(days=1)))
            assert_nothing_changes(whole)
            assert back(whole).span.start.date() == first


def _shown(plain: datetime, zone: str) -> datetime:
    """Return a wall time as its zone shows it: a skipped one moves, by the offset before; every other stays."""
    before, after = (plain.replace(fold=fold, tzinfo=ZoneInfo(zone)).utcoffset() for fold in (0, 1))
    assert before is not None and after is not None
    return plain + (after - before) if after > before else plain


def _year() -> tuple[datetime, datetime]:
    return NOW.replace(year=YEAR, month=1, day=1), NOW.replace(year=YEAR + 1, month=1, day=1)


@st.composite
def items(draw: st.DrawFn) -> Appointment:
    """Any item near an edge of any zone: single or series, whole days or hours, with dates of its own."""
    zone = draw(st.sampled_from(ZONES))
    first = draw(st.sampled_from(around(zone))) + timedelta(days=draw(st.integers(0, 3)))
    people = draw(st.sets(st.sampled_from(("eve@elsewhere.example", "bob@example.org", "room@example.org"))))
    item = replace(
        daily(zone, first, draw(st.times()).replace(microsecond=0), count=draw(st.integers(3, 9))),
        show_as=draw(st.sampled_from([each for each in ShowAs if each is not ShowAs.WORKING_ELSEWHERE])),
        sensitivity=draw(st.sampled_from(Sensitivity)),
        importance=draw(st.sampled_from(Importance)),
        description=draw(st.sampled_from(("", "One\nTwo", "  <b>", "ä\n\n- x"))),
        attendees=tuple(Attendee(each, role=draw(st.sampled_from(Role))) for each in people),
        categories=("Red",),
        reminder_minutes=draw(st.sampled_from((None, 15))),
    )
    if item.show_as is ShowAs.FREE:
        item = replace(item, reminder_minutes=None)
    if draw(st.booleans()):
        item = replace(item, span=all_day(first, first + timedelta(days=draw(st.integers(1, 2)))))
    if draw(st.booleans()):
        return replace(item, recurrence=None)
    return _with_dates(draw, item)


def _with_dates(draw: st.DrawFn, series: Appointment) -> Appointment:
    starts = [each.span for each in occurrences(series, *_year())]
    gone, moved = draw(st.sampled_from(starts)), draw(st.sampled_from(starts))
    deleted = (gone.start,) if draw(st.booleans()) else ()
    if moved.start in deleted or not draw(st.booleans()):
        return replace(series, deleted=deleted)
    later = timedelta(0) if moved.all_day else timedelta(minutes=draw(st.integers(0, 50)))
    part = replace(
        series,
        identity=Identity("round", moved.start),
        span=replace(moved, start=moved.start + later, end=moved.end + later),
        subject=draw(st.sampled_from(("Round", "Another"))),
        recurrence=None,
    )
    return replace(series, exceptions=(part,), deleted=deleted)


@settings(max_examples=400, deadline=None)
@given(items())
def test_a_round_trip_changes_nothing(item: Appointment) -> None:
    """Whatever Exchange holds of what both sides know, the row made from it asks for no change at all."""
    assert_nothing_changes(item)


@settings(max_examples=200, deadline=None)
@given(items(), st.sampled_from(ZONES))
def test_the_same_clock_under_another_name_is_no_change(item: Appointment, other: str) -> None:
    """Exchange answers with the zone that its Windows id stands for; that is neither an edit nor an echo."""
    named = windows_to_iana(iana_to_windows(item.zone) or "") or item.zone
    answered = replace(item, zone=named, exceptions=tuple(replace(each, zone=named) for each in item.exceptions))
    assert differences(project(item), project(answered)) == frozenset()
    row = back(item)
    laid = laid_onto(answered, project(item), row, FIELDS, Dates(frozenset(), NOW))
    assert steps(ItemUpdate(ref="r", folder="f", revision="1", before=answered, after=laid)) == ()
    moved = differences(project(item), project(replace(item, zone=other)))
    assert (moved == {"zone"}) == (clock_of(other) != clock_of(item.zone))


@pytest.mark.rule("A-15")
@pytest.mark.rule("D-03")
@pytest.mark.parametrize("mask", [PrivatePolicy.IMPORT, PrivatePolicy.MASK])
def test_an_edit_of_one_date_leaves_the_others_as_exchange_has_them(mask: PrivatePolicy) -> None:
    """What the CRM holds shortened, reworded or masked of another date is not written over the original."""
    series = daily("UTC", date(YEAR, 3, 1), time(9))
    first, second = ([each.span for each in occurrences(series, *_year())])[:2]

    def dated(span: Span, **fields: object) -> Appointment:
        plain = replace(series, identity=Identity("round", span.start), span=span, recurrence=None)
        return replace(plain, **fields)  # type: ignore[arg-type]

    rich = dated(
        first, subject="x" * 240, description="Plan  \r\nB", show_as=ShowAs.WORKING_ELSEWHERE,
        sensitivity=Sensitivity.PRIVATE,
    )  # fmt: skip
    item = replace(series, exceptions=(rich, dated(second, location="Oslo")))
    agreed = project(item, mask)
    row = outward(canonical(stored(agreed)), Status.SCHEDULED, agreed)
    moved = replace(row.exceptions[1], location="Bern")
    row = replace(row, exceptions=(row.exceptions[0], moved))
    laid = laid_onto(item, agreed, row, differences(agreed, row), Dates(frozenset(), NOW))

    (step,) = steps(ItemUpdate(ref="r", folder="f", revision="1", before=item, after=laid))
    assert (step.original_start, step.fields, step.after.location) == (second.start, {"location"}, "Bern")
    assert laid.exceptions[0] == rich
