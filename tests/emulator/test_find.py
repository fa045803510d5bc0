"""FindItem, FindFolder, ResolveNames, availability, notifications, categories: what readers ask besides changes."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime, timedelta

import pytest
from exchangelib import UTC, Account, CalendarItem, EWSTimeZone, ExtendedProperty, Q
from exchangelib.folders import Calendar
from lxml import etree

from syncline.emulators.exchange import ExchangeEmulator
from tests.emulator.client import Client, Reply
from tests.emulator.conftest import ADA, BOB

pytestmark = pytest.mark.emulator

START = datetime(2026, 12, 1, 9, tzinfo=UTC)
HOUR = "<t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>"
CLEAN = '<t:ExtendedFieldURI DistinguishedPropertySetId="Meeting" PropertyId="35" PropertyType="Binary"/>'
CALENDAR = '<m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds>'
ID_ONLY = "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"


class CleanId(ExtendedProperty):
    """PidLidCleanGlobalObjectId as exchangelib wants it."""

    distinguished_property_set_id = "Meeting"
    property_id = 0x23
    property_type = "Binary"


def add(account: Account, subject: str, hours: int = 0, **fields: object) -> CalendarItem:
    """Create an hour in December."""
    start = START + timedelta(hours=hours)
    item = CalendarItem(
        account=account, folder=account.calendar, subject=subject, start=start, end=start + timedelta(hours=1), **fields
    )
    return item.save()


def fill(account: Account, number: int) -> None:
    """Create many items in bulk."""
    items = [
        CalendarItem(
            account=account,
            folder=account.calendar,
            subject=f"Item {n:04}",
            start=START + timedelta(hours=n),
            end=START + timedelta(hours=n + 1),
        )
        for n in range(number)
    ]
    account.bulk_create(folder=account.calendar, items=items)


def test_paging_reads_more_than_a_thousand_items(ada: Account) -> None:
    """A listing of 1,100 items comes in pages, whole and in the order asked."""
    fill(ada, 1100)
    found = ada.calendar.all().only("subject").order_by("subject")
    found.page_size = 400
    assert [i.subject for i in found] == [f"Item {n:04}" for n in range(1100)]


def test_a_page_has_at_most_a_thousand_items(ada: Account, client: Client) -> None:
    """Asked for more, FindItem returns 1,000 and says that there are more."""
    fill(ada, 1010)
    reply = client.post(
        f'<m:FindItem Traversal="Shallow">{ID_ONLY}<m:IndexedPageItemView MaxEntriesReturned="5000" Offset="0"'
        f' BasePoint="Beginning"/>{CALENDAR}</m:FindItem>'
    )
    root = reply.one("m:RootFolder")
    assert len(reply.all("t:ItemId")) == 1000
    assert (root.get("IndexedPagingOffset"), root.get("TotalItemsInView")) == ("1000", "1010")
    assert root.get("IncludesLastItemInRange") == "false"


def test_a_calendar_view_answers_at_most_a_thousand(ada: Account, client: Client) -> None:
    """A calendar view over more than 1,000 items returns the first 1,000."""
    fill(ada, 1010)
    reply = client.post(
        f'<m:FindItem Traversal="Shallow">{ID_ONLY}<m:CalendarView StartDate="2026-12-01T00:00:00Z"'
        f' EndDate="2027-12-01T00:00:00Z"/>{CALENDAR}</m:FindItem>'
    )
    assert len(reply.all("t:ItemId")) == 1000
    assert reply.one("m:RootFolder").get("IncludesLastItemInRange") == "false"


def test_a_calendar_view_spans_at_most_two_years(client: Client) -> None:
    """Three years answer ErrorCalendarViewRangeTooBig, two years do not."""
    view = '<m:CalendarView StartDate="2026-01-01T00:00:00Z" EndDate="{}-01-01T00:00:00Z"/>'
    for year, code in ((2029, "ErrorCalendarViewRangeTooBig"), (2028, "NoError")):
        reply = client.post(f'<m:FindItem Traversal="Shallow">{ID_ONLY}{view.format(year)}{CALENDAR}</m:FindItem>')
        assert reply.codes() == [code]


def test_a_calendar_view_takes_neither_restriction_nor_order(client: Client) -> None:
    """A calendar view with a restriction or a sort order is an invalid request."""
    view = '<m:CalendarView StartDate="2026-01-01T00:00:00Z" EndDate="2026-02-01T00:00:00Z"/>'
    restriction = '<m:Restriction><t:Exists><t:FieldURI FieldURI="item:Subject"/></t:Exists></m:Restriction>'
    order = (
        '<m:SortOrder><t:FieldOrder Order="Ascending"><t:FieldURI FieldURI="calendar:Start"/></t:FieldOrder>'
        "</m:SortOrder>"
    )
    for extra in (restriction, order):
        reply = client.post(f'<m:FindItem Traversal="Shallow">{ID_ONLY}{view}{extra}{CALENDAR}</m:FindItem>')
        assert reply.codes() == ["ErrorInvalidRequest"]


def test_a_calendar_view_needs_a_calendar(client: Client) -> None:
    """A calendar view of the Inbox answers ErrorCalendarFolderIsInvalidForCalendarView."""
    view = '<m:CalendarView StartDate="2026-01-01T00:00:00Z" EndDate="2026-02-01T00:00:00Z"/>'
    inbox = '<m:ParentFolderIds><t:DistinguishedFolderId Id="inbox"/></m:ParentFolderIds>'
    reply = client.post(f'<m:FindItem Traversal="Shallow">{ID_ONLY}{view}{inbox}</m:FindItem>')
    assert reply.codes() == ["ErrorCalendarFolderIsInvalidForCalendarView"]


def test_the_restrictions_of_exchangelib_work(ada: Account) -> None:
    """Equality, comparison, containment, prefix, existence, categories, and their combinations filter."""
    add(ada, "Alpha", categories=["Red"], location="Room 1")
    add(ada, "Beta", 2, categories=["Red", "Blue"])
    add(ada, "Gamma ray", 4, legacy_free_busy_status="Free")
    calendar = ada.calendar

    def names(*args: object, **query: object) -> set[str]:
        return {i.subject for i in calendar.filter(*args, **query)}

    assert names(subject="Alpha") == {"Alpha"}
    assert names(subject__contains="a r") == {"Gamma ray"}
    assert names(subject__icontains="BETA") == {"Beta"}
    assert names(subject__startswith="Ga") == {"Gamma ray"}
    assert names(start__gt=START + timedelta(hours=1)) == {"Beta", "Gamma ray"}
    assert names(start__range=(START, START + timedelta(hours=2))) == {"Alpha", "Beta"}
    assert names(categories__contains=["Blue"]) == {"Beta"}
    assert names(location="Room 1") == {"Alpha"}
    assert names(Q(subject="Alpha") | Q(subject="Beta")) == {"Alpha", "Beta"}
    assert names(~Q(subject="Alpha")) == {"Beta", "Gamma ray"}
    assert names(subject__in=["Alpha", "Gamma ray"]) == {"Alpha", "Gamma ray"}


def test_a_meeting_is_found_by_its_clean_global_object_id(ada: Account, client: Client) -> None:
    """The binary property PidLidCleanGlobalObjectId finds the item with that UID, foreign UIDs included."""
    CalendarItem.register("clean_id", CleanId)
    try:
        add(ada, "other")
        ident = client.created(f"<t:Subject>wanted</t:Subject><t:UID>abc-123@example.net</t:UID>{HOUR}")
        clean = client.get(ident, base="IdOnly", extra=CLEAN).text("t:Value")
        raw = b64decode(clean)
        assert raw.startswith(bytes.fromhex("040000008200E00074C5B7101A82E008"))
        assert raw[40:] == b"vCal-Uid\x01\x00\x00\x00abc-123@example.net\x00"
        (found,) = ada.calendar.filter(clean_id=raw)
        assert found.subject == "wanted"
    finally:
        CalendarItem.deregister("clean_id")


def test_a_uid_is_the_hex_of_the_clean_id(client: Client) -> None:
    """The UID that the server makes up is the hex of the clean global object id."""
    ident = client.created(HOUR)
    reply = client.get(ident, extra=CLEAN)
    assert b64decode(reply.text("t:Value")).hex().upper() == reply.text("t:UID")


def test_the_uid_is_refused_in_a_restriction(client: Client) -> None:
    """Searching for calendar:UID answers ErrorUnsupportedPathForQuery."""
    reply = client.post(
        f'<m:FindItem Traversal="Shallow">{ID_ONLY}<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="calendar:UID"/>'
        '<t:FieldURIOrConstant><t:Constant Value="x"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>'
        f"{CALENDAR}</m:FindItem>"
    )
    assert reply.codes() == ["ErrorUnsupportedPathForQuery"]


def test_a_wrong_extended_property_is_refused(client: Client) -> None:
    """A property with a set but neither name nor id answers ErrorInvalidExtendedProperty."""
    wrong = '<t:ExtendedFieldURI DistinguishedPropertySetId="Meeting" PropertyType="Binary"/>'
    assert client.get(client.created(HOUR), extra=wrong).codes() == ["ErrorInvalidExtendedProperty"]


def test_calendar_folders_are_found_by_class(ada: Account, client: Client) -> None:
    """FindFolder restricted to IPF.Appointment returns the calendars, at any depth."""
    folder = Calendar(parent=ada.calendar, name="Crew")
    folder.save()
    folder.name = "Team"
    folder.save()
    reply = client.post(
        '<m:FindFolder Traversal="Deep"><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>'
        '<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="folder:FolderClass"/><t:FieldURIOrConstant>'
        '<t:Constant Value="IPF.Appointment"/>'
        "</t:FieldURIOrConstant></t:IsEqualTo></m:Restriction><m:ParentFolderIds>"
        '<t:DistinguishedFolderId Id="msgfolderroot"/></m:ParentFolderIds></m:FindFolder>'
    )
    assert [e.text for e in reply.all("t:DisplayName")] == ["Calendar", "Team"]


def test_names_are_resolved(ada: Account) -> None:
    """An address, and a part of a name, resolve to the mailbox; nothing else does."""
    assert ada.version.api_version == "Exchange2016"
    assert ada.protocol.resolve_names([BOB])[0].email_address == BOB
    assert ada.protocol.resolve_names(["ad"])[0].email_address == ADA
    mailbox, contact = ada.protocol.resolve_names(["bob"], return_full_contact_data=True)[0]
    assert (mailbox.email_address, contact.display_name) == (BOB, "Bob")
    assert [type(r).__name__ for r in ada.protocol.resolve_names(["nobody"])] == ["ErrorNameResolutionNoResults"]


def test_zones_are_listed_with_rules(ada: Account) -> None:
    """GetServerTimeZones returns Windows zones with periods and yearly transitions."""
    zones = {z.id: z for z in ada.protocol.get_timezones(return_full_timezone_data=True)}
    assert len(zones) > 130
    berlin = zones["W. Europe Standard Time"]
    assert {p.name: p.bias for p in berlin.periods} == {
        "Standard": -timedelta(hours=1),
        "Daylight": -timedelta(hours=2),
    }


def test_free_busy_shows_what_stands_in_the_calendars(ada: Account, bob: Account) -> None:
    """Availability merges show-as by interval, lists occurrences, and hides the details of others."""
    berlin = EWSTimeZone("Europe/Berlin")
    add(bob, "Secret plan")
    add(bob, "Away", 2, legacy_free_busy_status="OOF")
    begin = datetime(2026, 12, 1, 9, tzinfo=berlin)
    (view,) = ada.protocol.get_free_busy_info(
        accounts=[(BOB, "Required", False)], start=begin, end=begin + timedelta(hours=6), merged_free_busy_interval=60
    )
    assert view.merged == "020300"
    assert [(e.start.hour, e.busy_type, e.details) for e in view.calendar_events] == [
        (10, "Busy", None),
        (12, "OOF", None),
    ]
    (own,) = bob.protocol.get_free_busy_info(
        accounts=[(BOB, "Required", False)], start=begin, end=begin + timedelta(hours=6), merged_free_busy_interval=60
    )
    assert own.calendar_events[0].details.subject == "Secret plan"


def test_an_unknown_mailbox_fails_alone_in_availability(ada: Account) -> None:
    """Free/busy of an unknown address is an error of that address only."""
    begin = datetime(2026, 12, 1, 9, tzinfo=UTC)
    found = list(
        ada.protocol.get_free_busy_info(
            accounts=[("nobody@example.com", "Required", False), (BOB, "Required", False)],
            start=begin,
            end=begin + timedelta(hours=1),
        )
    )
    assert [type(f).__name__ for f in found] == ["ErrorMailRecipientNotFound", "FreeBusyView"]


def test_pull_notifications_tell_what_happened(ada: Account) -> None:
    """A pull subscription tells created, modified and deleted items once, and a status event when nothing happened."""
    calendar = ada.calendar
    with calendar.pull_subscription() as (subscription, watermark):

        def events(mark: str) -> tuple[list[str], str]:
            (notification,) = calendar.get_events(subscription, mark)
            return [type(e).__name__ for e in notification.events], notification.events[-1].watermark

        item = add(ada, "x")
        names, watermark = events(watermark)
        assert names == ["CreatedEvent"]
        item.subject = "y"
        item.save(update_fields=["subject"])
        names, watermark = events(watermark)
        assert names == ["ModifiedEvent"]
        item.delete()
        names, watermark = events(watermark)
        assert names == ["DeletedEvent"]
        assert events(watermark)[0] == ["StatusEvent"]


def test_an_unknown_subscription_is_refused(client: Client) -> None:
    """GetEvents after Unsubscribe answers ErrorSubscriptionNotFound."""
    reply = client.post(
        "<m:Subscribe><m:PullSubscriptionRequest><t:FolderIds><t:DistinguishedFolderId Id='calendar'/></t:FolderIds>"
        "<t:EventTypes><t:EventType>CreatedEvent</t:EventType></t:EventTypes><t:Timeout>10</t:Timeout>"
        "</m:PullSubscriptionRequest></m:Subscribe>"
    )
    ident, mark = reply.text("m:SubscriptionId"), reply.text("m:Watermark")
    client.post(f"<m:Unsubscribe><m:SubscriptionId>{ident}</m:SubscriptionId></m:Unsubscribe>")
    asking = f"<m:GetEvents><m:SubscriptionId>{ident}</m:SubscriptionId><m:Watermark>{mark}</m:Watermark></m:GetEvents>"
    assert client.post(asking).codes() == ["ErrorSubscriptionNotFound"]


def test_a_subscription_lapses_when_nobody_asks(client: Client) -> None:
    """After its timeout on the server's clock a subscription is gone."""
    reply = client.post(
        "<m:Subscribe><m:PullSubscriptionRequest SubscribeToAllFolders='true'><t:EventTypes>"
        "<t:EventType>CreatedEvent</t:EventType></t:EventTypes><t:Timeout>1</t:Timeout></m:PullSubscriptionRequest>"
        "</m:Subscribe>"
    )
    ident, mark = reply.text("m:SubscriptionId"), reply.text("m:Watermark")
    client.control("POST", "clock", {"advance_s": 90})
    asking = f"<m:GetEvents><m:SubscriptionId>{ident}</m:SubscriptionId><m:Watermark>{mark}</m:Watermark></m:GetEvents>"
    assert client.post(asking).codes() == ["ErrorSubscriptionNotFound"]


