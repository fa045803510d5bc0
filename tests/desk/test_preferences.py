"""Preferences: everybody chooses his own, and what is typed is checked."""

from __future__ import annotations

from datetime import time

import pytest

from syncline.desk import preferences
from syncline.desk.preferences import Mails, Preferences
from syncline.errors import SyncError
from tests.desk.office import Office


def test_somebody_chooses_for_himself(office: Office) -> None:
    """Language, mails, quiet hours and time zone change for who chose them."""
    wanted = preferences.chosen(language="de", mails="each", quiet_from="22:00", quiet_to="06:30")
    preferences.save(office.app, office.viewer("maya"), wanted, time_zone="W. Europe Standard Time")

    assert preferences.of(office.app, "maya") == Preferences(
        language="de", mails=Mails.EACH, quiet_from=time(22), quiet_to=time(6, 30)
    )
    assert preferences.zone_of(office.app, "maya") == "Europe/Berlin"
    assert preferences.of(office.app, "jonas") == Preferences()
    assert preferences.zone_of(office.app, "jonas") == "UTC"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"language": "tlh"}, "language takes"),
        ({"mails": "hourly"}, "mails takes each, digest, off"),
        ({"quiet_from": "22:00"}, "both a beginning and an end"),
        ({"quiet_from": "late", "quiet_to": "06:00"}, "not a time of day"),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "same time"),
    ],
)
def test_what_is_typed_is_checked(typed: dict[str, str], said: str) -> None:
    """A wrong choice is refused with what would be taken."""
    given = {"language": "", "mails": "digest", "quiet_from": "", "quiet_to": ""} | typed
    with pytest.raises(SyncError, match=said):
        preferences.chosen(**given)


def test_an_unknown_zone_changes_nothing(office: Office) -> None:
    """A time zone that nobody knows is refused before anything is kept."""
    with pytest.raises(SyncError, match="Atlantis"):
        preferences.save(office.app, office.viewer("maya"), Preferences(language="de"), time_zone="Europe/Atlantis")

    assert preferences.of(office.app, "maya") == Preferences()
