"""Requests and answers on the wire: valid by the public schema, read by name, and safe against nonsense."""

from __future__ import annotations

import random
from base64 import b64encode
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from syncline.connectors.exchange_web_services import wire_answers, wire_requests, wire_writes
from syncline.connectors.exchange_web_services.wire import (
    FaultAnswer,
    InvalidAnswer,
    Message,
    Request,
    envelope,
    messages,
    parse,
)
from syncline.connectors.exchange_web_services.wire_items import Item, instant, item_of
from syncline.core.answering_by_category import Categorizing
from tests.exchange_web_services import answers

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
NASTY = "a<b>&\"c'd/]]>"
ODD_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)


def requests() -> list[Request]:
    """Give one of each request, with values that must be escaped."""
    calendar = wire_requests.calendar_id(None)
    return [
        wire_requests.get_calendar(calendar),
        wire_requests.get_calendar(wire_requests.calendar_id("o'neil&co@example.com")),
        wire_requests.find_subfolders(calendar, 100),
        wire_requests.sync_folder_items(NASTY, None, 512),
        wire_requests.sync_folder_items("AAA=", NASTY, 9999),
        wire_requests.sync_folder_items("AAA=", "S", 0),
        wire_requests.get_items(["AAA=", NASTY]),
        wire_requests.find_items("AAA=", [b"one"], 0),
        wire_requests.find_items(NASTY, [b"one", b"two"], 1000),
        wire_requests.get_category_list(calendar),
        wire_requests.resolve_name(NASTY),
        wire_writes.update_categories(
            [
                Categorizing(ref=NASTY, folder="F", revision=NASTY, before=(), add=(NASTY, "Waiting")),
                Categorizing(ref="AAA=", folder="F", revision="CK", before=("Red",), remove=("Red",)),
            ]
        ),
    ]


@pytest.mark.parametrize("request_", requests(), ids=lambda request: request.operation)
def test_every_request_is_valid_by_the_schema(xsd: etree.XMLSchema, request_: Request) -> None:
    """Exchange refuses what its schema does not allow, so every builder's output is validated."""
    root = etree.fromstring(envelope(request_, "o&apos;neil@example.com"))
    body = root.find(f"{SOAP}Body")

    assert body is not None
    assert xsd.validate(body[0]), xsd.error_log.last_error
    assert etree.QName(body[0]).localname == request_.operation


@given(folder=ODD_TEXT.filter(bool), state=ODD_TEXT)
@settings(max_examples=60, deadline=None)
def test_ids_and_cursors_travel_unchanged(folder: str, state: str) -> None:
    """Whatever characters an id or a sync state has, the server reads what we were given."""
    root = etree.fromstring(envelope(wire_requests.sync_folder_items(folder, state, 10), None))

    assert root.find(".//{*}FolderId").get("Id") == folder  # type: ignore[union-attr]
    assert (root.findtext(".//{*}SyncState") or "") == state


