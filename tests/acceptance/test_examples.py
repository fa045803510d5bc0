"""The acceptance examples of server-side-sync.md 4.5, by their numbers, over real HTTP.

EWS is on one side, the API on the other; example 9 is the other direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from syncline.config import ConflictSettings
from syncline.ports import LinkState
from tests.acceptance.installation import Installation, address, installed
from tests.acceptance.site import CONFLICT, Outlook, Site, at, event, served

pytestmark = pytest.mark.emulator

GUESTS = tuple(f"guest{number}" for number in range(10))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Installation]:
    """Open an installation in which Maya has a mailbox."""
    with installed(tmp_path / "data") as found:
        yield found


@pytest.fixture
def site(world: Installation) -> Iterator[Site]:
    """Serve it."""
    with served(world, "maya") as found:
        yield found


@pytest.fixture
def outlook(world: Installation) -> Outlook:
    """Give Maya's mail program."""
    return Outlook(world)


@pytest.fixture
def asked(site: Site, outlook: Outlook) -> str:
    """Play the first half of example 1 and return the id of the item in Exchange."""
    site.in_crm("Standing", at(10), at(11))
    item = outlook.create("Demo", at(10.5), at(11.5))
    report = site.sync()
    assert (report["waiting"], report["error"]) == (1, None)
    return item


@pytest.mark.rule("K-09")
def test_example_1_asks(site: Site, asked: str) -> None:
    """1: 10:00 to 11:00 Busy in the CRM, 10:30 to 11:30 from Exchange: no row, an alert with the name, a failure."""
    assert site.rows("Demo") == []
    alert = site.question()
    assert alert["code"] == CONFLICT
    assert alert["unavailable"] == ["Maya"]
    assert alert["text"].startswith(
        'A scheduling conflict was found when saving appointment "Demo" from Exchange to Syncline CRM because Maya is '
        "unavailable at this time. Do you want to ignore the conflict and save anyway?"
    )
    assert [clash["subject"] for clash in alert["clashes"]] == ["Standing"]
    (failure,) = site.items("/failures")
    assert (failure["subject"], failure["sync_error"], failure["state"]) == ("Demo", CONFLICT, "waiting")


@pytest.mark.rule("K-10")
def test_example_1_yes_saves_at_once(site: Site, asked: str) -> None:
    """1, Yes: the row stands there within seconds, linked, and nothing is listed as failed any more."""
    assert site.answer("yes")["outcome"] == "saved"

    (row,) = site.rows("Demo")
    assert row["link"] == {"mailbox": address("maya"), "state": "settled"}
    assert site.items("/failures") == []
    assert site.items("/alerts", open="true") == []


def test_example_1_after_yes_the_link_lives(site: Site, outlook: Outlook, asked: str) -> None:
    """1, Yes: later changes in Exchange reach the row, and the row's own edits reach Exchange."""
    site.answer("yes")
    outlook.change(asked, Subject="Demo, longer", End=at(11.75).isoformat())
    site.sync()

    (row,) = site.rows("Demo, longer")
    assert row["end"] == "2026-11-24T11:45:00Z"
    answer = site.http.patch(f"/appointments/{row['id']}", json={"location": "Room 4"})
    assert answer.status_code == 200
    site.sync()
    assert site.links() == [("settled", None)] * 2
    calendar = outlook.client.control("GET", f"mailboxes/{address('maya')}/appointments")
    assert [item["location"] for item in calendar if item["subject"] == "Demo, longer"] == ["Room 4"]


@pytest.mark.rule("Q-04")
def test_example_1_no_never_saves(site: Site, outlook: Outlook, asked: str) -> None:
    """1, No: the item stays out, also after further cycles and edits of its text, and is listed as kept out."""
    assert site.answer("no")["outcome"] == "kept_out"
    outlook.change(asked, Subject="Demo, renamed")
    site.sync()
    site.sync()

    assert site.rows("Demo") == site.rows("Demo, renamed") == []
    assert site.items("/failures") == []
    assert [failure["state"] for failure in site.items("/failures", all="true")] == ["kept_out"]
    assert site.items("/alerts", open="true") == []


@pytest.mark.rule("CD-01")
def test_example_2_touching_ends_do_not_conflict(site: Site, outlook: Outlook) -> None:
    """2: from 11:00 to 12:00 there is no conflict with 10:00 to 11:00."""
    site.in_crm("Standing", at(10), at(11))
    outlook.create("Demo", at(11), at(12))

    assert site.sync()["waiting"] == 0
    assert len(site.rows("Demo")) == 1


@pytest.mark.rule("CD-03")
@pytest.mark.parametrize("kind", ["free", "completed", "canceled"])
def test_example_3_what_does_not_block(site: Site, outlook: Outlook, kind: str) -> None:
    """3: an existing row that is Free, Completed or Canceled is no conflict."""
    row = site.in_crm("Standing", at(10), at(11), show_as="free" if kind == "free" else "busy")
    if kind != "free":
        assert site.http.patch(f"/appointments/{row['id']}", json={"status": kind}).status_code == 200
    outlook.create("Demo", at(10.5), at(11.5))

    assert site.sync()["waiting"] == 0
    assert len(site.rows("Demo")) == 1


