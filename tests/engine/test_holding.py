"""CRM to Exchange: what is held back and asked about, and what is left out, each by its code."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.core.guards import Invitations, Limits
from syncline.core.merging import Winner
from syncline.engine.run import Rules
from syncline.ports import LinkState
from tests.engine.test_pushing import ADA, TWO_WAY, enter, links, outlook, two_way
from tests.engine.world import World, at, meeting


def partners(rules: Rules = TWO_WAY) -> World:
    """Return a world in which both sides are partners and the first sync of both mailboxes is over."""
    world = two_way(rules)
    world.sync()
    world.sync("bob")
    return world


def asked(world: World) -> list[str]:
    """Return the codes of what Ada is asked."""
    return [alert.code for alert in world.questions()]


def codes(world: World, name: str = "ada") -> list[str | None]:
    """Return why the links of a mailbox are left out."""
    return [link.sync_error for link in links(world, name) if link.state is LinkState.SKIPPED]


def several(world: World, count: int) -> list[str]:
    """Enter appointments in the CRM and carry them over, and return their rows."""
    rows = [enter(world, meeting(f"Visit {number}", at(8 + number))) for number in range(count)]
    world.sync()
    assert len(outlook(world)) == count
    return rows


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_many_new_appointments_are_held(answer: str) -> None:
    """More new appointments than anybody enters by hand are one question; a No keeps them out of Outlook for good."""
    world = partners(replace(TWO_WAY, limits=Limits(creations_max=1)))
    for number in range(2):
        enter(world, meeting(f"Visit {number}", at(8 + number)))
    world.sync()
    assert (asked(world), outlook(world)) == (["MassCreationHeld"], [])
    world.answer(answer)
    world.sync()
    world.sync()

    assert asked(world) == []
    assert len(outlook(world)) == (2 if answer == "yes" else 0)
    assert codes(world) == ([] if answer == "yes" else ["KeptFromOutlook"] * 2)
    assert len(world.rows()) == 2


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_mails_to_other_domains_are_held(answer: str) -> None:
    """A meeting that would invite somebody outside the allowed domains waits, and no mail leaves before a Yes."""
    world = partners(replace(TWO_WAY, invitations=Invitations(domains=("example.org",))))
    enter(world, meeting("Inside", at(9), "bob"))
    enter(world, meeting("Outside", at(11), "eve@elsewhere.example"))
    world.sync()
    (alert,) = world.questions()
    assert (alert.code, alert.params["mails"], alert.params["people"]) == (
        "InvitationsHeld",
        "1",
        "eve@elsewhere.example",
    )
    assert [mail.to for mail in world.exchange.outbox] == ["bob@example.org"]
    world.answer(answer)
    world.sync()
    world.sync()

    told = ["bob@example.org", "eve@elsewhere.example"] if answer == "yes" else ["bob@example.org"]
    assert [mail.to for mail in world.exchange.outbox] == told
    assert codes(world) == ([] if answer == "yes" else ["KeptFromOutlook"])
    assert asked(world) == []


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_many_deletions_are_held(answer: str) -> None:
    """Many rows that are deleted at once are deleted in Outlook only after a Yes."""
    world = partners(replace(TWO_WAY, limits=Limits(items_max=1, share_max=0.0)))
    for row in several(world, 4)[:2]:
        world.crm.remove(row)
    world.sync()
    assert (asked(world), len(outlook(world))) == (["MassItemDeletionHeld"], 4)
    world.answer(answer)
    world.sync()
    world.sync()

    assert asked(world) == []
    assert len(outlook(world)) == (2 if answer == "yes" else 4)


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_emptied_crm_is_held(answer: str) -> None:
    """A CRM that holds nothing any more empties no calendar before a Yes, however few there were."""
    world = partners()
    for row in several(world, 3):
        world.crm.remove(row)
    world.sync()
    assert (asked(world), len(outlook(world))) == (["EmptiedCrmHeld"], 3)
    world.answer(answer)
    world.sync()
    world.sync()

    assert asked(world) == []
    assert len(outlook(world)) == (0 if answer == "yes" else 3)


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_restored_crm_overwrites_nothing_unasked(answer: str) -> None:
    """Rows that are older than what was agreed change nothing in Outlook before a Yes."""
    world = partners()
    (row,) = several(world, 1)
    backup = world.crm.back_up()
    world.crm.edit(row, lambda found: replace(found, subject="Later"), by="ada")
    world.sync()
    world.crm.restore(backup)
    world.sync()
    assert asked(world) == ["RestoredCrmHeld"]
    assert [item.subject for item in outlook(world)] == ["Later"]
    world.answer(answer)
    world.sync()
    world.sync()

    assert asked(world) == []
    assert [item.subject for item in outlook(world)] == ["Visit 0" if answer == "yes" else "Later"]


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_mailbox_read_anew_deletes_nothing_unasked(answer: str) -> None:
    """An item that is missing after the cursor was lost takes its row with it only after a Yes."""
    world = partners()
    several(world, 2)
    (gone, _) = world.exchange.items(ADA)
    world.exchange.delete(ADA, gone.ref)
    world.exchange.expire_cursors(ADA)
    world.sync()
    assert (asked(world), len(world.rows())) == (["RestoredSideHeld"], 2)
    world.answer(answer)
    world.sync()
    world.sync()

    assert asked(world) == []
    assert len(world.rows()) == (1 if answer == "yes" else 2)


@pytest.mark.rule("3.1")
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_the_same_field_changed_on_both_sides_is_asked_about(answer: str) -> None:
    """By setting a person sees both versions; Yes takes Outlook's on both sides, No the CRM's."""
    world = partners(replace(TWO_WAY, winner=Winner.ASK))
    (row,) = several(world, 1)
    (item,) = world.exchange.items(ADA)
    world.change(item.ref, subject="Of Outlook")
    world.crm.edit(row, lambda found: replace(found, subject="Of the CRM"), by="ada")
    world.sync()
    (alert,) = world.questions()
    assert (alert.code, alert.params["fields"]) == ("BothSidesChanged", "subject")
    assert (alert.params["exchange"], alert.params["row"]) == ("Of Outlook", "Of the CRM")
    assert (outlook(world)[0].subject, world.subjects()) == ("Of Outlook", ["Of the CRM"])
    world.answer(answer)
    world.sync()
    world.sync()

    stands = "Of Outlook" if answer == "yes" else "Of the CRM"
    assert asked(world) == []
    assert (outlook(world)[0].subject, world.subjects()) == (stands, [stands])


@pytest.mark.rule("A-11")
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_deletion_that_overrules_an_edit_in_outlook_is_asked_about(answer: str) -> None:
    """By setting a row deleted while Outlook edits it is a question; a No keeps the edited one in Outlook."""
    world = partners(asking(TWO_WAY))
    (row,) = several(world, 1)
    (item,) = world.exchange.items(ADA)
    world.crm.remove(row)
    world.change(item.ref, subject="Edited")
    world.sync()
    assert asked(world) == ["DeletedAndEditedHeld"]
    world.answer(answer)
    world.sync()
    world.sync()

    assert (asked(world), world.rows()) == ([], ())
    assert [found.subject for found in outlook(world)] == ([] if answer == "yes" else ["Edited"])


@pytest.mark.rule("A-25")
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_deletion_that_overrules_an_edit_in_the_crm_is_asked_about(answer: str) -> None:
    """By setting an item deleted while the CRM edits it is a question; a No keeps the edited row."""
    world = partners(asking(TWO_WAY))
    (row,) = several(world, 1)
    world.sync()
    (item,) = world.exchange.items(ADA)
    world.exchange.delete(ADA, item.ref)
    world.crm.edit(row, lambda found: replace(found, subject="Edited"), by="ada")
    world.sync()
    assert asked(world) == ["DeletedAndEditedHeld"]
    world.answer(answer)
    world.sync()
    world.sync()

    assert asked(world) == []
    assert world.subjects() == ([] if answer == "yes" else ["Edited"])


@pytest.mark.rule("A-08")
@pytest.mark.parametrize("told", [True, False])
def test_guests_of_a_meeting_that_began_hear_of_changes_by_setting(told: bool) -> None:
    """A change of a meeting that is over reaches Outlook, and mails nobody unless the setting says so."""
    world = partners(replace(TWO_WAY, pushing=replace(TWO_WAY.pushing, mail_about_past=told)))
    row = enter(world, meeting("Visit", at(10), "eve@elsewhere.example"))
    world.sync()
    world.exchange.outbox.clear()
    world.clock.advance(days=3)
    world.crm.edit(row, lambda found: replace(found, location="Lobby"), by="ada")
    world.sync()

    assert [item.location for item in outlook(world)] == ["Lobby"]
    assert [mail.kind for mail in world.exchange.outbox] == (["update"] if told else [])


@pytest.mark.rule("A-02")
def test_who_takes_part_waits_for_the_invitation() -> None:
    """Bob's calendar waits for Ada's invitation; nobody waits for an organizer without a mailbox."""
    world = partners()
    enter(world, meeting("Ada's", at(9), "bob"))
    enter(world, meeting("Eve's", at(11), "bob", organizer="eve"))
    world.sync("bob")

    assert outlook(world, "bob") == []
    assert sorted(map(str, codes(world, "bob"))) == ["AwaitsInvitation", "OrganizedElsewhere"]


@pytest.mark.rule("A-35")
def test_what_people_untracked_is_not_taken_up_again() -> None:
    """An untracked item of the row's identity is left alone, and no second one is made beside it."""
    world = partners()
    there = meeting("Visit", at(10))
    world.exchange.add(ADA, there)
    enter(world, there)
    world.sync()

    assert (len(outlook(world)), codes(world)) == (1, ["UntrackedInOutlook"])


