"""Series: patterns, exceptions and deleted occurrences, over exchangelib and over plain requests."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from exchangelib import UTC, Account, CalendarItem, EWSDate, EWSTimeZone
from exchangelib.errors import ErrorItemNotFound, ErrorOccurrenceCrossingBoundary
from exchangelib.recurrence import DailyPattern, Recurrence, WeeklyPattern

from tests.emulator.client import Client

pytestmark = pytest.mark.emulator

BERLIN = EWSTimeZone("Europe/Berlin")
ZONE = '<t:StartTimeZone Id="W. Europe Standard Time"/>'


def weekly(account: Account, number: int = 6) -> CalendarItem:
    """Create a Monday series of six in Berlin, across the clock change of 25 October 2026."""
    item = CalendarItem(
        account=account,
        folder=account.calendar,
        subject="Stand-up",
        start=datetime(2026, 10, 12, 9, 0, tzinfo=BERLIN),
        end=datetime(2026, 10, 12, 9, 30, tzinfo=BERLIN),
        recurrence=Recurrence(
            pattern=WeeklyPattern(interval=1, weekdays=["Monday"]), start=EWSDate(2026, 10, 12), number=number
        ),
    )
    item.save()
    return account.calendar.get(id=item.id)


def pattern_xml(pattern: str, start: str, ending: str = "") -> str:
    """Return a Recurrence element."""
    if not ending:
        endless = f"<t:NoEndRecurrence><t:StartDate>{start}</t:StartDate></t:NoEndRecurrence>"
        return f"<t:Recurrence>{pattern}{endless}</t:Recurrence>"
    return (
        f"<t:Recurrence>{pattern}<t:NumberedRecurrence><t:StartDate>{start}</t:StartDate>"
        f"<t:NumberOfOccurrences>{ending}</t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence>"
    )


def series_xml(pattern: str, start: str, ending: str = "", hour: int = 9) -> str:
    """Return the fields of a series of one hour in Berlin."""
    return (
        f"<t:Subject>Series</t:Subject><t:Start>{start}T{hour:02}:00:00</t:Start>"
        f"<t:End>{start}T{hour + 1:02}:00:00</t:End>"
        f"{pattern_xml(pattern, start, ending)}{ZONE}"
    )


def test_a_series_keeps_its_wall_time_over_the_clock_change(ada: Account) -> None:
    """A calendar view shows the occurrences at nine o'clock in Berlin before and after the clock goes back."""
    weekly(ada)
    view = list(ada.calendar.view(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)))
    assert [i.start.astimezone(BERLIN).hour for i in view] == [9] * 6
    assert [i.start.hour for i in view] == [7, 7, 8, 8, 8, 8]
    assert {i.type for i in view} == {"Occurrence"}


def test_a_master_lists_moved_and_deleted_occurrences(ada: Account) -> None:
    """A moved occurrence stands in ModifiedOccurrences with its original start, a deleted one with its start only."""
    master = weekly(ada)
    second = master.occurrence(index=2)
    second.refresh()
    second.start = datetime(2026, 10, 20, 15, 0, tzinfo=BERLIN)
    second.end = datetime(2026, 10, 20, 16, 0, tzinfo=BERLIN)
    second.subject = "Stand-up, moved"
    second.save(update_fields=["start", "end", "subject"])
    master.occurrence(index=4).delete()
    master.refresh()
    (moved,) = master.modified_occurrences
    assert moved.start == datetime(2026, 10, 20, 13, 0, tzinfo=UTC)
    assert moved.original_start == datetime(2026, 10, 19, 7, 0, tzinfo=UTC)
    assert [d.start for d in master.deleted_occurrences] == [datetime(2026, 11, 2, 8, 0, tzinfo=UTC)]
    exception = ada.calendar.get(id=moved.id)
    assert (exception.subject, exception.type) == ("Stand-up, moved", "Exception")
    view = list(ada.calendar.view(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)))
    assert [i.type for i in view] == ["Occurrence", "Exception", "Occurrence", "Occurrence", "Occurrence"]


