"""One simulated world: people with mailboxes on a memory Exchange, a memory CRM, the state in SQLite, and the engine.

Everything random comes from one seeded generator that is handed down; everything timed from one clock. The engine's
ports pass through a gate per process; a killed process is followed by a new one on the same state. The world knows how
to run cycles and how to answer; what people do is in `people`, what must be true in `oracle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from random import Random

from msgspec import Struct, field

from syncline.connectors.memory import MemoryCrm, MemoryExchange
from syncline.connectors.memory.crm import Backup
from syncline.connectors.memory.exchange import Kept
from syncline.core.appointment import Appointment, Identity, ShowAs, Span
from syncline.core.leaving_out import dates_at, remains, without
from syncline.core.merging import project
from syncline.core.recurrence import occurrences
from syncline.core.scheduling import Person, persons
from syncline.engine import alerts, holding
from syncline.engine.cycle import CycleResult, run_cycle
from syncline.engine.run import Connect, Parts, Rules
from syncline.errors import CATALOGUE, ErrorClass, SyncError
from syncline.ports import (
    Alert,
    AlertState,
    Answer,
    Approval,
    Crm,
    Mailbox,
    OnSchedulingConflict,
    Profile,
    Replica,
    Seen,
    Store,
    TestState,
    Track,
    User,
)
from syncline.simulation.blank import blank_state
from syncline.simulation.clock import VirtualClock
from syncline.simulation.conduct import CATEGORY, Conduct
from syncline.simulation.diary import Diary
from syncline.simulation.faults import Call, Gate, Killed, Strike, faulty
from syncline.simulation.ledger import Ledger
from syncline.simulation.watching import Watched

OF_BOTH_SIDES = frozenset({*holding.MANY, *holding.SINGLE, holding.RESTORED})
"""The questions that only a world in which both sides are partners asks."""
NAMES = ("ada", "bob", "cyd", "dan")
FIRST, SECOND = "first", "second"
_FAR = timedelta(days=400)


def address_of(name: str) -> str:
    """Return the mailbox address of a person."""
    return f"{name}@example.org"


class Setting(Struct, frozen=True, kw_only=True):
    """What makes one world different from another before anything happens."""

    people: int = 2
    rules: Rules = field(default_factory=Rules)
    track_all: frozenset[str] = frozenset()
    series: bool = False
    on_conflict: Mapping[str, OnSchedulingConflict] = field(default_factory=dict)
    zones: tuple[str, ...] = ("UTC",)
    unwritable: frozenset[str] = frozenset()


Place = tuple[Span, ShowAs, bool]
"""When a date of a series is, how it is shown, and whether it is canceled."""


class LeftOut(Struct, frozen=True):
    """A date that was to be left out of a series: in whose mailbox, and how it stood there then."""

    address: str
    place: Place | None


def place_of(series: Appointment, date: datetime) -> Place | None:
    """Return how one date of a series stands: when, and shown as what."""
    near = occurrences(series, date - _FAR, date + _FAR)
    found = next((each for each in near if each.original_start == date), None)
    if found is None:
        return None
    part = found.exception or series
    return found.span, part.show_as, part.canceled


class World:
    """The parts of one world and what has happened in it, in words (`story`); only one lives at a time."""

    def __init__(self, rng: Random, setting: Setting) -> None:
        self.rng = rng
        self.setting = setting
        self.clock = VirtualClock()
        self.exchange = MemoryExchange()
        self.crm = MemoryCrm()
        self.store = blank_state()
        self.numbers = count(1)
        self.mailboxes: dict[str, int] = {}
        self.story: list[str] = []
        self.results: list[CycleResult] = []
        self.tracked_once: set[str] = set()
        self.refused: set[str] = set()
        self.left_out: dict[str, dict[datetime, LeftOut]] = {}
        self.newly_said: dict[int, tuple[set[str], set[str]]] = {}
        self.said: set[tuple[str, str]] = set()
        self.diary = Diary(self.exchange, self.crm)
        self.backup: Backup | None = None
        self.kept: dict[str, Kept] = {}
        self.gate = Gate()
        self._people(NAMES[: setting.people])
        self.ledger = Ledger(
            crm=self.crm,
            exchange=self.exchange,
            store=self.store,
            mailboxes=self.mailboxes,
            limits=setting.rules.limits,
        )
        self.ledger.said_yes = lambda name: any(
            name in names for (_, answer), names in self.conduct.said.items() if answer == "yes"
        )
        self.conduct = Conduct(
            exchange=self.exchange,
            crm=self.crm,
            store=self.store,
            mailboxes=self.mailboxes,
            violations=self.ledger.violations,
            clock=self.clock,
            policy=setting.rules.pushing,
            allowed=setting.rules.invitations,
        )
        self.conduct.gone_with_its_row = self.diary.forget_item

    def tell(self, text: str) -> None:
        """Add a line to the story."""
        self.story.append(f"{self.clock.now():%a %H:%M:%S} {text}")

    # --- processes -----------------------------------------------------------------------------------------------

    def parts(self, gate: Gate) -> Parts:
        """Return the ports of one process, each behind its gate."""
        store: Store = self.store
        crm: Crm = self.ledger
        return Parts(
            store=faulty(store, "store", gate),
            crm=faulty(crm, "crm", gate),
            clock=self.clock,
            rules=self.setting.rules,
            new_id=lambda: f"new-{next(self.numbers)}",
        )

    def cycle(self, address: str, *, owner: str = FIRST, gate: Gate | None = None) -> CycleResult | None:
        """Run one cycle of one mailbox in the process behind `gate`; None if the process died or the state failed.

        After a death the locks are free, as the operating system would leave them, and a new process stands ready.
        """
        used = self.gate if gate is None else gate
        before = len(used.struck)
        outcome: CycleResult | None = None
        words = "died"
        try:
            with self.ledger.cycle_of(address), self.conduct.cycle_of(address):
                outcome = run_cycle(self.parts(used), self._connect(used), self.mailboxes[address], owner)
            words = _words(outcome)
            self.results.append(outcome)
        except Killed:
            self.reopen(used)
        except SyncError as error:
            words = f"stopped by {error.code}"
            self.store.locks.drop(self.mailboxes[address])
        self.diary.apart = self.unlinked(self.diary.apart)
        struck = "; ".join(_struck(call, strike) for call, strike in used.struck[before:])
        self.tell(f"cycle of {address} by {owner}: {words}{f' [{struck}]' if struck else ''}")
        return outcome

    def unlinked(self, identities: set[Identity]) -> set[Identity]:
        """Return the identities of which no item is linked to a row, with what both agreed on."""
        if not identities:
            return set()
        links = self.store.links_by_id([link.id for link in self.store.links_by_identity(sorted(identities, key=str))])
        return identities - {
            link.identity for link in links if link.crm_id and link.agreed and link.seen is not Seen.ABSENT
        }

    def reopen(self, gate: Gate) -> None:
        """Let a new process take the place of the dead one."""
        self.store.locks.drop_all()
        gate.dead = False

    # --- people --------------------------------------------------------------------------------------------------

    def answer(self, alert: Alert, answer: Answer) -> None:
        """Answer a question as an administrator; an answer that does not count any more changes nothing."""
        links = self.store.links_by_id([number for number in (alert.link_id, *alert.held) if number])
        names = {link.identity.global_object_id for link in links}
        try:
            given = alerts.answer(self.store, self.clock, alert.id, answer, "admin", alert.version)
        except SyncError as error:
            self.tell(f"{answer} to question {alert.id} does not count: {error.code}")
            return
        if alert.held and alert.code not in OF_BOTH_SIDES:
            answered = self.ledger.released if answer == "yes" else self.ledger.retained
            answered.add(self.address(alert.mailbox_id))
        said = self.ledger.confirmed if answer == "yes" else self.refused
        if alert.code in OF_BOTH_SIDES:
            said = self.conduct.answered(alert.code, answer)
        self.newly_said[given.answers] = (said, names)
        said.update(names)
        self.tell(f"admin answers {answer} to question {alert.id} ({alert.code}) about {', '.join(sorted(names))}")

    def save_without(self, alert: Alert) -> bool:
        """Answer a question about a series with Yes but for the dates that clash; False if it is no such question."""
        (link,) = self.store.links_by_id([alert.link_id or 0]) or (None,)
        if link is None or link.observed is None or link.observed.recurrence is None or alert.verdict is None:
            return False
        content = without(project(link.observed, self.setting.rules.private), link.left_out)
        dates = dates_at(content, alert.verdict.clashing)
        if not dates or not remains(without(content, dates), link.first_seen, self.setting.rules.conflict.horizon_days):
            return False
        leaving = alerts.Leaving(dates, alert.version)
        (result,) = alerts.save_without(self.store, self.clock, {alert.id: leaving}, "admin", {alert.id: alert.version})
        if isinstance(result, SyncError):
            self.tell(f"yes without dates to question {alert.id} does not count: {result.code}")
            return True
        name, address = link.identity.global_object_id, self.address(alert.mailbox_id)
        known = self.left_out.setdefault(name, {})
        known.update({date: LeftOut(address, place_of(link.observed, date)) for date in dates})
        self.newly_said[result.answers] = (set(), set())
        self.tell(f"admin answers yes to question {alert.id} about {name} without {', '.join(map(str, dates))}")
        return True

    def take_back(self, alert: Alert) -> None:
        """Take back an answer, if that is not too late; then it is as if nobody had given it.

        What was answered about another copy of the meeting stands: each question has its own answer (Q-02, Q-06).
        """
        try:
            alerts.undo(self.store, self.clock, alert.id, "admin")
        except SyncError as error:
            self.tell(f"the answer to question {alert.id} is not taken back: {error.code}")
            return
        said, names = self.newly_said.pop(alert.answers)
        standing = (each for same, each in self.newly_said.values() if same is said)
        said -= names.difference(*standing, (name for name, _ in self.said))
        self.ledger.released.discard(self.address(alert.mailbox_id) if alert.held else "")
        self.tell(f"admin takes back the answer to question {alert.id}")

    def address(self, mailbox_id: int) -> str:
        """Return the address of a mailbox."""
        return next(address for address, number in self.mailboxes.items() if number == mailbox_id)

    def answered(self) -> tuple[Alert, ...]:
        """Return the questions of all mailboxes that were answered here and are not carried out yet."""
        every = (alert for number in self.mailboxes.values() for alert in self.store.open_alerts(number))
        return tuple(a for a in every if a.state is AlertState.ANSWERED and a.answers in self.newly_said)

    def questions(self) -> tuple[Alert, ...]:
        """Return the open questions of all mailboxes."""
        every = (alert for number in self.mailboxes.values() for alert in self.store.open_alerts(number))
        asking = ErrorClass.NEEDS_ANSWER
        return tuple(a for a in every if a.state is AlertState.OPEN and CATALOGUE[a.code].error_class is asking)

    def persons(self, appointment: Appointment, address: str) -> tuple[Person, ...]:
        """Return whom an item of a mailbox makes busy."""
        return persons(appointment, address)

    def due(self) -> tuple[str, ...]:
        """Return the addresses of the mailboxes that are due."""
        numbers = {number: address for address, number in self.mailboxes.items()}
        return tuple(numbers[number] for number in self.store.due(self.clock.now(), len(numbers)))

    def wake(self, address: str) -> None:
        """Tell Syncline that something has changed in a mailbox."""
        self.store.wake(self.mailboxes[address], self.clock.now())

    def _connect(self, gate: Gate) -> Connect:
        def connect(mailbox: Mailbox) -> Replica:
            replica: Replica = Watched(self.conduct, mailbox.address)
            return faulty(replica, "calendar", gate, mailbox.address)

        return connect

    # --- setting up ----------------------------------------------------------------------------------------------

    def _people(self, names: tuple[str, ...]) -> None:
        profile = self.store.add_profile(Profile(name="Exchange", url="https://exchange.example.org", username="sync"))
        for number, name in enumerate(names):
            address = address_of(name)
            zone = self.setting.zones[number % len(self.setting.zones)]
            self.exchange.add_mailbox(address, name.title())
            self.exchange.store(address).write_denied = name in self.setting.unwritable
            self.exchange.add_category(address, CATEGORY)
            self.exchange.add_folder(address, "Projects")
            self.crm.add_user(
                User(id=str(number + 1), name=name, full_name=name.title(), emails=(address,), time_zone=zone)
            )
            mailbox = Mailbox(
                address=address,
                user=name,
                profile_id=profile.id,
                approval=Approval.APPROVED,
                test=TestState.SUCCESS,
                enabled=True,
                track=Track.ALL if name in self.setting.track_all else Track.CATEGORY,
                on_scheduling_conflict=self.setting.on_conflict.get(name),
                time_zone=zone,
                next_due=self.clock.now(),
            )
            self.mailboxes[address] = self.store.add_mailbox(mailbox).id


def _struck(call: Call, strike: Strike) -> str:
    return f"call {call.number} {call.port}.{call.method}: {strike.value}"


def _words(result: CycleResult) -> str:
    if not result.claimed:
        return "held by another owner"
    if result.error is not None:
        return result.error.code
    counts = result.counts
    told = {
        "saved": counts.saved,
        "updated": counts.updated,
        "deleted": counts.deleted,
        "asked": counts.waiting,
        "skipped": counts.skipped,
        "failed": counts.failed,
    }
    return ", ".join(f"{number} {word}" for word, number in told.items() if number) or "nothing to do"
