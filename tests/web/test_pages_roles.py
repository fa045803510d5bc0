"""What each role may see and do on every page: own things, other people's, and private ones."""

from __future__ import annotations

from collections.abc import Iterator

from tests.desk.office import Office, at
from tests.web.visitor import Visitor, shown, visiting

SECRET = "Doctor about the knee"
REVIEW = "Quarterly review with Harbour Cycles"


def visitors(office: Office) -> Iterator[tuple[str, Visitor]]:
    """Sign everybody in, one after the other."""
    for name in ("ines", "maya", "jonas"):
        with visiting(office) as visitor:
            yield name, visitor.sign_in(name)


def test_a_user_sees_and_answers_his_own_mailbox_only(office: Office) -> None:
    """Another person's mailbox, questions and failures do not exist for a User; an administrator has all of them."""
    question = office.the_scene()
    box = office.mailbox("maya").id
    paths = (question.url, f"/mailboxes/{box}", f"/mailboxes/{box}?tab=alerts", f"/alerts/together?mailbox={box}")
    for name, visitor in visitors(office):
        there = name != "jonas"
        assert [visitor.get(path).status_code for path in paths] == [200 if there else 404] * 4
        for path in ("/alerts", "/failures", "/mailboxes"):
            assert ("maya@" in visitor.text(path) or "Product demo" in visitor.text(path)) is there
        if not there:
            answer = visitor.post(question.url, answer="yes", version=str(question.version))
            assert answer.status_code == 404
            assert "its own person or a System Administrator can see it" in shown(answer.text)
            assert visitor.post("/alerts/together", mailbox=str(box), answer="yes").status_code == 404
            assert visitor.post(f"/mailboxes/{box}/disable").status_code == 404
    assert office.question().state == "open"


def test_a_private_item_is_masked_for_everybody_but_its_owner(office: Office) -> None:
    """An administrator sees a private item's times only, on every page where it stands."""
    office.in_crm("Call with a customer", at(9))
    office.in_outlook(SECRET, at(9.5), private=True)
    office.sync()
    question = office.question()
    box = office.mailbox("maya").id
    paths = ("/alerts", question.url, f"/mailboxes/{box}?tab=alerts", f"/mailboxes/{box}?tab=failures", "/failures")
    for name, visitor in visitors(office):
        if name == "jonas":
            continue
        for path in paths:
            text = visitor.text(path)
            assert (SECRET in text) is (name == "maya"), path
            assert ("Private appointment" in text) is (name == "ines"), path
        assert (SECRET in visitor.text("/explain?q=Doctor")) is (name == "maya")
        assert "secret body" not in visitor.text(question.url)


def test_a_clash_that_is_somebody_elses_is_busy(office: Office) -> None:
    """A User is told that a colleague is busy and when, not with what."""
    office.in_crm(REVIEW, at(10), organizer="jonas")
    office.in_outlook("Price round", at(10.5), "jonas")
    office.sync("maya")
    question = office.question()
    for name, visitor in visitors(office):
        if name == "jonas":
            continue
        text = shown(visitor.text(question.url))
        assert (REVIEW in text) is (name == "ines")
        assert "10:00 – 11:00 · Busy" in text and "Jonas Weber" in text
        assert (">Open in Calendar" in visitor.text(question.url)) is (name == "ines")


def test_the_calendar_shows_others_as_busy(office: Office) -> None:
    """A User who looks at a colleague's week sees times; his own week is plain; an administrator sees subjects."""
    office.in_crm(REVIEW, at(10), organizer="jonas", location="Room 4", description="the terms")
    week = f"/calendar?week={at(10).start:%Y-%m-%d}"
    for name, visitor in visitors(office):
        text = shown(visitor.text(f"{week}&user=jonas"))
        assert (REVIEW in text) is (name != "maya")
        assert "10:00 – 11:00" in text
        assert (REVIEW in visitor.text(week)) is (name != "maya")


def test_only_an_administrator_keeps_mailboxes_profiles_and_users(office: Office) -> None:
    """A User's pages have no such forms, and the forms' addresses refuse him."""
    posts = (
        ("/email-configuration/profiles", {"name": "x", "url": "https://x.example/", "username": "x"}),
        ("/email-configuration/profiles/test", {"name": "exchange"}),
        ("/email-configuration/profiles/password", {"name": "exchange", "password": "another-one"}),
        ("/email-configuration/mailboxes", {"address": "x@x.example", "profile": "exchange", "user": "maya"}),
        ("/settings/users", {"name": "eve", "full_name": "Eve", "email": "eve@x.example"}),
        ("/settings/users/role", {"name": "maya", "role": "System Administrator"}),
        ("/settings/users/password", {"name": "ines", "password": "long-enough-1"}),
        ("/settings/tokens", {"user": "ines", "label": "mine"}),
        ("/settings/tokens/revoke", {"user": "ines", "label": "mine"}),
        (f"/mailboxes/{office.mailbox('maya').id}/approve", {}),
        (f"/mailboxes/{office.mailbox('maya').id}/change", {"track": "all", "on_scheduling_conflict": "ask"}),
        (f"/mailboxes/{office.mailbox('maya').id}/remove", {"sure": "yes"}),
    )
    with visiting(office) as maya:
        maya.sign_in("maya")
        for path, fields in posts:
            answer = maya.post(path, **{"time_zone": "UTC", **fields})
            assert (answer.status_code, "Only " in answer.text) == (403, True), (path, answer.text)
        page = maya.text("/email-configuration")
        assert "svc" not in page and "Add a profile" not in page
        assert "Add a user" not in maya.text("/settings") and "jonas" not in maya.text("/settings")
        assert "How it is synchronized" not in maya.text(f"/mailboxes/{office.mailbox('maya').id}")
    assert office.viewer("maya").administrator is False


def test_badges_count_what_the_viewer_can_see(office: Office) -> None:
    """The badge of Alerts counts one's own questions; it is no part of the link's name."""
    office.the_scene()
    for name, visitor in visitors(office):
        text = visitor.text("/alerts")
        assert ("1 question waits</span>" in text) is (name != "jonas")
        assert 'aria-current="page">Alerts</a>' in text
