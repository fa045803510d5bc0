"""Who may read what: role × own, other, private (pages.md)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncline.core.appointment import Address, Appointment, Attendee, Identity, Sensitivity, Span
from syncline.desk.reading import (
    OPERATOR,
    AccessRole,
    Sight,
    Viewer,
    require_administrator,
    require_own,
    sight,
    sight_of,
)
from syncline.errors import SyncError

INES = Viewer(name="ines", role=AccessRole.ADMINISTRATOR, emails=frozenset({"ines@fjordbikes.example"}))
MAYA = Viewer(name="maya", role=AccessRole.USER, emails=frozenset({"maya.lind@fjordbikes.example"}))
JONAS = Viewer(name="jonas", role=AccessRole.USER, emails=frozenset({"jonas.weber@fjordbikes.example"}))
PRIYA = Viewer(name="priya", role=AccessRole.USER, emails=frozenset({"priya.nair@fjordbikes.example"}))
TEN = datetime(2026, 11, 24, 10, tzinfo=UTC)


def appointment(sensitivity: Sensitivity = Sensitivity.NORMAL) -> Appointment:
    """Give an appointment that Maya organizes and Jonas attends."""
    return Appointment(
        identity=Identity("uid-1"),
        subject="Quarterly review",
        span=Span(TEN, TEN.replace(hour=11)),
        sensitivity=sensitivity,
        organizer=Address("maya.lind@fjordbikes.example", "Maya Lind"),
        attendees=(Attendee("jonas.weber@fjordbikes.example"),),
    )


@pytest.mark.parametrize(
    ("viewer", "sensitivity", "expected"),
    [
        (MAYA, Sensitivity.NORMAL, Sight.OWN),
        (JONAS, Sensitivity.NORMAL, Sight.OWN),
        (PRIYA, Sensitivity.NORMAL, Sight.BUSY),
        (INES, Sensitivity.NORMAL, Sight.OUTLINE),
        (OPERATOR, Sensitivity.NORMAL, Sight.OUTLINE),
        (MAYA, Sensitivity.PRIVATE, Sight.OWN),
        (JONAS, Sensitivity.PRIVATE, Sight.PRIVATE),
        (PRIYA, Sensitivity.PRIVATE, Sight.PRIVATE),
        (INES, Sensitivity.PRIVATE, Sight.PRIVATE),
        (OPERATOR, Sensitivity.PRIVATE, Sight.PRIVATE),
        (INES, Sensitivity.CONFIDENTIAL, Sight.PRIVATE),
        (INES, Sensitivity.PERSONAL, Sight.OUTLINE),
    ],
)
def test_what_a_viewer_may_read(viewer: Viewer, sensitivity: Sensitivity, expected: Sight) -> None:
    """Own people read all, an administrator the outline, others only times; private is its owner's alone."""
    assert sight_of(viewer, appointment(sensitivity)) is expected


def test_the_owner_of_a_row_reads_it_though_somebody_else_organizes() -> None:
    """The person of the mailbox where an item waits owns it by name."""
    assert sight_of(PRIYA, appointment(Sensitivity.PRIVATE), "priya") is Sight.OWN


def test_people_are_found_without_case() -> None:
    """Addresses and names are compared without case."""
    assert sight(MAYA, owners=("Maya.Lind@FjordBikes.example",), people=(), private=True) is Sight.OWN


@pytest.mark.parametrize(
    ("look", "subject", "masked", "body"),
    [
        (Sight.OWN, "Quarterly review", False, True),
        (Sight.OUTLINE, "Quarterly review", False, False),
        (Sight.PRIVATE, "Private appointment", True, False),
        (Sight.BUSY, "Busy", True, False),
    ],
)
def test_what_each_sight_shows(look: Sight, subject: str, masked: bool, body: bool) -> None:
    """Only the own people get a body; masked ones get a word instead of the subject."""
    assert (look.subject("Quarterly review"), look.masked, look.body) == (subject, masked, body)


def test_a_user_is_refused_what_administrators_do() -> None:
    """Roles are enforced with NotAllowed."""
    require_administrator(INES, "add users")
    with pytest.raises(SyncError) as refused:
        require_administrator(MAYA, "add users")

    assert refused.value.code == "NotAllowed"
    assert "add users" in refused.value.text


def test_a_user_is_refused_what_is_another_persons() -> None:
    """Only the person himself and a System Administrator may."""
    require_own(MAYA, "maya", "answer")
    require_own(INES, "maya", "answer")
    with pytest.raises(SyncError) as refused:
        require_own(JONAS, "maya", "answer")

    assert refused.value.code == "NotAllowed"
