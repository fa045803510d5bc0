"""CRM to Exchange: what a row becomes in Outlook, whom that mails, and what comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Pattern,
    PatternKind,
    Recurrence,
    ShowAs,
    Status,
)
from syncline.core.outgoing import ItemWrite
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import Link, LinkState, Written
from tests.engine.world import TRACKED, World, at, meeting

ADA = "ada@example.org"
TWO_WAY = Rules(outgoing=True)


@pytest.fixture
def world() -> World:
    """Return a world in which both sides are partners and the first sync is over."""
    made = two_way()
    made.sync()
    made.sync("bob")
    return made


def two_way(rules: Rules = TWO_WAY) -> World:
    """Return a world in which both sides are partners, with the default filter for everybody."""
    return World(rules=rules)


def enter(world: World, appointment: Appointment, owner: str = "ada", status: Status | None = None) -> str:
    """Enter an appointment in the CRM."""
    return world.crm.create(appointment, owner=owner, status=status)


def outlook(world: World, name: str = "ada") -> list[Appointment]:
    """Return what stands in a calendar in Outlook."""
    return [item.appointment for item in world.exchange.items(f"{name}@example.org")]


def links(world: World, name: str = "ada") -> list[Link]:
    """Return all links of a mailbox."""
    held = world.store.rows_held(world.mailboxes[name])
    return list(world.store.links_by_crm_id(world.mailboxes[name], held))


@pytest.mark.rule("A-01")
@pytest.mark.rule("L-08")
def test_a_row_becomes_an_appointment_in_outlook(world: World) -> None:
    """What is entered in the CRM stands in the organizer's calendar, tracked, with a reminder."""
    enter(world, meeting("Visit", at(10), location="Lobby"))
    result = world.sync()

    (item,) = outlook(world)
    assert (item.subject, item.span, item.location) == ("Visit", at(10), "Lobby")
    assert item.categories == (TRACKED,)
    assert item.reminder_minutes == 15
    assert result.counts.saved == 1
    (link,) = links(world)
    assert link.state is LinkState.SETTLED


def test_nothing_is_written_once_both_sides_agree(world: World) -> None:
    """After a push further cycles write nothing to either side: an own write is no change."""
    enter(world, meeting("Visit", at(10), "eve@elsewhere.example"))
    world.sync()
    (item,) = world.exchange.items(ADA)
    (row,) = world.rows()
    for _ in range(3):
        world.clock.advance(minutes=10)
        world.sync()

    assert world.exchange.items(ADA) == (item,)
    assert world.rows() == (row,)
    assert world.exchange.requests["write"] == 1


@pytest.mark.rule("A-06")
def test_people_are_invited_once(world: World) -> None:
    """A new meeting in the future invites everybody, and nobody twice."""
    enter(world, meeting("Visit", at(10), "eve@elsewhere.example", "bob"))
    world.sync()
    world.sync()

    assert [(mail.to, mail.kind) for mail in world.exchange.outbox] == [
        ("bob@example.org", "request"),
        ("eve@elsewhere.example", "request"),
    ]


@pytest.mark.rule("A-06")
def test_the_first_sync_invites_nobody() -> None:
    """What stood in the CRM before the first sync appears in Outlook, and no mail leaves."""
    world = two_way()
    enter(world, meeting("Visit", at(10), "eve@elsewhere.example"))
    world.sync()

    assert [item.subject for item in outlook(world)] == ["Visit"]
    assert world.exchange.outbox == []


@pytest.mark.rule("R-05")
def test_what_is_over_is_not_made(world: World) -> None:
    """A row that is over when it is first seen is not made in Outlook."""
    enter(world, meeting("Gone", at(10, days=-3)))
    world.sync()

    assert outlook(world) == []


@pytest.mark.rule("R-05")
def test_what_was_passed_over_and_is_made_later_bears_no_code(world: World) -> None:
    """A row that was over is moved to a day to come: it is made, and nothing says any more that it was not."""
    row = enter(world, meeting("Visit", at(10, days=-3)))
    world.sync()
    assert [link.sync_error for link in links(world)] == ["PastNotMade"]
    world.crm.edit(row, lambda found: replace(found, span=at(10)), by="ada")
    world.sync()

    (link,) = links(world)
    assert (link.state, link.sync_error, link.error_params) == (LinkState.SETTLED, None, {})


