"""The replica over a scripted server: folders, categories, changes, contents in batches, search, test steps."""

from __future__ import annotations

from base64 import b64encode

import pytest

from syncline.connectors.exchange_web_services.identities import clean_id
from syncline.errors import SyncError
from syncline.ports import Category, Folder, Light, Observed
from tests.exchange_web_services import answers
from tests.exchange_web_services.conftest import ADA, Connect, Serve
from tests.exchange_web_services.mailbox import asked, broken_text, crash, reading
from tests.exchange_web_services.scripted import Handler, Reply
from tests.exchange_web_services.test_content import HEX_UID, WEEKLY

RESOLVED = answers.answer(
    "ResolveNames",
    answers.success(
        "ResolveNames",
        '<m:ResolutionSet TotalItemsInView="1" IncludesLastItemInRange="true"><t:Resolution><t:Mailbox>'
        "<t:Name>Bob</t:Name><t:EmailAddress>Bob@example.com</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType></t:Mailbox></t:Resolution>"
        "</m:ResolutionSet>",
    ),
)


def refused(operation: str, code: str) -> bytes:
    """Give an answer whose only message failed."""
    return answers.answer(operation, answers.failure(operation, code))


def singles(count: int) -> dict[str, str]:
    """Give a table of ordinary items."""
    return {
        f"R{number}=": answers.got_one(answers.single(f"R{number}=", subject=f"s{number}", uid=f"u{number}"))
        for number in range(count)
    }


def subjects(found: list[Observed | SyncError | None]) -> list[str | None]:
    """Sum up a reading: subjects, error codes, None for what is gone."""
    return [
        entry.appointment.subject if isinstance(entry, Observed) else None if entry is None else entry.code
        for entry in found
    ]


@pytest.mark.rule("L-02")
def test_the_main_calendar_comes_first_then_its_calendar_subfolders(serve: Serve, connect: Connect) -> None:
    """Every page of folders below the calendar is read; folders of other kinds are left out."""
    server = serve(b"")
    server.by_operation = {
        "GetFolder": [answers.calendar("CAL=", "Kalender")],
        "FindFolder": [
            answers.folders(
                answers.folder("SUB=", "Team"),
                answers.folder("MAIL=", "Notes", "IPF.Note", "Folder"),
                last=False,
                offset=2,
            ),
            answers.folders(
                answers.folder("DEEP=", "Below", "IPF.Appointment.Custom"), answers.folder("CAL=", "again")
            ),
        ],
    }

    found = connect(server.url).folders()

    assert found == (
        Folder(ref="CAL=", name="Kalender", main=True),
        Folder(ref="SUB=", name="Team"),
        Folder(ref="DEEP=", name="Below"),
    )
    assert b'Offset="2"' in server.seen[2].body


