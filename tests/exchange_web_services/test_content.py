"""What calendar items mean: singles, series, all-day dates, identities, people, and items that cannot be taken."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, date, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from syncline.connectors.exchange_web_services.content import Reading, appointment, strangers, with_exceptions
from syncline.connectors.exchange_web_services.identities import clean_id, identity_text, text_of_clean_id
from syncline.connectors.exchange_web_services.wire import InvalidAnswer, messages
from syncline.connectors.exchange_web_services.wire_items import Item, item_of
from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Importance,
    Recurrence,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    Span,
)
from syncline.core.recurrence import occurrence_day
from syncline.core.times import all_day
from syncline.errors import SyncError
from tests.exchange_web_services import answers
from tests.exchange_web_services.answers import BERLIN
from tests.exchange_web_services.conftest import ADA
from tests.exchange_web_services.test_recurrence_and_zones import BERLIN_RULES

READING = Reading(ADA, "Europe/Berlin", {"/o=corp/cn=bob": "bob@example.com"})
HEX_UID = (
    "040000008200E00074C5B7101A82E00800000000D0B1A7E5C2D0DC01000000000000000010000000AABBCCDDEEFF00112233445566778899"
)
BERLIN_BY_RULES = f'<t:StartTimeZone Id="Customized">{BERLIN_RULES}</t:StartTimeZone>'
WEEKLY = (
    "<t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Tuesday</t:DaysOfWeek>"
    "</t:WeeklyRecurrence><t:NumberedRecurrence><t:StartDate>2026-12-01+01:00</t:StartDate>"
    "<t:NumberOfOccurrences>5</t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence>"
)


def item_from(xml: str) -> Item:
    """Read the item of a GetItem answer."""
    found = item_of(messages(answers.got(xml), "GetItem")[0])
    assert found is not None
    return found


def taken(xml: str, reading: Reading = READING) -> Appointment:
    """Read an item as an appointment."""
    return appointment(item_from(xml), reading)


def utc(text: str) -> datetime:
    """Give an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_every_field_of_a_single_is_taken() -> None:
    """The whole map of 3.9, from the wire to the value."""
    found = taken(
        answers.item(
            fields="<t:Subject>Plan &amp; do</t:Subject><t:Sensitivity>Confidential</t:Sensitivity>"
            '<t:Body BodyType="Text">one&#xD;\ntwo</t:Body><t:Categories><t:String>Red</t:String></t:Categories>'
            "<t:Importance>High</t:Importance><t:DateTimeCreated>2026-11-01T08:00:00Z</t:DateTimeCreated>"
            "<t:ReminderIsSet>true</t:ReminderIsSet><t:ReminderMinutesBeforeStart>15</t:ReminderMinutesBeforeStart>"
            "<t:UID>uid-1</t:UID><t:Start>2026-12-01T11:00:00Z</t:Start><t:End>2026-12-01T12:00:00Z</t:End>"
            "<t:IsAllDayEvent>false</t:IsAllDayEvent><t:LegacyFreeBusyStatus>OOF</t:LegacyFreeBusyStatus>"
            "<t:Location>Room 1</t:Location><t:IsCancelled>true</t:IsCancelled>"
            "<t:MyResponseType>Tentative</t:MyResponseType><t:Organizer><t:Mailbox><t:Name>Ada</t:Name>"
            "<t:EmailAddress>Ada@Example.COM</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType></t:Mailbox></t:Organizer>"
            "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:Name>Bob</t:Name><t:EmailAddress>BOB@example.com"
            "</t:EmailAddress></t:Mailbox><t:ResponseType>Accept</t:ResponseType></t:Attendee></t:RequiredAttendees>"
            "<t:Resources><t:Attendee><t:Mailbox><t:EmailAddress>room@example.com</t:EmailAddress></t:Mailbox>"
            f"<t:ResponseType>Decline</t:ResponseType></t:Attendee></t:Resources>{BERLIN}"
        )
    )

    assert found == Appointment(
        identity=Identity("uid-1"),
        subject="Plan & do",
        description="one\ntwo",
        location="Room 1",
        span=Span(utc("2026-12-01T11:00"), utc("2026-12-01T12:00")),
        zone="Europe/Berlin",
        show_as=ShowAs.OUT_OF_OFFICE,
        sensitivity=Sensitivity.CONFIDENTIAL,
        importance=Importance.HIGH,
        organizer=Address("ada@example.com", "Ada"),
        attendees=(
            Attendee("bob@example.com", "Bob", Role.REQUIRED, Response.ACCEPTED),
            Attendee("room@example.com", "", Role.RESOURCE, Response.DECLINED),
        ),
        categories=("Red",),
        reminder_minutes=15,
        canceled=True,
        response=Response.TENTATIVE,
        created=utc("2026-11-01T08:00"),
    )


