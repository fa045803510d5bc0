"""A listening socket and the server on it: taken early, so that a port in use is said before anything starts."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING

import uvicorn

from syncline.desk.objects import encode
from syncline.errors import SyncError
from syncline.web.app import create_app

if TYPE_CHECKING:
    from syncline.web.pages.demo import DemoFacts
    from syncline.wiring import App

STOP_S = 5


class Listener:
    """The web application on one address; a context manager that gives the socket back."""

    def __init__(self, app: App, host: str, port: int) -> None:
        """Bind `host` and `port` (0: a free one); SyncError("PortInUse") if it is taken."""
        self._app = app
        self._socket = _bound(host, port)
        self.port = int(self._socket.getsockname()[1])
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}"
        self._web = create_app(app)
        config = uvicorn.Config(
            self._web,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
            lifespan="off",
        )
        self.server = uvicorn.Server(config)

    def __enter__(self) -> Listener:
        """Return the listener, bound already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the socket."""
        self._socket.close()

    def show_demo(self, facts: DemoFacts) -> None:
        """Let the pages say that this is the demo, and lead through it."""
        self._web.state.demo = facts

    def announcement(self, *, as_json: bool) -> str:
        """Return the line that says where the pages are."""
        if as_json:
            return encode({"url": self.url, "data": str(self._app.data)}).decode()
        return f"Syncline  {self.url}  data: {self._app.data}  Ctrl-C ends it."

    def run(self) -> None:
        """Serve until a signal (or `stop`) asks to end, then let running requests finish."""
        if threading.current_thread() is threading.main_thread():
            # uvicorn raises the signal again when it has shut down; the caller still has to stop the worker.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: None)
        self.server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Ask a running server to end."""
        self.server.should_exit = True


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
            listening.listen(128)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SyncError("PortInUse", detail=str(port)) from error
        raise SyncError("InvalidRequest", detail=f"Syncline cannot listen on {host}, port {port}: {error}.") from error
    return listening
