"""What every test shares: test data, the browser, and the rule that under CI a skip is a failure.

It must not know any part of the product; fixtures of one area live in that area's conftest.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A crowded machine is no failure: the suite runs in two processes.
settings.register_profile("crowded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("crowded")

ROOT = Path(__file__).resolve().parent.parent
KEPT_SETTINGS = {"SYNCLINE_TEST_DATA", "SYNCLINE_PICTURES"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge", "microsoft-edge")


def in_ci() -> bool:
    """Say whether missing things must fail instead of being skipped."""
    return os.environ.get("CI", "").lower() == "true"


def pytest_configure(config: pytest.Config) -> None:
    """Forget the developer's own Syncline settings, so that a test sees only what it sets."""
    for name in [name for name in os.environ if name.startswith("SYNCLINE_") and name not in KEPT_SETTINGS]:
        del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a rule marker that does not name exactly one rule."""
    for item in items:
        for mark in item.iter_markers("rule"):
            if len(mark.args) != 1 or not isinstance(mark.args[0], str) or mark.kwargs:
                raise pytest.UsageError(f"{item.nodeid}: write @pytest.mark.rule with one rule id, such as CD-07")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run under CI when anything was skipped or expected to fail."""
    if in_ci() and session.exitstatus == pytest.ExitCode.OK and _holes(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in words why a run without a failed test failed."""
    holes = _holes(terminalreporter.config)
    if in_ci() and holes:
        terminalreporter.write_line(f"CI=true: {holes} tests were skipped or expected to fail; that fails the run.")


def _holes(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if reporter else {}
    return sum(len(stats.get(name, ())) for name in ("skipped", "xfailed", "xpassed"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Give the folder with the large test data, which is no part of the repository."""
    named = os.environ.get("SYNCLINE_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = "no test data: set SYNCLINE_TEST_DATA to its folder or put it at ../shared/data"
        if in_ci() or named:
            pytest.fail(reason)
        pytest.skip(reason)
    return folder.resolve()


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Give the program file of the Chromium, Chrome or Edge on this machine."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium, Chrome or Edge on this machine: make test says how to install one")
    return found
