"""What the connection promises: who it is, what it refuses, and what each failure of a server is called."""

from __future__ import annotations

import gzip
import re
import socket
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from syncline import __version__
from syncline.connectors.exchange_web_services import ExchangeReplica
from syncline.connectors.exchange_web_services.failures import About
from syncline.connectors.exchange_web_services.transport import Transport
from syncline.connectors.exchange_web_services.wire import Request
from syncline.errors import SyncError
from syncline.ports import Profile
from tests.exchange_web_services import answers
from tests.exchange_web_services.certificates import server_side, write_certificate
from tests.exchange_web_services.conftest import ADA, Connect, Serve
from tests.exchange_web_services.scripted import Handler, Reply


def folders_error(replica: ExchangeReplica) -> SyncError:
    """Ask for the folders and give the error."""
    with pytest.raises(SyncError) as caught:
        replica.folders()
    assert caught.value.params["mailbox"] == ADA
    assert "pässword" not in str(caught.value) + repr(caught.value.params)
    return caught.value


def test_every_request_says_who_asks_and_for_whom(serve: Serve, connect: Connect) -> None:
    """A request carries Basic, routing and tracing headers, and a fresh id each time."""
    server = serve(answers.calendar(), answers.folders())

    connect(server.url).folders()

    first, second = server.seen
    assert b64decode(first.headers["authorization"].removeprefix("Basic ")).decode() == f"{ADA}:pässword"
    assert first.headers["x-anchormailbox"] == ADA
    assert first.headers["return-client-request-id"] == "true"
    assert first.headers["user-agent"] == f"Syncline/{__version__}"
    assert first.headers["client-request-id"] != second.headers["client-request-id"]
    assert first.connection == second.connection


def test_a_mailbox_signs_in_as_itself_and_the_service_account_impersonates(serve: Serve, connect: Connect) -> None:
    """The impersonation header is sent for another user name, and not for the mailbox's own."""
    server = serve(answers.calendar())

    own = connect(server.url)
    acting = connect(server.url, username="DOMAIN\\svc")
    for replica in (own, acting):
        replica._main_folder()

    assert b"ExchangeImpersonation" not in server.seen[0].body
    assert b"<t:SmtpAddress>ada@example.com</t:SmtpAddress>" in server.seen[1].body


def test_a_delegate_names_the_owner_of_the_calendar(serve: Serve, connect: Connect) -> None:
    """With access by delegation the folder id names the mailbox and nobody is impersonated."""
    server = serve(answers.calendar())

    connect(server.url, username="svc", access="delegate")._main_folder()

    assert b"ExchangeImpersonation" not in server.seen[0].body
    assert b"<t:Mailbox><t:EmailAddress>ada@example.com</t:EmailAddress></t:Mailbox>" in server.seen[0].body


