"""Why an item did or did not sync: its state, the rules that decided, and when it is tried next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncline.desk.alerts import look_at
from syncline.desk.finding import visible
from syncline.desk.reading import Sight, Viewer, sight_of
from syncline.engine.observing import tracking_category
from syncline.errors import CATALOGUE, SyncError, render
from syncline.ports import Link, LinkState, Mailbox, Track
from syncline.store import shown_state

if TYPE_CHECKING:
    from syncline.wiring import App

STORIES_MAX = 20
LINES_MAX = 100
STATES = {
    LinkState.SETTLED: "is in {crm}",
    LinkState.UNSETTLED: "is about to be synchronized",
    LinkState.ASKED: "waits for an answer",
    LinkState.KEPT_OUT: "is kept out of {crm} by an answer",
    LinkState.PARKED: "stays at its old time in {crm} by an answer",
    LinkState.FAILED: "failed",
    LinkState.SKIPPED: "is left out by a rule",
}


# The journal's own words that people would not understand.
WORDS = {
    "linked": "found in the CRM",
    "unlinked": "kept in step no longer",
    "observed in the CRM": "changed in the CRM",
    "waits for another mailbox": "waits for the answer in another mailbox",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened to an item; `rule` is an id such as CD-07, or empty."""

    time: datetime
    action: str
    rule: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What Syncline knows of one item: a sentence, its state, the newest rules first, and the next try."""

    subject: str
    mailbox: str
    state: str
    sync_error: str | None
    appointment_id: str | None
    global_object_id: str
    next_try: datetime | None
    text: str
    lines: tuple[Line, ...]


def explain(app: App, viewer: Viewer, words: str) -> list[Story]:
    """Return the stories of the items whose subject or ids fit, newest first.

    Who may only read the times of an item does not find it by its subject.
    """
    mailboxes = visible(app, viewer)
    wanted = words.strip()
    if not wanted:
        return []
    stories = [
        _story(app, viewer, link, mailboxes[link.mailbox_id])
        for link in app.store.find_links(wanted, STORIES_MAX)
        if link.mailbox_id in mailboxes and _may_find(viewer, link, mailboxes[link.mailbox_id], wanted)
    ]
    return stories or _entered_here(app, viewer, wanted)


def unknown(app: App, viewer: Viewer, words: str) -> str:
    """Say why Syncline may know nothing of an item: what a mailbox does not track is not read."""
    text = f'Syncline follows no item called "{words.strip()}".'
    by_category = [each.address for each in visible(app, viewer).values() if each.track is Track.CATEGORY]
    if by_category:
        category = tracking_category(app.settings.crm.name)
        row = CATALOGUE["NotTracked"]
        text += f' An item of {", ".join(by_category)} without the category "{category}" is not tracked'
        text += f" ({row.code}, rule L-04). {row.what_to_do}"
    return text


def _entered_here(app: App, viewer: Viewer, words: str) -> list[Story]:
    """Tell of an appointment that no mailbox brought: somebody entered it in the CRM."""
    row = app.crm.read([words]).get(words)
    if row is None:
        return []
    look = sight_of(viewer, row.appointment, row.owner)
    subject = look.subject(row.appointment.subject)
    crm = app.settings.crm.name
    story = Story(
        subject=subject,
        mailbox="",
        state=LinkState.UNSETTLED.value,
        sync_error=None,
        appointment_id=row.id,
        global_object_id="" if look.masked else row.appointment.identity.global_object_id,
        next_try=None,
        text=f'"{subject}" was entered in {crm} and is in no mailbox. What is entered there is not sent to Exchange.',
        lines=(),
    )
    return [story]


def _may_find(viewer: Viewer, link: Link, mailbox: Mailbox, words: str) -> bool:
    named = words in (link.identity.global_object_id, link.crm_id, link.ref, str(link.id))
    return named or not look_at(viewer, mailbox, private=link.private).masked


def _story(app: App, viewer: Viewer, link: Link, mailbox: Mailbox) -> Story:
    look = look_at(viewer, mailbox, private=link.private)
    state = shown_state(link)
    lines = tuple(
        Line(time=entry.time, action=WORDS.get(entry.action, entry.action), rule=entry.rule, detail=entry.detail)
        for entry in app.store.journal(link.id, limit=LINES_MAX).items
    )
    return Story(
        subject=look.subject(link.subject),
        mailbox=mailbox.address,
        state=state.value,
        sync_error=link.sync_error,
        appointment_id=link.crm_id,
        global_object_id="" if look.masked else link.identity.global_object_id,
        next_try=_next_try(link, mailbox),
        text=_text(app, link, mailbox, look, state),
        lines=lines,
    )


def _text(app: App, link: Link, mailbox: Mailbox, look: Sight, state: LinkState) -> str:
    crm = app.settings.crm.name
    parts = [f'"{look.subject(link.subject)}" of {mailbox.address} {STATES[state].format(crm=crm)}.']
    if link.left_out:
        parts.append(_left_out(app, link))
    if link.sync_error is not None:
        params = {"crm": crm, **link.error_params, "subject": look.subject(link.subject)}
        row = SyncError(link.sync_error).row
        parts.append(f"{link.sync_error}: {render(link.sync_error, params)} {row.what_to_do}")
    if not mailbox.enabled:
        parts.append("The mailbox is not enabled.")
    again = _next_try(link, mailbox)
    if again is not None:
        parts.append(f"Next try: {again:%Y-%m-%d %H:%M:%S} UTC.")
    return " ".join(parts)


def _left_out(app: App, link: Link) -> str:
    """Say which dates of a series are not in the CRM, and who decided that; of a copy another mailbox knows it."""
    dates = ", ".join(f"{start:%Y-%m-%d %H:%M} UTC" for start in link.left_out)
    text = f"{dates} {'is' if len(link.left_out) == 1 else 'are'} left out of {app.settings.crm.name}"
    found = app.store.left_out_by(link.id)
    return f"{text}: {found[0]} answered so on {found[1]:%Y-%m-%d}." if found is not None else f"{text} by an answer."


def _next_try(link: Link, mailbox: Mailbox) -> datetime | None:
    if not mailbox.enabled:
        return None
    if link.state is LinkState.FAILED:
        return link.next_try
    return mailbox.next_due if link.state is LinkState.UNSETTLED else None
