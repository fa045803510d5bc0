"""The card: everything one alert shows, as one value that the template only lays out.

What a viewer may read is decided by the desk; sentences are made in `telling`, what clashes is listed in `in_the_way`.
This module decides which state a card is in, and puts the parts together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from markupsafe import Markup

from syncline.core.appointment import Span
from syncline.desk import alerts as desk
from syncline.desk.answering import can_undo
from syncline.desk.both_versions import Pair, pairs
from syncline.desk.objects import AlertObject
from syncline.desk.reading import Sight
from syncline.engine.alerts import last_offered
from syncline.engine.holding import SINGLE
from syncline.engine.questions import CONFLICT
from syncline.errors import CATALOGUE, SyncError
from syncline.language import _, ngettext
from syncline.ports import Alert, AlertState, Link, Mailbox
from syncline.web.pages import telling
from syncline.web.pages.drawing import Beside, scene_of
from syncline.web.pages.in_the_way import InTheWay, beside, free, hints, in_calendar, listed
from syncline.web.pages.rendering import Visit
from syncline.web.picture import draw
from syncline.web.scene import LANES_MAX, Scene

STILL_WORKING = timedelta(seconds=30)
NEIGHBOURS_MAX = 100
_BUSY_STATES = ("saving", "working")
_OVER_STATES = ("saved", "kept_out", "withdrawn", "over")


FREE_MAX = 4
"""On a page of many cards so many tell when everybody is free: each asks the CRM for two weeks of several people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One alert as a person sees it.

    `state` is waiting, saving, working (saving for long), saved, kept_out, not_saved_yet, withdrawn, lapsed, over
    (answered otherwise) or notice; `status` says it. `facts` are when, show as, where and who. `title` is the whole
    subject, `heading` what fits into a line or two. `choices` are the answers that can be given now, `undo` whether the
    one that was given can be taken back. `versions` are what each side has where both changed it.
    `dates` are the clashing dates of a series, `hints` what helps to decide,
    `free_times` when everybody is free. `unclear` says that what is in the way cannot be shown, `clear`
    what follows from nothing being in the way any more ("" if something is).
    """

    id: int
    version: int
    code: str
    state: str
    title: str
    heading: str
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
    question: bool
    scheduling: bool
    choices: tuple[telling.Choice, ...]
    undo: bool
    series: str
    series_means: str
    versions: tuple[Pair, ...]
    crm: str
    dates: tuple[str, ...]
    in_the_way: tuple[InTheWay, ...] = ()
    unclear: bool = False
    clear: str = ""
    also_waiting: tuple[Beside, ...] = ()
    hints: tuple[str, ...] = ()
    free_times: tuple[str, ...] = ()
    scene: Scene | None = None
    picture: Markup | None = None
    undrawn: str = ""
    many_lanes: bool = False
    appointment_id: str | None
    in_calendar: str | None
    known_as: str

    @property
    def under_way(self) -> bool:
        """Return whether the answer is being carried out."""
        return self.state in _BUSY_STATES

    @property
    def over(self) -> bool:
        """Return whether nothing waits any more: such a card folds to a line on the wall."""
        return self.question and self.state in _OVER_STATES

    @property
    def can_yes(self) -> bool:
        """Return whether there are buttons."""
        return bool(self.choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What all cards of a page share, asked for once.

    `names` are our people by address, `asked` the open questions of each mailbox, `own` the rows that came from it;
    `reachable` says whether the CRM can be asked.
    """

    names: Mapping[str, str]
    asked: Mapping[int, Sequence[Alert]]
    own: Mapping[int, Collection[str]]
    reachable: bool


def card(visit: Visit, alert_id: int) -> Card:
    """Return one alert; SyncError("NotFoundHere") if the viewer may not see it."""
    shown = desk.show(visit.app, visit.viewer, alert_id)
    alert = visit.app.store.alert(alert_id)
    (made,) = _cards(visit, [alert], {alert_id: shown}, visit.app.store.mailboxes_by_id([alert.mailbox_id]))
    return _with_free_times(visit, made, alert)


def several(visit: Visit, alerts: Sequence[Alert]) -> list[Card]:
    """Return these alerts, which the viewer may see, as cards in the same order, without free times."""
    mailboxes = visit.app.store.mailboxes_by_id({alert.mailbox_id for alert in alerts})
    shown = desk.objects(visit.app, visit.viewer, alerts, mailboxes)
    return _cards(visit, alerts, {each.id: each for each in shown}, mailboxes)


def with_free_times(visit: Visit, alerts: Sequence[Alert]) -> list[Card]:
    """Return these alerts as `several` does, with free times on the first that wait."""
    made = several(visit, alerts)
    first = [_with_free_times(visit, *pair) for pair in zip(made[:FREE_MAX], alerts, strict=False)]
    return [*first, *made[FREE_MAX:]]


def _with_free_times(visit: Visit, made: Card, alert: Alert) -> Card:
    waits = made.scheduling and made.state in ("waiting", "lapsed")
    return replace(made, free_times=free(visit, alert)) if waits else made


def _cards(
    visit: Visit, alerts: Sequence[Alert], shown: Mapping[int, AlertObject], mailboxes: Mapping[int, Mailbox]
) -> list[Card]:
    found = visit.app.store.links_by_id([number for alert in alerts if (number := _about(alert)) is not None])
    links = {link.id: link for link in found}
    visit.people.meet(mailbox.user for mailbox in mailboxes.values())
    around = _around(visit, alerts, shown, links)
    return [
        _card(visit, alert, shown[alert.id], mailboxes[alert.mailbox_id], links.get(_about(alert) or 0), around)
        for alert in alerts
    ]


