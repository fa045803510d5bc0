"""What a draft of the CRM asks of Exchange: nothing, whatever else is true of it (A-09)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncline.core.appointment import Address, Appointment, Identity, Span, Status
from syncline.core.planning import Presence
from syncline.core.pushing import Found, Policy, Situation, Verb, push

TEN = datetime(2026, 11, 24, 10, tzinfo=UTC)
ROW = Appointment(
    identity=Identity("uid"),
    subject="Visit",
    span=Span(TEN, TEN + timedelta(hours=1)),
    organizer=Address("ada@example.org"),
)


@pytest.mark.rule("A-09")
@pytest.mark.parametrize(
    "else_true",
    [
        {},
        {"named": False, "own": False},
        {"own": False, "elsewhere": True},
        {"own": False},
        {"held_elsewhere": True},
        {"found": Found.TRACKED},
        {"ended": True},
        {"withheld": ROW},
    ],
    ids=str,
)
def test_a_draft_is_passed_over(else_true: dict[str, Any]) -> None:
    """It is neither made, linked, asked about nor a failure, and mails nobody."""
    asked = Situation(presence=Presence.ABSENT, row=ROW, status=Status.OPEN, draft=True, **else_true)
    action = push(asked, Policy())

    assert (action.verb, action.rule, action.code) == (Verb.SKIP, "A-09", "DraftNotMade")


@pytest.mark.rule("A-09")
@pytest.mark.parametrize(
    "why",
    [{"row": None}, {"status": Status.CANCELED}, {"in_scope": False}, {"holder": True}],
    ids=["gone", "closed", "outside", "held"],
)
def test_what_does_not_belong_here_is_forgotten_though_it_is_a_draft(why: dict[str, Any]) -> None:
    """A draft that is deleted, closed or selected no more leaves nothing behind."""
    asked = Situation(**{"presence": Presence.ABSENT, "row": ROW, "status": Status.OPEN, "draft": True, **why})

    assert push(asked, Policy()).verb is Verb.FORGET
