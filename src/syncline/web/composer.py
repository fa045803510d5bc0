"""Who puts questions into words for mails and programs: the pages' words, times and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from syncline.store.messages import Message, Told
from syncline.web import events, mails

if TYPE_CHECKING:
    from syncline.wiring import App


class PagesComposer:
    """`notifying.Composer` with what the pages say and show."""

    def mail(self, app: App, to: str, message: Message, questions: Sequence[Told]) -> bytes:
        """Return a whole mail."""
        return mails.compose(app, to, message, questions)

    def event(self, app: App, message: Message, questions: Sequence[Told]) -> bytes:
        """Return the body for a program."""
        return events.compose(app, message, questions)