@pytest.mark.parametrize(
    ("field", "attribute", "expected"),
    [
        ("<t:LegacyFreeBusyStatus>Free</t:LegacyFreeBusyStatus>", "show_as", ShowAs.FREE),
        ("<t:LegacyFreeBusyStatus>WorkingElsewhere</t:LegacyFreeBusyStatus>", "show_as", ShowAs.WORKING_ELSEWHERE),
        ("<t:LegacyFreeBusyStatus>Tentative</t:LegacyFreeBusyStatus>", "show_as", ShowAs.TENTATIVE),
        ("<t:LegacyFreeBusyStatus>NoData</t:LegacyFreeBusyStatus>", "show_as", ShowAs.BUSY),
        ("", "show_as", ShowAs.BUSY),
        ("<t:Sensitivity>Private</t:Sensitivity>", "sensitivity", Sensitivity.PRIVATE),
        ("<t:Sensitivity>Personal</t:Sensitivity>", "sensitivity", Sensitivity.PERSONAL),
        ("<t:Importance>Low</t:Importance>", "importance", Importance.LOW),
        ("<t:MyResponseType>Organizer</t:MyResponseType>", "response", Response.ORGANIZER),
        ("<t:MyResponseType>NoResponseReceived</t:MyResponseType>", "response", Response.NONE),
        ("<t:MyResponseType>Unknown</t:MyResponseType>", "response", Response.NONE),
        (
            "<t:ReminderIsSet>false</t:ReminderIsSet><t:ReminderMinutesBeforeStart>15</t:ReminderMinutesBeforeStart>",
            "reminder_minutes",
            None,
        ),
        ("<t:Body BodyType='Text'/>", "description", ""),
        ("<t:Body BodyType='Text'>&lt;b&gt; stays</t:Body>", "description", "<b> stays"),
        ("<t:Body BodyType='HTML'>&lt;p&gt;one&lt;p&gt;&lt;b&gt;two&lt;/b&gt;</t:Body>", "description", "one\ntwo"),
    ],
)
def test_values_have_their_words(field: str, attribute: str, expected: object) -> None:
    """Each value of Exchange has one of the core's, and a missing one has a default."""
    assert getattr(taken(answers.single(more=field + BERLIN)), attribute) == expected


