"""The control plane and its faults, and what the server does with requests that it does not understand."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncline.emulators.exchange import ExchangeEmulator
from tests.emulator.client import Client, Reply
from tests.emulator.conftest import ADA, PASSWORDS, SchemaCheck

pytestmark = pytest.mark.emulator

HOUR = "<t:Subject>x</t:Subject><t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>"
ICS = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\nBEGIN:VEVENT\nUID:one@test\nDTSTAMP:20260101T000000Z\nSUMMARY:Weekly\n"
    "DTSTART;TZID=Europe/Berlin:20261201T090000\nDTEND;TZID=Europe/Berlin:20261201T100000\n"
    "RRULE:FREQ=WEEKLY;COUNT=3\nCLASS:PRIVATE\nCATEGORIES:Red\nEND:VEVENT\nEND:VCALENDAR\n"
)


def refused(client: Client, path: str, values: object, method: str = "POST") -> int:
    """Return the status of a control request that is refused."""
    return client.raw(method, f"/emulator/{path}", json.dumps(values).encode(), {"Authorization": ""}).status


def arm(client: Client, fault: str, operation: str = "*", count: int = 1, **more: object) -> None:
    """Arm a fault."""
    client.control("POST", "faults", {"operation": operation, "fault": fault, "count": count, **more})


def test_requests_are_counted_by_operation(client: Client) -> None:
    """GET requests tells how often each operation was asked since the start."""
    client.sync()
    client.sync()
    client.create(HOUR)
    assert client.control("GET", "requests") == {"CreateItem": 1, "SyncFolderItems": 2}


@pytest.mark.parametrize(("fault", "status"), [("unauthorized", 401), ("forbidden", 403), ("unavailable", 503)])
def test_http_faults_answer_their_status_once(client: Client, fault: str, status: int) -> None:
    """An armed fault meets as many requests as its count says, then all is well."""
    arm(client, fault)
    reply = client.sync()
    assert reply.status == status
    assert ("retry-after" in reply.headers) == (fault == "unavailable")
    assert ("www-authenticate" in reply.headers) == (fault == "unauthorized")
    assert client.sync().status == 200


def test_busy_tells_how_long_to_back_off(client: Client) -> None:
    """The fault busy answers ErrorServerBusy with BackOffMilliseconds."""
    arm(client, "busy", "SyncFolderItems", 2)
    assert client.create(HOUR).codes() == ["NoError"]
    for _ in range(2):
        reply = client.sync()
        assert (reply.status, reply.codes()) == (500, ["ErrorServerBusy"])
        assert reply.one("t:Value").get("Name") == "BackOffMilliseconds"
    assert client.sync().codes() == ["NoError"]


def test_a_sync_state_can_be_spoiled(client: Client) -> None:
    """The fault invalid_sync_state meets SyncFolderItems and leaves other operations alone."""
    arm(client, "invalid_sync_state")
    assert client.create(HOUR).codes() == ["NoError"]
    assert client.sync().codes() == ["ErrorInvalidSyncStateData"]
    assert client.sync().codes() == ["NoError"]


def test_a_lost_answer_is_work_done_without_an_answer(client: Client) -> None:
    """After lost_answer the connection is dropped and the item exists all the same."""
    arm(client, "lost_answer", "CreateItem")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        client.create(HOUR)
    assert len(client.sync().all("t:Create")) == 1


def test_a_slow_answer_comes_late(client: Client) -> None:
    """The fault slow answers after its delay."""
    arm(client, "slow", "SyncFolderItems", delay_s=0.2)
    begun = time.monotonic()
    assert client.sync().codes() == ["NoError"]
    assert time.monotonic() - begun >= 0.2


def test_a_broken_item_fails_alone(client: Client) -> None:
    """The fault broken spoils one item of a request: ErrorItemCorrupt when read, the others are fine."""
    idents = [client.created(HOUR) for _ in range(3)]
    arm(client, "broken", "GetItem")
    assert client.get(*idents).codes() == ["ErrorItemCorrupt", "NoError", "NoError"]
    arm(client, "broken", "CreateItem")
    assert client.create(HOUR).codes() == ["ErrorInternalServerError"]
    assert len(client.sync().all("t:Create")) == 3


def test_faults_can_be_disarmed(client: Client) -> None:
    """DELETE faults takes all armed faults away."""
    arm(client, "forbidden", count=100)
    client.control("DELETE", "faults")
    assert client.sync().status == 200


def test_wrong_faults_are_refused(client: Client) -> None:
    """An unknown fault, a count of zero and a body that is no object are 422; an unknown path is 404."""
    assert refused(client, "faults", {"operation": "*", "fault": "flood"}) == 422
    assert refused(client, "faults", {"operation": "*", "fault": "busy", "count": 0}) == 422
    assert refused(client, "faults", [1]) == 422
    assert refused(client, "clock", {"advance_s": "soon"}) == 422
    assert refused(client, "nothing", {}) == 404
    assert refused(client, "outbox", {}) == 405
    assert refused(client, "mailboxes/nobody@example.com/appointments", {}, "GET") == 404


def test_a_frozen_clock_stands_until_it_is_advanced(start: Callable[..., ExchangeEmulator]) -> None:
    """Items carry the frozen instant, then the advanced one; a reset takes the shift back."""
    server = start(frozen_clock=datetime(2026, 5, 1, 12, tzinfo=UTC))
    client = Client(server, ADA, PASSWORDS[ADA])
    assert client.get(client.created(HOUR)).text("t:DateTimeCreated") == "2026-05-01T12:00:00Z"
    client.control("POST", "clock", {"advance_s": 3600})
    assert client.get(client.created(HOUR)).text("t:DateTimeCreated") == "2026-05-01T13:00:00Z"
    client.control("POST", "reset")
    assert client.get(client.created(HOUR)).text("t:DateTimeCreated") == "2026-05-01T12:00:00Z"


def test_a_reset_returns_to_the_state_at_the_start(start: Callable[..., ExchangeEmulator]) -> None:
    """What was loaded before the first request is there again, everything since is gone."""
    server = start()
    server.load_calendar(ADA, ICS)
    client = Client(server, ADA, PASSWORDS[ADA])
    client.created(HOUR)
    arm(client, "forbidden", count=5)
    client.control("POST", "reset")
    assert [a["subject"] for a in client.control("GET", f"mailboxes/{ADA}/appointments")] == ["Weekly"]
    assert client.control("GET", "requests") == {}
    assert client.sync().status == 200


def test_a_reset_works_on_a_folder_too(start: Callable[..., ExchangeEmulator], tmp_path: Path) -> None:
    """A server that keeps its data in a folder returns to what was there when it started."""
    first = start(data=tmp_path)
    first.load_calendar(ADA, ICS)
    first.stop()
    client = Client(start(data=tmp_path), ADA, PASSWORDS[ADA])
    client.created(HOUR)
    client.control("POST", "reset")
    assert len(client.control("GET", f"mailboxes/{ADA}/appointments")) == 1


def test_wrong_options_are_refused_at_once(server: ExchangeEmulator) -> None:
    """An unknown zone and a calendar for nobody are refused with a reason."""
    with pytest.raises(ValueError, match="Atlantis"):
        ExchangeEmulator(time_zone="Atlantis")
    with pytest.raises(LookupError, match="nobody"):
        server.load_calendar("nobody@example.com", ICS)


def test_a_mailbox_can_be_added_with_a_calendar(client: Client, server: ExchangeEmulator) -> None:
    """POST mailboxes creates a mailbox that signs in at once and holds the events of the given text."""
    answer = client.control("POST", "mailboxes", {"address": "Dan@Example.com", "password": "d", "calendar": ICS})
    assert (answer["address"], answer["import"]["series"]) == ("dan@example.com", 1)
    assert len(Client(server, "dan@example.com", "d").sync().all("t:Create")) == 1
    assert client.control("GET", "imports")[0]["mailbox"] == "dan@example.com"


def test_appointments_are_listed_as_the_interface_says(client: Client, server: ExchangeEmulator) -> None:
    """GET mailboxes/{address}/appointments has the contract's fields, RRULE included."""
    server.load_calendar(ADA, ICS)
    (row,) = client.control("GET", f"mailboxes/{ADA}/appointments")
    wanted = {
        "global_object_id": "one@test",
        "kind": "series",
        "series_id": None,
        "original_start": None,
        "subject": "Weekly",
        "start": "2026-12-01T08:00:00Z",
        "end": "2026-12-01T09:00:00Z",
        "time_zone": "Europe/Berlin",
        "all_day": False,
        "show_as": "busy",
        "organizer": ADA,
        "attendees": [],
        "recurrence": "FREQ=WEEKLY;BYDAY=TU;COUNT=3",
        "private": True,
        "categories": ["Red"],
    }
    assert {name: row[name] for name in wanted} | {"recurrence": wanted["recurrence"]} == wanted
    assert "FREQ=WEEKLY" in row["recurrence"] and "COUNT=3" in row["recurrence"]


