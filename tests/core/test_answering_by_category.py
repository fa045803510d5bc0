"""What categories on an item say, and what the item should carry: the whole table."""

from __future__ import annotations

import pytest

from syncline.core.answering_by_category import CategoryNames, Item, Standing, answers_on, late_answers, rule

NAMES = CategoryNames()
W, Y, N = NAMES.waiting, NAMES.save_anyway, NAMES.keep_out
OPEN, OFFERED, OVER = Standing.OPEN, Standing.OFFERED, Standing.OVER


@pytest.mark.parametrize(
    ("standing", "carried", "answer", "wanted"),
    [
        # A question that waits: the mark stands, one answer beside or instead of it counts.
        (OPEN, (), None, (W,)),
        (OPEN, ("Red",), None, ("Red", W)),
        (OPEN, (W,), None, (W,)),
        (OPEN, (W.upper(),), None, (W.upper(),)),
        (OPEN, (Y,), "yes", (Y,)),
        (OPEN, (W, Y), "yes", (W, Y)),
        (OPEN, ("Red", Y.lower()), "yes", ("Red", Y.lower())),
        (OPEN, (N,), "no", (N,)),
        (OPEN, (W, N), "no", (W, N)),
        # Kept out or lapsed: Save anyway changes it, Keep out says nothing new.
        (OFFERED, (), None, ()),
        (OFFERED, (W, "Red"), None, ("Red",)),
        (OFFERED, (Y,), "yes", (Y,)),
        (OFFERED, (N,), None, ()),
        (OFFERED, (W, N), None, ()),
        # Over: everything about the question goes, everything else stays.
        (OVER, (), None, ()),
        (OVER, ("Red", W, Y, N), None, ("Red",)),
        (OVER, (N,), None, ()),
    ],
)
def test_the_table(standing: Standing, carried: tuple[str, ...], answer: str | None, wanted: tuple[str, ...]) -> None:
    """Standing and categories in, answer and wanted categories out."""
    ruling = rule(standing, Item(categories=carried), NAMES)

    assert (ruling.answer, ruling.wanted, ruling.unclear) == (answer, wanted, False)


@pytest.mark.parametrize(("standing", "wanted"), [(OPEN, (W, Y, N)), (OFFERED, (Y, N))])
def test_both_answers_are_none(standing: Standing, wanted: tuple[str, ...]) -> None:
    """Nothing is taken: the person decides which to remove; the mark goes where nothing waits any more."""
    ruling = rule(standing, Item(categories=(W, Y, N)), NAMES)

    assert (ruling.answer, ruling.wanted, ruling.unclear) == (None, wanted, True)


@pytest.mark.parametrize("standing", [OPEN, OFFERED])
def test_stale_answers_do_not_count_and_go(standing: Standing) -> None:
    """What stood there before the question is no answer to it."""
    ruling = rule(standing, Item(categories=("Red", Y), stale=(Y,)), NAMES)

    assert ruling.answer is None
    assert ruling.wanted == (("Red", W) if standing is OPEN else ("Red",))


def test_a_fresh_answer_beside_a_stale_one_counts() -> None:
    """The person answered; the other one was there before."""
    assert rule(OPEN, Item(categories=(Y, N), stale=(Y,)), NAMES).answer == "no"


def test_answers_on_an_item_that_was_never_asked_about_stay() -> None:
    """Only the mark goes, as from a copy."""
    assert rule(OVER, Item(categories=(W, Y), asked=False), NAMES).wanted == (Y,)


def test_another_name_replaces_what_was_set() -> None:
    """Syncline takes off what it has set under a former name."""
    assert rule(OPEN, Item(categories=("Old", "Red"), ours=("Old",)), NAMES).wanted == ("Red", W)


@pytest.mark.parametrize("standing", list(Standing))
def test_switched_off_only_what_was_set_goes(standing: Standing) -> None:
    """Without names nothing is an answer."""
    ruling = rule(standing, Item(categories=(W, Y, "Red"), ours=(W,)), None)

    assert (ruling.answer, ruling.wanted) == (None, (Y, "Red"))


def test_late_answers_are_those_that_contradict() -> None:
    """The accepted answer itself, and what was taken already, came in time."""
    item = Item(categories=(W, Y, N))

    assert answers_on(item, NAMES) == (Y, N)
    assert late_answers(item, NAMES, "yes") == (N,)
    assert late_answers(item, NAMES, "no") == (Y,)
    assert late_answers(Item(categories=(N,), stale=(N,)), NAMES, "yes") == ()
