"""Which occurrences overlap: whole series as sorted lists of seconds, compared by bisection.

A `Track` holds the occurrences of one thing for one person, as instants. It is computed for a window only, from the day
numbers of `core.patterns` and the offsets of the zone, which are constant on nearly every day: those days are done by
one addition, the few days around a clock change exactly. The result equals comparing every occurrence with every other
(CD-09). It must not know who is busy, what blocks, or why anybody asks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from msgspec import Struct

from syncline.core.appointment import Recurrence, Span
from syncline.core.patterns import LAST_ORDINAL, ordinals
from syncline.core.times import blocking, epoch_s, instant, midnight, wall, zone_info

DAY_S = 86_400
_SECOND = timedelta(seconds=1)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# No zone is further from UTC than a day, and no clock change is longer.
_SLACK_S = DAY_S
_NEAR_DAYS_MAX = 50_000
_YEAR_MAX = 9998

_UNBOUNDED = (-(10**12), 10**12)


class Window(Struct, frozen=True, gc=False):
    """Seconds since 1970: what ended before `since` or starts at `until` or later is out of sight."""

    since: int = _UNBOUNDED[0]
    until: int = _UNBOUNDED[1]


class Track(Struct, frozen=True, gc=False):
    """Occurrences ordered by start, in seconds since 1970.

    `starts` and `ends` are what a person is really busy; `shown_starts` and `shown_ends` are the ends of the spans,
    which differ for all-day ones (dates at 00:00 UTC).
    """

    starts: Sequence[int] = ()
    ends: Sequence[int] = ()
    shown_starts: Sequence[int] = ()
    shown_ends: Sequence[int] = ()

    def columns(self) -> tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]:
        """Return the four lists in the order of the constructor."""
        return self.starts, self.ends, self.shown_starts, self.shown_ends


class Course(Struct, frozen=True, gc=False, kw_only=True):
    """What an item occupies: one span, or a series by its rule.

    `span` of a series is its first occurrence; `without` are the original starts that hold nothing.
    """

    span: Span
    zone: str
    recurrence: Recurrence | None = None
    without: tuple[datetime, ...] = ()


def track(course: Course, person_zone: str, window: Window, near: Near | None = None) -> Track:
    """Return the occurrences of a course for a person of that zone, those of no length left out (CD-01).

    With `near` only those that may overlap its track.
    """
    if course.recurrence is None:
        return _kept(_single(course.span, person_zone), window, frozenset())
    found = _days(course, course.recurrence, person_zone, window, near)
    if not found:
        return Track()
    every = _all_day(course.span, found, person_zone) if course.span.all_day else _timed(course, found)
    return _kept(every, window, frozenset(map(epoch_s, course.without)))


def join(tracks: Iterable[Track]) -> Track:
    """Return all occurrences of several tracks as one."""
    rows = sorted(row for each in tracks for row in zip(*each.columns(), strict=True))
    return Track(*zip(*rows, strict=True)) if rows else Track()


class Near:
    """One track, prepared to be compared with many others."""

    def __init__(self, ours: Track) -> None:
        self._ours = ours
        self._reach = max(map(int.__sub__, ours.ends, ours.starts), default=0)
        self._days: dict[tuple[int, int, int], frozenset[int] | None] = {}
        self.first_s = ours.starts[0] if ours.starts else 0
        self.last_s = max(ours.ends, default=0)

    def pairs(self, theirs: Track) -> Iterator[tuple[int, int]]:
        """Yield the places (in ours, in theirs) of all occurrences that overlap; touching ends do not (CD-01)."""
        starts, ends, reach = self._ours.starts, self._ours.ends, self._reach
        for place, (start, end) in enumerate(zip(theirs.starts, theirs.ends, strict=True)):
            for other in range(bisect_right(starts, start - reach), bisect_left(starts, end)):
                if ends[other] > start:
                    yield other, place

    def years(self, length_s: int) -> tuple[int, int]:
        """Return the first and last year in which something of that length may begin or end, and one more each."""
        return _year(max(_ordinal(self.first_s - length_s), 1)) - 1, _year(_ordinal(self.last_s)) + 1

    def days(self, length_s: int, lowest_s: int, highest_s: int) -> frozenset[int] | None:
        """Return the day numbers on which something must begin to overlap, None if they are too many to list.

        Its wall length is `length_s`, the offset of its zone lies between the other two.
        """
        # Rounded up to hours, so that a person's many meetings share few sets.
        key = (-(-length_s // 3600) * 3600 + highest_s - lowest_s, lowest_s, highest_s)
        if key not in self._days:
            self._days[key] = self._list_days(*key)
        return self._days[key]

    def _list_days(self, length_s: int, lowest_s: int, highest_s: int) -> frozenset[int] | None:
        found: set[int] = set()
        for start, end in zip(self._ours.starts, self._ours.ends, strict=True):
            found.update(range(_ordinal(start - length_s + lowest_s), _ordinal(end + highest_s) + 1))
            if len(found) > _NEAR_DAYS_MAX:
                return None
        return frozenset(found)


def _kept(every: Track, window: Window, gone: frozenset[int]) -> Track:
    """Return the occurrences with a length that are in sight and not gone, by their shown starts."""
    since, until = window.since, window.until
    rows = enumerate(zip(every.starts, every.ends, every.shown_starts, strict=True))
    kept = [
        place
        for place, (start, end, shown) in rows
        if start < end and end >= since and start < until and shown not in gone
    ]
    if len(kept) == len(every.starts):
        return every
    return Track(*([column[place] for place in kept] for column in every.columns()))


def _single(span: Span, person_zone: str) -> Track:
    begin, end = blocking(span, person_zone)
    return Track((epoch_s(begin),), (epoch_s(end),), (epoch_s(span.start),), (epoch_s(span.end),))


def _days(course: Course, recurrence: Recurrence, person_zone: str, window: Window, near: Near | None) -> Sequence[int]:
    """Return the day numbers of a series that may be in sight, and near if that is asked."""
    first, last = _walls(course)
    # Elapsed and wall length differ if the first occurrence spans a clock change; the longer one is safe.
    length_s = max(course.span.end - course.span.start, last - first) // _SECOND
    latest = LAST_ORDINAL - length_s // DAY_S - 3
    if near is None:
        low, high = _ordinal(window.since - length_s - 2 * _SLACK_S), _ordinal(window.until + _SLACK_S)
        return ordinals(recurrence, low, min(high, latest))
    lowest_s, highest_s = _offset_range(person_zone if course.span.all_day else course.zone, *near.years(length_s))
    # The length of an occurrence over a clock change differs from its wall length by the change.
    low = _ordinal(near.first_s - length_s - (highest_s - lowest_s) + lowest_s)
    found = ordinals(recurrence, low, min(_ordinal(near.last_s + highest_s), latest))
    days = near.days(length_s, lowest_s, highest_s) if len(found) > 1 else None
    return found if days is None else [ordinal for ordinal in found if ordinal in days]


def _walls(course: Course) -> tuple[datetime, datetime]:
    """Return the wall times of the first occurrence."""
    if course.span.all_day:
        return course.span.start.replace(tzinfo=None), course.span.end.replace(tzinfo=None)
    return wall(course.span.start, course.zone), wall(course.span.end, course.zone)


def _timed(course: Course, found: Sequence[int]) -> Track:
    first, last = _walls(course)
    length_s = (course.span.end - course.span.start) // _SECOND
    starts = _instants(found, first.time(), course.zone)
    ends = _instants(_shifted(found, (last.date() - first.date()).days), last.time(), course.zone)
    kept = [end if end >= start else start + length_s for start, end in zip(starts, ends, strict=True)]
    return Track(starts, kept, starts, kept)


def _all_day(span: Span, found: Sequence[int], person_zone: str) -> Track:
    after = _shifted(found, (span.end - span.start).days)
    return Track(
        _instants(found, None, person_zone),
        _instants(after, None, person_zone),
        [(ordinal - _EPOCH_ORDINAL) * DAY_S for ordinal in found],
        [(ordinal - _EPOCH_ORDINAL) * DAY_S for ordinal in after],
    )


def _shifted(found: Sequence[int], days: int) -> Sequence[int]:
    if not days:
        return found
    if isinstance(found, range):
        return range(found.start + days, found.stop + days, found.step)
    return [ordinal + days for ordinal in found]


def _instants(found: Sequence[int], at: time | None, zone: str) -> list[int]:
    """Return the instants of a wall time (None: the beginning of the day) on the given days, ascending."""
    exactly = _exactly(at, zone)
    time_s = 0 if at is None else at.hour * 3600 + at.minute * 60 + at.second
    instants: list[int] = []
    place = 0
    for year in range(_year(found[0]), _year(found[-1]) + 1):
        for last, offset_s in _runs(zone, year):
            begin, place = place, bisect_right(found, last, place)
            if begin == place:
                continue
            if offset_s is None:
                instants.extend(map(exactly, found[begin:place]))
            else:
                base = time_s - offset_s - _EPOCH_ORDINAL * DAY_S
                instants.extend([ordinal * DAY_S + base for ordinal in found[begin:place]])
    return instants


def _exactly(at: time | None, zone: str) -> Callable[[int], int]:
    if at is None:
        return lambda ordinal: epoch_s(midnight(date.fromordinal(ordinal), zone))
    return lambda ordinal: epoch_s(instant(datetime.combine(date.fromordinal(ordinal), at), zone))


@lru_cache(maxsize=8192)
def _runs(zone: str, year: int) -> tuple[tuple[int, int | None], ...]:
    """Return runs of days of a year as (last day number, offset in seconds or None around a clock change)."""
    if not 1 < year <= _YEAR_MAX:
        return ((date(year, 12, 31).toordinal(), None),)
    first = date(year, 1, 1).toordinal()
    count = date(year, 12, 31).toordinal() + 1 - first
    samples = _offsets(zone, year)
    runs: list[tuple[int, int | None]] = []
    for place in range(count):
        around = samples[place : place + 4]
        offset = around[0] if around.count(around[0]) == len(around) else None
        if runs and runs[-1][1] == offset:
            runs.pop()
        runs.append((first + place, offset))
    return tuple(runs)


@lru_cache(maxsize=1024)
def _offset_range(zone: str, first_year: int, last_year: int) -> tuple[int, int]:
    """Return the least and the greatest offset in seconds of a zone in those years."""
    ranges = [_offset_range_of(zone, min(max(year, 2), _YEAR_MAX)) for year in range(first_year, last_year + 1)]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


@lru_cache(maxsize=8192)
def _offset_range_of(zone: str, year: int) -> tuple[int, int]:
    offsets = _offsets(zone, year)
    return min(offsets), max(offsets)


@lru_cache(maxsize=1024)
def _offsets(zone: str, year: int) -> list[int]:
    """Return the offset in seconds at 00:00 UTC of the days of a year, one before it and two after it."""
    info = zone_info(zone)
    first, end = date(year, 1, 1).toordinal() - 1, date(year + 1, 1, 1).toordinal() + 2
    midnights = (datetime.combine(date.fromordinal(ordinal), time(), UTC) for ordinal in range(first, end))
    return [(at.astimezone(info).utcoffset() or timedelta(0)) // _SECOND for at in midnights]


def _ordinal(seconds: int) -> int:
    return seconds // DAY_S + _EPOCH_ORDINAL


def _year(ordinal: int) -> int:
    return date.fromordinal(ordinal).year
