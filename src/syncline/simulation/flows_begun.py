"""The flows in which writing to Exchange begins where both sides were kept in step one way, to be killed at each call.

What only the CRM has or has changed by then is asked about once. The module must not know why a flow ends as it does:
the undisturbed run says so.
"""

from __future__ import annotations

from msgspec.structs import replace

from syncline.core.appointment import Address, Appointment, Attendee, Identity
from syncline.simulation.killing import ADA, Flow, add, at, item, of_both_kinds, of_its_kind, run_all
from syncline.simulation.world import World


def _meeting(uid: str, hour: float) -> Appointment:
    return item(uid, at(hour), organizer=Address(ADA), attendees=(Attendee("eve@elsewhere.example"),))


def _enter(world: World, uid: str, hour: float) -> None:
    world.crm.enter(of_its_kind(world, replace(_meeting(uid, hour), categories=())), owner="ada")


# --- before ------------------------------------------------------------------------------------------------------


def _one_way(world: World) -> None:
    """One item is in step, one is edited in the CRM, and one row stands in the CRM alone."""
    add(world, _meeting("in-step", 9))
    add(world, _meeting("edited", 11))
    run_all(world)
    row = next(one for one in world.crm.rows() if one.appointment.identity == Identity("edited"))
    world.crm.edit(row.id, lambda found: replace(found, location="Lobby"), by="ada")
    _enter(world, "crm-entered", 14)
    run_all(world)


def _asked(world: World) -> None:
    _one_way(world)
    _begin(world)
    run_all(world)


# --- what happens ------------------------------------------------------------------------------------------------


def _begin(world: World) -> None:
    world.setting = replace(world.setting, rules=replace(world.setting.rules, outgoing=True))


def _begin_and_enter(world: World) -> None:
    """What is entered from then on is made at once and invites."""
    _begin(world)
    _enter(world, "crm-new", 16)


def _yes(world: World) -> None:
    world.answer(world.questions()[0], "yes")


def _no(world: World) -> None:
    world.answer(world.questions()[0], "no")


FLOWS_BEGUN = tuple(
    of_both_kinds(
        Flow("begin to write", _one_way, _begin),
        Flow("begin to write and enter", _one_way, _begin_and_enter),
        Flow("begin to write, yes", _asked, _yes),
        Flow("begin to write, no", _asked, _no),
    )
)
