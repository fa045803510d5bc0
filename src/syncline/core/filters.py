"""Which rows of the CRM a person's calendar shows: sync filters, per user and for everybody (1.11).

A filter is a list of conditions that all hold; several filters are joined by union, so that one more never narrows. A
row that no filter selects is *out of scope*, which is never the same as gone. Pure: values in, yes or no out; it must
not know who keeps filters, nor what happens to a row that enters or leaves them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct

from syncline.core.appointment import Appointment, Role, Status


class Field(StrEnum):
    """What a condition looks at: each compares with its list of words, any of which may fit."""

    PART = "part"
    STATUS = "status"
    SHOW_AS = "show_as"
    SUBJECT = "subject"
    LOCATION = "location"
    PRIVATE = "private"
    ALL_DAY = "all_day"
    SERIES = "series"


class Part(StrEnum):
    """What the user is to a row; OWNER alone makes nobody a participant (1.10)."""

    ORGANIZER = "organizer"
    REQUIRED = "required"
    OPTIONAL = "optional"
    RESOURCE = "resource"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition: `field` has one of `words`, or none of them if `negated`.

    SUBJECT and LOCATION contain a word, without case; PRIVATE, ALL_DAY and SERIES are compared with "yes" and "no".
    """

    field: Field
    words: tuple[str, ...]
    negated: bool = False


class SyncFilter(Struct, frozen=True, gc=False, kw_only=True):
    """One saved filter: `user` is the sign-in name of whose it is, None for everybody's (a system filter).

    The `template` belongs to nobody and selects nothing: who is new gets a copy of it as his first filter.
    """

    id: int = 0
    name: str
    user: str | None = None
    conditions: tuple[Condition, ...] = ()
    enabled: bool = True
    template: bool = False

    @property
    def counts(self) -> bool:
        """Return whether the filter selects anything at all."""
        return self.enabled and not self.template


class Seen(Struct, frozen=True, gc=False, kw_only=True):
    """What filters look at: the row's content, status and owner, and who looks: sign-in name and addresses."""

    appointment: Appointment
    status: Status
    owner: str | None
    user: str
    addresses: Collection[str]


DEFAULT_NAME = "My appointments"
DEFAULT_CONDITIONS = (Condition(field=Field.PART, words=(Part.ORGANIZER, Part.REQUIRED)),)
"""The default of 1.11: the user takes part as more than the owner: as organizer or required attendee."""

_PARTS = {Role.REQUIRED: Part.REQUIRED, Role.OPTIONAL: Part.OPTIONAL, Role.RESOURCE: Part.RESOURCE}


def selects(filters: Sequence[SyncFilter], seen: Seen) -> bool:
    """Return whether one of the filters that are switched on selects the row; without any, none is selected.

    What the user may not read is never selected, whatever the filters say: a row that is not his and in which he takes
    no part (1.11: results are limited by the user's security).
    """
    return bool(_parts(seen)) and any(
        each.counts and all(_holds(condition, seen) for condition in each.conditions) for each in filters
    )


def digest(filters: Sequence[SyncFilter]) -> str:
    """Return a text that differs when another set of rows may be selected; never empty."""
    told = {"\n".join(sorted({_told(condition) for condition in each.conditions})) for each in filters if each.counts}
    return sha256("\n\n".join([str(len(told)), *sorted(told)]).encode()).hexdigest()


def _told(condition: Condition) -> str:
    """Return a condition as text, without line breaks; the order and the number of its words do not matter."""
    return repr((str(condition.field), condition.negated, sorted({str(word) for word in condition.words})))


def _holds(condition: Condition, seen: Seen) -> bool:
    found = any(_fits(condition.field, word, seen) for word in condition.words)
    return found is not condition.negated


def _fits(field: Field, word: str, seen: Seen) -> bool:
    appointment = seen.appointment
    match field:
        case Field.PART:
            return word in _parts(seen)
        case Field.STATUS:
            return word == seen.status
        case Field.SHOW_AS:
            return word == appointment.show_as
        case Field.SUBJECT:
            return word.casefold() in appointment.subject.casefold()
        case Field.LOCATION:
            return word.casefold() in appointment.location.casefold()
        case Field.PRIVATE:
            return (word == "yes") is appointment.private
        case Field.ALL_DAY:
            return (word == "yes") is appointment.span.all_day
        case Field.SERIES:
            return (word == "yes") is (appointment.recurrence is not None)


def _parts(seen: Seen) -> set[str]:
    """Return what the user is to the row or to one of the exceptions of a series."""
    found: set[str] = set()
    for part in (seen.appointment, *seen.appointment.exceptions):
        if part.organizer is not None and part.organizer.address in seen.addresses:
            found.add(Part.ORGANIZER)
        found.update(_PARTS[person.role] for person in part.attendees if person.address in seen.addresses)
    if seen.owner == seen.user:
        found.add(Part.OWNER)
    return found
