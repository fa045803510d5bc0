"""Column types: instants as integers, values as JSON text, words from a closed list.

Each type gives its processors as they are, because the ones that SQLAlchemy wraps around `process_bind_param` cost as
much again as the work, for every column of every row of a first sync. It knows how one value becomes one column; it
must not know which tables there are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import BigInteger, Dialect, Select, String, Text, bindparam, func, select
from sqlalchemy.types import TypeDecorator

from syncline.store.codec import decode, decoder, encode

Processor = Callable[[Any], Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Return an aware instant as whole microseconds since 1970 in UTC."""
    return (instant - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC instant of `to_micros`."""
    return EPOCH + timedelta(microseconds=micros)


def _micros(instant: datetime | None) -> int | None:
    """Return the number of an instant; a naive one is a bug and raises TypeError."""
    return None if instant is None else to_micros(instant)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


class _Direct(TypeDecorator[Any]):
    """A type that gives its processors itself; a value in the text of a statement is bound like any other."""

    impl: Any = Text
    cache_ok = True

    def process_literal_param(self, value: object, dialect: Dialect) -> str:
        """Return the value as it is written into a statement."""
        bind = self.bind_processor(dialect)
        assert bind is not None
        return cast(str, bind(value))


class Instant(_Direct):
    """An aware instant, kept as microseconds since 1970, so that it sorts and compares as a number everywhere."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:  # noqa: ARG002
        """Return what turns an aware instant into its number."""
        return _micros

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:  # noqa: ARG002
        """Return what turns the number into an aware UTC instant."""
        return _instant


class Coded(_Direct):
    """A frozen value as canonical JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: object) -> None:
        super().__init__()
        self.kind = kind

    def bind_processor(self, dialect: Dialect) -> Processor:  # noqa: ARG002
        """Return what encodes a value."""
        return lambda value: None if value is None else encode(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:  # noqa: ARG002
        """Return what decodes the text."""
        read = decoder(self.kind).decode
        return lambda text: None if text is None else read(text)


class Dates(_Direct):
    """Instants as a JSON list; none at all is NULL, so that nearly every row stays as small as it was."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:  # noqa: ARG002
        """Return what encodes the instants."""
        return lambda value: encode(value) if value else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:  # noqa: ARG002
        """Return what decodes the list."""
        return lambda text: () if text is None else decode(text, tuple[datetime, ...])


class _List(_Direct):
    """Numbers or names of one statement as one JSON list."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:  # noqa: ARG002
        """Return what encodes the list."""
        return encode


def listed(name: str) -> Select[Any]:
    """Return the values of the list that a statement is given as `name`, for `IN`: one parameter however many."""
    each = func.json_each(bindparam(name, type_=_List())).table_valued("value")
    return select(each.c.value)


class Word(_Direct):
    """A member of a StrEnum, kept as its word; the table adds the check."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def bind_processor(self, dialect: Dialect) -> Processor:  # noqa: ARG002
        """Return what gives the word of a member; any other word is a bug and raises KeyError."""
        known: dict[str | None, str | None] = {None: None, **{member: str(member) for member in self.words}}
        return known.__getitem__

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:  # noqa: ARG002
        """Return what gives the member of a word; any other word is a bug and raises KeyError."""
        known: dict[str | None, StrEnum | None] = {None: None, **{str(member): member for member in self.words}}
        return known.__getitem__
