"""Sync filters: what each condition means, that filters only widen, and when a change of them is noticed (1.11)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Pattern,
    PatternKind,
    Recurrence,
    Role,
    Sensitivity,
    ShowAs,
    Span,
    Status,
)
from syncline.core.filters import (
    DEFAULT_CONDITIONS,
    Condition,
    Field,
    Part,
    Seen,
    SyncFilter,
    digest,
    selects,
)

START = datetime(2031, 3, 3, 9, tzinfo=UTC)
MAYA, JONAS = "maya@firm.example", "jonas@firm.example"
PLAIN = Appointment(
    identity=Identity("one"),
    subject="Visit to Alpen Sport",
    location="Showroom",
    span=Span(START, START + timedelta(hours=1)),
    organizer=Address(MAYA),
)
SERIES = replace(PLAIN, recurrence=Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=START.date(), count=5))


def seen(appointment: Appointment = PLAIN, *, status: Status = Status.SCHEDULED, owner: str | None = None) -> Seen:
    """Show Maya a row."""
    return Seen(appointment=appointment, status=status, owner=owner, user="maya", addresses={MAYA})


def only(field: Field, *words: str, negated: bool = False) -> SyncFilter:
    """Make a filter of one condition."""
    return SyncFilter(name="f", conditions=(Condition(field=field, words=words, negated=negated),))


def with_part(part: Part) -> Seen:
    """Show Maya a row of Jonas's in which she plays this part."""
    jonas = replace(PLAIN, organizer=Address(JONAS))
    if part is Part.OWNER:
        return seen(jonas, owner="maya")
    if part is Part.ORGANIZER:
        return seen()
    return seen(replace(jonas, attendees=(Attendee(MAYA, "Maya", Role(part.value)),)))


@pytest.mark.rule("1.11")
@pytest.mark.parametrize("part", Part)
def test_the_default_selects_who_takes_part(part: Part) -> None:
    """Organizers and required attendees get the row; optional ones, resources and mere owners do not."""
    default = SyncFilter(name="d", conditions=DEFAULT_CONDITIONS)

    assert selects([default], with_part(part)) is (part in (Part.ORGANIZER, Part.REQUIRED))


@pytest.mark.rule("1.11")
@pytest.mark.parametrize(("wanted", "part"), list(product(Part, Part)))
def test_a_part_is_what_the_user_is_to_the_row(wanted: Part, part: Part) -> None:
    """Each part selects the rows in which the user plays it, and negated all others of his."""
    assert selects([only(Field.PART, wanted)], with_part(part)) is (wanted is part)
    assert selects([only(Field.PART, wanted, negated=True)], with_part(part)) is (wanted is not part)


@pytest.mark.rule("1.11")
def test_one_date_of_a_series_makes_a_participant() -> None:
    """Who was invited to one moved date only takes part in the series, which is one row."""
    date = replace(
        PLAIN, organizer=Address(JONAS), identity=Identity("one", START), attendees=(Attendee(MAYA, "", Role.REQUIRED),)
    )
    series = replace(SERIES, organizer=Address(JONAS), exceptions=(date,))

    assert selects([only(Field.PART, Part.REQUIRED)], seen(series))
    assert not selects([only(Field.PART, Part.REQUIRED)], seen(replace(series, exceptions=())))


@pytest.mark.rule("1.11")
@pytest.mark.parametrize(
    ("field", "words", "row", "expected"),
    [
        (Field.STATUS, ("scheduled",), seen(), True),
        (Field.STATUS, ("open", "canceled"), seen(), False),
        (Field.STATUS, ("open", "completed"), seen(status=Status.COMPLETED), True),
        (Field.SHOW_AS, ("busy",), seen(), True),
        (Field.SHOW_AS, ("free", "tentative"), seen(), False),
        (Field.SHOW_AS, ("out_of_office",), seen(replace(PLAIN, show_as=ShowAs.OUT_OF_OFFICE)), True),
        (Field.SUBJECT, ("ALPEN",), seen(), True),
        (Field.SUBJECT, ("harbour", "sport"), seen(), True),
        (Field.SUBJECT, ("harbour",), seen(), False),
        (Field.SUBJECT, ("STRASSE",), seen(replace(PLAIN, subject="An der Straße")), True),
        (Field.LOCATION, ("room",), seen(), True),
        (Field.LOCATION, ("alpen",), seen(), False),
        (Field.PRIVATE, ("no",), seen(), True),
        (Field.PRIVATE, ("yes",), seen(), False),
        (Field.PRIVATE, ("yes",), seen(replace(PLAIN, sensitivity=Sensitivity.PRIVATE)), True),
        (Field.ALL_DAY, ("no",), seen(), True),
        (Field.ALL_DAY, ("yes",), seen(replace(PLAIN, span=replace(PLAIN.span, all_day=True))), True),
        (Field.SERIES, ("no",), seen(), True),
        (Field.SERIES, ("yes",), seen(), False),
        (Field.SERIES, ("yes",), seen(SERIES), True),
        (Field.SERIES, ("yes", "no"), seen(SERIES), True),
    ],
)
def test_a_condition_compares_with_any_of_its_words(
    field: Field, words: tuple[str, ...], row: Seen, expected: bool
) -> None:
    """A condition holds if one of its words fits, and negated if none does."""
    assert selects([only(field, *words)], row) is expected
    assert selects([only(field, *words, negated=True)], row) is not expected


