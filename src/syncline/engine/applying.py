"""Step 6 of a cycle: carry out one chunk of decided actions.

One transaction stores the intents, one port call carries the chunk, one transaction stores the outcomes, drops the
intents and writes the journal. One bad item fails alone. It decides nothing that `core.planning` has decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from syncline.core.appointment import Appointment, Status
from syncline.core.merging import Merge, advance, differences, held, merge
from syncline.core.planning import Verb
from syncline.core.scheduling import Person, Verdict
from syncline.engine.boundary import contain, item_error
from syncline.engine.candidates import (
    GROUPS,
    WRITES,
    adding_clashes,
    as_written,
    busy_now,
    candidate_of,
    checks,
    content_of,
    merged_of,
    stands,
    target_of,
)
from syncline.engine.deciding import Decided
from syncline.engine.flipping import turned
from syncline.engine.observing import row_content
from syncline.engine.overtaking import keeping, taking_back
from syncline.engine.run import Run
from syncline.engine.scoping import EARLIER, UNSETTLED, resumed
from syncline.engine.unwritten import SETTLING
from syncline.engine.writing import Draft, written
from syncline.errors import SyncError
from syncline.ports import (
    Booking,
    Deletion,
    Intent,
    Link,
    LinkState,
    OnSchedulingConflict,
    Origin,
    Outcome,
    Reschedule,
    Result,
)
from syncline.ports import Verb as Write

_REASONS = {"A-34": "the appointment was canceled", "Q-08": "saved", "A-23": "nobody is double-booked any more"}
Item = TypeVar("Item")
_BY_SETTING = (OnSchedulingConflict.SAVE_ANYWAY, OnSchedulingConflict.KEEP_OUT)


def apply_all(run: Run, decided: Sequence[Decided]) -> None:
    """Carry out decided actions: what writes nothing to the CRM, then deletions, updates, creations (Q-09)."""
    for kind in (None, *GROUPS):
        chunk = [each for each in decided if WRITES.get(each.action.verb) is kind]
        if chunk:
            apply(run, chunk)


def apply(run: Run, chunk: Sequence[Decided]) -> None:
    """Carry out one chunk; all its writes are of one kind, or none of it writes to the CRM."""
    draft, since = Draft(run), run.now()
    writes = [decided for decided in chunk if decided.action.verb in WRITES]
    for decided in chunk:
        if decided.action.verb not in WRITES:
            SETTLING[decided.action.verb](draft, decided)
    begun = _begin(run, writes)
    if begun:
        draft.intents_done = [intent.id for _, intent in begun]
        _write(run, draft, [decided for decided, _ in begun], [intent for _, intent in begun])
    with taking_back(run, draft.made), keeping(run, draft.trash, since):
        run.write(draft.changes())
    for mailbox_id in draft.woken:
        run.store.wake(mailbox_id, run.now())


def _begin(run: Run, writes: Sequence[Decided]) -> list[tuple[Decided, Intent]]:
    """Store the intents and return them; an item whose answer was taken back meanwhile is decided anew next time."""
    now = run.now()
    noted = [(decided, _intent(run, decided, now)) for decided in writes]
    if not noted:
        return []
    rests_on = {intent.id: decided.rests_on for decided, intent in noted if decided.rests_on}
    stored = run.store.begin(run.lease, [intent for _, intent in noted], rests_on)
    return [(replace(decided, key=intent.id), intent) for decided, intent in noted if intent.id in stored]


def booked(run: Run, draft: Draft, decided: Decided, outcome: Outcome, *, outward: bool = False) -> None:
    """Record that a row now exists for the link; also used when an intent turns out to have happened.

    `outward`: somebody has touched the row since, so that it is to be looked at for Exchange.
    """
    link = replace(
        decided.link,
        crm_id=outcome.id,
        agreed=decided.candidate,
        crm_version=outcome.version,
        crm_version_seen=outcome.version,
        crm_gone=False,
        crm_settled=UNSETTLED if outward else decided.link.crm_settled,
    )
    draft.saved(decided, link, _reason(decided), outward=outward)
    draft.note(decided, "saved")
    run.counts.saved += 1


def _intent(run: Run, decided: Decided, now: datetime) -> Intent:
    fresh = run.parts.new_id()
    return Intent(
        id=fresh,
        mailbox_id=run.mailbox.id,
        link_id=decided.link.id,
        verb=WRITES[decided.action.verb],
        crm_id=decided.link.crm_id or fresh,
        created=now,
        agreed=_agreed(decided),
    )


def _agreed(decided: Decided) -> Appointment | None:
    """Return what both sides hold once a row is written, so that after a crash it is known (3.1).

    Of a new row it is noted only where an answer that comes meanwhile may leave out dates of its series.
    """
    agreed, content = decided.link.agreed, decided.candidate
    if WRITES[decided.action.verb] is Write.BOOK and content is not None and content.recurrence is not None:
        return content if decided.alert is not None or decided.waiting else None
    if WRITES[decided.action.verb] is not Write.RESCHEDULE or agreed is None:
        return None
    target = target_of(decided)
    return advance(agreed, target, differences(agreed, target))


def _write(run: Run, draft: Draft, writes: Sequence[Decided], intents: Sequence[Intent]) -> None:
    kind = intents[0].verb
    if kind is Write.BOOK:
        _book(run, draft, writes, intents)
    elif kind is Write.RESCHEDULE:
        _reschedule(run, draft, writes)
    else:
        _delete(run, draft, writes)


# --- a bug stops one item ---------------------------------------------------------------------------------------


def _each(items: Sequence[Item], call: Callable[[Sequence[Item]], list[Outcome]]) -> list[Outcome]:
    """Carry a chunk through the port; after a bug each item alone. Ids and versions make the repetition harmless."""

    def alone(item: Item) -> Outcome:
        return contain(lambda: call([item])[0], _bug, "a write")

    return contain(lambda: call(items), lambda _: [alone(item) for item in items], "a chunk of writes")


def _bug(bug: Exception) -> Outcome:
    return Outcome(result=Result.FAILED, error=item_error(bug, ""))


def _alone(draft: Draft, decided: Decided, work: Callable[[], None]) -> None:
    """Do what concerns one item; a bug fails that item (design.md 8)."""
    link = decided.link
    contain(work, lambda bug: draft.fail(decided, item_error(bug, link.subject)), f"item {link.id}")


# --- book ------------------------------------------------------------------------------------------------------


def _book(run: Run, draft: Draft, writes: Sequence[Decided], intents: Sequence[Intent]) -> None:
    bookings = [_booking(run, decided, intent.crm_id) for decided, intent in zip(writes, intents, strict=True)]
    outcomes = _each(bookings, lambda some: run.parts.crm.book(some, run.rules.conflict))
    for decided, booking, outcome in zip(writes, bookings, outcomes, strict=True):
        _alone(draft, decided, partial(_booking_outcome, run, draft, decided, booking, outcome))


def _booking(run: Run, decided: Decided, row_id: str) -> Booking:
    appointment, check = content_of(decided), decided.action.check
    # What nothing was agreed about is what the item says, and whom that makes busy is known.
    people = decided.busy if decided.link.agreed is None else None
    return Booking(
        id=row_id,
        candidate=as_written(run.rules, run.mailbox, decided, appointment, check=check, people=people),
        owner=run.people.organizer_user(appointment) or run.mailbox.user,
        status=Status.CANCELED if appointment.canceled else None,
    )


def _booking_outcome(run: Run, draft: Draft, decided: Decided, booking: Booking, outcome: Outcome) -> None:
    match outcome.result:
        case Result.SAVED:
            made = Deletion(id=outcome.id, version=outcome.version)
            draft.made.append((booking.candidate.appointment.identity, made))
            booked(run, draft, decided, outcome)
        case Result.EXISTS if outcome.id == booking.id:
            booked(run, draft, decided, outcome)
        case Result.EXISTS:
            joined = replace(
                decided.link,
                crm_id=outcome.id,
                agreed=None,
                writes=True,
                state=LinkState.UNSETTLED,
                revision_settled=None,
                left_out=decided.shared,
            )
            joined = replace(joined, sync_error=None, decision=None, decided_digest="", decided_left_out=())
            draft.links.append(_taking_over(run, joined))
            draft.close(decided, "it stands in the CRM already", saved=True)
            draft.note(decided, "linked", rule="A-33")
        case Result.UNAVAILABLE:
            _refused(run, draft, decided, booking, outcome.verdict or Verdict())
        case Result.CLOSED:
            draft.skip(decided, "ClosedInCrm")
        case _:
            draft.fail(decided, _error(run, decided, outcome))


def _taking_over(run: Run, link: Link) -> Link:
    """Let a copy that decides from now on begin from what another person's copy last brought into the row.

    What people changed in the CRM since must not look like a change of this copy, and goes its way (3.1);
    what they changed before the other calendar was written to is asked about first (decision 0029).
    """
    if not run.outgoing:
        return link
    family = run.store.links_by_identity([link.identity])
    others = [each.id for each in family if each.id != link.id and each.crm_id == link.crm_id and each.writes]
    before = next((each for each in run.store.links_by_id(others) if each.agreed is not None), None)
    if before is None:
        return link
    return replace(
        link,
        agreed=before.agreed,
        crm_version=UNSETTLED,  # of an edit that the other copy might not carry over
        crm_version_seen=before.crm_version_seen,
        crm_settled=resumed(before) if _begun(run, before) else EARLIER,
        withheld=None,
    )


def _begun(run: Run, link: Link) -> bool:
    """Return whether the calendar of a link is written to already, so that what it left waiting is marked."""
    return bool(run.store.mailbox(link.mailbox_id).filters)


def _setting(run: Run, draft: Draft, decided: Decided, verdict: Verdict) -> OnSchedulingConflict:
    """Return what the mailbox's setting says (Q-10); answer rules come first, and they answer what is asked."""
    setting = run.mailbox.on_scheduling_conflict or run.rules.on_scheduling_conflict
    by_setting = setting in _BY_SETTING and draft.rule_for(decided, verdict) is None
    return setting if by_setting else OnSchedulingConflict.ASK


