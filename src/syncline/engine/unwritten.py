"""What is recorded of decided actions that write nothing to the CRM: settled, joined, waiting, let go, skipped, failed.

One function for each verb, and each only adds to the draft of its chunk. Nothing here talks to a port.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from syncline.core.merging import differences
from syncline.core.planning import Verb
from syncline.engine.deciding import Decided, inside_series
from syncline.engine.flipping import OUTWARD
from syncline.engine.observing import row_content
from syncline.engine.run import Run
from syncline.engine.scoping import absent, anew, released
from syncline.engine.writing import Draft
from syncline.errors import SyncError
from syncline.ports import CrmRow, Link, LinkState, Seen

# What all copies of a meeting have in common; their show-as, people and notes may be their own.
_SHARED = frozenset({"span", "recurrence", "deleted", "subject", "location"})
COPY = "CopiedItemIgnored"
NOT_HERE = "deleted or untracked in Outlook"
"""Why nobody needs to answer about an item that this mailbox tracks no longer."""


def _settle(draft: Draft, decided: Decided) -> None:
    if _fails_outward(draft, decided):
        link = replace(decided.link, writes=True, doubted=False)
        if replace(link, revision_settled=link.revision, seen_settled=link.seen) != decided.link:
            draft.settle(link)
        return
    if decided.row is not None and decided.link.state not in (LinkState.SETTLED, LinkState.UNSETTLED):
        draft.note(decided, "settled")
    if decided.peer is not None and decided.peer.crm_id is None and decided.link.writes and decided.row is not None:
        _let_join_first(draft, decided)
        return
    if decided.peer is not None or inside_series(decided.link, decided.row):
        _hand_over(draft, decided)
        return
    link = replace(decided.link, writes=True, doubted=False)
    if decided.alert is not None or link.state in (LinkState.ASKED, LinkState.PARKED, LinkState.FAILED):
        draft.saved(decided, link, "back at the time that the CRM holds", outward=True)
    else:
        pending = link.crm_version != link.crm_version_seen
        state = LinkState.UNSETTLED if pending else LinkState.SETTLED
        link = replace(link, state=state, scheduling_digest=decided.digest, sync_error=None)
        # An answer to a question that was withdrawn meanwhile must not hold up the way to Exchange.
        draft.settle(replace(link, decision=None, decision_by=None, decided_digest="", decided_left_out=()))
        draft.quiet(decided, "it is in step")


def _fails_outward(draft: Draft, decided: Decided) -> bool:
    """Return whether the item is in step on this side and fails on the way to Exchange, which says how it goes on."""
    link = decided.link
    deciding = decided.peer is None and not inside_series(link, decided.row)
    fails = link.state is LinkState.FAILED and link.error_params.get("direction") == OUTWARD
    return draft.run.outgoing and deciding and fails


def _let_join_first(draft: Draft, decided: Decided) -> None:
    """Keep what was agreed until the copy that decides has joined the row: it begins from that (A-33a, 3.1)."""
    waiting = replace(decided.link, seen_settled=decided.link.seen, revision_settled=None)
    if waiting != decided.link:
        draft.links.append(waiting)


def _hand_over(draft: Draft, decided: Decided) -> None:
    """Let another copy decide from now on (A-33a): this one only holds a link and would start anew from the row."""
    link = replace(decided.link, agreed=None, writes=False, crm_version=decided.link.crm_version_seen)
    link = replace(link, crm_settled=link.crm_version_seen, doubted=False, withheld=None)
    if decided.link.writes:
        # While another copy decides files come and go without it; later nothing of that may look like a removal here.
        draft.files_anew.append(link.id)
    if decided.row is not None:
        link = replace(link, state=LinkState.SETTLED, sync_error=None, error_params={}, error_time=None)
    if decided.peer is not None:
        link = replace(link, left_out=decided.peer.left_out)
    draft.close(decided, "another person's calendar decides", over=True)
    link = replace(link, retries=0, next_try=None, decision=None, decided_digest="", decided_left_out=())
    if not _knows_more(decided):
        draft.settle(link)
    elif (kept := replace(link, seen_settled=link.seen, revision_settled=None)) != decided.link:
        draft.links.append(kept)


def _knows_more(decided: Decided) -> bool:
    """Return whether this copy tells of something that the row does not hold yet.

    It stays due until the deciding copy has brought that in, because it may go before it does (A-33a).
    """
    if decided.peer is None or decided.row is None or decided.candidate is None:
        return False
    return bool(differences(row_content(decided.row), decided.candidate) & _SHARED)


def _join(draft: Draft, decided: Decided) -> None:
    peer = decided.peer
    assert peer is not None
    link = replace(decided.link, crm_id=peer.crm_id, agreed=None, writes=False, sync_error=None)
    link = replace(link, crm_version=peer.crm_version, crm_version_seen=peer.crm_version_seen)
    link = replace(link, crm_settled=peer.crm_version_seen, withheld=None)
    link = replace(link, decision=None, decision_by=None, decided_digest="", decided_left_out=())
    link = replace(link, left_out=peer.left_out)
    if decided.link.writes:
        draft.files_anew.append(link.id)
    # Not settled: the next pass compares it with the row.
    draft.links.append(replace(link, state=LinkState.SETTLED, seen_settled=link.seen, revision_settled=None))
    draft.close(decided, "saved from another person's calendar", saved=True)
    draft.note(decided, "linked")


def _wait(draft: Draft, decided: Decided) -> None:
    """Show where the answer is awaited (Q-06); the link stays due and follows when the other copy is settled.

    Without another copy the question is past and nobody answered it: the item is looked at again when it changes.
    """
    if decided.peer is None:
        draft.settle(decided.link)
        return
    followed = decided.peer.state in (LinkState.ASKED, LinkState.KEPT_OUT)
    state = decided.peer.state if followed else LinkState.UNSETTLED
    code = decided.peer.sync_error if followed else None
    link = replace(decided.link, state=state, writes=False, sync_error=code, revision_settled=None)
    if link != decided.link:
        draft.links.append(link)
        if followed or link.decision != "yes":
            draft.close(decided, "asked in another person's mailbox", over=True)
        draft.note(decided, "waits for another mailbox")


def _hold(draft: Draft, decided: Decided) -> None:
    """Leave it due: a person is asked about it, or has just been (3.1).

    Of an item that is gone nobody needs to say any more whether to save it; if it comes back it is asked about anew.
    """
    if decided.link.seen is Seen.PRESENT or decided.alert is None:
        return
    link = replace(decided.link, state=LinkState.UNSETTLED, sync_error=None, error_params={}, error_time=None)
    link = replace(link, retries=0, next_try=None, revision_settled=None)
    draft.links.append(replace(link, decision=None, decision_by=None, decided_digest="", decided_left_out=()))
    draft.close(decided, "deleted in Outlook")
    draft.note(decided, "question withdrawn", rule="Q-01")


def _forget(draft: Draft, decided: Decided) -> None:
    if released(decided.link):
        # The row may be selected again meanwhile: then it is made anew, and what its item does not have yet is no loss.
        draft.files_anew.append(decided.link.id)
        draft.links.append(anew(decided.link))
        draft.close(decided, NOT_HERE, over=True)
        return
    draft.drop(decided, "forgotten", NOT_HERE)


def _unlink(draft: Draft, decided: Decided) -> None:
    draft.drop(decided, "unlinked", NOT_HERE)
    draft.links.extend(_awaited(draft, decided.link, decided.row))


def _awaited(draft: Draft, link: Link, row: CrmRow | None) -> tuple[Link, ...]:
    """Return a link without an item for the row of a copy that a reading that started anew did not find (A-02, 1.11).

    Nobody may have deleted it, and only its organizer can bring it back: what he sends is to be found, and until then
    a code says why nothing stands here. Of several dates of a series the last one that goes leaves that link.
    """
    run = draft.run
    if row is None or not link.doubted or link.seen is not Seen.GONE or run.people.organizes(row.appointment):
        return ()
    held = {each.id for each in run.store.links_by_crm_id(run.mailbox.id, [row.id])}
    return () if held - set(draft.removed) else absent(run, row)


def _keep_out(draft: Draft, decided: Decided) -> None:
    draft.keep_out(decided)


def _skip(draft: Draft, decided: Decided) -> None:
    if decided.action.code == COPY:
        decided = replace(decided, link=_compared(draft.run, decided.link))
    draft.skip(decided, decided.action.code or "")


def _compared(run: Run, link: Link) -> Link:
    """Let a copy remember what was agreed of the other item when it was found, in case it takes its place (L-11a)."""
    if link.agreed is not None:
        return link
    family = run.store.links_by_identity([link.identity], but=[link.id])
    ids = [each.id for each in family if each.mailbox_id == link.mailbox_id and each.seen is Seen.PRESENT]
    others = sorted(run.store.links_by_id(ids), key=lambda each: each.crm_id is None)
    # One that is found together with its copy has no row yet: as it is now it will be agreed.
    known = (each.agreed or (each.observed and run.projected(each.observed)) for each in others)
    return replace(link, agreed=next((each for each in known if each is not None), None))


def _fail(draft: Draft, decided: Decided) -> None:
    """Fail an item that a bug stopped, or that cannot be told from another one of the same calendar (L-11)."""
    known = decided.error or SyncError(
        decided.action.code or "InternalItemError",
        subject=decided.link.subject,
        detail="another item of the same calendar carries the same id",
    )
    draft.fail(decided, known)


SETTLING: dict[Verb, Callable[[Draft, Decided], None]] = {
    Verb.SETTLE: _settle,
    Verb.JOIN: _join,
    Verb.WAIT: _wait,
    Verb.FORGET: _forget,
    Verb.UNLINK: _unlink,
    Verb.KEEP_OUT: _keep_out,
    Verb.HOLD: _hold,
    Verb.SKIP: _skip,
    Verb.FAIL: _fail,
}
