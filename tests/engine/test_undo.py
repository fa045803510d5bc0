"""Taking an answer back while a cycle runs: what is undone is never carried out, what is begun is never undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncline.engine import alerts, cycle
from syncline.errors import SyncError
from syncline.ports import Alert, AlertOutcome, AlertState, LinkState
from tests.engine.world import World, at, meeting


def asked() -> tuple[World, Alert, str]:
    """Return a world with one open question, and the address of its item."""
    world = World()
    world.crm.create(meeting("Review", at(10)), owner="ada")
    ref = world.track(meeting("Demo", at(10.5)))
    world.sync()
    (question,) = world.questions()
    return world, question, ref


def before(monkeypatch: pytest.MonkeyPatch, world: World, method: str, act: Callable[[], object]) -> None:
    """Let `act` happen once, just before the next call of a method of the state."""
    call = getattr(world.store, method)
    acted: list[object] = []

    def acting(*given: object, **named: object) -> object:
        if not acted:
            acted.append(True)
            act()
        return call(*given, **named)

    monkeypatch.setattr(world.store, method, acting)


def undo(world: World, question: Alert) -> None:
    """Take the answer back."""
    alerts.undo(world.store, world.clock, question.id, "ada")


def test_an_answer_undone_before_its_intent_is_not_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cycle has read the Yes and decided; the transaction that stores its intent sees that it is gone."""
    world, question, ref = asked()
    alerts.answer(world.store, world.clock, question.id, "yes", "ada")
    before(monkeypatch, world, "begin", lambda: undo(world, question))
    world.sync()

    assert world.subjects() == ["Review"]
    assert world.store.alert(question.id) == question
    assert (world.link(ref).state, world.link(ref).decision) == (LinkState.ASKED, None)
    assert world.store.intents(world.mailboxes["ada"]) == ()


def test_an_answer_whose_intent_stands_is_not_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the intent on it is too late, and the answer is carried out."""
    world, question, _ = asked()
    alerts.answer(world.store, world.clock, question.id, "yes", "ada")
    refused: list[str] = []

    def too_late() -> None:
        try:
            undo(world, question)
        except SyncError as error:
            refused.append(error.code)

    book = world.crm.book
    monkeypatch.setattr(world.crm, "book", lambda *given: (too_late(), book(*given))[1])
    world.sync()

    assert refused == ["AlreadyBegun"]
    assert world.subjects() == ["Demo", "Review"]
    assert world.store.alert(question.id).outcome is AlertOutcome.SAVED


def test_another_answer_after_the_undone_one_is_the_one_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Yes, taken back and No, all while the cycle holds the first Yes: the item is kept out."""
    world, question, ref = asked()
    alerts.answer(world.store, world.clock, question.id, "yes", "ada")

    def change_mind() -> None:
        undo(world, question)
        alerts.answer(world.store, world.clock, question.id, "no", "bob")

    before(monkeypatch, world, "begin", change_mind)
    world.sync()
    world.sync()

    assert world.subjects() == ["Review"]
    assert world.link(ref).state is LinkState.KEPT_OUT
    assert (world.store.alert(question.id).answer, world.store.alert(question.id).decided_by) == ("no", "bob")


@pytest.mark.rule("Q-04")
def test_a_no_undone_before_the_mailbox_takes_note_leaves_the_question_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was decided on a No that nobody gives any more is not written."""
    world, question, ref = asked()
    alerts.answer(world.store, world.clock, question.id, "no", "ada")
    write = world.store.write
    done: list[object] = []

    def writing(lease: object, changes: object) -> object:
        if not done and getattr(changes, "decided", False):
            done.append(True)
            undo(world, question)
        return write(lease, changes)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "write", writing)
    world.sync()
    monkeypatch.undo()

    assert done
    assert (world.link(ref).state, world.link(ref).decision) == (LinkState.ASKED, None)
    assert world.store.alert(question.id).state is AlertState.OPEN
    world.sync()
    assert [each.id for each in world.questions()] == [question.id]


def test_an_answer_given_and_undone_while_its_item_is_saved_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clash is gone and the item is on its way; who read it before the answer has missed nothing."""
    world, question, ref = asked()
    world.crm.remove(next(row.id for row in world.rows()))

    def answer_and_undo() -> None:
        alerts.answer(world.store, world.clock, question.id, "no", "ada")
        undo(world, question)

    before(monkeypatch, world, "begin", answer_and_undo)
    world.sync()

    assert world.subjects() == ["Demo"]
    assert world.link(ref).state is LinkState.SETTLED
    assert world.store.alert(question.id).state is AlertState.WITHDRAWN


