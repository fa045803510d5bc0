"""A read-only profile keeps its promise: over a whole day nothing but reading operations reaches the server.

So does every other profile without `exchange.write` and answers by category: not even a mark is left.
"""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncline.config import Settings
from tests.acceptance.installation import Installation, installed
from tests.acceptance.site import Outlook, at, event, served

pytestmark = pytest.mark.emulator

# Operations of EWS that change nothing in a mailbox, by the public reference.
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


@pytest.mark.parametrize("read_only", [True, False])
def test_a_day_of_everything_only_reads(tmp_path: Path, read_only: bool) -> None:
    """First sync, questions both ways, moves, deletions, faults, edits in the CRM: every request only reads.

    A read-only profile needs no setting for that: there `exchange.write` is on, as delivered.
    """

    def one_way(settings: Settings) -> Settings:
        return replace(settings, exchange=replace(settings.exchange, write=read_only))

    with installed(tmp_path / "data", people=("maya", "jonas"), change=one_way) as world:
        outlook = Outlook(world)
        outlook.load(
            event("one", at(9), at(10)),
            event("two", at(9.5), at(10.5)),
            event("three", at(9.75), at(10.25)),
            event("series", at(14), at(15), "RRULE:FREQ=WEEKLY;COUNT=5"),
        )
        before = requests(world.exchange.control_url)
        with served(world, "maya", "jonas", jobs=False, read_only=read_only) as site:
            site.sync()
            for alert, answer in zip(site.items("/alerts", open="true"), ("yes", "no"), strict=True):
                site.post(f"/alerts/{alert['id']}/answer", 202, answer=answer)
            site.sync()
            site.in_crm("In the CRM", at(17), at(18), required=["jonas@example.org"])
            (row,) = site.rows("one")
            assert site.http.patch(f"/appointments/{row['id']}", json={"location": "Oslo"}).status_code == 200
            assert site.http.delete(f"/appointments/{row['id']}").status_code == 204
            edit_in_the_store(world)
            site.sync()
            for fault in ("invalid_sync_state", "lost_answer", "broken", "busy", "unavailable"):
                outlook.client.control("POST", "faults", {"operation": "*", "fault": fault})
                site.sync()
            outlook.client.control("DELETE", "faults")
            site.try_again()
            site.world.advance(hours=1)
            site.sync("jonas")
        after = requests(world.exchange.control_url)
        listed = outlook.client.control("GET", "mailboxes/maya@example.org/appointments")
        held = {stored["subject"] for stored in listed}

    sent = {name for name, count in after.items() if count > before.get(name, 0)}
    assert sent - READING == set()
    assert {"SyncFolderItems", "GetItem", "FindItem", "GetFolder"} <= sent
    assert held == {"one", "two", "series"}


def edit_in_the_store(world: Installation) -> None:
    """Move one appointment and throw one away, without a request that would be counted."""
    store = world.exchange.store
    for mailbox in store.mailboxes():
        folder = store.distinguished(mailbox.row, "calendar")
        assert folder is not None
        for stored in store.items(folder.row):
            if stored.item.subject == "three":
                store.remove(stored)
            if stored.item.subject == "two":
                later = {name: getattr(stored.item, name) + timedelta(hours=9) for name in ("start", "end")}
                store.replace(stored, replace(stored.item, **later))


def requests(control: str) -> dict[str, int]:
    """Return the server's own count of requests by operation."""
    with urllib.request.urlopen(f"{control}/requests") as answer:
        found: dict[str, int] = json.load(answer)
    return found
