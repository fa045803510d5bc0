"""Answers from Outlook by category, and the category that a waiting item carries in its owner's calendar.

`take` takes the answers; `go` takes them too, then writes what items should carry, a chunk at a time: what may stand
there is noted before the call and what stands there after it, and every write names the revision that it was decided
on. A failure here is told and tried again, and never stops the mailbox. What an item says and should carry is decided
by `core.answering_by_category`; this module must not write to the CRM.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.answering_by_category import (
    Categorizing,
    CategoryNames,
    Item,
    Mark,
    Ruling,
    Standing,
    answers_on,
    carries,
    late_answers,
    rule,
)
from syncline.engine import alerts
from syncline.engine.observing import observe_items
from syncline.engine.run import Run
from syncline.errors import SyncError
from syncline.ports import Alert, AlertState, Categorized, Changes, Entry, Link, LinkState, Observed, Result, Seen

DENIED = "CategoriesNotWritable"
REFUSED = "answer in Outlook refused"
CHUNK_MAX = 100
RETRY_MAX_S = 3_600.0
DENIED_WAIT_S = 86_400.0
_DENIALS = frozenset({DENIED, "Forbidden"})
_OFFERED = (LinkState.KEPT_OUT, LinkState.PARKED)


class _Seen(Struct, frozen=True, gc=False):
    """What an item carries at one revision."""

    revision: str
    categories: tuple[str, ...]


class _Work(Struct, frozen=True, gc=False, kw_only=True):
    """One due mark with everything that its ruling needs; `item` None: the item is gone."""

    mark: Mark
    stands: str
    link: Link | None
    alert: Alert | None
    standing: Standing
    revision: str
    item: Item | None
    ruling: Ruling

    @property
    def writes(self) -> bool:
        """Return whether the item should carry other categories than it does."""
        return self.item is not None and self.ruling.wanted != self.item.categories


def take(run: Run) -> bool:
    """Take the answers that were given by category; return whether there was one to carry out."""
    taken = False
    if run.rules.outlook is not None:
        for works in _due(run):
            for work in works:
                taken = _answered(run, work) or taken
    return taken


def go(run: Run) -> bool:
    """Take answers; if there are none, write what items should carry. Return whether there is more to do now."""
    _begin(run)
    if take(run):
        return True
    again = False
    for works in _due(run):
        again = _write(run, works) or again
    return again


def would_mark(run: Run) -> str:
    """Return the category that an item gets when it is asked about, for the dry run; empty if none."""
    return run.rules.outlook.waiting if run.rules.outlook is not None and run.writable else ""


def still_told(run: Run, alert: Alert) -> bool:
    """Return whether the notice that categories cannot be set stands on: nothing could be written in this cycle."""
    return alert.code == DENIED and run.rules.outlook is not None and run.writable and not run.marked


# --- what is due -------------------------------------------------------------------------------------------------


def _begin(run: Run) -> None:
    """Note a mark for each question that has none yet; the answers that stand there already do not count for it."""
    if run.rules.outlook is None or not run.writable:
        return
    after = 0
    while ids := run.store.unmarked(run.mailbox.id, after, _chunk(run)):
        after = ids[-1]
        links = run.store.links_by_id(ids)
        marks = [Mark(mailbox_id=run.mailbox.id, link_id=link.id, ref=link.ref, folder=link.folder) for link in links]
        run.write(Changes(marks=marks))


def _until(run: Run) -> datetime:
    """Return until when tries are due: now, and all of them where the last sync is still to come.

    Then the clock was set back since, and what was put off would rest for as long as that.
    """
    now, last = run.now(), run.mailbox.last_sync
    return now if last is None or last <= now else last + timedelta(seconds=DENIED_WAIT_S)


def _due(run: Run) -> Iterator[list[_Work]]:
    names = run.rules.outlook
    waiting = names.waiting if names is not None else ""
    after, until = 0, _until(run)
    while found := run.store.marks_due(run.mailbox.id, waiting, until, after, _chunk(run)):
        if not run.writable:
            return
        if _adopted(run, [mark for mark, _ in found if mark.link_id is None]):
            continue
        after = found[-1][0].id
        yield [work for work in _works(run, found) if work is not None]


def _chunk(run: Run) -> int:
    return min(CHUNK_MAX, run.rules.chunk_max)


def _adopted(run: Run, orphans: Sequence[Mark]) -> bool:
    """Give marks whose link went to the link that follows the item now, as after a move; return whether any was."""
    links = run.store.links_by_ref(run.mailbox.id, [mark.ref for mark in orphans]) if orphans else {}
    if not links:
        return False
    marked = set(run.store.marks_of([link.id for link in links.values()]))
    changes = Changes()
    for mark in (each for each in orphans if each.ref in links):
        link = links[mark.ref]
        if link.id in marked:
            changes = replace(changes, removed_marks=(*changes.removed_marks, mark.id))
        else:
            marked.add(link.id)
            changes = replace(changes, marks=(*changes.marks, replace(mark, link_id=link.id, dealt="")))
    run.write(changes)
    return True


def _works(run: Run, found: Sequence[tuple[Mark, str]]) -> list[_Work | None]:
    ids = [mark.link_id for mark, _ in found if mark.link_id is not None]
    links = {link.id: link for link in run.store.links_by_id(ids)}
    questions = run.store.questions_about(ids)
    pairs = [(mark, links.get(mark.link_id or 0)) for mark, _ in found]
    read = _read(run, pairs)
    return [
        _work(run, mark, stands, link, questions.get(mark.link_id or 0), read.get(mark.id, _known(link)))
        for (mark, stands), (_, link) in zip(found, pairs, strict=True)
    ]


def _work(
    run: Run, mark: Mark, stands: str, link: Link | None, alert: Alert | None, seen: _Seen | SyncError | None
) -> _Work | None:
    """Return what is to be done about one mark; None: nothing now."""
    standing = _standing(link, alert)
    if link is not None and standing is not Standing.OVER and link.revision_settled != link.revision:
        return None  # The item changed and is planned first: what its question is about may change too.
    if isinstance(seen, SyncError):
        run.write(_put_off(run, mark, stands, link, seen))
        return None
    names = run.rules.outlook
    item = None
    if seen is not None:
        mark = mark if standing is Standing.OVER else _baseline(mark, alert, seen.categories, names)
        item = _item(mark, seen.categories)
    return _Work(
        mark=replace(mark, ref=link.ref, folder=link.folder) if link is not None else mark,
        stands=stands,
        link=link,
        alert=alert,
        standing=standing,
        revision=seen.revision if seen is not None else "",
        item=item,
        ruling=rule(standing, item, names) if item is not None else Ruling(wanted=()),
    )


def _standing(link: Link | None, alert: Alert | None) -> Standing:
    """Return which answers the question about an item still takes (Q-01, Q-04, CD-07)."""
    if link is None or alert is None or link.seen is not Seen.PRESENT or not link.writes:
        return Standing.OVER
    if link.state is LinkState.ASKED and link.decision is None:
        lapsed = Standing.OFFERED if alert.state is AlertState.LAPSED else Standing.OVER
        return Standing.OPEN if alert.state is AlertState.OPEN else lapsed
    kept_out = link.state in _OFFERED and link.decision == "no" and alert.state is AlertState.ANSWERED
    return Standing.OFFERED if kept_out and alert.answer == "no" else Standing.OVER


def _baseline(mark: Mark, alert: Alert | None, categories: tuple[str, ...], names: CategoryNames | None) -> Mark:
    """Return the mark about the question as it is now: what stands there before another question does not count.

    An answer that was taken off the item counts again once it is set anew.
    """
    if alert is None or (mark.question, mark.digest) == (alert.id, alert.digest):
        return replace(mark, stale=tuple(name for name in mark.stale if carries(categories, name)))
    stale = answers_on(_item(mark, categories), names) if names is not None else ()
    return replace(mark, question=alert.id, digest=alert.digest, stale=stale)


def _item(mark: Mark, categories: tuple[str, ...]) -> Item:
    return Item(categories=categories, ours=mark.names, stale=mark.stale, asked=mark.question is not None)


def _read(run: Run, found: Sequence[tuple[Mark, Link | None]]) -> dict[int, _Seen | SyncError | None]:
    """Read the items that no link observes: those untracked or given up. By mark; None: the item is gone."""
    unseen = [(mark, link) for mark, link in found if _known(link) is None]
    if not unseen:
        return {}
    answers = run.replica.read([(link.folder, link.ref) if link else (mark.folder, mark.ref) for mark, link in unseen])
    return {
        mark.id: _Seen(answer.revision, answer.appointment.categories) if isinstance(answer, Observed) else answer
        for (mark, _), answer in zip(unseen, answers, strict=True)
    }


def _known(link: Link | None) -> _Seen | None:
    """Return how the last observation saw an item; None if it has to be read."""
    if link is None or link.observed is None or link.seen is not Seen.PRESENT:
        return None
    return _Seen(link.revision, link.observed.categories)


# --- answers -----------------------------------------------------------------------------------------------------


def _answered(run: Run, work: _Work) -> bool:
    """Take the answer that an item carries as its owner's; one that does not count any more is told (Q-04)."""
    names, given, alert = run.rules.outlook, work.ruling.answer, work.alert
    if names is None or given is None or alert is None or work.item is None:
        return False
    now, by = run.now(), _owner(run)  # asked here: the CRM may be slow, and `judge` holds the state

    def judge(found: Alert, link: Link | None) -> Alert | SyncError:
        return alerts.judge(found, link, given, alert.version, now) or alerts.answered(found, given, by, now)

    (outcome,) = run.store.decide([alert.id], judge)
    refused = isinstance(outcome, SyncError)
    entries = [run.entry(work.link, REFUSED, "Q-04", detail=outcome.text)] if isinstance(outcome, SyncError) else []
    # Taken or refused: should the question be asked anew, the same category answers it no more.
    taken = tuple(dict.fromkeys((*work.mark.stale, *answers_on(work.item, names))))
    run.write(Changes(marks=[replace(work.mark, stale=taken, dealt="")], entries=entries))
    return not refused


