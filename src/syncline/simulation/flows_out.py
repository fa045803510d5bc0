"""The flows of the engine towards Exchange, each in its smallest world, to be killed at each of its port calls in turn.

Every world has had its first sync, so that mails may leave. The module must not know why a flow ends as it does: the
undisturbed run says so.
"""

from __future__ import annotations

from msgspec.structs import replace

from syncline.core.appointment import Address, Appointment, Attendee, Identity
from syncline.core.guards import Invitations, Limits
from syncline.core.merging import Winner
from syncline.core.pushing import Policy
from syncline.engine.run import Rules
from syncline.simulation.conduct import CATEGORY
from syncline.simulation.killing import (
    ADA,
    BOB,
    Deed,
    Flow,
    at,
    edit,
    item,
    of_both_kinds,
    of_its_kind,
    ref,
    run_all,
    series,
)
from syncline.simulation.world import World

_PARTNERS = Rules(outgoing=True)
_EVE = "eve@elsewhere.example"
_MANY = 12


def _with(**values: object) -> Rules:
    return replace(_PARTNERS, **values)


def _asks() -> Rules:
    policy = replace(_PARTNERS.policy, ask_before_overruling=True)
    return _with(policy=policy, pushing=Policy(ask_before_overruling=True))


def _row(subject_uid: str, *guests: str, **fields: object) -> Appointment:
    people = tuple(Attendee(guest) for guest in guests)
    return replace(item(subject_uid, at(11), organizer=Address(ADA), attendees=people, **fields), categories=())


def _enter(world: World, appointment: Appointment, *, draft: bool = False) -> None:
    world.crm.enter(of_its_kind(world, appointment), owner="ada", draft=draft)


def _change(world: World, uid: str, **fields: object) -> None:
    row = next(one for one in world.crm.rows() if one.appointment.identity == Identity(uid))
    world.crm.edit(row.id, lambda found: replace(found, **fields), by="ada")


def _id(world: World, uid: str) -> str:
    return next(one.id for one in world.crm.rows() if one.appointment.identity == Identity(uid))


# --- before ------------------------------------------------------------------------------------------------------


def _first_sync(world: World) -> None:
    run_all(world)


def _made(world: World) -> None:
    run_all(world)
    _enter_single(world)
    run_all(world)


def _meeting_made(world: World) -> None:
    run_all(world)
    _enter_meeting(world)
    run_all(world)


def _drafted(world: World) -> None:
    run_all(world)
    _enter_draft(world)
    run_all(world)


def _series_made(world: World) -> None:
    run_all(world)
    _enter_series(world)
    run_all(world)


def _shared_made(world: World) -> None:
    run_all(world)
    _enter_shared(world)
    run_all(world)
    world.clock.advance(900)
    run_all(world)


def _many_made(world: World) -> None:
    run_all(world)
    _enter_many(world)
    run_all(world)


def _held(world: World) -> None:
    """An invitation waits for an answer."""
    _first_sync(world)
    _enter_meeting(world)
    run_all(world)


def _creations_held(world: World) -> None:
    _first_sync(world)
    _enter_many(world)
    run_all(world)


def _deletions_held(world: World) -> None:
    _many_made(world)
    _remove_all(world)
    run_all(world)


def _many_held(world: World) -> None:
    _first_sync(world)
    for number in range(4):
        _enter(world, replace(_row(f"crm-{number}"), span=at(9 + number)))
    run_all(world)
    for row in world.crm.rows()[1:]:
        world.crm.remove(row.id)
    run_all(world)


def _organizer_asked(world: World) -> None:
    _meeting_made(world)
    _hand_over(world)
    run_all(world)


def _torn(world: World) -> None:
    _made(world)
    _edit_both(world)
    run_all(world)


def _overruled(world: World) -> None:
    _made(world)
    _delete_edited(world)
    run_all(world)


def _left(world: World) -> None:
    _made(world)
    _leave(world)
    run_all(world)


def _restored(world: World) -> None:
    """The CRM is put back to a time before the row was edited; the question about it is open."""
    _made(world)
    backup = world.crm.back_up()
    _rename(world)
    run_all(world)
    world.crm.restore(backup)
    run_all(world)


# --- what happens ------------------------------------------------------------------------------------------------


def _enter_single(world: World) -> None:
    _enter(world, _row("crm-one"))


