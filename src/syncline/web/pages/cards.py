"""The card: everything one alert shows, as one value that the template only lays out.

What a viewer may read is decided by the desk; this module adds what the question is about (show as, where, who) under
the same decision, and puts states and consequences into words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from markupsafe import Markup

from syncline.core.appointment import Appointment
from syncline.core.scheduling import Verdict
from syncline.desk import alerts as desk
from syncline.desk.finding import visible
from syncline.desk.objects import AlertObject, Clash
from syncline.engine.alerts import last_offered
from syncline.engine.questions import CONFLICT
from syncline.errors import CATALOGUE, ErrorClass
from syncline.ports import Alert, AlertState, Link, Mailbox
from syncline.web.pages import words
from syncline.web.pages.drawing import Beside, scene_of
from syncline.web.pages.rendering import Visit
from syncline.web.picture import draw, lasting

STILL_WORKING = timedelta(seconds=30)
ALSO_WAITING_MAX = 3
NEIGHBOURS_MAX = 100
_BUSY_STATES = ("saving", "working")


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheWay:
    """One appointment in the way; `where` leads to it in the Calendar."""

    subject: str
    when: str
    show_as: str
    overlap: str
    user: str
    where: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One alert as a person sees it.

    `state` is waiting, saving, working (saving for long), saved, kept_out, not_saved_yet, withdrawn, lapsed, over
    (answered otherwise) or notice. `facts` are when, show as, where and who. `can_yes` says
    whether there are buttons. `hints` are further ways out; `dates` the clashing dates of a series.
    """

    id: int
    version: int
    code: str
    level: str
    state: str
    title: str
    url: str
    mailbox: str
    mailbox_id: int
    person: str
    facts: tuple[str, ...]
    sentence: str
    what_to_do: str
    status: str
    reason: str
    created: datetime
    start: datetime | None
    question: bool
    scheduling: bool
    can_yes: bool
    yes_means: str
    no_means: str
    series: str
    dates: tuple[str, ...]
    in_the_way: tuple[InTheWay, ...] = ()
    unclear: bool = False
    also_waiting: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    picture: Markup | None = None
    appointment_id: str | None
    in_calendar: str | None

    @property
    def under_way(self) -> bool:
        """Return whether the answer is being carried out."""
        return self.state in _BUSY_STATES


def card(visit: Visit, alert_id: int) -> Card:
    """Return one alert; SyncError("NotFoundHere") if the viewer may not see it."""
    shown = desk.show(visit.app, visit.viewer, alert_id)
    return _cards(visit, [visit.app.store.alert(alert_id)], {alert_id: shown})[0]


def page(
    visit: Visit,
    mailbox: str | None,
    *,
    only_open: bool,
    without: frozenset[str] = frozenset(),
    after: int | None = None,
    limit: int = 20,
) -> tuple[list[Card], int | None]:
    """Return a page of alerts but those with the codes `without`, newest first, and the number to go on below."""
    mailboxes = visible(visit.app, visit.viewer, mailbox)
    states = [state for state in AlertState if (state is AlertState.OPEN) is only_open]
    hidden = desk.hidden_codes(visit.app) | without
    found = visit.app.store.alert_page(list(mailboxes), states, hidden=hidden, after=after, limit=limit)
    return several(visit, found.items), found.next


def several(visit: Visit, alerts: Sequence[Alert]) -> list[Card]:
    """Return alerts that the viewer may see as cards, in the order given; one question to the CRM for all of them."""
    mailboxes = visit.app.store.mailboxes_by_id({alert.mailbox_id for alert in alerts})
    shown = desk.objects(visit.app, visit.viewer, alerts, mailboxes)
    return _cards(visit, alerts, {each.id: each for each in shown})


