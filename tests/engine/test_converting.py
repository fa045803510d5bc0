"""A single appointment of the CRM becomes a series, and a series a single one: the same item in Outlook (R-04)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence
from tests.engine.test_pushing import ADA, enter, links, outlook
from tests.engine.test_pushing_guards import EVE, assert_quiet, mails, ready
from tests.engine.test_pushing_sides import only, settled
from tests.engine.world import World, at, meeting

DAILY = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(10).start.date(), count=5)


def series() -> Appointment:
    """Return a series of five days, of which the second has a place of its own and the third is deleted."""
    plain = meeting("Visit", at(10), EVE, recurrence=DAILY)
    second = at(10, days=2)
    identity = Identity(plain.identity.global_object_id, second.start)
    part = replace(plain, identity=identity, span=second, recurrence=None, location="Bern")
    return replace(plain, exceptions=(part,), deleted=(at(10, days=3).start,))


def written(world: World) -> int:
    """Return how many chunks of writes Exchange has been sent."""
    return world.exchange.requests["write"]


@pytest.mark.rule("R-04")
def test_a_single_row_that_becomes_a_series_stays_the_same_item() -> None:
    """One update makes the item repeat; row, item, link and guests' invitation stay, and the guest is told once."""
    world = ready()
    row = enter(world, meeting("Visit", at(10), EVE))
    settled(world)
    mails(world)
    ref, (link,), before = only(world), links(world), written(world)
    world.crm.edit(row, lambda found: replace(found, recurrence=DAILY), by="ada")
    settled(world)

    assert (only(world), links(world)[0].id, [each.id for each in world.rows()]) == (ref, link.id, [row])
    assert outlook(world)[0].recurrence == DAILY
    assert (written(world) - before, mails(world)) == (1, [("update", EVE)])
    assert_quiet(world)


@pytest.mark.rule("R-04")
def test_a_single_row_that_becomes_a_series_with_dates_of_its_own_brings_them_along() -> None:
    """What is changed and what is deleted of the new series goes over in the same cycle."""
    world = ready()
    row = enter(world, meeting("Visit", at(10), EVE))
    settled(world)
    ref, before = only(world), written(world)
    world.crm.edit(row, lambda found: series(), by="ada")
    settled(world)

    (item,) = outlook(world)
    assert (only(world), written(world) - before) == (ref, 1)
    assert [(part.identity.original_start, part.location) for part in item.exceptions] == [
        (at(10, days=2).start, "Bern")
    ]
    assert item.deleted == (at(10, days=3).start,)
    assert_quiet(world)


@pytest.mark.rule("R-04")
def test_a_series_of_the_crm_that_becomes_single_stays_the_same_item() -> None:
    """Its dates are gone on both sides, the item is one appointment under the same id, and the guest is told once."""
    world = ready()
    row = enter(world, series())
    settled(world)
    mails(world)
    ref, (link,), before = only(world), links(world), written(world)
    alone = {"recurrence": None, "exceptions": (), "deleted": ()}
    world.crm.edit(row, lambda found: replace(found, **alone), by="ada")
    settled(world)

    (item,) = outlook(world)
    assert (only(world), links(world)[0].id, [each.id for each in world.rows()]) == (ref, link.id, [row])
    assert (item.recurrence, item.exceptions, item.deleted, item.span) == (None, (), (), at(10))
    assert (written(world) - before, mails(world)) == (1, [("update", EVE)])
    assert_quiet(world)


@pytest.mark.rule("R-04")
def test_there_and_back_again_is_the_same_item_with_what_outlook_said_meanwhile() -> None:
    """What Outlook says in between comes into the row, and the reminder that Ada chose outlives both turns."""
    world = ready()
    row = enter(world, meeting("Visit", at(10), EVE))
    settled(world)
    ref = only(world)
    world.change(ref, reminder_minutes=45)
    world.crm.edit(row, lambda found: replace(found, recurrence=DAILY), by="ada")
    settled(world)
    world.change(ref, location="Chur")
    settled(world)
    world.crm.edit(row, lambda found: replace(found, recurrence=None), by="ada")
    settled(world)

    (item,), (found,) = outlook(world), world.rows()
    assert (only(world), item.recurrence, item.location, item.reminder_minutes) == (ref, None, "Chur", 45)
    assert (found.id, found.appointment.recurrence, found.appointment.location) == (row, None, "Chur")
    assert item.span.end - item.span.start == timedelta(hours=1)
    assert world.exchange.items(ADA)[0].key is not None
    assert_quiet(world)
