"""Fixtures of the connector's tests: scripted servers, replicas, and the public schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from syncline.connectors.exchange_web_services import ExchangeReplica, open_replica
from syncline.ports import Profile
from tests.exchange_web_services.scripted import Script, ScriptedServer

ADA = "ada@example.com"
Serve = Callable[..., ScriptedServer]
Connect = Callable[..., ExchangeReplica]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start scripted servers and stop them."""
    with ExitStack() as running:

        def begin(*script: Script, **options: Any) -> ScriptedServer:
            return running.enter_context(ScriptedServer(*script, **options))

        yield begin


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Open replicas and close them."""
    with ExitStack() as opened:

        def begin(
            url: str,
            *,
            address: str = ADA,
            password: str = "pässword",
            time_zone: str = "Europe/Berlin",
            **options: Any,
        ) -> ExchangeReplica:
            timeout_s = options.pop("timeout_s", 10.0)
            profile = Profile(**{"name": "test", "url": url, "username": ADA, "auth": "basic", **options})
            replica = open_replica(profile, password, address, time_zone=time_zone, timeout_s=timeout_s)
            opened.callback(replica.close)
            return replica

        yield begin


@lru_cache(maxsize=1)
def compiled(schema: Path) -> etree.XMLSchema:
    """Compile messages.xsd once."""
    return etree.XMLSchema(etree.parse(schema))


@pytest.fixture
def xsd(data_dir: Path) -> etree.XMLSchema:
    """Give the schema of Exchange Web Services."""
    return compiled(data_dir / "ews" / "schema" / "messages.xsd")
