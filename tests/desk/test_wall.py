"""The wall at the desk: filters within what a viewer may see, and one answer for many."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Address, Appointment, Identity, Pattern, PatternKind, Recurrence
from syncline.desk import alerts, together, wall
from syncline.desk.reading import OPERATOR
from syncline.desk.wall import Filters
from syncline.errors import SyncError
from tests.desk.office import DOMAIN, Office, at

CONFLICT = "ExchangeSyncSchedulingConflictsError"


def questions(office: Office, many: int, *, owner: str = "maya", first_day: int = 1) -> None:
    """Let so many items of a mailbox wait, two a day."""
    for number in range(many):
        day, hour = first_day + number // 2, 9 + 3 * (number % 2)
        office.in_crm(f"Row {owner} {day} {number}", at(hour, days=day), organizer=owner)
        office.in_outlook(f"Item {owner} {day} {number}", at(hour + 0.5, days=day), owner=owner)
    office.sync(owner)


def found(office: Office, viewer: str, **said: object) -> list[str]:
    """Return the subjects that somebody finds, as he may read them."""
    return [each.subject for each in wall.page(office.app, office.viewer(viewer), Filters(**said)).items]  # type: ignore[arg-type]


def test_a_search_finds_only_what_the_viewer_may_read(office: Office) -> None:
    """A private subject is found by its owner; for everybody else it is found under what they are shown."""
    office.the_scene(private=True)

    assert found(office, "maya", words="alpen") == ["Product demo for Alpen Sport"]
    assert found(office, "ines", words="alpen") == []
    assert found(office, "ines", words="private app") == ["Private appointment"]
    assert found(office, "maya", words="private app") == []
    assert found(office, "jonas", words="alpen") == []


def test_words_of_a_search_are_no_pattern(office: Office) -> None:
    """Percent signs and underscores are looked for as they stand."""
    office.the_scene()

    assert found(office, "maya", words="%") == []
    assert found(office, "maya", words="_") == []
    assert found(office, "maya", words="PRODUCT") == ["Product demo for Alpen Sport"]


def test_filters_narrow_and_never_widen(office: Office) -> None:
    """Each filter leaves what fits; another person's mailbox does not exist."""
    questions(office, 2, first_day=4)
    questions(office, 1, owner="jonas", first_day=4)
    office.clock.at += timedelta(days=2)
    questions(office, 1, owner="jonas", first_day=9)

    assert len(found(office, "ines")) == 4
    assert len(found(office, "ines", mailbox=f"jonas@{DOMAIN}")) == 2
    assert len(found(office, "ines", age="day")) == 1
    assert len(found(office, "ines", age="older")) == 0
    assert len(found(office, "ines", kind=CONFLICT, level="error")) == 4
    assert found(office, "ines", kind="notice") == []
    assert found(office, "ines", level="information") == []
    assert found(office, "ines", mine=True) == []
    assert len(found(office, "jonas", mine=True)) == 2
    with pytest.raises(SyncError, match="NotFoundHere"):
        found(office, "jonas", mailbox=f"maya@{DOMAIN}")
    with pytest.raises(SyncError, match="InvalidRequest"):
        found(office, "jonas", state="perhaps")


def test_states_are_told_apart(office: Office) -> None:
    """What is kept out is so only while its answer holds; a question asked anew is open."""
    questions(office, 3)
    first, second, _ = (alert.id for alert in alerts.listing(office.app, OPERATOR))
    alerts.carry_out(office.app, [alerts.answer(office.app, OPERATOR, first, "no")])
    alerts.carry_out(office.app, [alerts.answer(office.app, OPERATOR, second, "yes")])

    assert len(found(office, "ines", state="open")) == 1
    assert len(found(office, "ines", state="kept_out")) == 1
    assert len(found(office, "ines", state="answered")) == 1
    assert len(found(office, "ines", state="any")) == 3