def _voided(run: Run, draft: Draft, decided: Decided, verdict: Verdict) -> tuple[Decided, Verdict]:
    """Return what is asked anew if more dates overlap than an answer leaves out: about all, that answer void."""
    if not decided.leaving or decided.whole is None:
        return decided, verdict
    draft.note(decided, "answer void", rule="Q-02", detail="more dates overlap by now")
    whole = replace(decided, candidate=decided.whole, busy=decided.whole_busy, leaving=())
    whole = replace(whole, written_digest=decided.digest)
    fresh = run.parts.crm.validate([candidate_of(run.rules, run.mailbox, whole)], run.rules.conflict)[0]
    return whole, fresh if fresh.unavailable else verdict


def _refused(run: Run, draft: Draft, decided: Decided, booking: Booking, verdict: Verdict) -> None:
    """Ask, or do at first sight what the mailbox's setting says (Q-10)."""
    decided, verdict = _voided(run, draft, decided, verdict)
    setting = _setting(run, draft, decided, verdict)
    link = decided.link
    undecided = link.state in (LinkState.UNSETTLED, LinkState.FAILED) or link.decision_by == "setting"
    first_sight = decided.alert is None and undecided
    if not first_sight or setting not in _BY_SETTING:
        draft.ask(decided, decided.link, verdict)
    elif setting is OnSchedulingConflict.KEEP_OUT:
        draft.keep_out(decided, by_setting=True)
    else:
        anyway = replace(booking, candidate=replace(booking.candidate, check=False))
        outcome = run.parts.crm.book([anyway], run.rules.conflict)[0]
        draft.note(decided, "saved anyway", rule="Q-10", detail="by setting")
        _booking_outcome(run, draft, decided, anyway, outcome)


