"""A real browser, one for all tests; each test gets a fresh profile and a firm of its own, and may not stray."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from tests.browser.firm import PASSWORD, Firm

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def chromium(browser_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    with Firm(tmp_path / "data") as firm:
        yield firm


@pytest.fixture
def sign_in(chromium: Browser, firm: Firm) -> Iterator[Callable[..., Page]]:
    """Give a function that signs somebody in; at the end nothing may stand on the console or have left the machine."""
    contexts: list[BrowserContext] = []
    said: list[str] = []
    strayed: list[str] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            strayed.append(request.url)

    def enter(name: str, **options: object) -> Page:
        context = chromium.new_context(base_url=firm.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", note)
        page.goto("/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert strayed == []
    # Chromium itself reports a page that was refused (a form that comes back with 409) and a connection that a test has
    # cut; those are no messages of ours.
    expected = ("the server responded with a status of 4", "net::ERR_INTERNET_DISCONNECTED", "Failed to fetch")
    assert [text for text in said if not any(known in text for known in expected)] == []
