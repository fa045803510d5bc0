"""A firm whose CRM and Outlook are equal partners: what tests of both directions do and look at.

`Firm` puts an installation, its API and the mail programs of its people together, and counts the mails of the server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from syncline.config import Settings
from syncline.core.appointment import Appointment
from tests.acceptance.installation import Installation, address, installed
from tests.acceptance.site import Json, Outlook, Site, served
from tests.acceptance.test_read_only import requests
from tests.emulator.client import Client

MAYA, JONAS = "maya", "jonas"
GUEST = "eve@elsewhere.example"
TRACKED = "Tracked to Syncline CRM"
WRITES = ("CreateItem", "UpdateItem", "DeleteItem")
Mails = list[tuple[str, str]]
Change = Callable[[Settings], Settings]


@dataclass
class Firm:
    """Two people with mailboxes, Maya and Jonas; `told` counts the mails that a test has looked at."""

    site: Site
    told: int = field(default=0)

    @property
    def world(self) -> Installation:
        """Return the installation."""
        return self.site.world

    @property
    def client(self) -> Client:
        """Return Maya's mail program."""
        return self.outlook().client

    def outlook(self, name: str = MAYA) -> Outlook:
        """Return a person at the own mailbox."""
        return Outlook(self.world, name)

    def sync(self, *names: str) -> None:
        """Synchronize these mailboxes in order, Maya's if none is named; a failure fails the test."""
        for name in names or (MAYA,):
            assert self.site.sync(name)["error"] is None

    def calendar(self, name: str = MAYA) -> list[Json]:
        """Return what stands in a calendar on the server."""
        found: list[Json] = self.client.control("GET", f"mailboxes/{address(name)}/appointments")
        return found

    def item(self, subject: str, name: str = MAYA) -> Json:
        """Return the only item of a subject, exceptions aside."""
        (found,) = [each for each in self.calendar(name) if each["subject"] == subject and not each["series_id"]]
        return found

    def row(self, subject: str) -> Json:
        """Return the only row of a subject, exceptions aside."""
        (found,) = [each for each in self.site.rows(subject) if each["series_id"] is None]
        return found

    def content(self, subject: str) -> Appointment:
        """Return a row with everything that belongs to it."""
        found: Appointment = self.world.app.crm.row(self.row(subject)["id"]).appointment
        return found

    def patch(self, row_id: str, **fields: object) -> None:
        """Change a row, or one date of a series, over the API."""
        answer = self.site.http.patch(f"/appointments/{row_id}", json=fields)
        assert answer.status_code == 200, answer.text

    def delete_row(self, row_id: str) -> None:
        """Delete a row, or one date of a series, over the API."""
        assert self.site.http.delete(f"/appointments/{row_id}").status_code == 204

    def dates(self, subject: str, first: datetime, last: datetime) -> list[Json]:
        """Return the dates of a series in the CRM, by start."""
        query: dict[str, object] = {"from": f"{first:%Y-%m-%d}", "to": f"{last:%Y-%m-%d}"}
        return [each for each in self.site.items("/appointments", **query) if each["subject"] == subject]

    def mails(self) -> Mails:
        """Return kind and recipient of every mail since this was last asked, in order of kind and recipient."""
        outbox = self.client.control("GET", "outbox")
        fresh, self.told = outbox[self.told :], len(outbox)
        return sorted((mail["kind"], mail["to"]) for mail in fresh)

    def writes(self) -> Counter[str]:
        """Return how many requests that write items the server has seen."""
        seen = requests(self.world.exchange.control_url)
        return Counter({name: seen.get(name, 0) for name in WRITES})

    def arm(self, operation: str, fault: str, count: int = 1) -> None:
        """Arm a fault of the server."""
        self.client.control("POST", "faults", {"operation": operation, "fault": fault, "count": count})

    def disarm(self) -> None:
        """Disarm all faults."""
        self.client.control("DELETE", "faults")

    def links(self) -> list[tuple[str, str, str | None]]:
        """Return row, state and code of every link."""
        return [(link["appointment_id"], link["state"], link["sync_error"]) for link in self.site.items("/links")]

    def open_codes(self) -> list[str]:
        """Return the codes of all open alerts."""
        return [alert["code"] for alert in self.site.items("/alerts", open="true")]

    def assert_quiet(self) -> None:
        """Further cycles write nothing to either side and mail nobody; every link is settled."""
        before, rows = self.writes(), self.world.app.crm.changes(None, 1000)
        self.mails()
        for _ in range(2):
            self.world.advance(minutes=15)
            self.sync(MAYA, JONAS)
        assert self.writes() == before
        assert self.world.app.crm.changes(None, 1000) == rows
        assert self.mails() == []
        assert [each for each in self.world.app.store.intents(1) if each.instead is None] == []


@contextmanager
def opened(data: Path, *changes: Change, people: tuple[str, ...] = (MAYA, JONAS), **profile: object) -> Iterator[Firm]:
    """Open a firm before its first sync."""

    def settings(given: Settings) -> Settings:
        for change in (exchange(write=True), *changes):
            given = change(given)
        return given

    with (
        installed(data, people=people, change=settings) as world,
        served(world, *people, jobs=False, **profile) as site,
    ):
        yield Firm(site)


def exchange(**values: Any) -> Change:
    """Set something about what is written to Exchange."""
    return lambda given: replace(given, exchange=replace(given.exchange, **values))


def merging(**values: Any) -> Change:
    """Set something about what both sides changed."""
    return lambda given: replace(given, merging=replace(given.merging, **values))
