"""Pull notifications: Subscribe, GetEvents, Unsubscribe. A watermark is a number of the store's change counter.

Events are worked out from the changes of the subscribed folders, so nothing has to be queued. Push and streaming
subscriptions are not supported.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import change_key, folder_id, item_id, read_change_key
from syncline.emulators.exchange.model import Removed, Stored
from syncline.emulators.exchange.wire import M, T, children, escape, instant, response, success

EVENTS_MAX = 50
KIND = "subscription"


class Subscription(msgspec.Struct, frozen=True):
    """Which folders of a mailbox (none: all) and which events are listened to, and until when without a call."""

    mailbox: int
    folders: list[int]
    events: list[str]
    timeout_minutes: int
    last_call: datetime


def subscribe(call: Call, request: etree._Element) -> str:
    """Open a pull subscription and return its id and first watermark."""
    wanted = request.find(f"{M}PullSubscriptionRequest")
    if wanted is None:
        raise call.refuse("Only pull subscriptions are supported.")
    folders = [call.folder(e) for e in children(wanted, f"{T}FolderIds")]
    kept = Subscription(
        folders[0].mailbox if folders else call.acting().row,
        [f.row for f in folders],
        [e.text or "" for e in children(wanted, f"{T}EventTypes")],
        int(wanted.findtext(f"{T}Timeout") or 10),
        call.clock.now(),
    )
    mark = wanted.findtext(f"{T}Watermark") or change_key(call.store.change())
    _check_watermark(call, mark)
    row = call.store.put_note(KIND, msgspec.json.encode(kept).decode())
    content = f"<m:SubscriptionId>{_ident(row)}</m:SubscriptionId><m:Watermark>{escape(mark)}</m:Watermark>"
    return response("Subscribe", [success("Subscribe", content)])


def unsubscribe(call: Call, request: etree._Element) -> str:
    """End a subscription."""
    row, _ = _find(call, request)
    call.store.remove_note(row)
    return response("Unsubscribe", [success("Unsubscribe")])


def get_events(call: Call, request: etree._Element) -> str:
    """Return the events after a watermark, at most fifty, or one status event when nothing happened."""
    row, subscription = _find(call, request)
    mark = request.findtext(f"{M}Watermark") or ""
    floor = _check_watermark(call, mark)
    renewed = msgspec.structs.replace(subscription, last_call=call.clock.now())
    call.store.keep_note(row, KIND, msgspec.json.encode(renewed).decode())
    found = call.store.mailbox_changes(subscription.mailbox, floor, EVENTS_MAX + 1)
    page, more = found[:EVENTS_MAX], len(found) > EVENTS_MAX
    events = [xml for entry in page for xml in _events(call, subscription, entry, floor)]
    last = change_key(page[-1].change if more else call.store.change())
    if not events:
        events = [f"<t:StatusEvent><t:Watermark>{last}</t:Watermark></t:StatusEvent>"]
    content = (
        f"<m:Notification><t:SubscriptionId>{_ident(row)}</t:SubscriptionId>"
        f"<t:PreviousWatermark>{escape(mark)}</t:PreviousWatermark>"
        f"<t:MoreEvents>{'true' if more else 'false'}</t:MoreEvents>{''.join(events)}</m:Notification>"
    )
    return response("GetEvents", [success("GetEvents", content)])


def _check_watermark(call: Call, mark: str) -> int:
    floor = read_change_key(mark)
    if not 0 <= floor <= call.store.change():
        raise EwsError("ErrorInvalidWatermark")
    return floor


def _ident(row: int) -> str:
    return f"JgBlbXVsYXRvcg{row:08}"


def _find(call: Call, request: etree._Element) -> tuple[int, Subscription]:
    wanted = request.findtext(f"{M}SubscriptionId") or ""
    for row, text in call.store.notes(KIND):
        if _ident(row) == wanted:
            found = msgspec.json.decode(text, type=Subscription)
            if not call.may_open(found.mailbox):
                raise EwsError("ErrorAccessDenied")
            quiet = (call.clock.now() - found.last_call).total_seconds()
            if quiet > found.timeout_minutes * 60:
                call.store.remove_note(row)
                break
            return row, found
    raise EwsError("ErrorSubscriptionNotFound")


def _events(call: Call, subscription: Subscription, entry: Stored | Removed, floor: int) -> Iterator[str]:
    if subscription.folders and entry.folder not in subscription.folders:
        return
    parent = f'<t:ParentFolderId Id="{folder_id(subscription.mailbox, entry.folder)}"/>'
    ident = item_id(subscription.mailbox, entry.row)
    for kind in _kinds(entry, floor):
        if kind in subscription.events:
            when = instant(entry.item.modified if isinstance(entry, Stored) else call.clock.now())
            key = f' ChangeKey="{change_key(entry.change)}"' if isinstance(entry, Stored) else ""
            yield (
                f"<t:{kind}><t:Watermark>{change_key(entry.change)}</t:Watermark><t:TimeStamp>{when}</t:TimeStamp>"
                f'<t:ItemId Id="{ident}"{key}/>{parent}</t:{kind}>'
            )


def _kinds(entry: Stored | Removed, floor: int) -> tuple[str, ...]:
    if isinstance(entry, Removed):
        return ("DeletedEvent",)
    if entry.created_change <= floor:
        return ("ModifiedEvent",)
    return ("CreatedEvent",) if entry.item.is_calendar else ("CreatedEvent", "NewMailEvent")
