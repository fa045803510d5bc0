"""Every flow of the engine in its smallest world, to be killed at each of its port calls in turn.

A flow is prepared in peace, then something happens, and then the mailboxes run while the process may die. However it
dies, the world must end as if it had not. The module must not know why a flow ends as it does: the undisturbed run says
so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from syncline.core.appointment import (
    Appointment,
    Attendee,
    Identity,
    Pattern,
    PatternKind,
    Recurrence,
    ShowAs,
    Span,
)
from syncline.engine.run import Rules
from syncline.simulation import oracle
from syncline.simulation.clock import MONDAY
from syncline.simulation.faults import Call, Strike
from syncline.simulation.playing import calm
from syncline.simulation.watching import NAMES
from syncline.simulation.world import CATEGORY, Setting, World, address_of

ADA, BOB = address_of("ada"), address_of("bob")
_HOUR = timedelta(hours=1)
_MANY = 12

Deed = Callable[[World], None]


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow: what was there before, and what happens; everything is Ada's unless more `people` take part.

    `by_category`: questions are answered in Outlook, so that waiting items are marked.
    """

    name: str
    prepare: Deed
    happens: Deed
    people: int = 1
    by_category: bool = False


# --- what there is -----------------------------------------------------------------------------------------------


def _at(hour: float, day: int = 1) -> Span:
    start = MONDAY.replace(hour=0) + timedelta(days=day) + hour * _HOUR
    return Span(start, start + _HOUR)


def _item(uid: str, span: Span, **fields: object) -> Appointment:
    plain = Appointment(
        identity=Identity(uid), subject=f"Subject {uid}", span=span, categories=(CATEGORY,), created=MONDAY
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def _series(uid: str, span: Span) -> Appointment:
    recurrence = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=span.start.date(), count=4)
    return _item(uid, span, recurrence=recurrence)


def _add(world: World, appointment: Appointment, address: str = ADA) -> None:
    world.exchange.add(address, appointment)
    world.tracked_once.add(appointment.identity.global_object_id)


def _ref(world: World, uid: str, address: str = ADA) -> str:
    items = world.exchange.items(address)
    return next(item.ref for item in items if item.appointment.identity.global_object_id == uid)


def _edit(world: World, uid: str, **fields: object) -> None:
    world.exchange.edit(ADA, _ref(world, uid), lambda found: replace(found, **fields))  # type: ignore[arg-type]


def _run(world: World) -> None:
    for address in world.mailboxes:
        world.cycle(address)


def _row_in_the_way(world: World) -> None:
    name = "crm-busy"
    world.crm.create(Appointment(identity=Identity(name), subject="In the way", span=_at(9)), owner="ada")


# --- before ------------------------------------------------------------------------------------------------------


def _nothing(_: World) -> None:
    """Nothing was there."""


def _saved(world: World) -> None:
    _add(world, _item("one", _at(11)))
    _run(world)


def _series_saved(world: World) -> None:
    _add(world, _series("series", _at(11)))
    _run(world)


def _saved_beside_row(world: World) -> None:
    _row_in_the_way(world)
    _saved(world)


def _asked(world: World) -> None:
    _row_in_the_way(world)
    _add(world, _item("one", _at(9)))
    _run(world)


def _reschedule_asked(world: World) -> None:
    _saved_beside_row(world)
    _edit(world, "one", span=_at(9), subject="Moved")
    _run(world)


def _series_asked(world: World) -> None:
    row = Appointment(identity=Identity("crm-busy"), subject="In the way", span=_at(9, day=2))
    world.crm.create(row, owner="ada")
    _add(world, _series("series", _at(9)))
    _run(world)


def _series_reschedule_asked(world: World) -> None:
    _row_in_the_way(world)
    _add(world, _series("series", _at(11)))
    _run(world)
    _edit(world, "series", span=_at(9))
    _run(world)


def _left_out(world: World) -> None:
    _series_asked(world)
    world.save_without(world.questions()[0])
    _run(world)


def _untracked(world: World) -> None:
    _saved(world)
    world.exchange.set_categories(ADA, _ref(world, "one"), ())
    _run(world)


