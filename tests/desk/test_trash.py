"""The trash at the desk: who sees it, how it comes back, and what explain says of it."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.config import PrivatePolicy, PrivateSettings, Settings
from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Pattern,
    PatternKind,
    Recurrence,
    Response,
    Sensitivity,
    Status,
)
from syncline.core.scheduling import ConflictPolicy
from syncline.desk import appointments, explaining, trash
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from syncline.ports import Changes, Origin, Trashed
from tests.desk.office import DOMAIN, NOW, Office, at

POLICY = ConflictPolicy()
CONFLICT = "ExchangeSyncSchedulingConflictsError"


def content(subject: str, hour: float = 10, *, days: int = 1, **fields: Any) -> Appointment:
    """Return an appointment of Maya's, as Outlook has it."""
    given: dict[str, Any] = {
        "subject": subject,
        "description": "secret body",
        "span": at(hour, days=days),
        "organizer": Address(f"maya@{DOMAIN}", "Maya"),
        "categories": ("Red",),
        "response": Response.ORGANIZER,
    }
    return Appointment(identity=Identity(f"uid-{subject}"), **{**given, **fields})


def thrown(office: Office, appointment: Appointment, owner: str = "maya", **fields: Any) -> int:
    """Put content into somebody's trash, as a cycle does, and return its number."""
    box = office.mailbox(owner)
    given = {"side": Origin.CRM, "deleted_on": office.clock.now(), **fields}
    lease = office.app.store.claim(box.id, "test", office.clock.now(), 60)
    assert lease is not None
    office.app.store.write(lease, Changes(trash=[Trashed(mailbox_id=box.id, appointment=appointment, **given)]))
    office.app.store.release(lease, None, None)
    return trash.listing(office.app, OPERATOR, mailbox=str(box.id))[0].id


def restored(office: Office, number: int, name: str = "maya", **how: bool) -> str:
    """Restore an entry and return the id of the new row."""
    written = trash.restore(office.app, office.viewer(name), number, **how)
    assert written.appointment is not None, written.code
    return written.appointment.id


def test_an_entry_says_what_happened(office: Office) -> None:
    """What was deleted where, since when, and how long it is kept."""
    thrown(office, content("Demo"))
    (entry,) = trash.listing(office.app, office.viewer("maya"))

    assert (entry.subject, entry.kind, entry.start, entry.side) == ("Demo", "single", at(10).start, "crm")
    assert entry.text == "Deleted in Outlook, so it was deleted in Syncline CRM."
    assert (entry.deleted_on, entry.kept_until) == (NOW, NOW + timedelta(days=30))
    assert (entry.restored_on, entry.restored_by, entry.appointment_id) == (None, None, None)


@pytest.mark.parametrize(
    ("side", "reason", "said"),
    [
        (Origin.EXCHANGE, "deleted", "Deleted in Syncline CRM, so it was deleted in Outlook."),
        (Origin.CRM, "edited", "Edited in Syncline CRM while it was deleted in Outlook: the deletion counted."),
        (Origin.EXCHANGE, "edited", "Edited in Outlook while it was deleted in Syncline CRM: the deletion counted."),
    ],
)
def test_each_way_into_the_trash_has_its_sentence(office: Office, side: Origin, reason: str, said: str) -> None:
    """Both sides, deleted or edited meanwhile (A-26)."""
    number = thrown(office, content("Demo"), side=side, reason=reason)

    assert trash.entry(office.app, OPERATOR, number).text == said


def test_a_trash_is_its_owners_and_the_administrators(office: Office) -> None:
    """Another person's entries do not exist for a User, whatever he asks."""
    number = thrown(office, content("Demo"))
    jonas = office.viewer("jonas")

    assert trash.listing(office.app, jonas) == []
    for act in (trash.entry, trash.restore):
        with pytest.raises(SyncError, match="NotFoundHere"):
            act(office.app, jonas, number)
    with pytest.raises(SyncError, match="NotFoundHere"):
        trash.listing(office.app, jonas, mailbox=f"maya@{DOMAIN}")
    for name in ("maya", "ines"):
        assert [each.id for each in trash.listing(office.app, office.viewer(name))] == [number]


def test_private_content_is_masked_for_everybody_but_its_owner(office: Office) -> None:
    """An administrator restores it without reading it: not in the list, the refusal, or the new row."""
    office.in_crm("Review", at(10))
    number = thrown(office, content("Doctor", sensitivity=Sensitivity.PRIVATE))
    ines = office.viewer("ines")
    refused = trash.restore(office.app, ines, number)
    written = trash.restore(office.app, ines, number, ignore_conflicts=True)

    assert refused.refused is not None and refused.code == CONFLICT
    assert written.appointment is not None
    texts = [refused.refused.text, written.appointment.subject, trash.entry(office.app, ines, number).subject]
    assert all("Private appointment" in text and "Doctor" not in text for text in texts)
    assert trash.listing(office.app, ines, words="doctor") == []
    assert [each.subject for each in trash.listing(office.app, office.viewer("maya"), words="doctor")] == ["Doctor"]
    assert appointments.show(office.app, office.viewer("maya"), written.appointment.id).subject == "Doctor"


