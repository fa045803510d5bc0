"""The life of a mailbox: approval, test and enable, back-off after failures, the next due time.

What a failure or a success changes is pure (`after_failure`, `after_success`, `next_due_after`); what people do goes
through `ports.Mailboxes`, one transaction each. It must not know how a calendar is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from syncline.engine.organization import claim
from syncline.engine.run import Connect
from syncline.errors import CATALOGUE, OF_MAILS, OF_WEBHOOKS, ErrorClass, Scope, SyncError
from syncline.ports import (
    Alert,
    AlertState,
    Approval,
    Category,
    Clock,
    Folder,
    Mailbox,
    Mailboxes,
    OrganizationMark,
    Replica,
    TestState,
)

TRANSIENT_MAX = 10
TRANSIENT_RETRY_S = 300.0
SHORT_WAIT_S = 60.0


class Failure(Struct, frozen=True, gc=False, kw_only=True):
    """What the failure of a mailbox changes: its row, when it is due next (None: never), whether it is switched off.

    `alert` is new, or the open one of the same code counted once more (AL-10); None when nobody needs to know.
    """

    mailbox: Mailbox
    next_due: datetime | None
    disable: bool = False
    alert: Alert | None = None


# --- what a cycle leaves behind ----------------------------------------------------------------------------------


def after_failure(mailbox: Mailbox, error: SyncError, now: datetime, alerts: Sequence[Alert] = ()) -> Failure:
    """Return what a failure of the whole mailbox changes (B-01 to B-07, 5.6); `alerts` are its open ones.

    What is wrong with the installation, such as a full disk, is no fault of the mailbox: it is tried again and never
    switched off for it.
    """
    noted = replace(mailbox, last_error=error.code, last_error_text=error.text, last_error_time=now)
    kind = error.row.error_class
    if kind is ErrorClass.THROTTLED:
        wait = SHORT_WAIT_S if error.retry_after_s is None else error.retry_after_s
        return Failure(mailbox=mailbox, next_due=now + timedelta(seconds=wait))
    if kind is ErrorClass.WILL_RETRY and error.row.scope is Scope.MAILBOX:
        return Failure(mailbox=mailbox, next_due=now + timedelta(seconds=SHORT_WAIT_S))
    alert = _counted(mailbox, error, now, alerts)
    if error.row.scope is Scope.SYSTEM:
        return Failure(mailbox=noted, next_due=now + timedelta(seconds=TRANSIENT_RETRY_S), alert=alert)
    if kind is ErrorClass.PERMANENT:
        return Failure(mailbox=noted, next_due=None, disable=True, alert=alert)
    tries = mailbox.transient_failures + 1
    counted = replace(noted, transient_failures=tries)
    if tries >= TRANSIENT_MAX:
        return Failure(mailbox=counted, next_due=None, disable=True, alert=alert)
    wait = TRANSIENT_RETRY_S if error.retry_after_s is None else error.retry_after_s
    return Failure(mailbox=counted, next_due=now + timedelta(seconds=wait), alert=alert)


def after_success(mailbox: Mailbox, now: datetime, *, worked: bool) -> Mailbox:
    """Return the mailbox after a whole cycle: failures forgotten (B-06), idle cycles counted (S-06)."""
    return replace(
        mailbox,
        last_sync=now,
        last_error=None,
        last_error_text="",
        last_error_time=None,
        transient_failures=0,
        idle_cycles=0 if worked else mailbox.idle_cycles + 1,
    )


def withdrawn_notices(alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """Return the open notices about the mailbox itself, withdrawn because a cycle succeeded.

    Of mails and messages about its questions a cycle says nothing: those notices stay until one has been sent.
    """
    return [
        replace(each, state=AlertState.WITHDRAWN, reason="It works again.", last_seen=now)
        for each in alerts
        if each.link_id is None and not each.held and each.state is AlertState.OPEN and _notice(each)
        if each.code not in (*OF_MAILS, *OF_WEBHOOKS)
    ]


def next_due_after(mailbox: Mailbox, now: datetime, *, min_s: float, step_s: float, max_s: float) -> datetime:
    """Return when a mailbox is due after a cycle that ended `now` (S-01, S-06): later with every idle cycle."""
    return now + timedelta(seconds=min(max_s, min_s + mailbox.idle_cycles * step_s))


def _notice(alert: Alert) -> bool:
    return CATALOGUE[alert.code].error_class is not ErrorClass.NEEDS_ANSWER


def _counted(mailbox: Mailbox, error: SyncError, now: datetime, alerts: Sequence[Alert]) -> Alert:
    params = {"mailbox": mailbox.address, **error.params}
    for each in alerts:
        if each.code == error.code and each.link_id is None and each.state is AlertState.OPEN:
            return replace(each, params=params, last_seen=now, count=each.count + 1)
    return Alert(mailbox_id=mailbox.id, code=error.code, params=params, created=now, last_seen=now)


# --- what people do ----------------------------------------------------------------------------------------------


def approve(store: Mailboxes, clock: Clock, mailbox_id: int, by: str) -> Mailbox:
    """Approve the address of a mailbox; who and when are kept (AP-05)."""
    now = clock.now()
    return store.change_mailbox(
        mailbox_id, lambda old: replace(old, approval=Approval.APPROVED, approved_by=by, approved_on=now)
    )


def reject(store: Mailboxes, mailbox_id: int) -> Mailbox:
    """Reject the address of a mailbox: it stops at once, and who approved it is forgotten (2.3)."""
    return store.change_mailbox(
        mailbox_id,
        lambda old: replace(old, approval=Approval.REJECTED, approved_by=None, approved_on=None, enabled=False),
    )


def enable(store: Mailboxes, clock: Clock, mailbox_id: int) -> Mailbox:
    """Switch a tested mailbox on; it is due at once.

    Raises SyncError("MailboxNotApproved") or, before a successful test, SyncError("InvalidRequest") (M-02, M-03).
    """
    now = clock.now()

    def change(old: Mailbox) -> Mailbox:
        _require_approval(old)
        if old.test is not TestState.SUCCESS:
            raise SyncError("InvalidRequest", detail=f"{old.address} has not passed Test and enable.")
        return replace(old, enabled=True, next_due=now, transient_failures=0)

    return store.change_mailbox(mailbox_id, change)


def disable(store: Mailboxes, mailbox_id: int) -> Mailbox:
    """Switch a mailbox off; its links, questions and answers stay."""
    return store.change_mailbox(mailbox_id, lambda old: replace(old, enabled=False))


def test_and_enable(
    store: Mailboxes,
    connect: Connect,
    clock: Clock,
    mailbox_id: int,
    *,
    crm_name: str,
    writes: bool,
    take_over: bool = False,
    enable: bool = True,
) -> Mailbox:
    """Test a mailbox for real and switch it on if every step succeeds (T-02, T-06, T-07); without `enable` only test.

    Steps: address resolves, sign-in, calendar readable, category list readable, the calendar's first page can be
    asked for, no other installation keeps it in step. The last one leaves our mark, which names `crm_name`, and with
    `take_over` puts it over somebody else's (T-05); where Syncline `writes` nothing to Exchange it only looks. A
    failing step is stored on the mailbox, opens an alert, and is raised; a permanent one switches it off.
    """
    mailbox = store.mailbox(mailbox_id)
    try:
        _require_approval(mailbox)
        mine = OrganizationMark(installation=store.installation(), crm_name=crm_name, since=clock.now())
        writes = writes and not store.profile(mailbox.profile_id).read_only
        with closing(connect(mailbox)) as replica:
            folders, categories = _probed(replica, mailbox)
            claim(replica, mailbox, mine, writes=writes, take_over=take_over)
    except SyncError as error:
        _store_failed_test(store, mailbox, error, clock.now())
        raise
    now = clock.now()
    tested = store.change_mailbox(mailbox_id, lambda old: _passed(old, folders, categories, now, enable=enable))
    store.withdraw_notices(mailbox_id, "Test and enable succeeded.")
    return tested


def _require_approval(mailbox: Mailbox) -> None:
    if mailbox.approval is not Approval.APPROVED:
        raise SyncError("MailboxNotApproved", mailbox=mailbox.address)


def _probed(replica: Replica, mailbox: Mailbox) -> tuple[tuple[Folder, ...], tuple[Category, ...]]:
    replica.probe()
    folders = replica.folders()
    main = next((folder for folder in folders if folder.main), None)
    if main is None:
        raise SyncError("CalendarUnreadable", mailbox=mailbox.address, detail="there is no calendar folder")
    replica.changes(main.ref, None, 1)
    return folders, replica.categories()


def _passed(
    old: Mailbox, folders: tuple[Folder, ...], categories: tuple[Category, ...], now: datetime, *, enable: bool
) -> Mailbox:
    """A known category keeps every name it has had (L-04a); the next cycle reads folders and categories again."""
    names = [each.name for each in categories if each.id == old.category_id]
    return replace(
        old,
        test=TestState.SUCCESS,
        tested_on=now,
        enabled=old.enabled or enable,
        next_due=now,
        folders=folders,
        hierarchy_due=None,
        tracking=tuple(dict.fromkeys((*old.tracking, *names))),
        last_error=None,
        last_error_text="",
        last_error_time=None,
        transient_failures=0,
        idle_cycles=0,
    )


def _store_failed_test(store: Mailboxes, mailbox: Mailbox, error: SyncError, now: datetime) -> None:
    def change(old: Mailbox) -> Mailbox:
        return replace(
            old,
            test=TestState.FAILURE,
            tested_on=now,
            enabled=old.enabled and error.row.error_class is not ErrorClass.PERMANENT,
            last_error=error.code,
            last_error_text=error.text,
            last_error_time=now,
        )

    changed = store.change_mailbox(mailbox.id, change)
    store.report(_counted(changed, error, now, ()))
