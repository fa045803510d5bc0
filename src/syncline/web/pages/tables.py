"""Tables that people sort, filter and page through; all of it stands in the address, so a page can be kept and sent.

`Table` says what may be asked of one table, `Asked` what somebody asked. It must not know what stands in any table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import urlencode

from fastapi import Request

from syncline.store import Slice, Sliced

Item = TypeVar("Item")
PAGE_ROWS = 25
WORDS_MAX = 200
PAGE_MAX = 100_000
_NEAR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: the word that stands above it (marked by `noted`), and by what it is sorted ("" not at all)."""

    title: str
    sort: str = ""
    number: bool = False
    falls: bool = False
    """Whether the first click sorts downwards: numbers and times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: its address, its columns, how it is sorted when nobody says, and the states it is filtered by."""

    path: str
    columns: tuple[Column, ...]
    sort: str
    descending: bool = False
    states: tuple[str, ...] = ()
    state: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Other parts of the address that stay as they are."""

    def asked(self, request: Request) -> Asked:
        """Read what is asked for; what this table does not know counts as not asked."""
        query = request.query_params
        sorts = {column.sort for column in self.columns if column.sort}
        sort = query.get("sort", "")
        state = query.get("state", "")
        page = query.get("page", "")
        return Asked(
            table=self,
            sort=sort if sort in sorts else self.sort,
            descending=query.get("down") == "1" if sort in sorts else self.descending,
            words=query.get("q", "").strip()[:WORDS_MAX],
            state=state if state in self.states else self.state,
            page=min(int(page), PAGE_MAX) if page.isascii() and page.isdecimal() and int(page) else 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asked of a table."""

    table: Table
    sort: str
    descending: bool
    words: str = ""
    state: str = ""
    page: int = 1

    @property
    def first(self) -> int:
        """Return how many rows come before this page."""
        return (self.page - 1) * PAGE_ROWS

    @property
    def filtered(self) -> bool:
        """Return whether something is left out by what was asked."""
        return bool(self.words) or self.state != self.table.state

    def at(self, **changes: object) -> str:
        """Return the address with some of what is asked changed; another question begins on its first page."""
        text = urlencode(self._query(**changes))
        return f"{self.table.path}?{text}" if text else self.table.path

    def by(self, column: Column) -> str:
        """Return the address that sorts by a column, the other way round if it does already."""
        return self.at(sort=column.sort, down=not self.descending if self.sort == column.sort else column.falls)

    def direction(self, column: Column) -> str:
        """Return the value of `aria-sort` above a column."""
        if self.sort != column.sort:
            return "none"
        return "descending" if self.descending else "ascending"

    def hidden(self, *, without: str = "") -> Mapping[str, str]:
        """Return what a form has to carry along, so that it changes only what its fields say."""
        return {name: value for name, value in self._query(q="").items() if name != without}

    def _query(self, **changes: object) -> Mapping[str, str]:
        """Return the address's parameters, without what needs no saying."""
        asked = {"sort": self.sort, "down": self.descending, "q": self.words, "state": self.state, "page": 1, **changes}
        usual = asked["sort"] == self.table.sort and asked["down"] == self.table.descending
        query = {
            **self.table.kept,
            "state": asked["state"] if asked["state"] != self.table.state else "",
            "q": asked["q"],
            "sort": "" if usual else asked["sort"],
            "down": "" if usual or not asked["down"] else "1",
            "page": asked["page"] if asked["page"] != 1 else "",
        }
        return {name: str(value) for name, value in query.items() if value}

    def read(self, read: Callable[[Slice], Sliced[Item]]) -> tuple[tuple[Item, ...], Pages]:
        """Read the rows of the page that is asked for, or of the last one if there are not so many."""
        found = read(self._slice)
        if found.items or not found.total:
            return found.items, Pages(asked=self, total=found.total)
        last = replace(self, page=Pages(asked=self, total=found.total).last)
        found = read(last._slice)
        return found.items, Pages(asked=last, total=found.total)

    @property
    def _slice(self) -> Slice:
        return Slice(
            state=self.state,
            words=self.words,
            sort=self.sort,
            descending=self.descending,
            first=self.first,
            limit=PAGE_ROWS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where a page stands among all."""

    asked: Asked
    total: int

    @property
    def last(self) -> int:
        """Return the number of the last page."""
        return max(1, -(-self.total // PAGE_ROWS))

    @property
    def row_first(self) -> int:
        """Return the number of the first row shown."""
        return min(self.asked.first + 1, self.total)

    @property
    def row_last(self) -> int:
        """Return the number of the last row shown."""
        return min(self.asked.first + PAGE_ROWS, self.total)

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """Return the pages that are offered: the first, the last, and those around; None is a gap."""
        now = self.asked.page
        shown = sorted({1, self.last, *range(max(1, now - _NEAR), min(self.last, now + _NEAR) + 1)})
        gapped: list[int | None] = []
        for before, number in zip([0, *shown], shown, strict=False):
            if number - before > 1:
                gapped.append(None)
            gapped.append(number)
        return tuple(gapped)
