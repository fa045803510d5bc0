"""Reading rows and the change log of the embedded CRM, many at once.

It must not know who is available, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import BindParameter, Connection, RowMapping, Select, bindparam, func, or_, select

from syncline.connectors.embedded_crm.rows import appointment_of, crm_row_of, holds_occurrence, identity_of
from syncline.connectors.embedded_crm.schema import (
    appointments,
    change_log,
    epoch,
    last_keys,
    parties,
    recurrences,
)
from syncline.core.appointment import Identity, Kind
from syncline.errors import SyncError
from syncline.ports import CrmChange, CrmPage, CrmRow

IDS_PER_QUERY_MAX = 1_000
MARK_CHARACTERS = 12
SEQ_DIGITS_MAX = 18

_ids: BindParameter[str] = bindparam("ids", expanding=True)
_roots = select(appointments.c.id, func.coalesce(appointments.c.series_id, appointments.c.id).label("root")).where(
    appointments.c.id.in_(_ids)
)
_rows_of_roots = select(appointments).where(or_(appointments.c.id.in_(_ids), appointments.c.series_id.in_(_ids)))
_series_of_roots = select(recurrences).where(recurrences.c.id.in_(_ids))
_parties_of_rows = (
    select(parties).where(parties.c.appointment_id.in_(_ids)).order_by(parties.c.appointment_id, parties.c.position)
)
_rows_of_identity = select(
    appointments.c.id, appointments.c.kind, appointments.c.global_object_id, appointments.c.original_start
).where(appointments.c.global_object_id.in_(_ids), appointments.c.series_id.is_(None))

_keys_of_rows = select(last_keys).where(last_keys.c.appointment_id.in_(_ids))
_roots_after = (
    select(appointments.c.id)
    .where(appointments.c.id > bindparam("after"), appointments.c.series_id.is_(None))
    .order_by(appointments.c.id)
)
_entry = select(change_log).where(change_log.c.seq == bindparam("seq"))
_later = change_log.alias("later")
_newest_changes = (
    select(change_log)
    .where(
        change_log.c.seq > bindparam("after"),
        ~select(_later.c.seq)
        .where(_later.c.appointment_id == change_log.c.appointment_id, _later.c.seq > change_log.c.seq)
        .exists(),
    )
    .order_by(change_log.c.seq)
)


def read_rows(connection: Connection, ids: Sequence[str]) -> dict[str, CrmRow]:
    """Return the aggregates that exist, by the id asked for; an exception's id answers with its series.

    SyncError("CrmRowUnreadable") if the columns of one of them do not make an appointment.
    """
    found: dict[str, CrmRow] = {}
    for row_id, row in each_row(connection, ids).items():
        if isinstance(row, SyncError):
            raise row
        found[row_id] = row
    return found


def each_row(connection: Connection, ids: Sequence[str]) -> dict[str, CrmRow | SyncError]:
    """Return what `read_rows` does, with an error in the place of what cannot be read."""
    found: dict[str, CrmRow | SyncError] = {}
    for chunk in _chunks(list(dict.fromkeys(ids))):
        roots = {row.id: row.root for row in connection.execute(_roots, {"ids": chunk})}
        rows = _aggregates(connection, sorted(set(roots.values())))
        found |= {asked: rows[roots[asked]] for asked in chunk if asked in roots}
    return found


def read_ids(connection: Connection, after: str, limit: int) -> tuple[str, ...]:
    """Return the ids of singles and series that come after `after` by id, at most `limit`."""
    return tuple(connection.scalars(_roots_after.limit(limit), {"after": after}))


def read_last_keys(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the keys that rows were last written under, by row."""
    chunks = _chunks(list(dict.fromkeys(ids)))
    return {row["appointment_id"]: row["key"] for chunk in chunks for row in _all(connection, _keys_of_rows, chunk)}


def find_ids(connection: Connection, identities: Iterable[Identity]) -> dict[Identity, str]:
    """Return the ids of the rows that hold one of the identities: the row itself, else the series it belongs to."""
    wanted = list(dict.fromkeys(identities))
    held: dict[Identity, str] = {}
    series: dict[str, str] = {}
    for chunk in _chunks(sorted({identity.global_object_id for identity in wanted})):
        for row in connection.execute(_rows_of_identity, {"ids": chunk}).mappings():
            held[identity_of(row)] = row["id"]
            if row["kind"] == Kind.SERIES:
                series[row["global_object_id"]] = row["id"]
    inside = {
        identity: series[identity.global_object_id]
        for identity in wanted
        if identity not in held and identity.original_start is not None and identity.global_object_id in series
    }
    rows = read_rows(connection, list(inside.values()))
    held |= {
        identity: row_id
        for identity, row_id in inside.items()
        if identity.original_start and holds_occurrence(rows[row_id].appointment, identity.original_start)
    }
    return {identity: held[identity] for identity in wanted if identity in held}


