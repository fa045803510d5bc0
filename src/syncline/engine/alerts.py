"""Answering: which Yes or No counts, and what it changes (Q-01 to Q-07).

`judge` is pure. `answer` and `answer_all` are one transaction each: the store re-reads the question and its link, asks
`judge`, and keeps decision, answer and waking together. Carrying the answer out is the cycle's work; this module must
not know a connector or the CRM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from syncline.errors import CATALOGUE, ErrorClass, SyncError
from syncline.ports import Alert, AlertOutcome, AlertState, Answer, Clock, Link, Questions

LAPSED_OFFER_DAYS = 30

Versions = Mapping[int, int | None]
"""The versions of questions that somebody saw before he answered, by number; None or missing: not checked."""
NOT_CHECKED: Versions = {}


class Leaving(Struct, frozen=True, gc=False):
    """Which dates of a series are to be left out (original starts), and the version of the question they belong to."""

    dates: tuple[datetime, ...]
    version: int


_OUTCOMES = {"yes": AlertOutcome.SAVING, "no": AlertOutcome.KEPT_OUT}


def judge(alert: Alert, link: Link | None, answer: Answer, version: int | None, now: datetime) -> SyncError | None:
    """Return why an answer does not count, or None if it does.

    `link` is the item asked about (None if it is gone, or if the question is about many); `version` the one that the
    person saw (None: not checked). AnswerOutdated: look again. AlreadyAnswered: the question is over.
    """
    if CATALOGUE[alert.code].error_class is not ErrorClass.NEEDS_ANSWER:
        return SyncError("InvalidRequest", detail="This alert asks nothing.")
    if alert.state is AlertState.WITHDRAWN or (link is None and not alert.held):
        return SyncError("AlreadyAnswered", detail=f"No answer is needed any more. {alert.reason}".rstrip())
    over = _over(alert, link, answer, now)
    if over is not None:
        return over
    if version is not None and version != alert.version:
        return SyncError("AnswerOutdated")
    return None


def judge_undo(alert: Alert, by: str, *, of_others: bool) -> SyncError | None:
    """Return why an answer cannot be taken back by `by`, or None if it can: nobody has begun to carry it out.

    `of_others`: somebody else's answer too.
    """
    if alert.state is not AlertState.ANSWERED:
        return SyncError("NotAnswered")
    if alert.before is None or alert.outcome is AlertOutcome.SAVED:
        return SyncError("AlreadyBegun", detail=_who(alert))
    if not of_others and alert.decided_by != by:
        return SyncError("NotAllowed", detail=f"Only {alert.decided_by} or a System Administrator may take it back.")
    return None


def answered(alert: Alert, answer: Answer, by: str, now: datetime, left_out: tuple[datetime, ...] = ()) -> Alert:
    """Return the question with its answer: Yes is being saved, without the dates `left_out`, No is kept out.

    A guard's No has no outcome yet: only the cycle can drop what was held.
    """
    return replace(
        alert,
        state=AlertState.ANSWERED,
        outcome=None if alert.held and answer == "no" else _OUTCOMES[answer],
        reason="",
        answer=answer,
        decided_by=by,
        decided_on=now,
        left_out=left_out,
    )


def answer(store: Questions, clock: Clock, alert_id: int, answer: Answer, by: str, version: int | None = None) -> Alert:
    """Answer one question for the person `by` and return it as it stands then; the mailbox is due at once.

    Raises SyncError: NotFoundHere, AlreadyAnswered (the first answer wins), AnswerOutdated (Q-07), InvalidRequest.
    """
    (result,) = _decide(store, clock, [alert_id], answer, by, {alert_id: version})
    return _or_raise(result)


def answer_all(
    store: Questions,
    clock: Clock,
    alert_ids: Sequence[int],
    answer: Answer,
    by: str,
    versions: Versions = NOT_CHECKED,
) -> list[Alert | SyncError]:
    """Answer many questions in one transaction; each succeeds or fails alone, in the order given."""
    return _decide(store, clock, alert_ids, answer, by, versions)


def save_without(
    store: Questions,
    clock: Clock,
    leaving: Mapping[int, Leaving | SyncError],
    by: str,
    versions: Versions = NOT_CHECKED,
) -> list[Alert | SyncError]:
    """Answer series with Yes, without the dates that clash; in one transaction, in the order given.

    `leaving` says for each question which dates those are, or why it takes no such answer. It was found on a version
    of the question: if another one stands there, the dates are another person's to see.
    """
    now = clock.now()

    def one(alert: Alert, link: Link | None) -> Alert | SyncError:
        found = leaving[alert.id]
        refused = judge(alert, link, "yes", versions.get(alert.id), now)
        if refused is not None:
            return refused
        if isinstance(found, SyncError):
            return found
        if found.version != alert.version:
            return SyncError("AnswerOutdated")
        return answered(alert, "yes", by, now, found.dates)

    return store.decide(list(leaving), one)


def undo(store: Questions, clock: Clock, alert_id: int, by: str, *, of_others: bool = False) -> Alert:
    """Take back the answer to one question and return it as it stands then.

    Raises SyncError: NotFoundHere, NotAnswered, AlreadyBegun, NotAllowed.
    """
    (result,) = undo_all(store, clock, [alert_id], by, of_others=of_others)
    return _or_raise(result)


def undo_all(
    store: Questions, clock: Clock, alert_ids: Sequence[int], by: str, *, of_others: bool = False
) -> list[Alert | SyncError]:
    """Take back the answers to many questions in one transaction; each succeeds or fails alone, in the order given."""
    return store.take_back(alert_ids, lambda alert: judge_undo(alert, by, of_others=of_others), by, clock.now())


def _or_raise(result: Alert | SyncError) -> Alert:
    if isinstance(result, SyncError):
        raise result
    return result


def _decide(
    store: Questions, clock: Clock, alert_ids: Sequence[int], answer: Answer, by: str, versions: Versions
) -> list[Alert | SyncError]:
    now = clock.now()

    def one(alert: Alert, link: Link | None) -> Alert | SyncError:
        return judge(alert, link, answer, versions.get(alert.id), now) or answered(alert, answer, by, now)

    return store.decide(alert_ids, one)


def _over(alert: Alert, link: Link | None, answer: Answer, now: datetime) -> SyncError | None:
    """Return why a question that is answered or lapsed takes no such answer any more (Q-04, CD-07)."""
    if alert.state is AlertState.OPEN:
        return None
    if alert.state is AlertState.ANSWERED and (alert.answer == "yes" or answer == "no" or alert.held):
        return SyncError("AlreadyAnswered", detail=_who(alert))
    if alert.state is AlertState.ANSWERED:
        holds = link is not None and link.decision == "no" and link.decided_digest == alert.digest
        return None if holds else SyncError("AnswerOutdated")
    if alert.state is AlertState.LAPSED and now > last_offered(alert):
        return SyncError("AlreadyAnswered", detail=f"It ended more than {LAPSED_OFFER_DAYS} days ago.")
    if link is not None and link.scheduling_digest != alert.digest and not link.crm_id:
        return SyncError("AnswerOutdated")
    return None


def last_offered(alert: Alert) -> datetime:
    """Return until when a lapsed question still takes an answer (CD-07)."""
    people = alert.verdict.unavailable if alert.verdict else ()
    ends = [clash.end for person in people for clash in person.clashes]
    return max([alert.last_seen, *ends]) + timedelta(days=LAPSED_OFFER_DAYS)


def _who(alert: Alert) -> str:
    word = "Yes" if alert.answer == "yes" else "No"
    when = f" at {alert.decided_on:%H:%M} UTC" if alert.decided_on else ""
    return f"{alert.decided_by or 'Somebody'} answered {word}{when}."
