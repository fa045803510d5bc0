"""The set-up of an empty installation: profile, mailbox, test, preview, first sync; each step a form of its own.

Which step is shown follows from what there is (`desk.starting`), so nothing is lost by leaving.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from syncline.desk import mailboxes, profiles, starting, syncing
from syncline.desk.objects import PlannedItem
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.web.pages.profiles import SECTION, GivenMailbox, GivenProfile
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.pages.troubles import trouble as trouble_text
from syncline.web.pages.words import PLANNED
from syncline.web.problems import status_of

_RULE = re.compile(r"^[A-Z]{1,2}-\d+[a-z]? ")
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b")
_PHRASES = (
    (
        re.compile(r'gets the category "(?P<category>[^"]*)" in Outlook$'),
        noted('gets the category "%(category)s" in Outlook'),
    ),
    (re.compile(r" and (?P<number>\d+) more(?=:|;|$)"), noted(" and %(number)s more")),
    (re.compile(r"Private appointment(?= \d{4}-)"), noted("Private appointment")),
)
router = APIRouter()
SHOWN_MAX = 15
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
        report = syncing.sync(visit.app, visit.viewer, [mailbox], dry_run=True).mailboxes[0]
    except SyncError as error:
        return _page(visit, mailbox, error=error)
    if report.error is not None:
        return _page(visit, mailbox, error=SyncError(report.error, mailbox=report.mailbox, detail=report.text or ""))
    return _page(visit, mailbox, planned=report.plan)


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
    planned: Sequence[PlannedItem] | None = None,
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
        planned=None if planned is None else _grouped(visit, planned),
        progress=progress,
        plain_refresh_s=REFRESH_S if step == "sync" else None,
        wanted_profile=wanted_profile or profiles.NewProfile(name="Exchange", url="https://", username=""),
        wanted_mailbox=wanted_mailbox or mailboxes.NewMailbox(address="", profile="", user=""),
    )


def _grouped(visit: Visit, planned: Sequence[PlannedItem]) -> Sequence[tuple[str, int, Sequence[PlannedItem]]]:
    """Return the plan by what would happen, in the order of `PLANNED`: how many, and the first of them."""
    counts = Counter(item.action for item in planned)
    ordered = sorted(counts, key=lambda action: list(PLANNED).index(action) if action in PLANNED else len(PLANNED))
    first = {action: [item for item in planned if item.action == action][:SHOWN_MAX] for action in ordered}
    return [
        (action, counts[action], [replace(item, detail=_told(visit, item.detail)) for item in first[action]])
        for action in ordered
    ]


def _told(visit: Visit, detail: str) -> str:
    """Return what is in the way with times as the viewer reads them, without the rule that people do not know."""

    def local(found: re.Match[str]) -> str:
        return visit.times.date_and_time(datetime.fromisoformat(found[0]).replace(tzinfo=UTC))

    said = _RULE.sub("", detail)
    for phrase, message in _PHRASES:
        said = phrase.sub(partial(_phrase, message), said)
    return _MOMENT.sub(local, said)


def _phrase(message: str, found: re.Match[str]) -> str:
    return _(message, **found.groupdict())
