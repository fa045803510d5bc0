"""Statements that write or read many rows at once, compiled once and given to the driver as they are.

SQLAlchemy turns the values of each row one by one, which costs more than SQLite needs for the row. It knows statements
and column types; it must not know what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Connection, Insert, Select, Update
from sqlalchemy.dialects.sqlite import dialect

_DIALECT = dialect()
_BITS = {None: None, False: 0, True: 1}


class Prepared:
    """One INSERT or UPDATE of at least two parameters; `names` says in which order a row brings its values.

    A value that no row has is written into the text: Python's driver looks for an adapter for every None, which takes
    ten times as long as an integer.
    """

    def __init__(self, statement: Insert | Update, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=names)
        assert compiled.positiontup is not None, "SQLite takes parameters by their place"
        self._pieces = str(compiled).split("?")
        self._order = [names.index(name) for name in compiled.positiontup]
        assert len(self._pieces) == len(self._order) + 1, "a question mark is a parameter"
        turns = ((at, _turn(compiled.binds[name].type)) for at, name in enumerate(names) if name in compiled.binds)
        self._turns = [(at, turn) for at, turn in turns if turn is not None]
        self._texts: dict[frozenset[int], str] = {}

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Carry the statement out for each row and return how many rows it wrote; nothing happens without one."""
        if not rows:
            return 0
        columns = self._columns(rows)
        void = frozenset(at for at, column in enumerate(columns) if _holds_nothing(column))
        values = list(zip(*(columns[at] for at in self._order if at not in void), strict=True))
        return connection.exec_driver_sql(self._text(void), values).rowcount

    def _columns(self, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Return what the driver takes, made column by column: a step in C for each, and none in Python for a row."""
        columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True))
        for at, turn in self._turns:
            columns[at] = tuple(map(turn, columns[at]))
        return columns

    def _text(self, void: frozenset[int]) -> str:
        if void not in self._texts:
            marks = ["NULL" if at in void else "?" for at in self._order]
            pairs = zip(self._pieces, [*marks, ""], strict=True)
            self._texts[void] = "".join(part for pair in pairs for part in pair)
        return self._texts[void]


class Query:
    """One SELECT whose values are turned column by column."""

    def __init__(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        assert compiled.positiontup is not None, "SQLite takes parameters by their place"
        self._text = str(compiled)
        self._fixed = compiled.params
        self._given = [(name, _turn(compiled.binds[name].type)) for name in compiled.positiontup]
        turns = ((at, _turn_back(column.type)) for at, column in enumerate(statement.selected_columns))
        self._turns = [(at, turn) for at, turn in turns if turn is not None]

    def all(self, connection: Connection, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return all rows for these parameters; those that the statement names itself need not be given."""
        values = self._fixed | given
        bound = tuple(values[name] if turn is None else turn(values[name]) for name, turn in self._given)
        rows = connection.exec_driver_sql(self._text, bound).all()
        columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True))
        for at, turn in self._turns if rows else ():
            columns[at] = tuple(map(turn, columns[at]))
        return list(zip(*columns, strict=True))


def _holds_nothing(column: Sequence[Any]) -> bool:
    return column[0] is None and column.count(None) == len(column)


def _turn(kind: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 (types of columns of any value)
    """Return what turns a value into the driver's, None if the driver takes it as it is."""
    if isinstance(kind, Boolean):
        return _BITS.__getitem__
    found: Callable[[Any], Any] | None = kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return found


def _turn_back(kind: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 (types of columns of any value)
    """Return what turns the driver's value into one of ours, None if it is one."""
    found: Callable[[Any], Any] | None = kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return found
