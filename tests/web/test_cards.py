"""The card in all its variants, as its page says them: what is asked, what is in the way, and what an answer does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Pattern,
    PatternKind,
    Recurrence,
    ShowAs,
    Span,
)
from syncline.core.times import all_day
from syncline.desk import users
from syncline.desk.reading import OPERATOR
from tests.desk.office import DOMAIN, NOW, Office, at
from tests.web.visitor import Visitor, shown, visiting

MAYA = f"maya@{DOMAIN}"
DEMO = "Product demo for Alpen Sport"
REVIEW = "Quarterly review with Harbour Cycles"


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Give Maya at her browser."""
    with visiting(office) as visitor:
        yield visitor.sign_in("maya")


@pytest.fixture
def ines(office: Office) -> Iterator[Visitor]:
    """Give Ines, the administrator, at her browser."""
    with visiting(office) as visitor:
        yield visitor.sign_in("ines")


def outlook(office: Office, subject: str, span: Span, **fields: object) -> str:
    """Save an appointment of Maya's in Exchange."""
    appointment = Appointment(
        identity=Identity(f"uid-{subject[:40]}"), subject=subject, span=span, organizer=Address(MAYA, "Maya")
    )
    return office.exchange.add(MAYA, replace(appointment, **fields))  # type: ignore[arg-type]


def weekly(count: int = 12) -> dict[str, object]:
    """Return the fields of a weekly series from the day after NOW."""
    day = at(10).start
    pattern = Pattern(kind=PatternKind.WEEKLY, weekdays=(day.weekday(),))
    return {"recurrence": Recurrence(pattern=pattern, first=day.date(), count=count)}


def test_the_card_tells_things_in_the_order_in_which_they_are_needed(office: Office, maya: Visitor) -> None:
    """State and age; subject; when and who; the sentence; what is in the way; picture; answers; other ways; details."""
    office.in_crm(REVIEW, at(10))
    outlook(office, DEMO, at(10.5), location="Showroom", attendees=(Attendee("a@x.example"), Attendee("b@x.example")))
    office.sync()
    card = maya.text(office.question().url).partition("<article")[2]
    order = (
        "Waiting for an answer · since 08:00 today",
        'id="subject-1"',
        "Tue 24 Nov 2026, 10:30 – 11:30",
        "Showroom",
        "organised by Maya Lind",
        "2 guests outside the firm",
        "A scheduling conflict was found when saving appointment",
        "In the way (1)",
        "overlaps 30 min",
        '<svg class="picture"',
        ">Yes<",
        "Save it in Syncline CRM beside the other. Nothing is moved, nothing changes in Outlook, no mail is sent.",
        ">No<",
        "Keep it out of Syncline CRM. It stays in Outlook, no mail is sent. You are asked again only if its time, "
        "people or “show as” change; you can change your mind under Failures › Kept out.",
        "Or change it in Outlook (another time, or show as Free): the question then goes away by itself.",
        "Why am I asked?",
        "Email Server Error Code: ExchangeSyncSchedulingConflictsError",
        "Learn more",
        "Copy details",
    )
    places = [card.index(words) for words in order]

    assert places == sorted(places)
    assert "10:30 – 11:30 · Busy · Showroom · organised by Maya Lind" in shown(card)


def test_both_answers_weigh_the_same_and_say_what_they_do(office: Office, maya: Visitor) -> None:
    """The group is named by the subject, each button is described by its consequence, and none is special."""
    question = office.the_scene()
    card = maya.text(question.url)
    buttons = re.findall(r'<button class="([^"]+)" type="submit" name="answer" value="(\w+)" ([^>]+)>', card)

    assert [value for _, value, _ in buttons] == ["yes", "no"]
    assert len({classes for classes, _, _ in buttons}) == 1
    assert not any("autofocus" in rest for _, _, rest in buttons)
    assert f'role="group" aria-labelledby="subject-{question.id}"' in card
    for _, value, rest in buttons:
        described = re.search(r'aria-describedby="([^"]+)"', rest)
        assert described and f'<p id="{described[1]}">' in card, value


def test_the_page_names_the_zone_and_where_one_is(office: Office, maya: Visitor) -> None:
    """Breadcrumb and zone stand above the card, with the way to change it."""
    text = maya.text(office.the_scene().url)

    assert "Alerts › Maya Lind" in shown(text).replace("Alerts Maya Lind", "Alerts › Maya Lind")
    assert "All times: UTC ( change" in shown(text) and 'href="/settings/me"' in text


