"""What to do? One situation of one appointment in, one light action out.

The rules stand in four tables, one per kind of situation; the first row that fits decides, and its id goes into the
action, the journal and `syncline explain`. Pure: it must not know links, cursors, connectors or the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Status
from syncline.core.merging import CANCELED, PERSONS, PrivatePolicy, differences, reschedules


class Verb(StrEnum):
    """What a plan wants done for one link."""

    BOOK = "book"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"
    DELETE = "delete"
    JOIN = "join"
    WAIT = "wait"
    SETTLE = "settle"
    UNLINK = "unlink"
    FORGET = "forget"
    KEEP_OUT = "keep_out"
    PARK = "park"
    HOLD = "hold"
    SKIP = "skip"
    FAIL = "fail"


class Presence(StrEnum):
    """What Exchange shows of the item now; an item that lost its category is not gone. ABSENT: it was never made."""

    PRESENT = "present"
    GONE = "gone"
    UNTRACKED = "untracked"
    ABSENT = "absent"


class Source(StrEnum):
    """Which copy of the meeting decides about the row (A-33a): this one, or another mailbox's that saved or waits."""

    OWN = "own"
    SAVED_ELSEWHERE = "saved elsewhere"
    UNDECIDED_ELSEWHERE = "undecided elsewhere"


class Decision(StrEnum):
    """What a person has decided about exactly this scheduling digest (Q-02)."""

    NONE = "none"
    YES = "yes"
    WITHOUT_OVERLAPS = "without overlaps"
    NO = "no"
    LAPSED = "lapsed"


class Policy(Struct, frozen=True, gc=False, kw_only=True):
    """The settings that decide for one mailbox."""

    private: PrivatePolicy = PrivatePolicy.IMPORT
    track_from_non_organizer: bool = True
    ignore_copies: bool = True
    ask_before_overruling: bool = False


class Situation(Struct, frozen=True, gc=False, kw_only=True):
    """One appointment as both sides and the past show it.

    `candidate` is the projected Exchange content (None when not present), `agreed` the merge base, `linked` whether a
    row is known, `row` its status (None: the row is gone). `organizer`: the mailbox owns the meeting; `colleague`: a
    CRM user other than the owner organizes it; `copy`: another living item of this mailbox holds the identity;
    `started`: it began before now; `persons_moved`: other people are busy than when it was last written.
    `torn`: both sides changed what only a person may decide (3.1). `edited`: the row is another than agreed;
    `own_files`: it has files that Exchange never had; `overrule` what was answered about deleting it all the same.
    """

    presence: Presence
    candidate: Appointment | None = None
    agreed: Appointment | None = None
    linked: bool = False
    row: Status | None = None
    source: Source = Source.OWN
    organizer: bool = True
    colleague: bool = False
    copy: bool = False
    started: bool = False
    persons_moved: bool = False
    torn: bool = False
    edited: bool = False
    own_files: bool = False
    overrule: bool | None = None
    decision: Decision = Decision.NONE
    fields: frozenset[str] = frozenset()


class Action(Struct, frozen=True, gc=False, kw_only=True):
    """One light action. `check`: a write asks whether everybody is free; `code`: code of a skip or failure."""

    verb: Verb
    rule: str
    check: bool = False
    code: str | None = None
    fields: frozenset[str] = frozenset()


Test = Callable[[Situation, Policy], bool]


class _Rule(Struct, frozen=True, gc=False):
    rule: str
    when: Test
    verb: Verb
    check: bool = False
    code: str | None = None


def _always(_: Situation, __: Policy) -> bool:
    return True


def _closed(s: Situation, _: Policy) -> bool:
    return s.row in (None, Status.COMPLETED, Status.CANCELED)


def _foreign(s: Situation, p: Policy) -> bool:
    return s.colleague and not p.track_from_non_organizer


def _hidden(s: Situation, p: Policy) -> bool:
    return p.private is PrivatePolicy.SKIP and s.candidate is not None and s.candidate.private


def _overrules(s: Situation, p: Policy) -> bool:
    series = s.agreed is not None and s.agreed.recurrence is not None
    loses = s.own_files or (p.ask_before_overruling and s.edited)
    return loses and (series or not s.started)


def _canceled(s: Situation, _: Policy) -> bool:
    return s.candidate is not None and s.candidate.canceled


def _moves(s: Situation, _: Policy) -> bool:
    return s.agreed is not None and s.candidate is not None and reschedules(s.fields, s.agreed, s.candidate)


