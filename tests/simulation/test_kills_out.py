"""A process that dies at any port call of any flow towards Exchange leaves a world that ends as if it had lived."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Address
from syncline.engine.run import Rules
from syncline.ports import Intent, Verb
from syncline.simulation.flows_out import FLOWS_OUT
from syncline.simulation.killing import ADA, Flow, Prepared, at, item, of_both_kinds, of_its_kind, run_all
from syncline.simulation.world import World


def _given_up(world: World) -> None:
    """An item was made instead of one that was given up and may still be on its way."""
    run_all(world)
    row = replace(item("crm-late", at(11), organizer=Address(ADA)), categories=())
    world.crm.enter(of_its_kind(world, row), owner="ada")
    run_all(world)
    number, (made,) = world.mailboxes[ADA], world.exchange.items(ADA)
    link = world.store.links_by_ref(number, [made.ref])[made.ref]
    lease = world.store.claim(number, "late", world.clock.now(), 300.0)
    assert lease is not None
    intent = Intent(
        id="late",
        mailbox_id=number,
        link_id=link.id,
        verb=Verb.CREATE_ITEM,
        crm_id=link.crm_id or "",
        created=world.clock.now(),
        agreed=link.agreed,
        instead=link.ref,
    )
    world.store.begin(lease, [intent], {})
    world.store.release(lease, None, None)


def _come_late(world: World) -> None:
    (made,) = world.exchange.items(ADA)
    ref = world.exchange.create(ADA, made.appointment, folder=made.folder, key=f"/{ADA}/late")
    world.conduct.doubled[ADA, ref] = world.exchange.item(ADA, ref).appointment


COMING_LATE = tuple(
    of_both_kinds(Flow("what came late is taken out", _given_up, _come_late, rules=Rules(outgoing=True)))
)


@pytest.mark.parametrize("flow", (*FLOWS_OUT, *COMING_LATE), ids=lambda flow: flow.name)
def test_a_kill_on_the_way_to_exchange_does_no_harm(flow: Flow) -> None:
    """Each call is killed once, enumerated: it ends as undisturbed on both sides, and mails nobody twice."""
    prepared = Prepared(flow)
    calls, end = prepared.undisturbed()

    problems = [problem for number in range(len(calls)) for problem in prepared.killed(number, end)]

    assert problems == []
    assert len(calls) > 10


@pytest.mark.rule("A-09")
@pytest.mark.parametrize("kind", ["", ", series"])
def test_a_draft_ends_as_one_meeting_once_it_is_released(kind: str) -> None:
    """What the killed flows are compared with: nothing in Outlook before, then one item and one invitation."""
    flows = {flow.name: flow for flow in FLOWS_OUT}
    kept, released = (
        Prepared(replace(flows[name], series=bool(kind))).undisturbed()[1]
        for name in ("keep a draft", f"release a draft{kind}")
    )

    assert (kept["items"], kept["mails"], kept["links"]) == ([], [], [])
    assert len(released["items"]) == 1
    assert [(mail.to, mail.kind) for mail in released["mails"]] == [("eve@elsewhere.example", "request")]


@pytest.mark.rule("L-11a")
@pytest.mark.parametrize("flow", COMING_LATE, ids=lambda flow: flow.name)
def test_what_came_late_goes(flow: Flow) -> None:
    """Undisturbed the meeting stands once in the end, so that a kill that leaves it twice is told."""
    _, end = Prepared(flow).undisturbed()

    assert len(end["categories"]) == 1  # type: ignore[arg-type]
