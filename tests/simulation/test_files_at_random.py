"""People attach and take off files at random on both sides while everything fails: in the end both sides are equal."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from syncline.simulation import oracle, outward
from syncline.simulation.faults import Call, Gate, Strike, possible
from syncline.simulation.flows_files import RULES, UID
from syncline.simulation.killing import ADA, add, at, item, ref
from syncline.simulation.playing import calm
from syncline.simulation.world import SECOND, Setting, World

SEEDS = 60
ROUNDS = 4
RATE, RATE_OTHERS = 0.12, 0.01
NAMES = ("plan.txt", "notes.txt", "c.d")


class Story:
    """One seed: a world with one appointment, whose files all have different lengths, so that each is known again."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.world = World(self.rng, Setting(people=1, rules=RULES))
        self.size = 0
        self.begun = False
        self.attached: set[int] = set()
        self.removed: set[int] = set()
        add(self.world, item(UID, at(11)))
        self.world.cycle(ADA)
        self.world.gate.overtaken = self.overtake
        self.world.gate.stirred = lambda _: self.act()

    @property
    def row(self) -> str:
        """Return the id of the row."""
        return self.world.crm.rows()[0].id

    def act(self) -> None:
        """Let somebody attach a file, or take those of a name off, on one side."""
        name = self.rng.choice(NAMES)
        self.size += 1
        content, adds, there = b"x" * self.size, self.rng.random() < 0.65, self.rng.random() < 0.5
        address = ref(self.world, UID)
        shelf, key = (self.world.exchange.store(ADA).shelf, address) if there else (self.world.crm.shelf, self.row)
        if adds:
            self.attached.add(self.size)
        else:
            self.removed |= {each.size for each in shelf.of(key) if each.name == name}
        if there and adds:
            self.world.exchange.attach(ADA, address, name, content)
        elif there:
            self.world.exchange.detach(ADA, address, name)
        elif adds:
            self.world.crm.add_file(self.row, name, content, by="ada")
        else:
            self.world.crm.remove_file(self.row, name, by="ada")

    def overtake(self, _: Call) -> None:
        """Let another owner run the mailbox to the end, because the lease ran out unnoticed."""
        self.world.clock.advance(self.world.setting.rules.lease_s + 1)
        self.world.cycle(ADA, owner=SECOND, gate=Gate())

    def choose(self, call: Call) -> Strike | None:
        """Strike now and then, most of all at calls about files and at what is stored between them."""
        self.begun = call.method == "attachments_due" or (self.begun and call.method != "claim")
        if self.rng.random() > (RATE if self.begun else RATE_OTHERS):
            return None
        fitting = [each for each in possible(call) if each not in (Strike.STALE, Strike.EXPIRED)]
        return self.rng.choice(fitting) if fitting else None

    def play(self) -> None:
        """Play a few rounds, then let all go quiet."""
        for _ in range(ROUNDS):
            for _ in range(self.rng.randint(1, 3)):
                self.act()
            self.world.clock.advance(900)
            self.world.gate.choose = self.choose
            self.world.cycle(ADA)
        calm(self.world, {})


def in_outlook(story: Story) -> Counter[tuple[str, int]]:
    """Return name and length of every file in Outlook."""
    shelf = story.world.exchange.store(ADA).shelf
    return Counter((each.name, each.size) for each in shelf.of(ref(story.world, UID)))


def in_crm(story: Story) -> Counter[tuple[str, int]]:
    """Return name and length of every file in the CRM."""
    return Counter((each.name, each.size) for each in story.world.crm.shelf.of(story.row))


@pytest.mark.rule("D-05")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_both_sides_end_with_the_same_files_and_none_is_lost(seed: int) -> None:
    """Whatever fails: both sides hold the same files, each once, and all that nobody has taken off."""
    story = Story(seed)
    story.play()
    outlook, crm = in_outlook(story), in_crm(story)

    told = "\n".join(story.world.story)
    assert outlook == crm, told
    assert [file for file, times in outlook.items() if times > 1] == [], told
    lengths = Counter(size for _, size in outlook)
    assert [size for size, times in lengths.items() if times > 1] == [], told
    assert story.attached - story.removed <= set(lengths), told
    assert [*oracle.judge(story.world), *outward.judge(story.world)] == [], told
