"""Facts of Exchange that decide how a client must work and that no other file of these tests states."""

from __future__ import annotations

from datetime import timedelta

import pytest
from exchangelib import UTC, Account, CalendarItem, EWSDateTime
from exchangelib.items import SEND_TO_ALL_AND_SAVE_COPY, SEND_TO_CHANGED_AND_SAVE_COPY, SEND_TO_NONE

from syncline.emulators.exchange import ExchangeEmulator
from tests.emulator.client import Client
from tests.emulator.conftest import ADA, BOB, CYD, PASSWORDS

pytestmark = pytest.mark.emulator

START = EWSDateTime(2026, 12, 1, 9, tzinfo=UTC)
HOUR = "<t:Subject>x</t:Subject><t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>"
OWN = (
    '<t:ExtendedFieldURI PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e" PropertyName="SynclineKey"'
    ' PropertyType="String"/>'
)
CLEAN = '<t:ExtendedFieldURI DistinguishedPropertySetId="Meeting" PropertyId="35" PropertyType="Binary"/>'
ATTENDEE = (
    "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>bob@example.com</t:EmailAddress></t:Mailbox>"
    "</t:Attendee></t:RequiredAttendees>"
)


def test_a_deletion_is_not_guarded_by_the_change_key(client: Client) -> None:
    """DeleteItem with a ChangeKey that is no longer true deletes all the same."""
    first = client.create(HOUR).one("t:ItemId")
    ident, key = first.get("Id"), first.get("ChangeKey")
    client.post(
        '<m:UpdateItem ConflictResolution="AlwaysOverwrite" SendMeetingInvitationsOrCancellations="SendToNone">'
        f'<m:ItemChanges><t:ItemChange><t:ItemId Id="{ident}"/><t:Updates><t:SetItemField>'
        '<t:FieldURI FieldURI="item:Subject"/><t:CalendarItem><t:Subject>y</t:Subject></t:CalendarItem>'
        "</t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )
    reply = client.post(
        '<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="SendToNone"><m:ItemIds>'
        f'<t:ItemId Id="{ident}" ChangeKey="{key}"/></m:ItemIds></m:DeleteItem>'
    )
    assert reply.codes() == ["NoError"]


def test_an_own_property_appears_on_other_peoples_copies(client: Client) -> None:
    """A property of the organizer's item stands on an invited person's copy too."""
    value = f"<t:ExtendedProperty>{OWN}<t:Value>one/ada/7</t:Value></t:ExtendedProperty>"
    client.created(f"<t:Subject>x</t:Subject>{value}{HOUR.partition('</t:Subject>')[2]}{ATTENDEE}", "SendOnlyToAll")
    bob = Client(client.server, BOB, PASSWORDS[BOB])
    ident = bob.sync().one("t:ItemId").get("Id") or ""
    assert bob.get(ident, base="IdOnly", extra=OWN).text("t:Value") == "one/ada/7"


def test_a_response_changes_the_organizers_change_key_and_nothing_else(ada: Account, bob: Account) -> None:
    """An arriving response is an update of the organizer's item with the same subject, times and people."""
    item = CalendarItem(
        account=ada,
        folder=ada.calendar,
        subject="x",
        start=START,
        end=START + timedelta(hours=1),
        required_attendees=[BOB],
    )
    item.save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    before = ada.calendar.get(id=item.id)
    list(ada.calendar.sync_items())
    (theirs,) = bob.calendar.all()
    theirs.accept()
    ((kind, changed),) = ada.calendar.sync_items()
    after = ada.calendar.get(id=item.id)
    assert (kind, changed.id) == ("update", item.id)
    assert before.changekey != after.changekey
    assert (before.subject, before.start, before.end) == (after.subject, after.start, after.end)


def test_a_moved_item_is_found_by_its_meeting_over_all_calendars(client: Client) -> None:
    """After a move the old id is not found, and the search by clean id finds the item in its new calendar."""
    ident = client.created(HOUR)
    clean = client.get(ident, base="IdOnly", extra=CLEAN).text("t:Value")
    reply = client.post(
        '<m:CreateFolder><m:ParentFolderId><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderId><m:Folders>'
        "<t:CalendarFolder><t:DisplayName>Team</t:DisplayName></t:CalendarFolder></m:Folders></m:CreateFolder>"
    )
    folder = f'<t:FolderId Id="{reply.one("t:FolderId").get("Id")}"/>'
    client.post(
        f'<m:MoveItem><m:ToFolderId>{folder}</m:ToFolderId><m:ItemIds><t:ItemId Id="{ident}"/></m:ItemIds></m:MoveItem>'
    )
    found = client.post(
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:Restriction>'
        f'<t:IsEqualTo>{CLEAN}<t:FieldURIOrConstant><t:Constant Value="{clean}"/></t:FieldURIOrConstant></t:IsEqualTo>'
        '</m:Restriction><m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/>'
        f"{folder}</m:ParentFolderIds></m:FindItem>"
    )
    assert client.get(ident).codes() == ["ErrorItemNotFound"]
    assert [root.get("TotalItemsInView") for root in found.all("m:RootFolder")] == ["0", "1"]


def test_whoever_was_never_asked_gets_a_request(client: Client) -> None:
    """A meeting that was created for nobody and later sent to all arrives as a request, not as an update."""
    ident = client.created(HOUR + ATTENDEE)
    client.post(
        '<m:UpdateItem ConflictResolution="AlwaysOverwrite" SendMeetingInvitationsOrCancellations="SendOnlyToAll">'
        f'<m:ItemChanges><t:ItemChange><t:ItemId Id="{ident}"/><t:Updates><t:SetItemField>'
        '<t:FieldURI FieldURI="item:Subject"/><t:CalendarItem><t:Subject>y</t:Subject></t:CalendarItem>'
        "</t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )
    assert [mail["kind"] for mail in client.control("GET", "outbox")] == ["request"]


def test_a_foreign_uid_is_kept_as_it_was(client: Client) -> None:
    """A UID that is no global object id comes back letter by letter."""
    ident = client.created(
        f"<t:Subject>x</t:Subject><t:UID>Foreign-42@example.net</t:UID>{HOUR.partition('</t:Subject>')[2]}"
    )
    assert client.get(ident).text("t:UID") == "Foreign-42@example.net"


def test_a_search_in_ascending_order_gives_the_older_of_two_equals_first(ada: Account) -> None:
    """A copy has its item's creation time; who asks for the oldest gets the item, not the copy."""
    item = CalendarItem(account=ada, folder=ada.calendar, subject="Twice", start=START, end=START + timedelta(hours=1))
    item.save()
    item.copy(ada.calendar)
    assert next(iter(ada.calendar.filter(subject="Twice").order_by("datetime_created"))).id == item.id


def test_an_update_for_those_who_change_mails_nobody_else(ada: Account, server: ExchangeEmulator) -> None:
    """Who stood on the list unasked is not asked because somebody else was added; a new time asks everybody."""
    item = CalendarItem(
        account=ada, folder=ada.calendar, subject="Quiet", start=START, end=START + timedelta(hours=1),
        required_attendees=[BOB],
    )  # fmt: skip
    item.save(send_meeting_invitations=SEND_TO_NONE)
    item.required_attendees = [BOB, CYD]
    item.save(update_fields=["required_attendees"], send_meeting_invitations=SEND_TO_CHANGED_AND_SAVE_COPY)
    first = [mail["to"] for mail in Client(server, ADA, PASSWORDS[ADA]).control("GET", "outbox")]
    item.start, item.end = START + timedelta(hours=2), START + timedelta(hours=3)
    item.save(update_fields=["start", "end"], send_meeting_invitations=SEND_TO_CHANGED_AND_SAVE_COPY)
    both = [mail["to"] for mail in Client(server, ADA, PASSWORDS[ADA]).control("GET", "outbox")]
    assert first == [CYD]
    assert sorted(both[1:]) == [BOB, CYD]


def test_a_body_is_kept_as_html_or_as_text_and_handed_out_as_asked(client: Client) -> None:
    """Best gives each as it was stored; Text and HTML turn one into the other."""

    def body(ident: str, kind: str) -> tuple[str | None, str | None]:
        found = client.post(
            f"<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:BodyType>{kind}</t:BodyType>"
            '<t:AdditionalProperties><t:FieldURI FieldURI="item:Body"/></t:AdditionalProperties></m:ItemShape>'
            f'<m:ItemIds><t:ItemId Id="{ident}"/></m:ItemIds></m:GetItem>'
        ).one("t:Body")
        return found.get("BodyType"), found.text

    subject, times = HOUR.split("</t:Subject>")
    made = {
        kind: client.create(f'{subject}</t:Subject><t:Body BodyType="{kind}">{text}</t:Body>{times}').one("t:ItemId")
        for kind, text in (("HTML", "&lt;p&gt;a &lt;b&gt;b&lt;/b&gt;&lt;/p&gt;"), ("Text", "a &lt; b"))
    }
    rich, plain = (made[kind].get("Id") or "" for kind in ("HTML", "Text"))
    assert body(rich, "Best") == body(rich, "HTML") == ("HTML", "<p>a <b>b</b></p>")
    assert body(rich, "Text") == ("Text", "a b")
    assert body(plain, "Best") == body(plain, "Text") == ("Text", "a < b")
    assert body(plain, "HTML")[0] == "HTML"
