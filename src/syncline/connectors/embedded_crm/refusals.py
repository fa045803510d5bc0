"""What the embedded CRM cannot store, said before the database says it.

Pure. It must not know the database or who is available.
"""

from __future__ import annotations

from collections.abc import Iterator

from syncline.core.appointment import DESCRIPTION_MAX, LOCATION_MAX, SUBJECT_MAX, Appointment, PatternKind, Recurrence
from syncline.core.zones import UnknownZone, zone_info
from syncline.errors import SyncError

_NEEDS_WEEKDAYS = (PatternKind.WEEKLY, PatternKind.MONTHLY_NTH, PatternKind.YEARLY_NTH)
_NEEDS_DAY = (PatternKind.MONTHLY_DAY, PatternKind.YEARLY_DAY)
_NEEDS_NTH = (PatternKind.MONTHLY_NTH, PatternKind.YEARLY_NTH)
_NEEDS_MONTH = (PatternKind.YEARLY_DAY, PatternKind.YEARLY_NTH)
INTERVAL_MAX = 1_000
COUNT_MAX = 999
_NTHS = (1, 2, 3, 4, -1)


def refusal(appointment: Appointment, crm_name: str) -> SyncError | None:
    """Return why an appointment cannot be stored: UnknownTimeZone or CrmRefused with the reason; None if it can."""
    for part in (appointment, *appointment.exceptions):
        reason = next(_reasons(part), None)
        if reason is not None:
            return refused(crm_name, appointment, reason)
        try:
            zone_info(part.zone)
        except UnknownZone:
            return SyncError("UnknownTimeZone", subject=appointment.subject, detail=part.zone)
    reason = next(_series_reasons(appointment), None)
    return None if reason is None else refused(crm_name, appointment, reason)


def refused(crm_name: str, appointment: Appointment, reason: str) -> SyncError:
    """Return the error of an item that the CRM does not take."""
    return SyncError("CrmRefused", crm=crm_name, subject=appointment.subject, detail=reason)


def _reasons(part: Appointment) -> Iterator[str]:
    if not part.identity.global_object_id:
        yield "it has no global object id"
    if len(part.subject) > SUBJECT_MAX:
        yield f"the subject is longer than {SUBJECT_MAX} characters"
    if len(part.location) > LOCATION_MAX:
        yield f"the location is longer than {LOCATION_MAX} characters"
    if len(part.description) > DESCRIPTION_MAX:
        yield f"the description is longer than {DESCRIPTION_MAX} characters"
    if part.span.end < part.span.start:
        yield "it ends before it starts"


def _series_reasons(appointment: Appointment) -> Iterator[str]:
    starts = [exception.identity.original_start for exception in appointment.exceptions]
    if appointment.recurrence is None:
        if starts or appointment.deleted:
            yield "only a series has exceptions"
        return
    if None in starts or len(set(starts)) != len(starts):
        yield "every exception needs an original start of its own"
    if appointment.identity.original_start is not None:
        yield "a series has no original start"
    yield from _recurrence_reasons(appointment.recurrence)


def _recurrence_reasons(recurrence: Recurrence) -> Iterator[str]:
    pattern = recurrence.pattern
    if not 1 <= pattern.interval <= INTERVAL_MAX:
        yield f"the interval of a series is 1 to {INTERVAL_MAX}"
    if recurrence.count is not None and not 1 <= recurrence.count <= COUNT_MAX:
        yield f"a series has 1 to {COUNT_MAX} occurrences"
    if recurrence.count is not None and recurrence.until is not None:
        yield "a series ends by count or by date, not by both"
    incomplete = (
        (pattern.kind in _NEEDS_WEEKDAYS and not pattern.weekdays)
        or (pattern.kind in _NEEDS_DAY and not pattern.day)
        or (pattern.kind in _NEEDS_NTH and pattern.nth not in _NTHS)
        or (pattern.kind in _NEEDS_MONTH and not pattern.month)
    )
    if incomplete:
        yield "the pattern of the series is not complete"
