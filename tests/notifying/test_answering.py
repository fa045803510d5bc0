"""The Yes and No of mails: shown before they act, once, for the right person and version, and nothing to guess."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx2
import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from syncline.config import Settings, WebSettings
from syncline.core.appointment import ShowAs
from syncline.desk import alerts as desk
from syncline.desk import answer_links
from syncline.desk.reading import OPERATOR
from syncline.engine.mailboxes import disable
from syncline.errors import SyncError
from syncline.web.app import create_app
from syncline.web.pages.answering import WRONG_MAX, Guesses
from tests.desk.office import Office, at
from tests.web.visitor import HTML, Visitor, shown

ORIGIN = "http://127.0.0.1"


@dataclass
class Mailed:
    """The scene, as a mail told Maya of it: the secrets of Yes and No, and a browser that nobody signed in at."""

    office: Office
    alert_id: int
    yes: str
    no: str
    client: TestClient

    def get(self, token: str) -> httpx2.Response:
        """Open what stands in the mail."""
        return self.client.get(f"/answer/{token}", headers=HTML, follow_redirects=False)

    def click(self, token: str, **headers: str) -> httpx2.Response:
        """Press the one button."""
        sent = {**HTML, "sec-fetch-site": "same-origin", **headers}
        return self.client.post(f"/answer/{token}", data={"csrf_token": ""}, headers=sent, follow_redirects=False)

    @property
    def state(self) -> tuple[str, str | None, str | None]:
        """Return the question's state, outcome and who decided."""
        alert = desk.show(self.office.app, OPERATOR, self.alert_id)
        return alert.state, alert.outcome, alert.decided_by


@contextmanager
def mailed(folder: Path, *, private: bool = False, origin: str = ORIGIN) -> Iterator[Mailed]:
    """Play the scene, make Yes and No for Maya, and open a browser."""
    office = Office(folder, Settings(data=folder, web=WebSettings(base_url="https://syncline.example")))
    question = office.the_scene(private=private)
    tokens = answer_links.make(office.app, question.id, question.version, "maya")
    with TestClient(create_app(office.app), base_url=origin, client=("127.0.0.1", 4000)) as client:
        yield Mailed(office, question.id, tokens["yes"], tokens["no"], client)


def test_loading_shows_the_question_and_does_nothing(tmp_path: Path) -> None:
    """Programs that open what stands in mails answer nothing: the page shows the card with one button."""
    with mailed(tmp_path) as mail:
        for _ in range(3):
            page = mail.get(mail.yes)
        words = shown(page.text)

        assert page.status_code == 200
        assert mail.state == ("open", None, None)
        for said in ("Product demo for Alpen Sport", "Tue 24 Nov 2026, 10:30", "Quarterly review with Harbour Cycles",
                     "Save it in Syncline CRM beside the other.", "Nothing has been done yet.",
                     "Answer Yes as Maya Lind"):  # fmt: skip
            assert said in words, said
        assert page.text.count("<button") == 1
        assert "Keep it out" not in words


@pytest.mark.parametrize(("answer", "outcome"), [("yes", "saving"), ("no", "kept_out")])
def test_a_click_answers_as_the_person(tmp_path: Path, answer: str, outcome: str) -> None:
    """The answer counts as given by whom the mail was for, without a session, and none is made."""
    with mailed(tmp_path) as mail:
        page = mail.click(getattr(mail, answer))

        assert page.status_code == 200
        assert mail.state == ("answered", outcome, "Maya Lind")
        assert "was taken" in shown(page.text)
        assert "set-cookie" not in page.headers
        assert mail.client.get("/alerts", headers=HTML, follow_redirects=False).status_code == 303


def test_the_page_tells_its_address_to_nobody(tmp_path: Path) -> None:
    """The address is the key: no referrer, no cache, no index, and nothing of another host."""
    with mailed(tmp_path) as mail:
        page = mail.get(mail.yes)

    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    assert re.findall(r'(?:src|href|action)="(?!/|#)[^"]*"', page.text) == []


