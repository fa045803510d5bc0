"""The command `syncline`: puts the commands of `syncline.commands` together and is the last to see an error."""

from __future__ import annotations

import gc
from typing import Annotated

import typer

from syncline import __version__
from syncline.commands import (
    calendar,
    demo,
    filters,
    mail,
    mailboxes,
    outside,
    people,
    profiles,
    questions,
    rules,
    serving,
    setup,
    syncing,
    trash,
)
from syncline.commands.frame import Boundary

app = typer.Typer(
    name="syncline",
    cls=Boundary,
    help="Keeps Exchange calendars and a CRM in step, and asks before an appointment double-books somebody.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"syncline {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep Exchange calendars and a CRM in step, and ask before an appointment double-books somebody."""


for _module in (demo, setup, serving, syncing, questions, outside):
    _module.register(app)
app.add_typer(profiles.group, name="profiles")
app.add_typer(mailboxes.group, name="mailboxes")
app.add_typer(mail.group, name="mail")
app.add_typer(questions.alerts, name="alerts")
app.add_typer(questions.failures, name="failures")
app.add_typer(trash.group, name="trash")
app.add_typer(rules.group, name="rules")
app.add_typer(filters.group, name="filters")
app.add_typer(calendar.group, name="appointments")
app.add_typer(people.users, name="users")
app.add_typer(people.tokens, name="tokens")
app.add_typer(outside.emulate, name="emulate")


def main() -> None:
    """Run the command line."""
    # A first sync holds a chunk of values at a time and few cycles of references: looking for those less often than by
    # default spares it a tenth of its processor time and costs no memory that can be measured.
    gc.set_threshold(10_000, 20, 50)
    app()
