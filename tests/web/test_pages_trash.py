"""The page *Trash*: reached from Failures and Calendar, and a plain form brings an entry back."""

from __future__ import annotations

from datetime import timedelta

from syncline.core.appointment import Sensitivity
from syncline.desk import appointments
from syncline.desk.reading import OPERATOR
from tests.desk.office import NOW, Office, at
from tests.desk.test_trash import content, thrown
from tests.web.visitor import shown, visiting


def test_it_is_reached_from_failures_and_calendar(office: Office) -> None:
    """It is no seventh entry of the navigation; on it, Failures is marked as where one is."""
    with visiting(office) as maya:
        maya.sign_in("maya")
        for path in ("/failures", "/calendar"):
            assert 'href="/trash">Trash</a>' in maya.text(path)
        text = maya.text("/trash")
        assert 'aria-current="page">Failures</a>' in text
        assert text.count("<h1>") == 1


def test_an_empty_trash_says_what_will_stand_here(office: Office) -> None:
    """Nothing yet: what comes here and what one can do then."""
    with visiting(office) as maya:
        maya.sign_in("maya")
        assert "It then stands here, with a button that brings it back." in shown(maya.text("/trash"))
        assert "What somebody brings back stands here" in shown(maya.text("/trash?state=restored"))
        assert "kept here for 30 days" in shown(maya.text("/trash"))


def test_restoring_is_one_click(office: Office) -> None:
    """The entry says what happened and how long it is kept; afterwards who brought it back, and leads there."""
    number = thrown(office, content("Demo"))
    with visiting(office) as maya:
        maya.sign_in("maya")
        text = shown(maya.text("/trash"))
        assert "Demo" in text and "Deleted in Outlook, so it was deleted in Syncline CRM." in text
        assert "Wed 23 Dec 2026, 08:00" in text
        answer = maya.post(f"/trash/{number}/restore", next="/trash?q=Demo&said=deleted")
        assert (answer.status_code, answer.headers["location"]) == (303, "/trash?q=Demo&said=restored")
        assert "The appointment is in the calendar again." in maya.text(answer.headers["location"])
        (made,) = appointments.listing(office.app, OPERATOR)
        page = maya.text("/trash?state=restored")
        assert "Restored by Maya Lind, 08:00 today" in shown(page)
        assert f'href="/calendar/{made.id}"' in page
        assert maya.get(f"/calendar/{made.id}").status_code == 200
        again = maya.post(f"/trash/{number}/restore")
        assert again.status_code == 409 and "Maya Lind restored it on" in again.text


def test_what_is_in_the_way_is_shown_first(office: Office) -> None:
    """A conflict is a page of its own with what clashes, both ways on, and where it came from."""
    office.in_crm("Review", at(10))
    number = thrown(office, content("Demo", 10.5))
    with visiting(office) as maya:
        maya.sign_in("maya")
        maya.text("/trash")
        asked = maya.post(f"/trash/{number}/restore", next="/trash?q=Demo")
        assert asked.status_code == 409
        assert "Review" in asked.text and "Restore anyway" in asked.text
        assert '<a class="btn btn-outline-secondary" href="/trash?q=Demo">' in asked.text
        done = maya.post(f"/trash/{number}/restore", next="/trash?q=Demo", ignore_conflicts="yes")
        assert (done.status_code, done.headers["location"]) == (303, "/trash?q=Demo&said=restored")


def test_nobody_is_led_away(office: Office) -> None:
    """Where a form leads afterwards is a page of ours."""
    number = thrown(office, content("Demo"))
    with visiting(office) as maya:
        maya.sign_in("maya")
        answer = maya.post(f"/trash/{number}/restore", next="//evil.example/")
        assert answer.headers["location"] == "/trash?said=restored"


def test_entries_are_sorted_filtered_and_paged(office: Office) -> None:
    """The table does what every table does."""
    for each in range(30):
        thrown(office, content(f"Item {each:02d}"), deleted_on=NOW - timedelta(hours=each))
    with visiting(office) as ines:
        ines.sign_in("ines")
        assert "1 to 25 of 30" in shown(ines.text("/trash"))
        assert "26 to 30 of 30" in shown(ines.text("/trash?page=2"))
        assert "1 to 1 of 1" in shown(ines.text("/trash?q=item+07"))
        assert "Nothing found" in ines.text("/trash?q=nowhere")
        assert "Item 29" in ines.text("/trash?sort=deleted_on") and "Item 00" not in ines.text("/trash?sort=deleted_on")
        assert "Item 00" in ines.text("/trash?sort=subject")
        maya = office.mailbox("maya").address
        jonas = office.mailbox("jonas").address
        assert f"Only of {maya}" in shown(ines.text(f"/trash?mailbox={maya}"))
        assert "The trash is empty" in ines.text(f"/trash?mailbox={jonas}")


def test_each_role_sees_its_own(office: Office) -> None:
    """The owner reads a private entry, an administrator that there is one, a colleague nothing."""
    number = thrown(office, content("Doctor", sensitivity=Sensitivity.PRIVATE))
    thrown(office, content("Demo"))
    for name, texts in (("maya", {"Doctor", "Demo"}), ("ines", {"Private appointment", "Demo"}), ("jonas", set())):
        with visiting(office) as visitor:
            visitor.sign_in(name)
            page = shown(visitor.text("/trash"))
            assert {text for text in ("Doctor", "Demo", "Private appointment") if text in page} == texts
            assert "secret body" not in page
            if name == "jonas":
                assert visitor.post(f"/trash/{number}/restore").status_code == 404
                assert visitor.get(f"/trash?mailbox={office.mailbox('maya').id}").status_code == 404


def test_a_subject_is_text(office: Office) -> None:
    """Markup in a subject stays words."""
    thrown(office, content("<b onclick=x>Demo</b>"))
    with visiting(office) as maya:
        maya.sign_in("maya")
        page = maya.get("/trash").text
        assert "<b onclick" not in page and "&lt;b onclick=x&gt;Demo" in page


def test_why_page_tells_of_it(office: Office) -> None:
    """*Why did an item (not) sync?* finds what was deleted."""
    thrown(office, content("Demo"))
    with visiting(office) as maya:
        maya.sign_in("maya")
        assert "is in the trash as number" in shown(maya.text("/explain?q=demo"))
