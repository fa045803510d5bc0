"""A small firm for tests of desk, web and command line: real state, real embedded CRM, an Exchange in memory.

Ines administers, Maya and Jonas sell. Maya's and Jonas's mailboxes are enabled and track everything.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import update

from syncline.config import Settings
from syncline.connectors.embedded_crm import EmbeddedCrm
from syncline.connectors.memory import MemoryExchange, MemoryReplica
from syncline.core.appointment import Address, Appointment, Attendee, Identity, Sensitivity, Span
from syncline.core.scheduling import ConflictPolicy
from syncline.desk import mailboxes, profiles, signing, users
from syncline.desk.drafts import Draft
from syncline.desk.objects import AlertObject
from syncline.desk.reading import OPERATOR, AccessRole, Viewer
from syncline.engine.jobs import MemoryQueue
from syncline.engine.run import Parts, Rules
from syncline.engine.worker import Worker
from syncline.errors import SyncError
from syncline.ports import Candidate, Mailbox, Replica, Reschedule, Result
from syncline.store import Database, accounts, schema
from syncline.wiring import App

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
PASSWORD = "moss-otter-41"
DOMAIN = "fjordbikes.example"


@dataclass
class StandingClock:
    """A clock that moves only when told."""

    at: datetime = NOW

    def now(self) -> datetime:
        """Return the instant it shows."""
        return self.at


@dataclass
class Office:
    """The firm and its parts."""

    data: Path
    settings: Settings | None = None
    clock: StandingClock = field(default_factory=StandingClock)
    exchange: MemoryExchange = field(default_factory=MemoryExchange)
    refusal: SyncError | None = None
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        settings = self.settings or Settings(data=self.data)
        store = Database(":memory:", key=bytes(32))
        crm = EmbeddedCrm(":memory:", clock=self.clock, name=settings.crm.name)
        rules = replace(self.rules, crm_name=settings.crm.name, conflict=settings.conflict.policy())
        parts = Parts(store=store, crm=crm, clock=self.clock, rules=rules, new_id=self._new_id)
        worker = Worker(parts, self.connect, MemoryQueue(), owner="test")
        self.app = App(
            data=self.data,
            settings=settings,
            clock=self.clock,
            store=store,
            crm=crm,
            connect=self.connect,
            worker=worker,
            parts=parts,
        )
        self._number = 0
        self._hire()

    def connect(self, mailbox: Mailbox) -> Replica:
        """Open a mailbox, unless the server is told to refuse."""
        if self.refusal is not None:
            raise self.refusal
        return MemoryReplica(self.exchange, mailbox.address)

    def viewer(self, name: str) -> Viewer:
        """Return a person as a viewer."""
        return signing.viewer_of(self.app, self.app.store.account(name))

    def in_crm(self, subject: str, span: Span, organizer: str = "maya", **fields: object) -> str:
        """Enter an appointment in the CRM and return its id."""
        from syncline.desk import appointments

        draft = Draft(
            subject=subject,
            start=span.start.isoformat(),
            end=span.end.isoformat(),
            organizer=organizer,
            **fields,  # type: ignore[arg-type]
        )
        written = appointments.add(self.app, OPERATOR, draft, ignore_conflicts=True)
        assert written.appointment is not None
        return written.appointment.id

    def in_outlook(self, subject: str, span: Span, *guests: str, owner: str = "maya", private: bool = False) -> str:
        """Save an appointment in Exchange and return its address there."""
        appointment = Appointment(
            identity=Identity(f"uid-{subject}"),
            subject=subject,
            description="secret body",
            span=span,
            organizer=Address(f"{owner}@{DOMAIN}", owner.title()),
            attendees=tuple(Attendee(f"{guest}@{DOMAIN}") for guest in guests),
            sensitivity=Sensitivity.PRIVATE if private else Sensitivity.NORMAL,
        )
        return self.exchange.add(f"{owner}@{DOMAIN}", appointment)

    def change(self, ref: str, owner: str = "maya", **fields: object) -> None:
        """Save new values of an item in Exchange."""
        self.exchange.edit(f"{owner}@{DOMAIN}", ref, lambda found: replace(found, **fields))  # type: ignore[arg-type]

    def invite_in_crm(self, ref: str, *guests: str, owner: str = "maya") -> None:
        """Let somebody set the guests of an item's row in the CRM."""
        (link,) = self.app.store.links_by_ref(self.mailbox(owner).id, [ref]).values()
        assert link.crm_id is not None
        people = tuple(Attendee(f"{guest}@{DOMAIN}") for guest in guests)
        self.app.crm.edit(link.crm_id, None, {"attendees": people}, by_user=owner)

    def rewrite(self, row_id: str, **fields: object) -> None:
        """Save new values of a row in the CRM."""
        row = self.app.crm.read([row_id])[row_id]
        edited = replace(row.appointment, **fields)  # type: ignore[arg-type]
        change = Reschedule(id=row_id, version=row.version, candidate=Candidate(appointment=edited, check=False))
        (outcome,) = self.app.crm.reschedule([change], ConflictPolicy())
        assert outcome.result is Result.SAVED, outcome

    def sync(self, *names: str) -> None:
        """Run the mailboxes of these people (none: of everybody) to the end."""
        wanted = names or ("maya", "jonas")
        for result in self.app.worker.run_now([self.mailbox(name).id for name in wanted]):
            assert result.error is None, result.error

    def mailbox(self, name: str) -> Mailbox:
        """Return somebody's mailbox."""
        return self.app.store.mailbox_by_address(f"{name}@{DOMAIN}")

    def only_read(self) -> None:
        """Mark every profile as one that only reads."""
        with self.app.store.writing() as connection:
            connection.execute(update(schema.profile).values(read_only=True))

    def question(self) -> AlertObject:
        """Return the only question, as the operator sees it."""
        from syncline.desk import alerts

        (found,) = alerts.listing(self.app, OPERATOR, only_open=True)
        return found

    def the_scene(self, *, private: bool = False) -> AlertObject:
        """Play the scene: a review in the CRM at 10, a product demo in Outlook at 10:30; return the question."""
        self.in_crm("Quarterly review with Harbour Cycles", at(10))
        self.in_outlook("Product demo for Alpen Sport", at(10.5), private=private)
        self.sync()
        return self.question()

    def _hire(self) -> None:
        profile = profiles.NewProfile(name="exchange", url="https://mail.example.org/EWS/Exchange.asmx", username="svc")
        profiles.add(self.app, OPERATOR, dataclasses.replace(profile, password="service-secret"))
        for name, full_name, role in (
            ("ines", "Ines Brandt", AccessRole.ADMINISTRATOR),
            ("maya", "Maya Lind", AccessRole.USER),
            ("jonas", "Jonas Weber", AccessRole.USER),
        ):
            new = users.NewUser(
                name=name, emails=(f"{name}@{DOMAIN}",), full_name=full_name, role=role.value, password=PASSWORD
            )
            users.add(self.app, OPERATOR, new)
            if name != "ines":
                self._connect_mailbox(name)

    def _connect_mailbox(self, name: str) -> None:
        address = f"{name}@{DOMAIN}"
        self.exchange.add_mailbox(address, name.title())
        mailboxes.add(
            self.app, OPERATOR, mailboxes.NewMailbox(address=address, profile="exchange", user=name, track="all")
        )
        mailboxes.approve(self.app, OPERATOR, address)
        tested = mailboxes.test(self.app, OPERATOR, address)
        assert tested.error is None, tested.error

    def _new_id(self) -> str:
        self._number += 1
        return f"booked-{self._number}"


def hash_cheaply(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passwords cost nothing: a firm has three, and each test has a firm."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    monkeypatch.setattr(accounts, "_hashing", lambda: cheap)


def at(hour: float, *, days: int = 1, length: float = 1.0) -> Span:
    """Return a span of `length` hours, `days` after the day of NOW, starting at `hour` UTC."""
    start = NOW.replace(hour=0) + timedelta(days=days, hours=hour)
    return Span(start, start + timedelta(hours=length))
