"""The plan of both directions: it names what a real cycle then does, mail for mail, and writes nothing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Address, Attendee, Sensitivity, ShowAs
from syncline.core.guards import Invitations, Limits
from syncline.core.merging import Winner
from syncline.core.pushing import Policy
from syncline.engine import alerts
from syncline.engine.run import PlanLine, Rules
from syncline.ports import LinkState
from tests.engine.world import TRACKED, World, at, meeting

ADA = "ada@example.org"
EVE = "eve@elsewhere.example"
MIA = "mia@elsewhere.example"
TWO_WAY = Rules(outgoing=True)


def begun(rules: Rules = TWO_WAY) -> World:
    """Return a world whose first sync is over."""
    world = World(rules=rules)
    world.sync()
    return world


def standing(rules: Rules = TWO_WAY) -> tuple[World, str, str]:
    """Return a world with one meeting on both sides, its row and its item."""
    world = begun(rules)
    row = world.crm.create(meeting("Visit", at(10), EVE), owner="ada")
    world.sync()
    world.sync()  # What was made is read back, as every later cycle does.
    world.exchange.outbox.clear()
    (item,) = world.exchange.items(ADA)
    return world, row, item.ref


def mails(lines: tuple[PlanLine, ...]) -> Counter[tuple[str, str]]:
    """Return what would leave, by recipient and kind."""
    return Counter((mail.to, mail.kind.value) for line in lines for mail in line.leaving)


def sent(world: World) -> Counter[tuple[str, str]]:
    """Return what has left."""
    return Counter((mail.to, str(mail.kind)) for mail in world.exchange.outbox)


def snapshot(world: World) -> tuple[object, ...]:
    """Return both sides and the questions."""
    return world.exchange.items(ADA), world.rows(), world.questions(), tuple(world.exchange.outbox)


def previewed(world: World) -> tuple[PlanLine, ...]:
    """Return the plan; looking at it must not touch anything."""
    before = snapshot(world)
    result = world.preview()
    assert result.error is None
    assert snapshot(world) == before
    return result.plan


def fulfilled(world: World) -> tuple[PlanLine, ...]:
    """Return the plan after a real sync has sent exactly its mails."""
    plan = previewed(world)
    world.exchange.outbox.clear()
    world.sync()
    assert sent(world) == mails(plan)
    return plan


@pytest.mark.rule("A-06")
def test_a_creation_names_its_invitations() -> None:
    """A new row becomes an appointment, and each guest is named with the rule that decides."""
    world = begun()
    world.crm.create(meeting("Visit", at(10), EVE, MIA), owner="ada")
    (line,) = fulfilled(world)

    assert (line.action, line.outward, line.rule, line.mail_rule) == ("make", True, "A-01", "A-06")
    assert [mail.to for mail in line.mails] == [EVE, MIA]
    assert line.after is not None
    assert line.after.subject == "Visit"


@pytest.mark.rule("A-06")
def test_the_first_sync_says_that_it_mails_nobody() -> None:
    """Before the first sync everything is made, and the plan says why nobody hears of it."""
    world = World(rules=TWO_WAY)
    world.crm.create(meeting("Visit", at(10), EVE), owner="ada")
    (line,) = fulfilled(world)

    assert (line.action, line.mails, line.mail_rule) == ("make", (), "first sync")


@pytest.mark.rule("A-06")
def test_switched_off_invitations_are_said() -> None:
    """With mails switched off the plan says so."""
    world = begun(replace(TWO_WAY, pushing=Policy(send=False)))
    world.crm.create(meeting("Visit", at(10), EVE), owner="ada")
    (line,) = fulfilled(world)

    assert (line.mails, line.mail_rule) == ((), "invitations off")


@pytest.mark.rule("A-07")
def test_an_update_shows_its_fields_before_and_after() -> None:
    """A new time and place are shown as they were and as they would be."""
    world, row, _ = standing()
    world.crm.edit(row, lambda found: replace(found, span=at(12), location="Bern"), by="ada")
    (line,) = fulfilled(world)

    assert (line.action, line.fields, line.mail_rule) == ("update", ("location", "span"), "A-07")
    assert line.before is not None
    assert line.after is not None
    assert (line.before.location, line.after.location) == ("", "Bern")
    assert (line.before.span, line.after.span) == (at(10), at(12))
    assert [mail.kind.value for mail in line.mails] == ["update"]


@pytest.mark.rule("A-12")
def test_a_deletion_names_its_cancellations() -> None:
    """A deleted row takes the meeting with it, and the plan names who hears of it."""
    world, row, _ = standing()
    world.crm.remove(row)
    (line,) = fulfilled(world)

    assert (line.action, line.rule, line.mail_rule) == ("delete", "A-11", "A-12")
    assert [mail.kind.value for mail in line.mails] == ["cancellation"]


@pytest.mark.rule("3.1")
def test_edits_on_both_sides_are_two_lines() -> None:
    """Outlook's place comes in and the CRM's subject goes out, as the cycle does it in sequence."""
    world, row, ref = standing()
    world.change(ref, location="Bern")
    world.crm.edit(row, lambda found: replace(found, span=at(12)), by="ada")
    first, second = fulfilled(world)

    assert (first.outward, first.action, first.fields) == (False, "update", ("location",))
    assert (second.outward, second.action, second.fields) == (True, "update", ("span",))
    assert mails((first, second)) == Counter({(EVE, "update"): 1})


@pytest.mark.rule("3.1")
def test_the_value_of_the_crm_that_stands_goes_out() -> None:
    """Where the CRM wins, its time is carried over and mailed although Outlook moved it too."""
    world, row, ref = standing(replace(TWO_WAY, winner=Winner.CRM))
    world.change(ref, span=at(14))
    world.crm.edit(row, lambda found: replace(found, span=at(12)), by="ada")
    plan = fulfilled(world)

    assert mails(plan) == Counter({(EVE, "update"): 1})


@pytest.mark.rule("3.1")
def test_a_question_about_both_sides_is_foretold_with_both_versions() -> None:
    """What only a person can decide would be asked, and neither side is touched."""
    world, row, ref = standing(replace(TWO_WAY, winner=Winner.ASK))
    world.change(ref, subject="Visit to Bern")
    world.crm.edit(row, lambda found: replace(found, subject="Visit to Basel"), by="ada")
    (line,) = fulfilled(world)

    assert (line.action, line.code, line.fields) == ("ask", "BothSidesChanged", ("subject",))
    assert line.before is not None
    assert line.after is not None
    assert (line.before.subject, line.after.subject) == ("Visit to Basel", "Visit to Bern")
    assert [alert.code for alert in world.questions()] == ["BothSidesChanged"]


def foretold(world: World) -> str:
    """Return what the plan says of the only item that comes in, after a sync that did so."""
    (line,) = (line for line in fulfilled(world) if not line.outward)
    asked = [alert.code for alert in world.questions()]
    assert ([line.code] if line.action == "ask" else []) == asked
    return line.action


@pytest.mark.rule("Q-08")
@pytest.mark.parametrize(("before", "after", "action"), [("bob", None, "update"), (None, "bob", "ask")])
def test_guests_that_the_crm_changed_are_foretold_as_they_will_be_written(
    before: str | None, after: str | None, action: str
) -> None:
    """Bob has something else where Outlook moves the meeting: that counts if he takes part by then."""
    world = begun()
    world.crm.create(meeting("Other", at(14), organizer="bob"), owner="bob")
    row = world.crm.create(meeting("Visit", at(10), *filter(None, [before])), owner="ada")
    world.sync()
    world.sync()
    (item,) = world.exchange.items(ADA)
    guests = tuple(Attendee(f"{name}@example.org") for name in (after,) if name)
    world.crm.edit(row, lambda found: replace(found, attendees=guests), by="ada")
    world.change(item.ref, span=at(14))

    assert foretold(world) == action


@pytest.mark.rule("Q-08")
@pytest.mark.parametrize("fields", [{"span": at(10, length=0.5)}, {"show_as": ShowAs.OUT_OF_OFFICE}])
def test_a_change_that_adds_no_clash_is_foretold_as_an_update(fields: dict[str, Any]) -> None:
    """The meeting stands over another already, as somebody wanted it: nobody is asked about that again."""
    world, _, ref = standing()
    world.crm.create(meeting("Other", at(10)), owner="ada")
    world.sync()
    world.change(ref, **fields)

    assert foretold(world) == "update"


@pytest.mark.rule("Q-08")
def test_a_time_that_the_crm_keeps_is_foretold_without_a_question() -> None:
    """Both sides moved it and the CRM wins: what its time overlaps was the CRM's own doing."""
    world, row, ref = standing(replace(TWO_WAY, winner=Winner.CRM))
    world.crm.create(meeting("Other", at(14)), owner="ada")
    world.sync()
    world.crm.edit(row, lambda found: replace(found, span=at(14)), by="ada")
    world.change(ref, span=at(12))

    assert foretold(world) == "update"


