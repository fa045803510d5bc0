"""Meetings between mailboxes: who is mailed on which write, what arrives, and what responses do.

Follows the table of docs/emulators.md: the organizer's writes send requests, updates and cancellations as the mode
says, an attendee's writes send nothing but one response. A mailbox of this server really gets the message in its
Inbox and a copy in its Calendar; mail for others is only kept in the outbox. The copy of an attendee is made from
the organizer's item; categories, reminder and response stay the attendee's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import msgspec

from syncline.emulators.exchange import series
from syncline.emulators.exchange.call import Call, person_of
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import clean_global_object_id
from syncline.emulators.exchange.model import Attendee, Item, Mailbox, Person, Stored

ANSWERS: dict[str, tuple[str, str, str]] = {
    "AcceptItem": ("Accept", "Pos", "Accepted"),
    "TentativelyAcceptItem": ("Tentative", "Tent", "Tentative"),
    "DeclineItem": ("Decline", "Neg", "Declined"),
}
TO_ALL = frozenset({"SendOnlyToAll", "SendToAllAndSaveCopy"})
TO_CHANGED = frozenset({"SendOnlyToChanged", "SendToChangedAndSaveCopy"})
SAVES_COPY = frozenset({"SendToAllAndSaveCopy", "SendToChangedAndSaveCopy"})
_WEIGHTY = ("start", "end", "all_day", "location", "recurrence", "start_zone", "deleted")
CANCELED = "Canceled: "


# -- the organizer's writes


def after_create(call: Call, stored: Stored, mode: str) -> Stored:
    """Invite everybody when the mode says so, and return the organizer's item."""
    if mode not in TO_ALL or not stored.item.attendees:
        return stored
    sent = call.store.replace(stored, replace(stored.item, request_sent=True))
    _invite(call, sent, _people(sent.item), "request", mode)
    return sent


def after_update(call: Call, stored: Stored, after: Item, mode: str) -> Stored:
    """Store an updated item and tell those whom the mode means."""
    before = stored.item
    if not _tells(before, mode):
        return call.store.replace(stored, after)
    after = replace(after, sequence=after.sequence + 1, request_sent=True)
    fresh = call.store.replace(stored, _asked_again(before, after))
    old, new = set(_people(before)), set(_people(after))
    added = [a for a in _people(after) if a not in old]
    staying = [a for a in _people(after) if a in old]
    _cancel(call, fresh, [a for a in _people(before) if a not in new], None)
    _invite(call, fresh, added, "request", mode)
    if mode in TO_ALL or _weighty(before, after):
        # Who stood there but was never asked gets a request.
        _invite(call, fresh, staying, "update" if before.request_sent else "request", mode)
    return fresh


def _weighty(before: Item, after: Item) -> bool:
    """Return whether time, place or pattern changed, those of a series' dates included."""
    moved = [[(e.original_start, e.start, e.end) for e in item.exceptions] for item in (before, after)]
    return moved[0] != moved[1] or any(getattr(before, n) != getattr(after, n) for n in _WEIGHTY)


def after_occurrence_update(
    call: Call, stored: Stored, after: Item, before: Item, exception: Item, mode: str
) -> Stored:
    """Store a series with one changed occurrence and tell those whom the mode means."""
    if not _tells(stored.item, mode):
        return call.store.replace(stored, after)
    fresh = call.store.replace(stored, replace(after, sequence=after.sequence + 1))
    old, new = set(_people(before)), set(_people(exception))
    _cancel(call, fresh, [a for a in _people(before) if a not in new], exception)
    _invite(call, fresh, [a for a in _people(exception) if a not in old], "request", mode, exception)
    if mode in TO_ALL or _weighty(before, exception):
        _invite(call, fresh, [a for a in _people(exception) if a in old], "update", mode, exception)
    return fresh


def after_delete(call: Call, stored: Stored, mode: str) -> None:
    """Cancel a meeting that its organizer deletes; an attendee's deletion tells nobody."""
    if mode in TO_ALL and stored.item.my_response == "Organizer" and not stored.item.cancelled:
        _cancel(call, stored, _people(stored.item), None)


def after_occurrence_delete(call: Call, stored: Stored, after: Item, original: datetime, mode: str) -> Stored:
    """Store a series without one occurrence and cancel that occurrence for everybody."""
    gone = series.by_original_start(stored.item, original)
    fresh = call.store.replace(stored, after)
    if mode in TO_ALL and after.my_response == "Organizer":
        _cancel(call, fresh, _people(gone), gone)
    return fresh


def _tells(item: Item, mode: str) -> bool:
    return mode in TO_ALL | TO_CHANGED and item.my_response == "Organizer"


