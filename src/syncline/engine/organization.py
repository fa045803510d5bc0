"""One installation keeps a mailbox in step, told by the mark that it leaves there (M-06, T-05).

`claim` is the step of test and enable, `check` the look at the start of a cycle, as often as the folders are read
again. Neither touches an appointment. It must not know how a mark is kept.
"""

from __future__ import annotations

from typing import Final

from syncline.engine.boundary import log
from syncline.engine.run import Run
from syncline.errors import SyncError
from syncline.ports import Mailbox, OrganizationMark, Replica

UNKNOWN: Final = "?"


def claim(replica: Replica, mailbox: Mailbox, mine: OrganizationMark, *, writes: bool, take_over: bool = False) -> None:
    """Make sure that this installation is the one that keeps the mailbox in step.

    A mailbox without a mark gets `mine`; our own is left as it is. Somebody else's raises
    SyncError("ExchangeSyncIncorrectCrmOrgError") unless `take_over`. Where nothing may be written, nothing is.
    """
    found = replica.mark()
    if found is not None and found.installation == mine.installation:
        return
    if found is not None and not take_over:
        raise foreign(mailbox, found)
    if writes:
        _require_ours(mailbox, mine.installation, replica.set_mark(mine, found))


def check(run: Run) -> None:
    """Stop before anything is written to a mailbox that another installation has taken over.

    Where nothing is written at all, by the profile or by the settings, nobody is in anybody's way, and no mark is left.
    It looks when the folders are due to be read again (`hierarchy_interval_s`), so that a quiet cycle asks the server
    for nothing more, and before the first cycle that carries the CRM's changes over. A mailbox without a mark, as
    before there were marks, gets ours where the account may set it.
    """
    begins = run.outgoing and not run.mailbox.filters
    if not (run.writable and run.rules.writes) or not (run.hierarchy_due or begins):
        return
    installation = run.store.installation()
    found = run.replica.mark()
    if found is None:
        mine = OrganizationMark(installation=installation, crm_name=run.rules.crm_name, since=run.now())
        try:
            found = run.replica.set_mark(mine, None)
        except SyncError as error:
            if error.code != "OrganizationMarkNotWritable":
                raise
            # It has passed its test without a mark; the next test says what is missing.
            log.warning("%s", error)
            return
    _require_ours(run.mailbox, installation, found)


def foreign(mailbox: Mailbox, mark: OrganizationMark) -> SyncError:
    """Return the error that names who keeps the mailbox in step; what cannot be read of it is a question mark."""
    return SyncError(
        "ExchangeSyncIncorrectCrmOrgError",
        mailbox=mailbox.address,
        other=mark.crm_name or UNKNOWN,
        since=UNKNOWN if mark.since is None else f"{mark.since:%Y-%m-%d}",
    )


def _require_ours(mailbox: Mailbox, installation: str, mark: OrganizationMark) -> None:
    if mark.installation != installation:
        raise foreign(mailbox, mark)
