"""What a meeting looks like in each person's calendar of the memory Exchange: pure functions over appointments.

The organizer's copy is the meeting; an attendee's copy has the same identity and shared content, and its own response,
show-as, categories and reminder. This module must not know mailboxes, references or revisions.
"""

from __future__ import annotations

from msgspec.structs import replace

from syncline.core.appointment import Appointment, Attendee, Identity, Response, ShowAs, Span
from syncline.core.outgoing import MailKind

_OWN_SHOW_AS = {
    Response.NONE: ShowAs.TENTATIVE,
    Response.TENTATIVE: ShowAs.TENTATIVE,
}


def addresses(meeting: Appointment) -> tuple[str, ...]:
    """Return the addresses that are mailed about a meeting: everybody once, but its organizer."""
    organizer = meeting.organizer.address if meeting.organizer is not None else None
    return tuple(dict.fromkeys(each.address for each in meeting.attendees if each.address != organizer))


def told_copy(
    copy: Appointment, meeting: Appointment, about: Appointment, kind: MailKind, before: Appointment | None
) -> Appointment:
    """Return an attendee's copy after a mail about the meeting, or about one of its dates."""
    alone = copy.identity != meeting.identity
    if alone and copy.identity != about.identity:
        return copy
    if kind is not MailKind.CANCELLATION:
        told = about if alone else meeting
        return updated_copy(copy, copy if before is None or alone else before, told)
    if alone or about.identity == meeting.identity:
        return canceled_copy(copy)
    date = occurrence(copy, about.identity, about.span)
    return with_occurrence(copy, canceled_copy(date))


def invitation(meeting: Appointment) -> Appointment:
    """Return the copy that a new attendee gets: unanswered, tentative, without the organizer's private marks."""
    return _as_copy(meeting, Response.NONE, (), 15)


def updated_copy(copy: Appointment, before: Appointment, meeting: Appointment) -> Appointment:
    """Return an attendee's copy after an update of the meeting: only a new time asks for a new answer."""
    moved = (before.span, before.recurrence, _times(before)) != (meeting.span, meeting.recurrence, _times(meeting))
    response = Response.NONE if moved else copy.response
    return _as_copy(meeting, response, copy.categories, copy.reminder_minutes)


def canceled_copy(copy: Appointment) -> Appointment:
    """Return an attendee's copy after the organizer called the meeting off: it stays, cancelled and free."""
    exceptions = tuple(replace(item, canceled=True, show_as=ShowAs.FREE) for item in copy.exceptions)
    return replace(copy, canceled=True, show_as=ShowAs.FREE, exceptions=exceptions)


def answered_copy(copy: Appointment, response: Response) -> Appointment:
    """Return an attendee's copy after the answer; an accepted meeting is busy."""
    show_as = _OWN_SHOW_AS.get(response, ShowAs.BUSY)
    exceptions = tuple(replace(item, response=response, show_as=show_as) for item in copy.exceptions)
    return replace(copy, response=response, show_as=show_as, exceptions=exceptions)


def with_answer(meeting: Appointment, address: str, response: Response) -> Appointment:
    """Return the organizer's copy once the answer of `address` has arrived."""
    return replace(
        meeting,
        attendees=_answered(meeting.attendees, address, response),
        exceptions=tuple(
            replace(item, attendees=_answered(item.attendees, address, response)) for item in meeting.exceptions
        ),
    )


def with_occurrence(series: Appointment, exception: Appointment) -> Appointment:
    """Return the series with one exception added or replaced, in the order of original starts."""
    others = [item for item in series.exceptions if item.identity != exception.identity]
    ordered = sorted([*others, exception], key=lambda item: item.identity)
    return replace(series, exceptions=tuple(ordered))


def without_occurrence(series: Appointment, identity: Identity) -> Appointment:
    """Return the series without the occurrence of `identity`: no exception, and one deleted original start more."""
    if identity.original_start is None:
        raise ValueError("an occurrence has an original start")
    return replace(
        series,
        exceptions=tuple(item for item in series.exceptions if item.identity != identity),
        deleted=tuple(sorted({*series.deleted, identity.original_start})),
    )


def occurrence(series: Appointment, identity: Identity, span: Span) -> Appointment:
    """Return the occurrence of `identity` as it stands: its exception, or the master's content at `span`."""
    found = next((item for item in series.exceptions if item.identity == identity), None)
    return found or replace(series, identity=identity, span=span, recurrence=None, exceptions=(), deleted=())


def _as_copy(
    meeting: Appointment, response: Response, categories: tuple[str, ...], reminder_minutes: int | None
) -> Appointment:
    show_as = meeting.show_as if meeting.canceled else _OWN_SHOW_AS.get(response, meeting.show_as)
    return replace(
        meeting,
        response=response,
        show_as=show_as,
        categories=categories,
        reminder_minutes=reminder_minutes,
        attendees=tuple(replace(person, response=Response.NONE) for person in meeting.attendees),
        exceptions=tuple(_as_copy(item, response, categories, reminder_minutes) for item in meeting.exceptions),
    )


def _times(meeting: Appointment) -> tuple[object, ...]:
    return (meeting.deleted, tuple((item.identity, item.span) for item in meeting.exceptions))


def _answered(people: tuple[Attendee, ...], address: str, response: Response) -> tuple[Attendee, ...]:
    return tuple(replace(person, response=response) if person.address == address else person for person in people)
