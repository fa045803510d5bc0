"""The trash: what deletions have removed, and how people bring it back.

Whose mailbox it was sees and restores it, and a System Administrator; what is private is masked for everybody but the
owner. Restoring enters the content in the CRM as a new appointment; from there it is synchronized like any other. It
must not know how it reaches Exchange.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Kind
from syncline.core.merging import PrivatePolicy, project
from syncline.desk.alerts import look_at
from syncline.desk.appointments import Written, show, written
from syncline.desk.finding import may_see, one, owned, visible, within
from syncline.desk.objects import TrashObject
from syncline.desk.paging import PAGE, Page, everything
from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.ports import Mailbox, Origin, Outcome, Result, Trashed
from syncline.store import Slice, Sliced

if TYPE_CHECKING:
    from syncline.wiring import App

WHY: Mapping[tuple[Origin, str], str] = {
    (Origin.CRM, "deleted"): noted("Deleted in Outlook, so it was deleted in {crm}."),
    (Origin.EXCHANGE, "deleted"): noted("Deleted in {crm}, so it was deleted in Outlook."),
    (Origin.CRM, "edited"): noted("Edited in {crm} while it was deleted in Outlook: the deletion counted."),
    (Origin.EXCHANGE, "edited"): noted("Edited in Outlook while it was deleted in {crm}: the deletion counted."),
}
"""What happened to an entry, by the side on which its content stood and by why it went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One entry of a table of the trash: as people see it, and where it belongs."""

    item: TrashObject
    mailbox_id: int


def listing(app: App, viewer: Viewer, *, mailbox: str | None = None, words: str = "") -> list[TrashObject]:
    """Return the whole trash, see `page`."""
    return everything(lambda after: page(app, viewer, mailbox=mailbox, words=words, after=after, limit=PAGE))


def page(
    app: App,
    viewer: Viewer,
    *,
    mailbox: str | None = None,
    words: str = "",
    after: int | None = None,
    limit: int = 200,
) -> Page[TrashObject, int]:
    """Return what was deleted and is kept, newest first, restored or not; `words` of subjects that may be read."""
    mailboxes = visible(app, viewer, mailbox)
    found = app.store.trash_page(
        list(mailboxes),
        since=app.settings.trash.since(app.clock.now()),
        words=words.strip(),
        readable=owned(app, viewer),
        after=after,
        limit=limit,
    )
    items = tuple(_object(app, viewer, each, mailboxes[each.mailbox_id]) for each in found.items)
    return Page(items=items, next=found.next)


def table(app: App, viewer: Viewer, wanted: Slice, mailbox: str | None = None) -> Sliced[Standing]:
    """Return a slice of the entries that the viewer may see."""
    ids = within(app, viewer) if mailbox is None else frozenset({one(app, viewer, mailbox).id})
    since = app.settings.trash.since(app.clock.now())
    found = app.store.trash_slice(replace(wanted, mailbox_ids=ids, readable=owned(app, viewer)), since)
    boxes = app.store.mailboxes_by_id({each.mailbox_id for each in found.items})
    rows = (
        Standing(item=_object(app, viewer, each, boxes[each.mailbox_id]), mailbox_id=each.mailbox_id)
        for each in found.items
    )
    return Sliced(tuple(rows), found.total)


def entry(app: App, viewer: Viewer, trash_id: int) -> TrashObject:
    """Return one entry; SyncError("NotFoundHere") if the viewer may not see it or it is kept no longer."""
    found, mailbox = _found(app, viewer, trash_id)
    return _object(app, viewer, found, mailbox)


def named(app: App, viewer: Viewer, words: str, limit: int) -> list[TrashObject]:
    """Return the entries whose ids or subject fit; who may only read the times does not find one by its subject."""
    mine, since = within(app, viewer), app.settings.trash.since(app.clock.now())
    found = app.store.find_trashed(words, limit, since=since, mailbox_ids=mine)
    boxes = app.store.mailboxes_by_id({each.mailbox_id for each in found})
    return [
        _object(app, viewer, each, boxes[each.mailbox_id])
        for each in found
        if words in (each.appointment.identity.global_object_id, each.restored_as, str(each.id))
        or not look_at(viewer, boxes[each.mailbox_id], private=_private(each)).masked
    ]


def restore(app: App, viewer: Viewer, trash_id: int, *, ignore_conflicts: bool = False) -> Written:
    """Enter the content of an entry in the CRM again, as a new appointment, checked like any other; nobody is mailed.

    Its mailbox is woken: where the CRM's changes go to Outlook, the next cycle makes it there, and invites by its plan.
    Somebody unavailable is in `Written.refused`, and nothing was written. The new row's id is stored before the row is
    there: whoever repeats this, or does it at the same time, finds that row and makes no second one.
    SyncError("AlreadyRestored") if it was restored before.
    """
    found, mailbox = _found(app, viewer, trash_id)
    if found.restored_on is not None:
        raise _restored_already(found)
    row_id = app.store.promise_row(found.id, str(uuid4()))
    outcome = app.crm.create(
        _anew(app, found.appointment),
        by_user=mailbox.user,
        row_id=row_id,
        ignore_conflicts=ignore_conflicts,
        policy=app.settings.conflict.policy(),
    )
    if outcome.result in (Result.SAVED, Result.EXISTS):
        if not app.store.mark_restored(found.id, viewer.called, app.clock.now()):
            raise _restored_already(_found(app, viewer, trash_id)[0])
        _wake(app, mailbox, found.appointment)
        return Written(appointment=show(app, viewer, row_id))
    subject = look_at(viewer, mailbox, private=_private(found)).subject(found.appointment.subject)
    return written(app, viewer, _masked(outcome, subject), row_id, subject)


def _wake(app: App, mailbox: Mailbox, content: Appointment) -> None:
    """Run the mailbox soon, and that of the organizer, who alone makes it in Outlook (A-02)."""
    organizer = content.organizer.address.lower() if content.organizer is not None else ""
    enabled = (each for each in app.store.mailboxes() if each.enabled)
    mine = [each.id for each in enabled if each.id == mailbox.id or each.address == organizer]
    for mailbox_id in mine:
        app.store.wake(mailbox_id, app.clock.now())
    app.worker.wake(mine)


def _anew(app: App, content: Appointment) -> Appointment:
    """Return content as a new appointment of the CRM: whole, but with an identity that nothing has ever had.

    The calendar server knows the old one as deleted, and would take a new item with it for the old (hard-problems 15).
    """
    name = str(uuid4())
    importing = PrivatePolicy(app.settings.private.policy) is PrivatePolicy.IMPORT
    held = project(content, PrivatePolicy.IMPORT if importing else PrivatePolicy.MASK)
    exceptions = (
        replace(each, identity=Identity(name, each.identity.original_start), created=None) for each in held.exceptions
    )
    return replace(held, identity=Identity(name), exceptions=tuple(exceptions), created=None)


def _masked(outcome: Outcome, subject: str) -> Outcome:
    """Return an outcome whose error tells the subject as it may be read."""
    error = outcome.error
    if error is None or "subject" not in error.params:
        return outcome
    told = {**error.params, "subject": subject}
    return replace(outcome, error=SyncError(error.code, retry_after_s=None, ref=None, **told))


def _restored_already(found: Trashed) -> SyncError:
    assert found.restored_on is not None
    at = f"{found.restored_on:%Y-%m-%d %H:%M}"
    said = _("%(name)s restored it on %(time)s UTC.", name=found.restored_by or "", time=at)
    return SyncError("AlreadyRestored", detail=said)


def _found(app: App, viewer: Viewer, trash_id: int) -> tuple[Trashed, Mailbox]:
    found = app.store.trashed(trash_id, app.settings.trash.since(app.clock.now()))
    mailbox = app.store.mailbox(found.mailbox_id)
    if not may_see(viewer, mailbox):
        raise SyncError("NotFoundHere", detail=f"trash entry {trash_id}")
    return found, mailbox


def _private(found: Trashed) -> bool:
    return found.private or found.appointment.private


def _object(app: App, viewer: Viewer, found: Trashed, mailbox: Mailbox) -> TrashObject:
    content = found.appointment
    look = look_at(viewer, mailbox, private=_private(found))
    alone = Kind.SINGLE if content.identity.original_start is None else Kind.EXCEPTION
    kind = alone if content.recurrence is None else Kind.SERIES
    return TrashObject(
        id=found.id,
        mailbox=mailbox.address,
        subject=look.subject(content.subject),
        kind=kind.value,
        start=content.span.start,
        end=content.span.end,
        all_day=content.span.all_day,
        private=_private(found),
        side=found.side.value,
        reason=found.reason,
        text=_(WHY[found.side, found.reason]).format(crm=app.settings.crm.name),
        deleted_on=found.deleted_on,
        kept_until=found.deleted_on + timedelta(days=app.settings.trash.keep_days),
        restored_on=found.restored_on,
        restored_by=found.restored_by,
        appointment_id=found.restored_as if found.restored_on is not None else None,
    )
