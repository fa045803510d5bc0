"""One page of a listing, and all pages of it in one list. It must not know what is listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key")

PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item, Key]):
    """One page; `next` is where the following one begins, None: it was the last."""

    items: tuple[Item, ...]
    next: Key | None


def everything(page: Callable[[Key | None], Page[Item, Key]]) -> list[Item]:
    """Return the items of all pages; `page` gives the one that begins where it is told, None: the first."""
    found: list[Item] = []
    at: Key | None = None
    while True:
        part = page(at)
        found.extend(part.items)
        at = part.next
        if at is None:
            return found
