"""The cycle on memory connectors: the scene, updates, deletions, copies, guards, crashes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.appointment import ShowAs, Status
from syncline.engine import mailboxes
from syncline.engine.run import Rules
from syncline.ports import AlertOutcome, AlertState, LinkState, OnSchedulingConflict, Page, Seen
from tests.engine.world import TRACKED, World, at, meeting


@pytest.fixture
def world() -> World:
    """Return a fresh world."""
    return World()


@pytest.fixture
def scene(world: World) -> World:
    """Return the scene: ada has a review in the CRM, and a demo in Exchange overlaps it by half an hour."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.track(meeting("Demo", at(10.5)))
    world.sync()
    return world


@pytest.mark.rule("A-20")
def test_a_tracked_appointment_becomes_a_row(world: World) -> None:
    """A tracked appointment without an overlap is saved, and its link is settled."""
    ref = world.track(meeting("Demo", at(10)))

    result = world.sync()

    assert world.subjects() == ["Demo"]
    assert result.counts.saved == 1
    assert world.link(ref).state is LinkState.SETTLED


def test_an_untracked_appointment_costs_nothing(world: World) -> None:
    """An item without the category has no link and no row."""
    world.exchange.add("ada@example.org", meeting("Dentist", at(10)))

    world.sync()

    assert world.rows() == ()


@pytest.mark.rule("A-23")
def test_an_overlap_holds_the_appointment_back_and_asks(scene: World) -> None:
    """The item is not written; the question names it, the person and the clash."""
    (alert,) = scene.questions()

    assert scene.subjects() == ["Review"]
    assert (alert.code, alert.state) == ("ExchangeSyncSchedulingConflictsError", AlertState.OPEN)
    assert alert.params["subject"] == "Demo"
    assert alert.params["user"] == "Ada Admin"
    assert alert.verdict is not None
    assert [clash.subject for clash in alert.verdict.unavailable[0].clashes] == ["Review"]


def test_the_same_question_is_not_asked_twice(scene: World) -> None:
    """Another cycle leaves one question."""
    scene.sync()
    scene.crm.create(meeting("Elsewhere", at(18)), owner="ada")
    scene.sync()

    assert len(scene.questions()) == 1


@pytest.mark.rule("Q-02")
def test_yes_saves_beside_the_other(scene: World) -> None:
    """Yes books with the check suppressed, and the question is carried out."""
    answered = scene.answer("yes")
    scene.sync()

    assert answered.outcome is AlertOutcome.SAVING
    assert scene.subjects() == ["Demo", "Review"]
    assert scene.questions() == ()


@pytest.mark.rule("Q-04")
def test_no_keeps_out_even_if_the_clash_goes_away(scene: World) -> None:
    """No is final while the digest holds."""
    scene.answer("no")
    scene.sync()
    (review,) = scene.rows()
    scene.crm.remove(review.id)
    scene.sync()

    assert scene.subjects() == []
    assert scene.questions() == ()


@pytest.mark.rule("Q-04")
def test_a_new_time_ends_the_keeping_out(world: World) -> None:
    """What was kept out is saved after it was moved to a free time."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    ref = world.track(meeting("Demo", at(10.5)))
    world.sync()
    world.answer("no")
    world.sync()
    world.change(ref, span=at(14))
    world.sync()

    assert world.subjects() == ["Demo", "Review"]


@pytest.mark.rule("Q-05")
def test_a_question_is_withdrawn_when_the_clash_is_gone(scene: World) -> None:
    """The next cycle saves the item."""
    (review,) = scene.rows()
    scene.crm.remove(review.id)
    scene.sync()

    assert scene.subjects() == ["Demo"]
    assert scene.questions() == ()


@pytest.mark.rule("Q-01")
def test_moving_in_outlook_withdraws_the_question(world: World) -> None:
    """The item is saved at its new time."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    ref = world.track(meeting("Demo", at(10.5)))
    world.sync()
    world.change(ref, span=at(14))
    world.sync()

    assert world.subjects() == ["Demo", "Review"]
    assert world.questions() == ()