@given(subject=ODD_TEXT, location=ODD_TEXT, categories=st.lists(ODD_TEXT.filter(bool), max_size=4), seed=st.integers())
@settings(max_examples=80, deadline=None)
def test_fields_are_read_by_name_in_any_order(subject: str, location: str, categories: list[str], seed: int) -> None:
    """Shuffled elements give the same item: other servers order them in their own way."""
    parts = [
        '<t:ItemId Id="A=" ChangeKey="C"/>',
        f"<t:Subject>{escape(subject)}</t:Subject>",
        f"<t:Location>{escape(location)}</t:Location>",
        "<t:Start>2026-12-01T11:00:00Z</t:Start>",
        f"<t:Categories>{''.join(f'<t:String>{escape(name)}</t:String>' for name in categories)}</t:Categories>",
    ]
    random.Random(seed).shuffle(parts)
    (message,) = messages(answers.got(f"<t:CalendarItem>{''.join(parts)}</t:CalendarItem>"), "GetItem")

    item = item_of(message)

    assert isinstance(item, Item)
    assert (item.ref, item.revision) == ("A=", "C")
    assert (item.text("Subject"), item.text("Location")) == (subject, location)
    assert wire_answers.categories_of(item.fields["Categories"]) == tuple(dict.fromkeys(categories))


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_do_more_than_be_refused(noise: bytes) -> None:
    """Random bytes, bare or within an envelope, are InvalidAnswer and nothing else."""
    for body in (noise, answers.soap("").replace(b"<s:Body>", b"<s:Body>" + noise)):
        with pytest.raises(InvalidAnswer):
            messages(body, "GetItem")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a/>",
        b'<?xml version="1.0"?><!DOCTYPE a><a/>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
        b"<a>" * 10_000 + b"</a>" * 10_000,
        answers.soap("<m:GetItemResponse/>"),
        answers.soap("<m:FindItemResponse><m:ResponseMessages/></m:FindItemResponse>"),
    ],
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    """Empty, foreign, dangerous, endlessly nested and wrong answers are InvalidAnswer."""
    with pytest.raises(InvalidAnswer):
        messages(body, "GetItem")


def test_a_fault_is_read_wherever_its_parts_stand(data_dir: Path) -> None:
    """Code, text and wish to wait of a SOAP fault are found by name; the documentation's own sample is understood."""
    sample = (data_dir / "ews/samples/web_service_reference_addimgroup_operation_2_Fault.xml").read_bytes()
    bare = answers.soap("<s:Fault><faultcode>x:ErrorServerBusy</faultcode><faultstring>busy</faultstring></s:Fault>")

    with pytest.raises(FaultAnswer) as documented:
        messages(sample, "AddImGroup")
    with pytest.raises(FaultAnswer) as waiting:
        messages(answers.fault("ErrorServerBusy", "busy", wait_ms=1500), "GetItem")
    with pytest.raises(FaultAnswer) as short:
        messages(bare, "GetItem")

    assert documented.value.code == "ErrorSchemaValidation"
    assert (waiting.value.code, waiting.value.text, waiting.value.wait_s) == ("ErrorServerBusy", "busy", 1.5)
    assert (short.value.code, short.value.text, short.value.wait_s) == ("ErrorServerBusy", "busy", None)


def test_a_warning_is_an_answer_except_when_the_batch_stopped() -> None:
    """ResponseClass Warning carries content; ErrorBatchProcessingStopped does not."""
    warned = answers.got(answers.item()).replace(b'"Success"', b'"Warning"').replace(b"NoError", b"ErrorNameResolution")
    stopped = warned.replace(b"ErrorNameResolution", b"ErrorBatchProcessingStopped")
    silent = answers.got(answers.item()).replace(b"<m:ResponseCode>NoError</m:ResponseCode>", b"")
    failed = silent.replace(b'"Success"', b'"Error"')

    codes = [messages(body, "GetItem")[0].code for body in (warned, stopped, silent, failed)]

    assert codes == ["NoError", "ErrorBatchProcessingStopped", "NoError", "ErrorUnknown"]


def test_changes_are_rows_of_calendar_items_only() -> None:
    """Creates, updates and deletes of calendar items count; read marks and other kinds of item do not."""
    body = answers.changes(
        f"<t:Create>{answers.item('A=', 'K1', '<t:Categories><t:String>x</t:String></t:Categories>')}</t:Create>",
        f"<t:Update>{answers.item('B=', 'K2')}</t:Update>",
        '<t:Delete><t:ItemId Id="C="/></t:Delete>',
        '<t:ReadFlagChange><t:ItemId Id="D="/><t:IsRead>true</t:IsRead></t:ReadFlagChange>',
        '<t:Create><t:MeetingRequest><t:ItemId Id="E="/></t:MeetingRequest></t:Create>',
        state="S2",
        last=False,
    )

    page = wire_answers.change_page(messages(body, "SyncFolderItems")[0])

    assert [(row.ref, row.revision, row.categories, row.gone) for row in page.rows] == [
        ("A=", "K1", ("x",), False),
        ("B=", "K2", (), False),
        ("C=", "", (), True),
    ]
    assert (page.state, page.last, page.changes_count) == ("S2", False, 5)


