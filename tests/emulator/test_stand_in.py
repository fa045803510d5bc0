"""The Outlook stand-in: pages on which people keep appointments, served by the emulated Exchange."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode, urlsplit

import pytest

from syncline.emulators.exchange import ExchangeEmulator
from syncline.emulators.exchange.stand_in import Syncline, states
from syncline.emulators.exchange.stand_in.door import Request, refusal
from tests.emulator.client import Client, Reply
from tests.emulator.conftest import ADA, BOB, PASSWORDS

pytestmark = pytest.mark.emulator

TRACKED = "Tracked to Syncline CRM"
FORM = {
    "mailbox": ADA,
    "subject": "Product demo",
    "start_date": "2026-12-01",
    "start_time": "10:30",
    "end_date": "2026-12-01",
    "end_time": "11:30",
    "show_as": "Busy",
    "repeats": "none",
    "count": "",
    "location": "Showroom",
    "guests": "",
    "track": "on",
}


class Browser:
    """Asks a server for pages and sends forms, as a browser on this machine does."""

    def __init__(self, server: ExchangeEmulator) -> None:
        self.server = server

    def ask(
        self, method: str, path: str, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send one request."""
        parts = urlsplit(self.server.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        try:
            connection.request(method, path, urlencode(fields or {}) if fields is not None else None, sent)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def page(self, path: str) -> str:
        """Return a page that is there."""
        reply = self.ask("GET", path)
        assert reply.status == 200, (reply.status, reply.body)
        return reply.body.decode()

    def send(self, path: str, **fields: str) -> str:
        """Send a form that is carried out, and return where it leads."""
        reply = self.ask("POST", f"/stand-in/{path}", fields)
        assert reply.status == 303, (reply.status, reply.body.decode())
        return reply.headers["location"]

    def save(self, **fields: str) -> str:
        """Save a new appointment, and return the address of its form."""
        form = {**FORM, **fields}
        week = self.page(self.send("save", **{name: value for name, value in form.items() if value != "off"}))
        found = re.findall(r'<a href="(/stand-in/item[^"]+)"><bdi>([^<]*)', week)
        return next(url for url, subject in found if subject == form["subject"]).replace("&amp;", "&")

    def form(self, url: str) -> dict[str, str]:
        """Return the fields of a form as it is shown."""
        page = self.page(url)
        fields = {}
        for tag in re.findall(r"<input [^>]*>", page):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name and ('type="checkbox"' not in tag or " checked" in tag):
                fields[name.group(1)] = value.group(1) if value else "on"
        for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL):
            fields[name] = (re.search(r'value="([^"]*)" selected', options) or ["", ""])[1]
        return fields


@pytest.fixture
def browser(server: ExchangeEmulator) -> Browser:
    """Give a browser before the server's pages."""
    return Browser(server)


def listed(client: Client, address: str = ADA) -> list[dict[str, object]]:
    """Return what stands in a mailbox."""
    found: list[dict[str, object]] = client.control("GET", f"mailboxes/{address}/appointments")
    return found


def test_an_appointment_is_made_tracked_changed_and_deleted(browser: Browser, client: Client) -> None:
    """What the form says stands in the mailbox, category and category list included."""
    url = browser.save(private="on")
    (row,) = listed(client)
    assert (row["subject"], row["start"], row["end"]) == (
        "Product demo",
        "2026-12-01T10:30:00Z",
        "2026-12-01T11:30:00Z",
    )
    assert (row["categories"], row["private"], row["location"]) == ([TRACKED], True, "Showroom")
    assert browser.form(url)["track"] == "on"

    form = browser.form(url)
    browser.send("save", **{**form, "subject": "Longer demo", "end_time": "12:00"})
    (row,) = listed(client)
    assert (row["subject"], row["end"], row["global_object_id"] != "") == ("Longer demo", "2026-12-01T12:00:00Z", True)

    browser.send("delete", mailbox=form["mailbox"], row=form["row"])
    assert listed(client) == []
    assert client.control("GET", "outbox") == []


def test_other_categories_are_kept_and_changed(browser: Browser, client: Client) -> None:
    """They are typed with commas, shown beside the appointment, and offered from the mailbox's list."""
    url = browser.save(categories="Waiting: double booking, Blue", guests="")
    assert "Waiting: double booking" in browser.page(f"/?mailbox={ADA}&week=2026-11-30&view=list")
    form = browser.form(url)
    assert form["categories"] == "Waiting: double booking, Blue"
    browser.send("save", **{**form, "categories": "Save anyway; Blue"})

    (row,) = listed(client)
    assert row["categories"] == ["Blue", TRACKED, "Save anyway"]
    assert "Waiting: double booking, Blue, Save anyway" in browser.page(url)


