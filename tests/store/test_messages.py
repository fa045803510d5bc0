"""Messages about questions: who is told once, what becomes of a message, and links that work once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from syncline.engine.alerts import answered
from syncline.ports import Changes, Mailbox
from syncline.store import Database
from syncline.store.messages import AnswerLink, Channel, Kind, Message, MessageState
from tests.store.things import NOW, asked, claimed, link

MAIL, WEBHOOK = Channel.MAIL, Channel.WEBHOOK


def mail(key: str = "m1", **members: object) -> Message:
    """Make a mail to Maya."""
    given = {"channel": MAIL, "kind": Kind.QUESTION, "recipient": "maya", "key": key, "created": NOW, "next_try": NOW}
    return Message(**(given | members))  # type: ignore[arg-type]


def test_a_question_is_noted_once_per_channel(store: Database, mailbox: Mailbox) -> None:
    """An open question is untold until somebody is noted for it, on each channel by itself."""
    _, alert = asked(store, claimed(store, mailbox.id))
    assert [row[:2] for row in store.untold_questions(MAIL, 10)] == [(alert.id, mailbox.id)]

    store.note_questions(MAIL, {alert.id: "maya"}, {alert.id: NOW})
    store.note_questions(MAIL, {alert.id: "jonas"}, {alert.id: NOW})

    assert store.untold_questions(MAIL, 10) == ()
    assert [each.recipient for each in store.waiting_questions(MAIL)] == ["maya"]
    assert len(store.untold_questions(WEBHOOK, 10)) == 1


def test_a_question_for_nobody_stays_untold_for_good(store: Database, mailbox: Mailbox) -> None:
    """Who wants no mail gets none later either."""
    _, alert = asked(store, claimed(store, mailbox.id))
    store.note_questions(MAIL, {alert.id: None}, {alert.id: NOW})

    assert store.untold_questions(MAIL, 10) == store.waiting_questions(MAIL) == ()


def test_an_answered_question_waits_no_longer(store: Database, mailbox: Mailbox) -> None:
    """A question that is answered before its mail is begun is dropped; one that was told of has ended."""
    _, alert = asked(store, claimed(store, mailbox.id))
    store.note_questions(MAIL, {alert.id: "maya"}, {alert.id: NOW})
    store.note_questions(WEBHOOK, {alert.id: "maya@firm.example"}, {alert.id: NOW})
    store.tell(mail("w", channel=WEBHOOK, kind=Kind.OPENED), [alert.id])
    assert store.ended_questions(WEBHOOK, 10) == ()

    store.decide([alert.id], lambda old, _: answered(old, "no", "Maya", NOW))

    assert store.waiting_questions(MAIL) == ()
    assert [each.alert_id for each in store.ended_questions(WEBHOOK, 10)] == [alert.id]
    store.tell(mail("w2", channel=WEBHOOK, kind=Kind.ANSWERED), [alert.id], over=True)
    assert store.ended_questions(WEBHOOK, 10) == ()


def test_a_message_leaves_once_and_is_known_after_a_crash(store: Database, mailbox: Mailbox) -> None:
    """A message that is leaving cannot leave again, and stands among those whose arrival nobody knows."""
    _, alert = asked(store, claimed(store, mailbox.id))
    store.note_questions(MAIL, {alert.id: "maya"}, {alert.id: NOW})
    made = store.tell(mail(), [alert.id])
    assert store.due_messages(MAIL, NOW, 10) == (made,)
    assert store.last_mails() == {"maya": None}

    assert store.message_leaves(made.id)
    assert not store.message_leaves(made.id)
    assert store.due_messages(MAIL, NOW, 10) == ()
    (leaving,) = store.leaving_messages(MAIL)
    assert (leaving.attempts, leaving.unclear) == (1, 0)

    later = NOW + timedelta(minutes=1)
    store.message_waits(made.id, later, "MailUnclear", unclear=True)
    assert store.due_messages(MAIL, NOW, 10) == ()
    assert store.due_messages(MAIL, later, 10)[0].unclear == 1
    assert store.message_leaves(made.id)
    store.message_ended(made.id, MessageState.SENT, later)
    assert store.last_mails() == {"maya": later}
    assert store.channel_figures()[MAIL].sent == 1


def test_questions_of_a_message_are_known_until_they_are_gone(store: Database, mailbox: Mailbox) -> None:
    """A message knows its questions; those of a mailbox that was removed leave nothing behind."""
    lease = claimed(store, mailbox.id)
    alerts = [asked(store, lease, name)[1] for name in "abc"]
    store.note_questions(MAIL, {each.id: "maya" for each in alerts}, {each.id: NOW for each in alerts})
    made = store.tell(mail(kind=Kind.DIGEST), [each.id for each in alerts])
    assert [each.alert_id for each in store.questions_of(made.id)] == [each.id for each in alerts]

    store.remove_mailbox(mailbox.id)

    assert store.questions_of(made.id) == ()


def test_using_one_link_uses_up_its_siblings(store: Database, mailbox: Mailbox) -> None:
    """Yes and No of one question and person work once together; those of another question stay."""
    lease = claimed(store, mailbox.id)
    first, other = (asked(store, lease, name)[1] for name in "ab")
    expires = NOW + timedelta(days=7)

    def made(digest: str, alert_id: int, answer: str) -> AnswerLink:
        return AnswerLink(
            digest=digest,
            alert_id=alert_id,
            version=1,
            answer=answer,  # type: ignore[arg-type]
            recipient="maya",
            expires=expires,
        )

    store.add_answer_links([made("y", first.id, "yes"), made("n", first.id, "no"), made("o", other.id, "no")])

    assert store.use_answer_link("y", NOW)
    assert not store.use_answer_link("y", NOW)
    assert not store.use_answer_link("n", NOW)
    assert not store.use_answer_link("forged", NOW)
    assert store.use_answer_link("o", NOW)
    found = store.answer_link("n")
    assert found is not None
    assert found.used == NOW


def test_old_messages_and_links_are_forgotten(store: Database, mailbox: Mailbox) -> None:
    """What ended a month ago goes; what still waits stays."""
    _, alert = asked(store, claimed(store, mailbox.id))
    sent, waits = store.tell(mail("a"), []), store.tell(mail("b"), [])
    store.message_ended(sent.id, MessageState.SENT, NOW)
    store.add_answer_links(
        [AnswerLink(digest="y", alert_id=alert.id, version=1, answer="yes", recipient="maya", expires=NOW)]
    )

    store.purge_messages(NOW + timedelta(days=31))

    assert [each.id for each in store.messages(MAIL)] == [waits.id]
    assert store.answer_link("y") is None


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM alert WHERE alert.state = 'open' AND question = 1",
        "SELECT id FROM told WHERE channel = 'mail' AND told.state = 'waiting'",
        "SELECT id FROM told WHERE channel = 'webhook' AND told.state = 'told'",
        "SELECT id FROM message WHERE channel = 'mail' AND (message.state = 'waiting' OR message.state = 'leaving')",
    ],
)
def test_looking_for_something_to_tell_reads_no_table_whole(store: Database, query: str) -> None:
    """The look-ups that run all the time go by an index of what is outstanding."""
    with store.reading() as connection:
        plan = " ".join(row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))

    assert "INDEX" in plan, plan


def test_settled_links_are_no_questions(store: Database, mailbox: Mailbox) -> None:
    """Links without a question are never told of."""
    store.write(claimed(store, mailbox.id), Changes(links=[link(mailbox.id)]))

    assert store.untold_questions(MAIL, 10) == ()
