"""`syncline demo`: what stands there when it serves, and the real ways through it."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from syncline.demo import firm
from syncline.demo.telling import Ready, Signed, password, text_of
from tests.cli.test_processes import running

pytestmark = pytest.mark.emulator

CONFLICT = "ExchangeSyncSchedulingConflictsError"
PATIENCE_S = 60


class Demo:
    """A running demo, asked as programs and browsers ask it."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready
        self.http = httpx2.Client(
            base_url=f"{ready['url']}/api/v1", headers={"Authorization": f"Bearer {ready['token']}"}, timeout=PATIENCE_S
        )

    def items(self, path: str, **wanted: str) -> list[dict[str, Any]]:
        """Return a listing."""
        answer = self.http.get(path, params={"limit": "1000", **wanted})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def alert(self, subject: str) -> dict[str, Any]:
        """Return the newest alert about an item."""
        return next(alert for alert in self.items("/alerts") if alert["subject"] == subject)

    def mailbox(self, name: str) -> dict[str, Any]:
        """Return a mailbox by the first letters of its address."""
        return next(mailbox for mailbox in self.items("/mailboxes") if mailbox["address"].startswith(name))

    def post(self, path: str, status: int, **body: str) -> Any:
        """Send a command."""
        answer = self.http.post(path, json=body or None)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def outlook(self, path: str, **form: str) -> str:
        """Ask the stand-in for a page, or send it a form; return the page that comes in the end."""
        url = self.ready["outlook"].rstrip("/") + path
        with httpx2.Client(follow_redirects=True, timeout=PATIENCE_S) as browser:
            answer = browser.post(url, data=form) if form else browser.get(url)
        assert answer.status_code == 200, answer.text
        return answer.text

    def double_book(self, subject: str, start: str, end: str) -> tuple[dict[str, str], str]:
        """Make an appointment of Maya's in Outlook over the first one in the CRM; return the form and the week."""
        day = firm.days(date.today())["D1"].isoformat()
        form = {
            "mailbox": "maya.lind@fjordbikes.example",
            "subject": subject,
            "start_date": day,
            "start_time": start,
            "end_date": day,
            "end_time": end,
            "show_as": "Busy",
            "track": "on",
        }
        return form, self.outlook("/stand-in/save", **form)

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait for what the running syncs do."""
        end = time.monotonic() + PATIENCE_S
        while not reached():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """Start the demo once; the tests of this file go through it in their order."""
    with running("demo", "--port", "0", "--no-open", "--json") as ready:
        found = Demo(ready)
        yield found
        found.http.close()


def test_every_state_of_the_table_stands_there(demo: Demo) -> None:
    """Four questions of three people, one Yes, one No, one withdrawn, one failure, all made by real syncs."""
    alerts = {alert["subject"]: alert for alert in demo.items("/alerts") if alert["code"] == CONFLICT}
    waiting = {subject: alert for subject, alert in alerts.items() if alert["state"] == "open"}
    series = waiting["Pipeline call"]["series"]

    assert set(waiting) == {firm.SCENE, "Pipeline call", "Price round", "Private appointment"}
    assert all(alert["start"] > datetime.now(UTC).isoformat() for alert in waiting.values())
    assert (series["occurrences"], len(series["clashing"])) == (11, 1)
    assert sorted(waiting["Price round"]["unavailable"]) == ["Jonas Weber", "Maya Lind"]
    assert "and 1 more" in waiting["Price round"]["text"]
    assert [clash["subject"] for clash in waiting[firm.SCENE]["clashes"]] == ["Quarterly review with Harbour Cycles"]
    assert (alerts["Site visit Lindqvist"]["outcome"], alerts["Site visit Lindqvist"]["decided_by"]) == (
        "saved",
        "Maya Lind",
    )
    assert (alerts["Webinar: batteries"]["outcome"], alerts["Webinar: batteries"]["decided_by"]) == (
        "kept_out",
        "Jonas Weber",
    )
    assert alerts["Old showroom tour"]["state"] == "withdrawn"
    failed = [row for row in demo.items("/failures") if row["state"] == "failed"]
    assert [(row["subject"], row["sync_error"]) for row in failed] == [(firm.BROKEN.subject, "ItemUnreadable")]


def test_nothing_else_asks(demo: Demo) -> None:
    """Touching, Free, Tentative, elsewhere, all-day Free and cancelled are saved; the dentist is nobody's business."""
    rows = Counter(row["subject"] for row in demo.items("/appointments"))
    saved = [
        "Prepare the offer for Alpen Sport",
        "Reading hour",
        "Lunch with Jonas, perhaps",
        "At the warehouse",
        "Anniversary of the firm",
        "Site visit Lindqvist",
        "Old showroom tour",
        "Sales meeting",
    ]
    assert {subject: rows[subject] for subject in saved} == dict.fromkeys(saved, 1)
    assert rows["Dentist"] == rows["Webinar: batteries"] == rows[firm.SCENE] == 0
    meeting = [link for link in demo.items("/links") if link["global_object_id"].startswith("sales-meeting")]
    assert len(meeting) == 3
    assert len({link["appointment_id"] for link in meeting}) == 1


