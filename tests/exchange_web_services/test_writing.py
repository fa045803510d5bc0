"""Writes over a scripted server and over the emulator: what leaves, and what every answer means."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree
from msgspec.structs import replace

from syncline.conformance import samples
from syncline.conformance.writer import BOTH, UID, Writer, change_of, deletion_of, moved, new, series
from syncline.core.outgoing import ItemCreation, ItemUpdate, ItemWrite, Mailing
from syncline.errors import SyncError
from syncline.ports import Observed, Result
from tests.emulator.client import Client
from tests.exchange_web_services import answers
from tests.exchange_web_services.conftest import Connect, Serve
from tests.exchange_web_services.world import SERVICE, ExchangeWorld

SEEN = Observed(ref="R0=", folder="CAL=", revision="CK0", appointment=new(description="Old"))
CREATION = ItemCreation(key="key-1", folder="CAL=", content=new())
UPDATE = change_of(SEEN, subject="New")
DELETION = deletion_of(SEEN)
GONE = answers.failure("GetItem", "ErrorItemNotFound")
CHANGED = answers.success("GetItem", f"<m:Items>{answers.item('R0=', 'CK1')}</m:Items>")
TO_ALL = "SendToAllAndSaveCopy"


def created(ref: str = "R0=") -> str:
    """Answer one creation."""
    return answers.success("CreateItem", f"<m:Items>{answers.item(ref, 'NEW')}</m:Items>")


def body(request: bytes, operation: str) -> etree._Element:
    """Return the operation's element of a request."""
    found = etree.fromstring(request).find(f".//{{*}}{operation}")
    assert found is not None
    return found


@pytest.mark.parametrize("write", [CREATION, UPDATE, DELETION], ids=["create", "update", "delete"])
def test_a_read_only_profile_refuses_before_anything_is_sent(serve: Serve, connect: Connect, write: ItemWrite) -> None:
    """Not even the reading before a deletion leaves."""
    server = serve(answers.answer("GetItem", GONE))

    with pytest.raises(SyncError, match="ReadOnlyRefused"):
        connect(server.url, read_only=True).write([write])
    assert server.seen == []


@pytest.mark.rule("A-01")
@pytest.mark.rule("A-06")
@pytest.mark.parametrize(
    ("mailing", "mode"),
    [(Mailing.NOBODY, "SendToNone"), (Mailing.CHANGED, TO_ALL), (Mailing.EVERYBODY, TO_ALL)],
)
def test_a_creation_names_identity_key_and_mode(
    serve: Serve, connect: Connect, xsd: etree.XMLSchema, mailing: Mailing, mode: str
) -> None:
    """The request is valid, carries the UID and our own property, and always says who is mailed."""
    server = serve(answers.answer("CreateItem", created()), answers.answer("GetItem", GONE))

    connect(server.url).write([replace(CREATION, mailing=mailing)])

    request = body(server.seen[0].body, "CreateItem")
    assert xsd.validate(request), xsd.error_log.last_error
    assert request.get("SendMeetingInvitations") == mode
    assert [each.text for each in request.iter("{*}UID")] == [UID]
    assert [each.get("PropertyName") for each in request.iter("{*}ExtendedFieldURI")] == ["SynclineKey"]
    assert [each.text for each in request.iter("{*}Value")] == ["key-1"]


@pytest.mark.rule("A-07")
@pytest.mark.rule("A-15")
def test_an_update_writes_what_changed_under_its_change_key(
    serve: Serve, connect: Connect, xsd: etree.XMLSchema
) -> None:
    """A body with pictures and links is not touched by a new subject; a new text is written as HTML."""
    saved = answers.success("UpdateItem", f"<m:Items>{answers.item('R0=', 'NEW')}</m:Items>")
    server = serve(answers.answer("UpdateItem", saved, saved), answers.answer("GetItem", GONE, GONE))

    connect(server.url).write([UPDATE, change_of(SEEN, description="a < b", location="")])

    request = body(server.seen[0].body, "UpdateItem")
    assert xsd.validate(request), xsd.error_log.last_error
    assert dict(request.attrib) == {
        "MessageDisposition": "SaveOnly",
        "ConflictResolution": "NeverOverwrite",
        "SendMeetingInvitationsOrCancellations": "SendToNone",
    }
    first, second = request.iter("{*}ItemChange")
    assert [each.get("FieldURI") for each in first.iter("{*}FieldURI")] == ["item:Subject"]
    assert [each.get("FieldURI") for each in second.iter("{*}FieldURI")] == ["item:Body"]
    assert [(each.get("BodyType"), each.text) for each in second.iter("{*}Body")] == [
        ("HTML", "<html><body><div>a &lt; b</div></body></html>")
    ]
    assert [each.get("ChangeKey") for each in request.iter("{*}ItemId")] == ["CK0", "CK0"]


