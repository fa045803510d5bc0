"""One mail over one SMTP connection: signed in, encrypted, certificates verified, failures in words of the catalogue.

What can be told apart: refused for good (this person, or Syncline as a whole), to be tried again, and broken off when
the server may have taken the mail already. It must not know what a mail says.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from syncline.errors import SyncError
from syncline.ports import Parcel

DETAIL_MAX_CHARACTERS = 200
_PERMANENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """The server that takes the mails. `security` is starttls, tls or none; `ca_file` adds an authority."""

    host: str
    port: int
    security: str
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    timeout_s: float = 30.0


class SmtpNotifier:
    """Sends mails through one relay, each over a connection of its own."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def send(self, parcel: Parcel) -> None:
        """Hand one mail over; see `ports.Notifier`."""
        if not _sendable(parcel.to):
            raise SyncError("MailRefused", address=parcel.to, detail="this is not an address that mail can be sent to")
        with self._connected() as server:
            self._addressed(server, parcel.to)
            self._handed_over(server, parcel)

    def probe(self) -> str:
        """Connect, encrypt and sign in, and say so."""
        relay = self._relay
        with self._connected() as server:
            code, answer = server.noop()
            if code >= _PERMANENT:
                raise self._refused(code, answer)
        way = {"starttls": "encrypted (STARTTLS)", "tls": "encrypted (TLS)"}.get(relay.security, "not encrypted")
        signed_in = f", signed in as {relay.username}" if relay.username else ""
        return f"{relay.host}, port {relay.port}: {way}{signed_in}"

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        try:
            server = self._open()
        except smtplib.SMTPResponseException as error:
            raise self._refused(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise SyncError("MailServerRefused", host=self._relay.host, detail=_said(str(error))) from error
        except ssl.SSLCertVerificationError as error:
            detail = f"its certificate is not trusted ({error.verify_message})"
            raise SyncError("MailServerRefused", host=self._relay.host, detail=detail) from error
        except (OSError, smtplib.SMTPException) as error:
            raise self._failed(error) from error
        try:
            yield server
        finally:
            _leave(server)

    def _open(self) -> smtplib.SMTP:
        relay = self._relay
        name = socket.gethostname()
        server: smtplib.SMTP
        if relay.security == "tls":
            server = smtplib.SMTP_SSL(
                relay.host, relay.port, local_hostname=name, timeout=relay.timeout_s, context=self._trust()
            )
        else:
            server = smtplib.SMTP(relay.host, relay.port, local_hostname=name, timeout=relay.timeout_s)
        with ExitStack() as given_up:
            given_up.callback(server.close)
            server.ehlo_or_helo_if_needed()
            if relay.security == "starttls":
                server.starttls(context=self._trust())
                server.ehlo()
            if relay.username:
                server.login(relay.username, relay.password)
            given_up.pop_all()
        return server

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._relay.ca_file:
            try:
                context.load_verify_locations(cafile=self._relay.ca_file)
            except (OSError, ssl.SSLError) as error:
                detail = f"the file {self._relay.ca_file} cannot be read as certificates"
                raise SyncError("MailServerRefused", host=self._relay.host, detail=detail) from error
        return context

    def _addressed(self, server: smtplib.SMTP, to: str) -> None:
        """Name sender and recipient; nothing has been sent when this fails."""
        try:
            code, answer = server.mail(self._relay.sender)
            if code != 250:
                raise self._refused(code, answer)
            code, answer = server.rcpt(to)
        except (OSError, smtplib.SMTPException) as error:
            raise self._failed(error) from error
        if code >= _PERMANENT:
            raise SyncError("MailRefused", address=to, detail=_reply(code, answer))
        if code not in (250, 251):
            raise self._refused(code, answer)

    def _handed_over(self, server: smtplib.SMTP, parcel: Parcel) -> None:
        """Send the content; from here on a broken connection leaves open whether the server has it."""
        try:
            code, answer = server.data(parcel.content)
        except smtplib.SMTPDataError as error:
            raise self._data_refused(error.smtp_code, error.smtp_error, parcel.to) from error
        except (OSError, smtplib.SMTPException) as error:
            raise SyncError("MailUnclear", address=parcel.to) from error
        if code != 250:
            raise self._data_refused(code, answer, parcel.to)

    def _data_refused(self, code: int, answer: bytes | str, to: str) -> SyncError:
        if code >= _PERMANENT:
            return SyncError("MailRefused", address=to, detail=_reply(code, answer))
        return self._refused(code, answer)

    def _refused(self, code: int, answer: bytes | str) -> SyncError:
        row = "MailServerRefused" if code >= _PERMANENT else "MailServerUnavailable"
        return SyncError(row, host=self._relay.host, detail=_reply(code, answer))

    def _failed(self, error: Exception) -> SyncError:
        # smtplib tells a time-out while it reads as a closed connection.
        if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
            detail = f"no answer within {self._relay.timeout_s:g} s"
        else:
            detail = _said(getattr(error, "strerror", None) or str(error))
        return SyncError("MailServerUnavailable", host=self._relay.host, detail=detail)


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye; whatever happened is settled already."""
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()


def _sendable(address: str) -> bool:
    """Return whether an address can stand in an SMTP command; it must not be able to end one."""
    return "@" in address.strip("@") and address.isascii() and address.isprintable() and not set(address) & set(' <>"')


def _reply(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {_said(text)}"


def _said(text: str) -> str:
    """Return what a server said on one short line; it may say anything."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(plain.split())[:DETAIL_MAX_CHARACTERS]
