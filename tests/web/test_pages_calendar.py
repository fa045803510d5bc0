"""The Calendar page: week by week, entries made, changed and removed, a conflict told before anything is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from syncline.desk import alerts, appointments
from syncline.desk.reading import OPERATOR
from syncline.engine.run import Rules
from syncline.store import schema
from tests.desk.office import Office, at
from tests.web.visitor import Visitor, shown, visiting

WEEK = f"/calendar?week={at(0).start:%Y-%m-%d}"
DAY = f"{at(0).start:%Y-%m-%d}"
FIELDS = {
    "subject": "Fitting of the new frames",
    "start": f"{DAY}T14:00",
    "end": f"{DAY}T15:00",
    "time_zone": "UTC",
    "show_as": "busy",
    "organizer": "maya",
    "location": "Workshop",
    "required": "jonas, guest@outside.example",
    "optional": "",
    "description": "bring the\ngauge",
    "repeats": "",
    "times": "",
}


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Give Maya at her browser."""
    with visiting(office) as visitor:
        yield visitor.sign_in("maya")


def entered(office: Office, subject: str = FIELDS["subject"]) -> appointments.AppointmentObject:
    """Return the entry of this subject."""
    return next(each for each in appointments.listing(office.app, OPERATOR) if each.subject == subject)


def test_an_entry_is_made_changed_and_removed(office: Office, maya: Visitor) -> None:
    """The form enters an appointment, shows it again as it is, changes what was changed, and deletes it."""
    assert "New appointment" in maya.text(f"/calendar/new?day={DAY}")
    answer = maya.post("/calendar/new", **FIELDS)
    entry = entered(office)
    assert answer.headers["location"] == f"/calendar?week={DAY}&said=entered#a-{entry.id}"
    assert entry.organizer == "maya@fjordbikes.example"
    assert [each.address for each in entry.attendees] == ["guest@outside.example", "jonas@fjordbikes.example"]
    text = shown(maya.text(WEEK))
    assert "14:00 – 15:00 Fitting of the new frames" in text and "guest@outside.example" in text

    form = maya.text(f"/calendar/{entry.id}")
    assert f'value="{DAY}T14:00"' in form and 'value="Workshop"' in form and "bring the\ngauge" in form
    changed = {**FIELDS, "required": "guest@outside.example, jonas@fjordbikes.example", "end": f"{DAY}T16:00"}
    assert maya.post(f"/calendar/{entry.id}", **changed).status_code == 303
    after = entered(office)
    assert (after.start, after.end.hour, after.attendees) == (entry.start, 16, entry.attendees)

    assert maya.post(f"/calendar/{entry.id}/delete").status_code == 422
    assert maya.post(f"/calendar/{entry.id}/delete", sure="yes").headers["location"].endswith("said=deleted")
    assert appointments.listing(office.app, OPERATOR) == []


def test_a_conflict_is_told_before_anything_is_saved(office: Office, maya: Visitor) -> None:
    """The form comes back with what is in the way and Save anyway; nothing stands in the calendar until then."""
    office.in_crm("Quarterly review", at(14.5))
    answer = maya.post("/calendar/new", **FIELDS)
    text = shown(answer.text)

    assert answer.status_code == 409
    assert "Maya Lind has something else at this time. Nothing has been saved yet." in text
    assert "Quarterly review · Tue 24 Nov 2026, 14:30 – 15:30 · Busy (Maya Lind)" in text
    assert 'value="Fitting of the new frames"' in answer.text
    assert [each.subject for each in appointments.listing(office.app, OPERATOR)] == ["Quarterly review"]

    assert maya.post("/calendar/new", **FIELDS, ignore_conflicts="yes").status_code == 303
    week = shown(maya.text(WEEK))
    assert week.count("Double-booked") == 2
    assert "at the same time: Quarterly review" in week


def test_moving_an_entry_onto_another_is_told_too(office: Office, maya: Visitor) -> None:
    """A change is checked like a new entry."""
    office.in_crm("Quarterly review", at(10))
    moved = office.in_crm("Fitting", at(14))
    form = {**FIELDS, "subject": "Fitting", "location": "", "description": "", "required": ""}
    answer = maya.post(f"/calendar/{moved}", **{**form, "start": f"{DAY}T10:30", "end": f"{DAY}T11:00"})

    assert answer.status_code == 409
    assert entered(office, "Fitting").start == at(14).start
    again = {**form, "start": f"{DAY}T10:30", "end": f"{DAY}T11:00", "ignore_conflicts": "yes"}
    assert maya.post(f"/calendar/{moved}", **again).status_code == 303
    assert entered(office, "Fitting").start == at(10.5).start


