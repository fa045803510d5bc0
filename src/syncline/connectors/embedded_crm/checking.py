"""Who is unavailable for which candidate: candidates of one chunk against the index and against each other.

The rules are `core.scheduling`; this module brings people and blockers to them. What is booked while a chunk runs is
laid over what the index said, so that each item is judged against what was booked just before (Q-09). It must not
write anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from syncline.connectors.embedded_crm.blockers import Asked, Blocker, load_series, load_spans
from syncline.connectors.embedded_crm.directory import Known, known_users
from syncline.core.appointment import Appointment
from syncline.core.scheduling import (
    Busy,
    Clash,
    ConflictPolicy,
    Unavailable,
    Verdict,
    candidate_times,
    checked,
    clashes,
    persons,
    verdict,
)
from syncline.core.times import epoch_s
from syncline.ports import Candidate

_Times = list[tuple[int, int]]


class _Subject(Struct, frozen=True):
    """One person of one candidate who is checked: all his addresses, and when the candidate wants him."""

    known: Known
    addresses: tuple[str | None, ...]
    times: _Times


@dataclass(slots=True)
class Check:
    """The candidates of one chunk with everything that could be in their way."""

    candidates: Sequence[Candidate]
    policy: ConflictPolicy
    present: datetime
    mailboxes: Sequence[str | None] = ()
    subjects: list[list[_Subject]] = field(default_factory=list)
    spans: Mapping[tuple[int, int], list[Blocker]] = field(default_factory=dict)
    series: Mapping[int, list[Blocker]] = field(default_factory=dict)
    rewritten: set[str] = field(default_factory=set)
    booked: dict[int, list[Blocker]] = field(default_factory=dict)

    def verdict(self, place: int) -> Verdict:
        """Judge one candidate against the index and what was booked since (CD-12, CD-13)."""
        candidate = self.candidates[place]
        if not _asks(candidate, self.policy):
            return Verdict()
        unavailable = [
            Unavailable(user_id=str(subject.known.number), full_name=subject.known.full_name, clashes=tuple(found))
            for subject in self.subjects[place]
            if (found := self._clashes(place, subject))
        ]
        return verdict(candidate.appointment, unavailable, candidate.since, self.policy, present=self.present)

    def lay_over(self, root_id: str, blockers: Mapping[int, Sequence[Blocker]]) -> None:
        """Remember what was just written: the row's old times no longer count, its new ones (by user) do."""
        self.rewritten.add(root_id)
        for user_id, added in blockers.items():
            self.booked.setdefault(user_id, []).extend(added)

    def _clashes(self, place: int, subject: _Subject) -> list[Clash]:
        blockers = self._in_reach(place, subject)
        first, *others = subject.addresses
        found = self._clashes_of(place, subject, first, blockers)
        for address in others:  # somebody invited under two addresses meets each thing once
            found += [clash for clash in self._clashes_of(place, subject, address, blockers) if clash not in found]
        return found

    def _clashes_of(self, place: int, subject: _Subject, address: str | None, blockers: Sequence[Busy]) -> list[Clash]:
        candidate = self.candidates[place]
        return clashes(
            candidate.appointment,
            blockers,
            subject.known.time_zone,
            candidate.since,
            self.policy,
            address=address,
            mailbox_address=self.mailboxes[place],
            row_id=candidate.row_id,
            present=self.present,
        )

    def _in_reach(self, place: int, subject: _Subject) -> list[Busy]:
        number = subject.known.number
        low, high = subject.times[0][0], max(end for _, end in subject.times)
        listed = [*self.spans.get((place, number), ()), *self.series.get(number, ())]
        kept = [blocker for blocker in listed if blocker.root_id not in self.rewritten]
        kept.extend(self.booked.get(number, ()))
        return [blocker.busy for blocker in kept if blocker.low < high and (blocker.high is None or blocker.high > low)]


def load_check(
    connection: Connection, candidates: Sequence[Candidate], policy: ConflictPolicy, present: datetime
) -> Check:
    """Read everything that the candidates of one chunk have to be compared with, in three queries."""
    check = Check(candidates, policy, present)
    wanted = {person.address for candidate in candidates if _asks(candidate, policy) for person in candidate.persons}
    known = known_users(connection, wanted) if wanted else {}
    check.mailboxes = [mailbox_of(candidate, known) for candidate in candidates]
    check.subjects = [_subjects(check, place, known) for place in range(len(candidates))]
    asked = [
        Asked(place, subject.known.number, low, high)
        for place, subjects in enumerate(check.subjects)
        for subject in subjects
        for low, high in subject.times
    ]
    if asked:
        check.spans = load_spans(connection, asked)
        check.series = load_series(connection, asked)
    return check


def mailbox_of(candidate: Candidate, known: Mapping[str, Known]) -> str | None:
    """Return the address under which the user of the writing mailbox is one of the persons (CD-05a)."""
    if candidate.user is None:
        return None
    own = (p.address for p in candidate.persons if p.address in known and known[p.address].name == candidate.user)
    return next(own, None)


def made_busy(candidate: Candidate, part: Appointment, mailbox: str | None) -> tuple[frozenset[str], bool]:
    """Return the addresses that one part of a candidate makes busy: its own people and those named by nobody.

    `part` is the candidate's appointment or one of its exceptions. Who declined is not among the candidate's persons,
    although the content no longer says so; False beside the addresses says that nothing is known about that, because
    the part keeps nobody busy as it is.
    """
    listed = {person.address for person in candidate.persons}
    alone = replace(part, exceptions=()) if part.exceptions else part
    own = {person.address for person in persons(alone, mailbox)}
    return frozenset(own & listed | (listed - _named(candidate.appointment, mailbox))), bool(own)


def _asks(candidate: Candidate, policy: ConflictPolicy) -> bool:
    return candidate.check and policy.enabled


def _subjects(check: Check, place: int, known: Mapping[str, Known]) -> list[_Subject]:
    candidate = check.candidates[place]
    if not _asks(candidate, check.policy):
        return []
    addresses: dict[Known, list[str]] = {}
    for person in candidate.persons:
        if checked(person, check.policy) and person.address in known:
            addresses.setdefault(known[person.address], []).append(person.address)
    named = _named(candidate.appointment, check.mailboxes[place])
    limited = bool(candidate.appointment.exceptions)
    found = []
    for who, own in addresses.items():
        times = _times(check, candidate, who)
        limits = dict.fromkeys(address if limited and address in named else None for address in own)
        if times:
            found.append(_Subject(who, tuple(limits), times))
    return found


def _times(check: Check, candidate: Candidate, who: Known) -> _Times:
    found = candidate_times(candidate.appointment, who.time_zone, candidate.since, check.policy, present=check.present)
    return [(epoch_s(start), epoch_s(end)) for start, end in found]


def _named(appointment: Appointment, mailbox: str | None) -> frozenset[str]:
    parts = (appointment, *appointment.exceptions)
    people = {attendee.address.lower() for part in parts for attendee in part.attendees}
    organizers = {part.organizer.address.lower() for part in parts if part.organizer}
    return frozenset(people | organizers | ({mailbox} if mailbox else set()))
