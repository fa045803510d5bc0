"""A draft: the fields of an appointment as people type them, and what they make of an appointment.

Only the CRM's own calendar is edited so. Fields that are not given stay as they are; what cannot be understood is
refused with SyncError("InvalidRequest"). It must not know who asks or where the result is stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from msgspec.structs import replace

from syncline.core.appointment import (
    DESCRIPTION_MAX,
    LOCATION_MAX,
    SUBJECT_MAX,
    Address,
    Appointment,
    Attendee,
    Identity,
    Recurrence,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    Span,
)
from syncline.core.recurrence import UnsupportedPattern, first_fitting, from_rrule
from syncline.core.times import all_day, instant, wall
from syncline.desk import typed
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.ports import User

ATTENDEES_MAX = 500
_DAY = timedelta(days=1)
_HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants of an appointment; None leaves a field as it is.

    `start`, `end`: RFC 3339, or wall time in `time_zone`, or dates if `all_day` (the end is the day after the last; the
    same day means that day). `organizer`, `required`, `optional`: CRM user names or addresses; an empty organizer:
    the row names none. `recurrence`: an RRULE, empty for none. `status`: completed or canceled closes the appointment.
    `draft`: it stays in the CRM for now (A-09).
    """

    subject: str | None = None
    start: str | None = None
    end: str | None = None
    time_zone: str | None = None
    all_day: bool | None = None
    show_as: str | None = None
    location: str | None = None
    description: str | None = None
    organizer: str | None = None
    required: Sequence[str] | None = None
    optional: Sequence[str] | None = None
    recurrence: str | None = None
    status: str | None = None
    private: bool | None = None
    draft: bool | None = None

    @property
    def retimed(self) -> bool:
        """Return whether the draft says anything about when."""
        return any(x is not None for x in (self.start, self.end, self.time_zone, self.all_day, self.recurrence))


def new_appointment(draft: Draft, users: Sequence[User], organizer: User | None, now: datetime) -> Appointment:
    """Return the appointment that a draft describes; `organizer` is who it belongs to if the draft names nobody."""
    if draft.start is None:
        raise _refuse(_("An appointment needs a start."))
    if not (draft.subject or "").strip():
        raise _refuse(_("An appointment needs a subject."))
    found = _address_of(organizer) if draft.organizer is None else _organizer(draft.organizer, users)
    zone = typed.zone(draft.time_zone or _zone_of(found, users) or "UTC")
    whole = bool(draft.all_day)
    start = _moment(draft.start, zone, whole=whole)
    length = _DAY if whole else _HALF_HOUR
    end = _moment(draft.end, zone, whole=whole) if draft.end is not None else start + length
    blank = Appointment(
        identity=Identity(str(uuid.uuid4())),
        span=_span(start, end, whole=whole),
        zone=zone,
        organizer=found,
        created=now.replace(microsecond=0),
    )
    return _repeated(_worded(blank, draft, users), draft)


def changed(current: Appointment, draft: Draft, users: Sequence[User]) -> Appointment:
    """Return `current` with what the draft gives replaced.

    Moving a series (or its pattern) puts every date back on the pattern, as Outlook does: exceptions and deleted dates
    belong to the old one.
    """
    after = _worded(current, draft, users)
    if not draft.retimed:
        return after
    after = _retimed(after, draft)
    if current.recurrence is not None:
        after = replace(after, exceptions=(), deleted=())
    return _repeated(after, draft)


def person(text: str, users: Iterable[User]) -> Address:
    """Return the address of a CRM user (by sign-in name or address) or of anybody with an address."""
    wanted = text.strip().lower()
    for user in users:
        if wanted in {user.name.lower(), *user.emails}:
            return _address_of(user) or Address(wanted, user.full_name)
    if "@" not in wanted or " " in wanted:
        raise _refuse(_('"%(text)s" is neither a user of the CRM nor an e-mail address.', text=text))
    return Address(wanted)


def day(text: str) -> datetime:
    """Return 00:00 UTC of a date such as 2026-11-24."""
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time(), UTC)
    except ValueError as error:
        raise _refuse(_('"%(text)s" is not a date such as 2026-11-24.', text=text)) from error


def _organizer(text: str, users: Iterable[User]) -> Address | None:
    """Return who organizes; nobody for an empty text."""
    return person(text, users) if text.strip() else None


def _address_of(user: User | None) -> Address | None:
    return Address(user.emails[0], user.full_name) if user is not None and user.emails else None


def _zone_of(address: Address | None, users: Iterable[User]) -> str | None:
    return next((u.time_zone for u in users if address is not None and address.address in u.emails), None)


def _moment(text: str, zone: str, *, whole: bool) -> datetime:
    """Return an instant; for whole days 00:00 UTC of the date that the text names."""
    try:
        at = datetime.fromisoformat(text.strip())
        if whole:
            return datetime.combine(at.date(), time(), UTC)
        at = at.replace(microsecond=0)
        return instant(at, zone) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refuse(_('"%(text)s" is not a time such as 2026-11-24T10:00.', text=text)) from error


