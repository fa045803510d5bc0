"""Cards of what is held towards either side: what Yes and No do stands beside the buttons, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncline.core.appointment import ShowAs
from syncline.core.merging import Winner
from syncline.desk import alerts, wall
from syncline.desk.objects import AlertObject
from syncline.desk.reading import OPERATOR
from syncline.engine import holding
from syncline.engine.run import Rules
from syncline.ports import Alert, Changes
from syncline.web.language import COOKIE
from syncline.web.pages.meaning import MEANINGS
from tests.desk.office import Office, at
from tests.web.visitor import Visitor, shown, visiting

BACK_IN_OUTLOOK = ("MassDeletionHeld", "EmptiedSideHeld", holding.RESTORED, holding.OVERRULED)
"""A No to these leaves rows without an item, which an edit in the CRM makes in Outlook anew."""
HELD = (*holding.MANY, *holding.SINGLE, holding.RESTORED, holding.FILES, "MassDeletionHeld", "EmptiedSideHeld")
PARAMS = {
    "mailbox": "maya@fjordbikes.example", "count": "12", "total": "40", "mails": "30", "people": "eve@firm.example",
    "subject": "Visit", "detail": "Jonas Weber", "deleted": "Outlook", "edited": "the CRM", "fields": "subject, span",
    "exchange": "A; B", "row": "C; D",
}  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Return a firm in which both sides are partners and what both changed is asked about."""
    firm = Office(tmp_path, rules=Rules(outgoing=True, winner=Winner.ASK))
    firm.sync()
    return firm


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Sign Maya in."""
    with visiting(office) as visitor:
        yield visitor.sign_in("maya")


def hold(office: Office, code: str) -> AlertObject:
    """Open a question of this code as a cycle does."""
    office.in_outlook("Visit", at(10))
    office.sync("maya")
    box, now = office.mailbox("maya"), office.clock.now()
    (link,) = office.app.store.find_links("Visit", 5)
    question = Alert(
        mailbox_id=box.id, code=code, params=PARAMS, created=now, last_seen=now, held=(link.id,), digest="x",
        subject="Visit" if code in holding.SINGLE else "", span=at(10) if code in holding.SINGLE else None,
    )  # fmt: skip
    lease = office.app.store.claim(box.id, "test", now, 60)
    assert lease is not None
    office.app.store.write(lease, Changes(alerts=[question]))
    office.app.store.release(lease, None, None)
    (found,) = alerts.listing(office.app, OPERATOR, only_open=True)
    return found


def torn(office: Office, *, private: bool = False) -> AlertObject:
    """Let both sides change one appointment, so that the cycle asks which version stands."""
    ref = office.in_outlook("Visit", at(10), private=private)
    office.sync("maya")
    (row,) = office.app.crm.ids("", 5)
    office.change(ref, location="Bern", subject="Visit to Bern")
    office.rewrite(row, subject="Visit to Basel", location="Basel")
    office.sync("maya")
    (found,) = alerts.listing(office.app, OPERATOR, only_open=True)
    return found


def test_every_held_question_has_its_own_words() -> None:
    """None of the codes falls back to general words."""
    assert set(MEANINGS) == set(HELD)


@pytest.mark.parametrize("code", HELD)
def test_the_card_says_what_each_answer_does(office: Office, maya: Visitor, code: str) -> None:
    """Both buttons stand there with their meaning, and nothing speaks of double-booking."""
    question = hold(office, code)
    words = shown(maya.text(question.url))
    for text in (MEANINGS[code].yes, MEANINGS[code].no):
        assert text % {"crm": office.app.settings.crm.name} in words
    assert "double-book" not in words
    assert "beside" not in words
    assert "Save it" not in words


@pytest.mark.parametrize("code", BACK_IN_OUTLOOK)
@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "may be made in Outlook anew, which invites its guests"), ("de", "in Outlook neu angelegt werden")],
)
def test_the_card_says_what_comes_of_a_no_later(
    office: Office, maya: Visitor, code: str, language: str, words: str
) -> None:
    """Whoever keeps a row of a deleted item is told that a later edit may invite its guests."""
    question = hold(office, code)
    maya.client.cookies.set(COOKIE, language)

    assert words in shown(maya.text(question.url))


@pytest.mark.parametrize("code", HELD)
def test_the_card_says_it_in_german(office: Office, maya: Visitor, code: str) -> None:
    """No English meaning is left on the German card."""
    question = hold(office, code)
    maya.client.cookies.set(COOKIE, "de")
    words = shown(maya.text(question.url))
    for text in (MEANINGS[code].yes, MEANINGS[code].no):
        assert text % {"crm": office.app.settings.crm.name} not in words
    assert "Ja" in words


@pytest.mark.parametrize("code", HELD)
def test_the_wall_finds_it(office: Office, code: str) -> None:
    """Kind, code, level, mailbox and own ones find a held question; another code does not."""
    hold(office, code)
    maya = office.viewer("maya")
    for asked in (
        wall.Filters(),
        wall.Filters(kind="question"),
        wall.Filters(kind=code),
        wall.Filters(level="error"),
        wall.Filters(mailbox=str(office.mailbox("maya").id)),
        wall.Filters(mine=True),
        wall.Filters(age="day"),
    ):
        assert [alert.code for alert in wall.page(office.app, maya, asked).items] == [code], asked
    assert wall.page(office.app, maya, wall.Filters(kind="MassUntrackingHeld")).items == ()
    assert wall.page(office.app, office.viewer("jonas"), wall.Filters()).items == ()


def test_an_answer_is_said_in_words_of_its_own(office: Office, maya: Visitor) -> None:
    """After Yes it is carried out, not saved."""
    question = hold(office, holding.INVITATIONS)
    maya.get(question.url)
    maya.post(question.url, answer="yes", version=str(question.version))
    words = shown(maya.text(question.url))

    assert "Carrying it out" in words or "Carried out" in words
    assert "Saving in" not in words


@pytest.mark.rule("3.1")
def test_both_versions_stand_side_by_side(office: Office, maya: Visitor) -> None:
    """Each field shows what Outlook has and what the CRM has."""
    question = torn(office)
    page = maya.text(question.url)
    words = shown(page)

    assert "Both versions" in page
    assert "Subject Visit to Bern Visit to Basel" in words
    assert "Location Bern Basel" in words
    assert "Location, Subject of" in words


@pytest.mark.rule("3.1")
@pytest.mark.parametrize(("tongue", "said"), [
    ("en", ("In Outlook: Tentative; Tue 24 Nov 2026, 13:00 – 14:00.", "Free; Tue 24 Nov 2026, 15:00 – 16:00. Take")),
    ("de", ("In Outlook: Mit Vorbehalt; Di 24. Nov 2026, 13:00 – 14:00.", "Frei; Di 24. Nov 2026, 15:00 – 16:00. Ü")),
])  # fmt: skip
def test_the_sentence_says_both_times_in_the_reader_s_zone_and_language(
    office: Office, maya: Visitor, tongue: str, said: tuple[str, str]
) -> None:
    """Both versions of a time are worded as on the rest of the page, not as the server counts; the API says UTC."""
    office.app.crm.set_user("maya", time_zone="Europe/Copenhagen")
    ref = office.in_outlook("Visit", at(10))
    office.sync("maya")
    (row,) = office.app.crm.ids("", 5)
    office.change(ref, span=at(12), show_as=ShowAs.TENTATIVE)
    office.rewrite(row, span=at(14), show_as=ShowAs.FREE)
    office.sync("maya")
    (question,) = alerts.listing(office.app, OPERATOR, only_open=True)
    assert "In Outlook: Tentative; 2026-11-24 12:00 to 2026-11-24 13:00 UTC. " in question.text
    maya.client.cookies.set(COOKIE, tongue)
    page = shown(maya.text(question.url))
    assert [words for words in said if words not in page] == []


@pytest.mark.rule("3.1")
def test_others_do_not_read_the_place_of_both_versions(office: Office) -> None:
    """An administrator reads the subjects, not the places; of a private one nothing."""
    question = torn(office)
    with visiting(office) as visitor:
        ines = visitor.sign_in("ines")
        words = shown(ines.text(question.url))
    told = alerts.show(office.app, office.viewer("ines"), question.id).text

    assert "Visit to Basel" in words
    assert "not for everybody to read" in words
    assert "Bern; " not in told
    assert "Basel;" not in told


@pytest.mark.rule("3.1")
def test_a_private_item_shows_neither_version(office: Office) -> None:
    """Somebody else sees that something private changed on both sides."""
    question = torn(office, private=True)
    with visiting(office) as visitor:
        words = shown(visitor.sign_in("ines").text(question.url))

    assert "Basel" not in words
    assert "Bern" not in words
    assert "Private appointment" in words