def test_a_clash_tells_who_is_occupied_and_as_what(office: Office, maya: Visitor) -> None:
    """Each row names the person, the part in it, and leads to its place in the Calendar."""
    office.in_crm(REVIEW, at(10))
    office.in_crm("Tour of the hall", at(11), organizer="jonas", required=["maya"])
    office.in_outlook(DEMO, at(10.5))
    office.sync()
    card = maya.text(office.question().url)

    assert "10:00 – 11:00 · Busy · overlaps 30 min Maya Lind (organiser) · Open in Calendar" in shown(card)
    assert "11:00 – 12:00 · Busy · overlaps 30 min Maya Lind (required) · Open in Calendar" in shown(card)
    assert re.search(r'href="/calendar\?week=2026-11-24#a-[\w-]+"', card)
    assert "Save it in Syncline CRM beside the others." in card


def test_a_series_says_what_an_answer_means_for_its_dates(office: Office, maya: Visitor) -> None:
    """How many dates overlap and which, the picture of the first, and that an answer is for all of them."""
    outlook(office, "Pipeline call", at(10), **weekly())
    office.in_crm("Bike fair, day 1", at(8, days=15, length=9))
    office.sync()
    card = shown(maya.text(office.question().url))

    assert "1 of 12 dates overlaps: Tue 8 Dec 2026, 10:00" in card
    assert "Yes saves all 12 dates; No keeps all 12 out." in card
    assert "Save all 12 dates in Syncline CRM, those that overlap too." in card
    assert "Keep all 12 dates out of Syncline CRM." in card
    assert "Waiting, from Outlook: Pipeline call, 10:00 to 11:00" in card
    assert "Tue 8 Dec 2026, 08:00 – 17:00 · Busy · overlaps 1 h" in card


def test_a_series_can_be_saved_without_the_dates_that_overlap(office: Office, maya: Visitor) -> None:
    """The third answer says what it does, and what became of it."""
    outlook(office, "Pipeline call", at(10), **weekly())
    office.in_crm("Bike fair, day 1", at(8, days=15, length=9))
    office.sync()
    question = office.question()
    card = shown(maya.text(question.url))

    assert "Save without the overlapping dates Save the 11 other dates in Syncline CRM." in card
    assert "The date that overlaps is left out there and stays in Outlook; no mail is sent." in card
    answer = maya.post(question.url, answer="without_overlaps", version=str(question.version))
    assert answer.status_code == 303
    office.sync("maya")
    assert "Saved 08:00 by Maya Lind, without 1 date" in shown(maya.text(question.url))


def test_many_dates_are_listed_ten_at_first(office: Office, maya: Visitor) -> None:
    """A series whose dates all overlap another one lists ten, then all."""
    outlook(office, "Pipeline call", at(10), **weekly(14))
    rule = "FREQ=WEEKLY;COUNT=14"
    office.in_crm("Team round", at(10), recurrence=rule)
    office.sync()
    text = maya.text(office.question().url)
    card = shown(text)

    assert "14 of 14 dates overlap:" in card and "Save without" not in card
    assert "Show all 14 dates" in card and "Show all 14 " in card
    assert text.count("<li>\n  <strong>") == 14
    assert text.index("Show all 14<") > text.index("Tue 26 Jan 2027, 10:00 – 11:00")


def test_several_people_are_counted_and_drawn_in_lanes(office: Office, ines: Visitor) -> None:
    """The sentence names one and counts the others; the picture has a lane for each."""
    office.in_crm("Call of Maya", at(14))
    office.in_crm("Call of Jonas", at(14), organizer="jonas")
    office.in_outlook("Price round", at(14), "jonas")
    office.sync("maya")
    card = shown(ines.text(office.question().url))

    assert "because Jonas Weber and 1 more is unavailable at this time" in card
    assert "In Syncline CRM, Maya Lind: Call of Maya" in card and "In Syncline CRM, Jonas Weber: Call of Jonas" in card
    assert "In the way (2)" in card


