"""Many questions as one: how many of how many, folded by series and day, and the first of them with their pictures.

What a viewer may read of each is decided by the desk. It must not know how questions are chosen or answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from syncline.desk import alerts as desk
from syncline.engine.questions import CONFLICT
from syncline.language import _, ngettext, numeral
from syncline.ports import Alert, Mailbox
from syncline.store.wall import Outline, Wanted
from syncline.web.pages import cards, telling
from syncline.web.pages.rendering import Visit
from syncline.web.pages.times import day_text

DRAWN_MAX = 10
LINES_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a fold: a series with the dates that overlap, or all questions of one day."""

    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Many questions as one: `lines` fold them, `first` are drawn; `same_calendar` of these clash with their like.

    `scheduling` says that all of them are about scheduling conflicts.
    `items` is how many items the mailbox has, None where the questions are of several; `series` how many are series.
    `partly` is how many are series that overlap in some of their dates only. `yes_means`, `without_means` and
    `no_means` say what one answer for all of them does, with their number.
    """

    key: str
    mailbox: Mailbox | None
    person: str
    questions: int
    scheduling: bool
    items: int | None
    series: int
    lines: tuple[Line, ...]
    more_lines: int
    first: tuple[cards.Card, ...]
    same_calendar: int
    partly: int
    yes_means: str
    without_means: str
    no_means: str


def groups(visit: Visit, counts: Mapping[int, int], wanted: Wanted, *, drawn: bool) -> Mapping[int, Group]:
    """Return the questions of each mailbox in `counts` as one, with the pictures of the first ten if `drawn`."""
    store = visit.app.store
    mailboxes = store.mailboxes_by_id(counts)
    visit.people.meet(mailbox.user for mailbox in mailboxes.values())
    items = store.item_counts(counts)
    found = store.outlines(wanted)
    of: dict[int, list[Outline]] = {number: [] for number in counts}
    for outline in found:
        of[outline.mailbox_id].append(outline)
    return {number: _group(visit, of[number], mailboxes[number], items.get(number, 0), draw=drawn) for number in counts}


def group_of(visit: Visit, outlines: Sequence[Outline]) -> Group:
    """Return questions (at least one) as one, with the pictures of the first."""
    number = outlines[0].mailbox_id if len({outline.mailbox_id for outline in outlines}) == 1 else None
    if number is None:
        return _group(visit, outlines, None, None, draw=True)
    mailbox = visit.app.store.mailboxes_by_id([number])[number]
    return _group(visit, outlines, mailbox, visit.app.store.item_counts([number]).get(number, 0), draw=True)


def _group(
    visit: Visit, outlines: Sequence[Outline], mailbox: Mailbox | None, items: int | None, *, draw: bool
) -> Group:
    lines, more_lines = _lines(visit, outlines)
    first = _alerts(visit, outlines[:DRAWN_MAX]) if draw else []
    series = sum(outline.dates > 1 for outline in outlines)
    partly = sum(outline.partly for outline in outlines)
    return Group(
        key=str(mailbox.id) if mailbox is not None else "all",
        mailbox=mailbox,
        person=visit.called(mailbox.user) if mailbox is not None else "",
        questions=len(outlines),
        scheduling=all(outline.code == CONFLICT for outline in outlines),
        items=items,
        series=series,
        lines=lines,
        more_lines=more_lines,
        first=tuple(cards.several(visit, first)) if first else (),
        same_calendar=_same_calendar(visit, first),
        partly=partly,
        without_means=_without_means(visit, len(outlines), partly),
        yes_means=_yes_means(visit, len(outlines), series),
        no_means=_no_means(visit, len(outlines)),
    )


def _alerts(visit: Visit, outlines: Sequence[Outline]) -> list[Alert]:
    found = visit.app.store.alerts_by_id(outline.id for outline in outlines)
    return [found[outline.id] for outline in outlines if outline.id in found]


def _lines(visit: Visit, outlines: Sequence[Outline]) -> tuple[tuple[Line, ...], int]:
    """Fold into a line for each series and one for each day, as they matter; return the first, and how many follow."""
    days: Counter[date] = Counter()
    keys: dict[date | int, Outline] = {}
    day_of = cache(visit.times.date)
    for outline in outlines:
        if outline.dates > 1:
            keys[outline.id] = outline
        elif outline.matters is not None:
            day = day_of(outline.matters)
            days[day] += 1
            keys.setdefault(day, outline)
    shown = list(keys.items())[:LINES_MAX]
    series = {outline.mailbox_id for key, outline in shown if not isinstance(key, date)}
    mailboxes = visit.app.store.mailboxes_by_id(series) if series else {}
    lines = [
        _day(key, days[key]) if isinstance(key, date) else _series(visit, outline, mailboxes[outline.mailbox_id])
        for key, outline in shown
    ]
    return tuple(lines), len(keys) - len(shown)


def _day(day: date, questions: int) -> Line:
    return Line(text=_("%(number)s on %(day)s", number=numeral(questions), day=day_text(day)))


def _series(visit: Visit, outline: Outline, mailbox: Mailbox) -> Line:
    subject = desk.look_at(visit.viewer, mailbox, private=outline.private).subject(outline.subject)
    said = ngettext(
        "%(subject)s: %(clashing)s of %(num)d date overlaps",
        "%(subject)s: %(clashing)s of %(num)d dates",
        outline.dates,
        subject=telling.short(subject),
        clashing=numeral(outline.clashing),
    )
    return Line(text=said, url=f"/alerts/{outline.id}")


def _same_calendar(visit: Visit, alerts: Sequence[Alert]) -> int:
    """Return of how many questions both sides of the clash came from the calendar of their own mailbox."""
    rows = {alert.id: _rows(alert) for alert in alerts}
    asked: dict[int, set[str]] = {alert.mailbox_id: set() for alert in alerts}
    for alert in alerts:
        asked[alert.mailbox_id] |= rows[alert.id]
    own = {number: visit.app.store.rows_seen(number, sorted(ids)).keys() for number, ids in asked.items()}
    return sum(bool(rows[alert.id]) and own[alert.mailbox_id] >= rows[alert.id] for alert in alerts)


def _rows(alert: Alert) -> set[str]:
    """Return the rows of the CRM that were in the way when a question was asked."""
    people = alert.verdict.unavailable if alert.verdict is not None else ()
    return {clash.row_id for person in people for clash in person.clashes}


def _yes_means(visit: Visit, questions: int, series: int) -> str:
    saved = ngettext(
        "Save %(number)s appointment in %(crm)s beside what is in the way.",
        "Save %(number)s appointments in %(crm)s beside what is in the way.",
        questions,
        number=numeral(questions),
        crm=visit.crm,
    )
    said = [saved]
    if series:
        dates = ngettext(
            "%(num)d of them is a series: all its dates are saved.",
            "%(num)d of them are series: all their dates are saved.",
            series,
        )
        said.append(dates)
    said.append(_("Nothing is moved, nothing changes in Outlook, no mail is sent."))
    return " ".join(said)


def _without_means(visit: Visit, questions: int, partly: int) -> str:
    series = ngettext(
        "Save %(num)d series in %(crm)s without the dates that overlap; those dates stay in Outlook only.",
        "Save %(num)d series in %(crm)s without the dates that overlap; those dates stay in Outlook only.",
        partly,
        crm=visit.crm,
    )
    nothing = _("Nothing changes in Outlook, no mail is sent.")
    others = questions - partly
    if not others:
        return f"{series} {nothing}"
    rest = ngettext(
        "%(number)s other appointment is saved beside what is in the way.",
        "%(number)s other appointments are saved beside what is in the way.",
        others,
        number=numeral(others),
    )
    return f"{series} {rest} {nothing}"


def _no_means(visit: Visit, questions: int) -> str:
    said = ngettext(
        "Keep %(number)s appointment out of %(crm)s. It stays in Outlook, no mail is sent.",
        "Keep %(number)s appointments out of %(crm)s. They stay in Outlook, no mail is sent.",
        questions,
        number=numeral(questions),
        crm=visit.crm,
    )
    later = _("You can change your mind under Failures, Kept out.")
    return f"{said} {later}"