def _cards(visit: Visit, alerts: Sequence[Alert], shown: Mapping[int, AlertObject]) -> list[Card]:
    app = visit.app
    links = {link.id: link for link in app.store.links_by_id([a.link_id for a in alerts if a.link_id is not None])}
    mailboxes = app.store.mailboxes_by_id({alert.mailbox_id for alert in alerts})
    made = []
    for alert in alerts:
        link = links.get(alert.link_id or 0)
        made.append(_card(visit, alert, shown[alert.id], mailboxes[alert.mailbox_id], link))
    return made


def _card(visit: Visit, alert: Alert, shown: AlertObject, mailbox: Mailbox, link: Link | None) -> Card:
    """Return one alert as a card; what clashes is drawn and listed only while Yes can still be said."""
    row = CATALOGUE[alert.code]
    scheduling = alert.code == CONFLICT
    question = alert.code in desk.QUESTIONS
    state = _state(visit, alert, question=question)
    can_yes = state in ("waiting", "kept_out") or (state == "lapsed" and visit.times.now <= last_offered(alert))
    crm_id = link.crm_id if link is not None else None
    made = Card(
        id=alert.id,
        version=alert.version,
        code=alert.code,
        level=words.LEVELS[shown.level],
        state=state,
        title=shown.subject or row.title,
        url=shown.url,
        mailbox=mailbox.address,
        mailbox_id=mailbox.id,
        person=visit.called(mailbox.user),
        facts=_facts(visit, alert, shown, mailbox, link),
        sentence=shown.text.partition(" Email Server Error Code:")[0],
        what_to_do=row.what_to_do,
        status=_status(visit, alert, state, mailbox),
        reason=alert.reason,
        created=alert.created,
        start=shown.start,
        question=question,
        scheduling=scheduling,
        can_yes=can_yes,
        yes_means=_yes_means(visit, shown, scheduling=scheduling, moved=crm_id is not None),
        no_means=_no_means(visit, shown, scheduling=scheduling, moved=crm_id is not None),
        series=_series(shown),
        dates=tuple(visit.times.date_and_time(at) for at in shown.series.clashing) if shown.series else (),
        appointment_id=crm_id,
        in_calendar=in_calendar(visit, crm_id, shown.start),
    )
    return _with_clashes(made, visit, alert, shown, mailbox) if scheduling and can_yes else made


def _with_clashes(card: Card, visit: Visit, alert: Alert, shown: AlertObject, mailbox: Mailbox) -> Card:
    """Add what is in the way, drawn and in words, and the ways out."""
    all_day = bool(alert.span and alert.span.all_day)
    others = _neighbours(visit, alert, mailbox)
    hours = visit.app.settings.calendar.hours()
    scene = scene_of(shown, others, crm=visit.crm, zone=visit.times.zone, hours=hours, all_day=all_day)
    return replace(
        card,
        in_the_way=tuple(_in_the_way(visit, shown, clash, all_day=all_day) for clash in shown.clashes),
        unclear=not shown.clashes,
        also_waiting=tuple(other.subject for other in others),
        hints=_hints(visit, alert, shown, mailbox),
        picture=draw(scene) if scene is not None else None,
    )


def in_calendar(visit: Visit, appointment_id: str | None, start: datetime | None) -> str | None:
    """Return the path to an appointment's place in the Calendar."""
    if appointment_id is None or start is None:
        return None
    return f"/calendar?week={visit.times.date(start)}#a-{appointment_id}"


def _state(visit: Visit, alert: Alert, *, question: bool) -> str:
    """Return the state in one word; see `Card`."""
    if not question:
        return "notice" if alert.state is AlertState.OPEN else "withdrawn"
    if alert.state is not AlertState.ANSWERED:
        return {AlertState.OPEN: "waiting", AlertState.WITHDRAWN: "withdrawn"}.get(alert.state, "lapsed")
    if alert.outcome is None:
        return "over"
    if alert.outcome.value == "saving" and alert.decided_on is not None:
        return "working" if visit.times.now - alert.decided_on > STILL_WORKING else "saving"
    return alert.outcome.value


