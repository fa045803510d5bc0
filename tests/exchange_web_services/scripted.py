"""A tiny web server that plays a script: it answers with what the test laid out, true or false, fast or slow."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server sends: status, body, headers. Without `length` the body ends with the connection."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came: headers (lower-case names), body, and the number of its connection."""

    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def operation(self) -> str:
        """Name the operation: the first element of the SOAP body."""
        return self.body.partition(b"<s:Body><m:")[2].split(b">")[0].split(b" ")[0].decode()


Act = Callable[["Handler"], None]
Script = Reply | bytes | Act


class Handler(BaseHTTPRequestHandler):
    """One connection of the scripted server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ScriptedServer

    def setup(self) -> None:
        """Number the connection."""
        super().setup()
        self.number = self.server.next_number()

    def do_POST(self) -> None:
        """Take the next entry of the script; the last one is repeated."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        entry = self.server.take(Seen(headers, body, self.number))
        if isinstance(entry, bytes):
            entry = Reply(entry)
        if isinstance(entry, Reply):
            self.send(entry)
        else:
            entry(self)

    def send(self, reply: Reply) -> None:
        """Send a reply."""
        self.send_response(reply.status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        if reply.length:
            self.send_header("Content-Length", str(len(reply.body)))
        else:
            self.send_header("Connection", "close")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


class ScriptedServer(ThreadingHTTPServer):
    """Plays a script on a free port of this machine; with `tls` over HTTPS."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *script: Script, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = list(script)
        self.seen: list[Seen] = []
        self.by_operation: dict[str, list[Script]] = {}
        self._scheme = "https" if tls else "http"
        self._connections = 0
        self._lock = threading.Lock()
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        """Give the address of the service."""
        return f"{self._scheme}://127.0.0.1:{self.server_port}/EWS/Exchange.asmx"

    @property
    def operations(self) -> Sequence[str]:
        """Name the operations asked for, in order."""
        return [request.operation for request in self.seen]

    def next_number(self) -> int:
        """Count connections."""
        with self._lock:
            self._connections += 1
            return self._connections

    def take(self, request: Seen) -> Script:
        """Note a request and give the entry that answers it."""
        with self._lock:
            self.seen.append(request)
            script = self.by_operation.get(request.operation, self.script)
            return script.pop(0) if len(script) > 1 else script[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about clients that hang up."""

    def __enter__(self) -> Self:
        """Serve."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.shutdown()
        self.server_close()