def test_the_documentations_samples_are_understood(data_dir: Path) -> None:
    """The answers printed in the EWS documentation parse to the values that stand in them."""
    samples = data_dir / "ews/samples"

    def message(name: str, operation: str) -> Message:
        return messages((samples / name).read_bytes(), operation)[0]

    synced = message("web_service_reference_syncfolderitems_operation_1_SyncFolderItemsResponse.xml", "SyncFolderItems")
    found = message("exchange_web_services_recurrence_patterns_and_ews_2_FindItemResponse.xml", "FindItem")
    folder = message("web_service_reference_getfolder_operation_1_GetFolderResponse.xml", "GetFolder")
    name = message("web_service_reference_resolvenames_operation_2_ResolveNamesResponse.xml", "ResolveNames")
    settings_ = message(
        "web_service_reference_getuserconfiguration_operation_1_GetUserConfigurationResponse.xml",
        "GetUserConfiguration",
    )

    assert wire_answers.change_page(synced).rows == ()
    assert wire_answers.found_page(found).refs == ("AAMkADA5...",)
    assert wire_answers.folder(folder).calendar is False
    assert name.code == "ErrorNameResolutionNoResults"
    assert wire_answers.category_list(settings_) == ()


def test_the_category_list_is_xml_within_base64() -> None:
    """Names and guids are read from the inner document, with or without its namespace; broken ones are refused."""

    def listed(inner: str) -> tuple[wire_answers.CategoryRow, ...]:
        data = b64encode(inner.encode()).decode()
        return wire_answers.category_list(configuration(f"<t:XmlData>{data}</t:XmlData>"))

    entry = '<category name="Tracked &amp; kept" color="1" guid="{11111111-2222-3333-4444-555555555555}"/><category/>'
    expected = (wire_answers.CategoryRow("{11111111-2222-3333-4444-555555555555}", "Tracked & kept"),)

    assert listed(f'<categories xmlns="CategoryList.xsd">{entry}</categories>') == expected
    assert listed(f"<categories>{entry}</categories>") == expected
    assert wire_answers.category_list(configuration("")) == ()
    for broken in ("<categories", '<!DOCTYPE c [<!ENTITY a "b">]><c/>'):
        with pytest.raises(InvalidAnswer):
            listed(broken)
    with pytest.raises(InvalidAnswer):
        wire_answers.category_list(configuration("<t:XmlData>a</t:XmlData>"))


def configuration(content: str) -> Message:
    """Give a message of GetUserConfiguration."""
    body = answers.answer(
        "GetUserConfiguration",
        answers.success("GetUserConfiguration", f"<m:UserConfiguration>{content}</m:UserConfiguration>"),
    )
    return messages(body, "GetUserConfiguration")[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01T11:00:00Z", "2026-12-01T11:00:00+00:00"),
        ("2026-12-01T12:00:00.999+01:00", "2026-12-01T11:00:00+00:00"),
        (" 2026-12-01T11:00:00 ", "2026-12-01T11:00:00+00:00"),
    ],
)
def test_times_are_utc_instants_to_the_second(text: str, expected: str) -> None:
    """An offset is applied, a missing one means UTC, fractions of seconds are dropped."""
    assert instant(text).isoformat() == expected


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_times_outside_the_calendar_are_refused(text: str) -> None:
    """A time that is none is InvalidAnswer."""
    with pytest.raises(InvalidAnswer):
        instant(text)


def test_an_answer_of_enormous_size_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of size holds for everything that is parsed."""
    monkeypatch.setattr("syncline.connectors.exchange_web_services.wire.ANSWER_MAX_BYTES", 10)

    with pytest.raises(InvalidAnswer):
        parse(b"<a></a><!-- -->")
