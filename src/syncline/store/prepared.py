"""Statements that write or read many rows at once, compiled once and given to the driver as they are.

SQLAlchemy turns the values of each row one by one, which costs more than SQLite needs for the row; here whole columns
come and go. It knows statements and column types; it must not know what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Connection, Insert, Select, Update
from sqlalchemy.dialects.sqlite import dialect

Turn = Callable[[Any], Any]

_DIALECT = dialect()
_BITS = {None: None, False: 0, True: 1}


class Prepared:
    """One INSERT or UPDATE of at least two parameters; `names` says in which order the columns come.

    A value that no row has is written into the text: Python's driver looks for an adapter for every None, which takes
    ten times as long as an integer.
    """

    def __init__(self, statement: Insert | Update, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=names)
        assert compiled.positiontup is not None, "SQLite takes parameters by their place"
        self._pieces = str(compiled).split("?")
        self._order = [names.index(name) for name in compiled.positiontup]
        assert len(self._pieces) == len(self._order) + 1, "a question mark is a parameter"
        self._turns = [_turn(compiled.binds[name].type) if name in compiled.binds else None for name in names]
        self._texts: dict[frozenset[int], str] = {}

    def run(self, connection: Connection, columns: Sequence[Sequence[Any]]) -> int:
        """Carry the statement out for each row of the columns, at least one, and return how many rows it wrote."""
        turned = [_turned(column, turn) for column, turn in zip(columns, self._turns, strict=True)]
        void = frozenset(at for at, column in enumerate(turned) if _holds_nothing(column))
        values = list(zip(*(turned[at] for at in self._order if at not in void), strict=True))
        return connection.exec_driver_sql(self._text(void), values).rowcount

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
        self._turns = [_turn_back(column.type) for column in statement.selected_columns]

    def columns(self, connection: Connection, given: Mapping[str, Any]) -> list[Sequence[Any]]:
        """Return the columns of all rows for these parameters, none without a row.

        Parameters that the statement names itself need not be given.
        """
        values = self._fixed | given
        bound = tuple(values[name] if turn is None else turn(values[name]) for name, turn in self._given)
        rows = connection.exec_driver_sql(self._text, bound).all()
        pairs = zip(zip(*rows, strict=True), self._turns, strict=True) if rows else ()
        return [_turned(column, turn) for column, turn in pairs]


def _turned(column: Sequence[Any], turn: Turn | None) -> Sequence[Any]:
    """Return the values of a column, turned in a loop in C, and once where there is nothing but NULL."""
    if turn is None:
        return column
    return (turn(None),) * len(column) if _holds_nothing(column) else tuple(map(turn, column))


def _holds_nothing(column: Sequence[Any]) -> bool:
    return column[0] is None and column.count(None) == len(column)


def _turn(kind: Any) -> Turn | None:  # noqa: ANN401 (types of columns of any value)
    """Return what turns a value into the driver's, None if the driver takes it as it is."""
    if isinstance(kind, Boolean):
        return _BITS.__getitem__
    found: Turn | None = kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return found


def _turn_back(kind: Any) -> Turn | None:  # noqa: ANN401 (types of columns of any value)
    """Return what turns the driver's value into one of ours, None if it is one."""
    found: Turn | None = kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return found