_NEW = (
    _Rule("D-03", _hidden, Verb.SKIP, code="PrivateSkipped"),
    _Rule("L-11", lambda s, p: s.copy and not p.ignore_copies, Verb.FAIL, code="DoubtfulMatch"),
    _Rule("A-33a", lambda s, _: s.copy, Verb.SKIP, code="CopiedItemIgnored"),
    _Rule("A-28", _foreign, Verb.SKIP, code="NotOrganizerSkipped"),
    _Rule("A-36", lambda s, _: s.source is Source.SAVED_ELSEWHERE and s.row is None, Verb.SKIP, code="ClosedInCrm"),
    _Rule("A-33", lambda s, _: s.source is Source.SAVED_ELSEWHERE, Verb.JOIN),
    _Rule("Q-06", lambda s, _: s.source is Source.UNDECIDED_ELSEWHERE, Verb.WAIT),
    _Rule("A-34", _canceled, Verb.BOOK),
    _Rule("Q-02", lambda s, _: s.decision is Decision.YES, Verb.BOOK),
    _Rule("Q-02", lambda s, _: s.decision is Decision.WITHOUT_OVERLAPS, Verb.BOOK, check=True),
    _Rule("Q-04", lambda s, _: s.decision is Decision.NO, Verb.KEEP_OUT),
    _Rule("CD-07", lambda s, _: s.decision is Decision.LAPSED, Verb.WAIT),
    _Rule("A-23", _always, Verb.BOOK, check=True),
)

_LINKED = (
    _Rule("A-33a", lambda s, _: s.source is not Source.OWN, Verb.SETTLE),
    _Rule("Q-01", lambda s, _: not s.fields and s.row is not None, Verb.SETTLE),
    _Rule("A-34", lambda s, p: s.row is Status.CANCELED and _canceled(s, p), Verb.SETTLE),
    _Rule("A-22", lambda s, p: s.row is not None and _closed(s, p), Verb.SKIP, code="ClosedInCrm"),
    _Rule("A-36", _closed, Verb.SKIP, code="ClosedInCrm"),
    _Rule("3.1", lambda s, _: s.torn, Verb.HOLD),
    _Rule("A-34", lambda s, p: CANCELED in s.fields and _canceled(s, p), Verb.CANCEL),
    _Rule("CD-10", lambda s, p: not _moves(s, p), Verb.RESCHEDULE),
    _Rule("Q-08", lambda s, _: s.decision is Decision.YES, Verb.RESCHEDULE),
    _Rule("Q-08", lambda s, _: s.decision is Decision.WITHOUT_OVERLAPS, Verb.RESCHEDULE, check=True),
    _Rule("Q-08", lambda s, _: s.decision in (Decision.NO, Decision.LAPSED), Verb.PARK),
    _Rule("A-23", _always, Verb.RESCHEDULE, check=True),
)

_GONE = (
    _Rule("Q-01", lambda s, _: not s.linked, Verb.FORGET),
    _Rule("A-33a", lambda s, _: s.source is not Source.OWN, Verb.UNLINK),
    _Rule("A-25", _closed, Verb.UNLINK),
    _Rule("A-25", lambda s, _: not s.organizer, Verb.UNLINK),
    _Rule("A-25", lambda s, p: _overrules(s, p) and s.overrule is None, Verb.HOLD),
    _Rule("A-25", lambda s, p: _overrules(s, p) and s.overrule is False, Verb.UNLINK),
    _Rule("A-26", lambda s, _: s.agreed is not None and s.agreed.recurrence is not None, Verb.DELETE),
    _Rule("A-25", lambda s, _: s.started, Verb.UNLINK),
    _Rule("A-25", _always, Verb.DELETE),
)

_UNTRACKED = (
    _Rule("Q-01", lambda s, _: not s.linked, Verb.FORGET),
    _Rule("A-35", _always, Verb.UNLINK),
)


def plan(situation: Situation, policy: Policy) -> Action:
    """Return the action for one situation: the first rule that fits (3.3–3.5, Q-01 to Q-08)."""
    s = _with_fields(situation)
    for rule in _table(s):
        if rule.when(s, policy):
            return Action(verb=rule.verb, rule=rule.rule, check=rule.check, code=rule.code, fields=s.fields)
    raise AssertionError("the last rule of each table fits always")


def _table(s: Situation) -> tuple[_Rule, ...]:
    if s.presence is Presence.GONE:
        return _GONE
    if s.presence is Presence.UNTRACKED:
        return _UNTRACKED
    return _LINKED if s.linked else _NEW


def _with_fields(s: Situation) -> Situation:
    if s.agreed is None or s.candidate is None:
        return s
    fields = differences(s.agreed, s.candidate)
    return replace(s, fields=fields | {PERSONS} if s.persons_moved else fields)