def test_the_stand_in_says_what_became_of_each_item(demo: Demo) -> None:
    """It reads the public API, and a question leads to its page; no mail has been sent."""
    text = demo.outlook("/?mailbox=maya.lind@fjordbikes.example&view=list")
    alert = demo.alert(firm.SCENE)

    assert f'Syncline: </span><a href="{demo.ready["url"]}{alert["url"]}">waits for an answer' in text
    assert "Syncline: </span>in the CRM" in text
    assert "Mail this server would have sent: 0" in text


def test_what_is_made_in_outlook_asks_here(demo: Demo) -> None:
    """An appointment over one of Maya's becomes a question; shown as Free, it goes away by itself."""
    form, week = demo.double_book("Double-booked by hand", "10:15", "10:45")
    demo.until(lambda: any(alert["subject"] == form["subject"] for alert in demo.items("/alerts", open="true")))

    row = (re.search(r"row=(\d+)[^\"]*\"><bdi>Double-booked by hand", week) or ["", ""])[1]
    change = (
        re.search(r'name="change" value="(\d+)"', demo.outlook(f"/stand-in/item?mailbox={form['mailbox']}&row={row}"))
        or ["", ""]
    )[1]
    demo.outlook("/stand-in/save", **{**form, "row": row, "change": change, "show_as": "Free"})
    demo.until(lambda: demo.alert(form["subject"])["state"] == "withdrawn")


def test_what_is_entered_and_moved_in_the_crm_reaches_outlook(demo: Demo) -> None:
    """What stood in the CRM is there without a mail; what is entered now appears, invites, and moves along."""
    days = firm.days(date.today())
    list_of = "/?mailbox=maya.lind@fjordbikes.example&view=list"
    week = f"{list_of}&week={days['D4'] - timedelta(days=days['D4'].weekday())}"
    assert "Quarterly review with Harbour Cycles" in demo.outlook(list_of)
    entered = {
        "subject": "Entered by hand",
        "organizer": "maya",
        "time_zone": "UTC",
        "required": ["guest@alpen.example"],
    }
    hours = {"start": f"{days['D4']}T18:00", "end": f"{days['D4']}T18:30"}
    made = demo.http.post("/appointments", json={**entered, **hours})
    assert made.status_code == 201, made.text
    demo.until(lambda: "Entered by hand" in demo.outlook(week))
    assert "Mail this server would have sent: 1" in demo.outlook(week)

    row = (re.search(r"row=(\d+)[^\"]*\"><bdi>Entered by hand", demo.outlook(week)) or ["", ""])[1]
    item = f"/stand-in/item?mailbox=maya.lind@fjordbikes.example&row={row}"
    before = demo.outlook(item)
    moved = {"start": f"{days['D4']}T19:15", "end": f"{days['D4']}T19:45", "location": "Garden room"}
    assert demo.http.patch(f"/appointments/{made.json()['id']}", json=moved).status_code == 200
    demo.until(lambda: "Garden room" in demo.outlook(item))
    times = [
        re.findall(r'name="(?:start|end)_time"[^>]*? value="([^"]*)"', page) for page in (before, demo.outlook(item))
    ]
    assert times[0] != times[1] and times[1][0].endswith(":15")


