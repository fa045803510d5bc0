"""What must be true of the way to Exchange in a quiet world in which both sides are partners.

Both sides are equal or a question, an error, a No or a skip code says why; what belongs into a calendar stands there
once; what was deleted is in the trash. It looks at the world from the outside and must not use the engine's reasoning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import select

from syncline.connectors.memory import Item
from syncline.core.appointment import Appointment, Identity, ShowAs, Status
from syncline.core.merging import CANCELED, EXCEPTION_TEXTS, EXCEPTIONS, differences
from syncline.core.pushing import SETTABLE, Direction
from syncline.core.recurrence import occurrences
from syncline.engine import holding
from syncline.ports import Alert, CrmRow, Link, LinkState, Origin, Seen
from syncline.simulation import oracle
from syncline.simulation.clock import MONDAY
from syncline.simulation.conduct import everything
from syncline.simulation.diary import FIELDS
from syncline.simulation.world import World
from syncline.store import schema

_YEAR = timedelta(days=366)
_CLOSED = (Status.COMPLETED, Status.CANCELED)
_RESTING = (LinkState.SETTLED, LinkState.UNSETTLED)
_TOLD = (LinkState.SKIPPED, LinkState.FAILED, LinkState.KEPT_OUT, LinkState.PARKED, LinkState.ASKED)


class _Seen(Struct, frozen=True):
    """What the checks look at: links and questions of one mailbox, its items, and the rows by identity and by id."""

    world: World
    address: str
    links: tuple[Link, ...]
    alerts: tuple[Alert, ...]
    items: dict[str, Item]
    rows: dict[str, CrmRow]

    @property
    def held(self) -> frozenset[int]:
        """Return the links that a question holds, answered or not."""
        return frozenset(number for alert in self.alerts for number in alert.held)


def judge(world: World) -> list[str]:
    """Return everything that is wrong with the way out; nothing in a world without one."""
    if not world.setting.rules.outgoing:
        return []
    found: list[str] = []
    for address, state in oracle.read(world).items():
        items = {item.ref: item for item in world.exchange.items(address)}
        rows = {row.id: row for row in world.crm.rows()}
        seen = _Seen(world, address, state.links, state.alerts, items, rows)
        found += _equal(seen)
        found += _standing(seen)
        found += _doubled(seen)
        found += _dealt_with(seen)
        found += _asked(seen)
        found += _kept(seen)
    found += _trash(world)
    return found


# --- both sides are equal ----------------------------------------------------------------------------------------


def _equal(seen: _Seen) -> Iterator[str]:
    for link in seen.links:
        item, row = seen.items.get(link.ref), seen.rows.get(link.crm_id or "")
        if item is None or row is None or link.seen is not Seen.PRESENT or not link.writes or link.id in seen.held:
            continue
        if link.state not in _RESTING:
            continue
        pending = _pending(seen, link, item, row)
        if pending:
            yield f"{_name(seen, link)}: {link.state.value}, but {', '.join(sorted(pending))} differ between both sides"
        elif link.state is LinkState.UNSETTLED:
            yield f"{_name(seen, link)}: unsettled, but both sides are equal"


def _pending(seen: _Seen, link: Link, item: Item, row: CrmRow) -> frozenset[str]:
    """Return the fields that differ and should not."""
    world = seen.world
    ours = oracle.without_left_out(world, seen.address, item.appointment, oracle.content(row))
    ours = oracle.carried(ours, oracle.content(row), world.clock.latest)
    theirs = _shown(oracle.content(row), row.status, ours)
    pending = set(differences(ours, theirs))
    if ours.canceled and row.status is not Status.CANCELED and row.status is not Status.COMPLETED:
        pending.add(CANCELED)
    if ours.canceled and row.status is Status.CANCELED:
        pending.clear()  # called off on both sides: the closed row stays as it was
    if not _organizes(seen.address, item.appointment):
        pending.clear()  # nobody but the organizer writes the meeting: what the CRM changed stays there
    if link.identity.global_object_id in world.conduct.answered(holding.ORGANIZER, "no"):
        if _handed(seen.address, row):
            pending.clear()  # the row is somebody else's, and the item was to stay as it is
        pending -= {"organizer", "attendees", "show_as", EXCEPTIONS}
    if link.identity.global_object_id in _denied(world):
        pending.clear()
    return frozenset(pending - _one_way(world))


def _handed(address: str, row: CrmRow) -> bool:
    """Return whether the row names somebody else as organizer than whose calendar it is."""
    organizer = row.appointment.organizer
    return organizer is not None and organizer.address != address


def _shown(row: Appointment, status: Status, item: Appointment) -> Appointment:
    """Return what Exchange should show of a row: closed is free, and only Exchange cancels there (A-04, A-13)."""
    known = {part.identity: part for part in item.exceptions}

    def shown(part: Appointment, base: Appointment | None) -> Appointment:
        free = status in _CLOSED or (part.canceled and not (base and base.canceled))
        organizer = base.organizer if base else part.organizer
        show_as = ShowAs.FREE if free else part.show_as
        return replace(part, canceled=bool(base and base.canceled), organizer=organizer, show_as=show_as)

    parts = tuple(shown(part, known.get(part.identity)) for part in row.exceptions)
    show_as = ShowAs.FREE if status in _CLOSED else row.show_as
    organizer = row.organizer if item.organizer is not None else None
    return replace(row, canceled=item.canceled, show_as=show_as, exceptions=parts, organizer=organizer)


def _one_way(world: World) -> set[str]:
    """Return the fields that do not flow both ways by setting, and what they are called in dates of a series."""
    directions = world.setting.rules.pushing.directions
    fixed = {name for name in SETTABLE if directions.get(name, Direction.BOTH) is not Direction.BOTH}
    return fixed | ({EXCEPTION_TEXTS} if fixed else set())


def _denied(world: World) -> set[str]:
    """Return the meetings about which people said No to a question that holds writes back."""
    codes = (*holding.MANY, holding.RESTORED, holding.OVERRULED, holding.DIVERGED)
    return set().union(*(world.conduct.answered(code, "no") for code in codes))


def _kept(seen: _Seen) -> Iterator[str]:
    """Yield edits of people that nobody overwrote and that stand nowhere any more."""
    for link in seen.links:
        row = _flowing(seen, link)
        if row is None:
            continue
        for what in (one for one in FIELDS if one not in _one_way(seen.world)):
            given = seen.world.diary.edits.get((link.identity.global_object_id, what))
            if given and getattr(row.appointment, what) not in given.values():
                told = " or ".join(f"{value} ({side.value})" for side, value in given.items())
                yield f"{_name(seen, link)}: {what} is {getattr(row.appointment, what)}, and people said {told}"


def _flowing(seen: _Seen, link: Link) -> CrmRow | None:
    """Return the row of a link through which edits flow both ways; None if an answer, a code or a twin stops them."""
    item, row = seen.items.get(link.ref), seen.rows.get(link.crm_id or "")
    if item is None or row is None or row.status in _CLOSED or link.state is not LinkState.SETTLED:
        return None
    twins = [one for one in seen.items.values() if one.appointment.identity == item.appointment.identity]
    if not link.writes or not _organizes(seen.address, item.appointment) or len(twins) > 1:
        return None
    stopped = _denied(seen.world) | seen.world.refused
    return None if link.id in seen.held or link.identity.global_object_id in stopped else row


# --- what belongs there stands there -----------------------------------------------------------------------------


def _standing(seen: _Seen) -> Iterator[str]:
    for row in seen.rows.values():
        if not seen.world.conduct.in_scope(seen.address, row) or row.status in _CLOSED:
            continue
        name = row.appointment.identity.global_object_id
        # Who was invited to one date of a series has that date.
        here = [one for one in seen.items.values() if one.appointment.identity.global_object_id == name]
        links = [link for link in seen.links if link.crm_id == row.id or link.identity == row.appointment.identity]
        if not here and not _excused(seen, row, links) and _has_dates(row):
            told = ", ".join(
                f"{one.seen.value} {one.state.value} {one.sync_error or 'without a code'}" for one in links
            )
            yield f"{seen.address} {name}: its row belongs here and nothing stands here ({told or 'no link'})"


def _doubled(seen: _Seen) -> Iterator[str]:
    """Yield what Syncline made although it stood there already, or more than once."""
    conduct = seen.world.conduct
    counted = Counter(item.appointment.identity.global_object_id for item in seen.items.values())
    for ref, item in seen.items.items():
        name, made = item.appointment.identity.global_object_id, conduct.doubled.get((seen.address, ref))
        if made is None or counted[name] == 1 or name in conduct.helpless:
            continue
        if made != item.appointment:
            conduct.helpless.add(name)  # people have changed it, and nothing of that may be lost
        else:
            yield f"{seen.address} {name}: made although it stood there"
    for name, number in conduct.times_made(seen.items.values()).items():
        if number > 1 and name not in conduct.helpless:
            yield f"{seen.address} {name}: made {number} times and nobody copied it"


def _has_dates(row: CrmRow) -> bool:
    """Return whether a row has a date left; without one no series stands in Exchange."""
    if row.appointment.recurrence is None:
        return True
    return next(occurrences(row.appointment, MONDAY - _YEAR, MONDAY + _YEAR), None) is not None


def _excused(seen: _Seen, row: CrmRow, links: list[Link]) -> bool:
    """Return whether a code, a question, an answer or a person's own deletion says why nothing stands here."""
    if any(link.state in _TOLD and link.sync_error for link in links) or any(link.id in seen.held for link in links):
        return True
    ledger, begun = seen.world.ledger, row.appointment.span.start < seen.world.clock.now()
    name = row.appointment.identity.global_object_id
    kept = seen.address in ledger.retained and name in seen.world.refused
    if (seen.address, row.appointment.identity) in ledger.lost and (begun or seen.address in ledger.released or kept):
        return True  # lost with a restored mailbox: it is over, or somebody said to let it go or to keep the row alone
    if _goes_on_elsewhere(seen, row):
        return True
    return name in _denied(seen.world) or (seen.address, name) in _deleted_by_people(seen.world)


