"""Categories over a scripted server and over the emulator: one request, one result for each item, and no mail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from lxml import etree

from syncline.core.answering_by_category import Categorizing
from syncline.errors import SyncError
from syncline.ports import Observed, Result
from tests.emulator.client import Client
from tests.exchange_web_services import answers
from tests.exchange_web_services.conftest import Connect, Serve
from tests.exchange_web_services.world import SERVICE, ExchangeWorld

SAVED = answers.success("UpdateItem", f"<m:Items>{answers.item('R0=', 'NEW')}</m:Items>")


def changes(count: int = 1) -> list[Categorizing]:
    """Return changes of ordinary items."""
    return [
        Categorizing(ref=f"R{number}=", folder="CAL=", revision=f"CK{number}", before=("Red",), add=("Waiting",))
        for number in range(count)
    ]


def failed(code: str) -> str:
    """Build one message that failed."""
    return answers.failure("UpdateItem", code)


def test_the_request_names_the_change_key_mails_nobody_and_sets_categories_only(serve: Serve, connect: Connect) -> None:
    """NeverOverwrite, SendToNone, and one field."""
    server = serve(answers.answer("UpdateItem", SAVED))

    (outcome,) = connect(server.url).categorize(changes())

    (request,) = server.seen
    update = etree.fromstring(request.body).find(".//{*}UpdateItem")
    assert update is not None
    assert dict(update.attrib) == {
        "MessageDisposition": "SaveOnly",
        "ConflictResolution": "NeverOverwrite",
        "SendMeetingInvitationsOrCancellations": "SendToNone",
    }
    assert [dict(each.attrib) for each in update.iter("{*}ItemId")] == [{"Id": "R0=", "ChangeKey": "CK0"}]
    assert [each.get("FieldURI") for each in update.iter("{*}FieldURI")] == ["item:Categories"]
    assert [each.text for each in update.iter("{*}String")] == ["Red", "Waiting"]
    assert (outcome.result, outcome.revision) == (Result.SAVED, "NEW")


@pytest.mark.parametrize("code", ["ErrorIrresolvableConflict", "ErrorItemNotFound", "ErrorStaleObject"])
def test_an_item_that_moved_on_is_stale(serve: Serve, connect: Connect, code: str) -> None:
    """Nothing was written, and nothing is wrong."""
    server = serve(answers.answer("UpdateItem", failed(code)))

    (outcome,) = connect(server.url).categorize(changes())

    assert (outcome.result, outcome.error) == (Result.STALE, None)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("ErrorAccessDenied", "CategoriesNotWritable"), ("ErrorInternalServerError", "ItemUnreadable")],
)
def test_a_refusal_is_that_item_s(serve: Serve, connect: Connect, code: str, expected: str) -> None:
    """The others are saved."""
    server = serve(answers.answer("UpdateItem", SAVED, failed(code)))

    first, second = connect(server.url).categorize(changes(2))

    assert first.result is Result.SAVED
    assert second.error is not None
    assert (second.result, second.error.code) == (Result.FAILED, expected)


def test_what_the_server_left_out_is_sent_again(serve: Serve, connect: Connect) -> None:
    """A server that stops at a bad item is asked for the rest."""
    server = serve(
        answers.answer("UpdateItem", failed("ErrorAccessDenied"), failed("ErrorBatchProcessingStopped")),
        answers.answer("UpdateItem", SAVED),
    )

    outcomes = connect(server.url).categorize(changes(2))

    assert [each.result for each in outcomes] == [Result.FAILED, Result.SAVED]


@pytest.mark.parametrize(
    "answer",
    [
        answers.answer("UpdateItem"),
        answers.answer("UpdateItem", SAVED, SAVED),
        answers.answer("UpdateItem", failed("ErrorBatchProcessingStopped")),
    ],
    ids=["none", "too many", "stopped at once"],
)
def test_nonsense_is_the_server_s_failure(serve: Serve, connect: Connect, answer: bytes) -> None:
    """An answer that does not fit the question is not believed."""
    server = serve(answer)

    with pytest.raises(SyncError, match="ServerAnswerInvalid"):
        connect(server.url).categorize(changes())


def test_an_item_without_a_change_key_is_never_written(serve: Serve, connect: Connect) -> None:
    """Without a guard somebody's change could be lost."""
    server = serve(answers.answer("UpdateItem", SAVED))
    unknown = Categorizing(ref="R9=", folder="CAL=", revision="", before=(), add=("Waiting",))

    first, second = connect(server.url).categorize([unknown, *changes()])

    assert first.error is not None
    assert (first.error.code, second.result) == ("CategoriesNotWritable", Result.SAVED)
    assert b"R9=" not in server.seen[0].body


def test_many_changes_go_in_requests_of_a_hundred(serve: Serve, connect: Connect) -> None:
    """A thousand questions do not make one request too large."""
    server = serve(answers.answer("UpdateItem", *[SAVED] * 100), answers.answer("UpdateItem", *[SAVED] * 50))

    assert len(connect(server.url).categorize(changes(150))) == 150
    assert len(server.seen) == 2


def test_a_read_only_profile_sends_nothing(serve: Serve, connect: Connect) -> None:
    """The transport refuses it, whoever asks."""
    server = serve(answers.answer("UpdateItem", SAVED))

    with pytest.raises(SyncError, match="ReadOnlyRefused"):
        connect(server.url, read_only=True).categorize(changes())
    assert server.seen == []


# --- over the emulator -------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> ExchangeWorld:
    """Start a server."""
    return ExchangeWorld()


def seen(world: ExchangeWorld, uid: str, address: str = ExchangeWorld.address) -> Observed:
    """Return an item as it stands."""
    (found,) = world.replica(address).find([uid])[uid]
    return found


def change(item: Observed, *add: str, remove: Sequence[str] = ()) -> Categorizing:
    """Return a change of an item as it was seen."""
    before = item.appointment.categories
    return Categorizing(
        ref=item.ref, folder=item.folder, revision=item.revision, before=before, add=add, remove=tuple(remove)
    )


@pytest.mark.emulator
def test_a_lost_answer_leaves_one_category_and_a_repetition_is_stale(world: ExchangeWorld) -> None:
    """The server did it and the answer was lost: repeating it is refused by the ChangeKey and doubles nothing."""
    from syncline.conformance import samples

    try:
        world.add(world.address, samples.single("one", samples.at(9)))
        wanted = change(seen(world, "one"), "Waiting")
        client = Client(world.emulator, *SERVICE)
        client.control("POST", "faults", {"operation": "UpdateItem", "fault": "lost_answer"})
        with pytest.raises(SyncError):
            world.replica(world.address).categorize([wanted])
        (again,) = world.replica(world.address).categorize([wanted])

        assert again.result is Result.STALE
        assert seen(world, "one").appointment.categories == ("Waiting",)
        assert client.control("GET", "outbox") == []
    finally:
        world.close()


@pytest.mark.emulator
def test_an_account_that_may_only_read_is_told(world: ExchangeWorld) -> None:
    """Every item is refused by itself, and nothing changes."""
    from syncline.conformance import samples

    try:
        world.add(world.address, samples.single("one", samples.at(9)))
        Client(world.emulator, *SERVICE).control("POST", "faults", {"operation": "UpdateItem", "fault": "denied"})
        (outcome,) = world.replica(world.address).categorize([change(seen(world, "one"), "Waiting")])

        assert outcome.error is not None
        assert outcome.error.code == "CategoriesNotWritable"
        assert seen(world, "one").appointment.categories == ()
    finally:
        world.close()
