"""The connector and the Exchange emulator together, over HTTP: every request and every answer valid by the schema.

The emulator shares no code with the connector, so what both agree on is what the documentation says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from syncline.connectors.exchange_web_services import ExchangeReplica
from syncline.core.appointment import Attendee, Identity, PatternKind, Response, Span
from syncline.core.recurrence import occurrences
from syncline.core.times import all_day
from syncline.emulators.exchange import ExchangeEmulator
from syncline.errors import SyncError
from syncline.ports import Light, Observed
from tests.emulator.client import Client
from tests.exchange_web_services.conftest import ADA, Connect

pytestmark = pytest.mark.emulator

BOB = "bob@example.com"
SERVICE = ("svc", "service-secret")
SERIES = """
  <t:Subject>Stand-up</t:Subject><t:Start>2026-12-07T09:00:00</t:Start><t:End>2026-12-07T09:30:00</t:End>
  <t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Monday Wednesday</t:DaysOfWeek>
  </t:WeeklyRecurrence><t:NumberedRecurrence><t:StartDate>2026-12-07</t:StartDate><t:NumberOfOccurrences>6
  </t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence>
  <t:StartTimeZone Id="W. Europe Standard Time"/><t:EndTimeZone Id="W. Europe Standard Time"/>""".replace("\n  ", "")


class Watch:
    """Notes what the schema says against every request and answer."""

    def __init__(self, xsd: etree.XMLSchema) -> None:
        self.xsd = xsd
        self.complaints: list[str] = []

    def __call__(self, request: bytes, answer: bytes) -> None:
        """Validate one request and its answer; faults have no schema."""
        for data in (request, answer):
            body = etree.fromstring(data, etree.XMLParser(huge_tree=True)).find("{*}Body")
            told = body is not None and len(body) and etree.QName(body[0]).localname != "Fault"
            if body is not None and told and not self.xsd.validate(body[0]):
                self.complaints.append(f"{body[0].tag}: {self.xsd.error_log.last_error}")


@pytest.fixture
def start(xsd: etree.XMLSchema) -> Iterator[Callable[..., ExchangeEmulator]]:
    """Start emulators whose traffic is validated, and stop them."""
    watch = Watch(xsd)
    running: list[ExchangeEmulator] = []

    def begin(**options: Any) -> ExchangeEmulator:
        values = {"mailboxes": {ADA: "pw-ada", BOB: "pw-bob"}, "service": SERVICE, "time_zone": "Europe/Berlin"}
        running.append(ExchangeEmulator(**{**values, **options}, observer=watch).start())
        return running[-1]

    yield begin
    for emulator in running:
        emulator.stop()
    assert watch.complaints == []


@pytest.fixture
def emulator(start: Callable[..., ExchangeEmulator]) -> ExchangeEmulator:
    """Give an emulator with two mailboxes and a service account."""
    return start()


@pytest.fixture
def ada(emulator: ExchangeEmulator) -> Client:
    """Give Ada's own mail program."""
    return Client(emulator, ADA, "pw-ada")


@pytest.fixture
def replica(emulator: ExchangeEmulator, connect: Connect) -> ExchangeReplica:
    """Open Ada's calendar with the service account."""
    return connect(emulator.ews_url, username=SERVICE[0], password=SERVICE[1], read_only=True)


def timed(subject: str, start: str = "2026-12-01T11:00:00Z", end: str = "2026-12-01T12:00:00Z", more: str = "") -> str:
    """Build the fields of a new item."""
    return (
        f"<t:Subject>{subject}</t:Subject>{more}<t:Start>{start}</t:Start><t:End>{end}</t:End>"
        '<t:StartTimeZone Id="W. Europe Standard Time"/>'
    )


def everything(replica: ExchangeReplica) -> list[Observed]:
    """Read the whole main calendar."""
    found = replica.read([(row.folder, row.ref) for row in delta(replica, None)[0] if not row.gone])
    assert all(isinstance(entry, Observed) for entry in found)
    return [entry for entry in found if isinstance(entry, Observed)]


