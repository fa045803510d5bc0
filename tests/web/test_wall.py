"""The wall of alerts as a person sees it without script: filters, groups, rows, and one answer for many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from syncline.desk import alerts
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from tests.desk.office import DOMAIN, Office, at
from tests.desk.test_wall import questions
from tests.web.visitor import Visitor, hidden_fields, shown, visiting


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Somebody at a browser, signed in."""
    with visiting(office) as visitor:
        yield visitor.sign_in("maya")


@pytest.fixture
def ines(office: Office) -> Iterator[Visitor]:
    """Somebody at a browser, signed in."""
    with visiting(office) as visitor:
        yield visitor.sign_in("ines")


def answer(visitor: Visitor, query: str, word: str) -> str:
    """Look at number and consequence, answer, and return where that leads."""
    seen = visitor.text(f"/alerts/together?{query}")
    fields = hidden_fields(seen)
    sent = visitor.client.post(
        "/alerts/together",
        data={"csrf_token": visitor.csrf, **fields, "id": ids_of(seen), "answer": word},
        headers={"accept": "text/html"},
        follow_redirects=False,
    )
    assert sent.status_code == 303, sent.text
    return str(sent.headers["location"])


def ids_of(html: str) -> list[str]:
    """Return the numbers that a form carries."""
    return re.findall(r'name="id" value="(\d+)"', html)


def open_ids(office: Office) -> list[int]:
    """Return the numbers of the open questions, oldest first."""
    return sorted(alert.id for alert in alerts.listing(office.app, OPERATOR, only_open=True))


def test_questions_stand_by_when_they_matter(office: Office, ines: Visitor) -> None:
    """Whatever was asked first: what comes first stands first, and notices stand below all questions."""
    questions(office, 1, first_day=5)
    office.clock.at += timedelta(minutes=5)
    questions(office, 1, owner="jonas", first_day=2)
    ref = office.in_outlook("Broken", at(8, days=3))
    office.exchange.spoil(f"maya@{DOMAIN}", ref, SyncError("Unauthorized"))
    wall = ines.text("/alerts")

    assert wall.index("Item jonas 2 0") < wall.index("Item maya 5 0")
    assert "2 questions wait for an answer." in wall
    newest = ines.text("/alerts?sort=oldest")
    assert newest.index("Item maya 5 0") < newest.index("Item jonas 2 0")


def test_the_address_holds_what_is_asked(office: Office, ines: Visitor) -> None:
    """Filters come back in the form and in every link; words that mean nothing are ignored."""
    questions(office, 2)
    page = ines.text("/alerts?q=item+maya&view=list&level=error&sort=newest")

    assert 'name="q" value="item maya"' in page
    assert "/alerts?level=error&state=kept_out&words=" not in page
    link = re.search(r'href="(/alerts\?[^"]*state=kept_out[^"]*)"', page)
    assert link is not None
    assert {"q=item+maya", "level=error", "view=list", "sort=newest"} <= set(urlsplit(link[1]).query.split("&"))
    assert "2 questions wait" in ines.text("/alerts?state=perhaps&sort=x&view=y&page=-3&age=z&kind=w")
    assert "No alert fits what you asked for." in ines.text("/alerts?q=nothing+like+it")


@pytest.mark.rule("AL-03")
def test_levels_are_filtered(office: Office, ines: Visitor) -> None:
    """An administrator who asks for a level gets it, also one that the settings keep from the wall (AL-04)."""
    office.the_scene()
    office.refusal = SyncError("ServerUnreachable")
    office.app.worker.run_now([office.mailbox("maya").id])

    assert "Product demo" in ines.text("/alerts?level=error")
    assert "ServerUnreachable" not in ines.text("/alerts")
    warnings = ines.text("/alerts?level=warning")
    assert "ServerUnreachable" in warnings and "Product demo" not in warnings


def test_a_search_tells_nothing_of_what_is_private(office: Office, ines: Visitor) -> None:
    """Words of a private subject find nothing for an administrator."""
    office.the_scene(private=True)

    assert "No alert fits what you asked for." in ines.text("/alerts?q=alpen")
    assert "Private appointment" in ines.text("/alerts?q=private&view=list")


def test_a_mailbox_that_is_not_there_is_said(office: Office, maya: Visitor) -> None:
    """Another person's mailbox is no other than one that does not exist."""
    office.the_scene()
    for name in (f"jonas@{DOMAIN}", "nobody@example.org"):
        page = maya.get(f"/alerts?mailbox={name}")
        assert page.status_code == 404
        assert f"There is no mailbox {name} here." in page.text


