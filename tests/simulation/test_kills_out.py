"""A process that dies at any port call of any flow towards Exchange leaves a world that ends as if it had lived."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.simulation.flows_out import FLOWS_OUT
from syncline.simulation.killing import Flow, Prepared


@pytest.mark.parametrize("flow", FLOWS_OUT, ids=lambda flow: flow.name)
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
