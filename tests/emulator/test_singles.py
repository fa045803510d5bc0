"""Singles over exchangelib: what is written comes back."""

from __future__ import annotations

from datetime import datetime

import pytest
from exchangelib import Account, CalendarItem, EWSTimeZone
from exchangelib.errors import UnauthorizedError

from syncline.emulators.exchange import ExchangeEmulator
from tests.emulator.conftest import ADA, account_of

pytestmark = pytest.mark.emulator

BERLIN = EWSTimeZone("Europe/Berlin")


def test_a_single_comes_back_with_its_fields(ada: Account) -> None:
    """Subject, body, times, zone, categories, place and show-as survive the way to the server and back."""
    CalendarItem(
        account=ada,
        folder=ada.calendar,
        subject='Ready <for> & "review"',
        body="Line one\nLine two",
        start=datetime(2026, 12, 1, 9, 0, tzinfo=BERLIN),
        end=datetime(2026, 12, 1, 10, 30, tzinfo=BERLIN),
        categories=["Tracked to Syncline CRM", "Red"],
        location="Room 7",
        legacy_free_busy_status="OOF",
        sensitivity="Private",
        importance="High",
    ).save()
    (found,) = ada.calendar.sync_items()
    item = ada.calendar.get(id=found[1].id, changekey=found[1].changekey)
    assert item.subject == 'Ready <for> & "review"'
    assert (item.body, item.location) == ("Line one\nLine two", "Room 7")
    assert item.start == datetime(2026, 12, 1, 9, 0, tzinfo=BERLIN)
    assert item.end == datetime(2026, 12, 1, 10, 30, tzinfo=BERLIN)
    assert item._start_timezone == BERLIN
    assert item.categories == ["Tracked to Syncline CRM", "Red"]
    assert (item.legacy_free_busy_status, item.sensitivity, item.importance) == ("OOF", "Private", "High")
    assert (item.type, item.is_meeting, item.organizer.email_address) == ("Single", False, ADA)


def test_a_wrong_password_is_refused(server: ExchangeEmulator) -> None:
    """The client exchangelib reports a wrong password as such."""
    with pytest.raises(UnauthorizedError):
        account_of(server, ADA, "wrong").calendar.refresh()
