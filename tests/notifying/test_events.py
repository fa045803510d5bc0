"""What a program is told of questions: signed JSON without what it has no right to, one message for many at once."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncline.desk import alerts as desk
from syncline.desk.reading import OPERATOR
from syncline.ports import AlertState
from syncline.store.messages import Channel, MessageState
from tests.desk.office import at
from tests.notifying.firm import BASE, Firm, firm

pytestmark = pytest.mark.emulator


def events(at_firm: Firm) -> list[dict[str, Any]]:
    """Return what the program got, each checked against its signature and its name."""
    told = []
    for _path, headers, body in at_firm.chat.got:
        stamp, _, digest = headers["Syncline-Signature"].partition(",v1=")
        signed = f"{stamp.removeprefix('t=')}.".encode() + body
        assert hmac.new(b"chat-secret", signed, hashlib.sha256).hexdigest() == digest
        event = json.loads(body)
        assert headers["Syncline-Event-Id"] == event["id"]
        told.append(event)
    return told


def notices(at_firm: Firm) -> list[str]:
    """Return the codes of the open notices."""
    found = at_firm.office.app.store.alerts(states=[AlertState.OPEN])
    return [alert.code for alert in found if alert.code.startswith("Webhook")]


def test_a_program_is_told_of_an_answer_that_is_taken_back(tmp_path: Path) -> None:
    """The question opens once more, and the answer that counts is told in its turn."""
    with firm(tmp_path, mail=False, webhook=True) as at_firm:
        question = at_firm.office.the_scene()
        app, maya = at_firm.office.app, at_firm.office.viewer("maya")
        at_firm.later(1)
        desk.answer(app, maya, question.id, "no")
        at_firm.later(1)
        desk.undo(app, maya, [question.id])
        at_firm.later(1)
        desk.answer(app, maya, question.id, "yes")
        at_firm.later(1)

        told = [(event["type"], event["alert"]["answer"]) for event in events(at_firm)]

    assert told == [
        ("question.opened", None),
        ("question.answered", "no"),
        ("question.opened", None),
        ("question.answered", "yes"),
    ]


def test_a_program_is_told_when_a_question_opens_and_ends(tmp_path: Path) -> None:
    """It gets one event when a question opens, and one when it was answered, with who and what."""
    with firm(tmp_path, mail=False, webhook=True) as at_firm:
        question = at_firm.office.the_scene()
        assert at_firm.later(1) == 1
        assert at_firm.later(1) == 0
        desk.answer(at_firm.office.app, at_firm.office.viewer("maya"), question.id, "no")
        assert at_firm.later(1) == 1
        assert at_firm.later(1) == 0
        opened, answered = events(at_firm)

    assert opened["type"] == "question.opened"
    assert opened["url"] == f"{BASE}/alerts/{question.id}"
    assert opened["text"].startswith("Maya Lind is asked: An appointment (Tue 24 Nov 2026, 10:30 – 11:30)")
    assert opened["text"].endswith(opened["url"])
    assert opened["alert"]["start"] == "2026-11-24T10:30:00Z"
    assert opened["alert"]["unavailable"] == ["Maya Lind"]
    assert (answered["type"], answered["alert"]["answer"]) == ("question.answered", "no")
    assert answered["text"].startswith("Maya Lind answered No: An appointment")
    assert opened["id"] != answered["id"]


def test_a_program_is_told_when_no_answer_is_needed_any_more(tmp_path: Path) -> None:
    """A question that goes away by itself is an event too."""
    with firm(tmp_path, mail=False, webhook=True) as at_firm:
        at_firm.office.in_crm("Review", at(10))
        ref = at_firm.office.in_outlook("Demo", at(10.5))
        at_firm.office.sync()
        at_firm.later(1)
        at_firm.office.change(ref, span=at(15))
        at_firm.office.sync()
        at_firm.later(1)

        assert [event["type"] for event in events(at_firm)] == ["question.opened", "question.withdrawn"]


@pytest.mark.parametrize(("subjects", "private"), [(False, False), (False, True), (True, False), (True, True)])
def test_a_program_reads_subjects_only_if_it_may(tmp_path: Path, subjects: bool, private: bool) -> None:
    """Without the setting no subject leaves the house; with it, those that are not private."""
    with firm(tmp_path, mail=False, webhook=True, subjects=subjects) as at_firm:
        at_firm.office.in_crm("Salary talk", at(10), private=True)
        at_firm.office.in_outlook("Product demo", at(10.5), private=private)
        at_firm.office.sync()
        at_firm.later(1)
        ((_, _, body),) = at_firm.chat.got

    assert (b"Product demo" in body) is (subjects and not private)
    assert b"Salary talk" not in body
    assert json.loads(body)["alert"]["clashes"][0]["user"] == "Maya Lind"


def test_foreign_texts_command_nothing_in_a_chat(tmp_path: Path) -> None:
    """What chat tools take for markup, a call to everybody or an address becomes harmless in the text."""
    subject = "<!channel> @all [win](https://evil.example) `x` *b* \n& <https://evil.example|y>"
    with firm(tmp_path, mail=False, webhook=True, subjects=True) as at_firm:
        at_firm.office.in_crm("Review", at(10))
        at_firm.office.in_outlook(subject, at(10.5))
        at_firm.office.sync()
        at_firm.later(1)
        (event,) = events(at_firm)

    text = event["text"].removesuffix(event["url"])
    assert not set("<>[]`*\n|") & set(text)
    assert "@all" not in text and "https://" not in text
    assert event["alert"]["subject"] == subject


def test_many_questions_at_once_are_one_event(tmp_path: Path) -> None:
    """Twenty questions of one mailbox are one event with their number, and so is their end."""
    with firm(tmp_path, mail=False, webhook=True) as at_firm:
        at_firm.double_book(*(f"Visit {number}" for number in range(20)))
        assert at_firm.later(1) == 1
        desk.answer_ids(at_firm.office.app, OPERATOR, at_firm.open_ids(), "yes")
        assert at_firm.later(1) == 1
        opened, answered = events(at_firm)

    assert (opened["type"], opened["count"], opened["mailbox"]) == ("questions.opened", 20, "maya@fjordbikes.example")
    assert opened["text"] == f"20 questions opened for Maya Lind. {BASE}/alerts"
    assert (answered["type"], answered["count"]) == ("questions.answered", 20)


def test_old_questions_are_no_news(tmp_path: Path) -> None:
    """A webhook that is set for the first time is not told of everything that ever opened."""
    with firm(tmp_path, mail=False, webhook=True) as at_firm:
        at_firm.office.the_scene()
        at_firm.office.clock.at += timedelta(hours=2)
        assert at_firm.later(1) == 0


def test_a_failing_target_is_tried_again_under_the_same_name(tmp_path: Path) -> None:
    """After a 500 the event comes again with the same id, signed anew; people read of what lasts."""
    with firm(tmp_path, mail=False, webhook=True) as at_firm:
        at_firm.chat.statuses = [500, 500, 500]
        at_firm.office.the_scene()
        assert [at_firm.later(seconds) for seconds in (1, 30, 31, 121)] == [0, 0, 0, 0]
        assert notices(at_firm) == ["WebhookFailed"]
        assert at_firm.later(301) == 1
        assert notices(at_firm) == []

        assert len(events(at_firm)) == 4
        assert len({event["id"] for event in events(at_firm)}) == 1


def test_what_is_over_is_not_told_as_new(tmp_path: Path) -> None:
    """An event that waits for its target is dropped when the question has ended meanwhile."""
    with firm(tmp_path, mail=False, webhook=True) as at_firm:
        at_firm.chat.statuses = [500]
        question = at_firm.office.the_scene()
        assert at_firm.later(1) == 0
        desk.answer(at_firm.office.app, at_firm.office.viewer("maya"), question.id, "no")
        assert at_firm.later(120) == 1

        assert [event["type"] for event in events(at_firm)] == ["question.opened", "question.answered"]
        states = [message.state for message in at_firm.office.app.store.messages(Channel.WEBHOOK)]
        assert states == [MessageState.SENT, MessageState.DROPPED]


def test_a_target_inside_is_told_of_at_once(tmp_path: Path) -> None:
    """A target that is not allowed gets nothing, and people read why."""
    with firm(tmp_path, mail=False, webhook=True, allow_private=False, url="https://127.0.0.1:1/hook") as at_firm:
        at_firm.office.the_scene()
        assert at_firm.later(1) == 0

        assert notices(at_firm) == ["WebhookRefused"]
        assert at_firm.chat.got == []


def test_a_slow_target_delays_no_mail_and_no_answer(tmp_path: Path) -> None:
    """While a target keeps an event waiting, an answer is carried out and the state can be written."""
    with firm(tmp_path, mail=False, webhook=True, timeout_s=20.0) as at_firm:
        at_firm.chat.stall = threading.Event()
        question = at_firm.office.the_scene()
        sending = threading.Thread(target=at_firm.post.step)
        sending.start()
        while not at_firm.chat.got:
            threading.Event().wait(0.01)
        desk.answer(at_firm.office.app, at_firm.office.viewer("maya"), question.id, "yes")
        at_firm.office.sync("maya")
        outcome = desk.show(at_firm.office.app, OPERATOR, question.id).outcome
        assert sending.is_alive()
        at_firm.chat.stall.set()
        sending.join()

    assert outcome == "saved"