def _span(start: datetime, end: datetime, *, whole: bool) -> Span:
    if end < start:
        raise _refuse(_("The appointment ends before it starts."))
    if whole:
        return all_day(start.date(), max(end, start + _DAY).date())
    return Span(start, end)


def _worded(current: Appointment, draft: Draft, users: Sequence[User]) -> Appointment:
    texts = {
        "subject": _limited(draft.subject, SUBJECT_MAX, noted("subject")),
        "location": _limited(draft.location, LOCATION_MAX, noted("location")),
        "description": _limited(draft.description, DESCRIPTION_MAX, noted("description")),
    }
    after = replace(current, **{name: text for name, text in texts.items() if text is not None})
    if not after.subject.strip():
        raise _refuse(_("An appointment needs a subject."))
    if draft.show_as is not None:
        after = replace(after, show_as=typed.word(ShowAs, draft.show_as, "show_as"))
    if draft.private is not None:
        after = replace(after, sensitivity=Sensitivity.PRIVATE if draft.private else Sensitivity.NORMAL)
    if draft.organizer is not None:
        after = replace(after, organizer=_organizer(draft.organizer, users))
    if draft.required is not None or draft.optional is not None:
        after = replace(after, attendees=_attendees(after.attendees, draft, users))
    return after


def _limited(text: str | None, limit: int, name: str) -> str | None:
    if text is not None and len(text) > limit:
        raise _refuse(_("The %(name)s is longer than %(limit)s characters.", name=_(name), limit=limit))
    return text


def _attendees(current: tuple[Attendee, ...], draft: Draft, users: Sequence[User]) -> tuple[Attendee, ...]:
    named: dict[str, Attendee] = {}
    known = {attendee.address: attendee for attendee in current}
    for role, texts in ((Role.REQUIRED, draft.required), (Role.OPTIONAL, draft.optional)):
        if texts is None:
            named |= {a.address: a for a in current if a.role is role and a.address not in named}
            continue
        for text in texts:
            found = person(text, users)
            response = known[found.address].response if found.address in known else Response.NONE
            named.setdefault(found.address, Attendee(found.address, found.name, role, response))
    named |= {a.address: a for a in current if a.role is Role.RESOURCE}
    if len(named) > ATTENDEES_MAX:
        raise _refuse(_("An appointment takes at most %(most)s people.", most=ATTENDEES_MAX))
    return tuple(named.values())


def _retimed(current: Appointment, draft: Draft) -> Appointment:
    zone = typed.zone(draft.time_zone) if draft.time_zone is not None else current.zone
    was = current.span
    whole = was.all_day if draft.all_day is None else draft.all_day
    if whole == was.all_day:
        start, length = was.start, was.end - was.start
    elif whole:
        first, last = wall(was.start, zone).date(), wall(was.end, zone).date()
        start, length = all_day(first, first + _DAY).start, max(last - first, _DAY)
    else:
        start, length = instant(was.start.replace(tzinfo=None), zone), was.end - was.start
    if draft.start is not None:
        start = _moment(draft.start, zone, whole=whole)
    end = _moment(draft.end, zone, whole=whole) if draft.end is not None else start + length
    return replace(current, span=_span(start, end, whole=whole), zone=zone)


def _repeated(current: Appointment, draft: Draft) -> Appointment:
    """Return the appointment with the draft's repetition, its span moved to the first fitting date."""
    if draft.recurrence is None and current.recurrence is None:
        return current
    if draft.recurrence == "":
        return replace(current, recurrence=None, exceptions=(), deleted=())
    first, at = _first_wall(current)
    try:
        recurrence = _pattern(draft.recurrence, current, first, at)
        moved = first_fitting(recurrence.pattern, first) - first
    except (UnsupportedPattern, ValueError) as error:
        raise SyncError("RecurrenceNotSupported", subject=current.subject, detail=str(error)) from error
    recurrence = replace(recurrence, first=first + moved)
    if recurrence.until is not None and recurrence.until < recurrence.first:
        raise _refuse(_("The repetition ends before its first date."))
    return replace(current, span=_moved(current, moved), recurrence=recurrence)


def _pattern(text: str | None, current: Appointment, first: date, at: time) -> Recurrence:
    if text is None:
        assert current.recurrence is not None
        return replace(current.recurrence, first=first)
    if current.span.all_day:
        return from_rrule(text, first)
    return from_rrule(text, first, start=at, zone=current.zone)


def _first_wall(current: Appointment) -> tuple[date, time]:
    if current.span.all_day:
        return current.span.start.date(), time()
    start = wall(current.span.start, current.zone)
    return start.date(), start.time()


def _moved(current: Appointment, by: timedelta) -> Span:
    span = current.span
    if span.all_day:
        return Span(span.start + by, span.end + by, all_day=True)
    start, end = (instant(wall(at, current.zone) + by, current.zone) for at in (span.start, span.end))
    return Span(start, max(start, end))


def _refuse(why: str) -> SyncError:
    return SyncError("InvalidRequest", detail=why)


def given(fields: Mapping[str, object]) -> Draft:
    """Return the draft of a mapping that may hold other things too; None means not given."""
    names = {name: fields[name] for name in Draft.__dataclass_fields__ if fields.get(name) is not None}
    return Draft(**names)  # type: ignore[arg-type]
