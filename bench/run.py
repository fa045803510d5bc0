"""Run every benchmark, one after the other, each in a process of its own, and print one table: `make bench`.

`--quick` and names of benchmarks (`ews_read`, ...) are passed on or choose; `--json` prints the rows as they come.
Exit code 1 when a benchmark fails or a full run misses a target.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from harness import Row, line

NAMES = (
    "engine", "ews_read", "conflict_check", "idle_cycle", "both_memory", "first_sync", "answer_to_row", "answers",
    "pages",
)  # fmt: skip
HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (all)")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing is judged")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    options = parser.parse_args()
    unknown = set(options.names).difference(NAMES)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    if not options.json:
        print(_machine())
    codes = [_one(name, quick=options.quick, as_json=options.json) for name in options.names or NAMES]
    return 1 if any(codes) else 0


def _machine() -> str:
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} processors, {memory_gb:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}; load when it began: {load}"
    )


def _one(name: str, *, quick: bool, as_json: bool) -> int:
    words = [sys.executable, str(HERE / f"{name}.py"), "--json", *(["--quick"] if quick else [])]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for text in process.stdout:
        row = json.loads(text)
        met = row.pop("met")
        print(text.rstrip() if as_json else line(Row(**row), met), flush=True)
    return process.wait()


if __name__ == "__main__":
    sys.exit(main())
