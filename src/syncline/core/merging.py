"""Which value? The projection of an Exchange item to what the CRM holds, and the three-way merge per field.

Clocks are never compared: each side is compared with what was last agreed (server-side-sync.md 3.1). It knows the
field map 3.9 and the two groups of Q-08; it must not know links, revisions or who stores what.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from syncline.core import bodies
from syncline.core.appointment import (
    DESCRIPTION_MAX,
    LOCATION_MAX,
    SUBJECT_MAX,
    Appointment,
    Attendee,
    Response,
    ShowAs,
)
from syncline.core.moving import DateChanges, carried_along, on_pattern
from syncline.core.zones import clock_of

PRIVATE_SUBJECT = "Private appointment"

# The field map 3.9 in two groups: the scheduling group moves as one, the others flow on their own.
SCHEDULING_FIELDS = ("span", "zone", "show_as", "organizer", "attendees", "recurrence", "deleted")
TEXT_FIELDS = ("subject", "description", "location", "sensitivity", "importance")
EXCEPTIONS = "exceptions"
EXCEPTION_TEXTS = "exception_texts"
CANCELED = "canceled"
PERSONS = "persons"  # not a field of the content: who is busy moved, because somebody declined or came back (CD-05a)

_LONGEST = {"subject": SUBJECT_MAX, "location": LOCATION_MAX, "description": DESCRIPTION_MAX}
PATTERN = ("span", "zone", "recurrence")
"""What gives the dates of a series their original starts."""
_IDENTITY = attrgetter("identity")
_ROLE_AND_ADDRESS = attrgetter("role", "address")
_DATES = frozenset((EXCEPTIONS, EXCEPTION_TEXTS, "deleted"))
_SCHEDULING = frozenset((*SCHEDULING_FIELDS, EXCEPTIONS, PERSONS))


class PrivatePolicy(StrEnum):
    """What happens to private items (D-03)."""

    IMPORT = "import"
    MASK = "mask"
    SKIP = "skip"


class Winner(StrEnum):
    """Whose value stands where both sides changed one field; never decided by a clock (3.1)."""

    EXCHANGE = "exchange"
    CRM = "crm"
    ASK = "ask"


class Merge(Struct, frozen=True, gc=False):
    """Result of a three-way merge: the content to write, what Exchange changed, and where both sides changed.

    `lost`: original starts of dates that one side changed and that the series, moved by the other, has no place for.
    """

    content: Appointment
    fields: frozenset[str]
    diverged: frozenset[str]
    lost: tuple[datetime, ...] = ()


def project(appointment: Appointment, private: PrivatePolicy = PrivatePolicy.IMPORT) -> Appointment:
    """Return what the CRM would hold of an Exchange item: mapped, shortened, in canonical form (3.9, A-21, D-03)."""
    masked = appointment.private and private is PrivatePolicy.MASK
    texts: dict[str, Any] = {
        "subject": PRIVATE_SUBJECT if masked else appointment.subject[:SUBJECT_MAX],
        "description": "" if masked else bodies.canonical(appointment.description)[:DESCRIPTION_MAX],
        "location": "" if masked else appointment.location[:LOCATION_MAX],
        "show_as": ShowAs.FREE if appointment.show_as is ShowAs.WORKING_ELSEWHERE else appointment.show_as,
    }
    exceptions = [project(exception, private) for exception in appointment.exceptions]
    return _canonical(appointment, exceptions, texts)


def too_long(appointment: Appointment) -> frozenset[str]:
    """Return the names of the texts that `project` shortens, of the appointment itself or of any date of it."""
    parts = (appointment, *appointment.exceptions)
    return frozenset(
        name for name, most in _LONGEST.items() if any(len(getattr(part, name)) > most for part in parts)
    )  # fmt: skip


def canonical(appointment: Appointment) -> Appointment:
    """Return the form that is written and agreed: without what never leaves its side (AT-05, D-04), in one order."""
    return _canonical(appointment, [canonical(exception) for exception in appointment.exceptions], {})


def _canonical(appointment: Appointment, exceptions: list[Appointment], others: dict[str, Any]) -> Appointment:
    """Return the appointment with these canonical exceptions and further fields, in canonical form."""
    return replace(
        appointment,
        categories=(),
        reminder_minutes=None,
        response=Response.NONE,
        created=None,
        attendees=_parties(appointment.attendees),
        exceptions=tuple(sorted(exceptions, key=_IDENTITY)) if exceptions else (),
        deleted=tuple(sorted(set(appointment.deleted))) if appointment.deleted else (),
        **others,
    )


def carried(agreed: Appointment | None, candidate: Appointment, now: datetime) -> Appointment:
    """Return the candidate without occurrences that were deleted in Exchange after they had started (A-25)."""
    known = agreed.deleted if agreed else candidate.deleted
    kept = tuple(start for start in candidate.deleted if start in known or start >= now)
    return candidate if kept == candidate.deleted else replace(candidate, deleted=kept)


def organized(agreed: Appointment | None, candidate: Appointment) -> Appointment:
    """Return the candidate with the agreed organizer where Exchange names none (A-27), so that the CRM's is kept."""
    if agreed is None:
        return candidate
    known = {exception.identity: exception.organizer for exception in agreed.exceptions}
    exceptions = tuple(
        replace(each, organizer=each.organizer or known.get(each.identity, agreed.organizer))
        for each in candidate.exceptions
    )
    return replace(candidate, organizer=candidate.organizer or agreed.organizer, exceptions=exceptions)


