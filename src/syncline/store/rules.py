"""Answer rules as they are kept and ordered, and what was asked lately, for their preview.

It must not know when a rule answers: core/answering.py does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import IntegrityError

from syncline.core.answering import NAMED, AnswerRule, Facts, in_order
from syncline.errors import SyncError
from syncline.ports import AlertState
from syncline.store.codec import decode
from syncline.store.connection import Connected
from syncline.store.schema import alert, answer_rule, mailbox

RULE_FIELDS = AnswerRule.__struct_fields__
_RULE = tuple(answer_rule.c[name] for name in RULE_FIELDS)
_FOR_ENGINE = select(*_RULE).where(
    answer_rule.c.enabled, answer_rule.c.owner.is_(None) | (answer_rule.c.owner == bindparam("user"))
)
# Said as the partial index says it, so that the query planner sees it.
_QUESTION = literal_column("alert.question") == literal_column("1")


class Asked(Struct, frozen=True, kw_only=True):
    """One question as far as rules ask; `user` is whose mailbox it is, `facts` None if nobody noted them then."""

    id: int
    mailbox_id: int
    user: str
    facts: Facts | None
    state: AlertState
    answer: str | None
    decided_by: str | None


# Facts and states as they stand: thousands of questions share a handful of them, and each is decoded once.
_ASKED = (
    alert.c.id,
    alert.c.mailbox_id,
    mailbox.c.user,
    type_coerce(alert.c.facts, Text),
    type_coerce(alert.c.state, Text),
    alert.c.answer,
    alert.c.decided_by,
)
_STATES = {state.value: state for state in AlertState}


class AnswerRules(Connected):
    """The answer rules."""

    def rules(self) -> tuple[AnswerRule, ...]:
        """Return all rules in the order in which they are asked."""
        with self.reading() as connection:
            return tuple(in_order(_rules(connection)))

    def answer_rules(self, user: str) -> tuple[AnswerRule, ...]:
        """Return the enabled rules for the mailboxes of a user, in the order in which they are asked."""
        with self.reading() as connection:
            rows = connection.execute(_FOR_ENGINE, {"user": user}).mappings()
            return tuple(in_order(AnswerRule(**row) for row in rows))

    def add_rule(self, value: AnswerRule) -> AnswerRule:
        """Store a new rule as the last of its group; SyncError("AlreadyExists") if the name is taken."""
        values = {name: getattr(value, name) for name in RULE_FIELDS if name != "id"}
        with self.writing() as connection:
            values["position"] = 1 + len(_group(connection, value.owner))
            try:
                number = connection.execute(insert(answer_rule).values(values).returning(answer_rule.c.id)).scalar_one()
            except IntegrityError as error:
                raise SyncError("AlreadyExists", detail=f"A rule {value.name}") from error
        return replace(value, id=number, position=values["position"])

    def change_rule(self, rule_id: int, *, enabled: bool | None = None, position: int | None = None) -> AnswerRule:
        """Switch a rule on or off, or move it inside its group (1 is first); SyncError("NotFoundHere")."""
        with self.writing() as connection:
            found = _one(connection, rule_id)
            if enabled is not None:
                connection.execute(update(answer_rule).where(answer_rule.c.id == rule_id).values(enabled=enabled))
            if position is not None:
                others = [number for number in _group(connection, found.owner) if number != rule_id]
                others.insert(max(0, position - 1), rule_id)
                _number(connection, others)
            return _one(connection, rule_id)

    def remove_rule(self, rule_id: int) -> None:
        """Forget a rule; what it answered stays answered."""
        with self.writing() as connection:
            found = _one(connection, rule_id)
            connection.execute(delete(answer_rule).where(answer_rule.c.id == rule_id))
            _number(connection, _group(connection, found.owner))

    def asked_since(self, since: datetime, code: str, mailbox_ids: Collection[int] | None = None) -> tuple[Asked, ...]:
        """Return the questions of a code that were opened since then, newest first, in one query."""
        where = [_QUESTION, alert.c.created >= since, alert.c.code == code]
        return self._asked(where, mailbox_ids)

    def open_questions(self, code: str, mailbox_ids: Collection[int] | None = None) -> tuple[Asked, ...]:
        """Return the open questions of a code, newest first, in one query."""
        where: list[ColumnElement[bool]] = [
            _QUESTION,
            literal_column("alert.state") == literal_column("'open'"),
            alert.c.link_id.is_not(None),
            alert.c.code == code,
        ]
        return self._asked(where, mailbox_ids)

    def answered_by_rules(self, since: datetime, mailbox_ids: Collection[int] | None = None) -> Mapping[str, int]:
        """Return how many questions opened since then each rule has answered, by the rule's name."""
        where = [_QUESTION, alert.c.created >= since, alert.c.decided_by.startswith(NAMED, autoescape=True)]
        if mailbox_ids is not None:
            where.append(alert.c.mailbox_id.in_(sorted(mailbox_ids)))
        query = select(alert.c.decided_by, func.count()).where(*where).group_by(alert.c.decided_by)
        with self.reading() as connection:
            return {by.removeprefix(NAMED): many for by, many in connection.execute(query)}

    def _asked(self, where: list[ColumnElement[bool]], mailbox_ids: Collection[int] | None) -> tuple[Asked, ...]:
        if mailbox_ids is not None:
            where.append(alert.c.mailbox_id.in_(sorted(mailbox_ids)))
        with self.reading() as connection:
            query = select(*_ASKED).join(mailbox, mailbox.c.id == alert.c.mailbox_id).where(*where)
            rows = connection.execute(query.order_by(alert.c.id.desc())).all()
        known: dict[str | None, Facts | None] = {text: decode(text, Facts) for text in {row[3] for row in rows} if text}
        return tuple(
            Asked(
                id=number,
                mailbox_id=mailbox_id,
                user=user,
                facts=known.get(facts),
                state=_STATES[state],
                answer=answer,
                decided_by=by,
            )
            for number, mailbox_id, user, facts, state, answer, by in rows
        )


def _rules(connection: Connection, *where: ColumnElement[bool]) -> list[AnswerRule]:
    rows: list[Any] = list(connection.execute(select(*_RULE).where(*where)).mappings())
    return [AnswerRule(**row) for row in rows]


def _one(connection: Connection, rule_id: int) -> AnswerRule:
    found = _rules(connection, answer_rule.c.id == rule_id)
    if not found:
        raise SyncError("NotFoundHere", detail=f"rule {rule_id}")
    return found[0]


def _group(connection: Connection, owner: str | None) -> list[int]:
    """Return the ids of everybody's rules, or of one user's own, in their order."""
    own = answer_rule.c.owner.is_not_distinct_from(owner)
    order = (answer_rule.c.position, answer_rule.c.id)
    return list(connection.scalars(select(answer_rule.c.id).where(own).order_by(*order)))


def _number(connection: Connection, ids: Sequence[int]) -> None:
    """Give rules their positions in this order."""
    for position, number in enumerate(ids, start=1):
        connection.execute(update(answer_rule).where(answer_rule.c.id == number).values(position=position))
