"""Reading many items at once so that one bad item fails alone.

GetItem answers for each id, yet one poisonous item can break the whole answer, or stop the batch. Then the batch is
halved until the bad item stands alone. Before an item is blamed it is asked for once more, and the server is asked for
something else (`control`): a server that fails on everything is the mailbox's failure. The halving gives up after a
number of failures, so that such a server does not cost a request per item. This module must not know contents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from syncline.connectors.exchange_web_services.failures import PERHAPS_ONE_ITEM, About, of_invalid, of_message
from syncline.connectors.exchange_web_services.transport import Transport
from syncline.connectors.exchange_web_services.wire import InvalidAnswer, Message, Request
from syncline.connectors.exchange_web_services.wire_items import Item, item_of
from syncline.connectors.exchange_web_services.wire_requests import get_items
from syncline.errors import Scope, SyncError

FAILURES_MAX: Final = 24
_STOPPED: Final = "ErrorBatchProcessingStopped"
_GONE: Final = frozenset({"ErrorItemNotFound", "ErrorCalendarOccurrenceIsDeletedFromRecurrence"})

Answer = Item | SyncError | None


@dataclass(slots=True)
class _Budget:
    """How many whole-request failures one batch may still cost."""

    failures: int = FAILURES_MAX
    controlled: bool = False


def items_of(transport: Transport, refs: Sequence[str], mailbox: str, *, control: Request) -> list[Answer]:
    """Return for each ref its item, None if it is gone or no calendar item, or the SyncError of this item alone.

    Raises SyncError when the failure is the mailbox's: sign-in, throttling, network, a server that fails on everything.
    """
    if not refs:
        return []
    return _Reader(transport, mailbox, control, _Budget()).read(list(refs))


@dataclass(frozen=True, slots=True)
class _Reader:
    transport: Transport
    mailbox: str
    control: Request
    budget: _Budget

    def read(self, refs: list[str]) -> list[Answer]:
        """Read refs in one request, or in halves if that fails as a whole."""
        try:
            answers = self._asked(refs)
        except SyncError as error:
            if error.code not in PERHAPS_ONE_ITEM:
                raise
            return self._halved(refs, error)
        return self._unstopped(refs, answers)

    def _asked(self, refs: list[str]) -> list[Message]:
        answers = self.transport.call(get_items(refs), About.ITEM)
        if len(answers) != len(refs):
            raise of_invalid(InvalidAnswer(f"{len(answers)} answers to {len(refs)} questions"), self.mailbox)
        return answers

    def _halved(self, refs: list[str], error: SyncError) -> list[Answer]:
        self.budget.failures -= 1
        if self.budget.failures < 0:
            raise error
        if len(refs) == 1:
            return [self._blamed(refs[0])]
        middle = len(refs) // 2
        return self.read(refs[:middle]) + self.read(refs[middle:])

    def _blamed(self, ref: str) -> Answer:
        """Ask for one item a last time; blame it only if the server can still do something else."""
        try:
            return self._answer(ref, self._asked([ref])[0])
        except SyncError as error:
            if error.code not in PERHAPS_ONE_ITEM:
                raise
            if not self.budget.controlled:
                self.transport.one(self.control, About.CALENDAR)
                self.budget.controlled = True
            return _alone(ref, error, self.mailbox)

    def _answer(self, ref: str, message: Message) -> Answer:
        """Return one answer; raises what concerns more than this item."""
        if message.ok:
            try:
                return item_of(message)
            except InvalidAnswer as invalid:
                return _alone(ref, of_invalid(invalid, self.mailbox), self.mailbox)
        if message.code in _GONE:
            return None
        error = of_message(message, About.ITEM, self.mailbox, subject="")
        if error.row.scope is not Scope.ITEM:
            raise error
        error.ref = ref
        return error

    def _unstopped(self, refs: list[str], messages: list[Message]) -> list[Answer]:
        """Return the answers, and ask again for what the server left out after a bad item."""
        waiting = [ref for ref, message in zip(refs, messages, strict=True) if message.code == _STOPPED]
        if waiting and len(waiting) == len(refs):
            raise of_invalid(InvalidAnswer("it stopped before the first item"), self.mailbox)
        again = iter(self.read(waiting) if waiting else ())
        return [
            next(again) if message.code == _STOPPED else self._answer(ref, message)
            for ref, message in zip(refs, messages, strict=True)
        ]


def _alone(ref: str, error: SyncError, mailbox: str) -> SyncError:
    """Return the failure of a whole request as the failure of the only item in it."""
    code = error.code if error.row.scope is Scope.ITEM else "ItemUnreadable"
    return SyncError(code, ref=ref, mailbox=mailbox, subject="", detail=error.params.get("detail", ""))