def delta(replica: ExchangeReplica, cursor: str | None, limit: int = 512) -> tuple[list[Light], str]:
    """Read all pages of changes of the main calendar."""
    folder = replica.folders()[0].ref
    rows: list[Light] = []
    more = True
    while more:
        page = replica.changes(folder, cursor, limit)
        assert len(page.items) <= limit
        rows, cursor, more = [*rows, *page.items], page.cursor, page.more
    assert cursor is not None
    return rows, cursor


def utc(text: str) -> datetime:
    """Give an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
@pytest.mark.parametrize(("user", "password"), [(ADA, "pw-ada"), SERVICE])
def test_test_and_enable_passes_as_oneself_and_by_impersonation(
    emulator: ExchangeEmulator, connect: Connect, user: str, password: str, auth: str
) -> None:
    """All four steps succeed against a healthy mailbox, by each way of signing in."""
    steps = connect(emulator.ews_url, username=user, password=password, auth=auth).probe()

    assert steps == ("address", "sign-in", "calendar", "categories")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"username": ADA, "password": "wrong"}, "Unauthorized"),
        ({"username": BOB, "password": "pw-bob"}, "ErrorImpersonateUserDenied"),
        ({"username": "svc", "password": "service-secret", "address": "nobody@example.com"}, "ErrorNonExistentMailbox"),
    ],
)
def test_test_and_enable_says_what_is_wrong(
    emulator: ExchangeEmulator, connect: Connect, options: dict[str, str], code: str
) -> None:
    """A wrong password, a missing right and an unknown mailbox are told apart."""
    with pytest.raises(SyncError) as caught:
        connect(emulator.ews_url, **options).probe()

    assert caught.value.code == code


def test_a_single_comes_back_as_it_was_made(ada: Client, replica: ExchangeReplica) -> None:
    """Text, categories, sensitivity, reminder and time survive, and the category shows in the delta already."""
    more = (
        "<t:Sensitivity>Private</t:Sensitivity><t:Body BodyType='Text'>Bring &lt;cake&gt;</t:Body><t:Categories>"
        "<t:String>Tracked to Syncline CRM</t:String></t:Categories><t:ReminderIsSet>true</t:ReminderIsSet>"
        "<t:ReminderMinutesBeforeStart>10</t:ReminderMinutesBeforeStart>"
    )
    ada.created(timed("Lunch", more=more))

    (row,), _ = delta(replica, None)
    (found,) = everything(replica)

    assert row.categories == ("Tracked to Syncline CRM",)
    assert (found.ref, found.revision) == (row.ref, row.revision)
    assert found.appointment.description == "Bring <cake>"
    assert found.appointment.private
    assert found.appointment.reminder_minutes == 10
    assert found.appointment.span == Span(utc("2026-12-01T11:00"), utc("2026-12-01T12:00"))
    assert found.appointment.zone == "Europe/Berlin"
    assert found.appointment.response is Response.ORGANIZER


def test_an_all_day_item_is_its_dates(ada: Client, replica: ExchangeReplica) -> None:
    """Midnight in Berlin is not midnight in UTC, and the dates are right all the same."""
    more = "<t:IsAllDayEvent>true</t:IsAllDayEvent>"
    fields = timed("Fair", "2026-11-30T23:00:00Z", "2026-12-02T23:00:00Z").replace("</t:End>", f"</t:End>{more}")
    ada.created(fields)

    (found,) = everything(replica)

    assert found.appointment.span == all_day(date(2026, 12, 1), date(2026, 12, 3))


def occurrence(master: str, number: int) -> str:
    """Name an occurrence of a series."""
    return f'<t:OccurrenceItemId RecurringMasterId="{master}" InstanceIndex="{number}"/>'


def moved(client: Client, master: str, number: int) -> None:
    """Move an occurrence by one hour and rename it."""

    def field(uri: str, xml: str) -> str:
        return f'<t:SetItemField><t:FieldURI FieldURI="{uri}"/><t:CalendarItem>{xml}</t:CalendarItem></t:SetItemField>'

    reply = client.post(
        '<m:UpdateItem ConflictResolution="AlwaysOverwrite" SendMeetingInvitationsOrCancellations="SendToNone">'
        f"<m:ItemChanges><t:ItemChange>{occurrence(master, number)}<t:Updates>"
        f"{field('item:Subject', '<t:Subject>Moved</t:Subject>')}"
        f"{field('calendar:Start', '<t:Start>2026-12-09T10:00:00Z</t:Start>')}"
        f"{field('calendar:End', '<t:End>2026-12-09T10:30:00Z</t:End>')}"
        "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )
    assert reply.codes() == ["NoError"]


def deleted(client: Client, item: str) -> None:
    """Delete an item or an occurrence to Deleted Items."""
    reply = client.post(
        '<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="SendToNone">'
        f"<m:ItemIds>{item}</m:ItemIds></m:DeleteItem>"
    )
    assert reply.codes() == ["NoError"]


def test_a_series_comes_with_its_moved_and_deleted_occurrences(ada: Client, replica: ExchangeReplica) -> None:
    """Pattern, exception with content, deletion, and the occurrences that follow from them."""
    master = ada.created(SERIES)
    moved(ada, master, 2)
    deleted(ada, occurrence(master, 3))

    (found,) = everything(replica)

    whole = found.appointment
    assert whole.recurrence is not None
    assert (whole.recurrence.pattern.kind, whole.recurrence.pattern.weekdays) == (PatternKind.WEEKLY, (0, 2))
    assert [part.identity for part in whole.exceptions] == [
        Identity(whole.identity.global_object_id, utc("2026-12-09T08:00"))
    ]
    assert whole.exceptions[0].subject == "Moved"
    assert whole.deleted == (utc("2026-12-14T08:00"),)
    starts = [entry.span.start for entry in occurrences(whole, utc("2026-12-01"), utc("2027-01-01"))]
    assert starts == [utc(f"2026-12-{day}") for day in ("07T08:00", "09T10:00", "16T08:00", "21T08:00", "23T08:00")]


def test_changes_follow_creation_update_and_deletion(ada: Client, replica: ExchangeReplica) -> None:
    """The delta gives each change once; what is deleted is read as gone, and found nowhere."""
    kept = ada.created(timed("Kept"))
    gone = ada.created(timed("Gone"))
    (identity,) = [entry.appointment.identity.global_object_id for entry in everything(replica) if entry.ref == gone]
    _, cursor = delta(replica, None)
    deleted(ada, f'<t:ItemId Id="{gone}"/>')

    rows, later = delta(replica, cursor)

    assert [(row.ref, row.gone) for row in rows] == [(gone, True)]
    assert delta(replica, later)[0] == []
    assert replica.read([(rows[0].folder, gone)]) == [None]
    assert replica.find([identity]) == {identity: ()}
    assert [entry.ref for entry in everything(replica)] == [kept]


@pytest.mark.rule("L-02")
def test_an_item_moved_to_a_subfolder_is_found_there(
    emulator: ExchangeEmulator, ada: Client, replica: ExchangeReplica
) -> None:
    """Delete here and Create there of one identity: the search over all calendar folders shows the move."""
    old = ada.created(timed("Wanders"))
    (before,) = everything(replica)
    store = emulator.store
    mailbox = store.mailbox(ADA)
    assert mailbox is not None
    calendar = store.distinguished(mailbox.row, "calendar")
    assert calendar is not None
    with store.unit():
        below = store.add_folder(mailbox.row, calendar.row, "Team", "IPF.Appointment")
        (stored,) = store.items(calendar.row)
        store.move(stored, below)

    main, sub = replica.folders()
    identity = before.appointment.identity.global_object_id
    (found,) = replica.find([identity])[identity]

    assert replica.read([(main.ref, old)]) == [None]
    assert (found.folder, found.appointment.subject) == (sub.ref, "Wanders")
    assert found.appointment.identity == before.appointment.identity
    assert [row.ref for row in replica.changes(sub.ref, None, 512).items] == [found.ref]


def test_a_calendar_of_many_pages_is_read_completely(ada: Client, replica: ExchangeReplica) -> None:
    """Pages of any size hold every item exactly once."""
    refs = {ada.created(timed(f"n{number}")) for number in range(23)}

    for limit in (1, 7, 512):
        rows, _ = delta(replica, None, limit)
        assert sorted(row.ref for row in rows) == sorted(refs)


def test_an_invented_cursor_has_expired(replica: ExchangeReplica) -> None:
    """A cursor that the server does not know means reading from the beginning."""
    with pytest.raises(SyncError, match="CursorExpired"):
        replica.changes(replica.folders()[0].ref, "aW52ZW50ZWQ=", 512)


def test_an_invited_persons_copy_has_the_same_identity(
    emulator: ExchangeEmulator, ada: Client, replica: ExchangeReplica, connect: Connect
) -> None:
    """Organizer's and attendee's copies share the global object id; the response is each person's own."""
    people = (
        f"<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>{BOB}</t:EmailAddress></t:Mailbox>"
        "</t:Attendee></t:RequiredAttendees>"
    )
    ada.created(timed("Review").replace("</t:End>", f"</t:End>{people}"), send="SendToAllAndSaveCopy")
    bobs = connect(emulator.ews_url, username=SERVICE[0], password=SERVICE[1], address=BOB)

    (own,), (copy,) = everything(replica), everything(bobs)

    assert own.appointment.identity == copy.appointment.identity
    assert own.appointment.organizer == copy.appointment.organizer
    assert (own.appointment.response, copy.appointment.response) == (Response.ORGANIZER, Response.NONE)
    assert [Attendee(p.address, "", p.role) for p in own.appointment.attendees] == [Attendee(BOB)]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unauthorized", "Unauthorized"),
        ("forbidden", "Forbidden"),
        ("busy", "ThrottledByExchange"),
        ("unavailable", "ThrottledByExchange"),
        ("invalid_sync_state", "CursorExpired"),
        ("lost_answer", "ServerUnreachable"),
    ],
)
def test_every_fault_of_the_control_plane_has_its_name(
    emulator: ExchangeEmulator, ada: Client, replica: ExchangeReplica, fault: str, code: str
) -> None:
    """An armed fault is told in the words of the catalogue, and when it is over everything goes on."""
    folder = replica.folders()[0].ref
    ada.control("POST", "faults", {"operation": "SyncFolderItems", "fault": fault, "count": 2})

    with pytest.raises(SyncError) as caught:
        replica.changes(folder, None, 512)
    ada.control("DELETE", "faults")

    assert caught.value.code == code
    assert replica.changes(folder, None, 512).items == ()


