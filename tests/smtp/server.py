"""A real SMTP server for tests: it keeps what it takes, and fails on command."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from syncline.connectors.smtp import Relay
from tests.exchange_web_services.certificates import server_side, write_certificate

NAME, PASSWORD = "syncline", "relay-secret"


@dataclass
class Post:
    """What the server does and what it has taken.

    `refuse` gives a reply for an address; `data_reply` one for the next contents; `cut` closes the connection after
    the content of so many mails, before anything is said.
    """

    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    data_replies: list[str] = field(default_factory=list)
    cut: int = 0
    connections: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.refuse.get(address)
        if reply is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data_replies:
            return self.data_replies.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append((str(envelope.mail_from), list(envelope.rcpt_tos), content))
        self.arrived.set()
        if self.cut:
            self.cut -= 1
            assert server.transport is not None
            server.transport.abort()
            await asyncio.sleep(3600)
        return "250 taken"

    @property
    def mails(self) -> list[EmailMessage]:
        """Return the mails as a mail program reads them."""
        parsed = [message_from_bytes(content, policy=policy.default) for _, _, content in self.taken]
        assert all(isinstance(each, EmailMessage) for each in parsed)
        return parsed  # type: ignore[return-value]


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data.login == NAME.encode() and data.password == PASSWORD.encode(), handled=False)


@contextmanager
def serving(post: Post, *, certificate: Path | None = None, tls: bool = False) -> Iterator[int]:
    """Run the server and return its port: plain, with STARTTLS and sign-in (`certificate`), or with TLS from the start.

    With `certificate` and not `tls` a client must encrypt and sign in.
    """
    context = server_side(certificate) if certificate is not None else None
    needed: dict[str, Any] = {}
    if context is not None and not tls:
        needed = {"tls_context": context, "authenticator": _authenticate, "auth_required": True}
        needed |= {"require_starttls": True}
    loop = asyncio.new_event_loop()

    def connected() -> SMTP:
        post.connections += 1
        return SMTP(post, hostname="mail.test", loop=loop, **needed)

    # The loop runs in its own thread from the start: a browser's driver may have one running in this thread.
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    starting = loop.create_server(connected, "127.0.0.1", 0, ssl=context if tls else None)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(server: asyncio.Server) -> None:
    server.close()
    mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in mine:
        task.cancel()
    await asyncio.gather(*mine, return_exceptions=True)


def certificate_for(folder: Path, host: str = "localhost") -> Path:
    """Write a certificate for a host name."""
    return write_certificate(folder, x509.DNSName(host), hashes.SHA256())


def relay(port: int, **members: Any) -> Relay:
    """Return the server as a relay."""
    given = {"host": "localhost", "security": "none", "sender": "syncline@fjordbikes.example", "timeout_s": 5.0}
    return Relay(port=port, **(given | members))
