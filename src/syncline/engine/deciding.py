"""Steps 3 and 4 of a cycle: turn links into situations and ask the core what to do about each.

Reads state and rows in sets, writes nothing. The decision itself is `core.planning.plan`; here is only what a situation
consists of: whose copy decides (A-33a), what a person has answered (Q-02), what the row looks like.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Status
from syncline.core.leaving_out import without
from syncline.core.merging import (
    PrivatePolicy,
    Winner,
    carried,
    differences,
    diverged_fields,
    masked,
    organized,
    project,
)
from syncline.core.planning import Action, Decision, Presence, Situation, Source, Verb, plan
from syncline.core.pushing import SETTABLE, outward
from syncline.core.scheduling import Person
from syncline.engine.boundary import contain, item_error
from syncline.engine.flipping import OUTWARD
from syncline.engine.observing import WRITER, caught_up, row_content
from syncline.engine.own_files import with_own_files
from syncline.engine.rows import Rows, read_rows
from syncline.engine.run import Rules, Run
from syncline.engine.scoping import UNSETTLED, released
from syncline.errors import CATALOGUE, ErrorClass, SyncError
from syncline.ports import Alert, AlertState, Answer, CrmRow, Link, LinkState, NewLink, Seen

_LATEST = datetime.max.replace(tzinfo=UTC)
_PRESENCE = {Seen.PRESENT: Presence.PRESENT, Seen.GONE: Presence.GONE, Seen.UNTRACKED: Presence.UNTRACKED}
_ANSWERS = {"yes": Decision.YES, "no": Decision.NO}
_JOINED, _UNTRIED = 2, 4
_CLOSED = (Status.COMPLETED, Status.CANCELED)

_NONE: frozenset[str] = frozenset()

Order = tuple[int, datetime, datetime, str]


class Decided(Struct, frozen=True, gc=False, kw_only=True):
    """One link with its action and everything that carrying it out needs.

    `peer` is the other mailbox's link that decides; `waiting` are the mailboxes whose copies wait for this one (Q-06).
    `alert` is its question, `notices` the open alerts that ask nothing; `error` is the bug that stopped it. `digest`
    binds answers. Of a series `leaving` are the dates that its answer leaves out of `candidate`; `whole` is the content
    with them, `whole_busy` its people, and `written_digest` the digest of what is written. `shared` are the dates that
    the row of another mailbox's copy does without, `rests_on` the answers that decided, as link and number. `torn` are
    fields that both sides changed and only a person may decide about, `crm_wins` those where the CRM's value stays.
    `key` is the intent under which it is carried out, once there is one.
    """

    link: Link
    action: Action
    candidate: Appointment | None = None
    whole: Appointment | None = None
    busy: tuple[Person, ...] = ()
    whole_busy: tuple[Person, ...] = ()
    digest: str = ""
    written_digest: str = ""
    leaving: tuple[datetime, ...] = ()
    shared: tuple[datetime, ...] = ()
    rests_on: tuple[tuple[int, int], ...] = ()
    row: CrmRow | None = None
    peer: Link | None = None
    alert: Alert | None = None
    torn: frozenset[str] = frozenset()
    crm_wins: frozenset[str] = frozenset()
    waiting: tuple[int, ...] = ()
    notices: tuple[Alert, ...] = ()
    error: SyncError | None = None
    key: str = ""


class _Wanted(Struct, frozen=True, gc=False):
    """What a row should hold, whom that makes busy, and the digest of both."""

    content: Appointment | None = None
    busy: tuple[Person, ...] = ()
    digest: str = ""


class _Answer(Struct, frozen=True, gc=False):
    """What was decided, which dates that leaves out, and on which answers it rests."""

    decision: Decision
    leaving: tuple[datetime, ...] = ()
    rests_on: tuple[tuple[int, int], ...] = ()


class _AtHand(Struct, frozen=True, gc=False):
    """What is known of a link beside the copies and rows: its question, and whether its row has files of its own."""

    alert: Alert | None
    own_files: bool


def decide(run: Run, links: Sequence[Link]) -> list[Decided]:
    """Return what to do about each link, in the order given."""
    peers = _peers(run, links)
    holders = [each for link in links for each in (link, *peers[link.identity])]
    rows = read_rows(run.parts, tuple(dict.fromkeys(each.crm_id for each in holders if each.crm_id)))
    alerts: dict[int | None, list[Alert]] = defaultdict(list)
    for alert in run.store.open_alerts(run.mailbox.id, [link.id for link in links]):
        alerts[alert.link_id].append(alert)
    own = with_own_files(run, links)
    return [_contained(run, link, peers[link.identity], rows, alerts[link.id], own) for link in links]


def if_saved(rules: Rules, link: Link, row: CrmRow | None, *, outgoing: bool) -> Decided:
    """Return an item that waits for an answer as Yes would have it written, outside of a cycle.

    Without its row (nobody can read it now) it is what Exchange says. Which copy decides is not asked again.
    """
    item, link = link.observed, _based(link, row, ())
    assert item is not None
    content = _content(rules, link, item, link.left_out)
    _, wins = _diverged(rules, link, row, content) if outgoing else (_NONE, _NONE)
    action = Action(verb=Verb.RESCHEDULE if link.crm_id else Verb.BOOK, rule="Q-08" if link.crm_id else "Q-01")
    return Decided(link=link, action=action, candidate=content, row=row, crm_wins=wins)


def order_of(link: Link) -> Order:
    """Return the order key of rule Q-09: updates of linked rows first, then creations by age, start and id."""
    if link.observed is None or link.crm_id is not None or link.seen is not Seen.PRESENT:
        return (0, _LATEST, _LATEST, link.identity.global_object_id)
    return (1, link.created_order or _LATEST, link.observed.span.start, link.identity.global_object_id)


def order_of_new(link: NewLink) -> Order:
    """Return what `order_of` returns of a link that is new."""
    return (1, link.created_order or _LATEST, link.start, link.global_object_id)


def _contained(
    run: Run, link: Link, family: Sequence[Link], rows: Rows, alerts: Sequence[Alert], own_files: frozenset[int]
) -> Decided:
    """Decide about one link; a bug, or a row that cannot be read, stops this item alone (design.md 8, B-05)."""
    asking = [each for each in alerts if CATALOGUE[each.code].error_class is ErrorClass.NEEDS_ANSWER]
    notices = tuple(each for each in alerts if each not in asking)
    alert = asking[-1] if asking else None
    at = _AtHand(alert, link.id in own_files)

    def failing(error: SyncError) -> Decided:
        action = Action(verb=Verb.FAIL, rule="B-05", code=error.code)
        return Decided(link=link, action=action, row=rows.get(link.crm_id), alert=alert, error=error)

    def decided() -> Decided:
        if rows.unread:
            unread = (rows.unread.get(each.crm_id or "") for each in (link, *family))
            error = next((each for each in unread if each is not None), None)
            if error is not None:
                return failing(error)
        if released(link):
            verb = Verb.FORGET if link.seen is Seen.GONE else Verb.WAIT
            return Decided(link=link, action=Action(verb=verb, rule="1.11"), row=rows.get(link.crm_id), alert=alert)
        return _decided(run, link, [each for each in family if each.id != link.id], rows.found, at)

    known = contain(decided, lambda bug: failing(item_error(bug, link.subject)), f"item {link.id}")
    return replace(known, notices=notices) if notices else known


def _decided(run: Run, link: Link, others: Sequence[Link], rows: Mapping[str, CrmRow], at: _AtHand) -> Decided:
    row = rows.get(link.crm_id or "")
    link = _based(_stepping_in(run, caught_up(run, link, row), row, others), row, others)
    source, peer = _source(run, link, others, row)
    whole = _wanted(run, link, peer.left_out if peer is not None else link.left_out)
    answer = _decision(link, at.alert, whole.digest, others)
    wanted = _wanted(run, link, (*link.left_out, *answer.leaving)) if answer.leaving else whole
    link = _shown_already(run, link, row, wanted)
    if inside_series(link, row):
        source = Source.SAVED_ELSEWHERE
    standing = row if peer is None or row is not None else rows.get(peer.crm_id or "")
    organizer, colleague, started = _whose(run, link)
    torn, crm_wins = _divergence(run, link, row, wanted.content) if source is Source.OWN else (_NONE, _NONE)
    situation = Situation(
        presence=_PRESENCE[link.seen],
        candidate=wanted.content,
        agreed=link.agreed,
        linked=link.crm_id is not None,
        row=standing.status if standing else None,
        source=source,
        organizer=organizer,
        colleague=colleague,
        copy=bool(others) and _copy(link, others),
        started=started,
        persons_moved=_persons_moved(link, wanted.digest),
        torn=bool(torn) and asked_as(link, row) not in run.said.diverged,
        edited=_edited(link, row),
        own_files=at.own_files,
        overrule=run.said.overrule.get(asked_as(link, row)),
        decision=answer.decision,
    )
    return Decided(
        link=link,
        action=plan(situation, run.rules.policy),
        candidate=wanted.content,
        whole=whole.content,
        busy=wanted.busy,
        whole_busy=whole.busy,
        digest=whole.digest,
        written_digest=wanted.digest,
        leaving=answer.leaving,
        shared=_shared(link, others) if others else (),
        rests_on=answer.rests_on,
        row=row,
        peer=peer,
        alert=at.alert,
        torn=torn,
        crm_wins=crm_wins,
        waiting=_waiting(link, others) if others else (),
    )


def _whose(run: Run, link: Link) -> tuple[bool, bool, bool]:
    """Return whether the mailbox organizes an item, whether a colleague does, and whether it began, as known last."""
    known = link.observed or link.agreed
    if known is None:
        return True, False, False
    return run.people.organizes(known), run.people.colleague(known), known.span.start < run.now()


def _edited(link: Link, row: CrmRow | None) -> bool:
    """Return whether the CRM's row holds something else than what was agreed."""
    return row is not None and link.agreed is not None and bool(differences(link.agreed, row_content(row)))