def _people(item: Item) -> list[str]:
    organizer = item.organizer.address if item.organizer else ""
    return [a.address for a in item.attendees if a.address != organizer]


def _asked_again(before: Item, after: Item) -> Item:
    """Return the organizer's item with all responses open again when the time or pattern changed."""
    if all(getattr(before, n) == getattr(after, n) for n in ("start", "end", "recurrence")):
        return after
    return replace(after, attendees=tuple(replace(a, response="Unknown", responded=None) for a in after.attendees))


# -- mail


def record_mail(call: Call, sender: Person, recipient: Person, kind: str, subject: str) -> Mailbox | None:
    """Write a mail into the outbox and return the mailbox of this server that it reaches, if any."""
    mailbox = call.store.mailbox(recipient.address)
    mail = {
        "sent": call.clock.now().isoformat().replace("+00:00", "Z"),
        "from": sender.address,
        "to": recipient.address,
        "kind": kind,
        "subject": subject,
        "external": mailbox is None,
    }
    call.store.put_note("mail", msgspec.json.encode(mail).decode())
    return mailbox


def send_mail(call: Call, item: Item, recipient: Person) -> None:
    """Send a plain mail."""
    assert item.sender is not None
    mailbox = record_mail(call, item.sender, recipient, "message", item.subject)
    if mailbox is not None:
        _put(call, mailbox, "inbox", item)


def _put(call: Call, mailbox: Mailbox, folder: str, item: Item) -> Stored:
    found = call.store.distinguished(mailbox.row, folder)
    assert found is not None
    return call.store.add(found, item)


def _message(call: Call, kind: str, item: Item, sender: Person, recipient: Person, **values: object) -> Item:
    now = call.clock.now()
    base = replace(
        item, kind=kind, sender=sender, recipients=(recipient,), created=now, modified=now, categories=(),
        extended=(), reminder_set=False, is_read=False, recurrence=None, exceptions=(), deleted=(),
    )  # fmt: skip
    return replace(base, **values)  # type: ignore[arg-type]


def _invite(
    call: Call, stored: Stored, addresses: Iterable[str], kind: str, mode: str, occurrence: Item | None = None
) -> None:
    """Send a request or an update: it is recorded, and a mailbox of this server gets message and copy."""
    sender = person_of(call.owner(stored.mailbox))
    about = occurrence or stored.item
    names = {a.address: a.name for a in (*about.attendees, *stored.item.attendees)}
    listed = list(addresses)
    for address in listed:
        recipient = Person(address, names.get(address, ""))
        mailbox = record_mail(call, sender, recipient, kind, about.subject)
        if mailbox is None:
            continue
        copy = _deliver_copy(call, mailbox, stored.item, about)
        request = "NewMeetingRequest" if kind == "request" else "FullUpdate"
        message = _message(
            call, "MeetingRequest", about, sender, recipient, item_class="IPM.Schedule.Meeting.Request",
            request_type=request, associated=copy.row, my_response="NoResponseReceived",
            response_type="NoResponseReceived", recurrence_id=about.original_start,
        )  # fmt: skip
        _put(call, mailbox, "inbox", message)
    if mode in SAVES_COPY and listed:
        kept = _message(
            call, "MeetingRequest", about, sender, Person(listed[0]), item_class="IPM.Schedule.Meeting.Request",
            associated=stored.row, is_read=True, response_type="Organizer", recurrence_id=about.original_start,
        )  # fmt: skip
        people = tuple(Person(a, names.get(a, "")) for a in listed)
        _put(call, call.owner(stored.mailbox), "sentitems", replace(kept, recipients=people))


def _cancel(call: Call, stored: Stored, addresses: Iterable[str], occurrence: Item | None) -> None:
    """Send a cancellation of the meeting or of one occurrence; copies stay, marked as cancelled and free."""
    sender = person_of(call.owner(stored.mailbox))
    about = occurrence or stored.item
    for address in addresses:
        recipient = Person(address, next((a.name for a in about.attendees if a.address == address), ""))
        subject = about.subject if about.subject.startswith(CANCELED) else CANCELED + about.subject
        mailbox = record_mail(call, sender, recipient, "cancellation", subject)
        if mailbox is None:
            continue
        copy = _cancel_copy(call, mailbox, stored.item, occurrence)
        message = _message(
            call, "MeetingCancellation", about, sender, recipient, item_class="IPM.Schedule.Meeting.Canceled",
            subject=subject, cancelled=True, associated=copy.row if copy else 0,
            recurrence_id=about.original_start,
        )  # fmt: skip
        _put(call, mailbox, "inbox", message)


# -- copies


