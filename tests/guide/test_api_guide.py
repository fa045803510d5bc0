"""docs/api.md does what it says: its examples run, in order, against a running Syncline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncline.desk import tokens
from syncline.desk.reading import OPERATOR
from tests.browser.firm import Event, Firm, at

pytestmark = pytest.mark.emulator

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every Python block of the guide runs after the ones before it, and does what the text says."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) >= 6
    with Firm(tmp_path / "data") as firm:
        for day in (1, 2):
            firm.in_crm(f"Review {day}", at(10, day))
            firm.in_outlook("maya", Event(subject=f"Demo {day}", start=at(10.5, day)))
        firm.connect("maya")
        firm.until(lambda: len(firm.questions()) == 2)
        monkeypatch.setenv("SYNCLINE_URL", firm.url)
        monkeypatch.setenv("SYNCLINE_TOKEN", tokens.create(firm.app, OPERATOR, "ines", "guide").token or "")
        names: dict[str, object] = {}
        for block in blocks:
            exec(compile(block, str(GUIDE), "exec"), names)
        said = capsys.readouterr().out

        assert "in the way: Review" in said and "\nsaved\n" in said
        assert firm.questions() == []