@pytest.mark.rule("Q-01")
def test_deleting_or_untracking_withdraws_the_question(world: World) -> None:
    """Neither leaves a question, a link or a row behind."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    deleted = world.track(meeting("Demo", at(10.5)))
    untracked = world.track(meeting("Demo 2", at(10.25)))
    world.sync()
    assert len(world.questions()) == 2
    world.exchange.delete("ada@example.org", deleted)
    world.exchange.set_categories("ada@example.org", untracked, ())
    world.sync()

    assert world.questions() == ()
    assert world.subjects() == ["Review"]


@pytest.mark.rule("CD-10")
def test_a_text_change_is_written_without_a_check(world: World) -> None:
    """Only the text of a double-booked row changes: nobody is asked."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, location="Showroom")
    world.sync()

    assert {row.appointment.location for row in world.rows()} == {"", "Showroom"}
    assert world.questions() == ()


@pytest.mark.rule("Q-08")
def test_a_held_reschedule_keeps_the_old_time_and_writes_the_rest(world: World) -> None:
    """The row stays at its old time and goes on blocking; its text is brought up to date."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, span=at(10.5), location="Showroom")
    world.sync()

    row = next(row for row in world.rows() if row.appointment.subject == "Demo")
    assert row.appointment.span == at(14)
    assert row.appointment.location == "Showroom"
    assert len(world.questions()) == 1
    assert world.link(ref).state is LinkState.ASKED


@pytest.mark.rule("Q-08")
@pytest.mark.parametrize(("answer", "hour"), [("yes", 10.5), ("no", 14)])
def test_the_answer_to_a_held_reschedule(world: World, answer: str, hour: float) -> None:
    """Yes moves the row; No parks the change, and other fields go on flowing."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, span=at(10.5))
    world.sync()
    world.answer(answer)
    world.sync()
    world.change(ref, subject="Demo, renamed")
    world.sync()

    row = next(row for row in world.rows() if row.appointment.subject == "Demo, renamed")
    assert row.appointment.span == at(hour)
    assert world.questions() == ()


@pytest.mark.rule("Q-08")
def test_back_at_the_agreed_time_the_question_is_withdrawn(world: World) -> None:
    """Nothing is left to decide."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.change(ref, span=at(10.5))
    world.sync()
    world.change(ref, span=at(14))
    world.sync()

    assert world.questions() == ()
    assert world.link(ref).state is LinkState.SETTLED


@pytest.mark.rule("A-25")
def test_a_future_appointment_deleted_in_exchange_is_deleted(world: World) -> None:
    """Its row goes too."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    world.exchange.delete("ada@example.org", ref)
    world.sync()

    assert world.rows() == ()


@pytest.mark.rule("A-25")
def test_a_past_or_completed_one_stays(world: World) -> None:
    """A row that began before now, and a closed one, are only unlinked."""
    past = world.track(meeting("Past", at(6, days=0)))
    done = world.track(meeting("Done", at(10)))
    world.sync()
    row = next(row for row in world.rows() if row.appointment.subject == "Done")
    world.crm.complete(row.id, by="ada")
    world.exchange.delete("ada@example.org", past)
    world.exchange.delete("ada@example.org", done)
    world.sync()

    assert world.subjects() == ["Done", "Past"]


@pytest.mark.rule("A-34")
def test_a_cancellation_frees_the_time(world: World) -> None:
    """A linked row becomes canceled and blocks nobody."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    world.change(ref, canceled=True, show_as=ShowAs.FREE)
    world.sync()
    world.track(meeting("Other", at(10)))
    world.sync()

    assert {row.appointment.subject: row.status for row in world.rows()} == {
        "Demo": Status.CANCELED,
        "Other": Status.SCHEDULED,
    }


@pytest.mark.rule("A-35")
def test_untracked_and_tracked_again_is_the_same_row(world: World) -> None:
    """The link is cut, the row stays; tracking again links and brings it up to date."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    (before,) = world.rows()
    world.exchange.set_categories("ada@example.org", ref, ())
    world.sync()
    world.change(ref, location="Showroom")
    world.sync()
    world.exchange.set_categories("ada@example.org", ref, (TRACKED,))
    world.sync()

    (row,) = world.rows()
    assert row.id == before.id
    assert row.appointment.location == "Showroom"


