"""The transaction in which questions are answered, for one or for thousands, and the notices about a mailbox.

Answers are judged by the caller (engine/alerts.py) on what stands in the database at that moment. It must not know
which answers are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, bindparam, func, insert, select, update

from syncline.errors import SyncError
from syncline.ports import Alert, AlertState, Before, Entry, Link
from syncline.store.connection import Connected
from syncline.store.leases import wake
from syncline.store.links import chunks
from syncline.store.rows import (
    ALERT,
    LIGHT_LINK,
    alert_values,
    decision_values,
    to_alert,
    to_link,
    waits_for_engine,
)
from syncline.store.schema import alert, decision, journal, link, told
from syncline.store.writing import count_again, entry_values

Judge = Callable[[Alert, Link | None], Alert | SyncError]

_ANSWER_ALERT = (
    update(alert)
    .where(alert.c.id == bindparam("at"))
    .values(
        state=AlertState.ANSWERED,
        outcome=bindparam("new_outcome", type_=alert.c.outcome.type),
        reason=bindparam("new_reason", type_=alert.c.reason.type),
        answer=bindparam("new_answer", type_=alert.c.answer.type),
        decided_by=bindparam("new_decided_by", type_=alert.c.decided_by.type),
        decided_on=bindparam("new_decided_on", type_=alert.c.decided_on.type),
        left_out=bindparam("new_left_out", type_=alert.c.left_out.type),
        before=bindparam("new_before", type_=alert.c.before.type),
        answers=bindparam("new_answers", type_=alert.c.answers.type),
        pending=1,
    )
)
_ANSWER_LINK = (
    update(link)
    .where(link.c.id == bindparam("at"))
    .values(
        decision=bindparam("new_decision", type_=link.c.decision.type),
        decision_by=bindparam("new_decision_by", type_=link.c.decision_by.type),
        decided_digest=bindparam("new_decided_digest", type_=link.c.decided_digest.type),
        decided_left_out=bindparam("new_decided_left_out", type_=link.c.decided_left_out.type),
        answers=bindparam("new_answers", type_=link.c.answers.type),
        answered=1,
    )
)
_ALERT_BEFORE = ("state", "outcome", "reason", "answer", "decided_by", "decided_on", "left_out", "pending", "answers")
_LINK_BEFORE = ("decision", "decision_by", "decided_digest", "decided_left_out", "answered")
_RESTORE_ALERT = (
    update(alert)
    .where(alert.c.id == bindparam("at"))
    .values({name: bindparam(f"old_{name}", type_=alert.c[name].type) for name in _ALERT_BEFORE} | {"before": None})
)
_RESTORE_LINK = (
    update(link)
    .where(link.c.id == bindparam("at"))
    .values(
        {name: bindparam(f"old_{name}", type_=link.c[name].type) for name in _LINK_BEFORE}
        | {"answers": bindparam("old_link_answers", type_=link.c.answers.type)}
    )
)


class Answers(Connected):
    """Answers to questions, and notices."""

    def decide(self, alert_ids: Sequence[int], judge: Judge) -> list[Alert | SyncError]:
        """Re-read the questions in one transaction, let `judge` answer each, and store what it answered.

        The result has one entry per id, in order: the answered alert, or why it was not answered.
        """
        wanted = list(dict.fromkeys(alert_ids))
        with self.writing() as connection:
            alerts = {each.id: each for part in chunks(wanted) for each in _alerts(connection, part)}
            links = _links(connection, [each.link_id for each in alerts.values() if each.link_id is not None])
            verdicts: dict[int, Alert | SyncError] = {
                number: judge(alerts[number], links.get(alerts[number].link_id or 0))
                if number in alerts
                else SyncError("NotFoundHere", detail=f"alert {number}")
                for number in wanted
            }
            answered = [each for each in verdicts.values() if isinstance(each, Alert)]
            if answered:
                verdicts |= {each.id: each for each in _record(connection, answered, alerts, links)}
        return [verdicts[number] for number in alert_ids]

    def take_back(
        self, alert_ids: Sequence[int], judge: Callable[[Alert], SyncError | None], by: str, now: datetime
    ) -> list[Alert | SyncError]:
        """Take back the answers of these questions in one transaction, if `judge` has nothing against it.

        The result has one entry per id, in order: the question as it stands again, or why not.
        """
        wanted = list(dict.fromkeys(alert_ids))
        with self.writing() as connection:
            alerts = {each.id: each for part in chunks(wanted) for each in _alerts(connection, part)}
            verdicts: dict[int, Alert | SyncError] = {
                number: SyncError("NotFoundHere", detail=f"alert {number}") for number in wanted
            }
            verdicts |= {number: judge(each) or _as_before(each) for number, each in alerts.items()}
            undone = [alerts[number] for number, each in verdicts.items() if isinstance(each, Alert)]
            if undone:
                _restore(connection, undone, by, now)
        return [verdicts[number] for number in alert_ids]

    def left_out_by(self, link_id: int) -> tuple[str, datetime] | None:
        """Return who decided last that dates of an item are left out, and when; None if nobody did."""
        query = select(decision.c.decided_by, decision.c.time).where(
            decision.c.link_id == link_id, decision.c.left_out.is_not(None), ~decision.c.undone
        )
        with self.reading() as connection:
            row = connection.execute(query.order_by(decision.c.id.desc()).limit(1)).first()
        return None if row is None else (row.decided_by, row.time)

    def report(self, value: Alert) -> int:
        """Open an alert, or count it on the open one of the same mailbox, link and code (AL-10); return its id."""
        with self.writing() as connection:
            counted = count_again(connection, value)
            if counted is not None:
                return counted
            statement = insert(alert).values(alert_values(value)).returning(alert.c.id)
            return int(connection.execute(statement).scalar_one())

    def notice(self, mailbox_id: int, code: str) -> Alert | None:
        """Return the open alert of the mailbox itself with this code."""
        own = (alert.c.mailbox_id == mailbox_id, alert.c.link_id.is_(None), alert.c.code == code)
        with self.reading() as connection:
            query = select(*ALERT).where(*own, alert.c.state == AlertState.OPEN).order_by(alert.c.id.desc()).limit(1)
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else to_alert(row)  # type: ignore[arg-type]

    def withdraw_notices(self, mailbox_id: int, reason: str) -> None:
        """Withdraw the open alerts of the mailbox itself; questions and alerts of items stay."""
        with self.writing() as connection:
            own = (alert.c.mailbox_id == mailbox_id, alert.c.link_id.is_(None), alert.c.question == 0)
            statement = update(alert).where(*own, alert.c.state == AlertState.OPEN)
            connection.execute(statement.values(state=AlertState.WITHDRAWN, reason=reason))


def _alerts(connection: Connection, ids: list[int]) -> list[Alert]:
    rows = connection.execute(select(*ALERT).where(alert.c.id.in_(ids))).mappings()
    return [to_alert(row) for row in rows]  # type: ignore[arg-type]


def _links(connection: Connection, ids: list[int]) -> dict[int, Link]:
    parts = (select(*LIGHT_LINK).where(link.c.id.in_(part)) for part in chunks(ids))
    rows = (row for part in parts for row in connection.execute(part).mappings())
    return {row["id"]: to_link(row) for row in rows}  # type: ignore[arg-type]


def _record(
    connection: Connection, answered: Sequence[Alert], alerts: Mapping[int, Alert], links: Mapping[int, Link]
) -> list[Alert]:
    """Store the answers and return the questions as they stand then.

    An answer has the number of its decision, which no other has ever had. What is taken back gets its old number
    again, because it is what it was: whoever read it before the answer has missed nothing.
    """
    first = int(connection.scalar(select(func.coalesce(func.max(decision.c.id), 0))) or 0) + 1
    stored = [
        replace(each, answers=number, before=_before(alerts[each.id], links.get(each.link_id or 0)))
        for number, each in enumerate(answered, first)
    ]
    connection.execute(insert(decision), [decision_values(each) | {"id": each.answers} for each in stored])
    connection.execute(_ANSWER_ALERT, [_alert_answer(each) for each in stored])
    carried = [_link_answer(each, links[each.link_id]) for each in stored if each.link_id and each.link_id in links]
    if carried:
        connection.execute(_ANSWER_LINK, carried)
    connection.execute(insert(journal), [entry_values(_entry(each)) for each in stored])
    now = max(each.decided_on for each in stored if each.decided_on is not None)
    wake(connection, sorted({each.mailbox_id for each in stored}), now)
    return stored


def _before(old: Alert, item: Link | None) -> Before:
    """Return what an answer replaces."""
    known = Before(
        state=old.state,
        outcome=old.outcome,
        reason=old.reason,
        answer=old.answer,
        decided_by=old.decided_by,
        decided_on=old.decided_on,
        left_out=old.left_out,
        answers=old.answers,
    )
    if item is None:
        return known
    return replace(
        known,
        pending=int(old.state is AlertState.ANSWERED and waits_for_engine(item)),
        decision=item.decision,
        decision_by=item.decision_by,
        decided_digest=item.decided_digest,
        decided_left_out=item.decided_left_out,
        answered=int(waits_for_engine(item)),
        link_answers=item.answers,
    )


def _as_before(each: Alert) -> Alert:
    """Return an answered question as it stood before its answer."""
    assert each.before is not None, "the judge has looked"
    old = {name: getattr(each.before, name) for name in _ALERT_BEFORE if name != "pending"}
    return replace(each, before=None, **old)


def _restore(connection: Connection, undone: Sequence[Alert], by: str, now: datetime) -> None:
    taken = {"undone": True, "decided_by": by, "time": now}
    connection.execute(insert(decision), [decision_values(each) | taken for each in undone])
    values = [(each, {f"old_{name}": value for name, value in asdict(each.before).items()}) for each in undone]  # type: ignore[arg-type]
    connection.execute(_RESTORE_ALERT, [_only(old, _ALERT_BEFORE, each.id) for each, old in values])
    of_links = [
        _only(old, (*_LINK_BEFORE, "link_answers"), each.link_id) for each, old in values if each.link_id is not None
    ]
    if of_links:
        connection.execute(_RESTORE_LINK, of_links)
    _tell_again(connection, [each.id for each in undone if each.before and each.before.state is AlertState.OPEN])
    lines = [replace(_entry(each), time=now, action="answer taken back") for each in undone]
    noted = [replace(line, detail=f"{line.detail}, taken back by {by}") for line in lines]
    connection.execute(insert(journal), [entry_values(line) for line in noted])


def _tell_again(connection: Connection, ids: Sequence[int]) -> None:
    """Let those who were told that these questions are over, or not told because they were, be told that they wait."""
    for part in chunks(ids):
        over = (told.c.alert_id.in_(part), told.c.state.in_(("over", "dropped")), told.c.recipient != "")
        connection.execute(update(told).where(*over).values(state="waiting", message_id=None))


def _only(old: Mapping[str, Any], names: Sequence[str], at: int) -> dict[str, Any]:
    return {f"old_{name}": old[f"old_{name}"] for name in names} | {"at": at}


def _alert_answer(each: Alert) -> dict[str, Any]:
    names = ("outcome", "reason", "answer", "decided_by", "decided_on", "left_out", "before", "answers")
    return {f"new_{name}": getattr(each, name) for name in names} | {"at": each.id}


def _link_answer(each: Alert, asked: Link) -> dict[str, Any]:
    """An answer binds to the digest that was asked about (Q-02); a guard's stays on its alert."""
    return {
        "new_decision": each.answer,
        "new_decision_by": each.decided_by,
        "new_decided_digest": each.digest or asked.scheduling_digest,
        "new_decided_left_out": each.left_out,
        "new_answers": each.answers,
        "at": asked.id,
    }


def _without(each: Alert) -> str:
    return f" without {', '.join(f'{start:%Y-%m-%d %H:%M}' for start in each.left_out)} UTC" if each.left_out else ""


def _entry(each: Alert) -> Entry:
    assert each.decided_on is not None
    return Entry(
        time=each.decided_on,
        mailbox_id=each.mailbox_id,
        link_id=each.link_id,
        action="answered",
        rule="Q-02",
        detail=f"{each.answer}{_without(each)} by {each.decided_by}",
    )