def test_an_item_deleted_under_an_undone_answer_takes_its_question_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """No question stays open about an item that is gone."""
    world, question, ref = asked()
    alerts.answer(world.store, world.clock, question.id, "yes", "ada")
    world.exchange.delete("ada@example.org", ref)
    write = world.store.write

    def writing(lease: object, changes: object) -> object:
        if getattr(changes, "removed_links", ()):
            undo(world, question)
        return write(lease, changes)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "write", writing)
    world.sync()

    assert world.store.alert(question.id).state is AlertState.WITHDRAWN
    assert world.questions() == ()


def test_what_is_not_saved_yet_can_be_taken_back_if_nothing_was_begun() -> None:
    """The CRM could not even be read: nothing has begun."""
    world, question, _ = asked()
    alerts.answer(world.store, world.clock, question.id, "yes", "ada")
    read = world.crm.read

    def refuse(_: object) -> object:
        raise SyncError("CrmUnavailable", crm="Syncline CRM", detail="told to")

    world.crm.read = refuse  # type: ignore[method-assign,assignment]
    with pytest.raises(SyncError, match="CrmUnavailable"):
        world.sync()
    world.crm.read = read  # type: ignore[method-assign]
    assert world.store.alert(question.id).outcome is AlertOutcome.NOT_SAVED_YET
    undo(world, question)
    world.sync()

    assert world.subjects() == ["Review"]


def test_of_many_answers_each_says_that_it_is_not_saved_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many were answered together: none is left saying that it is being saved."""
    monkeypatch.setattr(cycle, "ANSWERS_MAX", 2)
    world = World()
    for day in range(1, 6):
        world.crm.create(meeting(f"Review {day}", at(10, days=day)), owner="ada")
        world.track(meeting(f"Demo {day}", at(10.5, days=day)))
    world.sync()
    numbers = [question.id for question in world.questions()]
    alerts.answer_all(world.store, world.clock, numbers, "yes", "ada")

    def refuse(_: object) -> object:
        raise SyncError("CrmUnavailable", crm="Syncline CRM", detail="told to")

    monkeypatch.setattr(world.crm, "read", refuse)
    with pytest.raises(SyncError, match="CrmUnavailable"):
        world.sync()

    assert len(numbers) == 5
    assert {world.store.alert(number).outcome for number in numbers} == {AlertOutcome.NOT_SAVED_YET}


def test_a_guards_answer_is_fixed_when_a_cycle_takes_it_up() -> None:
    """Until then the release of mass deletions can be taken back."""
    world = World()
    refs = [world.track(meeting(f"Item {n}", at(9, days=n))) for n in range(1, 14)]
    world.sync()
    for ref in refs:
        world.exchange.delete("ada@example.org", ref)
    world.sync()
    (held,) = world.questions()
    alerts.answer(world.store, world.clock, held.id, "yes", "ada")
    undo(world, held)
    world.sync()
    assert len(world.rows()) == 13
    alerts.answer(world.store, world.clock, held.id, "yes", "ada")
    world.sync()

    assert world.rows() == ()
    with pytest.raises(SyncError, match="AlreadyBegun"):
        undo(world, held)


@pytest.mark.rule("SEC-12")
def test_taking_back_is_recorded_beside_the_answer() -> None:
    """Decisions are append-only: the answer stays, and that it was taken back stands after it."""
    world, question, _ = asked()
    alerts.answer(world.store, world.clock, question.id, "yes", "ada")
    alerts.undo(world.store, world.clock, question.id, "bob", of_others=True)
    with world.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT answer, decided_by, undone FROM decision ORDER BY id").all()

    assert [tuple(each) for each in rows] == [("yes", "ada", 0), ("yes", "bob", 1)]
    (line, *_) = world.store.journal(question.link_id or 0).items
    assert (line.action, line.detail) == ("answer taken back", "yes by ada, taken back by bob")