def test_restoring_enters_it_again_under_a_new_identity(office: Office) -> None:
    """Whole, its organizer's, and with an identity that no deleted item has had (hard-problems 15)."""
    guests = (Attendee(f"jonas@{DOMAIN}", "Jonas", response=Response.ACCEPTED),)
    number = thrown(office, content("Demo", location="Showroom", attendees=guests))
    row = office.app.crm.row(restored(office, number, "ines"))
    after = trash.entry(office.app, OPERATOR, number)

    held = row.appointment
    assert (held.subject, held.description, held.location, held.span) == ("Demo", "secret body", "Showroom", at(10))
    assert held.organizer is not None and held.organizer.address == f"maya@{DOMAIN}"
    assert [guest.address for guest in held.attendees] == [f"jonas@{DOMAIN}"]
    assert (row.owner, row.modified_by, row.status) == ("maya", "maya", Status.SCHEDULED)
    assert held.identity.global_object_id not in ("", "uid-Demo")
    assert (after.restored_on, after.restored_by, after.appointment_id) == (NOW, "Ines Brandt", row.id)


def test_it_is_checked_like_any_entry(office: Office) -> None:
    """Somebody who is unavailable is a refusal with the clashes; nothing is written, and it can be tried again."""
    office.in_crm("Review", at(10))
    number = thrown(office, content("Demo", 10.5))
    refused = trash.restore(office.app, office.viewer("maya"), number)

    assert (refused.code, refused.unavailable) == (CONFLICT, ("Maya Lind",))
    assert [clash.subject for clash in refused.clashes] == ["Review"]
    assert len(appointments.listing(office.app, OPERATOR)) == 1
    assert trash.entry(office.app, OPERATOR, number).restored_on is None
    restored(office, number, ignore_conflicts=True)
    assert len(appointments.listing(office.app, OPERATOR)) == 2


def test_it_is_restored_once(office: Office) -> None:
    """A second person is told who was first; there is one row."""
    number = thrown(office, content("Demo"))
    restored(office, number)

    with pytest.raises(SyncError, match=r"AlreadyRestored.*Maya Lind restored it on 2026-11-23 08:00 UTC"):
        trash.restore(office.app, office.viewer("ines"), number)
    assert len(appointments.listing(office.app, OPERATOR)) == 1


def test_two_people_at_the_same_time_make_one_row(office: Office) -> None:
    """All who restore at once find the same row; one of them is told that he did."""
    number = thrown(office, content("Demo"))
    start, told = threading.Barrier(4), []

    def act(name: str) -> None:
        viewer = office.viewer(name)
        start.wait()
        try:
            trash.restore(office.app, viewer, number)
            told.append("restored")
        except SyncError as error:
            told.append(error.code)

    people = [threading.Thread(target=act, args=(name,)) for name in ("maya", "ines") * 2]
    for each in people:
        each.start()
    for each in people:
        each.join()

    assert sorted(told) == ["AlreadyRestored"] * 3 + ["restored"]
    assert len(appointments.listing(office.app, OPERATOR)) == 1


def test_a_crash_after_the_row_makes_no_second_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row's id is stored before the row is: trying again finds it."""
    number = thrown(office, content("Demo"))

    def crash(*_: object) -> bool:
        raise RuntimeError

    with monkeypatch.context() as dying:
        dying.setattr(office.app.store, "mark_restored", crash)
        with pytest.raises(RuntimeError):
            trash.restore(office.app, OPERATOR, number)
    row = restored(office, number)

    assert [each.id for each in appointments.listing(office.app, OPERATOR)] == [row]


def test_a_series_of_the_past_comes_back_whole(office: Office) -> None:
    """Past dates, moved dates and deleted dates are there again, each under the new identity."""
    span = at(9, days=-10)
    starts = [span.start + timedelta(days=number) for number in range(5)]
    uid = "uid-Standup"
    series = content(
        "Standup",
        span=span,
        recurrence=Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=date(2026, 11, 13), count=5),
        deleted=(starts[1],),
    )
    moved = content("Long standup", span=at(11, days=-8), categories=())
    series = replace(series, exceptions=(replace(moved, identity=Identity(uid, starts[2])),))
    number = thrown(office, series)
    row = office.app.crm.row(restored(office, number))
    held = row.appointment

    assert trash.entry(office.app, OPERATOR, number).kind == "series"
    assert (held.recurrence, held.deleted) == (series.recurrence, (starts[1],))
    (exception,) = held.exceptions
    assert (exception.subject, exception.span) == ("Long standup", at(11, days=-8))
    assert exception.identity == Identity(held.identity.global_object_id, starts[2])
    assert held.identity.global_object_id != uid


def test_one_date_of_a_foreign_series_comes_back_alone(office: Office) -> None:
    """What was one date of a series that is not here is an appointment by itself."""
    number = thrown(office, replace(content("Guest date"), identity=Identity("uid-x", at(10).start)))
    row = office.app.crm.row(restored(office, number))

    assert (row.appointment.identity.original_start, row.appointment.recurrence) == (None, None)


