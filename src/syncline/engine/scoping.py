"""Step 2 of a cycle, CRM side: which rows belong into this calendar by the sync filters, and which have left (1.11).

A row that a filter selects and that no link of the mailbox holds gets a link without an item: what becomes of it is
decided with the others. Whether a row has left its filters is told by marking its link, never by touching the item. It
decides nothing, and it must not know what filters say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from syncline.core import filters
from syncline.core.appointment import Identity, Status
from syncline.engine.rows import Rows, read_rows
from syncline.engine.run import Run, untroubled
from syncline.ports import Changes, CrmChange, CrmRow, Link, LinkState, Origin, Seen

READ_MAX = 500
ABSENT = "crm:"
"""Begins the ref of a link whose item is not made yet; the id of the row follows."""
UNSETTLED = -1
EARLIER = -2
"""As UNSETTLED, from before anything was written to the calendar: it goes over after a question and mails nobody."""
GONE_SINCE = -3
"""As EARLIER, of a row that was deleted after writing began: that deletion is an ordinary one."""
WAITS_SINCE_BEFORE = (EARLIER, GONE_SINCE)
_CLOSED = (Status.COMPLETED, Status.CANCELED)


def in_scope(run: Run, row: CrmRow) -> bool:
    """Return whether one of the user's filters selects the row."""
    return filters.selects(run.filters, _seen(run, row))


def newest(changes: Iterable[CrmChange]) -> Mapping[str, CrmChange]:
    """Return the newest entry of each row: a log may tell the same row twice, and not in order."""
    return {change.id: change for change in sorted(changes, key=lambda each: each.version)}


def observe_scope(run: Run, changes: Iterable[CrmChange]) -> None:
    """Give rows of a page of the change log that are selected and not linked yet a link without an item."""
    latest = newest(changes)
    known = run.store.rows_seen(run.mailbox.id, tuple(latest))
    _enter(run, [row_id for row_id, change in latest.items() if not change.gone and row_id not in known])


def apply_filters(run: Run) -> None:
    """Look at every row once, because the filters are new or the CRM's cursor is lost; nothing is deleted by this."""
    after = ""
    while ids := run.parts.crm.ids(after, READ_MAX):
        after = ids[-1]
        known = run.store.links_by_crm_id(run.mailbox.id, ids)
        linked = {link.crm_id for link in known}
        rows = read_rows(run.parts, [each for each in ids if each in linked])
        moved = [link for link in known if _has_moved(run, link, rows)]
        if moved:
            run.write(Changes(links=[replace(link, crm_settled=unsettled(link)) for link in moved]))
        _enter(run, [each for each in ids if each not in linked])
        run.keep()


def begin(run: Run) -> None:
    """Mark what waits for Exchange since before anything was written to this calendar (decision 0029)."""
    if run.rules.attachments is not None:
        run.write(Changes(files_anew=True))
    after = 0
    while links := run.store.waiting_links(run.mailbox.id, after, READ_MAX):
        after = links[-1].id
        run.write(Changes(links=[replace(link, crm_settled=EARLIER) for link in links]))
        run.keep()


def unsettled(link: Link) -> int:
    """Return the `crm_settled` of a link whose CRM side is still to be dealt with; what is from earlier stays so."""
    return link.crm_settled if link.crm_settled in WAITS_SINCE_BEFORE else UNSETTLED


def resumed(link: Link) -> int:
    """Return the `crm_settled` of a link that is looked at anew: what was withheld from Exchange is asked about."""
    return EARLIER if link.withheld is not None else unsettled(link)


def is_earlier(run: Run, link: Link) -> bool:
    """Return whether what waits for Exchange is from before anything was written to this calendar."""
    return run.begins or link.crm_settled in WAITS_SINCE_BEFORE


def filters_changed(run: Run) -> bool:
    """Return whether the filters are others than those that were applied to all rows."""
    return filters.digest(run.filters) != run.mailbox.filters


def _has_moved(run: Run, link: Link, rows: Rows) -> bool:
    """Return whether a row has entered or left; of one that cannot be read nobody knows, and it is looked at again."""
    row = rows.get(link.crm_id)
    moved = link.crm_id in rows.unread if row is None else in_scope(run, row) != link.in_scope
    return moved and link.origin is Origin.CRM


