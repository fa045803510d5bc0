"""What must be true once faults have stopped and the mailboxes have gone quiet (style.md 11).

Every check looks at the whole world and returns violations in words: no list is a verdict, an empty one is. The oracle
knows the rules from the outside; it must not use the engine's own reasoning to excuse the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import func, select

from syncline.connectors.memory import Item
from syncline.core.appointment import Appointment, Identity, Status
from syncline.core.attachments import BAD_NAME, BLOCKED
from syncline.core.leaving_out import without
from syncline.core.merging import EXCEPTIONS, SCHEDULING_FIELDS, canonical, differences, project
from syncline.core.recurrence import occurrence_day
from syncline.engine import holding
from syncline.errors import CATALOGUE
from syncline.ports import Alert, AlertState, Candidate, CrmRow, Link, LinkState, Seen
from syncline.simulation import outlook
from syncline.simulation.conduct import CATEGORY
from syncline.simulation.world import World, place_of
from syncline.store import schema

_CLOSED = (Status.COMPLETED, Status.CANCELED)
_FOR_EVER = ("ItemNotWritable",)
"""What goes on failing in some worlds although nothing strikes any more: rights that nobody gives."""
_ABOUT_FILES = (BLOCKED, BAD_NAME)
_CONFLICT = "ExchangeSyncSchedulingConflictsError"


class State(Struct, frozen=True):
    """What Syncline remembers of one mailbox."""

    address: str
    links: tuple[Link, ...]
    alerts: tuple[Alert, ...]


def judge(world: World) -> list[str]:
    """Return everything that is wrong in a quiet world."""
    states = read(world)
    found = list(world.ledger.violations)
    for state in states.values():
        found += _items(world, state, states)
        found += _links(world, state)
        found += _questions(world, state)
        found += outlook.left_over(world, state.address, state.links, state.alerts)
        if any(intent.instead is None for intent in world.store.intents(world.mailboxes[state.address])):
            found.append(f"{state.address}: intents are left")
    found += _rows(world)
    found += _bugs(world)
    found += outlook.unsaid(world)
    return found


def read(world: World) -> dict[str, State]:
    """Return what Syncline remembers, by mailbox."""
    every = all_links(world)
    return {
        address: State(
            address,
            tuple(link for link in every if link.mailbox_id == number),
            world.store.open_alerts(number),
        )
        for address, number in world.mailboxes.items()
    }


def all_links(world: World) -> tuple[Link, ...]:
    """Return the links of all mailboxes, by id."""
    with world.store.reading() as connection:
        newest = connection.scalar(select(func.max(schema.link.c.id))) or 0
    return world.store.links_by_id(range(1, newest + 1))


def retrying(world: World) -> bool:
    """Return whether an item waits for its next try."""
    failing = [link for link in all_links(world) if link.state is LinkState.FAILED and link.next_try is not None]
    return any(link.sync_error not in _FOR_EVER for link in failing) or outlook.retrying(world)


def mark(world: World) -> dict[str, object]:
    """Return everything that must stand still in a quiet world."""
    links = all_links(world)
    return {
        "the cursors": [dict(world.store.mailbox(number).cursors) for number in world.mailboxes.values()],
        "Exchange": [(i.ref, i.revision) for of in world.exchange.addresses() for i in world.exchange.items(of)],
        "the CRM": world.crm.changes(None, 10**9).cursor,
        "links": [
            (each.id, each.ref, each.state, each.crm_id, each.crm_version, each.revision_settled) for each in links
        ],
        "questions": [(each.id, each.state, each.version) for each in world.questions()],
    }


# --- items -------------------------------------------------------------------------------------------------------


def tracked(world: World, address: str) -> Iterator[Item]:
    """Yield the items of a mailbox that are tracked now."""
    everything = address.partition("@")[0] in world.setting.track_all
    for item in world.exchange.items(address):
        if everything or CATEGORY in item.appointment.categories:
            yield item


def _items(world: World, state: State, states: dict[str, State]) -> Iterator[str]:
    links = {link.ref: link for link in state.links}
    held = {number for alert in state.alerts for number in alert.held}
    for item in tracked(world, state.address):
        name = f"{state.address} {item.appointment.identity.global_object_id} ({item.ref})"
        link = links.get(item.ref)
        if link is None:
            yield f"{name}: tracked and lost: there is no link"
        elif link.id not in held:
            yield from (f"{name}: {problem}" for problem in _explained(world, item, link, state, states))


def _explained(world: World, item: Item, link: Link, state: State, states: dict[str, State]) -> Iterator[str]:
    if link.seen is not Seen.PRESENT:
        yield f"stands in Exchange, but was last seen as {link.seen.value}"
    if link.state in (LinkState.SETTLED, LinkState.UNSETTLED):
        yield from _equal(world, item, link)
    elif link.state is LinkState.ASKED:
        yield from _asked(link, state, states)
    elif link.state in (LinkState.KEPT_OUT, LinkState.PARKED):
        yield from _kept_out(world, item, link, state)
    elif link.sync_error is None or link.sync_error not in CATALOGUE:
        yield f"{link.state.value} without a code"
    elif link.state is LinkState.FAILED and link.next_try is not None and link.sync_error not in _FOR_EVER:
        yield f"still failing with {link.sync_error} although nothing strikes any more"


def _equal(world: World, item: Item, link: Link) -> Iterator[str]:
    row = world.crm.read([link.crm_id]).get(link.crm_id) if link.crm_id else None
    if row is None:
        yield f"{link.state.value}, but there is no row"
        return
    if row.status in _CLOSED or not link.writes or world.setting.rules.outgoing:
        return  # where both sides are partners, `outward` compares them
    if link.identity.global_object_id in world.conduct.answered(holding.RESTORED, "no"):
        return  # somebody wanted the CRM to stay as it was
    address = world.address(link.mailbox_id)
    ours_now = without_left_out(world, address, item.appointment, content(row))
    ours_now = carried(ours_now, content(row), world.clock.latest)
    pending = differences(ours_now, content(row))
    if link.state is LinkState.SETTLED and pending:
        yield f"settled, but {', '.join(sorted(pending))} differ"
    if link.state is LinkState.UNSETTLED:
        # What the row says as well was written, if by another person's copy.
        ours = differences(ours_now, link.agreed) & pending if link.agreed else frozenset({"agreed"})
        if ours:
            yield f"unsettled, but {', '.join(sorted(ours))} of Exchange were not written"
        if not pending:
            yield "unsettled, but both sides are equal"


def without_left_out(world: World, address: str, standing: Appointment, theirs: Appointment) -> Appointment:
    """Return our content without the dates that somebody wanted left out, as far as they stand as they stood then."""
    ours = _projected(world, standing)
    wanted = world.left_out.get(standing.identity.global_object_id, {})
    gone = {
        date
        for date, known in wanted.items()
        if date in theirs.deleted
        # What the CRM changed of such a date may have reached Outlook: how it stands there says nothing then.
        if world.setting.rules.outgoing or known.address != address or known.place == place_of(standing, date)
    }
    parts = tuple(part for part in ours.exceptions if part.identity.original_start not in gone)
    return replace(ours, exceptions=parts, deleted=tuple(sorted({*ours.deleted, *gone})))


def _projected(world: World, appointment: Appointment) -> Appointment:
    return project(appointment, world.setting.rules.private)


def carried(ours: Appointment, theirs: Appointment, now: datetime) -> Appointment:
    """Return our content without the occurrences that were deleted in Exchange once they had begun (A-25)."""
    kept = {part.identity.original_start: part for part in theirs.exceptions}
    late = {at for at in ours.deleted if at not in theirs.deleted and (kept[at].span.start if at in kept else at) < now}
    parts = (*ours.exceptions, *(kept[at] for at in late if at in kept))
    return canonical(replace(ours, deleted=tuple(at for at in ours.deleted if at not in late), exceptions=parts))


def content(row: CrmRow) -> Appointment:
    """Return what a row holds, as an Exchange item would be compared with it."""
    return canonical(row.appointment)


def _asked(link: Link, state: State, states: dict[str, State]) -> Iterator[str]:
    own = [alert for alert in state.alerts if alert.link_id == link.id and alert.code == _CONFLICT]
    if own or not link.writes:
        others = [alert for other in states.values() for alert in other.alerts if alert.code == _CONFLICT]
        if not own and not others:
            yield "waits for another mailbox's question, and there is none"
    else:
        yield "asked, but there is no question"
    if link.sync_error != _CONFLICT:
        yield f"asked with the code {link.sync_error}"


def _kept_out(world: World, item: Item, link: Link, state: State) -> Iterator[str]:
    if link.state is LinkState.KEPT_OUT and link.crm_id is not None:
        yield "kept out, but it holds a row"
    name = item.appointment.identity.global_object_id
    if link.writes and link.decision != "no":
        yield f"{link.state.value}, but nobody said No"
    lapsed = any(alert.link_id == link.id and alert.state is AlertState.LAPSED for alert in state.alerts)
    by_itself = link.decision_by == "setting" or lapsed or world.ledger.ruled(name, "no")
    if link.writes and name not in world.refused and not by_itself:
        yield f"{link.state.value}, but No was never answered for it"


# --- links, questions, rows --------------------------------------------------------------------------------------


def _links(world: World, state: State) -> Iterator[str]:
    here = {item.ref for item in world.exchange.items(state.address)}
    wanted = {item.ref for item in tracked(world, state.address)}
    held = {number for alert in state.alerts for number in alert.held}
    for link in state.links:
        name = f"{state.address} {link.identity.global_object_id} ({link.ref})"
        if link.id in held:
            continue
        if link.seen is Seen.ABSENT:
            continue  # a row whose item is not made yet, or never will be
        if link.ref not in here:
            yield f"{name}: the item is gone, the link is not"
        elif link.ref not in wanted and link.seen is not Seen.UNTRACKED and not link.by_request:
            yield f"{name}: untracked, but the link says {link.seen.value}"
    for ref, number in Counter(link.ref for link in state.links).items():
        if number > 1:
            yield f"{state.address} {ref}: {number} links"


def _questions(world: World, state: State) -> Iterator[str]:
    links = {link.id: link for link in state.links}
    held = {number for alert in state.alerts for number in alert.held}
    for alert in state.alerts:
        link = links.get(alert.link_id or 0)
        wrong = None
        if alert.state is AlertState.OPEN and alert.code == _CONFLICT:
            wrong = _wrong_question(world, alert, link, later=alert.link_id in held)
        elif alert.state is AlertState.OPEN and alert.link_id is not None and alert.link_id not in held:
            wrong = _wrong_notice(world, alert, link)
        if wrong is not None:
            yield f"{state.address} {alert.code} about {alert.subject!r}: open, but {wrong}"
    for number, times in Counter(alert.link_id for alert in state.alerts if alert.code == _CONFLICT).items():
        if times > 1:
            yield f"{state.address} link {number}: {times} questions"


def _wrong_question(world: World, alert: Alert, link: Link | None, *, later: bool) -> str | None:
    """Return what is wrong with an open question about a double booking.

    If another question holds its item, that one comes first: until then it cannot be saved, though nothing overlaps.
    """
    if link is None or link.state is not LinkState.ASKED:
        return f"its item is {link.state.value if link else 'gone'}"
    if alert.verdict is None or not alert.verdict.unavailable:
        return "nobody was unavailable"
    if not later and link.observed is not None and not _still_clashes(world, link):
        return "nobody is double-booked any more"
    return None


def _wrong_notice(world: World, alert: Alert, link: Link | None) -> str | None:
    """Return what is wrong with an open alert about an item that fails or is left out (5.6): it stands as long as that.

    One about files that were not taken (D-06) stands while there are any.
    """
    if alert.code in _ABOUT_FILES and link is not None:
        state = world.store.attached([link.id]).get(link.id)
        return None if state is not None and state.refused else "all its files were taken"
    if link is None or link.state not in (LinkState.FAILED, LinkState.SKIPPED):
        return f"its item is {link.state.value if link else 'gone'}"
    return None if link.sync_error == alert.code else f"its item is {link.state.value} with {link.sync_error}"


def _bugs(world: World) -> Iterator[str]:
    """A bug that was contained is still a bug."""
    for alert in world.store.alerts():
        if alert.code in ("InternalItemError", "InternalMailboxError"):
            yield f"mailbox {alert.mailbox_id}: {alert.code} about {alert.subject!r}: {alert.params.get('detail')}"


def _still_clashes(world: World, link: Link) -> bool:
    assert link.observed is not None
    item = _projected(world, link.observed)
    row = world.crm.read([link.crm_id]).get(link.crm_id) if link.crm_id else None
    if (
        row is not None
        and link.agreed is not None
        and differences(link.agreed, content(row)) & {*SCHEDULING_FIELDS, EXCEPTIONS}
    ):
        return True  # the CRM moved it too: what was asked about is both changes together
    if row is not None:
        item = carried(item, content(row), link.first_seen)  # what the row keeps takes up time
    address = next(address for address, number in world.mailboxes.items() if number == link.mailbox_id)
    candidate = Candidate(
        appointment=without(item, link.left_out),
        persons=world.persons(without(link.observed, link.left_out), address),
        user=address.partition("@")[0],
        since=link.first_seen,
        row_id=link.crm_id,
    )
    return bool(world.crm.check(candidate, world.setting.rules.conflict).unavailable)


def _off_pattern(row: CrmRow) -> Iterator[str]:
    """Yield dates that a row changes or deletes and that its series does not have (decision 0030)."""
    series = row.appointment
    named = (*(part.identity.original_start for part in series.exceptions), *series.deleted)
    for start in named:
        if start is None or series.recurrence is None or occurrence_day(series, start) is None:
            yield f"{series.identity.global_object_id}: its row holds {start}, and its series has no such date"


def _rows(world: World) -> Iterator[str]:
    for row in world.crm.rows():
        yield from _off_pattern(row)
    identities: Counter[Identity] = Counter(row.appointment.identity for row in world.crm.rows())
    for identity, number in identities.items():
        if number > 1:
            yield f"{identity.global_object_id}: {number} rows"
        if not identity.global_object_id.startswith("crm-") and identity.global_object_id not in world.tracked_once:
            yield f"{identity.global_object_id}: was never tracked, but has a row"
