"""A process that dies at any port call while files are brought in step neither loses nor doubles one."""

from __future__ import annotations

import pytest

from syncline.simulation.faults import Strike
from syncline.simulation.flows_files import FLOWS_FILES
from syncline.simulation.killing import Flow, Prepared


@pytest.mark.rule("D-05")
@pytest.mark.parametrize("flow", FLOWS_FILES, ids=lambda flow: flow.name)
def test_a_kill_while_files_are_brought_in_step_does_no_harm(flow: Flow) -> None:
    """Each call is killed: each file stands once on each side in the end."""
    prepared = Prepared(flow)
    calls, end = prepared.undisturbed()

    problems = [problem for number in range(len(calls)) for problem in prepared.killed(number, end)]

    assert problems == []
    assert {call.method for call in calls} >= {"attachments_due", "attachments"} or "deleted" in flow.name


@pytest.mark.parametrize("flow", FLOWS_FILES, ids=lambda flow: flow.name)
def test_two_owners_that_bring_files_in_step_do_no_harm(flow: Flow) -> None:
    """An owner that is overtaken at any call about files, or at what it stores about them, doubles and loses none."""
    prepared = Prepared(flow)
    calls, end = prepared.undisturbed()
    begin = next((at for at, call in enumerate(calls) if call.method == "attachments_due"), len(calls))

    problems = [
        problem
        for number in range(begin, len(calls))
        for problem in prepared.killed(number, end, Strike.OVERTAKEN)
        if calls[number].method not in ("close", "release")
    ]

    assert problems == []
