"""Who is unavailable when: the rules of the scheduling conflict, pure (server-side-sync.md, CD-01 to CD-16).

An appointment makes persons busy (`persons`), a blocker is what keeps one person busy (`Busy`), and `clashes` compares
the two for one person. Addresses are resolved to people, blockers are looked up and permissions are applied elsewhere:
this module must not know a database, a clock or a user.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import (
    Appointment,
    Attendee,
    Identity,
    Recurrence,
    Response,
    Role,
    ShowAs,
    Span,
    Status,
)
from syncline.core.overlaps import Course, Near, Track, Window, join, track
from syncline.core.rrule import to_rrule
from syncline.core.times import epoch_s, from_epoch_s

HORIZON_DAYS = 1830


class AllDayBlocks(StrEnum):
    """Which all-day items block (CD-08); BUSY means Busy and Out of Office."""

    OUT_OF_OFFICE = "out_of_office"
    BUSY = "busy"
    NEVER = "never"


class ConflictPolicy(Struct, frozen=True, gc=False, kw_only=True):
    """The settings `conflict.*`: whether to check, what blocks, and how far to look."""

    enabled: bool = True
    tentative_blocks: bool = False
    check_optional: bool = True
    check_past: bool = False
    all_day_blocks: AllDayBlocks = AllDayBlocks.BUSY
    horizon_days: int = HORIZON_DAYS


class Person(Struct, frozen=True, gc=False, kw_only=True):
    """Somebody whom an appointment makes busy, by address in lower case."""

    address: str
    name: str = ""
    role: Role = Role.REQUIRED
    organizer: bool = False


class Busy(Struct, frozen=True, gc=False, kw_only=True):
    """One thing that keeps one person busy: a single, an exception, or a series by its rule.

    `span` of a series is its first occurrence. `without` are the original starts of a series that do not stand where
    the pattern puts them: the deleted ones, and the exceptions, which are values of their own.
    """

    row_id: str
    identity: Identity
    span: Span
    zone: str = "UTC"
    show_as: ShowAs = ShowAs.BUSY
    status: Status = Status.SCHEDULED
    subject: str = ""
    private: bool = False
    recurrence: Recurrence | None = None
    without: tuple[datetime, ...] = ()


class Clash(Struct, frozen=True, gc=False, kw_only=True):
    """One occurrence of a blocker that overlaps one occurrence of the candidate (CD-13).

    `start` and `end` are those of the blocker's span (dates at 00:00 UTC if `all_day`), `candidate_start` likewise.
    """

    row_id: str
    subject: str
    start: datetime
    end: datetime
    show_as: ShowAs
    candidate_start: datetime
    private: bool = False
    all_day: bool = False


class Unavailable(Struct, frozen=True, gc=False, kw_only=True):
    """One person who is unavailable, and why."""

    user_id: str
    full_name: str
    clashes: tuple[Clash, ...]


class Verdict(Struct, frozen=True, gc=False, kw_only=True):
    """What the check of one candidate found: nothing if nobody is unavailable (CD-12).

    `occurrences` is how many of the candidate's were compared, `clashing` their starts that overlap something.
    """

    unavailable: tuple[Unavailable, ...] = ()
    occurrences: int = 0
    clashing: tuple[datetime, ...] = ()


# CD-02, CD-04: the states in which a show-as keeps somebody busy; tentative only if the policy says so.
_BLOCKING_STATES = {
    ShowAs.BUSY: (Status.SCHEDULED,),
    ShowAs.OUT_OF_OFFICE: (Status.SCHEDULED,),
    ShowAs.TENTATIVE: (Status.OPEN, Status.SCHEDULED),
}
_ALL_DAY_SHOW_AS = {
    AllDayBlocks.OUT_OF_OFFICE: (ShowAs.OUT_OF_OFFICE,),
    AllDayBlocks.BUSY: (ShowAs.BUSY, ShowAs.OUT_OF_OFFICE),
    AllDayBlocks.NEVER: (),
}
# the state a living item is stored in.
_STORED = {ShowAs.BUSY: Status.SCHEDULED, ShowAs.OUT_OF_OFFICE: Status.SCHEDULED}
_STRENGTH = {Role.REQUIRED: 0, Role.RESOURCE: 1, Role.OPTIONAL: 2}
_ADDRESS = attrgetter("address")


def blocks(show_as: ShowAs, status: Status, all_day: bool, policy: ConflictPolicy) -> bool:
    """Return whether an item in that state keeps its persons busy (CD-02 to CD-04, CD-06, CD-08)."""
    if status not in _BLOCKING_STATES.get(show_as, ()):
        return False
    if all_day:
        return show_as in _ALL_DAY_SHOW_AS[policy.all_day_blocks]
    return policy.tentative_blocks or show_as is not ShowAs.TENTATIVE


def persons(appointment: Appointment, mailbox_address: str | None) -> tuple[Person, ...]:
    """Return the persons whom an appointment of that mailbox makes busy (CD-05, CD-05a), ordered by address.

    Nobody when it is Free, Working elsewhere or cancelled; nobody who declined; the mailbox's own address always, as
    organizer if the item names none, else as required. A series has the persons of its exceptions too.
    """
    own = sorted(_persons_of(appointment, mailbox_address), key=_ADDRESS)
    if not appointment.exceptions:
        return tuple(own)
    found = {person.address: person for person in own}
    for part in appointment.exceptions:
        for person in _persons_of(part, mailbox_address):
            known = found.get(person.address)
            if known is None or _rank(person) < _rank(known):
                found[person.address] = person
    return tuple(found[address] for address in sorted(found))


def answered(content: Appointment, item: Appointment) -> Appointment:
    """Return a content that holds no answers of people with those of the item, as far as they count (CD-05a).

    A date has its own answers where it is an exception of the item too, else those of the series.
    """
    own = {part.identity.original_start: part for part in item.exceptions}
    parts = tuple(_with_answers(part, own.get(part.identity.original_start, item)) for part in content.exceptions)
    return replace(_with_answers(content, item), exceptions=parts)


def checked(person: Person, policy: ConflictPolicy) -> bool:
    """Return whether a person whom the candidate makes busy is also checked (CD-05): optional ones by policy."""
    return policy.check_optional or person.organizer or person.role is not Role.OPTIONAL


def busy_of(
    appointment: Appointment,
    row_id: str,
    *,
    status: Status | None = None,
    exception_ids: Mapping[datetime, str] | None = None,
    address: str | None = None,
    mailbox_address: str | None = None,
) -> tuple[Busy, ...]:
    """Return the blockers that one row is: itself, and each of its exceptions under its own row id if it has one.

    `status` None derives it from show-as (A-21). With `address` only what makes that person busy.
    """
    ids = exception_ids or {}
    parts = (appointment, *appointment.exceptions)
    found = []
    for part in parts:
        if address is not None and address not in {person.address for person in _persons_of(part, mailbox_address)}:
            continue
        original = part.identity.original_start
        own_id = row_id if part is appointment or original is None else ids.get(original, row_id)
        found.append(_busy(part, own_id, status if status is not None and not part.canceled else _status(part)))
    return tuple(found)


def clashes(
    candidate: Appointment,
    blockers: Iterable[Busy],
    person_zone: str,
    now: datetime | None,
    policy: ConflictPolicy,
    *,
    address: str | None = None,
    mailbox_address: str | None = None,
    row_id: str | None = None,
    present: datetime | None = None,
) -> list[Clash]:
    """Return every overlap of the candidate with one person's blockers, by candidate start, start and row (CD-09).

    `person_zone` is where that person's all-day items begin and end (CD-08). Occurrences that ended before `now` are
    not compared (CD-07) unless it is None or the policy checks the past. The horizon of a series counts from
    `present`, by default `now`; without both, from the latest beginning of any series compared. `address` limits the
    candidate to the occurrences that make that person busy; `row_id` is the candidate's own row. Blockers that do not
    block (CD-03, CD-04), the item itself and other parts of its meeting are ignored.
    """
    listed = list(blockers)
    if not policy.enabled or not listed:
        return []
    window = _window(candidate, listed, now, present, policy)
    ours = _candidate_track(candidate, person_zone, window, policy, address, mailbox_address)
    if not ours.starts:
        return []
    near = Near(ours)
    begin, end = from_epoch_s(near.first_s), from_epoch_s(near.last_s)
    found: list[Clash] = []
    for busy in listed:
        if _elsewhen(busy, begin, end) or not _in_the_way(busy, candidate.identity, row_id, policy):
            continue
        theirs = track(_course(busy), person_zone, window, near)
        found.extend(_clash(busy, ours, theirs, places) for places in near.pairs(theirs))
    return sorted(found, key=lambda clash: (clash.candidate_start, clash.start, clash.row_id, clash.end))


def candidate_times(
    candidate: Appointment,
    person_zone: str,
    now: datetime | None,
    policy: ConflictPolicy,
    *,
    present: datetime | None = None,
) -> list[tuple[datetime, datetime]]:
    """Return the instants [start, end) that the candidate's compared occurrences cover, ordered, overlapping joined.

    An index of busy singles needs to be asked for these only.
    """
    window = _window(candidate, (), now, present, policy)
    ours = _candidate_track(candidate, person_zone, window, policy, None, None)
    merged: list[tuple[int, int]] = []
    for start, end in zip(ours.starts, ours.ends, strict=True):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return [(from_epoch_s(start), from_epoch_s(end)) for start, end in merged]


def verdict(
    candidate: Appointment,
    unavailable: Iterable[Unavailable],
    now: datetime | None,
    policy: ConflictPolicy,
    *,
    present: datetime | None = None,
) -> Verdict:
    """Return the findings about all persons as one (CD-09, CD-12), people without a clash left out."""
    people = tuple(person for person in unavailable if person.clashes)
    starts = {clash.candidate_start for person in people for clash in person.clashes}
    window = _window(candidate, (), now, present, policy)
    compared = _candidate_track(candidate, "UTC", window, policy, None, None)
    return Verdict(unavailable=people, occurrences=len(compared.starts), clashing=tuple(sorted(starts)))


def scheduling_digest(appointment: Appointment, persons: Iterable[Person]) -> str:
    """Return the digest an answer is bound to (Q-02): when and how busy for whom, nothing else.

    `persons` are those that count, usually the resolved ones: who is not among them may come, go and decline. Texts,
    other responses, revisions and the order of anything do not enter; a zone enters with a series only, whose later
    occurrences depend on it.
    """
    known = tuple(persons)
    counted = {person.address for person in known}
    course = appointment.recurrence
    exceptions = sorted(appointment.exceptions, key=lambda part: part.identity) if appointment.exceptions else ()
    bound = (
        _bound(appointment, counted),
        None if course is None else (course.first, to_rrule(course), appointment.zone),
        [(_second(part.identity.original_start), _bound(part, counted)) for part in exceptions],
        [_second(original) for original in sorted(appointment.deleted)],
        sorted(map(_part_played, known)),
    )
    return hashlib.sha256(msgspec.json.encode(bound)).hexdigest()


def _persons_of(
    part: Appointment, mailbox_address: str | None, among: Container[str] | None = None
) -> Sequence[Person]:
    """Return the persons of one part by itself, each address once, in its strongest role; `among` None: all of them."""
    if part.canceled or part.show_as not in _BLOCKING_STATES:
        return ()
    mailbox = mailbox_address.lower() if mailbox_address else ""
    parties = [(each.address.lower(), each) for each in part.attendees]
    seen = {address for address, each in parties if each.response is Response.DECLINED}
    seen.add("")
    if part.response is Response.DECLINED:
        seen.add(mailbox)
    found: list[Person] = []
    organizer = part.organizer
    address, name = (organizer.address.lower(), organizer.name) if organizer is not None else ("", "")
    address = address or mailbox
    if address not in seen:
        seen.add(address)
        found.append(Person(address=address, name=name, organizer=True))
    counted = parties if among is None else [party for party in parties if party[0] in among]
    for address, each in _strongest_first(counted):
        if address not in seen:
            seen.add(address)
            found.append(Person(address=address, name=each.name, role=each.role))
    if mailbox not in seen:
        found.append(Person(address=mailbox))
    return found


def _strongest_first(parties: Sequence[tuple[str, Attendee]]) -> Sequence[tuple[str, Attendee]]:
    """Return the parties as they are if each has an address of its own, else in the order of their roles."""
    if len({address for address, _ in parties}) == len(parties):
        return parties
    return sorted(parties, key=_by_strength)


def _by_strength(party: tuple[str, Attendee]) -> tuple[int, str]:
    _, attendee = party
    return _STRENGTH[attendee.role], attendee.address


def _with_answers(part: Appointment, item: Appointment) -> Appointment:
    declined = _declined(item)
    people = (
        replace(each, response=Response.DECLINED) if each.address.lower() in declined else each
        for each in part.attendees
    )
    return replace(part, attendees=tuple(people), response=item.response)


def _declined(part: Appointment) -> set[str]:
    return {each.address.lower() for each in part.attendees if each.response is Response.DECLINED}


def _rank(person: Person) -> int:
    return -1 if person.organizer else _STRENGTH[person.role]


def _status(part: Appointment) -> Status:
    return Status.CANCELED if part.canceled else _STORED.get(part.show_as, Status.OPEN)


def _busy(part: Appointment, row_id: str, status: Status) -> Busy:
    moved = (each.identity.original_start for each in part.exceptions)
    return Busy(
        row_id=row_id,
        identity=part.identity,
        span=part.span,
        zone=part.zone,
        show_as=part.show_as,
        status=status,
        subject=part.subject,
        private=part.private,
        recurrence=part.recurrence,
        without=tuple(sorted({*part.deleted, *(original for original in moved if original is not None)})),
    )


def _elsewhen(busy: Busy, begin: datetime, end: datetime) -> bool:
    """Return at little cost whether a single with a time of day lies outside [begin, end)."""
    span = busy.span
    return busy.recurrence is None and not span.all_day and (span.end <= begin or span.start >= end)


def _in_the_way(busy: Busy, identity: Identity, row_id: str | None, policy: ConflictPolicy) -> bool:
    if row_id is not None and busy.row_id == row_id:
        return False
    if identity.global_object_id and busy.identity.global_object_id == identity.global_object_id:
        return False
    return blocks(busy.show_as, busy.status, busy.span.all_day, policy)


def _course(busy: Busy) -> Course:
    return Course(span=busy.span, zone=busy.zone, recurrence=busy.recurrence, without=busy.without)


def _window(
    candidate: Appointment,
    listed: Iterable[Busy],
    now: datetime | None,
    present: datetime | None,
    policy: ConflictPolicy,
) -> Window:
    """Return what is compared (CD-07, CD-09); the horizon is for series, a single is compared wherever it is."""
    since = Window().since if now is None or policy.check_past else epoch_s(now)
    if candidate.recurrence is None:
        return Window(since=since)
    begins = (busy.span.start for busy in listed if busy.recurrence is not None)
    anchor = present or now or max((candidate.span.start, *begins))
    return Window(since=since, until=epoch_s(anchor) + policy.horizon_days * 86_400)


def _candidate_track(
    candidate: Appointment,
    person_zone: str,
    window: Window,
    policy: ConflictPolicy,
    address: str | None,
    mailbox_address: str | None,
) -> Track:
    """Return the occurrences of the candidate that would block, occurrence by occurrence (CD-06)."""
    parts = busy_of(candidate, "", address=address, mailbox_address=mailbox_address)
    blocking = [part for part in parts if blocks(part.show_as, part.status, part.span.all_day, policy)]
    tracks = [track(_course(part), person_zone, window) for part in blocking]
    return tracks[0] if len(tracks) == 1 else join(tracks)


def _clash(busy: Busy, ours: Track, theirs: Track, places: tuple[int, int]) -> Clash:
    our_place, their_place = places
    return Clash(
        row_id=busy.row_id,
        subject=busy.subject,
        start=from_epoch_s(theirs.shown_starts[their_place]),
        end=from_epoch_s(theirs.shown_ends[their_place]),
        show_as=busy.show_as,
        candidate_start=from_epoch_s(ours.shown_starts[our_place]),
        private=busy.private,
        all_day=busy.span.all_day,
    )


def _bound(part: Appointment, counted: Container[str]) -> tuple[object, ...]:
    """Return when, how and for whom of the counted addresses one part is busy."""
    shown = "canceled" if part.canceled else part.show_as
    people = sorted([_part_played(each) for each in _persons_of(part, None, counted) if each.address in counted])
    span = part.span
    return _second(span.start), _second(span.end), span.all_day, shown, part.response is Response.DECLINED, people


def _part_played(person: Person) -> tuple[str, str]:
    return person.address, "organizer" if person.organizer else person.role


def _second(at: datetime | None) -> datetime | None:
    return at.replace(microsecond=0) if at is not None and at.microsecond else at
