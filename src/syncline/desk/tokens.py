"""Tokens: how programs come in. Everybody keeps his own, a System Administrator everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncline.desk.objects import TokenObject
from syncline.desk.reading import Viewer, require_own
from syncline.errors import SyncError
from syncline.language import _, noted

if TYPE_CHECKING:
    from syncline.store import Token
    from syncline.wiring import App

NAME_MAX_CHARACTERS = 100


def listing(app: App, viewer: Viewer, user: str | None = None) -> list[TokenObject]:
    """Return valid tokens without their secrets, newest first."""
    if user is not None:
        require_own(viewer, user, noted("see these tokens"))
    found = [token for token in app.store.tokens(user) if token.revoked is None]
    return [_object(token) for token in found if viewer.administrator or viewer.among((token.account,))]


def create(app: App, viewer: Viewer, user: str, name: str) -> TokenObject:
    """Make a token; its secret is in the answer and nowhere else."""
    require_own(viewer, user, noted("make this token"))
    if not 0 < len(name.strip()) <= NAME_MAX_CHARACTERS:
        raise SyncError(
            "InvalidRequest", detail=_("A token needs a name of at most %(most)s characters.", most=NAME_MAX_CHARACTERS)
        )
    if any(token.label == name and token.revoked is None for token in app.store.tokens(user)):
        raise SyncError("AlreadyExists", detail=_("A token %(name)s of %(user)s", name=name, user=user))
    secret, token = app.store.create_token(user, name, app.clock.now())
    return _object(token, secret)


def revoke(app: App, viewer: Viewer, user: str, name: str) -> None:
    """Revoke a token."""
    require_own(viewer, user, noted("revoke this token"))
    app.store.revoke_token(user, name, app.clock.now())


def _object(token: Token, secret: str | None = None) -> TokenObject:
    return TokenObject(id=token.id, user=token.account, name=token.label, created=token.created, token=secret)