def test_the_control_plane_wants_its_token(start: Callable[..., ExchangeEmulator]) -> None:
    """With a token the control plane opens to those who have it, and to nobody else."""
    server = start(control_token="sesame")
    client = Client(server, ADA, PASSWORDS[ADA])
    assert client.raw("GET", "/emulator/requests", b"", {"Authorization": ""}).status == 403
    assert client.raw("GET", "/emulator/requests", b"", {"Authorization": "Bearer sesame"}).status == 200


def test_what_is_not_supported_is_counted_and_never_a_500(client: Client, check: SchemaCheck) -> None:
    """Unsupported operations and options answer ErrorInvalidOperation with 200 and stand under unsupported."""
    check.requests = False
    asked: dict[str, Reply] = {
        "SendItem": client.post('<m:SendItem SaveItemToFolder="true"/>'),
        "GetUserOofSettingsRequest": client.post("<m:GetUserOofSettingsRequest/>"),
        "Frobnicate": client.post("<m:Frobnicate/>"),
        "Subscribe": client.post(
            "<m:Subscribe><m:StreamingSubscriptionRequest><t:EventTypes/></m:StreamingSubscriptionRequest></m:Subscribe>"
        ),
    }
    for reply in asked.values():
        assert (reply.status, reply.codes()) == (200, ["ErrorInvalidOperation"])
    counted = client.control("GET", "unsupported")
    assert {name.removesuffix("Request") for name in asked} == set(counted)


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><x>&b;</x></s:Body></s:Envelope>'
)
OUTSIDE = (
    '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><x>&f;</x></s:Body></s:Envelope>'
)


