"""The CRM's calendar at the desk: listing, masking, editing with the check."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.desk import appointments
from syncline.desk.drafts import Draft
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from syncline.ports import Result
from tests.desk.office import DOMAIN, Office, at

CONFLICT = "ExchangeSyncSchedulingConflictsError"


def draft(subject: str, hour: float, **fields: object) -> Draft:
    """Return a draft of one hour on the day after."""
    span = at(hour)
    return Draft(subject=subject, start=span.start.isoformat(), end=span.end.isoformat(), **fields)  # type: ignore[arg-type]


def test_an_appointment_has_the_fields_of_the_interface(office: Office) -> None:
    """What was entered is told field by field."""
    entry = appointments.add(
        office.app, office.viewer("maya"), draft("Review", 10, required=["jonas", "guest@example.org"])
    ).appointment

    assert entry is not None
    assert (entry.kind, entry.subject, entry.start, entry.end) == ("single", "Review", at(10).start, at(10).end)
    assert (entry.show_as, entry.status, entry.organizer) == ("busy", "scheduled", f"maya@{DOMAIN}")
    assert [(a.address, a.role) for a in entry.attendees] == [
        ("guest@example.org", "required"),
        (f"jonas@{DOMAIN}", "required"),
    ]
    assert (entry.series_id, entry.original_start, entry.recurrence, entry.link) == (None, None, None, None)


def test_a_refused_appointment_is_not_written(office: Office) -> None:
    """A scheduling conflict tells the clashes; nothing is there unless conflicts are ignored."""
    office.in_crm("Review", at(10))
    refused = appointments.add(office.app, office.viewer("maya"), draft("Other", 10.5))
    before = len(appointments.listing(office.app, OPERATOR))
    written = appointments.add(office.app, office.viewer("maya"), draft("Other", 10.5), ignore_conflicts=True)

    assert (refused.code, refused.appointment, refused.unavailable) == (CONFLICT, None, ("Maya Lind",))
    assert [clash.subject for clash in refused.clashes] == ["Review"]
    assert before == 1
    assert written.appointment is not None


def test_moving_onto_something_is_refused_and_changing_words_is_not(office: Office) -> None:
    """Only a change of time, show-as or people is checked (CD-10)."""
    office.in_crm("Review", at(10))
    other = office.in_crm("Other", at(12))
    maya = office.viewer("maya")
    moved = appointments.edit(office.app, maya, other, draft("Other", 10.5))
    renamed = appointments.edit(office.app, maya, other, Draft(subject="Renamed"))

    assert moved.code == CONFLICT
    assert renamed.appointment is not None
    assert (renamed.appointment.subject, renamed.appointment.start) == ("Renamed", at(12).start)


def test_a_window_gives_every_occurrence(office: Office) -> None:
    """Without a window a series stands once, with one every date of it."""
    series = office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=5")
    whole = appointments.listing(office.app, OPERATOR)
    days = appointments.listing(office.app, OPERATOR, window=appointments.window("2026-11-25", "2026-11-27"))

    assert [(entry.kind, entry.recurrence) for entry in whole] == [("series", "FREQ=DAILY;COUNT=5")]
    assert [(entry.kind, entry.series_id) for entry in days] == [("occurrence", series)] * 2
    assert [entry.original_start for entry in days] == [at(9, days=2).start, at(9, days=3).start]


def test_one_date_of_a_series_is_changed_and_deleted(office: Office) -> None:
    """An occurrence becomes an exception; a deleted one is gone from the window."""
    office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=3")
    days = appointments.window("2026-11-24", "2026-12-01")
    first, second, _ = appointments.listing(office.app, OPERATOR, window=days)
    changed = appointments.edit(office.app, OPERATOR, first.id, Draft(subject="Long standup")).appointment
    appointments.delete(office.app, OPERATOR, second.id)
    after = appointments.listing(office.app, OPERATOR, window=days)

    assert changed is not None
    assert (changed.kind, changed.subject, changed.original_start) == ("exception", "Long standup", at(9).start)
    assert [entry.kind for entry in after] == ["exception", "occurrence"]
    with pytest.raises(SyncError, match="InvalidRequest"):
        appointments.edit(office.app, OPERATOR, after[1].id, Draft(recurrence="FREQ=DAILY"))


@pytest.mark.rule("R-01")
@pytest.mark.rule("R-02")
@pytest.mark.parametrize("years", [0, 1, 40, 1_400])
def test_every_date_of_a_series_is_an_entry_of_its_window_however_far(office: Office, years: int) -> None:
    """Dates by pattern and changed ones name series and original start, wherever they stand; deleted ones are gone."""
    series = office.in_crm("Standup", at(9, days=-9_000), recurrence="FREQ=DAILY")
    day = at(9).start.replace(year=at(9).start.year + years)
    days = (day.replace(hour=0), day.replace(hour=0) + timedelta(days=4))
    first, second, third, _ = appointments.listing(office.app, OPERATOR, window=days)
    later = (day + timedelta(days=1, hours=5)).isoformat()
    appointments.edit(office.app, OPERATOR, second.id, Draft(start=later), ignore_conflicts=True)
    appointments.delete(office.app, OPERATOR, third.id)
    found = appointments.listing(office.app, OPERATOR, window=days)

    assert [(entry.kind, entry.start - day) for entry in found] == [
        ("occurrence", timedelta(0)),
        ("exception", timedelta(days=1, hours=5)),
        ("occurrence", timedelta(days=3)),
    ]
    assert [entry.original_start for entry in found] == [day + timedelta(days=number) for number in (0, 1, 3)]
    assert {entry.series_id for entry in found} == {series}
    assert all(appointments.show(office.app, OPERATOR, entry.id) == entry for entry in (first, *found))
    past = appointments.window("2002-06-01", "2002-06-03")
    assert [entry.kind for entry in appointments.listing(office.app, OPERATOR, window=past)] == ["occurrence"] * 2


@pytest.mark.rule("R-08")
@pytest.mark.parametrize(
    "stamp",
    ["20261125T090000Z", "20261125T093000Z", "20261201T090000Z", "20201125T090000Z", "00010101T000000Z",
     "99991231T235959Z"],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/New_York"])
def test_a_date_that_a_series_does_not_have_is_not_found(office: Office, stamp: str, zone: str) -> None:
    """Deleted before, beside the pattern, or outside the range of the series and the calendar: nothing is written."""
    series = office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=3", time_zone=zone)
    appointments.delete(office.app, OPERATOR, f"{series}@20261125T090000Z")
    before = office.app.crm.row(series)

    for act in (
        lambda: appointments.show(office.app, OPERATOR, f"{series}@{stamp}"),
        lambda: appointments.edit(office.app, OPERATOR, f"{series}@{stamp}", Draft(subject="x")),
        lambda: appointments.delete(office.app, OPERATOR, f"{series}@{stamp}"),
        lambda: office.app.crm.edit(f"{series}@{stamp}", None, {"subject": "x"}, by_user="maya"),
    ):
        with pytest.raises(SyncError, match=r"NotFoundHere: There is no date [0-9-]+ [0-9:]+ UTC"):
            act()
    assert office.app.crm.remove(f"{series}@{stamp}", by_user="maya").result is Result.SAVED
    assert office.app.crm.row(series) == before


@pytest.mark.rule("R-08")
def test_a_single_appointment_has_no_dates(office: Office) -> None:
    """Its own start names no date of a series."""
    single = office.in_crm("Review", at(9))

    with pytest.raises(SyncError, match="NotFoundHere"):
        appointments.delete(office.app, OPERATOR, f"{single}@20261124T090000Z")


@pytest.mark.rule("R-03")
def test_a_series_is_ended_early(office: Office) -> None:
    """The dates that have begun stay, also the changed one; the rest is gone, and the series is canceled for good."""
    series = office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=9")
    appointments.edit(office.app, OPERATOR, f"{series}@20261124T090000Z", Draft(location="Hall"))
    appointments.edit(office.app, OPERATOR, f"{series}@20261130T090000Z", Draft(location="Yard"))
    office.clock.at = at(9.5, days=3).start
    assert appointments.can_end(office.app, series)
    ended = appointments.end(office.app, office.viewer("maya"), series).appointment
    dates = appointments.listing(office.app, OPERATOR, window=appointments.window("2026-11-01", "2027-02-01"))

    assert ended is not None
    assert (ended.status, ended.recurrence) == ("canceled", "FREQ=DAILY;UNTIL=20261126T090000Z")
    assert [(entry.kind, entry.start, entry.status) for entry in dates] == [
        ("exception", at(9, days=1).start, "canceled"),
        ("occurrence", at(9, days=2).start, "canceled"),
        ("occurrence", at(9, days=3).start, "canceled"),
    ]
    assert not appointments.can_end(office.app, series)
    with pytest.raises(SyncError, match="ClosedInCrm"):
        appointments.end(office.app, OPERATOR, series)


@pytest.mark.rule("R-03")
def test_a_series_that_is_over_needs_nothing_but_its_status(office: Office) -> None:
    """It keeps its range."""
    series = office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=3")
    office.clock.at = at(9, days=30).start
    assert not appointments.can_end(office.app, series)
    ended = appointments.end(office.app, OPERATOR, series).appointment

    assert ended is not None
    assert (ended.status, ended.recurrence) == ("canceled", "FREQ=DAILY;COUNT=3")


@pytest.mark.rule("R-03")
@pytest.mark.rule("CD-10")
def test_a_series_whose_running_date_overlaps_another_can_be_ended(office: Office) -> None:
    """Dates go and none comes, so that nobody is asked about what stands there already."""
    office.in_crm("Review", at(9))
    series = office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=9")
    office.clock.at = at(9.5).start
    ended = appointments.end(office.app, OPERATOR, series)

    assert (ended.code, ended.appointment and ended.appointment.status) == ("", "canceled")


@pytest.mark.rule("R-03")
def test_only_a_series_that_has_begun_is_ended(office: Office) -> None:
    """Not a single appointment, not one date, not what is still to come, and not what belongs to somebody else."""
    single, series = office.in_crm("Review", at(7)), office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=3")
    refused = [(single, "Only a whole series"), (f"{series}@20261124T090000Z", "Only a whole series")]

    for entry, why in [*refused, (series, "No date of this series has begun")]:
        assert not appointments.can_end(office.app, entry)
        with pytest.raises(SyncError, match=f"InvalidRequest: {why}"):
            appointments.end(office.app, OPERATOR, entry)
    office.clock.at = at(9.5).start
    with pytest.raises(SyncError, match="NotAllowed"):
        appointments.end(office.app, office.viewer("jonas"), series)


def test_a_user_lists_his_own_and_others_masked(office: Office) -> None:
    """A User gets what he takes part in; a colleague's calendar is busy times only."""
    office.in_crm("Review", at(10), organizer="maya")
    office.in_crm("Dentist", at(12), organizer="jonas", show_as="out_of_office")
    maya = office.viewer("maya")
    (other,) = appointments.listing(office.app, maya, user="jonas")

    assert [entry.subject for entry in appointments.listing(office.app, maya)] == ["Review"]
    assert (other.subject, other.show_as, other.organizer, other.attendees) == ("Busy", "busy", None, ())
    assert other.global_object_id == ""
    assert [entry.subject for entry in appointments.listing(office.app, office.viewer("ines"))] == ["Review", "Dentist"]