@pytest.mark.rule("A-09")
@pytest.mark.rule("A-06")
@pytest.mark.parametrize("series", [False, True], ids=["single", "series"])
def test_a_draft_stays_in_the_crm_until_it_is_released(world: World, series: bool) -> None:
    """Nothing of it is in Outlook and nobody hears of it, also once it is edited; released it is made once."""
    visit = meeting("Visit", at(10), "eve@elsewhere.example", "bob")
    if series:
        daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(10).start.date(), count=3)
        visit = replace(visit, recurrence=daily)
    row = world.crm.create(visit, owner="ada", draft=True)
    sync_both(world)
    world.crm.edit(row, lambda found: replace(found, location="Lobby"), by="ada")
    sync_both(world)

    assert (outlook(world), outlook(world, "bob"), world.exchange.outbox) == ([], [], [])
    for name in ("ada", "bob"):
        assert [(link.state, link.sync_error) for link in links(world, name)] == [(LinkState.SKIPPED, "DraftNotMade")]
    assert all(world.questions(name) == () for name in ("ada", "bob"))

    world.crm.release(row, by="ada")
    sync_both(world)
    sync_both(world)

    assert [(item.subject, item.location) for item in outlook(world)] == [("Visit", "Lobby")]
    assert Counter((mail.to, mail.kind) for mail in world.exchange.outbox) == {
        ("bob@example.org", "request"): 1,
        ("eve@elsewhere.example", "request"): 1,
    }
    assert [(link.state, link.sync_error) for link in links(world)] == [(LinkState.SETTLED, None)]
    (kept,) = world.rows()
    assert (kept.id, kept.draft) == (row, False)


@pytest.mark.rule("A-09")
def test_a_draft_from_the_first_sync_invites_once_it_is_released() -> None:
    """It waited because somebody said so, not because the calendar was not written to yet."""
    world = two_way()
    row = world.crm.create(meeting("Visit", at(10), "eve@elsewhere.example"), owner="ada", draft=True)
    world.sync()
    world.crm.release(row, by="ada")
    world.sync()

    assert [item.subject for item in outlook(world)] == ["Visit"]
    assert [mail.to for mail in world.exchange.outbox] == ["eve@elsewhere.example"]


@pytest.mark.rule("A-09")
def test_a_deleted_draft_leaves_nothing_behind(world: World) -> None:
    """Nobody ever heard of it."""
    row = world.crm.create(meeting("Visit", at(10), "eve@elsewhere.example"), owner="ada", draft=True)
    world.sync()
    world.crm.remove(row)
    world.sync()

    assert (links(world), outlook(world), world.exchange.outbox) == ([], [], [])


@pytest.mark.rule("A-09")
def test_a_draft_keeps_its_people_busy(world: World) -> None:
    """What comes from Outlook at the same time is asked about."""
    world.crm.create(meeting("Visit", at(10)), owner="ada", draft=True)
    world.track(meeting("Demo", at(10)))
    world.sync()

    assert [each.code for each in world.questions()] == ["ExchangeSyncSchedulingConflictsError"]


def sync_both(world: World) -> None:
    """Run a cycle of both mailboxes some time later."""
    world.clock.advance(minutes=10)
    for name in ("ada", "bob"):
        world.sync(name)


@pytest.mark.rule("A-07")
def test_an_edit_in_the_crm_reaches_outlook_and_the_guests(world: World) -> None:
    """A new time goes over, and everybody is told; a note that says who may read it tells nobody."""
    row = enter(world, meeting("Visit", at(10), "eve@elsewhere.example"))
    world.sync()
    world.exchange.outbox.clear()
    world.crm.edit(row, lambda found: replace(found, span=at(12)), by="ada")
    world.sync()

    (item,) = outlook(world)
    assert item.span == at(12)
    assert item.reminder_minutes == 15
    assert [(mail.to, mail.kind) for mail in world.exchange.outbox] == [("eve@elsewhere.example", "update")]


