"""Where the world strikes: a gate before every port, so that the production engine runs unmodified.

Every call of the engine on a port goes through the gate of its process. A chooser says what happens at that call:
nothing, a refusal, a lost answer, a cut or shuffled page, an expired cursor, an act of somebody else, or its death.
After its death every further call of that process fails too. The module must not know the engine or the world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from syncline.errors import SyncError
from syncline.ports import CrmPage, Page

P = TypeVar("P")


class Killed(BaseException):
    """The simulated process died at this call. No handler of the product may catch it."""


class Strike(StrEnum):
    """What can happen at one port call."""

    REFUSED = "refused before effect"
    LOST = "answer lost after effect"
    THROTTLED = "throttled"
    CUT = "page cut short"
    SHUFFLED = "page out of order and told twice"
    EXPIRED = "cursor expired"
    STIRRED = "somebody acts just before"
    OVERTAKEN = "another owner runs just before"
    WOKEN = "woken and started again just before"
    STALE = "what is written is edited just before"
    KILLED = "killed before effect"
    KILLED_AFTER = "killed after effect"


class Call(Struct, frozen=True):
    """One call of the engine: its number in the life of the gate, the port, the method, and the mailbox it is for."""

    number: int
    port: str
    method: str
    mailbox: str = ""


Chooser = Callable[[Call], Strike | None]

_REFUSALS = {"calendar": "ServiceUnavailable", "crm": "CrmUnavailable", "store": "DiskFull"}
_LOSSES = {"calendar": "ServerTimeout", "crm": "CrmUnavailable"}


def nothing(_: Call) -> Strike | None:
    """Choose nothing: the quiet chooser."""
    return None


@dataclass
class Gate:
    """What every port call of one process passes through.

    `stirred`, `overtaken`, `woken`, `expired` and `staled` are what others do when the chooser lets them act: people,
    another owner of the mailbox, the same owner told of something twice, the server that forgets its cursors, and
    people who edit what is being written.
    """

    choose: Chooser = nothing
    stirred: Callable[[Call], None] = lambda _: None
    overtaken: Callable[[Call], None] = lambda _: None
    woken: Callable[[Call], None] = lambda _: None
    expired: Callable[[Call], None] = lambda _: None
    staled: Callable[[Call], None] = lambda _: None
    dead: bool = False
    calls: list[Call] = field(default_factory=list)
    struck: list[tuple[Call, Strike]] = field(default_factory=list)

    def pass_through(self, port: str, method: str, mailbox: str, effect: Callable[[bool], object]) -> object:
        """Let one call through, with what strikes it; `effect` is told whether its page is cut short."""
        if self.dead:
            raise Killed
        call = Call(len(self.calls), port, method, mailbox)
        self.calls.append(call)
        strike = self.choose(call)
        if strike is None:
            return effect(False)
        self.struck.append((call, strike))
        self._before(call, strike)
        result = effect(strike is Strike.CUT)
        if strike is Strike.KILLED_AFTER:
            self.dead = True
            raise Killed
        if strike is Strike.LOST:
            raise _error(_LOSSES[call.port])
        return _shuffled(result) if strike is Strike.SHUFFLED else result

    def _before(self, call: Call, strike: Strike) -> None:
        if strike is Strike.KILLED:
            self.dead = True
            raise Killed
        if strike is Strike.REFUSED:
            raise _error(_REFUSALS[call.port])
        if strike is Strike.THROTTLED:
            raise SyncError("ThrottledByExchange", retry_after_s=60, detail="60 s")
        acts = {
            Strike.STIRRED: self.stirred,
            Strike.OVERTAKEN: self.overtaken,
            Strike.WOKEN: self.woken,
            Strike.EXPIRED: self.expired,
            Strike.STALE: self.staled,
        }
        if strike in acts:
            acts[strike](call)


def faulty(port: P, name: str, gate: Gate, mailbox: str = "") -> P:
    """Return the port with `gate` before each of its methods; `name` is calendar, crm or store."""
    return cast("P", _Faulty(port, name, gate, mailbox))


class _Faulty:
    def __init__(self, port: object, name: str, gate: Gate, mailbox: str) -> None:
        self._port, self._name, self._gate, self._mailbox = port, name, gate, mailbox

    def __getattr__(self, method: str) -> Callable[..., Any]:
        done = getattr(self._port, method)
        gate, name, mailbox = self._gate, self._name, self._mailbox

        def call(*given: object, **named: object) -> object:
            def effect(short: bool) -> object:
                return done(*(*given[:-1], 1), **named) if short else done(*given, **named)

            return gate.pass_through(name, method, mailbox, effect)

        return call


_OTHERS = (Strike.STIRRED, Strike.OVERTAKEN, Strike.WOKEN, Strike.KILLED, Strike.KILLED_AFTER)
_PAGES = (Strike.CUT, Strike.SHUFFLED, Strike.SHUFFLED)
_OF_PORT = {
    "calendar": (Strike.REFUSED, Strike.LOST, Strike.THROTTLED),
    "crm": (Strike.REFUSED, Strike.LOST),
    "store": (Strike.REFUSED,),
}
_GUARDED = (("crm", "reschedule"), ("crm", "delete"), ("calendar", "write"))


def possible(call: Call) -> tuple[Strike, ...]:
    """Return what can strike such a call."""
    if call.method in ("close", "release"):
        return _OTHERS
    if (call.port, call.method) in _GUARDED:
        return (*_OTHERS, *_OF_PORT[call.port], Strike.STALE, Strike.STALE)
    if call.method != "changes":
        return _OTHERS + _OF_PORT[call.port]
    cursors = (Strike.EXPIRED,) if call.port == "calendar" else ()
    return _OTHERS + _OF_PORT[call.port] + _PAGES + cursors


def _shuffled(page: object) -> object:
    """Return a page of changes as a feed may hand it out: newest first or last, and every other entry twice."""
    if isinstance(page, Page):
        return replace(page, items=(*reversed(page.items), *page.items[::2]))
    assert isinstance(page, CrmPage)
    return replace(page, changes=(*reversed(page.changes), *page.changes[::2]))


def _error(code: str) -> SyncError:
    return SyncError(code, detail="the simulated world says so")
