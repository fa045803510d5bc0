"""The CRM that Syncline carries inside: users, appointments, contacts, and the check of who is available."""

from syncline.connectors.embedded_crm.calendar import Listed, ListedPage
from syncline.connectors.embedded_crm.crm import EmbeddedCrm

__all__ = ["EmbeddedCrm", "Listed", "ListedPage"]
