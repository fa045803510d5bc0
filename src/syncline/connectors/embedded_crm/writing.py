"""Writing whole aggregates: what goes into which table, and the entry in the change log that every write leaves.

A series with its exceptions is one aggregate with one version. Rows are built first (pure) and inserted together, a
table at a time. It must not know policies or verdicts: who is made busy is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import BindParameter, Connection, Dialect, Table, bindparam, delete, insert, update

from syncline.connectors.embedded_crm.codes import BLOCKING_CODES, CLOSED, Columns, length_class
from syncline.connectors.embedded_crm.rows import (
    Party,
    Stamp,
    appointment_columns,
    effective_range,
    indexed_span,
    row_status,
    series_columns,
)
from syncline.connectors.embedded_crm.schema import (
    appointments,
    busy_series,
    busy_spans,
    change_log,
    last_keys,
    parties,
    recurrences,
)
from syncline.core.appointment import Appointment, Identity
from syncline.core.times import epoch_s

_IN_ORDER: tuple[Table, ...] = (appointments, recurrences, parties, busy_spans, busy_series, change_log)


class Rows(Struct, frozen=True):
    """Rows to be inserted, by table."""

    by_table: Mapping[Table, list[dict[str, Any]]] = field(default_factory=lambda: {table: [] for table in _IN_ORDER})

    def add(self, table: Table, columns: dict[str, Any]) -> None:
        """Add one row."""
        self.by_table[table].append(columns)

    def extend(self, other: Rows) -> None:
        """Add all rows of another collection."""
        for table, rows in other.by_table.items():
            self.by_table[table].extend(rows)


class Aggregate(Struct, frozen=True, kw_only=True):
    """A row with all that belongs to it, ready to be written.

    `people` are the parties of the row itself and `people_of_exceptions` those of each exception, by original start;
    `exception_ids` the row ids of the exceptions, by original start.
    """

    appointment: Appointment
    stamp: Stamp
    people: Sequence[Party]
    exception_ids: Mapping[datetime, str]
    people_of_exceptions: Mapping[datetime, Sequence[Party]]


def rows_of(aggregate: Aggregate) -> Rows:
    """Return every row of an aggregate, and its entry in the change log."""
    rows = Rows()
    appointment, stamp = aggregate.appointment, aggregate.stamp
    columns = appointment_columns(appointment, stamp)
    rows.add(appointments, columns)
    if appointment.recurrence is not None:
        rows.add(recurrences, series_columns(appointment, stamp.id))
    _add_people(rows, appointment, columns, aggregate.people)
    for exception in appointment.exceptions:
        start = exception.identity.original_start
        assert start is not None
        own = appointment_columns(
            exception, _exception_stamp(aggregate, exception, aggregate.exception_ids[start]), series_id=stamp.id
        )
        rows.add(appointments, own)
        _add_people(rows, exception, own, aggregate.people_of_exceptions[start])
    rows.add(change_log, _change(stamp.id, stamp.version, appointment.identity, stamp.modified_at, gone=False))
    return rows


def insert_rows(connection: Connection, written: Iterable[Rows]) -> None:
    """Insert all rows, a table at a time, rows that are pointed at first."""
    together = Rows()
    for rows in written:
        together.extend(rows)
    for table, columns in together.by_table.items():
        if columns:
            _insert_all(connection, table, columns)


def _insert_all(connection: Connection, table: Table, columns: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows with the same keys, handing plain values to the driver: no type of these tables translates any."""
    sql, names = _insert(table, tuple(columns[0]), connection.dialect)
    connection.exec_driver_sql(sql, [tuple([row[name] for name in names]) for row in columns])