def test_occurrence_indexes_count_deleted_ones(ada: Account) -> None:
    """After the second occurrence is deleted the third one still has index 3, and index 2 is refused."""
    master = weekly(ada)
    master.occurrence(index=2).delete()
    third = master.occurrence(index=3)
    third.refresh()
    assert third.start == datetime(2026, 10, 26, 8, 0, tzinfo=UTC)
    with pytest.raises(Exception, match="previously deleted"):
        master.occurrence(index=2).refresh()
    with pytest.raises(Exception, match="out of recurrence range"):
        master.occurrence(index=7).refresh()


def test_first_and_last_occurrence_are_those_that_are_left(ada: Account) -> None:
    """Deleting the ends of a series moves FirstOccurrence and LastOccurrence inwards."""
    master = weekly(ada)
    master.occurrence(index=1).delete()
    master.occurrence(index=6).delete()
    master.refresh()
    assert master.first_occurrence.start == datetime(2026, 10, 19, 7, 0, tzinfo=UTC)
    assert master.last_occurrence.start == datetime(2026, 11, 9, 8, 0, tzinfo=UTC)


def test_the_master_is_found_from_an_occurrence(ada: Account) -> None:
    """RecurringMasterItemId with an occurrence's id names the master."""
    master = weekly(ada)
    occurrence = master.occurrence(index=3)
    occurrence.refresh()
    found = occurrence.recurring_master()
    found.refresh()
    assert found.id == master.id


def test_a_changed_occurrence_is_an_update_of_its_master(ada: Account) -> None:
    """SyncFolderItems returns the master, never the occurrence, when an occurrence was changed."""
    master = weekly(ada)
    folder = ada.calendar
    assert [kind for kind, _ in folder.sync_items()] == ["create"]
    occurrence = master.occurrence(index=2)
    occurrence.refresh()
    occurrence.location = "Elsewhere"
    occurrence.save(update_fields=["location"])
    ((kind, item),) = folder.sync_items()
    assert (kind, item.id, item.type) == ("update", master.id, "RecurringMaster")


def test_an_exception_may_not_reach_its_neighbours(ada: Account) -> None:
    """Moving an occurrence onto the day of the next one is refused with ErrorOccurrenceCrossingBoundary."""
    master = weekly(ada)
    occurrence = master.occurrence(index=2)
    occurrence.refresh()
    occurrence.start = datetime(2026, 10, 26, 15, 0, tzinfo=BERLIN)
    occurrence.end = datetime(2026, 10, 26, 16, 0, tzinfo=BERLIN)
    with pytest.raises(ErrorOccurrenceCrossingBoundary):
        occurrence.save(update_fields=["start", "end"])


def test_a_change_of_the_pattern_drops_exceptions(ada: Account) -> None:
    """A series whose recurrence is set anew has no modified or deleted occurrences any more."""
    master = weekly(ada)
    master.occurrence(index=2).delete()
    master.refresh()
    master.recurrence = Recurrence(pattern=DailyPattern(interval=1), start=EWSDate(2026, 10, 12), number=3)
    master.save(update_fields=["recurrence"])
    master.refresh()
    assert master.deleted_occurrences is None
    assert master.last_occurrence.start == datetime(2026, 10, 14, 7, 0, tzinfo=UTC)


def test_a_new_subject_reaches_exceptions_that_had_the_old_one(ada: Account) -> None:
    """An exception that was only moved takes on the subject that its master gets later."""
    master = weekly(ada)
    occurrence = master.occurrence(index=2)
    occurrence.refresh()
    occurrence.start = datetime(2026, 10, 20, 15, 0, tzinfo=BERLIN)
    occurrence.end = datetime(2026, 10, 20, 16, 0, tzinfo=BERLIN)
    occurrence.save(update_fields=["start", "end"])
    master.refresh()
    master.subject = "Daily no more"
    master.save(update_fields=["subject"])
    master.refresh()
    (moved,) = master.modified_occurrences
    assert ada.calendar.get(id=moved.id).subject == "Daily no more"