@pytest.mark.rule("1.11")
def test_all_conditions_of_one_filter_hold_together() -> None:
    """Inside a filter conditions narrow, between filters they widen."""
    busy, free = (only(Field.SHOW_AS, word).conditions for word in ("busy", "free"))
    both = SyncFilter(name="both", conditions=(*busy, *free))

    assert not selects([both], seen())
    assert selects([SyncFilter(name="a", conditions=busy), SyncFilter(name="b", conditions=free)], seen())


@pytest.mark.rule("1.11")
def test_without_a_filter_nothing_is_selected() -> None:
    """No filter, switched off filters and the template for new users select nothing; one without conditions all."""
    everything = SyncFilter(name="all")

    assert selects([everything], seen())
    assert not selects([], seen())
    assert not selects([replace(everything, enabled=False), replace(everything, template=True)], seen())


@pytest.mark.rule("1.11")
def test_no_filter_shows_what_the_user_may_not_read() -> None:
    """A row that is not his and in which he takes no part stays out, whatever the filters say."""
    foreign = seen(replace(PLAIN, organizer=Address(JONAS)), owner="jonas")

    assert not selects([SyncFilter(name="all"), SyncFilter(name="mine", user="maya")], foreign)
    assert selects([SyncFilter(name="all")], replace(foreign, owner="maya"))


# --- properties ------------------------------------------------------------------------------------------------------

WORDS = {
    Field.PART: [part.value for part in Part],
    Field.STATUS: [status.value for status in Status],
    Field.SHOW_AS: [show_as.value for show_as in ShowAs],
    Field.SUBJECT: ["visit", "SPORT", "harbour"],
    Field.LOCATION: ["room", "x"],
    Field.PRIVATE: ["yes", "no"],
    Field.ALL_DAY: ["yes", "no"],
    Field.SERIES: ["yes", "no"],
}


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """Draw a condition."""
    field = draw(st.sampled_from(Field))
    words = draw(st.lists(st.sampled_from(WORDS[field]), min_size=1, max_size=3))
    return Condition(field=field, words=tuple(words), negated=draw(st.booleans()))


FILTERS = st.builds(
    SyncFilter,
    id=st.integers(0, 99),
    name=st.sampled_from(["a", "b"]),
    user=st.sampled_from([None, "maya"]),
    conditions=st.lists(conditions(), max_size=3).map(tuple),
    enabled=st.booleans(),
    template=st.booleans(),
)
ROWS = st.builds(
    seen,
    st.builds(
        replace,
        st.sampled_from([PLAIN, SERIES]),
        show_as=st.sampled_from(ShowAs),
        organizer=st.sampled_from([None, Address(MAYA), Address(JONAS)]),
        attendees=st.lists(
            st.builds(Attendee, st.sampled_from([MAYA, JONAS]), st.just(""), st.sampled_from(Role)), max_size=2
        ).map(tuple),
        subject=st.sampled_from(["Visit", "Harbour sport", ""]),
        sensitivity=st.sampled_from(Sensitivity),
    ),
    status=st.sampled_from(Status),
    owner=st.sampled_from([None, "maya", "jonas"]),
)


def told(filters: Sequence[SyncFilter]) -> frozenset[frozenset[tuple[str, bool, frozenset[str]]]]:
    """Return the set of what the filters that count ask, without order, names and repetitions."""
    return frozenset(
        frozenset((each.field.value, each.negated, frozenset(each.words)) for each in one.conditions)
        for one in filters
        if one.enabled and not one.template
    )


@pytest.mark.rule("1.11")
@given(filters=st.lists(FILTERS, max_size=4), more=FILTERS, row=ROWS)
def test_one_more_filter_never_narrows(filters: list[SyncFilter], more: SyncFilter, row: Seen) -> None:
    """Filters are joined by union: what was selected stays so, and the whole is what each selects alone."""
    before, after = selects(filters, row), selects([*filters, more], row)

    assert after is (before or selects([more], row))
    assert after is any(selects([each], row) for each in [*filters, more])


@pytest.mark.rule("1.11")
@given(one=st.lists(FILTERS, max_size=3), other=st.lists(FILTERS, max_size=3), row=ROWS)
def test_the_digest_moves_with_the_conditions_alone(one: list[SyncFilter], other: list[SyncFilter], row: Seen) -> None:
    """It is equal exactly if the filters that count ask the same; equal digests select the same rows."""
    assert (digest(one) == digest(other)) is (told(one) == told(other))
    assert digest(one) != ""
    if digest(one) == digest(other):
        assert selects(one, row) is selects(other, row)


@pytest.mark.rule("1.11")
@given(filters=st.lists(FILTERS, max_size=4), data=st.data())
def test_order_names_and_owners_do_not_move_the_digest(filters: list[SyncFilter], data: st.DataObject) -> None:
    """Renaming, renumbering and moving filters or words asks for no look at all rows."""
    moved = [
        replace(
            each,
            id=each.id + 1,
            name="other",
            user=None if each.user else "maya",
            conditions=tuple(
                dataclasses.replace(condition, words=tuple(reversed(condition.words)))
                for condition in reversed(each.conditions)
            ),
        )
        for each in data.draw(st.permutations(filters))
    ]

    assert digest(moved) == digest(filters)
