"""Texts that come from Exchange or people on every page: they stay texts, and turn nothing around them."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from syncline.core.appointment import Address
from syncline.errors import SyncError
from tests.desk.office import DOMAIN, Office, at
from tests.web.visitor import visiting

OVERRIDE = "\u202e"
HOSTILE = f"<script>alert(1)</script>'\"><img src=x onerror=alert(1)>{OVERRIDE}" + "word " * 390
_KEEPS_APART = frozenset({"bdi", "title", "textarea", "option"})
_EMPTY = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "rect", "line", "use"})


class Seen(HTMLParser):
    """What a browser would make of a page: what runs, and what foreign text may turn around its surroundings."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._inside: list[tuple[str, dict[str, str | None]]] = []
        self.runs: list[str] = []
        self.turns: list[str] = []
        self.texts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what runs by itself."""
        given = dict(attrs)
        self.runs += [f"{tag} {name}" for name in given if name.startswith("on")]
        if tag == "img" and given.get("src") == "x":
            self.runs.append(tag)
        if tag not in _EMPTY:
            self._inside.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element and what was left open in it."""
        while any(name == tag for name, _ in self._inside):
            if self._inside.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        """Note a foreign text that runs or that nothing keeps apart."""
        if "alert(1)" in data:
            self.texts += 1
            if self._inside and self._inside[-1][0] == "script":
                self.runs.append("script")
        unseen = any("unseen" in (given.get("class") or "") for _, given in self._inside)
        if OVERRIDE in data and not unseen and _KEEPS_APART.isdisjoint(name for name, _ in self._inside):
            self.turns.append(f"{[name for name, _ in self._inside[-3:]]} {data.strip()[:60]}")


@pytest.mark.parametrize("name", ["maya", "ines"])
def test_no_page_runs_a_foreign_text_or_is_turned_around_by_it(office: Office, name: str) -> None:
    """Subject, place and names with script, mark-up, a mark of direction and 2,000 letters: on every page a text."""
    office.app.crm.set_user("jonas", full_name=HOSTILE[:100])
    office.in_crm(HOSTILE[:200], at(10), location=HOSTILE[:200])
    ref = office.in_outlook(HOSTILE, at(10.5))
    office.change(ref, location=HOSTILE, organizer=Address("guest@out.example", HOSTILE[:200]))
    office.in_crm("Salary talk", at(14), organizer="jonas")
    office.in_outlook(f"Broken {HOSTILE}", at(12))
    office.sync()
    broken = office.in_outlook(f"Spoilt {HOSTILE}", at(8, days=3))
    office.exchange.spoil(f"maya@{DOMAIN}", broken, SyncError("ItemUnreadable", subject=HOSTILE, detail=HOSTILE))
    office.app.worker.run_now([office.mailbox("maya").id])
    question = next(each for each in office.app.store.open_alerts(office.mailbox("maya").id) if each.digest)
    week, mailbox = f"{at(9).start:%Y-%m-%d}", office.mailbox("maya").id
    pages = (
        "/alerts", "/alerts?view=list", "/alerts?each=1", f"/alerts/{question.id}",
        f"/alerts/together?mailbox={mailbox}", f"/alerts/together?like={question.id}",
        "/failures?state=all", f"/mailboxes/{mailbox}?tab=alerts", f"/mailboxes/{mailbox}?tab=failures",
        f"/calendar?week={week}", f"/calendar?week={week}&view=list", "/explain?q=alert", "/explain?q=nothing",
    )  # fmt: skip
    texts = 0
    with visiting(office) as visitor:
        visitor.sign_in(name)
        for path in pages:
            answer = visitor.get(path)
            seen = Seen(answer.text)
            assert (path, answer.status_code, seen.runs, seen.turns) == (path, 200, [], [])
            texts += seen.texts

    assert texts > len(pages)
