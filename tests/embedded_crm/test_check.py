"""The rules of the scheduling conflict (section 4) where they live in the embedded CRM."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.conformance import samples
from syncline.conformance.samples import ADA, BOB, HOUR, at, daily, dates, single
from syncline.connectors.embedded_crm import EmbeddedCrm
from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    Span,
    Status,
)
from syncline.core.scheduling import AllDayBlocks, ConflictPolicy
from syncline.ports import Booking, Candidate, Deletion, Reschedule, Result
from tests.embedded_crm.world import POLICY, book, candidate, names, open_crm, saved

OUTSIDER = Address("guest@elsewhere.example", "Guest")


def series_with_exception() -> Appointment:
    """Return five days at nine whose third was moved to fourteen o'clock and whose fourth was deleted."""
    series = daily("series", at(9))
    moved = replace(series, identity=Identity("series", at(9, day=2).start), span=at(14, day=2), recurrence=None)
    return replace(series, exceptions=(moved,), deleted=(at(9, day=3).start,))


# --- acceptance examples (4.5) --------------------------------------------------------------------------------------


@pytest.mark.rule("K-01")
def test_example_1_an_overlap_is_held_and_names_the_organizer(crm: EmbeddedCrm) -> None:
    """With A busy 10:00-11:00, a meeting of A's 10:30-11:30 is not written and A is named; suppressed, it is."""
    saved(crm, "one", single("one", at(10)))
    held = book(crm, "two", single("two", at(10.5)))
    assert (held.result, names(held)) == (Result.UNAVAILABLE, {"Ada Admin"})
    assert not crm.read(["two"])
    assert book(crm, "two", single("two", at(10.5)), check=False).result is Result.SAVED


@pytest.mark.rule("CD-01")
def test_example_2_touching_ends_do_not_conflict(crm: EmbeddedCrm) -> None:
    """A meeting that starts when the other ends is saved, and one without length always is."""
    saved(crm, "one", single("one", at(10)))
    assert book(crm, "two", single("two", at(11))).result is Result.SAVED
    assert book(crm, "three", single("three", at(9))).result is Result.SAVED
    assert book(crm, "empty", single("empty", at(10.5, 0))).result is Result.SAVED


@pytest.mark.rule("CD-03")
@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELED])
def test_example_3_closed_rows_do_not_block(crm: EmbeddedCrm, status: Status) -> None:
    """Completed and canceled rows keep nobody busy; nor do free ones."""
    book(crm, "one", single("one", at(10)), status=status)
    saved(crm, "free", single("free", at(10), show_as=ShowAs.FREE))
    assert book(crm, "two", single("two", at(10))).result is Result.SAVED


@pytest.mark.rule("CD-05")
def test_example_4_an_external_organizer_is_not_checked_but_the_attendee_is(crm: EmbeddedCrm) -> None:
    """Of an outsider's meeting that A attends, only A is checked."""
    saved(crm, "one", single("one", at(10)))
    outside = single("two", at(10), organizer=OUTSIDER, attendees=(Attendee(ADA.address),))
    assert names(book(crm, "two", outside)) == {"Ada Admin"}


@pytest.mark.rule("CD-09")
def test_example_6_one_verdict_for_a_series_whose_third_occurrence_clashes(crm: EmbeddedCrm) -> None:
    """A series gives one verdict that counts its occurrences and names the one that clashes; Yes writes all."""
    saved(crm, "one", single("one", at(9, day=2)))
    held = book(crm, "two", daily("series", at(9)))
    assert held.verdict is not None
    assert (held.verdict.occurrences, held.verdict.clashing) == (5, (at(9, day=2).start,))
    assert book(crm, "two", daily("series", at(9)), check=False).result is Result.SAVED


@pytest.mark.rule("CD-10")
def test_example_7_a_row_moved_onto_a_third_item_is_held(crm: EmbeddedCrm) -> None:
    """After a Yes the row is checked again when its time changes, and stays where it was."""
    saved(crm, "third", single("third", at(15)))
    version = saved(crm, "one", single("one", at(10)))
    asked = candidate(single("one", at(15)))
    (held,) = crm.reschedule([Reschedule(id="one", version=version, candidate=asked)], POLICY)
    assert held.result is Result.UNAVAILABLE
    assert crm.read(["one"])["one"].appointment.span == at(10)


