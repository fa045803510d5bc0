"""Files of appointments: what is taken over, and the three-way merge of sets (D-05, D-06)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.attachments import (
    BAD_NAME,
    BLOCKED,
    File,
    Limits,
    Side,
    Step,
    agreed_after,
    aim,
    refusal,
    settled,
    steps,
)

LIMITS = Limits(size_max=5 * 1024 * 1024, blocked=frozenset({"exe", "js"}))
V1, V2, V3 = (File("plan.docx", 10, f"digest-{number}") for number in (1, 2, 3))
NOTES = File("notes.txt", 5, "digest-n")
FILES = st.frozensets(
    st.builds(File, st.sampled_from(["a.txt", "A.TXT", "b", "a (CRM).txt"]), st.just(1), st.sampled_from("xyz"))
)


@pytest.mark.rule("D-06")
@pytest.mark.parametrize(
    ("name", "size", "code"),
    [
        ("plan.docx", 5 * 1024 * 1024, None),
        ("plan.docx", 5 * 1024 * 1024 + 1, BLOCKED),
        ("setup.EXE", 1, BLOCKED),
        ("plan.exe.docx", 1, None),
        (".js", 1, None),
        ("", 1, BAD_NAME),
        ("a/b.txt", 1, BAD_NAME),
        ("a\u202eb\n.txt", 1, BAD_NAME),
        ("plan.exe.", 1, BAD_NAME),
        (" plan.txt", 1, BAD_NAME),
        ("x" * 256, 1, BAD_NAME),
    ],
)
def test_what_is_blocked_badly_named_or_too_large_is_not_taken(name: str, size: int, code: str | None) -> None:
    """Size, ending and name decide, each with its code."""
    found = refusal(name, size, LIMITS)
    assert (found.code if found else None) == code


@pytest.mark.rule("D-05")
@pytest.mark.parametrize(
    ("agreed", "exchange", "crm", "wanted"),
    [
        ({}, {V1}, {}, {V1}),
        ({}, {}, {V1}, {V1}),
        ({V1}, {V1}, {}, {}),
        ({V1}, {}, {V1}, {}),
        ({V1}, {V2}, {V1}, {V2}),
        ({V1}, {V1}, {V2, NOTES}, {V2, NOTES}),
        ({V1}, {}, {V2}, {V2}),
        ({}, {V1}, {V1}, {V1}),
    ],
)
def test_additions_and_removals_of_either_side_travel(
    agreed: set[File], exchange: set[File], crm: set[File], wanted: set[File]
) -> None:
    """A file that is new on one side comes to both, and one that was taken off one side goes from both."""
    found = aim(frozenset(agreed), frozenset(exchange), frozenset(crm), exchange_wins=True)
    assert found == frozenset(wanted)


@pytest.mark.rule("D-05")
@pytest.mark.parametrize(
    ("exchange_wins", "winner", "loser"),
    [(True, V2, File("plan (CRM).docx", 10, V3.digest)), (False, V3, File("plan (Outlook).docx", 10, V2.digest))],
)
def test_a_file_that_both_sides_changed_loses_no_content(exchange_wins: bool, winner: File, loser: File) -> None:
    """The policy says whose content keeps the name; the other's stands beside it."""
    found = aim(frozenset({V1}), frozenset({V2}), frozenset({V3}), exchange_wins=exchange_wins)
    assert found == {winner, loser}


def test_a_name_that_is_taken_is_counted_on() -> None:
    """The other name must be free, unless it has the same content."""
    taken, same = File("plan (CRM).docx", 10, "other"), File("plan (CRM).docx", 10, V3.digest)
    counted = aim(frozenset(), frozenset({V2, taken}), frozenset({V3}), exchange_wins=True)
    assert counted == {V2, taken, File("plan (CRM 2).docx", 10, V3.digest)}
    assert aim(frozenset(), frozenset({V2, same}), frozenset({V3}), exchange_wins=True) == {V2, same}


@given(FILES, FILES, FILES, st.booleans())
def test_both_sides_end_equal_and_what_is_new_is_never_lost(
    agreed: frozenset[File], exchange: frozenset[File], crm: frozenset[File], wins: bool
) -> None:
    """Carrying out the steps makes both sides equal, a second merge finds nothing to do, and no new content goes."""
    wanted = aim(agreed, exchange, crm, exchange_wins=wins)
    held = {Side.EXCHANGE: exchange, Side.CRM: crm}
    for step in steps(wanted, exchange, crm):
        held[step.side] = held[step.side] | {step.file} if step.adds else held[step.side] - {step.file}
    after = agreed_after(agreed, held[Side.EXCHANGE], held[Side.CRM])
    again = aim(after, held[Side.EXCHANGE], held[Side.CRM], exchange_wins=wins)
    assert held[Side.EXCHANGE] == held[Side.CRM] == after == again == wanted
    new = (exchange | crm) - agreed
    assert {file.digest for file in new} <= {file.digest for file in wanted}


@given(FILES, FILES, FILES, st.booleans(), st.integers(0, 20))
def test_a_stop_between_two_steps_changes_nothing_of_the_end(
    agreed: frozenset[File], exchange: frozenset[File], crm: frozenset[File], wins: bool, at: int
) -> None:
    """Stopped after any step, before its outcome is stored, the next merge ends where the first would have."""
    wanted = aim(agreed, exchange, crm, exchange_wins=wins)
    todo = steps(wanted, exchange, crm)[: at + 1]
    held = {Side.EXCHANGE: exchange, Side.CRM: crm}
    known, last = agreed, None
    for step in todo:
        known = agreed_after(known, held[Side.EXCHANGE], held[Side.CRM])
        held[step.side] = held[step.side] | {step.file} if step.adds else held[step.side] - {step.file}
        last = step
    known = settled(known, last, held[last.side]) if last else known
    assert aim(known, held[Side.EXCHANGE], held[Side.CRM], exchange_wins=wins) == wanted


def test_a_file_that_was_ours_is_known_after_a_stop() -> None:
    """A file that we had added before the stop, and that its owner has removed since, does not come back."""
    step = Step(Side.EXCHANGE, True, V1)
    agreed = settled(frozenset(), step, frozenset({V1}))
    assert aim(agreed, frozenset({V1}), frozenset(), exchange_wins=True) == frozenset()
    gone = settled(frozenset({V1}), Step(Side.EXCHANGE, False, V1), frozenset())
    assert aim(gone, frozenset(), frozenset({V1}), exchange_wins=True) == {V1}
