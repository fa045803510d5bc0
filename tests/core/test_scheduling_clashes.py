"""Overlaps of occurrences: the fast comparison against comparing everything with everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.core import overlaps
from syncline.core.appointment import (
    Appointment,
    Attendee,
    Identity,
    Pattern,
    PatternKind,
    Recurrence,
    ShowAs,
    Span,
    Status,
)
from syncline.core.recurrence import first_fitting, occurrence_span, occurrences, starts
from syncline.core.scheduling import (
    AllDayBlocks,
    Busy,
    Clash,
    ConflictPolicy,
    Unavailable,
    Verdict,
    blocks,
    busy_of,
    candidate_times,
    clashes,
    verdict,
)
from syncline.core.times import all_day, blocking, wall
from tests.core.series import appointments, zones

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
POLICY = ConflictPolicy()
PAST = ConflictPolicy(check_past=True)
HOUR = timedelta(hours=1)
LAST = datetime(9000, 1, 1, tzinfo=UTC)
STORED = {ShowAs.BUSY: Status.SCHEDULED, ShowAs.OUT_OF_OFFICE: Status.SCHEDULED}

policies = st.builds(
    ConflictPolicy,
    tentative_blocks=st.booleans(),
    check_past=st.booleans(),
    all_day_blocks=st.sampled_from((AllDayBlocks.BUSY, AllDayBlocks.OUT_OF_OFFICE, AllDayBlocks.NEVER)),
    horizon_days=st.sampled_from((400, 30)),
)


@dataclass(frozen=True)
class Slot:
    """One occurrence that keeps somebody busy."""

    start: datetime
    end: datetime
    span: Span
    part: Appointment


def single(name: str = "single", start: datetime = NOW, length: timedelta = HOUR, **more: object) -> Appointment:
    """Give a single of one hour."""
    return Appointment(identity=Identity(name), span=Span(start, start + length), **more)  # type: ignore[arg-type]


def weekly(name: str = "weekly", start: datetime = NOW, count: int | None = None, **more: object) -> Appointment:
    """Give a weekly series of one hour."""
    zone = str(more.get("zone", "UTC"))
    first = wall(start, zone).date()
    pattern = Pattern(kind=PatternKind.WEEKLY, weekdays=(first.weekday(),))
    return replace(single(name, start, **more), recurrence=Recurrence(pattern=pattern, first=first, count=count))


def slots(
    appointment: Appointment, zone: str, policy: ConflictPolicy, since: datetime | None, until: datetime
) -> Iterator[Slot]:
    """Yield what blocks, occurrence by occurrence (CD-01, CD-06 to CD-08)."""
    for each in occurrences(appointment, datetime(1900, 1, 1, tzinfo=UTC), min(until, LAST) + timedelta(days=5)):
        part = each.exception or appointment
        status = Status.CANCELED if part.canceled else STORED.get(part.show_as, Status.OPEN)
        start, end = blocking(each.span, zone)
        seen = start < end and start < until and (since is None or end >= since)
        if seen and blocks(part.show_as, status, each.span.all_day, policy):
            yield Slot(start, end, each.span, part)


def naive_clashes(
    candidate: Appointment, others: list[Appointment], zone: str, now: datetime, policy: ConflictPolicy
) -> list[tuple[datetime, datetime, str, datetime]]:
    """Compare all occurrences of the candidate with all occurrences of the others (CD-09)."""
    since = None if policy.check_past else now
    ends = now + timedelta(days=policy.horizon_days) if candidate.recurrence else LAST
    ours = list(slots(candidate, zone, policy, since, ends))
    reach = max((slot.end for slot in ours), default=now)
    found = []
    for number, other in enumerate(others):
        if other.identity.global_object_id == candidate.identity.global_object_id:
            continue
        for their in slots(other, zone, policy, since, min(ends, reach)):
            found += [
                (our.span.start, their.span.start, f"row-{number}", their.span.end)
                for our in ours
                if our.start < their.end and their.start < our.end
            ]
    return sorted(found)


def rows(*others: Appointment) -> list[Busy]:
    """Give the blockers that appointments are."""
    return [busy for number, other in enumerate(others) for busy in busy_of(other, f"row-{number}")]


@pytest.mark.rule("CD-09")
@settings(deadline=None, max_examples=400)
@given(
    candidate=appointments("candidate", near=NOW.date()),
    others=st.lists(
        st.sampled_from(("a", "b", "c", "candidate")).flatmap(lambda name: appointments(name, near=NOW.date())),
        min_size=1,
        max_size=4,
    ),
    zone=zones,
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC)),
    policy=policies,
)
def test_the_verdict_equals_comparing_everything(
    candidate: Appointment, others: list[Appointment], zone: str, now: datetime, policy: ConflictPolicy
) -> None:
    """Whatever singles, series, exceptions, zones and settings: the clashes are those of the naive comparison."""
    found = clashes(candidate, rows(*others), zone, now, policy)
    assert [(each.candidate_start, each.start, each.row_id, each.end) for each in found] == naive_clashes(
        candidate, others, zone, now, policy
    )


@pytest.mark.rule("CD-01")
@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (NOW, HOUR, True),
        (NOW + timedelta(minutes=59), HOUR, True),
        (NOW - timedelta(minutes=59), HOUR, True),
        (NOW + HOUR, HOUR, False),
        (NOW - HOUR, HOUR, False),
        (NOW + timedelta(minutes=30), timedelta(0), False),
        (NOW - timedelta(days=2), timedelta(days=4), True),
    ],
)
def test_intervals_conflict_if_they_share_time(start: datetime, length: timedelta, expected: bool) -> None:
    """Touching ends and items of no length never conflict, in either direction."""
    ours, theirs = single("ours"), single("theirs", start, length)
    assert bool(clashes(ours, rows(theirs), "UTC", None, POLICY)) is expected
    assert bool(clashes(theirs, rows(ours), "UTC", None, POLICY)) is expected


@pytest.mark.rule("CD-02")
@pytest.mark.rule("CD-03")
@pytest.mark.rule("CD-04")
@pytest.mark.parametrize(
    ("show_as", "status", "expected"),
    [
        (ShowAs.BUSY, Status.SCHEDULED, True),
        (ShowAs.OUT_OF_OFFICE, Status.SCHEDULED, True),
        (ShowAs.BUSY, Status.OPEN, False),
        (ShowAs.BUSY, Status.COMPLETED, False),
        (ShowAs.BUSY, Status.CANCELED, False),
        (ShowAs.TENTATIVE, Status.OPEN, False),
        (ShowAs.FREE, Status.OPEN, False),
        (ShowAs.FREE, Status.SCHEDULED, False),
        (ShowAs.WORKING_ELSEWHERE, Status.OPEN, False),
    ],
)
def test_only_what_is_scheduled_blocks(show_as: ShowAs, status: Status, expected: bool) -> None:
    """Busy and Out of Office block while they are scheduled, nothing else does."""
    assert blocks(show_as, status, False, POLICY) is expected
    blocker = busy_of(single("theirs", show_as=show_as), "row", status=status)
    assert bool(clashes(single("ours"), blocker, "UTC", NOW, POLICY)) is expected


@pytest.mark.rule("CD-04")
def test_tentative_blocks_if_the_setting_says_so() -> None:
    """With tentative_blocks a tentative item blocks and is checked; without it neither."""
    policy = ConflictPolicy(tentative_blocks=True)
    maybe = single("maybe", show_as=ShowAs.TENTATIVE)
    assert clashes(single(), rows(maybe), "UTC", NOW, policy)
    assert clashes(maybe, rows(single()), "UTC", NOW, policy)
    assert not clashes(maybe, rows(single()), "UTC", NOW, POLICY)
    assert not blocks(ShowAs.TENTATIVE, Status.CANCELED, False, policy)


@pytest.mark.rule("CD-03")
def test_a_meeting_does_not_block_itself() -> None:
    """The row itself, other rows of its global object id and other instances of its series are not in its way."""
    ours = single("ours")
    same = replace(single("ours"), identity=Identity("ours", NOW))
    assert not clashes(ours, [*rows(ours), *busy_of(same, "other")], "UTC", NOW, POLICY)
    assert clashes(ours, busy_of(single("theirs"), "row"), "UTC", NOW, POLICY)
    assert not clashes(ours, busy_of(single("theirs"), "row"), "UTC", NOW, POLICY, row_id="row")


@pytest.mark.rule("CD-03")
def test_items_without_identity_are_not_one_meeting() -> None:
    """Two items without a global object id are two items."""
    assert clashes(single(""), busy_of(single(""), "row"), "UTC", NOW, POLICY)


@pytest.mark.rule("CD-06")
@pytest.mark.parametrize(
    "change", [{"show_as": ShowAs.FREE}, {"show_as": ShowAs.WORKING_ELSEWHERE}, {"canceled": True}]
)
def test_a_candidate_that_does_not_block_is_not_checked(change: dict[str, object]) -> None:
    """What would be stored as Free or Canceled is saved whatever it overlaps."""
    assert not clashes(single("ours", **change), rows(single("theirs")), "UTC", NOW, POLICY)


@pytest.mark.rule("CD-06")
def test_a_series_is_checked_occurrence_by_occurrence() -> None:
    """A free occurrence of a busy series clashes with nothing, a busy one of a free series does."""
    original = NOW + timedelta(days=7)
    theirs = rows(weekly("theirs", count=3))
    free = replace(single("ours", original, show_as=ShowAs.FREE), identity=Identity("ours", original))
    busy = replace(single("ours", original), identity=Identity("ours", original))
    mostly = clashes(weekly("ours", count=3, exceptions=(free,)), theirs, "UTC", NOW, POLICY)
    once = clashes(weekly("ours", count=3, show_as=ShowAs.FREE, exceptions=(busy,)), theirs, "UTC", NOW, POLICY)
    assert [each.candidate_start for each in mostly] == [NOW, NOW + timedelta(days=14)]
    assert [each.candidate_start for each in once] == [original]


@pytest.mark.rule("CD-07")
def test_what_ended_before_now_is_not_compared() -> None:
    """Past occurrences count only if the setting or the caller asks for them."""
    ours, theirs = weekly("ours", count=4), rows(weekly("theirs", count=4))
    later = NOW + timedelta(days=15)
    assert [each.candidate_start for each in clashes(ours, theirs, "UTC", later, POLICY)] == [NOW + timedelta(days=21)]
    assert len(clashes(ours, theirs, "UTC", later, PAST)) == 4
    assert len(clashes(ours, theirs, "UTC", None, POLICY)) == 4
    during = NOW + timedelta(minutes=30)
    assert len(clashes(single("ours"), rows(single("theirs")), "UTC", during, POLICY)) == 1


@pytest.mark.rule("CD-07")
def test_a_past_blocker_does_not_reach_into_a_running_candidate() -> None:
    """A candidate that still runs is not compared with what ended before now."""
    ours, theirs = single("ours", length=timedelta(hours=8)), rows(single("theirs"))
    assert not clashes(ours, theirs, "UTC", NOW + timedelta(hours=2), POLICY)


@pytest.mark.rule("CD-08")
def test_an_all_day_item_blocks_the_persons_own_day() -> None:
    """The evening before is free in Berlin and taken in Kiritimati."""
    holiday = replace(single("holiday"), span=all_day(date(2026, 12, 25), date(2026, 12, 26)))
    evening = rows(single("evening", datetime(2026, 12, 24, 20, tzinfo=UTC)))
    assert not clashes(holiday, evening, "Europe/Berlin", NOW, POLICY)
    found = clashes(holiday, evening, "Pacific/Kiritimati", NOW, POLICY)
    assert [each.candidate_start for each in found] == [datetime(2026, 12, 25, tzinfo=UTC)]


@pytest.mark.rule("CD-08")
@settings(deadline=None)
@given(st.integers(-3, 3), st.integers(1, 3), st.integers(1, 3), zones)
def test_all_day_items_are_compared_by_dates(offset: int, ours_days: int, theirs_days: int, zone: str) -> None:
    """Two all-day items clash exactly if they share a date, in every zone."""
    day = date(2026, 6, 10)
    begins = day + timedelta(days=offset)
    ours = replace(single("ours"), span=all_day(day, day + timedelta(days=ours_days)))
    theirs = replace(single("theirs"), span=all_day(begins, begins + timedelta(days=theirs_days)))
    shared = offset < ours_days and -offset < theirs_days
    assert bool(clashes(ours, rows(theirs), zone, None, POLICY)) is shared


@pytest.mark.rule("CD-08")
@pytest.mark.parametrize(
    ("setting", "show_as", "expected"),
    [
        (AllDayBlocks.BUSY, ShowAs.BUSY, True),
        (AllDayBlocks.BUSY, ShowAs.OUT_OF_OFFICE, True),
        (AllDayBlocks.OUT_OF_OFFICE, ShowAs.BUSY, False),
        (AllDayBlocks.OUT_OF_OFFICE, ShowAs.OUT_OF_OFFICE, True),
        (AllDayBlocks.NEVER, ShowAs.BUSY, False),
        (AllDayBlocks.NEVER, ShowAs.OUT_OF_OFFICE, False),
        (AllDayBlocks.BUSY, ShowAs.FREE, False),
    ],
)
def test_all_day_items_block_by_setting(setting: AllDayBlocks, show_as: ShowAs, expected: bool) -> None:
    """Which all-day items block is a setting, for candidates and blockers alike."""
    policy = ConflictPolicy(all_day_blocks=setting, tentative_blocks=True)
    day = replace(single("day", show_as=show_as), span=all_day(NOW.date(), NOW.date() + timedelta(days=1)))
    assert bool(clashes(day, rows(single()), "UTC", NOW, policy)) is expected
    assert bool(clashes(single(), rows(day), "UTC", NOW, policy)) is expected


@pytest.mark.rule("CD-09")
def test_two_series_in_different_zones_meet_only_while_their_clocks_agree() -> None:
    """Nine in New York and fourteen in Berlin are different hours except in the weeks between the clock changes."""
    ours = weekly("ours", datetime(2026, 1, 5, 13, tzinfo=UTC), 52, zone="Europe/Berlin")
    theirs = rows(weekly("theirs", datetime(2026, 1, 5, 14, tzinfo=UTC), 52, zone="America/New_York"))
    found = [each.candidate_start.date() for each in clashes(ours, theirs, "UTC", None, POLICY)]
    assert found == [date(2026, 3, 9), date(2026, 3, 16), date(2026, 3, 23), date(2026, 10, 26)]


@pytest.mark.rule("CD-09")
def test_a_series_is_compared_up_to_the_horizon() -> None:
    """Endless series are compared for the days of the horizon, singles wherever they are."""
    policy = ConflictPolicy(horizon_days=30)
    assert len(clashes(weekly("ours"), rows(weekly("theirs")), "UTC", NOW, policy)) == 5
    assert len(clashes(weekly("ours"), rows(weekly("theirs")), "UTC", NOW, POLICY)) == 262
    far = NOW + timedelta(days=7 * 2000)
    assert len(clashes(single("ours", far), rows(weekly("theirs")), "UTC", NOW, policy)) == 1


@pytest.mark.rule("CD-09")
def test_the_horizon_counts_from_the_present_when_the_past_is_checked() -> None:
    """Checking the past too does not shorten how far the future is looked at."""
    ours, theirs = weekly("ours", NOW - timedelta(days=700)), rows(weekly("theirs", NOW - timedelta(days=350)))
    policy = ConflictPolicy(horizon_days=14, check_past=True)
    assert len(clashes(ours, theirs, "UTC", NOW, policy)) == 52
    assert len(clashes(ours, theirs, "UTC", None, policy, present=NOW)) == 52
    assert len(clashes(ours, theirs, "UTC", None, policy)) == 2


@pytest.mark.rule("CD-09")
def test_an_age_of_a_century_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check of one hour looks at a few days of an old daily series only."""
    begun = datetime(1926, 1, 1, 9, 30, tzinfo=UTC)
    daily = replace(
        single("daily", begun), recurrence=Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=begun.date())
    )
    looked: list[int] = []
    real = overlaps.ordinals
    monkeypatch.setattr(
        overlaps, "ordinals", lambda *arguments: (found := real(*arguments), looked.append(len(found)))[0]
    )
    assert len(clashes(single("ours"), rows(daily), "UTC", NOW, POLICY)) == 1
    assert max(looked) <= 8


