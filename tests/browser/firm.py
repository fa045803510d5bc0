"""A running Syncline for browser tests: real App, worker and web server, and an Exchange emulator beside it."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from syncline.desk import alerts, appointments, mailboxes, profiles, users
from syncline.desk.drafts import Draft
from syncline.desk.objects import AlertObject, AppointmentObject
from syncline.desk.reading import OPERATOR, AccessRole
from syncline.desk.running import JobsLock
from syncline.emulators.exchange import ExchangeEmulator
from syncline.web.serving import Listener
from syncline.wiring import make_folder, open_app

PASSWORD = "moss-otter-41"
DOMAIN = "fjordbikes.example"
ZONE = "Europe/Copenhagen"
PEOPLE = (
    ("ines", "Ines Brandt", AccessRole.ADMINISTRATOR),
    ("maya", "Maya Lind", AccessRole.USER),
    ("jonas", "Jonas Weber", AccessRole.USER),
    ("priya", "Priya Nair", AccessRole.USER),
)
PATIENCE_S = 20.0


def monday() -> datetime:
    """Return 00:00 UTC of the Monday after next: everything in it lies ahead, whenever the test runs."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=14 - today.weekday())


def at(hour: float, day: int = 1) -> datetime:
    """Return an instant `day` days after `monday()`."""
    return monday() + timedelta(days=day, hours=hour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One appointment for a calendar file; `more` are further lines of its VEVENT."""

    subject: str
    start: datetime
    hours: float = 1
    tracked: bool = True
    all_day: bool = False
    more: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return it as a VEVENT."""
        end = self.start + timedelta(hours=self.hours)
        if self.all_day:
            when = [f"DTSTART;VALUE=DATE:{self.start:%Y%m%d}", f"DTEND;VALUE=DATE:{end:%Y%m%d}"]
        else:
            when = [f"DTSTART:{self.start:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}"]
        tracked = ["CATEGORIES:Tracked to Syncline CRM"] if self.tracked else []
        uid = self.subject.lower().replace(" ", "-")
        return ["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{self.subject}", *when, *tracked, *self.more, "END:VEVENT"]


def calendar(*events: Event) -> str:
    """Return events as an .ics file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN"]
    for event in events:
        lines += event.lines()
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


class Firm:
    """The firm: four people, mailboxes for three of them, a CRM with a few appointments; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        make_folder(folder)
        names = [f"{name}@{DOMAIN}" for name, _, _ in PEOPLE[1:]]
        self.exchange = self._stack.enter_context(
            ExchangeEmulator(mailboxes=dict.fromkeys(names, "pw"), service=("svc", "secret"), time_zone=ZONE)
        )
        self.app = open_app(folder)
        self._stack.callback(self.app.close)
        self._stack.enter_context(JobsLock(folder))
        self._hire()

    def __enter__(self) -> Self:
        """Start worker and web server."""
        listener = self._stack.enter_context(Listener(self.app, "127.0.0.1", 0))
        self.url = listener.url
        serving = threading.Thread(target=listener.run, name="web")
        self.app.worker.start()
        self._stack.callback(self.app.worker.stop)
        serving.start()
        self._stack.callback(serving.join)
        self._stack.callback(listener.stop)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self._stack.close()

    def in_crm(
        self, subject: str, start: datetime, *, hours: float = 1, organizer: str = "maya", **fields: object
    ) -> str:
        """Enter an appointment in the CRM."""
        draft = Draft(
            subject=subject,
            start=start.isoformat(),
            end=(start + timedelta(hours=hours)).isoformat(),
            organizer=organizer,
            **fields,  # type: ignore[arg-type]
        )
        written = appointments.add(self.app, OPERATOR, draft, ignore_conflicts=True)
        assert written.appointment is not None
        return written.appointment.id

    def in_outlook(self, name: str, *events: Event) -> None:
        """Put appointments into somebody's mailbox."""
        self.exchange.load_calendar(f"{name}@{DOMAIN}", calendar(*events))

    def connect(self, *names: str) -> None:
        """Approve, test and enable these people's mailboxes and run them to the end."""
        for name in names:
            key = f"{name}@{DOMAIN}"
            mailboxes.approve(self.app, OPERATOR, key)
            tested = mailboxes.test(self.app, OPERATOR, key)
            assert tested.error is None, tested.error
            self.until(lambda key=key: self.app.store.mailbox_by_address(key).last_sync is not None)

    def mailbox(self, name: str) -> int:
        """Return the number of somebody's mailbox."""
        return self.app.store.mailbox_by_address(f"{name}@{DOMAIN}").id

    def questions(self) -> list[AlertObject]:
        """Return the open questions."""
        return alerts.listing(self.app, OPERATOR, only_open=True)

    def entries(self) -> list[AppointmentObject]:
        """Return what the CRM holds."""
        return appointments.listing(self.app, OPERATOR)

    def until(self, reached: object) -> None:
        """Wait until something that another thread does has happened."""
        end = time.monotonic() + PATIENCE_S
        while not reached():  # type: ignore[operator]
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.02)

    def _hire(self) -> None:
        wanted = profiles.NewProfile(
            name="exchange", url=self.exchange.ews_url, username="svc", password="secret", auth="basic", read_only=True
        )
        profiles.add(self.app, OPERATOR, wanted)
        for name, full_name, role in PEOPLE:
            address = f"{name}@{DOMAIN}"
            person = users.NewUser(
                name=name,
                emails=(address,),
                full_name=full_name,
                role=role.value,
                password=PASSWORD,
                time_zone=ZONE,
            )
            users.add(self.app, OPERATOR, person)
            if name != "ines":
                mailboxes.add(self.app, OPERATOR, mailboxes.NewMailbox(address=address, profile="exchange", user=name))