def test_one_corrupt_item_leaves_the_others_readable(ada: Client, replica: ExchangeReplica) -> None:
    """The fault `broken` spoils one item of a batch; the next reading has it back."""
    refs = [("", ada.created(timed(f"n{number}"))) for number in range(5)]
    ada.control("POST", "faults", {"operation": "GetItem", "fault": "broken", "count": 1})

    spoiled, healthy = replica.read(refs), replica.read(refs)

    errors = [entry for entry in spoiled if isinstance(entry, SyncError)]
    assert [error.code for error in errors] == ["ItemUnreadable"]
    assert all(isinstance(entry, Observed) for entry in healthy)


def test_a_slow_server_times_out_and_is_well_again(emulator: ExchangeEmulator, ada: Client, connect: Connect) -> None:
    """The fault `slow` meets our own limit of time, not the patience of the server."""
    replica = connect(emulator.ews_url, password="pw-ada", timeout_s=2.0)
    ada.control("POST", "faults", {"operation": "GetFolder", "fault": "slow", "count": 1, "delay_s": 6.0})

    with pytest.raises(SyncError, match="ServerTimeout"):
        replica.folders()

    assert replica.folders()[0].main


def test_reading_everything_writes_nothing(ada: Client, replica: ExchangeReplica) -> None:
    """The server counts only reading operations for a replica, whatever is asked of it."""
    created = ada.created(SERIES)
    before = ada.control("GET", "requests")
    replica.probe()
    everything(replica)
    replica.find([everything(replica)[0].appointment.identity.global_object_id])
    after = ada.control("GET", "requests")

    used = {name for name, count in after.items() if count != before.get(name, 0)}
    assert created
    assert used == {
        "FindFolder",
        "FindItem",
        "GetFolder",
        "GetItem",
        "GetUserConfiguration",
        "ResolveNames",
        "SyncFolderItems",
    }


