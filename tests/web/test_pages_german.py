"""Syncline in German: no page keeps an English sentence, dates and numbers are German, and the choice is remembered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from syncline.desk import alerts, trash
from syncline.desk.reading import OPERATOR
from syncline.web.language import COOKIE
from tests.desk.office import Office, at
from tests.desk.test_trash import content, thrown
from tests.web.visitor import Visitor, visiting

TYPICAL = """
the of and is are were not with from this that for you your what who has have no any it its be been to by or as
there which when yes new add save saved keep kept out waiting asked answer answers answered mailbox mailboxes
user users calendar settings failures alerts alert subject time show back next busy free week day every never
only until before after date dates unavailable overlaps hour hours appointment appointments sign password
address change remove tested enable enabled disabled tue wed thu dec oct may can will must should already
required something nothing somebody today yesterday tomorrow more less page pages rule rules item items state
search missing found approved
"""
ENGLISH = frozenset(TYPICAL.split())
SPOKEN = ("aria-label", "aria-description", "title", "alt", "placeholder", "data-label", "data-all-day")
FOREIGN = re.compile(
    r"ExchangeSync\w+|\b[a-z_]+\.[a-z_]+\b|[\w.+-]+@[\w.-]+|Tracked to Syncline CRM|Syncline CRM|--?[\w-]+"
    r"|/[\w/.?=&-]+|https?://\S+|„(?:own|other)“|\b[A-Z][a-z]+/[\w/+-]+"
)
"""What is the same in every language: codes, names of settings, addresses, time zones, the tracking category."""
WORD = re.compile(r"[A-Za-zÄÖÜäöüß]+")
ALONE = "area base br col embed hr img input link meta source track wbr path rect line circle"
AS_TYPED = ("/settings", "busy")
"""The value of a setting, as config.toml has it."""
VOID = frozenset(ALONE.split())
REVIEW, DEMO = "Quartalsgespräch Hafenrad", "Produktvorführung Alpensport"


class Seen(HTMLParser):
    """What somebody sees or hears of a page, without code and without what says that it is in another language."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[bool] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Hear the names of elements, and remember whether what is inside is for people."""
        given = dict(attrs)
        foreign = (
            tag in ("script", "style", "code", "pre", "bdi")
            or "code" in (given.get("class") or "").split()
            or given.get("lang", "de") != "de"
            or any(self._open)
        )
        if not foreign:
            self.said += [text for name in SPOKEN if (text := given.get(name))]
        if tag not in VOID:
            self._open.append(foreign)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag not in VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Read a text."""
        if not any(self._open):
            self.said.append(data)


def english(html: str) -> list[str]:
    """Return the texts of a page that have an English word in them."""
    found = []
    for text in Seen(html).said:
        words = {word.lower() for word in WORD.findall(FOREIGN.sub(" ", text))}
        if words & ENGLISH:
            found.append(" ".join(text.split()))
    return found


def german(visitor: Visitor) -> Visitor:
    """Let somebody's browser ask for German."""
    visitor.client.headers["accept-language"] = "de-DE,de;q=0.9,en;q=0.5"
    return visitor