def test_many_questions_fold_in_one_query(office: Office) -> None:
    """A mailbox with more than five is one entry, by the first of its times; fewer stand alone."""
    questions(office, 7, first_day=3)
    questions(office, 2, owner="jonas")
    page = office.app.store.wall_page(wall.wanted(office.app, OPERATOR, Filters()), fold=wall.FOLD)

    assert [entry.questions for entry in page.entries] == [1, 1, 7]
    assert (page.total, page.questions) == (3, 9)
    assert page.entries[2].alert_id is None
    assert page.entries[2].mailbox_id == office.mailbox("maya").id
    second = office.app.store.wall_page(wall.wanted(office.app, OPERATOR, Filters()), fold=wall.FOLD, offset=2)
    assert second.entries == page.entries[2:]


def test_those_like_one_are_of_its_mailbox_its_series_or_the_same_person(office: Office) -> None:
    """Each way reaches other questions, never those that the viewer may not see."""
    office.in_crm("Fair", at(9, length=4), organizer="jonas")
    office.in_outlook("Talk", at(9), "jonas")
    office.in_outlook("Visit", at(10), owner="jonas")
    office.in_crm("Call", at(15))
    office.in_outlook("Demo", at(15))
    office.sync()
    talk = next(alert for alert in alerts.listing(office.app, OPERATOR) if alert.subject == "Talk")
    reached = {
        how: {outline.subject for outline in office.app.store.outlines(wall.like(office.app, OPERATOR, talk.id, how))}
        for how in ("like", "series", "person")
    }

    assert reached == {"like": {"Talk", "Demo"}, "series": {"Talk"}, "person": {"Talk", "Visit"}}
    own = wall.like(office.app, office.viewer("maya"), talk.id, "person")
    assert {outline.subject for outline in office.app.store.outlines(own)} == {"Talk"}
    with pytest.raises(SyncError, match="NotFoundHere"):
        wall.like(office.app, office.viewer("jonas"), talk.id, "like")


def test_one_answer_for_many_counts_what_two_people_did(office: Office) -> None:
    """Who comes second answers the rest, and hears who was first."""
    questions(office, 4)
    chosen = together.choose(office.app, wall.of_mailbox(office.app, OPERATOR, f"maya@{DOMAIN}"))
    together.answer(office.app, office.viewer("maya"), dict(list(chosen.versions.items())[:1]), "yes")
    given = together.answer(office.app, office.viewer("ines"), chosen.versions, "no")
    over = together.over(office.app, office.viewer("ines"), given.refused)

    assert (given.answered, given.refused) == (3, chosen.ids[:1])
    assert (over.by, over.needless, over.waiting) == ({"Maya Lind": 1}, 0, 0)


@pytest.mark.rule("Q-07")
def test_what_was_not_seen_is_a_change(office: Office) -> None:
    """A new question, or one that moved in Outlook, is a change; an answer of somebody else is none."""
    questions(office, 3)
    wanted = wall.of_mailbox(office.app, OPERATOR, f"maya@{DOMAIN}")
    before = together.choose(office.app, wanted)
    together.answer(office.app, OPERATOR, dict(list(before.versions.items())[:1]), "no")
    fewer = together.choose(office.app, wanted)
    questions(office, 1, first_day=12)
    more = together.choose(office.app, wanted)

    assert not together.changed(before.seen, fewer.seen)
    assert together.changed(fewer.seen, more.seen)


@pytest.mark.rule("Q-07")
def test_a_question_that_moves_after_it_was_chosen_takes_no_answer(office: Office) -> None:
    """Between choosing and answering an item may move in Outlook: nobody saw where to, so it is asked about anew."""
    questions(office, 2)
    chosen = together.choose(office.app, wall.of_mailbox(office.app, OPERATOR, f"maya@{DOMAIN}"))
    moved = min(chosen.ids)
    seen = {number: version - (number == moved) for number, version in chosen.versions.items()}
    given = together.answer(office.app, office.viewer("maya"), seen, "yes")

    assert (given.answered, given.refused) == (1, (moved,))


