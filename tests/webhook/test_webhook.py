"""One signed POST, against a real server: what is sent, where it may go, and what each failure means."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from syncline.connectors.webhook import SIGNATURE_HEADER, Target, WebhookNotifier, guard, signature
from syncline.errors import SyncError
from syncline.ports import Parcel
from tests.smtp.server import certificate_for
from tests.webhook.target import Chat, listening

pytestmark = pytest.mark.emulator

BODY = '{"text":"Ä question"}'.encode()
PARCEL = Parcel(key="event-1", content=BODY)
SECRET = "chat-secret"


def target(url: str, **members: object) -> Target:
    """Return a target inside the own network."""
    given = {"secret": SECRET, "allow_private": True, "timeout_s": 5.0} | members
    return Target(url=url, **given)  # type: ignore[arg-type]


def refusal(notifier: WebhookNotifier) -> SyncError:
    """Return why a message cannot be sent."""
    with pytest.raises(SyncError) as refused:
        notifier.send(PARCEL)
    return refused.value


def test_a_message_is_signed_and_named() -> None:
    """The body arrives unchanged, with its id and a signature over time and body that the receiver can check."""
    chat = Chat()
    with listening(chat) as port:
        WebhookNotifier(target(f"http://127.0.0.1:{port}/hook?room=1"), clock_s=lambda: 1_795_600_000.9).send(PARCEL)

    ((path, headers, body),) = chat.got
    expected = hmac.new(SECRET.encode(), b"1795600000." + BODY, hashlib.sha256).hexdigest()
    assert (path, body) == ("/hook?room=1", BODY)
    assert headers[SIGNATURE_HEADER] == f"t=1795600000,v1={expected}"
    assert headers["Syncline-Event-Id"] == "event-1"
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == f"127.0.0.1:{port}"


def test_the_name_is_verified_at_the_address_that_was_judged(tmp_path: Path) -> None:
    """The connection goes to the address that the name led to once, and TLS verifies the name."""
    chat, asked = Chat(), []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    pem = certificate_for(tmp_path, "chat.fjordbikes.example")
    with listening(chat, pem) as port:
        for host, code in (("chat.fjordbikes.example", None), ("other.fjordbikes.example", "WebhookFailed")):
            notifier = WebhookNotifier(target(f"https://{host}:{port}/", ca_file=str(pem)), resolve=resolve)
            if code is None:
                notifier.send(PARCEL)
            else:
                assert refusal(notifier).code == code

    assert len(chat.got) == 1
    assert asked == ["chat.fjordbikes.example", "other.fjordbikes.example"]


def test_certificates_are_verified(tmp_path: Path) -> None:
    """A certificate that nobody vouches for is refused, before anything is told."""
    chat = Chat()
    with listening(chat, certificate_for(tmp_path)) as port:
        assert refusal(WebhookNotifier(target(f"https://localhost:{port}/"))).code == "WebhookFailed"

    assert chat.got == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.10",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fec0::1",
        "192.0.0.8",
        "fe80::1%2",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_addresses_inside_are_refused(address: str) -> None:
    """An address that is not of the open internet is refused, alone, wrapped, and beside one that is."""
    for found in ([address], ["93.184.215.14", address]):
        notifier = WebhookNotifier(
            target("https://chat.example/", allow_private=False), resolve=lambda *_, found=found: found
        )
        assert refusal(notifier).code == "WebhookRefused"
        with pytest.raises(SyncError, match="WebhookRefused"):
            notifier.probe()


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"])
def test_addresses_outside_are_not(address: str) -> None:
    """Addresses of the open internet pass."""
    assert guard.public(address)


def test_an_inner_target_gets_no_connection() -> None:
    """A target on this machine gets nothing without the setting, by address or by a name that leads to it."""
    chat = Chat()
    with listening(chat) as port:
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1"):
            error = refusal(WebhookNotifier(target(f"https://{host}:{port}/", allow_private=False)))
            assert error.code == "WebhookRefused", host

    assert chat.got == []


def test_a_name_that_changes_its_address_gains_nothing() -> None:
    """A resolver that answers outside first and inside then is asked once only, so nothing inside is reached."""
    answers = [["192.0.2.1"], ["127.0.0.1"]]
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    chat = Chat()
    with listening(chat) as port:
        # 192.0.2.1 is a documentation address: it stands for one that is judged first, and leads nowhere.
        notifier = WebhookNotifier(target(f"http://chat.example:{port}/", timeout_s=0.3), resolve=rebinding)
        assert refusal(notifier).code == "WebhookFailed"

    assert asked == ["chat.example"]
    assert chat.got == []


@pytest.mark.parametrize(
    "url",
    [
        "http://chat.example/",
        "ftp://chat.example/",
        "https:///nowhere",
        "https://user:pass@chat.example/",
        "chat.example",
        "https://chat.example:99999/",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    """Only https to a named host passes; the address itself, which may be a secret, is in no word of the refusal."""
    error = refusal(WebhookNotifier(target(url, allow_private=False), resolve=lambda *_: ["93.184.215.14"]))

    assert error.code == "WebhookRefused"
    assert "pass@" not in error.text


def test_a_redirect_is_not_followed() -> None:
    """A redirect, which could lead inside, is a refusal."""
    chat = Chat()
    with listening(chat) as port:
        chat.status, chat.headers = 307, {"Location": f"http://127.0.0.1:{port}/inside"}
        error = refusal(WebhookNotifier(target(f"http://127.0.0.1:{port}/")))

    assert error.code == "WebhookRefused"
    assert len(chat.got) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "WebhookFailed"), (503, "WebhookFailed"), (429, "WebhookFailed"), (404, "WebhookRefused")],
)
def test_what_an_answer_means(status: int, code: str) -> None:
    """A failing or busy target is tried again, one that does not know the address is not."""
    with listening(Chat(status=status)) as port:
        assert refusal(WebhookNotifier(target(f"http://127.0.0.1:{port}/"))).code == code


def test_a_long_answer_is_not_read() -> None:
    """The body of an answer is nobody's business: it is not read, whatever its length."""
    chat = Chat(status=200, body=b"x" * 20_000_000)
    with listening(chat) as port:
        WebhookNotifier(target(f"http://127.0.0.1:{port}/")).send(PARCEL)

    assert len(chat.got) == 1
    assert not chat.taken


