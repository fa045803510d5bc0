"""How a request says who sends it: Basic, or a conversation of NTLM or Negotiate on one connection.

Without input or output: challenges of the server in, values of the Authorization header out. NTLM and Negotiate sign a
TCP connection in, so the transport keeps one connection per identity, and they are bound to the TLS channel by the
server's certificate (RFC 5929, tls-server-end-point), which Extended Protection of Exchange demands.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import spnego
from cryptography import x509
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256, Hash, HashAlgorithm
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

_END_POINT: Final = b"tls-server-end-point:"
_SERVICE: Final = "HTTP"
# Which schemes of the server suit which setting, the preferred one first.
_SCHEMES: Final = {"negotiate": ("negotiate", "ntlm"), "ntlm": ("ntlm", "negotiate")}
METHODS: Final = ("basic", "ntlm", "negotiate")


@dataclass(frozen=True, slots=True)
class Account:
    """User name (with or without its domain), password, method (basic, ntlm, negotiate) and server name."""

    username: str
    password: str = field(repr=False)
    method: str
    host: str


class Conversation(Protocol):
    """The sign-in of one request."""

    def opening(self) -> str | None:
        """Return the Authorization header of the first sending, None for none."""

    def reply(self, challenges: Sequence[str], certificate: bytes | None) -> str | None:
        """Return the header that answers a 401, None when the sign-in has failed."""


def conversation(account: Account) -> Conversation:
    """Return a fresh conversation for one request."""
    return _Basic(account) if account.method == "basic" else _Negotiation(account)


def channel_binding(certificate: bytes) -> GssChannelBindings:
    """Return the binding to a TLS channel: the server certificate's digest by RFC 5929 section 4.1."""
    digest = Hash(_digest_algorithm(x509.load_der_x509_certificate(certificate)))
    digest.update(certificate)
    return GssChannelBindings(application_data=_END_POINT + digest.finalize())


class _Basic:
    def __init__(self, account: Account) -> None:
        pair = f"{account.username}:{account.password}".encode()
        self._header = "Basic " + b64encode(pair).decode()

    def opening(self) -> str | None:
        return self._header

    def reply(self, challenges: Sequence[str], certificate: bytes | None) -> str | None:  # noqa: ARG002
        return None


class _Negotiation:
    """NTLM or Negotiate: nothing first, since the connection may be signed in already; then token for token."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._scheme = ""
        self._context: spnego.ContextProxy | None = None

    def opening(self) -> str | None:
        return None

    def reply(self, challenges: Sequence[str], certificate: bytes | None) -> str | None:
        offered = _offered(challenges)
        try:
            if self._context is None:
                self._scheme = next((name for name in _SCHEMES[self._account.method] if name in offered), "")
                if not self._scheme:
                    return None
                self._context = self._open(certificate)
                token = self._context.step()
            else:
                answer = offered.get(self._scheme, "")
                if not answer or self._context.complete:
                    return None
                token = self._context.step(b64decode(answer))
        except (SpnegoError, ValueError, struct.error):
            # The parser of tokens does not shield its caller from broken ones.
            return None
        name = "NTLM" if self._scheme == "ntlm" else "Negotiate"
        return f"{name} {b64encode(token).decode()}" if token else None

    def _open(self, certificate: bytes | None) -> spnego.ContextProxy:
        return spnego.client(
            self._account.username,
            self._account.password,
            hostname=self._account.host,
            service=_SERVICE,
            channel_bindings=channel_binding(certificate) if certificate else None,
            protocol=self._scheme,
        )


def _offered(challenges: Sequence[str]) -> dict[str, str]:
    """Return scheme (lower case) -> token of the WWW-Authenticate headers; parameters of other schemes do no harm."""
    found: dict[str, str] = {}
    for header in challenges:
        for part in header.split(","):
            scheme, _, token = part.strip().partition(" ")
            found.setdefault(scheme.lower(), token.strip())
    return found


def _digest_algorithm(certificate: x509.Certificate) -> HashAlgorithm:
    """Return the hash of the certificate's signature; MD5, SHA-1 and signatures without one use SHA-256."""
    signed_with = certificate.signature_hash_algorithm
    return SHA256() if signed_with is None or isinstance(signed_with, MD5 | SHA1) else signed_with
