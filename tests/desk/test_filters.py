"""Sync filters at the desk: who makes, sees and changes which, what is typed, and what a preview counts (1.11)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.core.filters import Condition, Field
from syncline.desk import filter_words, filters
from syncline.desk.filter_words import CHOICES, TEXTS, all_said, checked, typed, written
from syncline.desk.filters import FilterChange, FilterObject, NewFilter
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from tests.desk.office import NOW, Office, at

BUSY = (checked("show_as", ["busy"]),)


def add(office: Office, who: str = "maya", **wanted: Any) -> FilterObject:
    """Make a filter as somebody."""
    return filters.add(office.app, office.viewer(who), NewFilter(**wanted))


def names(office: Office, who: str, user: str | None = None) -> list[str]:
    """Return the filters that somebody sees, in order."""
    return [each.name for each in filters.listing(office.app, office.viewer(who), user)]


@pytest.mark.rule("SEC-06")
def test_a_user_has_filters_of_his_own(office: Office) -> None:
    """Maya sees everybody's filters and her own, changes her own alone, and Jonas does not see hers."""
    mine = add(office, conditions=BUSY, name="Mine")
    everybody = add(office, "ines", everybody=True, name="All hands")

    assert (mine.kind, mine.user, mine.changeable) == ("user", "maya", True)
    assert names(office, "maya") == ["All hands", "My appointments", "Mine"]
    assert names(office, "jonas") == ["All hands", "My appointments"]
    assert [each.changeable for each in filters.listing(office.app, office.viewer("maya"))] == [False, True, True]
    maya, jonas = office.viewer("maya"), office.viewer("jonas")
    with pytest.raises(SyncError, match=f"filter {mine.id}"):
        filters.remove(office.app, jonas, mine.id)
    with pytest.raises(SyncError, match=f"filter {mine.id}"):
        filters.show(office.app, jonas, mine.id)
    with pytest.raises(SyncError, match="Only a System Administrator"):
        filters.change(office.app, maya, everybody.id, FilterChange(enabled=False))
    filters.change(office.app, maya, mine.id, FilterChange(enabled=False))
    filters.remove(office.app, maya, mine.id)
    assert names(office, "maya") == ["All hands", "My appointments"]


@pytest.mark.rule("SEC-06")
@pytest.mark.parametrize(
    "wanted", [NewFilter(everybody=True), NewFilter(user="jonas"), NewFilter(user="ines"), NewFilter(user="nobody")]
)
def test_a_user_makes_none_for_others(office: Office, wanted: NewFilter) -> None:
    """Neither for everybody nor for somebody else, not even as a preview; nor does he learn who exists."""
    for work in (filters.add, filters.preview):
        with pytest.raises(SyncError) as refused:
            work(office.app, office.viewer("maya"), wanted)
        assert refused.value.code == "NotAllowed"


@pytest.mark.rule("SEC-06")
def test_a_user_resets_and_lists_only_his_own(office: Office) -> None:
    """The filters of others are an administrator's, and so is the template."""
    template = filters.listing(office.app, OPERATOR)[0]
    maya = office.viewer("maya")
    for work in (
        lambda: filters.reset(office.app, maya, "jonas"),
        lambda: filters.listing(office.app, maya, "jonas"),
    ):
        with pytest.raises(SyncError) as refused:
            work()
        assert refused.value.code == "NotAllowed"
    with pytest.raises(SyncError, match=f"filter {template.id}"):
        filters.change(office.app, maya, template.id, FilterChange(name="x"))
    add(office, name="Mine")
    assert [each.name for each in filters.reset(office.app, maya)] == ["My appointments"]
    assert names(office, "maya") == ["My appointments"]


@pytest.mark.rule("1.11")
def test_an_administrator_changes_everybodys_and_the_template(office: Office) -> None:
    """The template can be changed and not removed; whose filter it is must be said by who has none."""
    ines = office.viewer("ines")
    template = filters.listing(office.app, ines)[0]
    changed = filters.change(office.app, ines, template.id, FilterChange(conditions=BUSY, name=""))
    his = add(office, "ines", user="JONAS", conditions=BUSY)

    assert (template.kind, changed.name, changed.conditions) == ("template", "Shown as Busy", BUSY)
    assert (his.user, his.name) == ("jonas", "Shown as Busy")
    assert names(office, "ines", "jonas") == ["My appointments", "Shown as Busy"]
    with pytest.raises(SyncError, match="need a template"):
        filters.remove(office.app, ines, template.id)
    with pytest.raises(SyncError, match="user nobody"):
        add(office, "ines", user="nobody")
    with pytest.raises(SyncError, match="not for both"):
        add(office, "ines", user="maya", everybody=True)
    with pytest.raises(SyncError, match="Name the user"):
        filters.add(office.app, OPERATOR, NewFilter())


@pytest.mark.rule("1.11")
def test_a_change_makes_the_mailbox_due(office: Office) -> None:
    """A new, changed, removed or reset filter is carried out at the mailbox's next cycle, which is now."""

    def due() -> list[bool]:
        found = [office.mailbox(name) for name in ("maya", "jonas")]
        for each in found:
            office.app.store.change_mailbox(each.id, lambda old: replace(old, next_due=None))
        return [each.next_due is not None and each.next_due <= NOW for each in found]

    due()
    mine = add(office)
    assert due() == [True, False]
    filters.change(office.app, office.viewer("maya"), mine.id, FilterChange(enabled=False))
    assert due() == [True, False]
    filters.reset(office.app, OPERATOR, "jonas")
    assert due() == [False, True]
    everybody = add(office, "ines", everybody=True)
    assert due() == [True, True]
    filters.remove(office.app, OPERATOR, everybody.id)
    assert due() == [True, True]


