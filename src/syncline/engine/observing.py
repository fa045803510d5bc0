"""Step 2 of a cycle: observe both sides since their cursors and stage what they told in the links.

What is staged and the cursor that covers it are one transaction, so a crash re-reads nothing and loses nothing. A new
revision with the same essence is a refresh and costs no plan. It decides nothing about the CRM side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Status
from syncline.core.leaving_out import still_left_out, without
from syncline.core.merging import canonical, differences
from syncline.core.scheduling import Person
from syncline.engine.boundary import contain, item_error
from syncline.engine.noticing import noticed
from syncline.engine.rows import Rows, read_rows
from syncline.engine.run import Run, failed, notice
from syncline.engine.scoping import (
    EARLIER,
    GONE_SINCE,
    apply_filters,
    begin,
    filters_changed,
    newest,
    observe_scope,
    unsettled,
)
from syncline.errors import Scope, SyncError, render
from syncline.ports import (
    Alert,
    Changes,
    CrmChange,
    CrmPage,
    CrmRow,
    Entry,
    Folder,
    Light,
    Link,
    LinkState,
    Mailbox,
    Observed,
    Page,
    Seen,
    Track,
)

UNREAD = "unread:"
CRM_PAGE_MAX = 1000
WRITER = "syncline"


class Essence(Struct, frozen=True, gc=False):
    """What of an item a plan depends on: the projected content and the busy people."""

    content: Appointment
    busy: tuple[Person, ...]


def observe_exchange(run: Run, between: Callable[[Run], None]) -> None:
    """Read every calendar folder from its cursor to the end and stage what is tracked (L-02, L-03).

    `between` is called after each page, so that an answer need not wait for a long first sync.
    """
    _refresh_hierarchy(run)
    for folder in run.mailbox.folders:
        _observe_folder(run, folder, between)


def observe_items(run: Run, links: Sequence[Link]) -> frozenset[int]:
    """Read just these items again and stage them; cursors stay (narrow cycle).

    Returns the links whose item is still there and tracked. What left is told by its folder's changes, with a search
    for where it went, so it is not staged here.
    """
    now_there = [link for link in links if link.seen is Seen.PRESENT]
    read = _read(run, [(link.folder, link.ref) for link in now_there])
    living = [(link, found) for link, found in zip(now_there, read, strict=True) if _still_tracked(run, link, found)]
    staged = [_staged(run, link, found) for link, found in living if found is not None]
    if staged:
        run.write(_staging(run, [link for link, _ in staged], [alert for _, alert in staged]))
    return frozenset(link.id for link, _ in living)


def observe_crm(run: Run, between: Callable[[Run], None]) -> None:
    """Read the CRM's change log from its cursor and note which linked rows moved; own writes cost nothing.

    `between` is called after each page, as in `observe_exchange`.

    The cursor itself is stored when the cycle is done: that something moved must make waiting questions be looked at
    again (Q-05), and a crash in between would forget it.
    """
    run.crm_cursor = run.mailbox.crm_cursor
    while True:
        page = _crm_page(run)
        run.crm_cursor = page.cursor
        if page.changes:
            run.crm_moved = True
            links, entries = _crm_observations(run, page.changes)
            if links:
                run.write(Changes(links=links, entries=entries))
            if run.outgoing:
                observe_scope(run, page.changes)
        if not page.more:
            break
        between(run)
    if run.mailbox.crm_cursor is None:
        # After a first sync that was cut short the log from its begin tells neither of rows that went nor of rows that
        # are older again because the CRM was restored.
        _note_lost(run, back=True)
    if run.outgoing and filters_changed(run):
        apply_filters(run)
    if run.begins:
        begin(run)


def _crm_page(run: Run) -> CrmPage:
    """Return the next page of the change log; where the cursor is lost, every row is looked at and the log skipped."""
    try:
        return run.parts.crm.changes(run.crm_cursor, CRM_PAGE_MAX)
    except SyncError as error:
        if error.code != "CursorExpired" or run.crm_cursor is None:
            raise
    # What is written meanwhile comes after this cursor; what was there before is looked at now.
    page = run.parts.crm.changes(None, CRM_PAGE_MAX)
    while page.more:
        page = run.parts.crm.changes(page.cursor, CRM_PAGE_MAX)
    run.crm_moved = True
    if run.rules.attachments is not None:
        run.write(Changes(files_anew=True))
    _note_lost(run)
    if run.outgoing:
        apply_filters(run)
    return CrmPage(changes=(), cursor=page.cursor, more=False)


def _note_lost(run: Run, *, back: bool = False) -> None:
    """Note which rows are others than they were when nobody knows any more what has changed.

    With `back` only which are gone or older than they were.

    Nothing of it is deleted or overwritten in Exchange without a question (`doubted`).
    """
    held = run.store.rows_held(run.mailbox.id)
    for at in range(0, len(held), CRM_PAGE_MAX):
        ids = held[at : at + CRM_PAGE_MAX]
        rows = read_rows(run.parts, ids)
        links = run.store.links_by_crm_id(run.mailbox.id, ids)
        moved = [link for link in links if link.crm_id in rows.unread or _differs(link, rows.get(link.crm_id))]
        if back:
            moved = [link for link in moved if link.crm_id not in rows.unread and _back(link, rows.get(link.crm_id))]
        staged = [replace(_crm_noted(run, link, rows), doubted=True) for link in moved]
        if staged:
            entries = [run.entry(link, "observed in the CRM anew") for link in staged]
            run.write(Changes(links=staged, entries=entries, files_anew=True))


def _differs(link: Link, row: CrmRow | None) -> bool:
    return link.crm_gone != (row is None) or (row is not None and row.version != link.crm_version_seen)


def _back(link: Link, row: CrmRow | None) -> bool:
    return row is None or row.version < link.crm_version_seen


def unseen(link: Link) -> bool:
    """Return whether the item's content could not be read yet."""
    return link.observed is None and link.seen is Seen.PRESENT