def test_a_private_appointment_is_its_owners(office: Office) -> None:
    """To everybody else it is a private appointment, also to who attends it and to an administrator."""
    entry = office.in_crm("Salary talk", at(10), organizer="maya", required=["jonas"], private=True)

    for name, subject in (("maya", "Salary talk"), ("jonas", "Private appointment"), ("ines", "Private appointment")):
        assert appointments.show(office.app, office.viewer(name), entry).subject == subject
    with pytest.raises(SyncError, match="NotAllowed"):
        appointments.edit(office.app, office.viewer("ines"), entry, Draft(subject="x"))


def test_bodies_are_for_the_own_people(office: Office) -> None:
    """An administrator never reads description or location of an appointment of others."""
    entry = office.in_crm("Review", at(10), description="secret body", location="Showroom")

    own = appointments.texts(office.app, office.viewer("maya"), entry)
    assert own == appointments.Texts(location="Showroom", description="secret body")
    assert appointments.texts(office.app, office.viewer("ines"), entry) is None


def test_a_user_edits_only_what_he_takes_part_in(office: Office) -> None:
    """Entering for, changing or deleting what is a colleague's is refused."""
    foreign = office.in_crm("Dentist", at(12), organizer="jonas")
    maya = office.viewer("maya")

    for act in (
        lambda: appointments.add(office.app, maya, draft("X", 15, organizer="jonas")),
        lambda: appointments.edit(office.app, maya, foreign, Draft(subject="X")),
        lambda: appointments.delete(office.app, maya, foreign),
    ):
        with pytest.raises(SyncError, match="NotAllowed"):
            act()