def test_the_category_list_is_an_outlook_document(client: Client, server: ExchangeEmulator) -> None:
    """GetUserConfiguration returns Outlook's categories and those of loaded files in XmlData as base64."""
    server.load_calendar(
        ADA,
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nDTSTART:20261201T090000Z\nCATEGORIES:Tracked to Syncline CRM\n"
        "END:VEVENT\nEND:VCALENDAR\n",
    )
    reply = client.post(
        '<m:GetUserConfiguration><m:UserConfigurationName Name="CategoryList"><t:DistinguishedFolderId Id="calendar"/>'
        "</m:UserConfigurationName><m:UserConfigurationProperties>XmlData</m:UserConfigurationProperties>"
        "</m:GetUserConfiguration>"
    )
    document = etree.fromstring(b64decode(reply.text("t:XmlData")))
    assert document.tag == "{CategoryList.xsd}categories"
    assert "Red Category" in [c.get("name") for c in document]
    assert "Tracked to Syncline CRM" in [c.get("name") for c in document]


def test_any_other_configuration_is_not_found(client: Client) -> None:
    """A configuration that nobody made answers ErrorItemNotFound."""
    reply = client.post(
        '<m:GetUserConfiguration><m:UserConfigurationName Name="Other"><t:DistinguishedFolderId Id="calendar"/>'
        "</m:UserConfigurationName><m:UserConfigurationProperties>XmlData</m:UserConfigurationProperties>"
        "</m:GetUserConfiguration>"
    )
    assert reply.codes() == ["ErrorItemNotFound"]


