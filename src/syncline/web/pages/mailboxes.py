"""Mailboxes: the list, and the form of one mailbox with the tabs General, Alerts, Failures and Statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from syncline.desk import mailboxes as desk
from syncline.desk import reports, syncing
from syncline.desk.alerts import hidden_codes
from syncline.desk.finding import one
from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.ports import Mailbox
from syncline.web.pages import failing, wall
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.pages.rows import rows as rows_of
from syncline.web.pages.tables import Column, Table
from syncline.web.pages.troubles import trouble as trouble_text
from syncline.web.pages.words import MAILBOX_STATES
from syncline.web.problems import status_of

if TYPE_CHECKING:
    from syncline.wiring import App

router = APIRouter()
SECTION = "Mailboxes"
TABS = (
    ("general", noted("General")),
    ("alerts", noted("Alerts")),
    ("failures", noted("Failures")),
    ("statistics", noted("Statistics")),
)
TABLE = Table(
    path="/mailboxes",
    columns=(
        Column(title=noted("Address"), sort="address"),
        Column(title=noted("User"), sort="user"),
        Column(title=noted("State"), sort="state"),
        Column(title=noted("Last sync"), sort="last_sync", falls=True),
        Column(title=noted("Open questions"), sort="questions", number=True, falls=True),
        Column(title=noted("Failures"), sort="failures", number=True, falls=True),
    ),
    sort="address",
    states=("", *MAILBOX_STATES),
)
CLOSED_MAX = 20
REFRESH_S = 3
RUNS_MAX = 20

Action = Callable[["App", Viewer, str], object]
ACTIONS: Mapping[str, tuple[Action, str]] = {
    "approve": (desk.approve, "approved"),
    "reject": (desk.reject, "rejected"),
    "enable": (desk.enable, "on"),
    "disable": (desk.disable, "disabled"),
    "sync": (syncing.wake, "syncing"),
}


@router.get("/mailboxes")
def listing(visit: Here) -> Response:
    """List the mailboxes that the viewer may see."""
    found, pages = TABLE.asked(visit.request).read(lambda wanted: desk.table(visit.app, visit.viewer, wanted))
    visit.people.meet(row.mailbox.user for row in found)
    return visit.render(
        "mailboxes.html",
        section=SECTION,
        rows=[(row, trouble_text(row.error)) for row in found],
        pages=pages,
        states=desk.states(visit.app, visit.viewer),
    )


@router.get("/mailboxes/{key}")
def form(visit: Here, key: str, tab: Annotated[str, Query()] = "general") -> Response:
    """Show one mailbox, by id or address."""
    return _form(visit, key, tab)


@router.get("/mailboxes/{key}/progress")
def progress(visit: Here, key: str) -> Response:
    """Return how far the first sync is, as the part of a page that asks for itself again until it is over."""
    mailbox = one(visit.app, visit.viewer, key)
    return visit.render("progress.html", record=mailbox, progress=_progress(visit, mailbox))


@router.post("/mailboxes/{key}/test")
def test(visit: Here, key: str, take_over: Annotated[str, Form()] = "") -> Response:
    """Test for real and enable on success; a failed test says which step and what to do.

    `take_over` is the ticked box that takes the mailbox over from another installation.
    """
    tested = desk.test(visit.app, visit.viewer, key, take_over=bool(take_over))
    if tested.error is not None:
        return _form(visit, key, "general", trouble=tested.error, tested=tested)
    return go(f"/mailboxes/{tested.mailbox.id}?said=enabled")


@router.post("/mailboxes/{key}/password")
def password(visit: Here, key: str, password: Annotated[str, Form()] = "") -> Response:
    """Keep the mailbox's own password, then test and enable with it."""
    try:
        desk.set_password(visit.app, visit.viewer, key, password)
    except SyncError as error:
        return _form(visit, key, "general", trouble=error)
    return test(visit, key)


@router.post("/mailboxes/{key}/change")
def change(
    visit: Here,
    key: str,
    track: Annotated[str, Form()] = "category",
    on_scheduling_conflict: Annotated[str, Form()] = "",
    time_zone: Annotated[str, Form()] = "",
) -> Response:
    """Change how a mailbox is synchronized; an empty rule for scheduling conflicts is the default of the settings."""
    found = one(visit.app, visit.viewer, key)
    rule = on_scheduling_conflict or None
    values = {"track": track, "on_scheduling_conflict": rule, "time_zone": time_zone}
    try:
        desk.change(visit.app, visit.viewer, key, **values)
    except SyncError as error:
        return _form(visit, key, "general", trouble=error)
    return go(f"/mailboxes/{found.id}?said=changed")


