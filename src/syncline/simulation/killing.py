"""A flow is killed at each of its port calls in turn, and its world must end as if it had lived.

A flow is prepared in peace, then something happens, and then the mailboxes run while the process may die. What the
flows are stands in the modules `flows*`; the words that they are told in stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from datetime import timedelta
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.engine.run import Rules
from syncline.ports import LinkState, Seen
from syncline.simulation import oracle, outward
from syncline.simulation.blank import bring_back, changes_of, keep
from syncline.simulation.clock import MONDAY
from syncline.simulation.conduct import CATEGORY
from syncline.simulation.faults import Call, Gate, Strike, nothing
from syncline.simulation.playing import calm
from syncline.simulation.watching import NAMES
from syncline.simulation.world import SECOND, Setting, World, address_of

ADA, BOB = address_of("ada"), address_of("bob")
_HOUR = timedelta(hours=1)

Deed = Callable[[World], None]


class Flow(Struct, frozen=True):
    """One flow: what was there before, and what happens; everything is Ada's unless more `people` take part.

    `by_category`: questions are answered in Outlook, so that waiting items are marked. `rules` are those of the world,
    if they are not the usual ones. `afterwards` happens once the mailboxes have run or died, before all goes quiet.
    `series`: every single of the flow repeats instead.
    """

    name: str
    prepare: Deed
    happens: Deed
    people: int = 1
    by_category: bool = False
    rules: Rules | None = None
    afterwards: Deed | None = None
    series: bool = False


def of_both_kinds(*flows: Flow) -> Iterator[Flow]:
    """Yield each flow of singles twice: as it is, and with series in their place."""
    for flow in flows:
        yield flow
        yield replace(flow, name=f"{flow.name}, series", series=True)


def with_writing(flow: Flow) -> Flow:
    """Return a flow as it goes where writing to Exchange is on, as delivered."""
    return replace(flow, name=f"{flow.name}, writing", rules=replace(flow.rules or Rules(), outgoing=True))


# --- what there is -----------------------------------------------------------------------------------------------


def at(hour: float, day: int = 1) -> Span:
    """Return an hour from `hour` on, `day` days after the Monday on which a world begins."""
    start = MONDAY.replace(hour=0) + timedelta(days=day) + hour * _HOUR
    return Span(start, start + _HOUR)


def item(uid: str, span: Span, **fields: object) -> Appointment:
    """Return a tracked appointment."""
    plain = Appointment(
        identity=Identity(uid), subject=f"Subject {uid}", span=span, categories=(CATEGORY,), created=MONDAY
    )
    return replace(plain, **fields)


def series(uid: str, span: Span) -> Appointment:
    """Return a tracked series of four days."""
    return _repeated(item(uid, span))


def of_its_kind(world: World, appointment: Appointment) -> Appointment:
    """Return an appointment as this world has it: in a world of series it repeats."""
    return _repeated(appointment) if world.setting.series else appointment


def _repeated(appointment: Appointment) -> Appointment:
    recurrence = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=appointment.span.start.date(), count=4)
    return replace(appointment, recurrence=recurrence)


def add(world: World, appointment: Appointment, address: str = ADA) -> None:
    """Save an item in Outlook, and remember that it was tracked."""
    world.exchange.add(address, of_its_kind(world, appointment))
    world.tracked_once.add(appointment.identity.global_object_id)


def ref(world: World, uid: str, address: str = ADA) -> str:
    """Return the reference of an item."""
    items = world.exchange.items(address)
    return next(item.ref for item in items if item.appointment.identity.global_object_id == uid)


def edit(world: World, uid: str, **fields: object) -> None:
    """Save new values of Ada's item in Outlook."""
    world.exchange.edit(ADA, ref(world, uid), lambda found: replace(found, **fields))


def run_all(world: World) -> None:
    """Run one cycle of every mailbox."""
    for address in world.mailboxes:
        world.cycle(address)


# --- killing ---------------------------------------------------------------------------------------------------------


# Calls that leave both sides as they were. Of the store SQLite itself says whether one has changed anything.
_READS = {
    "calendar": frozenset(
        {
            "attachment_content", "attachments", "categories", "changes", "close", "find", "find_keys", "folders",
            "mark", "probe", "read",
        }
    ),
    "crm": frozenset(
        {"attachment_content", "attachments", "changes", "find", "ids", "last_keys", "read", "users", "validate"}
    ),
}  # fmt: skip


