"""One write of the calendar port on the memory Exchange: the guard, the requests in order, and who is mailed.

It does what a server does with each request and says what it refuses. Whom a request mails is worked out here from what
changes (the table of ews-facts.md), not taken from the plan, so that a plan that counts wrongly is found out. It must
not know why something is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from syncline.connectors.memory import meetings
from syncline.connectors.memory.exchange import Item, MemoryExchange
from syncline.core.appointment import Address, Appointment, Response, Span
from syncline.core.outgoing import (
    PLAIN_FIELDS,
    ItemCreation,
    ItemDeletion,
    ItemUpdate,
    ItemWrite,
    Mailing,
    MailKind,
    Step,
    StepKind,
    changed_fields,
    steps,
)
from syncline.core.recurrence import first_fitting, occurrence_day, occurrence_span, occurrences
from syncline.core.times import EPOCH
from syncline.core.validity import Problem, misplaced
from syncline.errors import SyncError
from syncline.ports import Result

_WEIGHTY = frozenset({"span", "zone", "location", "recurrence"})
_LAYOUT = frozenset({"span", "zone", "recurrence"})


class Carried(Struct, frozen=True, kw_only=True):
    """What became of one write; `ref` names the item as it stands, None if it is gone or was never there."""

    result: Result
    ref: str | None = None
    error: SyncError | None = None


def carry_out(exchange: MemoryExchange, address: str, write: ItemWrite) -> Carried:
    """Carry out one write as the owner's own; a refusal touches nothing but what was done before it."""
    if exchange.store(address).write_denied:
        return _failed("ItemNotWritable", address, _content(write), "the account may only read")
    if isinstance(write, ItemCreation):
        return _created(exchange, address, write)
    item = exchange.store(address).items.get(write.ref)
    if item is None:
        return Carried(result=Result.SAVED if isinstance(write, ItemDeletion) else Result.STALE)
    if item.revision != write.revision:
        return Carried(result=Result.STALE, ref=item.ref)
    if isinstance(write, ItemDeletion):
        return _deleted(exchange, address, item, write.mailing)
    return _updated(exchange, address, item, write)


def _content(write: ItemWrite) -> Appointment:
    return write.after if isinstance(write, ItemUpdate) else write.content


def _created(exchange: MemoryExchange, address: str, write: ItemCreation) -> Carried:
    content = write.content
    if content.span.end < content.span.start:
        return _failed("EndBeforeStart", address, content)
    if write.folder not in exchange.store(address).folders:
        return _failed("ItemRefused", address, content, "the folder is gone")
    owner = Address(address, exchange.store(address).name)
    plain = replace(content, exceptions=(), deleted=(), organizer=owner, response=Response.ORGANIZER, canceled=False)
    plain = _fitted(replace(plain, attendees=tuple(replace(each, response=Response.NONE) for each in plain.attendees)))
    ref = exchange.create(address, plain, folder=write.folder, key=write.key)
    if write.mailing is not Mailing.NOBODY:
        exchange.send(plain, plain, meetings.addresses(plain), MailKind.REQUEST)
    return _stepped(exchange, address, ref, steps(write))


def _deleted(exchange: MemoryExchange, address: str, item: Item, mailing: Mailing) -> Carried:
    meeting = item.appointment
    exchange.delete(address, item.ref)
    if mailing is not Mailing.NOBODY and _organizes(address, meeting) and not meeting.canceled:
        exchange.send(meeting, meeting, meetings.addresses(meeting), MailKind.CANCELLATION)
    return Carried(result=Result.SAVED)


def _updated(exchange: MemoryExchange, address: str, item: Item, write: ItemUpdate) -> Carried:
    carried = _stepped(exchange, address, item.ref, steps(write))
    if write.key is not None and carried.result is Result.SAVED and carried.ref:
        # What was refused has no new key: item and key are one request.
        exchange.save(address, item.ref, exchange.item(address, item.ref).appointment, write.key)
    return carried


def _stepped(exchange: MemoryExchange, address: str, ref: str, wanted: Sequence[Step]) -> Carried:
    for step in wanted:
        before = exchange.item(address, ref).appointment
        error = _refused(address, before, step)
        if error is not None:
            return Carried(result=Result.FAILED, ref=ref, error=error)
        after = _applied(address, before, step)
        exchange.save(address, ref, after)
        _tell(exchange, address, before, after, step)
        if after.recurrence is not None and _nothing_left(after):
            exchange.delete(address, ref)
            return Carried(result=Result.SAVED)
    return Carried(result=Result.SAVED, ref=ref)


