"""Settings as people see and change them on the Settings page: the table of config.py with what stands now.

A change is kept in the state and counts from the next start of a process. What the file or the environment sets is
shown and cannot be changed here: they win. Only a System Administrator may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncline.config import SETTINGS, Value, value_of, with_values
from syncline.desk.reading import Viewer, require_administrator
from syncline.errors import SyncError

if TYPE_CHECKING:
    from syncline.wiring import App


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingObject:
    """One setting: its name, such as `conflict.check_past`, what it is for, what it takes, and its values."""

    name: str
    text: str
    accepts: str
    value: Value
    default: Value
    changed_to: str | None


def listing(app: App, viewer: Viewer, section: str | None = None) -> list[SettingObject]:
    """Return all settings, or those of one section, in the order of the table."""
    require_administrator(viewer, "see the settings")
    kept = app.store.settings()
    return [
        SettingObject(
            name=name,
            text=row.meant.text,
            accepts=row.accepts,
            value=value_of(app.settings, name),
            default=row.default,
            changed_to=kept.get(name),
        )
        for name, row in SETTINGS.items()
        if section is None or row.section == section
    ]


def change(app: App, viewer: Viewer, values: Mapping[str, str]) -> None:
    """Keep changed settings; SyncError("SettingInvalid") if one is not valid, and nothing is kept then."""
    require_administrator(viewer, "change settings")
    if not values:
        raise SyncError("InvalidRequest", detail="There is nothing to change.")
    with_values(app.settings, values)
    for name, value in values.items():
        app.store.set_setting(name, value)
