"""Meetings between mailboxes: who is mailed on which write, what arrives, and what answers do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from exchangelib import UTC, Account, CalendarItem, EWSDate, Message
from exchangelib.items import (
    SEND_ONLY_TO_ALL,
    SEND_ONLY_TO_CHANGED,
    SEND_TO_ALL_AND_SAVE_COPY,
    SEND_TO_NONE,
    MeetingCancellation,
    MeetingRequest,
    MeetingResponse,
)
from exchangelib.recurrence import Recurrence, WeeklyPattern

from tests.emulator.client import Client
from tests.emulator.conftest import ADA, BOB, CYD

pytestmark = pytest.mark.emulator

START = datetime(2026, 12, 1, 9, tzinfo=UTC)
OUTSIDE = "zoe@partner.example"


def invite(ada: Account, *people: str, mode: str = SEND_TO_ALL_AND_SAVE_COPY, **fields: Any) -> CalendarItem:
    """Create a meeting of Ada's and return it as the server has it."""
    item = CalendarItem(
        account=ada,
        folder=ada.calendar,
        subject="Plan",
        start=START,
        end=START + timedelta(hours=1),
        required_attendees=list(people),
        **fields,
    )
    item.save(send_meeting_invitations=mode)
    return ada.calendar.get(id=item.id)


def only(account: Account) -> CalendarItem:
    """Return the only item of an account's calendar."""
    (found,) = account.calendar.all()
    return account.calendar.get(id=found.id)


def outbox(client: Client) -> list[tuple[str, str]]:
    """Return kind and recipient of every mail."""
    return [(mail["kind"], mail["to"]) for mail in client.control("GET", "outbox")]


