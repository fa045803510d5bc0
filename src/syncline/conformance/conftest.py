"""The worlds that the suite runs on, named by environment variables; the memory connectors if none is named.

It must not import a connector: it only loads what is named.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from syncline.conformance.worlds import CrmWorld, ReplicaWorld

MEMORY = "syncline.connectors.memory.worlds"


@pytest.fixture
def replica_world() -> ReplicaWorld:
    """Make a fresh world of SYNCLINE_REPLICA_WORLD (package.module:callable)."""
    made: ReplicaWorld = _named(os.environ.get("SYNCLINE_REPLICA_WORLD", f"{MEMORY}:MemoryReplicaWorld"))()
    return made


@pytest.fixture
def crm_world() -> CrmWorld:
    """Make a fresh world of SYNCLINE_CRM_WORLD (package.module:callable)."""
    made: CrmWorld = _named(os.environ.get("SYNCLINE_CRM_WORLD", f"{MEMORY}:MemoryCrmWorld"))()
    return made


def _named(name: str) -> Callable[[], Any]:
    module, _, attribute = name.partition(":")
    found: Callable[[], Any] = getattr(import_module(module), attribute)
    return found
