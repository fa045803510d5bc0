"""The real HTTP(S) server: a thread per connection, keep-alive, EWS, the control plane and the stand-in's pages.

Sign-in belongs to the connection, because NTLM does. Knows sockets and headers; what an answer says is decided in
`site` and `control`.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import uuid
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from syncline.emulators.exchange.auth import CHALLENGES, Accounts, Refused, SignIn
from syncline.emulators.exchange.control import ControlPlane
from syncline.emulators.exchange.site import Answer, Site
from syncline.emulators.exchange.stand_in import StandIn
from syncline.emulators.exchange.stand_in.door import Request, forged

EWS_PATH = "/ews/exchange.asmx"
CONTROL_PATH = "/emulator"
REQUEST_BYTES_MAX = 64 * 1024 * 1024
IDLE_S = 300


class Listener(ThreadingHTTPServer):
    """Listens on one address; `tls` wraps every connection in its own thread, so that a slow client delays nobody."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], site: Site, accounts: Accounts, control: ControlPlane, stand_in: StandIn,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """Bind; port 0 takes a free one."""
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.site, self.accounts, self.control, self.tls = site, accounts, control, tls
        self.stand_in = stand_in
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, Connection)

    def server_bind(self) -> None:
        """Bind without asking the name service for the host's name, which may take seconds."""
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def finish_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        """Serve one connection in its thread."""
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._open_lock:
            self._open.add(request)
        try:
            wrapped = self.tls.wrap_socket(request, server_side=True) if self.tls else request
            Connection(wrapped, client_address, self)
            if self.tls:
                wrapped.close()
        except (OSError, ssl.SSLError):
            return
        finally:
            with self._open_lock:
                self._open.discard(request)

    def close_all(self) -> None:
        """Stop listening and end every open connection."""
        self.shutdown()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                _end(connection)


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        connection.close()


class Connection(BaseHTTPRequestHandler):
    """One connection: reads requests, signs in, and writes each answer in one piece."""

    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-IIS/10.0"
    sys_version = ""
    timeout = IDLE_S
    wbufsize = -1
    server: Listener

    def setup(self) -> None:
        """Start unknown."""
        super().setup()
        self.sign_in = SignIn(self.server.accounts)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Write no log: requests are counted instead."""

    def do_POST(self) -> None:
        """Answer an EWS request, a control request or a form."""
        self._serve()

    def do_GET(self) -> None:
        """Answer a control request or show a page."""
        self._serve()

    def do_DELETE(self) -> None:
        """Answer a control request."""
        self._serve()

    def _serve(self) -> None:
        path = self.path.partition("?")[0]
        body = self._body()
        if body is None:
            return
        if path.lower().rstrip("/") == EWS_PATH:
            self._send(self._ews(body))
        elif path.startswith(CONTROL_PATH + "/"):
            self._send(self._control(path.removeprefix(CONTROL_PATH), body))
        elif self.server.stand_in.serves(path):
            self._send(self._page(body))
        else:
            self._send(Answer(status=404))

    def _body(self) -> bytes | None:
        """Return the request's body; a missing or too large length is answered here."""
        text = self.headers.get("Content-Length", "0")
        length = int(text) if text.isdigit() else -1
        if length < 0 or self.headers.get("Transfer-Encoding") or length > REQUEST_BYTES_MAX:
            self.close_connection = True
            self._send(Answer(status=413 if length > REQUEST_BYTES_MAX else 411))
            return None
        return self.rfile.read(length)

    def _ews(self, body: bytes) -> Answer:
        verdict = self.sign_in.check(self.headers.get("Authorization"))
        if isinstance(verdict, Refused):
            return Answer(status=401, headers=tuple(("WWW-Authenticate", c) for c in verdict.challenges))
        if self.command != "POST":
            return Answer(status=405)
        answer = self.server.site.answer(verdict, body)
        if answer.status == 401:
            return Answer(status=401, headers=tuple(("WWW-Authenticate", c) for c in CHALLENGES))
        return answer

    def _control(self, path: str, body: bytes) -> Answer:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if not self.server.control.allows(local=self._local(), token=token) or forged(self._request(body)):
            return Answer(status=403)
        return self.server.control.answer(self.command, path, body)

    def _page(self, body: bytes) -> Answer:
        return self.server.stand_in.answer(self._request(body))

    def _request(self, body: bytes) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(method=self.command, target=self.path, headers=headers, body=body, local=self._local())

    def _local(self) -> bool:
        return ipaddress.ip_address(self.client_address[0].partition("%")[0]).is_loopback

    def _send(self, answer: Answer) -> None:
        if answer.delay_s:
            self.server.site.stopping.wait(answer.delay_s)
        if answer.drop:
            self.close_connection = True
            _end(self.connection)
            return
        self.send_response(answer.status, HTTPStatus(answer.status).phrase)
        names = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            self.send_header(name, value)
        if "content-type" not in names:
            self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("request-id", self.headers.get("request-id") or str(uuid.uuid4()))
        client = self.headers.get("client-request-id")
        if client:
            self.send_header("client-request-id", client)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
