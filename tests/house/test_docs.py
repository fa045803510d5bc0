"""The documents say what the code does, and name only what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house import code
from tools import write_docs

CHANGE_KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
PAGE_LINES_MAX = 75


def read(name: str) -> str:
    """Return the text of a file of the repository."""
    return (code.ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(write_docs.PAGES))
def test_generated_pages_are_up_to_date(name: str) -> None:
    """Each generated page of docs/ is what the code says now (`make docs` writes it)."""
    expected = write_docs.PAGES[name]()

    assert read(f"docs/{name}") == expected


def test_every_command_and_option_explains_itself() -> None:
    """No command, argument or option of the command line is without a help text."""
    page = write_docs.commands_page()
    bare = [line for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")]
    silent = re.findall(r"^## (syncline .*)\n\n\n", page, re.MULTILINE)

    assert bare + silent == []


def test_architecture_names_only_what_exists() -> None:
    """Every file and folder that ARCHITECTURE.md names is there."""
    named = set(re.findall(r"`([\w./-]+(?:/|\.(?:py|md|toml|lock|sh)))`", read("ARCHITECTURE.md")))
    gone = [name for name in named if not any((base / name).exists() for base in (code.ROOT, code.SOURCE / "syncline"))]

    assert len(named) > 15
    assert gone == []


def test_architecture_names_every_part() -> None:
    """Every top-level package and module of the product stands in ARCHITECTURE.md, which fits on a page."""
    text = read("ARCHITECTURE.md")
    parts = {path.relative_to(code.SOURCE / "syncline").parts[0] for path in (m.path for m in code.modules())}
    unnamed = [
        part for part in parts - {"__init__.py", "__main__.py"} if f"`{part}`" not in text and f"`{part}/`" not in text
    ]

    assert unnamed == []
    assert len(text.splitlines()) <= PAGE_LINES_MAX


@pytest.mark.parametrize("path", [path for path in code.tracked_files() if path.suffix == ".md"], ids=str)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    """Every relative link of a document leads to a file that exists."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in target]
    broken = [target for target in targets if not (path.parent / target).exists()]

    assert broken == []


def test_changelog_keeps_its_shape() -> None:
    """CHANGELOG.md follows Keep a Changelog: known kinds of change, versions newest first, each with its date."""
    text = read("CHANGELOG.md")
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    released = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d\d-\d\d", head) for head in heads[1:]]
    versions = [tuple(int(part) for part in found.groups()) for found in released if found]

    assert text.startswith("# Changelog\n")
    assert heads[0] == "[Unreleased]"
    assert all(released)
    assert versions == sorted(versions, reverse=True)
    assert kinds <= CHANGE_KINDS


def test_decisions_have_context_choice_and_price() -> None:
    """Each decision record is numbered without a gap and has its three parts."""
    records = sorted((code.ROOT / "docs" / "decisions").glob("*.md"))

    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        heads = re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert heads == ["Context", "Choice", "Price"], path.name


def test_the_version_is_said_once() -> None:
    """pyproject.toml and the package name the same version."""
    from syncline import __version__

    assert f'\nversion = "{__version__}"\n' in read("pyproject.toml")