def test_the_week_stands_as_grid_and_as_list(browser: Browser) -> None:
    """Both views show time and subject; what overlaps lies in lanes side by side."""
    browser.save()
    browser.save(subject="Beside it", start_time="11:00", end_time="12:00")
    grid = browser.page(f"/?mailbox={ADA}&week=2026-11-30")
    text = browser.page(f"/?mailbox={ADA}&week=2026-11-30&view=list")

    assert "from-6 to-8 lane-1" in grid and "from-7 to-9 lane-2" in grid
    assert '10:30<span class="until"> – 11:30' in text and "Beside it" in text
    assert "1 December" not in text and "30 November to 6 December 2026" in text


@pytest.mark.parametrize(
    ("repeats", "rule"),
    [
        ("daily", "FREQ=DAILY;COUNT=4"),
        ("weekly", "FREQ=WEEKLY;BYDAY=TU;COUNT=4"),
        ("weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=4"),
    ],
)
def test_a_series_repeats_as_chosen(browser: Browser, client: Client, repeats: str, rule: str) -> None:
    """Daily, weekly and on working days, so many times."""
    browser.save(repeats=repeats, count="4")
    (row,) = listed(client)
    assert set(str(row["recurrence"]).split(";")) >= set(rule.split(";"))


def test_one_date_of_a_series_is_moved_and_another_deleted(browser: Browser, client: Client) -> None:
    """The form of one date changes that date only; a later change of the subject leaves both as they are."""
    url = browser.save(repeats="weekly", count="4")
    assert "original=2026-12-01T10" in url
    form = browser.form(url)
    browser.send("save", **{**form, "start_time": "15:00", "end_time": "16:00"})
    browser.send("delete", mailbox=ADA, row=form["row"], original="2026-12-08T10:30:00Z")
    series = f"/stand-in/item?mailbox={ADA}&row={form['row']}"
    browser.send("save", **{**browser.form(series), "subject": "Renamed"})

    master, exception = listed(client)
    assert (master["kind"], exception["kind"]) == ("series", "exception")
    assert exception["start"] == "2026-12-01T15:00:00Z"
    assert master["deleted"] == ["2026-12-08T10:30:00Z"]
    assert {master["subject"], exception["subject"]} == {"Renamed"}
    browser.send("delete", mailbox=ADA, row=form["row"])
    assert listed(client) == []


def test_an_all_day_item_ends_on_its_last_day(browser: Browser, client: Client) -> None:
    """From the first to the last day, both included."""
    url = browser.save(subject="Fair", all_day="on", end_date="2026-12-03", show_as="OOF")
    (row,) = listed(client)
    assert (row["all_day"], row["start"], row["end"]) == (True, "2026-12-01T00:00:00Z", "2026-12-04T00:00:00Z")
    assert browser.form(url)["end_date"] == "2026-12-03"


def test_guests_are_invited_as_over_ews(browser: Browser, client: Client) -> None:
    """A guest of this server gets message and copy, one outside is counted; a new category tells nobody."""
    url = browser.save(guests=f"{BOB}, lena@alpensport.example")
    mails = client.control("GET", "outbox")
    assert [(m["to"], m["kind"], m["external"]) for m in mails] == [
        (BOB, "request", False),
        ("lena@alpensport.example", "request", True),
    ]
    (copy,) = listed(client, BOB)
    assert (copy["response"], copy["show_as"]) == ("none", "tentative")
    form = browser.form(url)
    del form["track"]
    browser.send("save", **form)
    assert len(client.control("GET", "outbox")) == 2
    browser.send("save", **{**browser.form(url), "start_time": "14:00", "end_time": "15:00"})
    assert [m["kind"] for m in client.control("GET", "outbox")[2:]] == ["update", "update"]
    page = browser.page(f"/stand-in/outbox?mailbox={ADA}")
    assert "Mail this server would have sent: 4" in page and "lena@alpensport.example (outside)" in page


def test_an_invitation_is_answered(browser: Browser, client: Client) -> None:
    """Accept on the page is AcceptItem: the copy is busy, the organizer told."""
    browser.save(guests=BOB)
    week = browser.page(f"/?mailbox={BOB}&week=2026-11-30")
    row = (re.search(r"row=(\d+)", week) or ["", ""])[1]
    browser.send("respond", mailbox=BOB, row=row, verb="AcceptItem")
    (copy,) = listed(client, BOB)
    assert (copy["response"], copy["show_as"]) == ("accepted", "busy")
    assert [m["kind"] for m in client.control("GET", "outbox")] == ["request", "response"]


