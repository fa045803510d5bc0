"""The way out of a cycle: plan everything that the CRM side asks of Exchange, weigh it whole, then carry it out.

The plan holds light rows only; each chunk is decided again on fresh links, because a chunk before it may have changed
them. What weighs too much, mails too many or cannot be decided by a rule is held and asked about (design.md 4, step 5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.guards import EMPTIED_MIN, Limits, floods, many, unmailed
from syncline.core.merging import differences
from syncline.core.outgoing import Mail
from syncline.core.pushing import Action, Verb
from syncline.engine import holding, scoping
from syncline.engine.applying_outgoing import GROUPS, WRITES, apply_outgoing
from syncline.engine.deciding import Decided
from syncline.engine.flipping import flips_too_often
from syncline.engine.holding import About, Danger, Weighed
from syncline.engine.observing import row_content
from syncline.engine.outgoing import Outward, called_off, outgoing
from syncline.engine.run import Run
from syncline.ports import Answer, Link

SCAN = 500
PEOPLE_SHOWN_MAX = 5
_DROPPED = {
    holding.EMPTIED: Action(verb=Verb.CLOSE, rule=holding.EMPTIED),
    holding.DELETIONS: Action(verb=Verb.CLOSE, rule=holding.DELETIONS),
    holding.CREATIONS: Action(verb=Verb.SKIP, rule=holding.CREATIONS, code="KeptFromOutlook"),
}
_CALL_OFF = "A-14"
_ASKING = {Verb.ASK_DELETION: holding.OVERRULED, Verb.ASK_ORGANIZER: holding.ORGANIZER}


class _Light(Struct, frozen=True, gc=False):
    """One row of the plan: enough to weigh and to order it.

    `refused`: a No has kept it out once. `gone`: its row stands in the CRM no longer.
    """

    link_id: int
    verb: Verb
    doubted: bool
    earlier: bool
    refused: bool
    gone: bool
    mails: tuple[Mail, ...]
    order: tuple[float, str, int]


class _Said(Struct, frozen=True, gc=False):
    """Answers about single items, by link: to a deletion in Outlook that overrules an edit, to another organizer."""

    overrule: Mapping[int, bool]
    handed: Mapping[int, Answer]


class Foreseen(Struct, frozen=True, gc=False):
    """One link as it would be dealt with; `code` is that of the question that it waits or would wait for, "" if none.

    `parked`: both sides overwrite each other, and it would be left alone.
    """

    outward: Outward
    code: str = ""
    parked: bool = False


def push(run: Run) -> None:
    """Carry everything over to Exchange that the CRM side asks for; nothing where nothing may be written."""
    if not run.outgoing:
        return
    said = _Said({}, {})
    planned, doubtful = _plan(run, said)
    if doubtful:
        said = _ask(run, doubtful)
        planned, _ = _plan(run, said)
    weighed = _weigh(run, planned)
    todo = [light for light in planned if light.link_id not in weighed.held]
    for verbs in (None, *GROUPS):
        ids = [light.link_id for light in todo if _group(light, weighed) == verbs]
        for at in range(0, len(ids), run.rules.chunk_max):
            _chunk(run, ids[at : at + run.rules.chunk_max], said, weighed)
    holding.finish(run, (*holding.MANY, holding.ORGANIZER), _waits)


def foresee(run: Run, dealt: Mapping[int, Decided]) -> list[Foreseen]:
    """Return what a cycle would carry over to Exchange, in its order, without asking or writing anything.

    `dealt` are the links that have something to bring in first, as they will stand then.
    """
    if not run.outgoing:
        return []
    found = {each.link.id: each for links in _due(run) for each in outgoing(run, links, dealt=dealt)}
    kept = [each.link for number, each in dealt.items() if number not in found and _keeps_its_own(each)]
    found |= {each.link.id: each for each in outgoing(run, kept, dealt=dealt)}
    asking = {number: each for number, each in found.items() if each.action.verb in _ASKING}
    said = _ask(run, list(asking.values())) if asking else _Said({}, {})
    answered = [each.link for each in asking.values() if each.link.id in {**said.overrule, **said.handed}]
    found |= {each.link.id: each for each in _decided(run, answered, said)}
    planned = [each for each in found.values() if each.action.verb is not Verb.WAIT]
    weighed = _weigh(run, sorted((_light(run, e) for e in planned if e.action.verb not in _ASKING), key=_ordered))
    order = {verb: at for at, verb in enumerate((None, *GROUPS))}
    planned.sort(key=lambda each: (order.get(each.action.verb, 0), _light(run, each).order))
    return [_foreseen(run, each, weighed) for each in planned]


def _keeps_its_own(decided: Decided) -> bool:
    """Return whether a row still says something that is not agreed, which waited for what is brought in (Q-08)."""
    agreed, row = decided.link.agreed, decided.row
    return agreed is not None and row is not None and bool(differences(agreed, row_content(row)))


def _foreseen(run: Run, outward: Outward, weighed: Weighed) -> Foreseen:
    number = outward.link.id
    if outward.action.verb in _ASKING:
        return Foreseen(outward, _ASKING[outward.action.verb])
    after = _after_no(outward, weighed.dropped.get(number))
    parked = after.action.verb is Verb.UPDATE and flips_too_often(run, outward.link)
    return Foreseen(after, weighed.why.get(number, ""), parked)


def _plan(run: Run, said: _Said) -> tuple[list[_Light], list[Outward]]:
    planned: list[_Light] = []
    doubtful: list[Outward] = []
    for links in _due(run):
        for each in _decided(run, links, said):
            if each.action.verb in _ASKING:
                doubtful.append(each)
            elif each.action.verb is not Verb.WAIT:
                planned.append(_light(run, each))
    return sorted(planned, key=_ordered), doubtful


def _due(run: Run) -> Iterator[tuple[Link, ...]]:
    after = 0
    while links := run.store.outgoing_links(run.mailbox.id, run.now(), after, SCAN):
        after = links[-1].id
        yield links


def _decided(run: Run, links: Sequence[Link], said: _Said) -> list[Outward]:
    """Return what to do about the links, with what people have answered about single items."""
    found = []
    for each in outgoing(run, links, said.overrule):
        answer = said.handed.get(each.link.id) if each.action.verb is Verb.ASK_ORGANIZER else None
        found.append(_handed(run, each, answer) if answer is not None else each)
    return found


def _light(run: Run, outward: Outward) -> _Light:
    link = outward.link
    begins = outward.content.span.start.timestamp() if outward.content is not None else 0.0
    order = (begins, link.identity.global_object_id, link.id)
    verb = outward.action.verb
    refused = verb is Verb.CREATE and link.withheld is not None
    # What is from earlier deletes nothing; a deletion since has guards of its own.
    earlier = verb in WRITES and verb is not Verb.DELETE and scoping.is_earlier(run, link)
    return _Light(link.id, verb, link.doubted, earlier, refused, link.crm_gone, outward.mails, order)


def _ordered(light: _Light) -> tuple[float, str, int]:
    return light.order


# --- one item that only a person can decide -----------------------------------------------------------------------


def _ask(run: Run, doubtful: Sequence[Outward]) -> _Said:
    deletions = [each for each in doubtful if each.action.verb is Verb.ASK_DELETION]
    handed = [each for each in doubtful if each.action.verb is Verb.ASK_ORGANIZER]
    overruled = holding.ask(run, holding.OVERRULED, [_about_deletion(run, each) for each in deletions])
    answers = holding.ask(run, holding.ORGANIZER, [_about_organizer(each) for each in handed])
    return _Said({number: answer == "yes" for number, answer in overruled.items()}, answers)


def _about_deletion(run: Run, outward: Outward) -> About:
    params = {"deleted": run.rules.crm_name, "edited": "Outlook"}
    return About(link=outward.link, digest=_digest(outward.link.observed), params=params)


def _about_organizer(outward: Outward) -> About:
    organizer = outward.row.appointment.organizer if outward.row is not None else None
    name = (organizer.name or organizer.address) if organizer is not None else ""
    return About(link=outward.link, digest=_digest(organizer), params={"detail": name})


def _digest(value: object) -> str:
    return sha256(repr(value).encode()).hexdigest()


def _handed(run: Run, outward: Outward, answer: Answer) -> Outward:
    """Return what an answer about another organizer means (A-14): call the meeting off here, or leave it as it is."""
    if answer == "no":
        return replace(outward, action=Action(verb=Verb.SETTLE, rule=_CALL_OFF))
    return called_off(run, outward)


# --- all of it together -------------------------------------------------------------------------------------------


def _gone(planned: Sequence[_Light]) -> int:
    """Return how many rows went whose items are to be deleted: the state does not count them any more."""
    return sum(light.gone for light in planned if light.verb is Verb.DELETE)


def _too_many(deletions: int, standing: int, limits: Limits) -> bool:
    """Return whether so many are asked about, weighed against what still stands: most of a few rows are many too."""
    return many(deletions, standing, limits) or deletions >= max(standing, EMPTIED_MIN)


def _weigh(run: Run, planned: Sequence[_Light]) -> Weighed:
    standing = run.store.link_count(run.mailbox.id)
    total = standing + _gone(planned)
    limits, invitations = run.rules.limits, run.rules.invitations
    deletions = tuple(light.link_id for light in planned if light.verb is Verb.DELETE)
    earlier = tuple(light.link_id for light in planned if light.earlier)
    creations = tuple(light.link_id for light in planned if light.verb is Verb.CREATE and not light.earlier)
    doubted = tuple(light.link_id for light in planned if light.doubted and light.verb in (Verb.DELETE, Verb.UPDATE))
    unsent = unmailed({light.link_id: light.mails for light in planned if light.mails}, invitations)
    emptied = len(deletions) >= max(total, EMPTIED_MIN)
    flood = run.mailbox.first_sync_done and floods(len(creations), limits)
    refused = _refused_once(planned, unsent)
    heavy = _too_many(len(deletions), standing, limits)

    def of_all(_: Collection[int]) -> Mapping[str, str]:
        return {"total": str(total)}

    return holding.weigh(
        run,
        (
            Danger(code=holding.BEGUN, links=earlier, heavy=earlier),
            Danger(code=holding.EMPTIED, links=deletions, heavy=deletions if emptied else (), told=of_all),
            Danger(
                code=holding.DELETIONS,
                links=deletions,
                heavy=deletions if heavy and not emptied else (),
                told=of_all,
            ),
            Danger(code=holding.RESTORED_CRM, links=doubted, heavy=doubted),
            Danger(code=holding.CREATIONS, links=creations, heavy=creations if flood else refused),
            Danger(
                code=holding.INVITATIONS,
                links=tuple(light.link_id for light in planned if light.mails),
                heavy=unsent,
                told=lambda ids: _told([light for light in planned if light.link_id in ids]),
            ),
        ),
    )


def _refused_once(planned: Sequence[_Light], unsent: Collection[int]) -> tuple[int, ...]:
    """Return new items that were refused before their rows were edited, but those whose mails are asked about."""
    return tuple(light.link_id for light in planned if light.refused and light.link_id not in unsent)


def _told(held: Sequence[_Light]) -> Mapping[str, str]:
    """Return how many mails are held and who would get them."""
    people = Counter(mail.to for light in held for mail in light.mails)
    shown = [name for name, _ in sorted(people.items())][:PEOPLE_SHOWN_MAX]
    more = len(people) - len(shown)
    words = ", ".join(shown) if not more else f"{', '.join(shown)} and {more} more"
    return {"mails": str(people.total()), "people": words}


def _group(light: _Light, weighed: Weighed) -> Verb | None:
    return light.verb if light.verb in WRITES and light.link_id not in weighed.dropped else None


def _chunk(run: Run, ids: Sequence[int], said: _Said, weighed: Weighed) -> None:
    """Decide the chunk again on fresh links and carry it out; what a No dropped is only settled."""
    decided = {each.link.id: each for each in _decided(run, run.store.links_by_id(ids), said)}
    chunk = [_after_no(decided[number], weighed.dropped.get(number)) for number in ids if number in decided]
    apply_outgoing(run, chunk)
    run.keep()


def _after_no(outward: Outward, code: str | None) -> Outward:
    if code is None:
        return outward
    known = _DROPPED.get(code)
    if known is None:
        gone = outward.row is None or outward.action.verb is Verb.DELETE
        fresh = outward.action.verb is Verb.CREATE
        verb = Verb.CLOSE if gone else Verb.SKIP if fresh else Verb.SETTLE
        known = Action(verb=verb, rule=code, code="KeptFromOutlook" if fresh else None)
    return replace(outward, action=known, write=None, mails=(), refused=True)


def _waits(link: Link) -> bool:
    return link.crm_settled != link.crm_version_seen
