"""Fixtures of the command line: a data folder, an Exchange stand-in, and `syncline` in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncline.emulators.exchange import ExchangeEmulator
from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("SYNCLINE_DATA", str(tmp_path / "data"))
    return Terminal(tmp_path)


@pytest.fixture
def exchange() -> Iterator[ExchangeEmulator]:
    emulator = ExchangeEmulator(
        ":memory:", port=0, mailboxes=(("maya@fjordbikes.example", "pw-maya"),), service=("svc", "pw-svc")
    )
    emulator.start()
    yield emulator
    emulator.stop()
