"""What people do in a simulated world, on both sides, chosen by the world's generator.

Each act is a row of `ACTS`: how often it happens, and what is done; it returns what happened in words, or None when
there was nothing to act on. The module must not know the engine: people see Outlook and the Calendar page only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from syncline.connectors.memory import Item
from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Pattern,
    PatternKind,
    Recurrence,
    Response,
    Sensitivity,
    ShowAs,
    Span,
    Status,
)
from syncline.core.recurrence import occurrences
from syncline.simulation.clock import MONDAY
from syncline.simulation.conduct import CATEGORY
from syncline.simulation.scene import Scene, guests, new_appointment, some_categories, some_span

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_CLOSED = (Status.COMPLETED, Status.CANCELED)


Act = Callable[[Scene], str | None]


def act(scene: Scene) -> str:
    """Let somebody do something and return it in words."""
    for _ in range(20):
        deed = scene.rng.choices(_DEEDS, weights=_WEIGHTS)[0]
        told = deed(scene)
        if told is not None:
            _remember(scene)
            return told
    return "nobody did anything"


def act_on_series(scene: Scene) -> str:
    """Let somebody do something with a series or in its way, and return it in words."""
    weights, deeds = zip(*SERIES_ACTS, strict=True)
    told = scene.rng.choices(deeds, weights=weights)[0](scene)
    _remember(scene)
    return told or "nobody did anything"


def fill_days(scene: Scene) -> str:
    """Let everybody be busy at two hours of each of four days, and enter series of an hour at the same hours."""
    for user in scene.crm.users():
        for day in range(4):
            for hour in scene.rng.sample(range(9, 13), 2):
                start = MONDAY.replace(hour=hour) + day * _DAY
                appointment = new_appointment(scene, user.emails[0], Span(start, start + _HOUR), prefix="crm")
                plain = replace(appointment, categories=(), attendees=(), show_as=ShowAs.BUSY)
                scene.crm.create(replace(plain, organizer=Address(user.emails[0])), owner=user.name)
        _add_series(scene)
    _remember(scene)
    return "everybody has a full week"


# --- making ------------------------------------------------------------------------------------------------------


def _add_single(scene: Scene) -> str:
    address = _somebody(scene)
    appointment = new_appointment(scene, address, some_span(scene))
    scene.exchange.add(address, appointment)
    return f"{address} adds {_name(appointment)} at {_when(appointment.span)} {appointment.show_as.value}"


def _add_series(scene: Scene) -> str:
    address = _somebody(scene)
    span = some_span(scene)
    kind = scene.rng.choice((PatternKind.DAILY, PatternKind.WEEKLY))
    weekdays = (span.start.weekday(),) if kind is PatternKind.WEEKLY else ()
    pattern = Pattern(kind=kind, interval=scene.rng.choice((1, 1, 2)), weekdays=weekdays)
    recurrence = Recurrence(pattern=pattern, first=span.start.date(), count=scene.rng.randint(2, 5))
    appointment = replace(new_appointment(scene, address, span), recurrence=recurrence)
    scene.exchange.add(address, appointment)
    return f"{address} adds series {_name(appointment)} from {_when(span)}, {recurrence.count} times {kind.value}"


def _invite_to_one_occurrence(scene: Scene) -> str | None:
    """Somebody is invited to one occurrence of another's series only: a single with the series' id."""
    found = _series(scene)
    if found is None:
        return None
    _, item = found
    at = _occurrence(scene, item.appointment)
    others = [one for one in scene.exchange.addresses() if not _holds(scene, one, item.appointment.identity)]
    if at is None or not others:
        return None
    address = scene.rng.choice(others)
    identity = Identity(item.appointment.identity.global_object_id, at.start)
    if _holds(scene, address, identity):
        return None
    orphan = replace(
        item.appointment,
        identity=identity,
        span=at,
        recurrence=None,
        exceptions=(),
        deleted=(),
        response=Response.ACCEPTED,
        attendees=(Attendee(address),),
        categories=some_categories(scene),
    )
    scene.exchange.add(address, orphan, send=False)
    return f"{address} gets one occurrence of {_name(item.appointment)} at {_when(at)}"


# --- changing ----------------------------------------------------------------------------------------------------


def _edit_text(scene: Scene) -> str | None:
    found = _item(scene)
    if found is None:
        return None
    address, item = found
    field = scene.rng.choice(("subject", "location", "description"))
    text = f"{field} {scene.rng.randint(1, 99)}"
    scene.exchange.edit(address, item.ref, lambda one: replace(one, **{field: text}))
    return f"{address} sets the {field} of {_name(item.appointment)}"


def _move_time(scene: Scene) -> str | None:
    found = _own(scene)
    if found is None or found[1].appointment.recurrence is not None:
        return None
    address, item = found
    span = some_span(scene)
    scene.exchange.edit(address, item.ref, lambda one: replace(one, span=span))
    return f"{address} moves {_name(item.appointment)} to {_when(span)}"


def _move_series(scene: Scene) -> str | None:
    """A series gets another hour: its exceptions are lost, as in Outlook."""
    found = _series(scene)
    if found is None:
        return None
    address, item = found
    old = item.appointment.span
    start = old.start.replace(hour=scene.rng.randint(9, 13))
    span = replace(old, start=start, end=start + (old.end - old.start))
    scene.exchange.edit(address, item.ref, lambda one: replace(one, span=span, exceptions=(), deleted=()))
    return f"{address} moves series {_name(item.appointment)} to {_when(span)}"


def _show_as(scene: Scene) -> str | None:
    found = _item(scene)
    if found is None:
        return None
    address, item = found
    shown = scene.rng.choice(tuple(ShowAs))
    scene.exchange.edit(address, item.ref, lambda one: replace(one, show_as=shown), send=False)
    return f"{address} shows {_name(item.appointment)} as {shown.value}"


def _make_private(scene: Scene) -> str | None:
    found = _item(scene)
    if found is None:
        return None
    address, item = found
    scene.exchange.edit(address, item.ref, lambda one: replace(one, sensitivity=Sensitivity.PRIVATE), send=False)
    return f"{address} makes {_name(item.appointment)} private"


def _invite(scene: Scene) -> str | None:
    found = _own(scene)
    if found is None:
        return None
    address, item = found
    people = guests(scene, address)
    if not people:
        return None
    scene.exchange.edit(address, item.ref, lambda one: replace(one, attendees=people))
    return f"{address} invites {', '.join(person.address for person in people)} to {_name(item.appointment)}"


def _move_occurrence(scene: Scene) -> str | None:
    found = _series(scene)
    at = _occurrence(scene, found[1].appointment) if found is not None else None
    if found is None or at is None:
        return None
    address, item = found
    hour = at.start.replace(hour=scene.rng.randint(9, 13))
    to = replace(at, start=hour, end=hour + (at.end - at.start))
    scene.exchange.edit_occurrence(address, item.ref, at, lambda one: replace(one, span=to))
    return f"{address} moves the occurrence {_when(at)} of {_name(item.appointment)} to {_when(to)}"


def _edit_occurrence(scene: Scene) -> str | None:
    found = _series(scene)
    at = _occurrence(scene, found[1].appointment) if found is not None else None
    if found is None or at is None:
        return None
    address, item = found
    text = f"only this one {scene.rng.randint(1, 99)}"
    scene.exchange.edit_occurrence(address, item.ref, at, lambda one: replace(one, subject=text))
    return f"{address} renames the occurrence {_when(at)} of {_name(item.appointment)}"


def _delete_occurrence(scene: Scene) -> str | None:
    found = _series(scene)
    at = _occurrence(scene, found[1].appointment) if found is not None else None
    if found is None or at is None:
        return None
    address, item = found
    scene.exchange.delete_occurrence(address, item.ref, at)
    return f"{address} deletes the occurrence {_when(at)} of {_name(item.appointment)}"


# --- ending ------------------------------------------------------------------------------------------------------


def _delete(scene: Scene) -> str | None:
    found = _item(scene)
    if found is None:
        return None
    address, item = found
    scene.exchange.delete(address, item.ref)
    return f"{address} deletes {_name(item.appointment)}"


def _cancel(scene: Scene) -> str | None:
    found = _own(scene)
    if found is None or not found[1].appointment.attendees:
        return None
    address, item = found
    scene.exchange.cancel(address, item.ref)
    return f"{address} calls {_name(item.appointment)} off"


def _cancel_in_place(scene: Scene) -> str | None:
    """A cancellation from outside leaves the item in the calendar, cancelled."""
    found = _item(scene)
    if found is None or found[1].appointment.canceled:
        return None
    address, item = found
    scene.exchange.edit(address, item.ref, lambda one: replace(one, canceled=True, show_as=ShowAs.FREE), send=False)
    return f"{_name(item.appointment)} of {address} arrives cancelled"


def _untrack(scene: Scene) -> str | None:
    found = _item(scene)
    if found is None or not found[1].appointment.categories:
        return None
    address, item = found
    scene.exchange.set_categories(address, item.ref, ())
    return f"{address} untracks {_name(item.appointment)}"


def _track(scene: Scene) -> str | None:
    found = _item(scene)
    if found is None or found[1].appointment.categories:
        return None
    address, item = found
    scene.exchange.set_categories(address, item.ref, (CATEGORY,))
    return f"{address} tracks {_name(item.appointment)}"


def _respond(scene: Scene) -> str | None:
    address = _somebody(scene)
    invited = [
        item
        for item in scene.exchange.items(address)
        if item.appointment.response is Response.NONE and item.appointment.attendees and not item.appointment.canceled
    ]
    if not invited:
        return None
    item = scene.rng.choice(invited)
    response = scene.rng.choice((Response.ACCEPTED, Response.ACCEPTED, Response.TENTATIVE, Response.DECLINED))
    scene.exchange.respond(address, item.ref, response, new_ref=scene.rng.random() < 0.5)
    return f"{address} answers {_name(item.appointment)}: {response.value}"


# --- the server --------------------------------------------------------------------------------------------------


def _move_folder(scene: Scene) -> str | None:
    found = _item(scene)
    if found is None:
        return None
    address, item = found
    folders = [ref for ref in scene.exchange.store(address).folders if ref != item.folder]
    scene.exchange.move(address, item.ref, scene.rng.choice(folders))
    return f"{address} moves {_name(item.appointment)} to another folder"


def _remove_folder(scene: Scene) -> str | None:
    address = _somebody(scene)
    folders = [folder for folder in scene.exchange.store(address).folders.values() if not folder.main]
    if not folders:
        return None
    scene.exchange.remove_folder(address, folders[0].ref)
    scene.exchange.add_folder(address, folders[0].name)
    return f"{address} deletes a folder and makes another of the same name"


def _copy(scene: Scene) -> str | None:
    found = _item(scene)
    if found is None:
        return None
    address, item = found
    scene.exchange.copy(address, item.ref)
    return f"{address} copies {_name(item.appointment)}"


def _touch(scene: Scene) -> str | None:
    found = _item(scene)
    if found is None:
        return None
    address, item = found
    scene.exchange.touch(address, item.ref)
    return f"the server processes {_name(item.appointment)} of {address}"


# --- the CRM -----------------------------------------------------------------------------------------------------


def _create_row(scene: Scene) -> str:
    name = scene.rng.choice([user.name for user in scene.crm.users()])
    appointment = new_appointment(scene, f"{name}@example.org", some_span(scene), prefix="crm")
    appointment = replace(appointment, categories=(), attendees=())
    row_id = scene.crm.create(appointment, owner=name)
    return f"{name} creates {row_id} in the CRM at {_when(appointment.span)}"


def _edit_row(scene: Scene) -> str | None:
    rows = [row for row in scene.crm.rows() if row.status not in _CLOSED]
    if not rows:
        return None
    row = scene.rng.choice(rows)
    if scene.rng.random() < 0.5 or row.appointment.recurrence is not None:
        scene.crm.edit(row.id, lambda one: replace(one, subject=f"CRM {scene.rng.randint(1, 99)}"), by="ada")
        return f"ada renames {row.id} in the CRM"
    span = some_span(scene)
    scene.crm.edit(row.id, lambda one: replace(one, span=span), by="ada")
    return f"ada moves {row.id} in the CRM to {_when(span)}"


def shake_rows(scene: Scene) -> str:
    """Edit about half of the open rows, so that whoever is about to write them comes too late."""
    rows = [row for row in scene.crm.rows() if row.status not in _CLOSED and scene.rng.random() < 0.5]
    for row in rows:
        scene.crm.edit(row.id, lambda one: replace(one, location=f"CRM {scene.rng.randint(1, 99)}"), by="ada")
    return f"ada edits {len(rows)} rows in the CRM"


def shake_items(scene: Scene) -> str:
    """Edit about half of the items that their owners organize, so that whoever writes them comes too late."""
    number = 0
    for address in scene.exchange.addresses():
        for item in scene.exchange.items(address):
            if item.appointment.response is Response.ORGANIZER and scene.rng.random() < 0.5:
                text = f"Outlook {scene.rng.randint(1, 99)}"
                scene.exchange.edit(address, item.ref, lambda one, said=text: replace(one, location=said))  # type: ignore[misc]
                number += 1
    return f"people edit {number} items in Outlook"


def _close_row(scene: Scene) -> str | None:
    rows = [row for row in scene.crm.rows() if row.status not in _CLOSED]
    if not rows:
        return None
    row = scene.rng.choice(rows)
    close = scene.rng.choice((scene.crm.complete, scene.crm.cancel))
    close(row.id, by="ada")
    return f"ada closes {row.id} in the CRM"


def _remove_row(scene: Scene) -> str | None:
    rows = scene.crm.rows()
    if not rows:
        return None
    row = scene.rng.choice(rows)
    scene.crm.remove(row.id)
    return f"ada deletes {row.id} in the CRM"


# --- many at once ------------------------------------------------------------------------------------------------


def _delete_all(scene: Scene) -> str | None:
    address = _somebody(scene)
    items = scene.exchange.items(address)
    for item in items:
        scene.exchange.delete(address, item.ref)
    return f"{address} deletes all {len(items)} items" if items else None


def _untrack_all(scene: Scene) -> str | None:
    address = _somebody(scene)
    items = [item for item in scene.exchange.items(address) if item.appointment.categories]
    for item in items:
        scene.exchange.set_categories(address, item.ref, ())
    return f"{address} untracks all {len(items)} items" if items else None


def _add_many(scene: Scene) -> str:
    address = _somebody(scene)
    for _ in range(scene.rng.randint(11, 14)):
        scene.exchange.add(address, replace(new_appointment(scene, address, some_span(scene)), categories=(CATEGORY,)))
    return f"{address} adds a lot of items"


ACTS: tuple[tuple[float, Act], ...] = (
    (14, _add_single),
    (5, _add_series),
    (1, _invite_to_one_occurrence),
    (5, _edit_text),
    (13, _move_time),
    (2, _move_series),
    (3, _show_as),
    (1, _make_private),
    (3, _invite),
    (3, _move_occurrence),
    (2, _edit_occurrence),
    (3, _delete_occurrence),
    (4, _delete),
    (4, _cancel),
    (2, _cancel_in_place),
    (3, _untrack),
    (3, _track),
    (7, _respond),
    (2, _move_folder),
    (1, _copy),
    (0.5, _remove_folder),
    (2, _touch),
    (4, _create_row),
    (5, _edit_row),
    (2, _close_row),
    (2, _remove_row),
    (2, _delete_all),
    (1.5, _untrack_all),
    (0.5, _add_many),
)
SERIES_ACTS: tuple[tuple[float, Act], ...] = (
    (4, _add_series),
    (3, _create_row),
    (3, _move_occurrence),
    (1, _edit_occurrence),
    (1, _delete_occurrence),
    (0.5, _move_series),
    (1, _show_as),
    (1, _remove_row),
    (1, _edit_text),
    (0.5, _untrack),
)
_DEEDS = tuple(deed for _, deed in ACTS)
_WEIGHTS = tuple(weight for weight, _ in ACTS)


# --- choosing ----------------------------------------------------------------------------------------------------


def _somebody(scene: Scene) -> str:
    return scene.rng.choice(scene.exchange.addresses())


def _item(scene: Scene) -> tuple[str, Item] | None:
    address = _somebody(scene)
    items = scene.exchange.items(address)
    return (address, scene.rng.choice(items)) if items else None


def _own(scene: Scene) -> tuple[str, Item] | None:
    """Return an item that its owner may move: one that nobody else organizes."""
    address = _somebody(scene)
    items = [item for item in scene.exchange.items(address) if item.appointment.response is Response.ORGANIZER]
    return (address, scene.rng.choice(items)) if items else None


def _series(scene: Scene) -> tuple[str, Item] | None:
    address = _somebody(scene)
    items = [
        item
        for item in scene.exchange.items(address)
        if item.appointment.recurrence is not None and item.appointment.response is Response.ORGANIZER
    ]
    return (address, scene.rng.choice(items)) if items else None


def _occurrence(scene: Scene, series: Appointment) -> Span | None:
    """Return the span by pattern of one occurrence that is neither moved nor deleted."""
    found = [one.span for one in occurrences(series, MONDAY - _DAY, MONDAY + 90 * _DAY) if one.exception is None]
    return scene.rng.choice(found) if found else None


def _holds(scene: Scene, address: str, identity: Identity) -> bool:
    return any(item.appointment.identity == identity for item in scene.exchange.items(address))


def _name(appointment: Appointment) -> str:
    return appointment.identity.global_object_id


def _when(span: Span) -> str:
    return f"{span.start:%a %H:%M}" + (" all day" if span.all_day else "")


def _remember(scene: Scene) -> None:
    """Remember every identity that is tracked now: only such may ever reach the CRM."""
    for address in scene.exchange.addresses():
        everything = address in scene.track_all
        for item in scene.exchange.items(address):
            if everything or CATEGORY in item.appointment.categories:
                scene.tracked.add(item.appointment.identity.global_object_id)