def test_a_list_of_folders_without_end_is_refused(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lying server that always promises another page is stopped."""
    monkeypatch.setattr("syncline.connectors.exchange_web_services.replica.PAGES_MAX", 3)
    server = serve(answers.calendar(), answers.folders(answers.folder("A=", "a"), last=False))

    with pytest.raises(SyncError, match="ServerAnswerInvalid"):
        connect(server.url).folders()


def category_list(inner: str) -> bytes:
    """Give an answer of GetUserConfiguration."""
    data = b64encode(inner.encode()).decode()
    return answers.answer(
        "GetUserConfiguration",
        answers.success(
            "GetUserConfiguration",
            '<m:UserConfiguration><t:UserConfigurationName Name="CategoryList"><t:DistinguishedFolderId Id="calendar"/>'
            f"</t:UserConfigurationName><t:XmlData>{data}</t:XmlData></m:UserConfiguration>",
        ),
    )


@pytest.mark.rule("L-04")
def test_categories_have_ids_and_names(serve: Serve, connect: Connect) -> None:
    """The category list gives the id that survives a renaming."""
    xml = '<categories xmlns="CategoryList.xsd"><category name="Tracked" guid="{1}"/></categories>'

    assert connect(serve(category_list(xml)).url).categories() == (Category(id="{1}", name="Tracked"),)


def test_a_mailbox_without_category_list_has_no_categories(serve: Serve, connect: Connect) -> None:
    """ErrorItemNotFound is the answer of a mailbox that has never had one; other refusals stay errors."""
    assert connect(serve(refused("GetUserConfiguration", "ErrorItemNotFound")).url).categories() == ()
    with pytest.raises(SyncError, match="CalendarUnreadable"):
        connect(serve(refused("GetUserConfiguration", "ErrorAccessDenied")).url).categories()
    with pytest.raises(SyncError, match="ServerAnswerInvalid"):
        connect(serve(category_list("<broken")).url).categories()


def test_a_page_of_changes_is_light(serve: Serve, connect: Connect) -> None:
    """Ids, revisions, categories and removals; the cursor and whether more waits are the server's."""
    rows = (
        f"<t:Create>{answers.item('A=', 'K', '<t:Categories><t:String>x</t:String></t:Categories>')}</t:Create>",
        '<t:Delete><t:ItemId Id="B="/></t:Delete>',
    )
    server = serve(answers.changes(*rows, state="S2", last=False))

    page = connect(server.url).changes("CAL=", "S1", 2)

    assert page.items == (
        Light(ref="A=", folder="CAL=", revision="K", categories=("x",)),
        Light(ref="B=", folder="CAL=", gone=True),
    )
    assert (page.cursor, page.more) == ("S2", True)
    assert b"<m:SyncState>S1</m:SyncState><m:MaxChangesReturned>2</m:MaxChangesReturned>" in server.seen[0].body


def test_an_unknown_cursor_has_expired(serve: Serve, connect: Connect) -> None:
    """ErrorInvalidSyncStateData is CursorExpired."""
    with pytest.raises(SyncError) as caught:
        connect(serve(refused("SyncFolderItems", "ErrorInvalidSyncStateData")).url).changes("CAL=", "old", 512)

    assert (caught.value.code, caught.value.params["mailbox"]) == ("CursorExpired", ADA)


def test_a_deleted_subfolder_has_no_changes_and_a_missing_calendar_is_an_error(serve: Serve, connect: Connect) -> None:
    """A subfolder may go at any time without stopping the mailbox; the main folder may not."""
    server = serve(b"")
    server.by_operation = {
        "SyncFolderItems": [refused("SyncFolderItems", "ErrorSyncFolderNotFound")],
        "GetFolder": [answers.calendar("CAL=")],
    }
    replica = connect(server.url)

    page = replica.changes("SUB=", "S7", 512)
    with pytest.raises(SyncError, match="CalendarUnreadable"):
        replica.changes("CAL=", None, 512)

    assert (page.items, page.cursor, page.more) == ((), "S7", False)


@pytest.mark.parametrize(
    "body", [answers.changes(state="S1", last=False), answers.changes(state=""), refused("SyncFolderItems", "ErrorOdd")]
)
def test_a_server_that_makes_no_progress_is_refused(serve: Serve, connect: Connect, body: bytes) -> None:
    """More changes promised and none given, or no cursor, must not become an endless loop."""
    with pytest.raises(SyncError) as caught:
        connect(serve(body).url).changes("CAL=", "S1", 512)

    assert caught.value.code in ("ServerAnswerInvalid", "ErrorInternalServerTransientError")


def test_contents_come_in_the_order_asked_in_batches(serve: Serve, connect: Connect) -> None:
    """250 items cost three requests; what is gone is None."""
    table = singles(250)
    del table["R7="]
    server = serve(reading(table))

    found = connect(server.url).read([("CAL=", f"R{number}=") for number in range(250)])

    assert subjects(found) == [None if number == 7 else f"s{number}" for number in range(250)]
    assert server.operations == ["GetItem"] * 3


def test_nothing_asked_costs_nothing(serve: Serve, connect: Connect) -> None:
    """Empty lists send no request."""
    server = serve(b"")

    assert connect(server.url).read([]) == []
    assert server.seen == []


def test_the_content_knows_where_it_is_and_who_made_it(serve: Serve, connect: Connect) -> None:
    """Folder, revision and Syncline's own key come with the content (L-11)."""
    key = (
        '<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId="6F1CBF4E-4D2A-4C0E-9A6B-0D1F5E7C2B93" '
        'PropertyName="SynclineKey" PropertyType="String"/><t:Value>k1</t:Value></t:ExtendedProperty>'
    )
    foreign = key.replace("6F1CBF4E", "00000000").replace("k1", "k2")
    moved = answers.single("A=", more='<t:ParentFolderId Id="ELSE="/>' + foreign + key + answers.BERLIN)

    (found,) = connect(serve(answers.got(moved)).url).read([("CAL=", "A=")])

    assert isinstance(found, Observed)
    assert (found.folder, found.revision, found.key) == ("ELSE=", "CK", "k1")


def test_another_kind_of_item_is_no_appointment(serve: Serve, connect: Connect) -> None:
    """A meeting request that lies in the calendar folder is not read as one."""
    assert connect(serve(answers.got('<t:MeetingRequest><t:ItemId Id="A="/></t:MeetingRequest>')).url).read(
        [("CAL=", "A=")]
    ) == [None]


def series(refs: str = "E1= E2=") -> str:
    """Give a master with modified occurrences."""
    entries = "".join(
        f'<t:Occurrence><t:ItemId Id="{ref}" ChangeKey="K"/><t:Start>2026-12-08T13:00:00Z</t:Start>'
        f"<t:End>2026-12-08T14:00:00Z</t:End><t:OriginalStart>2026-12-{8 + 7 * n:02}T11:00:00Z</t:OriginalStart>"
        "</t:Occurrence>"
        for n, ref in enumerate(refs.split())
    )
    more = f"{answers.BERLIN}{WEEKLY}<t:ModifiedOccurrences>{entries}</t:ModifiedOccurrences>"
    return answers.got_one(answers.single("M=", subject="series", uid=HEX_UID, more=more))


def test_exceptions_are_read_with_their_series(serve: Serve, connect: Connect) -> None:
    """One more batched request gives the content of all modified occurrences of a batch."""
    table = {
        "M=": series(),
        "E1=": answers.got_one(answers.single("E1=", subject="first moved")),
        "E2=": answers.got_one(answers.single("E2=", subject="second moved")),
    }
    server = serve(reading(table))

    (found,) = connect(server.url).read([("CAL=", "M=")])

    assert isinstance(found, Observed)
    assert [part.subject for part in found.appointment.exceptions] == ["first moved", "second moved"]
    assert [asked(request.body) for request in server.seen] == [["M="], ["E1=", "E2="]]


@pytest.mark.parametrize(
    ("exception", "code"),
    [
        (answers.failure("GetItem", "ErrorItemNotFound"), "ItemUnreadable"),
        (answers.failure("GetItem", "ErrorItemCorrupt"), "ItemUnreadable"),
        (answers.got_one(answers.single("E2=", end="2026-01-01T00:00:00Z")), "EndBeforeStart"),
    ],
)
def test_a_series_with_a_bad_exception_fails_alone(serve: Serve, connect: Connect, exception: str, code: str) -> None:
    """A series is whole or an error of its own, never a series that lost an exception."""
    table = {
        "M=": series(),
        "E1=": answers.got_one(answers.single("E1=")),
        "E2=": exception,
        **singles(1),
    }

    found = connect(serve(reading(table)).url).read([("CAL=", "M="), ("CAL=", "R0=")])

    assert subjects(found) == [code, "s0"]
    assert isinstance(found[0], SyncError)
    assert found[0].ref == "M="


def test_a_series_that_changes_while_it_is_read_is_read_again(serve: Serve, connect: Connect) -> None:
    """An exception that vanished between the two requests is no failure: the second reading sees the new series."""
    before = {"M=": series(), "E1=": answers.got_one(answers.single("E1=")), **singles(1)}
    after = {"M=": series("E1="), "E1=": answers.got_one(answers.single("E1=", subject="left")), **singles(1)}
    server = serve(reading(before), reading(before), reading(after))

    found = connect(server.url).read([("CAL=", "R0="), ("CAL=", "M=")])

    assert subjects(found) == ["s0", "series"]
    assert isinstance(found[1], Observed)
    assert [part.subject for part in found[1].appointment.exceptions] == ["left"]
    assert [asked(request.body) for request in server.seen] == [["R0=", "M="], ["E1=", "E2="], ["M="], ["E1="]]


def test_two_series_that_claim_one_exception_do_no_harm(serve: Serve, connect: Connect) -> None:
    """A lying server that names one missing occurrence in two series spoils both, and nothing else."""
    other = series().replace("M=", "N=")
    table = {"M=": series(), "N=": other, **singles(1)}

    found = connect(serve(reading(table)).url).read([("CAL=", "M="), ("CAL=", "N="), ("CAL=", "R0=")])

    assert subjects(found) == ["ItemUnreadable", "ItemUnreadable", "s0"]


def test_a_series_whose_occurrences_make_no_sense_fails_alone(serve: Serve, connect: Connect) -> None:
    """An occurrence without original start spoils its series only."""
    table = {"M=": series().replace("2026-12-15T11:00:00Z", "soon"), **singles(1)}

    found = connect(serve(reading(table)).url).read([("CAL=", "M="), ("CAL=", "R0=")])

    assert subjects(found) == ["ItemUnreadable", "s0"]


@pytest.mark.parametrize("poison", [crash("R37="), broken_text("R37=")], ids=["status 500", "broken XML"])
def test_one_poisonous_item_fails_alone(serve: Serve, connect: Connect, poison: object) -> None:
    """An item that breaks every answer it is part of is found by halving, and the 99 others are read."""
    server = serve(b"")
    server.by_operation = {"GetItem": [reading(singles(100), poison)], "GetFolder": [answers.calendar()]}  # type: ignore[arg-type]

    found = connect(server.url).read([("CAL=", f"R{number}=") for number in range(100)])

    assert subjects(found) == ["ItemUnreadable" if number == 37 else f"s{number}" for number in range(100)]
    assert isinstance(found[37], SyncError)
    assert found[37].ref == "R37="
    assert len(server.seen) <= 20


def test_a_passing_trouble_blames_nobody(serve: Serve, connect: Connect) -> None:
    """A batch that failed once is read in halves, and every item is there."""
    server = serve(b"")
    server.by_operation = {"GetItem": [Reply(b"oops", 500), reading(singles(10))]}

    assert None not in subjects(connect(server.url).read([("CAL=", f"R{number}=") for number in range(10)]))
    assert subjects(connect(server.url).read([("CAL=", "R3=")])) == ["s3"]


def test_a_server_that_fails_on_everything_is_the_mailboxs_failure(serve: Serve, connect: Connect) -> None:
    """No item is blamed when nothing works, and it does not cost a request per item."""
    server = serve(Reply(b"oops", 500))

    for count in (1, 100):
        with pytest.raises(SyncError, match="ErrorInternalServerTransientError"):
            connect(server.url).read([("CAL=", f"R{number}=") for number in range(count)])

    assert len(server.seen) < 30


def test_the_halving_gives_up(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many failed requests for one batch end it."""
    monkeypatch.setattr("syncline.connectors.exchange_web_services.batches.FAILURES_MAX", 3)
    server = serve(b"")
    server.by_operation = {"GetItem": [Reply(b"oops", 500)], "GetFolder": [answers.calendar()]}

    with pytest.raises(SyncError):
        connect(server.url).read([("CAL=", f"R{number}=") for number in range(100)])


def test_what_a_stopped_batch_left_out_is_asked_again(serve: Serve, connect: Connect) -> None:
    """After ErrorBatchProcessingStopped the rest is read by a new request, in its place."""
    table = singles(6)
    bad = answers.failure("GetItem", "ErrorItemCorrupt")
    stopped = answers.failure("GetItem", "ErrorBatchProcessingStopped")
    first = answers.answer("GetItem", table["R0="], bad, stopped, stopped, stopped, stopped)
    server = serve(first, reading(table))

    found = connect(server.url).read([("CAL=", f"R{number}=") for number in range(6)])

    assert subjects(found) == ["s0", "ItemUnreadable", "s2", "s3", "s4", "s5"]
    assert asked(server.seen[1].body) == ["R2=", "R3=", "R4=", "R5="]


def test_a_batch_that_stops_before_it_begins_is_an_invalid_answer(serve: Serve, connect: Connect) -> None:
    """A server that leaves out everything must not be asked for ever."""
    stopped = answers.failure("GetItem", "ErrorBatchProcessingStopped")

    with pytest.raises(SyncError, match="ServerAnswerInvalid"):
        connect(serve(answers.answer("GetItem", stopped)).url).read([("CAL=", "R0=")])


@pytest.mark.parametrize("code", ["ErrorServerBusy", "ErrorMailboxStoreUnavailable", "ErrorImpersonateUserDenied"])
def test_a_failure_of_the_mailbox_told_of_an_item_is_the_mailboxs(serve: Serve, connect: Connect, code: str) -> None:
    """Throttling and lost access within a batch stop the reading instead of blaming items."""
    server = serve(answers.answer("GetItem", singles(1)["R0="], answers.failure("GetItem", code, wait_ms=1000)))

    with pytest.raises(SyncError) as caught:
        connect(server.url).read([("CAL=", "R0="), ("CAL=", "R1=")])

    assert caught.value.code in ("ThrottledByExchange", "ServiceUnavailable", "ErrorImpersonateUserDenied")


@pytest.mark.parametrize("code", ["ErrorAccessDenied", "ErrorItemCorrupt", "ErrorInternalServerError", "ErrorNew"])
def test_a_failure_told_of_one_item_is_its_own(serve: Serve, connect: Connect, code: str) -> None:
    """Refused or corrupt items are ItemUnreadable, with Exchange's own code in the text."""
    server = serve(answers.answer("GetItem", answers.failure("GetItem", code)))

    (found,) = connect(server.url).read([("CAL=", "R0=")])

    assert isinstance(found, SyncError)
    assert (found.code, found.ref, code in found.text) == ("ItemUnreadable", "R0=", True)


def test_a_broken_id_in_an_item_is_its_own(serve: Serve, connect: Connect) -> None:
    """An item without id cannot be taken, and alone fails."""
    server = serve(answers.got(answers.item("")))

    assert subjects(connect(server.url).read([("CAL=", "R0=")])) == ["ItemUnreadable"]


def bob(ref: str, name: str) -> str:
    """Give an item organized by somebody with a distinguished name."""
    organizer = (
        f"<t:Organizer><t:Mailbox><t:Name>B</t:Name><t:EmailAddress>{name}</t:EmailAddress>"
        "<t:RoutingType>EX</t:RoutingType></t:Mailbox></t:Organizer>"
    )
    return answers.got_one(answers.single(ref, more=organizer + answers.BERLIN))


def test_each_distinguished_name_is_looked_up_once(serve: Serve, connect: Connect) -> None:
    """The directory is asked once per name, also for names that it does not know."""
    server = serve(b"")
    server.by_operation = {
        "GetItem": [
            reading({"A=": bob("A=", "/O=X/CN=BOB"), "B=": bob("B=", "/O=X/CN=BOB"), "C=": bob("C=", "/O=X/CN=C")})
        ],
        "ResolveNames": [RESOLVED, refused("ResolveNames", "ErrorNameResolutionNoResults")],
    }
    replica = connect(server.url)
    refs = [("CAL=", ref) for ref in ("A=", "B=", "C=")]

    found = [replica.read(refs), replica.read(refs)]

    for entries in found:
        organizers = [entry.appointment.organizer for entry in entries if isinstance(entry, Observed)]
        assert [person and person.address for person in organizers] == [
            "bob@example.com",
            "bob@example.com",
            "/o=x/cn=c",
        ]
    assert server.operations.count("ResolveNames") == 2


def searching(server_items: dict[str, str]) -> dict[str, list[object]]:
    """Give the script of a server with two folders where a search finds one item in each."""
    return {
        "GetFolder": [answers.calendar("CAL=")],
        "FindFolder": [answers.folders(answers.folder("SUB=", "Team"))],
        "FindItem": [answers.found_items(answers.item("A=")), answers.found_items(answers.item("B="))],
        "GetItem": [reading(server_items)],
    }


def test_a_search_covers_all_calendar_folders(serve: Serve, connect: Connect) -> None:
    """Items are found by the clean global object id in every folder and read; other ids are found empty."""
    server = serve(b"")
    table = {
        "A=": answers.got_one(answers.single("A=", uid="u1")),
        "B=": answers.got_one(answers.single("B=", uid=HEX_UID)),
    }
    server.by_operation = searching(table)  # type: ignore[assignment]

    found = connect(server.url).find(["u1", HEX_UID, "missing", "u1"])

    assert {name: [entry.ref for entry in entries] for name, entries in found.items()} == {
        "u1": ["A="],
        HEX_UID: ["B="],
        "missing": [],
    }
    searches = [request.body for request in server.seen if request.operation == "FindItem"]
    assert len(searches) == 2
    for uid in ("u1", HEX_UID, "missing"):
        assert b64encode(clean_id(uid)) in searches[0]


def test_hexadecimal_ids_are_compared_as_bytes(serve: Serve, connect: Connect) -> None:
    """A copy that writes the id in lower case is still the item that was searched for."""
    server = serve(b"")
    table = {"A=": answers.got_one(answers.single("A=", uid=HEX_UID.lower()))}
    server.by_operation = searching(table)  # type: ignore[assignment]

    assert [entry.ref for entry in connect(server.url).find([HEX_UID])[HEX_UID]] == ["A="]


def test_an_unreadable_match_is_not_called_missing(serve: Serve, connect: Connect) -> None:
    """A found item that cannot be read raises: the engine must not believe it gone."""
    server = serve(b"")
    bad = answers.got_one(answers.single("A=", uid="u1", end="2026-01-01T00:00:00Z"))
    server.by_operation = searching({"A=": bad, "B=": answers.got_one(answers.single("B=", uid="u2"))})  # type: ignore[assignment]

    with pytest.raises(SyncError) as caught:
        connect(server.url).find(["u1"])

    assert (caught.value.code, caught.value.ref) == ("EndBeforeStart", "A=")


def test_a_search_reads_all_pages_and_skips_a_vanished_folder(serve: Serve, connect: Connect) -> None:
    """Paging goes on to the end; a folder deleted meanwhile holds nothing."""
    server = serve(b"")
    server.by_operation = searching({"A=": singles(1)["R0="].replace("R0=", "A="), "B=": singles(2)["R1="]})  # type: ignore[assignment]
    server.by_operation["FindItem"] = [
        answers.found_items(answers.item("A="), last=False, offset=1),
        answers.found_items(answers.item("B=")),
        refused("FindItem", "ErrorFolderNotFound"),
    ]

    found = connect(server.url).find(["u0", "u1"])

    assert [len(entries) for entries in found.values()] == [1, 1]
    assert b'Offset="1"' in next(r.body for r in server.seen[3:] if r.operation == "FindItem")


def test_a_search_without_end_is_refused(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lying server that always finds another page is stopped."""
    monkeypatch.setattr("syncline.connectors.exchange_web_services.replica.PAGES_MAX", 3)
    server = serve(b"")
    server.by_operation = searching({})  # type: ignore[assignment]
    server.by_operation["FindItem"] = [answers.found_items(answers.item("A="), last=False)]

    with pytest.raises(SyncError, match="ServerAnswerInvalid"):
        connect(server.url).find(["u0"])


def working() -> dict[str, list[object]]:
    """Give the script of a healthy server."""
    return {
        "ResolveNames": [RESOLVED],
        "GetFolder": [answers.calendar()],
        "SyncFolderItems": [answers.changes()],
        "GetUserConfiguration": [refused("GetUserConfiguration", "ErrorItemNotFound")],
    }


@pytest.mark.rule("T-07")
def test_the_test_steps_are_named_in_order(serve: Serve, connect: Connect) -> None:
    """A healthy mailbox passes address, sign-in, calendar and categories."""
    server = serve(b"")
    server.by_operation = working()  # type: ignore[assignment]

    assert connect(server.url).probe() == ("address", "sign-in", "calendar", "categories")


def unknown(handler: Handler) -> None:
    """Answer that nobody has that address."""
    handler.send(Reply(refused("ResolveNames", "ErrorNameResolutionNoResults")))


@pytest.mark.rule("T-07")
@pytest.mark.parametrize(
    ("operation", "script", "code"),
    [
        ("ResolveNames", Reply(status=401), "Unauthorized"),
        ("ResolveNames", unknown, "ErrorNonExistentMailbox"),
        ("ResolveNames", answers.answer("ResolveNames", answers.success("ResolveNames")), "ErrorNonExistentMailbox"),
        ("ResolveNames", answers.fault("ErrorImpersonateUserDenied"), "ErrorImpersonateUserDenied"),
        ("GetFolder", refused("GetFolder", "ErrorAccessDenied"), "CalendarUnreadable"),
        ("GetFolder", Reply(status=403), "Forbidden"),
        ("SyncFolderItems", refused("SyncFolderItems", "ErrorAccessDenied"), "CalendarUnreadable"),
        ("GetUserConfiguration", refused("GetUserConfiguration", "ErrorServerBusy"), "ThrottledByExchange"),
    ],
)
def test_the_first_failing_step_says_why(
    serve: Serve, connect: Connect, operation: str, script: object, code: str
) -> None:
    """Each step raises the error that an administrator can act on."""
    server = serve(b"")
    server.by_operation = {**working(), operation: [script]}  # type: ignore[assignment]

    with pytest.raises(SyncError) as caught:
        connect(server.url).probe()

    assert (caught.value.code, caught.value.params["mailbox"]) == (code, ADA)