@cache
def _insert(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return the statement in the dialect's own words, and the names of its values by position."""
    compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
    positions = compiled.positiontup
    assert positions is not None, "SQLite numbers its parameters"
    return str(compiled), tuple(positions)


_of_row: BindParameter[str] = bindparam("row_id")
_delete_exceptions = delete(appointments).where(appointments.c.series_id == _of_row)
_delete_recurrence = delete(recurrences).where(recurrences.c.id == _of_row)
_delete_parties = delete(parties).where(parties.c.appointment_id == _of_row)
_delete_spans = delete(busy_spans).where(busy_spans.c.appointment_id == _of_row)
_delete_series = delete(busy_series).where(busy_series.c.series_id == _of_row)
_delete_row = delete(appointments).where(appointments.c.id == _of_row)
_delete_key = delete(last_keys).where(last_keys.c.appointment_id == _of_row)
_CONTENT = (_delete_exceptions, _delete_recurrence, _delete_parties, _delete_spans, _delete_series)
_KEY = "id"
_update_row = (
    update(appointments)
    .where(appointments.c.id == bindparam("row_id"))
    .values({column.name: bindparam(column.name) for column in appointments.c if column.name != _KEY})
)


def replace_rows(connection: Connection, replaced: Iterable[Rows]) -> None:
    """Replace aggregates as a whole: the root row stays in place, everything that belongs to it is written anew."""
    roots: list[dict[str, Any]] = []
    fresh = list(replaced)
    for rows in fresh:
        root, *exceptions = rows.by_table[appointments]
        roots.append({**{name: value for name, value in root.items() if name != _KEY}, "row_id": root[_KEY]})
        rows.by_table[appointments][:] = exceptions
    if not roots:
        return
    keys = [{"row_id": root["row_id"]} for root in roots]
    for statement in _CONTENT:
        connection.execute(statement, keys)
    connection.execute(_update_row, roots)
    insert_rows(connection, fresh)


def remember_keys(connection: Connection, keys: Mapping[str, str]) -> None:
    """Remember under which key rows were written, by row."""
    if keys:
        connection.execute(_delete_key, [{"row_id": row_id} for row_id in keys])
        _insert_all(connection, last_keys, [{"appointment_id": row_id, "key": key} for row_id, key in keys.items()])


def delete_row(connection: Connection, row_id: str, version: int, identity: Identity, at: datetime) -> None:
    """Delete an aggregate and leave its tombstone in the change log."""
    connection.execute(_delete_row, {"row_id": row_id})
    _insert_all(connection, change_log, [_change(row_id, version, identity, at, gone=True)])


def log_change(connection: Connection, row_id: str, version: int, identity: Identity, at: datetime) -> None:
    """Tell in the change log that an aggregate has another version."""
    _insert_all(connection, change_log, [_change(row_id, version, identity, at, gone=False)])


def busy_rows(appointment: Appointment, columns: Columns, people: Iterable[Party]) -> Rows:
    """Return the index rows of whom one row makes busy; a row whose status can never block has none."""
    rows = Rows()
    busy = {party.user_id for party in people if party.busy and party.user_id is not None}
    if not busy or columns["statuscode"] not in BLOCKING_CODES:
        return rows
    if appointment.recurrence is not None:
        first, last = effective_range(appointment)
        for user_id in sorted(busy):
            own = {"user_id": user_id, "series_id": columns["id"], "first_at": first, "last_at": last}
            rows.add(busy_series, own)
        return rows
    starts_at, ends_at = indexed_span(appointment.span)
    span = {"starts_at": starts_at, "ends_at": ends_at, "length_class": length_class(ends_at - starts_at)}
    for user_id in sorted(busy):
        rows.add(busy_spans, {"user_id": user_id, "appointment_id": columns["id"], **span})
    return rows


def party_columns(row_id: str, people: Iterable[Party]) -> list[dict[str, Any]]:
    """Return the rows of `parties` of one appointment."""
    return [
        {
            "appointment_id": row_id,
            "position": position,
            "participationtypemask": party.type,
            "address": party.address,
            "name": party.name,
            "user_id": party.user_id,
            "contact_id": party.contact_id,
            "busy": party.busy,
            "implied": party.implied,
        }
        for position, party in enumerate(people)
    ]


def _add_people(rows: Rows, appointment: Appointment, columns: Columns, people: Sequence[Party]) -> None:
    rows.by_table[parties].extend(party_columns(columns["id"], people))
    rows.extend(busy_rows(appointment, columns, people))


def _exception_stamp(aggregate: Aggregate, exception: Appointment, row_id: str) -> Stamp:
    """Return the stamp of an exception: the state of its own show-as, unless it or the series is closed (A-34)."""
    stamp = aggregate.stamp
    whole = row_status(aggregate.appointment, stamp)
    closed = whole if whole in CLOSED and not exception.canceled else None
    return replace(stamp, id=row_id, status=closed)


def _change(row_id: str, version: int, identity: Identity, at: datetime, *, gone: bool) -> dict[str, Any]:
    start = identity.original_start
    return {
        "appointment_id": row_id,
        "version": version,
        "gone": gone,
        "global_object_id": identity.global_object_id,
        "original_start": None if start is None else epoch_s(start),
        "at": epoch_s(at),
    }