def test_an_idle_look_costs_one_request_per_folder(ada: Client, replica: ExchangeReplica) -> None:
    """Asking for changes is one SyncFolderItems and nothing else."""
    folder = replica.folders()[0].ref
    cursor = replica.changes(folder, None, 512).cursor
    before = ada.control("GET", "requests")

    replica.changes(folder, cursor, 512)

    after = ada.control("GET", "requests")
    assert {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)} == {
        "SyncFolderItems": 1
    }


def test_real_calendars_are_read_whole(
    start: Callable[..., ExchangeEmulator], connect: Connect, data_dir: Path
) -> None:
    """Every event that the emulator took from ten real calendars is read, and found again by its identity."""
    for file in sorted((data_dir / "ics-real").glob("*.ics")):
        emulator = start()
        emulator.load_calendar(ADA, file.read_text(encoding="utf-8", errors="replace"))
        replica = connect(emulator.ews_url, password="pw-ada")
        mailbox = emulator.store.mailbox(ADA)
        assert mailbox is not None
        calendar = emulator.store.distinguished(mailbox.row, "calendar")
        assert calendar is not None

        found = everything(replica)

        assert len(found) == emulator.store.count(calendar.row) > 0, file.name
        names = list(dict.fromkeys(entry.appointment.identity.global_object_id for entry in found))[:60]
        matches = replica.find(names)
        assert all(matches[name] for name in names), file.name


