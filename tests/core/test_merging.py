"""Merging: what one side changed is taken, and no date of a series stands and is deleted at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.core.merging import advance, differences, merge

BEGIN = datetime.fromisoformat("2026-11-23T09:00:00+00:00")
HOUR = timedelta(hours=1)
DAYS = st.sets(st.integers(0, 5), max_size=4)
NAMES = st.sampled_from(["", "one", "two"])


def series(deleted: set[int], changed: set[int], subject: str = "") -> Appointment:
    """Return a daily series without the dates of some days, and with another subject on others."""
    dates = [BEGIN + timedelta(days=day) for day in range(6)]
    parts = tuple(
        Appointment(
            identity=Identity("uid", dates[day]), subject=f"Day {day}", span=Span(dates[day], dates[day] + HOUR)
        )
        for day in sorted(changed - deleted)
    )
    return Appointment(
        identity=Identity("uid"),
        subject=subject,
        span=Span(BEGIN, BEGIN + HOUR),
        recurrence=Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=BEGIN.date(), count=6),
        exceptions=parts,
        deleted=tuple(dates[day] for day in sorted(deleted)),
    )


SERIES = st.builds(series, DAYS, DAYS, NAMES)


@pytest.mark.rule("3.1")
@given(SERIES, SERIES, SERIES, st.booleans())
def test_a_merged_date_is_deleted_or_changed_but_not_both(
    agreed: Appointment, exchange: Appointment, crm: Appointment, crm_wins: bool
) -> None:
    """Whoever deleted a date and whoever changed it: the row holds one of the two, and so does what is agreed."""
    wins = differences(agreed, crm) if crm_wins else frozenset()
    merged = merge(agreed, exchange, crm, wins)

    for content in (merged.content, advance(agreed, exchange, merged.fields)):
        assert not {part.identity.original_start for part in content.exceptions} & set(content.deleted)


@pytest.mark.rule("3.1")
@given(SERIES, SERIES)
def test_what_only_one_side_changed_is_what_both_hold(agreed: Appointment, changed: Appointment) -> None:
    """A change of Exchange alone is taken whole; a change of the CRM alone stays as it is."""
    assert differences(merge(agreed, changed, agreed).content, changed) == frozenset()
    assert differences(merge(agreed, agreed, changed).content, changed) == frozenset()


@pytest.mark.rule("3.1")
def test_a_date_that_the_crm_deleted_is_not_brought_back_by_a_new_name() -> None:
    """Exchange renames a date that the CRM deletes: the deletion is the change that stands."""
    agreed = series(set(), set())
    exchange = series(set(), {1})
    crm = series({1}, set())

    merged = merge(agreed, exchange, crm)

    assert (merged.content.exceptions, merged.content.deleted) == ((), crm.deleted)
    assert replace(merged.content, exceptions=(), deleted=()) == replace(crm, exceptions=(), deleted=())
