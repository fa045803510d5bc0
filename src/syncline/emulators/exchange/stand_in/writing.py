"""What the stand-in's forms do to the store: the same functions as for a write over EWS, invitations included.

Knows items and calls, nothing of forms or markup.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from syncline.emulators.exchange import meetings, series, updates, writes
from syncline.emulators.exchange.call import Call, Caller
from syncline.emulators.exchange.categories import COLORS, add_category, category_names
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import new_uid
from syncline.emulators.exchange.model import Item, Mailbox, Stored
from syncline.emulators.exchange.site import Site
from syncline.emulators.exchange.store import Store
from syncline.emulators.exchange.wire_read import finish

TELL_ALL = "SendToAllAndSaveCopy"
TELL_CHANGED = "SendToChangedAndSaveCopy"
TELL_NOBODY = "SendToNone"
# What the other people of a meeting see; a change of anything else is the owner's own business.
_SEEN = ("subject", "location", "start", "end", "all_day", "recurrence", "attendees")


def call_of(site: Site, mailbox: Mailbox) -> Call:
    """Return the call of somebody who sits before his own mailbox."""
    return Call(
        store=site.store,
        clock=site.clock,
        renderer=site.renderer,
        unsupported=site.unsupported,
        caller=Caller(mailbox.address, mailbox),
        mailbox=mailbox,
    )


def own(call: Call, row: int) -> Stored:
    """Return an item of the mailbox's calendars; raises ErrorItemNotFound."""
    stored = call.store.get(row)
    if stored is None or not call.may_open(stored.mailbox) or not stored.item.is_calendar:
        raise EwsError("ErrorItemNotFound")
    return stored


def blank(call: Call) -> Item:
    """Return the appointment that a new one starts from."""
    return writes.blank(call, call.acting())


def create(call: Call, item: Item) -> Stored:
    """Put a new appointment into the calendar and invite its guests."""
    folder = call.store.distinguished(call.acting().row, "calendar")
    assert folder is not None
    with call.store.unit():
        stored = call.store.add(folder, replace(finish(item), uid=new_uid()))
        _know_categories(call, item)
        return meetings.after_create(call, stored, TELL_ALL if item.attendees else TELL_NOBODY)


def change(call: Call, stored: Stored, original: datetime | None, after: Item, seen_change: int) -> Stored:
    """Change an appointment, a series or one date of it; refused when it was changed since the form was shown."""
    with call.store.unit():
        fresh = own(call, stored.row)
        if fresh.change != seen_change:
            raise EwsError("ErrorIrresolvableConflict")
        _know_categories(call, after)
        if original is None:
            return updates.change(call, fresh, after, _mode(fresh.item, after))
        occurrence = series.by_original_start(fresh.item, original)
        return updates.change_occurrence(call, fresh, occurrence, after, _mode(occurrence, after))


def delete(call: Call, stored: Stored, original: datetime | None) -> None:
    """Delete an appointment, a series or one date of it; guests of one's own meeting are told."""
    with call.store.unit():
        writes.delete(call, own(call, stored.row), original, "MoveToDeletedItems", TELL_ALL)


def respond(call: Call, stored: Stored, verb: str) -> None:
    """Answer an invitation; its organizer is told."""
    if verb not in meetings.ANSWERS:
        raise EwsError("ErrorInvalidRequest")
    with call.store.unit():
        meetings.answer(call, own(call, stored.row), None, verb, mails=True)


def added_categories(store: Store, mailbox: Mailbox) -> list[str]:
    """Return the categories of a mailbox's list, Outlook's six colours left out."""
    return [name for name in category_names(store, mailbox.row) if name not in COLORS]


def _mode(before: Item, after: Item) -> str:
    return TELL_CHANGED if any(getattr(before, n) != getattr(after, n) for n in _SEEN) else TELL_NOBODY


def _know_categories(call: Call, item: Item) -> None:
    for name in item.categories:
        add_category(call.store, call.acting().row, name)
