"""Files of single appointments in whole cycles: both ways, by setting only, and what is in the way."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.appointment import Pattern, PatternKind, Recurrence, Sensitivity
from syncline.core.attachments import Limits
from syncline.core.merging import PrivatePolicy, Winner
from syncline.core.planning import Policy
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import Alert, AlertState, Attachments
from tests.engine.world import World, at, meeting

ADA = "ada@example.org"
LIMITS = Limits(size_max=1_000, blocked=frozenset({"exe"}))
ON = Rules(attachments=LIMITS)
BOTH = Rules(attachments=LIMITS, outgoing=True)
FILES = ("attachments", "attachment_content", "attach", "detach", "flag_attachments")


def tracked(world: World, **fields: object) -> str:
    """Save a tracked appointment of Ada's with a file on it, and bring both over."""
    ref = world.track(meeting("Visit", at(10), **fields))  # type: ignore[arg-type]
    world.exchange.attach(ADA, ref, "plan.txt", b"plan")
    world.sync()
    return ref


def in_crm(world: World) -> dict[str, bytes]:
    """Return the files of the only row, by name."""
    (row,) = world.rows()
    return {each.name: world.crm.shelf.content(each.ref, 10_000) or b"" for each in world.crm.shelf.of(row.id)}


def in_exchange(world: World, ref: str) -> dict[str, bytes]:
    """Return the files of an item, by name."""
    shelf = world.exchange.store(ADA).shelf
    return {each.name: shelf.content(each.ref, 10_000) or b"" for each in shelf.of(ref)}


def asked(world: World) -> dict[str, int]:
    """Return how often each side was asked about files so far."""
    both = world.exchange.requests + world.crm.requests
    return {name: both[name] for name in FILES if both[name]}


def notices(world: World) -> list[Alert]:
    """Return what is told and not over."""
    return [each for each in world.questions() if each.state is AlertState.OPEN]


def row_id(world: World) -> str:
    """Return the id of the only row."""
    return world.rows()[0].id


def flagged(world: World) -> bool:
    """Return attachmenterrors of the only row."""
    found = world.crm.attachments([row_id(world)])[row_id(world)]
    assert isinstance(found, Attachments)
    return found.incomplete


@pytest.mark.rule("D-05")
def test_with_the_setting_off_nobody_is_asked_about_files() -> None:
    """As delivered neither side sees a call, and the CRM gets no file."""
    world = World(rules=Rules(outgoing=True))
    tracked(world)
    world.crm.add_file(row_id(world), "crm.txt", b"crm", by="ada")
    world.sync()
    assert asked(world) == {}
    assert in_crm(world) == {"crm.txt": b"crm"}


@pytest.mark.rule("D-05")
def test_a_file_comes_to_the_crm_and_goes_again() -> None:
    """What is attached, replaced or taken off in Outlook is so in the CRM after the next sync."""
    world = World(rules=ON)
    ref = tracked(world)
    seen = [in_crm(world)]
    world.exchange.detach(ADA, ref, "plan.txt")
    world.exchange.attach(ADA, ref, "plan.txt", b"other plan")
    world.exchange.attach(ADA, ref, "notes.txt", b"notes")
    world.sync()
    seen.append(in_crm(world))
    world.exchange.detach(ADA, ref, "plan.txt")
    world.sync()
    seen.append(in_crm(world))
    assert seen == [
        {"plan.txt": b"plan"},
        {"plan.txt": b"other plan", "notes.txt": b"notes"},
        {"notes.txt": b"notes"},
    ]


@pytest.mark.rule("D-05")
def test_a_file_goes_to_outlook_and_goes_again_and_mails_nobody() -> None:
    """What is attached to a row or taken off it is so in Outlook; guests of the meeting are not mailed about it."""
    world = World(rules=BOTH)
    ref = world.track(meeting("Visit", at(10), "guest@elsewhere.example"))
    world.sync()
    mails = world.exchange.mails
    world.crm.add_file(row_id(world), "crm.txt", b"crm", by="ada")
    world.sync()
    seen = [in_exchange(world, ref)]
    world.crm.remove_file(row_id(world), "crm.txt", by="ada")
    world.sync()
    seen.append(in_exchange(world, ref))
    assert seen == [{"crm.txt": b"crm"}, {}]
    assert world.exchange.mails == mails


