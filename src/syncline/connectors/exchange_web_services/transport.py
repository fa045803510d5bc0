"""One signed-in HTTP connection to one Exchange server, for one mailbox: requests in, response messages out.

It keeps what every request needs in one place: TLS that is always verified, the sign-in, impersonation, routing and
tracing headers, limits on time and size, and the promise of a read-only profile. Failures leave as SyncError. It must
not know what requests mean, except which operations only read.
"""

from __future__ import annotations

import ssl
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeVar
from xml.sax.saxutils import escape

import httpx2

from syncline import __version__
from syncline.connectors.exchange_web_services.failures import (
    About,
    of_exception,
    of_fault,
    of_invalid,
    of_message,
    of_status,
)
from syncline.connectors.exchange_web_services.signing_in import METHODS, Account, conversation
from syncline.connectors.exchange_web_services.wire import (
    ANSWER_MAX_BYTES,
    FaultAnswer,
    InvalidAnswer,
    Message,
    Request,
    TooLarge,
    envelope,
    messages,
)
from syncline.errors import SyncError
from syncline.ports import Profile

READING_OPERATIONS: Final = frozenset(
    {
        "FindFolder",
        "FindItem",
        "GetAttachment",
        "GetEvents",
        "GetFolder",
        "GetItem",
        "GetServerTimeZones",
        "GetUserAvailability",
        "GetUserConfiguration",
        "ResolveNames",
        "Subscribe",
        "SyncFolderHierarchy",
        "SyncFolderItems",
        "Unsubscribe",
    }
)
LEGS_MAX: Final = 4
DEADLINE_FACTOR: Final = 4
KEEP_ALIVE_S: Final = 90.0
WAIT_MAX_S: Final = 3600.0

_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: httpx2.Headers
    content: bytes
    certificate: bytes | None


class Transport:
    """One connection of one identity. `mailbox` is the address acted for; `timeout_s` limits every wait for the server.

    A whole answer may take `DEADLINE_FACTOR` times that long. Raises SyncError("HttpRefused") for http:// beyond this
    machine unless the profile allows it, and SyncError("CertificateUntrusted") for a CA file that cannot be read.
    """

    def __init__(self, profile: Profile, password: str, mailbox: str, *, impersonate: bool, timeout_s: float) -> None:
        self._url = _checked_url(profile, mailbox)
        self._mailbox = mailbox
        self._read_only = profile.read_only
        self._impersonated = escape(mailbox) if impersonate else None
        self._timeout_s = timeout_s
        method = profile.auth if profile.auth in METHODS else "negotiate"
        self._account = Account(profile.username, password, method, self._url.host)
        self._client = httpx2.Client(
            verify=_tls(profile.ca_file, self._url.scheme, mailbox),
            http2=False,
            # NTLM and Negotiate sign in a connection, not a request: all legs and all requests share one.
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE_S),
            timeout=httpx2.Timeout(timeout_s),
            follow_redirects=False,
            trust_env=False,
            headers={
                "User-Agent": f"Syncline/{__version__}",
                "Accept": "text/xml",
                "Accept-Encoding": "gzip",
                "Content-Type": "text/xml; charset=utf-8",
                "X-AnchorMailbox": mailbox,
                "return-client-request-id": "true",
            },
        )

    def call(self, request: Request, about: About) -> list[Message]:
        """Send one request and return its response messages, failed ones included; raises SyncError for the rest."""
        return self.fetch(request, about, messages)

    def fetch(self, request: Request, about: About, reader: Callable[[bytes, str], _V]) -> _V:
        """Do as `call`, but return what `reader` makes of the bytes of the answer and the name of the operation."""
        self.check(request.operation)
        content = envelope(request, self._impersonated)
        try:
            reply = self._signed_in(content, again=request.operation in READING_OPERATIONS)
            return self._read(reply, request.operation, reader)
        except FaultAnswer as fault:
            raise of_fault(fault, about, self._mailbox) from fault
        except InvalidAnswer as error:
            raise of_invalid(error, self._mailbox, about) from error

    def check(self, operation: str) -> None:
        """Raise SyncError("ReadOnlyRefused") for an operation that writes if the profile only reads."""
        if self._read_only and operation not in READING_OPERATIONS:
            raise SyncError("ReadOnlyRefused", mailbox=self._mailbox, detail=operation)

    def one(self, request: Request, about: About) -> Message:
        """Send a request that asks for one thing and return its message; raises SyncError also if that failed."""
        return self._first(self.call(request, about), request, about)

    def _first(self, answers: Sequence[Message], request: Request, about: About) -> Message:
        if not answers:
            raise of_invalid(InvalidAnswer(f"the answer to {request.operation} is empty"), self._mailbox)
        if not answers[0].ok:
            raise of_message(answers[0], about, self._mailbox)
        return answers[0]

    def maybe(self, request: Request, about: About, absent: Collection[str]) -> Message | None:
        """Do as `one`, but return None when the response code is one of `absent`: what was asked for is not there."""
        answers = self.call(request, about)
        if answers and answers[0].code in absent:
            return None
        return self._first(answers, request, about)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _signed_in(self, content: bytes, *, again: bool) -> _Reply:
        """Send a request, through as many legs as the sign-in needs.

        A kept connection may have been closed by the server meanwhile; what only reads (`again`) is then sent anew.
        """
        talk = conversation(self._account)
        authorization = talk.opening()
        for leg in range(LEGS_MAX):
            try:
                reply = self._send(content, authorization)
            except httpx2.RequestError as error:
                if not (again and leg == 0 and isinstance(error, httpx2.RemoteProtocolError | httpx2.NetworkError)):
                    raise self._unanswered(error) from error
                reply = self._sent_anew(content, authorization)
            if reply.status != 401:
                return reply
            authorization = talk.reply(reply.headers.get_list("www-authenticate"), reply.certificate)
            if authorization is None:
                break
        raise SyncError("Unauthorized", mailbox=self._mailbox, detail=self._url.host)

    def _send(self, content: bytes, authorization: str | None) -> _Reply:
        headers = {"client-request-id": str(uuid.uuid4())}
        if authorization is not None:
            headers["Authorization"] = authorization
        with self._client.stream("POST", self._url, content=content, headers=headers) as response:
            certificate = _peer_certificate(response.extensions) if response.status_code == 401 else None
            return _Reply(response.status_code, response.headers, self._bounded(response), certificate)

    def _sent_anew(self, content: bytes, authorization: str | None) -> _Reply:
        try:
            return self._send(content, authorization)
        except httpx2.RequestError as error:
            raise self._unanswered(error) from error

    def _unanswered(self, error: httpx2.RequestError) -> SyncError:
        return of_exception(error, self._url.host, self._mailbox, self._timeout_s)

    def _bounded(self, response: httpx2.Response) -> bytes:
        """Return the content, but not more than the limit of size, and not later than the deadline."""
        deadline = time.monotonic() + self._timeout_s * DEADLINE_FACTOR
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > ANSWER_MAX_BYTES:
                raise TooLarge
            if time.monotonic() > deadline:
                detail = f"{self._timeout_s * DEADLINE_FACTOR:g} s"
                raise SyncError("ServerTimeout", mailbox=self._mailbox, detail=detail)
            chunks.append(chunk)
        return b"".join(chunks)

    def _read(self, reply: _Reply, operation: str, reader: Callable[[bytes, str], _V]) -> _V:
        """Read the answer; one that is none says what its HTTP status says."""
        try:
            return reader(reply.content, operation)
        except InvalidAnswer as error:
            if reply.status != 200:
                raise self._refused(reply) from error
            raise

    def _refused(self, reply: _Reply) -> SyncError:
        return of_status(
            reply.status,
            f"{self._url.scheme}://{self._url.netloc.decode()}{self._url.path}",
            self._mailbox,
            location=reply.headers.get("location", ""),
            retry_after_s=_retry_after_s(reply.headers),
        )


