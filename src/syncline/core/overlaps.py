"""Which occurrences overlap: whole series as sorted lists of seconds, compared by bisection.

A `Track` holds the occurrences of one thing for one person, as instants. It is computed for a window only, from the day
numbers of `core.patterns` and the offsets of the zone, which are constant on nearly every day: those days are done by
one addition, the few days around a clock change exactly. The result equals comparing every occurrence with every other
(CD-09). It must not know who is busy, what blocks, or why anybody asks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

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


@dataclass(frozen=True, slots=True)
class Window:
    """Seconds since 1970: what ended before `since` or starts at `until` or later is out of sight."""

    since: int = _UNBOUNDED[0]
    until: int = _UNBOUNDED[1]


@dataclass(frozen=True, slots=True)
class Track:
    """Occurrences ordered by start, in seconds since 1970.

    `starts` and `ends` are what a person is really busy; `shown_starts` and `shown_ends` are the ends of the spans,
    which differ for all-day ones (dates at 00:00 UTC).
    """

    starts: Sequence[int] = ()
    ends: Sequence[int] = ()
    shown_starts: Sequence[int] = ()
    shown_ends: Sequence[int] = ()

    def reach(self) -> int:
        """Return the length of the longest occurrence in seconds."""
        return max(map(int.__sub__, self.ends, self.starts), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
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
        rows: Iterable[_Row] = _single(course.span, person_zone)
    else:
        rows = _series(course, course.recurrence, person_zone, window, near)
    kept = [row for row in rows if row[0] < row[1] and row[1] >= window.since and row[0] < window.until]
    return _track(kept)


def join(tracks: Iterable[Track]) -> Track:
    """Return all occurrences of several tracks as one."""
    return _track(sorted(row for each in tracks for row in _rows(each)))


def pairs(ours: Track, theirs: Track) -> Iterator[tuple[int, int]]:
    """Yield the places (in ours, in theirs) of all occurrences that overlap; touching ends do not (CD-01)."""
    reach = ours.reach()
    starts, ends = ours.starts, ours.ends
    for place, (start, end) in enumerate(zip(theirs.starts, theirs.ends, strict=True)):
        for other in range(bisect_right(starts, start - reach), bisect_left(starts, end)):
            if ends[other] > start:
                yield other, place


class Near:
    """The days on which something must begin to overlap a track; worked out once per length."""

    def __init__(self, track: Track) -> None:
        self._track = track
        self._days: dict[int, frozenset[int] | None] = {}
        self.first_s = track.starts[0] if track.starts else 0
        self.last_s = max(track.ends, default=0)

    def days(self, length_s: int) -> frozenset[int] | None:
        """Return the day numbers (in any zone) on which a span of that length may begin, None if that is too many."""
        length_days = length_s // DAY_S
        if length_days not in self._days:
            self._days[length_days] = self._compute((length_days + 1) * DAY_S)
        return self._days[length_days]

    def _compute(self, length_s: int) -> frozenset[int] | None:
        found: set[int] = set()
        for start, end in zip(self._track.starts, self._track.ends, strict=True):
            found.update(range(_ordinal(start - length_s - _SLACK_S), _ordinal(end + _SLACK_S) + 1))
            if len(found) > _NEAR_DAYS_MAX:
                return None
        return frozenset(found)


_Row = tuple[int, int, int, int]


def _track(rows: Sequence[_Row]) -> Track:
    if not rows:
        return Track()
    starts, ends, shown_starts, shown_ends = zip(*rows, strict=True)
    return Track(starts, ends, shown_starts, shown_ends)


def _rows(each: Track) -> Iterator[_Row]:
    return zip(each.starts, each.ends, each.shown_starts, each.shown_ends, strict=True)


def _single(span: Span, person_zone: str) -> list[_Row]:
    begin, end = blocking(span, person_zone)
    return [(epoch_s(begin), epoch_s(end), epoch_s(span.start), epoch_s(span.end))]


def _series(
    course: Course, recurrence: Recurrence, person_zone: str, window: Window, near: Near | None
) -> Iterable[_Row]:
    first, last = _walls(course)
    # Elapsed and wall length differ if the first occurrence spans a clock change; the longer one is safe.
    length_s = max(course.span.end - course.span.start, last - first) // _SECOND
    low, high = window.since, window.until
    if near is not None:
        low, high = max(low, near.first_s), min(high, near.last_s)
    latest = LAST_ORDINAL - length_s // DAY_S - 3
    found = ordinals(recurrence, _ordinal(low - length_s - 2 * _SLACK_S), min(_ordinal(high + _SLACK_S), latest))
    if near is not None and found and (days := near.days(length_s)) is not None:
        found = [ordinal for ordinal in found if ordinal in days]
    if not found:
        return ()
    rows = _all_day(course.span, found, person_zone) if course.span.all_day else _timed(course, found, first, last)
    if not course.without:
        return rows
    gone = {epoch_s(original) for original in course.without}
    return [row for row in rows if row[2] not in gone]


def _walls(course: Course) -> tuple[datetime, datetime]:
    """Return the wall times of the first occurrence."""
    if course.span.all_day:
        return course.span.start.replace(tzinfo=None), course.span.end.replace(tzinfo=None)
    return wall(course.span.start, course.zone), wall(course.span.end, course.zone)


def _timed(course: Course, found: Sequence[int], first: datetime, last: datetime) -> Iterable[_Row]:
    length_s = (course.span.end - course.span.start) // _SECOND
    starts = _instants(found, first.time(), course.zone)
    ends = _instants(_shifted(found, (last.date() - first.date()).days), last.time(), course.zone)
    kept = [end if end >= start else start + length_s for start, end in zip(starts, ends, strict=True)]
    return zip(starts, kept, starts, kept, strict=True)


def _all_day(span: Span, found: Sequence[int], person_zone: str) -> Iterable[_Row]:
    length_days = (span.end - span.start).days
    after = _shifted(found, length_days)
    return zip(
        _instants(found, None, person_zone),
        _instants(after, None, person_zone),
        [(ordinal - _EPOCH_ORDINAL) * DAY_S for ordinal in found],
        [(ordinal - _EPOCH_ORDINAL) * DAY_S for ordinal in after],
        strict=True,
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
    first = date(year, 1, 1).toordinal()
    count = (date(year + 1, 1, 1).toordinal() if year < date.max.year else LAST_ORDINAL + 1) - first
    if not 1 < year <= _YEAR_MAX:
        return ((first + count - 1, None),)
    samples = _offsets(zone, first - 1, count + 3)
    runs: list[tuple[int, int | None]] = []
    for place in range(count):
        around = samples[place : place + 4]
        offset = around[0] if around.count(around[0]) == len(around) else None
        if runs and runs[-1][1] == offset:
            runs.pop()
        runs.append((first + place, offset))
    return tuple(runs)


def _offsets(zone: str, first: int, count: int) -> list[int]:
    """Return the offset in seconds at 00:00 UTC of consecutive days."""
    info = zone_info(zone)
    midnights = (datetime.combine(date.fromordinal(first + place), time(), UTC) for place in range(count))
    return [(at.astimezone(info).utcoffset() or timedelta(0)) // _SECOND for at in midnights]


def _ordinal(seconds: int) -> int:
    return seconds // DAY_S + _EPOCH_ORDINAL


def _year(ordinal: int) -> int:
    return date.fromordinal(ordinal).year
