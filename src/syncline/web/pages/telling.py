"""The card's sentences: its state and age, what it is about, what each answer does, and why it is over.

Everything said here was decided elsewhere; what a viewer may not read has to be masked before. Sentences only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from syncline.core.appointment import Appointment
from syncline.core.scheduling import Verdict
from syncline.desk import alerts as desk
from syncline.desk.both_versions import masked, unnamed
from syncline.desk.objects import AlertObject
from syncline.desk.reading import Sight
from syncline.errors import CATALOGUE, ErrorClass, filled
from syncline.language import _, ngettext, noted, numeral
from syncline.ports import Alert, AlertOutcome, AlertState, Link, LinkState, Mailbox
from syncline.web.pages import meaning, words
from syncline.web.pages.rendering import Visit
from syncline.web.pages.times import day_text
from syncline.web.scene import plain

SUBJECT_SHORT = 140
"""Longer subjects are shown so far; the whole one is a click away."""

ROLES: Mapping[str | None, str] = {
    "organizer": noted("organiser"),
    "required": noted("required"),
    "optional": noted("optional"),
    "resource": noted("resource"),
}
# What the engine notes down when a question is over, as a person reads it after "No answer needed any more:".
REASONS: Mapping[str, str] = {
    "nobody is double-booked any more": noted("nobody is double-booked any more, and it is saved"),
    "saved": noted("the appointment was changed and saved"),
    "the appointment was canceled": noted("the appointment was canceled"),
    "it stands in the CRM already": noted("it stands in the CRM already"),
    "another person's calendar decides": noted("another person's calendar decides"),
    "saved from another person's calendar": noted("it was saved from another person's calendar"),
    "asked in another person's mailbox": noted("it is asked in another person's mailbox"),
    "left out by a rule": noted("it is left out by a rule"),
    "left out": noted("somebody left it out"),
    "deleted in Outlook": noted("the appointment was deleted in Outlook"),
    "deleted or untracked in Outlook": noted("it was deleted in Outlook, or is tracked no longer"),
    "untracked": noted("it is tracked no longer"),
    "back at the time that the CRM holds": noted("it is back at the time that the CRM holds"),
    "the CRM stays as it is": noted("somebody decided that the CRM stays as it is"),
    "the items are back": noted("the items are back"),
    "kept out": noted("it is kept out"),
    "its texts fit": noted("its texts fit into Outlook now"),
    "it is in step": noted("it is synchronized"),
    "it waits for an answer now": noted("it waits for an answer now"),
    "it fails for another reason now": noted("it fails for another reason now"),
    "It was saved before the answer came.": noted(
        "nobody was double-booked any more, and it was saved before the answer came"
    ),
    "It was deleted or untracked before the answer came.": noted("it was deleted in Outlook, or is tracked no longer"),
    "It changed and was asked anew.": noted("it changed, and was asked about anew"),
    "it changed since": noted("it changed, and was asked about anew"),
    "nothing is held any more": noted("nothing is held any more"),
    "nobody needs to decide any more": noted("nobody needs to decide any more"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer that can be given: the value sent, the button's word, and what it does."""

    answer: str
    label: str
    means: str


def state_of(alert: Alert) -> str:
    """Return in one word how an alert stands: notice, waiting, what became of its answer, over (answered otherwise).

    Withdrawn and lapsed are the store's words.
    """
    if alert.code not in desk.QUESTIONS:
        return "notice" if alert.state is AlertState.OPEN else "withdrawn"
    if alert.state is not AlertState.ANSWERED:
        return "waiting" if alert.state is AlertState.OPEN else alert.state.value
    return alert.outcome.value if alert.outcome is not None else "over"


def still_out(alert: Alert, link: Link | None) -> bool:
    """Return whether a No still keeps its item out (Q-04): the item is there, and as it was when it was answered."""
    return link is not None and link.decision == "no" and link.decided_digest == alert.digest


def status(visit: Visit, alert: Alert, state: str, mailbox: Mailbox, link: Link | None) -> str:
    """Return the line that opens the card: the state, and since when or by whom."""
    by = alert.decided_by or _("somebody")
    held = meaning.standing(state, alert.answer, time=decided_at(visit, alert), name=by) if alert.held else None
    return held or _status(visit, alert, state, mailbox, link)


