"""Alerts as rows: the light form for lists of many, without a question to the CRM.

What a viewer may read is decided by the desk. It must not know where a list stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncline.desk import alerts as desk
from syncline.desk.clashing import answerable
from syncline.engine.alerts import last_offered
from syncline.engine.questions import CONFLICT
from syncline.errors import CATALOGUE
from syncline.language import _, ngettext
from syncline.ports import Alert, AlertState, Mailbox
from syncline.web.pages import telling, words
from syncline.web.pages.rendering import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One alert in a list. `state` is as `telling.state_of` says, and `status` the same in words.

    `look` is the colour of its state; `asks` says whether an answer is still taken.
    """

    id: int
    version: int
    url: str
    subject: str
    when: str
    about: str
    mailbox_id: int
    person: str
    state: str
    status: str
    look: str
    moment: datetime
    reason: str
    scheduling: bool
    asks: bool


_LOOKS = {"waiting": "wait", "lapsed": "wait", "saved": "good", "not_saved_yet": "bad"}
_NOTICES = {"error": "bad", "warning": "wait"}


def rows(visit: Visit, alerts: Iterable[Alert]) -> list[Row]:
    """Return alerts that the viewer may see as rows, in the order given."""
    shown: Sequence[Alert] = list(alerts)
    mailboxes = visit.app.store.mailboxes_by_id({alert.mailbox_id for alert in shown})
    visit.people.meet(mailbox.user for mailbox in mailboxes.values())
    return [_row(visit, alert, mailboxes[alert.mailbox_id]) for alert in shown]


def _row(visit: Visit, alert: Alert, mailbox: Mailbox) -> Row:
    catalogued = CATALOGUE[alert.code]
    look = desk.look_at(visit.viewer, mailbox, private=alert.private)
    state = telling.state_of(alert)
    in_time = alert.state is not AlertState.LAPSED or visit.times.now <= last_offered(alert)
    return Row(
        id=alert.id,
        version=alert.version,
        url=f"/alerts/{alert.id}",
        subject=telling.short(look.subject(alert.subject)) if alert.subject else _(catalogued.title),
        when=_when(visit, alert),
        about=_about(alert),
        mailbox_id=mailbox.id,
        person=visit.called(mailbox.user),
        state=state,
        status=_status(visit, alert, state),
        look=_NOTICES.get(catalogued.level.value, "") if state == "notice" else _LOOKS.get(state, ""),
        moment=alert.created if alert.state is AlertState.OPEN else alert.decided_on or alert.last_seen,
        reason=_(telling.REASONS.get(alert.reason, alert.reason)) if state in ("withdrawn", "not_saved_yet") else "",
        scheduling=alert.code == CONFLICT,
        asks=alert.code in desk.QUESTIONS and answerable(alert) and in_time,
    )


def _when(visit: Visit, alert: Alert) -> str:
    """Return the times of what waits; of a series those of the first date that overlaps."""
    if alert.span is None:
        return ""
    start, dates = alert.span.start, alert.verdict.clashing if alert.verdict is not None else ()
    if dates and alert.verdict is not None and alert.verdict.occurrences > 1:
        start = dates[0]
    return visit.times.span(start, start + (alert.span.end - alert.span.start), all_day=alert.span.all_day)


def _status(visit: Visit, alert: Alert, state: str) -> str:
    """Return the state in words, with who answered."""
    by = alert.decided_by or _("somebody")
    if state == "notice":
        return _(words.LEVELS[CATALOGUE[alert.code].level.value])
    return {
        "waiting": _("Waiting for an answer"),
        "saving": _("Saving in %(crm)s…", crm=visit.crm),
        "saved": _("Saved, %(name)s said Yes", name=by) if alert.answer == "yes" else _("Saved"),
        "not_saved_yet": _("Not saved yet, %(name)s said Yes", name=by),
        "kept_out": _("Kept out by %(name)s", name=by),
        "withdrawn": _("No answer needed any more") if alert.code in desk.QUESTIONS else _("Over"),
        "lapsed": _("Past, never answered"),
        "over": _("Answered by %(name)s", name=by),
    }[state]


def _about(alert: Alert) -> str:
    """Return who is in the way, and of a series how many dates overlap."""
    if alert.verdict is None or not alert.verdict.unavailable:
        return ""
    names = [person.full_name for person in alert.verdict.unavailable]
    said = names[0] if len(names) == 1 else _("%(name)s and %(more)s more", name=names[0], more=len(names) - 1)
    if alert.verdict.occurrences <= 1:
        return _("%(name)s is unavailable", name=said) if len(names) == 1 else _("%(name)s are unavailable", name=said)
    dates = ngettext(
        "%(clashing)s of %(num)d date", "%(clashing)s of %(num)d dates",
        alert.verdict.occurrences, clashing=len(alert.verdict.clashing),
    )  # fmt: skip
    return f"{said} · {dates}"
