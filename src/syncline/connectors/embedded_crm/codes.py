"""The product's code numbers (server-side-sync.md 1.7 to 1.10) to and from core values, as tables.

Pure: values in, values out. It must not know the database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from enum import IntEnum
from typing import Any, Protocol

from syncline.core.appointment import (
    Importance,
    Pattern,
    PatternKind,
    Recurrence,
    Role,
    ShowAs,
    Status,
)
from syncline.core.times import epoch_s, from_epoch_s

PARTY_TYPE: Mapping[Role, int] = {Role.REQUIRED: 5, Role.OPTIONAL: 6, Role.RESOURCE: 10}
PARTY_ORGANIZER = 7
ROLE_OF_PARTY: Mapping[int, Role] = {number: role for role, number in PARTY_TYPE.items()}

PRIORITY: Mapping[Importance, int] = {Importance.LOW: 0, Importance.NORMAL: 1, Importance.HIGH: 2}
IMPORTANCE: Mapping[int, Importance] = {number: importance for importance, number in PRIORITY.items()}

STATE: Mapping[Status, int] = {Status.OPEN: 0, Status.COMPLETED: 1, Status.CANCELED: 2, Status.SCHEDULED: 3}
STATUS: Mapping[int, Status] = {number: status for status, number in STATE.items()}


class Columns(Protocol):
    """One row by column names: a dictionary, or a row as the database library gives it."""

    def __getitem__(self, name: str, /) -> Any:  # noqa: ANN401 - a column has the type of its table
        """Return the value of a column."""


class StatusCode(IntEnum):
    """Reason of a state (1.9)."""

    FREE = 1
    TENTATIVE = 2
    COMPLETED = 3
    CANCELED = 4
    BUSY = 5
    OUT_OF_OFFICE = 6


CLOSED: frozenset[Status] = frozenset({Status.COMPLETED, Status.CANCELED})
BLOCKING_CODES: tuple[int, ...] = (StatusCode.TENTATIVE, StatusCode.BUSY, StatusCode.OUT_OF_OFFICE)
"""Rows that can make a person busy: Scheduled ones, and tentative ones where the setting says so (CD-02, CD-04)."""

_DERIVED: Mapping[ShowAs, Status] = {
    ShowAs.FREE: Status.OPEN,
    ShowAs.WORKING_ELSEWHERE: Status.OPEN,
    ShowAs.TENTATIVE: Status.OPEN,
    ShowAs.BUSY: Status.SCHEDULED,
    ShowAs.OUT_OF_OFFICE: Status.SCHEDULED,
}

_CODES: Mapping[Status, Mapping[ShowAs, StatusCode]] = {
    Status.OPEN: {ShowAs.TENTATIVE: StatusCode.TENTATIVE},
    Status.SCHEDULED: {ShowAs.OUT_OF_OFFICE: StatusCode.OUT_OF_OFFICE},
    Status.COMPLETED: {},
    Status.CANCELED: {},
}
_DEFAULT_CODE: Mapping[Status, StatusCode] = {
    Status.OPEN: StatusCode.FREE,
    Status.SCHEDULED: StatusCode.BUSY,
    Status.COMPLETED: StatusCode.COMPLETED,
    Status.CANCELED: StatusCode.CANCELED,
}


def stored_show_as(show_as: ShowAs) -> ShowAs:
    """Return the show-as that the CRM keeps: *working elsewhere* becomes Free (A-21)."""
    return ShowAs.FREE if show_as is ShowAs.WORKING_ELSEWHERE else show_as


def status_of(show_as: ShowAs, *, canceled: bool, scheduling: bool) -> Status:
    """Derive the state of a row (A-21, A-34); without the scheduling feature everything living is Open (CD-15)."""
    if canceled:
        return Status.CANCELED
    return _DERIVED[show_as] if scheduling else Status.OPEN


def status_code(status: Status, show_as: ShowAs, *, scheduling: bool = True) -> StatusCode:
    """Return the status code that belongs to a state and a show-as (1.9)."""
    if status is Status.OPEN and not scheduling:
        return StatusCode.FREE
    return _CODES[status].get(show_as, _DEFAULT_CODE[status])


# --- series (1.8) ---------------------------------------------------------------------------------------------------

_PATTERN_TYPE: Mapping[PatternKind, int] = {
    PatternKind.DAILY: 0,
    PatternKind.WEEKLY: 1,
    PatternKind.MONTHLY_DAY: 2,
    PatternKind.MONTHLY_NTH: 2,
    PatternKind.YEARLY_DAY: 3,
    PatternKind.YEARLY_NTH: 3,
}
_PATTERN_KIND: Mapping[tuple[int, bool], PatternKind] = {
    (0, False): PatternKind.DAILY,
    (1, False): PatternKind.WEEKLY,
    (2, False): PatternKind.MONTHLY_DAY,
    (2, True): PatternKind.MONTHLY_NTH,
    (3, False): PatternKind.YEARLY_DAY,
    (3, True): PatternKind.YEARLY_NTH,
}
_WORKDAYS = (0, 1, 2, 3, 4)
_LAST_NTH, _LAST_INSTANCE = -1, 5
_NO_END, _BY_COUNT, _BY_DATE = 1, 2, 3
_DAYS_OF_WEEK = 7


def recurrence_columns(recurrence: Recurrence, deleted: tuple[datetime, ...]) -> dict[str, Any]:
    """Write a pattern, its range and the deleted occurrences as the columns of 1.8 (Sunday is day 0, bit 1)."""
    pattern = recurrence.pattern
    end_type = _BY_COUNT if recurrence.count is not None else _NO_END if recurrence.until is None else _BY_DATE
    return {
        "recurrencepatterntype": _PATTERN_TYPE[pattern.kind],
        "interval": pattern.interval,
        "daysofweekmask": sum(1 << _sunday_first(day) for day in pattern.weekdays),
        "dayofmonth": pattern.day,
        "monthofyear": pattern.month,
        "instance": _LAST_INSTANCE if pattern.nth == _LAST_NTH else pattern.nth,
        "isnthmonthly": pattern.kind is PatternKind.MONTHLY_NTH,
        "isnthyearly": pattern.kind is PatternKind.YEARLY_NTH,
        "isweekdaypattern": pattern.kind is PatternKind.WEEKLY and pattern.weekdays == _WORKDAYS,
        "firstdayofweek": _sunday_first(pattern.first_weekday),
        "patternstartdate": recurrence.first.isoformat(),
        "patternendtype": end_type,
        "patternenddate": recurrence.until.isoformat() if recurrence.until else None,
        "occurrences": recurrence.count,
        "deletedexceptionslist": json.dumps([epoch_s(at) for at in deleted]),
    }


def recurrence_of(columns: Columns) -> Recurrence:
    """Read the columns of 1.8 back."""
    nth = columns["isnthmonthly"] or columns["isnthyearly"]
    mask = columns["daysofweekmask"]
    instance = columns["instance"]
    until = columns["patternenddate"]
    return Recurrence(
        pattern=Pattern(
            kind=_PATTERN_KIND[columns["recurrencepatterntype"], bool(nth)],
            interval=columns["interval"],
            weekdays=tuple(day for day in range(_DAYS_OF_WEEK) if mask >> _sunday_first(day) & 1),
            day=columns["dayofmonth"],
            nth=_LAST_NTH if instance == _LAST_INSTANCE else instance,
            month=columns["monthofyear"],
            first_weekday=(columns["firstdayofweek"] - 1) % _DAYS_OF_WEEK,
        ),
        first=date.fromisoformat(columns["patternstartdate"]),
        count=columns["occurrences"],
        until=date.fromisoformat(until) if until else None,
    )


def deleted_of(columns: Columns) -> tuple[datetime, ...]:
    """Read the original starts of the deleted occurrences."""
    return tuple(from_epoch_s(at) for at in json.loads(columns["deletedexceptionslist"]))


def _sunday_first(weekday: int) -> int:
    return (weekday + 1) % _DAYS_OF_WEEK


# --- lengths --------------------------------------------------------------------------------------------------------

_SHORTEST_CLASS_S = 3_600
LENGTH_CLASSES = 12
"""Class n holds spans of at most 4**n hours; the last one every span that a calendar can hold."""
_LONGEST_S = 400_000_000_000
CLASS_LENGTH_S: tuple[int, ...] = (*(_SHORTEST_CLASS_S * 4**number for number in range(LENGTH_CLASSES - 1)), _LONGEST_S)


def length_class(length_s: int) -> int:
    """Return the class of a span by its length in seconds.

    Spans of one class are found by an index range on their start, because none of them is longer than the class
    allows: what overlaps [a, b) starts after a - CLASS_LENGTH_S[class] and before b.
    """
    return next(number for number, most in enumerate(CLASS_LENGTH_S) if length_s <= most)