def _status(visit: Visit, alert: Alert, state: str, mailbox: Mailbox, link: Link | None) -> str:
    times, by = visit.times, alert.decided_by or _("somebody")
    match state:
        case "waiting":
            return _("Waiting for an answer · since %(time)s", time=times.moment(alert.created))
        case "saving":
            return _("Saving in %(crm)s…", crm=visit.crm)
        case "working":
            return _("Still working, you can leave this page")
        case "saved" if alert.left_out:
            return ngettext(
                "Saved %(time)s by %(name)s, without %(num)d date",
                "Saved %(time)s by %(name)s, without %(num)d dates",
                len(alert.left_out),
                time=decided_at(visit, alert),
                name=by,
            )
        case "saved" if alert.answer == "yes":
            return _("Saved %(time)s by %(name)s", time=decided_at(visit, alert), name=by)
        case "saved":
            return _("Saved")
        case "kept_out":
            return _("Kept out %(time)s by %(name)s", time=decided_at(visit, alert), name=by)
        case "not_saved_yet":
            return _not_saved_yet(visit, mailbox, link)
        case "withdrawn":
            return _withdrawn(visit, alert, link)
        case "lapsed":
            return _lapsed(visit, alert, link)
        case "over":
            return _over(visit, alert, link)
        case _:
            level = _(words.LEVELS[CATALOGUE[alert.code].level.value])
            return _("%(level)s · since %(time)s", level=level, time=times.moment(alert.created))


def decided_at(visit: Visit, alert: Alert) -> str:
    """Return when an alert was answered: the time of day, with the date if it was not today."""
    return _near(visit, alert.decided_on) if alert.decided_on is not None else ""


def answered_by(visit: Visit, alert: Alert) -> str:
    """Return who was first, such as "Jonas Weber answered Yes at 10:41"."""
    name, at = alert.decided_by or _("Somebody"), decided_at(visit, alert)
    if alert.answer == "yes":
        return _("%(name)s answered Yes at %(time)s", name=name, time=at)
    return _("%(name)s answered No at %(time)s", name=name, time=at)


def ended_when(visit: Visit, alert: Alert) -> str:
    """Return on which day the appointment ended, such as "yesterday"."""
    if alert.span is None:
        return ""
    end = alert.span.end - timedelta(days=1) if alert.span.all_day else alert.span.end
    return _day_of(visit, end.date() if alert.span.all_day else visit.times.date(end))


def sentence(visit: Visit, alert: Alert, look: Sight) -> str:
    """Return the published sentence of an alert in the viewer's language, its subject masked for him."""
    params = {"crm": visit.crm, **alert.params}
    if "subject" in params:
        params["subject"] = look.subject(params["subject"])
    params = masked(params, look, lambda span: visit.times.span(span.start, span.end, all_day=span.all_day))
    params = unnamed(alert.code, params, look)
    if "user" in params and alert.verdict is not None and alert.verdict.unavailable:
        params["user"] = unavailable(alert.verdict)
    # In the middle of a sentence a foreign text must not turn around what follows it.
    return filled(_(CATALOGUE[alert.code].text), {name: plain(value) for name, value in params.items()})


def unavailable(verdict: Verdict) -> str:
    """Return the first unavailable person's name and how many more there are."""
    first, more = verdict.unavailable[0].full_name, len(verdict.unavailable) - 1
    return ngettext("%(name)s and %(num)s more", "%(name)s and %(num)s more", more, name=first) if more else first


def facts(
    visit: Visit,
    alert: Alert,
    shown: AlertObject,
    mailbox: Mailbox,
    content: Appointment | None,
    names: Mapping[str, str],
) -> tuple[str, ...]:
    """Return when, show as, where and who, as far as the viewer may read them; `names` are our people by address."""
    if alert.span is None:
        return ()
    said = [visit.times.span(alert.span.start, alert.span.end, all_day=alert.span.all_day)]
    if shown.series is not None:
        dates = shown.series.occurrences
        said[0] = ngettext("%(when)s, %(num)d date", "%(when)s, %(num)d dates", dates, when=said[0])
    look = desk.look_at(visit.viewer, mailbox, private=alert.private)
    if content is None or look.masked:
        return tuple(said)
    said.append(_(words.SHOW_AS[content.show_as.value]))
    if look.body and content.location:
        said.append(content.location)
    return (*said, *_people(content, names))


def addresses(content: Appointment) -> Iterator[str]:
    """Yield the addresses of everybody who takes part."""
    if content.organizer is not None:
        yield content.organizer.address.lower()
    yield from (each.address.lower() for each in content.attendees)


