"""What the benchmarks share: the server in its own process, a data folder, calendars, clocks and rows of results.

A row is one figure with its target and, where there is one, the peer's figure of the same run. `python bench/NAME.py`
prints the rows for people, `--json` one object a line; `--quick` takes small sizes and judges nothing, so that it ends
within seconds on any machine. It must not know what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncline.wiring import App

ADDRESS, PASSWORD = "ada@example.org", "bench"
SERVICE, SERVICE_PASSWORD = "svc", "secret"
CATEGORY = "Tracked to Syncline CRM"
START = datetime(2030, 1, 7, 8, tzinfo=UTC)
TEXT = "Talk about it. " * 35
_SYNCLINE = (sys.executable, "-c", "from syncline.cli import main; main()")
# Waits for a command in a small process: a child is charged with the memory that its parent had when it began.
_WAITING = """
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(child.pid, 0)
print()
print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss]), end="")
"""
_TICKS = os.sysconf("SC_CLK_TCK")
_ICAL = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `target` None: reported only; `at_least` False: smaller is better. `ratio` is in our favour."""

    bench: str
    what: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    peer: float | None = None
    ratio: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Return whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass(frozen=True, slots=True)
class Size:
    """What a run is told: small sizes or full ones."""

    quick: bool = False

    def of(self, full: int, quick: int) -> int:
        """Return the full size, or the quick one."""
        return quick if self.quick else full