def read_changes(connection: Connection, cursor: str | None, limit: int) -> CrmPage:
    """Return the next page of the change log; of several changes of one row only the newest.

    A cursor is the epoch of the database, a place in the log, and a mark of the entry there: whoever puts an older
    file back without a new epoch is noticed too, when the log has grown past the cursor again. SyncError
    ("CursorExpired") if the cursor is not one of this log. Plain numbers, as given out before, are taken as they are.
    """
    last = connection.scalar(select(func.max(change_log.c.seq))) or 0
    now = connection.scalar(select(epoch.c.id)) or ""
    after = _position(connection, cursor, now, last)
    rows = connection.execute(_newest_changes.limit(limit + 1), {"after": after}).mappings().all()
    more = len(rows) > limit
    page = rows[:limit]
    return CrmPage(
        changes=tuple(_change(row) for row in page),
        cursor=_cursor(connection, now, page[-1]["seq"] if more else last),
        more=more,
    )


def load_parties(connection: Connection, ids: Sequence[str]) -> dict[str, list[RowMapping]]:
    """Return the parties of the rows (of any kind), by row id, in their order."""
    found: dict[str, list[RowMapping]] = {}
    for chunk in _chunks(ids):
        for party in _all(connection, _parties_of_rows, chunk):
            found.setdefault(party["appointment_id"], []).append(party)
    return found


def _aggregates(connection: Connection, roots: Sequence[str]) -> dict[str, CrmRow | SyncError]:
    rows = _all(connection, _rows_of_roots, roots)
    series = {row["id"]: row for row in _all(connection, _series_of_roots, roots)}
    people = load_parties(connection, [row["id"] for row in rows])
    exceptions: dict[str, list[RowMapping]] = {}
    for row in rows:
        if row["series_id"] is not None:
            exceptions.setdefault(row["series_id"], []).append(row)
    return {
        row["id"]: _aggregate(row, exceptions.get(row["id"], ()), people, series.get(row["id"]))
        for row in rows
        if row["series_id"] is None
    }


def _aggregate(
    root: RowMapping,
    exceptions: Sequence[RowMapping],
    people: Mapping[str, Sequence[RowMapping]],
    series: RowMapping | None,
) -> CrmRow | SyncError:
    """Put one row together; columns that say nothing, as after a repair by hand, are the error of this row alone."""
    try:
        parts = {row["id"]: appointment_of(row, people.get(row["id"], ())) for row in exceptions}
        parties = [party for row in (root, *exceptions) for party in people.get(row["id"], ())]
        return crm_row_of(root, appointment_of(root, people.get(root["id"], ()), series), parts, parties)
    except (ValueError, LookupError, TypeError, OverflowError) as damage:
        detail = f"one of its columns holds a value that it cannot have ({damage})"
        return SyncError("CrmRowUnreadable", subject=str(root["subject"]), row=root["id"], detail=detail)


def _change(row: RowMapping) -> CrmChange:
    return CrmChange(id=row["appointment_id"], version=row["version"], gone=row["gone"], identity=identity_of(row))


def _cursor(connection: Connection, now: str, seq: int) -> str:
    """Return the cursor of a place in the log (0: its beginning)."""
    return f"{now}.{seq}.{_mark(connection, seq)}"


def _mark(connection: Connection, seq: int) -> str:
    """Return a text that tells the entry at this place from another one that could stand there; "" if none does."""
    entry = connection.execute(_entry, {"seq": seq}).one_or_none()
    return "" if entry is None else sha256(repr(tuple(entry)).encode()).hexdigest()[:MARK_CHARACTERS]


def _position(connection: Connection, cursor: str | None, now: str, last: int) -> int:
    if cursor is None:
        return 0
    plain = cursor.isascii() and cursor.isdecimal()
    given, _, place = cursor.partition(".")
    number, _, mark = place.partition(".")
    seq = cursor if plain else number
    known = seq.isascii() and seq.isdecimal() and len(seq) <= SEQ_DIGITS_MAX and int(seq) <= last
    if not known or (not plain and (given != now or mark != _mark(connection, int(seq)))):
        raise SyncError("CursorExpired", mailbox="the change log")
    return int(seq)


def _all(connection: Connection, query: Select[Any], ids: Sequence[str]) -> Sequence[RowMapping]:
    return connection.execute(query, {"ids": list(ids)}).mappings().all()


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), IDS_PER_QUERY_MAX):
        yield list(ids[start : start + IDS_PER_QUERY_MAX])
