"""A server between Syncline and Exchange that may lie: it hands requests on and changes the answers as it is told."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from syncline.emulators.exchange import ExchangeEmulator

Lie = Callable[[bytes], bytes]


def honest(answer: bytes) -> bytes:
    """Change nothing."""
    return answer


class Proxy(ThreadingHTTPServer):
    """Hands requests on to an Exchange server; `lie` changes the body of each answer, `status` replaces its status."""

    daemon_threads = True

    def __init__(self, server: ExchangeEmulator) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = server
        self.lie: Lie = honest
        self.status: int | None = None
        self.headers: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Return the address of the service."""
        return f"http://127.0.0.1:{self.server_port}/EWS/Exchange.asmx"

    def tell_the_truth(self) -> None:
        """Stop lying."""
        self.lie, self.status, self.headers = honest, None, {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy

    def do_POST(self) -> None:
        """Hand one request on."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        kept = ("authorization", "content-type", "x-anchormailbox")
        headers = {name: value for name, value in self.headers.items() if name.lower() in kept}
        parts = urlsplit(self.server.behind.url)
        behind = http.client.HTTPConnection(parts.hostname or "", parts.port)
        try:
            behind.request("POST", self.path, body, headers)
            answer = behind.getresponse()
            told = self.server.lie(answer.read())
        finally:
            behind.close()
        self.send_response(self.server.status or answer.status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(told)))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


@contextmanager
def between(server: ExchangeEmulator) -> Iterator[Proxy]:
    """Run a proxy before a server."""
    with Proxy(server) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
