"""The whole system on one seed: real engine, core and store in an invented world with faults, and an oracle over it.

`run` plays seeds and prints those that fail. Deterministic: one thread, one virtual clock, one generator per seed.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

from syncline.engine.run import Rules
from syncline.simulation.playing import Played, play
from syncline.simulation.report import Report, tell

__all__ = ["Played", "Report", "play", "run", "shortest"]


def run(seeds: int, seed: int | None = None, rules: Rules | None = None, out: TextIO | None = None) -> Report:
    """Play the seeds 0 to `seeds` - 1, or `seed` alone, under these rules; print what failed.

    The report is true if every seed came to a good end.
    """
    chosen = range(seeds) if seed is None else (seed,)
    failed: list[Played] = []
    costs_ms: list[float] = []
    for number in chosen:
        begin = time.process_time()
        played = play(number, rules)
        costs_ms.append((time.process_time() - begin) * 1000)
        if played.problems:
            failed.append(shortest(number, rules))
    report = Report(seeds=len(costs_ms), failed=tuple(failed), costs_ms=tuple(costs_ms))
    tell(report, out or sys.stdout)
    return report


def shortest(seed: int, rules: Rules | None = None) -> Played:
    """Return the failing seed with as few steps as still fail."""
    full = play(seed, rules)
    for steps in range(full.steps):
        played = play(seed, rules, steps)
        if played.problems:
            return played
    return full
