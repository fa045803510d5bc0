"""What an Exchange item looks like after a write: a row as a new item, or laid onto the item that is there.

What never leaves Exchange stays as it is (AT-05, D-04): categories, reminders, answers. Pure: it must not know whether
something should be written, nor how.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Attendee, Identity, ShowAs
from syncline.core.merging import EXCEPTION_TEXTS, EXCEPTIONS, SCHEDULING_FIELDS, TEXT_FIELDS
from syncline.core.moving import on_pattern

_PLAIN = frozenset((*SCHEDULING_FIELDS, *TEXT_FIELDS)) - {"organizer", "deleted"}
_LAID_OUT = frozenset({"span", "zone", "recurrence"})
_CHANGED_DATES = frozenset({EXCEPTIONS, EXCEPTION_TEXTS}) | _LAID_OUT
_DATES = _CHANGED_DATES | {"deleted"}
_KEPT = (*TEXT_FIELDS, "show_as", "zone")
_REMINDER_MINUTES = 15
_REMINDED = timedelta(days=7)


class Dates(Struct, frozen=True, gc=False):
    """Dates of a series (original starts) that only the row does without by an answer, and the present instant."""

    left_out: frozenset[datetime]
    now: datetime


def new_item(row: Appointment, category: str, now: datetime) -> Appointment:
    """Return a row as the new item that Exchange shall hold: with the category (L-08) and a reminder (A-05)."""
    marks: dict[str, Any] = {"categories": (category,), "reminder_minutes": _reminder(row, now)}
    parts = tuple(
        replace(part, categories=(category,), reminder_minutes=_reminder(part, now)) for part in row.exceptions
    )
    return replace(row, exceptions=parts, **marks)


def laid_onto(
    item: Appointment, agreed: Appointment, row: Appointment, fields: frozenset[str], kept: Dates
) -> Appointment:
    """Return the Exchange item with the row's values of `fields`; what never leaves Exchange stays (AT-05, D-04).

    `item` is the item as it was observed, `agreed` and `row` canonical. Answers of attendees are kept by address, and
    of a series the dates that only the row does without, or only Exchange.
    """
    taken: dict[str, Any] = {name: getattr(row, name) for name in fields if name in _PLAIN}
    if "attendees" in taken:
        taken["attendees"] = _with_answers(item.attendees, row.attendees)
    if taken.get("show_as") is ShowAs.FREE:
        taken["reminder_minutes"] = None
    laid = replace(item, **taken)
    return _with_dates(item, agreed, laid, row, fields, kept) if fields & _DATES else laid


def _with_dates(
    item: Appointment, agreed: Appointment, laid: Appointment, row: Appointment, fields: frozenset[str], kept: Dates
) -> Appointment:
    known = {part.identity: part for part in item.exceptions}
    bases = {part.identity: part for part in agreed.exceptions}
    parts = [_part(item, known.get(part.identity), part, bases.get(part.identity)) for part in row.exceptions]
    if not fields & _CHANGED_DATES:
        # Only deletions are laid: changed dates stand as Exchange has them, also what no closed row takes in.
        back = kept.left_out - set(row.deleted)
        parts = [part for part in parts if part.identity.original_start in back]
        parts += [part for part in item.exceptions if part.identity.original_start not in back]
    deleted = set(row.deleted) - kept.left_out
    if not fields & _LAID_OUT:
        # A date left out that the row has again is as the row has it.
        still_out = kept.left_out & set(row.deleted)
        own = [part for part in item.exceptions if part.identity.original_start in still_out]
        parts += [part for part in own if part.identity not in {each.identity for each in parts}]
        # What Exchange alone deleted stays deleted there, and nothing past comes back.
        deleted |= {date for date in item.deleted if date not in agreed.deleted or date < kept.now}
    else:
        parts, past = _on_new_pattern(laid, parts, _past_of_exchange(item, agreed, row, kept))
        deleted |= past
    ordered = tuple(sorted((each for each in parts if each.identity.original_start not in deleted), key=_identity))
    return replace(laid, exceptions=ordered, deleted=tuple(sorted(deleted)))


def _on_new_pattern(
    laid: Appointment, parts: Sequence[Appointment], past: Appointment
) -> tuple[list[Appointment], frozenset[datetime]]:
    """Return the changed dates that the laid pattern has, those of Exchange's past first, and what it had deleted."""
    stay = on_pattern(replace(laid, exceptions=past.exceptions, deleted=past.deleted))
    theirs = {part.identity for part in stay.exceptions}
    others = tuple(part for part in parts if part.identity not in theirs)
    rows = on_pattern(replace(laid, exceptions=others, deleted=()))
    return [*stay.exceptions, *rows.exceptions], frozenset(stay.deleted)


def _past_of_exchange(item: Appointment, agreed: Appointment, row: Appointment, kept: Dates) -> Appointment:
    """Return the item with those of its past dates only of which the row says nothing that was not agreed (3.1, R-05).

    A closed row takes in nothing (A-22), and a date left out it does not have: neither may be lost with its series.
    """
    bases = {part.identity: part for part in agreed.exceptions}
    rows = {part.identity: part for part in row.exceptions}
    still_out = kept.left_out & set(row.deleted)
    dropped = set(row.deleted) - set(agreed.deleted)

    def stays(part: Appointment) -> bool:
        start = part.identity.original_start
        if start is None or start >= kept.now:
            return False
        base, own = bases.get(part.identity), rows.get(part.identity)
        # That a closed row is shown as free says nothing of the date itself.
        silent = own == base or (base is not None and own == replace(base, show_as=row.show_as))
        return start in still_out or (silent and start not in dropped)

    def shown(part: Appointment) -> Appointment:
        own = rows.get(part.identity)
        return part if own is None else replace(part, show_as=own.show_as)

    parts = tuple(shown(part) for part in item.exceptions if stays(part))
    return replace(item, exceptions=parts, deleted=tuple(date for date in item.deleted if date < kept.now))


def _part(series: Appointment, known: Appointment | None, part: Appointment, base: Appointment | None) -> Appointment:
    """Return one exception as Exchange should hold it: the row's content, with the item's own marks.

    What is as agreed stays as Exchange has it: the row may hold it shortened, reworded or masked.
    """
    own = known if known is not None else series
    kept: dict[str, Any] = {}
    if known is not None and base is not None:
        kept = {name: getattr(known, name) for name in _KEPT if getattr(part, name) == getattr(base, name)}
    return replace(
        replace(part, **kept),
        categories=own.categories,
        reminder_minutes=own.reminder_minutes,
        response=own.response,
        created=own.created,
        organizer=series.organizer,
        attendees=_with_answers(own.attendees, part.attendees),
        canceled=bool(known and known.canceled),
    )


def _with_answers(known: Sequence[Attendee], wanted: Sequence[Attendee]) -> tuple[Attendee, ...]:
    by_address = {person.address: person for person in known}
    return tuple(
        replace(by_address[person.address], role=person.role) if person.address in by_address else person
        for person in wanted
    )


def _reminder(row: Appointment, now: datetime) -> int | None:
    """Return the minutes of the reminder of a new item: none for free time and what began a week ago (A-05)."""
    late = row.recurrence is None and row.span.start < now - _REMINDED
    return None if row.show_as is ShowAs.FREE or late else _REMINDER_MINUTES


def _identity(part: Appointment) -> Identity:
    return part.identity
