"""From .ics to Exchange: what is loaded, changed or refused, each trap by itself, and every real calendar whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dateutil.rrule import rrulestr

from syncline.emulators.exchange import ExchangeEmulator
from syncline.emulators.exchange.appointments import appointments
from syncline.emulators.exchange.calendar_files import CODES, CalendarReport
from tests.emulator.conftest import ADA, BOB

pytestmark = pytest.mark.emulator

Load = Callable[..., tuple[CalendarReport, list[dict[str, Any]]]]


def event(*lines: str, uid: str = "one@test") -> str:
    """Return a VEVENT."""
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", "SUMMARY:Event", *lines, "END:VEVENT"])


def calendar(*parts: str) -> str:
    """Return a calendar of events and zones."""
    return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", *parts, "END:VCALENDAR", ""])


@pytest.fixture
def load(start: Callable[..., ExchangeEmulator]) -> Load:
    """Load a text into Ada's calendar and return the report and what stands there then."""

    def into(text: str, zone: str = "Europe/Berlin") -> tuple[CalendarReport, list[dict[str, Any]]]:
        server = start(time_zone=zone)
        report = server.load_calendar(ADA, text)
        mailbox = server.store.mailbox(ADA)
        assert mailbox is not None
        return report, appointments(server.store, mailbox)

    return into


def codes(report: CalendarReport) -> tuple[list[str], list[str]]:
    """Return the codes of what was changed and of what was refused."""
    return [f.code for f in report.changed], [f.code for f in report.refused]


START = "DTSTART;TZID=Europe/Berlin:20261201T090000"
END = "DTEND;TZID=Europe/Berlin:20261201T100000"


def test_a_single_is_loaded_with_its_fields(load: Load) -> None:
    """Texts, people, class, categories, zone and UID are those of the file."""
    report, (row,) = load(
        calendar(
            event(
                START, END, "LOCATION:Room", "DESCRIPTION:Line one\\nLine two", "CLASS:PRIVATE", "CATEGORIES:Red,Blue",
                "ORGANIZER;CN=Bob:mailto:Bob@Example.com", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com",
                "ATTENDEE;ROLE=OPT-PARTICIPANT;CN=Cyd:mailto:cyd@example.com",
                "ATTENDEE;CUTYPE=ROOM:mailto:room@example.com",
            )
        )
    )  # fmt: skip
    assert (report.singles, codes(report)) == (1, ([], []))
    assert (row["global_object_id"], row["start"], row["time_zone"]) == (
        "one@test",
        "2026-12-01T08:00:00Z",
        "Europe/Berlin",
    )
    assert (row["location"], row["description"], row["private"]) == ("Room", "Line one\nLine two", True)
    assert (row["categories"], row["organizer"], row["response"]) == (["Red", "Blue"], BOB, "accepted")
    assert [(a["address"], a["role"], a["response"]) for a in row["attendees"]] == [
        (ADA, "required", "accepted"),
        ("cyd@example.com", "optional", "none"),
        ("room@example.com", "resource", "none"),
    ]


@pytest.mark.parametrize(
    ("lines", "show_as"),
    [
        ([START, END], "busy"),
        ([START, END, "TRANSP:TRANSPARENT"], "free"),
        ([START, END, "STATUS:TENTATIVE"], "tentative"),
        ([START, END, "TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"], "out_of_office"),
        ([START, END, "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"], "working_elsewhere"),
        (["DTSTART;VALUE=DATE:20261201"], "free"),
        (["DTSTART;VALUE=DATE:20261201", "TRANSP:OPAQUE"], "busy"),
        (["DTSTART;VALUE=DATE:20261201", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"], "busy"),
        ([START, END, "STATUS:CANCELLED"], "free"),
    ],
)
def test_show_as_follows_outlook(load: Load, lines: list[str], show_as: str) -> None:
    """The busy status wins, then transparency, then a tentative status; bare all-day and cancelled ones are free."""
    _, (row,) = load(calendar(event(*lines)))
    assert row["show_as"] == show_as
    assert (row["status"] == "canceled") == ("STATUS:CANCELLED" in lines)


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ([START], "2026-12-01T08:00:00Z"),
        ([START, "DURATION:PT90M"], "2026-12-01T09:30:00Z"),
        (["DTSTART;VALUE=DATE:20261201"], "2026-12-01T23:00:00Z"),
        (["DTSTART;VALUE=DATE:20261201", "DURATION:P2D"], "2026-12-02T23:00:00Z"),
        (["DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261201"], "2026-12-01T23:00:00Z"),
    ],
)
def test_a_missing_end_is_made_up(load: Load, lines: list[str], end: str) -> None:
    """Without DTEND the duration counts, else an event takes no time and an all-day one a day."""
    assert load(calendar(event(*lines)))[1][0]["end"] == end