def test_own_access_names_nobody(serve: Serve, connect: Connect) -> None:
    """With access `own` the account reads its own calendar, whatever its name looks like."""
    server = serve(answers.calendar())

    connect(server.url, username="DOMAIN\\ada", access="own")._main_folder()

    assert b"ExchangeImpersonation" not in server.seen[0].body
    assert b"t:Mailbox" not in server.seen[0].body


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=401), "Unauthorized"),
        (Reply(status=403), "Forbidden"),
        (Reply(status=404), "NotFound"),
        (Reply(status=405), "NotFound"),
        (Reply(status=400, body=b"no"), "ServerAnswerInvalid"),
        (Reply(status=408), "ServerTimeout"),
        (Reply(status=429, headers={"Retry-After": "7"}), "ThrottledByExchange"),
        (Reply(status=500, body=b"<html>"), "ErrorInternalServerTransientError"),
        (Reply(status=502), "ServiceUnavailable"),
        (Reply(status=503), "ServiceUnavailable"),
        (Reply(status=503, headers={"Retry-After": "7"}), "ThrottledByExchange"),
        (Reply(status=504), "ServiceUnavailable"),
        (Reply(status=509), "ServiceUnavailable"),
        (Reply(status=302, headers={"Location": "https://elsewhere.example.com/owa"}), "NotFound"),
        (Reply(status=302, headers={"Location": "/ews/genericerrorpage.htm"}), "ErrorInternalServerTransientError"),
        (Reply(body=b"<html><body>Sign in</body></html>"), "ServerAnswerInvalid"),
        (Reply(body=b"<s:Envelope"), "ServerAnswerInvalid"),
        (Reply(body=b""), "ServerAnswerInvalid"),
        (Reply(body=answers.soap("<m:Other/>")), "ServerAnswerInvalid"),
        (Reply(body=answers.answer("GetFolder")), "ServerAnswerInvalid"),
        (Reply(body=answers.calendar(ref="")), "ServerAnswerInvalid"),
        (Reply(status=500, body=answers.fault("ErrorServerBusy", wait_ms=5000)), "ThrottledByExchange"),
        (Reply(status=500, body=answers.fault("ErrorImpersonateUserDenied")), "ErrorImpersonateUserDenied"),
        (Reply(status=500, body=answers.fault("ErrorNonExistentMailbox")), "ErrorNonExistentMailbox"),
        (Reply(status=500, body=answers.fault("ErrorAccessDenied")), "CalendarUnreadable"),
        (Reply(status=500, body=answers.fault("ErrorNobodyKnows")), "ErrorInternalServerTransientError"),
        (
            Reply(body=answers.answer("GetFolder", answers.failure("GetFolder", "ErrorFolderNotFound"))),
            "CalendarUnreadable",
        ),
    ],
)
def test_each_answer_of_a_failing_server_has_its_name(serve: Serve, connect: Connect, reply: Reply, code: str) -> None:
    """HTTP statuses, faults, response codes and nonsense are told in the words of the catalogue."""
    error = folders_error(connect(serve(reply).url))

    assert error.code == code


@pytest.mark.parametrize(
    ("reply", "wait_s"),
    [
        (Reply(status=503, headers={"Retry-After": "7"}), 7.0),
        (Reply(status=429), 30.0),
        (Reply(status=429, headers={"Retry-After": "999999"}), 3600.0),
        (Reply(status=500, body=answers.fault("ErrorServerBusy", wait_ms=5500)), 5.5),
        (Reply(body=answers.answer("GetFolder", answers.failure("GetFolder", "ErrorServerBusy", wait_ms=250))), 0.25),
        (Reply(status=500, body=answers.fault("ErrorExceededConnectionCount")), 30.0),
    ],
)
def test_the_servers_wish_to_wait_is_kept(serve: Serve, connect: Connect, reply: Reply, wait_s: float) -> None:
    """Retry-After and BackOffMilliseconds become retry_after_s, within limits, with a default."""
    error = folders_error(connect(serve(reply).url))

    assert (error.code, error.retry_after_s) == ("ThrottledByExchange", wait_s)


def test_retry_after_may_be_a_date(serve: Serve, connect: Connect) -> None:
    """Retry-After as a date counts from now; one without sense is none."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)

    dated = folders_error(connect(serve(Reply(status=503, headers={"Retry-After": soon})).url))
    senseless = folders_error(connect(serve(Reply(status=503, headers={"Retry-After": "soon"})).url))

    assert dated.retry_after_s is not None
    assert 500 < dated.retry_after_s <= 600
    assert senseless.code == "ServiceUnavailable"


def test_an_entity_bomb_is_refused_unread(serve: Serve, connect: Connect) -> None:
    """A document type is refused, wherever it stands before the root and whatever it defines."""
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE s [<!ENTITY l0 "lol">{lol}]><s>&l9;</s>'.encode()
    late = b"<!--" + b" " * 4096 + b"-->" + b'<!DOCTYPE s [<!ENTITY a "b">]>' + answers.calendar().partition(b"?>")[2]
    outside = b'<!DOCTYPE s SYSTEM "file:///etc/passwd"><s/>'

    for body in (bomb, late, outside):
        error = folders_error(connect(serve(body).url))
        assert error.code == "ServerAnswerInvalid"


def test_an_endless_answer_is_cut_off(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the limit is not read, also when it was small on the wire."""
    monkeypatch.setattr("syncline.connectors.exchange_web_services.transport.ANSWER_MAX_BYTES", 100_000)
    packed = Reply(gzip.compress(b" " * 10_000_000), headers={"Content-Encoding": "gzip"})

    for reply in (Reply(b" " * 200_000), packed):
        error = folders_error(connect(serve(reply).url))
        assert (error.code, "MB" in error.text) == ("ServerAnswerInvalid", True)