def _owner(run: Run) -> str:
    """Return who answers by a category: the owner of the mailbox, in whose calendar it was set."""
    named = next((user.full_name for user in run.parts.crm.users() if user.name == run.mailbox.user), "")
    return f"{named or run.mailbox.user} in Outlook"


# --- categories --------------------------------------------------------------------------------------------------


def _write(run: Run, works: Sequence[_Work]) -> bool:
    """Bring one chunk of items to what they should carry; return whether an item had changed meanwhile."""
    writing = [work for work in works if work.writes]
    if writing:
        run.write(Changes(marks=[_noted(run, work) for work in writing]))
    outcomes = _categorized(run, writing)
    results = dict(zip((work.mark.id for work in writing), outcomes, strict=True))
    run.marked = run.marked or any(each.result is Result.SAVED for each in outcomes)
    denied = [each.error for each in outcomes if each.error is not None and each.error.code in _DENIALS]
    together = _together([_outcome(run, work, results.get(work.mark.id)) for work in works])
    run.write(replace(together, alerts=[_notice(run, error) for error in denied[:1]]))
    run.keep()
    stale = [work for work in writing if results[work.mark.id].result is Result.STALE]
    observe_items(run, [work.link for work in stale if work.link is not None])
    return bool(stale)


def _together(changes: Sequence[Changes]) -> Changes:
    """Return the changes of a chunk as one transaction."""
    return Changes(
        links=[link for change in changes for link in change.links],
        marks=[mark for change in changes for mark in change.marks],
        removed_marks=[number for change in changes for number in change.removed_marks],
        entries=[entry for change in changes for entry in change.entries],
    )


