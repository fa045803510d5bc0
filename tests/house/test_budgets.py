"""The size budgets of the product (style.md section 1)."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house import code

FUNCTION_LINES_MAX = 50
BRANCHES_MAX = 15
NESTING_MAX = 4
MODULE_LINES_MAX = 400
DOCUMENTED_MIN = 0.95
CATCH_ALLS_MAX = 3


def test_no_function_is_longer_than_its_budget() -> None:
    """No function has more than 50 lines of code."""
    over = [
        f"{name}: {lines}"
        for module in code.modules()
        for name, function, _ in module.functions()
        if (lines := module.lines_of(function)) > FUNCTION_LINES_MAX
    ]

    assert over == []


def test_no_function_branches_more_than_its_budget() -> None:
    """No function has more than 15 paths."""
    over = [
        f"{name}: {paths}"
        for module in code.modules()
        for name, function, _ in module.functions()
        if (paths := code.branches(function)) > BRANCHES_MAX
    ]

    assert over == []


def test_no_function_nests_deeper_than_its_budget() -> None:
    """No function nests blocks deeper than four."""
    over = [
        f"{name}: {depth}"
        for module in code.modules()
        for name, function, _ in module.functions()
        if (depth := code.nesting(function)) > NESTING_MAX
    ]

    assert over == []


def test_no_module_is_longer_than_its_budget() -> None:
    """No module has more than 400 lines of code."""
    over = [f"{module.name}: {len(module.code)}" for module in code.modules() if len(module.code) > MODULE_LINES_MAX]

    assert over == []


def test_every_parameter_and_return_is_annotated() -> None:
    """Every function says what it takes and what it gives."""
    bare = [
        f"{name}: {missing}"
        for module in code.modules()
        for name, function, is_method in module.functions()
        if (missing := code.unannotated(function, is_method))
    ]

    assert bare == []


def test_every_module_opens_with_a_docstring() -> None:
    """Every module says what it is."""
    bare = [module.name for module in code.modules() if ast.get_docstring(module.tree) is None]

    assert bare == []


def test_public_things_have_docstrings() -> None:
    """At least 95 % of the public modules, classes and functions have a docstring."""
    judged = [pair for module in code.modules() for pair in code.documented(module.tree, module.name)]
    bare = [name for name, has_one in judged if not has_one]

    assert len(bare) <= (1 - DOCUMENTED_MIN) * len(judged), bare


def test_few_places_catch_everything() -> None:
    """At most three except clauses of the product catch everything: job, web and command line."""
    broad = [
        f"{module.name}:{node.lineno}"
        for module in code.modules()
        for node in ast.walk(module.tree)
        if code.catches_all(node) and isinstance(node, ast.ExceptHandler)
    ]

    assert len(broad) <= CATCH_ALLS_MAX, broad


def test_the_measures_see_what_they_measure() -> None:
    """Lines, paths, nesting and annotations of a known function are counted right."""
    text = '''"""Doc."""
def f(a, *, b: int = 0):
    """Doc.

    More."""
    # why
    if a and b:
        for _ in a:
            return 1
    elif b:
        return 2
'''
    module = code.module_of(text, Path("x.py"), "x")
    ((_, function, is_method),) = module.functions()

    assert module.lines_of(function) == 6
    assert code.branches(function) == 5
    assert code.nesting(function) == 2
    assert code.unannotated(function, is_method) == ["a", "return"]
