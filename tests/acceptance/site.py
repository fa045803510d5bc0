"""The pages' and programs' side of an installation: a real port, a token, and the calls of the API that tests make.

`Site` is what a program sees, `Outlook` what the owner of a mailbox does in Exchange over EWS.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx2

from syncline.desk import tokens
from syncline.desk.reading import OPERATOR
from syncline.desk.running import JobsLock
from syncline.web.serving import Listener
from tests.acceptance.installation import NOW, Installation, address
from tests.emulator.client import Client

ADMINISTRATOR = "ines"
CONFLICT = "ExchangeSyncSchedulingConflictsError"
PATIENCE_S = 20.0
Json = dict[str, Any]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Site:
    """The API of a running installation, asked with the administrator's token."""

    world: Installation
    http: httpx2.Client

    def get(self, path: str, **query: object) -> Json:
        """Return the answer to a request that must succeed."""
        answer = self.http.get(path, params=query)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def items(self, path: str, **query: object) -> list[Json]:
        """Return a whole listing."""
        page = self.get(path, limit=1000, **query)
        assert page["next"] is None
        listed: list[Json] = page["items"]
        return listed

    def post(self, path: str, status: int, **values: object) -> Json:
        """Post an object and return the answer, which must have that status."""
        answer = self.http.post(path, json=values)
        assert answer.status_code == status, answer.text
        found: Json = answer.json()
        return found

    def sync(self, name: str = "maya") -> Json:
        """Synchronize one mailbox and return what its cycles did; time moves on by a second."""
        self.world.advance(seconds=1)
        answer = self.http.post(f"/mailboxes/{address(name)}/sync", params={"wait": "true"})
        assert answer.status_code == 200, answer.text
        (report,) = answer.json()["mailboxes"]
        return dict(report)

    def in_crm(self, subject: str, start: datetime, end: datetime, organizer: str = "maya", **fields: object) -> Json:
        """Enter an appointment in the CRM."""
        times = {"start": start.isoformat(), "end": end.isoformat()}
        return self.post("/appointments", 201, subject=subject, organizer=organizer, **times, **fields)

    def rows(self, subject: str) -> list[Json]:
        """Return what the CRM has under a subject: singles, series and exceptions."""
        return [row for row in self.items("/appointments") if row["subject"] == subject]

    def question(self) -> Json:
        """Return the only open alert."""
        (alert,) = self.items("/alerts", open="true")
        return alert

    def answer(self, answer: str) -> Json:
        """Answer the only open question and return it once it has been carried out."""
        asked = self.question()
        self.post(f"/alerts/{asked['id']}/answer", 202, answer=answer, version=asked["version"])
        return until(lambda: self.get(f"/alerts/{asked['id']}"), lambda alert: alert["outcome"] != "saving")

    def mailbox(self, name: str = "maya") -> Json:
        """Return a mailbox."""
        return self.get(f"/mailboxes/{address(name)}")

    def try_again(self, name: str = "maya") -> Json:
        """Come back after what was wrong has ended: test and enable a mailbox that was switched off, and sync it."""
        self.world.advance(minutes=20)
        if not self.mailbox(name)["enabled"]:
            self.post(f"/mailboxes/{address(name)}/test", 200)
        return self.sync(name)

    def subjects(self) -> list[str]:
        """Return the subjects of all rows."""
        return sorted(row["subject"] for row in self.items("/appointments"))

    def links(self) -> list[tuple[str, str | None]]:
        """Return state and code of every link."""
        return [(link["state"], link["sync_error"]) for link in self.items("/links")]


