"""Profiles and mailboxes as people keep them: add, find, change, remove, and their passwords.

It must not know what approving or testing means: engine/mailboxes.py does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from syncline.errors import SyncError
from syncline.ports import Mailbox, Profile
from syncline.store.connection import Connected
from syncline.store.filters import seed_new_user
from syncline.store.rows import MAILBOX, PROFILE, mailbox_values
from syncline.store.schema import mailbox, profile

Sealed = Literal["profile", "mailbox"]

_MAILBOXES = select(*MAILBOX).order_by(mailbox.c.address)
_MAILBOX_BY_ID = select(*MAILBOX).where(mailbox.c.id == bindparam("at"))
_SEALED: Mapping[str, Table] = {"profile": profile, "mailbox": mailbox}


class Records(Connected):
    """Profiles and mailboxes."""

    # --- profiles ---

    def add_profile(self, value: Profile) -> Profile:
        """Store a new profile and return it with its id; SyncError("AlreadyExists") if the name is taken."""
        values = {name: getattr(value, name) for name in Profile.__struct_fields__ if name != "id"}
        with self.writing() as connection:
            number = _insert(connection, profile, values, f"The profile {value.name}")
        return self.profile(number)

    def profiles(self) -> tuple[Profile, ...]:
        """Return all profiles by name."""
        with self.reading() as connection:
            rows = connection.execute(select(*PROFILE).order_by(profile.c.name)).mappings()
            return tuple(Profile(**row) for row in rows)

    def profile(self, profile_id: int) -> Profile:
        """Return a profile; SyncError("NotFoundHere") if there is none."""
        with self.reading() as connection:
            return _profile(connection, profile.c.id == profile_id, f"profile {profile_id}")

    def profile_by_name(self, name: str) -> Profile:
        """Return a profile; SyncError("NotFoundHere") if there is none."""
        with self.reading() as connection:
            return _profile(connection, profile.c.name == name, f"profile {name}")

    # --- mailboxes ---

    def add_mailbox(self, value: Mailbox) -> Mailbox:
        """Store a new mailbox and return it with its id; SyncError("AlreadyExists") if the address is taken.

        The first mailbox of a user brings him his copy of the template of sync filters (1.11).
        """
        with self.writing() as connection:
            _profile(connection, profile.c.id == value.profile_id, f"profile {value.profile_id}")
            seed_new_user(connection, value.user)
            values = mailbox_values(value) | {"address": value.address.lower()}
            number = _insert(connection, mailbox, values, f"The mailbox {value.address}")
            return _mailbox(connection, mailbox.c.id == number, str(number))

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """Return all mailboxes by address."""
        with self.reading() as connection:
            rows = connection.execute(_MAILBOXES).mappings()
            return tuple(Mailbox(**row) for row in rows)

    def mailbox(self, mailbox_id: int) -> Mailbox:
        """Return a mailbox; SyncError("NotFoundHere") if there is none."""
        with self.reading() as connection:
            return _known(connection.execute(_MAILBOX_BY_ID, {"at": mailbox_id}).mappings().first(), str(mailbox_id))

    def mailbox_by_address(self, address: str) -> Mailbox:
        """Return a mailbox by its address, without case; SyncError("NotFoundHere") if there is none."""
        with self.reading() as connection:
            return _mailbox(connection, mailbox.c.address == address.lower(), address)

    def change_mailbox(self, mailbox_id: int, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        """Replace a mailbox by what `change` makes of it, in one transaction; only what differs is written."""
        with self.writing() as connection:
            old = _mailbox(connection, mailbox.c.id == mailbox_id, str(mailbox_id))
            new = change(old)
            before = mailbox_values(old)
            values: dict[str, Any] = {name: each for name, each in mailbox_values(new).items() if each != before[name]}
            if "next_due" in values:
                values["woken"] = True
            if values:
                connection.execute(update(mailbox).where(mailbox.c.id == mailbox_id).values(values))
        return new

    def remove_mailbox(self, mailbox_id: int) -> None:
        """Forget a mailbox with its links, questions and alerts; CRM rows, decisions and the journal stay."""
        with self.writing() as connection:
            _mailbox(connection, mailbox.c.id == mailbox_id, str(mailbox_id))
            connection.execute(delete(mailbox).where(mailbox.c.id == mailbox_id))

    # --- passwords ---

    def set_password(self, kind: Sealed, number: int, secret: str | None) -> None:
        """Seal and store the password of the profile or mailbox with id `number`; None forgets it."""
        table = _SEALED[kind]
        sealed = None if secret is None else self._cipher.seal(secret, _place(kind, number))
        with self.writing() as connection:
            changed = connection.execute(update(table).where(table.c.id == number).values(secret=sealed))
        if changed.rowcount != 1:
            raise SyncError("NotFoundHere", detail=f"{kind} {number}")

    def password(self, mailbox_id: int) -> str:
        """Return the mailbox's own password, else its profile's; SyncError("Unauthorized") if neither has one."""
        columns = (mailbox.c.address, mailbox.c.secret, mailbox.c.profile_id, profile.c.secret.label("shared"))
        query = select(*columns).join(profile, profile.c.id == mailbox.c.profile_id).where(mailbox.c.id == mailbox_id)
        with self.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise SyncError("NotFoundHere", detail=f"mailbox {mailbox_id}")
        if row["secret"] is not None:
            return self._cipher.open(row["secret"], _place("mailbox", mailbox_id))
        if row["shared"] is not None:
            return self._cipher.open(row["shared"], _place("profile", row["profile_id"]))
        raise SyncError("Unauthorized", mailbox=row["address"])


def _place(kind: Sealed, number: int) -> str:
    return f"{kind}/{number}/secret"


def _insert(connection: Connection, table: Table, values: dict[str, Any], what: str) -> int:
    try:
        return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())
    except IntegrityError as error:
        if "UNIQUE" in str(error.orig):
            raise SyncError("AlreadyExists", detail=what) from error
        raise SyncError("InvalidRequest", detail=f"{what} has a value that is not allowed.") from error


def _profile(connection: Connection, where: ColumnElement[bool], what: str) -> Profile:
    row = connection.execute(select(*PROFILE).where(where)).mappings().first()
    if row is None:
        raise SyncError("NotFoundHere", detail=what)
    return Profile(**row)


def _mailbox(connection: Connection, where: ColumnElement[bool], name: str) -> Mailbox:
    return _known(connection.execute(select(*MAILBOX).where(where)).mappings().first(), name)


def _known(row: RowMapping | None, name: str) -> Mailbox:
    if row is None:
        raise SyncError("NotFoundHere", detail=f"mailbox {name}")
    return Mailbox(**row)
