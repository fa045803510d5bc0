"""Files over HTTP, both ways: exchangelib on one side, the CRM on the other, and lost answers in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from exchangelib import BASIC, DELEGATE, Account, Configuration, Credentials, FileAttachment

from syncline.config import Settings
from syncline.partners import AttachmentSettings
from tests.acceptance.installation import address
from tests.acceptance.site import at
from tests.acceptance.test_read_only import requests
from tests.acceptance.two_way import GUEST, JONAS, MAYA, Firm, opened

pytestmark = pytest.mark.emulator

BYTES = bytes(range(256)) * 64
OPERATIONS = ("CreateAttachment", "DeleteAttachment", "GetAttachment")


def keeping_files(given: Settings) -> Settings:
    """Switch files on."""
    return replace(given, attachments=AttachmentSettings(enabled=True, size_max_kb=100))


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    """Open a firm that keeps files, with a meeting that came from the CRM."""
    with opened(tmp_path / "data", keeping_files) as found:
        found.sync(MAYA, JONAS)
        found.site.in_crm("Visit", at(10), at(11), required=[address(JONAS), GUEST])
        found.sync(MAYA, JONAS)
        found.mails()
        yield found


@pytest.fixture
def maya(firm: Firm) -> Iterator[Account]:
    """Give Maya's mailbox in exchangelib."""
    world, name = firm.world, address(MAYA)
    configuration = Configuration(
        service_endpoint=world.exchange.ews_url, credentials=Credentials(name, f"pw-{MAYA}"), auth_type=BASIC
    )
    account = Account(name, config=configuration, autodiscover=False, access_type=DELEGATE)
    yield account
    account.protocol.close()


def in_outlook(account: Account) -> dict[str, bytes]:
    """Return the files of the meeting, by name; each name stands once."""
    (item,) = account.calendar.filter(subject="Visit")
    names = [each.name for each in item.attachments or ()]
    assert len(set(names)) == len(names)
    return {each.name: each.content for each in item.attachments or ()}


def in_crm(firm: Firm) -> dict[str, bytes | None]:
    """Return the files of the row, by name; each name stands once."""
    row, crm = firm.row("Visit")["id"], firm.world.app.crm
    files = crm.attachments([row])[row].files
    assert len({each.name for each in files}) == len(files)
    return {each.name: crm.attachment_content(each.ref, len(BYTES)) for each in files}


def attach(account: Account, name: str, content: bytes) -> None:
    """Attach a file in Outlook."""
    (item,) = account.calendar.filter(subject="Visit")
    item.attach(FileAttachment(name=name, content=content))


def asked(firm: Firm) -> dict[str, int]:
    """Return how many requests about single files the server has seen."""
    seen = requests(firm.world.exchange.control_url)
    return {name: seen.get(name, 0) for name in OPERATIONS}


@pytest.mark.rule("D-05")
def test_files_flow_both_ways_and_nobody_is_mailed(firm: Firm, maya: Account) -> None:
    """What is attached on one side stands on the other, what is taken off goes, and guests hear of neither."""
    row, crm = firm.row("Visit")["id"], firm.world.app.crm
    attach(maya, "plan.bin", BYTES)
    made = crm.add_file(row, "Notes ä.txt", "text/plain", b"notes", by_user=MAYA)
    firm.sync(MAYA, JONAS)
    both = {"plan.bin": BYTES, "Notes ä.txt": b"notes"}
    assert (in_outlook(maya), in_crm(firm)) == (both, both)
    before = asked(firm)
    firm.assert_quiet()
    assert asked(firm) == before
    crm.remove_file(row, made.ref, by_user=MAYA)
    firm.sync(MAYA)
    (item,) = maya.calendar.filter(subject="Visit")
    item.attachments[0].detach()
    firm.sync(MAYA)
    assert (in_outlook(maya), in_crm(firm)) == ({}, {})
    assert firm.mails() == []


@pytest.mark.rule("D-06")
def test_a_file_that_is_refused_is_told(firm: Firm, maya: Account) -> None:
    """What is blocked or too large stays in Outlook, the meeting's edit comes in, and alerts say why."""
    attach(maya, "setup.exe", b"x")
    attach(maya, "large.bin", b"x" * 200_000)
    firm.outlook().change(firm.item("Visit")["id"], Location="Bern")
    firm.sync(MAYA)
    assert firm.content("Visit").location == "Bern"
    assert (in_crm(firm), firm.open_codes()) == ({}, ["AttachmentBlocked"])
    assert asked(firm)["GetAttachment"] == 0
    row = firm.row("Visit")["id"]
    assert firm.world.app.crm.attachments([row])[row].incomplete
    firm.assert_quiet()


@pytest.mark.parametrize("fault", ["lost_answer", "unavailable", "busy"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_failing_server_loses_and_doubles_no_file(firm: Firm, maya: Account, operation: str, fault: str) -> None:
    """Each request about a file fails once, before or after its effect: in the end each file stands once."""
    row, crm = firm.row("Visit")["id"], firm.world.app.crm
    gone = crm.add_file(row, "gone.txt", "", b"gone", by_user=MAYA)
    firm.sync(MAYA)
    attach(maya, "plan.bin", BYTES)
    crm.remove_file(row, gone.ref, by_user=MAYA)
    crm.add_file(row, "notes.txt", "text/plain", b"notes", by_user=MAYA)
    firm.arm(operation, fault)
    for _ in range(4):
        firm.world.advance(hours=2)
        firm.site.sync(MAYA)
    both = {"plan.bin": BYTES, "notes.txt": b"notes"}
    assert (in_outlook(maya), in_crm(firm)) == (both, both)
    assert firm.mails() == []


@pytest.mark.rule("D-05")
def test_with_the_setting_off_no_request_is_about_files(tmp_path: Path) -> None:
    """As delivered the server is never asked about a file, although one is attached, and the CRM gets none."""
    with opened(tmp_path / "data") as firm:
        firm.sync(MAYA)
        ident = firm.outlook().create("Visit", at(10), at(11))
        file = "<t:FileAttachment><t:Name>a.txt</t:Name><t:Content>YQ==</t:Content></t:FileAttachment>"
        reply = firm.client.post(
            f'<m:CreateAttachment><m:ParentItemId Id="{ident}"/><m:Attachments>{file}</m:Attachments>'
            "</m:CreateAttachment>"
        )
        assert reply.codes() == ["NoError"]
        firm.sync(MAYA)
        assert asked(firm) == {"CreateAttachment": 1, "DeleteAttachment": 0, "GetAttachment": 0}
        assert in_crm(firm) == {}
