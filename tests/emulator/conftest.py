"""Fixtures of the emulator's tests: servers whose every request and answer is checked against the public schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from exchangelib import BASIC, DELEGATE, Account, Configuration, Credentials
from lxml import etree

from syncline.emulators.exchange import ExchangeEmulator
from tests.emulator.client import Client

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
ADA, BOB, CYD = "ada@example.com", "bob@example.com", "cyd@example.com"
PASSWORDS = {ADA: "ada-secret", BOB: "bob-secret", CYD: "cyd-secret"}
SERVICE = ("svc-syncline", "service-secret")


@lru_cache(maxsize=1)
def schema(data_dir: Path) -> etree.XMLSchema:
    """Compile messages.xsd once."""
    return etree.XMLSchema(etree.parse(data_dir / "ews" / "schema" / "messages.xsd"))


class SchemaCheck:
    """Collects what the schema says against requests and answers."""

    def __init__(self, xsd: etree.XMLSchema) -> None:
        self.xsd = xsd
        self.complaints: list[str] = []
        self.seen = 0
        self.requests = True

    def __call__(self, request: bytes, answer: bytes) -> None:
        """Check the bodies of one request and its answer; faults have no schema."""
        for data in (request, answer) if self.requests else (answer,):
            body = etree.fromstring(data).find(f"{SOAP}Body")
            if body is None or len(body) == 0 or body[0].tag == f"{SOAP}Fault":
                continue
            self.seen += 1
            if not self.xsd.validate(body[0]):
                self.complaints.append(f"{body[0].tag}: {self.xsd.error_log.last_error}")


@pytest.fixture
def check(data_dir: Path) -> Iterator[SchemaCheck]:
    """Give the observer of a server, and fail at the end if anything was invalid."""
    found = SchemaCheck(schema(data_dir))
    yield found
    assert found.complaints == []


@pytest.fixture
def start(check: SchemaCheck) -> Iterator[Callable[..., ExchangeEmulator]]:
    """Start servers with any options, and stop them."""
    running: list[ExchangeEmulator] = []

    def begin(**options: Any) -> ExchangeEmulator:
        values: dict[str, Any] = {"mailboxes": PASSWORDS, "service": SERVICE, "observer": check, **options}
        running.append(ExchangeEmulator(**values).start())
        return running[-1]

    yield begin
    for server in running:
        server.stop()


@pytest.fixture
def server(start: Callable[..., ExchangeEmulator]) -> ExchangeEmulator:
    """Give a server with three mailboxes and a service account."""
    return start()


def account_of(server: ExchangeEmulator, address: str = ADA, password: str | None = None) -> Account:
    """Sign in with exchangelib, unmodified."""
    configuration = Configuration(
        service_endpoint=server.ews_url,
        credentials=Credentials(address, PASSWORDS[address] if password is None else password),
        auth_type=BASIC,
    )
    return Account(address, config=configuration, autodiscover=False, access_type=DELEGATE)


@pytest.fixture
def ada(server: ExchangeEmulator) -> Account:
    """Give Ada's account in exchangelib."""
    return account_of(server, ADA)


@pytest.fixture
def bob(server: ExchangeEmulator) -> Account:
    """Give Bob's account in exchangelib."""
    return account_of(server, BOB)


@pytest.fixture
def client(server: ExchangeEmulator) -> Client:
    """Give a client for plain requests as Ada."""
    return Client(server, ADA, PASSWORDS[ADA])
