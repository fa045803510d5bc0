"""Every calendar of ics-real through emulator, EWS, cycle and CRM: nothing lost, nothing invented, no cycle dies.

The .ics is read a second time by the icalendar library and dateutil; what stands in the CRM is compared with that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncline.core.appointment import Identity
from syncline.desk import failures
from syncline.desk.reading import OPERATOR
from syncline.engine import alerts
from syncline.engine.cycle import CycleResult
from syncline.errors import CATALOGUE, Scope
from syncline.ports import AlertState, Link, LinkState
from tests.acceptance.installation import NOW, Installation, address, checking_past, installed
from tests.real import ics

pytestmark = pytest.mark.emulator

CALENDARS = (
    "Dizzle0987__motorsport-calendar__calendar.ics",
    "FIRSTTeam3189__3189.team__basic.ics",
    "Maijaestro__burgkalender__events.ics",
    "YangH9__ChinaCalendar__cal_lunar.ics",
    "aaronsewall__pycon_us_ics__docs_open_spaces.ics",
    "akaihola__jazz-calendar-finland__docs_calendar.ics",
    "epistech__larp-calendar__basic.ics",
    "garyhtou__railsconf-2022-schedule__public_calendar.ics",
    "hexylena__galaxy-calendar-subsets__basic.ics",
    "mgifford__unosw.plus__public_calendar.ics",
)
MODES = ("as it is", "past too")
OWNER = "maya"
HORIZON = timedelta(days=1830)
WINDOWS = tuple(
    (datetime(year, 1, 1, tzinfo=NOW.tzinfo), datetime(year + 1, 1, 1, tzinfo=NOW.tzinfo))
    for year in (2019, 2022, 2023, 2024, 2025, 2026, 2027, 2028)
)
STATES = {
    LinkState.SETTLED: None,
    LinkState.ASKED: "waiting",
    LinkState.KEPT_OUT: "kept_out",
    LinkState.FAILED: "failed",
    LinkState.SKIPPED: "skipped",
}


@dataclass(frozen=True)
class Synced:
    """One calendar after its first sync and, in `links`, what became of each item."""

    name: str
    mode: str
    entries: list[ics.Entry]
    report: Any
    world: Installation
    results: list[CycleResult]
    links: dict[Identity, Link]

    @property
    def refused(self) -> Counter[str]:
        """Return how many events of each UID the server refused."""
        return Counter(finding.uid for finding in self.report.refused)

    def held(self) -> dict[str, ics.Meeting]:
        """Return the meetings that Exchange holds: those of the file without what was refused."""
        whole = ics.meetings(self.entries)
        refused = {finding.uid for finding in self.report.refused if finding.code != "DuplicateUid"}
        assert all(not whole[uid].others for uid in refused), "a refused meeting with exceptions needs a closer look"
        return {uid: meeting for uid, meeting in whole.items() if uid not in refused}


@pytest.fixture(scope="module", params=[(name, mode) for name in CALENDARS for mode in MODES], ids="-".join)
def synced(
    request: pytest.FixtureRequest, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Synced]:
    """Load one calendar into a mailbox and sync it once."""
    name, mode = request.param
    text = (data_dir / "ics-real" / name).read_text(encoding="utf-8-sig", errors="replace")
    conflict = checking_past() if mode == "past too" else None
    with installed(tmp_path_factory.mktemp("real") / "data", conflict=conflict) as world:
        report = world.exchange.load_calendar(address(OWNER), text)
        world.hire(OWNER)
        world.add_profile(read_only=True)
        world.enable(OWNER)
        results = world.sync()
        yield Synced(name, mode, ics.entries(text), report, world, results, world.links())


def test_every_calendar_of_the_folder_is_tried(data_dir: Path) -> None:
    """No calendar of the folder is left out."""
    assert sorted(CALENDARS) == sorted(path.name for path in (data_dir / "ics-real").glob("*.ics"))


def test_every_event_ends_as_a_row_a_question_a_failure_or_a_skip(synced: Synced) -> None:
    """Each VEVENT is refused with a code, or held by Exchange, linked, and settled or shown with its code."""
    report, links = synced.report, synced.links
    loaded = report.singles + report.series + report.exceptions
    assert len(synced.entries) == loaded + len(report.refused)
    assert all(finding.code for finding in report.refused)

    expected = {Identity(uid, None if m.head else m.others[0].original) for uid, m in synced.held().items()}
    lone = {Identity(*e.key) for m in synced.held().values() if m.head is None for e in m.others}
    assert set(links) == expected | lone
    assert len(links) == report.singles + report.series
    for identity, link in links.items():
        assert link.state in STATES, f"{identity} is {link.state}"
        assert (link.sync_error is None) == (link.state is LinkState.SETTLED)
        assert link.sync_error is None or CATALOGUE[link.sync_error].scope is Scope.ITEM
        assert (link.crm_id is not None) == (link.state is LinkState.SETTLED)
    shown = failures.listing(synced.world.app, OPERATOR, every=True)
    assert Counter(f.state for f in shown) == Counter(STATES[k.state] for k in links.values() if STATES[k.state])


def test_the_cycle_ends_well_and_tells_what_it_did(synced: Synced) -> None:
    """The cycle of the mailbox has no error, and its counts are those of the links."""
    (result,) = synced.results
    counted = Counter(link.state for link in synced.links.values())

    assert result.error is None
    assert result.counts.saved == counted[LinkState.SETTLED]
    assert result.counts.waiting == counted[LinkState.ASKED]
    assert result.counts.failed == counted[LinkState.FAILED] == 0
    assert [a.code for a in synced.world.app.store.alerts() if a.link_id is None] == []


@pytest.mark.rule("CD-07")
def test_every_question_is_open(synced: Synced) -> None:
    """No question lapses on the way, not even one about the past where the past is checked too."""
    states = Counter(alert.state for alert in synced.world.app.store.alerts())
    asked = sum(link.state is LinkState.ASKED for link in synced.links.values())

    assert states[AlertState.LAPSED] == states[AlertState.WITHDRAWN] == 0
    assert states.total() == asked


@pytest.mark.rule("Q-09")
def test_the_questions_are_those_of_a_naive_comparison(synced: Synced) -> None:
    """Taken in the order of Q-09, an item is asked about exactly if it overlaps something saved before it."""
    wanted = naive_questions(synced.held(), since=None if synced.mode == "past too" else NOW)

    asked = {i.global_object_id for i, link in synced.links.items() if link.state is LinkState.ASKED}
    assert asked == wanted


def test_the_rows_say_what_the_file_says(synced: Synced) -> None:
    """Subject, times, show-as, state and exceptions of every row are those of the file."""
    answer_all(synced.world, "yes")

    rows = {(o.global_object_id, o.original_start): o for o in synced.world.calendar()}
    expected = {e.key: e for m in synced.held().values() for e in (*((m.head,) if m.head else ()), *m.others)}
    assert set(rows) == set(expected)
    for key, entry in expected.items():
        row = rows[key]
        assert row.subject == entry.subject
        assert (row.start, row.end, row.all_day) == (entry.start, entry.end, entry.all_day), key
        assert row.show_as == entry.show_as
        assert (row.status == "canceled") == entry.canceled
        assert (row.recurrence is not None) == bool(entry.rule)
    assert {link.state for link in synced.world.links().values()} == {LinkState.SETTLED}


@pytest.mark.rule("R-09")
def test_every_occurrence_stands_where_dateutil_puts_it(synced: Synced) -> None:
    """In eight years the CRM's occurrences are those of the file, expanded by another library."""
    answer_all(synced.world, "yes")
    for window in WINDOWS:
        wanted = sorted(
            (times[0], times[1], key[0])
            for meeting in synced.held().values()
            for key, _, times in ics.occurrences(meeting, *window)
        )
        found = sorted(
            (o.start, o.end, o.global_object_id) for o in synced.world.calendar(window) if o.start >= window[0]
        )
        assert found == wanted


