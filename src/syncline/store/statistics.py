"""What cycles did and how long they took, per mailbox; old rows go away by themselves.

It must not know what a cycle is, only its figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import delete, func, insert, select

from syncline.ports import AlertOutcome, AlertState
from syncline.store.connection import Connected
from syncline.store.schema import alert, cycle, session

KEPT_DAYS = 30


class CycleRecord(Struct, frozen=True, kw_only=True):
    """The figures of one cycle, in items."""

    mailbox_id: int
    started: datetime
    finished: datetime
    saved: int = 0
    updated: int = 0
    deleted: int = 0
    waiting: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def duration_s(self) -> float:
        """Return how long it took, in seconds."""
        return (self.finished - self.started).total_seconds()


class Totals(Struct, frozen=True, kw_only=True):
    """The kept cycles of one mailbox together; durations in seconds."""

    cycles: int
    processed: int
    failed: int
    average_s: float
    longest_s: float


_COLUMNS = tuple(cycle.c[name] for name in CycleRecord.__struct_fields__)
_MICROSECONDS = 1_000_000


class Statistics(Connected):
    """Figures of cycles."""

    def record_cycle(self, value: CycleRecord) -> None:
        """Keep the figures of one cycle."""
        with self.writing() as connection:
            connection.execute(insert(cycle).values({c.name: getattr(value, c.name) for c in _COLUMNS}))

    def cycles(self, mailbox_id: int, limit: int = 20) -> tuple[CycleRecord, ...]:
        """Return the last cycles of a mailbox, newest first."""
        query = select(*_COLUMNS).where(cycle.c.mailbox_id == mailbox_id).order_by(cycle.c.id.desc()).limit(limit)
        with self.reading() as connection:
            return tuple(CycleRecord(**row) for row in connection.execute(query).mappings())

    def last_cycle_id(self, mailbox_id: int) -> int:
        """Return the id of a mailbox's last cycle, 0 before the first."""
        query = select(func.coalesce(func.max(cycle.c.id), 0)).where(cycle.c.mailbox_id == mailbox_id)
        with self.reading() as connection:
            return int(connection.scalar(query) or 0)

    def cycles_since(self, mailbox_id: int, cycle_id: int) -> tuple[CycleRecord, ...]:
        """Return the cycles of a mailbox after the one with this id, oldest first."""
        query = select(*_COLUMNS).where(cycle.c.mailbox_id == mailbox_id, cycle.c.id > cycle_id).order_by(cycle.c.id)
        with self.reading() as connection:
            return tuple(CycleRecord(**row) for row in connection.execute(query).mappings())

    def totals(self, mailbox_ids: Sequence[int] | None = None) -> dict[int, Totals]:
        """Return the kept cycles of each (or each of these) mailboxes added up, in one query."""
        took = func.coalesce(cycle.c.finished - cycle.c.started, 0)
        processed = cycle.c.saved + cycle.c.updated + cycle.c.deleted
        figures = (func.count(), func.sum(processed), func.sum(cycle.c.failed), func.avg(took), func.max(took))
        query = select(cycle.c.mailbox_id, *figures).group_by(cycle.c.mailbox_id)
        if mailbox_ids is not None:
            query = query.where(cycle.c.mailbox_id.in_(mailbox_ids))
        with self.reading() as connection:
            rows = connection.execute(query).all()
        return {
            number: Totals(
                cycles=many,
                processed=int(done),
                failed=int(failed),
                average_s=float(average) / _MICROSECONDS,
                longest_s=float(longest) / _MICROSECONDS,
            )
            for number, many, done, failed, average, longest in rows
        }

    def purge(self, now: datetime) -> None:
        """Forget what is over: cycles, closed alerts (AL-13) and sessions; open, kept-out and lapsed questions stay."""
        old = now - timedelta(days=KEPT_DAYS)
        closed = (alert.c.state == AlertState.WITHDRAWN) | (
            (alert.c.state == AlertState.ANSWERED) & (alert.c.outcome == AlertOutcome.SAVED)
        )
        with self.writing() as connection:
            connection.execute(delete(cycle).where(cycle.c.finished < old))
            connection.execute(delete(alert).where(closed, alert.c.pending == 0, alert.c.last_seen < old))
            connection.execute(delete(session).where(session.c.expires < now))