def test_a_password_is_changed_here(browser: Browser, server: ExchangeEmulator) -> None:
    """The old one is refused from then on, and the page says the new one."""
    browser.send("password", mailbox=ADA, password="other-secret-1")
    assert Client(server, ADA, PASSWORDS[ADA]).sync().status == 401
    assert Client(server, ADA, "other-secret-1").sync().status == 200
    assert "other-secret-1" in browser.page("/stand-in/mailboxes")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"subject": " "}, "needs a subject"),
        ({"end_time": "09:00"}, "end lies before the start"),
        ({"start_date": "tomorrow"}, "not a date"),
        ({"start_time": "late"}, "not a time"),
        ({"guests": "somebody"}, "not a mail address"),
        ({"repeats": "weekly", "count": "-1"}, "not a number"),
        ({"repeats": "weekly", "count": "5000"}, "1 to 999 dates"),
        ({"repeats": "hourly"}, "how the appointment repeats"),
        ({"show_as": "Loud"}, "how the time is shown"),
        ({"categories": ",".join(map(str, range(51)))}, "at most 50 categories"),
        ({"start_date": "0001-01-01"}, "outside every calendar"),
    ],
)
def test_what_is_wrong_is_said_beside_the_form(
    browser: Browser, client: Client, wrong: dict[str, str], told: str
) -> None:
    """Nothing is written, and the form comes back with what was typed."""
    reply = browser.ask("POST", "/stand-in/save", {**FORM, "location": "Room 4", **wrong})
    assert reply.status == 422
    assert told in reply.body.decode() and 'value="Room 4"' in reply.body.decode()
    assert listed(client) == []


def test_a_form_that_is_older_than_the_appointment_is_refused(browser: Browser, client: Client) -> None:
    """Whoever changed it meanwhile is not overwritten."""
    url = browser.save()
    old = browser.form(url)
    browser.send("save", **{**old, "subject": "First"})
    reply = browser.ask("POST", "/stand-in/save", {**old, "subject": "Second"})
    assert reply.status == 422 and "meanwhile" in reply.body.decode()
    assert [row["subject"] for row in listed(client)] == ["First"]


def test_texts_are_shown_as_text(browser: Browser) -> None:
    """Script, right-to-left marks and 2,000 characters come out as they went in, escaped."""
    nasty = "<script>alert(1)</script>\u202e&\"'"
    browser.save(location=nasty, guests="")
    week = browser.page(f"/?mailbox={ADA}&week=2026-11-30&view=list")
    assert "<script" not in week and "&lt;script&gt;alert(1)" in week
    long = "x" * 2000
    assert long in browser.page(browser.save(subject=long))


@pytest.mark.parametrize(
    "path", ["/?week=never&mailbox=" + ADA, "/stand-in/new?day=9999-99-99", "/stand-in/stand-in.css"]
)
def test_nothing_else_is_loaded(browser: Browser, path: str) -> None:
    """Every answer forbids scripts, frames and other hosts; a day that is none is today's week."""
    reply = browser.ask("GET", path)
    assert reply.status == 200
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    assert b"style=" not in reply.body and b"<script" not in reply.body and b"http://" not in reply.body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/stand-in/nothing", 404),
        ("GET", "/?mailbox=nobody@example.com", 404),
        ("GET", f"/stand-in/item?mailbox={ADA}&row=999", 404),
        ("GET", f"/stand-in/item?mailbox={ADA}&row=x", 404),
        ("POST", "/", 404),
        ("GET", "/elsewhere", 404),
    ],
)
def test_what_is_not_there_is_not_found(browser: Browser, method: str, path: str, status: int) -> None:
    """A wrong address is told, never an error of the server."""
    assert browser.ask(method, path, {} if method == "POST" else None).status == status