def test_all_day_dates_are_days_of_the_mailbox(load: Load) -> None:
    """An all-day event begins at midnight of the mailbox's zone, whatever that is."""
    text = calendar(event("DTSTART;VALUE=DATE:20261201"))
    assert load(text, "Asia/Tokyo")[1][0]["start"] == "2026-11-30T15:00:00Z"
    assert load(text, "America/New_York")[1][0]["start"] == "2026-12-01T05:00:00Z"


def test_times_without_a_zone_are_those_of_the_mailbox(load: Load) -> None:
    """A floating time is a wall time of the mailbox's zone."""
    assert load(calendar(event("DTSTART:20261201T090000")), "Asia/Tokyo")[1][0]["start"] == "2026-12-01T00:00:00Z"


def test_created_is_that_of_the_file(load: Load, start: Callable[..., ExchangeEmulator]) -> None:
    """DateTimeCreated is CREATED, else DTSTAMP, else the instant of loading."""
    now = datetime(2026, 6, 1, tzinfo=UTC)
    server = start(frozen_clock=now)
    bare = event(START, uid="c").replace("DTSTAMP:20260101T000000Z\n", "")
    server.load_calendar(ADA, calendar(event(START, "CREATED:20250101T000000Z", uid="a"), event(START, uid="b"), bare))
    folder = server.store.distinguished(1, "calendar")
    assert folder is not None
    assert [s.item.created for s in server.store.items(folder.row)] == [
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
        now,
    ]


@pytest.mark.parametrize("zone", ["W. Europe Standard Time", "Europe/Berlin"])
def test_windows_and_iana_zones_are_known(load: Load, zone: str) -> None:
    """A TZID may be a Windows id or an IANA name."""
    report, (row,) = load(calendar(event(f"DTSTART;TZID={zone}:20260701T090000")), "UTC")
    assert (row["start"], row["time_zone"], codes(report)) == ("2026-07-01T07:00:00Z", "Europe/Berlin", ([], []))


