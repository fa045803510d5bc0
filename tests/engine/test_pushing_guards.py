"""CRM to Exchange: what is held back and asked about, what the settings decide, and what never flows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Address, Sensitivity
from syncline.core.guards import Invitations, Limits
from syncline.core.merging import PrivatePolicy, Winner
from syncline.core.planning import Policy as Planning
from syncline.core.pushing import Direction
from syncline.ports import Alert, Origin, Trashed
from tests.engine.test_pushing import ADA, TWO_WAY, enter, links, outlook, two_way
from tests.engine.world import NOW, World, at, meeting

EVE, GUS = "eve@elsewhere.example", "gus@partner.example"
Mails = list[tuple[str, str]]


def ready(**rules: Any) -> World:
    """Return a world after the first sync of both mailboxes."""
    world = two_way(replace(TWO_WAY, **rules))
    world.sync()
    world.sync("bob")
    return world


def mails(world: World) -> Mails:
    """Return kind and recipient of every mail since this was last asked."""
    found = sorted((mail.kind, mail.to) for mail in world.exchange.outbox)
    world.exchange.outbox.clear()
    return found


def subjects(world: World, name: str = "ada") -> list[str]:
    """Return the subjects in a calendar in Outlook."""
    return sorted(item.subject for item in outlook(world, name))


def codes(world: World, name: str = "ada") -> list[str]:
    """Return the codes of what stands open."""
    return sorted(alert.code for alert in world.questions(name))


def asked(world: World, code: str) -> Alert:
    """Return the only open question of a code."""
    (found,) = [alert for alert in world.questions() if alert.code == code]
    return found


def assert_quiet(world: World, *names: str) -> None:
    """Further cycles write nothing on either side and mail nobody."""
    before = [world.exchange.items(f"{name}@example.org") for name in ("ada", "bob")], world.rows()
    mails(world)
    for _ in range(2):
        world.clock.advance(minutes=10)
        for name in names or ("ada", "bob"):
            world.sync(name)
    assert ([world.exchange.items(f"{name}@example.org") for name in ("ada", "bob")], world.rows()) == before
    assert mails(world) == []


# --- what was found by tests of whole installations ---------------------------------------------------------------


@pytest.mark.rule("A-03")
def test_the_alert_about_a_missing_organizer_ends_with_its_cause() -> None:
    """Once the row names an organizer it goes over, and the alert about it is withdrawn."""
    world = ready()
    row = enter(world, replace(meeting("Visit", at(10), "ada"), organizer=None))
    world.sync()
    assert codes(world) == ["OrganizerMissing"]
    world.crm.edit(row, lambda found: replace(found, organizer=Address(ADA, "Ada"), attendees=()), by="ada")
    world.sync()

    assert subjects(world) == ["Visit"]
    assert world.questions() == ()


@pytest.mark.rule("A-03")
def test_the_alert_about_a_missing_organizer_ends_with_its_row() -> None:
    """A row that is deleted instead of mended leaves no alert behind."""
    world = ready()
    row = enter(world, replace(meeting("Visit", at(10), "ada"), organizer=None))
    world.sync()
    world.crm.remove(row)
    world.sync()

    assert world.questions() == ()
    assert links(world) == []


@pytest.mark.rule("D-03")
def test_a_mask_does_not_overwrite_a_private_row() -> None:
    """Under the policy *mask* a private row that the CRM made keeps its words on both sides."""
    mask = PrivatePolicy.MASK
    world = ready(policy=Planning(private=mask), pushing=replace(TWO_WAY.pushing, private=mask))
    row = enter(world, meeting("Doctor", at(10), sensitivity=Sensitivity.PRIVATE, location="Clinic"))
    world.sync()
    world.sync()
    (item,) = world.exchange.items(ADA)
    world.change(item.ref, span=at(12), subject="Doctor, private words")
    world.sync()

    (found,) = world.rows()
    assert (found.id, found.appointment.subject, found.appointment.location) == (row, "Doctor", "Clinic")
    assert found.appointment.span == at(12)
    assert subjects(world) == ["Doctor, private words"]
    assert_quiet(world)


# --- invitations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_mails_beyond_the_budget_are_one_question(answer: str) -> None:
    """Two of four meetings fit into the budget; of the others a Yes sends exactly theirs, a No makes none of them."""
    world = ready(invitations=Invitations(mails_max=2))
    for hour in (9, 11, 13, 15):
        enter(world, meeting(f"at {hour}", at(hour), EVE))
    world.sync()
    assert mails(world) == [("request", EVE)] * 2
    assert subjects(world) == ["at 11", "at 9"]
    question = asked(world, "InvitationsHeld")
    assert (question.params["mails"], question.params["people"], question.params["count"]) == ("2", EVE, "2")
    world.sync()
    assert (mails(world), len(outlook(world))) == ([], 2)

    world.answer(answer)
    world.sync()
    assert mails(world) == ([("request", EVE)] * 2 if answer == "yes" else [])
    assert len(outlook(world)) == (4 if answer == "yes" else 2)
    assert len(world.rows()) == 4
    assert world.questions() == ()
    assert_quiet(world)


@pytest.mark.rule("A-07")
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_mails_to_other_domains_are_one_question(answer: str) -> None:
    """Bob may be told unasked, Eve and Gus not; a No leaves Outlook as it is and does not ask again."""
    world = ready(invitations=Invitations(domains=("example.org",)))
    rows = [enter(world, meeting(name, at(hour), *guests)) for name, hour, guests in (
        ("in house", 9, ("bob",)), ("outside", 11, (EVE, "bob")), ("partner", 13, (GUS,)))]  # fmt: skip
    world.sync()
    assert (subjects(world), mails(world)) == (["in house"], [("request", "bob@example.org")])
    assert asked(world, "InvitationsHeld").params["people"] == f"bob@example.org, {EVE}, {GUS}"
    world.answer(answer)
    world.sync()

    sent = [("request", "bob@example.org"), ("request", EVE), ("request", GUS)] if answer == "yes" else []
    assert mails(world) == sent
    assert subjects(world) == (["in house", "outside", "partner"] if answer == "yes" else ["in house"])
    world.sync()
    assert world.questions() == ()
    assert_quiet(world, "ada")

    world.crm.edit(rows[2], lambda found: replace(found, span=at(14)), by="ada")
    world.sync()
    assert codes(world) == ["InvitationsHeld"]
    assert mails(world) == []


@pytest.mark.rule("A-07")
def test_an_update_that_would_mail_is_held_with_its_fields() -> None:
    """A No to an update leaves the item in Outlook as it is; the row keeps its value, and nobody is asked again."""
    world = ready(invitations=Invitations(domains=("example.org",)), pushing=replace(TWO_WAY.pushing, send=True))
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    people = meeting("Visit", at(10), EVE).attendees
    world.crm.edit(row, lambda found: replace(found, attendees=people, location="Bern"), by="ada")
    world.sync()
    assert codes(world) == ["InvitationsHeld"]
    assert outlook(world)[0].attendees == ()
    world.answer("no")
    world.sync()

    (item,), (held,) = outlook(world), world.rows()
    assert (item.attendees, item.location, held.appointment.location) == ((), "", "Bern")
    assert (mails(world), world.questions()) == ([], ())
    assert_quiet(world)


def test_without_invitations_nobody_is_mailed() -> None:
    """With the setting off meetings are made, changed and deleted, and no mail leaves."""
    world = ready(pushing=replace(TWO_WAY.pushing, send=False))
    row = enter(world, meeting("Visit", at(10), EVE, "bob"))
    world.sync()
    world.crm.edit(row, lambda found: replace(found, span=at(12)), by="ada")
    world.sync()
    assert [item.span for item in outlook(world)] == [at(12)]
    world.crm.remove(row)
    world.sync()
    assert (outlook(world), mails(world)) == ([], [])


# --- too much at once ---------------------------------------------------------------------------------------------


def many_rows(world: World, count: int) -> list[str]:
    """Enter rows that stand in Outlook afterwards."""
    rows = [enter(world, meeting(f"row {n:03}", at(8, days=1 + n))) for n in range(count)]
    world.sync()
    assert len(outlook(world)) == count
    return rows


@pytest.mark.rule("A-11")
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_many_deleted_rows_are_one_question(answer: str) -> None:
    """Twelve of forty rows go at once: nothing is deleted until a Yes; a No keeps the items and unlinks them."""
    world = ready()
    rows = many_rows(world, 40)
    for row in rows[:12]:
        world.crm.remove(row)
    world.crm.edit(rows[20], lambda found: replace(found, location="Bern"), by="ada")
    world.sync()
    assert codes(world) == ["MassItemDeletionHeld"]
    assert len(outlook(world)) == 40
    assert sum(item.location == "Bern" for item in outlook(world)) == 1
    world.answer(answer)
    world.sync()

    assert len(outlook(world)) == (28 if answer == "yes" else 40)
    assert world.questions() == ()
    assert len(world.rows()) == 28
    assert len(trashed(world)) == (12 if answer == "yes" else 0)
    assert_quiet(world)


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_emptied_crm_is_one_question(answer: str) -> None:
    """Every row is gone: that is asked about, however few they are."""
    world = ready()
    for row in many_rows(world, 4):
        world.crm.remove(row)
    world.sync()
    assert (codes(world), len(outlook(world))) == (["EmptiedCrmHeld"], 4)
    world.answer(answer)
    world.sync()
    assert len(outlook(world)) == (0 if answer == "yes" else 4)
    assert (world.questions(), world.rows()) == ((), ())
    assert_quiet(world)


@pytest.mark.parametrize(("there", "lost"), [(20, 12), (4, 3)])
def test_a_crm_that_lost_most_of_its_rows_is_asked_about_and_not_called_emptied(there: int, lost: int) -> None:
    """The question says how many of how many, counted as they were before."""
    world = ready()
    for row in many_rows(world, there)[:lost]:
        world.crm.remove(row)
    world.sync()
    (question,) = world.questions()
    told = (question.code, question.params["count"], question.params["total"])
    assert told == ("MassItemDeletionHeld", str(lost), str(there))
    assert len(outlook(world)) == there


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_flood_of_new_rows_is_one_question(answer: str) -> None:
    """Six new rows are too many where five may come at once; a No keeps them out of Outlook and does not ask again."""
    world = ready(limits=Limits(creations_max=5))
    for number in range(6):
        enter(world, meeting(f"new {number}", at(9, days=number + 1)))
    world.sync()
    assert (codes(world), outlook(world)) == (["MassCreationHeld"], [])
    world.answer(answer)
    world.sync()
    assert len(outlook(world)) == (6 if answer == "yes" else 0)
    assert (world.questions(), len(world.rows())) == ((), 6)
    assert_quiet(world)


def test_the_first_sync_is_no_flood() -> None:
    """What stood in the CRM before the first sync goes over unasked."""
    world = two_way(replace(TWO_WAY, limits=Limits(creations_max=5)))
    for number in range(6):
        enter(world, meeting(f"new {number}", at(9, days=number + 1)))
    world.sync()
    assert (len(outlook(world)), world.questions()) == (6, ())


# --- both sides changed -------------------------------------------------------------------------------------------


def torn(world: World, **fields: tuple[object, object]) -> tuple[str, str]:
    """Let both sides change fields of an appointment they agree on, (Outlook, CRM) each; return item and row."""
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    (item,) = world.exchange.items(ADA)
    world.change(item.ref, **{name: values[0] for name, values in fields.items()})
    world.crm.edit(row, lambda found: replace(found, **{n: v[1] for n, v in fields.items()}), by="ada")  # type: ignore[arg-type]
    world.sync()
    return item.ref, row


def sides(world: World, name: str) -> tuple[object, object]:
    """Return a field in Outlook and in the CRM."""
    return getattr(outlook(world)[0], name), getattr(world.rows()[0].appointment, name)


@pytest.mark.rule("3.1")
@pytest.mark.parametrize(("winner", "wanted"), [(Winner.EXCHANGE, "Outlook"), (Winner.CRM, "CRM")])
def test_the_side_that_wins_stands_on_both(winner: Winner, wanted: str) -> None:
    """The same field was changed on both sides: the setting decides, no clock; both sides are equal afterwards."""
    world = ready(winner=winner)
    torn(world, subject=("Outlook", "CRM"))
    assert sides(world, "subject") == (wanted, wanted)
    assert world.questions() == ()
    assert_quiet(world)


@pytest.mark.rule("3.1")
def test_each_field_has_its_own_winner() -> None:
    """Subject by Outlook, place by the CRM, time by Outlook."""
    world = ready(winners={"location": Winner.CRM})
    torn(world, subject=("Outlook", "CRM"), location=("Oslo", "Bern"), span=(at(14), at(16)))
    assert [sides(world, name) for name in ("subject", "location", "span")] == [
        ("Outlook", "Outlook"), ("Bern", "Bern"), (at(14), at(14)),
    ]  # fmt: skip
    assert_quiet(world)


@pytest.mark.rule("3.1")
@pytest.mark.parametrize(("answer", "wanted"), [("yes", "Outlook"), ("no", "CRM")])
def test_what_both_changed_is_asked_side_by_side(answer: str, wanted: str) -> None:
    """The question shows both versions; Yes takes Outlook's, No the CRM's; other fields did not wait for it."""
    world = ready(winner=Winner.ASK)
    torn(world, subject=("Outlook", "CRM"))
    question = asked(world, "BothSidesChanged")
    assert (question.params["exchange"], question.params["row"]) == ("Outlook", "CRM")
    assert sides(world, "subject") == ("Outlook", "CRM")
    world.answer(answer)
    world.sync()
    assert sides(world, "subject") == (wanted, wanted)
    assert world.questions() == ()
    assert_quiet(world)


@pytest.mark.rule("3.1")
@pytest.mark.rule("A-33")
@pytest.mark.parametrize("winner", list(Winner))
def test_where_nothing_is_agreed_outlooks_values_stand(winner: Winner) -> None:
    """Both stood there before they were linked: nobody knows who changed what, whoever wins else."""
    world = two_way(replace(TWO_WAY, winner=winner))
    row = enter(world, meeting("Visit", at(10), location="CRM"))
    ref = world.track(meeting("Visit", at(10), location="Outlook"))
    world.sync()

    (held,) = world.rows()
    assert (held.id, held.appointment.location, world.link(ref).crm_id) == (row, "Outlook", row)
    assert (codes(world), [item.location for item in outlook(world)]) == ([], ["Outlook"])
    assert_quiet(world)


@pytest.mark.rule("Q-02")
def test_an_answer_holds_for_what_was_shown() -> None:
    """One side changed again before the answer is carried out: it is asked anew, nothing is overwritten."""
    world = ready(winner=Winner.ASK)
    _, row = torn(world, subject=("Outlook", "CRM"))
    world.answer("no")
    world.crm.edit(row, lambda found: replace(found, subject="CRM, later"), by="ada")
    world.sync()
    assert sides(world, "subject") == ("Outlook", "CRM, later")
    assert asked(world, "BothSidesChanged").params["row"] == "CRM, later"


@pytest.mark.rule("3.1")
def test_the_question_ends_when_both_say_the_same() -> None:
    """One side takes the other's value: nothing needs to be decided any more."""
    world = ready(winner=Winner.ASK)
    item, _ = torn(world, subject=("Outlook", "CRM"))
    world.change(item, subject="CRM")
    world.sync()
    assert (sides(world, "subject"), world.questions()) == (("CRM", "CRM"), ())
    assert_quiet(world)