@pytest.mark.rule("CD-05")
def test_an_exception_without_the_person_does_not_keep_them_busy() -> None:
    """Somebody who was taken off one occurrence is not compared there, somebody added to one only there."""
    original = NOW + timedelta(days=7)
    ann, ben = Attendee("ann@x.example"), Attendee("ben@x.example")
    changed = replace(single("ours", original, attendees=(ben,)), identity=Identity("ours", original))
    series = weekly("ours", count=3, attendees=(ann,), exceptions=(changed,))
    theirs = rows(weekly("theirs", count=3))
    of_ann = clashes(series, theirs, "UTC", NOW, POLICY, address="ann@x.example")
    of_ben = clashes(series, theirs, "UTC", NOW, POLICY, address="ben@x.example")
    assert [each.candidate_start for each in of_ann] == [NOW, NOW + timedelta(days=14)]
    assert [each.candidate_start for each in of_ben] == [original]
    assert [busy.without for busy in busy_of(series, "row", address="ann@x.example")] == [(original,)]


@pytest.mark.rule("CD-13")
def test_a_clash_names_the_row_and_its_times() -> None:
    """The result says which row, when it is, how it shows; exceptions have rows of their own."""
    original = NOW + timedelta(days=7)
    changed = replace(single("theirs", original + HOUR, subject="Moved"), identity=Identity("theirs", original))
    series = weekly("theirs", count=3, subject="Weekly", exceptions=(changed,))
    blockers = busy_of(series, "series", exception_ids={original: "exception"})
    found = clashes(single("ours", original, 3 * HOUR), blockers, "UTC", NOW, POLICY)
    assert found == [
        Clash(
            row_id="exception",
            subject="Moved",
            start=original + HOUR,
            end=original + 2 * HOUR,
            show_as=ShowAs.BUSY,
            candidate_start=original,
        )
    ]