def refused(page: httpx2.Response) -> str:
    """Return the code of a page that refuses; it says what to do and leads to sign-in."""
    words = shown(page.text)
    assert "Nothing was done." in words
    assert "Sign in and answer" in words
    assert page.headers["referrer-policy"] == "no-referrer"
    found = re.search(r"Error code: (\w+)", words)
    assert found is not None, words
    return found[1]


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 5000, "%00", "..%2Falerts", "é"])
def test_a_forged_one_tells_nothing(tmp_path: Path, token: str) -> None:
    """What was never sent is refused in the same words whatever it is, and names no appointment and no person."""
    with mailed(tmp_path) as mail:
        for page in (mail.get(token), mail.click(token)):
            if page.status_code == 404 and "Error code: NotFoundHere" in page.text:
                continue
            assert page.status_code == 404
            assert refused(page) == "AnswerLinkUnknown"
            assert "Maya" not in page.text and "Product" not in page.text
        assert mail.state[0] == "open"


@pytest.mark.rule("CD-07")
def test_one_about_what_has_passed_says_what_can_still_be_done(tmp_path: Path) -> None:
    """A question that lapsed is not answered by an old mail, and is not said to need no answer."""
    with mailed(tmp_path) as mail:
        mail.office.clock.at += timedelta(days=2)
        mail.office.sync()
        page = mail.click(mail.yes)

        assert page.status_code == 409 and refused(page) == "AlreadyAnswered"
        assert "It has ended; it can still be saved, or left out, in Syncline." in shown(page.text)
        assert "No answer is needed" not in page.text and mail.state[0] == "lapsed"


def test_a_used_one_works_no_more(tmp_path: Path) -> None:
    """After the first click neither it nor its sibling does anything: No cannot be turned into Yes by an old mail."""
    with mailed(tmp_path) as mail:
        assert mail.click(mail.no).status_code == 200
        for token in (mail.no, mail.yes):
            for page in (mail.get(token), mail.click(token)):
                assert page.status_code == 410
                assert refused(page) == "AnswerLinkUsed"
        assert mail.state == ("answered", "kept_out", "Maya Lind")


