"""Email Configuration: email server profiles (list, add, test) and the mailboxes that use them (list, add)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from syncline.desk import mailboxes
from syncline.desk import profiles as desk
from syncline.errors import Scope, SyncError
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.pages.troubles import trouble as trouble_text
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Email Configuration"


def given_profile(
    name: Annotated[str, Form()] = "",
    url: Annotated[str, Form()] = "",
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    auth: Annotated[str, Form()] = "negotiate",
    access: Annotated[str, Form()] = "",
    ca_file: Annotated[str, Form()] = "",
    read_only: Annotated[str, Form()] = "",
    allow_http: Annotated[str, Form()] = "",
) -> desk.NewProfile:
    """Return the profile that a form describes."""
    return desk.NewProfile(
        name=name,
        url=url,
        username=username,
        password=password or None,
        auth=auth,
        access=access or None,
        ca_file=ca_file.strip() or None,
        read_only=bool(read_only),
        allow_http=bool(allow_http),
    )


def given_mailbox(
    address: Annotated[str, Form()] = "",
    profile: Annotated[str, Form()] = "",
    user: Annotated[str, Form()] = "",
    track: Annotated[str, Form()] = "category",
    password: Annotated[str, Form()] = "",
) -> mailboxes.NewMailbox:
    """Return the mailbox that a form describes."""
    return mailboxes.NewMailbox(address=address, profile=profile, user=user, track=track, password=password or None)


GivenProfile = Annotated[desk.NewProfile, Depends(given_profile)]
GivenMailbox = Annotated[mailboxes.NewMailbox, Depends(given_mailbox)]


@router.get("/email-configuration")
def overview(visit: Here) -> Response:
    """Show profiles and mailboxes; a User sees his mailbox only."""
    return _page(visit)


@router.post("/email-configuration/profiles")
def add_profile(visit: Here, wanted: GivenProfile) -> Response:
    """Add a profile."""
    try:
        desk.add(visit.app, visit.viewer, wanted)
    except SyncError as error:
        return _page(visit, trouble=error, profile=wanted)
    return go("/email-configuration?said=added")


@router.post("/email-configuration/profiles/test")
def test_profile(visit: Here, name: Annotated[str, Form()]) -> Response:
    """Try a profile with a mailbox that uses it, and say how far it came."""
    try:
        steps = desk.test(visit.app, visit.viewer, name)
    except SyncError as error:
        return _page(visit, trouble=error, tested=name)
    return _page(visit, tested=name, steps=steps)


@router.post("/email-configuration/profiles/password")
def change_password(visit: Here, name: Annotated[str, Form()], password: Annotated[str, Form()] = "") -> Response:
    """Store another password for a profile."""
    try:
        desk.set_password(visit.app, visit.viewer, name, password)
    except SyncError as error:
        return _page(visit, trouble=error)
    return go("/email-configuration?said=changed")


@router.post("/email-configuration/mailboxes")
def add_mailbox(visit: Here, wanted: GivenMailbox) -> Response:
    """Add a mailbox; its form shows what comes next."""
    try:
        added = mailboxes.add(visit.app, visit.viewer, wanted)
    except SyncError as error:
        return _page(visit, trouble=error, mailbox=wanted)
    return go(f"/mailboxes/{added.id}?said=added")


def _status(trouble: SyncError | None, tested: str | None) -> int:
    """Return 200 also for a test that failed at the server: that is what was asked."""
    if trouble is None or (tested is not None and trouble.row.scope is Scope.MAILBOX):
        return 200
    return status_of(trouble)


def _page(
    visit: Visit,
    *,
    trouble: SyncError | None = None,
    tested: str | None = None,
    steps: tuple[str, ...] = (),
    profile: desk.NewProfile | None = None,
    mailbox: mailboxes.NewMailbox | None = None,
) -> Response:
    administrator = visit.viewer.administrator
    return visit.render(
        "email_configuration.html",
        section=SECTION,
        status=_status(trouble, tested),
        profiles=desk.listing(visit.app, visit.viewer) if administrator else [],
        states=mailboxes.states(visit.app, visit.viewer),
        users=visit.people.few() if administrator else (),
        trouble=trouble_text(trouble),
        tested=tested,
        steps=steps,
        wanted_profile=profile or desk.NewProfile(name="", url="https://", username=""),
        wanted_mailbox=mailbox or mailboxes.NewMailbox(address="", profile="", user=""),
    )