@pytest.mark.rule("CD-15")
def test_example_8_without_the_scheduling_feature_rows_are_open(crm: EmbeddedCrm) -> None:
    """With the check switched off an overlap is saved Open, and an Open row blocks nobody afterwards."""
    off = ConflictPolicy(enabled=False)
    book(crm, "one", single("one", at(10)), policy=off)
    assert book(crm, "two", single("two", at(10)), policy=off).result is Result.SAVED
    assert {row.status for row in crm.read(["one", "two"]).values()} == {Status.OPEN}
    assert crm.read(["one"])["one"].appointment.show_as is ShowAs.BUSY
    assert book(crm, "three", single("three", at(10))).result is Result.SAVED


@pytest.mark.rule("CD-12")
def test_example_10_everybody_who_is_unavailable_is_named(crm: EmbeddedCrm) -> None:
    """Of ten attendees who are users, the three who are busy are in the verdict."""
    people = [crm.add_user(f"user{n}", full_name=f"User {n}", emails=[f"user{n}@example.org"]) for n in range(10)]
    for busy in people[:3]:
        saved(crm, busy.name, single(busy.name, at(10), organizer=Address(busy.emails[0])), user=busy.name)
    attendees = tuple(Attendee(user.emails[0]) for user in people)
    assert names(book(crm, "asked", single("asked", at(10), attendees=attendees))) == {"User 0", "User 1", "User 2"}


# --- who blocks and who is checked ----------------------------------------------------------------------------------


@pytest.mark.rule("CD-02")
@pytest.mark.parametrize("role", list(Role))
def test_every_role_is_kept_busy(crm: EmbeddedCrm, role: Role) -> None:
    """Organizer, required, optional and resource are all busy in a scheduled row."""
    saved(crm, "one", single("one", at(10), attendees=(Attendee(BOB.address, role=role),)))
    assert names(book(crm, "a", single("a", at(10)), user="ada")) == {"Ada Admin"}
    assert names(book(crm, "b", single("b", at(10), organizer=BOB), user="bob")) == {"Bob Berg"}
    assert book(crm, "c", single("c", at(10), organizer=Address("cyd@example.org")), user="cyd").result is Result.SAVED


@pytest.mark.rule("CD-04")
def test_tentative_rows_block_only_by_setting(crm: EmbeddedCrm) -> None:
    """A tentative row blocks when the policy says so, in the tables and within one chunk."""
    strict = ConflictPolicy(tentative_blocks=True)
    saved(crm, "one", single("one", at(10), show_as=ShowAs.TENTATIVE))
    assert book(crm, "two", single("two", at(10)), policy=strict).result is Result.UNAVAILABLE
    assert book(crm, "two", single("two", at(10))).result is Result.SAVED


@pytest.mark.rule("CD-05a")
def test_the_user_of_the_mailbox_is_busy_though_nobody_names_him(crm: EmbeddedCrm) -> None:
    """An unnamed mailbox user is checked and kept busy, and is not shown as an attendee."""
    meeting = single("one", at(10), organizer=OUTSIDER)
    assert book(crm, "one", meeting).result is Result.SAVED
    assert crm.read(["one"])["one"].appointment.attendees == ()
    assert names(book(crm, "two", single("two", at(10)))) == {"Ada Admin"}


@pytest.mark.rule("CD-05a")
def test_who_declined_is_neither_checked_nor_kept_busy(crm: EmbeddedCrm) -> None:
    """A declined attendee of the observed item is no person of the row, although answers are not stored."""
    declined = Attendee(BOB.address, response=Response.DECLINED)
    saved(crm, "one", single("one", at(10), attendees=(declined,)))
    assert book(crm, "two", single("two", at(10), organizer=BOB), user="bob").result is Result.SAVED
    held = book(crm, "three", single("three", at(10), attendees=(declined,)))
    assert names(held) == {"Ada Admin"}


@pytest.mark.rule("CD-05a")
def test_addresses_resolve_without_case(crm: EmbeddedCrm) -> None:
    """An address resolves to a user by his e-mail addresses, however it is written."""
    crm.set_user("bob", emails=["Bob@Example.org", "B.Berg@example.org"])
    saved(crm, "one", single("one", at(10), organizer=Address("b.berg@example.org")), user=None)
    assert names(book(crm, "two", single("two", at(10), organizer=BOB), user="bob")) == {"Bob Berg"}


