"""Answers from Outlook by category: the mark on a waiting item, the answers that count, and what stays untouched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.answering_by_category import Categorizing, CategoryNames
from syncline.core.appointment import Identity, Pattern, PatternKind, Recurrence
from syncline.engine import alerts
from syncline.engine.cycle import plan_cycle, run_cycle
from syncline.engine.run import Rules
from syncline.engine.tracking import track_now
from syncline.errors import SyncError
from syncline.ports import AlertOutcome, AlertState, Categorized, LinkState, Mailbox, Observed, Replica
from tests.engine.world import TRACKED, World, at, meeting

NAMES = CategoryNames()
ADA = "ada@example.org"


@dataclass
class Marking(World):
    """A world in which waiting items are marked, with one row in the way of everything at nine."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rules = replace(self.rules, outlook=NAMES)
        self.crm.create(meeting("In the way", at(9)), owner="ada")

    def waiting(self, subject: str = "Demo", *guests: str, **fields: object) -> str:
        """Save a tracked appointment that clashes, sync, and return its address."""
        ref = self.track(meeting(subject, at(9), *guests, **fields))
        self.sync()
        return ref

    def carries(self, ref: str, name: str = "ada") -> tuple[str, ...]:
        """Return the categories of an item without the tracking category."""
        found = self.exchange.item(f"{name}@example.org", ref).appointment.categories
        return tuple(each for each in found if each != TRACKED)

    def put(self, ref: str, *names: str) -> None:
        """Set the categories of an item, as its owner does in Outlook."""
        self.exchange.set_categories(ADA, ref, (TRACKED, *names))

    def writes(self) -> int:
        """Return how many writing requests there were."""
        return self.exchange.requests["categorize"]

    def told(self, ref: str) -> list[str]:
        """Return what the journal says of an item, oldest first."""
        return [entry.action for entry in self.store.journal(self.link(ref).id, limit=100).items][::-1]

    def marks(self) -> int:
        """Return how many marks are noted."""
        with self.store.reading() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM mark").scalar_one())


@pytest.fixture
def world() -> Marking:
    """Return a world in which waiting items are marked."""
    return Marking()


# --- the mark ----------------------------------------------------------------------------------------------------


def test_a_waiting_item_is_marked_and_keeps_its_other_categories(world: Marking) -> None:
    """The question's own item gets the category beside those that the person has set; nobody is mailed."""
    ref = world.exchange.add(ADA, replace(meeting("Demo", at(9), "bob"), categories=(TRACKED, "Red")), send=False)
    world.sync()

    assert world.carries(ref) == ("Red", NAMES.waiting)
    assert world.exchange.mails == 0


def test_nothing_is_marked_while_the_setting_is_off(world: Marking) -> None:
    """The default writes nothing to Exchange."""
    world.rules = replace(world.rules, outlook=None)
    ref = world.waiting()

    assert Rules().outlook is None
    assert (world.carries(ref), world.writes()) == ((), 0)


@pytest.mark.rule("Q-02")
def test_the_own_write_is_no_news(world: Marking) -> None:
    """The next cycles read nothing again, write nothing, ask nothing anew and add nothing to the journal."""
    ref = world.waiting()
    (asked,) = world.questions()
    told, read = world.told(ref), world.exchange.requests["read"]
    for _ in range(3):
        world.sync()

    assert (world.writes(), world.exchange.requests["read"]) == (1, read)
    assert world.told(ref) == told == ["asked", "marked in Outlook"]
    assert world.questions() == (asked,)


@pytest.mark.rule("A-24")
def test_an_item_tracked_by_request_loses_a_mark_that_nobody_knows_of(world: Marking) -> None:
    """It still carried the mark from before it was untracked, and nothing is asked about it any more."""
    ref = world.exchange.add(ADA, replace(meeting("Demo", at(14)), categories=("Red", NAMES.waiting)), send=False)
    track_now(world.parts, world.connect, world.mailboxes["ada"], "test", Identity("uid-Demo"), "Ada Admin")
    world.sync()
    world.sync()

    assert world.carries(ref) == ("Red",)
    assert world.marks() == 0


