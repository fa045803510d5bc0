"""What people do on the Calendar page that has to reach Exchange, chosen by the world's generator.

Each act is a row of `ACTS`, as in `people`: how often it happens, and what is done; it returns what happened in words,
or None when there was nothing to act on. The module must not know the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from syncline.connectors.memory import Item
from syncline.core.appointment import (
    Address,
    Appointment,
    Identity,
    Importance,
    Pattern,
    PatternKind,
    Recurrence,
    Sensitivity,
    ShowAs,
    Span,
    Status,
)
from syncline.core.recurrence import occurrences
from syncline.ports import CrmRow
from syncline.simulation.clock import MONDAY
from syncline.simulation.scene import OUTSIDER, Scene, guests, new_appointment, some_span

_DAY = timedelta(days=1)
_CLOSED = (Status.COMPLETED, Status.CANCELED)
Act = Callable[[Scene], str | None]


def act(scene: Scene) -> str:
    """Let somebody do something in the CRM and return it in words."""
    for _ in range(10):
        told = scene.rng.choices(_DEEDS, weights=_WEIGHTS)[0](scene)
        if told is not None:
            return told
    return "nobody did anything in the CRM"


# --- entering ----------------------------------------------------------------------------------------------------


def _enter_single(scene: Scene) -> str:
    return _entered(scene, some_span(scene), None)


def _enter_series(scene: Scene) -> str:
    span = some_span(scene)
    first, rng = span.start.date(), scene.rng
    kind = rng.choice((PatternKind.DAILY, PatternKind.WEEKLY, PatternKind.MONTHLY_DAY))
    weekdays = (span.start.weekday(),) if kind is PatternKind.WEEKLY else ()
    day = span.start.day if kind is PatternKind.MONTHLY_DAY else 0
    pattern = Pattern(kind=kind, interval=rng.choice((1, 1, 2)), weekdays=weekdays, day=day)
    if rng.random() < 0.3:
        return _entered(scene, span, Recurrence(pattern=pattern, first=first, until=first + timedelta(days=9)))
    return _entered(scene, span, Recurrence(pattern=pattern, first=first, count=rng.randint(2, 5)))


def _entered(scene: Scene, span: Span, recurrence: Recurrence | None) -> str:
    """Somebody fills in the form: his own meeting mostly, now and then one of another's, or without organizer."""
    user = scene.rng.choice(scene.crm.users())
    address = user.emails[0]
    fresh = new_appointment(scene, address, span, prefix="crm")
    chance = scene.rng.random()
    organizer = None if chance < 0.05 else Address(OUTSIDER) if chance < 0.1 else Address(address)
    fresh = replace(fresh, organizer=organizer, attendees=guests(scene, address), categories=(), recurrence=recurrence)
    row_id = scene.crm.enter(fresh, owner=user.name)
    people = ", ".join(each.address for each in fresh.attendees) or "nobody"
    repeated = f", {recurrence.pattern.kind.value}" if recurrence else ""
    by = organizer.address if organizer else "nobody"
    return f"{user.name} enters {_name(fresh)} as {row_id} at {_when(span)}{repeated} by {by} with {people}"


# --- changing ----------------------------------------------------------------------------------------------------


def _edit_text(scene: Scene) -> str | None:
    row = _row(scene)
    if row is None:
        return None
    field = scene.rng.choice(("subject", "location", "description"))
    _edit(scene, row, **{field: f"CRM {field} {scene.rng.randint(1, 99)}"})
    return f"somebody sets the {field} of {_of(row)} in the CRM"


def _edit_marks(scene: Scene) -> str | None:
    row = _row(scene)
    if row is None:
        return None
    field, values = scene.rng.choice(
        (("importance", tuple(Importance)), ("sensitivity", tuple(Sensitivity)), ("show_as", tuple(ShowAs)[:4]))
    )
    value = scene.rng.choice(values)
    _edit(scene, row, **{field: value})
    return f"somebody sets the {field} of {_of(row)} in the CRM to {value.value}"


def _move(scene: Scene) -> str | None:
    row = _row(scene)
    if row is None or row.appointment.recurrence is not None:
        return None
    span = some_span(scene)
    _edit(scene, row, span=span)
    return f"somebody moves {_of(row)} in the CRM to {_when(span)}"


