"""Users: people who sign in, and at the same time users of the embedded CRM. Only a System Administrator keeps them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncline.desk import typed
from syncline.desk.objects import UserObject
from syncline.desk.reading import AccessRole, Viewer, require_administrator, require_own
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.ports import User
from syncline.store import Account, AccountRole, Slice, Sliced

if TYPE_CHECKING:
    from syncline.wiring import App

NAME_MAX_CHARACTERS = 100
PASSWORD_MIN_CHARACTERS = 8
MADE_UP_BYTES = 12
FOUND_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What somebody gives to add a user; without a password he cannot sign in until one is set."""

    name: str
    emails: tuple[str, ...]
    full_name: str
    role: str = AccessRole.USER.value
    time_zone: str = "UTC"
    password: str | None = field(default=None, repr=False)


def listing(app: App, viewer: Viewer) -> list[UserObject]:
    """Return all users by name; a User gets himself only."""
    accounts = {account.name: account for account in app.store.accounts()}
    users = [_object(user, accounts[user.name]) for user in app.crm.users() if user.name in accounts]
    return [user for user in users if viewer.administrator or viewer.among((user.name,))]


def table(app: App, viewer: Viewer, wanted: Slice) -> Sliced[UserObject]:
    """Return a slice of the users, by name or role; a User gets himself only."""
    if not viewer.administrator:
        own = listing(app, viewer)
        return Sliced(tuple(own), len(own))
    named = app.crm.named(wanted.words, FOUND_MAX) if wanted.words else ()
    found = app.store.account_slice(wanted, named)
    people = {user.name: user for user in app.crm.users(names=[account.name for account in found.items])}
    shown = tuple(_object(people[each.name], each) for each in found.items if each.name in people)
    return Sliced(shown, found.total)


def show(app: App, viewer: Viewer, name: str) -> UserObject:
    """Return one user."""
    found = next((user for user in listing(app, viewer) if user.name == name), None)
    if found is None:
        raise SyncError("NotFoundHere", detail=f"user {name}")
    return found


def add(app: App, viewer: Viewer, wanted: NewUser) -> UserObject:
    """Add a user to the CRM and an account to sign in with."""
    require_administrator(viewer, noted("add users"))
    _check(wanted)
    zone = typed.zone(wanted.time_zone)
    role = typed.word(AccountRole, wanted.role, "role")
    if wanted.password is not None:
        _check_password(wanted.password)
    known = {account.name for account in app.store.accounts()}
    if wanted.name in known:
        raise SyncError("AlreadyExists", detail=_("The user %(name)s", name=wanted.name))
    # A user of the CRM without an account is one whose adding was interrupted between the two databases.
    user = next(iter(app.crm.users(names=[wanted.name])), None)
    if user is None:
        user = app.crm.add_user(wanted.name, full_name=wanted.full_name, emails=wanted.emails, time_zone=zone)
    return _object(user, app.store.add_account(wanted.name, role, wanted.password, app.clock.now()))


def set_role(app: App, viewer: Viewer, name: str, role: str) -> UserObject:
    """Give a user another role; the last System Administrator keeps his."""
    require_administrator(viewer, noted("change roles"))
    app.store.set_role(name, typed.word(AccountRole, role, "role"))
    return show(app, viewer, name)


def set_time_zone(app: App, viewer: Viewer, name: str, zone: str) -> UserObject:
    """Let a user read times in another zone; everybody may change his own."""
    require_own(viewer, name, noted("change this time zone"))
    known = typed.zone(zone)
    show(app, viewer, name)
    app.crm.set_user(name, time_zone=known)
    return show(app, viewer, name)


def reset_password(app: App, viewer: Viewer, name: str, password: str | None = None) -> str:
    """Set a password (None: a made-up one) and return it; open sessions of the user end."""
    require_own(viewer, name, noted("set this password"))
    if password is not None:
        _check_password(password)
    chosen = password or made_up_password()
    app.store.reset_password(name, chosen)
    return chosen


def made_up_password() -> str:
    """Return a password that nobody has thought of."""
    return secrets.token_urlsafe(MADE_UP_BYTES)


def _object(user: User, account: Account) -> UserObject:
    return UserObject(
        id=user.id,
        name=user.name,
        full_name=user.full_name,
        email=user.emails[0] if user.emails else "",
        role=account.role.value,
        time_zone=user.time_zone,
    )


def _check(wanted: NewUser) -> None:
    name = wanted.name
    if not 0 < len(name) <= NAME_MAX_CHARACTERS or name != name.strip() or not name.isprintable():
        raise SyncError(
            "InvalidRequest", detail=_("A user name has 1 to %(most)s printable characters.", most=NAME_MAX_CHARACTERS)
        )
    for email in wanted.emails:
        if "@" not in email.strip("@") or " " in email:
            raise SyncError("InvalidRequest", detail=_('"%(text)s" is not an e-mail address.', text=email))


def _check_password(password: str) -> None:
    if len(password) < PASSWORD_MIN_CHARACTERS:
        raise SyncError(
            "InvalidRequest", detail=_("A password has at least %(least)s characters.", least=PASSWORD_MIN_CHARACTERS)
        )