def test_files_of_a_new_row_come_along() -> None:
    """A row that is made in Outlook brings the files that it has, in the same sync."""
    world = World(rules=BOTH)
    made = world.crm.create(meeting("Visit", at(10)), owner="ada")
    world.crm.add_file(made, "crm.txt", b"crm", by="ada")
    world.sync()
    world.sync()
    (item,) = world.exchange.items(ADA)
    assert in_exchange(world, item.ref) == {"crm.txt": b"crm"}


def test_where_nothing_is_written_to_exchange_files_only_come_in() -> None:
    """Without `exchange.write` the CRM's own files stay there, and those of Outlook still come."""
    world = World(rules=ON)
    ref = tracked(world)
    world.crm.add_file(row_id(world), "crm.txt", b"crm", by="ada")
    world.crm.remove_file(row_id(world), "plan.txt", by="ada")
    world.sync()
    world.exchange.attach(ADA, ref, "notes.txt", b"notes")
    world.sync()
    assert in_exchange(world, ref) == {"plan.txt": b"plan", "notes.txt": b"notes"}
    assert in_crm(world) == {"crm.txt": b"crm", "notes.txt": b"notes"}


def test_nothing_is_read_or_written_twice() -> None:
    """A content is read once; a sync without news asks nobody, and one with other news reads no content."""
    world = World(rules=BOTH)
    ref = tracked(world)
    first = asked(world)
    world.sync()
    world.sync()
    quiet = asked(world)
    world.change(ref, subject="Another")
    world.sync()
    world.sync()
    assert (first["attachment_content"], first["attach"]) == (1, 1)
    assert quiet == first
    later = asked(world)
    assert {name: later[name] - first[name] for name in later} == {
        "attachments": 2, "attachment_content": 0, "attach": 0
    }  # fmt: skip


@pytest.mark.rule("R-07")
def test_files_of_series_and_their_dates_stay_where_they_are() -> None:
    """Neither the series' nor, for somebody invited to one date, that date's files are asked for."""
    world = World(rules=BOTH)
    daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(10).start.date(), count=3)
    ref = tracked(world, recurrence=daily)
    assert (in_crm(world), asked(world)) == ({}, {})
    date = meeting("Date", at(12))
    other = world.track(replace(date, identity=replace(date.identity, original_start=at(12).start)))
    world.exchange.attach(ADA, other, "plan.txt", b"plan")
    world.exchange.touch(ADA, ref)
    world.sync()
    world.sync()
    assert asked(world) == {}


@pytest.mark.parametrize(("policy", "files"), [(PrivatePolicy.MASK, {}), (PrivatePolicy.IMPORT, {"plan.txt": b"plan"})])
def test_files_of_masked_appointments_stay_in_outlook(policy: PrivatePolicy, files: dict[str, bytes]) -> None:
    """Where the texts of private appointments do not come in, their files do not either."""
    world = World(rules=replace(ON, policy=Policy(private=policy)))
    tracked(world, sensitivity=Sensitivity.PRIVATE)
    assert in_crm(world) == files


