"""From open questions to mails in somebody's inbox: a real mail server, failures included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from syncline.connectors.smtp import SmtpNotifier
from syncline.desk import alerts as desk
from syncline.errors import SyncError
from syncline.notifying import Post
from syncline.ports import AlertState, Parcel
from syncline.store import Mails
from syncline.store.messages import Channel, Message, MessageState, Told
from syncline.web.composer import PagesComposer
from syncline.wiring import App
from tests.desk.office import Office
from tests.notifying.firm import Firm, firm, html_of, text_of
from tests.smtp.server import relay

pytestmark = pytest.mark.emulator


def notices(firm: Firm) -> list[str]:
    """Return the codes of the open notices."""
    found = firm.office.app.store.alerts(states=[AlertState.OPEN])
    return [alert.code for alert in found if alert.code.startswith(("Mail", "Webhook", "Internal"))]


def states(firm: Firm) -> list[MessageState]:
    """Return the states of all mails, oldest first."""
    return [message.state for message in reversed(firm.office.app.store.messages(Channel.MAIL))]


def test_a_question_reaches_its_person_once(tmp_path: Path) -> None:
    """The owner of the mailbox gets one mail, after new questions were gathered, and never a second one."""
    with firm(tmp_path) as at_firm:
        at_firm.office.the_scene()
        assert at_firm.post.step() == 0
        assert at_firm.later(60) == 1
        assert at_firm.later(3600) == at_firm.later(86_400) == 0

        (mail,) = at_firm.mails
        assert mail["To"] == "maya@fjordbikes.example"
        assert mail["Subject"] == "Scheduling conflict: Product demo for Alpen Sport, Tue 24 Nov 2026, 10:30 – 11:30"


def test_a_digest_instead_of_twenty_mails(tmp_path: Path) -> None:
    """Twenty questions at once are one mail that counts them, names the first ten and leads to the wall."""
    with firm(tmp_path) as at_firm:
        at_firm.wants("maya")
        at_firm.double_book(*(f"Visit {number:02}" for number in range(1, 21)))
        assert at_firm.later() == 1
        assert at_firm.later(86_400) == 0

        (mail,) = at_firm.mails
        text, html = text_of(mail), html_of(mail)
        assert mail["Subject"] == "20 questions wait for your answer"
        assert text.count("- Visit ") == html.count("Visit ") == 10
        assert "And 10 more." in text and "And 10 more." in html
        assert "https://syncline.fjordbikes.example/alerts\n" in text
        assert "/answer/" not in text + html


def test_each_by_itself_with_pauses(tmp_path: Path) -> None:
    """Who wants a mail for each question gets three for three, with the pause between them."""
    with firm(tmp_path, pause_min_s=120.0) as at_firm:
        at_firm.wants("maya")
        at_firm.double_book("Visit 1", "Visit 2", "Visit 3")
        sent = [at_firm.later(seconds) for seconds in (61, 61, 61, 61, 61, 61)]

        assert sent == [1, 0, 1, 0, 1, 0]
        assert ["Visit 1" in mail["Subject"] for mail in at_firm.mails] == [True, False, False]


def test_who_wants_no_mail_gets_none(tmp_path: Path) -> None:
    """Mails that are switched off stay unsent, also those of before when they are switched on."""
    with firm(tmp_path) as at_firm:
        at_firm.wants("maya", mails=Mails.OFF)
        at_firm.office.the_scene()
        assert at_firm.later() == 0
        at_firm.wants("maya")
        assert at_firm.later(86_400) == 0


def test_quiet_hours_put_a_mail_off(tmp_path: Path) -> None:
    """A question of the quiet hours is told when they are over."""
    with firm(tmp_path) as at_firm:
        at_firm.wants("maya", quiet_from=time(6), quiet_to=time(10))
        at_firm.office.the_scene()
        assert at_firm.later(3600) == 0
        assert at_firm.later(3600) == 1


def test_a_mail_that_failed_is_not_tried_in_quiet_hours(tmp_path: Path) -> None:
    """What is tried again keeps to quiet hours too."""
    with firm(tmp_path) as at_firm:
        at_firm.server.data_replies = ["451 later"]
        at_firm.wants("maya", quiet_from=time(8, 2), quiet_to=time(10))
        at_firm.office.the_scene()
        assert [at_firm.later(61), at_firm.later(600), at_firm.later(3600)] == [0, 0, 0]
        assert at_firm.later(3600) == 1


def test_who_wants_no_more_mail_gets_none_that_waits(tmp_path: Path) -> None:
    """A mail that waits for its server is dropped when its reader switches mails off."""
    with firm(tmp_path) as at_firm:
        at_firm.server.data_replies = ["451 later"]
        at_firm.office.the_scene()
        assert at_firm.later() == 0
        at_firm.wants("maya", mails=Mails.OFF)
        assert at_firm.later(3600) == 0
        assert states(at_firm) == [MessageState.DROPPED]


@pytest.mark.parametrize(
    ("address", "reached"),
    [("maya@bücher.example", "maya@xn--bcher-kva.example"), ("mäya@b.example", ""), ("m@b\r\nBcc: x@y.example", "")],
)
def test_addresses_as_mail_servers_write_them(tmp_path: Path, address: str, reached: str) -> None:
    """A domain with letters of its own is written in ASCII; what is no address is told of and commands nothing."""
    with firm(tmp_path) as at_firm:
        at_firm.office.app.crm.set_user("maya", emails=[address, "maya@fjordbikes.example"])
        at_firm.office.the_scene()
        assert at_firm.later() == int(bool(reached))

        assert [to for _, to, _ in at_firm.server.taken] == ([[reached]] if reached else [])
        assert notices(at_firm) == ([] if reached else ["MailRefused"])


def test_what_is_answered_before_is_not_mailed(tmp_path: Path) -> None:
    """A question that is answered while it is gathered leaves no mail."""
    with firm(tmp_path) as at_firm:
        question = at_firm.office.the_scene()
        at_firm.post.step()
        desk.answer(at_firm.office.app, at_firm.office.viewer("maya"), question.id, "no")
        assert at_firm.later(3600) == 0

        assert at_firm.mails == []


def test_what_goes_away_while_a_mail_waits_is_dropped(tmp_path: Path) -> None:
    """A mail that waits for its server is not sent any more when its question was withdrawn meanwhile."""
    with firm(tmp_path) as at_firm:
        at_firm.server.data_replies = ["451 later"]
        at_firm.office.the_scene()
        assert at_firm.later() == 0
        desk.answer(at_firm.office.app, at_firm.office.viewer("maya"), at_firm.open_ids()[0], "yes")
        assert at_firm.later(3600) == 0

        assert at_firm.mails == []
        assert states(at_firm) == [MessageState.DROPPED]


def test_a_digest_leaves_out_what_is_over_by_now(tmp_path: Path) -> None:
    """A digest that waited for its server counts and names only what is still open when it leaves."""
    with firm(tmp_path) as at_firm:
        at_firm.server.data_replies = ["451 later"]
        at_firm.double_book(*(f"Visit {number}" for number in range(5)))
        assert at_firm.later() == 0
        desk.answer_ids(at_firm.office.app, at_firm.office.viewer("maya"), at_firm.open_ids()[:2], "no")
        assert at_firm.later(3600) == 1

        (mail,) = at_firm.mails
        assert mail["Subject"] == "3 questions wait for your answer"
        assert text_of(mail).count("- Visit ") == 3


def test_a_busy_server_is_tried_again_and_told_of(tmp_path: Path) -> None:
    """A 4xx is tried again later and later; after three times people read of it, and no more once the mail was sent."""
    with firm(tmp_path) as at_firm:
        at_firm.server.data_replies = ["451 later"] * 3
        at_firm.office.the_scene()
        assert [at_firm.later(seconds) for seconds in (61, 30, 31, 60, 61)] == [0, 0, 0, 0, 0]
        assert notices(at_firm) == ["MailServerUnavailable"]

        assert at_firm.later(301) == 1
        assert notices(at_firm) == []
        assert len(at_firm.mails) == 1


def test_a_refused_person_is_told_of_and_not_tried_again(tmp_path: Path) -> None:
    """A 5xx for an address is a notice on the mailbox, and no endless trying."""
    with firm(tmp_path) as at_firm:
        at_firm.server.refuse = {"maya@fjordbikes.example": "550 no such user"}
        at_firm.office.the_scene()
        assert at_firm.later() == 0
        connections = at_firm.server.connections
        assert at_firm.later(86_400) == 0

        assert at_firm.server.connections == connections
        assert states(at_firm) == [MessageState.FAILED]
        assert notices(at_firm) == ["MailRefused"]


def test_a_mail_whose_arrival_is_not_known_is_sent_once_more(tmp_path: Path) -> None:
    """It carries the same Message-ID, so that a mail program can tell; a third time it is not sent."""
    with firm(tmp_path) as at_firm:
        at_firm.server.cut = 5
        at_firm.office.the_scene()
        assert [at_firm.later(), at_firm.later(), at_firm.later(86_400)] == [0, 0, 0]

        assert len(at_firm.mails) == 2
        assert len({mail["Message-ID"] for mail in at_firm.mails}) == 1
        assert states(at_firm) == [MessageState.FAILED]
        assert notices(at_firm) == ["MailUnclear"]


def test_after_a_crash_a_mail_that_was_leaving_is_sent_once_more(tmp_path: Path) -> None:
    """The next process finds the mail that was leaving, sends it under the same name, and not again after that."""
    with firm(tmp_path) as at_firm:
        app = at_firm.office.app
        at_firm.office.the_scene()
        assert at_firm.later(1) == 0

        class Dies:
            """A way out on which the process ends."""

            def send(self, parcel: Parcel) -> None:
                raise KeyboardInterrupt

            def probe(self) -> str:
                return ""

        at_firm.office.clock.at += timedelta(seconds=60)
        with pytest.raises(KeyboardInterrupt):
            Post(replace(app, mail=Dies()), PagesComposer()).step()
        (leaving,) = app.store.leaving_messages(Channel.MAIL)

        at_firm.post.settle()
        assert at_firm.later() == 1
        (mail,) = at_firm.mails
        assert mail["Message-ID"] == f"<{leaving.key}@fjordbikes.example>"


def test_a_mail_whose_outcome_could_not_be_noted_does_not_stop_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the note after a mail fails, the same process finds it leaving, and its person goes on getting mails."""
    with firm(tmp_path) as at_firm:
        store = at_firm.office.app.store

        def full(*_: object) -> None:
            raise SyncError("InternalMailboxError", mailbox="maya", detail="the disk is full")

        at_firm.office.the_scene()
        with monkeypatch.context() as patched, pytest.raises(SyncError):
            patched.setattr(store, "message_ended", full)
            at_firm.later()
        assert states(at_firm) == [MessageState.LEAVING]

        assert [at_firm.later(), at_firm.later()] == [0, 1]
        at_firm.double_book("Visit", day=5)
        assert at_firm.later(3600) == 1
        assert states(at_firm) == [MessageState.SENT, MessageState.SENT]