def busy(office: Office) -> list[str]:
    """Fill the firm with one of each; return the paths of all pages."""
    office.in_crm(REVIEW, at(10))
    office.in_outlook(DEMO, at(10.5))
    office.in_crm("Kundentelefonat", at(9, days=2))
    office.in_outlook("Zahnarzt", at(9.5, days=2), private=True)
    office.in_crm("Messe", at(13, days=3), organizer="jonas", recurrence="FREQ=DAILY;COUNT=3")
    office.in_outlook("Preisrunde", at(13.5, days=3), "maya", owner="jonas")
    office.in_crm("Ganzer Freitag", at(8, days=4), organizer="jonas")
    office.in_outlook("Werkstatt", at(8.5, days=4), owner="jonas")
    office.sync()
    asked = {each.subject: each for each in alerts.listing(office.app, OPERATOR, only_open=True)}
    alerts.answer(office.app, OPERATOR, asked["Werkstatt"].id, "no")
    office.sync()
    thrown(office, content("Messe"))
    trash.restore(office.app, OPERATOR, thrown(office, content("Mittagessen", 12, days=9)))
    box = f"/mailboxes/{office.mailbox('maya').id}"
    first = asked[DEMO]
    entry = first.clashes[0].appointment_id
    return [
        *(each.url for each in asked.values()),
        *(f"/alerts?state={state}" for state in ("open", "answered", "kept_out", "lapsed", "withdrawn", "any")),
        "/alerts?view=cards",
        "/alerts?view=list",
        f"/alerts/together?mailbox={office.mailbox('maya').id}",
        "/mailboxes",
        box,
        *(f"{box}?tab={tab}" for tab in ("alerts", "failures", "statistics")),
        *(f"/failures?state={state}" for state in ("open", "waiting", "failed", "kept_out", "skipped", "all")),
        "/failures?q=unauffindbar",
        *(f"/trash?state={state}" for state in ("kept", "restored", "all")),
        "/trash?q=unauffindbar",
        *(f"/calendar?view={view}&week={at(9).start:%Y-%m-%d}" for view in ("day", "week", "list")),
        "/calendar/new",
        f"/calendar/{entry}",
        "/explain?q=Alpensport",
        "/explain?q=Messe",
        "/explain?q=unauffindbar",
        "/email-configuration",
        "/start",
        "/start?step=mailbox",
        "/settings",
        "/settings/me",
        "/settings/rules",
        "/settings/filters",
        "/settings/mail",
        "/help",
    ]


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Give Maya at her browser."""
    with visiting(office) as visitor:
        yield visitor.sign_in("maya")


@pytest.mark.parametrize("name", ["ines", "maya"])
def test_no_page_keeps_an_english_sentence(office: Office, name: str) -> None:
    """Every page says that it is German, and has no typical English word outside codes and foreign data."""
    paths = busy(office)
    left: list[tuple[str, str]] = []
    with visiting(office) as visitor:
        sign_in = german(visitor).text("/sign-in")
        left += [("/sign-in", text) for text in english(sign_in)]
        visitor.sign_in(name)
        for path in [*paths, "/mailboxes/999", "/nirgendwo"]:
            page = visitor.get(path).text
            assert '<html lang="de">' in page, path
            left += [found for text in english(page) if (found := (path, text)) != AS_TYPED]
    assert left == []


def test_the_question_in_german(office: Office, maya: Visitor) -> None:
    """The published sentence, the buttons, the date and the picture are German; the code stays."""
    question = office.the_scene()
    german(maya)
    page = maya.text(question.url)
    said = "Beim Speichern des Termins „Product demo for Alpen Sport“ aus Exchange in Syncline CRM wurde ein"
    assert f"{said} Terminkonflikt gefunden, weil Maya Lind zu dieser Zeit nicht verfügbar ist." in page
    assert page.index(">Ja<") < page.index(">Nein<")
    assert "Di 24. Nov 2026" in page and "Überschneidung 30 min" in page
    assert "E-Mail-Server-Fehlercode: ExchangeSyncSchedulingConflictsError" in page
    assert "Wartet, aus Outlook" in page

    answer = maya.post(question.url, answer="yes", version=str(question.version))
    assert answer.status_code == 303
    office.sync("maya")
    assert "Gespeichert: 08:00, Maya Lind" in maya.text(question.url)


def test_the_trash_in_german(office: Office, maya: Visitor) -> None:
    """What happened to an entry, and what is in the way of bringing it back."""
    office.in_crm(REVIEW, at(10))
    number = thrown(office, content(DEMO, 10.5))
    german(maya)
    page = maya.text("/trash")
    assert "In Outlook gelöscht, deshalb auch in Syncline CRM gelöscht." in page and ">Wiederherstellen<" in page
    refused = maya.post(f"/trash/{number}/restore").text
    assert "Ein Terminkonflikt wurde gefunden" in refused and "Trotzdem wiederherstellen" in refused
    assert english(refused) == []


def test_what_is_private_is_masked_in_german_too(office: Office) -> None:
    """An administrator reads that it is private in his language, wherever it stands."""
    office.the_scene(private=True)
    with visiting(office) as visitor:
        german(visitor).sign_in("ines")
        for path in ("/alerts", "/alerts?view=list", "/failures", f"/calendar?week={at(9).start:%Y-%m-%d}"):
            page = visitor.text(path)
            assert "Privater Termin" in page, path
            assert "Private appointment" not in page and "Product demo" not in page, path


def test_refusals_and_errors_are_german(office: Office, maya: Visitor) -> None:
    """What is refused, what is wrong in a form and what is not there says so in the reader's language."""
    german(maya)
    maya.get("/settings/me")
    refused = maya.post("/settings/me", time_zone="Europe/Atlantis", language="de", mails="digest")
    assert refused.status_code == 422
    assert "Die Zeitzone „Europe/Atlantis“ ist nicht bekannt" in refused.text
    missing = maya.get("/mailboxes/999")
    assert missing.status_code == 404 and "Nicht vorhanden: Postfach 999." in missing.text
    assert "Nur ein Systemadministrator darf das: Syncline einrichten." in maya.get("/start").text


def test_programs_read_english_whatever_they_ask_for(office: Office) -> None:
    """The API does not change with a header: programs rely on what it says."""
    office.the_scene(private=True)
    with visiting(office) as visitor:
        german(visitor).sign_in("ines")
        alert = visitor.client.get("/api/v1/alerts").json()["items"][0]
        assert alert["subject"] == "Private appointment"
        assert alert["text"].startswith("A scheduling conflict was found")
        assert visitor.client.get("/api/v1/mailboxes/999").json()["title"] == "Not found"


def test_the_switch_works_and_is_remembered(office: Office) -> None:
    """A choice counts more than what the browser says, before and after sign-in, until somebody chooses again."""
    with visiting(office) as visitor:
        assert '<html lang="en">' in visitor.text("/sign-in")
        chosen = visitor.post("/language", language="de", next="/sign-in")
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/sign-in")
        assert visitor.client.cookies[COOKIE] == "de"
        assert "Anmelden" in visitor.text("/sign-in")
        visitor.client.headers["accept-language"] = "en"
        assert '<html lang="de">' in visitor.sign_in("maya").text("/alerts")
        visitor.post("/language", language="en", next="/alerts")
        assert '<html lang="en">' in german(visitor).text("/alerts")


@pytest.mark.parametrize("header", ["", "fr", "tlh,*;q=0.1", "xx-YY"])
def test_other_languages_read_english(office: Office, header: str) -> None:
    """Whoever asks for a language that there is none of reads English."""
    with visiting(office) as visitor:
        visitor.client.headers["accept-language"] = header
        assert '<html lang="en">' in visitor.text("/sign-in")
