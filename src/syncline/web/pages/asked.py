"""What somebody asks of the wall, read from the address and written into it: filters, order, form and page.

Every state of the wall has an address. A word in it that means nothing counts as not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from urllib.parse import parse_qsl, urlencode

from syncline.desk.wall import AGES, ANY, KINDS, LEVELS, WORDS_MAX, Filters
from syncline.errors import CATALOGUE
from syncline.store.wall import SORTS, STATES

VIEWS = ("cards", "list")
PAGES_MAX = 100_000
_NAMES = {"words": "q"}
_KNOWN: Mapping[str, Iterable[str]] = {
    "kind": ("", *KINDS, *CATALOGUE),
    "level": ("", *LEVELS),
    "state": (*STATES, ANY),
    "age": ("", *AGES),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: `each` shows every question of a mailbox that has many, `ticked` a page with all boxes ticked."""

    filters: Filters = field(default_factory=Filters)
    sort: str = "matters"
    view: str = "cards"
    page: int = 1
    each: bool = False
    ticked: bool = False

    @property
    def plain(self) -> bool:
        """Return whether nothing but the page was chosen: the wall as it opens."""
        return replace(self, page=1, view="cards", ticked=False) == Asked()

    @property
    def listed(self) -> bool:
        """Return whether rows are shown: wished, or because what is over needs no card."""
        return self.view == "list" or self.filters.state != "open"

    def at(self, **changes: object) -> str:
        """Return the address of the same with changes; whoever changes what is asked begins at the first page."""
        query = self.query(**changes)
        return f"/alerts?{query}" if query else "/alerts"

    def query(self, **changes: object) -> str:
        """Return the same as a query string, without what needs no saying."""
        values = {"page": 1, "ticked": False} | changes
        own = {field.name for field in fields(Filters)}
        filters = replace(self.filters, **{name: value for name, value in values.items() if name in own})  # type: ignore[arg-type]
        rest = {name: value for name, value in values.items() if name not in own}
        return _written(replace(self, filters=filters, **rest))  # type: ignore[arg-type]


def read(query: str) -> Asked:
    """Return what a query string asks."""
    said = dict(parse_qsl(query))
    words = {name: said.get(name, "") for name in ("mailbox", *_KNOWN)}
    words = {name: value if value in _KNOWN.get(name, (value,)) else "" for name, value in words.items()}
    return Asked(
        filters=Filters(
            mailbox=words["mailbox"].strip()[:WORDS_MAX],
            kind=words["kind"],
            level=words["level"],
            state=words["state"] or "open",
            age=words["age"],
            mine=said.get("mine") == "1",
            words=said.get("q", "").strip()[:WORDS_MAX],
        ),
        sort=said["sort"] if said.get("sort") in SORTS else "matters",
        view=said["view"] if said.get("view") in VIEWS else "cards",
        page=_number(said.get("page", "")),
        each=said.get("each") == "1",
        ticked=said.get("select") == "page",
    )


def _number(text: str) -> int:
    return min(max(int(text), 1), PAGES_MAX) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _written(asked: Asked) -> str:
    usual = Asked()
    values = {
        _NAMES.get(name, name): getattr(asked.filters, name)
        for name in (field.name for field in fields(Filters))
        if getattr(asked.filters, name) != getattr(usual.filters, name)
    }
    values |= {n: getattr(asked, n) for n in ("sort", "view", "page", "each") if getattr(asked, n) != getattr(usual, n)}
    said = {name: 1 if value is True else value for name, value in values.items()}
    return urlencode(said | ({"select": "page"} if asked.ticked else {}))
