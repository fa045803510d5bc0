"""The mailbox store of the emulated server: mailboxes, folders, items, tombstones, subscriptions, outbox in SQLite.

One connection behind one lock; every unit of work is a transaction. A single counter numbers all changes of all
mailboxes: an item's ChangeKey, a sync state and a notification watermark are numbers of it. Knows nothing of
XML, HTTP or who may do what.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from syncline.emulators.exchange.identifiers import clean_global_object_id
from syncline.emulators.exchange.model import Folder, Item, Mailbox, Removed, Stored
from syncline.emulators.exchange.series import extent
from syncline.emulators.exchange.store_schema import FOLDERS, SCHEMA

CACHE_ITEMS_MAX = 20_000
Value: TypeAlias = "str | int | bytes"
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Item)
_FOLDER_COLUMNS = "row, mailbox, parent, distinguished, folder_class, name, change, created_change, deleted"
_ITEM_COLUMNS = "row, mailbox, folder, change, created_change, data"


class Store:
    """Mailboxes in a SQLite file (`data` is a folder) or in memory (`:memory:`); safe for threads."""

    def __init__(self, data: str | Path = ":memory:") -> None:
        """Open or create the store."""
        self._lock = threading.RLock()
        self._depth = 0
        self._cache: dict[int, Stored] = {}
        path = str(data)
        if path != ":memory:":
            Path(path).mkdir(parents=True, exist_ok=True)
            path = str(Path(path) / "exchange.sqlite3")
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(SCHEMA)
        self._start: sqlite3.Connection | None = None
        self._start_change = 0
        # Grows whenever change numbers go back, so that nothing remembered by change number is mistaken.
        self.generation = 0

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            self._db.close()

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Hold the lock and one transaction; an exception rolls everything back. Units nest."""
        with self._lock:
            if self._depth:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            done = False
            try:
                yield
                done = True
            finally:
                self._depth = 0
                self._db.execute("COMMIT" if done else "ROLLBACK")
                if not done:
                    self._cache.clear()
                    self.generation += 1

    # -- the whole

    def remember(self) -> None:
        """Keep the present state as the one that `reset` returns to."""
        with self._lock:
            self._start = sqlite3.connect(":memory:", check_same_thread=False)
            self._db.backup(self._start)
            self._start_change = self.change()

    def reset(self) -> None:
        """Return to the remembered state; sync states handed out since then become invalid."""
        with self._lock:
            if self._start is None:
                return
            epoch = self.epoch() + 1
            self._start.backup(self._db)
            self._db.execute("UPDATE counter SET value = ? WHERE name = 'epoch'", (epoch,))
            self._cache.clear()
            self.generation += 1

    def change(self) -> int:
        """Return the number of the latest change."""
        return self._number("SELECT value FROM counter WHERE name = 'change'")

    def epoch(self) -> int:
        """Return the number of this life; a reset starts another."""
        return self._number("SELECT value FROM counter WHERE name = 'epoch'")

    def knows(self, epoch: int, change: int) -> bool:
        """Return whether a state of that epoch that had read up to `change` still means something here."""
        return change <= (self.change() if epoch == self.epoch() else self._start_change)

    # -- mailboxes

    def add_mailbox(self, address: str, password: str, *, zone: str = "UTC") -> Mailbox:
        """Create a mailbox with its folders, or return the existing one with this password."""
        address = address.lower()
        with self.unit():
            self._db.execute(
                "INSERT INTO mailbox (address, name, password, zone) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (address) DO UPDATE SET password = excluded.password",
                (address, display_name(address), password, zone),
            )
            mailbox = self.mailbox(address)
            assert mailbox is not None
            if not self.folders(mailbox.row):
                rows: dict[str, int] = {"": 0}
                for distinguished, parent, folder_class, title in FOLDERS:
                    folder = self.add_folder(mailbox.row, rows[parent], title, folder_class, distinguished)
                    rows[distinguished] = folder.row
            return mailbox

    def mailbox(self, address: str) -> Mailbox | None:
        """Return the mailbox of an address."""
        return next(self._mailboxes("WHERE address = ?", address.lower()), None)

    def mailbox_by_row(self, row: int) -> Mailbox:
        """Return the mailbox in a row that exists."""
        return next(self._mailboxes("WHERE row = ?", row))

    def mailboxes(self) -> list[Mailbox]:
        """Return all mailboxes in order of creation."""
        return list(self._mailboxes("ORDER BY row"))

    def _mailboxes(self, where: str, *values: Value) -> Iterator[Mailbox]:
        for row in self._all("SELECT row, address, name, password, zone FROM mailbox " + where, *values):  # noqa: S608 - constants
            yield Mailbox(row=row[0], address=row[1], name=row[2], password=row[3], zone=row[4])

    # -- folders

    def add_folder(
        self, mailbox: int, parent: int, name: str, folder_class: str = "IPF.Note", distinguished: str = ""
    ) -> Folder:
        """Create a folder."""
        with self.unit():
            change = self._next_change()
            cursor = self._db.execute(
                "INSERT INTO folder (mailbox, parent, distinguished, folder_class, name, change, created_change)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (mailbox, parent, distinguished, folder_class, name, change, change),
            )
            found = self.folder(int(cursor.lastrowid or 0))
            assert found is not None
            return found

    def rename_folder(self, row: int, name: str) -> None:
        """Give a folder another name."""
        with self.unit():
            self._db.execute("UPDATE folder SET name = ?, change = ? WHERE row = ?", (name, self._next_change(), row))

    def remove_folder(self, row: int) -> None:
        """Remove a folder and everything in it, leaving tombstones."""
        with self.unit():
            for stored in self.items(row):
                self.remove(stored)
            self._db.execute("UPDATE folder SET deleted = 1, change = ? WHERE row = ?", (self._next_change(), row))

    def folder(self, row: int) -> Folder | None:
        """Return a folder that exists."""
        return next(self._folders("WHERE row = ? AND deleted = 0", row), None)

    def distinguished(self, mailbox: int, name: str) -> Folder | None:
        """Return the folder of a well-known name such as calendar."""
        return next(self._folders("WHERE mailbox = ? AND distinguished = ? AND deleted = 0", mailbox, name), None)

    def folders(self, mailbox: int) -> list[Folder]:
        """Return all folders of a mailbox, parents first."""
        return list(self._folders("WHERE mailbox = ? AND deleted = 0 ORDER BY row", mailbox))

    def folder_changes(self, mailbox: int, floor: int) -> list[Folder]:
        """Return folders changed after `floor`, removed ones included."""
        return list(self._folders("WHERE mailbox = ? AND change > ? ORDER BY row", mailbox, floor))

    def _folders(self, where: str, *values: Value) -> Iterator[Folder]:
        for r in self._all(f"SELECT {_FOLDER_COLUMNS} FROM folder {where}", *values):  # noqa: S608 - constants
            yield Folder(
                row=r[0], mailbox=r[1], parent=r[2], distinguished=r[3], folder_class=r[4], name=r[5],
                change=r[6], created_change=r[7], deleted=bool(r[8]),
            )  # fmt: skip

    # -- items

    def get(self, row: int) -> Stored | None:
        """Return the item in a row."""
        with self._lock:
            cached = self._cache.get(row)
            if cached is not None:
                return cached
            return next(iter(self._items("WHERE row = ?", row)), None)

    def add(self, folder: Folder, item: Item) -> Stored:
        """Put a new item into a folder."""
        with self.unit():
            change = self._next_change()
            first, last = extent(item)
            cursor = self._db.execute(
                "INSERT INTO item (mailbox, folder, change, created_change, kind, goid, first_s, last_s, data)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    folder.mailbox,
                    folder.row,
                    change,
                    change,
                    item.kind,
                    _goid(item),
                    first,
                    last,
                    _ENCODER.encode(item),
                ),
            )
            stored = Stored(
                row=int(cursor.lastrowid or 0), mailbox=folder.mailbox, folder=folder.row,
                change=change, created_change=change, item=item,
            )  # fmt: skip
            return self._keep(stored)

    def replace(self, stored: Stored, item: Item) -> Stored:
        """Write another content into an item's row; its change number grows."""
        with self.unit():
            change = self._next_change()
            first, last = extent(item)
            self._db.execute(
                "UPDATE item SET change = ?, goid = ?, first_s = ?, last_s = ?, data = ? WHERE row = ?",
                (change, _goid(item), first, last, _ENCODER.encode(item), stored.row),
            )
            return self._keep(replace(stored, change=change, item=item))

    def remove(self, stored: Stored) -> None:
        """Take an item out of its folder, leaving a tombstone."""
        with self.unit():
            self._db.execute("DELETE FROM item WHERE row = ?", (stored.row,))
            self._db.execute(
                "INSERT INTO tombstone (row, mailbox, folder, change, created_change) VALUES (?, ?, ?, ?, ?)",
                (stored.row, stored.mailbox, stored.folder, self._next_change(), stored.created_change),
            )
            self._cache.pop(stored.row, None)

    def move(self, stored: Stored, folder: Folder) -> Stored:
        """Move an item: it gets another row and so another id; the old folder sees a removal."""
        with self.unit():
            self.remove(stored)
            return self.add(folder, stored.item)

    def items(self, folder: int) -> list[Stored]:
        """Return the items of a folder, oldest first."""
        return self._items("WHERE folder = ? ORDER BY row", folder)

    def items_between(self, folder: int, start: datetime, end: datetime) -> list[Stored]:
        """Return calendar items of which some occurrence may touch [start, end)."""
        return self._items(
            "WHERE folder = ? AND first_s <= ? AND last_s >= ? ORDER BY first_s, row",
            folder, int(end.timestamp()), int(start.timestamp()),
        )  # fmt: skip

    def items_of_meeting(self, mailbox: int, goid: bytes) -> list[Stored]:
        """Return the items of a mailbox with that clean global object id, in every folder."""
        return self._items("WHERE goid = ? AND mailbox = ? ORDER BY row", goid, mailbox)

    def count(self, folder: int) -> int:
        """Return the number of items of a folder."""
        return self._number("SELECT count(*) FROM item WHERE folder = ?", folder)

    def changes(self, folder: int, floor: int, cursor: int, limit: int) -> list[Stored | Removed]:
        """Return at most `limit` items and tombstones below row `cursor` that changed after `floor`, newest first.

        Rows grow and are never reused, so that paging by row needs no memory of its own.
        """
        index = "item_by_folder" if floor == 0 else "item_by_change"
        found: list[Stored | Removed] = list(
            self._items(
                f"INDEXED BY {index} WHERE folder = ? AND change > ? AND row < ? ORDER BY row DESC LIMIT ?",
                folder, floor, cursor, limit,
            )
        )  # fmt: skip
        if floor:
            found += [
                Removed(*r)
                for r in self._all(
                    "SELECT row, mailbox, folder, change, created_change FROM tombstone WHERE folder = ? AND change > ?"
                    " AND created_change <= ? AND row < ? ORDER BY row DESC LIMIT ?",
                    folder, floor, floor, cursor, limit,
                )
            ]  # fmt: skip
            found.sort(key=lambda entry: -entry.row)
        return found[:limit]

    def next_row(self) -> int:
        """Return a number above every row in use."""
        return self._number("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'item'")

    def mailbox_changes(self, mailbox: int, floor: int, limit: int) -> list[Stored | Removed]:
        """Return what changed in a mailbox after `floor`, in order, for notifications."""
        found: list[Stored | Removed] = list(
            self._items("WHERE mailbox = ? AND change > ? ORDER BY change LIMIT ?", mailbox, floor, limit)
        )
        found += [
            Removed(*r)
            for r in self._all(
                "SELECT row, mailbox, folder, change, created_change FROM tombstone WHERE mailbox = ? AND change > ?"
                " ORDER BY change LIMIT ?",
                mailbox, floor, limit,
            )
        ]  # fmt: skip
        found.sort(key=lambda entry: entry.change)
        return found[:limit]

    # -- contents of files

    def add_blob(self, data: bytes) -> int:
        """Keep the content of a file and return its number; copies of an item share it."""
        with self.unit():
            return int(self._db.execute("INSERT INTO blob (data) VALUES (?)", (data,)).lastrowid or 0)

    def blob(self, row: int) -> bytes:
        """Return the content of a file that an item has."""
        return bytes(self._all("SELECT data FROM blob WHERE row = ?", row)[0][0])

    # -- named texts: subscriptions, outbox, imports

    def put_note(self, kind: str, text: str) -> int:
        """Keep a text of a kind (subscription, mail, import) and return its number."""
        with self.unit():
            return int(self._db.execute("INSERT INTO note (kind, text) VALUES (?, ?)", (kind, text)).lastrowid or 0)

    def keep_note(self, row: int, kind: str, text: str) -> None:
        """Keep a text under a number that it had before."""
        with self.unit():
            self._db.execute("INSERT OR REPLACE INTO note (row, kind, text) VALUES (?, ?, ?)", (row, kind, text))

    def notes(self, kind: str) -> list[tuple[int, str]]:
        """Return number and text of every note of a kind, oldest first."""
        return [(r[0], r[1]) for r in self._all("SELECT row, text FROM note WHERE kind = ? ORDER BY row", kind)]

    def remove_note(self, row: int) -> bool:
        """Remove a note; return whether it was there."""
        with self.unit():
            return self._db.execute("DELETE FROM note WHERE row = ?", (row,)).rowcount > 0

    # -- inner

    def _next_change(self) -> int:
        self._db.execute("UPDATE counter SET value = value + 1 WHERE name = 'change'")
        return self.change()

    def _items(self, where: str, *values: Value) -> list[Stored]:
        with self._lock:
            sql = f"SELECT {_ITEM_COLUMNS} FROM item {where}"  # noqa: S608 - constants
            return [self._read(r) for r in self._db.execute(sql, values)]

    def _read(self, r: tuple[Any, ...]) -> Stored:
        cached = self._cache.get(r[0])
        if cached is not None and cached.change == r[3]:
            return cached
        return self._keep(
            Stored(row=r[0], mailbox=r[1], folder=r[2], change=r[3], created_change=r[4], item=_DECODER.decode(r[5]))
        )

    def _keep(self, stored: Stored) -> Stored:
        if len(self._cache) >= CACHE_ITEMS_MAX:
            self._cache.clear()
        self._cache[stored.row] = stored
        return stored

    def _all(self, sql: str, *values: Value) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _number(self, sql: str, *values: Value) -> int:
        return int(self._all(sql, *values)[0][0])


def display_name(address: str) -> str:
    """Return a name made of the address: ada.lovelace@x is Ada Lovelace."""
    return " ".join(part.capitalize() for part in address.partition("@")[0].replace("_", ".").split(".") if part)


def _goid(item: Item) -> bytes | None:
    return clean_global_object_id(item.uid) if item.uid else None