def test_whole_days_end_on_their_last_day(office: Office, maya: Visitor) -> None:
    """People name the last day; the form shows the same day again."""
    fields = {**FIELDS, "all_day": "yes", "start": f"{DAY}T09:00", "end": f"{DAY}T17:00", "show_as": "free"}
    assert maya.post("/calendar/new", **fields).status_code == 303
    entry = entered(office)

    assert (entry.all_day, (entry.end - entry.start).days) == (True, 1)
    assert "All day Fitting" in shown(maya.text(WEEK))
    assert f'id="end" name="end" type="datetime-local" value="{DAY}T00:00"' in maya.text(f"/calendar/{entry.id}")


def test_a_series_repeats_and_its_dates_are_edited_alone(office: Office, maya: Visitor) -> None:
    """A repetition is chosen in words; one date can be changed or deleted, the others stay."""
    fields = {**FIELDS, "repeats": "FREQ=DAILY", "times": "3"}
    assert maya.post("/calendar/new", **fields).status_code == 303
    entry = entered(office)
    assert (entry.kind, entry.recurrence) == ("series", "FREQ=DAILY;COUNT=3")
    week = maya.text(WEEK)
    assert week.count(">Fitting of the new frames</bdi></a>") == 3

    window = (at(0).start, at(0, days=2).start)
    (date, *_) = appointments.listing(office.app, OPERATOR, window=window)
    form = maya.text(f"/calendar/{date.id}")
    assert "Open the whole series" in form and "Repeats" not in form
    renamed = {**FIELDS, "subject": "Moved date", "required": "guest@outside.example, jonas@fjordbikes.example"}
    del renamed["repeats"], renamed["times"]
    assert maya.post(f"/calendar/{date.id}", **renamed).status_code == 303
    assert shown(maya.text(WEEK)).count("one date of a series") == 3
    assert "As it is (FREQ=DAILY;COUNT=3)" in maya.text(f"/calendar/{entry.id}")
    kept = {**FIELDS, "required": renamed["required"], "repeats": "keep", "location": "Hall"}
    assert maya.post(f"/calendar/{entry.id}", **kept).status_code == 303
    assert "Moved date" in maya.text(WEEK)


@pytest.mark.rule("R-03")
@pytest.mark.parametrize("linked", [False, True])
def test_a_series_is_ended_by_its_page(tmp_path: Path, linked: bool) -> None:
    """Once it has begun, the form says what stays and what goes, and whether Outlook and guests hear of it."""
    office = Office(tmp_path, rules=Rules(outgoing=True))
    office.sync("maya")
    series = office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=9")
    if linked:
        office.sync("maya")
    with visiting(office) as visitor:
        maya = visitor.sign_in("maya")
        assert "End series" not in maya.text(f"/calendar/{series}")
        office.clock.at = at(9.5, days=3).start
        maya.get("/sign-in")
        maya.sign_in("maya")
        form = shown(maya.text(f"/calendar/{series}"))
        assert "dates that have not begun are deleted, those that have begun stay" in form
        assert ("shown as free, and its guests may get mail" in form) == linked
        assert "Tick the box to end the series." in maya.post(f"/calendar/{series}/end").text
        answer = maya.post(f"/calendar/{series}/end", sure="yes")
        assert answer.headers["location"] == "/calendar?week=2026-11-26&said=ended"
        assert "The series is ended." in maya.text(answer.headers["location"])
        assert "End series" not in maya.text(f"/calendar/{series}")

    assert entered(office, "Standup").status == "canceled"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"subject": " "}, "needs a subject"),
        ({"end": f"{DAY}T13:00"}, "ends before it starts"),
        ({"time_zone": "Middle-earth"}, "not known"),
        ({"required": "nobody"}, "neither a user"),
        ({"repeats": "FREQ=WEEKLY", "times": "many"}, "whole number"),
        ({"repeats": "FREQ=HOURLY"}, "not one of the list"),
        ({"start": "soon"}, "not a time"),
    ],
)
def test_what_cannot_be_understood_comes_back_with_the_form(
    office: Office, maya: Visitor, wrong: dict[str, str], said: str
) -> None:
    """A refused form says why and keeps what was typed."""
    answer = maya.post("/calendar/new", **{**FIELDS, **wrong})

    assert answer.status_code == 422
    assert said in answer.text and 'value="Workshop"' in answer.text
    assert appointments.listing(office.app, OPERATOR) == []


def test_what_came_from_outlook_says_so(office: Office, maya: Visitor) -> None:
    """An entry that is synchronized is marked, and its form says what an edit here means."""
    office.in_outlook("Site visit", at(16))
    office.sync("maya")
    entry = entered(office, "Site visit")

    assert "from Outlook" in shown(maya.text(WEEK))
    assert "comes from Outlook (maya@fjordbikes.example)" in maya.text(f"/calendar/{entry.id}")


