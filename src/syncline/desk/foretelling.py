"""What an answer rule would have answered lately, and which open questions it would answer now.

Computed from the questions themselves, in one query each; the list is masked for who looks. It must not change a rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncline.core.answering import NAMED, AnswerRule, Facts, first, in_order
from syncline.desk.alerts import look_at
from syncline.desk.finding import within
from syncline.desk.reading import Viewer
from syncline.desk.rules import DAYS, NewRule, changeable_rule, made, since
from syncline.engine import alerts as engine
from syncline.engine.questions import CONFLICT
from syncline.errors import SyncError
from syncline.language import _
from syncline.ports import Alert, AlertState
from syncline.store import Asked

if TYPE_CHECKING:
    from syncline.wiring import App

SHOWN_MAX = 20
_STANDING = {AlertState.OPEN: "open", AlertState.WITHDRAWN: "withdrawn", AlertState.LAPSED: "lapsed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForetoldQuestion:
    """One question that the rule would have answered; `outcome` is yes, no, rule, open, withdrawn or lapsed."""

    alert_id: int
    url: str
    mailbox: str
    subject: str
    start: datetime | None
    end: datetime | None
    all_day: bool
    created: datetime
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """What a rule would have answered in the last `days`: `matched` of all questions `asked`.

    Of these, people said `yes` and `no`, other rules answered `by_rules`; `open` still wait, `withdrawn` needed no
    answer, `lapsed` got none. `unknown` are old questions that nobody can judge. `items` are the newest twenty.
    """

    answer: str
    days: int
    asked: int
    matched: int
    yes: int
    no: int
    by_rules: int
    open: int
    withdrawn: int
    lapsed: int
    unknown: int
    items: tuple[ForetoldQuestion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How many open questions took an answer, and in which mailboxes (by number) it is carried out."""

    answered: int
    mailboxes: tuple[int, ...]


def preview(app: App, viewer: Viewer, wanted: NewRule) -> Foretold:
    """Return what a rule would have answered in the last 30 days, behind the rules that there are."""
    rule = made(app, viewer, wanted)
    asked = app.store.asked_since(since(app), CONFLICT, within(app, viewer))
    answers = _answers(app, rule)
    matched = [each for each in asked if answers(each)]
    many = Counter(_outcome(each) for each in matched)
    return Foretold(
        answer=rule.answer,
        days=DAYS,
        asked=len(asked),
        matched=len(matched),
        yes=many["yes"],
        no=many["no"],
        by_rules=many["rule"],
        open=many["open"],
        withdrawn=many["withdrawn"],
        lapsed=many["lapsed"],
        unknown=sum(each.facts is None for each in asked),
        items=_shown(app, viewer, matched[:SHOWN_MAX]),
    )


def matching(app: App, viewer: Viewer, rule_id: int) -> tuple[int, ...]:
    """Return the open questions that a rule would answer if they were asked now; the viewer may change the rule."""
    rule = changeable_rule(app, viewer, rule_id)
    answers = _answers(app, rule)
    return tuple(each.id for each in app.store.open_questions(CONFLICT, within(app, viewer)) if answers(each))


def answer_matching(app: App, viewer: Viewer, rule_id: int, count: int, newest: int | None = None) -> Reached:
    """Answer the open questions that a rule matches, as the viewer's own answer.

    `count` is how many he saw, `newest` the highest number among them; SyncError("InvalidRequest") if there are more
    by now, or one that came later.
    """
    rule = changeable_rule(app, viewer, rule_id)
    ids = matching(app, viewer, rule_id)
    if len(ids) > count or (newest is not None and max(ids, default=0) > newest):
        raise SyncError(
            "InvalidRequest",
            detail=_("%(now)s open questions match now, not %(count)s. Look again.", now=len(ids), count=count),
        )
    results = engine.answer_all(app.store, app.clock, ids, rule.answer, viewer.called)
    taken = [each for each in results if isinstance(each, Alert)]
    mailboxes = tuple(sorted({each.mailbox_id for each in taken}))
    app.worker.wake(mailboxes)
    return Reached(answered=len(taken), mailboxes=mailboxes)


def _answers(app: App, rule: AnswerRule) -> Callable[[Asked], bool]:
    """Return the function that says whether this rule, and none before it, answers a question."""
    rules = in_order([*(each for each in app.store.rules() if each.id != rule.id), rule])
    by_place = any(each.owner is not None or each.conditions.mailboxes for each in rules)
    known: dict[tuple[Facts, int], bool] = {}

    def answers(asked: Asked) -> bool:
        if asked.facts is None:
            return False
        # Questions are many and what they are about is much the same: each kind is judged once.
        kind = (asked.facts, asked.mailbox_id if by_place else 0)
        if kind not in known:
            known[kind] = first(rules, asked.mailbox_id, asked.user, asked.facts) is rule
        return known[kind]

    return answers


def _outcome(asked: Asked) -> str:
    standing = _STANDING.get(asked.state)
    if standing is not None:
        return standing
    return "rule" if (asked.decided_by or "").startswith(NAMED) else asked.answer or "open"


def _shown(app: App, viewer: Viewer, matched: Sequence[Asked]) -> tuple[ForetoldQuestion, ...]:
    alerts = app.store.alerts_by_id(each.id for each in matched)
    mailboxes = app.store.mailboxes_by_id({each.mailbox_id for each in matched})
    found = []
    for each in matched:
        alert, mailbox = alerts[each.id], mailboxes[each.mailbox_id]
        found.append(
            ForetoldQuestion(
                alert_id=each.id,
                url=f"/alerts/{each.id}",
                mailbox=mailbox.address,
                subject=look_at(viewer, mailbox, private=alert.private).subject(alert.subject),
                start=alert.span.start if alert.span else None,
                end=alert.span.end if alert.span else None,
                all_day=alert.span is not None and alert.span.all_day,
                created=alert.created,
                outcome=_outcome(each),
            )
        )
    return tuple(found)