def test_one_mailbox_cannot_be_used_for_the_item_of_another(browser: Browser, client: Client) -> None:
    """The row of somebody else's item is not found."""
    row = browser.form(browser.save())["row"]
    assert browser.ask("GET", f"/stand-in/item?mailbox={BOB}&row={row}").status == 404
    assert browser.ask("POST", "/stand-in/delete", {"mailbox": BOB, "row": row}).status == 404
    assert len(listed(client)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_site_cannot_send_a_form(browser: Browser, client: Client, headers: dict[str, str]) -> None:
    """Neither Sec-Fetch-Site nor Origin of another site is let in."""
    assert browser.ask("POST", "/stand-in/save", FORM, headers).status == 403
    assert listed(client) == []


def test_another_site_cannot_command_the_server(browser: Browser, client: Client) -> None:
    """The control plane, too, takes nothing that a browser sends for another site."""
    browser.save()
    assert browser.ask("POST", "/emulator/reset", {}, {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert browser.ask("POST", "/emulator/reset", {}, {"Origin": "http://evil.example"}).status == 403
    assert len(listed(client)) == 1


def test_a_foreign_name_is_not_answered(browser: Browser) -> None:
    """A name that was rebound to this machine shows nothing of it."""
    reply = browser.ask("GET", "/", headers={"Host": "evil.example:8081"})
    assert (reply.status, b"Ada" in reply.body) == (421, False)


def test_only_this_host_comes_in_without_a_token() -> None:
    """The rule of the control plane, and with a token a Basic password."""
    far = Request(method="GET", target="/", headers={"host": "10.0.0.5:8081"}, local=False)
    assert getattr(refusal(far, None), "status", None) == 403
    assert getattr(refusal(far, "word"), "status", None) == 401
    assert (
        refusal(Request(method="GET", target="/", headers={"authorization": "Basic eDp3b3Jk"}, local=False), "word")
        is None
    )
    assert (
        refusal(Request(method="GET", target="/", headers={"authorization": "Bearer word"}, local=False), "word")
        is None
    )


class Api(BaseHTTPRequestHandler):
    """Syncline's public API with a fixed answer for each listing."""

    answers: Mapping[str, list[dict[str, object]]] = {}

    def do_GET(self) -> None:
        """Answer a listing to whoever has the token."""
        name = urlsplit(self.path).path.removeprefix("/api/v1/")
        known = self.headers.get("Authorization") == "Bearer right"
        body = json.dumps({"items": self.answers.get(name, []), "next": None}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def syncline() -> Iterator[Callable[..., str]]:
    """Give a function that sets what the API answers and returns its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def says(**answers: list[dict[str, object]]) -> str:
        Api.answers = answers
        return f"http://127.0.0.1:{server.server_port}"

    yield says
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("state", "words", "link"),
    [
        ("settled", "in the CRM", ""),
        ("unsettled", "in the CRM", ""),
        ("asked", "waits for an answer", "/alerts/7"),
        ("kept_out", "kept out", "/failures"),
        ("parked", "could not be read", "/failures"),
        ("skipped", "left out by a rule", ""),
        (None, "not seen yet", ""),
    ],
)
def test_each_item_says_what_syncline_made_of_it(
    browser: Browser, client: Client, syncline: Callable[..., str], state: str | None, words: str, link: str
) -> None:
    """Links are matched by the meeting's UID, the question by its start; a question leads to its page."""
    browser.save()
    (row,) = listed(client)
    made = {"global_object_id": row["global_object_id"], "original_start": None, "state": state}
    asked = {"subject": "Product demo", "start": "2026-12-01T10:30:00Z", "url": "/alerts/7"}
    url = syncline(links=[made] if state else [], alerts=[asked])
    browser.server.show_syncline(url, "right")
    week = browser.page(f"/?mailbox={ADA}&week=2026-11-30")

    assert words in week
    assert (f'href="{url}{link}">{words}' in week) == bool(link)
    assert "looks again by itself" in week


def test_without_an_answer_the_page_works_all_the_same(browser: Browser, syncline: Callable[..., str]) -> None:
    """A wrong token or a Syncline that is gone is said; no named Syncline: no line at all."""
    browser.save()
    address = f"/?mailbox={ADA}&week=2026-11-30"
    assert "standing" not in browser.page(address)
    browser.server.show_syncline(syncline(), "wrong")
    assert "does not answer" in browser.page(address)
    assert states.ask(Syncline(url="http://127.0.0.1:1", token="x"), ADA).answered is False


def test_an_untracked_item_is_not_tracked(browser: Browser, syncline: Callable[..., str]) -> None:
    """Without the category nothing is expected of Syncline; the category's name is the one that was told."""
    browser.server.show_syncline(syncline(), "right", "Tracked to Our CRM")
    url = browser.save(track="off")
    assert "not tracked" in browser.page(f"/?mailbox={ADA}&week=2026-11-30")
    assert "Tracked to Our CRM" in browser.page(url)


def test_an_item_of_a_subject_can_be_broken_for_good(client: Client) -> None:
    """The fault broken with a subject meets the readings of that item only, whatever else a request asks for."""
    hour = "<t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>"
    whole = client.created(f"<t:Subject>Whole</t:Subject>{hour}")
    torn = client.created(f"<t:Subject>Torn</t:Subject>{hour}")
    client.control("POST", "faults", {"operation": "GetItem", "fault": "broken", "subject": "Torn", "count": 1000})
    for _ in range(3):
        assert client.get(whole, torn).codes() == ["NoError", "ErrorItemCorrupt"]
    client.control("DELETE", "faults")
    assert client.get(whole, torn).codes() == ["NoError", "NoError"]


def test_the_next_week_is_shown_when_nothing_is_left_of_this_one(start: Callable[..., ExchangeEmulator]) -> None:
    """On a Friday evening the page opens where something stands; *This week* leads back."""
    server = start(frozen_clock=datetime(2026, 11, 27, 20, tzinfo=UTC))
    browser = Browser(server)
    assert "23 November to 29 November 2026" in browser.page("/")
    browser.save()
    page = browser.page("/")
    assert "30 November to 6 December 2026" in page
    assert f"/?mailbox={ADA.replace('@', '%40')}&amp;week=2026-11-23" in page
