"""Step 5 of a cycle: weigh the whole plan, hold what a guard holds, and carry out what a person said about it.

What is held is one question for all of it: Yes releases it, No drops it, and the same observation does not ask again.
Everything else goes on (design.md section 4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.guards import Weight, holds
from syncline.core.planning import Verb
from syncline.engine import questions
from syncline.engine.refusing import at_rest
from syncline.engine.run import Run
from syncline.engine.unwritten import NOT_HERE
from syncline.ports import Alert, AlertOutcome, AlertState, Changes, Link, Seen

CODES = ("EmptiedSideHeld", "MassDeletionHeld", "MassUntrackingHeld")
_SEEN = {"EmptiedSideHeld": Seen.GONE, "MassDeletionHeld": Seen.GONE, "MassUntrackingHeld": Seen.UNTRACKED}


class Light(Struct, frozen=True, gc=False):
    """What the guards need of one planned action about an item that is linked to a row; they weigh no other."""

    link_id: int
    verb: Verb
    seen: Seen


def guard(run: Run, lights: Sequence[Light]) -> frozenset[int]:
    """Return the links whose action is held; opens, refreshes or withdraws the guards' questions."""
    return frozenset(held_by(run, lights))


def held_by(run: Run, lights: Sequence[Light]) -> Mapping[int, str]:
    """Return the links whose action is held as `guard` does, with the code of the question; "" for what a No dropped.

    A dry run opens, refreshes and withdraws nothing.
    """
    standing = _standing(run)
    opened = {alert.code: alert for alert in standing if alert.state is AlertState.OPEN}
    dropped = _carry_out_no(run, standing)
    released = {i for a in standing if a.answer == "yes" for i in a.held}
    lights = [light for light in lights if light.link_id not in released and light.link_id not in dropped]
    codes = holds(_weight(run, lights), run.rules.limits)
    held = dict.fromkeys(dropped, "")
    alerts = []
    for code in (*opened, *(code for code in codes if code not in opened)):
        asked = opened.get(code)
        ids = tuple(light.link_id for light in lights if _holds(light, code, codes, asked, held))
        held |= dict.fromkeys(ids, code)
        if ids:
            alerts.append(_question(run, code, ids, asked))
        elif asked is not None:
            alerts.append(questions.withdrawn(run, asked, "the items are back"))
    if alerts and not run.dry:
        run.write(Changes(alerts=alerts))
    return held


def _standing(run: Run, link_ids: Sequence[int] | None = None) -> list[Alert]:
    """Return the guards' questions, or all that was asked or told about links.

    From here on the answers are carried out or dropped, so none is taken back any more.
    """
    standing = _read(run, link_ids)
    answers = {alert.id: alert.answers for alert in standing if alert.before is not None}
    if not answers or run.dry:
        return standing
    run.store.take_up(run.lease, answers)
    return _read(run, link_ids)


def _read(run: Run, link_ids: Sequence[int] | None) -> list[Alert]:
    found = run.store.open_alerts(run.mailbox.id, link_ids)
    return [alert for alert in found if link_ids is not None or alert.code in CODES]


def _holds(light: Light, code: str, codes: Sequence[str], asked: Alert | None, held: Collection[int]) -> bool:
    """Return whether a guard holds a link: while it weighs too much, and once asked until it is answered or back.

    What is saved meanwhile makes the share of the held smaller, and must not release them.
    """
    if light.seen is not _SEEN[code] or light.link_id in held:
        return False
    return code in codes or (asked is not None and light.link_id in asked.held)


def finish_released(run: Run) -> None:
    """Note on released questions that what they held has been carried out."""
    done = [
        questions.carried_out(run, alert, AlertOutcome.SAVED)
        for alert in run.store.open_alerts(run.mailbox.id)
        if alert.code in CODES and alert.answer == "yes" and not _still_held(run, alert)
    ]
    if done:
        run.write(Changes(alerts=done))


def _still_held(run: Run, alert: Alert) -> bool:
    return any(link.seen is not Seen.PRESENT for link in run.store.links_by_id(alert.held))


def _weight(run: Run, lights: Sequence[Light]) -> Weight:
    gone = sum(light.seen is Seen.GONE for light in lights)
    untracked = sum(light.seen is Seen.UNTRACKED for light in lights)
    if not gone and not untracked:
        return Weight()
    return Weight(
        deletions=sum(light.verb is Verb.DELETE for light in lights),
        gone=gone,
        untrackings=untracked,
        total=run.store.link_count(run.mailbox.id),
    )


def _question(run: Run, code: str, ids: tuple[int, ...], standing: Alert | None) -> Alert:
    now = run.now()
    total = str(run.store.link_count(run.mailbox.id))
    params = {
        "mailbox": run.mailbox.address,
        "count": str(len(ids)),
        "total": total,
        "crm": run.rules.crm_name,
    }
    if standing is None:
        return Alert(
            mailbox_id=run.mailbox.id, code=code, subject="", params=params, created=now, last_seen=now, held=ids
        )
    version = standing.version if set(standing.held) == set(ids) else standing.version + 1
    return replace(standing, params=params, held=ids, last_seen=now, count=standing.count + 1, version=version)


def _carry_out_no(run: Run, standing: Sequence[Alert]) -> frozenset[int]:
    """Drop what a No has dropped: deleted items are unlinked, untracked ones stay linked; rows stay either way.

    What else was asked or told about these items is over, as it is after a Yes (Q-01).
    """
    dropped: set[int] = set()
    for alert in standing:
        if alert.answer != "no" or alert.outcome is AlertOutcome.KEPT_OUT:
            continue
        links = run.store.links_by_id(alert.held)
        gone = [link for link in links if link.seen is Seen.GONE]
        untracked = [link for link in links if link.seen is Seen.UNTRACKED]
        dropped.update(link.id for link in links)
        if run.dry:
            continue
        about = _standing(run, [link.id for link in (*gone, *untracked)])
        ended = [questions.withdrawn(run, each, NOT_HERE) for each in about]
        run.write(
            Changes(
                removed_links=[link.id for link in gone],
                links=[_dealt_with(link) for link in untracked],
                alerts=[questions.carried_out(run, alert, AlertOutcome.KEPT_OUT), *ended],
                entries=[run.entry(link, "dropped by an answer", alert.code) for link in links],
            )
        )
    return frozenset(dropped)


def _dealt_with(link: Link) -> Link:
    return replace(at_rest(link), seen_settled=link.seen, revision_settled=link.revision)
