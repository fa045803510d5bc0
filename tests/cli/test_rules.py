"""`syncline rules` over the real parts: foretold, made, answered with, ordered, removed."""

from __future__ import annotations

import pytest

from syncline.emulators.exchange import ExchangeEmulator
from tests.cli.terminal import ADDRESS, Terminal

pytestmark = pytest.mark.emulator


def test_a_rule_is_foretold_made_and_answers(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """The preview names the question; the rule leaves it alone until somebody answers with the right number."""
    question = terminal.the_scene(exchange)
    told = terminal("rules", "preview", "yes", "--mailbox", ADDRESS, "--organizer", "own", "--not-all-day")
    assert "would have saved 1 of 1 asked about in the last 30 days: 1 still open" in told
    assert question["subject"] in told

    said = terminal("rules", "add", "yes", "--mailbox", ADDRESS, "--organizer", "own", "--name", "Mine")
    assert "1 open question matches now: syncline rules answer 1 --count 1" in said
    terminal("sync")
    assert terminal.json("alerts", "list", "--open") != []
    assert "--count 1" in terminal("rules", "answer", "1")
    terminal("rules", "answer", "1", "--count", "0", code=2)
    assert "Answered: 1." in terminal("rules", "answer", "1", "--count", "1")

    (answered,) = terminal.json("alerts", "list")
    assert (answered["outcome"], answered["decided_by"]) == ("saved", "Command line")


def test_rules_are_listed_ordered_and_removed(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """The table and the JSON tell the order, the conditions and who made each."""
    terminal.set_up(exchange)
    assert "people are asked" in terminal("rules", "list")
    terminal("rules", "add", "no", "--category", "Travel", "--private", "--name", "Trips")
    terminal("rules", "add", "yes", "--same-calendar")
    terminal("rules", "move", "2", "1")
    terminal("rules", "disable", "1")

    table = terminal("rules", "list")
    assert "No, keep out" in table
    assert "category Travel, private" in table
    listed = terminal.json("rules", "list")
    assert [(rule["id"], rule["position"], rule["enabled"]) for rule in listed] == [(2, 1, True), (1, 2, False)]
    assert listed[0]["name"] == "Save anyway: both from the same calendar"
    terminal("rules", "enable", "1")
    terminal("rules", "remove", "2")
    assert [rule["name"] for rule in terminal.json("rules", "list")] == ["Trips"]
    terminal("rules", "remove", "2", code=1)
    terminal("rules", "add", "yes", "--organizer", "somebody", code=2)
