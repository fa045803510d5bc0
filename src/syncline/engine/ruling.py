"""Where a question would be opened: what answer rules may ask about it.

Which rule answers is `core.answering`'s; how an answer is carried out is the cycle's, as after a person's answer. It
must not write anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncline.core.answering import Facts
from syncline.core.scheduling import Verdict
from syncline.engine.deciding import Decided
from syncline.engine.run import Run
from syncline.ports import AlertState, Link


def opens(decided: Decided) -> bool:
    """Return whether asking would open a question; one that is open already stays with people."""
    return decided.alert is None or decided.alert.state is not AlertState.OPEN


def facts(run: Run, decided: Decided, verdict: Verdict, fresh: Iterable[Link]) -> Facts:
    """Return what rules may ask about an item; `fresh` are this mailbox's links that are not stored yet."""
    item = decided.link.observed
    assert item is not None, "only a present item is asked about"
    return Facts(
        categories=item.categories,
        organizer=item.organizer.address if item.organizer else "",
        own=run.people.organizes(item),
        all_day=item.span.all_day,
        private=decided.link.private,
        same_calendar=_same_calendar(run, verdict, fresh),
    )


def _same_calendar(run: Run, verdict: Verdict, fresh: Iterable[Link]) -> bool:
    """Return whether every row that is in the way came from this mailbox too."""
    rows = {clash.row_id for person in verdict.unavailable for clash in person.clashes}
    elsewhere = rows - {link.crm_id for link in fresh}
    return not elsewhere or elsewhere <= run.store.rows_seen(run.mailbox.id, sorted(elsewhere)).keys()
