"""What one process asks of the one that runs jobs, and the settings that people changed.

A request is put down, taken by whoever runs jobs, and finished with a result that the asker reads. It must not know
what the kinds mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, literal_column, select, update

from syncline.errors import SyncError
from syncline.store.connection import Connected
from syncline.store.schema import request, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: `result` is there once it is `done`."""

    id: int
    kind: str
    mailbox_id: int | None
    payload: Mapping[str, Any]
    created: datetime
    taken: datetime | None = None
    done: datetime | None = None
    result: Mapping[str, Any] | None = None


_REQUEST = tuple(request.c[field.name] for field in fields(Request))
_WAITING = literal_column("request.done").is_(None)


class Requests(Connected):
    """Requests between processes, and settings."""

    def put_request(
        self, kind: str, mailbox_id: int | None, now: datetime, payload: Mapping[str, Any] | None = None
    ) -> int:
        """Put a request down and return its id."""
        values = {"kind": kind, "mailbox_id": mailbox_id, "payload": dict(payload or {}), "created": now}
        with self.writing() as connection:
            return int(connection.execute(insert(request).values(values).returning(request.c.id)).scalar_one())

    def take_requests(self, now: datetime, limit: int = 100) -> tuple[Request, ...]:
        """Return requests that nobody has taken, oldest first, and mark them as taken."""
        query = select(request.c.id).where(_WAITING, request.c.taken.is_(None)).order_by(request.c.id).limit(limit)
        with self.reading() as connection:
            if connection.scalar(query.limit(1)) is None:
                return ()
        with self.writing() as connection:
            ids = list(connection.scalars(query))
            connection.execute(update(request).where(request.c.id.in_(ids)).values(taken=now))
            rows = connection.execute(select(*_REQUEST).where(request.c.id.in_(ids)).order_by(request.c.id)).mappings()
            return tuple(Request(**row) for row in rows)

    def untake_requests(self) -> None:
        """Free what a process that died had taken; called by the one process that runs jobs, when it starts."""
        with self.writing() as connection:
            connection.execute(update(request).where(_WAITING).values(taken=None))

    def finish_request(self, request_id: int, result: Mapping[str, Any], now: datetime) -> None:
        """Store the result of a request."""
        with self.writing() as connection:
            connection.execute(update(request).where(request.c.id == request_id).values(done=now, result=dict(result)))

    def request(self, request_id: int) -> Request:
        """Return a request; SyncError("NotFoundHere") if there is none."""
        with self.reading() as connection:
            row = connection.execute(select(*_REQUEST).where(request.c.id == request_id)).mappings().first()
        if row is None:
            raise SyncError("NotFoundHere", detail=f"request {request_id}")
        return Request(**row)

    def settings(self) -> dict[str, str]:
        """Return the settings that people changed on the pages, by key, as text."""
        with self.reading() as connection:
            rows = connection.execute(select(setting.c.key, setting.c.value)).mappings()
            return {row["key"]: row["value"] for row in rows}

    def set_setting(self, key: str, value: str | None) -> None:
        """Change a setting, or with None forget the change."""
        with self.writing() as connection:
            connection.execute(delete(setting).where(setting.c.key == key))
            if value is not None:
                connection.execute(insert(setting).values(key=key, value=value))
