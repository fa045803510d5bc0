"""What each row asks of Exchange: links whose CRM side has moved become situations; the core decides (3.3, 3.4).

It runs after everything that Exchange told has been dealt with, and looks only at links that have nothing to bring in.
It reads state, rows and, for rows without an item, the calendar by identity; it writes nothing. The decision itself is
`core.pushing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from syncline.core import pushing
from syncline.core.appointment import Address, Appointment, Status
from syncline.core.ending import goes_on
from syncline.core.laying import Dates, laid_onto, new_item
from syncline.core.leaving_out import remains
from syncline.core.outgoing import ItemCreation, ItemDeletion, ItemUpdate, ItemWrite, Mail, Mailing, mails
from syncline.core.planning import Presence
from syncline.core.planning import Verb as Incoming
from syncline.core.pushing import Action, Found, Situation, Verb
from syncline.core.times import UnknownZone, zone_info
from syncline.engine import scoping
from syncline.engine.boundary import contain, item_error
from syncline.engine.deciding import Decided, decide, inside_series
from syncline.engine.observing import row_content, tracking_category
from syncline.engine.rows import Rows, read_rows
from syncline.engine.run import Run
from syncline.errors import SyncError
from syncline.ports import CrmRow, Link, LinkState, Observed, Origin, Seen, Track

_PRESENCE = {
    Seen.PRESENT: Presence.PRESENT,
    Seen.GONE: Presence.GONE,
    Seen.UNTRACKED: Presence.UNTRACKED,
    Seen.ABSENT: Presence.ABSENT,
}
_NOTHING_TO_BRING_IN = (Incoming.SETTLE, Incoming.SKIP)
_HORIZON_DAYS = 36_500
# Key of the write until its intent is known; it never leaves.
_UNKEYED = ""


class Outward(Struct, frozen=True, gc=False, kw_only=True):
    """One link with its action towards Exchange and everything that carrying it out needs.

    `content`: the row as Exchange should show it. `write`: what is to be written (a creation without its key), `mails`
    whom that mails. `found`: the item of the same identity that was there already. `incoming` is what the other
    direction says, `refused` that a No dropped it; `error` the bug that stopped the item.
    """

    link: Link
    action: Action
    row: CrmRow | None = None
    content: Appointment | None = None
    write: ItemWrite | None = None
    mails: tuple[Mail, ...] = ()
    found: Observed | None = None
    incoming: Decided | None = None
    in_scope: bool = False
    refused: bool = False
    error: SyncError | None = None


class _Taken(Struct, frozen=True, gc=False):
    """Rows that another link of this mailbox holds, and rows about which a copy in another mailbox decides."""

    here: frozenset[str]
    elsewhere: frozenset[str]


def outgoing(
    run: Run,
    links: Sequence[Link],
    overrule: Mapping[int, bool] | None = None,
    dealt: Mapping[int, Decided] | None = None,
) -> list[Outward]:
    """Return what to do about each link, in the order given; `overrule` holds answers about deletions, by link.

    `dealt`: links that have something to bring in, as they will stand once that is done (a dry run foresees it).
    """
    dealt = dealt or {}
    let_go = [link for link in links if scoping.released(link)]
    others = [link for link in links if link.seen is not Seen.ABSENT and link not in let_go]
    alone = [link for link in links if link not in others]
    rows = read_rows(run.parts, [link.crm_id for link in alone if link.crm_id])
    absent = [scoping.named(link, rows.get(link.crm_id)) for link in links if link.seen is Seen.ABSENT]
    found = _found(run, rows.found)
    taken = _Taken(_holders(run, absent), _deciding_elsewhere(run, absent))
    ready = {link.id: _contained(link, partial(_absent, run, link, rows, found, taken)) for link in absent}
    items = _items(run, let_go, rows)
    ready |= {link.id: _contained(link, partial(_let_go, run, link, rows, items.get(link.id))) for link in let_go}
    decisions = decide(run, [link for link in others if link.id not in dealt])
    for decided in (*decisions, *(dealt[link.id] for link in others if link.id in dealt)):
        ready[decided.link.id] = _contained(decided.link, partial(_present, run, decided, overrule or {}))
    return [ready[link.id] for link in links]


def ended(appointment: Appointment, now: datetime) -> bool:
    """Return whether it is wholly over: a single that has ended, a series without a date left."""
    if appointment.recurrence is None:
        return appointment.span.end <= now
    return not remains(appointment, now, _HORIZON_DAYS)


def _cut(link: Link, row: CrmRow | None, now: datetime) -> bool:
    """Return whether a canceled row is a series without a date to come, also of those that only it does without."""
    if row is None or row.status is not Status.CANCELED or row.appointment.recurrence is None:
        return False
    deleted = tuple(date for date in row.appointment.deleted if date not in link.left_out)
    return not goes_on(replace(row.appointment, deleted=deleted), now)


def _contained(link: Link, work: Callable[[], Outward]) -> Outward:
    """Decide about one link; a bug stops this item alone (design.md 8)."""
    return contain(work, lambda bug: _failing(link, item_error(bug, link.subject)), f"item {link.id}")


def _failing(link: Link, error: SyncError, incoming: Decided | None = None) -> Outward:
    action = Action(verb=Verb.FAIL, rule="B-05", code=error.code)
    return Outward(link=link, action=action, error=error, incoming=incoming)


def _untold(link: Link, error: SyncError) -> SyncError:
    """Return the error about a row as its link may tell it: who may read a row is not known before it can be read."""
    return SyncError(error.code, retry_after_s=error.retry_after_s, **{**error.params, "subject": link.subject})


def _in_no_zone(link: Link, row: CrmRow | None, content: Appointment | None) -> Outward | None:
    """Return the failure of a row whose zone nobody knows: its clock cannot be told to Exchange (D-07)."""
    if content is None:
        return None
    try:
        zone_info(content.zone)
    except UnknownZone:
        error = SyncError("UnknownTimeZone", subject=link.subject, detail=content.zone[:100])
        return Outward(link=link, action=Action(verb=Verb.FAIL, rule="D-07", code=error.code), row=row, error=error)
    return None


# --- a row without an item ----------------------------------------------------------------------------------------


def _absent(
    run: Run,
    link: Link,
    rows: Rows,
    found: Mapping[str, Observed],
    taken: _Taken,
) -> Outward:
    if (unread := rows.unread.get(link.crm_id or "")) is not None:
        return _failing(link, _untold(link, unread))
    row = rows.get(link.crm_id)
    content = pushing.outward(row_content(row), row.status) if row is not None else None
    if (unzoned := _in_no_zone(link, row, content)) is not None:
        return unzoned
    item = found.get(row.appointment.identity.global_object_id) if row is not None else None
    organizer = content.organizer if content is not None else None
    now = run.now()
    situation = Situation(
        presence=Presence.ABSENT,
        row=content,
        status=row.status if row else None,
        in_scope=row is not None and scoping.in_scope(run, row),
        own=organizer is not None and organizer.address in run.people.own,
        named=organizer is not None,
        elsewhere=content is not None and run.people.organizer_mailbox(content) is not None,
        holder=link.crm_id in taken.here,
        held_elsewhere=link.crm_id in taken.elsewhere,
        found=_tracked(run, item),
        started=content is not None and content.span.start < now,
        ended=content is not None and ended(content, now),
        first_sync=_invites_nobody(run, link),
        withheld=link.withheld,
        draft=_is_draft(row),
    )
    action = pushing.push(situation, run.rules.pushing)
    write = _creation(run, content, action) if action.verb is Verb.CREATE and content is not None else None
    return Outward(
        link=link, action=action, row=row, content=content, write=write, mails=_mails(write), found=item,
        in_scope=situation.in_scope,
    )  # fmt: skip


def _is_draft(row: CrmRow | None) -> bool:
    return row is not None and row.draft


def _invites_nobody(run: Run, link: Link) -> bool:
    """Return whether a row is from before the calendar was written to: the first sync never invites anybody."""
    return not run.mailbox.first_sync_done or scoping.is_earlier(run, link)


def _creation(run: Run, content: Appointment, action: Action) -> ItemCreation:
    main = next((folder.ref for folder in run.mailbox.folders if folder.main), "")
    own = content.organizer.name if content.organizer else ""
    item = new_item(content, category(run), run.now())
    item = replace(item, organizer=Address(run.mailbox.address, own))
    return ItemCreation(key=_UNKEYED, folder=main, content=item, mailing=action.mailing, quiet_before=run.now())


def category(run: Run) -> str:
    """Return the name of the tracking category as the mailbox has it (L-04, L-08)."""
    return run.mailbox.tracking[-1] if run.mailbox.tracking else tracking_category(run.rules.crm_name)


def _found(run: Run, rows: Mapping[str, CrmRow]) -> dict[str, Observed]:
    """Return the oldest item of each identity that the calendar has already, by global object id."""
    wanted = sorted({row.appointment.identity.global_object_id for row in rows.values()})
    if not wanted:
        return {}
    items = run.replica.find(wanted)
    return {
        name: min(same, key=lambda item: (str(item.appointment.created or ""), item.ref))
        for name, each in items.items()
        if (same := [item for item in each if item.appointment.identity.original_start is None])
    }


def _tracked(run: Run, item: Observed | None) -> Found:
    if item is None:
        return Found.NOTHING
    return Found.TRACKED if run.tracked(item.appointment.categories) else Found.UNTRACKED


def _holders(run: Run, absent: Sequence[Link]) -> frozenset[str]:
    """Return the rows that a link with an item holds too; the one without an item has nothing to do then."""
    known = run.store.links_by_crm_id(run.mailbox.id, [link.crm_id for link in absent if link.crm_id])
    return frozenset(link.crm_id for link in known if link.crm_id and link.seen is not Seen.ABSENT)


def _deciding_elsewhere(run: Run, absent: Sequence[Link]) -> frozenset[str]:
    """Return the rows that the copy of another enabled mailbox was made from, or made."""
    enabled = run.people.address_by_mailbox
    family = run.store.links_by_identity([link.identity for link in absent]) if absent else ()
    return frozenset(
        each.crm_id
        for each in family
        if each.crm_id and each.writes and each.seen is Seen.PRESENT
        if each.mailbox_id != run.mailbox.id and each.mailbox_id in enabled
    )


# --- a row that left the filters, whose item was untracked then ----------------------------------------------------


def _items(run: Run, let_go: Sequence[Link], rows: Rows) -> dict[int, Observed]:
    """Return the items of rows that a filter selects again, as they are now; what is gone is told by its folder."""
    back = [link for link in let_go if (row := rows.get(link.crm_id)) is not None and scoping.in_scope(run, row)]
    read = run.replica.read([(link.folder, link.ref) for link in back]) if back else []
    return {link.id: found for link, found in zip(back, read, strict=True) if isinstance(found, Observed)}


def _let_go(run: Run, link: Link, rows: Rows, item: Observed | None) -> Outward:
    if (unread := rows.unread.get(link.crm_id or "")) is not None:
        return _failing(link, unread)
    row = rows.get(link.crm_id)
    selected = row is not None and scoping.in_scope(run, row)
    situation = Situation(
        presence=Presence.UNTRACKED,
        row=pushing.outward(row_content(row), row.status, link.agreed) if row is not None else None,
        status=row.status if row else None,
        in_scope=selected,
        released=True,
    )
    action = pushing.push(situation, run.rules.pushing)
    write = None
    if action.verb is Verb.TRACK and item is not None and not run.tracked(item.appointment.categories):
        after = replace(item.appointment, categories=(*item.appointment.categories, category(run)))
        at: dict[str, Any] = {"ref": item.ref, "folder": item.folder, "revision": item.revision}
        write = ItemUpdate(**at, before=item.appointment, after=after)
    elif action.verb is Verb.TRACK:
        action = Action(verb=Verb.WAIT, rule="1.11")
    return Outward(link=link, action=action, row=row, content=situation.row, write=write, in_scope=selected)


# --- a row with an item -------------------------------------------------------------------------------------------


def _present(run: Run, decided: Decided, overrule: Mapping[int, bool]) -> Outward:
    link, row, item = decided.link, decided.row, decided.link.observed
    if decided.error is not None:
        return _failing(link, decided.error, decided)
    if item is None or _waits(decided):
        return Outward(link=link, action=Action(verb=Verb.WAIT, rule="3.1"), row=row, incoming=decided)
    earlier = _from_before(run, link, row)
    content = pushing.outward(row_content(row), row.status, link.agreed) if row is not None else None
    if (unzoned := _in_no_zone(link, row, content)) is not None:
        return replace(unzoned, incoming=decided)
    now = run.now()
    organizer = row.appointment.organizer if row is not None else None
    selected = row is not None and scoping.in_scope(run, row)
    situation = Situation(
        presence=_PRESENCE[link.seen],
        row=content,
        status=row.status if row else None,
        agreed=link.agreed,
        exchange=decided.candidate,
        in_scope=selected,
        was_in_scope=link.in_scope,
        from_crm=link.origin is Origin.CRM,
        own=run.people.organizes(item),
        handed=organizer is not None and organizer.address not in run.people.own,
        started=item.span.start < now,
        ended=ended(item, now),
        cut=_cut(link, row, now),
        decides=decided.peer is None and not inside_series(link, row),
        tracked_anyway=run.mailbox.track is Track.ALL,
        first_sync=earlier or not run.mailbox.first_sync_done,
        earlier=earlier,
        withheld=link.withheld,
        overrule=overrule.get(link.id),
    )
    action = pushing.push(situation, run.rules.pushing)
    write = _write(run, decided, content, action)
    if action.verb is Verb.UPDATE and write is None:
        action = replace(action, verb=Verb.SETTLE, mailing=Mailing.NOBODY)
    return Outward(
        link=link, action=action, row=row, content=content, write=write, mails=_mails(write), incoming=decided,
        in_scope=selected,
    )  # fmt: skip


def _from_before(run: Run, link: Link, row: CrmRow | None) -> bool:
    """Return whether it is from before anything was written here; a deletion since then is not (decision 0029)."""
    return scoping.is_earlier(run, link) if row is not None else link.crm_settled == scoping.EARLIER


def _waits(decided: Decided) -> bool:
    """Return whether nothing is to be carried over yet: something comes in first, or is told of first."""
    link = decided.link
    return link.seen is not Seen.PRESENT or not _settled(decided) or _went_just_now(link, decided.row)


def _went_just_now(link: Link, row: CrmRow | None) -> bool:
    """Return whether a row from before is gone that nobody has told of yet: the next reading of the log does."""
    return row is None and link.crm_settled == scoping.EARLIER and not link.crm_gone


def _settled(decided: Decided) -> bool:
    """Return whether Exchange has nothing that waits to be brought in: what is asked about waits with both sides."""
    link = decided.link
    if link.state is LinkState.ASKED or (link.decision == "yes" and link.state is not LinkState.SETTLED):
        return False
    quiet = link.revision_settled == link.revision and link.seen_settled is link.seen
    return quiet or decided.action.verb in _NOTHING_TO_BRING_IN


def _write(run: Run, decided: Decided, content: Appointment | None, action: Action) -> ItemWrite | None:
    link, item = decided.link, decided.link.observed
    assert item is not None
    at: dict[str, Any] = {"ref": link.ref, "folder": link.folder, "revision": link.revision}
    if action.verb is Verb.DELETE:
        return ItemDeletion(**at, content=item, mailing=action.mailing)
    if action.verb is Verb.UNTRACK:
        names = {name.casefold() for name in (*run.mailbox.tracking, category(run))}
        left = tuple(name for name in item.categories if name.casefold() not in names)
        return ItemUpdate(**at, before=item, after=replace(item, categories=left)) if left != item.categories else None
    if action.verb is not Verb.UPDATE or content is None or link.agreed is None:
        return None
    dates = Dates(frozenset(link.left_out), run.now())
    after = laid_onto(item, link.agreed, content, action.fields, dates)
    if after == item:
        return None
    quiet = None if run.rules.pushing.mail_about_past else run.now()
    return ItemUpdate(**at, before=item, after=after, mailing=action.mailing, quiet_before=quiet)


def called_off(run: Run, outward: Outward) -> Outward:
    """Return the deletion of a meeting whose row goes on under another organizer (A-14)."""
    link, item = outward.link, outward.link.observed
    assert item is not None
    over = ended(item, run.now()) if item.recurrence is not None else item.span.start < run.now()
    told = bool(item.attendees) and not over and run.rules.pushing.send
    action = Action(verb=Verb.DELETE, rule="A-14", mailing=Mailing.EVERYBODY if told else Mailing.NOBODY)
    write = ItemDeletion(
        ref=link.ref, folder=link.folder, revision=link.revision, content=item, mailing=action.mailing
    )  # fmt: skip
    return replace(outward, action=action, write=write, mails=_mails(write))


def _mails(write: ItemWrite | None) -> tuple[Mail, ...]:
    return mails(write) if write is not None else ()
