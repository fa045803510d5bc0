"""The memory connectors pass the suite that every connector must pass, so the fake stays honest."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.conformance import samples, writer
from syncline.conformance.attaching import CrmAttachmentConformance, ReplicaAttachmentConformance
from syncline.conformance.crm import CrmConformance
from syncline.conformance.replica import ReplicaConformance
from syncline.conformance.writing import WritingConformance
from syncline.connectors.memory.worlds import MemoryCrmWorld, MemoryReplicaWorld
from syncline.core.appointment import Pattern, PatternKind, Recurrence


class TestMemoryExchange(ReplicaConformance):
    @pytest.fixture
    def replica_world(self) -> MemoryReplicaWorld:
        """Make a fresh memory Exchange."""
        return MemoryReplicaWorld()


class TestMemoryExchangeWrites(WritingConformance):
    @pytest.fixture
    def replica_world(self) -> MemoryReplicaWorld:
        """Make a fresh memory Exchange."""
        return MemoryReplicaWorld()


def test_the_memory_exchange_refuses_what_a_server_refuses() -> None:
    """An account that may only read, a date that is none, and a date that crosses its neighbour fail by name."""
    world = MemoryReplicaWorld()
    ada = writer.Writer(world, world.address)
    made = ada.create(writer.series())
    series = made.appointment
    off = samples.at(10).start
    crossing = writer.moved(series, 1, samples.at(9, day=4))
    writes = [
        writer.change_of(made, deleted=(off,)),
        writer.change_of(made, exceptions=(crossing,)),
    ]
    codes = [each.error and each.error.code for each in ada.write(*writes)]
    world.exchange.store(world.address).write_denied = True
    (denied,) = ada.write(writer.deletion_of(made))
    assert codes == ["ItemRefused", "ErrorOccurrenceCrossingBoundary"]
    assert denied.error is not None
    assert denied.error.code == "ItemNotWritable"


def test_a_series_of_the_memory_exchange_begins_where_its_pattern_does() -> None:
    """As a server does it: the first date that fits, at the same time of day."""
    world = MemoryReplicaWorld()
    ada = writer.Writer(world, world.address)
    fridays = Recurrence(pattern=Pattern(kind=PatternKind.WEEKLY, weekdays=(4,)), first=samples.MONDAY.date())
    made = ada.create(writer.new(recurrence=fridays)).appointment
    assert made.span == samples.at(9, day=4)
    assert made.recurrence == replace(fridays, first=samples.at(9, day=4).start.date())


class TestMemoryExchangeFiles(ReplicaAttachmentConformance):
    @pytest.fixture
    def replica_world(self) -> MemoryReplicaWorld:
        """Make a fresh memory Exchange."""
        return MemoryReplicaWorld()


class TestMemoryCrmFiles(CrmAttachmentConformance):
    @pytest.fixture
    def crm_world(self) -> MemoryCrmWorld:
        """Make a fresh memory CRM."""
        return MemoryCrmWorld()


class TestMemoryCrm(CrmConformance):
    @pytest.fixture
    def crm_world(self) -> MemoryCrmWorld:
        """Make a fresh memory CRM."""
        return MemoryCrmWorld()
