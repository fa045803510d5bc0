"""What to do towards Exchange? One situation of one row in, one light action out, and whom it may mail.

The counterpart of `planning`: that brings Exchange's changes to the CRM, this brings the CRM's to Exchange, and it
looks at an item only after that has dealt with it. The rules stand in tables, the first row that fits decides. Pure: it
must not know links, cursors, connectors or the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from syncline.core.appointment import Appointment, ShowAs, Status
from syncline.core.merging import CANCELED, EXCEPTION_TEXTS, PrivatePolicy, differences, project
from syncline.core.outgoing import Mailing
from syncline.core.planning import Presence
from syncline.core.withholding import withheld_fields

_CLOSED = (Status.COMPLETED, Status.CANCELED)
# What A-07 lists as sensitive is all that flows but the mark *private*.
_QUIET = frozenset({"sensitivity"})
_MASKED = frozenset({"subject", "description", "location"})


class Direction(StrEnum):
    """Which way a field flows (3.9)."""

    BOTH = "both"
    TO_CRM = "to_crm"
    TO_EXCHANGE = "to_exchange"
    NONE = "none"


SETTABLE = ("subject", "location", "description")
"""The fields of 3.9 whose direction an administrator may choose."""


class Verb(StrEnum):
    """What a plan wants done towards Exchange for one link."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ADOPT = "adopt"
    AWAIT = "await"
    UNTRACK = "untrack"
    TRACK = "track"
    CLOSE = "close"
    ASK_ORGANIZER = "ask organizer"
    ASK_DELETION = "ask deletion"
    SETTLE = "settle"
    WAIT = "wait"
    FORGET = "forget"
    SKIP = "skip"
    FAIL = "fail"


class Found(StrEnum):
    """Whether the calendar holds an item of the row's identity already, and whether that is tracked."""

    NOTHING = "nothing"
    TRACKED = "tracked"
    UNTRACKED = "untracked"


class Policy(Struct, frozen=True, gc=False, kw_only=True):
    """The settings that decide for one mailbox.

    `distinct_deletes`: a row that leaves the filters is unlinked, not deleted (1.1, 3.3). `propagate_cancellations`:
    A-13. `ask_before_overruling`: a deletion that would overrule an edit on the other side is asked about.
    `send`: mails may leave at all. `directions` by field name; what is not named flows both ways.
    """

    private: PrivatePolicy = PrivatePolicy.IMPORT
    distinct_deletes: bool = True
    propagate_cancellations: bool = False
    mail_about_past: bool = False
    ask_before_overruling: bool = False
    send: bool = True
    directions: Mapping[str, Direction] = field(default_factory=dict)

    def flows_out(self, name: str) -> bool:
        """Return whether the CRM's changes of a field reach Exchange."""
        return self.directions.get(name, Direction.BOTH) in (Direction.BOTH, Direction.TO_EXCHANGE)

    def flows_in(self, name: str) -> bool:
        """Return whether Exchange's changes of a field reach the CRM."""
        return self.directions.get(name, Direction.BOTH) in (Direction.BOTH, Direction.TO_CRM)


class Situation(Struct, frozen=True, gc=False, kw_only=True):
    """One row as the CRM shows it, with what Exchange and the past know of it.

    `row`: its content as Exchange should show it, None if the row is gone; `status` its state. `agreed` and `exchange`:
    the merge base and the projected item. `own`: the mailbox organizes it, by the item where there is one, else by the
    row. `named`: the row has an organizer; `handed`: the item is organized here, the row by somebody else (A-14).
    `elsewhere`: the organizer has an enabled mailbox, another one. `holder`: another link of the mailbox holds the row;
    `held_elsewhere`: the copy in another enabled mailbox decides about it, so no second meeting is made (A-14).
    `started` and `ended`: it began, or is wholly over. `cut`: the row is a series without a date to come (R-03).
    `decides`: this copy writes (A-33a). `tracked_anyway`: the item stays tracked whatever the CRM says. `released`:
    Syncline untracked it when its row left the filters, and nobody has tracked it since. `draft`: it stays in the CRM
    for now. `earlier`: it is from before anything was written to the calendar, which makes and changes items and
    deletes none. `withheld`: the row as it was when it was kept from Exchange. `overrule`: what was answered about a
    deletion that overrules an edit.
    """

    presence: Presence
    row: Appointment | None = None
    status: Status | None = None
    agreed: Appointment | None = None
    exchange: Appointment | None = None
    in_scope: bool = True
    was_in_scope: bool = True
    from_crm: bool = True
    own: bool = True
    named: bool = True
    handed: bool = False
    elsewhere: bool = False
    holder: bool = False
    held_elsewhere: bool = False
    found: Found = Found.NOTHING
    started: bool = False
    ended: bool = False
    cut: bool = False
    decides: bool = True
    tracked_anyway: bool = False
    released: bool = False
    first_sync: bool = False
    earlier: bool = False
    withheld: Appointment | None = None
    draft: bool = False
    overrule: bool | None = None
    fields: frozenset[str] = frozenset()
    overruled: frozenset[str] = frozenset()