def test_a_date_of_a_series_that_stands_comes_back_by_itself(office: Office) -> None:
    """Told by its subject, its time and its kind; restored with its people beside the series, which stays as it is."""
    pattern = Pattern(kind=PatternKind.DAILY)
    series = content("Standup", 9, recurrence=Recurrence(pattern=pattern, first=date(2026, 11, 24), count=5))
    gone = at(9, days=2)
    office.app.crm.create(
        replace(series, deleted=(gone.start,)), by_user="maya", row_id="standing", ignore_conflicts=False, policy=POLICY
    )
    (before,) = appointments.listing(office.app, OPERATOR)
    guests = (Attendee(f"jonas@{DOMAIN}", "Jonas", response=Response.ACCEPTED),)
    moved = content("Long standup", 11, days=2, location="Showroom", attendees=guests)
    number = thrown(office, replace(moved, identity=Identity("uid-Standup", gone.start)))
    entry = trash.entry(office.app, office.viewer("maya"), number)
    row = office.app.crm.row(restored(office, number))
    held = row.appointment

    assert (entry.subject, entry.kind, entry.start) == ("Long standup", "exception", at(11, days=2).start)
    assert (held.subject, held.location, held.span) == ("Long standup", "Showroom", at(11, days=2))
    assert [guest.address for guest in held.attendees] == [f"jonas@{DOMAIN}"]
    assert held.organizer is not None and held.organizer.address == f"maya@{DOMAIN}"
    assert (held.identity.original_start, held.recurrence) == (None, None)
    assert held.identity.global_object_id not in ("", "uid-Standup")
    assert before in appointments.listing(office.app, OPERATOR)


def test_after_thirty_days_it_is_gone(office: Office) -> None:
    """Neither listed nor restored, although nothing has emptied the trash yet."""
    number = thrown(office, content("Demo"))
    office.clock.at = NOW + timedelta(days=30)
    assert len(trash.listing(office.app, OPERATOR)) == 1
    office.clock.at += timedelta(seconds=1)

    assert trash.listing(office.app, OPERATOR) == []
    with pytest.raises(SyncError, match="NotFoundHere"):
        trash.restore(office.app, OPERATOR, number)


@pytest.mark.parametrize("policy", [PrivatePolicy.MASK, PrivatePolicy.SKIP])
def test_what_the_crm_may_not_hold_stays_masked(tmp_path: Path, policy: PrivatePolicy) -> None:
    """Content from Outlook that is private enters the CRM as the setting says (D-03)."""
    office = Office(tmp_path, settings=Settings(data=tmp_path, private=PrivateSettings(policy=policy)))
    number = thrown(office, content("Doctor", sensitivity=Sensitivity.PRIVATE), side=Origin.EXCHANGE)
    held = office.app.crm.row(restored(office, number)).appointment

    assert (held.subject, held.description) == ("Private appointment", "")


def test_what_the_crm_refuses_stays_in_the_trash(office: Office) -> None:
    """The error tells the subject as it may be read, and nothing is noted as restored."""
    number = thrown(office, content("Doctor", zone="Nowhere/Land", sensitivity=Sensitivity.PRIVATE))

    with pytest.raises(SyncError, match=r"UnknownTimeZone.*Private appointment"):
        trash.restore(office.app, office.viewer("ines"), number)
    assert trash.entry(office.app, OPERATOR, number).restored_on is None


def test_explain_finds_it(office: Office) -> None:
    """By a part of its subject, its ids and its number; it says why it went and how it came back."""
    number = thrown(office, content("Demo for Alpen"))
    for words in ("alpen", "uid-Demo for Alpen", str(number)):
        (story,) = explaining.explain(office.app, office.viewer("maya"), words)
        assert story.text == (
            f'"Demo for Alpen" of maya@{DOMAIN} is in the trash as number {number}. Deleted in Outlook, so it was '
            "deleted in Syncline CRM. It can be restored until 2026-12-23 08:00 UTC."
        )
        assert (story.state, [line.action for line in story.lines]) == ("trashed", ["deleted"])
    row = restored(office, number)
    (story,) = explaining.explain(office.app, OPERATOR, row)

    assert story.text.endswith("Maya Lind restored it on 2026-11-23 08:00 UTC, as a new appointment.")
    assert (story.state, story.appointment_id) == ("restored", row)
    assert [line.action for line in story.lines] == ["restored from the trash", "deleted"]


def test_explain_does_not_tell_what_may_not_be_read(office: Office) -> None:
    """A private entry is found by its subject by its owner only; another person's by nobody else."""
    thrown(office, content("Doctor", sensitivity=Sensitivity.PRIVATE))

    found = {name: len(explaining.explain(office.app, office.viewer(name), "doctor")) for name in ("maya", "ines")}
    assert found == {"maya": 1, "ines": 0}
    assert explaining.explain(office.app, office.viewer("jonas"), "uid-Doctor") == []
