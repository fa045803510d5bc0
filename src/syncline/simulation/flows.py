"""The flows of the engine towards the CRM, each in its smallest world, to be killed at each of its port calls in turn.

What was there before and what happens are deeds in the world's words. The module must not know why a flow ends as it
does: the undisturbed run says so.
"""

from __future__ import annotations

from msgspec.structs import replace

from syncline.core.appointment import (
    Appointment,
    Attendee,
    Identity,
    ShowAs,
)
from syncline.core.guards import Limits
from syncline.engine.run import Rules
from syncline.simulation.conduct import CATEGORY
from syncline.simulation.killing import (
    ADA,
    BOB,
    Flow,
    add,
    at,
    edit,
    item,
    of_both_kinds,
    ref,
    run_all,
    series,
    with_writing,
)
from syncline.simulation.watching import NAMES
from syncline.simulation.world import World

_MANY = 12


def _row_in_the_way(world: World) -> None:
    name = "crm-busy"
    world.crm.create(Appointment(identity=Identity(name), subject="In the way", span=at(9)), owner="ada")


# --- before ------------------------------------------------------------------------------------------------------


def _nothing(_: World) -> None:
    """Nothing was there."""


def _saved(world: World) -> None:
    add(world, item("one", at(11)))
    run_all(world)


def _series_saved(world: World) -> None:
    add(world, series("series", at(11)))
    run_all(world)


def _saved_beside_row(world: World) -> None:
    _row_in_the_way(world)
    _saved(world)


def _asked(world: World) -> None:
    _row_in_the_way(world)
    add(world, item("one", at(9)))
    run_all(world)


def _reschedule_asked(world: World) -> None:
    _saved_beside_row(world)
    edit(world, "one", span=at(9), subject="Moved")
    run_all(world)


def _series_asked(world: World) -> None:
    row = Appointment(identity=Identity("crm-busy"), subject="In the way", span=at(9, day=2))
    world.crm.create(row, owner="ada")
    add(world, series("series", at(9)))
    run_all(world)


def _series_reschedule_asked(world: World) -> None:
    _row_in_the_way(world)
    add(world, series("series", at(11)))
    run_all(world)
    edit(world, "series", span=at(9))
    run_all(world)


def _left_out(world: World) -> None:
    _series_asked(world)
    world.save_without(world.questions()[0])
    run_all(world)


def _untracked(world: World) -> None:
    _saved(world)
    world.exchange.set_categories(ADA, ref(world, "one"), ())
    run_all(world)


