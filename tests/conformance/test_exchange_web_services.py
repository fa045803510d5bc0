"""The EWS connector passes the suite that every calendar connector must pass, on the Exchange emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncline.conformance.replica import ReplicaConformance
from syncline.conformance.writing import WritingConformance
from tests.conformance.exchange_world import ExchangeWorld

pytestmark = pytest.mark.emulator


class TestExchangeWebServices(ReplicaConformance):
    @pytest.fixture
    def replica_world(self) -> Iterator[ExchangeWorld]:
        """Make a fresh emulated server."""
        world = ExchangeWorld()
        yield world
        world.close()


class TestWriting(WritingConformance):
    @pytest.fixture
    def replica_world(self) -> Iterator[ExchangeWorld]:
        """Make a fresh emulated server."""
        world = ExchangeWorld()
        yield world
        world.close()
