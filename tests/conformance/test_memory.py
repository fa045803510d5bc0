"""The memory connectors pass the suite that every connector must pass, so the fake stays honest."""

from __future__ import annotations

import pytest

from syncline.conformance.crm import CrmConformance
from syncline.conformance.replica import ReplicaConformance
from syncline.connectors.memory.worlds import MemoryCrmWorld, MemoryReplicaWorld


class TestMemoryExchange(ReplicaConformance):
    @pytest.fixture
    def replica_world(self) -> MemoryReplicaWorld:
        """Make a fresh memory Exchange."""
        return MemoryReplicaWorld()


class TestMemoryCrm(CrmConformance):
    @pytest.fixture
    def crm_world(self) -> MemoryCrmWorld:
        """Make a fresh memory CRM."""
        return MemoryCrmWorld()
