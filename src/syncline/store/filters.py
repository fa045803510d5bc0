"""Sync filters as they are kept: everybody's, one user's own, and the template that new users get a copy of (1.11).

Every change makes the mailboxes that it concerns due now, in the same transaction. It must not know what a filter
selects: core/filters.py does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from syncline.core.filters import SyncFilter
from syncline.errors import SyncError
from syncline.store.connection import Connected
from syncline.store.leases import wake
from syncline.store.schema import mailbox, sync_filter

_FIELDS = SyncFilter.__struct_fields__
_FILTER = tuple(sync_filter.c[name] for name in _FIELDS)
_owner = func.lower(sync_filter.c.user)
_IN_ORDER = (sync_filter.c.template.desc(), sync_filter.c.user.is_not(None), _owner, sync_filter.c.id)
_FOR_ENGINE = (
    select(*_FILTER)
    .where(
        sync_filter.c.enabled,
        ~sync_filter.c.template,
        sync_filter.c.user.is_(None) | (_owner == func.lower(bindparam("user"))),
    )
    .order_by(*_IN_ORDER)
)


class SyncFilters(Connected):
    """The sync filters."""

    def filters(self) -> tuple[SyncFilter, ...]:
        """Return all filters: the template, everybody's, then those of each user by name."""
        with self.reading() as connection:
            return _filters(connection)

    def sync_filters(self, user: str) -> tuple[SyncFilter, ...]:
        """Return the enabled sync filters for the mailboxes of a user: everybody's, then his own (1.11)."""
        with self.reading() as connection:
            return tuple(SyncFilter(**row) for row in connection.execute(_FOR_ENGINE, {"user": user}).mappings())

    def add_filter(self, value: SyncFilter, now: datetime) -> SyncFilter:
        """Store a new filter of a user or for everybody, and return it with its id."""
        assert not value.template, "there is one template"
        with self.writing() as connection:
            return _added(connection, value, now)

    def change_filter(self, filter_id: int, change: Callable[[SyncFilter], SyncFilter], now: datetime) -> SyncFilter:
        """Replace a filter by what `change` makes of it; whose it is stays. SyncError("NotFoundHere")."""
        with self.writing() as connection:
            before = _one(connection, filter_id)
            after = change(before)
            values = {name: getattr(after, name) for name in ("name", "conditions", "enabled")}
            connection.execute(update(sync_filter).where(sync_filter.c.id == filter_id).values(values))
            _due(connection, before, now)
            return _one(connection, filter_id)

    def remove_filter(self, filter_id: int, now: datetime) -> None:
        """Forget a filter, but not the template. SyncError("NotFoundHere")."""
        with self.writing() as connection:
            found = _one(connection, filter_id)
            assert not found.template, "new users need a template"
            connection.execute(delete(sync_filter).where(sync_filter.c.id == filter_id))
            _due(connection, found, now)

    def reset_filters(self, user: str, now: datetime) -> tuple[SyncFilter, ...]:
        """Put a copy of the template in place of all own filters of a user."""
        with self.writing() as connection:
            connection.execute(delete(sync_filter).where(_owner == user.lower()))
            seeded = seed_filters(connection, user)
            _due(connection, seeded, now)
            return _filters(connection, _owner == user.lower())


def seed_filters(connection: Connection, user: str) -> SyncFilter:
    """Give a user his copy of the template, inside the caller's unit of work; later changes of it are not his."""
    (template,) = _filters(connection, sync_filter.c.template)
    return _inserted(connection, replace(template, user=user, template=False))


def seed_new_user(connection: Connection, user: str) -> None:
    """Do so for a user who has neither a mailbox nor a filter of his own yet."""
    known = select(mailbox.c.id).where(func.lower(mailbox.c.user) == user.lower()).limit(1)
    if connection.scalar(known) is None and not _filters(connection, _owner == user.lower()):
        seed_filters(connection, user)


def _added(connection: Connection, value: SyncFilter, now: datetime) -> SyncFilter:
    stored = _inserted(connection, value)
    _due(connection, stored, now)
    return stored


def _inserted(connection: Connection, value: SyncFilter) -> SyncFilter:
    values = {name: getattr(value, name) for name in _FIELDS if name != "id"}
    number = connection.execute(insert(sync_filter).values(values).returning(sync_filter.c.id)).scalar_one()
    return replace(value, id=number)


def _due(connection: Connection, changed: SyncFilter, now: datetime) -> None:
    """Make the mailboxes due for which a filter counts: one user's, or all; the template counts for none."""
    if changed.template:
        return
    query = select(mailbox.c.id).where(mailbox.c.enabled)
    if changed.user is not None:
        query = query.where(func.lower(mailbox.c.user) == changed.user.lower())
    wake(connection, list(connection.scalars(query)), now)


def _filters(connection: Connection, *where: ColumnElement[bool]) -> tuple[SyncFilter, ...]:
    rows: list[Any] = list(connection.execute(select(*_FILTER).where(*where).order_by(*_IN_ORDER)).mappings())
    return tuple(SyncFilter(**row) for row in rows)


def _one(connection: Connection, filter_id: int) -> SyncFilter:
    found = _filters(connection, sync_filter.c.id == filter_id)
    if not found:
        raise SyncError("NotFoundHere", detail=f"filter {filter_id}")
    return found[0]
