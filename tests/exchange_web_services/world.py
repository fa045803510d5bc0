"""Two people at an Exchange emulator, as the conformance suite wants them: they write over EWS, the connector reads.

People use the small client of the emulator's own tests, so that nothing of the tested connector writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

import msgspec

from syncline.connectors.exchange_web_services import ExchangeReplica, open_replica
from syncline.core.appointment import Appointment, Attendee, Importance, ShowAs, Span
from syncline.core.times import iana_to_windows
from syncline.emulators.exchange import ExchangeEmulator
from syncline.ports import Profile
from tests.emulator.client import Client

SERVICE = ("svc", "service-secret")
SHOW_AS = {
    ShowAs.FREE: "Free",
    ShowAs.TENTATIVE: "Tentative",
    ShowAs.BUSY: "Busy",
    ShowAs.OUT_OF_OFFICE: "OOF",
    ShowAs.WORKING_ELSEWHERE: "WorkingElsewhere",
}


class ExchangeWorld:
    """A fresh emulator with the mailboxes of Ada Admin and Bob Berg, both in UTC."""

    address = "ada@example.org"
    other = "bob@example.org"

    def __init__(self, observer: Callable[[bytes, bytes], None] | None = None) -> None:
        passwords = {self.address: "ada-secret", self.other: "bob-secret"}
        self.emulator = ExchangeEmulator(mailboxes=passwords, service=SERVICE, observer=observer).start()
        self._people = {name: Client(self.emulator, name, word) for name, word in passwords.items()}
        self._opened: list[ExchangeReplica] = []

    def close(self) -> None:
        """Stop everything."""
        for replica in self._opened:
            replica.close()
        self.emulator.stop()

    def replica(self, address: str) -> ExchangeReplica:
        """Open one mailbox with the service account."""
        profile = Profile(name="p", url=self.emulator.ews_url, username=SERVICE[0], auth="basic")
        self._opened.append(open_replica(profile, SERVICE[1], address, time_zone="UTC"))
        return self._opened[-1]

    def add(self, address: str, appointment: Appointment, folder: str | None = None) -> None:
        """Save an appointment as its owner; attendees are invited."""
        where = self._folder(address, folder) if folder else '<t:DistinguishedFolderId Id="calendar"/>'
        mode = "SendToAllAndSaveCopy" if appointment.attendees else "SendToNone"
        self._do(
            address,
            f'<m:CreateItem SendMeetingInvitations="{mode}"><m:SavedItemFolderId>{where}</m:SavedItemFolderId>'
            f"<m:Items><t:CalendarItem>{_fields(appointment)}</t:CalendarItem></m:Items></m:CreateItem>",
        )

    def edit(self, address: str, global_object_id: str, **fields: object) -> None:
        """Save new values of some fields."""
        self._update(address, self._item(address, global_object_id), fields)

    def edit_occurrence(self, address: str, global_object_id: str, at: Span, to: Span) -> None:
        """Move an occurrence."""
        self._update(address, self._occurrence(address, global_object_id, at), {"span": to})

    def delete_occurrence(self, address: str, global_object_id: str, at: Span) -> None:
        """Delete an occurrence."""
        self._delete(address, self._occurrence(address, global_object_id, at), "SendToNone")

    def delete(self, address: str, global_object_id: str) -> None:
        """Delete an item without mail."""
        self._delete(address, self._item(address, global_object_id), "SendToNone")

    def cancel(self, address: str, global_object_id: str) -> None:
        """Call a meeting off."""
        self._delete(address, self._item(address, global_object_id), "SendToAllAndSaveCopy")

    def accept(self, address: str, global_object_id: str) -> None:
        """Accept an invitation with an answer."""
        ref = self._item(address, global_object_id).replace("t:ItemId", "t:ReferenceItemId")
        self._do(
            address,
            f'<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:AcceptItem>{ref}</t:AcceptItem></m:Items>'
            "</m:CreateItem>",
        )

    def add_folder(self, address: str, name: str) -> None:
        """Create a calendar below the main one."""
        self._do(
            address,
            '<m:CreateFolder><m:ParentFolderId><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderId><m:Folders>'
            f"<t:CalendarFolder><t:DisplayName>{name}</t:DisplayName></t:CalendarFolder></m:Folders></m:CreateFolder>",
        )

    def move(self, address: str, global_object_id: str, folder: str) -> None:
        """Move an item to a subfolder."""
        self._do(
            address,
            f"<m:MoveItem><m:ToFolderId>{self._folder(address, folder)}</m:ToFolderId><m:ItemIds>"
            f"{self._item(address, global_object_id)}</m:ItemIds></m:MoveItem>",
        )

    def add_category(self, address: str, name: str) -> None:
        """Add an entry to the category list."""
        mailbox = self.emulator.store.mailbox(address)
        assert mailbox is not None
        self.emulator.store.put_note(f"category:{mailbox.row}", msgspec.json.encode(name).decode())

    def copy(self, address: str, global_object_id: str) -> None:
        """Copy an item within its folder."""
        self._do(
            address,
            '<m:CopyItem><m:ToFolderId><t:DistinguishedFolderId Id="calendar"/></m:ToFolderId><m:ItemIds>'
            f"{self._item(address, global_object_id)}</m:ItemIds></m:CopyItem>",
        )

    def deleted(self, address: str) -> list[str]:
        """Return the UIDs of what lies in the deleted items."""
        store = self.emulator.store
        mailbox = store.mailbox(address)
        assert mailbox is not None
        folder = store.distinguished(mailbox.row, "deleteditems")
        assert folder is not None
        return [stored.item.uid for stored in store.items(folder.row)]

    def outbox(self) -> list[tuple[str, str, str]]:
        """Return every mail."""
        mails = self._people[self.address].control("GET", "outbox")
        return [(mail["from"], mail["to"], mail["kind"]) for mail in mails]

    def mails(self) -> int:
        """Return how many mails the server sent or would have sent."""
        return len(self._people[self.address].control("GET", "outbox"))

    def expire_cursors(self, address: str) -> None:
        """Make the server refuse the next cursor."""
        self._arm(address, "SyncFolderItems", "invalid_sync_state")

    def spoil(self, address: str, global_object_id: str) -> None:
        """Make the server fail on the first item of the next reading, which is the newest one."""
        assert global_object_id
        self._arm(address, "GetItem", "broken")

    def _arm(self, address: str, operation: str, fault: str) -> None:
        self._people[address].control("POST", "faults", {"operation": operation, "fault": fault, "count": 1})

    def _do(self, address: str, body: str) -> None:
        codes = self._people[address].post(body).codes()
        assert codes == ["NoError"], codes

    def _item(self, address: str, global_object_id: str) -> str:
        (found,) = self.replica(address).find([global_object_id])[global_object_id]
        return f'<t:ItemId Id="{found.ref}" ChangeKey="{found.revision}"/>'

    def _occurrence(self, address: str, global_object_id: str, at: Span) -> str:
        (found,) = self.replica(address).find([global_object_id])[global_object_id]
        index = (at.start.date() - found.appointment.span.start.date()).days + 1
        return f'<t:OccurrenceItemId RecurringMasterId="{found.ref}" InstanceIndex="{index}"/>'

    def _folder(self, address: str, name: str) -> str:
        (ref,) = [folder.ref for folder in self.replica(address).folders() if folder.name == name]
        return f'<t:FolderId Id="{ref}"/>'

    def _update(self, address: str, item: str, fields: Mapping[str, object]) -> None:
        updates = "".join(
            f'<t:SetItemField><t:FieldURI FieldURI="{uri}"/><t:CalendarItem>{xml}</t:CalendarItem></t:SetItemField>'
            for name, value in fields.items()
            for uri, xml in _PARTS[name](value)
        )
        self._do(
            address,
            '<m:UpdateItem ConflictResolution="AlwaysOverwrite" SendMeetingInvitationsOrCancellations="SendToNone">'
            f"<m:ItemChanges><t:ItemChange>{item}<t:Updates>{updates}</t:Updates></t:ItemChange></m:ItemChanges>"
            "</m:UpdateItem>",
        )

    def _delete(self, address: str, item: str, mode: str) -> None:
        self._do(
            address,
            f'<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="{mode}"><m:ItemIds>{item}'
            "</m:ItemIds></m:DeleteItem>",
        )


def _text(uri: str, name: str) -> Callable[[Any], list[tuple[str, str]]]:
    return lambda value: [(uri, f"<t:{name}>{escape(str(value))}</t:{name}>")]


def _span(span: Span) -> list[tuple[str, str]]:
    return [
        ("calendar:Start", f"<t:Start>{span.start:%Y-%m-%dT%H:%M:%SZ}</t:Start>"),
        ("calendar:End", f"<t:End>{span.end:%Y-%m-%dT%H:%M:%SZ}</t:End>"),
    ]


def _categories(names: tuple[str, ...]) -> list[tuple[str, str]]:
    inner = "".join(f"<t:String>{escape(name)}</t:String>" for name in names)
    return [("item:Categories", f"<t:Categories>{inner}</t:Categories>")]


def _importance(value: Importance) -> list[tuple[str, str]]:
    return [("item:Importance", f"<t:Importance>{value.value.capitalize()}</t:Importance>")]


def _show_as(value: ShowAs) -> list[tuple[str, str]]:
    name = "LegacyFreeBusyStatus"
    return [(f"calendar:{name}", f"<t:{name}>{SHOW_AS[value]}</t:{name}>")]


_PARTS: Mapping[str, Callable[[Any], list[tuple[str, str]]]] = {
    "subject": _text("item:Subject", "Subject"),
    "description": lambda value: [("item:Body", f'<t:Body BodyType="Text">{escape(value)}</t:Body>')],
    "location": _text("calendar:Location", "Location"),
    "span": _span,
    "categories": _categories,
    "importance": _importance,
    "show_as": _show_as,
}


def _fields(appointment: Appointment) -> str:
    """Write the fields of a new item in the order of the schema."""

    def part(name: str) -> str:
        return "".join(xml for _, xml in _PARTS[name](getattr(appointment, name)))

    zone = iana_to_windows(appointment.zone) or "UTC"
    return (
        f"{part('subject')}<t:Sensitivity>{appointment.sensitivity.value.capitalize()}</t:Sensitivity>"
        f"{part('description')}{part('categories') if appointment.categories else ''}{part('importance')}"
        f"<t:UID>{escape(appointment.identity.global_object_id)}</t:UID>{part('span')}"
        f"<t:IsAllDayEvent>{str(appointment.span.all_day).lower()}</t:IsAllDayEvent>{part('show_as')}"
        f"{part('location')}{_people(appointment.attendees)}{_recurrence(appointment)}"
        f'<t:StartTimeZone Id="{zone}"/><t:EndTimeZone Id="{zone}"/>'
    )


def _people(attendees: tuple[Attendee, ...]) -> str:
    inner = "".join(
        f"<t:Attendee><t:Mailbox><t:Name>{person.name}</t:Name><t:EmailAddress>{person.address}</t:EmailAddress>"
        "</t:Mailbox></t:Attendee>"
        for person in attendees
    )
    return f"<t:RequiredAttendees>{inner}</t:RequiredAttendees>" if inner else ""


def _recurrence(appointment: Appointment) -> str:
    """Write a daily repetition with a number of occurrences, which is all that the suite writes."""
    repeats = appointment.recurrence
    if repeats is None:
        return ""
    return (
        f"<t:Recurrence><t:DailyRecurrence><t:Interval>{repeats.pattern.interval}</t:Interval></t:DailyRecurrence>"
        f"<t:NumberedRecurrence><t:StartDate>{repeats.first.isoformat()}</t:StartDate><t:NumberOfOccurrences>"
        f"{repeats.count}</t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence>"
    )
