"""Questions as the cycle sees them: opened, refreshed, withdrawn, lapsed, carried out.

Answering is `engine.alerts`; here is only what a cycle writes about a question (Q-01 to Q-08). Pure over values.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from syncline.core.scheduling import Verdict
from syncline.engine.deciding import Decided
from syncline.engine.run import Run
from syncline.errors import SyncError
from syncline.ports import Alert, AlertOutcome, AlertState

CONFLICT = "ExchangeSyncSchedulingConflictsError"


def asked(run: Run, decided: Decided, verdict: Verdict) -> Alert:
    """Return the question about an unavailable person: a new one, or the open one brought up to date (AL-10)."""
    now = run.now()
    link = decided.link
    standing = decided.alert if decided.alert and decided.alert.state is AlertState.OPEN else None
    seen = replace(
        standing or Alert(mailbox_id=run.mailbox.id, link_id=link.id, code=CONFLICT, created=now, last_seen=now),
        subject=link.subject,
        span=decided.candidate.span if decided.candidate else None,
        private=link.private,
        params={"subject": link.subject, "crm": run.rules.crm_name, "user": unavailable(verdict)},
        verdict=verdict,
        digest=decided.digest,
    )
    if standing is None:
        return seen
    version = standing.version if seen == standing else standing.version + 1
    return replace(seen, last_seen=now, count=standing.count + 1, version=version)


def unavailable(verdict: Verdict) -> str:
    """Return the first unavailable person's name and how many more there are (CD-12)."""
    names = [person.full_name for person in verdict.unavailable]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def withdrawn(run: Run, alert: Alert, reason: str) -> Alert:
    """Return a question that nobody needs to answer any more (Q-01)."""
    return ended(alert, reason, run.now())


def ended(alert: Alert, reason: str, now: datetime) -> Alert:
    """Return an alert as withdrawn at `now`."""
    over = replace(alert, state=AlertState.WITHDRAWN, outcome=None, reason=reason)
    return replace(over, last_seen=now, version=alert.version + 1)


def carried_out(run: Run, alert: Alert, outcome: AlertOutcome) -> Alert:
    """Return an answered question whose answer has been carried out."""
    return replace(alert, outcome=outcome, reason="", last_seen=run.now(), version=alert.version + 1)


def closed(run: Run, alert: Alert, reason: str, *, saved: bool) -> Alert:
    """Return the question after its item was dealt with: carried out if it was saved after a Yes, else withdrawn."""
    if saved and alert.state is AlertState.ANSWERED and alert.answer == "yes":
        return carried_out(run, alert, AlertOutcome.SAVED)
    return withdrawn(run, alert, reason)


def not_yet(alert: Alert, error: SyncError) -> Alert:
    """Return an answered question that could not be carried out now, with the reason in words."""
    return replace(alert, outcome=AlertOutcome.NOT_SAVED_YET, reason=error.text, version=alert.version + 1)


def lapsed(run: Run, alert: Alert) -> Alert | None:
    """Return the question as lapsed if its last clashing occurrence has ended unanswered (CD-07), else None.

    Where the past is checked too, a question about something that had ended before it was asked stays open: no time
    has passed over it.
    """
    if alert.state is not AlertState.OPEN or alert.verdict is None:
        return None
    end = last_clash(alert.verdict)
    if end is None or end > run.now() or (run.rules.conflict.check_past and end <= alert.created):
        return None
    return replace(alert, state=AlertState.LAPSED, reason="It has ended.", version=alert.version + 1)


def last_clash(verdict: Verdict) -> datetime | None:
    """Return the instant at which the last clash of a verdict is over."""
    return max((clash.end for person in verdict.unavailable for clash in person.clashes), default=None)