CUSTOM = """BEGIN:VTIMEZONE
TZID:Harbour
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0{0}00
TZOFFSETTO:+0{1}00
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0{1}00
TZOFFSETTO:+0{0}00
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""


def test_an_unknown_zone_is_matched_by_its_rules(load: Load) -> None:
    """A zone that only a VTIMEZONE describes becomes the known zone with the same rules, and the report says so."""
    lines = ["DTSTART;TZID=Harbour:20260701T090000", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1;COUNT=6"]
    report, (row,) = load(calendar(CUSTOM.format(2, 1), event(*lines)))
    assert (row["start"], row["time_zone"]) == ("2026-07-01T07:00:00Z", "Europe/Berlin")
    assert codes(report) == (["UnknownZone"], [])


def test_a_zone_of_unheard_rules_is_kept_as_they_are(load: Load, start: Callable[..., ExchangeEmulator]) -> None:
    """A zone with rules that no known zone has stays a custom zone, and its series keeps its wall time by them."""
    lines = ["DTSTART;TZID=Harbour:20260701T090000", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1;COUNT=6"]
    server = start()
    server.load_calendar(ADA, calendar(CUSTOM.format(9, 2), event(*lines)))
    folder = server.store.distinguished(1, "calendar")
    assert folder is not None
    (stored,) = server.store.items(folder.row)
    assert stored.item.start_zone.definition
    assert stored.item.start == datetime(2026, 7, 1, 0, tzinfo=UTC)


def test_a_series_is_loaded_with_exceptions_and_exclusions(load: Load) -> None:
    """EXDATE deletes an occurrence, RECURRENCE-ID changes one."""
    report, (master, exception) = load(
        calendar(
            event(START, END, "RRULE:FREQ=WEEKLY;COUNT=5", "EXDATE;TZID=Europe/Berlin:20261208T090000"),
            event(
                "RECURRENCE-ID;TZID=Europe/Berlin:20261215T090000",
                "DTSTART;TZID=Europe/Berlin:20261216T110000",
                "DTEND;TZID=Europe/Berlin:20261216T120000",
            ),
        )
    )
    assert (report.series, report.exceptions, codes(report)) == (1, 1, ([], []))
    assert master["deleted"] == ["2026-12-08T08:00:00Z"]
    assert (exception["kind"], exception["original_start"], exception["start"]) == (
        "exception",
        "2026-12-15T08:00:00Z",
        "2026-12-16T10:00:00Z",
    )


def test_an_exclusion_by_date_means_that_days_occurrence(load: Load) -> None:
    """EXDATE with a date alone deletes the occurrence of that date."""
    _, (master,) = load(calendar(event(START, END, "RRULE:FREQ=DAILY;COUNT=5", "EXDATE;VALUE=DATE:20261203")))
    assert master["deleted"] == ["2026-12-03T08:00:00Z"]


def test_a_start_off_its_rule_becomes_a_single(load: Load) -> None:
    """The series starts at the first fitting date, and the off-rule start is a single with UID and RecurrenceId."""
    report, (single, master) = load(calendar(event(START, END, "RRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=3")))
    assert codes(report) == (["StartOffRule"], [])
    assert (single["kind"], single["start"], single["original_start"]) == (
        "single",
        "2026-12-01T08:00:00Z",
        "2026-12-01T08:00:00Z",
    )
    assert (master["start"], master["global_object_id"]) == ("2026-12-04T08:00:00Z", single["global_object_id"])


def test_an_excluded_start_off_its_rule_is_gone(load: Load) -> None:
    """When EXDATE names the off-rule start, no single is left of it."""
    _, rows = load(
        calendar(event(START, END, "RRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=3", "EXDATE;TZID=Europe/Berlin:20261201T090000"))
    )
    assert [row["kind"] for row in rows] == ["series"]


def test_an_exception_without_master_is_a_single(load: Load) -> None:
    """RECURRENCE-ID alone becomes a single with that UID and RecurrenceId."""
    _, (row,) = load(calendar(event("RECURRENCE-ID:20261201T080000Z", "DTSTART:20261202T080000Z")))
    assert (row["kind"], row["original_start"], row["start"]) == (
        "single",
        "2026-12-01T08:00:00Z",
        "2026-12-02T08:00:00Z",
    )


def test_an_exception_of_no_occurrence_is_a_single(load: Load) -> None:
    """RECURRENCE-ID that the pattern does not have is kept as a single, and the report says so."""
    report, rows = load(
        calendar(
            event(START, END, "RRULE:FREQ=WEEKLY;COUNT=3"),
            event("RECURRENCE-ID:20270601T080000Z", "DTSTART:20270602T080000Z"),
        )
    )
    assert (codes(report), len(rows)) == ((["NoSuchOccurrence"], []), 2)


REFUSED = {
    "UnsupportedPattern": [event(START, "RRULE:FREQ=HOURLY")],
    "ExtraDates": [event(START, "RRULE:FREQ=DAILY;COUNT=2", "RDATE:20270101T080000Z")],
    "NoStart": [event()],
    "EndBeforeStart": [event(START, "DTEND:20261101T080000Z")],
    "TooLong": [event(START, "DTEND:20361101T080000Z")],
    "BrokenEvent": [event("DTSTART:nonsense")],
    "CrossingException": [
        event(START, END, "RRULE:FREQ=DAILY;COUNT=5"),
        event("RECURRENCE-ID:20261202T080000Z", "DTSTART:20261203T100000Z"),
    ],
    "RangeException": [
        event(START, END, "RRULE:FREQ=DAILY;COUNT=5"),
        event("RECURRENCE-ID;RANGE=THISANDFUTURE:20261202T080000Z", "DTSTART:20261202T100000Z"),
    ],
    "DuplicateUid": [event(START, "CREATED:20260201T000000Z"), event(START, "CREATED:20260101T000000Z")],
}


@pytest.mark.parametrize(("code", "parts"), REFUSED.items(), ids=REFUSED.keys())
def test_what_exchange_cannot_hold_is_refused_by_its_code(load: Load, code: str, parts: list[str]) -> None:
    """Each refusal has its code, and the other events of the file are loaded."""
    other = event(START, uid="other@test")
    report, rows = load(calendar(*parts, other))
    assert codes(report)[1] == [code]
    assert "other@test" in {row["global_object_id"] for row in rows}


def test_of_two_events_with_one_uid_the_older_is_kept(load: Load) -> None:
    """The event that was created first stays."""
    _, (row,) = load(
        calendar(
            event(START, "CREATED:20260201T000000Z", "LOCATION:younger"),
            event(START, "CREATED:20260101T000000Z", "LOCATION:older"),
        )
    )
    assert row["location"] == "older"


@pytest.mark.parametrize(
    "text", ["", "nonsense", "BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "\0\0\0", "BEGIN:VEVENT\nEND:VCALENDAR"]
)
def test_what_is_no_calendar_is_refused_whole(load: Load, text: str) -> None:
    """A text that is no calendar leaves the mailbox empty and says so."""
    report, rows = load(text)
    assert rows == []
    assert codes(report)[1] in (["NotACalendar"], ["NoStart"], [])


@pytest.mark.parametrize(
    ("rule", "oracle"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=12", "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1;COUNT=12"),
        ("FREQ=MONTHLY;BYMONTHDAY=30;COUNT=12", "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1;COUNT=12"),
        ("FREQ=MONTHLY;BYMONTHDAY=29;COUNT=14", "FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1;COUNT=14"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=6", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1;COUNT=6"),
    ],
)
def test_days_of_the_month_clamp_as_the_oracle_says(
    start: Callable[..., ExchangeEmulator], rule: str, oracle: str
) -> None:
    """Days 29 to 31 fall on the last day of shorter months: the same dates as dateutil's by set position."""
    from syncline.emulators.exchange.series import expand

    first = datetime(2028, 1, 29, 9) if "YEARLY" not in rule else datetime(2028, 2, 29, 9)
    begin = next(iter(rrulestr(oracle, dtstart=first)))
    server = start()
    server.load_calendar(ADA, calendar(event(f"DTSTART:{begin:%Y%m%dT%H%M%S}Z", f"RRULE:{rule}")))
    folder = server.store.distinguished(1, "calendar")
    assert folder is not None
    master = server.store.items(folder.row)[-1].item
    found = [o.start.date() for o in expand(master, datetime(2027, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))]
    assert found == [d.date() for d in rrulestr(oracle, dtstart=begin)]