def configured(client: Client, verb: str, data: str = "", name: str = "Ours", folder: str = "calendar") -> list[str]:
    """Send CreateUserConfiguration, UpdateUserConfiguration or DeleteUserConfiguration; return the response codes."""
    prefix = "m" if verb == "Delete" else "t"
    tag = f"{prefix}:UserConfigurationName"
    named = f'<{tag} Name="{name}"><t:DistinguishedFolderId Id="{folder}"/></{tag}>'
    content = named if verb == "Delete" else f"<m:UserConfiguration>{named}{data}</m:UserConfiguration>"
    return client.post(f"<m:{verb}UserConfiguration>{content}</m:{verb}UserConfiguration>").codes()


def configuration(client: Client, name: str = "Ours", folder: str = "calendar") -> Reply:
    """Send GetUserConfiguration for everything."""
    return client.post(
        f'<m:GetUserConfiguration><m:UserConfigurationName Name="{name}"><t:DistinguishedFolderId Id="{folder}"/>'
        "</m:UserConfigurationName><m:UserConfigurationProperties>All</m:UserConfigurationProperties>"
        "</m:GetUserConfiguration>"
    )


def test_a_configuration_is_created_once_updated_and_deleted(client: Client) -> None:
    """An object of a folder keeps what it is given; a second one of its name in its folder is refused."""
    assert configured(client, "Update", "<t:XmlData>YQ==</t:XmlData>") == ["ErrorItemNotFound"]
    assert configured(client, "Create", "<t:XmlData>YQ==</t:XmlData><t:BinaryData>Yg==</t:BinaryData>") == ["NoError"]
    assert configured(client, "Create", "<t:XmlData>Yw==</t:XmlData>") == ["ErrorFolderExists"]
    assert configured(client, "Create", "<t:XmlData>ZA==</t:XmlData>", folder="drafts") == ["NoError"]
    found = configuration(client)
    assert (found.text("t:XmlData"), found.text("t:BinaryData")) == ("YQ==", "Yg==")
    assert found.one("t:UserConfigurationName").get("Name") == "Ours"

    assert configured(client, "Update", "<t:XmlData>Yw==</t:XmlData>") == ["NoError"]
    found = configuration(client)
    assert (found.text("t:XmlData"), found.text("t:BinaryData")) == ("Yw==", "Yg==")
    assert configured(client, "Delete") == ["NoError"]
    assert configured(client, "Delete") == ["ErrorItemNotFound"]
    assert configuration(client).codes() == ["ErrorItemNotFound"]
    assert configuration(client, folder="drafts").text("t:XmlData") == "ZA=="


