"""Fixtures of the tests of mails and messages: passwords that cost little."""

from __future__ import annotations

import pytest

from tests.desk.office import hash_cheaply


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_cheaply(monkeypatch)