@pytest.mark.rule("3.9")
@pytest.mark.parametrize(
    ("direction", "outlook_edit", "crm_edit"),
    [
        (Direction.TO_CRM, ("Outlook", "Outlook"), ("Visit", "CRM")),
        (Direction.TO_EXCHANGE, ("Outlook", "Visit"), ("CRM", "CRM")),
        (Direction.NONE, ("Outlook", "Visit"), ("Visit", "CRM")),
        (Direction.BOTH, ("Outlook", "Outlook"), ("CRM", "CRM")),
    ],
)
def test_the_direction_of_a_field(
    direction: Direction, outlook_edit: tuple[str, str], crm_edit: tuple[str, str]
) -> None:
    """An edit flows where the direction lets it, and stays where it does not; other fields flow as ever."""
    for by_outlook, wanted in ((True, outlook_edit), (False, crm_edit)):
        world = ready(pushing=replace(TWO_WAY.pushing, directions={"subject": direction}))
        row = enter(world, meeting("Visit", at(10)))
        world.sync()
        (item,) = world.exchange.items(ADA)
        if by_outlook:
            world.change(item.ref, subject="Outlook", location="Bern")
        else:
            world.crm.edit(row, lambda found: replace(found, subject="CRM", location="Bern"), by="ada")
        world.sync()
        assert sides(world, "subject") == wanted, by_outlook
        assert sides(world, "location") == ("Bern", "Bern")
        assert_quiet(world)


