"""The plan in words, for `sync --dry-run`: what would be saved, asked with what it overlaps, skipped, failed.

Nothing is written to either side. Items that would be saved block the ones planned after them, as in a real cycle
(Q-09). What goes to Exchange is foreseen as it will be asked once everything is brought in (`preview_outgoing`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.answering import AnswerRule, first
from syncline.core.appointment import Appointment, Identity
from syncline.core.merging import differences
from syncline.core.planning import Verb
from syncline.core.scheduling import Busy, Clash, Verdict, busy_of, clashes
from syncline.engine import holding, preview_outgoing, ruling
from syncline.engine.candidates import GROUPS, WRITES, adding_clashes, asks, candidate_of, merged_of
from syncline.engine.deciding import Decided, Order, order_of
from syncline.engine.guarding import Light, held_by
from syncline.engine.marking import would_mark
from syncline.engine.observing import row_content
from syncline.engine.questions import CONFLICT, unavailable
from syncline.engine.run import People, PlanLine, Run
from syncline.engine.scoping import released
from syncline.ports import Link, OnSchedulingConflict, Seen

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
    Verb.HOLD: "ask",
    Verb.SKIP: "skip",
    Verb.FAIL: "fail",
}
_RULED = {"yes": _WORDS[Verb.BOOK], "no": _WORDS[Verb.KEEP_OUT]}
_CHANGING = (Verb.RESCHEDULE, Verb.CANCEL, Verb.PARK)
_SHOWN_MAX = 3
SCAN = 500
_DAYS_MAX = 7


@dataclass
class _Taken:
    """What would be saved so far, by person and day; series and long items stand by themselves.

    `rules` are the answer rules, which save some of what would be asked.
    """

    rules: tuple[AnswerRule, ...]
    days: dict[tuple[str, int], list[Busy]] = field(default_factory=lambda: defaultdict(list))
    wide: dict[str, list[Busy]] = field(default_factory=lambda: defaultdict(list))

    def add(self, decided: Decided, people: People) -> None:
        """Take the time of an item that would be saved."""
        if decided.candidate is None:
            return
        parts = busy_of(decided.candidate, f"planned:{decided.link.id}")
        for person in people.known(decided.busy):
            for busy in parts:
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


class _Light(Struct, frozen=True, gc=False):
    """One link of the plan: enough to guard and to order it, however many there are; `light` if it has a row."""

    link_id: int
    light: Light | None
    doubted: bool
    order: tuple[int, Order]


@dataclass
class _Carried:
    """What would be brought in, as the way out needs it: whole updates, and which link each new appointment is of."""

    updates: list[Decided] = field(default_factory=list)
    fresh: dict[Identity, int] = field(default_factory=dict)

    def add(self, decided: Decided) -> None:
        """Note an item that would be carried out without an answer."""
        if preview_outgoing.brings_in(decided):
            self.updates.append(decided)
        elif decided.action.verb in (Verb.BOOK, Verb.JOIN):
            self.fresh[decided.link.identity] = decided.link.id


def plan(
    run: Run, due: Iterable[Sequence[Link]], decide: Callable[[Sequence[Link]], Sequence[Decided]]
) -> tuple[PlanLine, ...]:
    """Return the plan of both directions line by line, in the order in which it would be carried out (Q-09).

    What is due is decided twice, first to guard and to order it, then part by part in that order: as in a cycle the
    memory that it takes does not grow with the contents.
    """
    ids, held = _ordered(run, (_light(one) for links in due for one in decide(links)))
    incoming, carried = _incoming(run, ids, held, decide)
    return _both(run, incoming, carried)


def _incoming(
    run: Run, ids: Sequence[int], held: Mapping[int, str], decide: Callable[[Sequence[Link]], Sequence[Decided]]
) -> tuple[list[PlanLine], _Carried]:
    """Return what would be brought in, in the order given; what it takes of people's time is forgotten with it."""
    carried, taken = _Carried(), _Taken(run.store.answer_rules(run.mailbox.user))
    incoming: list[PlanLine] = []
    for at in range(0, len(ids), SCAN):
        part = {one.link.id: one for one in decide(run.store.links_by_id(ids[at : at + SCAN]))}
        ordered = [part[number] for number in ids[at : at + SCAN] if number in part]
        lines = [_held(line, held.get(line.link_id, "")) for line in _lines(run, ordered, taken)]
        waiting = {line.link_id for line in lines if line.waits}
        for one in ordered:
            if one.link.id not in waiting:
                carried.add(one)
        incoming.extend(lines)
    return incoming, carried


def _ordered(run: Run, lights: Iterable[_Light]) -> tuple[list[int], Mapping[int, str]]:
    """Return the links in the order in which they would be carried out, and the codes of what a guard would hold."""
    ordered = sorted(lights, key=lambda one: one.order)
    held = dict(held_by(run, [one.light for one in ordered if one.light is not None]))
    held |= _doubted(run, [one for one in ordered if one.link_id not in held])
    return [one.link_id for one in ordered if held.get(one.link_id) != ""], held


