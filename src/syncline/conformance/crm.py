"""What every CRM connector must do (`syncline.ports.Crm`), as tests over a `CrmWorld`.

The facts come from server-side-sync.md (CD, A and Q rules) and the docstrings of the port. A subclass whose name starts
with Test is collected; it overrides nothing but the fixture `crm_world`. It must not know any connector.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.conformance import samples
from syncline.conformance.crm_log import POLICY, CrmLogConformance, booking, candidate, change, log
from syncline.conformance.worlds import CrmWorld
from syncline.core.appointment import Attendee, Identity, Response, Role, ShowAs, Status
from syncline.core.merging import canonical
from syncline.core.scheduling import ConflictPolicy, Verdict
from syncline.errors import Scope, SyncError
from syncline.ports import Crm, Deletion, Result


def blockers(verdict: Verdict | None) -> dict[str, set[str]]:
    """Return the rows that are in the way, by full name."""
    found = verdict.unavailable if verdict is not None else ()
    return {person.full_name: {clash.row_id for clash in person.clashes} for person in found}


class CrmConformance(CrmLogConformance):
    """The suite for one CRM connector."""

    # --- people and contents -------------------------------------------------------------------------------------

    def test_users_carry_name_and_addresses(self, crm: Crm) -> None:
        """Users come with sign-in name, full name and lower-case addresses."""
        found = {user.name: user for user in crm.users()}
        assert set(found) == {"ada", "bob", "cyd"}
        assert found["ada"].emails[0] == "ada@example.org"
        assert (found["ada"].full_name, found["ada"].enabled) == ("Ada Admin", True)

    def test_a_booked_row_is_read_as_it_was_written(self, crm: Crm) -> None:
        """A single comes back with every field of the map 3.9, owner and status (1.9)."""
        asked = samples.meeting("one", samples.at(9))
        outcome = self.book(crm, "id-1", replace(asked, description="Text", location="Room", zone="Europe/Berlin"))
        row = crm.read(["id-1"])["id-1"]
        expected = canonical(replace(asked, description="Text", location="Room", zone="Europe/Berlin"))
        assert (outcome.result, outcome.id, outcome.version) == (Result.SAVED, "id-1", row.version)
        assert canonical(row.appointment) == expected
        assert (row.owner, row.status, row.modified_by) == ("ada", Status.SCHEDULED, "syncline")

    def test_a_series_with_exceptions_is_one_row(self, crm: Crm) -> None:
        """A series comes back with pattern, exceptions and deletions, and names the exceptions' rows (A-20)."""
        series = self.series_with_exception("series")
        self.saved(crm, "id-1", series)
        row = crm.read(["id-1"])["id-1"]
        (start,) = row.exception_ids
        assert canonical(row.appointment) == canonical(series)
        assert start == samples.at(9, day=2).start
        assert crm.read([row.exception_ids[start]])[row.exception_ids[start]].id == "id-1"

    @pytest.mark.parametrize("damaged", ["single", "series"])
    def test_one_unreadable_row_is_an_error_of_an_item(self, crm_world: CrmWorld, damaged: str) -> None:
        """A reading that meets it fails with an error of an item, and the others are read and written without it."""
        crm = crm_world.crm()
        content = {"single": samples.meeting("bad", samples.at(9)), "series": self.series_with_exception("bad")}
        self.saved(crm, "bad", content[damaged])
        good = self.saved(crm, "good", samples.meeting("good", samples.at(14)))
        crm_world.spoil("bad")
        with pytest.raises(SyncError) as caught:
            crm.read(["good", "bad"])
        assert (caught.value.code, caught.value.row.scope) == ("CrmRowUnreadable", Scope.ITEM)
        assert list(crm.read(["good", "gone"])) == ["good"]
        assert {entry.id for entry in log(crm)[0]} == {"good", "bad"}
        assert crm.ids("", 10) == ("bad", "good")
        (outcome,) = crm.reschedule([change("good", good, samples.meeting("good", samples.at(15)))], POLICY)
        assert outcome.result is Result.SAVED

    def test_an_all_day_row_keeps_its_dates(self, crm: Crm) -> None:
        """All-day items are dates, also in the CRM (D-01, CD-08)."""
        self.saved(crm, "id-1", samples.single("holiday", samples.dates(1, 2)))
        assert crm.read(["id-1"])["id-1"].appointment.span == samples.dates(1, 2)

    @pytest.mark.parametrize(
        ("show_as", "status"),
        [
            (ShowAs.FREE, Status.OPEN),
            (ShowAs.TENTATIVE, Status.OPEN),
            (ShowAs.BUSY, Status.SCHEDULED),
            (ShowAs.OUT_OF_OFFICE, Status.SCHEDULED),
        ],
    )
    def test_show_as_decides_the_status(self, crm: Crm, show_as: ShowAs, status: Status) -> None:
        """A living row is open or scheduled by its show-as (1.9, A-21)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9), show_as=show_as))
        assert crm.read(["id-1"])["id-1"].status is status

    def test_rows_that_do_not_exist_are_left_out(self, crm: Crm) -> None:
        """Reading answers only what exists."""
        assert dict(crm.read(["nobody's"])) == {}

    @pytest.mark.parametrize("kind", ["single", "series"])
    def test_a_draft_is_told_until_it_is_released(self, crm: Crm, crm_world: CrmWorld, kind: str) -> None:
        """The mark alone moves the version and stands in the log; what people edit meanwhile keeps it (A-09)."""
        content = {"single": samples.meeting("one", samples.at(9)), "series": self.series_with_exception("one")}[kind]
        (outcome,) = crm.book([replace(booking("id-1", content), draft=True)], POLICY)
        assert (outcome.result, crm.read(["id-1"])["id-1"].draft) == (Result.SAVED, True)
        crm_world.edit("id-1", subject="Edited")
        before = crm.read(["id-1"])["id-1"]
        cursor = crm.changes(None, 100).cursor
        assert before.draft
        (released,) = crm.reschedule([change("id-1", before.version, before.appointment, check=False)], POLICY)
        after = crm.read(["id-1"])["id-1"]
        assert (released.result, after.draft, canonical(after.appointment)) == (
            Result.SAVED, False, canonical(before.appointment)
        )  # fmt: skip
        assert [(entry.id, entry.version) for entry in log(crm, cursor)[0]] == [("id-1", after.version)]
        assert after.version != before.version

    def test_a_draft_keeps_its_people_busy(self, crm: Crm) -> None:
        """It is in the way like any other row, and stays a draft where the write says so (A-09)."""
        (first,) = crm.book([replace(booking("id-1", samples.single("one", samples.at(10))), draft=True)], POLICY)
        moved = replace(change("id-1", first.version, samples.single("one", samples.at(12))), draft=True)
        assert crm.reschedule([moved], POLICY)[0].result is Result.SAVED
        row = crm.read(["id-1"])["id-1"]
        outcome = self.book(crm, "id-2", samples.single("two", samples.at(12)))
        assert (row.draft, row.busy, outcome.result) == (True, (samples.ADA.address,), Result.UNAVAILABLE)

    # --- identity ------------------------------------------------------------------------------------------------

    def test_a_repeated_create_answers_exists_with_the_same_id(self, crm: Crm) -> None:
        """Booking the same id again changes nothing and says exists (design.md 6)."""
        first = self.book(crm, "id-1", samples.single("one", samples.at(9)))
        again = self.book(crm, "id-1", samples.single("one", samples.at(9)))
        assert (again.result, again.id, again.version) == (Result.EXISTS, "id-1", first.version)

    def test_a_second_creator_of_an_identity_gets_the_first_row(self, crm: Crm) -> None:
        """An identity is unique: another id with the same identity answers exists with the holder (A-33a)."""
        first = self.book(crm, "id-1", samples.single("one", samples.at(9)))
        second = self.book(crm, "id-2", samples.single("one", samples.at(15)))
        assert (second.result, second.id, second.version) == (Result.EXISTS, "id-1", first.version)
        assert dict(crm.read(["id-2"])) == {}

    def test_find_gives_rows_by_identity(self, crm: Crm) -> None:
        """Rows are found by identity, and an occurrence by its series."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        self.saved(crm, "id-2", samples.daily("series", samples.at(9)))
        inside = Identity("series", samples.at(9, day=1).start)
        found = crm.find([Identity("one"), Identity("series"), inside, Identity("other")])
        assert {identity: row.id for identity, row in found.items()} == {
            Identity("one"): "id-1",
            Identity("series"): "id-2",
            inside: "id-2",
        }

    def test_the_identity_of_a_deleted_row_is_free_again(self, crm: Crm) -> None:
        """After a deletion the identity can be booked under another id."""
        version = self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        crm.delete([Deletion(id="id-1", version=version)])
        assert self.book(crm, "id-2", samples.single("one", samples.at(9))).result is Result.SAVED

    # --- the check -----------------------------------------------------------------------------------------------

    def test_an_overlap_is_unavailable_and_nothing_is_written(self, crm: Crm) -> None:
        """A busy person makes the booking unavailable; the verdict names person and row (CD-01, CD-13)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10)))
        outcome = self.book(crm, "id-2", samples.single("two", samples.at(10.5)))
        assert outcome.result is Result.UNAVAILABLE
        assert blockers(outcome.verdict) == {"Ada Admin": {"id-1"}}
        assert dict(crm.read(["id-2"])) == {}
        assert dict(crm.find([Identity("two")])) == {}

    def test_touching_ends_do_not_conflict(self, crm: Crm) -> None:
        """Back to back is no scheduling conflict (CD-01, acceptance example 2)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10)))
        assert self.book(crm, "id-2", samples.single("two", samples.at(11))).result is Result.SAVED

    def test_an_empty_span_never_conflicts(self, crm: Crm) -> None:
        """An item without length blocks nobody and is never blocked (CD-01)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10)))
        assert self.book(crm, "id-2", samples.single("two", samples.at(10.5, 0))).result is Result.SAVED

    @pytest.mark.parametrize("show_as", [ShowAs.FREE, ShowAs.TENTATIVE])
    def test_free_and_tentative_rows_do_not_block(self, crm: Crm, show_as: ShowAs) -> None:
        """Only scheduled rows block (CD-02 to CD-04)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10), show_as=show_as))
        assert self.book(crm, "id-2", samples.single("two", samples.at(10))).result is Result.SAVED

    def test_tentative_rows_block_if_the_policy_says_so(self, crm: Crm) -> None:
        """The setting tentative_blocks makes tentative rows block (CD-04)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10), show_as=ShowAs.TENTATIVE))
        strict = ConflictPolicy(tentative_blocks=True)
        (outcome,) = crm.book([booking("id-2", samples.single("two", samples.at(10)))], strict)
        assert outcome.result is Result.UNAVAILABLE

    def test_completed_and_canceled_rows_do_not_block(self, crm: Crm, crm_world: CrmWorld) -> None:
        """Closed rows keep nobody busy (CD-03, acceptance example 3)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10)))
        self.saved(crm, "id-2", samples.single("two", samples.at(10)))
        crm_world.complete("id-1")
        crm_world.cancel("id-2")
        assert self.book(crm, "id-3", samples.single("three", samples.at(10))).result is Result.SAVED

    def test_a_free_candidate_is_not_checked(self, crm: Crm) -> None:
        """What would be stored as free is saved beside anything (CD-06)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10)))
        outcome = self.book(crm, "id-2", samples.single("two", samples.at(10), show_as=ShowAs.FREE))
        assert outcome.result is Result.SAVED

    def test_first_seen_cancelled_is_saved_as_canceled(self, crm: Crm) -> None:
        """A cancelled item becomes a canceled row without a check (A-34)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10)))
        asked = samples.single("two", samples.at(10), canceled=True)
        (outcome,) = crm.book([booking("id-2", asked, status=Status.CANCELED)], POLICY)
        assert outcome.result is Result.SAVED
        assert crm.read(["id-2"])["id-2"].status is Status.CANCELED

    def test_a_suppressed_check_saves(self, crm: Crm) -> None:
        """An answer Yes writes beside what is there (CD-15, Q-02)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10)))
        assert self.book(crm, "id-2", samples.single("two", samples.at(10)), check=False).result is Result.SAVED

    def test_a_switched_off_check_stores_open_rows(self, crm: Crm) -> None:
        """Without the scheduling solution nothing is checked and rows are open (CD-15, acceptance example 8)."""
        off = ConflictPolicy(enabled=False)
        crm.book([booking("id-1", samples.single("one", samples.at(10)))], off)
        (outcome,) = crm.book([booking("id-2", samples.single("two", samples.at(10)))], off)
        assert outcome.result is Result.SAVED
        assert crm.read(["id-2"])["id-2"].status is Status.OPEN

    def test_attendees_are_checked_too(self, crm: Crm) -> None:
        """Every party that is a user is checked; outsiders have no calendar (CD-05, acceptance example 4)."""
        bobs = samples.single("bobs", samples.at(10), organizer=samples.BOB)
        self.saved(crm, "id-1", bobs)
        people = (Attendee(samples.BOB.address), Attendee("guest@elsewhere.example"))
        outcome = self.book(crm, "id-2", samples.single("two", samples.at(10), attendees=people))
        assert blockers(outcome.verdict).keys() >= {"Bob Berg"}

    def test_a_row_tells_whom_it_keeps_busy(self, crm: Crm) -> None:
        """Who declined is named in it and free (CD-05a)."""
        people = (Attendee(samples.BOB.address), Attendee("cyd@example.org", response=Response.DECLINED))
        self.saved(crm, "id-1", samples.single("one", samples.at(10), attendees=people))
        row = crm.read(["id-1"])["id-1"]
        assert sorted(row.busy) == [samples.ADA.address, samples.BOB.address]
        assert [each.address for each in row.appointment.attendees] == [each.address for each in people]

    def test_optional_attendees_are_checked_by_setting(self, crm: Crm) -> None:
        """With check_optional off, optional people do not matter (CD-05)."""
        cyds = (Attendee("cyd@example.org"),)
        self.saved(crm, "id-1", samples.single("one", samples.at(10), organizer=samples.BOB, attendees=cyds))
        asked = samples.single("two", samples.at(12), attendees=(Attendee("cyd@example.org", "", Role.OPTIONAL),))
        clash = replace(asked, span=samples.at(10))
        strict, lax = ConflictPolicy(), ConflictPolicy(check_optional=False)
        names = [blockers(crm.validate([candidate(clash)], policy)[0]).keys() for policy in (strict, lax)]
        assert "Cyd Chan" in names[0]
        assert "Cyd Chan" not in names[1]

    def test_parts_of_the_same_meeting_never_clash(self, crm: Crm) -> None:
        """Rows with the same global object id do not block each other (CD-03)."""
        self.saved(crm, "id-1", samples.daily("series", samples.at(10), count=2))
        orphan = replace(
            samples.single("series", samples.at(10)), identity=Identity("series", samples.at(10, day=9).start)
        )
        (found,) = crm.validate([candidate(orphan)], POLICY)
        assert found.unavailable == ()

    def test_a_series_clashes_by_its_occurrences(self, crm: Crm) -> None:
        """One question per series: the verdict counts occurrences and names those that clash (CD-09)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10, day=2)))
        outcome = self.book(crm, "id-2", samples.daily("series", samples.at(10)))
        assert outcome.verdict is not None
        assert (outcome.result, outcome.verdict.occurrences) == (Result.UNAVAILABLE, 5)
        assert outcome.verdict.clashing == (samples.at(10, day=2).start,)

    def test_a_moved_occurrence_blocks_where_it_is(self, crm: Crm) -> None:
        """An exception blocks at its own time, a deleted occurrence not at all (CD-09)."""
        self.saved(crm, "id-1", self.series_with_exception("series"))
        asked = [
            samples.single("there", samples.at(14, day=2)),
            samples.single("not there", samples.at(9, day=2)),
            samples.single("deleted", samples.at(9, day=3)),
            samples.single("regular", samples.at(9, day=1)),
        ]
        verdicts = crm.validate([candidate(appointment) for appointment in asked], POLICY)
        assert [bool(verdict.unavailable) for verdict in verdicts] == [True, False, False, True]

    def test_what_is_over_is_not_compared(self, crm: Crm) -> None:
        """Occurrences that ended before `since` do not count unless the policy checks the past (CD-07)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10)))
        asked = candidate(samples.single("two", samples.at(10)), since=samples.at(12).start)
        past = ConflictPolicy(check_past=True)
        assert [bool(crm.validate([asked], policy)[0].unavailable) for policy in (POLICY, past)] == [False, True]

    def test_an_all_day_item_blocks_its_dates(self, crm: Crm) -> None:
        """A busy all-day item blocks midnight to midnight in the person's zone (CD-08)."""
        self.saved(crm, "id-1", samples.single("holiday", samples.dates(1)))
        asked = [samples.single("in", samples.at(0, day=1)), samples.single("out", samples.at(0, day=2))]
        verdicts = crm.validate([candidate(appointment) for appointment in asked], POLICY)
        assert [bool(verdict.unavailable) for verdict in verdicts] == [True, False]

    def test_each_booking_sees_those_before_it(self, crm: Crm) -> None:
        """In one call the earlier item is saved and the later one held (Q-09)."""
        pair = [booking(f"id-{n}", samples.single(f"item-{n}", samples.at(10))) for n in (1, 2)]
        first, second = crm.book(pair, POLICY)
        assert (first.result, second.result) == (Result.SAVED, Result.UNAVAILABLE)
        assert blockers(second.verdict) == {"Ada Admin": {"id-1"}}

    def test_validate_gives_the_verdict_of_book_and_writes_nothing(self, crm: Crm) -> None:
        """The dry run says what booking would say."""
        self.saved(crm, "id-1", samples.single("one", samples.at(10)))
        asked = [samples.single("two", samples.at(10)), samples.daily("three", samples.at(10))]
        verdicts = crm.validate([candidate(appointment) for appointment in asked], POLICY)
        booked = [self.book(crm, f"id-{n}", appointment) for n, appointment in enumerate(asked, 2)]
        assert verdicts == [outcome.verdict for outcome in booked]
        assert all(verdict.unavailable for verdict in verdicts)

    def test_validate_compares_with_what_is_committed_only(self, crm: Crm) -> None:
        """Candidates of one call do not see each other; nothing is written."""
        asked = [candidate(samples.single(name, samples.at(10))) for name in ("one", "two")]
        assert [verdict.unavailable for verdict in crm.validate(asked, POLICY)] == [(), ()]
        assert log(crm)[0] == []

    def test_one_bad_booking_fails_alone(self, crm: Crm) -> None:
        """An item the CRM refuses carries its error; its neighbours are saved."""
        bad = replace(samples.at(10), end=samples.at(9).start)
        batch = [
            booking("id-1", samples.single("one", samples.at(9))),
            booking("id-2", samples.single("bad", bad)),
            booking("id-3", samples.single("three", samples.at(11))),
        ]
        outcomes = crm.book(batch, POLICY)
        assert [outcome.result for outcome in outcomes] == [Result.SAVED, Result.FAILED, Result.SAVED]
        assert outcomes[1].error is not None
        assert set(crm.read(["id-1", "id-2", "id-3"])) == {"id-1", "id-3"}

    # --- reschedule and delete -----------------------------------------------------------------------------------

    def test_a_reschedule_replaces_the_content_and_moves_the_version(self, crm: Crm) -> None:
        """The new content stands under the same id with another version."""
        version = self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        (outcome,) = crm.reschedule([change("id-1", version, samples.single("one", samples.at(15)))], POLICY)
        row = crm.read(["id-1"])["id-1"]
        assert (outcome.result, outcome.version) == (Result.SAVED, row.version)
        assert row.version != version
        assert row.appointment.span == samples.at(15)

    def test_a_row_does_not_block_itself(self, crm: Crm) -> None:
        """Moving a row by half an hour is no scheduling conflict with its old time (CD-03)."""
        version = self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        (outcome,) = crm.reschedule([change("id-1", version, samples.single("one", samples.at(9.5)))], POLICY)
        assert outcome.result is Result.SAVED

    def test_an_unavailable_reschedule_leaves_the_row_alone(self, crm: Crm) -> None:
        """A held reschedule writes nothing; the row goes on blocking at its old time (Q-08)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(15)))
        version = self.saved(crm, "id-2", samples.single("two", samples.at(9)))
        (outcome,) = crm.reschedule([change("id-2", version, samples.single("two", samples.at(15)))], POLICY)
        row = crm.read(["id-2"])["id-2"]
        assert outcome.result is Result.UNAVAILABLE
        assert blockers(outcome.verdict) == {"Ada Admin": {"id-1"}}
        assert (row.version, row.appointment.span) == (version, samples.at(9))

    def test_a_moved_version_is_stale(self, crm: Crm, crm_world: CrmWorld) -> None:
        """A reschedule or deletion with an old version does nothing."""
        version = self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        crm_world.edit("id-1", subject="Edited in the CRM")
        (moved,) = crm.reschedule([change("id-1", version, samples.single("one", samples.at(15)))], POLICY)
        (deleted,) = crm.delete([Deletion(id="id-1", version=version)])
        row = crm.read(["id-1"])["id-1"]
        assert (moved.result, deleted.result) == (Result.STALE, Result.STALE)
        assert (row.appointment.subject, row.appointment.span) == ("Edited in the CRM", samples.at(9))
        assert row.modified_by == "bob"

    def test_the_key_of_a_reschedule_stays_with_the_row(self, crm: Crm, crm_world: CrmWorld) -> None:
        """It is known of a write whose answer was lost that it happened, also once people have edited the row."""
        version = self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        assert dict(crm.last_keys(["id-1", "nobody's"])) == {}
        wanted = replace(change("id-1", version, samples.single("one", samples.at(15))), key="key-1")
        assert crm.reschedule([wanted], POLICY)[0].result is Result.SAVED
        crm_world.edit("id-1", subject="Edited in the CRM")
        assert crm.reschedule([replace(wanted, key="key-2")], POLICY)[0].result is Result.STALE
        assert dict(crm.last_keys(["id-1"])) == {"id-1": "key-1"}

    def test_the_key_of_a_row_is_that_of_its_last_reschedule(self, crm: Crm, crm_world: CrmWorld) -> None:
        """A later key takes the place of an earlier one, and goes with the row."""
        version = self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        for key in ("key-1", "key-2"):
            wanted = replace(change("id-1", version, samples.single("one", samples.at(15))), key=key)
            version = crm.reschedule([wanted], POLICY)[0].version
        assert dict(crm.last_keys(["id-1"])) == {"id-1": "key-2"}
        crm_world.delete("id-1")
        assert dict(crm.last_keys(["id-1"])) == {}

    def test_a_missing_row_is_stale(self, crm: Crm) -> None:
        """A reschedule of a row that is gone does nothing (A-36)."""
        (outcome,) = crm.reschedule([change("nobody's", 1, samples.single("one", samples.at(9)))], POLICY)
        assert outcome.result is Result.STALE
        assert dict(crm.find([Identity("one")])) == {}

    @pytest.mark.parametrize("how", ["complete", "cancel"])
    def test_a_closed_row_stays_as_it_is(self, crm: Crm, crm_world: CrmWorld, how: str) -> None:
        """Completed and canceled rows take no change (A-22)."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        getattr(crm_world, how)("id-1")
        version = crm.read(["id-1"])["id-1"].version
        (outcome,) = crm.reschedule([change("id-1", version, samples.single("one", samples.at(15)))], POLICY)
        assert outcome.result is Result.CLOSED
        assert crm.read(["id-1"])["id-1"].appointment.span == samples.at(9)

    def test_a_reschedule_can_cancel(self, crm: Crm) -> None:
        """A meeting called off in Exchange becomes a canceled row, which blocks nobody (A-34)."""
        version = self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        canceled = samples.single("one", samples.at(9), canceled=True)
        asked = replace(change("id-1", version, canceled, check=False), status=Status.CANCELED)
        (outcome,) = crm.reschedule([asked], POLICY)
        assert outcome.result is Result.SAVED
        assert crm.read(["id-1"])["id-1"].status is Status.CANCELED
        assert self.book(crm, "id-2", samples.single("two", samples.at(9))).result is Result.SAVED

    def test_reschedules_are_applied_in_order(self, crm: Crm) -> None:
        """In one call the first of two rows that want the same hour gets it (Q-09)."""
        versions = [self.saved(crm, f"id-{n}", samples.single(f"item-{n}", samples.at(8 + n))) for n in (1, 2)]
        moves = [
            change(f"id-{n}", version, samples.single(f"item-{n}", samples.at(15)))
            for n, version in enumerate(versions, 1)
        ]
        assert [outcome.result for outcome in crm.reschedule(moves, POLICY)] == [Result.SAVED, Result.UNAVAILABLE]

    def test_exceptions_keep_their_row_ids(self, crm: Crm) -> None:
        """An exception that stays keeps its row id when its series is rewritten."""
        series = self.series_with_exception("series")
        version = self.saved(crm, "id-1", series)
        before = crm.read(["id-1"])["id-1"].exception_ids
        crm.reschedule([change("id-1", version, replace(series, subject="Other"), check=False)], POLICY)
        assert crm.read(["id-1"])["id-1"].exception_ids == before

    def test_a_deletion_is_final_and_repeatable(self, crm: Crm) -> None:
        """A deleted row is gone and frees its time; deleting it again is no error."""
        version = self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        (first,) = crm.delete([Deletion(id="id-1", version=version)])
        (again,) = crm.delete([Deletion(id="id-1", version=version)])
        assert (first.result, again.result) == (Result.SAVED, Result.SAVED)
        assert dict(crm.read(["id-1"])) == {}
        assert self.book(crm, "id-2", samples.single("two", samples.at(9))).result is Result.SAVED