def test_invitation_acceptance_move_and_cancellation(ada: Account, bob: Account, client: Client) -> None:
    """A meeting lives in both mailboxes: requested, accepted, moved, cancelled."""
    mine = invite(ada, BOB)
    (request,) = bob.inbox.all()
    assert isinstance(request, MeetingRequest)
    theirs = only(bob)
    assert (theirs.my_response_type, theirs.legacy_free_busy_status) == ("NoResponseReceived", "Tentative")
    assert (theirs.uid, theirs.organizer.email_address, theirs.is_meeting) == (mine.uid, ADA, True)

    key = mine.changekey
    theirs.accept()
    theirs = only(bob)
    assert (theirs.my_response_type, theirs.legacy_free_busy_status) == ("Accept", "Busy")
    mine.refresh()
    assert mine.required_attendees[0].response_type == "Accept"
    assert mine.changekey != key
    (answer,) = ada.inbox.all()
    assert isinstance(answer, MeetingResponse)

    mine.start, mine.end = START + timedelta(hours=3), START + timedelta(hours=4)
    mine.save(update_fields=["start", "end"], send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    theirs = only(bob)
    assert (theirs.start, theirs.my_response_type) == (START + timedelta(hours=3), "NoResponseReceived")

    mine.delete(send_meeting_cancellations=SEND_TO_ALL_AND_SAVE_COPY)
    theirs = only(bob)
    assert (theirs.is_cancelled, theirs.legacy_free_busy_status, theirs.subject) == (True, "Free", "Canceled: Plan")
    assert any(isinstance(m, MeetingCancellation) for m in bob.inbox.all())
    assert outbox(client) == [("request", BOB), ("response", ADA), ("update", BOB), ("cancellation", BOB)]


def test_created_for_nobody_mails_nobody(ada: Account, bob: Account, client: Client) -> None:
    """CreateItem with SendToNone mails nobody and no copy appears."""
    invite(ada, BOB, OUTSIDE, mode=SEND_TO_NONE)
    assert (outbox(client), list(bob.calendar.all()), list(bob.inbox.all())) == ([], [], [])


def test_mail_for_others_is_kept_and_counted(ada: Account, client: Client) -> None:
    """A request for an address outside the server stands in the outbox and is marked external."""
    invite(ada, BOB, OUTSIDE, mode=SEND_ONLY_TO_ALL)
    inside, outside = client.control("GET", "outbox")
    assert (inside["to"], inside["external"]) == (BOB, False)
    assert (outside["to"], outside["external"], outside["from"]) == (OUTSIDE, True, ADA)
    assert (outside["kind"], outside["subject"]) == ("request", "Plan")
    assert set(outside) == {"sent", "from", "to", "kind", "subject", "external"}


def test_an_update_for_nobody_leaves_copies_as_they_were(ada: Account, bob: Account, client: Client) -> None:
    """UpdateItem with SendToNone mails nobody, and the attendee still has the old time."""
    mine = invite(ada, BOB)
    mine.start, mine.end = START + timedelta(hours=5), START + timedelta(hours=6)
    mine.save(update_fields=["start", "end"], send_meeting_invitations=SEND_TO_NONE)
    assert only(bob).start == START
    assert outbox(client) == [("request", BOB)]


@pytest.mark.parametrize(
    ("mode", "mails"),
    [
        (SEND_ONLY_TO_ALL, [("cancellation", BOB), ("request", OUTSIDE), ("update", CYD)]),
        (SEND_ONLY_TO_CHANGED, [("cancellation", BOB), ("request", OUTSIDE)]),
    ],
)
def test_an_update_of_the_people_mails_whom_the_mode_means(
    ada: Account, client: Client, mode: str, mails: list[tuple[str, str]]
) -> None:
    """Removed people get a cancellation, added ones a request; the rest an update only in the mode for all."""
    mine = invite(ada, BOB, CYD)
    mine.required_attendees = [CYD, OUTSIDE]
    mine.save(update_fields=["required_attendees"], send_meeting_invitations=mode)
    assert outbox(client)[2:] == mails


def test_a_new_time_is_told_to_all_also_in_the_mode_for_changed(ada: Account, client: Client) -> None:
    """SendOnlyToChanged updates everybody when the time changes."""
    mine = invite(ada, BOB, CYD)
    mine.end = START + timedelta(hours=2)
    mine.save(update_fields=["end"], send_meeting_invitations=SEND_ONLY_TO_CHANGED)
    assert outbox(client)[2:] == [("update", BOB), ("update", CYD)]


def test_deleting_for_nobody_leaves_orphaned_copies(ada: Account, bob: Account, client: Client) -> None:
    """DeleteItem with SendToNone mails nobody; the attendee's copy stays as it was."""
    invite(ada, BOB).delete(send_meeting_cancellations=SEND_TO_NONE)
    assert only(bob).is_cancelled is False
    assert outbox(client) == [("request", BOB)]


def test_an_attendee_mails_nobody_but_a_response(ada: Account, bob: Account, client: Client) -> None:
    """Editing and deleting an attendee's copy mails nobody, in whatever mode."""
    invite(ada, BOB)
    copy = only(bob)
    copy.subject = "My name for it"
    copy.save(update_fields=["subject"], send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    copy.delete(send_meeting_cancellations=SEND_TO_ALL_AND_SAVE_COPY)
    assert outbox(client) == [("request", BOB)]


def test_a_response_may_be_kept_to_oneself(ada: Account, bob: Account, client: Client) -> None:
    """Accepting with SaveOnly changes the copy and tells the organizer nothing."""
    invite(ada, BOB)
    reply = Client(client.server, BOB, "bob-secret").post(
        f'<m:CreateItem MessageDisposition="SaveOnly"><m:Items><t:AcceptItem><t:ReferenceItemId Id="{only(bob).id}"/>'
        "</t:AcceptItem></m:Items></m:CreateItem>"
    )
    assert reply.codes() == ["NoError"]
    assert only(bob).my_response_type == "Accept"
    assert outbox(client) == [("request", BOB)]


def test_accepting_gives_the_item_another_id(ada: Account, bob: Account) -> None:
    """An accepted copy is a Delete and a Create with the same UID: a move, no removal."""
    invite(ada, BOB)
    before = only(bob)
    list(bob.calendar.sync_items())
    before.accept()
    changes = dict(bob.calendar.sync_items())
    assert changes["delete"].id == before.id
    assert changes["create"].uid == before.uid


def test_a_declined_copy_goes_to_deleted_items(ada: Account, bob: Account) -> None:
    """Declining empties the calendar, moves the copy to Deleted Items and tells the organizer."""
    mine = invite(ada, BOB)
    only(bob).decline()
    assert list(bob.calendar.all()) == []
    assert any(isinstance(i, CalendarItem) for i in bob.trash.all())
    mine.refresh()
    assert mine.required_attendees[0].response_type == "Decline"


def test_a_request_in_the_inbox_can_be_answered(ada: Account, bob: Account) -> None:
    """Tentatively accepting the request in the Inbox answers the copy in the calendar."""
    mine = invite(ada, BOB)
    (request,) = bob.inbox.all()
    request.tentatively_accept()
    assert only(bob).my_response_type == "Tentative"
    assert list(bob.inbox.all()) == []
    mine.refresh()
    assert mine.required_attendees[0].response_type == "Tentative"


def test_the_organizer_cannot_answer(client: Client) -> None:
    """Accepting an own meeting answers ErrorCalendarIsOrganizerForAccept."""
    ident = client.created(
        "<t:Subject>Own</t:Subject><t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>"
    )
    reply = client.post(
        f'<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:AcceptItem><t:ReferenceItemId Id="{ident}"/>'
        "</t:AcceptItem></m:Items></m:CreateItem>"
    )
    assert reply.codes() == ["ErrorCalendarIsOrganizerForAccept"]


def weekly(ada: Account, *people: str) -> CalendarItem:
    """Create a Tuesday series of four with people."""
    rule = Recurrence(pattern=WeeklyPattern(interval=1, weekdays=["Tuesday"]), start=EWSDate(2026, 12, 1), number=4)
    return invite(ada, *people, recurrence=rule)


def test_a_moved_occurrence_moves_in_the_copies(ada: Account, bob: Account) -> None:
    """An updated occurrence of the organizer's series is an exception in the attendee's series too."""
    second = weekly(ada, BOB).occurrence(index=2)
    second.refresh()
    second.start, second.end = START + timedelta(days=7, hours=4), START + timedelta(days=7, hours=5)
    second.save(update_fields=["start", "end"], send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    (moved,) = only(bob).modified_occurrences
    assert (moved.start, moved.original_start) == (START + timedelta(days=7, hours=4), START + timedelta(days=7))


def test_a_cancelled_occurrence_is_marked_in_the_copies(ada: Account, bob: Account, client: Client) -> None:
    """A deleted occurrence of the organizer is a cancelled, free exception in the attendee's series."""
    second = weekly(ada, BOB).occurrence(index=2)
    second.refresh()
    second.delete(send_meeting_cancellations=SEND_TO_ALL_AND_SAVE_COPY)
    (gone,) = only(bob).modified_occurrences
    exception = bob.calendar.get(id=gone.id)
    assert (exception.is_cancelled, exception.legacy_free_busy_status) == (True, "Free")
    assert outbox(client)[-1] == ("cancellation", BOB)


def test_one_occurrence_can_be_declined(ada: Account, bob: Account) -> None:
    """A declined occurrence leaves the attendee's series, and the organizer's occurrence knows the response."""
    mine = weekly(ada, BOB)
    second = only(bob).occurrence(index=2)
    second.refresh()
    second.decline()
    assert [d.start for d in only(bob).deleted_occurrences] == [START + timedelta(days=7)]
    occurrence = mine.occurrence(index=2)
    occurrence.refresh()
    assert occurrence.required_attendees[0].response_type == "Decline"
    first = mine.occurrence(index=1)
    first.refresh()
    assert first.required_attendees[0].response_type == "Unknown"


def test_somebody_invited_to_one_occurrence_holds_a_single(ada: Account, client: Client, bob: Account) -> None:
    """A guest of one occurrence has a single with the series' UID and a RecurrenceId; only one id has the date."""
    mine = weekly(ada, CYD)
    second = mine.occurrence(index=2)
    second.refresh()
    second.required_attendees = [CYD, BOB]
    second.save(update_fields=["required_attendees"], send_meeting_invitations=SEND_ONLY_TO_CHANGED)
    guest = only(bob)
    assert (guest.type, guest.uid, guest.recurrence_id) == ("Single", mine.uid, START + timedelta(days=7))
    reply = Client(client.server, BOB, "bob-secret").get(
        guest.id,
        base="IdOnly",
        extra="".join(
            f'<t:ExtendedFieldURI DistinguishedPropertySetId="Meeting" PropertyId="{number}" PropertyType="Binary"/>'
            for number in (3, 35)
        ),
    )
    dated, clean = (e.text for e in reply.all("t:Value"))
    assert dated != clean
    assert outbox(client)[-1] == ("request", BOB)


def test_what_is_the_attendees_own_survives_an_update(ada: Account, bob: Account) -> None:
    """Categories of a copy stay when the organizer changes the place, and so does an acceptance."""
    mine = invite(ada, BOB)
    only(bob).accept()
    copy = only(bob)
    copy.categories = ["Tracked to Syncline CRM"]
    copy.save(update_fields=["categories"], send_meeting_invitations=SEND_TO_NONE)
    mine.refresh()
    mine.location = "Room 9"
    mine.save(update_fields=["location"], send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    copy = only(bob)
    assert (copy.location, copy.categories, copy.my_response_type) == (
        "Room 9",
        ["Tracked to Syncline CRM"],
        "Accept",
    )


def test_a_response_to_somebody_outside_is_only_kept(ada: Account, client: Client) -> None:
    """Accepting a meeting of an organizer elsewhere changes the copy and leaves a response in the outbox."""
    client.server.load_calendar(
        ADA,
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:theirs@partner.example\nDTSTART:20261201T090000Z\nSUMMARY:Theirs\n"
        f"ORGANIZER:mailto:{OUTSIDE}\nATTENDEE:mailto:{ADA}\nEND:VEVENT\nEND:VCALENDAR\n",
    )
    copy = only(ada)
    assert (copy.my_response_type, copy.is_meeting) == ("NoResponseReceived", True)
    copy.accept()
    assert only(ada).my_response_type == "Accept"
    (mail,) = client.control("GET", "outbox")
    assert (mail["kind"], mail["to"], mail["external"], mail["subject"]) == (
        "response",
        OUTSIDE,
        True,
        "Accepted: Theirs",
    )


def test_the_organizer_cancels_with_a_response_object(ada: Account, bob: Account) -> None:
    """CancelCalendarItem tells everybody and moves the organizer's item to Deleted Items."""
    invite(ada, BOB).cancel()
    assert list(ada.calendar.all()) == []
    assert only(bob).is_cancelled is True


def test_a_plain_mail_arrives(ada: Account, bob: Account, client: Client) -> None:
    """A mail between mailboxes lies in the Inbox, one for others is kept, and the sender has a copy."""
    Message(account=ada, folder=ada.sent, subject="Hello", body="Text", to_recipients=[BOB, OUTSIDE]).send_and_save()
    (mail,) = bob.inbox.all()
    assert (mail.subject, mail.sender.email_address) == ("Hello", ADA)
    assert [m.subject for m in ada.sent.all()] == ["Hello"]
    assert [m["external"] for m in client.control("GET", "outbox")] == [False, True]
