"""Email server profiles as people keep them: add, list, test. Only a System Administrator may.

Passwords go in and never come out. It must not know how a server is spoken to: `App.connect` does.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from syncline.desk.objects import ProfileObject
from syncline.desk.reading import Viewer, require_administrator
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.ports import Profile

if TYPE_CHECKING:
    from syncline.wiring import App

NAME_MAX_CHARACTERS = 100
CHOICES: Mapping[str, tuple[str, ...]] = {
    "type": ("exchange",),
    "auth": ("negotiate", "ntlm", "basic"),
    "access": ("impersonation", "delegate", "own"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProfile:
    """What somebody gives to add a profile; `access` None: by impersonation unless a mailbox signs in as itself."""

    name: str
    url: str
    username: str
    password: str | None = field(default=None, repr=False)
    type: str = "exchange"
    auth: str = "negotiate"
    ca_file: str | None = None
    access: str | None = None
    read_only: bool = False
    allow_http: bool = False


def add(app: App, viewer: Viewer, wanted: NewProfile) -> ProfileObject:
    """Check and store a profile."""
    require_administrator(viewer, noted("add profiles"))
    _check(wanted)
    stored = app.store.add_profile(
        Profile(
            name=wanted.name.strip(),
            type=wanted.type,
            url=wanted.url.strip(),
            username=wanted.username.strip(),
            auth=wanted.auth,
            ca_file=wanted.ca_file,
            access=wanted.access or "impersonation",
            read_only=wanted.read_only,
            allow_http=wanted.allow_http,
        )
    )
    if wanted.password is not None:
        app.store.set_password("profile", stored.id, wanted.password)
    return profile_object(stored)


def listing(app: App, viewer: Viewer) -> list[ProfileObject]:
    """Return all profiles by name."""
    require_administrator(viewer, noted("see profiles"))
    return [profile_object(profile) for profile in app.store.profiles()]


def test(app: App, viewer: Viewer, name: str) -> tuple[str, ...]:
    """Try a profile with the first mailbox that uses it and return the names of the steps done (P-03: advice only).

    Raises the SyncError of the step that failed.
    """
    require_administrator(viewer, noted("test profiles"))
    profile = app.store.profile_by_name(name)
    mailbox = next((each for each in app.store.mailboxes() if each.profile_id == profile.id), None)
    if mailbox is None:
        raise SyncError(
            "InvalidRequest", detail=_("No mailbox uses the profile %(name)s yet; add one and test it.", name=name)
        )
    replica = app.connect(mailbox)
    try:
        return replica.probe()
    finally:
        replica.close()


def set_password(app: App, viewer: Viewer, name: str, password: str) -> None:
    """Store another password for a profile."""
    require_administrator(viewer, noted("change profiles"))
    if not password:
        raise SyncError("InvalidRequest", detail=_("The password is empty."))
    app.store.set_password("profile", app.store.profile_by_name(name).id, password)


def profile_object(profile: Profile) -> ProfileObject:
    """Return a profile as people see it."""
    return ProfileObject(**{name: getattr(profile, name) for name in ProfileObject.__dataclass_fields__})


def _check(wanted: NewProfile) -> None:
    if not 0 < len(wanted.name.strip()) <= NAME_MAX_CHARACTERS:
        raise SyncError(
            "InvalidRequest",
            detail=_("A profile needs a name of at most %(most)s characters.", most=NAME_MAX_CHARACTERS),
        )
    if not wanted.username.strip():
        raise SyncError("InvalidRequest", detail=_("A profile needs a user name."))
    for name, choices in CHOICES.items():
        value = getattr(wanted, name)
        if value is not None and value not in choices:
            raise SyncError("InvalidRequest", detail=f"{name} takes {', '.join(choices)}; not {value!r}.")
    if wanted.ca_file is not None and not Path(wanted.ca_file).is_file():
        raise SyncError("InvalidRequest", detail=_("There is no file %(path)s.", path=wanted.ca_file))
    _check_url(wanted)


def _check_url(wanted: NewProfile) -> None:
    try:
        url = urlsplit(wanted.url.strip())
        host, _port = url.hostname, url.port
    except ValueError as error:
        raise SyncError("InvalidRequest", detail=_("%(text)s is not a URL.", text=repr(wanted.url))) from error
    if url.scheme not in ("http", "https") or not host:
        raise SyncError("InvalidRequest", detail=_("%(text)s is not an https address.", text=repr(wanted.url)))
    if url.username is not None or url.password is not None:
        raise SyncError("InvalidRequest", detail=_("Give user name and password apart from the URL."))
    if url.scheme == "http" and not wanted.allow_http and not _loopback(host):
        raise SyncError("HttpRefused", detail=wanted.url)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
