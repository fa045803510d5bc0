"""The fifteen traps of two-way synchronization (hard-problems.md, section 4): one scenario each, named after it.

Those that other servers' interfaces bring along are shown by the same danger here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import CALENDAR, MemoryReplica
from syncline.core.appointment import Address, Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.core.filters import Condition, Field
from syncline.core.outgoing import ItemWrite
from syncline.core.recurrence import occurrences
from syncline.core.times import instant, wall
from syncline.engine.cycle import run_cycle
from syncline.engine.mailboxes import test_and_enable as switch_on
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import Folder, LinkState, Mailbox, Observed, Page, Replica, Written
from tests.engine.test_pushing import ADA, enter, links, outlook, two_way
from tests.engine.test_pushing_guards import EVE, assert_quiet, codes, mails, subjects, trashed
from tests.engine.test_pushing_sides import switch
from tests.engine.world import NOW, TRACKED, World, at, meeting


class Disturbed(MemoryReplica):
    """One mailbox on a bad day: `lost` loses the answers of writes, `broken` raises before them, `normal` rewrites.

    `shut` is a folder to which the right is lost; `hidden`: the folder list does not name it then.
    """

    lost: SyncError | None = None
    broken: Callable[[ItemWrite], None] | None = None
    normal: Callable[[Appointment], Appointment] | None = None
    page_max = 512
    shut = ""
    hidden = False

    def folders(self) -> tuple[Folder, ...]:
        """Return the folders, perhaps without the one that is shut."""
        return tuple(each for each in super().folders() if not (Disturbed.hidden and each.ref == Disturbed.shut))

    def read(self, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
        """Return no content out of the folder that is shut."""
        denied = SyncError("ItemUnreadable", subject="", detail="access is denied")
        found = zip(refs, super().read(refs), strict=True)
        return [denied if folder == Disturbed.shut else item for (folder, _), item in found]

    def find(self, global_object_ids: Sequence[str]) -> dict[str, tuple[Observed, ...]]:
        """Find nothing in the folder that is shut."""
        found = super().find(global_object_ids)
        return {
            name: seen
            for name, items in found.items()
            if (seen := tuple(i for i in items if i.folder != Disturbed.shut))
        }

    def write(self, writes: Sequence[ItemWrite]) -> list[Written]:
        """Carry writes out, or not."""
        for write in writes:
            if Disturbed.broken is not None:
                Disturbed.broken(write)
        done = super().write(writes)
        if Disturbed.normal is not None:
            for each in done:
                if each.item is not None:
                    self._exchange.edit(self._address, each.item.ref, Disturbed.normal, send=False)
            again = super().read([(each.item.folder, each.item.ref) for each in done if each.item is not None])
            found = iter(again)
            done = [replace(each, item=next(found)) if each.item else each for each in done]  # type: ignore[arg-type]
        if Disturbed.lost is not None:
            raise Disturbed.lost
        return done

    def changes(self, folder: str, cursor: str | None, limit: int) -> Page:
        """Return small pages, and none of the folder that is shut."""
        if folder == Disturbed.shut:
            raise SyncError("CalendarUnreadable", mailbox=self._address, detail="access is denied")
        return super().changes(folder, cursor, min(limit, Disturbed.page_max))


class Rough(World):
    """A world whose mailboxes may have a bad day."""

    def connect(self, mailbox: Mailbox) -> Replica:
        """Open a mailbox."""
        return Disturbed(self.exchange, mailbox.address)


@pytest.fixture(autouse=True)
def _calm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lost", "broken", "normal", "page_max", "shut", "hidden"):
        monkeypatch.setattr(Disturbed, name, getattr(Disturbed, name))


def rough(**rules: Any) -> Rough:
    """Return a rough world after the first sync."""
    made = Rough(rules=replace(Rules(outgoing=True), **rules))
    made.exchange.add(ADA, meeting("Not tracked", at(1, days=40)))
    made.sync()
    made.sync("bob")
    return made


def in_outlook(world: World, name: str = "ada") -> list[str]:
    """Return the subjects of what stands in a calendar, but for what is nobody's business."""
    return [subject for subject in subjects(world, name) if subject != "Not tracked"]


