"""Dates that a write removes from a series: which of them say something that is in nothing else.

A date that the pattern gives has no content of its own; an exception has. It must not know who removed it, nor where
it is kept.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime

from msgspec.structs import replace

from syncline.core.appointment import Appointment
from syncline.core.merging import CANCELED, canonical, differences
from syncline.core.moving import place_of, span_by_pattern

# An exception that differs in these alone says nothing that anybody would miss.
_NO_CONTENT = frozenset({"organizer", "zone", CANCELED})


def dropped(before: Appointment, after: Appointment, gone: Set[datetime]) -> tuple[Appointment, ...]:
    """Return the exceptions of a series whose dates are `gone` in `after`, as far as they differ from the series.

    `gone` are original starts in `after`; where that was moved, a date is found by its day (decision 0030).
    """
    if not gone:
        return ()
    return tuple(
        replace(part, organizer=part.organizer or before.organizer)
        for part in before.exceptions
        if (start := part.identity.original_start) is not None
        and not gone.isdisjoint((start, place_of(after, before, start)))
        and _says_something(before, part, start)
    )


def _says_something(series: Appointment, part: Appointment, start: datetime) -> bool:
    span = span_by_pattern(series, start)
    given = replace(series, span=span, recurrence=None, exceptions=(), deleted=(), canceled=False)
    return bool(differences(canonical(given), canonical(part)) - _NO_CONTENT)
