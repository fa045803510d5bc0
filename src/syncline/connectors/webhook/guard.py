"""The guarded way into the network: a name is resolved once, its addresses are judged, and only they are connected to.

Against requests that are led inside (SSRF, DNS rebinding): the address that was judged is the one that is used, while
TLS goes on checking the name. One deadline holds for everything from the name to the last byte. It must not know HTTP.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore2

from syncline.errors import SyncError

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

_TRANSLATED = ip_network("64:ff9b::/96")
# Shared by providers, for protocols between routers, and site-local: the library counts none of them as private.
_INSIDE = (ip_network("100.64.0.0/10"), ip_network("192.0.0.0/24"), ip_network("fec0::/10"))


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, as the system resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def public(text: str) -> bool:
    """Return whether an address is one of the open internet, also when another address is wrapped in it."""
    address = ip_address(text.partition("%")[0])
    return all(_global(each) for each in (address, *_wrapped(address)))


def _global(address: Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    inside = address.is_private or address.is_link_local or any(address in network for network in _INSIDE)
    # 64:ff9b::/96 counts as reserved in some tables; what matters is the address wrapped in it.
    return address in _TRANSLATED or not (special or inside)


def _wrapped(address: Address) -> Iterable[Address]:
    """Return the IPv4 addresses that an IPv6 address may lead to: mapped, translated, 6to4 and Teredo."""
    if not isinstance(address, IPv6Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _TRANSLATED or int(address) >> 32 == 0:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects to judged addresses only, and lets nothing last beyond its deadline."""

    def __init__(self, *, allow_private: bool, deadline_s: float, resolve: Resolve) -> None:
        self._allow_private = allow_private
        self._ends = time.monotonic() + deadline_s
        self._resolve = resolve
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline holds
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve the name, refuse if any address is not allowed, and connect to the first that answers."""
        addresses = self._judged(host, port)
        failure: Exception = httpcore2.ConnectError("no address")
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(address, port, _left(self._ends), local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _Bounded(stream, self._ends)
        raise failure

    def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        """Refuse: a socket in the file system is never outside."""
        raise SyncError("WebhookRefused", detail="a socket of this machine")

    def _judged(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise SyncError("WebhookFailed", detail=f"the name {host} is not known") from error
        if not self._allow_private:
            # One inner address among outer ones is enough to refuse: nobody needs such a name.
            wrong = next((address for address in addresses if not public(address)), None)
            if wrong is not None:
                raise SyncError("WebhookRefused", detail=f"{host} leads to {wrong}, an address that is not public")
        return addresses


class _Bounded(httpcore2.NetworkStream):
    """A stream on which every step gets only the time that is left."""

    def __init__(self, inner: httpcore2.NetworkStream, ends: float) -> None:
        self._inner = inner
        self._ends = ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline holds
        return self._inner.read(max_bytes, _left(self._ends))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline holds
        self._inner.write(buffer, _left(self._ends))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline holds
    ) -> httpcore2.NetworkStream:
        return _Bounded(self._inner.start_tls(ssl_context, server_hostname, _left(self._ends)), self._ends)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the library's own signature
        return self._inner.get_extra_info(info)


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the deadline has passed")
    return left
