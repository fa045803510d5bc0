"""Who sends a request: a program with a token, or a person with a session cookie; and that the request is meant.

Cookie rules of pages.md: `__Host-` and Secure over https or behind a trusted proxy, a plain HttpOnly one over http on
loopback, no sign-in over http elsewhere. Against forged requests: Sec-Fetch-Site or Origin, and a token per session. It
must not know passwords: `desk.signing` does.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from syncline.desk import preferences, signing
from syncline.errors import SyncError
from syncline.language import _
from syncline.web.language import choose
from syncline.web.safety import Arrival

if TYPE_CHECKING:
    from syncline.wiring import App

COOKIE = "syncline"
SECURE_COOKIE = "__Host-syncline"
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_NOT_READ: Any = object()


def signed_in(request: Request) -> signing.Session | None:
    """Return the session of a request (by token or cookie), or None; read once per request.

    A wrong token is refused at once: a program must not go on as somebody else whose cookie is there too.
    """
    known = getattr(request.state, "session", _NOT_READ)
    if known is not _NOT_READ:
        found: signing.Session | None = known
        return found
    app: App = request.app.state.syncline
    token = _bearer(request)
    if token is not None:
        session = signing.by_token(app, token)
        if session is None:
            raise SyncError("SignInRequired")
    else:
        secret = request.cookies.get(_cookie_name(arrival_of(request)))
        session = signing.by_session(app, secret) if secret else None
    request.state.session = session
    return session


def sign_in(request: Request, response: Response, name: str, password: str) -> signing.Session:
    """Check a password, open a session and set its cookie; SyncError("SignInUnsafe") where it could be overheard."""
    came = arrival_of(request)
    if not came.may_sign_in:
        raise SyncError("SignInUnsafe", detail=came.origin)
    secret, session = signing.sign_in(request.app.state.syncline, name, password)
    start_session(request, response, secret, session)
    return session


def start_session(request: Request, response: Response, secret: str, session: signing.Session) -> None:
    """Set the cookie of a session that was opened already, and speak the person's language from now on."""
    came = arrival_of(request)
    response.set_cookie(
        _cookie_name(came),
        secret,
        max_age=signing.SESSION_S,
        path="/",
        secure=came.secure,
        httponly=True,
        samesite="lax",
    )
    language = preferences.of(request.app.state.syncline, session.viewer.name).language
    if language:
        choose(response, language)
    request.state.session = session


def sign_out(request: Request, response: Response) -> None:
    """End the session of a request and take the cookie back."""
    name = _cookie_name(arrival_of(request))
    secret = request.cookies.get(name)
    if secret:
        signing.sign_out(request.app.state.syncline, secret)
    response.delete_cookie(name, path="/", secure=arrival_of(request).secure, httponly=True, samesite="lax")
    request.state.session = None


async def not_forged(request: Request) -> None:
    """Refuse a changing request that our own pages did not send; a dependency of every route.

    Requests with a bearer token need no more: no browser adds one by itself.
    """
    if request.method in SAFE_METHODS or _bearer(request) is not None:
        return
    from_our_pages(request)
    session = await run_in_threadpool(signed_in, request)
    if session is None:
        return
    given = request.headers.get(CSRF_HEADER) or await _form_token(request)
    if not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise SyncError("RequestForged", detail=_("The page is older than your session."))


def arrival_of(request: Request) -> Arrival:
    """Return how a request came, as the safety middleware noted it."""
    came: Arrival = request.state.arrival
    return came


def from_our_pages(request: Request) -> None:
    """Refuse a changing request that another site made a browser send; a program with a token is none."""
    if _bearer(request) is not None:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site in ("same-origin", "none"):
        return
    if site is not None or (origin is not None and not _same(origin, arrival_of(request))):
        raise SyncError("RequestForged", detail=_("The request comes from another site."))


def _same(origin: str, came: Arrival) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}".lower() == came.origin


async def _form_token(request: Request) -> str:
    if not request.headers.get("Content-Type", "").startswith(_FORMS):
        return ""
    form = await request.form()
    value = form.get(CSRF_FIELD, "")
    return value if isinstance(value, str) else ""


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _cookie_name(came: Arrival) -> str:
    return SECURE_COOKIE if came.secure else COOKIE