# --- reschedule ------------------------------------------------------------------------------------------------


def _reschedule(run: Run, draft: Draft, writes: Sequence[Decided]) -> None:
    todo: list[tuple[Decided, Merge, Reschedule]] = []

    def prepare(decided: Decided) -> None:
        merged = merged_of(decided)
        if decided.row is not None and stands(decided, merged):
            _rescheduled(run, draft, decided, merged, decided.row.version)
        else:
            check = checks(run, decided, merged)
            parked = decided.row if decided.action.verb is Verb.PARK else None
            people = busy_now(run, parked, merged.content) if parked is not None else None
            todo.append((decided, merged, _change(run, decided, merged.content, check=check, people=people)))

    for decided in writes:
        _alone(draft, decided, partial(prepare, decided))
    changes = [change for _, _, change in todo]
    outcomes = _each(changes, lambda some: run.parts.crm.reschedule(some, run.rules.conflict)) if changes else []
    for (decided, merged, _), outcome in zip(todo, outcomes, strict=True):
        _alone(draft, decided, partial(_reschedule_outcome, run, draft, decided, merged, outcome))


def _change(
    run: Run, decided: Decided, content: Appointment, *, check: bool, people: tuple[Person, ...] | None = None
) -> Reschedule:
    row = decided.row
    candidate = as_written(run.rules, run.mailbox, decided, content, check=check, people=people)
    return Reschedule(
        id=row.id if row else decided.link.crm_id or "",
        version=row.version if row else decided.link.crm_version_seen,
        candidate=replace(candidate, row_id=decided.link.crm_id),
        status=Status.CANCELED if decided.action.verb is Verb.CANCEL else None,
        key=decided.key,
    )


