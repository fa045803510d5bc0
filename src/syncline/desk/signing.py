"""Signing in: a password for people, a token for programs, and who stands behind a session.

What is wrong is said in words that help nobody to guess names. It must not know cookies or headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncline.desk.reading import AccessRole, Viewer
from syncline.errors import SyncError

if TYPE_CHECKING:
    from syncline.store import Account
    from syncline.wiring import App

SESSION_S = 12 * 3600
NAME_MAX_CHARACTERS = 200
PASSWORD_MAX_CHARACTERS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is signed in; `csrf` is empty for programs, which need none."""

    viewer: Viewer
    csrf: str = ""


def sign_in(app: App, name: str, password: str) -> tuple[str, Session]:
    """Check a password and open a session: return the secret for the cookie, and the session.

    Raises SyncError("SignInRefused"), after five wrong passwords SyncError("SignInSlowed") with `retry_after_s`.
    """
    if len(name) > NAME_MAX_CHARACTERS or len(password) > PASSWORD_MAX_CHARACTERS:
        raise SyncError("SignInRefused")
    now = app.clock.now()
    try:
        account = app.store.sign_in(name.strip(), password, now)
    except SyncError as error:
        if error.retry_after_s is not None:
            wait = f"{int(error.retry_after_s) + 1} seconds"
            raise SyncError("SignInSlowed", retry_after_s=error.retry_after_s, detail=wait) from error
        raise SyncError("SignInRefused") from error
    return open_session(app, account.name)


def open_session(app: App, name: str) -> tuple[str, Session]:
    """Open a session for somebody who has shown already who he is (the demo's buttons)."""
    secret, session = app.store.open_session(name, app.clock.now(), SESSION_S)
    return secret, Session(viewer=viewer_of(app, session.account), csrf=session.csrf)


def sign_out(app: App, secret: str) -> None:
    """End a session."""
    app.store.close_session(secret)


def by_session(app: App, secret: str) -> Session | None:
    """Return the living session of a cookie."""
    found = app.store.session(secret, app.clock.now())
    return None if found is None else Session(viewer=viewer_of(app, found.account), csrf=found.csrf)


def by_token(app: App, token: str) -> Session | None:
    """Return who a program acts for."""
    account = app.store.account_of_token(token)
    return None if account is None else Session(viewer=viewer_of(app, account))


def viewer_of(app: App, account: Account) -> Viewer:
    """Return an account as a viewer, with the addresses of the CRM user of the same name."""
    try:
        user = next(iter(app.crm.users(names=[account.name])), None)
        if user is not None:
            app.known[user.name] = user
    except SyncError:
        # While the CRM cannot be asked questions are still answered, under the name that everybody knows.
        user = app.known.get(account.name)
    return Viewer(
        name=account.name,
        role=AccessRole(account.role.value),
        emails=frozenset(user.emails) if user is not None else frozenset(),
        full_name=user.full_name if user is not None else account.name,
    )
