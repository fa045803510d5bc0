"""Carry out one chunk of actions towards Exchange: intents stored, one port call, outcomes stored (design.md 4).

A write whose answer is lost leaves its intent; the next cycle looks whether it happened (`settling`) and never sends it
again blindly. One bad item fails alone. It decides nothing that `core.pushing` has decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from msgspec.structs import replace

from syncline.core.appointment import Appointment
from syncline.core.merging import advance, differences
from syncline.core.outgoing import ItemCreation, ItemDeletion, ItemUpdate, ItemWrite
from syncline.core.pushing import Verb
from syncline.engine.boundary import contain, item_error
from syncline.engine.flipping import OUTWARD, flips_too_often, turned
from syncline.engine.linking import (
    as_seen,
    brought_back,
    dealt,
    in_common,
    left_out_no_more,
    let_go,
    made,
    skipped,
    still_out,
    taken_back,
    withheld,
)
from syncline.engine.noticing import noticed
from syncline.engine.observing import observed_link
from syncline.engine.outgoing import Outward
from syncline.engine.overtaking import keeping, taking_items_back
from syncline.engine.run import Run, failed, notice
from syncline.engine.scoping import released, unsettled
from syncline.engine.shortening import tell_shortened
from syncline.engine.writing import Draft
from syncline.errors import SyncError
from syncline.ports import Changes, Intent, LinkState, Observed, Origin, Result, Seen, Written
from syncline.ports import Verb as Write

WRITES = {
    Verb.CREATE: Write.CREATE_ITEM,
    Verb.UPDATE: Write.UPDATE_ITEM,
    Verb.UNTRACK: Write.UPDATE_ITEM,
    Verb.TRACK: Write.UPDATE_ITEM,
    Verb.DELETE: Write.DELETE_ITEM,
}
GROUPS = (Verb.DELETE, Verb.UNTRACK, Verb.TRACK, Verb.UPDATE, Verb.CREATE)


def apply_outgoing(run: Run, chunk: Sequence[Outward]) -> None:
    """Carry out one chunk; its writes are one call."""
    draft, since = Draft(run), run.now()
    fresh: list[ItemDeletion] = []
    writes = [each for each in chunk if each.write is not None and each.action.verb in WRITES]
    for each in chunk:
        if each not in writes:
            _SETTLING[each.action.verb](draft, each)
    ready = [each for each in writes if not _parked(draft, each)]
    intents = [_intent(run, each) for each in ready]
    if intents:
        _remember(run, ready)
        run.store.begin(run.lease, intents, {})
        draft.intents_done = [intent.id for intent in intents]
        sent = [_keyed(run, each, intent) for each, intent in zip(ready, intents, strict=True)]
        outcomes = _written(run, sent)
        fresh = _made_now(ready, outcomes)
        for each, outcome in zip(ready, outcomes, strict=True):
            _recorded(draft, each, outcome)
    _quieten(draft, chunk)
    tell_shortened(draft, chunk)
    with taking_items_back(run, fresh), keeping(run, draft.trash, since):
        run.write(draft.changes())


def key_of(run: Run, intent_id: str) -> str:
    """Return the key that a new item carries: who made it, for which mailbox, by which intent (L-11a)."""
    return f"{run.parts.installation}/{run.mailbox.address}/{intent_id}"


def _remember(run: Run, ready: Sequence[Outward]) -> None:
    """Keep with what new items are made: where the answer is lost, both sides may be edited before they are found."""
    links = [replace(each.link, agreed=each.content) for each in ready if each.action.verb is Verb.CREATE]
    if links:
        run.write(Changes(links=links))


def _intent(run: Run, outward: Outward) -> Intent:
    return Intent(
        id=run.parts.new_id(),
        mailbox_id=run.mailbox.id,
        link_id=outward.link.id,
        verb=WRITES[outward.action.verb],
        crm_id=outward.link.crm_id or "",
        created=run.now(),
        agreed=_agreed(outward) if outward.action.verb is Verb.UPDATE else None,
    )


def _agreed(outward: Outward) -> Appointment:
    """Return what both sides hold once an update is done."""
    assert outward.link.agreed is not None
    assert outward.content is not None
    return advance(outward.link.agreed, outward.content, outward.action.fields)


def _keyed(run: Run, outward: Outward, intent: Intent) -> ItemWrite:
    write = outward.write
    assert write is not None
    if isinstance(write, ItemCreation) or (isinstance(write, ItemUpdate) and intent.agreed and _at_once(write)):
        return replace(write, key=key_of(run, intent.id))
    return write


def _at_once(write: ItemUpdate) -> bool:
    """Return whether an update is one request, so that an item with its key has all of it; dates go one by one."""
    return write.before.recurrence is None and write.after.recurrence is None


def _written(run: Run, writes: Sequence[ItemWrite]) -> list[Written]:
    """Carry a chunk through the port; after a bug what was made already is looked for, and the rest sent one by one.

    Revisions make the repetition harmless for what was there before, and keys for what is new.
    """

    def one_by_one() -> list[Written]:
        keys = [write.key for write in writes if isinstance(write, ItemCreation)]
        there = run.replica.find_keys(keys) if keys else {}
        return [
            Written(result=Result.SAVED, item=there[write.key])
            if isinstance(write, ItemCreation) and write.key in there
            else contain(lambda w=write: run.replica.write([w])[0], _bug, "a write to Exchange")  # type: ignore[misc]
            for write in writes
        ]

    return contain(lambda: run.replica.write(writes), lambda _: one_by_one(), "a chunk of writes to Exchange")


def _made_now(ready: Sequence[Outward], outcomes: Sequence[Written]) -> list[ItemDeletion]:
    """Return how the items that were just made would be deleted again, if nobody comes to know of them."""
    return [
        ItemDeletion(
            ref=outcome.item.ref,
            folder=outcome.item.folder,
            revision=outcome.item.revision,
            content=outcome.item.appointment,
            mailing=each.action.mailing,
        )
        for each, outcome in zip(ready, outcomes, strict=True)
        if each.action.verb is Verb.CREATE and outcome.item is not None
    ]


def _bug(bug: Exception) -> Written:
    return Written(result=Result.FAILED, error=item_error(bug, ""))


def _recorded(draft: Draft, outward: Outward, outcome: Written) -> None:
    link = outward.link

    def record() -> None:
        _keep_dates(draft, outward, outcome)
        _OUTCOMES[outcome.result](draft, outward, outcome)

    contain(
        record,
        lambda bug: _fail(draft, outward, item_error(bug, link.subject)),
        f"item {link.id}",
    )


def _keep_dates(draft: Draft, outward: Outward, outcome: Written) -> None:
    """Keep what stood in the dates that an update removed, also where it came no further: dates go one by one."""
    before, content, item = outward.link.observed, outward.content, outcome.item
    if outward.action.verb is Verb.UPDATE and before is not None and content is not None and item is not None:
        after = item.appointment
        draft.keep_dates(outward.link, Origin.EXCHANGE, before, after, set(after.deleted) & set(content.deleted))


def _saved(draft: Draft, outward: Outward, outcome: Written) -> None:
    run, link, verb = draft.run, outward.link, outward.action.verb
    if verb is Verb.DELETE or outcome.item is None:
        # A series that has lost its last date goes by itself.
        if link.observed is not None:
            draft.keep_deleted(link, Origin.EXCHANGE, link.observed, "edited" if _edited(outward) else "deleted")
        draft.item_deleted(link, outward.row if verb is Verb.DELETE else None)
        run.counts.deleted += 1
        _note(draft, outward, "deleted in Outlook")
        return
    if verb is Verb.UNTRACK:
        _let_go(draft, outward, outcome.item)
        _note(draft, outward, "untracked in Outlook")
        return
    if verb is Verb.TRACK:
        back = as_seen(run, taken_back(run, outward, outcome.item), outcome.item)
        draft.links.append(back)
        # Nobody has looked at the item since it was untracked.
        draft.marks.extend(noticed(run, [back])[0])
        _note(draft, outward, "tracked again in Outlook")
        return
    assert outward.content is not None
    if verb is Verb.CREATE:
        draft.links.append(made(run, link, outcome.item, outward))
        draft.made_instead(draft.links[-1])
        run.counts.saved += 1
        _note(draft, outward, "made in Outlook")
        return
    agreed = _agreed(outward)
    link = replace(link, agreed=agreed, left_out=still_out(link, agreed))
    seen = as_seen(run, turned(run, dealt(link, outward), outward=True), outcome.item)
    draft.links.append(left_out_no_more(seen))
    run.counts.updated += 1
    _note(draft, outward, "updated in Outlook")


def _stale(draft: Draft, outward: Outward, _: Written) -> None:
    """Leave it: the change that came between is told by the next delta, and then it is decided anew."""
    _note(draft, outward, "item changed meanwhile")


def _failing(draft: Draft, outward: Outward, outcome: Written) -> None:
    error = outcome.error or SyncError("InternalItemError", subject=outward.link.subject, detail=outcome.result.value)
    link = outward.link
    if outcome.item is not None and link.seen is Seen.PRESENT:
        outward = replace(outward, link=observed_link(draft.run, link, outcome.item))
    elif outcome.item is not None and outward.content is not None:
        # A series stands, and not all its dates could be written: what is missing there is no edit of the calendar.
        content = in_common(outward.content, draft.run.projected(outcome.item.appointment))
        link = made(draft.run, link, outcome.item, replace(outward, content=content))
        draft.made_instead(link)
        outward = replace(outward, link=link)
    _fail(draft, outward, SyncError(error.code, retry_after_s=error.retry_after_s, **error.params))


_OUTCOMES: dict[Result, Callable[[Draft, Outward, Written], None]] = {
    Result.SAVED: _saved,
    Result.STALE: _stale,
    Result.FAILED: _failing,
}


def _fail(draft: Draft, outward: Outward, error: SyncError) -> None:
    """Count one failed try; it is tried again at growing distance, then only when the row changes (5.6)."""
    run, link = draft.run, outward.link
    tried = failed(run, link, error)
    tried = replace(tried, error_params={**tried.error_params, "direction": OUTWARD}, crm_settled=unsettled(link))
    draft.links.append(tried)
    draft.alerts.append(notice(run, link, error))
    _note(draft, outward, "failed", detail=error.text)
    run.counts.failed += 1


def _parked(draft: Draft, outward: Outward) -> bool:
    """Leave an item alone that is changed back again and again by both sides (hard-problems 4, item 3)."""
    link = outward.link
    if outward.action.verb is not Verb.UPDATE or not flips_too_often(draft.run, link):
        return False
    _fail(draft, outward, SyncError("ChangesBackAndForth", subject=link.subject, crm=draft.run.rules.crm_name))
    draft.links[-1] = replace(draft.links[-1], next_try=None)
    return True


# --- without a write ----------------------------------------------------------------------------------------------


def _settle(draft: Draft, outward: Outward) -> None:
    if released(outward.link):
        _let_go(draft, outward, None)
        return
    link = dealt(brought_back(draft.run, outward), outward)
    joined = not link.writes and outward.incoming is not None and outward.incoming.peer is not None
    # A copy that only joined a row agrees on nothing: should it step in, it begins where the deciding one was (A-33a).
    draft.links.append(replace(link, agreed=None) if joined else link)


def _wait(_: Draft, __: Outward) -> None:
    """Leave it: Exchange has something to bring in first, or a person is asked."""


def _close(draft: Draft, outward: Outward) -> None:
    """Keep the item in Outlook although its row is gone (A-11); Outlook does not make it anew (A-36)."""
    draft.links.append(skipped(draft.run, dealt(outward.link, outward), "ClosedInCrm"))
    _note(draft, outward, "skipped", detail="ClosedInCrm")
    draft.run.counts.skipped += 1


def _untrack(draft: Draft, outward: Outward) -> None:
    _let_go(draft, outward, None)
    _note(draft, outward, "unlinked")


def _forget(draft: Draft, outward: Outward) -> None:
    draft.removed.append(outward.link.id)
    _note(draft, outward, "forgotten")


def _skip(draft: Draft, outward: Outward) -> None:
    code = outward.action.code or ""
    draft.links.append(skipped(draft.run, dealt(outward.link, outward), code))
    _note(draft, outward, "skipped", detail=code)
    draft.run.counts.skipped += 1


def _await(draft: Draft, outward: Outward) -> None:
    """Look for the invitation again, at growing distance; then only when the row changes (A-02)."""
    run, link = draft.run, outward.link
    tries = link.retries + 1
    if tries >= run.rules.attempts_max and outward.action.rule == "A-02":
        _skip(draft, outward)
        return
    tries = min(tries, run.rules.attempts_max)
    code = outward.action.code or ""
    if link.sync_error != code:
        _note(draft, outward, "skipped", detail=code)
    waiting = skipped(run, link, code)
    again = run.now() + timedelta(seconds=run.rules.retry_s * tries)
    draft.links.append(replace(waiting, retries=tries, next_try=again))


def _adopt(draft: Draft, outward: Outward) -> None:
    """Link the item of the row's identity that stands in the calendar already; what both hold flows from now on."""
    run, link, item = draft.run, outward.link, outward.found
    assert item is not None and outward.row is not None
    held = run.store.links_by_ref(run.mailbox.id, [item.ref])
    if held:
        _forget(draft, outward)
        return
    taken = replace(
        dealt(link, outward),
        agreed=run.projected(item.appointment),
        state=LinkState.SETTLED,
        sync_error=None,
        retries=0,
        next_try=None,
        by_request=not run.tracked(item.appointment.categories),
        writes=False,
    )
    adopted = as_seen(run, taken, item)
    draft.links.append(adopted)
    # Without the tracking category no reading of the folder has staged it.
    draft.marks.extend(noticed(run, [adopted])[0])
    _note(draft, outward, "linked")