def copy_in(call: Call, mailbox: Mailbox, item: Item) -> Stored | None:
    """Return a mailbox's own item of a meeting, in one of its calendar folders."""
    found = call.store.items_of_meeting(mailbox.row, clean_global_object_id(item.uid))
    for stored in found:
        folder = call.store.folder(stored.folder)
        in_calendar = folder is not None and folder.folder_class == "IPF.Appointment"
        if stored.item.is_calendar and in_calendar:
            return stored
    return None


def _deliver_copy(call: Call, mailbox: Mailbox, master: Item, about: Item) -> Stored:
    """Create or renew the copy in an attendee's calendar, tentative until answered."""
    old = copy_in(call, mailbox, master)
    invited = {a.address for a in master.attendees}
    if about.original_start is not None and mailbox.address not in invited:
        wanted = replace(about, recurrence_id=about.original_start, original_start=None)
    else:
        wanted = _for_attendee(master, mailbox, old.item if old else None)
    if old is None:
        fresh = replace(
            wanted, my_response="NoResponseReceived", show_as=_tentative(wanted.show_as), created=call.clock.now(),
            modified=call.clock.now(), reminder_set=True, reminder_minutes=15, categories=(), request_sent=True,
            exceptions=tuple(_unanswered(e) for e in wanted.exceptions),
        )  # fmt: skip
        return _put(call, mailbox, "calendar", fresh)
    return call.store.replace(old, _kept(old.item, wanted, call.clock.now()))


def _kept(old: Item, wanted: Item, now: datetime) -> Item:
    """Return the renewed copy with what is the attendee's own; a moved meeting is unanswered again."""
    moved = any(getattr(old, n) != getattr(wanted, n) for n in ("start", "end", "recurrence"))
    answered = not moved and old.my_response in ("Accept", "Tentative")
    accepted = answered and old.my_response == "Accept"
    return replace(
        wanted,
        my_response=old.my_response if answered else "NoResponseReceived",
        reply_time=old.reply_time if answered else None,
        show_as=wanted.show_as if accepted else _tentative(wanted.show_as),
        categories=old.categories,
        reminder_set=old.reminder_set,
        reminder_minutes=old.reminder_minutes,
        extended=old.extended,
        created=old.created,
        modified=now,
        request_sent=True,
    )


def _for_attendee(master: Item, mailbox: Mailbox, old: Item | None) -> Item:
    """Return the organizer's series as one attendee gets it: uninvited occurrences gone, cancelled ones marked."""
    exceptions = [e for e in master.exceptions if mailbox.address in {a.address for a in e.attendees}]
    uninvited = [e.original_start for e in master.exceptions if e not in exceptions and e.original_start]
    cancelled = [d for d in (*master.deleted, *uninvited) if old is not None and d not in old.deleted]
    deleted = [d for d in (*master.deleted, *uninvited) if d not in cancelled]
    for original in cancelled if master.recurrence else ():
        day = series.day_of(master, original)
        if day is not None:
            exceptions.append(_cancelled(series.occurrence_on(master, day)))
    ordered = sorted(exceptions, key=lambda e: e.original_start or e.start)
    return replace(master, exceptions=tuple(ordered), deleted=tuple(sorted(deleted)))


def _cancelled(item: Item) -> Item:
    subject = item.subject if item.subject.startswith(CANCELED) else CANCELED + item.subject
    return replace(item, cancelled=True, show_as="Free", subject=subject)


def _unanswered(item: Item) -> Item:
    return replace(item, my_response="NoResponseReceived", show_as=_tentative(item.show_as))


def _tentative(show_as: str) -> str:
    return "Free" if show_as == "Free" else "Tentative"


def _cancel_copy(call: Call, mailbox: Mailbox, master: Item, occurrence: Item | None) -> Stored | None:
    old = copy_in(call, mailbox, master)
    if old is None:
        return None
    now = call.clock.now()
    if occurrence is None or old.item.recurrence is None:
        return call.store.replace(old, replace(_cancelled(old.item), modified=now))
    original = occurrence.original_start
    if original is None or original in old.item.deleted:
        return old
    others = [e for e in old.item.exceptions if e.original_start != original]
    try:
        mine = series.by_original_start(old.item, original)
    except EwsError:
        return old
    ordered = sorted([*others, _cancelled(mine)], key=lambda e: e.original_start or e.start)
    return call.store.replace(old, replace(old.item, exceptions=tuple(ordered), modified=now))


# -- the attendee's answers


