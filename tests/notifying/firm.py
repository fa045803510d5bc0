"""The firm with a real mail server and a real program that listens: what reaches them, step by step on one clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from syncline.channels import MailSecurity, MailSettings, WebhookSettings
from syncline.config import Settings, WebSettings
from syncline.notifying import Post
from syncline.store import Mails, Preferences
from syncline.web.composer import PagesComposer
from syncline.wiring import mail_of, webhook_of
from tests.desk.office import Office, at
from tests.smtp.server import Post as MailServer
from tests.smtp.server import serving
from tests.webhook.target import Chat, listening

BASE = "https://syncline.fjordbikes.example"
SENDER = "syncline@fjordbikes.example"


@dataclass
class Firm:
    """The office, its post, and what stands on the other side."""

    office: Office
    post: Post
    server: MailServer
    chat: Chat = field(default_factory=Chat)

    def later(self, seconds: float = 61) -> int:
        """Let time pass and look once; return how many messages left."""
        self.office.clock.at += timedelta(seconds=seconds)
        return self.post.step()

    def double_book(self, *subjects: str, owner: str = "maya", private: bool = False, day: int = 1) -> None:
        """Put appointments over something that stands in the CRM already, and let the questions open."""
        self.office.in_crm("Quarterly review", at(9, days=day, length=8), organizer=owner)
        for number, subject in enumerate(subjects):
            self.office.in_outlook(subject, at(9 + number * 0.25, days=day, length=0.25), owner=owner, private=private)
        self.office.sync()

    def wants(self, name: str, **chosen: Any) -> None:
        """Let somebody choose how mails come."""
        self.office.app.store.set_preferences(name, Preferences(**({"mails": Mails.EACH} | chosen)))

    @property
    def mails(self) -> list[EmailMessage]:
        """Return the mails that arrived."""
        return self.server.mails

    def open_ids(self) -> list[int]:
        """Return the numbers of the open questions."""
        return [alert.id for alert in self.office.app.store.alerts() if alert.state.value == "open"]


def text_of(mail: EmailMessage) -> str:
    """Return a mail's plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    """Return a mail's HTML."""
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


@contextmanager
def firm(folder: Path, *, mail: bool = True, webhook: bool = False, **settings: Any) -> Iterator[Firm]:
    """Open the firm with its mail server, and with its program if wanted; `settings` are those of mail or webhook."""
    server, chat = MailServer(), Chat()
    with serving(server) as smtp_port, listening(chat) as http_port:
        made = Settings(
            data=folder,
            web=WebSettings(base_url=BASE),
            mail=_mail(smtp_port, **({} if webhook else settings)) if mail else MailSettings(),
            webhook=_webhook(http_port, **settings) if webhook else WebhookSettings(),
        )
        office = Office(folder, made)
        office.app = replace(office.app, mail=mail_of(made), webhook=webhook_of(made))
        yield Firm(office, Post(office.app, PagesComposer()), server, chat)


def _mail(port: int, **settings: Any) -> MailSettings:
    fixed = {"host": "127.0.0.1", "security": MailSecurity.NONE, "sender": SENDER, "timeout_s": 5.0}
    return MailSettings(port=port, **(fixed | settings))


def _webhook(port: int, **settings: Any) -> WebhookSettings:
    url = f"http://127.0.0.1:{port}/hook"
    return WebhookSettings(**({"url": url, "secret": "chat-secret", "allow_private": True} | settings))