def test_an_answer_to_many_is_taken_back_while_nothing_has_begun(office: Office) -> None:
    """The person who gave it takes it back; what was carried out stays."""
    questions(office, 3)
    chosen = together.choose(office.app, wall.of_mailbox(office.app, OPERATOR, f"maya@{DOMAIN}"))
    given = together.answer(office.app, office.viewer("maya"), chosen.versions, "yes")
    back = together.take_back(office.app, office.viewer("maya"), given.at)

    assert back.answered == 3
    assert len(found(office, "maya")) == 3
    again = together.answer(office.app, office.viewer("maya"), chosen.versions, "yes")
    office.sync("maya")
    late = together.take_back(office.app, office.viewer("maya"), again.at)
    assert late.answered == 0
    assert found(office, "maya") == []


def test_nobody_answers_many_of_another_mailbox(office: Office) -> None:
    """One question that is not there for the viewer refuses the whole answer."""
    questions(office, 2)
    chosen = together.choose(office.app, wall.of_mailbox(office.app, OPERATOR, f"maya@{DOMAIN}"))
    with pytest.raises(SyncError, match="NotFoundHere"):
        together.answer(office.app, office.viewer("jonas"), chosen.versions, "yes")

    assert len(found(office, "maya")) == 2


def test_series_without_their_dates_and_the_others_beside(office: Office) -> None:
    """`without_overlaps` for many: a series leaves its clashing date out, a single is saved beside."""
    span = at(10)
    weekly = Recurrence(
        pattern=Pattern(kind=PatternKind.WEEKLY, weekdays=(span.start.weekday(),)), first=span.start.date(), count=4
    )
    organizer = Address(f"maya@{DOMAIN}", "Maya Lind")
    series = Appointment(
        identity=Identity("weekly"), subject="Pipeline call", span=span, organizer=organizer, recurrence=weekly
    )
    office.exchange.add(f"maya@{DOMAIN}", series)
    office.in_crm("Bike fair", at(8, days=8, length=9))
    office.in_crm("Call", at(15))
    office.in_outlook("Demo", at(15))
    office.sync()
    chosen = together.choose(office.app, wall.of_mailbox(office.app, OPERATOR, f"maya@{DOMAIN}"))
    given = together.answer(office.app, OPERATOR, chosen.versions, "without_overlaps")
    office.sync()

    assert given.answered == 2
    assert found(office, "ines") == []
    left = {alert.subject: alert.left_out for alert in office.app.store.alerts_by_id(chosen.ids).values()}
    assert (len(left["Pipeline call"]), left["Demo"]) == (1, ())


def test_a_series_of_which_every_date_overlaps_is_saved_as_was_said(office: Office) -> None:
    """Where nothing would remain of a series it counts among the others, as the page says before the click."""
    span = at(10)
    daily = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=span.start.date(), count=2)
    organizer = Address(f"maya@{DOMAIN}", "Maya Lind")
    for name, count in (("whole", 2), ("partly", 4)):
        series = Appointment(identity=Identity(name), subject=name, span=span, organizer=organizer)
        series = replace(series, recurrence=replace(daily, count=count))
        office.exchange.add(f"maya@{DOMAIN}", series)
    for day in (1, 2):
        office.in_crm(f"Fair {day}", at(8, days=day, length=9))
    office.sync("maya")
    chosen = together.choose(office.app, wall.of_mailbox(office.app, OPERATOR, f"maya@{DOMAIN}"))
    given = together.answer(office.app, OPERATOR, chosen.versions, "without_overlaps")
    office.sync("maya")

    assert (len(chosen.ids), given.answered, given.refused) == (2, 2, ())
    left = {alert.subject: len(alert.left_out) for alert in office.app.store.alerts_by_id(chosen.ids).values()}
    assert left == {"whole": 0, "partly": 2}
    assert found(office, "ines") == []