def test_only_its_own_people_change_an_entry(office: Office, maya: Visitor) -> None:
    """A colleague's appointment is shown as Busy and cannot be changed or deleted."""
    other = office.in_crm("Salary talk", at(11), organizer="jonas")
    form = maya.text(f"/calendar/{other}")
    assert "Salary talk" not in form and "Busy" in form
    answer = maya.post(f"/calendar/{other}", **FIELDS)

    assert answer.status_code == 403 and "Only its own people" in answer.text
    assert maya.post(f"/calendar/{other}/delete", sure="yes").status_code == 403
    assert entered(office, "Salary talk").start == at(11).start


def test_weeks_lead_to_each_other(maya: Visitor) -> None:
    """A week begins on Monday and names the one before and the one after; nonsense shows this week."""
    text = maya.text(WEEK)
    assert "Mon 23 Nov 2026 – Sun 29 Nov 2026" in text
    assert 'href="/calendar?view=week&week=2026-11-16"' in text and 'href="/calendar?view=week&week=2026-11-30"' in text
    assert "Mon 23 Nov 2026 · today" in shown(maya.text("/calendar?week=never"))


def test_a_saved_question_is_double_booked_in_the_calendar(office: Office, maya: Visitor) -> None:
    """After Yes both appointments carry the mark."""
    question = office.the_scene()
    alerts.answer(office.app, OPERATOR, question.id, "yes")
    office.sync("maya")

    assert shown(maya.text(WEEK)).count("Double-booked") == 2


def test_an_entry_is_put_to_another_time(office: Office, maya: Visitor) -> None:
    """Moving takes wall times of the viewer's zone and leads back; nonsense moves nothing."""
    moved = office.in_crm("Fitting", at(14))
    maya.text(WEEK)
    answer = maya.post(f"/calendar/{moved}/move", start=f"{DAY}T16:00", end=f"{DAY}T17:30")
    assert answer.headers["location"] == f"/calendar?week={DAY}&said=moved#a-{moved}"
    entry = entered(office, "Fitting")
    assert (entry.start, entry.end) == (at(16).start, at(17.5).start)

    for start, end in (("", ""), (f"{DAY}T17:00", f"{DAY}T16:00"), ("tomorrow", "later"), (f"{DAY}T09:00Z", DAY)):
        assert maya.post(f"/calendar/{moved}/move", start=start, end=end).status_code == 422
    assert entered(office, "Fitting") == entry


def test_a_move_onto_something_is_told_before_it_is_saved(office: Office, maya: Visitor) -> None:
    """The form comes up with the new time, what is in the way, and Save anyway; the entry stands where it stood."""
    office.in_crm("Quarterly review", at(10))
    moved = office.in_crm("Fitting", at(14))
    maya.text(WEEK)
    answer = maya.post(f"/calendar/{moved}/move", start=f"{DAY}T10:30", end=f"{DAY}T11:30")

    assert answer.status_code == 409
    assert "Nothing has been saved yet" in shown(answer.text) and f'value="{DAY}T10:30"' in answer.text
    assert entered(office, "Fitting").start == at(14).start


def test_what_waits_is_drawn_into_it(office: Office, maya: Visitor) -> None:
    """A waiting item stands at its time, marked, and leads to its question."""
    question = office.the_scene()
    text = maya.text(WEEK)

    assert f'href="/alerts/{question.id}"' in text
    assert "Product demo for Alpen Sport Waits Waiting for an answer · Maya Lind · from Outlook" in shown(text)


def test_what_is_being_saved_is_drawn_too(office: Office, maya: Visitor) -> None:
    """Between a Yes and the row in the CRM the item does not vanish from the page."""
    question = office.the_scene()
    alerts.answer(office.app, OPERATOR, question.id, "yes")
    text = shown(maya.text(WEEK))
    assert "Product demo for Alpen Sport Saving… Saving… · Maya Lind · from Outlook" in text

    office.sync()
    text = shown(maya.text(WEEK))
    assert "Saving…" not in text.replace("data-saving", "") and text.count("Product demo for Alpen Sport") == 2


def test_what_waits_is_masked(office: Office) -> None:
    """A private item is its owner's; another User does not see what waits in a mailbox that is not his."""
    office.the_scene(private=True)
    with visiting(office) as visitor:
        visitor.get("/sign-in")
        text = shown(visitor.sign_in("ines").text(WEEK))
    assert "Product demo" not in text and "Private appointment Waits" in text
    with visiting(office) as visitor:
        visitor.get("/sign-in")
        text = shown(visitor.sign_in("jonas").text(f"{WEEK}&user=maya"))
    assert "Product demo" not in text and "Waits" not in text


