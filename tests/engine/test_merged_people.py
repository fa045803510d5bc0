"""Whom a row keeps busy when the CRM changes its guests while Outlook changes the same meeting (CD-05, CD-05a)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Address, Appointment, Attendee, Response, ShowAs
from syncline.core.merging import Winner
from syncline.core.scheduling import ConflictPolicy, Person
from syncline.engine.run import Rules
from syncline.ports import Candidate, User
from tests.desk.office import DOMAIN, Office
from tests.engine.test_fifteen_traps import weekly
from tests.engine.world import World, at, meeting

ADA, BOB, CYD = (f"{name}@example.org" for name in ("ada", "bob", "cyd"))
TWO_WAY = Rules(outgoing=True)


def begun(rules: Rules = TWO_WAY) -> World:
    """Return a world whose first sync is over; Cyd is a CRM user without a mailbox."""
    world = World(rules=rules)
    world.crm.add_user(User(id="cyd", name="cyd", full_name="Cyd Chan", emails=(CYD,)))
    world.sync()
    return world


def standing(world: World, appointment: Appointment) -> tuple[str, str]:
    """Return item and row of a meeting that stands on both sides."""
    ref = world.track(appointment)
    world.sync()
    (row,) = (each for each in world.rows() if each.appointment.identity == appointment.identity)
    return ref, row.id


def busy(world: World, row: str) -> set[str]:
    """Return whom a row keeps busy."""
    return {person.address for person in world.crm.persons_of(row)}


def in_the_crm(world: World, row: str, *guests: str, **fields: object) -> None:
    """Let the CRM change the guests of a row."""
    people = tuple(map(Attendee, guests))
    world.crm.edit(row, lambda found: replace(found, attendees=people, **fields), by="ada")


def taken(world: World, hour: float, owner: str) -> str:
    """Let a CRM user have another appointment."""
    other = meeting(f"{owner} at {hour}", at(hour), organizer=owner)
    return world.crm.create(other, owner=owner)


@pytest.mark.rule("CD-05")
@pytest.mark.parametrize("rules", [TWO_WAY, Rules()])
@pytest.mark.parametrize(("before", "after"), [((), (BOB,)), ((BOB,), ()), ((BOB,), (CYD,))])
def test_guests_that_the_crm_changed_count_when_outlook_changes_a_text(
    rules: Rules, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    """The row holds both changes, and keeps those busy whom it names."""
    world = begun(rules)
    ref, row = standing(world, meeting("Visit", at(10), *before))
    in_the_crm(world, row, *after)
    world.change(ref, location="Bern")
    for _ in range(3):
        world.sync()
        world.clock.advance(minutes=6)

        assert world.crm.read([row])[row].appointment.location == "Bern"
        assert busy(world, row) == {ADA, *after}


@pytest.mark.rule("CD-05")
@pytest.mark.parametrize(("before", "after"), [((), ("jonas",)), (("jonas",), ())])
def test_the_embedded_crm_keeps_the_guests_of_both_sides_busy(
    tmp_path: Path, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    """Jonas is free or busy as the row says that holds both changes."""
    firm = Office(tmp_path)
    ref = firm.in_outlook("Visit", at(10), *before)
    firm.sync("maya")
    (link,) = firm.app.store.links_by_ref(firm.mailbox("maya").id, [ref]).values()
    assert link.crm_id is not None
    guests = tuple(Attendee(f"{name}@{DOMAIN}") for name in after)
    firm.app.crm.edit(link.crm_id, None, {"attendees": guests}, by_user="maya")
    firm.change(ref, location="Bern")
    firm.sync("maya")
    other = Candidate(appointment=meeting("Other", at(10)), persons=(Person(address=f"jonas@{DOMAIN}"),), user="jonas")
    (found,) = firm.app.crm.validate([other], ConflictPolicy())

    assert firm.app.crm.read([link.crm_id])[link.crm_id].appointment.location == "Bern"
    assert [person.full_name for person in found.unavailable] == ["Jonas Weber"] * len(after)


@pytest.mark.rule("Q-09")
def test_who_was_invited_in_the_crm_is_checked_at_the_time_that_outlook_sets() -> None:
    """Neither side overlaps anything by itself, both together do: that is asked about, and Yes keeps all busy."""
    world = begun()
    taken(world, 14, "bob")
    ref, row = standing(world, meeting("Visit", at(10)))
    in_the_crm(world, row, BOB)
    world.change(ref, span=at(14), location="Bern")
    world.sync()
    (question,) = world.questions()
    assert question.verdict is not None
    assert [person.full_name for person in question.verdict.unavailable] == ["Bob Berg"]
    held = world.crm.read([row])[row].appointment
    assert (held.span, held.location, busy(world, row)) == (at(10), "Bern", {ADA, BOB})

    world.answer("yes")
    world.sync()

    assert world.crm.read([row])[row].appointment.span == at(14)
    assert busy(world, row) == {ADA, BOB}


@pytest.mark.rule("Q-08")
def test_who_was_uninvited_in_the_crm_is_not_asked_about() -> None:
    """Outlook moves the meeting to where he has something else; he takes part no more."""
    world = begun()
    taken(world, 14, "bob")
    ref, row = standing(world, meeting("Visit", at(10), "bob"))
    in_the_crm(world, row)
    world.change(ref, span=at(14))
    world.sync()

    assert world.questions() == ()
    assert world.crm.read([row])[row].appointment.span == at(14)
    assert busy(world, row) == {ADA}


@pytest.mark.rule("Q-08")
def test_a_clash_of_whom_the_crm_invited_over_it_is_no_new_one() -> None:
    """He was invited to where he has something else; that Outlook makes the meeting shorter adds nothing to it."""
    world = begun()
    taken(world, 10, "bob")
    ref, row = standing(world, meeting("Visit", at(10), "cyd"))
    in_the_crm(world, row, BOB, CYD)
    world.change(ref, span=at(10, length=0.5))
    world.sync()

    assert world.questions() == ()
    assert busy(world, row) == {ADA, BOB, CYD}


@pytest.mark.rule("CD-05a")
@pytest.mark.parametrize("fields", [{"location": "Bern"}, {"span": at(11)}])
def test_who_declined_in_outlook_stays_free_when_the_crm_invites_others(fields: dict[str, Any]) -> None:
    """Answers are not in what the two sides have in common; they are read off the item."""
    world = begun()
    refused = Attendee(CYD, response=Response.DECLINED)
    ref, row = standing(world, replace(meeting("Visit", at(10)), attendees=(refused,)))
    assert busy(world, row) == {ADA}
    in_the_crm(world, row, CYD, BOB)
    world.change(ref, **fields)
    world.sync()

    assert busy(world, row) == {ADA, BOB}


@pytest.mark.rule("CD-05a")
def test_who_declines_while_the_crm_invites_another_is_free() -> None:
    """Only the answer changed in Outlook: the row keeps busy whom the CRM invited, and him no more."""
    world = begun()
    taken(world, 10, "bob")
    ref, row = standing(world, meeting("Visit", at(10), "cyd"))
    in_the_crm(world, row, CYD, BOB)
    world.change(ref, attendees=(Attendee(CYD, response=Response.DECLINED),))
    world.sync()

    assert world.questions() == ()
    assert busy(world, row) == {ADA, BOB}


@pytest.mark.rule("CD-05a")
def test_who_declined_what_was_shown_as_free_stays_free_when_the_crm_shows_it_as_busy() -> None:
    """Who takes part in what keeps nobody busy is known by the answers of the item."""
    world = begun()
    guests = (Attendee(BOB), Attendee(CYD, response=Response.DECLINED))
    ref, row = standing(world, replace(meeting("Visit", at(10)), attendees=guests, show_as=ShowAs.FREE))
    in_the_crm(world, row, BOB, CYD, show_as=ShowAs.BUSY)
    world.change(ref, location="Bern")
    world.sync()

    assert busy(world, row) == {ADA, BOB}


@pytest.mark.rule("CD-05a")
def test_who_declined_one_date_is_busy_on_that_date_no_more_when_the_crm_takes_him_off_the_series() -> None:
    """A date has answers of its own; what the CRM made of another date has those of the series."""
    world = begun()
    series = replace(weekly("Visit"), attendees=(Attendee(BOB),), organizer=Address(ADA))
    ref, row = standing(world, series)
    second = at(9, days=8)
    refused = (Attendee(BOB, response=Response.DECLINED),)
    world.exchange.edit_occurrence(ADA, ref, second, lambda found: replace(found, attendees=refused))
    world.sync()
    in_the_crm(world, row)
    world.change(ref, location="Bern")
    world.sync()

    assert busy(world, row) == {ADA}


@pytest.mark.rule("3.1")
@pytest.mark.parametrize(("winner", "guest"), [(Winner.CRM, CYD), (Winner.EXCHANGE, BOB)])
def test_of_guests_that_both_sides_changed_those_count_that_stand(winner: Winner, guest: str) -> None:
    """Whoever wins, the row keeps those busy whom it names."""
    world = begun(replace(TWO_WAY, winner=winner))
    ref, row = standing(world, meeting("Visit", at(10)))
    in_the_crm(world, row, CYD)
    world.change(ref, attendees=(Attendee(BOB),))
    world.sync()

    assert busy(world, row) == {ADA, guest}


@pytest.mark.rule("Q-08")
@pytest.mark.parametrize("answer", [None, "no"])
def test_guests_that_the_crm_changes_stay_while_a_new_time_waits(answer: str | None) -> None:
    """The new time is held or parked and texts go on flowing: who the CRM invited meanwhile is kept busy."""
    world = begun()
    taken(world, 14, "ada")
    ref, row = standing(world, meeting("Visit", at(10)))
    world.change(ref, span=at(14))
    world.sync()
    if answer is not None:
        world.answer(answer)
        world.sync()
    in_the_crm(world, row, BOB)
    world.change(ref, location="Bern")
    world.sync()

    held = world.crm.read([row])[row].appointment
    assert (held.span, held.location) == (at(10), "Bern")
    assert busy(world, row) == {ADA, BOB}


@pytest.mark.rule("Q-02")
def test_an_answer_holds_when_the_crm_changes_the_guests_meanwhile() -> None:
    """It is bound to what Outlook says; what is written keeps those busy whom the row names by then."""
    world = begun()
    taken(world, 14, "ada")
    ref, row = standing(world, meeting("Visit", at(10), "cyd"))
    world.change(ref, span=at(14))
    world.sync()
    in_the_crm(world, row, BOB)
    world.answer("yes")
    world.sync()

    assert world.questions() == ()
    assert world.crm.read([row])[row].appointment.span == at(14)
    assert busy(world, row) == {ADA, BOB}


@pytest.mark.rule("Q-05")
def test_a_question_about_somebody_whom_the_crm_uninvites_is_withdrawn() -> None:
    """Outlook moved the meeting to where he has something else; he takes part no more, and nobody needs to answer."""
    world = begun()
    taken(world, 14, "bob")
    ref, row = standing(world, meeting("Visit", at(10), "bob"))
    world.change(ref, span=at(14))
    world.sync()
    assert len(world.questions()) == 1
    in_the_crm(world, row)
    world.sync()

    assert world.questions() == ()
    assert world.crm.read([row])[row].appointment.span == at(14)
    assert busy(world, row) == {ADA}


@pytest.mark.rule("Q-05")
def test_a_question_is_withdrawn_when_only_what_the_row_overlaps_already_is_in_the_way() -> None:
    """It was asked about another appointment; with that gone the new time overlaps what the row stands over anyway."""
    world = begun()
    taken(world, 10, "bob")
    ref, row = standing(world, meeting("Visit", at(10)))
    in_the_crm(world, row, BOB)
    world.sync()
    other = taken(world, 11, "ada")
    world.change(ref, span=at(10, length=2))
    world.sync()
    assert len(world.questions()) == 1
    world.crm.remove(other)
    world.sync()

    assert world.questions() == ()
    assert world.crm.read([row])[row].appointment.span == at(10, length=2)
