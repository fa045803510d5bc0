"""Files over EWS: how contents are read in pieces, what is no file, what a server refuses."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest

from syncline.conformance import samples
from syncline.conformance.attaching import kept_in_calendar
from syncline.connectors.exchange_web_services.attaching import Files
from syncline.connectors.exchange_web_services.failures import About, of_invalid
from syncline.connectors.exchange_web_services.transport import Transport
from syncline.connectors.exchange_web_services.wire import FaultAnswer, InvalidAnswer, Message, Request, messages
from syncline.connectors.exchange_web_services.wire_attachments import TooMuch, attachments_of, content_of
from syncline.connectors.exchange_web_services.wire_items import item_of
from syncline.connectors.exchange_web_services.wire_requests import calendar_id, get_calendar
from syncline.emulators.exchange.disturbances import Armed
from syncline.errors import SyncError
from syncline.ports import NewAttachment, Result
from tests.exchange_web_services.world import ExchangeWorld

HEAD = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" '
    'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Body>'
)
TAIL = "</s:Body></s:Envelope>"


def got(inner: str, code: str = "NoError") -> bytes:
    """Return an answer to GetAttachment."""
    kind = "Success" if code == "NoError" else "Error"
    return (
        f'{HEAD}<m:GetAttachmentResponse><m:ResponseMessages><m:GetAttachmentResponseMessage ResponseClass="{kind}">'
        f"<m:ResponseCode>{code}</m:ResponseCode><m:Attachments>{inner}</m:Attachments>"
        f"</m:GetAttachmentResponseMessage></m:ResponseMessages></m:GetAttachmentResponse>{TAIL}"
    ).encode()


def file(content: str) -> str:
    """Return a FileAttachment element with this text as its content."""
    return f"<t:FileAttachment><t:Name>a</t:Name><t:Content>{content}</t:Content></t:FileAttachment>"


def test_a_content_with_line_breaks_is_read() -> None:
    """Base64 may come in lines, and in pieces that end anywhere."""
    content = bytes(range(256)) * 300
    text = b64encode(content).decode()
    lines = "\r\n".join(text[at : at + 75] for at in range(0, len(text), 75))
    assert content_of(got(file(lines)), "GetAttachment", len(content)) == content


def test_a_content_stops_at_its_limit() -> None:
    """One byte more than allowed is too much."""
    answer = got(file(b64encode(b"0123456789").decode()))
    assert content_of(answer, "GetAttachment", 10) == b"0123456789"
    with pytest.raises(TooMuch):
        content_of(answer, "GetAttachment", 9)


@pytest.mark.parametrize(
    "answer",
    [
        b"<!DOCTYPE a [<!ENTITY x 'y'>]>" + got(file("YQ==")),
        got(file("YQ==")).replace(b"</s:Envelope>", b""),
        got(file("YQ=")),
        got(""),
        b"",
    ],
)
def test_what_is_no_content_is_an_invalid_answer(answer: bytes) -> None:
    """A document type, broken XML, broken base64 and an answer without a file say so."""
    with pytest.raises(InvalidAnswer):
        content_of(answer, "GetAttachment", 100)


def test_a_refusal_comes_back_as_its_message() -> None:
    """A response code is returned, a fault is raised, and an empty file has no content element."""
    refused = content_of(got("", "ErrorInvalidAttachmentId"), "GetAttachment", 100)
    assert isinstance(refused, Message)
    assert refused.code == "ErrorInvalidAttachmentId"
    assert content_of(got("<t:FileAttachment><t:Name>a</t:Name></t:FileAttachment>"), "GetAttachment", 9) == b""
    fault = f"{HEAD}<s:Fault><faultcode>ErrorServerBusy</faultcode></s:Fault>{TAIL}".encode()
    with pytest.raises(FaultAnswer):
        content_of(fault, "GetAttachment", 100)


def test_pictures_of_the_text_are_no_files_and_items_are_told_apart() -> None:
    """An inline picture is left out; an attached item is listed as what is no file."""
    inner = "".join(
        f'<t:{kind}><t:AttachmentId Id="{name}"/><t:Name>{name}</t:Name><t:Size>5</t:Size>'
        f"<t:IsInline>{inline}</t:IsInline></t:{kind}>"
        for kind, name, inline in (
            ("FileAttachment", "a", "false"),
            ("FileAttachment", "picture", "true"),
            ("ItemAttachment", "mail", "false"),
            ("ReferenceAttachment", "link", "false"),
        )
    )
    answer = (
        f'{HEAD}<m:GetItemResponse><m:ResponseMessages><m:GetItemResponseMessage ResponseClass="Success">'
        '<m:ResponseCode>NoError</m:ResponseCode><m:Items><t:CalendarItem><t:ItemId Id="i" ChangeKey="c"/>'
        f"<t:Attachments>{inner}</t:Attachments></t:CalendarItem></m:Items></m:GetItemResponseMessage>"
        f"</m:ResponseMessages></m:GetItemResponse>{TAIL}"
    ).encode()
    item = item_of(messages(answer, "GetItem")[0])
    assert item is not None
    assert [(each.name, each.file) for each in attachments_of(item).files] == [
        ("a", True), ("mail", False), ("link", False)
    ]  # fmt: skip


@pytest.mark.emulator
def test_what_the_server_refuses_concerns_that_file_or_the_mailbox() -> None:
    """Denied: the item's failure. Busy: the mailbox's. A lost answer leaves the file where it is, to be found."""
    world = ExchangeWorld()
    try:
        kept = kept_in_calendar(world)
        new = NewAttachment(id="x", name="a.txt", content=b"a")
        server = world.emulator
        server.site.disturbances.arm(Armed("CreateAttachment", "denied"))
        denied = kept.side.attach(kept.ref, kept.now.revision, new)
        assert (denied.result, denied.error and denied.error.code) == (Result.FAILED, "ItemNotWritable")
        server.site.disturbances.arm(Armed("CreateAttachment", "busy"))
        with pytest.raises(SyncError) as busy:
            kept.side.attach(kept.ref, kept.now.revision, new)
        assert busy.value.code == "ThrottledByExchange"
        assert kept.names() == []
        server.site.disturbances.arm(Armed("CreateAttachment", "lost_answer"))
        with pytest.raises(SyncError):
            kept.side.attach(kept.ref, kept.now.revision, new)
        assert kept.names() == ["a.txt"]
    finally:
        world.close()


def test_a_success_without_content_is_no_empty_file() -> None:
    """What was listed with bytes is not replaced by nothing because the server left its content out."""
    bare = got("<t:FileAttachment><t:Name>a</t:Name></t:FileAttachment>")
    with pytest.raises(InvalidAnswer):
        content_of(bare, "GetAttachment", 100, listed=4)


@pytest.mark.emulator
def test_a_listed_size_is_remembered_for_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that lacks the content is that file's failure, and is tried again."""
    world = ExchangeWorld()
    try:
        kept = kept_in_calendar(world)
        written = kept.attach("a.txt")
        assert kept.names() == ["a.txt"]
        bare = got("<t:FileAttachment><t:Name>a</t:Name></t:FileAttachment>")

        def fetch(transport: Transport, request: Request, about: About, reader: Callable[..., object]) -> object:
            try:
                return reader(bare, "GetAttachment")
            except InvalidAnswer as error:
                raise of_invalid(error, "m", about) from error

        monkeypatch.setattr(Transport, "fetch", fetch)
        with pytest.raises(SyncError) as refused:
            kept.side.attachment_content(written.ref, 10_000)
    finally:
        world.close()
    assert refused.value.code == "ItemUnreadable"


