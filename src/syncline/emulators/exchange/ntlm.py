"""The server's side of NTLM version 2 ([MS-NLMP]), raw or wrapped in SPNEGO (RFC 4178), with channel binding.

Bytes in, bytes out, for one sign-in of one connection. Only NTLMv2 is accepted; the message integrity code is
checked when the client says that it sent one. Knows accounts by a lookup, nothing of HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from syncline.emulators.exchange.call import Caller
from syncline.emulators.exchange.md4 import md4

SIGNATURE = b"NTLMSSP\0"
NEGOTIATE, CHALLENGE, AUTHENTICATE = 1, 2, 3
_UNICODE, _KEY_EXCHANGE = 0x1, 0x4000_0000
# What the server can do of what a client asks for, and what it always says (2.2.2.5).
_POSSIBLE = 0x1 | 0x10 | 0x20 | 0x8000 | 0x8_0000 | 0x200_0000 | 0x2000_0000 | 0x4000_0000 | 0x8000_0000
_ALWAYS = 0x1 | 0x4 | 0x200 | 0x8000 | 0x2_0000 | 0x80_0000
_EPOCH_SHIFT = 11_644_473_600
_END, _COMPUTER, _DOMAIN, _DNS_COMPUTER, _DNS_DOMAIN, _FLAGS, _TIMESTAMP, _BINDINGS = 0, 1, 2, 3, 4, 6, 7, 10
_MIC_SENT = 0x2
_NTLM_OID = bytes.fromhex("060a2b06010401823702020a")
Find = Callable[[str], tuple[Caller, str] | None]


@dataclass(frozen=True, slots=True)
class Continue:
    """The sign-in goes on: the token to send with 401."""

    token: bytes


class RefusedTokenError(Exception):
    """A token that is broken, out of turn, or of somebody with another password or another channel."""


def channel_binding(certificate_der: bytes) -> bytes:
    """Return what a client bound to this certificate must send: MD5 of the RFC 5929 value as [MS-NLMP] packs it."""
    data = b"tls-server-end-point:" + hashlib.sha256(certificate_der).digest()
    packed = bytes(16) + struct.pack("<I", len(data)) + data
    return hashlib.md5(packed, usedforsecurity=False).digest()


class Acceptor:
    """One sign-in: a negotiate message is answered by a challenge, an authenticate message by the caller."""

    def __init__(self, find: Find, binding: bytes | None = None) -> None:
        """Take the lookup of accounts and, when channel binding is demanded, the value that it must have."""
        self._find = find
        self._binding = binding
        self._negotiate = b""
        self._challenge = b""

    def step(self, token: bytes) -> Continue | Caller:
        """Return the next token or the caller; raises RefusedTokenError."""
        message = _unwrapped(token)
        try:
            kind = struct.unpack_from("<I", message, 8)[0]
            if kind == NEGOTIATE:
                self._negotiate, self._challenge = message, _challenge(message)
                return Continue(self._challenge if token is message else _wrapped(self._challenge))
            if kind == AUTHENTICATE and self._challenge:
                return self._authenticate(_Authenticate.parse(message))
        except struct.error:
            raise RefusedTokenError("a message is too short") from None
        raise RefusedTokenError("a message came out of turn")

    def _authenticate(self, message: _Authenticate) -> Caller:
        name = f"{message.domain}\\{message.user}" if message.domain else message.user
        found = self._find(name)
        if found is None or len(message.response) <= 24:
            raise RefusedTokenError("nobody, or no NTLMv2 response")
        caller, password = found
        key = _hmac(md4(password.encode("utf-16-le")), (message.user.upper() + message.domain).encode("utf-16-le"))
        proof, blob = message.response[:16], message.response[16:]
        server_challenge = self._challenge[24:32]
        if not hmac.compare_digest(proof, _hmac(key, server_challenge + blob)):
            raise RefusedTokenError("the password is another one")
        values = _av_pairs(blob[28:])
        self._check_mic(message, values, _hmac(key, proof))
        if self._binding is not None and values.get(_BINDINGS) != self._binding:
            raise RefusedTokenError("the token is not bound to this channel")
        return caller

    def _check_mic(self, message: _Authenticate, values: dict[int, bytes], base_key: bytes) -> None:
        if not int.from_bytes(values.get(_FLAGS, b""), "little") & _MIC_SENT:
            return
        key = base_key
        if message.flags & _KEY_EXCHANGE:
            key = Cipher(ARC4(base_key), mode=None).decryptor().update(message.session_key)
        blanked = message.raw[:72] + bytes(16) + message.raw[88:]
        if not hmac.compare_digest(message.raw[72:88], _hmac(key, self._negotiate + self._challenge + blanked)):
            raise RefusedTokenError("the messages were changed on their way")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authenticate:
    """The parts of an authenticate message (2.2.1.3) that count here."""

    raw: bytes
    flags: int
    domain: str
    user: str
    response: bytes
    session_key: bytes

    @classmethod
    def parse(cls, raw: bytes) -> _Authenticate:
        flags = struct.unpack_from("<I", raw, 60)[0]
        encoding = "utf-16-le" if flags & _UNICODE else "latin-1"
        return cls(
            raw=raw,
            flags=flags,
            response=_field(raw, 20),
            domain=_field(raw, 28).decode(encoding, "replace"),
            user=_field(raw, 36).decode(encoding, "replace"),
            session_key=_field(raw, 52),
        )


def _field(raw: bytes, at: int) -> bytes:
    length, _, offset = struct.unpack_from("<HHI", raw, at)
    return raw[offset : offset + length]


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, "md5").digest()


def _challenge(negotiate: bytes) -> bytes:
    """Return a challenge message (2.2.1.2); the timestamp makes clients send a message integrity code."""
    asked = struct.unpack_from("<I", negotiate, 12)[0]
    target = "EXCHANGE".encode("utf-16-le")
    filetime = struct.pack("<Q", int((time.time() + _EPOCH_SHIFT) * 10_000_000))
    names = {
        _DOMAIN: "EXAMPLE",
        _COMPUTER: "EXCHANGE",
        _DNS_DOMAIN: "example.com",
        _DNS_COMPUTER: "exchange.example.com",
    }
    pairs = [(number, name.encode("utf-16-le")) for number, name in names.items()]
    info = b"".join(struct.pack("<HH", n, len(v)) + v for n, v in [*pairs, (_TIMESTAMP, filetime), (_END, b"")])
    head = SIGNATURE + struct.pack("<I", CHALLENGE) + struct.pack("<HHI", len(target), len(target), 56)
    head += struct.pack("<I", (asked & _POSSIBLE) | _ALWAYS) + os.urandom(8) + bytes(8)
    head += struct.pack("<HHI", len(info), len(info), 56 + len(target)) + bytes.fromhex("0a0063450000000f")
    return head + target + info


def _av_pairs(data: bytes) -> dict[int, bytes]:
    pairs: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        number, length = struct.unpack_from("<HH", data, at)
        if number == _END:
            break
        pairs[number] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return pairs


# -- SPNEGO, as little of it as carries NTLM


def _unwrapped(token: bytes) -> bytes:
    """Return the NTLM message of a token, which may be the token itself."""
    if token.startswith(SIGNATURE):
        return token
    found = _search(token, depth=0)
    if found is None:
        raise RefusedTokenError("no NTLM message in the token")
    return found


def _search(data: bytes, *, depth: int) -> bytes | None:
    """Return the first octet string of a DER structure that holds an NTLM message."""
    at = 0
    while at + 2 <= len(data) and depth < 8:
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        content = data[at : at + length]
        at += length
        if tag == 0x04 and content.startswith(SIGNATURE):
            return content
        if tag & 0x20:
            found = _search(content, depth=depth + 1)
            if found is not None:
                return found
    return None


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _wrapped(message: bytes) -> bytes:
    """Return a challenge as NegTokenResp: accept-incomplete, with NTLM chosen."""
    parts = _der(0xA0, _der(0x0A, b"\x01")) + _der(0xA1, _NTLM_OID) + _der(0xA2, _der(0x04, message))
    return _der(0xA1, _der(0x30, parts))