def _refused(address: str, series: Appointment, step: Step) -> SyncError | None:
    """Return why the server refuses a request, None if it does not."""
    if step.kind is StepKind.ITEM:
        bad = step.after.span.end < step.after.span.start
        return _failed("EndBeforeStart", address, step.after).error if bad else None
    assert step.original_start is not None
    if _day(series, step) is None or step.original_start in series.deleted:
        return _failed("ItemRefused", address, series, "there is no such date in the series").error
    if step.kind is StepKind.OCCURRENCE:
        moved = meetings.with_occurrence(series, _changed(_date(series, step), step))
        if misplaced(moved).get(step.original_start) is Problem.EXCEPTION_CROSSING:
            return _failed("ErrorOccurrenceCrossingBoundary", address, series).error
    return None


def _applied(address: str, item: Appointment, step: Step) -> Appointment:
    """Return the item after one request."""
    if step.kind is StepKind.DELETION:
        return meetings.without_occurrence(item, _date(item, step).identity)
    if step.kind is StepKind.OCCURRENCE:
        return meetings.with_occurrence(item, _changed(_date(item, step), step))
    after = _changed(item, step)
    if after.attendees and after.organizer is None:
        after = replace(after, organizer=Address(address), response=Response.ORGANIZER)
    if step.fields & _LAYOUT:
        return _fitted(replace(after, exceptions=(), deleted=()))
    return replace(after, exceptions=tuple(_inherited(part, item, after) for part in item.exceptions))


def _inherited(part: Appointment, before: Appointment, after: Appointment) -> Appointment:
    """Return an exception after a change of its series: what it had from the series follows."""
    own = changed_fields(before, part)
    followed = {name: getattr(after, name) for name in changed_fields(before, after) - own}
    return replace(part, **followed) if followed else part


def _changed(part: Appointment, step: Step) -> Appointment:
    """Return an item or a date with the fields of a request; who was invited before keeps the answer he gave."""
    answers = {each.address: each.response for each in part.attendees}
    values = {name: getattr(step.after, name) for name in PLAIN_FIELDS if name in step.fields}
    if "attendees" in values:
        values["attendees"] = tuple(
            replace(each, response=answers.get(each.address, Response.NONE)) for each in step.after.attendees
        )
    return replace(part, **values)


def _day(series: Appointment, step: Step) -> object:
    assert step.original_start is not None
    return occurrence_day(series, step.original_start) if series.recurrence is not None else None


def _date(series: Appointment, step: Step) -> Appointment:
    """Return one date of a series as it stands."""
    assert step.original_start is not None
    day = occurrence_day(series, step.original_start)
    assert day is not None
    identity = replace(series.identity, original_start=step.original_start)
    return meetings.occurrence(series, identity, occurrence_span(series, day))


def _fitted(item: Appointment) -> Appointment:
    """Return the series at the first date that fits its pattern, where the server puts it (ews-facts.md)."""
    if item.recurrence is None:
        return item
    first = first_fitting(item.recurrence.pattern, item.recurrence.first)
    if first == item.recurrence.first:
        return item
    recurrence = replace(item.recurrence, first=first)
    span = occurrence_span(item, first)
    return replace(item, recurrence=recurrence, span=Span(span.start, span.end, span.all_day))


def _nothing_left(series: Appointment) -> bool:
    recurrence = series.recurrence
    assert recurrence is not None
    if recurrence.count is None and recurrence.until is None:
        return False
    return next(occurrences(series, EPOCH, EPOCH.replace(year=9000)), None) is None


def _tell(exchange: MemoryExchange, address: str, before: Appointment, after: Appointment, step: Step) -> None:
    """Mail those whom the mode means about one request of the organizer's."""
    if step.mailing is Mailing.NOBODY or not _organizes(address, after):
        return
    if step.kind is StepKind.DELETION:
        gone = _date(before, step)
        exchange.send(after, gone, meetings.addresses(gone), MailKind.CANCELLATION)
        return
    old, new = (before, after) if step.kind is StepKind.ITEM else (_date(before, step), _date(after, step))
    was, now = meetings.addresses(old), meetings.addresses(new)
    everybody = step.mailing is Mailing.EVERYBODY or _moved(old, new)
    kept = [each for each in now if each in was] if everybody else []
    exchange.send(after, new, [each for each in now if each not in was], MailKind.REQUEST, before)
    exchange.send(after, new, kept, MailKind.UPDATE, before)
    exchange.send(after, new, [each for each in was if each not in now], MailKind.CANCELLATION, before)


def _moved(old: Appointment, new: Appointment) -> bool:
    """Return whether time, place or pattern changed, laid-out dates included."""
    starts = [{part.identity for part in each.exceptions} for each in (old, new)]
    return bool(changed_fields(old, new) & _WEIGHTY) or old.deleted != new.deleted or starts[0] != starts[1]


def _organizes(address: str, meeting: Appointment) -> bool:
    return meeting.organizer is not None and meeting.organizer.address == address


def _failed(code: str, address: str, item: Appointment, detail: str = "") -> Carried:
    subject = "(private)" if item.private else item.subject[:200]
    error = SyncError(code, mailbox=address, subject=subject, detail=detail)
    return Carried(result=Result.FAILED, error=error)
