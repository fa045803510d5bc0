"""Scheduling conflicts by comparing every occurrence with every other: slow, plain, and therefore an oracle.

It follows CD-01 to CD-09 in the words of the rules and shares no arithmetic with `core.scheduling`, which is fast: only
the expansion of a series is the common one. It must not know rows, versions or users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from syncline.core.appointment import Appointment, ShowAs, Status
from syncline.core.recurrence import occurrences
from syncline.core.scheduling import Clash, ConflictPolicy, blocks
from syncline.core.times import blocking

_STATUS = {ShowAs.BUSY: Status.SCHEDULED, ShowAs.OUT_OF_OFFICE: Status.SCHEDULED}
_DAY = timedelta(days=1)
_LAST = datetime(9990, 1, 1, tzinfo=UTC)

Takes = Callable[[Appointment], bool]


class Busy(Struct, frozen=True, kw_only=True):
    """One row that may keep one person busy: `takes` says which of its parts (master, exceptions) do."""

    row_id: str
    appointment: Appointment
    takes: Takes
    status: Status | None = None
    ids: Callable[[Appointment], str]


class Sight(Struct, frozen=True, kw_only=True):
    """What is compared for whom: the person's zone, the rules, and the earliest instant (CD-07; None: everything)."""

    zone: str
    policy: ConflictPolicy
    since: datetime | None = None


class _Slot(Struct, frozen=True):
    part: Appointment
    start: datetime
    end: datetime
    shown: datetime
    shown_end: datetime


def compare(candidate: Appointment, takes: Takes, others: Iterable[Busy], sight: Sight) -> list[Clash]:
    """Return every overlap of the candidate with one person's rows, by candidate start, start and row."""
    listed = [busy for busy in others if not _same_meeting(candidate, busy.appointment)]
    begins = [busy.appointment.span.start for busy in listed if busy.appointment.recurrence is not None]
    ours = list(_slots(candidate, takes, None, sight, _window(candidate, begins, sight)))
    if not ours:
        return []
    hull = (min(slot.start for slot in ours) - _DAY, max(slot.end for slot in ours) + _DAY)
    found = [
        _clash(busy, their, our)
        for busy in listed
        for their in _slots(busy.appointment, busy.takes, busy.status, sight, hull)
        for our in ours
        if our.start < their.end and their.start < our.end
    ]
    return sorted(found, key=lambda clash: (clash.candidate_start, clash.start, clash.row_id))


def compared(candidate: Appointment, sight: Sight) -> int:
    """Return how many occurrences of the candidate are compared at all."""
    return len(list(_slots(candidate, lambda _: True, None, sight, _window(candidate, [], sight))))


def _same_meeting(one: Appointment, other: Appointment) -> bool:
    """Return whether both are parts of one meeting, which never clash (CD-03)."""
    identity = one.identity.global_object_id
    return bool(identity) and identity == other.identity.global_object_id


def _window(candidate: Appointment, begins: list[datetime], sight: Sight) -> tuple[datetime, datetime]:
    """Return how far a series is expanded (CD-09); a single is compared wherever it is."""
    if candidate.recurrence is None:
        return candidate.span.start - _DAY, candidate.span.end + _DAY
    anchor = sight.since or max((candidate.span.start, *begins))
    low = min((candidate.span.start, *(part.span.start for part in candidate.exceptions)))
    return low - _DAY, min(anchor + timedelta(days=sight.policy.horizon_days), _LAST)


def _slots(
    appointment: Appointment, takes: Takes, status: Status | None, sight: Sight, window: tuple[datetime, datetime]
) -> Iterator[_Slot]:
    for found in occurrences(appointment, *window):
        part = found.exception or appointment
        state = Status.CANCELED if part.canceled else status or _STATUS.get(part.show_as, Status.OPEN)
        if not takes(part) or not blocks(part.show_as, state, found.span.all_day, sight.policy):
            continue
        start, end = blocking(found.span, sight.zone)
        late_enough = sight.since is None or sight.policy.check_past or end >= sight.since
        in_window = appointment.recurrence is None or start < window[1]
        if start < end and late_enough and in_window:
            yield _Slot(part, start, end, found.span.start, found.span.end)


def _clash(busy: Busy, their: _Slot, our: _Slot) -> Clash:
    return Clash(
        row_id=busy.ids(their.part),
        subject=their.part.subject,
        start=their.shown,
        end=their.shown_end,
        show_as=their.part.show_as,
        candidate_start=our.shown,
        private=their.part.private,
        all_day=their.part.span.all_day,
    )