def test_a_silent_target_is_left_in_time() -> None:
    """A target that never answers is given up after the time set."""
    with listening(Chat(stall=threading.Event())) as port:
        error = refusal(WebhookNotifier(target(f"http://127.0.0.1:{port}/", timeout_s=0.3)))

    assert error.code == "WebhookFailed"
    assert "0.3 s" in error.text


def test_a_dripping_target_is_left_in_time() -> None:
    """A target that sends a byte now and then gets no more time than a silent one."""
    with listening(Chat(drip_s=0.01)) as port:
        error = refusal(WebhookNotifier(target(f"http://127.0.0.1:{port}/", timeout_s=0.3)))

    assert error.code == "WebhookFailed"


def test_nothing_secret_is_shown() -> None:
    """Neither the secret nor the address, which may hold one, is in what is shown of a target."""
    shown = repr(target("https://chat.example/services/T0/B0/xyz"))

    assert SECRET not in shown
    assert "xyz" not in shown


def test_the_receivers_side_of_the_guide_works() -> None:
    """The code that the guide gives to receivers takes a genuine request and no changed one."""
    guide = (Path(__file__).parents[2] / "docs" / "operate.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    header = signature(SECRET, int(time.time()), BODY)

    assert names["genuine"](header, BODY, SECRET)
    assert not names["genuine"](header, BODY + b" ", SECRET)
    assert not names["genuine"](header, BODY, "another")
    assert not names["genuine"](signature(SECRET, int(time.time()) - 600, BODY), BODY, SECRET)
