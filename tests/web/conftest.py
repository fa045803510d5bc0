"""Fixtures of the web's tests: a firm of its own for each, with passwords that cost little."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.desk.office import Office, hash_cheaply


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_cheaply(monkeypatch)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)