@pytest.mark.rule("3.1")
def test_edits_of_different_fields_on_both_sides_meet(world: World) -> None:
    """Outlook's new place and the CRM's new subject both stand on both sides afterwards."""
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    (item,) = world.exchange.items(ADA)
    world.change(item.ref, location="Bern")
    world.crm.edit(row, lambda found: replace(found, subject="Visit to Bern"), by="ada")
    world.sync()

    (there,) = outlook(world)
    (here,) = world.rows()
    assert (there.subject, there.location) == ("Visit to Bern", "Bern")
    assert (here.appointment.subject, here.appointment.location) == ("Visit to Bern", "Bern")


@pytest.mark.rule("A-11")
@pytest.mark.rule("A-12")
def test_a_deleted_row_takes_the_meeting_with_it(world: World) -> None:
    """A row that is deleted before it begins is deleted in Outlook too, its guests are told, and it can come back."""
    row = enter(world, meeting("Visit", at(10), "eve@elsewhere.example"))
    world.sync()
    world.exchange.outbox.clear()
    world.crm.remove(row)
    world.sync()

    assert outlook(world) == []
    assert [(mail.to, mail.kind) for mail in world.exchange.outbox] == [("eve@elsewhere.example", "cancellation")]
    assert links(world) == []


@pytest.mark.rule("A-11")
@pytest.mark.rule("A-36")
def test_a_deleted_row_of_the_past_leaves_outlook_alone(world: World) -> None:
    """Once it has begun it stays in Outlook, and an edit there does not bring the row back."""
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    world.clock.advance(days=3)
    world.crm.remove(row)
    world.sync()
    (item,) = world.exchange.items(ADA)
    world.change(item.ref, subject="Visit, done")
    world.sync()

    assert world.rows() == ()
    assert len(outlook(world)) == 1


@pytest.mark.rule("A-02")
@pytest.mark.rule("A-33")
def test_only_the_organizer_makes_the_meeting(world: World) -> None:
    """Bob's calendar gets the meeting by Ada's invitation; both hold the one row."""
    enter(world, meeting("Visit", at(10), "bob"))
    world.sync("bob")
    assert outlook(world, "bob") == []
    world.sync("ada")
    world.clock.advance(minutes=6)
    world.sync("bob")

    assert len(outlook(world, "bob")) == 1
    assert len(world.rows()) == 1
    known = [link for name in ("ada", "bob") for link in links(world, name)]
    assert {link.crm_id for link in known} == {world.rows()[0].id}
    assert [link.writes for link in known] == [True, False]


@pytest.mark.rule("A-03")
def test_a_row_without_organizer_is_told(world: World) -> None:
    """Without an organizer nobody can invite: an alert says so, and nothing is written."""
    found = replace(meeting("Visit", at(10), "ada"), organizer=None)
    enter(world, found)
    world.sync()

    assert outlook(world) == []
    assert [alert.code for alert in world.questions()] == ["OrganizerMissing"]


@pytest.mark.rule("A-04")
@pytest.mark.rule("A-05")
def test_a_completed_row_is_free_in_outlook(world: World) -> None:
    """A row that is completed shows as free, and does not remind any more."""
    row = enter(world, meeting("Visit", at(10), show_as=ShowAs.BUSY))
    world.sync()
    world.crm.complete(row, by="ada")
    world.sync()

    (item,) = outlook(world)
    assert (item.show_as, item.reminder_minutes) == (ShowAs.FREE, None)


@pytest.mark.rule("A-13")
@pytest.mark.parametrize("propagate", [False, True])
def test_a_canceled_row(propagate: bool) -> None:
    """Canceled in the CRM is free in Outlook; by setting the meeting is called off there."""
    rules = replace(TWO_WAY, pushing=replace(TWO_WAY.pushing, propagate_cancellations=propagate))
    world = two_way(rules)
    world.sync()
    row = enter(world, meeting("Visit", at(10), "eve@elsewhere.example"))
    world.sync()
    world.crm.cancel(row, by="ada")
    world.sync()

    kinds = [mail.kind for mail in world.exchange.outbox]
    if propagate:
        assert outlook(world) == []
        assert kinds == ["request", "cancellation"]
    else:
        assert [item.show_as for item in outlook(world)] == [ShowAs.FREE]


