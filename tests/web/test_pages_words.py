"""The words of the pages: those that people hold on to are there, and those that only programmers know are not."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from syncline.store.statistics import CycleRecord
from syncline.web.pages import rendering, words
from syncline.web.pages.times import Times
from tests.desk.office import NOW, Office
from tests.web.visitor import shown, visiting

TEMPLATES = Path(str(files("syncline.web") / "templates"))
NEVER = ("replica", "link", "cursor", "agreed", "intent", "lease", "observation", "divergence", "cycle")
UNSPOKEN = re.compile(rf"\b({'|'.join(NEVER)})s?\b", re.IGNORECASE)

FOREIGN = re.compile(
    r"<script(?! src=\"(?:\{\{ asset|/static))|<style|\sstyle=|\son[a-z]+=|src=\"http|href=\"http|\|\s*safe"
)


def spoken(template: str) -> str:
    """Return what of a template can reach people: its text and the attributes that are read out, without code."""
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", " ", template, flags=re.DOTALL)
    said = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', text)
    return " ".join([re.sub(r"<[^>]*>", " ", text), *said])


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_speaks_of_what_people_do_not_know(template: Path) -> None:
    """Words of the inside never stand in a template's text."""
    assert UNSPOKEN.findall(spoken(template.read_text(encoding="utf-8"))) == []


def test_no_table_of_words_speaks_of_what_people_do_not_know() -> None:
    """The same for the tables that templates read from."""
    tables = [value for name, value in vars(words).items() if name.isupper() and isinstance(value, dict)]
    said = " ".join(text for table in tables for text in table.values())

    assert tables and UNSPOKEN.findall(said) == []


def test_no_template_carries_style_script_or_another_host() -> None:
    """Style and script come from files of our own; nothing is loaded from elsewhere."""
    for template in TEMPLATES.glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert FOREIGN.search(text) is None, template


def test_the_navigation_has_the_six_links(tmp_path: Path) -> None:
    """Every page has the six links by their names, top level, the own one marked."""
    office = Office(tmp_path)
    names = ["Alerts", "Mailboxes", "Failures", "Calendar", "Email Configuration", "Settings"]
    assert [name for name, _ in rendering.NAVIGATION] == names
    with visiting(office) as ines:
        ines.sign_in("ines")
        for name, path in rendering.NAVIGATION:
            text = ines.text(path)
            links = re.findall(r'<li>\s*<a href="[^"]+"[^>]*>([^<]+)</a>', text.partition("</nav>")[0])
            assert links == names
            assert f'aria-current="page">{name}</a>' in text


def test_the_mailbox_form_has_the_four_tabs(tmp_path: Path) -> None:
    """General, Alerts, Failures and Statistics, each with an address of its own."""
    office = Office(tmp_path)
    key = office.mailbox("maya").id
    with visiting(office) as ines:
        ines.sign_in("ines")
        for tab, name in (("general", "General"), ("alerts", "Alerts"), ("failures", "Failures")):
            assert f'aria-current="page">{name}</a>' in ines.text(f"/mailboxes/{key}?tab={tab}")
        text = ines.text(f"/mailboxes/{key}?tab=statistics")
        assert 'aria-current="page">Statistics</a>' in text and "Latest runs" not in text
        started = NOW - timedelta(seconds=2)
        office.app.store.record_cycle(CycleRecord(mailbox_id=key, started=started, finished=NOW, saved=3))
        assert "Latest runs" in ines.text(f"/mailboxes/{key}?tab=statistics")
        assert "maya@fjordbikes.example" in shown(ines.text("/mailboxes/maya@fjordbikes.example"))


def test_times_are_the_viewers() -> None:
    """A moment is told in the viewer's zone, the nearer the shorter; whole days are dates in every zone."""
    times = Times("Europe/Copenhagen", NOW)
    later = NOW.replace(day=24, hour=9)

    assert times.moment(NOW) == "09:00 today"
    assert times.moment(later) == "Tue 24 Nov 2026, 10:00"
    assert times.moment(None) == "never"
    assert times.span(later, later.replace(hour=10)) == "Tue 24 Nov 2026, 10:00 – 11:00"
    assert times.span(later, later.replace(hour=23)) == "Tue 24 Nov 2026, 10:00 – Wed 25 Nov 2026, 00:00"
    whole = NOW.replace(hour=0)
    assert times.span(whole, whole.replace(day=24), all_day=True) == "Mon 23 Nov 2026, all day"
    assert times.span(whole, whole.replace(day=25), all_day=True) == "Mon 23 Nov 2026 – Tue 24 Nov 2026, all day"
