"""Copies of one meeting in several mailboxes and folders: no update is lost, no question or row is doubled."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import MemoryReplica
from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence
from syncline.engine import alerts, mailboxes
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import AlertOutcome, AlertState, LinkState, Page
from tests.engine.world import TRACKED, World, at, meeting


@pytest.fixture
def world() -> World:
    """Return a fresh world."""
    return World()


def _external(world: World, hour: float = 10) -> tuple[str, str]:
    """Ada and Bob both track a meeting of a customer; Ada's copy made the row."""
    item = meeting("Visit", at(hour), "ada", "bob", organizer="customer")
    refs = world.track(item, "ada"), world.track(item, "bob")
    world.sync("ada")
    world.sync("bob")
    return refs


@pytest.mark.rule("A-33a")
def test_an_update_is_not_lost_when_the_deciding_copy_goes(world: World) -> None:
    """Bob's copy saw the new time first; when Ada's goes before she saw it, Bob's takes over with what it knows."""
    ada, bob = _external(world)
    world.change(ada, "ada", span=at(12))
    world.change(bob, "bob", span=at(12))
    world.sync("bob")
    world.exchange.delete("ada@example.org", ada)
    world.sync("ada")
    world.sync("bob")
    world.sync("bob")

    (row,) = world.rows()
    assert row.appointment.span == at(12)


@pytest.mark.rule("A-33a")
def test_an_update_is_not_lost_when_the_deciding_mailbox_is_switched_off(world: World) -> None:
    """Ada's mailbox is switched off before it saw the new time; Bob's copy takes over with what it knows."""
    ada, bob = _external(world)
    world.change(ada, "ada", span=at(12))
    world.change(bob, "bob", span=at(12))
    world.sync("bob")
    mailboxes.disable(world.store, world.mailboxes["ada"])
    world.sync("bob")
    world.sync("bob")

    (row,) = world.rows()
    assert row.appointment.span == at(12)


@pytest.mark.rule("A-33a")
def test_an_item_whose_identity_changes_still_updates_its_row(world: World) -> None:
    """The server tells the original start of an item only later: its row still follows."""
    ref = world.track(meeting("Visit", at(10), organizer="customer"))
    world.sync()
    world.change(ref, identity=Identity("uid-Visit", at(10).start))
    world.sync()
    world.change(ref, span=at(12))
    world.sync()

    (row,) = world.rows()
    assert row.appointment.span == at(12)


