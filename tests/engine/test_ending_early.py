"""A series that is ended early in the CRM: its dates to come go from Outlook, what was stays, and guests hear of it."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, ShowAs
from syncline.core.ending import ended_early
from syncline.core.recurrence import occurrences
from tests.engine.test_leaving_out import leave_out
from tests.engine.test_pushing import TWO_WAY, enter, outlook
from tests.engine.test_pushing_guards import EVE, assert_quiet, mails, ready, trashed
from tests.engine.test_pushing_sides import only, settled
from tests.engine.world import World, at, meeting

DAILY = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=at(10).start.date(), count=9)
SENT = [("update", EVE)]


def running(**rules: object) -> tuple[World, str]:
    """Return a world in which the third of nine days is over, with dates of their own on the second and the fifth."""
    world = ready(**rules)
    plain = meeting("Visit", at(10), EVE, recurrence=DAILY)
    parts = tuple(
        replace(plain, identity=Identity("uid-Visit", span.start), span=span, recurrence=None, location="Bern")
        for span in (at(10, days=2), at(10, days=5))
    )
    row = enter(world, replace(plain, exceptions=parts))
    settled(world)
    world.clock.advance(days=3, hours=4)
    mails(world)
    return world, row


def end(world: World, row: str) -> None:
    """End a series in the CRM, as the desk does."""

    def ending(series: Appointment) -> Appointment:
        ended = ended_early(series, world.clock.now())
        assert ended is not None
        return ended

    world.crm.edit(row, ending, by="ada")
    world.crm.cancel(row, by="ada")


def dates(series: Appointment) -> list[datetime]:
    """Return when the dates of a series begin."""
    return [each.span.start for each in occurrences(series, at(0, days=-9).start, at(0, days=99).start)]


@pytest.mark.rule("R-03")
@pytest.mark.rule("A-04")
@pytest.mark.rule("A-07")
def test_dates_to_come_go_and_those_of_the_past_stay() -> None:
    """In Outlook three of nine are left, as they were but free; each guest gets one update and no cancellation."""
    world, row = running()
    ref = only(world)
    end(world, row)
    world.sync()

    (item,) = outlook(world)
    assert dates(item) == [at(10, days=day).start for day in (1, 2, 3)]
    assert [(part.identity.original_start, part.location) for part in item.exceptions] == [
        (at(10, days=2).start, "Bern")
    ]
    assert [each.show_as for each in (item, *item.exceptions)] == [ShowAs.FREE] * 2
    assert (only(world), item.canceled, mails(world)) == (ref, False, SENT)
    assert_quiet(world)


@pytest.mark.rule("R-03")
@pytest.mark.rule("R-05")
def test_past_dates_deleted_in_outlook_stay_deleted() -> None:
    """What somebody cleared away there does not come back when its series ends here."""
    world, row = running()
    world.change(only(world), deleted=(at(10, days=1).start,))
    world.sync()
    mails(world)
    end(world, row)
    world.sync()

    assert dates(outlook(world)[0]) == [at(10, days=day).start for day in (2, 3)]
    assert mails(world) == SENT
    assert_quiet(world)


@pytest.mark.rule("R-03")
@pytest.mark.rule("A-13")
def test_an_ended_series_is_not_called_off_with_its_past() -> None:
    """Where canceled meetings are called off in Outlook, the dates to come are all that goes."""
    world, row = running(pushing=replace(TWO_WAY.pushing, propagate_cancellations=True))
    end(world, row)
    world.sync()

    assert dates(outlook(world)[0]) == [at(10, days=day).start for day in (1, 2, 3)]
    assert mails(world) == SENT
    assert_quiet(world)


@pytest.mark.rule("R-03")
@pytest.mark.rule("A-08")
def test_a_series_that_is_over_mails_nobody() -> None:
    """There is nothing to take away: it is shown as free."""
    world, row = running()
    world.clock.advance(days=20)
    end(world, row)
    world.sync()

    (item,) = outlook(world)
    assert (len(dates(item)), item.show_as, item.recurrence) == (9, ShowAs.FREE, DAILY)
    assert mails(world) == []
    assert_quiet(world)


@pytest.mark.rule("R-03")
def test_what_a_later_date_said_is_not_in_the_trash() -> None:
    """It went with its series, which somebody ended, and not by itself (0037)."""
    world, row = running()
    end(world, row)
    world.sync()

    assert outlook(world)[0].recurrence == replace(DAILY, count=None, until=at(10, days=3).start.date())
    assert trashed(world) == []


def moved_in_outlook(world: World, day: int) -> datetime:
    """Move the date of a day to 15:00 and Rome in Outlook alone; return its original start."""
    start, ref = at(10, days=day).start, next(ref for ref in refs(world) if item_of(world, ref).recurrence)
    item = item_of(world, ref)
    part = replace(
        item,
        identity=replace(item.identity, original_start=start),
        span=at(15, days=day),
        location="Rome",
        recurrence=None,
        exceptions=(),
        deleted=(),
    )
    world.change(ref, exceptions=(*item.exceptions, part))
    return start


def refs(world: World) -> list[str]:
    """Return the references of all items of ada."""
    return [item.ref for item in world.exchange.items("ada@example.org")]


def item_of(world: World, ref: str) -> Appointment:
    """Return an item of ada."""
    return world.exchange.item("ada@example.org", ref).appointment


def series_in_outlook(world: World) -> Appointment:
    """Return the only series of ada."""
    (found,) = [item for item in outlook(world) if item.recurrence]
    return found


@pytest.mark.rule("R-03")
@pytest.mark.rule("A-22")
def test_what_outlook_said_of_a_past_date_meanwhile_stays_there() -> None:
    """A closed row takes nothing in any more: ending its series must not wipe that out."""
    world, row = running()
    start = moved_in_outlook(world, 3)
    end(world, row)
    world.sync()

    item = series_in_outlook(world)
    assert dates(item) == [at(10, days=1).start, at(10, days=2).start, at(15, days=3).start]
    assert [(part.identity.original_start, part.location) for part in item.exceptions] == [
        (at(10, days=2).start, "Bern"), (start, "Rome")
    ]  # fmt: skip
    assert_quiet(world)


@pytest.mark.rule("R-03")
@pytest.mark.parametrize("answered", [True, False])
def test_a_past_date_that_is_left_out_or_asked_about_stays_as_outlook_has_it(answered: bool) -> None:
    """It stands in Outlook only, or is not agreed on yet: the end of its series says nothing of it."""
    world = ready()
    row = enter(world, meeting("Visit", at(10), EVE, recurrence=replace(DAILY, count=9)))
    enter(world, meeting("Block", at(15, days=2)))
    settled(world)
    moved_in_outlook(world, 2)
    world.sync()
    if answered:
        leave_out(world)
        world.sync()
    world.clock.advance(days=3, hours=4)
    end(world, row)
    settled(world)

    assert dates(series_in_outlook(world)) == [
        at(10, days=day).start if day != 2 else at(15, days=2).start for day in (1, 2, 3)
    ]


@pytest.mark.rule("A-13")
def test_a_canceled_series_with_a_date_that_only_outlook_has_is_called_off() -> None:
    """Its last date was left out of the CRM and is still to come, so its guests are told."""
    world = ready(pushing=replace(TWO_WAY.pushing, propagate_cancellations=True))
    row = enter(world, meeting("Visit", at(10), EVE, recurrence=replace(DAILY, count=4)))
    enter(world, meeting("Block", at(15, days=4)))
    settled(world)
    moved_in_outlook(world, 4)
    world.sync()
    leave_out(world)
    world.sync()
    world.clock.advance(days=3, hours=6)
    mails(world)
    world.crm.cancel(row, by="ada")
    world.sync()

    assert [item.subject for item in outlook(world)] == ["Block"]
    assert mails(world) == [("cancellation", EVE)]


@pytest.mark.rule("R-03")
@pytest.mark.rule("A-22")
def test_a_series_moved_in_outlook_is_ended_without_a_failure() -> None:
    """What the row says of dates that its pattern does not have there any more is not laid on them."""
    world, row = running()
    world.change(only(world), span=at(11), exceptions=())
    mails(world)
    end(world, row)
    world.sync()

    assert dates(series_in_outlook(world)) == [at(11, days=day).start for day in (1, 2, 3)]
    assert mails(world) == SENT
