"""One mail over SMTP, against a real server: encryption, sign-in, and what each failure means."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from syncline.connectors.smtp import SmtpNotifier
from syncline.errors import SyncError
from syncline.ports import Parcel
from tests.smtp.server import NAME, PASSWORD, Post, certificate_for, relay, serving

pytestmark = pytest.mark.emulator

CONTENT = b"Subject: hello\r\nTo: maya@fjordbikes.example\r\n\r\nA line.\r\n.\r\n.begins with a dot\r\n"
PARCEL = Parcel(key="<1@syncline>", to="maya@fjordbikes.example", content=CONTENT)


def refusal(notifier: SmtpNotifier, parcel: Parcel = PARCEL) -> SyncError:
    """Return why a mail cannot be sent."""
    with pytest.raises(SyncError) as refused:
        notifier.send(parcel)
    return refused.value


def test_a_mail_arrives_as_it_left() -> None:
    """Sender, recipient and content arrive unchanged, lines that begin with a dot included."""
    post = Post()
    with serving(post) as port:
        SmtpNotifier(relay(port)).send(PARCEL)

    assert post.taken == [("syncline@fjordbikes.example", ["maya@fjordbikes.example"], CONTENT)]


def test_starttls_and_sign_in(tmp_path: Path) -> None:
    """With STARTTLS the connection is encrypted before the password goes over it, and the probe says so."""
    post, pem = Post(), certificate_for(tmp_path)
    with serving(post, certificate=pem) as port:
        safe = relay(port, security="starttls", username=NAME, password=PASSWORD, ca_file=str(pem))
        SmtpNotifier(safe).send(PARCEL)
        said = SmtpNotifier(safe).probe()

    assert len(post.taken) == 1
    assert "STARTTLS" in said
    assert PASSWORD not in said
    assert PASSWORD not in repr(safe)


def test_tls_from_the_start(tmp_path: Path) -> None:
    """With tls the connection is encrypted from its first byte."""
    post, pem = Post(), certificate_for(tmp_path)
    with serving(post, certificate=pem, tls=True) as port:
        SmtpNotifier(relay(port, security="tls", ca_file=str(pem))).send(PARCEL)

    assert len(post.taken) == 1


@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
def test_certificates_are_verified(tmp_path: Path, host: str, trusted: bool) -> None:
    """A certificate that nobody vouches for, or of another name, ends the connection before the password is sent."""
    post, pem = Post(), certificate_for(tmp_path)
    with serving(post, certificate=pem) as port:
        safe = relay(port, host=host, security="starttls", username=NAME, password=PASSWORD)
        error = refusal(SmtpNotifier(replace(safe, ca_file=str(pem) if trusted else "")))

    assert error.code == "MailServerRefused"
    assert "certificate" in error.text
    assert post.taken == []


def test_a_server_without_starttls_gets_no_password() -> None:
    """A server that does not offer STARTTLS is refused, whatever an attacker took out of its greeting."""
    with serving(Post()) as port:
        error = refusal(SmtpNotifier(relay(port, security="starttls", username=NAME, password=PASSWORD)))

    assert error.code == "MailServerRefused"


def test_a_wrong_password_is_the_servers_refusal(tmp_path: Path) -> None:
    """A refused sign-in concerns all mails, and the password is in no word of it."""
    pem = certificate_for(tmp_path)
    with serving(Post(), certificate=pem) as port:
        wrong = relay(port, security="starttls", username=NAME, password="wrong-secret", ca_file=str(pem))
        error = refusal(SmtpNotifier(wrong))

    assert error.code == "MailServerRefused"
    assert "wrong-secret" not in error.text


@pytest.mark.parametrize(
    ("reply", "code"), [("550 no such user", "MailRefused"), ("451 come back later", "MailServerUnavailable")]
)
def test_a_refused_person_is_told_from_a_busy_server(reply: str, code: str) -> None:
    """A 5xx for the address is for good, a 4xx is tried again."""
    with serving(Post(refuse={PARCEL.to: reply})) as port:
        error = refusal(SmtpNotifier(relay(port)))

    assert error.code == code
    assert reply[4:] in error.text


@pytest.mark.parametrize(
    ("reply", "code"), [("554 looks like spam", "MailRefused"), ("452 disk full", "MailServerUnavailable")]
)
def test_refused_contents(reply: str, code: str) -> None:
    """A refusal after the content means that nothing was taken."""
    with serving(Post(data_replies=[reply])) as port:
        assert refusal(SmtpNotifier(relay(port))).code == code


def test_a_connection_cut_after_the_content_leaves_it_unclear() -> None:
    """Nobody knows whether a mail was taken whose acknowledgement never came."""
    post = Post(cut=1)
    with serving(post) as port:
        assert refusal(SmtpNotifier(relay(port))).code == "MailUnclear"

    assert len(post.taken) == 1


def test_nobody_listens() -> None:
    """A server that is not there is tried again later."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = refusal(SmtpNotifier(relay(taken.getsockname()[1], host="127.0.0.1")))

    assert error.code == "MailServerUnavailable"


def test_a_silent_server_is_left_in_time() -> None:
    """A server that takes the connection and says nothing is given up after the time set."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(SmtpNotifier(relay(silent.getsockname()[1], host="127.0.0.1", timeout_s=0.2)))

    assert error.code == "MailServerUnavailable"
    assert "0.2 s" in error.text


def test_what_a_server_says_is_one_plain_line() -> None:
    """Control characters and length of a server's words go no further."""

    def talk(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"554 go \x1b[31maway" + b"x" * 400 + b"\r\n")
            connection.recv(100)

    with socket.create_server(("127.0.0.1", 0)) as rude:
        thread = threading.Thread(target=talk, args=(rude,))
        thread.start()
        error = refusal(SmtpNotifier(relay(rude.getsockname()[1], host="127.0.0.1")))
        thread.join()

    assert error.code == "MailServerRefused"
    assert error.text.isprintable()
    assert len(error.text) < 320


@pytest.mark.parametrize("address", ["maya", "a b@c.example", "a@b>\r\nRCPT TO:<x@y", "mäya@firm.example", ""])
def test_an_address_cannot_carry_commands(address: str) -> None:
    """What is no plain address is refused before a connection is made."""
    post = Post()
    with serving(post) as port:
        error = refusal(SmtpNotifier(relay(port)), Parcel(key="k", to=address, content=CONTENT))

    assert error.code == "MailRefused"
    assert post.connections == 0