def test_a_wall_of_many_goes_page_by_page(office: Office, maya: Visitor) -> None:
    """Each question stands on one page, and the pages name each other."""
    questions(office, 14, first_day=2)
    first = maya.text(f"/alerts/each?mailbox=maya@{DOMAIN}")
    following = re.search(r'rel="next" href="([^"]+)"', first)

    assert first.count(">Yes<") == 10
    assert following is not None
    second = maya.text(following[1])
    assert second.count(">Yes<") == 4
    assert "11 to 14 of 14" in shown(second)
    assert 'rel="prev"' in second and 'rel="next"' not in second


@pytest.mark.rule("AL-14")
def test_a_group_folds_days_and_draws_the_first(office: Office, maya: Visitor) -> None:
    """More than five questions are one card with their days, ten pictures, and both consequences with the number."""
    questions(office, 12, first_day=1)
    wall = maya.text("/alerts")

    assert "12 of 12 appointments overlap others" in shown(wall)
    assert "2 on Tue 24 Nov 2026" in shown(wall)
    assert wall.count('role="img"') == 10
    assert "And 2 more." in shown(wall)
    assert "Save 12 appointments in Syncline CRM beside what is in the way." in shown(wall)
    assert "Keep 12 appointments out of Syncline CRM." in shown(wall)


def test_both_sides_from_one_calendar_are_said(office: Office, maya: Visitor) -> None:
    """A group whose clashes came from the same calendar says so."""
    for number in range(6):
        office.in_outlook(f"First {number}", at(9, days=1 + number))
    office.sync("maya")
    for number in range(6):
        office.in_outlook(f"Second {number}", at(9.5, days=1 + number))
    office.sync("maya")

    assert "Both sides come from the same Outlook calendar" in shown(maya.text("/alerts"))


def test_a_few_questions_of_a_mailbox_can_be_answered_together(office: Office, maya: Visitor) -> None:
    """Above the first of them stands how many wait, once."""
    questions(office, 4)
    wall = shown(maya.text("/alerts"))

    assert wall.count("4 questions wait on this mailbox") == 1
    assert "4 questions wait on this mailbox" in shown(maya.text(f"/mailboxes/{office.mailbox('maya').id}?tab=alerts"))


def test_ticked_questions_are_answered_after_a_look(office: Office, maya: Visitor) -> None:
    """The list names number and consequence of what is ticked, answers that alone, and says so."""
    questions(office, 4)
    ticked = open_ids(office)[:2]
    listed = maya.text("/alerts?view=list&select=page")
    assert len(re.findall(r"<input[^>]+type=\"checkbox\"[^>]+ checked", listed)) == 4
    query = "&".join(f"id={number}" for number in ticked) + "&answer=no"
    page = shown(maya.text(f"/alerts/together?{query}"))
    assert "Keep 2 appointments out of Syncline CRM." in page and "Save all anyway" not in page

    told = shown(maya.text(answer(maya, query, "no")))
    assert "2 answered." in told
    assert open_ids(office) == sorted(set(range(1, 5)) - set(ticked))


def test_nothing_is_answered_that_was_not_seen(office: Office, maya: Visitor) -> None:
    """Without what was seen, or when more waits now, the page comes again and nothing is done."""
    questions(office, 2)
    box = str(office.mailbox("maya").id)
    unseen = maya.post("/alerts/together", mailbox=box, answer="yes")
    fields = hidden_fields(maya.text(f"/alerts/together?mailbox={box}"))
    questions(office, 1, first_day=9)
    more = maya.post("/alerts/together", **fields, answer="yes")

    assert unseen.status_code == 200 and "Save 2 appointments" in unseen.text
    assert more.status_code == 409
    assert "Something changed meanwhile" in more.text and "Save 3 appointments" in more.text
    assert len(open_ids(office)) == 3


def test_a_question_that_moved_is_seen_first_though_another_was_answered(office: Office, maya: Visitor) -> None:
    """An answer of somebody else does not hide that an appointment is at another time now."""
    questions(office, 3)
    office.in_crm("Fair", at(8, days=1, length=12))
    fields = hidden_fields(maya.text(f"/alerts/together?mailbox={office.mailbox('maya').id}"))
    first, second, _third = open_ids(office)
    alerts.answer(office.app, office.viewer("ines"), second, "no")
    (link,) = office.app.store.links_by_id([office.app.store.alert(first).link_id or 0])
    office.change(link.ref, span=at(18, days=1))
    office.sync("maya")
    sent = maya.post("/alerts/together", **fields, answer="yes")
    again = maya.post("/alerts/together", **hidden_fields(sent.text), answer="yes")

    assert sent.status_code == 409
    assert "Something changed meanwhile" in sent.text
    assert again.status_code == 303
    assert open_ids(office) == []


def test_two_people_answer_at_once(office: Office, maya: Visitor) -> None:
    """Who comes second answers the rest and hears who was first."""
    questions(office, 4)
    fields = hidden_fields(maya.text(f"/alerts/together?mailbox={office.mailbox('maya').id}"))
    first = open_ids(office)[0]
    alerts.answer(office.app, office.viewer("ines"), first, "no")
    sent = maya.post("/alerts/together", **fields, answer="yes")
    told = shown(maya.text(sent.headers["location"]))

    assert "3 answered; 1 was answered by Ines Brandt meanwhile." in told
    assert "3 answers are being carried out." in told
    assert open_ids(office) == []


