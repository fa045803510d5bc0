"""Step 3 of a cycle: an item that vanished may only have moved. Gone counts only after a search found nothing.

An ItemId changes when an item moves between folders and may change on Accept (ews-facts.md), so Delete and Create of
one identity is a move: the old link takes the new address and keeps everything it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from syncline.core.leaving_out import without
from syncline.core.merging import PATTERN, differences
from syncline.engine.noticing import noticed
from syncline.engine.observing import observed_link
from syncline.engine.run import Run
from syncline.engine.scoping import UNSETTLED, resumed
from syncline.errors import Scope, SyncError
from syncline.ports import Changes, Link, LinkState, Observed, Seen

FIND_MAX = 100


def confirm_gone(run: Run, links: Sequence[Link]) -> tuple[Link, ...]:
    """Return the links that are really gone; those found elsewhere are relinked or seen as untracked."""
    gone = [link for link in links if link.seen is Seen.GONE]
    confirmed: list[Link] = []
    for at in range(0, len(gone), FIND_MAX):
        batch = gone[at : at + FIND_MAX]
        found = _find(run, sorted({link.identity.global_object_id for link in batch}))
        searched = [link for link in batch if link.identity.global_object_id in found]
        confirmed.extend(_relink(run, searched, found))
    return tuple(confirmed)


def _find(run: Run, ids: Sequence[str]) -> dict[str, tuple[Observed, ...]]:
    """Return what was found for each id that could be searched; one that cannot be read is not gone."""
    try:
        found = run.replica.find(ids)
    except SyncError as error:
        if error.row.scope is not Scope.ITEM:
            raise
        if len(ids) == 1:
            return {}
        return {name: items for one in ids for name, items in _find(run, [one]).items()}
    return {one: found.get(one, ()) for one in ids}


def _relink(run: Run, gone: Sequence[Link], found: Mapping[str, tuple[Observed, ...]]) -> list[Link]:
    refs = [item.ref for items in found.values() for item in items]
    holders = run.store.links_by_ref(run.mailbox.id, refs) if refs else {}
    confirmed, moved, removed = [], [], []
    taken: set[str] = set()
    for link in gone:
        item = _elsewhere(link, found, holders, taken)
        if item is None:
            confirmed.append(link)
            continue
        taken.add(item.ref)
        holder = holders.get(item.ref)
        if holder is not None and holder.id != link.id:
            removed.append(holder)
        seen = _taking_the_place(run, observed_link(run, link, item), link, holder)
        tracked = run.tracked(item.appointment.categories)
        moved.append(seen if tracked else replace(seen, seen=Seen.UNTRACKED))
    if moved:
        entries = [run.entry(link, "moved", "L-11a") for link in moved]
        entries += [run.entry(holder, "forgotten", "L-11a") for holder in removed]
        marks, of = noticed(run, moved)
        changes = Changes(links=moved, removed_links=[holder.id for holder in removed], entries=entries)
        run.write(replace(changes, marks=marks, mark_links=of))
    return confirmed


def _taking_the_place(run: Run, seen: Link, before: Link, holder: Link | None) -> Link:
    """Let a copy that was left out begin from what was agreed when it was found (3.1).

    It heard of nothing since: only what somebody changed in it is Outlook's, and what the row holds goes there.
    """
    base = holder.agreed if holder is not None and holder.id != before.id and run.outgoing else None
    if base is None or seen.observed is None:
        return seen
    shown = run.projected(seen.observed)
    left_out = seen.left_out
    if differences(base, shown).isdisjoint(PATTERN):
        # The row keeps its dates, and those that an answer left out of it stay so, unless the copy's was changed.
        changed = {part.identity.original_start for part in shown.exceptions if part not in base.exceptions}
        left_out = tuple(date for date in before.left_out if date not in changed)
    return replace(
        seen,
        agreed=without(base, before.left_out),
        left_out=left_out,
        revision_settled=None,
        crm_version=UNSETTLED,
        crm_settled=resumed(before),
        withheld=None,
    )


def _elsewhere(
    link: Link, found: Mapping[str, tuple[Observed, ...]], holders: Mapping[str, Link], taken: set[str]
) -> Observed | None:
    """Return the oldest living item with the link's identity whose own link has nothing to lose."""
    items = [
        item
        for item in found.get(link.identity.global_object_id, ())
        if item.appointment.identity == link.identity and item.ref not in taken and _free(holders.get(item.ref), link)
    ]
    return min(items, key=lambda item: (str(item.appointment.created or ""), item.ref), default=None)


def _free(holder: Link | None, link: Link) -> bool:
    if holder is None or holder.id == link.id:
        return True
    return holder.crm_id is None and holder.state in (LinkState.UNSETTLED, LinkState.SKIPPED, LinkState.FAILED)