def test_more_people_than_lanes_are_counted(office: Office, ines: Visitor) -> None:
    """Six lanes are drawn; who has none is counted below the picture and stands in the list."""
    names = [f"guest{number}" for number in range(8)]
    for name in names:
        new = users.NewUser(
            name=name, emails=(f"{name}@{DOMAIN}",), full_name=name.title(), role="User", password="x" * 12
        )
        users.add(office.app, OPERATOR, new)
        office.in_crm(f"Call of {name}", at(14), organizer=name)
    office.in_outlook("All hands", at(14), *names)
    office.sync("maya")
    text = ines.text(office.question().url)

    assert "and 2 more, in the list" in text
    assert text.count('class="picture-crm"') == 6
    assert all(f"Call of {name}</bdi>" in text for name in names)


def test_what_may_not_be_read_is_busy_or_private(office: Office, maya: Visitor, ines: Visitor) -> None:
    """Somebody else's appointment is Busy, a private one Private appointment: in list, picture and title alike."""
    office.in_crm("Salary talk", at(10), organizer="jonas")
    office.in_outlook("Price round", at(10.5), "jonas", private=True)
    office.sync("maya")
    url = office.question().url
    hers, foreign = maya.text(url), ines.text(url)

    assert "Salary talk" not in hers and "Price round" in hers
    assert "In Syncline CRM, Jonas Weber: Busy, 10:00 to 11:00" in hers
    assert "(organiser)" not in hers and "Open in Calendar" not in hers
    assert "Price round" not in foreign and "<title>Private appointment · Syncline</title>" in foreign
    assert "Waiting, from Outlook: Private appointment" in foreign and "Salary talk" in foreign
    assert 'saving appointment "Private appointment" from' in foreign


def test_what_came_since_it_was_asked_is_counted(office: Office, maya: Visitor) -> None:
    """Clashes are computed when they are shown."""
    question = office.the_scene()
    office.in_crm("Call with the bank", at(11))
    card = shown(maya.text(question.url))

    assert "In the way (2)" in card and "1 more since this was asked." in card


def test_what_else_waits_at_this_time_is_named_and_masked(office: Office, maya: Visitor, ines: Visitor) -> None:
    """A second waiting item stands in the list and dashed in the picture; a private one without its subject."""
    question = office.the_scene()
    office.in_outlook("Doctor about the knee", at(10.75), private=True)
    office.sync("maya")
    hers, foreign = maya.text(question.url), ines.text(question.url)

    assert "Doctor about the knee also waits for an answer at this time." in shown(hers)
    assert "Private appointment also waits for an answer at this time." in shown(foreign)
    assert "Doctor" not in foreign
    assert 'class="picture-waiting picture-also"' in hers
    assert "Also waits for an answer: Doctor about the knee" in shown(hers)


def test_more_than_one_question_offers_to_answer_together(office: Office, maya: Visitor) -> None:
    """A line above counts the questions of the mailbox and leads to all of them."""
    question = office.the_scene()
    assert "Answer together" not in maya.text(question.url)
    office.in_outlook("Fitting", at(10.75))
    office.sync("maya")
    text = maya.text(question.url)

    assert "2 questions wait on this mailbox · Answer together" in shown(text)
    assert f'href="/alerts/together?mailbox={office.mailbox("maya").id}"' in text


def test_a_whole_day_names_the_ways_out(office: Office, maya: Visitor) -> None:
    """A question that only an all-day item causes says so, with the setting that decides it."""
    day = NOW.date() + timedelta(days=1)
    office.in_crm(REVIEW, at(10))
    outlook(office, "Trip to Oslo", all_day(day, day + timedelta(days=2)), show_as=ShowAs.OUT_OF_OFFICE)
    office.sync()
    card = shown(maya.text(office.question().url))

    assert "Tue 24 Nov 2026 – Wed 25 Nov 2026, all day · Out of office" in card
    assert "This is an all-day or longer appointment." in card
    assert "show the trip as Free in Outlook" in card and "(conflict.all_day_blocks)" in card


def test_an_all_day_clash_is_told_as_a_date(office: Office, maya: Visitor) -> None:
    """Whole days are dates, in the list and in the picture, and the hint names the cause."""
    start = at(0).start
    office.in_crm("Fair", Span(start, start + timedelta(days=1)), all_day=True)
    office.in_outlook(DEMO, at(10.5))
    office.sync()
    card = shown(maya.text(office.question().url))

    assert "Tue 24 Nov 2026, all day · Busy" in card
    assert "Only an all-day or longer appointment is in the way." in card


