"""One sync cycle of one mailbox, step by step (design.md section 4): claim, observe, match, plan, guard, apply, record.

It knows ports only. Nothing is lost when the process dies on any line: what was read is staged with its cursor, what
was written has an intent, and every write is guarded by an id or a version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from msgspec import Struct, field
from msgspec.structs import replace

from syncline.core.filters import digest
from syncline.core.merging import differences
from syncline.core.planning import Verb
from syncline.engine import (
    attaching,
    diverging,
    holding,
    mailboxes,
    marking,
    organization,
    questions,
    refusing,
    withdrawing,
)
from syncline.engine.applying import apply_all
from syncline.engine.boundary import contain
from syncline.engine.candidates import GROUPS, WRITES, adding_clashes, candidate_of
from syncline.engine.deciding import Decided, Order, asked_as, decide, order_of, order_of_new
from syncline.engine.guarding import Light, finish_released, guard
from syncline.engine.matching import confirm_gone
from syncline.engine.observing import observe_crm, observe_exchange, observe_items, row_content, unseen
from syncline.engine.preview import plan
from syncline.engine.pushing import push
from syncline.engine.run import Connect, Counts, Parts, PlanLine, Run
from syncline.engine.scoping import released
from syncline.engine.settling import settle_intents
from syncline.errors import SyncError
from syncline.ports import (
    Approval,
    Changes,
    Lease,
    Link,
    LinkState,
    Mailbox,
    Seen,
)

PASSES_MAX = 3
MARKINGS_MAX = 3
SCAN = 500
ANSWERS_MAX = 200


class CycleResult(Struct, frozen=True, gc=False, kw_only=True):
    """What one cycle did; `plan` is filled by a dry run.

    `claimed` False: none ran, because a living owner holds the mailbox or because it is switched off.
    """

    mailbox_id: int
    claimed: bool = True
    counts: Counts = field(default_factory=Counts)
    error: SyncError | None = None
    plan: tuple[PlanLine, ...] = ()


class _SwitchedOff(Exception):  # noqa: N818 (no error: somebody wanted it)
    """The mailbox was switched off while its cycle ran."""


class _Planned(Struct, frozen=True, gc=False):
    """One light row of the plan: enough to guard and to order it."""

    link_id: int
    verb: Verb
    seen: Seen
    linked: bool
    order: Order
    doubted: bool = False


def run_cycle(parts: Parts, connect: Connect, mailbox_id: int, owner: str, *, rest_s: float = 0.0) -> CycleResult:
    """Run one full cycle: answers first, then everything since the cursors; failures of the mailbox are recorded.

    Less than `rest_s` seconds after the last full cycle only answers are carried out; the rest waits for its time.
    A mailbox that is switched off is left alone, however it came to be queued; one that is switched off meanwhile is
    left before its next chunk or answer.
    """
    if not parts.store.mailbox(mailbox_id).enabled:
        return CycleResult(mailbox_id=mailbox_id, claimed=False)
    lease = parts.store.claim(mailbox_id, owner, parts.clock.now(), parts.rules.lease_s)
    if lease is None:
        return CycleResult(mailbox_id=mailbox_id, claimed=False)
    mailbox = parts.store.mailbox(mailbox_id)
    counts = Counts()
    next_due: datetime | None = mailbox.next_due
    error: SyncError | None = None
    try:
        next_due = _cycle(parts, connect, lease, mailbox, counts, rest_s)
    except _SwitchedOff:
        pass  # Nothing is lost: what was read is staged, and what was answered waits.
    except SyncError as caught:
        error = caught
        if caught.code != "LeaseLost":
            next_due = _failed(parts, lease, caught)
    finally:
        parts.store.release(lease, next_due, mailbox.next_due)
    return CycleResult(mailbox_id=mailbox_id, counts=counts, error=error)


def record_failure(parts: Parts, mailbox_id: int, owner: str, error: SyncError) -> None:
    """Record a failure that no cycle could record itself, so that the mailbox is not due again at once."""
    lease = parts.store.claim(mailbox_id, owner, parts.clock.now(), parts.rules.lease_s)
    if lease is not None:
        before = parts.store.mailbox(mailbox_id).next_due
        parts.store.release(lease, _failed(parts, lease, error), before)


def plan_cycle(parts: Parts, connect: Connect, mailbox_id: int, owner: str) -> CycleResult:
    """Observe and plan both directions; neither side is written to, and nobody is asked (sync --dry-run)."""
    lease = parts.store.claim(mailbox_id, owner, parts.clock.now(), parts.rules.lease_s)
    if lease is None:
        return CycleResult(mailbox_id=mailbox_id, claimed=False)
    mailbox = parts.store.mailbox(mailbox_id)
    replica = None
    try:
        replica = connect(mailbox)
        run = Run(parts=parts, lease=lease, mailbox=mailbox, replica=replica, dry=True)
        settle_intents(run)
        observe_exchange(run, lambda _: None)
        observe_crm(run, lambda _: None)
        return CycleResult(mailbox_id=mailbox_id, plan=_preview(run))
    except SyncError as error:
        return CycleResult(mailbox_id=mailbox_id, error=error)
    finally:
        if replica is not None:
            replica.close()
        parts.store.release(lease, mailbox.next_due, mailbox.next_due)


def _cycle(parts: Parts, connect: Connect, lease: Lease, mailbox: Mailbox, counts: Counts, rest_s: float) -> datetime:
    if mailbox.approval is not Approval.APPROVED:
        raise SyncError("MailboxNotApproved", mailbox=mailbox.address)
    replica = connect(mailbox)
    try:
        run = Run(parts=parts, lease=lease, mailbox=mailbox, replica=replica, counts=counts)
        organization.check(run)
        settle_intents(run)
        _carry_out_answers(run)
        last, now = mailbox.last_sync, run.now()
        # A last cycle that is still to come means that the clock was set back: that is no rest.
        if last is not None and last <= now < last + timedelta(seconds=rest_s):
            return last + timedelta(seconds=rest_s)
        observe_exchange(run, _between_pages)
        observe_crm(run, _between_pages)
        withdrawing.go(run, _require_enabled)
        if marking.take(run):
            _carry_out_answers(run)
        for _ in range(PASSES_MAX):
            if not _pass(run):
                break
        finish_released(run)
        _push(run)
        _end_questions(run)
        _mark(run)
        # What fails about files must not undo what is done: the first sync, its cursor and its filters are recorded.
        next_due = _record(run)
        attaching.go(run, _require_enabled)
        return next_due
    finally:
        replica.close()


def _push(run: Run) -> None:
    """Carry the CRM's side over, and see at once what that made.

    A server tells of a deletion only to who has been told of the item, and its owner may delete it before the next one.
    """
    before = run.counts.saved
    push(run)
    if run.counts.saved > before:
        observe_exchange(run, lambda _: None)


def _end_questions(run: Run) -> None:
    """End the questions about single items and restored sides that are carried out, or that nobody needs to answer."""
    holding.withdraw_others(run)
    holding.finish(run, (holding.RESTORED, holding.DIVERGED, holding.OVERRULED), _to_be_brought_in)


def _to_be_brought_in(link: Link) -> bool:
    return link.revision_settled != link.revision or link.seen_settled is not link.seen


def _mark(run: Run) -> None:
    """Bring the categories of waiting items up to date, and carry out what was answered by one meanwhile."""
    for _ in range(MARKINGS_MAX):
        if not marking.go(run):
            return
        _carry_out_answers(run)


def _between_pages(run: Run) -> None:
    """Keep the mailbox and carry out answers while a long reading goes on."""
    run.keep()
    _carry_out_answers(run)


def _carry_out_answers(run: Run) -> None:
    """Carry out given answers in a narrow cycle: read just those items, then plan and apply as always (Q-01, Q-02).

    What is in doubt after a reading that started anew is left to the full cycle, which holds it (A-25).
    """
    after = 0
    while links := run.store.answered_links(run.mailbox.id, ANSWERS_MAX, after):
        after = links[-1].id
        _require_enabled(run)
        living = observe_items(run, links)
        fresh = run.store.links_by_id([link.id for link in links if link.id in living])
        standing = [link for link in fresh if link.seen is Seen.PRESENT and not unseen(link) and not _doubtful(link)]
        apply_all(run, decide(run, sorted(standing, key=order_of)))
        run.keep()


def _doubtful(link: Link) -> bool:
    """Return whether what was seen of a link last is in doubt; of what was asked about since nothing is."""
    return link.doubted and link.revision_settled != link.revision


def _require_enabled(run: Run) -> None:
    """Leave the mailbox alone from here on if somebody has switched it off meanwhile."""
    if not run.store.mailbox(run.mailbox.id).enabled:
        raise _SwitchedOff


def _pass(run: Run) -> bool:
    """Plan everything that is due and apply it; return whether another pass may find more to do."""
    _read_again(run)
    planned = _plan(run)
    held = guard(run, [Light(p.link_id, p.verb, p.seen) for p in planned if p.linked])
    held |= _in_doubt(run, [p for p in planned if p.link_id not in held])
    todo = [p for p in sorted(planned, key=attrgetter("order")) if p.link_id not in held]
    for kind in (None, *GROUPS):
        ids = [p.link_id for p in todo if WRITES.get(p.verb) is kind]
        for at in range(0, len(ids), run.rules.chunk_max):
            _carry_out_answers(run)
            _apply_chunk(run, ids[at : at + run.rules.chunk_max])
    return any(p.verb in WRITES or p.verb is Verb.JOIN for p in todo)


def _in_doubt(run: Run, planned: Sequence[_Planned]) -> frozenset[int]:
    """Hold what would delete or overwrite rows after a reading that started anew; a No leaves the rows as they are."""
    ids = tuple(p.link_id for p in planned if p.doubted and p.linked and p.verb in WRITES)
    weighed = holding.weigh(run, [holding.Danger(code=holding.RESTORED, links=ids, heavy=ids)])
    if weighed.dropped and not run.dry:
        refusing.refuse(run, list(weighed.dropped), holding.RESTORED)
    return weighed.held | frozenset(weighed.dropped)


def _apply_chunk(run: Run, ids: Sequence[int]) -> None:
    """Decide the chunk again on fresh links, since an answer or an earlier chunk may have changed it, and apply it."""
    _require_enabled(run)
    links = {link.id: link for link in run.store.links_by_id(ids) if not unseen(link)}
    apply_all(run, decide(run, [links[i] for i in ids if i in links]))
    run.keep()


def _plan(run: Run) -> list[_Planned]:
    planned = _new(run)
    for page, links in enumerate(_due(run, but_new=True)):
        if page or planned:
            _carry_out_answers(run)
        quiet = [link for link in links if _waits(link)]
        stirring = [link for link in links if not _waits(link)]
        for decided in (*_asked_about(run, decide(run, stirring)), *_freed(run, quiet)):
            link = decided.link
            linked = link.crm_id is not None and not released(link)
            doubted = link.doubted and _overwrites(decided)
            planned.append(_Planned(link.id, decided.action.verb, link.seen, linked, order_of(link), doubted=doubted))
    return planned


def _overwrites(decided: Decided) -> bool:
    """Return whether carrying it out would change what the row holds, or delete it."""
    row, candidate = decided.row, decided.candidate
    return row is None or candidate is None or bool(differences(row_content(row), candidate))


def _asked_about(run: Run, decided: Sequence[Decided]) -> list[Decided]:
    """Ask about items that only a person can decide, and decide about those anew that somebody has answered (3.1)."""
    held = [each for each in decided if each.action.verb is Verb.HOLD]
    if not held:
        return list(decided)
    torn = [each for each in held if each.link.seen is Seen.PRESENT]
    deleted = [each for each in held if each.link.seen is not Seen.PRESENT]
    diverged = holding.ask(run, holding.DIVERGED, [diverging.about_divergence(run, each) for each in torn])
    overruled = holding.ask(run, holding.OVERRULED, [diverging.about_deletion(run, each) for each in deleted])
    known = {each.link.id: asked_as(each.link, each.row) for each in held}
    run.said.diverged.update({known[number]: answer for number, answer in diverged.items()})
    run.said.overrule.update({known[number]: answer == "yes" for number, answer in overruled.items()})
    again = [each.link for each in held if each.link.id in diverged or each.link.id in overruled]
    fresh = {each.link.id: each for each in decide(run, again)}
    return [fresh.get(each.link.id, each) for each in decided]


def _due(run: Run, *, but_new: bool = False) -> Iterator[list[Link]]:
    after = 0
    while links := run.store.due_links(run.mailbox.id, run.now(), after, SCAN, but_new=but_new):
        after = links[-1].id
        gone = {link.id for link in links if link.seen is Seen.GONE}
        confirmed = confirm_gone(run, [link for link in links if link.id in gone])
        moved = run.store.links_by_id(sorted(gone - {link.id for link in confirmed}))
        yield [link for link in (*[one for one in links if one.id not in gone], *confirmed, *moved) if not unseen(link)]


def _new(run: Run) -> list[_Planned]:
    """Return the links seen for the first time: no guard weighs them, and their chunk decides about them."""
    planned: list[_Planned] = []
    while links := run.store.new_links(run.mailbox.id, planned[-1].link_id if planned else 0, SCAN):
        if planned:
            _carry_out_answers(run)
        planned.extend(_Planned(each.id, Verb.BOOK, Seen.PRESENT, False, order_of_new(each)) for each in links)
    return planned


def _waits(link: Link) -> bool:
    """Return whether a link only waits for an answer: nothing about it has moved since it was asked."""
    settled = link.revision_settled == link.revision and link.seen_settled == link.seen
    return link.state is LinkState.ASKED and link.decision is None and settled and not link.crm_gone


def _freed(run: Run, links: Sequence[Link]) -> list[Decided]:
    """Return the waiting links whose clash has gone (Q-05); lets those lapse whose time is over (CD-07)."""
    if not links:
        return []
    lapsed = _let_lapse(run, links)
    decided = [d for d in decide(run, links) if d.link.id not in lapsed]
    asked = [d for d in decided if d.action.check]
    unchecked = [d for d in decided if not d.action.check and d.action.verb is not Verb.WAIT]
    if not run.crm_moved or not asked:
        return unchecked
    return [*unchecked, *_free(run, asked)]


def _free(run: Run, asked: Sequence[Decided]) -> list[Decided]:
    """Return those that add no clash now (Q-05, Q-08): what a row overlaps already keeps no question open.

    After a bug each is checked alone, and the one at fault waits on.
    """

    def alone(decided: Decided) -> list[Decided]:
        return contain(lambda: checked([decided]), lambda _: [], f"the check of item {decided.link.id}")

    def checked(some: Sequence[Decided]) -> list[Decided]:
        verdicts = run.parts.crm.validate([candidate_of(run.rules, run.mailbox, d) for d in some], run.rules.conflict)
        adding = adding_clashes(run, some, verdicts)
        return [d for d, adds in zip(some, adding, strict=True) if not adds]

    return contain(lambda: checked(asked), lambda _: [d for each in asked for d in alone(each)], "a check")


def _let_lapse(run: Run, links: Sequence[Link]) -> frozenset[int | None]:
    """Let the questions lapse whose last clash is over (CD-07) and return their links."""
    standing = run.store.open_alerts(run.mailbox.id, [link.id for link in links])
    over = [alert for each in standing if (alert := questions.lapsed(run, each)) is not None]
    if over and not run.dry:
        run.write(Changes(alerts=over))
    return frozenset(alert.link_id for alert in over)


def _read_again(run: Run) -> None:
    """Read items again whose content could not be read before and whose next try has come."""
    for links in _due_unread(run):
        observe_items(run, links)


def _due_unread(run: Run) -> list[list[Link]]:
    found: list[list[Link]] = []
    after = 0
    while links := run.store.unread_links(run.mailbox.id, run.now(), after, SCAN):
        after = links[-1].id
        found.append(list(links))
    return found


def _record(run: Run) -> datetime:
    """Write statistics, forget failures (B-06) with their notices, and return the next due time (S-06)."""
    now, rules = run.now(), run.rules
    done = mailboxes.after_success(run.mailbox, now, worked=run.counts.worked)
    done = replace(done, first_sync_done=True, crm_cursor=run.crm_cursor)
    # Where nothing is written now, writing begins anew later: with all rows, a question, and no mail.
    done = replace(done, filters=digest(run.filters) if run.outgoing else "")
    standing = [alert for alert in run.store.open_alerts(done.id) if not marking.still_told(run, alert)]
    run.write(Changes(mailbox=done, alerts=mailboxes.withdrawn_notices(standing, now)))
    return mailboxes.next_due_after(
        done, now, min_s=rules.interval_min_s, step_s=rules.interval_step_s, max_s=rules.interval_max_s
    )


def _preview(run: Run) -> tuple[PlanLine, ...]:
    """Return the plan of both directions in words; what a guard would hold and what would be asked is said so."""
    lines = plan(run, _due(run), lambda links: _asked_about(run, decide(run, links)))
    return withdrawing.foreseen(run, lines)


def _answered(parts: Parts, mailbox_id: int) -> frozenset[int]:
    """Return the links whose answer is not carried out yet, however many were answered together."""
    found: list[int] = []
    while links := parts.store.answered_links(mailbox_id, ANSWERS_MAX, found[-1] if found else 0):
        found.extend(link.id for link in links)
    return frozenset(found)


def _failed(parts: Parts, lease: Lease, error: SyncError) -> datetime | None:
    """Record a failure of the whole mailbox and return when it is due again (B-01 to B-07)."""
    now = parts.clock.now()
    mailbox = parts.store.mailbox(lease.mailbox_id)
    standing = parts.store.open_alerts(mailbox.id)
    after = mailboxes.after_failure(mailbox, error, now, standing)
    waiting = _answered(parts, mailbox.id)
    alerts = [questions.not_yet(a, error) for a in standing if a.link_id in waiting and a.answer == "yes"]
    if after.alert is not None:
        alerts.append(after.alert)
    try:
        parts.store.write(lease, Changes(mailbox=after.mailbox, alerts=alerts, disable=after.disable, decided=True))
    except SyncError as lost:
        if lost.code != "LeaseLost":
            raise
    return after.next_due
