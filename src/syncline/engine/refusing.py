"""What a No leaves behind: a link at rest, and after a reading that started anew both sides (A-25, decision 0038).

What either side said until then is dealt with: no cycle writes it anywhere until somebody changes something again. It
must not write to a port, and it does not know how anybody was asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from syncline.core.planning import Verb
from syncline.core.pushing import outward
from syncline.core.withholding import withholding
from syncline.engine.deciding import decide
from syncline.engine.observing import row_content
from syncline.engine.run import Run, untroubled
from syncline.engine.writing import Draft
from syncline.ports import CrmRow, Link, LinkState, Seen

REASON = "the CRM stays as it is"


def refuse(run: Run, link_ids: Sequence[int], code: str) -> None:
    """Leave both sides of these links as they are, after a No to the question `code`.

    Links of items that are gone are forgotten. What else was asked or told about the items was about what is dropped,
    and is withdrawn (Q-01); an earlier No to exactly what the item says now stands on (Q-04).
    """
    links = run.store.links_by_id(link_ids)
    draft = Draft(run)
    for link, decided in zip(links, decide(run, links), strict=True):
        draft.note(decided, "dropped by an answer", rule=code)
        if link.seen is Seen.GONE:
            draft.removed.append(link.id)
            draft.close(decided, REASON, over=True)
        elif link.state is LinkState.PARKED and decided.action.verb is Verb.PARK:
            draft.settle(_withheld(run, replace(link, doubted=False), decided.row))
        else:
            draft.settle(_in_doubt_no_more(_withheld(run, link, decided.row)))
            draft.close(decided, REASON)
    run.write(draft.changes())


def at_rest(link: Link) -> Link:
    """Return the link as in step: nothing of it is asked, answered or tried again."""
    return replace(
        untroubled(link),
        state=LinkState.SETTLED,
        decision=None,
        decision_by=None,
        decided_digest="",
        decided_left_out=(),
    )


def _in_doubt_no_more(link: Link) -> Link:
    """Return the link at rest, or with an edit of the CRM that is seen to wait."""
    pending = link.crm_version != link.crm_version_seen
    state = LinkState.UNSETTLED if pending else LinkState.SETTLED
    return replace(at_rest(link), doubted=False, state=state)


def _withheld(run: Run, link: Link, row: CrmRow | None) -> Link:
    """Return the link with what its row says kept from Exchange until it is edited (decision 0029).

    Carried over, it would bring the item back here, with all that was just refused. A newer row is told of later.
    """
    waits = run.outgoing and link.crm_settled != link.crm_version_seen
    if not waits or row is None or link.agreed is None or row.version != link.crm_version_seen:
        return link
    content = outward(row_content(row), row.status, link.agreed)
    kept = withholding(link.agreed, content, content)
    return replace(link, crm_version=row.version, crm_settled=row.version, withheld=kept)
