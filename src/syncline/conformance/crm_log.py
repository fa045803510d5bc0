"""What every CRM connector must do with its change log, its list of rows, and with what people enter.

The first part of the suite (`syncline.conformance.crm`), with the words that both parts share. It must not know any
connector.
"""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from syncline.conformance import samples
from syncline.conformance.worlds import CrmWorld
from syncline.core.appointment import Appointment, Identity, Status
from syncline.core.merging import canonical
from syncline.core.scheduling import ConflictPolicy, persons
from syncline.errors import SyncError
from syncline.ports import Booking, Candidate, Crm, CrmChange, Outcome, Reschedule, Result

POLICY = ConflictPolicy()


def candidate(
    appointment: Appointment, *, check: bool = True, since: datetime | None = None, row_id: str | None = None
) -> Candidate:
    """Return Ada's candidate of an appointment as the engine would write it."""
    people = persons(appointment, samples.ADA.address)
    return Candidate(
        appointment=canonical(appointment), persons=people, user="ada", check=check, since=since, row_id=row_id
    )


def booking(row_id: str, appointment: Appointment, *, check: bool = True, status: Status | None = None) -> Booking:
    """Return Ada's booking of an appointment under `row_id`."""
    return Booking(id=row_id, candidate=candidate(appointment, check=check), owner="ada", status=status)


def change(row_id: str, version: int, appointment: Appointment, *, check: bool = True) -> Reschedule:
    """Return Ada's new content of a row."""
    return Reschedule(id=row_id, version=version, candidate=candidate(appointment, check=check, row_id=row_id))


def log(crm: Crm, cursor: str | None = None, limit: int = 100) -> tuple[list[CrmChange], str]:
    """Read the change log to its end."""
    changes: list[CrmChange] = []
    while True:
        page = crm.changes(cursor, limit)
        assert len(page.changes) <= limit
        changes.extend(page.changes)
        cursor = page.cursor
        if not page.more:
            return changes, cursor