def masked(agreed: Appointment | None, candidate: Appointment) -> Appointment:
    """Return a candidate under the policy *mask* with the texts that are agreed, where both are private (D-03).

    What a private item says never flows in then, so it does not overwrite what the CRM itself had entered.
    """
    if agreed is None:
        return candidate
    known = {part.identity: part for part in agreed.exceptions}

    def kept(part: Appointment, base: Appointment) -> Appointment:
        if not (part.private and base.private):
            return part
        return replace(part, subject=base.subject, description=base.description, location=base.location)

    parts = tuple(kept(part, known.get(part.identity, agreed)) for part in candidate.exceptions)
    return replace(kept(candidate, agreed), exceptions=parts)


def differences(base: Appointment, other: Appointment) -> frozenset[str]:
    """Return the names of the fields in which two canonical contents differ."""
    names = {name for name in (*SCHEDULING_FIELDS, *TEXT_FIELDS) if _value(base, name) != _value(other, name)}
    if base.canceled != other.canceled:
        names.add(CANCELED)
    if _shape(base) != _shape(other):
        names.add(EXCEPTIONS)
    if _texts(base) != _texts(other):
        names.add(EXCEPTION_TEXTS)
    return frozenset(names)


def reschedules(fields: frozenset[str], agreed: Appointment, candidate: Appointment) -> bool:
    """Return whether the change touches the scheduling group (CD-10); a new zone name alone moves a series only."""
    moved = fields & _SCHEDULING
    if moved == {"zone"}:
        return agreed.recurrence is not None or candidate.recurrence is not None
    return bool(moved)


def diverged_fields(agreed: Appointment, exchange: Appointment, crm: Appointment) -> frozenset[str]:
    """Return the fields that both sides changed since *agreed*, each in its own way."""
    both = differences(agreed, exchange) & differences(agreed, crm)
    return both & differences(exchange, crm) if both else both


def merge(
    agreed: Appointment, exchange: Appointment, crm: Appointment, crm_wins: frozenset[str] = frozenset()
) -> Merge:
    """Merge Exchange's changes since *agreed* onto the CRM's row; fields of `crm_wins` that both changed stay.

    All of them are agreed afterwards as Exchange has them, so that what the CRM keeps is its change to be carried over.
    Where one side moved a series, what the other did to its dates goes along (decision 0030).
    """
    changed = differences(agreed, exchange)
    diverged = diverged_fields(agreed, exchange, crm)
    taken = changed - (diverged & crm_wins)
    ours = _keeping_theirs(agreed, exchange, crm)
    content = _take(crm, ours, taken)
    moved = [side for side in (exchange, crm) if _moved(agreed, side)]
    if not moved:
        return Merge(content, changed, diverged)
    if len(moved) > 1:
        return Merge(on_pattern(content), changed, diverged)
    crm_first = bool(diverged & crm_wins & _DATES)
    if moved[0] is crm:
        content = on_pattern(_with_dates(content, crm))  # a CRM may keep dates of before, Exchange forgets them
        content, lost = carried_along(content, exchange, *_changes(agreed, exchange, crm, mover_first=crm_first))
    else:
        content = _with_dates(content, ours)
        content, lost = carried_along(content, crm, *_changes(agreed, crm, exchange, mover_first=not crm_first))
    return Merge(content, changed, diverged, lost)


def advance(agreed: Appointment, exchange: Appointment, fields: frozenset[str]) -> Appointment:
    """Return what is agreed after the Exchange values of `fields` were written; the rest stays as agreed before."""
    return _take(agreed, exchange, fields)


def held(agreed: Appointment, candidate: Appointment) -> Appointment:
    """Return the candidate with the scheduling group of *agreed* (Q-08): what may be written while a question waits."""
    texts = {e.identity: e for e in candidate.exceptions}
    exceptions = tuple(_with_texts(old, texts.get(old.identity, old)) for old in agreed.exceptions)
    return replace(_with_texts(agreed, candidate), exceptions=exceptions)


def _moved(agreed: Appointment, side: Appointment) -> bool:
    """Return whether a side gave a series other original starts, or made it or ended it."""
    return any(_value(agreed, name) != _value(side, name) for name in PATTERN)


