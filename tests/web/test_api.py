"""The HTTP API: paths, problems, paging and roles, over the real application in process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from syncline.desk import tokens
from syncline.desk import wall as wall_desk
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from syncline.ports import OrganizationMark, Track
from syncline.web.app import create_app
from tests.desk.office import DOMAIN, NOW, Office, at, hash_cheaply

API = "/api/v1"
ADDRESS = f"maya@{DOMAIN}"


class Caller:
    """A program that calls the API as one user."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, status: int = 200, **request: Any) -> Any:
        """Call, check the status, and return the JSON."""
        answer = self.client.request(method, API + path, headers=self.headers, **request)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Give the firm."""
    hash_cheaply(monkeypatch)
    return Office(tmp_path)


@pytest.fixture
def client(office: Office) -> Iterator[TestClient]:
    """Give a client on loopback."""
    with TestClient(create_app(office.app), base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50000)) as client:
        yield client


def as_user(office: Office, client: TestClient, name: str) -> Caller:
    """Return a caller with a token of this user."""
    token = tokens.create(office.app, OPERATOR, name, "test").token
    assert token is not None
    return Caller(client, token)


@pytest.fixture
def ines(office: Office, client: TestClient) -> Caller:
    """Call as the administrator."""
    return as_user(office, client, "ines")


@pytest.fixture
def maya(office: Office, client: TestClient) -> Caller:
    """Call as a user."""
    return as_user(office, client, "maya")


def code(problem: dict[str, Any]) -> str:
    """Return the catalogue code of a problem document."""
    return str(problem["code"])


def test_the_scene_over_the_api(office: Office, maya: Caller) -> None:
    """List the question, answer Yes with its version, and find the appointment in the calendar."""
    office.the_scene()
    (question,) = maya("GET", "/alerts?open=true")["items"]
    answered = maya(
        "POST", f"/alerts/{question['id']}/answer", 202, json={"answer": "yes", "version": question["version"]}
    )
    office.sync()
    after = maya("GET", f"/alerts/{question['id']}")

    assert set(question) == {
        *("id", "mailbox", "code", "level", "text", "subject", "start", "end", "state", "outcome", "decided_by"),
        *("decided_on", "created", "last_seen", "count", "version", "url", "unavailable", "series", "clashes"),
        *("left_out", "can_undo"),
    }
    assert question["start"] == "2026-11-24T10:30:00Z"
    named = {"appointment_id", "subject", "start", "end", "show_as", "user", "masked"}
    assert set(question["clashes"][0]) == {*named, "all_day", "role"}
    assert (answered["state"], answered["outcome"]) == ("answered", "saving")
    assert (after["state"], after["outcome"], after["decided_by"]) == ("answered", "saved", "Maya Lind")
    assert maya("GET", "/alerts?open=true")["items"] == []
    assert maya("GET", "/failures")["items"] == []
    assert len(maya("GET", "/appointments")["items"]) == 2


def test_a_second_answer_is_a_conflict_with_the_alert(office: Office, maya: Caller) -> None:
    """409, a problem document, and the alert as it stands in its member `alert`."""
    question = office.the_scene()
    maya("POST", f"/alerts/{question.id}/answer", 202, json={"answer": "yes"})
    problem = maya("POST", f"/alerts/{question.id}/answer", 409, json={"answer": "no"})

    assert code(problem) == "AlreadyAnswered"
    assert problem["status"] == 409
    assert problem["alert"]["id"] == question.id
    assert problem["alert"]["state"] == "answered"


def test_no_is_kept_out_and_a_second_no_refused(office: Office, maya: Caller) -> None:
    """No on what is kept out is a conflict; Yes on it is accepted."""
    question = office.the_scene()
    first = maya("POST", f"/alerts/{question.id}/answer", 202, json={"answer": "no"})
    office.sync()
    maya("POST", f"/alerts/{question.id}/answer", 409, json={"answer": "no"})
    second = maya("POST", f"/alerts/{question.id}/answer", 202, json={"answer": "yes"})

    assert first["outcome"] == "kept_out"
    assert second["outcome"] == "saving"


def test_an_old_version_is_a_conflict(office: Office, maya: Caller) -> None:
    """An answer to what the person no longer sees does nothing."""
    question = office.the_scene()
    problem = maya("POST", f"/alerts/{question.id}/answer", 409, json={"answer": "yes", "version": 99})

    assert (code(problem), problem["alert"]["state"]) == ("AnswerOutdated", "open")


def test_many_questions_take_one_answer(office: Office, maya: Caller) -> None:
    """By ids, or by mailbox and code; what could not be answered is told."""
    office.in_crm("Fair", at(9, length=8))
    for hour in (9, 11, 13):
        office.in_outlook(f"Talk at {hour}", at(hour))
    office.sync("maya")
    first, second, third = sorted(alert["id"] for alert in maya("GET", "/alerts?open=true")["items"])
    by_ids = maya("POST", "/alerts/answer", 202, json={"answer": "no", "ids": [first]})
    again = maya("POST", "/alerts/answer", 202, json={"answer": "no", "ids": [first, second]})
    rest = {"answer": "yes", "mailbox": ADDRESS, "code": "ExchangeSyncSchedulingConflictsError"}
    by_code = maya("POST", "/alerts/answer", 202, json=rest)

    assert [alert["id"] for alert in by_ids["items"]] == [first]
    assert again["refused"] == [{"id": first, "code": "AlreadyAnswered"}]
    assert [alert["id"] for alert in by_code["items"]] == [third]
    assert code(maya("POST", "/alerts/answer", 422, json={"answer": "yes"})) == "InvalidRequest"


def test_listings_go_on_by_cursor(office: Office, ines: Caller) -> None:
    """`limit` bounds a page, `next` leads to the following one, and at the end it is null."""
    for hour in (9, 11, 13):
        office.in_crm(f"At {hour}", at(hour))
        office.in_outlook(f"In the way at {hour}", at(hour))
    office.sync("maya")
    for path, count in (("/appointments", 3), ("/alerts", 3), ("/failures", 3), ("/links", 3), ("/mailboxes", 2)):
        seen: list[Any] = []
        cursor = ""
        while cursor is not None:
            page = ines("GET", f"{path}?limit=1" + (f"&cursor={cursor}" if cursor else ""))
            assert len(page["items"]) <= 1
            seen.extend(page["items"])
            cursor = page["next"]
        assert len(seen) == count, path


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/appointments?limit=0", None),
        ("GET", "/appointments?limit=1001", None),
        ("GET", "/appointments?cursor=%21%21", None),
        ("GET", "/alerts?cursor=YWJj", None),
        ("GET", "/appointments?from=2026-11-24", None),
        ("GET", "/appointments?from=yesterday&to=today", None),
        ("POST", "/appointments", {"subject": "x", "start": "2026-11-24T10:00", "colour": "red"}),
        ("POST", "/appointments", {"subject": "x"}),
        ("POST", "/appointments", {"subject": "x", "start": 5}),
        ("POST", "/appointments", []),
        ("POST", "/alerts/answer", {"answer": "maybe", "ids": [1]}),
        ("POST", "/mailboxes", {"address": "x"}),
        ("POST", "/users", {"name": "x", "email": "y"}),
    ],
)
def test_what_is_not_understood_is_a_422_problem(ines: Caller, method: str, path: str, body: Any) -> None:
    """Unknown fields, wrong types and impossible values are problems of the caller, never a 500."""
    problem = ines(method, path, 422, **({} if body is None else {"json": body}))

    assert code(problem) == "InvalidRequest"
    assert problem["detail"]


def test_broken_json_is_a_422_problem(client: TestClient, ines: Caller) -> None:
    """A body that is no JSON is told as such."""
    headers = {**ines.headers, "Content-Type": "application/json"}
    answer = client.post(f"{API}/appointments", headers=headers, content=b'{"subject": ')

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/appointments", {"subject": "\ud800", "start": "2026-11-24T10:00:00Z", "end": "2026-11-24T11:00:00Z"}),
        ("/users", {"name": "half", "email": "\ud800@x.example"}),
        ("/mailboxes", {"address": "\ud800@x.example", "profile": "exchange", "user": "maya"}),
        ("/rules", {"answer": "yes", "category": "\ud800"}),
    ],
)
def test_half_a_character_is_a_422_problem(client: TestClient, ines: Caller, path: str, body: Any) -> None:
    """JSON can name what is no text; nothing can store it, and that is the caller's to mend."""
    headers = {**ines.headers, "Content-Type": "application/json"}
    answer = client.post(f"{API}{path}", headers=headers, content=json.dumps(body))

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_without_a_token_nothing_is_told(client: TestClient) -> None:
    """401 with the way to sign in, also for a wrong token."""
    for headers in ({}, {"Authorization": "Bearer syn_wrong"}):
        answer = client.get(f"{API}/mailboxes", headers=headers)

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert code(answer.json()) == "SignInRequired"


