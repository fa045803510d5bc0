"""What all commands share: the data folder, passwords without a terminal, output for people and for machines, exits.

`Boundary` is the command line's one place where a failure becomes a sentence and an exit code. It must not know any
single command.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from syncline import __version__
from syncline.errors import SyncError

if TYPE_CHECKING:
    from syncline.wiring import App

FAILED = 1
USAGE = 2
HELD = 3
EXIT_CODES = {
    "InvalidRequest": USAGE,
    "SettingInvalid": USAGE,
    "MailboxHeld": HELD,
    "DataFolderBusy": HELD,
}
PASSWORD_MAX_CHARACTERS = 1024

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder (else SYNCLINE_DATA, else your user data folder).", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
PasswordFile = Annotated[
    str | None, typer.Option("--password-file", help="File with the password; - reads standard input.")
]


class Boundary(TyperGroup):
    """The root command: turns a SyncError into its sentence and exit code, and a bug into a report."""

    def invoke(self, ctx: Any) -> object:  # noqa: ANN401 - typer carries a click of its own
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SyncError as error:
            say_error(error)
            raise typer.Exit(EXIT_CODES.get(error.code, FAILED)) from error
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
            raise
        except Exception as error:
            typer.echo(_bug_report(error), err=True)
            raise typer.Exit(FAILED) from error


def say_error(error: SyncError) -> None:
    """Print what went wrong and what to do, on standard error."""
    typer.echo(f"{error.code}: {error.text}", err=True)
    if error.row.what_to_do and error.row.what_to_do != "Nothing.":
        typer.echo(error.row.what_to_do, err=True)


def _bug_report(error: Exception) -> str:
    """Return what somebody should report: where it broke and how, without the values that it broke on."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = "\n".join(f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames)
    head = f"Syncline {__version__} itself failed ({type(error).__name__}: {error}). Please report this:"
    return f"{head}\n{places}"


def folder(data: Path | None) -> Path:
    """Return the data folder that a command works on."""
    from syncline.config import data_folder

    return data_folder(data)


@contextmanager
def opened(data: Path | None) -> Iterator[App]:
    """Open the data folder for one command and close it afterwards."""
    from syncline.wiring import open_app

    app = open_app(folder(data))
    try:
        yield app
    finally:
        app.close()


def password_from(source: str | None, variable: str) -> str | None:
    """Return a password from a file, standard input (`-`) or the environment variable; None if none was named."""
    if source is None:
        return os.environ.get(variable) or None
    if source == "-":
        return _one_line(sys.stdin.read(PASSWORD_MAX_CHARACTERS + 2), "standard input")
    try:
        with Path(source).open(encoding="utf-8") as stream:
            return _one_line(stream.read(PASSWORD_MAX_CHARACTERS + 2), source)
    except (OSError, UnicodeDecodeError) as error:
        raise SyncError("InvalidRequest", detail=f"The password file {source} cannot be read: {error}") from error


def _one_line(text: str, where: str) -> str:
    password = text.splitlines()[0] if text else ""
    if not password or len(password) > PASSWORD_MAX_CHARACTERS:
        raise SyncError("InvalidRequest", detail=f"There is no usable password in {where}.")
    return password


def print_json(value: object) -> None:
    """Print one value as one line of JSON."""
    from syncline.desk.objects import encode

    typer.echo(encode(value))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table for people; `empty` is the sentence when there is nothing."""
    drawn = [[_cell(value) for value in row] for row in rows]
    if not drawn:
        typer.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in drawn:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=200)
    console.print(table)


def _cell(value: object) -> str:
    from datetime import datetime

    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    # A subject is foreign text: control characters must not steer the terminal.
    return "".join(character if character.isprintable() else " " for character in str(value))
