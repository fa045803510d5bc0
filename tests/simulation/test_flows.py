"""The flows that are killed cover what can happen: each thing on each side, to a single and to a series."""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import select

from syncline.engine import holding
from syncline.engine.run import Rules
from syncline.errors import CATALOGUE, ErrorClass
from syncline.simulation.faults import Strike
from syncline.simulation.flows import FLOWS, FLOWS_WRITING
from syncline.simulation.flows_begun import FLOWS_BEGUN
from syncline.simulation.flows_files import FLOWS_FILES
from syncline.simulation.flows_out import FLOWS_OUT
from syncline.simulation.killing import Flow, Prepared
from syncline.simulation.world import Setting, World
from syncline.store import schema

KINDS = {
    "create": ("create", "make and invite"),
    "update": ("update", "rename in the CRM"),
    "delete": ("delete", "delete row of meeting"),
    "cancel": ("cancel", "cancel and call off"),
    "reschedule": ("reschedule", "reschedule meeting"),
    "answer yes": ("answer yes", "release invitations"),
    "answer no": ("answer no", "drop invitations"),
    "move": ("move to a folder", "move to a folder while edited"),
    "untrack": ("untrack", "untrack while edited"),
    "expired cursor": ("cursor expired", "expired cursor while edited"),
}
"""What can happen, and the flow in which it happens in Outlook and the one in which it goes to Exchange."""

ANSWERED = {
    "ExchangeSyncSchedulingConflictsError": "answer {answer}{kind}, writing",
    "MassDeletionHeld": "answer {answer} to many deletions{kind}, writing",
    "MassUntrackingHeld": "answer {answer} to untracking{kind}, writing",
    holding.RESTORED: "answer {answer} to a restored mailbox{kind}, writing",
    holding.DIVERGED: "answer {answer} to both{kind}",
    holding.OVERRULED: "answer {answer} to a deletion{kind}",
    holding.ORGANIZER: "answer {answer} to another organizer{kind}",
    holding.RESTORED_CRM: "answer {answer} to a restored CRM{kind}",
    holding.INVITATIONS: "{release} invitations{kind}",
    holding.DELETIONS: "{release} many deletions{kind}",
    holding.BEGUN: "begin to write, {answer}{kind}",
    "EmptiedSideHeld": "guard {released}, writing",
    holding.EMPTIED: "{release} deletions",
    holding.CREATIONS: "{release} creations",
    holding.FILES: "files: many removals, {answer}",
}
"""The questions, and how the flows are called in which each is answered; without a kind: about singles alone."""

WORDS = (
    {"answer": "yes", "release": "release", "released": "released"},
    {"answer": "no", "release": "drop", "released": "dropped"},
)
KIND = {False: "", True: ", series"}

EVERY = (*FLOWS, *FLOWS_WRITING, *FLOWS_OUT, *FLOWS_BEGUN, *FLOWS_FILES)
BY_NAME = {flow.name: flow for flow in EVERY}


def prepared(flow: Flow) -> World:
    """Return the world of a flow before it happens."""
    world = World(Random(0), Setting(people=flow.people, rules=flow.rules or Rules(), series=flow.series))
    flow.prepare(world)
    return world


def repeats(world: World) -> bool:
    """Return whether there is a series on either side."""
    items = [item.appointment for address in world.mailboxes for item in world.exchange.items(address)]
    return any(each.recurrence for each in (*items, *(row.appointment for row in world.crm.rows())))


@pytest.mark.parametrize("series", [False, True], ids=["single", "series"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_thing_is_killed_on_either_side(kind: str, series: bool) -> None:
    """It happens in Outlook and goes to Exchange where writing is on, to a single and to a series."""
    inbound, outbound = KINDS[kind]
    variant = KIND[series]
    for name in (f"{inbound}{variant}, writing", f"{outbound}{variant}"):
        flow = BY_NAME[name]
        world = prepared(flow)
        before = repeats(world)
        flow.happens(world)

        assert (flow.rules or Rules()).outgoing
        assert (before or repeats(world)) is series


@pytest.mark.parametrize("kind", KINDS)
def test_each_thing_is_killed_where_nothing_is_written(kind: str) -> None:
    """It happens in Outlook where Exchange is never written, too."""
    assert not (BY_NAME[KINDS[kind][0]].rules or Rules()).outgoing


@pytest.mark.parametrize(
    ("code", "series"),
    [(code, series) for code, name in ANSWERED.items() for series in KIND if "{kind}" in name or not series],
)
def test_each_question_is_answered_with_yes_and_no(code: str, series: bool) -> None:
    """Each question stands before it is answered, about singles and about series."""
    for words in WORDS:
        world = prepared(BY_NAME[ANSWERED[code].format(kind=KIND[series], **words)])

        assert code in {alert.code for alert in world.questions()[:1]}
        assert repeats(world) is series


def test_no_question_is_left_out() -> None:
    """Each question of the catalogue is answered in a flow."""
    asking = {code for code, entry in CATALOGUE.items() if entry.error_class is ErrorClass.NEEDS_ANSWER}

    assert asking == set(ANSWERED)


def test_no_two_flows_have_one_name() -> None:
    """Each flow is named once, so that a failure names it."""
    assert len(BY_NAME) == len(EVERY)


def journal_of(prepared: Prepared) -> list[object]:
    """Return the journal of the world that was played last."""
    lines = select(schema.journal.c.time, schema.journal.c.link_id, schema.journal.c.action, schema.journal.c.rule)
    with prepared.store.reading() as connection:
        return [tuple(row) for row in connection.execute(lines)]


@pytest.mark.parametrize("name", ["create", "answer yes, writing", "meeting of two mailboxes, writing"])
def test_deaths_that_count_as_one_end_alike(name: str) -> None:
    """A death after more reading leaves the same journal, the same world and nothing wrong, call by call."""
    (flow,) = (each for each in (*FLOWS, *FLOWS_WRITING) if each.name == name)
    prepared = Prepared(flow)
    calls, end = prepared.undisturbed()
    told: dict[int, tuple[object, ...]] = {}

    for number in range(len(calls)):
        found = prepared.struck(number, end, Strike.KILLED), journal_of(prepared)
        assert told.setdefault(prepared.death(number), found) == found

    assert 10 < len(told) < len(calls)
