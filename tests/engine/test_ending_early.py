"""A series that is ended early in the CRM: its dates to come go from Outlook, what was stays, and guests hear of it."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, ShowAs
from syncline.core.ending import ended_early
from syncline.core.recurrence import occurrences
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
