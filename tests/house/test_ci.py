"""Under CI=true nothing is skipped quietly: tests/conftest.py holds that, and .ci/run sets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import code

pytestmark = pytest.mark.package  # each test starts a test run of its own

SKIPPING = 'import pytest\n\n\ndef test_it(data_dir):\n    """Needs the data."""\n'
WRONG_RULE = 'import pytest\n\n\n@pytest.mark.rule("A-1", "A-2")\ndef test_it():\n    """Names two rules."""\n'


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Give a suite of its own, with our conftest and markers and without test data."""
    (tmp_path / "repository" / "tests").mkdir(parents=True)
    text = (code.ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    (tmp_path / "repository" / "tests" / "conftest.py").write_text(text, encoding="utf-8")
    (tmp_path / "repository" / "pytest.ini").write_text("[pytest]\nmarkers =\n    rule: x\n", encoding="utf-8")
    return tmp_path / "repository"


def run(suite: Path, test: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one test file in the suite."""
    (suite / "tests" / "test_it.py").write_text(test, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "SYNCLINE_TEST_DATA"}}
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    return subprocess.run(words, cwd=suite, env={**kept, **environ}, capture_output=True, text=True)


def test_missing_data_skips_at_home_and_fails_under_ci(suite: Path) -> None:
    """Without test data the test is skipped with a reason; under CI, or where the folder is named, it fails."""
    home = run(suite, SKIPPING)
    ci = run(suite, SKIPPING, CI="true")
    named = run(suite, SKIPPING, SYNCLINE_TEST_DATA=str(suite / "nowhere"))

    assert (home.returncode, ci.returncode, named.returncode) == (0, 1, 1)
    assert "1 skipped" in home.stdout
    assert "no test data" in ci.stdout


@pytest.mark.parametrize("mark", ["skip", "xfail"])
def test_a_skip_fails_the_run_under_ci(suite: Path, mark: str) -> None:
    """A skipped or expectedly failing test fails a run under CI, with a sentence that says so."""
    test = f'import pytest\n\n\n@pytest.mark.{mark}(reason="x")\ndef test_it():\n    """Fails."""\n    assert False\n'

    home, ci = run(suite, test), run(suite, test, CI="true")

    assert (home.returncode, ci.returncode) == (0, 1)
    assert "1 tests were skipped or expected to fail; that fails the run" in ci.stdout


def test_a_rule_marker_names_one_rule(suite: Path) -> None:
    """A rule marker with anything but one rule id stops the run."""
    assert run(suite, WRONG_RULE).returncode == 4


def test_ci_refuses_to_start_without_test_data(tmp_path: Path) -> None:
    """.ci/run fails at once where the test data is missing."""
    environ = {**os.environ, "SYNCLINE_TEST_DATA": str(tmp_path / "nowhere")}

    done = subprocess.run(("bash", str(code.ROOT / ".ci" / "run")), env=environ, capture_output=True, text=True)

    assert done.returncode == 1
    assert "no test data" in done.stderr
