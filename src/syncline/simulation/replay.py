"""The journal read again from its first line: it must lead to the links as they stand.

What each action of the journal says about its link is a table here, written from the outside. The module must not know
how a cycle comes to its actions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from msgspec import Struct
from sqlalchemy import select

from syncline.ports import Link, LinkState, Origin
from syncline.simulation.oracle import all_links
from syncline.simulation.world import World
from syncline.store import schema

_IN_STEP = frozenset({LinkState.SETTLED, LinkState.UNSETTLED})
_ANY = frozenset(LinkState)


class Says(Struct, frozen=True):
    """What one action says: the states it leaves the link in, whether it holds a row (None: as before), its end."""

    states: frozenset[LinkState] | None = None
    row: bool | None = None
    over: bool = False


SAYS: Mapping[str, Says] = {
    "saved": Says(_IN_STEP, row=True),
    "updated": Says(_IN_STEP, row=True),
    "canceled": Says(_IN_STEP, row=True),
    "settled": Says(_IN_STEP),
    "linked": Says(_IN_STEP, row=True),
    "asked": Says(frozenset({LinkState.ASKED})),
    "question withdrawn": Says(_IN_STEP),
    "kept out": Says(frozenset({LinkState.KEPT_OUT, LinkState.PARKED})),
    "skipped": Says(frozenset({LinkState.SKIPPED})),
    "failed": Says(frozenset({LinkState.FAILED})),
    "waits for another mailbox": Says(frozenset({LinkState.UNSETTLED, LinkState.ASKED, LinkState.KEPT_OUT})),
    "observed in the CRM": Says(_IN_STEP | {LinkState.SKIPPED, LinkState.ASKED, LinkState.PARKED, LinkState.FAILED}),
    "made in Outlook": Says(_IN_STEP, row=True),
    "updated in Outlook": Says(_IN_STEP | {LinkState.PARKED}, row=True),
    "deleted in Outlook": Says(over=True),
    "untracked in Outlook": Says(frozenset({LinkState.SKIPPED})),
    "tracked again in Outlook": Says(_IN_STEP, row=True),
    "observed in the CRM anew": Says(
        _IN_STEP | {LinkState.SKIPPED, LinkState.ASKED, LinkState.PARKED, LinkState.FAILED}
    ),
    "answer taken back": Says(frozenset({LinkState.ASKED, LinkState.KEPT_OUT, LinkState.PARKED, LinkState.FAILED})),
    "dropped by an answer": Says(_ANY),
    "deleted": Says(over=True),
    "unlinked": Says(frozenset({LinkState.SKIPPED})),
    "forgotten": Says(over=True),
}
"""Actions that are left out say nothing about the state: a reason, an answer, a move to another folder."""

_PERHAPS_OVER = ("dropped by an answer", "unlinked", "untracked in Outlook")
"""After these a link may be gone or may stand: what Syncline itself untracked is linked again (1.11)."""


@dataclass(slots=True)
class _Told:
    states: frozenset[LinkState] = frozenset({LinkState.UNSETTLED})
    row: bool = False
    over: bool = False
    last: str = "nothing"


def replayed(world: World) -> Iterator[str]:
    """Yield where the journal and the links disagree."""
    told: dict[int, _Told] = {}
    query = select(schema.journal.c.link_id, schema.journal.c.action).order_by(schema.journal.c.id)
    with world.store.reading() as connection:
        lines = connection.execute(query).all()
    for link_id, action in lines:
        if link_id is not None:
            _tell(told.setdefault(link_id, _Told()), action)
    links = {link.id: link for link in all_links(world)}
    for link_id, one in told.items():
        yield from _compared(link_id, one, links.get(link_id))
    yield from (
        f"link {number}: {link.state.value}, and the journal never said why"
        for number, link in links.items()
        if number not in told and link.state is not LinkState.UNSETTLED and link.observed is not None
    )


def _tell(told: _Told, action: str) -> None:
    says = SAYS.get(action)
    if says is None:
        return
    told.last = action
    told.over = says.over
    told.states = says.states or told.states
    told.row = told.row if says.row is None else says.row


def _compared(link_id: int, told: _Told, link: Link | None) -> Iterator[str]:
    name = f"link {link_id}: the journal ends with {told.last!r}, but"
    if link is None:
        if not told.over and told.last not in _PERHAPS_OVER:
            yield f"{name} the link is gone"
        return
    if told.over:
        yield f"{name} the link is {link.state.value}"
    elif link.state not in told.states:
        yield f"{name} it is {link.state.value}"
    elif link.origin is Origin.EXCHANGE and told.row != (link.crm_id is not None):
        yield f"{name} it holds {'a' if link.crm_id else 'no'} row"
