"""tools/setup.sh where something is missing: one sentence says what to install, and nothing is left behind."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house import code

PROGRAMS = ("sh", "cat", "cksum", "dirname", "grep", "head", "rm", "chmod", "env", "git", "make", "uname")
PYTHON = """#!/bin/sh
case "$*" in
*sys.version_info*) echo 3.11 ;;
*) echo "no such module" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give what make setup reads, and a folder `bin` with the few programs that this machine has."""
    place = tmp_path / "clone"
    (place / "tools").mkdir(parents=True)
    for name in ("tools/setup.sh", "requirements.lock", "requirements-dev.lock"):
        shutil.copy2(code.ROOT / name, place / name)
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        if found := shutil.which(name):
            (tmp_path / "bin" / name).symlink_to(found)
    return place


def setup(place: Path) -> subprocess.CompletedProcess[str]:
    """Run the set-up with nothing but the programs of `bin`."""
    environ = {"PATH": str(place.parent / "bin"), "HOME": ""}
    return subprocess.run(("sh", "tools/setup.sh", "run"), cwd=place, env=environ, capture_output=True, text=True)


def put_python(place: Path) -> None:
    """Add a Python that runs but can make no environment in any way."""
    program = place.parent / "bin" / "python3"
    program.write_text(PYTHON, encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize("tool", ["git", "make"])
def test_a_missing_tool_is_named_with_its_packages(clone: Path, tool: str) -> None:
    """Without git or make one sentence names the package for Debian/Ubuntu, Fedora and macOS."""
    (clone.parent / "bin" / tool).unlink()

    done = setup(clone)

    assert done.returncode == 1
    assert done.stderr.startswith(f"{tool} is missing: install it with 'apt install {tool}' (Debian, Ubuntu)")
    assert "Fedora" in done.stderr
    assert "macOS" in done.stderr


def test_a_missing_python_is_named_with_its_packages(clone: Path) -> None:
    """Without Python 3.11 or newer one sentence names the packages."""
    done = setup(clone)

    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or newer is missing: install it with 'apt install python3 python3-venv'")
    assert done.stderr.count("\n") == 1


def test_no_way_to_an_environment_is_named_with_its_packages(clone: Path) -> None:
    """When all four ways fail, one sentence names the packages and no half-made environment stays."""
    put_python(clone)

    done = setup(clone)

    assert done.returncode == 1
    assert done.stderr.startswith("No virtual environment could be made (see .setup-log): install 'python3-venv'")
    assert not (clone / ".venv").exists()
    assert sorted(path.name for path in clone.iterdir()) == [
        ".setup-log",
        "requirements-dev.lock",
        "requirements.lock",
        "tools",
    ]


def test_an_unknown_kind_is_a_usage_error(clone: Path) -> None:
    """Only run and dev are kinds of set-up."""
    done = subprocess.run(("sh", "tools/setup.sh", "all"), cwd=clone, capture_output=True, text=True)

    assert done.returncode == 2
    assert "usage" in done.stderr
