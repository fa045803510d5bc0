"""The boundary at which a bug becomes a value: it stops one item or one mailbox, never the others (design.md 8).

Here is the engine's only clause that catches everything. A SyncError passes: it is no bug. The trace goes to the log
whole; what people read names the kind of the bug and the line, never a value. It must not know what was being done.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import TypeVar

from syncline.errors import SyncError

log = logging.getLogger("syncline.engine")

Result = TypeVar("Result")


def contain(work: Callable[[], Result], stopped: Callable[[Exception], Result], what: str) -> Result:
    """Return what `work` returns, or after a bug what `stopped` makes of it; `what` names the work in the log."""
    try:
        return work()
    except SyncError:
        raise
    except Exception as bug:
        log.exception("a bug stopped %s", what)
        return stopped(bug)


def item_error(bug: Exception, subject: str) -> SyncError:
    """Return a bug as the failure of one item."""
    return SyncError("InternalItemError", subject=subject, detail=_where(bug))


def mailbox_error(bug: Exception, mailbox: str) -> SyncError:
    """Return a bug as the failure of a whole mailbox."""
    return SyncError("InternalMailboxError", mailbox=mailbox, detail=_where(bug))


def _where(bug: Exception) -> str:
    frames = traceback.extract_tb(bug.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(bug).__name__}{place}"
