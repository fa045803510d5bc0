"""Giving answers and taking them back: which words an answer has, and which dates it leaves out.

One transaction whether one question or thousands. It renders nothing, and it must not decide which answers count:
`engine.alerts` does. Who asks has made sure that the viewer may see these questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from syncline.core.leaving_out import dates_at, remains, without
from syncline.desk.clashing import candidates_of, verdicts
from syncline.desk.reading import Viewer
from syncline.engine import alerts as engine
from syncline.engine.questions import CONFLICT
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.ports import Alert, Answer, Candidate, Link

if TYPE_CHECKING:
    from syncline.wiring import App

WITHOUT_OVERLAPS = "without_overlaps"
ANSWERS: Mapping[str, Answer] = {"yes": "yes", "no": "no", WITHOUT_OVERLAPS: "yes"}
_SERIES_ONLY = noted("Only a series that overlaps in some dates can be saved without them.")


def give(
    app: App,
    viewer: Viewer,
    alert_ids: Sequence[int],
    decision: str,
    *,
    versions: engine.Versions = engine.NOT_CHECKED,
) -> list[Alert | SyncError]:
    """Answer questions: each counts or is refused alone, in the order given; their mailboxes are due at once.

    SyncError("InvalidRequest") if there is no such answer.
    """
    if decision not in ANSWERS:
        raise SyncError("InvalidRequest", detail=f"The answer is yes, no or {WITHOUT_OVERLAPS}, not {decision!r}.")
    wanted = list(dict.fromkeys(alert_ids))
    if decision == WITHOUT_OVERLAPS:
        leaving = _leaving(app, wanted)
        results = engine.save_without(app.store, app.clock, leaving, viewer.called, versions)
    else:
        results = engine.answer_all(app.store, app.clock, wanted, ANSWERS[decision], viewer.called, versions)
    app.worker.wake(sorted({each.mailbox_id for each in results if isinstance(each, Alert)}))
    return results


def take_back(app: App, viewer: Viewer, alert_ids: Sequence[int]) -> list[Alert | SyncError]:
    """Take back answers that nobody has begun to carry out: one's own, and as an administrator anybody's."""
    wanted = list(dict.fromkeys(alert_ids))
    return engine.undo_all(app.store, app.clock, wanted, viewer.called, of_others=viewer.administrator)


def can_undo(viewer: Viewer, alert: Alert) -> bool:
    """Return whether the viewer can take back the answer, as far as is known without asking the state again."""
    return engine.judge_undo(alert, viewer.called, of_others=viewer.administrator) is None


def can_leave_out(link: Link) -> bool:
    """Return whether an item can be saved without some of its dates."""
    return link.observed is not None and link.observed.recurrence is not None


def _leaving(app: App, wanted: Sequence[int]) -> Mapping[int, engine.Leaving | SyncError]:
    """Return for each question which dates clash at this moment, or why it cannot be saved without them."""
    alerts = app.store.alerts_by_id(wanted)
    mailboxes = app.store.mailboxes_by_id({each.mailbox_id for each in alerts.values()})
    found = verdicts(app, list(alerts.values()), mailboxes)
    links = app.store.links_by_id([each.link_id or 0 for each in alerts.values() if each.code == CONFLICT])
    refused = SyncError("InvalidRequest", detail=_(_SERIES_ONLY))
    leaving: dict[int, engine.Leaving | SyncError] = dict.fromkeys(wanted, refused)
    series = {link.id: link for link in links if can_leave_out(link)}
    asked = dict(zip(series, candidates_of(app, list(series.values()), mailboxes), strict=True))
    for alert in alerts.values():
        number = alert.link_id or 0
        if alert.code == CONFLICT and number in series:
            clashing = found[alert.id].clashing if alert.id in found else ()
            leaving[alert.id] = _dates(app, alert, series[number], asked[number], clashing)
    return leaving


def _dates(
    app: App, alert: Alert, link: Link, asked: Candidate, clashing: Sequence[datetime]
) -> engine.Leaving | SyncError:
    dates = dates_at(asked.appointment, clashing)
    if not dates:
        return SyncError("AnswerOutdated")  # nothing overlaps any more: the next sync saves it as it is
    rest = without(asked.appointment, dates)
    if not remains(rest, asked.since or link.first_seen, app.settings.conflict.horizon_days):
        return SyncError("NothingWouldRemain")
    return engine.Leaving(dates, alert.version)