def test_a_user_is_refused_what_administrators_do(maya: Caller) -> None:
    """403 with NotAllowed; what is another person's is 404."""
    assert code(maya("POST", f"/mailboxes/{ADDRESS}/approve", 403)) == "NotAllowed"
    assert code(maya("POST", f"/mailboxes/{ADDRESS}/test", 403, json={"take_over": True})) == "NotAllowed"
    assert code(maya("GET", "/profiles", 403)) == "NotAllowed"
    assert code(maya("GET", "/changes", 403)) == "NotAllowed"
    assert code(maya("GET", f"/mailboxes/jonas@{DOMAIN}", 404)) == "NotFoundHere"
    assert code(maya("GET", "/alerts/999", 404)) == "NotFoundHere"


def test_the_calendar_is_edited(office: Office, maya: Caller) -> None:
    """Created, refused with the clashes, forced, changed and deleted."""
    body = {"subject": "Review", "start": "2026-11-24T10:00:00Z", "end": "2026-11-24T11:00:00Z"}
    first = maya("POST", "/appointments", 201, json=body)
    refused = maya("POST", "/appointments", 409, json={**body, "subject": "Other"})
    forced = maya("POST", "/appointments?ignore_conflicts=true", 201, json={**body, "subject": "Other"})
    moved = maya("PATCH", f"/appointments/{forced['id']}", json={"start": "2026-11-24T14:00:00Z", "location": None})
    maya("DELETE", f"/appointments/{first['id']}", 204)

    assert code(refused) == "ExchangeSyncSchedulingConflictsError"
    assert [clash["subject"] for clash in refused["clashes"]] == ["Review"]
    assert refused["unavailable"] == ["Maya Lind"]
    assert moved["start"] == "2026-11-24T14:00:00Z"
    assert code(maya("GET", f"/appointments/{first['id']}", 404)) == "NotFoundHere"
    assert [entry["id"] for entry in maya("GET", "/appointments")["items"]] == [forced["id"]]


