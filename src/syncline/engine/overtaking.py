"""An owner that was overtaken while what it made was on its way: it takes back what nobody knows of any more.

What it deleted stays deleted, and is kept in the trash all the same: the new owner found it standing.

The new owner found no row, and may have seen the item deleted meanwhile. A row that a link of any mailbox could still
join is left alone: a repeated create answers *exists* there. So is an item that a link still waits for, if it is the
only one: it is found by its identity and linked. It must not know why the mailbox was lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from msgspec.structs import replace

from syncline.core.appointment import Identity
from syncline.core.outgoing import ItemDeletion, Mailing
from syncline.engine.run import Run
from syncline.errors import SyncError
from syncline.ports import Deletion, Seen, Trashed

Made = tuple[Identity, Deletion]


@contextmanager
def keeping(run: Run, trash: Sequence[Trashed], since: datetime) -> Iterator[None]:
    """Record outcomes inside; if the lease is lost by then, keep what was deleted, unless the new owner has."""
    try:
        yield
    except SyncError as error:
        if error.code == "LeaseLost" and trash:
            run.store.keep_overtaken(trash, since)
        raise


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


@contextmanager
def taking_items_back(run: Run, made: Sequence[ItemDeletion]) -> Iterator[None]:
    """Record outcomes inside; if the lease is lost by then, delete the items just made that no link waits for.

    Where the new owner has made its own, nobody is mailed: the invitation that came twice is the one meeting's.
    """
    try:
        yield
    except SyncError as error:
        if error.code == "LeaseLost" and made:
            _take_items_back(run, made)
        raise


def _take_items_back(run: Run, made: Sequence[ItemDeletion]) -> None:
    family = run.store.links_by_identity([item.content.identity for item in made])
    mine = [link for link in family if link.mailbox_id == run.mailbox.id]
    awaited = {link.identity for link in mine if link.seen is Seen.ABSENT}
    doubled = _doubled(run, made, awaited)
    standing = doubled | {link.identity for link in mine if link.seen is Seen.PRESENT}
    known = {link.ref for link in mine}
    orphans = [
        replace(item, mailing=Mailing.NOBODY) if item.content.identity in standing else item
        for item in made
        if item.ref not in known and item.content.identity not in awaited - doubled
    ]
    if orphans:
        run.replica.write(orphans)


def _doubled(run: Run, made: Sequence[ItemDeletion], awaited: Collection[Identity]) -> set[Identity]:
    """Return what a link waits for although another item of it stands there: one that the new owner made in part."""
    names = sorted({identity.global_object_id for identity in awaited})
    found = run.replica.find(names) if names else {}
    mine = {item.ref for item in made}
    return {
        identity
        for identity in awaited
        for item in found.get(identity.global_object_id, ())
        if item.appointment.identity.original_start == identity.original_start and item.ref not in mine
    }
