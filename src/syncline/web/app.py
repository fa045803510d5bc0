"""The web application: API, pages, figures and health in one factory, and the web's one catch-all.

It puts parts together; what a route does is in its own module.
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline import __version__
from syncline.errors import SyncError
from syncline.language import _
from syncline.web import (
    api_alerts,
    api_appointments,
    api_filters,
    api_mailboxes,
    api_people,
    api_rules,
    api_trash,
    pages,
)
from syncline.web.assets import PREFIX, assets
from syncline.web.described import REFUSALS
from syncline.web.figures import metrics
from syncline.web.language import Speaking
from syncline.web.problems import plain_problem, problem, status_of
from syncline.web.safety import Safety
from syncline.web.sessions import not_forged
from syncline.web.uploads import Uploads

if TYPE_CHECKING:
    from syncline.wiring import App

API = "/api/v1"
SMALL_BYTES = 1_000
COMPRESSION = 5
_log = logging.getLogger(__name__)


def create_app(app: App) -> FastAPI:
    """Build the web application over the parts."""
    web = FastAPI(
        title="Syncline",
        version=__version__,
        summary="Keeps Exchange calendars and a CRM in step.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    web.state.syncline = app
    web.state.demo = None
    parts = (api_mailboxes, api_alerts, api_appointments, api_people, api_rules, api_trash, api_filters)
    for module in parts:
        web.include_router(module.router, prefix=API, dependencies=[Depends(not_forged)], responses=REFUSALS)
    _add_watching(web)
    web.mount(PREFIX, assets(), name="static")
    web.include_router(pages.router, dependencies=[Depends(not_forged)], include_in_schema=False)
    web.add_exception_handler(SyncError, _on_sync_error)
    web.add_exception_handler(RequestValidationError, _on_invalid)
    web.add_exception_handler(HTTPException, _on_http_error)
    web.add_exception_handler(OverflowError, _on_overflow)
    web.add_exception_handler(UnicodeEncodeError, _on_half_character)
    web.add_middleware(Uploads, refuse=_on_sync_error)
    web.add_middleware(Boundary)
    # Files that are handed out are large and mostly packed already.
    plain = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")
    web.add_middleware(GZipMiddleware, minimum_size=SMALL_BYTES, compresslevel=COMPRESSION, exclude_content_types=plain)
    web.add_middleware(Speaking)
    limits = app.settings.attachments.limits()
    web.add_middleware(Safety, web=app.settings.web, file_max_bytes=limits.size_max if limits else 0)
    return web


class Boundary:
    """ASGI middleware: a bug ends one request with a problem document and a full trace in the log, nothing more."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and answer for it if it breaks before its answer has begun."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._inner(scope, receive, noted)
        except Exception:
            _log.error("A request failed: %s\n%s", _loggable(str(scope.get("path"))), traceback.format_exc())
            if begun or scope["type"] != "http":
                raise
            await plain_problem(500, "Syncline itself failed on this request.")(scope, receive, send)


def _loggable(path: str) -> str:
    """Return a path for the log; what follows /answer/ is a key."""
    return "/answer/…" if path.startswith("/answer/") else path


def _add_watching(web: FastAPI) -> None:
    """Add what monitoring asks for; it needs no sign-in and tells no names."""

    @web.get("/healthz", include_in_schema=False)
    def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @web.get("/readyz", include_in_schema=False)
    def readyz(request: Request) -> Response:
        try:
            request.app.state.syncline.store.mailboxes()
            request.app.state.syncline.crm.users()
        except SyncError as error:
            return PlainTextResponse(f"{error.code}\n", status_code=503)
        return PlainTextResponse("ready\n")

    @web.get("/metrics", include_in_schema=False)
    def figures(request: Request) -> Response:
        body, media_type = metrics(request.app.state.syncline)
        return Response(body, media_type=media_type)


def _for_program(request: Request) -> bool:
    return request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", "")


async def _on_sync_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SyncError)
    if _for_program(request):
        return problem(error)
    return await run_in_threadpool(pages.error_page, request, error, status_of(error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0] if error.errors() else {}
    where = ".".join(str(part) for part in first.get("loc", ()) if part not in ("body", "query", "path"))
    return await _on_sync_error(
        request, SyncError("InvalidRequest", detail=f"{where or 'The request'}: {first.get('msg', 'not understood')}.")
    )


async def _on_overflow(request: Request, _error: Exception) -> Response:
    # Ids are numbers of any size on the wire; beyond 64 bits no database and no calendar takes them.
    return await _on_sync_error(request, SyncError("InvalidRequest", detail=_("A number in the request is too large.")))


async def _on_half_character(request: Request, _error: Exception) -> Response:
    # JSON can name half of a character (\ud800), which no database and no calendar takes; no form of ours can.
    return await _on_sync_error(request, SyncError("InvalidRequest", detail="A text in the request is not Unicode."))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return await _on_sync_error(request, SyncError("NotFoundHere", detail=f"page {request.url.path}"))
    return plain_problem(error.status_code, str(error.detail), error.headers)
