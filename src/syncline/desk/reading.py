"""Who asks, and what he may read of an appointment: the one place that decides it.

`sight` is the rule of pages.md in one table; everything that shows an appointment (pages, API, command line, alert
texts) asks it and shows no more than the answer allows. It must not know where appointments come from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from syncline.core.appointment import Appointment
from syncline.errors import SyncError
from syncline.language import _, noted

PRIVATE_SUBJECT = noted("Private appointment")
BUSY_SUBJECT = noted("Busy")


class AccessRole(StrEnum):
    """What somebody may do in Syncline, by the names that people see."""

    ADMINISTRATOR = "System Administrator"
    USER = "User"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks: sign-in name, role and own e-mail addresses (lower case).

    `discreet`: what is private is masked even though it is his own, because others may look over his shoulder (mails).
    """

    name: str
    role: AccessRole
    emails: frozenset[str] = frozenset()
    full_name: str = ""
    discreet: bool = False

    @property
    def administrator(self) -> bool:
        """Return whether the viewer is a System Administrator."""
        return self.role is AccessRole.ADMINISTRATOR

    @property
    def called(self) -> str:
        """Return the name under which others see what the viewer did."""
        return self.full_name or self.name

    def among(self, people: Iterable[str | None]) -> bool:
        """Return whether the viewer is one of these sign-in names or addresses (without case)."""
        mine = self.emails | {self.name.lower()}
        return any(person is not None and person.lower() in mine for person in people)


OPERATOR = Viewer(name="command line", role=AccessRole.ADMINISTRATOR, full_name="Command line")
"""Who types commands on the machine itself: sees what a System Administrator sees (interface.md)."""


class Sight(StrEnum):
    """How much of an appointment somebody may read, from everything to the bare time."""

    OWN = "own"
    OUTLINE = "outline"
    PRIVATE = "private"
    BUSY = "busy"

    @property
    def masked(self) -> bool:
        """Return whether only the times may be shown."""
        return self in (Sight.PRIVATE, Sight.BUSY)

    @property
    def body(self) -> bool:
        """Return whether description and location may be shown."""
        return self is Sight.OWN

    def subject(self, subject: str) -> str:
        """Return the subject as this viewer may read it."""
        masks = {Sight.PRIVATE: PRIVATE_SUBJECT, Sight.BUSY: BUSY_SUBJECT}
        return _(masks[self]) if self in masks else subject


def sight(viewer: Viewer, *, owners: Iterable[str | None], people: Iterable[str | None], private: bool) -> Sight:
    """Decide what `viewer` may read of one appointment.

    `owners` are the sign-in names or addresses it belongs to (owner of the row, organizer, or the person of the
    mailbox where it waits), `people` everybody else who takes part.
    """
    owner = viewer.among(owners)
    if private:
        return Sight.OWN if owner and not viewer.discreet else Sight.PRIVATE
    if owner or viewer.among(people):
        return Sight.OWN
    return Sight.OUTLINE if viewer.administrator else Sight.BUSY


def sight_of(viewer: Viewer, appointment: Appointment, *owners: str | None) -> Sight:
    """Decide the same for an appointment value; the organizer always counts among its `owners`."""
    organizer = appointment.organizer.address if appointment.organizer else None
    people = [attendee.address for attendee in appointment.attendees]
    return sight(viewer, owners=(*owners, organizer), people=people, private=appointment.private)


def require_administrator(viewer: Viewer, what: str) -> None:
    """Refuse `what` (a sentence's end, such as "add users") to everybody but a System Administrator."""
    if not viewer.administrator:
        raise SyncError("NotAllowed", detail=_("Only a System Administrator may %(what)s.", what=_(what)))


def require_own(viewer: Viewer, person: str, what: str) -> None:
    """Refuse `what` to a User who is not `person` (a sign-in name); a System Administrator may."""
    if not viewer.administrator and not viewer.among((person,)):
        said = _("Only %(name)s or a System Administrator may %(what)s.", name=person, what=_(what))
        raise SyncError("NotAllowed", detail=said)
