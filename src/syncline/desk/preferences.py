"""Preferences: what each person chooses for himself. Everybody changes his own, and nobody another's.

`of` is what mails and pages read. It must not know how a mail is sent or a page is translated.
"""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from syncline.desk import typed
from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.language import LANGUAGES, _
from syncline.store import Mails, Preferences

if TYPE_CHECKING:
    from syncline.wiring import App

__all__ = ["Mails", "Preferences", "chosen", "of", "save", "zone_of"]


def of(app: App, user_name: str) -> Preferences:
    """Return the preferences of a user by sign-in name; the defaults if he has chosen nothing."""
    return app.store.preferences(user_name)


def zone_of(app: App, user_name: str) -> str:
    """Return the IANA zone in which a user reads times; UTC for somebody whom the CRM does not know."""
    user = next(iter(app.crm.users(names=[user_name])), None)
    return user.time_zone if user is not None else "UTC"


def chosen(*, language: str, mails: str, quiet_from: str, quiet_to: str) -> Preferences:
    """Return preferences as typed, times as HH:MM; SyncError("InvalidRequest") says what is wrong."""
    if language and language not in LANGUAGES:
        raise SyncError("InvalidRequest", detail=f"language takes {', '.join(LANGUAGES)} or nothing.")
    if bool(quiet_from.strip()) != bool(quiet_to.strip()):
        raise SyncError("InvalidRequest", detail=_("Quiet hours need both a beginning and an end, or neither."))
    begin, end = _time(quiet_from), _time(quiet_to)
    if begin is not None and begin == end:
        raise SyncError("InvalidRequest", detail=_("Quiet hours must not begin and end at the same time."))
    return Preferences(language=language, mails=typed.word(Mails, mails, "mails"), quiet_from=begin, quiet_to=end)


def save(app: App, viewer: Viewer, wanted: Preferences, *, time_zone: str | None = None) -> None:
    """Keep the viewer's own preferences and, if given, his time zone in the CRM."""
    zone = None if time_zone is None else typed.zone(time_zone)
    app.store.set_preferences(viewer.name, wanted)
    if zone is not None and app.crm.users(names=[viewer.name]):
        app.crm.set_user(viewer.name, time_zone=zone)


def _time(text: str) -> time | None:
    if not text.strip():
        return None
    try:
        return time.fromisoformat(text.strip()).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError as error:
        raise SyncError(
            "InvalidRequest", detail=_("%(text)s is not a time of day; give HH:MM.", text=repr(text))
        ) from error