@pytest.mark.rule("Q-01")
def test_an_item_that_could_not_be_read_loses_a_mark_that_nobody_knows_of(world: Marking) -> None:
    """It is read at a later try, which no change of its folder tells of."""
    ref = world.exchange.add(ADA, replace(meeting("Demo", at(14)), categories=(TRACKED, "Red", NAMES.waiting)))
    world.exchange.spoil(ADA, ref, SyncError("ItemUnreadable", subject="Demo", detail="it is damaged"))
    world.sync()
    world.exchange.spoil(ADA, ref, None)
    world.clock.advance(minutes=30)
    world.sync()
    world.sync()

    assert (world.subjects(), world.carries(ref), world.marks()) == (["Demo", "In the way"], ("Red",), 0)


@pytest.mark.rule("L-11a")
def test_an_item_that_moved_loses_a_mark_that_nobody_knows_of(world: Marking) -> None:
    """It is found in a folder that has not been read yet, and reading that folder tells nothing new."""
    ref = world.track(meeting("Demo", at(14)))
    world.sync()
    folder = world.exchange.add_folder(ADA, "Projects")
    world.put(ref, "Red", NAMES.waiting)
    ref = world.exchange.move(ADA, ref, folder)
    for _ in range(3):
        world.sync()
        world.clock.advance(minutes=20)

    assert (world.carries(ref), world.marks()) == (("Red",), 0)


@pytest.mark.rule("1.11")
def test_an_item_that_is_tracked_again_loses_a_mark_that_nobody_knows_of() -> None:
    """Its row left the filters and is back; meanwhile nobody looked at the item."""
    world = Marking(rules=Rules(outgoing=True))
    world.sync()
    world.sync()
    world.crm.create(meeting("Demo", at(14)), owner="ada")
    world.sync()
    (ref,) = [item.ref for item in world.exchange.items(ADA) if item.appointment.subject == "Demo"]
    _filtering(world, on=False)
    assert world.carries(ref) == world.exchange.item(ADA, ref).appointment.categories == ()
    world.exchange.set_categories(ADA, ref, ("Red", NAMES.waiting))
    _filtering(world, on=True)
    world.sync()

    assert (world.exchange.item(ADA, ref).appointment.categories, world.marks()) == (("Red", TRACKED), 0)


def _filtering(world: Marking, *, on: bool) -> None:
    """Let Ada's filter select everything or nothing, and sync."""
    (kept,) = [each for each in world.store.filters() if each.user == "ada"]
    world.store.change_filter(kept.id, lambda known: replace(known, enabled=on), world.clock.now())
    world.clock.advance(minutes=6)
    world.sync()


def test_many_questions_are_marked_in_one_request(world: Marking) -> None:
    """A chunk of items is one request."""
    refs = [world.track(meeting(f"Demo {number}", at(9))) for number in range(30)]
    world.sync()

    assert all(world.carries(ref) == (NAMES.waiting,) for ref in refs)
    assert world.writes() == 1


def test_only_the_copy_of_the_mailbox_that_asks_is_marked(world: Marking) -> None:
    """Other people's copies of a meeting keep what they carry (CD-16)."""
    world.exchange.add(ADA, replace(meeting("Demo", at(9), "bob"), categories=(TRACKED,)))
    (copy,) = world.exchange.items("bob@example.org")
    world.exchange.set_categories("bob@example.org", copy.ref, (TRACKED,))
    sent = world.exchange.mails
    for name in ("ada", "bob", "ada", "bob"):
        world.sync(name)

    assert world.carries(copy.ref, "bob") == ()
    assert len(world.questions("ada")) == 1
    assert world.exchange.mails == sent


def test_a_mark_that_somebody_takes_off_is_set_again(world: Marking) -> None:
    """The item still waits, so it is marked; taking the category off answers nothing."""
    ref = world.waiting()
    world.put(ref)
    world.sync()

    assert world.carries(ref) == (NAMES.waiting,)
    assert world.questions()[0].state is AlertState.OPEN


def test_a_series_is_marked_as_a_whole(world: Marking) -> None:
    """The master carries the category, and a date of its own takes its answer from it."""
    daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(9).start.date(), count=4)
    ref = world.track(replace(meeting("Standup", at(9)), recurrence=daily))
    world.sync()
    world.put(ref, NAMES.save_anyway)
    world.sync()

    assert (world.carries(ref), world.link(ref).state) == ((), LinkState.SETTLED)


