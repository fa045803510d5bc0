"""Mailboxes: the list, and the form of one mailbox with the tabs General, Alerts, Failures and Statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from syncline.desk import mailboxes as desk
from syncline.desk import reports, syncing
from syncline.desk.finding import one
from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.ports import Mailbox
from syncline.web.pages import cards
from syncline.web.pages.alerts import waiting
from syncline.web.pages.failing import rows
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.problems import status_of

if TYPE_CHECKING:
    from syncline.wiring import App

router = APIRouter()
SECTION = "Mailboxes"
TABS = (("general", "General"), ("alerts", "Alerts"), ("failures", "Failures"), ("statistics", "Statistics"))
CLOSED_MAX = 20
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
    shown = desk.listing(visit.app, visit.viewer)
    errors = {mailbox.id: desk.trouble(visit.app, visit.viewer, str(mailbox.id)) for mailbox in shown}
    counts = visit.app.store.counts_by_mailbox()
    return visit.render("mailboxes.html", section=SECTION, mailboxes=shown, errors=errors, counts=counts)


@router.get("/mailboxes/{key}")
def form(visit: Here, key: str, tab: Annotated[str, Query()] = "general") -> Response:
    """Show one mailbox, by id or address."""
    return _form(visit, key, tab)


@router.post("/mailboxes/{key}/test")
def test(visit: Here, key: str) -> Response:
    """Test for real and enable on success; a failed test says which step and what to do."""
    tested = desk.test(visit.app, visit.viewer, key)
    if tested.error is not None:
        return _form(visit, key, "general", trouble=tested.error)
    return go(f"/mailboxes/{tested.mailbox.id}?said=enabled")


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
        error = SyncError("InvalidRequest", detail="Tick the box to remove the mailbox.")
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


def _form(visit: Visit, key: str, tab: str, trouble: SyncError | None = None) -> Response:
    mailbox = one(visit.app, visit.viewer, key)
    tab = tab if tab in dict(TABS) else "general"
    shown = desk.show(visit.app, visit.viewer, str(mailbox.id))
    return visit.render(
        f"mailbox_{tab}.html",
        section=SECTION,
        status=status_of(trouble) if trouble is not None else 200,
        mailbox=shown,
        record=mailbox,
        person=visit.called(mailbox.user),
        tabs=TABS,
        tab=tab,
        figures=_figures(visit, mailbox),
        trouble=trouble or desk.trouble(visit.app, visit.viewer, str(mailbox.id)),
        **_CONTENT[tab](visit, mailbox),
    )


def _figures(visit: Visit, mailbox: Mailbox) -> reports.MailboxFigures:
    figures = reports.statistics(visit.app, visit.viewer).mailboxes
    return next(each for each in figures if each.mailbox == mailbox.address)


def _general(visit: Visit, mailbox: Mailbox) -> Mapping[str, object]:
    states = visit.app.store.link_states(mailbox.id)
    return {
        "default_rule": visit.app.settings.sync.on_scheduling_conflict.value,
        "seen": sum(states.values()),
        "running": visit.app.store.holder(mailbox.id, visit.times.now) is not None,
    }


def _alerts(visit: Visit, mailbox: Mailbox) -> Mapping[str, object]:
    shown, groups = waiting(visit, {mailbox.id: mailbox})
    closed, _ = cards.page(visit, str(mailbox.id), only_open=False, limit=CLOSED_MAX)
    return {"cards_shown": shown, "groups": groups, "closed": closed}


def _failures(visit: Visit, mailbox: Mailbox) -> Mapping[str, object]:
    shown, following = rows(visit, str(mailbox.id), every=True)
    return {"rows": shown, "following": following}


def _statistics(visit: Visit, mailbox: Mailbox) -> Mapping[str, object]:
    return {"runs": visit.app.store.cycles(mailbox.id, RUNS_MAX)}


_CONTENT: Mapping[str, Callable[[Visit, Mailbox], Mapping[str, object]]] = {
    "general": _general,
    "alerts": _alerts,
    "failures": _failures,
    "statistics": _statistics,
}