class Prepared:
    """A flow whose world is prepared once, up to what happens: each run, killed or not, begins with a copy of it.

    A process that dies before a call leaves what it would have left before the one before, if that one only read. Such
    deaths are one, and the world that follows it is played once.
    """

    def __init__(self, flow: Flow) -> None:
        rules = replace(flow.rules or Rules(), chunk_max=5, outlook=NAMES if flow.by_category else None)
        self._flow = flow
        setting = Setting(people=flow.people, rules=rules, series=flow.series)
        self._world = World(Random(0), setting)  # noqa: S311 - must be repeatable
        flow.prepare(self._world)
        self._world.clock.advance(900)
        flow.happens(self._world)
        self.store = self._world.store
        self._state = keep(self.store)
        self._deaths: list[int] = []
        self._found: dict[int, list[str]] = {}

    def undisturbed(self) -> tuple[tuple[Call, ...], dict[str, object]]:
        """Run the flow in peace and return the port calls that it makes, and how the world ends."""
        written: list[int] = []
        world, calls = self._play(None, seen=lambda _: written.append(changes_of(self.store)))
        self._deaths = _deaths(calls, written)
        return calls, _end(world)

    def death(self, number: int) -> int:
        """Return the first call of the undisturbed flow at which dying leaves the same as dying at this one."""
        return self._deaths[number]

    def killed(self, number: int, expected: dict[str, object], strike: Strike = Strike.KILLED) -> list[str]:
        """Run the flow in a process that dies at its port call `number`, or is struck otherwise; return what is wrong.

        One that is overtaken stands still until its lease is over and another owner has run the mailbox to the end.
        """
        if strike is not Strike.KILLED:
            return self.struck(number, expected, strike)
        first = self.death(number)
        if first not in self._found:
            self._found[first] = self.struck(first, expected, strike)
        return self._found[first]

    def struck(self, number: int, expected: dict[str, object], strike: Strike) -> list[str]:
        """Run the flow with this very call struck, and return what is wrong."""
        world, calls = self._play(number, strike)
        end = _end(world)
        found = [*oracle.judge(world), *outward.judge(world)]
        found += [f"{at}: {end[at]} instead of {expected[at]}" for at in expected if end[at] != expected[at]]
        if len(world.gate.struck) != 1:
            found.append(f"died {len(world.gate.struck)} times")
        where = f"{calls[number].port}.{calls[number].method}"
        return [f"killed at call {number} ({where}): {problem}" for problem in found]

    def _play(
        self, number: int | None, strike: Strike = Strike.KILLED, seen: Callable[[Call], None] = lambda _: None
    ) -> tuple[World, tuple[Call, ...]]:
        """Run the mailboxes of a copy of the prepared world, and return it at rest with the calls of the flow.

        `seen` is told of each call of the mailboxes before it is made.
        """
        bring_back(self.store, self._state)
        world = deepcopy(self._world, {id(self.store): self.store})
        begin = len(world.gate.calls)

        def choose(call: Call) -> Strike | None:
            seen(call)
            return strike if number is not None and call.number == begin + number else None

        def overtake(_: Call) -> None:
            world.clock.advance(world.setting.rules.lease_s + 1)
            world.cycle(world.ledger.writer, owner=SECOND, gate=Gate())

        world.gate.choose, world.gate.overtaken = choose, overtake
        run_all(world)
        world.gate.choose = nothing
        calls = tuple(world.gate.calls[begin:])
        if self._flow.afterwards is not None:
            self._flow.afterwards(world)
        calm(world, {})
        return world, calls


def _deaths(calls: Sequence[Call], written: Sequence[int]) -> list[int]:
    """Return for each call the first one at which dying leaves the same: since then the process has only read.

    `written` says how much had been written to the state before each call.
    """
    firsts: list[int] = []
    for number, call in enumerate(calls):
        before = calls[number - 1] if number else None
        read = before is not None and (
            before.method in _READS[before.port] if before.port in _READS else written[number - 1] == written[number]
        )
        same = read and before is not None and before.mailbox == call.mailbox
        firsts.append(firsts[-1] if same else number)
    return firsts


def _end(world: World) -> dict[str, object]:
    """Return how a world stands, without numbers that depend on the way, and what is only remembered as left out."""
    rows = {
        (
            row.appointment.identity.global_object_id,
            row.appointment.subject,
            row.appointment.span,
            row.appointment.deleted,
            row.status.value,
        )
        for row in world.crm.rows()
    }
    links = sorted(
        (link.identity.global_object_id, link.mailbox_id, link.state.value, link.crm_id is not None, link.writes)
        for link in oracle.all_links(world)
        if link.seen is not Seen.ABSENT or link.state is not LinkState.SKIPPED
    )
    questions = sorted((alert.code, alert.subject, len(alert.held)) for alert in world.questions())
    items = (item.appointment for address in world.mailboxes for item in world.exchange.items(address))
    categories = sorted((item.identity.global_object_id, item.categories) for item in items)
    return {
        "rows": rows,
        "links": links,
        "questions": questions,
        "categories": categories,
        "items": sorted(_standing(world), key=repr),
        "files": sorted(_files(world)),
        "mails": sorted(world.exchange.outbox),
        "trash": sorted({(address, content.identity) for address, content in world.conduct.deleted}, key=repr),
    }


def _files(world: World) -> Iterator[tuple[str, str, str, int]]:
    """Yield every file on either side, by what it is attached to; one that stands twice is told twice."""
    for address in world.mailboxes:
        shelf = world.exchange.store(address).shelf
        for item in world.exchange.items(address):
            yield from (
                (address, item.appointment.identity.global_object_id, f.name, f.size) for f in shelf.of(item.ref)
            )
    for row in world.crm.rows():
        for f in world.crm.shelf.of(row.id):
            yield "the CRM", row.appointment.identity.global_object_id, f.name, f.size


def _standing(world: World) -> Iterator[tuple[object, ...]]:
    """Yield how everything stands in Outlook, without references and revisions."""
    for address in world.mailboxes:
        for item in world.exchange.items(address):
            each = item.appointment
            parts = tuple((part.identity, part.subject, part.span) for part in each.exceptions)
            yield address, each.identity, each.subject, each.span, each.show_as, each.canceled, each.deleted, parts
