"""The table of failures: every row is a real code of Exchange and leads to a real row of the catalogue."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx2
import pytest
from lxml import etree

from syncline.connectors.exchange_web_services.failures import (
    BY_RESPONSE_CODE,
    BY_STATUS,
    PERHAPS_ONE_ITEM,
    About,
    of_exception,
    of_fault,
    of_message,
)
from syncline.connectors.exchange_web_services.wire import FaultAnswer, messages
from syncline.errors import CATALOGUE, Scope, SyncError
from tests.exchange_web_services import answers
from tests.exchange_web_services.conftest import ADA


def told(code: str, about: About) -> SyncError:
    """Give the error of a response message."""
    (message,) = messages(answers.answer("GetItem", answers.failure("GetItem", code, "why")), "GetItem")
    return of_message(message, about, ADA, subject="x")


def test_every_code_in_the_table_is_one_of_the_schemas(data_dir: Path) -> None:
    """A misspelt response code would never match; the schema knows them all."""
    schema = etree.parse(data_dir / "ews" / "schema" / "messages.xsd")
    known = {entry.get("value") for entry in schema.iter("{*}enumeration")}

    assert set(BY_RESPONSE_CODE) - known == set()


@pytest.mark.parametrize("code", sorted(BY_RESPONSE_CODE))
def test_every_row_means_something_about_everything(code: str) -> None:
    """Each code has a catalogue row for mailbox, calendar and item; about an item it may be the mailbox's."""
    for about in About:
        error = told(code, about)
        assert error.params["mailbox"] == ADA
        assert error.row.scope in ((Scope.MAILBOX,) if about is not About.ITEM else (Scope.ITEM, Scope.MAILBOX))


@pytest.mark.parametrize(
    ("code", "about", "expected"),
    [
        ("ErrorAccessDenied", About.MAILBOX, "Forbidden"),
        ("ErrorAccessDenied", About.CALENDAR, "CalendarUnreadable"),
        ("ErrorAccessDenied", About.ITEM, "ItemUnreadable"),
        ("ErrorMessageSizeExceeded", About.ITEM, "ItemTooLarge"),
        ("ErrorServerBusy", About.ITEM, "ThrottledByExchange"),
        ("ErrorPasswordExpired", About.MAILBOX, "Unauthorized"),
        ("ErrorNobodyKnows", About.MAILBOX, "ErrorInternalServerTransientError"),
        ("ErrorNobodyKnows", About.ITEM, "ItemUnreadable"),
    ],
)
def test_a_code_means_what_it_was_said_about(code: str, about: About, expected: str) -> None:
    """The same code concerns the mailbox, its calendar or one item, and Exchange's own words are kept."""
    error = told(code, about)

    assert error.code == expected
    assert expected == "ThrottledByExchange" or error.params["detail"] == f"{code}: why"


def test_a_fault_never_blames_an_item() -> None:
    """A refused request is not the failure of one of the items in it."""
    error = of_fault(FaultAnswer("ErrorAccessDenied", "", None), About.ITEM, ADA)

    assert (error.code, error.params["detail"]) == ("Forbidden", "ErrorAccessDenied")


def test_all_codes_of_the_tables_are_rows_of_the_catalogue() -> None:
    """What HTTP statuses become, and what may be one item's fault, are catalogue codes."""
    assert set(BY_STATUS.values()) | PERHAPS_ONE_ITEM <= set(CATALOGUE)


def caused(error: httpx2.RequestError, cause: BaseException) -> httpx2.RequestError:
    """Chain a cause."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx2.ConnectTimeout("slow"), "ServerTimeout"),
        (httpx2.ReadTimeout("slow"), "ServerTimeout"),
        (httpx2.ConnectError("[Errno -2] Name or service not known"), "ServerUnreachable"),
        (caused(httpx2.ConnectError("tls"), ssl.SSLError("handshake")), "ServerUnreachable"),
        (caused(httpx2.ConnectError("tls"), ssl.SSLCertVerificationError("expired")), "CertificateUntrusted"),
        (httpx2.ReadError(""), "ServerUnreachable"),
        (httpx2.RemoteProtocolError("illegal status line"), "ServerAnswerInvalid"),
        (httpx2.RemoteProtocolError("Server disconnected without sending a response."), "ServerUnreachable"),
        (httpx2.DecodingError("gzip"), "ServerAnswerInvalid"),
    ],
)
def test_every_way_to_get_no_answer_has_its_name(error: httpx2.RequestError, code: str) -> None:
    """Timeouts, names, sockets, certificates and protocol are told apart."""
    found = of_exception(error, "mail.example.com", ADA, 30.0)

    assert (found.code, found.params["mailbox"]) == (code, ADA)
