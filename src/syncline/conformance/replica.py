"""What every calendar connector must do (`syncline.ports.Replica`), as tests over a `ReplicaWorld`.

The facts come from ews-facts.md and the docstrings of the port. A subclass whose name starts with Test is collected;
it overrides nothing but the fixture `replica_world`. It must not know any connector.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from syncline.conformance import samples
from syncline.conformance.worlds import ReplicaWorld, Unsupported
from syncline.core.answering_by_category import Categorizing
from syncline.core.appointment import Appointment, Importance, Response, Role, Sensitivity, ShowAs
from syncline.errors import SyncError
from syncline.ports import Categorized, Light, Observed, OrganizationMark, Replica, Result

MINE = OrganizationMark(
    installation="0123abcd", crm_name='Contoso & Söhne "CRM" <1>', since=datetime(2026, 11, 23, 8, 0, 30, tzinfo=UTC)
)
THEIRS = OrganizationMark(installation="fedc9876", crm_name="Fabrikam", since=datetime(2025, 2, 1, tzinfo=UTC))


def drain(replica: Replica, cursor: str | None = None, limit: int = 512) -> tuple[list[Light], str]:
    """Read the main folder's changes to the end of the cursor."""
    folder = replica.folders()[0].ref
    rows: list[Light] = []
    while True:
        page = replica.changes(folder, cursor, limit)
        assert len(page.items) <= limit
        rows.extend(page.items)
        cursor = page.cursor
        if not page.more:
            return rows, cursor


def contents(replica: Replica) -> dict[str, Appointment]:
    """Return what stands in the main folder, by global object id."""
    rows, _ = drain(replica)
    found = replica.read([(row.folder, row.ref) for row in rows])
    seen = [item.appointment for item in found if isinstance(item, Observed)]
    return {appointment.identity.global_object_id: appointment for appointment in seen}


def change_of(replica: Replica, name: str, **named: tuple[str, ...]) -> Categorizing:
    """Return a change of the categories of one item as it stands now."""
    (found,) = replica.find([name])[name]
    before = found.appointment.categories
    return Categorizing(ref=found.ref, folder=found.folder, revision=found.revision, before=before, **named)


def categorized(replica: Replica, name: str, **named: tuple[str, ...]) -> Categorized:
    """Change the categories of one item as it stands now."""
    (outcome,) = replica.categorize([change_of(replica, name, **named)])
    return outcome


def act(deed: Callable[[], None]) -> None:
    """Do what the world may not support; then the test is skipped."""
    try:
        deed()
    except Unsupported as reason:
        pytest.skip(str(reason))