# --- answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beside", [(), (NAMES.waiting,)], ids=["replaced", "beside"])
def test_save_anyway_is_the_owner_s_yes(world: Marking, beside: tuple[str, ...]) -> None:
    """The next cycle takes it, carries it out, and takes both categories off again."""
    ref = world.waiting()
    world.put(ref, "Red", *beside, NAMES.save_anyway)
    result = world.sync()

    (alert,) = [each for each in world.store.alerts() if each.answer]
    assert world.subjects() == ["Demo", "In the way"]
    assert result.counts.saved == 1
    assert (alert.answer, alert.decided_by, alert.outcome) == ("yes", "Ada Admin in Outlook", AlertOutcome.SAVED)
    assert world.carries(ref) == ("Red",)


@pytest.mark.parametrize("beside", [(), (NAMES.waiting,)], ids=["replaced", "beside"])
def test_keep_out_is_the_owner_s_no(world: Marking, beside: tuple[str, ...]) -> None:
    """The item stays out, and carries nothing of ours afterwards."""
    ref = world.waiting()
    world.put(ref, *beside, NAMES.keep_out)
    world.sync()

    assert world.subjects() == ["In the way"]
    assert (world.link(ref).state, world.link(ref).decision_by) == (LinkState.KEPT_OUT, "Ada Admin in Outlook")
    assert world.carries(ref) == ()


def test_names_are_compared_without_case(world: Marking) -> None:
    """Outlook knows one category per name, whatever its case."""
    ref = world.waiting()
    world.put(ref, NAMES.save_anyway.upper())
    world.sync()

    assert (world.subjects(), world.carries(ref)) == (["Demo", "In the way"], ())


@pytest.mark.rule("Q-04")
def test_save_anyway_on_what_is_kept_out_changes_the_answer(world: Marking) -> None:
    """The way back from No is the same category."""
    ref = world.waiting()
    world.answer("no")
    world.sync()
    assert world.carries(ref) == ()
    world.put(ref, NAMES.save_anyway)
    world.sync()

    assert (world.subjects(), world.carries(ref)) == (["Demo", "In the way"], ())


def test_both_answers_at_once_are_none(world: Marking) -> None:
    """The question stays open and both categories stay; the journal says which to remove, once."""
    ref = world.waiting()
    world.put(ref, NAMES.save_anyway, NAMES.keep_out)
    world.sync()
    world.sync()

    assert world.questions()[0].state is AlertState.OPEN
    assert world.carries(ref) == (NAMES.save_anyway, NAMES.keep_out)
    assert world.told(ref).count("answer in Outlook not clear") == 1

    world.put(ref, NAMES.keep_out)
    world.sync()
    assert (world.link(ref).state, world.carries(ref)) == (LinkState.KEPT_OUT, ())


@pytest.mark.rule("Q-04")
def test_keep_out_after_a_yes_is_refused_and_taken_off(world: Marking) -> None:
    """A Yes is final; the category goes and the journal says why."""
    ref = world.waiting()
    world.answer("yes")
    world.sync()
    world.put(ref, NAMES.keep_out)
    world.sync()

    assert (world.subjects(), world.carries(ref)) == (["Demo", "In the way"], ())
    assert "answer in Outlook refused" in world.told(ref)


def test_an_answer_on_an_item_without_a_question_is_left_alone(world: Marking) -> None:
    """Nothing is asked about it, so the category means nothing to Syncline."""
    ref = world.track(meeting("Free slot", at(13)))
    world.sync()
    world.put(ref, NAMES.keep_out)
    world.sync()

    assert (world.carries(ref), world.writes()) == ((NAMES.keep_out,), 0)
    assert world.link(ref).state is LinkState.SETTLED


def test_an_answer_that_stood_there_before_the_question_does_not_count(world: Marking) -> None:
    """An invitation may come with any category: only what is set while the question stands is an answer."""
    ref = world.exchange.add(ADA, replace(meeting("Demo", at(9)), categories=(TRACKED, NAMES.save_anyway)))
    world.sync()

    assert world.questions()[0].state is AlertState.OPEN
    assert world.carries(ref) == (NAMES.waiting,)


@pytest.mark.rule("Q-02")
def test_an_answer_beside_another_time_is_asked_anew(world: Marking) -> None:
    """The answer was about the old time; the item is marked again and waits."""
    world.crm.create(meeting("Also in the way", at(15)), owner="ada")
    ref = world.waiting()
    world.change(ref, span=at(15), categories=(TRACKED, NAMES.save_anyway))
    world.sync()
    world.sync()

    assert world.questions()[0].state is AlertState.OPEN
    assert world.carries(ref) == (NAMES.waiting,)

    world.put(ref, NAMES.save_anyway)
    world.sync()
    assert "Demo" in world.subjects()


