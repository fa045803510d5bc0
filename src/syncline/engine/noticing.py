"""Marks found on items that have none in the state: on copies, and on items that came back from where they were lost.

Found while items are staged, found where they moved to, tracked again or linked to a row, in the same transaction, so
that a crash forgets none. Only what Syncline follows is looked at. It must not know what becomes of a mark.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncline.core.answering_by_category import Mark, carries
from syncline.engine.run import Run
from syncline.ports import Link, Seen


def noticed(run: Run, links: Sequence[Link]) -> tuple[list[Mark], dict[int, int]]:
    """Return the new marks for links that carry the category without one, and which link each is about."""
    names = run.rules.outlook
    if names is None or run.dry:
        return [], {}
    marked = [at for at, link in enumerate(links) if _carries(link, names.waiting)]
    if not marked or not run.writable:
        return [], {}
    known = run.store.marks_of([links[at].id for at in marked if links[at].id])
    fresh = [at for at in marked if links[at].id not in known]
    marks = [
        Mark(
            mailbox_id=run.mailbox.id,
            link_id=links[at].id or None,
            ref=links[at].ref,
            folder=links[at].folder,
            names=(names.waiting,),
        )
        for at in fresh
    ]
    return marks, dict(enumerate(fresh))


def _carries(link: Link, name: str) -> bool:
    seen = link.observed if link.seen is Seen.PRESENT else None
    return seen is not None and carries(seen.categories, name)