# --- deleted here, edited there -----------------------------------------------------------------------------------


def asking() -> World:
    """Return a world that asks before a deletion overrules an edit, in both directions."""
    return ready(
        policy=Planning(ask_before_overruling=True), pushing=replace(TWO_WAY.pushing, ask_before_overruling=True)
    )


@pytest.mark.rule("A-25")
@pytest.mark.parametrize("ask", [False, True])
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_deleted_in_outlook_and_edited_in_the_crm(ask: bool, answer: str) -> None:
    """Deletion wins and the edited content is kept; by setting it is asked first, and a No keeps the row."""
    world = asking() if ask else ready()
    row = enter(world, meeting("Visit", at(10)))
    world.sync()
    world.sync()
    (item,) = world.exchange.items(ADA)
    world.exchange.delete(ADA, item.ref)
    world.crm.edit(row, lambda found: replace(found, location="Bern"), by="ada")
    world.sync()
    if ask:
        assert codes(world) == ["DeletedAndEditedHeld"]
        assert len(world.rows()) == 1
        world.answer(answer)
        world.sync()
    stays = ask and answer == "no"
    assert [found.appointment.location for found in world.rows()] == (["Bern"] if stays else [])
    assert world.questions() == ()
    assert outlook(world) == []
    if not stays:
        assert [kept.appointment.location for kept in trashed(world)] == ["Bern"]
    assert_quiet(world)


