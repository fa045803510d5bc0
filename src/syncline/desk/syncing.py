"""Synchronize now: by the worker of this process, or handed to the server that runs on the same data folder.

Handing over means making the mailbox due and waiting until a cycle has ended since; what that cycle did is read from
the state. It must not know what a cycle does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from syncline.core.appointment import Identity
from syncline.desk import plans
from syncline.desk.erring import error_of
from syncline.desk.finding import one, visible
from syncline.desk.mailboxes import show
from syncline.desk.objects import LinkObject, MailboxObject, SyncedMailbox, SyncReport
from syncline.desk.reading import Viewer, require_administrator
from syncline.desk.reports import link_object
from syncline.desk.running import jobs_run
from syncline.desk.versions import When, in_utc
from syncline.engine.cycle import CycleResult
from syncline.engine.questions import CONFLICT
from syncline.engine.run import Counts
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.ports import Mailbox

if TYPE_CHECKING:
    from syncline.wiring import App

Result = TypeVar("Result")
WAIT_S = 60.0
CYCLE_MAX_S = 3600.0
POLL_S = 0.1
COUNTED = ("saved", "updated", "deleted", "waiting", "skipped", "failed")


def sync(app: App, viewer: Viewer, keys: Sequence[str], *, dry_run: bool = False, wait_s: float = WAIT_S) -> SyncReport:
    """Synchronize these mailboxes (none: all that are enabled and visible) to the end of every cursor.

    `wait_s` is how long to wait for a mailbox that another process holds; then its error is MailboxHeld.
    """
    if dry_run:
        require_administrator(viewer, noted("look at a plan"))
    wanted = [one(app, viewer, key) for key in keys]
    if not keys:
        wanted = [mailbox for mailbox in visible(app, viewer).values() if mailbox.enabled]
    for mailbox in wanted:
        if not mailbox.enabled and not dry_run:
            raise SyncError(
                "InvalidRequest", detail=_("%(address)s is not enabled: test it first.", address=mailbox.address)
            )
    if dry_run:
        results = [_until_claimed(app, mailbox, wait_s, dry_run=True) for mailbox in wanted]
    elif jobs_run(app.data):
        results = _handed_over(app, wanted, wait_s)
    else:
        results = [_until_claimed(app, mailbox, wait_s, dry_run=False) for mailbox in wanted]
    synced = tuple(
        _synced(app, viewer, mailbox, result, in_utc) for mailbox, result in zip(wanted, results, strict=True)
    )
    totals = {name: sum(getattr(each, name) for each in synced) for name in COUNTED}
    return SyncReport(mailboxes=synced, **totals)


def preview(app: App, viewer: Viewer, key: str, when: When = in_utc, wait_s: float = WAIT_S) -> SyncedMailbox:
    """Return what a sync of one mailbox would do to either side, and write nothing; `when` words the times of fields.

    Raises SyncError: NotAllowed, NotFoundHere.
    """
    require_administrator(viewer, noted("look at a plan"))
    mailbox = one(app, viewer, key)
    return _synced(app, viewer, mailbox, _until_claimed(app, mailbox, wait_s, dry_run=True), when)


def wake(app: App, viewer: Viewer, key: str) -> MailboxObject:
    """Make an enabled mailbox due now and return it."""
    mailbox = one(app, viewer, key)
    if not mailbox.enabled:
        raise SyncError(
            "InvalidRequest", detail=_("%(address)s is not enabled: test it first.", address=mailbox.address)
        )
    app.store.wake(mailbox.id, app.clock.now())
    app.worker.wake([mailbox.id])
    return show(app, viewer, key)


def track(app: App, viewer: Viewer, key: str, identity: Identity) -> LinkObject:
    """Track an item of a mailbox now, whatever it overlaps (A-24); waits while a cycle of the mailbox runs."""
    mailbox = one(app, viewer, key)
    if not mailbox.enabled:
        raise SyncError(
            "InvalidRequest", detail=_("%(address)s is not enabled: test it first.", address=mailbox.address)
        )
    return link_object(_when_free(lambda: app.worker.track(mailbox.id, identity, viewer.called)), mailbox)


def untrack(app: App, viewer: Viewer, key: str, identity: Identity) -> None:
    """Cut the link of an item that was tracked by `track`; the row stays (L-12)."""
    mailbox = one(app, viewer, key)
    _when_free(lambda: app.worker.untrack(mailbox.id, identity, viewer.called))


def _when_free(work: Callable[[], Result]) -> Result:
    """Do something that claims a mailbox; wait while a cycle of the mailbox runs."""
    end = time.monotonic() + WAIT_S
    while True:
        try:
            return work()
        except SyncError as error:
            if error.code != "MailboxHeld" or time.monotonic() >= end:
                raise
        time.sleep(POLL_S)


def _until_claimed(app: App, mailbox: Mailbox, wait_s: float, *, dry_run: bool) -> CycleResult:
    """Run a mailbox here; wait while a living process holds it."""
    end = time.monotonic() + wait_s
    while True:
        result = app.worker.dry_run(mailbox.id) if dry_run else app.worker.run_now([mailbox.id])[0]
        if result.claimed:
            return result
        if time.monotonic() >= end:
            return CycleResult(
                mailbox_id=mailbox.id, claimed=False, error=SyncError("MailboxHeld", mailbox=mailbox.address)
            )
        time.sleep(POLL_S)


def _handed_over(app: App, wanted: Sequence[Mailbox], wait_s: float) -> list[CycleResult]:
    """Let the running server do it, and read what its cycles did."""
    asked = app.clock.now()
    before = {mailbox.id: app.store.last_cycle_id(mailbox.id) for mailbox in wanted}
    for mailbox in wanted:
        app.store.wake(mailbox.id, asked)
    return [_awaited(app, mailbox, before[mailbox.id], asked, wait_s) for mailbox in wanted]


def _awaited(app: App, mailbox: Mailbox, before: int, asked: datetime, wait_s: float) -> CycleResult:
    """Wait for a cycle that began after it was asked for; a long one may take its time once it runs."""
    begun, patience = time.monotonic(), wait_s
    while time.monotonic() - begun < patience:
        row = app.store.mailbox(mailbox.id)
        if row.last_error is not None and row.last_error_time is not None and row.last_error_time >= asked:
            return CycleResult(mailbox_id=mailbox.id, counts=_counted(app, mailbox, before), error=error_of(app, row))
        # A cycle gives the mailbox back before its figures are kept, so both are waited for.
        ended = app.store.cycles_since(mailbox.id, before)
        begun_since = [each.started for each in ended if each.started >= asked]
        # A cycle that only carried out answers leaves the time of the last whole one as it was.
        whole = row.last_sync is not None and any(started <= row.last_sync for started in begun_since)
        if app.store.holder(mailbox.id, app.clock.now()) is not None:
            patience = CYCLE_MAX_S
        elif whole:
            return CycleResult(mailbox_id=mailbox.id, counts=_counted(app, mailbox, before))
        elif ended and not begun_since:
            # The one that ended had begun before, and may have taken the request as its own.
            app.store.wake(mailbox.id, asked)
        time.sleep(POLL_S)
    return CycleResult(mailbox_id=mailbox.id, claimed=False, error=SyncError("MailboxHeld", mailbox=mailbox.address))


def _counted(app: App, mailbox: Mailbox, before: int) -> Counts:
    """Add up what the cycles that ended since did."""
    ended = app.store.cycles_since(mailbox.id, before)
    return Counts(**{name: sum(getattr(cycle, name) for cycle in ended) for name in COUNTED})


def _synced(app: App, viewer: Viewer, mailbox: Mailbox, result: CycleResult, when: When) -> SyncedMailbox:
    counts = {name: getattr(result.counts, name) for name in COUNTED}
    # What waits is a state, not an event: a question asked yesterday still waits.
    counts["waiting"] = len(app.store.question_ids(mailbox.id, CONFLICT))
    plan = plans.planned(viewer, mailbox, result.plan, when)
    return SyncedMailbox(
        mailbox=mailbox.address,
        error=result.error.code if result.error else None,
        text=result.error.text if result.error else None,
        plan=plan,
        mailed=plans.mailed(plan),
        **counts,
    )
