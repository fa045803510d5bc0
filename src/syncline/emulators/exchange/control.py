"""The control plane under /emulator/: what tests ask and command of the server. JSON in, JSON out.

Works on the site's parts; knows nothing of sockets. Whether a caller may use it is asked first (`allows`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from syncline.emulators.exchange.disturbances import Armed
from syncline.emulators.exchange.site import Answer, Site

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
    """The commands over one site. Without a token only this host may use them, with one whoever has it."""

    site: Site
    token: str | None = None

    def allows(self, *, local: bool, token: str) -> bool:
        """Return whether a caller may use the control plane."""
        return local if self.token is None else hmac.compare_digest(token.encode(), self.token.encode())

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer one request; `path` begins after /emulator."""
        parts = [part for part in path.split("/") if part]
        try:
            values = msgspec.json.decode(body) if body else {}
            if not isinstance(values, dict):
                raise ControlError(422, "the body must be an object")
            result = self._route(method, parts, values)
        except (msgspec.DecodeError, ControlError) as error:
            status = error.status if isinstance(error, ControlError) else 422
            problem = msgspec.json.encode({"status": status, "detail": str(error)})
            return Answer(status=status, body=problem, headers=PROBLEM)
        return Answer(status=200, body=msgspec.json.encode(result), headers=JSON)

    def _route(self, method: str, parts: list[str], values: dict[str, Any]) -> Any:
        found = _ROUTES.get((method, "/".join(parts)))
        if found is None:
            raise ControlError(404, "no such command")
        return found(self, values)


def _requests(plane: ControlPlane, _: dict[str, Any]) -> Any:
    return plane.site.requests.counts()


def _unsupported(plane: ControlPlane, _: dict[str, Any]) -> Any:
    return plane.site.unsupported.counts()


def _arm(plane: ControlPlane, values: dict[str, Any]) -> Any:
    try:
        armed = msgspec.convert(values, Armed)
        plane.site.disturbances.arm(armed)
    except (msgspec.ValidationError, ValueError) as error:
        raise ControlError(422, str(error)) from None
    return {"armed": armed.fault}


def _disarm(plane: ControlPlane, _: dict[str, Any]) -> Any:
    plane.site.disturbances.disarm()
    return {}


def _clock(plane: ControlPlane, values: dict[str, Any]) -> Any:
    seconds = values.get("advance_s")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise ControlError(422, "advance_s must be a number")
    plane.site.clock.advance(seconds)
    return {"now": plane.site.clock.now().isoformat()}


def _reset(plane: ControlPlane, _: dict[str, Any]) -> Any:
    plane.site.reset()
    return {}


_ROUTES: dict[tuple[str, str], Callable[[ControlPlane, dict[str, Any]], Any]] = {
    ("GET", "requests"): _requests,
    ("GET", "unsupported"): _unsupported,
    ("POST", "faults"): _arm,
    ("DELETE", "faults"): _disarm,
    ("POST", "clock"): _clock,
    ("POST", "reset"): _reset,
}
