"""Seeds of the simulation come to a good end, and the same seed tells the same story."""

from __future__ import annotations

import io

import pytest

from syncline.simulation import Played, Report, play, run, shortest
from syncline.simulation.report import tell, tell_seed

SEEDS = 300
PORTIONS = 10
REPLAYED = 10


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_seeds_come_to_a_good_end(portion: int) -> None:
    """Whatever people and faults do, everything is saved, asked or explained in the end, and nothing is lost.

    Every tenth seed is played again and tells the same story, call by call, so that a failure can be seen again.
    """
    seeds = range(portion * SEEDS // PORTIONS, (portion + 1) * SEEDS // PORTIONS)

    played = {seed: play(seed) for seed in seeds}
    again = {seed: play(seed) for seed in seeds[::REPLAYED]}

    assert {seed: each.problems for seed, each in played.items() if each.problems} == {}
    assert again == {seed: played[seed] for seed in again}


def test_fewer_steps_begin_the_same_story() -> None:
    """A story cut short begins as the whole one does."""
    whole, cut = play(5), play(5, steps=1)
    common = cut.story[: next(n for n, line in enumerate(cut.story) if "all goes quiet" in line)]

    assert whole.story[: len(common)] == common


def test_the_shortest_story_of_a_good_seed_is_the_whole_one() -> None:
    """There is nothing to shorten where nothing fails."""
    assert shortest(3) == play(3)


def test_run_reports_one_seed() -> None:
    """With a seed given only that one is played, and a good end is a true report."""
    out = io.StringIO()

    report = run(300, seed=4, out=out)

    assert (bool(report), report.seeds) == (True, 1)
    assert "1 of 1 seeds came to a good end" in out.getvalue()


def test_several_processes_report_as_one_does() -> None:
    """Seeds from a given one on, played in two processes, are all counted, and nothing else is on the screen."""
    out = io.StringIO()

    report = run(3, out=out, first=40, jobs=2)

    assert (report.seeds, report.failed, len(report.costs_ms)) == (3, (), 3)
    assert out.getvalue().startswith("3 of 3 seeds")


def test_faults_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What is struck on purpose is no news: no warning of the product reaches the screen."""
    run(10, out=io.StringIO())

    assert caplog.records == []


def test_a_failing_seed_is_printed_with_its_story() -> None:
    """The report names the seed, what is wrong, how to see it again, and the story; the totals name it again."""
    out = io.StringIO()
    played = Played(7, 2, ("something is lost",), ("Mon 08:00:00 somebody did something",))

    tell_seed(played, out)
    tell(Report(seeds=2, failed=(played,), costs_ms=(1.0, 2.0), wall_s=3.0, doubled=1), out)

    assert "1 of 2 seeds came to a good end; 2 ms of CPU at the median, 0.0 s in all; 3.0 s passed" in out.getvalue()
    assert "failing seeds: 7\n" in out.getvalue()
    assert "in 1 of them something may stand twice in Outlook" in out.getvalue()

    assert "simulate --seed 7" in out.getvalue()
    assert "something is lost" in out.getvalue()
    assert "somebody did something" in out.getvalue()
