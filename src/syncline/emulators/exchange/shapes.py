"""ItemShape to text: which fields an answer carries, compiled once per shape, and rendered items kept by revision.

Knows the field tables; knows nothing of the store's SQL or of operations.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import ExtendedKey
from syncline.emulators.exchange.view import View
from syncline.emulators.exchange.wire import T, local
from syncline.emulators.exchange.wire_extended import extended_xml, read_key
from syncline.emulators.exchange.wire_fields import FIELDS, Field

RENDERED_MAX = 20_000
SHAPES_MAX = 200
_ALL_URIS = {field.uri for fields in FIELDS.values() for field in fields}
# Paths that the schema has and this server never fills: asked for, they are left out like any absent value.
_KNOWN_PREFIXES = ("item:", "calendar:", "message:", "meeting:", "meetingRequest:", "contacts:", "task:", "folder:",
                   "conversation:", "persona:", "postitem:", "distributionlist:", "bulk:")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer shows of an item: base shape, body type, additional paths and extended properties."""

    base: str
    body_type: str
    uris: frozenset[str]
    extended: tuple[ExtendedKey, ...]
    summary: bool

    def wants(self, field: Field) -> bool:
        """Return whether the shape carries a field."""
        if self.summary and not field.summary:
            return False
        if field.uri == "item:ItemId" or field.uri in self.uris:
            return True
        if self.base == "AllProperties":
            return not field.on_request
        return self.base == "Default" and field.default


def read_shape(element: etree._Element | None, *, summary: bool) -> Shape:
    """Return the shape of an ItemShape element; `summary` drops what only GetItem returns."""
    if element is None:
        raise EwsError("ErrorSchemaValidation", "ItemShape is missing.", fault=True)
    uris: set[str] = set()
    extended: list[ExtendedKey] = []
    for path in element.iterfind(f"{T}AdditionalProperties/*"):
        if local(path) == "ExtendedFieldURI":
            extended.append(read_key(path))
        else:
            uris.add(_known(path.get("FieldURI", "")))
    return Shape(
        element.findtext(f"{T}BaseShape") or "IdOnly",
        element.findtext(f"{T}BodyType") or "Best",
        frozenset(uris),
        tuple(extended),
        summary,
    )


def _known(uri: str) -> str:
    if uri not in _ALL_URIS and not uri.startswith(_KNOWN_PREFIXES):
        raise EwsError("ErrorInvalidPropertyRequest")
    return uri


class Renderer:
    """Renders views by shape and keeps what it rendered; safe for threads, because dict writes are atomic."""

    def __init__(self) -> None:
        """Start empty."""
        self._plans: dict[tuple[Shape, str], tuple[Callable[[View], str], ...]] = {}
        self._rendered: dict[tuple[object, ...], str] = {}
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget everything rendered, to free memory."""
        with self._lock:
            self._rendered.clear()

    def render(self, view: View, shape: Shape, generation: int) -> str:
        """Return the item's element in that shape; `generation` tells lives of the store apart, see `Store`."""
        key = (generation, view.stored.row, view.stored.change, view.item.original_start, shape)
        found = self._rendered.get(key)
        if found is None:
            kind = view.item.kind
            inner = "".join([part(view) for part in self._plan(shape, kind)])
            found = f"<t:{kind}>{inner}</t:{kind}>"
            if len(self._rendered) >= RENDERED_MAX:
                self.clear()
            self._rendered[key] = found
        return found

    def _plan(self, shape: Shape, kind: str) -> tuple[Callable[[View], str], ...]:
        plan = self._plans.get((shape, kind))
        if plan is None:
            plan = tuple(_parts(shape, kind))
            if len(self._plans) >= SHAPES_MAX:
                self._plans.clear()
            self._plans[(shape, kind)] = plan
        return plan


def _parts(shape: Shape, kind: str) -> list[Callable[[View], str]]:
    parts: list[Callable[[View], str]] = []
    for field in FIELDS[kind]:
        if field.uri == "item:ExtendedProperty":
            if shape.extended:
                parts.append(lambda view: extended_xml(view, shape.extended))
        elif shape.wants(field):
            parts.append(field.render)
    return parts
