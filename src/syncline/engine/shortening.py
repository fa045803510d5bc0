"""Texts of rows that Outlook has no room for: told on the mailbox of the calendar that holds them shortened (3.9).

The item is saved and nothing waits, so it is told once, and withdrawn when the row fits or its item is kept in step no
longer. It must not know how an item is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncline.core.merging import too_long
from syncline.engine import questions
from syncline.engine.outgoing import Outward
from syncline.engine.run import Run, notice
from syncline.engine.writing import Draft
from syncline.errors import SyncError
from syncline.ports import Alert, Link, LinkState, Seen

CODE = "FieldTooLong"
_ANOTHER_COPY_DECIDES = "A-33a"


def tell_shortened(draft: Draft, chunk: Sequence[Outward]) -> None:
    """Tell which rows of a chunk Outlook holds shortened now, and withdraw what was told of those it does not."""
    run = draft.run
    ids = [each.link.id for each in chunk]
    standing = {each.link_id: each for each in run.store.open_alerts(run.mailbox.id, ids) if each.code == CODE}
    links = {link.id: link for link in draft.links}
    for each in chunk:
        known, link = standing.get(each.link.id), links.get(each.link.id)
        if each.link.id in draft.removed:
            draft.alerts.extend(_over(run, known, "untracked"))
        elif link is not None and link.state is not LinkState.FAILED and not each.refused:
            draft.alerts.extend(_about(run, each, link, known))


def _about(run: Run, outward: Outward, link: Link, known: Alert | None) -> list[Alert]:
    if not _held_here(run, outward, link):
        return _over(run, known, "untracked")
    fields = _shortened(run, outward)
    if not fields:
        return _over(run, known, "its texts fit")
    told = notice(run, link, SyncError(CODE, subject=link.subject, fields=", ".join(sorted(fields))))
    return [told] if known is None or known.params != told.params else []


def _held_here(run: Run, outward: Outward, link: Link) -> bool:
    """Return whether the item stands in its organizer's calendar, and this copy decides about the row."""
    item = link.observed if link.seen is Seen.PRESENT else None
    return item is not None and run.people.organizes(item) and outward.action.rule != _ANOTHER_COPY_DECIDES


def _shortened(run: Run, outward: Outward) -> frozenset[str]:
    if outward.row is None:
        return frozenset()
    names = too_long(outward.row.appointment)
    return frozenset(name for name in names if run.rules.pushing.flows_out(name))


def _over(run: Run, known: Alert | None, reason: str) -> list[Alert]:
    return [questions.withdrawn(run, known, reason)] if known is not None else []
