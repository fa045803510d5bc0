"""docs/connect-exchange-server.md does what it says: its commands run, in order, against the Exchange emulator."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncline.emulators.exchange import ExchangeEmulator

pytestmark = pytest.mark.emulator

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "connect-exchange-server.md").read_text(encoding="utf-8")
ADDRESS_IN_GUIDE = "https://mail.contoso.example/EWS/Exchange.asmx"
MAILBOX = "maya.lind@contoso.example"
READING = {
    "FindFolder",
    "FindItem",
    "GetFolder",
    "GetItem",
    "GetServerTimeZones",
    "GetUserAvailability",
    "GetUserConfiguration",
    "ResolveNames",
    "SyncFolderHierarchy",
    "SyncFolderItems",
}
PASSWORDS = {"admin": "correct-horse-1", "service": "battery-staple-2", "maya": "paper-clip-33"}


def calendar(start: datetime) -> str:
    """Return a calendar with two tracked appointments that overlap and one that is not tracked."""
    category = "CATEGORIES:Tracked to Syncline CRM\n"
    entries = [("first", 0, category), ("second", 30, category), ("dentist", 300, "")]
    parts = [
        f"BEGIN:VEVENT\nUID:{name}@guide\nDTSTAMP:20260101T000000Z\nSUMMARY:{name}\n{extra}"
        f"DTSTART:{start + timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}\nDURATION:PT1H\nEND:VEVENT\n"
        for name, minutes, extra in entries
    ]
    return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:guide\n" + "".join(parts) + "END:VCALENDAR\n"


@pytest.fixture
def exchange() -> Iterator[ExchangeEmulator]:
    """Start an Exchange with a certificate of its own, the guide's service account and the guide's mailbox."""
    emulator = ExchangeEmulator(
        ":memory:",
        mailboxes={MAILBOX: "unused-by-the-guide"},
        service=("svc-syncline", PASSWORDS["service"]),
        tls=True,
    )
    tomorrow = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    emulator.load_calendar(MAILBOX, calendar(tomorrow))
    with emulator:
        yield emulator


@pytest.fixture
def desk(exchange: ExchangeEmulator, tmp_path: Path) -> Path:
    """Give the folder of somebody who follows the guide: the password files and the authority's certificate."""
    for name, password in PASSWORDS.items():
        (tmp_path / f"{name}-password.txt").write_text(f"{password}\n", encoding="utf-8")
    assert exchange.ca_pem is not None
    (tmp_path / "authority.pem").write_text(exchange.ca_pem, encoding="utf-8")
    return tmp_path


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as the reader of the guide would: his HOME, `syncline` on the PATH."""
    environ = {"HOME": str(folder), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
    words = ("sh", "-euc", script)
    return subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True)


def operations(exchange: ExchangeEmulator) -> set[str]:
    """Return the names of the operations that the server was asked for."""
    trust = ssl.create_default_context(cadata=exchange.ca_pem)
    with urllib.request.urlopen(f"{exchange.control_url}/requests", context=trust) as answer:
        return set(json.load(answer))


def test_every_command_of_the_guide_runs(exchange: ExchangeEmulator, desk: Path) -> None:
    """The guide leads from an empty folder to a first sync with one question, and only ever reads from Exchange."""
    script = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)).replace(ADDRESS_IN_GUIDE, exchange.ews_url)

    done = shell(f"set -x\n{script}", desk)
    asked = shell("syncline alerts list --open --json --data syncline-data", desk)
    saved = shell("syncline appointments list --json --data syncline-data", desk)

    assert done.returncode == 0, done.stderr[-4000:]
    assert [alert["code"] for alert in json.loads(asked.stdout)] == ["ExchangeSyncSchedulingConflictsError"]
    assert [row["subject"] for row in json.loads(saved.stdout)] == ["first"]
    assert operations(exchange) <= READING
    assert "SyncFolderItems" in operations(exchange)


def test_the_guide_uses_every_kind_of_command_it_needs() -> None:
    """The blocks that are run cover set-up, profile, person, mailbox, first sync and what waits."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL))
    used = set(re.findall(r"^syncline (\w+)", blocks, re.MULTILINE))

    assert used == {"init", "profiles", "users", "mailboxes", "sync", "alerts", "failures", "appointments"}
