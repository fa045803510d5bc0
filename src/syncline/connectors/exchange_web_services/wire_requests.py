"""Builders of the reading operations of Exchange Web Services: values in, the body of a SOAP message out.

Every text that comes from outside is escaped here and only here. This module must not know how answers look, nor the
network. There is no writing operation in this module.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from syncline.connectors.exchange_web_services.wire import Request

# Our own property set for named properties (a random GUID); SynclineKey marks items that Syncline wrote (L-11).
PROPERTY_SET: Final = "6f1cbf4e-4d2a-4c0e-9a6b-0d1f5e7c2b93"
KEY_NAME: Final = "SynclineKey"
CLEAN_ID_NUMBER: Final = 0x23
CHANGES_MAX: Final = 512
FOLDERS_MAX: Final = 1000
FOUND_MAX: Final = 1000

KEY_FIELD: Final = (
    f'<t:ExtendedFieldURI PropertySetId="{PROPERTY_SET}" PropertyName="{KEY_NAME}" PropertyType="String"/>'
)
_CLEAN_ID_FIELD: Final = (
    f'<t:ExtendedFieldURI DistinguishedPropertySetId="Meeting" PropertyId="{CLEAN_ID_NUMBER}" PropertyType="Binary"/>'
)
_CONTENT_FIELDS: Final = (
    "item:ParentFolderId",
    "item:Subject",
    "item:Sensitivity",
    "item:Body",
    "item:Categories",
    "item:Importance",
    "item:DateTimeCreated",
    "item:ReminderIsSet",
    "item:ReminderMinutesBeforeStart",
    "calendar:UID",
    "calendar:RecurrenceId",
    "calendar:Start",
    "calendar:End",
    "calendar:IsAllDayEvent",
    "calendar:LegacyFreeBusyStatus",
    "calendar:Location",
    "calendar:IsCancelled",
    "calendar:CalendarItemType",
    "calendar:MyResponseType",
    "calendar:Organizer",
    "calendar:RequiredAttendees",
    "calendar:OptionalAttendees",
    "calendar:Resources",
    "calendar:Recurrence",
    "calendar:ModifiedOccurrences",
    "calendar:DeletedOccurrences",
    "calendar:StartTimeZone",
    "calendar:EndTimeZone",
)


def _fields(names: Iterable[str]) -> str:
    return "".join(f'<t:FieldURI FieldURI="{name}"/>' for name in names)


_CONTENT_SHAPE: Final = (
    "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:BodyType>Best</t:BodyType><t:AdditionalProperties>"
    f"{_fields(_CONTENT_FIELDS)}{KEY_FIELD}{_CLEAN_ID_FIELD}</t:AdditionalProperties></m:ItemShape>"
)
_LIGHT_SHAPE: Final = (
    "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
    f"{_fields(['item:Categories'])}</t:AdditionalProperties></m:ItemShape>"
)
_ID_SHAPE: Final = "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"
_FOLDER_SHAPE: Final = (
    "<m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
    f"{_fields(['folder:DisplayName', 'folder:FolderClass'])}</t:AdditionalProperties></m:FolderShape>"
)


def calendar_id(owner: str | None) -> str:
    """Return the element that names the main calendar: of the mailbox acted for, or of `owner` for a delegate."""
    mailbox = f"<t:Mailbox><t:EmailAddress>{escape(owner)}</t:EmailAddress></t:Mailbox>" if owner else ""
    return f'<t:DistinguishedFolderId Id="calendar">{mailbox}</t:DistinguishedFolderId>'


def get_calendar(calendar: str) -> Request:
    """Build GetFolder of the main calendar (an element of `calendar_id`)."""
    return Request("GetFolder", f"<m:GetFolder>{_FOLDER_SHAPE}<m:FolderIds>{calendar}</m:FolderIds></m:GetFolder>")


def find_subfolders(calendar: str, offset: int) -> Request:
    """Build FindFolder for one page of all folders below the main calendar (L-02)."""
    return Request(
        "FindFolder",
        f'<m:FindFolder Traversal="Deep">{_FOLDER_SHAPE}<m:IndexedPageFolderView MaxEntriesReturned="{FOLDERS_MAX}" '
        f'Offset="{offset}" BasePoint="Beginning"/><m:ParentFolderIds>{calendar}</m:ParentFolderIds></m:FindFolder>',
    )


def sync_folder_items(folder: str, state: str | None, limit: int) -> Request:
    """Build SyncFolderItems of one folder: ids and categories of at most `limit` (1 to 512) changes."""
    since = f"<m:SyncState>{escape(state)}</m:SyncState>" if state else ""
    return Request(
        "SyncFolderItems",
        f"<m:SyncFolderItems>{_LIGHT_SHAPE}<m:SyncFolderId><t:FolderId Id={quoteattr(folder)}/></m:SyncFolderId>{since}"
        f"<m:MaxChangesReturned>{max(1, min(limit, CHANGES_MAX))}</m:MaxChangesReturned></m:SyncFolderItems>",
    )


def get_items(refs: Sequence[str]) -> Request:
    """Build GetItem with everything an appointment needs, the body as it is kept."""
    ids = "".join(f"<t:ItemId Id={quoteattr(ref)}/>" for ref in refs)
    return Request("GetItem", f"<m:GetItem>{_CONTENT_SHAPE}<m:ItemIds>{ids}</m:ItemIds></m:GetItem>")


def find_items(folder: str, clean_ids: Sequence[bytes], offset: int) -> Request:
    """Build FindItem by PidLidCleanGlobalObjectId in one folder; calendar:UID is refused in a restriction."""
    tests = [
        f'<t:IsEqualTo>{_CLEAN_ID_FIELD}<t:FieldURIOrConstant><t:Constant Value="{b64encode(value).decode()}"/>'
        "</t:FieldURIOrConstant></t:IsEqualTo>"
        for value in clean_ids
    ]
    return _find(folder, tests, offset)


_OLDEST_FIRST: Final = (
    '<m:SortOrder><t:FieldOrder Order="Ascending"><t:FieldURI FieldURI="item:DateTimeCreated"/></t:FieldOrder>'
    "</m:SortOrder>"
)


def find_keys(folder: str, keys: Sequence[str], offset: int) -> Request:
    """Build FindItem by Syncline's own key in one folder, oldest items first."""
    tests = [
        f"<t:IsEqualTo>{KEY_FIELD}<t:FieldURIOrConstant><t:Constant Value={quoteattr(key)}/></t:FieldURIOrConstant>"
        "</t:IsEqualTo>"
        for key in keys
    ]
    return _find(folder, tests, offset, order=_OLDEST_FIRST)


