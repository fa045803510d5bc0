"""What a failure of Exchange means in the words of the catalogue: one table for HTTP, one for EWS response codes.

The same response code says different things about different things: access denied to the calendar concerns the
mailbox, access denied to one item that item alone. Rows therefore name a code per scope. This module must not know
requests or contents. Sources: the ResponseCode page of the public EWS reference, and its pages on throttling and
impersonation.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import httpx2

from syncline.connectors.exchange_web_services.wire import (
    ANSWER_MAX_BYTES,
    FaultAnswer,
    InvalidAnswer,
    Message,
    TooLarge,
)
from syncline.errors import SyncError


class About(StrEnum):
    """What a request asked for, and so what its failure concerns."""

    MAILBOX = "mailbox"
    CALENDAR = "calendar"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Meaning:
    """Catalogue codes of one failure: for the mailbox as a whole, for its calendar, for one item.

    An empty `calendar` means the same as `mailbox`; an empty `item` that one item cannot be at fault.
    """

    mailbox: str
    calendar: str = ""
    item: str = ""


_THROTTLED: Final = Meaning("ThrottledByExchange")
_TRANSIENT: Final = Meaning("ErrorInternalServerTransientError", item="ItemUnreadable")
_UNAVAILABLE: Final = Meaning("ServiceUnavailable")
_NO_MAILBOX: Final = Meaning("ErrorNonExistentMailbox")
_MAY_NOT_ACT: Final = Meaning("ErrorImpersonateUserDenied")
_FORBIDDEN: Final = Meaning("Forbidden", calendar="CalendarUnreadable", item="ItemUnreadable")
_NO_FOLDER: Final = Meaning("CalendarUnreadable", item="ItemUnreadable")
_CURSOR: Final = Meaning("CursorExpired")
_SIGN_IN: Final = Meaning("Unauthorized")
_UNKNOWN: Final = _TRANSIENT

BY_RESPONSE_CODE: Final[Mapping[str, Meaning]] = {
    "ErrorServerBusy": _THROTTLED,
    "ErrorExceededConnectionCount": _THROTTLED,
    "ErrorTooManyObjectsOpened": _THROTTLED,
    "ErrorExceededFindCountLimit": _THROTTLED,
    "ErrorInternalServerError": _TRANSIENT,
    "ErrorInternalServerTransientError": _TRANSIENT,
    "ErrorTimeoutExpired": _TRANSIENT,
    "ErrorADOperation": _TRANSIENT,
    "ErrorADUnavailable": _TRANSIENT,
    "ErrorMailboxStoreUnavailable": _UNAVAILABLE,
    "ErrorMailboxMoveInProgress": _UNAVAILABLE,
    "ErrorMailboxFailover": _UNAVAILABLE,
    "ErrorConnectionFailed": _UNAVAILABLE,
    "ErrorNoRespondingCASInDestinationSite": _UNAVAILABLE,
    "ErrorImpersonateUserDenied": _MAY_NOT_ACT,
    "ErrorImpersonationDenied": _MAY_NOT_ACT,
    "ErrorImpersonationFailed": _MAY_NOT_ACT,
    "ErrorNonExistentMailbox": _NO_MAILBOX,
    "ErrorMissingEmailAddress": _NO_MAILBOX,
    "ErrorInvalidSmtpAddress": _NO_MAILBOX,
    "ErrorNoPublicFolderReplicaAvailable": _NO_FOLDER,
    "ErrorNameResolutionNoResults": _NO_MAILBOX,
    "ErrorNameResolutionNoMailbox": _NO_MAILBOX,
    "ErrorAccessDenied": _FORBIDDEN,
    "ErrorMessageSizeExceeded": Meaning("ServerAnswerInvalid", item="ItemTooLarge"),
    "ErrorAccountDisabled": _FORBIDDEN,
    "ErrorUserNotAllowedByPolicy": _FORBIDDEN,
    "ErrorFolderNotFound": _NO_FOLDER,
    "ErrorSyncFolderNotFound": _NO_FOLDER,
    "ErrorCannotUseFolderIdForItemId": _NO_FOLDER,
    "ErrorInvalidSyncStateData": _CURSOR,
    "ErrorPasswordExpired": _SIGN_IN,
    "ErrorPasswordChangeRequired": _SIGN_IN,
    "ErrorProxyRequestNotAllowed": _UNAVAILABLE,
}

BY_STATUS: Final[Mapping[int, str]] = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "NotFound",
    408: "ServerTimeout",
    410: "NotFound",
    429: "ThrottledByExchange",
    456: "Forbidden",
    457: "Forbidden",
    500: "ErrorInternalServerTransientError",
    502: "ServiceUnavailable",
    503: "ServiceUnavailable",
    504: "ServiceUnavailable",
}
# Failures of a whole request that one poisonous item among many may have caused.
PERHAPS_ONE_ITEM: Final = frozenset({"ServerAnswerInvalid", "ErrorInternalServerTransientError", "ItemTooLarge"})
_ERROR_PAGE: Final = "genericerrorpage"
_BACK_OFF_DEFAULT_S: Final = 30.0
_BACK_OFF_MAX_S: Final = 3600.0


def of_message(message: Message, about: About, mailbox: str, **params: str) -> SyncError:
    """Return the error of a response message that is not NoError."""
    return _error(_code(message.code, about), mailbox, _told(message.code, message.text), message.wait_s, **params)


def of_fault(fault: FaultAnswer, about: About, mailbox: str) -> SyncError:
    """Return the error of a SOAP fault: it refused the whole request, so no single item is at fault."""
    scope = About.MAILBOX if about is About.ITEM else about
    return _error(_code(fault.code, scope), mailbox, _told(fault.code, fault.text), fault.wait_s)


def of_invalid(error: InvalidAnswer, mailbox: str, about: About = About.MAILBOX) -> SyncError:
    """Return the error of an answer that is not EWS."""
    if isinstance(error, TooLarge) and about is About.ITEM:
        return SyncError("ItemTooLarge", mailbox=mailbox, subject="", detail=f"{ANSWER_MAX_BYTES // 1_048_576} MB")
    return SyncError("ServerAnswerInvalid", mailbox=mailbox, detail=str(error))


def of_status(
    status: int, url: str, mailbox: str, *, location: str = "", retry_after_s: float | None = None
) -> SyncError:
    """Return the error of an HTTP status without a SOAP message; with Retry-After a 503 is a wish to wait."""
    if 300 <= status < 400:
        if _ERROR_PAGE in location.lower():
            return _error("ErrorInternalServerTransientError", mailbox, "the server sent its error page", None)
        return _error("NotFound", mailbox, f"{url} (it redirects)", None)
    code = BY_STATUS.get(status, "ServiceUnavailable" if status >= 500 else "ServerAnswerInvalid")
    if status == 503 and retry_after_s is not None:
        code = "ThrottledByExchange"
    return _error(code, mailbox, url if code == "NotFound" else f"HTTP status {status}", retry_after_s)


def of_exception(error: httpx2.RequestError, host: str, mailbox: str, timeout_s: float) -> SyncError:
    """Return the error of a request that got no answer."""
    refused = _certificate(error)
    if refused is not None:
        return SyncError(
            "CertificateUntrusted", mailbox=mailbox, detail=getattr(refused, "verify_message", "") or "it is not valid"
        )
    if isinstance(error, httpx2.TimeoutException):
        return SyncError("ServerTimeout", mailbox=mailbox, detail=f"{timeout_s:g} s")
    broken = isinstance(error, httpx2.RemoteProtocolError) and "disconnected" not in str(error)
    if broken or isinstance(error, httpx2.DecodingError):
        return SyncError("ServerAnswerInvalid", mailbox=mailbox, detail="it is not proper HTTP")
    return SyncError("ServerUnreachable", mailbox=mailbox, detail=f"{host}: {_reason(error)}")


def _code(response_code: str, about: About) -> str:
    meaning = BY_RESPONSE_CODE.get(response_code)
    if about is About.ITEM:
        # A code that the table does not know was said of one item, so it is that item's failure.
        return "ItemUnreadable" if meaning is None else meaning.item or meaning.mailbox
    meaning = meaning or _UNKNOWN
    return (meaning.calendar if about is About.CALENDAR else "") or meaning.mailbox


def _error(code: str, mailbox: str, detail: str, wait_s: float | None, **params: str) -> SyncError:
    if code != "ThrottledByExchange":
        return SyncError(code, retry_after_s=wait_s, mailbox=mailbox, detail=detail, **params)
    wanted_s = min(_BACK_OFF_DEFAULT_S if wait_s is None else wait_s, _BACK_OFF_MAX_S)
    return SyncError(code, retry_after_s=wanted_s, mailbox=mailbox, detail=f"{wanted_s:g} s", **params)


def _told(code: str, text: str) -> str:
    return f"{code}: {text}" if text else code


def _certificate(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return the refusal of a certificate among the causes of an error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _reason(error: httpx2.RequestError) -> str:
    return (str(error) or type(error).__name__)[:200]
