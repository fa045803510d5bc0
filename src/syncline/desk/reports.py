"""Reports for programs: links, figures, and the embedded CRM's change log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncline.desk.alerts import hidden_codes
from syncline.desk.finding import visible
from syncline.desk.mailboxes import state_of
from syncline.desk.objects import ChangeObject, LinkObject, Listing
from syncline.desk.reading import Viewer, require_administrator
from syncline.language import noted
from syncline.ports import CrmChange, Link, Mailbox
from syncline.store import Counts, Totals, shown_state

if TYPE_CHECKING:
    from syncline.wiring import App

NOTHING = Counts()
NO_CYCLES = Totals(cycles=0, processed=0, failed=0, average_s=0.0, longest_s=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxFigures:
    """Figures of one mailbox; durations in seconds over the cycles of the last thirty days."""

    mailbox: str
    state: str
    open_alerts: int
    questions: int
    failures: int
    kept_out: int
    skipped: int
    cycles: int
    processed: int
    average_s: float
    longest_s: float
    lag_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of all mailboxes that the viewer may see; `lag_s` is that of the longest waiting one."""

    mailboxes: tuple[MailboxFigures, ...]
    enabled: int
    open_alerts: int
    questions: int
    failures: int
    kept_out: int
    skipped: int
    lag_s: float


def links(
    app: App, viewer: Viewer, *, mailbox: str | None = None, after: int | None = None, limit: int = 200
) -> tuple[tuple[LinkObject, ...], int | None]:
    """Return a page of links, newest first, and the cursor of the next one."""
    mailboxes = visible(app, viewer, mailbox)
    found = app.store.links(list(mailboxes), after=after, limit=limit)
    return tuple(link_object(link, mailboxes[link.mailbox_id]) for link in found.items), found.next


def statistics(app: App, viewer: Viewer) -> Figures:
    """Return the figures over all mailboxes and for each; `open_alerts` are those that reach people (AL-04)."""
    badges, totals = app.store.counts_by_mailbox(hidden_codes(app)), app.store.totals()
    each = tuple(
        _figures(app, mailbox, badges.get(mailbox.id, NOTHING), totals.get(mailbox.id, NO_CYCLES))
        for mailbox in visible(app, viewer).values()
    )
    names = ("open_alerts", "questions", "failures", "kept_out", "skipped")
    return Figures(
        mailboxes=each,
        enabled=sum(figures.state in ("ready", "backoff") for figures in each),
        lag_s=max((figures.lag_s for figures in each), default=0.0),
        **{name: sum(getattr(figures, name) for figures in each) for name in names},
    )


def figures(app: App, mailbox: Mailbox) -> MailboxFigures:
    """Return the figures of one mailbox that the viewer was found to see."""
    badges = app.store.counts_by_mailbox(hidden_codes(app), [mailbox.id])
    return _figures(app, mailbox, badges[mailbox.id], app.store.totals([mailbox.id]).get(mailbox.id, NO_CYCLES))


def changes(app: App, viewer: Viewer, cursor: str | None, limit: int) -> Listing:
    """Return the CRM's change log since a cursor; `next` is where the next call goes on, also at the end."""
    require_administrator(viewer, noted("read the change log"))
    found = app.crm.changes(cursor, limit)
    return Listing(items=tuple(_change(change) for change in found.changes), next=found.cursor)


def _figures(app: App, mailbox: Mailbox, badges: Counts, totals: Totals) -> MailboxFigures:
    late = 0.0
    if mailbox.enabled and mailbox.next_due is not None:
        late = max(0.0, (app.clock.now() - mailbox.next_due).total_seconds())
    return MailboxFigures(
        mailbox=mailbox.address,
        state=state_of(mailbox),
        open_alerts=badges.open_alerts,
        questions=badges.questions,
        failures=badges.failures,
        kept_out=badges.kept_out,
        skipped=badges.skipped,
        cycles=totals.cycles,
        processed=totals.processed,
        average_s=totals.average_s,
        longest_s=totals.longest_s,
        lag_s=late,
    )


def link_object(link: Link, mailbox: Mailbox) -> LinkObject:
    """Return a link as programs see it."""
    return LinkObject(
        mailbox=mailbox.address,
        appointment_id=link.crm_id,
        global_object_id=link.identity.global_object_id,
        original_start=link.identity.original_start,
        state=shown_state(link).value,
        sync_error=link.sync_error,
    )


def _change(change: CrmChange) -> ChangeObject:
    return ChangeObject(
        appointment_id=change.id,
        version=change.version,
        gone=change.gone,
        global_object_id=change.identity.global_object_id if change.identity else None,
        original_start=change.identity.original_start if change.identity else None,
    )