def _both(run: Run, incoming: Sequence[PlanLine], carried: _Carried) -> tuple[PlanLine, ...]:
    """Return the lines of both directions, once what is brought in is known."""
    waiting = {line.link_id for line in incoming if line.waits}
    outgoing = preview_outgoing.lines(run, carried.updates, waiting)
    joined = preview_outgoing.joined(carried.fresh, outgoing)
    # What Exchange has nothing to say about any more is told by the way out alone.
    over = {line.link_id for line in outgoing} - joined
    incoming = [line for line in incoming if line.action != _WORDS[Verb.SKIP] or line.link_id not in over]
    return (
        *(replace(line, action=_WORDS[Verb.JOIN]) if line.link_id in joined else line for line in incoming),
        *(line for line in outgoing if line.link_id not in joined),
    )


def _light(decided: Decided) -> _Light:
    link, verb = decided.link, decided.action.verb
    linked = link.crm_id is not None and not released(link)
    light = Light(link.id, verb, link.seen) if linked else None
    kind = WRITES.get(verb)
    group = -1 if kind is None else GROUPS.index(kind)
    doubted = link.doubted and linked and kind is not None
    return _Light(link.id, light, doubted, (group, order_of(link)))


def _doubted(run: Run, planned: Sequence[_Light]) -> Mapping[int, str]:
    """Return what would be held after a reading that started anew, with the code; "" for what a No dropped."""
    ids = tuple(one.link_id for one in planned if one.doubted)
    weighed = holding.weigh(run, [holding.Danger(code=holding.RESTORED, links=ids, heavy=ids)])
    return {**weighed.why, **dict.fromkeys(weighed.dropped, "")}


def _held(line: PlanLine, code: str) -> PlanLine:
    return replace(line, action="hold", code=code) if code else line


def _lines(run: Run, planned: Sequence[Decided], taken: _Taken) -> tuple[PlanLine, ...]:
    """Return what would be brought in, line by line, in the order given."""
    asking = [d for d in planned if asks(run, d)]
    verdicts = run.parts.crm.validate([candidate_of(run.rules, run.mailbox, d) for d in asking], run.rules.conflict)
    adding = adding_clashes(run, asking, verdicts)
    committed = {d.link.id: found for d, found, adds in zip(asking, verdicts, adding, strict=True) if adds}
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
    shown = decided.candidate or decided.link.agreed
    word, detail, code = _outcome(run, decided, verdict, taken)
    if verb is Verb.BOOK and word == _WORDS[verb]:
        taken.add(decided, run.people)
    names, before, after = _change(decided)
    return PlanLine(
        link_id=decided.link.id,
        subject=decided.link.subject,
        start=shown.span.start if shown else None,
        action=word,
        rule=decided.action.rule,
        detail=detail,
        private=decided.link.private,
        code=code,
        fields=names,
        before=before,
        after=after,
    )


def _outcome(run: Run, decided: Decided, verdict: Verdict | None, taken: _Taken) -> tuple[str, str, str]:
    """Return the word of the plan, what is to be said about it, and the code of a question, a skip or a failure."""
    verb, detail = decided.action.verb, decided.action.code or ""
    overlap = _overlap(run, decided, verdict, taken) if decided.action.check else ""
    if not overlap:
        return _WORDS[verb], detail, _asked_code(decided) if verb is Verb.HOLD else detail
    rule = _rule(run, decided, verdict or Verdict(), taken.rules)
    if rule is not None:
        return _RULED[rule.answer], f"{rule.signature}; {overlap}", ""
    word = _by_setting(run, decided)
    if word != "ask":
        return word, overlap, ""
    category = would_mark(run)
    marked = f'{overlap}; gets the category "{category}" in Outlook' if category else overlap
    return word, marked, CONFLICT


def _asked_code(decided: Decided) -> str:
    return holding.DIVERGED if decided.link.seen is Seen.PRESENT else holding.OVERRULED


def _by_setting(run: Run, decided: Decided) -> str:
    """Return what happens to an item that overlaps and that nobody has been asked about (Q-10)."""
    setting = run.mailbox.on_scheduling_conflict or run.rules.on_scheduling_conflict
    if decided.alert is not None or setting is OnSchedulingConflict.ASK:
        return "ask"
    return _WORDS[Verb.KEEP_OUT if setting is OnSchedulingConflict.KEEP_OUT else decided.action.verb]


def _change(decided: Decided) -> tuple[tuple[str, ...], Appointment | None, Appointment | None]:
    """Return which fields of the row would change, and the row before and after; of a question both versions."""
    if decided.row is None:
        return (), None, None
    before = row_content(decided.row)
    if decided.action.verb is Verb.HOLD and decided.torn:
        return tuple(sorted(decided.torn)), before, decided.candidate
    if decided.action.verb not in _CHANGING or decided.candidate is None:
        return (), before, None
    after = merged_of(decided).content
    return tuple(sorted(differences(before, after))), before, after


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
    for person in run.people.known(decided.busy):
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
