"""Questions about what is held back towards either side: about many at once, or about one item.

Each names the links it holds (`Alert.held`). Yes releases them, No drops them; until then everything else goes on
(design.md 4, step 5). The questions are opened, brought up to date, withdrawn and ended here; what releasing or
dropping means is the caller's. It must not know why something is held.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from syncline.engine import questions
from syncline.engine.run import Run
from syncline.ports import Alert, AlertOutcome, AlertState, Answer, Changes, Link

RESTORED = "RestoredSideHeld"
RESTORED_CRM = "RestoredCrmHeld"
INVITATIONS = "InvitationsHeld"
BEGUN = "FirstPushHeld"
CREATIONS = "MassCreationHeld"
DELETIONS = "MassItemDeletionHeld"
EMPTIED = "EmptiedCrmHeld"
FILES = "MassFileRemovalHeld"
MANY = (BEGUN, EMPTIED, DELETIONS, RESTORED_CRM, CREATIONS, INVITATIONS)
DIVERGED = "BothSidesChanged"
ORGANIZER = "OrganizerChangedHeld"
OVERRULED = "DeletedAndEditedHeld"
SINGLE = (DIVERGED, ORGANIZER, OVERRULED)


class Danger(Struct, frozen=True, gc=False, kw_only=True):
    """What of one plan is of a dangerous kind: the links, which of them are too much now, and words for the question.

    `told` gets the links that are held.
    """

    code: str
    links: tuple[int, ...]
    heavy: Collection[int]
    told: Callable[[Collection[int]], Mapping[str, str]] = lambda _: {}


class Weighed(Struct, frozen=True, gc=False):
    """What a plan must leave alone: links that wait for an answer, and links dropped by a No.

    `dropped` and `why` say for each the code: of the question that was answered, and of the one that holds it.
    """

    held: frozenset[int]
    dropped: Mapping[int, str]
    why: Mapping[int, str] = field(default_factory=dict)


class About(Struct, frozen=True, gc=False, kw_only=True):
    """One item that cannot be dealt with unasked: its words, and the digest of what exactly is asked."""

    link: Link
    digest: str
    params: Mapping[str, str]


def standing(run: Run, codes: Collection[str]) -> list[Alert]:
    """Return the standing questions of these codes; from now on none of their answers is taken back any more."""
    found = [alert for alert in run.store.open_alerts(run.mailbox.id) if alert.code in codes]
    answers = {alert.id: alert.answers for alert in found if alert.before is not None}
    if not answers or run.dry:
        return found
    run.store.take_up(run.lease, answers)
    return [alert for alert in run.store.open_alerts(run.mailbox.id) if alert.code in codes]


def weigh(run: Run, dangers: Sequence[Danger]) -> Weighed:
    """Hold what is too much, ask about it, and say what answers released or dropped.

    What has been asked about stays held until it is answered or no longer there, also when less weighs by then.
    """
    known = standing(run, [danger.code for danger in dangers])
    held: dict[int, str] = {}
    dropped: dict[int, str] = {}
    alerts: list[Alert] = []
    for danger in dangers:
        mine = [alert for alert in known if alert.code == danger.code]
        released = _answered(mine, "yes")
        refused = _answered(mine, "no") & set(danger.links)
        dropped |= {number: danger.code for number in refused if number not in dropped}
        asked = next((alert for alert in mine if alert.state is AlertState.OPEN), None)
        ids = _waiting(danger, asked, {*released, *dropped, *held})
        held |= dict.fromkeys(ids, danger.code)
        if ids:
            alerts.append(_question(run, danger, ids, asked))
        elif asked is not None:
            alerts.append(questions.withdrawn(run, asked, "nothing is held any more"))
    if alerts and not run.dry:
        run.write(Changes(alerts=alerts))
    return Weighed(frozenset(held), dropped, held)


def ask(run: Run, code: str, items: Iterable[About]) -> Mapping[int, Answer]:
    """Ask about each item by itself and return the answers there are, by link; an answer holds for its digest only."""
    known = {alert.held[0]: alert for alert in standing(run, (code,)) if alert.held}
    found: dict[int, Answer] = {}
    alerts: list[Alert] = []
    for item in items:
        run.said.asked[code].add(item.link.id)
        alert = known.pop(item.link.id, None)
        if alert is not None and alert.answer is not None and alert.digest == item.digest:
            found[item.link.id] = alert.answer
            continue
        if alert is not None and alert.state is not AlertState.OPEN:
            alerts.append(questions.withdrawn(run, alert, "it changed since"))
            alert = None
        alerts.append(_single(run, code, item, alert))
    if alerts and not run.dry:
        run.write(Changes(alerts=alerts))
    return found


def withdraw_others(run: Run) -> None:
    """Withdraw the open questions about single items that nothing needs to be asked about any more."""
    over = [
        questions.withdrawn(run, alert, "nobody needs to decide any more")
        for alert in run.store.open_alerts(run.mailbox.id)
        if alert.code in SINGLE and alert.state is AlertState.OPEN
        if run.said.asked[alert.code].isdisjoint(alert.held)
    ]
    if over and not run.dry:
        run.write(Changes(alerts=over))


def finish(run: Run, codes: Collection[str], waits: Callable[[Link], bool]) -> None:
    """Note on answered questions that nothing of what they held waits any more."""
    done = []
    for alert in run.store.open_alerts(run.mailbox.id):
        if alert.code not in codes or alert.answer is None or alert.state is not AlertState.ANSWERED:
            continue
        if not any(waits(link) for link in run.store.links_by_id(alert.held)):
            outcome = AlertOutcome.SAVED if alert.answer == "yes" else AlertOutcome.KEPT_OUT
            done.append(questions.carried_out(run, alert, outcome))
    if done:
        run.write(Changes(alerts=done))


def _answered(alerts: Iterable[Alert], answer: Answer) -> set[int]:
    return {number for alert in alerts if alert.answer == answer for number in alert.held}


def _waiting(danger: Danger, asked: Alert | None, done: Collection[int]) -> tuple[int, ...]:
    """Return what of a danger must wait: what is too much now, and what has been asked about."""
    waits = {*danger.heavy, *(asked.held if asked is not None else ())}
    return tuple(number for number in danger.links if number in waits and number not in done)


def _question(run: Run, danger: Danger, ids: tuple[int, ...], asked: Alert | None) -> Alert:
    now = run.now()
    total = str(run.store.link_count(run.mailbox.id))
    known = {"mailbox": run.mailbox.address, "count": str(len(ids)), "total": total, "crm": run.rules.crm_name}
    params = {**known, **danger.told(ids)}
    if asked is None:
        return Alert(mailbox_id=run.mailbox.id, code=danger.code, params=params, created=now, last_seen=now, held=ids)
    version = asked.version if set(asked.held) == set(ids) else asked.version + 1
    return replace(asked, params=params, held=ids, last_seen=now, count=asked.count + 1, version=version)


def _single(run: Run, code: str, item: About, asked: Alert | None) -> Alert:
    now, link = run.now(), item.link
    known = {"mailbox": run.mailbox.address, "subject": link.subject, "crm": run.rules.crm_name}
    shown = link.observed or link.agreed
    fresh = asked or Alert(
        mailbox_id=run.mailbox.id, code=code, private=link.private, created=now, last_seen=now, held=(link.id,)
    )
    told = replace(
        fresh,
        subject=link.subject,
        span=shown.span if shown is not None else None,
        params={**known, **item.params},
        digest=item.digest,
    )
    if asked is None:
        return told
    version = asked.version if told == asked else asked.version + 1
    return replace(told, last_seen=now, count=asked.count + 1, version=version)
