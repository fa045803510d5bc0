"""Rows of the Failures page and of a mailbox's Failures tab: the item, its error, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from syncline.desk import failures as desk
from syncline.desk.objects import FailureObject
from syncline.engine.alerts import last_offered
from syncline.ports import Alert, AlertState, Link, LinkState, Mailbox
from syncline.store import FAILURE_STATES
from syncline.web.pages.rendering import Visit
from syncline.web.pages.words import FAILURE_STATES as WORDS

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One failure; `answer` leads to its question (with `answer_word`), `can_retry` says whether it is tried again."""

    failure: FailureObject
    state: str
    mailbox_id: int
    next_try: datetime | None
    text: str
    what_to_do: str
    answer: str | None
    answer_word: str
    can_retry: bool


def rows(
    visit: Visit, mailbox: str | None, *, every: bool, after: int | None = None, only: str | None = None
) -> tuple[list[Row], int | None]:
    """Return a page of failures, newest first, and the number to go on below; `only` keeps one state."""
    wanted, following = _wanted(visit, mailbox, every=every, after=after, only=only)
    ids = [item.id for item in wanted]
    links = {link.id: link for link in visit.app.store.links_by_id(ids)}
    questions = visit.app.store.alerts_of_links(ids)
    boxes = {box.id: box for box in visit.app.store.mailboxes()}
    made = [
        _row(visit, item, links[item.id], boxes[links[item.id].mailbox_id], questions.get(item.id))
        for item in wanted
        if item.id in links
    ]
    return made, following


def _wanted(
    visit: Visit, mailbox: str | None, *, every: bool, after: int | None, only: str | None
) -> tuple[list[FailureObject], int | None]:
    """Read on until a page holds something of the state that is wanted."""
    while True:
        found = desk.page(visit.app, visit.viewer, mailbox=mailbox, every=every, after=after, limit=PAGE)
        wanted = [item for item in found.items if only is None or item.state == only]
        if wanted or found.next is None:
            return wanted, found.next
        after = found.next


def _row(visit: Visit, item: FailureObject, link: Link, mailbox: Mailbox, question: Alert | None) -> Row:
    text, what_to_do = desk.what_to_do(visit.app, visit.viewer, item.id)
    word = ""
    if question is not None and item.state == "waiting" and question.state in (AlertState.OPEN, AlertState.LAPSED):
        late = question.state is AlertState.LAPSED and visit.times.now > last_offered(question)
        word = "" if late else "Answer"
    elif question is not None and item.state == "kept_out" and question.state is AlertState.ANSWERED:
        word = "Change to Yes"
    failed = link.state is LinkState.FAILED
    return Row(
        failure=item,
        state=WORDS[FAILURE_STATES.get(link.state, "failed")],
        mailbox_id=mailbox.id,
        next_try=link.next_try if failed and mailbox.enabled else None,
        text=text,
        what_to_do=what_to_do,
        answer=f"/alerts/{question.id}" if question is not None and word else None,
        answer_word=word,
        can_retry=failed and mailbox.enabled,
    )
