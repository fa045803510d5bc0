"""Servers that lie, are not there, or must not be trusted; a full disk; a second server on the same folder.

Each is named by a code of the catalogue, nothing is lost, and when it is over both sides are in step.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event as sql
from sqlalchemy.engine import Engine

from syncline import wiring
from syncline.desk import mailboxes
from syncline.desk.reading import OPERATOR
from syncline.errors import CATALOGUE, SyncError
from tests.acceptance.installation import NOW, SERVICE, Installation, address, installed
from tests.acceptance.proxy import Proxy, between
from tests.acceptance.site import Outlook, Site, at, event, served

pytestmark = pytest.mark.emulator

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, (b"&%c;" % (97 + n)) * 10) for n in range(9))
    + b"]><x>&j;</x>"
)
THEFT = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Installation]:
    """Open an installation in which Maya and Jonas have mailboxes on the server."""
    with installed(tmp_path / "data", people=("maya", "jonas")) as found:
        yield found


@pytest.fixture
def proxy(world: Installation) -> Iterator[Proxy]:
    """Put a proxy before the server."""
    with between(world.exchange) as found:
        yield found


@pytest.fixture
def site(world: Installation, proxy: Proxy) -> Iterator[Site]:
    """Serve an installation in step that reads through the proxy; then Maya adds something."""
    outlook = Outlook(world)
    outlook.load(event("one", at(9), at(10)), event("two", at(11), at(12)))
    with served(world, "maya", jobs=False, url=proxy.url) as found:
        assert found.sync()["saved"] == 2
        outlook.load(event("three", at(13), at(14)), event("four", at(15), at(16)))
        yield found


def cut(answer: bytes) -> bytes:
    """Break off in the middle."""
    return answer[: len(answer) // 2]


LIES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": cut,
    "empty": lambda _: b"",
    "a web page": lambda _: b"<html><body><h1>Welcome</h1><br></body></html>",
    "random bytes": lambda _: bytes(range(256)) * 40,
    "another answer": lambda answer: answer.replace(b"SyncFolderItems", b"GetFolder"),
    "an entity bomb": lambda _: BOMB,
    "a stolen file": lambda _: THEFT,
    "a deep tree": lambda _: b"<a>" * 100_000,
    "no cursor": lambda answer: re.sub(rb"<(\w+:)?SyncState>[^<]*</(\w+:)?SyncState>", b"", answer),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_server_harms_nothing(site: Site, proxy: Proxy, lie: str) -> None:
    """Whatever comes instead of an answer: the mailbox says ServerAnswerInvalid, rows stay, later all is in step."""
    proxy.lie = LIES[lie]
    report = site.sync()

    assert report["error"] == "ServerAnswerInvalid", report
    assert report["text"]
    assert "root:" not in report["text"]
    assert site.subjects() == ["one", "two"]
    assert [alert["code"] for alert in site.items("/alerts", open="true")] == ["ServerAnswerInvalid"]
    proxy.tell_the_truth()
    assert_recovers(site)


@pytest.mark.parametrize(
    ("status", "headers", "code"),
    [
        (404, {}, "NotFound"),
        (302, {"Location": "https://elsewhere.example/"}, "NotFound"),
        (500, {}, "ErrorInternalServerTransientError"),
        (429, {"Retry-After": "7"}, "ThrottledByExchange"),
        (418, {}, "ServerAnswerInvalid"),
    ],
)
def test_a_strange_status_has_a_code(site: Site, proxy: Proxy, status: int, headers: dict[str, str], code: str) -> None:
    """A status that Exchange should not send is named by a code of the catalogue, and a redirect is not followed."""
    proxy.status, proxy.headers, proxy.lie = status, headers, lambda _: b""
    assert site.sync()["error"] == code
    proxy.tell_the_truth()
    assert_recovers(site)


def one_item(pattern: bytes, by: bytes) -> Callable[[bytes], bytes]:
    """Return a lie about the item *three* alone."""

    def lie(answer: bytes) -> bytes:
        items = re.split(rb"(?=<\w*:?CalendarItem>)", answer)
        return b"".join(re.sub(pattern, by, item, count=1) if b">three<" in item else item for item in items)

    return lie


ITEM_LIES = {
    "no end": (one_item(rb"<(\w+:)?End>[^<]*</(\w+:)?End>", b""), "AppointmentScheduleNotSet"),
    "end before start": (
        one_item(rb"<((?:\w+:)?)End>[^<]*<", rb"<\1End>2001-01-01T00:00:00Z<"),
        "EndBeforeStart",
    ),
    "no date": (one_item(rb"<((?:\w+:)?)Start>[^<]*<", rb"<\1Start>tomorrow<"), "ItemUnreadable"),
}


@pytest.mark.parametrize("lie", ITEM_LIES)
def test_a_lie_about_one_item_is_that_items_failure(site: Site, proxy: Proxy, lie: str) -> None:
    """An item without end, with its end before its start or without a date fails alone and is listed with its code."""
    proxy.lie, code = ITEM_LIES[lie]
    report = site.sync()

    assert (report["error"], report["saved"], report["failed"]) == (None, 1, 1)
    (failure,) = site.items("/failures")
    assert (failure["sync_error"], failure["state"]) == (code, "failed")
    assert site.subjects() == ["four", "one", "two"]
    proxy.tell_the_truth()
    assert_recovers(site)


def test_everything_gone_is_asked_not_done(site: Site, world: Installation) -> None:
    """A server that has forgotten a whole calendar deletes nothing in the CRM: one question holds it."""
    site.sync()
    world.exchange.site.reset()
    for stored in world.exchange.store.items(_calendar(world)):
        world.exchange.store.remove(stored)
    assert site.sync()["error"] is None

    assert site.question()["code"] == "EmptiedSideHeld"
    assert site.subjects() == ["four", "one", "three", "two"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"password": "wrong"}, "Unauthorized"),
        ({"username": address("jonas"), "password": "pw-jonas"}, "ErrorImpersonateUserDenied"),
        ({"url": "http://127.0.0.1:{closed}/EWS/Exchange.asmx"}, "ServerUnreachable"),
        ({"url": "http://no-such-host.invalid/EWS/Exchange.asmx", "allow_http": True}, "ServerUnreachable"),
        ({"url": "{server}/nothing/here"}, "NotFound"),
    ],
    ids=["wrong password", "may not act", "closed port", "unknown host", "no EWS"],
)
def test_a_wrong_profile_is_named(world: Installation, fields: dict[str, object], code: str) -> None:
    """Test and enable says what is wrong with a profile, in an alert too, and does not enable the mailbox."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        places = {"closed": taken.getsockname()[1], "server": world.exchange.url}
        given = {name: value.format(**places) if isinstance(value, str) else value for name, value in fields.items()}
        found = tried(world, given)

    assert found == code