@pytest.mark.rule("D-02")
@pytest.mark.parametrize(
    ("start", "end", "zone", "mailbox_zone", "dates"),
    [
        ("2026-11-30T23:00:00Z", "2026-12-01T23:00:00Z", BERLIN, "UTC", (date(2026, 12, 1), date(2026, 12, 2))),
        ("2026-11-30T23:00:00Z", "2026-12-01T23:00:00Z", "", "Europe/Berlin", (date(2026, 12, 1), date(2026, 12, 2))),
        (
            "2026-12-01T08:00:00Z",
            "2026-12-03T08:00:00Z",
            '<t:StartTimeZone Id="Pacific Standard Time"/>',
            "Europe/Berlin",
            (date(2026, 12, 1), date(2026, 12, 3)),
        ),
        (
            "2026-11-30T11:00:00Z",
            "2026-12-01T11:00:00Z",
            '<t:StartTimeZone Id="tzone://Microsoft/Utc"/>',
            "Pacific/Auckland",
            (date(2026, 12, 1), date(2026, 12, 2)),
        ),
        ("2026-12-01T00:07:00Z", "2026-12-01T00:07:00Z", BERLIN, "UTC", (date(2026, 12, 1), date(2026, 12, 2))),
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", BERLIN, "UTC", (date(2026, 3, 29), date(2026, 3, 30))),
    ],
)
def test_an_all_day_item_is_a_range_of_dates(
    start: str, end: str, zone: str, mailbox_zone: str, dates: tuple[date, date]
) -> None:
    """Midnight in the item's zone, else in the mailbox's, else the nearest midnight names the date, DST or not."""
    xml = answers.single(start=start, end=end, more=f"<t:IsAllDayEvent>true</t:IsAllDayEvent>{zone}")

    assert taken(xml, Reading(ADA, mailbox_zone, {})).span == all_day(*dates)


def test_an_item_without_a_zone_is_in_the_mailboxs() -> None:
    """No StartTimeZone, or an empty one, means the zone of the mailbox."""
    assert taken(answers.single(more="")).zone == "Europe/Berlin"
    assert taken(answers.single(more="<t:StartTimeZone/>"), Reading(ADA, "Asia/Tokyo", {})).zone == "Asia/Tokyo"


def series(more: str = "", all_day: bool = False) -> str:
    """Build a weekly series of Tuesdays at 12:00 in Berlin."""
    start, end = ("2026-11-30T23:00:00Z", "2026-12-01T23:00:00Z") if all_day else ("2026-12-01T11:00:00Z",) * 2
    flag = f"<t:IsAllDayEvent>{str(all_day).lower()}</t:IsAllDayEvent>"
    return answers.single("M=", start=start, end=end, uid=HEX_UID, more=flag + WEEKLY + BERLIN + more)


DELETED = (
    "<t:DeletedOccurrences><t:DeletedOccurrence><t:Start>{1}</t:Start></t:DeletedOccurrence>"
    "<t:DeletedOccurrence><t:Start>{0}</t:Start></t:DeletedOccurrence></t:DeletedOccurrences>"
)


def test_a_series_knows_what_was_deleted() -> None:
    """Deleted occurrences are original starts, ascending; of an all-day series they are dates."""
    timed = taken(series(DELETED.format("2026-12-08T11:00:00Z", "2026-12-15T11:00:00Z")))
    dated = taken(series(DELETED.format("2026-12-07T23:00:00Z", "2026-12-14T23:00:00Z"), all_day=True))

    assert timed.deleted == (utc("2026-12-08T11:00"), utc("2026-12-15T11:00"))
    assert dated.deleted == (utc("2026-12-08T00:00"), utc("2026-12-15T00:00"))
    for found in (timed, dated):
        assert [occurrence_day(found, start) for start in found.deleted] == [date(2026, 12, 8), date(2026, 12, 15)]


def test_an_exception_is_a_whole_appointment_at_its_original_start() -> None:
    """Exceptions are ordered, carry full content, and are named by series identity and original start."""
    master = taken(series())
    later = item_from(answers.single("E2=", subject="later", start="2026-12-16T09:00:00Z", end="2026-12-16T10:00:00Z"))
    sooner = item_from(
        answers.single("E1=", subject="sooner", start="2026-12-07T09:00:00Z", end="2026-12-07T10:00:00Z")
    )

    whole = with_exceptions(master, [(utc("2026-12-15T11:00"), later), (utc("2026-12-08T11:00"), sooner)], READING)

    assert [part.subject for part in whole.exceptions] == ["sooner", "later"]
    assert [part.identity for part in whole.exceptions] == [
        Identity(HEX_UID, utc("2026-12-08T11:00")),
        Identity(HEX_UID, utc("2026-12-15T11:00")),
    ]
    assert all(part.recurrence is None for part in whole.exceptions)


