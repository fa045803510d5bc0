"""A server that answers GetItem from a table of items, with items that spoil a batch in different ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tests.exchange_web_services import answers
from tests.exchange_web_services.scripted import Handler, Reply

ID = re.compile(rb'<t:ItemId Id="([^"]*)"')
Poison = Callable[[Handler, list[str]], bool]


def asked(body: bytes) -> list[str]:
    """Give the item ids of a request."""
    return [ref.decode() for ref in ID.findall(body)]


def reading(items: Mapping[str, str], poison: Poison = lambda _handler, _refs: False) -> Callable[[Handler], None]:
    """Answer GetItem from a table of (ref, message); what is missing is ErrorItemNotFound.

    `poison` may answer in the server's place and says so.
    """

    def act(handler: Handler) -> None:
        refs = asked(handler.server.seen[-1].body)
        if not poison(handler, refs):
            missing = answers.failure("GetItem", "ErrorItemNotFound")
            handler.send(Reply(answers.answer("GetItem", *(items.get(ref, missing) for ref in refs))))

    return act


def crash(ref: str) -> Poison:
    """Answer 500 to every request that names the item."""

    def act(handler: Handler, refs: list[str]) -> bool:
        if ref in refs:
            handler.send(Reply(b"Server Error in Application", 500))
        return ref in refs

    return act


def broken_text(ref: str) -> Poison:
    """Answer with characters that XML does not allow to every request that names the item."""

    def act(handler: Handler, refs: list[str]) -> bool:
        if ref in refs:
            handler.send(Reply(answers.got(answers.single(ref, subject="SPOILED")).replace(b"SPOILED", b"&#x1;")))
        return ref in refs

    return act
