"""Answering by category in a simulated world: what owners set in Outlook, what is written there, how it must end.

`act` lets an owner choose; `left_over` and `unsaid` look at a quiet world. They must not use the engine's own reasoning
to excuse the engine. What is written at each moment is judged in `watching`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random

from sqlalchemy import select

from syncline.connectors.memory import Item
from syncline.core.answering_by_category import CategoryNames, Mark
from syncline.core.appointment import Appointment, Identity, Span
from syncline.ports import Alert, AlertState, Link, LinkState, Seen
from syncline.simulation.clock import MONDAY
from syncline.simulation.world import World
from syncline.store import schema

QUESTION = "ExchangeSyncSchedulingConflictsError"
NAMES = CategoryNames()
_ANSWERS = {NAMES.save_anyway: "yes", NAMES.keep_out: "no"}
_CHOICES = ((NAMES.save_anyway,), (NAMES.keep_out,), (NAMES.save_anyway, NAMES.keep_out), ())
_WEIGHTS = (5, 4, 1, 1)
_MORNING = timedelta(hours=4)
PAGE = 100


def busy_mornings(world: World) -> None:
    """Enter appointments in the CRM that most others overlap, so that there is much to be asked."""
    for address in world.mailboxes:
        owner = address.partition("@")[0]
        for day in range(3):
            start = MONDAY.replace(hour=9) + timedelta(days=day)
            busy = Appointment(
                identity=Identity(f"crm-{owner}-{day}"), subject="All morning", span=Span(start, start + _MORNING)
            )
            world.crm.create(busy, owner=owner)


def act(world: World, rng: Random) -> None:
    """Let an owner set categories on an item of his own: on one that waits or was kept out, or on any."""
    asked = [link for link in _links(world) if link.state in (LinkState.ASKED, LinkState.KEPT_OUT, LinkState.PARKED)]
    if asked and rng.random() < 0.8:
        link = rng.choice(asked)
        address = next(address for address, number in world.mailboxes.items() if number == link.mailbox_id)
        items = [item for item in world.exchange.items(address) if item.ref == link.ref]
    else:
        address = rng.choice(world.exchange.addresses())
        items = list(world.exchange.items(address))
    if items:
        _set(world, rng, address, rng.choice(items))


def _set(world: World, rng: Random, address: str, item: Item) -> None:
    chosen = rng.choices(_CHOICES, weights=_WEIGHTS)[0]
    kept = [name for name in item.appointment.categories if name not in (NAMES.waiting, *_ANSWERS)]
    if rng.random() < 0.1:
        kept = []  # Untracked, and the rest stays or not.
    beside = (NAMES.waiting,) if rng.random() < 0.5 and NAMES.waiting in item.appointment.categories else ()
    world.exchange.set_categories(address, item.ref, (*kept, *beside, *chosen))
    name = item.appointment.identity.global_object_id
    for each in chosen:
        world.said.add((name, _ANSWERS[each]))
        if _ANSWERS[each] == "yes":
            world.ledger.confirmed.add(name)
        else:
            world.refused.add(name)
    world.tell(f"{address} sets {', '.join((*beside, *chosen)) or 'no category of ours'} on {name} ({item.ref})")


def left_over(world: World, address: str, links: Sequence[Link], alerts: Sequence[Alert]) -> Iterator[str]:
    """Yield what is wrong with the categories of a mailbox in a quiet world."""
    if world.setting.rules.outlook is None or world.exchange.store(address).write_denied:
        yield from _untouched(world, address)
        return
    open_ones = {a.link_id for a in alerts if a.state is AlertState.OPEN and a.code == QUESTION}
    asked = {link.ref for link in links if link.id in open_ones}
    followed = {link.ref for link in links if link.seen is Seen.PRESENT}
    held = _held(alerts)
    later = {link.ref for link in links if link.id in held}
    for item in (one for one in world.exchange.items(address) if one.ref not in later):
        ours = item.ref in followed or (address, item.ref) in world.conduct.marked
        wrong = _waiting(item) if item.ref in asked else _quiet(item, ours=ours)
        if wrong is not None:
            yield f"{address} {item.appointment.identity.global_object_id} ({item.ref}): {wrong}"
    due = [mark for mark in _due(world, address) if mark.link_id not in held]
    yield from (f"{address}: the mark of {mark.ref} is due for ever" for mark in due)


def _due(world: World, address: str) -> Iterator[Mark]:
    after = 0
    while found := world.store.marks_due(world.mailboxes[address], NAMES.waiting, world.clock.now(), after, PAGE):
        yield from (mark for mark, _ in found)
        after = found[-1][0].id


def _held(alerts: Sequence[Alert]) -> set[int]:
    """Return the links that are held by another question, which comes first."""
    return {number for alert in alerts for number in alert.held}


def _waiting(item: Item) -> str | None:
    """Return what is wrong with an item that is asked about: it carries the mark, or both answers."""
    given = [each for each in item.appointment.categories if each in _ANSWERS]
    if len(given) == 1:
        return f"{given[0]} stands on it and was not taken"
    return None if given or NAMES.waiting in item.appointment.categories else "it waits and carries no mark"


def _quiet(item: Item, *, ours: bool) -> str | None:
    marked = ours and NAMES.waiting in item.appointment.categories
    return "nothing is asked, but it carries the mark" if marked else None


def unsaid(world: World) -> Iterator[str]:
    """Yield the answers that were taken from Outlook although nobody had set such a category there."""
    query = select(schema.decision.c.link_id, schema.decision.c.answer, schema.decision.c.decided_by)
    with world.store.reading() as connection:
        rows = connection.execute(query).all()
    names = {link.id: link.identity.global_object_id for link in _links(world)}
    for link_id, answer, by in rows:
        if by.endswith("in Outlook") and link_id in names and (names[link_id], answer) not in world.said:
            yield f"{names[link_id]} was answered {answer} in Outlook and nobody had said so"


def retrying(world: World) -> bool:
    """Return whether a mark waits for its next try, but for lack of rights."""
    free = [n for a, n in world.mailboxes.items() if not world.exchange.store(a).write_denied]
    query = select(schema.mark.c.id).where(schema.mark.c.mailbox_id.in_(free), schema.mark.c.next_try.is_not(None))
    with world.store.reading() as connection:
        return connection.scalar(query.limit(1)) is not None


def _untouched(world: World, address: str) -> Iterator[str]:
    refs = [ref for of, ref in world.conduct.marked if of == address]
    yield from (f"{address} {ref}: was marked, and nothing may be written there" for ref in refs)


def _links(world: World) -> tuple[Link, ...]:
    with world.store.reading() as connection:
        ids = connection.scalars(select(schema.link.c.id)).all()
    return world.store.links_by_id(ids)
