"""`syncline demo`: a firm, its calendars and one question, on this machine only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncline.commands.frame import Json


def register(app: typer.Typer) -> None:
    """Put `demo` among the commands."""
    app.command("demo")(demo)


def demo(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 8080,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    data: Annotated[
        Path | None, typer.Option("--data", help="New folder that keeps the data; else it is thrown away at the end.")
    ] = None,
    calendar: Annotated[
        list[Path] | None, typer.Option("--calendar", help="An .ics file to fill a mailbox with; repeat for more.")
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
    json: Json = False,
) -> None:
    """Start Syncline with an Exchange stand-in and a small firm's calendars; Ctrl-C ends it."""
    from syncline.demo import run_demo

    run_demo(port=port, host=host, data=data, calendars=tuple(calendar or ()), open_browser=not no_open, as_json=json)
