"""The connector over the Exchange emulator passes the suite that every calendar connector must pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from syncline.conformance.attaching import ReplicaAttachmentConformance
from syncline.conformance.replica import ReplicaConformance
from syncline.conformance.writing import WritingConformance
from tests.exchange_web_services.test_with_emulator import Watch
from tests.exchange_web_services.world import ExchangeWorld


@pytest.mark.emulator
class TestExchangeWebServices(ReplicaConformance):
    @pytest.fixture
    def replica_world(self) -> Iterator[ExchangeWorld]:
        """Start a fresh server, and stop it."""
        world = ExchangeWorld()
        yield world
        world.close()


@pytest.mark.emulator
class TestWriting(WritingConformance):
    @pytest.fixture
    def replica_world(self, xsd: etree.XMLSchema) -> Iterator[ExchangeWorld]:
        """Start a fresh server whose traffic is checked against the schema, and stop it."""
        watch = Watch(xsd)
        world = ExchangeWorld(watch)
        yield world
        world.close()
        assert watch.complaints == []


@pytest.mark.emulator
class TestFiles(ReplicaAttachmentConformance):
    @pytest.fixture
    def replica_world(self, xsd: etree.XMLSchema) -> Iterator[ExchangeWorld]:
        """Start a fresh server whose traffic is checked against the schema, and stop it."""
        watch = Watch(xsd)
        world = ExchangeWorld(watch)
        yield world
        world.close()
        assert watch.complaints == []