@pytest.mark.rule("Q-02")
def test_an_answer_beside_another_subject_counts(world: Marking) -> None:
    """A new text changes nothing about the question."""
    ref = world.waiting()
    world.change(ref, subject="Demo, second try", categories=(TRACKED, NAMES.save_anyway))
    world.sync()

    assert (world.subjects(), world.carries(ref)) == (["Demo, second try", "In the way"], ())


@pytest.mark.rule("Q-08")
def test_a_held_reschedule_is_answered_too(world: Marking) -> None:
    """Keep out leaves the row at its old time; Save anyway moves it after all."""
    ref = world.track(meeting("Demo", at(13)))
    world.sync()
    world.change(ref, span=at(9))
    world.sync()
    assert world.carries(ref) == (NAMES.waiting,)
    world.put(ref, NAMES.keep_out)
    world.sync()
    assert (world.link(ref).state, world.carries(ref)) == (LinkState.PARKED, ())
    world.put(ref, NAMES.save_anyway)
    world.sync()

    assert (world.link(ref).state, world.carries(ref)) == (LinkState.SETTLED, ())
    assert {row.appointment.span for row in world.rows()} == {at(9)}


# --- the mark goes -----------------------------------------------------------------------------------------------


def test_the_mark_goes_when_the_question_is_answered_elsewhere(world: Marking) -> None:
    """An answer on a page takes the category off in the same cycle that carries it out."""
    ref = world.waiting()
    world.answer("yes")
    world.sync()

    assert (world.carries(ref), world.subjects()) == ((), ["Demo", "In the way"])


def test_the_mark_goes_when_the_question_is_withdrawn(world: Marking) -> None:
    """The clash disappears: the item is saved and carries nothing of ours; nothing is noted any more."""
    ref = world.waiting()
    world.change(ref, span=at(13))
    world.sync()

    assert (world.carries(ref), world.marks()) == ((), 0)


def test_the_mark_goes_when_the_item_is_untracked(world: Marking) -> None:
    """The person takes the tracking category off; Syncline takes off what it has set."""
    ref = world.waiting()
    world.exchange.set_categories(ADA, ref, ("Red", NAMES.waiting))
    world.sync()

    assert (world.carries(ref), world.marks()) == (("Red",), 0)


@pytest.mark.rule("CD-07")
def test_the_mark_goes_when_the_question_lapses_and_save_anyway_still_counts(world: Marking) -> None:
    """What has ended is no double booking to come; it can still be saved for thirty days."""
    ref = world.waiting()
    world.clock.advance(days=3)
    world.sync()
    assert (world.carries(ref), world.questions()[0].state) == ((), AlertState.LAPSED)
    world.put(ref, NAMES.save_anyway)
    world.sync()

    assert (world.carries(ref), world.subjects()) == ((), ["Demo", "In the way"])


def test_a_deleted_item_leaves_nothing_noted(world: Marking) -> None:
    """With the item its mark is forgotten."""
    ref = world.waiting()
    world.exchange.delete(ADA, ref)
    world.sync()

    assert world.marks() == 0


def test_a_moved_item_keeps_its_question_and_its_mark(world: Marking) -> None:
    """In another folder the item has another address, and the answer still counts."""
    ref = world.waiting()
    ref = world.exchange.move(ADA, ref, world.exchange.add_folder(ADA, "Projects"))
    world.clock.advance(hours=1)
    world.sync()
    assert world.carries(ref) == (NAMES.waiting,)
    world.put(ref, NAMES.save_anyway)
    world.sync()

    assert (world.carries(ref), world.subjects()) == ((), ["Demo", "In the way"])


def test_a_copy_of_a_marked_item_loses_the_mark(world: Marking) -> None:
    """A copy carries the categories of what was copied, and nobody asks about it."""
    ref = world.waiting()
    copy = world.exchange.copy(ADA, ref)
    world.sync()

    assert (world.carries(ref), world.carries(copy)) == ((NAMES.waiting,), ())


def test_switching_the_setting_off_takes_all_marks_off(world: Marking) -> None:
    """The questions stay; what Syncline has set goes."""
    ref = world.waiting()
    world.rules = replace(world.rules, outlook=None)
    world.sync()

    assert (world.carries(ref), world.marks(), world.questions()[0].state) == ((), 0, AlertState.OPEN)


