"""Track one item now, with the check suppressed, as an add-in beside the calendar does (A-24, K-04).

It is a narrow cycle of one meeting: find it, stage it with the answer Yes, carry the answer out. The item needs no
category from then on.
"""

from __future__ import annotations

from dataclasses import replace

from syncline.core.appointment import Identity
from syncline.engine.applying import apply_all
from syncline.engine.deciding import decide
from syncline.engine.observing import blank, digest, observed_link
from syncline.engine.run import Connect, Parts, Run
from syncline.errors import SyncError
from syncline.ports import Changes, Light, Link, Observed


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
    run.write(Changes(links=[link], entries=[run.entry(link, "tracked now", "A-24", detail=by)]))
    stored = run.store.links_by_ref(run.mailbox.id, [item.ref])[item.ref]
    apply_all(run, decide(run, [stored]))
    return run.store.links_by_ref(run.mailbox.id, [item.ref])[item.ref]
