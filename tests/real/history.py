"""A real edit history, and somebody who repeats it in Exchange: create, update and delete in the order of time.

`Editor` changes the server's store as Outlook would: an update keeps the item and moves its ChangeKey, a delete moves
it to Deleted Items. What an edit should look like as an item is read by the server's own loader in a store apart.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from syncline.emulators.exchange import ExchangeEmulator
from syncline.emulators.exchange.calendar_files import load_calendar
from syncline.emulators.exchange.model import Item, Stored
from syncline.emulators.exchange.store import Store

FOLDER = Path("ics-real") / "history" / "hexylena__galaxy-calendar-subsets"


@dataclass(frozen=True)
class Change:
    """One edit: `body` is the text of all VEVENTs of the UID, empty for a delete."""

    at: datetime
    op: str
    uid: str
    body: str


def changes(data: Path) -> list[Change]:
    """Read the history, oldest first."""
    bodies = json.loads(gzip.decompress((data / FOLDER / "bodies.json.gz").read_bytes()))
    lines = gzip.decompress((data / FOLDER / "changes.jsonl.gz").read_bytes()).decode().splitlines()
    found = [json.loads(line) for line in lines]
    return [
        Change(datetime.fromtimestamp(one["t"], UTC), one["op"], one["uid"], bodies.get(one["body"] or "", ""))
        for one in found
    ]


def sittings(data: Path) -> Iterator[tuple[datetime, list[Change]]]:
    """Yield the edits of each instant together."""
    for at, group in groupby(changes(data), key=lambda change: change.at):
        yield at, list(group)


def calendar(bodies: Iterator[str] | list[str]) -> str:
    """Return a calendar file with these events."""
    events = "".join(f"BEGIN:VEVENT\n{body.rstrip()}\nEND:VEVENT\n" for body in bodies)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//history//EN\n{events}END:VCALENDAR\n"


@dataclass
class Editor:
    """Somebody at a mailbox's calendar; `bodies` are the edits that Exchange could take, `refused` the others."""

    server: ExchangeEmulator
    address: str
    bodies: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _items: dict[str, dict[datetime | None, int]] = field(default_factory=dict)

    def carry_out(self, change: Change) -> None:
        """Make one edit; what the server cannot hold is not made."""
        if change.op == "delete":
            self._delete(change.uid)
            return
        wanted, codes = self._read(change.body)
        if codes:
            self.refused[change.uid] = ",".join(codes)
            return
        self.refused.pop(change.uid, None)
        self.bodies[change.uid] = change.body
        known = self._items.setdefault(change.uid, {})
        for key in known.keys() - wanted.keys():
            self._throw_away(known.pop(key))
        for key, item in wanted.items():
            known[key] = self._saved(known.get(key), item)

    def _delete(self, uid: str) -> None:
        self.bodies.pop(uid, None)
        self.refused.pop(uid, None)
        for row in self._items.pop(uid, {}).values():
            self._throw_away(row)

    def _read(self, body: str) -> tuple[dict[datetime | None, Item], list[str]]:
        store = Store()
        mailbox = store.add_mailbox(self.address, "")
        report = load_calendar(store, mailbox, calendar([body]), self.server.site.clock.now())
        folder = store.distinguished(mailbox.row, "calendar")
        assert folder is not None
        found = {stored.item.recurrence_id: stored.item for stored in store.items(folder.row)}
        store.close()
        return found, [finding.code for finding in report.refused]

    def _saved(self, row: int | None, item: Item) -> int:
        store = self.server.store
        if row is not None:
            old = self._stored(row)
            return store.replace(old, replace(item, created=old.item.created)).row
        mailbox = store.mailbox(self.address)
        folder = store.distinguished(mailbox.row, "calendar") if mailbox else None
        assert folder is not None
        return store.add(folder, item).row

    def _throw_away(self, row: int) -> None:
        stored = self._stored(row)
        bin_ = self.server.store.distinguished(stored.mailbox, "deleteditems")
        assert bin_ is not None
        self.server.store.move(stored, bin_)

    def _stored(self, row: int) -> Stored:
        found = self.server.store.get(row)
        assert found is not None
        return found
