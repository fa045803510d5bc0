"""A process that dies at any port call where writing to Exchange is on or begins leaves a world as if it had lived."""

from __future__ import annotations

import pytest

from syncline.simulation.flows import FLOWS_WRITING
from syncline.simulation.flows_begun import FLOWS_BEGUN
from syncline.simulation.killing import Flow, Prepared


@pytest.mark.parametrize("flow", (*FLOWS_WRITING, *FLOWS_BEGUN), ids=lambda flow: flow.name)
def test_a_kill_where_writing_is_on_does_no_harm(flow: Flow) -> None:
    """What happens in Outlook, each call killed once: both sides end as undisturbed, and nobody is mailed twice."""
    prepared = Prepared(flow)
    calls, end = prepared.undisturbed()

    problems = [problem for number in range(len(calls)) for problem in prepared.killed(number, end)]

    assert problems == []
    assert len(calls) > 10
