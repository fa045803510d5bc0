"""What the demo says on a terminal: the passwords it makes up, its progress, and where everything is."""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass, field

from syncline.desk.objects import encode

_WORDS = (
    ("moss", "fern", "birch", "amber", "cedar", "flint", "heath", "maple", "pebble", "reed", "river", "slate"),
    ("otter", "kite", "heron", "finch", "badger", "marten", "plover", "swift", "lynx", "stoat", "tern", "vole"),
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Signed:
    """A name and a password to sign in with."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """What the demo says once it serves (interface.md)."""

    url: str
    administrator: Signed
    user: Signed
    token: str = field(repr=False)
    outlook: str
    data: str


def password() -> str:
    """Return a password of two words and a number, easy to type from a screen."""
    first, second = (secrets.choice(words) for words in _WORDS)
    return f"{first}-{second}-{10 + secrets.randbelow(89)}"


def warn_about(host: str) -> None:
    """Say what listening elsewhere than on this machine means."""
    if host not in LOOPBACK:
        sys.stderr.write(
            f"Warning: the demo listens on {host}; everybody who reaches it can see and change what is in it.\n"
        )


class Progress:
    """One line on a terminal that says what is being done; nothing where nobody looks."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Replace the line; an empty text takes it away."""
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()


def announce(ready: Ready, *, kept: bool, as_json: bool) -> None:
    """Say where everything is."""
    sys.stdout.write(encode(ready).decode() + "\n" if as_json else text_of(ready, kept=kept))
    sys.stdout.flush()


def text_of(ready: Ready, *, kept: bool) -> str:
    """Return what is said on a terminal; also the order of the first minute."""
    end = "kept" if kept else "thrown away at the end; --data DIR keeps it"
    admin, user = ready.administrator, ready.user
    return (
        f"Syncline demo, Fjord Bikes.   Data: {ready.data} ({end})\n"
        f"  Syncline            {ready.url}      {admin.name} / {admin.password}   (administrator)     "
        f"{user.name} / {user.password}   (sales)\n"
        f"  Outlook stand-in    {ready.outlook}     the other side: add or move an appointment, watch what happens\n"
        "  Try:  1 open the first address, answer the question   2 double-book Maya in the stand-in   "
        f"3 .venv/bin/syncline alerts list --data {ready.data}\n"
        "Nothing leaves this machine. Ctrl-C ends it.\n"
    )
