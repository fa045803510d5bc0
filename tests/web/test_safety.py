"""Where a request came from, whose Host it names, and what every answer carries."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.config import WebSettings
from syncline.web.safety import arrival, host_allowed


def scope(host: str, peer: str = "127.0.0.1", scheme: str = "http", **headers: str) -> dict[str, Any]:
    """Make an ASGI scope with these headers (underscores stand for hyphens)."""
    given = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {
        "type": "http",
        "scheme": scheme,
        "client": (peer, 40000),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }


@pytest.mark.parametrize(
    ("asked", "web", "secure", "may"),
    [
        (scope("localhost:8080"), WebSettings(), False, True),
        (scope("127.0.0.1:8080"), WebSettings(), False, True),
        (scope("[::1]:8080", peer="::1"), WebSettings(), False, True),
        (scope("192.0.2.7:8080", peer="192.0.2.9"), WebSettings(), False, False),
        (scope("127.0.0.1:8080", peer="192.0.2.9"), WebSettings(), False, False),
        (scope("192.0.2.7:8080", peer="192.0.2.9"), WebSettings(insecure_http=True), False, True),
        (scope("crm.example.org", scheme="https"), WebSettings(), True, True),
        (scope("127.0.0.1:8080"), WebSettings(trusted_proxies=("127.0.0.1",)), True, True),
        (scope("x", "10.1.2.3", x_forwarded_proto="https"), WebSettings(trusted_proxies=("10.0.0.0/8",)), True, True),
        (scope("x", "10.1.2.3", x_forwarded_proto="http"), WebSettings(trusted_proxies=("10.0.0.0/8",)), False, False),
        (
            scope("x", "192.0.2.9", x_forwarded_proto="https"),
            WebSettings(trusted_proxies=("10.0.0.0/8",)),
            False,
            False,
        ),
    ],
)
def test_a_password_may_be_sent_only_where_nobody_can_listen(
    asked: dict[str, Any], web: WebSettings, secure: bool, may: bool
) -> None:
    """Https, a trusted proxy or loopback; forwarded headers count only from a trusted proxy."""
    came = arrival(asked, web)

    assert (came.secure, came.may_sign_in) == (secure, may)


def test_only_the_last_forwarded_host_is_believed() -> None:
    """What stands before the last comma came from outside."""
    web = WebSettings(trusted_proxies=("127.0.0.1",))
    came = arrival(scope("inner", x_forwarded_host="evil.example, crm.example.org"), web)

    assert came.origin == "https://crm.example.org"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost:8080", True),
        ("127.0.0.1", True),
        ("[::1]:80", True),
        ("192.0.2.7:8080", True),
        ("crm.example.org", True),
        ("CRM.example.org:443", True),
        ("evil.example", False),
        ("", False),
        ("localhost.evil.example", False),
    ],
)
def test_a_foreign_host_name_is_refused(host: str, allowed: bool) -> None:
    """Names must be listed; literal addresses cannot be rebound by a name server."""
    assert host_allowed(host, WebSettings(allowed_hosts=("crm.example.org",))) is allowed
