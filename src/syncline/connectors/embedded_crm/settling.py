"""Who an address is has changed: the parties of all rows follow, and so do the times that they keep busy.

It must not know why (a new user, a new address, a contact).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import BindParameter, Connection, RowMapping, bindparam, delete, select, update

from syncline.connectors.embedded_crm.directory import UNRESOLVED, resolve
from syncline.connectors.embedded_crm.reading import IDS_PER_QUERY_MAX, load_parties
from syncline.connectors.embedded_crm.rows import Party, appointment_of
from syncline.connectors.embedded_crm.schema import appointments, busy_series, busy_spans, parties, recurrences
from syncline.connectors.embedded_crm.writing import busy_rows, insert_rows

_ids: BindParameter[str] = bindparam("ids", expanding=True)
_rows_of_ids = select(appointments).where(appointments.c.id.in_(_ids))
_series_of_ids = select(recurrences).where(recurrences.c.id.in_(_ids))
_drop_spans = delete(busy_spans).where(busy_spans.c.appointment_id.in_(_ids))
_drop_series = delete(busy_series).where(busy_series.c.series_id.in_(_ids))
_resolve_party = (
    update(parties)
    .where(parties.c.appointment_id == bindparam("row_id"), parties.c.position == bindparam("place"))
    .values(user_id=bindparam("user"), contact_id=bindparam("contact"))
)


def settle_addresses(connection: Connection, addresses: Iterable[str]) -> None:
    """Resolve these addresses anew on every row that names them, and rebuild whom those rows make busy."""
    named = sorted(set(addresses))
    query = select(parties.c.appointment_id).where(parties.c.address.in_(named)).distinct()
    ids = list(connection.scalars(query)) if named else []
    for start in range(0, len(ids), IDS_PER_QUERY_MAX):
        _settle_rows(connection, ids[start : start + IDS_PER_QUERY_MAX])


def _settle_rows(connection: Connection, ids: Sequence[str]) -> None:
    listed = load_parties(connection, ids)
    people = resolve(connection, {party["address"] for found in listed.values() for party in found})
    changes = []
    resolved: dict[str, list[Party]] = {}
    for row_id, found in listed.items():
        for party in found:
            who = people.get(party["address"], UNRESOLVED)
            number = who.user.number if who.user else None
            changes.append({"row_id": row_id, "place": party["position"], "user": number, "contact": who.contact_id})
            kept = Party(type=party["participationtypemask"], address=party["address"], user_id=number)
            if party["busy"]:
                resolved.setdefault(row_id, []).append(kept)
    connection.execute(_resolve_party, changes)
    _rebuild(connection, ids, resolved, listed)


def _rebuild(
    connection: Connection,
    ids: Sequence[str],
    people: dict[str, list[Party]],
    listed: dict[str, list[RowMapping]],
) -> None:
    named = {"ids": list(ids)}
    connection.execute(_drop_spans, named)
    connection.execute(_drop_series, named)
    series = {row["id"]: row for row in connection.execute(_series_of_ids, named).mappings()}
    rebuilt = []
    for row in connection.execute(_rows_of_ids, named).mappings().all():
        appointment = appointment_of(row, listed.get(row["id"], ()), series.get(row["id"]))
        rebuilt.append(busy_rows(appointment, row, people.get(row["id"], ())))
    insert_rows(connection, rebuilt)