@pytest.mark.rule("3.3")
@pytest.mark.parametrize("distinct", [True, False])
def test_a_row_that_leaves_the_filters(distinct: bool) -> None:
    """It stays in Outlook without the category, and is synchronized no more; by setting it is deleted there."""
    world = two_way(replace(TWO_WAY, pushing=replace(TWO_WAY.pushing, distinct_deletes=distinct)))
    world.sync()
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    (kept,) = world.store.sync_filters("ada")
    world.store.change_filter(kept.id, lambda known: replace(known, enabled=False), world.clock.now())
    world.sync()

    assert len(world.crm.read([row])) == 1
    assert [link.sync_error for link in links(world)] == (["OutOfFilters"] if distinct else [])
    assert [item.categories for item in outlook(world)] == ([()] if distinct else [])


@pytest.mark.rule("A-14")
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_another_organizer_is_a_question(world: World, answer: str) -> None:
    """The meeting is called off here and made there only after a Yes."""
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    world.crm.edit(row, lambda found: replace(found, organizer=Address("bob@example.org", "Bob")), by="ada")
    world.sync()
    assert [alert.code for alert in world.questions()] == ["OrganizerChangedHeld"]
    assert len(outlook(world)) == 1
    world.sync("bob")
    assert outlook(world, "bob") == []
    world.answer(answer)
    world.sync()
    world.clock.advance(minutes=6)
    world.sync("bob")

    assert world.questions() == ()
    assert (len(outlook(world)), len(outlook(world, "bob"))) == ((0, 1) if answer == "yes" else (1, 0))


