"""Statements that write many rows at once, compiled once and given to the driver as they are.

SQLAlchemy builds the parameters of each row anew, which costs more than SQLite needs to write the row. It knows
statements and column types; it must not know what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Boolean, Connection, Insert, Update
from sqlalchemy.dialects.sqlite import dialect

_DIALECT = dialect()


class Prepared:
    """One INSERT or UPDATE of at least two parameters; `names` says in which order a row brings its values."""

    def __init__(self, statement: Insert | Update, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=names)
        assert compiled.positiontup is not None, "SQLite takes parameters by their place"
        self._text = str(compiled)
        self._order = [names.index(name) for name in compiled.positiontup]
        turns = ((at, _turn(compiled.binds[name].type)) for at, name in enumerate(names) if name in compiled.binds)
        self._turns = [(at, turn) for at, turn in turns if turn is not None]

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Carry the statement out for each row; nothing happens without one."""
        if rows:
            connection.exec_driver_sql(self._text, self._values(rows))

    def _values(self, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Return what the driver takes, made column by column: a step in C for each, and none in Python for a row."""
        columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True))
        for at, turn in self._turns:
            columns[at] = tuple(map(turn, columns[at]))
        return list(zip(*(columns[at] for at in self._order), strict=True))


def _turn(kind: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 (types of columns of any value)
    """Return what turns a value into the driver's, None if the driver takes it as it is."""
    if isinstance(kind, Boolean):
        return None
    found: Callable[[Any], Any] | None = kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return found