def tried(world: World, name: str = "ada") -> SyncError | None:
    """Run one cycle that may fail."""
    return run_cycle(world.parts, world.connect, world.mailboxes[name], "test").error


def weekly(subject: str, zone: str = "UTC", count: int = 4, hour: int = 9, *guests: str) -> Appointment:
    """Return a weekly series from the day after NOW at that hour of its zone."""
    first = date(2026, 11, 24)
    start = instant(datetime(2026, 11, 24, hour), zone)
    pattern = Pattern(kind=PatternKind.WEEKLY, weekdays=(first.weekday(),))
    span = Span(start, start + timedelta(hours=1))
    repeats = Recurrence(pattern=pattern, first=first, count=count)
    return meeting(subject, span, *guests, zone=zone, recurrence=repeats)


def date_of(series: Appointment, number: int, **fields: object) -> Appointment:
    """Return one date of a weekly series, changed."""
    start = series.span.start + timedelta(weeks=number)
    part = replace(
        series, identity=Identity(series.identity.global_object_id, start), recurrence=None, exceptions=(), deleted=(),
        span=Span(start, start + timedelta(hours=1)),
    )  # fmt: skip
    return replace(part, **fields)  # type: ignore[arg-type]


def test_trap_01_create_done_answer_lost() -> None:
    """Created, and the answer is lost: it is looked for by its key, never sent again; one item, one mail."""
    world = rough()
    enter(world, meeting("Visit", at(10), EVE))
    Disturbed.lost = SyncError("ServerUnreachable", mailbox=ADA, detail="the connection dropped")
    for _ in range(3):
        assert tried(world) is not None or in_outlook(world) == ["Visit"]
        world.clock.advance(minutes=6)
    Disturbed.lost = None
    world.sync()
    world.sync()
    assert (in_outlook(world), mails(world), len(world.rows())) == (["Visit"], [("request", EVE)], 1)
    assert [link.state for link in links(world)] == [LinkState.SETTLED]
    assert_quiet(world)


@pytest.mark.parametrize("flow", ["create", "update", "delete"])
def test_trap_02_everything_happens_twice(flow: str) -> None:
    """The process dies before each of its own commits in turn; everything is done again, and nothing twice."""
    for kill in range(1, 40):
        world = rough()
        row = enter(world, meeting("Visit", at(10), EVE))
        wanted = [("request", EVE)]
        if flow != "create":
            world.sync()
            mails(world)
        if flow == "update":
            world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
            wanted = [("update", EVE)]
        if flow == "delete":
            world.crm.remove(row)
            wanted = [("cancellation", EVE)]
        died = dies_at(world, kill)
        for _ in range(3):
            world.clock.advance(minutes=10)
            world.sync()
        assert (mails(world), kill) == (wanted, kill)
        assert in_outlook(world) == ([] if flow == "delete" else ["Visit"])
        assert [item.location for item in outlook(world) if item.subject == "Visit"] == {
            "create": [""], "update": ["Bern"], "delete": [],
        }[flow]  # fmt: skip
        assert world.store.intents(world.mailboxes["ada"]) == ()
        assert_quiet(world)
        if not died:
            assert kill > 3
            return
    pytest.fail("the cycle never ended")