@pytest.mark.parametrize(("view", "days"), [("day", 1), ("week", 7), ("list", 14), ("nonsense", 7)])
def test_a_view_shows_its_days(maya: Visitor, view: str, days: int) -> None:
    """A day, a week, or two weeks as a list; a view that there is not is a week."""
    text = maya.text(f"{WEEK}&view={view}")
    assert text.count('class="calendar-day"') == days
    assert ("calendar-grid" in text) is (view != "list")


@pytest.mark.rule("A-06")
@pytest.mark.parametrize("read_only", [False, True])
def test_who_would_get_mail_is_said_before_anything_is_saved(tmp_path: Path, read_only: bool) -> None:
    """The form says that guests are invited where entries go over to Outlook, and that none are where it only reads."""
    office = Office(tmp_path, rules=Rules(outgoing=True))
    with office.app.store.writing() as connection:
        connection.execute(update(schema.profile).values(read_only=read_only))
    office.in_outlook("Fair", at(10))
    office.sync("maya")
    with visiting(office) as visitor:
        maya = visitor.sign_in("maya")
        fresh = shown(maya.text("/calendar/new"))
        known = shown(maya.text(f"/calendar/{entered(office, 'Fair').id}"))

    assert ("No invitation is sent." in fresh) == read_only
    assert ("they are invited by mail" in fresh) == (not read_only)
    assert ("A change made here stays in" in known) == read_only
    assert ("goes there with the next sync" in known) == (not read_only)
    assert ("The next sync deletes it in Outlook, too" in known) == (not read_only)


@pytest.mark.rule("A-09")
def test_a_draft_is_entered_marked_and_released(tmp_path: Path) -> None:
    """The box says what it does; the calendar marks the entry, its page says how to go on, unticking releases it."""
    office = Office(tmp_path, rules=Rules(outgoing=True))
    office.sync()
    with visiting(office) as maya:
        maya.sign_in("maya")
        blank = maya.text(f"/calendar/new?day={DAY}")
        assert "It is not put into Outlook, and nobody is invited." in shown(blank)
        assert 'id="draft" name="draft" value="yes">' in blank
        assert maya.post("/calendar/new", **FIELDS, draft="yes").status_code == 303
        office.sync("maya")
        entry = entered(office)
        assert entry.draft and entry.link is not None
        week = maya.text(WEEK)
        assert f'<div class="entry draft" id="a-{entry.id}"' in week and f'data-move="{entry.id}"' in week
        assert "Fitting of the new frames Draft Draft · Busy" in shown(week) and "from Outlook" not in shown(week)

        form = maya.text(f"/calendar/{entry.id}")
        assert 'id="draft" name="draft" value="yes" checked>' in form
        assert "take the tick off below and save" in shown(form)
        assert "stands in Outlook, too" not in form and "deletes it in Outlook, too" not in form
        same = {**FIELDS, "required": "guest@outside.example, jonas@fjordbikes.example"}
        assert maya.post(f"/calendar/{entry.id}", **{**same, "location": "Shop"}, draft="yes").status_code == 303
        assert entered(office).draft
        assert maya.post(f"/calendar/{entry.id}", **{**same, "location": "Shop"}).status_code == 303
        assert not entered(office).draft
        office.sync("maya")
        after = maya.text(f"/calendar/{entry.id}")
        assert 'name="draft"' not in after and "stands in Outlook, too" in shown(after)
        assert maya.post(f"/calendar/{entry.id}", **same, draft="yes").status_code == 422


@pytest.mark.rule("A-09")
def test_one_date_of_a_draft_leads_to_its_series(office: Office, maya: Visitor) -> None:
    """One date is edited without a word about drafts, and stays one."""
    office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=3", draft=True)
    first = appointments.listing(
        office.app, OPERATOR, window=appointments.window(DAY, f"{at(0, days=2).start.date()}")
    )[0]
    form = maya.text(f"/calendar/{first.id}")
    assert "This is one date of a draft" in shown(form) and 'name="draft"' not in form
    fields = {**FIELDS, "subject": "Long standup", "start": f"{DAY}T09:00", "end": f"{DAY}T10:00"}
    assert maya.post(f"/calendar/{first.id}", **fields).status_code == 303
    assert entered(office, "Long standup").draft


@pytest.mark.rule("A-09")
def test_without_writing_to_outlook_no_draft_is_offered(maya: Visitor) -> None:
    """Where everything stays in the CRM the box would say nothing."""
    assert 'name="draft"' not in maya.text("/calendar/new")