class Action(Struct, frozen=True, gc=False, kw_only=True):
    """One light action towards Exchange: which fields, whom it mails by rule, and the code of a skip or failure."""

    verb: Verb
    rule: str
    fields: frozenset[str] = frozenset()
    mailing: Mailing = Mailing.NOBODY
    mail_rule: str = ""
    code: str | None = None


Test = Callable[[Situation, Policy], bool]
# What mails people, and the rule that says whom.
_MAILS = {Verb.CREATE: "A-06", Verb.UPDATE: "A-07", Verb.DELETE: "A-12"}


class _Rule(Struct, frozen=True, gc=False):
    rule: str
    when: Test
    verb: Verb
    code: str | None = None


def _always(_: Situation, __: Policy) -> bool:
    return True


def _canceled_away(s: Situation, p: Policy) -> bool:
    """Return whether a canceled meeting is called off; of a series that was ended early only its dates to come go."""
    lasts = not s.ended and not s.cut
    return p.propagate_cancellations and s.status is Status.CANCELED and s.own and lasts and not s.earlier


def _left(s: Situation, _: Policy) -> bool:
    """Return whether the row has left the filters; what people track themselves does not leave (3.3)."""
    return s.from_crm and s.was_in_scope and not s.in_scope and not s.tracked_anyway


def _leaves_for_good(s: Situation, p: Policy) -> bool:
    return _left(s, p) and not p.distinct_deletes and s.own and not s.ended and not s.earlier


def _kept_out(s: Situation) -> bool:
    """Return whether an answer keeps the row from being made, and nobody has edited it since."""
    return s.withheld is not None and s.row is not None and not differences(s.withheld, s.row)


def _masked(s: Situation, p: Policy) -> bool:
    return s.row is not None and s.row.private and p.private is PrivatePolicy.SKIP


_ABSENT = (
    _Rule("L-13", lambda s, _: s.holder, Verb.FORGET),
    _Rule("A-36", lambda s, _: s.row is None or s.status in _CLOSED, Verb.FORGET),
    _Rule("1.11", lambda s, _: not s.in_scope, Verb.FORGET),
    _Rule("A-09", lambda s, _: s.draft, Verb.SKIP, "DraftNotMade"),
    _Rule("A-03", lambda s, _: not s.named, Verb.FAIL, "OrganizerMissing"),
    _Rule("A-33a", lambda s, _: s.own and s.held_elsewhere, Verb.AWAIT, "AwaitsInvitation"),
    _Rule("A-02", lambda s, _: not s.own and s.found is not Found.NOTHING, Verb.ADOPT),
    _Rule("A-02", lambda s, _: not s.own and s.elsewhere, Verb.AWAIT, "AwaitsInvitation"),
    _Rule("A-02", lambda s, _: not s.own, Verb.SKIP, "OrganizedElsewhere"),
    _Rule("A-33", lambda s, _: s.found is Found.TRACKED, Verb.ADOPT),
    _Rule("A-35", lambda s, _: s.found is Found.UNTRACKED, Verb.SKIP, "UntrackedInOutlook"),
    _Rule("R-05", lambda s, _: s.ended, Verb.SKIP, "PastNotMade"),
    _Rule("D-03", _masked, Verb.SKIP, "PrivateSkipped"),
    _Rule("Q-04", lambda s, _: _kept_out(s), Verb.SKIP, "KeptFromOutlook"),
    _Rule("A-01", _always, Verb.CREATE),
)

_PRESENT = (
    _Rule("A-33a", lambda s, _: not s.decides and s.row is not None, Verb.SETTLE),
    _Rule("A-33a", lambda s, _: not s.decides, Verb.CLOSE),
    _Rule("A-11", lambda s, _: s.row is None and (not s.own or s.ended or s.earlier), Verb.CLOSE),
    _Rule("A-11", lambda s, _: s.row is None and _single(s) and s.started, Verb.CLOSE),
    _Rule("A-11", lambda s, p: s.row is None and _unanswered(s, p), Verb.ASK_DELETION),
    _Rule("A-11", lambda s, _: s.row is None and s.overrule is False, Verb.CLOSE),
    _Rule("A-11", lambda s, _: s.row is None, Verb.DELETE),
    _Rule("A-13", _canceled_away, Verb.DELETE),
    _Rule("A-14", lambda s, _: s.handed and s.own, Verb.ASK_ORGANIZER),
    _Rule("3.3", _leaves_for_good, Verb.DELETE),
    _Rule("3.3", _left, Verb.UNTRACK),
    _Rule("A-02", lambda s, _: not s.own, Verb.SETTLE),
    _Rule("A-07", lambda s, _: bool(s.fields), Verb.UPDATE),
    _Rule("Q-01", _always, Verb.SETTLE),
)