@pytest.mark.rule("D-06")
@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("setup.exe", b"x", "AttachmentBlocked"),
        ("large.txt", b"x" * 1_001, "AttachmentBlocked"),
        ("larger.txt", b"x" * 70_000, "AttachmentBlocked"),
        ("a/b.txt", b"x", "AttachmentInvalidFileName"),
    ],
)
def test_a_file_that_is_refused_does_not_keep_its_appointment(name: str, content: bytes, code: str) -> None:
    """The appointment and its other files are saved, attachmenterrors is 1, and an alert says why; until it is gone."""
    world = World(rules=BOTH)
    ref = world.track(meeting("Visit", at(10)))
    world.exchange.attach(ADA, ref, name, content)
    world.exchange.attach(ADA, ref, "plan.txt", b"plan")
    world.sync()
    (alert,) = notices(world)
    assert (in_crm(world), flagged(world), alert.code) == ({"plan.txt": b"plan"}, True, code)
    assert name in alert.params["detail"]
    world.change(ref, subject="Another")
    world.sync()
    assert [each.code for each in notices(world)] == [code]
    world.exchange.detach(ADA, ref, name)
    world.sync()
    assert (notices(world), flagged(world), in_exchange(world, ref)) == ([], False, {"plan.txt": b"plan"})


def test_a_file_that_becomes_too_large_by_setting_stays_on_both_sides() -> None:
    """A smaller limit later removes nothing, and a larger one again doubles nothing."""
    world = World(rules=BOTH)
    ref = tracked(world)
    for limit in (3, 1_000):
        world.rules = replace(BOTH, attachments=Limits(size_max=limit))
        world.exchange.touch(ADA, ref)
        world.sync()
        assert (in_crm(world), in_exchange(world, ref)) == ({"plan.txt": b"plan"}, {"plan.txt": b"plan"})


@pytest.mark.parametrize(("winner", "loser"), [(Winner.EXCHANGE, "plan (CRM).txt"), (Winner.CRM, "plan (Outlook).txt")])
def test_a_file_that_both_changed_is_kept_twice(winner: Winner, loser: str) -> None:
    """Both contents stand on both sides, and the policy says which has the name."""
    world = World(rules=replace(BOTH, winner=winner))
    ref = tracked(world)
    world.exchange.detach(ADA, ref, "plan.txt")
    world.exchange.attach(ADA, ref, "plan.txt", b"in outlook")
    world.crm.remove_file(row_id(world), "plan.txt", by="ada")
    world.crm.add_file(row_id(world), "plan.txt", b"in crm", by="ada")
    world.sync()
    contents = (b"in outlook", b"in crm") if winner is Winner.EXCHANGE else (b"in crm", b"in outlook")
    assert in_exchange(world, ref) == in_crm(world) == dict(zip(("plan.txt", loser), contents, strict=True))
    world.sync()  # our own write to the item is read once, as anybody's
    before = asked(world)
    world.sync()
    assert (asked(world), len(in_crm(world))) == (before, 2)


def test_a_copy_of_somebody_elses_meeting_is_not_written() -> None:
    """Only the organizer's item gets the CRM's files; what stands on an attendee's copy comes in."""
    world = World(rules=BOTH)
    ref = world.track(meeting("Visit", at(10), "ada", organizer="boss@elsewhere.example"))
    world.sync()
    world.exchange.attach(ADA, ref, "plan.txt", b"plan")
    world.crm.add_file(row_id(world), "crm.txt", b"crm", by="ada")
    world.sync()
    assert in_exchange(world, ref) == {"plan.txt": b"plan"}
    assert in_crm(world) == {"plan.txt": b"plan", "crm.txt": b"crm"}


