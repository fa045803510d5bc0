"""What Syncline writes to Exchange: whole writes, the single steps that a server takes for them, and whom each mails.

A write names what stood there and what shall stand there; `steps` says which requests that takes, in order, and `mails`
who hears of it by the table of ews-facts.md. Connectors carry steps out, plans count mails: both read the same list.
Pure; it must not know why something is written, nor any wire format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Attendee
from syncline.core.recurrence import occurrence_day, occurrence_span
from syncline.core.zones import clock_of

# Fields of one item that a person reads or writes in Outlook; attendees count by address and part.
PLAIN_FIELDS = (
    "subject", "description", "location", "span", "zone", "show_as", "sensitivity", "importance", "attendees",
    "categories", "reminder_minutes", "recurrence",
)  # fmt: skip
_TIME_AND_PLACE = frozenset({"span", "zone", "location", "recurrence"})
_RESETTING = frozenset({"span", "zone", "recurrence"})


class Mailing(StrEnum):
    """Whom the server mails about a write of the organizer's copy (A-06, A-07, A-12)."""

    NOBODY = "nobody"
    CHANGED = "changed"
    EVERYBODY = "everybody"


class MailKind(StrEnum):
    """What an attendee is sent."""

    REQUEST = "request"
    UPDATE = "update"
    CANCELLATION = "cancellation"


class Mail(Struct, frozen=True, gc=False, order=True):
    """One mail that the server sends because of a write: to one address."""

    to: str
    kind: MailKind


class ItemCreation(Struct, frozen=True, gc=False, kw_only=True):
    """Make a new item. `key` goes into Syncline's own named property; the identity's UID becomes the item's.

    The content is as Exchange shall show it: with categories and reminder, exceptions and deleted dates included.
    `quiet_before`: dates that began before it mail nobody.
    """

    key: str
    folder: str
    content: Appointment
    mailing: Mailing = Mailing.NOBODY
    quiet_before: datetime | None = None


class ItemUpdate(Struct, frozen=True, gc=False, kw_only=True):
    """Turn the item that still has `revision` from `before`, as it was observed, into `after`.

    `key`, if given, replaces the item's own with the change of the item itself (L-11a): where it stands, that was done.
    """

    ref: str
    folder: str
    revision: str
    before: Appointment
    after: Appointment
    mailing: Mailing = Mailing.NOBODY
    quiet_before: datetime | None = None
    key: str | None = None


class ItemDeletion(Struct, frozen=True, gc=False, kw_only=True):
    """Move the item that still has `revision` to the deleted items; `content` is what was observed there."""

    ref: str
    folder: str
    revision: str
    content: Appointment
    mailing: Mailing = Mailing.NOBODY


ItemWrite = ItemCreation | ItemUpdate | ItemDeletion


class StepKind(StrEnum):
    """What one request does: change the item itself, change one date of a series, delete one date."""

    ITEM = "item"
    OCCURRENCE = "occurrence"
    DELETION = "deletion"


class Step(Struct, frozen=True, gc=False, kw_only=True):
    """One request of an update. `original_start` names the date of OCCURRENCE and DELETION.

    `before` and `after` are the item's or the date's content (`after` of a DELETION is `before`); `fields` are names of
    `PLAIN_FIELDS` that change.
    """

    kind: StepKind
    before: Appointment
    after: Appointment
    fields: frozenset[str] = frozenset()
    original_start: datetime | None = None
    mailing: Mailing = Mailing.NOBODY


def changed_fields(before: Appointment, after: Appointment) -> frozenset[str]:
    """Return which of `PLAIN_FIELDS` differ between two items, or two dates of a series."""
    return frozenset(name for name in PLAIN_FIELDS if _value(before, name) != _value(after, name))


def resets(before: Appointment, after: Appointment) -> bool:
    """Return whether a series has to be laid out anew, which makes Exchange forget its exceptions and deleted dates.

    It has to when pattern, time or zone change, and when a date that was deleted shall stand again.
    """
    if before.recurrence is None or after.recurrence is None:
        return before.recurrence != after.recurrence
    if changed_fields(before, after) & _RESETTING:
        return True
    gone = {part.identity for part in before.exceptions} - {part.identity for part in after.exceptions}
    kept = {identity.original_start for identity in gone} - set(after.deleted)
    return bool(set(before.deleted) - set(after.deleted)) or bool(kept)


def steps(write: ItemUpdate | ItemCreation) -> tuple[Step, ...]:
    """Return the requests that a write takes, in order: the item itself, its dates that differ, its deleted dates.

    Of a creation these are the steps that follow the new item, which is made as a plain series or single.
    """
    if isinstance(write, ItemCreation):
        plain = replace(write.content, exceptions=(), deleted=())
        return tuple(_dates(plain, write.content, write))
    fields = changed_fields(write.before, write.after)
    reset = resets(write.before, write.after)
    if reset:
        fields |= {"recurrence", "span"}
    before = (
        replace(write.before, exceptions=(), deleted=()) if reset else _inherited(write.before, write.after, fields)
    )
    item = Step(
        kind=StepKind.ITEM, before=write.before, after=write.after, fields=fields, mailing=_told(write, write.after)
    )
    return (*((item,) if fields else ()), *_dates(before, write.after, write))


