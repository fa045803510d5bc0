"""The set-up of an empty installation: profile, mailbox, test, preview, first sync; each step a form of its own.

Which step is shown follows from what there is (`desk.starting`), so nothing is lost by leaving.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from syncline.desk import mailboxes, profiles, starting
from syncline.errors import SyncError
from syncline.web.pages.planning import Plan, asks_about, nobody_because, plan_of
from syncline.web.pages.profiles import SECTION, GivenMailbox, GivenProfile
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.pages.troubles import trouble as trouble_text
from syncline.web.problems import status_of

router = APIRouter()
REFRESH_S = 3


@router.get("/start")
def start(visit: Here, mailbox: Annotated[str, Query()] = "", step: Annotated[str, Query()] = "") -> Response:
    """Show the step that comes next; `step=mailbox` begins with another mailbox."""
    if step == "mailbox" and visit.app.store.profiles():
        return _page(visit, step=step)
    return _page(visit, mailbox)


@router.post("/start/profile")
def add_profile(visit: Here, new: GivenProfile) -> Response:
    """Say where the server is and who signs in to it."""
    try:
        profiles.add(visit.app, visit.viewer, new)
    except SyncError as error:
        return _page(visit, step="profile", error=error, wanted_profile=new)
    return go("/start")


@router.post("/start/mailbox")
def add_mailbox(visit: Here, new: GivenMailbox) -> Response:
    """Add the first mailbox; who adds it here approves its address."""
    try:
        added = starting.add_mailbox(visit.app, visit.viewer, new)
    except SyncError as error:
        return _page(visit, step="mailbox", error=error, wanted_mailbox=new)
    return go(f"/start?mailbox={added.id}")


@router.post("/start/test")
def test(visit: Here, mailbox: Annotated[str, Form()], password: Annotated[str, Form()] = "") -> Response:
    """Test the mailbox for real, with another password if one is given; nothing is enabled yet."""
    try:
        if password:
            mailboxes.set_password(visit.app, visit.viewer, mailbox, password)
        starting.approve(visit.app, visit.viewer, mailbox)
    except SyncError as error:
        return _page(visit, mailbox, error=error)
    tested = mailboxes.test(visit.app, visit.viewer, mailbox, enable=False)
    return _page(visit, mailbox, error=tested.error, tested=tested)


@router.post("/start/preview")
def preview(visit: Here, mailbox: Annotated[str, Form()]) -> Response:
    """Read the calendar and say what would happen; the CRM is not touched."""
    try:
        return _page(visit, mailbox, plan=plan_of(visit, mailbox))
    except SyncError as error:
        return _page(visit, mailbox, error=error)


@router.post("/start/enable")
def enable(visit: Here, mailbox: Annotated[str, Form()]) -> Response:
    """Enable the tested mailbox; its first sync begins."""
    try:
        mailboxes.enable(visit.app, visit.viewer, mailbox)
    except SyncError as error:
        return _page(visit, mailbox, error=error)
    return go(f"/start?mailbox={mailbox}")


def _page(
    visit: Visit,
    key: str = "",
    *,
    step: str = "",
    error: SyncError | None = None,
    plan: Plan | None = None,
    tested: mailboxes.Tested | None = None,
    wanted_profile: profiles.NewProfile | None = None,
    wanted_mailbox: mailboxes.NewMailbox | None = None,
) -> Response:
    standing = starting.standing(visit.app, visit.viewer, key)
    step = step or standing.step
    mailbox = standing.mailbox if step != "mailbox" else None
    progress = None
    if mailbox is not None and step in ("sync", "done"):
        progress = mailboxes.progress(visit.app, visit.viewer, str(mailbox.id))
    return visit.render(
        "start.html",
        section=SECTION,
        status=status_of(error) if error is not None and tested is None else 200,
        step=step,
        steps=starting.STEPS[:-1],
        mailbox=mailbox,
        profiles=visit.app.store.profiles(),
        users=visit.people.few() if step == "mailbox" else (),
        trouble=trouble_text(error),
        tested=tested,
        plan=plan,
        asks_about=asks_about,
        nobody_because=nobody_because,
        progress=progress,
        plain_refresh_s=REFRESH_S if step == "sync" else None,
        wanted_profile=wanted_profile or profiles.NewProfile(name="Exchange", url="https://", username=""),
        wanted_mailbox=wanted_mailbox or mailboxes.NewMailbox(address="", profile="", user=""),
    )
