"""What people see when something cannot be done: what happened, what to do, and the way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from starlette.responses import Response

from syncline.errors import SyncError
from syncline.web.pages.rendering import go, inside, render_outside, visit_of
from syncline.web.pages.troubles import trouble
from syncline.web.sessions import arrival_of


def error_page(request: Request, error: SyncError, status: int) -> Response:
    """Return the page for an error; somebody who is not signed in is led to sign-in and back again."""
    if error.code == "SignInRequired":
        return to_sign_in(request)
    values: dict[str, Any] = {"trouble": trouble(error), "back": _back(request)}
    # What htmx sends takes only a part of a page, and puts an error where that part would have stood.
    template = "error_part.html" if request.headers.get("HX-Request") == "true" else "error.html"
    try:
        return visit_of(request).render(template, status=status, **values)
    except SyncError:
        return render_outside(request, template, status=status, **values)


def to_sign_in(request: Request) -> Response:
    """Lead to sign-in; a form that came too late leads back to the page it stood on."""
    wanted = request.url.path if request.method in ("GET", "HEAD") else _back(request)
    if request.method == "GET" and request.url.query:
        wanted = f"{wanted}?{request.url.query}"
    return go("/sign-in" if wanted in ("", "/") else f"/sign-in?{urlencode({'next': wanted})}")


def _back(request: Request) -> str:
    """Return the page that led here, if it was one of ours."""
    try:
        origin = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    if f"{origin.scheme}://{origin.netloc}".lower() != arrival_of(request).origin:
        return "/"
    return inside(f"{origin.path}?{origin.query}" if origin.query else origin.path)