def _with_dates(content: Appointment, mover: Appointment) -> Appointment:
    """Return the content with the dates of the side whose pattern it has: of the others Exchange knows no more."""
    return replace(content, exceptions=mover.exceptions, deleted=mover.deleted)


def _changes(
    agreed: Appointment, other: Appointment, mover: Appointment, *, mover_first: bool
) -> tuple[DateChanges, frozenset[datetime]]:
    """Return what the other side did to dates, and which dates of the mover stand against that."""
    firm = _date_changes(agreed, mover).starts() if mover_first else frozenset[datetime]()
    return _date_changes(agreed, other), firm


def _date_changes(agreed: Appointment, side: Appointment) -> DateChanges:
    known = {part.identity: part for part in agreed.exceptions}

    def changed(part: Appointment) -> bool:
        old = known.get(part.identity)
        return old is None or bool(differences(old, part))

    parts = tuple(part for part in side.exceptions if changed(part))
    return DateChanges(parts, frozenset(side.deleted) - frozenset(agreed.deleted))


def _keeping_theirs(agreed: Appointment, exchange: Appointment, crm: Appointment) -> Appointment:
    """Return the Exchange content with what its exceptions have from the CRM alone, where Exchange left that as it was.

    These are texts, and that the CRM canceled a date, which Exchange shows as free.
    """
    known, theirs = ({e.identity: e for e in side.exceptions} for side in (agreed, crm))

    def kept(part: Appointment) -> Appointment:
        old, crm_part = known.get(part.identity), theirs.get(part.identity)
        if old is None or crm_part is None:
            return part
        if crm_part.canceled and (part.canceled, part.show_as) == (old.canceled, old.show_as):
            part = replace(part, canceled=True, show_as=crm_part.show_as)
        return _with_texts(part, crm_part) if _with_texts(part, old) == part else part

    return replace(exchange, exceptions=tuple(kept(part) for part in exchange.exceptions))


def _take(base: Appointment, source: Appointment, fields: frozenset[str]) -> Appointment:
    """Return the base with the values of `fields` from the source; a date that is deleted then is no exception."""
    taken = _taken(base, source, fields)
    kept = tuple(part for part in taken.exceptions if part.identity.original_start not in taken.deleted)
    return taken if kept == taken.exceptions else replace(taken, exceptions=kept)


def _taken(base: Appointment, source: Appointment, fields: frozenset[str]) -> Appointment:
    plain: dict[str, Any] = {
        name: getattr(source, name) for name in fields if name in (*SCHEDULING_FIELDS, *TEXT_FIELDS, CANCELED)
    }
    result = replace(base, **plain)
    if EXCEPTIONS in fields:
        kept = {} if EXCEPTION_TEXTS in fields else {e.identity: e for e in base.exceptions}
        exceptions = tuple(_with_texts(new, kept.get(new.identity, new)) for new in source.exceptions)
        return replace(result, exceptions=exceptions)
    if EXCEPTION_TEXTS in fields:
        texts = {e.identity: e for e in source.exceptions}
        return replace(result, exceptions=tuple(_with_texts(e, texts.get(e.identity, e)) for e in base.exceptions))
    return result


def _with_texts(scheduling: Appointment, texts: Appointment) -> Appointment:
    taken: dict[str, Any] = {name: getattr(texts, name) for name in TEXT_FIELDS}
    return replace(scheduling, **taken)


def _shape(appointment: Appointment) -> tuple[object, ...]:
    return tuple(
        (e.identity, e.canceled, *(_value(e, name) for name in SCHEDULING_FIELDS)) for e in appointment.exceptions
    )


def _texts(appointment: Appointment) -> tuple[object, ...]:
    return tuple((e.identity, *(getattr(e, name) for name in TEXT_FIELDS)) for e in appointment.exceptions)


def _value(appointment: Appointment, name: str) -> object:
    """Return what counts in a comparison: of people address and role, of a zone the clock that Exchange can name.

    Names of people differ by address book, and Exchange calls Europe/Oslo by the name that Europe/Berlin has.
    """
    if name == "organizer":
        return appointment.organizer and appointment.organizer.address
    if name == "zone":
        return clock_of(appointment.zone)
    if name == "attendees":
        return tuple((attendee.address, attendee.role) for attendee in appointment.attendees)
    return getattr(appointment, name)


def _parties(attendees: tuple[Attendee, ...]) -> tuple[Attendee, ...]:
    """Return each address once, without answers, in a fixed order."""
    seen: dict[str, Attendee] = {}
    for attendee in attendees:
        if attendee.address not in seen:
            plain = attendee.response is Response.NONE
            seen[attendee.address] = attendee if plain else Attendee(attendee.address, attendee.name, attendee.role)
    return tuple(sorted(seen.values(), key=_ROLE_AND_ADDRESS))