def _many_saved(world: World) -> None:
    for number in range(_MANY):
        add(world, item(f"item-{number}", at(9 + number % 8, day=1 + number // 8)))
    run_all(world)


def _deletions_held(world: World) -> None:
    _many_saved(world)
    _delete_all(world)
    run_all(world)


def _several_saved(world: World) -> None:
    for number in range(4):
        add(world, item(f"item-{number}", at(9 + number)))
    run_all(world)


def _most_deleted(world: World) -> None:
    _several_saved(world)
    _delete_most(world)
    run_all(world)


def _most_untracked(world: World) -> None:
    _several_saved(world)
    _untrack_all(world)
    run_all(world)


def _expired_and_deleted(world: World) -> None:
    _saved(world)
    _delete_and_expire(world)
    run_all(world)


def _meeting_saved(world: World) -> None:
    _create_meeting(world)
    run_all(world)


# --- what happens ------------------------------------------------------------------------------------------------


def _create(world: World) -> None:
    add(world, item("one", at(11)))


def _create_many(world: World) -> None:
    for number in range(3):
        add(world, item(f"item-{number}", at(9)))


def _create_overlapping(world: World) -> None:
    _row_in_the_way(world)
    add(world, item("one", at(9)))


def _create_meeting(world: World) -> None:
    add(world, item("met", at(11), attendees=(Attendee(BOB),)))
    world.exchange.set_categories(BOB, ref(world, "met", BOB), (CATEGORY,))


def _move_meeting(world: World) -> None:
    edit(world, "met", span=at(14))


def _rename(world: World) -> None:
    edit(world, "one", subject="Other")


def _move(world: World) -> None:
    edit(world, "one", span=at(14))


def _move_into_the_way(world: World) -> None:
    edit(world, "one", span=at(9), subject="Moved")


def _move_occurrence(world: World) -> None:
    date = at(11, day=2)
    to = at(15, day=2)
    world.exchange.edit_occurrence(ADA, ref(world, "series"), date, lambda found: replace(found, span=to))
    world.exchange.delete_occurrence(ADA, ref(world, "series"), at(11, day=3))


def _delete(world: World) -> None:
    world.exchange.delete(ADA, ref(world, "one"))


def _delete_all(world: World) -> None:
    for each in world.exchange.items(ADA):
        world.exchange.delete(ADA, each.ref)


def _delete_most(world: World) -> None:
    for each in world.exchange.items(ADA)[1:]:
        world.exchange.delete(ADA, each.ref)


def _delete_and_expire(world: World) -> None:
    """A whole listing does not tell whether somebody deleted the item or the mailbox was restored."""
    _delete(world)
    _expire(world)


def _cancel(world: World) -> None:
    edit(world, "one", canceled=True, show_as=ShowAs.FREE)


def _untrack(world: World) -> None:
    world.exchange.set_categories(ADA, ref(world, "one"), ())


def _untrack_all(world: World) -> None:
    for each in world.exchange.items(ADA):
        world.exchange.set_categories(ADA, each.ref, ())


def _track(world: World) -> None:
    world.exchange.set_categories(ADA, ref(world, "one"), (CATEGORY,))


def _move_folder(world: World) -> None:
    store = world.exchange.store(ADA)
    target = next(ref for ref, folder in store.folders.items() if not folder.main)
    world.exchange.move(ADA, ref(world, "one"), target)


def _expire(world: World) -> None:
    world.exchange.expire_cursors(ADA)


def _edit_row(world: World) -> None:
    row = world.crm.rows()[-1]
    world.crm.edit(row.id, lambda found: replace(found, subject="Edited in the CRM"), by="ada")


def _make_room(world: World) -> None:
    row = next(row for row in world.crm.rows() if row.appointment.subject == "In the way")
    world.crm.remove(row.id)


def _yes(world: World) -> None:
    world.answer(world.questions()[0], "yes")


def _no(world: World) -> None:
    world.answer(world.questions()[0], "no")


def _categories(world: World, *names: str, uid: str = "one") -> None:
    world.exchange.set_categories(ADA, ref(world, uid), names)


def _save_anyway(world: World) -> None:
    world.said.add(("one", "yes"))
    world.ledger.confirmed.add("one")
    _categories(world, CATEGORY, "Red", NAMES.save_anyway)


def _keep_out(world: World) -> None:
    world.said.add(("one", "no"))
    world.refused.add("one")
    _categories(world, CATEGORY, NAMES.waiting, NAMES.keep_out)


def _kept_out(world: World) -> None:
    _asked(world)
    _no(world)
    run_all(world)


def _saved_after_yes(world: World) -> None:
    _asked(world)
    _yes(world)
    run_all(world)


def _move_and_save_anyway(world: World) -> None:
    world.crm.create(Appointment(identity=Identity("crm-later"), subject="Also in the way", span=at(14)), owner="ada")
    edit(world, "one", span=at(14), categories=(CATEGORY, NAMES.save_anyway))


def _untrack_marked(world: World) -> None:
    _categories(world, "Red", NAMES.waiting)


def _copy(world: World) -> None:
    world.exchange.copy(ADA, ref(world, "one"))


def _without_overlaps(world: World) -> None:
    world.save_without(world.questions()[0])


def _take_back(world: World) -> None:
    _yes(world)
    world.take_back(world.answered()[0])


def _edit_left_out(world: World) -> None:
    date = at(9, day=2)
    world.exchange.edit_occurrence(ADA, ref(world, "series"), date, lambda found: replace(found, subject="Only this"))


def _move_left_out(world: World) -> None:
    to = at(15, day=2)
    world.exchange.edit_occurrence(ADA, ref(world, "series"), at(9, day=2), lambda found: replace(found, span=to))


_CAREFUL = Rules(limits=Limits(items_max=1))

_OF_BOTH_KINDS = (
    Flow("create", _nothing, _create),
    Flow("create and ask", _nothing, _create_overlapping),
    Flow("update", _saved, _rename),
    Flow("reschedule", _saved, _move),
    Flow("reschedule held", _saved_beside_row, _move_into_the_way),
    Flow("delete", _saved, _delete),
    Flow("cancel", _saved, _cancel),
    Flow("untrack", _saved, _untrack),
    Flow("track again", _untracked, _track),
    Flow("answer yes", _asked, _yes),
    Flow("answer no", _asked, _no),
    Flow("answer yes to a reschedule", _reschedule_asked, _yes),
    Flow("answer no to a reschedule", _reschedule_asked, _no),
    Flow("answer taken back", _asked, _take_back),
    Flow("clash gone", _asked, _make_room),
    Flow("delete while asked", _asked, _delete),
    Flow("move to a folder", _saved, _move_folder),
    Flow("cursor expired", _saved, _expire),
    Flow("edited in the CRM", _saved, _edit_row),
)
_OTHERS = (
    Flow("create three that overlap", _nothing, _create_many),
    Flow("move and delete occurrences", _series_saved, _move_occurrence),
    Flow("answer without overlaps", _series_asked, _without_overlaps),
    Flow("answer without overlaps to a reschedule", _series_reschedule_asked, _without_overlaps),
    Flow("edit a date left out", _left_out, _edit_left_out),
    Flow("move a date left out", _left_out, _move_left_out),
    Flow("guard deletions", _many_saved, _delete_all),
    Flow("guard untracking", _many_saved, _untrack_all),
    Flow("guard released", _deletions_held, _yes),
    Flow("guard dropped", _deletions_held, _no),
    Flow("meeting of two mailboxes", _nothing, _create_meeting, people=2),
    Flow("meeting moved", _meeting_saved, _move_meeting, people=2),
)
_IN_OUTLOOK = (
    Flow("mark", _nothing, _create_overlapping, by_category=True),
    Flow("save anyway in Outlook", _asked, _save_anyway, by_category=True),
    Flow("keep out in Outlook", _asked, _keep_out, by_category=True),
    Flow("save anyway after no", _kept_out, _save_anyway, by_category=True),
    Flow("keep out after yes", _saved_after_yes, _keep_out, by_category=True),
    Flow("save anyway in a reschedule", _reschedule_asked, _save_anyway, by_category=True),
    Flow("move and save anyway", _asked, _move_and_save_anyway, by_category=True),
    Flow("answer yes to a marked item", _asked, _yes, by_category=True),
    Flow("clash of a marked item gone", _asked, _make_room, by_category=True),
    Flow("untrack a marked item", _asked, _untrack_marked, by_category=True),
    Flow("delete a marked item", _asked, _delete, by_category=True),
    Flow("move a marked item to a folder", _asked, _move_folder, by_category=True),
    Flow("copy a marked item", _asked, _copy, by_category=True),
)
_ANSWERS = (
    Flow("answer yes to many deletions", _most_deleted, _yes, rules=_CAREFUL),
    Flow("answer no to many deletions", _most_deleted, _no, rules=_CAREFUL),
    Flow("answer yes to untracking", _most_untracked, _yes, rules=_CAREFUL),
    Flow("answer no to untracking", _most_untracked, _no, rules=_CAREFUL),
    Flow("cursor expired and deleted", _saved, _delete_and_expire),
    Flow("answer yes to a restored mailbox", _expired_and_deleted, _yes),
    Flow("answer no to a restored mailbox", _expired_and_deleted, _no),
)
FLOWS = (*_OF_BOTH_KINDS, *_OTHERS)
"""Those in which nothing is written to Exchange."""
FLOWS_WRITING = tuple(map(with_writing, (*of_both_kinds(*_OF_BOTH_KINDS, *_ANSWERS), *_OTHERS, *_IN_OUTLOOK)))
"""Those in which writing to Exchange is on, as delivered."""