def essence(run: Run, appointment: Appointment) -> Essence:
    """Return what of an observation a plan depends on."""
    return Essence(run.projected(appointment), run.busy(appointment))


def row_content(row: CrmRow) -> Appointment:
    """Return what a CRM row holds in the form in which sides are compared; a canceled row is a canceled appointment."""
    return canonical(replace(row.appointment, canceled=row.status is Status.CANCELED))


def digest(run: Run, appointment: Appointment) -> str:
    """Return the scheduling digest that binds an answer (Q-02)."""
    return run.digest(run.projected(appointment), run.busy(appointment))


def _refresh_hierarchy(run: Run) -> None:
    if run.mailbox.folders and not run.hierarchy_due:
        return
    folders = run.replica.folders()
    due = run.now() + timedelta(seconds=run.rules.hierarchy_interval_s)
    mailbox = replace(run.mailbox, folders=folders, hierarchy_due=due)
    if run.mailbox.track is Track.CATEGORY:
        mailbox = _with_tracking(run, mailbox)
    gone = {folder.ref for folder in run.mailbox.folders} - {folder.ref for folder in folders}
    cursors = {ref: cursor for ref, cursor in mailbox.cursors.items() if ref not in gone}
    lost = [link for ref in sorted(gone) for link in _vanished(run, ref, frozenset())]
    _ask_for(run, sorted({link.folder for link in lost}))
    run.write(Changes(links=lost, mailbox=replace(mailbox, cursors=cursors)))


def _ask_for(run: Run, folders: Sequence[str]) -> None:
    """Ask for folders with linked items that the list names no longer: one that may not be read is not gone.

    Of that the mailbox fails, as for a folder that is listed: what lies in there can neither be seen nor searched.
    """
    for ref in folders:
        try:
            run.replica.changes(ref, run.mailbox.cursors.get(ref), 1)
        except SyncError as error:
            if error.code != "CursorExpired":
                raise


