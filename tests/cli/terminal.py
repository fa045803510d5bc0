"""`syncline` as somebody types it, in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from syncline.cli import app
from syncline.emulators.exchange import ExchangeEmulator

ADDRESS = "maya@fjordbikes.example"
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Fjord Bikes//Calendar//EN
BEGIN:VEVENT
UID:demo-1
DTSTAMP:20261101T000000Z
SUMMARY:Product demo for Alpen Sport
DTSTART:20991124T103000Z
DTEND:20991124T113000Z
END:VEVENT
BEGIN:VEVENT
UID:lunch-1
DTSTAMP:20261101T000000Z
SUMMARY:Lunch
DTSTART:20991125T103000Z
DTEND:20991125T113000Z
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@dataclass
class Terminal:
    """Runs commands and keeps nothing between them."""

    folder: Path

    def __call__(self, *words: str, code: int = 0, given: str | None = None) -> str:
        """Run one command, check its exit code, and return what it printed on standard output."""
        result = CliRunner().invoke(app, list(words), input=given)
        assert result.exit_code == code, f"{result.exit_code}: {result.output}{result.exception!r}"
        self.errors = result.stderr
        return result.stdout

    def json(self, *words: str, code: int = 0, given: str | None = None) -> Any:
        """Run one command with --json and return what it printed."""
        return json.loads(self(*words, "--json", code=code, given=given))

    def file(self, name: str, text: str) -> str:
        """Write a file and return its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8", newline="")
        return str(path)

    def set_up(self, exchange: ExchangeEmulator) -> None:
        """Connect Maya's mailbox, two appointments in it, by commands."""
        exchange.load_calendar(ADDRESS, CALENDAR)
        self("init", "--admin", "ines")
        self("users", "add", "maya", "--email", ADDRESS, "--full-name", "Maya Lind")
        secret = self.file("service-password", "pw-svc\n")
        self(
            *("profiles", "add", "--name", "exchange", "--url", exchange.ews_url, "--username", "svc"),
            *("--password-file", secret, "--auth", "basic"),
        )
        self("mailboxes", "add", ADDRESS, "--profile", "exchange", "--user", "maya", "--track", "all")
        self("mailboxes", "approve", ADDRESS)
        self("mailboxes", "test", ADDRESS)

    def the_scene(self, exchange: ExchangeEmulator) -> dict[str, Any]:
        """Let Outlook double-book Maya, synchronize, and return the question."""
        self.set_up(exchange)
        self(
            *("appointments", "add", "--subject", "Quarterly review", "--organizer", "maya"),
            *("--start", "2099-11-24T10:00Z", "--end", "2099-11-24T11:00Z"),
        )
        self("sync")
        (question,) = self.json("alerts", "list", "--open")
        found: dict[str, Any] = question
        return found
