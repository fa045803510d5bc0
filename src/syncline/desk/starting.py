"""The set-up of an empty installation, step by step: profile, mailbox, test, preview, first sync.

Where somebody stands follows from what there is, so that he may stop and go on at any time, in any window. It must not
know pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncline.desk import mailboxes
from syncline.desk.finding import one
from syncline.desk.reading import Viewer, require_administrator
from syncline.language import noted
from syncline.ports import Approval, Mailbox, TestState

if TYPE_CHECKING:
    from syncline.wiring import App

STEPS = ("profile", "mailbox", "test", "preview", "sync", "done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the set-up stands: the step that comes next, and what there is so far."""

    step: str
    mailbox: Mailbox | None = None


def standing(app: App, viewer: Viewer, key: str = "") -> Standing:
    """Return where the set-up stands: of the mailbox named, else of the newest that has never been synchronized."""
    require_administrator(viewer, noted("set Syncline up"))
    mailbox = one(app, viewer, key) if key else app.store.newest_mailbox()
    if mailbox is not None:
        return Standing(step=_step(mailbox), mailbox=mailbox)
    return Standing(step="mailbox" if app.store.profiles() else "profile")


def add_mailbox(app: App, viewer: Viewer, new: mailboxes.NewMailbox) -> Mailbox:
    """Add a mailbox and approve its address: who adds it here answers for it."""
    added = mailboxes.add(app, viewer, new)
    approve(app, viewer, str(added.id))
    return app.store.mailbox(added.id)


def approve(app: App, viewer: Viewer, key: str) -> None:
    """Approve the address of a mailbox unless that has been done."""
    if one(app, viewer, key).approval is not Approval.APPROVED:
        mailboxes.approve(app, viewer, key)


def _step(mailbox: Mailbox) -> str:
    if mailbox.first_sync_done:
        return "done"
    if mailbox.enabled:
        return "sync"
    tested = mailbox.approval is Approval.APPROVED and mailbox.test is TestState.SUCCESS
    return "preview" if tested else "test"
