"""Who is at the door: accounts, and the sign-in of one connection.

Basic signs in every request by itself. Knows header values, nothing of sockets or operations. Schemes that need
several messages keep their state in `SignIn`, of which each connection has its own.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from dataclasses import dataclass

from syncline.emulators.exchange.call import Caller
from syncline.emulators.exchange.model import Mailbox
from syncline.emulators.exchange.store import Store


@dataclass(frozen=True, slots=True)
class Accounts:
    """Mailboxes with their passwords, and the service account (name, password) that may impersonate them."""

    store: Store
    service: tuple[str, str] | None = None

    def find(self, name: str) -> tuple[Caller, str] | None:
        r"""Return caller and password of a user name: an address, DOMAIN\name, or the service account's name."""
        plain = name.rpartition("\\")[2].lower()
        if self.service is not None and plain in _names(self.service[0]):
            return Caller(self.service[0], service=True), self.service[1]
        mailbox = self.store.mailbox(plain) or self._by_alias(plain)
        return (Caller(mailbox.address, mailbox), mailbox.password) if mailbox else None

    def _by_alias(self, alias: str) -> Mailbox | None:
        if "@" in alias:
            return None
        found = [m for m in self.store.mailboxes() if m.address.partition("@")[0] == alias]
        return found[0] if len(found) == 1 else None

    def check(self, name: str, password: str) -> Caller | None:
        """Return the caller when the password is right."""
        found = self.find(name)
        if found is None or not hmac.compare_digest(found[1].encode(), password.encode()):
            return None
        return found[0]


def _names(account: str) -> tuple[str, ...]:
    plain = account.rpartition("\\")[2].lower()
    return plain, plain.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Refused:
    """Not signed in: the WWW-Authenticate values to answer with."""

    challenges: tuple[str, ...]


class SignIn:
    """The sign-in of one connection."""

    def __init__(self, accounts: Accounts) -> None:
        """Start unknown."""
        self._accounts = accounts

    def check(self, header: str | None) -> Caller | Refused:
        """Return who a request's Authorization header is from."""
        scheme, _, token = (header or "").partition(" ")
        caller = self._basic(token) if scheme.lower() == "basic" else None
        return caller or Refused(('Basic realm="exchange"',))

    def _basic(self, token: str) -> Caller | None:
        try:
            name, colon, password = b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        return self._accounts.check(name, password) if colon else None