_ELSEWHERE = (_Rule("A-25", _always, Verb.WAIT),)
_UNTRACKED = (
    _Rule("A-35", lambda s, _: not s.released, Verb.WAIT),
    _Rule("A-36", lambda s, _: s.row is None, Verb.FORGET),
    _Rule("1.11", lambda s, _: not s.in_scope or s.status in _CLOSED, Verb.SETTLE),
    _Rule("D-03", _masked, Verb.SETTLE),
    _Rule("1.11", _always, Verb.TRACK),
)
_TABLES = {
    Presence.ABSENT: _ABSENT,
    Presence.PRESENT: _PRESENT,
    Presence.GONE: _ELSEWHERE,
    Presence.UNTRACKED: _UNTRACKED,
}


def outward(row: Appointment, status: Status, agreed: Appointment | None = None) -> Appointment:
    """Return a canonical row as Exchange should show it: closed is free, and never cancelled there (A-04, A-13).

    Texts are as they will come back, so that what is shortened or reworded on the way is no edit of Exchange's.
    Of what Exchange alone may change (that something is cancelled, who organizes a date) it keeps what is agreed.
    """
    row = project(row)
    known = {part.identity: part for part in agreed.exceptions} if agreed else {}
    closed = status in _CLOSED

    def shown(part: Appointment, base: Appointment | None) -> Appointment:
        free = closed or (part.canceled and not (base and base.canceled))
        organizer = base.organizer if base else (agreed.organizer if agreed else part.organizer)
        show_as = ShowAs.FREE if free else part.show_as
        return replace(part, canceled=bool(base and base.canceled), show_as=show_as, organizer=organizer)

    parts = tuple(shown(part, known.get(part.identity)) for part in row.exceptions)
    show_as = ShowAs.FREE if closed else row.show_as
    return replace(row, canceled=bool(agreed and agreed.canceled), show_as=show_as, exceptions=parts)


def push(situation: Situation, policy: Policy) -> Action:
    """Return the action for one situation: the first rule that fits (3.3, 3.4, 3.7)."""
    s = _with_fields(situation, policy)
    rule = next(rule for rule in _TABLES[s.presence] if rule.when(s, policy))
    mailing, why = _mailing(rule.verb, s, policy)
    fields = s.fields if rule.verb is Verb.UPDATE else frozenset()
    return Action(verb=rule.verb, rule=rule.rule, fields=fields, mailing=mailing, mail_rule=why, code=rule.code)


def outgoing_fields(agreed: Appointment, exchange: Appointment, row: Appointment, policy: Policy) -> frozenset[str]:
    """Return the fields in which the row moved away from *agreed* and that flow to Exchange now.

    What Exchange changed too is not among them: that is dealt with on the way in first (3.1).
    """
    moved = differences(agreed, row) - {CANCELED, "organizer"}
    taken = {name for name in moved if policy.flows_out(name)} - differences(agreed, exchange)
    if exchange.private and policy.private is PrivatePolicy.MASK:
        taken -= _MASKED | {EXCEPTION_TEXTS}
    return frozenset(taken)


def _with_fields(s: Situation, policy: Policy) -> Situation:
    if s.agreed is None or s.exchange is None:
        return s
    overruled = differences(s.agreed, s.exchange)
    if s.row is None:
        return replace(s, overruled=overruled)
    fields = outgoing_fields(s.agreed, s.exchange, s.row, policy)
    if s.withheld is not None:
        fields -= withheld_fields(s.agreed, s.withheld, s.row)
    return replace(s, fields=fields, overruled=overruled)


def _single(s: Situation) -> bool:
    return s.exchange is None or s.exchange.recurrence is None


def _unanswered(s: Situation, policy: Policy) -> bool:
    return policy.ask_before_overruling and bool(s.overruled) and s.overrule is None


def _mailing(verb: Verb, s: Situation, policy: Policy) -> tuple[Mailing, str]:
    """Return whom an action mails, and by which rule."""
    meeting = s.row if verb is Verb.CREATE else s.exchange
    rule = _MAILS.get(verb, "")
    if not rule or meeting is None:
        return Mailing.NOBODY, ""
    after = s.row if verb is Verb.UPDATE and s.row is not None else meeting
    if not (_invites(meeting) or _invites(after)) or not s.own:
        return Mailing.NOBODY, rule
    silenced = _silenced(verb, s, meeting, policy)
    if silenced:
        return Mailing.NOBODY, silenced
    if verb is not Verb.UPDATE:
        return Mailing.EVERYBODY, rule
    if not s.fields - _QUIET:
        return Mailing.NOBODY, rule
    return (Mailing.CHANGED if s.fields <= {"attendees"} else Mailing.EVERYBODY), rule


def _silenced(verb: Verb, s: Situation, meeting: Appointment, policy: Policy) -> str:
    """Return why guests who would be mailed are not; nothing if they are."""
    if not policy.send:
        return "invitations off"
    if s.first_sync:
        return "first sync"
    over = s.started if meeting.recurrence is None else s.ended
    if not over or (verb is Verb.UPDATE and policy.mail_about_past):
        return ""
    return "A-08" if verb is Verb.UPDATE else _MAILS[verb]


def _invites(appointment: Appointment) -> bool:
    return bool(appointment.attendees or any(part.attendees for part in appointment.exceptions))
