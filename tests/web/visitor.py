"""A browser without script for tests of pages: sends forms with their token and follows no redirect by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import httpx2
from starlette.testclient import TestClient

from syncline.web.app import create_app
from tests.desk.office import PASSWORD, Office

HTML = {"accept": "text/html"}


class Visitor:
    """Somebody at a browser."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.csrf = ""

    def get(self, path: str) -> httpx2.Response:
        """Load a page and remember its form token."""
        answer = self.client.get(path, headers=HTML, follow_redirects=False)
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        if found:
            self.csrf = found[1]
        return answer

    def text(self, path: str) -> str:
        """Load a page that must be there and return what stands on it."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return unescape(answer.text)

    def post(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form with the token of the page that was loaded last."""
        return self.client.post(path, data={"csrf_token": self.csrf, **fields}, headers=HTML, follow_redirects=False)

    def sign_in(self, name: str) -> Visitor:
        """Sign in and load the first page."""
        answer = self.post("/sign-in", name=name, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        self.get("/alerts")
        return self


@contextmanager
def visiting(office: Office, *, origin: str = "http://127.0.0.1", peer: str = "127.0.0.1") -> Iterator[Visitor]:
    """Open a browser on the firm's pages, at this origin and from this address."""
    with TestClient(create_app(office.app), base_url=origin, client=(peer, 4000)) as client:
        yield Visitor(client)


def shown(html: str) -> str:
    """Return the words of a page without its markup."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html.replace("<wbr>", ""))))


def hidden_fields(html: str) -> dict[str, str]:
    """Return the hidden fields of the forms of a page but its token, as a browser would send them."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)
    return {name: unescape(value) for name, value in found if name not in ("csrf_token", "next")}