@pytest.mark.rule("Q-06")
def test_a_yes_holds_when_the_organizers_mailbox_takes_over(world: World) -> None:
    """Bob said Yes; before it is carried out Ada, who organizes, tracks her copy: nobody is told saved too early."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    item = meeting("Demo", at(10.5), "bob")
    world.exchange.add("ada@example.org", item, send=False)
    world.track(item, "bob")
    world.sync("bob")
    (question,) = world.questions("bob")
    alerts.answer(world.store, world.clock, question.id, "yes", "bob")
    (ref,) = [each.ref for each in world.exchange.items("ada@example.org")]
    world.exchange.set_categories("ada@example.org", ref, ("Tracked to Syncline CRM",))
    world.preview("ada")  # stages Ada's copy and writes nothing to the CRM
    world.sync("bob")

    saved = "Demo" in world.subjects()
    told = world.store.alert(question.id)
    assert saved or told.outcome is not AlertOutcome.SAVED
    world.sync("ada")
    world.sync("bob")
    assert world.subjects() == ["Demo", "Review"]
    assert world.questions("ada") == ()


@pytest.mark.rule("Q-06")
def test_an_item_moved_between_two_readings_is_not_asked_twice(world: World) -> None:
    """Its folder was read before the move, the other after it: still one question, and a No is not lost."""
    world.crm.create(meeting("Review", at(10)), owner="ada")
    folder = world.exchange.add_folder("ada@example.org", "Team")
    ref = world.track(meeting("Demo", at(10.5)))
    world.sync()
    old = world.answer("no")
    world.sync()
    real = MemoryReplica.changes
    moved: list[str] = []

    def changes(self: MemoryReplica, of: str, cursor: str | None, limit: int) -> Page:
        if of == folder and not moved:
            moved.append(world.exchange.move("ada@example.org", ref, folder))
        return real(self, of, cursor, limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryReplica, "changes", changes)
        world.sync()
    world.sync()
    world.sync()

    assert world.questions() == ()
    assert world.subjects() == ["Review"]
    assert world.store.alert(old.id).state is AlertState.ANSWERED
    assert world.link(moved[0]).decision == "no"


def _weekly(subject: str, hour: float, **fields: object) -> Appointment:
    span = at(hour)
    pattern = Pattern(kind=PatternKind.WEEKLY, weekdays=(span.start.weekday(),))
    return meeting(subject, span, recurrence=Recurrence(pattern=pattern, first=span.start.date(), count=10), **fields)


def test_a_single_that_becomes_a_series_keeps_its_row(world: World) -> None:
    """Turning an appointment into a series rewrites the same row, and back again."""
    ref = world.track(meeting("Stand-up", at(10)))
    world.sync()
    series = _weekly("Stand-up", 10)
    world.change(ref, recurrence=series.recurrence)
    world.sync()
    (row,) = world.rows()
    assert row.appointment.recurrence is not None
    world.change(ref, recurrence=None)
    world.sync()
    (row,) = world.rows()
    assert row.appointment.recurrence is None


@pytest.mark.rule("A-33a")
@pytest.mark.rule("Q-08")
def test_a_no_to_the_organizers_copy_stands_while_outlook_refuses_what_the_crm_changed() -> None:
    """Ada's copy only fails on its way to Outlook: it still decides, and Bob's copy neither asks nor moves the row."""
    world = World(rules=Rules(outgoing=True))
    ada = world.track(meeting("Visit", at(10), "bob"))
    (bob,) = world.exchange.items("bob@example.org")
    world.exchange.set_categories("bob@example.org", bob.ref, (TRACKED,))
    _sync_both(world)
    world.crm.create(meeting("In the way", at(14)), owner="ada")
    world.change(ada, span=at(14))
    _sync_both(world)
    world.answer("no")
    _sync_both(world)
    world.exchange.store("ada@example.org").write_denied = True
    row = next(row for row in world.rows() if row.appointment.subject == "Visit")
    world.crm.edit(row.id, lambda found: replace(found, location="Bern"), by="ada")
    world.sync("ada")
    assert world.link(ada).state is LinkState.FAILED
    _sync_both(world)

    told = next(row.appointment for row in world.rows() if row.appointment.subject == "Visit")
    assert (told.span, told.location, world.questions("bob")) == (at(10), "Bern", ())
    world.exchange.store("ada@example.org").write_denied = False
    _sync_both(world)
    assert [item.appointment.location for item in world.exchange.items("ada@example.org")][:1] == ["Bern"]


def _sync_both(world: World, *names: str) -> None:
    for _ in range(2):
        world.clock.advance(minutes=15)
        for name in names or ("ada", "bob"):
            world.sync(name)


@pytest.mark.rule("A-33a")
@pytest.mark.rule("3.1")
@pytest.mark.parametrize("outgoing", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("how", ["fails", "is switched off"])
@pytest.mark.parametrize("when", ["before it is seen", "after it is seen", "afterwards"])
@pytest.mark.parametrize("organizer", ["ada", "customer"])
def test_what_the_crm_changed_stays_when_another_copy_steps_in(
    outgoing: bool, how: str, when: str, organizer: str
) -> None:
    """Ada's copy made the row and stops; Bob's says nothing about the place, which is not taken for a change of his."""
    world = World(rules=Rules(outgoing=outgoing))
    meeting_of = meeting("Visit", at(10), "ada", "bob", organizer=organizer)
    ada = world.exchange.add("ada@example.org", replace(meeting_of, categories=(TRACKED,)), send=False)
    bob = world.exchange.add("bob@example.org", replace(meeting_of, categories=(TRACKED,)), send=False)
    _sync_both(world)
    (row,) = world.rows()

    def edit() -> None:
        world.crm.edit(row.id, lambda found: replace(found, location="CRM"), by="ada")

    if when != "afterwards":
        edit()
    if when == "after it is seen":
        _sync_both(world)
    if how == "fails":
        world.exchange.touch("ada@example.org", ada)
        error = SyncError("ItemUnreadable", subject="Visit", detail="it is damaged")
        world.exchange.spoil("ada@example.org", ada, error)
        world.sync("ada")
    else:
        mailboxes.disable(world.store, world.mailboxes["ada"])
    if when == "afterwards":
        edit()
    world.change(bob, "bob", description="Bob's")
    _sync_both(world, *(("bob",) if how == "is switched off" else ()))

    (told,) = [each.appointment for each in world.rows()]
    assert (told.location, told.description) == ("CRM", "Bob's")
    shown = world.exchange.item("bob@example.org", bob).appointment.location
    state = LinkState.SETTLED if outgoing or shown == "CRM" else LinkState.UNSETTLED
    assert world.link(bob, "bob").state is state
