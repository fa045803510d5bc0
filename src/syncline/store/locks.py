"""Who still lives: one operating-system lock per mailbox, given back by the kernel when its holder dies.

A lease ends by a clock; the lock tells sooner. It must not know tables: it answers for a number whether somebody
holds it. `FileLocks` serve a database in a file, `MemoryLocks` one that lives in this process only.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from typing import Protocol


class Locks(Protocol):
    """Locks named by mailbox id."""

    def take(self, mailbox_id: int) -> bool:
        """Take the lock if nobody holds it; False if a living holder does."""

    def drop(self, mailbox_id: int) -> None:
        """Give the lock back; nothing happens if it is not ours."""

    def drop_all(self) -> None:
        """Give all locks back, as the death of this holder would."""


class MemoryLocks:
    """Locks among the owners inside one process."""

    def __init__(self) -> None:
        self._held: set[int] = set()
        self._guard = threading.Lock()

    def take(self, mailbox_id: int) -> bool:
        """Take the lock if nobody holds it."""
        with self._guard:
            free = mailbox_id not in self._held
            self._held.add(mailbox_id)
            return free

    def drop(self, mailbox_id: int) -> None:
        """Give the lock back."""
        with self._guard:
            self._held.discard(mailbox_id)

    def drop_all(self) -> None:
        """Give all locks back."""
        with self._guard:
            self._held.clear()


class FileLocks:
    """Locks among processes (and among several databases of one process): flock(2) on a small file per mailbox."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[int, int] = {}
        self._guard = threading.Lock()

    def take(self, mailbox_id: int) -> bool:
        """Take the lock if nobody holds it."""
        with self._guard:
            if mailbox_id in self._held:
                return False
            self._folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(self._folder / f"mailbox-{mailbox_id}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                return False
            self._held[mailbox_id] = handle
            return True

    def drop(self, mailbox_id: int) -> None:
        """Give the lock back."""
        with self._guard:
            handle = self._held.pop(mailbox_id, None)
            if handle is not None:
                os.close(handle)

    def drop_all(self) -> None:
        """Give all locks back."""
        with self._guard:
            while self._held:
                os.close(self._held.popitem()[1])