def test_another_name_replaces_the_former_one(world: Marking) -> None:
    """The category that stands there was set under the former name."""
    ref = world.waiting()
    world.rules = replace(world.rules, outlook=replace(NAMES, waiting="Wartet"))
    world.sync()

    assert world.carries(ref) == ("Wartet",)


# --- what must not be written, and what can go wrong -------------------------------------------------------------


def test_a_read_only_profile_is_never_written(world: Marking) -> None:
    """Neither is marked there, nor is an answer looked for."""
    with world.store.writing() as connection:
        connection.exec_driver_sql("UPDATE profile SET read_only = 1")
    ref = world.waiting()
    world.put(ref, NAMES.save_anyway)
    world.sync()

    assert (world.carries(ref), world.writes()) == ((NAMES.save_anyway,), 0)
    assert world.questions()[0].state is AlertState.OPEN


def test_without_the_right_to_write_it_is_told_once_and_not_tried_on_and_on(world: Marking) -> None:
    """The mailbox keeps syncing, the alert says what to do, and the question is answered in Syncline."""
    world.exchange.store(ADA).write_denied = True
    ref = world.waiting()
    for _ in range(20):
        world.clock.advance(minutes=10)
        world.sync()

    notices = [each for each in world.store.alerts() if each.code == "CategoriesNotWritable"]
    assert [each.state for each in notices] == [AlertState.OPEN]
    assert world.writes() <= 4
    assert world.carries(ref) == ()
    (question,) = [each for each in world.questions() if each.link_id]
    alerts.answer(world.store, world.clock, question.id, "yes", "Ada")
    world.sync()
    assert "Demo" in world.subjects()


def test_an_answer_counts_where_nothing_may_be_written(world: Marking) -> None:
    """The owner can answer by category although Syncline can take none off."""
    world.exchange.store(ADA).write_denied = True
    ref = world.waiting()
    world.put(ref, NAMES.save_anyway)
    world.sync()

    assert "Demo" in world.subjects()


def test_the_alert_goes_when_writing_works(world: Marking) -> None:
    """Once a category could be set, nothing is wrong any more."""
    world.exchange.store(ADA).write_denied = True
    world.waiting()
    world.exchange.store(ADA).write_denied = False
    world.clock.advance(days=1)
    world.sync()

    (notice,) = [each for each in world.store.alerts() if each.code == "CategoriesNotWritable"]
    assert notice.state is AlertState.WITHDRAWN


class Meddled(MemoryReplica):
    """A mailbox whose owner acts just before the write, once."""

    meddle = staticmethod(lambda: None)

    def categorize(self, changes: Sequence[Categorizing]) -> list[Categorized]:
        """Let the owner act, then write."""
        act, Meddled.meddle = Meddled.meddle, staticmethod(lambda: None)
        act()
        return super().categorize(changes)


class Failing(MemoryReplica):
    """A mailbox that cannot be written at the moment."""

    def categorize(self, changes: Sequence[Categorizing]) -> list[Categorized]:
        """Fail as a whole."""
        raise SyncError("ServiceUnavailable", mailbox=ADA, detail=f"{len(changes)} not written")


def test_an_answer_that_comes_while_the_item_is_being_marked_counts(world: Marking) -> None:
    """The write is refused because the item changed; it is read again and the answer is carried out at once."""

    class Here(Meddled):
        pass

    def connect(mailbox: Mailbox) -> Replica:
        return Here(world.exchange, mailbox.address)

    ref = world.track(meeting("Demo", at(9)))
    Meddled.meddle = staticmethod(lambda: world.put(ref, NAMES.save_anyway))
    run_cycle(world.parts, connect, world.mailboxes["ada"], "test")

    assert (world.subjects(), world.carries(ref)) == (["Demo", "In the way"], ())


def test_a_category_that_is_set_while_the_item_is_being_marked_stays(world: Marking) -> None:
    """Somebody's own category is never overwritten."""

    def connect(mailbox: Mailbox) -> Replica:
        return Meddled(world.exchange, mailbox.address)

    ref = world.track(meeting("Demo", at(9)))
    Meddled.meddle = staticmethod(lambda: world.put(ref, "Red"))
    run_cycle(world.parts, connect, world.mailboxes["ada"], "test")

    assert world.carries(ref) == ("Red", NAMES.waiting)