@pytest.mark.rule("1.11")
def test_a_preview_counts_what_would_be_selected(office: Office) -> None:
    """Selected, and of these new; foreign rows and other people's private ones are not looked at or not selected."""
    office.in_crm("Visit to Alpen", at(9))
    office.in_crm("Call", at(11), organizer="jonas", optional=["maya"])
    office.in_crm("Doctor in Alpen", at(13), private=True)
    office.in_crm("Jonas alone", at(15), organizer="jonas")
    wanted = NewFilter(conditions=(checked("subject", ["alpen"]),), user="maya")

    def told(who: str, wanted: NewFilter, **more: Any) -> tuple[int, int, int, bool]:
        found = filters.preview(office.app, office.viewer(who), wanted, **more)
        return found.selected, found.new, found.looked_at, found.complete

    assert told("maya", wanted) == (2, 0, 3, True)
    assert told("ines", wanted) == (1, 0, 3, True)
    assert told("maya", NewFilter()) == (3, 1, 3, True)
    assert told("ines", NewFilter(everybody=True)) == (3, 1, 3, True)
    own = filters.listing(office.app, office.viewer("maya"))[0]
    assert told("maya", NewFilter(), instead_of=own.id) == (3, 3, 3, True)
    assert names(office, "maya") == ["My appointments"]


def test_a_preview_is_bounded_and_says_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at so many entries and no more, and does not call that all."""
    monkeypatch.setattr(filters, "ROWS_MAX", 3)
    monkeypatch.setattr(filters, "_CHUNK", 2)
    for hour in range(9, 13):
        office.in_crm(f"Visit {hour}", at(hour))
    found = filters.preview(office.app, office.viewer("maya"), NewFilter())

    assert (found.selected, found.looked_at, found.complete) == (3, 3, False)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"name": "n" * 81}, "at most 80"),
        ({"name": "a\x1b[0m"}, "printable"),
        ({"conditions": BUSY * 21}, "at most 20 conditions"),
    ],
)
def test_what_is_given_is_checked(office: Office, wanted: dict[str, Any], said: str) -> None:
    """A filter that nobody could mean is refused with what would be taken."""
    with pytest.raises(SyncError, match=said):
        add(office, **wanted)
    mine = add(office)
    with pytest.raises(SyncError, match=said):
        filters.change(office.app, office.viewer("maya"), mine.id, FilterChange(**wanted))


def test_there_is_an_end_of_filters(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many for one user, and so many for everybody."""
    monkeypatch.setattr(filters, "FILTERS_MAX", 2)
    add(office)
    with pytest.raises(SyncError, match="2 filters already"):
        add(office)
    add(office, "jonas")
    for _ in range(2):
        add(office, "ines", everybody=True)
    with pytest.raises(SyncError, match="2 filters already"):
        add(office, "ines", everybody=True)


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("part=organizer,required", "the user is organizer or required attendee"),
        ("Part != owner", "the user is not owner of the entry"),
        ("status=Open, Scheduled", "status is open or scheduled"),
        ("show-as=out of office", "shown as Out of Office"),
        ('subject="Alpen, Sport",visit', 'subject contains "Alpen, Sport" or "visit"'),
        ("subject!=lunch=long", 'subject does not contain "lunch=long"'),
        ("location=room", 'location contains "room"'),
        ("private=no", "not private"),
        ("private!=no", "private"),
        ("all-day=yes", "all-day"),
        ("series=YES", "a series"),
        ("series=yes,no", "always"),
        ("series!=yes,no", "never"),
    ],
)
def test_conditions_are_typed_and_said(text: str, said: str) -> None:
    """The short form and the plain words."""
    assert filter_words.said(typed(text)) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("organizer", "is not a condition"),
        ("colour=red", "field takes part, status"),
        ("part=boss", "part takes organizer, required"),
        ("private=maybe", "private takes yes, no"),
        ("subject=", "needs a word"),
        ("subject= , ", "needs a word"),
        (f"subject={'x' * 201}", "at most 200"),
        ("subject=a\x1b[0m", "printable"),
        (f"subject={','.join(map(str, range(51)))}", "at most 50 words"),
    ],
)
def test_what_cannot_be_a_condition_is_refused(text: str, said: str) -> None:
    """The refusal says what would be taken."""
    with pytest.raises(SyncError, match=said) as refused:
        typed(text)
    assert refused.value.code == "InvalidRequest"


def test_no_condition_is_all_of_his() -> None:
    """A filter without conditions says so."""
    assert all_said(()) == "everything in which the user takes part"


@given(data=st.data(), field=st.sampled_from(Field), negated=st.booleans())
def test_what_is_written_is_read_again(data: st.DataObject, field: Field, negated: bool) -> None:
    """The short form of a condition means that condition."""
    text = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=9)
    words = text if field in TEXTS else st.sampled_from(sorted(CHOICES.get(field, ("yes", "no"))))
    chosen = data.draw(st.lists(words, min_size=1, max_size=4, unique=True))
    condition = Condition(field=field, words=tuple(chosen), negated=negated)

    assert typed(written(condition)) == condition