def _many_saved(world: World) -> None:
    for number in range(_MANY):
        _add(world, _item(f"item-{number}", _at(9 + number % 8, day=1 + number // 8)))
    _run(world)


def _deletions_held(world: World) -> None:
    _many_saved(world)
    _delete_all(world)
    _run(world)


def _meeting_saved(world: World) -> None:
    _create_meeting(world)
    _run(world)


# --- what happens ------------------------------------------------------------------------------------------------


def _create(world: World) -> None:
    _add(world, _item("one", _at(11)))


def _create_many(world: World) -> None:
    for number in range(3):
        _add(world, _item(f"item-{number}", _at(9)))


def _create_series(world: World) -> None:
    _add(world, _series("series", _at(11)))


def _create_overlapping(world: World) -> None:
    _row_in_the_way(world)
    _add(world, _item("one", _at(9)))


def _create_meeting(world: World) -> None:
    _add(world, _item("met", _at(11), attendees=(Attendee(BOB),)))
    world.exchange.set_categories(BOB, _ref(world, "met", BOB), (CATEGORY,))


def _move_meeting(world: World) -> None:
    _edit(world, "met", span=_at(14))


def _rename(world: World) -> None:
    _edit(world, "one", subject="Other")


def _move(world: World) -> None:
    _edit(world, "one", span=_at(14))


def _move_into_the_way(world: World) -> None:
    _edit(world, "one", span=_at(9), subject="Moved")


def _move_occurrence(world: World) -> None:
    at = _at(11, day=2)
    to = _at(15, day=2)
    world.exchange.edit_occurrence(ADA, _ref(world, "series"), at, lambda found: replace(found, span=to))
    world.exchange.delete_occurrence(ADA, _ref(world, "series"), _at(11, day=3))


def _delete(world: World) -> None:
    world.exchange.delete(ADA, _ref(world, "one"))


def _delete_all(world: World) -> None:
    for item in world.exchange.items(ADA):
        world.exchange.delete(ADA, item.ref)


def _cancel(world: World) -> None:
    _edit(world, "one", canceled=True, show_as=ShowAs.FREE)


def _untrack(world: World) -> None:
    world.exchange.set_categories(ADA, _ref(world, "one"), ())


def _untrack_all(world: World) -> None:
    for item in world.exchange.items(ADA):
        world.exchange.set_categories(ADA, item.ref, ())


def _track(world: World) -> None:
    world.exchange.set_categories(ADA, _ref(world, "one"), (CATEGORY,))


def _move_folder(world: World) -> None:
    store = world.exchange.store(ADA)
    target = next(ref for ref, folder in store.folders.items() if not folder.main)
    world.exchange.move(ADA, _ref(world, "one"), target)


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
    world.exchange.set_categories(ADA, _ref(world, uid), names)


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
    _run(world)


def _saved_after_yes(world: World) -> None:
    _asked(world)
    _yes(world)
    _run(world)


def _move_and_save_anyway(world: World) -> None:
    world.crm.create(Appointment(identity=Identity("crm-later"), subject="Also in the way", span=_at(14)), owner="ada")
    _edit(world, "one", span=_at(14), categories=(CATEGORY, NAMES.save_anyway))


def _untrack_marked(world: World) -> None:
    _categories(world, "Red", NAMES.waiting)


def _copy(world: World) -> None:
    world.exchange.copy(ADA, _ref(world, "one"))


def _without_overlaps(world: World) -> None:
    world.save_without(world.questions()[0])


def _take_back(world: World) -> None:
    _yes(world)
    world.take_back(world.answered()[0])


def _edit_left_out(world: World) -> None:
    at = _at(9, day=2)
    world.exchange.edit_occurrence(ADA, _ref(world, "series"), at, lambda found: replace(found, subject="Only this"))


def _move_left_out(world: World) -> None:
    to = _at(15, day=2)
    world.exchange.edit_occurrence(ADA, _ref(world, "series"), _at(9, day=2), lambda found: replace(found, span=to))


FLOWS = (
    Flow("create", _nothing, _create),
    Flow("create three that overlap", _nothing, _create_many),
    Flow("create series", _nothing, _create_series),
    Flow("create and ask", _nothing, _create_overlapping),
    Flow("update", _saved, _rename),
    Flow("reschedule", _saved, _move),
    Flow("reschedule held", _saved_beside_row, _move_into_the_way),
    Flow("move and delete occurrences", _series_saved, _move_occurrence),
    Flow("delete", _saved, _delete),
    Flow("cancel", _saved, _cancel),
    Flow("untrack", _saved, _untrack),
    Flow("track again", _untracked, _track),
    Flow("answer yes", _asked, _yes),
    Flow("answer no", _asked, _no),
    Flow("answer yes to a reschedule", _reschedule_asked, _yes),
    Flow("answer no to a reschedule", _reschedule_asked, _no),
    Flow("answer without overlaps", _series_asked, _without_overlaps),
    Flow("answer without overlaps to a reschedule", _series_reschedule_asked, _without_overlaps),
    Flow("answer taken back", _asked, _take_back),
    Flow("edit a date left out", _left_out, _edit_left_out),
    Flow("move a date left out", _left_out, _move_left_out),
    Flow("clash gone", _asked, _make_room),
    Flow("delete while asked", _asked, _delete),
    Flow("guard deletions", _many_saved, _delete_all),
    Flow("guard untracking", _many_saved, _untrack_all),
    Flow("guard released", _deletions_held, _yes),
    Flow("guard dropped", _deletions_held, _no),
    Flow("move to a folder", _saved, _move_folder),
    Flow("cursor expired", _saved, _expire),
    Flow("edited in the CRM", _saved, _edit_row),
    Flow("meeting of two mailboxes", _nothing, _create_meeting, people=2),
    Flow("meeting moved", _meeting_saved, _move_meeting, people=2),
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


def undisturbed(flow: Flow) -> tuple[int, dict[str, object]]:
    """Run a flow in peace and return how many port calls it makes, and how the world ends."""
    world = _world(flow)
    calls = _play(world, flow, None)
    return calls, _end(world)


def killed(flow: Flow, number: int, expected: dict[str, object]) -> list[str]:
    """Run a flow whose process dies at its port call `number`, and return what is wrong in the end."""
    world = _world(flow)
    _play(world, flow, number)
    end = _end(world)
    found = oracle.judge(world)
    found += [f"{name}: {end[name]} instead of {expected[name]}" for name in expected if end[name] != expected[name]]
    where = next((f"{call.port}.{call.method}" for call, _ in world.gate.struck), "no call")
    return [f"killed at call {number} ({where}): {problem}" for problem in found]


def _world(flow: Flow) -> World:
    rules = Rules(chunk_max=5, outlook=NAMES if flow.by_category else None)
    return World(Random(0), Setting(people=flow.people, rules=rules))  # noqa: S311 - must be repeatable


def _play(world: World, flow: Flow, number: int | None) -> int:
    flow.prepare(world)
    world.clock.advance(900)
    begin = len(world.gate.calls)

    def choose(call: Call) -> Strike | None:
        return Strike.KILLED if number is not None and call.number == begin + number else None

    flow.happens(world)
    world.gate.choose = choose
    _run(world)
    calls = len(world.gate.calls) - begin
    calm(world, {})
    return calls


def _end(world: World) -> dict[str, object]:
    """Return how a world stands, without the numbers that depend on the way."""
    rows = {
        (
            row.appointment.identity.global_object_id,
            row.appointment.subject,
            row.appointment.span,
            row.appointment.deleted,
            row.status.value,
        )
        for row in world.crm.rows()
    }
    links = sorted(
        (link.identity.global_object_id, link.mailbox_id, link.state.value, link.crm_id is not None, link.writes)
        for link in oracle.all_links(world)
    )
    questions = sorted((alert.code, alert.subject, len(alert.held)) for alert in world.questions())
    items = (item.appointment for address in world.mailboxes for item in world.exchange.items(address))
    categories = sorted((item.identity.global_object_id, item.categories) for item in items)
    return {"rows": rows, "links": links, "questions": questions, "categories": categories}
