"""Step 1 of a cycle: find out what an earlier crash left behind, and never send anything again blindly.

A row under an intent's id was made by it, an item or a row that carries an intent's key was made or written by it; what
was deleted is gone and its content is kept. Everything else is planned anew from what is observed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from syncline.core import pushing
from syncline.core.appointment import Appointment
from syncline.core.leaving_out import without
from syncline.core.merging import EXCEPTION_TEXTS, EXCEPTIONS, advance, differences
from syncline.engine.applying import booked
from syncline.engine.applying_outgoing import key_of
from syncline.engine.deciding import decide
from syncline.engine.linking import in_common, let_go, made
from syncline.engine.observing import CRM_PAGE_MAX, WRITER, row_content
from syncline.engine.outgoing import Outward
from syncline.engine.rows import read_rows
from syncline.engine.run import Run
from syncline.engine.scoping import UNSETTLED, in_scope, unsettled
from syncline.engine.writing import Draft
from syncline.errors import SyncError
from syncline.ports import CrmRow, Intent, Link, LinkState, Observed, Origin, Outcome, Result, Seen
from syncline.ports import Verb as Write


def settle_intents(run: Run) -> None:
    """Settle the intents that were left, each by what it left on the other side.

    An intent about a row that cannot be read stays until it can.
    """
    intents = _left(run)
    if not intents:
        return
    links = {link.id: link for link in run.store.links_by_id([intent.link_id for intent in intents])}
    rows = read_rows(run.parts, tuple(dict.fromkeys(intent.crm_id for intent in intents)))
    intents = tuple(intent for intent in intents if intent.crm_id not in rows.unread)
    draft = Draft(run, intents_done=[intent.id for intent in intents])
    _settle_bookings(run, draft, [i for i in intents if i.verb is Write.BOOK], links, rows.found)
    _settle_reschedules(run, draft, [i for i in intents if i.verb is Write.RESCHEDULE], links)
    _settle_creations(run, draft, [i for i in intents if i.verb is Write.CREATE_ITEM], links, rows.found)
    updates = [i for i in intents if i.verb is Write.UPDATE_ITEM and i.link_id in links]
    items = _read(run, [links[i.link_id] for i in updates])
    _settle_updates(run, draft, updates, links, items)
    _settle_untracked(run, draft, updates, links, rows.found, items)
    _settle_deletions(
        run, draft, [i for i in intents if i.verb in (Write.DELETE, Write.DELETE_ITEM)], links, rows.found
    )
    run.write(draft.changes())


def _left(run: Run) -> tuple[Intent, ...]:
    """Return the intents that are to be settled; the run remembers those that were given up."""
    every = run.store.intents(run.mailbox.id)
    run.given_up = tuple(intent for intent in every if intent.instead is not None)
    return tuple(intent for intent in every if intent.instead is None)


def _settle_bookings(
    run: Run, draft: Draft, intents: Sequence[Intent], links: Mapping[int, Link], rows: Mapping[str, CrmRow]
) -> None:
    waiting = [(i, links[i.link_id]) for i in intents if i.link_id in links and links[i.link_id].crm_id is None]
    deleted = _deleted(run, [intent.crm_id for intent, _ in waiting if intent.crm_id not in rows])
    for intent, link in waiting:
        row = rows.get(intent.crm_id)
        if row is None and intent.crm_id not in deleted:
            continue
        decided = decide(run, [link])[0]
        if decided.candidate is None:
            continue
        if row is None:
            # What becomes of the item is decided like for any row that goes; where another copy decides it has a row.
            if decided.peer is None:
                booked(run, draft, decided, Outcome(result=Result.SAVED, id=intent.crm_id))
            continue
        written = intent.agreed or decided.candidate
        if differences(decided.candidate, row_content(row)):
            # Somebody edited the row since: the edit must stay visible as unsettled.
            mine = replace(link, crm_id=row.id, agreed=written, crm_version_seen=row.version, crm_settled=UNSETTLED)
            mine = replace(mine, scheduling_digest=decided.written_digest, state=LinkState.UNSETTLED)
            mine = replace(mine, revision_settled=None, sync_error=None)
            if differences(written, decided.candidate):
                # What was answered since leaves out other dates, and is carried out on the row.
                draft.links.append(mine)
                continue
            mine = replace(mine, left_out=decided.leaving, decided_left_out=())
            draft.links.append(replace(mine, decision=None, decided_digest=""))
            draft.close(decided, "saved", saved=True)
            draft.note(decided, "saved")
            continue
        # Who completed or cancelled it since changed nothing of its content, and Outlook is to show it.
        touched = run.outgoing and row.modified_by != WRITER
        booked(run, draft, decided, Outcome(result=Result.SAVED, id=row.id, version=row.version), outward=touched)


def _deleted(run: Run, ids: Sequence[str]) -> frozenset[str]:
    """Return which of these rows were made and deleted since: what somebody deleted is not made anew (A-36)."""
    wanted, gone = frozenset(ids), set[str]()
    cursor, more = run.mailbox.crm_cursor, bool(ids)
    try:
        while more:
            page = run.parts.crm.changes(cursor, CRM_PAGE_MAX)
            gone.update(change.id for change in page.changes if change.gone and change.id in wanted)
            cursor, more = page.cursor, page.more
            run.keep()
    except SyncError as error:
        if error.code != "CursorExpired":
            raise
    return frozenset(gone)


def _settle_reschedules(run: Run, draft: Draft, intents: Sequence[Intent], links: Mapping[int, Link]) -> None:
    """Agree on what was written into rows, so that it is no rival of what people have made of it since (3.1)."""
    mine = [(i, links[i.link_id]) for i in intents if i.link_id in links and links[i.link_id].crm_id == i.crm_id]
    keys = run.parts.crm.last_keys([intent.crm_id for intent, _ in mine]) if mine else {}
    done = [(i.agreed, link) for i, link in mine if i.agreed is not None and keys.get(i.crm_id) == i.id]
    decisions = decide(run, [link for _, link in done]) if done else []
    for (agreed, link), decided in zip(done, decisions, strict=True):
        if link.agreed is not None:
            gone = set(agreed.deleted).difference(link.left_out, decided.leaving)
            draft.keep_dates(link, Origin.CRM, link.agreed, agreed, gone)
        known = replace(link, agreed=agreed)
        if decided.candidate is None or differences(agreed, decided.candidate):
            # A part of it was held back, and is decided about anew.
            draft.links.append(known)
            continue
        draft.saved(decided, known, "saved")
        draft.note(decided, "updated", detail="found written")
        run.counts.updated += 1


def _settle_creations(
    run: Run, draft: Draft, intents: Sequence[Intent], links: Mapping[int, Link], rows: Mapping[str, CrmRow]
) -> None:
    """Link the items that were made; several requests may have been needed, of which only the first were sent."""
    waiting = [(i, links[i.link_id]) for i in intents if i.link_id in links and links[i.link_id].seen is Seen.ABSENT]
    if not waiting:
        return
    found = run.replica.find_keys([key_of(run, intent.id) for intent, _ in waiting])
    known = run.store.links_by_ref(run.mailbox.id, [item.ref for item in found.values()])
    for intent, link in waiting:
        item, row = found.get(key_of(run, intent.id)), rows.get(link.crm_id or "")
        if item is not None and item.ref in known:
            # Another process has seen the item meanwhile: that link finds the row by its identity.
            draft.removed.append(link.id)
        elif item is not None:
            linked = _linked(run, link, item, row)
            draft.links.append(linked)
            draft.made_instead(linked)
            draft.entries.append(run.entry(link, "made in Outlook", "L-11a", detail="found by its key"))
        elif link.agreed is not None:
            # It may be on its way still, if its owner stood still: whoever makes another one must know it then.
            draft.intents.append(replace(intent, agreed=link.agreed, instead=""))
    run.given_up = tuple({intent.id: intent for intent in (*run.given_up, *draft.intents)}.values())


def _linked(run: Run, link: Link, item: Observed, row: CrmRow | None) -> Link:
    """Return the link of an item that an earlier process made from the row as it was then."""
    there = run.projected(item.appointment)
    shown = pushing.outward(row_content(row), row.status) if row is not None else None
    if shown is not None and row is not None and row.version == link.crm_version:
        content = shown
    else:
        # What was written is what both sides had in common: whatever either says since flows to the other.
        content = link.agreed or there
    agreed = in_common(content, there)
    blank = Outward(link=link, action=pushing.Action(verb=pushing.Verb.CREATE, rule="L-11a"), row=row, content=agreed)
    if row is None or shown is None:
        return replace(_there(link, item), agreed=agreed, crm_gone=True, crm_settled=unsettled(link))
    mine = made(run, link, item, replace(blank, in_scope=in_scope(run, row)))
    # What the row says beside that stays visible as unsettled, also once what Outlook says is brought in (3.1).
    version = UNSETTLED if differences(agreed, shown) else row.version
    return replace(mine, crm_version=version, crm_settled=unsettled(link))


def _there(link: Link, item: Observed) -> Link:
    return replace(
        link,
        ref=item.ref,
        folder=item.folder,
        identity=item.appointment.identity,
        seen=Seen.PRESENT,
        seen_settled=Seen.PRESENT,
        revision=item.revision,
        revision_settled=item.revision,
        observed=item.appointment,
        created_order=item.appointment.created,
    )


def _read(run: Run, links: Sequence[Link]) -> dict[int, Observed]:
    """Return the items of these links that are there and can be read, by link."""
    read = run.replica.read([(link.folder, link.ref) for link in links]) if links else []
    return {link.id: item for link, item in zip(links, read, strict=True) if isinstance(item, Observed)}


def _settle_updates(
    run: Run, draft: Draft, intents: Sequence[Intent], links: Mapping[int, Link], items: Mapping[int, Observed]
) -> None:
    """Agree on what an unfinished update left in the item, so that it is not taken for a person's edit.

    An item that has the key of the update had all of it, also what a person has changed in it since (3.1).
    """
    for intent in intents:
        link, item = links[intent.link_id], items.get(intent.link_id)
        if intent.agreed is None or link.agreed is None or item is None:
            continue
        if link.observed is not None:
            gone = set(item.appointment.deleted) & set(intent.agreed.deleted)
            draft.keep_dates(link, Origin.EXCHANGE, link.observed, item.appointment, gone)
        wanted = differences(link.agreed, intent.agreed)
        had = item.key == key_of(run, intent.id)
        there = _with_dates_back(run.projected(item.appointment), intent.agreed, link.left_out)
        done = wanted if had else wanted - differences(there, intent.agreed)
        if done:
            agreed = advance(link.agreed, intent.agreed, done)
            # As when the answer is heard: a date left out that the CRM has again is left out no more.
            left_out = tuple(date for date in link.left_out if date in agreed.deleted)
            draft.links.append(replace(link, agreed=agreed, left_out=left_out))


def _with_dates_back(there: Appointment, wanted: Appointment, left_out: Sequence[datetime]) -> Appointment:
    """Return an item with only those of its dates left out that stand in it as an update wanted them to.

    Exchange has had them all along: that one is not deleted there does not say that it was written.
    """

    def written(start: datetime) -> bool:
        alone = (
            replace(side, exceptions=tuple(part for part in side.exceptions if part.identity.original_start == start))
            for side in (there, wanted)
        )
        return start not in wanted.deleted and not differences(*alone) & {EXCEPTIONS, EXCEPTION_TEXTS}

    return without(there, [start for start in left_out if not written(start)])


def _settle_untracked(
    run: Run,
    draft: Draft,
    intents: Sequence[Intent],
    links: Mapping[int, Link],
    rows: Mapping[str, CrmRow],
    items: Mapping[int, Observed],
) -> None:
    """Note that it was us who untracked what had left the filters, and no person (1.11)."""
    for link in (links[intent.link_id] for intent in intents if intent.agreed is None):
        row, item = rows.get(link.crm_id or ""), items.get(link.id)
        if row is None or item is None or link.seen is not Seen.PRESENT or link.origin is not Origin.CRM:
            continue
        if not in_scope(run, row) and not run.tracked(item.appointment.categories):
            draft.links.append(let_go(run, link, row, item))
            draft.entries.append(run.entry(link, "untracked in Outlook", "1.11", detail="found untracked"))


def _settle_deletions(
    run: Run, draft: Draft, intents: Sequence[Intent], links: Mapping[int, Link], rows: Mapping[str, CrmRow]
) -> None:
    """Keep the content of what was deleted before the crash; the links themselves go when that is observed."""
    items = [i for i in intents if i.verb is Write.DELETE_ITEM and i.link_id in links]
    read = run.replica.read([(links[i.link_id].folder, links[i.link_id].ref) for i in items]) if items else []
    gone = {i.id for i, found in zip(items, read, strict=True) if found is None}
    for intent in intents:
        link = links.get(intent.link_id)
        if link is None:
            continue
        if intent.verb is Write.DELETE and intent.crm_id not in rows and link.agreed is not None:
            draft.keep_deleted(link, Origin.CRM, link.agreed, "deleted")
            draft.removed.append(link.id)
            draft.entries.append(run.entry(link, "deleted", "A-25", detail="found gone"))
        elif intent.id in gone and link.observed is not None:
            draft.keep_deleted(link, Origin.EXCHANGE, link.observed, "deleted")
            draft.item_deleted(link, rows.get(intent.crm_id))
            draft.entries.append(run.entry(link, "deleted in Outlook", "A-11", detail="found gone"))