def _reschedule_outcome(run: Run, draft: Draft, decided: Decided, merged: Merge, outcome: Outcome) -> None:
    match outcome.result:
        case Result.SAVED:
            _rescheduled(run, draft, decided, merged, outcome.version)
        case Result.UNAVAILABLE:
            _reschedule_refused(run, draft, decided, merged, outcome.verdict or Verdict())
        case Result.STALE:
            draft.links.append(replace(decided.link, revision_settled=None))
            draft.note(decided, "row changed meanwhile")
        case Result.CLOSED:
            draft.skip(decided, "ClosedInCrm")
        case _:
            draft.fail(decided, _error(run, decided, outcome))


def _rescheduled(run: Run, draft: Draft, decided: Decided, merged: Merge, version: int) -> None:
    agreed = decided.link.agreed
    assert agreed is not None
    won = merged.diverged - decided.crm_wins
    if won:
        draft.note(decided, "both sides changed, Exchange wins", rule="3.1", detail=", ".join(sorted(won)))
    if merged.diverged - won:
        kept = ", ".join(sorted(merged.diverged - won))
        draft.note(decided, "both sides changed, the CRM wins", rule="3.1", detail=kept)
    if merged.lost:
        starts = ", ".join(f"{start:%Y-%m-%d %H:%M} UTC" for start in merged.lost)
        draft.note(decided, "dates have no place in the moved series", rule="3.1", detail=starts)
    if decided.row is not None:
        gone = set(merged.content.deleted).difference(decided.link.left_out, decided.leaving)
        draft.keep_dates(decided.link, Origin.CRM, row_content(decided.row), merged.content, gone)
    link = written(decided.link, advance(agreed, target_of(decided), merged.fields), merged.content, version)
    if decided.action.verb is Verb.PARK:
        draft.keep_out(replace(decided, link=link))
        return
    draft.saved(decided, turned(run, link, outward=False), _reason(decided))
    draft.note(decided, "canceled" if decided.action.verb is Verb.CANCEL else "updated")
    run.counts.updated += 1


