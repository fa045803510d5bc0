"""One request on its way through the operations: who asks, for which mailbox, with which parts of the server.

Also the resolution of folder and item ids with its access rule: a mailbox opens only itself, the service account
opens every mailbox. Knows ids and the store, nothing of HTTP.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lxml import etree

from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import read_folder_id, read_item_id
from syncline.emulators.exchange.model import Folder, Mailbox, Person, Stored, ZoneRef
from syncline.emulators.exchange.shapes import Renderer, Shape
from syncline.emulators.exchange.store import Store
from syncline.emulators.exchange.view import View
from syncline.emulators.exchange.wire import T, local


class Clock:
    """The server's time: real or frozen, and shifted by `advance`."""

    def __init__(self, frozen: datetime | None = None) -> None:
        """Start at the real time, or stand still at `frozen`."""
        self._frozen = frozen
        self._shift = timedelta()

    def now(self) -> datetime:
        """Return the present instant, to the second."""
        base = self._frozen or datetime.now(UTC)
        return (base + self._shift).replace(microsecond=0)

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self._shift += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Take all shifts back."""
        self._shift = timedelta()


class Tally:
    """Counts requests and what was not supported, by operation; safe for threads."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, name: str) -> None:
        """Count one more."""
        with self._lock:
            self._counts[name] += 1

    def counts(self) -> dict[str, int]:
        """Return all counts."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def clear(self) -> None:
        """Start at nothing again."""
        with self._lock:
            self._counts.clear()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed in: a mailbox, or the service account (`service`), which has none."""

    name: str
    mailbox: Mailbox | None = None
    service: bool = False


@dataclass(slots=True, kw_only=True)
class Call:
    """Everything an operation may use.

    `broken` is the number of items that must not render this time; `breaks` says of a subject that its items must not.
    `denied`: nothing may be written.
    """

    store: Store
    clock: Clock
    renderer: Renderer
    unsupported: Tally
    caller: Caller
    mailbox: Mailbox | None
    zone: ZoneRef = field(default_factory=ZoneRef)
    operation: str = ""
    broken: int = 0
    denied: bool = False
    breaks: Callable[[str], bool] | None = None

    def spoils(self, subject: str = "") -> bool:
        """Return whether the fault *broken* meets this item, and use it up by one."""
        if self.broken > 0:
            self.broken -= 1
            return True
        return self.breaks is not None and self.breaks(subject)

    def acting(self) -> Mailbox:
        """Return the mailbox that the request works in; raises ErrorNonExistentMailbox."""
        if self.mailbox is None:
            raise EwsError("ErrorNonExistentMailbox")
        return self.mailbox

    def owner(self, row: int) -> Mailbox:
        """Return the mailbox in a row."""
        return self.store.mailbox_by_row(row)

    def may_open(self, mailbox: int) -> bool:
        """Return whether the caller may read and write in a mailbox."""
        return self.caller.service or (self.mailbox is not None and self.mailbox.row == mailbox)

    def rendered(self, view: View, shape: Shape) -> str:
        """Return an item's element in a shape."""
        return self.renderer.render(view, shape, self.store.generation)

    def refuse(self, text: str) -> EwsError:
        """Count something unsupported and return the error to raise."""
        self.unsupported.count(self.operation)
        return EwsError("ErrorInvalidOperation", text)

    def folder(self, element: etree._Element) -> Folder:
        """Return the folder of a FolderId or DistinguishedFolderId element."""
        if local(element) == "DistinguishedFolderId":
            return self._distinguished(element)
        found = self.store.folder(read_folder_id(element.get("Id", "")))
        if found is None:
            raise EwsError("ErrorFolderNotFound")
        if not self.may_open(found.mailbox):
            raise EwsError("ErrorAccessDenied")
        return found

    def _distinguished(self, element: etree._Element) -> Folder:
        address = element.findtext(f"{T}Mailbox/{T}EmailAddress")
        mailbox = self.store.mailbox(address) if address else self.acting()
        if mailbox is None:
            raise EwsError("ErrorNonExistentMailbox")
        if not self.may_open(mailbox.row):
            raise EwsError("ErrorAccessDenied")
        found = self.store.distinguished(mailbox.row, element.get("Id", ""))
        if found is None:
            raise EwsError("ErrorFolderNotFound")
        return found

    def stored(self, ident: str) -> tuple[Stored, datetime | None]:
        """Return the item of an id, and the original start when the id is an occurrence's."""
        reference = read_item_id(ident)
        stored = self.store.get(reference.row)
        if stored is None:
            raise EwsError("ErrorItemNotFound")
        if not self.may_open(stored.mailbox):
            raise EwsError("ErrorAccessDenied")
        return stored, reference.original_start


def person_of(mailbox: Mailbox) -> Person:
    """Return the owner of a mailbox."""
    return Person(mailbox.address, mailbox.name)
