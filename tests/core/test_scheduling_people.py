"""Who is made busy, who is checked, and what an answer is bound to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Importance,
    Pattern,
    PatternKind,
    Recurrence,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    Span,
)
from syncline.core.merging import project
from syncline.core.scheduling import ConflictPolicy, Person, answered, checked, persons, scheduling_digest

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
SPAN = Span(START, START + timedelta(hours=1))
OWN = "own@x.example"
MEETING = Appointment(
    identity=Identity("m"),
    span=SPAN,
    organizer=Address("boss@x.example", "Boss"),
    attendees=(
        Attendee("req@x.example", "Req"),
        Attendee("opt@x.example", role=Role.OPTIONAL),
        Attendee("room@x.example", role=Role.RESOURCE),
    ),
)
WEEKLY = Recurrence(pattern=Pattern(kind=PatternKind.WEEKLY, weekdays=(0,)), first=START.date(), count=5)
SERIES = replace(MEETING, recurrence=WEEKLY)


def exception(index: int, **changes: object) -> Appointment:
    """Give an exception of the series, by default one hour later."""
    original = START + index * timedelta(days=7)
    span = Span(original + timedelta(hours=1), original + timedelta(hours=2))
    changed = {"identity": Identity("m", original), "span": span, **changes}
    return replace(MEETING, **changed)  # type: ignore[arg-type]


def addresses(appointment: Appointment, mailbox: str | None = None) -> list[str]:
    """Give the local parts of the persons."""
    return [person.address.partition("@")[0] for person in persons(appointment, mailbox)]


@pytest.mark.rule("CD-02")
@pytest.mark.rule("CD-05")
def test_organizer_attendees_and_resources_are_made_busy() -> None:
    """Everybody who takes part is a person of the appointment, with the part they play."""
    assert persons(MEETING, None) == (
        Person(address="boss@x.example", name="Boss", organizer=True),
        Person(address="opt@x.example", role=Role.OPTIONAL),
        Person(address="req@x.example", name="Req"),
        Person(address="room@x.example", role=Role.RESOURCE),
    )


@pytest.mark.rule("CD-05")
def test_optional_attendees_are_checked_by_setting() -> None:
    """Whoever is optional is made busy all the same, but checked only if the setting says so."""
    policy = ConflictPolicy(check_optional=False)
    asked = [person.address for person in persons(MEETING, None) if checked(person, policy)]
    assert asked == ["boss@x.example", "req@x.example", "room@x.example"]
    assert all(checked(person, ConflictPolicy()) for person in persons(MEETING, None))


@pytest.mark.rule("CD-05a")
def test_the_owner_of_the_mailbox_is_always_a_person() -> None:
    """Organizer if the item names none, the listed part if there is one, otherwise required."""
    own = Attendee(OWN, role=Role.OPTIONAL)
    assert persons(replace(MEETING, organizer=None, attendees=()), OWN) == (Person(address=OWN, organizer=True),)
    assert persons(replace(MEETING, attendees=(own,)), OWN)[1] == Person(address=OWN, role=Role.OPTIONAL)
    assert persons(replace(MEETING, attendees=()), OWN)[1] == Person(address=OWN)
    assert addresses(replace(MEETING, organizer=None, attendees=())) == []


@pytest.mark.rule("CD-05a")
def test_addresses_are_compared_without_case() -> None:
    """The owner is found in the list whatever the case of the address, and nobody is listed twice."""
    own = Attendee("Own@X.example", role=Role.OPTIONAL)
    twice = (own, Attendee("own@x.example", role=Role.REQUIRED))
    assert persons(replace(MEETING, organizer=None, attendees=(own,)), "OWN@x.example") == (
        Person(address=OWN, organizer=True),
    )
    assert persons(replace(MEETING, attendees=twice), None)[1] == Person(address=OWN)


@pytest.mark.rule("CD-05a")
def test_who_declined_is_not_busy() -> None:
    """Neither an attendee who declined nor the owner who declined is a person of the appointment."""
    declined = Attendee("req@x.example", response=Response.DECLINED)
    assert addresses(replace(MEETING, attendees=(declined,)), OWN) == ["boss", "own"]
    assert addresses(replace(MEETING, response=Response.DECLINED), OWN) == ["boss", "opt", "req", "room"]
    assert addresses(replace(MEETING, response=Response.ACCEPTED), OWN) == ["boss", "opt", "own", "req", "room"]


@pytest.mark.rule("CD-05a")
@pytest.mark.rule("CD-06")
@pytest.mark.parametrize(
    "change", [{"show_as": ShowAs.FREE}, {"show_as": ShowAs.WORKING_ELSEWHERE}, {"canceled": True}]
)
def test_a_copy_that_does_not_block_has_no_persons(change: dict[str, object]) -> None:
    """A free, elsewhere or cancelled copy makes nobody busy."""
    assert persons(replace(MEETING, **change), OWN) == ()  # type: ignore[arg-type]


@pytest.mark.rule("CD-06")
def test_a_series_has_the_persons_of_its_exceptions() -> None:
    """Somebody invited to one occurrence only is a person too, and a busy occurrence of a free series has some."""
    guest = exception(1, attendees=(Attendee("guest@x.example"), Attendee("opt@x.example")))
    assert addresses(replace(SERIES, exceptions=(guest,))) == ["boss", "guest", "opt", "req", "room"]
    assert persons(replace(SERIES, exceptions=(guest,)), None)[2] == Person(address="opt@x.example")
    free = replace(SERIES, show_as=ShowAs.FREE, exceptions=(guest,))
    assert addresses(free) == ["boss", "guest", "opt"]


def digest(appointment: Appointment) -> str:
    """Give the digest with the appointment's own persons."""
    return scheduling_digest(appointment, persons(appointment, OWN))