def _find(folder: str, tests: Sequence[str], offset: int, order: str = "") -> Request:
    condition = tests[0] if len(tests) == 1 else f"<t:Or>{''.join(tests)}</t:Or>"
    return Request(
        "FindItem",
        f'<m:FindItem Traversal="Shallow">{_ID_SHAPE}<m:IndexedPageItemView MaxEntriesReturned="{FOUND_MAX}" '
        f'Offset="{offset}" BasePoint="Beginning"/><m:Restriction>{condition}</m:Restriction>{order}<m:ParentFolderIds>'
        f"<t:FolderId Id={quoteattr(folder)}/></m:ParentFolderIds></m:FindItem>",
    )


def get_revisions(ids: Sequence[str]) -> Request:
    """Build GetItem of nothing but id and ChangeKey; `ids` are elements."""
    return Request("GetItem", f"<m:GetItem>{_ID_SHAPE}<m:ItemIds>{''.join(ids)}</m:ItemIds></m:GetItem>")


def item_id(ref: str, revision: str = "") -> str:
    """Return the element that names an item, with its ChangeKey if one is given."""
    key = f" ChangeKey={quoteattr(revision)}" if revision else ""
    return f"<t:ItemId Id={quoteattr(ref)}{key}/>"


def occurrence_id(master: str, index: int) -> str:
    """Return the element that names a date of a series: counted from 1, deleted dates included."""
    return f'<t:OccurrenceItemId RecurringMasterId={quoteattr(master)} InstanceIndex="{index}"/>'


def get_category_list(calendar: str) -> Request:
    """Build GetUserConfiguration of the mailbox's category list ([MS-OXOCFG] 2.2.5.2.2)."""
    return Request(
        "GetUserConfiguration",
        f'<m:GetUserConfiguration><m:UserConfigurationName Name="CategoryList">{calendar}</m:UserConfigurationName>'
        "<m:UserConfigurationProperties>XmlData</m:UserConfigurationProperties></m:GetUserConfiguration>",
    )


def resolve_name(entry: str) -> Request:
    """Build ResolveNames in the directory for an address, a name or an Exchange distinguished name."""
    return Request(
        "ResolveNames",
        '<m:ResolveNames ReturnFullContactData="false" SearchScope="ActiveDirectory"><m:UnresolvedEntry>'
        f"{escape(entry)}</m:UnresolvedEntry></m:ResolveNames>",
    )
