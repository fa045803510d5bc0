"""Which rows have files that Exchange does not have: with such a row they would be lost for good (D-05).

Asked about only where an item is gone. It must not know what becomes of the row.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncline.core.attachments import Attached, File, Side
from syncline.engine.run import Run
from syncline.ports import Attachments, Link, Seen


def with_own_files(run: Run, links: Sequence[Link]) -> frozenset[int]:
    """Return those of the links whose item is gone and whose row has files of its own, or files nobody can list."""
    gone = {link.id: link.crm_id for link in links if link.seen is Seen.GONE and link.crm_id is not None}
    if run.rules.attachments is None or not gone:
        return frozenset()
    rows = run.parts.crm.attachments(sorted(set(gone.values())))
    known = run.store.attached(sorted(gone))
    found = set()
    for number, crm_id in gone.items():
        row = rows.get(crm_id)
        if isinstance(row, Attachments):
            files = {File(each.name, each.size, each.digest) for each in row.files}
            if files <= _from_exchange(known.get(number)):
                continue
        if row is not None:
            found.add(number)
    return frozenset(found)


def _from_exchange(state: Attached | None) -> frozenset[File]:
    """Return what Exchange had too: what was agreed, and what was on its way from there."""
    if state is None:
        return frozenset()
    coming = (step.file for step in state.pending if step.adds and step.side is Side.CRM)
    return frozenset((*state.agreed, *coming))
