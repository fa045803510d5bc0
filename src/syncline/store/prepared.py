"""Statements that write many rows at once, compiled once and given to the driver as they are.

SQLAlchemy builds the parameters of each row anew, which costs more than SQLite needs to write the row. It knows
statements and column types; it must not know what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Update
from sqlalchemy.dialects.sqlite import dialect

_DIALECT = dialect()


class Prepared:
    """One INSERT or UPDATE with the names of its parameters in order; `names` are the columns of an INSERT."""

    def __init__(self, statement: Insert | Update, names: Sequence[str] | None = None) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=names)
        self._text = str(compiled)
        self._places = [(name, _turn(compiled.binds[name].type)) for name in compiled.positiontup or ()]

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Carry the statement out for each row; nothing happens without one."""
        if rows:
            connection.exec_driver_sql(self._text, [self._values(row) for row in rows])

    def _values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] if turn is None else turn(row[name]) for name, turn in self._places)


def _turn(kind: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 (types of columns of any value)
    """Return what turns a value into the driver's, None if it is the same."""
    found: Callable[[Any], Any] | None = kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return found