def _enter(run: Run, ids: Sequence[str]) -> None:
    for at in range(0, len(ids), READ_MAX):
        rows = read_rows(run.parts, ids[at : at + READ_MAX])
        fresh = [_absent(run, row) for row_id, row in rows.found.items() if row_id == row.id and in_scope(run, row)]
        fresh += [_unread(run, row_id) for row_id in rows.unread if run.filters]
        if fresh:
            run.write(Changes(links=fresh))


def absent(run: Run, row: CrmRow) -> tuple[Link, ...]:
    """Return the link without an item of a row that no link holds any more, if a filter selects it (1.11)."""
    return (_absent(run, row),) if run.outgoing and in_scope(run, row) else ()


def _absent(run: Run, row: CrmRow) -> Link:
    return Link(
        mailbox_id=run.mailbox.id,
        ref=ABSENT + row.id,
        identity=row.appointment.identity,
        subject=row.appointment.subject,
        private=row.appointment.private,
        seen=Seen.ABSENT,
        seen_settled=Seen.ABSENT,
        revision_settled="",
        crm_id=row.id,
        crm_version=row.version,
        crm_version_seen=row.version,
        crm_settled=UNSETTLED,
        origin=Origin.CRM,
        in_scope=True,
        first_seen=run.now(),
        created_order=row.appointment.created,
    )


def _unread(run: Run, row_id: str) -> Link:
    """Return the link of a row that cannot be read, so that it is tried again; whether it belongs here shows then."""
    return Link(
        mailbox_id=run.mailbox.id,
        ref=ABSENT + row_id,
        identity=Identity(ABSENT + row_id),
        seen=Seen.ABSENT,
        seen_settled=Seen.ABSENT,
        revision_settled="",
        crm_id=row_id,
        crm_settled=UNSETTLED,
        origin=Origin.CRM,
        first_seen=run.now(),
    )


def named(link: Link, row: CrmRow | None) -> Link:
    """Return the link of a row without an item as the row is called; it may not have been readable before."""
    if row is None or link.identity != Identity(link.ref):
        return link
    content = row.appointment
    known = replace(link, identity=content.identity, subject=content.subject, private=content.private)
    return replace(known, crm_version=row.version, crm_version_seen=row.version, created_order=content.created)


def released(link: Link) -> bool:
    """Return whether Syncline untracked the item, its row having left the filters, and nobody has tracked it since.

    What a person untracks has no link any more, and what a No to a guard leaves untracked is settled (A-35).
    """
    untracked = link.seen_settled is Seen.UNTRACKED and link.seen is not Seen.PRESENT
    return untracked and not link.in_scope and link.origin is Origin.CRM and link.state is not LinkState.SETTLED


def anew(link: Link) -> Link:
    """Return the link of a released item that is gone: a row without an item, which is looked at again."""
    return replace(
        untroubled(link),
        ref=ABSENT + (link.crm_id or ""),
        folder="",
        seen=Seen.ABSENT,
        seen_settled=Seen.ABSENT,
        revision="",
        revision_settled="",
        observed=None,
        digest="",
        agreed=None,
        state=LinkState.UNSETTLED,
        crm_settled=resumed(link),
        withheld=None,
        left_out=(),
    )


def given_away(run: Run, link: Link, row: CrmRow | None) -> Link | None:
    """Return the link of an open row whose item was deleted here because of its new organizer, if a filter selects it.

    Else nothing would say why it is not in this calendar, nor look for its invitation (A-14, A-02).
    """
    if row is None or link.crm_id != row.id or row.status in _CLOSED or not in_scope(run, row):
        return None
    return replace(anew(link), origin=Origin.CRM, in_scope=True, crm_settled=UNSETTLED, doubted=False)


def _seen(run: Run, row: CrmRow) -> filters.Seen:
    return filters.Seen(
        appointment=row.appointment,
        status=row.status,
        owner=row.owner,
        user=run.mailbox.user,
        addresses=run.people.own,
    )
