"""The EWS connector against the Exchange emulator as a world of the suite; the people use exchangelib.

So three parties that share no code must agree: the connector, the emulator, and a client of the real world.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from exchangelib import (
    BASIC,
    DELEGATE,
    Account,
    CalendarItem,
    Configuration,
    Credentials,
    EWSDate,
    EWSDateTime,
    EWSTimeZone,
)
from exchangelib.folders import Calendar
from exchangelib.items import SEND_TO_ALL_AND_SAVE_COPY, SEND_TO_NONE
from exchangelib.recurrence import DailyPattern, Recurrence

from syncline.connectors.exchange_web_services import ExchangeReplica, open_replica
from syncline.core.appointment import Appointment, Role, ShowAs, Span
from syncline.emulators.exchange import ExchangeEmulator
from syncline.emulators.exchange.disturbances import Armed
from syncline.ports import Profile

PASSWORD = "secret"
SERVICE = ("svc-syncline", "service-secret")
UTC = EWSTimeZone("UTC")
SHOW_AS = {
    ShowAs.FREE: "Free",
    ShowAs.TENTATIVE: "Tentative",
    ShowAs.BUSY: "Busy",
    ShowAs.OUT_OF_OFFICE: "OOF",
    ShowAs.WORKING_ELSEWHERE: "WorkingElsewhere",
}
NAMES = {"show_as": "legacy_free_busy_status", "description": "body"}


class ExchangeWorld:
    """A fresh emulated server with Ada and Bob."""

    address = "ada@example.org"
    other = "bob@example.org"

    def __init__(self) -> None:
        passwords = {self.address: PASSWORD, self.other: PASSWORD}
        self.server = ExchangeEmulator(mailboxes=passwords, service=SERVICE).start()
        self._replicas: list[ExchangeReplica] = []
        self._accounts: dict[str, Account] = {}

    def close(self) -> None:
        for replica in self._replicas:
            replica.close()
        for account in self._accounts.values():
            account.protocol.close()
        self.server.stop()

    def replica(self, address: str) -> ExchangeReplica:
        name, password = SERVICE
        profile = Profile(name="Emulator", url=self.server.ews_url, username=name, auth="basic", allow_http=True)
        self._replicas.append(open_replica(profile, password, address, time_zone="UTC"))
        return self._replicas[-1]

    def add(self, address: str, appointment: Appointment, folder: str | None = None) -> None:
        item = CalendarItem(
            account=self._account(address),
            folder=self._folder(address, folder),
            uid=appointment.identity.global_object_id,
            is_all_day=appointment.span.all_day,
            subject=appointment.subject,
            body=appointment.description,
            location=appointment.location,
            legacy_free_busy_status=SHOW_AS[appointment.show_as],
            sensitivity=appointment.sensitivity.value.title(),
            importance=appointment.importance.value.title(),
            categories=list(appointment.categories),
            required_attendees=[person.address for person in appointment.attendees if person.role is Role.REQUIRED],
            **self._times(appointment.span, EWSTimeZone(appointment.zone)),
        )
        if appointment.recurrence is not None:
            pattern, count = DailyPattern(interval=1), appointment.recurrence.count
            item.recurrence = Recurrence(
                pattern=pattern, start=item.start if item.is_all_day else item.start.date(), number=count
            )
        item.save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY if appointment.attendees else SEND_TO_NONE)

    def edit(self, address: str, global_object_id: str, **fields: object) -> None:
        item = self._item(address, global_object_id)
        names = []
        for name, value in fields.items():
            given = {"show_as": SHOW_AS.get}.get(name, lambda one: one)(value)  # type: ignore[call-overload]
            names.append(NAMES.get(name, name))
            setattr(item, names[-1], list(given) if isinstance(given, tuple) else given)
        item.save(update_fields=names, send_meeting_invitations=SEND_TO_NONE)

    def edit_occurrence(self, address: str, global_object_id: str, at: Span, to: Span) -> None:
        occurrence = self._occurrence(address, global_object_id, at)
        for name, value in self._times(to, UTC).items():
            setattr(occurrence, name, value)
        occurrence.save(update_fields=["start", "end"], send_meeting_invitations=SEND_TO_NONE)

    def delete_occurrence(self, address: str, global_object_id: str, at: Span) -> None:
        self._occurrence(address, global_object_id, at).delete(send_meeting_cancellations=SEND_TO_NONE)

    def delete(self, address: str, global_object_id: str) -> None:
        self._item(address, global_object_id).move_to_trash(send_meeting_cancellations=SEND_TO_NONE)

    def add_folder(self, address: str, name: str) -> None:
        store = self.server.store
        mailbox = store.mailbox(address)
        assert mailbox is not None
        calendar = store.distinguished(mailbox.row, "calendar")
        assert calendar is not None
        store.add_folder(mailbox.row, calendar.row, name, folder_class="IPF.Appointment")

    def move(self, address: str, global_object_id: str, folder: str) -> None:
        item = self._item(address, global_object_id)
        item.move(self._folder(address, folder))

    def add_category(self, address: str, name: str) -> None:
        mailbox = self.server.store.mailbox(address)
        assert mailbox is not None
        self.server.store.put_note(f"category:{mailbox.row}", json.dumps(name))

    def cancel(self, address: str, global_object_id: str) -> None:
        self._item(address, global_object_id).cancel()

    def accept(self, address: str, global_object_id: str) -> None:
        self._item(address, global_object_id).accept()

    def copy(self, address: str, global_object_id: str) -> None:
        self._item(address, global_object_id).copy(self._account(address).calendar)

    def deleted(self, address: str) -> list[str]:
        return [item.uid for item in self._account(address).trash.all()]

    def outbox(self) -> list[tuple[str, str, str]]:
        mails = [json.loads(text) for _row, text in self.server.store.notes("mail")]
        return [(mail["from"], mail["to"], mail["kind"]) for mail in mails]

    def mails(self) -> int:
        return len(self.server.store.notes("mail"))

    def expire_cursors(self, address: str) -> None:
        self.server.site.disturbances.arm(Armed("SyncFolderItems", "invalid_sync_state"))

    def spoil(self, address: str, global_object_id: str) -> None:
        self.server.site.disturbances.arm(Armed("GetItem", "broken"))

    def _account(self, address: str) -> Account:
        if address not in self._accounts:
            credentials = Credentials(address, PASSWORD)
            config = Configuration(service_endpoint=self.server.ews_url, credentials=credentials, auth_type=BASIC)
            account = Account(address, config=config, access_type=DELEGATE, autodiscover=False, default_timezone=UTC)
            self._accounts[address] = account
        return self._accounts[address]

    def _folder(self, address: str, name: str | None) -> Calendar:
        calendar: Calendar = self._account(address).calendar
        if name is None:
            return calendar
        calendar.root.refresh()
        return next(folder for folder in calendar.walk() if folder.name == name)

    def _item(self, address: str, global_object_id: str) -> CalendarItem:
        return next(item for item in self._items(address) if item.uid == global_object_id)

    def _items(self, address: str) -> Iterator[Any]:
        calendar = self._account(address).calendar
        yield from calendar.all()
        calendar.root.refresh()
        for folder in calendar.walk():
            yield from folder.all()

    def _occurrence(self, address: str, global_object_id: str, at: Span) -> Any:
        """The suite's series are daily, so the day says which occurrence it is."""
        master = self._item(address, global_object_id)
        first = master.start if isinstance(master.start, EWSDate) else master.start.date()
        index = (at.start.date() - first).days + 1
        return master.occurrence(index=index)

    def _times(self, span: Span, zone: EWSTimeZone) -> dict[str, Any]:
        if span.all_day:
            last = span.end - timedelta(days=1)
            return {"start": EWSDate.from_date(span.start.date()), "end": EWSDate.from_date(last.date())}
        start, end = EWSDateTime.from_datetime(span.start), EWSDateTime.from_datetime(span.end)
        return {"start": start.astimezone(zone), "end": end.astimezone(zone)}