@pytest.mark.rule("CD-06")
def test_what_would_be_stored_free_or_closed_is_not_checked(crm: EmbeddedCrm) -> None:
    """Free, working elsewhere, completed and canceled candidates are saved beside anything."""
    saved(crm, "one", single("one", at(10)))
    for show_as in (ShowAs.FREE, ShowAs.WORKING_ELSEWHERE, ShowAs.TENTATIVE):
        assert book(crm, show_as, single(show_as, at(10), show_as=show_as)).result is Result.SAVED
    for status in (Status.COMPLETED, Status.CANCELED):
        assert book(crm, status, single(status, at(10)), status=status).result is Result.SAVED


@pytest.mark.rule("CD-07")
def test_what_ended_before_since_is_not_compared(crm: EmbeddedCrm) -> None:
    """Occurrences over before `since` do not count, of candidate or blocker; check_past compares all."""
    saved(crm, "one", daily("series", at(9)))
    late = at(12, day=3).start
    past, future = single("past", at(9, day=1)), single("future", at(9, day=4))
    assert book(crm, "past", past, since=late, policy=ConflictPolicy(check_past=True)).result is Result.UNAVAILABLE
    assert book(crm, "past", past, since=late).result is Result.SAVED
    assert book(crm, "future", future, since=late).result is Result.UNAVAILABLE
    assert book(crm, "all", single("all", at(9, day=1)), since=None).result is Result.UNAVAILABLE


@pytest.mark.rule("CD-08")
def test_an_all_day_row_blocks_by_the_persons_own_midnight(crm: EmbeddedCrm) -> None:
    """The same day off blocks Ada in Honolulu later than Bob in Auckland; a new zone counts at once."""
    crm.set_user("ada", time_zone="Pacific/Honolulu")
    crm.set_user("bob", time_zone="Pacific/Auckland")
    saved(crm, "off", single("off", dates(1), attendees=(Attendee(BOB.address),)))
    evening = Span(samples.MONDAY + timedelta(days=2, hours=8), samples.MONDAY + timedelta(days=2, hours=9))
    early = Span(samples.MONDAY + timedelta(hours=12), samples.MONDAY + timedelta(hours=13))
    for number, span in enumerate((evening, early)):
        both = single(f"asked-{number}", span, attendees=(Attendee(BOB.address),))
        assert names(book(crm, f"asked-{number}", both)) == {("Ada Admin", "Bob Berg")[number]}
    crm.set_user("ada", time_zone="UTC")
    assert book(crm, "evening", single("evening", evening)).result is Result.SAVED


@pytest.mark.rule("CD-08")
def test_all_day_items_block_by_setting(crm: EmbeddedCrm) -> None:
    """`all_day_blocks` never, out of office, or busy decides which days off block."""
    saved(crm, "off", single("off", dates(0), show_as=ShowAs.BUSY))
    asked = [candidate(single("asked", at(10)))]
    found = {
        blocks: bool(crm.validate(asked, ConflictPolicy(all_day_blocks=blocks))[0].unavailable)
        for blocks in AllDayBlocks
    }
    assert found == {AllDayBlocks.BUSY: True, AllDayBlocks.OUT_OF_OFFICE: False, AllDayBlocks.NEVER: False}


@pytest.mark.rule("CD-09")
def test_a_series_blocks_by_rule_with_its_exceptions_and_deletions(crm: EmbeddedCrm) -> None:
    """Occurrences block by the pattern, an exception where it was moved to, a deleted one not at all."""
    saved(crm, "series", series_with_exception())
    spans = {"moved": at(14, day=2), "left": at(9, day=2), "deleted": at(9, day=3), "regular": at(9, day=4)}
    verdicts = crm.validate([candidate(single(name, span)) for name, span in spans.items()], POLICY)
    assert [bool(verdict.unavailable) for verdict in verdicts] == [True, False, False, True]
    clash = verdicts[0].unavailable[0].clashes[0]
    assert clash.row_id in crm.read(["series"])["series"].exception_ids.values()


