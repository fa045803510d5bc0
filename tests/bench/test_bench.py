"""Every benchmark runs in its quick mode and prints rows; how fast anything is, no test says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
NAMES = sorted(file.stem for file in BENCH.glob("*.py") if file.stem not in ("harness", "memory_sides", "run"))


@pytest.mark.emulator
@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_prints_its_rows(name: str) -> None:
    """A benchmark prints one object a line, each with a figure and its unit, and judges nothing in its quick mode."""
    done = subprocess.run(
        [sys.executable, BENCH / "run.py", name, "--quick", "--json"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows
    assert {row["bench"] for row in rows} == {name}
    assert all(row["value"] >= 0 and row["unit"] and row["what"] and row["met"] is None for row in rows)


def test_an_unknown_benchmark_is_refused() -> None:
    """A name that no benchmark has is refused before anything is measured."""
    done = subprocess.run([sys.executable, BENCH / "run.py", "nothing"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "no benchmark is called nothing" in done.stderr
