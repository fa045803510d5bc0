"""Files of appointments: what is taken over, and the three-way merge of sets (D-05, D-06)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
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

NAMED = st.lists(
    st.builds(File, st.sampled_from(["a.txt", "b", "c.d.e"]), st.just(1), st.sampled_from("xyz")),
    unique_by=lambda file: file.name,
).map(frozenset)


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


Held = dict[Side, frozenset[File]]


def stopped(
    agreed: frozenset[File], held: Held, wins: bool, at: int, done: bool
) -> tuple[frozenset[File], frozenset[File]]:
    """Carry out steps in `held` until one is begun (and `done`) whose outcome is not stored.

    Returns what was wanted, and what is agreed when the next merge begins.
    """
    agreed = agreed_after(agreed, held[Side.EXCHANGE], held[Side.CRM])
    wanted = aim(agreed, held[Side.EXCHANGE], held[Side.CRM], exchange_wins=wins)
    todo = steps(wanted, held[Side.EXCHANGE], held[Side.CRM])
    for number, step in enumerate(todo[: at + 1]):
        if number < at or done:
            held[step.side] = held[step.side] | {step.file} if step.adds else held[step.side] - {step.file}
        if number < at:
            agreed = agreed_after(agreed, held[Side.EXCHANGE], held[Side.CRM])
    return wanted, settled(agreed, todo[at:], held)


@given(NAMED, NAMED, NAMED, st.booleans(), st.integers(0, 8), st.booleans())
@example(frozenset(), frozenset({V2}), frozenset({V3}), True, 3, False)
@example(frozenset(), frozenset({V2}), frozenset({V3}), False, 3, False)
def test_a_stop_at_any_step_changes_nothing_of_the_end(
    agreed: frozenset[File], exchange: frozenset[File], crm: frozenset[File], wins: bool, at: int, done: bool
) -> None:
    """Stopped before or after any step takes effect, the next merge ends where the first would have."""
    held = {Side.EXCHANGE: exchange, Side.CRM: crm}
    wanted, known = stopped(agreed, held, wins, at, done)
    assert aim(known, held[Side.EXCHANGE], held[Side.CRM], exchange_wins=wins) == wanted


@given(FILES, FILES, FILES, st.booleans(), st.integers(0, 8), st.booleans())
def test_a_stop_loses_no_content_however_files_are_called(
    agreed: frozenset[File], exchange: frozenset[File], crm: frozenset[File], wins: bool, at: int, done: bool
) -> None:
    """Where names stand several times the names in the end may be others, but never the contents."""
    held = {Side.EXCHANGE: exchange, Side.CRM: crm}
    wanted, known = stopped(agreed, held, wins, at, done)
    found = aim(known, held[Side.EXCHANGE], held[Side.CRM], exchange_wins=wins)
    assert {file.digest for file in found} == {file.digest for file in wanted}


def test_a_file_that_was_ours_is_known_after_a_stop() -> None:
    """A file that we had added before the stop, and that its owner has removed since, does not come back."""
    there = {Side.EXCHANGE: frozenset({V1}), Side.CRM: frozenset[File]()}
    agreed = settled(frozenset(), (Step(Side.EXCHANGE, True, V1),), there)
    assert aim(agreed, frozenset({V1}), frozenset(), exchange_wins=True) == frozenset()
    nowhere = {Side.EXCHANGE: frozenset[File](), Side.CRM: frozenset[File]()}
    gone = settled(frozenset({V1}), (Step(Side.EXCHANGE, False, V1),), nowhere)
    assert aim(gone, frozenset(), frozenset({V1}), exchange_wins=True) == {V1}
