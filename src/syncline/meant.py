"""What a setting is for: the note that every field of a section of the settings carries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meant:
    """What a setting is for, and its bounds (inclusive) where it is a number."""

    text: str
    low: float | None = None
    high: float | None = None
    secret: bool = False
    """Whether the value is shown nowhere (`value_of` says only that there is one)."""
