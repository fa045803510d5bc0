"""The dispatch table: which operation is done by which function, and with what limits.

The table is also the documentation (docs/emulators.md is generated from it). An operation that is not in it answers
ErrorInvalidOperation and is counted as unsupported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from syncline.emulators.exchange import (
    operations_attachments,
    operations_availability,
    operations_configuration,
    operations_directory,
    operations_find,
    operations_folders,
    operations_identifiers,
    operations_items,
    operations_notifications,
    operations_sync,
)
from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.wire import MESSAGES, Envelope, failure, local, response


@dataclass(frozen=True, slots=True)
class Operation:
    """One row: the function, and what a user of the emulator should know of it."""

    run: Callable[[Call, etree._Element], str]
    note: str


OPERATIONS: dict[str, Operation] = {
    "GetServerTimeZones": Operation(operations_directory.get_server_time_zones, "all Windows zones, with rules"),
    "ResolveNames": Operation(operations_directory.resolve_names, "mailboxes of this server, by name or address"),
    "GetFolder": Operation(operations_folders.get_folder, "well-known names and ids"),
    "FindFolder": Operation(operations_folders.find_folder, "Shallow and Deep, restriction on class and name"),
    "SyncFolderHierarchy": Operation(operations_folders.sync_folder_hierarchy, "whole subtree, always complete"),
    "CreateFolder": Operation(operations_folders.create_folder, "folders and further calendars"),
    "UpdateFolder": Operation(operations_folders.update_folder, "another name"),
    "EmptyFolder": Operation(operations_folders.empty_folder, "with or without subfolders"),
    "DeleteFolder": Operation(operations_folders.delete_folder, "with everything inside"),
    "SyncFolderItems": Operation(operations_sync.sync_folder_items, "newest first, at most 512, summaries only"),
    "GetItem": Operation(operations_items.get_item, "items, masters, occurrences by id or index"),
    "CreateItem": Operation(operations_items.create_item, "calendar items, mails, meeting responses"),
    "UpdateItem": Operation(operations_items.update_item, "set, append, delete fields; items and occurrences"),
    "DeleteItem": Operation(operations_items.delete_item, "all three kinds; items and occurrences"),
    "MoveItem": Operation(operations_items.move_item, "the id changes"),
    "CreateAttachment": Operation(operations_attachments.create_attachment, "files on items; nobody is mailed"),
    "GetAttachment": Operation(operations_attachments.get_attachment, "files"),
    "DeleteAttachment": Operation(operations_attachments.delete_attachment, "files; nobody is mailed"),
    "FindItem": Operation(operations_find.find_item, "pages, restrictions, order; calendar view up to two years"),
    "GetUserAvailability": Operation(
        operations_availability.get_user_availability,
        "merged and detailed, no suggestions; times in the request's zone",
    ),
    "GetUserConfiguration": Operation(
        operations_configuration.get_user_configuration, "the category list, and what was created"
    ),
    "CreateUserConfiguration": Operation(
        operations_configuration.create_user_configuration, "XmlData and BinaryData, no Dictionary"
    ),
    "UpdateUserConfiguration": Operation(
        operations_configuration.update_user_configuration, "the properties given; not the category list"
    ),
    "DeleteUserConfiguration": Operation(operations_configuration.delete_user_configuration, "what was created"),
    "Subscribe": Operation(operations_notifications.subscribe, "pull only"),
    "GetEvents": Operation(operations_notifications.get_events, "at most 50 events a call"),
    "Unsubscribe": Operation(operations_notifications.unsubscribe, "ends a pull subscription"),
    "ConvertId": Operation(operations_identifiers.convert_id, "EwsId, EwsLegacyId, EntryId, HexEntryId"),
    "CopyItem": Operation(operations_items.copy_item, "extended properties come along"),
}

# Operations whose response is a list of plain response messages: these are refused in that form, others by a fault.
_LISTED = frozenset({"CreateManagedFolder", "MarkAllItemsAsRead", "SendItem"})

# What the schema demands of a response message also when it failed.
_REST = {
    **dict.fromkeys(("GetItem", "CreateItem", "UpdateItem", "MoveItem", "CopyItem"), "<m:Items/>"),
    **dict.fromkeys(("CreateAttachment", "GetAttachment"), "<m:Attachments/>"),
    **dict.fromkeys(("GetFolder", "CreateFolder", "UpdateFolder"), "<m:Folders/>"),
}
_FAULTY = frozenset({"GetUserAvailability"})


def dispatch(call: Call, envelope: Envelope) -> str:
    """Run the operation of a request and return the response element.

    What an operation refuses as a whole is one failed response message. Raises the faults, among them one for a
    request that lacks what its operation needs.
    """
    if etree.QName(envelope.body).namespace != MESSAGES:
        raise EwsError("ErrorSchemaValidation", f"Unknown operation {local(envelope.body)}.", fault=True)
    found = OPERATIONS.get(call.operation)
    if found is not None:
        return _run(call, found, envelope.body)
    error = call.refuse(f"{call.operation} is not supported by this server.")
    if call.operation not in _LISTED:
        raise EwsError(error.code, error.text, fault=True)
    return response(call.operation, [failure(call.operation, error)])


def _run(call: Call, operation: Operation, body: etree._Element) -> str:
    try:
        return operation.run(call, body)
    except EwsError as error:
        if error.fault or call.operation in _FAULTY:
            raise
        return response(call.operation, [failure(call.operation, error, _REST.get(call.operation, ""))])
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        raise EwsError("ErrorSchemaValidation", f"The request is not valid: {error}", fault=True) from error
