"""The pages as somebody without script gets them: forms, answers, words, and what each role may see."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from syncline.web.app import create_app
from tests.desk.office import PASSWORD, Office

SENTENCE = (
    'A scheduling conflict was found when saving appointment "Product demo for Alpen Sport" from Exchange to '
    "Syncline CRM because Maya Lind is unavailable at this time. Do you want to ignore the conflict and save anyway?"
)
HTML = {"accept": "text/html"}


@dataclass
class Browser:
    """A browser without script: follows no redirect by itself and sends the form's token."""

    client: TestClient
    csrf: str = ""

    def get(self, path: str) -> httpx2.Response:
        """Load a page and remember its form token."""
        answer = self.client.get(path, headers=HTML, follow_redirects=False)
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        if found:
            self.csrf = found[1]
        return answer

    def post(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form of the page that was loaded last."""
        return self.client.post(path, data={"csrf_token": self.csrf, **fields}, headers=HTML, follow_redirects=False)

    def sign_in(self, name: str) -> Browser:
        """Sign in and load the first page."""
        answer = self.post("/sign-in", name=name, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        self.get("/alerts")
        return self


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Give a firm of its own to each test."""
    return Office(tmp_path)


@pytest.fixture
def browser(office: Office) -> Iterator[Browser]:
    """Give a browser on the firm's pages."""
    with TestClient(create_app(office.app), base_url="http://127.0.0.1", client=("127.0.0.1", 4000)) as client:
        yield Browser(client)


def test_without_sign_in_a_page_leads_to_sign_in_and_back(browser: Browser) -> None:
    """Somebody who is not signed in comes to sign-in, and from there to the page he wanted."""
    answer = browser.get("/alerts/7?x=1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Falerts%2F7%3Fx%3D1")
    assert browser.post("/sign-in", name="ines", password=PASSWORD, next="/mailboxes").headers["location"] == (
        "/mailboxes"
    )


def test_the_scene_on_every_page(office: Office, browser: Browser) -> None:
    """The question stands on Alerts, on the mailbox and alone, with its failure row, until Yes is carried out."""
    question = office.the_scene()
    browser.sign_in("maya")
    for path in ("/alerts", f"/alerts/{question.id}", f"/mailboxes/{office.mailbox('maya').id}?tab=alerts"):
        text = browser.get(path).text
        assert SENTENCE in html.unescape(text)
        assert "Quarterly review with Harbour Cycles" in text
        assert "overlaps 30 min" in text
    assert "Waiting for an answer" in browser.get("/failures").text

    answer = browser.post(f"/alerts/{question.id}", answer="yes", version=str(question.version))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alerts/{question.id}")
    saving = browser.get(f"/alerts/{question.id}").text
    assert 'http-equiv="refresh"' in saving and 'aria-busy="true"' in saving
    office.sync("maya")

    assert "Saved" in browser.get(f"/alerts/{question.id}").text
    assert "Product demo" not in browser.get("/failures").text
