"""The files of single appointments, both ways (D-05, D-06, R-07); nothing at all happens where the setting is off.

A link has its turn when its item or row has moved since its files were dealt with. Both sides are listed, contents
that nobody has read yet are read one by one, and the sets are merged; each step is noted before its call and settled
after it, so that a stop between the two neither loses nor doubles a file: the next turn lists both sides first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from msgspec.structs import replace

from syncline.core.attachments import Attached
from syncline.core.merging import PrivatePolicy
from syncline.engine.boundary import contain, item_error
from syncline.engine.files import Files, Moved
from syncline.engine.removing import Removing, removing
from syncline.engine.run import Run, notice
from syncline.errors import Scope, SyncError
from syncline.ports import Attachments, Changes, Link

CHUNK_MAX = 100
RETRY_MAX_S = 3_600.0


def go(run: Run, between: Callable[[Run], None]) -> None:
    """Bring the files of all links that are due in step; `between` is asked before each link whether to go on."""
    if run.rules.attachments is None:
        return
    removals = removing(run)
    after = 0
    while links := run.store.attachments_due(run.mailbox.id, run.now(), after, min(CHUNK_MAX, run.rules.chunk_max)):
        after = links[-1].id
        _chunk(run, removals, links, between)
        removals.ask()
    removals.finish()


def carries(run: Run, link: Link) -> bool:
    """Return whether files of a link are kept in step: never of series or their dates, nor of what is masked."""
    return _is_single(link) and not _is_masked(run, link)


def _is_single(link: Link) -> bool:
    seen = link.observed
    return seen is not None and seen.recurrence is None and link.identity.original_start is None


def _is_masked(run: Run, link: Link) -> bool:
    seen = link.observed
    return seen is not None and seen.private and run.rules.private is not PrivatePolicy.IMPORT


def _chunk(run: Run, removals: Removing, links: Sequence[Link], between: Callable[[Run], None]) -> None:
    known = run.store.attached([link.id for link in links])
    states = {link.id: known.get(link.id) or Attached(mailbox_id=link.mailbox_id, link_id=link.id) for link in links}
    fit = [link for link in links if carries(run, link)]
    bare = [link for link in links if _is_single(link) and _is_masked(run, link) and _has_any(states[link.id])]
    left = [replace(states[link.id], revision=link.revision, crm_version=link.crm_version_seen, next_try=None)
            for link in links if link not in fit and link not in bare]  # fmt: skip
    if left:
        run.write(Changes(attached=left))
    removals.dealt.update(each.link_id for each in left)
    between(run)
    for link, item, row in _listed(run, fit, bare):
        between(run)
        _one(run, removals, (link, states[link.id]), item, row)
        run.keep()


def _listed(
    run: Run, fit: Sequence[Link], bare: Sequence[Link]
) -> list[tuple[Link, Attachments | SyncError, Attachments | SyncError]]:
    """Return what is attached on both sides, by link; those are left out of which one side is gone."""
    items = dict(run.replica.attachments([link.ref for link in fit])) if fit else {}
    # The item of a masked appointment is not looked at: its files are nobody's business here.
    items |= {link.ref: Attachments(revision=link.revision, files=()) for link in bare}
    both = (*fit, *bare)
    rows = run.parts.crm.attachments([link.crm_id for link in both if link.crm_id is not None]) if both else {}
    return [
        (link, items[link.ref], rows[link.crm_id or ""])
        for link in both
        if link.ref in items and (link.crm_id or "") in rows
    ]


def _has_any(state: Attached) -> bool:
    return bool(state.agreed or state.pending)


def _one(
    run: Run,
    removals: Removing,
    of: tuple[Link, Attached],
    item: Attachments | SyncError,
    row: Attachments | SyncError,
) -> None:
    """Bring the files of one link in step; its failure is its own and tried again at growing pauses."""
    link, state = of
    if link.id in removals.refused:
        state = replace(state, agreed=(), pending=())

    def work() -> SyncError | None:
        for side in (item, row):
            if isinstance(side, SyncError):
                return _own(side)
        assert isinstance(item, Attachments)
        assert isinstance(row, Attachments)
        if (item.revision, row.revision) != (link.revision, str(link.crm_version_seen)):
            removals.failed.add(link.id)
            return None  # It has moved since it was observed; the next cycle sees how.
        removals.dealt.add(link.id)
        files = Files(run, removals, link, state, item, row)
        try:
            files.bring_in_step() if carries(run, link) else files.take_off()
        except Moved:
            removals.failed.add(link.id)
            return None
        except SyncError as error:
            return _own(error)
        return None

    error = contain(work, lambda bug: item_error(bug, link.subject), f"the files of item {link.id}")
    if error is not None:
        removals.failed.add(link.id)
        _put_off(run, link, error)


def _own(error: SyncError) -> SyncError:
    """Return an error that concerns one item alone; what concerns more is raised."""
    if error.row.scope is not Scope.ITEM:
        raise error
    return error


def _put_off(run: Run, link: Link, error: SyncError) -> None:
    """Note one failed try on what the state holds now: steps before it may have been done."""
    (now,) = run.store.links_by_id([link.id]) or (link,)
    state = run.store.attached([link.id]).get(link.id) or Attached(mailbox_id=link.mailbox_id, link_id=link.id)
    tries = state.tries + 1
    wait_s = min(error.retry_after_s or run.rules.retry_s * 4.0 ** min(tries - 1, 6), RETRY_MAX_S)
    later = replace(
        state,
        revision=now.revision,
        crm_version=now.crm_version_seen,
        tries=tries,
        next_try=run.now() + timedelta(seconds=wait_s),
    )
    told = run.entry(now, "files not in step", "D-05", detail=error.text)
    run.write(Changes(attached=[later], entries=[told], alerts=[notice(run, now, error)]))
