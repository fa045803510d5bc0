"""Settings › Answer rules: made after a look at what it would have answered, ordered, switched, removed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from syncline.desk import alerts, rules
from syncline.desk.reading import OPERATOR
from syncline.desk.rules import NewRule
from tests.desk.office import DOMAIN, Office
from tests.web.visitor import Visitor, shown, visiting

PATH = "/settings/rules"


@pytest.fixture
def ines(office: Office) -> Iterator[Visitor]:
    """Give Ines, who administers, at her browser."""
    with visiting(office) as visitor:
        yield visitor.sign_in("ines")


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Give Maya, a user, at hers."""
    with visiting(office) as visitor:
        yield visitor.sign_in("maya")


def test_a_rule_is_looked_at_made_and_its_questions_answered(office: Office, maya: Visitor) -> None:
    """The preview stores nothing and keeps what was typed; after saving, one click answers what matches."""
    office.the_scene()
    assert "Every question is asked." in maya.text(PATH)
    fields = {"answer": "yes", "category": "", "organizer": "own", "all_day": "no"}
    told = maya.post(f"{PATH}/preview", **fields).text
    assert "It would have saved 1 of 1 appointments" in shown(told)
    assert "Product demo for Alpen Sport" in told
    assert '<option value="own" selected>' in told and "Only items with times" in told
    assert rules.listing(office.app, OPERATOR) == []

    (rule_id,) = re.findall(r"made=(\d+)", maya.post(PATH, **fields).headers["location"])
    page = maya.text(f"{PATH}?made={rule_id}")
    assert "1 open question matches it now. A new rule leaves it alone." in shown(page)
    assert "Answer it too: Yes" in page
    assert "Answered too, it is saved in Syncline CRM beside what is there. A Yes is final." in shown(page)
    assert "Save anyway: organizer own, not all-day" in page
    assert maya.post(f"{PATH}/answer", rule=rule_id, count="0").status_code == 422
    assert 'name="newest" value="1"' in page
    assert maya.post(f"{PATH}/answer", rule=rule_id, count="1", newest="0").status_code == 422
    assert (
        maya.post(f"{PATH}/answer", rule=rule_id, count="1", newest="1").headers["location"] == f"{PATH}?said=answered"
    )
    assert [each.decided_by for each in alerts.listing(office.app, OPERATOR)] == ["Maya Lind"]


def test_rules_are_moved_switched_and_removed(office: Office, ines: Visitor) -> None:
    """The buttons do what they say; the last of a group goes no further down."""
    first, second = (rules.add(office.app, OPERATOR, NewRule(answer="no", name=name)).id for name in ("One", "Two"))
    page = ines.text(PATH)
    assert page.count(">Up<") == page.count(">Down<") == 1

    ines.post(f"{PATH}/move", rule=str(second), position="1")
    ines.post(f"{PATH}/switch", rule=str(first))
    assert [(each.name, each.enabled) for each in rules.listing(office.app, OPERATOR)] == [
        ("Two", True),
        ("One", False),
    ]
    assert "Switch on" in ines.text(PATH)
    ines.post(f"{PATH}/switch", rule=str(first), on="yes")
    assert ines.post(f"{PATH}/remove", rule=str(second)).headers["location"] == f"{PATH}?said=changed"
    assert [(each.name, each.enabled) for each in rules.listing(office.app, OPERATOR)] == [("One", True)]
    assert ines.post(f"{PATH}/remove", rule=str(second)).status_code == 404


def test_a_user_sees_what_answers_for_him_and_changes_his_own(office: Office, ines: Visitor) -> None:
    """Everybody's rule is there without buttons, Jonas' own is not; a foreign one takes no change."""
    ines.post(PATH, answer="no", name="Trips", mailboxes=f"maya@{DOMAIN}, jonas@{DOMAIN}", category="Travel")
    his = rules.add(
        office.app, office.viewer("jonas"), NewRule(answer="yes", name="Jonas only", organizer="alpen.example")
    ).id
    assert "organised by somebody at alpen.example" in ines.text(PATH)
    with visiting(office) as maya:
        maya.sign_in("maya")
        page = shown(maya.text(PATH))
        assert "Trips" in page and 'category "Travel"' in page and "Set by a System Administrator" in page
        assert "another mailbox" in page and "jonas@" not in page and "Jonas only" not in page
        assert maya.post(f"{PATH}/remove", rule=str(his)).status_code == 404
        assert maya.post(f"{PATH}/remove", rule="1").status_code == 403


def test_what_is_not_right_comes_back_as_typed(ines: Visitor) -> None:
    """The reason stands on the page, and nothing typed is lost or taken for markup."""
    answer = ines.post(PATH, answer="no", organizer="named", organizer_named="<b>x", name="<i>Mine")

    assert answer.status_code == 422
    assert "organizer takes own, other" in answer.text
    assert "&lt;i&gt;Mine" in answer.text and "<b>x" not in answer.text and "<i>Mine" not in answer.text


def test_the_preview_says_where_people_thought_otherwise(office: Office, ines: Visitor) -> None:
    """A Yes rule over a question that somebody answered No stands out; Ines reads no private subject."""
    question = office.the_scene(private=True)
    alerts.answer(office.app, office.viewer("maya"), question.id, "no")
    told = shown(ines.post(f"{PATH}/preview", answer="yes", private="yes").text)

    assert "People answered 1 of them the other way." in told
    assert "Private appointment" in told and "Product demo" not in told