def test_what_is_told_of_a_mail_server_stays_until_a_mail_leaves(tmp_path: Path) -> None:
    """A sync that succeeds does not withdraw it; the next mail that leaves does."""
    with firm(tmp_path) as at_firm:
        at_firm.server.refuse = {"maya@fjordbikes.example": "550 no such user"}
        at_firm.office.the_scene()
        at_firm.later()
        at_firm.office.sync()
        assert notices(at_firm) == ["MailRefused"]

        at_firm.server.refuse = {}
        at_firm.double_book("Visit", day=5)
        at_firm.later(1)
        assert at_firm.later(3600) == 1
        assert notices(at_firm) == []


def test_a_question_that_waits_again_before_it_was_mailed_is_mailed(tmp_path: Path) -> None:
    """An answer that was taken back does not count as one: the mail that it made needless is sent after all."""
    with firm(tmp_path) as at_firm:
        question = at_firm.office.the_scene()
        maya = at_firm.office.viewer("maya")
        at_firm.later(1)
        desk.answer(at_firm.office.app, maya, question.id, "no")
        assert at_firm.later() == 0
        desk.undo(at_firm.office.app, maya, [question.id])
        assert at_firm.later() == 1


def test_a_bug_in_one_mail_stops_no_other(tmp_path: Path) -> None:
    """A mail that cannot be composed is put off and told of; others leave."""
    with firm(tmp_path) as at_firm:

        class Clumsy(PagesComposer):
            """Cannot write to Maya."""

            def mail(self, app: App, to: str, message: Message, questions: Sequence[Told]) -> bytes:
                if message.recipient == "maya":
                    raise RuntimeError("a bug")
                return super().mail(app, to, message, questions)

        post = Post(at_firm.office.app, Clumsy())
        at_firm.double_book("Visit")
        at_firm.double_book("Visit", owner="jonas", day=2)
        post.step()
        at_firm.office.clock.at += timedelta(seconds=61)
        assert post.step() == 1

        assert [mail["To"] for mail in at_firm.mails] == ["jonas@fjordbikes.example"]


