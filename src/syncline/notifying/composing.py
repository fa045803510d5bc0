"""What the sender needs of whoever puts things into words; the pages' side has the words and the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from syncline.store.messages import Message, Told

if TYPE_CHECKING:
    from syncline.wiring import App


class Composer(Protocol):
    """Puts questions into words."""

    def mail(self, app: App, to: str, message: Message, questions: Sequence[Told]) -> bytes:
        """Return a whole mail about one question or many, for the person who is the message's recipient."""

    def event(self, app: App, message: Message, questions: Sequence[Told]) -> bytes:
        """Return the body that tells a program that questions opened or ended."""
