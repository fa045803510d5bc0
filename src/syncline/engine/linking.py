"""What a link looks like after something was done, or dealt with, towards Exchange: values in, a link out.

It must not write, and it decides nothing: `core.pushing` has decided, `applying_outgoing` has done it.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from syncline.core.appointment import Appointment, Status
from syncline.core.leaving_out import without
from syncline.core.merging import differences, diverged_fields
from syncline.core.pushing import Verb
from syncline.core.withholding import withholding
from syncline.engine.flipping import OUTWARD
from syncline.engine.outgoing import Outward
from syncline.engine.run import Run, untroubled
from syncline.engine.scoping import UNSETTLED, WAITS_SINCE_BEFORE, resumed
from syncline.ports import CrmRow, Link, LinkState, Observed, Origin, Seen

OUT_OF_FILTERS = "OutOfFilters"
_CLOSED = (Status.COMPLETED, Status.CANCELED)


def made(run: Run, link: Link, item: Observed, whole: Outward) -> Link:
    """Return the link of an item that was just made from a row; what else the item says is still to be brought in."""
    assert whole.content is not None and whole.row is not None
    # It may have been passed over before.
    taken = replace(untroubled(link), agreed=whole.content, writes=True, origin=Origin.CRM, state=LinkState.SETTLED)
    return as_seen(run, dealt(taken, whole), item)


def in_common(content: Appointment, there: Appointment) -> Appointment:
    """Return what both sides have in common: dates of a series are written one by one, and some may be missing."""
    return replace(content, exceptions=there.exceptions, deleted=there.deleted)


def let_go(run: Run, link: Link, row: CrmRow | None, item: Observed | None) -> Link:
    """Return the link of an item that Syncline itself tracks no longer; it remembers that (1.11), and what was agreed.

    `item`: as it was just written, None if it stands as it was observed.
    """
    version = row.version if row is not None else link.crm_version_seen
    if item is not None:
        link = replace(link, ref=item.ref, folder=item.folder, revision=item.revision, observed=item.appointment)
    link = replace(
        link,
        seen=Seen.UNTRACKED,
        seen_settled=Seen.UNTRACKED,
        revision_settled=link.revision,
        crm_version_seen=version,
        crm_settled=version,
        in_scope=False,
        doubted=False,
        by_request=False,
        decision=None,
        decision_by=None,
        decided_digest="",
        decided_left_out=(),
    )
    return skipped(run, link, OUT_OF_FILTERS)


def taken_back(run: Run, outward: Outward, item: Observed) -> Link:
    """Return the link of a released item that is tracked again: what either side changed meanwhile flows as ever."""
    link, row = outward.link, outward.row
    assert row is not None
    return replace(
        untroubled(link),
        agreed=link.agreed or run.projected(item.appointment),
        crm_version_seen=row.version,
        crm_settled=resumed(link),
        withheld=None,
        crm_gone=False,
        in_scope=True,
        state=LinkState.SETTLED,
    )


def skipped(run: Run, link: Link, code: str) -> Link:
    """Return the link as passed over, with the code that says why."""
    return replace(
        link,
        state=LinkState.SKIPPED,
        sync_error=code,
        error_params={"subject": link.subject},
        error_time=run.now(),
        retries=0,
        next_try=None,
    )


def as_seen(run: Run, link: Link, item: Observed) -> Link:
    """Return the link as having observed an item that was just written; due if the item holds more than agreed."""
    content = run.projected(item.appointment)
    same = link.agreed is not None and not differences(link.agreed, content)
    busy = run.busy(item.appointment)
    return replace(
        link,
        ref=item.ref,
        folder=item.folder,
        identity=item.appointment.identity,
        subject=item.appointment.subject,
        private=item.appointment.private,
        seen=Seen.PRESENT,
        seen_settled=Seen.PRESENT,
        revision=item.revision,
        revision_settled=item.revision if same else None,
        observed=item.appointment,
        created_order=item.appointment.created,
        scheduling_digest=run.digest(content, busy),
    )


def left_out_no_more(link: Link) -> Link:
    """Return the link of an item that was just written; nothing of it is left out once it holds what was agreed.

    What it said beside a closed row (A-22) may be gone with the dates of a series that the row has moved.
    """
    if link.state is not LinkState.SKIPPED or link.revision_settled is None:
        return link
    return replace(link, state=LinkState.SETTLED, sync_error=None, error_params={}, error_time=None)


def brought_back(run: Run, outward: Outward) -> Link:
    """Return the link without the dates left out that the CRM has again just as Outlook has them (decision 0012).

    Nothing has to be written for them, but from now on they are dates like the others on both sides.
    """
    link, content = outward.link, outward.content
    if content is None or link.agreed is None or link.observed is None or "deleted" not in outward.action.fields:
        return link
    left_out = tuple(date for date in link.left_out if date in content.deleted)
    deleted = tuple(date for date in link.agreed.deleted if date in left_out or date not in link.left_out)
    agreed = replace(link.agreed, deleted=deleted)
    digest = run.digest(agreed, run.busy(without(link.observed, left_out)))
    return replace(link, agreed=agreed, left_out=left_out, scheduling_digest=digest)


def still_out(link: Link, agreed: Appointment) -> tuple[datetime, ...]:
    """Return the dates that are left out; one that the CRM has again was left out once, and is not any more."""
    return tuple(date for date in link.left_out if date in agreed.deleted)


def dealt(link: Link, outward: Outward) -> Link:
    """Return the link with its CRM side dealt with, and without what failed on the way."""
    row = outward.row
    version = row.version if row is not None else link.crm_version_seen
    known = replace(link, crm_version_seen=version, crm_settled=version, in_scope=outward.in_scope, doubted=False)
    known = replace(known, withheld=withheld(link, outward))
    if row is not None and link.agreed is not None:
        # What stays in the row because Exchange changed it too is still to be carried over once that is settled (3.1).
        known = replace(known, crm_version=UNSETTLED if _stays(link, outward) else version, crm_gone=False)
    if link.error_params.get("direction") == OUTWARD or link.state is LinkState.UNSETTLED:
        known = replace(untroubled(known), state=LinkState.SETTLED)
    return known


def _stays(link: Link, outward: Outward) -> bool:
    """Return whether the row keeps a change of its own beside one of Exchange that waits, as after a No (Q-08).

    Nothing waits for a closed row: Exchange's change is not brought in, so the two stay as they are (A-22, A-34).
    """
    content, decided = outward.content, outward.incoming
    if outward.row is not None and outward.row.status in _CLOSED:
        return False
    if link.agreed is None or content is None or decided is None or decided.candidate is None:
        return False
    return bool(diverged_fields(link.agreed, decided.candidate, content))


def withheld(link: Link, outward: Outward) -> Appointment | None:
    """Return what the row says that stays out of Exchange until it is edited: refused, or from before (0029)."""
    content = outward.content
    if content is None:
        return None
    kept = content if outward.refused or _left_waiting(link, outward) else link.withheld
    if link.seen is Seen.ABSENT:
        return None if outward.action.verb is Verb.CREATE else kept
    if kept is None or link.agreed is None:
        return kept
    return withholding(link.agreed, kept, content)


def _left_waiting(link: Link, outward: Outward) -> bool:
    """Return whether something from before is dealt with although it was not carried over."""
    waited = link.seen is not Seen.ABSENT and link.agreed is not None and link.crm_settled in WAITS_SINCE_BEFORE
    return waited and outward.action.verb is not Verb.UPDATE
