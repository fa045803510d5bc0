"""Answers: which one counts, what it changes, and that thousands are one transaction."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import event

from syncline.core.appointment import ShowAs
from syncline.core.scheduling import Clash, Unavailable, Verdict
from syncline.engine import alerts
from syncline.errors import SyncError
from syncline.ports import Alert, AlertOutcome, AlertState, Changes, LinkState, Mailbox, Profile
from syncline.store import Database
from tests.store.things import CONFLICT, KEY, NOW, asked, claimed, link, question, settled

LINK = settled(1, id=7, state=LinkState.ASKED, scheduling_digest="d1")
OPEN = question(1, 7, id=3, version=2)
CLASH = Clash(
    row_id="r",
    subject="s",
    start=NOW,
    end=NOW + timedelta(hours=1),
    show_as=ShowAs.BUSY,
    candidate_start=NOW,
)
VERDICT = Verdict(unavailable=(Unavailable(user_id="u", full_name="U", clashes=(CLASH,)),))


@dataclass(frozen=True)
class Standing:
    """A clock that shows one instant."""

    at: datetime = NOW

    def now(self) -> datetime:
        """Return the instant."""
        return self.at


@pytest.fixture
def store(tmp_path: Path) -> Database:
    """Give a database in a file, which threads may share."""
    database = Database(tmp_path / "state.db", key=KEY)
    database.migrate()
    return database


@pytest.fixture
def mailbox(store: Database) -> Mailbox:
    """Give a mailbox that is due later."""
    profile = store.add_profile(Profile(name="p", url="https://x.example", username="u"))
    later = NOW + timedelta(minutes=9)
    return store.add_mailbox(
        Mailbox(address="a@x.example", user="a", profile_id=profile.id, enabled=True, next_due=later)
    )


def _answered(answer: str) -> Alert:
    return alerts.answered(OPEN, answer, "maya", NOW)  # type: ignore[arg-type]


YES, NO = _answered("yes"), _answered("no")
LAPSED = replace(OPEN, state=AlertState.LAPSED, verdict=VERDICT)
MOVED = replace(LINK, scheduling_digest="d2")
KEPT_OUT = replace(LINK, state=LinkState.KEPT_OUT, decision="no", decided_digest="d1")
HELD = question(1, None, id=4, code="MassDeletionHeld", held=(7, 8))
IN_30_DAYS = NOW + timedelta(days=30, hours=1)


@pytest.mark.rule("Q-04")
@pytest.mark.parametrize(
    ("alert", "answer", "link_", "now", "code"),
    [
        (OPEN, "yes", LINK, NOW, None),
        (OPEN, "no", LINK, NOW, None),
        (OPEN, "yes", MOVED, NOW, None),
        (YES, "yes", LINK, NOW, "AlreadyAnswered"),
        (YES, "no", LINK, NOW, "AlreadyAnswered"),
        (NO, "no", LINK, NOW, "AlreadyAnswered"),
        (NO, "yes", KEPT_OUT, NOW, None),
        (NO, "yes", LINK, NOW, "AnswerOutdated"),
        (NO, "yes", MOVED, NOW, "AnswerOutdated"),
        (LAPSED, "yes", LINK, IN_30_DAYS, None),
        (LAPSED, "no", LINK, NOW, None),
        (LAPSED, "yes", LINK, IN_30_DAYS + timedelta(seconds=1), "AlreadyAnswered"),
        (LAPSED, "yes", MOVED, NOW, "AnswerOutdated"),
        (replace(OPEN, state=AlertState.WITHDRAWN, reason="moved"), "yes", LINK, NOW, "AlreadyAnswered"),
        (OPEN, "yes", None, NOW, "AlreadyAnswered"),
        (HELD, "yes", None, NOW, None),
        (alerts.answered(HELD, "no", "maya", NOW), "yes", None, NOW, "AlreadyAnswered"),
        (question(1, None, code="Unauthorized"), "yes", None, NOW, "InvalidRequest"),
    ],
)
def test_which_answers_count(alert: Alert, answer: str, link_: object, now: datetime, code: str | None) -> None:
    """Open questions take any answer, kept-out and lapsed ones a Yes while the digest holds, all others none."""
    error = alerts.judge(alert, link_, answer, None, now)  # type: ignore[arg-type]

    assert (error.code if error else None) == code


@pytest.mark.rule("CD-07")
def test_a_lapsed_question_is_offered_for_thirty_days() -> None:
    """The offer counts from the end of the last clash."""
    assert alerts.last_offered(LAPSED) == NOW + timedelta(days=30, hours=1)


@pytest.mark.rule("Q-07")
def test_an_answer_to_an_older_version_is_refused() -> None:
    """Who saw an older version of the question is asked to look again; an unnamed version is not checked."""
    outdated = alerts.judge(OPEN, LINK, "yes", 1, NOW)

    assert outdated is not None
    assert outdated.code == "AnswerOutdated"
    assert alerts.judge(OPEN, LINK, "yes", 2, NOW) is None
    again = alerts.judge(YES, LINK, "yes", 1, NOW)
    assert again is not None
    assert again.text == "maya answered Yes at 09:00 UTC."


@pytest.mark.rule("Q-01")
@pytest.mark.rule("SEC-12")
@pytest.mark.parametrize(("answer", "outcome"), [("yes", AlertOutcome.SAVING), ("no", AlertOutcome.KEPT_OUT)])
def test_an_answer_is_kept_and_makes_the_mailbox_due(
    store: Database, mailbox: Mailbox, answer: str, outcome: AlertOutcome
) -> None:
    """Alert, link, decision, journal and due time change together; the refused second answer changes nothing."""
    waiting, alert = asked(store, claimed(store, mailbox.id))
    result = alerts.answer(store, Standing(), alert.id, answer, "maya", alert.version)  # type: ignore[arg-type]

    stored = store.alert(alert.id)
    assert replace(stored, answers=result.answers) == result
    assert (stored.state, stored.outcome, stored.decided_by, stored.decided_on) == (
        AlertState.ANSWERED, outcome, "maya", NOW,
    )  # fmt: skip
    (answered,) = store.answered_links(mailbox.id, 10)
    assert (answered.id, answered.decision, answered.decided_digest) == (waiting.id, answer, "d1")
    assert store.mailbox(mailbox.id).next_due == NOW
    with pytest.raises(SyncError, match="AlreadyAnswered"):
        alerts.answer(store, Standing(), alert.id, "no", "jonas")
    assert [each.detail for each in store.journal(waiting.id).items] == [f"{answer} by maya"]
    with pytest.raises(SyncError, match="NotFoundHere"):
        alerts.answer(store, Standing(), 99, "no", "jonas")


@pytest.mark.rule("Q-01")
def test_of_answers_at_the_same_time_the_first_wins(store: Database, mailbox: Mailbox) -> None:
    """Of ten people who answer at the same moment one is heard and nine are told who was first."""
    _, alert = asked(store, claimed(store, mailbox.id))
    heard: list[str] = []

    def answer(by: str) -> None:
        try:
            heard.append(alerts.answer(store, Standing(), alert.id, "yes", by).decided_by or "")
        except SyncError as error:
            heard.append(error.code)

    threads = [threading.Thread(target=answer, args=(f"p{n}",)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(heard)[:9] == ["AlreadyAnswered"] * 9
    assert store.alert(alert.id).decided_by == sorted(heard)[9]


@pytest.mark.rule("Q-02")
def test_a_guards_answer_stays_on_its_question(store: Database, mailbox: Mailbox) -> None:
    """A Yes or No to a held set leaves the links as they are; No has no outcome until the cycle has dropped it."""
    lease = claimed(store, mailbox.id)
    ids = store.write(lease, Changes(links=[link(mailbox.id, name) for name in "ab"]))
    held = question(mailbox.id, None, code="MassDeletionHeld", held=ids)
    store.write(lease, Changes(alerts=[held]))
    (standing,) = store.open_alerts(mailbox.id)
    answered = alerts.answer(store, Standing(), standing.id, "no", "ines")

    assert (answered.answer, answered.outcome) == ("no", None)
    assert [each.id for each in store.open_alerts(mailbox.id)] == [standing.id]
    assert [each.decision for each in store.links_by_id(ids)] == [None, None]


def test_thousands_of_answers_are_one_transaction_and_few_statements(store: Database, mailbox: Mailbox) -> None:
    """5,000 questions are answered in one transaction whose statements grow with chunks, not with questions."""
    lease = claimed(store, mailbox.id)
    links = [
        settled(mailbox.id, str(n), state=LinkState.ASKED, scheduling_digest="d1", observed=None) for n in range(5000)
    ]
    ids = store.write(lease, Changes(links=links))
    store.write(lease, Changes(alerts=[question(mailbox.id, number) for number in ids]))
    questions = store.question_ids(mailbox.id, CONFLICT)
    statements: list[str] = []
    begun: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    event.listen(store.engine, "begin", lambda unit: begun.append(unit.get_execution_options()["syncline_begin"]))
    results = alerts.answer_all(store, Standing(), [*questions, 99_999], "yes", "maya")

    assert sum(isinstance(each, Alert) for each in results) == 5000
    assert [each.code for each in results if isinstance(each, SyncError)] == ["NotFoundHere"]
    assert begun.count("BEGIN IMMEDIATE") == 1
    assert len(statements) < 40
    assert len(store.answered_links(mailbox.id, 9999)) == 5000
