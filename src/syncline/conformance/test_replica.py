"""The suite for calendar connectors, collected by `pytest --pyargs syncline.conformance`."""

from syncline.conformance.replica import ReplicaConformance


class TestReplica(ReplicaConformance):
    """The calendar connector of the named world."""
