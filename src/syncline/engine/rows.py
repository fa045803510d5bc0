"""Rows of the CRM as a cycle reads them: one that cannot be read is an error in its place, and the others are read.

It must not know what the rows are wanted for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from syncline.engine.boundary import contain, item_error
from syncline.engine.run import Parts
from syncline.errors import Scope, SyncError
from syncline.ports import CrmRow


class Rows(Struct, frozen=True, gc=False):
    """What a reading gave, by id: rows that are there, and errors of those that are there but cannot be read."""

    found: Mapping[str, CrmRow]
    unread: Mapping[str, SyncError]

    def get(self, row_id: str | None) -> CrmRow | None:
        """Return a row; None if it is gone or cannot be read."""
        return self.found.get(row_id) if row_id is not None else None


def read_rows(parts: Parts, ids: Sequence[str]) -> Rows:
    """Read rows in one call; after an error of a row, or a bug, in halves until only the rows at fault are left.

    SyncError if the CRM as a whole cannot be read.
    """
    read = contain(lambda: _read(parts, ids), lambda bug: item_error(bug, ""), "a reading of rows")
    if not isinstance(read, SyncError):
        return Rows(read, {})
    if len(ids) < 2:
        return Rows({}, {row_id: _told(parts, row_id, read) for row_id in ids})
    half = len(ids) // 2
    one, other = read_rows(parts, ids[:half]), read_rows(parts, ids[half:])
    return Rows({**one.found, **other.found}, {**one.unread, **other.unread})


def _read(parts: Parts, ids: Sequence[str]) -> Mapping[str, CrmRow] | SyncError:
    try:
        return parts.crm.read(ids)
    except SyncError as error:
        if error.row.scope is not Scope.ITEM:
            raise
        return error


def _told(parts: Parts, row_id: str, error: SyncError) -> SyncError:
    """Return the error with what its text needs and a connector may leave out."""
    params = {"crm": parts.rules.crm_name, "row": row_id, **error.params}
    return SyncError(error.code, retry_after_s=error.retry_after_s, **params)