def _reschedule_refused(run: Run, draft: Draft, decided: Decided, merged: Merge, verdict: Verdict) -> None:
    """Hold the scheduling group and ask; a change that adds no new clash does not ask again (Q-08, pages.md)."""
    agreed, row = decided.link.agreed, decided.row
    assert agreed is not None and row is not None
    if not adding_clashes(run, [decided], [verdict])[0]:
        _write_unchecked(run, draft, decided, merged)
        return
    decided, verdict = _voided(run, draft, decided, verdict)
    setting = _setting(run, draft, decided, verdict)
    if setting is OnSchedulingConflict.SAVE_ANYWAY and decided.alert is None:
        draft.note(decided, "saved anyway", rule="Q-10", detail="by setting")
        _write_unchecked(run, draft, decided, merged)
        return
    link = _with_texts_written(run, draft, decided, merged)
    if link is None:
        return
    if setting is OnSchedulingConflict.KEEP_OUT and decided.alert is None:
        draft.keep_out(replace(decided, link=link), by_setting=True)
    else:
        draft.ask(decided, link, verdict)


def _with_texts_written(run: Run, draft: Draft, decided: Decided, merged: Merge) -> Link | None:
    """Write what is not held (Q-08) and return the link; None if that write had another outcome, which is recorded."""
    agreed, row, link = decided.link.agreed, decided.row, decided.link
    assert agreed is not None and row is not None
    target = held(agreed, content_of(decided))
    texts = merge(agreed, target, row_content(row), decided.crm_wins)
    if not texts.fields:
        return link
    # It is not all that the intent says, and goes without its key.
    keyless = replace(decided, key="")
    change = _change(run, keyless, texts.content, check=False, people=busy_now(run, row, texts.content))
    outcome = run.parts.crm.reschedule([change], run.rules.conflict)[0]
    if outcome.result is not Result.SAVED:
        _reschedule_outcome(run, draft, decided, merged, outcome)
        return None
    return written(link, advance(agreed, target, texts.fields), texts.content, outcome.version)


def _write_unchecked(run: Run, draft: Draft, decided: Decided, merged: Merge) -> None:
    change = _change(run, decided, merged.content, check=False)
    _reschedule_outcome(run, draft, decided, merged, run.parts.crm.reschedule([change], run.rules.conflict)[0])


# --- delete ----------------------------------------------------------------------------------------------------


def _delete(run: Run, draft: Draft, writes: Sequence[Decided]) -> None:
    deletions = [
        Deletion(id=decided.row.id, version=decided.row.version) for decided in writes if decided.row is not None
    ]
    outcomes = _each(deletions, run.parts.crm.delete)
    for decided, outcome in zip([d for d in writes if d.row is not None], outcomes, strict=True):
        match outcome.result:
            case Result.SAVED:
                _keep_deleted(draft, decided)
                draft.drop(decided, "deleted", "deleted in Outlook")
                run.counts.deleted += 1
            case Result.STALE:
                draft.note(decided, "row changed meanwhile")
            case Result.CLOSED:
                draft.drop(decided, "unlinked", "deleted in Outlook")
            case _:
                draft.fail(decided, _error(run, decided, outcome))


def _keep_deleted(draft: Draft, decided: Decided) -> None:
    """Keep the content of a row that is deleted, for people to bring back (hard-problems 4, item 9)."""
    row, agreed = decided.row, decided.link.agreed
    assert row is not None
    edited = agreed is not None and bool(differences(agreed, row_content(row)))
    draft.keep_deleted(decided.link, Origin.CRM, row.appointment, "edited" if edited else "deleted")


# --- inside ------------------------------------------------------------------------------------------------------


def _reason(decided: Decided) -> str:
    return _REASONS.get(decided.action.rule, "saved")


def _error(run: Run, decided: Decided, outcome: Outcome) -> SyncError:
    known = outcome.error
    if known is not None:
        return SyncError(
            known.code, retry_after_s=known.retry_after_s, **{**known.params, "subject": decided.link.subject}
        )
    subject = decided.link.subject
    return SyncError("CrmRefused", subject=subject, crm=run.rules.crm_name, detail=outcome.result.value)