@pytest.mark.rule("A-12")
@pytest.mark.parametrize(("answer", "result"), [(CHANGED, Result.STALE), (GONE, Result.SAVED)])
def test_a_deletion_reads_first_and_deletes_nothing_that_moved_on(
    serve: Serve, connect: Connect, answer: str, result: Result
) -> None:
    """DeleteItem guards nothing, so that the ChangeKey is read just before."""
    server = serve(answers.answer("GetItem", answer), answers.answer("GetItem", GONE))

    (outcome,) = connect(server.url).write([DELETION])

    assert outcome.result is result
    assert set(server.operations) == {"GetItem"}


@pytest.mark.parametrize(
    ("code", "result", "expected"),
    [
        ("ErrorIrresolvableConflict", Result.STALE, None),
        ("ErrorItemNotFound", Result.STALE, None),
        ("ErrorAccessDenied", Result.FAILED, "ItemNotWritable"),
        ("ErrorInternalServerError", Result.FAILED, "ItemRefused"),
        ("ErrorInvalidPropertySet", Result.FAILED, "ItemRefused"),
        ("ErrorCalendarInvalidRecurrence", Result.FAILED, "RecurrenceNotSupported"),
        ("ErrorOccurrenceTimeSpanTooBig", Result.FAILED, "ErrorOccurrenceCrossingBoundary"),
    ],
)
def test_a_refusal_is_that_item_s(
    serve: Serve, connect: Connect, code: str, result: Result, expected: str | None
) -> None:
    """Each code means what it says of one item, and the item is read again."""
    server = serve(answers.answer("UpdateItem", answers.failure("UpdateItem", code)), answers.answer("GetItem", GONE))

    (outcome,) = connect(server.url).write([UPDATE])

    assert (outcome.result, outcome.error and outcome.error.code) == (result, expected)


def test_a_server_that_is_busy_is_the_mailbox_s_failure(serve: Serve, connect: Connect) -> None:
    """It is waited for, and the keys tell later what was done."""
    server = serve(answers.answer("CreateItem", answers.failure("CreateItem", "ErrorServerBusy")))

    with pytest.raises(SyncError, match="ThrottledByExchange"):
        connect(server.url).write([CREATION])


def test_what_the_server_left_out_is_sent_again_and_nothing_else(serve: Serve, connect: Connect) -> None:
    """Only what was not begun goes once more."""
    stopped = answers.failure("CreateItem", "ErrorBatchProcessingStopped")
    server = serve(
        answers.answer("CreateItem", created("A="), answers.failure("CreateItem", "ErrorAccessDenied"), stopped),
        answers.answer("CreateItem", created("B=")),
        answers.answer("GetItem", GONE, GONE),
    )

    outcomes = connect(server.url).write([replace(CREATION, key=key) for key in ("1", "2", "3")])

    assert [each.result for each in outcomes] == [Result.SAVED, Result.FAILED, Result.SAVED]
    assert [each.text for each in body(server.seen[1].body, "CreateItem").iter("{*}Value")] == ["3"]


@pytest.mark.parametrize("answer", [answers.answer("CreateItem"), answers.answer("CreateItem", created(), created())])
def test_nonsense_is_the_server_s_failure(serve: Serve, connect: Connect, answer: bytes) -> None:
    """An answer that does not fit the writes is not believed."""
    with pytest.raises(SyncError, match="ServerAnswerInvalid"):
        connect(serve(answer).url).write([CREATION])


