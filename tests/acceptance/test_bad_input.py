"""Broken, enormous, endless and hostile calendars: each event is taken or refused with a code, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from syncline.cli import app as syncline
from tests.acceptance.installation import Installation, address, installed
from tests.acceptance.site import Outlook, Site, at, calendar, event, served

pytestmark = pytest.mark.emulator

HOSTILE = (
    "<script>alert(1)</script>",
    "]]></t:Subject><t:Subject>two",
    "&amp; &#0; &bomb; &lt;",
    "'; DROP TABLE appointment; --",
    "=HYPERLINK(1) {subject} %s {0} {crm}",
    "\u202eevil\u202c \ufeff \U0001f4a3 \u0000 \u0008 \u001b[31m",
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Installation]:
    """Open an installation in which Maya has a mailbox."""
    with installed(tmp_path / "data") as found:
        yield found


@pytest.fixture
def site(world: Installation) -> Iterator[Site]:
    """Serve it; a sync runs in the request that asks for it."""
    with served(world, "maya", jobs=False) as found:
        yield found


@pytest.fixture
def outlook(world: Installation) -> Outlook:
    """Give Maya's mail program."""
    return Outlook(world)


def codes(report: Any) -> list[str]:
    """Return the codes of everything that the server changed or refused."""
    return [finding.code for finding in (*report.changed, *report.refused)]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["DTEND:20261124T110000Z"], "NoStart"),
        (["DTSTART:20261124T110000Z", "DTEND:20261124T100000Z"], "EndBeforeStart"),
        (["DTSTART:20261124T110000Z", "DTEND:20991124T110000Z"], "TooLong"),
        (["DTSTART:yesterday", "DTEND:20261124T110000Z"], "BrokenEvent"),
        (["DTSTART:20261124T110000Z", "RRULE:FREQ=SECONDLY"], "UnsupportedPattern"),
        (["DTSTART:20261124T110000Z", "RRULE:FREQ=WEEKLY;COUNT=1000000000"], "UnsupportedPattern"),
        (["DTSTART:20261124T110000Z", "RRULE:FREQ=SOMETIMES;BYDAY=XX"], "UnsupportedPattern"),
        (["DTSTART:20261124T110000Z", "RDATE:20261125T110000Z"], "ExtraDates"),
    ],
)
def test_a_bad_event_is_refused_with_its_code(site: Site, outlook: Outlook, lines: list[str], code: str) -> None:
    """What Exchange cannot hold is refused with a code; the event beside it is synchronized."""
    report = outlook.load(event("bad", None, None, *lines), event("good", at(9), at(10)))

    assert codes(report) == [code]
    assert site.sync()["error"] is None
    assert site.subjects() == ["good"]


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "\x00" * 1000, "BEGIN:VCALENDAR", "BEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "BEGIN:" * 100_000],
    ids=["empty", "nonsense", "zeros", "cut off", "crossed", "enormous line"],
)
def test_a_broken_file_is_named(site: Site, outlook: Outlook, world: Installation, text: str) -> None:
    """A text that is no calendar is reported, loads nothing and harms nothing."""
    report = world.exchange.load_calendar(address("maya"), text)
    assert (report.singles, report.series) == (0, 0)
    outlook.load(event("good", at(9), at(10)))

    assert site.sync()["error"] is None
    assert site.subjects() == ["good"]


def test_a_file_that_breaks_off_keeps_its_whole_events(site: Site, world: Installation) -> None:
    """Of a file cut off in the middle nothing is invented: the whole events, or a code."""
    text = calendar(event("one", at(9), at(10)), event("two", at(11), at(12)))
    report = world.exchange.load_calendar(address("maya"), text[: text.index("SUMMARY:two")])
    site.sync()

    assert site.subjects() == ["one"] or codes(report) == ["NotACalendar"]
    assert "two" not in site.subjects()


def test_hostile_texts_arrive_as_texts(site: Site, outlook: Outlook) -> None:
    """Mark-up, entities, quotes and control characters in a subject change nothing but the subject."""
    for number, text in enumerate(HOSTILE):
        outlook.load(event(f"hostile {number}", at(9 + number), at(10 + number), f"SUMMARY:{text}"))
    report = site.sync()

    assert (report["error"], report["saved"], report["failed"]) == (None, len(HOSTILE), 0)
    found = site.subjects()
    for text in HOSTILE[:5]:
        assert text in found
    assert any("evil" in subject for subject in found)


def test_an_endless_series_is_one_row_and_one_question(site: Site, outlook: Outlook) -> None:
    """A daily series without end, from 1970 on: saved as one row, checked to the horizon, asked once."""
    outlook.load(event("endless", at(9, days=-20_000), at(9.5, days=-20_000), "RRULE:FREQ=DAILY"))
    assert site.sync()["saved"] == 1
    outlook.load(event("endless too", at(9, days=-10_000), at(9.25, days=-10_000), "RRULE:FREQ=DAILY"))
    assert site.sync()["waiting"] == 1

    assert site.question()["series"]["occurrences"] in (1830, 1831)
    window = site.items("/appointments", **{"from": "2026-12-01", "to": "2026-12-08"})
    assert len(window) == 7


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "(UTC+99:00) Nowhere"])
def test_an_unknown_zone_keeps_the_event(site: Site, outlook: Outlook, zone: str) -> None:
    """A zone that nobody knows is reported; the event is kept, and nothing else is harmed."""
    named = f'DTSTART;TZID="{zone}":20261124T110000'
    report = outlook.load(event("far away", None, None, named, "DURATION:PT1H"), event("good", at(15), at(16)))

    assert set(codes(report)) <= {"UnknownZone", "BrokenEvent"}
    assert site.sync()["error"] is None
    refused = [finding.uid for finding in report.refused]
    assert site.subjects() == sorted({"far away", "good"} - set(refused))


