"""Who may send a whole file: looked at before the first byte of it is read.

The framework parses a form before any route can refuse it. The token of the form is inside and checked afterwards; what
the request's head tells is enough to keep strangers and other sites from being read at all. It must not know files.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from syncline.errors import SyncError
from syncline.web.safety import carries_file
from syncline.web.sessions import from_our_pages, signed_in

Refuse = Callable[[Request, Exception], Awaitable[Response]]


class Uploads:
    """ASGI middleware: passes a file on only if somebody who is signed in sent it from our pages."""

    def __init__(self, inner: ASGIApp, refuse: Refuse) -> None:
        self._inner = inner
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it."""
        if scope["type"] == "http" and carries_file(scope) and scope["method"] == "POST":
            request = Request(scope, receive)
            try:
                await _require_sender(request)
            except SyncError as error:
                answer = await self._refuse(request, error)
                await answer(scope, receive, send)
                return
        await self._inner(scope, receive, send)


async def _require_sender(request: Request) -> None:
    from_our_pages(request)
    if await run_in_threadpool(signed_in, request) is None:
        raise SyncError("SignInRequired")