class CrmLogConformance:
    """The part of the suite about the log and about people."""

    @pytest.fixture
    def crm(self, crm_world: CrmWorld) -> Crm:
        """Return the tested connector."""
        return crm_world.crm()

    def book(self, crm: Crm, row_id: str, appointment: Appointment, *, check: bool = True) -> Outcome:
        """Book one appointment of Ada's and return what became of it."""
        (outcome,) = crm.book([booking(row_id, appointment, check=check)], POLICY)
        return outcome

    def saved(self, crm: Crm, row_id: str, appointment: Appointment) -> int:
        """Book one appointment without a check and return its version."""
        outcome = self.book(crm, row_id, appointment, check=False)
        assert outcome.result is Result.SAVED, outcome
        return outcome.version

    # --- the change log ------------------------------------------------------------------------------------------

    def test_the_change_log_tells_of_every_write(self, crm: Crm, crm_world: CrmWorld) -> None:
        """Creations, edits by people and deletions stand in the log, oldest first, with the version reached."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        self.saved(crm, "id-2", samples.single("two", samples.at(10)))
        crm_world.edit("id-1", subject="Edited")
        crm_world.delete("id-2")
        changes, _ = log(crm)
        last = {entry.id: entry for entry in changes}
        assert list(last) == ["id-1", "id-2"] or list(last) == ["id-2", "id-1"]
        assert last["id-1"].version == crm.read(["id-1"])["id-1"].version
        assert (last["id-1"].gone, last["id-2"].gone, last["id-2"].identity) == (False, True, Identity("two"))

    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_pages_of_the_change_log_miss_nothing(self, crm: Crm, limit: int) -> None:
        """Pages of any size together hold every entry once."""
        for number in range(3):
            self.saved(crm, f"id-{number}", samples.single(f"item-{number}", samples.at(9 + number)))
        changes, cursor = log(crm, limit=limit)
        assert [entry.id for entry in changes] == ["id-0", "id-1", "id-2"]
        assert log(crm, cursor)[0] == []

    def test_cursors_survive_a_restart(self, crm: Crm, crm_world: CrmWorld) -> None:
        """A cursor goes on where it stopped, also in another process."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        cursor = log(crm)[1]
        self.saved(crm, "id-2", samples.single("two", samples.at(10)))
        assert [entry.id for entry in log(crm_world.reopen(), cursor)[0]] == ["id-2"]

    def test_a_write_that_saved_nothing_is_not_logged(self, crm: Crm) -> None:
        """Held, repeated and stale writes leave no trace in the log."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        cursor = log(crm)[1]
        self.book(crm, "id-1", samples.single("one", samples.at(9)))
        self.book(crm, "id-2", samples.single("two", samples.at(9)))
        crm.reschedule([change("nobody's", 1, samples.single("three", samples.at(9)))], POLICY)
        assert log(crm, cursor)[0] == []

    def test_a_cursor_outlives_deletions(self, crm: Crm, crm_world: CrmWorld) -> None:
        """A cursor whose newest entry was of a row that is gone by now goes on."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        cursor = log(crm)[1]
        crm_world.delete("id-1")
        changes, _ = log(crm, cursor)
        assert [(entry.id, entry.gone) for entry in changes] == [("id-1", True)]

    @pytest.mark.parametrize("cursor", ["no cursor", "-1", "99", "1.5.x", "", "²", "1" * 40])
    def test_what_is_no_cursor_of_this_log_has_expired(self, crm: Crm, cursor: str) -> None:
        """Text that is no cursor, and a place beyond the end of the log, raise CursorExpired."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        with pytest.raises(SyncError) as caught:
            crm.changes(cursor, 10)
        assert caught.value.code == "CursorExpired"

    def test_a_bare_number_is_taken_and_replaced(self, crm: Crm) -> None:
        """A cursor of before there were epochs goes on where it stopped; what comes back is a cursor of today."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        self.saved(crm, "id-2", samples.single("two", samples.at(10)))
        changes, cursor = log(crm, "1")
        assert [entry.id for entry in changes] == ["id-2"]
        assert cursor == log(crm)[1] != "2"

    @pytest.mark.parametrize("since", [0, 1, 3])
    def test_a_restored_crm_is_always_noticed(self, crm: Crm, crm_world: CrmWorld, since: int) -> None:
        """After a backup was put back no earlier cursor is known, however far the log has grown again since."""
        self.saved(crm, "id-1", samples.single("one", samples.at(9)))
        early = log(crm)[1]
        crm_world.back_up()
        crm = crm_world.reopen()
        self.saved(crm, "lost", samples.single("lost", samples.at(10)))
        late = log(crm)[1]
        crm = crm_world.restore()
        for number in range(since):
            self.saved(crm, f"new-{number}", samples.single(f"new-{number}", samples.at(12 + number)))
        for cursor in (early, late):
            with pytest.raises(SyncError) as caught:
                crm.changes(cursor, 10)
            assert caught.value.code == "CursorExpired"
        changes, cursor = log(crm)
        assert [entry.id for entry in changes] == ["id-1", *(f"new-{number}" for number in range(since))]
        assert log(crm, cursor)[0] == []

    # --- all rows ------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_ids_name_every_row_once(self, crm: Crm, crm_world: CrmWorld, limit: int) -> None:
        """Pages of ids hold each single and series once, in their order; exceptions and what is gone are left out."""
        for row_id in ("c", "a", "b", "e"):
            self.saved(crm, row_id, samples.single(f"uid-{row_id}", samples.at(9)))
        self.saved(crm, "d", self.series_with_exception("series"))
        crm_world.delete("b")
        crm_world.complete("c")
        found: list[str] = []
        while page := crm.ids(found[-1] if found else "", limit):
            assert len(page) <= limit
            found.extend(page)
        assert found == ["a", "c", "d", "e"]

    # --- what people enter ---------------------------------------------------------------------------------------

    def test_a_row_without_organizer_reads_back_without(self, crm: Crm, crm_world: CrmWorld) -> None:
        """A row may name no organizer, whoever entered it (A-03); nobody is made up."""
        row_id = crm_world.enter(samples.single("one", samples.at(9), organizer=None))
        row = crm.read([row_id])[row_id]
        assert (row.appointment.organizer, row.owner) == (None, "bob")

    @pytest.mark.parametrize("how", ["complete", "cancel"])
    def test_a_closed_row_says_so_and_stands_in_the_log(self, crm: Crm, crm_world: CrmWorld, how: str) -> None:
        """Closing a row is a change of it; it reads back completed or canceled (1.9)."""
        row_id = crm_world.enter(samples.single("one", samples.at(9)))
        before = crm.read([row_id])[row_id]
        cursor = log(crm)[1]
        getattr(crm_world, how)(row_id)
        row = crm.read([row_id])[row_id]
        (entry,) = log(crm, cursor)[0]
        assert row.status is {"complete": Status.COMPLETED, "cancel": Status.CANCELED}[how]
        assert (entry.id, entry.version, entry.gone) == (row_id, row.version, False)
        assert row.version != before.version

    def test_too_long_a_subject_is_refused(self, crm: Crm, crm_world: CrmWorld) -> None:
        """A subject of 2,000 characters, by a person or through the port, is refused and nothing is written."""
        long = samples.single("one", samples.at(9), subject="x" * 2_000)
        with pytest.raises(SyncError) as caught:
            crm_world.enter(long)
        outcome = self.book(crm, "id-1", long)
        assert (caught.value.code, outcome.result) == ("CrmRefused", Result.FAILED)
        assert outcome.error is not None
        assert outcome.error.code == "CrmRefused"
        assert (crm.ids("", 10), log(crm)[0]) == ((), [])

    def test_an_unknown_zone_is_refused(self, crm: Crm, crm_world: CrmWorld) -> None:
        """A zone that nobody knows, by a person or through the port, is refused and nothing is written (D-07)."""
        nowhere = samples.single("one", samples.at(9), zone="Atlantis/Deep")
        with pytest.raises(SyncError) as caught:
            crm_world.enter(nowhere)
        outcome = self.book(crm, "id-1", nowhere)
        assert (caught.value.code, outcome.result) == ("UnknownTimeZone", Result.FAILED)
        assert outcome.error is not None
        assert outcome.error.code == "UnknownTimeZone"
        assert (crm.ids("", 10), log(crm)[0]) == ((), [])

    # --- inside --------------------------------------------------------------------------------------------------

    def series_with_exception(self, uid: str) -> Appointment:
        """Return a daily series of five whose third occurrence was moved and whose fourth was deleted."""
        series = samples.daily(uid, samples.at(9))
        moved = replace(
            series,
            identity=Identity(uid, samples.at(9, day=2).start),
            span=samples.at(14, day=2),
            subject="Moved",
            recurrence=None,
        )
        return replace(series, exceptions=(moved,), deleted=(samples.at(9, day=3).start,))
