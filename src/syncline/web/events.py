"""What a program is told when questions open or end: JSON that chat tools show as it is, and programs can read.

A program sees what somebody without rights sees: times and people, but no subject unless the setting allows it, and
never one that is private. It must not know when an event is sent, nor how it is signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncline.desk import alerts as desk
from syncline.desk.objects import AlertObject, encode
from syncline.desk.reading import PRIVATE_SUBJECT, AccessRole, Viewer
from syncline.language import FALLBACK, _, ngettext, speaking
from syncline.ports import Alert, Mailbox
from syncline.store.messages import Kind, Message, Told
from syncline.web.mails import base_url
from syncline.web.pages.rendering import People
from syncline.web.pages.times import Times
from syncline.web.scene import plain

if TYPE_CHECKING:
    from syncline.wiring import App

SUBJECT_MAX_CHARACTERS = 120
CLASHES_MAX = 10
# What chat tools read as markup or as a call to everybody, made harmless; they show the rest as it is.
_TAMED = str.maketrans({"<": "‹", ">": "›", "&": "+", "[": "(", "]": ")", "`": "'", "@": "@\u200b", "|": "/"})
_TAMED |= {ord("*"): "∗", ord("_"): "＿", ord("~"): "∼"}


def compose(app: App, message: Message, questions: Sequence[Told]) -> bytes:
    """Return the event's body: about one question with all of it, about many with their number."""
    with speaking(FALLBACK):
        if len(questions) == 1:
            return _about_one(app, message, questions[0].alert_id)
        return _about_many(app, message, questions)


def _about_one(app: App, message: Message, alert_id: int) -> bytes:
    alert = app.store.alert(alert_id)
    mailbox = app.store.mailbox(alert.mailbox_id)
    (shown,) = desk.objects(app, _reader(app), [alert], {mailbox.id: mailbox})
    subject = _subject(app, shown)
    url = f"{base_url(app)}/alerts/{alert.id}"
    times = _times(app, mailbox)
    return encode(
        {
            "id": message.key,
            "type": f"question.{message.kind.value}",
            "text": f"{_sentence(app, message.kind, alert, mailbox, _when(alert, times), subject)} {url}",
            "url": url,
            "alert": _told(alert, shown, mailbox, subject),
        }
    )


def _about_many(app: App, message: Message, questions: Sequence[Told]) -> bytes:
    mailbox = app.store.mailbox(questions[0].mailbox_id)
    number, url = len(questions), f"{base_url(app)}/alerts"
    name = _tame(_person(app, mailbox))
    said = {
        Kind.OPENED: ngettext("%(num)s question opened for %(name)s.", "%(num)s questions opened for %(name)s.",
            number, name=name),
        Kind.ANSWERED: ngettext("%(num)s question of %(name)s was answered.",
            "%(num)s questions of %(name)s were answered.", number, name=name),
    }.get(message.kind) or ngettext(
        "%(num)s question of %(name)s needs no answer any more.",
        "%(num)s questions of %(name)s need no answer any more.", number, name=name,
    )  # fmt: skip
    return encode(
        {
            "id": message.key,
            "type": f"questions.{message.kind.value}",
            "text": f"{said} {url}",
            "url": url,
            "count": number,
            "mailbox": mailbox.address,
        }
    )


def _reader(app: App) -> Viewer:
    """Return as whom a program reads: nobody's colleague, or with subjects allowed somebody who sees the outline."""
    role = AccessRole.ADMINISTRATOR if app.settings.webhook.subjects else AccessRole.USER
    return Viewer(name="", role=role, discreet=True)


def _subject(app: App, shown: AlertObject) -> str:
    if not shown.subject:
        return ""
    if shown.subject == _(PRIVATE_SUBJECT):
        return _("A private appointment")
    return shown.subject if app.settings.webhook.subjects else _("An appointment")


def _sentence(app: App, kind: Kind, alert: Alert, mailbox: Mailbox, when: str, subject: str) -> str:
    name = _tame(_person(app, mailbox))
    about = subject or _("Something")
    what = _tame(f"{about} ({when})" if when else about)
    if kind is Kind.OPENED:
        return _("%(name)s is asked: %(what)s overlaps something else or needs a decision.", name=name, what=what)
    if kind is Kind.ANSWERED:
        by = _tame(alert.decided_by or "")
        said = {"yes": _("Yes"), "no": _("No")}[alert.answer or "no"]
        return _("%(by)s answered %(answer)s: %(what)s, %(name)s.", by=by, answer=said, what=what, name=name)
    return _("No answer needed any more: %(what)s, %(name)s.", what=what, name=name)


def _told(alert: Alert, shown: AlertObject, mailbox: Mailbox, subject: str) -> Mapping[str, Any]:
    """Return the question as a program without rights may have it."""
    return {
        "id": shown.id,
        "code": shown.code,
        "state": shown.state,
        "outcome": shown.outcome,
        "answer": alert.answer,
        "decided_by": shown.decided_by,
        "version": shown.version,
        "mailbox": mailbox.address,
        "subject": subject,
        "start": shown.start,
        "end": shown.end,
        "all_day": bool(alert.span and alert.span.all_day),
        "created": shown.created,
        "unavailable": shown.unavailable,
        "series": shown.series,
        "clashes": [_clash(clash.start, clash.end, clash.show_as, clash.user) for clash in shown.clashes[:CLASHES_MAX]],
    }


def _clash(start: datetime, end: datetime, show_as: str, user: str) -> Mapping[str, Any]:
    return {"start": start, "end": end, "show_as": show_as, "user": user}


def _person(app: App, mailbox: Mailbox) -> str:
    user = People(app).get(mailbox.user)
    return user.full_name if user is not None and user.full_name else mailbox.user


def _times(app: App, mailbox: Mailbox) -> Times:
    user = People(app).get(mailbox.user)
    return Times(user.time_zone if user is not None else "UTC", app.clock.now())


def _when(alert: Alert, times: Times) -> str:
    if alert.span is None:
        return ""
    return times.span(alert.span.start, alert.span.end, all_day=alert.span.all_day)


def _tame(text: str) -> str:
    line = " ".join(plain(text).split()).translate(_TAMED).replace("://", ": //")
    return line if len(line) <= 2 * SUBJECT_MAX_CHARACTERS else line[: 2 * SUBJECT_MAX_CHARACTERS - 1] + "…"
