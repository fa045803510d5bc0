"""The demo's buttons and strip are only where they belong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from starlette.requests import Request

from syncline.web.pages.demo import DemoFacts, Guest
from syncline.web.safety import Arrival
from tests.desk.office import Office
from tests.web.visitor import visiting

FACTS = DemoFacts(
    guests=(Guest("ines", "Ines"),),
    outlook="http://127.0.0.1:8081/",
    asked_about="Demo",
    since=datetime(2026, 11, 24, tzinfo=UTC),
    mailbox_ids=(),
)


@pytest.mark.parametrize(
    ("scheme", "host", "peer", "private_way", "offered"),
    [
        ("http", "127.0.0.1:8080", "127.0.0.1", True, True),
        ("http", "localhost:8080", "127.0.0.1", True, True),
        ("http", "[::1]:8080", "::1", True, True),
        ("http", "192.0.2.7:8080", "127.0.0.1", True, False),
        ("http", "127.0.0.1:8080", "192.0.2.9", True, False),
        ("http", "192.0.2.7:8080", "192.0.2.9", True, False),
        ("https", "crm.example.org", "127.0.0.1", False, False),
    ],
)
def test_nobody_from_elsewhere_continues_without_a_password(
    scheme: str, host: str, peer: str, private_way: bool, offered: bool
) -> None:
    """The buttons are offered to this machine under its own name, and to no proxy and no other host."""
    came = Arrival(scheme=scheme, host=host, peer=peer, secure=scheme == "https", private_way=private_way)
    request = Request({"type": "http", "headers": [], "state": {"arrival": came}})

    assert bool(FACTS.guests_of(request)) is offered


def test_an_installation_has_neither(office: Office) -> None:
    """Without the demo there is no button, no strip, and no way in without a password."""
    with visiting(office) as visitor:
        assert "demo-guests" not in visitor.text("/sign-in")
        assert visitor.post("/demo/continue", name="ines").status_code == 404
        assert "demo-strip" not in visitor.sign_in("ines").text("/calendar")