@pytest.mark.rule("CD-05")
def test_example_4_an_external_organizer_is_not_checked(site: Site, outlook: Outlook) -> None:
    """4: an outsider invites Maya: Maya is checked, the outsider is not."""
    outsider = "ORGANIZER;CN=Otto Outside:mailto:otto@elsewhere.example"
    maya = f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{address('maya')}"
    site.in_crm("Standing", at(10), at(11))
    outlook.load(event("first", at(9), at(10), outsider, maya), event("second", at(9.5), at(11), outsider, maya))
    outlook.load(event("third", at(13), at(14), outsider, maya))
    report = site.sync()

    assert (len(site.rows("first")), len(site.rows("second")), report["waiting"]) == (1, 0, 1)
    assert site.question()["subject"] == "second"
    assert site.question()["unavailable"] == ["Maya"]
    (row,) = site.rows("third")
    assert row["organizer"] == "otto@elsewhere.example"


@pytest.mark.rule("A-24")
def test_example_5_tracked_by_hand_is_not_checked(site: Site, outlook: Outlook) -> None:
    """5: tracked now, as by the button of the App for Outlook: saved without a check."""
    site.in_crm("Standing", at(10), at(11))
    outlook.load(event("demo", at(10.5), at(11.5)))
    tracked = site.post(f"/mailboxes/{address('maya')}/track", 200, global_object_id="demo")

    assert tracked["state"] == "settled"
    assert len(site.rows("demo")) == 1
    assert site.sync()["error"] is None
    assert site.items("/alerts") == []


@pytest.mark.rule("CD-09")
def test_example_6_one_question_for_a_series(site: Site, outlook: Outlook) -> None:
    """6: the third date of a weekly series clashes: one alert with count and date; Yes writes all of it."""
    site.in_crm("Standing", at(10, days=15), at(11, days=15))
    outlook.load(event("series", at(10), at(10.5), "RRULE:FREQ=WEEKLY;COUNT=6"))
    site.sync()

    alert = site.question()
    assert alert["series"] == {"occurrences": 6, "clashing": ["2026-12-08T10:00:00Z"]}
    assert site.items("/appointments", **{"from": "2026-11-24", "to": "2027-02-01"}) == [
        row for row in site.items("/appointments") if row["subject"] == "Standing"
    ]
    assert site.answer("yes")["outcome"] == "saved"
    dates = site.items("/appointments", **{"from": "2026-11-24", "to": "2027-02-01"})
    assert sum(row["subject"] == "series" for row in dates) == 6
    assert [row["kind"] for row in site.rows("series")] == ["series"]


@pytest.mark.rule("Q-08")
def test_example_7_moved_after_yes_asks_again(site: Site, outlook: Outlook, asked: str) -> None:
    """7: after Yes the meeting is moved onto a third item: a new question; the row keeps its time until answered."""
    site.in_crm("Third", at(15), at(16))
    site.answer("yes")
    outlook.move(asked, at(15.5), at(16.5))
    site.sync()

    alert = site.question()
    assert [clash["subject"] for clash in alert["clashes"]] == ["Third"]
    assert site.rows("Demo")[0]["start"] == "2026-11-24T10:30:00Z"
    assert site.answer("yes")["outcome"] == "saved"
    assert site.rows("Demo")[0]["start"] == "2026-11-24T15:30:00Z"


@pytest.mark.rule("CD-15")
def test_example_8_without_the_check_rows_are_open(tmp_path: Path) -> None:
    """8: with the check switched off nothing is asked, and rows have the status Open."""
    off = replace(ConflictSettings(), enabled=False)
    with installed(tmp_path / "data", conflict=off) as world, served(world, "maya") as site:
        site.in_crm("Standing", at(10), at(11))
        Outlook(world).create("Demo", at(10.5), at(11.5))

        assert site.sync()["error"] is None
        assert [row["status"] for row in site.rows("Demo")] == ["open"]
        assert site.items("/alerts") == []


@pytest.mark.rule("CD-12")
def test_example_10_names_one_and_counts_the_others(site: Site, world: Installation, outlook: Outlook) -> None:
    """10: ten attendees in the CRM, three of them unavailable: one alert, which names one and says two more."""
    world.hire(*GUESTS)
    for guest in (GUESTS[2], GUESTS[5], GUESTS[7]):
        site.in_crm(f"Busy {guest}", at(10), at(11), organizer=guest)
    people = [f"ATTENDEE:mailto:{address(guest)}" for guest in GUESTS]
    outlook.load(event("big", at(10), at(11), f"ORGANIZER:mailto:{address('maya')}", *people))
    site.sync()

    alert = site.question()
    assert sorted(alert["unavailable"]) == ["Guest2", "Guest5", "Guest7"]
    assert "because Guest2 and 2 more" in alert["text"]
    assert [link.state for link in world.links().values()] == [LinkState.ASKED]
