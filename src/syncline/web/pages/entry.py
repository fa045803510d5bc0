"""Sign-in, sign-out and the first page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from msgspec import structs
from starlette.responses import Response

from syncline.desk import preferences
from syncline.errors import SyncError
from syncline.language import LANGUAGES
from syncline.web.asking import app_of
from syncline.web.language import choose
from syncline.web.pages.rendering import go, inside, render_outside, visit_of
from syncline.web.problems import status_of
from syncline.web.sessions import arrival_of, sign_in, sign_out, signed_in

router = APIRouter()
_SHOWN = ("SignInRefused", "SignInSlowed", "SignInUnsafe")


@router.get("/", dependencies=[Depends(visit_of)])
def first() -> Response:
    """Lead to what waits."""
    return go("/alerts")


@router.get("/sign-in")
def sign_in_page(request: Request, following: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Show the two fields, or why a password may not be sent this way."""
    if signed_in(request) is not None:
        return go(inside(following))
    if not arrival_of(request).may_sign_in:
        return _unsafe(request)
    return render_outside(request, "sign_in.html", following=inside(following), error=None, name="")


@router.post("/sign-in")
def enter(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    following: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Sign in and lead to the page that was wanted."""
    answer = go(inside(following))
    try:
        sign_in(request, answer, name, password)
    except SyncError as error:
        if error.code not in _SHOWN:
            raise
        if error.code == "SignInUnsafe":
            return _unsafe(request)
        values = {"following": inside(following), "error": error, "name": name}
        return render_outside(request, "sign_in.html", status=status_of(error), **values)
    return answer


@router.post("/sign-out", dependencies=[Depends(visit_of)])
def leave(request: Request) -> Response:
    """End the session."""
    answer = go("/sign-in?said=signed-out")
    sign_out(request, answer)
    return answer


@router.post("/language")
def speak(
    request: Request, language: Annotated[str, Form()] = "", following: Annotated[str, Form(alias="next")] = "/"
) -> Response:
    """Speak another language from now on; somebody who is signed in keeps it with his preferences too."""
    answer = go(inside(following))
    session = signed_in(request)
    if language in LANGUAGES:
        choose(answer, language)
        if session is not None:
            app = app_of(request)
            preferences.save(
                app, session.viewer, structs.replace(preferences.of(app, session.viewer.name), language=language)
            )
    return answer


def _unsafe(request: Request) -> Response:
    error = SyncError("SignInUnsafe", detail=arrival_of(request).origin)
    return render_outside(request, "sign_in_refused.html", status=status_of(error), error=error)