def run(measure: Callable[[Size], Iterator[Row]]) -> int:
    """Measure as the command line says and print every row as it comes; 1 when a full run misses a target."""
    parser = argparse.ArgumentParser(description=measure.__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing is judged")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    options = parser.parse_args()
    missed = False
    for row in measure(Size(options.quick)):
        judged = None if options.quick else row.met
        print(json.dumps(asdict(row) | {"met": judged}) if options.json else line(row, judged), flush=True)
        missed |= judged is False
    return 1 if missed else 0


def line(row: Row, met: bool | None) -> str:
    """Return a row as people read it."""
    sign = "≥" if row.at_least else "≤"
    target = "" if row.target is None else f"target {sign} {row.target:,g} {row.unit}"
    ratio = "" if row.ratio is None else f"peer {row.peer:,.2f}, {row.ratio:,.1f} x"
    verdict = {True: "met", False: "MISSED", None: ""}[met]
    parts = (f"{row.value:>10,.2f} {row.unit:<10}", f"{row.what:<58}", target, verdict, ratio, row.note)
    return "  ".join(part for part in parts if part.strip())


# --- calendars -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One event of a made-up calendar."""

    name: str
    start: datetime
    hours: float = 1.0
    created: datetime = datetime(2026, 1, 1, tzinfo=UTC)


def meetings(count: int, prefix: str = "bench") -> Iterator[Meeting]:
    """Return meetings one after the other: nobody is double-booked."""
    return (Meeting(name=f"{prefix}-{n}", start=START + timedelta(minutes=90 * n)) for n in range(count))


def calendar(found: Sequence[Meeting] | Iterator[Meeting]) -> str:
    """Return an .ics text: each meeting has an organizer, three people and half a kilobyte of text, and is tracked."""
    people = "".join(f"ATTENDEE;CN=Person {n};PARTSTAT=ACCEPTED:mailto:person{n}@example.net\r\n" for n in range(3))
    events = (
        f"BEGIN:VEVENT\r\nUID:{each.name}@example.org\r\nDTSTAMP:20260101T000000Z\r\n"
        f"CREATED:{each.created:{_ICAL}}\r\nSUMMARY:Meeting {each.name}\r\nCATEGORIES:{CATEGORY}\r\n"
        f"DTSTART:{each.start:{_ICAL}}\r\nDTEND:{each.start + timedelta(hours=each.hours):{_ICAL}}\r\n"
        f"LOCATION:Room 1\r\nDESCRIPTION:{TEXT}\r\nORGANIZER;CN=Ada:mailto:{ADDRESS}\r\n{people}END:VEVENT\r\n"
        for each in found
    )
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"


# --- the server and the data folder ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Server:
    """The Exchange emulator in a process of its own."""

    process: subprocess.Popen[str]
    ews: str
    control: str

    def cpu_s(self) -> float:
        """Return the processor time that the server has used; 0 where the system does not tell (no /proc)."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        if not stat.exists():
            return 0.0
        words = stat.read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / _TICKS

    def requests(self) -> Mapping[str, int]:
        """Return how many requests of each kind it has had."""
        with urllib.request.urlopen(f"{self.control}/requests") as answer:
            return json.load(answer)

    def fill(self, text: str) -> None:
        """Put a calendar into the mailbox, beside what it holds."""
        body = json.dumps({"address": ADDRESS, "password": PASSWORD, "calendar": text}).encode()
        request = urllib.request.Request(f"{self.control}/mailboxes", data=body, method="POST")
        urllib.request.urlopen(request).close()


@contextmanager
def server(text: str) -> Iterator[Server]:
    """Run the emulator with one mailbox that holds this calendar."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calendar.ics"
        file.write_text(text, encoding="utf-8", newline="")
        words = ("emulate", "exchange", "--port", "0", "--json", "--data", ":memory:", "--mailbox")
        rest = (
            f"{ADDRESS}:{PASSWORD}",
            "--service",
            f"{SERVICE}:{SERVICE_PASSWORD}",
            "--calendar",
            f"{ADDRESS}={file}",
        )
        process = subprocess.Popen([*_SYNCLINE, *words, *rest], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            told = json.loads(process.stdout.readline())
            yield Server(process, told["ews"], told["control"])
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


@contextmanager
def installation(url: str) -> Iterator[App]:
    """Yield a `syncline.wiring.App` on a fresh data folder whose one mailbox is enabled and has never been read."""
    from syncline.engine import mailboxes
    from syncline.ports import Mailbox, Profile
    from syncline.wiring import make_folder, open_app

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        make_folder(data)
        app = open_app(data)
        try:
            app.crm.add_user("ada", full_name="Ada Admin", emails=[ADDRESS])
            profile = app.store.add_profile(Profile(name="bench", url=url, username=SERVICE, auth="basic"))
            app.store.set_password("profile", profile.id, SERVICE_PASSWORD)
            mailbox = app.store.add_mailbox(Mailbox(address=ADDRESS, user="ada", profile_id=profile.id))
            mailboxes.approve(app.store, app.clock, mailbox.id, "bench")
            mailboxes.test_and_enable(
                app.store,
                app.connect,
                app.clock,
                mailbox.id,
                crm_name=app.settings.crm.name,
                writes=app.settings.exchange.write,
            )
            yield app
        finally:
            app.close()


# --- clocks ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Took:
    """Wall-clock and processor seconds of a piece of work in this process."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def timed() -> Iterator[Took]:
    """Measure the block."""
    took = Took()
    wall, cpu = time.perf_counter(), time.process_time()
    yield took
    took.wall_s, took.cpu_s = time.perf_counter() - wall, time.process_time() - cpu


def median_ms(work: Callable[[], object], rounds: int) -> float:
    """Return the median of wall-clock times in milliseconds."""
    times = []
    for _ in range(rounds):
        with timed() as took:
            work()
        times.append(took.wall_s * 1_000)
    return statistics.median(times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What a command of Syncline did and used: wall-clock and processor seconds, largest resident memory in MB."""

    code: int
    wall_s: float
    cpu_s: float
    memory_mb: float
    output: str = field(repr=False)


def syncline(*words: str, data: Path) -> Child:
    """Run a command of Syncline in a process of its own."""
    began = time.perf_counter()
    command = [sys.executable, "-c", _WAITING, *_SYNCLINE, *words, "--data", str(data)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    output, _, used = done.stdout.rpartition("\n")
    code, cpu_s, memory = json.loads(used)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Child(code=code, wall_s=time.perf_counter() - began, cpu_s=cpu_s, memory_mb=memory / unit, output=output)


@contextmanager
def worker(data: Path) -> Iterator[None]:
    """Run `syncline worker` on a data folder."""
    words = [*_SYNCLINE, "worker", "--data", str(data)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
