"""What a run over many seeds found, and how it is told.

A failing seed is printed with its shortest story: the same seed with as few steps as still fail. It must not know how a
seed is played.
"""

from __future__ import annotations

from statistics import median
from typing import TextIO

from msgspec import Struct

from syncline.simulation.playing import Played


class Report(Struct, frozen=True, kw_only=True):
    """What became of all seeds: those that failed with their shortest stories, what each cost, how long all took.

    `doubled` counts the seeds in which something may stand twice (`Played`).
    """

    seeds: int
    failed: tuple[Played, ...] = ()
    costs_ms: tuple[float, ...] = ()
    wall_s: float = 0.0
    doubled: int = 0

    @property
    def median_ms(self) -> float:
        """Return what a seed costs at the median, in milliseconds of CPU."""
        return median(self.costs_ms) if self.costs_ms else 0.0

    def __bool__(self) -> bool:
        """Return whether every seed came to a good end."""
        return not self.failed


def tell(report: Report, out: TextIO) -> None:
    """Write the totals in words, and the numbers of the seeds that failed."""
    total = sum(report.costs_ms) / 1000
    good = report.seeds - len(report.failed)
    out.write(
        f"{good} of {report.seeds} seeds came to a good end; "
        f"{report.median_ms:.0f} ms of CPU at the median, {total:.1f} s in all; {report.wall_s:.1f} s passed\n"
    )
    if report.doubled:
        out.write(
            f"in {report.doubled} of them something may stand twice in Outlook, which a code tells of: a server "
            "found what it had lost, or people changed what was made twice\n"
        )
    if report.failed:
        out.write(f"failing seeds: {', '.join(str(played.seed) for played in report.failed)}\n")


def tell_seed(played: Played, out: TextIO) -> None:
    """Write one failing seed: what is wrong, how to see it again, and its shortest story."""
    out.write(f"seed {played.seed} fails (syncline simulate --seed {played.seed}):\n")
    for problem in played.problems:
        out.write(f"  ! {problem}\n")
    out.write(f"  its story in {played.steps} steps:\n")
    for line in played.story:
        out.write(f"    {line}\n")
