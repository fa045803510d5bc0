"""Settings: what counts as a scheduling conflict (shown), users and their roles, and tokens for programs.

Passwords and tokens that are made here are shown once, in the answer that makes them.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from syncline.config import SETTINGS, value_of
from syncline.desk import tokens, users
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.pages.tables import Column, Table
from syncline.web.pages.troubles import trouble as trouble_text
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Settings"
TABLE = Table(
    path="/settings",
    columns=(
        Column(title=noted("User name"), sort="name"),
        Column(title=noted("Full name")),
        Column(title=noted("Address")),
        Column(title=noted("Time zone")),
        Column(title=noted("Role"), sort="role"),
        Column(title=noted("Password")),
    ),
    sort="name",
)
SHOWN = ("conflict.", "sync.on_scheduling_conflict", "private.", "organization.")
"""The settings that decide what is asked and what is saved; docs/settings.md has all of them."""


@router.get("/settings")
def overview(visit: Here) -> Response:
    """Show the settings, the users and the tokens that the viewer may see."""
    return _page(visit)


@router.post("/settings/users")
def add_user(
    visit: Here,
    name: Annotated[str, Form()] = "",
    full_name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "User",
    time_zone: Annotated[str, Form()] = "UTC",
) -> Response:
    """Add a user; his made-up password is shown once."""
    password = users.made_up_password()
    wanted = users.NewUser(
        name=name,
        full_name=full_name.strip() or name,
        emails=(email.strip().lower(),) if email.strip() else (),
        role=role,
        time_zone=time_zone.strip() or "UTC",
        password=password,
    )
    try:
        users.add(visit.app, visit.viewer, wanted)
    except SyncError as error:
        return _page(visit, trouble=error, user=wanted)
    return _page(visit, secret=(_("Password"), name, password))


@router.post("/settings/users/role")
def set_role(visit: Here, name: Annotated[str, Form()], role: Annotated[str, Form()]) -> Response:
    """Give a user another role."""
    try:
        users.set_role(visit.app, visit.viewer, name, role)
    except SyncError as error:
        return _page(visit, trouble=error)
    return go("/settings?said=role")


@router.post("/settings/users/password")
def reset_password(visit: Here, name: Annotated[str, Form()], password: Annotated[str, Form()] = "") -> Response:
    """Set a password, or make one up and show it once; the user's sessions end, one's own too."""
    try:
        chosen = users.reset_password(visit.app, visit.viewer, name, password or None)
    except SyncError as error:
        return _page(visit, trouble=error)
    if password:
        return go("/settings?said=changed")
    return _page(visit, secret=(_("Password"), name, chosen))


@router.post("/settings/tokens")
def create_token(visit: Here, user: Annotated[str, Form()], label: Annotated[str, Form()] = "") -> Response:
    """Make a token and show it once."""
    try:
        made = tokens.create(visit.app, visit.viewer, user, label)
    except SyncError as error:
        return _page(visit, trouble=error)
    return _page(visit, secret=(_("Token"), f"{made.user}: {made.name}", made.token or ""))


@router.post("/settings/tokens/revoke")
def revoke_token(visit: Here, user: Annotated[str, Form()], label: Annotated[str, Form()]) -> Response:
    """Revoke a token."""
    try:
        tokens.revoke(visit.app, visit.viewer, user, label)
    except SyncError as error:
        return _page(visit, trouble=error)
    return go("/settings?said=revoked")


def _page(
    visit: Visit,
    *,
    trouble: SyncError | None = None,
    secret: tuple[str, str, str] | None = None,
    user: users.NewUser | None = None,
) -> Response:
    rows = [row for row in SETTINGS.values() if row.name.startswith(SHOWN)]
    found, pages = TABLE.asked(visit.request).read(lambda wanted: users.table(visit.app, visit.viewer, wanted))
    return visit.render(
        "settings.html",
        section=SECTION,
        status=status_of(trouble) if trouble is not None else 200,
        settings=[(row, _said(value_of(visit.app.settings, row.name))) for row in rows],
        users=found,
        pages=pages,
        tokens=tokens.listing(visit.app, visit.viewer),
        trouble=trouble_text(trouble),
        secret=secret,
        wanted=user or users.NewUser(name="", full_name="", emails=(), time_zone=visit.times.zone),
    )


def _said(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