@pytest.mark.rule("CD-09")
def test_a_blocker_beyond_the_horizon_does_not_hold_a_series(crm: EmbeddedCrm) -> None:
    """An endless series is compared up to the horizon only."""
    saved(crm, "far", single("far", at(9, day=400)))
    endless = replace(daily("series", at(9)), recurrence=replace(daily("x", at(9)).recurrence, count=None))
    near = ConflictPolicy(horizon_days=100)
    verdicts = [crm.validate([candidate(endless)], policy)[0] for policy in (near, POLICY)]
    assert [bool(verdict.unavailable) for verdict in verdicts] == [False, True]


@pytest.mark.rule("CD-13")
def test_the_verdict_names_person_row_and_times(crm: EmbeddedCrm) -> None:
    """Per person: the clashing rows with id, times, show-as, subject and whether it is private."""
    saved(crm, "one", replace(single("one", at(10), show_as=ShowAs.OUT_OF_OFFICE), sensitivity=Sensitivity.PRIVATE))
    held = book(crm, "two", single("two", at(10.5)))
    assert held.verdict is not None
    (person,) = held.verdict.unavailable
    (clash,) = person.clashes
    assert person.user_id == next(user.id for user in crm.users() if user.name == "ada")
    assert (clash.row_id, clash.start, clash.end) == ("one", at(10).start, at(10).end)
    assert clash.private
    assert (clash.show_as, clash.subject, clash.candidate_start) == (
        ShowAs.OUT_OF_OFFICE,
        "Subject of one",
        at(10.5).start,
    )


@pytest.mark.rule("CD-03")
def test_the_item_itself_and_its_meeting_do_not_block(crm: EmbeddedCrm) -> None:
    """A row moved by half an hour does not meet itself, a series not its own exceptions."""
    version = saved(crm, "one", series_with_exception())
    content = series_with_exception()
    later = replace(content, span=Span(at(9.5).start, at(9.5).end), exceptions=(), deleted=())
    (outcome,) = crm.reschedule([Reschedule(id="one", version=version, candidate=candidate(later))], POLICY)
    assert outcome.result is Result.SAVED


# --- order and one transaction --------------------------------------------------------------------------------------


@pytest.mark.rule("Q-09")
@pytest.mark.parametrize("first", [single("first", at(10)), daily("first", at(10)), series_with_exception()])
def test_each_item_of_a_call_is_checked_against_those_before_it(crm: EmbeddedCrm, first: Appointment) -> None:
    """What was booked just before in the same call blocks exactly as what was there."""
    spans = [at(10), at(14, day=2), at(9, day=2), at(9, day=3), at(9)]
    later = [single(f"later-{n}", span) for n, span in enumerate(spans)]
    together = [Booking(id=item.subject, candidate=candidate(item)) for item in (first, *later)]
    in_one_call = [outcome.result for outcome in crm.book(together, POLICY)]
    apart = open_crm()
    one_by_one = [book(apart, item.subject, item).result for item in (first, *later)]
    apart.close()
    assert in_one_call == one_by_one


@pytest.mark.rule("Q-09")
def test_a_row_moved_away_in_the_same_call_no_longer_blocks(crm: EmbeddedCrm) -> None:
    """Two rows can change places in one call, in the order given."""
    versions = [saved(crm, f"row-{n}", single(f"row-{n}", at(9 + n))) for n in range(2)]
    moves = [
        Reschedule(id=f"row-{n}", version=versions[n], candidate=candidate(single(f"row-{n}", span)))
        for n, span in enumerate((at(15), at(9)))
    ]
    assert [outcome.result for outcome in crm.reschedule(moves, POLICY)] == [Result.SAVED, Result.SAVED]


def test_a_row_named_twice_in_a_call_sees_its_first_write(crm: EmbeddedCrm) -> None:
    """The second change of a row in one call carries an old version and is stale."""
    version = saved(crm, "one", single("one", at(9)))
    moves = [Reschedule(id="one", version=version, candidate=candidate(single("one", at(9 + n)))) for n in (1, 2)]
    first, second = crm.reschedule(moves, POLICY)
    assert (first.result, second.result, second.version) == (Result.SAVED, Result.STALE, first.version)