def test_every_code_has_a_test() -> None:
    """No code of the report stands there untested."""
    changed = {"StartOffRule", "NoSuchOccurrence", "ExclusionWithoutOccurrence", "UnknownZone"}
    assert set(CODES) == {*REFUSED, *changed, "NotACalendar"}


def test_an_exclusion_of_no_occurrence_is_reported(load: Load) -> None:
    """EXDATE beside the pattern is left out and stands in the report; a broken one too."""
    for exdate in ("EXDATE:20270101T000000Z", "EXDATE:"):
        report, (master,) = load(calendar(event(START, END, "RRULE:FREQ=WEEKLY;COUNT=3", exdate)))
        assert codes(report) == (["ExclusionWithoutOccurrence"], [])
        assert master["deleted"] == []


def test_many_events_and_endless_series_are_loaded_quickly(load: Load) -> None:
    """Thousands of events, one with thousands of exclusions and one without end, are no trouble."""
    days = [date(2026, 12, 1) + timedelta(days=n) for n in range(3000)]
    exdates = "EXDATE;VALUE=DATE:" + ",".join(f"{day:%Y%m%d}" for day in days)
    parts = [event(START, uid=f"{n}@test") for n in range(2000)]
    report, _ = load(calendar(*parts, event(START, "RRULE:FREQ=DAILY", exdates, uid="endless@test")))
    assert (report.singles, report.series, report.refused) == (2000, 1, ())


def test_every_real_calendar_is_accounted_for(start: Callable[..., ExchangeEmulator], data_dir: Path) -> None:
    """Each event of the real calendars is a single, a series, an exception, or stands in the report as refused."""
    for path in sorted((data_dir / "ics-real").glob("*.ics")):
        text = path.read_text(encoding="utf-8", errors="replace")
        report = start(time_zone="Europe/Berlin").load_calendar(ADA, text)
        off_rule = sum(f.code == "StartOffRule" for f in report.changed)
        loaded = report.singles + report.series + report.exceptions - off_rule
        assert loaded + len(report.refused) == text.count("BEGIN:VEVENT"), path.name
        assert len(report.refused) < 10


def test_odd_calendars_harm_nobody(start: Callable[..., ExchangeEmulator], data_dir: Path) -> None:
    """Every sample of the parsers' own test suites, broken ones included, ends in a report."""
    server = start()
    for path in sorted((data_dir / "icalendar").rglob("*.ics")):
        server.load_calendar(ADA, path.read_text(encoding="utf-8", errors="replace"))
    assert server.store.mailbox(ADA) is not None
