"""A fresh embedded CRM in memory for every test of this area."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncline.connectors.embedded_crm import EmbeddedCrm
from tests.embedded_crm.world import open_crm


@pytest.fixture
def crm() -> Iterator[EmbeddedCrm]:
    """Open a CRM with Ada, Bob and Cyd."""
    opened = open_crm()
    yield opened
    opened.close()