def choices(visit: Visit, shown: AlertObject, state: str, *, scheduling: bool, moved: bool) -> tuple[Choice, ...]:
    """Return the answers that can be given in a state, each with what it does."""
    yes = _yes_means(visit, shown, scheduling=scheduling, moved=moved)
    if state == "kept_out":
        return (Choice(answer="yes", label=_("Change to Yes"), means=yes),)
    if state == "lapsed":
        left = _("It stays in Outlook, and you are not asked again.")
        if moved:
            left = _("%(crm)s keeps it as it was before the change, and you are not asked again.", crm=visit.crm)
        return (
            Choice(answer="yes", label=_("Save it now"), means=yes),
            Choice(answer="no", label=_("Leave it out"), means=left),
        )
    no = _no_means(visit, shown, scheduling=scheduling, moved=moved)
    asked = (Choice(answer="yes", label=_("Yes"), means=yes), Choice(answer="no", label=_("No"), means=no))
    return (*asked, *_without(visit, shown))


def overlapping(shown: AlertObject) -> str:
    """Return how many dates of a series overlap, such as "1 of 12 dates overlaps"."""
    if shown.series is None:
        return ""
    number = len(shown.series.clashing)
    total = numeral(shown.series.occurrences)
    return ngettext("%(number)s of %(total)s dates overlaps", "%(number)s of %(total)s dates overlap", number,
                    number=numeral(number), total=total)  # fmt: skip


def clear(state: str) -> str:
    """Return what it means for a question that nothing is in the way any more, in a state that takes a Yes."""
    if state == "waiting":
        return _("Nothing is in the way any more: the next sync saves it and takes the question back.")
    if state == "kept_out":
        return _("Nothing is in the way any more. It stays out until you change it to Yes.")
    return _("Nothing is in the way any more.")


def series_means(shown: AlertObject) -> str:
    """Return what an answer means for the dates of a series."""
    if shown.series is None:
        return ""
    dates = numeral(shown.series.occurrences)
    return _("Yes saves all %(dates)s dates; No keeps all %(dates)s out.", dates=dates)


def free_time(visit: Visit, start: datetime) -> str:
    """Return when a free time begins, such as "Tue 24 Nov 14:00"."""
    return f"{day_text(visit.times.date(start)).rpartition(' ')[0]} {visit.times.clock(start)}"


def short(subject: str) -> str:
    """Return a subject that fits into a line or two."""
    return subject if len(subject) <= SUBJECT_SHORT else subject[: SUBJECT_SHORT - 1].rstrip() + "…"


def _day_of(visit: Visit, day: date) -> str:
    ago = (visit.times.today - day).days
    return {0: _("today"), 1: _("yesterday")}.get(ago) or _("on %(day)s", day=day_text(day))


def _near(visit: Visit, at: datetime) -> str:
    return visit.times.clock(at) if visit.times.date(at) == visit.times.today else visit.times.date_and_time(at)


def _lapsed(visit: Visit, alert: Alert, link: Link | None) -> str:
    """Say when the time of a question was over: of a series that of its last clashing date."""
    moved = link is not None and link.crm_id is not None
    verdict, span = alert.verdict, alert.span
    if verdict is not None and verdict.occurrences > 1 and verdict.clashing and span is not None:
        last = verdict.clashing[-1]
        day = last.date() if span.all_day else visit.times.date(last)
        said = _("Its last date that overlaps was %(when)s", when=_day_of(visit, day))
    else:
        said = _("It ended %(when)s", when=ended_when(visit, alert))
    if moved:
        return _("%(what)s; the change is not in the CRM", what=said)
    return _("%(what)s; not in the CRM", what=said)


def _not_saved_yet(visit: Visit, mailbox: Mailbox, link: Link | None) -> str:
    if not mailbox.enabled:
        return _("Answered Yes. The mailbox is switched off; it is saved once it is enabled again")
    code = mailbox.last_error or (link.sync_error if link is not None else None)
    if code == "CrmUnavailable":
        said = _("Answered Yes. The CRM cannot be reached")
    else:
        said = _("Answered Yes. It could not be saved yet")
    times = [at for at in (link.next_try if link is not None else None, mailbox.next_due) if at is not None]
    if not times:
        return said
    return _("%(what)s; next try %(time)s", what=said, time=_near(visit, max(times)))


def _over(visit: Visit, alert: Alert, link: Link | None) -> str:
    """Say of an answer that is over who gave it; of a No that does not hold any more what became of the item."""
    time, by = decided_at(visit, alert), alert.decided_by or _("somebody")
    if alert.held or alert.outcome is not AlertOutcome.KEPT_OUT:
        return _("Answered %(time)s by %(name)s", time=time, name=by)
    if link is None:
        return _(
            "Kept out %(time)s by %(name)s; it was deleted in Outlook since, or is tracked no longer",
            time=time,
            name=by,
        )
    if link.state is LinkState.SETTLED and link.crm_id is not None:
        return _("Kept out %(time)s by %(name)s; it changed in Outlook since and was saved", time=time, name=by)
    return _("Kept out %(time)s by %(name)s; it changed in Outlook since", time=time, name=by)


