"""The whole system on one seed: real engine, core and store in an invented world with faults, and an oracle over it.

`run` plays seeds, in one process or in several, and prints those that fail. Deterministic: one thread, one virtual
clock, one generator per seed.
"""

from __future__ import annotations

import logging
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TextIO

from msgspec import Struct

from syncline.engine.run import Rules
from syncline.simulation.playing import Played, play
from syncline.simulation.report import Report, tell, tell_seed

__all__ = ["Played", "Report", "play", "run", "shortest"]

CHUNK = 50
"""How many seeds a process takes at once."""


class _Cost(Struct, frozen=True):
    """What one seed cost in milliseconds of CPU, whether something may stand twice, and its story if it fails."""

    cost_ms: float
    doubled: bool
    failed: Played | None


def run(
    seeds: int,
    seed: int | None = None,
    rules: Rules | None = None,
    out: TextIO | None = None,
    *,
    first: int = 0,
    jobs: int = 1,
) -> Report:
    """Play that many seeds from `first` on, or `seed` alone, under these rules, in `jobs` processes.

    What fails is printed as soon as it is known. The report is true if every seed came to a good end.
    """
    begin = time.monotonic()
    stream = out or sys.stdout
    chosen = range(first, first + seeds) if seed is None else range(seed, seed + 1)
    costs: list[_Cost] = []
    for cost in _costs(chosen, rules, jobs):
        costs.append(cost)
        if cost.failed is not None:
            tell_seed(cost.failed, stream)
            stream.flush()
    report = Report(
        seeds=len(costs),
        failed=tuple(cost.failed for cost in costs if cost.failed is not None),
        costs_ms=tuple(cost.cost_ms for cost in costs),
        wall_s=time.monotonic() - begin,
        doubled=sum(cost.doubled for cost in costs),
    )
    tell(report, stream)
    return report


def shortest(seed: int, rules: Rules | None = None) -> Played:
    """Return the failing seed with as few steps as still fail."""
    full = play(seed, rules)
    for steps in range(full.steps):
        played = play(seed, rules, steps)
        if played.problems:
            return played
    return full


def _costs(chosen: range, rules: Rules | None, jobs: int) -> Iterator[_Cost]:
    chunks = [chosen[at : at + CHUNK] for at in range(0, len(chosen), CHUNK)]
    played = partial(_played, rules=rules)
    if jobs == 1:
        for chunk in chunks:
            yield from played(chunk)
        return
    # Each process makes its own state: an open database must not be carried over a fork.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for costs in pool.map(played, chunks):
            yield from costs


def _played(chunk: Sequence[int], rules: Rules | None) -> list[_Cost]:
    """Play these seeds and return what became of each."""
    costs: list[_Cost] = []
    with _quiet():
        for number in chunk:
            begin = time.process_time()
            played = play(number, rules)
            cost_ms = (time.process_time() - begin) * 1000
            costs.append(_Cost(cost_ms, played.doubled > 0, shortest(number, rules) if played.problems else None))
    return costs


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings off the screen, for faults are meant here; a bug is still logged with its trace."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
