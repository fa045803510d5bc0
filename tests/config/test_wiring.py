"""Settings reach the engine: what a file says is what the rules of a cycle say."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncline import config, wiring
from syncline.core.merging import PrivatePolicy
from syncline.ports import OnSchedulingConflict
from syncline.wiring import rules

TEXT = """
[crm]
name = "House CRM"
[sync]
on_scheduling_conflict = "keep_out"
chunk_max = 7
page_size_max = 8
interval_min_s = 100
interval_step_s = 10
interval_max_s = 200
floor_s = 30
[item]
max_retries = 2
[private]
policy = "skip"
[organization]
track_appointments_from_non_organizer = false
ignore_copied_items = false
use_crm_organizer_for_empty_exchange_organizer = true
[conflict]
check_past = true
"""


def test_the_engine_gets_what_the_file_says(tmp_path: Path) -> None:
    """Every setting of sync, item, private and organization stands in the rules of a cycle."""
    (tmp_path / config.CONFIG_FILE).write_text(TEXT, encoding="utf-8")

    found = rules(config.load(tmp_path, environ={}))

    assert (found.crm_name, found.on_scheduling_conflict) == ("House CRM", OnSchedulingConflict.KEEP_OUT)
    assert (found.chunk_max, found.page_size_max, found.attempts_max) == (7, 8, 2)
    assert (found.interval_min_s, found.interval_step_s, found.interval_max_s, found.floor_s) == (100, 10, 200, 30)
    assert (found.policy.private, found.private) == (PrivatePolicy.SKIP, PrivatePolicy.SKIP)
    assert (found.policy.track_from_non_organizer, found.policy.ignore_copies) == (False, False)
    assert found.keep_crm_organizer
    assert found.conflict.check_past


@pytest.mark.rule("A-27")
@pytest.mark.rule("A-28")
@pytest.mark.rule("L-11")
def test_the_defaults_are_those_of_the_product(tmp_path: Path) -> None:
    """Attendees may track, copies are ignored, an organizer that Exchange drops goes, no floor holds back."""
    found = rules(config.load(tmp_path, environ={}))

    assert (found.policy.track_from_non_organizer, found.policy.ignore_copies) == (True, True)
    assert not found.keep_crm_organizer
    assert found.floor_s == 0


def test_both_directions_are_on_unless_they_are_switched_off(tmp_path: Path) -> None:
    """Nothing said: what the CRM holds goes to Exchange; the setting keeps it here."""
    off = config.load(tmp_path, environ={"SYNCLINE_EXCHANGE_WRITE": "false"})

    assert (rules(config.load(tmp_path, environ={})).outgoing, rules(off).outgoing) == (True, False)


def test_only_the_owner_reads_the_databases(tmp_path: Path) -> None:
    """Key, state and CRM have the rights 0600 from their first moment on."""
    wiring.make_folder(tmp_path / "data")
    wiring.open_app(tmp_path / "data").close()

    for name in (wiring.KEY_FILE, wiring.STATE_FILE, wiring.CRM_FILE):
        assert (tmp_path / "data" / name).stat().st_mode & 0o777 == 0o600, name
