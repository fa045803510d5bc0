"""Whether a process runs jobs on a data folder, told by an operating-system lock that ends with its holder.

`jobs.lock` is held by `serve`, `worker` and `demo`; everybody else only asks. The file's content (a process number)
is for people; only the lock counts. It must not know what the jobs are.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from syncline.errors import SyncError

LOCK_FILE = "jobs.lock"


class JobsLock:
    """The right to run jobs on one data folder, as a context manager."""

    def __init__(self, data: Path) -> None:
        self._path = data / LOCK_FILE
        self._handle: int | None = None

    def __enter__(self) -> JobsLock:
        """Take the lock; SyncError("DataFolderBusy") if another living process holds it."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            os.close(handle)
            who = f" (process {holder})" if holder else ""
            raise SyncError("DataFolderBusy", detail=f"{self._path.parent}{who}") from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def jobs_run(data: Path) -> bool:
    """Return whether a living process runs jobs on this data folder."""
    try:
        handle = os.open(data / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
