"""UpdateItem, DeleteItem, CopyItem: guards, required attributes, kinds of deletion, single fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from exchangelib import Account, CalendarItem
from exchangelib.errors import ErrorIrresolvableConflict
from exchangelib.items import NEVER_OVERWRITE

from tests.emulator.client import Client, Reply
from tests.emulator.conftest import SchemaCheck

pytestmark = pytest.mark.emulator

START = datetime(2026, 12, 1, 9, tzinfo=UTC)
HOUR = "<t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>"
OWN = 'PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e" PropertyName="SynclineKey" PropertyType="String"'


def update(client: Client, ident: str, change: str, mode: str = "SendToNone", how: str = "AlwaysOverwrite") -> Reply:
    """Apply updates to one item; `ident` may carry a ChangeKey attribute."""
    told = f' SendMeetingInvitationsOrCancellations="{mode}"' if mode else ""
    return client.post(
        f'<m:UpdateItem ConflictResolution="{how}"{told}><m:ItemChanges><t:ItemChange><t:ItemId Id="{ident}"/>'
        f"<t:Updates>{change}</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )


def setting(field: str, xml: str, verb: str = "SetItemField") -> str:
    """Return one SetItemField or AppendToItemField."""
    return f'<t:{verb}><t:FieldURI FieldURI="{field}"/><t:CalendarItem>{xml}</t:CalendarItem></t:{verb}>'


def clearing(field: str) -> str:
    """Return one DeleteItemField."""
    return f'<t:DeleteItemField><t:FieldURI FieldURI="{field}"/></t:DeleteItemField>'


def delete(client: Client, ident: str, kind: str = "HardDelete", mode: str = "SendToNone") -> Reply:
    """Delete one item."""
    told = f' SendMeetingCancellations="{mode}"' if mode else ""
    return client.post(
        f'<m:DeleteItem DeleteType="{kind}"{told}><m:ItemIds><t:ItemId Id="{ident}"/></m:ItemIds></m:DeleteItem>'
    )


def test_a_stale_change_key_is_refused(ada: Account) -> None:
    """NeverOverwrite with a ChangeKey that is not the current one answers ErrorIrresolvableConflict."""
    item = CalendarItem(
        account=ada, folder=ada.calendar, subject="x", start=START, end=START + timedelta(hours=1)
    ).save()
    other = ada.calendar.get(id=item.id)
    other.subject = "first"
    other.save(update_fields=["subject"])
    item.subject = "second"
    with pytest.raises(ErrorIrresolvableConflict):
        item.save(update_fields=["subject"], conflict_resolution=NEVER_OVERWRITE)
    assert ada.calendar.get(id=item.id).subject == "first"


def test_a_guarded_update_needs_a_change_key(client: Client) -> None:
    """NeverOverwrite without ChangeKey answers ErrorChangeKeyRequiredForWriteOperations."""
    ident = client.created(f"<t:Subject>x</t:Subject>{HOUR}")
    reply = update(client, ident, setting("item:Subject", "<t:Subject>y</t:Subject>"), how="NeverOverwrite")
    assert reply.codes() == ["ErrorChangeKeyRequiredForWriteOperations"]


def test_a_write_changes_the_change_key_and_nothing_else_does(client: Client) -> None:
    """Reading leaves the ChangeKey as it is; an update with the same content moves it."""
    ident = client.created(f"<t:Subject>x</t:Subject>{HOUR}")
    first = client.get(ident).one("t:ItemId").get("ChangeKey")
    assert client.get(ident).one("t:ItemId").get("ChangeKey") == first
    update(client, ident, setting("item:Subject", "<t:Subject>x</t:Subject>"))
    assert client.get(ident).one("t:ItemId").get("ChangeKey") != first


def test_calendar_writes_must_name_their_mode(client: Client) -> None:
    """Create, update and delete of calendar items without the sending attribute are refused, each with its code."""
    reply = client.post(f"<m:CreateItem><m:Items><t:CalendarItem>{HOUR}</t:CalendarItem></m:Items></m:CreateItem>")
    assert reply.codes() == ["ErrorSendMeetingInvitationsRequired"]
    ident = client.created(HOUR)
    change = setting("item:Subject", "<t:Subject>y</t:Subject>")
    assert update(client, ident, change, mode="").codes() == ["ErrorSendMeetingInvitationsOrCancellationsRequired"]
    assert delete(client, ident, mode="").codes() == ["ErrorSendMeetingCancellationsRequired"]


def test_fields_are_set_appended_and_deleted(client: Client) -> None:
    """SetItemField replaces, AppendToItemField adds to body and people, DeleteItemField empties."""
    ident = client.created(
        f'<t:Subject>x</t:Subject><t:Body BodyType="Text">one</t:Body>{HOUR}<t:Location>here</t:Location>'
    )
    person = "<t:Attendee><t:Mailbox><t:EmailAddress>zoe@partner.example</t:EmailAddress></t:Mailbox></t:Attendee>"
    change = (
        setting("item:Body", '<t:Body BodyType="Text"> two</t:Body>', "AppendToItemField")
        + setting(
            "calendar:RequiredAttendees", f"<t:RequiredAttendees>{person}</t:RequiredAttendees>", "AppendToItemField"
        )
        + setting("item:Subject", "<t:Subject>y</t:Subject>")
        + clearing("calendar:Location")
    )
    assert update(client, ident, change).codes() == ["NoError"]
    reply = client.get(ident)
    assert (reply.text("t:Body"), reply.text("t:Subject"), reply.all("t:Location")) == ("one two", "y", [])
    assert reply.text("t:RequiredAttendees//t:EmailAddress") == "zoe@partner.example"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (clearing("calendar:Start"), "ErrorInvalidPropertyDelete"),
        (setting("item:Subject", "<t:Subject>y</t:Subject>", "AppendToItemField"), "ErrorInvalidPropertyAppend"),
        (setting("calendar:UID", "<t:UID>other</t:UID>"), "ErrorInvalidPropertySet"),
        (setting("calendar:IsMeeting", "<t:IsMeeting>true</t:IsMeeting>"), "ErrorInvalidPropertySet"),
        (setting("calendar:End", "<t:End>2026-11-01T09:00:00Z</t:End>"), "ErrorCalendarEndDateIsEarlierThanStartDate"),
        (setting("calendar:End", "<t:End>2036-11-01T09:00:00Z</t:End>"), "ErrorCalendarDurationIsTooLong"),
        (setting("calendar:Start", "<t:End>2026-12-01T09:00:00Z</t:End>"), "ErrorUpdatePropertyMismatch"),
    ],
)
def test_impossible_updates_are_refused_by_their_code(client: Client, change: str, code: str) -> None:
    """What Exchange refuses to set, append or delete is refused with its code, and the item stays as it was."""
    ident = client.created(HOUR)
    before = client.get(ident).one("t:ItemId").get("ChangeKey")
    assert update(client, ident, change).codes() == [code]
    assert client.get(ident).one("t:ItemId").get("ChangeKey") == before


def test_hard_deleted_is_gone(client: Client, ada: Account) -> None:
    """HardDelete leaves nothing, neither in the calendar nor in Deleted Items."""
    ident = client.created(HOUR)
    assert delete(client, ident).codes() == ["NoError"]
    assert client.get(ident).codes() == ["ErrorItemNotFound"]
    assert list(ada.trash.all()) == []


def test_moved_to_deleted_items_has_another_id_there(client: Client, ada: Account) -> None:
    """MoveToDeletedItems moves: the old id is not found, the item lies in Deleted Items under a new one."""
    ident = client.created(f"<t:Subject>away</t:Subject>{HOUR}")
    delete(client, ident, "MoveToDeletedItems")
    assert client.get(ident).codes() == ["ErrorItemNotFound"]
    (found,) = ada.trash.all()
    assert (found.subject, found.id != ident) == ("away", True)


def test_soft_deleted_goes_to_recoverable_items(client: Client, ada: Account) -> None:
    """SoftDelete moves to the recoverable items and not to Deleted Items."""
    delete(client, client.created(HOUR), "SoftDelete")
    assert list(ada.trash.all()) == []
    assert len(list(ada.recoverable_items_deletions.all())) == 1


def test_a_folder_can_be_emptied(client: Client, ada: Account) -> None:
    """EmptyFolder removes what is inside; with MoveToDeletedItems it lies in Deleted Items then."""
    client.created(HOUR)
    client.created(HOUR)
    reply = client.post(
        '<m:EmptyFolder DeleteType="MoveToDeletedItems" DeleteSubFolders="false"><m:FolderIds>'
        '<t:DistinguishedFolderId Id="calendar"/></m:FolderIds></m:EmptyFolder>'
    )
    assert reply.codes() == ["NoError"]
    assert len(list(ada.trash.all())) == 2
    ada.trash.wipe()
    assert (list(ada.calendar.all()), list(ada.trash.all())) == ([], [])


def test_one_bad_item_fails_alone(client: Client) -> None:
    """In a batch the wrong item answers its error and the others are carried out."""
    good = client.created(f"<t:Subject>good</t:Subject>{HOUR}")
    gone = client.created(HOUR)
    delete(client, gone)
    assert client.get(gone, good, "AAMkAgarbage").codes() == [
        "ErrorItemNotFound",
        "NoError",
        "ErrorInvalidIdMalformed",
    ]


def test_an_own_property_is_kept_copied_and_searchable(client: Client) -> None:
    """A named String property in an own GUID set comes back, is found by a restriction, and CopyItem copies it."""
    uri = f"<t:ExtendedFieldURI {OWN}/>"
    ident = client.created(
        f"<t:Subject>x</t:Subject><t:ExtendedProperty>{uri}<t:Value>one/ada/7</t:Value></t:ExtendedProperty>{HOUR}"
    )
    client.post(
        '<m:CopyItem><m:ToFolderId><t:DistinguishedFolderId Id="calendar"/></m:ToFolderId><m:ItemIds>'
        f'<t:ItemId Id="{ident}"/></m:ItemIds></m:CopyItem>'
    )
    client.created(HOUR)
    reply = client.post(
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>'
        f"{uri}</t:AdditionalProperties></m:ItemShape><m:Restriction><t:IsEqualTo>{uri}<t:FieldURIOrConstant>"
        '<t:Constant Value="one/ada/7"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction><m:ParentFolderIds>'
        '<t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>'
    )
    assert [e.text for e in reply.all("t:Value")] == ["one/ada/7", "one/ada/7"]
    removing = f"<t:DeleteItemField>{uri}</t:DeleteItemField>"
    assert update(client, ident, removing).codes() == ["NoError"]
    assert client.get(ident, base="IdOnly", extra=uri).all("t:ExtendedProperty") == []


def test_a_body_comes_in_the_type_that_is_asked(client: Client) -> None:
    """An HTML body is returned as HTML or as text, as BodyType says."""
    ident = client.created(
        f'<t:Body BodyType="HTML">&lt;p&gt;A &amp;amp; B&lt;/p&gt;&lt;script&gt;x&lt;/script&gt;</t:Body>{HOUR}'
    )
    reply = client.post(
        "<m:GetItem><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape><t:BodyType>Text</t:BodyType></m:ItemShape>"
        f'<m:ItemIds><t:ItemId Id="{ident}"/></m:ItemIds></m:GetItem>'
    )
    assert (reply.text("t:Body"), reply.one("t:Body").get("BodyType")) == ("A & B", "Text")
    assert client.get(ident).one("t:Body").get("BodyType") == "HTML"


def test_zones_come_back_as_id_and_name(client: Client) -> None:
    """A Windows zone is returned with Id and Name and without periods."""
    ident = client.created(f'{HOUR}<t:StartTimeZone Id="Tokyo Standard Time"/>')
    zone = client.get(ident).one("t:StartTimeZone")
    assert zone.get("Id") == "Tokyo Standard Time"
    assert "(UTC+09:00)" in (zone.get("Name") or "")
    assert len(zone) == 0


CUSTOM = (
    '<t:StartTimeZone Id="Harbour Time" Name="Harbour Time"><t:Periods>'
    '<t:Period Bias="PT0H" Name="Standard" Id="std"/><t:Period Bias="-PT2H" Name="Daylight" Id="dlt"/></t:Periods>'
    '<t:TransitionsGroups><t:TransitionsGroup Id="0"><t:RecurringDayTransition><t:To Kind="Period">dlt</t:To>'
    "<t:TimeOffset>PT1H</t:TimeOffset><t:Month>4</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>"
    '<t:Occurrence>1</t:Occurrence></t:RecurringDayTransition><t:RecurringDayTransition><t:To Kind="Period">std</t:To>'
    "<t:TimeOffset>PT3H</t:TimeOffset>"
    "<t:Month>9</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1</t:Occurrence></t:RecurringDayTransition>"
    '</t:TransitionsGroup></t:TransitionsGroups><t:Transitions><t:Transition><t:To Kind="Group">0</t:To>'
    "</t:Transition></t:Transitions></t:StartTimeZone>"
)


def test_a_custom_zone_has_its_own_rules_and_comes_back_with_them(client: Client) -> None:
    """A zone that only its rules describe decides the wall clock and is returned with periods and transitions."""
    fields = "<t:Start>{0}T09:00:00</t:Start><t:End>{0}T10:00:00</t:End>" + CUSTOM
    summer = client.get(client.created(fields.format("2026-07-01")))
    winter = client.get(client.created(fields.format("2026-12-01")))
    assert summer.text("t:CalendarItem/t:Start") == "2026-07-01T07:00:00Z"
    assert winter.text("t:CalendarItem/t:Start") == "2026-12-01T09:00:00Z"
    assert len(summer.all("t:StartTimeZone/t:Periods/t:Period")) == 2
    assert len(summer.all("t:StartTimeZone//t:RecurringDayTransition")) == 2


def test_an_unknown_zone_without_rules_is_refused(client: Client) -> None:
    """A zone id that nobody knows and that has no rules is an error, never taken for UTC."""
    assert client.create(f'{HOUR}<t:StartTimeZone Id="Atlantis Standard Time"/>').codes() == ["ErrorTimeZone"]


def test_a_time_without_offset_is_one_of_the_requests_zone(client: Client) -> None:
    """Without StartTimeZone, TimeZoneContext of the request says what a wall time means."""
    context = '<t:TimeZoneContext><t:TimeZoneDefinition Id="Tokyo Standard Time"/></t:TimeZoneContext>'
    reply = client.post(
        '<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem><t:Start>2026-12-01T09:00:00'
        "</t:Start><t:End>2026-12-01T10:00:00</t:End></t:CalendarItem></m:Items></m:CreateItem>",
        header=context,
    )
    ident = reply.one("t:ItemId").get("Id") or ""
    assert client.get(ident).text("t:CalendarItem/t:Start") == "2026-12-01T00:00:00Z"


def test_a_value_outside_its_choices_is_no_valid_request(client: Client, check: SchemaCheck) -> None:
    """A show-as that EWS does not have is refused by a fault ErrorSchemaValidation."""
    check.requests = False
    reply = client.create(f"{HOUR}<t:LegacyFreeBusyStatus>Sleeping</t:LegacyFreeBusyStatus>")
    assert (reply.status, reply.codes()) == (500, ["ErrorSchemaValidation"])