def test_an_item_whose_answer_is_endless_is_too_large(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When one item's answer exceeds the limit it alone fails, as ItemTooLarge."""
    monkeypatch.setattr("syncline.connectors.exchange_web_services.transport.ANSWER_MAX_BYTES", 100_000)
    server = serve(b"")
    server.by_operation = {"GetItem": [b" " * 200_000], "GetFolder": [answers.calendar()]}

    (found,) = connect(server.url).read([("CAL=", "A=")])

    assert isinstance(found, SyncError)
    assert (found.code, found.ref, found.params["detail"]) == ("ItemTooLarge", "A=", "64 MB")


def test_a_silent_server_times_out(serve: Serve, connect: Connect) -> None:
    """A server that does not answer in time is ServerTimeout."""
    stuck = socket.socket()
    stuck.bind(("127.0.0.1", 0))
    stuck.listen(1)

    error = folders_error(connect(f"http://127.0.0.1:{stuck.getsockname()[1]}/x", timeout_s=0.2))

    assert (error.code, "0.2 s" in error.text) == ("ServerTimeout", True)
    stuck.close()


def test_a_dripping_server_times_out(serve: Serve, connect: Connect) -> None:
    """A server that always sends one byte more is stopped by the deadline of the whole answer."""

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b" " * 64)
            handler.wfile.flush()

    error = folders_error(connect(serve(drip).url, timeout_s=0.05))

    assert error.code == "ServerTimeout"


def test_a_closed_port_is_unreachable(connect: Connect) -> None:
    """Nobody listening is ServerUnreachable, and the text names the host."""
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()

    error = folders_error(connect(f"http://127.0.0.1:{port}/x"))

    assert (error.code, "127.0.0.1" in error.text) == ("ServerUnreachable", True)


def hang_up(handler: Handler) -> None:
    """Close without an answer."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def test_a_connection_that_the_server_closed_is_opened_anew(serve: Serve, connect: Connect) -> None:
    """A lost answer to a reading request is asked for once more."""
    server = serve(hang_up, answers.calendar(), answers.folders())

    assert [folder.name for folder in connect(server.url).folders()] == ["Calendar"]


def test_a_server_that_always_hangs_up_is_unreachable(serve: Serve, connect: Connect) -> None:
    """Two lost answers in a row are a failure, not an endless loop."""
    server = serve(hang_up)

    assert folders_error(connect(server.url)).code == "ServerUnreachable"
    assert len(server.seen) == 2


def test_broken_http_is_an_invalid_answer(serve: Serve, connect: Connect) -> None:
    """Something that is not HTTP is ServerAnswerInvalid."""

    def babble(handler: Handler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        handler.close_connection = True

    assert folders_error(connect(serve(babble).url)).code == "ServerAnswerInvalid"


def test_content_that_is_not_what_it_says_is_an_invalid_answer(serve: Serve, connect: Connect) -> None:
    """A body that claims to be gzip and is not is ServerAnswerInvalid."""
    reply = Reply(b"plain", headers={"Content-Encoding": "gzip"})

    assert folders_error(connect(serve(reply).url)).code == "ServerAnswerInvalid"


def test_an_untrusted_certificate_is_refused(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """Certificates are always verified; the authority of --ca-file makes the same server good."""
    path = write_certificate(tmp_path, x509.IPAddress(ip_address("127.0.0.1")), hashes.SHA256())
    server = serve(answers.calendar(), answers.folders(), tls=server_side(path))

    assert folders_error(connect(server.url)).code == "CertificateUntrusted"
    assert [folder.name for folder in connect(server.url, ca_file=str(path)).folders()] == ["Calendar"]


def test_a_certificate_for_another_name_is_refused(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """A trusted certificate of another host does not count."""
    path = write_certificate(tmp_path, x509.DNSName("mail.example.com"), hashes.SHA256())
    server = serve(answers.calendar(), tls=server_side(path))

    error = folders_error(connect(server.url, ca_file=str(path)))

    assert error.code == "CertificateUntrusted"


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_ca_file_that_cannot_be_read_is_named(connect: Connect, tmp_path: Path, content: str | None) -> None:
    """A missing or broken CA file is told at once, with its name."""
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(SyncError, match=r"CertificateUntrusted.*authority\.pem"):
        connect("https://mail.example.com/EWS/Exchange.asmx", ca_file=str(path))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://mail.example.com/EWS/Exchange.asmx", "HttpRefused"),
        ("http://10.0.0.1/EWS/Exchange.asmx", "HttpRefused"),
        ("ftp://mail.example.com/", "ServerUnreachable"),
        ("mail.example.com", "ServerUnreachable"),
        ("https://", "ServerUnreachable"),
        ("http://[::1", "ServerUnreachable"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_before_anything_is_sent(connect: Connect, url: str, code: str) -> None:
    """http:// beyond this machine and what is no web address are refused when the replica is opened."""
    with pytest.raises(SyncError) as caught:
        connect(url)

    assert caught.value.code == code


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_http_is_fine_on_this_machine(connect: Connect, host: str) -> None:
    """Loopback addresses need no encryption."""
    connect(f"http://{host}:1/EWS/Exchange.asmx")


