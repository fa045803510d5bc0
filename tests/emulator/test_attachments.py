"""Files on items, as unmodified exchangelib attaches, reads and detaches them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from exchangelib import Account, CalendarItem, FileAttachment
from exchangelib.items import SEND_TO_ALL_AND_SAVE_COPY

from syncline.emulators.exchange import ExchangeEmulator
from tests.emulator.client import Client
from tests.emulator.conftest import ADA, BOB, PASSWORDS, SchemaCheck, account_of

pytestmark = pytest.mark.emulator

START = datetime(2026, 12, 1, 9, tzinfo=UTC)
AGENDA = b"1. Welcome\n2. \xc3\x84nderungen\x00\xff"


def item(account: Account, **fields: object) -> CalendarItem:
    """Save an hour with a file on it."""
    made = CalendarItem(
        account=account, folder=account.calendar, subject="x", start=START, end=START + timedelta(hours=1), **fields
    )
    made.attach(FileAttachment(name="Agenda & <notes>.txt", content=AGENDA))
    return made.save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)


def create(client: Client, ident: str, inner: str, key: str = "") -> list[str]:
    """Ask for files on an item and return the response codes."""
    told = f' ChangeKey="{key}"' if key else ""
    return client.post(
        f'<m:CreateAttachment><m:ParentItemId Id="{ident}"{told}/><m:Attachments>{inner}</m:Attachments>'
        "</m:CreateAttachment>"
    ).codes()


def file(name: str = "a.txt", content: bytes = b"a") -> str:
    """Return a FileAttachment element."""
    inner = f"<t:Name>{name}</t:Name><t:Content>{b64encode(content).decode()}</t:Content>"
    return f"<t:FileAttachment>{inner}</t:FileAttachment>"


def test_a_file_comes_back_as_it_was_attached(ada: Account) -> None:
    """GetItem lists name, type and size, GetAttachment gives the bytes, and the item says that it has files."""
    found = ada.calendar.get(id=item(ada).id)
    (attachment,) = found.attachments
    assert (attachment.name, attachment.content_type) == ("Agenda & <notes>.txt", "text/plain")
    assert (attachment.content, found.has_attachments, attachment.is_inline) == (AGENDA, True, False)
    assert attachment.size >= len(AGENDA)


def test_a_file_makes_another_revision_of_its_item_and_mails_nobody(server: ExchangeEmulator, ada: Account) -> None:
    """Files are parts of an item: its ChangeKey moves with them, and guests hear of neither."""
    made = item(ada, required_attendees=[BOB])
    keys, mails = [made.changekey], len(server.store.notes("mail"))
    more = FileAttachment(name="b.txt", content=b"b")
    made.attach(more)
    keys.append(ada.calendar.get(id=made.id).changekey)
    more.detach()
    keys.append(ada.calendar.get(id=made.id).changekey)
    assert len(set(keys)) == 3
    assert [each.name for each in ada.calendar.get(id=made.id).attachments] == ["Agenda & <notes>.txt"]
    assert len(server.store.notes("mail")) == mails


def test_a_file_travels_with_an_update_to_the_copies(ada: Account, bob: Account) -> None:
    """What the organizer attached is on the copies once guests are told, with the same content."""
    made = item(ada, required_attendees=[BOB])
    made.location = "Room 1"
    made.save(update_fields=["location"], send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    (copy,) = bob.calendar.filter(subject="x")
    assert [(each.name, each.content) for each in copy.attachments] == [("Agenda & <notes>.txt", AGENDA)]


def test_a_file_of_a_moved_item_has_another_id(ada: Account) -> None:
    """An attachment's id goes with its item's: after a move only the new one gives the content."""
    made = item(ada)
    (before,) = ada.calendar.get(id=made.id).attachments
    made.move(ada.trash)
    (after,) = ada.trash.get(id=made.id).attachments
    assert (after.content, after.attachment_id.id != before.attachment_id.id) == (AGENDA, True)


def test_a_file_that_was_taken_off_is_not_found(client: Client, ada: Account) -> None:
    """GetAttachment and DeleteAttachment of a file that is gone answer ErrorInvalidAttachmentId."""
    made = item(ada)
    (attachment,) = ada.calendar.get(id=made.id).attachments
    ident = f'<m:AttachmentIds><t:AttachmentId Id="{attachment.attachment_id.id}"/></m:AttachmentIds>'
    codes = [client.post(f"<m:{verb}>{ident}</m:{verb}>").codes() for verb in ("DeleteAttachment",) * 2]
    codes.append(client.post(f"<m:GetAttachment>{ident}</m:GetAttachment>").codes())
    assert codes == [["NoError"], ["ErrorInvalidAttachmentId"], ["ErrorInvalidAttachmentId"]]


def test_a_stale_change_key_and_half_a_file_are_refused(client: Client, ada: Account, check: SchemaCheck) -> None:
    """A ChangeKey that is given must be current; a file needs name and content; only files can be attached."""
    made = item(ada)
    stale = made.changekey
    assert create(client, made.id, file(), ada.calendar.get(id=made.id).changekey) == ["NoError"]
    assert create(client, made.id, file(), stale) == ["ErrorIrresolvableConflict"]
    assert create(client, made.id, "<t:FileAttachment><t:Name>a</t:Name></t:FileAttachment>") == [
        "ErrorRequiredPropertyMissing"
    ]
    nested = "<t:ItemAttachment><t:Name>a</t:Name></t:ItemAttachment>"
    assert create(client, made.id, nested) == ["ErrorInvalidOperation"]
    check.requests = False
    assert create(client, "nonsense", file()) == ["ErrorInvalidIdMalformed"]


def test_a_large_file_is_taken(start: Callable[..., ExchangeEmulator]) -> None:
    """Twelve megabytes pass, although no text of a plain request may be that long."""
    server = start(observer=None)
    account = account_of(server)
    content = bytes(range(256)) * 49_152
    made = item(account)
    codes = create(Client(server, ADA, PASSWORDS[ADA]), made.id, file("large.bin", content))
    found = account.calendar.get(id=made.id).attachments
    assert codes == ["NoError"]
    assert found[1].content == content
