"""The Yes and No links of mails: each answers one question in one way, once, for the person to whom it was sent.

A link is a random secret of which only the digest is kept. Whoever holds it may look and answer, without signing in;
so it shows no more than the mail did, and it ends with its first use, its date, its version and its person's right to
answer. It must not know addresses of pages or how mails look.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from syncline.desk import alerts
from syncline.desk.objects import AlertObject
from syncline.desk.reading import Viewer
from syncline.desk.signing import viewer_of
from syncline.errors import SyncError
from syncline.language import _, ngettext
from syncline.ports import Alert, AlertState, Answer
from syncline.store.messages import AnswerLink

if TYPE_CHECKING:
    from syncline.wiring import App

SECRET_BYTES = 32
TOKEN_MAX_CHARACTERS = 100
CHOICES: tuple[Answer, ...] = ("yes", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a link offers: to answer this question so, as this person."""

    alert_id: int
    answer: Answer
    person: Viewer


def reader_of(app: App, name: str) -> Viewer:
    """Return a person as the reader of mails; SyncError("NotFoundHere") if he has no account.

    Others may look over his shoulder, at a locked screen or as his delegates: what is private stays masked even for
    him, unless the setting says otherwise.
    """
    person = viewer_of(app, app.store.account(name))
    return replace(person, discreet=not app.settings.mail.private_subjects)


def make(app: App, alert_id: int, version: int, recipient: str) -> Mapping[Answer, str]:
    """Return a new secret for each answer to this version of a question; none if links are switched off."""
    days = app.settings.mail.links_valid_days
    if not days:
        return {}
    tokens: dict[Answer, str] = {answer: secrets.token_urlsafe(SECRET_BYTES) for answer in CHOICES}
    expires = app.clock.now() + timedelta(days=days)
    app.store.add_answer_links(
        [
            AnswerLink(
                digest=_digest(token),
                alert_id=alert_id,
                version=version,
                answer=answer,
                recipient=recipient,
                expires=expires,
            )
            for answer, token in tokens.items()
        ]
    )
    return tokens


def look(app: App, token: str) -> Offer:
    """Return what a link offers, and change nothing: programs open links too.

    Raises SyncError: AnswerLinkUnknown, AnswerLinkUsed, AnswerLinkExpired, AnswerLinkForeign (he may not answer any
    more), AlreadyAnswered, AnswerOutdated.
    """
    link = _living(app, token)
    person = _person(app, link)
    alert = app.store.alert(link.alert_id)
    if alert.state is AlertState.ANSWERED:
        raise SyncError("AlreadyAnswered", detail=_answered(alert))
    if alert.state is AlertState.LAPSED:
        raise SyncError("AlreadyAnswered", detail=_("It has ended; it can still be saved, or left out, in Syncline."))
    if alert.state is not AlertState.OPEN:
        raise SyncError("AlreadyAnswered", detail=_("No answer is needed any more."))
    if alert.version != link.version:
        raise SyncError("AnswerOutdated")
    return Offer(alert_id=alert.id, answer=link.answer, person=person)


def use(app: App, token: str) -> AlertObject:
    """Answer as the link says, and return the question as it stands then; raises SyncError as `look`, nothing done."""
    offer = look(app, token)
    link = _living(app, token)
    # Used up after the answer: should that fail, the same click can be repeated. A second one finds it answered.
    given = alerts.answer(app, offer.person, offer.alert_id, offer.answer, version=link.version)
    if given.refused is not None:
        raise given.refused
    app.store.use_answer_link(link.digest, app.clock.now())
    return given.alert


def _living(app: App, token: str) -> AnswerLink:
    link = app.store.answer_link(_digest(token)) if len(token) <= TOKEN_MAX_CHARACTERS else None
    if link is None:
        raise SyncError("AnswerLinkUnknown")
    if link.used is not None:
        raise SyncError("AnswerLinkUsed")
    if link.expires <= app.clock.now():
        days = app.settings.mail.links_valid_days
        raise SyncError("AnswerLinkExpired", detail=ngettext("%(num)s day", "%(num)s days", days))
    return link


def _answered(alert: Alert) -> str:
    name = alert.decided_by or _("Somebody")
    return _("%(name)s answered Yes.", name=name) if alert.answer == "yes" else _("%(name)s answered No.", name=name)


def _person(app: App, link: AnswerLink) -> Viewer:
    """Return for whom the link answers, if he still may."""
    mailbox = app.store.mailbox(app.store.alert(link.alert_id).mailbox_id)
    users = app.crm.users(names=[link.recipient])
    enabled = any(user.name == link.recipient and user.enabled for user in users)
    if mailbox.user.lower() != link.recipient.lower() or not enabled:
        raise SyncError("AnswerLinkForeign")
    try:
        return reader_of(app, link.recipient)
    except SyncError as error:
        raise SyncError("AnswerLinkForeign") from error


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
