"""SyncError as a problem document (RFC 9457): status by table, the catalogue code as a member.

It must not know any route. `problem` is the one form in which the API says no.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from syncline.desk.objects import encode
from syncline.errors import ErrorClass, Scope, SyncError

MEDIA_TYPE = "application/problem+json"
STATUS_OF_CODE: Mapping[str, int] = {
    "SignInRequired": 401,
    "SignInRefused": 401,
    "SignInSlowed": 429,
    "SignInUnsafe": 403,
    "NotAllowed": 403,
    "RequestForged": 403,
    "NotFoundHere": 404,
    "AlreadyAnswered": 409,
    "AnswerOutdated": 409,
    "AlreadyBegun": 409,
    "AlreadyRestored": 409,
    "NotAnswered": 409,
    "NothingWouldRemain": 409,
    "AlreadyExists": 409,
    "RowChanged": 409,
    "ExchangeSyncSchedulingConflictsError": 409,
    "MailboxNotApproved": 409,
    "MailboxHeld": 409,
    "ClosedInCrm": 409,
    "CursorExpired": 410,
    "AnswerLinkUnknown": 404,
    "AnswerLinkForeign": 403,
    "AnswerLinkUsed": 410,
    "AnswerLinkExpired": 410,
    "AnswerLinkSlowed": 429,
    "MailNotSet": 409,
    "ExchangeSyncIncorrectCrmOrgError": 409,
    "InvalidRequest": 422,
    "RecurrenceNotSupported": 422,
    "EndBeforeStart": 422,
    "UnknownTimeZone": 422,
    "HttpRefused": 422,
    "DiskFull": 507,
    "DataFolderBusy": 503,
    "CrmUnavailable": 503,
}
_STATUS_OF_CLASS = {ErrorClass.TRANSIENT: 503, ErrorClass.THROTTLED: 503}
_TITLES = {
    404: "Not found",
    405: "Method not allowed",
    413: "Too large",
    415: "Unsupported media type",
    421: "Foreign host",
}


def status_of(error: SyncError) -> int:
    """Return the HTTP status of an error; a mailbox's trouble with its server is 502 or 503, never our 500."""
    known = STATUS_OF_CODE.get(error.code) or _STATUS_OF_CLASS.get(error.row.error_class)
    if known is not None:
        return known
    return 502 if error.row.scope in (Scope.MAILBOX, Scope.PROFILE) else 500


def problem(error: SyncError, **members: object) -> Response:
    """Return the problem document of an error, with further members such as `alert` or `clashes`."""
    status = status_of(error)
    document = {
        "type": f"urn:syncline:problem:{error.code}",
        "title": error.row.title,
        "status": status,
        "detail": error.text,
        "code": error.code,
        "number": error.row.number,
        "what_to_do": error.row.what_to_do,
        "help": error.row.help_link,
        **members,
    }
    headers = {"WWW-Authenticate": 'Bearer realm="Syncline"'} if status == 401 else {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return Response(encode(document), status_code=status, headers=headers, media_type=MEDIA_TYPE)


def plain_problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the problem document of a plain HTTP status (no route, wrong method)."""
    title = _TITLES.get(status, "Request refused")
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(encode(document), status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)
