"""Alerts and questions: who sees them, what they say, and how they are answered.

Whether an answer counts is `engine.alerts`' decision, what a viewer may read `desk.reading`'s. A User sees and answers
the questions of his own mailbox only; a System Administrator all of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncline.core.scheduling import Verdict
from syncline.desk import answering
from syncline.desk.both_versions import masked, unnamed
from syncline.desk.clashing import Occupying, clashes, rows_of, verdicts
from syncline.desk.finding import may_see, one, visible, within
from syncline.desk.objects import AlertObject, ClashingSeries
from syncline.desk.paging import PAGE, Page, everything
from syncline.desk.reading import Sight, Viewer, sight
from syncline.desk.running import jobs_run
from syncline.desk.versions import labelled_utc
from syncline.engine.questions import CONFLICT
from syncline.errors import CATALOGUE, ErrorClass, Level, SyncError, render
from syncline.ports import Alert, AlertOutcome, AlertState, Mailbox
from syncline.store.wall import Wanted

if TYPE_CHECKING:
    from syncline.wiring import App

CARRY_OUT_S = 60.0
POLL_S = 0.1
REFUSALS = frozenset({"AlreadyAnswered", "AnswerOutdated", "NothingWouldRemain"})
QUESTIONS = frozenset(row.code for row in CATALOGUE.values() if row.error_class is ErrorClass.NEEDS_ANSWER)
NOTICES = frozenset(CATALOGUE) - QUESTIONS
_FINAL = (AlertOutcome.SAVED, AlertOutcome.KEPT_OUT, AlertOutcome.NOT_SAVED_YET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one answer: the alert as it stands now, and why the answer did not count (None: it did)."""

    alert: AlertObject
    refused: SyncError | None = None


def listing(
    app: App, viewer: Viewer, *, mailbox: str | None = None, only_open: bool | None = None
) -> list[AlertObject]:
    """Return all alerts, see `page`."""
    return everything(lambda after: page(app, viewer, mailbox=mailbox, only_open=only_open, after=after, limit=PAGE))


def page(
    app: App,
    viewer: Viewer,
    *,
    mailbox: str | None = None,
    only_open: bool | None = None,
    after: int | None = None,
    limit: int = 200,
) -> Page[AlertObject, int]:
    """Return alerts newest first, each question by itself; `only_open` True: open ones, False: the others.

    A User gets notices of the levels that the settings let reach users (AL-04); questions always.
    """
    hidden = frozenset() if viewer.administrator else hidden_codes(app)
    mailboxes = visible(app, viewer, mailbox)
    states = [state for state in AlertState if only_open is None or (state is AlertState.OPEN) is only_open]
    found = app.store.alert_page(list(mailboxes), states, hidden=hidden, after=after, limit=limit)
    return Page(items=tuple(objects(app, viewer, found.items, mailboxes)), next=found.next)


def show(app: App, viewer: Viewer, alert_id: int) -> AlertObject:
    """Return one alert with what is in the way now; SyncError("NotFoundHere") if the viewer may not see it."""
    alert, mailbox = visible_alert(app, viewer, alert_id)
    return objects(app, viewer, [alert], {mailbox.id: mailbox})[0]


def answer(app: App, viewer: Viewer, alert_id: int, decision: str, *, version: int | None = None) -> Answered:
    """Answer one question; the mailbox is due at once. `version` is that of the alert that the person saw (Q-07)."""
    visible_alert(app, viewer, alert_id)
    (result,) = answering.give(app, viewer, [alert_id], decision, versions={alert_id: version})
    return Answered(alert=show(app, viewer, alert_id), refused=_refusal(result))


def answer_ids(app: App, viewer: Viewer, alert_ids: Sequence[int], decision: str) -> list[Answered]:
    """Give many questions the same answer in one transaction; each counts or is refused alone."""
    wanted = _visible(app, viewer, alert_ids)
    return _answered(app, viewer, wanted, answering.give(app, viewer, wanted, decision))


def undo(app: App, viewer: Viewer, alert_ids: Sequence[int]) -> list[Answered]:
    """Take back answers that nobody has begun to carry out, in one transaction; each is refused alone."""
    wanted = _visible(app, viewer, alert_ids)
    return _answered(app, viewer, wanted, answering.take_back(app, viewer, wanted))


def answer_code(app: App, viewer: Viewer, mailbox: str, code: str, decision: str) -> list[Answered]:
    """Answer every open question of a mailbox with this code."""
    own = one(app, viewer, mailbox)
    return answer_ids(app, viewer, app.store.question_ids(own.id, code), decision)


def answer_like(app: App, viewer: Viewer, alert_id: int, decision: str) -> list[Answered]:
    """Answer every open question of the same mailbox and code as this one."""
    alert, mailbox = visible_alert(app, viewer, alert_id)
    return answer_code(app, viewer, str(mailbox.id), alert.code, decision)


def carry_out(app: App, given: Sequence[Answered], wait_s: float = CARRY_OUT_S) -> None:
    """See the answers through: by the server that runs, waiting for the outcome, else by running the mailboxes here."""
    saving = [each.alert.id for each in given if each.refused is None and each.alert.outcome == "saving"]
    mailboxes = {alert_id: app.store.mailbox(app.store.alert(alert_id).mailbox_id) for alert_id in saving}
    # A mailbox that is switched off carries its answers out once it is enabled again.
    waiting = {alert_id for alert_id in saving if mailboxes[alert_id].enabled}
    if not jobs_run(app.data):
        app.worker.run_now(sorted({mailboxes[alert_id].id for alert_id in waiting}))
        return
    end = time.monotonic() + wait_s
    while waiting and time.monotonic() < end:
        time.sleep(POLL_S)
        standing = app.store.alerts_by_id(waiting).values()
        # What was taken back, or went away in Outlook, has no outcome to wait for.
        waiting = {each.id for each in standing if each.state is AlertState.ANSWERED and each.outcome not in _FINAL}


