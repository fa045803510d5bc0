"""The organization mark over EWS: requests by the public schema, answers that are strange, and refusals."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from lxml import etree

from syncline.connectors.exchange_web_services import wire_mark, wire_requests
from syncline.connectors.exchange_web_services.wire import Request, envelope
from syncline.errors import SyncError
from syncline.ports import OrganizationMark
from tests.exchange_web_services import answers
from tests.exchange_web_services.conftest import Connect, Serve

MINE = OrganizationMark(installation="0a1b", crm_name="Contoso <CRM>", since=datetime(2026, 11, 23, 8, tzinfo=UTC))
THEIRS = OrganizationMark(installation="ff00", crm_name="Fabrikam", since=datetime(2025, 1, 2, tzinfo=UTC))
GET, CREATE, UPDATE = "GetUserConfiguration", "CreateUserConfiguration", "UpdateUserConfiguration"


def document(mark: OrganizationMark) -> str:
    """Return the document of a mark, written by hand."""
    assert mark.since is not None
    crm = mark.crm_name.replace("<", "&lt;").replace(">", "&gt;")
    return (
        f'<OrganizationMark xmlns="urn:syncline:organization-mark"><Installation>{mark.installation}</Installation>'
        f"<Crm>{crm}</Crm><Since>{mark.since.isoformat()}</Since></OrganizationMark>"
    )


def held(content: str) -> bytes:
    """Give an answer of GetUserConfiguration whose object holds this document."""
    data = b64encode(content.encode()).decode()
    name = '<t:UserConfigurationName Name="Syncline"><t:DistinguishedFolderId Id="calendar"/></t:UserConfigurationName>'
    inner = f"<m:UserConfiguration>{name}<t:XmlData>{data}</t:XmlData></m:UserConfiguration>"
    return answers.answer(GET, answers.success(GET, inner))


def done(operation: str) -> bytes:
    """Give an answer of a write that went well."""
    return answers.answer(operation, answers.success(operation))


def refused(operation: str, code: str) -> bytes:
    """Give an answer of an operation that was refused."""
    return answers.answer(operation, answers.failure(operation, code))


ABSENT = refused(GET, "ErrorItemNotFound")


@pytest.mark.parametrize(
    "request_",
    [
        wire_mark.get_mark(wire_requests.calendar_id(None)),
        wire_mark.get_mark(wire_requests.calendar_id("o'neil&co@example.com")),
        wire_mark.create_mark(wire_requests.calendar_id(None), MINE),
        wire_mark.update_mark(wire_requests.calendar_id("maya@example.com"), MINE),
    ],
    ids=lambda request: request.operation,
)
def test_every_request_is_valid_by_the_schema(xsd: etree.XMLSchema, request_: Request) -> None:
    """Exchange refuses what its schema does not allow."""
    body = etree.fromstring(envelope(request_, None)).find("{*}Body")
    assert body is not None
    assert xsd.validate(body[0]), xsd.error_log.last_error


def test_no_mark_and_a_mark(serve: Serve, connect: Connect) -> None:
    """An object that is not there is no mark; one that is there is read with what its names may hold."""
    assert connect(serve(ABSENT).url).mark() is None
    server = serve(held(document(MINE)))
    assert connect(server.url).mark() == MINE
    assert b'<m:UserConfigurationName Name="Syncline"><t:DistinguishedFolderId Id="calendar"' in server.seen[0].body
    with pytest.raises(SyncError, match="CalendarUnreadable"):
        connect(serve(refused(GET, "ErrorAccessDenied")).url).mark()


@pytest.mark.parametrize(
    "content",
    ["", "<broken", "<other/>", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', document(MINE).replace("2026-", "soon-")],
)
def test_a_mark_that_cannot_be_read_is_somebody_else_s(serve: Serve, connect: Connect, content: str) -> None:
    """It has no installation, so that it is never taken for ours and can be taken over."""
    unreadable = OrganizationMark(installation="", crm_name="", since=None)
    assert connect(serve(held(content)).url).mark() == unreadable


def test_a_mark_is_created_where_none_is(serve: Serve, connect: Connect) -> None:
    """One creation, then a look at what the server keeps."""
    server = serve(done(CREATE), held(document(MINE)))
    assert connect(server.url).set_mark(MINE, None) == MINE
    assert [CREATE.encode() in seen.body for seen in server.seen] == [True, False]


@pytest.mark.parametrize("code", ["ErrorFolderExists", "ErrorItemSave", "ErrorAccessDenied"])
def test_a_creation_that_came_too_late_finds_the_other_s(serve: Serve, connect: Connect, code: str) -> None:
    """Whatever the server answers to a second creation: the mark that stands is the answer."""
    assert connect(serve(refused(CREATE, code), held(document(THEIRS))).url).set_mark(MINE, None) == THEIRS


def test_a_mark_is_updated_only_over_the_one_that_was_seen(serve: Serve, connect: Connect) -> None:
    """A third one that came meanwhile stands; nothing is written over it."""
    server = serve(held(document(THEIRS)), done(UPDATE), held(document(MINE)))
    assert connect(server.url).set_mark(MINE, THEIRS) == MINE
    assert UPDATE.encode() in server.seen[1].body
    third = serve(held(document(MINE)))
    assert connect(third.url).set_mark(THEIRS, OrganizationMark(installation="x", crm_name="", since=None)) == MINE
    assert len(third.seen) == 1


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ((refused(CREATE, "ErrorAccessDenied"), ABSENT), "OrganizationMarkNotWritable"),
        ((refused(CREATE, "ErrorCreateItemAccessDenied"), ABSENT), "OrganizationMarkNotWritable"),
        ((refused(CREATE, "ErrorInvalidOperation"), ABSENT), "OrganizationMarkNotWritable"),
        ((answers.fault("ErrorAccessDenied"),), "OrganizationMarkNotWritable"),
        ((done(CREATE), ABSENT), "OrganizationMarkNotWritable"),
        ((refused(CREATE, "ErrorInternalServerError"), ABSENT), "ErrorInternalServerTransientError"),
        ((refused(CREATE, "ErrorServerBusy"), ABSENT), "ThrottledByExchange"),
        ((answers.answer(CREATE),), "ServerAnswerInvalid"),
    ],
)
def test_a_mark_that_cannot_be_set_says_why(
    serve: Serve, connect: Connect, script: tuple[bytes, ...], code: str
) -> None:
    """No right, a server without such objects, one that does not keep it, and passing failures."""
    with pytest.raises(SyncError, match=code):
        connect(serve(*script).url).set_mark(MINE, None)


def test_a_read_only_profile_sends_no_mark(serve: Serve, connect: Connect) -> None:
    """The guard of the transport holds for the mark too."""
    server = serve(done(CREATE))
    with pytest.raises(SyncError, match="ReadOnlyRefused"):
        connect(server.url, read_only=True).set_mark(MINE, None)
    assert server.seen == []