def test_an_exception_of_an_all_day_series_is_named_by_date() -> None:
    """The original start of an all-day series is 00:00 UTC of the date, also for an exception that has a time."""
    master = taken(series(all_day=True))
    timed = item_from(answers.single("E1=", start="2026-12-08T09:00:00Z", end="2026-12-08T10:00:00Z"))

    (part,) = with_exceptions(master, [(utc("2026-12-07T23:00"), timed)], READING).exceptions

    assert part.identity.original_start == utc("2026-12-08T00:00")
    assert part.span == Span(utc("2026-12-08T09:00"), utc("2026-12-08T10:00"))


def test_the_first_occurrence_is_one_date_everywhere() -> None:
    """A server whose start and start date differ is brought to the first date that fits the pattern."""
    shifted = series().replace("2026-12-01+01:00", "2026-12-02")
    days = series(all_day=True).replace("2026-12-01+01:00", "2026-12-02")

    for found in (taken(shifted), taken(days)):
        assert isinstance(found.recurrence, Recurrence)
        assert found.recurrence.first == date(2026, 12, 8)
        assert occurrence_day(found, found.span.start) == date(2026, 12, 8)


@pytest.mark.rule("A-33a")
def test_the_uid_is_the_identity_as_it_is_given() -> None:
    """Foreign and hexadecimal UIDs are taken unchanged, in their own case."""
    assert taken(answers.single(uid="Foreign/UID@host")).identity == Identity("Foreign/UID@host")
    assert taken(answers.single(uid=HEX_UID.lower())).identity == Identity(HEX_UID.lower())
    assert taken(answers.single(uid="ABCDEF" * 20)).identity == Identity("ABCDEF" * 20)


@pytest.mark.rule("A-33a")
def test_one_occurrence_of_somebody_elses_series_is_a_single_with_an_original_start() -> None:
    """RecurrenceId is the original start; the date within a hexadecimal UID is cleared."""
    dated = HEX_UID[:32] + "07EA0C08" + HEX_UID[40:]
    start = "<t:RecurrenceId>2026-12-08T11:00:00Z</t:RecurrenceId>"

    with_id = taken(answers.single(uid=dated, more=start + BERLIN))
    without = taken(answers.single(uid=dated, start="2026-12-09T09:00:00Z", end="2026-12-09T09:30:00Z"))
    whole_day = taken(
        answers.single(
            uid=dated,
            start="2026-12-08T23:00:00Z",
            end="2026-12-09T23:00:00Z",
            more=f"<t:IsAllDayEvent>true</t:IsAllDayEvent>{BERLIN}",
        )
    )

    assert with_id.identity == Identity(HEX_UID, utc("2026-12-08T11:00"))
    assert without.identity == Identity(HEX_UID, utc("2026-12-08T09:00"))
    assert whole_day.identity == Identity(HEX_UID, utc("2026-12-08T00:00"))


def test_an_item_without_uid_is_named_by_its_clean_global_object_id() -> None:
    """The property gives the hex, or the foreign UID within it; without both, the item's own place."""

    def extended(value: bytes) -> str:
        return (
            '<t:ExtendedProperty><t:ExtendedFieldURI DistinguishedPropertySetId="Meeting" PropertyId="35" '
            f'PropertyType="Binary"/><t:Value>{b64encode(value).decode()}</t:Value></t:ExtendedProperty>'
        )

    wrapped = taken(answers.single(uid="", more=extended(clean_id("Foreign@host")) + BERLIN))
    plain = taken(answers.single(uid="", more=extended(bytes.fromhex(HEX_UID)) + BERLIN))
    nothing = taken(answers.single("REF=", uid=""))

    assert wrapped.identity == Identity("Foreign@host")
    assert plain.identity == Identity(HEX_UID)
    assert nothing.identity == Identity("ews-item:REF=")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=80))