@pytest.mark.rule("A-14")
@pytest.mark.parametrize(
    ("organizer", "code"), [("bob@example.org", "AwaitsInvitation"), ("eve@elsewhere.example", "OrganizedElsewhere")]
)
@pytest.mark.parametrize("lost", [False, True])
def test_a_row_given_to_another_organizer_says_why_it_is_not_here(
    world: World, organizer: str, code: str, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the Yes the filters still select the row, because Ada takes part: it waits for her invitation."""
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    given = {"organizer": Address(organizer, "New"), "attendees": (Attendee(ADA),)}
    world.crm.edit(row, lambda found: replace(found, **given), by="ada")
    world.sync()
    world.answer("yes")
    if lost:
        _lose_answers(monkeypatch)
        with pytest.raises(SyncError):
            world.sync()
        monkeypatch.undo()
    world.sync()
    world.sync()

    (link,) = links(world)
    assert (link.state, link.sync_error, outlook(world)) == (LinkState.SKIPPED, code, [])
    for _ in range(3):
        world.sync("bob")
        world.clock.advance(minutes=10)
        world.sync()
    invited = organizer == "bob@example.org"
    assert [item.subject for item in outlook(world)] == (["Visit"] if invited else [])
    assert [each.sync_error for each in links(world)] == [None if invited else code]
    assert len(world.rows()) == 1


@pytest.mark.rule("A-14")
def test_a_row_given_away_that_no_filter_selects_is_forgotten(world: World) -> None:
    """Ada takes no part in it any more, so nothing is to be said about it."""
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    world.crm.edit(row, lambda found: replace(found, organizer=Address("bob@example.org", "Bob")), by="ada")
    world.sync()
    world.answer("yes")
    world.sync()

    assert (links(world), outlook(world)) == ([], [])


def _lose_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let writes to Exchange happen and their answers be lost."""
    real = MemoryReplica.write

    def write(self: MemoryReplica, writes: Sequence[ItemWrite]) -> list[Written]:
        real(self, writes)
        raise SyncError("CrmUnavailable", crm="Syncline CRM")

    monkeypatch.setattr(MemoryReplica, "write", write)


def test_what_was_made_before_a_crash_is_found_by_its_key(world: World) -> None:
    """The process dies after the item was made and before that is recorded: it is linked, not made again."""
    enter(world, meeting("Visit", at(10), "eve@elsewhere.example"))
    written = world.store.write

    def dies(lease: object, changes: object) -> object:
        if getattr(changes, "dropped_intents", ()):
            raise KeyboardInterrupt
        return written(lease, changes)  # type: ignore[arg-type]

    world.store.write = dies  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        world.sync()
    world.store.write = written  # type: ignore[method-assign]
    world.sync()
    world.sync()

    assert len(outlook(world)) == 1
    assert len(world.exchange.outbox) == 1
    assert len(world.rows()) == 1
    (link,) = links(world)
    assert link.state is LinkState.SETTLED


def test_a_link_that_flips_is_parked(world: World) -> None:
    """Two programs that overwrite each other by turns are stopped after a while, with an alert."""
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    (item,) = world.exchange.items(ADA)
    for turn in range(8):
        world.crm.edit(row, lambda found, n=turn: replace(found, subject=f"CRM {n}"), by="ada")
        world.sync()
        world.change(item.ref, subject=f"Outlook {turn}")
        world.sync()
        world.clock.advance(seconds=30)
    world.crm.edit(row, lambda found: replace(found, subject="CRM again"), by="ada")
    world.sync()

    assert "ChangesBackAndForth" in [alert.code for alert in world.questions()]
    world.clock.advance(hours=2)
    world.crm.edit(row, lambda found: replace(found, subject="CRM at last"), by="ada")
    world.sync()
    assert outlook(world)[0].subject == "CRM at last"
    assert world.questions() == ()


@pytest.mark.rule("A-22")
def test_an_answer_that_came_to_nothing_does_not_stop_what_follows(world: World) -> None:
    """The row is completed before the Yes is carried out; once the item is back in step, nothing waits for it."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    (row,) = world.crm.rows()
    world.crm.create(meeting("In the way", at(14)), owner="ada")
    world.sync()
    world.change(ref, span=at(14))
    world.sync()
    world.crm.complete(row.id, by="ada")
    world.answer("yes")
    world.sync()
    world.change(ref, span=at(10))
    world.sync()
    world.sync()

    (link,) = world.store.links_by_crm_id(world.mailboxes["ada"], [row.id])
    assert (link.decision, link.crm_settled) == (None, link.crm_version_seen)


@pytest.mark.rule("A-34")
@pytest.mark.parametrize("together", [True, False])
def test_a_time_that_both_sides_changed_of_a_meeting_called_off_on_both_waits_for_nothing(
    world: World, *, together: bool
) -> None:
    """The closed row keeps its time, and the item its own: nothing of either is about to be synchronized."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    (row,) = world.crm.rows()
    world.crm.edit(row.id, lambda found: replace(found, span=at(14), location="Bern"), by="ada")
    world.crm.cancel(row.id, by="ada")
    world.change(ref, span=at(12))
    if not together:
        world.sync()
    world.change(ref, canceled=True)
    world.sync()
    world.sync()

    (there,), (row,), (link,) = outlook(world), world.crm.rows(), links(world)
    assert [(one.span, one.location) for one in (there, row.appointment)] == [(at(12), "Bern"), (at(14), "Bern")]
    assert (link.state, link.sync_error, link.crm_version) == (LinkState.SETTLED, None, row.version)


def test_what_fails_towards_outlook_is_not_told_again_in_each_cycle(world: World) -> None:
    """An item that Exchange does not let us write waits with one line in the journal for each try."""
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    world.exchange.store(ADA).write_denied = True
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    for _ in range(3):
        world.sync()
        world.clock.advance(minutes=30)
    (link,) = links(world)

    told = [line.action for line in world.store.journal(link.id).items]
    assert link.state is LinkState.FAILED
    assert told.count("settled") == 0
    assert told.count("failed") == 3


@pytest.mark.rule("A-05")
def test_a_reminder_that_was_taken_off_in_outlook_is_not_set_again(world: World) -> None:
    """Ada takes it off; neither an edit of the row nor a new time brings it back."""
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    (item,) = world.exchange.items(ADA)
    world.change(item.ref, reminder_minutes=None)
    world.sync()
    world.crm.edit(row, lambda found: replace(found, subject="Visit to Bern", span=at(12)), by="ada")
    world.sync()

    (there,) = outlook(world)
    assert (there.subject, there.span, there.reminder_minutes) == ("Visit to Bern", at(12), None)
