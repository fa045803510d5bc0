"""Who is at the door: accounts, and the sign-in of one connection.

Basic signs in every request by itself; NTLM and Negotiate sign in the connection, in two messages. Knows header
values, nothing of sockets or operations.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass

from syncline.emulators.exchange.call import Caller
from syncline.emulators.exchange.model import Mailbox
from syncline.emulators.exchange.ntlm import Acceptor, Continue, RefusedTokenError
from syncline.emulators.exchange.store import Store

CHALLENGES = ("Negotiate", "NTLM", 'Basic realm="exchange"')


@dataclass(frozen=True, slots=True)
class Accounts:
    """Mailboxes with their passwords, and the service account (name, password) that may impersonate them.

    `binding` is what NTLM must be bound to when the server demands channel binding.
    """

    store: Store
    service: tuple[str, str] | None = None
    binding: bytes | None = None

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
    """Not signed in (yet): the WWW-Authenticate values to answer with."""

    challenges: tuple[str, ...] = CHALLENGES


class SignIn:
    """The sign-in of one connection."""

    def __init__(self, accounts: Accounts) -> None:
        """Start unknown."""
        self._accounts = accounts
        self._caller: Caller | None = None
        self._acceptor: Acceptor | None = None

    def check(self, header: str | None) -> Caller | Refused:
        """Return who a request's Authorization header is from; without one, whom the connection belongs to."""
        if not header:
            return self._caller or Refused()
        scheme, _, text = header.partition(" ")
        try:
            token = b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return Refused()
        if scheme.lower() == "basic":
            return self._basic(token) or Refused()
        if scheme.lower() in ("ntlm", "negotiate"):
            return self._step(scheme, token)
        return Refused()

    def _basic(self, token: bytes) -> Caller | None:
        name, colon, password = token.decode("utf-8", "replace").partition(":")
        return self._accounts.check(name, password) if colon else None

    def _step(self, scheme: str, token: bytes) -> Caller | Refused:
        """Take one message; the connection belongs to nobody until the last one was right."""
        self._caller = None
        acceptor = self._acceptor or Acceptor(self._accounts.find, self._accounts.binding)
        self._acceptor = None
        try:
            result = acceptor.step(token)
        except RefusedTokenError:
            return Refused()
        if isinstance(result, Continue):
            self._acceptor = acceptor
            return Refused((f"{scheme} {b64encode(result.token).decode()}",))
        self._caller = result
        return result