def _checked_url(profile: Profile, mailbox: str) -> httpx2.URL:
    try:
        url = httpx2.URL(profile.url).copy_with(userinfo=b"")
    except httpx2.InvalidURL as error:
        raise SyncError("ServerUnreachable", mailbox=mailbox, detail="the URL of the profile is not valid") from error
    if url.scheme == "https" and url.host:
        return url
    if url.scheme != "http" or not url.host:
        raise SyncError("ServerUnreachable", mailbox=mailbox, detail="the URL of the profile is not https://…")
    if profile.allow_http or _loopback(url.host):
        return url
    raise SyncError("HttpRefused", mailbox=mailbox, detail=f"http://{url.host}")


def _loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _tls(ca_file: str | None, scheme: str, mailbox: str) -> ssl.SSLContext:
    """Return the verifying TLS settings; loading authorities is slow, so a file is read once per version of it."""
    if scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return _verifying(ca_file, Path(ca_file).stat().st_mtime_ns if ca_file else 0)
    except (OSError, ssl.SSLError) as error:
        detail = f"the file {ca_file} cannot be read as certificates"
        raise SyncError("CertificateUntrusted", mailbox=mailbox, detail=detail) from error


@lru_cache(maxsize=32)
def _verifying(ca_file: str | None, version: int) -> ssl.SSLContext:  # noqa: ARG001 - part of the key
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def _peer_certificate(extensions: Mapping[str, object]) -> bytes | None:
    """Return the server's certificate (DER) of the connection that gave a response, None without TLS."""
    stream = extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if hasattr(stream, "get_extra_info") else None
    # By position: the object may be the C one under the socket, which takes no keywords.
    return secured.getpeercert(True) if secured is not None else None


def _retry_after_s(headers: httpx2.Headers) -> float | None:
    """Return Retry-After in seconds from now, given as seconds or as a date (RFC 9110 section 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), WAIT_MAX_S)
    try:
        wanted = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = wanted if wanted.tzinfo else wanted.replace(tzinfo=UTC)
    return min(max((aware - datetime.now(UTC)).total_seconds(), 0.0), WAIT_MAX_S)
