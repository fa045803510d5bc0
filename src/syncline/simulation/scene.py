"""What a simulated world offers to those who act in it, and the appointments that they make up.

Everything random comes from the scene's generator. It must not know who does what.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from syncline.connectors.memory import MemoryCrm, MemoryExchange
from syncline.core.appointment import Address, Appointment, Attendee, Identity, Response, Role, ShowAs, Span
from syncline.simulation.clock import MONDAY, VirtualClock
from syncline.simulation.conduct import CATEGORY

OUTSIDER = "guest@elsewhere.example"
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Scene:
    """What people can see and touch; `uids` counts the meetings so far, `tracked` is what ever was tracked."""

    rng: Random
    clock: VirtualClock
    exchange: MemoryExchange
    crm: MemoryCrm
    track_all: frozenset[str]
    tracked: set[str]
    uids: int = 0


def new_appointment(scene: Scene, address: str, span: Span, prefix: str = "item") -> Appointment:
    """Return a new appointment of somebody, with or without guests."""
    scene.uids += 1
    uid = f"{prefix}-{scene.uids}"
    external = scene.rng.random() < 0.1
    organizer = Address(OUTSIDER if external else address)
    return Appointment(
        identity=Identity(uid),
        subject=f"Subject {uid}",
        span=span,
        show_as=scene.rng.choice((ShowAs.BUSY, ShowAs.BUSY, ShowAs.BUSY, ShowAs.OUT_OF_OFFICE, ShowAs.TENTATIVE)),
        organizer=organizer,
        attendees=(Attendee(address),) if external else guests(scene, address),
        response=Response.ACCEPTED if external else Response.ORGANIZER,
        categories=some_categories(scene),
        created=scene.clock.now() - timedelta(minutes=scene.rng.randint(0, 600)),
    )


def guests(scene: Scene, address: str) -> tuple[Attendee, ...]:
    """Return whom somebody invites: nobody, colleagues, or somebody from outside."""
    others = [*(one for one in scene.exchange.addresses() if one != address), OUTSIDER]
    if scene.rng.random() < 0.6:
        return ()
    chosen = scene.rng.sample(others, scene.rng.randint(1, min(2, len(others))))
    roles = (Role.REQUIRED, Role.REQUIRED, Role.OPTIONAL)
    return tuple(Attendee(one, role=scene.rng.choice(roles)) for one in chosen)


def some_categories(scene: Scene) -> tuple[str, ...]:
    """Return the categories of a new item: most are tracked."""
    return (CATEGORY,) if scene.rng.random() < 0.75 else ()


def some_span(scene: Scene) -> Span:
    """Return a span on one of the next days, on a coarse grid, so that people often meet."""
    day = MONDAY.replace(hour=0) + scene.rng.randint(0, 2) * _DAY
    if scene.rng.random() < 0.06:
        return Span(day, day + scene.rng.randint(1, 2) * _DAY, all_day=True)
    start = day + scene.rng.randint(9, 13) * _HOUR
    return Span(start, start + scene.rng.choice((0.5, 1, 1, 2)) * _HOUR)
