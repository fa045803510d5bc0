"""A real HTTP server that stands for a chat tool: it keeps what it gets, and misbehaves on command."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.exchange_web_services.certificates import server_side


@dataclass
class Chat:
    """What the server answers, and what it got: path, headers and body of each request.

    `taken` says that somebody read a whole answer.
    """

    status: int = 204
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stall: threading.Event | None = None
    drip_s: float | None = None
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    taken: bool = False


@contextmanager
def listening(chat: Chat, certificate: Path | None = None) -> Iterator[int]:
    """Run the server and return its port."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            chat.got.append((self.path, dict(self.headers), body))
            if chat.stall is not None:
                chat.stall.wait(30)
            if chat.drip_s is not None:
                self._drip(chat.drip_s)
                return
            self.send_response(chat.statuses.pop(0) if chat.statuses else chat.status)
            for name, value in chat.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(chat.body)))
            self.end_headers()
            self.wfile.write(chat.body)
            chat.taken = True

        def _drip(self, pause_s: float) -> None:
            ended = threading.Event()
            try:
                for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    ended.wait(pause_s)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Answering)
    if certificate is not None:
        server.socket = server_side(certificate).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        if chat.stall is not None:
            chat.stall.set()
        server.shutdown()
        thread.join()
        server.server_close()
