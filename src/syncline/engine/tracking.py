"""Track one item now, with the check suppressed, as an add-in beside the calendar does (A-24, K-04), and untrack it.

Tracking is a narrow cycle of one meeting: find it, stage it with the answer Yes, carry the answer out. The item needs
no category from then on, until it is untracked the same way (L-12).
"""

from __future__ import annotations

from msgspec.structs import replace

from syncline.core.appointment import Identity
from syncline.engine import questions
from syncline.engine.applying import apply_all
from syncline.engine.deciding import decide
from syncline.engine.noticing import noticed
from syncline.engine.observing import blank, digest, observed_link
from syncline.engine.run import Connect, Parts, Run
from syncline.errors import SyncError
from syncline.ports import Changes, Entry, Light, Link, Observed


def track_now(parts: Parts, connect: Connect, mailbox_id: int, owner: str, identity: Identity, by: str) -> Link:
    """Find a meeting in the mailbox, save it whatever it overlaps, and return its link.

    Raises SyncError: NotFoundHere if no calendar folder holds it, MailboxHeld while another cycle runs, or what the
    calendar or the CRM says.
    """
    lease = parts.store.claim(mailbox_id, owner, parts.clock.now(), parts.rules.lease_s)
    mailbox = parts.store.mailbox(mailbox_id)
    if lease is None:
        raise SyncError("MailboxHeld", mailbox=mailbox.address)
    try:
        replica = connect(mailbox)
        try:
            run = Run(parts=parts, lease=lease, mailbox=mailbox, replica=replica)
            return _tracked(run, _found(run, identity), by)
        finally:
            replica.close()
    finally:
        parts.store.release(lease, mailbox.next_due, mailbox.next_due)


def untrack_now(parts: Parts, mailbox_id: int, owner: str, identity: Identity, by: str) -> None:
    """Cut the link of an item that was tracked by a request; the row stays (L-12, A-35).

    Raises SyncError: NotFoundHere if the mailbox tracks no such item, InvalidRequest if the category tracks it, because
    Syncline writes nothing to Exchange, MailboxHeld while another cycle runs.
    """
    lease = parts.store.claim(mailbox_id, owner, parts.clock.now(), parts.rules.lease_s)
    mailbox = parts.store.mailbox(mailbox_id)
    if lease is None:
        raise SyncError("MailboxHeld", mailbox=mailbox.address)
    try:
        link = _linked(parts, mailbox_id, identity)
        if not link.by_request:
            raise SyncError("InvalidRequest", detail="Remove the tracking category in Outlook; Syncline writes none.")
        standing = parts.store.open_alerts(mailbox_id, [link.id])
        now = parts.clock.now()
        alerts = [questions.ended(each, "untracked", now) for each in standing]
        entry = Entry(time=now, mailbox_id=mailbox_id, link_id=link.id, action="untracked", rule="L-12", detail=by)
        parts.store.write(lease, Changes(removed_links=[link.id], alerts=alerts, entries=[entry]))
    finally:
        parts.store.release(lease, mailbox.next_due, mailbox.next_due)


def _linked(parts: Parts, mailbox_id: int, identity: Identity) -> Link:
    mine = [link for link in parts.store.links_by_identity([identity]) if link.mailbox_id == mailbox_id]
    if not mine:
        raise SyncError("NotFoundHere", detail=f"tracked appointment {identity.global_object_id}")
    return min(mine, key=lambda link: (not link.by_request, link.id))


def _found(run: Run, identity: Identity) -> Observed:
    items = run.replica.find([identity.global_object_id]).get(identity.global_object_id, ())
    same = [item for item in items if item.appointment.identity == identity]
    if not same:
        raise SyncError("NotFoundHere", detail=f"appointment {identity.global_object_id} in {run.mailbox.address}")
    return min(same, key=lambda item: (str(item.appointment.created or ""), item.ref))


def _tracked(run: Run, item: Observed, by: str) -> Link:
    light = Light(ref=item.ref, folder=item.folder, revision=item.revision)
    known = run.store.links_by_ref(run.mailbox.id, [item.ref]).get(item.ref)
    link = replace(observed_link(run, known or blank(run, light), item), by_request=True)
    if link.crm_id is None:
        bound = digest(run, item.appointment)
        link = replace(link, decision="yes", decision_by=by, decided_digest=bound, revision_settled=None)
    line = run.entry(link, "tracked now", "A-24", detail=by)
    marks, of = noticed(run, [link])
    run.write(Changes(links=[link], entries=[line], entry_links={0: 0}, marks=marks, mark_links=of))
    stored = run.store.links_by_ref(run.mailbox.id, [item.ref])[item.ref]
    apply_all(run, decide(run, [stored]))
    return run.store.links_by_ref(run.mailbox.id, [item.ref])[item.ref]
