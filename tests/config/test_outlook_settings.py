"""The settings of answering by category: off by default, and names that cannot be taken for one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncline import config
from syncline.core.answering_by_category import CategoryNames
from syncline.errors import SyncError
from syncline.wiring import rules


def test_it_is_off_by_default(tmp_path: Path) -> None:
    """Without the setting nothing is written to Exchange."""
    assert rules(config.load(tmp_path, environ={})).outlook is None


def test_the_engine_gets_the_names(tmp_path: Path) -> None:
    """Each name can be changed by itself."""
    environ = {
        "SYNCLINE_OUTLOOK_ANSWER_BY_CATEGORY": "true",
        "SYNCLINE_OUTLOOK_WAITING_CATEGORY": "Wartet: doppelt belegt",
    }

    assert rules(config.load(tmp_path, environ=environ)).outlook == CategoryNames(waiting="Wartet: doppelt belegt")


@pytest.mark.parametrize("name", ["Save anyway", "KEEP OUT", "Tracked to Syncline CRM", "Waiting, please", " Waiting"])
def test_names_that_could_be_mistaken_are_refused(tmp_path: Path, name: str) -> None:
    """An answer must not be the mark, nor the mark the tracking category; Outlook splits names at commas."""
    (tmp_path / "config.toml").write_text(f'[outlook]\nwaiting_category = "{name}"\n')

    with pytest.raises(SyncError, match="outlook"):
        config.load(tmp_path, environ={})
