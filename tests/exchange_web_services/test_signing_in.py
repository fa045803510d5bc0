"""NTLM and Negotiate against an acceptor that signs in connections and demands the binding to the TLS channel."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256, sha384
from ipaddress import ip_address
from pathlib import Path

import pytest
import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from syncline.connectors.exchange_web_services.signing_in import Account, channel_binding, conversation
from syncline.errors import SyncError
from tests.exchange_web_services import answers
from tests.exchange_web_services.certificates import der, server_side, write_certificate
from tests.exchange_web_services.conftest import Connect, Serve
from tests.exchange_web_services.scripted import Handler, Reply, ScriptedServer, Seen

LOOPBACK = x509.IPAddress(ip_address("127.0.0.1"))


class Door:
    """Signs connections in as IIS does: by NTLM or Negotiate, per connection, with or without channel binding."""

    def __init__(self, scheme: str, binding: GssChannelBindings | None) -> None:
        self.scheme = scheme
        self.binding = binding
        self.signed_in: set[int] = set()
        self.contexts: dict[int, spnego.ContextProxy] = {}
        self.users: list[str | None] = []

    def __call__(self, handler: Handler) -> None:
        """Answer one request."""
        seen: Seen = handler.server.seen[-1]
        header = seen.headers.get("authorization", "")
        if seen.connection in self.signed_in:
            self.let_in(handler, seen)
        elif header.startswith(self.scheme):
            self._step(handler, seen, b64decode(header.partition(" ")[2]))
        else:
            self.refuse(handler, "")

    def _step(self, handler: Handler, seen: Seen, token: bytes) -> None:
        context = self.contexts.setdefault(
            seen.connection,
            spnego.server(
                protocol=self.scheme.lower(), hostname="127.0.0.1", service="HTTP", channel_bindings=self.binding
            ),
        )
        try:
            answer = context.step(token)
        except SpnegoError:
            self.contexts.pop(seen.connection)
            self.refuse(handler, "")
            return
        if context.complete:
            self.users.append(context.client_principal)
            self.signed_in.add(seen.connection)
            self.let_in(handler, seen)
        else:
            self.refuse(handler, " " + b64encode(answer or b"").decode())

    def let_in(self, handler: Handler, seen: Seen) -> None:
        """Answer what was asked."""
        handler.send(Reply(answers.folders() if seen.operation == "FindFolder" else answers.calendar()))

    def refuse(self, handler: Handler, token: str) -> None:
        """Answer 401 with the challenge."""
        handler.send(Reply(b"no", 401, {"WWW-Authenticate": f"{self.scheme}{token}"}))


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the acceptor know one user."""
    users = tmp_path / "users"
    users.write_text("CORP:svc:geheim\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
@pytest.mark.usefixtures("known")
def test_one_sign_in_serves_all_requests_of_a_connection(
    serve: Serve, connect: Connect, scheme: str, auth: str
) -> None:
    """Three legs on one connection, then requests without any header, whichever of the schemes the server offers."""
    door = Door(scheme, None)
    server = serve(door)

    connect(server.url, username="CORP\\svc", password="geheim", auth=auth).folders()

    assert door.users == ["CORP\\svc"]
    assert {request.connection for request in server.seen} == {1}
    assert [bool(request.headers.get("authorization")) for request in server.seen] == [False, True, True, False]


@pytest.mark.usefixtures("known")
def test_the_sign_in_is_bound_to_the_tls_channel(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """An acceptor that demands Extended Protection for its own certificate lets us in."""
    path = write_certificate(tmp_path, LOOPBACK, hashes.SHA256())
    expected = GssChannelBindings(application_data=b"tls-server-end-point:" + sha256(der(path)).digest())
    door = Door("NTLM", expected)
    server = serve(door, tls=server_side(path))

    connect(server.url, username="CORP\\svc", password="geheim", auth="ntlm", ca_file=str(path)).folders()

    assert door.users == ["CORP\\svc"]


@pytest.mark.usefixtures("known")
def test_a_sign_in_relayed_from_another_channel_is_refused(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """An acceptor that expects another certificate refuses: the binding is really sent and really checked."""
    path = write_certificate(tmp_path, LOOPBACK, hashes.SHA256())
    other = GssChannelBindings(application_data=b"tls-server-end-point:" + sha256(b"another").digest())
    server = serve(Door("NTLM", other), tls=server_side(path))

    replica = connect(server.url, username="CORP\\svc", password="geheim", auth="ntlm", ca_file=str(path))

    with pytest.raises(SyncError, match="Unauthorized"):
        replica.folders()


@pytest.mark.usefixtures("known")
def test_a_wrong_password_is_unauthorized_after_one_try(serve: Serve, connect: Connect) -> None:
    """A refused NTLM sign-in ends after its three legs; a locked account is not what we want to cause."""
    server: ScriptedServer = serve(Door("NTLM", None))

    with pytest.raises(SyncError, match="Unauthorized"):
        connect(server.url, username="CORP\\svc", password="falsch", auth="ntlm").folders()

    assert len(server.seen) == 3


@pytest.mark.usefixtures("known")
def test_a_new_connection_is_signed_in_again(serve: Serve, connect: Connect) -> None:
    """When the server closes the connection the next request signs in on the new one."""
    door = Door("NTLM", None)

    def closing(handler: Handler) -> None:
        door(handler)
        if handler.server.seen[-1].connection == 1 and door.signed_in:
            handler.close_connection = True

    server = serve(closing)

    connect(server.url, username="CORP\\svc", password="geheim", auth="ntlm").folders()

    assert door.users == ["CORP\\svc", "CORP\\svc"]
    assert {request.connection for request in server.seen} == {1, 2}


@pytest.mark.parametrize(
    "headers",
    [{}, {"WWW-Authenticate": "Basic realm=x"}, {"WWW-Authenticate": "NTLM !!!"}, {"WWW-Authenticate": "NTLM AAAA"}],
)
def test_a_server_that_offers_nothing_of_use_is_unauthorized(
    serve: Serve, connect: Connect, headers: dict[str, str]
) -> None:
    """No scheme in common, or a broken token, ends the sign-in."""
    server = serve(Reply(status=401, headers=headers))

    with pytest.raises(SyncError, match="Unauthorized"):
        connect(server.url, username="svc", auth="negotiate").folders()

    assert len(server.seen) <= 2


def test_the_binding_uses_the_hash_of_the_certificates_signature(tmp_path: Path) -> None:
    """RFC 5929: the signature's own hash, SHA-256 in place of the weak ones."""
    strong = der(write_certificate(tmp_path, LOOPBACK, hashes.SHA384()))

    assert channel_binding(strong).application_data == b"tls-server-end-point:" + sha384(strong).digest()


def test_a_password_does_not_show_in_the_account() -> None:
    """What is printed of an account holds no password."""
    account = Account("svc", "geheim", "ntlm", "host")

    assert "geheim" not in repr(account)
    assert conversation(account).opening() is None
