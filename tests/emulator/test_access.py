"""Sign-in, impersonation, delegation, headers: who may do what."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from exchangelib import BASIC, IMPERSONATION, Account, Configuration, Credentials
from exchangelib.errors import ErrorImpersonateUserDenied, ErrorNonExistentMailbox

from syncline.emulators.exchange import ExchangeEmulator
from tests.emulator.client import Client
from tests.emulator.conftest import ADA, BOB, PASSWORDS, SERVICE

pytestmark = pytest.mark.emulator

FOLDER = (
    "<m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
    "<m:FolderIds>{}</m:FolderIds></m:GetFolder>"
)
CALENDAR = '<t:DistinguishedFolderId Id="calendar"/>'


def of(address: str) -> str:
    """Return the calendar of somebody by name."""
    return (
        f'<t:DistinguishedFolderId Id="calendar"><t:Mailbox><t:EmailAddress>{address}</t:EmailAddress></t:Mailbox>'
        "</t:DistinguishedFolderId>"
    )


def impersonating(server: ExchangeEmulator, name: str, password: str, address: str) -> Account:
    """Sign in with exchangelib as one account for another's mailbox."""
    configuration = Configuration(
        service_endpoint=server.ews_url, credentials=Credentials(name, password), auth_type=BASIC
    )
    return Account(address, config=configuration, autodiscover=False, access_type=IMPERSONATION)


def test_the_service_account_may_impersonate_every_mailbox(server: ExchangeEmulator) -> None:
    """With the ExchangeImpersonation header the service account opens Bob's calendar."""
    account = impersonating(server, *SERVICE, BOB)
    assert account.calendar.name == "Calendar"


def test_a_mailbox_may_impersonate_only_itself(server: ExchangeEmulator) -> None:
    """Ada as Bob answers ErrorImpersonateUserDenied, Ada as Ada works."""
    with pytest.raises(ErrorImpersonateUserDenied):
        impersonating(server, ADA, PASSWORDS[ADA], BOB).calendar.refresh()
    assert impersonating(server, ADA, PASSWORDS[ADA], ADA).calendar.name == "Calendar"


def test_an_unknown_mailbox_cannot_be_impersonated(server: ExchangeEmulator) -> None:
    """The service account as somebody without mailbox answers ErrorNonExistentMailbox."""
    with pytest.raises(ErrorNonExistentMailbox):
        impersonating(server, *SERVICE, "nobody@example.com").calendar.refresh()


def test_the_service_account_itself_has_no_mailbox(server: ExchangeEmulator) -> None:
    """Without impersonation the service account has no calendar, but opens others by their address."""
    client = Client(server, *SERVICE)
    assert client.post(FOLDER.format(CALENDAR)).codes() == ["ErrorNonExistentMailbox"]
    assert client.post(FOLDER.format(of(BOB))).codes() == ["NoError"]


def test_another_mailbox_is_closed(server: ExchangeEmulator, client: Client) -> None:
    """Ada opens neither Bob's calendar by his address nor his items by their ids."""
    bob = Client(server, BOB, PASSWORDS[BOB])
    ident = bob.created("<t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>")
    folder = bob.post(FOLDER.format(CALENDAR)).one("t:FolderId").get("Id")
    assert client.post(FOLDER.format(of(BOB))).codes() == ["ErrorAccessDenied"]
    assert client.post(FOLDER.format(f'<t:FolderId Id="{folder}"/>')).codes() == ["ErrorAccessDenied"]
    assert client.get(ident).codes() == ["ErrorAccessDenied"]


@pytest.mark.parametrize("name", ["ada@example.com", "EXAMPLE\\ada", "ADA@EXAMPLE.COM", "ada"])
def test_user_names_have_several_forms(server: ExchangeEmulator, name: str) -> None:
    """An address in any case, a domain name and an alias mean the same mailbox."""
    assert Client(server, name, PASSWORDS[ADA]).post(FOLDER.format(CALENDAR)).status == 200


@pytest.mark.parametrize("name", ["CONTOSO\\svc-syncline", "svc-syncline@contoso.com", "svc-syncline"])
def test_the_service_account_may_be_named_with_its_domain(start: Callable[..., ExchangeEmulator], name: str) -> None:
    """A service account given with its domain signs in with and without it."""
    server = start(service=("CONTOSO\\svc-syncline", "pw"))
    status = Client(server, name, "pw", impersonate=BOB).post(FOLDER.format(CALENDAR)).status
    assert status == (401 if "@" in name else 200)


def test_without_credentials_the_schemes_are_told(client: Client) -> None:
    """A request without Authorization answers 401 with WWW-Authenticate."""
    reply = client.raw("POST", "/EWS/Exchange.asmx", b"<x/>", {"Authorization": ""})
    assert reply.status == 401
    assert "Basic" in reply.headers["www-authenticate"]


def test_request_ids_come_back(client: Client) -> None:
    """The request-id and client-request-id of the client stand in the answer; X-AnchorMailbox is accepted."""
    reply = client.post(
        FOLDER.format(CALENDAR), {"request-id": "one", "client-request-id": "two", "X-AnchorMailbox": ADA}
    )
    assert (reply.status, reply.headers["request-id"], reply.headers["client-request-id"]) == (200, "one", "two")
    assert client.post(FOLDER.format(CALENDAR)).headers["request-id"]