def _noted(run: Run, work: _Work) -> Mark:
    """Return the mark before the write: everything that may stand on the item by us, and nothing dealt with."""
    names = run.rules.outlook
    added = (names.waiting,) if names is not None and carries(work.ruling.wanted, names.waiting) else ()
    return replace(work.mark, names=tuple(dict.fromkeys((*work.mark.names, *added))), dealt="")


def _categorized(run: Run, works: Sequence[_Work]) -> list[Categorized]:
    """Carry a chunk through the port; a request that fails as a whole is the failure of each, tried again later."""
    if not works:
        return []
    try:
        return run.replica.categorize([_change(work) for work in works])
    except SyncError as error:
        return [Categorized(result=Result.FAILED, error=error)] * len(works)


def _change(work: _Work) -> Categorizing:
    before, wanted = work.item.categories if work.item else (), work.ruling.wanted
    return Categorizing(
        ref=work.mark.ref,
        folder=work.mark.folder,
        revision=work.revision,
        before=before,
        add=tuple(name for name in wanted if name not in before),
        remove=tuple(name for name in before if name not in wanted),
    )


def _outcome(run: Run, work: _Work, result: Categorized | None) -> Changes:
    """Return what one item's outcome changes in the state; None: nothing had to be written."""
    if result is None or result.result is Result.SAVED:
        return _dealt(run, work, result)
    if result.error is None:
        return Changes(marks=[_noted(run, work)])
    return _put_off(run, _noted(run, work), work.stands, work.link, result.error)


