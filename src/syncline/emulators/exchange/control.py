"""The control plane under /emulator/: what tests ask and command of the server. JSON in, JSON out.

Works on the site's parts; knows nothing of sockets. Whether a caller may use it is asked first (`allows`). A row of
the route table is also a row of the documentation.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

import msgspec

from syncline.emulators.exchange.appointments import appointments
from syncline.emulators.exchange.disturbances import Armed
from syncline.emulators.exchange.site import Answer, Site

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Load = Callable[[str, str], object]
JSON = (("Content-Type", "application/json"),)
PROBLEM = (("Content-Type", "application/problem+json"),)


class ControlError(Exception):
    """A request that the control plane refuses, with its status."""

    def __init__(self, status: int, detail: str) -> None:
        """Keep status and text."""
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The commands over one site. Without a token only this host may use them, with one whoever has it.

    `load` puts a calendar text into the mailbox of an address and returns its report.
    """

    site: Site
    load: Load
    token: str | None = None

    def allows(self, *, local: bool, token: str) -> bool:
        """Return whether a caller may use the control plane."""
        return local if self.token is None else hmac.compare_digest(token.encode(), self.token.encode())

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer one request; `path` begins after /emulator."""
        try:
            values = msgspec.json.decode(body) if body.strip() else {}
            if not isinstance(values, dict):
                raise ControlError(422, "the body must be an object")
            result = self._route(method, [unquote(part) for part in path.split("/") if part], values)
        except msgspec.DecodeError as error:
            return _problem(422, str(error))
        except ControlError as error:
            return _problem(error.status, error.detail)
        return Answer(status=200, body=msgspec.json.encode(result), headers=JSON)

    def _route(self, method: str, parts: list[str], values: dict[str, Json]) -> object:
        found = False
        for route in ROUTES:
            pattern = route.path.split("/")
            if len(pattern) == len(parts) and all(
                p in (part, "{address}") for p, part in zip(pattern, parts, strict=True)
            ):
                if route.method == method:
                    return route.run(self, values, parts)
                found = True
        raise ControlError(405 if found else 404, "no such command")


def _problem(status: int, detail: str) -> Answer:
    body = {"type": "about:blank", "title": "The control plane refused", "status": status, "detail": detail}
    return Answer(status=status, body=msgspec.json.encode(body), headers=PROBLEM)


Run = Callable[[ControlPlane, dict[str, Json], list[str]], object]


@dataclass(frozen=True, slots=True)
class Route:
    """One command: method, path after /emulator/, function, and what a user should know."""

    method: str
    path: str
    run: Run
    note: str


def _outbox(plane: ControlPlane, _: dict[str, Json], __: list[str]) -> object:
    return [msgspec.json.decode(text) for _row, text in plane.site.store.notes("mail")]


def _imports(plane: ControlPlane, _: dict[str, Json], __: list[str]) -> object:
    return [msgspec.json.decode(text) for _row, text in plane.site.store.notes("import")]


def _requests(plane: ControlPlane, _: dict[str, Json], __: list[str]) -> object:
    return plane.site.requests.counts()


def _unsupported(plane: ControlPlane, _: dict[str, Json], __: list[str]) -> object:
    return plane.site.unsupported.counts()


def _arm(plane: ControlPlane, values: dict[str, Json], _: list[str]) -> object:
    try:
        armed = msgspec.convert(values, Armed)
        plane.site.disturbances.arm(armed)
    except (msgspec.ValidationError, ValueError) as error:
        raise ControlError(422, str(error)) from None
    return {"operation": armed.operation, "fault": armed.fault, "count": armed.count}


def _disarm(plane: ControlPlane, _: dict[str, Json], __: list[str]) -> object:
    plane.site.disturbances.disarm()
    return {}


def _clock(plane: ControlPlane, values: dict[str, Json], _: list[str]) -> object:
    seconds = values.get("advance_s")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise ControlError(422, "advance_s must be a number")
    plane.site.clock.advance(seconds)
    return {"now": plane.site.clock.now()}


def _reset(plane: ControlPlane, _: dict[str, Json], __: list[str]) -> object:
    plane.site.reset()
    return {}


def _mailboxes(plane: ControlPlane, _: dict[str, Json], __: list[str]) -> object:
    return [{"address": m.address, "name": m.name, "time_zone": m.zone} for m in plane.site.store.mailboxes()]


def _add_mailbox(plane: ControlPlane, values: dict[str, Json], _: list[str]) -> object:
    address, password, calendar = values.get("address"), values.get("password", ""), values.get("calendar")
    if not isinstance(address, str) or "@" not in address or not isinstance(password, str):
        raise ControlError(422, "address and password must be texts, and the address one of mail")
    if calendar is not None and not isinstance(calendar, str):
        raise ControlError(422, "calendar must be the text of an .ics file")
    mailbox = plane.site.store.add_mailbox(address, password, zone=plane.site.zone)
    report = plane.load(mailbox.address, calendar) if calendar else None
    return {"address": mailbox.address, "import": report}


def _appointments(plane: ControlPlane, _: dict[str, Json], parts: list[str]) -> object:
    mailbox = plane.site.store.mailbox(parts[1])
    if mailbox is None:
        raise ControlError(404, f"no mailbox {parts[1]}")
    return appointments(plane.site.store, mailbox)


ROUTES: tuple[Route, ...] = (
    Route("GET", "outbox", _outbox, "every mail that was sent or would have been, oldest first"),
    Route("POST", "faults", _arm, 'arms a fault: {"operation": "CreateItem" or "*", "fault": ..., "count": 1}'),
    Route("DELETE", "faults", _disarm, "disarms all faults"),
    Route("GET", "requests", _requests, "requests by operation since the start"),
    Route("GET", "unsupported", _unsupported, "requests that were refused as not supported, by operation"),
    Route("GET", "imports", _imports, "the report of every calendar file that was loaded"),
    Route("POST", "clock", _clock, 'moves the clock: {"advance_s": 3600}'),
    Route("POST", "reset", _reset, "back to the state at the start: contents, faults, clock, counts"),
    Route("GET", "mailboxes", _mailboxes, "the mailboxes"),
    Route("POST", "mailboxes", _add_mailbox, 'adds one: {"address", "password", "calendar": text of an .ics file}'),
    Route("GET", "mailboxes/{address}/appointments", _appointments, "singles, series and exceptions of a mailbox"),
)