@pytest.mark.rule("CD-14")
def test_nothing_of_a_refused_item_is_left(crm: EmbeddedCrm) -> None:
    """An item that only the database refuses fails alone: its neighbours are saved, of itself nothing is there."""
    broken = single("bad \ud800", at(12))
    batch = [single("one", at(9)), broken, single("three", at(11))]
    outcomes = crm.book([Booking(id=f"row-{n}", candidate=candidate(item)) for n, item in enumerate(batch)], POLICY)
    assert [outcome.result for outcome in outcomes] == [Result.SAVED, Result.FAILED, Result.SAVED]
    assert outcomes[1].error is not None
    assert outcomes[1].error.code == "CrmRefused"
    assert [change.id for change in crm.changes(None, 10).changes] == ["row-0", "row-2"]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (single("bad", Span(at(10).end, at(10).start)), "CrmRefused"),
        (single("bad", at(10), subject="x" * 201), "CrmRefused"),
        (single("bad", at(10), location="x" * 201), "CrmRefused"),
        (single("", at(10)), "CrmRefused"),
        (single("bad", at(10), zone="Atlantis/Deep"), "UnknownTimeZone"),
        (replace(daily("bad", at(10)), recurrence=replace(daily("x", at(10), 5).recurrence, count=1000)), "CrmRefused"),
    ],
)
def test_an_item_that_cannot_be_stored_says_why(crm: EmbeddedCrm, bad: Appointment, code: str) -> None:
    """Broken items fail with a code of the catalogue and leave nothing behind."""
    outcome = book(crm, "bad", bad)
    assert outcome.error is not None
    assert (outcome.result, outcome.error.code) == (Result.FAILED, code)
    assert not crm.read(["bad"])


# --- rows -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-21")
@pytest.mark.parametrize(
    ("show_as", "kept", "status"),
    [
        (ShowAs.FREE, ShowAs.FREE, Status.OPEN),
        (ShowAs.WORKING_ELSEWHERE, ShowAs.FREE, Status.OPEN),
        (ShowAs.TENTATIVE, ShowAs.TENTATIVE, Status.OPEN),
        (ShowAs.BUSY, ShowAs.BUSY, Status.SCHEDULED),
        (ShowAs.OUT_OF_OFFICE, ShowAs.OUT_OF_OFFICE, Status.SCHEDULED),
    ],
)
def test_show_as_decides_the_status(crm: EmbeddedCrm, show_as: ShowAs, kept: ShowAs, status: Status) -> None:
    """Each show-as has its state and status code; working elsewhere is stored as free."""
    saved(crm, "one", single("one", at(10), show_as=show_as))
    row = crm.read(["one"])["one"]
    assert (row.appointment.show_as, row.status) == (kept, status)


@pytest.mark.rule("A-22")
def test_a_closed_row_is_closed_except_for_a_repeat(crm: EmbeddedCrm) -> None:
    """A closed row takes no change; the lost answer of the cancellation itself is answered as saved."""
    version = saved(crm, "one", single("one", at(10)))
    asked = candidate(single("one", at(10), canceled=True), check=False)
    cancel = Reschedule(id="one", version=version, candidate=asked, status=Status.CANCELED)
    first, again = (crm.reschedule([cancel], POLICY)[0] for _ in range(2))
    assert (first.result, again.result, again.version) == (Result.SAVED, Result.SAVED, first.version)
    moved = Reschedule(id="one", version=first.version, candidate=candidate(single("one", at(12))))
    assert crm.reschedule([moved], POLICY)[0].result is Result.CLOSED


@pytest.mark.rule("A-20")
def test_a_series_keeps_exceptions_deletions_and_their_ids(crm: EmbeddedCrm) -> None:
    """A rewritten series keeps the ids of exceptions that stay and forgets those that go."""
    series = series_with_exception()
    version = saved(crm, "one", series)
    before = crm.read(["one"])["one"]
    other = replace(series.exceptions[0], identity=Identity("series", at(9, day=4).start), span=at(16, day=4))
    for exceptions in ((series.exceptions[0], other), ()):
        content = candidate(replace(series, exceptions=exceptions), check=False)
        (outcome,) = crm.reschedule([Reschedule(id="one", version=version, candidate=content)], POLICY)
        version = outcome.version
        after = crm.read(["one"])["one"]
        assert after.appointment.exceptions == candidate(replace(series, exceptions=exceptions)).appointment.exceptions
        assert all(before.exception_ids.get(start, found) == found for start, found in after.exception_ids.items())


