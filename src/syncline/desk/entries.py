"""Entries of the CRM's calendar as objects of interface.md, masked for who looks.

`Entry` is what a calendar must tell of an entry; the embedded CRM's listing does. It must not know how entries are
found or edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from syncline.core.appointment import Address, Attendee, Kind, ShowAs, Status
from syncline.desk.objects import AppointmentObject, Invited, LinkMark
from syncline.desk.reading import Sight, Viewer, sight


class Entry(Protocol):
    """One single, series, exception or occurrence; `owner` is a sign-in name."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> Kind: ...  # noqa: D102
    @property
    def series_id(self) -> str | None: ...  # noqa: D102
    @property
    def original_start(self) -> datetime | None: ...  # noqa: D102
    @property
    def global_object_id(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def location(self) -> str: ...  # noqa: D102
    @property
    def description(self) -> str: ...  # noqa: D102
    @property
    def start(self) -> datetime: ...  # noqa: D102
    @property
    def end(self) -> datetime: ...  # noqa: D102
    @property
    def all_day(self) -> bool: ...  # noqa: D102
    @property
    def time_zone(self) -> str: ...  # noqa: D102
    @property
    def show_as(self) -> ShowAs: ...  # noqa: D102
    @property
    def status(self) -> Status: ...  # noqa: D102
    @property
    def private(self) -> bool: ...  # noqa: D102
    @property
    def draft(self) -> bool: ...  # noqa: D102
    @property
    def organizer(self) -> Address | None: ...  # noqa: D102
    @property
    def attendees(self) -> tuple[Attendee, ...]: ...  # noqa: D102
    @property
    def recurrence(self) -> str | None: ...  # noqa: D102
    @property
    def owner(self) -> str | None: ...  # noqa: D102


def look_at(viewer: Viewer, entry: Entry) -> Sight:
    """Decide how much of an entry the viewer may read."""
    organizer = entry.organizer.address if entry.organizer else None
    people = [attendee.address for attendee in entry.attendees]
    return sight(viewer, owners=(entry.owner, organizer), people=people, private=entry.private)


def entry_object(viewer: Viewer, entry: Entry, links: Mapping[str, LinkMark]) -> AppointmentObject:
    """Return an entry as the viewer may read it; `links` are by row id (a series' for its dates)."""
    look = look_at(viewer, entry)
    hidden = look.masked
    return AppointmentObject(
        id=entry.id,
        global_object_id="" if hidden else entry.global_object_id,
        kind=entry.kind.value,
        series_id=entry.series_id,
        original_start=entry.original_start,
        subject=look.subject(entry.subject),
        start=entry.start,
        end=entry.end,
        time_zone=entry.time_zone,
        all_day=entry.all_day,
        show_as=_shown(entry.show_as, masked=hidden),
        status=entry.status.value,
        organizer=None if hidden or entry.organizer is None else entry.organizer.address,
        attendees=() if hidden else tuple(_invited(attendee) for attendee in entry.attendees),
        recurrence=entry.recurrence,
        private=entry.private,
        draft=entry.draft and not hidden,
        link=None if hidden else links.get(entry.series_id or entry.id),
    )


def _shown(show_as: ShowAs, *, masked: bool) -> str:
    """Return what a time looks like: whether somebody is out of office or elsewhere is not for everybody."""
    if not masked:
        return show_as.value
    return (ShowAs.FREE if show_as in (ShowAs.FREE, ShowAs.WORKING_ELSEWHERE) else ShowAs.BUSY).value


def _invited(attendee: Attendee) -> Invited:
    return Invited(
        address=attendee.address, name=attendee.name, role=attendee.role.value, response=attendee.response.value
    )