SAME: list[Callable[[Appointment], Appointment]] = [
    lambda it: replace(it, subject="Other", description="Text", location="Room 7"),
    lambda it: replace(it, categories=("Tracked",), reminder_minutes=15, created=START),
    lambda it: replace(it, importance=Importance.HIGH, sensitivity=Sensitivity.PRIVATE),
    lambda it: replace(it, attendees=it.attendees[::-1]),
    lambda it: replace(it, attendees=(replace(it.attendees[0], response=Response.ACCEPTED), *it.attendees[1:])),
    lambda it: replace(it, attendees=(replace(it.attendees[0], name="Somebody"), *it.attendees[1:])),
    lambda it: replace(it, response=Response.TENTATIVE),
    lambda it: replace(it, exceptions=it.exceptions[::-1], deleted=it.deleted[::-1]),
]
OTHER: list[Callable[[Appointment], Appointment]] = [
    lambda it: replace(it, span=Span(it.span.start, it.span.end + timedelta(minutes=1))),
    lambda it: replace(it, span=Span(it.span.start - timedelta(minutes=1), it.span.end)),
    lambda it: replace(it, span=Span(it.span.start, it.span.end, all_day=True)),
    lambda it: replace(it, show_as=ShowAs.OUT_OF_OFFICE),
    lambda it: replace(it, canceled=True),
    lambda it: replace(it, attendees=it.attendees[1:]),
    lambda it: replace(it, attendees=(replace(it.attendees[0], response=Response.DECLINED), *it.attendees[1:])),
    lambda it: replace(it, attendees=(replace(it.attendees[0], role=Role.OPTIONAL), *it.attendees[1:])),
    lambda it: replace(it, organizer=Address("other@x.example")),
]
OTHER_SERIES: list[Callable[[Appointment], Appointment]] = [
    lambda it: replace(it, recurrence=None),
    lambda it: replace(it, recurrence=replace(WEEKLY, count=6)),
    lambda it: replace(it, recurrence=replace(WEEKLY, count=None)),
    lambda it: replace(it, recurrence=replace(WEEKLY, count=None, until=date(2027, 1, 1))),
    lambda it: replace(it, recurrence=replace(WEEKLY, pattern=replace(WEEKLY.pattern, interval=2))),
    lambda it: replace(it, zone="Europe/Berlin"),
    lambda it: replace(it, deleted=it.deleted[1:]),
    lambda it: replace(it, exceptions=it.exceptions[1:]),
    lambda it: replace(it, exceptions=(exception(1, show_as=ShowAs.FREE), *it.exceptions[1:])),
    lambda it: replace(it, exceptions=(exception(1, canceled=True), *it.exceptions[1:])),
    lambda it: replace(it, exceptions=(exception(1, attendees=()), *it.exceptions[1:])),
]
FULL = replace(
    SERIES,
    exceptions=(exception(1), exception(2)),
    deleted=(START + timedelta(days=21), START + timedelta(days=28)),
)


