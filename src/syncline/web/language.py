"""The language of a request: what the person chose, else what the browser asks for.

The choice travels in a cookie, so that pages before sign-in speak it too. It must not know what is said.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from syncline.language import LANGUAGES, preferred, speaking

COOKIE = "syncline_language"
_YEAR_S = 365 * 86_400
# What programs read is English in every country, so that they can rely on it.
_PROGRAMS = "/api/"


class Speaking:
    """ASGI middleware: sets the language of a request before anything is said."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on in its language."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        if scope["path"].startswith(_PROGRAMS):
            await self._inner(scope, receive, send)
            return
        headers = Headers(scope=scope)
        chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        with speaking(chosen if chosen in LANGUAGES else preferred(headers.get("accept-language", ""))):
            await self._inner(scope, receive, send)


def choose(response: Response, language: str) -> None:
    """Keep somebody's choice of language in the browser; an unknown one or none goes back to what the browser says."""
    if language in LANGUAGES:
        response.set_cookie(COOKIE, language, max_age=_YEAR_S, path="/", httponly=True, samesite="lax")
    else:
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
