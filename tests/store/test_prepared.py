"""Statements that are given to the driver directly do exactly what SQLAlchemy's own would do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text, bindparam, create_engine, insert, select, update
from sqlalchemy.engine import Connection

from syncline.ports import LinkState
from syncline.store.columns import Coded, Dates, Instant, Word, listed
from syncline.store.prepared import Prepared, Query

THINGS = Table(
    "thing",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", Text),
    Column("flag", Boolean),
    Column("at", Instant),
    Column("told", Coded(dict[str, str])),
    Column("dates", Dates),
    Column("state", Word(LinkState)),
)
NAMES = tuple(column.name for column in THINGS.c)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
VALUES = st.tuples(
    st.none() | st.sampled_from(["", "a?", "née"]),
    st.none() | st.booleans(),
    st.none() | INSTANTS,
    st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    st.lists(INSTANTS, max_size=2).map(tuple),
    st.none() | st.sampled_from(LinkState),
)
ROWS = st.lists(VALUES, min_size=1, max_size=4).map(lambda rows: [(at, *row) for at, row in enumerate(rows, 1)])


@given(ROWS)
def test_what_is_prepared_writes_and_reads_as_the_library_does(rows: list[tuple[Any, ...]]) -> None:
    """Columns of nothing but NULL, of some NULL, flags, words, instants and values are the same in the table."""
    with _table() as plain, _table() as prepared:
        plain.execute(insert(THINGS), [dict(zip(NAMES, row, strict=True)) for row in rows])
        written = Prepared(insert(THINGS), NAMES).run(prepared, list(zip(*rows, strict=True)))
        assert written == len(rows)
        assert _raw(prepared) == _raw(plain)
        query = select(THINGS).where(THINGS.c.id.in_(listed("ids"))).order_by(THINGS.c.id)
        found = Query(query).columns(prepared, {"ids": [row[0] for row in rows]})
        assert list(zip(*found, strict=True)) == [tuple(row) for row in plain.execute(select(THINGS)).all()] == rows


@given(ROWS, ROWS)
def test_a_prepared_update_says_how_many_rows_it_wrote(
    rows: list[tuple[Any, ...]], others: list[tuple[Any, ...]]
) -> None:
    """A row whose name is another one is not written, also where the name is NULL."""
    new = {f"new_{name}": bindparam(f"new_{name}", type_=THINGS.c[name].type) for name in NAMES}
    same = (THINGS.c.id == new["new_id"], THINGS.c.name.is_not_distinct_from(new["new_name"]))
    values = {name: new[f"new_{name}"] for name in NAMES[2:]}
    statement = Prepared(update(THINGS).where(*same).values(values), list(new))
    before = {row[:2]: row for row in rows}
    with _table() as connection:
        connection.execute(insert(THINGS), [dict(zip(NAMES, row, strict=True)) for row in rows])
        written = statement.run(connection, list(zip(*others, strict=True)))
        changed = {row[:2]: row for row in others if row[:2] in before}
        assert written == len(changed)
        assert [tuple(row) for row in connection.execute(select(THINGS)).all()] == [*(before | changed).values()]


def test_a_query_without_rows_has_no_columns() -> None:
    """Nothing is found, and nothing is turned."""
    with _table() as connection:
        assert Query(select(THINGS).where(THINGS.c.state == LinkState.ASKED)).columns(connection, {}) == []


@pytest.mark.parametrize("flag", [True, False])
def test_what_a_statement_names_itself_need_not_be_given(flag: bool) -> None:
    """A flag and a word within the text of a query are bound like any other value."""
    rows = [(1, "a", flag, None, None, (), LinkState.ASKED), (2, "b", not flag, None, None, (), LinkState.ASKED)]
    query = select(THINGS.c.name).where(THINGS.c.flag == flag, THINGS.c.state == LinkState.ASKED)
    with _table() as connection:
        Prepared(insert(THINGS), NAMES).run(connection, list(zip(*rows, strict=True)))
        assert Query(query).columns(connection, {}) == [("a",)]


def _table() -> Connection:
    engine = create_engine("sqlite://")
    THINGS.create(engine)
    return engine.connect()


def _raw(connection: Connection) -> Sequence[Any]:
    return [tuple(row) for row in connection.exec_driver_sql("SELECT *, typeof(flag) FROM thing").all()]