def mails(write: ItemWrite) -> tuple[Mail, ...]:
    """Return every mail that the write makes the server send, in order; the organizer is never mailed."""
    if isinstance(write, ItemDeletion):
        return tuple(_sent(write.content, write.content.attendees, MailKind.CANCELLATION, write.mailing))
    found: list[Mail] = []
    if isinstance(write, ItemCreation):
        found += _sent(write.content, write.content.attendees, MailKind.REQUEST, write.mailing)
    for step in steps(write):
        found += _mails_of(step)
    return tuple(found)


def _dates(before: Appointment, after: Appointment, write: ItemUpdate | ItemCreation) -> Iterator[Step]:
    known = {part.identity: part for part in before.exceptions}
    for part in after.exceptions:
        plain = known.get(part.identity) or _by_pattern(after, part)
        fields = changed_fields(plain, part)
        if fields:
            yield Step(
                kind=StepKind.OCCURRENCE, before=plain, after=part, fields=fields,
                original_start=part.identity.original_start, mailing=_told(write, part),
            )  # fmt: skip
    old = {part.identity.original_start: part for part in before.exceptions}
    for start in after.deleted:
        if start in before.deleted:
            continue
        date = old.get(start) or _date_of(after, start)
        yield Step(
            kind=StepKind.DELETION, before=date, after=date, original_start=start, mailing=_told(write, date)
        )  # fmt: skip


def _inherited(before: Appointment, after: Appointment, fields: frozenset[str]) -> Appointment:
    """Return the series with exceptions as the step for the item leaves them: what was the series' value follows it."""

    def followed(part: Appointment) -> Appointment:
        same = {name: getattr(after, name) for name in fields if _value(part, name) == _value(before, name)}
        return replace(part, **same) if same else part

    return replace(before, exceptions=tuple(followed(part) for part in before.exceptions))


def _told(write: ItemUpdate | ItemCreation, part: Appointment) -> Mailing:
    """Return whom a step mails: nobody about what began before `quiet_before`, but for a series that goes on."""
    past = write.quiet_before is not None and part.recurrence is None and part.span.start < write.quiet_before
    return Mailing.NOBODY if past else write.mailing


def _by_pattern(series: Appointment, part: Appointment) -> Appointment:
    """Return the date of an exception as the series would have it, but for its time, which the exception tells."""
    assert part.identity.original_start is not None
    return replace(_date_of(series, part.identity.original_start), zone=part.zone)


def _date_of(series: Appointment, start: datetime) -> Appointment:
    day = occurrence_day(series, start)
    length = series.span.end - series.span.start
    span = occurrence_span(series, day) if day is not None else replace(series.span, start=start, end=start + length)
    identity = replace(series.identity, original_start=start)
    return replace(series, identity=identity, span=span, recurrence=None, exceptions=(), deleted=())


def _mails_of(step: Step) -> Iterator[Mail]:
    if step.mailing is Mailing.NOBODY:
        return
    if step.kind is StepKind.DELETION:
        yield from _sent(step.before, step.before.attendees, MailKind.CANCELLATION, step.mailing)
        return
    old = {person.address for person in step.before.attendees}
    new = {person.address for person in step.after.attendees}
    everybody = step.mailing is Mailing.EVERYBODY or bool(step.fields & _TIME_AND_PLACE)
    kept = [person for person in step.after.attendees if person.address in old]
    added = [person for person in step.after.attendees if person.address not in old]
    removed = [person for person in step.before.attendees if person.address not in new]
    yield from _sent(step.after, added, MailKind.REQUEST, step.mailing)
    yield from _sent(step.after, kept if everybody else [], MailKind.UPDATE, step.mailing)
    yield from _sent(step.after, removed, MailKind.CANCELLATION, step.mailing)


def _sent(meeting: Appointment, people: Iterable[Attendee], kind: MailKind, mailing: Mailing) -> Iterator[Mail]:
    organizer = meeting.organizer.address if meeting.organizer else None
    if mailing is not Mailing.NOBODY:
        yield from (Mail(person.address, kind) for person in people if person.address != organizer)


def _value(appointment: Appointment, name: str) -> object:
    if name == "attendees":
        return frozenset((person.address, person.role) for person in appointment.attendees)
    if name == "categories":
        return frozenset(appointment.categories)
    if name == "zone":
        return clock_of(appointment.zone)
    return getattr(appointment, name)