def answer(call: Call, stored: Stored, original: datetime | None, verb: str, *, mails: bool) -> Stored:
    """Carry out AcceptItem, TentativelyAcceptItem or DeclineItem and return the calendar item.

    The item gets another id, a declined one in Deleted Items; a request that was answered leaves the Inbox.
    """
    owner = call.owner(stored.mailbox)
    target = stored
    if not stored.item.is_calendar:
        found = copy_in(call, owner, stored.item)
        if found is None:
            raise EwsError("ErrorItemNotFound")
        target = found
    _check_answer(target.item, verb)
    response, _, _ = ANSWERS[verb]
    now = call.clock.now()
    _file_request(call, stored)
    if original is not None:
        answered = _answer_occurrence(call, target, original, response, now)
    else:
        answered = _answer_all(call, target, response, now)
    if mails:
        _respond(call, owner, target.item, original, verb)
    return answered


def _check_answer(item: Item, verb: str) -> None:
    suffix = {"AcceptItem": "Accept", "TentativelyAcceptItem": "Tentative", "DeclineItem": "Decline"}[verb]
    if item.my_response in ("Organizer", "Unknown"):
        raise EwsError(f"ErrorCalendarIsOrganizerFor{suffix}")
    if item.cancelled:
        raise EwsError(f"ErrorCalendarIsCancelledFor{suffix}")


def _file_request(call: Call, stored: Stored) -> None:
    folder = call.store.distinguished(stored.mailbox, "deleteditems")
    if stored.item.kind == "MeetingRequest" and folder is not None and stored.folder != folder.row:
        call.store.move(stored, folder)


def _intended(call: Call, item: Item) -> str:
    """Return the organizer's show-as, which a copy takes on when accepted."""
    organizer = call.store.mailbox(item.organizer.address) if item.organizer else None
    original = copy_in(call, organizer, item) if organizer else None
    if original is not None:
        return original.item.show_as
    return "Busy" if item.show_as == "Tentative" else item.show_as


def _answer_all(call: Call, stored: Stored, response: str, now: datetime) -> Stored:
    item = stored.item
    show_as = _tentative(item.show_as) if response == "Tentative" else _intended(call, item)
    name = "deleteditems" if response == "Decline" else ""
    folder = call.store.distinguished(stored.mailbox, name) if name else call.store.folder(stored.folder)
    assert folder is not None
    exceptions = tuple(
        e if e.cancelled else replace(e, my_response=response, show_as=show_as, reply_time=now) for e in item.exceptions
    )
    fresh = replace(
        item, my_response=response, reply_time=now, show_as=show_as, modified=now, exceptions=exceptions
    )  # fmt: skip
    call.store.remove(stored)
    return call.store.add(folder, fresh)


def _answer_occurrence(call: Call, stored: Stored, original: datetime, response: str, now: datetime) -> Stored:
    if response == "Decline":
        return call.store.replace(stored, replace(series.without_occurrence(stored.item, original), modified=now))
    mine = series.by_original_start(stored.item, original)
    show_as = _tentative(mine.show_as) if response == "Tentative" else _intended(call, stored.item)
    changed = replace(mine, my_response=response, show_as=show_as, reply_time=now)
    return call.store.replace(stored, replace(series.with_exception(stored.item, changed), modified=now))


def _respond(call: Call, owner: Mailbox, item: Item, original: datetime | None, verb: str) -> None:
    """Send the response to the organizer; on this server it also changes the organizer's item."""
    if item.organizer is None:
        return
    response, suffix, word = ANSWERS[verb]
    about = series.by_original_start(item, original) if original is not None else item
    sender = person_of(owner)
    subject = f"{word}: {about.subject}"
    organizer = record_mail(call, sender, item.organizer, "response", subject)
    if organizer is None:
        return
    own = copy_in(call, organizer, item)
    if own is not None:
        own = call.store.replace(own, _with_response(own.item, original, sender, response, call.clock.now()))
    message = _message(
        call, "MeetingResponse", about, sender, item.organizer, subject=subject, response_type=response,
        item_class=f"IPM.Schedule.Meeting.Resp.{suffix}", associated=own.row if own else 0, recurrence_id=original,
    )  # fmt: skip
    _put(call, organizer, "inbox", message)


def _with_response(item: Item, original: datetime | None, person: Person, response: str, now: datetime) -> Item:
    def told(attendees: tuple[Attendee, ...]) -> tuple[Attendee, ...]:
        return tuple(
            replace(a, response=response, responded=now) if a.address == person.address else a for a in attendees
        )

    if original is None or item.recurrence is None:
        return replace(
            item,
            attendees=told(item.attendees),
            exceptions=tuple(replace(e, attendees=told(e.attendees)) for e in item.exceptions),
        )
    mine = series.by_original_start(item, original)
    return series.with_exception(item, replace(mine, attendees=told(mine.attendees)))
