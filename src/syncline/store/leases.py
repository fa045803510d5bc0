"""Who works on which mailbox until when, and which mailboxes are due.

A lease ends by its clock, or at once when the operating system shows that its holder is dead. The fence makes a late
holder harmless. When a mailbox was claimed last stays known (`lease_until`): what was claimed in the future was claimed
under a clock that has been set back since, and neither its lease nor its due time counts. It must not know what a cycle
does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Integer, RowMapping, bindparam, case, literal, literal_column, select, update

from syncline.errors import SyncError
from syncline.ports import Lease
from syncline.store.connection import Connected
from syncline.store.schema import mailbox

AHEAD = timedelta(minutes=30)
"""A lease that ends later than that from now was taken in the future: leases last five minutes, and clocks drift."""

_ENABLED = literal_column("enabled") == literal_column("1")

# Statements are built once: an idle cycle spends more time on building than on running them.
_INSTANT = mailbox.c.next_due.type
_AT = mailbox.c.id == bindparam("at")
_LEASE_ROW = select(mailbox.c.address, mailbox.c.lease_owner, mailbox.c.lease_until, mailbox.c.fence).where(_AT)
_LIMIT = bindparam("limit", type_=Integer)
_DUE = (
    select(mailbox.c.id)
    .where(_ENABLED, mailbox.c.next_due <= bindparam("now", type_=_INSTANT))
    .order_by(mailbox.c.next_due, mailbox.c.id)
    .limit(_LIMIT)
)
# The bound of next_due says nothing more, but lets the index find the rows to look at: none, as a rule.
_AHEAD = bindparam("ahead", type_=_INSTANT)
_OF_THE_FUTURE = (
    select(mailbox.c.id)
    .where(_ENABLED, mailbox.c.next_due > _AHEAD, mailbox.c.lease_until > _AHEAD)
    .order_by(mailbox.c.next_due, mailbox.c.id)
    .limit(_LIMIT)
)
_UNTIL = bindparam("until", type_=_INSTANT)
_CLAIM = (
    update(mailbox)
    .where(_AT)
    .values(lease_owner=bindparam("owner"), lease_until=_UNTIL, fence=bindparam("next_fence"), woken=False)
)
_RENEW = update(mailbox).where(_AT).values(lease_until=_UNTIL)
_WOKEN = mailbox.c.woken | mailbox.c.next_due.is_distinct_from(bindparam("seen", type_=_INSTANT))
_RELEASE = (
    update(mailbox)
    .where(_AT)
    .values(
        lease_owner=None,
        woken=False,
        next_due=case(
            (_WOKEN & mailbox.c.next_due.is_not(None), mailbox.c.next_due),
            else_=bindparam("planned", type_=_INSTANT),
        ),
    )
)


class Leases(Connected):
    """Claims on mailboxes."""

    def __init__(self, url_or_path: str | Path, *, key: bytes) -> None:
        super().__init__(url_or_path, key=key)
        self._fences: dict[int, int] = {}

    def claim(self, mailbox_id: int, owner: str, now: datetime, lease_s: float) -> Lease | None:
        """Claim a mailbox, or return None while a living owner holds it."""
        with self.writing() as connection:
            row = _lease_row(connection, mailbox_id)
            free = not _runs(row, now)
            alone = self.locks.take(mailbox_id)
            if not free and not alone:
                return None
            fence = int(row["fence"]) + 1
            until = now + timedelta(seconds=lease_s)
            connection.execute(_CLAIM, {"at": mailbox_id, "owner": owner, "until": until, "next_fence": fence})
        self._fences[mailbox_id] = fence
        return Lease(mailbox_id=mailbox_id, owner=owner, fence=fence)

    def renew(self, lease: Lease, now: datetime, lease_s: float) -> None:
        """Extend the lease; SyncError("LeaseLost") if somebody else has claimed the mailbox since."""
        with self.fenced(lease) as connection:
            until = now + timedelta(seconds=lease_s)
            connection.execute(_RENEW, {"at": lease.mailbox_id, "until": until})

    def release(self, lease: Lease, next_due: datetime | None, seen_due: datetime | None) -> None:
        """Give the mailbox back and set its next due time, unless it was woken since it was claimed."""
        try:
            with self.fenced(lease) as connection:
                connection.execute(_RELEASE, {"at": lease.mailbox_id, "seen": seen_due, "planned": next_due})
        finally:
            if self._fences.get(lease.mailbox_id) == lease.fence:
                self.locks.drop(lease.mailbox_id)

    def due(self, now: datetime, limit: int) -> tuple[int, ...]:
        """Return enabled mailboxes whose next_due has come, longest waiting first (two indexed queries).

        Those are due too that were claimed last in the future: the clock has been set back since.
        """
        with self.reading() as connection:
            come = connection.scalars(_DUE, {"now": now, "limit": limit}).all()
            ahead = connection.scalars(_OF_THE_FUTURE, {"ahead": now + AHEAD, "limit": limit}).all()
        return (*come, *ahead)[:limit]

    def wake(self, mailbox_id: int, now: datetime) -> None:
        """Make a mailbox due now."""
        with self.writing() as connection:
            wake(connection, [mailbox_id], now)

    def holder(self, mailbox_id: int, now: datetime) -> str | None:
        """Return the owner whose lease runs, as far as the clock tells; None if the mailbox is free."""
        with self.reading() as connection:
            row = _lease_row(connection, mailbox_id)
        return str(row["lease_owner"]) if _runs(row, now) else None

    @contextmanager
    def fenced(self, lease: Lease) -> Iterator[Connection]:
        """A writing unit of work that begins by checking the fence."""
        with self.writing() as connection:
            row = _lease_row(connection, lease.mailbox_id)
            if (row["fence"], row["lease_owner"]) != (lease.fence, lease.owner):
                raise SyncError("LeaseLost", mailbox=row["address"])
            yield connection


def wake(connection: Connection, mailbox_ids: list[int], now: datetime) -> None:
    """Make mailboxes due now, inside the caller's unit of work; what was due earlier stays so."""
    earlier = mailbox.c.next_due.is_not(None) & (mailbox.c.next_due < now)
    connection.execute(
        update(mailbox)
        .where(mailbox.c.id.in_(mailbox_ids))
        .values(woken=True, next_due=case((earlier, mailbox.c.next_due), else_=literal(now, mailbox.c.next_due.type)))
    )


def _runs(row: RowMapping, now: datetime) -> bool:
    """Return whether somebody's lease runs, as far as the clock tells."""
    return row["lease_owner"] is not None and now < row["lease_until"] <= now + AHEAD


def _lease_row(connection: Connection, mailbox_id: int) -> RowMapping:
    row = connection.execute(_LEASE_ROW, {"at": mailbox_id}).mappings().first()
    if row is None:
        raise SyncError("NotFoundHere", detail=f"mailbox {mailbox_id}")
    return row
