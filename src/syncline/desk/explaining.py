"""Why an item did or did not sync: its state, the rules that decided, and when it is tried next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncline.desk import trash, unlinked
from syncline.desk.alerts import look_at
from syncline.desk.finding import within
from syncline.desk.objects import TrashObject
from syncline.desk.reading import Sight, Viewer, sight_of
from syncline.desk.standing_sides import Sides, sides_of, standing, told
from syncline.engine.observing import tracking_category
from syncline.errors import CATALOGUE, SyncError, filled
from syncline.language import _, ngettext, noted
from syncline.ports import Link, LinkState, Mailbox
from syncline.store import shown_state

if TYPE_CHECKING:
    from syncline.wiring import App

STORIES_MAX = 20
NAMED_MAX = 5
LINES_MAX = 100
STATES = {
    LinkState.SETTLED: noted("is in {crm}"),
    LinkState.UNSETTLED: noted("is about to be synchronized"),
    LinkState.ASKED: noted("waits for an answer"),
    LinkState.KEPT_OUT: noted("is kept out of {crm} by an answer"),
    LinkState.PARKED: noted("stays at its old time in {crm} by an answer"),
    LinkState.FAILED: noted("failed"),
    LinkState.SKIPPED: noted("is left out by a rule"),
}


# The journal's own words as people understand them.
WORDS = {
    "linked": noted("found in the CRM"),
    "unlinked": noted("kept in step no longer"),
    "observed in the CRM": noted("changed in the CRM"),
    "waits for another mailbox": noted("waits for the answer in another mailbox"),
    "saved": noted("saved"),
    "saved anyway": noted("saved anyway"),
    "updated": noted("updated"),
    "canceled": noted("canceled"),
    "deleted": noted("deleted"),
    "restored": noted("restored from the trash"),
    "asked": noted("asked"),
    "answered": noted("answered"),
    "answer taken back": noted("answer taken back"),
    "answer void": noted("answer void"),
    "question withdrawn": noted("question withdrawn"),
    "kept out": noted("kept out"),
    "failed": noted("failed"),
    "skipped": noted("left out"),
    "ignored": noted("left out until it changes"),
    "retry": noted("tried again"),
    "untracked": noted("tracked no longer"),
    "settled": noted("nothing to do"),
    "row changed meanwhile": noted("changed in the CRM meanwhile"),
    "both sides changed, Exchange wins": noted("both sides changed, Exchange wins"),
    "both sides changed, the CRM wins": noted("both sides changed, the CRM wins"),
    "dates have no place in the moved series": noted("changed dates have no place in the moved series"),
    "made in Outlook": noted("made in Outlook"),
    "updated in Outlook": noted("updated in Outlook"),
    "deleted in Outlook": noted("deleted in Outlook"),
    "second item deleted in Outlook": noted("a second one, made by mistake, deleted in Outlook"),
    "untracked in Outlook": noted("tracked in Outlook no longer"),
    "tracked again in Outlook": noted("tracked again in Outlook"),
    "item changed meanwhile": noted("changed in Outlook meanwhile"),
    "dropped by an answer": noted("left as it is by an answer"),
    "moved": noted("moved to another folder"),
}
_MAILED = re.compile(r"^(request|update|cancellation) to (\S+)$")
MAILED = {
    "request": noted("invitation to %(to)s"),
    "update": noted("update to %(to)s"),
    "cancellation": noted("cancellation to %(to)s"),
}
_OF_FILES = ("D-05", "D-06")
"""Lines whose details name files: those are a part of what the appointment says, as its description is."""
DETAILS = (noted("by setting"), noted("more dates overlap by now"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened to an item; `rule` is an id such as CD-07, or empty."""

    time: datetime
    action: str
    rule: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What Syncline knows of one item: a sentence, its state, the newest rules first, and the next try.

    `sides` says how far both sides are dealt with, and `revisions` the same in words; None of what has no link.
    """

    subject: str
    mailbox: str
    state: str
    sync_error: str | None
    appointment_id: str | None
    global_object_id: str
    next_try: datetime | None
    text: str
    lines: tuple[Line, ...]
    sides: Sides | None = None
    revisions: tuple[str, ...] = ()


def explain(app: App, viewer: Viewer, words: str) -> list[Story]:
    """Return the stories of the items whose subject or ids fit, newest first.

    Who may only read the times of an item does not find it by its subject.
    """
    wanted = words.strip()
    if not wanted:
        return []
    links = app.store.find_links(wanted, STORIES_MAX, mailbox_ids=within(app, viewer))
    mailboxes = app.store.mailboxes_by_id({link.mailbox_id for link in links})
    stories = [
        _story(app, viewer, link, mailboxes[link.mailbox_id])
        for link in links
        if _may_find(viewer, link, mailboxes[link.mailbox_id], wanted)
    ]
    thrown = [_thrown(each) for each in trash.named(app, viewer, wanted, STORIES_MAX)]
    return [*stories, *thrown] or _entered_here(app, viewer, wanted)


def unknown(app: App, viewer: Viewer, words: str) -> str:
    """Say why Syncline may know nothing of an item: what a mailbox does not track is not read."""
    text = _('Syncline follows no item called "%(words)s".', words=words.strip())
    by_category = app.store.addresses_by_category(within(app, viewer), NAMED_MAX + 1)
    if by_category:
        if len(by_category) > NAMED_MAX:
            by_category = (*by_category[:NAMED_MAX], "…")
        category = tracking_category(app.settings.crm.name)
        row = CATALOGUE["NotTracked"]
        said = _(
            'An item of %(mailboxes)s without the category "%(category)s" is not tracked (%(code)s, rule L-04).',
            mailboxes=", ".join(by_category),
            category=category,
            code=row.code,
        )
        text = f"{text} {said} {_(row.what_to_do)}"
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
        text=" ".join(
            (
                _('"%(subject)s" was entered in %(crm)s and is in no mailbox.', subject=subject, crm=crm),
                *unlinked.reasons(app, viewer, row),
            )
        ),
        lines=(),
    )
    return [story]


def _thrown(entry: TrashObject) -> Story:
    """Tell of an appointment that is in the trash: why it went, and how it comes back or who brought it back."""
    away, back = WORDS["deleted"], WORDS["restored"]
    gone = Line(time=entry.deleted_on, action=_(away), detail=entry.text)
    if entry.restored_on is None:
        said = _(
            '"%(subject)s" of %(mailbox)s is in the trash as number %(number)s. %(why)s It can be restored until '
            "%(time)s UTC.",
            subject=entry.subject,
            mailbox=entry.mailbox,
            number=entry.id,
            why=entry.text,
            time=f"{entry.kept_until:%Y-%m-%d %H:%M}",
        )
        lines: tuple[Line, ...] = (gone,)
    else:
        by = _("by %(name)s", name=entry.restored_by or "")
        lines = (Line(time=entry.restored_on, action=_(back), detail=by), gone)
        said = _(
            '"%(subject)s" of %(mailbox)s was in the trash as number %(number)s. %(why)s %(name)s restored it on '
            "%(time)s UTC, as a new appointment.",
            subject=entry.subject,
            mailbox=entry.mailbox,
            number=entry.id,
            why=entry.text,
            name=entry.restored_by or "",
            time=f"{entry.restored_on:%Y-%m-%d %H:%M}",
        )
    return Story(
        subject=entry.subject,
        mailbox=entry.mailbox,
        state="trashed" if entry.restored_on is None else "restored",
        sync_error=None,
        appointment_id=entry.appointment_id,
        global_object_id="",
        next_try=None,
        text=said,
        lines=lines,
    )


def _may_find(viewer: Viewer, link: Link, mailbox: Mailbox, words: str) -> bool:
    named = words in (link.identity.global_object_id, link.crm_id, link.ref, str(link.id))
    return named or not look_at(viewer, mailbox, private=link.private).masked


def _story(app: App, viewer: Viewer, link: Link, mailbox: Mailbox) -> Story:
    look = look_at(viewer, mailbox, private=link.private)
    state = shown_state(link)
    lines = tuple(
        Line(
            time=entry.time,
            action=_(WORDS.get(entry.action, entry.action)),
            rule=entry.rule,
            detail="" if entry.rule in _OF_FILES and not look.body else _detail(entry.detail, look),
        )
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
        sides=sides_of(link),
        revisions=tuple(told(sides_of(link))),
    )


def _detail(detail: str, look: Sight) -> str:
    """Return the detail of a journal line in words; who was mailed is not told to who may not read the people."""
    if detail in DETAILS:
        return _(detail)
    parts = [_MAILED.match(part) for part in detail.split("; ")]
    found = [part for part in parts if part is not None]
    if not found or len(found) < len(parts):
        return detail
    if look.masked:
        return ngettext("%(num)d mail", "%(num)d mails", len(found))
    return ", ".join(_(MAILED[part[1]], to=part[2]) for part in found)


def _text(app: App, link: Link, mailbox: Mailbox, look: Sight, state: LinkState) -> str:
    crm = app.settings.crm.name
    parts = [
        _(
            '"%(subject)s" of %(mailbox)s %(state)s.',
            subject=look.subject(link.subject),
            mailbox=mailbox.address,
            state=_(STATES[state]).format(crm=crm),
        )
    ]
    if link.left_out:
        parts.append(_left_out(app, link))
    if link.sync_error is not None:
        params = {"crm": crm, **link.error_params, "subject": look.subject(link.subject)}
        row = SyncError(link.sync_error).row
        parts.append(f"{link.sync_error}: {filled(_(row.text), params)} {_(row.what_to_do)}")
    parts += standing(app, link)
    if not mailbox.enabled:
        parts.append(_("The mailbox is not enabled."))
    again = _next_try(link, mailbox)
    if again is not None:
        parts.append(_("Next try: %(time)s UTC.", time=f"{again:%Y-%m-%d %H:%M:%S}"))
    return " ".join(parts)


def _left_out(app: App, link: Link) -> str:
    """Say which dates of a series are not in the CRM, and who decided that; of a copy another mailbox knows it."""
    dates = ", ".join(f"{start:%Y-%m-%d %H:%M} UTC" for start in link.left_out)
    crm, many = app.settings.crm.name, len(link.left_out)
    found = app.store.left_out_by(link.id)
    if found is None:
        return ngettext(
            "%(dates)s is left out of %(crm)s by an answer.",
            "%(dates)s are left out of %(crm)s by an answer.",
            many,
            dates=dates,
            crm=crm,
        )
    return ngettext(
        "%(dates)s is left out of %(crm)s: %(name)s answered so on %(day)s.",
        "%(dates)s are left out of %(crm)s: %(name)s answered so on %(day)s.",
        many,
        dates=dates,
        crm=crm,
        name=found[0],
        day=f"{found[1]:%Y-%m-%d}",
    )


def _next_try(link: Link, mailbox: Mailbox) -> datetime | None:
    if not mailbox.enabled:
        return None
    if link.state is LinkState.FAILED:
        return link.next_try
    if link.next_try is not None:
        return max(link.next_try, mailbox.next_due or link.next_try)
    waits = link.state is LinkState.UNSETTLED or (link.state is LinkState.SETTLED and sides_of(link).crm_waits)
    return mailbox.next_due if waits else None