def test_a_password_is_not_sent_in_the_clear(world: Installation) -> None:
    """An http:// address beyond this machine is refused when the profile is added."""
    with pytest.raises(SyncError) as refused:
        world.add_profile(url="http://mail.example.org/EWS/Exchange.asmx")
    assert refused.value.code == "HttpRefused"


def test_an_untrusted_certificate_is_refused_until_its_authority_is_given(tmp_path: Path) -> None:
    """Without --ca-file the server's own certificate is refused, with it the mailbox is enabled."""
    with installed(tmp_path / "data", tls=True) as world:
        assert tried(world, {}) == "CertificateUntrusted"
        authority = tmp_path / "ca.pem"
        authority.write_text(world.exchange.ca_pem or "")
        world.add_profile("trusted", ca_file=str(authority))
        world.hire("kim")
        world.exchange.store.add_mailbox(address("kim"), "pw-kim")
        world.enable("kim", profile="trusted")


def test_a_slow_server_is_named_with_the_time(world: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer in time is named with how long it was waited for."""
    real = wiring.open_replica
    monkeypatch.setattr(wiring, "open_replica", lambda *given, **named: real(*given, **{**named, "timeout_s": 0.2}))
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        code = tried(world, {"url": f"http://127.0.0.1:{deaf.getsockname()[1]}/EWS/Exchange.asmx"})

    assert code == "ServerTimeout"
    (alert,) = world.app.store.alerts()
    assert "0.2 s" in CATALOGUE[alert.code].text.format_map(alert.params)


@pytest.mark.parametrize(("full", "pages"), [("state", 20), ("crm", 20), ("state", 0), ("crm", 0)])
def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path, full: str, pages: int) -> None:
    """With the disk full in the middle of a first sync the cycle says DiskFull; later it goes on by itself."""
    with installed(tmp_path / "data") as world:
        days = range(1, 251)
        Outlook(world).load(*(event(f"item {n}", at(9, n), at(10, n), f"DESCRIPTION:{n} {'x' * 3000}") for n in days))
        world.hire("maya")
        world.add_profile()
        world.enable("maya")
        world.app.close()
        with full_disk(full, pages):
            app = wiring.open_app(world.app.data)
            (result,) = app.worker.run_now([1])
            app.close()
        app = wiring.open_app(world.app.data)
        before, enabled = len(app.crm.listing().items), app.store.mailbox(1).enabled
        world.clock.at = NOW.replace(hour=20)
        app.worker.step()
        app.worker.run_now([1])
        rows, open_alerts, mailbox = len(app.crm.listing().items), app.store.open_alerts(1), app.store.mailbox(1)
        app.close()

    assert result.error is not None
    assert result.error.code == "DiskFull"
    assert before < 250
    assert enabled
    assert (rows, open_alerts, mailbox.last_error) == (250, (), None)


def test_a_second_server_on_the_same_folder_is_refused(world: Installation) -> None:
    """`syncline serve` on a folder that another process serves ends with exit code 3 and DataFolderBusy."""
    data = world.app.data
    words = ("serve", "--port", "0", "--data", str(data), "--json")
    program = [sys.executable, "-c", "from syncline.cli import main; main()", *words]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert "http://" in first.stdout.readline()
        second = subprocess.run(program, capture_output=True, text=True, timeout=60)
        os.kill(first.pid, signal.SIGTERM)
        assert first.wait(30) == 0

    assert second.returncode == 3
    assert "DataFolderBusy" in second.stderr
    assert str(first.pid) in second.stderr


def tried(world: Installation, fields: dict[str, object]) -> str:
    """Add a profile and Maya's mailbox, test it, and return the code of the failure that all places tell."""
    world.hire("maya")
    world.add_profile(**fields)
    mailboxes.add(world.app, OPERATOR, mailboxes.NewMailbox(address=address("maya"), profile="exchange", user="maya"))
    mailboxes.approve(world.app, OPERATOR, address("maya"))
    tested = mailboxes.test(world.app, OPERATOR, address("maya"))
    assert tested.error is not None
    assert tested.mailbox.enabled is False
    (alert,) = world.app.store.alerts()
    assert alert.code == tested.error.code
    assert SERVICE[1] not in str(tested.error)
    return tested.error.code


def assert_recovers(site: Site) -> None:
    """Once the server tells the truth, everything is saved and nothing is open."""
    assert site.try_again()["error"] is None
    assert site.subjects() == ["four", "one", "three", "two"]
    assert set(site.links()) == {("settled", None)}
    assert site.items("/alerts", open="true") == []


@contextmanager
def full_disk(which: str, room_pages: int) -> Iterator[None]:
    """Let one of the databases grow by a few pages only."""

    def limit(connection: sqlite3.Connection, _: object) -> None:
        (_, _, path), *_ = connection.execute("PRAGMA database_list").fetchall()
        if Path(path).stem == which:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + room_pages}")

    sql.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        sql.remove(Engine, "connect", limit)


def _calendar(world: Installation) -> int:
    mailbox = world.exchange.store.mailbox(address("maya"))
    assert mailbox is not None
    folder = world.exchange.store.distinguished(mailbox.row, "calendar")
    assert folder is not None
    return folder.row