@pytest.mark.rule("A-36")
def test_a_row_deleted_in_the_crm_is_not_made_again(world: World) -> None:
    """An Exchange update of it is skipped with its code."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    (row,) = world.rows()
    world.crm.remove(row.id)
    world.sync()
    world.change(ref, span=at(12))
    world.sync()

    assert world.rows() == ()
    assert world.link(ref).sync_error == "ClosedInCrm"


@pytest.mark.rule("A-33")
def test_a_meeting_that_two_people_track_is_one_row(world: World) -> None:
    """The organizer's copy makes the row, the attendee's only links to it."""
    world.track(meeting("Price round", at(10), "bob"))
    copy = world.exchange.items("bob@example.org")[0]
    world.exchange.set_categories("bob@example.org", copy.ref, (TRACKED,))
    world.sync("ada")
    world.sync("bob")

    (row,) = world.rows()
    assert world.link(copy.ref, "bob").crm_id == row.id
    assert not world.link(copy.ref, "bob").writes


@pytest.mark.rule("Q-06")
def test_a_meeting_asks_once_and_the_answer_holds_for_all(world: World) -> None:
    """The question stands on the organizer's mailbox; the attendee's copy follows the answer."""
    world.crm.create(meeting("Review", at(10), organizer="bob"), owner="bob")
    world.track(meeting("Price round", at(10), "bob"))
    copy = world.exchange.items("bob@example.org")[0]
    world.exchange.set_categories("bob@example.org", copy.ref, (TRACKED,))
    world.sync("ada")
    world.sync("bob")
    assert (len(world.questions("ada")), len(world.questions("bob"))) == (1, 0)
    world.answer("yes")
    world.sync("ada")
    world.sync("bob")

    assert world.subjects() == ["Price round", "Review"]
    assert world.link(copy.ref, "bob").state is LinkState.SETTLED


def test_an_item_moved_to_another_folder_keeps_its_link(world: World) -> None:
    """Delete and Create of one identity is a move: the row is neither deleted nor doubled."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    (before,) = world.rows()
    folder = world.exchange.add_folder("ada@example.org", "Team")
    world.clock.advance(hours=1)
    moved = world.exchange.move("ada@example.org", ref, folder)
    world.sync()

    (row,) = world.rows()
    assert row.id == before.id
    assert world.link(moved).crm_id == row.id


@pytest.mark.rule("Q-10")
@pytest.mark.parametrize(
    ("setting", "subjects"),
    [(OnSchedulingConflict.SAVE_ANYWAY, ["Demo", "Review"]), (OnSchedulingConflict.KEEP_OUT, ["Review"])],
)
def test_the_setting_decides_at_first_sight(setting: OnSchedulingConflict, subjects: list[str]) -> None:
    """Nobody is asked where the mailbox's setting has decided."""
    world = World(rules=Rules(on_scheduling_conflict=setting))
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.track(meeting("Demo", at(10.5)))
    world.sync()

    assert world.subjects() == subjects
    assert world.questions() == ()


@pytest.mark.rule("CD-07")
def test_a_question_lapses_when_its_clash_is_over(scene: World) -> None:
    """It is never settled by time: the item is not written, and Yes still saves it."""
    scene.clock.advance(days=3)
    scene.sync()
    (alert,) = scene.questions()
    assert alert.state is AlertState.LAPSED
    assert scene.subjects() == ["Review"]
    scene.answer("yes")
    scene.sync()

    assert scene.subjects() == ["Demo", "Review"]


@pytest.mark.rule("CD-07")
def test_an_edit_after_the_question_lapsed_is_seen_once(scene: World) -> None:
    """Nothing is left to do about it in later cycles, and Yes still saves what stands there by then."""
    scene.clock.advance(days=3)
    scene.sync()
    (alert,) = scene.questions()
    (link,) = scene.store.links_by_id([alert.link_id or 0])
    scene.change(link.ref, location="Room 2")
    scene.sync()
    (link,) = scene.store.links_by_id([link.id])
    assert link.revision_settled == link.revision
    scene.answer("yes")
    scene.sync()

    assert "Room 2" in {row.appointment.location for row in scene.rows()}


