"""Signing in and out, what is refused, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncline.config import Settings, WebSettings
from tests.desk.office import PASSWORD, Office
from tests.web.visitor import HTML, shown, visiting


def test_without_sign_in_a_page_leads_to_sign_in_and_back(office: Office) -> None:
    """Somebody who is not signed in comes to sign-in, and from there to the page he wanted."""
    with visiting(office) as visitor:
        answer = visitor.get("/alerts/7?x=1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Falerts%2F7%3Fx%3D1")
        page = visitor.text("/sign-in?next=/mailboxes")
        assert ">User name</label>" in page and ">Password</label>" in page and ">Sign in</button>" in page
        entered = visitor.post("/sign-in", name="ines", password=PASSWORD, next="/mailboxes")
        assert entered.headers["location"] == "/mailboxes"
        assert visitor.get("/sign-in?next=/failures").headers["location"] == "/failures"
        assert visitor.get("/").headers["location"] == "/alerts"


@pytest.mark.parametrize("away", ["//evil.example/", "https://evil.example/", "/\\evil.example", "evil", "/a\nb"])
def test_sign_in_never_leads_away_from_our_site(office: Office, away: str) -> None:
    """A crafted address cannot use the sign-in to lead somebody elsewhere."""
    with visiting(office) as visitor:
        assert visitor.post("/sign-in", name="ines", password=PASSWORD, next=away).headers["location"] == "/"


def test_a_wrong_password_is_said_without_saying_what_was_wrong(office: Office) -> None:
    """User name or password is wrong; after five tries the account is slowed down."""
    with visiting(office) as visitor:
        answer = visitor.post("/sign-in", name="maya", password="wrong")
        assert answer.status_code == 401
        assert "User name or password is wrong." in answer.text
        assert 'value="maya"' in answer.text and "wrong-password" not in answer.text
        for _ in range(5):
            answer = visitor.post("/sign-in", name="maya", password="wrong")
        assert answer.status_code == 429 and "Wait" in answer.text


def test_sign_in_over_http_from_elsewhere_says_why_not(office: Office) -> None:
    """Over plain http on another address there are no fields, but the reason and the ways out."""
    with visiting(office, origin="http://192.0.2.7:8080", peer="192.0.2.9") as visitor:
        for answer in (visitor.get("/sign-in"), visitor.post("/sign-in", name="ines", password=PASSWORD)):
            text = shown(answer.text)
            assert answer.status_code == 403
            assert "http://192.0.2.7:8080 could be read on the way" in text
            assert "trusted_proxies" in text and "insecure_http" in text
            assert "<input" not in answer.text and "set-cookie" not in answer.headers


def test_a_trial_may_allow_http(tmp_path: Path) -> None:
    """With insecure_http the fields are there."""
    office = Office(tmp_path, Settings(data=tmp_path, web=WebSettings(insecure_http=True)))
    with visiting(office, origin="http://192.0.2.7:8080", peer="192.0.2.9") as visitor:
        assert visitor.post("/sign-in", name="ines", password=PASSWORD).status_code == 303


def test_signing_out_ends_the_session(office: Office) -> None:
    """After signing out every page leads to sign-in."""
    with visiting(office) as visitor:
        visitor.sign_in("maya")
        assert visitor.post("/sign-out").headers["location"] == "/sign-in?said=signed-out"
        assert "You are signed out." in visitor.text("/sign-in?said=signed-out")
        assert visitor.get("/alerts").status_code == 303


def test_a_form_without_its_token_changes_nothing(office: Office) -> None:
    """A forged form is refused with a page that leads back."""
    question = office.the_scene()
    with visiting(office) as visitor:
        visitor.sign_in("maya").csrf = "guessed"
        answer = visitor.post(question.url, answer="yes")

    assert answer.status_code == 403
    assert "Request not from our pages" in shown(answer.text)
    assert office.question().state == "open"


def test_a_form_that_comes_after_the_session_leads_to_sign_in_and_back(office: Office) -> None:
    """Session over: sign in, and stand before the same card again."""
    question = office.the_scene()
    with visiting(office) as visitor:
        headers = {**HTML, "referer": f"http://127.0.0.1{question.url}"}
        answer = visitor.client.post(question.url, data={"answer": "yes"}, headers=headers, follow_redirects=False)

    assert answer.headers["location"] == f"/sign-in?said=session-over&next=%2Falerts%2F{question.id}"


def test_what_is_not_there_has_a_page(office: Office) -> None:
    """An unknown address is answered with words and a way back."""
    with visiting(office) as visitor:
        answer = visitor.sign_in("maya").get("/no/such/page")

    assert answer.status_code == 404
    assert "Not found" in shown(answer.text) and ">Back</a>" in answer.text


def test_every_page_is_strict(office: Office) -> None:
    """No inline style or script, nothing from elsewhere, and the headers that forbid it."""
    office.the_scene()
    with visiting(office) as visitor:
        visitor.sign_in("ines")
        for path in ("/alerts", "/mailboxes", "/mailboxes/1", "/failures", "/calendar", "/settings"):
            answer = visitor.get(path)
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert " style=" not in answer.text and "<script>" not in answer.text and "<style" not in answer.text
            assert "http://" not in answer.text.replace("http://127.0.0.1", "")
            assert answer.headers["cache-control"] == "no-store"
