"""A process that dies at any port call of any flow leaves a world that ends as if it had lived."""

from __future__ import annotations

import pytest

from syncline.simulation.flows import FLOWS
from syncline.simulation.flows_out import FLOWS_OUT
from syncline.simulation.killing import Flow, killed, telling, undisturbed


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_kill_at_every_call_does_no_harm(flow: Flow) -> None:
    """Each call is killed once, enumerated: rows, links and questions end as in the undisturbed run."""
    calls, end = undisturbed(flow)

    problems = [problem for number in range(len(calls)) for problem in killed(flow, number, end)]

    assert problems == []
    assert len(calls) > 10


@pytest.mark.parametrize("flow", FLOWS_OUT, ids=lambda flow: flow.name)
def test_a_kill_on_the_way_to_exchange_does_no_harm(flow: Flow) -> None:
    """Each call at which a death leaves another world is killed: it ends as undisturbed, and mails nobody twice."""
    calls, end = undisturbed(flow)

    problems = [problem for number in telling(calls) for problem in killed(flow, number, end)]

    assert problems == []
    assert len(calls) > 10
