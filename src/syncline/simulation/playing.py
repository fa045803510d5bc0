"""One seed, from its first morning to its verdict: people act, faults strike, mailboxes run, and then all goes quiet.

The same seed and number of steps give the same story, call by call. It must not know how stories are reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from syncline.connectors.memory import Item
from syncline.core.answering_by_category import CategoryNames
from syncline.engine import mailboxes
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import OnSchedulingConflict, Verb
from syncline.simulation import both, oracle, outlook, outward, people, replay, ruled
from syncline.simulation.faults import Call, Chooser, Gate, Strike, nothing, possible
from syncline.simulation.scene import Scene
from syncline.simulation.world import NAMES, SECOND, Setting, World, address_of

STEPS = (2, 5)
STEPS_MORE = 4
BY_CATEGORY = 0.4
SERIES = 0.25
UNWRITABLE = 0.1
QUIET_ROUNDS_MAX = 8
QUIET_ROUND_S = 3600.0
_BY_SETTING = (OnSchedulingConflict.SAVE_ANYWAY, OnSchedulingConflict.KEEP_OUT)
_PAUSES = (60, 300, 300, 900, 7200)
_PAUSES_BOTH = (*_PAUSES, 86_400)
_RATES = (0.0, 0.01, 0.02, 0.04)
# The state is asked far more often than the two sides: what strikes there would drown the rest.
_FREQUENCIES = {"store": 0.4, "calendar": 2.0, "crm": 2.0}
_WRITES = {
    "crm.book": 8.0,
    "crm.reschedule": 12.0,
    "crm.delete": 12.0,
    "calendar.categorize": 20.0,
    "calendar.write": 12.0,
    "calendar.find_keys": 20.0,
}

_SHAKEN = {"crm": people.shake_rows, "calendar": people.shake_items}


class Played(Struct, frozen=True):
    """What became of one seed: everything that was wrong, and the story in words.

    `doubled` counts meetings that may stand twice in Outlook: a server found what it had lost, or people had changed
    what was made twice before it could be taken out again.
    """

    seed: int
    steps: int
    problems: tuple[str, ...]
    story: tuple[str, ...]
    doubled: int = 0


def play(seed: int, rules: Rules | None = None, steps: int | None = None) -> Played:
    """Play one seed; `steps` fewer than it would take shortens its story."""
    rng = Random(seed)  # noqa: S311 - a simulation must be repeatable, not secret
    setting = _by_category(Random(f"{seed} by category"), _setting(rng, rules or Rules()))  # noqa: S311 - as above
    setting = _with_series(Random(f"{seed} series"), setting)  # noqa: S311 - as above
    setting = both.partners(Random(f"{seed} both ways"), setting)  # noqa: S311 - as above
    game = _Game(rng, setting)
    ruled.lay_down(game.world, Random(f"{seed} rules"))  # noqa: S311 - as above
    planned = rng.randint(*STEPS) + (STEPS_MORE if setting.rules.outlook or setting.series else 0)
    taken = planned if steps is None else min(steps, planned)
    problems = game.run(taken)
    return Played(seed, taken, tuple(problems), tuple(game.world.story), len(game.world.conduct.helpless))


def _setting(rng: Random, rules: Rules) -> Setting:
    number = rng.choice((2, 2, 2, 3, 4))
    small = replace(
        rules,
        crm_name=Rules().crm_name,  # the invented people write its category, whatever the real CRM is called
        chunk_max=rng.choice((1, 3, 200)),
        page_size_max=rng.choice((1, 3, 512)),
        read_max=3,
    )
    everything = frozenset(name for name in NAMES[:number] if rng.random() < 0.2)
    settled = {name: rng.choice(_BY_SETTING) for name in NAMES[:number] if rng.random() < 0.1}
    zones = rng.choice((("UTC",), ("Europe/Berlin", "America/New_York")))
    return Setting(people=number, rules=small, track_all=everything, on_conflict=settled, zones=zones)


def _by_category(rng: Random, setting: Setting) -> Setting:
    """Let owners answer in Outlook in a share of the worlds; some calendars cannot be written there."""
    if rng.random() >= BY_CATEGORY:
        return setting
    unwritable = frozenset(name for name in NAMES[: setting.people] if rng.random() < UNWRITABLE)
    return replace(setting, rules=replace(setting.rules, outlook=CategoryNames()), unwritable=unwritable)


def _with_series(rng: Random, setting: Setting) -> Setting:
    """Let people deal with series most of the time in a share of the worlds, and track what they make."""
    if rng.random() >= SERIES:
        return setting
    return replace(setting, series=True, track_all=frozenset(NAMES[: setting.people]), on_conflict={})


def _saving_anyway(setting: Setting) -> frozenset[str]:
    """Return the addresses of the mailboxes that save double bookings without asking (Q-10)."""
    common, own = setting.rules.on_scheduling_conflict, setting.on_conflict
    names = (name for name in NAMES if own.get(name, common) is OnSchedulingConflict.SAVE_ANYWAY)
    return frozenset(address_of(name) for name in names)


class _Game:
    """The moves of one seed."""

    def __init__(self, rng: Random, setting: Setting) -> None:
        self.rng = rng
        self.world = World(rng, setting)
        world = self.world
        world.ledger.save_anyway = _saving_anyway(setting)
        world.ledger.ruled = partial(ruled.said, world.store)
        self.scene = Scene(
            rng=rng,
            clock=world.clock,
            exchange=world.exchange,
            crm=world.crm,
            track_all=frozenset(f"{name}@example.org" for name in setting.track_all),
            tracked=world.tracked_once,
        )
        if setting.rules.outlook is not None:
            outlook.busy_mornings(world)
        if setting.series:
            world.tell(people.fill_days(self.scene))
        self.lost: dict[str, tuple[Item, ...]] = {}
        self.rate = rng.choice(_RATES)
        world.gate.stirred = self._stir
        world.gate.overtaken = self._overtake
        world.gate.woken = self._start_again
        world.gate.staled = self._shake
        world.gate.expired = lambda _: self.world.exchange.expire_cursors(self.world.ledger.writer)

    def run(self, steps: int) -> list[str]:
        """Play and return what is wrong in the end."""
        for _ in range(self.rng.randint(3, 6)):
            self._act()
        self.world.gate.choose = self._chooser()
        for _ in range(steps):
            self._step()
        calm(self.world, self.lost)
        return [
            *oracle.judge(self.world),
            *outward.judge(self.world),
            *ruled.misruled(self.world),
            *replay.replayed(self.world),
        ]

    def _step(self) -> None:
        for _ in range(self.rng.randint(1, 3)):
            self._act()
        for _ in range(3 if self.world.setting.rules.outlook or self.world.setting.series else 1):
            if self.rng.random() < 0.5:
                self._answer()
        if self.rng.random() < 0.2:
            self._take_back()
        if self.rng.random() < 0.1:
            self._mishap()
        self.world.clock.advance(self.rng.choice(_PAUSES_BOTH if self.world.setting.rules.outgoing else _PAUSES))
        if self.rng.random() < 0.06:
            self.world.tell(both.jump(self.world, self.scene))
        for address in self.world.due():
            self.world.cycle(address)
        if self.rng.random() < 0.1:
            self._out_of_turn()

    def _act(self) -> None:
        with self.world.diary.of_an_act():
            self._act_out()

    def _act_out(self) -> None:
        told = both.act(self.world, self.scene)
        if told is not None:
            self.world.tell(told)
            return
        often = self.world.setting.series and self.rng.random() < 0.7
        self.world.tell(people.act_on_series(self.scene) if often else people.act(self.scene))

    def _answer(self) -> None:
        if self.world.setting.rules.outlook is not None and self.rng.random() < 0.6:
            outlook.act(self.world, self.rng)
            return
        questions = self.world.questions()
        if questions:
            question = self.rng.choice(questions)
            series = [each for each in questions if each.verdict is not None and each.verdict.occurrences > 1]
            if not series or self.rng.random() < 0.4 or not self.world.save_without(self.rng.choice(series)):
                self.world.answer(question, self.rng.choice(("yes", "no")))

    def _take_back(self) -> None:
        answered = self.world.answered()
        if answered:
            self.world.take_back(self.rng.choice(answered))

    def _mishap(self) -> None:
        """The server loses a calendar, finds it again, or cannot hand out an item."""
        address = self.rng.choice(self.world.exchange.addresses())
        if self.lost:
            refill(self.world, self.lost)
        elif self.rng.random() < 0.5:
            self.lost[address] = self.world.exchange.empty(address)
            self.world.tell(f"the server loses all items of {address}")
        elif items := self.world.exchange.items(address):
            item = self.rng.choice(items)
            error = SyncError("ItemUnreadable", subject=item.appointment.subject, detail="it is damaged")
            self.world.exchange.spoil(address, item.ref, error)
            self.world.tell(f"{item.ref} of {address} cannot be read any more")

    # --- what strikes at a call ----------------------------------------------------------------------------------

    def _chooser(self) -> Chooser:
        if not self.rate:
            return nothing

        def choose(call: Call) -> Strike | None:
            likely = self.rate * _WRITES.get(f"{call.port}.{call.method}", _FREQUENCIES[call.port])
            return self.rng.choice(possible(call)) if self.rng.random() < likely else None

        return choose

    def _stir(self, _: Call) -> None:
        chance = self.rng.random()
        if chance < 0.3:
            self._answer()
        elif chance < 0.4:
            self._take_back()
        else:
            self._act()

    def _shake(self, call: Call) -> None:
        with self.world.diary.of_an_act():
            self.world.tell(_SHAKEN[call.port](self.scene))

    def _out_of_turn(self) -> None:
        """The server tells of a mailbox twice, which then is due; or somebody starts one that is not."""
        address = self.rng.choice(self.world.exchange.addresses())
        for _ in range(2):
            if self.rng.random() < 0.5:
                self.world.wake(address)
            self.world.cycle(address)

    def _start_again(self, _: Call) -> None:
        """The mailbox whose cycle runs is woken and started a second time."""
        address = self.world.ledger.writer
        self.world.wake(address)
        self.world.cycle(address, gate=Gate())

    def _overtake(self, _: Call) -> None:
        """The lease runs out unnoticed, and another owner runs the same mailbox to the end."""
        address = self.world.ledger.writer
        self.world.clock.advance(self.world.setting.rules.lease_s + 1)
        self.world.cycle(address, owner=SECOND, gate=Gate())


def refill(world: World, lost: dict[str, tuple[Item, ...]]) -> None:
    """Bring back what the server lost."""
    for address, items in lost.items():
        again = {item.appointment.identity for item in world.exchange.items(address)}
        # What had been made anew meanwhile stands there twice now: a code tells of it. Only what was given up before
        # its making was heard of is known to be Syncline's, and goes (decision 0035).
        world.conduct.helpless |= {
            item.appointment.identity.global_object_id for item in items if item.appointment.identity in again
        }
        world.conduct.helpless |= _twice(world, address, items)
        world.exchange.refill(address, items)
        world.diary.apart |= world.unlinked({item.appointment.identity for item in items})
        world.tell(f"the server finds the items of {address} again")
        world.diary.forget()  # what was edited meanwhile may have been deleted by an answer
    lost.clear()


def _twice(world: World, address: str, items: Sequence[Item]) -> set[str]:
    """Return what was lost while it stood there twice, and so is found twice: nothing stands as it was noted any more.

    Nobody is known to have made either (decision 0035), unless a creation is still to be settled: its item is found by
    its key and noted, so that the other one must go.
    """
    every = world.store.intents(world.mailboxes[address])
    waiting = tuple(f"/{one.id}" for one in every if one.verb is Verb.CREATE_ITEM and one.instead is None)
    heard = {item.appointment.identity.global_object_id for item in items if item.key and item.key.endswith(waiting)}
    return {name for name, number in world.conduct.times_made(items).items() if number > 1} - heard


def calm(world: World, lost: dict[str, tuple[Item, ...]]) -> None:
    """Stop all faults and run every mailbox until a whole round writes nothing."""
    world.gate.choose = nothing
    world.tell("all goes quiet")
    refill(world, lost)
    for address in world.mailboxes:
        for ref in tuple(world.exchange.store(address).spoiled):
            # Somebody repairs it: a new revision, so that it is read again however often that had failed.
            world.exchange.spoil(address, ref, None)
            world.exchange.touch(address, ref)
    for number in world.mailboxes.values():
        if not world.store.mailbox(number).enabled:
            mailboxes.enable(world.store, world.clock, number)
    moving: list[str] = []
    for _ in range(QUIET_ROUNDS_MAX):
        world.clock.advance(QUIET_ROUND_S)
        before = oracle.mark(world)
        for address in world.mailboxes:
            world.cycle(address)
        after = oracle.mark(world)
        moving = [name for name in before if before[name] != after[name]]
        if not moving and not oracle.retrying(world):
            return
    world.ledger.violations += [f"{name} did not come to rest in {QUIET_ROUNDS_MAX} rounds" for name in moving]
