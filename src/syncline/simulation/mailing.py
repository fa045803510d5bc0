"""Whom a write to Exchange may mail, by the rules alone (A-06 to A-08, A-12): from what stood before and stands after.

It must know neither the plan nor how a write asks the server to mail, so that a mode chosen wrongly is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from syncline.connectors.memory.exchange import Posted
from syncline.core.appointment import Appointment
from syncline.core.outgoing import MailKind
from syncline.core.pushing import Policy

_SENSITIVE = (
    "subject", "description", "location", "span", "attendees", "organizer", "show_as", "canceled", "importance",
    "recurrence", "zone", "deleted",
)  # fmt: skip
_UNDER_WAY = timedelta(hours=1)
"""So long a write may take from its decision: what has begun meanwhile had not begun then."""


def misdirected(
    address: str,
    before: Appointment | None,
    after: Appointment | None,
    posted: Sequence[Posted],
    now: datetime,
    policy: Policy,
) -> Iterator[str]:
    """Yield what is wrong about the mails of one write to an item of a mailbox; None: it is not there."""
    standing = [side for side in (before, after) if side is not None]
    if not posted or not standing:
        return
    yield from _misplaced(address, standing, posted)
    if not policy.mail_about_past and all(_began(side, now) for side in standing):
        yield "somebody was mailed about what had begun"
    if before is not None and after is not None and _seen(before) == _seen(after):
        yield "somebody was mailed about a change that guests do not see"
    yield from _invited_again(before, after, posted)


def _misplaced(address: str, standing: Sequence[Appointment], posted: Sequence[Posted]) -> Iterator[str]:
    organizer = standing[-1].organizer
    if organizer is not None and organizer.address != address:
        yield "somebody was mailed about a meeting that another one organizes"
    strangers = {mail.to for mail in posted} - {name for side in standing for name in _guests(side)}
    if strangers:
        yield f"{sorted(strangers)} were mailed and are no guests"


def _invited_again(before: Appointment | None, after: Appointment | None, posted: Sequence[Posted]) -> Iterator[str]:
    requests, taken_out = (
        Counter(mail.to for mail in posted if mail.kind == kind) for kind in (MailKind.REQUEST, MailKind.CANCELLATION)
    )
    # Who is taken out of a date is worth an invitation to another. Who is taken out of the series is taken out of all
    # its dates, and is invited anew to each that keeps him; nobody to more parts than he stands in.
    stands, left = _guests(after), _people(before) - _people(after)
    stays = Counter({name: stands[name] if name in left else number for name, number in taken_out.items()})
    invited = (stands - _guests(before) + stays) & stands
    for name in sorted(name for name, number in requests.items() if number > invited[name]):
        yield f"{name} was invited {requests[name]} times, and newly stands in {invited[name]} parts"


def _people(side: Appointment | None) -> set[str]:
    """Return the guests of an item itself, whoever its dates have."""
    return {guest.address for guest in side.attendees} if side is not None else set()


def _guests(side: Appointment | None) -> Counter[str]:
    """Return in how many parts of an item each guest stands."""
    parts = (side, *side.exceptions) if side is not None else ()
    return Counter(guest.address for part in parts for guest in part.attendees)


def _began(side: Appointment, now: datetime) -> bool:
    """Return whether an item had begun when its write was decided; a series goes on as long as anybody can tell."""
    return side.recurrence is None and side.span.start < now - _UNDER_WAY


def _seen(side: Appointment) -> object:
    """Return what a guest sees of an item, part by part."""
    parts = {part.identity: part for part in (side, *side.exceptions)}
    return {identity: tuple(getattr(part, name) for name in _SENSITIVE) for identity, part in parts.items()}
