"""What every calendar connector must do when it writes (`Replica.write`, `Replica.find_keys`), as tests over a world.

The facts come from ews-facts.md, the docstrings of the port and `core.outgoing`: what a write makes of an item, whom
the server mails about it, and how a write is known again. A subclass whose name starts with Test is collected; it
overrides nothing but the fixture `replica_world`. It must not know any connector.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.conformance import samples
from syncline.conformance.replica import act, drain
from syncline.conformance.worlds import ReplicaWorld
from syncline.conformance.writer import (
    BOB_ALONE,
    BOTH,
    GUEST,
    ROOM,
    UID,
    Writer,
    change_of,
    deletion_of,
    invited,
    moved,
    new,
    people,
    series,
    values,
)
from syncline.core.appointment import (
    Importance,
    Pattern,
    PatternKind,
    Recurrence,
    Role,
    Sensitivity,
    ShowAs,
    Span,
)
from syncline.core.outgoing import ItemCreation, Mailing
from syncline.ports import Result


class WritingConformance:
    """The suite for a calendar connector that writes."""

    @pytest.fixture
    def ada(self, replica_world: ReplicaWorld) -> Writer:
        """Open the tested mailbox."""
        return Writer(replica_world, replica_world.address)

    @pytest.fixture
    def bob(self, replica_world: ReplicaWorld) -> Writer:
        """Open the other mailbox."""
        return Writer(replica_world, replica_world.other)

    # --- creating ------------------------------------------------------------------------------------------------

    def test_a_new_item_carries_everything_asked_for(self, ada: Writer) -> None:
        """Every field, the key and the identity given arrive, and the answer is the item as it is read."""
        asked = new(
            samples.at(9, 1.5),
            description="First line\n\n  indented, <b>not bold</b> & so on\nÅß…",
            location="Room 4 & 5",
            show_as=ShowAs.OUT_OF_OFFICE,
            sensitivity=Sensitivity.PRIVATE,
            importance=Importance.HIGH,
            categories=("Blue", "Red & black"),
            reminder_minutes=30,
        )
        made = ada.create(asked)
        found = ada.seen()
        assert values(found.appointment) == values(asked)
        assert (found.ref, found.revision, found.key, found.appointment) == (
            made.ref, made.revision, "key-1", made.appointment,
        )  # fmt: skip
        assert found.appointment.identity == asked.identity
        assert found.appointment.organizer is not None
        assert found.appointment.organizer.address == ada.world.address

    def test_a_new_item_comes_in_the_delta_with_the_revision_answered(self, ada: Writer) -> None:
        """The next delta names the revision that the write answered, so that the echo is known."""
        made = ada.create(new())
        ((row,), _) = drain(ada.replica)
        assert (row.ref, row.revision) == (made.ref, made.revision)

    def test_an_item_without_a_reminder_gets_none(self, ada: Writer) -> None:
        """The server's own default never comes in."""
        assert ada.create(new(reminder_minutes=None)).appointment.reminder_minutes is None

    def test_an_all_day_item_is_its_dates(self, ada: Writer) -> None:
        """All-day dates arrive as they were given (CD-08)."""
        assert ada.create(new(samples.dates(1, 2))).appointment.span == samples.dates(1, 2)

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
    def test_an_all_day_item_of_any_zone_is_its_dates(self, ada: Writer, zone: str) -> None:
        """The zone of an all-day item moves none of its dates."""
        made = ada.create(new(samples.dates(1, 2), zone=zone))
        assert (made.appointment.span, made.appointment.zone) == (samples.dates(1, 2), zone)

    def test_a_series_keeps_its_wall_clock_over_a_clock_change(self, ada: Writer) -> None:
        """The zone goes along, so that a daily nine o'clock stays nine o'clock at the end of March."""
        span = Span(samples.at(8, day=25).start, samples.at(9, day=25).start)
        asked = series(span, zone="Europe/Berlin")
        found = ada.create(asked).appointment
        assert values(found, ("span", "zone", "recurrence")) == values(asked, ("span", "zone", "recurrence"))

    @pytest.mark.parametrize(
        "pattern",
        [
            Pattern(kind=PatternKind.DAILY, interval=3),
            Pattern(kind=PatternKind.WEEKLY, interval=2, weekdays=(0, 3), first_weekday=0),
            Pattern(kind=PatternKind.WEEKLY, weekdays=(0, 1, 2, 3, 4), first_weekday=6),
            Pattern(kind=PatternKind.MONTHLY_DAY, interval=2, day=3),
            Pattern(kind=PatternKind.MONTHLY_NTH, weekdays=(0,), nth=1),
            Pattern(kind=PatternKind.YEARLY_DAY, day=3, month=3),
            Pattern(kind=PatternKind.YEARLY_NTH, weekdays=(0,), nth=1, month=3),
        ],
        ids=lambda pattern: str(pattern.kind),
    )
    @pytest.mark.parametrize("end", ["count", "until", "endless"])
    def test_every_pattern_and_every_end_arrives(self, ada: Writer, pattern: Pattern, end: str) -> None:
        """The six patterns with a count, a last date and no end come back as they were written (R-09)."""
        first = samples.MONDAY.date()
        ends: dict[str, dict[str, object]] = {"count": {"count": 7}, "until": {"until": first.replace(year=2035)}}
        asked = Recurrence(pattern=pattern, first=first, **ends.get(end, {}))  # type: ignore[arg-type]
        assert ada.create(new(recurrence=asked)).appointment.recurrence == asked

    def test_a_new_series_brings_its_moved_and_deleted_dates(self, ada: Writer) -> None:
        """Exceptions and deletions stand after one write; an exception keeps its original start as its identity."""
        plain = series()
        part = moved(plain, 2, samples.at(13, day=2), subject="Elsewhere")
        asked = replace(plain, exceptions=(part,), deleted=(samples.at(9, day=3).start,))
        found = ada.create(asked).appointment
        (exception,) = found.exceptions
        assert found.deleted == asked.deleted
        assert (exception.identity, exception.span, exception.subject) == (part.identity, part.span, "Elsewhere")
        assert exception.location == plain.location

    def test_a_new_all_day_series_deletes_a_date(self, ada: Writer) -> None:
        """The original start of an all-day date is 00:00 UTC of it."""
        asked = series(samples.dates(0), deleted=(samples.dates(2).start,))
        assert ada.create(asked).appointment.deleted == asked.deleted

    @pytest.mark.parametrize("mailing", list(Mailing))
    def test_a_new_meeting_invites_as_the_mode_says(self, ada: Writer, bob: Writer, mailing: Mailing) -> None:
        """Everybody gets a request and a copy, or nobody gets anything."""
        made = ada.create(new(attendees=BOTH), mailing=mailing)
        quiet = mailing is Mailing.NOBODY
        assert ada.sent() == ([] if quiet else [(samples.BOB.address, "request"), (GUEST, "request")])
        assert bool(bob.replica.find([UID]).get(UID)) is not quiet
        assert people(made.appointment) == people(new(attendees=BOTH))

    def test_all_three_parts_of_people_arrive(self, ada: Writer) -> None:
        """Required, optional and resource are told apart (1.10)."""
        attendees = (*BOTH, *invited((ROOM, Role.RESOURCE)))
        assert people(ada.create(new(attendees=attendees)).appointment) == people(new(attendees=attendees))

    def test_an_exception_may_invite_others(self, ada: Writer) -> None:
        """A date with other people mails those whom it adds and those whom it leaves out, as the plan says."""
        plain = series(attendees=BOB_ALONE)
        part = moved(plain, 1, attendees=invited((GUEST, Role.REQUIRED)))
        made = ada.create(replace(plain, exceptions=(part,)), mailing=Mailing.CHANGED)
        assert people(made.appointment.exceptions[0]) == {(GUEST, Role.REQUIRED)}
        assert ada.sent() == [
            (samples.BOB.address, "cancellation"), (samples.BOB.address, "request"), (GUEST, "request"),
        ]  # fmt: skip

    # --- changing ------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("subject", "Other"),
            ("subject", ""),
            ("description", "Other\ntext"),
            ("description", ""),
            ("location", "Elsewhere"),
            ("location", ""),
            ("span", samples.at(14, 2)),
            ("span", samples.dates(2)),
            ("zone", "Europe/Berlin"),
            ("show_as", ShowAs.FREE),
            ("sensitivity", Sensitivity.PRIVATE),
            ("importance", Importance.LOW),
            ("categories", ("Green",)),
            ("categories", ()),
            ("reminder_minutes", 5),
            ("reminder_minutes", None),
        ],
    )
    def test_a_changed_field_arrives_and_nothing_else_moves(self, ada: Writer, name: str, value: object) -> None:
        """Only what differs is written; the revision moves and the key stays."""
        first = ada.create(
            new(subject="One", description="Text", location="Here", categories=("Blue",), reminder_minutes=15)
        )
        after = ada.update(first, **{name: value})
        assert values(after.appointment) == values(replace(first.appointment, **{name: value}))
        assert (after.ref, after.key, after.appointment.identity) == (first.ref, "key-1", first.appointment.identity)
        assert after.revision != first.revision
        assert ada.seen() == after

    def test_nothing_to_change_changes_nothing(self, ada: Writer) -> None:
        """An update that asks for what stands there is saved and moves no revision."""
        first = ada.create(new())
        assert ada.update(first).revision == first.revision

    def test_a_single_becomes_a_series_and_a_series_a_single(self, ada: Writer) -> None:
        """A repetition comes and goes with the item itself."""
        first = ada.create(new())
        repeats = series().recurrence
        many = ada.update(first, recurrence=repeats)
        assert many.appointment.recurrence == repeats
        assert ada.update(many, recurrence=None).appointment.recurrence is None

    @pytest.mark.parametrize(
        ("mailing", "fields", "expected"),
        [
            (Mailing.NOBODY, {"span": samples.at(14)}, []),
            (Mailing.NOBODY, {"attendees": BOB_ALONE}, []),
            (Mailing.CHANGED, {"subject": "Other"}, []),
            (Mailing.CHANGED, {"span": samples.at(14)}, [("bob", "update"), ("guest", "update")]),
            (Mailing.CHANGED, {"location": "Elsewhere"}, [("bob", "update"), ("guest", "update")]),
            (Mailing.CHANGED, {"attendees": BOB_ALONE}, [("guest", "cancellation")]),
            (Mailing.CHANGED, {"attendees": (*BOTH, *invited((ROOM, Role.RESOURCE)))}, [("room", "request")]),
            (Mailing.EVERYBODY, {"subject": "Other"}, [("bob", "update"), ("guest", "update")]),
            (Mailing.EVERYBODY, {"attendees": BOB_ALONE}, [("bob", "update"), ("guest", "cancellation")]),
        ],
    )
    def test_an_update_mails_whom_the_mode_means(
        self, ada: Writer, mailing: Mailing, fields: dict[str, object], expected: list[tuple[str, str]]
    ) -> None:
        """The table of ews-facts.md, line by line."""
        first = ada.create(new(attendees=BOTH), mailing=Mailing.EVERYBODY)
        before = len(ada.world.outbox())
        after = ada.update(first, mailing, **fields)
        sent = sorted((to.partition("@")[0], kind) for _, to, kind in ada.world.outbox()[before:])
        assert sent == expected
        assert people(after.appointment) == people(replace(first.appointment, **fields))

    def test_a_quiet_update_leaves_the_copies_as_they_were(self, ada: Writer, bob: Writer) -> None:
        """What nobody is told of does not show in anybody's calendar; what is told does."""
        first = ada.create(new(attendees=BOTH), mailing=Mailing.EVERYBODY)
        copy = bob.seen().appointment
        second = ada.update(first, span=samples.at(14))
        assert bob.seen().appointment.span == copy.span == samples.at(9)
        ada.update(second, Mailing.CHANGED, span=samples.at(15))
        assert bob.seen().appointment.span == samples.at(15)

    def test_who_was_never_asked_is_not_mailed_about_others(self, ada: Writer) -> None:
        """After a quiet creation an update for those who change mails them alone."""
        first = ada.create(new(attendees=BOB_ALONE))
        ada.update(first, Mailing.CHANGED, subject="Other")
        assert ada.sent() == []

    def test_an_attendee_s_copy_mails_nobody(self, ada: Writer, bob: Writer) -> None:
        """Whatever the mode: what an attendee writes concerns his own calendar."""
        ada.create(new(attendees=BOTH), mailing=Mailing.EVERYBODY)
        before = ada.sent()
        (changed,) = bob.replica.write([change_of(bob.seen(), Mailing.EVERYBODY, reminder_minutes=5)])
        assert changed.result is Result.SAVED
        (gone,) = bob.replica.write([deletion_of(bob.seen(), Mailing.EVERYBODY)])
        assert gone.result is Result.SAVED
        assert ada.sent() == before

    # --- dates of a series ---------------------------------------------------------------------------------------

    @pytest.mark.parametrize("mailing", list(Mailing))
    def test_one_date_is_moved_and_another_deleted(self, ada: Writer, mailing: Mailing) -> None:
        """The others stay where they are, and the mails are those of the two dates."""
        first = ada.create(series(attendees=BOB_ALONE), mailing=Mailing.EVERYBODY)
        part = moved(first.appointment, 1, samples.at(13, day=1))
        gone = samples.at(9, day=3).start
        before = len(ada.world.outbox())
        found = ada.update(first, mailing, exceptions=(part,), deleted=(gone,)).appointment
        assert [(each.identity, each.span) for each in found.exceptions] == [(part.identity, part.span)]
        assert (found.deleted, found.recurrence, found.span) == ((gone,), first.appointment.recurrence, samples.at(9))
        sent = sorted(kind for _, _, kind in ada.world.outbox()[before:])
        assert sent == ([] if mailing is Mailing.NOBODY else ["cancellation", "update"])

    def test_a_moved_date_is_changed_again_and_then_deleted(self, ada: Writer) -> None:
        """An exception is found by its original start, wherever it stands."""
        first = ada.create(series(exceptions=(moved(series(), 1, samples.at(13, day=1)),)))
        (part,) = first.appointment.exceptions
        second = ada.update(first, exceptions=(replace(part, span=samples.at(15, day=1), subject="Late"),))
        (again,) = second.appointment.exceptions
        assert (again.span, again.subject) == (samples.at(15, day=1), "Late")
        third = ada.update(second, exceptions=(), deleted=(samples.at(9, day=1).start,))
        assert (third.appointment.exceptions, third.appointment.deleted) == ((), (samples.at(9, day=1).start,))

    def test_dates_that_began_already_mail_nobody(self, ada: Writer) -> None:
        """`quiet_before` keeps the past quiet, date by date (A-06, A-07)."""
        first = ada.create(series(attendees=BOB_ALONE), mailing=Mailing.EVERYBODY)
        before = len(ada.world.outbox())
        write = change_of(
            first,
            Mailing.CHANGED,
            exceptions=(
                moved(first.appointment, 0, samples.at(13)),
                moved(first.appointment, 3, samples.at(13, day=3)),
            ),
            deleted=(samples.at(9, day=1).start, samples.at(9, day=4).start),
        )
        ada.saved(replace(write, quiet_before=samples.at(0, day=2).start))
        sent = sorted(kind for _, _, kind in ada.world.outbox()[before:])
        assert sent == ["cancellation", "update"]

    @pytest.mark.parametrize("mailing", list(Mailing))
    def test_a_date_that_was_deleted_stands_again(self, ada: Writer, mailing: Mailing) -> None:
        """The series is laid out anew, and what else was moved or deleted still is."""
        gone, kept = samples.at(9, day=1).start, samples.at(9, day=3).start
        part = moved(series(attendees=BOB_ALONE), 2, samples.at(13, day=2), subject="Elsewhere")
        asked = series(attendees=BOB_ALONE, exceptions=(part,), deleted=(gone, kept))
        first = ada.create(asked, mailing=Mailing.EVERYBODY)
        found = ada.update(first, mailing, deleted=(kept,)).appointment
        (exception,) = found.exceptions
        assert found.deleted == (kept,)
        assert (exception.identity, exception.span, exception.subject) == (part.identity, part.span, "Elsewhere")

    def test_a_moved_date_goes_back_to_its_place(self, ada: Writer) -> None:
        """A date that is no exception any more stands where the pattern has it."""
        first = ada.create(series(exceptions=(moved(series(), 2, samples.at(13, day=2)),)))
        assert ada.update(first, exceptions=()).appointment.exceptions == ()

    def test_a_series_moves_with_its_dates(self, ada: Writer) -> None:
        """Another time lays the series out anew, and its exceptions are written again."""
        first = ada.create(series(exceptions=(moved(series(), 2, subject="Special"),)))
        later = series(samples.at(11))
        part = moved(later, 2, subject="Special")
        found = ada.update(first, span=later.span, exceptions=(part,)).appointment
        assert found.span == samples.at(11)
        assert [(each.identity, each.span, each.subject) for each in found.exceptions] == [
            (part.identity, samples.at(11, day=2), "Special")
        ]

    def test_a_date_keeps_its_own_text_when_the_series_changes(self, ada: Writer) -> None:
        """What a date has of its own stays; what it has from the series follows, unless the write says otherwise."""
        first = ada.create(
            series(location="Here", exceptions=(moved(series(location="Here"), 1, samples.at(13, day=1)),))
        )
        (part,) = first.appointment.exceptions
        second = ada.update(
            first, subject="New", location="There", exceptions=(replace(part, subject=part.subject, location="There"),)
        )
        (kept,) = second.appointment.exceptions
        assert (second.appointment.subject, kept.subject, kept.location) == ("New", part.subject, "There")

    def test_a_date_moved_past_its_neighbour_is_refused(self, ada: Writer) -> None:
        """The write fails alone and says how the item stands; what came before it is done."""
        first = ada.create(series())
        write = change_of(
            first, exceptions=(moved(first.appointment, 1, samples.at(9, day=3)),), subject="Changed before"
        )
        (outcome,) = ada.write(write)
        assert outcome.result is Result.FAILED
        assert outcome.error is not None
        assert outcome.error.code == "ErrorOccurrenceCrossingBoundary"
        assert outcome.item is not None
        assert (outcome.item.appointment.subject, outcome.item.appointment.exceptions) == ("Changed before", ())
        assert ada.seen() == outcome.item

    # --- deleting ------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("mailing", list(Mailing))
    def test_a_deletion_cancels_as_the_mode_says(self, ada: Writer, bob: Writer, mailing: Mailing) -> None:
        """Everybody hears of it and keeps a cancelled copy, or nobody does and the copies stay as they were."""
        first = ada.create(new(attendees=BOTH), mailing=Mailing.EVERYBODY)
        before = len(ada.world.outbox())
        (outcome,) = ada.write(deletion_of(first, mailing))
        quiet = mailing is Mailing.NOBODY
        assert (outcome.result, outcome.item) == (Result.SAVED, None)
        assert len(ada.world.outbox()) - before == (0 if quiet else 2)
        assert bob.seen().appointment.canceled is not quiet
        assert not ada.replica.find([UID]).get(UID)

    def test_what_is_deleted_lies_in_the_deleted_items(self, ada: Writer) -> None:
        """Nothing is destroyed: people find it where they look for it."""
        first = ada.create(new())
        ada.write(deletion_of(first))
        assert ada.world.deleted(ada.world.address) == [UID]

    def test_what_is_gone_already_is_deleted(self, ada: Writer) -> None:
        """Deleting twice is as good as once."""
        first = ada.create(new())
        ada.write(deletion_of(first))
        (again,) = ada.write(deletion_of(first))
        assert (again.result, again.item) == (Result.SAVED, None)

    # --- guards --------------------------------------------------------------------------------------------------

    def test_an_item_that_changed_meanwhile_is_not_written(self, ada: Writer) -> None:
        """Neither a change nor a deletion touches what somebody has changed since."""
        for uid in ("one", "two", "three"):
            ada.create(replace(samples.daily(uid, samples.at(9)), attendees=BOB_ALONE), key=uid)
        one, two, three = (ada.seen(uid) for uid in ("one", "two", "three"))
        for uid in ("one", "two", "three"):
            ada.world.edit(ada.world.address, uid, subject="By Ada")
        outcomes = ada.write(
            change_of(one, Mailing.EVERYBODY, subject="By us"),
            deletion_of(two, Mailing.EVERYBODY),
            change_of(three, Mailing.EVERYBODY, deleted=(samples.at(9, day=1).start,)),
        )
        assert [each.result for each in outcomes] == [Result.STALE] * 3
        found = [ada.seen(uid).appointment for uid in ("one", "two", "three")]
        assert [(each.subject, each.deleted) for each in found] == [("By Ada", ())] * 3

    def test_an_item_that_is_gone_is_stale(self, ada: Writer) -> None:
        """A change of nothing is no error; it is read again and decided again."""
        first = ada.create(new())
        ada.world.delete(ada.world.address, UID)
        (outcome,) = ada.write(change_of(first, subject="By us"))
        assert (outcome.result, outcome.item) == (Result.STALE, None)

    def test_one_bad_item_fails_alone(self, ada: Writer) -> None:
        """What cannot be saved says so in its place, and its neighbours are saved, in their order."""
        backwards = Span(samples.at(10).start, samples.at(9).start)
        writes = [
            ItemCreation(key=f"key-{uid}", folder=ada.folder, content=samples.single(uid, span))
            for uid, span in (("one", samples.at(9)), ("bad", backwards), ("two", samples.at(11)))
        ]
        outcomes = ada.write(*writes)
        assert [each.result for each in outcomes] == [Result.SAVED, Result.FAILED, Result.SAVED]
        assert outcomes[1].error is not None
        assert outcomes[1].error.code == "EndBeforeStart"
        assert [each.item and each.item.key for each in outcomes] == ["key-one", None, "key-two"]

    def test_many_writes_of_all_kinds_go_in_their_order(self, ada: Writer) -> None:
        """Each answers in its place."""
        for uid in ("changed", "deleted"):
            ada.create(samples.single(uid, samples.at(9)), key=uid)
        outcomes = ada.write(
            ItemCreation(key="a", folder=ada.folder, content=samples.single("a", samples.at(9))),
            change_of(ada.seen("changed"), subject="New"),
            deletion_of(ada.seen("deleted")),
            ItemCreation(key="b", folder=ada.folder, content=samples.daily("b", samples.at(9))),
        )
        subjects = [each.item and each.item.appointment.subject for each in outcomes]
        assert subjects == ["Subject of a", "New", None, "Subject of b"]

    def test_writing_nothing_gives_nothing(self, ada: Writer) -> None:
        """No write, no answer."""
        assert ada.replica.write([]) == []

    # --- keys ----------------------------------------------------------------------------------------------------

    def test_an_item_is_found_by_its_key(self, ada: Writer) -> None:
        """After a lost answer the key tells that the item was made, and which it is."""
        made = ada.create(new(), key="one")
        assert ada.replica.find_keys(["one", "never written"]) == {"one": made}
        assert ada.replica.find_keys([]) == {}

    def test_a_key_is_found_in_every_folder(self, ada: Writer) -> None:
        """An item that was moved keeps its key."""
        ada.create(new(), key="one")
        act(lambda: ada.world.add_folder(ada.world.address, "Projects"))
        ada.world.move(ada.world.address, UID, "Projects")
        ada.replica.folders()
        assert ada.replica.find_keys(["one"])["one"].appointment.identity.global_object_id == UID

    def test_a_deleted_item_s_key_is_not_found(self, ada: Writer) -> None:
        """What lies in the deleted items is gone."""
        ada.write(deletion_of(ada.create(new(), key="one")))
        assert ada.replica.find_keys(["one"]) == {}

    def test_a_copy_carries_the_key_and_the_older_item_answers(self, ada: Writer) -> None:
        """A person's copy has our key too; both can be seen, and the one that we made is named."""
        made = ada.create(new(), key="one")
        act(lambda: ada.world.copy(ada.world.address, UID))
        assert [each.key for each in ada.replica.find([UID])[UID]] == ["one", "one"]
        assert ada.replica.find_keys(["one"])["one"].ref == made.ref

    def test_a_write_may_give_another_key(self, ada: Writer) -> None:
        """A new item that came with a copied key gets its own at the next write, with or without other changes."""
        first = ada.create(new(), key="one")
        second = ada.saved(replace(change_of(first), key="two"))
        third = ada.saved(replace(change_of(second, subject="Other"), key="three"))
        assert (second.key, third.key, third.appointment.subject) == ("two", "three", "Other")
        assert set(ada.replica.find_keys(["one", "two", "three"])) == {"three"}

    def test_a_new_item_carries_its_category_at_once(self, ada: Writer) -> None:
        """The tracking category is there in the first delta (L-08)."""
        ada.create(new(categories=("Tracked to Syncline CRM",)))
        ((row,), _) = drain(ada.replica)
        assert row.categories == ("Tracked to Syncline CRM",)
