"""A chunk of candidates on its way into the tables: who its people are, and what is written of it.

It lays every written candidate over the check, so that the next one is compared with it (Q-09). It must not know
outcomes or versions of other rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from syncline.connectors.embedded_crm.blockers import Blocker
from syncline.connectors.embedded_crm.checking import Check, load_check, made_busy
from syncline.connectors.embedded_crm.codes import CLOSED, PARTY_TYPE
from syncline.connectors.embedded_crm.directory import UNRESOLVED, Resolved, resolve
from syncline.connectors.embedded_crm.rows import Party, Stamp, effective_range, indexed_span, people_of, row_status
from syncline.connectors.embedded_crm.writing import Aggregate, Rows, rows_of
from syncline.core.appointment import Appointment, Role, Status
from syncline.core.scheduling import ConflictPolicy, busy_of
from syncline.ports import Candidate

SYNCLINE = "syncline"
_IMPLIED_TYPE = PARTY_TYPE[Role.REQUIRED]  # the user of the mailbox, if unnamed, counts as required (CD-05a)


class Pen(Struct, frozen=True, kw_only=True):
    """Who writes, when, and where new row ids come from."""

    crm_name: str
    now: datetime
    new_id: Callable[[], str]
    writer: str = SYNCLINE


@dataclass(slots=True)
class Chunk:
    """A chunk while it is judged: the check, who the addresses are, and what is to be written."""

    pen: Pen
    policy: ConflictPolicy
    check: Check
    resolved: Mapping[str, Resolved]
    written: list[Rows] = field(default_factory=list)

    def write(self, place: int, stamp: Stamp, exception_ids: Mapping[datetime, str]) -> None:
        """Add a candidate that passed to what is written, and to what the next ones are compared with."""
        candidate = self.check.candidates[place]
        appointment = candidate.appointment
        mailbox = self.check.mailboxes[place]
        parts = {
            part.identity.original_start: self._people(candidate, part, mailbox) for part in appointment.exceptions
        }
        ids = {start: exception_ids.get(start) or self.pen.new_id() for start in parts if start is not None}
        aggregate = Aggregate(
            appointment=appointment,
            stamp=stamp,
            people=self._people(candidate, appointment, mailbox),
            exception_ids=ids,
            people_of_exceptions={start: people for start, people in parts.items() if start is not None},
        )
        self.written.append(rows_of(aggregate))
        self.check.lay_over(stamp.id, _blockers_of(aggregate))

    def _people(self, candidate: Candidate, part: Appointment, mailbox: str | None) -> list[Party]:
        """Return the parties of one part, resolved; the writing mailbox's user is one of them (CD-05a)."""
        busy, weighed = made_busy(candidate, part, mailbox)
        named = people_of(part)
        people = [self._resolved(party, busy=party.address in busy if weighed else party.busy) for party in named]
        unnamed = sorted(busy.difference(party.address for party in named))
        implied = (Party(type=_IMPLIED_TYPE, address=address, implied=True) for address in unnamed)
        return [*people, *(self._resolved(party, busy=True) for party in implied)]

    def _resolved(self, party: Party, *, busy: bool) -> Party:
        found = self.resolved.get(party.address, UNRESOLVED)
        return Party(
            type=party.type,
            address=party.address,
            name=party.name,
            user_id=found.user.number if found.user else None,
            contact_id=found.contact_id,
            busy=busy,
            implied=party.implied,
        )


def load_chunk(connection: Connection, candidates: Sequence[Candidate], policy: ConflictPolicy, pen: Pen) -> Chunk:
    """Read everything that a chunk of candidates is judged by."""
    check = load_check(connection, candidates, policy, pen.now)
    return Chunk(pen, policy, check, resolve(connection, _addresses(candidates)))


def _addresses(candidates: Sequence[Candidate]) -> Iterator[str]:
    for candidate in candidates:
        yield from (person.address for person in candidate.persons)
        for part in (candidate.appointment, *candidate.appointment.exceptions):
            yield from (party.address for party in people_of(part))


def _blockers_of(aggregate: Aggregate) -> dict[int, list[Blocker]]:
    """Return what an aggregate that is being written keeps busy, by user."""
    appointment, stamp = aggregate.appointment, aggregate.stamp
    found: dict[int, list[Blocker]] = {}
    listed = busy_of(appointment, stamp.id, status=_common_status(aggregate), exception_ids=aggregate.exception_ids)
    for busy in listed:
        start = busy.identity.original_start
        whole = busy.row_id == stamp.id
        people = aggregate.people if whole or start is None else aggregate.people_of_exceptions[start]
        low, high = effective_range(appointment) if busy.recurrence else indexed_span(busy.span)
        for number in {party.user_id for party in people if party.busy and party.user_id is not None}:
            found.setdefault(number, []).append(Blocker(stamp.id, busy, low, high))
    return found


def _common_status(aggregate: Aggregate) -> Status | None:
    """Return the state that all parts of an aggregate share; None where each has the state of its own show-as."""
    status = row_status(aggregate.appointment, aggregate.stamp)
    shared = status in CLOSED or not aggregate.stamp.scheduling or not aggregate.appointment.exceptions
    return status if shared else None