def _goes_on_elsewhere(seen: _Seen, row: CrmRow) -> bool:
    """Return whether what stood here went rightly and the row is another calendar's: no second meeting is made (A-14).

    Either people let another organizer have it, or it is a date whose series went and that an invited person holds.
    """
    world, identity = seen.world, row.appointment.identity
    series = Identity(identity.global_object_id)
    if series.global_object_id in world.conduct.answered(holding.ORGANIZER, "yes") and _handed(seen.address, row):
        return True
    went = any(of == seen.address and content.identity == series for of, content in world.conduct.deleted)
    held = any(of != seen.address and item.identity == identity for (of, _), item in everything(world.exchange).items())
    return identity != series and went and held


def _deleted_by_people(world: World) -> set[tuple[str, str]]:
    """Return what people have removed from their calendars: by address and meeting."""
    return {
        (address, item.appointment.identity.global_object_id)
        for address in world.exchange.addresses()
        for ref, item in world.exchange.store(address).deleted.items()
        if (address, ref) not in world.conduct.taken
    }


# --- everything is dealt with ------------------------------------------------------------------------------------


def _dealt_with(seen: _Seen) -> Iterator[str]:
    for link in seen.links:
        if link.crm_id is None or link.crm_settled == link.crm_version_seen or link.id in seen.held:
            continue
        if link.seen is Seen.UNTRACKED and link.identity.global_object_id in seen.world.refused:
            continue  # a No to a guard left it untracked: what the CRM changed waits until it is tracked again
        if link.state in _RESTING and link.next_try is None:
            yield f"{_name(seen, link)}: {link.state.value}, but what the CRM changed was never dealt with"


def _asked(seen: _Seen) -> Iterator[str]:
    """Yield questions about many that hold nothing any more."""
    known = {link.id for link in seen.links}
    for alert in seen.alerts:
        if alert.code in (*holding.MANY, *holding.SINGLE, holding.RESTORED) and not known & set(alert.held):
            yield f"{seen.address} {alert.code}: {alert.state.value}, but nothing is held"


def _trash(world: World) -> Iterator[str]:
    query = select(schema.trash.c.mailbox_id, schema.trash.c.side, schema.trash.c.appointment)
    with world.store.reading() as connection:
        kept = {(number, side, content.identity) for number, side, content in connection.execute(query)}
    for side, deleted in ((Origin.EXCHANGE, world.conduct.deleted), (Origin.CRM, world.ledger.deleted)):
        for address, content in deleted:
            if (world.mailboxes[address], side, content.identity) not in kept:
                yield f"{address} {content.identity}: deleted in {side.value}, and the trash does not hold it"


def _organizes(address: str, appointment: Appointment) -> bool:
    return appointment.organizer is None or appointment.organizer.address == address


def _name(seen: _Seen, link: Link) -> str:
    return f"{seen.address} {link.identity.global_object_id} ({link.ref})"
