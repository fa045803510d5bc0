"""The organization mark of a mailbox: reading it, and putting ours in where nobody else's has come meanwhile.

It must not know what a mark is for, nor how requests look.
"""

from __future__ import annotations

from typing import Final

from syncline.connectors.exchange_web_services.failures import About, of_invalid, of_message
from syncline.connectors.exchange_web_services.transport import Transport
from syncline.connectors.exchange_web_services.wire import InvalidAnswer, Message, Request
from syncline.connectors.exchange_web_services.wire_mark import create_mark, get_mark, mark_of, update_mark
from syncline.errors import SyncError
from syncline.ports import OrganizationMark

_ABSENT: Final = frozenset({"ErrorItemNotFound", "ErrorInvalidOperation"})
_MAY_NOT: Final = frozenset({"ErrorAccessDenied", "ErrorCreateItemAccessDenied", "ErrorInvalidOperation"})
_NO_RIGHT: Final = frozenset({"Forbidden", "CalendarUnreadable"})


def read_mark(transport: Transport, calendar: str) -> OrganizationMark | None:
    """Return the mark in the calendar folder; None also from a server that keeps no such objects."""
    message = transport.maybe(get_mark(calendar), About.CALENDAR, _ABSENT)
    return None if message is None else mark_of(message)


def put_mark(
    transport: Transport, calendar: str, mailbox: str, mark: OrganizationMark, over: OrganizationMark | None
) -> OrganizationMark:
    """Put `mark` in if what stands is still `over`, and return what stands afterwards, as the server tells it.

    A new object is created, which the server does once only: of two installations at the same moment one is refused
    and finds the other's. What exactly it answers then is not documented, so after any refusal the mark is read.
    """
    if over is not None:
        standing = read_mark(transport, calendar)
        if standing is not None and standing != over:
            return standing
        over = standing
    answer = _sent(transport, create_mark(calendar, mark) if over is None else update_mark(calendar, mark), mailbox)
    standing = read_mark(transport, calendar)
    if not answer.ok and (standing is None or standing == over):
        raise _refusal(answer, mailbox)
    if standing is None:
        raise _not_writable(mailbox, "the server did not keep it")
    return standing


def _sent(transport: Transport, request: Request, mailbox: str) -> Message:
    try:
        answers = transport.call(request, About.CALENDAR)
    except SyncError as error:
        if error.code in _NO_RIGHT:
            raise _not_writable(mailbox, error.params.get("detail", "")) from error
        raise
    if not answers:
        raise of_invalid(InvalidAnswer(f"the answer to {request.operation} is empty"), mailbox)
    return answers[0]


def _refusal(answer: Message, mailbox: str) -> SyncError:
    if answer.code in _MAY_NOT:
        return _not_writable(mailbox, answer.text or answer.code)
    return of_message(answer, About.CALENDAR, mailbox)


def _not_writable(mailbox: str, detail: str) -> SyncError:
    return SyncError("OrganizationMarkNotWritable", mailbox=mailbox, detail=detail)
