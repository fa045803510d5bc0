"""A process that dies at any port call of any flow towards Exchange leaves a world that ends as if it had lived."""

from __future__ import annotations

import pytest

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