@pytest.mark.rule("R-03")
@pytest.mark.rule("R-08")
def test_a_series_is_ended_over_the_api(office: Office, maya: Caller) -> None:
    """The ended series is the answer; one that has not begun, and a date that is gone with it, are problems."""
    series = office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=9")
    assert code(maya("POST", f"/appointments/{series}/end", 422)) == "InvalidRequest"
    office.clock.at = at(9.5, days=2).start
    ended = maya("POST", f"/appointments/{series}/end")

    assert (ended["id"], ended["kind"], ended["status"]) == (series, "series", "canceled")
    assert len(maya("GET", "/appointments?from=2026-11-01&to=2027-03-01")["items"]) == 2
    gone = maya("PATCH", f"/appointments/{series}@20261127T090000Z", 404, json={"subject": "x"})
    assert (code(gone), gone["detail"]) == ("NotFoundHere", "There is no date 2026-11-27 09:00 UTC.")
    assert code(maya("POST", f"/appointments/{series}/end", 409)) == "ClosedInCrm"


@pytest.mark.rule("A-03")
def test_an_appointment_may_have_no_organizer(office: Office, maya: Caller, ines: Caller) -> None:
    """Null for the organizer is nobody, for a new appointment and for one that had one; not given, it is who enters."""
    body = {"subject": "Review", "start": "2026-11-24T10:00:00Z"}
    own = maya("POST", "/appointments", 201, json=body)
    nobody = ines("POST", "/appointments", 201, json={**body, "organizer": None})
    taken_off = ines("PATCH", f"/appointments/{own['id']}", json={"organizer": None})

    assert own["organizer"] == ADDRESS
    assert (nobody["organizer"], taken_off["organizer"]) == (None, None)
    assert office.app.crm.row(nobody["id"]).appointment.organizer is None


@pytest.mark.rule("A-09")
def test_a_draft_is_entered_and_released(maya: Caller, ines: Caller) -> None:
    """The object says so, a program that reads the change log hears of the release, and nothing becomes a draft."""
    body = {"subject": "Review", "start": "2026-11-24T10:00:00Z"}
    plain = maya("POST", "/appointments", 201, json={**body, "start": "2026-11-24T12:00:00Z"})
    made = maya("POST", "/appointments", 201, json={**body, "draft": True})
    cursor = ines("GET", "/changes")["next"]
    released = maya("PATCH", f"/appointments/{made['id']}", json={"draft": False})
    refused = maya("PATCH", f"/appointments/{made['id']}", 422, json={"draft": True})

    assert (plain["draft"], made["draft"], released["draft"]) == (False, True, False)
    assert [each["appointment_id"] for each in ines("GET", f"/changes?cursor={cursor}")["items"]] == [made["id"]]
    assert code(refused) == "InvalidRequest" and "Only a new appointment" in refused["detail"]