def _about(alert: Alert) -> int | None:
    """Return the one item that an alert is about; None if it is about many or about a mailbox."""
    return alert.held[0] if alert.code in SINGLE and alert.held else alert.link_id


def _around(
    visit: Visit, alerts: Sequence[Alert], shown: Mapping[int, AlertObject], links: Mapping[int, Link]
) -> _Around:
    """Ask for what stands around these alerts."""
    store = visit.app.store
    rows: dict[int, set[str]] = {alert.mailbox_id: set() for alert in alerts if shown[alert.id].clashes}
    for alert in alerts:
        for clash in shown[alert.id].clashes:
            if clash.appointment_id is not None:
                rows[alert.mailbox_id].add(clash.appointment_id)
    people = {address for link in links.values() if link.observed for address in telling.addresses(link.observed)}
    open_ones = [AlertState.OPEN]
    return _Around(
        names={address: user.full_name for address, user in visit.people.by_address(people).items()},
        asked={
            mailbox: store.alert_page([mailbox], open_ones, code=CONFLICT, limit=NEIGHBOURS_MAX).items
            for mailbox in rows
        },
        own={mailbox: store.rows_seen(mailbox, sorted(ids)).keys() for mailbox, ids in rows.items()},
        reachable=_answers(visit) if rows else True,
    )


def _card(visit: Visit, alert: Alert, shown: AlertObject, mailbox: Mailbox, link: Link | None, around: _Around) -> Card:
    """Return one alert as a card; what clashes is drawn and listed only while Yes can still be said."""
    row = CATALOGUE[alert.code]
    scheduling = alert.code == CONFLICT
    question = alert.code in desk.QUESTIONS
    state = _state(visit, alert, mailbox, link)
    can_yes = state in ("waiting", "kept_out") or (state == "lapsed" and visit.times.now <= last_offered(alert))
    crm_id = link.crm_id if link is not None else None
    look = desk.look_at(visit.viewer, mailbox, private=alert.private)
    title = look.subject(alert.subject) if alert.subject else _(row.title)
    moved = crm_id is not None
    made = Card(
        id=alert.id,
        version=alert.version,
        code=alert.code,
        state=state,
        title=title,
        heading=telling.short(title),
        url=shown.url,
        mailbox=mailbox.address,
        mailbox_id=mailbox.id,
        person=visit.called(mailbox.user),
        facts=telling.facts(visit, alert, shown, mailbox, link.observed if link else None, around.names),
        sentence=telling.sentence(visit, alert, look),
        what_to_do=_(row.what_to_do),
        status=telling.status(visit, alert, state, mailbox, link),
        reason=alert.reason,
        created=alert.created,
        question=question,
        scheduling=scheduling,
        choices=telling.choices(visit, shown, state, scheduling=scheduling, moved=moved) if can_yes else (),
        undo=can_undo(visit.viewer, alert),
        series=telling.overlapping(shown),
        series_means=telling.series_means(shown),
        versions=_versions(visit, alert, link, look) if can_yes else (),
        crm=visit.crm,
        dates=tuple(visit.times.date_and_time(at) for at in shown.series.clashing) if shown.series else (),
        appointment_id=crm_id,
        in_calendar=in_calendar(visit, crm_id, shown.start),
        known_as=link.identity.global_object_id if link is not None else "",
    )
    return _with_clashes(made, visit, alert, shown, mailbox, around) if scheduling and can_yes else made


def _versions(visit: Visit, alert: Alert, link: Link | None, look: Sight) -> tuple[Pair, ...]:
    def when(span: Span) -> str:
        return visit.times.span(span.start, span.end, all_day=span.all_day)

    return pairs(visit.app, alert, link, look, when)


def _with_clashes(
    card: Card, visit: Visit, alert: Alert, shown: AlertObject, mailbox: Mailbox, around: _Around
) -> Card:
    """Add what is in the way, drawn and in words, and the ways out."""
    # While the CRM cannot be asked, what was found before says too little to be shown.
    if not around.reachable:
        return replace(card, unclear=True)
    if not shown.clashes:
        return replace(card, clear=telling.clear(card.state))
    all_day = bool(alert.span and alert.span.all_day)
    others = beside(visit, alert, mailbox, around.asked.get(mailbox.id, ()))
    hours = visit.app.settings.calendar.hours()
    scene = scene_of(shown, others, crm=visit.crm, zone=visit.times.zone, hours=hours, all_day=all_day)
    return replace(
        card,
        in_the_way=listed(visit, shown, all_day=all_day),
        also_waiting=tuple(others),
        hints=hints(alert, shown, around.own.get(mailbox.id, ())),
        scene=scene,
        picture=draw(scene) if scene is not None else None,
        undrawn=_undrawn(scene),
        many_lanes=scene is not None and len(scene.drawn) > LANES_MAX // 2,
    )


def _answers(visit: Visit) -> bool:
    """Return whether the CRM can be asked."""
    try:
        visit.app.crm.read(())
    except SyncError:
        return False
    return True


def _undrawn(scene: Scene | None) -> str:
    number = scene.undrawn if scene is not None else 0
    return ngettext("and %(num)d more, in the list", "and %(num)d more, in the list", number) if number else ""


def _state(visit: Visit, alert: Alert, mailbox: Mailbox, link: Link | None) -> str:
    """Return the state in one word; see `Card`."""
    state = telling.state_of(alert)
    if state == "saving" and not mailbox.enabled:
        return "not_saved_yet"
    if state == "kept_out" and not telling.still_out(alert, link):
        return "over"
    if state == "saving" and alert.decided_on is not None and visit.times.now - alert.decided_on > STILL_WORKING:
        return "working"
    return state