@pytest.mark.rule("R-05")
def test_what_is_over_is_left_out_by_its_code() -> None:
    """A row that is over when it is first seen is left out, and the code says why."""
    world = partners()
    enter(world, meeting("Gone", at(10, days=-3)))
    world.sync()

    assert (outlook(world), codes(world)) == ([], ["PastNotMade"])


@pytest.mark.rule("L-13")
def test_an_item_that_stands_for_the_row_keeps_others_from_being_made() -> None:
    """A row that came from Outlook is selected by the filters too, and no second item is made of it."""
    world = partners()
    shared = meeting("Visit", at(10))
    world.track(shared)
    world.sync()
    (row,) = world.rows()
    (kept,) = world.store.sync_filters("ada")
    world.store.change_filter(kept.id, lambda known: replace(known, name="Renamed"), world.clock.now())
    world.crm.edit(row.id, lambda found: replace(found, location="Lobby"), by="ada")
    world.sync()

    assert [item.location for item in outlook(world)] == ["Lobby"]
    assert len(links(world)) == 1


def asking(rules: Rules) -> Rules:
    """Return the rules with the question about deletions that overrule an edit, either way."""
    return replace(
        rules,
        policy=replace(rules.policy, ask_before_overruling=True),
        pushing=replace(rules.pushing, ask_before_overruling=True),
    )