def test_a_write_that_fails_does_not_stop_the_mailbox(world: Marking) -> None:
    """Everything else of the cycle counts, and the mark is set later."""

    def connect(mailbox: Mailbox) -> Replica:
        return Failing(world.exchange, mailbox.address)

    ref = world.track(meeting("Demo", at(9)))
    result = run_cycle(world.parts, connect, world.mailboxes["ada"], "test")
    assert (result.error, result.counts.waiting) == (None, 1)
    world.clock.advance(hours=1)
    world.sync()

    assert world.carries(ref) == (NAMES.waiting,)


def test_a_dry_run_says_what_would_be_marked_and_marks_nothing(world: Marking) -> None:
    """The line of a question names the category."""
    ref = world.track(meeting("Demo", at(9)))
    result = plan_cycle(world.parts, world.connect, world.mailboxes["ada"], "test")

    (line,) = result.plan
    assert line.action == "ask"
    assert NAMES.waiting in line.detail
    assert (world.carries(ref), world.writes()) == ((), 0)


def test_the_crm_is_not_asked_while_the_state_is_held(world: Marking, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow CRM keeps nobody waiting who wants the state: who answers is asked before the answer is stored."""
    ref = world.waiting()
    users = world.crm.users
    monkeypatch.setattr(world.crm, "users", lambda: users() if world.store.mailboxes() else ())
    world.put(ref, NAMES.save_anyway)
    world.sync()

    assert world.subjects() == ["Demo", "In the way"]


def taken_back(world: Marking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sync, and let the answer that is taken be taken back just before it is carried out."""
    begin = world.store.begin

    def late(*given: object, **named: object) -> object:
        (alert,) = [each for each in world.questions() if each.state is AlertState.ANSWERED]
        alerts.undo(world.store, world.clock, alert.id, "ada", of_others=True)
        return begin(*given, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "begin", late)
        world.sync()


@pytest.mark.parametrize("denied", [False, True], ids=["writable", "read only"])
def test_an_answer_taken_back_is_not_taken_again(
    world: Marking, monkeypatch: pytest.MonkeyPatch, *, denied: bool
) -> None:
    """The category of an answer that was taken back counts no more, however long it stands there."""
    ref = world.waiting()
    world.exchange.store(ADA).write_denied = denied
    world.put(ref, NAMES.save_anyway)
    taken_back(world, monkeypatch)
    world.sync()
    world.exchange.touch(ADA, ref)
    world.sync()

    assert world.subjects() == ["In the way"]
    assert [each.state for each in world.questions() if each.link_id] == [AlertState.OPEN]
    assert world.carries(ref) == ((NAMES.save_anyway,) if denied else (NAMES.waiting,))


@pytest.mark.parametrize("denied", [False, True], ids=["writable", "read only"])
def test_after_an_answer_was_taken_back_the_same_counts_when_it_is_set_anew(
    world: Marking, monkeypatch: pytest.MonkeyPatch, *, denied: bool
) -> None:
    """The owner takes the category off, whoever did it, and sets it again: that is a new answer."""
    ref = world.waiting()
    world.exchange.store(ADA).write_denied = denied
    world.put(ref, NAMES.save_anyway)
    taken_back(world, monkeypatch)
    world.sync()
    world.put(ref)
    world.sync()
    world.put(ref, NAMES.save_anyway)
    world.sync()

    assert world.subjects() == ["Demo", "In the way"]


def test_an_answer_whose_cycle_failed_and_that_is_taken_back_is_not_taken_again(world: Marking) -> None:
    """Exchange fails between the answer and its carrying out; the owner takes it back meanwhile."""
    ref = world.waiting()
    world.put(ref, NAMES.save_anyway)

    class Gone(MemoryReplica):
        def read(self, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
            (alert,) = world.questions()
            if alert.state is AlertState.ANSWERED:
                raise SyncError("ServiceUnavailable", mailbox=ADA, detail="not now")
            return super().read(refs)

    failed = run_cycle(world.parts, lambda box: Gone(world.exchange, box.address), world.mailboxes["ada"], "test")
    assert failed.error is not None
    (alert,) = [each for each in world.questions() if each.link_id]
    assert alert.answer == "yes"
    alerts.undo(world.store, world.clock, alert.id, "ada", of_others=True)
    world.clock.advance(minutes=10)
    world.sync()

    assert (world.subjects(), world.carries(ref)) == (["In the way"], (NAMES.waiting,))
