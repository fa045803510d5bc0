"""Free times: within working hours, in which nobody is busy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from syncline.core.free_times import HORIZON, Slot, WorkingHours, free_times
from syncline.core.times import wall

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HOURS = WorkingHours()
HOUR = timedelta(hours=1)


def at(hour: float, day: int = 0) -> datetime:
    """Return an instant of that week."""
    return MONDAY + timedelta(days=day, hours=hour)


def starts(slots: tuple[Slot, ...]) -> list[datetime]:
    """Return when the slots begin."""
    return [slot.start for slot in slots]


def test_an_empty_calendar_is_free_from_the_first_working_hour() -> None:
    """Slots follow each other without overlap."""
    assert starts(free_times({}, HOUR, at(5), hours=HOURS, zone="UTC")) == [at(8), at(9), at(10)]


def test_everybody_must_be_free_and_touching_is_free() -> None:
    """What occupies one person occupies the meeting (CD-01)."""
    busy = {"maya": [(at(8), at(9.25))], "jonas": [(at(11), at(16))]}

    assert starts(free_times(busy, HOUR, at(8), hours=HOURS, zone="UTC")) == [at(9.5), at(16), at(8, day=1)]


def test_the_evening_and_the_weekend_are_left_out() -> None:
    """After Friday's last hour comes Monday's first."""
    assert starts(free_times({}, 2 * HOUR, at(14.25, day=4), hours=HOURS, zone="UTC")) == [
        at(14.5, day=4),
        at(8, day=7),
        at(10, day=7),
    ]


def test_hours_are_those_of_the_wall_clock_over_a_clock_change() -> None:
    """08:00 in Copenhagen is 06:00 UTC in summer and 07:00 UTC after the change of 25 October."""
    friday = datetime(2026, 10, 23, 14, tzinfo=UTC)
    found = free_times({}, HOUR, friday, hours=HOURS, zone="Europe/Copenhagen", count=2)

    assert starts(found) == [friday, datetime(2026, 10, 26, 7, tzinfo=UTC)]


def test_what_fits_no_working_day_has_no_free_time() -> None:
    """Longer than the day, or without length: nothing."""
    assert free_times({}, 10 * HOUR, at(8), hours=HOURS, zone="UTC") == ()
    assert free_times({}, timedelta(0), at(8), hours=HOURS, zone="UTC") == ()
    assert free_times({"maya": [(at(0), at(0) + HORIZON)]}, HOUR, at(8), hours=HOURS, zone="UTC") == ()


_MINUTES = st.integers(-600, 20_000)
_INTERVALS = st.lists(st.tuples(_MINUTES, st.integers(0, 600)), max_size=30)


@given(
    taken=_INTERVALS,
    after=st.integers(0, 10_000),
    length=st.integers(5, 500),
    zone=st.sampled_from(["UTC", "Asia/Kolkata"]),
)
def test_a_slot_is_free_long_enough_and_in_hours(
    taken: list[tuple[int, int]], after: int, length: int, zone: str
) -> None:
    """Whatever fills the calendar, no slot overlaps it, and none is earlier than asked."""
    busy = [(at(start / 60), at((start + many) / 60)) for start, many in taken]
    begin, wanted = at(after / 60), timedelta(minutes=length)
    found = free_times({"maya": busy}, wanted, begin, hours=HOURS, zone=zone)

    assert len(found) <= 3
    for slot in found:
        first, last = wall(slot.start, zone), wall(slot.end, zone)
        assert slot.end - slot.start == wanted
        assert slot.start >= begin
        assert first.weekday() < 5
        assert first.replace(hour=8, minute=0) <= first < last <= last.replace(hour=17, minute=0)
        assert not any(start < slot.end and slot.start < end for start, end in busy if start < end)
