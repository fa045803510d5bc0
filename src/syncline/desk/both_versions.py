"""The two versions of an appointment that both sides changed, field by field, as the viewer may read them.

They are read anew whenever they are shown; what the question itself says is from when it was asked. It must not know
how they are laid out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncline.core.appointment import Appointment
from syncline.core.attachments import BAD_NAME, BLOCKED
from syncline.core.merging import project
from syncline.desk import versions
from syncline.desk.reading import Sight
from syncline.engine.diverging import PRIVATE
from syncline.engine.holding import DIVERGED
from syncline.engine.observing import row_content
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.ports import Alert, Link

if TYPE_CHECKING:
    from syncline.wiring import App

BODY = frozenset({"location", "description", "categories"})
HIDDEN = noted("(not for everybody to read)")
HIDDEN_THEN = noted("a private appointment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One field: its name for people, what Outlook has and what the CRM has."""

    name: str
    outlook: str
    crm: str


def torn_fields(alert: Alert) -> tuple[str, ...]:
    """Return the fields that a question about both sides is about."""
    return tuple(name for name in alert.params.get("fields", "").split(", ") if name)


def pairs(app: App, alert: Alert, link: Link | None, look: Sight, when: versions.When) -> tuple[Pair, ...]:
    """Return both versions of each field that a question is about; nothing if one of them is not there any more."""
    if alert.code != DIVERGED or link is None or link.observed is None or link.crm_id is None:
        return ()
    try:
        row = app.crm.read([link.crm_id]).get(link.crm_id)
    except SyncError:
        return ()
    if row is None:
        return ()
    outlook, crm = project(link.observed, app.parts.rules.private), row_content(row)
    return tuple(
        Pair(name=versions.named(name), outlook=_shown(outlook, name, look, when), crm=_shown(crm, name, look, when))
        for name in torn_fields(alert)
    )


def unnamed(code: str, params: dict[str, str], look: Sight) -> dict[str, str]:
    """Return the words of a notice without the names of files, which who may not read the text may not read either."""
    return params if code not in (BLOCKED, BAD_NAME) or look.body else {**params, "detail": _(HIDDEN)}


def masked(params: dict[str, str], look: Sight, when: versions.When) -> dict[str, str]:
    """Return the words of an alert about fields as its reader says them, and without what is hidden.

    Fields are called as people call them, values are in his language, and `when` words a time in his zone.
    """
    names = [name for name in params.get("fields", "").split(", ") if name]
    if not names:
        return params
    known = {**params, "fields": ", ".join(versions.named(name) for name in names)}
    if "exchange" not in params:
        return known
    known |= {side: _worded(params, side, names, when) for side in ("exchange", "row")}
    if look.masked or (not look.body and BODY & set(names)):
        known |= {"exchange": _(HIDDEN), "row": _(HIDDEN)}
    return known


def _worded(params: dict[str, str], side: str, names: list[str], when: versions.When) -> str:
    """Return one side's values in words; a question that was asked without them keeps the words it has."""
    values = [params.get(f"{side}.{name}") for name in names]
    known = [versions.read(name, value, when) for name, value in zip(names, values, strict=True) if value is not None]
    if len(known) < len(names):
        return _(HIDDEN_THEN) if params[side] == PRIVATE else params[side]
    return "; ".join(known)


def _shown(side: Appointment, name: str, look: Sight, when: versions.When) -> str:
    if look.masked or (name in BODY and not look.body):
        return _(HIDDEN)
    return versions.told(side, name, when)
