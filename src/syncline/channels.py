"""The settings of the ways out to people and programs, and which of them cannot be: mail and webhook.

Sections of `config.Settings`; it reads nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from syncline.meant import Meant


class MailSecurity(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """How questions reach their people by mail; without `host` no mail is sent."""

    host: Annotated[str, Meant("Name of the SMTP server that takes the mails; empty: no mail is sent.")] = ""
    port: Annotated[int, Meant("Port of the SMTP server (587 for starttls, 465 for tls).", low=1, high=65_535)] = 587
    security: Annotated[
        MailSecurity,
        Meant("How the way there is protected; certificates are always verified. None: only on this machine."),
    ] = MailSecurity.STARTTLS
    ca_file: Annotated[str, Meant("PEM file of the authority that signed the server's certificate.")] = ""
    username: Annotated[str, Meant("Name to sign in with; empty: the server takes mails without.")] = ""
    password: Annotated[
        str, Meant("Password of `username`; better in the environment or in `password_file`.", secret=True)
    ] = field(default="", repr=False)
    password_file: Annotated[str, Meant("File whose first line is the password.")] = ""
    sender: Annotated[str, Meant("Address that the mails come from.")] = ""
    timeout_s: Annotated[float, Meant("Longest wait for the server, in seconds.", low=1, high=600)] = 30.0
    gather_s: Annotated[
        float, Meant("So long, in seconds, new questions are gathered before the first mail.", low=0, high=86_400)
    ] = 60.0
    pause_min_s: Annotated[
        float, Meant("Shortest pause between two mails to one person, in seconds.", low=0, high=86_400)
    ] = 120.0
    links_valid_days: Annotated[
        int, Meant("How many days the Yes and No of a mail can be used; 0: mails have none.", low=0, high=60)
    ] = 7
    private_subjects: Annotated[
        bool, Meant("Write what private appointments are called into mails to their owner, but for the subject line.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Where questions are told to a program, such as a chat; without `url` nothing is sent."""

    url: Annotated[
        str, Meant("Address that gets a POST for each question that opens or ends; empty: none.", secret=True)
    ] = field(default="", repr=False)
    secret: Annotated[
        str, Meant("Secret that signs each request; better in the environment or in `secret_file`.", secret=True)
    ] = field(default="", repr=False)
    secret_file: Annotated[str, Meant("File whose first line is the secret.")] = ""
    ca_file: Annotated[str, Meant("PEM file of the authority that signed the target's certificate.")] = ""
    allow_private: Annotated[bool, Meant("Allow targets inside the own network, and plain http.")] = False
    timeout_s: Annotated[float, Meant("Longest time for one request, in seconds.", low=0.1, high=120)] = 10.0
    subjects: Annotated[bool, Meant("Tell subjects of appointments that are not private; off: only times.")] = False


def unsendable(mail: MailSettings, webhook: WebhookSettings, base_url: str, *, insecure_http: bool) -> Iterator[str]:
    """Say why mails or messages could not be sent, or would be unsafe, with these settings."""
    base = urlsplit(base_url)
    if base_url and (base.scheme not in ("http", "https") or not base.hostname or base.query):
        yield "web.base_url takes an address such as https://syncline.example.com."
    if (mail.host or webhook.url) and not base_url:
        yield "web.base_url is missing: mails and messages lead to it."
    if mail.host:
        private_way = base.scheme == "https" or loopback(base.hostname or "") or insecure_http
        yield from _unmailable(mail, private_way=private_way)


def _unmailable(mail: MailSettings, *, private_way: bool) -> Iterator[str]:
    if not private_way:
        yield "web.base_url is http://, and the Yes and No of a mail could be read on the way; use https."
    if not is_mail_address(mail.sender):
        yield "mail.sender takes an address such as syncline@example.com; the mails come from it."
    if mail.security is MailSecurity.NONE and not loopback(mail.host):
        yield "mail.security none is only for a server on this machine; use starttls or tls."


def loopback(host: str) -> bool:
    """Return whether a host is this machine, by name or address."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_mail_address(text: str) -> bool:
    """Return whether a text is a plain mail address that can stand in a header and in an SMTP command."""
    local, _, domain = text.rpartition("@")
    return bool(local and domain) and text.isascii() and text.isprintable() and not set(text) & set(' <>,;:"')