@pytest.mark.rule("A-25")
@pytest.mark.parametrize("side", ["crm", "exchange"])
def test_a_deletion_that_overrules_an_edit_is_foretold_as_a_question(side: str) -> None:
    """Deleted on one side and edited on the other: the plan names the question, whichever side deleted."""
    policy = replace(TWO_WAY.policy, ask_before_overruling=True)
    world, row, ref = standing(replace(TWO_WAY, pushing=Policy(ask_before_overruling=True), policy=policy))
    if side == "crm":
        world.change(ref, subject="Visit to Bern")
        world.crm.remove(row)
    else:
        world.crm.edit(row, lambda found: replace(found, subject="Visit to Bern"), by="ada")
        world.exchange.delete(ADA, ref)
    plan = fulfilled(world)

    assert [(line.action, line.code) for line in plan] == [("ask", "DeletedAndEditedHeld")]
    assert [alert.code for alert in world.questions()] == ["DeletedAndEditedHeld"]


@pytest.mark.rule("A-14")
def test_another_organizer_is_foretold_as_a_question() -> None:
    """The plan asks; after the Yes it calls the meeting off and says to whom."""
    world, row, _ = standing()
    world.crm.edit(row, lambda found: replace(found, organizer=Address("bob@example.org", "Bob")), by="ada")
    (asked,) = fulfilled(world)
    assert (asked.action, asked.code, asked.leaving) == ("ask", "OrganizerChangedHeld", ())
    world.answer("yes")
    (line,) = fulfilled(world)

    assert (line.action, line.rule) == ("delete", "A-14")
    assert mails((line,)) == Counter({(EVE, "cancellation"): 1})


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (replace(TWO_WAY, invitations=Invitations(mails_max=1)), "InvitationsHeld"),
        (replace(TWO_WAY, invitations=Invitations(domains=("example.org",))), "InvitationsHeld"),
        (replace(TWO_WAY, limits=Limits(creations_max=1)), "MassCreationHeld"),
    ],
)
def test_what_a_guard_would_hold_is_said(rules: Rules, code: str) -> None:
    """Held writes carry the code of their question, and their mails do not count."""
    world = begun(rules)
    for hour in (10, 12):
        world.crm.create(meeting(f"Visit {hour}", at(hour), EVE), owner="ada")
    plan = fulfilled(world)

    held = [line for line in plan if line.action == "hold"]
    assert held
    assert {line.code for line in held} == {code}
    assert all(line.mails and not line.leaving for line in held)
    assert [alert.code for alert in world.questions()] == [code]