class Failing:
    """A connection on which requests about single files fail as a whole; whether others do is said."""

    def __init__(self, code: str, *, everything: bool) -> None:
        self.error = SyncError(code, mailbox="m", detail="it broke")
        self.everything = everything

    def fetch(self, *_: object) -> bytes:
        """Fail."""
        raise self.error

    def one(self, *_: object) -> None:
        """Answer, unless everything fails."""
        if self.everything:
            raise self.error


@pytest.mark.parametrize(
    ("code", "everything", "seen"),
    [
        ("ServerAnswerInvalid", False, "ItemUnreadable"),
        ("ErrorInternalServerTransientError", False, "ItemUnreadable"),
        ("ServerAnswerInvalid", True, "ServerAnswerInvalid"),
        ("ServerUnreachable", False, "ServerUnreachable"),
    ],
)
def test_a_poisonous_file_is_not_the_mailboxs_failure(code: str, everything: bool, seen: str) -> None:
    """A request about one file that breaks is that file's failure while the server can do something else."""
    files = Files(Failing(code, everything=everything), "m", get_calendar(calendar_id(None)))  # type: ignore[arg-type]
    with pytest.raises(SyncError) as failed:
        files.content("ref", 100)
    assert failed.value.code == seen


@pytest.mark.emulator
def test_a_poisonous_item_is_found_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that one item breaks is halved until that item stands alone; all others are listed."""
    world = ExchangeWorld()
    try:
        refs = [kept_in_calendar(world).ref]
        for number in range(4):
            world.add(world.address, samples.single(f"other-{number}", samples.at(12 + number)))
        replica = world.replica(world.address)
        refs += [replica.find([f"other-{number}"])[f"other-{number}"][0].ref for number in range(4)]
        bad, asked = refs[3], Transport.call

        def call(transport: Transport, request: Request, about: About) -> list[Message]:
            if request.operation == "GetItem" and bad in request.body:
                raise SyncError("ServerAnswerInvalid", mailbox="m", detail="it broke")
            return asked(transport, request, about)

        monkeypatch.setattr(Transport, "call", call)
        found = replica.attachments(refs)
    finally:
        world.close()
    assert set(found) == set(refs)
    broken = [ref for ref, each in found.items() if isinstance(each, SyncError)]
    assert broken == [bad]