@router.post("/mailboxes/{key}/remove")
def remove(visit: Here, key: str, sure: Annotated[str, Form()] = "") -> Response:
    """Remove a mailbox, if the box that says so is ticked."""
    if not sure:
        error = SyncError("InvalidRequest", detail=_("Tick the box to remove the mailbox."))
        return _form(visit, key, "general", trouble=error)
    desk.remove(visit.app, visit.viewer, key)
    return go("/mailboxes?said=removed")


@router.post("/mailboxes/{key}/{action}")
def act(visit: Here, key: str, action: str) -> Response:
    """Approve, reject, enable, disable or synchronize a mailbox."""
    if action not in ACTIONS:
        raise SyncError("NotFoundHere", detail=f"action {action}")
    found = one(visit.app, visit.viewer, key)
    carry_out, said = ACTIONS[action]
    try:
        carry_out(visit.app, visit.viewer, key)
    except SyncError as error:
        return _form(visit, key, "general", trouble=error)
    return go(f"/mailboxes/{found.id}?said={said}")


def _form(
    visit: Visit, key: str, tab: str, trouble: SyncError | None = None, tested: desk.Tested | None = None
) -> Response:
    mailbox = one(visit.app, visit.viewer, key)
    tab = tab if tab in dict(TABS) else "general"
    shown = desk.show(visit.app, visit.viewer, str(mailbox.id))
    return visit.render(
        f"mailbox_{tab}.html",
        section=SECTION,
        # A test that failed is an answer to what was asked, not a failure to answer.
        status=status_of(trouble) if trouble is not None and tested is None else 200,
        mailbox=shown,
        record=mailbox,
        person=visit.called(mailbox.user),
        tabs=TABS,
        tab=tab,
        figures=reports.figures(visit.app, mailbox),
        counts=visit.app.store.counts_by_mailbox(hidden_codes(visit.app), [mailbox.id])[mailbox.id],
        trouble=trouble_text(trouble or desk.trouble(visit.app, visit.viewer, str(mailbox.id))),
        tested=tested,
        **_CONTENT[tab](visit, mailbox),
    )


def _general(visit: Visit, mailbox: Mailbox) -> Mapping[str, object]:
    first = mailbox.enabled and not mailbox.first_sync_done
    return {
        "default_rule": visit.app.settings.sync.on_scheduling_conflict.value,
        "progress": _progress(visit, mailbox) if first else None,
        "plain_refresh_s": REFRESH_S if first else None,
        "running": visit.app.store.holder(mailbox.id, visit.times.now) is not None,
        "signs_in_itself": _signs_in_itself(visit, mailbox),
    }


def _progress(visit: Visit, mailbox: Mailbox) -> desk.Progress:
    return desk.progress(visit.app, visit.viewer, str(mailbox.id))


def _signs_in_itself(visit: Visit, mailbox: Mailbox) -> bool:
    """Return whether the mailbox's own password is what it signs in with."""
    profile = visit.app.store.profile(mailbox.profile_id)
    return profile.access == "own" or profile.username.lower() == mailbox.address


def _alerts(visit: Visit, mailbox: Mailbox) -> Mapping[str, object]:
    shown, found = wall.of_mailbox(visit, mailbox)
    lately = visit.app.store.lately([mailbox.id], hidden_codes(visit.app), CLOSED_MAX)
    return {"shown": shown, "found": found, "closed": rows_of(visit, lately)}


def _failures(visit: Visit, mailbox: Mailbox) -> Mapping[str, object]:
    return {"found": failing.of_mailbox(visit, visit.request, mailbox.id)}


def _statistics(visit: Visit, mailbox: Mailbox) -> Mapping[str, object]:
    return {"runs": visit.app.store.cycles(mailbox.id, RUNS_MAX)}


_CONTENT: Mapping[str, Callable[[Visit, Mailbox], Mapping[str, object]]] = {
    "general": _general,
    "alerts": _alerts,
    "failures": _failures,
    "statistics": _statistics,
}
