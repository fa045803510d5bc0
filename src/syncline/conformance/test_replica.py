"""The suite for calendar connectors, collected by `pytest --pyargs syncline.conformance`."""

from syncline.conformance.attaching import ReplicaAttachmentConformance
from syncline.conformance.replica import ReplicaConformance
from syncline.conformance.writing import WritingConformance


class TestReplica(ReplicaConformance):
    """The calendar connector of the named world."""


class TestWriting(WritingConformance):
    """The same connector when it writes."""


class TestFiles(ReplicaAttachmentConformance):
    """The same connector with files."""
