"""`syncline serve` and `worker`: the processes that run jobs."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from syncline.commands.frame import Data, Json, folder, opened

Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one.")]


def register(app: typer.Typer) -> None:
    """Put these commands among the others."""
    for command in (serve, worker):
        app.command(command.__name__)(command)


def serve(host: Host = "127.0.0.1", port: Port = 8080, data: Data = None, json: Json = False) -> None:
    """Serve pages and API, and run the jobs in the same process."""
    from syncline.desk.running import JobsLock
    from syncline.notifying import Post
    from syncline.web.composer import PagesComposer
    from syncline.web.serving import Listener

    with opened(data) as app, JobsLock(app.data), Listener(app, host, port) as listener:
        post = Post(app, PagesComposer())
        app.worker.start()
        post.start()
        try:
            typer.echo(listener.announcement(as_json=json))
            listener.run()
        finally:
            post.stop()
            app.worker.stop()


def worker(data: Data = None) -> None:
    """Run the jobs without pages."""
    from syncline.desk.running import JobsLock
    from syncline.notifying import Post
    from syncline.web.composer import PagesComposer

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with opened(data) as app, JobsLock(app.data):
        post = Post(app, PagesComposer())
        app.worker.start()
        post.start()
        try:
            typer.echo(f"Running jobs on {folder(data)}. Ctrl-C ends it.")
            ended.wait()
        finally:
            post.stop()
            app.worker.stop()