def test_an_answer_that_failed_can_be_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Yes is used up by an answer, not by a try: what failed on the way can be clicked once more."""
    with mailed(tmp_path) as mail:

        def full(*_: object) -> None:
            raise SyncError("CrmUnavailable", crm="Syncline CRM")

        with monkeypatch.context() as patched:
            patched.setattr(mail.office.app.store, "decide", full)
            assert mail.click(mail.no).status_code >= 500
        assert mail.state[0] == "open"
        assert mail.click(mail.no).status_code == 200
        assert mail.state == ("answered", "kept_out", "Maya Lind")


def test_an_old_one_works_no_more(tmp_path: Path) -> None:
    """After its days a Yes or No says how long it works."""
    with mailed(tmp_path) as mail:
        mail.office.clock.at += timedelta(days=7)
        page = mail.click(mail.yes)

        assert page.status_code == 410
        assert refused(page) == "AnswerLinkExpired"
        assert "7 days" in page.text
        assert mail.state[0] == "open"


def test_a_question_that_changed_is_not_answered(tmp_path: Path) -> None:
    """A Yes to what the mail showed is no Yes to what stands there now."""
    with mailed(tmp_path) as mail:
        (link,) = mail.office.app.store.links([mail.office.mailbox("maya").id]).items
        mail.office.change(link.ref, span=at(10.25))
        mail.office.sync()
        page = mail.click(mail.yes)

        assert page.status_code == 409
        assert refused(page) == "AnswerOutdated"
        assert mail.state[0] == "open"


def test_a_question_that_was_answered_says_by_whom(tmp_path: Path) -> None:
    """Who comes second reads who came first."""
    with mailed(tmp_path) as mail:
        desk.answer(mail.office.app, mail.office.viewer("ines"), mail.alert_id, "no")
        page = mail.get(mail.yes)

        assert page.status_code == 409
        assert refused(page) == "AlreadyAnswered"
        assert "Ines Brandt answered No." in shown(page.text)
        assert mail.click(mail.yes).status_code == 409
        assert mail.state == ("answered", "kept_out", "Ines Brandt")


def test_a_question_that_went_away_needs_no_answer(tmp_path: Path) -> None:
    """A withdrawn question is not answered by an old mail."""
    with mailed(tmp_path) as mail:
        (link,) = mail.office.app.store.links([mail.office.mailbox("maya").id]).items
        mail.office.change(link.ref, show_as=ShowAs.FREE)
        mail.office.sync()

        assert refused(mail.click(mail.yes)) == "AlreadyAnswered"


def test_who_lost_the_mailbox_answers_no_more(tmp_path: Path) -> None:
    """A Yes that was sent to somebody whose mailbox it is no longer, or who was disabled, does nothing."""
    with mailed(tmp_path) as mail:
        store = mail.office.app.store
        store.change_mailbox(mail.office.mailbox("maya").id, lambda old: replace(old, user="jonas"))
        page = mail.click(mail.yes)

        assert page.status_code == 403
        assert refused(page) == "AnswerLinkForeign"
        assert "Product" not in page.text
        assert mail.state[0] == "open"


def test_a_yes_for_one_question_is_none_for_another(tmp_path: Path) -> None:
    """Each is bound to its own question: using one leaves the other as it is."""
    with mailed(tmp_path) as mail:
        mail.office.in_outlook("Another", at(10.75), owner="maya")
        mail.office.sync()
        other = next(
            each for each in desk.listing(mail.office.app, OPERATOR, only_open=True) if each.id != mail.alert_id
        )
        mail.click(mail.yes)

        assert mail.state[0] == "answered"
        assert desk.show(mail.office.app, OPERATOR, other.id).state == "open"


def test_what_is_private_stays_so(tmp_path: Path) -> None:
    """The page shows no more than the mail did: whoever has the mail has the page."""
    with mailed(tmp_path, private=True) as mail:
        for page in (mail.get(mail.yes), mail.click(mail.yes)):
            assert "Private appointment" in page.text
            assert "Product demo" not in page.text


def test_somebody_signed_in_still_answers_as_the_mails_person(tmp_path: Path) -> None:
    """A session of somebody else neither helps nor hinders, but another site cannot use it for a click."""
    with mailed(tmp_path) as mail:
        visitor = Visitor(mail.client)
        visitor.get("/sign-in")
        visitor.sign_in("ines")
        assert mail.click(mail.yes).status_code == 403
        assert mail.state[0] == "open"
        visitor.get(f"/answer/{mail.yes}")
        assert visitor.post(f"/answer/{mail.yes}").status_code == 200

        assert mail.state == ("answered", "saving", "Maya Lind")


def test_another_site_cannot_click(tmp_path: Path) -> None:
    """A form of another site is refused."""
    with mailed(tmp_path) as mail:
        assert mail.click(mail.yes, **{"sec-fetch-site": "cross-site"}).status_code == 403
        assert mail.state[0] == "open"


def test_no_answer_over_an_open_way(tmp_path: Path) -> None:
    """Over plain http from afar a click is refused like a password."""
    with mailed(tmp_path, origin="http://192.0.2.10") as mail:
        page = mail.click(mail.yes, host="192.0.2.10")

        assert page.status_code == 403
        assert "SignInUnsafe" in unescape(page.text)
        assert mail.state[0] == "open"


def test_guessing_is_slowed(tmp_path: Path) -> None:
    """After many wrong ones a client waits, even with a right one; others do not."""
    with mailed(tmp_path) as mail:
        for number in range(WRONG_MAX):
            assert mail.get(f"guess-{number}").status_code == 404
        page = mail.get(mail.yes)
        assert page.status_code == 429
        assert refused(page) == "AnswerLinkSlowed"
        assert 0 < int(page.headers["retry-after"]) <= 60

        with TestClient(mail.client.app, base_url=ORIGIN, client=("127.0.0.2", 4000)) as other:
            assert other.get(f"/answer/{mail.yes}", headers=HTML).status_code == 200


def test_a_slowed_client_may_come_again() -> None:
    """A minute later nothing is counted any more, and the memory of clients does not grow for ever."""
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for number in range(WRONG_MAX):
        guesses.note("client")
        guesses.note(f"other-{number}")
    with pytest.raises(SyncError, match="AnswerLinkSlowed"):
        guesses.check("client")
    now[0] = 60.0
    guesses.check("client")


def test_only_digests_are_kept(tmp_path: Path) -> None:
    """A stolen database answers nothing: no secret stands in it."""
    with mailed(tmp_path) as mail, mail.office.app.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM answer_link").all()

    assert len(rows) == 2
    assert not any(token in str(rows) for token in (mail.yes, mail.no))


def test_a_mailbox_that_is_off_takes_the_answer(tmp_path: Path) -> None:
    """An answer by mail to a mailbox that is switched off is kept, and carried out when it is on again."""
    with mailed(tmp_path) as mail:
        disable(mail.office.app.store, mail.office.mailbox("maya").id)
        assert mail.click(mail.yes).status_code == 200
        assert mail.state[0] == "answered"
