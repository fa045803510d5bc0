"""Setting categories on many items at once: one UpdateItem for a batch, one result for each item.

The server answers for each item by itself. What it left out after a bad item is sent again as long as it gets on; the
ChangeKey makes that harmless. This module must not know why a category is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from syncline.connectors.exchange_web_services.failures import About, of_invalid, of_message
from syncline.connectors.exchange_web_services.transport import Transport
from syncline.connectors.exchange_web_services.wire import InvalidAnswer, Message
from syncline.connectors.exchange_web_services.wire_items import item_of
from syncline.connectors.exchange_web_services.wire_writes import update_categories
from syncline.core.answering_by_category import Categorizing
from syncline.errors import SyncError
from syncline.ports import Categorized, Result

_STOPPED: Final = "ErrorBatchProcessingStopped"
_MOVED_ON: Final = frozenset(
    {"ErrorIrresolvableConflict", "ErrorStaleObject", "ErrorItemNotFound", "ErrorInvalidChangeKey"}
)
_MAY_NOT: Final = "ErrorAccessDenied"


def categorize(transport: Transport, changes: Sequence[Categorizing], mailbox: str) -> list[Categorized]:
    """Return what became of each change, in order; raises SyncError if the request as a whole failed."""
    guarded = [change for change in changes if change.revision]
    results = iter(_sent(transport, guarded, mailbox))
    return [next(results) if change.revision else _unguarded(mailbox) for change in changes]


def _sent(transport: Transport, changes: Sequence[Categorizing], mailbox: str) -> list[Categorized]:
    if not changes:
        return []
    answers = transport.call(update_categories(changes), About.ITEM)
    if len(answers) != len(changes):
        raise of_invalid(InvalidAnswer(f"{len(answers)} answers to {len(changes)} changes"), mailbox)
    left = [change for change, answer in zip(changes, answers, strict=True) if answer.code == _STOPPED]
    if left and len(left) == len(changes):
        raise of_invalid(InvalidAnswer("it stopped before the first item"), mailbox)
    again = iter(_sent(transport, left, mailbox))
    return [next(again) if answer.code == _STOPPED else _result(answer, mailbox) for answer in answers]


def _result(answer: Message, mailbox: str) -> Categorized:
    if answer.code in _MOVED_ON:
        return Categorized(result=Result.STALE)
    if answer.code == _MAY_NOT:
        error = SyncError("CategoriesNotWritable", mailbox=mailbox, detail=answer.text or answer.code)
        return Categorized(result=Result.FAILED, error=error)
    if not answer.ok:
        return Categorized(result=Result.FAILED, error=of_message(answer, About.ITEM, mailbox, subject=""))
    try:
        saved = item_of(answer)
    except InvalidAnswer:
        saved = None
    # An answer without the new ChangeKey: the item is read again and found to carry what was asked for.
    return Categorized(result=Result.SAVED, revision=saved.revision if saved else "")


def _unguarded(mailbox: str) -> Categorized:
    """An item whose ChangeKey is not known is never written: somebody's change could be lost."""
    error = SyncError("CategoriesNotWritable", mailbox=mailbox, detail="the server gives items no ChangeKey")
    return Categorized(result=Result.FAILED, error=error)
