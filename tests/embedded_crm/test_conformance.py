"""The embedded CRM passes the suite that every CRM connector must pass, in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncline.conformance.attaching import CrmAttachmentConformance
from syncline.conformance.crm import CrmConformance
from tests.embedded_crm.world import EmbeddedCrmWorld


class TestEmbeddedCrm(CrmConformance):
    @pytest.fixture
    def crm_world(self, tmp_path: Path) -> Iterator[EmbeddedCrmWorld]:
        """Make a fresh CRM."""
        world = EmbeddedCrmWorld(tmp_path)
        yield world
        world.close()


class TestFiles(CrmAttachmentConformance):
    @pytest.fixture
    def crm_world(self, tmp_path: Path) -> Iterator[EmbeddedCrmWorld]:
        """Make a fresh CRM."""
        world = EmbeddedCrmWorld(tmp_path)
        yield world
        world.close()
