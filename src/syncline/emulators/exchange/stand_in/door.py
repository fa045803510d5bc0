"""Who may open the stand-in, and whether a changing request was meant: decided from the headers alone.

Without a control token only this host comes in, under a loopback name (a foreign name may have been rebound to us);
with one, whoever gives it as a Basic password. A form must come from our own pages. Knows no page.
"""

from __future__ import annotations

import binascii
import hmac
import ipaddress
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from syncline.emulators.exchange.site import Answer

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD"})
PLAIN = (("Content-Type", "text/plain; charset=utf-8"),)
CHALLENGE = ("WWW-Authenticate", 'Basic realm="Outlook stand-in", charset="UTF-8"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to the stand-in; `headers` by lower-case name, `local` when it comes from this host."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    local: bool = True


def refusal(request: Request, token: str | None) -> Answer | None:
    """Return the answer to somebody who may not come in, or None."""
    if token is None:
        if not request.local:
            return _said(403, "The stand-in answers to its own host only.")
        if not _own_name(request.headers.get("host", "")):
            return _said(421, "The stand-in answers to 127.0.0.1 and localhost only.")
    elif not hmac.compare_digest(_password(request.headers.get("authorization", "")).encode(), token.encode()):
        return Answer(status=401, headers=(CHALLENGE, *PLAIN), body=b"The password is the control token.\n")
    if request.method not in SAFE_METHODS and forged(request):
        return _said(403, "This form did not come from the stand-in's own page.")
    return None


def forged(request: Request) -> bool:
    """Return whether a browser says that another site sent this request."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in ("same-origin", "none"):
        return False
    return site is not None or (origin is not None and _authority(origin) != request.headers.get("host", "").lower())


def _said(status: int, text: str) -> Answer:
    return Answer(status=status, headers=PLAIN, body=f"{text}\n".encode())


def _own_name(host: str) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return name in LOOPBACK_NAMES or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _password(header: str) -> str:
    scheme, _, text = header.partition(" ")
    if scheme.lower() == "bearer":
        return text.strip()
    try:
        return b64decode(text, validate=True).decode("utf-8", "replace").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