def test_tls_with_its_own_authority(start: Callable[..., ExchangeEmulator], connect: Connect, tmp_path: Path) -> None:
    """An emulator with TLS is trusted by its CA file only."""
    emulator = start(tls=True)
    authority = tmp_path / "ca.pem"
    authority.write_text(emulator.ca_pem or "")

    assert connect(emulator.ews_url, password="pw-ada", ca_file=str(authority)).folders()
    with pytest.raises(SyncError, match="CertificateUntrusted"):
        connect(emulator.ews_url, password="pw-ada").folders()


@pytest.mark.rule("A-31")
def test_a_meeting_request_in_the_inbox_is_no_item_of_the_calendar(
    emulator: ExchangeEmulator, ada: Client, replica: ExchangeReplica
) -> None:
    """The category on the request tracks nothing; the calendar item that came with it is what can be tracked."""
    guest = f"<t:Attendee><t:Mailbox><t:EmailAddress>{ADA}</t:EmailAddress></t:Mailbox></t:Attendee>"
    guests = f"<t:RequiredAttendees>{guest}</t:RequiredAttendees>"
    zone = '<t:StartTimeZone Id="W. Europe Standard Time"/>'
    Client(emulator, BOB, "pw-bob").created(timed("Review").replace(zone, guests + zone), "SendToAllAndSaveCopy")
    (request,) = ada.sync(folder="inbox").all("t:ItemId")
    category = "<t:Categories><t:String>Tracked to Syncline CRM</t:String></t:Categories>"
    ada.post(
        '<m:UpdateItem MessageDisposition="SaveOnly" ConflictResolution="AlwaysOverwrite"><m:ItemChanges><t:ItemChange>'
        f'<t:ItemId Id="{request.get("Id")}"/><t:Updates><t:SetItemField><t:FieldURI FieldURI="item:Categories"/>'
        f"<t:MeetingRequest>{category}</t:MeetingRequest></t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges>"
        "</m:UpdateItem>"
    )

    rows, _ = delta(replica, None)
    (found,) = everything(replica)

    assert [folder.name for folder in replica.folders()] == ["Calendar"]
    assert [row.categories for row in rows] == [()]
    assert found.appointment.subject == "Review"
    assert found.ref != request.get("Id")
    assert replica.read([(rows[0].folder, request.get("Id") or "")]) == [None]