def _with_tracking(run: Run, mailbox: Mailbox) -> Mailbox:
    """Remember the tracking category's id and every name it has had (L-04, L-04a); none in the list: the set name."""
    default = tracking_category(run.rules.crm_name)
    names = mailbox.tracking or (default,)
    known = {name.casefold() for name in names}
    listed = run.replica.categories()
    entry = next((c for c in listed if c.id == mailbox.category_id), None)
    entry = entry or next((c for c in listed if c.name.casefold() in known), None)
    if entry is None:
        return replace(mailbox, tracking=names)
    if entry.name.casefold() not in known:
        names = (*names, entry.name)
    return replace(mailbox, tracking=names, category_id=entry.id)


def tracking_category(crm_name: str) -> str:
    """Return the name that the tracking category is made with (interface.md)."""
    return f"Tracked to {crm_name}"


def _observe_folder(run: Run, folder: Folder, between: Callable[[Run], None]) -> None:
    """Read one folder to the end of its cursor.

    Without a cursor, and after it expired, deletions are told by what is not listed any more. The cursor of such a
    whole reading is stored with its last page only, because a crash in between must read the whole again.
    """
    cursor = run.mailbox.cursors.get(folder.ref)
    listed: set[str] | None = None
    doubted = False
    while True:
        page, asked = _page(run, folder, cursor)
        if asked is None:
            listed = set()
            doubted = cursor is not None
        if listed is not None:
            listed.update(light.ref for light in page.items)
        last = not page.more
        vanished = _vanished(run, folder.ref, listed) if last and listed is not None else []
        if page.items or page.cursor != asked:
            vanished = [replace(link, doubted=doubted) for link in vanished]
            _stage(run, folder, page, vanished, keep_cursor=last or listed is None, doubted=doubted)
        if last:
            return
        cursor = page.cursor
        between(run)


def _vanished(run: Run, folder: str, listed: Collection[str]) -> list[Link]:
    """Return the links of a folder whose items are not listed any more, seen as gone."""
    missing = [ref for ref in run.store.refs_in(run.mailbox.id, folder) if ref not in listed]
    links = run.store.links_by_ref(run.mailbox.id, missing) if missing else {}
    return [replace(link, seen=Seen.GONE) for link in links.values()]


def _page(run: Run, folder: Folder, cursor: str | None) -> tuple[Page, str | None]:
    """Return the next page; an expired cursor is the same code with no cursor."""
    try:
        return run.replica.changes(folder.ref, cursor, run.rules.page_size_max), cursor
    except SyncError as error:
        if error.code != "CursorExpired" or cursor is None:
            raise
    return run.replica.changes(folder.ref, None, run.rules.page_size_max), None


def _stage(run: Run, folder: Folder, page: Page, vanished: Sequence[Link], *, keep_cursor: bool, doubted: bool) -> None:
    lights = {light.ref: light for light in page.items}
    links = run.store.links_by_ref(run.mailbox.id, tuple(lights))
    left = {ref for ref, light in lights.items() if _left(run, light, links.get(ref))}
    known = left & links.keys()
    staged: list[tuple[Link, Alert | None]] = [
        (_departed(links[ref], lights[ref]), None) for ref in lights if ref in known
    ]
    wanted = [light for ref, light in lights.items() if ref not in left and _news(links.get(ref), light)]
    for light, found in zip(wanted, _read(run, [(w.folder, w.ref) for w in wanted]), strict=True):
        if found is not None:
            link, alert = _staged(run, links.get(light.ref) or blank(run, light), found)
            staged.append((_in_doubt(link) if doubted else link, alert))
    staged.extend((link, None) for link in vanished)
    cursors = {**run.mailbox.cursors, folder.ref: page.cursor}
    mailbox = replace(run.mailbox, cursors=cursors) if keep_cursor else None
    changes = _staging(run, [link for link, _ in staged], [alert for _, alert in staged])
    run.write(replace(changes, mailbox=mailbox, files_anew=doubted))


