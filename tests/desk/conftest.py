"""Fixtures of the desk: a firm of its own for each test."""

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
