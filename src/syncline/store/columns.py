"""Column types: instants as integers, values as JSON text, words from a closed list.

It knows how one value becomes one column; it must not know which tables there are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import cast

from sqlalchemy import BigInteger, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from syncline.store.codec import decode, encode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Return an aware instant as whole microseconds since 1970 in UTC."""
    return (instant - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC instant of `to_micros`."""
    return EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as microseconds since 1970, so that it sorts and compares as a number everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Turn an aware instant into its number; a naive one is a bug and raises TypeError."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn the number into an aware UTC instant."""
        return None if value is None else from_micros(value)


class Coded(TypeDecorator[object]):
    """A frozen value as canonical JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: object) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: object | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Encode the value."""
        return None if value is None else encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> object | None:  # noqa: ARG002
        """Decode the text."""
        return None if value is None else decode(value, cast(type[object], self.kind))


class Dates(TypeDecorator[tuple[datetime, ...]]):
    """Instants as a JSON list; none at all is NULL, so that nearly every row stays as small as it was."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[datetime, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Encode the instants."""
        return encode(value) if value else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[datetime, ...]:  # noqa: ARG002
        """Decode the list."""
        return () if value is None else decode(value, tuple[datetime, ...])


class Word(TypeDecorator[str]):
    """A member of a StrEnum, kept as its word; the table adds the check."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the word of a member."""
        return None if value is None else str(self.words(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        """Return the member of a word."""
        return None if value is None else self.words(value)