def test_an_answer_to_many_can_be_taken_back(office: Office, maya: Visitor) -> None:
    """Until it is begun a button takes it back; afterwards there is none."""
    questions(office, 3)
    where = answer(maya, f"mailbox={office.mailbox('maya').id}", "yes")
    told = maya.text(where)
    assert "Take 3 answers back" in told
    back = maya.post("/alerts/together/undo", done=hidden_fields(told)["done"])
    assert "3 answers were taken back." in shown(maya.text(back.headers["location"]))
    assert len(open_ids(office)) == 3

    again = answer(maya, f"mailbox={office.mailbox('maya').id}", "yes")
    office.sync("maya")
    told = maya.text(again)
    assert "3 answered." in told and "back</button>" not in told


def test_all_that_a_filter_finds_is_answered(office: Office, ines: Visitor) -> None:
    """A search answers what it finds and nothing else."""
    questions(office, 2)
    questions(office, 2, owner="jonas")
    where = answer(ines, "match=q%3Djonas", "no")

    assert "2 answered." in shown(ines.text(where))
    assert len(open_ids(office)) == 2
    assert ines.get("/alerts/together?match=state%3Dkept_out").status_code == 422


def test_what_is_kept_out_is_changed_to_yes_from_its_list(office: Office, maya: Visitor) -> None:
    """The list of what is kept out offers Change to Yes for one and for what is ticked."""
    questions(office, 2)
    ids = open_ids(office)
    alerts.carry_out(office.app, alerts.answer_ids(office.app, OPERATOR, ids, "no"))
    wall = maya.text("/alerts")
    assert "Kept out" in wall and wall.count("Change to Yes") == 2
    listed = maya.text("/alerts?state=kept_out")
    assert "Change selected to Yes" in listed

    query = "&".join(f"id={number}" for number in ids) + "&state=kept_out"
    assert "Change to Yes" in maya.text(f"/alerts/together?{query}")
    assert "2 answered." in shown(maya.text(answer(maya, query, "yes")))


def test_what_is_past_can_still_be_saved(office: Office, maya: Visitor) -> None:
    """What was never answered stands on the wall with Save it now and Leave it out."""
    office.the_scene()
    office.clock.at = at(12, days=2).start
    office.sync()
    maya.sign_in("maya")
    wall = maya.text("/alerts")

    assert "Past, never answered" in wall
    assert "Save it now" in wall and "Leave it out" in wall
    assert "Save selected now" in maya.text("/alerts?state=lapsed")


def test_a_wall_without_questions_says_how_syncing_goes(office: Office, ines: Visitor) -> None:
    """It says when the last sync was, that all is well or not, and where to look."""
    office.sync()
    calm = shown(ines.text("/alerts"))
    assert "No question waits. Syncline asks here when an appointment would double-book somebody." in calm
    assert "Last sync 08:00 today, all 2 mailboxes fine" in calm

    office.refusal = SyncError("Unauthorized")
    office.app.worker.run_now([office.mailbox("maya").id])
    ill = shown(ines.text("/alerts"))
    assert "No question waits." in ill and "1 mailbox is in trouble" in ill and "Notices" in ill


def test_before_the_first_sync_stands_a_bar(office: Office, ines: Visitor) -> None:
    """A mailbox whose first sync is under way shows how far it is."""
    wall = ines.text("/alerts")

    assert f"First sync of jonas@{DOMAIN}" in wall or f"First sync of maya@{DOMAIN}" in wall
    assert "<progress" in wall
    office.sync()
    assert "First sync" not in ines.text("/alerts")


def test_the_choice_of_questions_must_be_one(office: Office, maya: Visitor) -> None:
    """Nothing, two things, or a word that means nothing choose no questions."""
    question = office.the_scene()
    box = office.mailbox("maya").id

    assert "No question waits here any more." in maya.text("/alerts/together")
    assert maya.get(f"/alerts/together?mailbox={box}&like={question.id}").status_code == 422
    assert maya.get(f"/alerts/together?id={question.id}&state=withdrawn").status_code == 422
    assert maya.get("/alerts/together?like=4711").status_code == 404


def test_subjects_are_text_everywhere(office: Office, ines: Visitor) -> None:
    """Markup in a subject is shown, never run; a long one breaks no page."""
    office.in_crm("Row", at(9))
    office.in_outlook("<script>alert(1)</script>" + "ab " * 600, at(9))
    office.sync()
    for path in ("/alerts", "/alerts?view=list", f"/alerts/together?mailbox={office.mailbox('maya').id}"):
        page = ines.get(path).text
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page