def test_a_new_mailbox_is_approved_and_synchronized(demo: Demo) -> None:
    """Tomas's mailbox waits for approval; then its test enables it, and its 40 items arrive.

    One entry of the CRM waits besides: Priya's first sync invited nobody, so that its invitation never came to him.
    """
    assert demo.mailbox("tomas")["state"] == "needs_approval"
    demo.post("/mailboxes/tomas.ruiz@fjordbikes.example/approve", 200)
    demo.post("/mailboxes/tomas.ruiz@fjordbikes.example/test", 200)
    demo.until(lambda: len(demo.items("/links", mailbox="tomas.ruiz@fjordbikes.example")) == 40 + 1)
    demo.until(lambda: demo.mailbox("tomas")["last_sync"] is not None)

    states = Counter(link["state"] for link in demo.items("/links", mailbox="tomas.ruiz@fjordbikes.example"))
    assert states == {"settled": 39, "asked": 1, "skipped": 1}


def test_a_refused_mailbox_is_repaired(demo: Demo) -> None:
    """Sara's password no longer counts; with the one that the stand-in shows, the test enables it again."""
    address = "sara.costa@fjordbikes.example"
    assert (demo.mailbox("sara")["state"], demo.mailbox("sara")["enabled"]) == ("disabled", False)
    (notice,) = [alert for alert in demo.items("/alerts", mailbox=address) if alert["state"] == "open"]
    assert notice["code"] == "Unauthorized"
    assert demo.http.post(f"/mailboxes/{address}/test").status_code >= 400

    shown = re.search(rf"{address} · password <code>([^<]+)", demo.outlook("/stand-in/mailboxes"))
    assert shown is not None
    demo.post(f"/mailboxes/{address}/password", 204, password=shown.group(1))
    assert demo.post(f"/mailboxes/{address}/test", 200)["state"] == "ready"
    assert [alert for alert in demo.items("/alerts", mailbox=address) if alert["state"] == "open"] == []


def test_an_unreadable_item_is_repaired_in_outlook(demo: Demo) -> None:
    """The server cannot hand it out under this subject, however often it is tried; under another it can."""
    address = "jonas.weber@fjordbikes.example"
    (failure,) = [row for row in demo.items("/failures") if row["state"] == "failed"]
    assert failure["subject"] == firm.BROKEN.subject
    day = firm.days(date.today())["D4"]
    week = demo.outlook(f"/?mailbox={address}&week={day - timedelta(days=day.weekday())}&view=list")
    row = (re.search(rf"row=(\d+)[^\"]*\"><bdi>{firm.BROKEN.subject}", week) or ["", ""])[1]
    page = demo.outlook(f"/stand-in/item?mailbox={address}&row={row}")
    fields = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page))
    demo.outlook(
        "/stand-in/save",
        **{**fields, "mailbox": address, "subject": "Supplier scorecards", "show_as": "Busy", "track": "on"},
    )
    demo.until(lambda: "Supplier scorecards" in {row["subject"] for row in demo.items("/appointments")})

    assert [row for row in demo.items("/failures") if row["state"] == "failed"] == []


