"""What stands in a mailbox's calendars, as the JSON objects of interface.md: for tests that compare end states.

Singles, masters and exceptions once each; occurrences are not listed, because a series says them. Knows the store.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncline.core.recurrence import to_rrule
from syncline.emulators.exchange.model import Item, Mailbox, Stored
from syncline.emulators.exchange.store import Store
from syncline.emulators.exchange.view import View, occurrence_view, view_of
from syncline.emulators.exchange.wire import instant
from syncline.emulators.exchange.wire_fields import body_text
from syncline.emulators.exchange.zones import iana_name, to_wall

SHOW_AS = {
    "Free": "free",
    "Tentative": "tentative",
    "Busy": "busy",
    "OOF": "out_of_office",
    "WorkingElsewhere": "working_elsewhere",
    "NoData": "busy",
}
RESPONSES = {
    "Unknown": "none",
    "NoResponseReceived": "none",
    "Organizer": "organizer",
    "Tentative": "tentative",
    "Accept": "accepted",
    "Decline": "declined",
}
_KINDS = {"Single": "single", "RecurringMaster": "series", "Exception": "exception", "Occurrence": "occurrence"}


def appointments(store: Store, mailbox: Mailbox) -> list[dict[str, Any]]:
    """Return everything in the mailbox's calendar folders, oldest item first."""
    found = []
    for folder in store.folders(mailbox.row):
        if folder.folder_class == "IPF.Appointment":
            for stored in store.items(folder.row):
                if stored.item.is_calendar:
                    found += _listed(stored, mailbox)
    return found


def _listed(stored: Stored, mailbox: Mailbox) -> list[dict[str, Any]]:
    master = view_of(stored, mailbox)
    exceptions = (occurrence_view(stored, mailbox, exception) for exception in stored.item.exceptions)
    return [_row(master, None), *(_row(view, master.id) for view in exceptions)]


def _row(view: View, series_id: str | None) -> dict[str, Any]:
    item = view.item
    return {
        "id": view.id,
        "change_key": view.change_key,
        "global_object_id": item.uid,
        "kind": _KINDS[view.type],
        "series_id": series_id,
        "original_start": _optional(item.original_start or item.recurrence_id),
        "subject": item.subject,
        "location": item.location,
        "description": body_text(item.body, item.body_type),
        "start": instant(item.start),
        "end": instant(item.end),
        "time_zone": iana_name(item.start_zone),
        "all_day": item.all_day,
        "show_as": SHOW_AS[item.show_as],
        "status": "canceled" if item.cancelled else "open",
        "organizer": item.organizer.address if item.organizer else None,
        "response": RESPONSES[item.my_response],
        "attendees": [
            {"address": a.address, "name": a.name, "role": a.role.lower(), "response": RESPONSES[a.response]}
            for a in item.attendees
        ],
        "recurrence": _rrule(item),
        "deleted": [instant(start) for start in item.deleted],
        "private": item.sensitivity in ("Private", "Confidential"),
        "categories": list(item.categories),
        "link": None,
    }


def _rrule(item: Item) -> str | None:
    if item.recurrence is None:
        return None
    if item.all_day:
        return to_rrule(item.recurrence)
    start = to_wall(item.start, item.start_zone).time()
    # A custom zone has no name that a rule could use; its UNTIL is then a date.
    if item.start_zone.definition:
        return to_rrule(item.recurrence)
    return to_rrule(item.recurrence, start=start, zone=iana_name(item.start_zone))


def _optional(value: datetime | None) -> str | None:
    return instant(value) if value else None