def test_a_closed_appointment_is_read_only(office: Office) -> None:
    """Completed and canceled rows are not edited, and do not block (CD-03)."""
    entry = office.in_crm("Review", at(10))
    closed = appointments.edit(office.app, OPERATOR, entry, Draft(status="canceled")).appointment

    assert closed is not None
    assert closed.status == "canceled"
    with pytest.raises(SyncError, match="ClosedInCrm"):
        appointments.edit(office.app, OPERATOR, entry, Draft(subject="x"))
    assert appointments.add(office.app, office.viewer("maya"), draft("Other", 10)).appointment is not None


def test_a_synchronized_appointment_names_its_mailbox(office: Office) -> None:
    """The link says through which mailbox, and whether an edit here is not in Exchange yet."""
    office.in_outlook("Lunch", at(12))
    office.sync()
    (entry,) = appointments.listing(office.app, OPERATOR)

    assert entry.link is not None
    assert (entry.link.mailbox, entry.link.state) == (f"maya@{DOMAIN}", "settled")
    assert entry.global_object_id == "uid-Lunch"
    appointments.edit(office.app, OPERATOR, entry.id, Draft(subject="Long lunch"))
    office.sync()
    edited = appointments.show(office.app, OPERATOR, entry.id).link
    assert edited is not None
    assert edited.state == "unsettled"


