"""Session cookies, and that a changing request is meant: rules of pages.md, "First start and safety"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from syncline.config import Settings, WebSettings
from syncline.desk import tokens
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from syncline.web.problems import problem
from syncline.web.safety import Safety
from syncline.web.sessions import not_forged, sign_in, sign_out, signed_in
from tests.desk.office import PASSWORD, Office, hash_cheaply

LOOPBACK = "http://127.0.0.1:8080"
GIVEN = {"name": "maya", "password": PASSWORD}


def pages(office: Office) -> FastAPI:
    """Make an application with nothing but a sign-in, a sign-out and one thing to change."""
    web = FastAPI(dependencies=[Depends(not_forged)])
    web.state.syncline = office.app

    @web.post("/sign-in")
    def enter(request: Request, given: dict[str, str]) -> Response:
        response = PlainTextResponse("in")
        sign_in(request, response, given["name"], given["password"])
        return response

    @web.post("/sign-out")
    def leave(request: Request) -> Response:
        response = PlainTextResponse("out")
        sign_out(request, response)
        return response

    @web.get("/who")
    def who(request: Request) -> Response:
        session = signed_in(request)
        return PlainTextResponse("nobody" if session is None else f"{session.viewer.name} {session.csrf}")

    @web.post("/change")
    def change(request: Request) -> Response:
        return PlainTextResponse("changed" if signed_in(request) else "nobody")

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, SyncError)
        return problem(error)

    web.add_exception_handler(SyncError, refused)
    web.add_middleware(Safety, web=office.app.settings.web)
    return web


def visit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: WebSettings | None = None, url: str = LOOPBACK, **peer: str
) -> TestClient:
    """Open a browser on a firm whose pages are set up so."""
    hash_cheaply(monkeypatch)
    office = Office(tmp_path, settings=Settings(data=tmp_path, web=web or WebSettings()))
    return TestClient(pages(office), base_url=url, client=(peer.get("peer", "127.0.0.1"), 50000))


def csrf(browser: TestClient) -> str:
    """Return the token that forms of the session carry."""
    name, token = browser.get("/who").text.split()
    assert name == "maya"
    return token


def test_on_loopback_the_cookie_is_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HttpOnly and SameSite=Lax, without Secure, which browsers would drop there."""
    browser = visit(tmp_path, monkeypatch)
    cookie = browser.post("/sign-in", json=GIVEN).headers["set-cookie"]

    assert cookie.startswith("syncline=")
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Secure" not in cookie
    assert csrf(browser)


def test_over_https_the_cookie_is_locked_to_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`__Host-` needs Secure, the path / and no domain."""
    web = WebSettings(allowed_hosts=("crm.example.org",))
    browser = visit(tmp_path, monkeypatch, web, "https://crm.example.org", peer="192.0.2.9")
    cookie = browser.post("/sign-in", json=GIVEN).headers["set-cookie"]

    assert cookie.startswith("__Host-syncline=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "domain" not in cookie.lower()


def test_behind_a_trusted_proxy_the_cookie_is_locked_to_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that is named speaks https to the browser."""
    web = WebSettings(trusted_proxies=("192.0.2.9",), allowed_hosts=("crm.example.org",))
    browser = visit(tmp_path, monkeypatch, web, "http://crm.example.org", peer="192.0.2.9")

    assert browser.post("/sign-in", json=GIVEN).headers["set-cookie"].startswith("__Host-syncline=")


@pytest.mark.parametrize(("insecure", "status"), [(False, 403), (True, 200)])
def test_over_http_from_elsewhere_nobody_signs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, insecure: bool, status: int
) -> None:
    """A password would be readable on the way; a trial may allow it."""
    browser = visit(tmp_path, monkeypatch, WebSettings(insecure_http=insecure), "http://192.0.2.7", peer="192.0.2.9")
    answer = browser.post("/sign-in", json=GIVEN)

    assert answer.status_code == status
    if not insecure:
        assert answer.json()["code"] == "SignInUnsafe"


def test_a_wrong_password_is_a_401_and_the_sixth_a_429(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing slows down, and the answer says for how long."""
    browser = visit(tmp_path, monkeypatch)
    answers = [browser.post("/sign-in", json={**GIVEN, "password": "wrong"}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[0].json()["code"] == "SignInRefused"
    assert answers[5].json()["code"] == "SignInSlowed"
    assert int(answers[5].headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": LOOPBACK}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_a_request_from_another_site_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], status: int
) -> None:
    """Also when it knows the token of the session."""
    browser = visit(tmp_path, monkeypatch)
    browser.post("/sign-in", json=GIVEN)
    answer = browser.post("/change", headers={"X-CSRF-Token": csrf(browser), **headers})

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "RequestForged"


@pytest.mark.parametrize("way", ["none", "wrong", "header", "form", "multipart"])
def test_a_change_needs_the_token_of_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """In a header or as a field of the form."""
    browser = visit(tmp_path, monkeypatch)
    browser.post("/sign-in", json=GIVEN)
    token = csrf(browser)
    requests: dict[str, dict[str, Any]] = {
        "none": {},
        "wrong": {"headers": {"X-CSRF-Token": "wrong"}},
        "header": {"headers": {"X-CSRF-Token": token}},
        "form": {"data": {"csrf_token": token}},
        "multipart": {"data": {"csrf_token": token}, "files": {"file": b"x"}},
    }
    answer = browser.post("/change", **requests[way])

    assert answer.status_code == (403 if way in ("none", "wrong") else 200)


def test_signing_out_ends_the_session_for_everybody_who_has_the_cookie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cookie is worthless afterwards, not only forgotten."""
    browser = visit(tmp_path, monkeypatch)
    cookie = browser.post("/sign-in", json=GIVEN).cookies["syncline"]
    browser.post("/sign-out", headers={"X-CSRF-Token": csrf(browser)})
    browser.cookies.set("syncline", cookie)

    assert browser.get("/who").text == "nobody"


def test_a_token_needs_no_form_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No browser adds a bearer token by itself; a wrong one is refused even beside a good cookie."""
    browser = visit(tmp_path, monkeypatch)
    app = browser.app.state.syncline  # type: ignore[attr-defined]
    token = tokens.create(app, OPERATOR, "ines", "script").token
    browser.post("/sign-in", json=GIVEN)

    assert browser.post("/change", headers={"Authorization": f"Bearer {token}"}).text == "changed"
    assert browser.get("/who", headers={"Authorization": f"Bearer {token}"}).text == "ines "
    assert browser.get("/who", headers={"Authorization": "Bearer wrong"}).status_code == 401