def test_fifty_clashes_are_ten_at_first(office: Office, maya: Visitor) -> None:
    """Ten rows are listed; the others unfold."""
    for number in range(50):
        office.in_crm(f"Slot {number:02}", at(8 + number * 0.15, length=0.15))
    outlook(office, "Long workshop", at(8, length=8))
    office.sync()
    text = maya.text(office.question().url)
    first, _, rest = text.partition('<details class="all-ways">')

    assert "In the way (50)" in text and "Show all 50" in rest
    assert len(re.findall(r"<bdi>Slot \d\d</bdi>", first)) == 10
    assert len(re.findall(r"<bdi>Slot \d\d</bdi>", rest)) == 40


def test_both_from_one_calendar_is_said(office: Office, maya: Visitor) -> None:
    """Where both sides of the clash came from the same mailbox the card says that they overlap in Outlook too."""
    office.in_outlook("Standing first", at(10))
    office.sync("maya")
    office.in_outlook("Coming later", at(10.5))
    office.sync("maya")

    assert "Both come from the same Outlook calendar: they overlap there too." in maya.text(office.question().url)


def test_the_next_free_times_of_everybody_are_offered(office: Office, maya: Visitor) -> None:
    """Three times, without anything about what fills the others."""
    question = office.the_scene()

    assert "Free for everybody: Tue 24 Nov 08:00, Tue 24 Nov 09:00, Tue 24 Nov 11:00" in shown(maya.text(question.url))


@pytest.mark.parametrize(
    "subject",
    ['<script>alert("1")</script>', "\u202eevil\u202c", "'\"><img src=x onerror=alert(1)>", "פגישה עם לקוח"],
    ids=["script", "override", "attribute", "hebrew"],
)
def test_a_foreign_text_stays_a_text(office: Office, maya: Visitor, subject: str) -> None:
    """Whatever a subject holds is escaped and kept apart, in card, picture and title."""
    office.in_crm(subject, at(10), location=subject)
    outlook(office, subject, at(10.5), location=subject)
    office.sync()
    raw = maya.get(office.question().url).text

    assert "<script>alert" not in raw and "<img src=x" not in raw
    assert raw.count("<bdi>") >= 4
    picture = raw[raw.index("<svg class") : raw.index("</figure>")]
    assert "\u202e" not in picture
    (sentence,) = re.findall(r'<p class="sentence"[^>]*>(.*?)</p>', raw)
    assert "\u202e" not in sentence
    if subject == "פגישה עם לקוח":
        assert f"\u2068{subject}\u2069" in sentence


def test_a_subject_of_thousands_of_letters_is_cut_and_within_reach(office: Office, maya: Visitor) -> None:
    """Heading and title show its beginning; the whole of it unfolds and stands in the sentence."""
    long = ("Negotiation " * 170)[:2000].strip()
    office.in_crm(long[:190], at(10))
    outlook(office, long, at(10.5))
    office.sync()
    text = maya.text(office.question().url)
    heading = re.search(r'<h2 class="subject"[^>]*>(.*?)</h2>', text)
    title = re.search(r"<title>(.*?)</title>", text)

    assert heading and len(heading[1]) < 200 and heading[1].endswith("…</bdi>")
    assert title and len(title[1]) < 200
    assert text.count(f"<bdi>{long}</bdi>") == 1 and text.count(f"<bdi>{long[:190]}</bdi>") == 1
    assert text.count("Whole subject") == 2
    assert f'saving appointment "{long}" from Exchange' in text
    assert len(text) < 40_000


def test_times_on_the_night_when_the_clocks_go_back(office: Office, maya: Visitor) -> None:
    """A question in the hour that comes twice can be shown, drawn and answered."""
    office.app.crm.set_user("maya", time_zone="Europe/Copenhagen")
    start = datetime(2027, 10, 31, 0, 45, tzinfo=UTC)
    office.in_crm("Night shift", Span(start - timedelta(hours=2), start + timedelta(hours=2)))
    outlook(office, "Hand-over", Span(start, start + timedelta(minutes=30)))
    office.sync()
    question = office.question()
    card = shown(maya.text(question.url))

    assert "Sun 31 Oct 2027, 02:45 – 02:15" in card and "overlaps 30 min" in card
    assert "Hand-over, 02:45 to 02:15. They overlap 30 min." in card
    assert maya.post(question.url, answer="yes", version=str(question.version)).status_code == 303
