"""SyncFolderItems and SyncFolderHierarchy: what a reader of changes may rely on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from exchangelib import Account, CalendarItem

from syncline.emulators.exchange import ExchangeEmulator
from tests.emulator.client import Client
from tests.emulator.conftest import SchemaCheck

pytestmark = pytest.mark.emulator

T0 = datetime(2026, 12, 1, 9, tzinfo=UTC)


def single(subject: str = "Item", day: int = 1) -> str:
    """Return the fields of an hour in December 2026."""
    return (
        f"<t:Subject>{subject}</t:Subject><t:Start>2026-12-{day:02}T09:00:00Z</t:Start>"
        f"<t:End>2026-12-{day:02}T10:00:00Z</t:End>"
    )


def fill(client: Client, number: int) -> list[str]:
    """Create several items in one request and return their ids, oldest first."""
    items = "".join(f"<t:CalendarItem>{single(f'Item {n}')}</t:CalendarItem>" for n in range(number))
    reply = client.post(f'<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items>{items}</m:Items></m:CreateItem>')
    return [e.get("Id") or "" for e in reply.all("t:ItemId")]


def test_only_what_changed_comes_back(ada: Account) -> None:
    """Creates, updates and deletes since the state are told as such, and nothing else is."""
    folder = ada.calendar
    items = [
        CalendarItem(account=ada, folder=folder, subject=s, start=T0, end=T0 + timedelta(hours=1)).save() for s in "abc"
    ]
    assert [kind for kind, _ in folder.sync_items()] == ["create"] * 3
    items[0].subject = "a2"
    items[0].save(update_fields=["subject"])
    gone = items[1].id
    items[1].delete()
    CalendarItem(account=ada, folder=folder, subject="d", start=T0, end=T0 + timedelta(hours=1)).save()
    changes = dict(folder.sync_items())
    assert changes["update"].subject == "a2"
    assert changes["delete"].id == gone
    assert changes["create"].subject == "d"
    assert list(folder.sync_items()) == []


def test_the_same_state_gives_the_same_changes_again(client: Client) -> None:
    """Asking twice with one SyncState returns the same changes and the same next state."""
    fill(client, 3)
    state = client.sync().text("m:SyncState")
    fill(client, 2)
    first, again = client.sync(state), client.sync(state)
    assert first.body == again.body
    assert len(first.all("t:Create")) == 2


def test_changes_come_newest_first_and_at_most_512_a_call(client: Client, check: SchemaCheck) -> None:
    """A first sync pages from the newest item to the oldest, 512 at most, without gap or repetition."""
    ids = fill(client, 1100)
    found, state, sizes = [], "", []
    while True:
        reply = client.sync(state)
        page = [e.get("Id") for e in reply.all("t:ItemId")]
        found, state = found + page, reply.text("m:SyncState")
        sizes.append(len(page))
        if reply.text("m:IncludesLastItemInRange") == "true":
            break
    assert sizes == [512, 512, 76]
    assert found == ids[::-1]
    check.requests = False
    assert client.sync(limit=513).codes() == ["ErrorInvalidRequest"]


def test_what_changes_while_paging_is_not_lost(client: Client) -> None:
    """An item created, changed or deleted between two pages is told in a later page or in the next round."""
    ids = fill(client, 10)
    reply = client.sync(limit=4)
    late = client.created(single("late"))
    client.post(
        f'<m:DeleteItem DeleteType="HardDelete" SendMeetingCancellations="SendToNone"><m:ItemIds>'
        f'<t:ItemId Id="{ids[0]}"/>'
        f'<t:ItemId Id="{ids[9]}"/></m:ItemIds></m:DeleteItem>'
    )
    known = {e.get("Id") for e in reply.all("t:Create//t:ItemId")}
    state = reply.text("m:SyncState")
    for _ in range(4):
        reply = client.sync(state, limit=4)
        known |= {e.get("Id") for e in reply.all("t:Create//t:ItemId")}
        known -= {e.get("Id") for e in reply.all("t:Delete//t:ItemId")}
        state = reply.text("m:SyncState")
    assert known == {*ids[1:9], late}


def test_ignored_items_are_left_out(client: Client) -> None:
    """Ids in Ignore are not told, and the rest is."""
    first, second = fill(client, 2)
    reply = client.post(
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>"
        f'<t:DistinguishedFolderId Id="calendar"/></m:SyncFolderId><m:Ignore><t:ItemId Id="{first}"/></m:Ignore>'
        "<m:MaxChangesReturned>10</m:MaxChangesReturned></m:SyncFolderItems>"
    )
    assert [e.get("Id") for e in reply.all("t:ItemId")] == [second]


def test_an_unreadable_state_is_refused(client: Client) -> None:
    """A state that is garbage, or another folder's, answers ErrorInvalidSyncStateData."""
    inbox = client.sync(folder="inbox").text("m:SyncState")
    for state in ("garbage", "SDRzSQ==", inbox):
        assert client.sync(state).codes() == ["ErrorInvalidSyncStateData"]


def test_a_state_from_after_the_start_is_invalid_after_a_reset(client: Client) -> None:
    """A reset takes changes back, so that states which had read them are refused and older ones still hold."""
    before = client.sync().text("m:SyncState")
    fill(client, 2)
    after = client.sync(before).text("m:SyncState")
    client.control("POST", "reset")
    assert client.sync(after).codes() == ["ErrorInvalidSyncStateData"]
    assert client.sync(before).codes() == ["NoError"]


