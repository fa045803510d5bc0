"""Mail and webhook as a System Administrator looks after them: how they stand, and trying the mail.

It must not know what a mail says, nor how it travels.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncline.channels import is_mail_address
from syncline.desk.reading import Viewer, require_administrator
from syncline.errors import CATALOGUE, SyncError
from syncline.language import _, noted
from syncline.ports import Parcel
from syncline.store.messages import Channel

if TYPE_CHECKING:
    from syncline.wiring import App

ADDRESS_MAX_CHARACTERS = 254
LAST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMessage:
    """One of the last messages; `about` is a person's sign-in name or a mailbox, `error` the catalogue's title."""

    kind: str
    about: str
    state: str
    time: datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """How one way out stands."""

    channel: str
    on: bool
    waiting: int
    sent: int
    failed: int
    last_sent: datetime | None
    last: tuple[LastMessage, ...]


def show(app: App, viewer: Viewer) -> tuple[WayOut, ...]:
    """Return how mail and webhook stand."""
    require_administrator(viewer, noted("look after mail and webhook"))
    figures = app.store.channel_figures()
    on = {Channel.MAIL: app.mail is not None, Channel.WEBHOOK: app.webhook is not None}
    return tuple(
        WayOut(
            channel=channel.value,
            on=on[channel],
            waiting=figures[channel].waiting,
            sent=figures[channel].sent,
            failed=figures[channel].failed,
            last_sent=figures[channel].last_sent,
            last=_last(app, channel),
        )
        for channel in Channel
    )


def try_mail(app: App, viewer: Viewer, to: str, content: bytes) -> str:
    """Send a mail now and return what was reached; SyncError says what is wrong, "MailNotSet" without a server."""
    require_administrator(viewer, noted("send a mail for a trial"))
    if app.mail is None:
        raise SyncError("MailNotSet")
    reached = app.mail.probe()
    app.mail.send(Parcel(key=secrets.token_hex(16), to=checked_address(to), content=content))
    return reached


def checked_address(text: str) -> str:
    """Return a mail address as typed, or refuse it with SyncError("InvalidRequest")."""
    address = text.strip()
    if not is_mail_address(address) or len(address) > ADDRESS_MAX_CHARACTERS:
        raise SyncError("InvalidRequest", detail=_("%(text)s is not a mail address.", text=repr(text[:100])))
    return address


def _last(app: App, channel: Channel) -> tuple[LastMessage, ...]:
    return tuple(
        LastMessage(
            kind=message.kind.value,
            about=message.recipient,
            state=message.state.value,
            time=message.ended or message.created,
            attempts=message.attempts,
            error=CATALOGUE[message.error].title if message.error is not None and message.error in CATALOGUE else "",
        )
        for message in app.store.messages(channel, LAST)
    )
