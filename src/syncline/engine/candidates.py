"""What a write would put into a row, whom that makes busy, and whether it is checked: as the CRM is asked about it.

Pure but for one question to the CRM, whether an overlap is new. It must not write, and it decides nothing that
`core.planning` has decided.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from syncline.core.appointment import Appointment
from syncline.core.merging import PERSONS, Merge, differences, held, merge, reschedules
from syncline.core.planning import Verb
from syncline.core.scheduling import Person, Verdict, answered, persons
from syncline.engine.deciding import Decided
from syncline.engine.observing import row_content
from syncline.engine.run import Rules, Run
from syncline.ports import Candidate, CrmRow, Mailbox
from syncline.ports import Verb as Write

WRITES = {
    Verb.DELETE: Write.DELETE,
    Verb.CANCEL: Write.RESCHEDULE,
    Verb.RESCHEDULE: Write.RESCHEDULE,
    Verb.PARK: Write.RESCHEDULE,
    Verb.BOOK: Write.BOOK,
}
GROUPS = (Write.DELETE, Write.RESCHEDULE, Write.BOOK)


def merged_of(decided: Decided) -> Merge:
    """Merge what Exchange changed onto the row as it is; a parked change keeps the row's scheduling group (Q-08)."""
    agreed, row = decided.link.agreed, decided.row
    target = target_of(decided)
    if agreed is None or row is None:
        return Merge(target, decided.action.fields, frozenset())
    return merge(agreed, target, row_content(row), decided.crm_wins)


def candidate_of(rules: Rules, mailbox: Mailbox, decided: Decided) -> Candidate:
    """Return the candidate of a decided item as it would be checked now: with what the CRM has changed since."""
    content = merged_of(decided).content
    return replace(as_written(rules, mailbox, decided, content, check=True), row_id=decided.link.crm_id)


def asks(run: Run, decided: Decided) -> bool:
    """Return whether carrying out an action asks whether everybody is free."""
    if WRITES.get(decided.action.verb) is not Write.RESCHEDULE:
        return decided.action.check
    merged = merged_of(decided)
    return checks(run, decided, merged) and not stands(decided, merged)


def checks(run: Run, decided: Decided, merged: Merge) -> bool:
    """Return whether a change is checked: where the row keeps its time and people, nothing new overlaps (Q-08)."""
    link = decided.link
    if not decided.action.check or decided.row is None or link.agreed is None:
        return decided.action.check
    if PERSONS in decided.action.fields and run.digest(link.agreed, decided.busy) != link.scheduling_digest:
        return True
    row = row_content(decided.row)
    return reschedules(differences(row, merged.content), row, merged.content)


def stands(decided: Decided, merged: Merge) -> bool:
    """Return whether the row already holds what would be written, as after a crash between write and outcome.

    A parked change leaves the row's people as they are (Q-08), however Exchange has changed them.
    """
    if decided.row is None or (PERSONS in decided.action.fields and decided.action.verb is not Verb.PARK):
        return False
    return not differences(row_content(decided.row), merged.content)


def adding_clashes(run: Run, decided: Sequence[Decided], verdicts: Sequence[Verdict]) -> list[bool]:
    """Return which writes would overlap what their rows as they stand do not (Q-08); the CRM is asked once for all.

    Not what was agreed: where the CRM has moved a row out of a clash since, Exchange would bring that back (Q-09).
    """
    clashing = [_clashes(verdict) for verdict in verdicts]
    standing = {at: _standing(run, one) for at, one in enumerate(decided) if clashing[at]}
    asked = {at: candidate for at, candidate in standing.items() if candidate is not None}
    found = run.parts.crm.validate(list(asked.values()), run.rules.conflict) if asked else []
    known = {at: _clashes(verdict) for at, verdict in zip(asked, found, strict=True)}
    return [not clashes <= known.get(at, frozenset()) for at, clashes in enumerate(clashing)]


def _standing(run: Run, decided: Decided) -> Candidate | None:
    """Return the row as it stands, as a candidate; None if there is none."""
    if decided.row is None:
        return None
    content = row_content(decided.row)
    busy = busy_now(run, decided.row, content)
    before = as_written(run.rules, run.mailbox, decided, content, check=True, people=busy)
    return replace(before, row_id=decided.row.id)


def busy_now(run: Run, row: CrmRow, content: Appointment) -> tuple[Person, ...]:
    """Return whom the row keeps busy as it stands, of the people of `content`.

    Only the row knows: who declined is in nothing that was agreed, and may have been invited anew since.
    """
    return tuple(person for person in run.busy(content) if person.address in row.busy)


def _clashes(verdict: Verdict) -> frozenset[tuple[str, str, object]]:
    return frozenset(
        (person.user_id, clash.row_id, clash.candidate_start)
        for person in verdict.unavailable
        for clash in person.clashes
    )


def as_written(
    rules: Rules,
    mailbox: Mailbox,
    decided: Decided,
    appointment: Appointment,
    *,
    check: bool,
    people: tuple[Person, ...] | None = None,
) -> Candidate:
    """Return a candidate with the people whom what is written makes busy, unless they are given (CD-05, CD-05a)."""
    return Candidate(
        appointment=appointment,
        persons=_made_busy(mailbox, decided, appointment) if people is None else people,
        user=mailbox.user,
        check=check,
        since=None if rules.conflict.check_past else decided.link.first_seen,
    )


def _made_busy(mailbox: Mailbox, decided: Decided, content: Appointment) -> tuple[Person, ...]:
    """Return whom a content makes busy: the CRM may name others in it than Exchange, which knows who declined."""
    item = decided.link.observed
    return persons(content if item is None else answered(content, item), mailbox.address)


def target_of(decided: Decided) -> Appointment:
    """Return what Exchange asks of the row: a parked change leaves the scheduling group as agreed (Q-08)."""
    agreed, content = decided.link.agreed, content_of(decided)
    return held(agreed, content) if decided.action.verb is Verb.PARK and agreed is not None else content


def content_of(decided: Decided) -> Appointment:
    """Return the content of an item that is there, as it flows to the CRM."""
    assert decided.candidate is not None, "only a present item is written"
    return decided.candidate
