"""The judge of mails knows the rules from the outside, and sees a mail that should not have left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.connectors.memory.exchange import Posted
from syncline.core.appointment import Address, Appointment, Attendee, Identity, Sensitivity
from syncline.core.pushing import Policy
from syncline.simulation.clock import MONDAY
from syncline.simulation.mailing import misdirected
from tests.simulation.samples import at, daily, item

ADA, EVE = "ada@example.org", "eve@elsewhere.example"
MEETING = item("one", at(9), organizer=Address(ADA), attendees=(Attendee(EVE),))
MOVED = replace(MEETING, span=at(11))
REQUEST, UPDATE = Posted(ADA, EVE, "request"), Posted(ADA, EVE, "update")


def judged(
    before: Appointment | None, after: Appointment | None, *posted: Posted, hours: int = -1, past: bool = False
) -> list[str]:
    """Judge a write that was made so many hours after the meeting's own beginning."""
    now = MEETING.span.start + timedelta(hours=hours)
    return list(misdirected(ADA, before, after, posted, now, Policy(mail_about_past=past)))


@pytest.mark.rule("A-06")
@pytest.mark.rule("A-07")
@pytest.mark.rule("A-12")
def test_what_the_rules_ask_for_is_in_order() -> None:
    """An invitation, an update and a cancellation of what is to come, each once; and silence, whatever was written."""
    assert MEETING.span.start > MONDAY
    assert judged(None, MEETING, REQUEST) == []
    assert judged(MEETING, MOVED, UPDATE) == []
    assert judged(MEETING, None, Posted(ADA, EVE, "cancellation")) == []
    assert judged(MEETING, replace(MEETING, sensitivity=Sensitivity.PRIVATE)) == []


@pytest.mark.rule("A-07")
@pytest.mark.parametrize(
    ("before", "after", "posted", "told"),
    [
        (MEETING, replace(MEETING, sensitivity=Sensitivity.PRIVATE), UPDATE, "guests do not see"),
        (MEETING, MOVED, Posted(ADA, "bob@example.org", "update"), "are no guests"),
        (replace(MEETING, organizer=Address(EVE)), replace(MOVED, organizer=Address(EVE)), UPDATE, "another one"),
        (MEETING, MOVED, REQUEST, "was invited 1 times, and newly stands in 0 parts"),
    ],
)
def test_a_mail_that_no_rule_asks_for_is_seen(
    before: Appointment, after: Appointment, posted: Posted, told: str
) -> None:
    """Guests see nothing new, are none, are not this mailbox's, or had been invited before."""
    (wrong,) = judged(before, after, posted)
    assert told in wrong


@pytest.mark.rule("A-06")
@pytest.mark.rule("A-08")
def test_mails_about_what_has_begun_are_seen() -> None:
    """Unless the setting says that past meetings are mailed about; a series goes on."""
    assert judged(None, MEETING, REQUEST, hours=3) == ["somebody was mailed about what had begun"]
    assert judged(None, MEETING, REQUEST, hours=3, past=True) == []
    series = replace(daily("many", at(9)), organizer=Address(ADA), attendees=(Attendee(EVE),))
    assert judged(None, series, REQUEST, hours=3) == []


@pytest.mark.rule("A-06")
def test_a_guest_of_one_date_more_may_be_invited_once_more() -> None:
    """Each part in which somebody newly stands is worth one invitation, and no more."""
    series = replace(daily("many", at(9)), organizer=Address(ADA), attendees=(Attendee(EVE),))
    one = replace(series, identity=Identity("many", at(9, day=1).start), span=at(11, day=1), recurrence=None)
    whole = replace(series, exceptions=(one,))
    assert judged(None, whole, REQUEST, REQUEST) == []
    assert judged(None, whole, REQUEST, REQUEST, REQUEST) == [f"{EVE} was invited 3 times, and newly stands in 2 parts"]


@pytest.mark.rule("A-07")
def test_who_is_taken_out_of_a_series_may_be_invited_to_each_date_that_keeps_him() -> None:
    """He is told once that the series is off for him, and invited to the dates: to each once, if he stands in any."""
    series = replace(daily("many", at(9)), organizer=Address(ADA), attendees=(Attendee(EVE),))
    one, two = (
        replace(series, identity=Identity("many", at(9, day).start), span=at(11, day), recurrence=None)
        for day in (1, 2)
    )
    whole, alone = replace(series, exceptions=(one,)), replace(series, attendees=(), exceptions=(one,))
    off = Posted(ADA, EVE, "cancellation")
    assert judged(whole, alone, off, REQUEST) == []
    assert judged(whole, alone, off, REQUEST, REQUEST) != []
    assert judged(whole, replace(alone, exceptions=()), off, REQUEST) != []
    for before in (series, whole, replace(series, exceptions=(one, two))):
        assert judged(before, replace(alone, exceptions=(one, two)), off, REQUEST, REQUEST) == []
        assert judged(before, replace(alone, exceptions=(one, two)), off, REQUEST, REQUEST, REQUEST) != []


@pytest.mark.rule("A-07")
def test_who_is_taken_out_of_one_date_is_not_invited_to_all_others() -> None:
    """One cancellation of a date is worth one invitation to another, as long as he stays in the series."""
    series = replace(daily("many", at(9)), organizer=Address(ADA), attendees=(Attendee(EVE),))
    dates = tuple(
        replace(series, identity=Identity("many", at(9, day).start), span=at(11, day), recurrence=None)
        for day in (1, 2, 3)
    )
    whole = replace(series, exceptions=dates)
    less = replace(series, exceptions=(replace(dates[0], attendees=()), *dates[1:]))
    off = Posted(ADA, EVE, "cancellation")
    assert judged(whole, less, off) == []
    assert judged(whole, less, off, REQUEST, REQUEST) != []