def test_an_emptied_crm_is_foretold() -> None:
    """Everything gone in the CRM is held, and nobody would be mailed."""
    world = begun()
    rows = [world.crm.create(meeting(f"Visit {n}", at(8 + n), EVE), owner="ada") for n in range(4)]
    world.sync()
    for row in rows:
        world.crm.remove(row)
    plan = fulfilled(world)

    assert {(line.action, line.code) for line in plan} == {("hold", "EmptiedCrmHeld")}
    assert len(plan) == 4


def test_a_no_of_a_guard_is_not_carried_out_by_a_look() -> None:
    """A dry run after a No leaves the answer, the links and both sides as they are."""
    world = begun()
    refs = [world.track(meeting(f"Visit {n}", at(8 + n))) for n in range(4)]
    world.sync()
    for ref in refs:
        world.exchange.delete(ADA, ref)
    world.sync()
    world.answer("no")
    plan = previewed(world)

    assert plan == ()
    assert len(world.rows()) == 4


def test_what_stands_on_both_sides_already_is_linked_once() -> None:
    """An item and a row of the same meeting are one line of the plan, not two new appointments."""
    world = begun()
    world.crm.create(meeting("Visit", at(10), EVE), owner="ada")
    world.exchange.add(ADA, replace(meeting("Visit", at(10), EVE), categories=(TRACKED,)))
    plan = fulfilled(world)

    assert [line.action for line in plan] == ["link"]
    assert len(world.rows()) == 1


@pytest.mark.rule("A-02")
def test_what_waits_for_its_invitation_is_said() -> None:
    """Bob's copy comes by Ada's invitation; his plan says that it waits."""
    world = begun()
    world.sync("bob")
    world.crm.create(meeting("Visit", at(10), "bob"), owner="ada")
    plan = world.preview("bob").plan

    assert [(line.action, line.code, line.outward) for line in plan] == [("await", "AwaitsInvitation", True)]


@pytest.mark.rule("A-09")
def test_a_draft_is_said_to_be_passed_over() -> None:
    """The plan names rule and code, and nobody who would be mailed."""
    world = begun()
    world.crm.create(meeting("Visit", at(10), "eve@elsewhere.example"), owner="ada", draft=True)
    (line,) = fulfilled(world)

    assert (line.action, line.rule, line.code, line.mails) == ("skip", "A-09", "DraftNotMade", ())


