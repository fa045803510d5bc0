"""Rows of the Failures page and of a mailbox's Failures tab: the item, its error, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import Request

from syncline.desk import failures as desk
from syncline.desk.failures import Standing
from syncline.desk.objects import FailureObject
from syncline.engine.alerts import last_offered
from syncline.language import noted
from syncline.ports import Alert, AlertState, LinkState
from syncline.web.pages.rendering import Visit
from syncline.web.pages.tables import Asked, Column, Pages, Table
from syncline.web.pages.troubles import Trouble, trouble_of

STATES = ("open", "waiting", "failed", "kept_out", "skipped", "all")
MAILBOX = Column(title=noted("Mailbox"), sort="mailbox")
COLUMNS = (
    Column(title=noted("Item Subject"), sort="subject"),
    Column(title=noted("Sync Error"), sort="sync_error"),
    Column(title=noted("Last Sync Error Time"), sort="last_sync_error_time", falls=True),
    Column(title=noted("Retries"), sort="retries", number=True, falls=True),
    MAILBOX,
    Column(title=noted("State"), sort="state"),
    Column(title=noted("Next try"), sort="next_try"),
)
TABLE = Table(path="/failures", columns=COLUMNS, sort="", descending=True, states=STATES, state="open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One failure; `answer` leads to its question (with `answer_word`), `can_retry` says whether it is tried again."""

    failure: FailureObject
    mailbox_id: int
    next_try: datetime | None
    trouble: Trouble | None
    answer: str | None
    answer_word: str
    can_retry: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A page of failures, and where it stands among all."""

    rows: tuple[Row, ...]
    pages: Pages

    @property
    def asked(self) -> Asked:
        """Return what was asked."""
        return self.pages.asked


def of_all(visit: Visit, request: Request) -> Failing:
    """Return the failures that are asked for, of every mailbox or of the one named in the address."""
    mailbox = request.query_params.get("mailbox", "")
    table = replace(TABLE, kept={"mailbox": mailbox}) if mailbox else TABLE
    return _failing(visit, table.asked(request), mailbox or None)


def of_mailbox(visit: Visit, request: Request, mailbox_id: int) -> Failing:
    """Return the failures of one mailbox for its form."""
    columns = tuple(column for column in COLUMNS if column is not MAILBOX)
    path = f"/mailboxes/{mailbox_id}"
    table = replace(TABLE, path=path, columns=columns, states=STATES, state="all", kept={"tab": "failures"})
    return _failing(visit, table.asked(request), str(mailbox_id))


def _failing(visit: Visit, asked: Asked, mailbox: str | None) -> Failing:
    found, pages = asked.read(lambda wanted: desk.table(visit.app, visit.viewer, wanted, mailbox))
    questions = visit.app.store.alerts_of_links([each.item.id for each in found])
    rows = tuple(_row(visit, each, questions.get(each.item.id)) for each in found)
    return Failing(rows=rows, pages=pages)


def _row(visit: Visit, standing: Standing, question: Alert | None) -> Row:
    item, link = standing.item, standing.link
    word = _answer_word(visit, item, question)
    runs = link.state is LinkState.FAILED and standing.mailbox.enabled
    return Row(
        failure=item,
        mailbox_id=standing.mailbox.id,
        next_try=link.next_try if runs else None,
        trouble=trouble_of(item.sync_error, standing.params) if item.sync_error else None,
        answer=f"/alerts/{question.id}" if question is not None and word else None,
        answer_word=word,
        can_retry=runs,
    )


def _answer_word(visit: Visit, item: FailureObject, question: Alert | None) -> str:
    """Return what can be answered: a question that still can be, or what was kept out and can come in."""
    if question is None:
        return ""
    if item.state == "waiting" and question.state in (AlertState.OPEN, AlertState.LAPSED):
        late = question.state is AlertState.LAPSED and visit.times.now > last_offered(question)
        return "" if late else noted("Answer")
    if item.state == "kept_out" and question.state is AlertState.ANSWERED:
        return noted("Change to Yes")
    return ""
