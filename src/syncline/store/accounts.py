"""Who may sign in: accounts with a role and an argon2 password, sessions of people, tokens of programs.

Session ids and tokens are stored as digests only; a stolen database opens no door. Times come from the caller. It must
not know cookies or headers.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from msgspec import Struct
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from syncline.errors import SyncError
from syncline.store.connection import Connected
from syncline.store.schema import AccountRole, account, session, token

WRONG_MAX = 5
SLOWED_S = 30.0
SLOWED_MAX_S = 900.0
SECRET_BYTES = 32
TOKEN_PREFIX = "syn_"  # noqa: S105 (marks a token as ours)


class Account(Struct, frozen=True, kw_only=True):
    """Somebody who may sign in; `name` is also the CRM user's name."""

    id: int
    name: str
    role: AccountRole
    created: datetime

    @property
    def administrator(self) -> bool:
        """Return whether the account is a System Administrator."""
        return self.role is AccountRole.ADMINISTRATOR


class Session(Struct, frozen=True, kw_only=True):
    """A signed-in person; forms must carry `csrf`."""

    account: Account
    csrf: str
    expires: datetime


class Token(Struct, frozen=True, kw_only=True):
    """A program's way in, without its secret."""

    id: int
    account: str
    label: str
    created: datetime
    revoked: datetime | None = None


_ACCOUNT = (account.c.id, account.c.name, account.c.role, account.c.created)
_TOKEN = (token.c.id, account.c.name.label("account"), token.c.label, token.c.created, token.c.revoked)