@settings(max_examples=80, deadline=None)
def test_a_foreign_uid_survives_the_way_through_exchange(uid: str) -> None:
    """The wrapped form gives the same text back; only trailing zero bytes and hex ids are special."""
    assert text_of_clean_id(clean_id(uid)) == uid


@given(st.binary(min_size=16, max_size=60))
def test_a_hexadecimal_uid_is_searched_by_its_own_bytes(tail: bytes) -> None:
    """The clean id of a hex UID is itself without the date, and names the same identity."""
    uid = (bytes.fromhex(HEX_UID)[:40] + tail).hex().upper()
    dated = uid[:32] + "07EA0C08" + uid[40:]

    assert clean_id(dated) == clean_id(uid) == bytes.fromhex(uid[:32] + "00000000" + uid[40:])
    assert identity_text(dated) == identity_text(uid)


def people(address: str, routing: str, name: str = "Bob") -> str:
    """Build a list of required attendees with one mailbox."""
    return (
        f"<t:RequiredAttendees><t:Attendee><t:Mailbox><t:Name>{name}</t:Name>{address}<t:RoutingType>{routing}"
        f"</t:RoutingType></t:Mailbox></t:Attendee></t:RequiredAttendees>{BERLIN}"
    )


@pytest.mark.parametrize(
    ("address", "routing", "expected"),
    [
        ("<t:EmailAddress>/O=CORP/CN=BOB</t:EmailAddress>", "EX", "bob@example.com"),
        ("<t:EmailAddress>/O=CORP/CN=GONE</t:EmailAddress>", "EX", "/o=corp/cn=gone"),
        ("", "SMTP", "bob"),
    ],
)
def test_addresses_of_other_kinds_are_looked_up_or_kept(address: str, routing: str, expected: str) -> None:
    """A distinguished name becomes its mail address, or stays as it is; a bare name stands for itself."""
    assert [person.address for person in taken(answers.single(more=people(address, routing))).attendees] == [expected]


def test_only_strange_addresses_are_asked_for() -> None:
    """What must be looked up is neither a mail address nor nothing."""
    item = item_from(answers.single(more=people("<t:EmailAddress>/O=CORP/CN=BOB</t:EmailAddress>", "EX")))

    assert list(strangers(item)) == ["/o=corp/cn=bob"]
    assert list(strangers(item_from(answers.single(more=people("", "SMTP"))))) == []


def test_nobody_is_listed_twice_and_five_hundred_are_welcome() -> None:
    """An address listed as required and optional is required; long lists are taken whole."""
    listed = "".join(
        f"<t:Attendee><t:Mailbox><t:EmailAddress>p{number}@example.com</t:EmailAddress></t:Mailbox></t:Attendee>"
        for number in range(500)
    )
    again = "<t:Attendee><t:Mailbox><t:EmailAddress>P7@Example.com</t:EmailAddress></t:Mailbox></t:Attendee>"

    found = taken(
        answers.single(
            more=f"<t:RequiredAttendees>{listed}</t:RequiredAttendees><t:OptionalAttendees>{again}</t:OptionalAttendees>"
        )
    ).attendees

    assert len(found) == 500
    assert found[7] == Attendee("p7@example.com")


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (
            answers.item(fields="<t:Subject>x</t:Subject><t:End>2026-12-01T12:00:00Z</t:End>"),
            "AppointmentScheduleNotSet",
        ),
        (answers.item(fields="<t:Start>2026-12-01T12:00:00Z</t:Start>"), "AppointmentScheduleNotSet"),
        (answers.single(end="2026-12-01T10:59:59Z"), "EndBeforeStart"),
        (answers.single(more='<t:StartTimeZone Id="Atlantis"/>'), "UnknownTimeZone"),
        (answers.single(start="soon"), "ItemUnreadable"),
        (
            answers.single(
                start="0001-01-01T00:00:00Z",
                end="0001-01-01T00:00:00Z",
                more="<t:IsAllDayEvent>true</t:IsAllDayEvent><t:StartTimeZone Id='Hawaiian Standard Time'/>",
            ),
            "ItemUnreadable",
        ),
        (series().replace("WeeklyRecurrence>", "DailyRegeneration>"), "RecurrenceNotSupported"),
        (series().replace(">5<", ">1000<"), "RecurrenceNotSupported"),
        (series().replace(">5<", ">0<"), "RecurrenceNotSupported"),
        (series().replace("2026-12-01+01:00", "9999-12-31"), "ItemUnreadable"),
        (
            series()
            .replace("NumberedRecurrence", "EndDateRecurrence")
            .replace("<t:NumberOfOccurrences>5</t:NumberOfOccurrences>", "<t:EndDate>2026-11-30</t:EndDate>"),
            "RecurrenceNotSupported",
        ),
    ],
)
def test_an_item_that_cannot_be_taken_says_why(xml: str, code: str) -> None:
    """Each kind of bad item has its code, names itself, and says nothing of its body."""
    with pytest.raises(SyncError) as caught:
        taken(xml)

    error = caught.value
    assert (error.code, error.params["mailbox"], error.ref) == (code, ADA, item_from(xml).ref)