def test_what_is_no_zone_is_that_item_s_failure(serve: Serve, connect: Connect) -> None:
    """Nothing is written in another zone instead."""
    server = serve(answers.answer("CreateItem", created()))

    (outcome,) = connect(server.url).write([replace(CREATION, content=new(zone="Mars/Olympus_Mons"))])

    assert outcome.error is not None
    assert (outcome.result, outcome.error.code, server.seen) == (Result.FAILED, "UnknownTimeZone", [])


# --- over the emulator -------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> Iterator[ExchangeWorld]:
    """Start a server, and stop it."""
    started = ExchangeWorld()
    yield started
    started.close()


@pytest.mark.emulator
@pytest.mark.rule("A-01")
def test_a_creation_whose_answer_is_lost_is_found_by_its_key(world: ExchangeWorld) -> None:
    """The server made it and mailed; whoever asks for the key does not make it again."""
    ada = Writer(world, world.address)
    Client(world.emulator, *SERVICE).control("POST", "faults", {"operation": "CreateItem", "fault": "lost_answer"})
    write = ItemCreation(key="key-1", folder=ada.folder, content=new(attendees=BOTH), mailing=Mailing.EVERYBODY)

    with pytest.raises(SyncError):
        ada.replica.write([write])

    assert list(world.replica(world.address).find_keys(["key-1"])) == ["key-1"]
    assert len(ada.sent()) == 2


@pytest.mark.emulator
@pytest.mark.rule("R-02")
@pytest.mark.rule("R-10")
def test_a_series_that_changes_between_two_requests_is_left_alone(world: ExchangeWorld) -> None:
    """A change of dates alone is guarded by the revision of the series."""
    ada = Writer(world, world.address)
    made = ada.create(series())
    world.edit(world.address, UID, subject="By Ada")

    (outcome,) = ada.write(change_of(made, exceptions=(moved(series(), 1, samples.at(13, day=1)),)))

    assert outcome.result is Result.STALE
    assert outcome.item is not None
    assert (outcome.item.appointment.subject, outcome.item.appointment.exceptions) == ("By Ada", ())


@pytest.mark.emulator
@pytest.mark.rule("L-08")
@pytest.mark.rule("L-11a")
def test_a_copy_brings_category_and_key_along(world: ExchangeWorld) -> None:
    """What we set goes with a person's copy, and only the newer one gets another key."""
    ada = Writer(world, world.address)
    made = ada.create(new(categories=("Tracked to Syncline CRM",)))
    world.copy(world.address, UID)
    (copy,) = [each for each in ada.replica.find([UID])[UID] if each.ref != made.ref]

    again = ada.saved(replace(change_of(copy), key="key-2"))

    assert (copy.key, copy.appointment.categories) == ("key-1", made.appointment.categories)
    assert {key: each.ref for key, each in ada.replica.find_keys(["key-1", "key-2"]).items()} == {
        "key-1": made.ref,
        "key-2": again.ref,
    }


@pytest.mark.emulator
def test_an_account_that_may_only_read_is_told(world: ExchangeWorld) -> None:
    """Every write is refused by itself, and nothing changes."""
    ada = Writer(world, world.address)
    made = ada.create(new())
    client = Client(world.emulator, *SERVICE)
    for operation in ("CreateItem", "UpdateItem", "DeleteItem"):
        client.control("POST", "faults", {"operation": operation, "fault": "denied"})
    creation = ItemCreation(key="key-2", folder=ada.folder, content=samples.single("two", samples.at(9)))

    outcomes = ada.write(creation, change_of(made, subject="New"), deletion_of(made))

    assert [each.error and each.error.code for each in outcomes] == ["ItemNotWritable"] * 3
    assert ada.seen() == made


def test_an_update_without_changes_asks_for_nothing_but_the_item(serve: Serve, connect: Connect) -> None:
    """There is nothing to write."""
    server = serve(answers.answer("GetItem", GONE))
    write: ItemUpdate = change_of(SEEN)

    connect(server.url).write([write])

    assert server.operations == ["GetItem"]