def _enter_meeting(world: World) -> None:
    _enter(world, _row("crm-one", _EVE))


def _enter_draft(world: World) -> None:
    _enter(world, _row("crm-one", _EVE), draft=True)


def _enter_series(world: World) -> None:
    _enter(world, replace(series("crm-series", at(11)), organizer=Address(ADA), attendees=(Attendee(_EVE),)))


def _enter_changed_series(world: World) -> None:
    """A series whose dates differ takes several requests."""
    _enter_series(world)
    _change_dates(world)


def _enter_shared(world: World) -> None:
    _enter(world, _row("crm-one", BOB))


def _enter_many(world: World) -> None:
    for number in range(_MANY):
        _enter(world, replace(_row(f"crm-{number}"), span=at(9 + number % 8, day=1 + number // 8)))


def _enter_two(world: World) -> None:
    _enter(world, _row("crm-one", _EVE))
    _enter(world, _row("crm-two", BOB))


def _rename(world: World) -> None:
    _change(world, "crm-one", subject="Other")


def _move(world: World) -> None:
    _change(world, "crm-one", span=at(14))


def _invite(world: World) -> None:
    _change(world, "crm-one", attendees=(Attendee(_EVE), Attendee("fay@elsewhere.example")))


def _remove(world: World) -> None:
    world.crm.remove(_id(world, "crm-one"))


def _remove_all(world: World) -> None:
    for row in world.crm.rows():
        world.crm.remove(row.id)


def _release(world: World) -> None:
    world.crm.release(_id(world, "crm-one"), by="ada")


def _complete(world: World) -> None:
    world.crm.complete(_id(world, "crm-one"), by="ada")


def _cancel(world: World) -> None:
    world.crm.cancel(_id(world, "crm-one"), by="ada")


def _change_dates(world: World) -> None:
    """One date moves, another goes."""
    row = next(one for one in world.crm.rows() if one.appointment.identity == Identity("crm-series"))
    master = row.appointment
    at_second = at(11, day=2)
    moved = replace(
        master,
        identity=Identity("crm-series", at_second.start),
        span=at(15, day=2),
        recurrence=None,
        exceptions=(),
        deleted=(),
    )
    _change(world, "crm-series", exceptions=(moved,), deleted=(at(11, day=3).start,))


def _hand_over(world: World) -> None:
    _change(world, "crm-one", organizer=Address(BOB))


def _edit_both(world: World) -> None:
    _change(world, "crm-one", subject="CRM", location="Lobby")
    edit(world, "crm-one", subject="Outlook")


def _edit_apart(world: World) -> None:
    _change(world, "crm-one", subject="CRM")
    edit(world, "crm-one", location="Outlook")


def _delete_edited(world: World) -> None:
    edit(world, "crm-one", location="Outlook")
    _remove(world)


def _delete_in_outlook(world: World) -> None:
    _rename(world)
    world.exchange.delete(ADA, ref(world, "crm-one"))


def _untrack(world: World) -> None:
    _rename(world)
    world.exchange.set_categories(ADA, ref(world, "crm-one"), ())


def _leave(world: World) -> None:
    _switch(world, enabled=False)


def _return(world: World) -> None:
    _switch(world, enabled=True)


def _switch(world: World, *, enabled: bool) -> None:
    known = next(each for each in world.store.filters() if each.user == "ada")
    world.store.change_filter(known.id, lambda found: replace(found, enabled=enabled), world.clock.now())


def _expire(world: World) -> None:
    world.exchange.expire_cursors(ADA)
    _rename(world)


def _restore(world: World) -> None:
    """The CRM's cursors are unknown."""
    world.crm.restore(world.crm.back_up())
    _rename(world)


def _move_folder(world: World) -> None:
    _rename(world)
    target = next(one for one, folder in world.exchange.store(ADA).folders.items() if not folder.main)
    world.exchange.move(ADA, ref(world, "crm-one"), target)


def _copy(world: World) -> None:
    world.exchange.copy(ADA, ref(world, "crm-one"))
    _rename(world)


def _track_twin(world: World) -> None:
    """An item of the same identity stands in the calendar when the row is entered."""
    world.exchange.add(ADA, item("crm-one", at(11), categories=(CATEGORY,)))
    world.tracked_once.add("crm-one")
    _enter_single(world)


def _yes(world: World) -> None:
    world.answer(world.questions()[0], "yes")


def _no(world: World) -> None:
    world.answer(world.questions()[0], "no")


_FEW = _with(invitations=Invitations(mails_max=0))
_SLOW = _with(limits=Limits(creations_max=5))
_CAREFUL = _with(limits=Limits(items_max=1))
_CANCELS = _with(pushing=Policy(propagate_cancellations=True))
_DELETES = _with(pushing=Policy(distinct_deletes=False))
_TELLS = _with(winner=Winner.ASK)


def _out(name: str, prepare: Deed, happens: Deed, rules: Rules = _PARTNERS, people: int = 1) -> Flow:
    return Flow(name, prepare, happens, people=people, rules=rules)


_OF_BOTH_KINDS = (
    _out("make and invite", _first_sync, _enter_meeting),
    _out("release a draft", _drafted, _release),
    _out("rename in the CRM", _made, _rename),
    _out("reschedule meeting", _meeting_made, _move),
    _out("delete row of meeting", _meeting_made, _remove),
    _out("cancel and call off", _meeting_made, _cancel, rules=_CANCELS),
    _out("answer yes to both", _torn, _yes, rules=_TELLS),
    _out("answer no to both", _torn, _no, rules=_TELLS),
    _out("deleted there, edited here", _made, _delete_in_outlook),
    _out("deleted here, edited there", _made, _delete_edited),
    _out("answer yes to a deletion", _overruled, _yes, rules=_asks()),
    _out("answer no to a deletion", _overruled, _no, rules=_asks()),
    _out("answer yes to another organizer", _organizer_asked, _yes, people=2),
    _out("answer no to another organizer", _organizer_asked, _no, people=2),
    _out("release invitations", _held, _yes, rules=_FEW),
    _out("drop invitations", _held, _no, rules=_FEW),
    _out("release many deletions", _many_held, _yes, rules=_CAREFUL),
    _out("drop many deletions", _many_held, _no, rules=_CAREFUL),
    _out("answer yes to a restored CRM", _restored, _yes),
    _out("answer no to a restored CRM", _restored, _no),
    _out("untrack while edited", _made, _untrack),
    _out("leave the filters", _made, _leave),
    _out("leave the filters and delete", _meeting_made, _leave, rules=_DELETES),
    _out("return to the filters", _left, _return),
    _out("expired cursor while edited", _made, _expire),
    _out("move to a folder while edited", _made, _move_folder),
)
_OTHERS = (
    _out("release deletions", _deletions_held, _yes),
    _out("drop deletions", _deletions_held, _no),
    _out("make", _first_sync, _enter_single),
    _out("keep a draft", _first_sync, _enter_draft),
    _out("make in the first sync", lambda _: None, _enter_meeting),
    _out("both sides edit and ask", _made, _edit_both, rules=_TELLS),
    _out("release creations", _creations_held, _yes, rules=_SLOW),
    _out("drop creations", _creations_held, _no, rules=_SLOW),
    _out("make several", _first_sync, _enter_two, people=2),
    _out("make series with dates", _first_sync, _enter_changed_series),
    _out("make what stands there", _first_sync, _track_twin),
    _out("make meeting of two mailboxes", _first_sync, _enter_shared, people=2),
    _out("invite one more", _meeting_made, _invite),
    _out("reschedule meeting of two mailboxes", _shared_made, _move, people=2),
    _out("move and delete dates", _series_made, _change_dates),
    _out("delete row", _made, _remove),
    _out("delete row of two mailboxes", _shared_made, _remove, people=2),
    _out("complete", _meeting_made, _complete),
    _out("cancel and keep", _meeting_made, _cancel),
    _out("both sides edit apart", _made, _edit_apart),
    _out("both sides edit, Exchange wins", _made, _edit_both),
    _out("both sides edit, the CRM wins", _made, _edit_both, rules=_with(winner=Winner.CRM)),
    _out("deleted there, edited here, and ask", _made, _delete_in_outlook, rules=_asks()),
    _out("ask about another organizer", _meeting_made, _hand_over, people=2),
    _out("hold invitations", _first_sync, _enter_meeting, rules=_FEW),
    _out("hold deletions", _many_made, _remove_all),
    _out("CRM cursor unknown while edited", _made, _restore),
    _out("copy while edited", _made, _copy),
)
FLOWS_OUT = (*of_both_kinds(*_OF_BOTH_KINDS), *_OTHERS)
