"""The next free times of everybody whom a question concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from syncline.config import CalendarSettings, Settings
from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.core.free_times import Slot
from syncline.desk import alerts
from syncline.desk.free_times import free_times
from syncline.desk.objects import AlertObject
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from tests.desk.office import NOW, Office, at

TOMORROW = at(0).start


def hours(slots: tuple[Slot, ...]) -> list[float]:
    """Return the starts in hours since the first midnight of tomorrow."""
    return [(slot.start - TOMORROW) / timedelta(hours=1) for slot in slots]


def asked(office: Office, subject: str) -> AlertObject:
    """Return the question about that subject."""
    found = alerts.listing(office.app, OPERATOR, only_open=True)
    return next(each for each in found if each.subject == subject)


def test_the_next_slots_avoid_everybodys_appointments(office: Office) -> None:
    """The first free times of the day, after what the CRM holds of both people."""
    office.in_crm("Review", at(8, length=2))
    office.in_crm("Jonas is away", at(10, length=3), organizer="jonas")
    office.in_outlook("Price round", at(9), "jonas")
    office.sync("maya")

    assert hours(free_times(office.app, office.viewer("maya"), office.question().id)) == [13, 14, 15]


@pytest.mark.rule("CD-05")
def test_the_next_slots_avoid_those_of_whom_only_the_crm_invited(office: Office) -> None:
    """He takes part in what would be saved."""
    office.in_crm("Jonas is away", at(8, length=5), organizer="jonas")
    ref = office.in_outlook("Price round", at(14))
    office.sync("maya")
    office.invite_in_crm(ref, "jonas")
    office.change(ref, span=at(9))
    office.sync("maya")

    assert hours(free_times(office.app, OPERATOR, office.question().id)) == [13, 14, 15]


def test_what_else_waits_in_their_mailboxes_is_taken(office: Office) -> None:
    """One question never proposes the time at which the other one waits."""
    office.in_crm("Review", at(8, length=4))
    office.in_outlook("First", at(9))
    office.in_outlook("Second", at(11, length=3))
    office.sync("maya")

    assert hours(free_times(office.app, OPERATOR, asked(office, "First").id)) == [14, 15, 16]
    assert hours(free_times(office.app, OPERATOR, asked(office, "Second").id)) == [12, 24 + 8, 24 + 11]


def test_a_series_is_asked_for_its_first_clashing_date(office: Office) -> None:
    """The slots are for the date that overlaps, from its day on."""
    office.in_crm("Fair", at(9, days=3))
    ref = office.in_outlook("Standup", at(9))
    daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(9).start.date(), count=5)
    office.change(ref, recurrence=daily)
    office.sync("maya")

    assert hours(free_times(office.app, OPERATOR, office.question().id)) == [48 + 8, 48 + 10, 48 + 11]


def test_a_date_is_not_proposed_where_another_date_of_its_series_stands(office: Office) -> None:
    """The date that is to be moved cannot stand beside the others of its own series."""
    office.in_crm("Fair", at(8, days=1, length=9))
    ref = office.in_outlook("Standup", at(9))
    daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(9).start.date(), count=5)
    office.change(ref, recurrence=daily)
    office.sync("maya")

    assert hours(free_times(office.app, OPERATOR, office.question().id)) == [24 + 8, 24 + 10, 24 + 11]


def test_all_day_items_and_what_waits_no_more_have_none(office: Office) -> None:
    """Nothing is proposed where nothing is to be moved."""
    question = office.the_scene()
    alerts.answer(office.app, OPERATOR, question.id, "no")

    assert free_times(office.app, OPERATOR, question.id) == ()


def test_the_past_is_not_proposed(office: Office) -> None:
    """On the day itself the search begins now."""
    office.in_crm("Review", at(9, days=0))
    office.in_outlook("Call", at(9.5, days=0))
    office.sync("maya")
    office.clock.at = NOW + timedelta(hours=2, minutes=5)

    assert hours(free_times(office.app, OPERATOR, office.question().id)) == [-13.5, -12.5, -11.5]


def test_the_questions_of_others_do_not_exist(office: Office) -> None:
    """Who may not see the question gets no times."""
    question = office.the_scene()
    with pytest.raises(SyncError, match="NotFoundHere"):
        free_times(office.app, office.viewer("jonas"), question.id)


def test_the_firm_sets_its_hours(office: Office) -> None:
    """Working hours and days come from the settings."""
    question = office.the_scene()
    calendar = CalendarSettings(working_from_h=12.5, working_to_h=14, working_days=("wed",))
    app = replace(office.app, settings=Settings(data=office.data, calendar=calendar))

    assert hours(free_times(app, OPERATOR, question.id)) == [36.5, 36.5 + 7 * 24]
