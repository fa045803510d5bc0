"""Faults that a test arms: which one the next request of an operation meets.

Knows names and counts; what a fault does is told in `site`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

FAULTS: dict[str, str] = {
    "unauthorized": "401, as if the password were wrong",
    "forbidden": "403",
    "busy": "SOAP fault ErrorServerBusy with BackOffMilliseconds",
    "unavailable": "503 with Retry-After",
    "invalid_sync_state": "ErrorInvalidSyncStateData (SyncFolderItems and SyncFolderHierarchy)",
    "denied": "every item of the request answers ErrorAccessDenied (writing), as to an account that may only read",
    "lost_answer": "the work is done, then the connection drops without an answer",
    "slow": "the answer comes `delay_s` seconds late (2 unless given)",
    "broken": (
        "one item of the request answers ErrorItemCorrupt (reading) or ErrorInternalServerError (writing);"
        " with `subject`: every reading of an item of that subject, `count` times"
    ),
}
SYNCS = frozenset({"SyncFolderItems", "SyncFolderHierarchy"})
WRITES = frozenset(
    {
        *("CreateItem", "UpdateItem", "DeleteItem", "MoveItem", "CopyItem", "CreateAttachment", "DeleteAttachment"),
        *("CreateUserConfiguration", "UpdateUserConfiguration", "DeleteUserConfiguration"),
    }
)
ITEMS = WRITES | {"GetItem", "GetAttachment"}
_ONLY: dict[str, frozenset[str]] = {"invalid_sync_state": SYNCS, "broken": ITEMS, "denied": WRITES}


@dataclass(slots=True)
class Armed:
    """One armed fault: operation or *, kind, how many requests it still meets, and seconds of delay.

    With a `subject` the fault *broken* meets readings of items of that subject, `count` times, and nothing else.
    """

    operation: str
    fault: str
    count: int = 1
    delay_s: float = 2.0
    subject: str = ""


class Disturbances:
    """The armed faults of a server; safe for threads."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._armed: list[Armed] = []

    def arm(self, armed: Armed) -> None:
        """Arm one more; raises ValueError for an unknown fault or a count below one."""
        if armed.fault not in FAULTS:
            raise ValueError(f"unknown fault {armed.fault!r}; known: {', '.join(FAULTS)}")
        if armed.count < 1:
            raise ValueError("count must be at least 1")
        if armed.subject and armed.fault != "broken":
            raise ValueError("only the fault broken can be limited to a subject")
        with self._lock:
            self._armed.append(armed)

    def disarm(self) -> None:
        """Disarm all."""
        with self._lock:
            self._armed.clear()

    def meet(self, operation: str) -> Armed | None:
        """Return the fault that this request meets, and use it up by one."""
        with self._lock:
            for armed in self._armed:
                if not armed.subject and _hits(armed, operation):
                    return self._used(armed)
        return None

    def breaks(self, operation: str, subject: str) -> bool:
        """Return whether a fault is armed for items of this subject, and use it up by one."""
        with self._lock:
            for armed in self._armed:
                if armed.subject and armed.subject == subject and _hits(armed, operation):
                    self._used(armed)
                    return True
        return False

    def _used(self, armed: Armed) -> Armed:
        armed.count -= 1
        if armed.count <= 0:
            self._armed.remove(armed)
        return armed


def _hits(armed: Armed, operation: str) -> bool:
    return armed.operation in ("*", operation) and operation in _ONLY.get(armed.fault, {operation})