def test_a_deleted_occurrence_is_not_found(ada: Account) -> None:
    """The id of an occurrence that was deleted answers ErrorItemNotFound."""
    master = weekly(ada)
    occurrence = master.occurrence(index=2)
    occurrence.refresh()
    ident = occurrence.id
    occurrence.delete()
    with pytest.raises(ErrorItemNotFound):
        ada.calendar.get(id=ident)


MONTHLY_31 = (
    "<t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>31</t:DayOfMonth>"
    "</t:AbsoluteMonthlyRecurrence>"
)
YEARLY_29 = (
    "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>29</t:DayOfMonth><t:Month>February</t:Month>"
    "</t:AbsoluteYearlyRecurrence>"
)
TUESDAYS = "<t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Tuesday</t:DaysOfWeek></t:WeeklyRecurrence>"


def days_of(client: Client, start: str, end: str) -> list[str]:
    """Return the dates of everything in a calendar view."""
    reply = client.post(
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>'
        f'<m:CalendarView StartDate="{start}T00:00:00Z" EndDate="{end}T00:00:00Z"/>'
        '<m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>'
    )
    return [(e.text or "")[:10] for e in reply.all("t:Start")]


def test_day_31_falls_on_the_last_day_of_shorter_months(client: Client) -> None:
    """A series on day 31 meets on the last day of every month and skips none."""
    client.created(series_xml(MONTHLY_31, "2027-01-31", "4"))
    assert days_of(client, "2027-01-01", "2027-12-31") == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]


def test_29_february_falls_on_the_28th(client: Client) -> None:
    """A yearly series of 29 February meets on the 28th in common years."""
    client.created(series_xml(YEARLY_29, "2028-02-29", "2"))
    assert days_of(client, "2028-01-01", "2029-12-31") == ["2028-02-29", "2029-02-28"]


def test_a_series_starts_at_the_first_date_that_fits(client: Client) -> None:
    """Created from a Wednesday, a series of Tuesdays starts on a Tuesday, and its range says so."""
    ident = client.created(series_xml(TUESDAYS.replace(">2<", ">1<"), "2026-12-02", "2"))
    reply = client.get(ident)
    assert reply.text("t:CalendarItem/t:Start") == "2026-12-08T08:00:00Z"
    assert reply.text("t:StartDate") == "2026-12-08"


@pytest.mark.parametrize(
    ("pattern", "ending"),
    [
        (TUESDAYS, "1000"),
        (TUESDAYS.replace(">2<", ">100<"), ""),
        ("<t:DailyRecurrence><t:Interval>1000</t:Interval></t:DailyRecurrence>", ""),
        (MONTHLY_31.replace(">1</t:Int", ">100</t:Int"), ""),
    ],
)
def test_counts_and_intervals_have_limits(client: Client, pattern: str, ending: str) -> None:
    """A count above 999 and an interval above 99 (daily 999) are refused as an invalid recurrence."""
    reply = client.create(series_xml(pattern, "2026-12-01", ending))
    assert reply.codes() == ["ErrorCalendarInvalidRecurrence"]


def test_the_largest_count_and_intervals_are_taken(client: Client) -> None:
    """999 occurrences, 99 weeks and 999 days are within the limits."""
    for pattern in (
        TUESDAYS.replace(">2<", ">99<"),
        "<t:DailyRecurrence><t:Interval>999</t:Interval></t:DailyRecurrence>",
    ):
        assert client.create(series_xml(pattern, "2026-12-01", "999")).codes() == ["NoError"]


