"""The plan in words, for `sync --dry-run`: what would be saved, asked with what it overlaps, skipped, failed.

Nothing is written to the CRM. Items that would be saved block the ones planned after them, as in a real cycle (Q-09).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from syncline.core.answering import AnswerRule, first
from syncline.core.planning import Verb
from syncline.core.scheduling import Busy, Clash, Verdict, busy_of, clashes
from syncline.engine import ruling
from syncline.engine.applying import candidate_of
from syncline.engine.deciding import Decided
from syncline.engine.marking import would_mark
from syncline.engine.questions import unavailable
from syncline.engine.run import PlanLine, Run

_WORDS = {
    Verb.BOOK: "save",
    Verb.RESCHEDULE: "update",
    Verb.CANCEL: "cancel",
    Verb.DELETE: "delete",
    Verb.JOIN: "link",
    Verb.WAIT: "wait",
    Verb.UNLINK: "unlink",
    Verb.FORGET: "forget",
    Verb.KEEP_OUT: "keep out",
    Verb.PARK: "update texts",
    Verb.SKIP: "skip",
    Verb.FAIL: "fail",
}
_RULED = {"yes": _WORDS[Verb.BOOK], "no": _WORDS[Verb.KEEP_OUT]}
_SHOWN_MAX = 3
_DAYS_MAX = 7


@dataclass
class _Taken:
    """What would be saved so far, by person and day; series and long items stand by themselves.

    `rules` are the answer rules, which save some of what would be asked.
    """

    rules: tuple[AnswerRule, ...]
    days: dict[tuple[str, int], list[Busy]] = field(default_factory=lambda: defaultdict(list))
    wide: dict[str, list[Busy]] = field(default_factory=lambda: defaultdict(list))

    def add(self, decided: Decided) -> None:
        """Take the time of an item that would be saved."""
        if decided.candidate is None:
            return
        for person in decided.busy:
            for busy in busy_of(decided.candidate, f"planned:{decided.link.id}"):
                days = _days(busy)
                if days is None:
                    self.wide[person.address].append(busy)
                for day in days or ():
                    self.days[person.address, day].append(busy)

    def near(self, address: str, candidate: Iterable[Busy]) -> list[Busy]:
        """Return what could overlap one of the candidate's parts for one person."""
        found = {id(busy): busy for busy in self.wide[address]}
        for part in candidate:
            days = _days(part)
            keys = [(address, day) for day in days] if days is not None else [k for k in self.days if k[0] == address]
            found |= {id(busy): busy for key in keys for busy in self.days.get(key, ())}
        return list(found.values())


def lines(run: Run, planned: Sequence[Decided]) -> tuple[PlanLine, ...]:
    """Return the plan line by line, in the order in which it would be carried out."""
    asking = [d for d in planned if d.action.check and d.candidate is not None]
    verdicts = run.parts.crm.validate([candidate_of(run, d) for d in asking], run.rules.conflict)
    committed = {d.link.id: verdict for d, verdict in zip(asking, verdicts, strict=True)}
    taken = _Taken(run.store.answer_rules(run.mailbox.user))
    found = []
    for decided in planned:
        line = _line(run, decided, committed.get(decided.link.id), taken)
        if line is not None:
            found.append(line)
    return tuple(found)


def _line(run: Run, decided: Decided, verdict: Verdict | None, taken: _Taken) -> PlanLine | None:
    verb = decided.action.verb
    if verb is Verb.SETTLE:
        return None
    start = decided.candidate.span.start if decided.candidate else None
    word, detail = _WORDS[verb], decided.action.code or ""
    overlap = _overlap(run, decided, verdict, taken) if decided.action.check else ""
    if overlap:
        rule = _rule(run, decided, verdict or Verdict(), taken.rules)
        word, detail = (_RULED[rule.answer], f"{rule.signature}; {overlap}") if rule else ("ask", overlap)
    category = would_mark(run) if word == "ask" else ""
    if category:
        detail = f'{detail}; gets the category "{category}" in Outlook'
    if verb is Verb.BOOK and word == _WORDS[verb]:
        taken.add(decided)
    return PlanLine(
        link_id=decided.link.id,
        subject=decided.link.subject,
        start=start,
        action=word,
        rule=decided.action.rule,
        detail=detail,
    )


def _rule(run: Run, decided: Decided, verdict: Verdict, rules: Sequence[AnswerRule]) -> AnswerRule | None:
    """Return the answer rule that would answer; what overlaps only planned items overlaps its own calendar."""
    if not rules or not ruling.opens(decided):
        return None
    facts = ruling.facts(run, decided, verdict, ())
    return first(rules, run.mailbox.id, run.mailbox.user, facts)


def _overlap(run: Run, decided: Decided, verdict: Verdict | None, taken: _Taken) -> str:
    if verdict is not None and verdict.unavailable:
        found = [clash for person in verdict.unavailable for clash in person.clashes]
        return f"{unavailable(verdict)}: {_named(found)}"
    if decided.candidate is None:
        return ""
    parts = busy_of(decided.candidate, "candidate")
    since = None if run.rules.conflict.check_past else decided.link.first_seen
    for person in decided.busy:
        blockers = taken.near(person.address, parts)
        zone = run.mailbox.time_zone
        found = clashes(decided.candidate, blockers, zone, since, run.rules.conflict) if blockers else []
        if found:
            return f"{person.name or person.address}: {_named(found)}"
    return ""


def _named(found: Sequence[Clash]) -> str:
    shown = "; ".join(
        f"{'Private appointment' if clash.private else clash.subject} {clash.start:%Y-%m-%d %H:%M}"
        for clash in found[:_SHOWN_MAX]
    )
    return shown if len(found) <= _SHOWN_MAX else f"{shown} and {len(found) - _SHOWN_MAX} more"


def _days(busy: Busy) -> range | None:
    """Return the days (ordinals) around a short single; None for a series or a long item."""
    if busy.recurrence is not None or busy.span.end - busy.span.start > timedelta(days=_DAYS_MAX):
        return None
    slack = 1 if busy.span.all_day else 0
    return range(busy.span.start.toordinal() - slack, busy.span.end.toordinal() + 1 + slack)
