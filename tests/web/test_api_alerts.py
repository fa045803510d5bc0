"""GET /alerts narrowed: by code, level, state and words, never to more than the asker may read."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.desk import alerts
from syncline.desk.reading import OPERATOR
from tests.desk.office import DOMAIN, Office
from tests.desk.test_wall import CONFLICT, questions
from tests.web.test_api import Caller, client, code, ines, maya, office

__all__ = ["client", "ines", "maya", "office"]


def subjects(caller: Caller, query: str) -> list[str]:
    """Return the subjects that a query lists."""
    found: list[dict[str, Any]] = caller("GET", f"/alerts?{query}")["items"]
    return [each["subject"] for each in found]


def test_alerts_are_narrowed(office: Office, ines: Caller) -> None:
    """Each parameter leaves what fits, the newest first; together they leave what fits all."""
    questions(office, 3)
    first = min(alert.id for alert in alerts.listing(office.app, OPERATOR))
    alerts.carry_out(office.app, [alerts.answer(office.app, OPERATOR, first, "no")])

    assert len(subjects(ines, "")) == 3
    assert len(subjects(ines, f"code={CONFLICT}&level=error&mailbox=maya@{DOMAIN}")) == 3
    assert subjects(ines, "level=information") == []
    assert len(subjects(ines, "state=open")) == len(subjects(ines, "open=true")) == 2
    assert subjects(ines, "state=answered") == subjects(ines, "state=kept_out") == subjects(ines, "open=false")
    assert subjects(ines, "search=MAYA+1+1") == ["Item maya 1 1"]


def test_a_page_of_what_is_narrowed_goes_on(office: Office, ines: Caller) -> None:
    """The cursor goes on within the same parameters."""
    questions(office, 3)
    first = ines("GET", "/alerts?search=item&limit=2")
    second = ines("GET", f"/alerts?search=item&limit=2&cursor={first['next']}")

    assert len(first["items"]) == 2
    assert len(second["items"]) == 1 and second["next"] is None


def test_a_search_by_api_tells_nothing_private(office: Office, ines: Caller, maya: Caller) -> None:
    """Words of a private subject are found by its owner only."""
    office.the_scene(private=True)

    assert subjects(maya, "search=alpen") == ["Product demo for Alpen Sport"]
    assert subjects(ines, "search=alpen") == []


@pytest.mark.parametrize("query", ["level=loud", "state=perhaps", "code=NoSuchCode", "open=true&state=open"])
def test_words_without_meaning_are_refused(ines: Caller, query: str) -> None:
    """A program hears that it asked for something that there is not."""
    assert code(ines("GET", f"/alerts?{query}", 422)) == "InvalidRequest"