def _waiting(link: Link, others: Iterable[Link]) -> tuple[int, ...]:
    """Return the other mailboxes whose copies have no row yet (Q-06)."""
    return tuple({other.mailbox_id for other in others if other.mailbox_id != link.mailbox_id and not other.crm_id})


def asked_as(link: Link, row: CrmRow | None) -> tuple[int, int]:
    """Return what an answer about a single item is known by (`Said`)."""
    return link.id, row.version if row is not None else 0


def _divergence(
    run: Run, link: Link, row: CrmRow | None, candidate: Appointment | None
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields that only a person may decide about, and those where the CRM's value stays (3.1)."""
    if not run.outgoing:
        return _NONE, _NONE
    torn, wins = _diverged(run.rules, link, row, candidate)
    return torn, wins | torn if run.said.diverged.get(asked_as(link, row)) == "no" else wins


def _diverged(
    rules: Rules, link: Link, row: CrmRow | None, candidate: Appointment | None
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields of those that both sides changed that a person decides about, and those that the CRM wins.

    The row counts as Exchange should show it: what never gets there would count as the CRM's edit for ever.
    """
    if row is None or candidate is None or link.agreed is None:
        return _NONE, _NONE
    both = diverged_fields(link.agreed, candidate, outward(row_content(row), row.status, link.agreed))
    torn = frozenset(name for name in both if rules.winner_of(name) is Winner.ASK)
    return torn, frozenset(name for name in both if rules.winner_of(name) is Winner.CRM)


def _persons_moved(link: Link, digest: str) -> bool:
    """Return whether other people are busy than when the row was last written (CD-05a)."""
    return bool(link.crm_id and link.scheduling_digest and digest and link.scheduling_digest != digest)


def _wanted(run: Run, link: Link, left_out: tuple[datetime, ...]) -> _Wanted:
    """Return what the row should hold without some dates; nothing if the item is not there."""
    if link.seen is not Seen.PRESENT or link.observed is None:
        return _Wanted()
    candidate = _content(run.rules, link, link.observed, left_out)
    # Who takes part in a date that is left out only is not kept busy by the others.
    busy = run.busy(without(link.observed, left_out))
    return _Wanted(candidate, busy, run.digest(candidate, busy))


def _content(rules: Rules, link: Link, item: Appointment, left_out: tuple[datetime, ...]) -> Appointment:
    """Return what Exchange wants a row to hold, as far as it flows to the CRM."""
    candidate = carried(link.agreed, project(item, rules.private), link.first_seen)
    if rules.private is PrivatePolicy.MASK:
        candidate = masked(link.agreed, candidate)
    if rules.keep_crm_organizer:
        candidate = organized(link.agreed, candidate)
    return without(_flowing_in(rules, link.agreed, candidate), left_out)


def _flowing_in(rules: Rules, agreed: Appointment | None, candidate: Appointment) -> Appointment:
    """Return the candidate with what is agreed in fields that do not flow to the CRM (3.9)."""
    if agreed is None:
        return candidate
    fixed = [name for name in SETTABLE if not rules.pushing.flows_in(name)]
    if not fixed:
        return candidate
    known = {part.identity: part for part in agreed.exceptions}

    def kept(part: Appointment, base: Appointment) -> Appointment:
        values: dict[str, Any] = {name: getattr(base, name) for name in fixed}
        return replace(part, **values)

    parts = tuple(kept(part, known.get(part.identity, agreed)) for part in candidate.exceptions)
    return replace(kept(candidate, agreed), exceptions=parts)


def _shared(link: Link, others: Iterable[Link]) -> tuple[datetime, ...]:
    """Return the dates that a row does without to which copies in other mailboxes are linked (Q-06)."""
    holding = (each for each in others if each.mailbox_id != link.mailbox_id and each.crm_id is not None)
    return tuple(sorted({start for other in holding for start in other.left_out}))


def inside_series(link: Link, row: CrmRow | None) -> bool:
    """Return whether the item is one occurrence of a series whose row stands: it never writes then (A-33a)."""
    if row is None or row.appointment.recurrence is None or link.identity.original_start is None:
        return False
    return row.appointment.identity != link.identity


def _based(link: Link, row: CrmRow | None, others: Sequence[Link]) -> Link:
    """Give a link that joined an existing row its merge base: what the row holds now; one without a row has none.

    A copy keeps what was agreed of the other item, for the time when it takes its place (L-11a).
    """
    if link.agreed is not None and link.crm_id is None and not _copy(link, others):
        return replace(link, agreed=None)
    if link.crm_id and link.agreed is None and row is not None:
        return replace(link, agreed=row_content(row), crm_version=row.version, crm_version_seen=row.version)
    return link


def _stepping_in(run: Run, link: Link, row: CrmRow | None, others: Iterable[Link]) -> Link:
    """Let a copy that steps in for one that fails or is switched off begin from what that one agreed on (A-33a).

    What people changed in the CRM since must not look like a change of this copy (3.1); it stays visible as unsettled.
    """
    if link.crm_id is None or link.agreed is not None or link.writes or row is None:
        return link
    enabled = run.people.address_by_mailbox
    stopped = [
        other.id
        for other in others
        if other.crm_id == link.crm_id and other.writes
        if _out_of_the_running(other) or other.mailbox_id not in enabled
    ]
    known = [one for one in run.store.links_by_id(stopped) if one.agreed is not None] if stopped else []
    if not known:
        return link
    agreed = max(known, key=lambda one: one.crm_version_seen).agreed
    edited = agreed is not None and bool(differences(agreed, row_content(row)))
    return replace(link, agreed=agreed, crm_version=UNSETTLED if edited else link.crm_version)


def _shown_already(run: Run, link: Link, row: CrmRow | None, wanted: _Wanted) -> Link:
    """Agree on what Exchange shows of a closed row as it should (A-04): this link wrote it, and the answer was lost."""
    if not run.outgoing or row is None or row.status not in _CLOSED or link.agreed is None or wanted.content is None:
        return link
    if differences(wanted.content, outward(row_content(row), row.status, link.agreed)):
        return link
    return replace(link, agreed=wanted.content, scheduling_digest=wanted.digest)


def _decision(link: Link, alert: Alert | None, digest: str, others: Iterable[Link]) -> _Answer:
    """Return what was decided about exactly this digest; a Yes to another copy holds for this one too (Q-06).

    Whatever is done about an item whose answer is not carried out rests on that answer, also if it is void.
    """
    own = ((link.id, link.answers),) if link.decision is not None else ()
    if link.decision is not None and link.decided_digest == digest:
        return _answered(link, link.decision, own)
    agreed = (copy for copy in others if copy.decision == "yes")
    copy = next((copy for copy in agreed if digest and copy.decided_digest == digest), None)
    if copy is not None:
        return _answered(copy, "yes", (*own, (copy.id, copy.answers)))
    if alert is not None and alert.state is AlertState.LAPSED and alert.digest == digest:
        return _Answer(Decision.LAPSED, rests_on=own)
    return _Answer(Decision.NONE, rests_on=own)


def _answered(link: Link, answer: Answer, rests_on: tuple[tuple[int, int], ...]) -> _Answer:
    leaving = link.decided_left_out if answer == "yes" else ()
    return _Answer(Decision.WITHOUT_OVERLAPS if leaving else _ANSWERS[answer], leaving, rests_on)


def _peers(run: Run, links: Sequence[Link]) -> Mapping[Identity, list[Link]]:
    """Return the links of each identity in all mailboxes, by id; those asked about are at hand already."""
    families: dict[Identity, list[Link]] = defaultdict(list)
    others = run.store.links_by_identity(list({link.identity for link in links}), but=[link.id for link in links])
    for link in sorted((*links, *others), key=lambda each: each.id):
        families[link.identity].append(link)
    return families


def _source(run: Run, link: Link, others: Sequence[Link], row: CrmRow | None) -> tuple[Source, Link | None]:
    """Return whose copy decides: the organizer's, else the one that made or asked, else this one (A-33a, CD-16)."""
    if link.observed is None or not others:
        return Source.OWN, None
    enabled = run.people.address_by_mailbox
    rivals = [
        other
        for other in others
        if other.mailbox_id != link.mailbox_id
        and other.mailbox_id in enabled
        and other.seen is Seen.PRESENT
        # Somebody deleted its row: what was made of that copy is on its way out, and nothing is made of another.
        and (not _out_of_the_running(other) or (run.outgoing and other.crm_gone))
    ]
    chosen = _claimed(run, link, rivals, row) or _chosen(
        link, rivals, run.people.organizer_mailbox(link.observed), enabled
    )
    if chosen is link:
        return Source.OWN, None
    return (Source.SAVED_ELSEWHERE if chosen.crm_id else Source.UNDECIDED_ELSEWHERE), chosen


def _out_of_the_running(copy: Link) -> bool:
    """Return whether a copy is skipped or cannot be brought in; one that only fails towards Exchange still decides."""
    fails = copy.state is LinkState.FAILED and copy.error_params.get("direction") != OUTWARD
    return fails or copy.state is LinkState.SKIPPED


def _claimed(run: Run, link: Link, others: Iterable[Link], row: CrmRow | None) -> Link | None:
    """Return the copy that wrote its owner into the row as organizer, where several calendars each claim the meeting.

    So stands one calendar that two people have imported: the row changes hands once, and nobody is asked (A-33a).
    """
    if row is None or not run.outgoing or row.modified_by != WRITER:
        return None
    number = run.people.organizer_mailbox(row.appointment)
    return next((one for one in others if one.mailbox_id == number and one.crm_id == link.crm_id and one.writes), None)


def _chosen(link: Link, others: Sequence[Link], organizer: int | None, enabled: Mapping[int, str]) -> Link:
    """Return the copy that decides; of equals the lowest address, and of those nobody has tried this one."""

    def key(copy: Link) -> tuple[int, bool, str]:
        rank = _rank(copy, organizer)
        return rank, copy is not link and rank == _UNTRIED, enabled.get(copy.mailbox_id, "")

    return min((link, *others), key=key)


def _rank(copy: Link, organizer: int | None) -> int:
    """Return how strong a copy's claim is: organizer, made the row, joined it, asked or answered, not tried yet."""
    if copy.mailbox_id == organizer:
        return 0
    if copy.crm_id:
        return 1 if copy.writes else _JOINED
    return 3 if copy.writes and (copy.state is LinkState.ASKED or copy.decision is not None) else _UNTRIED


def _copy(link: Link, others: Iterable[Link]) -> bool:
    """Return whether another living item of the same mailbox holds the identity and is linked or older (A-33a)."""
    if link.crm_id:
        return False
    own = (link.created_order or _LATEST, link.ref)
    return any(
        other.crm_id is not None or (other.created_order or _LATEST, other.ref) < own
        for other in others
        if other.mailbox_id == link.mailbox_id and other.seen is Seen.PRESENT
    )
