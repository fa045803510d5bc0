"""Core values as canonical JSON text.

The form is stable: members in the order of their definition, instants as RFC 3339 in UTC, nothing left out, so that
equal values have equal text. It knows values; it must not know tables.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

Value = TypeVar("Value")

_encoder = msgspec.json.Encoder(order="deterministic")


@cache
def decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    """Return the decoder of texts that hold values of the type `kind`."""
    return msgspec.json.Decoder(cast(type[Any], kind))


def encode(value: object) -> str:
    """Return the canonical JSON text of a frozen value, or of tuples and mappings of such values."""
    return _encoder.encode(value).decode()


def decode(text: str | bytes, kind: type[Value]) -> Value:
    """Return the value of type `kind` that `text` holds; msgspec.ValidationError if it holds something else."""
    return cast(Value, decoder(cast(Hashable, kind)).decode(text))
