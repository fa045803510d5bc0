"""Items that are not synchronized: listed with their code, tried again, or left out until they change."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from syncline.desk.alerts import look_at
from syncline.desk.finding import may_see, one, owned, visible, within
from syncline.desk.objects import FailureObject
from syncline.desk.paging import PAGE, Page, everything
from syncline.desk.reading import Viewer
from syncline.desk.running import jobs_run
from syncline.engine.flipping import OUTWARD
from syncline.engine.questions import ended
from syncline.errors import SyncError
from syncline.language import _
from syncline.ports import Alert, Changes, Entry, Link, LinkState, Mailbox, Seen
from syncline.store import FAILURE_STATES, Counts, Slice, Sliced

if TYPE_CHECKING:
    from syncline.wiring import App

KEPT_OUT = "KeptOut"
TO_CRM = "exchange_to_crm"
CLAIM_S = 10.0
LEASE_S = 60.0
OUTCOME_S = 60.0
POLL_S = 0.1


def listing(app: App, viewer: Viewer, *, mailbox: str | None = None, every: bool = False) -> list[FailureObject]:
    """Return all failures, see `page`."""
    return everything(lambda after: page(app, viewer, mailbox=mailbox, every=every, after=after, limit=PAGE))


def page(
    app: App,
    viewer: Viewer,
    *,
    mailbox: str | None = None,
    every: bool = False,
    after: int | None = None,
    limit: int = 200,
) -> Page[FailureObject, int]:
    """Return items with a sync error, newest first, questions too; `every` adds what was kept out or skipped (F-07)."""
    mailboxes = visible(app, viewer, mailbox)
    found = app.store.failures(list(mailboxes), everything=every, after=after, limit=limit)
    return Page(items=tuple(_object(viewer, link, mailboxes) for link in found.items), next=found.next)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One item of a table of failures: as people see it, where it belongs, and what fills the words of its error."""

    item: FailureObject
    link: Link
    mailbox: Mailbox
    params: Mapping[str, str]


def table(app: App, viewer: Viewer, wanted: Slice, mailbox: str | None = None) -> Sliced[Standing]:
    """Return a slice of the items that the viewer may see; words are looked for only in what he may read."""
    ids = within(app, viewer) if mailbox is None else frozenset({one(app, viewer, mailbox).id})
    found = app.store.failure_slice(replace(wanted, mailbox_ids=ids, readable=owned(app, viewer)))
    boxes = app.store.mailboxes_by_id({link.mailbox_id for link in found.items})
    rows = (
        Standing(
            item=_object(viewer, link, boxes),
            link=link,
            mailbox=boxes[link.mailbox_id],
            params=_params(app, viewer, link, boxes[link.mailbox_id]),
        )
        for link in found.items
    )
    return Sliced(tuple(rows), found.total)


def counts(app: App, viewer: Viewer, mailbox: str | None = None) -> Counts:
    """Return how many items stand in each state."""
    return app.store.counts(within(app, viewer) if mailbox is None else [one(app, viewer, mailbox).id])


def retry(app: App, viewer: Viewer, failure_id: int) -> FailureObject | None:
    """Try a failed item again now; return how it failed then, or None if it is synchronized."""
    link, mailbox = _found(app, viewer, failure_id)
    if link.state is not LinkState.FAILED:
        raise SyncError("InvalidRequest", detail=_("Only what failed can be tried again; a question wants an answer."))
    if not mailbox.enabled:
        raise SyncError("InvalidRequest", detail=_("%(address)s is not enabled.", address=mailbox.address))
    now = app.clock.now()
    # A person who tries again has looked: what changed back and forth before does not count any more.
    again = replace(link, retries=0, next_try=now, flips=0, flips_since=None)
    _write(app, mailbox, again, "retry", viewer)
    if jobs_run(app.data):
        app.store.wake(mailbox.id, now)
        app.worker.wake([mailbox.id])
        _wait(app, failure_id, mailbox)
    else:
        app.worker.run_now([mailbox.id])
    after = app.store.links_by_id([failure_id])
    still = bool(after) and after[0].state in FAILURE_STATES
    return _object(viewer, after[0], {mailbox.id: mailbox}) if still else None


