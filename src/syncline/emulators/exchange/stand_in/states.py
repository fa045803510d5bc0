"""What Syncline made of each item, read from its public API as any program would: links, and the open alerts.

Knows addresses and JSON of that API only. Whatever goes wrong is one state, *no answer*: the stand-in works without.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

TIMEOUT_S = 3.0
PAGE = 1000
PAGES_MAX = 20
PRIVATE = "Private appointment"

# Which words a link's state becomes, and the page of Syncline that says more ("" is none).
WORDS: Mapping[str, tuple[str, str]] = {
    "settled": ("in the CRM", ""),
    "unsettled": ("in the CRM", ""),
    "asked": ("waits for an answer", "/alerts"),
    "kept_out": ("kept out", "/failures"),
    "parked": ("could not be read", "/failures"),
    "failed": ("could not be synchronized", "/failures"),
    "skipped": ("left out by a rule", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Syncline:
    """Where Syncline is: its address, and a token that reads everything the stand-in shows."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What Syncline says of one item: a state for styling, words, and the page that says more."""

    state: str
    words: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The item that a standing is wanted for."""

    uid: str
    subject: str
    start: datetime
    original_start: datetime | None
    tracked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """What Syncline knows of one mailbox; `answered` False: it could not be asked."""

    url: str
    answered: bool = False
    links: Mapping[tuple[str, datetime | None], str] = field(default_factory=dict)
    questions: tuple[tuple[datetime, str, str], ...] = ()

    def of(self, item: Wanted) -> Standing:
        """Return what Syncline says of an item; a date of a series without a link of its own has its series'."""
        if not self.answered:
            return Standing(state="unknown", words="does not answer")
        state = self.links.get((item.uid, item.original_start)) or self.links.get((item.uid, None))
        if state is None:
            words = "not seen yet" if item.tracked else "not tracked"
            return Standing(state="coming" if item.tracked else "untracked", words=words)
        words, page = WORDS.get(state, (state, ""))
        if state == "asked":
            page = self._question(item) or page
        return Standing(state=state, words=words, url=self.url + page if page else "")

    def _question(self, item: Wanted) -> str:
        for start, subject, url in self.questions:
            if start == item.start and subject in (item.subject, PRIVATE):
                return url
        return ""


def ask(syncline: Syncline, mailbox: str) -> Standings:
    """Read what Syncline knows of a mailbox."""
    url = syncline.url.rstrip("/")
    try:
        links = {
            (link["global_object_id"], _instant(link["original_start"])): str(link["state"])
            for link in _items(syncline, url, "links", mailbox=mailbox)
        }
        questions = tuple(
            (start, str(alert["subject"]), str(alert["url"]))
            for alert in _items(syncline, url, "alerts", mailbox=mailbox, open="true")
            if (start := _instant(alert["start"])) is not None
        )
    except (OSError, ValueError, KeyError, TypeError, urllib.error.URLError, msgspec.DecodeError):
        return Standings(url=url)
    return Standings(url=url, answered=True, links=links, questions=questions)


def _items(syncline: Syncline, url: str, listing: str, **wanted: str) -> Iterator[dict[str, Any]]:
    # Nothing here may go through a proxy that the environment names: Syncline stands beside us.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        query = urlencode({**wanted, "limit": PAGE, **({"cursor": cursor} if cursor else {})})
        request = urllib.request.Request(f"{url}/api/v1/{listing}?{query}")  # noqa: S310 - the address is an option's
        request.add_header("Authorization", f"Bearer {syncline.token}")
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            page = msgspec.json.decode(answer.read())
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