@pytest.mark.rule("A-11")
@pytest.mark.parametrize("ask", [False, True])
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_deleted_in_the_crm_and_edited_in_outlook(ask: bool, answer: str) -> None:
    """The other way round: the item goes and its edited content is kept; by setting it is asked first."""
    world = asking() if ask else ready()
    row = enter(world, meeting("Visit", at(10), EVE))
    world.sync()
    mails(world)
    (item,) = world.exchange.items(ADA)
    world.exchange.edit(ADA, item.ref, lambda found: replace(found, location="Bern"), send=False)
    world.crm.remove(row)
    world.sync()
    if ask:
        assert codes(world) == ["DeletedAndEditedHeld"]
        assert (len(outlook(world)), mails(world)) == (1, [])
        world.answer(answer)
        world.sync()
    stays = ask and answer == "no"
    assert [found.location for found in outlook(world)] == (["Bern"] if stays else [])
    assert mails(world) == ([] if stays else [("cancellation", EVE)])
    assert world.questions() == ()
    assert world.rows() == ()
    if not stays:
        (kept,) = trashed(world)
        assert (kept.appointment.location, kept.side, kept.reason) == ("Bern", Origin.EXCHANGE, "edited")
    assert_quiet(world)


@pytest.mark.rule("A-25")
def test_a_row_kept_by_a_no_is_made_in_outlook_anew_once_it_is_edited() -> None:
    """As the question says beside its No: until then nothing happens, afterwards its guests are invited."""
    world = ready()
    rows = [enter(world, meeting(f"Visit {hour}", at(hour), EVE)) for hour in (9, 11, 13)]
    world.sync()
    for item in world.exchange.items(ADA):
        world.exchange.delete(ADA, item.ref)
    world.sync()
    assert codes(world) == ["EmptiedSideHeld"]
    world.answer("no")
    world.sync()
    world.sync()
    mails(world)
    assert (subjects(world), len(world.rows())) == ([], 3)
    world.crm.edit(rows[0], lambda found: replace(found, location="Bern"), by="ada")
    world.sync()

    assert (subjects(world), mails(world)) == (["Visit 9"], [("request", EVE)])


def trashed(world: World) -> list[Trashed]:
    """Return what the trash of all mailboxes holds."""
    return list(world.store.trash_page(since=NOW - timedelta(days=30)).items)
