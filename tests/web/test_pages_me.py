"""My settings: everybody's own time zone, language, mails and quiet hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

import pytest

from syncline.desk import preferences
from syncline.desk.preferences import Mails, Preferences
from syncline.web.language import COOKIE
from tests.desk.office import Office
from tests.web.visitor import Visitor, visiting

PATH = "/settings/me"
FIELDS = {
    "time_zone": "Europe/Copenhagen",
    "language": "de",
    "mails": "each",
    "quiet_from": "22:00",
    "quiet_to": "06:30",
}


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Give Maya at her browser."""
    with visiting(office) as visitor:
        yield visitor.sign_in("maya")


def test_a_choice_holds_at_once_and_at_the_next_sign_in(office: Office, maya: Visitor) -> None:
    """The page shows what was kept, in the language and zone that were chosen; another browser speaks it as well."""
    assert 'value="digest" checked' in maya.text(PATH)
    assert maya.post(PATH, **FIELDS).headers["location"] == f"{PATH}?said=changed"

    kept = Preferences(language="de", mails=Mails.EACH, quiet_from=time(22), quiet_to=time(6, 30))
    assert preferences.of(office.app, "maya") == kept
    page = maya.text(PATH)
    assert '<html lang="de">' in page and "<option selected>Europe/Copenhagen</option>" in page
    assert 'value="each" checked' in page and 'value="22:00"' in page
    with visiting(office) as elsewhere:
        assert '<html lang="de">' in elsewhere.sign_in("maya").text("/alerts")
        elsewhere.post(PATH, **{**FIELDS, "language": ""})
        assert COOKIE not in elsewhere.client.cookies
    with visiting(office) as jonas:
        assert '<html lang="en">' in jonas.sign_in("jonas").text(PATH)
        assert preferences.of(office.app, "jonas") == Preferences()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"time_zone": "Europe/Atlantis"}, "Europe/Atlantis"),
        ({"quiet_to": ""}, "both a beginning and an end"),
        ({"mails": "hourly"}, "mails takes"),
        ({"language": "tlh"}, "language takes"),
    ],
)
def test_what_is_not_right_changes_nothing(office: Office, maya: Visitor, wrong: dict[str, str], said: str) -> None:
    """The reason stands on the page, and what was typed is still there."""
    answer = maya.post(PATH, **{**FIELDS, **wrong})

    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="22:00"' in answer.text
    assert preferences.of(office.app, "maya") == Preferences()