def ignore(app: App, viewer: Viewer, failure_id: int) -> None:
    """Leave a failed item out until it changes on the side that it came from."""
    link, mailbox = _found(app, viewer, failure_id)
    if link.state is not LinkState.FAILED:
        raise SyncError("InvalidRequest", detail=_("Only what failed can be left out; a question wants an answer."))
    left = replace(link, state=LinkState.SKIPPED, next_try=None, revision_settled=link.revision, seen_settled=link.seen)
    if direction_of(link) == OUTWARD:
        left = replace(left, crm_settled=link.crm_version_seen)
    _write(app, mailbox, left, "ignored", viewer)


def code_of(link: Link) -> str:
    """Return the code that people see: what an answer keeps out has no error of its own any more (Q-04)."""
    if link.state in (LinkState.KEPT_OUT, LinkState.PARKED):
        return KEPT_OUT
    return link.sync_error or ""


def direction_of(link: Link) -> str:
    """Return which way an item did not go: a row without an item yet, and what failed on the way out, to Exchange."""
    outward = link.seen is Seen.ABSENT or link.error_params.get("direction") == OUTWARD
    return OUTWARD if outward else TO_CRM


def _params(app: App, viewer: Viewer, link: Link, mailbox: Mailbox) -> Mapping[str, str]:
    look = look_at(viewer, mailbox, private=link.private)
    return {"crm": app.settings.crm.name, **link.error_params, "subject": look.subject(link.subject)}


def _write(app: App, mailbox: Mailbox, link: Link, action: str, viewer: Viewer) -> None:
    """Write a link under a lease of our own, so that no cycle writes it at the same time."""
    end = time.monotonic() + CLAIM_S
    while True:
        now = app.clock.now()
        lease = app.store.claim(mailbox.id, "desk", now, LEASE_S)
        if lease is not None:
            break
        if time.monotonic() >= end:
            raise SyncError("MailboxHeld", mailbox=mailbox.address)
        time.sleep(POLL_S)
    due = app.store.mailbox(mailbox.id).next_due
    try:
        entry = Entry(time=now, mailbox_id=mailbox.id, link_id=link.id, action=action, detail=f"by {viewer.called}")
        alerts = [] if link.state is LinkState.FAILED else _withdrawn(app, link, now)
        app.store.write(lease, Changes(links=[link], entries=[entry], alerts=alerts))
    finally:
        app.store.release(lease, due, due)


def _withdrawn(app: App, link: Link, now: datetime) -> list[Alert]:
    """Return the alerts about an item that a person has left out, as withdrawn."""
    return [ended(each, "left out", now) for each in app.store.open_alerts(link.mailbox_id, [link.id])]


def _wait(app: App, failure_id: int, mailbox: Mailbox) -> None:
    end = time.monotonic() + OUTCOME_S
    while time.monotonic() < end:
        found = app.store.links_by_id([failure_id])
        if not found or found[0].state is not LinkState.FAILED or found[0].retries > 0:
            return
        time.sleep(POLL_S)
    raise SyncError("MailboxHeld", mailbox=mailbox.address)


def _found(app: App, viewer: Viewer, failure_id: int) -> tuple[Link, Mailbox]:
    links = app.store.links_by_id([failure_id])
    mailbox = app.store.mailbox(links[0].mailbox_id) if links else None
    if mailbox is None or not may_see(viewer, mailbox):
        raise SyncError("NotFoundHere", detail=f"failure {failure_id}")
    return links[0], mailbox


def _object(viewer: Viewer, link: Link, mailboxes: Mapping[int, Mailbox]) -> FailureObject:
    mailbox = mailboxes[link.mailbox_id]
    return FailureObject(
        id=link.id,
        mailbox=mailbox.address,
        subject=look_at(viewer, mailbox, private=link.private).subject(link.subject),
        sync_error=code_of(link),
        last_sync_error_time=link.error_time,
        retries=link.retries,
        direction=direction_of(link),
        state=FAILURE_STATES.get(link.state, "failed"),
    )