class Accounts(Connected):
    """Accounts, sessions and tokens."""

    # --- accounts ---

    def add_account(self, name: str, role: AccountRole, password: str | None, now: datetime) -> Account:
        """Add an account, with None one that no password opens; SyncError("AlreadyExists") if the name is taken."""
        password_hash = _no_password() if password is None else _hashing().hash(password)
        values = {"name": name, "role": role, "password_hash": password_hash, "created": now}
        with self.writing() as connection:
            try:
                connection.execute(insert(account).values(values))
            except IntegrityError as error:
                raise SyncError("AlreadyExists", detail=f"The account {name}") from error
            return _account(connection, account.c.name == name, name)

    def accounts(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        with self.reading() as connection:
            rows = connection.execute(select(*_ACCOUNT).order_by(account.c.name)).mappings()
            return tuple(Account(**row) for row in rows)

    def account(self, name: str) -> Account:
        """Return an account; SyncError("NotFoundHere") if there is none."""
        with self.reading() as connection:
            return _account(connection, account.c.name == name, name)

    def set_role(self, name: str, role: AccountRole) -> Account:
        """Give an account another role; SyncError("InvalidRequest") if no administrator would be left."""
        with self.writing() as connection:
            found = _account(connection, account.c.name == name, name)
            others = select(account.c.id).where(account.c.role == AccountRole.ADMINISTRATOR, account.c.id != found.id)
            if role is AccountRole.USER and connection.scalar(others.limit(1)) is None:
                raise SyncError("InvalidRequest", detail=f"{name} is the last System Administrator.")
            connection.execute(update(account).where(account.c.id == found.id).values(role=role))
            return _account(connection, account.c.name == name, name)

    def reset_password(self, name: str, password: str) -> None:
        """Give an account a new password; its sessions end, and it is slowed down no longer."""
        values = {"password_hash": _hashing().hash(password), "wrong": 0, "locked_until": None}
        with self.writing() as connection:
            found = _account(connection, account.c.name == name, name)
            connection.execute(update(account).where(account.c.id == found.id).values(values))
            connection.execute(delete(session).where(session.c.account_id == found.id))

    def sign_in(self, name: str, password: str, now: datetime) -> Account:
        """Return the account whose password this is.

        Raises SyncError("NotAllowed"); after five wrong passwords in a row with `retry_after_s`, longer every time.
        """
        columns = (*_ACCOUNT, account.c.password_hash, account.c.wrong, account.c.locked_until)
        with self.reading() as connection:
            row = connection.execute(select(*columns).where(account.c.name == name)).mappings().first()
        if row is not None and row["locked_until"] is not None and now < row["locked_until"]:
            raise _slowed((row["locked_until"] - now).total_seconds())
        right = _hashing().verify(password, _no_password() if row is None else row["password_hash"])
        if row is None:
            raise SyncError("NotAllowed", detail="The user name or the password is wrong.")
        if not right:
            self._count_wrong(row["id"], now)
            raise SyncError("NotAllowed", detail="The user name or the password is wrong.")
        if row["wrong"]:
            with self.writing() as connection:
                forget = update(account).where(account.c.id == row["id"])
                connection.execute(forget.values(wrong=0, locked_until=None))
        return Account(**{column.name: row[column.name] for column in _ACCOUNT})

    def _count_wrong(self, account_id: int, now: datetime) -> None:
        with self.writing() as connection:
            wrong = 1 + int(connection.scalar(select(account.c.wrong).where(account.c.id == account_id)) or 0)
            values: dict[str, Any] = {"wrong": wrong}
            if wrong >= WRONG_MAX:
                wait = min(SLOWED_MAX_S, SLOWED_S * 2 ** min(wrong - WRONG_MAX, 10))
                values["locked_until"] = now + timedelta(seconds=wait)
            connection.execute(update(account).where(account.c.id == account_id).values(values))

    # --- sessions ---

    def open_session(self, name: str, now: datetime, lifetime_s: float) -> tuple[str, Session]:
        """Sign somebody in: return the secret for the cookie, which is stored nowhere, and the session."""
        secret, csrf = secrets.token_urlsafe(SECRET_BYTES), secrets.token_urlsafe(SECRET_BYTES)
        expires = now + timedelta(seconds=lifetime_s)
        with self.writing() as connection:
            found = _account(connection, account.c.name == name, name)
            times = {"created": now, "expires": expires}
            values = {"digest": _digest(secret), "account_id": found.id, "csrf": csrf, **times}
            connection.execute(insert(session).values(values))
        return secret, Session(account=found, csrf=csrf, expires=expires)

    def session(self, secret: str, now: datetime) -> Session | None:
        """Return the living session of a cookie."""
        query = select(*_ACCOUNT, session.c.csrf, session.c.expires).join(session, session.c.account_id == account.c.id)
        with self.reading() as connection:
            found = query.where(session.c.digest == _digest(secret), session.c.expires > now)
            row = connection.execute(found).mappings().first()
        if row is None:
            return None
        owner = Account(**{column.name: row[column.name] for column in _ACCOUNT})
        return Session(account=owner, csrf=row["csrf"], expires=row["expires"])

    def close_session(self, secret: str) -> None:
        """Sign out."""
        with self.writing() as connection:
            connection.execute(delete(session).where(session.c.digest == _digest(secret)))

    # --- tokens ---

    def create_token(self, name: str, label: str, now: datetime) -> tuple[str, Token]:
        """Make a token for an account: return its secret, which is never shown again, and the token."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        with self.writing() as connection:
            found = _account(connection, account.c.name == name, name)
            values = {"account_id": found.id, "label": label, "digest": _digest(secret), "created": now}
            number = connection.execute(insert(token).values(values).returning(token.c.id)).scalar_one()
        return secret, Token(id=number, account=name, label=label, created=now)

    def tokens(self, name: str | None = None) -> tuple[Token, ...]:
        """Return the tokens of one account, or of all, newest first; revoked ones too."""
        query = select(*_TOKEN).join(account, account.c.id == token.c.account_id).order_by(token.c.id.desc())
        if name is not None:
            query = query.where(account.c.name == name)
        with self.reading() as connection:
            return tuple(Token(**row) for row in connection.execute(query).mappings())

    def revoke_token(self, name: str, label: str, now: datetime) -> None:
        """Revoke the tokens of an account with this label; SyncError("NotFoundHere") if none is valid."""
        with self.writing() as connection:
            found = _account(connection, account.c.name == name, name)
            mine = (token.c.account_id == found.id, token.c.label == label, token.c.revoked.is_(None))
            if connection.execute(update(token).where(*mine).values(revoked=now)).rowcount == 0:
                raise SyncError("NotFoundHere", detail=f"token {label} of {name}")

    def account_of_token(self, secret: str) -> Account | None:
        """Return whose valid token this is."""
        query = select(*_ACCOUNT).join(token, token.c.account_id == account.c.id)
        with self.reading() as connection:
            found = query.where(token.c.digest == _digest(secret), token.c.revoked.is_(None))
            row = connection.execute(found).mappings().first()
        return None if row is None else Account(**row)


def _account(connection: Connection, where: ColumnElement[bool], name: str) -> Account:
    row = connection.execute(select(*_ACCOUNT).where(where)).mappings().first()
    if row is None:
        raise SyncError("NotFoundHere", detail=f"account {name}")
    return Account(**row)


def _slowed(wait_s: float) -> SyncError:
    text = f"Too many wrong passwords. Try again in {int(wait_s) + 1} seconds."
    return SyncError("NotAllowed", detail=text, retry_after_s=wait_s)


def _digest(secret: str) -> str:
    """A secret of 256 random bits needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@cache
def _hashing() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _no_password() -> str:
    """A hash that nobody knows the password of: for an unknown name, so that the answer takes as long, or for none."""
    return _hashing().hash(secrets.token_urlsafe(SECRET_BYTES))