@dataclass(frozen=True)
class Outlook:
    """One person at the own mailbox."""

    world: Installation
    name: str = "maya"

    @property
    def client(self) -> Client:
        """Return the mail program."""
        return Client(self.world.exchange, address(self.name), f"pw-{self.name}")

    def create(self, subject: str, start: datetime, end: datetime, more: str = "") -> str:
        """Save an appointment and return its id."""
        times = f"<t:Start>{start.isoformat()}</t:Start><t:End>{end.isoformat()}</t:End>"
        return self.client.created(f"<t:Subject>{subject}</t:Subject>{times}{more}")

    def change(self, item_id: str, send: str = "SendToNone", **fields: str) -> None:
        """Set fields of the calendar schema or the item schema, by element name."""
        sets = "".join(
            f'<t:SetItemField><t:FieldURI FieldURI="{_schema(name)}:{name}"/><t:CalendarItem><t:{name}>{value}'
            f"</t:{name}></t:CalendarItem></t:SetItemField>"
            for name, value in fields.items()
        )
        reply = self.client.post(
            f'<m:UpdateItem ConflictResolution="AlwaysOverwrite" SendMeetingInvitationsOrCancellations="{send}">'
            f'<m:ItemChanges><t:ItemChange><t:ItemId Id="{item_id}"/><t:Updates>{sets}</t:Updates></t:ItemChange>'
            "</m:ItemChanges></m:UpdateItem>"
        )
        assert reply.codes() == ["NoError"], reply.body

    def move(self, item_id: str, start: datetime, end: datetime) -> None:
        """Move an appointment."""
        self.change(item_id, Start=start.isoformat(), End=end.isoformat())

    def delete(self, item_id: str) -> None:
        """Throw an appointment away."""
        reply = self.client.post(
            '<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="SendToNone">'
            f'<m:ItemIds><t:ItemId Id="{item_id}"/></m:ItemIds></m:DeleteItem>'
        )
        assert reply.codes() == ["NoError"], reply.body

    def load(self, *events: str) -> Any:
        """Load events of an .ics file and return the server's report."""
        return self.world.exchange.load_calendar(address(self.name), calendar(*events))


@contextmanager
def served(world: Installation, *people: str, jobs: bool = True, **profile: object) -> Iterator[Site]:
    """Serve pages and API on a free port and run the jobs, as `syncline serve` does; `people` have mailboxes.

    Without `jobs` a sync runs in the request that asks for it, and nothing else does.
    """
    world.hire(ADMINISTRATOR, administrator=True)
    world.hire(*people)
    world.add_profile(**profile)
    world.enable(*people)
    token = tokens.create(world.app, OPERATOR, ADMINISTRATOR, "tests").token
    with ExitStack() as stack:
        listener = stack.enter_context(Listener(world.app, "127.0.0.1", 0))
        thread = threading.Thread(target=listener.run)
        thread.start()
        stack.callback(thread.join)
        stack.callback(listener.stop)
        if jobs:
            stack.enter_context(JobsLock(world.app.data))
            world.app.worker.start()
            stack.callback(world.app.worker.stop)
            until(lambda: at_rest(world), bool)
        headers = {"Authorization": f"Bearer {token}"}
        http = stack.enter_context(httpx2.Client(base_url=f"{listener.url}/api/v1", headers=headers, timeout=60))
        yield Site(world, http)


def at_rest(world: Installation) -> bool:
    """Return whether every mailbox has had its first cycle and none is being synchronized."""
    store, now = world.app.store, world.clock.at
    return all(m.last_sync is not None and store.holder(m.id, now) is None for m in store.mailboxes())


def until(look: Callable[[], Value], good: Callable[[Value], bool]) -> Value:
    """Look again and again until it is good, and return what was seen then."""
    end = time.monotonic() + PATIENCE_S
    while True:
        seen = look()
        if good(seen):
            return seen
        assert time.monotonic() < end, f"still {seen}"
        time.sleep(0.02)


def at(hour: float, days: int = 1) -> datetime:
    """Return an instant `days` after the day of NOW, `hour` o'clock UTC."""
    return NOW.replace(hour=0) + timedelta(days=days, hours=hour)


def event(uid: str, start: datetime | None, end: datetime | None, *lines: str) -> str:
    """Return a VEVENT; its subject is its UID unless a line says else."""
    given = [f"DTSTART:{start:%Y%m%dT%H%M%SZ}"] if start else []
    given += [f"DTEND:{end:%Y%m%dT%H%M%SZ}"] if end else []
    named = [] if any(line.startswith("SUMMARY") for line in lines) else [f"SUMMARY:{uid}"]
    return "\r\n".join(("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T000000Z", *named, *given, *lines, "END:VEVENT"))


def calendar(*events: str) -> str:
    """Return a calendar file."""
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//acceptance//EN", *events, "END:VCALENDAR", ""))


def _schema(name: str) -> str:
    return "item" if name in ("Subject", "Body", "Categories", "Sensitivity", "Importance") else "calendar"