def _status(visit: Visit, alert: Alert, state: str, mailbox: Mailbox) -> str:
    """Return the line that opens the card: the state, and since when or by whom."""
    times, by = visit.times, alert.decided_by or "somebody"
    decided = times.moment(alert.decided_on) if alert.decided_on else ""
    next_try = f"; next try {times.clock(mailbox.next_due)}" if mailbox.next_due and mailbox.enabled else ""
    return {
        "waiting": f"Waiting for an answer · since {times.moment(alert.created)}",
        "saving": f"Saving in {visit.crm}…",
        "working": "Still working, you can leave this page",
        "saved": f"Saved {decided} by {by}" if alert.answer == "yes" else "Saved",
        "kept_out": f"Kept out {decided} by {by}",
        "not_saved_yet": f"Answered Yes {decided} by {by}, not saved yet{next_try}",
        "withdrawn": "No answer needed any more" if _asks(alert) else "Over",
        "lapsed": f"Past and never answered; not in {visit.crm}",
        "over": f"Answered {decided} by {by}",
        "notice": f"{words.LEVELS[CATALOGUE[alert.code].level.value]} · since {times.moment(alert.created)}",
    }[state]


def _asks(alert: Alert) -> bool:
    return CATALOGUE[alert.code].error_class is ErrorClass.NEEDS_ANSWER


def _facts(visit: Visit, alert: Alert, shown: AlertObject, mailbox: Mailbox, link: Link | None) -> tuple[str, ...]:
    """Return when, show as, where and who, as far as the viewer may read them."""
    if alert.span is None:
        return ()
    facts = [visit.times.span(alert.span.start, alert.span.end, all_day=alert.span.all_day)]
    content = link.observed if link is not None else None
    look = desk.look_at(visit.viewer, mailbox, private=alert.private)
    if shown.series is not None:
        facts[0] += f", repeats {words.count(shown.series.occurrences, 'time')}"
    if content is None or look.masked:
        return tuple(facts)
    facts.append(words.SHOW_AS[content.show_as.value])
    if look.body and content.location:
        facts.append(content.location)
    return (*facts, *_people(visit, content))


def _people(visit: Visit, content: Appointment) -> list[str]:
    said = []
    if content.organizer is not None:
        names = {email: user.full_name for user in visit.people.values() for email in user.emails}
        organizer = content.organizer
        said.append(f"organised by {names.get(organizer.address) or organizer.name or organizer.address}")
    known = {email for user in visit.people.values() for email in user.emails}
    guests = [a for a in content.attendees if content.organizer is None or a.address != content.organizer.address]
    outside = sum(guest.address not in known for guest in guests)
    if guests:
        away = "" if outside == len(guests) else f", {outside}"
        said.append(words.count(len(guests), "guest") + (f"{away} outside the firm" if outside else ""))
    return said


def _series(shown: AlertObject) -> str:
    if shown.series is None:
        return ""
    clashing, total = len(shown.series.clashing), shown.series.occurrences
    return f"{clashing:,} of {total:,} dates {'overlaps' if clashing == 1 else 'overlap'}"


def _yes_means(visit: Visit, shown: AlertObject, *, scheduling: bool, moved: bool) -> str:
    if not scheduling:
        return "Carry it out."
    if shown.series is not None:
        what = f"Save all {shown.series.occurrences:,} dates in {visit.crm}, those that overlap too."
    elif moved:
        what = f"Save the change in {visit.crm} beside what is in the way."
    else:
        what = f"Save it in {visit.crm} beside the other."
    return f"{what} Nothing is moved, nothing changes in Outlook, no mail is sent."


