"""A process that dies at any port call of any flow leaves a world that ends as if it had lived."""

from __future__ import annotations

import pytest

from syncline.simulation.flows import FLOWS
from syncline.simulation.flows_out import FLOWS_OUT
from syncline.simulation.killing import Flow, killed, undisturbed


@pytest.mark.parametrize("flow", (*FLOWS, *FLOWS_OUT), ids=lambda flow: flow.name)
def test_a_kill_at_every_call_does_no_harm(flow: Flow) -> None:
    """Each call is killed once, enumerated: rows, links and questions end as in the undisturbed run."""
    calls, end = undisturbed(flow)

    problems = [problem for number in range(calls) for problem in killed(flow, number, end)]

    assert problems == []
    assert calls > 10
