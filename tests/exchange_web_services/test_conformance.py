"""The connector over the Exchange emulator passes the suite that every calendar connector must pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncline.conformance.replica import ReplicaConformance
from tests.exchange_web_services.world import ExchangeWorld


@pytest.mark.emulator
class TestExchangeWebServices(ReplicaConformance):
    @pytest.fixture
    def replica_world(self) -> Iterator[ExchangeWorld]:
        """Start a fresh server, and stop it."""
        world = ExchangeWorld()
        yield world
        world.close()