def _no_means(visit: Visit, shown: AlertObject, *, scheduling: bool, moved: bool) -> str:
    if not scheduling:
        return f"Leave {visit.crm} as it is."
    if moved:
        what = f"Leave it in {visit.crm} as it was before the change. Outlook keeps the change, no mail is sent."
    elif shown.series is not None:
        what = f"Keep all {shown.series.occurrences:,} dates out of {visit.crm}. They stay in Outlook, no mail is sent."
    else:
        what = f"Keep it out of {visit.crm}. It stays in Outlook, no mail is sent."
    return (
        f"{what} You are asked again only if its time, people or “show as” change; "
        "you can change your mind under Failures, Kept out."
    )


def _in_the_way(visit: Visit, shown: AlertObject, clash: Clash, *, all_day: bool) -> InTheWay:
    whole = clash.all_day
    day = visit.times.date(shown.start) if shown.start is not None and not all_day and shown.series is None else None
    if not whole and (all_day or shown.series is not None):
        when = visit.times.span(clash.start, clash.end)
    else:
        when = visit.times.hours(clash.start, clash.end, all_day=whole, day=day)
    return InTheWay(
        subject=clash.subject,
        when=when,
        show_as=words.SHOW_AS[clash.show_as],
        overlap="" if whole or all_day else _overlap(shown, clash),
        user=clash.user,
        where=in_calendar(visit, clash.appointment_id, clash.start),
    )


def _overlap(shown: AlertObject, clash: Clash) -> str:
    """Return for how long the clash overlaps the waiting item, or the date of the series that it meets."""
    if shown.start is None or shown.end is None:
        return ""
    length = shown.end - shown.start
    starts = shown.series.clashing if shown.series is not None else (shown.start,)
    meets = [min(clash.end, at + length) - max(clash.start, at) for at in starts]
    minutes = max((int(meet / timedelta(minutes=1)) for meet in meets), default=0)
    return f"overlaps {lasting(minutes)}" if minutes > 0 else ""


def _hints(visit: Visit, alert: Alert, shown: AlertObject, mailbox: Mailbox) -> tuple[str, ...]:
    hints = []
    before, now = _size(alert.verdict), len(shown.clashes)
    if before and now > before:
        hints.append(f"{now - before:,} more since this was asked.")
    ids = [clash.appointment_id for clash in shown.clashes if clash.appointment_id is not None]
    if ids and set(visit.app.store.links_by_crm_id(mailbox.id, ids)) >= set(ids):
        hints.append("Both come from the same Outlook calendar: they overlap there too.")
    cause = _long_cause(shown)
    if cause:
        hints.append(
            f"{cause} If it does not really occupy anybody, show it as Free in Outlook; an administrator can also "
            "change which all-day items count (conflict.all_day_blocks)."
        )
    return tuple(hints)


def _long_cause(shown: AlertObject) -> str:
    """Return a sentence if only an all-day or longer item is the cause of the question."""
    day = timedelta(days=1)
    if shown.start is not None and shown.end is not None and shown.end - shown.start >= day:
        return "This is an all-day or longer appointment."
    if shown.clashes and all(clash.end - clash.start >= day for clash in shown.clashes):
        return "Only an all-day or longer appointment is in the way."
    return ""


def _size(verdict: Verdict | None) -> int:
    return sum(len(person.clashes) for person in verdict.unavailable) if verdict is not None else 0


def _neighbours(visit: Visit, alert: Alert, mailbox: Mailbox) -> list[Beside]:
    """Return what else waits at the same time in the same mailbox."""
    if alert.span is None:
        return []
    start, end = alert.span.start, alert.span.end
    found = visit.app.store.alert_page([mailbox.id], [AlertState.OPEN], code=CONFLICT, limit=NEIGHBOURS_MAX)
    return [
        Beside(
            subject=desk.look_at(visit.viewer, mailbox, private=other.private).subject(other.subject),
            url=f"/alerts/{other.id}",
            span=other.span,
        )
        for other in found.items
        if other.id != alert.id and other.span is not None and other.span.start < end and start < other.span.end
    ][:ALSO_WAITING_MAX]
