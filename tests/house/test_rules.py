"""Every rule that this release promises is stated by a test, and every catalogue row by code and by a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from syncline.errors import CATALOGUE
from tests.house import code

PROMISED = (
    *(f"A-{number}" for number in range(20, 37)),
    "A-33a",
    *(f"L-{number:02}" for number in range(1, 14)),
    *(f"Q-{number:02}" for number in range(1, 11)),
    *(f"CD-{number:02}" for number in range(1, 17)),
    "CD-05a",
)


def other_tests() -> Iterator[Path]:
    """Yield the Python files of the tests, this folder's left out."""
    house = Path(__file__).parent
    return (path for path in sorted((code.ROOT / "tests").rglob("*.py")) if house not in path.parents)


def strings(tree: ast.AST) -> set[str]:
    """Return the string constants of a file."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def rules_marked(tree: ast.AST) -> set[str]:
    """Return the rules that `pytest.mark.rule` names in a file."""
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "pytest.mark.rule"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_every_promised_rule_has_a_test() -> None:
    """Each rule of tracking, appointments, questions and scheduling conflicts is marked at a test."""
    marked: set[str] = set()
    for path in other_tests():
        marked |= rules_marked(ast.parse(path.read_text(encoding="utf-8")))

    assert sorted(set(PROMISED) - marked) == []


def test_every_catalogue_row_is_raised() -> None:
    """Each row of the catalogue is named by code outside the catalogue."""
    named: set[str] = set()
    for module in code.modules():
        if module.name not in {"syncline.errors", "syncline.catalogue"}:
            named |= strings(module.tree)

    assert sorted(set(CATALOGUE) - named) == []


def test_every_catalogue_row_is_hit_by_a_test() -> None:
    """Each row of the catalogue is named by a test."""
    named: set[str] = set()
    for path in other_tests():
        named |= strings(ast.parse(path.read_text(encoding="utf-8")))

    assert sorted(code_name for code_name in CATALOGUE if not any(code_name in text for text in named)) == []


def test_catalogue_numbers_are_unique() -> None:
    """No two rows of the catalogue share a number."""
    numbers = [row.number for row in CATALOGUE.values()]

    assert len(numbers) == len(set(numbers))
