"""The way out in the words of a plan: what would be made, changed and deleted in Outlook, and whom that would mail.

Exchange's changes come in first in a real cycle. So each link is foreseen as it will stand then, and the decision about
it is the one that the cycle makes (`pushing`). It writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Status
from syncline.core.merging import EXCEPTIONS, advance
from syncline.core.outgoing import ItemCreation, ItemUpdate, changed_fields
from syncline.core.planning import Verb as Incoming
from syncline.core.pushing import Verb
from syncline.engine.candidates import merged_of
from syncline.engine.deciding import Decided
from syncline.engine.flipping import turned
from syncline.engine.outgoing import Outward
from syncline.engine.pushing import Foreseen, foresee
from syncline.engine.run import PlanLine, Run
from syncline.ports import LinkState, Seen

_WORDS = {
    Verb.CREATE: "make",
    Verb.UPDATE: "update",
    Verb.DELETE: "delete",
    Verb.UNTRACK: "untrack",
    Verb.TRACK: "track",
    Verb.ADOPT: "link",
    Verb.AWAIT: "await",
    Verb.CLOSE: "unlink",
    Verb.ASK_ORGANIZER: "ask",
    Verb.ASK_DELETION: "ask",
    Verb.SKIP: "skip",
    Verb.FAIL: "fail",
}
_BRINGING_IN = (Incoming.RESCHEDULE, Incoming.CANCEL)
_HELD_BACK = (LinkState.ASKED, LinkState.PARKED, LinkState.FAILED)
_FLIPPING = "ChangesBackAndForth"


def lines(run: Run, updates: Sequence[Decided], waiting: Collection[int]) -> tuple[PlanLine, ...]:
    """Return what would be carried over to Exchange, in order.

    `updates` are what would be brought in before, `waiting` the links that wait for an answer first.
    """
    dealt = {each.link.id: _brought_in(run, each) for each in updates}
    found = foresee(run, dealt)
    return tuple(_line(each) for each in found if each.outward.link.id not in waiting and _told(each))


def joined(fresh: Mapping[Identity, int], outgoing: Sequence[PlanLine]) -> frozenset[int]:
    """Return the links of both directions that would turn out to be one appointment, which is only linked (A-33).

    `fresh` are the links of what would be new in the CRM.
    """
    found: set[int] = set()
    for line in outgoing:
        if line.action == "link" and line.after is not None and line.after.identity in fresh:
            found |= {line.link_id, fresh[line.after.identity]}
    return frozenset(found)


def brings_in(decided: Decided) -> bool:
    """Return whether something of Exchange would be brought into a row that stands, or does not wait any more."""
    taken_back = decided.action.verb is Incoming.SETTLE and decided.link.state in _HELD_BACK
    brings = decided.action.verb in _BRINGING_IN or taken_back
    return brings and decided.candidate is not None and decided.row is not None and decided.link.agreed is not None


def _brought_in(run: Run, decided: Decided) -> Decided:
    """Return a link and its row as they will stand once Exchange's change is brought in (3.1)."""
    link, row, candidate = decided.link, decided.row, decided.candidate
    assert row is not None and link.agreed is not None and candidate is not None
    merged = merged_of(decided)
    settled = replace(
        turned(run, link, outward=False) if decided.action.verb in _BRINGING_IN else link,
        agreed=advance(link.agreed, candidate, merged.fields),
        revision_settled=link.revision,
        seen_settled=link.seen,
        state=LinkState.SETTLED,
        decision=None,
        doubted=False,
    )
    status = Status.CANCELED if decided.action.verb is Incoming.CANCEL else row.status
    return replace(decided, link=settled, row=replace(row, appointment=merged.content, status=status))


def _told(foreseen: Foreseen) -> bool:
    return foreseen.outward.action.verb in _WORDS


def _line(foreseen: Foreseen) -> PlanLine:
    outward, code = foreseen.outward, foreseen.code
    action = outward.action
    word = "fail" if foreseen.parked else _WORDS[action.verb]
    if code and word != "ask":
        word = "hold"
    own = _FLIPPING if foreseen.parked else outward.error.code if outward.error else action.code or ""
    names, before, after = _change(outward)
    shown = after or before
    return PlanLine(
        link_id=outward.link.id,
        subject=shown.subject if shown else outward.link.subject,
        start=shown.span.start if shown else None,
        action=word,
        rule=action.rule,
        detail=own,
        private=outward.link.private or bool(shown and shown.private),
        outward=True,
        code=code or own,
        fields=names,
        before=before,
        after=after,
        mails=() if foreseen.parked else outward.mails,
        mail_rule=action.mail_rule,
    )


def _change(outward: Outward) -> tuple[tuple[str, ...], Appointment | None, Appointment | None]:
    """Return which fields of the item would change, and the item before and after."""
    write = outward.write
    if isinstance(write, ItemUpdate):
        return _differing(write.before, write.after), write.before, write.after
    after = write.content if isinstance(write, ItemCreation) else None
    there = outward.link.observed if outward.link.seen is Seen.PRESENT else None
    return (), there, after or (None if there else outward.content)


def _differing(before: Appointment, after: Appointment) -> tuple[str, ...]:
    parts = {EXCEPTIONS} if _dates(before) != _dates(after) else set()
    deleted = {"deleted"} if before.deleted != after.deleted else set()
    return tuple(sorted(changed_fields(before, after) | parts | deleted))


def _dates(series: Appointment) -> Mapping[object, Appointment]:
    return {part.identity: part for part in series.exceptions}