def test_pages_go_on_where_the_last_one_ended(office: Office) -> None:
    """The cursor leads through the whole calendar, each entry once."""
    for hour in (9, 11, 13):
        office.in_crm(f"At {hour}", at(hour))
    first = appointments.page(office.app, OPERATOR, limit=2)
    second = appointments.page(office.app, OPERATOR, limit=2, cursor=first.next)

    assert [entry.subject for entry in (*first.items, *second.items)] == ["At 9", "At 11", "At 13"]
    assert second.next is None


@pytest.mark.parametrize(("start", "end"), [("2026-11-24", None), (None, "2026-11-24"), ("2026-11-25", "2026-11-24")])
def test_a_window_has_two_days_in_order(start: str | None, end: str | None) -> None:
    """Half a window, or one that runs backwards, is refused."""
    with pytest.raises(SyncError, match="InvalidRequest"):
        appointments.window(start, end)


def test_what_does_not_exist_is_not_found(office: Office) -> None:
    """Unknown ids and users are NotFoundHere."""
    for ask in (
        lambda: appointments.show(office.app, OPERATOR, "nothing"),
        lambda: appointments.edit(office.app, OPERATOR, "nothing", Draft(subject="x")),
        lambda: appointments.listing(office.app, OPERATOR, user="nobody"),
    ):
        with pytest.raises(SyncError, match="NotFoundHere"):
            ask()


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit or deletion of a version that is gone is refused with RowChanged."""
    entry = office.in_crm("Review", at(10))
    seen = office.app.crm.row(entry)
    appointments.edit(office.app, OPERATOR, entry, Draft(subject="Changed"))
    monkeypatch.setattr(office.app.crm, "row", lambda _: seen)

    with pytest.raises(SyncError, match="RowChanged"):
        appointments.edit(office.app, OPERATOR, entry, Draft(subject="Overwritten"))
    with pytest.raises(SyncError, match="RowChanged"):
        appointments.delete(office.app, OPERATOR, entry)


@pytest.mark.rule("A-09")
def test_a_draft_is_entered_as_one_and_released_once(office: Office) -> None:
    """The mark can be set on what is new only, and be taken off; saying again what is so changes nothing."""
    entry = office.in_crm("Review", at(10), draft=True)
    other = office.in_crm("Other", at(12))
    appointments.edit(office.app, OPERATOR, entry, Draft(subject="Renamed", draft=True))
    assert [each.draft for each in appointments.listing(office.app, OPERATOR)] == [True, False]

    before = office.app.crm.row(entry)
    written = appointments.edit(office.app, OPERATOR, entry, Draft(draft=False)).appointment
    after = office.app.crm.row(entry)
    assert written is not None and not written.draft
    assert after == replace(before, draft=False, version=before.version + 1)
    for row in (entry, other):
        with pytest.raises(SyncError, match="Only a new appointment can be a draft"):
            appointments.edit(office.app, OPERATOR, row, Draft(subject="x", draft=True))


@pytest.mark.rule("A-09")
def test_a_series_is_a_draft_as_a_whole(office: Office) -> None:
    """Its dates are drafts with it, changed ones too; one of them alone cannot be released."""
    series = office.in_crm("Standup", at(9), recurrence="FREQ=DAILY;COUNT=3", draft=True)
    days = appointments.window("2026-11-24", "2026-12-01")
    first, *_ = appointments.listing(office.app, OPERATOR, window=days)
    changed = appointments.edit(office.app, OPERATOR, first.id, Draft(subject="Long standup")).appointment
    assert changed is not None
    assert [each.draft for each in appointments.listing(office.app, OPERATOR, window=days)] == [True] * 3
    with pytest.raises(SyncError, match="All dates of a series are drafts together"):
        appointments.edit(office.app, OPERATOR, changed.id, Draft(draft=False))

    appointments.edit(office.app, OPERATOR, series, Draft(draft=False))
    after = appointments.listing(office.app, OPERATOR, window=days)
    assert [(each.draft, each.kind) for each in after] == [
        (False, "exception"),
        (False, "occurrence"),
        (False, "occurrence"),
    ]


@pytest.mark.rule("A-09")
def test_that_it_is_a_draft_is_for_who_may_read_it(office: Office) -> None:
    """A draft takes time like any other; colleagues see that time as busy, and not more."""
    office.in_crm("Review", at(10), draft=True)
    (seen,) = appointments.listing(office.app, office.viewer("jonas"), user="maya")
    refused = appointments.add(office.app, office.viewer("maya"), draft("Other", 10.5))

    assert (seen.subject, seen.draft) == ("Busy", False)
    assert refused.code == CONFLICT
