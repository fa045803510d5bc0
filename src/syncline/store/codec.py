"""Core values as canonical JSON text, and the digest of an appointment.

The form is stable: members in the order of their definition, instants as RFC 3339 in UTC, nothing left out, so that
equal values have equal text and a digest can be compared across processes and versions of Python. It knows values;
it must not know tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from syncline.core.appointment import Appointment

Value = TypeVar("Value")

DIGEST_BYTES = 16

_encoder = msgspec.json.Encoder(order="deterministic")


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast(type[Any], kind))


def encode(value: object) -> str:
    """Return the canonical JSON text of a frozen value, or of tuples and mappings of such values."""
    return _encoder.encode(value).decode()


def decode(text: str | bytes, kind: type[Value]) -> Value:
    """Return the value of type `kind` that `text` holds; msgspec.ValidationError if it holds something else."""
    return cast(Value, _decoder(cast(Hashable, kind)).decode(text))


def digest(appointment: Appointment) -> str:
    """Return 32 hexadecimal digits that are equal exactly when the appointments are equal in every field."""
    return hashlib.blake2b(_encoder.encode(appointment), digest_size=DIGEST_BYTES).hexdigest()
