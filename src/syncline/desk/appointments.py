"""The CRM's calendar as people and programs read and edit it.

A System Administrator lists everything, a User what he takes part in (or another person's as masked times); both edit
with the same check as a sync cycle. Who may read what of an entry is `desk.reading`'s decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from syncline.core.appointment import Appointment, Status
from syncline.core.ending import ended_early
from syncline.core.scheduling import Verdict
from syncline.desk.clashing import clashes, rows_of
from syncline.desk.drafts import Draft, changed, day, new_appointment
from syncline.desk.entries import Entry, entry_object, look_at
from syncline.desk.finding import within
from syncline.desk.objects import AppointmentObject, Clash, LinkMark
from syncline.desk.paging import PAGE, Page, everything
from syncline.desk.reading import Sight, Viewer
from syncline.engine.questions import CONFLICT
from syncline.errors import SyncError
from syncline.language import _
from syncline.ports import CrmRow, Outcome, Result, User
from syncline.store import shown_state

if TYPE_CHECKING:
    from syncline.wiring import App

CLOSING = {"completed": Status.COMPLETED, "canceled": Status.CANCELED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What only the own people may read of an appointment."""

    location: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of an edit: the appointment, or why nothing was written and what is in the way."""

    appointment: AppointmentObject | None = None
    refused: SyncError | None = None
    clashes: tuple[Clash, ...] = ()
    unavailable: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """Return the catalogue code of a refusal."""
        return self.refused.code if self.refused is not None else ""


def reaches_outlook(app: App, entry: AppointmentObject | None) -> bool:
    """Return whether what is saved of an entry, or of a new one, may be carried over to Outlook and mail its guests."""
    if not app.parts.rules.outgoing:
        return False
    if entry is not None and entry.link is not None:
        profiles = [app.store.profile(app.store.mailbox_by_address(entry.link.mailbox).profile_id)]
    else:
        profiles = list(app.store.profiles())
    return any(not profile.read_only for profile in profiles)


def window(start: str | None, end: str | None) -> tuple[datetime, datetime] | None:
    """Return the window [from, to) of two UTC days, or None if none was asked for."""
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise SyncError("InvalidRequest", detail=_("A window needs both its days, from and to."))
    first, last = day(start), day(end)
    if last < first:
        raise SyncError("InvalidRequest", detail=_("The window ends before it starts."))
    return first, last


def listing(
    app: App, viewer: Viewer, *, window: tuple[datetime, datetime] | None = None, user: str | None = None
) -> list[AppointmentObject]:
    """Return the whole calendar that the viewer may see, by start: see `page`."""
    return everything(lambda cursor: page(app, viewer, window=window, user=user, cursor=cursor))


def page(
    app: App,
    viewer: Viewer,
    *,
    window: tuple[datetime, datetime] | None = None,
    user: str | None = None,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[AppointmentObject, str]:
    """Return a page of the calendar by start and id.

    Without a window every single, series and exception once; with one every occurrence in it. `user` limits it to one
    CRM user (sign-in name); a User who names nobody gets his own.
    """
    person = user if user is not None or viewer.administrator else viewer.name
    if person is not None:
        _known(app.crm.users(names=[person]), person)
    start, end = window or (None, None)
    found = app.crm.listing(start, end, person, cursor, limit)
    links = link_marks(app, viewer, [entry.series_id or entry.id for entry in found.items])
    return Page(items=tuple(entry_object(viewer, entry, links) for entry in found.items), next=found.cursor)


def show(app: App, viewer: Viewer, appointment_id: str) -> AppointmentObject:
    """Return one entry by its id."""
    entry: Entry = app.crm.listed(appointment_id)
    return entry_object(viewer, entry, link_marks(app, viewer, [entry.series_id or entry.id]))


def texts(app: App, viewer: Viewer, appointment_id: str) -> Texts | None:
    """Return location and description of an entry to its own people, None to everybody else."""
    entry: Entry = app.crm.listed(appointment_id)
    if look_at(viewer, entry) is not Sight.OWN:
        return None
    return Texts(location=entry.location, description=entry.description)


def add(app: App, viewer: Viewer, draft: Draft, *, ignore_conflicts: bool = False) -> Written:
    """Enter an appointment; a User enters his own only."""
    users = _people(app, draft, [viewer.name])
    mine = next((user for user in users if viewer.among((user.name,))), None)
    appointment = new_appointment(draft, users, mine, app.clock.now())
    _require_part(viewer, appointment)
    by = mine.name if mine is not None else viewer.name
    policy = app.settings.conflict.policy()
    outcome = app.crm.create(
        appointment, by_user=by, draft=bool(draft.draft), ignore_conflicts=ignore_conflicts, policy=policy
    )
    entered = written(app, viewer, outcome, outcome.id, appointment.subject)
    if draft.status is not None and entered.appointment is not None:
        return edit(app, viewer, entered.appointment.id, Draft(status=draft.status))
    return entered


def edit(app: App, viewer: Viewer, appointment_id: str, draft: Draft, *, ignore_conflicts: bool = False) -> Written:
    """Change a row, an exception or one date of a series; what the draft does not give stays."""
    entry, row = editable(app, viewer, appointment_id)
    if entry.kind in ("occurrence", "exception") and draft.recurrence:
        raise SyncError("InvalidRequest", detail=_("One date of a series cannot repeat by itself."))
    current = _content(row, entry)
    content = changed(current, draft, _people(app, draft))
    if draft.status is not None and draft.status not in CLOSING:
        raise SyncError("InvalidRequest", detail=f"status takes {', '.join(CLOSING)}; not {draft.status!r}.")
    outcome = app.crm.edit(
        appointment_id,
        row.version,
        content,
        by_user=viewer.name,
        status=CLOSING[draft.status] if draft.status is not None else None,
        release=_released(draft, entry, row),
        ignore_conflicts=ignore_conflicts,
        policy=app.settings.conflict.policy(),
    )
    return written(app, viewer, outcome, appointment_id, content.subject)


def delete(app: App, viewer: Viewer, appointment_id: str) -> None:
    """Delete a row, or one date of a series."""
    _, row = editable(app, viewer, appointment_id)
    outcome = app.crm.remove(appointment_id, row.version, by_user=viewer.name, policy=app.settings.conflict.policy())
    if outcome.result is not Result.SAVED:
        raise _refusal(app, outcome)


def can_end(app: App, appointment_id: str) -> bool:
    """Return whether an entry is an open series that has begun and still has dates to come."""
    row: CrmRow = app.crm.row(appointment_id)
    if row.id != appointment_id or row.appointment.recurrence is None or row.status in CLOSING.values():
        return False
    return ended_early(row.appointment, app.clock.now()) not in (None, row.appointment)


def end(app: App, viewer: Viewer, appointment_id: str) -> Written:
    """End a series early: its dates to come are deleted, and it becomes Canceled (R-03, decision 0037).

    SyncError("InvalidRequest") for what is no whole series, and for a series of which no date has begun.
    """
    entry, row = editable(app, viewer, appointment_id)
    if entry.kind != "series":
        raise SyncError("InvalidRequest", detail=_("Only a whole series can be ended."))
    ended = ended_early(row.appointment, app.clock.now())
    if ended is None and row.status not in CLOSING.values():
        raise SyncError("InvalidRequest", detail=_("No date of this series has begun: cancel or delete it instead."))
    content, canceled = ended or row.appointment, Status.CANCELED
    outcome = app.crm.edit(appointment_id, row.version, content, by_user=viewer.name, status=canceled)
    return written(app, viewer, outcome, appointment_id, content.subject)


def written(app: App, viewer: Viewer, outcome: Outcome, shown_id: str, subject: str) -> Written:
    """Return what became of an edit; SyncError for what is neither written nor a scheduling conflict."""
    if outcome.result is Result.UNAVAILABLE:
        verdict = outcome.verdict or Verdict()
        names = tuple(person.full_name for person in verdict.unavailable)
        return Written(
            refused=SyncError(CONFLICT, subject=subject, crm=app.settings.crm.name, user=_(" and ").join(names)),
            clashes=clashes(viewer, verdict, rows_of(app, [verdict])),
            unavailable=names,
        )
    if outcome.result is not Result.SAVED:
        raise _refusal(app, outcome)
    return Written(appointment=show(app, viewer, shown_id))


def link_marks(app: App, viewer: Viewer, row_ids: Iterable[str]) -> Mapping[str, LinkMark]:
    """Return through which mailbox rows are synchronized; of several the one that writes. Foreign ones are not told."""
    found = app.store.links_of_rows(list(dict.fromkeys(row_ids)))
    seen = within(app, viewer)
    own = {
        row_id: next((link for link in links if seen is None or link.mailbox_id in seen), None)
        for row_id, links in found.items()
    }
    mailboxes = app.store.mailboxes_by_id({link.mailbox_id for link in own.values() if link is not None})
    return {
        row_id: LinkMark(mailbox=mailboxes[link.mailbox_id].address, state=shown_state(link).value)
        for row_id, link in own.items()
        if link is not None and link.mailbox_id in mailboxes
    }


def _people(app: App, draft: Draft, more: Iterable[str] = ()) -> Sequence[User]:
    """Return the users whom a draft names, by sign-in name or address, and some more by sign-in name."""
    named = [draft.organizer or "", *(draft.required or ()), *(draft.optional or ())]
    wanted = {text.strip() for text in named} - {""}
    names, emails = {*wanted, *(text.lower() for text in wanted), *more}, {text.lower() for text in wanted}
    found: Sequence[User] = app.crm.users(names=sorted(names), emails=sorted(emails))
    return found


def _known(users: Iterable[User], name: str) -> None:
    if all(user.name != name for user in users):
        raise SyncError("NotFoundHere", detail=f"user {name}")


def editable(app: App, viewer: Viewer, appointment_id: str) -> tuple[Entry, CrmRow]:
    """Return an entry and its row for who may change them; SyncError("NotAllowed") for everybody else."""
    entry: Entry = app.crm.listed(appointment_id)
    look = look_at(viewer, entry)
    if look is Sight.PRIVATE or (look is Sight.BUSY and not viewer.administrator):
        raise SyncError("NotAllowed", detail=_("Only its own people may change this appointment."))
    return entry, app.crm.row(appointment_id)


def _content(row: CrmRow, entry: Entry) -> Appointment:
    """Return what is edited: the row, its exception, or the date by pattern as an appointment of its own."""
    series, start = row.appointment, entry.original_start
    if start is None:
        return series
    for part in series.exceptions:
        if part.identity.original_start == start:
            return part
    span = replace(series.span, start=entry.start, end=entry.end)
    return replace(series, span=span, recurrence=None, exceptions=(), deleted=())


def _released(draft: Draft, entry: Entry, row: CrmRow) -> bool:
    """Return whether a row stops being a draft, which it never becomes; SyncError("InvalidRequest") for the rest."""
    if draft.draft is None or draft.draft == row.draft:
        return False
    if draft.draft:
        raise SyncError("InvalidRequest", detail=_("Only a new appointment can be a draft. Enter a new one instead."))
    if entry.series_id is not None:
        raise SyncError(
            "InvalidRequest",
            detail=_("All dates of a series are drafts together. Take the mark off the whole series."),
        )
    return True


def _require_part(viewer: Viewer, appointment: Appointment) -> None:
    people = [attendee.address for attendee in appointment.attendees]
    organizer = appointment.organizer.address if appointment.organizer else None
    if not viewer.administrator and not viewer.among((organizer, *people)):
        raise SyncError("NotAllowed", detail=_("You can enter appointments in which you take part."))


def _refusal(app: App, outcome: Outcome) -> SyncError:
    if outcome.error is not None:
        return outcome.error
    if outcome.result is Result.CLOSED:
        return SyncError("ClosedInCrm", subject=_("The appointment"), crm=app.settings.crm.name)
    if outcome.result is Result.EXISTS:
        return SyncError("AlreadyExists", detail=_("The appointment"))
    return SyncError("RowChanged")