def test_a_dead_server_costs_two_tries_a_round(tmp_path: Path) -> None:
    """When the server fails twice in a row the rest of the round is put off, however many mails are due."""
    office = Office(tmp_path)
    tried: list[str] = []

    class Dead:
        """A server that is not there."""

        def send(self, parcel: Parcel) -> None:
            tried.append(parcel.to)
            raise SyncError("MailServerUnavailable", host="mail.test", detail="refused")

        def probe(self) -> str:
            return ""

    office.app = replace(office.app, mail=Dead())
    at_firm = Firm(office, Post(office.app, PagesComposer()), server=None)  # type: ignore[arg-type]
    for owner in ("maya", "jonas"):
        at_firm.double_book("Visit", owner=owner, day=1 if owner == "maya" else 2)
    at_firm.post.step()
    at_firm.later()
    assert len(tried) == 2
    at_firm.later(10)
    assert len(tried) == 2


def test_the_threads_end(tmp_path: Path) -> None:
    """The post runs beside the worker on a thread of its own, and ends when told."""
    with firm(tmp_path) as at_firm:
        at_firm.post.start()
        at_firm.post.stop()
        assert at_firm.mails == []


def test_a_probe_is_no_mail(tmp_path: Path) -> None:
    """Trying the server sends nothing."""
    with firm(tmp_path) as at_firm:
        assert "127.0.0.1" in at_firm.office.app.mail.probe()  # type: ignore[union-attr]
        assert at_firm.mails == []


def test_another_relay_is_another_way(tmp_path: Path) -> None:
    """A server that refuses the sign-in is told of at once: only a person can mend it."""
    with firm(tmp_path) as at_firm:
        broken = SmtpNotifier(relay(at_firm.office.app.settings.mail.port, security="starttls"))
        post = Post(replace(at_firm.office.app, mail=broken), PagesComposer())
        at_firm.office.the_scene()
        post.step()
        at_firm.office.clock.at += timedelta(seconds=61)
        assert post.step() == 0

        assert notices(at_firm) == ["MailServerRefused"]
        assert states(at_firm) == [MessageState.WAITING]
