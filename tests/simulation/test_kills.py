"""A process that dies at any port call of any flow into the CRM leaves a world that ends as if it had lived."""

from __future__ import annotations

import pytest

from syncline.simulation.flows import FLOWS
from syncline.simulation.killing import Flow, Prepared


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_kill_at_every_call_does_no_harm(flow: Flow) -> None:
    """Each call is killed once, enumerated: rows, links and questions end as in the undisturbed run."""
    prepared = Prepared(flow)
    calls, end = prepared.undisturbed()

    problems = [problem for number in range(len(calls)) for problem in prepared.killed(number, end)]

    assert problems == []
    assert len(calls) > 10
