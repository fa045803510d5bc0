"""Answers that may be taken back while a cycle is on its way: which still stand, and from when on they are fixed.

An answer has the number of its decision; taking it back restores the number from before. It must not know what is done
with an answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Column, Connection, Table, select, update

from syncline.ports import Changes
from syncline.store.links import chunks
from syncline.store.schema import alert, link


def standing_answers(connection: Connection, table: Table, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those pairs of a row (link or alert) and the number of its answer that still say so."""
    numbers = _numbers(connection, table, {at for at, _ in pairs})
    return {(at, number) for at, number in pairs if numbers.get(at) == number}


def fix_answers(connection: Connection, column: Column[Any], ids: Collection[int]) -> None:
    """Forget what stood before the pending answers of these links or alerts, so that nobody can take them back."""
    for part in chunks(sorted(ids)):
        statement = update(alert).where(column.in_(part), alert.c.pending == 1, alert.c.before.is_not(None))
        connection.execute(statement.values(before=None))


def still_decided(connection: Connection, changes: Changes) -> Changes:
    """Return the changes without those of links and alerts whose answer was taken back since they were read.

    Such an item is decided anew: what was decided about it rests on an answer that nobody gives any more.
    """
    links = _taken_back(connection, link, {each.id: each.answers for each in changes.links})
    alerts = _taken_back(connection, alert, {each.id: each.answers for each in changes.alerts})
    if not links and not alerts:
        return changes
    return replace(
        changes,
        links=[each for each in changes.links if each.id not in links],
        alerts=[each for each in changes.alerts if each.id not in alerts and each.link_id not in links],
        entries=[each for each in changes.entries if each.link_id not in links],
    )


def _taken_back(connection: Connection, table: Table, read: Mapping[int, int]) -> frozenset[int]:
    """Return the rows that have an older number than when they were read."""
    numbers = _numbers(connection, table, {at for at, number in read.items() if at and number})
    return frozenset(at for at, number in numbers.items() if number < read[at])


def _numbers(connection: Connection, table: Table, ids: Collection[int]) -> dict[int, int]:
    parts = (select(table.c.id, table.c.answers).where(table.c.id.in_(part)) for part in chunks(sorted(ids)))
    return {at: number for part in parts for at, number in connection.execute(part)}
