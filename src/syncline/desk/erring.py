"""What is wrong with a mailbox as a whole, with everything that its error names.

It must not know who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from syncline.errors import SyncError
from syncline.ports import Mailbox

if TYPE_CHECKING:
    from syncline.wiring import App


def error_of(app: App, mailbox: Mailbox) -> SyncError | None:
    """Return the last error of a mailbox, None if it works.

    What the error names stands in its open notice; without one (somebody else's wish to wait, or a notice that was
    withdrawn) the text is all that is known.
    """
    code = mailbox.last_error
    if code is None:
        return None
    notice = app.store.notice(mailbox.id, code)
    params: Mapping[str, str] = {"detail": mailbox.last_error_text} if notice is None else notice.params
    return SyncError(code, retry_after_s=None, **{"mailbox": mailbox.address, **params})