@pytest.mark.rule("Q-02")
@pytest.mark.parametrize("change", SAME)
@pytest.mark.parametrize("appointment", [MEETING, FULL])
def test_texts_and_answers_of_guests_do_not_change_the_digest(
    appointment: Appointment, change: Callable[[Appointment], Appointment]
) -> None:
    """Nothing but when and how busy for whom enters the digest, and no order does."""
    assert digest(change(appointment)) == digest(appointment)


@pytest.mark.rule("Q-02")
@pytest.mark.rule("CD-10")
@pytest.mark.parametrize("change", OTHER)
@pytest.mark.parametrize("appointment", [MEETING, FULL])
def test_time_show_as_and_people_change_the_digest(
    appointment: Appointment, change: Callable[[Appointment], Appointment]
) -> None:
    """Every field of CD-10 and the persons enter the digest."""
    assert digest(change(appointment)) != digest(appointment)


@pytest.mark.rule("Q-02")
@pytest.mark.parametrize("change", OTHER_SERIES)
def test_pattern_and_exceptions_change_the_digest(change: Callable[[Appointment], Appointment]) -> None:
    """Pattern, range, zone, exceptions and deleted occurrences of a series enter the digest."""
    assert digest(change(FULL)) != digest(FULL)


@pytest.mark.rule("Q-02")
def test_the_zone_of_a_single_does_not_matter() -> None:
    """A single at the same instants is the same for everybody, whatever its zone is called."""
    assert digest(replace(MEETING, zone="Europe/Berlin")) == digest(MEETING)


@pytest.mark.rule("Q-02")
def test_a_digest_is_the_same_in_every_version() -> None:
    """Answers are stored with their digest, so its canonical form must not drift."""
    assert digest(FULL) == "1cc25c9316b2fb642b2db894d1babfda43f27bcab9348d59453ab6b37326d5be"


@pytest.mark.rule("Q-02")
def test_guests_who_are_nobody_here_do_not_change_the_digest() -> None:
    """With the resolved persons given, a guest who is not among them may decline or leave."""
    own = [Person(address=OWN)]
    fewer = replace(FULL, attendees=FULL.attendees[1:], exceptions=(exception(1, attendees=()), exception(2)))
    assert scheduling_digest(fewer, own) == scheduling_digest(FULL, own)


PEOPLE = st.lists(
    st.builds(
        Attendee,
        st.sampled_from(("Req@x.example", "opt@x.example", "own@x.example", "boss@x.example")),
        role=st.sampled_from(Role),
        response=st.sampled_from(Response),
    ),
    unique_by=lambda each: each.address,
)
PARTS = st.fixed_dictionaries(
    {
        "attendees": PEOPLE.map(tuple),
        "organizer": st.sampled_from((None, Address("boss@x.example"), Address(OWN))),
        "response": st.sampled_from(Response),
        "show_as": st.sampled_from(ShowAs),
    }
)


@pytest.mark.rule("CD-05a")
@given(PARTS, st.none() | PARTS)
def test_a_new_row_makes_those_busy_whom_its_item_does(
    whole: dict[str, object], part: dict[str, object] | None
) -> None:
    """A row holds no answers; with those of its item it keeps the same people busy, so that they are found once."""
    item = replace(SERIES, **whole)  # type: ignore[arg-type]
    if part is not None:
        item = replace(item, exceptions=(exception(1, **part),))
    assert persons(answered(project(item), item), OWN) == persons(item, OWN)