def test_summaries_leave_out_what_only_getitem_returns(client: Client) -> None:
    """SyncFolderItems returns neither body nor attendees nor recurrence, whatever the shape asks."""
    client.created(
        single() + "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>x@example.org</t:EmailAddress>"
        "</t:Mailbox></t:Attendee></t:RequiredAttendees>"
    )
    reply = client.post(
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape></m:ItemShape><m:SyncFolderId>"
        '<t:DistinguishedFolderId Id="calendar"/></m:SyncFolderId><m:MaxChangesReturned>10</m:MaxChangesReturned>'
        "</m:SyncFolderItems>"
    )
    assert len(reply.all("t:Subject")) == 1
    for name in ("Body", "RequiredAttendees", "Recurrence", "StartTimeZone"):
        assert reply.all(f"t:{name}") == []


def test_id_and_categories_are_all_that_is_asked(client: Client) -> None:
    """IdOnly with item:Categories returns exactly the id and the categories."""
    client.created(
        "<t:Subject>x</t:Subject><t:Categories><t:String>Red</t:String></t:Categories>"
        "<t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>"
    )
    item = client.sync().one("t:CalendarItem")
    assert [e.tag.rpartition("}")[2] for e in item] == ["ItemId", "Categories"]


def test_sync_is_per_folder_and_not_recursive(client: Client) -> None:
    """An item in a calendar below the calendar is no change of the calendar."""
    reply = client.post(
        '<m:CreateFolder><m:ParentFolderId><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderId><m:Folders>'
        "<t:CalendarFolder><t:DisplayName>Team</t:DisplayName></t:CalendarFolder></m:Folders></m:CreateFolder>"
    )
    folder = reply.one("t:FolderId").get("Id")
    client.post(
        f'<m:CreateItem SendMeetingInvitations="SendToNone"><m:SavedItemFolderId><t:FolderId Id="{folder}"/>'
        f"</m:SavedItemFolderId><m:Items><t:CalendarItem>{single()}</t:CalendarItem></m:Items></m:CreateItem>"
    )
    assert client.sync().all("t:Create") == []


def test_moving_an_item_gives_it_another_id(ada: Account) -> None:
    """A moved item is a Delete in its old folder and a Create with another id in the new one."""
    item = CalendarItem(account=ada, folder=ada.calendar, subject="m", start=T0, end=T0 + timedelta(hours=1)).save()
    old = item.id
    list(ada.calendar.sync_items())
    list(ada.trash.sync_items())
    item.move(ada.trash)
    ((kind, gone),) = ada.calendar.sync_items()
    ((arrival, there),) = ada.trash.sync_items()
    assert (kind, gone.id, arrival) == ("delete", old, "create")
    assert there.id != old


def test_the_hierarchy_tells_calendars_and_their_removal(client: Client) -> None:
    """SyncFolderHierarchy lists folders once, then only created, renamed and removed ones."""

    def hierarchy(state: str = "") -> tuple[str, list[str], int]:
        known = f"<m:SyncState>{state}</m:SyncState>" if state else ""
        reply = client.post(
            "<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
            f'<m:SyncFolderId><t:DistinguishedFolderId Id="msgfolderroot"/></m:SyncFolderId>{known}'
            "</m:SyncFolderHierarchy>"
        )
        names = [e.text or "" for e in reply.all("t:DisplayName")]
        return reply.text("m:SyncState"), names, len(reply.all("t:Delete"))

    state, names, _ = hierarchy()
    assert "Calendar" in names
    reply = client.post(
        '<m:CreateFolder><m:ParentFolderId><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderId><m:Folders>'
        "<t:CalendarFolder><t:DisplayName>Team</t:DisplayName></t:CalendarFolder></m:Folders></m:CreateFolder>"
    )
    state, names, _ = hierarchy(state)
    assert names == ["Team"]
    folder = reply.one("t:FolderId").get("Id")
    client.post(
        f'<m:UpdateFolder><m:FolderChanges><t:FolderChange><t:FolderId Id="{folder}"/><t:Updates><t:SetFolderField>'
        '<t:FieldURI FieldURI="folder:DisplayName"/><t:CalendarFolder><t:DisplayName>Crew</t:DisplayName>'
        "</t:CalendarFolder></t:SetFolderField></t:Updates></t:FolderChange></m:FolderChanges></m:UpdateFolder>"
    )
    state, names, _ = hierarchy(state)
    assert names == ["Crew"]
    client.post(
        f'<m:DeleteFolder DeleteType="HardDelete"><m:FolderIds><t:FolderId Id="{folder}"/></m:FolderIds>'
        "</m:DeleteFolder>"
    )
    _, names, removed = hierarchy(state)
    assert (names, removed) == ([], 1)


def test_the_store_survives_a_restart(start: Callable[..., ExchangeEmulator], tmp_path: object) -> None:
    """With a folder for its data the server has its items and sync states after a restart."""
    first = start(data=tmp_path)
    client = Client(first, "ada@example.com", "ada-secret")
    ident = client.created(single("kept"))
    state = client.sync().text("m:SyncState")
    first.stop()
    second = Client(start(data=tmp_path), "ada@example.com", "ada-secret")
    assert second.get(ident).text("t:Subject") == "kept"
    assert second.sync(state).codes() == ["NoError"]
    assert second.sync(state).all("t:Create") == []