def test_an_unreadable_file_stops_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """An appointment whose file cannot be read is saved and told of; files of others come, and it is tried again."""
    world = World(rules=BOTH)
    ref = world.track(meeting("Visit", at(10)))
    world.exchange.attach(ADA, ref, "plan.txt", b"plan")
    other = world.track(meeting("Other", at(12)))
    world.exchange.attach(ADA, other, "notes.txt", b"notes")
    shelf = world.exchange.store(ADA).shelf
    (bad,) = shelf.of(ref)
    read = MemoryReplica.attachment_content

    def content(replica: MemoryReplica, name: str, size_max: int) -> bytes | None:
        if name == bad.ref:
            raise SyncError("ItemUnreadable", subject="", detail="it broke")
        return read(replica, name, size_max)

    monkeypatch.setattr(MemoryReplica, "attachment_content", content)
    world.sync()
    files = {row.appointment.subject: [each.name for each in world.crm.shelf.of(row.id)] for row in world.rows()}
    assert (files, [each.code for each in notices(world)]) == (
        {"Visit": [], "Other": ["notes.txt"]},
        ["ItemUnreadable"],
    )
    monkeypatch.undo()
    world.clock.advance(hours=1)
    world.sync()
    files = {row.appointment.subject: [each.name for each in world.crm.shelf.of(row.id)] for row in world.rows()}
    assert (files, notices(world)) == ({"Visit": ["plan.txt"], "Other": ["notes.txt"]}, [])


def test_an_account_that_may_not_write_is_told_and_tried_again() -> None:
    """Files that cannot be written are that item's failure: one alert, other items go on, and later it succeeds."""
    world = World(rules=BOTH)
    ref = tracked(world)
    world.exchange.store(ADA).write_denied = True
    world.crm.add_file(row_id(world), "crm.txt", b"crm", by="ada")
    world.sync()
    assert [each.code for each in notices(world)] == ["ItemNotWritable"]
    world.exchange.store(ADA).write_denied = False
    world.clock.advance(hours=2)
    world.sync()
    assert (in_exchange(world, ref), notices(world)) == ({"plan.txt": b"plan", "crm.txt": b"crm"}, [])


def test_a_restored_crm_takes_no_file_from_outlook() -> None:
    """What a backup did not have yet comes back from Outlook; what it still has stays there too, and so it rests."""
    world = World(rules=BOTH)
    ref = tracked(world)
    backup = world.crm.back_up()
    world.exchange.attach(ADA, ref, "notes.txt", b"notes")
    world.sync()
    world.crm.remove_file(row_id(world), "plan.txt", by="ada")
    world.sync()
    assert in_exchange(world, ref) == {"notes.txt": b"notes"}
    world.crm.restore(backup)
    for _ in range(5):  # the row has as many versions as before, and more
        world.crm.edit(row_id(world), lambda found: replace(found, location=found.location + "x"), by="ada")
    world.sync()
    for alert in notices(world):
        world.answer("yes") if alert.link_id is None else None
    world.sync()
    world.sync()
    expected = {"plan.txt": b"plan", "notes.txt": b"notes"}
    assert (in_crm(world), in_exchange(world, ref)) == (expected, expected)


def test_an_expired_cursor_removes_no_file() -> None:
    """After a reading of Outlook that started anew what is missing there does not go in the CRM."""
    world = World(rules=BOTH)
    ref = tracked(world)
    world.exchange.detach(ADA, ref, "plan.txt")
    world.exchange.expire_cursors(ADA)
    world.sync()
    world.sync()
    assert (in_crm(world), in_exchange(world, ref)) == ({"plan.txt": b"plan"}, {"plan.txt": b"plan"})


def test_journal_and_state_hold_no_content() -> None:
    """Neither the journal nor any table of the state holds a byte of a file, nor the name of a private one's file."""
    world = World(rules=BOTH)
    ref = world.track(meeting("Visit", at(10), sensitivity=Sensitivity.PRIVATE))
    world.exchange.attach(ADA, ref, "quarrel.txt", b"SECRET-CONTENT")
    world.exchange.attach(ADA, ref, "blocked.exe", b"SECRET-CONTENT")
    world.sync()
    with world.store.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        lines = list(driver.iterdump())
    told = [line for line in lines if line.startswith(('INSERT INTO "journal"', 'INSERT INTO "alert"'))]
    assert in_crm(world) == {"quarrel.txt": b"SECRET-CONTENT"}
    assert [line for line in lines if "SECRET" in line or b"SECRET".hex() in line.lower()] == []
    assert told
    assert [line for line in told if "quarrel" in line or "blocked.exe" in line] == []
