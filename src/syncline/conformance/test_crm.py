"""The suite for CRM connectors, collected by `pytest --pyargs syncline.conformance`."""

from syncline.conformance.attaching import CrmAttachmentConformance
from syncline.conformance.crm import CrmConformance


class TestCrm(CrmConformance):
    """The CRM connector of the named world."""


class TestFiles(CrmAttachmentConformance):
    """The same connector with files."""
