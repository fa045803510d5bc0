"""Writing items: what one write of the port takes in requests, and what became of it.

Writes of one kind, folder and mode go in one request, in their order; what the server left out after a bad item is
sent again. The dates of a series follow one by one, each read just before (ews-facts.md), and everything is read again
at the end, because servers normalise. A series that changed meanwhile is left alone as far as it was not begun.
This module must not know why something is written, nor how requests look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from syncline.connectors.exchange_web_services import wire_fields, wire_requests, wire_writes
from syncline.connectors.exchange_web_services.failures import About, of_invalid, of_message
from syncline.connectors.exchange_web_services.transport import Transport
from syncline.connectors.exchange_web_services.wire import InvalidAnswer, Message, Request
from syncline.connectors.exchange_web_services.wire_items import Item, item_of
from syncline.core.appointment import Appointment
from syncline.core.outgoing import ItemCreation, ItemDeletion, ItemUpdate, ItemWrite, Mailing, Step, StepKind, steps
from syncline.core.recurrence import occurrence_day, occurrence_index
from syncline.core.times import UnknownZone
from syncline.errors import Scope, SyncError
from syncline.ports import Observed, Result, Written

WRITES_PER_REQUEST: Final = 50
_STOPPED: Final = "ErrorBatchProcessingStopped"
_GONE: Final = "ErrorItemNotFound"
_DELETED_DATE: Final = "ErrorCalendarOccurrenceIsDeletedFromRecurrence"
_MOVED_ON: Final = frozenset({"ErrorIrresolvableConflict", "ErrorStaleObject", _GONE, "ErrorInvalidChangeKey"})
_CODES: Final[Mapping[str, str]] = {
    "ErrorAccessDenied": "ItemNotWritable",
    "ErrorCreateItemAccessDenied": "ItemNotWritable",
    "ErrorCannotDeleteObject": "ItemNotWritable",
    "ErrorCalendarEndDateIsEarlierThanStartDate": "EndBeforeStart",
    "ErrorCalendarInvalidRecurrence": "RecurrenceNotSupported",
    "ErrorOccurrenceCrossingBoundary": "ErrorOccurrenceCrossingBoundary",
    "ErrorOccurrenceTimeSpanTooBig": "ErrorOccurrenceCrossingBoundary",
}

Read = Callable[[Sequence[tuple[str, str]]], Sequence[Observed | SyncError | None]]


@dataclass(slots=True)
class _State:
    """How far one write has come: where the item is, the revision that it should have, and what stopped it."""

    write: ItemWrite
    ref: str = ""
    revision: str = ""
    first: tuple[wire_fields.Part, ...] | str = ()
    mailing: Mailing = Mailing.NOBODY
    dates: tuple[Step, ...] = ()
    result: Result = Result.SAVED
    error: SyncError | None = None

    def stop(self, error: SyncError | None) -> None:
        """Stop with an error, or without one because the item changed since."""
        self.result, self.error = (Result.STALE, None) if error is None else (Result.FAILED, error)

    @property
    def running(self) -> bool:
        """Return whether nothing has stopped the write."""
        return self.result is Result.SAVED


def write_all(transport: Transport, writes: Sequence[ItemWrite], mailbox: str, read: Read) -> list[Written]:
    """Carry out writes in order and return what became of each; raises SyncError if a request as a whole failed."""
    if writes:
        transport.check("UpdateItem")
    return _Writer(transport, mailbox, read).write(writes)


@dataclass(frozen=True, slots=True)
class _Writer:
    transport: Transport
    mailbox: str
    read: Read

    def write(self, writes: Sequence[ItemWrite]) -> list[Written]:
        states = [self._prepared(write) for write in writes]
        for kind, run in _runs(states):
            _ACTS[kind](self, [state for state in run if state.running])
            for state in run:
                self._dates(state)
        return self._read_again(states)

    def _prepared(self, write: ItemWrite) -> _State:
        """Return a write with its first request laid out; what cannot be said to the server stops it at once."""
        state = _State(write, mailing=write.mailing)
        if not isinstance(write, ItemCreation):
            state.ref, state.revision = write.ref, write.revision
        try:
            if isinstance(write, ItemCreation):
                state.first = wire_fields.new_item(write.content, write.key)
                state.dates = steps(write)
            elif isinstance(write, ItemUpdate):
                self._laid_out(state, write)
        except UnknownZone as error:
            state.stop(self._error("UnknownTimeZone", write, str(error.args[0])[:100]))
        return state

    def _laid_out(self, state: _State, write: ItemUpdate) -> None:
        wanted = steps(write)
        item = next((step for step in wanted if step.kind is StepKind.ITEM), None)
        parts = wire_fields.changes(item.before, item.after, item.fields, dated=False) if item else ()
        state.first = (*parts, *((wire_fields.key_part(write.key),) if write.key else ()))
        state.mailing = item.mailing if item else Mailing.NOBODY
        state.dates = tuple(step for step in wanted if step.kind is not StepKind.ITEM)

    def create(self, run: list[_State]) -> None:
        """Make new items in one folder."""
        if run:
            first = run[0].write
            assert isinstance(first, ItemCreation)
            items = [str(state.first) for state in run]
            self._send(run, lambda at: wire_writes.create_items(first.folder, [items[i] for i in at], first.mailing))

    def update(self, run: list[_State]) -> None:
        """Change items themselves; those of which only dates change have their turn later."""
        run = [state for state in run if state.first]
        changes = [wire_writes.Change(s.ref, s.revision, s.first) for s in run if isinstance(s.first, tuple)]
        self._send(run, lambda at: wire_writes.update_items([changes[i] for i in at], run[0].mailing))

    def delete(self, run: list[_State]) -> None:
        """Delete what still is as it was seen; what is gone already is deleted."""
        for state, answer in zip(run, self._revisions([wire_requests.item_id(s.ref) for s in run]), strict=True):
            if isinstance(answer, Item) and answer.revision != state.revision:
                state.stop(None)
            elif answer == _GONE:
                state.ref = ""
            elif isinstance(answer, Message):
                self._refuse(state, answer)
        run = [state for state in run if state.running and state.ref]
        ids = [(state.ref, state.revision) for state in run]
        self._send(run, lambda at: wire_writes.delete_items([ids[i] for i in at], run[0].mailing))
        for state in run:
            if state.result is Result.STALE:
                state.result = Result.SAVED  # It went between the two requests: gone is what was wanted.

    def _send(self, run: list[_State], request: Callable[[Sequence[int]], Request]) -> None:
        """Send the first request of every write; what was left out after a bad one is sent again."""
        waiting = list(range(len(run)))
        while waiting:
            answers = self._asked(request(waiting), len(waiting))
            left = [at for at, answer in zip(waiting, answers, strict=True) if answer.code == _STOPPED]
            if len(left) == len(waiting):
                raise of_invalid(InvalidAnswer("it stopped before the first item"), self.mailbox)
            for at, answer in zip(waiting, answers, strict=True):
                if answer.code != _STOPPED:
                    self._take(run[at], answer)
            waiting = left

    def _take(self, state: _State, answer: Message) -> None:
        if not answer.ok:
            self._refuse(state, answer)
        elif not isinstance(state.write, ItemDeletion):
            saved = item_of(answer)
            if saved is None:
                raise of_invalid(InvalidAnswer("a saved item has no id"), self.mailbox)
            state.ref, state.revision = saved.ref, saved.revision

    def _refuse(self, state: _State, answer: Message) -> None:
        """Stop one write; what concerns the mailbox is raised."""
        if answer.code in _MOVED_ON and not isinstance(state.write, ItemCreation):
            state.stop(None)
            return
        detail = f"{answer.code}: {answer.text}" if answer.text else answer.code
        if answer.code in _CODES:
            state.stop(self._error(_CODES[answer.code], state.write, detail))
            return
        error = of_message(answer, About.ITEM, self.mailbox, subject="")
        if error.row.scope is not Scope.ITEM:
            raise error
        state.stop(self._error("ItemRefused", state.write, detail))

    def _dates(self, state: _State) -> None:
        """Change and delete the dates of a series, one by one, until something stops it."""
        guard: str | None = state.revision
        for step in state.dates:
            if not state.running:
                return
            self._date(state, step, guard)
            guard = None  # From here on the series has moved by our own writes.

    def _date(self, state: _State, step: Step, guard: str | None) -> None:
        index = _index(_content(state.write), step)
        if index is None:
            state.stop(self._error("ItemRefused", state.write, "there is no such date in the series"))
            return
        ids = [wire_requests.item_id(state.ref), wire_requests.occurrence_id(state.ref, index)]
        series, date = self._revisions(ids)
        if not isinstance(series, Item) or (guard is not None and series.revision != guard):
            state.stop(None)
        elif date == _DELETED_DATE and step.kind is StepKind.DELETION:
            return
        elif isinstance(date, Item):
            self._take_date(state, step, date)
        else:
            state.stop(self._error("ItemRefused", state.write, "there is no such date in the series"))

    def _take_date(self, state: _State, step: Step, date: Item) -> None:
        if step.kind is StepKind.DELETION:
            request = wire_writes.delete_items([(date.ref, date.revision)], step.mailing)
        else:
            parts = wire_fields.changes(step.before, step.after, step.fields, dated=True)
            if not parts:
                return
            request = wire_writes.update_items([wire_writes.Change(date.ref, date.revision, parts)], step.mailing)
        (answer,) = self._asked(request, 1)
        if not answer.ok:
            self._refuse(state, answer)

    def _revisions(self, ids: Sequence[str]) -> list[Item | Message | str]:
        """Return for each id the item with its revision, the code of what is gone, or the answer that refuses it."""
        if not ids:
            return []
        found: list[Item | Message | str] = []
        for answer in self._asked(wire_requests.get_revisions(ids), len(ids)):
            item = item_of(answer) if answer.ok else None
            gone = answer.ok or answer.code in (_GONE, _DELETED_DATE)
            found.append(item or ((answer.code if not answer.ok else _GONE) if gone else answer))
        return found

    def _asked(self, request: Request, count: int) -> list[Message]:
        answers = self.transport.call(request, About.ITEM)
        if len(answers) != count:
            raise of_invalid(InvalidAnswer(f"{len(answers)} answers to {count} writes"), self.mailbox)
        return answers

    def _read_again(self, states: Sequence[_State]) -> list[Written]:
        """Read what stands now of everything that was written or begun."""
        asked = [state for state in states if state.ref and not isinstance(state.write, ItemDeletion)]
        asked += [state for state in states if isinstance(state.write, ItemDeletion) and not state.running]
        found = self.read([(state.write.folder, state.ref) for state in asked])
        seen = {id(state): entry for state, entry in zip(asked, found, strict=True)}
        return [_written(state, seen.get(id(state))) for state in states]

    def _error(self, code: str, write: ItemWrite, detail: str) -> SyncError:
        content = _content(write)
        subject = "(private)" if content.private else content.subject[:200]
        ref = None if isinstance(write, ItemCreation) else write.ref
        return SyncError(code, ref=ref, mailbox=self.mailbox, subject=subject, detail=detail)


def _written(state: _State, now: Observed | SyncError | None) -> Written:
    if isinstance(now, SyncError):
        return Written(result=Result.FAILED, error=state.error or now)
    return Written(result=state.result, item=now, error=state.error)


def _content(write: ItemWrite) -> Appointment:
    return write.after if isinstance(write, ItemUpdate) else write.content


def _index(series: Appointment, step: Step) -> int | None:
    """Return the number of a date in its series, from 1, deleted dates counted."""
    assert step.original_start is not None
    if series.recurrence is None:
        return None
    day = occurrence_day(series, step.original_start)
    return None if day is None else occurrence_index(series.recurrence, day)


def _runs(states: Iterable[_State]) -> Iterator[tuple[type, list[_State]]]:
    """Yield runs of writes that one request can carry, in order."""
    for (kind, _, _), group in groupby(states, key=lambda s: (type(s.write), s.write.folder, s.mailing)):
        run = list(group)
        for begin in range(0, len(run), WRITES_PER_REQUEST):
            yield kind, run[begin : begin + WRITES_PER_REQUEST]


_ACTS: Final[Mapping[type, Callable[[_Writer, list[_State]], None]]] = {
    ItemCreation: _Writer.create,
    ItemUpdate: _Writer.update,
    ItemDeletion: _Writer.delete,
}
