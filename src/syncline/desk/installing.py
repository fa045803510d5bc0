"""The first start: folder, key, databases and one System Administrator with a token. Repeated, it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from syncline.desk import tokens, users
from syncline.desk.reading import OPERATOR, AccessRole

TOKEN_NAME = "init"  # noqa: S105 - a name, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made; `password` only if it was made up here, `token` only if it is new."""

    data: Path
    created: bool
    name: str
    password: str | None = None
    token: str | None = None


def init(data: Path, admin: str, password: str | None) -> Made:
    """Set a data folder up, or finish what an interrupted start has begun."""
    from syncline.wiring import make_folder, open_app

    make_folder(data)
    app = open_app(data)
    try:
        administrators = [a.name for a in app.store.accounts() if a.administrator]
        if administrators:
            return Made(data=data, created=False, name=admin if admin in administrators else administrators[0])
        chosen = password or users.made_up_password()
        wanted = users.NewUser(
            name=admin,
            emails=(),
            full_name=admin,
            role=AccessRole.ADMINISTRATOR.value,
            password=chosen,
        )
        users.add(app, OPERATOR, wanted)
        token = tokens.create(app, OPERATOR, admin, TOKEN_NAME)
        return Made(data=data, created=True, name=admin, password=None if password else chosen, token=token.token)
    finally:
        app.close()