def _in_doubt(link: Link) -> Link:
    """Return the link as doubted if a reading that started anew found another content than was agreed."""
    return replace(link, doubted=True) if link.agreed is not None and link.revision_settled is None else link


def _staging(run: Run, links: Sequence[Link], alerts: Sequence[Alert | None]) -> Changes:
    """Return the change that stages links, with the marks found on their items.

    One that failed comes with its alert and a line in the journal.
    """
    failing = [(at, alert) for at, alert in enumerate(alerts) if alert is not None]
    told = [alert for _, alert in failing]
    lines = [run.entry(links[at], "failed", "B-05", detail=render(alert.code, alert.params)) for at, alert in failing]
    of = dict(enumerate(at for at, _ in failing))
    marks, marked = noticed(run, links)
    changes = Changes(links=links, alerts=told, alert_links=of, entries=lines, entry_links=of)
    return replace(changes, marks=marks, mark_links=marked)


def _left(run: Run, light: Light, link: Link | None) -> bool:
    asked_for = link is not None and link.by_request
    return light.gone or not (asked_for or run.tracked(light.categories))


def _still_tracked(run: Run, link: Link, found: Observed | SyncError | None) -> bool:
    if isinstance(found, Observed):
        return link.by_request or run.tracked(found.appointment.categories)
    return found is not None


def _departed(link: Link, light: Light) -> Link:
    if light.gone:
        return replace(link, seen=Seen.GONE)
    known = link.seen is Seen.UNTRACKED and link.seen_settled is Seen.UNTRACKED
    settled = known and link.revision_settled == link.revision
    # Untracked by a No to the guard: what else changes in the item is not asked about again.
    revision = light.revision if settled else link.revision_settled
    return replace(link, seen=Seen.UNTRACKED, revision=light.revision, revision_settled=revision)


def _news(link: Link | None, light: Light) -> bool:
    return link is None or link.revision != light.revision or link.seen is not Seen.PRESENT or link.observed is None


