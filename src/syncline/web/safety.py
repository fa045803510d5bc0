"""What every request passes before anything else sees it: whose Host it names, over what it came, and headers.

Rules of pages.md, "First start and safety": the Host header against `allowed_hosts` (DNS rebinding), forwarded headers
believed from `trusted_proxies` only, a strict content security policy on every answer. It must not know sessions,
users or routes, except where files are attached.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.config import WebSettings
from syncline.web.problems import plain_problem

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
NOISE_MAX_CHARACTERS = 128
BODY_MAX_BYTES = 2 * 1024 * 1024
FORM_MAX_BYTES = 64 * 1024
"""What a form takes beside the file that it carries."""
_FILES = re.compile(r"/calendar/[^/]+/files")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How a request came: the scheme and host the browser sees, the peer, and what follows for the cookie.

    `secure`: over https or through a trusted proxy, the cookie is `__Host-` and Secure. `private_way`: plain http
    that never leaves this machine (or is allowed by `insecure_http`), the cookie is a plain one. `client` is the peer,
    or whom a trusted proxy names.
    """

    scheme: str
    host: str
    peer: str
    secure: bool
    private_way: bool
    client: str = ""

    @property
    def origin(self) -> str:
        """Return the origin of our own pages as the browser writes it."""
        return f"{self.scheme}://{self.host}".lower()

    @property
    def may_sign_in(self) -> bool:
        """Return whether a password may be sent this way."""
        return self.secure or self.private_way


def arrival(scope: Scope, web: WebSettings) -> Arrival:
    """Read how a request came; forwarded headers count only when the peer is one of `web.trusted_proxies`."""
    headers = Headers(scope=scope)
    peer = (scope.get("client") or ("127.0.0.1", 0))[0]
    host, scheme = headers.get("host", ""), str(scope.get("scheme", "http"))
    proxied = _listed(peer, web.trusted_proxies)
    client = (_last(headers.get("x-forwarded-for")) if proxied else "") or peer
    if proxied:
        host = _last(headers.get("x-forwarded-host")) or host
        # A named proxy is taken to speak https to the browser unless it says otherwise (pages.md).
        scheme = _last(headers.get("x-forwarded-proto")) or "https"
    secure = scheme == "https"
    local = host_name(host) in LOOPBACK_NAMES and _is_loopback(peer)
    private_way = not secure and (local or web.insecure_http)
    return Arrival(scheme=scheme, host=host, peer=peer, secure=secure, private_way=private_way, client=client)


def carries_file(scope: Scope) -> bool:
    """Return whether a request goes where files are attached."""
    return bool(_FILES.fullmatch(str(scope.get("path", ""))))


def host_name(host: str) -> str:
    """Return the name in a Host header, without port and brackets, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def host_allowed(host: str, web: WebSettings) -> bool:
    """Say whether pages answer to this Host: loopback, an IP literal (which no name can be rebound to), or listed."""
    name = host_name(host)
    return name in LOOPBACK_NAMES or _address(name) is not None or name in {h.lower() for h in web.allowed_hosts}


def _listed(peer: str, proxies: Iterable[str]) -> bool:
    address = _address(peer)
    if address is None:
        return False
    for text in proxies:
        try:
            if address in ipaddress.ip_network(text, strict=False):
                return True
        except ValueError:
            continue
    return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_loopback(peer: str) -> bool:
    address = _address(peer)
    return address is not None and address.is_loopback


def _last(header: str | None) -> str:
    # Only the last entry was written by the proxy we trust; the ones before came from outside.
    return header.rpartition(",")[2].strip() if header else ""


class Safety:
    """ASGI middleware: refuses foreign hosts and oversized bodies, notes the arrival, sets the headers."""

    def __init__(self, inner: ASGIApp, web: WebSettings, file_max_bytes: int = 0) -> None:
        self._inner = inner
        self._web = web
        self._file_max_bytes = file_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        came = arrival(scope, self._web)
        scope.setdefault("state", {})["arrival"] = came
        static = str(scope.get("path", "")).startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if not static:
                    headers.setdefault("Cache-Control", "no-store")
                    # Pages are compressed; noise in their length keeps it from telling what they hold (BREACH).
                    headers.setdefault("X-Noise", "." * secrets.randbelow(NOISE_MAX_CHARACTERS))
            await send(message)

        refused = self._refusal(scope, came)
        if refused is not None:
            await refused(scope, receive, with_headers)
        else:
            await self._inner(scope, _limited(receive, self._limit(scope)), with_headers)

    def _limit(self, scope: Scope) -> int:
        """Return how many bytes a request may bring; only where a file is attached it may be a whole file."""
        return max(BODY_MAX_BYTES, self._file_max_bytes + FORM_MAX_BYTES) if carries_file(scope) else BODY_MAX_BYTES

    def _refusal(self, scope: Scope, came: Arrival) -> Response | None:
        if not host_allowed(came.host, self._web):
            text = (
                f"Syncline does not answer to the host name {host_name(came.host)!r}. "
                "Add it to allowed_hosts in the section [web] of config.toml, or open Syncline by its address."
            )
            return plain_problem(421, text)
        length = Headers(scope=scope).get("content-length", "0")
        limit = self._limit(scope)
        if not length.isdigit() or int(length) > limit:
            return plain_problem(413, f"A request takes at most {limit} bytes.")
        return None


def _limited(receive: Receive, limit: int) -> Receive:
    """Cut a chunked body off at the limit: the reader then sees a broken connection."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                return {"type": "http.disconnect"}
        return message

    return limited
