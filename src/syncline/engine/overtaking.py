"""An owner that was overtaken while its bookings were on their way: it takes back what nobody knows of any more.

The new owner found no row, and may have seen the item deleted meanwhile. A row that a link of any mailbox could still
join is left alone: a repeated create answers *exists* there. It must not know why the mailbox was lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from syncline.core.appointment import Identity
from syncline.engine.run import Run
from syncline.errors import SyncError
from syncline.ports import Deletion

Made = tuple[Identity, Deletion]


@contextmanager
def taking_back(run: Run, made: Sequence[Made]) -> Iterator[None]:
    """Record outcomes inside; if the lease is lost by then, delete the rows just made whose item has no link left."""
    try:
        yield
    except SyncError as error:
        if error.code == "LeaseLost" and made:
            _take_back(run, made)
        raise


def _take_back(run: Run, made: Sequence[Made]) -> None:
    known = {link.identity for link in run.store.links_by_identity([identity for identity, _ in made])}
    orphans = [deletion for identity, deletion in made if identity not in known]
    if orphans:
        run.parts.crm.delete(orphans)