def test_a_configuration_that_cannot_be_kept_is_refused(client: Client) -> None:
    """No right to write, a Dictionary, the category list, and data that is no base64."""
    client.control("POST", "faults", {"operation": "CreateUserConfiguration", "fault": "denied"})
    assert configured(client, "Create", "<t:XmlData>YQ==</t:XmlData>") == ["ErrorAccessDenied"]
    assert configured(client, "Create", "<t:Dictionary/>") == ["ErrorInvalidOperation"]
    assert configured(client, "Create", "<t:XmlData>YQ==</t:XmlData>", "CategoryList") == ["ErrorInvalidOperation"]
    assert configured(client, "Create", "<t:XmlData>é</t:XmlData>") == ["ErrorSchemaValidation"]
    assert configuration(client).codes() == ["ErrorItemNotFound"]


@pytest.mark.parametrize(("base", "fewest", "most"), [("IdOnly", 1, 1), ("Default", 8, 16), ("AllProperties", 40, 60)])
def test_base_shapes_differ_in_what_they_show(client: Client, base: str, fewest: int, most: int) -> None:
    """IdOnly shows the id, Default the main fields, AllProperties everything."""
    item = client.get(client.created(HOUR), base=base).one("t:CalendarItem")
    assert fewest <= len(item) <= most