def _dealt(run: Run, work: _Work, result: Categorized | None) -> Changes:
    entries = _told(run, work)
    links = [_rewritten(work, result)] if result is not None and result.revision and _known(work.link) else []
    names = run.rules.outlook
    over = work.standing is Standing.OVER and not _follows(work)
    if over or work.item is None or names is None:
        return Changes(links=links, removed_marks=[work.mark.id], entries=entries)
    mark = replace(
        work.mark,
        names=(names.waiting,) if carries(work.ruling.wanted, names.waiting) else (),
        stale=tuple(name for name in work.mark.stale if carries(work.ruling.wanted, name)),
        dealt=work.stands,
        revision=(result.revision if result is not None else "") or (work.link.revision if work.link else ""),
        tries=0,
        next_try=None,
    )
    return Changes(links=links, marks=[mark], entries=entries)


def _follows(work: _Work) -> bool:
    """Return whether an item whose question is over is still looked at: an answer after a Yes is told and taken off."""
    return (
        work.link is not None
        and work.alert is not None
        and work.alert.answer == "yes"
        and _known(work.link) is not None
    )


def _rewritten(work: _Work, result: Categorized) -> Link:
    """Return the link after our own write, as the next reading would find it: it is no news and costs nothing."""
    link = work.link
    assert link is not None and link.observed is not None
    settled = link.revision_settled == link.revision
    return replace(
        link,
        revision=result.revision,
        revision_settled=result.revision if settled else link.revision_settled,
        observed=replace(link.observed, categories=work.ruling.wanted),
    )


def _told(run: Run, work: _Work) -> list[Entry]:
    """Return the lines of the journal: what was written to Exchange, and why an answer there did not count."""
    names = run.rules.outlook
    if work.link is None or work.item is None:
        return []
    lines = []
    if names is not None and work.ruling.unclear:
        both = f"{names.save_anyway} and {names.keep_out} are both set; remove one of them"
        lines.append(run.entry(work.link, "answer in Outlook not clear", "Q-01", detail=both))
    if names is not None and work.standing is Standing.OVER and work.alert is not None and work.item.asked:
        late = late_answers(work.item, names, work.alert.answer)
        said = f"{', '.join(late)} came too late and was taken off"
        lines += [run.entry(work.link, REFUSED, "Q-04", detail=said)] if late else []
    on, off = _change(work).add, _change(work).remove
    if on:
        lines.append(run.entry(work.link, "marked in Outlook", "Q-01", detail=", ".join(on)))
    elif off:
        lines.append(run.entry(work.link, "mark taken off in Outlook", "Q-01", detail=", ".join(off)))
    return lines


# --- failures ----------------------------------------------------------------------------------------------------


def _notice(run: Run, error: SyncError) -> Alert:
    now = run.now()
    params = {"mailbox": run.mailbox.address, "detail": error.params.get("detail", "")}
    return Alert(mailbox_id=run.mailbox.id, code=DENIED, params=params, created=now, last_seen=now)


def _put_off(run: Run, mark: Mark, stands: str, link: Link | None, error: SyncError) -> Changes:
    """Return the mark after one failed try: tried again when item or question change, and at growing pauses.

    Where the account may not write, they grow to a day. A mark whose item Syncline follows no longer is given up.
    """
    tries = mark.tries + 1
    if link is None and tries >= run.rules.attempts_max:
        return Changes(removed_marks=[mark.id])
    longest_s = DENIED_WAIT_S if error.code in _DENIALS else RETRY_MAX_S
    wait_s = min(error.retry_after_s or run.rules.retry_s * 4.0 ** min(tries - 1, 6), longest_s)
    revision = link.revision if link is not None else ""
    again = run.now() + timedelta(seconds=wait_s)
    return Changes(marks=[replace(mark, dealt=stands, revision=revision, tries=tries, next_try=again)])
