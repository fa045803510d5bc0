"""Mails about questions: the card as text and HTML with its picture, in the language and zone of whom it is for.

What the reader may see was decided by the desk; what is private stays masked, because mails are read on locked screens
and by delegates. Foreign texts cannot leave their line: not the subject line, not a line of the text. It must not know
when a mail is sent, nor how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING, Any

from syncline.desk import answer_links, preferences
from syncline.desk.reading import Viewer
from syncline.language import _, ngettext, speaking
from syncline.store.messages import Message, Told
from syncline.web.mail_picture import SHARPNESS, png_of
from syncline.web.pages import cards
from syncline.web.pages.reading_as import visit_as
from syncline.web.pages.rendering import environment
from syncline.web.scene import alternative, plain

if TYPE_CHECKING:
    from syncline.wiring import App

LISTED_MAX = 10
SUBJECT_MAX_CHARACTERS = 120
PICTURE_ID = "picture@syncline"
_HTML, _TEXT = "html", "txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    png: bytes
    alternative: str

    @property
    def width(self) -> int:
        """Return how wide it is shown, in pixels: the header of a PNG says how wide it is."""
        return round(int.from_bytes(self.png[16:20]) / SHARPNESS)


def compose(app: App, to: str, message: Message, questions: Sequence[Told]) -> bytes:
    """Return the whole mail about one question, or about many, for the message's recipient."""
    with speaking(preferences.of(app, message.recipient).language):
        reader = answer_links.reader_of(app, message.recipient)
        if len(questions) == 1:
            return _about_one(app, to, message, reader, questions[0].alert_id)
        return _about_many(app, to, message, reader, [each.alert_id for each in questions])


def trial(app: App, to: str) -> bytes:
    """Return a mail that says only that mails arrive."""
    subject = _("Syncline can send mail")
    return _mail(app, to, key=f"trial-{app.clock.now():%Y%m%d%H%M%S%f}", subject=subject, name="trial", values={})


def _about_one(app: App, to: str, message: Message, reader: Viewer, alert_id: int) -> bytes:
    visit = visit_as(app, reader)
    card = cards.card(visit, alert_id)
    tokens = answer_links.make(app, alert_id, card.version, message.recipient)
    links = {answer: f"{base_url(app)}/answer/{token}" for answer, token in tokens.items()}
    choices = [choice for choice in card.choices if choice.answer in links]
    picture = _picture(card)
    title = _subject_title(app, reader, alert_id, card)
    subject = _("Scheduling conflict: %(subject)s", subject=title) if card.scheduling else title
    if card.facts:
        subject = f"{_shortened(subject)}, {card.facts[0]}"
    values = {
        "card": card,
        "choices": choices,
        "links": links,
        "here": f"{base_url(app)}{card.url}",
        "picture": picture,
        "picture_id": PICTURE_ID,
        "zone": visit.times.zone,
        "days": app.settings.mail.links_valid_days,
    }
    return _mail(app, to, key=message.key, subject=subject, name="question", values=values, picture=picture)


def _about_many(app: App, to: str, message: Message, reader: Viewer, alert_ids: Sequence[int]) -> bytes:
    visit = visit_as(app, reader)
    shown = cards.several(visit, [app.store.alert(number) for number in alert_ids[:LISTED_MAX]])
    total = len(alert_ids)
    subject = ngettext("%(num)s question waits for your answer", "%(num)s questions wait for your answer", total)
    values = {
        "cards": shown,
        "total": total,
        "more": total - len(shown),
        "base": base_url(app),
        "here": f"{base_url(app)}/alerts",
        "zone": visit.times.zone,
    }
    return _mail(app, to, key=message.key, subject=subject, name="digest", values=values)


def base_url(app: App) -> str:
    """Return the address of the pages without a slash at its end."""
    return app.settings.web.base_url.rstrip("/")


def _subject_title(app: App, reader: Viewer, alert_id: int, card: cards.Card) -> str:
    """Return what the subject line calls it: what is private is never named there, whatever the setting says."""
    alert = app.store.alert(alert_id)
    return _("Private appointment") if alert.private and not reader.discreet else card.title


def _picture(card: cards.Card) -> _Picture | None:
    """Return what the card draws, as a picture that mail programs show."""
    return None if card.scene is None else _Picture(png=png_of(card.scene), alternative=alternative(card.scene))


def _mail(
    app: App,
    to: str,
    *,
    key: str,
    subject: str,
    name: str,
    values: Mapping[str, Any],
    picture: _Picture | None = None,
) -> bytes:
    """Return the mail with both forms of its text; it says that no person wrote it, so that no machine answers."""
    shared = {
        "crm": app.settings.crm.name,
        "line": plain,
        "settings": f"{base_url(app)}/settings/me",
        "base": base_url(app),
        **values,
    }
    sender = app.settings.mail.sender
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = formataddr(("Syncline", sender))
    mail["To"] = to
    mail["Subject"] = _shortened(subject, SUBJECT_MAX_CHARACTERS + 60)
    mail["Date"] = format_datetime(app.clock.now())
    mail["Message-ID"] = f"<{key}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["List-Unsubscribe"] = f"<{shared['settings']}>"
    mail.set_content(_rendered(name, _TEXT, shared), cte="quoted-printable")
    mail.add_alternative(_rendered(name, _HTML, shared), subtype="html", cte="quoted-printable")
    if picture is not None:
        html = mail.get_payload()[1]  # type: ignore[index]
        html.add_related(picture.png, "image", "png", cid=f"<{PICTURE_ID}>", disposition="inline")  # type: ignore[union-attr]
    return mail.as_bytes()


def _rendered(name: str, form: str, values: Mapping[str, Any]) -> str:
    templates = environment() if form == _HTML else environment().overlay(autoescape=False)
    return templates.get_template(f"mail/{name}.{form}").render(values)


def _shortened(text: str, most: int = SUBJECT_MAX_CHARACTERS) -> str:
    """Return a text that fits into one header line: no line ends, no marks of direction, not too long."""
    line = " ".join(plain(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