@pytest.mark.parametrize(
    "data",
    [BOMB, OUTSIDE, "<unclosed", "", "<a/>", "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'/>"],
)
def test_hostile_and_broken_xml_is_a_schema_fault(client: Client, data: str) -> None:
    """Entity bombs, external entities and broken documents answer ErrorSchemaValidation; nothing is expanded."""
    reply = client.raw("POST", "/EWS/Exchange.asmx", data.encode())
    assert reply.codes() == ["ErrorSchemaValidation"]
    assert b"root:" not in reply.body


def test_a_foreign_body_is_a_schema_fault(client: Client, check: SchemaCheck) -> None:
    """A body of another namespace is refused as invalid."""
    check.requests = False
    assert client.post("<other xmlns='urn:x'/>").codes() == ["ErrorSchemaValidation"]


def test_other_paths_and_methods_are_refused(client: Client) -> None:
    """Unknown paths answer 404, a GET of the endpoint 405, a body without length 411."""
    assert client.raw("POST", "/elsewhere", b"").status == 404
    assert client.raw("GET", "/EWS/Exchange.asmx").status == 405
    assert client.raw("POST", "/EWS/Exchange.asmx", b"", {"Transfer-Encoding": "chunked"}).status == 411


def test_the_path_may_be_written_in_any_case(client: Client) -> None:
    """The endpoint answers /ews/exchange.asmx too."""
    assert client.raw("POST", "/ews/exchange.asmx", b"<a/>").status == 500


def test_tls_uses_a_certificate_of_its_own(start: Callable[..., ExchangeEmulator]) -> None:
    """With tls the server is reached by whoever trusts its certificate, and by nobody else."""
    server = start(tls=True)
    assert server.ca_pem is not None
    trusting = ssl.create_default_context(cadata=server.ca_pem)
    with urllib.request.urlopen(f"{server.control_url}/requests", context=trusting) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{server.control_url}/requests")


def test_two_servers_live_side_by_side(start: Callable[..., ExchangeEmulator]) -> None:
    """Port 0 takes a free port, so several servers run in one process."""
    assert start().port != start().port
