"""One signed POST per message to one address, through the guarded way; nothing is followed and nothing is kept.

The signature covers the time and the body, so that neither can be changed or sent again later. It must not know what
the body says.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpcore2

from syncline import __version__
from syncline.connectors.webhook.guard import GuardedBackend, Resolve, public, resolve
from syncline.errors import SyncError
from syncline.ports import Parcel

SIGNATURE_HEADER = "Syncline-Signature"
ID_HEADER = "Syncline-Event-Id"
_RETRIED = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The program's address, which may itself be a secret; `secret` signs."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    allow_private: bool = False
    ca_file: str = ""
    timeout_s: float = 10.0


class WebhookNotifier:
    """Sends messages to one target; `resolve` and `clock_s` (seconds since 1970) stand in for the world in tests."""

    def __init__(self, target: Target, *, resolve: Resolve = resolve, clock_s: Callable[[], float] = time.time) -> None:
        self._target = target
        self._resolve = resolve
        self._clock_s = clock_s

    def send(self, parcel: Parcel) -> None:
        """Hand one message over; every answer but 2xx is a failure, a redirect too; see `ports.Notifier`."""
        url = self._url()
        headers: dict[bytes | str, bytes | str] = {
            "Host": urlsplit(url).netloc,
            "Content-Type": "application/json",
            "User-Agent": f"Syncline/{__version__}",
            ID_HEADER: parcel.key,
            SIGNATURE_HEADER: signature(self._target.secret, int(self._clock_s()), parcel.content),
            "Connection": "close",
        }
        try:
            status = self._posted(url, headers, parcel.content)
        except httpcore2.TimeoutException as error:
            raise SyncError("WebhookFailed", detail=f"no answer within {self._target.timeout_s:g} s") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise SyncError("WebhookFailed", detail=_said(error)) from error
        if not 200 <= status < 300:
            raise _answered(status)

    def probe(self) -> str:
        """Judge the target without sending anything."""
        parts = urlsplit(self._url())
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise SyncError("WebhookFailed", detail=f"the name {host} is not known") from error
        if not self._target.allow_private and not all(map(public, addresses)):
            raise SyncError("WebhookRefused", detail=f"{host} leads to an address that is not public")
        return f"{parts.scheme}://{host}"

    def _url(self) -> str:
        try:
            parts = urlsplit(self._target.url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if not usable or parts.username is not None:
            raise SyncError("WebhookRefused", detail="webhook.url is not https://host/path")
        if parts.scheme == "http" and not self._target.allow_private:
            raise SyncError("WebhookRefused", detail="webhook.url is not encrypted (https)")
        return self._target.url

    def _posted(self, url: str, headers: Mapping[bytes | str, bytes | str], content: bytes) -> int:
        """Send one request and return the status; of the answer's body nothing is read."""
        target = self._target
        backend = GuardedBackend(allow_private=target.allow_private, deadline_s=target.timeout_s, resolve=self._resolve)
        with (
            httpcore2.ConnectionPool(
                ssl_context=self._trust(), max_connections=1, network_backend=backend, retries=0
            ) as pool,
            pool.stream("POST", url, headers=headers, content=content) as answer,
        ):
            return int(answer.status)

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._target.ca_file:
            try:
                context.load_verify_locations(cafile=self._target.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise SyncError("WebhookRefused", detail="webhook.ca_file cannot be read as certificates") from error
        return context


def signature(secret: str, at_s: int, body: bytes) -> str:
    """Return the value of the signature header: the time, and HMAC-SHA256 of time, a dot and the body, in hex."""
    digest = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def _answered(status: int) -> SyncError:
    if 300 <= status < 400:
        return SyncError("WebhookRefused", detail=f"it answered with a redirect ({status}), which is not followed")
    if 400 <= status < 500 and status not in _RETRIED:
        return SyncError("WebhookRefused", detail=f"it answered {status}")
    return SyncError("WebhookFailed", detail=f"it answered {status}")


def _said(error: Exception) -> str:
    text = "".join(character if character.isprintable() else " " for character in str(error))
    return text[:200] or type(error).__name__