def test_the_change_log_holds_tombstones(office: Office, ines: Caller) -> None:
    """A program that reads on from its cursor hears of what is gone."""
    entry = office.in_crm("Review", at(10))
    first = ines("GET", "/changes")
    ines("DELETE", f"/appointments/{entry}", 204)
    then = ines("GET", f"/changes?cursor={first['next']}")

    assert [(change["appointment_id"], change["gone"]) for change in first["items"]] == [(entry, False)]
    assert [(change["appointment_id"], change["gone"]) for change in then["items"]] == [(entry, True)]


def test_a_mailbox_is_added_approved_tested_and_synchronized(office: Office, ines: Caller) -> None:
    """The life of a mailbox over the API."""
    office.exchange.add_mailbox(f"ines@{DOMAIN}", "Ines")
    address = f"ines@{DOMAIN}"
    new = {"address": address, "profile": "exchange", "user": "ines", "track": "all"}
    assert ines("POST", "/mailboxes", 201, json=new)["state"] == "needs_approval"
    assert code(ines("POST", f"/mailboxes/{address}/test", 409)) == "MailboxNotApproved"
    assert ines("POST", f"/mailboxes/{address}/approve")["approval"] == "approved"
    assert ines("POST", f"/mailboxes/{address}/test")["state"] == "ready"
    theirs = OrganizationMark(installation="theirs", crm_name="Fabrikam", since=NOW)
    office.exchange.store(address).mark = theirs
    foreign = ines("POST", f"/mailboxes/{address}/test", 409)
    assert (code(foreign), foreign["mailbox"]["enabled"]) == ("ExchangeSyncIncorrectCrmOrgError", False)
    assert ines("POST", f"/mailboxes/{address}/test", 422, json={"takeover": True})
    assert code(ines("POST", f"/mailboxes/{address}/test", 409, json={})) == "ExchangeSyncIncorrectCrmOrgError"
    assert ines("POST", f"/mailboxes/{address}/test", json={"take_over": True})["state"] == "ready"
    assert ines("POST", f"/mailboxes/{address}/sync", 202)["next_due"] == "2026-11-23T08:00:00Z"
    assert ines("POST", f"/mailboxes/{address}/sync?wait=true")["saved"] == 0
    assert ines("POST", f"/mailboxes/{address}/disable")["enabled"] is False
    assert ines("POST", f"/mailboxes/{address}/enable")["enabled"] is True
    ines("DELETE", f"/mailboxes/{address}", 204)
    assert code(ines("POST", "/mailboxes", 409, json={**new, "address": ADDRESS})) == "AlreadyExists"


def test_passwords_go_in_and_do_not_come_out(office: Office, ines: Caller, maya: Caller) -> None:
    """A profile's by an administrator, a mailbox's own by its person too."""
    ines("POST", "/profiles/exchange/password", 204, json={"password": "other-secret"})
    maya("POST", f"/mailboxes/{ADDRESS}/password", 204, json={"password": "own-secret"})

    assert office.app.store.password(office.mailbox("maya").id) == "own-secret"
    assert office.app.store.password(office.mailbox("jonas").id) == "other-secret"
    assert "secret" not in str(ines("GET", "/profiles"))
    assert code(maya("POST", "/profiles/exchange/password", 403, json={"password": "x"})) == "NotAllowed"
    assert code(ines("POST", "/profiles/exchange/password", 422, json={"password": ""})) == "InvalidRequest"


def test_an_item_is_tracked_and_untracked_by_request(office: Office, maya: Caller) -> None:
    """Tracked now it is saved beside what it overlaps; untracked its link goes and the appointment stays."""
    mailbox = office.mailbox("maya")
    office.app.store.change_mailbox(mailbox.id, lambda old: replace(old, track=Track.CATEGORY))
    office.in_crm("Review", at(10))
    office.in_outlook("Demo", at(10.5))
    office.in_outlook("Dentist", at(15))
    link = maya("POST", f"/mailboxes/{ADDRESS}/track", json={"global_object_id": "uid-Demo"})
    maya("POST", f"/mailboxes/{ADDRESS}/untrack", 204, json={"global_object_id": "uid-Demo"})
    again = maya("POST", f"/mailboxes/{ADDRESS}/untrack", 404, json={"global_object_id": "uid-Demo"})

    assert link["state"] == "settled"
    assert code(again) == "NotFoundHere"
    assert maya("GET", "/links")["items"] == []
    assert sorted(entry["subject"] for entry in maya("GET", "/appointments")["items"]) == ["Demo", "Review"]


