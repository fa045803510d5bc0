"""The memory connectors as worlds of the conformance suite, and the pattern for a connector's own world.

It must not know the suite: `syncline.conformance.worlds` describes the shape, and a test checks it.
"""

from __future__ import annotations

from msgspec.structs import replace

from syncline.connectors.memory.crm import MemoryCrm
from syncline.connectors.memory.exchange import CALENDAR, MemoryExchange
from syncline.connectors.memory.replica import MemoryReplica
from syncline.core.appointment import Appointment, Response, Span
from syncline.errors import SyncError
from syncline.ports import User

_NAMES = {"ada": "Ada Admin", "bob": "Bob Berg", "cyd": "Cyd Chan"}


class MemoryReplicaWorld:
    """Two mailboxes on a fresh memory Exchange."""

    address = "ada@example.org"
    other = "bob@example.org"

    def __init__(self) -> None:
        self.exchange = MemoryExchange()
        self.exchange.add_mailbox(self.address, _NAMES["ada"])
        self.exchange.add_mailbox(self.other, _NAMES["bob"])

    def replica(self, address: str) -> MemoryReplica:
        """Open one mailbox."""
        return MemoryReplica(self.exchange, address)

    def add(self, address: str, appointment: Appointment, folder: str | None = None) -> None:
        """Save an appointment as its owner."""
        self.exchange.add(address, appointment, folder=self._folder(address, folder) if folder else CALENDAR)

    def edit(self, address: str, global_object_id: str, **fields: object) -> None:
        """Save new values."""
        ref = self._ref(address, global_object_id)
        self.exchange.edit(address, ref, lambda found: replace(found, **fields))

    def edit_occurrence(self, address: str, global_object_id: str, at: Span, to: Span) -> None:
        """Move an occurrence."""
        ref = self._ref(address, global_object_id)
        self.exchange.edit_occurrence(address, ref, at, lambda found: replace(found, span=to))

    def delete_occurrence(self, address: str, global_object_id: str, at: Span) -> None:
        """Delete an occurrence."""
        self.exchange.delete_occurrence(address, self._ref(address, global_object_id), at)

    def delete(self, address: str, global_object_id: str) -> None:
        """Delete an item."""
        self.exchange.delete(address, self._ref(address, global_object_id))

    def add_folder(self, address: str, name: str) -> None:
        """Create a subfolder."""
        self.exchange.add_folder(address, name)

    def move(self, address: str, global_object_id: str, folder: str) -> None:
        """Move an item to a subfolder."""
        self.exchange.move(address, self._ref(address, global_object_id), self._folder(address, folder))

    def add_category(self, address: str, name: str) -> None:
        """Add an entry to the category list."""
        self.exchange.add_category(address, name)

    def cancel(self, address: str, global_object_id: str) -> None:
        """Call a meeting off."""
        self.exchange.cancel(address, self._ref(address, global_object_id))

    def accept(self, address: str, global_object_id: str) -> None:
        """Accept an invitation."""
        self.exchange.respond(address, self._ref(address, global_object_id), Response.ACCEPTED)

    def copy(self, address: str, global_object_id: str) -> None:
        """Copy an item."""
        self.exchange.copy(address, self._ref(address, global_object_id))

    def deleted(self, address: str) -> list[str]:
        """Return what was deleted."""
        gone = self.exchange.store(address).deleted.values()
        return [item.appointment.identity.global_object_id for item in gone]

    def outbox(self) -> list[tuple[str, str, str]]:
        """Return every mail."""
        return [(each.sender, each.to, each.kind) for each in self.exchange.outbox]

    def mails(self) -> int:
        """Return how many mails were sent."""
        return self.exchange.mails

    def expire_cursors(self, address: str) -> None:
        """Forget the cursors."""
        self.exchange.expire_cursors(address)

    def spoil(self, address: str, global_object_id: str) -> None:
        """Make an item unreadable."""
        error = SyncError("ItemUnreadable", subject=global_object_id, detail="the memory Exchange was told to fail")
        self.exchange.spoil(address, self._ref(address, global_object_id), error)

    def _ref(self, address: str, global_object_id: str) -> str:
        items = self.exchange.items(address)
        return next(item.ref for item in items if item.appointment.identity.global_object_id == global_object_id)

    def _folder(self, address: str, name: str) -> str:
        folders = self.exchange.store(address).folders.values()
        return next(folder.ref for folder in folders if folder.name == name)


class MemoryCrmWorld:
    """A fresh memory CRM with ada, bob and cyd."""

    def __init__(self) -> None:
        self._crm = MemoryCrm()
        self._backup = self._crm.back_up()
        for number, (name, full_name) in enumerate(_NAMES.items(), 1):
            self._crm.add_user(User(id=str(number), name=name, full_name=full_name, emails=(f"{name}@example.org",)))

    def crm(self) -> MemoryCrm:
        """Return the connector."""
        return self._crm

    def reopen(self) -> MemoryCrm:
        """Return the connector again: the memory is the database."""
        return self._crm

    def enter(self, appointment: Appointment) -> str:
        """Save a new row as Bob."""
        return self._crm.enter(appointment, owner="bob")

    def edit(self, row_id: str, **fields: object) -> None:
        """Save new values as Bob."""
        self._crm.edit(row_id, lambda found: replace(found, **fields), by="bob")

    def complete(self, row_id: str) -> None:
        """Complete a row."""
        self._crm.complete(row_id, by="bob")

    def cancel(self, row_id: str) -> None:
        """Cancel a row."""
        self._crm.cancel(row_id, by="bob")

    def delete(self, row_id: str) -> None:
        """Delete a row."""
        self._crm.remove(row_id)

    def spoil(self, row_id: str) -> None:
        """Make a row unreadable."""
        self._crm.spoil(row_id)

    def back_up(self) -> None:
        """Keep a copy."""
        self._backup = self._crm.back_up()

    def restore(self) -> MemoryCrm:
        """Put the copy back."""
        self._crm.restore(self._backup)
        return self._crm