def objects(app: App, viewer: Viewer, alerts: Sequence[Alert], mailboxes: Mapping[int, Mailbox]) -> list[AlertObject]:
    """Return alerts as the viewer may read them; what is in the way is asked once for all of them."""
    return _objects(app, viewer, alerts, mailboxes, verdicts(app, alerts, mailboxes))


def _objects(
    app: App,
    viewer: Viewer,
    alerts: Sequence[Alert],
    mailboxes: Mapping[int, Mailbox],
    found: Mapping[int, Verdict],
) -> list[AlertObject]:
    rows = rows_of(app, list(found.values()))
    return [_object(app, viewer, alert, mailboxes[alert.mailbox_id], found.get(alert.id), rows) for alert in alerts]


def look_at(viewer: Viewer, mailbox: Mailbox, *, private: bool) -> Sight:
    """Decide how much of a waiting item of a mailbox the viewer may read."""
    return sight(viewer, owners=(mailbox.user, mailbox.address), people=(), private=private)


def _object(
    app: App,
    viewer: Viewer,
    alert: Alert,
    mailbox: Mailbox,
    verdict: Verdict | None,
    rows: Occupying,
) -> AlertObject:
    look = look_at(viewer, mailbox, private=alert.private)
    verdict = verdict or Verdict()
    series = None
    if verdict.occurrences > 1:
        series = ClashingSeries(occurrences=verdict.occurrences, clashing=verdict.clashing)
    return AlertObject(
        id=alert.id,
        mailbox=mailbox.address,
        code=alert.code,
        level=CATALOGUE[alert.code].level.value,
        text=text_of(app, alert, look),
        subject=look.subject(alert.subject) if alert.subject else "",
        start=alert.span.start if alert.span else None,
        end=alert.span.end if alert.span else None,
        state=alert.state.value,
        outcome=alert.outcome.value if alert.outcome else None,
        decided_by=alert.decided_by,
        decided_on=alert.decided_on,
        created=alert.created,
        last_seen=alert.last_seen,
        count=alert.count,
        version=alert.version,
        url=f"/alerts/{alert.id}",
        unavailable=tuple(person.full_name for person in verdict.unavailable),
        series=series,
        clashes=clashes(viewer, verdict, rows),
        left_out=alert.left_out,
        can_undo=answering.can_undo(viewer, alert),
    )


def text_of(app: App, alert: Alert, look: Sight) -> str:
    """Return the published sentence of an alert; the scheduling one names its error code too (AL-08)."""
    params = {"crm": app.settings.crm.name, **alert.params}
    if "subject" in params:
        params["subject"] = look.subject(params["subject"])
    text = render(alert.code, unnamed(alert.code, masked(params, look, labelled_utc), look))
    return f"{text} Email Server Error Code: {alert.code}" if alert.code == CONFLICT else text


def hidden_codes(app: App) -> frozenset[str]:
    """Return the codes of notices whose level the settings keep from people (AL-04); questions always reach them."""
    levels = app.settings.alerts
    shown = {Level.ERROR: levels.error, Level.WARNING: levels.warning, Level.INFORMATION: levels.information}
    return frozenset(code for code in NOTICES if not shown[CATALOGUE[code].level])


def visible_alert(app: App, viewer: Viewer, alert_id: int) -> tuple[Alert, Mailbox]:
    """Return an alert and its mailbox; SyncError("NotFoundHere") if the viewer may not see it."""
    alert = app.store.alert(alert_id)
    mailbox = app.store.mailbox(alert.mailbox_id)
    if not may_see(viewer, mailbox):
        raise SyncError("NotFoundHere", detail=f"alert {alert_id}")
    return alert, mailbox


def _visible(app: App, viewer: Viewer, alert_ids: Sequence[int]) -> list[int]:
    """Return the alerts wanted, each once; SyncError("NotFoundHere") if the viewer may not see one of them."""
    wanted = list(dict.fromkeys(alert_ids))
    seen = dict(app.store.chosen(Wanted(mailbox_ids=within(app, viewer), state=None, ids=tuple(wanted))))
    missing = next((alert_id for alert_id in wanted if alert_id not in seen), None)
    if missing is not None:
        raise SyncError("NotFoundHere", detail=f"alert {missing}")
    return wanted


def _answered(app: App, viewer: Viewer, wanted: Sequence[int], results: Sequence[Alert | SyncError]) -> list[Answered]:
    """Return the alerts as they stand now, with what was in the way when they were asked: nothing is checked anew."""
    standing = {result.id: result for result in results if isinstance(result, Alert)}
    standing |= app.store.alerts_by_id([alert_id for alert_id in wanted if alert_id not in standing])
    mailboxes = app.store.mailboxes_by_id({alert.mailbox_id for alert in standing.values()})
    found = {alert.id: alert.verdict for alert in standing.values() if alert.verdict is not None}
    shown = _objects(app, viewer, [standing[alert_id] for alert_id in wanted], mailboxes, found)
    return [
        Answered(alert=alert, refused=result if isinstance(result, SyncError) else None)
        for alert, result in zip(shown, results, strict=True)
    ]


def _refusal(result: Alert | SyncError) -> SyncError | None:
    """Return why an answer does not count as the question stands; what was never a possible answer is an error."""
    if isinstance(result, SyncError) and result.code not in REFUSALS:
        raise result
    return result if isinstance(result, SyncError) else None