class ReplicaConformance:
    """The suite for one calendar connector."""

    @pytest.fixture
    def replica(self, replica_world: ReplicaWorld) -> Replica:
        """Open the tested connector for Ada's mailbox."""
        return replica_world.replica(replica_world.address)

    @pytest.fixture
    def ada(self, replica_world: ReplicaWorld) -> str:
        """Return the address of the tested mailbox."""
        return replica_world.address

    # --- deltas --------------------------------------------------------------------------------------------------

    def test_an_empty_calendar_gives_an_empty_page_and_a_cursor(self, replica: Replica) -> None:
        """The delta of an empty calendar is empty, complete, and can be continued."""
        page = replica.changes(replica.folders()[0].ref, None, 10)
        assert (page.items, page.more) == ((), False)
        assert drain(replica, page.cursor)[0] == []

    def test_the_main_calendar_folder_comes_first(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """Folders list the main calendar first and its subfolders after it (L-02)."""
        act(lambda: replica_world.add_folder(ada, "Projects"))
        first, second = replica.folders()
        assert (first.main, second.main, second.name) == (True, False, "Projects")

    def test_a_new_item_comes_with_reference_revision_and_categories(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """A row of the delta is light, and names revision and categories."""
        replica_world.add(ada, samples.single("one", samples.at(9), categories=("Blue",)))
        ((row,), _) = drain(replica)
        assert (row.gone, row.categories, row.folder) == (False, ("Blue",), replica.folders()[0].ref)
        assert row.ref
        assert row.revision

    def test_nothing_changed_gives_nothing(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """A cursor that was read to its end gives nothing until something changes."""
        replica_world.add(ada, samples.single("one", samples.at(9)))
        cursor = drain(replica)[1]
        assert drain(replica, cursor)[0] == []

    def test_an_edit_moves_the_revision_and_keeps_the_reference(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """An edited item comes again under the same reference with another revision."""
        replica_world.add(ada, samples.single("one", samples.at(9)))
        ((before,), cursor) = drain(replica)
        replica_world.edit(ada, "one", subject="Other")
        ((after,), _) = drain(replica, cursor)
        assert after.ref == before.ref
        assert after.revision != before.revision

    def test_a_deleted_item_is_gone(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """A deletion is a row that says gone and names the reference."""
        replica_world.add(ada, samples.single("one", samples.at(9)))
        ((before,), cursor) = drain(replica)
        replica_world.delete(ada, "one")
        ((after,), _) = drain(replica, cursor)
        assert (after.ref, after.gone) == (before.ref, True)

    def test_the_same_cursor_gives_the_same_changes(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """Asking a cursor again repeats its changes, so a lost answer loses nothing."""
        cursor = drain(replica)[1]
        for number in range(3):
            replica_world.add(ada, samples.single(f"item-{number}", samples.at(9 + number)))
        folder = replica.folders()[0].ref
        assert replica.changes(folder, cursor, 2).items == replica.changes(folder, cursor, 2).items

    @pytest.mark.parametrize("limit", [1, 2, 512])
    def test_pages_cover_everything_once(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str, limit: int
    ) -> None:
        """Pages of any size together hold every item exactly once."""
        for number in range(5):
            replica_world.add(ada, samples.single(f"item-{number}", samples.at(9, day=number)))
        rows, cursor = drain(replica, limit=limit)
        assert len({row.ref for row in rows}) == len(rows) == 5
        assert drain(replica, cursor)[0] == []

    def test_a_change_between_two_pages_is_not_lost(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """What changes while pages are read comes in the same delta or in the next one."""
        for number in range(4):
            replica_world.add(ada, samples.single(f"item-{number}", samples.at(9, day=number)))
        folder = replica.folders()[0].ref
        first = replica.changes(folder, None, 2)
        for number in range(4):
            replica_world.edit(ada, f"item-{number}", subject=f"Edited {number}")
        rows, cursor = drain(replica, first.cursor)
        rows += drain(replica, cursor)[0]
        read = replica.read([(row.folder, row.ref) for row in rows])
        assert {item.appointment.subject for item in read if isinstance(item, Observed)} >= {
            f"Edited {number}" for number in range(4)
        }

    def test_an_expired_cursor_says_so_and_reading_starts_again(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """A forgotten cursor raises CursorExpired; no cursor gives everything again."""
        replica_world.add(ada, samples.single("one", samples.at(9)))
        cursor = drain(replica)[1]
        act(lambda: replica_world.expire_cursors(ada))
        with pytest.raises(SyncError) as caught:
            drain(replica, cursor)
        assert caught.value.code == "CursorExpired"
        assert len(drain(replica)[0]) == 1

    def test_a_move_to_a_subfolder_is_gone_here_and_new_there(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """Moving an item removes it from its folder's delta and adds it to the other's, with the same identity."""
        replica_world.add(ada, samples.single("one", samples.at(9)))
        act(lambda: replica_world.add_folder(ada, "Projects"))
        ((before,), cursor) = drain(replica)
        replica_world.move(ada, "one", "Projects")
        ((gone,), _) = drain(replica, cursor)
        (there,) = replica.changes(replica.folders()[1].ref, None, 10).items
        (moved,) = replica.read([(there.folder, there.ref)])
        assert (gone.ref, gone.gone) == (before.ref, True)
        assert isinstance(moved, Observed)
        assert moved.appointment.identity.global_object_id == "one"

    # --- contents ------------------------------------------------------------------------------------------------

    def test_contents_come_in_the_order_asked_and_gone_is_none(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """A batch answers in order, with None for what is gone."""
        for name in ("one", "two", "three"):
            replica_world.add(ada, samples.single(name, samples.at(9)))
        rows, _ = drain(replica)
        asked = [(row.folder, row.ref) for row in rows]
        gone = replica.read(asked)[1]
        assert isinstance(gone, Observed)
        replica_world.delete(ada, gone.appointment.identity.global_object_id)
        first, second, third = replica.read(asked)
        assert isinstance(first, Observed)
        assert second is None
        assert isinstance(third, Observed)
        assert [first.ref, third.ref] == [asked[0][1], asked[2][1]]

    def test_one_unreadable_item_fails_alone(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """An item that the server cannot hand out is an error in its place, and the other is read."""
        for name in ("good", "bad"):
            replica_world.add(ada, samples.single(name, samples.at(9)))
        rows, _ = drain(replica)
        act(lambda: replica_world.spoil(ada, "bad"))
        found = replica.read([(row.folder, row.ref) for row in rows])
        assert [item.code for item in found if isinstance(item, SyncError)] == ["ItemUnreadable"]
        assert len([item for item in found if isinstance(item, Observed)]) == 1

    def test_reading_nothing_gives_nothing(self, replica: Replica) -> None:
        """An empty batch is an empty answer."""
        assert replica.read([]) == []

    def test_every_plain_field_arrives(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """Subject, body, place, times, show-as, sensitivity, importance and people arrive as they are (3.9)."""
        asked = samples.single(
            "full",
            samples.at(9, 1.5),
            description="First line\nSecond line",
            location="Room 4",
            show_as=ShowAs.OUT_OF_OFFICE,
            sensitivity=Sensitivity.PRIVATE,
            importance=Importance.HIGH,
            categories=("Blue", "Red"),
        )
        replica_world.add(ada, asked)
        found = contents(replica)["full"]
        expected = replace(found, description=found.description.strip(), categories=tuple(sorted(found.categories)))
        names = ("subject", "description", "location", "span", "show_as", "sensitivity", "importance", "categories")
        assert {name: getattr(expected, name) for name in names} == {name: getattr(asked, name) for name in names}
        assert found.organizer is not None
        assert found.organizer.address == ada

    @pytest.mark.parametrize("show_as", list(ShowAs))
    def test_every_show_as_arrives(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str, show_as: ShowAs
    ) -> None:
        """All five kinds of show-as are told apart (A-21)."""
        replica_world.add(ada, samples.single("one", samples.at(9), show_as=show_as))
        assert contents(replica)["one"].show_as is show_as

    def test_an_all_day_item_is_dates(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """An all-day item arrives as 00:00 UTC of its dates, end exclusive (CD-08)."""
        replica_world.add(ada, samples.single("holiday", samples.dates(1, 2)))
        assert contents(replica)["holiday"].span == samples.dates(1, 2)

    def test_an_empty_span_stays_empty(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """An item without length keeps start equal to end (CD-01)."""
        replica_world.add(ada, samples.single("moment", samples.at(9, 0)))
        assert contents(replica)["moment"].span == samples.at(9, 0)

    def test_the_tracking_category_shows_in_the_list(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """The category list gives id and name of an entry (L-04)."""
        act(lambda: replica_world.add_category(ada, "Tracked to Syncline CRM"))
        assert "Tracked to Syncline CRM" in {entry.name for entry in replica.categories()}
        assert all(entry.id for entry in replica.categories())

    def test_a_category_change_is_a_change(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """Setting a category comes in the delta with the new names (L-01)."""
        replica_world.add(ada, samples.single("one", samples.at(9)))
        cursor = drain(replica)[1]
        replica_world.edit(ada, "one", categories=("Blue",))
        ((row,), _) = drain(replica, cursor)
        assert row.categories == ("Blue",)

    # --- series --------------------------------------------------------------------------------------------------

    def test_a_series_is_one_item(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """A series comes as one row; its content carries the pattern and the first occurrence."""
        asked = samples.daily("series", samples.at(9))
        replica_world.add(ada, asked)
        assert len(drain(replica)[0]) == 1
        found = contents(replica)["series"]
        assert (found.recurrence, found.span, found.exceptions, found.deleted) == (asked.recurrence, asked.span, (), ())

    def test_a_moved_occurrence_is_an_update_of_its_master(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """A moved occurrence changes the master's revision and is its exception, by original start."""
        replica_world.add(ada, samples.daily("series", samples.at(9)))
        ((before,), cursor) = drain(replica)
        replica_world.edit_occurrence(ada, "series", samples.at(9, day=2), samples.at(13, day=2))
        ((after,), _) = drain(replica, cursor)
        (exception,) = contents(replica)["series"].exceptions
        assert (after.ref, after.revision == before.revision) == (before.ref, False)
        assert exception.identity.original_start == samples.at(9, day=2).start
        assert exception.span == samples.at(13, day=2)
        assert exception.subject == "Subject of series"

    def test_a_deleted_occurrence_is_an_update_of_its_master(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """A deleted occurrence is named by its original start in the master's content."""
        replica_world.add(ada, samples.daily("series", samples.at(9)))
        cursor = drain(replica)[1]
        replica_world.delete_occurrence(ada, "series", samples.at(9, day=1))
        assert len(drain(replica, cursor)[0]) == 1
        assert contents(replica)["series"].deleted == (samples.at(9, day=1).start,)

    def test_moved_and_deleted_occurrences_stand_together(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """Exceptions and deletions come ordered by original start."""
        replica_world.add(ada, samples.daily("series", samples.at(9)))
        for day in (3, 1):
            replica_world.edit_occurrence(ada, "series", samples.at(9, day=day), samples.at(14, day=day))
        for day in (4, 2):
            replica_world.delete_occurrence(ada, "series", samples.at(9, day=day))
        found = contents(replica)["series"]
        starts = [exception.identity.original_start for exception in found.exceptions]
        assert starts == [samples.at(9, day=1).start, samples.at(9, day=3).start]
        assert found.deleted == (samples.at(9, day=2).start, samples.at(9, day=4).start)

    def test_an_all_day_series_names_its_occurrences_by_date(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """The original start of an all-day occurrence is 00:00 UTC of its date."""
        replica_world.add(ada, samples.daily("days", samples.dates(0)))
        replica_world.delete_occurrence(ada, "days", samples.dates(2))
        found = contents(replica)["days"]
        assert (found.span, found.deleted) == (samples.dates(0), (samples.dates(2).start,))

    def test_a_series_keeps_its_zone(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """The zone of a series decides the wall clock of its occurrences, so it arrives as an IANA name."""
        replica_world.add(ada, samples.daily("zoned", samples.at(8), zone="Europe/Berlin"))
        assert contents(replica)["zoned"].zone == "Europe/Berlin"

    # --- identity ------------------------------------------------------------------------------------------------

    def test_find_gives_every_copy_of_an_identity_in_all_folders(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """Search by global object id looks through all calendar folders and leaves out what nobody has."""
        replica_world.add(ada, samples.single("one", samples.at(9)))
        replica_world.add(ada, samples.single("two", samples.at(10)))
        act(lambda: replica_world.add_folder(ada, "Projects"))
        replica_world.move(ada, "two", "Projects")
        found = replica.find(["one", "two", "nobody's"])
        assert {key: [item.appointment.subject for item in items] for key, items in found.items() if items} == {
            "one": ["Subject of one"],
            "two": ["Subject of two"],
        }

    def test_a_deleted_item_is_not_found(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """A deletion is confirmed by a search that finds nothing."""
        replica_world.add(ada, samples.single("one", samples.at(9)))
        replica_world.delete(ada, "one")
        assert not replica.find(["one"]).get("one", ())

    # --- meetings ------------------------------------------------------------------------------------------------

    def test_an_invitation_is_a_copy_with_the_same_identity(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """An attendee's copy has the organizer's identity, and is tentative until answered (A-33a)."""
        replica_world.add(ada, samples.meeting("met", samples.at(9)))
        own = contents(replica)["met"]
        copy = contents(replica_world.replica(replica_world.other))["met"]
        assert own.identity == copy.identity
        assert (own.response, copy.response) == (Response.ORGANIZER, Response.NONE)
        assert (own.show_as, copy.show_as) == (ShowAs.BUSY, ShowAs.TENTATIVE)
        assert copy.organizer is not None
        assert copy.organizer.address == ada
        assert [(person.address, person.role) for person in own.attendees] == [(replica_world.other, Role.REQUIRED)]

    def test_an_answer_reaches_the_organizer_and_changes_nothing_else(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """An accepted invitation makes the copy busy; the organizer's revision moves, its times do not."""
        replica_world.add(ada, samples.meeting("met", samples.at(9)))
        cursor = drain(replica)[1]
        act(lambda: replica_world.accept(replica_world.other, "met"))
        ((row,), _) = drain(replica, cursor)
        own = contents(replica)["met"]
        copy = contents(replica_world.replica(replica_world.other))["met"]
        assert not row.gone
        assert (own.span, own.attendees[0].response) == (samples.at(9), Response.ACCEPTED)
        assert (copy.response, copy.show_as) == (Response.ACCEPTED, ShowAs.BUSY)

    def test_a_cancelled_meeting_stays_in_the_attendee_s_calendar(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """After a cancellation the organizer's item is gone and the copy says cancelled (A-34)."""
        replica_world.add(ada, samples.meeting("met", samples.at(9)))
        act(lambda: replica_world.cancel(ada, "met"))
        copy = contents(replica_world.replica(replica_world.other))["met"]
        assert "met" not in contents(replica)
        assert copy.canceled

    # --- categories ----------------------------------------------------------------------------------------------

    def test_a_category_is_set_beside_the_others_and_taken_off_again(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """Only what was named changes; the answer names the revision that the next delta brings."""
        replica_world.add(ada, samples.single("one", samples.at(9), categories=("Red",)))
        cursor = drain(replica)[1]
        first = categorized(replica, "one", add=("Waiting: a & b",))
        ((row,), cursor) = drain(replica, cursor)
        assert (first.result, first.revision, row.categories) == (Result.SAVED, row.revision, ("Red", "Waiting: a & b"))
        second = categorized(replica, "one", remove=("Waiting: a & b", "Red"))
        ((row,), _) = drain(replica, cursor)
        assert (second.result, second.revision, row.categories) == (Result.SAVED, row.revision, ())

    def test_a_category_changes_nothing_else_and_mails_nobody(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """The content stays, the copies of others stay, and no mail leaves, on either side of a meeting."""
        replica_world.add(ada, samples.meeting("met", samples.at(9)))
        other = replica_world.replica(replica_world.other)
        own, copy = contents(replica)["met"], contents(other)["met"]
        sent = replica_world.mails()
        assert categorized(replica, "met", add=("Mine",)).result is Result.SAVED
        assert contents(other)["met"] == copy
        assert categorized(other, "met", add=("Theirs",)).result is Result.SAVED
        assert contents(replica)["met"] == replace(own, categories=("Mine",))
        assert contents(other)["met"] == replace(copy, categories=("Theirs",))
        assert replica_world.mails() == sent

    def test_a_series_keeps_its_dates_when_it_gets_a_category(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """The master carries it; moved and deleted occurrences stay as they are."""
        replica_world.add(ada, samples.daily("series", samples.at(9)))
        replica_world.edit_occurrence(ada, "series", samples.at(9, day=1), samples.at(13, day=1))
        replica_world.delete_occurrence(ada, "series", samples.at(9, day=3))
        before = contents(replica)["series"]
        assert categorized(replica, "series", add=("Waiting",)).result is Result.SAVED
        after = contents(replica)["series"]
        assert after.categories == ("Waiting",)
        assert (after.deleted, after.recurrence) == (before.deleted, before.recurrence)
        assert [each.span for each in after.exceptions] == [each.span for each in before.exceptions]

    def test_an_item_that_changed_meanwhile_gets_no_category(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """A write names the revision it was decided on; a stale or a missing item fails alone."""
        for number in range(3):
            replica_world.add(ada, samples.single(f"item-{number}", samples.at(9 + number)))
        changes = [change_of(replica, f"item-{number}", add=("Waiting",)) for number in range(3)]
        replica_world.edit(ada, "item-0", categories=("Red",))
        replica_world.delete(ada, "item-1")
        results = [each.result for each in replica.categorize(changes)]
        found = contents(replica)
        assert results == [Result.STALE, Result.STALE, Result.SAVED]
        assert (found["item-0"].categories, found["item-2"].categories) == (("Red",), ("Waiting",))

    def test_categorizing_nothing_gives_nothing(self, replica: Replica) -> None:
        """No change, no result."""
        assert replica.categorize([]) == []

    # --- organization mark ---------------------------------------------------------------------------------------

    def test_a_mailbox_has_no_mark_until_one_is_set(
        self, replica_world: ReplicaWorld, replica: Replica, ada: str
    ) -> None:
        """A mark is kept as it is given, by the mailbox alone, for whoever opens it (M-06)."""
        assert replica.mark() is None
        assert replica.set_mark(MINE, None) == MINE
        assert replica_world.replica(ada).mark() == MINE
        assert replica_world.replica(replica_world.other).mark() is None

    def test_a_mark_that_came_meanwhile_stands(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """Who saw no mark, or another one, writes nothing and learns whose stands (M-06)."""
        assert replica_world.replica(ada).set_mark(THEIRS, None) == THEIRS
        assert replica.set_mark(MINE, None) == THEIRS
        assert replica.set_mark(MINE, replace(THEIRS, installation="third")) == THEIRS
        assert replica.mark() == THEIRS

    def test_a_mark_that_was_seen_is_taken_over(self, replica: Replica) -> None:
        """Over the mark that stands another one is put; once more changes nothing (T-05)."""
        replica.set_mark(THEIRS, None)
        assert replica.set_mark(MINE, THEIRS) == MINE
        assert replica.set_mark(MINE, THEIRS) == MINE
        assert replica.mark() == MINE

    def test_a_mark_touches_no_item(self, replica_world: ReplicaWorld, replica: Replica, ada: str) -> None:
        """A mark is no item: the delta does not tell of it, and nobody is mailed."""
        replica_world.add(ada, samples.meeting("met", samples.at(9)))
        rows, cursor = drain(replica)
        sent = replica_world.mails()
        replica.set_mark(THEIRS, None)
        replica.set_mark(MINE, THEIRS)
        assert drain(replica, cursor)[0] == []
        assert len(drain(replica)[0]) == len(rows)
        assert replica_world.mails() == sent

    def test_mailboxes_do_not_see_each_other(self, replica_world: ReplicaWorld, replica: Replica) -> None:
        """An item of one mailbox does not show in another's delta."""
        replica_world.add(replica_world.other, samples.single("bobs", samples.at(9), organizer=samples.BOB))
        assert drain(replica)[0] == []

    def test_test_and_enable_names_its_steps(self, replica: Replica) -> None:
        """The probe of a working mailbox gives the names of the steps it did."""
        assert len(replica.probe()) >= 2