def _read(run: Run, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
    found: list[Observed | SyncError | None] = []
    for at in range(0, len(refs), run.rules.read_max):
        batch = _read_batch(run, refs[at : at + run.rules.read_max])
        for one in batch:
            if isinstance(one, SyncError) and one.row.scope is not Scope.ITEM:
                raise one
        found.extend(batch)
    return found


def _read_batch(run: Run, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
    """Read a batch; after a bug each item alone, so that only the one at fault stops."""

    def alone(ref: tuple[str, str]) -> Observed | SyncError | None:
        return contain(lambda: run.replica.read([ref])[0], lambda bug: item_error(bug, ""), f"item {ref[1]}")

    return contain(lambda: run.replica.read(refs), lambda _: [alone(ref) for ref in refs], "a batch of items")


def blank(run: Run, light: Light) -> Link:
    """Return the link of an item that is seen for the first time and not read yet."""
    return Link(
        mailbox_id=run.mailbox.id,
        ref=light.ref,
        folder=light.folder,
        identity=Identity(UNREAD + light.ref),
        revision=light.revision,
        first_seen=run.now(),
    )


def _staged(run: Run, link: Link, found: Observed | SyncError) -> tuple[Link, Alert | None]:
    if isinstance(found, SyncError):
        return _unread(run, link, found)
    return contain(
        lambda: (observed_link(run, link, found), None),
        lambda bug: _unread(run, link, item_error(bug, found.appointment.subject)),
        f"item {link.ref}",
    )


def _unread(run: Run, link: Link, error: SyncError) -> tuple[Link, Alert]:
    """Return the link of an item whose content could not be read or taken, and the alert about it (5.6)."""
    tried = failed(run, replace(link, observed=None, seen=Seen.PRESENT), error)
    run.counts.failed += 1
    return replace(tried, revision_settled=link.revision, seen_settled=Seen.PRESENT), notice(run, link, error)


def observed_link(run: Run, link: Link, found: Observed) -> Link:
    """Return the link with a new observation: a refresh if the essence is the same, else unsettled."""
    item = found.appointment
    more: dict[str, Any]
    if link.observed is not None and essence(run, link.observed) == essence(run, item):
        settled = link.revision_settled == link.revision
        more = {"revision_settled": found.revision if settled else link.revision_settled}
    else:
        fresh = link.observed is None or digest(run, link.observed) != digest(run, item)
        first_seen = run.now() if fresh else link.first_seen
        more = {"revision_settled": None, "first_seen": first_seen, "retries": 0, "next_try": None}
    return replace(
        link,
        ref=found.ref,
        folder=found.folder,
        identity=item.identity,
        subject=item.subject,
        private=item.private,
        seen=Seen.PRESENT,
        revision=found.revision,
        observed=item,
        created_order=item.created,
        left_out=still_left_out(link.left_out, _known(link), item),
        **more,
    )


def _known(link: Link) -> Appointment | None:
    """Return the last known content of an item; where it could not be read, what is agreed with the dates left out."""
    if link.observed is not None or link.agreed is None or not link.writes:
        # A copy that does not write has agreed to what another one wrote: that says nothing about how this one stood.
        return link.observed
    return replace(link.agreed, deleted=tuple(date for date in link.agreed.deleted if date not in link.left_out))


def _crm_observations(run: Run, changes: Iterable[CrmChange]) -> tuple[list[Link], list[Entry]]:
    latest = newest(changes)
    news = [
        crm_id
        for crm_id, (version, gone) in run.store.rows_seen(run.mailbox.id, tuple(latest)).items()
        if latest[crm_id].gone != gone or latest[crm_id].version > version
    ]
    links = run.store.links_by_crm_id(run.mailbox.id, news) if news else ()
    moved = [(link, latest[link.crm_id]) for link in links if link.crm_id and _moved(link, latest[link.crm_id])]
    rows = read_rows(run.parts, tuple(dict.fromkeys(change.id for _, change in moved if not change.gone)))
    known = _left_out_elsewhere(run, [link for link, _ in moved], rows)
    staged = [_crm_noted(run, link, rows) for link in known]
    entries = [
        run.entry(link, "observed in the CRM", fields=_edited(link, rows.get(link.crm_id)))
        for link in known
        if link.crm_id not in rows.unread
    ]
    return staged, entries


def _left_out_elsewhere(run: Run, links: Sequence[Link], rows: Rows) -> list[Link]:
    """Take over the dates that an answer about another mailbox's copy left out of a row (Q-06).

    Where a person edited the row right after that copy wrote it, nothing else tells of them here.
    """
    following = [link for link in links if _follows(run, link, rows.get(link.crm_id))]
    family = run.store.links_by_identity([link.identity for link in following]) if following else ()
    theirs = {
        (other.crm_id, start)
        for other in family
        if other.writes and other.mailbox_id != run.mailbox.id and other.mailbox_id in run.people.address_by_mailbox
        for start in other.left_out
    }
    taken = {link.id: _leaving_out(run, link, rows.get(link.crm_id), theirs) for link in following} if theirs else {}
    return [taken.get(link.id, link) for link in links]


def _follows(run: Run, link: Link, row: CrmRow | None) -> bool:
    """Return whether an item in step, which somebody else organizes, has a row without dates that a person edited."""
    quiet = link.seen is Seen.PRESENT and link.revision_settled == link.revision
    in_step = quiet and link.state in (LinkState.SETTLED, LinkState.UNSETTLED)
    edited = row is not None and bool(row.appointment.deleted) and row.modified_by != WRITER
    return in_step and edited and link.observed is not None and not run.people.organizes(link.observed)


def _leaving_out(run: Run, link: Link, row: CrmRow | None, theirs: Collection[tuple[str | None, datetime]]) -> Link:
    assert row is not None and link.observed is not None
    more = {start for start in row.appointment.deleted if (row.id, start) in theirs} - set(link.left_out)
    left_out = tuple(sorted({*link.left_out, *more}))
    if not more or link.agreed is None:
        return replace(link, left_out=left_out)
    agreed = without(link.agreed, more)
    busy = run.busy(without(link.observed, left_out))
    return replace(link, agreed=agreed, left_out=left_out, scheduling_digest=run.digest(agreed, busy))


def _moved(link: Link, change: CrmChange) -> bool:
    """Return whether this link has not seen its row so; another link to the same row may have."""
    return link.crm_gone != change.gone or link.crm_version_seen < change.version


def _edited(link: Link, row: CrmRow | None) -> frozenset[str]:
    if row is None:
        return frozenset({"gone"})
    return differences(link.agreed, row_content(row)) if link.agreed else frozenset()


def _crm_noted(run: Run, link: Link, rows: Rows) -> Link:
    """Note what moved in the CRM; what cannot be read is decided about all the same, fails there and is tried again."""
    if link.crm_id not in rows.unread:
        return _crm_observed(run, link, rows.get(link.crm_id))
    again = replace(link, crm_settled=unsettled(link), retries=0, next_try=None)
    if link.seen is Seen.ABSENT:
        return replace(again, state=LinkState.UNSETTLED)
    return replace(again, revision_settled=None)


def caught_up(run: Run, link: Link, row: CrmRow | None) -> Link:
    """Return the link of a row that could not be read when it moved, with what it is now that it can."""
    missed = link.state is LinkState.FAILED and link.crm_id is not None and link.crm_settled < 0
    return _crm_observed(run, link, row) if missed and _differs(link, row) else link


def _crm_observed(run: Run, link: Link, row: CrmRow | None) -> Link:
    """Note a CRM-side edit: it is to be carried over to Exchange, if anything is; one taken back settles again."""
    seen = _row_observed(run, link, row)
    if not run.outgoing:
        return seen
    if link.seen is Seen.ABSENT or link.state is LinkState.FAILED:
        # A row that changed is a new matter for what failed, or waited for its invitation.
        seen = replace(seen, retries=0, next_try=None if link.seen is Seen.ABSENT else run.now())
        seen = replace(seen, state=LinkState.UNSETTLED) if link.seen is Seen.ABSENT else seen
    went = seen.crm_gone and not link.crm_gone and link.crm_settled == EARLIER
    return replace(seen, crm_settled=GONE_SINCE if went else unsettled(seen))


def _row_observed(run: Run, link: Link, row: CrmRow | None) -> Link:
    if row is None and link.state in (LinkState.ASKED, LinkState.FAILED):
        return replace(link, crm_gone=True)
    if row is None:
        return replace(link, crm_gone=True, state=LinkState.SKIPPED, sync_error="ClosedInCrm")
    if row.modified_by == WRITER and run.outgoing and link.writes:
        # This link wrote it before a crash, or takes over from another copy: what differs is merged as ever (3.1).
        return replace(link, crm_version_seen=row.version, crm_gone=False, revision_settled=None)
    if row.modified_by == WRITER:
        # Another copy of the meeting wrote it, or this one before a crash: decide again from the row (A-33a).
        return replace(link, agreed=None, crm_version=row.version, crm_version_seen=row.version, revision_settled=None)
    pending = bool(_edited(link, row))
    state = link.state
    if state in (LinkState.SETTLED, LinkState.UNSETTLED):
        state = LinkState.UNSETTLED if pending else LinkState.SETTLED
    version = link.crm_version if pending else row.version
    return replace(link, crm_version=version, crm_version_seen=row.version, state=state)