@pytest.mark.rule("CD-12")
@pytest.mark.rule("CD-09")
def test_a_verdict_carries_all_unavailable_people() -> None:
    """People without a clash are left out; the dates of all others are joined, each once."""
    ours = weekly("ours", count=4)
    found = clashes(ours, rows(weekly("theirs", count=2), weekly("others", count=2)), "UTC", NOW, POLICY)
    people = [Unavailable(user_id=name, full_name=name, clashes=tuple(found)) for name in ("ann", "ben")]
    nobody = Unavailable(user_id="cy", full_name="cy", clashes=())
    result = verdict(ours, [*people, nobody], NOW, POLICY)
    dates = (NOW, NOW + timedelta(days=7))
    assert result == Verdict(unavailable=tuple(people), occurrences=4, clashing=dates)
    assert verdict(single(), [], NOW, POLICY) == Verdict(occurrences=1)


@pytest.mark.rule("CD-15")
def test_without_the_check_nobody_is_unavailable() -> None:
    """With the feature switched off nothing clashes."""
    assert not clashes(single("ours"), rows(single("theirs")), "UTC", NOW, ConflictPolicy(enabled=False))


@settings(deadline=None, max_examples=200)
@given(appointments("candidate", near=NOW.date()), zones)
def test_an_index_is_asked_for_the_times_that_count(candidate: Appointment, zone: str) -> None:
    """The times of a candidate cover its occurrences from now to the horizon exactly, ordered and apart."""
    policy = ConflictPolicy(horizon_days=90)
    ends = NOW + timedelta(days=90) if candidate.recurrence else LAST
    times = candidate_times(candidate, zone, NOW, policy)
    wanted = list(slots(candidate, zone, policy, NOW, ends))
    assert all(any(start <= slot.start and slot.end <= end for start, end in times) for slot in wanted)
    assert {start for start, _ in times} <= {slot.start for slot in wanted}
    assert {end for _, end in times} <= {slot.end for slot in wanted}
    assert all(earlier[1] < later[0] for earlier, later in pairwise(times))


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 200_000), st.integers(1, 8), st.sampled_from(("Europe/Berlin", "Pacific/Apia", "Asia/Manila")))
def test_bulk_expansion_equals_one_by_one(offset: int, interval: int, zone: str) -> None:
    """In any century, in any zone, a stretch of a series has the same instants as its occurrences one by one."""
    first = date(1500, 1, 1) + timedelta(days=offset)
    pattern = Pattern(kind=PatternKind.DAILY, interval=interval)
    begin = datetime.combine(first_fitting(pattern, first), time(12), UTC)
    series = replace(
        single("ours", begin, timedelta(hours=14)),
        zone=zone,
        recurrence=Recurrence(pattern=pattern, first=wall(begin, zone).date(), count=200),
    )
    assert series.recurrence is not None
    [busy] = busy_of(series, "row")
    course = overlaps.Course(span=busy.span, zone=zone, recurrence=busy.recurrence)
    found = overlaps.track(course, "UTC", overlaps.Window())
    spans = [occurrence_span(series, day) for day in starts(series.recurrence, date.min, date.max)]
    assert list(found.starts) == [overlaps.epoch_s(span.start) for span in spans]
    assert list(found.ends) == [overlaps.epoch_s(span.end) for span in spans]