@pytest.mark.rule("CD-01")
def test_an_appointment_without_end_lasts_no_time(site: Site, outlook: Outlook) -> None:
    """Without an end an appointment has no length, is saved, and clashes with nothing."""
    site.in_crm("Standing", at(9), at(12))
    outlook.load(event("instant", at(10), None))

    assert site.sync()["waiting"] == 0
    (row,) = site.rows("instant")
    assert row["start"] == row["end"]


def test_five_hundred_attendees_are_kept(site: Site, world: Installation, outlook: Outlook) -> None:
    """An appointment with 500 attendees is saved with all of them, and one of them who is busy is found."""
    world.hire("guest499")
    site.in_crm("Standing", at(9), at(10), organizer="guest499")
    people = [f"ATTENDEE:mailto:{address(f'guest{number}')}" for number in range(500)]
    outlook.load(event("big", at(9), at(10), f"ORGANIZER:mailto:{address('maya')}", *people))
    assert site.sync()["waiting"] == 1
    assert site.question()["unavailable"] == ["Guest499"]
    site.post(f"/alerts/{site.question()['id']}/answer", 202, answer="yes")
    site.sync()

    (row,) = site.rows("big")
    assert len(row["attendees"]) == 500


def test_enormous_texts_are_cut_and_saved(site: Site, outlook: Outlook) -> None:
    """A subject of 100,000 and a body of 3,000,000 characters: saved, cut to what the CRM holds (1.7)."""
    outlook.load(
        event("s", at(9), at(10), f"SUMMARY:{'S' * 100_000}"),
        event("b", at(11), at(12), f"DESCRIPTION:{'b' * 3_000_000}"),
    )
    report = site.sync()

    assert (report["error"], report["saved"] + report["failed"]) == (None, 2)
    for row in site.items("/appointments"):
        assert len(row["subject"]) <= 200
    assert {code for _, code in site.links()} <= {None, "ItemTooLarge"}


def test_a_thousand_events_at_one_instant(site: Site, outlook: Outlook) -> None:
    """A crowd at the same instant: one is saved, 999 are questions, and a bulk answer keeps them all out."""
    outlook.load(*(event(f"crowd {number}", at(9), at(10)) for number in range(1000)))
    report = site.sync()
    assert (report["saved"], report["waiting"], report["error"]) == (1, 999, None)

    given = site.post(
        "/alerts/answer", 202, answer="no", mailbox=address("maya"), code="ExchangeSyncSchedulingConflictsError"
    )
    assert given["refused"] == []
    site.sync()
    assert site.items("/alerts", open="true") == []
    assert len(site.subjects()) == 1


@pytest.mark.parametrize("name", ["missing.ics", ".", "big.ics"])
def test_a_file_that_cannot_be_read_is_named_on_the_terminal(tmp_path: Path, name: str) -> None:
    """`syncline demo --calendar` with no file, a folder or far too much says CalendarFileInvalid and exits 1."""
    path = tmp_path / name
    if name == "big.ics":
        with path.open("wb") as stream:
            stream.truncate(10 * 1024**3)
    told = CliRunner().invoke(syncline, ["demo", "--port", "0", "--no-open", "--calendar", str(path)])

    assert told.exit_code == 1
    assert "CalendarFileInvalid" in told.output


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_an_entity_bomb_is_refused_by_the_server(outlook: Outlook, bomb: str) -> None:
    """A request with a document type is a proper fault, and no entity is read."""
    text = f'<?xml version="1.0"?>{bomb}<s:Envelope xmlns:s="x">&b;</s:Envelope>'
    reply = outlook.client.raw("POST", "/EWS/Exchange.asmx", text.encode())

    assert reply.codes() == ["ErrorSchemaValidation"] or reply.status in (400, 500)
    assert b"root:" not in reply.body
    assert b"aaaa" not in reply.body


@pytest.mark.parametrize(
    "body",
    [
        {"subject": "x"},
        {"subject": "x", "start": "never", "end": "2026-11-24T10:00:00Z"},
        {"subject": "x", "start": "2026-11-24T11:00:00Z", "end": "2026-11-24T10:00:00Z"},
        {"subject": "x", "start": "2026-11-24T11:00:00", "end": "2026-11-24T12:00:00", "time_zone": "Mars/Olympus"},
        {"subject": "x", "start": "2026-11-24T11:00:00Z", "end": "2026-11-24T12:00:00Z", "recurrence": "FREQ=SECONDLY"},
        {"subject": "x", "start": "2026-11-24T11:00:00Z", "end": "2026-11-24T12:00:00Z", "organizer": "nobody"},
        {"subject": 7},
        {"unknown": "field"},
    ],
)
def test_a_bad_request_is_a_problem_with_a_code(site: Site, body: dict[str, object]) -> None:
    """What cannot be entered is answered with a problem document, a code and no row."""
    answer = site.http.post("/appointments", json=body)

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]
    assert site.subjects() == []


def test_time_goes_on_for_what_waits(site: Site, outlook: Outlook) -> None:
    """A question whose clash has ended unanswered lapses: nothing is written, and it can still be saved (CD-07)."""
    site.in_crm("Standing", at(9), at(10))
    outlook.load(event("late", at(9), at(10)))
    site.sync()
    asked = site.question()
    site.world.advance(days=3)
    site.sync()

    assert site.get(f"/alerts/{asked['id']}")["state"] == "lapsed"
    assert site.rows("late") == []
    site.post(f"/alerts/{asked['id']}/answer", 202, answer="yes")
    site.sync()
    assert len(site.rows("late")) == 1
    assert site.world.clock.at - at(10) > timedelta(days=1)
