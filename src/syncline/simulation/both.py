"""Worlds in which both sides are partners: their settings, and what people do that has to reach Exchange.

Such a world has its own generator for its settings, so that the others stay what they are. It must not know the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from syncline.core.filters import Condition, Field, Part, SyncFilter
from syncline.core.guards import Invitations
from syncline.core.merging import Winner
from syncline.core.pushing import Direction
from syncline.simulation import crm_people
from syncline.simulation.scene import Scene
from syncline.simulation.world import Setting, World

SHARE = 0.5
IN_CRM = 0.55
_WORLDLY = 0.08
_INVITATIONS = (Invitations(), Invitations(), Invitations(mails_max=3), Invitations(domains=("example.org",)))
_DIRECTIONS = (Direction.BOTH, Direction.BOTH, Direction.TO_CRM, Direction.TO_EXCHANGE, Direction.NONE)


def partners(rng: Random, setting: Setting) -> Setting:
    """Let the CRM's changes go to Exchange in a share of the worlds, each under other settings."""
    if rng.random() >= SHARE:
        return setting
    rules = setting.rules
    asks = rng.random() < 0.4
    flows = rng.random() < 0.2
    names = ("subject", "location", "description")
    pushing = replace(
        rules.pushing,
        distinct_deletes=rng.random() < 0.7,
        propagate_cancellations=rng.random() < 0.4,
        ask_before_overruling=asks,
        directions={name: rng.choice(_DIRECTIONS) for name in names} if flows else {},
    )
    changed = replace(
        rules,
        outgoing=True,
        pushing=pushing,
        policy=replace(rules.policy, ask_before_overruling=asks),
        invitations=rng.choice(_INVITATIONS),
        winner=rng.choice(tuple(Winner)),
        limits=replace(rules.limits, creations_max=rng.choice((100, 100, 4))),
    )
    return replace(setting, rules=changed)


def act(world: World, scene: Scene) -> str | None:
    """Let somebody do something in the CRM, or with what stands around it; None leaves it to the people in Outlook."""
    if not world.setting.rules.outgoing or scene.rng.random() >= IN_CRM:
        return None
    if scene.rng.random() < _WORLDLY:
        return scene.rng.choice(_WORLD)(world, scene)
    return crm_people.act(scene)


def _switch_filter(world: World, scene: Scene) -> str:
    known = [each for each in world.store.filters() if not each.template]
    chosen = scene.rng.choice(known)
    changed = world.store.change_filter(chosen.id, lambda one: replace(one, enabled=not one.enabled), world.clock.now())
    return f"{chosen.user or 'everybody'} switches the filter {chosen.name!r} {'on' if changed.enabled else 'off'}"


def _add_filter(world: World, scene: Scene) -> str:
    user = scene.rng.choice(scene.crm.users()).name
    condition = scene.rng.choice(
        (
            Condition(field=Field.PART, words=(Part.OWNER,)),
            Condition(field=Field.PART, words=(Part.OPTIONAL,)),
            Condition(field=Field.SUBJECT, words=("CRM",)),
            Condition(field=Field.SUBJECT, words=("Subject",), negated=True),
        )
    )
    made = SyncFilter(name=f"{condition.field} {condition.words}", user=user, conditions=(condition,))
    world.store.add_filter(made, world.clock.now())
    return f"{user} adds the filter {made.name!r}"


def _back_up(world: World, _: Scene) -> str:
    world.backup = world.crm.back_up()
    return "somebody backs the CRM up"


def _restore(world: World, _: Scene) -> str | None:
    """The CRM is restored, from an old backup or from one just made, which only makes its cursors unknown."""
    old, world.backup = world.backup, None
    world.crm.restore(old or world.crm.back_up())
    world.diary.forget()
    return f"somebody restores the CRM from {'an old' if old else 'a fresh'} backup"


def _keep_mailbox(world: World, scene: Scene) -> str:
    address = scene.rng.choice(world.exchange.addresses())
    world.kept[address] = world.exchange.back_up(address)
    return f"somebody backs {address} up"


def _restore_mailbox(world: World, scene: Scene) -> str | None:
    """A mailbox is restored: what it loses by that was deleted by nobody."""
    if not world.kept:
        return None
    address = scene.rng.choice(sorted(world.kept))
    before = {item.appointment.identity for item in world.exchange.items(address)}
    world.exchange.restore(world.kept.pop(address))
    after = {item.appointment.identity for item in world.exchange.items(address)}
    world.ledger.lost |= {(address, identity) for identity in before - after}
    world.diary.forget()
    return f"somebody restores {address} from a backup"


def _expire(world: World, scene: Scene) -> str:
    address = scene.rng.choice(world.exchange.addresses())
    world.exchange.expire_cursors(address)
    return f"the server forgets the cursors of {address}"


def jump(world: World, scene: Scene) -> str:
    """Somebody sets the clock of the machine, by an hour or a day, forward or back."""
    seconds = scene.rng.choice((-86_400, -86_400, 86_400, 86_400, -3600, 3600))
    world.clock.advance(seconds)
    return f"somebody sets the clock {'back' if seconds < 0 else 'forward'} by {abs(seconds) // 3600} hours"


_WORLD: tuple[Callable[[World, Scene], str | None], ...] = (
    _switch_filter, _switch_filter, _switch_filter, _add_filter, _back_up, _restore, _expire, jump, jump,
    _keep_mailbox, _keep_mailbox, _restore_mailbox, _restore_mailbox,
)  # fmt: skip