def test_a_mass_deletion_is_held_and_yes_releases_it(world: World) -> None:
    """More than ten and more than five per cent gone at once wait for one answer; the rest goes on."""
    refs = [world.track(meeting(f"Item {n}", at(n, days=2 + n))) for n in range(20)]
    world.sync()
    for ref in refs[:12]:
        world.exchange.delete("ada@example.org", ref)
    world.change(refs[15], location="Moved on")
    world.sync()

    (alert,) = world.questions()
    assert alert.code == "MassDeletionHeld"
    assert len(world.rows()) == 20
    assert "Moved on" in {row.appointment.location for row in world.rows()}
    world.answer("yes")
    world.sync()
    assert len(world.rows()) == 8
    assert world.questions() == ()


def test_no_to_a_mass_deletion_keeps_the_rows_and_does_not_ask_again(world: World) -> None:
    """The rows stay, the deleted items are unlinked."""
    refs = [world.track(meeting(f"Item {n}", at(n, days=2 + n))) for n in range(20)]
    world.sync()
    for ref in refs[:12]:
        world.exchange.delete("ada@example.org", ref)
    world.sync()
    world.answer("no")
    world.sync()
    world.sync()

    assert len(world.rows()) == 20
    assert world.questions() == ()


@pytest.mark.rule("L-04a")
def test_a_mass_untracking_is_held(world: World) -> None:
    """A lost category cuts no links before somebody has said Yes."""
    refs = [world.track(meeting(f"Item {n}", at(n, days=2 + n))) for n in range(12)]
    world.sync()
    for ref in refs:
        world.exchange.set_categories("ada@example.org", ref, ())
    world.sync()
    (alert,) = world.questions()
    assert alert.code == "MassUntrackingHeld"
    world.answer("yes")
    world.sync()

    assert world.store.links_by_ref(world.mailboxes["ada"], refs) == {}
    assert len(world.rows()) == 12


def test_an_emptied_calendar_is_held(world: World) -> None:
    """A server that shows nothing any more deletes nothing."""
    for n in range(4):
        world.track(meeting(f"Item {n}", at(n, days=2 + n)))
    world.sync()
    world.exchange.empty("ada@example.org")
    world.sync()

    assert [alert.code for alert in world.questions()] == ["EmptiedSideHeld"]
    assert len(world.rows()) == 4