def _invite(scene: Scene) -> str | None:
    row = _row(scene)
    if row is None or row.appointment.organizer is None:
        return None
    people = guests(scene, row.appointment.organizer.address)
    _edit(scene, row, attendees=people)
    return f"somebody invites {', '.join(one.address for one in people) or 'nobody'} to {_of(row)} in the CRM"


def _change_organizer(scene: Scene) -> str | None:
    row = _row(scene)
    if row is None:
        return None
    other = scene.rng.choice(scene.crm.users()).emails[0]
    people = tuple(one for one in row.appointment.attendees if one.address != other)
    _edit(scene, row, organizer=Address(other), attendees=people)
    return f"somebody makes {other} the organizer of {_of(row)} in the CRM"


def _change_owner(scene: Scene) -> str | None:
    row = _row(scene)
    if row is None:
        return None
    owner = scene.rng.choice(scene.crm.users()).name
    scene.crm.edit(row.id, lambda one: one, by="ada", owner=owner)
    return f"somebody makes {owner} the owner of {_of(row)} in the CRM"


# --- series ------------------------------------------------------------------------------------------------------


def _move_series(scene: Scene) -> str | None:
    row = _row(scene, series=True)
    if row is None:
        return None
    old = row.appointment.span
    start = old.start.replace(hour=scene.rng.randint(9, 13)) if not old.all_day else old.start
    span = replace(old, start=start, end=start + (old.end - old.start))
    _edit(scene, row, span=span, exceptions=(), deleted=())
    return f"somebody moves series {_of(row)} in the CRM to {_when(span)}"


def _shorten_series(scene: Scene) -> str | None:
    row = _row(scene, series=True)
    if row is None or row.appointment.recurrence is None:
        return None
    recurrence = replace(row.appointment.recurrence, count=scene.rng.randint(2, 5), until=None)
    _edit(scene, row, recurrence=recurrence, exceptions=(), deleted=())
    return f"somebody lets {_of(row)} end after {recurrence.count} times in the CRM"


def _change_date(scene: Scene) -> str | None:
    """Somebody moves one date of a series, or renames it."""
    row = _row(scene, series=True)
    at = _date(scene, row.appointment) if row is not None else None
    if row is None or at is None:
        return None
    series = row.appointment
    identity = Identity(series.identity.global_object_id, at.start)
    values: dict[str, object] = {"subject": f"CRM only this {scene.rng.randint(1, 99)}"}
    if scene.rng.random() < 0.6 and not at.all_day:
        hour = at.start.replace(hour=scene.rng.randint(9, 13))
        values = {"span": Span(hour, hour + (at.end - at.start))}
    part = replace(series, identity=identity, span=at, recurrence=None, exceptions=(), deleted=())
    part = replace(part, **values)
    parts = sorted((*series.exceptions, part), key=lambda one: one.identity)
    _edit(scene, row, exceptions=tuple(parts))
    return f"somebody changes the {', '.join(values)} of the date {_when(at)} of {_of(row)} in the CRM"


def _restore_date(scene: Scene) -> str | None:
    """Somebody takes back what was changed in one date of a series, or its deletion."""
    row = _row(scene, series=True)
    if row is None or not (row.appointment.exceptions or row.appointment.deleted):
        return None
    series = row.appointment
    if series.exceptions and (not series.deleted or scene.rng.random() < 0.5):
        gone = scene.rng.choice(series.exceptions)
        _edit(scene, row, exceptions=tuple(one for one in series.exceptions if one != gone))
    else:
        back = scene.rng.choice(series.deleted)
        _edit(scene, row, deleted=tuple(one for one in series.deleted if one != back))
    return f"somebody makes one date of {_of(row)} as the others again in the CRM"


def _delete_date(scene: Scene) -> str | None:
    row = _row(scene, series=True)
    at = _date(scene, row.appointment) if row is not None else None
    if row is None or at is None:
        return None
    _edit(scene, row, deleted=tuple(sorted((*row.appointment.deleted, at.start))))
    return f"somebody deletes the date {_when(at)} of {_of(row)} in the CRM"