@pytest.mark.rule("A-33a")
def test_an_occurrence_of_a_series_that_is_here_answers_with_the_series(crm: EmbeddedCrm) -> None:
    """An attendee's single occurrence joins the organizer's series, in the tables and within one call."""
    inside = replace(single("series", at(9, day=1)), identity=Identity("series", at(9, day=1).start))
    series = daily("series", at(9))
    both = [Booking(id=name, candidate=candidate(item)) for name, item in (("one", series), ("two", inside))]
    assert [(outcome.result, outcome.id) for outcome in crm.book(both, POLICY)] == [
        (Result.SAVED, "one"),
        (Result.EXISTS, "one"),
    ]
    assert book(crm, "three", inside).id == "one"


@pytest.mark.rule("A-33")
def test_an_identity_booked_twice_in_one_call_is_one_row(crm: EmbeddedCrm) -> None:
    """The second creator in the same call gets the first one's row."""
    pair = [Booking(id=f"row-{n}", candidate=candidate(single("same", at(10 + n)))) for n in range(2)]
    first, second = crm.book(pair, POLICY)
    assert (first.result, second.result, second.id) == (Result.SAVED, Result.EXISTS, "row-0")


@pytest.mark.rule("A-34")
def test_a_cancelled_series_cancels_its_exceptions(crm: EmbeddedCrm) -> None:
    """Neither the occurrences nor the exceptions of a canceled series keep anybody busy."""
    version = saved(crm, "one", series_with_exception())
    asked = candidate(replace(series_with_exception(), canceled=True), check=False)
    crm.reschedule([Reschedule(id="one", version=version, candidate=asked, status=Status.CANCELED)], POLICY)
    row = crm.read(["one"])["one"]
    assert (row.status, [part.canceled for part in row.appointment.exceptions]) == (Status.CANCELED, [True])
    assert book(crm, "two", single("two", at(14, day=2))).result is Result.SAVED
    assert book(crm, "three", single("three", at(9, day=1))).result is Result.SAVED


@pytest.mark.rule("AT-05")
def test_what_never_leaves_exchange_is_not_stored(crm: EmbeddedCrm) -> None:
    """Answers, reminder and categories of an item have no place in a row."""
    item = single("one", at(10), categories=("Red",), reminder_minutes=15, response=Response.ACCEPTED)
    asked = Candidate(appointment=item, persons=(), user="ada", check=False)
    crm.book([Booking(id="one", candidate=asked)], POLICY)
    found = crm.read(["one"])["one"].appointment
    assert (found.categories, found.reminder_minutes, found.response) == ((), None, Response.NONE)


def test_a_deleted_series_leaves_one_tombstone_and_no_busy_time(crm: EmbeddedCrm) -> None:
    """Deleting a series removes its exceptions, frees the times, and stands in the log with the identity."""
    version = saved(crm, "one", series_with_exception())
    exception_id = next(iter(crm.read(["one"])["one"].exception_ids.values()))
    assert crm.delete([Deletion(id=exception_id, version=version)])[0].result is Result.FAILED
    crm.delete([Deletion(id="one", version=version), Deletion(id="one", version=version)])
    (change,) = crm.changes(None, 10).changes
    assert (change.gone, change.identity, change.version > version) == (True, Identity("series"), True)
    assert not crm.read([exception_id])
    assert book(crm, "two", single("two", Span(at(9).start, at(9).start + 200 * HOUR))).result is Result.SAVED


@pytest.mark.rule("CD-11")
def test_the_hour_of_the_day_is_nobodys_business(crm: EmbeddedCrm) -> None:
    """Working hours and breaks are not part of the check of meetings: a Sunday night is as free as a Monday."""
    assert book(crm, "night", single("night", at(3, day=6))).result is Result.SAVED


@pytest.mark.rule("CD-16")
def test_one_meeting_from_several_mailboxes_is_one_row_and_one_conflict(crm: EmbeddedCrm) -> None:
    """A meeting held for its organizer is written by whoever is answered; the other mailboxes meet that row."""
    saved(crm, "busy", single("busy", at(10)))
    meeting = single("meeting", at(10), attendees=(Attendee(BOB.address),))
    verdicts = [book(crm, f"from-{user}", meeting, user=user) for user in ("ada", "bob")]
    assert [names(outcome) for outcome in verdicts] == [{"Ada Admin"}, {"Ada Admin"}]
    assert book(crm, "from-ada", meeting, check=False).result is Result.SAVED
    second = book(crm, "from-bob", meeting, user="bob")
    assert (second.result, second.id) == (Result.EXISTS, "from-ada")