def test_http_elsewhere_must_be_allowed(connect: Connect) -> None:
    """A profile may allow http:// by name."""
    connect("http://mail.example.com/EWS/Exchange.asmx", allow_http=True)


def test_a_password_in_the_url_is_not_used(serve: Serve, connect: Connect) -> None:
    """User info of the URL neither signs in nor shows in an error."""
    server = serve(Reply(status=404))

    error = folders_error(connect(server.url.replace("http://", "http://eve:secret@")))

    assert "secret" not in error.text
    assert b"eve" not in b64decode(server.seen[0].headers["authorization"].removeprefix("Basic "))


@pytest.mark.parametrize("operation", ["CreateItem", "UpdateItem", "DeleteItem", "SendItem", "MoveItem", "Anything"])
def test_a_read_only_profile_refuses_every_operation_that_may_write(serve: Serve, operation: str) -> None:
    """The transport of a read-only profile sends nothing that is not on the list of reading operations."""
    server = serve(answers.calendar())
    profile = Profile(name="p", url=server.url, username=ADA, auth="basic", read_only=True)
    transport = Transport(profile, "x", ADA, impersonate=False, timeout_s=5)

    with pytest.raises(SyncError) as caught:
        transport.call(Request(operation, f"<m:{operation}/>"), About.MAILBOX)

    transport.close()
    assert (caught.value.code, operation in caught.value.text) == ("ReadOnlyRefused", True)
    assert server.seen == []


def test_a_read_only_profile_reads(serve: Serve, connect: Connect) -> None:
    """Reading works under a read-only profile."""
    server = serve(answers.calendar(), answers.folders())

    assert len(connect(server.url, read_only=True).folders()) == 1


def test_one_module_of_the_connector_builds_the_writing_operations() -> None:
    """Items are created, changed and deleted by one module; nothing is sent, moved or answered by any."""
    import syncline.connectors.exchange_web_services as package

    sources = {path.name: path.read_text() for path in Path(package.__file__).parent.glob("*.py")}

    for name in ("SendItem", "MoveItem", "AcceptItem", "DeclineItem"):
        assert not [module for module, source in sources.items() if re.search(rf"\b{name}\b", source)]
    for name in ("CreateItem", "UpdateItem", "DeleteItem"):
        assert [module for module, source in sources.items() if f"<m:{name}" in source] == ["wire_writes.py"]


def test_an_unknown_zone_of_the_mailbox_is_a_setting(connect: Connect) -> None:
    """The zone of the mailbox must be an IANA name."""
    with pytest.raises(SyncError, match="SettingInvalid"):
        connect("https://mail.example.com/x", time_zone="Atlantis")