def _withdrawn(visit: Visit, alert: Alert, link: Link | None) -> str:
    if CATALOGUE[alert.code].error_class is not ErrorClass.NEEDS_ANSWER:
        return _("Over")
    moved = _moved_to(visit, alert, link)
    if moved:
        return _("No answer needed any more: the appointment was moved to %(time)s and saved", time=moved)
    why = REASONS.get(alert.reason)
    if why is None:
        return _("No answer needed any more")
    return _("No answer needed any more: %(reason)s", reason=_(why))


def _moved_to(visit: Visit, alert: Alert, link: Link | None) -> str:
    """Return the time at which the appointment of a withdrawn question stands in the CRM now, if it is another one."""
    if alert.held or link is None or link.observed is None or alert.span is None or link.state is not LinkState.SETTLED:
        return ""
    now = link.observed.span
    if link.crm_id is None or (now.start, now.end) == (alert.span.start, alert.span.end):
        return ""
    if now.all_day:
        return visit.times.span(now.start, now.end, all_day=True)
    same_day = visit.times.date(now.start) == visit.times.date(alert.span.start)
    return visit.times.clock(now.start) if same_day else visit.times.date_and_time(now.start)


def _people(content: Appointment, names: Mapping[str, str]) -> list[str]:
    said = []
    organizer = content.organizer
    if organizer is not None:
        name = names.get(organizer.address.lower()) or organizer.name or organizer.address
        said.append(_("organised by %(name)s", name=name))
    guests = [each for each in content.attendees if organizer is None or each.address != organizer.address]
    outside = sum(guest.address.lower() not in names for guest in guests)
    if guests and outside == len(guests):
        said.append(ngettext("%(num)d guest outside the firm", "%(num)d guests outside the firm", outside))
    elif guests:
        number = ngettext("%(num)d guest", "%(num)d guests", len(guests))
        some = _("%(guests)s, %(number)s outside the firm", guests=number, number=outside)
        said.append(some if outside else number)
    return said


def _without(visit: Visit, shown: AlertObject) -> Iterator[Choice]:
    """Yield the third answer of a series: its other dates only, if there are any."""
    if shown.series is None or not 0 < len(shown.series.clashing) < shown.series.occurrences:
        return
    out = len(shown.series.clashing)
    rest = ngettext(
        "Save the %(num)d other date in %(crm)s.",
        "Save the %(num)d other dates in %(crm)s.",
        shown.series.occurrences - out,
        crm=visit.crm,
    )
    left = ngettext(
        "The date that overlaps is left out there and stays in Outlook; no mail is sent.",
        "The %(num)d dates that overlap are left out there and stay in Outlook; no mail is sent.",
        out,
    )
    yield Choice(answer="without_overlaps", label=_("Save without the overlapping dates"), means=f"{rest} {left}")


def _yes_means(visit: Visit, shown: AlertObject, *, scheduling: bool, moved: bool) -> str:
    if not scheduling:
        return meaning.yes_means(shown.code, visit.crm)
    if shown.series is not None:
        dates = numeral(shown.series.occurrences)
        what = _("Save all %(dates)s dates in %(crm)s, those that overlap too.", dates=dates, crm=visit.crm)
    elif moved:
        what = _("Save the change in %(crm)s beside what is in the way.", crm=visit.crm)
    elif not shown.clashes:
        what = _("Save it in %(crm)s.", crm=visit.crm)
    elif len(shown.clashes) > 1:
        what = _("Save it in %(crm)s beside the others.", crm=visit.crm)
    else:
        what = _("Save it in %(crm)s beside the other.", crm=visit.crm)
    nothing = _("Nothing is moved, nothing changes in Outlook, no mail is sent.")
    return f"{what} {nothing}"


def _no_means(visit: Visit, shown: AlertObject, *, scheduling: bool, moved: bool) -> str:
    if not scheduling:
        return meaning.no_means(shown.code, visit.crm)
    if moved:
        what = _(
            "Leave it in %(crm)s as it was before the change. Outlook keeps the change, no mail is sent.", crm=visit.crm
        )
    elif shown.series is not None:
        dates = numeral(shown.series.occurrences)
        what = _(
            "Keep all %(dates)s dates out of %(crm)s. They stay in Outlook, no mail is sent.",
            dates=dates,
            crm=visit.crm,
        )
    else:
        what = _("Keep it out of %(crm)s. It stays in Outlook, no mail is sent.", crm=visit.crm)
    again = _(
        "You are asked again only if its time, people or “show as” change; you can change your mind under "
        "Failures › Kept out."
    )
    return f"{what} {again}"
