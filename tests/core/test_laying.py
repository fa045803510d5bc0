"""What a new item carries that only Outlook knows: the reminder, and whose reminder it stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Pattern, PatternKind, Recurrence, ShowAs, Span
from syncline.core.laying import Dates, laid_onto, new_item
from tests.engine.world import NOW, TRACKED, at, meeting

WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


def begun(before: timedelta, **fields: object) -> Appointment:
    """Return an appointment of an hour that began so long before now."""
    start = NOW - before
    return replace(meeting("Visit", at(10)), span=Span(start, start + timedelta(hours=1)), **fields)


@pytest.mark.rule("A-05")
@pytest.mark.parametrize(
    ("before", "minutes"),
    [(-WEEK, 15), (timedelta(0), 15), (WEEK, 15), (WEEK + SECOND, None), (10 * WEEK, None)],
    ids=["to come", "now", "a week ago", "more than a week ago", "long ago"],
)
def test_what_began_more_than_seven_days_ago_has_no_reminder(before: timedelta, minutes: int | None) -> None:
    """Everything else does, also what began within the last seven days."""
    assert new_item(begun(before), TRACKED, NOW).reminder_minutes == minutes


@pytest.mark.rule("A-05")
def test_a_series_that_began_long_ago_reminds_of_its_dates_to_come() -> None:
    """It goes on, so it has a reminder; a date of it that was moved and lies more than a week back has none."""
    series = begun(10 * WEEK, recurrence=Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(10).start.date()))
    old, coming = (
        replace(begun(before), identity=replace(series.identity, original_start=NOW - before))
        for before in (2 * WEEK, -WEEK)
    )
    item = new_item(replace(series, exceptions=(old, coming)), TRACKED, NOW)
    assert item.reminder_minutes == 15
    assert [part.reminder_minutes for part in item.exceptions] == [None, 15]


@pytest.mark.rule("A-05")
def test_what_is_shown_as_free_has_no_reminder() -> None:
    """That is how a completed or canceled row stands in Outlook, and what the CRM shows as free."""
    assert new_item(replace(begun(-WEEK), show_as=ShowAs.FREE), TRACKED, NOW).reminder_minutes is None


@pytest.mark.rule("A-05")
@pytest.mark.parametrize("field", ["subject", "span", "show_as"])
def test_a_reminder_taken_off_stays_off(field: str) -> None:
    """Somebody took it off in Outlook: no edit of the row brings it back."""
    item = replace(new_item(begun(-WEEK), TRACKED, NOW), reminder_minutes=None)
    agreed = begun(-WEEK)
    row = replace(agreed, subject="Visit to Bern", span=at(12), show_as=ShowAs.OUT_OF_OFFICE)
    laid = laid_onto(item, agreed, row, frozenset({field}), Dates(frozenset(), NOW))
    assert (laid.reminder_minutes, getattr(laid, field)) == (None, getattr(row, field))


@pytest.mark.rule("A-05")
def test_a_reminder_is_taken_off_what_becomes_free_and_nothing_else() -> None:
    """A row that turns free takes it off; an edit of something else leaves the minutes that somebody chose."""
    item = replace(new_item(begun(-WEEK), TRACKED, NOW), reminder_minutes=30)
    agreed = begun(-WEEK)
    row = replace(agreed, subject="Visit to Bern", show_as=ShowAs.FREE)
    named, free = (
        laid_onto(item, agreed, row, frozenset(fields), Dates(frozenset(), NOW))
        for fields in (["subject"], ["show_as"])
    )
    assert (named.reminder_minutes, free.reminder_minutes) == (30, None)
