"""The settings that a simulation runs under, read from a settings file.

Only the sections that change what the engine does count here; the others are ignored. It must not know how settings are
kept or shown.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from syncline.core.guards import Limits
from syncline.core.merging import PrivatePolicy
from syncline.core.planning import Policy
from syncline.core.scheduling import ConflictPolicy
from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.ports import OnSchedulingConflict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sync:
    on_scheduling_conflict: OnSchedulingConflict = OnSchedulingConflict.ASK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Private:
    policy: PrivatePolicy = PrivatePolicy.IMPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class _Organization:
    track_appointments_from_non_organizer: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sections:
    conflict: ConflictPolicy = field(default_factory=ConflictPolicy)
    sync: _Sync = field(default_factory=_Sync)
    private: _Private = field(default_factory=_Private)
    organization: _Organization = field(default_factory=_Organization)
    guards: Limits = field(default_factory=Limits)


def rules_of(path: Path) -> Rules:
    """Return the rules that a settings file asks for; SyncError("SettingInvalid") if it cannot be read."""
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Sections)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SyncError("SettingInvalid", detail=f"{path}: {error}") from error
    return Rules(
        conflict=found.conflict,
        on_scheduling_conflict=found.sync.on_scheduling_conflict,
        policy=Policy(
            private=found.private.policy,
            track_from_non_organizer=found.organization.track_appointments_from_non_organizer,
        ),
        limits=found.guards,
    )