def test_a_second_sync_changes_nothing(synced: Synced) -> None:
    """After everything was answered, another cycle writes nothing and asks nothing."""
    answer_all(synced.world, "yes")
    before = _log_end(synced.world)

    (result,) = synced.world.sync()

    counts = result.counts
    assert (counts.saved, counts.updated, counts.deleted, counts.waiting, counts.failed) == (0, 0, 0, 0, 0)
    assert synced.world.app.crm.changes(before, 1).changes == ()


def answer_all(world: Installation, answer: str) -> None:
    """Answer every open question and let the answers be carried out."""
    store = world.app.store
    for mailbox in store.mailboxes():
        for alert_id in store.question_ids(mailbox.id, "ExchangeSyncSchedulingConflictsError"):
            alerts.answer(store, world.clock, alert_id, answer, OWNER)  # type: ignore[arg-type]
    for result in world.sync():
        assert result.error is None


def _log_end(world: Installation) -> str:
    """Return the cursor behind the last change of the CRM."""
    cursor: str | None = None
    while True:
        page = world.app.crm.changes(cursor, 1000)
        cursor = page.cursor
        if not page.more:
            return cursor


def naive_questions(held: dict[str, ics.Meeting], since: datetime | None) -> set[str]:
    """Return the UIDs that would be asked: everything against everything that was saved before it."""
    first = datetime(1900, 1, 1, tzinfo=NOW.tzinfo)
    busy: dict[str, list[ics.Times]] = {}
    for uid, meeting in held.items():
        found = ics.occurrences(meeting, first, NOW + HORIZON)
        busy[uid] = [times for _, entry, times in found if entry.busy and (since is None or times[1] > since)]
    saved: dict[int, list[ics.Times]] = defaultdict(list)
    asked: set[str] = set()
    for uid in sorted(held, key=lambda uid: _order(held[uid])):
        if any(_overlap(ours, theirs) for ours in busy[uid] for day in _days(ours) for theirs in saved[day]):
            asked.add(uid)
            continue
        for times in busy[uid]:
            for day in _days(times):
                saved[day].append(times)
    return asked


def _order(meeting: ics.Meeting) -> tuple[datetime, datetime, str]:
    head = meeting.head or meeting.others[0]
    return head.created or NOW, head.start, head.uid


def _days(times: ics.Times) -> range:
    return range(times[0].toordinal(), times[1].toordinal() + 1)


def _overlap(ours: ics.Times, theirs: ics.Times) -> bool:
    """Two intervals clash if each begins before the other ends; an empty one never does (CD-01)."""
    empty = ours[0] == ours[1] or theirs[0] == theirs[1]
    return not empty and ours[0] < theirs[1] and theirs[0] < ours[1]