def test_an_item_may_be_empty_in_time() -> None:
    """Start and end may be equal."""
    assert taken(answers.single(end="2026-12-01T11:00:00Z")).span == Span(
        utc("2026-12-01T11:00"), utc("2026-12-01T11:00")
    )


def test_a_private_subject_stays_out_of_messages() -> None:
    """The error of a private item does not carry its subject."""
    with pytest.raises(SyncError) as caught:
        taken(
            answers.single(subject="Surgery", end="2026-12-01T10:00:00Z", more="<t:Sensitivity>Private</t:Sensitivity>")
        )

    assert "Surgery" not in caught.value.text


JUNK = st.sampled_from(
    [
        "",
        " ",
        "x",
        "-1",
        "0",
        "99999999999",
        "true",
        "2026-02-30T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01",
        "PT99H",
    ]
)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_nonsense_in_any_field_is_that_items_own_failure(data: st.DataObject) -> None:
    """Whatever a lying server writes into elements and attributes, an item is taken or refused with a SyncError."""
    moved = (
        '<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id="E="/><t:Start>2026-12-08T13:00:00Z</t:Start>'
        "<t:End>2026-12-08T14:00:00Z</t:End><t:OriginalStart>2026-12-08T11:00:00Z</t:OriginalStart></t:Occurrence>"
        "</t:ModifiedOccurrences>"
    )
    more = DELETED.format("2026-12-15T11:00:00Z", "2026-12-22T11:00:00Z") + moved + BERLIN_BY_RULES
    message = messages(answers.got(series(more, all_day=data.draw(st.booleans())).replace(BERLIN, "")), "GetItem")[0]
    parts = [part for part in message.element.iter() if part.tag.rpartition("}")[2] not in ("ItemId", "Items")]
    for _ in range(data.draw(st.integers(1, 3))):
        part = data.draw(st.sampled_from(parts))
        if part.attrib and data.draw(st.booleans()):
            part.set(data.draw(st.sampled_from(sorted(part.attrib))), data.draw(JUNK))
        elif len(part) and data.draw(st.booleans()):
            part.remove(data.draw(st.sampled_from(list(part))))
        else:
            part.text = data.draw(JUNK)
    try:
        item = item_of(message)
    except InvalidAnswer:
        item = None
    assume(item is not None)
    assert item is not None

    try:
        found = appointment(item, READING)
        if found.recurrence:
            with_exceptions(found, [(utc("2026-12-08T11:00"), item)], READING)
    except SyncError as error:
        assert error.params["mailbox"] == ADA