def test_an_edit_in_the_crm_is_shown_and_survives_an_exchange_change_of_another_field(world: World) -> None:
    """CRM-side edits are unsettled, not pushed, and not overwritten by another field's change."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    (row,) = world.rows()
    world.crm.edit(row.id, lambda found: replace(found, location="By the CRM"), by="ada")
    world.sync()
    assert world.link(ref).state is LinkState.UNSETTLED
    world.change(ref, subject="Demo, renamed")
    world.sync()

    (row,) = world.rows()
    assert (row.appointment.subject, row.appointment.location) == ("Demo, renamed", "By the CRM")
    assert world.link(ref).state is LinkState.UNSETTLED


def test_a_field_changed_on_both_sides_is_won_by_exchange(world: World) -> None:
    """Exchange wins, and the link is settled again."""
    ref = world.track(meeting("Demo", at(10)))
    world.sync()
    (row,) = world.rows()
    world.crm.edit(row.id, lambda found: replace(found, location="By the CRM"), by="ada")
    world.change(ref, location="By Exchange")
    world.sync()

    (row,) = world.rows()
    assert row.appointment.location == "By Exchange"
    assert world.link(ref).state is LinkState.SETTLED


def test_an_idle_cycle_writes_nothing_to_the_crm(world: World) -> None:
    """A second cycle finds nothing to do."""
    for n in range(5):
        world.track(meeting(f"Item {n}", at(9 + n)))
    world.sync()
    before = [row.version for row in world.rows()]
    result = world.sync()

    assert [row.version for row in world.rows()] == before
    assert not result.counts.worked


def test_one_unreadable_item_stops_nothing_and_is_tried_again(world: World) -> None:
    """The others are saved; the bad one fails with its code and is saved once it can be read."""
    from syncline.errors import SyncError

    bad = world.track(meeting("Bad", at(10)))
    world.track(meeting("Good", at(12)))
    world.exchange.spoil("ada@example.org", bad, SyncError("ItemUnreadable", subject="Bad", detail="told to"))
    world.sync()
    assert world.subjects() == ["Good"]
    assert world.link(bad).sync_error == "ItemUnreadable"
    world.exchange.spoil("ada@example.org", bad, None)
    world.clock.advance(minutes=6)
    world.sync()

    assert world.subjects() == ["Bad", "Good"]


def test_an_expired_cursor_doubles_nothing(world: World) -> None:
    """Everything is read again, and nothing is written."""
    world.track(meeting("Demo", at(10)))
    world.sync()
    world.exchange.expire_cursors("ada@example.org")
    result = world.sync()

    assert world.subjects() == ["Demo"]
    assert not result.counts.worked


@pytest.mark.rule("Q-09")
def test_of_two_new_items_the_older_is_saved(world: World) -> None:
    """What was created first is saved; the later candidate is asked about."""
    later = meeting("Later", at(10), created=world.clock.now() - timedelta(days=1))
    older = meeting("Older", at(10), created=world.clock.now() - timedelta(days=2))
    world.track(later)
    world.track(older)
    world.sync()

    assert world.subjects() == ["Older"]
    assert [alert.subject for alert in world.questions()] == ["Later"]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(world: World) -> None:
    """The plan names what would be saved, and asked with what it overlaps, also among the new ones."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    world.track(meeting("Demo", at(10.5)))
    world.track(meeting("Free slot", at(14)))
    world.track(meeting("Same slot", at(14)))
    result = world.preview()

    actions = {line.subject: (line.action, line.detail) for line in result.plan}
    assert actions["Demo"][0] == "ask"
    assert "Review" in actions["Demo"][1]
    assert sorted(actions[name][0] for name in ("Free slot", "Same slot")) == ["ask", "save"]
    assert world.subjects() == ["Review"]
    assert world.questions() == ()


def test_seen_states_are_told_apart() -> None:
    """Gone and untracked are never the same."""
    assert Seen.GONE is not Seen.UNTRACKED


# --- switched off ------------------------------------------------------------------------------------------------


@pytest.mark.rule("Q-02")
def test_an_answer_on_a_mailbox_that_is_switched_off_waits(world: World) -> None:
    """It was woken for its answer and disabled before it ran: nothing happens until it is enabled again."""
    world.track(meeting("Standup", at(10)))
    world.sync()
    ref = world.track(meeting("Demo", at(10.5)))
    world.sync()
    mailboxes.disable(world.store, world.mailboxes["ada"])
    world.answer("yes")
    world.track(meeting("Later", at(15)))
    assert not world.sync().claimed
    assert (world.subjects(), world.link(ref).decision) == (["Standup"], "yes")
    assert world.questions()[0].outcome is AlertOutcome.SAVING

    mailboxes.enable(world.store, world.clock, world.mailboxes["ada"])
    world.sync()
    assert world.subjects() == ["Demo", "Later", "Standup"]


@pytest.mark.rule("Q-02")
def test_an_answer_waits_if_its_mailbox_is_switched_off_during_a_cycle(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cycle that runs ends, but begins nothing that was answered after the mailbox was disabled."""
    world.track(meeting("Standup", at(10)))
    world.sync()
    world.track(meeting("Demo", at(10.5)))
    world.sync()
    changes = MemoryReplica.changes

    def meanwhile(replica: MemoryReplica, folder: str, cursor: str | None, limit: int) -> Page:
        if world.store.mailbox(world.mailboxes["ada"]).enabled:
            mailboxes.disable(world.store, world.mailboxes["ada"])
            world.answer("yes")
        return changes(replica, folder, cursor, limit)

    monkeypatch.setattr(MemoryReplica, "changes", meanwhile)
    world.sync()

    assert world.subjects() == ["Standup"]
    assert world.questions()[0].outcome is AlertOutcome.SAVING