def test_what_flips_is_foretold_to_be_left_alone() -> None:
    """Once both sides overwrite each other by turns the plan says that it stops."""
    world, row, ref = standing()
    for turn in range(4):
        world.crm.edit(row, lambda found, n=turn: replace(found, subject=f"CRM {n}"), by="ada")
        world.sync()
        world.change(ref, subject=f"Outlook {turn}")
        world.sync()
    world.crm.edit(row, lambda found: replace(found, subject="CRM again"), by="ada")
    (line,) = fulfilled(world)

    assert (line.action, line.code) == ("fail", "ChangesBackAndForth")


def test_one_way_has_no_way_out() -> None:
    """While nothing is written to Exchange the plan has only what comes in."""
    world = begun(Rules())
    world.crm.create(meeting("Visit", at(10), EVE), owner="ada")
    world.track(meeting("Review", at(12)))
    plan = previewed(world)

    assert [(line.subject, line.outward) for line in plan] == [("Review", False)]


Step = Callable[[World, random.Random, str, str], object]


def _edit_row(world: World, dice: random.Random, row: str, _: str) -> None:
    change = dice.choice(
        (
            {"span": at(dice.randrange(6, 20), days=dice.choice((-2, 1, 2)))},
            {"subject": f"Name {dice.random()}"},
            {"attendees": tuple(Attendee(name) for name in dice.sample((EVE, MIA, "zoe@example.org"), 2))},
            {"sensitivity": dice.choice((Sensitivity.NORMAL, Sensitivity.PRIVATE))},
        )
    )
    world.crm.edit(row, lambda found: replace(found, **change), by="ada")


def _edit_item(world: World, dice: random.Random, _: str, ref: str) -> None:
    change = dice.choice(({"span": at(dice.randrange(6, 20))}, {"location": f"Room {dice.random()}"}))
    world.change(ref, **change)


@pytest.mark.rule("Q-08")
@pytest.mark.parametrize("then", ["moved elsewhere", "moved back", "save anyway"])
def test_the_end_of_a_no_is_foreseen_with_what_the_row_kept_for_itself(then: str) -> None:
    """While a move in Outlook was kept out the CRM moved the row too: what ends the No carries that over and mails."""
    world, row, ref = standing(replace(TWO_WAY, winner=Winner.CRM))
    world.crm.create(meeting("Busy", at(12)), owner="ada")
    world.sync()
    world.sync()
    world.exchange.edit(ADA, ref, lambda item: replace(item, span=at(12)))
    world.sync()
    question = world.answer("no")
    world.sync()
    world.crm.edit(row, lambda appointment: replace(appointment, span=at(16)), by="ada")
    world.sync()
    world.sync()
    if then == "save anyway":
        alerts.answer(world.store, world.clock, question.id, "yes", "ada")  # type: ignore[arg-type]
    else:
        hour = 10 if then == "moved back" else 14
        world.exchange.edit(ADA, ref, lambda item: replace(item, span=at(hour)))

    fulfilled(world)
    assert sent(world) == {("eve@elsewhere.example", "update"): 1}
    assert world.exchange.item(ADA, ref).appointment.span == at(16)


def _remove(world: World, _: random.Random, row: str, __: str) -> None:
    world.crm.remove(row)


def _delete(world: World, _: random.Random, __: str, ref: str) -> None:
    world.exchange.delete(ADA, ref)


STEPS: tuple[Step, ...] = (_edit_row, _edit_row, _edit_item, _remove, _delete)


@pytest.mark.parametrize("seed", range(24))
def test_any_plan_sends_what_it_says(seed: int) -> None:
    """After any mixture of edits and deletions on both sides a sync mails exactly what the plan foretold."""
    dice = random.Random(seed)
    winner = dice.choice(tuple(Winner))
    world = begun(replace(TWO_WAY, winner=winner, invitations=Invitations(mails_max=dice.choice((2, 100)))))
    for number in range(6):
        world.crm.create(meeting(f"Visit {number}", at(6 + 2 * number), EVE), owner="ada")
    fulfilled(world)
    world.sync()
    links = list(world.store.links_by_crm_id(world.mailboxes["ada"], [r.id for r in world.rows()]))
    for link in links:
        if link.state is LinkState.SETTLED and link.crm_id and dice.random() < 0.8:
            for step in dice.sample(STEPS[:3], dice.randrange(1, 3)):
                step(world, dice, link.crm_id, link.ref)
            if dice.random() < 0.3:
                dice.choice(STEPS[3:])(world, dice, link.crm_id, link.ref)
    fulfilled(world)