def test_the_sign_in_page_lets_a_visitor_continue(demo: Demo) -> None:
    """Only from this machine and for the two people who sign in; another site cannot press the button."""
    with httpx2.Client(base_url=demo.ready["url"], timeout=PATIENCE_S) as browser:
        page = browser.get("/sign-in").text
        assert "Continue as Ines" in page and "Continue as Maya" in page
        assert browser.post("/demo/continue", data={"name": "jonas"}).status_code == 404
        assert (
            browser.post("/demo/continue", data={"name": "ines"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code
            == 403
        )
        assert browser.post("/demo/continue", data={"name": "ines"}).headers["location"] == "/"
        assert browser.get("/alerts").status_code == 200
    with httpx2.Client(base_url=demo.ready["url"], timeout=PATIENCE_S) as browser:
        led = browser.post("/demo/continue", data={"name": "maya"}).headers["location"]
        own = demo.items("/alerts", mailbox="maya.lind@fjordbikes.example", open="true")
        first = min((alert for alert in own if alert["code"] == CONFLICT), key=lambda alert: alert["start"])
        assert led == first["url"]
        assert first["subject"] in browser.get(led).text


def test_the_strip_ticks_what_has_happened(demo: Demo) -> None:
    """A question made since the start, an answer and a look at why tick a step each; closed, the strip is gone."""
    demo.double_book("Ticked off", "10:00", "10:30")
    demo.until(lambda: any(alert["subject"] == "Ticked off" for alert in demo.items("/alerts", open="true")))
    with httpx2.Client(base_url=demo.ready["url"], timeout=PATIENCE_S) as browser:
        browser.post("/demo/continue", data={"name": "maya"})
        assert re.search(r'<li class="done">[^\n]*2 Double-book somebody', browser.get("/calendar").text)
        browser.get("/explain", params={"q": firm.SCENE})
        demo.post(f"{demo.alert('Ticked off')['url']}/answer", 202, answer="no")
        page = browser.get("/calendar").text
        assert len(re.findall(r'<li class="done">', page)) == 3
        token = (re.search(r'name="csrf_token" value="([^"]+)"', page) or ["", ""])[1]
        browser.post("/demo/close", data={"csrf_token": token, "next": "/calendar"})
        assert "demo-strip" not in browser.get("/calendar").text


def test_other_calendars_take_the_place_of_the_firm(tmp_path: Path) -> None:
    """With --calendar every item of the file is tracked, and the CRM holds nothing else."""
    calendar = tmp_path / "own.ics"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:a", "SUMMARY:Mine",
             "DTSTART:20990101T090000Z", "DTEND:20990101T100000Z", "END:VEVENT", "END:VCALENDAR", ""]  # fmt: skip
    calendar.write_text("\r\n".join(lines), encoding="utf-8")
    with running("demo", "--port", "0", "--no-open", "--json", "--calendar", str(calendar)) as ready:
        own = Demo(ready)
        assert [row["subject"] for row in own.items("/appointments")] == ["Mine"]
        assert [mailbox["state"] for mailbox in own.items("/mailboxes")] == ["ready"] * 3
        own.http.close()


def test_the_dates_lie_ahead_on_working_days() -> None:
    """D1 is the next working day, whatever day it is; D1 to D20 follow each other."""
    for today in (date(2026, 11, 24) + timedelta(days=number) for number in range(7)):
        days = firm.days(today)
        ahead = [days[f"D{number}"] for number in range(1, 21)]
        assert today < ahead[0] <= today + timedelta(days=3)
        assert ahead == sorted(set(ahead)) and all(day.weekday() < 5 for day in ahead)
        assert days["W2"] == days["D2"] + timedelta(weeks=2)


def test_the_terminal_says_where_everything_is() -> None:
    """Addresses, who signs in with what, what to try, and that nothing leaves the machine."""
    ready = Ready(
        url="http://127.0.0.1:8080",
        administrator=Signed("ines", "moss-otter-41"),
        user=Signed("maya", "fern-kite-87"),
        token="syn_x",
        outlook="http://127.0.0.1:8081/",
        data="DIR",
    )
    people = "ines / moss-otter-41   (administrator)     maya / fern-kite-87   (sales)"
    ways = "1 open the first address, answer the question   2 double-book Maya in the stand-in   "
    assert text_of(ready, kept=False).splitlines() == [
        "Syncline demo, Fjord Bikes.   Data: DIR (thrown away at the end; --data DIR keeps it)",
        f"  Syncline            http://127.0.0.1:8080      {people}",
        "  Outlook stand-in    http://127.0.0.1:8081/     the other side: add or move an appointment, "
        "watch what happens",
        f"  Try:  {ways}3 .venv/bin/syncline alerts list --data DIR",
        "Nothing leaves this machine. Ctrl-C ends it.",
    ]
    assert "moss-otter" not in repr(ready) and "syn_x" not in repr(ready)
    assert re.fullmatch(r"[a-z]+-[a-z]+-\d\d", password())
