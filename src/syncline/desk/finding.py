"""Mailboxes as somebody names them, and only those that he may see.

A System Administrator sees every mailbox, a User his own: what he may not see does not exist for him.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.ports import Mailbox

if TYPE_CHECKING:
    from syncline.wiring import App


def visible(app: App, viewer: Viewer, key: str | None = None) -> Mapping[int, Mailbox]:
    """Return the mailboxes that the viewer may see, by id; with `key` (id or address) that one only."""
    if key is not None:
        mailbox = one(app, viewer, key)
        return {mailbox.id: mailbox}
    return {mailbox.id: mailbox for mailbox in app.store.mailboxes() if may_see(viewer, mailbox)}


def one(app: App, viewer: Viewer, key: str) -> Mailbox:
    """Return a mailbox by id or address; SyncError("NotFoundHere") if there is none that the viewer may see."""
    wanted = key.strip()
    digits = wanted.isascii() and wanted.isdigit() and len(wanted) < 10
    mailbox = app.store.mailbox(int(wanted)) if digits else app.store.mailbox_by_address(wanted)
    if not may_see(viewer, mailbox):
        raise SyncError("NotFoundHere", detail=f"mailbox {wanted}")
    return mailbox


def may_see(viewer: Viewer, mailbox: Mailbox) -> bool:
    """Return whether the viewer may see a mailbox with its alerts and failures."""
    return viewer.administrator or viewer.among((mailbox.user,))


def within(app: App, viewer: Viewer) -> frozenset[int] | None:
    """Return the numbers of the mailboxes that the viewer may see; None is every one, without a look at any."""
    return None if viewer.administrator else app.store.mailbox_ids_of(_names(viewer))


def owned(app: App, viewer: Viewer) -> frozenset[int]:
    """Return the numbers of the viewer's own mailboxes: in them he reads what is private, too."""
    return app.store.mailbox_ids_of(_names(viewer), addresses=True)


def _names(viewer: Viewer) -> frozenset[str]:
    return viewer.emails | {viewer.name.lower()}