def _failed(draft: Draft, outward: Outward) -> None:
    error = outward.error or SyncError(
        outward.action.code or "InternalItemError", subject=outward.link.subject, crm=draft.run.rules.crm_name
    )
    _fail(draft, outward, error)


_SETTLING: dict[Verb, Callable[[Draft, Outward], None]] = {
    Verb.SETTLE: _settle,
    Verb.WAIT: _wait,
    Verb.ASK_ORGANIZER: _wait,
    Verb.ASK_DELETION: _wait,
    Verb.CLOSE: _close,
    Verb.UNTRACK: _untrack,
    Verb.FORGET: _forget,
    Verb.SKIP: _skip,
    Verb.AWAIT: _await,
    Verb.ADOPT: _adopt,
    Verb.FAIL: _failed,
}


# --- inside -------------------------------------------------------------------------------------------------------


def _edited(outward: Outward) -> bool:
    agreed, decided = outward.link.agreed, outward.incoming
    candidate = decided.candidate if decided is not None else None
    return agreed is not None and candidate is not None and bool(differences(agreed, candidate))


def _let_go(draft: Draft, outward: Outward, item: Observed | None) -> None:
    link = replace(outward.link, withheld=withheld(outward.link, outward))
    draft.links.append(let_go(draft.run, link, outward.row, item))


def _quieten(draft: Draft, chunk: Sequence[Outward]) -> None:
    """Withdraw the notices about items that failed on the way to Exchange and do so no more (5.6)."""
    failing = {link.id for link in draft.links if link.state is LinkState.FAILED}
    over = [
        each.link.id
        for each in chunk
        if each.link.sync_error is not None and each.link.id not in failing and each.action.verb is not Verb.WAIT
    ]
    if over:
        draft.withdraw_notices(over, "it is in step")


def _note(draft: Draft, outward: Outward, action: str, *, detail: str = "") -> None:
    rule, fields = outward.action.rule, outward.action.fields
    told = detail or "; ".join(f"{mail.kind.value} to {mail.to}" for mail in outward.mails)
    draft.entries.append(draft.run.entry(outward.link, action, rule, fields=fields, detail=told))
