"""An item that came late, after it had been given up and made anew, is taken out again (decision 0035, L-11a).

Its key tells it from a person's copy, which carries the key of an item that is known. Only what stands as Syncline made
it goes, and only beside the item that was made instead: the meeting itself goes on, so nobody is mailed and no guard
weighs it. It must not know why the item came late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import Response
from syncline.core.laying import new_item
from syncline.core.merging import differences, project
from syncline.core.outgoing import ItemDeletion
from syncline.engine.applying_outgoing import key_of
from syncline.engine.outgoing import category
from syncline.engine.overtaking import keeping
from syncline.engine.run import PlanLine, Run
from syncline.engine.writing import Draft
from syncline.ports import Attachments, Changes, Intent, Link, Observed, Origin, Result, Seen, Verb

# Of a link's creations that were given up only the newest are remembered, and no longer than the trash keeps contents.
REMEMBERED_MAX = 3
REMEMBERED = timedelta(days=30)
_RULE = "L-11a"


class Double(Struct, frozen=True, gc=False):
    """An item that came late, its link, what it was to hold, and the link of the item that was made instead.

    `touched`: somebody has changed, moved, copied or answered it since, so that it stays, as a copy that is left out.
    """

    link: Link
    item: Observed
    intent: Intent
    instead: Link
    touched: bool


def go(run: Run, between: Callable[[Run], None]) -> None:
    """Delete what came late; `between` is called before each chunk of writes."""
    if not run.given_up:
        return
    every = doubles(run)
    # Looked at once: what was touched is a person's from now on, also if it looks as it was made again.
    over = [*_outdated(run), *(double.intent.id for double in every if double.touched)]
    if over:
        run.write(Changes(dropped_intents=over))
    found = [double for double in every if not double.touched]
    for at in range(0, len(found), run.rules.chunk_max):
        between(run)
        _withdraw(run, found[at : at + run.rules.chunk_max])
        run.keep()


def foreseen(run: Run, lines: Sequence[PlanLine]) -> tuple[PlanLine, ...]:
    """Return a plan with what would be deleted here in place of what it says about those items."""
    found = {double.link.id: double for double in doubles(run) if not double.touched}
    withdrawn = [
        PlanLine(
            link_id=number,
            subject=double.item.appointment.subject,
            start=double.item.appointment.span.start,
            action="delete",
            rule=_RULE,
            private=double.item.appointment.private,
            outward=True,
            before=double.item.appointment,
        )
        for number, double in found.items()
    ]
    return (*(line for line in lines if line.link_id not in found), *withdrawn)


def doubles(run: Run) -> list[Double]:
    """Return what came late beside what was made instead, both as they stand now."""
    beside = _beside(run)
    if not beside:
        return []
    both = list({each.id: each for pair in beside for each in pair}.values())
    read = run.replica.read([(each.folder, each.ref) for each in both])
    items = {each.id: item for each, item in zip(both, read, strict=True) if isinstance(item, Observed)}
    late = {key_of(run, intent.id): intent for intent in run.given_up if intent.instead}
    known = [
        Double(link, items[link.id], late[items[link.id].key or ""], instead, True)
        for link, instead in beside
        if link.id in items and instead.id in items and items[link.id].key in late
    ]
    return _judged(run, known, Counter(item.key for item in items.values()))


def _beside(run: Run) -> list[tuple[Link, Link]]:
    """Return the items that no row is linked to beside one that was made instead of what was given up."""
    made = {intent.link_id: intent.instead for intent in run.given_up if intent.instead}
    if not made or not run.outgoing:
        return []
    known = run.store.links_by_id(sorted(made))
    standing = {each.identity: each for each in known if made[each.id] == each.ref and _stands(each)}
    family = run.store.links_by_identity(list(standing)) if standing else ()
    mine = (each for each in family if each.mailbox_id == run.mailbox.id)
    return [(each, standing[each.identity]) for each in mine if each.crm_id is None and each.seen is Seen.PRESENT]


def _judged(run: Run, known: Sequence[Double], keys: Counter[str | None]) -> list[Double]:
    """Return what came late for the item beside it, with whether anybody has touched it."""
    files = run.replica.attachments([double.item.ref for double in known]) if known else {}

    def as_made(double: Double) -> bool:
        # A person may have copied what came late: then nobody can tell which is which.
        alone = keys[double.item.key] == 1 and _bare(files.get(double.item.ref))
        return alone and _as_made(run, double.item, double.intent)

    mine = (double for double in known if double.intent.link_id == double.instead.id)
    return [replace(double, touched=not as_made(double)) for double in mine]


def _outdated(run: Run) -> list[str]:
    """Return the creations that were given up too long ago to come, or before others for the same link."""
    since, later, found = run.now() - REMEMBERED, Counter[int](), []
    for intent in reversed(run.given_up):
        later[intent.link_id] += 1
        if intent.created < since or later[intent.link_id] > REMEMBERED_MAX:
            found.append(intent.id)
    return found


def _stands(link: Link) -> bool:
    return link.seen is Seen.PRESENT and link.crm_id is not None and not link.doubted


def _as_made(run: Run, item: Observed, intent: Intent) -> bool:
    """Return whether nobody has touched an item since it was made, or moved it, or has answered to it.

    Dates of a series are written one by one, and some may be missing.
    """
    assert intent.agreed is not None
    there, wanted = project(item.appointment), new_item(intent.agreed, category(run), intent.created)
    starts = {part.identity.original_start for part in there.exceptions}
    parts = tuple(part for part in intent.agreed.exceptions if part.identity.original_start in starts)
    deleted = tuple(date for date in intent.agreed.deleted if date in there.deleted)
    main = next((folder.ref for folder in run.mailbox.folders if folder.main), "")
    return (
        item.folder == main
        and item.appointment.categories == wanted.categories
        and item.appointment.reminder_minutes == wanted.reminder_minutes
        and {each.response for each in item.appointment.attendees} <= {Response.NONE}
        and not differences(replace(intent.agreed, exceptions=parts, deleted=deleted), there)
    )


def _bare(files: object) -> bool:
    return isinstance(files, Attachments) and not files.files


def _withdraw(run: Run, chunk: Sequence[Double]) -> None:
    draft, since, now = Draft(run), run.now(), run.now()
    intents = [
        Intent(
            id=run.parts.new_id(),
            mailbox_id=run.mailbox.id,
            link_id=double.link.id,
            verb=Verb.DELETE_ITEM,
            crm_id=double.instead.crm_id or "",
            created=now,
        )
        for double in chunk
    ]
    run.store.begin(run.lease, intents, {})
    draft.intents_done = [intent.id for intent in intents]
    items = [double.item for double in chunk]
    outcomes = run.replica.write(
        [ItemDeletion(ref=i.ref, folder=i.folder, revision=i.revision, content=i.appointment) for i in items]
    )
    for double, outcome in zip(chunk, outcomes, strict=True):
        # What changed meanwhile, or cannot be deleted now, is looked at again in the next cycle.
        if outcome.result is Result.SAVED:
            draft.keep_deleted(double.link, Origin.EXCHANGE, double.item.appointment, "deleted")
            draft.removed.append(double.link.id)
            draft.intents_done.append(double.intent.id)
            draft.entries.append(run.entry(double.link, "deleted in Outlook", _RULE))
            draft.entries.append(run.entry(double.instead, "second item deleted in Outlook", _RULE))
            run.counts.deleted += 1
    with keeping(run, draft.trash, since):
        run.write(draft.changes())