PATTERNS = {
    "daily": "<t:DailyRecurrence><t:Interval>3</t:Interval></t:DailyRecurrence>",
    "weekly": "<t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Monday Friday</t:DaysOfWeek>"
    "<t:FirstDayOfWeek>Monday</t:FirstDayOfWeek></t:WeeklyRecurrence>",
    "monthly by day": "<t:AbsoluteMonthlyRecurrence><t:Interval>2</t:Interval><t:DayOfMonth>15</t:DayOfMonth>"
    "</t:AbsoluteMonthlyRecurrence>",
    "monthly by weekday": "<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Weekday</t:DaysOfWeek>"
    "<t:DayOfWeekIndex>Last</t:DayOfWeekIndex></t:RelativeMonthlyRecurrence>",
    "yearly by day": "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>4</t:DayOfMonth><t:Month>July</t:Month>"
    "</t:AbsoluteYearlyRecurrence>",
    "yearly by weekday": "<t:RelativeYearlyRecurrence><t:DaysOfWeek>Thursday</t:DaysOfWeek>"
    "<t:DayOfWeekIndex>Fourth</t:DayOfWeekIndex><t:Month>November</t:Month></t:RelativeYearlyRecurrence>",
}


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS.keys())
def test_every_pattern_comes_back_as_it_was_told(client: Client, pattern: str) -> None:
    """Each of the six patterns is stored and rendered alike."""
    reply = client.get(client.created(series_xml(pattern, "2026-12-01", "5")))
    (found,) = (e for e in reply.one("t:Recurrence") if "Numbered" not in e.tag)
    told = {child.tag.rpartition("}")[2]: child.text for child in found}
    for name, text in told.items():
        assert f"<t:{name}>{text}</t:{name}>" in pattern


def test_an_offset_of_a_range_date_is_dropped(client: Client) -> None:
    """StartDate 2026-12-01+01:00 means the first of December in the item's zone."""
    fields = series_xml(PATTERNS["daily"], "2026-12-01", "2").replace(
        "<t:StartDate>2026-12-01<", "<t:StartDate>2026-12-01+01:00<"
    )
    assert client.get(client.created(fields)).text("t:StartDate") == "2026-12-01"


def test_an_all_day_item_is_midnight_to_midnight_in_its_zone(client: Client) -> None:
    """An all-day item's ends are midnight in Berlin, which is not midnight in UTC; the end is exclusive."""
    ident = client.created(
        "<t:Subject>Fair</t:Subject><t:Start>2026-12-01T10:00:00</t:Start><t:End>2026-12-02T12:00:00</t:End>"
        f"<t:IsAllDayEvent>true</t:IsAllDayEvent>{ZONE}"
    )
    reply = client.get(ident)
    assert (reply.text("t:CalendarItem/t:Start"), reply.text("t:CalendarItem/t:End")) == (
        "2026-11-30T23:00:00Z",
        "2026-12-02T23:00:00Z",
    )
    assert date(2026, 12, 1).isoformat() in reply.text("t:StartWallClock")


def test_a_recurrence_that_is_written_again_forgets_moved_and_deleted_dates(ada: Account) -> None:
    """The same pattern lays the series out anew; another field leaves its dates as they are."""
    series = weekly(ada)
    series.occurrence(index=2).delete()
    third = series.occurrence(index=3)
    third.subject = "Special"
    third.save(update_fields=["subject"])
    series = ada.calendar.get(id=series.id)
    series.location = "Room 4"
    series.save(update_fields=["location"])
    before = ada.calendar.get(id=series.id)
    series.recurrence = Recurrence(
        pattern=WeeklyPattern(interval=1, weekdays=["Monday"]), start=EWSDate(2026, 10, 12), number=6
    )
    series.save(update_fields=["recurrence"])
    after = ada.calendar.get(id=series.id)
    assert [len(each or ()) for each in (before.deleted_occurrences, before.modified_occurrences)] == [1, 1]
    assert [len(each or ()) for each in (after.deleted_occurrences, after.modified_occurrences)] == [0, 0]
    assert after.recurrence == before.recurrence