def dies_at(world: World, number: int) -> bool:
    """Run a cycle that dies before the state transaction of that number; return whether it came so far."""
    written, begun = world.store.write, world.store.begin
    count = 0

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def write(*given: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                raise KeyboardInterrupt
            return real(*given, **more)

        return write

    world.store.write, world.store.begin = counting(written), counting(begun)  # type: ignore[method-assign]
    try:
        world.sync()
    except KeyboardInterrupt:
        return True
    finally:
        world.store.write, world.store.begin = written, begun  # type: ignore[method-assign]
    return False


def test_trap_03_own_writes_come_back() -> None:
    """The server normalises what it is given, and the same meeting comes through a second mailbox: no write follows."""
    world = rough()
    Disturbed.normal = lambda found: replace(
        found, description=found.description + "  \r\n", attendees=tuple(reversed(found.attendees))
    )
    row = enter(world, meeting("Visit", at(10), EVE, "bob", description="Plan"))
    for _ in range(2):
        world.sync()
        world.sync("bob")
    before = world.exchange.requests["write"]
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    world.sync()
    version = world.rows()[0].version
    for _ in range(3):
        world.clock.advance(minutes=10)
        world.sync("bob")
        world.sync()
    assert world.exchange.requests["write"] == before + 1
    assert world.rows()[0].version == version
    assert [item.location for item in outlook(world, "bob")] == ["Bern"]
    assert_quiet(world)


def test_trap_04_the_cursor_expires() -> None:
    """A whole listing links and refreshes; what it would delete or overwrite in the CRM waits for an answer."""
    world = rough()
    for hour in (9, 11, 13):
        enter(world, meeting(f"at {hour}", at(hour), EVE))
    world.sync()
    world.sync()
    mails(world)
    nine, eleven, _ = (i for i in world.exchange.items(ADA) if i.appointment.subject != "Not tracked")
    world.exchange.delete(ADA, nine.ref)
    world.exchange.edit(ADA, eleven.ref, lambda found: replace(found, location="Bern"), send=False)
    world.track(meeting("New", at(15)))
    world.exchange.expire_cursors(ADA)
    world.sync()
    assert codes(world) == ["RestoredSideHeld"]
    assert sorted(r.appointment.subject for r in world.rows()) == ["New", "at 11", "at 13", "at 9"]
    assert {r.appointment.location for r in world.rows()} == {""}
    world.answer("yes")
    world.sync()
    assert sorted(r.appointment.subject for r in world.rows()) == ["New", "at 11", "at 13"]
    assert mails(world) == []
    assert_quiet(world)


def test_trap_05_series_and_their_dates() -> None:
    """A date is known by its original start: moved, deleted and worded on both sides in turn, none is doubled."""
    world = rough()
    series = weekly("Jour fixe")
    row = enter(world, series)
    world.sync()
    ref = next(i.ref for i in world.exchange.items(ADA) if i.appointment.subject == "Jour fixe")
    later = Span(at(14, days=8).start, at(14, days=8).end)
    world.crm.edit(row, lambda found: replace(found, exceptions=(date_of(series, 1, span=later),)), by="ada")
    world.exchange.delete_occurrence(ADA, ref, date_of(series, 2).span)
    world.sync()
    world.sync()
    world.exchange.edit_occurrence(ADA, ref, date_of(series, 3).span, lambda found: replace(found, location="Bern"))
    world.sync()

    (held,) = world.rows()
    item = world.exchange.item(ADA, ref).appointment
    for side in (held.appointment, item):
        assert [part.identity.original_start for part in side.exceptions] == [at(9, days=8).start, at(9, days=22).start]
        assert (side.exceptions[0].span, side.exceptions[1].location) == (later, "Bern")
        assert side.deleted == (at(9, days=15).start,)
    assert_quiet(world)


def test_trap_05_a_date_moved_past_its_neighbour() -> None:
    """Exchange refuses that: it has a code and an alert, and mended it goes over."""
    world = rough()
    series = weekly("Jour fixe")
    row = enter(world, series)
    world.sync()
    past = Span(at(14, days=16).start, at(14, days=16).end)
    world.crm.edit(row, lambda found: replace(found, exceptions=(date_of(series, 1, span=past),)), by="ada")
    world.sync()
    assert codes(world) == ["ErrorOccurrenceCrossingBoundary"]
    assert len(world.rows()) == 1
    back = Span(at(14, days=9).start, at(14, days=9).end)
    world.crm.edit(row, lambda found: replace(found, exceptions=(date_of(series, 1, span=back),)), by="ada")
    world.sync()
    item = next(i for i in outlook(world) if i.subject == "Jour fixe")
    assert [part.span for part in item.exceptions] == [back]
    assert world.questions() == ()
    assert_quiet(world)


def test_trap_06_daylight_saving_time() -> None:
    """A series at nine stays at nine by the wall clock after the clocks changed, on both sides, edited on either."""
    world = rough()
    row = enter(world, weekly("Jour fixe", "Europe/Oslo", 30))
    world.sync()
    ref = next(i.ref for i in world.exchange.items(ADA) if i.appointment.subject == "Jour fixe")
    # The server calls this zone by the name of its bigger neighbour.
    world.change(ref, zone="Europe/Berlin", location="Bergen")
    world.sync()
    world.crm.edit(row, lambda found: replace(found, subject="Jour fixe II"), by="ada")
    world.sync()
    item, held = world.exchange.item(ADA, ref).appointment, world.rows()[0].appointment
    assert (item.subject, held.location, held.zone) == ("Jour fixe II", "Bergen", "Europe/Oslo")
    for side in (item, held):
        starts = [each.span.start for each in occurrences(side, NOW, NOW + timedelta(days=365))]
        assert len(starts) == 30
        assert {wall(start, "Europe/Oslo").hour for start in starts} == {9}
    assert_quiet(world)


def test_trap_07_only_the_organizer_writes() -> None:
    """A row of somebody else's meeting is edited in the CRM: the copy in Outlook is not touched, nobody is mailed."""
    world = rough()
    theirs = replace(meeting("Theirs", at(10), "ada"), organizer=Address(EVE, "Eve"))
    world.track(theirs)
    world.sync()
    (row,) = world.rows()
    world.crm.edit(row.id, lambda found: replace(found, subject="Ours", span=at(12)), by="ada")
    before = world.exchange.requests["write"]
    world.sync()
    world.crm.remove(row.id)
    world.sync()
    assert (in_outlook(world), world.exchange.requests["write"]) == (["Theirs"], before)
    assert mails(world) == []
    assert_quiet(world)


def test_trap_08_mails_by_accident() -> None:
    """First sync, the past, a category, a copy, an expired cursor, a restored CRM: the outbox stays empty."""
    world = two_way()
    row = enter(world, meeting("Old friends", at(10), EVE))
    enter(world, meeting("Begun", at(7, days=0, length=3), EVE))
    world.sync()
    (item, *_) = world.exchange.items(ADA)
    world.exchange.copy(ADA, item.ref)
    world.exchange.set_categories(ADA, item.ref, (*item.appointment.categories, "Red"))
    world.exchange.expire_cursors(ADA)
    world.sync()
    backup = world.crm.back_up()
    world.crm.complete(row, by="ada")
    world.crm.restore(backup)
    world.sync()
    assert world.exchange.outbox == []
    world.clock.advance(days=3)
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    world.sync()
    world.crm.remove(row)
    world.sync()
    assert world.exchange.outbox == []


def four(world: World) -> tuple[list[str], list[str], str]:
    """Enter four meetings with a guest, bring them over, and move two of the items into a folder of Ada's.

    Returns the rows and the refs of the items, both by hour, and the folder.
    """
    rows = [enter(world, meeting(f"at {hour:02}", at(hour), EVE)) for hour in (9, 11, 13, 15)]
    world.sync()
    folder = world.exchange.add_folder(ADA, "Projects")
    world.clock.advance(minutes=16)
    world.sync()
    found = {item.appointment.subject: item.ref for item in world.exchange.items(ADA)}
    refs = [found[f"at {hour:02}"] for hour in (9, 11, 13, 15)]
    refs[:2] = [world.exchange.move(ADA, ref, folder) for ref in refs[:2]]
    world.sync()
    mails(world)
    return rows, refs, folder


def assert_nothing_went(world: World, rows: list[str]) -> None:
    """All four rows and items stand, nothing lies in the trash, and nobody was mailed."""
    assert sorted(row.id for row in world.rows()) == sorted(rows)
    assert in_outlook(world) == ["at 09", "at 11", "at 13", "at 15"]
    assert (mails(world), trashed(world)) == ([], [])


def test_trap_09_what_looks_like_a_deletion() -> None:
    """Untracked, in another folder, given to somebody else, not listed: none of it deletes anything."""
    world = rough()
    rows, refs, _ = four(world)
    world.exchange.set_categories(ADA, refs[2], ())
    world.crm.edit(rows[3], lambda found: replace(found, organizer=Address("bob@example.org", "Bob")), by="ada")
    world.sync()
    world.exchange.expire_cursors(ADA)
    world.sync()
    world.sync("bob")
    assert_nothing_went(world, rows)
    assert [world.link(ref).crm_id for ref in refs[:2]] == rows[:2]
    assert codes(world) == ["OrganizerChangedHeld"]


@pytest.mark.rule("3.3")
@pytest.mark.rule("1.11")
def test_trap_09_out_of_the_filter() -> None:
    """A row edited so that no filter selects it loses its category in Outlook and nothing else; back it is tracked."""
    world = rough()
    words = (
        Condition(field=Field.SUBJECT, words=("at",)),
        Condition(field=Field.LOCATION, words=("Bern",), negated=True),
    )
    (known,) = [each for each in world.store.filters() if each.user == "ada"]
    narrow = replace(known, conditions=(*known.conditions, *words))
    world.store.change_filter(known.id, lambda _: narrow, world.clock.now())
    rows, refs, _ = four(world)
    world.crm.edit(rows[3], lambda found: replace(found, location="Bern"), by="ada")
    world.sync()
    assert_nothing_went(world, rows)
    assert (world.exchange.item(ADA, refs[3]).appointment.categories, codes(world)) == ((), [])
    assert_quiet(world)

    world.crm.edit(rows[3], lambda found: replace(found, location=""), by="ada")
    world.sync()
    assert_nothing_went(world, rows)
    assert world.exchange.item(ADA, refs[3]).appointment.categories == (TRACKED,)
    assert world.link(refs[3]).crm_id == rows[3]
    assert_quiet(world)


@pytest.mark.rule("L-02")
def test_trap_09_a_folder_gone_whose_items_went_elsewhere() -> None:
    """Ada takes her items out and deletes the folder: they are found where they are, under other ids."""
    world = rough()
    rows, refs, folder = four(world)
    moved = [world.exchange.move(ADA, ref, CALENDAR) for ref in refs[:2]]
    world.exchange.remove_folder(ADA, folder)
    world.clock.advance(minutes=16)
    world.sync()
    assert_nothing_went(world, rows)
    assert [world.link(ref).crm_id for ref in moved] == rows[:2]
    assert codes(world) == []
    assert_quiet(world)


@pytest.mark.rule("L-02")
@pytest.mark.rule("A-25")
def test_trap_09_a_folder_gone_with_what_was_in_it() -> None:
    """What is really deleted goes from the CRM too, can be brought back from the trash, and takes nothing along."""
    world = rough()
    rows, _, folder = four(world)
    world.exchange.remove_folder(ADA, folder)
    world.clock.advance(minutes=16)
    world.sync()
    assert sorted(row.id for row in world.rows()) == sorted(rows[2:])
    assert in_outlook(world) == ["at 13", "at 15"]
    assert sorted(kept.appointment.subject for kept in trashed(world)) == ["at 09", "at 11"]
    assert mails(world) == []
    assert_quiet(world)


@pytest.mark.rule("L-02")
@pytest.mark.parametrize("listed", [True, False])
def test_trap_09_a_folder_that_cannot_be_read_is_not_gone(listed: bool) -> None:
    """Its right is taken away and given back, whether the folder list still names it or not.

    Meanwhile the mailbox says so; nothing is deleted, untracked or mailed, and afterwards both sides are in step.
    """
    world = rough()
    rows, refs, folder = four(world)
    held = world.exchange.items(ADA)
    Disturbed.shut, Disturbed.hidden = folder, not listed
    for _ in range(2):
        world.clock.advance(minutes=16)
        error = tried(world)
        assert error is not None
        assert error.code == "CalendarUnreadable"
        switch(world, "ada", enabled=True)
    assert "CalendarUnreadable" in codes(world)
    assert_nothing_went(world, rows)
    assert world.exchange.items(ADA) == held

    Disturbed.shut, Disturbed.hidden = "", False
    world.clock.advance(minutes=16)
    world.sync()
    assert_nothing_went(world, rows)
    assert (world.exchange.items(ADA), codes(world)) == (held, [])
    world.crm.edit(rows[0], lambda found: replace(found, location="Bern"), by="ada")
    world.sync()
    assert world.exchange.item(ADA, refs[0]).appointment.location == "Bern"
    assert mails(world) == [("update", EVE)]
    assert_quiet(world)


@pytest.mark.rule("L-02")
def test_trap_09_a_mailbox_goes_on_without_a_folder_that_may_not_be_read() -> None:
    """Tested and enabled anew it keeps the rest in step; what lies in the folder waits until it may be read again."""
    world = rough()
    rows, refs, folder = four(world)
    Disturbed.shut, Disturbed.hidden = folder, True
    world.clock.advance(minutes=16)
    assert tried(world) is not None
    number, crm_name = world.mailboxes["ada"], world.rules.crm_name
    switch_on(world.store, world.connect, world.clock, number, crm_name=crm_name, writes=True)
    world.exchange.edit(ADA, refs[2], lambda it: replace(it, location="Chur"), send=False)
    world.sync()
    assert_nothing_went(world, rows)
    assert world.crm.read([rows[2]])[rows[2]].appointment.location == "Chur"

    Disturbed.shut, Disturbed.hidden = "", False
    world.exchange.edit(ADA, refs[0], lambda it: replace(it, location="Bern"), send=False)
    world.clock.advance(minutes=16)
    world.sync()
    assert_nothing_went(world, rows)
    assert world.crm.read([rows[0]])[rows[0]].appointment.location == "Bern"


@pytest.mark.parametrize("crm_first", [True, False])
@pytest.mark.parametrize("jump", [-1, 1])
def test_trap_10_clocks_that_jump(crm_first: bool, jump: int) -> None:
    """Who edited later by any clock does not matter: the setting decides, also while the clock jumps by a day."""
    world = rough()
    row = enter(world, meeting("Visit", at(10, days=5)))
    world.sync()
    ref = next(i.ref for i in world.exchange.items(ADA) if i.appointment.subject == "Visit")
    edits = [lambda: world.crm.edit(row, lambda found: replace(found, subject="CRM"), by="ada"),
             lambda: world.change(ref, subject="Outlook")]  # fmt: skip
    for edit in edits if crm_first else reversed(edits):
        edit()
        world.clock.advance(days=jump)
    world.sync()
    world.clock.advance(days=-jump)
    world.sync()
    assert (in_outlook(world), world.subjects()) == (["Outlook"], ["Outlook"])
    assert_quiet(world)


def test_trap_11_a_server_that_asks_to_wait() -> None:
    """The whole mailbox waits as long as the server says, it is no failure, and nothing is sent twice."""
    world = rough()
    for hour in (9, 11):
        enter(world, meeting(f"at {hour}", at(hour), EVE))

    def throttled(_: ItemWrite) -> None:
        raise SyncError("ThrottledByExchange", retry_after_s=120, mailbox=ADA)

    Disturbed.broken = throttled
    error = tried(world)
    assert error is not None
    mailbox = world.store.mailbox(world.mailboxes["ada"])
    assert mailbox.next_due is not None
    assert mailbox.next_due >= world.clock.now() + timedelta(seconds=120)
    assert mailbox.transient_failures == 0
    Disturbed.broken = None
    world.clock.advance(minutes=3)
    world.sync()
    assert (in_outlook(world), mails(world)) == (["at 11", "at 9"], [("request", EVE)] * 2)
    assert_quiet(world)


def test_trap_12_one_failure_stops_nothing_else() -> None:
    """One item ends before it starts, on another the code itself fails: the others go over in the same cycle."""
    world = rough()
    enter(world, meeting("Backwards", Span(at(10).end, at(10).start)))
    for hour in (9, 11, 13):
        enter(world, meeting(f"at {hour}", at(hour)))

    def bug(write: ItemWrite) -> None:
        if getattr(write, "content", None) is not None and write.content.subject == "at 11":  # type: ignore[union-attr]
            raise ZeroDivisionError

    Disturbed.broken = bug
    result = world.sync()
    assert in_outlook(world) == ["at 13", "at 9"]
    assert (result.counts.saved, result.counts.failed) == (2, 2)
    assert codes(world) == ["EndBeforeStart", "InternalItemError"]
    Disturbed.broken = None
    world.clock.advance(minutes=30)
    world.sync()
    assert in_outlook(world) == ["at 11", "at 13", "at 9"]


def test_trap_13_an_item_that_always_fails() -> None:
    """It is tried at growing distance, then left alone with one alert; when its row changes it is tried again."""
    world = rough()
    row = enter(world, meeting("Backwards", Span(at(10).end, at(10).start)))
    tries = []
    for _ in range(30):
        before = world.exchange.requests["write"]
        world.sync()
        tries.append(world.exchange.requests["write"] - before)
        world.clock.advance(minutes=6)
    assert (sum(tries), sum(tries[20:])) == (5, 0)
    (alert,) = world.questions()
    assert alert.code == "EndBeforeStart"
    world.crm.edit(row, lambda found: replace(found, span=at(10)), by="ada")
    world.sync()
    assert (in_outlook(world), world.questions()) == (["Backwards"], ())


def test_trap_14_order() -> None:
    """Newest first, in pages of one; edits that overtake each other between two cycles collapse into what stands."""
    world = rough()
    Disturbed.page_max = 1
    passing = enter(world, meeting("Passing", at(9), EVE))
    world.crm.edit(passing, lambda found: replace(found, span=at(8)), by="ada")
    world.crm.remove(passing)
    row = enter(world, meeting("Visit", at(10), EVE))
    for place in ("A", "B", "C"):
        world.crm.edit(row, lambda found, p=place: replace(found, location=p), by="ada")
    refs = [world.track(meeting(f"from Outlook {n}", at(12 + n))) for n in range(3)]
    world.change(refs[0], location="X")
    world.exchange.delete(ADA, refs[2])
    world.sync()
    assert in_outlook(world) == ["Visit", "from Outlook 0", "from Outlook 1"]
    assert world.subjects() == ["Visit", "from Outlook 0", "from Outlook 1"]
    assert mails(world) == [("request", EVE)]
    assert {i.location for i in outlook(world) if i.subject == "Visit"} == {"C"}
    assert_quiet(world)


@pytest.mark.parametrize("order", [("ada", "bob"), ("bob", "ada")])
def test_trap_15_one_meeting_in_many_mailboxes(order: tuple[str, str]) -> None:
    """Two people, one row, one meeting, one invitation; a copy with our key is no second meeting."""
    world = rough()
    enter(world, meeting("Visit", at(10), "bob", EVE), owner="bob")
    for _ in range(3):
        for name in order:
            world.sync(name)
        world.clock.advance(minutes=6)
    (item,) = (i for i in world.exchange.items(ADA) if i.appointment.subject == "Visit")
    world.exchange.copy(ADA, item.ref)
    for name in order:
        world.sync(name)
    assert (len(world.rows()), in_outlook(world, "bob")) == (1, ["Visit"])
    assert mails(world) == [("request", "bob@example.org"), ("request", EVE)]
    held = [link for name in order for link in links(world, name)]
    assert {link.crm_id for link in held} == {world.rows()[0].id}
    assert [link.writes for name in ("ada", "bob") for link in links(world, name)] == [True, False]
    assert_quiet(world)


@pytest.mark.rule("3.1")
def test_an_update_whose_answer_was_lost_is_not_taken_for_an_edit_in_outlook() -> None:
    """The row moves on before anybody knows that the first move arrived: the second one goes to Outlook, too."""
    world = rough()
    row = world.crm.create(meeting("Visit", at(10)), owner="ada")
    world.sync()
    world.crm.edit(row, lambda found: replace(found, span=at(13)), by="ada")
    Disturbed.lost = SyncError("ServerUnreachable", mailbox=ADA, detail="the connection dropped")
    assert tried(world) is not None
    Disturbed.lost = None
    world.crm.edit(row, lambda found: replace(found, span=at(15)), by="ada")
    world.sync()
    world.sync()

    (item,) = (one.appointment for one in world.exchange.items(ADA) if one.appointment.subject == "Visit")
    (kept,) = (one.appointment for one in world.crm.rows() if one.appointment.subject == "Visit")
    assert (item.span, kept.span) == (at(15), at(15))