def test_a_refusing_server_is_a_bad_gateway(office: Office, ines: Caller) -> None:
    """The mailbox's trouble is told by its code, with the mailbox as it stands."""
    office.refusal = SyncError("Unauthorized", mailbox=ADDRESS)
    problem = ines("POST", f"/mailboxes/{ADDRESS}/test", 502)

    assert code(problem) == "Unauthorized"
    assert problem["mailbox"]["test"] == "failure"


def test_failures_and_explanations(office: Office, ines: Caller) -> None:
    """A failed item is listed, tried again, ignored and explained."""
    ref = office.in_outlook("Broken", at(15))
    office.exchange.spoil(ADDRESS, ref, SyncError("ItemUnreadable", subject="Broken", detail="damaged"))
    office.sync("maya")
    (row,) = ines("GET", "/failures")["items"]

    assert set(row) == {
        *("id", "mailbox", "subject", "sync_error", "last_sync_error_time", "retries", "direction", "state"),
    }
    assert ines("POST", f"/failures/{row['id']}/retry", 202)["sync_error"] == "ItemUnreadable"
    ines("POST", f"/failures/{row['id']}/ignore", 204)
    assert ines("GET", "/failures")["items"] == []
    assert [each["state"] for each in ines("GET", "/failures?all=true")["items"]] == ["skipped"]
    assert ines("GET", f"/explain?q={row['id']}")["items"][0]["state"] == "skipped"


def test_people_and_tokens(ines: Caller, maya: Caller) -> None:
    """Users are added, tokens made, used and revoked."""
    new = {"name": "new", "email": "new@example.org", "password": "long enough"}
    user = ines("POST", "/users", 201, json=new)
    token = maya("POST", "/tokens", 201, json={"user": "maya", "name": "script"})

    assert set(user) == {"id", "name", "full_name", "email", "role", "time_zone"}
    assert [each["name"] for each in ines("GET", "/users")["items"]] == ["ines", "jonas", "maya", "new"]
    assert maya("GET", "/users/me")["name"] == "maya"
    assert Caller(maya.client, token["token"])("GET", "/users/me")["name"] == "maya"
    assert {each["token"] for each in maya("GET", "/tokens")["items"]} == {None}
    maya("DELETE", "/tokens/maya/script", 204)
    Caller(maya.client, token["token"])("GET", "/users/me", 401)


def test_health_figures_and_schema(office: Office, client: TestClient, ines: Caller) -> None:
    """What monitoring and generators ask for needs no sign-in and names nobody."""
    office.the_scene()
    figures = client.get("/metrics").text
    schema = client.get("/openapi.json").json()

    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").text == "ready\n"
    assert "syncline_questions_open 1.0" in figures
    assert "maya" not in figures
    assert ines("GET", "/statistics")["questions"] == 1
    for path in ("/mailboxes/{key}/sync", "/alerts/{alert_id}/answer", "/alerts/answer", "/changes", "/links"):
        assert API + path in schema["paths"]


def test_unknown_paths_and_methods_are_problems(client: TestClient, ines: Caller) -> None:
    """404 and 405 are problem documents too."""
    for method, path, status in (("GET", "/nothing", 404), ("PUT", "/alerts", 405)):
        answer = client.request(method, API + path, headers=ines.headers)

        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_bug_is_a_500_problem_without_its_secrets(
    client: TestClient, ines: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web boundary answers for what nobody foresaw, and tells nothing of it."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(wall_desk, "page", broken)
    answer = client.get(f"{API}/alerts", headers=ines.headers)

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_every_answer_carries_the_safety_headers(client: TestClient) -> None:
    """Also refusals; a foreign host is refused before anything is asked."""
    answers = (
        client.get("/healthz"),
        client.get(f"{API}/alerts"),
        client.get("/healthz", headers={"Host": "evil.example"}),
    )

    assert [answer.status_code for answer in answers] == [200, 401, 421]
    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_huge_body_is_refused(client: TestClient, ines: Caller) -> None:
    """More than two megabytes are not read."""
    answer = client.post(f"{API}/appointments", headers=ines.headers, content=b"x" * (2 * 1024 * 1024 + 1))

    assert answer.status_code == 413
