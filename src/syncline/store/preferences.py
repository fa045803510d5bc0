"""What each person has chosen for himself: language, mails and quiet hours; everything has a default.

It must not know what anybody does with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import insert, select, update

from syncline.errors import SyncError
from syncline.store.connection import Connected
from syncline.store.schema import account, preference


class Mails(StrEnum):
    """How questions come by mail: each by itself, gathered, or not at all."""

    EACH = "each"
    DIGEST = "digest"
    OFF = "off"


class Preferences(Struct, frozen=True, kw_only=True):
    """What one person has chosen. `language` is a code ("" follows the browser); quiet hours are his own wall clock."""

    language: str = ""
    mails: Mails = Mails.DIGEST
    quiet_from: time | None = None
    quiet_to: time | None = None

    def quiet(self, wall_clock: time) -> bool:
        """Return whether no mail should come now; the end is not quiet any more, and hours may pass midnight."""
        if self.quiet_from is None or self.quiet_to is None:
            return False
        now = wall_clock.replace(tzinfo=None)
        if self.quiet_from <= self.quiet_to:
            return self.quiet_from <= now < self.quiet_to
        return now >= self.quiet_from or now < self.quiet_to


_COLUMNS = (preference.c.language, preference.c.mails, preference.c.quiet_from, preference.c.quiet_to)


class PreferencesKept(Connected):
    """The preferences of accounts, by sign-in name."""

    def preferences(self, name: str) -> Preferences:
        """Return what somebody has chosen, or the defaults (for somebody unknown, too)."""
        return self.all_preferences((name,)).get(name, Preferences())

    def all_preferences(self, names: tuple[str, ...] | None = None) -> Mapping[str, Preferences]:
        """Return what these people (None: everybody) have chosen; who has chosen nothing is left out."""
        query = select(account.c.name, *_COLUMNS).join(preference, preference.c.account_id == account.c.id)
        if names is not None:
            query = query.where(account.c.name.in_(names))
        with self.reading() as connection:
            return {row["name"]: _preferences(row) for row in connection.execute(query).mappings()}

    def set_preferences(self, name: str, value: Preferences) -> None:
        """Keep what somebody has chosen; SyncError("NotFoundHere") if he has no account."""
        values = {
            "language": value.language,
            "mails": value.mails.value,
            "quiet_from": _text(value.quiet_from),
            "quiet_to": _text(value.quiet_to),
        }
        with self.writing() as connection:
            number = connection.scalar(select(account.c.id).where(account.c.name == name))
            if number is None:
                raise SyncError("NotFoundHere", detail=f"account {name}")
            mine = update(preference).where(preference.c.account_id == number).values(values)
            if connection.execute(mine).rowcount == 0:
                connection.execute(insert(preference).values(account_id=number, **values))


def _preferences(row: Mapping[Any, Any]) -> Preferences:
    return Preferences(
        language=row["language"],
        mails=Mails(row["mails"]),
        quiet_from=_time(row["quiet_from"]),
        quiet_to=_time(row["quiet_to"]),
    )


def _text(value: time | None) -> str | None:
    return None if value is None else value.isoformat("minutes")


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)
