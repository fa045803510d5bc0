"""Words and addresses that may not stand in the repository."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.house import code

LOCKS = ("requirements.lock", "requirements-dev.lock")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
# Spelt in two halves, so that this file does not name what it looks for.
MACHINE_PATHS = re.compile(r"(?<![\w.])/(" + "|".join(["ro" + "ot", "wo" + "rk", "ho" + "me/[a-z]"]) + r")/")
SKIPS = re.compile(r"pytest\.(skip|xfail|importorskip)|mark\.(skip|xfail)|@unittest\.skip")
VAGUE_NAMES = re.compile(r"(Manager|Helper|Util|Utils|Service|Handler|Data|Info)$")


def lines_of(path: Path) -> list[str]:
    """Return the lines of a text file; nothing for a file that is no text."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []


def hits(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """Return file, line and text of every line that matches."""
    return [
        f"{path.relative_to(code.ROOT)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(lines_of(path), 1)
        if pattern.search(line)
    ]


def tracked(*below: str) -> list[Path]:
    """Return the tracked files below some folders."""
    return [path for path in code.tracked_files() if path.relative_to(code.ROOT).parts[0] in below]


def test_nothing_unfinished_stands_in_the_product() -> None:
    """The product holds no reminder of work left over."""
    assert hits(UNFINISHED, tracked("src")) == []


def test_lock_files_name_no_address() -> None:
    """The lock files hold names, versions and hashes only, and every package has a hash."""
    for name in LOCKS:
        text = (code.ROOT / name).read_text(encoding="utf-8")
        packages = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line)]

        assert "://" not in text
        assert len(packages) > 40
        assert all("==" in line and line.endswith("\\") for line in packages)


def test_the_lock_for_tests_holds_the_other() -> None:
    """Every package of requirements.lock stands in requirements-dev.lock in the same version."""
    pins = [
        set(re.findall(r"^([a-z0-9][^ ]*==[^ ]+)", (code.ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in LOCKS
    ]

    assert pins[0] - pins[1] == set()


def test_no_path_of_one_machine_is_tracked() -> None:
    """No tracked file names a folder that exists on one machine only."""
    paths = [path for path in code.tracked_files() if path.suffix not in {".ics", ".lock"}]

    assert hits(MACHINE_PATHS, paths) == []


def test_tests_do_not_skip() -> None:
    """Only missing test data may skip a test, and only in tests/conftest.py."""
    allowed = {code.ROOT / "tests" / "conftest.py", Path(__file__).resolve()}
    paths = [path for path in tracked("tests") if path not in allowed]

    assert hits(SKIPS, paths) == []


def test_classes_have_field_words_for_names() -> None:
    """No class of the product is a Manager, a Helper or another word that says nothing."""
    vague = re.compile(r"^class \w*?" + VAGUE_NAMES.pattern.rstrip("$") + r"\b")

    assert hits(vague, [module.path for module in code.modules()]) == []


def test_every_test_states_a_fact() -> None:
    """Every test has a docstring of its own."""
    bare = [
        f"{path.relative_to(code.ROOT)}: {node.name}"
        for path in tracked("tests")
        if path.name.startswith("test_") and path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert bare == []
