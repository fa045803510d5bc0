"""The flows of files, both ways, each in its smallest world, to be killed at each of its port calls in turn.

Contents differ in length, so that what a world holds in the end tells them apart. The module must not know why a flow
ends as it does: the undisturbed run says so.
"""

from __future__ import annotations

from msgspec.structs import replace

from syncline.core import guards
from syncline.core.appointment import Address, Attendee
from syncline.core.attachments import Limits
from syncline.core.merging import Winner
from syncline.engine.run import Rules
from syncline.simulation.killing import ADA, Deed, Flow, add, at, edit, item, ref, run_all
from syncline.simulation.world import World

RULES = Rules(outgoing=True, attachments=Limits(size_max=1_000, blocked=frozenset({"exe"})))
UID = "one"
_CAREFUL = guards.Limits(items_max=1)


def _row(world: World) -> str:
    return next(row.id for row in world.crm.rows() if row.appointment.identity.global_object_id == UID)


def _attach(world: World, name: str = "plan.txt", size: int = 4) -> None:
    world.exchange.attach(ADA, ref(world, UID), name, b"x" * size)


def _detach(world: World, name: str = "plan.txt") -> None:
    world.exchange.detach(ADA, ref(world, UID), name)


def _enter(world: World, name: str = "plan.txt", size: int = 4) -> None:
    world.crm.add_file(_row(world), name, b"x" * size, by="ada")


def _take_off(world: World, name: str = "plan.txt") -> None:
    world.crm.remove_file(_row(world), name, by="ada")


def _item(world: World) -> None:
    meeting = item(UID, at(11), organizer=Address(ADA), attendees=(Attendee("eve@elsewhere.example"),))
    add(world, meeting)


def _made(world: World) -> None:
    _item(world)
    run_all(world)


def _with_file(world: World) -> None:
    _item(world)
    _attach(world)
    run_all(world)


def _removals_held(world: World) -> None:
    """Three items lose their file in Outlook, which is asked about."""
    uids = ("one", "two", "three")
    for number, uid in enumerate(uids):
        add(world, item(uid, at(11 + number)))
        world.exchange.attach(ADA, ref(world, uid), "plan.txt", b"plan")
    run_all(world)
    for uid in uids:
        world.exchange.detach(ADA, ref(world, uid), "plan.txt")
    for _ in range(2):
        run_all(world)


def _new_item(world: World) -> None:
    _item(world)
    _attach(world)
    _attach(world, "notes.txt", 5)


def _new_row(world: World) -> None:
    world.crm.enter(replace(item(UID, at(11), organizer=Address(ADA)), categories=()), owner="ada")
    _enter(world)
    world.tracked_once.add(UID)


def _replace_in_outlook(world: World) -> None:
    _detach(world)
    _attach(world, size=7)
    edit(world, UID, subject="Another")


def _replace_in_crm(world: World) -> None:
    _take_off(world)
    _enter(world, size=9)
    _enter(world, "notes.txt", 5)


def _replace_in_both(world: World) -> None:
    _detach(world)
    _attach(world, size=7)
    _take_off(world)
    _enter(world, size=9)


def _refused(world: World) -> None:
    _attach(world, "setup.exe")
    _attach(world, "large.txt", 1_001)
    _attach(world, "notes.txt", 5)


def _delete(world: World) -> None:
    _attach(world, "notes.txt", 5)
    world.exchange.delete(ADA, ref(world, UID))


def _yes(world: World) -> None:
    world.answer(world.questions()[0], "yes")


def _no(world: World) -> None:
    world.answer(world.questions()[0], "no")


def _flow(name: str, prepare: Deed, happens: Deed, afterwards: Deed | None = None, **rules: object) -> Flow:
    mine = replace(RULES, **rules)
    return Flow(f"files: {name}", prepare, happens, rules=mine, afterwards=afterwards)


FLOWS_FILES: tuple[Flow, ...] = (
    _flow("new item with files", run_all, _new_item),
    _flow("new row with a file", run_all, _new_row),
    _flow("added in Outlook", _made, _attach),
    _flow("added in the CRM", _made, _enter),
    _flow("removed in Outlook", _with_file, _detach),
    _flow("removed in the CRM", _with_file, _take_off),
    _flow("replaced in Outlook", _with_file, _replace_in_outlook),
    _flow("replaced in the CRM", _with_file, _replace_in_crm),
    _flow("replaced in both, Exchange wins", _with_file, _replace_in_both),
    _flow("replaced in both, the CRM wins", _with_file, _replace_in_both, winner=Winner.CRM),
    _flow("refused", _made, _refused),
    _flow("deleted with files", _with_file, _delete),
    _flow("added in Outlook, removed there again", _made, _attach, _detach),
    _flow("added in the CRM, removed there again", _made, _enter, _take_off),
    _flow("removed in Outlook, added there again", _with_file, _detach, _attach),
    _flow("removed in the CRM, added there again", _with_file, _take_off, _enter),
    _flow("many removals, yes", _removals_held, _yes, limits=_CAREFUL),
    _flow("many removals, no", _removals_held, _no, limits=_CAREFUL),
    _flow("in Outlook alone", _made, _attach, outgoing=False),
)
