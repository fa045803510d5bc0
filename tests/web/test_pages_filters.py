"""Settings › Sync filters: looked at, made, changed, switched, removed, reset; without script (1.11)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncline.desk import filters
from syncline.desk.filter_words import typed
from syncline.desk.filters import FilterObject, NewFilter
from syncline.desk.reading import OPERATOR
from syncline.web.pages.filters import given_of
from tests.desk.office import Office, at
from tests.web.visitor import Visitor, shown, visiting

PATH = "/settings/filters"


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


def made(office: Office, *conditions: str, user: str | None = "maya") -> FilterObject:
    """Make a filter of Maya's, or everybody's."""
    wanted = NewFilter(conditions=tuple(map(typed, conditions)), user=user, everybody=user is None)
    return filters.add(office.app, OPERATOR, wanted)


def own(office: Office) -> list[FilterObject]:
    """Return what counts for Maya."""
    return filters.listing(office.app, office.viewer("maya"))


@pytest.mark.rule("1.11")
def test_a_filter_is_looked_at_and_made(office: Office, maya: Visitor) -> None:
    """The preview stores nothing and keeps what was typed; saving makes the filter of what the form holds."""
    office.in_crm("Visit to Alpen", at(9))
    office.in_crm("Call", at(11), organizer="jonas", optional=["maya"])
    fields = {
        "part": ["organizer", "optional"],
        "part_is": "",
        "subject": "lunch, doctor",
        "subject_is": "not",
        "private": "no",
        "name": "",
    }
    assert "My appointments" in maya.text(PATH)
    told = maya.post(f"{PATH}/preview", **fields).text  # type: ignore[arg-type]
    assert "It selects 2 of the 2 entries that were looked at. 1 of them no other filter selects yet." in shown(told)
    assert 'value="optional" checked' in told and 'value="lunch, doctor"' in told
    assert len(own(office)) == 1

    assert maya.post(PATH, **fields).headers["location"] == f"{PATH}?said=changed"  # type: ignore[arg-type]
    page = maya.text(PATH)
    said = 'the user is organizer or optional attendee, subject does not contain "lunch" or "doctor", not private'
    assert said in page
    assert own(office)[-1].user == "maya"


@pytest.mark.rule("1.11")
def test_a_filter_is_changed_switched_removed_and_reset(office: Office, maya: Visitor) -> None:
    """The form shows what a filter holds; the buttons do what they say; without any filter the page says so."""
    mine = made(office, "show_as!=free", "series=no")
    page = maya.text(f"{PATH}?edit={mine.id}")
    assert f'name="number" value="{mine.id}"' in page and 'value="free" checked' in page
    assert '<option value="no" selected>Only those that do not repeat' in page
    maya.post(PATH, number=str(mine.id), name="Others", show_as="free", show_as_is="not")
    assert [(each.name, each.conditions) for each in own(office)][-1] == ("Others", (typed("show_as!=free"),))

    maya.post(f"{PATH}/switch", number=str(mine.id))
    assert [each.enabled for each in own(office)] == [True, False]
    maya.post(f"{PATH}/switch", number=str(mine.id), on="yes")
    for each in own(office):
        maya.post(f"{PATH}/remove", number=str(each.id))
    assert "Nothing that is entered in Syncline CRM goes to Exchange." in shown(maya.text(PATH))
    assert maya.post(f"{PATH}/remove", number=str(mine.id)).status_code == 404
    maya.post(f"{PATH}/reset")
    assert [each.name for each in own(office)] == ["My appointments"]


@pytest.mark.rule("SEC-06")
def test_a_user_sees_everybodys_without_buttons(office: Office, ines: Visitor, maya: Visitor) -> None:
    """What counts for everybody is an administrator's; so are the filters of others and the template."""
    ines.get(PATH)
    ines.post(PATH, everybody="yes", name="All hands")
    ines.post(PATH, user="jonas", name="Of Jonas", status="open")
    page = ines.text(PATH)
    assert "New users get a copy" in page and "Of Jonas" in page and "Jonas Weber" in page
    everybody = own(office)[0]

    page = maya.text(PATH)
    assert "All hands" in page and "Set by a System Administrator" in page
    assert "Of Jonas" not in page and "New users get a copy" not in page and 'name="everybody"' not in page
    assert maya.post(f"{PATH}/remove", number=str(everybody.id)).status_code == 403
    assert maya.post(PATH, everybody="yes").status_code == 403
    assert maya.post(f"{PATH}/reset", user="jonas").status_code == 403
    assert maya.get(f"{PATH}?edit={filters.listing(office.app, OPERATOR)[0].id}").status_code == 404
    assert "Change &#34;" not in maya.get(f"{PATH}?edit={everybody.id}").text


def test_what_the_form_cannot_show_is_said(office: Office, maya: Visitor) -> None:
    """Two conditions on one field are listed, and changed elsewhere."""
    much = made(office, "subject=a", "subject=b")
    assert "more conditions than the form can show" in maya.text(f"{PATH}?edit={much.id}")
    assert 'subject contains "a", subject contains "b"' in maya.text(PATH)
    assert maya.post(PATH, subject="x" * 201).status_code == 422


@pytest.mark.parametrize(
    "conditions",
    [
        (),
        ("part=organizer,required", "status!=canceled", "show_as=busy"),
        ('subject="a, b",c', "location!=x", "private=yes", "all_day!=yes", "series=no"),
    ],
)
def test_the_form_holds_what_the_filter_asks(office: Office, conditions: tuple[str, ...]) -> None:
    """Saving the form of a filter without a touch changes nothing about what it selects."""
    one = made(office, *conditions)
    given = given_of(one)
    plain = {"all_day!=yes": "all_day=no"}

    assert given is not None
    assert set(given.conditions()) == {typed(plain.get(each, each)) for each in conditions}
    assert (given.number, given.user, given.everybody) == (one.id, "maya", "")