# --- ending, and both sides --------------------------------------------------------------------------------------


def _remove(scene: Scene) -> str | None:
    rows = scene.crm.rows()
    if not rows:
        return None
    row = scene.rng.choice(rows)
    scene.crm.remove(row.id)
    return f"somebody deletes {_of(row)} in the CRM"


def _close(scene: Scene) -> str | None:
    row = _row(scene)
    if row is None:
        return None
    close, word = scene.rng.choice(((scene.crm.complete, "completes"), (scene.crm.cancel, "cancels")))
    close(row.id, by="ada")
    return f"somebody {word} {_of(row)} in the CRM"


def _edit_both(scene: Scene) -> str | None:
    """The same item is edited on both sides, in the same field or in two."""
    pairs = [
        (row, address, item)
        for row in _open(scene)
        for address in scene.exchange.addresses()
        for item in scene.exchange.items(address)
        if item.appointment.identity == row.appointment.identity and _organizes(address, item)
    ]
    if not pairs:
        return None
    row, address, item = scene.rng.choice(pairs)
    here, there = (scene.rng.choice(("subject", "location", "description")) for _ in range(2))
    text = f"{scene.rng.randint(1, 99)}"
    _edit(scene, row, **{here: f"CRM {text}"})
    if scene.rng.random() < 0.2:
        scene.exchange.delete(address, item.ref)
        return f"somebody sets the {here} of {_of(row)} in the CRM, and {address} deletes it"
    values = {there: f"Outlook {text}"}
    scene.exchange.edit(address, item.ref, lambda one: replace(one, **values))
    return f"somebody sets the {here} of {_of(row)} in the CRM, and {address} the {there}"


def _remove_all(scene: Scene) -> str | None:
    """Somebody deletes everything that one person organizes."""
    address = scene.rng.choice(scene.exchange.addresses())
    rows = [
        one for one in scene.crm.rows() if one.appointment.organizer and one.appointment.organizer.address == address
    ]
    for row in rows:
        scene.crm.remove(row.id)
    return f"somebody deletes all {len(rows)} rows of {address} in the CRM" if rows else None


ACTS: tuple[tuple[float, Act], ...] = (
    (12, _enter_single),
    (5, _enter_series),
    (10, _edit_text),
    (4, _edit_marks),
    (8, _move),
    (4, _invite),
    (0.7, _change_organizer),
    (2, _change_owner),
    (2, _move_series),
    (1, _shorten_series),
    (5, _change_date),
    (1, _restore_date),
    (3, _delete_date),
    (4, _remove),
    (3, _close),
    (7, _edit_both),
    (0.7, _remove_all),
)
_DEEDS = tuple(deed for _, deed in ACTS)
_WEIGHTS = tuple(weight for weight, _ in ACTS)


# --- choosing ----------------------------------------------------------------------------------------------------


def _open(scene: Scene) -> list[CrmRow]:
    return [row for row in scene.crm.rows() if row.status not in _CLOSED]


def _row(scene: Scene, *, series: bool = False) -> CrmRow | None:
    rows = [row for row in _open(scene) if not series or row.appointment.recurrence is not None]
    return scene.rng.choice(rows) if rows else None


def _edit(scene: Scene, row: CrmRow, **values: object) -> None:
    scene.crm.edit(row.id, lambda one: replace(one, **values), by="ada")


def _date(scene: Scene, series: Appointment) -> Span | None:
    """Return the span by pattern of one date that is neither changed nor deleted."""
    found = [one.span for one in occurrences(series, MONDAY - _DAY, MONDAY + 90 * _DAY) if one.exception is None]
    return scene.rng.choice(found) if found else None


def _organizes(address: str, item: Item) -> bool:
    organizer = item.appointment.organizer
    return organizer is None or organizer.address == address


def _name(appointment: Appointment) -> str:
    return appointment.identity.global_object_id


def _of(row: CrmRow) -> str:
    return f"{_name(row.appointment)} ({row.id})"


def _when(span: Span) -> str:
    return f"{span.start:%a %H:%M}" + (" all day" if span.all_day else "")
