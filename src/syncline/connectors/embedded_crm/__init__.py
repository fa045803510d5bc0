"""The CRM that Syncline carries inside: users, appointments, contacts, and the check of who is available."""

from syncline.connectors.embedded_crm.crm import EmbeddedCrm

__all__ = ["EmbeddedCrm"]
