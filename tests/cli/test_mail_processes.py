"""A question finds its person, through real processes: Exchange, Syncline, a mail server, a click."""

from __future__ import annotations

import re

import httpx2
import pytest

from syncline.emulators.exchange import ExchangeEmulator
from tests.cli.terminal import Terminal
from tests.cli.test_processes import running
from tests.notifying.firm import text_of
from tests.smtp.server import Post, serving

pytestmark = pytest.mark.emulator


def test_a_question_is_answered_from_a_mail(
    terminal: Terminal, exchange: ExchangeEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server mails the question by itself; its Yes, clicked without a session, saves the appointment."""
    post = Post()
    with serving(post) as port:
        for name, value in {
            "MAIL_HOST": "127.0.0.1",
            "MAIL_PORT": str(port),
            "MAIL_SECURITY": "none",
            "MAIL_SENDER": "syncline@example.org",
            "MAIL_GATHER_S": "0",
            "WEB_BASE_URL": "http://127.0.0.1",
        }.items():
            monkeypatch.setenv(f"SYNCLINE_{name}", value)
        terminal.the_scene(exchange)
        with running("serve", "--port", "0", "--json") as served:
            assert post.arrived.wait(30)
            (mail,) = post.mails
            yes = re.findall(r"/answer/\S+", text_of(mail))[0]
            with httpx2.Client(base_url=served["url"], headers={"Accept": "text/html"}) as browser:
                offered = browser.get(yes)
                clicked = browser.post(yes, headers={"Sec-Fetch-Site": "same-origin"})
                again = browser.post(yes, headers={"Sec-Fetch-Site": "same-origin"})
            terminal("sync")
            (alert,) = terminal.json("alerts", "list")

    assert [answer.status_code for answer in (offered, clicked, again)] == [200, 200, 410]
    assert alert["outcome"] == "saved"
    assert len(post.mails) == 1
