"""The transaction in which questions are answered, for one or for thousands, and the notices about a mailbox.

Answers are judged by the caller (engine/alerts.py) on what stands in the database at that moment. It must not know
which answers are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from syncline.errors import SyncError
from syncline.ports import Alert, AlertState, Entry, Link
from syncline.store.connection import Connected
from syncline.store.leases import wake
from syncline.store.links import chunks
from syncline.store.rows import ALERT, LIGHT_LINK, alert_values, decision_values, to_alert, to_link
from syncline.store.schema import alert, decision, journal, link
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
        answers=alert.c.answers + 1,
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
        answers=link.c.answers + 1,
        answered=1,
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
                _record(connection, answered, links)
        return [verdicts[number] for number in alert_ids]

    def report(self, value: Alert) -> int:
        """Open an alert, or count it on the open one of the same mailbox, link and code (AL-10); return its id."""
        with self.writing() as connection:
            counted = count_again(connection, value)
            if counted is not None:
                return counted
            statement = insert(alert).values(alert_values(value)).returning(alert.c.id)
            return int(connection.execute(statement).scalar_one())

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


def _record(connection: Connection, answered: list[Alert], links: dict[int, Link]) -> None:
    connection.execute(insert(decision), [decision_values(each) for each in answered])
    connection.execute(_ANSWER_ALERT, [_alert_answer(each) for each in answered])
    carried = [_link_answer(each, links[each.link_id]) for each in answered if each.link_id in links]
    if carried:
        connection.execute(_ANSWER_LINK, carried)
    connection.execute(insert(journal), [entry_values(_entry(each)) for each in answered])
    now = max(each.decided_on for each in answered if each.decided_on is not None)
    wake(connection, sorted({each.mailbox_id for each in answered}), now)


def _alert_answer(each: Alert) -> dict[str, Any]:
    names = ("outcome", "reason", "answer", "decided_by", "decided_on")
    return {f"new_{name}": getattr(each, name) for name in names} | {"at": each.id}


def _link_answer(each: Alert, asked: Link) -> dict[str, Any]:
    """An answer binds to the digest that was asked about (Q-02); a guard's stays on its alert."""
    return {
        "new_decision": each.answer,
        "new_decision_by": each.decided_by,
        "new_decided_digest": each.digest or asked.scheduling_digest,
        "at": asked.id,
    }


def _entry(each: Alert) -> Entry:
    assert each.decided_on is not None
    return Entry(
        time=each.decided_on,
        mailbox_id=each.mailbox_id,
        link_id=each.link_id,
        action="answered",
        rule="Q-02",
        detail=f"{each.answer} by {each.decided_by}",
    )
