"""NTLM and Negotiate: who is signed in, which connection, and bound to which TLS channel."""

from __future__ import annotations

import hashlib
import http.client
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
import spnego
from exchangelib import DELEGATE, NTLM, Account, Configuration, Credentials
from exchangelib.errors import UnauthorizedError
from spnego.channel_bindings import GssChannelBindings

from syncline.emulators.exchange import ExchangeEmulator
from syncline.emulators.exchange.md4 import md4
from tests.emulator.conftest import ADA, PASSWORDS

pytestmark = pytest.mark.emulator

BODY = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" '
    'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Body><m:GetFolder><m:FolderShape>'
    "<t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id='calendar'/>"
    "</m:FolderIds></m:GetFolder></s:Body></s:Envelope>"
)


class Conversation:
    """One connection that speaks NTLM or Negotiate with pyspnego."""

    def __init__(self, server: ExchangeEmulator) -> None:
        if server.ca_pem:
            context = ssl.create_default_context(cadata=server.ca_pem)
            self.connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context)
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", server.port)

    def send(self, header: str = "") -> tuple[int, list[str]]:
        """Send a request and return the status and the WWW-Authenticate values."""
        self.connection.request("POST", "/EWS/Exchange.asmx", BODY, {"Authorization": header} if header else {})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get_all("WWW-Authenticate") or []

    def sign_in(self, scheme: str, user: str, password: str, bindings: GssChannelBindings | None = None) -> int:
        """Carry the sign-in out and return the last status."""
        client = spnego.client(user, password, "localhost", protocol=scheme.lower(), channel_bindings=bindings)
        status, offers = self.send(f"{scheme} {b64encode(client.step() or b'').decode()}")
        assert status == 401
        (token,) = [offer.partition(" ")[2] for offer in offers if offer.startswith(f"{scheme} ")]
        status, _ = self.send(f"{scheme} {b64encode(client.step(b64decode(token)) or b'').decode()}")
        return status


def bindings_of(server: ExchangeEmulator) -> GssChannelBindings:
    """Return the binding to the server's certificate (RFC 5929, tls-server-end-point)."""
    assert server.ca_pem is not None
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(server.ca_pem)).digest()
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"message digest", "d9130a8164549fe818874806e1c7014b"),
        (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4_is_that_of_the_rfc(data: bytes, digest: str) -> None:
    """The digests of RFC 1320's appendix come out."""
    assert md4(data).hex() == digest


@pytest.mark.parametrize("user", [ADA, "EXAMPLE\\ada"])
def test_exchangelib_signs_in_with_ntlm(server: ExchangeEmulator, user: str) -> None:
    """The client exchangelib signs in with NTLM, by address and by domain name."""
    login = Credentials(user, PASSWORDS[ADA])
    configuration = Configuration(service_endpoint=server.ews_url, credentials=login, auth_type=NTLM)
    account = Account(ADA, config=configuration, autodiscover=False, access_type=DELEGATE)
    assert account.calendar.name == "Calendar"


def test_a_wrong_password_is_refused_with_ntlm(server: ExchangeEmulator) -> None:
    """The wrong password answers 401."""
    login = Credentials(ADA, "wrong")
    configuration = Configuration(service_endpoint=server.ews_url, credentials=login, auth_type=NTLM)
    with pytest.raises(UnauthorizedError):
        Account(ADA, config=configuration, autodiscover=False, access_type=DELEGATE).calendar.refresh()


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
def test_a_signed_in_connection_needs_no_more_headers(server: ExchangeEmulator, scheme: str) -> None:
    """After the sign-in the connection belongs to the caller; another connection does not."""
    conversation = Conversation(server)
    assert conversation.send()[0] == 401
    assert conversation.sign_in(scheme, ADA, PASSWORDS[ADA]) == 200
    assert conversation.send()[0] == 200
    assert Conversation(server).send()[0] == 401


def test_a_failed_sign_in_takes_the_connection_away(server: ExchangeEmulator) -> None:
    """Whoever signs in anew with a wrong password is no longer signed in."""
    conversation = Conversation(server)
    assert conversation.sign_in("NTLM", ADA, PASSWORDS[ADA]) == 200
    assert conversation.sign_in("NTLM", ADA, "wrong") == 401
    assert conversation.send()[0] == 401


@pytest.mark.parametrize(
    "header",
    [
        "NTLM nonsense",
        "NTLM AAAA",
        "NTLM " + b64encode(b"NTLMSSP\0\x01").decode(),
        "NTLM " + b64encode(b"NTLMSSP\0\x03\0\0\0" + bytes(80)).decode(),
        "Negotiate " + b64encode(b"\x60\x84\xff\xff\xff\xff").decode(),
        "Negotiate " + b64encode(b"\xa1\x80" * 2_000).decode(),
        "Bearer abc",
        "Basic !!!",
    ],
)
def test_broken_tokens_are_refused(server: ExchangeEmulator, header: str) -> None:
    """Broken, foreign and out-of-turn tokens answer 401 with the schemes, and the server goes on."""
    status, offers = Conversation(server).send(header)
    assert (status, offers) == (401, ["Negotiate", "NTLM", 'Basic realm="exchange"'])


def test_a_changed_message_is_noticed(server: ExchangeEmulator) -> None:
    """An authenticate message whose integrity code does not fit is refused, though the password is right."""
    conversation = Conversation(server)
    client = spnego.client(ADA, PASSWORDS[ADA], "localhost", protocol="ntlm")
    _, offers = conversation.send(f"NTLM {b64encode(client.step() or b'').decode()}")
    last = bytearray(client.step(b64decode(offers[0].partition(" ")[2])) or b"")
    last[75] ^= 1
    assert conversation.send(f"NTLM {b64encode(bytes(last)).decode()}")[0] == 401


def test_extended_protection_demands_the_right_channel(start: Callable[..., ExchangeEmulator]) -> None:
    """With extended protection a sign-in counts only when it is bound to the server's certificate."""
    server = start(tls=True, extended_protection=True)
    wrong = GssChannelBindings(application_data=b"tls-server-end-point:" + bytes(32))
    assert Conversation(server).sign_in("NTLM", ADA, PASSWORDS[ADA], bindings_of(server)) == 200
    assert Conversation(server).sign_in("Negotiate", ADA, PASSWORDS[ADA], bindings_of(server)) == 200
    assert Conversation(server).sign_in("NTLM", ADA, PASSWORDS[ADA], wrong) == 401
    assert Conversation(server).sign_in("NTLM", ADA, PASSWORDS[ADA]) == 401


def test_without_extended_protection_a_binding_is_not_asked(start: Callable[..., ExchangeEmulator]) -> None:
    """Over TLS without extended protection a sign-in without binding is enough."""
    assert Conversation(start(tls=True)).sign_in("NTLM", ADA, PASSWORDS[ADA]) == 200


def test_extended_protection_needs_tls() -> None:
    """Without TLS there is no channel to bind to."""
    with pytest.raises(ValueError, match="tls"):
        ExchangeEmulator(extended_protection=True)
