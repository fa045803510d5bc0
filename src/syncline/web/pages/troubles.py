"""Errors of the catalogue as people read them: what happened, to what, what to do, and where more of it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from syncline.errors import CATALOGUE, SyncError, filled
from syncline.language import _, noted
from syncline.web.pages.rendering import help_url
from syncline.web.scene import plain

MISSING: Mapping[str, str] = {
    "account": noted("account"),
    "alert": noted("alert"),
    "appointment": noted("appointment"),
    "date": noted("date"),
    "failure": noted("failure"),
    "help": noted("help"),
    "mailbox": noted("mailbox"),
    "page": noted("page"),
    "profile": noted("profile"),
    "rule": noted("rule"),
    "token": noted("token"),
    "user": noted("user"),
}
"""What may not be there, by the first word of what says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One error in the reader's language."""

    code: str
    title: str
    text: str
    what_to_do: str
    help_url: str


def trouble(error: SyncError | None) -> Trouble | None:
    """Return an error as people read it."""
    return None if error is None else trouble_of(error.code, error.params)


def trouble_of(code: str, params: Mapping[str, str]) -> Trouble:
    """Return a row of the catalogue as people read it, filled with what it happened to."""
    row = CATALOGUE[code]
    if code == "NotFoundHere" and "detail" in params:
        kind, *named = params["detail"].split(" ", 1)
        params = {**params, "detail": " ".join((_(MISSING.get(kind, kind)), *named))}
    return Trouble(
        code=code,
        title=_(row.title),
        # In the middle of a sentence a foreign text must not turn around what follows it.
        text=filled(_(row.text), {name: plain(str(value)) for name, value in params.items()}),
        what_to_do=_(row.what_to_do),
        help_url=help_url(code),
    )
