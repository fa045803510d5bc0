"""What the suite needs from a tested side: the port, and people who act behind its back.

People name an item by its global object id, because references belong to the connector. A world may refuse an act
that its server cannot do by raising `Unsupported`; the test is then skipped. It must not know any connector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from syncline.core.appointment import Appointment, Span
from syncline.ports import Crm, Replica


class Unsupported(Exception):  # noqa: N818 - the name says what it is
    """The tested side has no such act."""


class ReplicaWorld(Protocol):
    """A fresh calendar server with two empty mailboxes, `address` (Ada Admin) and `other` (Bob Berg), both in UTC."""

    address: str
    other: str

    def replica(self, address: str) -> Replica:
        """Open the tested connector for one mailbox; the world closes it."""

    def add(self, address: str, appointment: Appointment, folder: str | None = None) -> None:
        """Save an appointment as its owner; `folder` is the name of a subfolder. Attendees here are invited."""

    def edit(self, address: str, global_object_id: str, **fields: object) -> None:
        """Save new values of Appointment fields: texts, span, show_as, categories or importance."""

    def edit_occurrence(self, address: str, global_object_id: str, at: Span, to: Span) -> None:
        """Move the occurrence that stands by its pattern at `at` to `to`."""

    def delete_occurrence(self, address: str, global_object_id: str, at: Span) -> None:
        """Delete the occurrence that stands by its pattern at `at`."""

    def delete(self, address: str, global_object_id: str) -> None:
        """Delete the item without mail."""

    def add_folder(self, address: str, name: str) -> None:
        """Create a calendar subfolder of the main calendar."""

    def move(self, address: str, global_object_id: str, folder: str) -> None:
        """Move the item to the subfolder of that name."""

    def add_category(self, address: str, name: str) -> None:
        """Add an entry to the category list."""

    def cancel(self, address: str, global_object_id: str) -> None:
        """Call the meeting off as its organizer, with cancellations."""

    def accept(self, address: str, global_object_id: str) -> None:
        """Accept the invitation as its recipient, with an answer."""

    def copy(self, address: str, global_object_id: str) -> None:
        """Copy the item within its folder."""

    def deleted(self, address: str) -> list[str]:
        """Return the global object ids of what lies in the deleted items."""

    def mails(self) -> int:
        """Return how many mails the server has sent so far, or would have sent."""

    def outbox(self) -> Sequence[tuple[str, str, str]]:
        """Return every mail so far, oldest first: from, to, and request, update, cancellation or response."""

    def expire_cursors(self, address: str) -> None:
        """Make the server forget the cursors it gave out."""

    def spoil(self, address: str, global_object_id: str) -> None:
        """Make the server fail on one item (this one, if it can choose) when it is next read."""


class CrmWorld(Protocol):
    """A fresh CRM with the enabled users ada, bob and cyd, whose addresses are NAME@example.org, all in UTC."""

    def crm(self) -> Crm:
        """Return the tested connector."""

    def reopen(self) -> Crm:
        """Return the tested connector as after a restart of this process."""

    def enter(self, appointment: Appointment) -> str:
        """Save a new row as Bob, without a check, and return its id; SyncError says why the CRM refuses it."""

    def edit(self, row_id: str, **fields: object) -> None:
        """Save new values of Appointment fields of a row, as Bob, without a check."""

    def complete(self, row_id: str) -> None:
        """Mark a row as completed."""

    def cancel(self, row_id: str) -> None:
        """Mark a row as canceled."""

    def delete(self, row_id: str) -> None:
        """Delete a row."""

    def spoil(self, row_id: str) -> None:
        """Make the CRM fail to read one row from now on."""

    def back_up(self) -> None:
        """Keep a copy of the whole CRM."""

    def restore(self) -> Crm:
        """Put the copy back as the CRM's operator does, and return the tested connector; what came since is lost."""
