"""A small world for tests of the engine: memory Exchange and CRM, real state in SQLite, a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from msgspec.structs import replace

from syncline.connectors.memory import MemoryCrm, MemoryExchange, MemoryReplica
from syncline.core.appointment import Address, Appointment, Attendee, Identity, Span
from syncline.engine import alerts
from syncline.engine.cycle import CycleResult, plan_cycle, run_cycle
from syncline.engine.run import Parts, Rules
from syncline.ports import Alert, Approval, CrmRow, Link, Mailbox, Profile, Replica, TestState, Track, User
from syncline.store import Database

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TRACKED = "Tracked to Syncline CRM"


@dataclass
class StandingClock:
    """A clock that moves only when told."""

    at: datetime = NOW

    def now(self) -> datetime:
        """Return the instant it shows."""
        return self.at

    def advance(self, **delta: float) -> None:
        """Move it on."""
        self.at += timedelta(**delta)


@dataclass
class World:
    """Two people with mailboxes, ada and bob, in one organization."""

    rules: Rules = field(default_factory=Rules)
    clock: StandingClock = field(default_factory=StandingClock)
    exchange: MemoryExchange = field(default_factory=MemoryExchange)
    crm: MemoryCrm = field(default_factory=MemoryCrm)
    numbers: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    def __post_init__(self) -> None:
        self.store = Database(":memory:", key=bytes(32))
        self.profile = self.store.add_profile(Profile(name="exchange", url="https://mail.example.org/", username="svc"))
        self.mailboxes = {name: self._person(name) for name in ("ada", "bob")}

    @property
    def parts(self) -> Parts:
        """Return the parts of the engine."""
        return Parts(store=self.store, crm=self.crm, clock=self.clock, rules=self.rules, new_id=self._new_id)

    def connect(self, mailbox: Mailbox) -> Replica:
        """Open a mailbox."""
        return MemoryReplica(self.exchange, mailbox.address)

    def sync(self, name: str = "ada") -> CycleResult:
        """Run one cycle of one person's mailbox; a failure of the mailbox fails the test."""
        result = run_cycle(self.parts, self.connect, self.mailboxes[name], "test")
        if result.error is not None:
            raise result.error
        return result

    def preview(self, name: str = "ada") -> CycleResult:
        """Run a dry run."""
        return plan_cycle(self.parts, self.connect, self.mailboxes[name], "test")

    def track(self, appointment: Appointment, name: str = "ada") -> str:
        """Save a tracked appointment in Exchange and return its address there."""
        return self.exchange.add(f"{name}@example.org", replace(appointment, categories=(TRACKED,)))

    def change(self, ref: str, name: str = "ada", **fields: object) -> None:
        """Save new values of an appointment in Exchange."""
        change = lambda found: replace(found, **fields)  # noqa: E731
        self.exchange.edit(f"{name}@example.org", ref, change)  # type: ignore[arg-type]

    def rows(self) -> tuple[CrmRow, ...]:
        """Return the rows of the CRM."""
        return self.crm.rows()

    def subjects(self) -> list[str]:
        """Return the subjects in the CRM, in order."""
        return sorted(row.appointment.subject for row in self.rows())

    def questions(self, name: str = "ada") -> tuple[Alert, ...]:
        """Return what stands open, lapsed, or answered and not carried out."""
        return self.store.open_alerts(self.mailboxes[name])

    def answer(self, answer: str, name: str = "ada") -> Alert:
        """Answer the only question of a mailbox."""
        (alert,) = self.questions(name)
        return alerts.answer(self.store, self.clock, alert.id, answer, "ada")  # type: ignore[arg-type]

    def link(self, ref: str, name: str = "ada") -> Link:
        """Return the link of an item."""
        return self.store.links_by_ref(self.mailboxes[name], [ref])[ref]

    def _person(self, name: str) -> int:
        address = f"{name}@example.org"
        full_name = {"ada": "Ada Admin", "bob": "Bob Berg"}[name]
        self.exchange.add_mailbox(address, full_name)
        self.crm.add_user(User(id=name, name=name, full_name=full_name, emails=(address,)))
        mailbox = self.store.add_mailbox(
            Mailbox(
                address=address,
                user=name,
                profile_id=self.profile.id,
                approval=Approval.APPROVED,
                test=TestState.SUCCESS,
                enabled=True,
                track=Track.CATEGORY,
                next_due=NOW,
            )
        )
        return mailbox.id

    def _new_id(self) -> str:
        return f"booked-{self.numbers()}"


def at(hour: float, *, days: int = 1, length: float = 1.0) -> Span:
    """Return a span of `length` hours, `days` after the day of NOW, starting at `hour` UTC."""
    start = NOW.replace(hour=0) + timedelta(days=days, hours=hour)
    return Span(start, start + timedelta(hours=length))


def meeting(subject: str, span: Span, *guests: str, organizer: str = "ada", **fields: object) -> Appointment:
    """Return an appointment whose identity is its subject."""
    return Appointment(
        identity=Identity(f"uid-{subject}"),
        subject=subject,
        span=span,
        organizer=Address(f"{organizer}@example.org", organizer.title()),
        attendees=tuple(Attendee(guest if "@" in guest else f"{guest}@example.org") for guest in guests),
        **fields,  # type: ignore[arg-type]
    )
