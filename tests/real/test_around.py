"""Real calendars seen from elsewhere: other time zones on either side, and the same calendar in two mailboxes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from syncline.desk import users
from syncline.desk.reading import OPERATOR
from syncline.ports import LinkState
from tests.acceptance.installation import PASSWORD, address, installed
from tests.real import ics

pytestmark = pytest.mark.emulator

MIXED = "FIRSTTeam3189__3189.team__basic.ics"
LUNAR = "YangH9__ChinaCalendar__cal_lunar.ics"


@pytest.mark.rule("D-02")
@pytest.mark.parametrize(
    ("name", "server_zone", "person_zone"),
    [
        (MIXED, "America/Los_Angeles", "Pacific/Auckland"),
        (MIXED, "Pacific/Auckland", "UTC"),
        (LUNAR, "Pacific/Auckland", "America/Los_Angeles"),
    ],
)
def test_zones_move_nothing(data_dir: Path, tmp_path: Path, name: str, server_zone: str, person_zone: str) -> None:
    """All-day dates stay dates and instants stay instants, whatever zones the server and the person live in."""
    text = (data_dir / "ics-real" / name).read_text(encoding="utf-8-sig")
    with installed(tmp_path / "data", time_zone=server_zone) as world:
        world.exchange.load_calendar(address("maya"), text)
        wanted = users.NewUser(
            name="maya",
            emails=(address("maya"),),
            full_name="Maya",
            role="User",
            password=PASSWORD,
            time_zone=person_zone,
        )
        users.add(world.app, OPERATOR, wanted)
        world.add_profile()
        world.enable("maya")
        world.sync()
        rows = {(o.global_object_id, o.original_start): (o.start, o.end, o.all_day) for o in world.calendar()}

    meetings = ics.meetings(ics.entries(text)).values()
    entries = [entry for m in meetings for entry in (*((m.head,) if m.head else ()), *m.others)]
    assert rows == {entry.key: (entry.start, entry.end, entry.all_day) for entry in entries}


@pytest.mark.rule("A-33")
def test_the_same_calendar_in_two_mailboxes_is_saved_once(data_dir: Path, tmp_path: Path) -> None:
    """Two people who hold the same meetings make one row of each; both mailboxes are linked to it."""
    text = (data_dir / "ics-real" / MIXED).read_text(encoding="utf-8-sig")
    with installed(tmp_path / "data", people=("maya", "jonas")) as world:
        for name in ("maya", "jonas"):
            report = world.exchange.load_calendar(address(name), text)
        world.hire("maya", "jonas")
        world.add_profile()
        world.enable("maya", "jonas")
        for _ in range(3):
            assert [result.error for result in world.sync()] == [None, None]
            world.advance(minutes=10)
        store = world.app.store
        states: Counter[LinkState] = Counter()
        held: list[set[str | None]] = []
        for mailbox in store.mailboxes():
            refs = [ref for folder in mailbox.folders for ref in store.refs_in(mailbox.id, folder.ref)]
            links = store.links_by_ref(mailbox.id, refs).values()
            states.update(link.state for link in links)
            held.append({link.crm_id for link in links})
        masters = [o for o in world.calendar() if o.series_id is None]

    assert len(masters) == report.singles + report.series
    assert states == {LinkState.SETTLED: 2 * len(masters)}
    assert held[0] == held[1] == {o.id for o in masters}
